"""Arithmetic of finite Markov chains, on arrays: counts, ergodic distribution, passage times, mobility, homogeneity."""

from typing import NamedTuple

import numpy as np
from scipy import special

from econ.linear.fit import BoolArray, FloatArray, IntArray

MOBILITY = ("shorrocks", "determinant", "second_eigenvalue", "bartholomew")
STEP = 1e-6  # of the numerical derivatives


def count_transitions(codes: IntArray, k: int, group: IntArray | None = None, groups: int = 1) -> IntArray:
    """(groups, k, k) moves between successive columns of ``codes`` (n, T), missing = -1.

    ``group`` broadcasts to (n, T - 1): the group of each move, from 0.
    """
    cells = codes[:, :-1] * k + codes[:, 1:]
    if group is not None:
        cells = cells + group * (k * k)
    if codes.min() < 0:
        cells = cells[(codes[:, :-1] >= 0) & (codes[:, 1:] >= 0)]
    return np.asarray(np.bincount(cells.ravel(), minlength=groups * k * k).reshape(groups, k, k))


def transition_matrix(counts: IntArray) -> FloatArray:
    """(..., k, k) maximum-likelihood probabilities ``n_ij / n_i``; NaN in rows without moves."""
    totals = counts.sum(axis=-1, keepdims=True)
    return np.asarray(np.divide(counts, totals, out=np.full(counts.shape, np.nan), where=totals > 0))


def probability_errors(counts: IntArray) -> FloatArray:
    """(..., k, k) standard errors ``sqrt(p (1 - p) / n_i)``; NaN in rows without moves."""
    p, totals = transition_matrix(counts), counts.sum(axis=-1, keepdims=True)
    return np.asarray(np.sqrt(p * (1 - p) / np.where(totals > 0, totals, 1)))


def reachable(p: FloatArray) -> BoolArray:
    """(k, k) whether state j can be reached from state i in any number of steps, zero included."""
    reach = (p > 0) | np.eye(len(p), dtype=bool)
    for _ in range((len(p) - 2).bit_length()):  # the longest way has k - 1 steps
        reach = reach @ reach
    return reach


def closed_classes(p: FloatArray) -> list[IntArray]:
    """Sets of states that are never left once entered."""
    reach = reachable(p)
    if reach.all():
        return [np.arange(len(p))]
    recurrent = (reach <= reach.T).all(axis=1)  # whatever it reaches leads back to it
    distinct = {row.tobytes(): row for row in reach[recurrent]}
    return [np.flatnonzero(row) for row in distinct.values()]


def ergodic(p: FloatArray) -> FloatArray:
    """(..., k) solution of ``pi P = pi``, ``sum pi = 1``, of chains with one closed class."""
    k = p.shape[-1]
    system = np.swapaxes(p, -1, -2) - np.eye(k)
    system[..., -1, :] = 1.0
    right = np.zeros((k, 1))
    right[-1] = 1.0
    return np.asarray(np.linalg.solve(system, right)[..., 0])


def first_passage(p: FloatArray) -> FloatArray:
    """(k, k) expected steps from i until j is reached first, on the diagonal until return; infinite if not certain."""
    k = len(p)
    steps = np.empty((k, k))
    for j in range(k):
        stopped = p.copy()
        stopped[j] = np.eye(k)[j]
        reach = reachable(stopped)
        certain = np.array([reach[reach[i], j].all() for i in range(k)])
        others = np.flatnonzero(certain & (np.arange(k) != j))
        inner = np.eye(len(others)) - p[np.ix_(others, others)]
        steps[:, j] = np.inf
        steps[others, j] = np.linalg.solve(inner, np.ones(len(others)))
        onward = np.delete(np.arange(k), j)[np.delete(p[j] > 0, j)]
        steps[j, j] = 1 + p[j, onward] @ steps[onward, j]
    return steps


def mobility(p: FloatArray, unique: bool = True) -> FloatArray:
    """(..., 4) the indices ``MOBILITY`` of (..., k, k); the last is NaN unless the ergodic one is ``unique``."""
    k = p.shape[-1]
    states = np.arange(k)
    second = np.sort(np.abs(np.linalg.eigvals(p)), axis=-1)[..., -2]
    moved = (p * np.abs(states[:, None] - states)).sum(axis=-1)
    bartholomew = (ergodic(p) * moved).sum(axis=-1) / (k - 1) if unique else np.full(p.shape[:-2], np.nan)
    shorrocks = (k - np.trace(p, axis1=-2, axis2=-1)) / (k - 1)
    return np.stack([shorrocks, 1 - np.abs(np.linalg.det(p)), 1 - second, bartholomew], axis=-1)


def mobility_errors(p: FloatArray, totals: IntArray, unique: bool = True) -> FloatArray:
    """(4,) delta-method standard errors, rows of ``p`` independent multinomials of sizes ``totals``.

    With ``g`` the derivatives by ``p_ij`` (central differences), the variance is
    ``sum_i (sum_j p_ij g_ij^2 - (sum_j p_ij g_ij)^2) / n_i``, which no change of ``g`` along a row's sum affects.
    """
    k = len(p)
    moves = STEP * np.eye(k * k).reshape(k * k, k, k)
    slopes = (mobility(p + moves, unique) - mobility(p - moves, unique)) / (2 * STEP)
    g = slopes.reshape(k, k, len(MOBILITY))
    spread = (p[..., None] * g**2).sum(axis=1) - (p[..., None] * g).sum(axis=1) ** 2
    return np.asarray(np.sqrt((spread / totals[:, None]).sum(axis=0)))


class Homogeneity(NamedTuple):
    """Statistics of the equality of R transition matrices; arrays over the leading dimensions of the counts."""

    likelihood_ratio: FloatArray
    chi_squared: FloatArray
    dof: IntArray


def homogeneity(counts: IntArray) -> Homogeneity:
    """Whether (..., R, k, k) counts come from one matrix (Anderson and Goodman 1957; Bickenbach and Bode 2003).

    ``LR = 2 sum n_rij ln(p_rij / p_ij)``, ``X2 = sum n_ri (p_rij - p_ij)^2 / p_ij`` over cells with ``p_ij > 0``;
    degrees of freedom ``sum_i (a_i - 1)(b_i - 1)``, with ``a_i`` destinations seen from i in the pooled counts and
    ``b_i`` matrices in which i is left from.
    """
    pooled, rows = counts.sum(axis=-3), counts.sum(axis=-1)
    totals = pooled.sum(axis=-1)
    ratio = _nlogn(counts, 3) - _nlogn(rows, 2) - _nlogn(pooled, 2) + _nlogn(totals, 1)
    expected = rows[..., None] * (pooled / np.maximum(totals, 1)[..., None])[..., None, :, :]
    squares = np.divide(counts.astype(np.float64) ** 2, expected, out=np.zeros(counts.shape), where=expected > 0)
    seen, left = (pooled > 0).sum(axis=-1), (rows > 0).sum(axis=-2)
    dof = (np.maximum(seen - 1, 0) * np.maximum(left - 1, 0)).sum(axis=-1)
    return Homogeneity(2 * ratio, squares.sum(axis=(-3, -2, -1)) - totals.sum(axis=-1), np.asarray(dof))


def _nlogn(counts: IntArray, dims: int) -> FloatArray:
    return np.asarray(special.xlogy(counts, counts).sum(axis=tuple(range(-dims, 0))))
