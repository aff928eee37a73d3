"""Interactive effects and the number of factors: slower solvers, the regression on all parameters, refusals."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import least_squares

import econ
from econ import FormulaError, ModelError, OptionError, Panel
from econ.growth import InteractiveEstimate, factors, interactive_effects, number_of_factors

EFFECTS = ["", " | unit", " | year", " | unit + year"]


def frame(N: int = 10, T: int = 8, R: int = 2, noise: float = 0.3, seed: int = 0) -> pd.DataFrame:
    """x and z go with factors, loadings and unit effects; slopes 1 and -0.5."""
    rng = np.random.default_rng(seed)
    F, L, a, xi = rng.normal(size=(T, R)), rng.normal(size=(N, R)), rng.normal(size=(N, 1)), rng.normal(size=T)
    x = L @ F.T + 0.5 * L.sum(axis=1, keepdims=True) + a + rng.normal(size=(N, T))
    z = F.sum(axis=1) - xi + rng.normal(size=(N, T))
    y = 2 + x - 0.5 * z + 2 * L @ F.T + a + xi + noise * rng.normal(size=(N, T))
    keys = pd.MultiIndex.from_product([[f"u{i:02d}" for i in range(N)], range(2000, 2000 + T)], names=["unit", "year"])
    return pd.DataFrame({"x": x.ravel(), "z": z.ravel(), "y": y.ravel()}, keys).reset_index()


def panel(*, holes: bool = False, **design: float) -> Panel:
    d = frame(**design)  # type: ignore[arg-type]
    return Panel(d.drop(index=[0, 9, 23, 38, 40, 61]) if holes else d, "unit", "year")


def jacobian(p: Panel, effects: str, F: np.ndarray, L: np.ndarray) -> np.ndarray:
    """Columns that effects, loadings and factors add to the regression, linearised at the estimate."""
    unit, year = (pd.get_dummies(p.frame[name]).to_numpy(float) for name in ("unit", "year"))
    parts = [unit] * ("unit" in effects) + [year] * ("year" in effects)
    parts += [unit * (year @ F)[:, [r]] for r in range(F.shape[1])]
    parts += [year * (unit @ L)[:, [r]] for r in range(F.shape[1])]
    return np.hstack(parts)


def regressors(p: Panel, effects: str) -> np.ndarray:
    columns = p.frame[["x", "z"]].to_numpy()
    return columns if effects else np.column_stack([np.ones(p.n_obs), columns])


@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize("effects", EFFECTS)
def test_the_estimate_is_a_regression_on_all_directions(effects: str, holes: bool) -> None:
    """Least squares on regressors, effects, loadings and factors: same slopes, residuals, rank and standard errors."""
    p = panel(holes=holes)
    found = interactive_effects(p, f"y ~ x + z{effects}", 2, vcov=econ.iid())
    F, L = found.period_factors, found.unit_loadings
    J, X, y = jacobian(p, effects, F, L), regressors(p, effects), p.frame["y"].to_numpy()
    Z, left = X - J @ np.linalg.lstsq(J, X, rcond=None)[0], y - J @ np.linalg.lstsq(J, y, rcond=None)[0]
    coef, ssr = np.linalg.lstsq(Z, left, rcond=None)[:2]
    np.testing.assert_allclose(found.coef, coef, rtol=1e-7)
    assert found.stats["rmse"] ** 2 * p.n_obs == pytest.approx(ssr[0], rel=1e-8)
    dof = p.n_obs - X.shape[1] - np.linalg.matrix_rank(J)
    np.testing.assert_allclose(found.vcov, np.linalg.inv(Z.T @ Z) * ssr[0] / dof, rtol=1e-6)
    assert found.dof[0] == dof
    u = left - Z @ coef
    robust = interactive_effects(p, f"y ~ x + z{effects}", 2, vcov=econ.hetero("HC3"))
    H = np.column_stack([X, J])
    h = np.diag(H @ np.linalg.pinv(H, rcond=1e-9))
    scores, bread = Z * (u / (1 - h))[:, None], np.linalg.inv(Z.T @ Z)
    np.testing.assert_allclose(robust.vcov, bread @ scores.T @ scores @ bread, rtol=1e-5)


def test_bais_own_iteration_ends_in_the_same_place() -> None:
    p = panel()
    y, x, z = (p.frame[name].to_numpy().reshape(10, 8) for name in ("y", "x", "z"))
    X, b = np.stack([np.ones_like(x), x, z]), np.zeros(3)
    b[1:] = found_start = econ.feols(p, "y ~ x + z").coef[1:]
    assert len(found_start) == 2
    for _ in range(20_000):
        W = y - np.tensordot(b, X, 1)
        F = np.linalg.eigh(W.T @ W)[1][:, -2:]
        b = np.linalg.lstsq(X.reshape(3, -1).T, (y - W @ F @ F.T).ravel(), rcond=None)[0]
    np.testing.assert_allclose(interactive_effects(p, "y ~ x + z", 2).coef, b, rtol=1e-6)


@pytest.mark.parametrize("effects", ["", " | unit + year"])
def test_rows_that_are_missing_do_not_count(effects: str) -> None:
    """A general solver over every parameter on the rows observed ends at the same sum of squares."""
    p = panel(holes=True)
    found = interactive_effects(p, f"y ~ x + z{effects}", 1)
    X, y = regressors(p, effects), p.frame["y"].to_numpy()
    unit, year = p.unit_codes, p.time_codes
    D = np.hstack([X, jacobian(p, effects, np.empty((8, 0)), np.empty((10, 0)))] if effects else [X])

    def residuals(parameters: np.ndarray) -> np.ndarray:
        loading, factor = parameters[-18:-8], parameters[-8:]
        return y - D @ parameters[:-18] - loading[unit] * factor[year]

    ends = [least_squares(residuals, np.random.default_rng(s).normal(size=D.shape[1] + 18), xtol=1e-14, ftol=1e-14,
                          gtol=1e-14) for s in range(6)]  # fmt: skip
    best = min(ends, key=lambda end: end.cost)
    assert found.stats["rmse"] ** 2 * p.n_obs == pytest.approx(2 * best.cost, rel=1e-9)
    np.testing.assert_allclose(found.coef, best.x[: len(found.coef)], rtol=1e-4)


def test_factors_that_go_with_regressors_mislead_two_way_effects_only() -> None:
    p = panel(N=40, T=25, noise=1.0)
    formula = "y ~ x + z | unit + year"
    assert abs(econ.feols(p, formula).coef[0] - 1) > 0.3
    found = interactive_effects(p, formula, 2)
    assert (abs(found.coef - [1, -0.5]) < 3 * found.std_error).all()
    assert found.std_error.max() < 0.06


def test_factors_and_loadings_are_normalised_and_named() -> None:
    found = interactive_effects(panel(), "y ~ x + z | unit + year", 2)
    F, L = found.period_factors, found.unit_loadings
    np.testing.assert_allclose(F.T @ F, 8 * np.eye(2), atol=1e-10)
    assert abs(L[:, 0] @ L[:, 1]) < 1e-9
    np.testing.assert_allclose([F.sum(axis=0), L.sum(axis=0)], 0, atol=1e-9)
    assert found.loadings.columns.tolist() == ["unit", "factor1", "factor2"]
    assert found.factors["period"].tolist() == list(range(2000, 2008))
    assert (np.take_along_axis(L, np.abs(L).argmax(axis=0)[None], 0) > 0).all()
    again = InteractiveEstimate.from_json(found.to_json())
    np.testing.assert_array_equal(again.residuals, found.residuals)
    assert np.sqrt(np.mean(found.residuals[found.sample] ** 2)) == pytest.approx(found.stats["rmse"], rel=1e-10)
    pd.testing.assert_frame_equal(again.loadings, found.loadings)
    pd.testing.assert_frame_equal(again.factors, found.factors)


def test_tables_show_the_number_of_factors() -> None:
    found = interactive_effects(panel(), "y ~ x + z | unit + year", 2)
    for lang, words in (("en", "Common factors"), ("zh", "共同因子数")):
        assert words in econ.report.table([found], lang=lang).markdown()


def test_minima_that_other_starts_find_are_noted() -> None:
    rng = np.random.default_rng(3)
    d = frame(N=8, T=6, noise=2.0, seed=3)
    d["x"] = d["x"] ** 3 + rng.normal(size=len(d))
    d["y"] = np.random.default_rng(23).normal(size=len(d)) + d["x"] / 100
    found = interactive_effects(Panel(d, "unit", "year"), "y ~ x + z | unit", 2)
    assert any("2 of 3 descents ended higher, by up to 3.3 %" in note["en"] for note in found.notes)


# ---- how many


def test_criteria_are_those_of_bai_and_ng() -> None:
    p = panel(N=30, T=20)
    found = number_of_factors(p, "y ~ x + z | unit + year", 4)
    ssr = [interactive_effects(p, "y ~ x + z | unit + year", k).stats["rmse"] ** 2 * 600 for k in range(1, 5)]
    np.testing.assert_allclose(found.frame["ssr"][1:], ssr, rtol=1e-9)
    twoway = econ.feols(p, "y ~ x + z | unit + year")
    assert found.frame["ssr"][0] == pytest.approx(twoway.stats["rmse"] ** 2 * 600, rel=1e-9)
    V, k = found.frame["ssr"] / 600, found.frame["factors"]
    np.testing.assert_allclose(found.frame["ic1"], np.log(V) + k * 50 / 600 * np.log(600 / 50))
    np.testing.assert_allclose(found.frame["ic2"], np.log(V) + k * 50 / 600 * np.log(20))
    np.testing.assert_allclose(found.frame["ic3"], np.log(V) + k * np.log(20) / 20)
    np.testing.assert_allclose(found.frame["pc2"], V + k * V[4] * 50 / 600 * np.log(20))
    assert found.chosen["ic2"] == 2
    assert "ic2 2" in repr(found)


def test_the_number_for_a_variable_alone() -> None:
    """Three factors in 60 x 50; the criteria agree."""
    rng = np.random.default_rng(5)
    values = rng.normal(size=(60, 3)) @ rng.normal(size=(3, 50)) + rng.normal(size=(60, 50))
    keys = pd.MultiIndex.from_product([range(60), range(50)], names=["unit", "year"])
    p = Panel(pd.DataFrame({"y": values.ravel()}, keys).reset_index(), "unit", "year")
    found = number_of_factors(p, "y ~ 1 | unit", 6)
    assert found.chosen["ic1"] == found.chosen["ic2"] == found.chosen["pc2"] == 3
    centred = values - values.mean(axis=1, keepdims=True)
    left = np.linalg.svd(centred, compute_uv=False) ** 2
    np.testing.assert_allclose(found.frame["ssr"], [left[k:].sum() for k in range(7)], rtol=1e-9)


def test_criteria_that_choose_the_most_allowed_say_so() -> None:
    found = number_of_factors(panel(N=31, T=20), "y ~ x + z", 1)
    assert any("choose the most factors allowed (1)" in note["en"] for note in found.notes)


# ---- refusals


def test_numbers_of_factors_that_leave_nothing_are_refused() -> None:
    for number in (0, 8, 1.5, True):
        with pytest.raises(OptionError, match=r"with 10 units, 8 periods and 80 rows give a whole number from 1 to"):
            interactive_effects(panel(), "y ~ x + z", number)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="maximum="):
        number_of_factors(panel(), "y ~ x + z", 20)


def test_formulas_are_refused() -> None:
    p = panel().assign(group=1)
    with pytest.raises(FormulaError, match="only the effects unit and year"):
        interactive_effects(p, "y ~ x | group", 1)
    with pytest.raises(FormulaError, match="only the effects unit and year"):
        interactive_effects(p, "y ~ x | unit[z]", 1)
    with pytest.raises(ModelError, match="No regressor"):
        interactive_effects(p, "y ~ 1 | unit", 1)
    with pytest.raises(ModelError, match="need periods"):
        interactive_effects(Panel(frame().drop_duplicates("unit"), "unit"), "y ~ x", 1)


def test_units_with_too_few_rows_are_named() -> None:
    d = frame()
    with pytest.raises(ModelError, match=r"1 of 10 units have too few rows for 2 factors, .* more than 3: u03 \(3\)"):
        interactive_effects(Panel(d[(d["unit"] != "u03") | (d["year"] < 2003)], "unit", "year"), "y ~ x | unit", 2)


def test_outcomes_that_factors_fit_exactly_are_refused() -> None:
    d = frame(R=1, noise=0.0)
    d["y"] -= d["x"] - 0.5 * d["z"]
    with pytest.raises(ModelError, match="fit 'y' exactly"):
        interactive_effects(Panel(d, "unit", "year"), "y ~ x | unit + year", 1)


def test_regressors_that_effects_span_are_left_out_with_a_warning() -> None:
    p = panel().assign(size=lambda d: d["unit"].str[1:].astype(float))
    with pytest.warns(econ.EconWarning, match="absorb them: size"):
        assert interactive_effects(p, "y ~ x + size | unit", 1).terms == ("x",)


def test_regressors_of_which_the_factors_leave_nothing_are_refused() -> None:
    """The regressor moves in one unit only, whose path is orthogonal to all others and so a factor of its own."""
    rng = np.random.default_rng(1)
    X = np.column_stack([np.ones(8), rng.normal(size=(8, 2))])
    Y = rng.normal(size=(10, 8))
    Y -= Y @ X @ np.linalg.solve(X.T @ X, X.T)
    d = frame()
    Y[0], W = 1e2 * X[:, 1], np.zeros((10, 8))
    W[0] = X[:, 2]
    d["y"], d["w"] = Y.ravel(), W.ravel()
    with pytest.raises(ModelError, match="leave nothing of w, whose coefficients"):
        interactive_effects(Panel(d, "unit", "year"), "y ~ w | unit", 1)


def test_descents_that_do_not_converge_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factors, "MAX_STEPS", 1)
    with pytest.raises(ModelError, match="2 factors has not converged from any start"):
        interactive_effects(panel(), "y ~ x + z", 2)
