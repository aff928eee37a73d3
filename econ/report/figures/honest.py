"""Intervals for an effect under bounds on violations of parallel trends."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.axes import Axes

from econ.options import Lang, check_word
from econ.report.figures.plot import Plot, finish
from econ.report.figures.style import GREY, handle, house, looks, number_axis, open_canvas, zero_line
from econ.report.figures.words import axis_label, joined, lower, phrase
from econ.report.labels import Labels, Vocabulary, Words
from econ.report.layout import check_list

if TYPE_CHECKING:
    from econ.did.honest import Honest

PHRASES: Mapping[str, Mapping[Lang, str]] = {
    "relative_magnitude": {"en": "Largest violation relative to the time before treatment, Mbar",
                           "zh": "相对于处理前的最大偏离倍数 Mbar"},
    "smoothness": {"en": "Largest change in the slope of violations, M", "zh": "偏离斜率的最大变化 M"},
    "original": {"en": "Parallel trends", "zh": "平行趋势成立"},
    "robust": {"en": "Bounded violations", "zh": "偏离有界"},
    "bars": {"en": "Bars: {}% confidence intervals, {}.", "zh": "线段：{}%置信区间，{}。"},
}  # fmt: skip


def honest_plot(
    result: "Honest",
    *,
    labels: Labels | None = None,
    title: Words | None = None,
    notes: Sequence[Words] = (),
    lang: Lang = "en",
    ax: Axes | None = None,
) -> Plot:
    """Intervals by bound, with the interval under parallel trends on the left and the breakdown value as a dashed line.

    Parameters
    ----------
    result : from ``econ.did.honest``.
    labels : column -> text, for the outcome on the axis.
    title, notes : a string, or ``{"en": ..., "zh": ...}``.
    ax : axes to draw on; by default a new figure.

    Returns
    -------
    Plot with ``data``: ``interval`` (``"original"`` or ``"robust"``), ``bound`` (missing for the first), ``ci_low,
    ci_high``.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").with_cohort(econ.roster("innovation_demonstration_zones"))
    >>> result = econ.did.event_study(panel, "log(invention_grants)", cohort="cohort", window=(-5, 5))
    >>> econ.report.honest_plot(econ.did.honest(result, grid=[0.5, 1])).data["interval"].tolist()
    ['original', 'robust', 'robust']
    """
    check_word(lang, Lang, "lang")
    check_list(notes, "notes")
    low, high = result.original
    first = pd.DataFrame({"interval": ["original"], "bound": [float("nan")], "ci_low": [low], "ci_high": [high]})
    frame = pd.concat([first, result.intervals.assign(interval="robust")], ignore_index=True)[list(first)]
    words = Vocabulary(lang, labels or {}, result.labels)
    said = PHRASES["bars"][lang].format(f"{100 * result.spec['level']:g}", result.spec["method"][lang])
    sentences = [joined([said, result.breakdown_words(lang)], lang), *result.notes, *notes]
    with house():
        canvas = open_canvas(ax, 5.2, 3.0)
        _draw(canvas.axes[0], frame, result.estimate, result.breakdown)
        outcome = axis_label(words, result.spec["outcome"])
        canvas.axes[0].set(xlabel=PHRASES[result.spec["bound"]][lang], ylabel=phrase("effect_on", lang, lower(outcome)))
        signs = [handle(look, PHRASES[name][lang]) for name, look in zip(("original", "robust"), looks(2), strict=True)]
        return finish(canvas, frame, title, sentences, lang, signs)


def _draw(ax: Axes, frame: pd.DataFrame, estimate: float, breakdown: float | None) -> None:
    bounds = frame["bound"].dropna()
    room = float(bounds.max() - bounds.min()) or 1.0
    step = room / max(len(bounds) - 1, 1)
    at = frame["bound"].fillna(bounds.min() - step)
    zero_line(ax)
    for name, look in zip(("original", "robust"), looks(2), strict=True):
        part = frame[frame["interval"] == name]
        place = at[part.index]
        ax.vlines(place, part["ci_low"], part["ci_high"], color=look.color, linewidth=1.6, linestyle=look.dashes)
        for end in ("ci_low", "ci_high"):
            ax.plot(place, part[end], look.marker, color=look.color, markersize=3)
    ax.plot(at.iloc[:1], [estimate], looks(1)[0].marker, color=looks(1)[0].color)
    if breakdown is not None and bounds.min() <= breakdown <= bounds.max():
        ax.axvline(breakdown, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0.5)
    ax.set_xticks(bounds if len(bounds) <= 12 else bounds[:: -(-len(bounds) // 12)])
    ax.xaxis.set_major_formatter(lambda x, _: f"{x:.4g}")
    ax.set_xlim(bounds.min() - 1.6 * step, bounds.max() + 0.6 * step)
    number_axis(ax.yaxis)
