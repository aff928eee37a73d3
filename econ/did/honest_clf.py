r"""Confidence intervals for a linear combination of effects when their bias lies in a union of polyhedra.

``b ~ N(beta, V)``, ``beta = (0, tau) + delta``, ``A delta <= d``. Under ``l'tau = theta`` there are effects tau with
``E[A b] - d - A_post tau <= 0``: moment inequalities with Q - 1 nuisance parameters, tested as in Andrews, Roth and
Pakes (2023) and Rambachan and Roth (2023, section 3). With ``s`` the standard errors of ``A b``,

    eta = min over tau with l'tau = theta of  max_j (A b - d - A_post tau)_j / s_j
        = max of  g'(A b - d) - lambda theta   over g >= 0 with A_post'g = lambda l (some lambda) and s'g = 1.

The maximum is at one of the K vertices of that set: the extreme rays of ``{g >= 0 : A_post'g parallel to l}``, scaled.
The rays depend neither on V, d, theta nor on the columns of A for the time before treatment, so they are found once,
and every linear program becomes the maximum of K numbers.

* *Least favourable* (LF) critical value at level kappa: the quantile 1 - kappa of ``max_k g_k'A z``, ``z ~ N(0, V)``.
* *Conditional* critical value: given that vertex k is the largest and given what is independent of ``g_k'A b``, eta is
  normal, truncated to the range in which k stays the largest.
* *Hybrid* (C-LF): reject if eta exceeds the LF value at ``kappa = alpha / 10``; else the conditional test at
  ``(alpha - kappa) / (1 - kappa)``, truncated at the LF value too. None rejects where eta is not positive.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy import special

from econ.did.bias_sets import BiasSet
from econ.did.cone import extreme_rays
from econ.did.points import normal_points
from econ.linear.fit import BoolArray, FloatArray

KAPPA = 0.1  # share of the level spent on the least favourable test
MOST_VERTICES = 12_000
POINTS = 13  # the LF quantiles are over 2^13 points of a scrambled Sobol sequence
BLOCK = 4_000_000  # numbers held at once
FLAT = 1e-9  # relative size below which a difference of slopes or a variance is zero
SCAN, REFINE, ROUNDS = 400, 40, 6


@dataclass(frozen=True, eq=False)
class HybridTest:
    """The C tests of one bound, ready for any theta.

    Least favourable critical values take most of the time, so they are found only for the tests whose decision is not
    the same at a lower and an upper limit of theirs: the largest standard deviation of a vertex times the quantile of
    one normal variable, and of K of them by Bonferroni. Both tests reject more the smaller the value.

    Attributes
    ----------
    W : (C, K, n), ``g'A`` of each vertex
    level : (C, K), ``g'(A b - d)``
    slope : (C, K), lambda
    vcov : (n, n)
    alpha : of the whole test
    found : the critical values found so far, by position
    """

    W: FloatArray
    level: FloatArray
    slope: FloatArray
    vcov: FloatArray
    alpha: float
    found: dict[int, float] = field(default_factory=dict)

    def accepts(self, theta: FloatArray) -> BoolArray:
        """(T,) whether any of the C tests accepts theta."""
        C, K = self.level.shape
        step = max(1, BLOCK // (C * K))
        return np.concatenate([self._accepts(theta[i : i + step]) for i in range(0, len(theta), step)])

    def least_favourable(self, c: int) -> float:
        """Critical value of test c: quantile of the maximum over the vertices with all moments binding."""
        if c not in self.found:
            z = normal_points(len(self.vcov), POINTS)
            root = self.W[c] @ np.linalg.cholesky(self.vcov)
            step = max(1, BLOCK // len(z))
            maxima = np.max([(z @ root[i : i + step].T).max(axis=1) for i in range(0, len(root), step)], axis=0)
            self.found[c] = float(np.quantile(maxima, 1 - KAPPA * self.alpha))
        return self.found[c]

    def _accepts(self, theta: FloatArray) -> BoolArray:
        moments = self._moments(theta)
        low, high = self._limits
        accepted = ~self._rejects(moments, low)
        open_at = ~accepted.any(axis=0)
        in_doubt = np.flatnonzero((~self._rejects(moments, high) & ~accepted & open_at).any(axis=1))
        if in_doubt.size:
            exact = np.array([self.least_favourable(int(c)) for c in in_doubt])
            accepted[in_doubt] |= ~self._rejects([part[in_doubt] for part in moments], exact)
        return np.asarray(accepted.any(axis=0))

    @cached_property
    def _limits(self) -> tuple[FloatArray, FloatArray]:
        """(C,) each, around the least favourable critical values."""
        kappa, K = KAPPA * self.alpha, self.level.shape[1]
        s = np.sqrt(np.einsum("ckn,nm,ckm->ck", self.W, self.vcov, self.W, optimize=True).max(axis=1))
        return s * special.ndtri(1 - kappa), s * special.ndtri(1 - kappa / K)

    def _moments(self, theta: FloatArray) -> list[FloatArray]:
        """eta, its truncation from below and above, and its standard deviation, (C, T) each."""
        at = self.level[:, :, None] - self.slope[:, :, None] * theta
        best = at.argmax(axis=1)[:, None, :]
        eta = np.take_along_axis(at, best, axis=1)
        chosen = np.take_along_axis(self.W, best[:, 0, :, None], axis=1)
        covariance = self.W @ (self.vcov @ chosen.transpose(0, 2, 1))
        variance = np.take_along_axis(covariance, best, axis=1)
        low, high = _truncation(at, eta, covariance, variance)
        return [eta[:, 0], low, high, np.sqrt(variance[:, 0].clip(min=0.0))]

    def _rejects(self, moments: list[FloatArray], largest: FloatArray) -> BoolArray:
        """(C, T) decisions of the hybrid test at least favourable critical values (C,)."""
        eta, low, high, s = moments
        kappa = KAPPA * self.alpha
        moving = s > FLAT  # vertices have variances of order one
        scale = np.where(moving, s, 1.0)
        tail = upper_tail(eta / scale, low / scale, np.minimum(high, largest[:, None]) / scale)
        conditional = (tail < (self.alpha - kappa) / (1 - kappa)) & moving
        rejected: BoolArray = (eta > largest[:, None]) | conditional | ~moving
        return rejected & (eta > FLAT)


def _truncation(
    at: FloatArray, eta: FloatArray, covariance: FloatArray, variance: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """(C, T) range of eta in which the vertex that is the largest stays so, given the part independent of it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = covariance / variance
        bound = (at - ratio * eta) / (1 - ratio)
    low = np.where(ratio < 1 - FLAT, bound, -np.inf).max(axis=1)
    high = np.where(ratio > 1 + FLAT, bound, np.inf).min(axis=1)
    return low, high


