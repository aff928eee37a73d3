"""Indices of inequality between regions by period, with bootstrap intervals and the test of their change."""

from typing import Any, Literal

import numpy as np
from scipy.special import logsumexp

from econ.disparity.bootstrap import Inequality, bootstrapped
from econ.errors import OptionError
from econ.linear.fit import FloatArray
from econ.options import check_word
from econ.panel import Panel

Convention = Literal["population", "unbiased"]


def gini(
    panel: Panel,
    x: str,
    weights: str | None = None,
    convention: Convention = "population",
    *,
    draws: int = 999,
    seed: int = 1,
    level: float = 0.95,
) -> Inequality:
    r"""Gini coefficient by period.

    ``G = sum_i sum_r p_i p_r |x_i - x_r| / (2 m)`` with ``p`` the shares in the weights (``1/n`` without) and ``m`` the
    mean. From 0 to ``1 - 1/n`` under the ``"population"`` convention; ``"unbiased"`` multiplies by ``n / (n - 1)``, so
    that one region holding everything gives 1, and is the ratio of unbiased estimates of mean difference and mean.

    Intervals: units are drawn with replacement with their whole histories; bias-corrected percentile interval (the
    bootstrap of a Gini coefficient is biased downwards in few regions, which plain percentiles would double). In few
    regions they are still short: docs/simulations_inequality.md has their coverage and the size of the test. ``test``
    and ``change(start, end)`` difference the periods draw by draw; the p-value is the level at which that interval
    reaches zero.

    Parameters
    ----------
    panel : regions over periods, with gaps if need be: each period uses the regions known in it.
    x : zero or positive.
    weights : column of positive weights in each period, such as population when ``x`` is per head.
    convention : ``"population"``, or ``"unbiased"`` (without weights only).
    draws, seed : of the bootstrap.
    level : of the intervals.

    Examples
    --------
    >>> import econ
    >>> result = econ.disparity.gini(econ.load("provinces"), "gdp_per_capita")
    >>> result.path.head(2)[["period", "n", "estimate"]].round(4)
       period   n  estimate
    0    2000  31    0.3157
    1    2001  31    0.3130
    """
    _check_convention(convention, weights)

    def index(x: FloatArray, w: FloatArray, n: FloatArray) -> FloatArray:
        p, below = _population(w)
        value = ((2 * below + p - 1) * p) @ x / (p @ x)
        return value * _correction(convention, n)

    spec = {"estimator": "gini", "convention": convention}
    return bootstrapped(panel, x, index, spec, weights=weights, zeros=True, draws=draws, seed=seed, level=level)


def atkinson(
    panel: Panel,
    x: str,
    epsilon: float = 0.5,
    weights: str | None = None,
    *,
    draws: int = 999,
    seed: int = 1,
    level: float = 0.95,
) -> Inequality:
    r"""Atkinson's index by period: the share of the total that could be given up if it were spread evenly.

    ``A = 1 - (sum_i p_i x_i^(1 - e))^(1 / (1 - e)) / m``, and ``1 - exp(sum_i p_i ln x_i) / m`` at ``e = 1`` (Atkinson
    1970). The higher the aversion ``epsilon``, the more the poorest regions count. Arguments and intervals as in
    ``gini``; ``epsilon`` is positive, and from 1 on ``x`` must be positive.

    Examples
    --------
    >>> import econ
    >>> round(float(econ.disparity.atkinson(econ.load("provinces"), "gdp_per_capita").path["estimate"].iloc[0]), 4)
    0.0832
    """
    if not epsilon > 0:
        raise OptionError(f"epsilon={epsilon!r} is not allowed; the aversion to inequality is positive, such as 0.5.")

    def index(x: FloatArray, w: FloatArray, n: FloatArray) -> FloatArray:
        p, _ = _population(w)
        return np.asarray(1 - _equal_equivalent(x, p, epsilon) / (p @ x))

    spec = {"estimator": "atkinson", "epsilon": float(epsilon)}
    return bootstrapped(panel, x, index, spec, weights=weights, zeros=epsilon < 1, draws=draws, seed=seed, level=level)


def kakwani(
    panel: Panel, x: str, weights: str | None = None, *, draws: int = 999, seed: int = 1, level: float = 0.95
) -> Inequality:
    r"""Kakwani's index by period: the length of the Lorenz curve, from 0 (equal) towards 1.

    ``K = (sum_i sqrt(p_i^2 + s_i^2) - sqrt 2) / (2 - sqrt 2)``, with ``p`` and ``s`` the shares in the weights and in
    ``x`` (Kakwani 1980, Income Inequality and Poverty). It is most sensitive to transfers among poor regions. Not
    Kakwani's relative deprivation, whose mean over regions is the Gini coefficient, nor his index of progressivity.
    Arguments and intervals as in ``gini``.

    Examples
    --------
    >>> import econ
    >>> round(float(econ.disparity.kakwani(econ.load("provinces"), "gdp_per_capita").path["estimate"].iloc[0]), 4)
    0.0934
    """

    def index(x: FloatArray, w: FloatArray, n: FloatArray) -> FloatArray:
        p, _ = _population(w)
        length = np.hypot(p, p * x / (p @ x)[:, None]).sum(axis=1)
        return np.asarray((length - np.sqrt(2)) / (2 - np.sqrt(2)))

    spec = {"estimator": "kakwani"}
    return bootstrapped(panel, x, index, spec, weights=weights, zeros=True, draws=draws, seed=seed, level=level)


