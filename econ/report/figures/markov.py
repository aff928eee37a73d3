"""Distribution dynamics: transition matrices, densities over the years, the stochastic kernel."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from econ.data.frames import require_columns
from econ.errors import DataError, OptionError
from econ.linear.fit import FloatArray
from econ.options import Lang, check_word
from econ.report.figures.plot import Plot, finish
from econ.report.figures.style import GREY, INK, SMALL, Canvas, house, number_axis, open_canvas
from econ.report.figures.words import axis_label
from econ.report.labels import Labels, Vocabulary, Words

if TYPE_CHECKING:
    from econ.convergence.kernel import Kernel
    from econ.convergence.markov import Markov
    from econ.convergence.spatial_markov import SpatialMarkov

PHRASES: Mapping[str, Mapping[Lang, str]] = {
    "from": {"en": "Class of origin (n)", "zh": "期初组别（n）"},
    "to": {"en": "Class one step later", "zh": "下一期组别"},
    "ergodic": {"en": "Ergodic", "zh": "遍历分布"},
    "neighbours": {"en": "Neighbours in class {}", "zh": "邻域处于第{}组"},
    "all": {"en": "All moves", "zh": "全部转移"},
    "cells": {"en": "Share of moves from each class (rows add up to 1), standard errors in parentheses; class 1 is the "
                    "lowest; n: moves.",
              "zh": "各组转移概率（每行之和为1），括号内为标准误；第1组为最低组；n为转移次数。"},
    "cells_bare": {"en": "Share of moves from each class (rows add up to 1); class 1 is the lowest; n: moves.",
                   "zh": "各组转移概率（每行之和为1）；第1组为最低组；n为转移次数。"},
    "relative": {"en": "{}, mean of the period = 1", "zh": "{}（当期均值=1）"},
    "value": {"en": "Value", "zh": "取值"},
    "origin": {"en": "Value now", "zh": "当期取值"},
    "destination": {"en": "Value later", "zh": "后期取值"},
    "ridges_mean": {"en": "Gaussian kernel densities, all on one scale; dashes: mean of the period.",
                    "zh": "高斯核密度估计，各期纵向比例相同；虚线：当期均值。"},
    "ridges": {"en": "Gaussian kernel densities, all on one scale.", "zh": "高斯核密度估计，各期纵向比例相同。"},
    "now": {"en": "{}, now", "zh": "{}，当期"},
    "later": {"en": "{}, {} later", "zh": "{}，{}后"},
    "contour": {"en": "Density of the later value given the value now (area 1 along every vertical line); contours at "
                      "{}; dashes: no change; crosses: the most likely value.",
                "zh": "给定当期取值时后期取值的条件密度（沿每条竖线积分为1）；等高线：{}；虚线：不变；"
                      "叉号：最可能的取值。"},
    "pairs": {"en": "{} pairs of values.", "zh": "共{}对观测。"},
}  # fmt: skip
CELL = 0.56  # inches
MANY = 6  # classes from which standard errors find no room
RIDGES = 12
OVERLAP = 1.8  # height of the tallest ridge, in distances between two of them
YEARS = ("year", "年", "年份")
LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)  # of the highest density


def transition_plot(
    result: "Markov | SpatialMarkov | pd.DataFrame",
    *,
    labels: Labels | None = None,
    title: Words | None = None,
    notes: Sequence[Words] = (),
    lang: Lang = "en",
    ax: Axes | None = None,
) -> Plot:
    """Transition probabilities as a heat map; for a spatial chain one map per class of the neighbours' mean.

    Parameters
    ----------
    result : result of ``econ.convergence.markov`` or ``spatial_markov``, or their frame ``counts``.
    labels : class (``"1"``, ...) -> text.
    title, notes : a string, or ``{"en": ..., "zh": ...}``.
    ax : axes to draw on, for a chain that is not spatial; by default a new figure.

    Returns
    -------
    Plot with ``data``: ``lag_class`` (0 for all moves), ``from, to, n, probability, std_error``.

    Examples
    --------
    >>> import econ
    >>> from econ.convergence.markov import markov
    >>> from econ.report.figures.markov import transition_plot
    >>> transition_plot(markov(econ.load("provinces"), "gdp_per_capita", classes=4))
    Plot('', 16 rows: lag_class, from, to, n, probability, std_error)
    """
    check_word(lang, Lang, "lang")
    counts, carried = (result, ()) if isinstance(result, pd.DataFrame) else (result.counts, result.notes)
    matrices = _matrices(counts)
    if ax is not None and len(matrices) > 1:
        raise OptionError("A spatial chain has one heat map per class of the neighbours; leave out ax=.")
    words = Vocabulary(lang, labels or {})
    k = len(next(iter(matrices.values())))
    with house():
        canvas = _open_maps(ax, len(matrices), k)
        for axes, (group, matrix) in zip(canvas.axes, matrices.items(), strict=False):
            _draw_map(axes, matrix, words)
            if len(matrices) > 1:
                axes.set_title(_phrase("neighbours", lang, group) if group else _phrase("all", lang), fontsize=SMALL)
        legend = _phrase("cells" if k < MANY else "cells_bare", lang)
        return finish(canvas, _cells(matrices), title, [legend, *carried, *notes], lang)


def ridge_plot(
    result: "Kernel | pd.DataFrame",
    *,
    periods: Sequence[Any] | None = None,
    relative: bool = False,
    labels: Labels | None = None,
    title: Words | None = None,
    notes: Sequence[Words] = (),
    lang: Lang = "en",
    ax: Axes | None = None,
) -> Plot:
    """Densities over the years, one ridge above the other, the last at the bottom.

    Parameters
    ----------
    result : result of ``econ.convergence.kernel``, or its frame ``densities``: ``period, value, density``.
    periods : the periods to draw; by default up to twelve at equal distances, ending with the last.
    relative : whether a frame holds values relative to the mean of the period, which is then marked (a ``Kernel``
        knows).
    labels : variable -> text; ``"value"`` names the axis of a frame.
    title, notes : a string, or ``{"en": ..., "zh": ...}``.
    ax : axes to draw on; by default a new figure.

    Returns
    -------
    Plot with ``data``: ``period, value, density``.

    Examples
    --------
    >>> import econ
    >>> from econ.convergence.kernel import kernel
    >>> from econ.report.figures.markov import ridge_plot
    >>> plot = ridge_plot(kernel(econ.load("provinces"), "gdp_per_capita"), periods=[2000, 2019])
    >>> plot.data["period"].unique().tolist()
    [2000, 2019]
    """
    check_word(lang, Lang, "lang")
    given, spec, carried = _parts(result, "densities")
    require_columns(given, ["period", "value", "density"], "The frame")
    chosen = _chosen(given["period"], periods)
    frame = given[given["period"].isin(chosen)].reset_index(drop=True)
    words = Vocabulary(lang, labels or {}, spec.get("labels", {}))
    relative = bool(spec.get("relative", relative))
    with house():
        canvas = open_canvas(ax, 4.6, 1.0 + 0.3 * len(chosen))
        _draw_ridges(canvas.axes[0], frame, chosen, relative)
        canvas.axes[0].set_xlabel(_variable(words, spec) if spec else _given(words, "value"))
        what = _phrase("ridges_mean" if relative else "ridges", lang)
        return finish(canvas, frame, title, [what, *carried, *notes], lang)


def kernel_plot(
    result: "Kernel | pd.DataFrame",
    *,
    labels: Labels | None = None,
    title: Words | None = None,
    notes: Sequence[Words] = (),
    lang: Lang = "en",
    ax: Axes | None = None,
) -> Plot:
    """The stochastic kernel from above: contours of the density later, given the value now, with the diagonal.

    Parameters
    ----------
    result : result of ``econ.convergence.kernel``, or its frame ``conditional``: ``origin, destination, density``.
    labels : variable -> text; ``"origin"`` and ``"destination"`` name the axes of a frame.
    title, notes : a string, or ``{"en": ..., "zh": ...}``.
    ax : axes to draw on; by default a new figure.

    Returns
    -------
    Plot with ``data``: ``origin, destination, density``.

    Examples
    --------
    >>> import econ
    >>> from econ.convergence.kernel import kernel
    >>> from econ.report.figures.markov import kernel_plot
    >>> kernel_plot(kernel(econ.load("provinces"), "gdp_per_capita", horizon=5))
    Plot('', 6561 rows: origin, destination, density)
    """
    check_word(lang, Lang, "lang")
    frame, spec, carried = _parts(result, "conditional")
    require_columns(frame, ["origin", "destination", "density"], "The frame")
    words = Vocabulary(lang, labels or {}, spec.get("labels", {}))
    with house():
        canvas = open_canvas(ax, 4.6, 4.2)
        levels = _draw_kernel(canvas.axes[0], frame)
        now, later = _axis_names(words, spec)
        canvas.axes[0].set(xlabel=now, ylabel=later)
        listed = (", " if lang == "en" else "、").join(f"{level:g}" for level in levels)
        pairs = [_phrase("pairs", lang, f"{spec['n_pairs']:,}")] if spec else []
        return finish(canvas, frame, title, [_phrase("contour", lang, listed), *pairs, *carried, *notes], lang)


def _phrase(name: str, lang: Lang, *values: object) -> str:
    return PHRASES[name][lang].format(*values)


# ---- transition matrices


def _matrices(counts: pd.DataFrame) -> dict[int, FloatArray]:
    """Class of the neighbours (0 for all moves) -> k x k counts."""
    if "lag_class" not in counts:
        square = counts.to_numpy(dtype=np.float64)
        if square.shape[0] != square.shape[1]:
            raise DataError(f"Counts of moves are square, or have the columns lag_class and from; got {square.shape}.")
        return {0: square}
    cells = counts.drop(columns=["lag_class", "from"]).to_numpy(dtype=np.float64)
    split = cells.reshape(-1, cells.shape[1], cells.shape[1])
    return dict(enumerate(split, start=1)) | {0: split.sum(axis=0)}


def _probabilities(counts: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Shares of each row, and their standard errors; missing in empty rows."""
    totals = np.where(counts.sum(axis=1, keepdims=True) > 0, counts.sum(axis=1, keepdims=True), np.nan)
    p = counts / totals
    return p, np.sqrt(p * (1 - p) / totals)


