"""One-step and two-step GMM of a dynamic panel model, on arrays."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from econ.design.collinear import independent_columns
from econ.design.sample import levels_present
from econ.errors import ModelError
from econ.growth.equations import Stack
from econ.growth.instruments import InstrumentMatrix
from econ.inference.gmm import robust_matrix, windmeijer_matrix
from econ.linear.fit import BoolArray, FloatArray, IntArray
from econ.linear.gmm import GmmFit, Instruments, InverseRoot, cross, fit_gmm, inverse_root, unit_moments
from econ.options import GmmWeighting

DENSE = 0.25  # share of entries from which on dense products are faster
INDEPENDENT = 1e-9  # share of a moment's own variation that earlier ones must leave


@dataclass(frozen=True, eq=False)
class Step:
    """One of the two steps: its fit, stacked residuals (m,), moments by unit (N, L)."""

    fit: GmmFit
    residuals: FloatArray
    moments: FloatArray

    @property
    def g(self) -> FloatArray:
        """(L,) the moments summed over units."""
        return np.asarray(self.moments.sum(axis=0))


@dataclass(frozen=True, eq=False)
class DynamicFit:
    """A dynamic panel model on its rows and instruments; each step is computed when it is asked for.

    Attributes
    ----------
    stack : the equations
    y, X : (n,), (n, K) in levels, period effects included
    matrix : the instruments, none of which the others make redundant
    weighting : H of the first step
    first_weight : (L, L) ``sum Z_i'H Z_i``
    """

    stack: Stack
    y: FloatArray
    X: FloatArray
    matrix: InstrumentMatrix
    weighting: GmmWeighting
    first_weight: FloatArray

    @cached_property
    def n_units(self) -> int:
        return int(self.unit.max()) + 1

    @cached_property
    def unit(self) -> IntArray:
        """(m,) units of the stacked rows, numbered without gaps."""
        return levels_present(self.stack.unit[self.stack.level])[0]

    @cached_property
    def Z(self) -> Instruments:
        """(m, L), dense where that is faster."""
        return _faster(self.matrix.Z)

    @cached_property
    def stacked_y(self) -> FloatArray:
        return self.stack.apply(self.y)

    @cached_property
    def stacked_X(self) -> FloatArray:
        return self.stack.apply(self.X)

    @cached_property
    def ZX(self) -> FloatArray:
        return cross(self.Z, self.stacked_X)

    @cached_property
    def Zy(self) -> FloatArray:
        return cross(self.Z, self.stacked_y[:, None])[:, 0]

    @cached_property
    def first(self) -> Step:
        """One-step GMM."""
        return self._step(inverse_root(self.first_weight))

    @cached_property
    def optimal_weight(self) -> FloatArray:
        """(L, L) ``S = sum g_i g_i'`` at one-step residuals."""
        return self.first.moments.T @ self.first.moments

    @cached_property
    def optimal_root(self) -> InverseRoot:
        """Root of its inverse; of rank less than L where it is singular."""
        return inverse_root(self.optimal_weight)

    @cached_property
    def second(self) -> Step:
        """Two-step GMM."""
        return self._step(self.optimal_root)

    def _step(self, root: InverseRoot) -> Step:
        fit = fit_gmm(self.ZX, self.Zy, root)
        u = self.stacked_y - self.stacked_X @ fit.coef
        return Step(fit, u, unit_moments(self.Z, u, self.unit, self.n_units))

    @cached_property
    def error_variance(self) -> float:
        """Variance of the errors, from one-step residuals of the transformed equation.

        That of errors in levels; with H the identity that of transformed errors, on whose scale H then is.
        """
        u = self.first.residuals[: self.stack.split]
        scale = 2 if self.stack.transform == "difference" and self.weighting != "identity" else 1
        return float(u @ u / scale / max(len(u) - self.X.shape[1], 1))

    @cached_property
    def one_step_vcov(self) -> FloatArray:
        """(K, K) robust."""
        return robust_matrix(self.first.fit, self.first.moments)

    @cached_property
    def windmeijer_vcov(self) -> FloatArray:
        """(K, K) of the second step, corrected."""
        first, second = self.first, self.second
        return windmeijer_matrix(
            second.fit, self.one_step_vcov, self.Z, self.stacked_X, self.unit, first.moments, second.g
        )


def dynamic_fit(
    stack: Stack, y: FloatArray, X: FloatArray, matrix: InstrumentMatrix, weighting: GmmWeighting
) -> tuple[DynamicFit, BoolArray]:
    """The model without redundant instruments, and which of them (L,) were kept.

    A moment is redundant when the moments before it imply it whatever the coefficients: as functions of the errors in
    levels they are linearly dependent.
    """
    weight, gram = _weight(stack, matrix.Z, weighting)
    keep = _independent(gram)
    if keep.sum() < X.shape[1]:
        raise ModelError(
            f"{int(keep.sum())} independent instruments cannot identify {X.shape[1]} coefficients (period effects "
            "counted); give econ.gmm(...) or econ.iv(...) for every regressor, or longer lags."
        )
    return DynamicFit(stack, y, X, matrix.select(keep), weighting, weight[np.ix_(keep, keep)]), keep


def _weight(stack: Stack, Z: sparse.csr_array, weighting: GmmWeighting) -> tuple[FloatArray, FloatArray]:
    """``sum Z_i'H Z_i`` and the Gram matrix of the moments as functions of the errors in levels, both (L, L).

    With T the operator of the transformed equation and E that of all, H is ``I``, ``diag(TT', I)`` or ``EE'``; the Gram
    matrix is ``Z'EE'Z``. For orthogonal deviations ``TT' = I``.
    """
    top, operator = _faster(Z[: stack.split]), stack.transformed.operator
    spread = operator.T.tocsr() @ top if stack.transform == "difference" else top
    within = cross(spread, spread)
    if not stack.system:
        return (cross(top, top) if weighting == "identity" else within), within
    bottom = _faster(Z[stack.split :])
    own = cross(bottom, bottom)
    mixed = cross(top, operator @ bottom)
    gram = within + own + mixed + mixed.T
    if weighting == "xtabond2":
        return gram, gram
    return (cross(top, top) if weighting == "identity" else within) + own, gram


def _independent(gram: FloatArray) -> BoolArray:
    size = np.diag(gram)
    if (size > 0).all():
        d = np.sqrt(size)
        try:
            pivots = np.diag(np.linalg.cholesky(gram / np.outer(d, d))) ** 2
        except np.linalg.LinAlgError:
            pivots = np.zeros(1)
        if pivots.min() > INDEPENDENT:
            return np.ones(len(gram), dtype=np.bool_)
    return independent_columns(gram, size, size, INDEPENDENT).keep


def _faster(Z: sparse.csr_array) -> Instruments:
    return np.asarray(Z.toarray()) if Z.nnz > DENSE * Z.shape[0] * Z.shape[1] else Z
