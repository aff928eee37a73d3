"""Counts of declining units: the published ones exactly, and small tables by enumeration."""

from math import comb

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import econ
from econ import DataError, ModelError, OptionError, Panel
from econ.disparity.decline import decline, decline_counts


def exact_p(k: int, n: int, other: int, others: int) -> tuple[float, float]:
    """One- and two-sided Fisher p by adding up the hypergeometric distribution."""
    total = k + other
    tables = {i: comb(n, i) * comb(others, total - i) for i in range(max(0, total - others), min(n, total) + 1)}
    everything = comb(n + others, total)
    return sum(v for i, v in tables.items() if i >= k) / everything, sum(
        v for v in tables.values() if v <= tables[k]
    ) / everything


@pytest.mark.parametrize(
    ("northeast", "others", "p_value"), [((12, 16), (28, 153), 6.5e-6), ((10, 16), (27, 153), 2.5e-4)]
)
def test_published_counts(northeast: tuple[int, int], others: tuple[int, int], p_value: float) -> None:
    result = decline_counts({"Northeast": northeast, "others": others})
    row = result.test.set_index("group").loc["Northeast"]
    assert row["p_greater"] == pytest.approx(p_value, rel=0.02)
    assert (row["p_greater"], row["p_two_sided"]) == pytest.approx(exact_p(*northeast, *others), rel=1e-9)
    assert result.counts.set_index("group").loc["all", "n"] == 169
    assert result.sizes.empty
    assert result.units.empty


@given(st.integers(1, 9), st.integers(1, 9), st.data())
def test_fisher_by_enumeration(n: int, others: int, data: st.DataObject) -> None:
    k, other = data.draw(st.integers(0, n)), data.draw(st.integers(0, others))
    row = decline_counts({"a": (k, n), "b": (other, others)}).test.iloc[0]
    assert (row["p_greater"], row["p_two_sided"]) == pytest.approx(exact_p(k, n, other, others), rel=1e-6)


def test_wilson_interval() -> None:
    z = 1.959963984540054
    row = decline_counts({"Northeast": (12, 16), "others": (28, 153)}).counts.iloc[0]
    centre, half = (0.75 + z**2 / 32) / (1 + z**2 / 16), z * np.sqrt(0.75 * 0.25 / 16 + z**2 / 1024) / (1 + z**2 / 16)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((centre - half, centre + half))


def test_simulated_zones_have_the_published_counts() -> None:
    panel = econ.load("zones_simulated")
    for x, counts in (("employment", (12, 40)), ("revenue", (10, 37))):
        result = decline(panel, x, 2015, 2018, groups="plate")
        table = result.counts.set_index("group")
        assert (table.loc["Northeast", "declined"], table.loc["all", "declined"]) == counts
        assert panel.notes[0] in result.notes


def small() -> Panel:
    rows = [("u1", "N", 10, 5), ("u2", "N", 10, 8), ("u3", "S", 10, 10), ("u4", "S", 10, 9), ("u5", "S", 10, 30)]
    long = [(unit, group, year, x) for unit, group, *xs in rows for year, x in zip((2015, 2018), xs, strict=True)]
    return Panel(pd.DataFrame(long, columns=["unit", "half", "year", "x"]), "unit", "year")


def test_sizes_and_units() -> None:
    result = decline(small(), "x", 2015, 2018, groups="half")
    assert result.counts[["group", "n", "declined"]].to_numpy().tolist() == [["N", 2, 2], ["S", 3, 1], ["all", 5, 3]]
    sizes = result.sizes.set_index("group")
    np.testing.assert_allclose(sizes.loc["N", ["declined", "median", "mean", "largest"]].astype(float), [2, 35, 35, 50])
    np.testing.assert_allclose(sizes.loc["all", ["median", "mean", "largest"]].astype(float), [20, 80 / 3, 50])
    assert result.units["unit"].tolist() == ["u1", "u2", "u4", "u3", "u5"]
    np.testing.assert_allclose(result.units["change"], [-50, -20, -10, 0, 200])


def test_units_and_groups_left_out_are_named() -> None:
    panel = small().where(lambda d: ~((d["half"] == "N") & (d["year"] == 2015)))
    panel = panel.assign(half=lambda d: d["half"].where(d["unit"] != "u3", "W"))
    result = decline(panel, "x", 2015, 2018, groups="half")
    notes = [note["en"] for note in result.notes]
    assert notes[0] == "2 units left out, for which x is not known in all of 2015, 2018: u1, u2."
    assert notes[1] == "Groups with no unit known in both periods: N."


def test_nothing_declines() -> None:
    result = decline_counts({"a": (0, 4), "b": (0, 9)})
    assert (result.test["p_greater"] == 1).all()
    assert result.test["odds_ratio"].isna().all()
    assert "odds ratio does not exist" in result.notes[-1]["en"]


def test_bad_input() -> None:
    with pytest.raises(DataError, match="Group 'b' has no unit"):
        decline_counts({"a": (1, 4), "b": (0, 0)})
    with pytest.raises(DataError, match="5 declines of 4 units"):
        decline_counts({"a": (5, 4), "b": (0, 3)})
    with pytest.raises(ModelError, match="two or more"):
        decline_counts({"a": (1, 4)})
    with pytest.raises(OptionError, match="'all' names the total"):
        decline_counts({"a": (1, 4), "all": (1, 9)})
    with pytest.raises(OptionError, match="No period of the panel: 2016"):
        decline(small(), "x", 2016, 2018, groups="half")
    with pytest.raises(OptionError, match="follow each other"):
        decline(small(), "x", 2018, 2015, groups="half")
    with pytest.raises(DataError, match="must be positive"):
        decline(small().assign(x=lambda d: d["x"] - 10), "x", 2015, 2018, groups="half")
    with pytest.raises(DataError, match="No unit has 'x'"):
        decline(small().assign(x=np.nan), "x", 2015, 2018, groups="half")
    with pytest.raises(DataError, match="1 units have no 'half'"):
        decline(small().assign(half=lambda d: d["half"].where(d["unit"] != "u1")), "x", 2015, 2018, groups="half")
    with pytest.raises(ModelError, match="two or more"):
        decline(small().assign(half="N"), "x", 2015, 2018, groups="half")
