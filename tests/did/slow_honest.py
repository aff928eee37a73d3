"""The tests and intervals of Rambachan and Roth by general-purpose solvers, one linear program at a time."""

import numpy as np
from scipy import optimize, stats

from econ.did.honest_flci import SmoothPath, folded_quantile
from econ.linear.fit import FloatArray


def program(
    y: FloatArray, slope: FloatArray, X: FloatArray, target: FloatArray, sign: float
) -> tuple[float, FloatArray]:
    """The v with the smallest ``sign v`` and ``y <= slope v + X x``, ``target @ x = 0`` for some x; the multipliers."""
    found = optimize.linprog(
        np.r_[sign, np.zeros(X.shape[1])],
        A_ub=np.column_stack([-slope, -X]),
        b_ub=-y,
        A_eq=np.r_[0.0, target][None],
        b_eq=[0.0],
        bounds=(None, None),
    )
    if found.status == 3:
        return -sign * np.inf, np.zeros(len(y))
    assert found.status == 0
    return float(found.x[0]), -found.ineqlin.marginals


def largest_moment(y: FloatArray, V: FloatArray, A: FloatArray, target: FloatArray) -> tuple[float, FloatArray]:
    """eta and the multipliers of the moments."""
    return program(y, np.sqrt(np.diag(A @ V @ A.T)), A[:, -len(target) :], target, 1.0)


def accepts(
    b: FloatArray,
    V: FloatArray,
    A: FloatArray,
    d: FloatArray,
    target: FloatArray,
    theta: float,
    largest: float,
    alpha: float,
) -> bool:
    """C-LF test of ``target @ tau = theta`` for one polyhedron, with the least favourable critical value given."""
    X, sigma = A[:, -len(target) :], A @ V @ A.T
    y = A @ b - d - X @ (target * theta / (target @ target))
    eta, g = largest_moment(y, V, A, target)
    if eta > largest:
        return False
    variance = g @ sigma @ g
    if variance < 1e-16:
        return eta <= 1e-9
    direction = sigma @ g / variance
    rest, slope = y - direction * eta, np.sqrt(np.diag(sigma)) - direction
    low, high = (program(rest, slope, X, target, sign)[0] for sign in (1.0, -1.0))
    tails = stats.norm.sf(np.array([eta, low, min(high, largest)]) / np.sqrt(variance))
    return not (eta > 0 and (tails[0] - tails[2]) / (tails[1] - tails[2]) < 0.9 * alpha / (1 - 0.1 * alpha))


def shortest_half(path: SmoothPath, bound: float, level: float) -> float:
    """Half the length of the optimal fixed-length interval by direct search over the weights."""

    def half(w: FloatArray) -> float:
        v = path.start + path.turn @ w
        h = float(np.sqrt(v @ path.vcov @ v))
        return h * folded_quantile(bound * (path.fixed + float(np.abs(w).sum())) / h, level)

    options = {"xatol": 1e-10, "fatol": 1e-13, "maxiter": 20_000, "maxfev": 40_000, "adaptive": True}
    starts = [path.w[0], path.w[0] + 0.1, np.full(path.w.shape[1], 0.1)]
    return min(float(optimize.minimize(half, w, method="Nelder-Mead", options=options).fun) for w in starts)
