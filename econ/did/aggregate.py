"""From effects of cells to averages over them: by event time, cohort, period, group, or over all.

Every average is a linear map of the coefficients whose weights are sizes of cells or cohorts. Where a result treats
those sizes as estimated (of cohorts: Callaway and Sant'Anna 2021, section 4; of cells: Gardner 2022), the gradient with
respect to the shares is part of the map, and the joint covariance of coefficients and shares gives the covariance of
the averages. With shares of cells, the number of units by which an average weighs cohorts is a given number.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from econ.did.cells import Cells
from econ.errors import ModelError, OptionError
from econ.linear.fit import BoolArray, FloatArray, IntArray
from econ.options import Aggregation, AverageOver, check_word
from econ.text import Text


@dataclass(frozen=True, eq=False)
class Averages:
    """Linear averages of the K coefficients.

    Attributes
    ----------
    terms : names of the q averages
    weights : (q, K) on the coefficients
    gradient : (q, S) with respect to the sizes of the cohorts or cells, in units of their shares
    event_time : (q,) where the averages are by event time, else None
    size : (q,) treated observations averaged over
    words : what is averaged over
    """

    terms: tuple[str, ...]
    weights: FloatArray
    gradient: FloatArray
    event_time: list[int] | None
    size: FloatArray
    words: Text


def averages(
    cells: Cells,
    coef: FloatArray,
    shares: FloatArray,
    kind: Aggregation,
    average: AverageOver,
    window: tuple[int, int] | None,
    balance: int | None,
) -> Averages:
    """The averages asked for; ``coef`` is (K,), ``shares`` (C,) of the cohorts, numbered as in ``cells``, or (K,) of
    the cells."""
    check_word(kind, Aggregation, "kind")
    check_word(average, AverageOver, "average")
    if average != "cells" and kind != "overall":
        raise OptionError(f"average={average!r} belongs to aggregate('overall'); leave it out with {kind!r}.")
    build = _Builder(cells, coef, shares)
    chosen = _chosen(cells, window, balance)
    post = chosen & cells.post
    if kind == "event":
        return build.event(chosen)
    if not post.any():
        raise ModelError("No effect after treatment is left to average over; widen the window.")
    if kind == "overall":
        return build.overall(post, average)
    return build.by_label(post, kind)


def _chosen(cells: Cells, window: tuple[int, int] | None, balance: int | None) -> BoolArray:
    chosen = np.ones(len(cells.size), dtype=np.bool_)
    if window is not None:
        first, last = window
        if first > last:
            raise OptionError(f"window={window!r} is not allowed; give (first, last) event times, such as (0, 5).")
        chosen &= (cells.event_time >= first) & (cells.event_time <= last)
    return chosen if balance is None else chosen & _balanced(cells, balance)


def _balanced(cells: Cells, balance: int) -> BoolArray:
    """Cells of the cohorts seen at event time ``balance``, at event times up to it at which all of them are seen."""
    code = cells.cohort_codes
    kept = np.unique(code[cells.event_time == balance])
    if not kept.size:
        have = ", ".join(f"{e:g}" for e in np.unique(cells.event_time[cells.post]))
        raise OptionError(f"balance={balance!r}: no cohort has this event time; choose one of {have}.")
    inside = np.isin(code, kept) & (cells.event_time <= balance)
    times = [e for e in np.unique(cells.event_time[inside]) if np.isin(kept, code[cells.event_time == e]).all()]
    return inside & np.isin(cells.event_time, times)


class _Builder:
    """Rows of weights and gradients."""

    def __init__(self, cells: Cells, coef: FloatArray, shares: FloatArray) -> None:
        self.cells, self.coef, self.shares = cells, coef, shares
        self.cohort: IntArray = cells.cohort_codes
        self.of_cohorts = len(shares) == int(self.cohort.max()) + 1
        self.share: IntArray = self.cohort if self.of_cohorts else np.arange(len(coef))

    def mean(self, rows: IntArray) -> tuple[FloatArray, FloatArray]:
        """Average over cells by size: (K,) weights and (S,) gradient with respect to the shares."""
        size = self.cells.size[rows]
        if not size.sum() > 0:
            raise ModelError("The cells to average over hold no treated observation.")
        weights = np.zeros(len(self.coef))
        weights[rows] = size / size.sum()
        excess = weights[rows] * (self.coef[rows] - weights @ self.coef) / self.shares[self.share[rows]]
        gradient = np.zeros(len(self.shares))
        np.add.at(gradient, self.share[rows], excess)
        return weights, gradient

    def event(self, chosen: BoolArray) -> Averages:
        times = np.unique(self.cells.event_time[chosen])
        if np.isnan(times).any() or not times.size:
            raise ModelError(
                "This result has no effects by event time; use event_study, callaway_santanna, sun_abraham, "
                "imputation or another estimator with effects by cell."
            )
        sets = [np.flatnonzero(chosen & (self.cells.event_time == e)) for e in times]
        words = {
            "en": "By event time, cohorts weighted by their treated observations",
            "zh": "按相对处理期，以各队列处理观测数加权",
        }
        return self._rows([f"event_time::{e:.0f}" for e in times], sets, words, [int(e) for e in times])

    def by_label(self, post: BoolArray, kind: Aggregation) -> Averages:
        labels: tuple[Any, ...] = getattr(self.cells, kind)
        present = _ordered(label for label, kept in zip(labels, post, strict=True) if kept and label is not None)
        if not present:
            reason = "ask the estimator for effects by group (by=...)" if kind == "group" else "use another estimator"
            raise ModelError(f"This result has no effects by {kind}; {reason}.")
        sets = [np.flatnonzero(post & np.array([x == label for x in labels])) for label in present]
        words = {
            "cohort": {"en": "By cohort, averaged over its treated periods", "zh": "按队列，对其处理后各期平均"},
            "period": {
                "en": "By calendar period, cohorts weighted by their treated observations",
                "zh": "按日历时期，以各队列处理观测数加权",
            },
            "group": {"en": "By group, averaged over its treated cells", "zh": "按组，对其处理单元格平均"},
        }[kind]
        return self._rows([f"{kind}::{label}" for label in present], sets, words)

    def overall(self, post: BoolArray, average: AverageOver) -> Averages:
        rows = np.flatnonzero(post)
        if average == "cells" and np.isnan(self.cells.event_time).all():
            words = {
                "en": "One coefficient for all treated observations, their effects weighted as weights() shows",
                "zh": "所有处理观测共用一个系数，各效应的权重见 weights()",
            }
            return self._rows(["overall"], [rows], words)
        if average == "cells":
            words = {
                "en": "Average over treated cells, weighted by their treated observations",
                "zh": "对处理单元格平均，以处理观测数加权",
            }
            return self._rows(["overall"], [rows], words)
        gradient = np.zeros(len(self.shares))
        if average == "cohort":
            present = np.unique(self.cohort[post])
            sets = [np.flatnonzero(post & (self.cohort == c)) for c in present]
            parts = self._rows([str(c) for c in present], sets, {})
            outer = np.array([self.cells.cohort_size[rows[0]] for rows in sets])
            outer = outer / outer.sum()
            values = parts.weights @ self.coef
            if self.of_cohorts:
                gradient[present] = outer * (values - outer @ values) / self.shares[present]
        else:
            parts = self.event(post) if average == "event" else self.by_label(post, average)
            outer = np.full(len(parts.terms), 1 / len(parts.terms))
        words = {
            "event": {"en": "Mean of the effects by event time, equal weights", "zh": "各相对处理期效应的简单平均"},
            "period": {"en": "Mean of the effects by calendar period, equal weights", "zh": "各日历时期效应的简单平均"},
            "cohort": {
                "en": "Mean of the effects by cohort, weighted by its units",
                "zh": "各队列效应的平均，以单元数加权",
            },
        }[average]
        size = np.array([self.cells.size[rows].sum()])
        weights = (outer @ parts.weights)[None, :]
        return Averages(("overall",), weights, (outer @ parts.gradient + gradient)[None, :], None, size, words)

    def _rows(
        self, terms: list[str], sets: list[IntArray], words: Text, event_time: list[int] | None = None
    ) -> Averages:
        means = [self.mean(rows) for rows in sets]
        return Averages(
            tuple(terms),
            np.array([weights for weights, _ in means]),
            np.array([gradient for _, gradient in means]),
            event_time,
            np.array([self.cells.size[rows].sum() for rows in sets]),
            words,
        )


def _ordered(labels: Iterable[Any]) -> list[Any]:
    """Distinct labels, sorted."""
    return sorted(set(labels))
