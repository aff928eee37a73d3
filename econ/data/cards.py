"""A data set is a folder: one data file and its card. Here both are read, checked, and brought into agreement.

The card is a Frictionless Data Package (version 1) with one tabular resource. Beyond the standard's properties it may
hold ``title_zh``, ``quality``, ``panel`` (the unit and time columns), ``breaks``, ``notes``, ``coverage``, and for each
column ``label``, ``unit``, ``quality``, ``source``, ``note``, ``breaks``, ``coverage``. See ``datasets/README.md``.
"""

import hashlib
import io
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, get_args

import pandas as pd

from econ.data.region_names import OUTSIDE, PROVINCES
from econ.errors import DataError, OptionError
from econ.options import Lang, Quality, check_word
from econ.text import Text, as_text

CARD = "datapackage.json"
PROVINCE_NAMES = {str(name) for region in (*PROVINCES, *OUTSIDE) for name in (region.en, region.zh, region.code)}
DTYPES: dict[str, Any] = {
    "string": "str",
    "integer": "Int64",
    "number": "float64",
    "boolean": "boolean",
    "date": "datetime64[s]",
}


@dataclass(frozen=True, eq=False)
class Card:
    """What is known about a data set: its columns, sources, coverage, known breaks, and the checksum of its file."""

    folder: Path
    content: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The name that ``econ.load`` and ``econ.load_frame`` take."""
        return str(self.content["name"])

    def title(self, lang: Lang = "en") -> str:
        """The title; the English one where there is no translation."""
        check_word(lang, Lang, "lang")
        return str(self.content["title"] if lang == "en" else self.content.get("title_zh", self.content["title"]))

    @property
    def description(self) -> str:
        """What the data set holds, in a few sentences."""
        return str(self.content.get("description", ""))

    @property
    def quality(self) -> str:
        """``official``, ``compiled``, ``derived``, ``recalled`` or ``simulated``."""
        return str(self.content["quality"])

    @property
    def sources(self) -> tuple[str, ...]:
        """Where the data come from."""
        return tuple(source["title"] for source in self.content["sources"])

    @property
    def notes(self) -> tuple[Text, ...]:
        """Sentences that every table and figure made from the data must carry."""
        return tuple(as_text(note) for note in self.content.get("notes", ()))

    @property
    def panel(self) -> tuple[str, str] | None:
        """The unit and the time column of a panel data set."""
        keys = self.content.get("panel")
        return (keys["unit"], keys["time"]) if keys else None

    @property
    def observation(self) -> str:
        """What a row is."""
        keys = self.panel
        return str(self.content.get("observation", {}).get("en") or (" x ".join(keys) if keys else ""))

    @property
    def coverage(self) -> dict[str, Any]:
        """``rows``, and ``time, first, last`` where rows are dated."""
        return dict(self.content.get("coverage", {}))

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that tell rows apart."""
        key = self._schema.get("primaryKey", [])
        return (key,) if isinstance(key, str) else tuple(key)

    @cached_property
    def columns(self) -> pd.DataFrame:
        """One row per column: ``name, type, label, label_zh, unit, unit_zh, quality, source, first, last,
        missing_years, n, note``."""
        return pd.DataFrame([_describe(field, self) for field in self._schema["fields"]])

    @property
    def breaks(self) -> pd.DataFrame:
        """Known breaks: ``years, columns, note, note_zh``."""
        rows = [(b["years"], ", ".join(b.get("fields", ())), b["note"], b.get("note_zh")) for b in self._breaks]
        return pd.DataFrame(rows, columns=["years", "columns", "note", "note_zh"])

    @property
    def sha256(self) -> str:
        """The checksum that the data file must have."""
        return str(self._resource["hash"]).removeprefix("sha256:")

    @property
    def path(self) -> Path:
        """The data file."""
        return self.folder / str(self._resource["path"])

    def __repr__(self) -> str:
        return f"Card({self.name!r})"

    def __str__(self) -> str:
        span = f", {self.coverage['first']}-{self.coverage['last']}" if "first" in self.coverage else ""
        lines = [
            f"{self.name}: {self.title()}",
            f"  {self.coverage.get('rows', '?')} rows ({self.observation}){span}; quality: {self.quality}",
            f"  {self.description}",
            *(f"  {note['en']}" for note in self.notes),
            "columns",
            *(_column_line(field) for field in self._schema["fields"]),
            "sources",
            *(f"  {source}" for source in self.sources),
            *(["known breaks"] if self._breaks else []),
            *(f"  {b['years']}: {b['note']}" for b in self._breaks),
            f"sha256 {self.sha256}",
        ]
        return "\n".join(line for line in lines if line.strip())

    @property
    def _breaks(self) -> list[dict[str, Any]]:
        return list(self.content.get("breaks", ()))

    @property
    def _resource(self) -> dict[str, Any]:
        resource: dict[str, Any] = self.content["resources"][0]
        return resource

    @property
    def _schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = self._resource["schema"]
        return schema


