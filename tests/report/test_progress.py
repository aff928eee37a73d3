import io
import sys

import pytest

from econ.report.build import Outcome
from econ.report.progress import Progress

STARTED = Outcome("alpha", "stale", {"estimation": ("data a changed", "b", "c", "d"), "rendering": ("e",)})


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def told(monkeypatch, request):
    stream = request.param()
    monkeypatch.setattr(sys, "stderr", stream)
    with Progress() as progress:
        progress.report(STARTED)
        progress.report(Outcome("alpha", "built", seconds=1.0))
        progress.report(Outcome("beta", "failed", error="no data"))
    return stream.getvalue()


@pytest.mark.parametrize("told", [io.StringIO], indirect=True)
def test_one_plain_line_as_a_study_starts(told):
    assert told == "alpha: estimation and rendering (data a changed; b; c)\n"


@pytest.mark.parametrize("told", [Terminal], indirect=True)
def test_a_row_on_a_terminal_that_is_gone_at_the_end(told):
    assert "estimation and rendering" in told
    assert "beta" not in told
