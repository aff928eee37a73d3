"""Random effects, between, differences, Mundlak, Hausman-Taylor: definitions, other software, refusals."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from linearmodels.panel.model import BetweenOLS, FirstDifferenceOLS

import econ
from econ import FormulaError, ModelError, OptionError, Panel
from econ.growth import (
    between,
    breusch_pagan,
    first_difference,
    hausman,
    hausman_taylor,
    mundlak,
    pooled,
    random_effects,
)

FORMULA = "y ~ x + z + c"


def frame(seed: int = 0) -> pd.DataFrame:
    """12 units of unequal length; effects that go with x; c constant over time."""
    rng = np.random.default_rng(seed)
    rows = [(i, t) for i in range(12) for t in range(6) if (i + 3 * t) % 7]
    made = pd.DataFrame(rows, columns=["unit", "year"])
    effect = rng.normal(size=12)[made["unit"]]
    made["x"] = 0.5 * effect + rng.normal(size=len(made))
    made["z"] = rng.normal(size=len(made))
    made["c"] = rng.normal(size=12)[made["unit"]]
    made["y"] = 1 + made["x"] - made["z"] + 0.3 * made["c"] + effect + 0.5 * rng.normal(size=len(made))
    return made


def panel(seed: int = 0) -> Panel:
    return Panel(frame(seed), "unit", "year")


def test_random_effects_are_generalised_least_squares() -> None:
    d, found = frame(), random_effects(panel(), FORMULA, econ.iid())
    X = np.column_stack((np.ones(len(d)), d[["x", "z", "c"]]))
    same = np.equal.outer(d["unit"].to_numpy(), d["unit"].to_numpy())
    precision = np.linalg.inv(found.stats["sigma2_idios"] * np.eye(len(d)) + found.stats["sigma2_unit"] * same)
    np.testing.assert_allclose(found.coef, np.linalg.solve(X.T @ precision @ X, X.T @ precision @ d["y"]), rtol=1e-10)


def test_between_is_least_squares_of_means_and_its_clusters_are_hc1() -> None:
    means = frame().groupby("unit").mean().assign(Intercept=1.0)
    X, y = means[["Intercept", "x", "z", "c"]].to_numpy(), means["y"].to_numpy()
    b = np.linalg.lstsq(X, y, rcond=None)[0]
    found = between(panel(), FORMULA)
    np.testing.assert_allclose(found.coef, b, rtol=1e-10)
    bread, scores = np.linalg.inv(X.T @ X), X * (y - X @ b)[:, None]
    np.testing.assert_allclose(found.vcov, bread @ scores.T @ scores @ bread * 12 / 8, rtol=1e-10)


def test_between_and_differences_agree_with_linearmodels() -> None:
    d = frame().assign(Intercept=1.0).set_index(["unit", "year"])
    peer = BetweenOLS(d["y"], d[["Intercept", "x", "z", "c"]]).fit(debiased=True)
    found = between(panel(), FORMULA, econ.iid())
    np.testing.assert_allclose([found.coef, found.std_error], [peer.params, peer.std_errors], rtol=1e-9)
    whole = frame().query("year < 3 and unit in [1, 2, 3, 5, 6, 8, 9, 10]")
    whole = whole[whole.groupby("unit")["year"].transform("size") == 3]  # without gaps, where both difference alike
    d = whole.set_index(["unit", "year"])
    peer = FirstDifferenceOLS(d["y"], d[["x", "z"]]).fit(debiased=True)
    found = first_difference(Panel(whole, "unit", "year"), "y ~ x + z", econ.iid())
    np.testing.assert_allclose([found.coef, found.std_error], [peer.params, peer.std_errors], rtol=1e-9)


def test_differences_do_not_span_gaps_and_say_so() -> None:
    d = frame()
    found = first_difference(panel(), "y ~ x + z")
    steps = d.groupby("unit")["year"].diff()
    assert found.n_obs == (steps == 1).sum()
    assert found.dropped == {"no row in the period before": int((steps != 1).sum())}
    assert any(f"{int((steps > 1).sum())} would span a gap" in note["en"] for note in found.notes)


def test_differences_leave_out_what_is_constant_within_units() -> None:
    with pytest.warns(econ.EconWarning, match="do not vary: c"):
        found = first_difference(panel(), FORMULA)
    assert found.terms == ("x", "z")


def test_the_constant_of_differences_is_a_trend() -> None:
    trend = first_difference(panel(), "y ~ x + z + year")
    constant = first_difference(panel(), "y ~ x + z", constant=True)
    np.testing.assert_allclose(trend.params["year"], constant.params["Intercept"], rtol=1e-10)


def test_mundlak_has_the_within_slopes() -> None:
    found = mundlak(panel(), FORMULA)
    within = econ.feols(panel(), "y ~ x + z | unit")
    assert found.terms == ("Intercept", "x", "z", "c", "mean(x)", "mean(z)")
    np.testing.assert_allclose(found.params[["x", "z"]], within.coef, rtol=1e-9)
    assert found.test("mundlak").statistic == pytest.approx(found.wald(["mean(x)", "mean(z)"]).statistic)


def test_mundlak_finds_effects_that_go_with_a_regressor() -> None:
    assert mundlak(panel(), FORMULA).test("mundlak").p_value < 0.05


def test_hausman_forms_differ_by_the_variance_they_use() -> None:
    fe = econ.feols(panel(), "y ~ x + z | unit", vcov=econ.iid())
    re = random_effects(panel(), "y ~ x + z", econ.iid())
    gap = fe.coef - re.coef[1:]
    bread_fe = fe.vcov / (fe.stats["rmse"] ** 2 * fe.n_obs / fe.dof[0])
    bread_re = re.vcov[1:, 1:] / (re.stats["rmse"] ** 2 * re.n_obs / re.dof[0])
    plain = gap @ np.linalg.solve(bread_fe - bread_re, gap)
    found = hausman(fe, re)
    for name, e in (("hausman_sigma_fe", fe), ("hausman_sigma_re", re)):
        sigma2 = e.stats["rmse"] ** 2 * e.n_obs / e.dof[0]
        assert found.test(name).statistic == pytest.approx(plain / sigma2, rel=1e-9)


def test_hausman_says_so_where_the_difference_is_no_covariance() -> None:
    fe = econ.feols(panel(), "y ~ x + z | unit", vcov=econ.iid())
    re = random_effects(panel(), "y ~ x + z", econ.iid())
    precise = replace(fe, vcov=fe.vcov * np.array([[1e-3, 0.03], [0.03, 1.0]]))
    test = hausman(precise, re).test("hausman")
    assert np.isfinite(test.statistic)
    assert test.note is not None
    assert "not positive definite" in test.note["en"]


def test_hausman_refuses_clustered_and_foreign_estimates() -> None:
    re = random_effects(panel(), "y ~ x + z")
    fe = econ.feols(panel(), "y ~ x + z | unit", vcov=econ.iid())
    with pytest.raises(OptionError, match="mundlak"):
        hausman(fe, re)
    with pytest.raises(OptionError, match="random_effects"):
        hausman(fe, fe)


def test_breusch_pagan_by_definition_on_a_balanced_panel() -> None:
    d = pd.DataFrame([(i, t) for i in range(8) for t in range(5)], columns=["unit", "year"])
    rng = np.random.default_rng(2)
    d["x"], d["y"] = rng.normal(size=40), rng.normal(size=40) + 0.5 * d["unit"]
    found = breusch_pagan(Panel(d, "unit", "year"), "y ~ x")
    X = np.column_stack((np.ones(40), d["x"]))
    u = (d["y"] - X @ np.linalg.lstsq(X, d["y"], rcond=None)[0]).to_numpy().reshape(8, 5)
    lm = 8 * 5 / (2 * 4) * ((u.sum(axis=1) ** 2).sum() / (u**2).sum() - 1) ** 2
    assert found.test("lm_unit").statistic == pytest.approx(lm, rel=1e-10)
    assert found.test("honda_unit").statistic ** 2 == pytest.approx(lm, rel=1e-10)


def test_hausman_taylor_with_nothing_endogenous_between_units_keeps_the_within_slopes() -> None:
    """Just identified in z, the slopes of x are the within estimates (Hausman and Taylor 1981, proposition 3.2)."""
    d = frame().assign(w=lambda d: d["c"] + d.groupby("unit")["x"].transform("mean"))
    found = hausman_taylor(Panel(d, "unit", "year"), "y ~ x + z + w", ["x", "w"])
    within = econ.feols(panel(), "y ~ x + z | unit")
    np.testing.assert_allclose(found.params[["x", "z"]], within.coef, rtol=1e-6)


def test_hausman_taylor_refuses_too_few_instruments_and_unknown_terms() -> None:
    with pytest.raises(ModelError, match="at least as many"):
        hausman_taylor(panel(), FORMULA, ["x", "z", "c"])
    with pytest.raises(OptionError, match="'q'"):
        hausman_taylor(panel(), FORMULA, ["q"])
    with pytest.raises(OptionError, match="list of terms"):
        hausman_taylor(panel(), FORMULA, "x")


@pytest.mark.parametrize("estimator", [pooled, random_effects, between, first_difference, mundlak])
def test_fixed_effects_are_refused_by_name(estimator) -> None:
    with pytest.raises(FormulaError, match=f"econ.growth.{estimator.__name__} .*C\\(year\\)"):
        estimator(panel(), "y ~ x | unit")


def test_too_few_units_for_variance_components() -> None:
    d = frame().query("unit < 3")
    with pytest.raises(ModelError, match="more units than"):
        random_effects(Panel(d, "unit", "year"), FORMULA)


def test_units_of_one_row_have_no_within_variation() -> None:
    with pytest.raises(ModelError, match="several rows"):
        random_effects(Panel(frame().groupby("unit").head(1), "unit", "year"), "y ~ x")


def test_between_refuses_clusters_that_change_within_units() -> None:
    with pytest.raises(ModelError, match="'year' changes within units"):
        between(panel(), "y ~ x", econ.cluster("year"))


def test_differences_need_periods() -> None:
    with pytest.raises(ModelError, match="no time column"):
        first_difference(Panel(frame().assign(row=range(len(frame()))), "row"), "y ~ x")


def test_a_zero_variance_of_effects_is_said() -> None:
    rng = np.random.default_rng(0)
    d = pd.DataFrame([(i, t) for i in range(10) for t in range(5)], columns=["unit", "year"])
    d["x"] = rng.normal(size=50)
    d["y"] = d["x"] + rng.normal(size=50)
    d["y"] -= d.groupby("unit")["y"].transform("mean") - d.groupby("unit")["x"].transform("mean")
    p = Panel(d, "unit", "year")
    found = random_effects(p, "y ~ x", econ.iid())
    assert found.stats["sigma2_unit"] == 0
    assert any("pooled" in note["en"] for note in found.notes)
    np.testing.assert_allclose(found.coef, pooled(p, "y ~ x").coef, rtol=1e-10)
