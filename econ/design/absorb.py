"""Fixed effects: taken out of columns, counted, and recovered.

Contract: an ``Absorber`` is built once from effects (integer codes) and weights; ``residualize`` returns, for every
column, ``M x = x - D (D'WD)^- D'W x``; ``D`` holds one dummy (or one dummy times a slope variable) per level.

How. Rows are ordered by the effect with most levels, whose dummies (and slopes on them) are eliminated exactly, level
by level. What is left for the other effects, with ``L`` levels in all, is the Schur complement

    S v = D2'W M1 x,        S = D2'W D2 - D2'W D1 (D1'W D1)^-1 D1'W D2        (L x L, the same for every column)

which is solved *directly* when ``L`` is small (a short panel: the T x T system of its periods), by Cholesky with
diagonal pivoting, which drops the levels that the others span (one per connected component of each further effect, and
any nested level); otherwise by *conjugate gradients* preconditioned with the diagonal of ``D2'W D2``, that is with each
effect's own group means, so that a round costs what a round of alternating projections costs. Rounds stop when the
group means of what is left, ``(sum_q |P_q e|^2)^(1/2)``, fall under ``tol`` times ``|M1 x|``, in the weighted norm.

References: Guimaraes and Portugal (2010), Stata Journal 10(4), section 3; Correia (2017), "Linear models with
high-dimensional fixed effects", sections 3 and 4; Hestenes and Stiefel (1952).
"""

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement, pairwise
from typing import NamedTuple, Protocol

import numpy as np
from scipy import sparse
from scipy.linalg import cho_solve, lapack

from econ.errors import ModelError
from econ.linear.fit import FloatArray, IntArray

CHUNK_ROWS = 1 << 15  # rows handled at once: their columns, codes and temporaries stay in cache
DENSE_LEVELS = 3_000  # levels beside the largest effect's up to which their system may be factorised
NEGLIGIBLE = 1e-10  # share of a level's variation left over below which the other levels span it


@dataclass(frozen=True, eq=False)
class Effect:
    """One fixed effect: an intercept per level, or a slope per level.

    Attributes
    ----------
    name : as written in the formula, ``"unit"`` or ``"unit[t]"``; distinct within one model
    codes : (N,), 0 to ``n_levels - 1``, every level present
    n_levels : number of levels
    slope : (N,) or None; the variable on which every level has a slope of its own, None for intercepts.
        ``unit[t]`` in a formula is two effects, the intercepts and the slopes; ``unit[[t]]`` only the slopes.
    """

    name: str
    codes: IntArray
    n_levels: int
    slope: FloatArray | None = None


