"""Effects by dose: the level and the slope, with intervals and simultaneous bands."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.axes import Axes

from econ.estimate import Estimate
from econ.options import Lang, check_level, check_word
from econ.report.figures.coefficients import estimate_notes, known_labels
from econ.report.figures.plot import Plot, finish
from econ.report.figures.style import house, looks, number_axis, open_canvas, zero_line
from econ.report.figures.words import axis_label, joined, phrase
from econ.report.labels import Labels, Vocabulary, Words
from econ.report.layout import check_list

if TYPE_CHECKING:
    from econ.did.dose import DoseResult

PHRASES: Mapping[str, Mapping[Lang, str]] = {
    "intervals": {"en": "Thin lines: {}% confidence intervals.", "zh": "细线：{}%置信区间。"},
}


def dose_plot(
    result: "DoseResult",
    *,
    labels: Labels | None = None,
    level: float = 0.95,
    title: Words | None = None,
    notes: Sequence[Words] = (),
    lang: Lang = "en",
) -> Plot:
    """Level effects by dose beside slope effects by dose: the curves, their intervals and simultaneous bands.

    Parameters
    ----------
    result : of ``econ.did.dose``.
    labels : ``"dose"``, ``"level"``, ``"slope"`` -> text for the axes.
    level : of intervals and bands, 0.95.
    title, notes : a string, or ``{"en": ..., "zh": ...}``.

    Returns
    -------
    Plot with ``data``: ``effect, dose, estimate, ci_low, ci_high, band_low, band_high``.
    """
    check_word(lang, Lang, "lang")
    check_list(notes, "notes")
    check_level(level)
    curves = {"level": result.level, "slope": result.slope}
    frame = pd.concat([_by_dose(name, estimate, result, level) for name, estimate in curves.items()], ignore_index=True)
    words = Vocabulary(lang, labels or {}, known_labels(curves))
    with house():
        canvas = open_canvas(None, 6.4, 2.9, panels=2)
        for ax, (name, look) in zip(canvas.axes, zip(curves, looks(2), strict=True), strict=True):
            _draw(ax, frame[frame["effect"] == name], look.color, "o" if result.spec["curve"] == "discrete" else "")
            ax.set(xlabel=axis_label(words, "dose"), ylabel=axis_label(words, name))
        signs = [PHRASES["intervals"][lang].format(f"{100 * level:g}"), phrase("shading", lang)]
        shown = {"level": result.level}
        return finish(canvas, frame, title, [joined(signs, lang), *estimate_notes(shown), *notes], lang)


def _by_dose(name: str, estimate: Estimate, result: "DoseResult", level: float) -> pd.DataFrame:
    band = estimate.band(level)
    tidy = estimate.tidy(level)[["estimate", "ci_low", "ci_high"]]
    shown = tidy.assign(band_low=band["ci_low"], band_high=band["ci_high"])
    shown.insert(0, "effect", name)
    shown.insert(1, "dose", result.doses)
    return shown


def _draw(ax: Axes, frame: pd.DataFrame, color: str, marker: str) -> None:
    zero_line(ax)
    ax.fill_between(
        frame["dose"], frame["band_low"], frame["band_high"], color=color, alpha=0.15, linewidth=0, zorder=0.4
    )
    for edge in ("ci_low", "ci_high"):
        ax.plot(frame["dose"], frame[edge], color=color, linewidth=0.6)
    ax.plot(frame["dose"], frame["estimate"], marker=marker, color=color, linewidth=1.6)
    number_axis(ax.xaxis)
    number_axis(ax.yaxis)
