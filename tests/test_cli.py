import hashlib
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

import econ
from econ import cli
from econ.report import project

ROOT = Path(econ.__file__).parents[1]


@pytest.fixture(autouse=True)
def no_shipped_data(monkeypatch, tmp_path):
    monkeypatch.setattr(project, "shipped_folder", lambda: tmp_path)


@pytest.fixture
def call(monkeypatch, capsys):
    """Run the command in a folder; returns exit code, standard output and standard error."""

    def run(folder, *arguments):
        monkeypatch.chdir(folder)
        try:
            code = cli.main(arguments)
        except SystemExit as leave:
            code = leave.code
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def process(folder, *arguments, **environment):
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    command = [sys.executable, "-m", "econ", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)


def test_build_then_nothing_to_do(toy, call):
    code, out, err = call(toy.root, "build", "--jobs", "1")
    assert code == 0
    assert [line.split(":")[0] for line in out.splitlines()] == ["alpha", "beta", "index.html"]
    assert "alpha: estimation and rendering (not built here before)" in err
    code, out, err = call(toy.root, "build")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "alpha: up to date, reports/alpha/",
        "beta: up to date, reports/beta/",
        "index.html: up to date, reports/index.html",
    ]


def test_explain(built, call):
    built.edit("scripts/alpha.py", "2.0", "3.0")
    code, out, err = call(built.root, "build", "--explain")
    assert (code, err, built.ran()) == (0, "", set())
    assert out.splitlines() == [
        "alpha: stale",
        "  estimation: script FACTOR changed",
        "  rendering: the estimation runs again",
        "beta: up to date, reports/beta/",
        "index.html: stale",
        "  index.html: the report alpha is built again",
    ]


def test_a_failed_study_is_one_line_and_exit_code_1(built, call):
    built.edit("scripts/alpha.py", "2.0", "1 / 0")
    code, out, err = call(built.root, "build", "--jobs", "1")
    assert code == 1
    assert "beta: up to date" in out
    failure = "econ: alpha failed: ZeroDivisionError: division by zero (traceback in .pytask/alpha/error.log)"
    assert err.splitlines()[-1] == failure
    code, out, _ = call(built.root, "list")
    assert code == 0
    assert out.splitlines()[:2] == ["alpha  failed  Study alpha  [one]", "       ZeroDivisionError: division by zero"]


def test_list(built, call):
    built.edit("scripts/beta.py", "2.0", "3.0")
    assert call(built.root, "list") == (
        0,
        "alpha  fresh   Study alpha  [one]\nbeta   stale   Study beta  [one, two]\ndata sets: one, two\n",
        "",
    )


def test_show(built, call):
    code, out, err = call(built.root, "show", "alpha", "--lang", "zh")
    assert (code, err) == (0, "")
    assert out == (built.project.reports / "alpha" / "README.zh.md").read_text(encoding="utf-8")
    assert "| 均值 4.0 |" in out


def test_json_of_every_command(built, call):
    (built.root / "data.csv").write_text("province,year,x\nBeijing,2000,1\nBeijing,2001,\n", encoding="utf-8")
    built.edit("scripts/beta.py", "2.0", "1 / 0")
    answers = {}
    for arguments in (
        ("build", "--jobs", "1"),
        ("build", "--explain"),
        ("list",),
        ("show", "alpha"),
        ("check", "data.csv"),
    ):
        code, out, _ = call(built.root, *arguments, "--json")
        answers[arguments] = (code, json.loads(out))
    code, answer = answers["build", "--jobs", "1"]
    assert code == answer["exit_code"] == 1
    assert [(each["name"], each["state"]) for each in answer["studies"]] == [
        ("alpha", "fresh"),
        ("beta", "failed"),
        ("index.html", "fresh"),
    ]
    assert answer["studies"][1]["error"] == "ZeroDivisionError: division by zero"
    assert answers["build", "--explain"][1]["studies"][1]["why"]["estimation"] == ["script FACTOR changed"]
    assert [each["state"] for each in answers["list",][1]["studies"]] == ["fresh", "failed"]
    assert answers["show", "alpha"][1]["items"][1]["files"][0] == "mean.en.md"
    assert answers["check", "data.csv"][1]["columns"][0]["missing"] == 1