def card(name: str) -> Card:
    """The card of a data set.

    Examples
    --------
    >>> import econ
    >>> econ.card("provinces").title("zh")
    '中国大陆31个省份面板数据(2000—2023)'
    """
    known = find()
    if name not in known:
        near = get_close_matches(str(name), list(known), n=3, cutoff=0.4)
        hint = f" Nearest: {', '.join(near)}." if near else ""
        raise OptionError(f"There is no data set {name!r}; there are {', '.join(known)}.{hint}")
    return read_card(known[name])


def find() -> dict[str, Path]:
    """Name -> folder of every data set; a folder in ``$ECON_DATASETS`` goes before one that comes with the package."""
    package = Path(__file__).parents[1]
    installed, checkout = package / "_shipped" / "datasets", package.parent / "datasets"
    roots = [installed if installed.is_dir() else checkout]
    if own := os.environ.get("ECON_DATASETS"):
        if not Path(own).is_dir():
            raise DataError(f"ECON_DATASETS={own!r} is no folder; point it at the folder that holds the data sets.")
        roots.append(Path(own))
    found = {child.parent.name: child.parent for root in roots for child in root.glob(f"*/{CARD}")}
    return dict(sorted(found.items()))


def read_card(folder: Path) -> Card:
    """The card in a folder, refused unless it says what a reader needs."""
    try:
        content = json.loads((folder / CARD).read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DataError(f"The card {folder.name}/{CARD} is not JSON in UTF-8: {error}.") from error
    problems = list(_card_problems(content, folder.name))
    if problems:
        raise DataError(f"The card {folder.name}/{CARD} is not usable: {'; '.join(problems)}.")
    return Card(folder, content)


def load_frame(name: str) -> pd.DataFrame:
    """Any data set as a plain frame, its checksum verified.

    Codes and names are strings, whole numbers integers (nullable where some are missing), measures floats.

    Raises
    ------
    OptionError : no such data set.
    DataError : the data file is not the one the card describes.

    Examples
    --------
    >>> import econ
    >>> econ.load_frame("borders").shape
    (69, 5)
    """
    described = card(name)
    data = _read_bytes(described)
    found = hashlib.sha256(data).hexdigest()
    if found != described.sha256:
        raise DataError(
            f"The data file of {name!r} has changed: its sha256 is {found}, its card says {described.sha256}. "
            f"If the change is intended, accept it with `econ accept {name}`; if not, restore {described.path.name}."
        )
    return _parse(described, data)


def check_dataset(name: str) -> tuple[str, ...]:
    """Problems of a data set: of its card, its checksum, its columns, types and keys, and the coverage it states."""
    try:
        described = card(name)
        data = _read_bytes(described)
        frame = _parse(described, data)
    except DataError as error:
        return (str(error),)
    return tuple(_data_problems(described, data, frame))


def accept(name: str) -> Card:
    """Accept the data file as it is now: rewrite the checksum, size and coverage in the card.

    Raises
    ------
    DataError : the file lacks a column, holds a value of another type, or has duplicate or missing keys.
    """
    described = card(name)
    data = _read_bytes(described)
    frame = _parse(described, data)
    problems = list(_key_problems(described, frame))
    if problems:
        raise DataError(f"The data file of {name!r} cannot be accepted: {'; '.join(problems)}. Correct the file first.")
    text = json.dumps(_refreshed(described, data, frame), ensure_ascii=False, indent=2)
    (described.folder / CARD).write_text(text + "\n", encoding="utf-8", newline="\n")
    return card(name)


def differences(before: Card, after: Card) -> list[str]:
    """What accepting a data file changed in its card, one line for all rows and one per column; nothing if nothing."""
    said = []
    for (name, was), now in zip(_coverages(before), dict(_coverages(after)).values(), strict=True):
        changed = [f"{word} {was.get(word)} -> {now.get(word)}" for word in now if was.get(word) != now.get(word)]
        said += [f"{name}: {', '.join(changed)}"] if changed else []
    if not said and before.sha256 != after.sha256:
        return ["values changed; rows and coverage as before"]
    return said


def _coverages(described: Card) -> Iterator[tuple[str, dict[str, Any]]]:
    rows = described.coverage.get("rows", 0)
    yield "coverage", dict(described.coverage)
    for field in described._schema["fields"]:
        span = dict(field.get("coverage", {}))
        yield field["name"], span | {"missing": rows - span.pop("n", rows)}


# ---- the data file


def _read_bytes(described: Card) -> bytes:
    if not described.path.is_file():
        raise DataError(f"The data file {described.path.name} of {described.name!r} is missing; restore it.")
    return described.path.read_bytes()


def _parse(described: Card, data: bytes) -> pd.DataFrame:
    resource = described._resource
    fields = {field["name"]: field["type"] for field in described._schema["fields"]}
    encoding = resource.get("encoding", "utf-8")
    try:
        text = data.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        raise DataError(f"The data file of {described.name!r} is not {encoding} at byte {error.start}.") from error
    raw = pd.read_csv(
        io.StringIO(text), dtype="str", keep_default_na=False, na_values=described._schema.get("missingValues", [""])
    )
    if list(raw.columns) != list(fields):
        raise DataError(
            f"The data file of {described.name!r} has the columns {', '.join(raw.columns)}; "
            f"its card describes {', '.join(fields)}. Bring the two into agreement."
        )
    return pd.DataFrame({name: _convert(raw[name], kind, described.name) for name, kind in fields.items()})


def _convert(values: "pd.Series[Any]", kind: str, dataset: str) -> "pd.Series[Any]":
    """Text to the type that the card gives; whole numbers without gaps become plain integers."""
    try:
        converted = _typed(values, kind)
    except ValueError as error:
        row, value = next((row, value) for row, value in values.dropna().items() if not _fits(value, kind))
        raise DataError(
            f"Column {values.name!r} of {dataset!r} holds {value!r} in row {int(str(row)) + 1} of the data; "
            f"its card makes it {kind}. Correct the value or the card."
        ) from error
    plain: Any = {"Int64": "int64", "boolean": "bool"}.get(str(converted.dtype))
    return converted.astype(plain) if plain and converted.notna().all() else converted


def _typed(values: "pd.Series[Any]", kind: str) -> "pd.Series[Any]":
    if kind == "string":
        return values
    if kind == "boolean":
        known = values.map({"true": True, "false": False})
        if known.isna().sum() > values.isna().sum():
            raise ValueError(kind)
        return known.astype("boolean")
    if kind == "date":
        return pd.to_datetime(values, format="%Y-%m-%d").astype(DTYPES[kind])
    return values.astype(DTYPES[kind])


def _fits(value: str, kind: str) -> bool:
    try:
        _typed(pd.Series([value], dtype="str"), kind)
    except ValueError:
        return False
    return True


def _data_problems(described: Card, data: bytes, frame: pd.DataFrame) -> Iterator[str]:
    if hashlib.sha256(data).hexdigest() != described.sha256:
        yield (
            f"the sha256 of {described.path.name} is {hashlib.sha256(data).hexdigest()}, its card says "
            f"{described.sha256}; `econ accept {described.name}` accepts it"
        )
    elif _refreshed(described, data, frame) != described.content:
        yield f"the size or coverage in the card is not that of the data; `econ accept {described.name}` rewrites it"
    yield from _key_problems(described, frame)


def _key_problems(described: Card, frame: pd.DataFrame) -> Iterator[str]:
    required = {f["name"] for f in described._schema["fields"] if f.get("constraints", {}).get("required")}
    for name in frame.columns:
        if (name in required or name in described.key) and frame[name].isna().any():
            yield f"column {name!r} must not have missing values, and has {int(frame[name].isna().sum())}"
    if "province" in described.key:
        odd = sorted(set(frame["province"].dropna().astype(str)) - PROVINCE_NAMES)
        if odd:
            yield f"column 'province' has no standard names in {', '.join(map(repr, odd[:5]))}; see econ.standard_names"
    key = list(described.key)
    if key and (repeated := frame.duplicated(key)).any():
        first = ", ".join(map(str, frame.loc[repeated, key].iloc[0]))
        yield f"{int(repeated.sum())} rows repeat the key {' and '.join(key)} of another row (first: {first})"


def _refreshed(described: Card, data: bytes, frame: pd.DataFrame) -> dict[str, Any]:
    """The card's content with size, checksum and coverage taken from the data."""
    content: dict[str, Any] = json.loads(json.dumps(described.content))
    resource = content["resources"][0]
    resource |= {"bytes": len(data), "hash": f"sha256:{hashlib.sha256(data).hexdigest()}"}
    time = described.panel[1] if described.panel else described.coverage.get("time")
    years = _years(frame[time]) if time else None
    dated = {} if years is None or years.empty else {"time": time, "first": int(years.min()), "last": int(years.max())}
    content["coverage"] = dated | {"rows": len(frame)}
    for field in resource["schema"]["fields"]:
        undated = years is None or field["name"] == time or field["name"] in described.key
        field["coverage"] = _span(frame[field["name"]], None if undated else years)
    return content


def _years(times: "pd.Series[Any]") -> "pd.Series[Any]":
    known = times.dropna()
    return known.dt.year if pd.api.types.is_datetime64_any_dtype(known) else known


def _span(values: "pd.Series[Any]", years: "pd.Series[Any] | None") -> dict[str, Any]:
    count = {"n": int(values.notna().sum())}
    if years is None or not count["n"]:
        return count
    have = {int(year) for year in years[values.notna()[years.index]]}
    if not have:
        return count
    gaps = sorted({int(year) for year in years if min(have) < year < max(have)} - have)
    return {"first": min(have), "last": max(have), "missing_years": gaps} | count


# ---- the card


def _describe(field: Mapping[str, Any], owner: Card) -> dict[str, Any]:
    label, coverage = field.get("label", {}), field.get("coverage", {})
    return {
        "name": field["name"],
        "type": field["type"],
        "label": label.get("en", field.get("title")),
        "label_zh": label.get("zh"),
        "unit": field.get("unit"),
        "unit_zh": field.get("unit_zh"),
        "quality": field.get("quality", owner.quality),
        "source": field.get("source", "; ".join(owner.sources)),
        "first": coverage.get("first"),
        "last": coverage.get("last"),
        "missing_years": coverage.get("missing_years", []),
        "n": coverage.get("n"),
        "note": _column_note(field),
    }


def _column_note(field: Mapping[str, Any]) -> str | None:
    """The definition of a column followed by its known breaks."""
    breaks = [f"{b['years']}: {b['note']}" for b in field.get("breaks", ())]
    return " ".join([*([field["note"]] if "note" in field else []), *breaks]) or None


def _column_line(field: Mapping[str, Any]) -> str:
    label = field.get("label", {}).get("en", field.get("title", field["name"]))
    return f"  {field['name']}: {label}{' (' + field['unit'] + ')' if 'unit' in field else ''}"


def _card_problems(content: Any, folder: str) -> Iterator[str]:
    """What keeps a card from being read; each line says what is expected."""
    if not isinstance(content, dict):
        yield "it must be a JSON object"
        return
    if content.get("name") != folder or not re.fullmatch(r"[-a-z0-9._]+", folder):
        yield f"name must be that of its folder, {folder!r}, in lower case"
    if not isinstance(content.get("title"), str):
        yield "title must be a string"
    if content.get("quality") not in get_args(Quality):
        yield f"quality must be one of {', '.join(get_args(Quality))}"
    sources = content.get("sources")
    if not (isinstance(sources, list) and sources and all(isinstance(s, dict) and "title" in s for s in sources)):
        yield "sources must list objects with a title"
    resources = content.get("resources")
    if not (isinstance(resources, list) and len(resources) == 1 and isinstance(resources[0], dict)):
        yield "resources must list exactly one resource"
        return
    yield from _resource_problems(resources[0], content)
    for note in content.get("notes", ()):
        if not (isinstance(note, dict) and set(note) == {"en", "zh"}):
            yield "each of notes must have en and zh"
    for known in content.get("breaks", ()):
        if not (isinstance(known, dict) and {"years", "note"} <= set(known)):
            yield "each of breaks must have years and a note"


def _resource_problems(resource: Mapping[str, Any], content: Mapping[str, Any]) -> Iterator[str]:
    path = resource.get("path")
    if not isinstance(path, str) or PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        yield "the resource's path must be a file beside the card"
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", str(resource.get("hash"))):
        yield "the resource's hash must be 'sha256:' and 64 hexadecimal digits"
    fields = resource.get("schema", {}).get("fields")
    if not (isinstance(fields, list) and fields and all(isinstance(f, dict) and "name" in f for f in fields)):
        yield "schema.fields must list the columns, each with a name and a type"
        return
    names = [field["name"] for field in fields]
    if len(set(names)) < len(names):
        yield "schema.fields names a column twice"
    for field in fields:
        if field.get("type") not in DTYPES:
            yield f"column {field['name']!r} has type {field.get('type')!r}; types are {', '.join(DTYPES)}"
    key = resource["schema"].get("primaryKey", [])
    panel = content.get("panel", {})
    time = panel.get("time", content.get("coverage", {}).get("time"))
    if panel and set(panel) != {"unit", "time"}:
        yield "panel must have unit and time"
    for name in sorted({*([key] if isinstance(key, str) else key), *panel.values(), *([time] if time else [])}):
        if name not in names:
            yield f"the key {name!r} is not among schema.fields"
    if any(field["name"] == time and field.get("type") not in ("integer", "date") for field in fields):
        yield f"the time column {time!r} must be of type integer or date"
