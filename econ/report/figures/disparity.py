"""Where inequality sits over the years, and how the centre of gravity moves."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from econ.data.frames import require_columns
from econ.errors import DataError
from econ.linear.fit import FloatArray
from econ.options import Lang, check_word
from econ.report.figures.fonts import shipped_font, text_width
from econ.report.figures.plot import Plot, finish
from econ.report.figures.style import (
    GREY,
    INK,
    OKABE_ITO,
    Canvas,
    Look,
    handle,
    house,
    looks,
    number_axis,
    open_canvas,
    period_axis,
    period_positions,
)
from econ.report.labels import Labels, Vocabulary, Words

if TYPE_CHECKING:
    from econ.disparity.dagum import Dagum
    from econ.disparity.gravity import Gravity
    from econ.disparity.theil import Theil

WORDS: Mapping[str, Mapping[Lang, str]] = {
    "within": {"en": "Within groups", "zh": "组内差距"},
    "between": {"en": "Between groups", "zh": "组间差距"},
    "net_between": {"en": "Between groups (net)", "zh": "组间净差距"},
    "transvariation": {"en": "Transvariation", "zh": "超变密度"},
    "level": {"en": "Between: {}", "zh": "组间：{}"},
    "level_within": {"en": "Between: {} (within {})", "zh": "组间：{}（{}内）"},
    "theil": {"en": "Theil index", "zh": "泰尔指数"},
    "T": {"en": "Theil index T", "zh": "泰尔指数T"},
    "L": {"en": "Theil index L (mean log deviation)", "zh": "泰尔指数L（平均对数离差）"},
    "gini": {"en": "Gini coefficient", "zh": "基尼系数"},
    "lon": {"en": "Longitude (°)", "zh": "经度（°）"},
    "lat": {"en": "Latitude (°)", "zh": "纬度（°）"},
    "regions": {"en": "Regions", "zh": "地区"},
    "path": {"en": "Path of the centre of gravity", "zh": "重心轨迹"},
    "ellipse": {"en": "Ellipse, {}", "zh": "标准差椭圆，{}"},
}
HATCHES = ("", "////", "....", "\\\\\\\\", "xxxx")
FILLS = tuple(OKABE_ITO[k] for k in (0, 4, 5, 3, 7))  # light under the hatches
NAMED = 9  # periods named along the path, at most
NAME = 6.8  # points
DOT = 5.0  # points that a label keeps off a centre
KM_PER_DEGREE = 111.195


def theil_plot(
    result: "Theil | pd.DataFrame",
    *,
    labels: Labels | None = None,
    title: Words | None = None,
    notes: Sequence[Words] = (),
    lang: Lang = "en",
    ax: Axes | None = None,
) -> Plot:
    """A Theil index by period, its parts within and between groups stacked.

    Parameters
    ----------
    result : result of ``econ.disparity.theil``; or its frame ``totals``: ``period, within, between``. A result with
        nested groups has one part for each level.
    labels : grouping column or ``"period"`` -> text.
    title, notes : a string, or ``{"en": ..., "zh": ...}``.
    ax : axes to draw on; by default a new figure.

    Returns
    -------
    Plot with ``data``: ``period`` and one column for each part.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").join(econ.regions()[["province", "plate"]])
    >>> result = econ.disparity.theil(panel, "gdp_per_capita", groups="plate", weights="population")
    >>> econ.report.theil_plot(result).data.columns.tolist()
    ['period', 'within', 'between']
    """
    check_word(lang, Lang, "lang")
    if isinstance(result, pd.DataFrame):
        words, index = Vocabulary(lang, labels or {}), "theil"
        frame, parts = result, {name: WORDS[name][lang] for name in ("within", "between")}
        carried: Sequence[Words] = ()
    else:
        words, index = Vocabulary(lang, labels or {}, result.spec["labels"]), result.spec["index"]
        frame, parts = _levels(result, words)
        carried = result.notes
    return _stacked(frame, parts, WORDS[index][lang], words, title, [*carried, *notes], ax)


def dagum_plot(
    result: "Dagum | pd.DataFrame",
    *,
    labels: Labels | None = None,
    title: Words | None = None,
    notes: Sequence[Words] = (),
    lang: Lang = "en",
    ax: Axes | None = None,
) -> Plot:
    """The Gini coefficient by period, Dagum's three parts stacked.

    Parameters
    ----------
    result : result of ``econ.disparity.dagum``; or its frame ``totals``: ``period, within, between, transvariation``.
    labels : ``"period"`` -> text.
    title, notes : a string, or ``{"en": ..., "zh": ...}``.
    ax : axes to draw on; by default a new figure.

    Returns
    -------
    Plot with ``data``: ``period, within, between, transvariation``.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").join(econ.regions()[["province", "plate"]])
    >>> econ.report.dagum_plot(econ.disparity.dagum(panel, "gdp_per_capita", groups="plate")).data.columns.tolist()
    ['period', 'within', 'between', 'transvariation']
    """
    check_word(lang, Lang, "lang")
    frame, carried = (result, ()) if isinstance(result, pd.DataFrame) else (result.totals, result.notes)
    phrases = {"within": "within", "between": "net_between", "transvariation": "transvariation"}
    parts = {name: WORDS[phrase][lang] for name, phrase in phrases.items()}
    words = Vocabulary(lang, labels or {})
    return _stacked(frame, parts, WORDS["gini"][lang], words, title, [*carried, *notes], ax)


def gravity_plot(
    result: "Gravity | pd.DataFrame",
    *,
    title: Words | None = None,
    notes: Sequence[Words] = (),
    lang: Lang = "en",
    ax: Axes | None = None,
) -> Plot:
    """The path of the centre of gravity, and beside it the first and last ellipse among the regions.

    Parameters
    ----------
    result : result of ``econ.disparity.centre_of_gravity``; or its frame ``path``: ``period, lon, lat, major_km,
        minor_km, angle``.
    title, notes : a string, or ``{"en": ..., "zh": ...}``.
    ax : axes to draw on, for the path alone; by default a new figure with both.

    Returns
    -------
    Plot with ``data``: ``period, lon, lat, major_km, minor_km, angle``.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").join(econ.regions()[["province", "lon", "lat"]])
    >>> econ.report.gravity_plot(econ.disparity.centre_of_gravity(panel, "invention_grants", "lon", "lat")).data.shape
    (24, 6)
    """
    check_word(lang, Lang, "lang")
    path, points, carried = (
        (result, None, ()) if isinstance(result, pd.DataFrame) else (result.path, result.points, result.notes)
    )
    columns = ["period", "lon", "lat", "major_km", "minor_km", "angle"]
    require_columns(path, columns, "The path")
    frame = _filled(path[columns].sort_values("period", ignore_index=True))
    with house():
        canvas = open_canvas(ax, 6.4, 3.3, panels=2)
        key = _draw_ellipses(canvas.axes[0], frame, points, lang) if canvas.owned else []
        _draw_path(canvas.axes[-1], frame)
        for axes in canvas.axes:
            axes.set(xlabel=WORDS["lon"][lang], ylabel=WORDS["lat"][lang])
        plot = finish(canvas, frame, title, [*carried, *notes], lang, key)
        _name_periods(canvas, frame)
        return plot


# ---- stacked parts


def _levels(result: "Theil", words: Vocabulary) -> tuple[pd.DataFrame, dict[str, str]]:
    """One column for the part within the finest groups and for each level, and their names."""
    names, lang = result.spec["groups"], words.lang
    if len(names) == 1:
        return result.totals, {name: WORDS[name][lang] for name in ("within", "between")}
    wide = result.levels.pivot(index="period", columns="level", values="between").reset_index()
    frame = result.totals[["period", "within"]].merge(wide, on="period")
    parts = {"within": WORDS["within"][lang], names[0]: WORDS["level"][lang].format(words.column(names[0]))}
    for coarse, fine in pairwise(names):
        parts[fine] = WORDS["level_within"][lang].format(words.column(fine), words.column(coarse))
    return frame, parts


def _stacked(
    frame: pd.DataFrame,
    parts: Mapping[str, str],
    axis: str,
    words: Vocabulary,
    title: Words | None,
    notes: Sequence[Words],
    ax: Axes | None,
) -> Plot:
    require_columns(frame, ["period", *parts], "The frame")
    data = _filled(frame[["period", *parts]].sort_values("period", ignore_index=True))
    with house():
        canvas = open_canvas(ax, 6.0, 3.0)
        key = _draw_bars(canvas.axes[0], data, parts)
        canvas.axes[0].set(xlabel=words.column("period" if "period" in words.given else "year"), ylabel=axis)
        return finish(canvas, data, title, notes, words.lang, key)


def _filled(frame: pd.DataFrame) -> pd.DataFrame:
    if frame.empty or frame.isna().any(axis=None):
        raise DataError("The frame to draw is empty or has missing values; give the frame of the result as it is.")
    return frame


def _draw_bars(ax: Axes, data: pd.DataFrame, parts: Mapping[str, str]) -> list[Patch]:
    """Bars from the bottom up, in the order of the parts."""
    at, periods = period_positions(data["period"])
    width = 0.78 * float(min(np.diff(np.sort(at)), default=1))
    bottom = np.zeros(len(data))
    key = []
    for name, fill, hatch in zip(parts, FILLS, HATCHES, strict=False):
        look: dict[str, Any] = {"facecolor": fill, "hatch": hatch, "edgecolor": "white", "linewidth": 0.4}
        ax.bar(at, data[name], width, bottom, **look)
        key.append(Patch(label=parts[name], **look))
        bottom += data[name].to_numpy()
    period_axis(ax, periods)
    number_axis(ax.yaxis)
    ax.margins(x=0.02)
    return key


# ---- centre of gravity


def _draw_path(ax: Axes, frame: pd.DataFrame) -> None:
    """Centres joined in order, the first hollow, the last a square."""
    lon, lat = frame["lon"].to_numpy(), frame["lat"].to_numpy()
    ax.plot(lon, lat, "-", color=GREY, linewidth=0.8, zorder=1)
    ax.plot(lon[1:-1], lat[1:-1], "o", color=OKABE_ITO[0], markersize=2.6)
    first, last = looks(2)
    ax.plot(lon[0], lat[0], first.marker, color=first.color, markerfacecolor="white", markersize=5)
    ax.plot(lon[-1], lat[-1], last.marker, color=last.color, markersize=5)
    ax.margins(0.14)
    _degrees(ax, float(lat.mean()))


def _name_periods(canvas: Canvas, frame: pd.DataFrame) -> None:
    """Periods beside their centres where neither dots nor other names are; the rest have no room and go without.

    The ends of the path come first, then periods evenly spaced between them.
    """
    ax, figure = canvas.axes[-1], canvas.figure
    figure.draw_without_rendering()  # which settles the limits
    per_point = figure.dpi / 72
    dots = ax.transData.transform(frame[["lon", "lat"]].to_numpy()) / per_point
    sizes = {k: np.array([72 * text_width(figure, str(frame["period"][k]), NAME), NAME]) for k in _wanted(len(frame))}
    taken = [(dot, np.full(2, DOT)) for dot in dots]
    for k, size in sizes.items():
        shift = _free_place(dots[k], size, taken)
        if shift is None:
            continue
        taken.append((dots[k] + shift, size + 1.0))
        ax.annotate(
            str(frame["period"][k]), (frame["lon"][k], frame["lat"][k]), (shift[0], shift[1]),
            textcoords="offset points", ha="center", va="center", fontproperties=shipped_font(NAME),
        )  # fmt: skip


def _wanted(n: int) -> list[int]:
    """The last and the first, then evenly spaced ones between them."""
    between = {round(k) for k in np.linspace(0, n - 1, min(n, NAMED))} - {0, n - 1}
    return list(dict.fromkeys([n - 1, 0, *sorted(between)]))


def _free_place(dot: FloatArray, size: FloatArray, taken: Sequence[tuple[FloatArray, FloatArray]]) -> FloatArray | None:
    """Shift (points) to the nearest place around a dot where a box of this size covers nothing."""
    for reach in (4.5, 8.0, 12.0):
        for angle in np.radians(np.arange(0, 360, 30)):
            shift: FloatArray = np.array([np.cos(angle), np.sin(angle)]) * (reach + size / 2)
            if not any((np.abs(dot + shift - centre) < (size + room) / 2).all() for centre, room in taken):
                return shift
    return None


def _draw_ellipses(ax: Axes, frame: pd.DataFrame, points: pd.DataFrame | None, lang: Lang) -> list[Any]:
    key = []
    if points is not None:
        ax.plot(points["lon"], points["lat"], "o", color=GREY, markersize=2.2, alpha=0.7, zorder=0.5)
        key.append(handle(_dot(GREY), WORDS["regions"][lang], line=False))
    ends = frame.iloc[[0, -1]] if len(frame) > 1 else frame
    ax.plot(frame["lon"], frame["lat"], "-", color=INK, linewidth=0.7)
    for period, look in zip(ends["period"], looks(2), strict=False):
        row = ends[ends["period"] == period].iloc[0]
        ax.plot(*_outline(row).T, color=look.color, linestyle=look.dashes)
        ax.plot(row["lon"], row["lat"], look.marker, color=look.color, markersize=3.4)
        key.append(handle(look, WORDS["ellipse"][lang].format(period)))
    key.append(handle(_line(INK), WORDS["path"][lang]))
    _degrees(ax, float(frame["lat"].mean()))
    return key


def _dot(color: str) -> Look:
    return Look(color, "o", "")


def _line(color: str) -> Look:
    return Look(color, "", "-")


def _outline(row: "pd.Series[Any]") -> FloatArray:
    """(P, 2) longitudes and latitudes of the ellipse."""
    turn, around = np.radians(float(row["angle"])), np.linspace(0, 2 * np.pi, 145)
    along, across = float(row["major_km"]) * np.cos(around), float(row["minor_km"]) * np.sin(around)
    east = along * np.sin(turn) + across * np.cos(turn)
    north = along * np.cos(turn) - across * np.sin(turn)
    lat = float(row["lat"])
    scale = KM_PER_DEGREE * np.array([np.cos(np.radians(lat)), 1.0])
    return np.asarray([float(row["lon"]), lat] + np.column_stack([east, north]) / scale)


def _degrees(ax: Axes, lat: float) -> None:
    """A km is as long in both directions."""
    ax.set_aspect(1 / float(np.cos(np.radians(lat))), adjustable="datalim")
    for axis in (ax.xaxis, ax.yaxis):
        number_axis(axis)
