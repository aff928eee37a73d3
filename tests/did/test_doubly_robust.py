"""Two groups in two periods with covariates: estimates by definition, influences as derivatives, and no overlap."""

import numpy as np
import pytest
import statsmodels.api as sm
from cells_by_definition import influences
from scipy.optimize import root

from econ.did.doubly_robust import Att, panel_att, repeated_att
from econ.linear.fit import BoolArray, FloatArray
from econ.options import AttMethod

METHODS: tuple[AttMethod, ...] = ("dr", "dr_improved", "ipw", "reg")
Sample = tuple[FloatArray, BoolArray, FloatArray, FloatArray, BoolArray]


def sample(n: int = 120, seed: int = 0) -> Sample:
    """Outcomes (n, 2), treated, covariates (n, 2), weights, and a flag of the later period."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2)) * [1, 30] + [10, -400]
    treated = rng.random(n) < 1 / (1 + np.exp(-0.6 * (x[:, 0] - 10) + 0.4))
    y = np.column_stack([x @ [1.0, 0.02] + treated, (x[:, 0] - 9) ** 2]) + rng.normal(size=(n, 2))
    return y, treated, x, rng.uniform(0.5, 2.0, n), rng.random(n) < 0.5


def att(found: object) -> Att:
    assert isinstance(found, Att)
    return found


def with_constant(x: FloatArray) -> FloatArray:
    return np.column_stack([np.ones(len(x)), x])


def odds(treated: BoolArray, x: FloatArray, w: FloatArray) -> FloatArray:
    X = with_constant((x - x.mean(axis=0)) / x.std(axis=0))
    p = sm.GLM(treated.astype(float), X, family=sm.families.Binomial(), freq_weights=w).fit(tol=1e-14).fittedvalues
    return np.asarray(w * p / (1 - p) * ~treated)


def balancing_odds(treated: BoolArray, x: FloatArray, w: FloatArray) -> FloatArray:
    X = with_constant((x - x.mean(axis=0)) / x.std(axis=0))

    def gap(gamma: FloatArray) -> FloatArray:
        return np.asarray(X.T @ (w * (treated - ~treated * np.exp(X @ gamma))))

    return np.asarray(w * ~treated * np.exp(X @ root(gap, np.zeros(3), tol=1e-13).x))


def line(y: FloatArray, x: FloatArray, w: FloatArray) -> FloatArray:
    """Fitted values of weighted least squares, for every row."""
    X, r = with_constant(x), np.sqrt(w)
    return np.asarray(X @ np.linalg.lstsq(X * r[:, None], y * r, rcond=None)[0])


# ---- panels


def test_panel_regression_is_that_of_the_controls() -> None:
    y, D, x, w, _ = sample()
    expected = np.average((y[:, 0] - line(y[:, 0], x, w * ~D))[D], weights=w[D])
    assert att(panel_att(y, D, x, w, "reg")).att[0] == pytest.approx(expected, rel=1e-9)


def test_panel_weighting_takes_the_odds_of_the_logit() -> None:
    y, D, x, w, _ = sample()
    expected = np.average(y[D], axis=0, weights=w[D]) - np.average(y, axis=0, weights=odds(D, x, w))
    np.testing.assert_allclose(att(panel_att(y, D, x, w, "ipw")).att, expected, rtol=1e-8)


@pytest.mark.parametrize("method", ["dr", "dr_improved"])
def test_panel_doubly_robust_weighs_residuals(method: AttMethod) -> None:
    y, D, x, w, _ = sample()
    c = odds(D, x, w) if method == "dr" else balancing_odds(D, x, w)
    residual = y[:, 1] - line(y[:, 1], x, w * ~D if method == "dr" else c)
    expected = np.average(residual[D], weights=w[D]) - np.average(residual, weights=c)
    assert att(panel_att(y, D, x, w, method)).att[1] == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("method", METHODS)
def test_panel_influences_are_derivatives(method: AttMethod) -> None:
    y, D, x, w, _ = sample()
    expected = influences(lambda weight: att(panel_att(y, D, x, weight, method)).att, w)
    np.testing.assert_allclose(att(panel_att(y, D, x, w, method)).influence, expected, atol=1e-7)


def test_outcomes_are_estimated_together_as_one_by_one() -> None:
    y, D, x, w, _ = sample()
    for method in METHODS:
        together = att(panel_att(y, D, x, w, method))
        for k in range(2):
            alone = att(panel_att(y[:, [k]], D, x, w, method))
            np.testing.assert_allclose(together.influence[:, k], alone.influence[:, 0], atol=1e-13)


@pytest.mark.parametrize("method", METHODS)
def test_units_of_measure_of_covariates_do_not_matter(method: AttMethod) -> None:
    y, D, x, w, later = sample()
    moved = (x @ [[1.0, 0.3], [-0.2, 1.0]]) * [1e-3, 1e4] + [7.0, 2e6]
    np.testing.assert_allclose(
        att(panel_att(y, D, moved, w, method)).influence, att(panel_att(y, D, x, w, method)).influence, atol=1e-9
    )
    repeated = [att(repeated_att(y[:, 0], later, D, z, w, method)).influence for z in (x, moved)]
    np.testing.assert_allclose(*repeated, atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_the_size_of_weights_does_not_matter(method: AttMethod) -> None:
    y, D, x, w, _ = sample()
    a, b = (att(panel_att(y, D, x, scale * w, method)) for scale in (1.0, 1000.0))
    np.testing.assert_allclose(a.influence, b.influence, atol=1e-11)


def test_doubly_robust_is_right_when_either_model_is() -> None:
    rng = np.random.default_rng(4)
    n = 100_000
    z = rng.normal(size=n)
    for wrong in ("propensity", "regression"):
        index = 0.7 * z if wrong == "regression" else 0.5 * (z**2 - 1)
        trend = np.exp(z / 2) if wrong == "regression" else z
        D = rng.random(n) < 1 / (1 + np.exp(-index))
        y = (trend + 0.5 * D + 0.3 * rng.normal(size=n))[:, None]
        for method in ("dr", "dr_improved"):
            found = att(panel_att(y, D, z[:, None], np.ones(n), method))  # type: ignore[arg-type]
            assert abs(found.att[0] - 0.5) < 4 * np.linalg.norm(found.influence)


# ---- repeated cross-sections


def test_repeated_regression_compares_two_lines_over_the_treated() -> None:
    y, D, x, w, later = sample()
    lines = [line(y[:, 0], x, w * ~D * s) for s in (later, ~later)]
    expected = np.average((lines[1] - lines[0])[D], weights=w[D])
    expected += np.average(y[D & later, 0], weights=w[D & later]) - np.average(y[D & ~later, 0], weights=w[D & ~later])
    assert att(repeated_att(y[:, 0], later, D, x, w, "reg")).att[0] == pytest.approx(expected, rel=1e-9)


def test_repeated_weighting_has_one_logit_for_both_samples() -> None:
    y, D, x, w, later = sample()
    c, expected = odds(D, x, w), 0.0
    for sign, s in ((1, later), (-1, ~later)):
        expected += sign * (np.average(y[:, 0], weights=w * D * s) - np.average(y[:, 0], weights=c * s))
    assert att(repeated_att(y[:, 0], later, D, x, w, "ipw")).att[0] == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("method", ["dr", "dr_improved"])
def test_repeated_doubly_robust_is_the_locally_efficient_one(method: AttMethod) -> None:
    y, D, x, w, later = sample()
    c, expected = (odds if method == "dr" else balancing_odds)(D, x, w), 0.0
    for sign, s in ((1, later), (-1, ~later)):
        control = line(y[:, 0], x, (w * ~D if method == "dr" else c) * s)
        treated = line(y[:, 0], x, w * D * s)
        residual = y[:, 0] - control
        level = np.average(residual, weights=w * D * s) - np.average(residual, weights=c * s)
        level += np.average(treated - control, weights=w * D) - np.average(treated - control, weights=w * D * s)
        expected += sign * level
    assert att(repeated_att(y[:, 0], later, D, x, w, method)).att[0] == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("method", ["dr", "ipw", "reg"])
def test_repeated_influences_are_derivatives(method: AttMethod) -> None:
    y, D, x, w, later = sample()
    expected = influences(lambda weight: att(repeated_att(y[:, 0], later, D, x, weight, method)).att, w)
    np.testing.assert_allclose(att(repeated_att(y[:, 0], later, D, x, w, method)).influence, expected, atol=1e-7)


def test_repeated_improved_influences_are_derivatives_in_large_samples() -> None:
    gaps = []
    for n in (200, 5000):
        y, D, x, w, later = sample(n)

        def estimate(weight: FloatArray, y: FloatArray = y[:, 0], rows: tuple = (later, D, x)) -> FloatArray:
            return att(repeated_att(y, *rows, weight, "dr_improved")).att

        derivative = influences(estimate, w, units=100)
        found = att(repeated_att(y[:, 0], later, D, x, w, "dr_improved")).influence[:100]
        gaps.append(np.linalg.norm(found - derivative) / np.linalg.norm(derivative))
    assert gaps[1] < gaps[0] / 3


# ---- where there is no estimate


@pytest.mark.parametrize("method", METHODS)
def test_a_constant_or_repeated_covariate_is_collinear(method: AttMethod) -> None:
    y, D, x, w, later = sample()
    for bad in (np.column_stack([x, np.full(len(x), 3.0)]), np.column_stack([x, x @ [1.0, 2.0] + 5])):
        assert panel_att(y, D, bad, w, method) == "collinear"
        assert repeated_att(y[:, 0], later, D, bad, w, method) == "collinear"


@pytest.mark.parametrize("method", ["dr", "dr_improved", "ipw"])
def test_a_covariate_that_predicts_treatment_leaves_no_overlap(method: AttMethod) -> None:
    y, D, x, w, later = sample()
    for apart in (5.0, 1000.0):
        bad = x + apart * 30 * np.outer(D, [1.0, 0.0])
        assert panel_att(y, D, bad, w, method) == "overlap"
        assert repeated_att(y[:, 0], later, D, bad, w, method) == "overlap"


def test_more_covariates_than_controls_are_collinear() -> None:
    y, D, x, w, _ = sample()
    few = D | (np.cumsum(~D) <= 2)
    for method in ("reg", "dr"):
        assert panel_att(y[few], D[few], x[few], w[few], method) in ("collinear", "overlap")  # type: ignore[arg-type]
    assert panel_att(y[few], D[few], x[few], w[few], "reg") == "collinear"


def test_controls_that_no_treated_unit_resembles_get_no_weight() -> None:
    y, D, x, w, _ = sample()
    alien = ~D & (np.cumsum(~D) % 3 == 0)
    marked = att(panel_att(y, D, np.column_stack([x, alien]), w, "ipw"))
    without = att(panel_att(y[~alien], D[~alien], x[~alien], w[~alien], "ipw"))
    np.testing.assert_allclose(marked.att, without.att, rtol=1e-9)
    np.testing.assert_allclose(marked.influence[~alien], without.influence, atol=1e-9)


def test_controls_with_a_propensity_of_995_are_trimmed() -> None:
    rng = np.random.default_rng(0)
    D = np.arange(200) % 3 == 0
    x = (rng.normal(size=200).clip(-1.5, 1.5) + 2 * D)[:, None]
    x[1], w, y = 3.9, np.ones(200), rng.normal(size=(200, 1))
    p = odds(D, x, w)
    assert p[1] > 0.995 / 0.005
    found = att(panel_att(y, D, x, w, "ipw"))
    assert found.trimmed == 1
    p[1] = 0.0
    np.testing.assert_allclose(found.att, y[D].mean(axis=0) - np.average(y, axis=0, weights=p), rtol=1e-8)
