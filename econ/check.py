"""``econ check``: what a data file holds, and what is wrong with it."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from econ.data.cards import card, check_dataset, find
from econ.data.encoding import decode
from econ.data.readers import read
from econ.data.regions import recognise, region_code
from econ.errors import DataError
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
TIMES = ("year", "time", "period", "quarter", "month", "date", "年份", "年度", "年", "时间")


@dataclass(frozen=True)
class Checked:
    """What was found in a file; ``problems`` is empty where the file can be used as it is.

    Attributes
    ----------
    history : what reading the file recognised, changed or left out
    regions : how many units are provinces, and which are not where most are
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


def check_file(given: str, unit: str | None = None, time: str | None = None) -> Checked:
    """Read a file, or look at a data set by its name, and say what it holds.

    ``unit`` and ``time`` are the key columns; where they are not given, columns with the usual names are taken.
    """
    path = Path(given)
    if not path.exists() and given in find():
        return Checked(given, shape=card(given).title(), problems=check_dataset(given))
    guessed_unit, guessed_time = _keys(path)
    unit, time = unit or guessed_unit, time or guessed_time
    try:
        panel = read(path, unit, time)
    except DataError as error:
        return Checked(given, unit, time, problems=(str(error),))
    regions, wrong = _regions(panel)
    return Checked(given, unit, time, repr(panel), panel.history, regions, tuple(_columns(panel)), wrong)


def _keys(path: Path) -> tuple[str, str | None]:
    """Key columns by their usual names; for a printed table, which has no such header, the names its panel gets."""
    header = _header(path)
    spelled = {name.casefold(): name for name in header}
    unit = next((spelled[name] for name in UNITS if name in spelled), None)
    time = next((spelled[name] for name in TIMES if name in spelled), None)
    return (unit or "unit", time) if unit else ("unit", "year")


def _header(path: Path) -> Sequence[str]:
    if not path.is_file():
        return ()
    match path.suffix.lower():
        case ".csv" | ".tsv" | ".txt":
            lines = decode(path.read_bytes(), path.name)[0].splitlines()[:1]
            mark = max((",", "\t", ";"), key="".join(lines).count)
            return [cell.strip() for row in csv.reader(lines, delimiter=mark) for cell in row]
        case ".dta":
            with pd.read_stata(path, iterator=True) as reader:
                return list(reader.variable_labels())
        case ".parquet":
            return [str(name) for name in pd.read_parquet(path).columns]
        case ".xlsx":
            return [str(name) for name in pd.read_excel(path, nrows=0).columns]
    return ()


def _regions(panel: Panel) -> tuple[str, tuple[str, ...]]:
    """Whether units are provinces; where most are, those that are not are a problem."""
    found = recognise(panel.units)
    provinces = sum(each.kind in ("province", "outside") for each in found)
    if 2 * provinces <= len(found):
        return "", ()
    try:
        region_code(panel.units, mainland=False)
    except DataError as error:
        return f"{provinces} of {len(found)} units are provinces", (str(error),)
    return f"all {provinces} units are provinces", ()


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
