"""Regressions of each unit on its own rows, on arrays; a panel's rows lie in a grid of units by periods.

Rows that are not observed are zero in every column, and so drop out of every cross product.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from econ.design.collinear import TOLERANCE
from econ.linear.fit import BoolArray, FloatArray, IntArray

_EXACT = 1e-12  # what rounding can leave of a column that is taken out, relative to its size


@dataclass(frozen=True, eq=False)
class Grid:
    """A regression's rows by unit and period.

    Attributes
    ----------
    y : (N, T)
    X : (N, T, K), regressors
    H : (N, T, Q), what each unit has coefficients of its own for: an intercept first, then slopes, averages
    seen : (N, T), where a row is observed
    """

    y: FloatArray
    X: FloatArray
    H: FloatArray
    seen: BoolArray

    @cached_property
    def n_obs(self) -> IntArray:
        """(N,) rows of each unit."""
        return np.asarray(self.seen.sum(axis=1))


@dataclass(frozen=True, eq=False)
class UnitFits:
    """Least squares unit by unit.

    Attributes
    ----------
    coef : (N, K); zero in a unit that does not identify its coefficients
    gram : (N, K, K), ``X_i' M_i X_i`` with ``M_i`` taking out ``H_i``
    y, X : (N, T), (N, T, K) with ``H_i`` taken out
    spanned : (N, Q + K), columns of ``[H_i, X_i]`` that the ones before them span in that unit
    """

    coef: FloatArray
    gram: FloatArray
    y: FloatArray
    X: FloatArray
    spanned: BoolArray

    @cached_property
    def residuals(self) -> FloatArray:
        """(N, T), zero where no row is observed."""
        return self.residuals_of(self.coef)

    def residuals_of(self, coef: FloatArray) -> FloatArray:
        """(N, T) residuals under common coefficients (K,) or the units' own (N, K)."""
        return np.asarray(self.y - np.einsum("itk,ik->it", self.X, np.broadcast_to(coef, self.coef.shape)))


def to_grid(columns: FloatArray, unit: IntArray, time: IntArray, shape: tuple[int, int]) -> FloatArray:
    """(N, T, C) of rows (n, C) with codes of unit and period, zero where there is no row."""
    grid = np.zeros((*shape, columns.shape[1]))
    grid[unit, time] = columns
    return grid


def fit_units(grid: Grid) -> UnitFits:
    r"""``y_i = H_i a_i + X_i b_i + u_i`` for every unit, by QR of ``[H_i, X_i]``."""
    design = np.concatenate([grid.H, grid.X], axis=2)
    Q = grid.H.shape[2]
    factor, R = np.linalg.qr(design)
    own = factor[:, :, :Q]
    spanned = _spanned(design, R, grid.seen)
    y, X = (_without(own, columns) for columns in (grid.y[:, :, None], grid.X))
    right = np.swapaxes(factor[:, :, Q:], 1, 2) @ y
    clear = ~spanned.any(axis=1)
    coef = np.zeros((len(X), X.shape[2]))
    coef[clear] = np.linalg.solve(R[clear][:, Q:, Q:], right[clear])[:, :, 0]
    return UnitFits(coef, np.swapaxes(X, 1, 2) @ X, y[:, :, 0], X, spanned)


def _without(own: FloatArray, columns: FloatArray) -> FloatArray:
    return np.asarray(columns - own @ (np.swapaxes(own, 1, 2) @ columns))


def _spanned(design: FloatArray, R: FloatArray, seen: BoolArray) -> BoolArray:
    """(N, C) columns of which too little is left after those before them, by the rule of ``independent_columns``."""
    left = np.diagonal(R, axis1=1, axis2=2) ** 2
    magnitude = np.einsum("itc,itc->ic", design, design)
    mean = design.sum(axis=1) / np.maximum(seen.sum(axis=1), 1)[:, None]
    about_mean = np.where(seen[:, :, None], design - mean[:, None, :], 0.0)
    variation = np.einsum("itc,itc->ic", about_mean, about_mean)
    floor = np.maximum(TOLERANCE * variation, _EXACT**2 * magnitude)
    return np.asarray(left <= floor)
