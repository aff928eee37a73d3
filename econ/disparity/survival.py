"""Survival: how long until a unit declines, or until it is back at its old level; Kaplan-Meier and log-rank."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from econ.data.frames import SHOWN
from econ.disparity.decline import ALL, group_of, period_codes
from econ.errors import DataError, ModelError, OptionError
from econ.linear.fit import BoolArray, FloatArray, IntArray
from econ.options import SurvivalEvent, check_level, check_word
from econ.panel import Panel
from econ.text import Text

NO_TEST: Text = {
    "en": "No log-rank test: no event occurs while others remain at risk.",
    "zh": "没有在其他单元仍处于风险中时发生的事件，无法进行对数秩检验。",
}
GROUPED: Text = {
    "en": "An event is dated to the first period that shows it; what is not seen to the end is censored.",
    "zh": "事件记在首次观察到的时期；未观察到事件者按删失处理。",
}


@dataclass(frozen=True, eq=False)
class Survival:
    """Shares of units to which the event has not happened yet.

    Attributes
    ----------
    curves : ``group, time, at_risk, events, censored, survival, std_error, ci_low, ci_high``; ``time`` is periods since
        the start, from 0; ``at_risk`` is counted just before it. Rows end where nobody is at risk any more; the group
        ``"all"`` stands last.
    medians : ``group, n, events, median, ci_low, ci_high``: the first time by which half had the event; infinite where
        the curve (or its limit) stays above one half
    test : ``group, statistic, dof, p_value``: log-rank tests of each group against all others together, and of the
        equality of all under ``"all"``; no rows without groups, or where there is nothing to test
    units : the unit column, ``group, time, event``
    spec : what was asked for, as plain JSON
    notes : what a reader must know
    """

    curves: pd.DataFrame
    medians: pd.DataFrame
    test: pd.DataFrame
    units: pd.DataFrame
    spec: dict[str, Any]
    notes: tuple[Text, ...] = ()


def survival(
    panel: Panel,
    x: str,
    event: SurvivalEvent,
    *,
    before: Any,
    trough: Any = None,
    end: Any = None,
    groups: str | None = None,
    level: float = 0.95,
) -> Survival:
    r"""Time until units first fall below an old level (``"decline"``), or are back at it (``"recovery"``).

    The Kaplan-Meier estimate of the share to which it has not happened by ``t``, with ``d_s`` events among the ``n_s``
    units at risk at ``s``, and Greenwood's variance,

    ``S(t) = prod_(s <= t) (1 - d_s / n_s)``, ``Var S(t) = S(t)^2 sum_(s <= t) d_s / (n_s (n_s - d_s))``,

    has the log-log interval ``S^exp(-+ z se / (S ln S))``, which stays within 0 and 1; it is 1 before the first event,
    and missing once the curve is at 0. Groups are compared by the log-rank test, observed less expected events with the
    hypergeometric variance of tied times; p-values are not adjusted for the number of groups. The estimates are those
    of statsmodels (``SurvfuncRight``, ``survdiff``).

    Parameters
    ----------
    panel : units over periods. A unit is followed until the event, ``end``, or its first missing value.
    x : what declines and recovers, such as employment.
    event : ``"decline"``: every unit is at risk from ``before`` on, and the event is a value below that of ``before``;
        ``"recovery"``: units below their value of ``before`` in ``trough`` are at risk from ``trough`` on, and the
        event is a value of at least that of ``before``.
    before, trough, end : periods: of the old level, the low point (for ``"recovery"`` only), and the last one looked at
        (by default the last with values of ``x``).
    groups : column constant within units, such as ``"plate"``.
    level : of the intervals.

    Raises
    ------
    ModelError : nobody is at risk, or a group has nobody at risk at the first event, so that it cannot be compared.

    References
    ----------
    Kaplan and Meier (1958); Kalbfleisch and Prentice (2002), The Statistical Analysis of Failure Time Data, ch. 1;
    Brookmeyer and Crowley (1982) for the interval of the median.

    Examples
    --------
    >>> import econ
    >>> zones = econ.load("zones_simulated")
    >>> found = econ.disparity.survival(zones, "employment", "recovery", before=2014, trough=2015, groups="plate")
    >>> found.curves.query("group == 'all'")["survival"].round(3).tolist()
    [1.0, 0.685, 0.497, 0.345, 0.315]
    """
    check_word(event, SurvivalEvent, "event")
    check_level(level)
    if (trough is None) == (event == "recovery"):
        raise OptionError(
            f"event={event!r}, trough={trough!r}: give the low point of the shock for 'recovery', and none for "
            "'decline', where units are at risk from before= on."
        )
    path = _followed(panel, x, before, trough, end)
    units, notes = _spells(path, event, x)
    units.insert(0, "group", group_of(panel, groups, units.index) if groups else ALL)
    names = sorted(units["group"].unique()) if groups else []
    curves = pd.concat([_curve(units, name, level) for name in (*names, ALL)], ignore_index=True)
    medians = pd.DataFrame([_median(curve) for _, curve in curves.groupby("group", sort=False)])
    test = _log_rank(units, names)
    spec = {
        "estimator": "survival", "outcome": x, "event": event, "before": before, "trough": trough,
        "end": path.periods[-1], "groups": groups, "level": level, "dataset": panel.dataset,
        "labels": panel.labels([x]),
    }  # fmt: skip
    found = (*panel.notes, *notes, GROUPED, *((NO_TEST,) if names and test.empty else ()))
    return Survival(curves, medians, test, units.reset_index(names=panel.unit), spec, found)


# ---- times


@dataclass(frozen=True, eq=False)
class _Followed:
    """What is followed: the old level ``old`` (n,), and ``x`` (n, P) from the start on at the calendar ``codes``."""

    units: "pd.Index[Any]"
    old: FloatArray
    x: FloatArray
    codes: IntArray
    periods: tuple[Any, ...]  # of the old level, then of ``codes``


def _followed(panel: Panel, x: str, before: Any, trough: Any, end: Any) -> _Followed:
    values = panel.values(x)
    known = np.unique(panel.time_codes[~np.isnan(values)])
    given = [period for period in (before, trough, end) if period is not None]
    asked = period_codes(panel, given)
    empty = [str(period) for period, code in zip(given, asked, strict=True) if code not in known]
    if empty:
        raise DataError(f"{x!r} has no values in {', '.join(empty)}; take periods in which it has.")
    start, last = asked[trough is not None], int(known[-1]) if end is None else asked[-1]
    codes = known[(known >= start) & (known <= last)]
    if len(codes) < 2:
        raise ModelError(f"{x!r} is not known after {panel.period(start)}; there is no time in which to follow units.")
    table = np.full((panel.n_units, int(known[-1]) + 1), np.nan)
    rows = panel.time_codes <= known[-1]
    table[panel.unit_codes[rows], panel.time_codes[rows]] = values[rows]
    periods = (panel.period(asked[0]), *map(panel.period, codes.tolist()))
    return _Followed(pd.Index(panel.units, name=panel.unit), table[:, asked[0]], table[:, codes], codes, periods)


def _spells(path: _Followed, event: SurvivalEvent, x: str) -> tuple[pd.DataFrame, tuple[Text, ...]]:
    """``time, event`` of the units at risk, and notes on the others."""
    old, start, later = path.old[:, None], path.x[:, 0], path.x[:, 1:]
    followed = ~np.isnan(path.old) & ~np.isnan(start) & ~np.isnan(later[:, 0])
    down = start < path.old if event == "recovery" else np.ones(len(start), dtype=bool)
    at_risk = followed & down
    if not at_risk.any():
        raise ModelError(
            f"No unit is at risk: {x!r} is known nowhere in all of {', '.join(map(str, path.periods[:3]))}"
            f"{' and below its old level at the trough' if event == 'recovery' else ''}; take other periods."
        )
    seen = np.logical_and.accumulate(~np.isnan(later), axis=1)
    hit = seen & ((later >= old) if event == "recovery" else (later < old))
    happened = hit.any(axis=1)
    at = np.where(happened, hit.argmax(axis=1), seen.sum(axis=1) - 1)
    frame = pd.DataFrame({"time": (path.codes[1:] - path.codes[0])[at], "event": happened}, index=path.units)
    lost = [str(unit) for unit in path.units[~followed]]
    gaps = int((at_risk & ~happened & ~seen[:, -1]).sum())
    return frame[at_risk], (*_lost_note(lost, x), *_up_note(int((followed & ~down).sum()), path), *_gap_note(gaps, x))


# ---- curves and tests


def _curve(units: pd.DataFrame, name: str, level: float) -> pd.DataFrame:
    """One group's curve at every time at which anybody's spell ends, as long as one of the group is at risk."""
    from statsmodels.duration.survfunc import SurvfuncRight

    part = units if name == ALL else units[units["group"] == name]
    time, event = part["time"].to_numpy(), part["event"].to_numpy()
    times = np.unique(units["time"])
    at = np.concatenate([[0], times[times <= time.max()]])
    frame = pd.DataFrame({"group": name, "time": at, "at_risk": [int((time >= t).sum()) for t in at]})
    frame["events"] = [int((event & (time == t)).sum()) for t in at]
    frame["censored"] = [int((~event & (time == t)).sum()) for t in at]
    frame["survival"], frame["std_error"] = 1.0, 0.0
    if event.any():
        found = SurvfuncRight(time, event.astype(np.float64))
        last = np.searchsorted(found.surv_times, at, side="right")
        frame["survival"] = np.concatenate([[1.0], found.surv_prob])[last]
        frame["std_error"] = np.concatenate([[0.0], found.surv_prob_se])[last]
    frame["ci_low"], frame["ci_high"] = _log_log(frame["survival"].to_numpy(), frame["std_error"].to_numpy(), level)
    return frame


def _log_log(S: FloatArray, std_error: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
    """Limits on the scale of ``ln(-ln S)``; 1 at 1, missing at 0."""
    inside = (S > 0) & (S < 1)
    width = stats.norm.ppf((1 + level) / 2) * std_error[inside] / (S[inside] * np.log(S[inside]))
    low, high = (np.where(S == 1, 1.0, np.nan) for _ in range(2))
    low[inside], high[inside] = S[inside] ** np.exp(-width), S[inside] ** np.exp(width)
    return low, high


def _median(curve: pd.DataFrame) -> dict[str, Any]:
    """First times at which the curve and its limits are at one half or below."""
    time = curve["time"].to_numpy(dtype=np.float64)
    # a curve at 0 has no limits: its lower one lies below one half, and its upper one may not
    reached = {
        "median": curve["survival"] <= 0.5,
        "ci_low": (curve["ci_low"] <= 0.5) | (curve["survival"] == 0),
        "ci_high": curve["ci_high"] < 0.5,
    }
    first = {key: float(time[flags.to_numpy()][0]) if flags.any() else np.inf for key, flags in reached.items()}
    counts = {"n": int(curve["at_risk"].iloc[0]), "events": int(curve["events"].sum())}
    return {"group": curve["group"].iloc[0], **counts, **first}


def _log_rank(units: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Each group against the others, then all; none where no event tells survivors apart."""
    columns = ["group", "statistic", "dof", "p_value"]
    time, event, group = units["time"].to_numpy(), units["event"].to_numpy(), units["group"].to_numpy()
    informative = [t for t in np.unique(time[event]) if event[time == t].sum() < (time >= t).sum()]
    if len(names) < 2 or not informative:
        return pd.DataFrame(columns=columns)
    gone = sorted(set(names) - set(group[time >= informative[0]]))
    if gone:
        raise ModelError(
            f"Nobody in {', '.join(gone)} is followed until the first event, after {informative[0]} periods, so there "
            "is nothing to compare; leave such groups out with where()."
        )
    rows = [(name, *_compare(time, event, group == name)) for name in names]
    return pd.DataFrame([*rows, (ALL, *_compare(time, event, group))], columns=columns)


