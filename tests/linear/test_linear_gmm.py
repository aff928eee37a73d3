"""Linear GMM on arrays against the textbook formula."""

import numpy as np
import pytest
from scipy import sparse

from econ.errors import ModelError
from econ.linear.gmm import cross, fit_gmm, inverse_root, unit_moments


def spd(L: int, seed: int = 0) -> np.ndarray:
    A = np.random.default_rng(seed).normal(size=(L, 2 * L))
    scale = np.geomspace(1, 1e6, L)
    return (A @ A.T) * np.outer(scale, scale)


def test_fit_is_the_textbook_formula() -> None:
    rng = np.random.default_rng(1)
    ZX, Zy, W = rng.normal(size=(6, 2)), rng.normal(size=6), spd(6)
    found = fit_gmm(ZX, Zy, inverse_root(W))
    A = np.linalg.inv(W)
    bread = np.linalg.inv(ZX.T @ A @ ZX)
    np.testing.assert_allclose(found.coef, bread @ ZX.T @ A @ Zy, rtol=1e-8)
    np.testing.assert_allclose(found.bread, bread, rtol=1e-8)
    np.testing.assert_allclose(found.projection, bread @ ZX.T @ A, rtol=1e-7)
    assert found.distance(Zy) == pytest.approx(Zy @ A @ Zy, rel=1e-8)


def test_root_of_a_singular_matrix_is_that_of_the_generalised_inverse_of_its_correlations() -> None:
    rng = np.random.default_rng(2)
    half = rng.normal(size=(5, 3)) * np.geomspace(1, 1e4, 5)[:, None]
    W = half @ half.T
    d = np.sqrt(np.diag(W))
    expected = np.linalg.pinv(W / np.outer(d, d), rcond=1e-8) / np.outer(d, d)
    root = inverse_root(W)
    assert root.rank == 3
    np.testing.assert_allclose(root.adjoint(root.apply(np.eye(5))), expected, rtol=1e-6)


def test_a_moment_that_is_always_zero_is_no_information() -> None:
    root = inverse_root(np.diag([4.0, 0.0]))
    assert root.rank == 1
    np.testing.assert_allclose(root.adjoint(root.apply(np.eye(2))), np.diag([0.25, 0.0]), atol=1e-15)


def test_collinear_derivatives_are_refused() -> None:
    with pytest.raises(ModelError, match="do not identify the 2 coefficients"):
        fit_gmm(np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]]), np.ones(3), inverse_root(np.eye(3)))


def test_fewer_moments_than_coefficients_are_refused() -> None:
    with pytest.raises(ModelError, match="1 moment conditions, of which 1"):
        fit_gmm(np.ones((1, 2)), np.ones(1), inverse_root(np.eye(1)))


def test_sparse_and_dense_instruments_give_the_same_moments() -> None:
    rng = np.random.default_rng(3)
    Z, u, unit = rng.normal(size=(9, 4)) * (rng.random((9, 4)) > 0.5), rng.normal(size=9), np.repeat([2, 0, 1], 3)
    by_hand = np.array([Z[unit == i].T @ u[unit == i] for i in range(3)])
    for form in (Z, sparse.csr_array(Z)):
        np.testing.assert_allclose(unit_moments(form, u, unit, 3), by_hand, rtol=1e-12)
        np.testing.assert_allclose(cross(form, form), Z.T @ Z, rtol=1e-12)
