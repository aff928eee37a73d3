"""CR2 and CR3: cluster covariances corrected for leverage, with the Satterthwaite degrees of freedom of CR2.

With ``H`` the hat matrix of the whole regression (fixed effects included) in the metric of the weights, cluster g adds
the score ``x_g' (I - H_gg)^(-1/2) u_g`` (CR2) or ``x_g' (I - H_gg)^(-1) u_g`` (CR3); inverses are Moore-Penrose. The
working model of CR2 is ``Var(u_i)`` proportional to ``1 / w_i``.

Effects nested in the clusters are block diagonal and drop out (Pustejovsky and Tipton 2018, theorem 2 as corrected in
2023, which needs this working model). The others join the regressors as dummies, with the nested effects taken out. So
``H = P + Q Q'`` with P block diagonal and Q (N, p) orthonormal and orthogonal to P, and all that is needed are the
p x p matrices ``M_g = Q_g' Q_g``: with ``Q R`` the columns of X, the score is ``R' (I - M_g)^(-1/2) Q_g' u_g``. No
n_g x n_g matrix is formed.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from econ.design.absorb import Absorber, Effect
from econ.errors import ModelError
from econ.inference.layout import Layout, is_nested
from econ.linear.fit import FloatArray, IntArray, LinearFit

MAX_CELLS = 60_000_000  # of the N x p matrix: half a gigabyte
MAX_WORK = 1e11  # clusters times p^3: a few minutes
_BATCH_CELLS = 1_000_000
_SATURATED = 1e-9


@dataclass(frozen=True, eq=False)
class BiasReduced:
    """``meat`` (K, K); ``dof`` (m,), Satterthwaite degrees of freedom of the m contrasts; ``n_saturated``, how many
    clusters alone identify a direction of the coefficients."""

    meat: FloatArray
    dof: FloatArray
    n_saturated: int


def bias_reduced(
    fit: LinearFit, layout: Layout, groups: IntArray, n_groups: int, power: float, contrasts: FloatArray
) -> BiasReduced:
    """CR2 (``power=0.5``) or CR3 (``power=1``) meat, and degrees of freedom of ``contrasts`` (K, m).

    The degrees of freedom (Bell and McCaffrey 2002; Pustejovsky and Tipton 2018) are ``(tr S)^2 / tr(S^2)``
    with ``S_gh = p_g' p_h`` and ``p_g = (I - H)_g' A_g x_g B c``; here ``S = diag(d) - b b'``.
    """
    Q, R = _orthonormal_basis(fit, layout, groups, n_groups)
    directions = R @ fit.bread @ contrasts
    root_w = np.ones(len(Q)) if fit.weights is None else np.sqrt(fit.weights)
    n_coef, n_contrasts = contrasts.shape
    meat = np.zeros((n_coef, n_coef))
    trace, d_squared, cross = (np.zeros(n_contrasts) for _ in range(3))
    outer = np.zeros((n_contrasts, Q.shape[1], Q.shape[1]))
    n_saturated = 0
    for M, s in _by_cluster(Q, root_w * fit.residuals, groups, n_groups):
        eigenvalues, V = np.linalg.eigh(M)
        leverage = eigenvalues.clip(0.0, 1.0)
        free = leverage < 1 - _SATURATED
        inflate = np.where(free, 1 - leverage, 1.0) ** -power * free
        own = ~free & (np.linalg.norm(R.T @ V, axis=1) > 1e-7 * np.linalg.norm(R))
        n_saturated += int(own.any(axis=1).sum())
        scores = (V @ (inflate[:, :, None] * (_transposed(V) @ s[:, :, None])))[:, :, 0] @ R
        meat += scores.T @ scores
        y = _transposed(V) @ directions
        d = np.sum((leverage * inflate**2)[:, :, None] * y**2, axis=1)
        b = V @ ((leverage * inflate)[:, :, None] * y)
        b_squared = np.sum(b**2, axis=1)
        trace += np.sum(d - b_squared, axis=0)
        d_squared += np.sum(d**2, axis=0)
        cross += np.sum(d * b_squared, axis=0)
        outer += b.transpose(2, 1, 0) @ b.transpose(2, 0, 1)
    blind = np.flatnonzero(trace <= 1e-10 * np.sum(directions**2, axis=0))
    if blind.size:
        raise ModelError(
            f"Coefficients {', '.join(str(k + 1) for k in blind)} are identified within single clusters only, where "
            "CR2 and CR3 see no sampling error. Absorb those effects, cluster more finely, or use kind='CR1'."
        )
    dof = trace**2 / (d_squared - 2 * cross + np.sum(outer**2, axis=(1, 2)))
    return BiasReduced(meat, dof, n_saturated)


def _orthonormal_basis(
    fit: LinearFit, layout: Layout, groups: IntArray, n_groups: int
) -> tuple[FloatArray, FloatArray]:
    """Q (N, p) spanning regressors and effects not nested in the clusters, and R (p, K) with ``sqrt(w) X = Q R``."""
    root_w = np.ones(len(fit.X)) if fit.weights is None else np.sqrt(fit.weights)
    Q, R = np.linalg.qr(fit.X * root_w[:, None])
    nested = [effect for effect in layout.effects if is_nested(effect.codes, effect.n_levels, groups)]
    others = [effect for effect in layout.effects if not any(effect is other for other in nested)]
    if not others:
        return Q, R
    _check_size(others, len(Q), n_groups)
    dummies = _dummies(others, len(Q))
    left = Absorber(nested, fit.weights).residualize(dummies)
    kept = np.linalg.norm(left, axis=0) > 1e-8 * np.linalg.norm(dummies, axis=0)
    if not kept.any():
        return Q, R
    D = _orthonormal_columns(left[:, kept] * root_w[:, None])
    return np.hstack((Q, D)), np.vstack((R, np.zeros((D.shape[1], R.shape[1]))))


def _check_size(effects: list[Effect], n_obs: int, n_groups: int) -> None:
    p, names = sum(effect.n_levels for effect in effects), ", ".join(repr(effect.name) for effect in effects)
    if n_obs * p > MAX_CELLS or n_groups * p**3 > MAX_WORK:
        raise ModelError(
            f"CR2 and CR3 by {n_groups} clusters need the effects not nested in them ({names}) as {p} dummies on "
            f"{n_obs} rows, which is too many. Use kind='CR1', or cluster by a column that nests those effects."
        )


def _dummies(effects: list[Effect], n_obs: int) -> FloatArray:
    """(N, sum of levels) dummy columns, times the slope where there is one."""
    dummies = np.zeros((n_obs, sum(effect.n_levels for effect in effects)))
    offset = 0
    for effect in effects:
        dummies[np.arange(n_obs), offset + effect.codes] = 1.0 if effect.slope is None else effect.slope
        offset += effect.n_levels
    return dummies


def _orthonormal_columns(D: FloatArray) -> FloatArray:
    """Orthonormal basis of the columns of D; redundant dummies fall away."""
    D = D / np.linalg.norm(D, axis=0)
    eigenvalues, V = np.linalg.eigh(D.T @ D)
    keep = eigenvalues > 1e-9 * eigenvalues[-1]
    basis, _ = np.linalg.qr(D @ (V[:, keep] / np.sqrt(eigenvalues[keep])))
    return np.asarray(basis)


def _by_cluster(
    Q: FloatArray, u: FloatArray, groups: IntArray, n_groups: int
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """``Q_g' Q_g`` (B, p, p) and ``Q_g' u_g`` (B, p) of B clusters at a time."""
    order = np.argsort(groups, kind="stable")
    Q, u = Q[order], u[order]
    ends = np.concatenate(([0], np.cumsum(np.bincount(groups, minlength=n_groups))))
    batch = max(1, _BATCH_CELLS // Q.shape[1] ** 2)
    for first in range(0, n_groups, batch):
        rows = [slice(ends[g], ends[g + 1]) for g in range(first, min(first + batch, n_groups))]
        yield np.stack([Q[r].T @ Q[r] for r in rows]), np.stack([Q[r].T @ u[r] for r in rows])


def _transposed(V: FloatArray) -> FloatArray:
    return V.swapaxes(1, 2)
