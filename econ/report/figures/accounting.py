"""What capital, labour and productivity contributed to growth, by unit or group."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from econ.options import Lang, check_word
from econ.report.figures.plot import Plot, finish
from econ.report.figures.style import handle, house, looks, number_axis, open_canvas, zero_line
from econ.report.figures.words import value_label
from econ.report.labels import Labels, Vocabulary, Words

if TYPE_CHECKING:
    import pandas as pd

    from econ.growth.accounting import Accounting

PARTS: Mapping[str, Mapping[Lang, str]] = {
    "capital": {"en": "Capital", "zh": "资本"},
    "labour": {"en": "Labour", "zh": "劳动"},
    "human": {"en": "Human capital", "zh": "人力资本"},
    "tfp": {"en": "Total factor productivity", "zh": "全要素生产率"},
}
HATCHES = {"capital": "", "labour": "///", "human": "...", "tfp": "xx"}  # for readers who do not tell the colours apart
PHRASES: Mapping[str, Mapping[Lang, str]] = {
    "axis": {"en": "Mean annual growth, log points x 100", "zh": "年均增长（对数差×100）"},
    "output": {"en": "Output", "zh": "产出"},
    "lines": {"en": "Bars: contributions, which add up to the growth of output (mark).",
              "zh": "条形：各项贡献，合计为产出增长（标记）。"},
}  # fmt: skip


def accounting_plot(
    result: "Accounting",
    *,
    labels: Labels | None = None,
    title: Words | None = None,
    notes: Sequence[Words] = (),
    lang: Lang = "en",
    ax: Axes | None = None,
) -> Plot:
    """Stacked contributions to mean annual growth: of groups where asked for by group, otherwise of every unit.

    Parameters
    ----------
    result : from ``econ.growth.growth_accounting``.
    labels : group or unit -> text.
    title, notes : a string, or ``{"en": ..., "zh": ...}``.
    ax : axes to draw on; by default a new figure.

    Returns
    -------
    Plot with ``data``: ``name, output`` and the parts, per year in log points x 100, the fastest first.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").where(lambda d: d["year"].between(2000, 2016) & (d["province"] != "Tibet"))
    >>> panel = panel.carry(["gdp"], "gdp_index", base=2000).deflate(["gfcf"], "investment_price_index", base=2000)
    >>> panel = panel.capital_stock("real_gfcf", depreciation=0.096)
    >>> found = econ.growth.growth_accounting(
    ...     panel, "real_gdp", "capital_real_gfcf", "employment", capital_share=0.5
    ... )
    >>> list(econ.report.accounting_plot(found).data)
    ['name', 'output', 'capital', 'labour', 'tfp']
    """
    check_word(lang, Lang, "lang")
    words = Vocabulary(lang, labels or {}, result.spec["labels"])
    key = "group" if result.spec["by"] else result.spec["unit"]
    table = result.groups if result.spec["by"] else result.averages
    parts = [name for name in PARTS if name in table]
    data = table[[key, "output", *parts]].rename(columns={key: "name"})
    data[["output", *parts]] *= 100
    data = data.sort_values("output", ascending=False, ignore_index=True)
    with house():
        canvas = open_canvas(ax, 5.6, 1.0 + 0.26 * len(data))
        axes = canvas.axes[0]
        zero_line(axes, horizontal=False)
        styles = looks(len(parts) + 1)
        for look, part in zip(styles[1:], parts, strict=True):
            axes.barh(
                data.index,
                data[part],
                left=_start(data[parts], part),
                height=0.62,
                color=look.color,
                hatch=HATCHES[part],
                edgecolor="white",
                linewidth=0.0,
            )
        axes.plot(data["output"], data.index, "D", color="black", markersize=4, linestyle="none")
        axes.set_yticks(list(data.index), [value_label(words, name) for name in data["name"]])
        axes.set_ylim(len(data) - 0.4, -0.6)
        axes.set_xlabel(PHRASES["axis"][lang])
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
        number_axis(axes.xaxis)
        legend: list[Artist] = [
            Patch(facecolor=look.color, hatch=HATCHES[part], edgecolor="white", linewidth=0, label=PARTS[part][lang])
            for look, part in zip(styles[1:], parts, strict=True)
        ]
        mark = handle(styles[0], PHRASES["output"][lang], line=False)
        mark.set(marker="D", color="black", markerfacecolor="black")
        legend.append(mark)
        return finish(canvas, data, title, [PHRASES["lines"][lang], *result.notes, *notes], lang, legend)


def _start(parts: "pd.DataFrame", part: str) -> "pd.Series[float]":
    """Where a bar starts: after those of the same sign before it."""
    before = parts.loc[:, :part].drop(columns=part)
    same = (before > 0).eq(parts[part] > 0, axis=0)
    return before.where(same, 0.0).sum(axis=1)
