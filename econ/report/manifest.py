"""What a report was made from: the facts that decide whether it is stale, and run.json, which records them.

run.json holds what the data editors of the social-science journals ask for: every input with its checksum and source,
parameters and seed, versions of Python and of the packages, platform, git commit, seconds, the samples with the rows
dropped and why, and every output with its checksum. It is rewritten only when the study is built again.
"""

import functools
import hashlib
import json
import platform
import subprocess
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from econ.errors import StudyError
from econ.report.carried import Carried
from econ.report.project import CARD, PACKAGE, Project
from econ.report.script import Script

Half = Literal["estimation", "rendering"]
Facts = Mapping[str, str]

PACKAGES: Mapping[Half, tuple[str, ...]] = {
    "estimation": ("numpy", "pandas", "scipy", "formulaic", "statsmodels", "linearmodels"),
    "rendering": ("matplotlib", "seaborn", "great_tables", "python-docx", "openpyxl", "numpy", "pandas"),
}
# What a card may change without touching a number: its words. Units of measure, quality, keys, types and the notes that
# travel with the data into every estimate do count.
WORDS = frozenset(
    {
        "title",
        "title_zh",
        "label",
        "description",
        "rights",
        "observation",
        "sources",
        "source",
        "note",
        "note_zh",
        "unit_zh",
    }
    | {"breaks", "coverage", "profile", "mediatype"}
)


def facts(project: Project, script: Script, half: Half) -> dict[str, Facts]:
    """Everything a half depends on besides the other half: group -> {what -> digest or version}."""
    folders = [dataset_folder(project, name) for name in script.datasets]
    groups: dict[str, Facts] = {
        "card": {project.shown(folder / CARD): card_digest(folder / CARD, half) for folder in folders},
        "script": script.halves[half],
        "source": sources(half),
        "package": versions(half),
    }
    if half == "estimation":
        groups["data"] = {project.shown(path): file_digest(path) for folder in folders for path in data_files(folder)}
    return groups


def dataset_folder(project: Project, name: str) -> Path:
    """The folder of a data set; the project's own goes before one that comes with econ."""
    for base in project.dataset_folders:
        if (base / name / CARD).is_file():
            return base / name
    raise StudyError(f"There is no data set {name!r}; there are {', '.join(project.dataset_names()) or 'none'}.")


def data_files(folder: Path) -> list[Path]:
    """The files of a data set besides its card."""
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != CARD]


def card_digest(card: Path, half: Half) -> str:
    """Digest of a card: of all of it for rendering, without its words for estimation."""
    try:
        content = json.loads(card.read_text(encoding="utf-8"))
    except ValueError as error:
        raise StudyError(f"The card {card.parent.name}/{card.name} is not JSON in UTF-8: {error}.") from error
    kept = content if half == "rendering" else _without_words(content)
    return digest(json.dumps(kept, sort_keys=True).encode())


def card_labels(project: Project, script: Script) -> dict[str, dict[str, str]]:
    """Label and unit of measure of every column of a study's data sets, as a panel loaded from them has them."""
    labels: dict[str, dict[str, str]] = {}
    for name in script.datasets:
        content = json.loads((dataset_folder(project, name) / CARD).read_text(encoding="utf-8"))
        for column in content["resources"][0]["schema"]["fields"]:
            label = column.get("label", {})
            words = {"label": label.get("en"), "label_zh": label.get("zh"), "unit": column.get("unit")}
            labels.setdefault(column["name"], {key: text for key, text in words.items() if text})
    return labels


def simulated_notes(project: Project, script: Script) -> list[Carried]:
    """The notes of those data sets of a study that are simulated."""
    cards = {name: json.loads((dataset_folder(project, name) / CARD).read_text("utf-8")) for name in script.datasets}
    return [
        Carried(name, note)
        for name, content in cards.items()
        if content.get("quality") == "simulated"
        for note in content.get("notes", ())
    ]


def _without_words(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_words(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_words(item) for key, item in value.items() if key not in WORDS}
    return value


@functools.cache
def sources(half: Half) -> Facts:
    """Digest of every file of econ that a half may use: all but ``report`` for estimation, with it for rendering."""
    skipped = {"_shipped", "__pycache__"} | ({"report"} if half == "estimation" else set())
    return {
        path.relative_to(PACKAGE.parent).as_posix(): file_digest(path)
        for path in sorted(PACKAGE.rglob("*"))
        if path.is_file() and path.name != "cli.py" and skipped.isdisjoint(path.relative_to(PACKAGE).parts)
    }


@functools.cache
def versions(half: Half) -> Facts:
    """Versions of Python and of the packages that a half may use; ``absent`` where one is not installed."""
    return {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES[half]}


def index_facts() -> dict[str, Facts]:
    """What index.html depends on besides the reports."""
    page = "econ/report/index.py"
    return {
        "source": {page: file_digest(PACKAGE.parent / page)},
        "package": {"markdown-it-py": _version("markdown-it-py")},
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "absent"


def file_digest(path: Path) -> str:
    """Short digest of a file's bytes; ``absent`` where there is no such file."""
    return digest(path.read_bytes()) if path.is_file() else "absent"


def digest(data: bytes) -> str:
    """The first 12 hexadecimal digits of the sha256: enough to tell versions of one file apart."""
    return hashlib.sha256(data).hexdigest()[:12]


# ---- run.json


def record(project: Project, script: Script, seconds: float, values: Mapping[str, Any]) -> dict[str, Any]:
    """What run.json says about an estimation."""
    return {
        "inputs": [
            {"file": project.shown(path), **checksum(path), "dataset": name, "source": _card_sources(folder)}
            for name in script.datasets
            for folder in [dataset_folder(project, name)]
            for path in data_files(folder)
        ],
        "parameters": script.parameters,
        "seed": script.parameters.get("SEED"),
        "samples": dict(_samples(values)),
        "estimation": environment(project, "estimation", seconds),
    }


def environment(project: Project, half: Half, seconds: float) -> dict[str, Any]:
    """Where and on what a half ran."""
    from econ import __version__

    return {
        "packages": {"econ": __version__, **versions(half)},
        "platform": platform.platform(),
        "git": _git(project.root),
        "seconds": round(seconds, 2),
    }


def checksum(path: Path) -> dict[str, Any]:
    """Full sha256 and size of a file."""
    data = path.read_bytes()
    return {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


def _card_sources(folder: Path) -> list[str]:
    content = json.loads((folder / CARD).read_text(encoding="utf-8"))
    return [source["title"] for source in content.get("sources", ())]


def _samples(values: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, dict[str, Any]]]:
    """Rows used and dropped, and the transforms before, of everything that counts rows, by name in estimates.json."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _samples(value, f"{prefix}{name}.")
        elif isinstance(value, list | tuple):
            yield from _samples({str(i): item for i, item in enumerate(value)}, f"{prefix}{name}.")
        elif hasattr(value, "n_obs") and hasattr(value, "dropped"):
            dropped = {str(reason): int(count) for reason, count in value.dropped.items()}
            transforms = list(value.spec.get("history", ()))
            yield f"{prefix}{name}", {"rows": int(value.n_obs), "dropped": dropped, "transforms": transforms}


def _git(folder: Path) -> dict[str, Any] | None:
    """Commit, and whether anything but the reports differs from it; nothing outside a repository."""
    commit = _run_git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    return {"commit": commit, "dirty": bool(_run_git(folder, "status", "--porcelain", "--", ".", ":!reports"))}


def _run_git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, encoding="utf-8", check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
