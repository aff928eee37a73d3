"""A data frame as a printed table of statistics."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from numbers import Real
from typing import Any

import pandas as pd

from econ.errors import OptionError
from econ.options import Lang, NumberFormat, TableStyle, check_word
from econ.report.labels import Words, text, word
from econ.report.layout import check_list
from econ.report.numbers import check_digits
from econ.report.tables import Cell, Column, Number, Row, Section, Table


@dataclass(frozen=True)
class DataColumn:
    """How one column of a frame is printed.

    Attributes
    ----------
    label : head of the column, with its unit of measure: ``"Growth, %"``
    spanner : head over this column and its neighbours that have the same; several from the top down
    format : ``"number"``, ``"integer"`` (no decimals), ``"percent"`` (a share, printed times 100 with a percent
        sign) or ``"p_value"``; text needs none
    digits : decimals; the table's where it is None
    """

    label: Words
    spanner: Words | tuple[Words, ...] = ()
    format: NumberFormat | None = None
    digits: int | None = None

    def __post_init__(self) -> None:
        if self.format is not None:
            check_word(self.format, NumberFormat, "format")
        if self.digits is not None:
            check_digits(self.digits)


def data_table(
    frame: pd.DataFrame,
    *,
    title: Words = "",
    lang: Lang = "en",
    columns: Mapping[Any, DataColumn | Words] | None = None,
    rows: str | None = None,
    panels: str | None = None,
    stub: Words = "",
    notes: Sequence[Words] = (),
    missing: Words | None = None,
    digits: int = 3,
    style: TableStyle = "journal",
) -> Table:
    """A frame as a table: one row per row, missing values as dashes.

    Parameters
    ----------
    frame : the numbers; whole-number columns are printed as integers unless ``columns`` says otherwise
    title : printed above; like every text here a string, or ``{"en": ..., "zh": ...}``
    lang : ``"en"`` or ``"zh"``
    columns : column -> ``DataColumn``, or just its label, in the order of printing; columns not named are left out. By
        default all, under their own names; the upper levels of a column index become spanners
    rows : column that holds the row labels; the index by default
    panels : column that groups the rows into panels, titled by its values in order of appearance
    stub : head of the row labels
    notes : sentences printed below
    missing : what the dash means, added to the notes where a value is missing
    digits : decimals
    style : ``"journal"`` or ``"three_line"`` (三线表)

    Examples
    --------
    >>> frame = pd.DataFrame({"plate": ["East", "West"], "grants": [60612, 8021], "share": [0.739, 0.098]})
    >>> head = {"grants": "Grants, items", "share": DataColumn("Share", format="percent", digits=1)}
    >>> print(data_table(frame, title="Invention patents, 2015", rows="plate", columns=head))
    Invention patents, 2015
    ──────────────────────────
          Grants, items  Share
    ──────────────────────────
    East      60,612     73.9%
    West       8,021      9.8%
    ──────────────────────────
    """
    check_word(lang, Lang, "lang")
    check_digits(digits)
    check_list(notes, "notes")
    for name in (rows, panels):
        if name is not None:
            _require(frame, name)
    specs = _specs(frame, columns, {rows, panels}, lang)
    names = [str(name) for name in (frame.index if rows is None else frame[rows])]
    groups = [""] * len(frame) if panels is None else [str(name) for name in frame[panels]]
    cells = [[_cell(value, spec, digits, lang) for value in frame[name]] for name, spec in specs.items()]
    lines = [Row("text", name, tuple(column[i] for column in cells)) for i, name in enumerate(names)]
    sections = tuple(
        Section(tuple(line for line, group in zip(lines, groups, strict=True) if group == title), title)
        for title in dict.fromkeys(groups)
    )
    dashes = any(cell is None for line in lines for cell in line.cells)
    explained = text(missing, lang) if missing is not None else word("missing_data", lang)
    return Table(
        title=text(title, lang),
        columns=tuple(Column(text(spec.label, lang), _spanners(spec, lang)) for spec in specs.values()),
        panels=sections,
        notes=(*(text(note, lang) for note in notes), *([explained] if dashes and explained else [])),
        lang=lang,
        style=style,
        stub=text(stub, lang),
        digits=digits,
    )


def _specs(
    frame: pd.DataFrame, columns: Mapping[Any, DataColumn | Words] | None, used: set[str | None], lang: Lang
) -> dict[Hashable, DataColumn]:
    if columns is None:
        columns = {name: _own_name(name) for name in frame.columns if name not in used}
    if not columns or not len(frame):
        raise OptionError(f"data_table() has {len(columns)} columns and {len(frame)} rows; give at least one of each.")
    specs = {}
    for name, given in columns.items():
        _require(frame, name)
        spec = given if isinstance(given, DataColumn) else DataColumn(given)
        own: NumberFormat = "integer" if pd.api.types.is_integer_dtype(frame[name]) else "number"
        specs[name] = replace(spec, format=spec.format or own)
    return specs


def _own_name(name: Any) -> DataColumn:
    if isinstance(name, tuple):
        return DataColumn(str(name[-1]), tuple(str(part) for part in name[:-1]))
    return DataColumn(str(name))


def _require(frame: pd.DataFrame, name: Any) -> None:
    if name not in frame.columns:
        have = [str(column) for column in frame.columns]
        near = get_close_matches(str(name), have, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise OptionError(f"The frame has no column {name!r}; it has {', '.join(map(repr, have))}.{hint}")


def _spanners(spec: DataColumn, lang: Lang) -> tuple[str, ...]:
    given = spec.spanner if isinstance(spec.spanner, tuple) else (spec.spanner,)
    return tuple(spanner for spanner in (text(part, lang) for part in given) if spanner)


def _cell(value: Any, spec: DataColumn, digits: int, lang: Lang) -> Cell:
    if isinstance(value, Mapping):
        return text(value, lang)
    if pd.isna(value):
        return None
    if isinstance(value, bool) or not isinstance(value, Real):
        return str(value)
    decimals = 0 if spec.format == "integer" else digits if spec.digits is None else spec.digits
    return Number(float(value), spec.format or "number", decimals)
