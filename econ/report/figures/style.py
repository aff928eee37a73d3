"""The house style: thin lines, no boxes, colours that colour-blind readers tell apart, and never colour alone."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

import matplotlib
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator, ScalarFormatter

from econ.report.figures import fonts

# Okabe and Ito (2008), Color Universal Design: yellow last because it is faint on white.
OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("-", (0, (5, 1.6)), (0, (1.2, 1.4)), (0, (6, 1.4, 1.2, 1.4)), (0, (9, 2)))
INK, GREY, FAINT = "#222222", "#6b6b6b", "#d9d9d9"
TEXT, SMALL, TITLE = 8.5, 7.5, 10.0  # points
LINE_SPACING = 1.35
MARGIN = 0.06  # inches

STYLE: dict[str, Any] = {
    "font.size": TEXT,
    "axes.labelsize": TEXT,
    "axes.titlesize": TEXT,
    "axes.titlelocation": "left",
    "axes.titlepad": 6.0,
    "axes.labelpad": 5.0,
    "axes.linewidth": 0.6,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "text.color": INK,
    "text.parse_math": False,
    "text.hinting": "none",  # so that widths, and with them the layout, are the same at every resolution
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "lines.linewidth": 1.2,
    "lines.markersize": 4.0,
    "hatch.linewidth": 0.5,
    "hatch.color": GREY,
    "svg.fonttype": "path",
    "svg.hashsalt": "econ",
    "pdf.fonttype": 42,
}


@contextmanager
def house() -> Iterator[None]:
    """The house style on top of matplotlib's defaults, whatever the user has set; undone on leaving."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)  # type: ignore[arg-type]
        yield


@dataclass(frozen=True)
class Look:
    """Colour, marker and dashes of one series; all three differ between neighbours."""

    color: str
    marker: str
    dashes: Any


def looks(n: int) -> list[Look]:
    """Looks for ``n`` series, distinct up to 280 (8 colours, 7 markers and 5 dashes have no common factor)."""
    return [Look(*parts) for parts in islice(zip(cycle(OKABE_ITO), cycle(MARKERS), cycle(DASHES), strict=False), n)]


@dataclass(frozen=True)
class Canvas:
    """The axes to draw on, and whether the figure is ours to title, annotate and resize."""

    figure: Figure
    axes: tuple[Axes, ...]
    owned: bool


def open_canvas(ax: Axes | None, width: float, height: float, panels: int = 1, rows: int = 1) -> Canvas:
    """The given axes, or a new figure (inches) that no pyplot state knows of."""
    if ax is not None:
        ax.spines[["top", "right"]].set_visible(False)
        figure = ax.figure
        return Canvas(figure.figure if isinstance(figure, SubFigure) else figure, (ax,), owned=False)
    new = Figure(figsize=(width, height), layout="constrained")
    axes = new.subplots(rows, panels, squeeze=False).ravel()
    return Canvas(new, tuple(axes), owned=True)


