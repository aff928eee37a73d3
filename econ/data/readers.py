"""Files as panels: csv, xlsx, dta and parquet, as they come from statistical bureaus and from Stata."""

import csv
import io
import warnings
import zipfile
import zlib
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pandas as pd

from econ.data import stata
from econ.data.encoding import decode, refuse_garbled
from econ.data.frames import quote_cells, refuse_repeated, require_columns
from econ.data.regions import recognise, standard_names
from econ.data.yearbook import (
    FOOTNOTE,
    Sheet,
    as_integers,
    column,
    is_code,
    is_number,
    number_of,
    period_of,
    read_grid,
    unit_name,
)
from econ.errors import DataError, EconWarning, MissingPackageError, OptionError
from econ.options import RegionName, check_word
from econ.panel import Panel

SHOWN = 5  # names quoted in a message
SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".dta", ".parquet")
BROKEN_XLSX = (zipfile.BadZipFile, zlib.error, KeyError, ValueError, TypeError, EOFError, SyntaxError)  # XML: the last
MISSING_WORDS = ["", "NA", "NaN", "nan", "NULL", "null", "N/A", "#N/A"]


def read(
    path: str | Path,
    unit: str,
    time: str | None = None,
    *,
    sheet: str | None = None,
    name: str | None = None,
    regions: RegionName | None = None,
    drop: Sequence[str] = (),
) -> Panel:
    """A file as a checked panel; what was recognised, changed or left out is in ``panel.history``.

    Formats, by suffix: ``.csv``, ``.tsv``, ``.txt`` (UTF-8, UTF-16 with a byte-order mark, or GB18030, decoded
    strictly); ``.xlsx``; ``.dta`` of any Stata version, Chinese text of the versions before 14 decoded; ``.parquet``.

    A csv or xlsx file may also be a table as it is printed in a yearbook: title, unit line (单位:亿元), merged and
    bilingual headers, years across or down, footnotes; ``unit`` and ``time`` are then the names that its keys get.

    Parameters
    ----------
    unit, time : the columns of units and periods (``time=None``: a cross-section).
    sheet : the sheet of an xlsx file with several.
    name : the variable, where a table holds only one and its columns are periods.
    regions : bring the units to one spelling of the provinces ("en", "zh" or "code"), leave out rows of totals and of
        groups of provinces, and refuse what is no province. Default: units stay as they are.
    drop : units to leave out, as written in the file, such as 新疆生产建设兵团.

    Raises
    ------
    DataError : no such file or column, an unknown encoding or garbled text, duplicate keys, cells that are no numbers.
    MissingPackageError : the library for the format is not installed; the message names the extra.

    Examples
    --------
    >>> import tempfile, pathlib, econ
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "gdp.csv"
    >>> _ = path.write_bytes("地区,2014年,2015年\\n北 京,22926.0,24779.1\\n陕西省,17402.5,17898.8\\n".encode("gb18030"))
    >>> econ.read(path, unit="province", time="year", name="gdp", regions="en").frame
      province  year      gdp
    0  Beijing  2014  22926.0
    1  Beijing  2015  24779.1
    2  Shaanxi  2014  17402.5
    3  Shaanxi  2015  17898.8
    """
    if regions is not None:
        check_word(regions, RegionName, "regions")
    file = _existing(Path(path))
    loaded = _load(file, unit, time, sheet, name)
    require_columns(loaded.frame, [unit, *([time] if time else [])], file.name)
    if name is not None and name not in loaded.frame:
        have = ", ".join(map(repr, loaded.frame.columns[:SHOWN]))
        raise OptionError(f"name={name!r} is not allowed: {file.name} has its own columns ({have}); leave name out.")
    said = [*loaded.said]
    frame = _choose_units(_tidy_rows(loaded.frame, said), unit, regions, drop, said)
    if time is not None:
        frame = frame.assign(**{time: _years(frame[time])})
    _refuse_mistyped(frame, [unit, *([time] if time else [])], file.name)
    panel = Panel(frame, unit, time, columns=loaded.columns)
    panel.history = tuple(said)
    return panel


