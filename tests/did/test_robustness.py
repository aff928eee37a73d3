"""Leaving units out, and dates before the true ones."""

import numpy as np
import pytest

import econ
from econ import DataError, OptionError, Panel
from tests.did.designs import growing_effects


def test_each_row_is_the_estimate_without_the_unit() -> None:
    panel = growing_effects()
    found = econ.did.leave_one_out(econ.did.callaway_santanna, panel, "y", cohort="cohort")
    rows = found.frame.set_index("left_out")
    assert len(rows) == 12
    for unit in (0, 6, 11):
        fit = econ.did.callaway_santanna(panel.where(lambda d, u=unit: d["unit"] != u), "y", cohort="cohort")
        assert rows.loc[str(unit), "estimate"] == fit.aggregate().coef[0]
        assert rows.loc[str(unit), "std_error"] == fit.aggregate().std_error[0]
    assert found.baseline == econ.did.callaway_santanna(panel, "y", cohort="cohort").aggregate().coef[0]
    assert found.frame["estimate"].is_monotonic_increasing


def test_a_group_without_which_nothing_can_be_estimated_says_why() -> None:
    panel = growing_effects().assign(part=lambda d: np.where(d["cohort"].isna(), "never", "treated"))
    found = econ.did.leave_one_out(econ.did.callaway_santanna, panel, "y", cohort="cohort", by="part")
    reasons = found.frame.set_index("left_out")["note"]
    assert "No unit is never treated" in reasons["never"]
    assert "No row of the sample is treated" in reasons["treated"]
    assert any("Not estimated" in note["en"] for note in found.notes)
    with pytest.raises(OptionError, match="could be estimated"):
        found.plot()


def test_placebo_dates_use_the_time_before_treatment_only() -> None:
    panel = growing_effects()
    quiet = panel.assign(y=lambda d: d["unit"] + 0.1 * d["year"] + 5.0 * d["d"])
    found = econ.did.placebo_dates(econ.did.twfe, quiet, "y", cohort="cohort", shifts=[1, 2])
    np.testing.assert_allclose(found.frame["estimate"], 0.0, atol=1e-9)
    assert found.baseline == pytest.approx(5.0)
    by_hand = panel.where(lambda d: ~(d["year"] >= d["cohort"])).assign(cohort=lambda d: d["cohort"] - 2)
    row = econ.did.placebo_dates(econ.did.twfe, panel, "y", cohort="cohort", shifts=[2]).frame.iloc[0]
    assert row["estimate"] == econ.did.twfe(by_hand, "y", cohort="cohort").coef[0]


@pytest.mark.parametrize("shifts", [[0], [1.5], [True]])
def test_shifts_are_whole_numbers(shifts: list[object]) -> None:
    with pytest.raises(OptionError, match="whole numbers"):
        econ.did.placebo_dates(econ.did.twfe, growing_effects(), "y", cohort="cohort", shifts=shifts)


def test_changing_groups_and_dates_that_are_no_numbers_are_refused() -> None:
    panel = growing_effects()
    with pytest.raises(DataError, match="changes within"):
        econ.did.leave_one_out(econ.did.twfe, panel, "y", cohort="cohort", by="year")
    frame = panel.frame.assign(
        year=lambda d: [f"{y}-01-01" for y in d["year"]], cohort=lambda d: d["cohort"].map("{:.0f}-01-01".format)
    )
    dated = frame.assign(
        year=frame["year"].astype("datetime64[us]"),
        cohort=frame["cohort"].where(frame["cohort"] != "nan-01-01").astype("datetime64[us]"),
    )
    with pytest.raises(DataError, match="as numbers"):
        econ.did.placebo_dates(econ.did.twfe, Panel(dated, "unit", "year"), "y", cohort="cohort")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_it_prints_and_draws(lang: econ.Lang) -> None:
    found = econ.did.leave_one_out(econ.did.twfe, growing_effects(), "y", cohort="cohort")
    assert "Overall effect on y" in repr(found)
    assert len(econ.report.robustness_plot(found, lang=lang).data) == 12
