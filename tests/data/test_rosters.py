"""Rosters: first treated year per unit at each level, with the status of the year."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import econ
from econ.data.rosters import _ORIGINS, STATUSES, _first_years

EVERY = [(policy, level) for policy, origin in _ORIGINS.items() for level in origin.units]


@pytest.mark.parametrize(("policy", "level"), EVERY)
def test_one_row_per_unit_with_year_and_status(policy: str, level: str) -> None:
    roster = econ.roster(policy, level=level)  # type: ignore[arg-type]
    assert list(roster.columns) == ["unit", "year", "status", "source"]
    assert roster["unit"].is_unique
    assert roster.notna().all(axis=None)
    assert set(roster["status"]) <= set(STATUSES)
    assert roster["year"].is_monotonic_increasing
    if level == "province":
        assert set(roster["unit"]) <= set(econ.load_frame("regions")["province"])


def test_demonstration_zones_treat_19_provinces_and_leave_12() -> None:
    roster = econ.roster("innovation_demonstration_zones")
    counts = roster.groupby("year").size().to_dict()
    assert counts == {2009: 2, 2011: 1, 2014: 4, 2015: 3, 2016: 6, 2018: 2, 2019: 1}
    panel = econ.load("provinces").with_cohort(roster)
    assert panel.frame.groupby("province")["cohort"].first().isna().sum() == 12
    assert "Status of the treatment dates" in panel.notes[-1]["en"]


@pytest.mark.parametrize(
    ("policy", "level", "n"),
    [
        ("innovation_demonstration_zones", "city", 56),
        ("innovation_demonstration_zones", "zone", 21),
        ("hightech_zones", None, 173),
        ("hightech_zones", "province", 30),
        ("free_trade_zone", None, 22),
        ("comprehensive_innovation_reform_pilot", None, 10),
        ("comprehensive_national_science_center", None, 4),
        ("broadband_china", None, 119),
        ("innovative_city", None, 78),
        ("ip_demonstration_city", None, 41),
        ("bigdata_comprehensive_pilot", None, 10),
    ],
)
def test_numbers_of_treated_units(policy: str, level: str | None, n: int) -> None:
    assert len(econ.roster(policy, level=level)) == n  # type: ignore[arg-type]


def test_december_approvals_count_from_their_year() -> None:
    roster = econ.roster("innovation_demonstration_zones").set_index("unit")
    assert roster.loc[["Hubei", "Tianjin", "Hunan"], "year"].tolist() == [2009, 2014, 2014]


def test_a_region_of_several_provinces_treats_each() -> None:
    units = set(econ.roster("bigdata_comprehensive_pilot")["unit"])
    assert {"Beijing", "Tianjin", "Hebei", "Guangdong"} <= units


def test_lists_that_are_no_treatment_dates_are_uncertain() -> None:
    assert set(econ.roster("innovative_city")["status"]) == {"uncertain"}


def test_zones_join_the_simulated_panel() -> None:
    roster = econ.roster("hightech_zones")
    panel = econ.load("zones_simulated").with_cohort(roster[roster["year"] < 2020])
    assert (panel.frame["cohort"] == panel.frame["approval_year"]).all()


def test_unknown_words_name_what_is_allowed() -> None:
    with pytest.raises(econ.OptionError, match=r"no roster 'free_trade_zones'.*Nearest: free_trade_zone"):
        econ.roster("free_trade_zones")
    with pytest.raises(econ.OptionError, match=r"level='zone' is not there for 'broadband_china'.*city, province"):
        econ.roster("broadband_china", level="zone")
    with pytest.raises(econ.OptionError, match=r"level='town' is not allowed"):
        econ.roster("broadband_china", level="town")  # type: ignore[arg-type]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(2009, 2012), st.sampled_from(STATUSES)), min_size=1))
def test_first_year_and_least_sure_status(rows: list[tuple[str, int, str]]) -> None:
    found = _first_years(pd.DataFrame(rows, columns=["unit", "year", "status"])).set_index("unit")
    assert set(found.index) == {unit for unit, _, _ in rows}
    for unit in found.index:
        first = min(year for name, year, _ in rows if name == unit)
        defining = [STATUSES.index(status) for name, year, status in rows if name == unit and year == first]
        assert found.loc[unit, "year"] == first
        assert found.loc[unit, "status"] == STATUSES[max(defining)]
