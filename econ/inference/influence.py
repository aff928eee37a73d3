"""How much each unit moves an estimate, and the covariances that follow.

An estimator is asymptotically linear, ``theta_hat - theta = sum_i psi_i``, with ``psi_i`` (P,) the influence of unit i.
With units as clusters the covariance is ``sum_i psi_i psi_i'``; with coarser clusters it is the same sum over clusters
of the summed influences. Small-sample factors are the estimator's.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from econ.errors import OptionError
from econ.inference.covariance import Covariance
from econ.inference.specs import Cluster, Vcov
from econ.linear.fit import FloatArray, IntArray

_BLOCK = 4_096  # units whose influences are formed at once


class Influence(Protocol):
    """Influences of n units on P parameters."""

    def gram(self) -> FloatArray:
        """(P, P) ``sum_i psi_i psi_i'``."""

    def by_cluster(self, codes: IntArray, n_clusters: int) -> FloatArray:
        """(n_clusters, P) influences summed by cluster; ``codes`` is (n,)."""


@dataclass(frozen=True, eq=False)
class UnitInfluence:
    """Influences kept as they are, ``psi`` (n, P)."""

    psi: FloatArray

    def gram(self) -> FloatArray:
        return self.psi.T @ self.psi

    def by_cluster(self, codes: IntArray, n_clusters: int) -> FloatArray:
        return sums_by_group(self.psi, codes, n_clusters)


@dataclass(frozen=True, eq=False)
class ClassInfluence:
    """Influences that are, within a class of units, one linear map of a few features of each unit.

    ``psi_i = w_i (loadings_c f_i + constants_c)`` for unit i of class c, so that the second moments of the features by
    class are all that a covariance needs.

    Attributes
    ----------
    features : (rows of units, class) -> (B, F), such as the residuals of every period, zero where unobserved
    starts : (C + 1,) units are ordered by class; class c has the units ``starts[c]`` to ``starts[c + 1] - 1``
    loadings : (C, P, F)
    constants : (C, P)
    weights : (n,) or None
    """

    features: Callable[[slice, int], FloatArray]
    starts: IntArray
    loadings: FloatArray
    constants: FloatArray
    weights: FloatArray | None = None

    def gram(self) -> FloatArray:
        P, F = self.loadings.shape[1:]
        total = np.zeros((P, P))
        for c, (A, b) in enumerate(zip(self.loadings, self.constants, strict=True)):
            second, first, count = np.zeros((F, F)), np.zeros(F), 0.0
            for rows in blocks(self.starts, c):
                f, w = self._weighted(rows, c)
                second += f.T @ f
                first += w @ f
                count += float(w @ w)
            cross = np.outer(A @ first, b)
            total += A @ second @ A.T + cross + cross.T + count * np.outer(b, b)
        total = (total + total.T) / 2
        np.fill_diagonal(total, np.maximum(np.diag(total), 0.0))  # rounding where nothing varies
        return total

    def by_cluster(self, codes: IntArray, n_clusters: int) -> FloatArray:
        total = np.zeros((n_clusters, self.loadings.shape[1]))
        for c, (A, b) in enumerate(zip(self.loadings, self.constants, strict=True)):
            for rows in blocks(self.starts, c):
                f, w = self._weighted(rows, c)
                total += sums_by_group(f, codes[rows], n_clusters) @ A.T
                total += np.outer(np.bincount(codes[rows], weights=w, minlength=n_clusters), b)
        return total

    def _weighted(self, rows: slice, c: int) -> tuple[FloatArray, FloatArray]:
        f = self.features(rows, c)
        if self.weights is None:
            return f, np.ones(len(f))
        return f * self.weights[rows, None], self.weights[rows]


def joined(parts: Sequence[ClassInfluence]) -> ClassInfluence:
    """Influences of the same units on the parameters of all parts, in their order; weights are those of the first."""
    C = len(parts[0].loadings)
    P, F = np.array([part.loadings.shape[1:] for part in parts]).cumsum(axis=0).T
    loadings = np.zeros((C, P[-1], F[-1]))
    for part, p, f in zip(parts, P, F, strict=True):
        loadings[:, p - part.loadings.shape[1] : p, f - part.loadings.shape[2] : f] = part.loadings

    def features(rows: slice, c: int) -> FloatArray:
        return np.hstack([part.features(rows, c) for part in parts])

    constants = np.hstack([part.constants for part in parts])
    return ClassInfluence(features, parts[0].starts, loadings, constants, parts[0].weights)


def linear_map(influence: Influence, M: FloatArray) -> Influence:
    """Influences on ``M theta``, M (Q, P)."""
    if isinstance(influence, ClassInfluence):
        loadings = np.einsum("qp,cpf->cqf", M, influence.loadings)
        return replace(influence, loadings=loadings, constants=influence.constants @ M.T)
    assert isinstance(influence, UnitInfluence)
    return UnitInfluence(influence.psi @ M.T)


def influence_covariance(
    influence: Influence, spec: Vcov, codes: IntArray | None, n_clusters: int, factor: float | None = None
) -> Covariance:
    """Covariance of an estimator from its influences, clustered by one column.

    ``sum_g s_g s_g'`` with ``s_g`` the influences summed over cluster g, times ``factor``: by default none for
    ``kind="CR0"`` (R's did) and ``G/(G-1)`` for ``kind="CR1"``. t statistics have G-1 degrees of freedom.

    Parameters
    ----------
    spec : from ``cluster``, one column, CR0 or CR1
    codes : (n,) cluster of each unit, or None when every unit is a cluster of its own
    n_clusters : G
    factor : the small-sample factor of a regression, which replaces the default one
    """
    if not (isinstance(spec, Cluster) and len(spec.columns) == 1 and spec.correction in ("CR0", "CR1")):
        raise OptionError(
            f"vcov={spec} is not allowed here: this estimator is no single regression, and its standard errors come "
            "from the influence of each unit. Use cluster('column'), with kind='CR0' or 'CR1'."
        )
    if codes is None:
        matrix = influence.gram()
    else:
        sums = influence.by_cluster(codes, n_clusters)
        matrix = sums.T @ sums
    if factor is None:
        factor = 1.0 if spec.correction == "CR0" else n_clusters / (n_clusters - 1)
    words = influence_words(spec, n_clusters)
    dof = np.full(len(matrix), float(n_clusters - 1))
    return Covariance(matrix * factor, dof, (n_clusters,), words[0], words[1], factor)


def influence_words(spec: Cluster, n_clusters: int) -> tuple[str, str]:
    """The convention in English and Chinese."""
    factor = ("no small-sample factor", "无小样本调整") if spec.correction == "CR0" else ("G/(G-1)", "G/(G-1)")
    name, t = spec.columns[0], n_clusters - 1
    return (
        f"Standard errors from influence functions, clustered by {name} ({n_clusters} clusters), {factor[0]}; t({t})",
        f"标准误由影响函数计算，按 {name}（{n_clusters} 个聚类）聚类，{factor[1]}；t({t})",
    )


def blocks(starts: IntArray, c: int) -> list[slice]:
    """The units of class c in slices of bounded length."""
    first, last = int(starts[c]), int(starts[c + 1])
    return [slice(start, min(start + _BLOCK, last)) for start in range(first, last, _BLOCK)]


def sums_by_group(values: FloatArray, codes: IntArray, n_groups: int) -> FloatArray:
    """(n_groups, P) column sums by group."""
    sums = np.empty((n_groups, values.shape[1]))
    for k in range(values.shape[1]):
        sums[:, k] = np.bincount(codes, weights=values[:, k], minlength=n_groups)
    return sums