def first_row(path: str | Path, sheet: str | None = None) -> list[str]:
    """The first row of a text or Excel file, or the columns of a Stata or Parquet file; keys may be guessed by it."""
    file = _existing(Path(path))
    match file.suffix.lower():
        case ".csv" | ".tsv" | ".txt":
            text, _ = decode(file.read_bytes(), file.name)
            return _first_line(text, _delimiter(text))
        case ".xlsx":
            page = _page(_workbook(file), sheet, file.name)
            return [
                str(cell) for row in page.iter_rows(max_row=1, values_only=True) for cell in row if cell is not None
            ]
        case ".dta":
            return stata.names(file)
        case ".parquet":
            return [str(name) for name in _read_parquet(file).frame]
    return []


# ---- the file


def _existing(path: Path) -> Path:
    if path.is_file():
        return path
    folder = path.parent
    if not folder.is_dir():
        raise DataError(f"There is no folder {str(folder)!r}; check the path.")
    names = sorted(entry.name for entry in folder.iterdir() if entry.suffix.lower() in SUFFIXES)
    near = get_close_matches(path.name, names, n=3, cutoff=0.4) or names[:SHOWN]
    hint = f"Nearest: {', '.join(near)}." if near else "The folder holds no file that can be read."
    raise DataError(f"There is no file {path.name!r} in {str(folder)!r}. {hint}")


def _load(file: Path, unit: str, time: str | None, sheet: str | None, name: str | None) -> Sheet:
    suffix = file.suffix.lower()
    if suffix not in SUFFIXES:
        advice = " Save it as .xlsx." if suffix in (".xls", ".et", ".ods") else ""
        raise OptionError(f"{file.name!r} cannot be read; the formats are {', '.join(SUFFIXES)}.{advice}")
    if sheet is not None and suffix != ".xlsx":
        raise OptionError(f"sheet={sheet!r} is not allowed for {suffix}; only .xlsx files have sheets.")
    if suffix == ".xlsx":
        return _read_xlsx(file, unit, time, sheet, name)
    if suffix == ".dta":
        return _melted(stata.read_dta(file, unit), unit, time, name)
    if suffix == ".parquet":
        return _melted(_read_parquet(file), unit, time, name)
    return _read_text(file, unit, time, name)


def _melted(loaded: Sheet, unit: str, time: str | None, name: str | None) -> Sheet:
    """A wide frame in long form, if ``name`` says so and its other columns are periods."""
    frame = loaded.frame
    if name is None or time is None or time in frame:
        return loaded
    require_columns(frame, [unit], "The file")
    periods = {label: period_of(label) for label in frame.columns if label != unit}
    others = [str(label) for label, period in periods.items() if period is None]
    if others:
        raise DataError(
            f"Columns {', '.join(others[:SHOWN])} are no periods; with name={name!r} all but {unit!r} must be."
        )
    long = frame.rename(columns=periods).melt(unit, var_name=time, value_name=name).astype({time: "int64"})
    return Sheet(long, {}, (*loaded.said, f"{len(periods)} columns of periods turned into rows"))


# ---- text


def _read_text(file: Path, unit: str, time: str | None, name: str | None) -> Sheet:
    text, encoding = decode(file.read_bytes(), file.name)
    delimiter = _delimiter(text)
    said = f"read {file.name} ({encoding}{'' if delimiter == ',' else f', separated by {delimiter!r}'})"
    first = _first_line(text, delimiter)
    if {unit, time} - {None} <= set(first):
        refuse_repeated(filter(None, first), file.name)
        loaded = _plain_text(text, delimiter, file.name)
    else:
        loaded = read_grid(list(csv.reader(io.StringIO(text), delimiter=delimiter)), unit, time, name, file.name)
    return Sheet(loaded.frame, loaded.columns, (said, *loaded.said))


def _delimiter(text: str) -> str:
    return max((",", "\t", ";"), key=text[:10_000].count)


def _first_line(text: str, delimiter: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader(io.StringIO(text), delimiter=delimiter), [])]


