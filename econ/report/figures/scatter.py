"""Initial level against growth, the picture of beta convergence."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.transforms import Affine2D

from econ.data.frames import require_columns
from econ.errors import DataError, OptionError
from econ.estimate import Estimate
from econ.linear.fit import FloatArray
from econ.options import Lang, check_word
from econ.panel import Panel
from econ.report.figures.fonts import shipped_font, text_width
from econ.report.figures.plot import Plot, finish
from econ.report.figures.results import check_data
from econ.report.figures.style import GREY, INK, Canvas, handle, house, looks, number_axis, open_canvas
from econ.report.figures.tiles import short_name
from econ.report.figures.words import in_order, panel_words, phrase, source_notes, value_label
from econ.report.labels import Labels, Vocabulary, Words
from econ.report.layout import check_list

LABEL = 6.2  # points
NEAR = 3.5  # points between a dot and its label
REACH = np.array([NEAR, 6.0, 10.0, 15.0, 21.0, 28.0, 36.0])
DOT, STEP = 6.0, 3.0  # points: room for a dot, and between the places of the line that labels avoid
ROUNDS = 8


def beta_plot(
    data: Panel | pd.DataFrame,
    x: str | None = None,
    *,
    start: int | None = None,
    end: int | None = None,
    group: str | None = None,
    estimate: Estimate | None = None,
    labels: Labels | None = None,
    title: Words | None = None,
    notes: Sequence[Words] = (),
    lang: Lang = "en",
    ax: Axes | None = None,
) -> Plot:
    """Average annual growth against the log initial level, with the fitted line and the regions' names.

    Parameters
    ----------
    data : a Panel; or a frame: the region in its first column, ``initial`` (log) and ``growth`` (log points a year).
    x : the Panel's variable, a positive level.
    start, end : periods; by default the first and last in which ``x`` is known.
    group : column that colours the dots, such as ``plate``.
    estimate : result of ``econ.convergence.beta``: the line has its slope ``beta`` and passes through the means.
        Default is the least-squares line of the points drawn.
    labels : column, group or region -> text.
    title, notes : a string, or ``{"en": ..., "zh": ...}``.
    ax : axes to draw on; by default a new figure.

    Returns
    -------
    Plot with ``data``: the region, ``initial, growth, fitted`` (and the group).

    Examples
    --------
    >>> import econ
    >>> econ.report.beta_plot(econ.load("provinces"), "gdp_per_capita", start=2000, end=2019)
    Plot('', 31 rows: province, initial, growth, fitted)
    """
    check_word(lang, Lang, "lang")
    check_list(notes, "notes")
    check_data(data, "beta_plot(panel, 'x', estimate=estimate)")
    if isinstance(data, Panel):
        words = panel_words(data, labels, lang)
        start, end = _span(data, x, start, end)
        frame, found = _of_panel(data, str(x), start, end, group), source_notes(data, [str(x)], lang)
    else:
        words, frame, found = Vocabulary(lang, labels or {}), _of_frame(data, group), []
    slope = _slope(frame, estimate)
    centre, level = float(frame["initial"].mean()), float(frame["growth"].mean())
    frame = frame.assign(fitted=level + slope * (frame["initial"] - centre))
    with house():
        canvas = open_canvas(ax, 6.0, 4.2)
        key = _draw(canvas.axes[0], frame, group, words)
        canvas.axes[0].set(xlabel=_level_label(words, x, start), ylabel=_growth_label(lang, start, end))
        sentences = [_line_note(slope, estimate, len(frame), lang), *found, *notes]
        plot = finish(canvas, frame, title, sentences, lang, key)
        _name_points(canvas, frame, words)
        return plot


def _span(panel: Panel, x: str | None, start: Any, end: Any) -> tuple[Any, Any]:
    if x is None:
        raise OptionError("A Panel needs the name of its variable: beta_plot(panel, 'gdp_per_capita').")
    known = panel.time_codes[~np.isnan(panel.values(x))]
    if not len(known):
        raise DataError(f"{x!r} has no values in this panel; there is nothing to draw.")
    first, last = panel.period(int(known.min())), panel.period(int(known.max()))
    return first if start is None else start, last if end is None else end


def _of_panel(panel: Panel, x: str, start: Any, end: Any, group: str | None) -> pd.DataFrame:
    from econ.convergence.beta import growth_and_initial

    frame = growth_and_initial(panel, x, start, end)
    return frame if group is None else frame.assign(**{group: frame[panel.unit].map(panel.attribute(group))})


def _of_frame(data: pd.DataFrame, group: str | None) -> pd.DataFrame:
    unit = str(data.columns[0])
    wanted = [unit, "initial", "growth", *([group] if group else [])]
    require_columns(data, wanted, "The frame")
    return data[wanted].dropna().reset_index(drop=True)


def _slope(frame: pd.DataFrame, estimate: Estimate | None) -> float:
    """Growth (log points a year) per log point of the initial level."""
    if len(frame) < 2:
        raise DataError(f"{len(frame)} region(s) with both values; a line needs two.")
    if estimate is not None:
        if "beta" not in estimate.terms:
            raise OptionError(
                f"The estimate has no term 'beta' but {', '.join(estimate.terms)}; give convergence.beta's."
            )
        return float(estimate.coef[estimate.terms.index("beta")])
    return float(np.polynomial.Polynomial.fit(frame["initial"], frame["growth"], 1).convert().coef[1])


def _draw(ax: Axes, frame: pd.DataFrame, group: str | None, words: Vocabulary) -> list[Line2D]:
    groups = in_order(frame[group]) if group else [None]
    shown = dict(zip(groups, looks(len(groups)), strict=True))
    for name, look in shown.items():
        part = frame if group is None else frame[frame[group] == name]
        ax.plot(part["initial"], 100 * part["growth"], look.marker, color=look.color, alpha=0.9)
    ax.plot(*_line_ends(frame).T, color=INK, linewidth=0.9, zorder=1)
    number_axis(ax.xaxis)
    number_axis(ax.yaxis)
    ax.margins(0.06)
    return [handle(look, value_label(words, name), line=False) for name, look in shown.items()] if group else []


def _line_ends(frame: pd.DataFrame) -> FloatArray:
    """(2, 2) where the fitted line starts and ends."""
    ends = frame.sort_values("initial").iloc[[0, -1]]
    return np.column_stack([ends["initial"], 100 * ends["fitted"]])


def _name_points(canvas: Canvas, frame: pd.DataFrame, words: Vocabulary) -> None:
    """Names beside the dots, each on the side and at the distance where it covers least; far ones get a thin line."""
    ax, figure = canvas.axes[0], canvas.figure
    figure.draw_without_rendering()  # which settles the limits and, on given axes, the layout
    per_point = figure.dpi / 72
    dots = ax.transData.transform(np.column_stack([frame["initial"], 100 * frame["growth"]])) / per_point
    ends = ax.transData.transform(_line_ends(frame)) / per_point
    steps = int(np.hypot(*(ends[1] - ends[0])) / STEP) + 2
    line = np.linspace(ends[0], ends[1], steps)
    window = ax.get_window_extent().transformed(Affine2D().scale(1 / per_point))
    names = [
        value_label(words, unit) if str(unit) in words.given else short_name(unit, words.lang)
        for unit in frame.iloc[:, 0]
    ]
    sizes = np.array([(72 * text_width(figure, name, LABEL), LABEL) for name in names])
    arrow = {"arrowstyle": "-", "linewidth": 0.4, "color": GREY, "shrinkA": 0, "shrinkB": 2}
    for i, shift in enumerate(_label_shifts(dots, line, sizes, np.array(window.extents))):
        far = float(np.hypot(*shift)) > NEAR + 2 + float(np.hypot(*sizes[i])) / 2
        ax.annotate(
            names[i],
            (frame["initial"].iloc[i], 100 * frame["growth"].iloc[i]),
            (shift[0], shift[1]),
            textcoords="offset points",
            ha="center",
            va="center",
            fontproperties=shipped_font(LABEL),
            arrowprops=arrow if far else None,
        )


def _label_shifts(dots: FloatArray, line: FloatArray, sizes: FloatArray, window: FloatArray) -> FloatArray:
    """(N, 2) from each dot to the centre of its label, in points.

    Each label in turn takes the best of its places (angles and distances from its dot) given where the others are;
    a few rounds settle it.
    """
    angles = np.radians(np.arange(90, 450, 20))
    reach = np.repeat(REACH, len(angles))
    ring = np.column_stack([np.tile(np.cos(angles), len(REACH)), np.tile(np.sin(angles), len(REACH))])
    shifts = np.column_stack([np.zeros(len(dots)), NEAR + sizes[:, 1] / 2])
    for _ in range(ROUNDS):
        for i, dot in enumerate(dots):
            places = ring * (reach[:, None] + sizes[i] / 2)
            others = np.arange(len(dots)) != i
            covered = _overlap(dot + places, sizes[i], (dots + shifts)[others], sizes[others] + 1.5)
            dotted = _overlap(dot + places, sizes[i], dots, np.full(dots.shape, DOT))
            lined = _overlap(dot + places, sizes[i], line, np.full(line.shape, STEP))
            half = sizes[i] / 2
            outside = ((dot + places - half < window[:2]) | (dot + places + half > window[2:])).any(axis=1)
            cost = 2 * covered + 3 * dotted + lined + 1e3 * outside + 0.6 * reach
            shifts[i] = places[int(np.argmin(cost))]
    return shifts


def _overlap(centres: FloatArray, size: FloatArray, others: FloatArray, sizes: FloatArray) -> FloatArray:
    """(P,) area that a box at each centre shares with the other boxes, in square points."""
    apart = np.abs(centres[:, None, :] - others[None, :, :])
    shared = np.clip((size + sizes[None, :, :]) / 2 - apart, 0, np.minimum(size, sizes)[None, :, :])
    return np.asarray(shared.prod(axis=2).sum(axis=1))


def _level_label(words: Vocabulary, x: str | None, start: Any) -> str:
    if x is None:
        return phrase("initial_bare", words.lang)
    return phrase("initial", words.lang, words.term(x), start)


def _growth_label(lang: Lang, start: Any, end: Any) -> str:
    return phrase("growth_bare", lang) if start is None else phrase("growth", lang, start, end)


def _line_note(slope: float, estimate: Estimate | None, n: int, lang: Lang) -> str:
    value = f"{100 * slope:.2f}".replace("-", "\u2212")
    if estimate is None:
        return phrase("line_fitted", lang, value, n)
    error = float(estimate.std_error[estimate.terms.index("beta")])
    return phrase("line_estimate", lang, value, f"{100 * error:.2f}")
