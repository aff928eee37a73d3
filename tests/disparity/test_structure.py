"""Regions by industries: identities, hand-made cases, and brute force."""

import numpy as np
import pandas as pd
import pytest

from econ import DataError, ModelError, OptionError, Panel
from econ.disparity import ellison_glaeser, krugman, location_quotient, shift_share


def jobs(seed: int = 0, regions: int = 5, industries: int = 4) -> Panel:
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product(
        [[f"r{i}" for i in range(regions)], [f"i{i}" for i in range(industries)], [2000, 2005, 2010]],
        names=["region", "industry", "year"],
    )
    frame = index.to_frame(index=False)
    frame["jobs"] = rng.integers(1, 100, len(frame)).astype(float)
    frame["plants"] = frame["industry"].str[1:].astype(int) / 10
    return Panel(frame.sample(frac=1, random_state=seed), ["region", "industry"], "year")


def amounts(panel: Panel, year: int) -> np.ndarray:
    return panel.frame.query("year == @year").pivot(index="region", columns="industry", values="jobs").to_numpy()


def test_location_quotients() -> None:
    panel = jobs()
    table = location_quotient(panel, "jobs", "region", "industry").table
    assert table.columns.tolist() == ["period", "region", "industry", "value", "share", "lq"]
    x = amounts(panel, 2005)
    expected = (x / x.sum(axis=1, keepdims=True)) / (x.sum(axis=0) / x.sum())
    found = table.query("period == 2005").pivot(index="region", columns="industry", values="lq").to_numpy()
    np.testing.assert_allclose(found, expected)
    overall = x.sum(axis=1) / x.sum()
    np.testing.assert_allclose(overall @ found, 1)


def test_krugman_against_all_other_regions() -> None:
    panel = jobs()
    table = krugman(panel, "jobs", "region", "industry").table.query("period == 2010")
    x = amounts(panel, 2010)
    for r, found in enumerate(table["krugman"]):
        rest = np.delete(x, r, axis=0).sum(axis=0)
        assert found == pytest.approx(np.abs(x[r] / x[r].sum() - rest / rest.sum()).sum())
    apart = Panel(pd.DataFrame({"r": ["a", "b"], "i": ["u", "v"], "x": [3.0, 5]}), ["r", "i"])
    assert krugman(apart, "x", "r", "i").table["krugman"].tolist() == [2, 2]
    alike = panel.assign(jobs=lambda d: d["region"].str[1:].astype(int) + 1.0)
    np.testing.assert_allclose(krugman(alike, "jobs", "region", "industry").table["krugman"], 0, atol=1e-15)


def test_ellison_glaeser_is_their_equation() -> None:
    panel = jobs()
    result = ellison_glaeser(panel, "jobs", "region", "industry", "plants")
    assert result.table.columns.tolist() == ["period", "industry", "n_regions", "raw", "plant_herfindahl", "gamma"]
    x = amounts(panel, 2000)
    a = x.sum(axis=1) / x.sum()
    for i, row in enumerate(result.table.query("period == 2000").itertuples()):
        raw, h = float(((x[:, i] / x[:, i].sum() - a) ** 2).sum()), i / 10
        rest = 1 - float(a @ a)
        assert (row.raw, row.plant_herfindahl, row.n_regions) == (pytest.approx(raw), h, 5)
        assert row.gamma == pytest.approx((raw - rest * h) / (rest * (1 - h)))


def test_ellison_glaeser_is_zero_on_average_where_plants_throw_darts() -> None:
    """Each industry has plants of one size, placed by the regions' shares; H = 1 / plants."""
    rng = np.random.default_rng(1)
    share, plants, industries = np.array([0.1, 0.2, 0.3, 0.4]), 20, 600
    placed = rng.multinomial(plants, share, size=industries).astype(float)
    frame = pd.DataFrame(placed, columns=[*"abcd"]).reset_index(names="industry")
    long = frame.melt("industry", var_name="region", value_name="x").assign(h=1 / plants)
    gamma = ellison_glaeser(Panel(long, ["region", "industry"]), "x", "region", "industry", "h").table["gamma"]
    assert abs(gamma.mean()) < 4 * gamma.std() / np.sqrt(industries)


def test_shift_share_adds_up() -> None:
    panel = jobs()
    result = shift_share(panel, "jobs", "region", "industry")
    table = result.table
    assert table.columns.tolist() == ["region", "industry", "start", "end", "change", "national", "mix", "regional"]
    np.testing.assert_allclose(table[["national", "mix", "regional"]].sum(axis=1), table["change"])
    assert table["mix"].sum() == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(table.groupby("industry")["regional"].sum(), 0, atol=1e-9)
    assert table["national"].sum() == pytest.approx(table["change"].sum())
    assert (result.spec["start"], result.spec["end"]) == (2000, 2010)
    x, y = amounts(panel, 2000), amounts(panel, 2005)
    half = shift_share(panel, "jobs", "region", "industry", end=2005).table
    growth = y.sum(axis=0) / x.sum(axis=0) - 1
    np.testing.assert_allclose(half["mix"], (x * (growth - (y.sum() / x.sum() - 1))).ravel())


def test_missing_cells_are_counted() -> None:
    panel = jobs()
    gone = panel.assign(
        jobs=lambda d: d["jobs"].mask((d["region"] == "r1") & (d["industry"] == "i1") & (d.year == 2000))
    )
    result = shift_share(gone, "jobs", "region", "industry")
    assert len(result.table) == 19
    assert result.notes[0]["en"].startswith("1 of 60 cells")
    assert result.notes[1]["en"].startswith("1 of 20 cells")
    assert result.notes[1]["zh"].startswith("20个单元")
    assert location_quotient(gone, "jobs", "region", "industry").notes[0]["en"].startswith("1 of 60")


def test_bad_input() -> None:
    panel = jobs()
    with pytest.raises(DataError, match="zero or positive"):
        krugman(panel.assign(jobs=lambda d: -d["jobs"]), "jobs", "region", "industry")
    empty = panel.assign(jobs=lambda d: d["jobs"].mask(d["industry"] == "i2", 0.0))
    with pytest.raises(DataError, match="sums to zero for industry i2, 2000"):
        location_quotient(empty, "jobs", "region", "industry")
    with pytest.raises(DataError, match="zero in every region in 2000 for industry i2"):
        shift_share(empty, "jobs", "region", "industry")
    with pytest.raises(DataError, match="do not tell the rows of a period apart"):
        krugman(panel, "jobs", "industry", "industry")
    with pytest.raises(DataError, match="has no column"):
        krugman(panel, "jobs", "city", "industry")
    with pytest.raises(DataError, match="at least 0 and below 1"):
        ellison_glaeser(panel.assign(plants=1.0), "jobs", "region", "industry", "plants")
    uneven = panel.assign(plants=lambda d: d["region"].str[1:].astype(int) / 10)
    with pytest.raises(DataError, match="missing or changes between regions for i0, 2000"):
        ellison_glaeser(uneven, "jobs", "region", "industry", "plants")
    with pytest.raises(ModelError, match="Only one region"):
        krugman(panel.where(lambda d: d["region"] == "r0"), "jobs", "region", "industry")
    with pytest.raises(ModelError, match="All of 'jobs' is in one region"):
        ellison_glaeser(panel.where(lambda d: d["region"] == "r0"), "jobs", "region", "industry", "plants")
    for span in ((2010, 2000), (2000, 2001), (2000, 2000)):
        with pytest.raises(OptionError, match="from 2000 to 2010"):
            shift_share(panel, "jobs", "region", "industry", *span)