def upper_tail(x: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """``P(Z > x | low <= Z <= high)`` of a standard normal Z, accurate far out in the upper tail."""
    with np.errstate(invalid="ignore", over="ignore"):
        ends = [special.log_ndtr(-np.asarray(end)) for end in (np.maximum(x, low), low, high)]
        above, all_of_it = (-np.expm1(np.minimum(ends[2] - start, 0.0)) for start in ends[:2])
        tail = np.exp(ends[0] - ends[1]) * above / all_of_it
    return np.where(x >= high, 0.0, np.where(all_of_it > 0, tail, 1.0))


def vertices(bias: BiasSet, target: FloatArray) -> FloatArray | None:
    """(K, m) extreme rays of ``{g >= 0 : A_post'g parallel to target}``; None where there are too many."""
    return extreme_rays(bias.post @ _orthogonal(target), MOST_VERTICES)


def _orthogonal(target: FloatArray) -> FloatArray:
    """(Q, Q - 1) basis of the directions in which the target does not move, as sparse as the target is."""
    j = int(np.abs(target).argmax())
    basis = np.eye(len(target))
    basis[j] = -target / target[j]
    return np.delete(basis, j, axis=1)


def hybrid_test(
    coef: FloatArray, vcov: FloatArray, bias: BiasSet, target: FloatArray, rays: FloatArray, alpha: float
) -> HybridTest:
    """Scale the vertices for one bias set.

    Parameters
    ----------
    coef, vcov : (n,), (n, n), leads then lags
    target : (Q,), l
    rays : (K, m), of ``vertices``
    """
    std_error = np.sqrt(np.einsum("cmn,nk,cmk->cm", bias.A, vcov, bias.A).clip(min=0.0))
    G = rays / (std_error @ rays.T)[:, :, None]
    W = G @ bias.A
    slope = W[:, :, bias.n_leads :] @ target / (target @ target)
    return HybridTest(W, W @ coef - G @ bias.d, slope, vcov, alpha)


# ---------------------------------------------------------------------- the interval


@dataclass(frozen=True)
class Accepted:
    """Smallest and largest theta accepted (NaN where none is), and whether all between them are, on the scan's grid."""

    low: float
    high: float
    connected: bool


def accepted(test: HybridTest, centre: float, std_error: float) -> Accepted:
    """Scan widening ranges around ``centre`` until both ends are rejected, then refine the two ends.

    The scan has ``SCAN`` steps, at first of 0.05 standard errors; the ends are found to 1e-8 of a standard error or
    of their distance from the centre.
    """
    half = 10.0 * std_error
    grid = centre + half * np.linspace(-1, 1, SCAN + 1)
    inside = test.accepts(grid)
    while (inside[0] or inside[-1]) and half < 1e12 * std_error:
        half *= 2
        grid = centre + half * np.linspace(-1, 1, SCAN + 1)
        inside = test.accepts(grid)
    if not inside.any():
        return Accepted(np.nan, np.nan, connected=True)
    first, last = np.flatnonzero(inside)[[0, -1]]
    low = _edge(test, grid[first - 1], grid[first])
    high = _edge(test, grid[last + 1], grid[last])
    return Accepted(low, high, bool(inside[first : last + 1].all()))


def _edge(test: HybridTest, outside: float, inside: float) -> float:
    """Where acceptance begins between a rejected and an accepted value."""
    for _ in range(ROUNDS):
        points = np.linspace(outside, inside, REFINE + 1)
        first = int(test.accepts(points).argmax())
        outside, inside = points[max(first - 1, 0)], points[first]
    return float(inside)
