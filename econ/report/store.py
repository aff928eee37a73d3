"""estimates.json: what ``estimate()`` returned, written so that reading it gives back the same bits.

Labels that an estimate took from the card of a data set are not written, but filled in from the card when the file is
read: so a label that is changed in a card shows in the tables, and costs no regression.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from econ.errors import DataError, StudyError

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1
WIDTH = 110
PLAIN = (str, bool, int, type(None))

Labels = Mapping[str, Mapping[str, str]]


def write(path: Path, values: Mapping[str, Any], labels: Labels | None = None) -> None:
    """Write named results, data frames, arrays, numbers and texts, nested in lists and dicts at will.

    ``labels`` are those of the cards, column -> {"label", "label_zh", "unit"}; where an estimate has the same, they are
    left empty in the file.
    """
    known = labels or {}
    entries = _relabel(
        {name: _encode(value, name) for name, value in values.items()},
        lambda column, words: {} if words == known.get(column) else words,
    )
    path.write_text(layout({"format": FORMAT, "results": entries}) + "\n", encoding="utf-8", newline="\n")


def read(path: Path, labels: Labels | None = None) -> dict[str, Any]:
    """Read what ``write`` wrote; labels left empty in the file are filled in from ``labels``."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise DataError(f"{path} is not a file of estimates of format {FORMAT}; build the study again with --force.")
    known = labels or {}
    entries = _relabel(raw["results"], lambda column, words: words or known.get(column, {}))
    return {name: _decode(entry) for name, entry in entries.items()}


def layout(value: Any, indent: int = 0) -> str:
    """JSON text that is quiet in a diff: one key per line, and arrays of plain values on as few lines as fit."""
    pad = "\n" + " " * (indent + 1)
    end = "\n" + " " * indent
    if isinstance(value, Mapping) and value:
        pairs = [
            f"{json.dumps(str(key), ensure_ascii=False)}: {layout(item, indent + 1)}" for key, item in value.items()
        ]
        return "{" + pad + ("," + pad).join(pairs) + end + "}"
    if isinstance(value, list | tuple) and value:
        items = [layout(item, indent + 1) for item in value]
        if any(isinstance(item, Mapping | list | tuple) and item for item in value):
            return "[" + pad + ("," + pad).join(items) + end + "]"
        lines = _fill(items, WIDTH - indent)
        return f"[{lines[0]}]" if len(lines) == 1 else "[" + pad + ("," + pad).join(lines) + end + "]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _fill(items: Sequence[str], width: int) -> list[str]:
    lines: list[list[str]] = [[]]
    used = 0
    for item in items:
        if lines[-1] and used + len(item) > width:
            lines.append([])
            used = 0
        lines[-1].append(item)
        used += len(item) + 2
    return [", ".join(line) for line in lines]


def _relabel(entry: Any, change: Callable[[str, Any], Any]) -> Any:
    """The entry with every ``labels: {column: words}`` in it changed column by column."""
    if isinstance(entry, list):
        return [_relabel(item, change) for item in entry]
    if not isinstance(entry, dict):
        return entry
    return {
        key: {column: change(column, words) for column, words in value.items()}
        if key == "labels" and isinstance(value, dict)
        else _relabel(value, change)
        for key, value in entry.items()
    }


# ---- values


def _encode(value: Any, where: str) -> Any:
    import numpy as np
    import pandas as pd

    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else {"type": "float", "value": repr(value)}
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, list):
        return [_encode(item, f"{where}[{i}]") for i, item in enumerate(value)]
    if isinstance(value, tuple):
        return {"type": "tuple", "value": _encode(list(value), where)}
    if isinstance(value, pd.DataFrame):
        return {"type": "frame"} | _encode_frame(value, where)
    if isinstance(value, pd.Series):
        return {"type": "series"} | _encode_frame(value.to_frame(), where)
    if isinstance(value, np.ndarray):
        flat = _encode_values(pd.Series(value.ravel()), where)
        return {"type": "array", "shape": list(value.shape)} | flat
    if type(value).__module__.split(".")[0] == "econ" and hasattr(value, "to_json") and hasattr(value, "from_json"):
        name = f"{type(value).__module__}.{type(value).__qualname__}"
        return {"type": name, "value": json.loads(value.to_json())}
    if is_dataclass(value) and type(value).__module__.split(".")[0] == "econ":
        name = f"{type(value).__module__}.{type(value).__qualname__}"
        parts = {part.name: getattr(value, part.name) for part in fields(value)}
        return {
            "type": "object",
            "class": name,
            "value": {key: _encode(v, f"{where}.{key}") for key, v in parts.items()},
        }
    if isinstance(value, Mapping):
        return {"type": "dict", "value": {key: _encode(item, f"{where}[{key!r}]") for key, item in _keys(value, where)}}
    raise StudyError(
        f"estimate() returned a {type(value).__name__} as {where}; it can return results, data frames, arrays, "
        "numbers, texts, and lists and dicts of these."
    )


