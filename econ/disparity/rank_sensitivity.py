"""How far the ranks of a composite index hang on its weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from econ.disparity.composite import composite_spec, linear_scores, rank_within
from econ.disparity.indicators import Indicators, Matrix, read_indicators
from econ.disparity.topsis import ideal_distances
from econ.disparity.weighting import Zero, block_weights, weights_note, zero_rule
from econ.errors import OptionError
from econ.linear.fit import FloatArray, IntArray
from econ.options import IndicatorScaling, WeightMethod, ZeroWord, check_draws, check_level
from econ.panel import Panel
from econ.text import Text


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """How ranks move with the weights.

    Attributes
    ----------
    ranks : the panel's unit column, ``period``; ``rank`` under the base weights and its interval ``rank_low,
        rank_high`` over perturbed weights; the ranks by ``entropy, critic, pca, equal`` weights and ``topsis``
    agreement : ``rule_a, rule_b, spearman``, mean over periods of Spearman's correlation of the ranks
    spec, notes : as in ``Composite``
    """

    ranks: pd.DataFrame
    agreement: pd.DataFrame
    spec: dict[str, Any]
    notes: tuple[Text, ...] = ()


def rank_sensitivity(
    panel: Panel,
    columns: Indicators,
    *,
    weights: WeightMethod | Mapping[str, float] = "entropy",
    zero: Zero | ZeroWord = "limit",
    scaling: IndicatorScaling = "pooled",
    spread: float = 0.25,
    draws: int = 999,
    seed: int = 1,
    level: float = 0.95,
) -> Sensitivity:
    """Ranks under other weights: under each rule, and over random weights around the base.

    Each draw multiplies every base weight by an independent uniform number in [1 - spread, 1 + spread] and scales the
    weights to sum to 1 (OECD 2008, Handbook on Constructing Composite Indicators, sec. 7); ``rank_low`` and
    ``rank_high`` are the quantiles of the rank that hold ``level`` of the draws. They say how firm a rank is against
    the choice of weights, and nothing of sampling error.

    Parameters
    ----------
    spread : between 0 and 1; 0.25 = weights up to a quarter smaller or larger.
    draws, seed : random weights, and what makes them repeatable.
    panel, columns, weights, zero, scaling : as in ``topsis``.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").where(lambda d: d["year"] == 2019)
    >>> columns = ["rd_expenditure", "invention_grants", "hightech_revenue"]
    >>> result = econ.disparity.rank_sensitivity(panel, columns, draws=99)
    >>> result.ranks.set_index("province").loc["Guangdong", ["rank_low", "rank_high"]].tolist()
    [1, 1]
    """
    check_level(level)
    check_draws(draws, seed)
    if not 0 < spread < 1:
        raise OptionError(f"spread={spread!r} is not allowed; give a share between 0 and 1, such as 0.25.")
    data, rule = read_indicators(panel, columns, scaling), zero_rule(zero)
    base = block_weights(data, weights, rule)
    period = data.keys["period"]
    ranks = data.keys.assign(rank=rank_within(period, linear_scores(data, base)))
    ranks["rank_low"], ranks["rank_high"] = _rank_interval(data, base, spread, draws, seed, level)
    methods: tuple[WeightMethod, ...] = ("entropy", "critic", "pca", "equal")
    for method in methods:
        ranks[method] = rank_within(period, linear_scores(data, block_weights(data, method, rule)))
    best, worst = ideal_distances(data, base)
    ranks["topsis"] = rank_within(period, worst / (best + worst))
    spec = composite_spec("rank_sensitivity", panel, data, weights, rule, scaling)
    spec |= {"spread": spread, "draws": draws, "seed": seed, "level": level}
    notes = (*panel.notes, *data.notes, weights_note(weights, rule, scaling), _draws_note(spread, draws, seed, level))
    return Sensitivity(ranks, _agreement(ranks, [*methods, "topsis"]), spec, notes)


def _rank_interval(
    data: Matrix, base: Mapping[Any, FloatArray], spread: float, draws: int, seed: int, level: float
) -> tuple[IntArray, IntArray]:
    factors = np.random.default_rng(seed).uniform(1 - spread, 1 + spread, (draws, len(data.names)))
    scores = np.empty((draws, len(data.z)))
    for label, rows in data.blocks():
        w = base[label] * factors
        scores[:, rows] = (w / w.sum(axis=1, keepdims=True)) @ data.z[rows].T
    ranks = np.empty(scores.shape, dtype=np.intp)
    for code in np.unique(data.period):
        rows = data.period == code
        ranks[:, rows] = 1 + np.argsort(np.argsort(-scores[:, rows], axis=1, kind="stable"), axis=1)
    tail = (1 - level) / 2
    low = np.quantile(ranks, tail, axis=0, method="inverted_cdf")
    return low.astype(np.intp), np.quantile(ranks, 1 - tail, axis=0, method="inverted_cdf").astype(np.intp)


def _agreement(ranks: pd.DataFrame, rules: Sequence[str]) -> pd.DataFrame:
    by_period = [part[list(rules)].corr(method="spearman") for _, part in ranks.groupby("period")]
    mean = sum(by_period[1:], by_period[0]) / len(by_period)
    values = mean.to_numpy()
    rows = [(a, rules[k], float(values[i, k])) for i, a in enumerate(rules) for k in range(i + 1, len(rules))]
    return pd.DataFrame(rows, columns=["rule_a", "rule_b", "spearman"])


def _draws_note(spread: float, draws: int, seed: int, level: float) -> Text:
    return {
        "en": f"Rank intervals hold {100 * level:g} % of {draws} draws of weights within {100 * spread:g} % of the "
        f"base (seed {seed}).",
        "zh": f"位次区间：权重在基准值上下 {100 * spread:g}% 内随机抽取 {draws} 次（种子 {seed}），"
        f"取其中 {100 * level:g}% 的范围。",
    }
