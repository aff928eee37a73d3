"""Indices of inequality against their definitions, and the bootstrap behind their intervals."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from econ import DataError, ModelError, OptionError, Panel
from econ.disparity import Inequality, atkinson, cv, gini, kakwani, schutz, wolfson
from econ.disparity.bootstrap import p_value

ALL = (gini, atkinson, kakwani, cv, schutz, wolfson)


def cross(x: list[float], weights: list[float] | None = None) -> Panel:
    frame = pd.DataFrame({"region": range(len(x)), "x": np.asarray(x, dtype=float)})
    return Panel(frame.assign(w=1.0 if weights is None else weights), "region")


def two_years(seed: int = 0, n: int = 40, shrink: float = 0.7, noise: float = 0.1) -> Panel:
    """Logs of the second year are those of the first, shrunk, with noise."""
    rng = np.random.default_rng(seed)
    first = rng.normal(size=n)
    second = shrink * first + noise * rng.normal(size=n)
    frame = pd.DataFrame({"region": np.tile(np.arange(n), 2), "year": np.repeat([2000, 2010], n)})
    return Panel(frame.assign(x=np.exp(np.concatenate([first, second]))), "region", "year")


def value(result: Inequality) -> float:
    return float(result.path["estimate"].iloc[0])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0.01, 100), st.integers(1, 4)), min_size=3, max_size=9))
def test_every_index_is_its_definition(rows: list[tuple[float, int]]) -> None:
    x, w = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    panel, p = cross(x, w), w / w.sum()
    mean = float(p @ x)
    pairs = np.abs(x[:, None] - x[None, :])
    order = np.argsort(x, kind="stable")
    lorenz = np.column_stack([np.cumsum(p[order]), np.cumsum((p * x)[order]) / mean])
    length = np.hypot(*np.diff(np.vstack([[0, 0], lorenz]), axis=0).T).sum()
    expected = {
        "gini": p @ pairs @ p / (2 * mean),
        "atkinson": 1 - (p @ np.sqrt(x)) ** 2 / mean,
        "kakwani": (length - np.sqrt(2)) / (2 - np.sqrt(2)),
        "cv": np.sqrt(p @ (x - mean) ** 2) / mean,
        "schutz": max(np.max(lorenz[:, 0] - lorenz[:, 1]), 0),
    }
    for index in (gini, atkinson, kakwani, cv, schutz):
        found = value(index(panel, "x", weights="w", draws=99))
        assert found == pytest.approx(expected[index.__name__], rel=1e-9, abs=1e-10)


def test_conventions() -> None:
    x = [1.0, 2, 4, 9, 3]
    assert value(gini(cross(x), "x", convention="unbiased")) == pytest.approx(value(gini(cross(x), "x")) * 5 / 4)
    assert value(cv(cross(x), "x")) == pytest.approx(np.std(x) / np.mean(x))
    assert value(cv(cross(x), "x", convention="unbiased")) == pytest.approx(np.std(x, ddof=1) / np.mean(x))
    assert value(gini(cross([0, 0, 0, 7.0]), "x", convention="unbiased")) == pytest.approx(1)
    with pytest.raises(OptionError, match="no agreed form with weights"):
        gini(cross(x), "x", weights="w", convention="unbiased")
    with pytest.raises(OptionError, match="convention='sample'"):
        cv(cross(x), "x", convention="sample")


def test_atkinson_by_its_aversion() -> None:
    x = np.array([1.0, 2, 4, 9, 3])
    assert value(atkinson(cross(x), "x", epsilon=1)) == pytest.approx(1 - np.exp(np.log(x).mean()) / x.mean())
    assert value(atkinson(cross(x), "x", epsilon=2)) == pytest.approx(1 - 1 / np.mean(1 / x) / x.mean())
    near = value(atkinson(cross(x), "x", epsilon=1 + 1e-7))
    assert near == pytest.approx(value(atkinson(cross(x), "x", epsilon=1)), abs=1e-6)
    assert value(atkinson(cross(x), "x", epsilon=500)) == pytest.approx(1 - 1 / x.mean(), abs=0.01)
    assert value(atkinson(cross([0, 4.0, 4]), "x")) == pytest.approx(1 - (4 / 3) ** 2 / (8 / 3))
    with pytest.raises(DataError, match="must be positive"):
        atkinson(cross([0, 4.0, 4]), "x", epsilon=1)
    with pytest.raises(OptionError, match="epsilon=0"):
        atkinson(cross(x), "x", epsilon=0)


def test_wolfson_is_between_halves_minus_within_halves() -> None:
    """With an even number of regions: Gini of the halves' means minus its complement, over the median per mean."""
    x = np.sort([1.0, 2, 4, 9, 3, 3.5, 6, 12])
    between = np.where(x < 3.8, x[:4].mean(), x[4:].mean())
    whole, halves = (value(gini(cross(v), "x")) for v in (x, between))
    assert value(wolfson(cross(x), "x")) == pytest.approx((halves - (whole - halves)) * x.mean() / np.median(x))
    odd = [1.0, 2, 4, 9, 30]
    half = (1 + 2 + 4 / 2) / 5
    expected = (2 * (0.5 - half / np.mean(odd)) - value(gini(cross(odd), "x"))) * np.mean(odd) / 4
    assert value(wolfson(cross(odd), "x")) == pytest.approx(expected)


