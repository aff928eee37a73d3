"""What absorbed effects do to a vector whose clusters are multiplied by weights, as sums over clusters.

For columns x and c with the effects D taken out and one weight ``v_g`` per cluster,

    x_h' W_h [P_D (v c)]_h = left_h' sum_g v_g right_g

with ``left`` and ``right`` of a small dimension; :mod:`econ.inference.bootstrap` derives it. Effects nested in the
clusters add nothing.
"""

from typing import NamedTuple

import numpy as np

from econ.design.absorb import Absorber, Effect
from econ.design.blocks import inverse_or_zero, make_block, product
from econ.errors import ModelError
from econ.inference.layout import Layout, is_nested
from econ.inference.meat import score_sums
from econ.linear.fit import FloatArray, IntArray

MAX_CELLS = 60_000_000  # of the sums by cluster and level: half a gigabyte
MAX_WORK = 3_000_000_000  # rows times columns demeaned: a minute
_BLOCK_CELLS = 4_000_000
_SPANNED = 1e-10


class Clusters(NamedTuple):
    """``groups`` (N,) codes 0 to ``n_groups - 1``."""

    groups: IntArray
    n_groups: int


class EffectSums(NamedTuple):
    """``left`` (q, G, L) of the first q columns, ``right`` (m, G, L) of all m."""

    left: FloatArray
    right: FloatArray


def effect_sums(
    layout: Layout, weights: FloatArray | None, clusters: Clusters, columns: FloatArray, n_left: int
) -> EffectSums:
    """``left`` of the first ``n_left`` of the ``columns`` (N, m), and ``right`` of all, by levels or by clusters.

    Raises
    ------
    ModelError : neither levels nor clusters are few enough
    """
    _, others = _nested_and_others(layout, clusters)
    n_levels = sum(effect.n_levels for effect in others)
    if not others:
        empty = np.zeros((columns.shape[1], clusters.n_groups, 0))
        return EffectSums(empty[:n_left], empty)
    _check_size(others, n_levels, len(columns), clusters.n_groups)
    way = by_levels if n_levels <= clusters.n_groups else by_clusters
    return way(layout, weights, clusters, columns, n_left)


def _nested_and_others(layout: Layout, clusters: Clusters) -> tuple[list[Effect], list[Effect]]:
    """The nested effects over one set of levels, that with most; and all the rest, which may be nested too."""
    nested = [e for e in layout.effects if is_nested(e.codes, e.n_levels, clusters.groups)]
    largest = max(nested, key=lambda effect: effect.n_levels, default=None)
    within = [e for e in nested if largest is not None and np.array_equal(e.codes, largest.codes)]
    return within, [e for e in layout.effects if not any(e is effect for effect in within)]


def _check_size(effects: list[Effect], n_levels: int, n_obs: int, n_groups: int) -> None:
    p = min(n_levels, n_groups)
    if n_obs * p > MAX_WORK or n_groups * p > MAX_CELLS:
        names = ", ".join(repr(effect.name) for effect in effects)
        raise ModelError(
            f"A wild bootstrap by {n_groups:,} clusters cannot hold the effects not nested in them ({names}): "
            f"{n_levels:,} levels on {n_obs:,} rows are too many. Cluster by a column that nests those effects."
        )


# ---- by levels


def by_levels(
    layout: Layout, weights: FloatArray | None, clusters: Clusters, columns: FloatArray, n_left: int
) -> EffectSums:
    """``right`` holds sums by cluster and level, ``left`` those of the directions times ``S^-``."""
    within, others = _nested_and_others(layout, clusters)
    S = _level_gram(within, others, weights)
    right = np.stack([_by_level(others, clusters, np.asarray(product(c, weights))) for c in columns.T])
    return EffectSums(right[:n_left] @ _pseudo_inverse(S), right)


def _by_level(effects: list[Effect], clusters: Clusters, c: FloatArray | None) -> FloatArray:
    """(G, L) sums by cluster and level of ``c``, None for ones, times the slope where there is one."""
    tables = []
    for effect in effects:
        cells = clusters.groups * effect.n_levels + effect.codes
        sums = np.bincount(cells, product(c, effect.slope), clusters.n_groups * effect.n_levels)
        tables.append(sums.reshape(-1, effect.n_levels).astype(np.float64, copy=False))
    return np.hstack(tables)


def _level_gram(within: list[Effect], others: list[Effect], weights: FloatArray | None) -> FloatArray:
    """S (L, L): products of the others' dummies D2 once the effects ``within`` are taken out, ``D2'W D2 - D2'W P1 D2``.

    P1 is the projection on the columns, orthogonal to each other, of a :class:`econ.design.blocks.Block`.
    """
    S = np.vstack([_by_level(others, Clusters(e.codes, e.n_levels), product(weights, e.slope)) for e in others])
    if within:
        slopes = tuple(effect.slope for effect in sorted(within, key=lambda effect: effect.slope is not None))
        block = make_block(within[0].codes, within[0].n_levels, slopes, weights)
        for basis, inverse in zip(block.bases, block.inverses, strict=True):
            table = _by_level(others, Clusters(block.codes, block.n_levels), product(weights, basis))
            S -= table.T @ (table * inverse[:, None])
    return S


def _pseudo_inverse(S: FloatArray) -> FloatArray:
    """Of a positive semi-definite matrix, in units in which its diagonal is one."""
    scale = inverse_or_zero(np.sqrt(np.diag(S).clip(min=0.0)))
    return np.linalg.pinv(S * np.outer(scale, scale), rcond=_SPANNED, hermitian=True) * np.outer(scale, scale)


# ---- by clusters


def by_clusters(
    layout: Layout, weights: FloatArray | None, clusters: Clusters, columns: FloatArray, n_left: int
) -> EffectSums:
    """``right_g`` holds ``c_g' W_g [P_D (1_h x_j)]_g`` for every h and j; ``left`` picks them out."""
    absorber, G = Absorber(layout.effects, weights), clusters.n_groups
    weighted = columns if weights is None else columns * weights[:, None]
    right = np.empty((columns.shape[1], G, n_left * G))
    size = max(1, _BLOCK_CELLS // len(columns))
    for j in range(n_left):
        for start in range(0, G, size):
            h = np.arange(start, min(start + size, G))
            masked = np.where(clusters.groups[:, None] == h, columns[:, [j]], 0.0)
            fitted = masked - absorber.residualize(masked)
            for i, c in enumerate(weighted.T):
                right[i, :, j * G + h] = score_sums(fitted, c, *clusters).T
    return EffectSums(np.eye(n_left * G).reshape(n_left, G, n_left * G), right)
