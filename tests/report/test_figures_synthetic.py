"""The figure of a cohort beside its synthetic control."""

import pytest
from matplotlib.figure import Figure

import econ
from econ import OptionError
from econ.did import SyntheticResult
from econ.report import synthetic_plot
from tests.did.designs import staggered


def result(kind: str = "sdid") -> SyntheticResult:
    return econ.did.synthetic(staggered(), "y", cohort="cohort", kind=kind, inference="jackknife")


def test_shows_the_cohort_with_the_most_treated_observations_and_names_the_others() -> None:
    plot = result().plot()
    assert set(plot.data["cohort"]) == {2004}  # 8 units x 7 years; 10 x 5 in 2006, 6 x 3 in 2008
    assert plot.data["period"].tolist() == list(range(2001, 2011))
    assert plot.data["time_weight"].sum() == pytest.approx(1.0)
    assert "2004, 2006, 2008" in plot.notes[0]


def test_shows_the_cohort_asked_for_also_from_json_and_in_chinese() -> None:
    again = SyntheticResult.from_json(result().to_json())
    plot = synthetic_plot(again, cohort=2006, lang="zh")
    assert set(plot.data["cohort"]) == {2006}
    assert "合成对照" in plot.notes[0]
    assert "10" in plot.figure.legends[0].get_texts()[0].get_text()


def test_lines_differ_in_dashes_and_faces_of_markers() -> None:
    ax = Figure().subplots()
    synthetic_plot(result(), ax=ax)
    first, second = ax.lines[:2]
    assert first.get_linestyle() != second.get_linestyle()
    assert first.get_markerfacecolor() != second.get_markerfacecolor()


def test_synthetic_control_has_no_time_weights_to_show() -> None:
    plot = result("sc").plot()
    assert not plot.ax.patches
    assert "shifted" not in plot.notes[0]


def test_a_cohort_that_is_not_there() -> None:
    with pytest.raises(OptionError, match="choose one of 2004, 2006, 2008"):
        synthetic_plot(result(), cohort=2005)
