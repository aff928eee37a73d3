"""Build studies: what is stale is built again, nothing else.

Every study has two tasks, estimation and rendering, which pytask runs when what they depend on has changed; one more
makes the index of all reports. What they depend on is stated in ``manifest.facts`` and found without importing a study.
Outputs are written beside their place and moved there when all of them are done, so a study that fails leaves its last
good report standing.
"""

import contextlib
import json
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal

import pytask

from econ.errors import EconError, StudyError
from econ.report.project import Project
from econ.report.script import read_script
from econ.report.tasks import INDEX, Task, index_task, study_tasks, write_text

State = Literal["fresh", "stale", "built", "failed"]


@dataclass(frozen=True)
class Outcome:
    """What became of a study.

    Attributes
    ----------
    state : ``fresh`` (nothing to do), ``stale`` (would be built), ``built`` or ``failed``
    why : stale task -> reasons
    notes : what the reader of the console should know, such as formats left out
    error, log : why it failed, and the file with the traceback where the failure was unexpected
    """

    name: str
    state: State
    why: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    error: str = ""
    log: str = ""
    seconds: float = 0.0


def build(
    project: Project,
    names: Sequence[str],
    *,
    force: bool = False,
    jobs: int = 1,
    report: Callable[[Outcome], None] = lambda outcome: None,
) -> list[Outcome]:
    """Build the stale ones of the studies named, then the index; ``report`` hears of each as it starts and ends."""
    with _alone(project):
        return _build(project, names, force, jobs, report)


def _build(
    project: Project, names: Sequence[str], force: bool, jobs: int, report: Callable[[Outcome], None]
) -> list[Outcome]:
    plans = [examine(project, name, force=force) for name in names]
    stale = [plan for plan in plans if plan.state == "stale"]
    done = {plan.name: plan for plan in plans if plan.state != "stale"}
    for outcome in _run_all(project, stale, force, jobs, report):
        done[outcome.name] = outcome
    return [*(done[name] for name in names), build_index(project, force=force)]


def examine(project: Project, name: str, *, force: bool = False) -> Outcome:
    """What would be done for a study, and why; nothing is run."""
    try:
        session = _session(
            project, name, study_tasks(project, read_script(_script_path(project, name))), force, explain=True
        )
    except EconError as error:
        return _failure(project, name, error)
    return _planned(name, session)


def examine_index(project: Project, studies: Sequence[Outcome] = (), *, force: bool = False) -> Outcome:
    """What would be done for the index, once the ``studies`` that are stale have been built."""
    plan = _planned(INDEX, _session(project, INDEX, [index_task(project)], force, explain=True))
    coming = tuple(f"the report {study.name} is built again" for study in studies if study.state == "stale")
    return replace(plan, state="stale", why={INDEX: plan.why.get(INDEX, ()) + coming}) if coming else plan


def describe(project: Project, name: str) -> dict[str, Any]:
    """Title and data sets of a study; empty where its script cannot be read."""
    try:
        script = read_script(_script_path(project, name))
    except StudyError:
        return {"title": "", "datasets": []}
    return {"title": script.title["en"], "datasets": list(script.datasets)}


