"""Instruments of dynamic panel models: what a user asks for, and the sparse matrix it becomes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from econ.errors import ModelError, OptionError
from econ.growth.equations import Stack
from econ.linear.fit import BoolArray, FloatArray, IntArray
from econ.options import InstrumentEquation, InstrumentStyle, check_word


@dataclass(frozen=True)
class Gmm:
    """GMM-style instruments; see :func:`gmm`."""

    variable: str
    lags: tuple[int, int | None]
    equation: InstrumentEquation
    collapse: bool | None

    def __post_init__(self) -> None:
        _check_variable("gmm", self.variable)
        check_word(self.equation, InstrumentEquation, "equation")
        first, last = self.lags if isinstance(self.lags, tuple) and len(self.lags) == 2 else (None, None)
        if not _is_lag(first) or not (last is None or (_is_lag(last) and last >= first)):
            raise OptionError(
                f"lags={self.lags!r} is not allowed; give the first and the last lag, whole numbers from 0 up, None "
                "for all there are: (2, None) for an endogenous variable or a lagged outcome, (1, None) for a "
                "predetermined one."
            )
        if self.collapse not in (None, True, False):
            raise OptionError(f"collapse={self.collapse!r} is not allowed; give True, False, or None for the model's.")

    @property
    def name(self) -> str:
        """``gmm(n, 2:4)``."""
        first, last = self.lags
        return f"gmm({self.variable}, {first}:{'' if last is None else last})"

    def __str__(self) -> str:
        first, last = self.lags
        until = "and more" if last is None else f"to {last}"
        collapsed = ", collapsed" if self.collapse else ""
        return f"GMM-style instruments {self.variable}, lags {first} {until}{_where(self.equation)}{collapsed}"


@dataclass(frozen=True)
class Iv:
    """Instruments in the ordinary way, one column each; see :func:`iv`."""

    variable: str
    equation: InstrumentEquation

    def __post_init__(self) -> None:
        _check_variable("iv", self.variable)
        check_word(self.equation, InstrumentEquation, "equation")

    @property
    def name(self) -> str:
        """``iv(w)``."""
        return f"iv({self.variable})"

    def __str__(self) -> str:
        return f"Instrument {self.variable}{_where(self.equation)}"


def gmm(
    variable: str,
    *,
    lags: tuple[int, int | None] = (2, None),
    equation: InstrumentEquation = "both",
    collapse: bool | None = None,
) -> Gmm:
    """GMM-style instruments: a variable's own past, each lag in each period a moment condition of its own.

    In the transformed equation of period t they are ``x_i,t-a, ..., x_i,t-b`` for ``lags=(a, b)``, in levels; in the
    levels equation (system GMM) the one difference ``x_i,t-a+1 - x_i,t-a`` that the others do not already imply. A
    value that is not there counts as zero.

    Parameters
    ----------
    variable : a column or an expression of the formula's grammar, such as ``"log(patents)"``
    lags : the first and the last lag, None for all. The outcome and endogenous variables start at 2, predetermined
        ones at 1, strictly exogenous ones at 0 (in levels: the difference of the period itself).
    equation : ``"difference"`` (the transformed equation), ``"level"``, or ``"both"``
    collapse : one moment for each lag instead of one for each lag and period (Roodman 2009); None takes what the model
        says

    Examples
    --------
    >>> print(gmm("n", lags=(2, 4)))
    GMM-style instruments n, lags 2 to 4
    """
    return Gmm(variable, lags, equation, collapse)


def iv(variable: str, *, equation: InstrumentEquation = "both") -> Iv:
    """An instrument in the ordinary way: one moment condition that adds up over all periods.

    Parameters
    ----------
    variable : one or more terms of the formula's grammar: ``"w"``, ``"lag(w, 0:1)"``, ``"C(plate)"``
    equation : ``"difference"``: transformed as the equation is; ``"level"``: as it is; ``"both"``: the two under each
        other, one moment

    Examples
    --------
    >>> print(iv("w", equation="level"))
    Instrument w, level equation
    """
    return Iv(variable, equation)


def _check_variable(function: str, variable: object) -> None:
    if not isinstance(variable, str) or not variable.strip():
        raise OptionError(f"econ.{function}({variable!r}) is not allowed; name a column, or an expression of columns.")


def _is_lag(lag: object) -> bool:
    return isinstance(lag, int) and not isinstance(lag, bool) and lag >= 0


def _where(equation: InstrumentEquation) -> str:
    return "" if equation == "both" else f", {equation} equation"


# ---- from options to columns


@dataclass(frozen=True, eq=False)
class Block:
    """The columns that one option gives in one equation, or in both under each other.

    Attributes
    ----------
    name : the option, ``gmm(n, 2:4)``
    equation : where they stand
    rows, columns, values : coordinates of what is not zero, in the stacked rows
    n_columns : columns, some of which may be empty
    """

    name: str
    style: InstrumentStyle
    equation: InstrumentEquation
    collapsed: bool
    rows: IntArray
    columns: IntArray
    values: FloatArray
    n_columns: int


def gmm_blocks(option: Gmm, collapse: bool, stack: Stack, grid: FloatArray) -> list[Block]:
    """The columns of a GMM-style option; ``grid`` is (units, periods), NaN where missing."""
    collapsed = collapse if option.collapse is None else option.collapse
    first, last = option.lags
    blocks = []
    if option.equation != "level":
        lags = np.arange(first, grid.shape[1] if last is None else min(last + 1, grid.shape[1]))
        values = _dated(grid, stack.unit[stack.transformed.level], stack.transformed.date, lags)
        blocks.append(_gmm_block(option, "difference", collapsed, values, stack.transformed.date, 0))
    if stack.system and option.equation != "difference":
        steps = np.diff(grid, axis=1, prepend=np.nan)
        values = _dated(steps, stack.unit, stack.time, np.array([max(first - 1, 0)]))
        blocks.append(_gmm_block(option, "level", collapsed, values, stack.time, stack.split))
    if not any(len(block.values) for block in blocks):
        raise ModelError(
            f"econ.gmm({option.variable!r}, lags={option.lags}) finds no instrument: no row of the sample has an "
            f"observed value so many periods earlier. The panel spans {grid.shape[1]} periods; use shorter lags."
        )
    return blocks


def _dated(grid: FloatArray, unit: IntArray, date: IntArray, lags: IntArray) -> FloatArray:
    """(rows, lags) values of the unit so many periods before the date, NaN where there are none."""
    at = date[:, None] - lags
    inside = (at >= 0) & (at < grid.shape[1])
    return np.where(inside, grid[unit[:, None], np.where(inside, at, 0)], np.nan)


def _gmm_block(
    option: Gmm, equation: InstrumentEquation, collapsed: bool, values: FloatArray, date: IntArray, start: int
) -> Block:
    rows, lag = np.nonzero(~np.isnan(values))
    keys = lag if collapsed else date[rows] * values.shape[1] + lag
    present, columns = np.unique(keys, return_inverse=True)
    found = values[rows, lag]
    return Block(option.name, "GMM", equation, collapsed, rows + start, columns, found, len(present))


def iv_block(
    name: str, equation: InstrumentEquation, stack: Stack, x: FloatArray, style: InstrumentStyle = "IV"
) -> Block:
    """The columns ``x`` (n, p), in levels, in the equations asked for."""
    dense = np.zeros((len(stack.level), x.shape[1]))
    if equation != "level":
        dense[: stack.split] = stack.transformed.operator @ x
    if stack.system and equation != "difference":
        dense[stack.split :] = x
    rows, columns = np.nonzero(dense)
    where: InstrumentEquation = equation if stack.system else "difference"
    return Block(name, style, where, False, rows, columns, dense[rows, columns], x.shape[1])


@dataclass(frozen=True, eq=False)
class InstrumentMatrix:
    """``Z`` (m, L) of the stacked rows, and the block that each column comes from, ``owner`` (L,)."""

    Z: sparse.csr_array
    blocks: tuple[Block, ...]
    owner: IntArray

    def select(self, keep: BoolArray) -> "InstrumentMatrix":
        """The columns flagged."""
        return self if keep.all() else InstrumentMatrix(self.Z[:, np.flatnonzero(keep)], self.blocks, self.owner[keep])

    def columns_of(self, name: str) -> BoolArray:
        """(L,) the columns of an option, in all equations."""
        return np.array([block.name == name for block in self.blocks], dtype=np.bool_)[self.owner]

    def table(self) -> pd.DataFrame:
        """One row per option and equation: ``instruments, style, equation, collapsed, count``."""
        counts = np.bincount(self.owner, minlength=len(self.blocks))
        rows = [
            {"instruments": b.name, "style": b.style, "equation": b.equation, "collapsed": b.collapsed, "count": int(c)}
            for b, c in zip(self.blocks, counts, strict=True)
        ]
        return pd.DataFrame(rows)


def instrument_matrix(blocks: Sequence[Block], n_rows: int) -> InstrumentMatrix:
    """All blocks side by side."""
    sizes = [block.n_columns for block in blocks]
    starts = np.cumsum([0, *sizes])
    rows = np.concatenate([block.rows for block in blocks])
    columns = np.concatenate([block.columns + start for block, start in zip(blocks, starts[:-1], strict=True)])
    values = np.concatenate([block.values for block in blocks])
    Z = sparse.coo_array((values, (rows, columns)), shape=(n_rows, int(starts[-1]))).tocsr()
    return InstrumentMatrix(Z, tuple(blocks), np.repeat(np.arange(len(blocks)), sizes))
