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

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import sparse

from econ.design.blocks import Block, make_block
from econ.design.schur import Design, Limits
from econ.errors import ModelError
from econ.linear.fit import FloatArray, IntArray


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
                make_block(codes, group.n_levels, tuple(map(self._sorted_slope, group.slopes)), sorted_weights)
                for codes, group in zip(self._codes, self._groups, strict=True)
            )
            self._design = Design(blocks, sorted_weights)

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
            when the effects beside the largest one have more than ``schur.DENSE_LEVELS`` levels
        """
        if self._design is None:
            raise ModelError("There are no fixed effects, so they have no leverage; leave the term out.")
        return self._unsorted(self._design.leverage())

    def _solve(self, design: "Design", work: FloatArray) -> FloatArray:
        names = " + ".join(effect.name for effect in self.effects)
        return design.project(work, Limits(self.tol, self.max_iter, names))

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


# ---- effects grouped by levels, rows ordered


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


def _check_levels(group: _Group, effects: tuple[Effect, ...], block: "Block") -> None:
    present = len(block.bounds) - 1
    if present != group.n_levels:
        raise ModelError(
            f"Effect {effects[group.members[0]].name!r} has {group.n_levels:,} levels, of which {present:,} have rows; "
            "number the levels present in the sample 0, 1, 2, ... without gaps."
        )


def _named_levels(
    effects: tuple[Effect, ...],
    groups: tuple[_Group, ...],
    blocks: tuple[Block, ...],
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
