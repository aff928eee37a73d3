"""Where the rows of a fit lie: clusters, periods, places, absorbed effects; and what small-sample factors count."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from econ.design.absorb import Effect
from econ.errors import DataError, ModelError, OptionError
from econ.linear.fit import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Layout:
    """The rows of the estimation sample, beside the fit.

    Attributes
    ----------
    columns : name -> (N,), what ``spec.columns_needed()`` asked for: cluster codes (integers; -1 or NaN is missing),
        longitude and latitude in degrees
    unit : (N,) unit codes, or None
    time : (N,) period numbers on the calendar, gaps kept, or None
    effects : the absorbed fixed effects
    n_effects_rank : degrees of freedom the effects take
    leverage : returns (N,), the diagonal of the projection on the effects; called for HC2 and HC3 only
    dispersion : scale of the model-based covariance when the likelihood fixes it (1 for Poisson); None estimates it
    """

    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    unit: IntArray | None = None
    time: IntArray | None = None
    effects: tuple[Effect, ...] = ()
    n_effects_rank: int = 0
    leverage: Callable[[], FloatArray] | None = None
    dispersion: float | None = None

    def column(self, name: str) -> NDArray[Any]:
        """(N,) the column, refused when absent."""
        if name not in self.columns:
            have = ", ".join(self.columns) or "none"
            raise OptionError(
                f"The covariance needs column {name!r}, but the columns given are: {have}. Pass it along."
            )
        return np.asarray(self.columns[name])

    def codes(self, name: str) -> tuple[IntArray, int]:
        """(N,) codes 0..G-1 of a cluster column, and G; refused when values are missing or there is one cluster."""
        codes, n_groups = group_codes(self.column(name), name)
        if n_groups < 2:
            raise ModelError(
                f"Clustering by {name!r} finds {n_groups} cluster in the sample; at least 2 are needed, and many more "
                "for reliable inference. Cluster by another column, or use hetero()."
            )
        return codes, n_groups

    def periods(self, wanted_by: str) -> IntArray:
        """(N,) calendar period numbers, refused when there are none."""
        if self.time is None:
            raise ModelError(f"{wanted_by} needs the period of each row, and this fit has none; give panel data.")
        return self.time

    def units(self, wanted_by: str) -> IntArray:
        """(N,) unit codes, refused when there are none."""
        if self.unit is None:
            raise ModelError(f"{wanted_by} needs the unit of each row, and this fit has none; give panel data.")
        return self.unit


def group_codes(values: NDArray[Any], name: str) -> tuple[IntArray, int]:
    """Codes 0..G-1 in sorted order of the values, and G; missing values (negative integers, NaN, None) are refused."""
    n_missing = int(np.sum(values < 0 if values.dtype.kind == "i" else pd.isna(values)))
    if n_missing:
        raise DataError(
            f"Cluster column {name!r} is missing in {n_missing} of {values.size} rows; every row of the sample needs a "
            "cluster. Fill the column in, or drop those rows."
        )
    if values.dtype.kind in "iu" and values.size and int(values.max()) <= 4 * values.size + 1024:
        present = np.bincount(values) > 0
        if present.all():
            return values.astype(np.intp, copy=False), present.size
        return (np.cumsum(present) - 1)[values], int(present.sum())
    labels, codes = np.unique(values, return_inverse=True)
    return codes.astype(np.intp, copy=False).reshape(-1), labels.size


def crossed_codes(codes: Sequence[tuple[IntArray, int]]) -> tuple[IntArray, int]:
    """Codes of the intersection of several groupings, and the number of non-empty ones."""
    crossed, n_crossed = codes[0]
    for other, n_other in codes[1:]:
        crossed, n_crossed = group_codes(crossed * n_other + other, "crossed clusters")
    return crossed, n_crossed


def is_nested(codes: IntArray, n_levels: int, groups: IntArray) -> bool:
    """Whether every level of ``codes`` lies in one group."""
    group_of_level = np.zeros(n_levels, dtype=np.intp)
    group_of_level[codes] = groups
    return bool(np.array_equal(group_of_level[codes], groups))


def count_parameters(layout: Layout, n_coef: int, groupings: Sequence[IntArray]) -> int:
    """The K of ``(N-1)/(N-K)``, fixest's count (``K.fixef = "nonnested"``).

    All coefficients and effects, less ``levels - 1`` for each set of intercepts nested in one of the groupings: a
    nested set still counts as one, the intercept. Unit-specific slopes are always counted.
    """
    K = n_coef + layout.n_effects_rank
    nested = [
        effect
        for effect in layout.effects
        if effect.slope is None and any(is_nested(effect.codes, effect.n_levels, groups) for groups in groupings)
    ]
    return max(K - sum(effect.n_levels - 1 for effect in nested), n_coef + bool(nested))


def small_sample_factor(n_obs: int, K: int) -> float:
    """``(N-1)/(N-K)``, refused when nothing is left."""
    if n_obs <= K:
        raise ModelError(
            f"{n_obs} observations and {K} parameters (fixed effects counted) leave no degrees of freedom; use fewer "
            "regressors or fixed effects, or more data."
        )
    return (n_obs - 1) / (n_obs - K)
