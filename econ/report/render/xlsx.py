"""A table in Excel. Numbers stay numbers: decimals, stars and parentheses are number formats."""

from io import BytesIO
from math import isfinite
from pathlib import Path
from typing import Any

from econ.errors import MissingPackageError
from econ.report.numbers import decimals_needed
from econ.report.render.archive import without_dates
from econ.report.render.grid import Grid, Line, coefficient_decimals, fold, grid, stars, width
from econ.report.tables import Cell, Coefficient, Number, Table

LATIN, CHINESE = "Times New Roman", "宋体"
LABEL_ROOM, CELL_ROOM = (16, 46), (12, 26)  # narrowest and widest column, in characters
LINE_HEIGHT = 13.5  # points


def write(table: Table, path: str | Path) -> Path:
    """A workbook with the one table; the same table gives the same bytes."""
    openpyxl = _openpyxl()
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "表" if table.lang == "zh" else "Table"
    sheet.sheet_view.showGridLines = False
    sheet.sheet_properties.pageSetUpPr = openpyxl.worksheet.properties.PageSetupProperties(fitToPage=True)
    sheet.page_setup.fitToHeight = 0
    made = grid(table)
    _column_widths(sheet, made)
    row = _title(sheet, table, made)
    first = row
    row = _head(sheet, table, made, row)
    body = row
    for line in made.lines:
        _line(sheet, table, line, row)
        row += 1
    _rules(sheet, table, made, first, body, row - 1)
    _notes(sheet, table, made, row)
    out = BytesIO()
    book.save(out)
    path = Path(path)
    path.write_bytes(without_dates(out.getvalue()))
    return path


def _value_and_format(cell: Cell, kind: str, table: Table) -> tuple[float, str] | None:
    """The number that a spreadsheet cell holds and its number format; None where only text will do."""
    if isinstance(cell, Number):
        return (cell.value, _number_format(cell)) if isfinite(cell.value) else None
    if not isinstance(cell, Coefficient) or not isfinite(cell.estimate):
        return None
    if kind == "coefficient":
        pattern = _digits(coefficient_decimals(cell, table.digits))
        marks = stars(cell, table.stars)
        return cell.estimate, f'{pattern}"{marks}"' if marks else pattern
    value = None if table.parentheses == "interval" else getattr(cell, table.parentheses)
    if value is None or not isfinite(value):
        return None
    if table.parentheses == "p_value" and value < 10.0**-table.digits:
        return value, f'"(<{10.0**-table.digits:.{table.digits}f})"'
    pattern = _digits(decimals_needed(value, table.digits))
    return value, f'"("{pattern}")";"(-"{pattern}")"'


def _openpyxl() -> Any:
    try:
        import openpyxl
        import openpyxl.styles
        import openpyxl.utils
        import openpyxl.worksheet.properties
    except ImportError as error:
        raise MissingPackageError("Excel files need openpyxl; install it with: pip install 'econ[excel]'") from error
    return openpyxl


def _digits(decimals: int | None) -> str:
    if decimals is None:
        return "0.00E+00"
    return "#,##0" + ("." + "0" * decimals if decimals else "")


def _number_format(cell: Number) -> str:
    if cell.format == "percent":
        return _digits(cell.digits) + "%"
    if cell.format == "integer":
        return "#,##0"
    if cell.format == "p_value" and cell.value < 10.0**-cell.digits:
        return f'"<{10.0**-cell.digits:.{cell.digits}f}"'
    return _digits(decimals_needed(cell.value, cell.digits))


def _column_widths(sheet: Any, made: Grid) -> None:
    letter = _openpyxl().utils.get_column_letter
    labels = max((width(line.label) for line in made.lines if line.kind != "panel"), default=0)
    sheet.column_dimensions["A"].width = _between(labels + 2, LABEL_ROOM)
    for i, label in enumerate(made.labels):
        cells = [width(line.cells[i].text) for line in made.lines if line.cells]
        sheet.column_dimensions[letter(i + 2)].width = _between(max([width(label), *cells]) + 3, CELL_ROOM)


def _between(size: float, limits: tuple[int, int]) -> float:
    return max(limits[0], min(limits[1], size))


