"""Linear GMM on arrays: moments that add up over units, a weight matrix, the estimate.

Notation: m rows, ``y`` (m,), ``X`` (m, K), instruments ``Z`` (m, L), dense or sparse; each row belongs to a unit. The
moments of unit i are ``g_i(b) = Z_i'(y_i - X_i b)``; ``W`` (L, L) is an estimate of their covariance, up to scale, and
the estimate minimises ``g'W^-1 g``, ``g = sum_i g_i``. Nothing here is larger than units x instruments.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.linalg import solve_triangular

from econ.errors import ModelError
from econ.linear.fit import FloatArray, IntArray

SINGULAR = 1e-10  # smallest eigenvalue, of a weight matrix with unit diagonal, that counts as more than rounding
_UNIDENTIFIED = 1e-7  # smallest singular value of the weighted moments' derivatives, columns of length one

Instruments = sparse.csr_array | FloatArray


@dataclass(frozen=True, eq=False)
class InverseRoot:
    """R (r, L) with ``R'R`` the inverse of a matrix, or its generalised inverse of rank r, kept as factors.

    ``scale`` (L,): units in which the matrix has a unit diagonal. In them ``factor`` is its Cholesky factor (L, L); or,
    where it is singular, ``spectral`` (L, r) are its eigenvectors over the roots of their eigenvalues, and ``factor``
    is empty.
    """

    scale: FloatArray
    factor: FloatArray
    spectral: FloatArray | None = None

    @property
    def rank(self) -> int:
        """r."""
        return len(self.scale) if self.spectral is None else self.spectral.shape[1]

    def apply(self, v: FloatArray) -> FloatArray:
        """``R v`` of v (L,) or (L, k)."""
        scaled = (v.T / self.scale).T
        if self.spectral is not None:
            return np.asarray(self.spectral.T @ scaled)
        return np.asarray(solve_triangular(self.factor, scaled, lower=True, check_finite=False))

    def adjoint(self, v: FloatArray) -> FloatArray:
        """``R'v`` of v (r,) or (r, k)."""
        if self.spectral is not None:
            return np.asarray(((self.spectral @ v).T / self.scale).T)
        half = np.asarray(solve_triangular(self.factor.T, v, lower=False, check_finite=False))
        return np.asarray((half.T / self.scale).T)


@dataclass(frozen=True, eq=False)
class GmmFit:
    """The estimate under one weight matrix.

    Attributes
    ----------
    coef : (K,)
    root : of the inverse of the weight matrix
    bread : (K, K), ``(X'Z W^-1 Z'X)^-1``
    projection : (K, L), ``bread X'Z W^-1``: how the moments at the truth move the estimate
    """

    coef: FloatArray
    root: InverseRoot
    bread: FloatArray
    projection: FloatArray

    def distance(self, g: FloatArray) -> float:
        """``g'W^-1 g`` of moments (L,)."""
        return float(np.sum(self.root.apply(g) ** 2))


def inverse_root(W: FloatArray) -> InverseRoot:
    """Root of ``W^-1``; of a singular W, of its Moore-Penrose inverse in units in which its diagonal is one.

    Those units make the result independent of the scale of any instrument.

    Examples
    --------
    >>> inverse_root(np.diag([4.0, 25.0])).apply(np.array([2.0, 5.0]))
    array([1., 1.])
    >>> inverse_root(np.ones((2, 2))).rank
    1
    """
    d = np.sqrt(np.diag(W).clip(min=0))
    d[d == 0] = 1.0
    C = W / np.outer(d, d)
    try:
        factor = np.linalg.cholesky(C)
    except np.linalg.LinAlgError:
        factor = np.zeros((1, 1))
    if np.diag(factor).min() ** 2 > SINGULAR * len(W):
        return InverseRoot(d, np.asarray(factor, dtype=np.float64))
    values, vectors = np.linalg.eigh(C)
    kept = values > SINGULAR
    return InverseRoot(d, np.empty((0, 0)), np.asarray(vectors[:, kept] / np.sqrt(values[kept]), dtype=np.float64))


def fit_gmm(ZX: FloatArray, Zy: FloatArray, root: InverseRoot) -> GmmFit:
    """Minimise ``(Z'y - Z'X b)' R'R (Z'y - Z'X b)`` over b.

    Parameters
    ----------
    ZX : (L, K);  Zy : (L,);  root : R

    Examples
    --------
    >>> fit_gmm(np.array([[1.0], [2.0]]), np.array([1.0, 2.0]), inverse_root(np.eye(2))).coef
    array([1.])
    """
    G = root.apply(ZX)
    length = np.sqrt(np.sum(G**2, axis=0))
    L, K = ZX.shape
    if root.rank < K or not (length > 0).all() or np.linalg.svd(G / length, compute_uv=False)[-1] < _UNIDENTIFIED:
        raise ModelError(
            f"The instruments do not identify the {K} coefficients (period effects counted): {L} moment conditions, "
            f"of which {root.rank} are independent. Give more instruments, or fewer regressors."
        )
    Q, upper = np.linalg.qr(G / length)
    inverse = solve_triangular(upper, np.eye(K)) / length[:, None]
    projection = root.adjoint(Q @ inverse.T).T
    return GmmFit(inverse @ (Q.T @ root.apply(Zy)), root, inverse @ inverse.T, projection)


def cross(A: Instruments, B: Instruments) -> FloatArray:
    """``A'B``, dense."""
    product = A.T @ B
    return np.asarray(product.toarray() if sparse.issparse(product) else product)


def unit_moments(Z: Instruments, u: FloatArray, unit: IntArray, n_units: int) -> FloatArray:
    """(n_units, L) ``Z_i'u_i`` by unit; ``unit`` is (m,)."""
    m = len(u)
    by_unit = sparse.csc_array((u, unit, np.arange(m + 1)), shape=(n_units, m)).tocsr()
    moments = by_unit @ Z
    return np.asarray(moments.toarray() if sparse.issparse(moments) else moments)
