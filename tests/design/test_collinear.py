"""Rank: what is kept, what is dropped, and at which scale."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from econ.design.collinear import cross_products, independent_columns, moments
from econ.linear.fit import FloatArray


def keep(X: FloatArray, weights: FloatArray | None = None) -> list[bool]:
    _, _, magnitude = moments(X, weights)
    return independent_columns(cross_products(X, X, weights), magnitude, magnitude).keep.tolist()


@pytest.fixture
def X() -> FloatArray:
    return np.random.default_rng(1).normal(size=(200, 4))


def test_later_column_of_a_collinear_set_goes(X: FloatArray) -> None:
    X[:, 2] = X[:, 0] - 2 * X[:, 1]
    assert keep(X) == [True, True, False, True]
    assert keep(X[:, [2, 0, 1, 3]]) == [True, True, False, True]


@given(st.integers(0, 3), st.floats(-12, 12))
def test_scale_does_not_matter(column: int, exponent: float) -> None:
    X = np.random.default_rng(2).normal(size=(50, 4))
    X[:, 3] = X[:, 0] + X[:, 1]
    X[:, column] *= 10**exponent
    assert keep(X) == [True, True, True, False]


def test_near_collinearity(X: FloatArray) -> None:
    noise = np.random.default_rng(3).normal(size=200)
    X[:, 3] = X[:, 0] + 1e-3 * noise
    assert all(keep(X))
    X[:, 3] = X[:, 0] + 1e-6 * noise
    assert keep(X) == [True, True, True, False]


def test_absorbed_columns_are_told_from_collinear_ones(X: FloatArray) -> None:
    left = X.copy()
    left[:, 1] = 1e-7 * X[:, 1]
    left[:, 3] = X[:, 0]
    _, variation, magnitude = moments(X)
    found = independent_columns(cross_products(left, left), variation, magnitude)
    assert found.keep.tolist() == [True, False, True, False]
    assert found.absorbed.tolist() == [False, True, False, False]


def test_zero_column(X: FloatArray) -> None:
    X[:, 1] = 0.0
    assert keep(X) == [True, False, True, True]


def test_weighted_products_and_moments(X: FloatArray) -> None:
    X = np.tile(X, (400, 1)) + 1e6
    w = np.random.default_rng(4).random(len(X))
    np.testing.assert_allclose(cross_products(X, X[:, :2], w), X.T @ (w[:, None] * X[:, :2]), rtol=1e-12)
    means, about_mean, about_zero = moments(X, w)
    np.testing.assert_allclose(means, np.average(X, axis=0, weights=w), rtol=1e-13)
    np.testing.assert_allclose(about_mean, w @ (X - means) ** 2, rtol=1e-9)
    np.testing.assert_allclose(about_zero, w @ X**2, rtol=1e-12)
    _, unweighted, _ = moments(X)
    np.testing.assert_allclose(unweighted, X.var(axis=0) * len(X), rtol=1e-9)
