"""Rank concordance against its definition and Kendall's test."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from econ import ModelError, Panel
from econ.convergence.gamma import concordance, gamma


def wandering(n: int = 15, periods: int = 8) -> Panel:
    x = np.random.default_rng(0).normal(size=(n, periods)).cumsum(axis=1)
    rows = [(f"r{i:02d}", 2000 + t, x[i, t]) for i in range(n) for t in range(periods)]
    return Panel(pd.DataFrame(rows, columns=["region", "year", "x"]), "region", "year")


def test_path_is_the_ratio_of_variances() -> None:
    panel = wandering()
    path = gamma(panel, "x").path
    ranks = panel.frame.pivot(index="region", columns="year", values="x").rank().to_numpy()
    assert path["period"].tolist() == list(range(2001, 2008))
    for t in range(1, 8):
        row = path.iloc[t - 1]
        assert row["gamma"] == pytest.approx(np.var(ranks[:, t] + ranks[:, 0]) / np.var(2 * ranks[:, 0]))
        assert row["gamma_all"] == pytest.approx(np.var(ranks[:, : t + 1].sum(axis=1)) / np.var((t + 1) * ranks[:, 0]))
        assert row["gamma"] == pytest.approx((1 + stats.spearmanr(ranks[:, 0], ranks[:, t]).statistic) / 2)


def test_statistic_is_friedmans() -> None:
    """Kendall's chi-squared of m rankings of n regions is Friedman's, ties included."""
    panel = wandering().assign(x=lambda d: d["x"].round())
    x = panel.frame.pivot(index="region", columns="year", values="x").to_numpy()
    assert len(np.unique(x[:, 0])) < 15
    last = gamma(panel, "x").path.iloc[-1]
    friedman = stats.friedmanchisquare(*x)
    assert last["statistic_all"] == pytest.approx(friedman.statistic)
    assert last["p_value_all"] == pytest.approx(friedman.pvalue)


@given(st.permutations(range(8)))
def test_bounds(order: list[int]) -> None:
    ranks = np.column_stack([np.arange(1.0, 9.0), np.array(order) + 1.0])
    assert -1e-12 <= concordance(ranks) <= 1 + 1e-12
    assert concordance(ranks[:, [0, 0]]) == pytest.approx(1)
    assert concordance(np.column_stack([ranks[:, 0], 9 - ranks[:, 0]])) == pytest.approx(0)


def test_incomplete_regions_are_left_out_and_named() -> None:
    result = gamma(wandering().where(lambda d: ~((d["region"] == "r03") & (d["year"] == 2004))), "x")
    assert (result.path["n"] == 14).all()
    assert "r03" in result.notes[-1]["en"]
    assert "r03" in result.notes[-1]["zh"]


def test_monotone_transformations_do_not_matter() -> None:
    panel = wandering()
    pd.testing.assert_frame_equal(gamma(panel.assign(x=lambda d: np.exp(d["x"])), "x").path, gamma(panel, "x").path)


def test_bad_input() -> None:
    with pytest.raises(ModelError, match="at least 3 regions"):
        gamma(wandering(2), "x")
    with pytest.raises(ModelError, match="same value everywhere in 2004"):
        gamma(wandering().assign(x=lambda d: d["x"].where(d["year"] != 2004, 1.0)), "x")
    with pytest.raises(ModelError, match="known in 1 period"):
        gamma(wandering(periods=1), "x")
