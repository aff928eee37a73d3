"""The README shows what the code made: its table is the report's, its figures exist, its example runs."""

import re
from pathlib import Path

import matplotlib
import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_tables_are_those_of_the_reports() -> None:
    shown = re.findall(r"<!-- table: (\S+) -->\n(.*?)\n<!-- end -->", README, flags=re.DOTALL)
    assert shown
    for path, text in shown:
        assert text.strip() == (ROOT / path).read_text(encoding="utf-8").strip(), f"paste {path} into README.md again"


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_session_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    matplotlib.use("agg")
    monkeypatch.chdir(tmp_path)
    (session,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    exec(compile(session, "README.md", "exec"), {})
    assert (tmp_path / "events.svg").stat().st_size > 1000
