"""Control units that look like the treated: weights on arrays, and how well covariates are balanced."""

from dataclasses import dataclass

import numpy as np

from econ.did.doubly_robust import Failure, balancing_odds, propensity_index
from econ.linear.fit import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Match:
    """``weights`` (n,): one for treated units with a match, weights of controls that sum to the number of those;
    ``unmatched`` (n,): treated units for whom no control is near enough."""

    weights: FloatArray
    unmatched: BoolArray


def entropy_weights(treated: BoolArray, x: FloatArray) -> Match | Failure:
    """Weights of controls, as even as can be, with which their means of x equal those of the treated.

    Hainmueller (2012): they maximise entropy, so that the weight of control i is ``exp(x_i' g)`` up to scale.
    """
    odds = balancing_odds(treated, x, np.ones(len(x)))
    if isinstance(odds, str):
        return odds
    weights = np.where(treated, 1.0, odds * treated.sum() / odds.sum())
    return Match(weights, np.zeros(len(x), dtype=np.bool_))


def nearest_weights(treated: BoolArray, x: FloatArray, neighbours: int, caliper: float | None) -> Match | Failure:
    """How often each control is among the ``neighbours`` nearest to a treated unit in the index of a logit.

    Matching is with replacement; a treated unit without a control within ``caliper`` standard deviations of the index
    is unmatched, one with fewer than ``neighbours`` takes those there are. Of equally near controls the first count.
    """
    index = propensity_index(treated, x, np.ones(len(x)))
    if isinstance(index, str):
        return index
    rows, others = np.flatnonzero(treated), np.flatnonzero(~treated)
    distance = np.abs(index[rows, None] - index[others])
    order: IntArray = np.argsort(distance, axis=1, kind="stable")[:, :neighbours]
    near = np.ones(order.shape, dtype=np.bool_)
    if caliper is not None:
        near = np.take_along_axis(distance, order, axis=1) <= caliper * index.std()
    counts = near.sum(axis=1)
    weights, unmatched = np.zeros(len(x)), np.zeros(len(x), dtype=np.bool_)
    weights[rows], unmatched[rows] = counts > 0, counts == 0
    share = near / np.maximum(counts, 1)[:, None]
    np.add.at(weights, others[order].ravel(), share.ravel())
    return Match(weights, unmatched)


def balance(treated: BoolArray, x: FloatArray, weights: FloatArray) -> dict[str, FloatArray]:
    """Means and spreads of each column of x before and after weighting, (p,) each.

    Standardised differences are in standard deviations among the treated, before and after alike; variance ratios are
    controls' over the treated's.
    """
    target, spread = x[treated].mean(axis=0), x[treated].std(axis=0, ddof=1) if treated.sum() > 1 else x.std(axis=0)
    raw, w = x[~treated], weights[~treated] / weights[~treated].sum()
    matched = w @ raw
    variance = w @ (raw - matched) ** 2 / (1 - w @ w) if w @ w < 1 else np.zeros(x.shape[1])
    unit = np.where(spread > 0, spread, np.nan)
    return {
        "mean_treated": target,
        "mean_controls": raw.mean(axis=0),
        "mean_matched": matched,
        "std_diff_before": (target - raw.mean(axis=0)) / unit,
        "std_diff_after": (target - matched) / unit,
        "variance_ratio_before": raw.var(axis=0, ddof=1) / unit**2,
        "variance_ratio_after": variance / unit**2,
    }
