"""The equations of a dynamic panel model: levels, first differences, forward orthogonal deviations.

Rows of levels (n,) are sorted by unit and period. An equation is a sparse matrix that takes them to its own rows, so
that gaps and unbalanced panels need no special case: a row exists where the calendar lets it.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from econ.linear.fit import FloatArray, IntArray
from econ.options import PanelTransform


@dataclass(frozen=True, eq=False)
class Equation:
    """Rows of one equation.

    Attributes
    ----------
    operator : (m, n), takes values in levels to values in this equation
    level : (m,) the level row that each row of the equation belongs to
    date : (m,) the period that lags of instruments count from
    """

    operator: sparse.csr_array
    level: IntArray
    date: IntArray


@dataclass(frozen=True, eq=False)
class Stack:
    """The transformed equation and, for the system, the levels under it.

    ``unit`` and ``time`` (n,) of the level rows, sorted.
    """

    unit: IntArray
    time: IntArray
    transform: PanelTransform
    system: bool

    @cached_property
    def transformed(self) -> Equation:
        """The equation without unit effects."""
        make = differences if self.transform == "difference" else deviations
        return make(self.unit, self.time)

    @cached_property
    def differences(self) -> Equation:
        """First differences, which the tests of serial correlation look at."""
        return self.transformed if self.transform == "difference" else differences(self.unit, self.time)

    @property
    def equations(self) -> tuple[Equation, ...]:
        """Those that are stacked."""
        n = len(self.time)
        levels = Equation(sparse.eye_array(n, format="csr"), np.arange(n), self.time)
        return (self.transformed, levels) if self.system else (self.transformed,)

    @property
    def split(self) -> int:
        """Rows of the transformed equation, which come first."""
        return len(self.transformed.date)

    @cached_property
    def level(self) -> IntArray:
        """(m,) the level row of each stacked row."""
        return np.concatenate([equation.level for equation in self.equations])

    def apply(self, values: FloatArray) -> FloatArray:
        """Level values (n,) or (n, K) in the stacked equations."""
        return np.concatenate([equation.operator @ values for equation in self.equations])


def differences(unit: IntArray, time: IntArray) -> Equation:
    """``x_it - x_i,t-1`` where both rows are there; a gap of the calendar is never differenced over.

    Examples
    --------
    >>> equation = differences(np.zeros(4, int), np.array([0, 1, 3, 4]))
    >>> equation.operator @ np.array([1.0, 3.0, 7.0, 8.0])
    array([2., 1.])
    """
    later = np.flatnonzero((unit[1:] == unit[:-1]) & (time[1:] == time[:-1] + 1)) + 1
    m = len(later)
    columns = np.column_stack([later - 1, later]).ravel()
    values = np.tile([-1.0, 1.0], m)
    operator = sparse.csr_array((values, columns, np.arange(0, 2 * m + 1, 2)), shape=(m, len(unit)))
    return Equation(operator, later, time[later])


def deviations(unit: IntArray, time: IntArray) -> Equation:
    """``c (x_it - mean of the unit's later rows)``, ``c^2 = m / (m + 1)`` with m later rows, gaps or not.

    Forward orthogonal deviations of errors that are independent with equal variances are again independent with that
    variance (Arellano and Bover 1995). They are dated one period later, as xtabond2 dates them: lags of instruments
    then mean for them what they mean for differences, the first valid lag of an endogenous variable being 2.

    Examples
    --------
    >>> (deviations(np.zeros(3, int), np.arange(3)).operator @ np.array([1.0, 3.0, 7.0])).round(4)
    array([-3.266 , -2.8284])
    """
    n = len(unit)
    left = np.searchsorted(unit, unit, side="right") - 1 - np.arange(n)
    rows = np.flatnonzero(left)
    m = left[rows]
    own = np.sqrt(m / (m + 1))
    parts = [(np.arange(len(rows)), rows, own)]
    for step in range(1, int(m.max(initial=0)) + 1):
        here = np.flatnonzero(m >= step)
        parts.append((here, rows[here] + step, -own[here] / m[here]))
    r, c, v = (np.concatenate(part) for part in zip(*parts, strict=True))
    operator = sparse.coo_array((v, (r, c)), shape=(len(rows), n)).tocsr()
    return Equation(operator, rows, time[rows] + 1)
