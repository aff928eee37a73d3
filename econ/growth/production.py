"""Inputs, good and bad outputs read from a panel: checked, with what is left out named."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from econ.data.frames import SHOWN
from econ.errors import DataError, ModelError, OptionError
from econ.growth.envelopment import Bundle
from econ.linear.fit import BoolArray, FloatArray, IntArray
from econ.panel import Panel
from econ.text import Text


@dataclass(frozen=True, eq=False)
class Production:
    """The rows with all amounts, by period and unit.

    Attributes
    ----------
    amounts : inputs, good and bad outputs of the N rows
    names : role (``"input"``, ``"output"``, ``"bad"``) -> columns
    unit, period : (N,) codes of the panel
    notes : what is left out, and whether the rows are few
    """

    amounts: Bundle
    names: dict[str, list[str]]
    unit: IntArray
    period: IntArray
    notes: tuple[Text, ...]

    def keys(self, panel: Panel) -> pd.DataFrame:
        """The unit (under the panel's name of it) and the period of each row."""
        labels = [panel.period(int(code)) for code in self.period]
        return pd.DataFrame({panel.unit: panel.units[self.unit], "period": labels})

    def frontiers(self, pooled: bool) -> list[IntArray]:
        """The rows that are compared with one another: all, or those of each period."""
        if pooled:
            return [np.arange(len(self.unit))]
        return [np.flatnonzero(self.period == code) for code in np.unique(self.period)]


def read_production(
    panel: Panel,
    inputs: Sequence[str],
    outputs: Sequence[str],
    bad: Sequence[str],
    *,
    zeros: bool,
    complete: bool,
    pooled: bool = False,
) -> Production:
    """The amounts of a panel.

    Parameters
    ----------
    zeros : whether single amounts may be zero; a row without any input or output never has a score
    complete : leave out units that are not known in every period in which any is
    pooled : whether all periods share one frontier, for the note on few units
    """
    names = _names(inputs, outputs, bad)
    columns = [name for group in names.values() for name in group]
    raw = np.column_stack([panel.values(name) for name in columns])
    known = np.asarray(~np.isnan(raw).any(axis=1))
    if not known.any():
        raise DataError(f"No row has all of {', '.join(columns)}; take fewer columns or other periods.")
    notes = [*panel.notes, *_missing_note(panel, ~known, columns)]
    if complete:
        known, lost = _complete(panel, known)
        notes += lost
    rows = np.flatnonzero(known)
    rows = rows[np.lexsort((panel.unit_codes[rows], panel.time_codes[rows]))]
    _refuse_amounts(panel, raw[rows], rows, names, zeros)
    ends = np.cumsum([len(group) for group in names.values()])[:-1]
    data = Production(
        Bundle(*np.split(raw[rows], ends, axis=1)), names, panel.unit_codes[rows], panel.time_codes[rows], tuple(notes)
    )
    few = _few_note(panel, data, len(columns), pooled)
    return Production(data.amounts, names, data.unit, data.period, (*data.notes, *few))


def _names(inputs: Sequence[str], outputs: Sequence[str], bad: Sequence[str]) -> dict[str, list[str]]:
    for role, columns in (("inputs", inputs), ("outputs", outputs), ("bad", bad)):
        if isinstance(columns, str):
            raise OptionError(f"{role}={columns!r} is not allowed; give a list of columns: [{columns!r}].")
        if role != "bad" and not len(columns):
            raise OptionError(f"{role}=[] is not allowed; name at least one column.")
    everything = [*inputs, *outputs, *bad]
    twice = sorted({name for name in everything if everything.count(name) > 1})
    if twice:
        raise OptionError(f"Columns named twice among inputs, outputs and bad: {', '.join(twice)}; name each once.")
    return {"input": list(inputs), "output": list(outputs), "bad": list(bad)}


def _missing_note(panel: Panel, lost: BoolArray, columns: list[str]) -> list[Text]:
    if not lost.any():
        return []
    rows = np.flatnonzero(lost)
    return [
        {
            "en": f"{len(rows)} row(s) left out, which lack one of {', '.join(columns)}: {_named(panel, rows, ', ')}.",
            "zh": f"因投入或产出（{'、'.join(columns)}）缺失剔除 {len(rows)} 行：{_named(panel, rows, '、')}。",
        }
    ]


def _complete(panel: Panel, known: BoolArray) -> tuple[BoolArray, list[Text]]:
    """The rows of units known in every period, and a note that names the others."""
    times = np.unique(panel.time_codes[known])
    if len(times) < 2:
        raise ModelError("Changes of productivity need at least two periods with all inputs and outputs.")
    counts = np.bincount(panel.unit_codes[known], minlength=panel.n_units)
    units = counts == len(times)
    if not units.any():
        raise ModelError(
            f"No unit has all inputs and outputs in all of the {len(times)} periods; take a shorter span with "
            "panel.where(...)."
        )
    notes: list[Text] = []
    lost = [str(unit) for unit in panel.units[(counts > 0) & ~units]]
    if lost:
        notes.append(
            {
                "en": f"Left out, not known in every period: {some(lost, ', ')}.",
                "zh": f"未在所有时期均有数据而剔除：{some(lost, '、')}。",
            }
        )
    if np.ptp(np.diff(times)):
        notes.append(
            {
                "en": "The periods are not equally spaced; changes are from each period to the next that is there.",
                "zh": "各期间隔不等；变化为相邻可得时期之间的变化。",
            }
        )
    return known & units[panel.unit_codes], notes


def _refuse_amounts(panel: Panel, raw: FloatArray, rows: IntArray, names: dict[str, list[str]], zeros: bool) -> None:
    columns = [name for group in names.values() for name in group]
    for name, values in zip(columns, raw.T, strict=True):
        wrong = (values < 0) if zeros else (values <= 0)
        if wrong.any():
            what = "negative" if zeros else "zero or negative"
            raise DataError(
                f"{name!r} is {what} in {int(wrong.sum())} rows ({_named(panel, rows[wrong], '; ')}); this model "
                f"compares {'amounts' if zeros else 'ratios of amounts'}. Leave these rows out with panel.where(...)"
                + ("." if zeros else ", or use measure='radial', which takes zeros.")
            )
    m = len(names["input"])
    for role, part in (("input", raw[:, :m]), ("output", raw[:, m : m + len(names["output"])])):
        empty = ~(part > 0).any(axis=1)
        if empty.any():
            raise DataError(
                f"{int(empty.sum())} rows have no {role} at all ({_named(panel, rows[empty], '; ')}); leave them out "
                "with panel.where(...)."
            )
        unused = ~(part > 0).any(axis=0)
        if unused.any():
            raise DataError(f"{names[role][int(np.argmax(unused))]!r} is zero in every row; leave the column out.")


def _few_note(panel: Panel, data: Production, amounts: int, pooled: bool) -> list[Text]:
    smallest = min(data.frontiers(pooled), key=len)
    fewest = len(smallest)
    if fewest < 2:
        row = smallest[0]
        raise ModelError(
            f"{panel.units[data.unit[row]]} stands alone in {panel.period(int(data.period[row]))}; a frontier needs at "
            "least two units. Leave that period out, or take more units."
        )
    if fewest >= 3 * amounts:
        return []
    return [
        {
            "en": f"Few units: {fewest} on a frontier for {amounts} inputs and outputs; with fewer than three times as "
            "many, most units come out efficient for want of others to compare with.",
            "zh": f"决策单元偏少：同一前沿仅 {fewest} 个单元，而投入产出共 {amounts} 项；"
            "少于其三倍时，多数单元会因缺乏可比对象而显示为有效。",
        }
    ]


def named_rows(panel: Panel, data: Production, flags: BoolArray) -> Text:
    """Unit and period of the flagged rows of ``data``, the first few."""
    pairs = zip(data.unit[flags], data.period[flags], strict=True)
    named = [f"{panel.units[unit]} {panel.period(int(period))}" for unit, period in pairs]
    return {"en": some(named, ", "), "zh": some(named, "、")}


def production_spec(panel: Panel, data: Production) -> dict[str, Any]:
    """What was asked for, as plain JSON."""
    columns = [name for group in data.names.values() for name in group]
    return {
        "inputs": data.names["input"], "outputs": data.names["output"], "bad": data.names["bad"],
        "unit": panel.unit, "time": panel.time, "dataset": panel.dataset, "history": list(panel.history),
        "labels": panel.labels(columns),
    }  # fmt: skip


def _named(panel: Panel, rows: IntArray, comma: str) -> str:
    pairs = zip(panel.unit_codes[rows], panel.time_codes[rows], strict=True)
    return some([f"{panel.units[unit]} {panel.period(int(time))}" for unit, time in pairs], comma)


def some(names: list[str], comma: str) -> str:
    """The first few names, and how many there are."""
    return comma.join(names[:SHOWN]) + (f"{comma}... ({len(names)})" if len(names) > SHOWN else "")
