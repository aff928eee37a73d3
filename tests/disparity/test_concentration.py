"""Concentration over regions: indices against their definitions, intervals against the binomial distribution."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from econ import DataError, OptionError, Panel
from econ.disparity import concentration
from econ.disparity.concentration import exact_interval


def patents(rows: dict[int, list[float]]) -> Panel:
    frame = pd.DataFrame(rows, index=pd.Index(list("abcde")[: len(next(iter(rows.values())))], name="region"))
    return Panel.from_wide(frame.reset_index(), unit="region", name="x")


def test_path_and_top_are_the_definitions() -> None:
    result = concentration(patents({2000: [10, 30, 40, 20, 0], 2001: [5, 5, 5, 5, 5]}), "x", k=2)
    first, second = (row for _, row in result.path.iterrows())
    assert first["hhi"] == pytest.approx(0.01 + 0.09 + 0.16 + 0.04)
    assert first["hhi_normalised"] == pytest.approx((0.3 - 0.2) / 0.8)
    assert first["effective_n"] == pytest.approx(1 / 0.3)
    assert (first["primacy"], first["top_share"], first["total"], first["n"]) == (40 / 30, 0.7, 100, 5)
    assert (second["hhi"], second["primacy"]) == (pytest.approx(0.2), 1)
    assert second["hhi_normalised"] == pytest.approx(0, abs=1e-15)
    top = result.top.query("period == 2000")
    assert top[["rank", "unit", "value", "share"]].values.tolist() == [[1, "c", 40, 0.4], [2, "b", 30, 0.3]]
    assert result.top.query("period == 2001")["unit"].tolist() == ["a", "b"]


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_the_interval_is_clopper_and_pearson(level: float) -> None:
    result = concentration(patents({2000: [10, 30, 40, 20, 0]}), "x", k=2, level=level)
    expected = stats.binomtest(70, 100).proportion_ci(level, method="exact")
    assert result.path[["ci_low", "ci_high"]].iloc[0].tolist() == pytest.approx([expected.low, expected.high])
    assert not result.notes


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 60), st.integers(1, 60), st.sampled_from([0.8, 0.95, 0.99]))
def test_exact_intervals_at_every_count(inside: int, more: int, level: float) -> None:
    total = inside + more - 1 if inside else more
    low, high = exact_interval(np.float64(inside), np.float64(total), level)
    expected = stats.binomtest(inside, total).proportion_ci(level, method="exact")
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_amounts_that_are_no_counts_have_no_interval_and_say_so() -> None:
    result = concentration(patents({2000: [1.5, 3, 4, 2, 0]}), "x", k=1)
    assert result.path[["ci_low", "ci_high"]].isna().all(axis=None)
    assert "not a count" in result.notes[-1]["en"]
    assert "不是计数" in result.notes[-1]["zh"]


def test_one_region_with_everything_has_no_primacy() -> None:
    result = concentration(patents({2000: [0, 0, 7, 0, 0], 2001: [1, 2, 3, 4, 5]}), "x", k=1)
    assert result.path["hhi"].iloc[0] == 1
    assert np.isnan(result.path["primacy"].iloc[0])
    assert "2000" in result.notes[-1]["en"]
    assert "2001" not in result.notes[-1]["en"]


def test_bad_input() -> None:
    panel = patents({2000: [10, 30, 40, 20, 0]})
    for k in (0, 5):
        with pytest.raises(OptionError, match="from 1 to 4 regions"):
            concentration(panel, "x", k=k)
    with pytest.raises(DataError, match=r"zero or positive; 1 values are not \(b, 2000: -1\)"):
        concentration(patents({2000: [1, -1, 3]}), "x", k=1)
    with pytest.raises(DataError, match="sums to zero in 2000"):
        concentration(patents({2000: [0, 0, 0]}), "x", k=1)
    with pytest.raises(OptionError, match="level=95"):
        concentration(panel, "x", level=95)
