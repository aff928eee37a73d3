"""Composite indices: weights that the data give, and the scores and ranks that they make."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from econ.disparity.indicators import Indicators, Matrix, read_indicators
from econ.disparity.weighting import Zero, block_weights, weights_frame, weights_note, zero_rule
from econ.linear.fit import FloatArray
from econ.options import IndicatorScaling, WeightMethod, ZeroWord
from econ.panel import Panel
from econ.text import Text


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

    See Also
    --------
    critic_weights, pca_weights, equal_weights : other rules, with the same arguments. ``topsis``, ``coupling`` and
        ``rank_sensitivity`` take any of them by name: ``weights="critic"``.

    References
    ----------
    Shannon (1948); Hwang and Yoon (1981), Multiple Attribute Decision Making.

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
    Pearson's correlation; ``w_j = C_j / sum_k C_k`` (Diakoulaki, Mavrotas and Papayannakis 1995).
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


def _weighted(
    panel: Panel, columns: Indicators, method: WeightMethod, zero: Zero | ZeroWord, scaling: IndicatorScaling
) -> Composite:
    data, rule = read_indicators(panel, columns, scaling), zero_rule(zero)
    w = block_weights(data, method, rule)
    scores = data.keys.assign(score=linear_scores(data, w))
    spec = composite_spec(f"{method}_weights", panel, data, method, rule, scaling)
    notes = (*panel.notes, *data.notes, weights_note(method, rule, scaling))
    return Composite(weights_frame(data, w), ranked(scores), spec, notes)


def linear_scores(data: Matrix, weights: Mapping[Any, FloatArray]) -> FloatArray:
    """(N,) weighted mean of the scaled indicators."""
    score = np.empty(len(data.z))
    for label, rows in data.blocks():
        score[rows] = data.z[rows] @ weights[label]
    return score


def ranked(scores: pd.DataFrame) -> pd.DataFrame:
    """The scores with their ``rank`` within the period."""
    return scores.assign(rank=rank_within(scores["period"], scores["score"]))


def rank_within(period: "pd.Series[Any]", score: "pd.Series[float] | FloatArray") -> "pd.Series[int]":
    """Rank of each score among those of its period, 1 = highest; equal scores share the better rank."""
    return pd.Series(score, index=period.index).groupby(period).rank(ascending=False, method="min").astype(np.int64)


def composite_spec(
    name: str, panel: Panel, data: Matrix, weights: WeightMethod | Mapping[str, float], zero: Zero, scaling: str
) -> dict[str, Any]:
    """What was asked for, as plain JSON."""
    return {
        "estimator": name,
        "indicators": dict(zip(data.names, data.directions, strict=True)),
        "weights": dict(weights) if isinstance(weights, Mapping) else weights,
        "zero": {"low": zero.low, "high": zero.high, "words": dict(zero.words)},
        "scaling": scaling,
        "dataset": panel.dataset,
        "labels": panel.labels(data.names),
    }
