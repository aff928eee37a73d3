"""Likelihood ratios of thresholds, and the confidence sets they cut out."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from econ.errors import OptionError
from econ.options import Lang, check_word
from econ.report.figures.plot import Plot, finish
from econ.report.figures.style import GREY, OKABE_ITO, house, number_axis, open_canvas
from econ.report.figures.words import axis_label, joined
from econ.report.labels import Labels, Vocabulary, Words
from econ.report.layout import check_list

if TYPE_CHECKING:
    from econ.growth.threshold import Threshold

PHRASES: Mapping[str, Mapping[Lang, str]] = {
    "ratio": {"en": "Likelihood ratio", "zh": "似然比"},
    "number": {"en": "Threshold {}: {:.4g}", "zh": "门槛{}：{:.4g}"},
    "set": {"en": "Dashes: {:.2f}, the bound of the {:g}% confidence set, which is shaded.",
            "zh": "虚线：{:.2f}，即{:g}%置信集的界（阴影部分）。"},
    "others": {"en": "Each curve holds the other thresholds at their estimates.", "zh": "各曲线中其他门槛取估计值。"},
}  # fmt: skip


def threshold_plot(
    result: "Threshold",
    *,
    labels: Labels | None = None,
    title: Words | None = None,
    notes: Sequence[Words] = (),
    lang: Lang = "en",
    ax: Axes | None = None,
) -> Plot:
    """The likelihood ratio at every candidate value, one panel per threshold; zero at the estimate.

    Parameters
    ----------
    result : of ``econ.growth.threshold``.
    labels : the threshold variable -> text.
    title, notes : a string, or ``{"en": ..., "zh": ...}``.
    ax : axes to draw on, for a result with one threshold; by default a new figure.

    Returns
    -------
    Plot with ``data``: ``threshold, value, ratio, inside``.
    """
    check_word(lang, Lang, "lang")
    check_list(notes, "notes")
    n = len(result.thresholds)
    if ax is not None and n > 1:
        raise OptionError(f"The result has {n} thresholds and needs as many axes; leave ax out.")
    data = result.ratio.assign(inside=result.ratio["ratio"] <= result.critical)
    words = Vocabulary(lang, labels or {}, result.estimate.labels)
    with house():
        canvas = open_canvas(ax, 3.4 * n if n > 1 else 4.6, 2.7, panels=n)
        for axes, row in zip(canvas.axes, result.thresholds.itertuples(), strict=True):
            _draw(axes, data[data["threshold"] == row.threshold], result.critical)
            axes.set_xlabel(axis_label(words, str(result.spec["threshold_variable"])))
            if n > 1:
                axes.set_title(PHRASES["number"][lang].format(row.threshold, row.estimate))
        canvas.axes[0].set_ylabel(PHRASES["ratio"][lang])
        said = [PHRASES["set"][lang].format(result.critical, 100 * result.spec["level"])]
        said += [PHRASES["others"][lang]] if n > 1 else []
        return finish(canvas, data, title, [joined(said, lang), *result.notes, *notes], lang)


def _draw(ax: Axes, part: pd.DataFrame, critical: float) -> None:
    value, ratio = part["value"].to_numpy(), part["ratio"].to_numpy()
    top = float(np.nanmax(ratio)) * 1.05
    inside = part["inside"].to_numpy()
    ax.fill_between(value, 0, top, where=inside.tolist(), color=OKABE_ITO[0], alpha=0.15, linewidth=0, step="mid")
    ax.plot(value, ratio, color=OKABE_ITO[0], linewidth=0.9)
    ax.axhline(critical, color=GREY, linewidth=0.8, linestyle=(0, (5, 2)))
    ax.plot(value[np.nanargmin(ratio)], 0, "o", color=OKABE_ITO[1], clip_on=False, zorder=3)
    ax.set_ylim(0, max(top, critical * 1.3))
    number_axis(ax.xaxis)
    number_axis(ax.yaxis)
