"""Mean group, CCE mean group and CCE pooled: regressions unit by unit, one large regression, and what is refused."""

import numpy as np
import pandas as pd
import pytest

import econ
from econ import FormulaError, ModelError, Panel
from econ.growth import UnitEstimate, cce_mean_group, cce_pooled, mean_group

N, T = 9, 14


def frame(seed: int = 0, *, balanced: bool = False) -> pd.DataFrame:
    """Units with slopes of their own and a common factor that moves x and y; gaps and unequal lengths."""
    rng = np.random.default_rng(seed)
    made = pd.DataFrame([(f"u{i}", 2000 + t) for i in range(N) for t in range(T)], columns=["unit", "year"])
    factor = np.tile(rng.normal(size=T).cumsum(), N)
    spread = np.repeat(rng.normal(1, 0.3, size=(4, N)), T, axis=1)
    made["x"] = spread[0] * factor + rng.normal(size=N * T)
    made["z"] = rng.normal(size=N * T) + 50
    made["y"] = 3 + spread[1] * made["x"] - 0.5 * made["z"] + spread[2] * factor + 0.4 * rng.normal(size=N * T)
    return made if balanced else made.drop(index=[3, 4, 30, 31, 60, 100, 125])


def panel(seed: int = 0, *, balanced: bool = False) -> Panel:
    return Panel(frame(seed, balanced=balanced), "unit", "year")


