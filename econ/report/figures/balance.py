"""How alike treated and control units are, before and after matching."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.axes import Axes

from econ.options import Lang, check_word
from econ.report.figures.plot import Plot, finish
from econ.report.figures.style import FAINT, handle, house, looks, number_axis, open_canvas, zero_line
from econ.report.labels import Labels, Vocabulary, Words

if TYPE_CHECKING:
    from econ.did.matched import MatchedResult

PHRASES: Mapping[str, Mapping[Lang, str]] = {
    "axis": {"en": "Treated less controls, standard deviations", "zh": "处理组减对照组（标准差）"},
    "before": {"en": "Before", "zh": "匹配前"},
    "after": {"en": "After", "zh": "匹配后"},
    "lines": {"en": "Means over cohorts, weighted by treated units; grey lines at 0.1.",
              "zh": "各队列以处理单元数加权平均；灰线为±0.1。"},
}  # fmt: skip
ALIKE = 0.1  # standard deviations: the usual mark of a balanced covariate


def balance_plot(
    result: "MatchedResult",
    *,
    labels: Labels | None = None,
    title: Words | None = None,
    notes: Sequence[Words] = (),
    lang: Lang = "en",
    ax: Axes | None = None,
) -> Plot:
    """Standardised differences of every covariate before (hollow) and after (filled) matching.

    Parameters
    ----------
    result : from ``econ.did.matched``.
    labels : covariate -> text.
    title, notes : a string, or ``{"en": ..., "zh": ...}``.
    ax : axes to draw on; by default a new figure.

    Returns
    -------
    Plot with ``data``: ``covariate, label, std_diff_before, std_diff_after``.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("zones_simulated")
    >>> result = econ.did.matched(panel, "log(patents)", cohort="demonstration_year", covariates=["log(revenue)"])
    >>> list(econ.report.balance_plot(result).data)
    ['covariate', 'label', 'std_diff_before', 'std_diff_after']
    """
    check_word(lang, Lang, "lang")
    words = Vocabulary(lang, labels or {}, result.labels)
    pooled = result.balance[result.balance["cohort"].isna()]
    data = pd.DataFrame({"covariate": pooled["covariate"], "label": [words.term(x) for x in pooled["covariate"]]})
    data = data.join(pooled[["std_diff_before", "std_diff_after"]]).reset_index(drop=True)
    with house():
        canvas = open_canvas(ax, 5.2, 0.9 + 0.32 * len(data))
        axes = canvas.axes[0]
        look = looks(1)[0]
        zero_line(axes, horizontal=False)
        for mark in (-ALIKE, ALIKE):
            axes.axvline(mark, color=FAINT, linewidth=0.8, zorder=0.3)
        axes.hlines(data.index, data["std_diff_before"], data["std_diff_after"], color=FAINT, linewidth=1.0, zorder=0.5)
        for column, fill in (("std_diff_before", "white"), ("std_diff_after", look.color)):
            axes.plot(data[column], data.index, look.marker, color=look.color, markerfacecolor=fill)
        axes.set_yticks(list(data.index), list(data["label"]))
        axes.set_ylim(len(data) - 0.5, -0.5)
        axes.set_xlabel(PHRASES["axis"][lang])
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
        number_axis(axes.xaxis)
        key = [handle(look, PHRASES[name][lang], line=False) for name in ("before", "after")]
        key[0].set_markerfacecolor("white")
        return finish(canvas, data, title, [PHRASES["lines"][lang], *result.notes, *notes], lang, key)