def _plain_text(text: str, delimiter: str, where: str) -> Sheet:
    source = io.StringIO(text)
    try:
        frame = pd.read_csv(
            source, sep=delimiter, skipinitialspace=True, keep_default_na=False, na_values=MISSING_WORDS
        )
    except pd.errors.ParserError as error:
        raise DataError(f"{where} has rows of unequal length ({error}); correct them in the file.") from error
    if not isinstance(frame.index, pd.RangeIndex):
        raise DataError(f"{where} has more cells in its rows than names in its header; name every column.")
    frame.columns = pd.Index([str(label).strip() for label in frame.columns])
    said = []
    for label in frame.select_dtypes(["object", "string"]):
        numbers = column(frame[label].fillna("").to_list())
        if pd.api.types.is_numeric_dtype(numbers):
            frame[label] = numbers.to_numpy()
            said.append(f"{label}: thousands separators or marks for missing values read as numbers")
    return Sheet(frame, {}, tuple(said))


# ---- other formats


def _read_xlsx(file: Path, unit: str, time: str | None, sheet: str | None, name: str | None) -> Sheet:
    page = _page(_workbook(file), sheet, file.name)
    _refuse_uncalculated(page, _workbook(file, formulas=True)[page.title], file.name)
    cells = [[cell.value for cell in row] for row in page.iter_rows()]
    for area in page.merged_cells.ranges:
        for row in range(area.min_row - 1, area.max_row):
            for at in range(area.min_col - 1, area.max_col):
                cells[row][at] = cells[area.min_row - 1][area.min_col - 1]
    where = f"{file.name}, sheet {page.title}"
    refuse_garbled((cell for row in cells for cell in row if isinstance(cell, str)), where)
    loaded = read_grid(cells, unit, time, name, where)
    return Sheet(loaded.frame, loaded.columns, (f"read {where}", *loaded.said))


def _workbook(file: Path, formulas: bool = False) -> Any:
    try:
        import openpyxl
    except ImportError as error:
        raise MissingPackageError("Excel files need openpyxl: pip install 'econ[excel]'.") from error
    try:
        return openpyxl.load_workbook(file, data_only=not formulas)
    except BROKEN_XLSX as error:
        raise DataError(f"{file.name} is no .xlsx file that can be read ({error}); save it again as .xlsx.") from error


def _page(book: Any, sheet: str | None, where: str) -> Any:
    filled = [page.title for page in book.worksheets if page.max_row > 1]
    if sheet is None and len(filled) == 1:
        return book[filled[0]]
    if sheet is None or sheet not in book.sheetnames:
        wrong = f"no sheet {sheet!r}" if sheet else f"{len(filled)} filled sheets"
        raise OptionError(
            f"{where} has {wrong}; say sheet=... (econ check: --sheet), one of {', '.join(map(repr, book.sheetnames))}."
        )
    return book[sheet]


def _refuse_uncalculated(values: Any, formulas: Any, where: str) -> None:
    empty = [
        cell.coordinate
        for row in formulas.iter_rows()
        for cell in row
        if cell.data_type == "f" and values[cell.coordinate].value is None
    ]
    if empty:
        raise DataError(
            f"{where} has {len(empty)} formulas without a stored value ({', '.join(empty[:SHOWN])}); open and save it "
            "in a spreadsheet program first."
        )


def _read_parquet(file: Path) -> Sheet:
    try:
        frame = pd.read_parquet(file, engine="pyarrow")
    except ImportError as error:
        raise MissingPackageError("Parquet files need pyarrow: pip install 'econ[scale]'.") from error
    except (ValueError, OSError) as error:
        raise DataError(f"{file.name} is no Parquet file that can be read ({error}).") from error
    levels = [name for name in frame.index.names if name is not None and name not in frame.columns]
    return Sheet(frame.reset_index(levels) if levels else frame, {}, (f"read {file.name}",))


# ---- rows; what is done is added to ``said``


