"""Statistical tables as they are printed in yearbooks, from a grid of cells to long form.

A sheet is read in this order: unit line and title rows on top; header rows, bilingual or stacked, merged cells filled;
body rows; footnotes. Four layouts are known, told apart by where the periods stand:

- units down, periods across, one variable or several (periods and variables in stacked headers);
- units down, variables across, the one period in the title;
- periods down, units across, one variable;
- a plain table, where one row holds the names of both key columns.

Nothing is guessed: a cell that is neither a number nor a mark for missing is an error, and what was left out is said.
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import pandas as pd

from econ.data.encoding import HANZI
from econ.data.frames import refuse_repeated
from econ.data.regions import recognise
from econ.errors import DataError
from econ.panel import Column

Grid = Sequence[Sequence[Any]]
Row = list[Any]
Head = tuple[int | None, tuple[str, ...]]  # period and other texts over a column

SHOWN = 5  # cells quoted in an error message
MISSING = frozenset({"", "-", "--", "–", "—", "——", "…", "……", "...", "..", "·", "/", "NA", "N/A", "NaN", "nan"})
NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:[, ]\d{3})+|\d+)(?:\.\d*)?(?:[eE][+-]?\d+)?|[+-]?\.\d+")
WIDE_DIGITS = str.maketrans("０１２３４５６７８９．，－＋\u3000", "0123456789.,-+ ")
UNIT_LINE = re.compile(r"(?:计量)?(?:单位|Unit)\s*[:\uff1a]\s*(.+)", re.IGNORECASE)
FOOTNOTE = re.compile(r"(?:注|备注|说明|(?:资料|数据)?来源|Notes?|Sources?)\s*\d*\s*[:\uff1a.]|\*", re.IGNORECASE)
PERIOD = re.compile(r"((?:19|20)\d\d)\s*(?:年度?)?")
BILINGUAL = re.compile(r"(.*[\u3400-\u9fff][^A-Za-z]*?)\s+([A-Za-z#][^\u3400-\u9fff]*)")
MEASURE = re.compile(r"[(\uff08]([^()\uff08\uff09]*)[)\uff09]\s*$")
TABLE_NUMBER = re.compile(r"(?:表|Table)?\s*\d+(?:\s*[-–—.]\s*\d+)+\s*|指标\s*[:\uff1a]\s*", re.IGNORECASE)
YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)(?!\d)")


@dataclass(frozen=True)
class Sheet:
    """A table in long form, what is known about its columns, and what was recognised or left out, in sentences."""

    frame: pd.DataFrame
    columns: dict[str, Column]
    said: tuple[str, ...]


def read_grid(cells: Grid, unit: str, time: str | None, name: str | None, where: str) -> Sheet:
    """One sheet in long form with the key columns ``unit`` and ``time``.

    Parameters
    ----------
    cells : rows of cells, merged cells already filled.
    name : the variable, where the sheet has only one; by default its title.
    where : names file and sheet in messages.
    """
    rows = [[_tidy(cell) for cell in row] for row in cells]
    rows = [row for row in rows if any(cell != "" for cell in row)]
    if not rows:
        raise DataError(f"{where} is empty.")
    width = max(len(row) for row in rows)
    rows = [row + [""] * (width - len(row)) for row in rows]
    keys = {unit, time} - {None}
    for at, row in enumerate(rows):
        if keys <= set(row):
            return _plain(row, rows[at + 1 :], unit, where)
    if time is None:
        raise DataError(f"{where} has no row with the column {unit!r}; its first row is {_quote(rows[0])}.")
    return _printed(rows, unit, time, name, where)


# ---- cells


def _tidy(cell: Any) -> Any:
    if cell is None:
        return ""
    return re.sub(r"\s+", " ", cell).strip() if isinstance(cell, str) else cell


def period_of(cell: Any) -> int | None:
    """The year that a cell is: 2015, "2015", "2015年", "2015年度"; None for anything else."""
    if isinstance(cell, bool):
        return None
    if isinstance(cell, int | float):
        return int(cell) if 1900 <= cell < 2100 and cell == int(cell) else None
    match = PERIOD.fullmatch(unicodedata.normalize("NFKC", cell).strip()) if isinstance(cell, str) else None
    return int(match[1]) if match else None


def number_of(cell: Any) -> float | None:
    """The number that a cell is, NaN for a mark of a missing value, None for anything else."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return float(cell)
    if not isinstance(cell, str):
        return None
    text = cell.translate(WIDE_DIGITS).strip()
    if text in MISSING:
        return float("nan")
    return float(re.sub(r"[, ]", "", text)) if NUMBER.fullmatch(text) else None


