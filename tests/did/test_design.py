"""From a panel to classes: order, layout, who is always or never treated, and what is refused at the door."""

import numpy as np
import pandas as pd
import pytest
from cells_by_definition import frame, panel

import econ
from econ import EconError, Panel
from econ.did.design import DidDesign, read_design


def design(f: pd.DataFrame, **asked: object) -> DidDesign:
    return read_design(panel(f), "y", "cohort", **asked)  # type: ignore[arg-type]


def wide(f: pd.DataFrame, name: str = "y") -> pd.DataFrame:
    return f.pivot_table(index="unit", columns="year", values=name)


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_rows_of_units_by_class_hold_their_outcomes(shuffled: bool, missing: float) -> None:
    f = frame(missing=missing)
    d = design(f.sample(frac=1.0, random_state=1) if shuffled else f, covariates=["x"], keep_singletons=True)
    labels = d.panel.units[d.units]
    expected, x = wide(f).loc[labels], wide(f, "x").loc[labels]
    np.testing.assert_array_equal(d.Y, expected.fillna(0.0))
    np.testing.assert_array_equal(d.covariates["x"], x.fillna(0.0))
    if missing:
        np.testing.assert_array_equal(d.observed, expected.notna())
    else:
        assert d.observed is None
    np.testing.assert_array_equal(d.long(d.Y), d.problem.sample.take(d.problem.variables.outcome))


def test_classes_are_cohorts_in_order_and_the_never_treated_last() -> None:
    f = frame()
    d = design(f)
    assert [d.label(g) for g in d.first] == [2003, 2004, 2006, None]
    assert d.has_never
    assert d.class_weight.tolist() == [6, 6, 6, 12]
    cohort = f.groupby("unit")["cohort"].first()
    for c, rows in enumerate(d.classes):
        found = set(cohort[d.panel.units[d.units[rows]]].fillna(0))
        assert found == {d.label(d.first[c]) or 0}
    assert d.event_time[1].tolist() == [-3, -2, -1, 0, 1, 2, 3]


def test_groups_divide_the_treated_only() -> None:
    d = design(frame(), by="group")
    assert d.groups == ("east", "west", "east", "west", "east", "west", None)
    assert [d.label(g) for g in d.first] == [2003, 2003, 2004, 2004, 2006, 2006, None]


def test_counts_and_means_by_class_are_weighted() -> None:
    f = frame(missing=0.2)
    d = design(f, weights="weight", keep_singletons=True)
    by_class = f.assign(cohort=f["cohort"].fillna(9999)).groupby(["cohort", "year"])
    np.testing.assert_allclose(d.counts, by_class["weight"].sum().unstack())
    means = by_class.apply(lambda g: np.average(g["y"], weights=g["weight"])).unstack()
    np.testing.assert_allclose(d.means, means)


def test_gaps_in_the_calendar_keep_event_time_in_calendar_periods() -> None:
    d = design(frame(periods=(2001, 2002, 2005, 2006)))
    assert d.event_time[0].tolist() == [-2, -1, 2, 3]


def notes(d: DidDesign) -> str:
    assert all(note["zh"] for note in d.notes)
    return " ".join(note["en"] for note in d.notes)


def test_units_treated_from_the_first_period_on_are_named_and_left_out_or_kept() -> None:
    f = frame()
    f = f.assign(cohort=f["cohort"].mask(f["unit"] == "u000", 2001.0))
    out, kept = design(f), design(f, keep_always_treated=True)
    assert "Left out because they are treated in every period of the sample: u000." in notes(out)
    assert "Treated in every period seen" in notes(kept)
    assert (out.n_units, kept.n_units) == (29, 30)
    assert out.problem.sample.dropped == {"treated from the first period on": 7}


def test_units_treated_after_the_sample_count_as_never_treated_unless_they_anticipate() -> None:
    f = frame().assign(cohort=lambda d: d["cohort"].replace(2006.0, 2008.0))
    assert "never treated within it: u002" in notes(design(f))
    assert design(f).class_weight.tolist() == [6, 6, 18]
    assert design(f, anticipation=1).class_weight.tolist() == [6, 6, 6, 12]


def test_the_last_cohort_stands_in_for_the_never_treated_where_it_may() -> None:
    f = frame()
    d = design(f[f["cohort"].notna()], last_cohort_compares=True)
    assert d.has_never
    assert d.problem.sample.dropped == {"no untreated unit left": 36}
    assert [d.label(t) for t in d.calendar] == [2001, 2002, 2003, 2004, 2005]
    assert "the last cohort (2006) serves as the comparison" in notes(d)


def test_singletons_are_left_out_unless_kept() -> None:
    f = frame()
    f = f[(f["unit"] != "u004") | (f["year"] == 2002)]
    assert design(f).n_units == 29
    assert design(f, keep_singletons=True).n_units == 30


@pytest.mark.parametrize(
    ("change", "asked", "words"),
    [
        (lambda d: d.assign(cohort=2050.0), {}, "within 2001-2007"),
        (lambda d: d.assign(cohort=1990.0), {}, "nothing to compare with"),
        (lambda d: d[d["cohort"] == 2003], {"last_cohort_compares": True}, "first treated in 2003"),
        (lambda d: d.assign(group=d["group"].mask(d["unit"] == "u000")), {"by": "group"}, "treated units u000"),
        (lambda d: d, {"covariates": "x"}, "give a list"),
        (lambda d: d, {"anticipation": -1}, "0 or more"),
        (lambda d: d, {"anticipation": True}, "0 or more"),
        (lambda d: d, {"by": "x"}, "must be constant within each unit"),
        (lambda d: d.assign(cohort=d["cohort"].fillna(0)), {}, "never-treated units must be missing"),
        (lambda d: d.assign(cohort="early"), {}, "whole numbers"),
    ],
)
def test_bad_designs_are_refused(change: object, asked: dict[str, object], words: str) -> None:
    with pytest.raises(EconError, match=words):
        design(change(frame()), **asked)  # type: ignore[operator]


def test_a_panel_without_periods_is_refused() -> None:
    f = frame()
    with pytest.raises(EconError, match="no time column"):
        read_design(Panel(f[f["year"] == 2001], "unit"), "y", "cohort")


def test_clusters_are_numbered_by_unit_and_must_be_known() -> None:
    f = frame()
    d = design(f)
    codes, labels = d.clusters("region")
    region = f.groupby("unit")["region"].first()
    assert [labels[c] for c in codes] == list(region[d.panel.units[d.units]])
    holed = design(f.assign(region=f["region"].mask(f["unit"] == "u003")))
    with pytest.raises(EconError, match="missing for 1 units"):
        holed.clusters("region")
    with pytest.raises(EconError, match="1 cluster in the sample"):
        design(f.assign(region="one")).clusters("region")


def test_dates_of_treatment_are_read_on_the_calendar_of_the_periods() -> None:
    f = frame()
    quarters = f.assign(
        year=pd.to_datetime("2001-01-01") + pd.to_timedelta(0, "D"),
        cohort=pd.NaT,
    )
    start = pd.PeriodIndex(["2001Q1"], freq="Q")[0]
    quarters["year"] = [(start + int(t - 2001)).to_timestamp() for t in f["year"]]
    quarters["cohort"] = [pd.NaT if np.isnan(g) else (start + int(g - 2001)).to_timestamp() for g in f["cohort"]]
    found, expected = (econ.did.callaway_santanna(panel(p), "y", cohort="cohort") for p in (quarters, f))
    np.testing.assert_allclose(found.coef, expected.coef, rtol=1e-12)
    assert found.effects.cohort[0] == "2001Q3"