def _tidy_rows(frame: pd.DataFrame, said: list[str]) -> pd.DataFrame:
    """Without blank rows, and without footnotes that stand alone in the first column."""
    filled = frame.notna()
    blank = ~filled.any(axis=1)
    alone = filled.iloc[:, 0] & (filled.sum(axis=1) == 1) & (frame.shape[1] > 1)
    notes = [text for text in frame.loc[alone, frame.columns[0]] if isinstance(text, str) and FOOTNOTE.match(text)]
    gone = blank | (alone & frame.iloc[:, 0].isin(notes))
    said += [f"{int(blank.sum())} blank rows left out"] * bool(blank.any()) + [f"footnote: {note}" for note in notes]
    return frame[~gone].reset_index(drop=True) if gone.any() else frame


def _choose_units(
    frame: pd.DataFrame, unit: str, regions: RegionName | None, drop: Sequence[str], said: list[str]
) -> pd.DataFrame:
    """Rows of the units that are wanted, their names standardised if asked for."""
    names = frame[unit] if pd.api.types.is_numeric_dtype(frame[unit]) else frame[unit].map(unit_name)
    unwanted = _named(names, drop, unit)
    kinds = names.map({name: found.kind for name, found in zip(names.unique(), recognise(names.unique()), strict=True)})
    sums = kinds.isin(["total", "group"]) & ~unwanted
    listed = ", ".join(dict.fromkeys(map(str, names[sums])))
    if unwanted.any():
        said.append(f"left out as asked: {', '.join(drop)} ({int(unwanted.sum())} rows)")
    if regions is None:
        if sums.any() and (kinds == "province").mean() >= 0.5:
            said.append(f"{unit} has {listed} beside provinces; these sums count as units")
            warnings.warn(f"{said[-1]}: regions='en' or drop=[...] leaves them out.", EconWarning, stacklevel=3)
        return frame.assign(**{unit: names})[~unwanted].reset_index(drop=True)
    if sums.any():
        said.append(f"left out as no provinces: {listed} ({int(sums.sum())} rows)")
    said.append(f"names of {unit} brought to one spelling ({regions})")
    kept = ~(sums | unwanted)
    return frame[kept].reset_index(drop=True).assign(**{unit: standard_names(names[kept], regions)})


def _named(names: "pd.Series[Any]", drop: Sequence[str], unit: str) -> "pd.Series[bool]":
    wanted = [unit_name(value) for value in drop]
    absent = [value for value in wanted if value not in set(names)]
    if absent:
        raise OptionError(f"drop={list(drop)!r} is not allowed: {unit!r} has no value {', '.join(map(repr, absent))}.")
    return names.isin(wanted)


def _refuse_mistyped(frame: pd.DataFrame, keys: list[str], where: str) -> None:
    """Refuse columns of text at least half of whose values are numbers; one with codes such as 0101 is text."""
    for name in frame.select_dtypes(["object", "string"]).columns.difference(keys, sort=False):
        values = frame[name].dropna()
        values = values[[is_number(cell) or number_of(cell) is None for cell in values]]
        numbers = values.map(is_number).astype(bool)
        if numbers.all() or 2 * numbers.sum() < len(values) or values.map(is_code).any():
            continue
        wrong = quote_cells(frame[keys], values[~numbers])
        raise DataError(
            f"{where}: {int((~numbers).sum())} of {len(values)} values of {name!r} are no numbers ({wrong}). "
            "Correct them in the file; if the column holds codes, read it with pandas and give the frame to econ.Panel."
        )


def _years(periods: "pd.Series[Any]") -> "pd.Series[Any]":
    """Periods written as text ("2015年", "2015-03") or as whole floats as numbers or dates; others as they are."""
    if pd.api.types.is_numeric_dtype(periods):
        return as_integers(periods) if pd.api.types.is_float_dtype(periods) else periods
    years = periods.map(period_of)
    if years.notna().all():
        return years.astype("int64")
    if not pd.api.types.is_string_dtype(periods):
        return periods
    dates = pd.to_datetime(periods, errors="coerce", format="ISO8601")
    return dates if dates.notna().all() else periods