def cv(
    panel: Panel,
    x: str,
    weights: str | None = None,
    convention: Convention = "population",
    *,
    draws: int = 999,
    seed: int = 1,
    level: float = 0.95,
) -> Inequality:
    r"""Coefficient of variation by period; with population as weights, Williamson's (1965) coefficient.

    ``sqrt(sum_i p_i (x_i - m)^2) / m``; ``"unbiased"`` divides the variance by ``n - 1``, as ``econ.convergence.sigma``
    does. Arguments and intervals as in ``gini``; it hangs on the upper tail, so that its intervals are short even with
    several hundred regions.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces")
    >>> path = econ.disparity.cv(panel, "gdp_per_capita", weights="population").path
    >>> round(float(path["estimate"].iloc[0]), 4)
    0.5536
    """
    _check_convention(convention, weights)

    def index(x: FloatArray, w: FloatArray, n: FloatArray) -> FloatArray:
        p, _ = _population(w)
        mean = (p @ x)[:, None]
        deviation = np.sqrt((p * (x - mean) ** 2).sum(axis=1)) / mean[:, 0]
        return np.asarray(deviation * np.sqrt(_correction(convention, n)))

    spec = {"estimator": "cv", "convention": convention}
    return bootstrapped(panel, x, index, spec, weights=weights, zeros=True, draws=draws, seed=seed, level=level)


def schutz(
    panel: Panel, x: str, weights: str | None = None, *, draws: int = 999, seed: int = 1, level: float = 0.95
) -> Inequality:
    r"""Schutz's (Hoover's, Pietra's) index by period: the share of the total to be moved to make all equal.

    ``sum_i p_i |x_i - m| / (2 m)``, the largest distance between the Lorenz curve and the line of equality. Arguments
    and intervals as in ``gini``.

    Examples
    --------
    >>> import econ
    >>> round(float(econ.disparity.schutz(econ.load("provinces"), "gdp_per_capita").path["estimate"].iloc[0]), 4)
    0.2453
    """

    def index(x: FloatArray, w: FloatArray, n: FloatArray) -> FloatArray:
        p, _ = _population(w)
        mean = (p @ x)[:, None]
        return np.asarray((p * np.abs(x - mean)).sum(axis=1) / (2 * mean[:, 0]))

    spec = {"estimator": "schutz"}
    return bootstrapped(panel, x, index, spec, weights=weights, zeros=True, draws=draws, seed=seed, level=level)


def wolfson(panel: Panel, x: str, *, draws: int = 999, seed: int = 1, level: float = 0.95) -> Inequality:
    r"""Foster and Wolfson's index of polarisation by period: how far the middle has emptied.

    ``(2 (1/2 - L(1/2)) - G) m / median``, with ``L`` the Lorenz curve (straight between regions) and ``G`` the Gini
    coefficient (population convention): the Gini coefficient between the poorer and the richer half minus that within
    them (Foster and Wolfson 2010, Journal of Economic Inequality 8). Wolfson (1994) prints twice this. Arguments and
    intervals as in ``gini``; regions count the same.

    Examples
    --------
    >>> import econ
    >>> round(float(econ.disparity.wolfson(econ.load("provinces"), "gdp_per_capita").path["estimate"].iloc[0]), 4)
    0.1289
    """

    def index(x: FloatArray, w: FloatArray, n: FloatArray) -> FloatArray:
        p, below = _population(w)
        mean = p @ x
        spread = ((2 * below + p - 1) * p) @ x / mean
        half, median = _middle(x, p, below)
        return np.asarray((2 * (0.5 - half / mean) - spread) * mean / median)

    spec: dict[str, Any] = {"estimator": "wolfson"}
    return bootstrapped(panel, x, index, spec, weights=None, zeros=False, draws=draws, seed=seed, level=level)


def _equal_equivalent(x: FloatArray, p: FloatArray, epsilon: float) -> FloatArray:
    """(B,) the level that, if all had it, would be as good; through logs where powers could overflow."""
    if epsilon < 1:
        return np.asarray((p @ x ** (1 - epsilon)) ** (1 / (1 - epsilon)))
    if epsilon == 1:
        return np.asarray(np.exp(p @ np.log(x)))
    return np.asarray(np.exp(logsumexp((1 - epsilon) * np.log(x), axis=1, b=p) / (1 - epsilon)))


def _check_convention(convention: Convention, weights: str | None) -> None:
    check_word(convention, Convention, "convention")
    if weights is not None and convention == "unbiased":
        raise OptionError(
            f"convention='unbiased' has no agreed form with weights={weights!r}; take 'population', or leave the "
            "weights out."
        )


def _correction(convention: Convention, n: FloatArray) -> FloatArray:
    """``n / (n - 1)`` where asked for; a sample of one region has no inequality to correct."""
    return n / np.maximum(n - 1, 1) if convention == "unbiased" else np.ones_like(n)


def _population(w: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(B, n) shares in the weights, and how much of them lies before each region."""
    p = w / w.sum(axis=1, keepdims=True)
    return p, np.cumsum(p, axis=1) - p


def _middle(x: FloatArray, p: FloatArray, below: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(B,) what the poorer half holds per head of all, and the median: the mean of the two middle values."""
    held = (np.clip(0.5 - below, 0, p)) @ x
    edge = 1e-12
    lower = np.argmax(below + p >= 0.5 - edge, axis=1)
    upper = np.argmax((below + p > 0.5 + edge) & (p > 0), axis=1)
    return held, (x[lower] + x[upper]) / 2
