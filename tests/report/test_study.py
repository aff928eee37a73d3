import pytest

from econ.errors import StudyError
from econ.report.script import read_script
from econ.report.study import Results, item, run_estimation, run_rendering

HEAD = 'TITLE = {"en": "T", "zh": "题"}\nDATASETS = ("one",)\n'
HALVES = "def estimate():\n    return {}\n\ndef render(results, lang):\n    yield from ()\n"


def script(tmp_path, text):
    path = tmp_path / "study.py"
    path.write_text(text, encoding="utf-8")
    return read_script(path)


def stale(tmp_path, before, after):
    """Halves whose digest differs between two sources."""
    old, new = script(tmp_path, before).halves, script(tmp_path, after).halves
    return {half for half in old if old[half] != new[half]}


def test_what_a_script_declares(tmp_path):
    text = f'"""About it."""\n{HEAD}SEED = 7\nUNUSED = 1\nDEPTH: int = 2\n\ndef draw():\n    return SEED, DEPTH\n\n'
    found = script(tmp_path, text + "def estimate():\n    return {'x': draw()}\n\ndef render(r, lang):\n    yield\n")
    assert (found.name, found.datasets, found.title["zh"]) == ("study", ("one",), "题")
    assert found.abstract == {"en": "About it.", "zh": "About it."}
    assert found.parameters == {"SEED": 7, "DEPTH": 2}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def estimate(): ...", "lacks TITLE, DATASETS, render"),
        (HEAD.replace('("one",)', "names()") + HALVES, "DATASETS in study.py must be a tuple of names written out"),
        (HEAD.replace('{"en": "T", "zh": "题"}', "3") + HALVES, "TITLE in study.py must be written out"),
        ("def estimate(:", "study.py, line 1"),
    ],
)
def test_a_script_that_is_no_study(tmp_path, text, message):
    with pytest.raises(StudyError, match=message):
        script(tmp_path, text)


def test_a_script_that_is_not_utf8(tmp_path):
    path = tmp_path / "study.py"
    path.write_bytes((HEAD + HALVES).encode("gb18030"))
    with pytest.raises(StudyError, match="save it as UTF-8"):
        read_script(path)


BODY = '''import json
import numpy as np

np.seterr(all="raise")
RATE = 1
TABLE = {"a": RATE}
TABLE["b"] = 2
WORDS = {"en": "x"}
WORDS.update(zh="y")
LEVEL, SHOWN = 0.95, 3
if RATE:
    BRANCH = 1


class Model:
    """Docstring."""

    rate = TABLE


def solve():
    return Model().rate, BRANCH


def words():
    return json.dumps(WORDS)


def estimate():
    return {"x": solve(), "level": LEVEL}


def render(results, lang):
    yield words(), SHOWN
'''
BOTH, ESTIMATION, RENDERING = {"estimation", "rendering"}, {"estimation"}, {"rendering"}


@pytest.mark.parametrize(
    ("old", "new", "halves"),
    [
        ("RATE = 1", "RATE = 2", ESTIMATION),  # reached through a constant, a class and a function
        ('TABLE["b"] = 2', 'TABLE["b"] = 3', ESTIMATION),  # changed in place
        ('zh="y"', 'zh="z"', RENDERING),  # changed by a method
        ("    BRANCH = 1", "    BRANCH = 2", ESTIMATION),  # bound inside a block
        ("0.95, 3", "0.95, 4", BOTH),  # one statement, two names
        ('"""Docstring."""', '"""Other."""', set()),
        ('np.seterr(all="raise")', 'np.seterr(all="warn")', BOTH),  # a call for its effect
        ("import json", "import simplejson as json", RENDERING),
        ("def words():", "\n# a comment\ndef words():", set()),
    ],
)
def test_which_half_a_change_touches(tmp_path, old, new, halves):
    assert old in BODY
    assert stale(tmp_path, HEAD + BODY, HEAD + BODY.replace(old, new)) == halves


def test_modules_beside_the_script_count_as_a_whole(tmp_path):
    (tmp_path / "near.py").write_text("import far\n", encoding="utf-8")
    (tmp_path / "far.py").write_text("x = 1\n", encoding="utf-8")
    text = HEAD + "from near import solve\n" + HALVES.replace("return {}", "return solve()")
    before = script(tmp_path, text).halves
    (tmp_path / "far.py").write_text("x = 2  # changed\n", encoding="utf-8")
    after = script(tmp_path, text).halves
    assert before["estimation"].keys() >= {"near.py", "far.py"}
    assert before["estimation"]["far.py"] != after["estimation"]["far.py"]
    assert before["rendering"] == after["rendering"]


@pytest.mark.parametrize("name", ["Growth", "a b", "", "../a", "a.b", "_a", "图"])
def test_item_names_are_file_names(name):
    with pytest.raises(StudyError, match="cannot name a file"):
        item(name, "text")


def test_items_hold_texts_tables_and_figures():
    assert item("a", "text").kind == "text"
    with pytest.raises(StudyError, match="holds a int; give a string of Markdown, a Table, or a Plot"):
        item("a", 3)


def test_results_name_what_there_is():
    results = Results({"growth": 1.0})
    assert (dict(results), len(results), results["growth"]) == ({"growth": 1.0}, 1, 1.0)
    with pytest.raises(StudyError, match="no 'grwth'; it returned 'growth'"):
        results["grwth"]
    with pytest.raises(StudyError, match="'growth' is a float, not the DataFrame"):
        results.frame("growth")
    with pytest.raises(StudyError, match="'growth' is a float, not the Estimate"):
        results.estimate("growth")


def test_halves_are_checked(tmp_path):
    path = tmp_path / "study.py"
    path.write_text("def estimate():\n    return 3\n\ndef render(results, lang):\n    yield 'text'\n", encoding="utf-8")
    with pytest.raises(StudyError, match=r"estimate\(\) returned a int"):
        run_estimation(path)
    with pytest.raises(StudyError, match=r"render\(\) yielded a str; yield econ.report.item"):
        run_rendering(path, Results({}), "en")
