"""Lines over time: dispersion paths, and a variable of the panel by year and group."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
from matplotlib.axes import Axes

from econ.data.frames import require_columns
from econ.errors import DataError, OptionError
from econ.options import Lang, check_word
from econ.panel import Panel
from econ.report.figures.plot import Plot, finish
from econ.report.figures.results import check_data
from econ.report.figures.style import (
    SMALL,
    Canvas,
    Look,
    house,
    looks,
    number_axis,
    open_canvas,
    period_axis,
    period_positions,
    spread,
)
from econ.report.figures.words import axis_label, in_order, panel_words, phrase, source_notes, value_label
from econ.report.labels import Labels, Vocabulary, Words
from econ.report.layout import check_list

if TYPE_CHECKING:
    from econ.convergence.sigma import Sigma

Measure = Literal["cv", "sd_log"]
Statistic = Literal["sum", "mean", "median", "share"]


def line_plot(
    data: Panel | pd.DataFrame,
    y: str,
    *,
    x: str | None = None,
    by: str | None = None,
    statistic: Statistic = "sum",
    labels: Labels | None = None,
    title: Words | None = None,
    notes: Sequence[Words] = (),
    lang: Lang = "en",
    ax: Axes | None = None,
) -> Plot:
    """A variable over time, one line per group, each line named at its end.

    Parameters
    ----------
    data : a Panel, whose units are aggregated by period and group; or a frame with one row per period and group, drawn
        as it is.
    y : the variable. A sum or share is missing, and the line broken, where any of the units lacks it.
    x : the column of periods in a frame (default ``period``, else ``year``); a Panel has its own.
    by : column of the groups.
    statistic : of a Panel's units: ``"sum"``, ``"mean"``, ``"median"``, or ``"share"`` of all units' total in percent;
        the axis says which, and of how many units a sum is.
    labels : column or group -> text (``{"en", "zh", "unit"}``), before the labels of the panel.
    title, notes : a string, or ``{"en": ..., "zh": ...}``.
    ax : axes to draw on; by default a new figure.

    Returns
    -------
    Plot with ``data``: ``period, group, value``.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").join(econ.regions()[["province", "plate"]])
    >>> plot = econ.report.line_plot(panel, "invention_grants", by="plate", statistic="share")
    >>> plot.data[plot.data["period"] == 2018].round(1)["value"].tolist()
    [70.0, 14.0, 11.8, 4.2]
    """
    check_word(lang, Lang, "lang")
    check_list(notes, "notes")
    check_word(statistic, Statistic, "statistic")
    check_data(data, "line_plot(panel, 'x')")
    if isinstance(data, Panel):
        words = panel_words(data, labels, lang)
        frame, summed = _aggregate(data, y, by, statistic)
        label = words.term(y) if summed == "1" else phrase(statistic, lang, words.term(y), summed)
        axis = axis_label(words, y, label, "%" if statistic == "share" else None)
        time, found = data.time or "", [*_gap_note(frame, lang), *source_notes(data, [y], lang)]
    else:
        words = Vocabulary(lang, labels or {})
        time = x or next((name for name in ("period", "year") if name in data), "year")
        frame, axis, found = _as_given(data, y, time, by), axis_label(words, y), []
    with house():
        canvas = open_canvas(ax, 6.0, 3.2)
        _draw(canvas, canvas.axes[0], frame, words)
        canvas.axes[0].set(xlabel=words.column(time), ylabel=axis)
        return finish(canvas, frame, title, [*found, *notes], lang)


def sigma_plot(
    path: "Sigma | pd.DataFrame",
    *,
    measures: Sequence[Measure] = ("cv", "sd_log"),
    labels: Labels | None = None,
    title: Words | None = None,
    notes: Sequence[Words] = (),
    lang: Lang = "en",
    ax: Axes | None = None,
) -> Plot:
    """Dispersion across regions over time, one panel per measure, one line per group.

    Parameters
    ----------
    path : the result of ``econ.convergence.sigma``, or its frame ``path``: ``period, group, cv, sd_log``.
    measures : ``"cv"`` (coefficient of variation), ``"sd_log"`` (standard deviation of logs), or both.
    labels : group or ``"period"`` -> text.
    title, notes : a string, or ``{"en": ..., "zh": ...}``.
    ax : axes to draw on, for one measure; by default a new figure.

    Returns
    -------
    Plot with ``data``: ``period, group`` and the measures.

    Examples
    --------
    >>> import econ
    >>> result = econ.convergence.sigma(econ.load("provinces"), "gdp_per_capita")
    >>> econ.report.sigma_plot(result).data["period"].tolist()[:3]
    [2000, 2001, 2002]
    """
    check_word(lang, Lang, "lang")
    check_list(notes, "notes")
    check_list(measures, "measures")
    for measure in measures:
        check_word(measure, Measure, "measures")
    if not measures or (ax is not None and len(measures) > 1):
        raise OptionError(
            f"measures={tuple(measures)!r}: give at least one, and with ax= exactly one, such as ('cv',)."
        )
    given, carried = _path(path)
    frame = given if "group" in given else given.assign(group="all")
    require_columns(frame, ["period", "group", *measures], "The path")
    frame = _sorted(frame[["period", "group", *measures]])
    words = Vocabulary(lang, labels or {})
    with house():
        canvas = open_canvas(ax, 3.6 + 2.8 * (len(measures) - 1), 2.9, panels=len(measures))
        for axes, measure in zip(canvas.axes, measures, strict=True):
            _draw(canvas, axes, frame.rename(columns={measure: "value"}), words)
            axes.set(xlabel=words.column("period" if "period" in words.given else "year"), ylabel=phrase(measure, lang))
        return finish(canvas, frame, title, [*carried, *notes], lang)


def _path(given: "Sigma | pd.DataFrame") -> tuple[pd.DataFrame, Sequence[Words]]:
    from econ.convergence.sigma import Sigma

    if isinstance(given, pd.DataFrame):
        return given, ()
    if not isinstance(given, Sigma):
        raise OptionError(
            "Give the result of econ.convergence.sigma, as in sigma_plot(econ.convergence.sigma(panel, 'x')); "
            f"got {type(given).__name__}."
        )
    return given.path, given.notes


def _aggregate(panel: Panel, y: str, by: str | None, statistic: Statistic) -> tuple[pd.DataFrame, str]:
    """``period, group, value``, and how many units the sums are of.

    A sum over units of which one is missing is no sum, so it is left out.
    """
    if panel.time is None:
        raise DataError("This panel is a cross-section; lines over time need a panel with a time column.")
    if by:
        require_columns(panel.frame, [by], "The panel")
    groups = panel.frame[by] if by else "all"
    frame = pd.DataFrame({"period": panel.time_codes, "group": groups, "value": panel.values(y)})
    grouped = frame.groupby(["period", "group"])["value"]
    if statistic in ("sum", "share"):
        table = grouped.agg(lambda values: values.sum(skipna=False)).reset_index()
    else:
        table = grouped.agg(statistic).reset_index()
    if statistic == "share":
        totals = table.groupby("period")["value"].transform(lambda v: v.sum(skipna=False))
        table["value"] = 100 * table["value"] / totals
    known = _refuse_empty(table.dropna(subset=["value"]), y)["period"]
    empty = table.groupby("group")["value"].transform("count") == 0
    table = table[table["period"].between(known.min(), known.max()) & ~empty]
    sizes = grouped.size().loc[list(table.dropna()[["period", "group"]].itertuples(index=False, name=None))]
    summed = "–".join(dict.fromkeys([str(sizes.min()), str(sizes.max())])) if statistic == "sum" else ""
    return _sorted(table.assign(period=[panel.period(int(code)) for code in table["period"]])), summed


def _gap_note(frame: pd.DataFrame, lang: Lang) -> list[str]:
    periods = [str(period) for period in sorted(frame.loc[frame["value"].isna(), "period"].unique())]
    comma = ", " if lang == "en" else "、"
    return [phrase("gaps", lang, comma.join(periods))] if periods else []


def _as_given(data: pd.DataFrame, y: str, time: str, by: str | None) -> pd.DataFrame:
    require_columns(data, [y, time, *([by] if by else [])], "The frame")
    frame = pd.DataFrame({"period": data[time], "group": data[by] if by else "all", "value": data[y]})
    twice = frame.duplicated(["period", "group"])
    if twice.any():
        row = frame[twice].iloc[0]
        raise DataError(
            f"{time}={row['period']}, group {row['group']} stands more than once; a frame is drawn as it is: "
            "aggregate it first, or name its groups with by=."
        )
    return _sorted(_refuse_empty(frame.dropna(subset=["value"]), y))


def _refuse_empty(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    if frame.empty:
        raise DataError(f"No rows with values of {name!r}; there is nothing to draw.")
    return frame


def _sorted(frame: pd.DataFrame) -> pd.DataFrame:
    """Groups in their order, periods in theirs."""
    rank = {group: i for i, group in enumerate(in_order(frame["group"]))}
    return frame.sort_values(
        ["group", "period"], key=lambda c: c.map(rank) if c.name == "group" else c, ignore_index=True, kind="stable"
    )


def _draw(canvas: Canvas, ax: Axes, frame: pd.DataFrame, words: Vocabulary) -> None:
    at, periods = period_positions(frame["period"])
    groups = list(dict.fromkeys(frame["group"]))
    shown = dict(zip(groups, looks(len(groups)), strict=True))
    every = max(1, len(periods) // 24)
    for group, look in shown.items():
        rows = frame["group"] == group
        ax.plot(
            at[rows], frame.loc[rows, "value"], look.marker,
            color=look.color, linestyle=look.dashes, markersize=3.2, markevery=every,
        )  # fmt: skip
    period_axis(ax, periods, bins=10 // len(canvas.axes))
    number_axis(ax.yaxis)
    ax.margins(x=0.02)
    if len(groups) > 1:
        _name_ends(canvas, ax, frame.assign(at=at), shown, words)


def _name_ends(canvas: Canvas, ax: Axes, frame: pd.DataFrame, shown: dict[Any, Look], words: Vocabulary) -> None:
    """Names to the right of the lines' ends, in their colours, moved apart where they would touch."""
    known = frame.dropna(subset=["value"])
    ends = {group: known[known["group"] == group].iloc[-1] for group in shown}
    low, high = ax.get_ylim()
    inches = float(canvas.figure.get_size_inches()[1]) * 0.75
    gap = (high - low) * SMALL * 1.25 / 72 / inches
    places = spread([float(end["value"]) for end in ends.values()], gap, low, high)
    for (group, end), place in zip(ends.items(), places, strict=True):
        ax.annotate(
            value_label(words, group), (end["at"], end["value"]), (1.02, place),
            textcoords=ax.get_yaxis_transform(), va="center", color=shown[group].color, fontsize=SMALL,
        )  # fmt: skip
    ax.set_ylim(low, high)
