"""Theil's indices against their definitions, and the parts against the whole."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import econ
from econ import DataError, ModelError, OptionError, Panel
from econ.disparity import theil


def regions(seed: int = 0, n: int = 24, years: int = 4) -> Panel:
    """Regions in six plates, two to a half; shuffled rows."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"region": np.repeat([f"r{i:02}" for i in range(n)], years), "year": years * [*range(n)]})
    frame["year"] = 2000 + np.tile(np.arange(years), n)
    number = np.repeat(np.arange(n), years)
    frame["plate"] = [f"p{k % 6}" for k in number]
    frame["half"] = ["north" if k % 6 < 2 else "south" for k in number]
    frame["x"] = rng.lognormal(1, 0.6, n * years)
    frame["people"] = rng.uniform(1, 9, n * years)
    return Panel(frame.sample(frac=1, random_state=seed), "region", "year")


def by_hand(x: pd.Series, w: pd.Series, index: str) -> float:
    mean = (w * x).sum() / w.sum()
    terms = x / mean * np.log(x / mean) if index == "T" else np.log(mean / x)
    return float((w * terms).sum() / w.sum())


@pytest.mark.parametrize("index", ["T", "L"])
@pytest.mark.parametrize("weights", [None, "people"])
def test_total_within_and_between_are_the_definitions(index: str, weights: str | None) -> None:
    panel = regions()
    result = theil(panel, "x", groups="plate", weights=weights, index=index)
    assert result.totals.columns[:4].tolist() == ["period", "total", "within", "between"]
    assert result.totals["period"].tolist() == [2000, 2001, 2002, 2003]
    frame = panel.frame.assign(w=1.0 if weights is None else panel.frame["people"])
    for row in result.totals.itertuples():
        part = frame[frame["year"] == row.period]
        assert row.total == pytest.approx(by_hand(part["x"], part["w"], index), rel=1e-12)
        mean = part.groupby("plate")[["x", "w"]].apply(lambda d: (d["x"] * d["w"]).sum() / d["w"].sum())
        assert row.between == pytest.approx(by_hand(part["plate"].map(mean), part["w"], index), rel=1e-10)
        assert row.within + row.between == pytest.approx(row.total, rel=1e-12)
        assert (row.n, row.mean) == (24, pytest.approx((part["x"] * part["w"]).sum() / part["w"].sum()))


@pytest.mark.parametrize("index", ["T", "L"])
def test_nested_levels_add_up_and_the_coarse_one_is_that_of_the_coarse_groups_alone(index: str) -> None:
    panel = regions()
    nested = theil(panel, "x", groups=["half", "plate"], weights="people", index=index)
    coarse = theil(panel, "x", groups="half", weights="people", index=index)
    fine = theil(panel, "x", groups="plate", weights="people", index=index)
    levels = nested.levels.pivot(index="period", columns="level", values="between")
    np.testing.assert_allclose(levels["half"], coarse.totals["between"], rtol=1e-12)
    np.testing.assert_allclose(levels.sum(axis=1), fine.totals["between"], rtol=1e-12)
    pd.testing.assert_frame_equal(nested.totals, fine.totals)
    assert (levels["plate"] > 0).all()
    np.testing.assert_allclose(nested.levels.groupby("period")["share"].sum(), nested.totals["between_share"])


def test_groups_show_their_own_index_and_what_they_add() -> None:
    panel = regions()
    result = theil(panel, "x", groups="plate", weights="people")
    sums = result.groups.groupby("period")[["weight_share", "value_share", "within", "between"]].sum()
    np.testing.assert_allclose(sums[["weight_share", "value_share"]], 1)
    np.testing.assert_allclose(sums[["within", "between"]], result.totals[["within", "between"]])
    alone = panel.where(lambda d: d["plate"].isin(["p1"])).assign(half=lambda d: d["region"].isin(["r01", "r07"]))
    own = result.groups.query("group == 'p1'")["index"].to_numpy()
    np.testing.assert_allclose(own, theil(alone, "x", groups="half", weights="people").totals["total"])


def test_weights_are_repetitions() -> None:
    frame = pd.DataFrame({"region": list("abcd"), "g": list("uuvv"), "x": [1.0, 2, 5, 3], "w": [1, 3, 2, 2]})
    repeated = frame.loc[frame.index.repeat(frame["w"])].reset_index(drop=True).assign(region=[*"abcdefgh"])
    weighted = theil(Panel(frame, "region"), "x", groups="g", weights="w").totals
    plain = theil(Panel(repeated, "region"), "x", groups="g").totals
    np.testing.assert_allclose(weighted[["total", "within", "between"]], plain[["total", "within", "between"]])


def test_extremes() -> None:
    frame = pd.DataFrame({"region": list("abcd"), "g": list("uuvv"), "x": [0.0, 0, 0, 8]})
    row = theil(Panel(frame, "region"), "x", groups="g").totals.iloc[0]
    assert row["total"] == pytest.approx(np.log(4))
    assert row["between"] == pytest.approx(np.log(2))
    equal = theil(Panel(frame.assign(x=3.0), "region"), "x", groups="g").totals.iloc[0]
    assert equal["total"] == pytest.approx(0, abs=1e-15)


