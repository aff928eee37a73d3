"""The estimation sample: decided once, a boolean over the panel's rows, with the rows left out counted by reason.

Every function takes a ``Sample`` and returns a smaller one. A row is counted under the first reason that excludes it,
so the counts add up to the rows that are not used.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from econ.errors import DataError, ModelError
from econ.linear.fit import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Sample:
    """``rows`` (N,): true where a row is used; ``dropped``: reason -> number of rows left out for it."""

    rows: BoolArray
    dropped: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def full(cls, n_rows: int) -> "Sample":
        """All rows."""
        return cls(np.ones(n_rows, np.bool_))

    @property
    def n_obs(self) -> int:
        """Rows used."""
        return len(self.rows) - sum(self.dropped.values())

    @property
    def is_full(self) -> bool:
        """Whether every row is used."""
        return not self.dropped

    def take(self, values: NDArray[Any]) -> NDArray[Any]:
        """The values (N,) of the rows used; not copied when every row is."""
        return values if self.is_full else values[self.rows]

    def spread(self, values: FloatArray) -> FloatArray:
        """(N,) of values (n_obs,) of the rows used, NaN in the others."""
        whole = np.full(len(self.rows), np.nan)
        whole[self.rows] = values
        return whole

    def without(self, gone: BoolArray, reason: str) -> "Sample":
        """Leave out the rows flagged in ``gone``, (n_obs,) over the rows used so far."""
        count = int(gone.sum())
        if not count:
            return self
        rows = self.rows.copy()
        rows[rows] = ~gone
        return self._smaller(rows, count, reason)

    def only(self, kept: BoolArray, reason: str) -> "Sample":
        """Leave out the rows not flagged in ``kept``, (N,) over all rows."""
        if kept.all():
            return self
        rows = self.rows & kept
        count = self.n_obs - int(rows.sum())
        return self._smaller(rows, count, reason) if count else self

    def _smaller(self, rows: BoolArray, count: int, reason: str) -> "Sample":
        return Sample(rows, {**self.dropped, reason: self.dropped.get(reason, 0) + count})


def drop_missing(sample: Sample, values: Iterable[tuple[str, FloatArray | IntArray]]) -> Sample:
    """Leave out rows where a variable is missing: NaN in floats, negative in codes."""
    for name, column in values:
        known = ~np.isnan(column) if column.dtype.kind == "f" else column >= 0
        sample = sample.only(known, f"missing {name}")
    return sample


def drop_weightless(sample: Sample, weights: FloatArray, name: str) -> Sample:
    """Leave out rows of weight zero; negative weights are refused."""
    negative = int(np.sum(weights < 0))
    if negative:
        raise DataError(f"weights={name!r} has {negative} negative values; weights are zero or positive.")
    return sample.only(weights > 0, "zero weight")


def drop_perfectly_fitted(sample: Sample, effects: Mapping[str, IntArray], outcome: FloatArray | None = None) -> Sample:
    """Leave out rows that the fixed effects fit perfectly, until none is left.

    A *singleton* is the only row of its level: it is fitted exactly, says nothing about the coefficients, and would
    make clustered standard errors too small (Correia, 2015, "Singletons, cluster-robust standard errors and fixed
    effects: a bad mix"). Given a Poisson ``outcome``, so are the rows of a level whose outcome is zero throughout:
    the effect's estimate would be minus infinity (Correia, Guimaraes and Zylkin, 2019, "Verifying the existence of
    maximum likelihood estimates for generalized linear models", section 3). Removing a row can make another one a
    singleton in another effect, hence the iteration.

    Parameters
    ----------
    effects : name -> codes (N,) over all rows
    outcome : (N,) or None
    """
    before = -1
    while sample.n_obs != before:
        before = sample.n_obs
        for name, codes in effects.items():
            sample = _drop_singletons(sample, name, codes)
            if outcome is not None:
                sample = _drop_zero_levels(sample, name, codes, outcome)
    return sample


def require_rows(sample: Sample) -> None:
    """Refuse an empty sample, with the reasons that emptied it."""
    if sample.n_obs:
        return
    reasons = "; ".join(f"{reason}: {count}" for reason, count in sample.dropped.items())
    raise ModelError(f"No row is left to estimate on ({reasons}); check those columns, or use fewer of them.")


def levels_present(codes: IntArray) -> tuple[IntArray, IntArray]:
    """Codes (n,) renumbered 0..L-1 without empty levels, and the old code of each new one, (L,)."""
    counts = np.bincount(codes)
    present = np.flatnonzero(counts)
    if len(present) == len(counts):
        return codes, present
    lookup = np.cumsum(counts > 0) - 1
    return np.asarray(lookup[codes], dtype=np.intp), present


def combine(first: IntArray, second: IntArray) -> IntArray:
    """Codes of the pairs of two codings, -1 where either is missing."""
    if not len(first):
        return first
    n_second = int(second.max()) + 1
    pairs = first.astype(np.int64) * n_second + second
    missing = (first < 0) | (second < 0)
    if missing.any():
        pairs[missing] = -1
    if pairs.max() < max(4 * len(pairs), 1_000_000):
        return pairs
    known, codes = np.unique(pairs, return_inverse=True)
    return np.asarray(codes - int(known[0] == -1), dtype=np.intp)


def _drop_singletons(sample: Sample, name: str, codes: IntArray) -> Sample:
    used = sample.take(codes)
    counts = np.bincount(used)
    if not (counts == 1).any():
        return sample
    return sample.without((counts == 1)[used], f"singleton {name}")


def _drop_zero_levels(sample: Sample, name: str, codes: IntArray, outcome: FloatArray) -> Sample:
    used = sample.take(codes)
    empty = np.bincount(used, weights=sample.take(outcome)) == 0
    if not empty[used].any():
        return sample
    return sample.without(empty[used], f"outcome zero throughout a level of {name}")
