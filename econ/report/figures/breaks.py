"""A break in a trend: the series with the trend fitted on both sides, and F of a break at every date."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.axes import Axes

from econ.data.frames import require_columns
from econ.errors import DataError
from econ.options import Lang, check_word
from econ.report.figures.plot import Plot, finish
from econ.report.figures.style import (
    Look,
    handle,
    house,
    looks,
    number_axis,
    open_canvas,
    period_axis,
    period_positions,
)
from econ.report.figures.words import axis_label, in_order, joined, value_label
from econ.report.labels import Labels, Vocabulary, Words

if TYPE_CHECKING:
    from econ.convergence.breaks import Breaks

COLUMNS = ("unit", "period", "value", "trend", "statistic", "critical")
PHRASES: Mapping[str, Mapping[Lang, str]] = {
    "statistic": {"en": "F of a break from that period on", "zh": "自该期起断开的F统计量"},
    "unit": {"en": "{}, break in {}", "zh": "{}，断点{}"},
    "lines": {"en": "Dots: the series; lines: its trend, broken where F is largest.",
              "zh": "点为实际序列，线为在F最大处断开的趋势。"},
    "critical": {"en": "Dashed: F with a simulated p-value of 5%.", "zh": "虚线：模拟p值为5%的F值。"},
}  # fmt: skip


def break_plot(
    result: "Breaks | pd.DataFrame",
    *,
    labels: Labels | None = None,
    title: Words | None = None,
    notes: Sequence[Words] = (),
    lang: Lang = "en",
    ax: Axes | None = None,
) -> Plot:
    """Series with their broken trends, and beside them F over the dates of the break.

    Parameters
    ----------
    result : of ``econ.convergence.trend_break``, or its frame ``paths``; a few units, such as the whole and its parts.
    labels : a unit, ``"value"`` (the vertical axis of the series) or ``"period"`` -> text.
    title, notes : a string, or ``{"en": ..., "zh": ...}``.
    ax : axes to draw on, for the series alone; by default a new figure with both.

    Returns
    -------
    Plot with ``data``: ``unit, period, value, trend, statistic, critical``.

    Examples
    --------
    >>> import econ
    >>> path = econ.convergence.sigma(econ.load("provinces"), "gdp_per_capita").path
    >>> found = econ.convergence.trend_break(econ.Panel(path, "group", "period"), "sd_log", draws=99)
    >>> plot = econ.report.break_plot(found)
    >>> bool(plot.data.loc[plot.data["statistic"].idxmax(), "period"] == found.tests["period"].item())
    True
    """
    check_word(lang, Lang, "lang")
    given, carried, own = (result, (), {}) if isinstance(result, pd.DataFrame) else _read(result)
    require_columns(given, list(COLUMNS), "The paths")
    frame = given[list(COLUMNS)].reset_index(drop=True)
    if frame.empty:
        raise DataError("The paths have no rows; there is nothing to draw.")
    words = Vocabulary(lang, labels or {}, own)
    with house():
        canvas = open_canvas(ax, 6.4, 2.9, panels=2)
        frame = frame.assign(at=period_positions(frame["period"])[0])
        units = in_order(frame["unit"])
        key = []
        for unit, look in zip(units, looks(len(units)), strict=True):
            part = frame[frame["unit"] == unit]
            start = part.loc[part["statistic"].idxmax()]
            _draw_series(canvas.axes[0], part, start["at"], look)
            if canvas.owned:
                _draw_statistic(canvas.axes[1], part, start, look)
            name = PHRASES["unit"][lang].format(value_label(words, unit), start["period"])
            key.append(handle(look, name))
        _name_axes(canvas.axes, frame["period"], words)
        sentences = [PHRASES["lines"][lang], *([PHRASES["critical"][lang]] if canvas.owned else [])]
        data = frame.drop(columns="at")
        return finish(canvas, data, title, [joined(sentences, lang), *carried, *notes], lang, key)


def _read(result: "Breaks") -> tuple[pd.DataFrame, Sequence[Words], Mapping[str, Mapping[str, str]]]:
    known = result.spec["labels"].get(result.spec["outcome"], {"label": result.spec["outcome"]})
    return result.paths, result.notes, {"value": known}


def _draw_series(ax: Axes, part: pd.DataFrame, start: float, look: Look) -> None:
    """Dots, and the trend on either side of the break."""
    ax.plot(part["at"], part["value"], look.marker, color=look.color, markersize=3.2, alpha=0.75)
    for side in (part[part["at"] < start], part[part["at"] >= start]):
        ax.plot(side["at"], side["trend"], color=look.color, linestyle=look.dashes, linewidth=1.5)


def _draw_statistic(ax: Axes, part: pd.DataFrame, start: "pd.Series[Any]", look: Look) -> None:
    """F by date, its largest value marked, over the dashed critical value."""
    ax.plot(part["at"], part["statistic"], color=look.color, linestyle=look.dashes)
    ax.plot(start["at"], start["statistic"], look.marker, color=look.color, markersize=4.5)
    known = part.dropna(subset=["statistic"])["at"]
    ax.plot([known.min(), known.max()], [start["critical"]] * 2, color=look.color, linestyle=(0, (2, 2)), linewidth=0.8)


def _name_axes(axes: Sequence[Axes], periods: "pd.Series[Any]", words: Vocabulary) -> None:
    order = period_positions(periods)[1]
    for ax in axes:
        period_axis(ax, order, bins=5)
        number_axis(ax.yaxis)
        ax.set_xlabel(words.column("period" if "period" in words.given else "year"))
    axes[0].set_ylabel(axis_label(words, "value"))
    if len(axes) > 1:
        axes[1].set_ylim(bottom=0)
        axes[1].set_ylabel(PHRASES["statistic"][words.lang])
