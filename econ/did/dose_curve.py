"""Curves in the dose: their terms, and one cell's least squares of the change in the outcome on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.interpolate import BSpline

from econ.errors import ModelError, OptionError
from econ.linear.fit import BoolArray, FloatArray, IntArray


class Curve(Protocol):
    """A function of the dose that is linear in q coefficients; the terms of its level add up to one."""

    @property
    def size(self) -> int:
        """q."""

    def level(self, doses: FloatArray) -> FloatArray:
        """(m, q) terms of the level at m doses."""

    def slope(self, doses: FloatArray, determined: BoolArray) -> FloatArray:
        """(m, q) terms of the slope, where the coefficients flagged (q,) are known."""

    def determined(self, terms: FloatArray) -> BoolArray:
        """(q,) which coefficients units with these terms (m, q) determine, with a residual left over."""


@dataclass(frozen=True, eq=False)
class Spline:
    """B-splines of a degree with knots, the first and last ``degree + 1`` times."""

    knots: FloatArray
    degree: int

    @property
    def size(self) -> int:
        return len(self.knots) - self.degree - 1

    def level(self, doses: FloatArray) -> FloatArray:
        return np.asarray(BSpline(self.knots, np.eye(self.size), self.degree)(doses))

    def slope(self, doses: FloatArray, determined: BoolArray) -> FloatArray:
        return np.asarray(BSpline(self.knots, np.eye(self.size), self.degree).derivative()(doses))

    def determined(self, terms: FloatArray) -> BoolArray:
        enough = len(terms) > self.size and np.linalg.matrix_rank(terms) == self.size
        return np.full(self.size, enough)


@dataclass(frozen=True, eq=False)
class Steps:
    """One level for each of the doses (q,), ascending; the slope is the step from the next lower one known, or none."""

    doses: FloatArray

    @property
    def size(self) -> int:
        return len(self.doses)

    def level(self, doses: FloatArray) -> FloatArray:
        return np.asarray(doses[:, None] == self.doses, dtype=np.float64)

    def slope(self, doses: FloatArray, determined: BoolArray) -> FloatArray:
        known = self.doses[determined]
        steps = np.zeros((self.size, self.size))
        differences = np.eye(len(known)) - np.eye(len(known), k=-1)
        steps[np.ix_(determined, determined)] = differences / np.diff(known, prepend=0.0)[:, None]
        return np.asarray(self.level(doses) @ steps)

    def determined(self, terms: FloatArray) -> BoolArray:
        return np.asarray(terms.any(axis=0), dtype=np.bool_)


def spline(doses: FloatArray, degree: int, n_knots: int) -> Spline:
    """Over the range of the doses, with inner knots at their equally spaced quantiles.

    Raises
    ------
    ModelError : the doses do not vary, or quantiles coincide.
    """
    low, high = float(doses.min()), float(doses.max())
    if low == high:
        raise ModelError(
            f"All treated units have the dose {low:g}, so there is no curve in it; use callaway_santanna for the "
            "effect of that dose."
        )
    inner = np.quantile(doses, np.linspace(0, 1, n_knots + 2)[1:-1])
    if len(np.unique([low, *inner, high])) < n_knots + 2:
        raise ModelError(
            f"knots={n_knots}: quantiles of the doses coincide with each other or with the smallest or largest dose, "
            "because many units have the same one. Use fewer knots, or curve='discrete'."
        )
    return Spline(np.concatenate([np.full(degree + 1, low), inner, np.full(degree + 1, high)]), degree)


def grid_of(doses: FloatArray, grid: Sequence[float] | None) -> FloatArray:
    """The doses asked for, by default the quantiles 5 %, 10 %, ..., 95 % of those of treated units."""
    if grid is None:
        return np.unique(np.quantile(doses, np.linspace(0.05, 0.95, 19)))
    asked = np.unique(np.asarray(grid, dtype=np.float64))
    low, high = float(doses.min()), float(doses.max())
    if not asked.size or not np.isfinite(asked).all() or asked[0] < low or asked[-1] > high:
        raise OptionError(
            f"grid={list(grid)!r} is not allowed; give doses within those of the treated units, {low:g} to {high:g}."
        )
    return asked


@dataclass(frozen=True, eq=False)
class CellCurve:
    """The curve of one cell.

    Attributes
    ----------
    rows, controls : the m treated and l control units
    beta : (q,) coefficients of the level; zero where not ``determined`` (q,)
    level, slope : means over the treated units
    score : (m, q) influence of treated units on beta; every control moves the determined ones by minus ``control``
    level_score, slope_score : (m,)
    control : (l,) influence on the controls' mean change
    slope_shift : how much the mean slope falls with the controls' mean change
    """

    rows: IntArray
    controls: IntArray
    beta: FloatArray
    determined: BoolArray
    level: float
    slope: float
    score: FloatArray
    level_score: FloatArray
    slope_score: FloatArray
    control: FloatArray
    slope_shift: float


def fit_cell(
    change: FloatArray,
    weights: FloatArray,
    rows: IntArray,
    controls: IntArray,
    level: FloatArray,
    slope: FloatArray,
    determined: BoolArray,
) -> CellCurve:
    """Least squares of the change of treated units, less the controls' mean change, on the terms of the level.

    Parameters
    ----------
    change, weights : (n,)
    rows, controls : which of the n units are treated and which are controls
    level, slope : (m, q) terms of the treated units
    determined : (q,)
    """
    u = weights[controls] / weights[controls].sum()
    mean = float(u @ change[controls])
    w = weights[rows] / weights[rows].sum()
    y = change[rows] - mean
    A = np.zeros((len(determined), len(determined)))
    inside = np.ix_(determined, determined)
    A[inside] = np.linalg.inv((level.T * w @ level)[inside])
    beta = A @ (level.T @ (w * y))
    score = (level @ A) * (w * (y - level @ beta))[:, None]
    mean_slope = w @ slope
    acrt = float(mean_slope @ beta)
    return CellCurve(
        rows,
        controls,
        beta,
        determined,
        float(w @ y),
        acrt,
        score,
        w * (y - w @ y),
        w * (slope @ beta - acrt) + score @ mean_slope,
        u * (change[controls] - mean),
        float(mean_slope @ determined),
    )