def _total_width(sheet: Any, start: int, stop: int) -> float:
    letter = _openpyxl().utils.get_column_letter
    return sum(float(sheet.column_dimensions[letter(i)].width) for i in range(start, stop + 1))


def _title(sheet: Any, table: Table, made: Grid) -> int:
    if not table.title:
        return 1
    _put(sheet, 1, 1, table.title, bold=True, horizontal="center", size=12)
    _join(sheet, 1, 1, len(made.labels) + 1, table.title)
    return 2


def _head(sheet: Any, table: Table, made: Grid, row: int) -> int:
    for level in made.spanners:
        for head in level:
            _put(sheet, row, head.start + 2, head.text, horizontal="center")
            _join(sheet, row, head.start + 2, head.stop + 1, head.text)
        row += 1
    _put(sheet, row, 1, table.stub)
    for i, label in enumerate(made.labels):
        _put(sheet, row, i + 2, label, horizontal="center")
        _join(sheet, row, i + 2, i + 2, label)
    return row + 1


def _line(sheet: Any, table: Table, line: Line, row: int) -> None:
    if line.kind == "panel":
        _put(sheet, row, 1, line.label, italic=True)
        return
    _put(sheet, row, 1, line.label)
    _join(sheet, row, 1, 1, line.label)
    for i, (cell, printed) in enumerate(zip(line.source, line.cells, strict=True)):
        value, pattern = _value_and_format(cell, line.kind, table) or (printed.text or None, "General")
        _put(sheet, row, i + 2, value, pattern, horizontal="center")


def _put(
    sheet: Any, row: int, column: int, value: float | str | None, pattern: str = "General", *, horizontal: str = "left",
    bold: bool = False, italic: bool = False, size: float = 10.5,
) -> None:  # fmt: skip
    styles = _openpyxl().styles
    cell = sheet.cell(row, column)
    cell.value = value
    if isinstance(value, str):
        cell.data_type = "s"
    cell.number_format = pattern
    chinese = isinstance(value, str) and width(value) > len(value)
    cell.font = styles.Font(name=CHINESE if chinese else LATIN, size=size, bold=bold, italic=italic)
    cell.alignment = styles.Alignment(horizontal=horizontal, vertical="bottom", wrap_text=isinstance(value, str))


def _join(sheet: Any, row: int, start: int, stop: int, text: str) -> None:
    """Merge cells and make their row high enough for a text that wraps."""
    if stop > start:
        sheet.merge_cells(start_row=row, start_column=start, end_row=row, end_column=stop)
    lines = len(fold(text, int(_total_width(sheet, start, stop)) - 1))
    height = max(sheet.row_dimensions[row].height or 0, LINE_HEIGHT * lines + 2)
    sheet.row_dimensions[row].height = height


def _rules(sheet: Any, table: Table, made: Grid, first: int, body: int, last: int) -> None:
    n_columns = len(made.labels) + 1
    thick = "medium"
    _border(sheet, first, 1, n_columns, top=thick)
    for row, level in enumerate(made.spanners, start=first):
        for head in level:
            if head.text:
                _border(sheet, row, head.start + 2, head.stop + 1, bottom="thin")
    _border(sheet, body - 1, 1, n_columns, bottom="thin")
    for row, line in enumerate(made.lines, start=body):
        if line.opens_block and table.style == "journal":
            _border(sheet, row, 1, n_columns, top="thin")
    _border(sheet, last, 1, n_columns, bottom=thick)


def _border(sheet: Any, row: int, start: int, stop: int, **sides: str) -> None:
    from copy import copy

    side = _openpyxl().styles.Side
    for column in range(start, stop + 1):
        cell = sheet.cell(row, column)
        border = copy(cell.border)
        for name, weight in sides.items():
            setattr(border, name, side(style=weight, color="000000"))
        cell.border = border


def _notes(sheet: Any, table: Table, made: Grid, row: int) -> None:
    if made.note:
        text = made.note_word + made.note
        _put(sheet, row, 1, text, size=9)
        _join(sheet, row, 1, len(made.labels) + 1, text)
        sheet.cell(row, 1).alignment = _openpyxl().styles.Alignment(wrap_text=True, vertical="top")
