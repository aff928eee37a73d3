"""Panel: what it refuses, what it counts, and that transforms keep keys, labels and history."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import econ
from econ import Column, DataError, OptionError, Panel


def small() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "region": ["A", "A", "A", "B", "B", "C"],
            "year": [2015, 2016, 2018, 2015, 2016, 2016],
            "x": [1.0, 2.0, 4.0, 3.0, np.nan, 5.0],
            "word": list("uvwxyz"),
        }
    )


def panel() -> Panel:
    return Panel(small(), "region", "year", columns={"x": Column("Grants", "授权量", "items", "件")})


def test_no_unit_that_can_start_a_capital_stock_is_an_error():
    frame = pd.DataFrame({"region": "A", "year": range(2010, 2019), "x": 1.0})
    with pytest.raises(DataError, match=r"over the first 10 periods.*fewer periods"):
        Panel(frame, "region", "year").capital_stock("x", 0.15)


def test_counts_and_calendar_keep_gaps() -> None:
    p = panel()
    assert (p.n_obs, p.n_units, p.n_periods, p.is_balanced) == (6, 3, 3, False)
    assert p.periods == [2015, 2016, 2018]
    assert p.time_codes.tolist() == [0, 1, 3, 0, 1, 1]
    assert [p.period(code) for code in (0, 3)] == [2015, 2018]
    assert "unbalanced" in repr(p)


@pytest.mark.parametrize("convert", [pl.from_pandas, pa.Table.from_pandas], ids=["polars", "arrow"])
def test_other_frames_give_the_same_panel(convert: object) -> None:
    other = Panel(convert(small()), "region", "year")  # type: ignore[operator]
    np.testing.assert_array_equal(other.values("x"), panel().values("x"))
    assert list(other.units) == ["A", "B", "C"]


def test_index_levels_serve_as_keys_and_several_columns_as_unit() -> None:
    indexed = Panel(small().set_index(["region", "year"]), "region", "year")
    assert indexed.n_units == 3
    pairs = pd.DataFrame({"a": [1, 1, 2], "b": [2, 2, 1], "t": [0, 1, 0]})
    assert Panel(pairs, ["a", "b"], "t").units.tolist() == ["1 | 2", "2 | 1"]


@pytest.mark.parametrize(
    ("dates", "labels"),
    [
        (["2015-01-01", "2016-01-01"], ["2015", "2016"]),
        (["2015-01-31", "2015-04-30"], ["2015Q1", "2015Q2"]),
        (["2015-01-01", "2015-02-01"], ["2015-01", "2015-02"]),
    ],
)
def test_dates_become_the_coarsest_periods(dates: list[str], labels: list[str]) -> None:
    frame = pd.DataFrame({"region": ["A", "A"], "date": pd.to_datetime(dates)})
    p = Panel(frame, "region", "date")
    assert p.periods == labels
    assert p.time_codes.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"year": [2015, 2015, 2018, 2015, 2016, 2016]}, ["2 rows", "A, 2015", "one row per unit and period"]),
        ({"year": [2015, None, 2018, 2015, 2016, 2016]}, ["1 rows have no region or year", "rows 1"]),
        ({"year": ["2015", "x", "y", "z", "a", "b"]}, ["'2015'", "whole numbers", "to_numeric"]),
        ({"year": [2015.5, 2016, 2018, 2015, 2016, 2016]}, ["2015.5", "whole numbers"]),
        ({"x": [1, np.inf, 3, 4, 5, -np.inf]}, ["2 infinite values", "A, 2016", "C, 2016"]),
    ],
)
def test_bad_frames_are_refused_with_the_rows(change: dict[str, list[object]], words: list[str]) -> None:
    with pytest.raises(DataError) as error:
        Panel(small().assign(**change), "region", "year")
    for word in words:
        assert word in str(error.value)


def test_unknown_columns_name_the_nearest() -> None:
    with pytest.raises(DataError, match=r"'regoin'.*Nearest: region"):
        Panel(small(), "regoin", "year")
    with pytest.raises(DataError, match="not numeric"):
        panel().values("word")
    with pytest.raises(DataError, match="list is no data frame"):
        Panel([1, 2], "region", "year")
    with pytest.raises(DataError, match="no rows"):
        Panel(small().head(0), "region", "year")


@pytest.mark.parametrize(("unit", "time"), [(0, "year"), ([], "year"), (["region", 1], None), ("region", 1)])
def test_keys_are_names_of_columns(unit: Any, time: Any) -> None:
    with pytest.raises(OptionError, match=r"(unit|time)=.* is not allowed; give the name of a column"):
        Panel(small(), unit, time)


def test_column_names_that_stand_twice_are_refused() -> None:
    twice = pd.DataFrame([["A", 2015, 1.0, 2.0]], columns=["region", "year", "x", "x"])
    with pytest.raises(DataError, match="The frame has more than one column 'x'; give each its own name"):
        Panel(twice, "region", "year")
    with pytest.raises(DataError, match="more than one column 'x'"):
        panel().join(twice.drop(columns="year"))
    with pytest.raises(DataError, match=r"'a' 2 times; give each column its own name"):
        Panel(pa.table([[1], [2]], names=["a", "a"]), "a")


def test_values_names_the_rows_that_are_no_numbers() -> None:
    p = panel().assign(x=["1", "2", "3a", None, "4", "5"])
    with pytest.raises(DataError, match=r"'x' is not numeric \(1 of 5 values are no numbers: A, 2018: '3a'\)"):
        p.values("x")
    with pytest.raises(DataError, match=r"it holds values such as 'u'"):
        p.values("word")
    with pytest.raises(DataError, match=r"it holds nothing"):
        p.assign(x=pd.Series([None] * 6, dtype=object)).values("x")


def test_the_given_frame_is_never_changed() -> None:
    frame = small()
    p = Panel(frame, "region", "year")
    taken = p.frame
    taken["x"] = 0.0
    p.assign(x=9.0)
    pd.testing.assert_frame_equal(frame, small())
    assert p.values("x")[0] == 1.0


def test_transforms_label_and_log() -> None:
    p = panel().lag(["x"], 1).log(["x"]).growth(["x"])
    lagged = p.values("lag1_x")
    np.testing.assert_array_equal(lagged, [np.nan, 1.0, np.nan, np.nan, 3.0, np.nan])  # 2018 has no 2017
    assert p.column("lag1_x") == Column("Grants, lag 1", "授权量（滞后1期）", "items", "件")
    assert p.column("log_x").unit is None
    assert p.column("growth_x").unit_zh == "对数点"
    assert len(p.history) == 3
    assert "calendar period" in p.history[0]


@pytest.mark.parametrize("word", ["lag", "lead", "growth"])
@pytest.mark.parametrize("periods", [-1, 0, 1.5, True, [1, 2], "1", None])
def test_numbers_of_periods_are_whole_and_positive(word: str, periods: object) -> None:
    with pytest.raises(OptionError, match=r"periods=.* is not allowed; give one whole number from 1 up"):
        getattr(panel(), word)(["x"], periods)


def test_lags_point_to_leads_and_growth_over_several_periods_has_its_own_name() -> None:
    with pytest.raises(OptionError, match=r"lead\(\) goes the other way"):
        panel().lag(["x"], -1)
    assert "lag2_x" in panel().lag(["x"], np.int64(2)).frame  # type: ignore[arg-type]
    p = panel().growth(["x"]).growth(["x"], 3)
    np.testing.assert_allclose(p.values("growth3_x")[2], np.log(4))
    assert np.isnan(p.values("growth_x")[2])
    assert p.column("growth3_x").label == "growth of Grants over 3 periods"
    assert p.column("growth3_x").label_zh == "授权量增长率（3期）"


def test_real_product_of_the_provinces() -> None:
    p = econ.load("provinces").carry(["gdp"], "gdp_index", 2010)
    wide = p.frame.pivot(index="province", columns="year", values="real_gdp")
    index, nominal = (p.frame.pivot(index="province", columns="year", values=name) for name in ("gdp_index", "gdp"))
    np.testing.assert_allclose(wide[2010], nominal[2010])
    np.testing.assert_allclose(wide[2012], nominal[2010] * index[2011] / 100 * index[2012] / 100)
    np.testing.assert_allclose(wide[2009], nominal[2010] / (index[2010] / 100))
    column = p.column("real_gdp")
    assert (column.label, column.unit) == ("Gross regional product, 2010 prices", "100m yuan")
    assert (column.label_zh, column.unit_zh) == ("地区生产总值（2010年价格）", "亿元")
    assert column.quality == "derived"
    assert "value of 2010 carried by a chain index of volume" in p.history[-1]


CALLS: dict[str, Callable[[Panel], Panel]] = {
    "log": lambda p: p.log("x"),
    "lag": lambda p: p.lag("x"),
    "lead": lambda p: p.lead("x"),
    "growth": lambda p: p.growth("x"),
    "deflate": lambda p: p.deflate("x", "x", 2015),
    "carry": lambda p: p.carry("x", "x", 2015),
    "winsorize": lambda p: p.winsorize("x", 0.1, 0.9),
    "interpolate": lambda p: p.interpolate("x"),
    "distance": lambda p: p.distance_to_frontier("x"),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_one_name_is_given_as_a_list(call: Callable[[Panel], Panel]) -> None:
    with pytest.raises(OptionError, match=r"names='x' is not allowed; give a list: \['x'\]"):
        call(panel())


def test_groups_of_winsorize_exist_and_are_never_missing() -> None:
    with pytest.raises(DataError, match=r"no column 'yeer'.*Nearest: year"):
        panel().winsorize(["x"], 0.1, 0.9, by="yeer")
    p = panel().assign(plate=["E", "E", None, "W", "W", "W"])
    with pytest.raises(DataError, match=r"'plate' is missing in 1 rows \(A, 2018\), which belong to no group"):
        p.winsorize(["x"], 0.1, 0.9, by="plate")


@pytest.mark.parametrize("initial", [5.0, 0, [1.0]])
def test_first_stocks_are_rules_or_columns(initial: Any) -> None:
    with pytest.raises(OptionError, match=r"initial=.* is not allowed; give a rule .*SteadyState\(10\)"):
        panel().capital_stock("x", 0.1, initial)


def test_log_of_zero_is_refused_with_its_rows() -> None:
    with pytest.raises(DataError, match=r"'x' has 1 values .*A, 2015.*fepois"):
        panel().assign(x=[0.0, 1, 2, 3, 4, 5]).log(["x"])


def test_where_assign_join() -> None:
    p = panel().where(lambda d: d.year >= 2016)
    assert p.n_obs == 4
    assert p.history == ("kept 4 of 6 rows",)
    with pytest.raises(OptionError, match="6 true/false"):
        panel().where([True])
    joined = panel().join(pd.DataFrame({"region": ["A", "B"], "plate": ["East", "West"]}))
    assert joined.frame["plate"].isna().sum() == 1
    assert "1 rows without a match" in joined.history[0]
    assert (
        econ.load("provinces").join(econ.regions()).frame["code"].tolist()
        == econ.load("provinces").frame["code"].tolist()
    )
    with pytest.raises(DataError, match="more than once"):
        panel().join(pd.DataFrame({"region": ["A", "A"], "plate": ["East", "West"]}))
    with pytest.raises(DataError, match="No row matches"):
        panel().join(pd.DataFrame({"region": ["Z"], "plate": ["East"]}))
    with pytest.raises(DataError, match="already has x, with other values"):
        panel().join(pd.DataFrame({"region": ["A"], "x": [7.0]}))


def test_cohort_from_roster() -> None:
    roster = pd.DataFrame({"unit": ["A", "C"], "year": [2016, 2016], "status": ["recalled", "confirmed"]})
    p = panel().with_cohort(roster)
    np.testing.assert_array_equal(p.cohorts("cohort"), [1.0, np.nan, 1.0])
    assert p.notes[-1]["en"] == "Status of the treatment dates: 1 confirmed, 1 recalled."
    twice = pd.DataFrame({"unit": ["A", "A"], "year": [2016, 2018]})
    with pytest.raises(DataError, match="more than one first treated period: A"):
        panel().with_cohort(twice)
    assert p.history == ("added cohort: 2 of 3 units treated",)
    away = panel().with_cohort(pd.DataFrame({"unit": ["A", "Zhuhai"], "year": [2016, 2016]}))
    assert away.history == ("added cohort: 1 of 3 units treated; not in the panel: Zhuhai",)
    with pytest.raises(DataError, match=r"1 rows of the roster have no unit or no year \(rows 1: C, nan\)"):
        panel().with_cohort(pd.DataFrame({"unit": ["A", "C"], "year": [2016, None]}))
    with pytest.raises(DataError, match="A dict is no data frame"):
        panel().with_cohort({"A": 2016})
    with pytest.raises(DataError, match="lacks year"):
        panel().with_cohort(pd.DataFrame({"unit": ["A"]}))
    frame = pd.DataFrame({"region": ["Shaanxi", "Jilin"], "year": [2015, 2015]})
    with pytest.raises(DataError, match=r"Shaanxii \(nearest: Shaanxi\)"):
        Panel(frame, "region", "year").with_cohort(pd.DataFrame({"unit": ["Shaanxii"], "year": [2015]}))


def test_a_unit_in_two_cohorts_is_refused() -> None:
    with pytest.raises(DataError, match=r"changes within 1 unit \(A\)"):
        panel().assign(cohort=[2016, 2018, 2016, None, None, None]).cohorts("cohort")
    with pytest.raises(DataError, match=r"changes within 1 unit \(A\)"):
        panel().assign(cohort=[2016, np.nan, 2016, None, None, None]).cohorts("cohort")
    with pytest.raises(DataError, match="never-treated units must be missing"):
        panel().assign(cohort=[2016, 2016, 2016, 0, 0, 0]).cohorts("cohort")


def test_cohorts_are_read_on_the_calendar_of_the_panel() -> None:
    quarters = pd.period_range("2015Q1", periods=4, freq="Q")
    frame = pd.DataFrame([(r, q) for r in "AB" for q in quarters], columns=["region", "quarter"])
    cohort = np.where(frame["region"] == "A", quarters[2], pd.NaT)
    as_periods = frame.assign(cohort=pd.Series(cohort).astype("period[Q-DEC]"))
    as_dates = as_periods.assign(
        quarter=as_periods["quarter"].dt.to_timestamp(), cohort=as_periods["cohort"].dt.to_timestamp()
    )
    for each in (as_periods, as_dates):
        np.testing.assert_array_equal(Panel(each, "region", "quarter").cohorts("cohort"), [2.0, np.nan])
    years = as_dates.assign(quarter=2015 + np.tile(np.arange(4), 2))
    with pytest.raises(DataError, match="both as whole numbers, as dates, or as periods"):
        Panel(years, "region", "quarter").cohorts("cohort")
    with pytest.raises(DataError, match="both as whole numbers, as dates, or as periods"):
        Panel(as_dates.assign(cohort=2015.0), "region", "quarter").cohorts("cohort")


@pytest.mark.parametrize("labels", [[7, -3, 40], [7, -3, 40_000_000], ["b", "a", "c"], [0.5, -1.0, 2.0]], ids=str)
def test_units_of_any_kind_are_sorted_and_coded(labels: list[object]) -> None:
    p = Panel(pd.DataFrame({"unit": labels * 2, "year": [2015] * 3 + [2016] * 3}), "unit", "year")
    assert p.units.tolist() == sorted(labels)  # type: ignore[type-var]
    assert [p.units[code] for code in p.unit_codes] == labels * 2


def test_describe_agrees_with_its_definition() -> None:
    row = panel().describe().set_index("name").loc["x"]
    x = small()["x"]
    means = small().groupby("region")["x"].mean()
    assert (row["n"], row["missing"], row["min"], row["max"]) == (5, 1, 1.0, 5.0)
    assert row["sd"] == pytest.approx(x.std())
    assert row["sd_between"] == pytest.approx(means.std())


def test_from_wide_round_trip() -> None:
    wide = pd.DataFrame({"region": ["A", "B"], "2015": [1.0, 2.0], "2016": [3.0, 4.0]})
    p = Panel.from_wide(wide, unit="region", name="x")
    assert p.frame.pivot(index="region", columns="year", values="x").to_numpy().tolist() == [[1, 3], [2, 4]]
    with pytest.raises(DataError, match="Columns note are no periods"):
        Panel.from_wide(wide.assign(note=1), unit="region", name="x")


def test_a_missing_quarter_is_a_gap_with_a_label() -> None:
    frame = pd.DataFrame({"r": ["A", "A"], "q": pd.PeriodIndex(["2015Q1", "2015Q3"], freq="Q")})
    p = Panel(frame, "r", "q")
    assert p.time_codes.tolist() == [0, 2]
    assert p.period(1) == "2015Q2"


def test_cross_section_has_one_period() -> None:
    p = Panel(pd.DataFrame({"country": ["A", "B"], "y": [1.0, 2.0]}), "country")
    assert (p.n_units, p.n_periods, p.is_balanced) == (2, 1, True)
    with pytest.raises(DataError, match="share their country"):
        Panel(pd.DataFrame({"country": ["A", "A"]}), "country")


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1990, 2000)), min_size=1, unique=True), st.randoms())
def test_codes_identify_the_keys_in_any_row_order(keys: list[tuple[int, int]], random: object) -> None:
    random.shuffle(keys)  # type: ignore[attr-defined]
    frame = pd.DataFrame(keys, columns=["unit", "year"])
    p = Panel(frame, "unit", "year")
    assert p.units[p.unit_codes].tolist() == frame["unit"].tolist()
    assert p.time_numbers.tolist() == frame["year"].tolist()
    assert p.n_periods == frame["year"].nunique()


def test_labels_ride_through_transforms() -> None:
    p = panel().with_labels({"x": Column("Applications", "申请量", "items", "件", "official")})
    assert p.log(["x"]).column("log_x") == Column("Applications (log)", "申请量（对数）", None, None, "derived")
    assert p.labels(["x"]) == {"x": {"label": "Applications", "label_zh": "申请量", "unit": "items", "unit_zh": "件"}}
