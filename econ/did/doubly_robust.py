"""Two groups in two periods with covariates, on arrays: outcome regression, inverse probability, doubly robust.

Every estimator here is a difference of *levels*. With ``D`` the treated, ``s`` the rows in which an outcome is seen,
and covariates with an intercept ``X``,

    reg   mean of y over D, s           less  mean of X b over D
    ipw   mean of y over D, s           less  mean of y over controls in s, weighted by their odds p/(1-p)
    dr    mean of y - X b over D, s     less  the same over controls in s, weighted by their odds,
          plus mean of X(b1 - b) over D less  mean of X(b1 - b) over D, s

with ``b`` (``b1``) the regression of y on X among controls (treated) in s, and p the logit of D on X. In a panel, y is
the change of each unit and s everybody: the effect is one level, and the last line of ``dr`` is zero. In repeated
cross-sections the effect is the level of the later period less that of the earlier one, p coming from both together.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import expit

from econ.linear.fit import BoolArray, FloatArray
from econ.options import AttMethod

TRIM = 0.995  # controls with a propensity this high or higher get no weight
OVERLAP = 0.999  # where a propensity is this high or higher, covariates predict treatment perfectly
_RANK = 1e-10  # smallest eigenvalue of a correlation matrix of full rank
_FLAT = 1e-14  # the same for the curvature of the propensity, which controls that are certain to be some leave flat
_ROUNDS, _HALVINGS = 60, 30
_SETTLED = 1e-13  # expected gain of a Newton step per unit of weight; the step that follows squares what is left

Failure = Literal["collinear", "overlap"]
Objective = Callable[[FloatArray, BoolArray], tuple[FloatArray, FloatArray, FloatArray]]


@dataclass(frozen=True, eq=False)
class Att:
    """Effects on the treated.

    Attributes
    ----------
    att : (K,) one for each outcome
    influence : (n, K), ``att - truth = sum of influences`` to first order
    trimmed : controls left without weight because of their propensity
    """

    att: FloatArray
    influence: FloatArray
    trimmed: int


def panel_att(
    change: FloatArray, treated: BoolArray, x: FloatArray, weights: FloatArray, method: AttMethod
) -> Att | Failure:
    """Effects from changes of the outcomes of units.

    Sant'Anna and Zhao (2020): ``"reg"`` eq. 2.2, ``"ipw"`` Abadie's (2005) with weights that add up to one, ``"dr"``
    eq. 3.1 with logit and least squares, ``"dr_improved"`` section 3.1: the propensity balances the means of x, the
    regression is weighted by its odds, and neither moves the effect to first order.

    Parameters
    ----------
    change : (n, K)
    treated, weights : (n,)
    x : (n, p) without the intercept

    Returns
    -------
    The effects, or why there are none: covariates ``"collinear"`` (among themselves, with the intercept, or more than
    rows) in a group that a regression rests on; no ``"overlap"``.
    """
    X = _standardised(x, weights)
    odds = _odds(treated, X, weights, method)
    if isinstance(odds, str):
        return odds
    return _level(change, None, treated, X, weights, odds, method)


def repeated_att(
    y: FloatArray, later: BoolArray, treated: BoolArray, x: FloatArray, weights: FloatArray, method: AttMethod
) -> Att | Failure:
    """Effect from two samples, one before and one after.

    Sant'Anna and Zhao (2020): ``"reg"`` and ``"ipw"`` as in a panel, ``"dr"`` and ``"dr_improved"`` the locally
    efficient ones (eq. 3.4). Treated and controls must have the same distribution of x in both samples.

    The influence of ``"dr"`` is the derivative of the estimator with respect to the weight of a row. R's DRDID has the
    regression of the earlier sample in it with the opposite sign, of no consequence where the logit is right.

    Parameters
    ----------
    y, later, treated, weights : (n,); ``later`` flags the rows of the later sample
    x : (n, p) without the intercept
    """
    X = _standardised(x, weights)
    odds = _odds(treated, X, weights, method)
    if isinstance(odds, str):
        return odds
    after, before = (_level(y[:, None], s, treated, X, weights, odds, method) for s in (later, ~later))
    if isinstance(after, str) or isinstance(before, str):
        return "overlap" if "overlap" in (after, before) else "collinear"
    return Att(after.att - before.att, after.influence - before.influence, after.trimmed)


def balancing_odds(treated: BoolArray, x: FloatArray, weights: FloatArray) -> FloatArray | Failure:
    """(n,) odds of controls, zero for the treated, with which the means of x are those of the treated."""
    found = _odds(treated, _standardised(x, weights), weights, "dr_improved")
    return found.weights if isinstance(found, _Odds) else found or "overlap"


def propensity_index(treated: BoolArray, x: FloatArray, weights: FloatArray) -> FloatArray | Failure:
    """(n,) linear index of the logit of treatment on x."""
    X = _standardised(x, weights)
    if _inverse((X.T * weights) @ X) is None:
        return "collinear"
    eta = _climb(X, treated, weights, _logit)
    return "overlap" if eta is None else eta


# ---- levels


@dataclass(frozen=True, eq=False)
class _Odds:
    """Odds of treatment ``w p/(1-p)`` of controls, zero for the treated.

    ``influence`` (n, p) on the coefficients of the propensity, None where they do not move the effect to first order.
    """

    weights: FloatArray
    influence: FloatArray | None
    trimmed: int


@dataclass(frozen=True, eq=False)
class _Regression:
    """Weighted least squares of K outcomes: ``coef`` (p, K); ``residuals`` (n, K), for rows outside it too."""

    coef: FloatArray
    residuals: FloatArray
    weighted_rows: FloatArray

    def effect(self, m: FloatArray) -> FloatArray:
        """(n, K) influences on ``m' coef``."""
        influence: FloatArray = (self.weighted_rows @ m)[:, None] * self.residuals
        return influence