def _keys(value: Mapping[Any, Any], where: str) -> list[tuple[str, Any]]:
    wrong = [key for key in value if not isinstance(key, str)]
    if wrong:
        raise StudyError(f"estimate() returned a dict with the key {wrong[0]!r} in {where}; keys must be texts.")
    return list(value.items())


def _decode(entry: Any) -> Any:
    if isinstance(entry, list):
        return [_decode(item) for item in entry]
    if not isinstance(entry, dict):
        return entry
    match entry["type"]:
        case "float":
            return float(entry["value"])
        case "tuple":
            return tuple(_decode(item) for item in entry["value"])
        case "dict":
            return {key: _decode(item) for key, item in entry["value"].items()}
        case "object":
            parts = {key: _decode(item) for key, item in entry["value"].items()}
            return _class(entry["class"])(**parts)
        case "frame":
            return _decode_frame(entry)
        case "series":
            return _decode_frame(entry).iloc[:, 0]
        case "array":
            return _decode_values(entry).to_numpy().reshape(entry["shape"])
    return _class(entry["type"]).from_json(json.dumps(entry["value"]))


def _class(path: str) -> Any:
    """A class of econ by its full name."""
    module, _, name = path.rpartition(".")
    if module.split(".")[0] != "econ":
        raise DataError(f"estimates.json holds an entry of the unknown type {path!r}; build the study again.")
    return getattr(import_module(module), name)


# ---- data frames


def _encode_frame(frame: "pd.DataFrame", where: str) -> dict[str, Any]:
    import pandas as pd

    if frame.columns.nlevels > 1:
        raise StudyError(
            f"The data frame {where} has {frame.columns.nlevels} levels of column names; give it one level."
        )
    ranged = isinstance(frame.index, pd.RangeIndex) and frame.index.equals(pd.RangeIndex(len(frame)))
    levels = [] if ranged else [frame.index.get_level_values(i).to_series() for i in range(frame.index.nlevels)]
    return {
        "rows": len(frame),
        "names": str(frame.columns.dtype),
        "index": [_encode_column(level, where) for level in levels],
        "columns": [_encode_column(frame.iloc[:, i], where) for i in range(frame.shape[1])],
    }


def _encode_column(column: "pd.Series[Any]", where: str) -> dict[str, Any]:
    name = column.name.item() if hasattr(column.name, "item") else column.name
    if not isinstance(name, PLAIN):
        raise StudyError(f"The data frame {where} has a column named {name!r}; name columns by texts or whole numbers.")
    return {"name": name} | _encode_values(column, f"{where}[{name!r}]")


def _encode_values(column: "pd.Series[Any]", where: str) -> dict[str, Any]:
    import pandas as pd

    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        categories = _encode_values(pd.Series(dtype.categories), where)
        return {
            "dtype": "category",
            "ordered": dtype.ordered,
            "categories": categories,
            "codes": column.cat.codes.tolist(),
        }
    if getattr(dtype, "tz", None) is not None:
        raise StudyError(f"The data frame column {where} has the type {dtype}; store times without a zone.")
    if dtype.kind == "M" or isinstance(dtype, pd.PeriodDtype):
        values: list[Any] = [None if pd.isna(value) else str(value) for value in column]
    elif dtype.kind == "f" and not pd.api.types.is_extension_array_dtype(dtype):
        values = [
            None if math.isnan(value) else value if math.isfinite(value) else repr(value) for value in column.tolist()
        ]
    elif dtype == "object":
        values = [_encode(value, where) for value in column]
    elif dtype.kind in "iufbO":
        values = [None if pd.isna(value) else _encode(value, where) for value in column]
    else:
        raise StudyError(
            f"The data frame column {where} has the type {dtype}, which has no JSON form here; convert it first."
        )
    return {"dtype": str(dtype), "values": values}


def _decode_frame(entry: Mapping[str, Any]) -> "pd.DataFrame":
    import pandas as pd

    columns = [_decode_values(column) for column in entry["columns"]]
    frame = pd.concat(columns, axis=1) if columns else pd.DataFrame(index=pd.RangeIndex(entry["rows"]))
    frame.columns = pd.Index([column["name"] for column in entry["columns"]], dtype=entry["names"])
    if entry["index"]:
        levels = [pd.Index(_decode_values(level), name=level["name"]) for level in entry["index"]]
        frame.index = levels[0] if len(levels) == 1 else pd.MultiIndex.from_arrays(levels)
    return frame


def _decode_values(entry: Mapping[str, Any]) -> "pd.Series[Any]":
    import numpy as np
    import pandas as pd

    dtype = entry["dtype"]
    if dtype == "category":
        categories = pd.Index(_decode_values(entry["categories"]))
        return pd.Series(pd.Categorical.from_codes(entry["codes"], categories, ordered=entry["ordered"]))
    values = entry["values"]
    if dtype.startswith("float"):
        return pd.Series(np.array([math.nan if value is None else float(value) for value in values], dtype=dtype))
    if dtype == "object":
        return pd.Series([_decode(value) for value in values], dtype=object)
    column: pd.Series[Any] = pd.Series(values, dtype=dtype)
    return column