def by_hand(d: pd.DataFrame, extra: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """(N, 2) coefficients of x and z, and residuals in the order of the rows."""
    coefs, residuals = [], []
    for _, own in d.groupby("unit"):
        X = np.column_stack([own[["x", "z"]], np.ones(len(own)), own[extra]])
        b = np.linalg.lstsq(X, own["y"], rcond=None)[0]
        coefs.append(b[:2])
        residuals.append(own["y"] - X @ b)
    return np.array(coefs), np.concatenate(residuals)


def with_averages(d: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    means = d.groupby("year")[["y", "x", "z"]].transform("mean").add_prefix("mean_")
    return d.join(means), list(means)


def test_mean_group_is_the_mean_of_regressions_by_unit() -> None:
    d, found = frame(), mean_group(panel(), "y ~ x + z")
    coefs, residuals = by_hand(d, [])
    np.testing.assert_allclose(found.coef, coefs.mean(axis=0), rtol=1e-9)
    np.testing.assert_allclose(found.vcov, np.cov(coefs.T, ddof=1) / N, rtol=1e-9)
    np.testing.assert_allclose(found.by_unit[["x", "z"]], coefs, rtol=1e-9)
    assert found.by_unit["unit"].tolist() == sorted(d["unit"].unique())
    assert found.dof.tolist() == [N - 1, N - 1]
    assert found.stats["rmse"] == pytest.approx(np.sqrt(np.mean(residuals**2)), rel=1e-9)
    assert (found.n_obs, found.n_units, found.n_periods) == (len(d), N, T)


def test_trends_by_unit() -> None:
    d, found = frame(), mean_group(panel(), "y ~ x + z | unit[year]")
    np.testing.assert_allclose(found.coef, by_hand(d, ["year"])[0].mean(axis=0), rtol=1e-8)
    assert found.spec["fixed_effects"] == ["unit[year]"]
    assert mean_group(panel(), "y ~ x + z | unit[[year]]").spec["fixed_effects"] == ["unit[year]"]
    assert mean_group(panel(), "y ~ x + z").spec["fixed_effects"] == ["unit"]


def test_cce_mean_group_adds_the_averages_over_units() -> None:
    d, names = with_averages(frame())
    found = cce_mean_group(panel(), "y ~ x + z")
    coefs, residuals = by_hand(d, names)
    np.testing.assert_allclose(found.coef, coefs.mean(axis=0), rtol=1e-8)
    np.testing.assert_allclose(found.vcov, np.cov(coefs.T, ddof=1) / N, rtol=1e-7)
    assert found.stats["rmse"] == pytest.approx(np.sqrt(np.mean(residuals**2)), rel=1e-8)


def test_residuals_lie_in_the_rows_of_the_panel() -> None:
    """Rows shuffled, one outcome missing: each residual stands where its row is."""
    d = frame()
    own = d.assign(u=by_hand(d, [])[1])
    shuffled = d.assign(y=d["y"].mask(d.index == 50)).sample(frac=1, random_state=2)
    p = Panel(shuffled, "unit", "year")
    found = mean_group(p, "y ~ x + z")
    assert np.isnan(found.residuals).tolist() == (~found.sample).tolist() == (shuffled.index == 50).tolist()
    untouched = (shuffled["unit"] != d.loc[50, "unit"]).to_numpy()
    np.testing.assert_allclose(found.residuals[untouched], own.loc[shuffled.index, "u"][untouched], atol=1e-10)
    again = UnitEstimate.from_json(found.to_json())
    np.testing.assert_array_equal(again.residuals, found.residuals)
    assert econ.growth.pesaran_cd(p.assign(u=found.residuals), "u ~ 0").test("cd").p_value < 0.05


def test_cce_pooled_is_one_regression_on_averages_times_units() -> None:
    d, names = with_averages(frame())
    own = pd.get_dummies(d["unit"]).to_numpy(float)
    D = np.hstack([own, *(own * d[[name]].to_numpy() for name in names)])
    X = d[["x", "z"]].to_numpy()
    b = np.linalg.lstsq(np.hstack([X, D]), d["y"], rcond=None)[0]
    found = cce_pooled(panel(), "y ~ x + z")
    np.testing.assert_allclose(found.coef, b[:2], rtol=1e-8)
    residuals = d["y"] - np.hstack([X, D]) @ b
    assert found.stats["rmse"] == pytest.approx(np.sqrt(np.mean(residuals**2)), rel=1e-8)
    left = X - D @ np.linalg.lstsq(D, X, rcond=None)[0]
    grams = [left[d["unit"] == unit].T @ left[d["unit"] == unit] for unit in sorted(d["unit"].unique())]
    coefs = by_hand(d, names)[0]
    scores = np.array([Q @ (c - coefs.mean(axis=0)) for Q, c in zip(grams, coefs, strict=True)])
    bread = np.linalg.inv(sum(grams))
    np.testing.assert_allclose(found.vcov, bread @ scores.T @ scores @ bread * N / (N - 1), rtol=1e-7)


def test_common_factors_mislead_mean_groups_and_not_cce() -> None:
    """30 units whose x and y share a factor; the mean slope is 1."""
    rng = np.random.default_rng(1)
    n, t = 30, 40
    factor, loads = rng.normal(size=t), rng.normal(1, 0.2, size=(n, 2))
    x = np.outer(loads[:, 0], factor) + rng.normal(size=(n, t))
    y = rng.normal(1, 0.1, size=n)[:, None] * x + np.outer(loads[:, 1], factor) + rng.normal(size=(n, t))
    keys = pd.MultiIndex.from_product([range(n), range(t)], names=["unit", "year"])
    p = Panel(pd.DataFrame({"x": x.ravel(), "y": y.ravel()}, keys).reset_index(), "unit", "year")
    assert mean_group(p, "y ~ x").coef[0] > 1.3
    for estimator in (cce_mean_group, cce_pooled):
        found = estimator(p, "y ~ x")
        assert abs(found.coef[0] - 1) < 3 * found.std_error[0] < 0.2


def test_averages_of_periods_with_different_units_are_noted() -> None:
    notes = [note["en"] for note in cce_mean_group(panel(), "y ~ x + z").notes]
    assert any("over the units seen in it (7 to 9)" in note for note in notes)
    assert not cce_mean_group(panel(balanced=True), "y ~ x + z").notes


def test_averages_that_others_span_are_left_out_and_named() -> None:
    """x moves over time as z does: the two averages are on one line."""
    d = frame(balanced=True)
    d["w"] = d["x"] - d.groupby("year")["x"].transform("mean") + d.groupby("year")["z"].transform("mean") * 2
    found = cce_mean_group(Panel(d, "unit", "year"), "y ~ z + w")
    assert any(note["en"].endswith("span them: mean of w.") for note in found.notes)
    assert "截面均值" in found.notes[0]["zh"]


def test_a_lagged_outcome_under_cce_is_noted() -> None:
    p = panel(balanced=True)
    assert any("lag(y, 1)" in note["en"] for note in cce_mean_group(p, "y ~ lag(y, 1) + x").notes)
    assert not mean_group(p, "y ~ lag(y, 1) + x").notes


def test_units_that_are_too_short_are_named() -> None:
    d = frame(balanced=True)
    short = d[(d["unit"] != "u4") | (d["year"] < 2003)]
    with pytest.raises(ModelError, match=r"1 of 9 units have too few periods.* needs 4 .*: u4 \(3\)"):
        mean_group(Panel(short, "unit", "year"), "y ~ x + z")
    with pytest.raises(ModelError, match=r"needs 7 .*mean of y"):
        cce_mean_group(Panel(short, "unit", "year"), "y ~ x + z")


@pytest.mark.parametrize("estimator", [mean_group, cce_mean_group, cce_pooled])
def test_a_regressor_that_does_not_vary_in_a_unit_is_named(estimator: object) -> None:
    d = frame(balanced=True)
    d.loc[d["unit"] == "u2", "z"] = 0.3
    with pytest.raises(ModelError, match=r"1 of 9 units cannot tell .*\(z in u2\)"):
        estimator(Panel(d, "unit", "year"), "y ~ x + z")  # type: ignore[operator]


def test_a_regressor_common_to_all_units_is_its_own_average() -> None:
    d = frame(balanced=True)
    d["oil"] = d["year"].map(dict(zip(range(2000, 2000 + T), np.random.default_rng(2).normal(size=T), strict=True)))
    with pytest.raises(ModelError, match=r"9 of 9 units cannot tell .*oil in u0"):
        cce_mean_group(Panel(d, "unit", "year"), "y ~ x + oil")
    assert mean_group(Panel(d, "unit", "year"), "y ~ x + oil").terms == ("x", "oil")


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("y ~ x | unit + year", "the only fixed effects are unit"),
        ("y ~ x | unit | z ~ w", "no instruments"),
        ("y ~ 0 + x", "intercept of its own"),
        ("y ~ 1", "No regressor"),
    ],
)
def test_formulas_without_meaning_unit_by_unit_are_refused(formula: str, words: str) -> None:
    p = panel().assign(w=lambda d: d["x"] ** 2)
    with pytest.raises((FormulaError, ModelError), match=words):
        mean_group(p, formula)


def test_one_unit_no_periods_and_constant_outcomes_are_refused() -> None:
    d = frame()
    with pytest.raises(ModelError, match="at least 2"):
        mean_group(Panel(d[d["unit"] == "u1"], "unit", "year"), "y ~ x")
    with pytest.raises(ModelError, match="no time column"):
        mean_group(Panel(d.drop_duplicates("unit"), "unit"), "y ~ x")
    with pytest.raises(ModelError, match="does not vary within units"):
        mean_group(Panel(d.assign(y=d["unit"].str[1:].astype(float)), "unit", "year"), "y ~ x")


def test_results_are_printed_and_read_back() -> None:
    found = cce_mean_group(panel(), "y ~ x + z")
    again = UnitEstimate.from_json(found.to_json())
    pd.testing.assert_frame_equal(again.by_unit, found.by_unit)
    for lang, words in (("en", "Variation across units"), ("zh", "个体间变异")):
        beside = econ.feols(panel(), "y ~ x + z | unit + year")
        assert words in econ.report.table([beside, found], lang=lang).markdown()
