"""Callaway and Sant'Anna against their definition: cells, covariances, averages, covariates, and what is refused."""

from dataclasses import replace

import cells_by_definition as by_definition
import numpy as np
import pandas as pd
import pytest
from cells_by_definition import average, cells, data, frame, influences, panel, shares

import econ
from econ import EconError
from econ.did.cell_effects import conditional_effects, mean_effects
from econ.did.comparisons import comparisons
from econ.did.design import DidDesign, read_design
from econ.did.doubly_robust import panel_att, repeated_att
from econ.did.result import DidResult

METHODS = ("dr", "dr_improved", "ipw", "reg")
DESIGNS = [
    {"control": "never"},
    {"control": "not_yet"},
    {"control": "never", "base": "universal"},
    {"control": "not_yet", "base": "universal", "anticipation": 1},
    {"control": "not_yet", "anticipation": 1},
]
SAMPLES = {"balanced": (0.0, False), "paired": (0.15, False), "repeated": (0.15, True)}


def estimate(f: pd.DataFrame, **asked: object) -> DidResult:
    return econ.did.callaway_santanna(panel(f), "y", cohort="cohort", **asked)  # type: ignore[arg-type]


def ids(asked: dict[str, object]) -> str:
    return "-".join(map(str, asked.values()))


@pytest.fixture(params=SAMPLES, ids=list(SAMPLES))
def sample(request: pytest.FixtureRequest) -> tuple[pd.DataFrame, bool]:
    missing, repeated = SAMPLES[request.param]
    return frame(missing=missing), repeated


# ---- cells


@pytest.mark.parametrize("asked", DESIGNS, ids=ids)
@pytest.mark.parametrize("weights", [None, "weight"])
def test_cells_and_covariance_are_those_of_the_definition(
    sample: tuple[pd.DataFrame, bool], asked: dict[str, object], weights: str | None
) -> None:
    f, repeated = sample
    d = data(f, weights=weights is not None)
    expected = cells(d, repeated=repeated, **asked)  # type: ignore[arg-type]
    found = estimate(f, repeated=repeated, weights=weights, **asked)
    assert list(zip(found.effects.cohort, found.effects.period, strict=True)) == list(expected)
    np.testing.assert_allclose(found.coef, list(expected.values()), rtol=1e-10, atol=1e-12)

    def again(weight: np.ndarray) -> np.ndarray:
        moved = cells(replace(d, weight=weight), repeated=repeated, **asked)  # type: ignore[arg-type]
        return np.array(list(moved.values()))

    psi = influences(again, d.weight)
    np.testing.assert_allclose(found.vcov, psi.T @ psi, rtol=1e-6, atol=1e-9)


def test_the_base_is_the_last_period_seen_before_treatment() -> None:
    f = frame(periods=(2001, 2002, 2005, 2006, 2009))
    expected = cells(data(f))
    found = estimate(f)
    assert list(zip(found.effects.cohort, found.effects.period, strict=True)) == list(expected)
    np.testing.assert_allclose(found.coef, list(expected.values()), rtol=1e-10)


def test_coarser_clusters_add_the_influences_of_their_units(sample: tuple[pd.DataFrame, bool]) -> None:
    f, repeated = sample
    d = data(f)

    def again(weight: np.ndarray) -> np.ndarray:
        return np.array(list(cells(replace(d, weight=weight), repeated=repeated).values()))

    region = f.groupby("unit")["region"].first()
    sums = pd.DataFrame(influences(again, d.weight), index=region.to_numpy()).groupby(level=0).sum().to_numpy()
    found = estimate(f, repeated=repeated, vcov=econ.cluster("region", kind="CR0"))
    assert found.n_clusters == (7,)
    np.testing.assert_allclose(found.vcov, sums.T @ sums, rtol=1e-6, atol=1e-9)
    inflated = estimate(f, repeated=repeated, vcov=econ.cluster("region"))
    np.testing.assert_allclose(inflated.vcov, found.vcov * 7 / 6, rtol=1e-12)


