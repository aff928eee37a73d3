"""What two-way fixed effects and their successors compare: weights of effects, and the Goodman-Bacon decomposition."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import TwoSlopeNorm
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from econ.options import Lang, check_word
from econ.report.figures.plot import Plot, finish
from econ.report.figures.style import GREY, SMALL, house, looks, number_axis, open_canvas
from econ.report.figures.words import value_label
from econ.report.labels import Labels, Vocabulary, Words, text

if TYPE_CHECKING:
    from econ.did.bacon import Bacon
    from econ.did.weights import EffectWeights

PHRASES: Mapping[str, Mapping[Lang, str]] = {
    "weight": {"en": "Weight", "zh": "权重"},
    "effect": {"en": "Estimate of the comparison", "zh": "两组比较的估计值"},
    "cohort": {"en": "First treated period", "zh": "首次处理期"},
    "negative": {"en": "Negative weight", "zh": "负权重"},
    "sums": {"en": "{}: {} positive weights adding up to {:.3f}, {} negative ones adding up to {:.3f}.",
             "zh": "{}：{}个正权重合计{:.3f}，{}个负权重合计{:.3f}。"},
    "line": {"en": "Dashes: the two-way fixed-effects coefficient, {:.3f}, their weighted mean.",
             "zh": "虚线：双向固定效应系数{:.3f}，即各比较的加权平均。"},
}  # fmt: skip
MANY = 40  # rows or columns beyond which cells have no edges


def weights_plot(
    weights: "EffectWeights",
    *,
    labels: Labels | None = None,
    title: Words | None = None,
    notes: Sequence[Words] = (),
    lang: Lang = "en",
    ax: Axes | None = None,
) -> Plot:
    """Heat map of the weights with which the effects of treated cells enter an estimate; negative ones are hatched.

    Parameters
    ----------
    weights : from ``econ.did.effect_weights`` or ``twfe_weights``.
    labels : unit or cohort -> text.
    title, notes : a string, or ``{"en": ..., "zh": ...}``.
    ax : axes to draw on; by default a new figure.

    Returns
    -------
    Plot with ``data``: the frame of the weights.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").with_cohort(econ.roster("innovation_demonstration_zones"))
    >>> result = econ.did.twfe(panel, "log(invention_grants)", cohort="cohort")
    >>> len(econ.report.weights_plot(econ.did.effect_weights(result)).data)
    66
    """
    check_word(lang, Lang, "lang")
    words = Vocabulary(lang, labels or {})
    grid = weights.frame.pivot(index=weights.rows, columns=weights.columns, values="weight")
    counts = (weights.n_positive, weights.sum_positive, weights.n_negative, weights.sum_negative)
    said = PHRASES["sums"][lang].format(text(weights.label, lang), *counts)
    with house():
        canvas = open_canvas(ax, 6.0, min(0.9 + 0.2 * len(grid), 6.0))
        key = _draw_grid(canvas.axes[0], grid, weights, words)
        return finish(canvas, weights.frame, title, [said, *weights.notes, *notes], lang, key)


def bacon_plot(
    result: "Bacon",
    *,
    title: Words | None = None,
    notes: Sequence[Words] = (),
    lang: Lang = "en",
    ax: Axes | None = None,
) -> Plot:
    """Every comparison of a Goodman-Bacon decomposition: weight across, estimate up, kinds by marker and colour.

    Parameters
    ----------
    result : from ``econ.did.bacon``.
    title, notes : a string, or ``{"en": ..., "zh": ...}``.
    ax : axes to draw on; by default a new figure.

    Returns
    -------
    Plot with ``data``: ``kind, treated, control, weight, estimate``.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").with_cohort(econ.roster("innovation_demonstration_zones"))
    >>> list(econ.report.bacon_plot(econ.did.bacon(panel, "log(invention_grants)", cohort="cohort")).data)
    ['kind', 'treated', 'control', 'weight', 'estimate']
    """
    from econ.did.bacon import KINDS

    check_word(lang, Lang, "lang")
    frame = result.comparisons
    kinds = list(dict.fromkeys(frame["kind"]))
    key: list[Line2D] = []
    with house():
        canvas = open_canvas(ax, 6.0, 3.4)
        axes = canvas.axes[0]
        for kind, look in zip(kinds, looks(len(kinds)), strict=True):
            part = frame[frame["kind"] == kind]
            label = KINDS[kind][lang]
            axes.plot(part["weight"], part["estimate"], look.marker, color=look.color, markerfacecolor="none")
            key.append(Line2D([], [], ls="", marker=look.marker, color=look.color, mfc="none", label=label))
        axes.axhline(result.twfe, color=GREY, linewidth=0.8, linestyle=(0, (5, 2)))
        axes.set(xlabel=PHRASES["weight"][lang], ylabel=PHRASES["effect"][lang])
        axes.set_xlim(left=0)
        number_axis(axes.yaxis)
        number_axis(axes.xaxis)
        said = PHRASES["line"][lang].format(result.twfe)
        return finish(canvas, frame, title, [said, *result.notes, *notes], lang, key)


def _draw_grid(ax: Axes, grid: pd.DataFrame, weights: "EffectWeights", words: Vocabulary) -> list[Patch]:
    values = grid.to_numpy(dtype=np.float64)
    bound = float(np.nanmax(np.abs(values)))
    norm = TwoSlopeNorm(0.0, -bound, bound)
    fine = max(values.shape) <= MANY
    x, y = np.arange(values.shape[1] + 1) - 0.5, np.arange(values.shape[0] + 1) - 0.5
    edge: dict[str, Any] = {"edgecolor": "white", "linewidth": 0.5} if fine else {}
    ax.pcolormesh(x, y, np.ma.masked_invalid(values), cmap="PuOr_r", norm=norm, rasterized=not fine, **edge)
    negative = np.ma.masked_where(~(values < 0), values)
    hatched = bool((values < 0).any()) and fine
    if hatched:
        ax.pcolor(x, y, negative, cmap="PuOr_r", norm=norm, hatch="////", edgecolor=GREY, linewidth=0.3)
    ax.set_ylim(len(grid) - 0.5, -0.5)
    ax.set_yticks(range(len(grid)) if fine else [], [_shown(words, name) for name in grid.index] if fine else [])
    ax.tick_params(axis="y", length=0)
    ax.set_ylabel(PHRASES["cohort"][words.lang] if weights.rows == "cohort" else words.column(weights.rows))
    step = max(1, -(-len(grid.columns) // 12))
    ax.set_xticks(range(0, len(grid.columns), step), [str(name) for name in grid.columns[::step]])
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    bar = ax.figure.colorbar(ScalarMappable(norm, "PuOr_r"), ax=ax, pad=0.02, fraction=0.04)
    bar.set_label(PHRASES["weight"][words.lang], fontsize=SMALL)
    bar.outline.set_visible(False)
    number_axis(bar.ax.yaxis)
    if not hatched:
        return []
    return [Patch(facecolor="white", edgecolor=GREY, hatch="////", label=PHRASES["negative"][words.lang])]


def _shown(words: Vocabulary, name: object) -> str:
    return f"{name:.0f}" if isinstance(name, float) and name.is_integer() else value_label(words, name)
