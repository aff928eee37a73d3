"""Which regressors can be told apart: a rank-revealing check on what is left of them after partialling out."""

from dataclasses import dataclass

import numpy as np

from econ.linear.fit import BoolArray, FloatArray

TOLERANCE = 1e-9  # share of a column's own variation; fixest's collin.tol
_ROUNDING = 1e-14  # what summation error can leave of a Gram matrix's diagonal
_EXACT = 1e-12  # size, relative to the column, of what rounding can leave of a column that is partialled out
_CHUNK = 32_768


@dataclass(frozen=True, eq=False)
class Independence:
    """``keep`` (K,): columns to estimate with; ``absorbed`` (K,): columns that partialling out left nothing of."""

    keep: BoolArray
    absorbed: BoolArray


def independent_columns(
    gram: FloatArray, variation: FloatArray, magnitude: FloatArray, tolerance: float = TOLERANCE
) -> Independence:
    r"""Keep each column that the columns before it do not span.

    Cholesky factorisation of the Gram matrix in the columns' order: column j is dropped when its squared residual on
    the columns kept before it is below ``tolerance`` times its variation before partialling out, so of a collinear
    set the last goes.

    .. math:: g_{jj} - \sum_{k<j} l_{jk}^2 \le \max(\text{tol} \cdot v_j, \text{rounding})

    Parameters
    ----------
    gram : (K, K), ``X' W X`` after partialling out
    variation : (K,), weighted sum of squares about the mean before partialling out (about zero for a constant)
    magnitude : (K,), weighted sum of squares about zero before partialling out
    """
    diagonal = np.diag(gram)
    floor = np.maximum(tolerance * variation, _EXACT**2 * magnitude)
    absorbed = diagonal <= floor
    keep = ~absorbed
    factor = np.zeros_like(gram)
    for j in range(len(gram)):
        left = diagonal[j] - factor[j, :j] @ factor[j, :j]
        if absorbed[j] or left <= max(floor[j], _ROUNDING * diagonal[j]):
            keep[j] = False
            continue
        factor[j, j] = np.sqrt(left)
        below = slice(j + 1, None)
        factor[below, j] = (gram[below, j] - factor[below, :j] @ factor[j, :j]) / factor[j, j]
    return Independence(keep, absorbed)


def cross_products(X: FloatArray, Y: FloatArray, weights: FloatArray | None = None) -> FloatArray:
    """``X' W Y`` for X (N, K) and Y (N, L); weighted in chunks, so that no weighted copy of the data is made."""
    if weights is None:
        return np.asarray(X.T @ Y)
    total = np.zeros((X.shape[1], Y.shape[1]))
    weighted = np.empty((min(_CHUNK, len(Y)), Y.shape[1]), order="F")
    for start in range(0, len(X), _CHUNK):
        rows = slice(start, start + _CHUNK)
        part = np.multiply(weights[rows, None], Y[rows], out=weighted[: min(_CHUNK, len(Y) - start)])
        total += X[rows].T @ part
    return total


def moments(X: FloatArray, weights: FloatArray | None = None) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Weighted mean of each column of X (N, K), and its weighted sums of squares about the mean and about zero.

    Chunks of rows are combined as in Chan, Golub and LeVeque (1983), so that large means cost no digits.
    """
    total, means, about_mean = 0.0, np.zeros(X.shape[1]), np.zeros(X.shape[1])
    centred, weighted = np.empty((2, min(_CHUNK, len(X))))
    for start in range(0, len(X), _CHUNK):
        rows = slice(start, start + _CHUNK)
        w = None if weights is None else weights[rows]
        n_rows = min(_CHUNK, len(X) - start)
        size = float(n_rows if w is None else w.sum())
        for j in range(X.shape[1]):
            x = X[rows, j]
            mean = (x.sum() if w is None else _dot(w, x)) / size
            e = np.subtract(x, mean, out=centred[:n_rows])
            we = e if w is None else np.multiply(w, e, out=weighted[:n_rows])
            step = mean - means[j]
            about_mean[j] += _dot(we, e) + step**2 * total * size / (total + size)
            means[j] += step * size / (total + size)
        total += size
    return means, about_mean, about_mean + total * means**2


def _dot(a: FloatArray, b: FloatArray) -> float:
    """Inner product without BLAS, whose threads cost more than they gain on short vectors."""
    return float(np.einsum("i,i->", a, b))
