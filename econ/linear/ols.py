"""Ordinary and weighted least squares on arrays."""

import numpy as np
from scipy.linalg import cho_factor, cho_solve, qr, solve_triangular

from econ.design.collinear import cross_products
from econ.errors import ModelError
from econ.linear.fit import FloatArray, LinearFit

_WELL_CONDITIONED = 1e-8  # reciprocal condition of X'WX down to which normal equations keep half the digits


def fit_ols(y: FloatArray, X: FloatArray, weights: FloatArray | None = None) -> LinearFit:
    r"""Least squares of y on X.

    .. math:: \hat\beta = (X'WX)^{-1} X'Wy

    by Cholesky of ``X'WX`` in units in which every column has length one; when that is ill conditioned by QR of
    ``W^{1/2} X``. One step of refinement on the residuals follows either way. Fixed effects are taken out beforehand
    (Frisch-Waugh-Lovell).

    Parameters
    ----------
    y : (N,)
    X : (N, K) of full column rank
    weights : (N,) positive, or None

    Examples
    --------
    >>> X = np.column_stack((np.ones(4), [0.0, 1.0, 2.0, 3.0]))
    >>> fit_ols(np.array([1.0, 3.0, 5.0, 7.0]), X).coef.round(12)
    array([1., 2.])
    """
    gram = cross_products(X, X, weights)
    scale = np.sqrt(np.diag(gram))
    if not (scale > 0).all():
        raise ModelError("A regressor is zero in every row of the sample; leave it out.")
    factor = _triangular(gram / np.outer(scale, scale), X, scale, weights)
    coef = _solve(factor, cross_products(X, y[:, None], weights)[:, 0], scale)
    coef = coef + _solve(factor, cross_products(X, (y - X @ coef)[:, None], weights)[:, 0], scale)
    bread = cho_solve((factor, False), np.eye(len(scale))) / np.outer(scale, scale)
    return LinearFit(coef, (bread + bread.T) / 2, X, y - X @ coef, weights)


def _triangular(correlation: FloatArray, X: FloatArray, scale: FloatArray, weights: FloatArray | None) -> FloatArray:
    """Upper triangular R (K, K) with ``R'R = X'WX`` in units of ``scale``."""
    smallest = np.linalg.eigvalsh(correlation)[0]
    if smallest > _WELL_CONDITIONED:
        return np.asarray(cho_factor(correlation)[0])
    root = X / scale if weights is None else X / scale * np.sqrt(weights)[:, None]
    factor = np.asarray(qr(root, mode="r", overwrite_a=True, check_finite=False)[0])[: len(scale)]
    if np.abs(np.diag(factor)).min() < 1e-13:
        raise ModelError("The regressors are perfectly collinear; leave one of them out.")
    return np.asarray(factor, dtype=np.float64)


def _solve(factor: FloatArray, right: FloatArray, scale: FloatArray) -> FloatArray:
    half = solve_triangular(factor, right / scale, trans="T")
    return np.asarray(solve_triangular(factor, half)) / scale