def _level(
    y: FloatArray,
    seen: BoolArray | None,
    treated: BoolArray,
    X: FloatArray,
    weights: FloatArray,
    odds: _Odds | None,
    method: AttMethod,
) -> Att | Failure:
    """The outcomes (n, K) of the treated less what they would be; ``seen`` None = everybody."""
    a = weights * treated
    a_s = a if seen is None else a * seen
    controls = (weights - a) if seen is None else (weights - a) * seen
    if odds is None:
        return _regression_level(y, a, a_s, controls, X)
    c = odds.weights if seen is None else odds.weights * seen
    if not c.sum() > 0:
        return "overlap"
    if method == "ipw":
        return _weighting_level(y, a_s, c, X, odds)
    control = _regress(y, X, controls if method == "dr" else c)
    if control is None:
        return "collinear"
    found = _weighting_level(control.residuals, a_s, c, X, odds)
    if method == "dr":
        found = _plus(found, 0.0, control.effect(_mean(c, X) - _mean(a_s, X)))
    return found if seen is None else _efficient(found, y, a, a_s, X, control, method)


def _regression_level(
    y: FloatArray, a: FloatArray, a_s: FloatArray, controls: FloatArray, X: FloatArray
) -> Att | Failure:
    control = _regress(y, X, controls)
    if control is None:
        return "collinear"
    fitted = X @ control.coef
    influence = _about_mean(a_s, y) - _about_mean(a, fitted) - control.effect(_mean(a, X))
    return Att(_mean(a_s, y) - _mean(a, fitted), influence, 0)


def _weighting_level(y: FloatArray, a: FloatArray, c: FloatArray, X: FloatArray, odds: _Odds) -> Att:
    """Mean over the treated less that over controls weighted by their odds."""
    a, c = a / a.sum(), c / c.sum()
    means = np.array([a @ y, c @ y])
    columns, gradient = np.column_stack([a, -c]), means
    if odds.influence is not None:
        moved = (X.T * c) @ y - np.outer(X.T @ c, means[1])
        columns, gradient = np.hstack([columns, odds.influence]), np.vstack([means, moved])
    influence = (a - c)[:, None] * y
    influence -= columns @ gradient
    return Att(means[0] - means[1], influence, odds.trimmed)


def _efficient(
    found: Att, y: FloatArray, a: FloatArray, a_s: FloatArray, X: FloatArray, control: _Regression, method: AttMethod
) -> Att | Failure:
    """What the treated of the other sample add (eq. 3.4)."""
    treated = _regress(y, X, a_s)
    if treated is None:
        return "collinear"
    gap = X @ (treated.coef - control.coef)
    influence = _about_mean(a, gap) - _about_mean(a_s, gap)
    if method == "dr":
        m = _mean(a, X) - _mean(a_s, X)
        influence += treated.effect(m) - control.effect(m)
    return _plus(found, _mean(a, gap) - _mean(a_s, gap), influence)


