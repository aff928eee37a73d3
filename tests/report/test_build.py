import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from econ.report import build, manifest
from econ.report.build import Outcome
from econ.report.project import find_project

EVERYTHING = {"alpha estimation", "alpha rendering", "beta estimation", "beta rendering"}
RENDERING = {"alpha rendering", "beta rendering"}
ALPHA, ONE_CARD = "scripts/alpha.py", "datasets/one/datapackage.json"


def edit(file: str, old: str, new: str) -> Callable:
    return lambda toy, monkeypatch: toy.edit(file, old, new)


def set_version(package: str) -> Callable:
    def change(toy, monkeypatch) -> None:
        version = manifest._version
        monkeypatch.setattr(manifest, "_version", lambda name: "99.1" if name == package else version(name))
        manifest.versions.cache_clear()

    return change


def change_source(source: str) -> Callable:
    def change(toy, monkeypatch) -> None:
        (toy.package / source).write_text("x = 2\n", encoding="utf-8")
        manifest.sources.cache_clear()

    return change


CHANGES = {
    "nothing": (lambda *_: None, set(), ""),
    "data of one study": (edit("datasets/two/two.csv", "1.5", "3.5"), {"beta estimation", "beta rendering"}, "data"),
    "data of both": (edit("datasets/one/one.csv", "1.5", "3.5"), EVERYTHING, "data datasets/one/one.csv changed"),
    "label in a card": (edit(ONE_CARD, "Output", "Product"), RENDERING, f"card {ONE_CARD} changed"),
    "unit in a card": (edit(ONE_CARD, "yuan", "10k yuan"), EVERYTHING, f"card {ONE_CARD} changed"),
    "label in a script": (edit(ALPHA, '"Mean"', '"Average"'), {"alpha rendering"}, "script LABELS changed"),
    "title": (edit(ALPHA, "Study alpha", "Alpha"), {"alpha rendering"}, "script TITLE changed"),
    "module docstring": (edit(ALPHA, "is about", "finds"), {"alpha rendering"}, "script docstring changed"),
    "parameter": (edit(ALPHA, "2.0", "3.0"), {"alpha estimation", "alpha rendering"}, "script FACTOR changed"),
    "function": (
        edit(ALPHA, "float(row", "1 + float(row"),
        {"alpha estimation", "alpha rendering"},
        "estimate changed",
    ),
    "comment": (edit(ALPHA, "FACTOR = 2.0", "FACTOR = 2.0  # why"), set(), ""),
    "docstring": (edit(ALPHA, "The mean.", "The average."), set(), ""),
    "main guard": (edit(ALPHA, "import run\n", "import run\n    print()\n"), set(), ""),
    "helper": (edit("scripts/_toys.py", "stroke-width:1", "stroke-width:2"), RENDERING, "script _toys.py changed"),
    "econ's estimators": (change_source("did/moments.py"), EVERYTHING, "source econ/did/moments.py changed"),
    "econ's tables": (change_source("report/table.py"), RENDERING, "source econ/report/table.py changed"),
    "econ's new file": (change_source("did/new.py"), EVERYTHING, "source econ/did/new.py added"),
    "econ's command": (change_source("cli.py"), set(), ""),
    "version of scipy": (set_version("scipy"), EVERYTHING, "-> 99.1"),
    "version of matplotlib": (set_version("matplotlib"), RENDERING, "-> 99.1"),
    "output missing": (
        lambda toy, _: (toy.project.reports / "alpha/mean.zh.tex").unlink(),
        {"alpha rendering"},
        "output mean.zh.tex missing",
    ),
    "output edited": (
        edit("reports/alpha/mean.en.md", "Mean", "Men"),
        {"alpha rendering"},
        "output mean.en.md changed",
    ),
    "report missing": (
        lambda toy, _: shutil.rmtree(toy.project.reports / "alpha"),
        {"alpha rendering"},
        "output missing",
    ),
    "state missing": (lambda toy, _: shutil.rmtree(toy.project.state), EVERYTHING, "not built here before"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_makes_its_dependants_stale_and_nothing_else(built, monkeypatch, name):
    change, expected, why = CHANGES[name]
    change(built, monkeypatch)
    outcomes = built.build()
    assert built.ran() == expected
    studies = [outcomes["alpha"], outcomes["beta"]]
    assert {f"{study.name} {task}" for study in studies for task in study.why} == expected
    reasons = [reason for study in studies for reasons in study.why.values() for reason in reasons]
    assert any(why in reason for reason in reasons) if expected else not reasons
    assert expected or outcomes["index.html"].state == "fresh"
    plans = [build.examine(built.project, "alpha"), build.examine(built.project, "beta")]
    assert {plan.state for plan in [*plans, build.examine_index(built.project)]} == {"fresh"}


def test_index_alone(built):
    (built.project.reports / "index.html").unlink()
    outcomes = built.build()
    assert (outcomes["alpha"].state, outcomes["index.html"].state, built.ran()) == ("fresh", "built", set())


def test_force_and_single_study(built):
    assert built.build("beta", force=True)["beta"].why["estimation"] == ("asked for with --force",)
    assert built.ran() == {"beta estimation", "beta rendering"}


def test_rebuilding_gives_the_same_bytes_and_touches_nothing(built):
    files = [path for path in built.project.reports.rglob("*") if path.is_file() and path.name != "run.json"]
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}
    built.build(force=True)
    after = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}
    del before[built.project.reports / "index.html"], after[built.project.reports / "index.html"]
    assert after == before
    assert built.ran() == EVERYTHING