@pytest.mark.parametrize("index", ALL)
def test_scale_free_repeatable_and_zero_when_equal(index) -> None:
    panel = two_years()
    first, again = index(panel, "x", draws=199), index(panel, "x", draws=199)
    pd.testing.assert_frame_equal(first.path, again.path)
    scaled = index(panel.assign(x=lambda d: 1e5 * d["x"]), "x", draws=199)
    columns = ["estimate", "std_error", "ci_low", "ci_high"]
    np.testing.assert_allclose(first.path[columns], scaled.path[columns], rtol=1e-9)
    shuffled = Panel(panel.frame.sample(frac=1, random_state=3), "region", "year")
    np.testing.assert_allclose(first.path[columns], index(shuffled, "x", draws=199).path[columns])
    equal = index(cross([2.0] * 6), "x", draws=99)
    np.testing.assert_allclose(equal.path[columns], 0, atol=1e-12)
    assert index(panel, "x", draws=199, seed=2).path["std_error"].iloc[0] != first.path["std_error"].iloc[0]


def test_the_bootstrap_draws_whole_histories() -> None:
    """Where the second year is the first times ten, the change is zero in every sample, not only on average."""
    panel = two_years(shrink=1.0, noise=0.0).assign(x=lambda d: d["x"].where(d["year"] == 2000, 10 * d["x"]))
    result = gini(panel, "x")
    np.testing.assert_allclose(result.replicates[:, 0], result.replicates[:, 1])
    assert result.test.loc[0, "change"] == pytest.approx(0, abs=1e-12)
    assert result.test.loc[0, "p_value"] == pytest.approx(1, abs=0.05)
    assert result.replicates[:, 0].std() > 0.01


def test_replicates_are_the_index_of_resampled_units() -> None:
    panel = two_years(n=7)
    result = gini(panel, "x", draws=99, seed=5)
    drawn = np.random.default_rng(5).integers(0, 7, (99, 7))
    wide = panel.frame.pivot(index="region", columns="year", values="x").to_numpy()
    for row in (0, 40, 98):
        sample = wide[drawn[row]]
        for t in (0, 1):
            pairs = np.abs(sample[:, t, None] - sample[None, :, t])
            assert result.replicates[row, t] == pytest.approx(pairs.mean() / (2 * sample[:, t].mean()))


def test_the_change_is_tested_and_p_agrees_with_its_interval() -> None:
    result = gini(two_years(), "x", draws=1999)
    row = result.test.iloc[0]
    assert row[["start", "end"]].tolist() == [2000, 2010]
    assert row["change"] == pytest.approx(result.path["estimate"].diff().iloc[1])
    assert row["ci_high"] < 0
    assert row["p_value"] < 0.01
    backwards = result.change(2010, 2000).iloc[0]
    assert backwards["ci_low"] == pytest.approx(-row["ci_high"], abs=5e-4)
    for level in (0.5, 0.8, 0.9, 0.95, 0.99):
        weak = gini(two_years(seed=4, shrink=0.97, noise=0.25), "x", level=level, draws=1999)
        covers = weak.test["ci_low"].iloc[0] <= 0 <= weak.test["ci_high"].iloc[0]
        assert covers == (weak.test["p_value"].iloc[0] > 1 - level)
    with pytest.raises(OptionError, match="two different periods from 2000 to 2010"):
        result.change(2000, 2005)


def test_p_value_is_uniform_where_the_replicates_are_normal() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=9999)
    for z in (0.3, 1.0, 1.96, 2.5):
        assert p_value(z, z + noise) == pytest.approx(2 * norm.sf(z), abs=0.03)


def test_gaps_are_noted_and_a_cross_section_has_no_test() -> None:
    panel = two_years(n=6).where(lambda d: ~((d["year"] == 2010) & (d["region"] > 3)))
    result = gini(panel, "x", draws=199)
    assert result.path["n"].tolist() == [6, 4]
    assert any("2010: 2; of 6 units" in note["en"] for note in result.notes)
    lost = int(np.isnan(result.replicates).any(axis=1).sum())
    assert lost == 0 or any(f"{lost} of 199" in note["en"] for note in result.notes)
    assert gini(cross([1.0, 2, 3]), "x", draws=99).test.empty
    assert any("fewer than 100 regions" in note["en"] for note in result.notes)
    assert not any("fewer than 100" in note["en"] for note in gini(two_years(n=100), "x", draws=99).notes)


def test_bad_input() -> None:
    panel = two_years()
    with pytest.raises(OptionError, match="draws=10"):
        gini(panel, "x", draws=10)
    with pytest.raises(OptionError, match="level=95"):
        gini(panel, "x", level=95)
    with pytest.raises(DataError, match="zero or positive"):
        cv(panel.assign(x=lambda d: d["x"] - 1), "x")
    with pytest.raises(DataError, match="must be positive"):
        wolfson(cross([0.0, 1, 2]), "x")
    with pytest.raises(DataError, match="sums to zero"):
        kakwani(cross([0.0, 0, 0]), "x")
    with pytest.raises(ModelError, match="fewer than 3 units"):
        gini(cross([1.0, 2]), "x")
    with pytest.raises(DataError, match="weights 'w' must be positive"):
        schutz(cross([1.0, 2, 3], [1, 0, 2]), "x", weights="w")