def unit_name(cell: Any) -> Any:
    """A unit as it is called: spaces inside a Chinese name are typesetting and are taken out."""
    if not isinstance(cell, str):
        return cell
    typeset = HANZI.search(cell) and not re.search("[A-Za-z]", cell)
    return re.sub(r"\s", "", cell) if typeset else cell.strip()


def is_number(cell: Any) -> bool:
    """Whether a cell is a number, and no mark of a missing one."""
    number = number_of(cell)
    return number is not None and not math.isnan(number)


def _is_key(cell: Any) -> bool:
    known = isinstance(cell, str) and recognise([cell])[0].kind not in ("unknown", "missing", "ambiguous")
    return known or period_of(cell) is not None


# ---- plain tables


def _plain(header: Row, body: list[Row], unit: str, where: str) -> Sheet:
    """A table whose header row names its columns."""
    names = {i: str(cell) for i, cell in enumerate(header) if cell != ""}
    refuse_repeated(names.values(), where)
    notes = [row for row in body if len(_distinct(row)) == 1 and FOOTNOTE.match(_distinct(row)[0])]
    kept = [row for row in body if row not in notes]
    frame = pd.DataFrame({name: column([row[i] for row in kept]) for i, name in names.items()})
    return Sheet(frame, {}, tuple(f"footnote: {_quote(row)}" for row in notes))


def column(cells: Sequence[Any]) -> "pd.Series[Any]":
    """Cells as numbers where every one is a number or missing, and as they are (blank = missing) otherwise.

    Texts with a leading zero, such as 0101, are codes and stay texts.
    """
    if all(number_of(cell) is not None and not is_code(cell) for cell in cells):
        return as_integers(pd.Series([number_of(cell) for cell in cells], dtype="float64"))
    return pd.Series([None if cell == "" else cell for cell in cells], dtype="object").infer_objects()


def is_code(cell: Any) -> bool:
    """A text of digits with a leading zero, such as 0101."""
    return isinstance(cell, str) and re.fullmatch(r"0\d+", cell) is not None


def as_integers(series: "pd.Series[Any]") -> "pd.Series[Any]":
    """Floats as integers where all are whole and exact."""
    whole = len(series) > 0 and bool((series.notna() & (series % 1 == 0) & (series.abs() < 2**53)).all())
    return series.astype("int64") if whole else series


# ---- printed tables


@dataclass(frozen=True)
class _Parts:
    """A printed table taken apart; ``stub`` is the column of row keys, ``heads`` are the columns of values."""

    titles: list[str]
    measure: str | None
    header: list[Row]
    body: list[Row]
    stub: int
    heads: dict[int, Head]
    notes: list[str]
    left_out: list[str]


@dataclass(frozen=True)
class _Cell:
    unit: Any
    period: int | None
    texts: tuple[str, ...]  # of the variable
    value: float


def _printed(rows: list[Row], unit: str, time: str, name: str | None, where: str) -> Sheet:
    parts = _take_apart(rows, where)
    cells, layout = _cells(parts, unit, time, name, where)
    names = _names(list(dict.fromkeys(cell.texts for cell in cells)), parts, name)
    records = [
        {unit: unit_name(cell.unit), time: cell.period, "name": names[cell.texts][0], "value": cell.value}
        for cell in cells
    ]
    said = [f"recognised as a printed table: {layout}, {len(parts.body)} rows, {len(parts.heads)} columns of values"]
    said += [f"title: {' '.join(parts.titles)}"] * bool(parts.titles)
    said += [f"header: {' / '.join(map(_quote, parts.header))}"]
    said += [f"unit of measure: {parts.measure}"] * bool(parts.measure)
    said += [f"left out: {words}" for words in (*parts.left_out, *_undated(parts))]
    said += [f"footnote: {note}" for note in parts.notes]
    return Sheet(_long(records, unit, time, where), dict(names.values()), tuple(said))


def _undated(parts: _Parts) -> list[str]:
    """Columns without a period in a table whose other columns have one."""
    dated = any(period is not None for period, _ in parts.heads.values())
    undated = {i: texts for i, (period, texts) in parts.heads.items() if dated and period is None}
    return [f"column {_words(texts) or i + 1}" for i, texts in undated.items()]


