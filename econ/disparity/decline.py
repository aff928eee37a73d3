"""Which units decline: counts by group, exact intervals and tests, and how deep the falls are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from scipy.stats.contingency import odds_ratio

from econ.errors import DataError, ModelError, OptionError
from econ.options import check_level
from econ.panel import Panel
from econ.text import Text

ALL = "all"
NAMED = 5


@dataclass(frozen=True, eq=False)
class Decline:
    """Counts of declining units, their test, and the size of the changes.

    Attributes
    ----------
    counts : ``group, n, declined, share, ci_low, ci_high``; the last row is ``"all"``
    test : ``group, odds_ratio, ci_low, ci_high, p_greater, p_two_sided``; each group against all others together
    sizes : ``group, declined, median, mean, largest``: the falls of the declining units in percent, positive; no rows
        where only counts are known, missing in a group where none declined
    units : the unit column, ``group, start, end, change`` (percent), largest fall first; no rows where only counts are
        known
    spec : what was asked for, as plain JSON
    notes : what a reader must know
    """

    counts: pd.DataFrame
    test: pd.DataFrame
    sizes: pd.DataFrame
    units: pd.DataFrame
    spec: dict[str, Any]
    notes: tuple[Text, ...] = ()


def decline(panel: Panel, x: str, start: Any, end: Any, groups: str, level: float = 0.95) -> Decline:
    r"""How many units of each group have less ``x`` at ``end`` than at ``start``, and whether groups differ.

    Shares have Wilson score intervals. Each group is set against all others together by Fisher's exact test on the
    2 x 2 table of declined or not: ``p_greater`` is the probability, under equal chances and with both margins fixed,
    of at least as many declines in the group (hypergeometric); ``p_two_sided`` adds all tables that are no more
    probable. ``odds_ratio`` is the conditional maximum-likelihood estimate with its exact interval, as in R's
    ``fisher.test``. With several groups the p-values are not adjusted for their number.

    Parameters
    ----------
    panel : units over periods; only those known in both periods count, the others are left out with a note.
    x : zero or positive, such as employment; an unchanged value is no decline.
    start, end : periods of the panel.
    groups : column constant within units, such as ``"plate"``.
    level : of the intervals.

    References
    ----------
    Wilson (1927); Fisher (1935); Agresti (2013), Categorical Data Analysis, sec. 3.5.

    Examples
    --------
    >>> import econ
    >>> result = econ.disparity.decline(econ.load("zones_simulated"), "employment", 2015, 2018, groups="plate")
    >>> result.counts.set_index("group").loc["Northeast", ["declined", "n"]].tolist()
    [12, 16]
    """
    levels, left_out = levels_at(panel, x, (start, end))
    units = levels.set_axis(["start", "end"], axis=1)
    units.insert(0, "group", group_of(panel, groups, levels.index))
    units["change"] = 100 * (units["end"] / units["start"] - 1)
    fell = units["end"] < units["start"]
    tally = pd.DataFrame({"declined": fell.groupby(units["group"]).sum(), "n": units.groupby("group").size()})
    counts = {str(name): (int(row["declined"]), int(row["n"])) for name, row in tally.iterrows()}
    spec = {"x": x, "start": start, "end": end, "groups": groups, "dataset": panel.dataset, "labels": panel.labels([x])}
    ordered = units.sort_values("change", kind="stable").reset_index(names=panel.unit)
    notes = (*panel.notes, *left_out, *_gone_note(panel, groups, list(counts)))
    return _decline(counts, level, _sizes(units[fell], list(counts)), ordered, spec, notes)


def decline_counts(counts: Mapping[str, tuple[int, int]], level: float = 0.95) -> Decline:
    """The same from published counts alone, without a panel.

    Parameters
    ----------
    counts : group -> (units that declined, units in the group); groups do not overlap. Where the published total
        includes the group, give the difference: 12 of 16 and 40 of 169 are 12 of 16 and 28 of 153.
    level : of the intervals.

    Examples
    --------
    >>> import econ
    >>> result = econ.disparity.decline_counts({"Northeast": (12, 16), "others": (28, 153)})
    >>> f"{result.test.loc[0, 'p_greater']:.1e}"
    '6.5e-06'
    """
    empty_sizes = pd.DataFrame(columns=["group", "declined", "median", "mean", "largest"])
    empty_units = pd.DataFrame(columns=["group", "start", "end", "change"])
    return _decline(counts, level, empty_sizes, empty_units, {}, ())


def _gone_note(panel: Panel, groups: str, kept: list[str]) -> tuple[Text, ...]:
    """Groups of the panel of which no unit is left."""
    gone = sorted(set(panel.attribute(groups).dropna().astype(str)) - set(kept))
    if not gone:
        return ()
    return (
        {
            "en": f"Groups with no unit known in both periods: {', '.join(gone)}.",
            "zh": f"两个时期均有数据的单元数为零的组：{'、'.join(gone)}。",
        },
    )


def _decline(
    counts: Mapping[str, tuple[int, int]],
    level: float,
    sizes: pd.DataFrame,
    units: pd.DataFrame,
    spec: Mapping[str, Any],
    notes: tuple[Text, ...],
) -> Decline:
    check_level(level)
    _check_counts(counts)
    total = (sum(k for k, _ in counts.values()), sum(n for _, n in counts.values()))
    table = pd.DataFrame([_share(name, k, n, level) for name, (k, n) in {**counts, ALL: total}.items()])
    tests = pd.DataFrame([_fisher(name, k, n, total, level) for name, (k, n) in counts.items()])
    same = _same_note() if total[0] in (0, total[1]) else ()
    return Decline(table, tests, sizes, units, {"estimator": "decline", "level": level, **spec}, (*notes, *same))


def _same_note() -> tuple[Text, ...]:
    return (
        {
            "en": "No unit declined, or all did: the odds ratio does not exist and every p-value is 1.",
            "zh": "没有单元下降或全部下降：优势比不存在，各 p 值均为 1。",
        },
    )


def _check_counts(counts: Mapping[str, tuple[int, int]]) -> None:
    if len(counts) < 2:
        raise ModelError(f"{len(counts)} group(s) given: {', '.join(counts)}; a comparison needs two or more.")
    if ALL in counts:
        raise OptionError(f"{ALL!r} names the total; give the groups only, under other names.")
    for name, (k, n) in counts.items():
        if n == 0:
            raise DataError(f"Group {name!r} has no unit; leave it out.")
        if not 0 <= k <= n or k != int(k) or n != int(n):
            raise DataError(
                f"Group {name!r} has {k} declines of {n} units; give whole numbers, 0 <= declines <= units."
            )


def _share(name: str, declined: int, n: int, level: float) -> dict[str, Any]:
    interval = stats.binomtest(declined, n).proportion_ci(level, method="wilson")
    row = {"group": name, "n": n, "declined": declined, "share": declined / n}
    return row | {"ci_low": float(interval.low), "ci_high": float(interval.high)}


def _fisher(name: str, declined: int, n: int, total: tuple[int, int], level: float) -> dict[str, Any]:
    k, rest = total[0] - declined, total[1] - n
    table = np.array([[declined, n - declined], [k, rest - k]])
    ratio = odds_ratio(table)
    interval = ratio.confidence_interval(level)
    return {
        "group": name,
        "odds_ratio": float(ratio.statistic),
        "ci_low": float(interval.low),
        "ci_high": float(interval.high),
        "p_greater": float(stats.fisher_exact(table, "greater").pvalue),
        "p_two_sided": float(stats.fisher_exact(table).pvalue),
    }


def levels_at(panel: Panel, x: str, periods: Sequence[Any]) -> tuple[pd.DataFrame, tuple[Text, ...]]:
    """One row per unit known in all the periods, one column per period (0, 1, ...), and a note on units left out."""
    values, codes = panel.values(x), period_codes(panel, periods)
    index = pd.Index(panel.units, name=panel.unit)
    wide = pd.DataFrame(np.nan, index=index, columns=list(range(len(codes))))
    for i, code in enumerate(codes):
        rows = panel.time_codes == code
        wide.loc[panel.units[panel.unit_codes[rows]], i] = values[rows]
    known = wide[wide.notna().all(axis=1)]
    if known.empty:
        raise DataError(f"No unit has {x!r} in all of {', '.join(map(str, periods))}; take other periods.")
    bad = known.index[(known.to_numpy()[:, :-1] <= 0).any(axis=1) | (known.to_numpy()[:, -1] < 0)]
    if len(bad):
        raise DataError(
            f"{x!r} must be positive for its relative change; it is not for {', '.join(map(str, bad[:NAMED]))}. "
            "Leave these units out with where()."
        )
    return known, _left_out([str(unit) for unit in index.difference(known.index)], x, periods)


def period_codes(panel: Panel, periods: Sequence[Any]) -> list[int]:
    """Calendar codes of periods, which must be in the panel and in order."""
    have = {panel.period(int(code)): int(code) for code in np.unique(panel.time_codes)}
    missing = [period for period in periods if period not in have]
    if missing:
        span = f"{panel.periods[0]} to {panel.periods[-1]}"
        raise OptionError(f"No period of the panel: {', '.join(map(repr, missing))}; it has {span}.")
    codes = [have[period] for period in periods]
    if codes != sorted(set(codes)):
        raise OptionError(f"Periods must follow each other in time; got {', '.join(map(str, periods))}.")
    return codes


def group_of(panel: Panel, groups: str, units: "pd.Index[Any]") -> "pd.Series[str]":
    """The group of each unit, as text; a unit without one is refused, and so is a single group."""
    group = panel.attribute(groups).reindex(units)
    if group.isna().any():
        named = ", ".join(map(str, group.index[group.isna()][:NAMED]))
        raise DataError(f"{int(group.isna().sum())} units have no {groups!r} ({named}); fill it, or leave them out.")
    if group.nunique() < 2:
        raise ModelError(
            f"groups={groups!r} gives one group only ({group.iloc[0]}) among the {len(group)} units that can be used; "
            "a comparison needs two or more. Choose another column or other periods."
        )
    return group.astype(str)


def _left_out(lost: Sequence[str], x: str, periods: Sequence[Any]) -> tuple[Text, ...]:
    if not lost:
        return ()
    shown, more = lost[:NAMED], len(lost) > NAMED
    return (
        {
            "en": f"{len(lost)} units left out, for which {x} is not known in all of {', '.join(map(str, periods))}: "
            f"{', '.join(shown)}{', ...' if more else ''}.",
            "zh": f"{'、'.join(map(str, periods))} 中缺少 {x} 而未计入的单元共 {len(lost)} 个："
            f"{'、'.join(shown)}{'等' if more else ''}。",
        },
    )


def _sizes(declining: pd.DataFrame, groups: list[str]) -> pd.DataFrame:
    """Falls in percent by group, and of all."""
    fall = pd.concat([-declining["change"], -declining["change"]]).to_numpy()
    names = [*declining["group"], *[ALL] * len(declining)]
    by = pd.Series(fall).groupby(names)
    table = pd.DataFrame({"declined": by.size(), "median": by.median(), "mean": by.mean(), "largest": by.max()})
    table = table.reindex([*groups, ALL])
    return table.assign(declined=table["declined"].fillna(0).astype(np.int64)).reset_index(names="group")
