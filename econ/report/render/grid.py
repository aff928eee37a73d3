"""A table as lines of printed cells: what every renderer sets in its own type."""

import re
import unicodedata
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from econ.report.labels import word
from econ.report.numbers import MISSING, Printed, decimals_needed, print_fixed, print_number
from econ.report.tables import Cell, Coefficient, Column, Number, Row, Section, Table

_PIECES = re.compile(r"(?:（|“)*[\u2e80-\u9fff\uff00-\uffef][，。；：、）”]*|[^\s\u2e80-\u9fff\uff00-\uffef]+\s*|\s+")

LineKind = Literal["panel", "coefficient", "below", "fixed_effect", "statistic", "text"]


@dataclass(frozen=True)
class Head:
    """A piece of a head row over the columns ``start`` to ``stop - 1``; empty text is an empty place."""

    text: str
    start: int
    stop: int


@dataclass(frozen=True)
class Line:
    """One printed line; ``opens_block`` asks for a thin rule above it in the journal style."""

    kind: LineKind
    label: str
    cells: tuple[Printed, ...]
    source: tuple[Cell, ...]
    opens_block: bool = False


@dataclass(frozen=True)
class Grid:
    """Spanners from the top down, the columns' own labels, and the lines of the body."""

    spanners: tuple[tuple[Head, ...], ...]
    labels: tuple[str, ...]
    lines: tuple[Line, ...]
    note_word: str
    note: str

    def align(self, column: int) -> tuple[str, str]:
        """The longest texts that the numbers of a column have left and right of their decimal points."""
        cells = [line.cells[column] for line in self.lines if line.cells]
        numbers = [cell for cell in cells if cell.point is not None]
        left, right = (cell.left for cell in numbers), (cell.right for cell in numbers)
        return max(left, key=len, default=""), max(right, key=len, default="")

    def need(self, column: int) -> int:
        """Places that a column needs when no number or interval is broken and words are broken where they can be."""
        left, right = self.align(column)
        cells = [line.cells[column] for line in self.lines if line.cells]
        words = [cell.text for cell in cells if cell.point is None and not cell.text.startswith("[")]
        whole = [cell.text for cell in cells if cell.text.startswith("[")]
        pieces = [piece for text in [*words, self.labels[column]] for piece in fold(text, 1)]
        return max(len(left) + len(right), *(width(piece) for piece in [*whole, *pieces]))


def grid(table: Table) -> Grid:
    """Print every cell of a table."""
    return Grid(
        spanners=_spanners(table.columns),
        labels=tuple(column.label for column in table.columns),
        lines=tuple(line for section in table.panels for line in _lines(section, table)),
        note_word=word("notes", table.lang) if table.notes else "",
        note=_joined(table.notes),
    )


def _joined(notes: tuple[str, ...]) -> str:
    """Sentences in one paragraph; a Chinese full stop needs no space after it."""
    return "".join(note if note.endswith("。") else note + " " for note in notes).rstrip()


def width(text: str) -> int:
    """Places that a text takes in a terminal; Chinese characters take two."""
    return sum(1 + (unicodedata.east_asian_width(sign) in "WF") for sign in text if not unicodedata.combining(sign))


def pad(cell: Printed, room: tuple[str, str], filler: str = " ") -> str:
    """A number filled up on both sides so that the decimal points of a column are aligned; words as they are."""
    if cell.point is None:
        return cell.text
    return filler * (len(room[0]) - len(cell.left)) + cell.text + filler * (len(room[1]) - len(cell.right))


def fold(text: str, room: int) -> list[str]:
    """Break a text into lines of at most ``room`` places, between words or Chinese characters."""
    lines = [""]
    for piece in _PIECES.findall(" ".join(text.split())):
        if lines[-1] and width(lines[-1] + piece.rstrip()) > room:
            lines[-1] = lines[-1].rstrip()
            lines.append("")
        lines[-1] += piece
    return [line.rstrip() for line in lines]


