"""A slope over the values of a variable: line, interval at each value, band over all of them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from matplotlib.axes import Axes

from econ.options import Lang, check_word
from econ.report.figures.plot import Plot, finish
from econ.report.figures.style import GREY, OKABE_ITO, house, number_axis, open_canvas, zero_line
from econ.report.figures.words import axis_label, joined, lower, phrase
from econ.report.labels import Labels, Vocabulary, Words
from econ.report.layout import check_list

if TYPE_CHECKING:
    from econ.growth.slopes import Marginal

PHRASES: Mapping[str, Mapping[Lang, str]] = {
    "slope": {"en": "Effect of {} on {}", "zh": "{}对{}的边际效应"},
    "intervals": {"en": "Thin lines: {:g}% confidence interval at each value.", "zh": "细线：逐点{:g}%置信区间。"},
    "rug": {"en": "Ticks at the foot: observations.", "zh": "底部短线：观测值。"},
}


def marginal_plot(
    result: "Marginal",
    *,
    labels: Labels | None = None,
    title: Words | None = None,
    notes: Sequence[Words] = (),
    lang: Lang = "en",
    ax: Axes | None = None,
) -> Plot:
    """The slope of the outcome in one variable over the values of another, with its simultaneous band.

    Parameters
    ----------
    result : of ``econ.growth.marginal``.
    labels : the two variables and the outcome -> text.
    title, notes : a string, or ``{"en": ..., "zh": ...}``.
    ax : axes to draw on; by default a new figure.

    Returns
    -------
    Plot with ``data``: ``value, estimate, std_error, ci_low, ci_high, band_low, band_high``.
    """
    check_word(lang, Lang, "lang")
    check_list(notes, "notes")
    frame, spec = result.frame, result.spec
    words = Vocabulary(lang, labels or {}, result.labels)
    with house():
        canvas = open_canvas(ax, 4.8, 3.0)
        axes, color = canvas.axes[0], OKABE_ITO[0]
        zero_line(axes)
        axes.fill_between(frame["value"], frame["band_low"], frame["band_high"], color=color, alpha=0.15, linewidth=0)
        for edge in ("ci_low", "ci_high"):
            axes.plot(frame["value"], frame[edge], color=color, linewidth=0.6)
        axes.plot(frame["value"], frame["estimate"], color=color, linewidth=1.6)
        if result.data.size:
            axes.vlines(result.data, 0, 0.025, transform=axes.get_xaxis_transform(), color=GREY, linewidth=0.3)
        names = lower(words.term(spec["of"])), lower(words.term(spec["outcome"]))
        axes.set(xlabel=axis_label(words, spec["over"]), ylabel=PHRASES["slope"][lang].format(*names))
        number_axis(axes.xaxis)
        number_axis(axes.yaxis)
        said = [PHRASES["intervals"][lang].format(100 * spec["level"]), phrase("shading", lang)]
        said += [PHRASES["rug"][lang]] if result.data.size else []
        return finish(canvas, frame, title, [joined(said, lang), *result.notes, *notes], lang)