def test_groups_are_cohorts_of_their_own_against_the_same_controls() -> None:
    f = frame()
    found = estimate(f, by="group")
    for group in ("east", "west"):
        alone = estimate(f[f["cohort"].isna() | (f["group"] == group)])
        mine = [k for k, name in enumerate(found.effects.group) if name == group]
        np.testing.assert_allclose(found.coef[mine], alone.coef, rtol=1e-12)
        np.testing.assert_allclose(found.std_error[mine], alone.std_error, rtol=1e-12)
    assert found.aggregate("group").test("equal effects").dof[0] == 1


def test_weights_count_units() -> None:
    f = frame().assign(weight=lambda d: 1.0 + (d["unit"].str[1:].astype(int) % 3))
    copies = f.loc[f.index.repeat(f["weight"].astype(int))]
    copies = copies.assign(copy=copies.groupby(["unit", "year"]).cumcount(), original=copies["unit"])
    copies["unit"] = copies["unit"] + "-" + copies["copy"].astype(str)
    for covariates in ([], ["x"]):
        weighted = estimate(f, weights="weight", covariates=covariates)
        repeated = estimate(copies, vcov=econ.cluster("original", kind="CR0"), covariates=covariates)
        np.testing.assert_allclose(weighted.coef, repeated.coef, rtol=1e-9)
        np.testing.assert_allclose(weighted.joint_vcov, repeated.joint_vcov, rtol=1e-8, atol=1e-12)


def test_the_weights_of_cells_give_back_the_estimate(sample: tuple[pd.DataFrame, bool]) -> None:
    f, repeated = sample
    found = estimate(f, control="not_yet", repeated=repeated)
    weights = found.weights()
    assert weights.loc[weights["treated"], "weight"].sum() == pytest.approx(1.0)
    if repeated or len(f) == 30 * 7:
        means = f.assign(cohort=f["cohort"].astype(object).where(f["cohort"].notna(), None))
        means = means.groupby(["cohort", "year"], dropna=False)["y"].mean()
        keyed = {(None if pd.isna(g) else g, t): value for (g, t), value in means.items()}
        total = sum(
            w * keyed[None if pd.isna(g) else g, t]
            for g, t, w in zip(weights["cohort"], weights["period"], weights["weight"], strict=True)
        )
        assert total == pytest.approx(found.aggregate().coef[0])


# ---- averages


@pytest.mark.parametrize(
    ("kind", "how"),
    [("event", "cells"), ("cohort", "cells"), ("period", "cells")]
    + [("overall", how) for how in ("cells", "event", "cohort", "period")],
)
@pytest.mark.parametrize("weights", [None, "weight"])
def test_averages_are_those_of_the_definition_with_shares_as_estimated(
    sample: tuple[pd.DataFrame, bool], kind: str, how: str, weights: str | None
) -> None:
    f, repeated = sample
    d = data(f, weights=weights is not None)
    found = estimate(f, repeated=repeated, weights=weights).aggregate(kind, average=how)  # type: ignore[arg-type]
    expected = average(cells(d, repeated=repeated), shares(d), kind, how)
    assert list(found.terms) == list(expected)
    np.testing.assert_allclose(found.coef, list(expected.values()), rtol=1e-10)

    def again(weight: np.ndarray) -> np.ndarray:
        moved = replace(d, weight=weight)
        return np.array(list(average(cells(moved, repeated=repeated), shares(moved), kind, how).values()))

    psi = influences(again, d.weight)
    np.testing.assert_allclose(found.vcov, psi.T @ psi, rtol=1e-6, atol=1e-9)


def test_dof_are_clusters_less_one() -> None:
    assert set(estimate(frame()).dof) == {29.0}
    assert set(estimate(frame(), vcov=econ.cluster("region", kind="CR0")).aggregate().dof) == {6.0}


# ---- covariates


