"""Resilience: how regions stood a downturn and came back from it, against the national path."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from econ.disparity.decline import group_of, levels_at, period_codes
from econ.errors import DataError, ModelError
from econ.linear.fit import FloatArray
from econ.panel import Panel
from econ.text import Text


@dataclass(frozen=True, eq=False)
class Resilience:
    """Resistance and recovery of every region and group.

    Attributes
    ----------
    units : the panel's unit column; ``change_shock, change_recovery`` (shares, 0.1 = 10 %); ``resistance, recovery``;
        ``sensitivity``; ``recovered`` (whether ``x`` at the end is at least what it was before the shock); ``type``
    groups : the same for the totals of groups, under ``group``; no rows where ``groups`` is not given
    national : ``period, value, index``: the path against which regions are set, 1 before the shock
    spec : what was asked for, as plain JSON; ``spec["periods"]`` states the periods
    notes : what a reader must know
    """

    units: pd.DataFrame
    groups: pd.DataFrame
    national: pd.DataFrame
    spec: dict[str, Any]
    notes: tuple[Text, ...] = ()


def resilience(
    panel: Panel,
    x: str,
    *,
    before: Any,
    trough: Any,
    end: Any,
    groups: str | None = None,
    national: str | None = None,
) -> Resilience:
    r"""Resistance to a shock and recovery from it, relative to the national path.

    With ``g_r`` the relative change of a region and ``g_N`` that of the nation, over the shock (``before`` to
    ``trough``) and over the recovery (``trough`` to ``end``),

    * ``resistance = (g_r - g_N) / |g_N|`` over the shock and ``recovery`` the same over the recovery: above 0 the
      region did better than the nation, and -1 is as much worse as the nation's own change (Lagravinese 2015, Cambridge
      Journal of Regions, Economy and Society 8(2), 331-342; Martin, Sunley, Gardiner and Tyler 2016, Regional Studies
      50(4), 561-585, with the national rate as the expected change);
    * ``sensitivity = g_r / g_N`` over the shock: above 1 the region fell more than the nation (Martin 2012, Journal of
      Economic Geography 12(1), 1-32).

    ``type`` crosses the signs of resistance and recovery. The periods are on the result.

    Parameters
    ----------
    panel : regions over periods. Regions not known in all three periods are left out, with a note.
    x : positive level, such as employment.
    before, trough, end : periods: the last before the shock, its lowest point, the end of the recovery.
    groups : column constant within regions; the totals of each group get the same measures.
    national : column with the national value, the same for all regions in a period; by default the sum of the regions
        that are not left out, so that ``g_N`` is the weighted mean of ``g_r``.

    Raises
    ------
    ModelError : the national path does not change over one of the two spans.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces")
    >>> result = econ.disparity.resilience(panel, "exports", before=2008, trough=2009, end=2011)
    >>> bool((result.units["resistance"] > 0).any())
    True
    """
    levels, left_out = levels_at(panel, x, (before, trough, end))
    nation = levels.to_numpy().sum(axis=0) if national is None else _national(panel, national, (before, trough, end))
    shares = np.diff(nation) / nation[:-1]
    _check_changes(shares, (before, trough, end))
    units = _measures(levels, shares).reset_index(names=panel.unit)
    periods = {"before": before, "trough": trough, "end": end}
    spec = {
        "estimator": "resilience",
        "outcome": x,
        "periods": periods,
        "national": national or "sum",
        "groups": groups,
        "dataset": panel.dataset,
        "labels": panel.labels([x]),
    }
    path = pd.DataFrame({"period": [before, trough, end], "value": nation, "index": nation / nation[0]})
    notes = (*panel.notes, *left_out, _periods_note(periods, shares, national is None), *_rise_note(shares))
    return Resilience(units, _by_group(panel, levels, groups, shares), path, spec, notes)


def _national(panel: Panel, name: str, periods: tuple[Any, Any, Any]) -> FloatArray:
    values, nation = panel.values(name), []
    for period, code in zip(periods, period_codes(panel, periods), strict=True):
        found = np.unique(values[(panel.time_codes == code) & ~np.isnan(values)])
        if len(found) != 1 or found[0] <= 0:
            raise DataError(f"{name!r} must hold one positive value for all regions in {period}; it has {len(found)}.")
        nation.append(float(found[0]))
    return np.array(nation)


def _check_changes(changes: FloatArray, periods: tuple[Any, Any, Any]) -> None:
    for change, start, end in zip(changes, periods, periods[1:], strict=False):
        if change == 0:
            raise ModelError(f"The national path is the same in {start} and {end}; there is no change to compare with.")


def _measures(levels: pd.DataFrame, national: FloatArray) -> pd.DataFrame:
    x = levels.to_numpy()
    change = np.diff(x, axis=1) / x[:, :-1]
    relative = (change - national) / np.abs(national)
    resistant = np.where(relative[:, 0] >= 0, "resistant", "vulnerable")
    recovering = np.where(relative[:, 1] >= 0, "recovering", "lagging")
    return pd.DataFrame(
        {
            "change_shock": change[:, 0],
            "change_recovery": change[:, 1],
            "resistance": relative[:, 0],
            "recovery": relative[:, 1],
            "sensitivity": change[:, 0] / national[0],
            "recovered": x[:, 2] >= x[:, 0],
            "type": [f"{a}, {b}" for a, b in zip(resistant, recovering, strict=True)],
        },
        index=levels.index,
    )


def _by_group(panel: Panel, levels: pd.DataFrame, groups: str | None, national: FloatArray) -> pd.DataFrame:
    if groups is None:
        return pd.DataFrame(columns=["group"])
    by = levels.groupby(group_of(panel, groups, levels.index))
    return _measures(by.sum(), national).assign(n=by.size()).reset_index(names="group")


def _periods_note(periods: Mapping[str, Any], changes: FloatArray, summed: bool) -> Text:
    before, trough, end = periods.values()
    shock, recovery = (f"{100 * change:+.1f}".replace("-", "−") for change in changes)
    path = {"en": "all regions together", "zh": "各地区合计"} if summed else {"en": "nation", "zh": "全国"}
    return {
        "en": f"Shock {before} to {trough} ({path['en']} {shock} %), recovery {trough} to {end} ({recovery} %).",
        "zh": f"冲击期 {before}—{trough}（{path['zh']} {shock}%），恢复期 {trough}—{end}（{recovery}%）。",
    }


def _rise_note(changes: FloatArray) -> tuple[Text, ...]:
    """What the measures mean where the nation did not fall and come back."""
    notes: list[Text] = []
    if changes[0] > 0:
        notes.append(
            {
                "en": "The national path rose over the shock: resistance and sensitivity compare growth, not falls.",
                "zh": "冲击期内全国水平上升：抵抗力与敏感度比较的是增速而非跌幅。",
            }
        )
    if changes[1] < 0:
        notes.append(
            {
                "en": "The national path fell over the recovery: it compares falls, not growth.",
                "zh": "恢复期内全国水平下降：恢复力比较的是跌幅而非增速。",
            }
        )
    return tuple(notes)
