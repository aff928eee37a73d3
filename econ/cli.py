"""The command ``econ``: list, check, build, show, accept. Nothing heavy is loaded before a command needs it."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from econ import __version__
from econ.errors import DataError, EconError, OptionError

if TYPE_CHECKING:
    from econ.report.build import Outcome

DONE, STUDY_FAILED, WRONG_USAGE, BAD_DATA = 0, 1, 2, 3
EXIT_CODES = "exit codes: 0 done, 1 a study failed, 2 wrong usage, 3 bad data"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. Every error that a user can make is one line on standard error."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        options = _parser().parse_args(arguments)
        code: int = options.run(options)
    except EconError as error:
        print(f"econ: {' '.join(str(error).split())}", file=sys.stderr)
        return (
            WRONG_USAGE
            if isinstance(error, OptionError)
            else BAD_DATA
            if isinstance(error, DataError)
            else STUDY_FAILED
        )
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        print(f"econ: {error.filename or 'a file'}: {error.strerror or error}.", file=sys.stderr)
        return WRONG_USAGE
    except KeyboardInterrupt:
        print("econ: interrupted; what was finished is kept.", file=sys.stderr)
        return 130
    return code


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USAGE, f"econ: {message}; see `{self.prog} --help`.\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="econ", description="Build the studies of a project and look at them.", epilog=EXIT_CODES)
    parser.add_argument("--version", action="version", version=f"econ {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=_Parser)

    add = commands.add_parser("list", help="studies with their state, and data sets", epilog=EXIT_CODES)
    add.set_defaults(run=_list)
    _json_option(add)

    add = commands.add_parser("build", help="build what is stale, and nothing else", epilog=EXIT_CODES)
    add.add_argument("studies", metavar="STUDY", nargs="*", help="all studies where none is named")
    add.add_argument("--force", action="store_true", help="build also what is not stale")
    add.add_argument(
        "--jobs", type=_count, default=None, metavar="N", help="studies built at a time (default: processors)"
    )
    add.add_argument("--explain", action="store_true", help="say what is stale and why; build nothing")
    add.set_defaults(run=_build)
    _json_option(add)

    add = commands.add_parser("show", help="print the report of a study", epilog=EXIT_CODES)
    add.add_argument("study", metavar="STUDY")
    add.add_argument("--lang", choices=["en", "zh"], default="en")
    add.set_defaults(run=_show)
    _json_option(add)

    add = commands.add_parser("check", help="check a data file, or a data set that comes with econ", epilog=EXIT_CODES)
    add.add_argument("file", metavar="FILE", help="csv, xlsx, dta or parquet; or the name of a data set")
    add.add_argument("--unit", help="column of the units (default: guessed)")
    add.add_argument("--time", help="column of the periods (default: guessed)")
    add.add_argument("--sheet", help="sheet of an Excel file with several")
    add.set_defaults(run=_check)
    _json_option(add)

    add = commands.add_parser("accept", help="accept the changed data file of a data set", epilog=EXIT_CODES)
    add.add_argument("name", metavar="NAME", help="name of a data set")
    add.set_defaults(run=_accept)
    _json_option(add)
    return parser


def _json_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="machine-readable output")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not allowed; give a whole number from 1 up")
    return int(text)


def _print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=1))


# ---- econ build


def _build(options: argparse.Namespace) -> int:
    from econ.report import build
    from econ.report.progress import Progress
    from econ.report.project import find_project

    project = find_project(Path.cwd())
    names = project.choose(options.studies)
    if options.explain:
        outcomes = [build.examine(project, name, force=options.force) for name in names]
        outcomes.append(build.examine_index(project, outcomes, force=options.force))
    else:
        with Progress() as progress:
            outcomes = build.build(
                project, names, force=options.force, jobs=options.jobs or os.cpu_count() or 1, report=progress.report
            )
    code = STUDY_FAILED if any(outcome.state == "failed" for outcome in outcomes) else DONE
    if options.json:
        _print_json(
            {"reports": str(project.reports), "studies": [vars(outcome) for outcome in outcomes], "exit_code": code}
        )
    else:
        for outcome in outcomes:
            _print_outcome(outcome, project.shown(project.reports))
    return code


def _print_outcome(outcome: "Outcome", reports: str) -> None:
    """One line per study on standard output; why it failed on standard error."""
    if outcome.state == "failed":
        more = f" (traceback in {outcome.log})" if outcome.log else ""
        print(f"econ: {outcome.name} failed: {outcome.error}{more}", file=sys.stderr)
        return
    place = f"{reports}/{outcome.name}" + ("" if outcome.name.endswith(".html") else "/")
    words = {"fresh": "up to date", "stale": "stale", "built": f"built in {outcome.seconds:.1f} s"}[outcome.state]
    print(f"{outcome.name}: {words}, {place}" if outcome.state != "stale" else f"{outcome.name}: stale")
    if outcome.state == "stale":
        for task, reasons in outcome.why.items():
            for reason in reasons:
                print(f"  {task}: {reason}")
    for note in outcome.notes:
        print(f"econ: {outcome.name}: {note}", file=sys.stderr)


# ---- econ list


def _list(options: argparse.Namespace) -> int:
    from econ.report import build
    from econ.report.project import find_project

    project = find_project(Path.cwd())
    rows = []
    for name in project.studies():
        outcome = build.examine(project, name)
        failure = build.last_failure(project, name) if outcome.state == "stale" else None
        rows.append(vars(outcome) | build.describe(project, name) | (vars(failure) if failure else {}))
    if options.json:
        _print_json({"root": str(project.root), "studies": rows, "datasets": project.dataset_names()})
        return DONE
    if not rows:
        print(f"econ: no studies in {project.scripts}.", file=sys.stderr)
    width = max((len(row["name"]) for row in rows), default=0)
    for row in rows:
        print(f"{row['name']:{width}}  {row['state']:6}  {row['title']}  [{', '.join(row['datasets'])}]")
        if row["error"]:
            print(f"{'':{width}}  {row['error']}")
    print(f"data sets: {', '.join(project.dataset_names()) or 'none'}")
    return DONE


# ---- econ show


def _show(options: argparse.Namespace) -> int:
    from econ.report.project import find_project

    project = find_project(Path.cwd())
    (name,) = project.choose([options.study])
    folder = project.reports / name
    if not (folder / "run.json").is_file():
        raise OptionError(f"{name!r} has no report yet; run `econ build {name}`.")
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    text = (folder / run["readme"][options.lang]).read_text(encoding="utf-8")
    if options.json:
        _print_json(
            {"name": name, "title": run["title"][options.lang], "items": run["items"][options.lang], "markdown": text}
        )
    else:
        print(text, end="")
    return DONE


# ---- econ check, econ accept


def _check(options: argparse.Namespace) -> int:
    from econ.check import check_file

    found = check_file(options.file, options.unit, options.time, options.sheet)
    if options.json:
        _print_json(vars(found))
    else:
        for line in found.lines():
            print(line)
        for problem in found.problems:
            print(f"econ: {problem}", file=sys.stderr)
    return BAD_DATA if found.problems else DONE


def _accept(options: argparse.Namespace) -> int:
    from econ.data.cards import accept, card, differences

    before = card(options.name)
    accepted = accept(options.name)
    changes = differences(before, accepted)
    if options.json:
        _print_json(
            {
                "name": accepted.name,
                "file": str(accepted.path),
                "sha256": accepted.sha256,
                "rows": accepted.coverage.get("rows"),
                "changes": changes,
            }
        )
    else:
        rows = accepted.coverage.get("rows", "?")
        print(f"{accepted.name}: accepted {accepted.path.name}, {rows} rows, sha256 {accepted.sha256}")
        for change in changes:
            print(f"  {change}")
    return DONE
