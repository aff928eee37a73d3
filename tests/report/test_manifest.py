import hashlib
import json
import platform
import subprocess
from types import SimpleNamespace

import pytest

from econ.errors import StudyError
from econ.report import manifest
from econ.report.script import read_script


@pytest.fixture
def run(built):
    return json.loads((built.project.reports / "alpha" / "run.json").read_text(encoding="utf-8"))


def test_run_json_records_inputs_with_checksum_and_source(built, run):
    data = (built.root / "datasets/one/one.csv").read_bytes()
    assert run["inputs"] == [
        {
            "file": "datasets/one/one.csv",
            "sha256": hashlib.sha256(data).hexdigest(),
            "bytes": len(data),
            "dataset": "one",
            "source": ["Yearbook"],
        }
    ]


def test_run_json_records_parameters_versions_and_outputs(built, run):
    assert run["parameters"] == {"FACTOR": 2.0}
    assert run["estimation"]["packages"]["python"] == platform.python_version()
    assert run["rendering"]["packages"].keys() >= {"econ", "matplotlib", "great_tables"}
    assert run["estimation"]["platform"] == platform.platform()
    assert run["estimation"]["seconds"] >= 0
    listed = {each["file"]: each["sha256"] for each in run["outputs"]}
    files = {name: data for name, data in built.report("alpha").items() if name != "run.json"}
    assert listed == {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    assert [item["name"] for item in run["items"]["zh"]] == ["reading", "mean", "picture"]


def test_seed_and_samples(built):
    built.edit("scripts/alpha.py", "FACTOR = 2.0", "SEED = 11\nFACTOR = 2.0 + SEED")
    script = read_script(built.root / "scripts/alpha.py")

    fit = SimpleNamespace(n_obs=90, dropped={"missing": 8, "singletons": 2}, spec={"history": ["took logs of x"]})
    record = manifest.record(built.project, script, 1.234, {"a": fit, "nested": {"b": [fit]}, "number": 3})
    assert record["seed"] == 11
    sample = {"rows": 90, "dropped": fit.dropped, "transforms": ["took logs of x"]}
    assert record["samples"] == {"a": sample, "nested.b.0": sample}
    assert record["estimation"]["seconds"] == 1.23


def test_git_commit_and_whether_anything_but_reports_differs(toy):
    def git(*arguments):
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        subprocess.run(["git", *identity, *arguments], cwd=toy.root, check=True, capture_output=True)

    def found():
        return manifest.environment(toy.project, "estimation", 0)["git"]

    assert found() is None
    git("init")
    git("add", ".")
    git("commit", "-m", "first")
    assert (len(found()["commit"]), found()["dirty"]) == (40, False)
    (toy.root / "reports").mkdir()
    (toy.root / "reports/new.md").write_text("new", encoding="utf-8")
    assert not found()["dirty"]
    (toy.root / "new.py").write_text("new", encoding="utf-8")
    assert found()["dirty"]


def test_words_of_a_card_do_not_touch_estimation(tmp_path):
    path = tmp_path / "datapackage.json"
    content = {
        "title": "A",
        "notes": [{"en": "simulated"}],
        "resources": [{"schema": {"fields": [{"name": "y", "unit": "yuan", "label": {"en": "Y"}, "note": "n"}]}}],
    }

    def digests(changed):
        path.write_text(json.dumps(changed), encoding="utf-8")
        return manifest.card_digest(path, "estimation"), manifest.card_digest(path, "rendering")

    before = digests(content)
    words = json.loads(json.dumps(content).replace('"A"', '"B"').replace('"Y"', '"Z"').replace('"n"', '"m"'))
    assert digests(words)[0] == before[0]
    assert digests(words)[1] != before[1]
    for substance in ("simulated", "yuan"):
        assert digests(json.loads(json.dumps(content).replace(substance, "other")))[0] != before[0]


def test_a_broken_card_is_named(toy):
    (toy.root / "datasets/one/datapackage.json").write_text("{", encoding="utf-8")
    with pytest.raises(StudyError, match=r"one/datapackage\.json is not JSON"):
        manifest.facts(toy.project, read_script(toy.root / "scripts/alpha.py"), "estimation")


def test_a_package_that_is_not_installed_is_a_fact(monkeypatch):
    monkeypatch.setitem(manifest.PACKAGES, "rendering", ("surely-not-installed",))
    manifest.versions.cache_clear()
    assert manifest.versions("rendering")["surely-not-installed"] == "absent"
    manifest.versions.cache_clear()
