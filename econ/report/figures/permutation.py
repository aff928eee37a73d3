"""The distribution of an estimate over other assignments of treatment."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from scipy.stats import gaussian_kde

from econ.options import Lang, check_word
from econ.report.figures.plot import Plot, finish
from econ.report.figures.style import FAINT, GREY, OKABE_ITO, house, number_axis, open_canvas
from econ.report.figures.words import lower, phrase
from econ.report.labels import Labels, Vocabulary, Words

if TYPE_CHECKING:
    from econ.did.permute import Permutation

PHRASES: Mapping[str, Mapping[Lang, str]] = {
    "density": {"en": "Density over assignments", "zh": "各分配下的密度"},
    "observed": {"en": "Observed: {:.3f}", "zh": "实际估计：{:.3f}"},
    "p": {"en": "{:,} {} assignments; p = {:.4f} ({}).", "zh": "{:,}种{}分配；p = {:.4f}（{}）。"},
    "all": {"en": "possible (all)", "zh": "全部可能的"},
    "random": {"en": "random", "zh": "随机"},
    "two_sided": {"en": "two-sided", "zh": "双侧"},
    "greater": {"en": "at least as large", "zh": "右侧"},
    "less": {"en": "at most as large", "zh": "左侧"},
}  # fmt: skip
BINS = 50


def permutation_plot(
    result: "Permutation",
    *,
    labels: Labels | None = None,
    title: Words | None = None,
    notes: Sequence[Words] = (),
    lang: Lang = "en",
    ax: Axes | None = None,
) -> Plot:
    """Histogram and density of the estimates over assignments, with a line at the observed one.

    Parameters
    ----------
    result : from ``econ.did.permute``.
    labels : column -> text, for the outcome.
    title, notes : a string, or ``{"en": ..., "zh": ...}``.
    ax : axes to draw on; by default a new figure.

    Returns
    -------
    Plot with ``data``: ``low, high, density`` of the histogram.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").with_cohort(econ.roster("innovation_demonstration_zones"))
    >>> panel = panel.where(lambda d: d["province"] != "Tibet")
    >>> found = econ.did.permute(econ.did.twfe, panel, "log(invention_grants)", cohort="cohort", draws=999)
    >>> list(econ.report.permutation_plot(found).data)
    ['low', 'high', 'density']
    """
    check_word(lang, Lang, "lang")
    words = Vocabulary(lang, labels or {}, result.labels)
    density, edges = np.histogram(result.distribution, bins=BINS, density=True)
    data = pd.DataFrame({"low": edges[:-1], "high": edges[1:], "density": density})
    how = PHRASES["all" if result.exact else "random"][lang]
    said = PHRASES["p"][lang].format(len(result.distribution), how, result.p_value, PHRASES[result.side][lang])
    with house():
        canvas = open_canvas(ax, 6.0, 3.0)
        key = _draw(canvas.axes[0], result, data, lang)
        canvas.axes[0].set(
            xlabel=phrase("overall_effect_on", lang, lower(words.term(result.outcome))), ylabel=PHRASES["density"][lang]
        )
        return finish(canvas, data, title, [said, *result.notes, *notes], lang, key)


def _draw(ax: Axes, result: "Permutation", data: pd.DataFrame, lang: Lang) -> list[Line2D]:
    ax.bar(
        data["low"], data["density"], data["high"] - data["low"], align="edge",
        color=FAINT, edgecolor="white", linewidth=0.3,
    )  # fmt: skip
    low, high = data["low"].min(), data["high"].max()
    if np.ptp(result.distribution) > 0:
        x = np.linspace(low, high, 200)
        ax.plot(x, gaussian_kde(result.distribution)(x), color=GREY, linewidth=1.0)
    observed = PHRASES["observed"][lang].format(result.estimate)
    line = ax.axvline(result.estimate, color=OKABE_ITO[1], linewidth=1.4, linestyle=(0, (5, 1.6)), label=observed)
    ax.set_ylim(bottom=0)
    number_axis(ax.xaxis)
    number_axis(ax.yaxis)
    return [line]
