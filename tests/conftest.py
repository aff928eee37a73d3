"""A toy project: two studies, two data sets, and a stand-in for econ's own sources, all in a temporary folder."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from econ.report import manifest
from econ.report.project import Project, find_project

if TYPE_CHECKING:
    from econ.report.build import Outcome

HELPER = '''
"""Stand-ins for tables and figures, quick to load."""
from pathlib import Path


class Table:
    def __init__(self, words):
        self.words = words

    def html(self):
        return f"<table><tr><td>{self.words}</td></tr></table>"

    def latex(self):
        return self.words

    def markdown(self):
        return f"| {self.words} |\\n|---|"

    def docx(self, path):
        Path(path).write_text(self.words, encoding="utf-8")

    def xlsx(self, path):
        Path(path).write_text(self.words, encoding="utf-8")


class Plot:
    def __init__(self, words):
        self.words = words

    def save(self, path):
        drawing = '<svg xmlns="http://www.w3.org/2000/svg"><style>*{stroke-width:1}</style><path id="p" d="M0 0"/>'
        drawing += f'<use href="#p"/><text>{self.words}</text></svg>'
        Path(path).write_text('<?xml version="1.0"?>' + drawing, encoding="utf-8")
'''

STUDY = '''
"""What NAME is about."""
import csv
from _toys import Plot, Table
from econ.report.study import item

TITLE = {"en": "Study NAME", "zh": "研究 NAME"}
DATASETS = DATASETS_OF_STUDY
FACTOR = 2.0
LABELS = {"en": "Mean", "zh": "均值"}


def estimate():
    """The mean."""
    note("estimation")
    values = [float(row["y"]) for name in DATASETS for row in rows(name)]
    return {"mean": FACTOR * sum(values) / len(values)}


def rows(name):
    with open(f"datasets/{name}/{name}.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def note(half):
    with open("ran.log", "a", encoding="utf-8") as log:
        print("NAME", half, file=log)


def render(results, lang):
    if lang == "en":
        note("rendering")
    yield item("reading", f"The mean is **{results['mean']}**.")
    yield item("mean", Table(f"{LABELS[lang]} {results['mean']}"))
    yield item("picture", Plot(LABELS[lang]), caption=f"{LABELS[lang]} drawn")


if __name__ == "__main__":
    from econ.report.study import run

    run(__file__)
'''

SOURCES = ("__init__.py", "cli.py", "did/moments.py", "report/table.py", "report/index.py")


@dataclass
class Toy:
    """The toy project, with what the tests do to it."""

    project: Project
    package: Path

    @property
    def root(self) -> Path:
        return self.project.root

    def build(self, *names: str, **options: Any) -> "dict[str, Outcome]":
        """Build, and return what became of each study."""
        from econ.report import build

        outcomes = build.build(self.project, list(names) or self.project.studies(), **options)
        return {outcome.name: outcome for outcome in outcomes}

    def ran(self) -> set[str]:
        """What ran since the last call: ``"alpha estimation"``, ..."""
        log = self.root / "ran.log"
        lines = set(log.read_text(encoding="utf-8").splitlines()) if log.exists() else set()
        log.unlink(missing_ok=True)
        return lines

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace a text in a file of the project."""
        path = self.root / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def report(self, study: str) -> dict[str, bytes]:
        """Every file of a report."""
        return {path.name: path.read_bytes() for path in sorted((self.project.reports / study).iterdir())}


@pytest.fixture
def toy(tmp_path: Path) -> Iterator[Toy]:
    """Studies alpha (data set ``one``) and beta (data sets ``one`` and ``two``), not built yet."""
    make_project(tmp_path)
    yield from _toy_in(tmp_path)


@pytest.fixture
def built(tmp_path: Path, built_template: Path) -> Iterator[Toy]:
    """The toy project when both studies have been built, here a copy of one build: a project can be moved."""
    shutil.copytree(built_template, tmp_path, dirs_exist_ok=True)
    yield from _toy_in(tmp_path)


@pytest.fixture(scope="session")
def built_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template")
    make_project(folder)
    for toy in _toy_in(folder):
        assert {outcome.state for outcome in toy.build().values()} == {"built"}
        assert toy.ran() == {f"{study} {half}" for study in ("alpha", "beta") for half in ("estimation", "rendering")}
    return folder


def _toy_in(folder: Path) -> Iterator[Toy]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest, "PACKAGE", folder / "package" / "econ")
        manifest.sources.cache_clear()
        manifest.versions.cache_clear()
        yield Toy(find_project(folder / "project"), folder / "package" / "econ")
    manifest.sources.cache_clear()
    manifest.versions.cache_clear()


def make_project(folder: Path) -> None:
    """Write the toy project, and the stand-in for econ's sources."""
    for source in SOURCES:
        path = folder / "package" / "econ" / source
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n", encoding="utf-8")
    root = folder / "project"
    (root / "scripts").mkdir(parents=True)
    (root / "scripts" / "_toys.py").write_text(HELPER, encoding="utf-8")
    for name, datasets in (("alpha", ("one",)), ("beta", ("one", "two"))):
        text = STUDY.replace("DATASETS_OF_STUDY", repr(datasets)).replace("NAME", name)
        (root / "scripts" / f"{name}.py").write_text(text, encoding="utf-8")
    for name in ("one", "two"):
        folder = root / "datasets" / name
        folder.mkdir(parents=True)
        (folder / f"{name}.csv").write_text("unit,y\na,1.5\nb,2.5\n", encoding="utf-8")
        (folder / "datapackage.json").write_text(json.dumps(card(name), ensure_ascii=False), encoding="utf-8")


def card(name: str) -> dict[str, Any]:
    """The card of a toy data set."""
    column = {"name": "y", "type": "number", "unit": "yuan", "label": {"en": "Output", "zh": "产出"}}
    resource = {"name": name, "path": f"{name}.csv", "schema": {"fields": [{"name": "unit", "type": "string"}, column]}}
    return {"name": name, "title": f"Data {name}", "sources": [{"title": "Yearbook"}], "resources": [resource]}
