"""A specification curve: estimates in order above, what each specification chose below."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from econ.errors import DataError
from econ.options import Lang, check_word
from econ.report.figures.plot import Plot, finish
from econ.report.figures.style import FAINT, GREY, INK, OKABE_ITO, SMALL, house, number_axis, open_canvas, zero_line
from econ.report.figures.words import joined, phrase, value_label
from econ.report.labels import Labels, Vocabulary, Words
from econ.report.layout import check_list

if TYPE_CHECKING:
    from econ.growth.specifications import SpecificationCurve

ROW = 0.155  # inches per choice
CURVE = 2.3  # inches of the upper panel
PHRASES: Mapping[str, Mapping[Lang, str]] = {
    "outcome": {"en": "Outcome", "zh": "被解释变量"},
    "controls": {"en": "Controls", "zh": "控制变量"},
    "effects": {"en": "Fixed effects", "zh": "固定效应"},
    "sample": {"en": "Sample", "zh": "样本"},
    "errors": {"en": "Standard errors", "zh": "标准误"},
    "coefficient": {"en": "Coefficient of {}", "zh": "{}的系数"},
    "significant": {"en": "Interval without zero", "zh": "区间不含零"},
    "other": {"en": "Interval with zero", "zh": "区间含零"},
    "number": {"en": "Specifications in order of the estimate", "zh": "按估计值排序的设定"},
    "said": {"en": "{:,} specifications, median {:.3f} (dashes); {:.0f}% positive, {:.0f}% with zero outside their "
                   "interval.",
             "zh": "共{:,}个设定，中位数{:.3f}（虚线）；{:.0f}%为正，{:.0f}%的区间不含零。"},
    "failed": {"en": "{:,} could not be estimated and are not shown.", "zh": "{:,}个设定无法估计，未显示。"},
    "none": {"en": "none", "zh": "无"},
}  # fmt: skip


def specification_plot(
    result: "SpecificationCurve",
    *,
    labels: Labels | None = None,
    title: Words | None = None,
    notes: Sequence[Words] = (),
    lang: Lang = "en",
) -> Plot:
    """Estimates and intervals of all specifications, the smallest first, over a table of their choices.

    Parameters
    ----------
    result : of ``econ.growth.specification_curve``.
    labels : treatment, outcomes, controls, names of samples and of standard errors -> text.
    title, notes : a string, or ``{"en": ..., "zh": ...}``.

    Returns
    -------
    Plot with ``data``: the rows of ``result.frame`` that could be estimated, in the order shown, with ``position``.
    """
    check_word(lang, Lang, "lang")
    check_list(notes, "notes")
    known = result.frame.dropna(subset=["estimate"])
    if known.empty:
        raise DataError("No specification of this result could be estimated; its frame gives the reasons.")
    data = known.sort_values("estimate", kind="stable").reset_index(drop=True)
    data.insert(0, "position", np.arange(1, len(data) + 1))
    words = Vocabulary(lang, labels or {}, result.labels)
    table = _table(data, result.spec["controls"], words)
    with house():
        height = CURVE + ROW * (sum(len(rows) for rows in table.values()) + 1.2 * len(table)) + 0.4
        canvas = open_canvas(None, 6.4, height, rows=2)
        upper, lower = canvas.axes
        upper.get_subplotspec().get_gridspec().set_height_ratios([CURVE, height - CURVE])  # type: ignore[union-attr]
        _curve(upper, data)
        upper.set_title(PHRASES["coefficient"][lang].format(words.term(result.spec["treatment"])))
        _dots(lower, data, table, lang)
        key = [_sign(OKABE_ITO[0], PHRASES["significant"][lang]), _sign(GREY, PHRASES["other"][lang])]
        said = _sentences(result.summary, result.spec["level"], lang)
        return finish(canvas, data, title, [joined(said, lang), *result.notes, *notes], lang, key)


def _significant(data: pd.DataFrame) -> "pd.Series[bool]":
    return (data["ci_low"] > 0) | (data["ci_high"] < 0)


def _sign(color: str, label: str) -> Line2D:
    return Line2D([], [], color=color, marker="o", linestyle="", label=label)


def _curve(ax: Axes, data: pd.DataFrame) -> None:
    colors = np.where(_significant(data), OKABE_ITO[0], GREY).tolist()
    size = float(np.clip(260 / len(data), 2, 16))
    zero_line(ax)
    ax.vlines(data["position"], data["ci_low"], data["ci_high"], color=colors, linewidth=float(np.sqrt(size)) / 4)
    ax.scatter(data["position"], data["estimate"], c=colors, s=size, zorder=2.5)
    ax.axhline(float(data["estimate"].median()), color=INK, linewidth=0.6, linestyle=(0, (5, 2)), zorder=0.6)
    ax.set_xlim(0.2, len(data) + 0.8)
    ax.tick_params(axis="x", labelbottom=False, length=0)
    ax.spines["bottom"].set_visible(False)
    number_axis(ax.yaxis)


def _table(data: pd.DataFrame, sets: Mapping[str, Sequence[str]], words: Vocabulary) -> dict[str, dict[str, pd.Series]]:
    """Kind of choice -> choice as printed -> which rows made it; kinds with one choice are left out."""
    found = {}
    for kind in ("outcome", "controls", "effects", "sample", "errors"):
        if kind == "controls" and _are_subsets(sets):
            terms = dict.fromkeys(term for chosen in sets.values() for term in chosen)
            rows = {words.term(t): data[kind].map(lambda name, t=t: t in sets[name]) for t in terms}
        else:
            rows = {_printed(kind, name, words): data[kind] == name for name in dict.fromkeys(data[kind])}
        if len(rows) > 1 or (kind == "controls" and len(sets) > 1):
            found[kind] = rows
    return found


def _are_subsets(sets: Mapping[str, Sequence[str]]) -> bool:
    return all(name == (" + ".join(terms) or "none") for name, terms in sets.items())


def _printed(kind: str, name: str, words: Vocabulary) -> str:
    if name == "none":
        return PHRASES["none"][words.lang]
    if kind == "effects":
        return " + ".join(words.column(part.strip()) for part in name.split("+"))
    return words.term(name) if kind == "outcome" else value_label(words, name)


def _dots(ax: Axes, data: pd.DataFrame, table: Mapping[str, Mapping[str, pd.Series]], lang: Lang) -> None:
    size = float(np.clip(260 / len(data), 1.5, 12))
    ticks, names, y = [], [], 0.0
    color = np.where(_significant(data), OKABE_ITO[0], GREY)
    for kind, rows in table.items():
        ax.text(0, y, PHRASES[kind][lang], transform=ax.get_yaxis_transform(), fontsize=SMALL, color=INK, va="center")
        for name, chosen in rows.items():
            y += 1
            where = chosen.to_numpy(dtype=bool)
            ax.axhline(y, color=FAINT, linewidth=0.4, zorder=0.4)
            ax.scatter(data["position"][where], np.full(where.sum(), y), c=color[where].tolist(), s=size, marker="s")
            ticks.append(y)
            names.append(name)
        y += 1.2
    ax.set_yticks(ticks, names, fontsize=SMALL)
    ax.set_ylim(max(y - 0.4, 0.6), -0.8)
    ax.set_xlim(0.2, len(data) + 0.8)
    ax.tick_params(axis="y", length=0)
    ax.spines[["left"]].set_visible(False)
    ax.set_xlabel(PHRASES["number"][lang])
    number_axis(ax.xaxis)


def _sentences(summary: Mapping[str, float], level: float, lang: Lang) -> list[str]:
    shares = 100 * summary["share_positive"], 100 * summary["share_significant"]
    said = [PHRASES["said"][lang].format(int(summary["n"]), summary["median"], *shares)]
    said.append(phrase("bars", lang, f"{100 * level:g}"))
    if summary["n_failed"]:
        said.append(PHRASES["failed"][lang].format(int(summary["n_failed"])))
    return said
