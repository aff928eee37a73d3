"""Densities and the stochastic kernel against scipy's and against sums by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from econ import DataError, ModelError, OptionError, Panel
from econ.convergence.kernel import kernel, silverman


def growing(n: int = 30, years: "range | list[int]" = range(2000, 2012)) -> Panel:
    rng = np.random.default_rng(0)
    level = rng.normal(size=n)
    rows = [
        (f"r{i:02d}", year, float(np.exp(8 + 0.08 * (year - 2000) + 0.4 * level[i] + 0.1 * rng.normal())))
        for i in range(n)
        for year in years
    ]
    return Panel(pd.DataFrame(rows, columns=["region", "year", "x"]), "region", "year")


def test_densities_are_scipys() -> None:
    panel = growing()
    result = kernel(panel, "x")
    for year in (2000, 2011):
        x = panel.frame.loc[panel.frame["year"] == year, "x"].to_numpy()
        z = x / x.mean()
        row = result.periods.set_index("period").loc[year]
        assert row["bandwidth"] == pytest.approx(silverman(z))
        assert row["bandwidth"] == pytest.approx(0.9 * min(z.std(ddof=1), stats.iqr(z) / 1.34) * 30**-0.2)
        assert (row["mean"], row["sd"]) == (pytest.approx(1), pytest.approx(z.std(ddof=1)))
        part = result.densities[result.densities["period"] == year]
        expected = stats.gaussian_kde(z, bw_method=row["bandwidth"] / z.std(ddof=1))(part["value"])
        np.testing.assert_allclose(part["density"], expected, atol=1e-12)
        assert np.trapezoid(part["density"], part["value"]) == pytest.approx(1, abs=1e-3)


def test_stochastic_kernel_by_hand() -> None:
    panel = growing(12)
    result = kernel(panel, "x", horizon=3)
    wide = panel.frame.pivot(index="region", columns="year", values="x")
    z = wide / wide.mean()
    pairs = [(z.loc[unit, year], z.loc[unit, year + 3]) for year in range(2000, 2009) for unit in z.index]
    start, end = (np.array(side) for side in zip(*pairs, strict=True))
    assert result.spec["n_pairs"] == len(pairs)
    h1, h2 = (side.std(ddof=1) * len(pairs) ** (-1 / 6) for side in (start, end))
    for row in result.conditional.sample(40, random_state=0).itertuples():
        weight = stats.norm.pdf((row.origin - start) / h1)
        expected = (weight * stats.norm.pdf((row.destination - end) / h2)).sum() / (h2 * weight.sum())
        assert row.density == pytest.approx(expected, abs=1e-12)
    areas = [np.trapezoid(part["density"], part["destination"]) for _, part in result.conditional.groupby("origin")]
    np.testing.assert_allclose(areas, 1, atol=2e-3)


def test_relative_values_do_not_see_common_growth_or_units() -> None:
    panel = growing()
    first = kernel(panel, "x").densities
    scaled = kernel(panel.assign(x=lambda d: d["x"] * 1.5 ** (d["year"] - 2000)), "x").densities
    pd.testing.assert_frame_equal(first, scaled)
    levels = kernel(panel, "x", relative=False)
    assert levels.periods["mean"].iloc[-1] > 2 * levels.periods["mean"].iloc[0]


def test_two_groups_have_two_modes() -> None:
    panel = growing().assign(x=lambda d: d["x"] ** 0.25 * np.where(d["region"] < "r15", 4.0, 1.0))
    assert (kernel(panel, "x").periods["modes"] >= 2).all()


def test_gaps_missing_values_and_thin_periods() -> None:
    panel = growing(years=[2000, 2001, 2003, 2004])
    thin = panel.where(lambda d: (d["year"] != 2003) | (d["region"] < "r03"))
    result = kernel(thin, "x")
    assert result.periods["period"].tolist() == [2000, 2001, 2004]
    assert "No density for 2003" in result.notes[-1]["en"]
    assert "2003" in result.notes[-1]["zh"]
    assert result.spec["n_pairs"] == 30 + 3
    assert kernel(panel.assign(x=lambda d: d["x"].where(d["region"] != "r01")), "x").periods["n"].tolist() == [29] * 4


def test_bad_input() -> None:
    panel = growing()
    with pytest.raises(OptionError, match="horizon=12 is not allowed; 'x' covers a span of 11: give 1 to 11"):
        kernel(panel, "x", horizon=12)
    with pytest.raises(DataError, match="1 values that are zero or negative"):
        kernel(panel.assign(x=lambda d: d["x"].where(d.index != 3, 0.0)), "x")
    with pytest.raises(ModelError, match="same value everywhere in 2002"):
        kernel(panel.assign(x=lambda d: d["x"].where(d["year"] != 2002, 1.0)), "x")
    with pytest.raises(ModelError, match="at least 5 regions"):
        kernel(growing(4), "x")
    with pytest.raises(ModelError, match="0 pairs of values of 'x' are 1 periods apart"):
        kernel(growing(years=[2000, 2005, 2010]), "x")
    assert kernel(growing(years=[2000, 2005, 2010]), "x", horizon=5).spec["n_pairs"] == 60
