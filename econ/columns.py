"""A panel as formulas read it."""

from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from econ.data.transform import shift_rows
from econ.design.expression import Coded
from econ.design.sample import levels_present
from econ.errors import FormulaError
from econ.linear.fit import FloatArray, IntArray
from econ.panel import Panel


class PanelColumns:
    """A panel as the formula reads it: numbers, codes, lags."""

    def __init__(self, panel: Panel) -> None:
        self.panel = panel
        self._frame = panel.frame
        self._shifts: dict[int, IntArray] = {}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of all columns."""
        return tuple(map(str, self._frame.columns))

    @property
    def n_rows(self) -> int:
        """Rows of the panel."""
        return self.panel.n_obs

    def kind(self, name: str) -> Literal["number", "text", "category", "other"]:
        """Numbers, text, categories, or none of these."""
        series = self._frame[name]
        if pd.api.types.is_numeric_dtype(series.dtype):
            return "number"
        if isinstance(series.dtype, pd.CategoricalDtype):
            return "category"
        if series.dtype != object:
            return "text" if pd.api.types.is_string_dtype(series.dtype) else "other"
        held = pd.api.types.infer_dtype(series, skipna=True)
        if held in ("integer", "floating", "mixed-integer-float", "decimal", "empty"):
            return "number"  # numbers kept as objects; numbers() refuses them and says what to do
        if held in ("string", "mixed-integer", "mixed"):
            return "text"
        return "category" if held == "boolean" else "other"

    def numbers(self, name: str) -> FloatArray:
        """(N,) floats, missing as NaN."""
        return self.panel.values(name)

    def coded(self, name: str) -> Coded:
        """(N,) codes into sorted levels, -1 where missing."""
        if name == self.panel.unit:
            return Coded(self.panel.unit_codes, list(self.panel.units))
        if name == self.panel.time:
            codes, present = levels_present(self.panel.time_codes)
            return Coded(codes, [self.panel.period(int(code)) for code in present])
        series = self._frame[name]
        if isinstance(series.dtype, pd.CategoricalDtype):
            return Coded(series.cat.codes.to_numpy().astype(np.intp), list(series.cat.categories))
        if isinstance(series.dtype, np.dtype) and series.dtype.kind == "i" and len(series):
            first, last = int(series.min()), int(series.max())
            if last - first <= max(len(series), 1_000_000):
                return Coded(np.subtract(series.to_numpy(), first, dtype=np.intp), range(first, last + 1))
        codes, levels = pd.factorize(series, sort=True)
        return Coded(codes.astype(np.intp, copy=False), list(levels))

    def shifted(self, values: FloatArray, periods: int) -> FloatArray:
        """(N,) the unit's value ``periods`` calendar periods earlier."""
        if self.panel.time is None:
            raise FormulaError("lag, lead and diff need periods, and this panel has no time column.")
        if periods not in self._shifts:
            self._shifts[periods] = shift_rows(self.panel.unit_codes, self.panel.time_codes, periods)
        rows = self._shifts[periods]
        return np.where(rows >= 0, values[rows], np.nan)

    def row(self, index: int) -> str:
        """The row's unit and period in words."""
        unit = str(self.panel.units[self.panel.unit_codes[index]])
        return f"{unit}, {self.panel.period(int(self.panel.time_codes[index]))}" if self.panel.time else unit