def _plus(found: Att, att: FloatArray | float, influence: FloatArray) -> Att:
    return Att(found.att + att, found.influence + influence, found.trimmed)


def _mean(w: FloatArray, values: FloatArray) -> FloatArray:
    mean: FloatArray = w @ values / w.sum()
    return mean


def _about_mean(w: FloatArray, values: FloatArray) -> FloatArray:
    """(n, K) influences on the mean."""
    influence: FloatArray = (w / w.sum())[:, None] * (values - _mean(w, values))
    return influence


def _regress(y: FloatArray, X: FloatArray, w: FloatArray) -> _Regression | None:
    """None where X is collinear in the rows that have weight."""
    bread = _inverse((X.T * w) @ X)
    if bread is None:
        return None
    coef = bread @ ((X.T * w) @ y)
    return _Regression(coef, y - X @ coef, w[:, None] * (X @ bread))


# ---- the propensity


def _odds(treated: BoolArray, X: FloatArray, weights: FloatArray, method: AttMethod) -> _Odds | Failure | None:
    """None for ``"reg"``, which needs none."""
    if method == "reg":
        return None
    if _inverse((X.T * weights) @ X) is None:
        return "collinear"
    eta = _climb(X, treated, weights, _balance if method == "dr_improved" else _logit)
    if eta is None:
        return "overlap"
    if method == "dr_improved":
        return _Odds(weights * np.exp(np.where(treated, -np.inf, eta)), None, 0)
    p = expit(eta)
    bread = _inverse((X.T * (weights * p * (1 - p))) @ X, _FLAT)
    if bread is None or p.max() >= OVERLAP:
        return "overlap"
    kept = ~treated & (p < TRIM)
    influence = (weights * (treated - p))[:, None] * (X @ bread)
    return _Odds(np.where(kept, weights * p / (1 - p), 0.0), influence, int((~treated & ~kept).sum()))


def _climb(X: FloatArray, treated: BoolArray, weights: FloatArray, objective: Objective) -> FloatArray | None:
    """(n,) linear index at the maximum of a concave objective, by Newton's steps; None where there is no maximum."""
    share = float(weights @ treated / weights.sum())
    eta = np.full(len(X), np.log(share / (1 - share)))
    value, score, curvature = objective(eta, treated)
    for _ in range(_ROUNDS):
        gradient = X.T @ (weights * score)
        bread = _inverse((X.T * (weights * curvature)) @ X, _FLAT)
        if bread is None:
            return None
        step = X @ (bread @ gradient)
        if gradient @ bread @ gradient <= _SETTLED * weights.sum():
            settled: FloatArray = eta + step
            return settled
        old = weights @ value
        for _ in range(_HALVINGS):
            value, score, curvature = objective(eta + step, treated)
            if weights @ value >= old:
                break
            step = step / 2
        eta = eta + step
    return None


def _logit(eta: FloatArray, treated: BoolArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Log likelihood, its first and its negative second derivative, by row."""
    p = expit(eta)
    sure = np.where(treated, eta, -eta)
    return np.minimum(sure, 0.0) - np.log1p(np.exp(-np.abs(eta))), treated - p, p * (1 - p)


def _balance(eta: FloatArray, treated: BoolArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """``D eta - (1 - D) exp(eta)`` (Graham, Pinto and Egel 2012): odds at its maximum give controls the treated's x."""
    odds = np.exp(np.where(treated, -np.inf, np.minimum(eta, 700.0)))
    return np.where(treated, eta, -odds), treated - odds, odds


# ---- arrays


def _standardised(x: FloatArray, weights: FloatArray) -> FloatArray:
    """(n, 1 + p) ones, and covariates about their means in units of their spread, zero where they do not vary."""
    centred = x - _mean(weights, x)
    spread = np.sqrt(_mean(weights, centred**2))
    varies = spread > 1e-9 * np.sqrt(_mean(weights, x**2))
    return np.column_stack([np.ones(len(x)), np.divide(centred, spread, out=np.zeros_like(centred), where=varies)])


def _inverse(gram: FloatArray, least: float = _RANK) -> FloatArray | None:
    """Inverse of a cross product in units in which its diagonal is one; None where it is singular."""
    scale = np.sqrt(np.diag(gram))
    if not (scale > 0).all():
        return None
    correlation = gram / np.outer(scale, scale)
    if np.linalg.eigvalsh(correlation)[0] < least:
        return None
    inverse: FloatArray = np.linalg.inv(correlation) / np.outer(scale, scale)
    return inverse
