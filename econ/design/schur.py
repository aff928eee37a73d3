"""All sets of levels together: one pass over the rows, one system for the smaller sets, one pass back."""

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement
from typing import NamedTuple, Protocol

import numpy as np
from scipy import sparse
from scipy.linalg import cho_solve, lapack

from econ.design.blocks import NEGLIGIBLE, Block, Chunk, inverse_or_zero, part, product, times
from econ.errors import ModelError
from econ.linear.fit import FloatArray, IntArray

DENSE_LEVELS = 3_000  # levels beside the largest effect's up to which their system may be factorised


class Limits(NamedTuple):
    tol: float
    max_iter: int
    names: str


@dataclass(frozen=True, eq=False)
class _Piece:
    """One basis column of a further block, and where its levels stand among the L levels of the system."""

    codes: IntArray
    n_levels: int
    basis: FloatArray | None
    levels: slice


@dataclass(frozen=True, eq=False)
class Design:
    """All blocks, rows ordered by the first."""

    blocks: tuple[Block, ...]
    weights: FloatArray | None

    @property
    def first(self) -> Block:
        return self.blocks[0]

    @cached_property
    def pieces(self) -> tuple[_Piece, ...]:
        """The basis columns of the further blocks."""
        found: list[_Piece] = []
        start = 0
        for block in self.blocks[1:]:
            for basis in block.bases:
                found.append(_Piece(block.codes, block.n_levels, basis, slice(start, start + block.n_levels)))
                start += block.n_levels
        return tuple(found)

    @cached_property
    def n_levels(self) -> int:
        """L, the levels of the further blocks."""
        return sum(piece.n_levels for piece in self.pieces)

    @cached_property
    def system(self) -> "_System":
        """``S``, factorised when that costs little beside the passes over the rows."""
        cost = self.first.n_levels * len(self.first.bases) * self.n_levels**2
        cheap = max(1e7, 200 * len(self.first.codes) * len(self.pieces))
        return _direct(self) if self.n_levels <= DENSE_LEVELS and cost <= cheap else _iterative(self)

    def project(self, work: FloatArray, limits: Limits) -> FloatArray:
        """Take every block out of ``work`` (N, K) in place; returns the coefficients (L, K) of the further blocks."""
        rhs, norms = np.zeros((self.n_levels, work.shape[1])), np.zeros((2, work.shape[1]))
        for chunk in self.first.chunks():
            for k in range(work.shape[1]):
                x = work[chunk.rows, k]
                norms[0, k] += self._square(x, chunk)
                self.first.take_out(x, chunk)
                norms[1, k] += self._square(x, chunk)
                self._add_sums(rhs[:, k], x, chunk)
        if not self.pieces:
            return rhs
        # a column that the first block spans leaves rounding only: no tolerance relative to that is asked
        stop = np.maximum(limits.tol * np.sqrt(norms[1]), 1e-14 * np.sqrt(norms[0]))
        coef = self.system.solve(rhs, stop, limits)
        for chunk in self.first.chunks():
            for k in range(work.shape[1]):
                x = work[chunk.rows, k]
                self._subtract(x, coef[:, k], chunk)
                self.first.take_out(x, chunk)
        return coef

    def first_coefficients(self, column: FloatArray, rest: FloatArray) -> FloatArray:
        """(bases, n_levels) coefficients of the first block in ``column`` (changed) less the further blocks."""
        out = np.empty((len(self.first.bases), self.first.n_levels))
        for chunk in self.first.chunks():
            x = column[chunk.rows]
            self._subtract(x, rest, chunk)
            out[:, chunk.levels] = self.first.take_out(x, chunk)
        return out

    def leverage(self) -> FloatArray:
        """(N,) ``w_i (sum_j b_ij^2 / B_j + m_i' S^- m_i)``: bases of the first block; m, the others less its fit."""
        inverse = self._inverse()
        out = np.empty(len(self.first.codes))
        for chunk in self.first.chunks():
            local = self.first.codes[chunk.rows] - chunk.levels.start
            own = np.zeros(len(local))
            M = self._dummies(chunk)
            for j, basis in enumerate(self.first.bases):
                b = times(np.ones(len(local)), part(basis, chunk.rows))
                own += b**2 * self.first.inverses[j][chunk.levels][local]
                M -= b[:, None] * (self.cross_table(chunk, j) * self.first.inverses[j][chunk.levels, None])[local]
            h = own + np.einsum("ij,ij->i", M @ inverse, M)
            out[chunk.rows] = times(h, part(self.weights, chunk.rows))
        return out

    def cross_table(self, chunk: Chunk, j: int) -> FloatArray:
        """(levels of the chunk, L) ``B_j' W D2`` for basis j of the first block."""
        n = chunk.levels.stop - chunk.levels.start
        local = self.first.codes[chunk.rows] - chunk.levels.start
        out = np.empty((n, self.n_levels))
        for piece in self.pieces:
            values = product(*(part(f, chunk.rows) for f in (self.weights, self.first.bases[j], piece.basis)))
            cells = local * piece.n_levels + piece.codes[chunk.rows]
            out[:, piece.levels] = np.bincount(cells, values, n * piece.n_levels).reshape(n, piece.n_levels)
        return out

    def _dummies(self, chunk: Chunk) -> FloatArray:
        """(rows of the chunk, L) the further blocks' columns."""
        n = chunk.rows.stop - chunk.rows.start
        out = np.zeros((n, self.n_levels))
        for piece in self.pieces:
            values = 1.0 if piece.basis is None else piece.basis[chunk.rows]
            out[np.arange(n), piece.levels.start + piece.codes[chunk.rows]] = values
        return out

    def _inverse(self) -> FloatArray:
        if self.n_levels > DENSE_LEVELS:
            raise ModelError(
                f"The leverage of the fixed effects needs a system of {self.n_levels:,} levels beside the largest "
                f"effect's; at most {DENSE_LEVELS:,} are within reach. Use a covariance without leverage: CR1, HC1."
            )
        if not self.pieces:
            return np.zeros((0, 0))
        return (self.system if isinstance(self.system, _Direct) else _direct(self)).inverse()

    def _square(self, x: FloatArray, chunk: Chunk) -> float:
        # einsum, as a threaded dot product of a chunk costs more than it saves
        return float(np.einsum("i,i->", x, times(x, part(self.weights, chunk.rows))))

    def _add_sums(self, rhs: FloatArray, x: FloatArray, chunk: Chunk) -> None:
        """``rhs += D2' W x`` over the chunk."""
        weighted = times(x, part(self.weights, chunk.rows)) if self.pieces else x
        for piece in self.pieces:
            values = times(weighted, part(piece.basis, chunk.rows))
            rhs[piece.levels] += np.bincount(piece.codes[chunk.rows], values, piece.n_levels)

    def _subtract(self, x: FloatArray, coef: FloatArray, chunk: Chunk) -> None:
        """``x -= D2 v`` over the chunk."""
        for piece in self.pieces:
            x -= times(coef[piece.levels].take(piece.codes[chunk.rows]), part(piece.basis, chunk.rows))


