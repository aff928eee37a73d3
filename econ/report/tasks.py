"""The tasks of a study and of the index, as pytask runs them: what they depend on, what they do, what they leave.

Facts are nodes of pytask's graph whose state is the facts themselves. Results are written beside their place, in the
state folder, and moved when all of them are there; a report's estimates.json is put in place together with its tables.
"""

import contextlib
import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytask

from econ.report import manifest
from econ.report.carried import carrying
from econ.report.project import Project
from econ.report.script import Script

INDEX = "index.html"  # a name that no study can have
STAGED = ("estimates.json", "estimation.json")


@dataclass(kw_only=True)
class Node:
    """Facts as a node of pytask's graph; its state is the facts themselves, so that a change can be put in words."""

    name: str
    read: Callable[[], Mapping[str, str]]
    task: str
    attributes: dict[Any, Any] = field(default_factory=dict)

    @property
    def signature(self) -> str:
        return hashlib.sha256(f"{self.task}/{self.name}".encode()).hexdigest()

    def state(self) -> str | None:
        found = self.read()
        return json.dumps(found, sort_keys=True) if found else None

    def load(self, is_product: bool = False) -> None:
        """Tasks take nothing through their arguments."""

    def save(self, value: Any) -> None:
        """Tasks write their files themselves."""


@dataclass(kw_only=True)
class Task(pytask.TaskWithoutPath):
    """A function without arguments whose own source is no dependency: econ's source is one of the facts."""

    def state(self) -> str:
        return "task"

    def execute(self, **nothing: Any) -> None:
        self.function()


def study_tasks(project: Project, script: Script, notes: list[str] | None = None) -> list[Task]:
    """Estimation and rendering of a study; ``notes`` collects what rendering has to say."""
    stage = project.state / script.name / "stage"
    estimates = Node(name="estimates", read=partial(_staged, stage), task="estimation")
    outputs = Node(name="output", read=partial(_outputs, project, script.name), task="rendering")
    return [
        Task(
            name="estimation",
            function=partial(_estimate, project, script, stage),
            depends_on=_nodes("estimation", manifest.facts(project, script, "estimation")),
            produces={"estimates": estimates},
        ),
        Task(
            name="rendering",
            function=partial(_render, project, script, stage, [] if notes is None else notes),
            depends_on=_nodes("rendering", manifest.facts(project, script, "rendering")) | {"estimates": estimates},
            produces={"outputs": outputs},
        ),
    ]


def index_task(project: Project) -> Task:
    """The page of all reports."""
    reports = {
        f"{name}/{file}": found
        for name in project.studies()
        for file, found in (_outputs(project, name) or {"run.json": "absent"}).items()
    }
    page = Node(name="output", read=partial(_existing, project.reports, [INDEX]), task=INDEX)
    return Task(
        name=INDEX,
        function=partial(_write_index, project),
        depends_on=_nodes(INDEX, manifest.index_facts() | {"report": reports}),
        produces={"index": page},
    )


def _nodes(task: str, groups: Mapping[str, Mapping[str, str]]) -> dict[str, Node]:
    """Nodes of facts; a group without entries still has a state."""
    return {
        name: Node(name=name, read=partial(dict, entries or {"none": ""}), task=task)
        for name, entries in groups.items()
    }


def _write_index(project: Project) -> None:
    from econ.report.index import write_index

    write_index(project)


def _staged(stage: Path) -> dict[str, str]:
    return _existing(stage, STAGED)


def _outputs(project: Project, name: str) -> dict[str, str]:
    """Digests of a report's files, those its run.json names; empty where there is no report."""
    folder = project.reports / name
    if not (folder / "run.json").is_file():
        return {}
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    return {
        file: manifest.file_digest(folder / file) for file in ("run.json", *(each["file"] for each in run["outputs"]))
    }


def _existing(folder: Path, files: Sequence[str]) -> dict[str, str]:
    found = {file: manifest.file_digest(folder / file) for file in files}
    return {} if "absent" in found.values() else found


def _estimate(project: Project, script: Script, stage: Path) -> None:
    from econ.report import store
    from econ.report.study import run_estimation
    from econ.report.watch import only_data_of

    start = time.perf_counter()
    with _working_in(project), only_data_of(script.datasets, project.dataset_folders, "add it to DATASETS."):
        values = run_estimation(script.path)
    stage.mkdir(parents=True, exist_ok=True)
    store.write(stage / "estimates.json.part", values, manifest.card_labels(project, script))
    record = manifest.record(project, script, time.perf_counter() - start, values)
    write_text(stage / "estimation.json.part", store.layout(record))
    for file in STAGED:
        os.replace(stage / f"{file}.part", stage / file)


def _render(project: Project, script: Script, stage: Path, notes: list[str]) -> None:
    from econ.report import pages, store
    from econ.report.watch import only_data_of

    start = time.perf_counter()
    work = project.state / script.name / "render"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    with _working_in(project), only_data_of((), project.dataset_folders, "let estimate() return what render() needs."):
        values = store.read(stage / "estimates.json", manifest.card_labels(project, script))
        with carrying(manifest.simulated_notes(project, script)):
            items = pages.write_items(script, values, work, notes)
    shutil.copyfile(stage / "estimates.json", work / "estimates.json")
    run = {
        "study": script.name,
        "title": script.title,
        "abstract": script.abstract,
        **json.loads((stage / "estimation.json").read_text(encoding="utf-8")),
        "rendering": manifest.environment(project, "rendering", time.perf_counter() - start),
        "readme": pages.README,
        "items": items,
        "outputs": [{"file": path.name, **manifest.checksum(path)} for path in sorted(work.iterdir())],
    }
    write_text(work / "run.json", store.layout(run))
    _move_into_place(work, project.reports / script.name)


def _move_into_place(work: Path, folder: Path) -> None:
    """Replace a report's files one by one, run.json last; files that are the same keep their time of change."""
    before = folder / "run.json"
    old = json.loads(before.read_text(encoding="utf-8"))["outputs"] if before.is_file() else []
    folder.mkdir(parents=True, exist_ok=True)
    new = sorted(work.iterdir(), key=lambda path: (path.name == "run.json", path.name))
    for path in new:
        target = folder / path.name
        if not target.is_file() or target.read_bytes() != path.read_bytes():
            part = target.with_name(f".{target.name}.part")
            shutil.copyfile(path, part)
            os.replace(part, target)
    for file in {each["file"] for each in old} - {path.name for path in new}:
        (folder / file).unlink(missing_ok=True)
    shutil.rmtree(work)


def write_text(path: Path, text: str) -> None:
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


@contextlib.contextmanager
def _working_in(project: Project) -> Iterator[None]:
    """Run a study in its project's folder, with its data sets, no display, and its prints on standard error."""
    wanted = {"MPLBACKEND": "agg", "ECON_DATASETS": str(project.datasets)}
    given = {name: os.environ.get(name) for name in wanted}
    os.environ.update({name: value for name, value in wanted.items() if given[name] is None})
    try:
        with contextlib.chdir(project.root), contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        for name in (name for name in wanted if given[name] is None):
            del os.environ[name]
