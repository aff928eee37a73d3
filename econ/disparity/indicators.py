"""Indicators of a composite index read from a panel: checked, and min-max scaled so that 1 is best."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from econ.errors import DataError, ModelError, OptionError
from econ.linear.fit import BoolArray, FloatArray, IntArray
from econ.options import IndicatorDirection, IndicatorScaling, check_word
from econ.panel import Panel
from econ.text import Text

Indicators = Sequence[str] | Mapping[str, IndicatorDirection]
ALL = "all"
MIN_ROWS = 3


@dataclass(frozen=True, eq=False)
class Matrix:
    """Indicators read from a panel: the rows known in all of them.

    Attributes
    ----------
    names, directions : of the J indicators
    raw : (N, J) as given
    z : (N, J) min-max scaled to [0, 1] within blocks, 1 = best
    period : (N,) calendar code of each row
    block : (N,) what is scaled and weighted together: one block when pooled, one per period otherwise
    labels : block -> ``"all"`` or the period's label
    keys : N rows of unit and period
    """

    names: tuple[str, ...]
    directions: tuple[IndicatorDirection, ...]
    raw: FloatArray
    z: FloatArray
    period: IntArray
    block: IntArray
    labels: Mapping[int, Any]
    keys: pd.DataFrame
    notes: tuple[Text, ...]

    @property
    def positive(self) -> BoolArray:
        """(J,) whether more is better."""
        return np.array([direction == "positive" for direction in self.directions])

    def of(self, inside: BoolArray) -> "Matrix":
        """The same rows with some of the indicators."""
        at = np.flatnonzero(inside)
        names, directions = tuple(self.names[j] for j in at), tuple(self.directions[j] for j in at)
        return replace(self, names=names, directions=directions, raw=self.raw[:, at], z=self.z[:, at])

    def blocks(self) -> Iterator[tuple[Any, BoolArray]]:
        """Label and rows of each block."""
        return ((label, self.block == code) for code, label in self.labels.items())


def read_indicators(panel: Panel, columns: Indicators, scaling: IndicatorScaling) -> Matrix:
    """The indicators of a panel, checked and min-max scaled; rows that lack any are left out with a note."""
    check_word(scaling, IndicatorScaling, "scaling")
    directions = _directions(columns)
    raw = np.column_stack([panel.values(name) for name in directions])
    known: BoolArray = np.asarray(~np.isnan(raw).any(axis=1))
    if not known.any():
        raise DataError(f"No row has all of {', '.join(directions)}; take fewer indicators or other periods.")
    period = panel.time_codes[known]
    block = period if scaling == "period" else np.zeros_like(period)
    labels = {int(code): panel.period(int(code)) if scaling == "period" else ALL for code in np.unique(block)}
    keys = pd.DataFrame(
        {panel.unit: panel.units[panel.unit_codes[known]], "period": [panel.period(int(code)) for code in period]}
    )
    z = np.empty_like(raw[known])
    for code, label in labels.items():
        z[block == code] = _min_max(raw[known][block == code], directions, label)
    return Matrix(
        tuple(directions), tuple(directions.values()), raw[known], z, period, block, labels, keys,
        _left_out(np.logical_not(known), panel),
    )  # fmt: skip


def _directions(columns: Indicators) -> dict[str, IndicatorDirection]:
    if isinstance(columns, str) or not len(columns):
        raise OptionError(f"columns={columns!r} is not allowed; give a list of indicators, or column -> direction.")
    if not isinstance(columns, Mapping):
        twice = sorted({name for name in columns if list(columns).count(name) > 1})
        if twice:
            raise OptionError(f"Indicators given twice: {', '.join(twice)}; give each once.")
        return dict.fromkeys(columns, "positive")
    for name, direction in columns.items():
        check_word(direction, IndicatorDirection, f"direction of {name!r}")
    return dict(columns)


def _min_max(x: FloatArray, directions: Mapping[str, IndicatorDirection], label: Any) -> FloatArray:
    where = "" if label == ALL else f" in {label}"
    if len(x) < MIN_ROWS:
        raise ModelError(f"{len(x)} rows have all indicators{where}; a composite index needs at least {MIN_ROWS}.")
    low, high = x.min(axis=0), x.max(axis=0)
    constant = [name for name, same in zip(directions, low == high, strict=True) if same]
    if constant:
        raise DataError(f"Constant indicators{where}: {', '.join(constant)}; they tell nobody apart, leave them out.")
    z: FloatArray = (x - low) / (high - low)
    positive = np.array([direction == "positive" for direction in directions.values()])
    return np.where(positive, z, 1 - z)


def _left_out(lost: BoolArray, panel: Panel) -> tuple[Text, ...]:
    if not lost.any():
        return ()
    units = [str(unit) for unit in panel.units[np.unique(panel.unit_codes[lost])]]
    named_en = f" ({', '.join(units)})" if len(units) <= 5 else f" of {len(units)} units"
    named_zh = f"（{'、'.join(units)}）" if len(units) <= 5 else f"（涉及 {len(units)} 个单元）"
    n = int(lost.sum())
    return (
        {"en": f"{n} rows left out, which lack an indicator{named_en}.", "zh": f"因指标缺失剔除 {n} 行{named_zh}。"},
    )
