"""Half-lives of beta convergence with both of their intervals."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from econ.data.frames import require_columns
from econ.errors import DataError
from econ.estimate import Estimate
from econ.linear.fit import FloatArray
from econ.options import Lang, check_level, check_word
from econ.report.figures.coefficients import estimate_notes, known_labels
from econ.report.figures.fonts import wrap
from econ.report.figures.plot import Plot, finish
from econ.report.figures.results import Results, named_estimates
from econ.report.figures.style import SMALL, Canvas, Look, handle, house, looks, open_canvas
from econ.report.figures.words import axis_label, joined
from econ.report.labels import Labels, Vocabulary, Words

ROW = 0.36  # inches per half-life
LABEL_ROOM = 2.2  # inches
APART = 0.13  # of a row
COLUMNS = ("model", "term", "estimate", "delta_low", "delta_high", "fieller_low", "fieller_high")
LOOKS = dict(zip(("fieller", "delta"), looks(2), strict=True))
NAMES = {"half_life": {"label": "Half-life", "label_zh": "半衰期"}}
PHRASES: Mapping[str, Mapping[Lang, str]] = {
    "fieller": {"en": "Fieller's interval", "zh": "Fieller区间"},
    "delta": {"en": "Delta method", "zh": "delta法区间"},
    "bars": {"en": "Bars: {:g}% confidence intervals.", "zh": "线段：{:g}%置信区间。"},
    "arrows": {"en": "Arrows: without end (no convergence is not rejected), or down to zero and below.",
               "zh": "箭头：区间无上界（不能拒绝不收敛），或延伸至零及以下。"},
    "none": {"en": "No dot: the speed is not positive.", "zh": "无点：收敛速度不为正。"},
}  # fmt: skip


def half_life_plot(
    estimates: Results,
    *,
    labels: Labels | None = None,
    level: float = 0.95,
    title: Words | None = None,
    notes: Sequence[Words] = (),
    lang: Lang = "en",
    ax: Axes | None = None,
) -> Plot:
    """Half-lives with their intervals by Fieller and by the delta method, which is symmetric and may reach below zero.

    Parameters
    ----------
    estimates : a result of ``econ.convergence.beta``, a list of them, or a mapping of names to them; or the frame of
        ``econ.convergence.half_life_interval`` (with a column ``model`` where several are stacked).
    labels : term (``half_life``, which also names the axis) -> text.
    level : of the intervals; that of a frame is its own.
    title, notes : a string, or ``{"en": ..., "zh": ...}``.
    ax : axes to draw on; by default a new figure.

    Returns
    -------
    Plot with ``data``: ``model, term, estimate, delta_low, delta_high, fieller_low, fieller_high``.

    Examples
    --------
    >>> import econ
    >>> estimate = econ.convergence.beta(econ.load("provinces"), "gdp_per_capita", 2000, 2019)
    >>> econ.report.half_life_plot(estimate).data[["fieller_low", "fieller_high"]].round(1).to_numpy().tolist()
    [[18.6, 46.8]]
    """
    check_word(lang, Lang, "lang")
    check_level(level)
    models = {} if isinstance(estimates, pd.DataFrame) else named_estimates(estimates, lang)
    frame = _intervals(estimates, models, level)
    words = Vocabulary(lang, labels or {}, NAMES | known_labels(models))
    with house():
        canvas = open_canvas(ax, 5.4, 0.75 + ROW * len(frame))
        arrows = _draw(canvas, frame, words)
        sentences = [PHRASES["bars"][lang].format(100 * level)] if models else []
        sentences += [PHRASES["arrows"][lang]] if arrows else []
        sentences += [PHRASES["none"][lang]] if frame["estimate"].isna().any() else []
        key = [handle(look, PHRASES[name][lang], line=False) for name, look in LOOKS.items()]
        said = [joined(sentences, lang)] if sentences else []
        return finish(canvas, frame, title, [*said, *estimate_notes(models), *notes], lang, key)


def _intervals(given: Results, models: Mapping[str, Estimate], level: float) -> pd.DataFrame:
    """``model, term`` and the intervals; a frame as it is."""
    from econ.convergence.beta import half_life_interval

    if isinstance(given, pd.DataFrame):
        frame = given if "model" in given else given.assign(model="")
    else:
        frame = pd.concat([half_life_interval(estimate, level).assign(model=name) for name, estimate in models.items()])
    require_columns(frame, [*COLUMNS], "The intervals")
    ends = frame[[*COLUMNS[2:]]].to_numpy(dtype=np.float64)
    if not (np.isfinite(ends) & (ends > 0)).any():
        raise DataError("No half-life and no end of an interval is positive and finite; there is nothing to draw.")
    return frame[[*COLUMNS]].reset_index(drop=True)


def _draw(canvas: Canvas, frame: pd.DataFrame, words: Vocabulary) -> bool:
    """Both intervals of every row; whether any of them runs out of the axes."""
    ax = canvas.axes[0]
    ends = frame[[*COLUMNS[2:]]].to_numpy(dtype=np.float64)
    inside = ends[np.isfinite(ends) & (ends > 0)]
    low, high = float(inside.min()) / 1.4, float(inside.max()) * 1.4
    ax.set(xscale="log", xlim=(low, high), ylim=(len(frame) - 0.5, -0.5))
    arrows = False
    for name, shift in (("fieller", -APART), ("delta", APART)):
        for row, interval in enumerate(frame[["estimate", f"{name}_low", f"{name}_high"]].to_numpy(dtype=np.float64)):
            arrows |= _interval(ax, interval, row + shift, LOOKS[name])
    ax.set_yticks(range(len(frame)), [_name(canvas, row, words) for _, row in frame.iterrows()])
    ax.tick_params(axis="y", length=0, pad=7)
    ax.spines["left"].set_visible(False)
    ticks = [k * 10.0**d for d in range(-3, 7) for k in (1, 2, 5) if low <= k * 10.0**d <= high]
    ax.xaxis.set_major_locator(FixedLocator(ticks[:: 1 + len(ticks) // 8]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.6g}"))
    ax.set_xlabel(axis_label(words, "half_life"))
    return arrows


def _interval(ax: Axes, interval: FloatArray, at: float, look: Look) -> bool:
    """A bar with its dot, and arrows where it runs out of the axes."""
    estimate, low, high = interval
    left, right = ax.get_xlim()
    if np.isnan(low) or low == np.inf:
        return False
    ax.hlines(at, max(low, left), min(high, right), color=look.color, linestyle=look.dashes, linewidth=1.2)
    ax.plot(estimate, at, look.marker, color=look.color)
    out = {"<": low < left, ">": high > right}
    for sign, edge in (("<", left), (">", right)):
        if out[sign]:
            ax.plot(edge, at, sign, color=look.color, markersize=4.5, clip_on=False)
    return any(out.values())


def _name(canvas: Canvas, row: "pd.Series[Any]", words: Vocabulary) -> str:
    """The model, the term, or both where they are needed to tell rows apart."""
    model, term = str(row["model"]), words.term(str(row["term"]))
    plain = row["term"] == "half_life"
    colon = ": " if words.lang == "en" else "："
    return wrap(canvas.figure, model if model and plain else colon.join(filter(None, [model, term])), SMALL, LABEL_ROOM)
