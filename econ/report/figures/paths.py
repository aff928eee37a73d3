"""Relative transition paths by convergence club."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from econ.data.frames import require_columns
from econ.errors import DataError
from econ.options import Lang, check_word
from econ.report.figures.plot import Plot, finish
from econ.report.figures.style import (
    GREY,
    Look,
    handle,
    house,
    looks,
    number_axis,
    open_canvas,
    period_axis,
    period_positions,
)
from econ.report.labels import Labels, Vocabulary, Words, text

if TYPE_CHECKING:
    from econ.convergence.clubs import Clubs

PHRASES: Mapping[str, Mapping[Lang, str]] = {
    "axis": {"en": "Relative transition path (mean of all = 1)", "zh": "相对转移路径（全体均值=1）"},
    "club": {"en": "Club {} (n = {})", "zh": "俱乐部{}（{}个）"},
    "named": {"en": "{} (n = {})", "zh": "{}（{}个）"},
    "divergent": {"en": "Divergent (n = {})", "zh": "发散（{}个）"},
    "lines": {"en": "Thin lines: units. Thick lines with markers: means of the clubs.",
              "zh": "细线：各个体；带标记的粗线：俱乐部均值。"},
    "apart": {"en": "Broken grey lines: units in no club.", "zh": "灰色虚线：未归入俱乐部的个体。"},
}  # fmt: skip
NONE = 0  # stands for no club
APART = Look(GREY, "", (0, (4, 2)))


def paths_plot(
    paths: "Clubs | pd.DataFrame",
    *,
    labels: Labels | None = None,
    title: Words | None = None,
    notes: Sequence[Words] = (),
    lang: Lang = "en",
    ax: Axes | None = None,
) -> Plot:
    """Relative transition paths of all units in the colours of their clubs, with the mean path of every club.

    Clubs whose paths run towards one another are converging to one another; the spread within a club shrinks.

    Parameters
    ----------
    paths : the result of ``econ.convergence.clubs``, or its frame ``paths``: ``unit, period, h, club``, a missing club
        meaning that the unit diverges.
    labels : ``"period"`` or the number of a club (``"1"``) -> text.
    title, notes : a string, or ``{"en": ..., "zh": ...}``.
    ax : axes to draw on; by default a new figure.

    Returns
    -------
    Plot with ``data``: ``unit, period, h, club``.

    Examples
    --------
    >>> import econ
    >>> from econ.report.figures.paths import paths_plot
    >>> result = econ.convergence.clubs(econ.load("provinces"), "gdp_per_capita")
    >>> paths_plot(result).data["unit"].nunique()
    31
    """
    check_word(lang, Lang, "lang")
    given, carried = (paths, ()) if isinstance(paths, pd.DataFrame) else (paths.paths, paths.notes)
    require_columns(given, ["unit", "period", "h", "club"], "The paths")
    frame = given[["unit", "period", "h", "club"]].reset_index(drop=True)
    if frame.empty:
        raise DataError("The paths have no rows; there is nothing to draw.")
    words = Vocabulary(lang, labels or {})
    sentences = [PHRASES["lines"][lang]] + ([PHRASES["apart"][lang]] if frame["club"].isna().any() else [])
    with house():
        canvas = open_canvas(ax, 6.0, 3.4)
        key = _draw(canvas.axes[0], frame, words)
        period = "period" if "period" in words.given else "year"
        canvas.axes[0].set(xlabel=words.column(period), ylabel=PHRASES["axis"][lang])
        together = (" " if lang == "en" else "").join(sentences)
        return finish(canvas, frame, title, [together, *carried, *notes], lang, key)


def _draw(ax: Axes, frame: pd.DataFrame, words: Vocabulary) -> list[Line2D]:
    at, periods = period_positions(frame["period"])
    group = frame["club"].astype("Int64").fillna(NONE).astype("int64")
    wide = frame.assign(at=at).pivot(index="at", columns="unit", values="h")
    of_unit = group.groupby(frame["unit"]).first()
    numbers = sorted(set(of_unit) - {NONE})
    shown = dict(zip(numbers, looks(len(numbers)), strict=True)) | ({NONE: APART} if NONE in set(of_unit) else {})
    ax.axhline(1, color=GREY, linewidth=0.6, zorder=0.5)
    every = max(1, len(periods) // 12)
    for number, look in shown.items():
        part = wide.loc[:, of_unit.reindex(wide.columns) == number]
        thin = 0.8 if number == NONE else 0.5
        dashes = look.dashes if number == NONE else "-"
        ax.plot(part.index, part.to_numpy(), color=look.color, linewidth=thin, linestyle=dashes, alpha=0.55)
    for number in numbers:
        mean = wide.loc[:, of_unit.reindex(wide.columns) == number].mean(axis=1)
        look = shown[number]
        ax.plot(mean.index, mean, look.marker, color=look.color, linestyle=look.dashes, linewidth=1.9, markevery=every)
    period_axis(ax, periods)
    number_axis(ax.yaxis)
    ax.margins(x=0.02)
    return [handle(look, _name(number, int((of_unit == number).sum()), words)) for number, look in shown.items()]


def _name(number: int, size: int, words: Vocabulary) -> str:
    if number == NONE:
        return PHRASES["divergent"][words.lang].format(size)
    own: Any = words.given.get(str(number))
    if own is not None:
        return PHRASES["named"][words.lang].format(text(own, words.lang), size)
    return PHRASES["club"][words.lang].format(number, size)
