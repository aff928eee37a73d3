"""A table in Word: real table cells, rules as cell borders, Times New Roman with SimSun for Chinese."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from econ.errors import MissingPackageError
from econ.report.numbers import Printed
from econ.report.render.archive import without_dates
from econ.report.render.grid import Grid, Line, grid, pad, width
from econ.report.tables import Table

LATIN, CHINESE = "Times New Roman", "宋体"
TITLE_SIZE, NOTE_SIZE = 12, 9  # points
BODY_SIZES = (10.5, 9, 7.5)  # 五号, 小五, 六号: the largest at which the numbers fit
PORTRAIT, LANDSCAPE, MARGIN = 595.3, 841.9, 71  # points: the width of A4 upright and lying, and of a margin
CELL_MARGIN = 3
LINE_SPACING = 1.3
LABEL_ROOM = (90, 210)
THICK, THIN = 12, 6  # eighths of a point: 1.5 and 0.75
JOURNAL_THICK, JOURNAL_THIN = 8, 4
FIGURE_SPACE = "\N{FIGURE SPACE}"


@dataclass(frozen=True)
class Fit:
    """Type size and column widths in points, and whether the page must lie on its side."""

    size: float
    widths: tuple[float, ...]
    landscape: bool


def write(table: Table, path: str | Path) -> Path:
    """A document that holds the one table; the same table gives the same bytes."""
    made = grid(table)
    fit = _fit(made)
    document = _new_document(fit)
    _append(document, made, table, fit)
    out = BytesIO()
    document.save(out)
    path = Path(path)
    path.write_bytes(without_dates(out.getvalue()))
    return path


def _fit(made: Grid) -> Fit:
    """The largest type at which no number breaks, upright if it can be."""
    needs = [made.need(i) for i in range(len(made.labels))]
    labels = max(width(line.label) for line in made.lines)
    for page in (PORTRAIT, LANDSCAPE):
        room = page - 2 * MARGIN
        for size in BODY_SIZES:
            columns = [need * size / 2 + 2 * CELL_MARGIN + 2 for need in needs]
            least, wish = LABEL_ROOM
            if sum(columns) + least <= room or (page == LANDSCAPE and size == BODY_SIZES[-1]):
                stub = max(least, min(labels * size / 2 + 8, wish, room - sum(columns)))
                spare = max(room - stub - sum(columns), 0) / len(columns)
                return Fit(size, (stub, *(column + spare for column in columns)), page == LANDSCAPE)
    raise AssertionError("the last size on the last page always returns")


def _new_document(fit: Fit) -> Any:
    docx = _docx()
    document = docx.Document()
    section = document.sections[0]
    sides = [docx.shared.Pt(PORTRAIT), docx.shared.Pt(LANDSCAPE)]
    section.page_width, section.page_height = reversed(sides) if fit.landscape else sides
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = docx.shared.Pt(MARGIN)
    if fit.landscape:
        section.orientation = docx.enum.section.WD_ORIENT.LANDSCAPE
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = LATIN, docx.shared.Pt(BODY_SIZES[0])
    normal.element.rPr.rFonts.set(docx.oxml.ns.qn("w:eastAsia"), CHINESE)
    normal.element.rPr.append(_element("w:lang", val="en-US", eastAsia="zh-CN"))
    normal.paragraph_format.space_after = docx.shared.Pt(0)
    document.core_properties.author = document.core_properties.comments = ""
    return document


def _append(document: Any, made: Grid, table: Table, fit: Fit) -> None:
    center = _docx().enum.text.WD_ALIGN_PARAGRAPH.CENTER
    if table.title:
        title = document.add_paragraph()
        _run(title, table.title, TITLE_SIZE, bold=True)
        title.alignment = center
        title.paragraph_format.keep_with_next = True
        title.paragraph_format.space_after = _docx().shared.Pt(4)
    _grid(document, made, table, fit)
    if made.note:
        notes = document.add_paragraph()
        notes.paragraph_format.space_before = _docx().shared.Pt(3)
        _run(notes, made.note_word, NOTE_SIZE, italic=table.lang == "en")
        _run(notes, made.note, NOTE_SIZE)


def _docx() -> Any:
    try:
        import docx
        import docx.enum.section
        import docx.enum.table
        import docx.enum.text
        import docx.oxml
        import docx.oxml.ns
        import docx.shared
    except ImportError as error:
        raise MissingPackageError("Word files need python-docx; install it with: pip install 'econ[docx]'") from error
    return docx


def _grid(document: Any, made: Grid, table: Table, fit: Fit) -> None:
    head_rows, n_columns = len(made.spanners) + 1, len(made.labels) + 1
    word = document.add_table(rows=head_rows + len(made.lines), cols=n_columns)
    word.alignment = _docx().enum.table.WD_TABLE_ALIGNMENT.CENTER
    _column_widths(word, fit)
    rows = [list(row.cells) for row in word.rows]
    thick, thin = (THICK, THIN) if table.style == "three_line" else (JOURNAL_THICK, JOURNAL_THIN)
    _head(rows, made, table, thin, fit.size)
    for above, (cells, line) in enumerate(zip(rows[head_rows:], made.lines, strict=True), start=head_rows - 1):
        _line(cells, line, made, fit.size)
        if line.kind == "below":
            rows[above][0].merge(cells[0])
        if line.opens_block and table.style == "journal":
            _border(cells, "top", thin)
    _border(rows[0], "top", thick)
    _border(rows[head_rows - 1], "bottom", thin)
    _border(rows[-1], "bottom", thick)
    for i, row in enumerate(word.rows):
        properties = row._tr.get_or_add_trPr()
        properties.append(_element("w:cantSplit"))
        if i < head_rows:
            properties.append(_element("w:tblHeader"))
        for cell in row.cells:
            cell.paragraphs[0].paragraph_format.keep_with_next = i < len(word.rows) - 1


def _column_widths(word: Any, fit: Fit) -> None:
    word.autofit = False
    margins = _element("w:tblCellMar")
    for side, gap in (("top", 1), ("left", CELL_MARGIN), ("bottom", 1), ("right", CELL_MARGIN)):
        margins.append(_element(f"w:{side}", w=str(20 * gap), type="dxa"))
    word._tbl.tblPr.append(margins)
    for column, points in zip(word.columns, fit.widths, strict=True):
        column.width = size = _docx().shared.Pt(points)
        for cell in column.cells:
            cell.width = size


def _head(rows: list[list[Any]], made: Grid, table: Table, thin: int, size: float) -> None:
    for cells, level in zip(rows, made.spanners, strict=False):
        for head in level:
            joined = cells[head.start + 1].merge(cells[head.stop])
            if head.text:
                _put(joined, head.text, size, centred=True)
                _border(cells[head.start + 1 : head.stop + 1], "bottom", thin)
    last = rows[len(made.spanners)]
    _put(last[0], table.stub, size)
    for cell, label in zip(last[1:], made.labels, strict=True):
        _put(cell, label, size, centred=True)


def _line(cells: list[Any], line: Line, made: Grid, size: float) -> None:
    if line.kind == "panel":
        _put(cells[0].merge(cells[-1]), line.label, size, italic=True)
        return
    if line.kind != "below":
        _put(cells[0], line.label, size, top=True)
    for i, printed in enumerate(line.cells):
        _put(cells[i + 1], _aligned(printed, made.align(i)), size, centred=True, top=True)


def _aligned(cell: Printed, room: tuple[str, str]) -> str:
    """Centred with figure spaces, which are as wide as a digit; brackets stand outside evenly and need none."""
    return pad(cell, room, FIGURE_SPACE)


def _put(cell: Any, text: str, size: float, *, centred: bool = False, top: bool = False, italic: bool = False) -> None:
    align = _docx().enum.text.WD_ALIGN_PARAGRAPH
    paragraph = cell.paragraphs[0]
    paragraph.alignment = align.CENTER if centred else align.LEFT
    paragraph.paragraph_format.line_spacing = _docx().shared.Pt(LINE_SPACING * size)  # alike in Latin and Chinese rows
    _run(paragraph, text, size, italic=italic)
    vertical = _docx().enum.table.WD_ALIGN_VERTICAL
    cell.vertical_alignment = vertical.TOP if top else vertical.BOTTOM


def _run(paragraph: Any, text: str, size: float, *, bold: bool = False, italic: bool = False) -> None:
    run = paragraph.add_run(text)
    run.font.name, run.font.size = LATIN, _docx().shared.Pt(size)
    run.bold, run.italic = bold or None, italic or None
    run._element.get_or_add_rPr().get_or_add_rFonts().set(_docx().oxml.ns.qn("w:eastAsia"), CHINESE)


def _border(cells: list[Any], side: str, eighths: int) -> None:
    qn = _docx().oxml.ns.qn
    for cell in cells:
        properties = cell._tc.get_or_add_tcPr()
        borders = properties.find(qn("w:tcBorders"))
        if borders is None:
            borders = _element("w:tcBorders")
            properties.insert_element_before(borders, *(
                "w:shd", "w:noWrap", "w:tcMar", "w:textDirection", "w:tcFitText", "w:vAlign", "w:hideMark"
            ))  # fmt: skip
        old = borders.find(qn(f"w:{side}"))
        if old is not None:
            borders.remove(old)
        edge = _element(f"w:{side}", val="single", sz=str(eighths), space="0", color="000000")
        borders.insert(0 if side == "top" else len(borders), edge)


def _element(name: str, **values: str) -> Any:
    docx = _docx()
    element = docx.oxml.OxmlElement(name)
    for key, value in values.items():
        element.set(docx.oxml.ns.qn(f"w:{key}"), value)
    return element
