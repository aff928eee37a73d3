"""A variable as units x periods, and its classes: what distribution dynamics start from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from econ.errors import DataError, ModelError, OptionError
from econ.linear.fit import FloatArray, IntArray
from econ.panel import Panel
from econ.text import Text

Quantiles = Literal["by_period", "pooled"]


@dataclass(frozen=True, eq=False)
class Grid:
    """One variable of a panel.

    Attributes
    ----------
    units : (n,) labels
    codes : (T,) calendar codes of the periods in which the variable is known for any unit
    periods : (T,) their labels
    values : (n, T), missing as NaN
    """

    units: NDArray[Any]
    codes: IntArray
    periods: tuple[Any, ...]
    values: FloatArray

    def spacing_note(self) -> tuple[Text, ...]:
        """A note where the periods are not evenly spaced."""
        gaps = sorted(set(np.diff(self.codes).tolist()))
        if len(gaps) < 2:
            return ()
        listed = [str(gap) for gap in gaps]
        return (
            {
                "en": f"The periods are not evenly spaced (gaps of {', '.join(listed)}); a step leads from one to the "
                "next.",
                "zh": f"各期间隔不等（{'、'.join(listed)}），一步指由一期到下一期。",
            },
        )


def grid(panel: Panel, x: str) -> Grid:
    """``x`` by unit and period; periods without any value are left out."""
    values = panel.values(x)
    if panel.time is None:
        raise DataError("This panel is a cross-section; distribution dynamics need a panel with a time column.")
    T = int(panel.time_codes.max()) + 1
    cells = np.full(panel.n_units * T, np.nan)
    cells[panel.unit_codes.astype(np.int64) * T + panel.time_codes] = values
    table = cells.reshape(-1, T)
    codes = np.flatnonzero(~np.isnan(table).all(axis=0)).astype(np.intp)
    if len(codes) < 2:
        raise ModelError(f"{x!r} is known in {len(codes)} period(s); its dynamics need at least two.")
    return Grid(panel.units, codes, tuple(map(panel.period, codes.tolist())), table[:, codes])


def quantile_cutoffs(values: FloatArray, k: int) -> FloatArray:
    """(R, k - 1) quantiles j/k of the known values of each row of (R, m), linear between order statistics.

    The position ``(m - 1) j / k`` is kept in whole numbers, so that a quantile that is an observation is exactly it.
    """
    ordered = np.sort(np.ascontiguousarray(values), axis=1)  # vectorised, unlike partitioning at several places
    last = np.maximum((~np.isnan(ordered)).sum(axis=1) - 1, 0)[:, None]
    low, part = np.divmod(last * np.arange(1, k), k)
    row = np.arange(len(ordered))[:, None]
    below, above = ordered[row, low], ordered[row, np.minimum(low + 1, last)]
    return np.asarray(below + (above - below) * (part / k))


def class_cutoffs(values: FloatArray, classes: int | Sequence[float], quantiles: Quantiles) -> FloatArray:
    """(T or 1, k - 1) upper limits of all classes but the last, by period or for all periods."""
    if by_quantile(classes):
        return quantile_cutoffs(values.T if quantiles == "by_period" else values.reshape(1, -1), check_classes(classes))
    return np.array(classes, dtype=np.float64)[None, :]


def by_quantile(classes: int | Sequence[float]) -> bool:
    """Whether ``classes`` is a number of quantiles, not a list of cut-offs."""
    return np.ndim(classes) == 0


def classify(values: FloatArray, cutoffs: FloatArray) -> IntArray:
    """(n, T) classes 0, 1, ..., k - 1, missing as -1; class j is (cutoff j - 1, cutoff j]."""
    codes = (values > cutoffs.T[:, None, :]).sum(axis=0, dtype=np.int16)
    return np.asarray(codes - np.isnan(values), dtype=np.intp)


def check_classes(classes: int | Sequence[float]) -> int:
    """The number of classes; refuse fewer than two and cut-offs that do not increase."""
    if isinstance(classes, int | np.integer) and not isinstance(classes, bool):
        if classes < 2:
            raise OptionError(f"classes={classes}: dynamics between classes need at least 2, such as classes=5.")
        return int(classes)
    limits = np.asarray(classes, dtype=np.float64) if not isinstance(classes, str | bool) else np.empty(0)
    if limits.ndim != 1 or not len(limits) or not np.isfinite(limits).all() or (np.diff(limits) <= 0).any():
        raise OptionError(
            f"classes={classes!r} is not allowed; give the number of quantile classes, such as 5, or increasing finite "
            "cut-offs, such as [0.5, 0.75, 1, 1.25]."
        )
    return len(limits) + 1


def refuse_empty_classes(codes: IntArray, cutoffs: FloatArray, found: Grid, x: str) -> None:
    """Refuse a class that holds no unit, in any period where cut-offs are by period, else in all."""
    k, periods = cutoffs.shape[1] + 1, len(cutoffs)
    cells = codes + 1 + np.arange(0, periods * (k + 1), k + 1)  # the first cell of each period holds what is missing
    held = np.bincount(cells.ravel(), minlength=periods * (k + 1)).reshape(periods, k + 1)[:, 1:]
    if held.all():
        return
    period, j = (int(at) for at in np.argwhere(held == 0)[0])
    limits = [-np.inf, *cutoffs[period].tolist(), np.inf]
    when, remedy = (f" in {found.periods[period]}", ", or quantiles='pooled'") if periods > 1 else ("", "")
    raise ModelError(
        f"Class {j + 1} of {x!r}, ({limits[j]:.6g}, {limits[j + 1]:.6g}], holds no unit{when}. Use fewer classes "
        f"or other cut-offs such as classes=[0.5, 1]{remedy}."
    )


def cutoff_frame(cutoffs: FloatArray, periods: Sequence[Any]) -> pd.DataFrame:
    """``period, 1, ..., k - 1``: upper limits of all classes but the last; period ``all`` if they do not change."""
    frame = pd.DataFrame(cutoffs, columns=range(1, cutoffs.shape[1] + 1))
    frame.insert(0, "period", list(periods) if len(cutoffs) > 1 else ["all"])
    return frame
