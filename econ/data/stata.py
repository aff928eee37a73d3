"""Stata files: values, labels of variables and of values; Chinese text of the versions before Unicode decoded.

Stata before version 14 (formats up to 117) stored text in the code page of the computer that wrote it, in China GBK;
the file does not say which. pandas reads such text byte by byte as Latin-1, so the bytes can be recovered and read as
what they are: UTF-8 if all of them are, else GB18030 if all are and it reads as Chinese, else Latin-1 as it stands.
Files of later formats that were converted without translating their text are treated alike.
"""

import re
import struct
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.io.stata import StataReader

from econ.data.encoding import HANZI, decode_field, is_plausible_chinese, refuse_garbled
from econ.data.frames import refuse_repeated, require_columns
from econ.data.yearbook import Sheet
from econ.errors import DataError
from econ.panel import Column

UNICODE_SINCE = 118


def read_dta(file: Path, unit: str) -> Sheet:
    """A Stata file. The column ``unit`` shows its value labels; other labelled columns keep their numbers.

    What these numbers mean goes to the column's note.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UnicodeWarning)
        frame, labels, codes, users = _parts(file)
    mixed = any(issubclass(warning.category, UnicodeWarning) for warning in caught)
    release = _release(file)
    strings = set(_strings(frame, labels, codes))
    texts = _Texts(release < UNICODE_SINCE or mixed, strings)
    refuse_garbled({texts(text) for text in strings if not text.isascii()}, file.name)
    frame = frame.rename(columns=texts)
    refuse_repeated(frame.columns, file.name)
    for name in frame.select_dtypes(["object", "string"]):
        frame[name] = frame[name].map(texts, na_action="ignore")
    require_columns(frame, [unit], file.name)
    meanings = {texts(n): {c: texts(w) for c, w in codes[s].items()} for n, s in users.items() if s in codes}
    columns = {texts(name): _column(texts(label), meanings.get(texts(name), {})) for name, label in labels.items()}
    if unit in meanings:
        frame[unit] = _labelled(frame[unit], meanings[unit], unit)
    said = [f"read {file.name} (Stata format {release}, {texts.encoding})"]
    if texts.cut:
        examples = ", ".join(sorted(texts.cut)[:3])
        said.append(f"{len(texts.cut)} texts had half a character cut off at the end: {examples}")
    return Sheet(frame, columns, tuple(said))


def names(file: Path) -> list[str]:
    """Names of the variables, as pandas has them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnicodeWarning)
        return list(map(str, _parts(file)[0].columns))


def _release(file: Path) -> int:
    with file.open("rb") as opened:
        head = opened.read(64)
    match = re.match(rb"<stata_dta>.*<release>(\d+)</release>", head)
    return int(match[1]) if match else head[0]


def _parts(file: Path) -> tuple[pd.DataFrame, dict[str, str], dict[str, dict[Any, str]], dict[str, str]]:
    """Values, labels of variables, sets of value labels, and which variable uses which set; text as pandas has it."""
    try:
        opened: Any = StataReader(file, convert_categoricals=False)
        with opened as reader:
            frame = reader.read()
            users = dict(zip(reader._varlist, reader._lbllist, strict=True))  # pandas has no public way to these
            return frame, reader.variable_labels(), reader.value_labels(), users
    except (ValueError, LookupError, OSError, OverflowError, MemoryError, struct.error) as error:
        raise DataError(f"{file.name} is no Stata file that can be read ({error}).") from error


def _strings(frame: pd.DataFrame, labels: dict[str, str], codes: dict[str, dict[Any, str]]) -> Iterable[str]:
    yield from map(str, frame.columns)
    yield from labels.values()
    for words in codes.values():
        yield from words.values()
    for name in frame.select_dtypes(["object", "string"]):
        yield from (value for value in frame[name].dropna().unique() if isinstance(value, str))


class _Texts:
    """Texts of one file, read in the one encoding that fits all of them; call it to read a text."""

    def __init__(self, recode: bool, strings: set[str]) -> None:
        foreign = {text: text.encode("latin-1") for text in strings if not text.isascii() and max(map(ord, text)) < 256}
        self.cut: set[str] = set()
        self.encoding, self.read = self._fit(foreign if recode else {})

    def __call__(self, text: Any) -> Any:
        return self.read.get(text, text) if isinstance(text, str) else text

    def _fit(self, foreign: dict[str, bytes]) -> tuple[str, dict[str, str]]:
        for encoding, name in (("utf-8", "UTF-8"), ("gb18030", "GB18030")):
            try:
                fields = {text: decode_field(raw, encoding) for text, raw in foreign.items()}
            except UnicodeDecodeError:
                continue
            together = "".join(text for text, _ in fields.values())
            if HANZI.search(together) and is_plausible_chinese(together):
                self.cut = {text for text, cut in fields.values() if cut}
                return f"text decoded from {name}", {old: text for old, (text, _) in fields.items()}
        return ("text left as Latin-1", {}) if foreign else ("text as stored", {})


def _column(label: str, codes: dict[Any, str]) -> Column:
    note = "; ".join(f"{code} = {words}" for code, words in codes.items()) or None
    chinese = HANZI.search(label) is not None
    return Column(label=None if chinese else label or None, label_zh=label if chinese else None, note=note)


def _labelled(values: "pd.Series[Any]", codes: dict[Any, str], unit: str) -> "pd.Series[Any]":
    """Units by their value labels; refused if only some are labelled or two codes share a label."""
    bare = sorted(set(values.dropna().unique()) - set(codes))
    if bare or len(set(codes.values())) < len(codes):
        wrong = f"codes without a label: {', '.join(map(str, bare[:5]))}" if bare else "some codes share a label"
        raise DataError(
            f"The value labels of {unit!r} do not name each unit ({wrong}). Correct them, or drop them and use codes."
        )
    return values.map(codes)
