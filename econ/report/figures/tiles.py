"""Tile maps of China: every province-level unit an equal tile, roughly where it lies; one map, or one per year."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, LogNorm, Normalize
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from econ.data.frames import require_columns
from econ.data.region_names import Region
from econ.data.regions import BY_CODE, recognise
from econ.errors import DataError, OptionError
from econ.options import Lang, check_word
from econ.panel import Panel
from econ.report.figures.fonts import text_width, wrap
from econ.report.figures.plot import Plot, finish
from econ.report.figures.results import check_data
from econ.report.figures.style import FAINT, GREY, INK, SMALL, Canvas, house, open_canvas
from econ.report.figures.words import axis_label, panel_words, phrase, source_notes
from econ.report.labels import Labels, Vocabulary, Words
from econ.report.layout import check_list
from econ.report.numbers import check_digits

Scale = Literal["linear", "log", "diverging"]

# Column and row of every tile, from the top left.
LAYOUT: Mapping[str, tuple[int, int]] = {
    iso: (column, row)
    for row, line in enumerate((
        ".. .. .. .. .. .. HL",
        ".. .. .. NM .. .. JL",
        "XJ GS NX SX BJ TJ LN",
        "XZ QH SN HA HE SD ..",
        ".. SC CQ HB AH JS SH",
        ".. YN GZ HN JX ZJ ..",
        ".. .. .. GX GD FJ TW",
        ".. .. .. HI MO HK ..",
    ))
    for column, iso in enumerate(line.split())
    if iso != ".."
}  # fmt: skip
EMPTY: dict[str, Any] = {"facecolor": "white", "edgecolor": FAINT, "linewidth": 0.5, "hatch": "////"}
COLUMNS, ROWS = 7, 8
GAP = 0.06
SIDE = 1 - GAP
TINY = 6.5  # points
WIDTH = 5.0  # inches of one map
TOTAL, ACROSS, HEAD = 7.6, 3, 0.25  # inches of several maps side by side, maps in a row, inches over each
MOST = 6
LEAST = 0.38  # inches of a tile that two lines of the usual size need
REGIONS = {region.iso: region for region in BY_CODE.values()}


def tile_map(
    data: Panel | pd.DataFrame,
    x: str,
    *,
    year: Any = None,
    unit: str | None = None,
    scale: Scale = "linear",
    digits: int | None = None,
    labels: Labels | None = None,
    title: Words | None = None,
    notes: Sequence[Words] = (),
    lang: Lang = "en",
    ax: Axes | None = None,
) -> Plot:
    """A variable by province as coloured tiles with their values; provinces without data are hatched.

    Several years stand side by side, in the same colours and under one colour bar.

    Parameters
    ----------
    data : a Panel, or a frame with one row per province.
    x : the variable.
    year : the period of a Panel; by default the last one with values. In a frame: rows where column ``year`` has it. A
        list of up to six: a map for each.
    unit : the column of a frame that names the province (default ``province``): English or Chinese names, GB/T 2260
        or ISO 3166-2 codes.
    scale : ``"linear"``; ``"log"`` for positive skewed values; ``"diverging"`` around zero.
    digits : decimals of the values printed; by default three significant digits of the largest value.
    labels : column -> text (``{"en", "zh", "unit"}``), before the labels of the panel.
    title, notes : a string, or ``{"en": ..., "zh": ...}``.
    ax : axes to draw on, for one year; by default a new figure.

    Returns
    -------
    Plot with ``data``: ``region, name, value``, one row per tile, missing where there are no data; for a list of years
    ``year`` before them.

    Examples
    --------
    >>> import econ
    >>> plot = econ.report.tile_map(econ.load("provinces"), "gdp_per_capita", year=2019)
    >>> float(plot.data.set_index("name").loc["Beijing", "value"])
    164563.0
    """
    check_word(lang, Lang, "lang")
    check_list(notes, "notes")
    check_word(scale, Scale, "scale")
    check_data(data, "tile_map(panel, 'x')")
    if digits is not None:
        check_digits(digits)
    years = _years(year, ax)
    if isinstance(data, Panel):
        words, unit = panel_words(data, labels, lang), data.unit
        parts = [_of_panel(data, x, one) for one in years]
        found = source_notes(data, [x], lang)
    else:
        words, unit = Vocabulary(lang, labels or {}), unit or "province"
        parts, found = [_of_frame(data, x, one, unit) for one in years], []
    several = isinstance(year, list | tuple)
    frames = [_by_tile(rows, x, unit, lang) for rows, _ in parts]
    shown = pd.concat([f.assign(year=when) for f, (_, when) in zip(frames, parts, strict=True)], ignore_index=True)
    with house():
        canvas = _open(ax, len(frames))
        shading = _shading(shown["value"], scale)
        digits = _digits(shown["value"]) if digits is None else digits
        texts = _texts(canvas, shown, digits, lang)
        for axes, (when, part) in zip(canvas.axes, shown.groupby("year", sort=False, dropna=False), strict=False):
            _draw(axes, part, texts, shading)
            if several:
                axes.set_title(str(when))
        _add_key(canvas, shading, _key_label(words, x, None if several else parts[0][1]), texts.shrunk)
        if shown["value"].isna().any():
            _add_missing_key(canvas.axes[0], lang, texts.shrunk)
        frame = shown[["year", "region", "name", "value"]] if several else frames[0]
        return finish(canvas, frame, title, [phrase("tile", lang), *found, *notes], lang)


def _years(year: Any, ax: Axes | None) -> list[Any]:
    """The years asked for, one map each."""
    years = list(year) if isinstance(year, list | tuple) else [year]
    if not 1 <= len(years) <= MOST or len(set(years)) < len(years):
        raise OptionError(f"year={year!r} is not allowed; give one year, or a list of 1 to {MOST} different ones.")
    if ax is not None and len(years) > 1:
        raise OptionError(f"year={year!r} are {len(years)} maps; with ax= give one year.")
    return years


def _open(ax: Axes | None, maps: int) -> Canvas:
    """One wide map, or small ones, up to three in a row."""
    if maps == 1:
        return open_canvas(ax, WIDTH, WIDTH * ROWS / COLUMNS)
    across = min(maps, ACROSS)
    rows = -(-maps // across)
    height = TOTAL / across * ROWS / COLUMNS + HEAD
    canvas = open_canvas(None, TOTAL, rows * height, panels=across, rows=rows)
    for spare in canvas.axes[maps:]:
        spare.set_axis_off()
    canvas.figure.draw_without_rendering()  # which settles the sizes of the tiles
    return canvas


def short_name(name: object, lang: Lang) -> str:
    """A province by its two letters or its Chinese name; any other unit, also a number, by its own name."""
    region = _region(name) if isinstance(name, str) and not name.isdigit() else None
    if region is None:
        return str(name)
    return region.iso if lang == "en" else region.zh


def _region(name: object) -> Region | None:
    code = recognise([name])[0].code
    return None if code is None else BY_CODE[code]


def _of_panel(panel: Panel, x: str, year: Any) -> tuple[pd.DataFrame, Any]:
    values = panel.values(x)
    known = np.unique(panel.time_codes[~np.isnan(values)])
    if not len(known):
        raise DataError(f"{x!r} has no values in this panel; there is nothing to draw.")
    by_label = {panel.period(int(code)): int(code) for code in known}
    if year is not None and year not in by_label:
        raise OptionError(f"year={year!r}: {x!r} has no values then; it has values in {_spans(list(by_label))}.")
    code = int(known[-1]) if year is None else by_label[year]
    return panel.frame[panel.time_codes == code], panel.period(code) if panel.time else None


def _of_frame(data: pd.DataFrame, x: str, year: Any, unit: str) -> tuple[pd.DataFrame, Any]:
    require_columns(data, [x, unit, *(["year"] if year is not None else [])], "The frame")
    if year is not None and year not in set(data["year"]):
        raise OptionError(f"year={year!r} is not in the frame; it has {_spans(sorted(data['year'].unique()))}.")
    rows = data if year is None else data[data["year"] == year]
    if not rows[x].notna().any():
        raise DataError(f"No rows with values of {x!r}; there is nothing to draw.")
    return rows, _only_year(rows) if year is None else year


def _only_year(rows: pd.DataFrame) -> Any:
    """The year of rows that all have the same."""
    years = list(dict.fromkeys(rows["year"])) if "year" in rows else []
    return years[0] if len(years) == 1 else None


def _spans(periods: Sequence[Any]) -> str:
    return ", ".join(map(str, periods)) if len(periods) <= 3 else f"{periods[0]}, {periods[1]}, ..., {periods[-1]}"


def _by_tile(rows: pd.DataFrame, x: str, unit: str, lang: Lang) -> pd.DataFrame:
    """One row per tile of the layout, in its order."""
    found = {name: _region(name) for name in rows[unit]}
    unknown = [str(name) for name, region in found.items() if region is None]
    if unknown:
        raise DataError(
            f"{', '.join(unknown[:5])} in {unit!r} {'is' if len(unknown) == 1 else 'are'} no province of the tile map; "
            "use names such as Beijing or 北京, or codes such as 11 (econ.standard_names brings names to one spelling)."
        )
    keys = [region.iso for name in rows[unit] if (region := found[name])]
    twice = pd.Series(keys)[pd.Series(keys).duplicated()]
    if len(twice):
        raise DataError(f"{REGIONS[twice.iloc[0]].en} stands more than once; give year=, or one row per province.")
    values = pd.Series(rows[x].to_numpy(dtype=np.float64, na_value=np.nan), index=keys).reindex(list(LAYOUT))
    names = [getattr(REGIONS[iso], lang) for iso in LAYOUT]
    return pd.DataFrame({"region": list(LAYOUT), "name": names, "value": values.to_numpy()})


@dataclass(frozen=True)
class Shading:
    """Values to colours, and the values marked on the colour bar."""

    colors: Colormap
    norm: Normalize
    ticks: Sequence[float]


def _shading(values: "pd.Series[float]", scale: Scale) -> Shading:
    low, high = float(values.min()), float(values.max())
    if scale == "log" and low <= 0:
        raise OptionError(f"scale='log' needs positive values, the smallest is {low:g}; use scale='linear'.")
    if scale == "diverging":
        high = max(abs(low), abs(high)) or 1.0
        low = -high
    elif low == high:
        high = low + (abs(low) or 1.0)
    colors = matplotlib.colormaps["PuOr_r" if scale == "diverging" else "cividis"]
    norm = LogNorm(low, high) if scale == "log" else Normalize(low, high)
    return Shading(colors, norm, _log_ticks(low, high) if scale == "log" else _even_ticks(low, high))


def _even_ticks(low: float, high: float) -> list[float]:
    ticks = MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    return [float(tick) for tick in ticks if low <= tick <= high]


def _log_ticks(low: float, high: float) -> list[float]:
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    inside = [k * 10.0**d for d in decades for k in (1, 2, 5) if low <= k * 10.0**d <= high]
    return inside[:: max(1, round(len(inside) / 4))]


@dataclass(frozen=True)
class Texts:
    """Names of the regions, how values are printed, and how much smaller than usual both are set."""

    names: Mapping[str, str]
    digits: int
    shrunk: float

    def value(self, value: float) -> str:
        """A value as it stands in its tile."""
        return f"{value:,.{self.digits}f}".replace("-", "\u2212")


def _texts(canvas: Canvas, frame: pd.DataFrame, digits: int, lang: Lang) -> Texts:
    """What stands in the tiles: on maps too small for the names, codes, and all in smaller type."""
    names, texts = dict(zip(frame["region"], frame["name"], strict=True)), Texts({}, digits, 1.0)
    if not canvas.owned or len(canvas.axes) > 1:
        window = canvas.axes[0].get_window_extent()
        side = min(window.width / COLUMNS, window.height / ROWS) / canvas.figure.dpi
        if side * SIDE < max(text_width(canvas.figure, name, TINY) for name in names.values()):
            names = {region: short_name(name, lang) for region, name in names.items()}
        printed = [texts.value(value) for value in frame["value"].dropna()]
        widest = max(
            text_width(canvas.figure, text, size)
            for some, size in ((names.values(), TINY), (printed, SMALL))
            for text in some
        )
        return Texts(names, digits, min(1.0, 0.95 * side * SIDE / widest, side / LEAST))
    return Texts(names, digits, 1.0)


def _draw(ax: Axes, frame: pd.DataFrame, texts: Texts, shading: Shading) -> None:
    tiny, small = TINY * texts.shrunk, SMALL * texts.shrunk
    for region, value in zip(frame["region"], frame["value"], strict=True):
        column, row = LAYOUT[region]
        corner, x, y, name = (column + GAP / 2, row + GAP / 2), column + 0.5, row + 0.5, texts.names[region]
        if np.isnan(value):
            ax.add_patch(Rectangle(corner, SIDE, SIDE, **EMPTY))
            box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
            ax.text(x, y, name, ha="center", va="center", fontsize=tiny, color=GREY, bbox=box)
            continue
        color = shading.colors(shading.norm(value))
        ax.add_patch(Rectangle(corner, SIDE, SIDE, facecolor=color, linewidth=0))
        ink = "white" if _luminance(color) < 0.21 else INK  # where both have the same contrast
        ax.text(x, y - 0.14, name, ha="center", va="center", fontsize=tiny, color=ink)
        ax.text(x, y + 0.18, texts.value(value), ha="center", va="center", fontsize=small, color=ink)
    ax.set(xlim=(0, COLUMNS), ylim=(ROWS, 0), aspect="equal")
    ax.set_axis_off()


def _digits(values: "pd.Series[float]") -> int:
    largest = float(values.abs().max())
    return int(np.clip(2 - np.floor(np.log10(largest)), 0, 3)) if largest > 0 else 0


def _luminance(color: tuple[float, float, float, float]) -> float:
    """Relative luminance of an sRGB colour (WCAG 2.1)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _key_label(words: Vocabulary, x: str, year: Any) -> str:
    label = axis_label(words, x)
    if year is None:
        return label
    return f"{label}, {year}" if words.lang == "en" else f"{label}，{year}年"