WRONG = {
    "unknown command": (["bild"], 2, "invalid choice: 'bild'"),
    "no command": ([], 2, "required: COMMAND"),
    "unknown option": (["build", "--froce"], 2, "unrecognized arguments: --froce"),
    "unknown study": (["build", "alhpa"], 2, "Did you mean 'alpha'?"),
    "jobs": (["build", "--jobs", "0"], 2, "'0' is not allowed; give a whole number from 1 up"),
    "no report": (["show", "alpha"], 2, "run `econ build alpha`"),
    "unknown data set": (["accept", "provincs"], 2, "There is no data set 'provincs'"),
    "no file": (["check", "data.csv"], 3, "There is no file 'data.csv'"),
    "format": (["check", "notes.doc"], 2, "cannot be read; the formats are"),
    "duplicate keys": (["check", "twice.csv"], 3, "Beijing, 2000"),
    "unknown province": (["check", "mars.csv"], 3, "火星"),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors_are_one_line_with_their_exit_code(toy, call, name):
    arguments, expected, message = WRONG[name]
    (toy.root / "notes.doc").write_text("x", encoding="utf-8")
    (toy.root / "twice.csv").write_text("province,year,x\nBeijing,2000,1\nBeijing,2000,2\n", encoding="utf-8")
    mars = "地区,年份,x\n北京,2000,1\n上海,2000,2\n火星,2000,3\n"
    (toy.root / "mars.csv").write_bytes(mars.encode("gb18030"))
    code, _, err = call(toy.root, *arguments)
    assert code == expected
    assert message in err
    assert err.startswith("econ: ")
    assert err.count("\n") == 1


def test_check_says_what_a_file_holds(toy, call):
    text = "地区,年份,产值\n北京,2000,1\n北京,2001,\n上海,2000,3\n"
    (toy.root / "data.csv").write_bytes(text.encode("gb18030"))
    code, out, err = call(toy.root, "check", "data.csv")
    assert (code, err) == (0, "")
    assert "2 units (地区) x 2 periods (年份, 2000-2001), 3 rows, unbalanced" in out
    assert "GB18030" in out
    assert "all 2 units are provinces" in out
    assert "产值: 2 values, 1 missing, 1 to 3" in out


def test_check_and_accept_a_data_set_of_the_project(toy, call, monkeypatch):
    fields = [{"name": "unit", "type": "string", "title": "Unit"}, {"name": "y", "type": "number", "title": "Y"}]
    card = {
        "profile": "tabular-data-package",
        "name": "mine",
        "title": "Mine",
        "quality": "simulated",
        "sources": [{"title": "made up"}],
        "resources": [
            {
                "profile": "tabular-data-resource",
                "name": "mine",
                "path": "mine.csv",
                "encoding": "utf-8",
                "hash": "sha256:" + "0" * 64,
                "bytes": 0,
                "schema": {"fields": fields, "primaryKey": ["unit"], "missingValues": [""]},
            }
        ],
    }
    folder = toy.root / "datasets" / "mine"
    folder.mkdir()
    (folder / "mine.csv").write_text("unit,y\na,1\nb,2\n", encoding="utf-8")
    (folder / "datapackage.json").write_text(json.dumps(card), encoding="utf-8")
    for other in ("one", "two"):
        (toy.root / "datasets" / other / "datapackage.json").unlink()
    monkeypatch.setenv("ECON_DATASETS", str(toy.root / "datasets"))
    code, _, err = call(toy.root, "check", "mine")
    assert code == 3
    assert "econ accept mine" in err
    found = hashlib.sha256((folder / "mine.csv").read_bytes()).hexdigest()
    assert f"is {found}, its card says {'0' * 64}" in err
    code, out, _ = call(toy.root, "accept", "mine")
    assert code == 0
    assert "accepted mine.csv, 2 rows" in out
    assert call(toy.root, "check", "mine")[0] == 0
    (folder / "mine.csv").write_text("unit,y\na,1\n", encoding="utf-8")
    assert "  coverage: rows 2 -> 1\n" in call(toy.root, "accept", "mine")[1]
    code, _, err = call(toy.root, "check", "mne")
    assert code == 3
    assert "Data sets with a similar name: mine." in err


@pytest.mark.parametrize("suffix", ["xlsx", "dta", "parquet"])
def test_check_of_a_broken_file_is_one_line(toy, call, suffix):
    (toy.root / f"broken.{suffix}").write_bytes(b"nothing of the kind")
    code, _, err = call(toy.root, "check", f"broken.{suffix}")
    assert (code, err.count("\n")) == (3, 1)
    assert err.startswith(f"econ: broken.{suffix} is no ")


@pytest.mark.parametrize(("suffix", "package"), [("xlsx", "openpyxl"), ("parquet", "pyarrow")])
def test_check_names_the_extra_that_is_missing(toy, call, monkeypatch, suffix, package):
    (toy.root / f"data.{suffix}").write_bytes(b"")
    monkeypatch.setitem(sys.modules, package, None)
    code, _, err = call(toy.root, "check", f"data.{suffix}")
    assert (code, err.count("\n")) == (3, 1)
    assert "pip install 'econ[" in err


def test_check_of_a_table_with_totals_finds_them(toy, call):
    text = "地区,年份,x\n全国,2000,3\n北京,2000,1\n上海,2000,2\n"
    (toy.root / "data.csv").write_text(text, encoding="utf-8")
    code, out, err = call(toy.root, "check", "data.csv")
    assert (code, err) == (0, "")
    assert "all 2 units are provinces; 全国: no provinces, left out by econ.read(..., regions='en')" in out


def test_check_says_which_keys_it_could_not_guess(toy, call):
    (toy.root / "data.csv").write_text("stkcd,fyear,x\n1,2000,3\n2,2000,1\n", encoding="utf-8")
    code, _, err = call(toy.root, "check", "data.csv")
    assert (code, err.count("\n")) == (3, 1)
    assert "could not tell the unit column; give --unit and --time; columns: stkcd, fyear, x." in err
    code, out, err = call(toy.root, "check", "data.csv", "--unit", "stkcd", "--time", "fyear")
    assert (code, err) == (0, "")
    assert "2 units (stkcd)" in out
    assert call(toy.root, "check", "data.csv", "--unit", "stkcd")[0] == 0


def test_check_takes_a_sheet(toy, call):
    book = pytest.importorskip("openpyxl").Workbook()
    for name in ("first", "second"):
        page = book.create_sheet(name)
        for row in (["province", "year", name], ["北京", 2000, 1]):
            page.append(row)
    book.save(toy.root / "data.xlsx")
    code, _, err = call(toy.root, "check", "data.xlsx")
    assert (code, err.count("\n")) == (2, 1)
    assert "--sheet" in err and "'first', 'second'" in err
    code, out, err = call(toy.root, "check", "data.xlsx", "--sheet", "second")
    assert (code, err) == (0, "")
    assert "second: 1 values" in out


def test_help_and_version_are_quick(tmp_path):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = process(tmp_path, "--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0
    assert "exit codes: 0 done, 1 a study failed, 2 wrong usage, 3 bad data" in done.stdout.decode()
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.3
    assert process(tmp_path, "--version").stdout.decode().strip() == f"econ {econ.__version__}"


def test_a_locale_that_is_not_utf8(toy):
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    toy.edit("scripts/alpha.py", '    note("estimation")', "    print('均值')")
    done = process(toy.root, "build", "alpha", "--json", **environment)
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout.decode("utf-8"))["studies"][0]["state"] == "built"
    shown = process(toy.root, "show", "alpha", "--lang", "zh", **environment)
    assert shown.stdout.decode("utf-8") == toy.report("alpha")["README.zh.md"].decode("utf-8")
    assert "均值 4.0".encode() in toy.report("alpha")["mean.zh.html"]


def test_a_reader_that_goes_away(built):
    command = f"{sys.executable} -m econ show alpha | true"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, shell=True, cwd=built.root, env=environment, capture_output=True, check=True)
    assert done.stderr == b""