def design(f: pd.DataFrame, **asked: object) -> DidDesign:
    vcov = econ.cluster("unit", kind="CR0")
    return read_design(panel(f), "y", "cohort", vcov=vcov, keep_singletons=True, **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("asked", DESIGNS, ids=ids)
def test_no_covariates_is_the_limit_of_covariates(
    sample: tuple[pd.DataFrame, bool], method: str, asked: dict[str, object]
) -> None:
    f, repeated = sample
    d = design(f, weights="weight", by="group")
    options = {"control": "never", "base": "varying", "anticipation": 0} | asked
    which, _ = comparisons(d, repeated=repeated, **options)  # type: ignore[arg-type]
    coef, influence, _ = mean_effects(d, which, repeated)
    kept, conditional, by_unit, notes = conditional_effects(d, which, method, repeated)  # type: ignore[arg-type]
    assert notes == ()
    assert len(kept.treated) == len(which.treated)
    np.testing.assert_allclose(conditional, coef, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(by_unit.gram(), influence.gram(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("base", ["varying", "universal"])
def test_covariates_are_those_of_the_earlier_of_two_periods(method: str, base: str) -> None:
    f = frame(n=60)
    found = estimate(f, covariates=["x", "z"], method=method, base=base, weights="weight")
    wide = f.pivot_table(index="unit", columns="year", values=["y", "x", "z"])
    first, w = (f.groupby("unit")[name].first() for name in ("cohort", "weight"))
    for k, (g, t) in enumerate(zip(found.effects.cohort, found.effects.period, strict=True)):
        b = t - 1 if base == "varying" and t < g else g - 1
        used = ((first == g) | first.isna()).to_numpy()
        x = np.column_stack([wide[name][min(t, b)][used] for name in ("x", "z")])
        change = (wide["y"][t] - wide["y"][b])[used].to_numpy()[:, None]
        cell = panel_att(change, (first[used] == g).to_numpy(), x, w[used].to_numpy(), method)  # type: ignore[arg-type]
        assert not isinstance(cell, str)
        assert found.coef[k] == pytest.approx(cell.att[0], rel=1e-9)
        assert found.std_error[k] == pytest.approx(np.linalg.norm(cell.influence[:, 0]), rel=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_rows_of_repeated_samples_have_their_own_covariates(method: str) -> None:
    f = frame(n=100, missing=0.2)
    found = estimate(f, covariates=["x"], method=method, repeated=True)
    for k, (g, t) in enumerate(zip(found.effects.cohort, found.effects.period, strict=True)):
        b = t - 1 if t < g else g - 1
        used = f[f["year"].isin([t, b]) & (f["cohort"].isna() | (f["cohort"] == g))]
        y, x = used["y"].to_numpy(), used[["x"]].to_numpy()
        later, treated = (used["year"] == t).to_numpy(), (used["cohort"] == g).to_numpy()
        cell = repeated_att(y, later, treated, x, np.ones(len(used)), method)  # type: ignore[arg-type]
        assert not isinstance(cell, str)
        psi = pd.Series(cell.influence[:, 0], index=used["unit"]).groupby(level=0).sum()
        assert found.coef[k] == pytest.approx(cell.att[0], rel=1e-9)
        assert found.std_error[k] == pytest.approx(np.linalg.norm(psi), rel=1e-9)


def test_unbalanced_cells_rest_on_the_units_seen_twice() -> None:
    f = frame(n=80, missing=0.2)
    found = estimate(f, covariates=["x"])
    wide = f.pivot_table(index="unit", columns="year", values=["y", "x"])
    first = f.groupby("unit")["cohort"].first()
    for k, (g, t) in enumerate(zip(found.effects.cohort, found.effects.period, strict=True)):
        b = t - 1 if t < g else g - 1
        change = wide["y"][t] - wide["y"][b]
        used = ((first == g) | first.isna()) & change.notna()
        x = wide["x"][min(t, b)][used].to_numpy()[:, None]
        cell = panel_att(change[used].to_numpy()[:, None], (first[used] == g).to_numpy(), x, np.ones(used.sum()), "dr")
        assert not isinstance(cell, str)
        assert found.coef[k] == pytest.approx(cell.att[0], rel=1e-9)


def test_time_invariant_covariates_share_one_fit_and_change_nothing() -> None:
    f = frame(n=60)
    fixed = f.assign(x=f.groupby("unit")["x"].transform("first"))
    nearly = fixed.assign(x=fixed["x"] + 1e-12 * (fixed["year"] - 2000))
    np.testing.assert_allclose(
        estimate(fixed, covariates=["x"]).coef, estimate(nearly, covariates=["x"]).coef, rtol=1e-8
    )


def test_covariates_leave_no_weights_on_cells() -> None:
    with pytest.raises(EconError, match="no weights on cells"):
        estimate(frame(n=60), covariates=["x"]).weights()


# ---- known effects


@pytest.mark.parametrize(
    ("covariates", "method"), [([], "dr"), (["x"], "dr"), (["x"], "dr_improved"), (["x"], "reg")], ids=str
)
def test_an_effect_without_noise_is_recovered(covariates: list[str], method: str) -> None:
    f = frame(n=80)
    fixed = f.groupby("unit")["x"].transform("first")
    trend = 0.5 * fixed * (f["year"] - 2000) if covariates else 0.1 * (f["year"] - 2000)
    f = f.assign(x=fixed, y=fixed + trend + (f["year"] >= f["cohort"]) * (f["year"] - 2000.0))
    found = estimate(f, covariates=covariates, method=method)
    truth = [(t - 2000.0) * (t >= g) for g, t in zip(found.effects.cohort, found.effects.period, strict=True)]
    np.testing.assert_allclose(found.coef, truth, atol=1e-9)


@pytest.mark.parametrize(("outcome", "truth"), [("log(revenue)", 0.08), ("log(patents)", 0.15)])
def test_the_simulated_zones_are_covered(outcome: str, truth: float) -> None:
    zones = econ.load("zones_simulated")
    row = econ.did.callaway_santanna(zones, outcome, cohort="demonstration_year").aggregate().tidy().iloc[0]
    assert row["ci_low"] < truth < row["ci_high"]


# ---- what must be read, and what is refused


def notes(found: DidResult) -> str:
    assert all(note["zh"] for note in found.notes)
    return " ".join(note["en"] for note in found.notes)


def test_a_cell_without_its_base_period_is_named_and_the_rest_estimated() -> None:
    f = frame()
    holed = f[~((f["cohort"] == 2004) & (f["year"] == 2003))]
    found = estimate(holed)
    assert "2004 in 2003, 2004 in 2004" in notes(found)
    full = estimate(f)
    shared = [term for term in full.terms if term in found.terms]
    assert len(full.terms) - len(shared) == 5
    np.testing.assert_allclose(found.params[shared], full.params[shared], rtol=1e-12)


def test_a_covariate_missing_in_the_base_period_is_like_a_missing_outcome() -> None:
    f = frame(n=60)
    holed = f.assign(x=f["x"].mask((f["cohort"] == 2004) & (f["year"] == 2003)))
    found = estimate(holed, covariates=["x"])
    assert "2004 in 2003, 2004 in 2004" in notes(found)
    assert found.dropped["missing x"] == 12


def test_perfect_prediction_of_one_cohort_is_named_and_the_rest_estimated() -> None:
    f = frame(n=60)
    f = f.assign(x=f["x"] + 50 * (f["cohort"] == 2003))
    found = estimate(f, covariates=["x"])
    assert "predict treatment perfectly" in notes(found)
    assert set(found.effects.cohort) == {2004, 2006}
    others = estimate(f[f["cohort"] != 2003], covariates=["x"])
    np.testing.assert_allclose(found.coef, others.coef, rtol=1e-12)
    assert len(estimate(f, covariates=["x"], method="reg").terms) == 18


def test_fewer_controls_than_covariates_are_named() -> None:
    f = frame(n=60)
    never = f.loc[f["cohort"].isna(), "unit"].unique()
    few = f[f["cohort"].notna() | f["unit"].isin(never[:2])]
    found = estimate(few, covariates=["x", "z"], control="not_yet", method="reg")
    assert "more than the units" in notes(found)
    assert max(found.effects.period) == 2005


def test_controls_with_a_high_propensity_get_no_weight() -> None:
    f = frame(n=300)
    f = f[f["cohort"].isna() | (f["cohort"] == 2003)]
    f = f.assign(x=f.groupby("unit")["x"].transform("first").clip(-1.5, 1.5) + 2 * (f["cohort"] == 2003))
    f.loc[f["unit"] == "u003", "x"] = 3.9
    found = estimate(f, covariates=["x"], method="ipw")
    assert "propensity of 0.995 or more get no weight, up to 1 of them in: 2003 in 2002" in notes(found)


def test_a_cohort_without_a_base_period_is_named() -> None:
    found = estimate(frame(), anticipation=2)
    assert "Cohorts without a period before treatment and its anticipation, left out: 2003." in notes(found)
    assert set(found.effects.cohort) == {2004, 2006}


def test_a_cohort_of_one_is_named() -> None:
    f = frame()
    alone = f[(f["cohort"] != 2003) | (f["unit"] == "u000")]
    assert "Cohorts of one unit, whose own variation is in no standard error: 2003." in notes(estimate(alone))


def test_not_yet_treated_controls_stand_in_for_the_never_treated() -> None:
    f = frame()
    found = estimate(f[f["cohort"].notna()], control="not_yet")
    assert max(found.effects.period) == 2005
    assert "no unit to compare with" in notes(found)


@pytest.mark.parametrize(
    ("change", "asked", "words"),
    [
        (lambda d: d[d["cohort"].notna()], {}, "control='not_yet'"),
        (lambda d: d.assign(cohort=2001.0), {}, "Every row"),
        (lambda d: d.assign(cohort=d["cohort"].where(d["year"] > 2004)), {}, "changes within"),
        (lambda d: d.assign(x=1.0), {"covariates": ["x"]}, "covariates x: covariates are constant or collinear"),
        (lambda d: d.assign(x=d["cohort"].notna() * 1.0), {"covariates": ["x"]}, "predict treatment perfectly"),
        (lambda d: d.assign(w=d["x"]), {"covariates": ["x", "w"]}, "collinear"),
        (lambda d: d.assign(region="one"), {"vcov": econ.cluster("region")}, "1 cluster in the sample"),
        (lambda d: d, {"vcov": econ.cluster("unit", kind="CR2")}, "CR0' or 'CR1"),
        (lambda d: d, {"method": "drr"}, "Did you mean 'dr'"),
        (lambda d: d, {"control": "nevertreated"}, "choose one of 'never'"),
        (lambda d: d, {"base": "fixed"}, "choose one of 'varying'"),
        (lambda d: d, {"covariates": "x"}, r"give a list: \['x'\]"),
        (lambda d: d, {"anticipation": 6}, "No cell can be estimated"),
        (lambda d: d.assign(weight=d["weight"] + d["year"]), {"weights": "weight"}, "changes within units"),
    ],
)
def test_bad_input(change: object, asked: dict[str, object], words: str) -> None:
    with pytest.raises(EconError, match=words):
        estimate(change(frame()), **asked)  # type: ignore[operator]


def test_a_result_read_back_averages_alike() -> None:
    found = estimate(frame(), control="not_yet")
    again = DidResult.from_json(found.to_json())
    for kind in ("event", "cohort", "period", "overall"):
        a, b = found.aggregate(kind), again.aggregate(kind)  # type: ignore[arg-type]
        np.testing.assert_array_equal(a.vcov, b.vcov)
    assert by_definition.cells(data(frame()), control="not_yet").keys() == set(
        zip(again.effects.cohort, again.effects.period, strict=True)
    )