# ---- the two solvers


class _System(Protocol):
    def solve(self, rhs: FloatArray, stop: FloatArray, limits: Limits) -> FloatArray: ...


@dataclass(frozen=True, eq=False)
class _Direct:
    """``P'SP = R'R`` after scaling to unit ``D2'W D2``; ``kept`` are the levels that the others do not span."""

    R: FloatArray
    kept: IntArray
    scale: FloatArray

    def solve(self, rhs: FloatArray, stop: FloatArray, limits: Limits) -> FloatArray:
        """(L, K), zero at the levels dropped; exact, so ``stop`` and ``limits`` play no part."""
        scale = self.scale[self.kept, None]
        out = np.zeros_like(rhs)
        out[self.kept] = scale * cho_solve((self.R, False), scale * rhs[self.kept])
        return out

    def inverse(self) -> FloatArray:
        """(L, L) generalised inverse of ``S``."""
        out = np.zeros((len(self.scale), len(self.scale)))
        scale = self.scale[self.kept]
        out[np.ix_(self.kept, self.kept)] = cho_solve((self.R, False), np.diag(scale)) * scale[:, None]
        return out


def _direct(design: Design) -> _Direct:
    """``S`` summed over chunks of the first block's levels, each a dense cross-table."""
    S = _gram(design)
    scale = inverse_or_zero(np.sqrt(np.diag(S)))
    for chunk in design.first.chunks():
        for j, inverse in enumerate(design.first.inverses):
            table = design.cross_table(chunk, j)
            S -= table.T @ (table * inverse[chunk.levels, None])
    R, pivots, rank, _ = lapack.dpstrf(S * scale[:, None] * scale, tol=NEGLIGIBLE)
    return _Direct(np.ascontiguousarray(R[:rank, :rank]), np.asarray(pivots[:rank], dtype=np.intp) - 1, scale)


