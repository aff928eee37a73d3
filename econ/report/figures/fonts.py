"""The one font of every figure, shipped with the package, so that text looks the same on every machine.

It is used by its path: nothing is installed, and matplotlib's list of fonts stays as it was. A character that the font
lacks is refused, never drawn as an empty box. How the font was made: docs/fonts.md.
"""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, get_font
from matplotlib.text import Text

from econ.errors import DataError

FONT = Path(__file__).parents[1] / "fonts" / "RegionalSansSC-Regular.ttf"
CJK = "\u2e80-\u9fff\uff00-\uffef"
CLOSING = "\u3001\u3002\u300b\u300d\u300f\u3011\uff01\uff09\uff0c\uff1a\uff1b\uff1f"
PIECE = re.compile(rf"[ ]*(?:[{CJK}][{CLOSING}]*|[^ {CJK}]+[{CLOSING}]*)")


def shipped_font(size: float) -> FontProperties:
    """The shipped font at a size in points."""
    return FontProperties(fname=FONT, size=size)


def set_in_shipped_font(artists: Iterable[Artist]) -> None:
    """Set every text in the shipped font, its size unchanged, after checking that the font has its characters."""
    for artist in artists:
        for axes in artist.findobj(Axes):
            if isinstance(axes, Axes):
                axes.get_xticklabels(), axes.get_yticklabels()  # which writes the texts of the ticks
        for text in artist.findobj(Text):
            if isinstance(text, Text):
                check_glyphs(text.get_text())
                text.set_fontproperties(shipped_font(float(text.get_fontsize())))
                text.set_parse_math(False)


def check_figure(figure: Figure) -> None:
    """Check the characters of every text of a figure that is set in the shipped font."""
    for text in figure.findobj(Text):
        if isinstance(text, Text) and text.get_fontproperties().get_file() == str(FONT):
            check_glyphs(text.get_text())


def check_glyphs(text: str) -> None:
    """Refuse text with a character that the shipped font does not have."""
    lacking = [char for char in dict.fromkeys(text) if ord(char) not in _characters() and char != "\n"]
    if lacking:
        names = ", ".join(f"{char!r} (U+{ord(char):04X})" for char in lacking)
        raise DataError(
            f"The figure font has no character {names}, which stands in {text!r}; it covers Western European "
            "Latin, Greek, common symbols and the common Chinese characters (docs/fonts.md). Reword the text."
        )


def text_width(figure: Figure, text: str, size: float) -> float:
    """Width in inches of one line of text."""
    canvas = figure.canvas if isinstance(figure.canvas, FigureCanvasAgg) else FigureCanvasAgg(figure)
    renderer = canvas.get_renderer()  # type: ignore[no-untyped-call]
    width, _, _ = renderer.get_text_width_height_descent(text, shipped_font(size), False)
    return float(width) / figure.dpi


def wrap(figure: Figure, text: str, size: float, width: float, *, even: bool = False) -> str:
    """Break text into lines at most ``width`` inches wide: at spaces, and between Chinese characters.

    ``even`` makes the lines about equally long, which reads better beside an axis.
    """
    check_glyphs(text)
    pieces = [(piece, text_width(figure, piece, size)) for piece in PIECE.findall(text)]
    lines = _fill(pieces, width)
    if even and len(lines) > 1:
        total = sum(advance for _, advance in pieces)
        shares = (total / len(lines) * (1 + step / 20) for step in range(21))
        lines = next((tried for share in shares if len(tried := _fill(pieces, share)) == len(lines)), lines)
    return "\n".join(line.strip() for line in lines)


def _fill(pieces: list[tuple[str, float]], width: float) -> list[str]:
    lines, used = [""], 0.0
    for piece, advance in pieces:
        if lines[-1] and used + advance > width:
            lines.append("")
            used = 0.0
        lines[-1] += piece
        used += advance
    return lines


@cache
def _characters() -> frozenset[int]:
    return frozenset(get_font(FONT).get_charmap())
