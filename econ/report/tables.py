"""A table is data: titles, columns under spanners, panels of rows, notes. Renderers turn it into text and files."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from math import isfinite
from pathlib import Path
from typing import Any, Literal

from econ.errors import DataError
from econ.options import Lang, NumberFormat, Parentheses, TableStyle, check_word
from econ.report.numbers import check_digits

FORMAT = 1

RowKind = Literal["coefficient", "fixed_effect", "statistic", "text"]


@dataclass(frozen=True)
class Coefficient:
    """An estimate with what may stand in parentheses beneath it; ``None`` where a number does not exist."""

    estimate: float
    std_error: float | None = None
    statistic: float | None = None
    p_value: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None


@dataclass(frozen=True)
class Number:
    """A number and the format it asks for; a ``percent`` is held as a share."""

    value: float
    format: NumberFormat = "number"
    digits: int = 3


Cell = Coefficient | Number | str | None  # None is a missing number, printed as a dash; "" is an empty cell


@dataclass(frozen=True)
class Column:
    """A column's own label, and from the top down the spanners above it; equal neighbours share one spanner."""

    label: str
    spanners: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """One row; a row of coefficients is printed as two lines, the second in parentheses."""

    kind: RowKind
    label: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Section:
    """A panel of a table: rows under one title, which is empty when the table has a single panel."""

    rows: tuple[Row, ...]
    title: str = ""


@dataclass(frozen=True)
class Table:
    """A table ready to print in any format.

    Attributes
    ----------
    title : printed above the table
    columns : labels and spanners, without the first column, which holds the row labels
    panels : rows in panels
    notes : sentences printed below
    lang : language of the words that renderers add
    style : ``journal``, with a thin rule between blocks of rows, or ``three_line`` (三线表): rules above, below and
        under the head only
    stub : head of the first column
    digits : decimals of coefficients, see ``econ.report.numbers`` for the rule
    parentheses : what stands beneath a coefficient
    stars : significance levels, from the largest down; empty for no stars
    """

    title: str
    columns: tuple[Column, ...]
    panels: tuple[Section, ...]
    notes: tuple[str, ...] = ()
    lang: Lang = "en"
    style: TableStyle = "journal"
    stub: str = ""
    digits: int = 3
    parentheses: Parentheses = "std_error"
    stars: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        check_word(self.lang, Lang, "lang")
        check_word(self.style, TableStyle, "style")
        check_word(self.parentheses, Parentheses, "parentheses")
        check_digits(self.digits)
        for row in (row for panel in self.panels for row in panel.rows):
            if len(row.cells) != len(self.columns):
                raise DataError(
                    f"Row {row.label!r} has {len(row.cells)} cells, the table has {len(self.columns)} columns; "
                    "give one cell per column, None for a missing number."
                )

    # ---- formats

    def html(self) -> str:
        """A self-contained HTML fragment."""
        from econ.report.render.html import render

        return render(self)

    def latex(self, label: str | None = None) -> str:
        """A LaTeX ``table`` for booktabs and threeparttable; ``label`` is what ``\\ref`` uses."""
        from econ.report.render.latex import render

        return render(self, label)

    def markdown(self) -> str:
        """A GitHub pipe table."""
        from econ.report.render.markdown import render

        return render(self)

    def docx(self, path: str | Path) -> Path:
        """Write a Word document; needs ``econ[docx]``."""
        from econ.report.render.docx import write

        return write(self, path)

    def xlsx(self, path: str | Path) -> Path:
        """Write an Excel workbook in which numbers are numbers; needs ``econ[excel]``."""
        from econ.report.render.xlsx import write

        return write(self, path)

    def __str__(self) -> str:
        from econ.report.render.console import render

        return render(self)

    def _repr_html_(self) -> str:
        return self.html()

    # ---- JSON

    def to_json(self) -> str:
        """The table as JSON text; ``from_json`` gives back an equal table."""
        return json.dumps(_plain({"format": FORMAT} | asdict(self)), ensure_ascii=False, indent=1, allow_nan=False)

    @classmethod
    def from_json(cls, source: str) -> "Table":
        """Read what ``to_json`` wrote."""
        raw = json.loads(source)
        if not isinstance(raw, dict) or raw.pop("format", None) != FORMAT:
            raise DataError(f"This JSON is not a table of format {FORMAT}; write it with this version's Table.to_json.")
        raw["columns"] = tuple(Column(column["label"], tuple(column["spanners"])) for column in raw["columns"])
        raw["panels"] = tuple(
            Section(tuple(_row(row) for row in panel["rows"]), panel["title"]) for panel in raw["panels"]
        )
        for name in ("notes", "stars"):
            raw[name] = tuple(raw[name])
        return cls(**raw)


def _row(raw: Mapping[str, Any]) -> Row:
    return Row(raw["kind"], raw["label"], tuple(_cell(cell) for cell in raw["cells"]))


def _cell(raw: Any) -> Cell:
    if not isinstance(raw, dict):
        return raw  # type: ignore[no-any-return]
    if "value" in raw:
        return Number(float(raw["value"]), raw["format"], raw["digits"])
    estimate, *others = (raw[field.name] for field in fields(Coefficient))
    return Coefficient(float(estimate), *(None if value is None else float(value) for value in others))


def _plain(value: Any) -> Any:
    """JSON's own types; infinities become the strings that ``float`` reads back."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not isfinite(value):
        return repr(value)
    return value