def _cells(parts: _Parts, unit: str, time: str, name: str | None, where: str) -> tuple[list[_Cell], str]:
    """Every value with its unit, period and variable; and the layout in words."""
    grid = [(row, i, head) for row in parts.body for i, head in parts.heads.items()]
    if any(period is not None for period, _ in parts.heads.values()):
        cells = [
            _Cell(row[parts.stub], period, texts, _value(row, i, parts, where))
            for row, i, (period, texts) in grid
            if period is not None
        ]
        return cells, "units down, periods across"
    if all(period_of(row[parts.stub]) is not None for row in parts.body):
        _refuse_unless_units(parts, name, where)
        cells = [
            _Cell(_words(texts), period_of(row[parts.stub]), (), _value(row, i, parts, where))
            for row, i, (_, texts) in grid
        ]
        return cells, "periods down, units across"
    year = _period_of_title(parts, unit, time, where)
    cells = [_Cell(row[parts.stub], year, texts, _value(row, i, parts, where)) for row, i, (_, texts) in grid]
    return cells, f"units down, variables across, {year} from the title"


def _refuse_unless_units(parts: _Parts, name: str | None, where: str) -> None:
    texts = [_words(texts) for _, texts in parts.heads.values()]
    if name is None and 2 * sum(map(_is_key, texts)) < len(texts):
        raise DataError(
            f"{where} has periods down its rows, and its columns ({', '.join(texts[:SHOWN])}) are no provinces. If "
            "they are units, say with name=... which variable the table holds; if they are variables, it has no units."
        )


def _period_of_title(parts: _Parts, unit: str, time: str, where: str) -> int:
    years = {int(year) for title in parts.titles for year in YEAR.findall(title)}
    names = [text for row in parts.header for text in _distinct(row)]
    if len(years) == 1 and time not in names:
        return years.pop()
    absent = [key for key in (unit, time) if key not in names]
    near = [near[0] for key in absent if (near := get_close_matches(key, names, n=1))]
    nearest = f" (nearest: {', '.join(near)})" if near else ""
    raise DataError(
        f"{where} has no column {' and none '.join(map(repr, absent))}{nearest}; it has {', '.join(names[:12])}. Nor "
        "is it a printed table with one period: neither headers nor rows are years, and no title names a single year."
    )


def _value(row: Row, i: int, parts: _Parts, where: str) -> float:
    value = number_of(row[i])
    if value is None:
        raise DataError(
            f"{where}: the cell {row[i]!r} in row {row[parts.stub]!r} is neither a number nor a mark for missing "
            "(blank, -, …); correct it in the file."
        )
    return value


def _long(records: list[dict[str, Any]], unit: str, time: str, where: str) -> pd.DataFrame:
    frame = pd.DataFrame(records)
    twice = frame[frame.duplicated([unit, time, "name"])]
    if len(twice):
        first = twice.iloc[0]
        raise DataError(
            f"{where} has {len(twice)} cells for the same variable, unit and period, such as {first['name']!r} for "
            f"{first[unit]!r} in {first[time]}; give rows and headers distinct names."
        )
    wide = frame.pivot(index=[unit, time], columns="name", values="value")
    order = frame[[unit, time]].drop_duplicates()
    wide = wide.loc[list(order.itertuples(index=False, name=None)), list(dict.fromkeys(frame["name"]))]
    return wide.rename_axis(columns=None).reset_index()


# ---- the parts of a printed table


def _take_apart(rows: list[Row], where: str) -> _Parts:
    measure = next((words for row in rows for cell in row if (words := _measure(cell))), None)
    rows = [["" if _measure(cell) else cell for cell in row] for row in rows]
    rows = [row for row in rows if any(cell != "" for cell in row)]
    top = next((at for at, row in enumerate(rows) if len(_distinct(row)) > 1), len(rows))
    start = next((at for at in range(top + 1, len(rows)) if _opens_body(rows[at])), len(rows))
    header = rows[top:start]
    below = [row for row in rows[start:] if row not in header]  # a header is repeated where a table is continued
    flags = [_is_body(row) and not (at and _translates(row, below[at - 1])) for at, row in enumerate(below)]
    if not any(flags):
        raise DataError(
            f"{where} is no table that is known: no row with the names of both key columns, and no rows of numbers "
            f"under a header. It begins with {_quote(rows[0] if rows else [])!r}. Bring it into one row per unit and "
            "period."
        )
    last = len(flags) - flags[::-1].index(True)
    body = [row for row, flag in zip(below, flags, strict=True) if flag]
    stub, texts, columns = _stub_and_values(header, body)
    nameless = [row for row in body if row[stub] == ""]
    if nameless:
        raise DataError(f"{where} has {len(nameless)} rows of values without a name, such as {_quote(nameless[0])!r}.")
    left_out = [f"row {_quote(row)}" for row, flag in zip(below[:last], flags, strict=False) if not flag]
    left_out += [f"column {_words(_head(header, i, where)[1]) or i + 1}" for i in texts if i != stub]
    return _Parts(
        titles=[_distinct(row)[0] for row in rows[:top]],
        measure=measure,
        header=header,
        body=body,
        stub=stub,
        heads={i: _head(header, i, where) for i in columns},
        notes=[" ".join(_distinct(row)) for row in below[last:]],
        left_out=left_out,
    )


