"""Composite indices against their definitions, written out slowly."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econ import DataError, ModelError, OptionError, Panel
from econ.disparity.composite import critic_weights, entropy_weights, equal_weights, pca_weights
from econ.disparity.indicators import Indicators
from econ.disparity.topsis import topsis
from econ.disparity.weighting import limit, rescale, shift

COLUMNS = ["a", "b", "c"]


def made(seed: int = 0, n: int = 8, years: int = 2) -> Panel:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        [(f"r{i}", 2010 + t, *rng.lognormal(size=3)) for t in range(years) for i in range(n)],
        columns=["region", "year", *COLUMNS],
    )
    return Panel(frame, "region", "year")


def test_entropy_by_hand() -> None:
    frame = pd.DataFrame({"region": list("wxyz"), "a": [0.0, 1, 2, 4], "b": [5.0, 5, 5, 6]})
    result = entropy_weights(Panel(frame, "region"), {"a": "positive", "b": "negative"}, zero="limit")
    divergence = []
    for z in ([0, 0.25, 0.5, 1], [1, 1, 1, 0]):
        p = [value / sum(z) for value in z]
        divergence.append(1 + sum(q * np.log(q) for q in p if q > 0) / np.log(4))
    w = np.array(divergence) / sum(divergence)
    np.testing.assert_allclose(result.weights["weight"], w)
    assert result.weights["direction"].tolist() == ["positive", "negative"]
    np.testing.assert_allclose(result.scores["score"], [w[1], 0.25 * w[0] + w[1], 0.5 * w[0] + w[1], w[0]])
    assert result.weights["period"].tolist() == ["all", "all"]


@pytest.mark.parametrize(("zero", "low", "high"), [(rescale(0.01, 0.99), 0.01, 0.99), (shift(0.1), 0.1, 1.1)])
def test_zero_rules(zero: object, low: float, high: float) -> None:
    panel = made()
    x = panel.frame[COLUMNS].to_numpy()
    z = low + (high - low) * (x - x.min(0)) / (x.max(0) - x.min(0))
    p = z / z.sum(0)
    d = 1 + (p * np.log(p)).sum(0) / np.log(len(x))
    result = entropy_weights(panel, COLUMNS, zero=zero)
    np.testing.assert_allclose(result.weights["weight"], d / d.sum())
    assert zero.words["en"] in result.notes[-1]["en"]
    assert zero.words["zh"] in result.notes[-1]["zh"]


def test_words_stand_for_rules() -> None:
    for word, rule in (("limit", limit()), ("rescale", rescale()), ("shift", shift())):
        a, b = (entropy_weights(made(), COLUMNS, zero=zero).weights for zero in (word, rule))
        pd.testing.assert_frame_equal(a, b)


def test_by_period_is_each_period_alone() -> None:
    panel = made()
    whole = entropy_weights(panel, COLUMNS, scaling="period")
    assert whole.weights["period"].unique().tolist() == [2010, 2011]
    for year in (2010, 2011):
        alone = entropy_weights(panel.where(lambda d, y=year: d["year"] == y), COLUMNS)
        part = whole.weights[whole.weights["period"] == year]
        np.testing.assert_allclose(part["weight"], alone.weights["weight"])
        scores = whole.scores[whole.scores["period"] == year]
        np.testing.assert_allclose(scores["score"], alone.scores["score"])


def test_critic_and_pca() -> None:
    panel = made()
    x = panel.frame[COLUMNS].to_numpy()
    z = (x - x.min(0)) / (x.max(0) - x.min(0))
    r = np.corrcoef(z.T)
    c = [z[:, j].std(ddof=1) * sum(1 - r[j, k] for k in range(3)) for j in range(3)]
    np.testing.assert_allclose(critic_weights(panel, COLUMNS).weights["weight"], np.array(c) / sum(c))
    values, vectors = np.linalg.eigh(r)
    w = sum(value * vectors[:, k] ** 2 for k, value in enumerate(values) if value >= 1)
    np.testing.assert_allclose(pca_weights(panel, COLUMNS).weights["weight"], w / w.sum())
    np.testing.assert_allclose(equal_weights(panel, COLUMNS).weights["weight"], 1 / 3)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([0.001, 7.0, 1e6]), st.permutations(range(16)))
def test_units_of_measure_and_row_order_do_not_matter(seed: int, factor: float, order: list[int]) -> None:
    panel = made(seed)
    other = Panel(panel.frame.iloc[order].assign(b=lambda d: factor * d["b"]), "region", "year")
    for rule in (entropy_weights, critic_weights, pca_weights, topsis):
        first, second = rule(panel, COLUMNS), rule(other, COLUMNS)
        np.testing.assert_allclose(second.weights["weight"], first.weights["weight"], rtol=1e-8)
        merged = first.scores.merge(second.scores, on=["region", "period"], validate="one_to_one")
        np.testing.assert_allclose(merged["score_x"], merged["score_y"], rtol=1e-8)
        assert first.scores["score"].between(0, 1).all()
        assert first.weights["weight"].sum() == pytest.approx(1)


def test_a_negative_indicator_is_its_mirror_image() -> None:
    panel = made().assign(mirror=lambda d: 100 - d["c"])
    straight = entropy_weights(panel, COLUMNS)
    directions: Indicators = {"a": "positive", "b": "positive", "mirror": "negative"}
    mirrored = entropy_weights(panel, directions)
    np.testing.assert_allclose(straight.scores["score"], mirrored.scores["score"])


def test_missing_rows_are_left_out_with_a_note() -> None:
    panel = made().assign(a=lambda d: d["a"].where(d["region"] != "r5"))
    result = entropy_weights(panel, COLUMNS)
    assert len(result.scores) == 14
    assert result.notes[0]["en"] == "2 rows left out, which lack an indicator (r5)."
    assert "r5" in result.notes[0]["zh"]


def test_bad_input() -> None:
    panel = made()
    with pytest.raises(DataError, match="Constant indicators: b"):
        entropy_weights(panel.assign(b=0.0), COLUMNS)
    with pytest.raises(DataError, match="Constant indicators in 2011: c"):
        topsis(panel.assign(c=lambda d: d["c"].where(d["year"] == 2010, 1.0)), COLUMNS, scaling="period")
    with pytest.raises(OptionError, match="direction of 'a'='up' is not allowed"):
        entropy_weights(panel, {"a": "up"})
    with pytest.raises(OptionError, match="weights >= 0"):
        topsis(panel, COLUMNS, weights={"a": 1, "b": -1, "c": 1})
    with pytest.raises(OptionError, match="not all zero"):
        topsis(panel, COLUMNS, weights={"a": 0, "b": 0, "c": 0})
    with pytest.raises(OptionError, match="one for each of a, b, c"):
        topsis(panel, COLUMNS, weights={"a": 1})
    with pytest.raises(OptionError, match="given twice: a"):
        entropy_weights(panel, ["a", "a"])
    with pytest.raises(OptionError, match="list of indicators"):
        entropy_weights(panel, [])
    with pytest.raises(DataError, match="No row has all of"):
        entropy_weights(panel.assign(a=np.nan), COLUMNS)
    with pytest.raises(ModelError, match="at least 3"):
        entropy_weights(panel.where(lambda d: d["region"] == "r1"), COLUMNS)
    with pytest.raises(ModelError, match="copies of each other"):
        critic_weights(panel.assign(b=lambda d: d["a"]), ["a", "b"])
    with pytest.raises(OptionError, match="zero='none'"):
        entropy_weights(panel, COLUMNS, zero="none")
    with pytest.raises(OptionError, match="rescale"):
        rescale(0.0, 1.0)
    with pytest.raises(OptionError, match="shift"):
        shift(0.0)