class Absorber:
    """Weighted projection off fixed effects, prepared once and applied to many columns.

    Parameters
    ----------
    effects : the effects, in the order of the formula; with none, columns stay as they are
    weights : (N,) positive, or None
    tol : relative tolerance of the iterative solver (see the module's text); the direct solver does not use it
    max_iter : rounds of the iterative solver before it gives up

    Notes
    -----
    Degrees of freedom are counted as fixest does (``n_effects_rank``), whatever the number of connected components.

    Examples
    --------
    >>> import numpy as np
    >>> unit = Effect("unit", np.array([0, 0, 1, 1]), 2)
    >>> time = Effect("time", np.array([0, 1, 0, 1]), 2)
    >>> Absorber([unit, time]).residualize(np.array([1.0, 2.0, 3.0, 8.0]))
    array([ 1., -1., -1.,  1.])
    """

    def __init__(
        self,
        effects: Sequence[Effect],
        weights: FloatArray | None = None,
        *,
        tol: float = 1e-10,
        max_iter: int = 5_000,
    ) -> None:
        self.effects = tuple(effects)
        self.tol = tol
        self.max_iter = max_iter
        self._groups = _groups(self.effects)
        self._order, self._codes = _row_order(self._groups)
        self._set_weights(weights)
        if self._design is not None:
            _check_levels(self._groups[0], self.effects, self._design.first)

    def new_weights(self, weights: FloatArray | None, tol: float | None = None) -> "Absorber":
        """The same effects under other weights (and tolerance, if given); the order of rows found before is reused."""
        other = copy(self)
        other.tol = self.tol if tol is None else tol
        other._set_weights(weights)
        return other

    def _set_weights(self, weights: FloatArray | None) -> None:
        self.weights = weights
        self._design = None
        if self._groups:
            sorted_weights = None if weights is None else self._sorted(weights)
            blocks = tuple(
                _block(codes, group.n_levels, tuple(map(self._sorted_slope, group.slopes)), sorted_weights)
                for codes, group in zip(self._codes, self._groups, strict=True)
            )
            self._design = _Design(blocks, sorted_weights)

    @property
    def n_effects_rank(self) -> int:
        """Degrees of freedom absorbed: the sum of levels minus (number of intercept effects - 1)."""
        intercepts = sum(effect.slope is None for effect in self.effects)
        return sum(effect.n_levels for effect in self.effects) - max(intercepts - 1, 0)

    def residualize(self, columns: FloatArray) -> FloatArray:
        """Residuals of the weighted projection of each column on all effects.

        Parameters
        ----------
        columns : (N,) or (N, K)

        Returns
        -------
        a new array of the same shape; with K columns in Fortran order, so that each column is contiguous

        Raises
        ------
        ModelError
            when the iterative solver has not converged after ``max_iter`` rounds
        """
        work = self._sorted_copy(columns)
        if self._design is not None:
            self._solve(self._design, work)
            if self._order is not None:
                for k in range(work.shape[1]):
                    work[:, k] = self._unsorted(work[:, k])
        return work[:, 0] if columns.ndim == 1 else work

    def levels(self, fitted: FloatArray) -> dict[str, FloatArray]:
        """Effects per level that add up to ``fitted``, such as ``y - X b - u``.

        Parameters
        ----------
        fitted : (N,) sum of the effects, row by row

        Returns
        -------
        name of the effect -> (n_levels,). The first level of every intercept effect after the first is zero; when the
        levels fall into several connected components, only differences within a component are identified.
        """
        if self._design is None:
            return {}
        rest = self._solve(self._design, self._sorted_copy(fitted))[:, 0]
        first = self._design.first_coefficients(self._sorted_copy(fitted)[:, 0], rest)
        return _named_levels(self.effects, self._groups, self._design.blocks, first, rest)

    def leverage(self) -> FloatArray:
        """(N,) ``w_i d_i' (D'WD)^- d_i``, the diagonal of the projection on the effects.

        Raises
        ------
        ModelError
            when the effects beside the largest one have more than ``DENSE_LEVELS`` levels
        """
        if self._design is None:
            raise ModelError("There are no fixed effects, so they have no leverage; leave the term out.")
        return self._unsorted(self._design.leverage())

    def _solve(self, design: "_Design", work: FloatArray) -> FloatArray:
        names = " + ".join(effect.name for effect in self.effects)
        return design.project(work, _Limits(self.tol, self.max_iter, names))

    def _sorted(self, values: FloatArray) -> FloatArray:
        return values if self._order is None else values.take(self._order)

    def _sorted_slope(self, slope: FloatArray | None) -> FloatArray | None:
        return None if slope is None else self._sorted(slope)

    def _sorted_copy(self, columns: FloatArray) -> FloatArray:
        """(N, K) in Fortran order, rows by the first block's codes."""
        table = columns[:, None] if columns.ndim == 1 else columns
        work = np.empty(table.shape, order="F")
        for k in range(table.shape[1]):
            if self._order is None:
                work[:, k] = table[:, k]
            else:
                np.take(table[:, k], self._order, out=work[:, k], mode="clip")  # clip writes without a buffer
        return work

    def _unsorted(self, column: FloatArray) -> FloatArray:
        if self._order is None:
            return column
        out = np.empty_like(column)
        out[self._order] = column
        return out


# ---------------------------------------------------------------------- effects grouped by levels, rows ordered


class _Group(NamedTuple):
    """Effects over the same levels, intercepts first; ``members`` are positions among the effects."""

    codes: IntArray
    n_levels: int
    members: tuple[int, ...]
    slopes: tuple[FloatArray | None, ...]