def test_a_study_of_simulated_data_says_so_in_every_table_and_figure(toy):
    note = '"notes": [{"en": "Simulated: not real.", "zh": "模拟：并非真实。"}], "quality": "simulated", '
    card = toy.root / "datasets/two/datapackage.json"
    card.write_text(card.read_text(encoding="utf-8").replace("{", "{" + note, 1), encoding="utf-8")
    toy.edit(
        "scripts/beta.py",
        '    yield item("picture"',
        """    import econ, pandas as pd
    frame = pd.DataFrame({"year": [1, 2], "y": [1.0, 2.0]})
    yield item("frame", econ.report.data_table(frame, lang=lang))
    yield item("noted", econ.report.data_table(frame, lang=lang, notes=["Simulated: not real."]))
    yield item("line", econ.report.line_plot(frame, "y", lang=lang))
    yield item("picture\"""",
    )
    toy.build()
    english = "The study draws on two (simulated: not real)."
    beta = {name: data.decode("utf-8", "replace") for name, data in toy.report("beta").items()}
    assert english in beta["frame.en.md"]
    assert "本研究使用数据集two（模拟：并非真实）。" in beta["frame.zh.md"]
    assert beta["noted.en.md"].count("Simulated") == 1
    captions = {each["name"]: each["caption"] for each in json.loads(beta["run.json"])["items"]["en"]}
    assert captions == {"reading": "", "frame": "", "noted": "", "line": "", "mean": english,
                        "picture": f"Mean drawn {english}"}  # fmt: skip
    assert "Simulated" not in toy.report("alpha")["mean.en.md"].decode()


