"""Thresholds found one after the other, and the distribution of what one more would gain if there were none."""

from dataclasses import dataclass

import numpy as np

from econ.growth.threshold_search import Search
from econ.linear.fit import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Stages:
    """What each further threshold brings.

    Attributes
    ----------
    cuts : the thresholds, in the order found, each searched again given the later ones
    ssr : sums of squares with 0, 1, ... thresholds
    gains : ``(S_{j-1} - S_j) / S_j`` of threshold j, S_j before earlier thresholds are searched again
    """

    cuts: list[int]
    ssr: list[float]
    gains: list[float]


def find_stages(search: Search, y: FloatArray, n: int) -> Stages:
    """n thresholds for one outcome (N,), rows ordered by q."""
    cuts: list[int] = []
    ssr = [float(y @ search.residual(y[:, None])[:, 0])]
    gains = []
    for _ in range(n):
        path = search.path(y, cuts)
        gains.append((ssr[-1] - path.least) / path.least)
        cuts = search.refined(y, [*cuts, path.cut])
        ssr.append(float(search.path(y, cuts[:-1]).ssr[cuts[-1]]))
    return Stages(cuts, ssr, gains)


def simulated_gains(
    search: Search, y: FloatArray, j: int, place: IntArray, draws: int, rng: np.random.Generator
) -> FloatArray:
    """(draws,) gains of threshold j in samples made with j - 1 thresholds (Hansen 1999, section 3.3).

    Samples are ``W d + e``: what the thresholds of the null explain, other coefficients set to zero because gains do
    not depend on them, and residuals of the alternative, drawn by whole units.

    Parameters
    ----------
    place : (N,) position of each row, ordered by q, in the table of units x periods, which is full
    """
    null, alternative = (find_stages(search, y, k) for k in (j - 1, j))
    mean = search.fitted(y, null.cuts)
    table = np.empty(len(y))
    table[place] = search.left(y, alternative.cuts)
    errors = table.reshape(search.n_units, -1)
    drawn = errors[rng.integers(search.n_units, size=(draws, search.n_units))].reshape(draws, -1)
    Y = mean[:, None] + drawn[:, place].T
    if j == 1:
        none, one, _ = search.least(Y)
        return np.asarray((none - one) / one)
    return np.array([find_stages(search, np.ascontiguousarray(column), j).gains[-1] for column in Y.T])
