"""What every measure of this room starts from: the known values by period, their weights, and the units' groups."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from econ.data.frames import SHOWN
from econ.errors import DataError, ModelError
from econ.linear.fit import BoolArray, FloatArray, IntArray
from econ.panel import Panel
from econ.text import Text


@dataclass(frozen=True)
class Cells:
    """The rows with a value (and a weight), sorted by period and value.

    Attributes
    ----------
    x, weights : (N,)
    period : (N,) points into ``periods``
    unit : (N,) points into the panel's ``units``
    periods : labels, as they print
    notes : how many cells are missing, and the panel's own notes
    """

    x: FloatArray
    weights: FloatArray
    period: IntArray
    unit: IntArray
    periods: list[Any]
    notes: tuple[Text, ...]

    def spans(self) -> list[slice]:
        """Where each period stands."""
        ends = np.cumsum(np.bincount(self.period, minlength=len(self.periods)))
        return [slice(int(start), int(end)) for start, end in zip([0, *ends[:-1]], ends, strict=True)]

    def means(self) -> FloatArray:
        """(T,) weighted mean of each period."""
        return sum_by(self.period, self.weights * self.x) / sum_by(self.period, self.weights)


@dataclass(frozen=True)
class Groups:
    """The group of every unit of the panel: ``codes`` (n_units,) point into the sorted ``labels``; -1 = not used."""

    name: str
    codes: IntArray
    labels: list[Any]


def known_cells(panel: Panel, x: str, weights: str | None = None, *, zeros: bool = True, smallest: int = 2) -> Cells:
    """Known values of ``x``, checked.

    Negative values are refused, zeros too unless ``zeros``; so are weights that are not positive, a period that sums
    to zero, and one with fewer than ``smallest`` units.
    """
    values = panel.values(x)
    weighting = np.ones(panel.n_obs) if weights is None else panel.values(weights)
    known = ~np.isnan(values) & ~np.isnan(weighting)
    if not known.any():
        raise DataError(
            f"{x!r} has no values{f' with a weight {weights!r}' if weights else ''}; there is nothing to do."
        )
    allowed = "zero or positive" if zeros else "positive"
    refuse(panel, known & ((values < 0) if zeros else (values <= 0)), f"{x!r} must be {allowed}", values)
    refuse(panel, known & (weighting <= 0), f"The weights {weights!r} must be positive", weighting)
    rows = np.flatnonzero(known)
    rows = rows[np.lexsort((panel.unit_codes[rows], values[rows], panel.time_codes[rows]))]
    codes, period = np.unique(panel.time_codes[rows], return_inverse=True)
    periods = [panel.period(int(code)) for code in codes]
    n, total = np.bincount(period), sum_by(period, values[rows])
    _check_periods(x, periods if panel.time else ["the cross-section"], n, total, smallest)
    notes = (*panel.notes, *_missing_note(panel, x, weights, periods, n))
    return Cells(values[rows], weighting[rows], period.astype(np.intp), panel.unit_codes[rows], periods, notes)


def sum_by(codes: IntArray, values: FloatArray) -> FloatArray:
    """Sums of ``values`` by the codes 0, 1, 2, ..."""
    return np.bincount(codes, values).astype(np.float64, copy=False)


def refuse(panel: Panel, wrong: BoolArray, rule: str, values: FloatArray) -> None:
    """An error that names the rows that break a rule."""
    if not wrong.any():
        return
    rows = np.flatnonzero(wrong)
    named = "; ".join(f"{_place(panel, int(row))}: {values[row]:g}" for row in rows[:SHOWN])
    more = ", ..." if len(rows) > SHOWN else ""
    raise DataError(
        f"{rule}; {len(rows)} values are not ({named}{more}). Correct them, or leave them out with where()."
    )


def _place(panel: Panel, row: int) -> str:
    unit = str(panel.units[panel.unit_codes[row]])
    return f"{unit}, {panel.period(int(panel.time_codes[row]))}" if panel.time else unit


def _check_periods(x: str, periods: Sequence[Any], n: IntArray, total: FloatArray, smallest: int) -> None:
    few = [f"{period} ({count})" for period, count in zip(periods, n, strict=True) if count < smallest]
    if few:
        raise ModelError(
            f"{x!r} is known for fewer than {smallest} units in {', '.join(few[:SHOWN])}; leave such periods out with "
            "panel.where(...)."
        )
    empty = [str(period) for period, sum_ in zip(periods, total, strict=True) if sum_ == 0]
    if empty:
        raise DataError(
            f"{x!r} sums to zero in {', '.join(empty[:SHOWN])}, so there are no shares of it; leave such periods out "
            "with panel.where(...)."
        )


def _missing_note(panel: Panel, x: str, weights: str | None, periods: Sequence[Any], n: IntArray) -> tuple[Text, ...]:
    lost = [(str(p), int(panel.n_units - count)) for p, count in zip(periods, n, strict=True) if count < panel.n_units]
    if not lost:
        return ()
    named = [panel.column(name) for name in (x, weights) if name]
    what = " or ".join(column.label or str(name) for column, name in zip(named, (x, weights), strict=False))
    what_zh = "或".join(column.label_zh or str(name) for column, name in zip(named, (x, weights), strict=False))
    if panel.time is None:
        return (
            {
                "en": f"Units for which {what} is not known are left out ({lost[0][1]} of {panel.n_units}).",
                "zh": f"缺少{what_zh}的地区未计入（{panel.n_units}个中的{lost[0][1]}个）。",
            },
        )
    counts_zh = "，".join(f"{period}：{count}个" for period, count in lost)
    return (
        {
            "en": f"Units for which {what} is not known in a period are left out of that period "
            f"({', '.join(f'{period}: {count}' for period, count in lost)}; of {panel.n_units} units).",
            "zh": f"某期缺少{what_zh}的地区不计入该期（{counts_zh}；共{panel.n_units}个地区）。",
        },
    )


def unit_groups(panel: Panel, name: str, cells: Cells) -> Groups:
    """Groups that do not change within units; each unit used must have one, and each period two of them."""
    attribute = panel.attribute(name).reindex(panel.units)
    used = np.zeros(panel.n_units, dtype=np.bool_)
    used[cells.unit] = True
    without = used & attribute.isna().to_numpy()
    if without.any():
        named = ", ".join(map(str, panel.units[without][:SHOWN]))
        raise DataError(f"{int(without.sum())} units have no {name!r} ({named}); give them one, or leave them out.")
    codes = np.full(panel.n_units, -1, dtype=np.intp)
    codes[used], labels = pd.factorize(attribute[used], sort=True)
    groups = Groups(name, codes, list(labels))
    _check_groups(groups, cells)
    return groups


def _check_groups(groups: Groups, cells: Cells) -> None:
    pairs = np.unique(cells.period * len(groups.labels) + groups.codes[cells.unit])
    n = np.bincount(pairs // len(groups.labels), minlength=len(cells.periods))
    if (n < 2).any():
        when = ", ".join(str(cells.periods[int(t)]) for t in np.flatnonzero(n < 2)[:SHOWN])
        raise ModelError(
            f"groups={groups.name!r} has values in one group only in {when}; a decomposition needs two groups in every "
            "period. Choose another column, or leave such periods out with panel.where(...)."
        )