BREAKS = {
    "estimate raises": ("    values =", "    raise ValueError('no data')\n    values =", "ValueError: no data"),
    "render raises in the second language": (
        '    yield item("mean"',
        '    assert lang == "en", "half done"\n    yield item("mean"',
        "AssertionError: half done",
    ),
    "econ refuses": (
        "    values =",
        "    import econ.errors\n    raise econ.errors.ModelError('no rows\\nleft')\n    values =",
        "no rows left",
    ),
    "script does not parse": ("def rows(name):", "def rows(name:", "alpha.py, line"),
    "two items of one name": ('item("reading"', 'item("mean"', "two items named 'mean'"),
    "entry missing": ("results['mean']}**", "results['median']}**", "estimate() returned no 'median'"),
    "data set not declared": (
        "    values =",
        "    open('datasets/two/two.csv', encoding='utf-8').close()\n    values =",
        "It reads the data of 'two'; add it to DATASETS.",
    ),
    "data read while rendering": (
        '    yield item("reading"',
        '    rows("one")\n    yield item("reading"',
        "It reads the data of 'one'; let estimate() return what render() needs.",
    ),
    "not storable": ('{"mean": FACTOR', '{"set": {1}, "mean": FACTOR', "returned a set as set"),
    "unknown data set": ("('one',)", "('won',)", "There is no data set 'won'"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_failing_study_leaves_its_last_good_report_and_the_others_built(built, name):
    old, new, message = BREAKS[name]
    good = built.report("alpha")
    script = (built.root / ALPHA).read_bytes()
    built.edit(ALPHA, old, new)
    built.edit("scripts/beta.py", "2.0", "3.0")
    outcomes = built.build()
    failed = outcomes["alpha"]
    assert (failed.state, outcomes["beta"].state, outcomes["index.html"].state) == ("failed", "built", "built")
    assert message in failed.error
    assert "\n" not in failed.error
    assert built.report("alpha") == good
    if failed.log:
        assert failed.error.split(": ")[1] in (built.root / failed.log).read_text(encoding="utf-8")
    assert bool(failed.log) == bool(re.match(r"\w+Error: ", failed.error))
    assert build.last_failure(built.project, "alpha").error == failed.error
    (built.root / ALPHA).write_bytes(script)
    built.build("alpha")
    assert build.examine(built.project, "alpha").state == "fresh"


def test_failure_is_forgotten_once_built(built):
    built.edit(ALPHA, "2.0", "1 / 0")
    assert built.build()["alpha"].error == "ZeroDivisionError: division by zero"
    built.edit(ALPHA, "1 / 0", "4.0")
    assert built.build()["alpha"].state == "built"
    assert b"**8.0**" in built.report("alpha")["reading.en.md"]
    assert b"8.0" in (built.project.reports / "index.html").read_bytes()
    assert build.last_failure(built.project, "alpha") is None


def test_interruption_stops_and_keeps_what_stands(built):
    good = built.report("alpha")
    built.edit(ALPHA, "    values =", "    raise KeyboardInterrupt\n    values =")
    with pytest.raises(KeyboardInterrupt):
        built.build()
    assert built.report("alpha") == good


def test_a_file_that_is_no_longer_made_is_removed_and_a_foreign_one_kept(built):
    (built.project.reports / "alpha" / "mine.txt").write_text("mine", encoding="utf-8")
    built.edit(ALPHA, '    yield item("picture"', '    yield item("drawing"')
    built.build()
    names = set(built.report("alpha"))
    assert {"drawing.en.svg", "mine.txt"} <= names
    assert not any(name.startswith(("picture", ".")) for name in names)


def test_a_format_whose_package_is_missing_is_left_out_with_a_note(built):
    built.edit(
        "scripts/_toys.py",
        "    def docx(self, path):\n",
        "    def docx(self, path):\n        from econ.errors import MissingPackageError\n"
        "        raise MissingPackageError('Word files need python-docx; pip install econ[docx]')\n",
    )
    outcome = built.build("alpha")["alpha"]
    assert outcome.state == "built"
    assert outcome.notes == (".docx files are left out: Word files need python-docx; pip install econ[docx]",)
    assert "mean.en.docx" not in built.report("alpha")


def test_unusable_state_says_what_to_do(built):
    (built.project.state / "alpha" / "pytask.lock").write_text("nonsense", encoding="utf-8")
    assert "delete that folder and build again" in built.build()["alpha"].error


def test_studies_write_prints_to_standard_error_and_find_their_data(built, capsys):
    built.edit(ALPHA, '    note("estimation")', "    import os\n    print(os.environ['ECON_DATASETS'])")
    built.build("alpha")
    printed = capsys.readouterr()
    assert (printed.out, printed.err.strip()) == ("", str(built.project.datasets))
    assert "ECON_DATASETS" not in os.environ


def test_explaining_the_index_foresees_what_is_built_first(built):
    built.edit(ALPHA, "2.0", "3.0")
    plans = [build.examine(built.project, name) for name in ("alpha", "beta")]
    assert build.examine_index(built.project).state == "fresh"
    assert build.examine_index(built.project, plans).why == {"index.html": ("the report alpha is built again",)}


def test_side_by_side(built):
    heard: list[Outcome] = []
    built.edit("scripts/beta.py", "2.0", "1 / 0")
    outcomes = built.build(force=True, jobs=2, report=heard.append)
    assert (outcomes["alpha"].state, outcomes["beta"].error) == ("built", "ZeroDivisionError: division by zero")
    assert sorted((each.name, each.state) for each in heard) == [
        ("alpha", "built"),
        ("alpha", "stale"),
        ("beta", "failed"),
        ("beta", "stale"),
    ]


def test_builds_of_one_project_wait_for_each_other(toy, capsys):
    with ThreadPoolExecutor() as pool:
        with build._alone(toy.project):
            waiting = pool.submit(lambda: build._alone(toy.project).__enter__())
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.2)
        waiting.result(timeout=10)
    assert "waiting for another build" in capsys.readouterr().err


def test_script_run_from_anywhere(toy, tmp_path):
    environment = os.environ | {"PYTHONPATH": str(Path(manifest.__file__).parents[2])}
    script = toy.project.scripts / "alpha.py"
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8", check=True
    )
    assert "reports/alpha/" in done.stdout
    assert "mean.zh.md" in toy.report("alpha")


def test_project_of_a_folder(toy, tmp_path):
    assert find_project(toy.root).studies() == ["alpha", "beta"]
    elsewhere = find_project(tmp_path)
    assert elsewhere.root == tmp_path
    assert elsewhere.scripts.parent == Path(build.__file__).parents[2]
