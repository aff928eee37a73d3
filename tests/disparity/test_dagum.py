"""Dagum's three parts against the double sums of their definitions."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econ import DataError, ModelError, OptionError, Panel
from econ.disparity import dagum, gini


def regions(x: list[float], groups: list[str], weights: list[float] | None = None) -> Panel:
    frame = pd.DataFrame({"region": range(len(x)), "g": groups, "x": x})
    return Panel(frame.assign(w=1.0 if weights is None else weights), "region")


def by_hand(x: np.ndarray, g: np.ndarray, w: np.ndarray) -> dict[str, float]:
    """The definitions, over all pairs; affluence from its two one-sided moments."""
    mean, total = float(w @ x / w.sum()), w.sum()
    parts = {"gini": 0.0, "within": 0.0, "between": 0.0, "transvariation": 0.0}
    parts["gini"] = sum(w[i] * w[r] * abs(x[i] - x[r]) for i, r in product(range(len(x)), repeat=2)) / (
        2 * total**2 * mean
    )
    labels = sorted(set(g))
    share = {j: w[g == j].sum() / total for j in labels}
    level = {j: float(w[g == j] @ x[g == j] / w[g == j].sum()) for j in labels}
    held = {j: share[j] * level[j] / mean for j in labels}
    for j, h in product(labels, repeat=2):
        pairs = [(w[i] * w[r], x[i] - x[r]) for i in np.flatnonzero(g == j) for r in np.flatnonzero(g == h)]
        weight = w[g == j].sum() * w[g == h].sum()
        up = sum(weight_ * max(d, 0.0) for weight_, d in pairs) / weight
        down = sum(weight_ * max(-d, 0.0) for weight_, d in pairs) / weight
        coefficient = (up + down) / (level[j] + level[h]) if level[j] + level[h] else 0.0
        if j == h:
            parts["within"] += coefficient * share[j] * held[j]
        elif level[j] > level[h] or (level[j] == level[h] and j > h):
            affluence = (up - down) / (up + down) if up + down else 0.0
            amount = coefficient * (share[j] * held[h] + share[h] * held[j])
            parts["between"] += amount * affluence
            parts["transvariation"] += amount * (1 - affluence)
    return parts


NUMBERS = st.one_of(st.floats(0, 100), st.integers(0, 5).map(float))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(NUMBERS, st.sampled_from("abc"), st.integers(1, 4)), min_size=3, max_size=9))
def test_the_parts_are_those_of_all_pairs(rows: list[tuple[float, str, int]]) -> None:
    x, g, w = (np.array(column) for column in zip(*rows, strict=True))
    if len(set(g)) < 2 or x.sum() < 1e-3:
        return
    row = dagum(regions(x, g, w.astype(float)), "x", groups="g", weights="w").totals.iloc[0]
    for name, value in by_hand(x, g, w.astype(float)).items():
        assert row[name] == pytest.approx(value, rel=1e-9, abs=1e-12)
    assert row["gini"] == pytest.approx(row[["within", "between", "transvariation"]].sum(), rel=1e-12, abs=1e-15)


def test_the_net_between_part_is_bhattacharya_and_mahalanobis() -> None:
    """It equals the Gini coefficient of the data with each value replaced by its group's mean."""
    rng = np.random.default_rng(3)
    g = rng.choice([*"abcde"], 300)
    panel = regions(list(rng.lognormal(0, 0.8, 300) * (1 + (g == "a"))), list(g))
    row = dagum(panel, "x", groups="g").totals.iloc[0]
    means = panel.assign(x=lambda d: d.groupby("g")["x"].transform("mean"))
    assert row["between"] == pytest.approx(gini(means, "x").path["estimate"].iloc[0], rel=1e-10)
    assert row["gini"] == pytest.approx(gini(panel, "x").path["estimate"].iloc[0], rel=1e-10)
    own = {k: gini(panel.where(lambda d, k=k: d["g"] == k), "x").path["estimate"].iloc[0] for k in "abcde"}
    share = panel.frame.groupby("g")["x"].agg(["size", "sum"]) / [300, panel.frame["x"].sum()]
    within = sum(own[k] * share.loc[k].prod() for k in own)
    assert row["within"] == pytest.approx(within, rel=1e-10)
    pairs = dagum(panel, "x", groups="g").pairs
    assert pairs.query("group == other").set_index("group")["gini"].to_dict() == pytest.approx(own)