def _groups(effects: tuple[Effect, ...]) -> tuple[_Group, ...]:
    """Effects with the same codes together, the group with most columns first."""
    found: list[list[int]] = []
    for index, effect in enumerate(effects):
        home = next((members for members in found if _share_levels(effects[members[0]], effect)), None)
        if home is None:
            found.append([index])
        else:
            home.append(index)
    groups = []
    for members in found:
        ordered = sorted(members, key=lambda index: effects[index].slope is not None)
        head = effects[ordered[0]]
        groups.append(_Group(head.codes, head.n_levels, tuple(ordered), tuple(effects[i].slope for i in ordered)))
    return tuple(sorted(groups, key=lambda group: -group.n_levels * len(group.members)))


def _share_levels(a: Effect, b: Effect) -> bool:
    if a.codes is b.codes:
        return True
    has_slope = a.slope is not None or b.slope is not None
    return has_slope and a.n_levels == b.n_levels and np.array_equal(a.codes, b.codes)


def _row_order(groups: tuple[_Group, ...]) -> tuple[IntArray | None, tuple[IntArray, ...]]:
    """Rows by the first group's codes (None when they already are), and every group's codes in that order."""
    all_codes = tuple(group.codes for group in groups)
    if not groups or (all_codes[0][1:] >= all_codes[0][:-1]).all():
        return None, all_codes
    n, n_levels = len(all_codes[0]), groups[0].n_levels
    # column-compressed to row-compressed is a stable counting sort, several times faster than argsort
    rows = sparse.csc_array((np.ones(n, dtype=np.int8), all_codes[0], np.arange(n + 1)), shape=(n_levels, n)).tocsr()
    order = np.asarray(rows.indices, dtype=np.intp)
    first = np.repeat(np.arange(n_levels), np.diff(rows.indptr))
    return order, (first, *(codes.take(order) for codes in all_codes[1:]))


def _check_levels(group: _Group, effects: tuple[Effect, ...], block: "_Block") -> None:
    present = len(block.bounds) - 1
    if present != group.n_levels:
        raise ModelError(
            f"Effect {effects[group.members[0]].name!r} has {group.n_levels:,} levels, of which {present:,} have rows; "
            "number the levels present in the sample 0, 1, 2, ... without gaps."
        )


# ---------------------------------------------------------------------- blocks: what is taken out level by level


class _Chunk(NamedTuple):
    """A run of whole levels of the first block."""

    rows: slice
    levels: slice


@dataclass(frozen=True, eq=False)
class _Block:
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
        return tuple(_inverse_or_zero(_sums(self, self.weights, basis, basis)) for basis in self.bases)

    @cached_property
    def bounds(self) -> IntArray:
        """(n_levels + 1,) first row of each level, when rows are in the order of the codes."""
        inner = np.flatnonzero(self.codes[1:] != self.codes[:-1]) + 1
        return np.concatenate([[0], inner, [len(self.codes)]])

    def chunks(self) -> Iterator[_Chunk]:
        """Runs of whole levels of about ``CHUNK_ROWS`` rows."""
        cuts = np.searchsorted(self.bounds, np.arange(0, len(self.codes), CHUNK_ROWS))
        edges: list[int] = np.unique(np.append(cuts, self.n_levels)).tolist()
        for start, stop in pairwise(edges):
            yield _Chunk(slice(int(self.bounds[start]), int(self.bounds[stop])), slice(start, stop))

    def take_out(self, x: FloatArray, chunk: _Chunk) -> FloatArray:
        """Project the chunk's ``x`` off the bases in place; returns the coefficients (bases, levels of the chunk)."""
        bounds = self.bounds[chunk.levels.start : chunk.levels.stop + 1]
        counts = np.diff(bounds)
        coef = np.empty((len(self.bases), len(counts)))
        for j, basis in enumerate(self.bases):
            values = _times(x, _part(self.weights, chunk.rows), _part(basis, chunk.rows))
            coef[j] = np.add.reduceat(values, bounds[:-1] - chunk.rows.start) * self.inverses[j][chunk.levels]
            x -= _times(np.repeat(coef[j], counts), _part(basis, chunk.rows))
        return coef