def _cells(matrices: Mapping[int, FloatArray]) -> pd.DataFrame:
    parts = []
    for group, counts in matrices.items():
        k = len(counts)
        p, errors = _probabilities(counts)
        own, other = np.divmod(np.arange(k * k), k)
        cells = {"lag_class": group, "from": own + 1, "to": other + 1, "n": counts.ravel().astype(int)}
        parts.append(pd.DataFrame(cells | {"probability": p.ravel(), "std_error": errors.ravel()}))
    return pd.concat(parts, ignore_index=True)


def _open_maps(ax: Axes | None, maps: int, k: int) -> Canvas:
    """One map, or rows of three, the last of which may have empty places."""
    side = CELL * k
    if maps == 1:
        return open_canvas(ax, side + 1.0, side + 0.6)
    side, rows = min(side, 1.85), -(-maps // 3)
    figure = Figure(figsize=(3 * (side + 0.55), rows * (side + 0.55)), layout="constrained")
    axes = figure.subplots(rows, 3, squeeze=False).ravel()
    for spare in axes[maps:]:
        spare.set_axis_off()
    return Canvas(figure, tuple(axes[:maps]), owned=True)


def _draw_map(ax: Axes, counts: FloatArray, words: Vocabulary) -> None:
    k = len(counts)
    p, errors = _probabilities(counts)
    colors, norm = matplotlib.colormaps["Blues"], PowerNorm(0.6, 0.0, 1.15)
    for (i, j), share in np.ndenumerate(p):
        if np.isnan(share):
            ax.add_patch(Rectangle((j, i), 1, 1, facecolor="white", edgecolor=GREY, hatch="////", linewidth=0))
            continue
        ax.add_patch(Rectangle((j, i), 1, 1, facecolor=colors(norm(share)), edgecolor="white", linewidth=1))
        ink = "white" if share > 0.6 else INK  # where both have the same contrast
        both = k < MANY and 0 < share < 1
        ax.text(j + 0.5, i + (0.4 if both else 0.5), f"{share:.2f}", ha="center", va="center", size=SMALL, color=ink)
        if both:
            ax.text(j + 0.5, i + 0.7, f"({errors[i, j]:.2f})", ha="center", va="center", size=5.5, color=ink)
    names = [words.term(str(c)) if str(c) in words.given else str(c) for c in range(1, k + 1)]
    ax.set(xlim=(0, k), ylim=(k, 0), aspect="equal")
    ax.set_xticks(np.arange(k) + 0.5, names)
    ax.set_yticks(np.arange(k) + 0.5, [f"{name} ({n:,.0f})" for name, n in zip(names, counts.sum(axis=1), strict=True)])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set(xlabel=_phrase("to", words.lang), ylabel=_phrase("from", words.lang))


# ---- densities


def _parts(result: "Kernel | pd.DataFrame", name: str) -> tuple[pd.DataFrame, Mapping[str, Any], Sequence[Words]]:
    if isinstance(result, pd.DataFrame):
        return result, {}, ()
    return getattr(result, name), result.spec, result.notes


def _variable(words: Vocabulary, spec: Mapping[str, Any]) -> str:
    name = str(spec["outcome"])
    return _phrase("relative", words.lang, words.term(name)) if spec["relative"] else axis_label(words, name)


def _given(words: Vocabulary, name: str) -> str:
    """The caller's name of a frame's column, else ours."""
    return words.term(name) if name in words.given else _phrase(name, words.lang)


def _axis_names(words: Vocabulary, spec: Mapping[str, Any]) -> tuple[str, str]:
    """Of the value now and the value later."""
    if not spec:
        return _given(words, "origin"), _given(words, "destination")
    name, lang = _variable(words, spec), words.lang
    return _phrase("now", lang, name), _phrase("later", lang, name, _span(int(spec["horizon"]), spec["time"], lang))


def _chosen(found: "pd.Series[Any]", periods: Sequence[Any] | None) -> list[Any]:
    """The periods to draw, in their order."""
    have = list(dict.fromkeys(found))
    if periods is None:
        step = -(-len(have) // RIDGES)
        return have[::-1][::step][::-1]
    unknown = [str(period) for period in periods if period not in have]
    if unknown or not len(periods):
        raise OptionError(
            f"periods={list(periods)!r}: there are no densities for {', '.join(unknown) or 'nothing'}; choose among "
            f"{have[0]} to {have[-1]}."
        )
    return [period for period in have if period in list(periods)]


def _draw_ridges(ax: Axes, frame: pd.DataFrame, chosen: list[Any], relative: bool) -> None:
    scale = OVERLAP / float(frame["density"].max())
    shades = matplotlib.colormaps["viridis"](np.linspace(0.85, 0.1, len(chosen)))
    for place, (period, shade) in enumerate(zip(chosen, shades, strict=True)):
        part, base = frame[frame["period"] == period], -float(place)
        height = base + scale * part["density"].to_numpy()
        ax.fill_between(part["value"], base, height, color=shade, alpha=0.75, linewidth=0, zorder=place + 1)
        ax.plot(part["value"], height, color="white", linewidth=1.1, zorder=place + 1.5)
    if relative:
        ax.axvline(1, color=INK, linewidth=0.7, linestyle=(0, (4, 2)), zorder=len(chosen) + 2)
    ax.set_yticks([-float(place) for place in range(len(chosen))], [str(period) for period in chosen])
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    number_axis(ax.xaxis)
    ax.set_xlim(float(frame["value"].min()), float(frame["value"].max()))
    ax.set_ylim(-len(chosen) + 0.8, OVERLAP + 0.1)


# ---- stochastic kernel


def _draw_kernel(ax: Axes, frame: pd.DataFrame) -> list[float]:
    """Contours, the diagonal and the most likely values; the levels drawn."""
    table = frame.pivot(index="destination", columns="origin", values="density")
    x, y, z = table.columns.to_numpy(), table.index.to_numpy(), table.to_numpy()
    levels = [float(f"{share * z.max():.2g}") for share in LEVELS]
    ax.contourf(x, y, z, levels=[*levels, float(z.max()) * 1.01], cmap="Blues", vmin=-0.1 * z.max())
    ax.contour(x, y, z, levels=levels, colors=INK, linewidths=0.5)
    low, high = max(x.min(), y.min()), min(x.max(), y.max())
    ax.plot([low, high], [low, high], color=INK, linewidth=0.7, linestyle=(0, (4, 2)))
    some = slice(2, -2, 4)
    ax.plot(x[some], y[z.argmax(axis=0)][some], "x", color="#D55E00", markersize=3.2, markeredgewidth=0.8)
    shown = y[(z >= levels[0]).any(axis=1)]
    ax.set(xlim=(x.min(), x.max()), ylim=(min(shown.min(), low), max(shown.max(), high)))
    number_axis(ax.xaxis)
    number_axis(ax.yaxis)
    return levels


def _span(horizon: int, time: str, lang: Lang) -> str:
    """``5 years``, ``5年``; periods where the panel's time is no column of years."""
    if lang == "zh":
        return f"{horizon}年" if time in YEARS else f"{horizon}期"
    return f"{horizon} {'year' if time in YEARS else 'period'}{'s' * (horizon > 1)}"
