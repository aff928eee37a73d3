"""Composite indices: weights that the data give, scores and ranks, and how far the ranks hang on the weights."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from econ.errors import DataError, ModelError, OptionError
from econ.linear.fit import BoolArray, FloatArray, IntArray
from econ.options import (
    IndicatorDirection,
    IndicatorScaling,
    WeightMethod,
    ZeroWord,
    check_level,
    check_word,
)
from econ.panel import Panel
from econ.text import Text

Indicators = Sequence[str] | Mapping[str, IndicatorDirection]
ALL = "all"
MIN_ROWS = 3


@dataclass(frozen=True)
class Zero:
    """What entropy does with the zeros that min-max scaling makes: ``z`` becomes ``low + (high - low) z``.

    Made by ``limit()``, ``rescale()`` and ``shift()``; prints as words.
    """

    low: float
    high: float
    words: Text

    def apply(self, z: FloatArray) -> FloatArray:
        """The scaled values from which the entropy is computed."""
        return self.low + (self.high - self.low) * z


def limit() -> Zero:
    """Zeros stay, and count as ``0 ln 0 = 0``, the limit of ``p ln p``."""
    return Zero(0.0, 1.0, {"en": "0 ln 0 = 0", "zh": "0 ln 0 = 0"})


def rescale(low: float = 0.002, high: float = 0.998) -> Zero:
    """Min-max to [low, high] in place of [0, 1]."""
    if not 0 < low < high <= 1:
        raise OptionError(f"rescale({low:g}, {high:g}) is not allowed; give 0 < low < high <= 1, such as 0.002, 0.998.")
    return Zero(low, high, {"en": f"rescaled to [{low:g}, {high:g}]", "zh": f"归一化至 [{low:g}, {high:g}]"})


def shift(by: float = 1e-4) -> Zero:
    """Add a small constant to every scaled value."""
    if not 0 < by <= 1:
        raise OptionError(f"shift({by:g}) is not allowed; give a small positive number, such as 0.0001.")
    return Zero(by, 1 + by, {"en": f"shifted by {by:g}", "zh": f"平移 {by:g}"})


@dataclass(frozen=True, eq=False)
class Composite:
    """Weights of indicators and the index that they make.

    Attributes
    ----------
    weights : ``period, indicator, direction, weight``; weights sum to 1 within a period (``"all"`` where pooled)
    scores : the panel's unit column, ``period, score, rank``; rank 1 = highest score of the period. ``topsis`` adds
        ``distance_best, distance_worst``
    spec : what was asked for, as plain JSON
    notes : what a reader must know
    """

    weights: pd.DataFrame
    scores: pd.DataFrame
    spec: dict[str, Any]
    notes: tuple[Text, ...] = ()


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


def entropy_weights(
    panel: Panel,
    columns: Indicators,
    *,
    zero: Zero | ZeroWord = "limit",
    scaling: IndicatorScaling = "pooled",
) -> Composite:
    r"""Weights by information entropy: an indicator counts more the more unequally it is spread.

    With ``z_ij`` the min-max scaled indicator, ``(x - min) / (max - min)``, or ``(max - x) / (max - min)`` for a
    negative one, ``p_ij = z_ij / sum_i z_ij``, ``E_j = -sum_i p_ij ln p_ij / ln n``, and
    ``w_j = (1 - E_j) / sum_k (1 - E_k)``. The score is ``sum_j w_j z_ij`` in [0, 1], of ``z`` before the zero rule.

    Parameters
    ----------
    panel : regions over periods, or a cross-section.
    columns : indicators; a list where more is better in all, else a mapping column -> ``"positive"`` or
        ``"negative"``. Rows that lack any of them are left out, with a note.
    zero : min-max scaling makes a zero in every indicator: ``limit()`` (0 ln 0 = 0, the default),
        ``rescale(0.002, 0.998)`` or ``shift(0.0001)``; their words stand for these values. The weights depend on it.
    scaling : ``"pooled"``: minima, maxima and weights over all rows, so that scores compare over time; ``"period"``:
        within each period, so that they compare only within it.

    References
    ----------
    Shannon (1948); Hwang and Yoon (1981), Multiple Attribute Decision Making, sec. 3.2.3.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").where(lambda d: d["year"] == 2019)
    >>> columns, zero = ["rd_expenditure", "invention_grants"], econ.disparity.rescale(0.002, 0.998)
    >>> result = econ.disparity.entropy_weights(panel, columns, zero=zero)
    >>> result.scores.sort_values("rank")["province"].head(2).tolist()
    ['Guangdong', 'Beijing']
    """
    return _weighted(panel, columns, "entropy", zero, scaling)


def critic_weights(panel: Panel, columns: Indicators, *, scaling: IndicatorScaling = "pooled") -> Composite:
    r"""CRITIC weights: contrast times conflict with the other indicators.

    ``C_j = s_j sum_k (1 - r_jk)`` on min-max scaled indicators, ``s`` the standard deviation (n - 1) and ``r``
    Pearson's correlation; ``w_j = C_j / sum_k C_k`` (Diakoulaki, Mavrotas and Papayannakis 1995, eqs. 3-5).
    Parameters as in ``entropy_weights``.

    Examples
    --------
    >>> import econ
    >>> columns = ["rd_expenditure", "invention_grants", "schooling_years"]
    >>> result = econ.disparity.critic_weights(econ.load("provinces"), columns)
    >>> float(result.weights["weight"].sum().round(12))
    1.0
    """
    return _weighted(panel, columns, "critic", "limit", scaling)


def pca_weights(panel: Panel, columns: Indicators, *, scaling: IndicatorScaling = "pooled") -> Composite:
    r"""Weights from the principal components of the correlation matrix.

    ``w_j = sum_k l_k v_jk^2 / sum_k l_k`` over the components with eigenvalue ``l_k >= 1`` (at least the first), ``v``
    the unit eigenvectors: each component's squared loadings, weighted by the variance that it explains, without
    rotation (OECD 2008, Handbook on Constructing Composite Indicators, sec. 6.1). Were all components kept, the
    weights would all be equal. Parameters as in ``entropy_weights``.

    Examples
    --------
    >>> import econ
    >>> columns = ["rd_expenditure", "invention_grants", "schooling_years"]
    >>> result = econ.disparity.pca_weights(econ.load("provinces"), columns)
    >>> bool((result.weights["weight"] > 0).all())
    True
    """
    return _weighted(panel, columns, "pca", "limit", scaling)


def equal_weights(panel: Panel, columns: Indicators, *, scaling: IndicatorScaling = "pooled") -> Composite:
    """The same weight for every indicator; parameters as in ``entropy_weights``.

    Examples
    --------
    >>> import econ
    >>> result = econ.disparity.equal_weights(econ.load("provinces"), ["rd_expenditure", "invention_grants"])
    >>> result.weights["weight"].tolist()
    [0.5, 0.5]
    """
    return _weighted(panel, columns, "equal", "limit", scaling)


def topsis(
    panel: Panel,
    columns: Indicators,
    *,
    weights: WeightMethod | Mapping[str, float] = "entropy",
    zero: Zero | ZeroWord = "limit",
    scaling: IndicatorScaling = "pooled",
) -> Composite:
    r"""TOPSIS: relative closeness to the best of all indicators.

    ``v_ij = w_j x_ij / sqrt(sum_i x_ij^2)``; ``d+`` and ``d-`` are the Euclidean distances to the best and the worst
    value of each indicator (largest and smallest, the other way round for a negative one); the score is
    ``d- / (d+ + d-)``, 1 = best in everything (Hwang and Yoon 1981, sec. 3.3.3, with vector normalisation).

    Parameters
    ----------
    weights : how the weights are found (see ``entropy_weights``), or indicator -> weight, of any positive sum.
    panel, columns, zero, scaling : as in ``entropy_weights``; ideals and norms are taken over the same rows as weights.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").where(lambda d: d["year"] == 2019)
    >>> result = econ.disparity.topsis(panel, ["rd_expenditure", "invention_grants"])
    >>> result.scores.sort_values("rank")["province"].head(2).tolist()
    ['Guangdong', 'Beijing']
    """
    data, rule = read_indicators(panel, columns, scaling), zero_rule(zero)
    w = block_weights(data, weights, rule)
    best, worst = _ideal_distances(data, w)
    scores = data.keys.assign(distance_best=best, distance_worst=worst, score=worst / (best + worst))
    spec = _spec("topsis", panel, data, weights, rule, scaling)
    notes = (*panel.notes, *data.notes, weights_note(weights, rule, scaling))
    return Composite(weights_frame(data, w), _ranked(scores), spec, notes)


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
    if not 0 < spread < 1 or draws < 1:
        raise OptionError(f"spread={spread!r}, draws={draws!r}: give a spread between 0 and 1 and at least one draw.")
    data, rule = read_indicators(panel, columns, scaling), zero_rule(zero)
    base = block_weights(data, weights, rule)
    ranks = data.keys.assign(rank=_rank(data.period, _linear(data, base)))
    ranks["rank_low"], ranks["rank_high"] = _rank_interval(data, base, spread, draws, seed, level)
    methods: tuple[WeightMethod, ...] = ("entropy", "critic", "pca", "equal")
    for method in methods:
        ranks[method] = _rank(data.period, _linear(data, block_weights(data, method, rule)))
    best, worst = _ideal_distances(data, base)
    ranks["topsis"] = _rank(data.period, worst / (best + worst))
    spec = _spec("rank_sensitivity", panel, data, weights, rule, scaling)
    spec |= {"spread": spread, "draws": draws, "seed": seed, "level": level}
    notes = (*panel.notes, *data.notes, weights_note(weights, rule, scaling), _draws_note(spread, draws, seed, level))
    return Sensitivity(ranks, _agreement(ranks, [*methods, "topsis"]), spec, notes)


# ---- reading


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


# ---- weights


def zero_rule(zero: Zero | ZeroWord) -> Zero:
    """The rule itself, or the one that a word stands for."""
    if isinstance(zero, Zero):
        return zero
    check_word(zero, ZeroWord, "zero")
    return {"limit": limit, "rescale": rescale, "shift": shift}[zero]()


def block_weights(data: Matrix, weights: WeightMethod | Mapping[str, float], zero: Zero) -> dict[Any, FloatArray]:
    """Block label -> (J,) weights that sum to 1."""
    if isinstance(weights, Mapping):
        return dict.fromkeys(data.labels.values(), given_weights(weights, data.names))
    check_word(weights, WeightMethod, "weights")
    return {label: _weigh(data.z[rows], weights, zero, data.names) for label, rows in data.blocks()}


def system_block_weights(
    data: Matrix, inside: BoolArray, weights: WeightMethod | Mapping[str, float], zero: Zero
) -> dict[Any, FloatArray]:
    """Block label -> weights of the indicators ``inside`` one system, summing to 1 within it."""
    if isinstance(weights, Mapping):
        _require_names(weights, data.names)
        weights = {name: weights[name] for name, of in zip(data.names, inside, strict=True) if of}
    return block_weights(data.of(inside), weights, zero)


def given_weights(weights: Mapping[str, float], names: Sequence[str]) -> FloatArray:
    """Weights in the order of ``names``, checked and scaled to sum to 1."""
    _require_names(weights, names)
    w = np.array([weights[name] for name in names], dtype=np.float64)
    if not np.isfinite(w).all() or (w < 0).any() or w.sum() == 0:
        raise OptionError(f"weights={dict(weights)!r} are not allowed; give weights >= 0, not all zero.")
    return np.asarray(w / w.sum())


def _require_names(weights: Mapping[str, float], names: Sequence[str]) -> None:
    if set(weights) != set(names):
        raise OptionError(f"Weights are given for {', '.join(weights)}; give one for each of {', '.join(names)}.")


def _weigh(z: FloatArray, method: WeightMethod, zero: Zero, names: Sequence[str]) -> FloatArray:
    if z.shape[1] == 1 or method == "equal":
        return np.full(z.shape[1], 1 / z.shape[1])
    raw = {"entropy": lambda: _divergence(zero.apply(z)), "critic": lambda: _conflict(z), "pca": lambda: _pca(z)}
    w = raw[method]()
    if w.sum() <= 1e-12:
        raise ModelError(f"{method} weights of {', '.join(names)} do not exist: they are copies of each other.")
    return np.asarray(w / w.sum())


def _divergence(z: FloatArray) -> FloatArray:
    """(J,) one minus the entropy of each column."""
    p = z / z.sum(axis=0)
    logs = np.log(p, out=np.zeros_like(p), where=p > 0)  # 0 ln 0 = 0
    return np.asarray(1 + (p * logs).sum(axis=0) / np.log(len(z)))


def _conflict(z: FloatArray) -> FloatArray:
    return np.asarray(z.std(axis=0, ddof=1) * (1 - np.corrcoef(z.T)).sum(axis=0))


def _pca(z: FloatArray) -> FloatArray:
    values, vectors = np.linalg.eigh(np.corrcoef(z.T))
    kept = (values >= 1) | (values == values.max())
    return np.asarray(vectors[:, kept] ** 2 @ values[kept])


def weights_frame(data: Matrix, weights: Mapping[Any, FloatArray]) -> pd.DataFrame:
    """``period, indicator, direction, weight``."""
    parts = [
        pd.DataFrame({"period": label, "indicator": data.names, "direction": data.directions, "weight": w})
        for label, w in weights.items()
    ]
    return pd.concat(parts, ignore_index=True)


# ---- scores


def _weighted(
    panel: Panel, columns: Indicators, method: WeightMethod, zero: Zero | ZeroWord, scaling: IndicatorScaling
) -> Composite:
    data, rule = read_indicators(panel, columns, scaling), zero_rule(zero)
    w = block_weights(data, method, rule)
    scores = data.keys.assign(score=_linear(data, w))
    spec = _spec(f"{method}_weights", panel, data, method, rule, scaling)
    notes = (*panel.notes, *data.notes, weights_note(method, rule, scaling))
    return Composite(weights_frame(data, w), _ranked(scores), spec, notes)


def _linear(data: Matrix, weights: Mapping[Any, FloatArray]) -> FloatArray:
    """(N,) weighted mean of the scaled indicators."""
    score = np.empty(len(data.z))
    for label, rows in data.blocks():
        score[rows] = data.z[rows] @ weights[label]
    return score


def _ideal_distances(data: Matrix, weights: Mapping[Any, FloatArray]) -> tuple[FloatArray, FloatArray]:
    """(N,) distances to the best and to the worst value of every indicator."""
    best, worst = np.empty(len(data.raw)), np.empty(len(data.raw))
    for label, rows in data.blocks():
        x = data.raw[rows]
        v = weights[label] * x / np.sqrt((x**2).sum(axis=0))
        top = np.where(data.positive, v.max(axis=0), v.min(axis=0))
        bottom = np.where(data.positive, v.min(axis=0), v.max(axis=0))
        best[rows] = np.sqrt(((v - top) ** 2).sum(axis=1))
        worst[rows] = np.sqrt(((v - bottom) ** 2).sum(axis=1))
    return best, worst


def _ranked(scores: pd.DataFrame) -> pd.DataFrame:
    rank = scores.groupby("period")["score"].rank(ascending=False, method="min").astype(np.int64)
    return scores.assign(rank=rank)


def _rank(period: IntArray, score: FloatArray) -> "pd.Series[int]":
    ranks = pd.Series(score).groupby(period).rank(ascending=False, method="min")
    return ranks.astype(np.int64)


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


# ---- words

METHOD_WORDS: Mapping[str, Text] = {
    "entropy": {"en": "entropy", "zh": "熵权法"},
    "critic": {"en": "CRITIC", "zh": "CRITIC 法"},
    "pca": {"en": "principal components (eigenvalues of at least 1)", "zh": "主成分法（特征值不小于 1）"},
    "equal": {"en": "equal", "zh": "等权"},
    "given": {"en": "given", "zh": "给定"},
}
SCALING_WORDS: Mapping[str, Text] = {
    "pooled": {"en": "min-max scaled over all periods together", "zh": "各期合并作极差标准化"},
    "period": {"en": "min-max scaled within each period", "zh": "逐期作极差标准化"},
}


def weights_note(weights: WeightMethod | Mapping[str, float], zero: Zero, scaling: IndicatorScaling) -> Text:
    """How the weights came about, in a sentence."""
    method = weights if isinstance(weights, str) else "given"
    rule = {lang: f" ({zero.words[lang]})" if lang == "en" else f"（{zero.words[lang]}）" for lang in ("en", "zh")}
    tail = rule if method == "entropy" else {"en": "", "zh": ""}
    how, scaled = METHOD_WORDS[method], SCALING_WORDS[scaling]
    return {
        "en": f"Indicators {scaled['en']}; weights: {how['en']}{tail['en']}.",
        "zh": f"指标{scaled['zh']}；权重：{how['zh']}{tail['zh']}。",
    }


def _draws_note(spread: float, draws: int, seed: int, level: float) -> Text:
    return {
        "en": f"Rank intervals hold {100 * level:g} % of {draws} draws of weights within {100 * spread:g} % of the "
        f"base (seed {seed}).",
        "zh": f"位次区间：权重在基准值上下 {100 * spread:g}% 内随机抽取 {draws} 次（种子 {seed}），"
        f"取其中 {100 * level:g}% 的范围。",
    }


def _spec(
    name: str, panel: Panel, data: Matrix, weights: WeightMethod | Mapping[str, float], zero: Zero, scaling: str
) -> dict[str, Any]:
    return {
        "estimator": name,
        "indicators": dict(zip(data.names, data.directions, strict=True)),
        "weights": dict(weights) if isinstance(weights, Mapping) else weights,
        "zero": {"low": zero.low, "high": zero.high, "words": dict(zero.words)},
        "scaling": scaling,
        "dataset": panel.dataset,
        "labels": panel.labels(data.names),
    }
