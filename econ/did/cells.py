"""What each coefficient of a difference-in-differences result is: the cell, its size, and its weights on outcomes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from econ.linear.fit import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Cells:
    """The K treatment-effect coefficients of a result.

    Attributes
    ----------
    cohort, period, group : (K,) labels; None where the coefficient pools them
    event_time : (K,) calendar periods since the first treated one; NaN where the coefficient pools them
    size : (K,) treated observations (sum of weights) that the coefficient is an effect on: the weights of averages
    cohort_size : (K,) units (sum of weights) of the coefficient's cohort, the weights of averages over cohorts
    """

    cohort: tuple[Any, ...]
    period: tuple[Any, ...]
    group: tuple[str | None, ...]
    event_time: FloatArray
    size: FloatArray
    cohort_size: FloatArray

    @property
    def post(self) -> BoolArray:
        """(K,) effects of treatment, not of the time before it."""
        return ~(self.event_time < 0)

    @property
    def cohort_codes(self) -> IntArray:
        """(K,) which cohort (and group), numbered by first appearance."""
        keys = list(zip(self.cohort, self.group, strict=True))
        index = {key: c for c, key in enumerate(dict.fromkeys(keys))}
        return np.array([index[key] for key in keys], dtype=np.intp)

    def followed_by(self, others: "Cells") -> "Cells":
        """These coefficients and then the others."""
        return Cells(
            self.cohort + others.cohort,
            self.period + others.period,
            self.group + others.group,
            np.concatenate([self.event_time, others.event_time]),
            np.concatenate([self.size, others.size]),
            np.concatenate([self.cohort_size, others.cohort_size]),
        )

    def frame(self) -> pd.DataFrame:
        """One row per coefficient: ``cohort, period, event_time, group, size``, without the columns that are empty."""
        frame = pd.DataFrame(
            {
                "cohort": pd.Series(list(self.cohort)),
                "period": pd.Series(list(self.period)),
                "event_time": pd.Series(self.event_time).astype("Int64"),
                "group": pd.Series(list(self.group)),
                "size": self.size,
            }
        )
        return frame.dropna(axis=1, how="all")

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {name: getattr(self, name) for name in CELL_FIELDS}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "Cells":
        """Rebuild what ``to_json`` gave."""
        arrays = {name: np.array([float(x) for x in raw[name]]) for name in ("event_time", "size", "cohort_size")}
        return cls(tuple(raw["cohort"]), tuple(raw["period"]), tuple(raw["group"]), **arrays)


CELL_FIELDS = ("cohort", "period", "group", "event_time", "size", "cohort_size")


@dataclass(frozen=True, eq=False)
class Loadings:
    """Weights of the mean outcomes of classes by period in each coefficient.

    Without covariates, ``coef_k = sum_{c,t} values[k, c, t] x mean outcome of class c in period t``. Where units of a
    class are observed in different periods, these are sums of the weights of its units, and the equation is one for
    outcomes that are equal within class and period, such as the effects of cells.

    Attributes
    ----------
    cohort, group : (C,) labels of the classes; cohort None = never treated
    period : (T,) labels
    treated : (C, T)
    values : (K, C, T)
    """

    cohort: tuple[Any, ...]
    group: tuple[str | None, ...]
    period: tuple[Any, ...]
    treated: BoolArray
    values: FloatArray

    def frame(self, weights: FloatArray) -> pd.DataFrame:
        """Weights (K,) on the coefficients as weights on cells: ``cohort, group, period, treated, weight``."""
        C, T = self.treated.shape
        frame = pd.DataFrame(
            {
                "cohort": pd.Series([c for c in self.cohort for _ in range(T)]),
                "group": pd.Series([g for g in self.group for _ in range(T)]),
                "period": list(self.period) * C,
                "treated": self.treated.ravel(),
                "weight": np.tensordot(weights, self.values, axes=1).ravel(),
            }
        )
        return frame if frame["group"].notna().any() else frame.drop(columns="group")

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {name: getattr(self, name) for name in ("cohort", "group", "period", "treated", "values")}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "Loadings":
        """Rebuild what ``to_json`` gave."""
        shape = (len(raw["cohort"]), len(raw["period"]))
        treated = np.array(raw["treated"], dtype=np.bool_).reshape(shape)
        values = np.array([float(x) for x in raw["values"]]).reshape(-1, *shape)
        return cls(tuple(raw["cohort"]), tuple(raw["group"]), tuple(raw["period"]), treated, values)
