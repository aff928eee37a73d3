"""Resampling of units with their whole histories, for indices over time and their change."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from econ.disparity.cells import Cells, known_cells
from econ.errors import ModelError, OptionError
from econ.linear.fit import FloatArray, IntArray
from econ.options import check_draws, check_level
from econ.panel import Panel
from econ.text import Text

FEWEST_DRAWS = 99
BLOCK = 50_000  # resampled cells held at a time: they stay in the cache, four times faster than all at once
SMALLEST = 3  # units in a period: fewer have no bootstrap worth the name
Index = Callable[[FloatArray, FloatArray, FloatArray], FloatArray]
"""Values sorted upwards (n,), weights (B, n), and how many units each row of weights stands for (B,) -> (B,)."""
Measure = Callable[[FloatArray, FloatArray, FloatArray, IntArray], FloatArray]
"""The same and the units (n,) that the values are of -> several numbers (K, B)."""

FEW = 100  # units below which intervals are noticeably short; docs/simulations_inequality.md
SUPERPOPULATION: Text = {
    "en": "Intervals regard the regions as draws from a larger population: units are resampled with their whole "
    "histories, bias-corrected percentile intervals.",
    "zh": "区间将各地区视为来自更大总体的抽样：以整个时间序列为单位对地区重抽样，采用偏差校正百分位区间。",
}
FEW_UNITS: Text = {
    "en": f"With fewer than {FEW} regions the intervals are somewhat short and the test of change rejects somewhat too "
    "often (docs/simulations_inequality.md).",
    "zh": f"地区少于{FEW}个时，区间略窄，变化检验的拒绝率略高（见docs/simulations_inequality.md）。",
}


@dataclass(frozen=True, eq=False)
class Inequality:
    """An index of inequality over time, with bootstrap intervals.

    Attributes
    ----------
    path : ``period, n, mean, estimate, std_error, ci_low, ci_high``
    test : ``start, end, change, std_error, ci_low, ci_high, p_value``; last period minus first
    replicates : (draws, periods) the index in each bootstrap sample; missing where a sample has no unit known in the
        period
    spec : what was asked for, as plain JSON
    notes : what a reader must know
    """

    path: pd.DataFrame
    test: pd.DataFrame
    replicates: FloatArray
    spec: dict[str, Any]
    notes: tuple[Text, ...] = ()

    def change(self, start: Any, end: Any) -> pd.DataFrame:
        """One row like ``test`` for any two periods; both come from the same draws of units, so pairing is kept."""
        at = {period: k for k, period in enumerate(self.path["period"])}
        if start not in at or end not in at or start == end:
            raise OptionError(
                f"change({start!r}, {end!r}): give two different periods from {self.path['period'].iloc[0]} to "
                f"{self.path['period'].iloc[-1]}."
            )
        estimate = self.path["estimate"].to_numpy()
        difference = self.replicates[:, at[end]] - self.replicates[:, at[start]]
        row = _summary(float(estimate[at[end]] - estimate[at[start]]), difference, self.spec["level"])
        row["p_value"] = p_value(row["estimate"], difference)
        return pd.DataFrame([{"start": start, "end": end, "change": row.pop("estimate"), **row}])


def bootstrapped(
    panel: Panel,
    x: str,
    index: Index,
    spec: dict[str, Any],
    *,
    weights: str | None,
    zeros: bool,
    draws: int,
    seed: int,
    level: float,
) -> Inequality:
    """An index by period, its bootstrap distribution, and the test of its change from the first to the last period."""

    def measure(x: FloatArray, w: FloatArray, n: FloatArray, unit: IntArray) -> FloatArray:
        return index(x, w, n)[None]

    return bootstrapped_parts(
        panel, x, measure, [spec], weights=weights, zeros=zeros, draws=draws, seed=seed, level=level
    )[0]


def bootstrapped_parts(
    panel: Panel,
    x: str,
    measure: Measure,
    specs: Sequence[dict[str, Any]],
    *,
    weights: str | None,
    zeros: bool,
    draws: int,
    seed: int,
    level: float,
) -> list[Inequality]:
    """Several numbers by period from the same draws of units, one result each; ``specs`` says what they are."""
    check_level(level)
    check_draws(draws, seed, FEWEST_DRAWS)
    cells = known_cells(panel, x, weights, zeros=zeros, smallest=SMALLEST)
    estimates = _by_period(cells, measure, np.ones((1, panel.n_units)), len(specs))[:, 0]
    blocks = [_by_period(cells, measure, c, len(specs)) for c in _resampled(panel.n_units, cells, draws, seed)]
    replicates = np.concatenate(blocks, axis=1)
    common = {
        "outcome": x, "weights": weights, "draws": draws, "seed": seed, "level": level, "dataset": panel.dataset,
        "labels": panel.labels([x, *([weights] if weights else [])]),
    }  # fmt: skip
    return [_result(cells, estimates[k], replicates[k], spec | common) for k, spec in enumerate(specs)]


def _result(cells: Cells, estimates: FloatArray, replicates: FloatArray, spec: dict[str, Any]) -> Inequality:
    level = spec["level"]
    rows = [_summary(float(estimates[t]), replicates[:, t], level) for t in range(len(cells.periods))]
    head = {"period": cells.periods, "n": np.bincount(cells.period), "mean": cells.means()}
    few = (FEW_UNITS,) if np.bincount(cells.period).min() < FEW else ()
    notes = (*cells.notes, SUPERPOPULATION, *few, *_empty_note(replicates))
    result = Inequality(pd.DataFrame(head).join(pd.DataFrame(rows)), pd.DataFrame(), replicates, spec, notes)
    if len(cells.periods) == 1:
        return result
    test = result.change(cells.periods[0], cells.periods[-1])
    return Inequality(result.path, test, replicates, spec, notes)


def p_value(estimate: float, replicates: FloatArray) -> float:
    """Two-sided p-value of zero: the level at which the bias-corrected interval just reaches it."""
    known = replicates[~np.isnan(replicates)]
    below = _normal_score(known, 0.0)
    tail = float(stats.norm.cdf(below - 2 * _normal_score(known, estimate)))
    return 2 * min(tail, 1 - tail)


def _resampled(n_units: int, cells: Cells, draws: int, seed: int) -> Iterator[FloatArray]:
    """Blocks (b, n_units) of how often each unit is drawn, among the units known in some period."""
    rng = np.random.default_rng(seed)
    used = np.unique(cells.unit)
    block = max(1, BLOCK // len(used))
    for start in range(0, draws, block):
        size = min(block, draws - start)
        drawn = used[rng.integers(0, len(used), (size, len(used)))] + n_units * np.arange(size)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=size * n_units)
        yield counts.reshape(size, n_units).astype(np.float64)


def _by_period(cells: Cells, measure: Measure, counts: FloatArray, k: int) -> FloatArray:
    """(k, b, T) with each unit standing ``counts`` times; missing where no unit of the period stands at all."""
    result = np.full((k, len(counts), len(cells.periods)), np.nan)
    for t, rows in enumerate(cells.spans()):
        times = counts[:, cells.unit[rows]]
        n = times.sum(axis=1)
        weights = times * cells.weights[rows]
        fit = (weights @ cells.x[rows]) > 0
        result[:, fit, t] = measure(cells.x[rows], weights[fit], n[fit], cells.unit[rows])
    return result


def _summary(estimate: float, replicates: FloatArray, level: float) -> dict[str, float]:
    known = replicates[~np.isnan(replicates)]
    if len(known) < FEWEST_DRAWS:
        raise ModelError(
            f"Only {len(known)} of {len(replicates)} bootstrap samples have a value; too few units are known. "
            "Leave such periods out with panel.where(...)."
        )
    low, high = _bias_corrected(estimate, known, level)
    return {"estimate": estimate, "std_error": float(known.std(ddof=1)), "ci_low": low, "ci_high": high}


def _bias_corrected(estimate: float, known: FloatArray, level: float) -> tuple[float, float]:
    """Bias-corrected percentile interval (Efron 1981; Efron and Tibshirani 1993, sec. 14.3, no acceleration)."""
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    shifted = stats.norm.cdf(2 * _normal_score(known, estimate) + stats.norm.ppf(tails))
    low, high = np.quantile(known, shifted)
    return float(low), float(high)


def _normal_score(known: FloatArray, value: float) -> float:
    """Normal quantile of the share of replicates below a value, ties counted half, kept off 0 and 1."""
    tied = np.isclose(known, value, rtol=1e-12, atol=1e-15)
    share = float(((known < value) & ~tied).mean() + tied.mean() / 2)
    edge = 1 / (len(known) + 1)
    return float(stats.norm.ppf(min(max(share, edge), 1 - edge)))


def _empty_note(replicates: FloatArray) -> tuple[Text, ...]:
    lost = int(np.isnan(replicates).any(axis=1).sum())
    if not lost:
        return ()
    return (
        {
            "en": f"{lost} of {len(replicates)} bootstrap samples have no value in some period and are left out of it.",
            "zh": f"{len(replicates)}个自助样本中有{lost}个在某些时期没有取值，未计入相应时期。",
        },
    )