def _block(codes: IntArray, n_levels: int, slopes: tuple[FloatArray | None, ...], weights: FloatArray | None) -> _Block:
    """Gram-Schmidt within every level: for an intercept and a slope, the 2 x 2 systems of the levels solved exactly."""
    block = _Block(codes, n_levels, weights, slopes[:1], ((),))
    for slope in slopes[1:]:
        left = np.ones(len(codes)) if slope is None else slope.copy()
        total = _sums(block, weights, left, left)
        loading = []
        for basis, inverse in zip(block.bases, block.inverses, strict=True):
            loading.append(_sums(block, weights, basis, left) * inverse)
            left -= _times(loading[-1][codes], basis)
        spanned = _sums(block, weights, left, left) <= NEGLIGIBLE * total
        left[spanned[codes]] = 0.0
        block = _Block(codes, n_levels, weights, (*block.bases, left), (*block.loadings, tuple(loading)))
    return block


def _sums(block: _Block, *factors: FloatArray | None) -> FloatArray:
    """(n_levels,) sums of the product of the factors within levels, rows in any order."""
    return np.bincount(block.codes, _product(*factors), block.n_levels).astype(np.float64, copy=False)


def _named_levels(
    effects: tuple[Effect, ...],
    groups: tuple[_Group, ...],
    blocks: tuple[_Block, ...],
    first: FloatArray,
    rest: FloatArray,
) -> dict[str, FloatArray]:
    """Coefficients on the orthogonal bases turned into intercepts and slopes, then normalised."""
    found: dict[int, FloatArray] = {}
    flat = np.concatenate([first.ravel(), rest])
    for group, block in zip(groups, blocks, strict=True):
        size = len(block.bases) * block.n_levels
        coef, flat = flat[:size].reshape(len(block.bases), block.n_levels), flat[size:]
        for j in reversed(range(len(block.bases))):
            for i, loading in enumerate(block.loadings[j]):
                coef[i] -= loading * coef[j]
        found.update(zip(group.members, coef, strict=True))
    intercepts = [index for index, effect in enumerate(effects) if effect.slope is None]
    for index in intercepts[1:]:
        shift = found[index][0]
        found[index] = found[index] - shift
        found[intercepts[0]] = found[intercepts[0]] + shift
    return {effect.name: found[index] for index, effect in enumerate(effects)}


# ---------------------------------------------------------------------- all blocks: one pass, one system, one pass


class _Limits(NamedTuple):
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
class _Design:
    """All blocks, rows ordered by the first."""

    blocks: tuple[_Block, ...]
    weights: FloatArray | None

    @property
    def first(self) -> _Block:
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

    def project(self, work: FloatArray, limits: _Limits) -> FloatArray:
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
                b = _times(np.ones(len(local)), _part(basis, chunk.rows))
                own += b**2 * self.first.inverses[j][chunk.levels][local]
                M -= b[:, None] * (self.cross_table(chunk, j) * self.first.inverses[j][chunk.levels, None])[local]
            h = own + np.einsum("ij,ij->i", M @ inverse, M)
            out[chunk.rows] = _times(h, _part(self.weights, chunk.rows))
        return out

    def cross_table(self, chunk: _Chunk, j: int) -> FloatArray:
        """(levels of the chunk, L) ``B_j' W D2`` for basis j of the first block."""
        n = chunk.levels.stop - chunk.levels.start
        local = self.first.codes[chunk.rows] - chunk.levels.start
        out = np.empty((n, self.n_levels))
        for piece in self.pieces:
            values = _product(*(_part(f, chunk.rows) for f in (self.weights, self.first.bases[j], piece.basis)))
            cells = local * piece.n_levels + piece.codes[chunk.rows]
            out[:, piece.levels] = np.bincount(cells, values, n * piece.n_levels).reshape(n, piece.n_levels)
        return out

    def _dummies(self, chunk: _Chunk) -> FloatArray:
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

    def _square(self, x: FloatArray, chunk: _Chunk) -> float:
        # einsum, as a threaded dot product of a chunk costs more than it saves
        return float(np.einsum("i,i->", x, _times(x, _part(self.weights, chunk.rows))))

    def _add_sums(self, rhs: FloatArray, x: FloatArray, chunk: _Chunk) -> None:
        """``rhs += D2' W x`` over the chunk."""
        weighted = _times(x, _part(self.weights, chunk.rows)) if self.pieces else x
        for piece in self.pieces:
            values = _times(weighted, _part(piece.basis, chunk.rows))
            rhs[piece.levels] += np.bincount(piece.codes[chunk.rows], values, piece.n_levels)

    def _subtract(self, x: FloatArray, coef: FloatArray, chunk: _Chunk) -> None:
        """``x -= D2 v`` over the chunk."""
        for piece in self.pieces:
            x -= _times(coef[piece.levels].take(piece.codes[chunk.rows]), _part(piece.basis, chunk.rows))


