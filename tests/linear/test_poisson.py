"""Poisson with absorbed effects against Newton's method on dense dummies, and separation against what must be found."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.special import gammaln

from econ.design.absorb import Absorber, Effect
from econ.errors import ModelError
from econ.linear.fit import FloatArray
from econ.linear.poisson import fit_poisson


def make_effect(name: str, values: FloatArray) -> Effect:
    found, codes = np.unique(values, return_inverse=True)
    return Effect(name, codes.astype(np.intp), len(found))


def newton(y: FloatArray, Z: FloatArray, weights: FloatArray, offset: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Coefficients and covariance ``(Z'WZ)^-`` by plain Newton steps with a pseudo-inverse."""
    eta = np.log((y + y.mean()) / 2)
    for _ in range(60):
        mu = np.exp(eta)
        hessian = np.linalg.pinv(Z.T @ ((weights * mu)[:, None] * Z), rcond=1e-12, hermitian=True)
        coef = hessian @ (Z.T @ (weights * mu * (eta - offset + (y - mu) / mu)))
        eta = offset + Z @ coef
    return coef, hessian


def panel(seed: int, n_units: int = 25, n_periods: int = 6) -> tuple[FloatArray, FloatArray, list[Effect]]:
    rng = np.random.default_rng(seed)
    unit, time = np.repeat(np.arange(n_units), n_periods), np.tile(np.arange(n_periods), n_units)
    X = rng.normal(size=(len(unit), 2)) + rng.normal(size=n_units)[unit][:, None]
    index = X @ np.array([0.4, -0.2]) + rng.normal(size=n_units)[unit] + 0.1 * time + 1
    y = rng.poisson(np.exp(index)).astype(float)
    zero = np.bincount(unit, y)[unit] == 0
    keep = rng.permutation(np.flatnonzero(~zero & (rng.random(len(unit)) < 0.9)))
    keep = keep[np.bincount(unit[keep], y[keep])[unit[keep]] > 0]
    return y[keep], X[keep], [make_effect("unit", unit[keep]), make_effect("time", time[keep])]


def with_dummies(X: FloatArray, effects: list[Effect]) -> FloatArray:
    return np.hstack([X, *(np.eye(effect.n_levels)[effect.codes] for effect in effects)])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shifted", [False, True])
@pytest.mark.parametrize("n_effects", [0, 1, 2])
def test_same_as_newton_on_dense_dummies(n_effects: int, weighted: bool, shifted: bool) -> None:
    y, X, effects = panel(1)
    effects = effects[:n_effects]
    rng = np.random.default_rng(2)
    X = X if effects else np.column_stack((np.ones(len(y)), X))
    weights = rng.uniform(0.5, 2, len(y)) if weighted else None
    offset = rng.normal(size=len(y)) / 2 if shifted else None
    w, o = (np.ones(len(y)) if weights is None else weights), (np.zeros(len(y)) if offset is None else offset)
    Z = with_dummies(X, effects)
    coef, covariance = newton(y, Z, w, o)
    found = fit_poisson(y, X, Absorber(effects, weights), ("a", "b", "c")[: X.shape[1]], offset)
    k = X.shape[1]
    mu = np.exp(o + Z @ coef)
    np.testing.assert_allclose(found.fit.coef, coef[:k], rtol=1e-8)
    np.testing.assert_allclose(found.fit.bread, covariance[:k, :k], rtol=1e-5)
    np.testing.assert_allclose(found.mu, mu, rtol=1e-5)
    np.testing.assert_allclose(found.loglik, w @ (y * np.log(mu) - mu - gammaln(y + 1)), rtol=1e-10)
    np.testing.assert_allclose(found.fit.residuals, (y - found.mu) / found.mu)
    np.testing.assert_allclose(found.fit.weights, w * found.mu)
    np.testing.assert_allclose(found.fit.X.T @ found.fit.weighted_residuals, 0, atol=1e-3)
    assert not found.separated.any()
    assert 0 < found.r2_pseudo < 1


def test_no_regressors_is_a_fit_of_the_effects() -> None:
    y, _, effects = panel(3)
    found = fit_poisson(y, np.zeros((len(y), 0)), Absorber(effects), ())
    for effect in effects:  # each level's fitted total is its observed total
        np.testing.assert_allclose(np.bincount(effect.codes, found.mu), np.bincount(effect.codes, y), rtol=1e-5)
    assert found.fit.coef.shape == (0,)


def test_a_constant_only_has_the_mean() -> None:
    y = np.array([0.0, 1.0, 2.0, 5.0])
    found = fit_poisson(y, np.ones((4, 1)), Absorber([]), ("constant",))
    np.testing.assert_allclose(found.fit.coef, np.log(2.0))
    assert found.r2_pseudo == pytest.approx(0, abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 1e6))