def _measure(cell: Any) -> str | None:
    """The unit of measure in a unit line, such as 单位:亿元."""
    text = re.sub(r"^[(\uff08](.*)[)\uff09]$", r"\1", cell) if isinstance(cell, str) else ""
    match = UNIT_LINE.match(text)
    return match[1].strip() if match else None


def _opens_body(row: Row) -> bool:
    """The first row of values: a number that is no year, or nothing but numbers beside a known key."""
    first, rest = _split(row)
    return _is_body(row) and (_is_key(first) or any(is_number(cell) and period_of(cell) is None for cell in rest))


def _is_body(row: Row) -> bool:
    """A row of values, or of marks for missing ones beside a known key."""
    first, rest = _split(row)
    if isinstance(first, str) and FOOTNOTE.match(first):
        return False
    blank_or_number = bool(rest) and all(number_of(cell) is not None for cell in rest)
    return any(map(is_number, rest)) or (blank_or_number and _is_key(first))


def _translates(row: Row, above: Row) -> bool:
    """A row with nothing but the English name of the unit above."""
    first, rest = _split(row)
    return _is_key(first) and all(cell == "" for cell in rest) and len(set(recognise([first, _split(above)[0]]))) == 1


def _split(row: Row) -> tuple[Any, Row]:
    """The key of a row and the cells after it; a row that begins with blanks and a number has no key."""
    at = next(i for i, cell in enumerate(row) if cell != "")
    return ("", row[at:]) if at and is_number(row[at]) else (row[at], row[at + 1 :])


def _stub_and_values(header: list[Row], body: list[Row]) -> tuple[int, range, list[int]]:
    """The column of row keys (the most varied leading text column), the text columns, the columns of values."""
    width, texts = len(body[0]), 1
    while texts < width and _is_text_column([row[texts] for row in body]):
        texts += 1
    stub = max(range(texts), key=lambda i: (len({str(row[i]) for row in body}), -i))
    return stub, range(texts), [i for i in range(texts, width) if any(row[i] != "" for row in (*header, *body))]


def _is_text_column(cells: Row) -> bool:
    return any(number_of(cell) is None for cell in cells) and not any(map(is_number, cells))


def _head(header: list[Row], i: int, where: str) -> Head:
    """Period and other texts, from top to bottom, over one column."""
    cells = list(dict.fromkeys(row[i] for row in header if row[i] != ""))
    periods = {period for cell in cells if (period := period_of(cell)) is not None}
    if len(periods) > 1:
        raise DataError(f"{where} has the periods {sorted(periods)} over one column; give each column one period.")
    return next(iter(periods), None), tuple(str(cell) for cell in cells if period_of(cell) is None)


# ---- names of variables


def _names(heads: list[tuple[str, ...]], parts: _Parts, name: str | None) -> dict[tuple[str, ...], tuple[str, Column]]:
    """Name and description of each variable; the one variable of a sheet is called ``name``, or as its title."""
    note = " ".join(parts.notes) or None
    if len(heads) > 1:
        return {texts: _describe(texts, parts.measure, note) for texts in heads}
    titles = list(dict.fromkeys(TABLE_NUMBER.sub("", title).strip() for title in parts.titles))
    own, described = _describe(heads[0] or titles, parts.measure, note)
    return {heads[0]: (name or own, described)}


def _describe(texts: Iterable[str], measure: str | None, note: str | None) -> tuple[str, Column]:
    """Name and column of stacked headers such as "地区生产总值 Gross Regional Product (亿元)"."""
    zh, en, own = [], [], []
    for text in texts:
        in_brackets = MEASURE.search(text)
        own += [in_brackets[1].strip()] if in_brackets and not YEAR.search(in_brackets[1]) else []
        words = MEASURE.sub("", text).strip()
        both = BILINGUAL.fullmatch(words)
        chinese, english = (both[1], both[2]) if both else (words, "") if HANZI.search(words) else ("", words)
        zh.append(re.sub(r"\s", "", chinese))
        en.append(english)
    label_zh, label = "".join(zh), " ".join(filter(None, en))
    described = Column(label=label or None, label_zh=label_zh or None, unit=own[0] if own else measure, note=note)
    return label_zh or label or "value", described


def _words(texts: Iterable[str]) -> str:
    return " ".join(texts)


def _distinct(row: Row) -> list[str]:
    return list(dict.fromkeys(str(cell) for cell in row if cell != ""))


def _quote(row: Row) -> str:
    return " | ".join(str(cell) for cell in row if cell != "")[:80]
