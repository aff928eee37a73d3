"""Survival curves: steps with their intervals, one panel per group, the whole in grey behind."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from econ.data.frames import require_columns
from econ.errors import DataError, OptionError
from econ.linear.fit import FloatArray
from econ.options import Lang, check_word
from econ.report.figures.plot import Plot, finish
from econ.report.figures.style import GREY, Look, house, looks, number_axis, open_canvas, period_axis
from econ.report.figures.words import in_order, joined, value_label
from econ.report.labels import Labels, Vocabulary, Words, text

if TYPE_CHECKING:
    from econ.disparity.survival import Survival

ALL = "all"
LAST = 0.5  # periods
COLUMNS = ("group", "time", "at_risk", "survival", "ci_low", "ci_high")
PHRASES: Mapping[str, Mapping[Lang, str]] = {
    "survival": {"en": "Share without the event", "zh": "未发生事件的比例"},
    "decline": {"en": "Share not yet declined", "zh": "尚未下降的比例"},
    "recovery": {"en": "Share not yet back at the old level", "zh": "尚未恢复至原水平的比例"},
    "time": {"en": "Periods since the start", "zh": "距起始的期数"},
    "since": {"en": "Periods since {}", "zh": "自{}起的期数"},
    "panel": {"en": "{} (n = {})", "zh": "{}（{}个）"},
    "steps": {"en": "Steps: Kaplan–Meier estimates.", "zh": "阶梯线：Kaplan–Meier估计。"},
    "bands": {"en": "Shading: pointwise confidence intervals (Greenwood, log-log).",
              "zh": "阴影：逐点置信区间（Greenwood方差，双对数变换）。"},
    "bands_level": {"en": "Shading: pointwise {}% confidence intervals (Greenwood, log-log).",
                    "zh": "阴影：逐点{}%置信区间（Greenwood方差，双对数变换）。"},
    "whole": {"en": "Grey: all together.", "zh": "灰线：全部单元。"},
}  # fmt: skip


def survival_plot(
    result: "Survival | pd.DataFrame",
    *,
    labels: Labels | None = None,
    title: Words | None = None,
    notes: Sequence[Words] = (),
    lang: Lang = "en",
    ax: Axes | None = None,
) -> Plot:
    """Share of units without the event over time, one panel per group.

    Parameters
    ----------
    result : of ``econ.disparity.survival``, or its frame ``curves``.
    labels : group, ``"survival"`` (the vertical axis) or ``"time"`` (the horizontal one) -> text.
    title, notes : a string, or ``{"en": ..., "zh": ...}``.
    ax : axes to draw on, where there is one group; by default a new figure.

    Returns
    -------
    Plot with ``data``: ``group, time, at_risk, survival, ci_low, ci_high``.

    Examples
    --------
    >>> import econ
    >>> zones = econ.load("zones_simulated")
    >>> found = econ.disparity.survival(zones, "employment", "recovery", before=2014, trough=2015)
    >>> econ.report.survival_plot(found).data["survival"].round(3).tolist()
    [1.0, 0.685, 0.497, 0.345, 0.315]
    """
    check_word(lang, Lang, "lang")
    given, carried, said = (result, (), {}) if isinstance(result, pd.DataFrame) else _read(result, lang)
    require_columns(given, list(COLUMNS), "The curves")
    frame = given[list(COLUMNS)].reset_index(drop=True)
    if frame.empty:
        raise DataError("The curves have no rows; there is nothing to draw.")
    groups = [group for group in in_order(frame["group"]) if group != ALL] or [ALL]
    if ax is not None and len(groups) > 1:
        raise OptionError(f"There are {len(groups)} groups, each with a panel of its own; with ax= give one of them.")
    words = Vocabulary(lang, labels or {})
    whole = ALL in set(frame["group"]) and groups != [ALL]
    sentences = [PHRASES["steps"][lang], said.get("bands", PHRASES["bands"][lang])]
    sentences += [PHRASES["whole"][lang]] if whole else []
    with house():
        canvas = open_canvas(ax, max(3.6, 1.2 + 1.5 * len(groups)), 2.9, panels=len(groups))
        for axes, group, look in zip(canvas.axes, groups, looks(len(groups)), strict=True):
            part = frame[frame["group"] == group]
            _draw(axes, part, look, frame[frame["group"] == ALL] if whole else None)
            name, n = value_label(words, group), int(part["at_risk"].iloc[0])
            axes.set_title(PHRASES["panel"][lang].format(name, n))
            axes.set(xlim=(0, float(frame["time"].max()) + LAST), ylim=(0, 1.02))
            axes.tick_params(labelleft=axes is canvas.axes[0])
        _name_axes(canvas.axes, words, said)
        return finish(canvas, frame, title, [joined(sentences, lang), *carried, *notes], lang)


def _read(result: "Survival", lang: Lang) -> tuple[pd.DataFrame, Sequence[Words], dict[str, str]]:
    spec = result.spec
    start = spec["before"] if spec["trough"] is None else spec["trough"]
    said = {
        "survival": PHRASES[spec["event"]][lang],
        "time": PHRASES["since"][lang].format(start),
        "bands": PHRASES["bands_level"][lang].format(f"{100 * spec['level']:g}"),
    }
    return result.curves, result.notes, said


def _draw(ax: Axes, curve: pd.DataFrame, look: Look, whole: pd.DataFrame | None) -> None:
    at, low, high = (_steps(curve.dropna(subset=["ci_low", "ci_high"]), name) for name in ("time", "ci_low", "ci_high"))
    ax.fill_between(at, low, high, step="post", color=look.color, alpha=0.18, linewidth=0)
    if whole is not None:
        ax.step(_steps(whole, "time"), _steps(whole, "survival"), where="post", color=GREY, linewidth=0.8)
    ax.step(_steps(curve, "time"), _steps(curve, "survival"), where="post", color=look.color, linewidth=1.6)
    period_axis(ax, sorted(curve["time"]), bins=6)
    number_axis(ax.yaxis)


def _steps(curve: pd.DataFrame, name: str) -> FloatArray:
    """Corners of the steps; the last one is drawn half a period long."""
    values = curve[name].to_numpy(dtype=np.float64)
    return np.append(values, values[-1] + (LAST if name == "time" else 0.0))


def _name_axes(axes: Sequence[Axes], words: Vocabulary, said: Mapping[str, str]) -> None:
    names = {}
    for key in ("survival", "time"):
        own = words.given.get(key)
        names[key] = said.get(key, PHRASES[key][words.lang]) if own is None else text(own, words.lang)
    axes[0].set_ylabel(names["survival"])
    for ax in axes:
        ax.set_xlabel(names["time"])
