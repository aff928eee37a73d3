"""Word and Excel files, read back."""

import sys
import zipfile
from pathlib import Path

import docx
import openpyxl
import pandas as pd
import pytest
from docx.oxml.ns import qn
from hand_made import AWKWARD, BASE, POISSON, TWO_WAY, estimate

from econ.errors import MissingPackageError
from econ.options import Lang, TableStyle
from econ.report.frames import DataColumn, data_table
from econ.report.regression import table
from econ.report.tables import Table

FIGURE_SPACE = "\N{FIGURE SPACE}"


def made(lang: Lang = "en", style: TableStyle = "journal", **options) -> Table:
    title = {"en": "Growth", "zh": "增长"}
    return table([BASE, TWO_WAY, POISSON], title=title, lang=lang, style=style, **options)


def word_rows(path: Path) -> list[list[str]]:
    rows = docx.Document(str(path)).tables[0].rows
    return [[cell.text.strip(FIGURE_SPACE) for cell in row.cells] for row in rows]


def edges(cell, side: str) -> str | None:
    found = cell._tc.find(f"{qn('w:tcPr')}/{qn('w:tcBorders')}/{qn(f'w:{side}')}")
    return None if found is None else found.get(qn("w:sz"))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_word_holds_title_cells_and_notes(tmp_path: Path, lang: Lang) -> None:
    path = made(lang).docx(tmp_path / "t.docx")
    document = docx.Document(str(path))
    rows = word_rows(path)
    assert document.paragraphs[0].text == {"en": "Growth", "zh": "增长"}[lang]
    assert document.paragraphs[-1].text.startswith(
        {"en": "Notes: Standard errors in", "zh": "注：括号内为标准误。"}[lang]
    )
    assert rows[2][1:] == ["0.043**", "0.051", "0.00120***"]
    assert rows[3][1:] == ["(0.017)", "(0.041)", "(0.00040)"]
    assert {"en": "Observations", "zh": "样本量"}[lang] in [row[0] for row in rows]


def test_word_three_line_rules_and_fonts(tmp_path: Path) -> None:
    document = docx.Document(str(made("zh", "three_line").docx(tmp_path / "t.docx")))
    rows = document.tables[0].rows
    assert {edges(cell, "top") for cell in rows[0].cells} == {"12"}
    assert {edges(cell, "bottom") for cell in rows[1].cells} == {"6"}
    assert {edges(cell, "bottom") for cell in rows[-1].cells} == {"12"}
    inner = {
        edges(cell, side) for row in rows[2:-1] for cell in row.cells for side in ("top", "bottom", "left", "right")
    }
    assert inner == {None}
    fonts = [run._element.rPr.rFonts for cell in rows[2].cells for run in cell.paragraphs[0].runs]
    assert {font.get(qn("w:eastAsia")) for font in fonts} == {"宋体"}
    assert {font.get(qn("w:ascii")) for font in fonts} == {"Times New Roman"}


def test_word_merges_spanners_and_lies_down_when_wide(tmp_path: Path) -> None:
    path = made().docx(tmp_path / "t.docx")
    assert word_rows(path)[0][1:] == ["GDP per head, yuan", "GDP per head, yuan", "Grants, items"]
    assert docx.Document(str(path)).sections[0].page_width < docx.Document(str(path)).sections[0].page_height
    wide = table([estimate({"rd": (1234567.8, 98765.4)})] * 12).docx(tmp_path / "wide.docx")
    assert docx.Document(str(wide)).sections[0].page_width > docx.Document(str(wide)).sections[0].page_height


def sheet_of(made: Table, tmp_path: Path):
    return openpyxl.load_workbook(made.xlsx(tmp_path / "t.xlsx")).active


def find(sheet, label: str):
    return next(row for row in sheet.iter_rows() if row[0].value == label)


def test_excel_keeps_numbers(tmp_path: Path) -> None:
    sheet = sheet_of(made(), tmp_path)
    row = find(sheet, "R&D")
    assert [cell.value for cell in row[1:]] == [0.0426, 0.0512, 0.0012]
    assert [cell.number_format for cell in row[1:]] == ['#,##0.000"**"', "#,##0.000", '#,##0.00000"***"']
    beneath = sheet[row[0].row + 1]
    assert beneath[1].value == pytest.approx(0.0171)
    assert beneath[1].number_format == '"("#,##0.000")";"(-"#,##0.000")"'
    observations = find(sheet, "Observations")
    assert (observations[1].value, observations[1].number_format) == (12345, "#,##0")
    assert find(sheet, "R²")[3].value == "–"
    assert find(sheet, "Province fixed effects")[1].value == "Yes"


def test_excel_parentheses(tmp_path: Path) -> None:
    tiny = estimate({"x": (1.0, 0.01)})
    small = sheet_of(table([tiny], parentheses="p_value"), tmp_path)
    assert small[4][1].number_format == '"(<0.001)"'
    interval = sheet_of(table([BASE], parentheses="interval"), tmp_path)
    assert interval[4][1].value.startswith("[0.0")


def test_excel_percentages_and_missing_values(tmp_path: Path) -> None:
    frame = pd.DataFrame({"s": [0.25, None]}, index=["a", "b"])
    sheet = sheet_of(data_table(frame, columns={"s": DataColumn("Share", "2015", "percent", 1)}), tmp_path)
    assert (find(sheet, "a")[1].value, find(sheet, "a")[1].number_format) == (0.25, "#,##0.0%")
    assert find(sheet, "b")[1].value == "–"


def test_excel_text_is_never_a_formula(tmp_path: Path) -> None:
    sheet = sheet_of(table([BASE], title="=1+1", labels={"rd": AWKWARD}), tmp_path)
    assert (sheet["A1"].value, sheet["A1"].data_type) == ("=1+1", "s")
    assert find(sheet, AWKWARD)[1].value == 0.0426


@pytest.mark.parametrize("suffix", ["docx", "xlsx"])
def test_same_table_same_bytes(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write = getattr(Table, suffix)
    first = write(made("zh"), tmp_path / f"a.{suffix}")
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    second = write(made("zh"), str(tmp_path / f"b.{suffix}"))
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"1980-01-01T00:00:00Z" in archive.read("docProps/core.xml")


@pytest.mark.parametrize(("package", "method", "extra"), [("docx", "docx", "docx"), ("openpyxl", "xlsx", "excel")])
def test_a_missing_package_names_the_extra(
    package: str, method: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingPackageError, match=rf"pip install 'econ\[{extra}\]'"):
        getattr(made(), method)(tmp_path / "never")
