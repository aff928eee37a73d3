"""Least squares against numpy's, well and badly conditioned."""

import numpy as np
import pytest

from econ.errors import ModelError
from econ.linear.fit import FloatArray
from econ.linear.ols import fit_ols


@pytest.fixture
def data() -> tuple[FloatArray, FloatArray, FloatArray]:
    rng = np.random.default_rng(0)
    X = np.column_stack([np.ones(80), rng.normal(size=(80, 3))])
    return X @ np.array([1.0, 2.0, -1.0, 0.5]) + rng.normal(size=80), X, rng.random(80) + 0.1


def test_equals_lstsq(data: tuple[FloatArray, FloatArray, FloatArray]) -> None:
    y, X, _ = data
    fit = fit_ols(y, X)
    np.testing.assert_allclose(fit.coef, np.linalg.lstsq(X, y, rcond=None)[0], rtol=1e-13)
    np.testing.assert_allclose(fit.bread, np.linalg.inv(X.T @ X), rtol=1e-12)
    np.testing.assert_allclose(fit.residuals, y - X @ fit.coef, atol=1e-14)
    assert fit.weights is None and fit.X is X


def test_weights_are_duplicates(data: tuple[FloatArray, FloatArray, FloatArray]) -> None:
    y, X, _ = data
    times = np.arange(len(y)) % 4 + 1
    weighted, repeated = fit_ols(y, X, times.astype(float)), fit_ols(np.repeat(y, times), np.repeat(X, times, axis=0))
    np.testing.assert_allclose(weighted.coef, repeated.coef, rtol=1e-13)
    np.testing.assert_allclose(weighted.bread, repeated.bread, rtol=1e-13)


def test_weighted_normal_equations(data: tuple[FloatArray, FloatArray, FloatArray]) -> None:
    y, X, w = data
    fit = fit_ols(y, X, w)
    np.testing.assert_allclose(X.T @ fit.weighted_residuals, 0, atol=1e-12)


@pytest.mark.parametrize("shift", [1e3, 1e6, 1e9])
def test_large_means_cost_few_digits(shift: float) -> None:
    """The slope and its bread do not move when a regressor is shifted; X'X alone would lose all digits at 1e9."""
    rng = np.random.default_rng(5)
    x, e = rng.integers(-50, 50, 200).astype(float), rng.normal(size=200)
    y = 2 * x + e
    X = np.column_stack([np.ones(200), x])
    shifted = np.column_stack([np.ones(200), x + shift])
    near, far = fit_ols(y, X), fit_ols(y, shifted)
    assert far.coef[1] == pytest.approx(near.coef[1], rel=1e-12 * max(shift / 1e5, 1))
    assert far.bread[1, 1] == pytest.approx(near.bread[1, 1], rel=1e-12 * max(shift / 1e3, 1))


@pytest.mark.parametrize("exponent", [-200, -100, 100])
def test_units_of_measure_do_not_matter(exponent: int, data: tuple[FloatArray, FloatArray, FloatArray]) -> None:
    y, X, _ = data
    scale = np.array([1.0, 10.0 ** (exponent / 2), 1.0, 1e3])
    np.testing.assert_allclose(fit_ols(y, X * scale).coef * scale, fit_ols(y, X).coef, rtol=1e-12)


def test_collinear_columns_are_refused(data: tuple[FloatArray, FloatArray, FloatArray]) -> None:
    y, X, _ = data
    with pytest.raises(ModelError, match="collinear"):
        fit_ols(y, np.column_stack([X, X[:, 1] + X[:, 2]]))
    with pytest.raises(ModelError, match="zero in every row"):
        fit_ols(y, np.column_stack([X, np.zeros(len(y))]))
