"""A treated cohort beside its synthetic control, with the time weights."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from econ.errors import OptionError
from econ.options import Lang, check_word
from econ.report.figures.plot import Plot, finish
from econ.report.figures.style import (
    FAINT,
    GREY,
    handle,
    house,
    looks,
    number_axis,
    open_canvas,
    period_axis,
    period_positions,
)
from econ.report.figures.words import axis_label, joined
from econ.report.labels import Labels, Vocabulary, Words
from econ.report.layout import check_list

if TYPE_CHECKING:
    from econ.did.synthetic_result import SyntheticResult

PHRASES: Mapping[str, Mapping[Lang, str]] = {
    "treated": {"en": "First treated in {} (n = {:.0f})", "zh": "{}首次处理（{:.0f}个）"},
    "counterfactual": {"en": "Synthetic control", "zh": "合成对照"},
    "controls": {"en": "Control units", "zh": "对照单元"},
    "weights": {"en": "Time weights (largest {:.2f})", "zh": "时间权重（最大{:.2f}）"},
    "shifted": {"en": "{}: shifted to the treated by the gap before treatment, under the time weights.",
                "zh": "{}：按处理前差距（以时间权重加权）平移至处理组水平。"},
    "effect": {"en": "The distance of the lines after treatment is the effect.", "zh": "处理后两线之差即为效应。"},
    "one_of": {"en": "One of {} cohorts: {}.", "zh": "共{}个队列（{}），此为其一。"},
}  # fmt: skip
FOOT = 0.18  # of the height of the axes, for the largest time weight


def synthetic_plot(
    result: "SyntheticResult",
    *,
    cohort: Any = None,
    labels: Labels | None = None,
    title: Words | None = None,
    notes: Sequence[Words] = (),
    lang: Lang = "en",
    ax: Axes | None = None,
) -> Plot:
    """Mean outcome of a treated cohort and of its synthetic control over time; bars at the foot are time weights.

    Parameters
    ----------
    result : from ``econ.did.synthetic``.
    cohort : first treated period of the cohort shown; by default the one with the most treated observations.
    labels : column -> text.
    title, notes : a string, or ``{"en": ..., "zh": ...}``.
    ax : axes to draw on; by default a new figure.

    Returns
    -------
    Plot with ``data``: ``cohort, period, treated, counterfactual, time_weight``.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("zones_simulated")
    >>> result = econ.did.synthetic(panel, "log(patents)", cohort="demonstration_year", inference="jackknife")
    >>> econ.report.synthetic_plot(result, cohort=2016).data["time_weight"].sum().round(6)
    np.float64(1.0)
    """
    check_word(lang, Lang, "lang")
    check_list(notes, "notes")
    cohorts = list(dict.fromkeys(result.paths["cohort"]))
    shown = _chosen(result, cohorts, cohort)
    words = Vocabulary(lang, labels or {}, result.labels)
    paths = result.paths[result.paths["cohort"] == shown]
    weights = result.time_weights.rename(columns={"weight": "time_weight"})
    data = paths.merge(weights, on=["cohort", "period"], how="left")
    name = PHRASES["controls" if result.spec["kind"] == "did" else "counterfactual"][lang]
    said = [PHRASES["shifted"][lang].format(name)] if result.spec["kind"] != "sc" else []
    said += [PHRASES["effect"][lang]]
    if len(cohorts) > 1:
        said += [PHRASES["one_of"][lang].format(len(cohorts), ", ".join(map(str, cohorts)))]
    with house():
        canvas = open_canvas(ax, 6.0, 3.4)
        size = result.effects.cohort_size[result.effects.cohort.index(shown)]
        names = PHRASES["treated"][lang].format(shown, size), name
        key = _draw(canvas.axes[0], data, names, lang)
        time = str(result.spec["time"])
        canvas.axes[0].set(xlabel=words.column(time), ylabel=axis_label(words, result.outcome))
        return finish(canvas, data, title, [joined(said, lang), *result.notes, *notes], lang, key)


def _chosen(result: "SyntheticResult", cohorts: list[Any], cohort: Any) -> Any:
    if cohort is None:
        treated = result.cells[result.effects.post].groupby("cohort")["size"].sum()
        return max(cohorts, key=lambda one: treated[one])
    if cohort not in cohorts:
        raise OptionError(f"cohort={cohort!r} is not in this result; choose one of {', '.join(map(str, cohorts))}.")
    return cohort


def _draw(ax: Axes, data: pd.DataFrame, names: tuple[str, str], lang: Lang) -> list[Artist]:
    at, periods = period_positions(data["period"])
    every = max(1, len(periods) // 12)
    key = list[Artist]()
    for column, name, look in zip(("treated", "counterfactual"), names, looks(2), strict=True):
        face = look.color if column == "treated" else "white"
        ax.plot(
            at, data[column], look.marker,
            color=look.color, linestyle=look.dashes, markevery=every, markerfacecolor=face,
        )  # fmt: skip
        sign = handle(look, name)
        sign.set_markerfacecolor(face)
        key.append(sign)
    before = data["time_weight"].notna()
    if data["time_weight"].max() > 0:
        key.append(_weights(ax, at[before], data.loc[before, "time_weight"], lang))
    ax.axvline(float(at[~before].iloc[0]) - 0.5, color=GREY, linewidth=0.6, linestyle=(0, (4, 3)), zorder=0.5)
    period_axis(ax, periods)
    number_axis(ax.yaxis)
    ax.margins(x=0.02)
    return key


def _weights(ax: Axes, at: "pd.Series[Any]", weight: "pd.Series[float]", lang: Lang) -> Patch:
    """Bars at the foot of the axes, below the lines."""
    low, high = ax.get_ylim()
    ax.set_ylim(low - FOOT * (high - low) / (1 - FOOT), high)
    look: dict[str, Any] = {"facecolor": FAINT, "edgecolor": GREY, "linewidth": 0.5}
    foot = ax.get_xaxis_transform()
    ax.bar(at, FOOT * weight / weight.max(), width=0.8, transform=foot, zorder=0.4, **look)
    return Patch(**look, label=PHRASES["weights"][lang].format(weight.max()))
