"""A table in HTML by great_tables: one fragment with its own style sheet, nothing fetched from elsewhere."""

import hashlib
from dataclasses import replace
from html import escape

import pandas as pd
from great_tables import GT, html, loc, style

from econ.report.numbers import Printed
from econ.report.render.grid import Grid, grid, width
from econ.report.tables import Table

FONTS = ["Times New Roman", "Liberation Serif", "Songti SC", "SimSun", "Noto Serif CJK SC", "serif"]
STUB = "stub"
SHORT = 12  # places of a text that is not broken, such as 2015–2018


def render(table: Table) -> str:
    """The fragment; its identifiers come from what is printed, so that digits that are not move no byte."""
    made = grid(table)
    name = _identifier(table, made)
    out = GT(_frame(made), rowname_col=STUB, id=name)
    out = out.fmt_passthrough(columns=[STUB, *_names(made)], escape=False).cols_align("center", columns=_names(made))
    out = out.cols_label({key: html(escape(text)) for key, text in zip(_names(made), made.labels, strict=True)})
    if table.title:
        out = out.tab_header(html(escape(table.title)))
    if table.stub:
        out = out.tab_stubhead(html(escape(table.stub)))
    out = _spanners(out, made)
    if made.note:
        opening = f"<i>{escape(made.note_word)}</i>" if table.lang == "en" else escape(made.note_word)
        out = out.tab_source_note(html(opening + escape(made.note)))
    out = _rules(out, made, table, name)
    language = "zh-CN" if table.lang == "zh" else "en"
    return f'<div lang="{language}">\n{out.as_raw_html().strip()}\n</div>\n'


def _identifier(table: Table, made: Grid) -> str:
    printed = replace(made, lines=tuple(replace(line, source=()) for line in made.lines))
    shown = repr((table.lang, table.style, table.title, table.stub, printed))
    return "t" + hashlib.sha256(shown.encode()).hexdigest()[:12]


def _names(made: Grid) -> list[str]:
    return [f"c{i}" for i in range(1, len(made.labels) + 1)]


def _frame(made: Grid) -> pd.DataFrame:
    rows = []
    for line in made.lines:
        cells = [_cell(cell, made.align(i)) for i, cell in enumerate(line.cells)] or [""] * len(made.labels)
        label = f"<i>{escape(line.label)}</i>" if line.kind == "panel" else escape(line.label)
        rows.append({STUB: label} | dict(zip(_names(made), cells, strict=True)))
    return pd.DataFrame(rows, dtype=object)


def _cell(cell: Printed, room: tuple[str, str]) -> str:
    """Two boxes as wide as the column's numbers, one on each side of the decimal point; a short text on one line."""
    if cell.point is None:
        return f'<span class="n">{escape(cell.text)}</span>' if 0 < width(cell.text) <= SHORT else escape(cell.text)
    return (
        f'<span class="n"><span class="l" style="width:{len(room[0])}ch">{escape(cell.left)}</span>'
        f'<span class="r" style="width:{len(room[1])}ch">{escape(cell.right)}</span></span>'
    )


def _spanners(out: GT, made: Grid) -> GT:
    names = _names(made)
    for level, heads in enumerate(reversed(made.spanners)):
        for head in heads:
            if head.text:
                columns = names[head.start : head.stop]
                key = f"s{level}-{head.start}"
                out = out.tab_spanner(html(escape(head.text)), columns=columns, level=level, id=key, gather=False)
    return out


def _rules(out: GT, made: Grid, table: Table, name: str) -> GT:
    thick, thin = ("1.5pt", "0.75pt") if table.style == "three_line" else ("1pt", "0.5pt")
    out = out.tab_options(
        table_border_top_style="none",
        table_border_bottom_style="none",
        heading_border_bottom_style="none",
        table_body_hlines_style="none",
        stub_border_style="none",
        source_notes_border_bottom_style="none",
        container_overflow_x="auto",
        table_font_names=FONTS,
        table_font_size="15px",
        table_font_color="#000000",
        heading_title_font_size="16px",
        heading_title_font_weight="bold",
        column_labels_border_top_style="solid",
        column_labels_border_top_width=thick,
        column_labels_border_top_color="#000000",
        column_labels_border_bottom_style="solid",
        column_labels_border_bottom_width=thin,
        column_labels_border_bottom_color="#000000",
        table_body_border_top_style="none",
        table_body_border_bottom_style="solid",
        table_body_border_bottom_width=thick,
        table_body_border_bottom_color="#000000",
        data_row_padding="2px",
        data_row_padding_horizontal="10px",
        column_labels_padding_horizontal="10px",
        source_notes_font_size="13px",
        table_additional_css=_css(name, thin),
    )
    opening = [i for i, line in enumerate(made.lines) if line.opens_block]
    if table.style == "journal" and opening:
        line = style.borders(sides="top", color="#000000", style="solid", weight=thin)
        out = out.tab_style(line, [loc.body(rows=opening), loc.stub(rows=opening)])
    return out


def _css(name: str, thin: str) -> str:
    return f"""
#{name} .gt_title {{ font-weight: bold; }}
#{name} .gt_row {{ border-top-style: none; font-variant-numeric: lining-nums tabular-nums; }}
#{name} .gt_row {{ vertical-align: baseline; }}
#{name} .gt_row, #{name} .gt_col_heading {{ word-break: keep-all; }}
#{name} .gt_row .n {{ white-space: nowrap; }}
#{name} .gt_row .l, #{name} .gt_row .r {{ display: inline-block; white-space: pre; }}
#{name} .gt_row .l {{ text-align: right; }}
#{name} .gt_row .r {{ text-align: left; }}
#{name} .gt_col_heading, #{name} .gt_column_spanner_outer {{ max-width: 18em; vertical-align: bottom; }}
#{name} .gt_column_spanner {{ border-bottom: {thin} solid #000000; }}
#{name} .gt_stub, #{name} .gt_col_heading.gt_left, #{name} .gt_sourcenote {{ padding-left: 0; }}
#{name} .gt_stub {{ min-width: 8em; max-width: 24em; padding-right: 16px; border-right-style: none; }}
#{name} .gt_sourcenote {{ line-height: 1.4; }}
"""
