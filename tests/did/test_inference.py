"""Inference for few regions, each row against the method by hand."""

import numpy as np
import pandas as pd
import pytest

import econ
from econ import OptionError, Panel
from tests.did.designs import growing_effects


def row(found: econ.did.Inference, method: str) -> pd.Series:
    return found.frame.set_index("method").loc[method]


def complete(seed: int = 0, n: int = 14) -> Panel:
    """Three units treated in 2005, the rest never, over eight years."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame([(i, t) for i in range(n) for t in range(2001, 2009)], columns=["unit", "year"])
    frame["cohort"] = np.where(frame["unit"] < 3, 2005.0, np.nan)
    frame["people"] = 1.0 + frame["unit"] % 5
    frame["y"] = rng.normal(size=len(frame)) + frame["unit"] + 0.4 * frame["year"]
    frame["y"] += 1.5 * (frame["year"] >= frame["cohort"])
    return Panel(frame, "unit", "year")


def test_regressions_get_cr2_the_jackknife_and_the_wild_bootstrap() -> None:
    panel = complete().assign(d=lambda d: (d["year"] >= d["cohort"]).astype(float))
    found = econ.did.inference(econ.did.twfe(panel, "y", cohort="cohort"), draws=999)
    for method, kind in (("cr2", "CR2"), ("jackknife", "CV3"), ("clustered", "CR1")):
        fit = econ.feols(panel, "y ~ d | unit + year", vcov=econ.cluster("unit", kind=kind))
        assert row(found, method)["std_error"] == pytest.approx(fit.std_error[0])
        assert row(found, method)["dof"] == pytest.approx(fit.dof[0])
        assert row(found, method)["p_value"] == pytest.approx(fit.p_value[0])
        assert row(found, method)["ci_low"] == pytest.approx(fit.tidy()["ci_low"][0])
    wild = econ.wild_bootstrap(panel, "y ~ d | unit + year", "d = 0", econ.wild(999))
    assert row(found, "wild")["p_value"] == wild.p_value
    assert (row(found, "wild")["ci_low"], row(found, "wild")["ci_high"]) == pytest.approx((wild.ci_low, wild.ci_high))


def test_an_average_of_cells_has_the_contrast_of_the_regression() -> None:
    panel = growing_effects()
    result = econ.did.sun_abraham(panel, "y", cohort="cohort")
    found = econ.did.inference(result, draws=199)
    assert row(found, "cr2")["estimate"] == pytest.approx(result.aggregate().coef[0])
    again = econ.did.sun_abraham(panel, "y", cohort="cohort", vcov=econ.cluster("unit", kind="CR2"))
    assert row(found, "cr2")["std_error"] == pytest.approx(again.aggregate().std_error[0])


def test_other_estimators_are_jackknifed_by_leaving_clusters_out() -> None:
    panel = complete()
    result = econ.did.callaway_santanna(panel, "y", cohort="cohort")
    found = econ.did.inference(result, draws=199)
    estimate = result.aggregate().coef[0]
    left = [
        econ.did.callaway_santanna(panel.where(lambda d, u=unit: d["unit"] != u), "y", cohort="cohort").aggregate()
        for unit in range(14)
    ]
    variance = 13 / 14 * sum((fit.coef[0] - estimate) ** 2 for fit in left)
    assert row(found, "jackknife")["std_error"] == pytest.approx(np.sqrt(variance))
    for method in ("cr2", "wild"):
        assert "one least-squares regression" in row(found, method)["detail"]
        assert np.isnan(row(found, method)["p_value"])


def test_two_groups_one_date_by_hand() -> None:
    panel = complete()
    wide = panel.frame.pivot(index="unit", columns="year", values="y").to_numpy()
    change = wide[:, 4:].mean(axis=1) - wide[:, :4].mean(axis=1)
    found = econ.did.inference(econ.did.twfe(panel, "y", cohort="cohort"), draws=4999)
    treated, others = change[:3], change[3:]
    error = np.sqrt(treated.var(ddof=1) / 3 + others.var(ddof=1) / 11)
    assert row(found, "ibragimov_mueller")["estimate"] == pytest.approx(treated.mean() - others.mean())
    assert row(found, "ibragimov_mueller")["std_error"] == pytest.approx(error)
    assert row(found, "ibragimov_mueller")["dof"] == 2
    spread = others - others.mean()
    sums = (spread[:, None, None] + spread[:, None] + spread).ravel() / 3
    extreme = (np.abs(sums) >= abs(row(found, "conley_taber")["estimate"]) - 1e-12).sum()
    assert row(found, "conley_taber")["p_value"] == pytest.approx((1 + extreme) / (1 + len(sums)))
    exact = econ.did.permute(econ.did.twfe, panel, "y", cohort="cohort", draws=4999)
    assert row(found, "randomization")["p_value"] == exact.p_value


def test_sizes_and_strata_reach_their_methods() -> None:
    panel = complete().assign(half=lambda d: np.where(d["unit"] % 2, "a", "b"))
    result = econ.did.twfe(panel, "y", cohort="cohort")
    without = econ.did.inference(result, draws=199)
    assert "size=" in row(without, "ferman_pinto")["detail"]
    found = econ.did.inference(result, size="people", within="half", draws=199)
    assert np.isfinite(row(found, "ferman_pinto")["p_value"])
    assert row(found, "randomization")["p_value"] != row(without, "randomization")["p_value"]


def test_few_controls_are_pointed_out() -> None:
    found = econ.did.inference(econ.did.twfe(growing_effects(), "y", cohort="cohort"), draws=199)
    assert "Fewer than two never-treated" in row(found, "conley_taber")["detail"]
    assert "偏短" in found.table(lang="zh").markdown()


def test_covariates_leave_what_needs_weights_on_means_out() -> None:
    result = econ.did.twfe(growing_effects(), "y", cohort="cohort", covariates=["x"])
    found = econ.did.inference(result, draws=99)
    assert "no weights on cells" in row(found, "conley_taber")["detail"]
    assert np.isfinite(row(found, "cr2")["p_value"])
    assert np.isfinite(row(found, "randomization")["p_value"])


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_table_figure_and_text(lang: econ.Lang) -> None:
    found = econ.did.inference(econ.did.callaway_santanna(complete(), "y", cohort="cohort"), draws=199)
    table = found.table(lang=lang).markdown()
    assert {"en": "many clusters", "zh": "聚类数多"}[lang] in table
    assert len(found.plot(lang=lang).data) >= 4
    assert "leans on" in repr(found)


def test_a_result_from_json_is_refused() -> None:
    result = econ.did.twfe(complete(), "y", cohort="cohort")
    with pytest.raises(OptionError, match="read back from JSON"):
        econ.did.inference(type(result).from_json(result.to_json()))


@pytest.mark.slow
def test_with_three_of_31_treated_what_is_honest_keeps_its_size() -> None:
    rejected = {"clustered": 0, "cr2": 0, "randomization": 0, "conley_taber": 0}
    for seed in range(400):
        panel = complete(seed, n=31).assign(y=np.random.default_rng(1000 + seed).normal(size=31 * 8))
        found = econ.did.inference(econ.did.twfe(panel, "y", cohort="cohort"), draws=399, seed=seed)
        for method in rejected:
            rejected[method] += row(found, method)["p_value"] < 0.05
    assert rejected["clustered"] / 400 > 0.1
    for method in ("randomization", "conley_taber"):
        assert rejected[method] / 400 == pytest.approx(0.05, abs=0.045)
    assert rejected["cr2"] < rejected["clustered"]
