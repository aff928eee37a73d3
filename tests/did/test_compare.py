"""Results side by side."""

import numpy as np
import pytest

import econ
from econ import OptionError
from tests.did.designs import growing_effects as panel

ESTIMATORS = (econ.did.twfe, econ.did.sun_abraham, econ.did.callaway_santanna)


def test_each_row_is_the_overall_average_of_its_result() -> None:
    results = [f(panel(), "y", cohort="cohort") for f in ESTIMATORS]
    found = econ.did.compare(results)
    np.testing.assert_allclose(found.frame["estimate"], [r.aggregate().coef[0] for r in results])
    np.testing.assert_allclose(found.frame["std_error"], [r.aggregate().std_error[0] for r in results])
    assert "weights()" in found.frame["average"][0]
    assert "Average over treated cells" in found.frame["average"][1]
    assert list(found.events) == ["Sun and Abraham", "Callaway and Sant'Anna"]


def test_a_window_limits_events_and_averages() -> None:
    result = econ.did.callaway_santanna(panel(), "y", cohort="cohort")
    found = econ.did.compare({"CS": result}, window=(-1, 1))
    assert found.events["CS"].spec["event_time"] == [-1, 0, 1]
    assert found.frame["estimate"][0] == result.aggregate("overall", window=(-1, 1)).coef[0]


def test_the_same_estimator_twice_gets_numbers() -> None:
    result = econ.did.sun_abraham(panel(), "y", cohort="cohort")
    assert list(econ.did.compare([result, result]).overall) == ["Sun and Abraham (1)", "Sun and Abraham (2)"]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_table_and_figure_in_both_languages(lang: econ.Lang) -> None:
    found = econ.did.compare([f(panel(), "y", cohort="cohort") for f in ESTIMATORS])
    name = {"en": "Sun and Abraham", "zh": "Sun-Abraham"}[lang]
    assert name in found.table(lang=lang).markdown()
    plot = found.plot(lang=lang)
    assert {"band_low", "band_high"} <= set(plot.data)
    assert len(econ.did.compare([econ.did.twfe(panel(), "y", cohort="cohort")]).plot(lang=lang).data) == 1


def test_only_results_before_averaging_are_taken() -> None:
    with pytest.raises(OptionError, match="before aggregate"):
        econ.did.compare([econ.did.sun_abraham(panel(), "y", cohort="cohort").aggregate()])  # type: ignore[list-item]
    with pytest.raises(OptionError, match="No results"):
        econ.did.compare([])