def _gram(design: Design) -> FloatArray:
    """(L, L) ``D2'W D2``."""
    out = np.zeros((design.n_levels, design.n_levels))
    for a, b in combinations_with_replacement(design.pieces, 2):
        values = product(design.weights, a.basis, b.basis)
        if a.codes is b.codes:
            out[a.levels, b.levels] = np.diag(np.bincount(a.codes, values, a.n_levels))
        else:
            cells = a.codes.astype(np.int64) * b.n_levels
            cells += b.codes
            out[a.levels, b.levels] = np.bincount(cells, values, a.n_levels * b.n_levels).reshape(a.n_levels, -1)
        out[b.levels, a.levels] = out[a.levels, b.levels].T
    return out


@dataclass(frozen=True, eq=False)
class _Iterative:
    """``S`` as an operator: ``D2'W D2``, and per basis of the first block ``B_j'W D2`` and ``(B_j'W B_j)^-1``."""

    gram: sparse.csr_array
    diagonal: FloatArray
    crosses: tuple[tuple[sparse.csr_array, FloatArray], ...]

    def solve(self, rhs: FloatArray, stop: FloatArray, limits: Limits) -> FloatArray:
        """(L, K) by preconditioned conjugate gradients, all columns side by side, each until its own ``stop``."""
        inverse = inverse_or_zero(self.diagonal)[:, None]
        coef, left = np.zeros_like(rhs), rhs.copy()
        step = inverse * left
        size = np.einsum("ij,ij->j", left, step)
        for _ in range(limits.max_iter):
            active = np.sqrt(size) > stop
            if not active.any():
                return coef
            image = self._times(step)
            curvature = np.einsum("ij,ij->j", step, image)
            alpha = np.divide(size, curvature, out=np.zeros_like(size), where=active & (curvature > 0))
            coef += alpha * step
            left -= alpha * image
            means = inverse * left
            size, before = np.einsum("ij,ij->j", left, means), size
            step = means + np.divide(size, before, out=np.zeros_like(size), where=before > 0) * step
        raise ModelError(
            f"The fixed effects {limits.names} could not be taken out in {limits.max_iter:,} rounds: their levels are "
            "hardly connected. Merge or drop levels with few observations, or interact the effects."
        )

    def _times(self, v: FloatArray) -> FloatArray:
        out = np.asarray(self.gram @ v, dtype=np.float64)
        for table, inverse in self.crosses:
            out -= table.T @ (inverse * (table @ v))
        return out


def _iterative(design: Design) -> _Iterative:
    """Rows are ordered by the first block, so the cross-tables are their own sparse storage: nothing is sorted."""
    n_rows, m = len(design.first.codes), len(design.pieces)
    gram = sparse.csr_array(_gram(design)) if design.n_levels**2 <= 4 * n_rows else None
    kind = np.int32 if n_rows * m < np.iinfo(np.int32).max else np.int64
    indices, data = np.empty((n_rows, m), dtype=kind), np.ones((n_rows, m))
    for q, piece in enumerate(design.pieces):
        np.add(piece.codes, piece.levels.start, out=indices[:, q], casting="unsafe")
        if piece.basis is not None:
            data[:, q] = piece.basis

    def table(values: FloatArray, bounds: IntArray) -> sparse.csr_array:
        shape = (len(bounds) - 1, design.n_levels)
        return sparse.csr_array((values.ravel(), indices.ravel(), (bounds * m).astype(kind)), shape=shape)

    crosses = []
    for basis, inverse in zip(design.first.bases, design.first.inverses, strict=True):
        factor = product(design.weights, basis)
        values = data if factor is None else data * factor[:, None]
        crosses.append((table(values, design.first.bounds), inverse[:, None]))
    if gram is None:
        weighted = data if design.weights is None else data * design.weights[:, None]
        rows = np.arange(n_rows + 1)
        gram = (table(data, rows).T @ table(weighted, rows)).tocsr()
    return _Iterative(gram, np.asarray(gram.diagonal(), dtype=np.float64), tuple(crosses))
