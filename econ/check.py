"""``econ check``: what a data file holds, and what is wrong with it."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from econ.data.cards import card, check_dataset, find
from econ.data.readers import first_row, read
from econ.data.regions import recognise, region_code
from econ.errors import DataError, EconWarning, MissingPackageError
from econ.panel import Panel

UNITS = (
    "province",
    "region",
    "city",
    "zone",
    "unit",
    "id",
    "code",
    "firm",
    "country",
    "地区",
    "省份",
    "省",
    "城市",
    "企业",
)
SHOWN = 12  # names quoted in a message
PRINTED = ("unit", "year")  # keys of a printed table, which has no columns of these names
TIMES = ("year", "time", "period", "quarter", "month", "date", "年份", "年度", "年", "时间")


@dataclass(frozen=True)
class Checked:
    """What was found in a file; ``problems`` is empty where the file can be used as it is.

    Attributes
    ----------
    history : what reading the file recognised, changed or left out
    regions : how many units are provinces, and which are not where most are; sums such as a national total are named
    columns : name, label, unit of measure, values, missing, smallest and largest, per numeric column
    """

    file: str
    unit: str = ""
    time: str | None = None
    shape: str = ""
    history: tuple[str, ...] = ()
    regions: str = ""
    columns: tuple[dict[str, Any], ...] = field(default=(), repr=False)
    problems: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """The findings as lines for a console, without the problems."""
        head = f"{self.file}: {self.shape}" if self.shape else ""
        table = (_column_line(column) for column in self.columns)
        return [line for line in (head, *self.history, self.regions, *table) if line]


def check_file(given: str, unit: str | None = None, time: str | None = None, sheet: str | None = None) -> Checked:
    """Read a file, or look at a data set by its name, and say what it holds.

    ``unit`` and ``time`` are the key columns; where they are not given, columns with the usual names are taken.
    """
    path = Path(given)
    if not path.exists() and given in find():
        return Checked(given, shape=card(given).title(), problems=check_dataset(given))
    try:
        names = first_row(path, sheet)
    except (DataError, MissingPackageError) as error:
        return Checked(given, unit or "", time, problems=(f"{error}{_nearest_dataset(path)}",))
    guessed_unit, time = _keys(names, unit, time)
    unit = guessed_unit or PRINTED[0]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", EconWarning)  # the history says the same
            panel = read(path, unit, time, sheet=sheet)
    except (DataError, MissingPackageError) as error:
        problem = str(error) if guessed_unit else _unguessed(path, names, error)
        return Checked(given, unit, time, problems=(problem,))
    regions, wrong = _regions(panel)
    return Checked(given, unit, time, repr(panel), panel.history, regions, tuple(_columns(panel)), wrong)


def _keys(names: Sequence[str], unit: str | None, time: str | None) -> tuple[str | None, str | None]:
    """Key columns as given or by their usual names; without a unit among ``names`` the file may be a printed table."""
    spelled = {name.casefold(): name for name in names}
    unit = unit or next((spelled[name] for name in UNITS if name in spelled), None)
    if unit is None:
        return None, time or PRINTED[1]
    usual = next((spelled[name] for name in TIMES if name in spelled), None)
    return unit, time or usual or (None if unit in names else PRINTED[1])


def _unguessed(path: Path, names: Sequence[str], error: Exception) -> str:
    listed = f"{', '.join(names[:SHOWN])}{', ...' if len(names) > SHOWN else ''}"
    words = f"{path.name}: could not tell the unit column; give --unit and --time; columns: {listed}."
    return words if path.suffix.lower() in (".dta", ".parquet") else f"{words} As a printed table: {error}"


def _nearest_dataset(path: Path) -> str:
    near = [] if path.is_file() else get_close_matches(str(path), list(find()), n=3)
    return f" Data sets with a similar name: {', '.join(near)}." if near else ""


def _regions(panel: Panel) -> tuple[str, tuple[str, ...]]:
    """Whether units are provinces, sums of them aside; where most are, those that are not are a problem."""
    found = recognise(panel.units)
    units = [unit for unit, each in zip(panel.units, found, strict=True) if each.kind not in ("total", "group")]
    sums = [str(unit) for unit, each in zip(panel.units, found, strict=True) if each.kind in ("total", "group")]
    provinces = sum(each.kind in ("province", "outside") for each in found)
    if 2 * provinces <= len(units):
        return "", ()
    beside = f"; {', '.join(sums)}: no provinces, left out by econ.read(..., regions='en')" if sums else ""
    try:
        region_code(units, mainland=False)
    except DataError as error:
        return f"{provinces} of {len(units)} units are provinces{beside}", (str(error),)
    return f"all {provinces} units are provinces{beside}", ()


def _columns(panel: Panel) -> list[dict[str, Any]]:
    """One entry per column that is no key; numbers as plain Python numbers, ``None`` where there are none."""
    described = []
    for name in (name for name in panel.frame.columns if name not in (panel.unit, panel.time)):
        known, values = panel.column(name), panel.frame[name]
        numeric = pd.api.types.is_numeric_dtype(values)
        present = values.dropna()
        described.append(
            {
                "name": str(name),
                "label": known.label or known.label_zh,
                "unit": known.unit,
                "n": len(present),
                "missing": len(values) - len(present),
                "min": float(np.min(present)) if numeric and len(present) else None,
                "max": float(np.max(present)) if numeric and len(present) else None,
            }
        )
    return described


def _column_line(column: dict[str, Any]) -> str:
    label = f" ({column['label']})" if column["label"] else ""
    unit = f" {column['unit']}" if column["unit"] else ""
    span = "text" if column["min"] is None else f"{column['min']:g} to {column['max']:g}{unit}"
    missing = f", {column['missing']} missing" if column["missing"] else ""
    return f"  {column['name']}{label}: {column['n']} values{missing}, {span}"
