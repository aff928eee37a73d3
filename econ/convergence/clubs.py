"""Convergence clubs: which units converge to one another (Phillips and Sul 2007, 2009)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from econ.convergence.logt import REJECT, Design, TransitionInput, some, transition_input
from econ.errors import OptionError
from econ.linear.fit import BoolArray, FloatArray, IntArray
from econ.options import ClubMerging, check_word
from econ.panel import Panel
from econ.text import Text

INCREMENT = 0.1  # by which the sieve criterion rises until the club passes the test
FIRST_BLOCK = 32  # groups tested at once at the start of a search that stops at the first failure


@dataclass(frozen=True, eq=False)
class Clubs:
    """Convergence clubs and the units that belong to none.

    Attributes
    ----------
    members : ``unit, club``; clubs are numbered in the order found, from high to low, and a missing club means that the
        unit diverges; within a club from the highest to the lowest value in the last period
    tests : ``club, n, estimate, std_error, statistic, merged_from``; the log t test within each club, and which of the
        clubs before merging it holds
    paths : ``unit, period, h, club``; relative transition paths ``h_it = X_it / mean_i(X_it)``, the mean over all units
    spec : what was asked for, as plain JSON
    notes : what a reader must know
    """

    members: pd.DataFrame
    tests: pd.DataFrame
    paths: pd.DataFrame
    spec: dict[str, Any]
    notes: tuple[Text, ...] = ()


def clubs(
    panel: Panel,
    x: str,
    trim: float = 1 / 3,
    hp_lambda: float | None = 400,
    log: bool = True,
    c_star: float = 0,
    merge: ClubMerging | None = "phillips_sul",
) -> Clubs:
    r"""Sort units into clubs within which the log t test does not reject convergence.

    The steps of Phillips and Sul (2007, 2009), each with the test of ``log_t``:

    1. Units are ordered by their (filtered) value in the last period, the highest first. If all of them together have
       ``t > -1.65``, they are one club.
    2. Core group: the first neighbours in that order with ``t > -1.65``, extended downwards unit by unit as long as
       ``t > -1.65``; of these groups the one with the largest ``t`` (the largest, not the largest in absolute value).
       Two neighbours that coincide in a period have no ``log H`` and start no core group.
    3. Sieve: every other unit is added to the core alone, and joins if then ``t > c_star``. If core and joined units
       together fail (``t <= -1.65``), the criterion rises by 0.1 until they pass; what is left in the end is the core,
       which has passed. So no group with ``t <= -1.65`` is ever called a club.
    4. The remaining units go through steps 1 to 3 again, until no core group is found: the rest diverge.

    Merging, of neighbouring clubs in their order, so that ``c_star`` does not split what converges:

    * ``"phillips_sul"`` (2009): club 1 takes in club 2, 3, ... as long as the union has ``t > -1.65``; the
      first that fails starts again.
    * ``"von_lyncker"`` (von Lyncker and Thoennessen 2017): of the tests ``t(m)`` of all neighbouring
      pairs, the first with ``t(m) > -1.65`` and ``t(m) > t(m + 1)`` (the last pair: ``t(m) > -1.65``) is merged, and
      the tests are run again until none qualifies.

    Parameters
    ----------
    panel, x, trim, hp_lambda, log : as in ``log_t``; incomplete units are left out and named.
    c_star : sieve criterion; 0 is cautious and meant for short panels, -1.65 for very long ones.
    merge : rule for merging clubs; None leaves them as found.

    Examples
    --------
    >>> import econ
    >>> result = econ.convergence.clubs(econ.load("provinces"), "gdp_per_capita")
    >>> list(result.members.columns)
    ['unit', 'club']
    """
    if not np.isfinite(c_star):
        raise OptionError(f"c_star={c_star!r}: give a finite number, such as 0.")
    if merge is not None:
        check_word(merge, ClubMerging, "merge")
    paths = transition_input(panel, x, trim, hp_lambda, log)
    values = paths.design.used(paths.values)
    found, divergent = find_clubs(values, paths.design, c_star)
    merged = merge_clubs(values, paths.design, found, merge)
    groups = [np.concatenate([found[k] for k in parts]) for parts in merged]
    numbers = np.zeros(values.shape[1], dtype=np.int64)
    for number, columns in enumerate(groups, 1):
        numbers[columns] = number
    names = panel.units[paths.codes]
    spec = paths.spec | {
        "estimator": "clubs", "c_star": c_star, "c_star_increment": INCREMENT, "critical_value": REJECT, "merge": merge,
        "labels": panel.labels([x]),
    }  # fmt: skip
    return Clubs(
        members=_members(names, numbers, values[-1]),
        tests=_tests(values, paths.design, groups, merged),
        paths=_paths(names, numbers, paths),
        spec=spec,
        notes=(*paths.notes, *_divergent_note(names[divergent])),
    )


# ---------------------------------------------------------------------- moments of groups


@dataclass(frozen=True, eq=False)
class Moments:
    """Cross-section moments of M groups, which units and groups can join without a look at their members.

    Attributes
    ----------
    n : (M,) units
    mean : (T, M)
    m2 : (T, M), sum of squared deviations from the mean
    """

    n: FloatArray
    mean: FloatArray
    m2: FloatArray

    @classmethod
    def of_units(cls, values: FloatArray) -> "Moments":
        """Groups of one unit each."""
        return cls(np.ones(values.shape[1]), values, np.zeros_like(values))

    @classmethod
    def of_group(cls, values: FloatArray) -> "Moments":
        """One group of all units."""
        mean = values.mean(axis=1, keepdims=True)
        return cls(np.array([float(values.shape[1])]), mean, np.square(values - mean).sum(axis=1, keepdims=True))

    def __getitem__(self, groups: "slice | BoolArray | IntArray") -> "Moments":
        return Moments(self.n[groups], self.mean[:, groups], self.m2[:, groups])

    def join(self, other: "Moments") -> "Moments":
        """Group m with group m of the other, or either with a single group."""
        n = self.n + other.n
        step = other.mean - self.mean
        share = other.n / n
        return Moments(n, self.mean + step * share, self.m2 + other.m2 + step**2 * (self.n * share))

    def growing(self, values: FloatArray) -> "Moments":
        """A single group with the first unit of ``values``, with the first two, ..., with all (Welford's updates)."""
        n = self.n + np.arange(values.shape[1] + 1)
        from_start = np.zeros((len(values), len(n)))
        np.cumsum(values - self.mean, axis=1, out=from_start[:, 1:])
        mean = self.mean + from_start / n
        steps = (values - mean[:, :-1]) * (values - mean[:, 1:])
        return Moments(n[1:], mean[:, 1:], self.m2 + np.cumsum(steps, axis=1))

    @property
    def variation(self) -> FloatArray:
        """(T, M) ``H_t``."""
        return self.m2 / (self.n * self.mean**2)


# ---------------------------------------------------------------------- the search


def find_clubs(values: FloatArray, design: Design, c_star: float) -> tuple[list[IntArray], IntArray]:
    """Clubs before merging and divergent units, as columns of ``design.used`` values; steps 1 to 4 of ``clubs``."""
    left = np.argsort(-values[-1], kind="stable")
    found: list[IntArray] = []
    while len(left) > 1:
        x = values[:, left]
        if design.statistic(Moments.of_group(x).variation)[0] > REJECT:
            return [*found, left], left[:0]
        core = _core(x, design)
        if core is None:
            break
        chosen = _sieve(x, core, design, c_star)
        found.append(left[chosen])
        left = left[~chosen]
    return found, left


def _core(x: FloatArray, design: Design) -> slice | None:
    """Step 2: columns of the core group."""
    start = _first_pair(x, design)
    if start is None:
        return None
    pair = Moments.of_group(x[:, start : start + 2])
    best, size, block = float(design.statistic(pair.variation)[0]), 2, FIRST_BLOCK
    group, end = pair, start + 2
    while end < x.shape[1]:
        grown = group.growing(x[:, end : end + block])
        t = design.statistic(grown.variation)
        passing = int(np.argmin(t > REJECT)) if not (t > REJECT).all() else len(t)
        if passing and t[:passing].max() > best:
            at = int(np.argmax(t[:passing]))
            best, size = float(t[at]), end - start + at + 1
        if passing < len(t):
            break
        group, end, block = grown[-1:], end + block, 4 * block
    return slice(start, start + size)


def _first_pair(x: FloatArray, design: Design) -> int | None:
    """Where the first two neighbours with ``t > -1.65`` stand."""
    start, block = 0, FIRST_BLOCK
    while start < x.shape[1] - 1:
        units = Moments.of_units(x[:, start : start + block + 1])
        passing = design.statistic(units[:-1].join(units[1:]).variation) > REJECT
        if passing.any():
            return start + int(np.argmax(passing))
        start, block = start + block, 4 * block
    return None


def _sieve(x: FloatArray, core: slice, design: Design, c_star: float) -> BoolArray:
    """Step 3: which columns are in the club."""
    member = np.zeros(x.shape[1], dtype=bool)
    member[core] = True
    group, others = Moments.of_group(x[:, core]), np.flatnonzero(~member)
    t = design.statistic(group.join(Moments.of_units(x[:, others])).variation)
    candidates = others[t > c_star]
    everyone = np.sort(np.concatenate([candidates, np.flatnonzero(member)]))
    if len(candidates) and not design.statistic(Moments.of_group(x[:, everyone]).variation)[0] > REJECT:
        candidates = _raise_criterion(x, group, candidates, t[t > c_star] - c_star, design)
    member[candidates] = True
    return member


def _raise_criterion(
    x: FloatArray, core: Moments, candidates: IntArray, excess: FloatArray, design: Design
) -> IntArray:
    """The candidates that remain at the first criterion ``c_star + 0.1 k`` at which core and candidates pass."""
    order = np.argsort(-excess, kind="stable")
    candidates = candidates[order]
    last = np.ceil(excess[order] / INCREMENT)  # the k at which a candidate goes
    t = design.statistic(core.growing(x[:, candidates]).variation)
    reached = np.append(last[:-1] > last[1:], False)  # sizes that some criterion leaves; all together have failed
    sizes = np.flatnonzero(reached & (t > REJECT)) + 1
    return candidates[: sizes[-1] if len(sizes) else 0]


# ---------------------------------------------------------------------- merging


def merge_clubs(
    values: FloatArray, design: Design, found: list[IntArray], merge: ClubMerging | None
) -> list[list[int]]:
    """Which clubs (positions in ``found``) go together, in order."""
    alone = [[k] for k in range(len(found))]
    if merge is None or len(found) < 2:
        return alone
    parts = [Moments.of_group(values[:, members]) for members in found]
    groups = Moments(
        *(np.concatenate([getattr(part, name) for part in parts], axis=-1) for name in ("n", "mean", "m2"))
    )
    return _merge_in_turn(groups, design, alone) if merge == "phillips_sul" else _merge_pairs(groups, design, alone)


def _merge_in_turn(groups: Moments, design: Design, alone: list[list[int]]) -> list[list[int]]:
    merged, current = [alone[0]], groups[:1]
    for k, club in enumerate(alone[1:], 1):
        together = current.join(groups[k : k + 1])
        if design.statistic(together.variation)[0] > REJECT:
            merged[-1], current = merged[-1] + club, together
        else:
            merged, current = [*merged, club], groups[k : k + 1]
    return merged


def _merge_pairs(groups: Moments, design: Design, merged: list[list[int]]) -> list[list[int]]:
    while len(merged) > 1:
        pairs = groups[:-1].join(groups[1:])
        t = design.statistic(pairs.variation)
        qualifies = (t > REJECT) & (t > np.append(t[1:], -np.inf))
        if not qualifies.any():
            return merged
        m = int(np.argmax(qualifies))
        merged = [*merged[:m], merged[m] + merged[m + 1], *merged[m + 2 :]]
        groups = _replaced(groups, m, pairs[m : m + 1])
    return merged


def _replaced(groups: Moments, m: int, pair: Moments) -> Moments:
    """The groups with m and m + 1 replaced by their union."""
    before, after = groups[:m], groups[m + 2 :]
    return Moments(
        np.concatenate([before.n, pair.n, after.n]),
        np.concatenate([before.mean, pair.mean, after.mean], axis=1),
        np.concatenate([before.m2, pair.m2, after.m2], axis=1),
    )


# ---------------------------------------------------------------------- frames


def _members(names: Any, numbers: IntArray, last: FloatArray) -> pd.DataFrame:
    order = np.lexsort((-last, np.where(numbers == 0, len(numbers) + 1, numbers)))
    return pd.DataFrame({"unit": names[order], "club": _missing_if_none(numbers[order])})


def _missing_if_none(numbers: IntArray) -> "pd.Series[Any]":
    return pd.Series(pd.arrays.IntegerArray(numbers, numbers == 0))


def _tests(values: FloatArray, design: Design, groups: list[IntArray], merged: list[list[int]]) -> pd.DataFrame:
    H = [Moments.of_group(values[:, members]).variation for members in groups]
    slope, std_error = design.fit(np.concatenate(H, axis=1)) if H else (np.empty(0), np.empty(0))
    return pd.DataFrame(
        {
            "club": np.arange(1, len(groups) + 1),
            "n": [len(members) for members in groups],
            "estimate": slope,
            "std_error": std_error,
            "statistic": slope / std_error,
            "merged_from": [" + ".join(str(k + 1) for k in parts) for parts in merged],
        }
    )


def _paths(names: Any, numbers: IntArray, paths: TransitionInput) -> pd.DataFrame:
    h = paths.values / paths.values.mean(axis=1, keepdims=True)
    n_periods, n_units = h.shape
    return pd.DataFrame(
        {
            "unit": np.repeat(names, n_periods),
            "period": np.tile(np.array(paths.periods), n_units),
            "h": h.T.ravel(),
            "club": _missing_if_none(np.repeat(numbers, n_periods)),
        }
    )


def _divergent_note(names: Any) -> tuple[Text, ...]:
    if not len(names):
        return ()
    listed = [str(name) for name in names]
    return (
        {
            "en": f"Divergent, in no club: {some(listed, ', ')}.",
            "zh": f"未归入任何俱乐部（发散）：{some(listed, '、')}。",
        },
    )
