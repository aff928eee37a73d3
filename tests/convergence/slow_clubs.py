"""The log t test and the clubs as their papers tell them, one group at a time: slow, and easy to check by eye."""

from itertools import pairwise
from math import cos, log, pi, sin

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Groups = list[list[int]]


def log_t(x: Array, first: int) -> tuple[float, float]:
    """Slope and t statistic of the units in the columns of x; periods up to ``first`` are left out."""
    H = [float(np.mean([(value / row.mean() - 1) ** 2 for value in row])) for row in x]
    times = range(first + 1, len(x) + 1)
    X = np.array([[1.0, log(t)] for t in times])
    y = np.array([log(H[0] / H[t - 1]) - 2 * log(log(t)) for t in times])
    b = np.linalg.solve(X.T @ X, X.T @ y)
    u = y - X @ b
    return float(b[1]), float(b[1] / np.sqrt(np.linalg.inv(X.T @ X)[1, 1] * long_run_variance(u)))


def long_run_variance(u: Array) -> float:
    n = len(u)
    rho = sum(u[s] * u[s + 1] for s in range(n - 1)) / sum(u[s] ** 2 for s in range(n - 1))
    bandwidth = 1.3221 * (4 * rho**2 / (1 - rho) ** 4 * n) ** (1 / 5)
    total = sum(u**2)
    for j in range(1, n - 1):
        a = j / bandwidth
        kernel = 25 / (12 * pi**2 * a**2) * (sin(6 * pi * a / 5) / (6 * pi * a / 5) - cos(6 * pi * a / 5))
        total += 2 * kernel * sum(u[s] * u[s + j] for s in range(n - 1 - j))
    return float(total / (n - 1))


def clubs(x: Array, first: int, c_star: float = 0.0) -> tuple[Groups, list[int], int]:
    """Clubs, divergent units, and how many times the sieve criterion had to rise."""

    def t(members: list[int]) -> float:
        return log_t(x[:, members], first)[1]

    left = sorted(range(x.shape[1]), key=lambda i: (-x[-1, i], i))
    found: Groups = []
    raised = 0
    while len(left) > 1:
        if t(left) > -1.65:
            return [*found, left], [], raised
        start = next((i for i in range(len(left) - 1) if t(left[i : i + 2]) > -1.65), None)
        if start is None:
            break
        sizes = [2]
        while start + sizes[-1] < len(left) and t(left[start : start + sizes[-1] + 1]) > -1.65:
            sizes.append(sizes[-1] + 1)
        core = left[start : start + max(sizes, key=lambda size: t(left[start : start + size]))]
        alone = {i: t([*core, i]) for i in left if i not in core}
        step = 0
        while True:
            club = core + [i for i, value in alone.items() if value > c_star + 0.1 * step]
            if len(club) == len(core) or t(club) > -1.65:
                break
            step += 1
        raised += step
        found.append(club)
        left = [i for i in left if i not in club]
    return found, left, raised


def merge_in_turn(x: Array, first: int, found: Groups) -> Groups:
    """Phillips and Sul (2009)."""
    merged = [found[0]]
    for club in found[1:]:
        if log_t(x[:, merged[-1] + club], first)[1] > -1.65:
            merged[-1] = merged[-1] + club
        else:
            merged.append(club)
    return merged


def merge_pairs(x: Array, first: int, found: Groups) -> Groups:
    """Von Lyncker and Thoennessen (2017)."""
    while len(found) > 1:
        t = [log_t(x[:, one + two], first)[1] for one, two in pairwise(found)]
        for m, value in enumerate(t):
            if value > -1.65 and (m == len(t) - 1 or value > t[m + 1]):
                found = [*found[:m], found[m] + found[m + 1], *found[m + 2 :]]
                break
        else:
            return found
    return found
