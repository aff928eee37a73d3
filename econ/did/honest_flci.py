r"""Optimal fixed-length confidence intervals when the bias is smooth: second differences of delta at most M.

An estimator ``v'b`` has the target's weights l after the reference period and free weights before it (Armstrong and
Kolesar 2018; Rambachan and Roth 2023). Its interval ``v'b -+ h c(B / h)`` has the standard error ``h``, the root of
``v'V v``, the largest bias B and the quantile c(t) of ``|N(t, 1)|``. A slope of delta is not bounded, so v must not
respond to one: ``sum_t v_t t = 0``, t counted from the reference period. Then, with the second differences k of delta,

    v'delta = sum_t w_t k_t,   B = M sum_t |w_t|,

where w_t is given by l for ``t >= 0`` and free before, and v is linear in w. The length is convex in ``|w|_1`` and in
the variance, ``w'G w + 2 g'w`` up to a constant, so the shortest interval is on the path of
``min w'G w / 2 + g'w + rho |w|_1``, which is piecewise linear in rho and the same for all M (Osborne, Presnell and
Turlach 2000; Efron, Hastie, Johnstone and Tibshirani 2004).
"""

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from econ.linear.fit import FloatArray

TIES = 1e-9  # relative shift of the gradient that breaks ties between coordinates


@dataclass(frozen=True, eq=False)
class SmoothPath:
    """All estimators that are best for some M.

    Attributes
    ----------
    rho : (J,) knots, increasing from zero
    w : (J, P - 1), linear between the knots
    start, turn : (n,) and (n, P - 1); the weights on the coefficients are ``start + turn @ w``
    fixed : bias per unit of M that no choice of w takes away
    coef, vcov : (n,) and (n, n)
    """

    rho: FloatArray
    w: FloatArray
    start: FloatArray
    turn: FloatArray
    fixed: float
    coef: FloatArray
    vcov: FloatArray

    def at(self, rho: float) -> tuple[FloatArray, float, float]:
        """Weights (n,), standard error and bias per unit of M."""
        w = np.array([np.interp(rho, self.rho, values) for values in self.w.T])
        v = self.start + self.turn @ w
        return v, float(np.sqrt(v @ self.vcov @ v)), self.fixed + float(np.abs(w).sum())

    def interval(self, bound: float, level: float) -> tuple[float, float]:
        """The shortest interval for second differences of at most ``bound``."""
        v, h, bias = self.at(self._best(bound, level))
        centre, half = float(v @ self.coef), h * folded_quantile(bound * bias / h, level)
        return centre - half, centre + half

    def _best(self, bound: float, level: float) -> float:
        """Where the derivative of the length along the path is zero: ``rho = M h c'(t) / (c(t) - t c'(t))``."""

        def excess(rho: float) -> float:
            _, h, bias = self.at(rho)
            t = bound * bias / h
            c = folded_quantile(t, level)
            slope = np.tanh(c * t)  # dc/dt, from the definition of c
            return float(rho - bound * h * slope / (c - t * slope))

        top = float(self.rho[-1])
        if bound == 0 or excess(0.0) >= 0:
            return 0.0
        return top if excess(top) <= 0 else float(optimize.brentq(excess, 0.0, top, xtol=1e-14 * top))


def smooth_path(coef: FloatArray, vcov: FloatArray, n_leads: int, target: FloatArray) -> SmoothPath:
    """The path for coefficients of ``n_leads`` periods before the reference period, then of those after it.

    Parameters
    ----------
    coef, vcov : (n,), (n, n)
    target : (n - n_leads,) weights l
    """
    P, Q = n_leads, len(target)
    after = np.arange(1.0, Q + 1)
    start = np.concatenate([np.zeros(P - 1), [after @ target], target])
    turn = np.zeros((P + Q, P - 1))
    turn[:P] = np.eye(P, P - 1) - 2 * np.eye(P, P - 1, -1) + np.eye(P, P - 1, -2)
    reach = np.clip(after - np.arange(Q)[:, None], 0.0, None)  # effect of a second difference at 0, ..., Q - 1 later on
    rho, w = _lasso_path(turn.T @ vcov @ turn, turn.T @ vcov @ start)
    return SmoothPath(rho, w, start, turn, float(np.abs(reach @ target).sum()), coef, vcov)


def folded_quantile(t: float, level: float) -> float:
    """Quantile ``level`` of ``|N(t, 1)|``."""

    def excess(c: float) -> float:
        return float(special.ndtr(c - t) - special.ndtr(-c - t)) - level

    return float(optimize.brentq(excess, 0.0, t + special.ndtri((1 + level) / 2) + 1e-6, xtol=1e-13))


def _lasso_path(G: FloatArray, g: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Knots ``rho`` (increasing) and minimisers of ``w'G w / 2 + g'w + rho |w|_1`` by homotopy from zero."""
    if not len(g):
        return np.zeros(1), np.zeros((1, 0))
    g = g + TIES * np.abs(g).max() * np.sin(np.arange(1.0, len(g) + 1))
    rho, sign = np.inf, np.zeros(len(g))
    knots, path, last = list[float](), list[FloatArray](), None
    while rho > 0:
        base, slope = _segment(G, g, sign)
        rho, last, entering = _next_event(G, g, sign, base, slope, rho, last)
        knots.append(rho)
        path.append(base - rho * slope)
        sign[last[1]] = entering
    return np.array(knots[::-1]), np.array(path[::-1])


def _segment(G: FloatArray, g: FloatArray, sign: FloatArray) -> tuple[FloatArray, FloatArray]:
    """``w(rho) = base - rho slope`` while the signs stay as they are."""
    on = np.flatnonzero(sign)
    base, slope = np.zeros(len(g)), np.zeros(len(g))
    base[on], slope[on] = np.linalg.solve(G[np.ix_(on, on)], np.column_stack([-g[on], sign[on]])).T
    return base, slope


def _next_event(
    G: FloatArray,
    g: FloatArray,
    sign: FloatArray,
    base: FloatArray,
    slope: FloatArray,
    rho: float,
    last: tuple[int, int] | None,
) -> tuple[float, tuple[int, int], float]:
    """The next rho at which a coordinate becomes negative, positive or zero; what undoes this; its sign then.

    ``last`` is what would undo the event at the present rho, which cannot be the next one.
    """
    level, fall = G @ base + g, G @ slope  # gradient level - rho fall, within -+ rho for the coordinates at zero
    with np.errstate(divide="ignore", invalid="ignore"):
        leave = [np.where(sign == 0, level / (fall + side), 0.0) for side in (1.0, -1.0)]
        back = np.where(sign != 0, base / slope, 0.0)
    events = np.array([*leave, back])
    if last is not None:
        events[last] = 0.0
    events = np.where(np.isfinite(events) & (events <= rho), events, 0.0)
    kind, at = np.unravel_index(int(events.argmax()), events.shape)
    undo = 2 if kind < 2 else (0 if sign[at] < 0 else 1)
    return max(float(events[kind, at]), 0.0), (undo, int(at)), (-1.0, 1.0, 0.0)[kind]
