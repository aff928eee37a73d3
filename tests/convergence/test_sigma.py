"""Sigma convergence against its definition."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import econ
from econ import DataError, ModelError, Panel


def shrinking(seed: int = 0) -> Panel:
    rng = np.random.default_rng(seed)
    base = rng.normal(size=20)
    rows = [
        (f"r{i}", year, "East" if i % 2 else "West", float(np.exp(9 + 0.97**t * base[i] + 0.05 * rng.normal())))
        for t, year in enumerate(range(2000, 2015))
        for i in range(20)
    ]
    return Panel(pd.DataFrame(rows, columns=["region", "year", "plate", "x"]), "region", "year")


def test_path_is_the_definition() -> None:
    panel = shrinking()
    path = econ.convergence.sigma(panel, "x", by="plate").path
    assert list(path.columns) == ["period", "group", "n", "mean", "cv", "sd_log"]
    assert path["group"].unique().tolist() == ["all", "East", "West"]
    for name, rows in (("all", panel.frame), ("East", panel.frame.query("plate == 'East'"))):
        x = rows.groupby("year")["x"]
        part = path[path["group"] == name]
        np.testing.assert_allclose(part["cv"], x.std() / x.mean())
        np.testing.assert_allclose(part["sd_log"], x.apply(lambda v: np.log(v).std()))


def test_trend_and_variance_tests() -> None:
    panel = shrinking()
    result = econ.convergence.sigma(panel, "x")
    test = result.test.set_index("test")
    logs = np.log(panel.frame.pivot(index="year", columns="region", values="x").to_numpy())
    slope = np.polyfit(np.arange(15), result.path["sd_log"], 1)[0]
    assert test.loc["trend", "estimate"] == pytest.approx(slope)
    assert test.loc["trend", "estimate"] < 0
    assert test.loc["trend", "p_value"] < 0.01
    pearson = stats.pearsonr(logs[0] + logs[-1], logs[0] - logs[-1])
    assert test.loc["pitman_morgan", "p_value"] == pytest.approx(pearson.pvalue)
    assert test.loc["carree_klomp", "p_value"] == pytest.approx(pearson.pvalue, rel=0.5)


def test_scale_does_not_matter_and_row_order_does_not() -> None:
    panel = shrinking()
    first = econ.convergence.sigma(panel, "x").path
    scaled = econ.convergence.sigma(panel.assign(x=lambda d: 7 * d["x"]), "x").path
    np.testing.assert_allclose(first[["cv", "sd_log"]], scaled[["cv", "sd_log"]])
    shuffled = Panel(panel.frame.sample(frac=1, random_state=1), "region", "year")
    np.testing.assert_allclose(first["cv"], econ.convergence.sigma(shuffled, "x").path["cv"])


def test_incomplete_regions_are_left_out_and_named() -> None:
    panel = shrinking().where(lambda d: ~((d["region"] == "r3") & (d["year"] == 2004)))
    result = econ.convergence.sigma(panel, "x")
    assert (result.path["n"] == 19).all()
    assert "r3" in result.notes[-1]["en"]
    assert "r3" in result.notes[-1]["zh"]


def test_bad_input() -> None:
    with pytest.raises(DataError, match="zero or negative"):
        econ.convergence.sigma(shrinking().assign(x=lambda d: d["x"] - d["x"].min()), "x")
    with pytest.raises(ModelError, match="at least 3 regions"):
        econ.convergence.sigma(shrinking().where(lambda d: d["year"] < 2002), "x")
    with pytest.raises(DataError, match="changes within region"):
        econ.convergence.sigma(shrinking().assign(plate=lambda d: d["year"]), "x", by="plate")
    with pytest.raises(ModelError, match=r"1 group\(s\) \(A: 20\); comparing dispersion needs at least 2 groups"):
        econ.convergence.sigma(shrinking().assign(plate="A"), "x", by="plate")
    with pytest.raises(DataError, match=r"1 regions have no 'plate' \(r3\)"):
        split = shrinking().assign(plate=lambda d: np.where(d["region"] == "r3", None, d["region"].str[-1] < "5"))
        econ.convergence.sigma(split, "x", by="plate")


def test_lichtenberg_is_the_ratio_and_says_why_it_misleads() -> None:
    panel = shrinking()
    result = econ.convergence.sigma(panel, "x")
    row = result.test.set_index("test").loc["lichtenberg"]
    logs = np.log(panel.frame.pivot(index="year", columns="region", values="x").to_numpy())
    ratio = logs[0].var(ddof=1) / logs[-1].var(ddof=1)
    assert row["statistic"] == pytest.approx(ratio)
    assert row["p_value"] == pytest.approx(stats.f.sf(ratio, 18, 18))
    assert row["p_value"] > 10 * result.test.set_index("test").loc["pitman_morgan", "p_value"]
    assert any("Lichtenberg" in note["en"] and "Lichtenberg" in note["zh"] for note in result.notes)
