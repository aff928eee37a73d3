"""Plot: a drawn figure with the numbers it shows; what every figure function returns."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from econ.errors import OptionError
from econ.options import Lang
from econ.report.figures.fonts import check_figure, set_in_shipped_font
from econ.report.figures.style import Canvas, add_words, house
from econ.report.figures.words import printed
from econ.report.labels import Words, text

# No dates, no names of programs.
METADATA: dict[str, dict[str, Any]] = {
    "svg": {"Date": None, "Creator": None, "Format": None, "Type": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
}


def finish(
    canvas: Canvas,
    data: pd.DataFrame,
    title: Words | None,
    notes: Sequence[Words],
    lang: Lang,
    key: Sequence[Artist] = (),
) -> "Plot":
    """Title, legend (from the signs in ``key``), notes and font of a drawn canvas, within the house style."""
    heading = text(title, lang) if title else ""
    sentences = printed(notes, lang)
    add_words(canvas, heading, sentences, key)
    set_in_shipped_font([canvas.figure] if canvas.owned else canvas.axes)
    if canvas.owned:  # lay out once, so that every file has the same layout whatever was saved before
        canvas.figure.draw_without_rendering()
        canvas.figure.set_layout_engine("none")
    return Plot(canvas.axes[0], canvas.figure, data, sentences, heading)


@dataclass(frozen=True, eq=False)
class Plot:
    """A figure and the data behind it.

    Attributes
    ----------
    ax : the (first) axes drawn on
    figure : the figure they are in; not known to pyplot, so nothing accumulates
    data : the numbers shown, one row per point, bar or tile
    notes : what stands under the figure; kept here also when the axes were given and no text could be placed
    title : the heading, also the accessible name of the SVG
    """

    ax: Axes
    figure: Figure
    data: pd.DataFrame
    notes: tuple[str, ...] = ()
    title: str = ""

    def save(self, path: str | Path, dpi: int = 300) -> Path:
        """Write the figure as .svg, .pdf or .png (by suffix); the same figure gives the same bytes on every run."""
        target = Path(path)
        kind = target.suffix.lower().lstrip(".")
        if kind not in METADATA:
            raise OptionError(f"Cannot save a figure as {target.name!r}; end the name in .svg, .pdf or .png.")
        target.write_bytes(self._bytes(kind, dpi))
        return target

    def svg(self, prefix: str | None = None) -> str:
        """The figure as one ``<svg>`` element for a page that holds many.

        Every id starts with ``prefix`` (default: a digest of the drawing), and its style rule applies to itself only.
        """
        drawing = self._bytes("svg", 300).decode("utf-8")
        prefix = prefix or "f" + hashlib.sha256(drawing.encode()).hexdigest()[:10]
        drawing = drawing[drawing.index("<svg") :]
        drawing = re.sub(r'\bid="|href="#|url\(#', lambda found: f"{found[0]}{prefix}-", drawing)
        drawing = drawing.replace("*{", f"#{prefix} *{{")
        name = f" aria-label={quoteattr(self.title)}" if self.title else ""
        return drawing.replace("<svg ", f'<svg id="{prefix}" role="img"{name} style="max-width:100%;height:auto" ', 1)

    def _bytes(self, kind: str, dpi: int) -> bytes:
        buffer = BytesIO()
        with house():
            check_figure(self.figure)
            self.figure.savefig(buffer, format=kind, dpi=dpi, metadata=METADATA[kind])
        return buffer.getvalue()

    def _repr_png_(self) -> bytes:
        return self._bytes("png", 144)

    def _repr_svg_(self) -> str:
        return self.svg()

    def __repr__(self) -> str:
        return f"Plot({self.title!r}, {len(self.data)} rows: {', '.join(map(str, self.data.columns))})"
