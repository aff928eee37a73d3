"""One set of levels: its dummies and slopes as an orthogonal basis, taken out level by level."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from econ.linear.fit import FloatArray, IntArray

CHUNK_ROWS = 1 << 15  # rows handled at once: their columns, codes and temporaries stay in cache
NEGLIGIBLE = 1e-10  # share of a level's variation left over below which the other levels span it


class Chunk(NamedTuple):
    """A run of whole levels of the first block."""

    rows: slice
    levels: slice


@dataclass(frozen=True, eq=False)
class Block:
    """One group under given weights, its basis columns orthogonal to each other within each level.

    ``bases[j]`` is (N,) or None for ones, and zero in levels that do not identify it; ``loadings[j][i]`` (n_levels,) is
    what was subtracted of basis i < j to make basis j.
    """

    codes: IntArray
    n_levels: int
    weights: FloatArray | None
    bases: tuple[FloatArray | None, ...]
    loadings: tuple[tuple[FloatArray, ...], ...]

    @cached_property
    def inverses(self) -> tuple[FloatArray, ...]:
        """Per basis (n_levels,) one over its weighted sum of squares, zero where that is zero."""
        return tuple(inverse_or_zero(level_sums(self, self.weights, basis, basis)) for basis in self.bases)

    @cached_property
    def bounds(self) -> IntArray:
        """(n_levels + 1,) first row of each level, when rows are in the order of the codes."""
        inner = np.flatnonzero(self.codes[1:] != self.codes[:-1]) + 1
        return np.concatenate([[0], inner, [len(self.codes)]])

    def chunks(self) -> Iterator[Chunk]:
        """Runs of whole levels of about ``CHUNK_ROWS`` rows."""
        cuts = np.searchsorted(self.bounds, np.arange(0, len(self.codes), CHUNK_ROWS))
        edges: list[int] = np.unique(np.append(cuts, self.n_levels)).tolist()
        for start, stop in pairwise(edges):
            yield Chunk(slice(int(self.bounds[start]), int(self.bounds[stop])), slice(start, stop))

    def take_out(self, x: FloatArray, chunk: Chunk) -> FloatArray:
        """Project the chunk's ``x`` off the bases in place; returns the coefficients (bases, levels of the chunk)."""
        bounds = self.bounds[chunk.levels.start : chunk.levels.stop + 1]
        counts = np.diff(bounds)
        coef = np.empty((len(self.bases), len(counts)))
        for j, basis in enumerate(self.bases):
            values = times(x, part(self.weights, chunk.rows), part(basis, chunk.rows))
            coef[j] = np.add.reduceat(values, bounds[:-1] - chunk.rows.start) * self.inverses[j][chunk.levels]
            x -= times(np.repeat(coef[j], counts), part(basis, chunk.rows))
        return coef


def make_block(
    codes: IntArray, n_levels: int, slopes: tuple[FloatArray | None, ...], weights: FloatArray | None
) -> Block:
    """Gram-Schmidt within every level: for an intercept and a slope, the 2 x 2 systems of the levels solved exactly."""
    block = Block(codes, n_levels, weights, slopes[:1], ((),))
    for slope in slopes[1:]:
        left = np.ones(len(codes)) if slope is None else slope.copy()
        total = level_sums(block, weights, left, left)
        loading = []
        for basis, inverse in zip(block.bases, block.inverses, strict=True):
            loading.append(level_sums(block, weights, basis, left) * inverse)
            left -= times(loading[-1][codes], basis)
        spanned = level_sums(block, weights, left, left) <= NEGLIGIBLE * total
        left[spanned[codes]] = 0.0
        block = Block(codes, n_levels, weights, (*block.bases, left), (*block.loadings, tuple(loading)))
    return block


def level_sums(block: Block, *factors: FloatArray | None) -> FloatArray:
    """(n_levels,) sums of the product of the factors within levels, rows in any order."""
    return np.bincount(block.codes, product(*factors), block.n_levels).astype(np.float64, copy=False)


# ---- products of columns, some of which stand for ones


def product(*factors: FloatArray | None) -> FloatArray | None:
    """Product of the factors that are there; None, for ones, when there is none."""
    out = None
    for factor in factors:
        if factor is not None:
            out = factor if out is None else out * factor
    return out


def times(x: FloatArray, *factors: FloatArray | None) -> FloatArray:
    for factor in factors:
        if factor is not None:
            x = x * factor
    return x


def part(values: FloatArray | None, rows: slice) -> FloatArray | None:
    return None if values is None else values[rows]


def inverse_or_zero(values: FloatArray) -> FloatArray:
    """One over the positive values, zero elsewhere."""
    return np.divide(1.0, values, out=np.zeros(len(values)), where=values > 0)