def last_failure(project: Project, name: str) -> Outcome | None:
    """How the last build of a study failed, if it did."""
    path = project.state / name / "failure.json"
    return Outcome(name, "failed", **json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def build_study(project: Project, plan: Outcome, force: bool) -> Outcome:
    """Run the stale tasks of one study; never raises for what goes wrong in the study."""
    start = time.perf_counter()
    notes: list[str] = []
    try:
        tasks = study_tasks(project, read_script(_script_path(project, plan.name)), notes)
        session = _session(project, plan.name, tasks, force)
        error = _first_error(session)
    except EconError as raised:
        error = raised
    if error is not None:
        return _failure(project, plan.name, error, plan.why)
    (project.state / plan.name / "failure.json").unlink(missing_ok=True)
    return Outcome(plan.name, "built", plan.why, tuple(notes), seconds=round(time.perf_counter() - start, 2))


def build_index(project: Project, *, force: bool = False) -> Outcome:
    """Make index.html again if a report has changed."""
    start = time.perf_counter()
    plan = examine_index(project, force=force)
    if plan.state == "fresh":
        return plan
    session = _session(project, INDEX, [index_task(project)], force)
    error = _first_error(session)
    if error is not None:
        return _failure(project, INDEX, error, plan.why)
    return Outcome(INDEX, "built", plan.why, seconds=round(time.perf_counter() - start, 2))


@contextlib.contextmanager
def _alone(project: Project) -> Iterator[None]:
    """Wait until no other build runs in this project; where the system has no such locks, trust that none does."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    project.state.mkdir(parents=True, exist_ok=True)
    with open(project.state / "lock", "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another build of this project to end", file=sys.stderr, flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# ---- pytask


def _session(project: Project, name: str, tasks: list[Task], force: bool, explain: bool = False) -> pytask.Session:
    """One run of pytask, with a state folder of its own per study, and silent."""
    folder = project.state / name
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "pytask.toml"
    config.write_text("[tool.pytask.ini_options]\n", encoding="utf-8")
    quiet, pytask.console.quiet = pytask.console.quiet, True
    try:
        session = pytask.build(
            tasks=tasks,
            config=config,
            paths=(folder,),
            capture="no",
            verbose=0,
            show_traceback=False,
            force=force,
            explain=explain,
        )
    finally:
        pytask.console.quiet = quiet
    if session.exit_code not in (pytask.ExitCode.OK, pytask.ExitCode.FAILED):
        raise StudyError(f"The build state in {folder} cannot be used; delete that folder and build again.")
    if any(each.exc_info and isinstance(each.exc_info[1], KeyboardInterrupt) for each in session.execution_reports):
        raise KeyboardInterrupt
    return session


def _first_error(session: pytask.Session) -> BaseException | None:
    failed = (each for each in session.execution_reports if each.outcome == pytask.TaskOutcome.FAIL)
    return next((each.exc_info[1] for each in failed if each.exc_info), None)


def _planned(name: str, session: pytask.Session) -> Outcome:
    why = {
        report.task.name: tuple(_reasons(report.task.attributes["explanation"].reasons))
        for report in session.execution_reports
        if report.outcome == pytask.TaskOutcome.WOULD_BE_EXECUTED
    }
    return Outcome(name, "stale" if why else "fresh", why)


def _reasons(changes: Sequence[Any]) -> Iterator[str]:
    """pytask's reasons in words."""
    kinds = {change.reason for change in changes}
    if "forced" in kinds:
        yield "asked for with --force"
    elif "cascade" in kinds:
        yield "the estimation runs again"
    elif "not_in_db" in kinds:
        yield "not built here before"
    else:
        for change in changes:
            if change.reason == "missing":
                yield f"{change.node_name} missing"
            else:
                yield from _differences(change.node_name, change.details)


def _differences(group: str, details: Mapping[str, str]) -> Iterator[str]:
    old, new = json.loads(details["old_hash"]), json.loads(details["new_hash"])
    for what in sorted(old.keys() | new.keys()):
        if what not in old:
            yield f"{group} {what} added"
        elif what not in new:
            yield f"{group} {what} removed"
        elif old[what] != new[what]:
            change = (
                f"{old[what]} -> {new[what]}"
                if group == "package"
                else "missing"
                if new[what] == "absent"
                else "changed"
            )
            yield f"{group} {what} {change}"


def _script_path(project: Project, name: str) -> Path:
    return project.scripts / f"{name}.py"


def _failure(
    project: Project, name: str, error: BaseException, why: Mapping[str, tuple[str, ...]] | None = None
) -> Outcome:
    """Put a failure in one line; where it was not foreseen, its traceback goes to a log file."""
    folder = project.state / name
    folder.mkdir(parents=True, exist_ok=True)
    log, message = folder / "error.log", " ".join(str(error).split())
    if not isinstance(error, EconError):
        log.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
        message = f"{type(error).__name__}: {message}" if message else type(error).__name__
    shown = "" if isinstance(error, EconError) else project.shown(log)
    write_text(folder / "failure.json", json.dumps({"error": message, "log": shown}, ensure_ascii=False))
    return Outcome(name, "failed", why or {}, error=message, log=shown)


def _run_all(
    project: Project, stale: Sequence[Outcome], force: bool, jobs: int, report: Callable[[Outcome], None]
) -> Iterator[Outcome]:
    """Build studies one after the other, or side by side in processes of their own."""
    if jobs == 1 or len(stale) < 2:
        for plan in stale:
            report(plan)
            outcome = build_study(project, plan, force)
            report(outcome)
            yield outcome
        return
    with ProcessPoolExecutor(min(jobs, len(stale)), mp_context=get_context("spawn")) as pool:
        running: dict[Future[Outcome], Outcome] = {}
        for plan in stale:
            report(plan)
            running[pool.submit(build_study, project, plan, force)] = plan
        for future in as_completed(running):
            try:
                outcome = future.result()
            except BrokenProcessPool:
                reason = StudyError("its process ended without a word, most likely for want of memory; use --jobs 1.")
                outcome = _failure(project, running[future].name, reason, running[future].why)
            report(outcome)
            yield outcome
