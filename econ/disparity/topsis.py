"""TOPSIS: how close a region is to the best of all indicators."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from econ.disparity.composite import Composite, composite_spec, ranked
from econ.disparity.indicators import Indicators, Matrix, read_indicators
from econ.disparity.weighting import Zero, block_weights, weights_frame, weights_note, zero_rule
from econ.linear.fit import FloatArray
from econ.options import IndicatorScaling, WeightMethod, ZeroWord
from econ.panel import Panel


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
    ``d- / (d+ + d-)``, 1 = best in everything (Hwang and Yoon 1981, with vector normalisation).

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
    best, worst = ideal_distances(data, w)
    scores = data.keys.assign(distance_best=best, distance_worst=worst, score=worst / (best + worst))
    spec = composite_spec("topsis", panel, data, weights, rule, scaling)
    notes = (*panel.notes, *data.notes, weights_note(weights, rule, scaling))
    return Composite(weights_frame(data, w), ranked(scores), spec, notes)


def ideal_distances(data: Matrix, weights: Mapping[Any, FloatArray]) -> tuple[FloatArray, FloatArray]:
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