def _add_key(canvas: Canvas, shading: Shading, label: str, shrunk: float) -> None:
    """Colour bar and what it measures, in the empty corner at the top left."""
    ax, figure, small = canvas.axes[0], canvas.figure, SMALL * shrunk
    tile = ax.get_position().width * float(figure.get_size_inches()[0]) / COLUMNS
    ax.text(GAP / 2, 0.1, wrap(figure, label, small, 5.7 * tile), va="top", fontsize=small, linespacing=1.3)
    inset = ax.inset_axes((GAP / 2 / COLUMNS, 1 - 0.78 / ROWS, 2.7 / COLUMNS, 0.16 / ROWS))
    mappable = ScalarMappable(shading.norm, shading.colors)
    bar = figure.colorbar(mappable, cax=inset, orientation="horizontal", ticks=shading.ticks)
    bar.outline.set_visible(False)
    inset.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}".replace("-", "\u2212")))
    inset.xaxis.set_minor_locator(NullLocator())
    inset.tick_params(length=2, width=0.5, labelsize=TINY * shrunk)


def _add_missing_key(ax: Axes, lang: Lang, shrunk: float) -> None:
    ax.add_patch(Rectangle((GAP / 2, 1.28), 0.3, 0.2, **EMPTY))
    ax.text(0.42, 1.38, phrase("no_data", lang), va="center", fontsize=TINY * shrunk)
