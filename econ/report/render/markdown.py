"""A table as a GitHub pipe table; a head of several rows becomes one row with line breaks."""

import re

from econ.report.render.grid import Grid, grid, width
from econ.report.tables import Table

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~$&#])")


def render(table: Table) -> str:
    """The title in bold, the pipe table, the notes as a paragraph."""
    made = grid(table)
    rows = [_head(table, made)]
    for line in made.lines:
        label = f"**{escape(line.label)}**" if line.kind == "panel" else escape(line.label)
        rows.append([label, *(escape(cell.text) for cell in line.cells)])
    n_columns = len(made.labels) + 1
    rows = [row + [""] * (n_columns - len(row)) for row in rows]
    widths = [max(3, *(width(row[i]) for row in rows)) for i in range(n_columns)]
    marks = [":" + "-" * (widths[0] - 1), *("-" * (room - 1) + ":" for room in widths[1:])]
    lines = [_pipe(rows[0], widths), _pipe(marks, widths), *(_pipe(row, widths) for row in rows[1:])]
    title = [f"**{escape(table.title)}**", ""] if table.title else []
    note = ["", escape(made.note_word + made.note)] if made.note else []
    return "\n".join([*title, *lines, *note]) + "\n"


def escape(text: str) -> str:
    """Text in which no character means anything to Markdown."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _head(table: Table, made: Grid) -> list[str]:
    columns = [[head.text for level in made.spanners for head in level if head.start <= i < head.stop]
               for i in range(len(made.labels))]  # fmt: skip
    texts = [
        [*(text for text in spanners if text), label] for spanners, label in zip(columns, made.labels, strict=True)
    ]
    return [escape(table.stub), *("<br>".join(escape(text) for text in stack) for stack in texts)]


def _pipe(cells: list[str], widths: list[int]) -> str:
    first = cells[0] + " " * (widths[0] - width(cells[0]))
    rest = (" " * (room - width(cell)) + cell for cell, room in zip(cells[1:], widths[1:], strict=True))
    return "| " + " | ".join([first, *rest]) + " |"
