"""Unit roots region by region: t statistics, filled where the unit root is rejected."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.axes import Axes

from econ.data.frames import require_columns
from econ.errors import DataError, OptionError
from econ.options import Lang, check_level, check_word
from econ.report.figures.plot import Plot, finish
from econ.report.figures.style import FAINT, SMALL, Look, handle, house, looks, number_axis, open_canvas
from econ.report.figures.words import value_label
from econ.report.labels import Labels, Vocabulary, Words

if TYPE_CHECKING:
    from econ.convergence.stochastic import Stochastic
    from econ.convergence.unit_root import UnitRoot

ROW = 0.17  # inches per unit
SERIES = {"statistic": "p_value", "statistic_break": "p_value_break"}
PHRASES: Mapping[str, Mapping[Lang, str]] = {
    "axis": {"en": "t statistic of the lagged level", "zh": "滞后水平项的t统计量"},
    "statistic": {"en": "No break", "zh": "无断点"},
    "statistic_break": {"en": "One break of unknown date", "zh": "一个断点（日期未知）"},
    "filled": {"en": "Filled: the unit root is rejected at {:g}% (single tests, not adjusted for their number).",
               "zh": "实心：在{:g}%水平拒绝单位根（逐个检验，未按个数调整）。"},
    "unknown": {"en": "Hollow: single regions have no p-value in this test.",
                "zh": "空心：该检验不提供单个地区的p值。"},
}  # fmt: skip


def roots_plot(
    result: "UnitRoot | Stochastic | pd.DataFrame",
    *,
    level: float = 0.05,
    labels: Labels | None = None,
    title: Words | None = None,
    notes: Sequence[Words] = (),
    lang: Lang = "en",
    ax: Axes | None = None,
) -> Plot:
    """Dickey-Fuller t statistics of all units, sorted, without a break and, where there is one, with a break.

    Parameters
    ----------
    result : of ``econ.convergence.unit_root`` or ``stochastic``, or its frame ``units``: ``unit, statistic, p_value``,
        and with a break ``statistic_break, p_value_break``.
    level : at which a unit root counts as rejected, by the p-values of the result.
    labels : unit -> text.
    title, notes : a string, or ``{"en": ..., "zh": ...}``.
    ax : axes to draw on; by default a new figure.

    Returns
    -------
    Plot with ``data``: ``unit, series, statistic, p_value, rejected``.

    Examples
    --------
    >>> import econ
    >>> result = econ.convergence.stochastic(econ.load("provinces"), "gdp_per_capita")
    >>> econ.report.roots_plot(result).data.groupby("series")["rejected"].sum().tolist()
    [2, 4]
    """
    check_word(lang, Lang, "lang")
    check_level(level)
    given, carried = (result, ()) if isinstance(result, pd.DataFrame) else (result.units, result.notes)
    frame = _long(given, level)
    words = Vocabulary(lang, labels or {})
    series = list(dict.fromkeys(frame["series"]))
    shown = dict(zip(series, looks(len(series)), strict=True))
    with house():
        canvas = open_canvas(ax, 5.0, 0.8 + ROW * frame["unit"].nunique())
        _draw(canvas.axes[0], frame, shown, words)
        known = frame["p_value"].notna().any()
        sentence = PHRASES["filled"][lang].format(100 * level) if known else PHRASES["unknown"][lang]
        key = [handle(look, PHRASES[name][lang], line=False) for name, look in shown.items()]
        return finish(canvas, frame, title, [sentence, *carried, *notes], lang, key if len(key) > 1 else [])


def _long(units: pd.DataFrame, level: float) -> pd.DataFrame:
    """One row per unit and series, units by their statistic without a break, the largest first."""
    if "statistic" not in units and "lm" in units:
        raise OptionError("Hadri's test has no t statistics by unit; give a result of test='ips', 'fisher' or another.")
    require_columns(units, ["unit", "statistic", "p_value"], "The units")
    if units.empty or units["statistic"].isna().any():
        raise DataError("The units are empty or lack a statistic; give the frame of the result as it is.")
    ordered = units.sort_values("statistic", ascending=False, kind="stable")
    parts = [
        pd.DataFrame({"unit": ordered["unit"], "series": t, "statistic": ordered[t], "p_value": ordered[p]})
        for t, p in SERIES.items()
        if t in ordered
    ]
    frame = pd.concat(parts, ignore_index=True)
    return frame.assign(rejected=frame["p_value"].astype("float64") < level)


def _draw(ax: Axes, frame: pd.DataFrame, shown: Mapping[str, Look], words: Vocabulary) -> None:
    rows = {unit: row for row, unit in enumerate(dict.fromkeys(frame["unit"]))}
    ax.hlines(list(rows.values()), 0, 1, transform=ax.get_yaxis_transform(), color=FAINT, linewidth=0.5, zorder=0.4)
    for name, look in shown.items():
        part = frame[frame["series"] == name]
        for rejected, dots in part.groupby("rejected"):
            fill = look.color if rejected else "white"
            ax.plot(dots["statistic"], dots["unit"].map(rows), look.marker, color=look.color, markerfacecolor=fill)
    ax.set_yticks(list(rows.values()), [value_label(words, unit) for unit in rows], fontsize=SMALL)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set_xlabel(PHRASES["axis"][words.lang])
    number_axis(ax.xaxis)
