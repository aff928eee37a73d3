"""Resistance and recovery against their definitions."""

import numpy as np
import pandas as pd
import pytest

import econ
from econ import DataError, ModelError, OptionError, Panel
from econ.disparity.resilience import resilience

YEARS = (2008, 2009, 2012)
SPAN = {"before": 2008, "trough": 2009, "end": 2012}


def small() -> Panel:
    rows = {"A": ("N", 100, 80, 120), "B": ("N", 100, 90, 95), "C": ("S", 200, 190, 200)}
    long = [(r, h, year, float(x)) for r, (h, *xs) in rows.items() for year, x in zip(YEARS, xs, strict=True)]
    return Panel(pd.DataFrame(long, columns=["region", "half", "year", "x"]), "region", "year")


def test_by_hand() -> None:
    result = resilience(small(), "x", **SPAN, groups="half")
    np.testing.assert_allclose(result.national["value"], [400, 360, 415])
    shock, back = -0.1, 55 / 360
    units = result.units.set_index("region")
    np.testing.assert_allclose(units["change_shock"], [-0.2, -0.1, -0.05])
    np.testing.assert_allclose(units["sensitivity"], [2, 1, 0.5])
    np.testing.assert_allclose(units["resistance"], [(-0.2 - shock) / 0.1, 0, 0.5], atol=1e-12)
    np.testing.assert_allclose(units["recovery"], [(g - back) / back for g in (0.5, 5 / 90, 10 / 190)])
    assert units["recovered"].tolist() == [True, False, True]
    assert units.loc["A", "type"] == "vulnerable, recovering"
    assert units.loc["C", "type"] == "resistant, lagging"
    groups = result.groups.set_index("group")
    np.testing.assert_allclose(groups["change_shock"], [-0.15, -0.05])
    assert groups["n"].tolist() == [2, 1]
    assert result.spec["periods"] == SPAN
    assert result.notes[-1]["en"] == (
        "Shock 2008 to 2009 (all regions together −10.0 %), recovery 2009 to 2012 (+15.3 %)."
    )


def test_the_national_sum_is_the_weighted_mean_of_the_regions() -> None:
    panel = econ.load("provinces")
    result = resilience(panel, "exports", before=2008, trough=2009, end=2011)
    base = panel.frame.query("year == 2008").set_index("province")["exports"]
    units = result.units.set_index("province")
    national = np.diff(result.national["value"])[0] / result.national["value"][0]
    assert np.average(units["change_shock"], weights=base[units.index]) == pytest.approx(national)
    assert np.average(units["resistance"], weights=base[units.index]) == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(units["resistance"], 1 - units["sensitivity"], atol=1e-12)


def test_scale_does_not_matter_and_a_national_column_is_used() -> None:
    first = resilience(small(), "x", **SPAN).units
    scaled = small().assign(x=lambda d: 7 * d["x"], nation=lambda d: 3 * d.groupby("year")["x"].transform("sum"))
    pd.testing.assert_frame_equal(first, resilience(scaled, "x", **SPAN).units)
    pd.testing.assert_frame_equal(first, resilience(scaled, "x", **SPAN, national="nation").units)


def test_notes_of_simulated_data_of_growth_and_of_units_left_out() -> None:
    zones = econ.load("zones_simulated")
    assert resilience(zones, "employment", before=2014, trough=2015, end=2019).notes[0] == zones.notes[0]
    up = small().assign(x=lambda d: d["x"].where(d["year"] != 2009, d["x"] * 2))
    words = " ".join(note["en"] for note in resilience(up, "x", **SPAN).notes)
    assert "rose over the shock" in words
    assert "fell over the recovery" in words
    gap = small().where(lambda d: ~((d["region"] == "B") & (d["year"] == 2009)))
    result = resilience(gap, "x", **SPAN)
    assert result.units["region"].tolist() == ["A", "C"]
    assert result.notes[0]["en"] == "1 units left out, for which x is not known in all of 2008, 2009, 2012: B."


def test_bad_input() -> None:
    with pytest.raises(ModelError, match="the same in 2008 and 2009"):
        resilience(small().assign(x=lambda d: d["x"].where(d["year"] == 2012, 100.0)), "x", **SPAN)
    with pytest.raises(DataError, match=r"must be positive.*not for A"):
        resilience(small().assign(x=lambda d: d["x"] - 100), "x", **SPAN)
    with pytest.raises(OptionError, match="No period of the panel: 2010"):
        resilience(small(), "x", before=2008, trough=2010, end=2012)
    with pytest.raises(OptionError, match="follow each other"):
        resilience(small(), "x", before=2009, trough=2008, end=2012)
    with pytest.raises(DataError, match="one positive value"):
        resilience(small(), "x", **SPAN, national="x")
