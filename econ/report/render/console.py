"""A table as plain text for a terminal, in which Chinese characters take two places."""

from econ.report.render.grid import Grid, Line, fold, fold_labels, grid, pad, width
from econ.report.tables import Table

GAP = "  "
LABEL_ROOM = 44
HEAD_ROOM = 18
NARROWEST = 60


def render(table: Table) -> str:
    """Title, head, body and notes between rules, decimal points aligned."""
    made = grid(table)
    body = [_cells(line, made) for line in made.lines]
    heads = [fold(label, HEAD_ROOM) for label in made.labels]
    widths = [
        max(*(width(cells[i]) for cells in body if cells), *(width(text) for text in heads[i]), 0)
        for i in range(len(made.labels))
    ]
    _widen(widths, made)
    labels = fold_labels(made.lines, LABEL_ROOM)
    stub = max([width(table.stub), *(width(text) for lines in labels for text in lines)])
    total = stub + sum(len(GAP) + room for room in widths)
    rule = "─" * total
    out = [*fold(table.title, max(total, NARROWEST)), rule] if table.title else [rule]
    out += _head(table, made, heads, widths, stub)
    out.append(rule)
    for line, cells, label in zip(made.lines, body, labels, strict=True):
        if line.opens_block and table.style == "journal":
            out.append(rule)
        out += _line(label, cells, widths, stub)
    out.append(rule)
    out += fold(made.note_word + made.note, max(total, NARROWEST))
    return "\n".join(text.rstrip() for text in out if text or text is rule).rstrip()


def _cells(line: Line, made: Grid) -> list[str]:
    return [pad(cell, made.align(i)) for i, cell in enumerate(line.cells)]


def _widen(widths: list[int], made: Grid) -> None:
    """Give the columns under a spanner the room that its text needs, folded to the room that they have."""
    for level in made.spanners:
        for head in level:
            columns = range(head.start, head.stop)
            have = sum(widths[i] for i in columns) + len(GAP) * (len(columns) - 1)
            need = max(width(text) for text in fold(head.text, max(have, HEAD_ROOM)))
            for k in range(max(need - have, 0)):
                widths[columns[k % len(columns)]] += 1


def _head(table: Table, made: Grid, heads: list[list[str]], widths: list[int], stub: int) -> list[str]:
    out = []
    for level in made.spanners:
        rooms = [sum(widths[h.start : h.stop]) + len(GAP) * (h.stop - h.start - 1) for h in level]
        texts = [fold(head.text, room) for head, room in zip(level, rooms, strict=True)]
        out += _stack(texts, rooms, stub, "")
        marks = ["─" * room if head.text else " " * room for head, room in zip(level, rooms, strict=True)]
        out.append(" " * stub + GAP + GAP.join(marks))
    return out + _stack(heads, widths, stub, table.stub)


def _stack(texts: list[list[str]], rooms: list[int], stub: int, label: str) -> list[str]:
    """Head texts of several lines, standing on their last line."""
    depth = max(len(text) for text in texts)
    rows = []
    for k in range(depth):
        cells = [
            _center(text[k - depth + len(text)] if k >= depth - len(text) else "", room)
            for text, room in zip(texts, rooms, strict=True)
        ]
        rows.append(_left(label if k == depth - 1 else "", stub) + GAP + GAP.join(cells))
    return rows


def _line(label: list[str], cells: list[str], widths: list[int], stub: int) -> list[str]:
    texts = [_center(cell, room) for cell, room in zip(cells, widths, strict=False)]
    first = _left(label[-1], stub) + (GAP + GAP.join(texts) if texts else "")
    return [*label[:-1], first]


def _left(text: str, room: int) -> str:
    return text + " " * (room - width(text))


def _center(text: str, room: int) -> str:
    free = room - width(text)
    return " " * ((free + 1) // 2) + text + " " * (free // 2)
