"""Slopes over a variable, U shapes, groups: against derivatives, other regressions and the papers' definitions."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from scipy import stats

import econ
from econ import DataError, FormulaError, ModelError, OptionError, Panel
from econ.growth import heterogeneity, marginal, u_test

N, T = 20, 8


def panel(curve: float = 0.5) -> Panel:
    rng = np.random.default_rng(5)
    frame = pd.DataFrame([(f"u{i:02d}", t) for i in range(N) for t in range(T)], columns=["unit", "year"])
    frame["x"], frame["d"], frame["z"] = rng.normal(size=(3, N * T))
    frame["group"] = np.array(["a", "b", "c"])[np.arange(N * T) // T % 3]
    frame["y"] = frame["x"] * (1 + 0.5 * frame["d"]) + curve * frame["x"] ** 2 + rng.normal(size=N * T)
    return Panel(frame, "unit", "year", notes=["Made up."])


def test_the_slope_is_the_derivative_with_its_delta_method_error() -> None:
    fit = econ.feols(panel(), "y ~ x + x:d + x:I(d^2) + d + z | unit + year")
    found = marginal(fit, "d", at=[-1.0, 0.0, 2.0])
    for row in found.frame.itertuples():
        g = np.array([{"x": 1.0, "x:d": row.value, "x:I(d^2)": row.value**2}.get(t, 0.0) for t in fit.terms])
        assert row.estimate == pytest.approx(g @ fit.coef)
        assert row.std_error == pytest.approx(np.sqrt(g @ fit.vcov @ g))
        assert row.ci_high - row.estimate == pytest.approx(stats.t.ppf(0.975, N - 1) * row.std_error)
        assert row.band_high > row.ci_high


def test_centring_the_other_variable_moves_no_slope() -> None:
    first = marginal(econ.feols(panel(), "y ~ x * d | unit"), "d", at=[0.0, 1.0]).frame
    moved = panel().assign(d=lambda f: f["d"] - 3)
    second = marginal(econ.feols(moved, "y ~ x * d | unit"), "d", at=[-3.0, -2.0]).frame
    np.testing.assert_allclose(first["estimate"], second["estimate"], rtol=1e-8)
    np.testing.assert_allclose(first["std_error"], second["std_error"], rtol=1e-8)


def test_a_variable_over_itself() -> None:
    fit = econ.feols(panel(), "y ~ x + I(x^2) | unit")
    found = marginal(fit, "x", panel())
    assert found.spec["of"] == "x"
    assert found.frame["value"].iloc[[0, -1]].tolist() == [panel().frame["x"].min(), panel().frame["x"].max()]
    np.testing.assert_allclose(found.frame["estimate"], fit.coef[0] + 2 * fit.coef[1] * found.frame["value"])


def test_variables_that_are_expressions() -> None:
    positive = panel().assign(v=lambda f: np.exp(f["x"]))
    fit = econ.feols(positive, "y ~ log(v) + log(v):d + d | unit")
    assert marginal(fit, "d", at=[0.0]).frame["estimate"][0] == pytest.approx(fit.params["log(v)"])


@pytest.mark.parametrize(
    ("formula", "options", "words"),
    [
        ("y ~ x:d + z:d + x | unit", {}, "multiplied with x, z"),
        ("y ~ x + x:d:z + d | unit", {"of": "x"}, "depends on 'z'"),
        ("y ~ x + exp(x) + x:d | unit", {"of": "x"}, "no power of 'x'"),
        ("y ~ z + d | unit", {"of": "x"}, "no slope in it"),
        ("y ~ x:C(group) + x:d | unit", {"of": "x"}, "heterogeneity"),
    ],
)
def test_slopes_that_are_no_function_of_one_variable(formula: str, options: dict[str, str], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        marginal(econ.feols(panel(), formula), "d", at=[0.0], **options)


def test_the_panel_must_be_that_of_the_regression() -> None:
    fit = econ.feols(panel(), "y ~ x * d | unit")
    with pytest.raises(DataError, match="same panel"):
        marginal(fit, "d", panel().where(lambda f: f["year"] > 2))


@pytest.mark.parametrize(("lang", "phrase"), [("en", "Effect of x on y"), ("zh", "x对y的边际效应")])
def test_the_figure_of_a_slope(lang: econ.Lang, phrase: str) -> None:
    found = marginal(econ.feols(panel(), "y ~ x * d | unit"), "d", panel())
    plot = econ.report.marginal_plot(found, lang=lang)
    words = "\n".join(text.get_text() for text in plot.figure.findobj(Text))
    assert phrase in words
    assert "Made up." in words
    pd.testing.assert_frame_equal(found.plot().data, found.frame)


# ---- U


def test_u_test_by_its_definition() -> None:
    fit = econ.feols(panel(), "y ~ x + I(x^2) | unit")
    found = u_test(fit, "x", [-2.0, 3.0])
    low, high = (np.array([1.0, 2 * x]) for x in (-2.0, 3.0))
    t_low, t_high = (g @ fit.coef / np.sqrt(g @ fit.vcov @ g) for g in (low, high))
    assert found.shape == "u"
    assert found.statistic == pytest.approx(min(-t_low, t_high))
    assert found.p_value == pytest.approx(max(stats.t.sf(-t_low, N - 1), stats.t.sf(t_high, N - 1)))
    assert found.turning_point == pytest.approx(-fit.coef[0] / (2 * fit.coef[1]))
    for end in (found.ci_low, found.ci_high):
        g = np.array([1.0, 2 * end])
        assert abs(g @ fit.coef) / np.sqrt(g @ fit.vcov @ g) == pytest.approx(stats.t.ppf(0.975, N - 1))


def test_an_inverse_u_is_a_u_turned_over() -> None:
    fit = econ.feols(panel(), "y ~ x + I(x^2) | unit")
    over = econ.feols(panel().assign(y=lambda f: -f["y"]), "y ~ x + I(x^2) | unit")
    first, second = u_test(fit, "x", panel()), u_test(over, "x", panel())
    assert second.shape == "inverse_u"
    assert second.p_value == pytest.approx(first.p_value)
    assert second.turning_point == pytest.approx(first.turning_point)


def test_a_turning_point_outside_the_data_is_no_u() -> None:
    fit = econ.feols(panel(), "y ~ x + I(x^2) | unit")
    found = u_test(fit, "x", [1.0, 3.0])
    assert found.p_value > 0.5
    assert any("outside" in note["en"] for note in found.notes)


def test_a_square_without_significance_has_an_unbounded_interval() -> None:
    found = u_test(econ.feols(panel(0.0), "y ~ x + I(x^2) | unit"), "x", panel())
    assert np.isinf(found.ci_low)
    assert any("unbounded" in note["en"] for note in found.notes)


def test_u_test_wants_a_quadratic() -> None:
    for formula in ("y ~ x | unit", "y ~ x + I(x^2) + x:d | unit", "y ~ x + I(x^2) + I(x^3) | unit"):
        with pytest.raises(ModelError, match="no quadratic in 'x'"):
            u_test(econ.feols(panel(), formula), "x", panel())


# ---- groups


def test_slopes_by_group_are_those_of_subsamples() -> None:
    found = heterogeneity(panel(), "y ~ x + z | unit + year", by="group")
    for group in "abc":
        part = econ.feols(panel().where(lambda f, g=group: f["group"] == g), "y ~ x + z | unit + year")
        np.testing.assert_allclose(
            [found.params[f"{term}:group::{group}"] for term in ("x", "z")], part.coef, rtol=1e-9
        )


def test_equality_is_a_wald_test_over_all_groups() -> None:
    found = heterogeneity(panel(), "y ~ x + z | unit", by="group", terms=["x"])
    assert "z" in found.terms
    by_hand = found.wald("x:group::a = x:group::b = x:group::c")
    assert found.test("equal: x").statistic == pytest.approx(by_hand.statistic)
    assert found.test("equal: x").dof == (2.0, N - 1.0)


def test_without_effects_each_group_has_its_constant() -> None:
    found = heterogeneity(panel(), "y ~ x", by="group")
    part = econ.feols(panel().where(lambda f: f["group"] == "b"), "y ~ x")
    assert found.params["x:group::b"] == pytest.approx(part.params["x"])


def test_groups_that_change_within_units_have_constants() -> None:
    moving = panel().assign(group=lambda f: np.where(f["year"] > 3, "late", "early"))
    found = heterogeneity(moving, "y ~ x | unit", by="group", terms=["x"])
    assert found.spec["fixed_effects"] == ["unit", "group"]
    assert heterogeneity(panel(), "y ~ x | unit", by="group", terms=["x"]).spec["fixed_effects"] == ["unit"]


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"by": "nowhere"}, FormulaError, "nowhere"),
        ({"by": "group", "terms": ["q"]}, OptionError, "'q'"),
        ({"by": "group", "terms": "x"}, OptionError, "list"),
    ],
)
def test_bad_groups_are_refused(options: dict[str, object], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        heterogeneity(panel(), "y ~ x | unit", **options)  # type: ignore[arg-type]


def test_one_group_has_nothing_to_compare() -> None:
    with pytest.raises(ModelError, match="nothing to compare"):
        heterogeneity(panel().assign(group="a"), "y ~ x | unit", by="group")