def fold_labels(lines: tuple[Line, ...], room: int) -> list[list[str]]:
    """Row labels broken into lines; the last line of a coefficient's label stands beside its parentheses."""
    folded = [fold(line.label, room) for line in lines]
    for i, line in enumerate(lines):
        if line.kind == "below" and len(folded[i - 1]) > 1:
            folded[i] = [folded[i - 1].pop()]
    return folded


def _spanners(columns: tuple[Column, ...]) -> tuple[tuple[Head, ...], ...]:
    depth = max(len(column.spanners) for column in columns)
    padded = [("",) * (depth - len(column.spanners)) + column.spanners for column in columns]
    levels = []
    for level in range(depth):
        heads = []
        for path, group in groupby(range(len(columns)), key=lambda i: padded[i][: level + 1]):
            members = list(group)
            heads.append(Head(path[-1], members[0], members[-1] + 1))
        levels.append(tuple(heads))
    return tuple(levels)


def _lines(section: Section, table: Table) -> list[Line]:
    lines = [Line("panel", section.title, (), (), section is not table.panels[0])] if section.title else []
    before = None
    for row in section.rows:
        opens = before == "coefficient" and row.kind != "coefficient"
        before = row.kind
        if row.kind == "coefficient":
            lines += _coefficient_lines(row, table)
        else:
            cells = tuple(_print(cell) for cell in row.cells)
            if row.kind == "statistic":
                cells = tuple(_centred_count(cell) for cell in cells)
            lines.append(Line(row.kind, row.label, cells, row.cells, opens))
    return lines


def _coefficient_lines(row: Row, table: Table) -> list[Line]:
    above = tuple(_estimate(cell, table) for cell in row.cells)
    below = tuple(_beneath(cell, table) for cell in row.cells)
    return [Line("coefficient", row.label, above, row.cells), Line("below", "", below, row.cells)]


def _print(cell: Cell) -> Printed:
    if isinstance(cell, Number):
        return print_number(cell.value, cell.digits, cell.format)
    return Printed(MISSING if cell is None else str(cell))


def _centred_count(cell: Printed) -> Printed:
    """A count under coefficients has no decimal point to align; it is centred."""
    return Printed(cell.text) if cell.right == "" else cell


def coefficient_decimals(cell: Coefficient, digits: int) -> int | None:
    """Decimals of an estimate: its own, or its standard error's where those are more."""
    own = decimals_needed(cell.estimate, digits)
    error = decimals_needed(cell.std_error, digits) if cell.std_error is not None else digits
    return own if own is None or error is None else max(own, error)


def stars(cell: Coefficient, levels: tuple[float, ...]) -> str:
    """One star for each level that the p-value is below."""
    return "" if cell.p_value is None else "*" * sum(cell.p_value < level for level in levels)


def _estimate(cell: Cell, table: Table) -> Printed:
    if not isinstance(cell, Coefficient):
        return _print(cell)
    printed = print_fixed(cell.estimate, coefficient_decimals(cell, table.digits))
    return printed.wrapped("", stars(cell, table.stars))


def _beneath(cell: Cell, table: Table) -> Printed:
    if not isinstance(cell, Coefficient):
        return Printed("")
    digits = table.digits
    match table.parentheses:
        case "interval":
            if cell.ci_low is None or cell.ci_high is None:
                return Printed(MISSING)
            decimals = digits if cell.std_error is None else decimals_needed(cell.std_error, digits)
            low, high = print_fixed(cell.ci_low, decimals), print_fixed(cell.ci_high, decimals)
            return Printed(f"[{low.text}, {high.text}]")
        case "p_value":
            inner = None if cell.p_value is None else print_number(cell.p_value, digits, "p_value")
        case "statistic":
            inner = None if cell.statistic is None else print_number(cell.statistic, digits)
        case "std_error":
            inner = None if cell.std_error is None else print_number(cell.std_error, digits)
    return Printed(f"({MISSING})") if inner is None else inner.wrapped("(", ")")
