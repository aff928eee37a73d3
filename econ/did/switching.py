"""The arithmetic of effects of changes in treatment: units whose treatment changes against units with the same start.

Everything here is arrays: n units, P periods, B values of the treatment in the first period (baselines).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from scipy import sparse

from econ.linear.fit import BoolArray, FloatArray, IntArray

Values = TypeVar("Values", FloatArray, BoolArray)


@dataclass(frozen=True, eq=False)
class Switching:
    """Outcomes and treatments of n units in P periods.

    Attributes
    ----------
    Y : (n, P); ``observed`` (n, P) where it is known
    weights : (n,)
    first : (n,) position of the first period with another treatment than at the start; P = never
    baseline : (n,) codes 0..B-1 of the treatment at the start
    sign : (n,) +1 where the first change is upwards, -1 downwards, 0 for units that never change
    dose : (n, P) ``sign x (D_t - D_1)``
    cohort : (n,) codes of (baseline, first, treatment after the first change)
    clusters : (n,) codes
    X : (p, n, P) covariates
    """

    Y: FloatArray
    observed: BoolArray
    weights: FloatArray
    first: IntArray
    baseline: IntArray
    sign: FloatArray
    dose: FloatArray
    cohort: IntArray
    clusters: IntArray
    X: FloatArray

    @property
    def shape(self) -> tuple[int, int]:
        n, P = self.Y.shape
        return n, P

    @cached_property
    def unchanged(self) -> BoolArray:
        """(n, P) the treatment is still the one at the start, and the outcome known."""
        return self.observed & (self.first[:, None] > np.arange(self.shape[1]))

    @cached_property
    def by_baseline(self) -> sparse.csr_array:
        """(B, n) sums units to baselines."""
        return _summing(self.baseline, int(self.baseline.max()) + 1)

    @cached_property
    def by_cluster(self) -> tuple[sparse.csr_array, sparse.csr_array]:
        """(Q, n) sums units to the Q pairs of baseline and cluster, (B, Q) pairs to baselines."""
        G = int(self.clusters.max()) + 1
        pairs, codes = np.unique(self.baseline * G + self.clusters, return_inverse=True)
        return _summing(codes.reshape(-1), len(pairs)), _summing(pairs // G, self.by_baseline.shape[0])

    def n_clusters(self, flags: BoolArray) -> FloatArray:
        """(B, P) distinct clusters with a flagged unit, by baseline and period; ``flags`` is (n, P)."""
        pairs, baselines = self.by_cluster
        present = (pairs @ flags.astype(np.float64)) > 0
        return np.asarray(baselines @ present.astype(np.float64))


@dataclass(frozen=True, eq=False)
class Adjustment:
    """Covariates taken out of the outcome.

    Attributes
    ----------
    theta : (B, p) slopes by baseline
    psi : (n, p) influence of each unit on the slopes of its baseline
    singular : (B,) slopes that are not determined, of which the shortest vector stands in ``theta``
    """

    theta: FloatArray
    psi: FloatArray
    singular: BoolArray


@dataclass(frozen=True, eq=False)
class Horizon:
    """The effect (or placebo) l periods on.

    Attributes
    ----------
    coef : the average over units that change, those downwards with the sign flipped
    psi : (n,) influences on it
    changed : (n,) the units averaged over; ``size`` their weights' sum
    lags : (l,) their mean dose in the last, the last but one, ..., the first period of treatment
    """

    coef: float
    psi: FloatArray
    changed: BoolArray
    size: float
    lags: FloatArray


def adjust(data: Switching) -> Adjustment:
    """Slopes of the change in the outcome on those of the covariates, units unchanged, by baseline.

    ``theta_d`` is the least-squares slope of ``Y_t - Y_{t-1}`` on ``X_t - X_{t-1}`` and period effects over units with
    baseline d that have not changed by t.
    """
    n, B, p = data.shape[0], data.by_baseline.shape[0], len(data.X)
    used = data.unchanged & _lagged(data.observed, 1)
    weight = data.weights[:, None] * used
    y = _within(data, data.Y - _lagged(data.Y, 1), weight)
    x = np.array([_within(data, X - _lagged(X, 1), weight) for X in data.X])
    cross = np.array([[_totals(data, weight * a * b) for b in x] for a in x]).transpose(2, 0, 1)
    right = np.array([_totals(data, weight * a * y) for a in x]).T
    inverse = np.linalg.pinv(cross, rcond=1e-10, hermitian=True)
    theta = np.einsum("bjk,bk->bj", inverse, right)
    scores = np.einsum("jit,it->ij", x, weight * (y - np.einsum("jit,ij->it", x, theta[data.baseline])))
    psi = np.einsum("ijk,ik->ij", inverse[data.baseline], scores)
    singular = np.linalg.matrix_rank(cross, rtol=1e-10, hermitian=True) < p
    return Adjustment(theta, psi.reshape(n, p), singular.reshape(B))


def horizon(
    data: Switching, length: int, placebo: bool, allowed: BoolArray, adjustment: Adjustment | None
) -> Horizon | None:
    """Effect ``length`` periods on, or the placebo of that length; None where no unit has one.

    With t the ``length``-th period of treatment of unit i, whose last period before is b, the effect on i is ``Y_t -
    Y_b`` less its mean over units with the same baseline unchanged at t; the placebo is ``Y_{b-length} - Y_b`` less the
    mean over the same units.
    """
    n, P = data.shape
    change, known = _change(data, length, placebo, adjustment)
    unchanged = known & (data.first[:, None] > np.arange(P))
    weight = data.weights[:, None] * unchanged
    count, total = data.by_baseline @ weight, data.by_baseline @ (weight * change)
    t = np.minimum(data.first - 1 + length, P - 1)
    rows = np.arange(n)
    changed = allowed & (data.first - 1 + length < P) & known[rows, t] & (count[data.baseline, t] > 0)
    size = float(data.weights[changed].sum())
    if not size > 0:
        return None
    share = np.where(changed, data.weights / size, 0.0)
    mean = np.divide(total, count, out=np.zeros_like(total), where=count > 0)
    coef = float(share @ (data.sign * (change[rows, t] - mean[data.baseline, t])))
    cell = _Cell(change, unchanged, count, total, t, size, share)
    psi = sum((_influence(data, cell, changed & (data.sign == s), s) for s in (1.0, -1.0)), np.zeros(n))
    if adjustment is not None:
        psi -= _slope_influence(data, cell, _moves(data, length, placebo), adjustment)
    back = data.first[:, None] + np.arange(length - 1, -1, -1)
    doses = np.take_along_axis(data.dose, np.minimum(back, P - 1), axis=1)
    return Horizon(coef, psi, changed, size, share @ doses)


@dataclass(frozen=True, eq=False)
class _Cell:
    """``change``, ``unchanged`` (n, P); ``count``, ``total`` (B, P) of the unchanged; ``t`` (n,) the period compared
    in; ``share`` (n,) of the units that change in their ``size``."""

    change: FloatArray
    unchanged: BoolArray
    count: FloatArray
    total: FloatArray
    t: IntArray
    size: float
    share: FloatArray


def _influence(data: Switching, cell: _Cell, changed: BoolArray, sign: float) -> FloatArray:
    """(n,) influences through the units that change in one direction and what they are compared with.

    Each term is taken about the mean of those with the same expectation: of the cohort for units that change, of the
    unchanged for the others; where that is a single cluster, about the mean of both together.
    """
    if not changed.any():
        return np.zeros(len(changed))
    n, P = data.shape
    rows = np.flatnonzero(changed)
    at = (data.baseline[rows], cell.t[rows])
    own = cell.change[rows, cell.t[rows]]
    here = np.zeros((data.by_baseline.shape[0], P))
    outcome = np.zeros_like(here)
    np.add.at(here, at, data.weights[rows])
    np.add.at(outcome, at, data.weights[rows] * own)
    union = np.divide(cell.total + outcome, cell.count + here, out=np.zeros_like(here), where=here > 0)
    both = cell.unchanged.copy()
    both[rows, cell.t[rows]] = True
    n_union, n_unchanged = data.n_clusters(both), data.n_clusters(cell.unchanged)
    cohort_mean, n_cohort = _cohorts(data, rows, own)
    centre = np.where(n_cohort > 1, cohort_mean, union[at])
    psi = np.zeros(n)
    psi[rows] = cell.share[rows] * (own - centre) * _inflation(np.where(n_cohort > 1, n_cohort, n_union[at]))
    mean = np.divide(cell.total, cell.count, out=np.zeros_like(here), where=cell.count > 0)
    centre = np.where(n_unchanged > 1, mean, union)
    factor = _inflation(np.where(n_unchanged > 1, n_unchanged, n_union))
    scale = np.divide(here, cell.count, out=np.zeros_like(here), where=cell.count > 0) * factor / cell.size
    b, used = data.baseline, here.any(axis=0)
    gap = (cell.change[:, used] - centre[b][:, used]) * cell.unchanged[:, used]
    psi -= data.weights * np.einsum("it,it->i", gap, scale[b][:, used])
    return sign * psi


def _cohorts(data: Switching, rows: IntArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(units,) mean of each unit's cohort among ``rows``, and its number of clusters."""
    codes = np.unique(data.cohort[rows], return_inverse=True)[1].reshape(-1)
    w = data.weights[rows]
    means = np.bincount(codes, w * values) / np.bincount(codes, w)
    G = int(data.clusters.max()) + 1
    pairs = np.unique(codes * G + data.clusters[rows])
    return means[codes], np.bincount(pairs // G)[codes].astype(np.float64)


def _inflation(n_clusters: FloatArray) -> FloatArray:
    """``sqrt(n / (n - 1))``, one where there is nothing to correct."""
    return np.sqrt(np.divide(n_clusters, n_clusters - 1, out=np.ones_like(n_clusters), where=n_clusters > 1))


def _slope_influence(data: Switching, cell: _Cell, moves: FloatArray, adjustment: Adjustment) -> FloatArray:
    """(n,) influences through the slopes: the effect falls by ``M_d`` per unit of ``theta_d``."""
    rows = np.arange(len(cell.t))
    signed = cell.share * data.sign
    here = np.zeros_like(cell.count)
    np.add.at(here, (data.baseline, cell.t), signed)
    scale = np.divide(here, cell.count, out=np.zeros_like(here), where=cell.count > 0)
    load = -scale[data.baseline] * data.weights[:, None] * cell.unchanged
    load[rows, cell.t] += signed
    M = np.array([data.by_baseline @ (load * move).sum(axis=1) for move in moves])
    return np.asarray(np.einsum("ji,ij->i", M[:, data.baseline], adjustment.psi))


def _change(data: Switching, length: int, placebo: bool, adjustment: Adjustment | None) -> tuple[FloatArray, BoolArray]:
    """(n, P) the change compared, in the column of the ``length``-th period of treatment, and where it is known."""
    change = _difference(data.Y, length, placebo)
    known = data.observed & _lagged(data.observed, length)
    if placebo:
        known &= _lagged(data.observed, 2 * length)
    if adjustment is not None:
        change -= np.einsum("ij,jit->it", adjustment.theta[data.baseline], _moves(data, length, placebo))
    return np.where(known, change, 0.0), known


def _moves(data: Switching, length: int, placebo: bool) -> FloatArray:
    """(p, n, P) the changes of the covariates."""
    return np.array([_difference(X, length, placebo) for X in data.X])


def _difference(values: FloatArray, length: int, placebo: bool) -> FloatArray:
    later = _lagged(values, 2 * length) if placebo else values
    return later - _lagged(values, length)


def _lagged(values: Values, periods: int) -> Values:
    """(n, P) the value ``periods`` columns to the left; zero where there is none."""
    out = np.zeros_like(values)
    out[:, periods:] = values[:, : max(values.shape[1] - periods, 0)]
    return out


def _within(data: Switching, values: FloatArray, weight: FloatArray) -> FloatArray:
    """(n, P) about the mean by baseline and period, zero without weight."""
    count = data.by_baseline @ weight
    mean = np.divide(data.by_baseline @ (weight * values), count, out=np.zeros_like(count), where=count > 0)
    return np.asarray(np.where(weight > 0, values - mean[data.baseline], 0.0))


def _totals(data: Switching, values: FloatArray) -> FloatArray:
    """(B,) sums over units and periods."""
    return np.asarray(data.by_baseline @ values.sum(axis=1))


def _summing(codes: IntArray, n_groups: int) -> sparse.csr_array:
    n = len(codes)
    return sparse.csr_array((np.ones(n), (codes, np.arange(n))), shape=(n_groups, n))