# ---------------------------------------------------------------------- the two solvers


class _System(Protocol):
    def solve(self, rhs: FloatArray, stop: FloatArray, limits: _Limits) -> FloatArray: ...


@dataclass(frozen=True, eq=False)
class _Direct:
    """``P'SP = R'R`` after scaling to unit ``D2'W D2``; ``kept`` are the levels that the others do not span."""

    R: FloatArray
    kept: IntArray
    scale: FloatArray

    def solve(self, rhs: FloatArray, stop: FloatArray, limits: _Limits) -> FloatArray:
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


def _direct(design: _Design) -> _Direct:
    """``S`` summed over chunks of the first block's levels, each a dense cross-table."""
    S = _gram(design)
    scale = _inverse_or_zero(np.sqrt(np.diag(S)))
    for chunk in design.first.chunks():
        for j, inverse in enumerate(design.first.inverses):
            table = design.cross_table(chunk, j)
            S -= table.T @ (table * inverse[chunk.levels, None])
    R, pivots, rank, _ = lapack.dpstrf(S * scale[:, None] * scale, tol=NEGLIGIBLE)
    return _Direct(np.ascontiguousarray(R[:rank, :rank]), np.asarray(pivots[:rank], dtype=np.intp) - 1, scale)


def _gram(design: _Design) -> FloatArray:
    """(L, L) ``D2'W D2``."""
    out = np.zeros((design.n_levels, design.n_levels))
    for a, b in combinations_with_replacement(design.pieces, 2):
        values = _product(design.weights, a.basis, b.basis)
        if a.codes is b.codes:
            out[a.levels, b.levels] = np.diag(np.bincount(a.codes, values, a.n_levels))
        else:
            cells = a.codes * b.n_levels
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

    def solve(self, rhs: FloatArray, stop: FloatArray, limits: _Limits) -> FloatArray:
        """(L, K) by preconditioned conjugate gradients, all columns side by side, each until its own ``stop``."""
        inverse = _inverse_or_zero(self.diagonal)[:, None]
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


def _iterative(design: _Design) -> _Iterative:
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
        factor = _product(design.weights, basis)
        values = data if factor is None else data * factor[:, None]
        crosses.append((table(values, design.first.bounds), inverse[:, None]))
    if gram is None:
        weighted = data if design.weights is None else data * design.weights[:, None]
        rows = np.arange(n_rows + 1)
        gram = (table(data, rows).T @ table(weighted, rows)).tocsr()
    return _Iterative(gram, np.asarray(gram.diagonal(), dtype=np.float64), tuple(crosses))


# ---------------------------------------------------------------------- small arithmetic


def _product(*factors: FloatArray | None) -> FloatArray | None:
    """Product of the factors that are there; None, for ones, when there is none."""
    out = None
    for factor in factors:
        if factor is not None:
            out = factor if out is None else out * factor
    return out


def _times(x: FloatArray, *factors: FloatArray | None) -> FloatArray:
    for factor in factors:
        if factor is not None:
            x = x * factor
    return x


def _part(values: FloatArray | None, rows: slice) -> FloatArray | None:
    return None if values is None else values[rows]


def _inverse_or_zero(values: FloatArray) -> FloatArray:
    """One over the positive values, zero elsewhere."""
    return np.divide(1.0, values, out=np.zeros(len(values)), where=values > 0)
