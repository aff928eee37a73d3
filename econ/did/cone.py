"""Extreme rays of a polyhedral cone, by the double description method."""

import numpy as np

from econ.linear.fit import BoolArray, FloatArray, IntArray

ZERO = 1e-9  # relative to the entries of the equations, which are sums of a few products
BLOCK = 2_000_000  # numbers held at once in the comparison of pairs with rays


def extreme_rays(H: FloatArray, most: int) -> FloatArray | None:
    """Extreme rays of ``{g >= 0 : H'g = 0}``, each summing to one.

    The rays of the orthant are cut by one equation after the other (Motzkin, Raiffa, Thompson and Thrall 1953; Fukuda
    and Prodon 1996): rays on the hyperplane stay, and two *adjacent* rays on different sides give a new one. Two rays
    are adjacent if no third ray is zero wherever both are zero.

    Parameters
    ----------
    H : (m, q)
    most : number of rays at which the enumeration is given up

    Returns
    -------
    (K, m), or None where there are more than ``most``.

    Examples
    --------
    >>> extreme_rays(np.array([[1.0], [-1.0], [0.0]]), 10)
    array([[0. , 0. , 1. ],
           [0.5, 0.5, 0. ]])
    """
    rays = np.eye(len(H))
    left = H / np.abs(H).max(axis=0, initial=1e-300)
    done = 0
    while left.shape[1] and rays.size:
        values = rays @ left
        above, below = values > ZERO, values < -ZERO
        pairs = above.sum(axis=0) * below.sum(axis=0)
        j = int(np.argmin(pairs))  # the equation with the fewest pairs to look at
        if pairs[j] > most**2 / 4:
            return None
        rays = _cut(rays, values[:, j], above[:, j], below[:, j], done)
        left = np.delete(left, j, axis=1)
        done += 1
        if len(rays) > most:
            return None
    return rays


def _cut(rays: FloatArray, values: FloatArray, above: BoolArray, below: BoolArray, done: int) -> FloatArray:
    """Rays of the cone on the hyperplane at which ``values`` are zero."""
    i, j = _adjacent(rays > 0, np.flatnonzero(above), np.flatnonzero(below), done)
    new = values[i, None] * rays[j] - values[j, None] * rays[i]
    new[new < 1e-12 * new.max(axis=1, initial=0.0, keepdims=True)] = 0.0
    return np.vstack([rays[~(above | below)], new / new.sum(axis=1, keepdims=True)])


def _adjacent(support: BoolArray, above: IntArray, below: IntArray, done: int) -> tuple[IntArray, IntArray]:
    """Adjacent pairs of a ray above and a ray below, after ``done`` equations."""
    Z = support.astype(np.float32)
    size = Z.sum(axis=1)
    union = size[above, None] + size[below] - Z[above] @ Z[below].T
    near = np.argwhere(union <= done + 2)  # a face of dimension two has no larger support
    i, j = above[near[:, 0]], below[near[:, 1]]
    kept = np.zeros(len(i), dtype=np.bool_)
    step = max(1, BLOCK // len(Z))
    for start in range(0, len(i), step):
        part = slice(start, start + step)
        outside = 1 - np.maximum(Z[i[part]], Z[j[part]])
        kept[part] = (outside @ Z.T == 0).sum(axis=1) == 2
    return i[kept], j[kept]