def test_the_unit_of_measure_and_the_order_of_rows_do_not_matter(seed: int, factor: float) -> None:
    y, X, effects = panel(seed)
    base = fit_poisson(y, X, Absorber(effects), ("a", "b"))
    scaled = fit_poisson(factor * y, X, Absorber(effects), ("a", "b"))
    np.testing.assert_allclose(scaled.fit.coef, base.fit.coef, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(scaled.mu, factor * base.mu, rtol=1e-4)
    rows = np.random.default_rng(seed).permutation(len(y))
    shuffled = [Effect(e.name, e.codes[rows], e.n_levels) for e in effects]
    np.testing.assert_allclose(
        fit_poisson(y[rows], X[rows], Absorber(shuffled), ("a", "b")).fit.coef, base.fit.coef, rtol=1e-7, atol=1e-9
    )


def test_a_group_of_zeros_is_separated() -> None:
    y, X, effects = panel(5)
    y = np.where(effects[0].codes == 3, 0.0, y)
    found = fit_poisson(y, X, Absorber(effects), ("a", "b"))
    np.testing.assert_array_equal(found.separated, effects[0].codes == 3)


def test_a_regressor_positive_only_at_zeros_separates_them() -> None:
    """Correia, Guimaraes and Zylkin (2019), section 2: y is zero wherever the regressor is not."""
    y, X, effects = panel(6)
    at_zero = (y == 0) & (np.random.default_rng(7).random(len(y)) < 0.4)
    assert at_zero.any()
    trap = np.where(at_zero, np.random.default_rng(8).uniform(1, 2, len(y)), 0.0)
    found = fit_poisson(y, np.column_stack((X, trap)), Absorber(effects), ("a", "b", "trap"))
    np.testing.assert_array_equal(found.separated, at_zero)


def test_separation_by_a_combination_of_regressors_and_effects() -> None:
    y, X, effects = panel(9)
    at_zero = (y == 0) & (np.random.default_rng(10).random(len(y)) < 0.4)
    hidden = np.where(at_zero, 1.0, 0.0) + 3 * X[:, 0] + effects[0].codes - 2.0 * effects[1].codes
    found = fit_poisson(y, np.column_stack((X, hidden)), Absorber(effects), ("a", "b", "hidden"))
    np.testing.assert_array_equal(found.separated, at_zero)


def separated_by_linear_programming(y: FloatArray, Z: FloatArray) -> FloatArray:
    """Largest set of zeros on which some ``Z g >= 0`` is positive, with ``Z g = 0`` wherever y > 0."""
    zeros = Z[y == 0]
    found = linprog(
        -np.append(np.zeros(Z.shape[1]), np.ones(len(zeros))),  # z = zeros @ g up to one, as many positive as possible
        A_ub=np.hstack([-zeros, np.eye(len(zeros))]),
        b_ub=np.zeros(len(zeros)),
        A_eq=np.hstack([Z[y > 0], np.zeros((int((y > 0).sum()), len(zeros)))]),
        b_eq=np.zeros(int((y > 0).sum())),
        bounds=[(None, None)] * Z.shape[1] + [(0, 1)] * len(zeros),
    )
    out = np.zeros(len(y), dtype=bool)
    out[y == 0] = found.x[Z.shape[1] :] > 0.5
    return out


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_separated_rows_are_those_of_the_linear_programme(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 24
    effects = [make_effect("a", rng.integers(0, 5, n)), make_effect("b", rng.integers(0, 3, n))]
    X = rng.integers(0, 2, (n, 2)).astype(float)
    y = rng.poisson(0.7, n).astype(float) + (np.arange(n) == 0)
    left = Absorber(effects).residualize(X)
    if np.linalg.matrix_rank(left, tol=1e-8) < 2:
        X = np.zeros((n, 0))
    found = fit_poisson(y, X, Absorber(effects), ("p", "q")[: X.shape[1]])
    np.testing.assert_array_equal(found.separated, separated_by_linear_programming(y, with_dummies(X, effects)))


def test_small_means_are_not_separation() -> None:
    rng = np.random.default_rng(11)
    x = np.linspace(-25, 2, 400)
    y = rng.poisson(np.exp(x)).astype(float)
    found = fit_poisson(y, np.column_stack((np.ones(400), x)), Absorber([]), ("constant", "x"))
    assert not found.separated.any()
    np.testing.assert_allclose(found.fit.coef[1], 1, atol=0.3)


def test_messages() -> None:
    y, X, effects = panel(12)
    with pytest.raises(ModelError, match="did not converge in 2 rounds"):
        fit_poisson(y, X, Absorber(effects), ("a", "b"), max_iter=2)
    twice = np.column_stack((X, X[:, 0] + effects[1].codes))
    with pytest.raises(ModelError, match=r"copy cannot be told apart|collinear"):
        fit_poisson(y, twice, Absorber(effects), ("a", "b", "copy"))
