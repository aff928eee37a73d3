"""Randomisation inference: the ways a treatment could have been handed out, and where an estimate stands among them.

The null hypothesis is Fisher's: no unit's outcome depends on the assignment. Then the statistic under every assignment
the design allowed is known, and the test is exact whatever the number of units (Fisher 1935; Rosenbaum 2002, chapter 2;
Imbens and Rubin 2015, chapter 5). ``labels`` say what each unit got: treated or not, or its cohort.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import comb, exp, lgamma, prod

import numpy as np

from econ.errors import DataError, ModelError
from econ.inference.layout import group_codes
from econ.linear.fit import BoolArray, FloatArray, IntArray
from econ.options import Tail, check_draws, check_word

TIE = 1e-9  # relative difference up to which two statistics are the same number computed twice


@dataclass(frozen=True, eq=False)
class PermutationTest:
    """A statistic among its values under other assignments.

    Attributes
    ----------
    statistic : the observed value
    p_value : share of values at least as extreme, ties counted: ``#/N`` over a complete enumeration, which contains the
        observed assignment; ``(1 + #)/(1 + B)`` over B draws, which need not
    side : what is extreme: large in absolute value, large, or small
    exact : whether all assignments were enumerated
    n_ties : values equal to the observed one (in absolute value, if two-sided) up to rounding
    distribution : (N,) or (B,)
    """

    statistic: float
    p_value: float
    side: Tail
    exact: bool
    n_ties: int
    distribution: FloatArray


def permutation_test(
    statistic: float, distribution: FloatArray, *, exact: bool, side: Tail = "two_sided"
) -> PermutationTest:
    """Where ``statistic`` stands in ``distribution`` (Phipson and Smyth 2010 for the p-value of draws).

    Examples
    --------
    >>> permutation_test(3.0, np.array([-3.0, -1.0, 1.0, 3.0]), exact=True).p_value
    0.5
    """
    check_word(side, Tail, "side")
    unknown = int(np.isnan(distribution).sum())
    if unknown or np.isnan(statistic) or not len(distribution):
        raise ModelError(
            f"{unknown} of {len(distribution)} assignments have no statistic, and the observed one is {statistic}; "
            "leave out the units whose outcome is missing, so that every assignment can be estimated."
        )
    n_extreme = int(as_extreme(distribution, statistic, side).sum())
    p_value = n_extreme / len(distribution) if exact else (1 + n_extreme) / (1 + len(distribution))
    ties = int(is_tied(distribution, statistic, side).sum())
    return PermutationTest(float(statistic), p_value, side, exact, ties, distribution)


def as_extreme(distribution: FloatArray, observed: float, side: Tail = "two_sided") -> BoolArray:
    """(B,) whether each value is at least as extreme as the observed one, ties counted."""
    match side:
        case "two_sided":
            beyond = np.abs(distribution) > abs(observed)
        case "greater":
            beyond = distribution > observed
        case "less":
            beyond = distribution < observed
    return np.asarray(beyond | is_tied(distribution, observed, side))


def is_tied(distribution: FloatArray, observed: float, side: Tail = "two_sided") -> BoolArray:
    """(B,) whether each value is the observed one (in absolute value, if two-sided) up to rounding."""
    values, value = (np.abs(distribution), abs(observed)) if side == "two_sided" else (distribution, observed)
    unit = max(abs(observed), float(np.median(np.abs(distribution))))
    return np.asarray(np.abs(values - value) <= TIE * unit) if np.isfinite(unit) else np.asarray(values == value)


# ---- assignments


@dataclass(frozen=True, eq=False)
class Assignments:
    """The ways to hand the same labels out again; see :func:`assignments`.

    Attributes
    ----------
    labels : (n,) codes of the labels as observed
    strata : (n,) codes of the strata
    draws, seed : of the draws, when not all are enumerated
    """

    labels: IntArray
    strata: IntArray
    draws: int
    seed: int

    @cached_property
    def members(self) -> tuple[IntArray, ...]:
        """The units of each stratum."""
        return tuple(np.flatnonzero(self.strata == s) for s in range(int(self.strata.max()) + 1))

    @cached_property
    def n_possible(self) -> float:
        """How many assignments there are: the product over strata of multinomial coefficients; exact up to 2^53."""
        counts = [np.bincount(self.labels[units]).tolist() for units in self.members]
        log = sum(lgamma(1 + sum(c)) - sum(lgamma(1 + k) for k in c) for c in counts)
        if log > 36:
            return exp(log) if log < 700 else np.inf
        return float(prod(comb(sum(c[: k + 1]), c[k]) for c in counts for k in range(len(c))))

    @property
    def exact(self) -> bool:
        """Whether all assignments are enumerated, as when they are no more than the draws."""
        return self.n_possible <= self.draws

    @property
    def size(self) -> int:
        """Assignments in :meth:`blocks`."""
        return int(self.n_possible) if self.exact else self.draws

    def blocks(self, size: int = 1024) -> Iterator[IntArray]:
        """The assignments as (b, n) codes, ``size`` at a time; how many at a time changes none of them.

        An enumeration has every assignment once, the observed one among them; draws are independent and uniform.
        """
        parts = [self._enumerated(units) for units in self.members] if self.exact else []
        streams = [np.random.default_rng(s) for s in np.random.SeedSequence(self.seed).spawn(len(self.members))]
        for start in range(0, self.size, size):
            rows = np.arange(start, min(start + size, self.size))
            block = np.empty((len(rows), len(self.labels)), dtype=np.intp)
            for s, units in enumerate(self.members):
                if self.exact:
                    block[:, units] = parts[s][rows % len(parts[s])]
                    rows = rows // len(parts[s])
                else:
                    block[:, units] = streams[s].permuted(np.tile(self.labels[units], (len(rows), 1)), axis=1)
            yield block

    def _enumerated(self, units: IntArray) -> IntArray:
        """(N, units) every distinct order of the labels of a stratum."""
        out = np.full((1, len(units)), int(self.labels[units].max()))
        free = np.arange(len(units))[None]
        for label, count in enumerate(np.bincount(self.labels[units]).tolist()[:-1]):
            n_free = free.shape[1]
            chosen = np.array(list(combinations(range(n_free), count)), dtype=np.intp).reshape(
                comb(n_free, count), count
            )
            is_left = np.ones((len(chosen), n_free), dtype=np.bool_)
            is_left[np.arange(len(chosen))[:, None], chosen] = False
            left = np.nonzero(is_left)[1].reshape(len(chosen), n_free - count)
            out = np.repeat(out, len(chosen), axis=0)
            out[np.arange(len(out))[:, None], free[:, chosen].reshape(len(out), count)] = label
            free = free[:, left].reshape(len(out), n_free - count)
        return out


def assignments(labels: IntArray, strata: IntArray | None = None, *, draws: int = 5000, seed: int = 1) -> Assignments:
    """The ways in which the labels could have been handed out to the units.

    Every order of the labels is equally likely, within strata if there are any: which m of n units are treated, or
    which are treated when. All are enumerated when there are no more of them than ``draws``, else ``draws`` are drawn.

    Parameters
    ----------
    labels : (n,) what each unit got, anything that sorts; numbered in the result 0, 1, ... in sorted order
    strata : (n,) or None; labels change places only within a stratum

    Examples
    --------
    >>> ways = assignments(np.array([0, 0, 1]))
    >>> ways.exact, np.concatenate(list(ways.blocks())).tolist()
    (True, [[0, 0, 1], [0, 1, 0], [1, 0, 0]])
    """
    check_draws(draws, seed)
    codes, n_labels = group_codes(np.asarray(labels), "labels")
    strata_codes = (
        np.zeros(len(codes), dtype=np.intp) if strata is None else group_codes(np.asarray(strata), "strata")[0]
    )
    if len(strata_codes) != len(codes):
        raise DataError(f"{len(codes)} labels, but {len(strata_codes)} strata; give one of each for every unit.")
    ways = Assignments(codes, strata_codes, draws, seed)
    if n_labels < 2 or ways.n_possible == 1:
        raise ModelError(
            "There is one way only to hand the labels out: within every stratum all units got the same. Compare units "
            "that got different labels, or use fewer strata."
        )
    return ways