def _compare(time: IntArray, event: BoolArray, group: Any) -> tuple[float, int, float]:
    """Statistic, degrees of freedom, p-value."""
    from statsmodels.duration.survfunc import survdiff

    statistic, dof = float(survdiff(time, event.astype(np.float64), group)[0]), len(np.unique(group)) - 1
    return statistic, dof, float(stats.chi2.sf(statistic, dof))


# ---- words


def _lost_note(lost: Sequence[str], x: str) -> tuple[Text, ...]:
    if not lost:
        return ()
    shown, more = lost[:SHOWN], len(lost) > SHOWN
    return (
        {
            "en": f"{len(lost)} units left out, for which {x} is not known before, at the start or just after it: "
            f"{', '.join(shown)}{', ...' if more else ''}.",
            "zh": f"因基期、起始期或其后一期缺少 {x} 而未计入的单元共 {len(lost)} 个："
            f"{'、'.join(shown)}{'等' if more else ''}。",
        },
    )


def _up_note(up: int, path: _Followed) -> tuple[Text, ...]:
    if not up:
        return ()
    return (
        {
            "en": f"{up} units that were not below their level of {path.periods[0]} in {path.periods[1]} are not at "
            "risk of a recovery.",
            "zh": f"{path.periods[1]} 未低于 {path.periods[0]} 水平的 {up} 个单元不在恢复分析之列。",
        },
    )


def _gap_note(gaps: int, x: str) -> tuple[Text, ...]:
    if not gaps:
        return ()
    return (
        {
            "en": f"{gaps} units are censored where {x} is first missing.",
            "zh": f"{gaps} 个单元在 {x} 首次缺失处删失。",
        },
    )