def add_words(canvas: Canvas, title: str, notes: Sequence[str], key: Sequence[Artist]) -> None:
    """Title, legend and notes; a figure of ours grows by their height, given axes get title and legend inside."""
    if not canvas.owned:
        if title:
            canvas.axes[0].set_title(title)
        if key:
            canvas.axes[0].legend(handles=list(key))
        return
    figure = canvas.figure
    width, height = (float(inches) for inches in figure.get_size_inches())
    room = width - 2 * MARGIN
    _wrap_axis_labels(canvas, room / len(canvas.axes), height - 0.5)
    head = fonts.wrap(figure, title, TITLE, room) if title else ""
    foot = "\n".join(fonts.wrap(figure, note, SMALL, room) for note in notes)
    columns = _columns(figure, key, room)
    rows = -(-len(key) // columns)
    above, legend = _block_height(head, TITLE), (rows * SMALL * 1.5 / 72 + MARGIN if key else 0.0)
    below = _block_height(foot, SMALL)
    total = height + above + legend + below
    figure.set_size_inches(width, total)
    figure.set_layout_engine("constrained", rect=(0, below / total, 1, height / total), w_pad=MARGIN, h_pad=MARGIN)
    x, y = MARGIN / width, MARGIN / total
    spacing: dict[str, Any] = {"linespacing": LINE_SPACING, "in_layout": False}
    figure.text(x, 1 - y, head, size=TITLE, va="top", **spacing)
    figure.text(x, y, foot, size=SMALL, va="bottom", color=GREY, **spacing)
    if key:
        figure.legend(
            handles=list(key),
            loc="upper left",
            bbox_to_anchor=(x, 1 - y - above / total),
            ncols=columns,
            borderpad=0,
            borderaxespad=0,
            columnspacing=1.6,
            handlelength=1.2,
        ).set_in_layout(False)


def _columns(figure: Figure, key: Sequence[Artist], room: float) -> int:
    """As many columns of the legend as fit."""
    widest = max((fonts.text_width(figure, str(sign.get_label()), SMALL) for sign in key), default=0.0) + 0.5
    return max(1, min(len(key), int(room / widest)))


def _wrap_axis_labels(canvas: Canvas, width: float, height: float) -> None:
    for ax in canvas.axes:
        ax.xaxis.label.set_text(fonts.wrap(canvas.figure, ax.get_xlabel(), TEXT, width, even=True))
        ax.yaxis.label.set_text(fonts.wrap(canvas.figure, ax.get_ylabel(), TEXT, height, even=True))
        ax.xaxis.label.set_linespacing(LINE_SPACING)
        ax.yaxis.label.set_linespacing(LINE_SPACING)


def _block_height(text: str, size: float) -> float:
    return (text.count("\n") + 1) * size * LINE_SPACING / 72 + 2 * MARGIN if text else 0.0


class Thousands(ScalarFormatter):
    """Plain decimals with a comma between thousands, no powers of ten beside the axis."""

    def __init__(self) -> None:
        super().__init__(useOffset=False)
        self.set_scientific(False)

    def __call__(self, x: float, pos: int | None = None) -> str:
        whole, dot, part = str(super().__call__(x, pos)).partition(".")
        digits = whole.lstrip("\u2212-")
        return whole[: len(whole) - len(digits)] + (f"{int(digits):,}" if digits.isdigit() else digits) + dot + part


def number_axis(axis: Axis) -> None:
    """Ticks at round numbers, printed in full."""
    axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(Thousands())


def period_axis(ax: Axes, periods: Sequence[Any], bins: int = 10) -> None:
    """Whole periods on the horizontal axis: years as numbers, anything else (2015Q1) at its position by its label."""
    ax.xaxis.set_major_locator(MaxNLocator(bins, integer=True, steps=[1, 2, 4, 5, 10]))
    if len(periods) == 1:
        only = int(periods[0]) if _are_whole(periods) else 0
        ax.set_xticks([only])
        ax.set_xlim(only - 0.5, only + 0.5)
    if _are_whole(periods):
        ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:.0f}".replace("-", "\u2212")))
    else:
        labels = {position: str(period) for position, period in enumerate(periods)}
        ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: labels.get(round(x), "")))


def period_positions(periods: "pd.Series[Any]") -> tuple["pd.Series[Any]", list[Any]]:
    """Where periods stand on an axis, and the sorted periods: years at themselves, other labels at 0, 1, 2, ..."""
    order = sorted(periods.unique())
    if _are_whole(order):
        return periods.astype("int64"), [int(period) for period in order]
    return periods.map({period: position for position, period in enumerate(order)}).astype("int64"), order


def _are_whole(periods: Sequence[Any]) -> bool:
    series = pd.Series(list(periods))
    return pd.api.types.is_numeric_dtype(series) and bool((series % 1 == 0).all())


def zero_line(ax: Axes, horizontal: bool = True) -> None:
    """A thin line at zero."""
    draw = ax.axhline if horizontal else ax.axvline
    draw(0, color=GREY, linewidth=0.6, zorder=0.5)


def dodge(n: int, room: float) -> list[float]:
    """Shifts that set ``n`` series side by side within ``room``, never more than 0.2 apart."""
    step = min(0.2, room / max(n - 1, 1))
    return [step * (i - (n - 1) / 2) for i in range(n)]


def handle(look: Look, label: str, *, line: bool = True) -> Line2D:
    """What stands for a series in a legend."""
    return Line2D([], [], color=look.color, marker=look.marker, linestyle=look.dashes if line else "", label=label)


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Positions as near as possible to those wanted, in their order, at least ``gap`` apart, within [low, high]."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    placed: list[list[float]] = []  # blocks of [centre, size]
    for i in order:
        placed.append([wanted[i], 1])
        while len(placed) > 1 and placed[-1][0] - placed[-2][0] < gap * (placed[-1][1] + placed[-2][1]) / 2:
            (b, n), (a, m) = placed.pop(), placed.pop()
            placed.append([(a * m + b * n) / (m + n), m + n])
    flat = [centre + gap * (k - (size - 1) / 2) for centre, size in placed for k in range(int(size))]
    shift = max(low - flat[0], 0) or min(high - flat[-1], 0)
    result = [0.0] * len(wanted)
    for i, y in zip(order, flat, strict=True):
        result[i] = y + shift
    return result