def test_pairs_and_matrices() -> None:
    panel = regions([1, 2, 3, 4, 10, 20], ["a", "a", "b", "b", "c", "c"])
    result = dagum(panel, "x", groups="g")
    assert result.pairs.columns.tolist() == ["period", "group", "other", "gini", "d", "contribution"]
    period = result.pairs["period"].iloc[0]
    coefficients, distance = result.matrix(period), result.matrix(period, "d")
    assert coefficients.loc["a", "b"] == coefficients.loc["b", "a"] == pytest.approx(2 / 5)
    assert coefficients.loc["a", "a"] == pytest.approx(0.5 / 3)
    assert (distance.to_numpy() == 1 - np.eye(3)).all()
    assert result.totals["transvariation"].iloc[0] == 0
    assert result.pairs["contribution"].sum() == pytest.approx(result.totals["gini"].iloc[0])
    with pytest.raises(OptionError, match="matrix"):
        result.matrix(1999)
    with pytest.raises(OptionError, match="'gini', 'd'"):
        result.matrix(period, "x")


def test_groups_that_do_not_differ_have_no_distance() -> None:
    result = dagum(regions([0, 0, 0, 0, 5, 7], ["a", "a", "b", "b", "c", "c"]), "x", groups="g")
    zeros = result.pairs.query("group in ['a', 'b'] and other in ['a', 'b']")
    assert (zeros[["gini", "d", "contribution"]] == 0).all(axis=None)
    equal = dagum(regions([3, 3, 3, 3], ["a", "a", "b", "b"]), "x", groups="g").totals.iloc[0]
    assert equal["gini"] == 0
    assert np.isnan(equal["within_share"])


def test_order_of_rows_and_scale_do_not_matter() -> None:
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"unit": np.repeat(np.arange(30), 5), "year": np.tile(np.arange(2000, 2005), 30)})
    frame = frame.assign(g=frame["unit"] % 3, x=rng.lognormal(size=150))
    first = dagum(Panel(frame, "unit", "year"), "x", groups="g")
    other = frame.assign(x=1e6 * frame["x"]).sample(frac=1, random_state=2)
    second = dagum(Panel(other, "unit", "year"), "x", groups="g")
    parts = ["gini", "within", "between", "transvariation"]
    np.testing.assert_allclose(first.totals[parts], second.totals[parts], rtol=1e-12)
    np.testing.assert_allclose(first.totals.filter(like="_share").sum(axis=1), 1)


def test_missing_units_are_left_out_of_their_period_and_counted() -> None:
    frame = pd.DataFrame({"unit": [*"abcdabcd"], "year": 4 * [2000] + 4 * [2001], "g": [*"uuvvuuvv"]})
    panel = Panel(frame.assign(x=[1.0, 2, 3, 4, 1, np.nan, 3, 5]), "unit", "year")
    result = dagum(panel, "x", groups="g")
    assert result.totals["n"].tolist() == [4, 3]
    assert result.totals["gini"].iloc[1] == pytest.approx(8 * 2 / (2 * 9 * 3))
    assert "2001: 1; of 4 units" in result.notes[-1]["en"]


def test_bad_input() -> None:
    with pytest.raises(DataError, match="zero or positive"):
        dagum(regions([1, -2, 3], ["a", "b", "b"]), "x", groups="g")
    with pytest.raises(DataError, match="weights 'w' must be positive"):
        dagum(regions([1, 2, 3], ["a", "b", "b"], [1, -1, 1]), "x", groups="g", weights="w")
    with pytest.raises(DataError, match="sums to zero"):
        dagum(regions([0, 0, 0], ["a", "b", "b"]), "x", groups="g")
    with pytest.raises(ModelError, match="one group only"):
        dagum(regions([1, 2, 3], ["b", "b", "b"]), "x", groups="g")
    with pytest.raises(DataError, match="not numeric"):
        dagum(regions([1, 2, 3], ["a", "b", "b"]), "g", groups="g")
    with pytest.raises(ModelError, match="fewer than 2 units"):
        dagum(regions([1], ["a"]), "x", groups="g")