@settings(max_examples=40, deadline=None)
@given(
    values=st.lists(st.floats(0.01, 1e4), min_size=4, max_size=12),
    scale=st.floats(0.01, 100),
    index=st.sampled_from(["T", "L"]),
)
def test_parts_add_up_are_not_negative_and_do_not_depend_on_the_scale(
    values: list[float], scale: float, index: str
) -> None:
    frame = pd.DataFrame({"region": range(len(values)), "x": values})
    panel = Panel(frame.assign(g=frame["region"] % 2), "region")
    row = theil(panel, "x", groups="g", index=index).totals.iloc[0]
    assert row["total"] == pytest.approx(row["within"] + row["between"], rel=1e-9, abs=1e-12)
    assert min(row["within"], row["between"]) > -1e-12
    scaled = theil(panel.assign(x=lambda d: scale * d["x"]), "x", groups="g", index=index).totals.iloc[0]
    assert scaled["total"] == pytest.approx(row["total"], rel=1e-9, abs=1e-12)


def test_a_wide_frame_with_gaps_uses_each_period_s_units_and_counts_the_others() -> None:
    wide = pd.DataFrame({"region": list("abcd"), "2000": [1.0, 2, 3, 4], "2001": [1.0, np.nan, 3, 5]})
    panel = Panel.from_wide(wide, unit="region", name="x").join(pd.DataFrame({"region": [*"abcd"], "g": [*"uuvv"]}))
    result = theil(panel, "x", groups="g")
    assert result.totals["n"].tolist() == [4, 3]
    mean = 3.0
    x = np.array([1.0, 3, 5]) / mean
    assert result.totals["total"].iloc[1] == pytest.approx(float((x * np.log(x)).mean()))
    assert "2001: 1" in result.notes[-1]["en"]
    assert "2001：1个" in result.notes[-1]["zh"]


def test_a_cross_section_counts_its_missing_units_without_a_period() -> None:
    frame = pd.DataFrame({"region": list("abcd"), "g": list("uuvv"), "x": [1.0, 2, np.nan, 4]})
    result = theil(Panel(frame, "region"), "x", groups="g")
    assert result.notes[-1]["en"] == "Units for which x is not known are left out (1 of 4)."
    with pytest.raises(DataError, match="sums to zero in the cross-section"):
        theil(Panel(frame.assign(x=0.0), "region"), "x", groups="g")


def test_spec_and_labels_name_what_was_asked() -> None:
    panel = regions().with_labels({"plate": econ.Column("Plate", "板块")})
    spec = theil(panel, "x", groups=["half", "plate"], weights="people", index="L").spec
    assert (spec["groups"], spec["weights"], spec["index"]) == (["half", "plate"], "people", "L")
    assert spec["labels"]["plate"]["label_zh"] == "板块"


def test_bad_input() -> None:
    panel = regions()
    with pytest.raises(DataError, match=r"zero or positive; 1 values are not \(r03, 2001: -2\)"):
        theil(change(panel, -2.0), "x", groups="plate")
    with pytest.raises(DataError, match=r"'x' must be positive; 1 values are not \(r03, 2001: 0\)"):
        theil(change(panel, 0.0), "x", groups="plate", index="L")
    with pytest.raises(DataError, match="weights 'people' must be positive"):
        theil(panel.assign(people=lambda d: d["people"] - 5), "x", groups="plate", weights="people")
    with pytest.raises(DataError, match="sums to zero in 2002"):
        theil(panel.assign(x=lambda d: d["x"].where(d["year"] != 2002, 0.0)), "x", groups="plate")
    with pytest.raises(ModelError, match="one group only in 2000"):
        theil(panel.assign(plate="p"), "x", groups="plate")
    with pytest.raises(DataError, match="changes within region"):
        theil(panel.assign(plate=lambda d: d["year"] % 2), "x", groups="plate")
    with pytest.raises(DataError, match="'half' is not nested in 'plate'"):
        theil(panel, "x", groups=["plate", "half"])
    with pytest.raises(DataError, match=r"4 units have no 'plate' \(r01"):
        theil(panel.assign(plate=lambda d: d["plate"].where(d["plate"] != "p1")), "x", groups="plate")
    with pytest.raises(OptionError, match="index='Z'"):
        theil(panel, "x", groups="plate", index="Z")
    with pytest.raises(OptionError, match="groups="):
        theil(panel, "x", groups=[])
    with pytest.raises(DataError, match="has no values"):
        theil(panel.assign(x=np.nan), "x", groups="plate")


def change(panel: Panel, value: float) -> Panel:
    """One cell set to a value."""
    return panel.assign(x=lambda d: d["x"].mask((d["region"] == "r03") & (d["year"] == 2001), value))
