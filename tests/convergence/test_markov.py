"""Markov chains of classes against counting by hand, simulation, and their own identities."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from econ import DataError, ModelError, OptionError, Panel
from econ.convergence import chain
from econ.convergence.grid import classify, quantile_cutoffs
from econ.convergence.markov import markov
from econ.linear.fit import FloatArray

P = np.array([[0.8, 0.2, 0.0], [0.1, 0.7, 0.2], [0.0, 0.3, 0.7]])


def wandering(seed: int = 0, n: int = 20, periods: int = 12) -> Panel:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, periods)).cumsum(axis=1)
    rows = [(f"r{i:02d}", 2000 + t, x[i, t]) for i in range(n) for t in range(periods)]
    return Panel(pd.DataFrame(rows, columns=["region", "year", "x"]), "region", "year")


def by_hand(frame: pd.DataFrame, k: int, steps: dict[int, int]) -> FloatArray:
    """Counts with each year's quantiles, one unit and one year at a time."""
    counts = np.zeros((k, k))
    known = frame.dropna(subset=["x"])
    limits = {year: np.quantile(part["x"], np.arange(1, k) / k) for year, part in known.groupby("year")}
    for _, part in known.groupby("region"):
        values = dict(zip(part["year"], part["x"], strict=True))
        for now, then in steps.items():
            if now in values and then in values:
                counts[sum(values[now] > limits[now]), sum(values[then] > limits[then])] += 1
    return counts


def test_counts_by_hand() -> None:
    panel = wandering()
    result = markov(panel, "x", classes=4)
    np.testing.assert_array_equal(result.counts, by_hand(panel.frame, 4, {y: y + 1 for y in range(2000, 2011)}))
    assert result.counts.to_numpy().sum() == 20 * 11
    np.testing.assert_allclose(result.transitions.sum(axis=1), 1)
    p, n = result.transitions.loc[2, 3], result.counts.loc[2].sum()
    assert result.std_errors.loc[2, 3] == pytest.approx(np.sqrt(p * (1 - p) / n))
    assert result.cutoffs["period"].tolist() == list(range(2000, 2012))


@pytest.mark.parametrize("k", [2, 5, 300])
def test_classes_of_each_period_by_bisection(k: int) -> None:
    rng = np.random.default_rng(k)
    values = rng.normal(size=(40, 3)).round(1)  # with values that are limits
    values[rng.random(values.shape) < 0.1] = np.nan
    cutoffs = np.sort(rng.normal(size=(3, k - 1)), axis=1).round(1)
    expected = [np.where(np.isnan(x), -1, np.searchsorted(c, x)) for x, c in zip(values.T, cutoffs, strict=True)]
    np.testing.assert_array_equal(classify(values, cutoffs), np.transpose(expected))


def test_gaps_and_missing_values() -> None:
    """A step leads from one known period to the next; a unit that lacks either value makes no move."""
    panel = wandering().where(lambda d: (d["year"] != 2005) & ~((d["region"] == "r03") & (d["year"] == 2008)))
    panel = panel.assign(x=lambda d: d["x"].where((d["region"] != "r07") | (d["year"] != 2002)))
    result = markov(panel, "x", classes=3)
    years = [year for year in range(2000, 2012) if year != 2005]
    np.testing.assert_array_equal(result.counts, by_hand(panel.frame, 3, dict(pairwise(years))))
    assert any("not evenly spaced (gaps of 1, 2)" in note["en"] for note in result.notes)


def test_pooled_quantiles_and_cutoffs() -> None:
    panel = wandering()
    limits = np.quantile(panel.values("x"), [0.25, 0.5, 0.75])
    pd.testing.assert_frame_equal(markov(panel, "x", classes=np.int64(4)).counts, markov(panel, "x", classes=4).counts)
    pooled = markov(panel, "x", classes=4, quantiles="pooled")
    given_limits = markov(panel, "x", classes=limits.tolist())
    np.testing.assert_array_equal(pooled.counts, given_limits.counts)
    np.testing.assert_allclose(pooled.cutoffs[[1, 2, 3]].to_numpy(), limits[None])
    assert pooled.cutoffs["period"].tolist() == ["all"]
    assert (pooled.spec["rule"], given_limits.spec["rule"]) == ("pooled", "cutoffs")


def test_a_value_on_a_limit_belongs_to_the_lower_class() -> None:
    frame = pd.DataFrame({"region": ["a", "a", "b", "b"], "year": [1, 2, 1, 2], "x": [1.0, 2.0, 2.0, 1.0]})
    counts = markov(Panel(frame, "region", "year"), "x", classes=[1.0]).counts
    np.testing.assert_array_equal(counts, [[0, 1], [1, 0]])


@given(st.integers(2, 7), st.lists(st.integers(-20, 20), min_size=1, max_size=40), st.integers(0, 5))
def test_quantiles_are_numpys(k: int, values: list[int], missing: int) -> None:
    row = np.array([*values, *([np.nan] * missing)], dtype=float)
    expected = np.quantile(np.array(values, dtype=float), np.arange(1, k) / k)
    np.testing.assert_allclose(quantile_cutoffs(row[None], k)[0], expected, atol=1e-9)


def test_missing_values_differ_by_row() -> None:
    rows = np.array([[3.0, np.nan, 1.0, 2.0], [5.0, 7.0, 6.0, 9.0]])
    np.testing.assert_allclose(quantile_cutoffs(rows, 2), [[2.0], [6.5]])


# ---- what follows from a matrix


def test_ergodic_distribution_passages_and_sojourn_by_simulation() -> None:
    rng = np.random.default_rng(1)
    steps, state = 200_000, 0
    draws = rng.random(steps)
    cumulative = P.cumsum(axis=1)
    visited = np.empty(steps, dtype=np.intp)
    for s in range(steps):
        visited[s] = state
        state = int((draws[s] > cumulative[state]).sum())
    shares = np.bincount(visited) / steps
    np.testing.assert_allclose(chain.ergodic(P), shares, atol=0.01)
    np.testing.assert_allclose(chain.ergodic(P) @ P, chain.ergodic(P))
    passage = chain.first_passage(P)
    np.testing.assert_allclose(np.diag(passage), 1 / chain.ergodic(P))
    hits = np.flatnonzero(visited == 2)
    ahead = np.searchsorted(hits, np.flatnonzero(visited == 0))
    waits = [hits[a] - s for a, s in zip(ahead, np.flatnonzero(visited == 0), strict=True) if a < len(hits)]
    assert passage[0, 2] == pytest.approx(np.mean(waits), rel=0.05)
    # one step, then the rest: m_ij = 1 + sum_{l != j} p_il m_lj
    onward = P @ (passage - np.diag(np.diag(passage)))
    np.testing.assert_allclose(passage, 1 + onward)


def test_reducible_chains() -> None:
    absorbing = np.array([[0.5, 0.5, 0.0], [0.2, 0.3, 0.5], [0.0, 0.0, 1.0]])
    assert [c.tolist() for c in chain.closed_classes(absorbing)] == [[2]]
    np.testing.assert_allclose(chain.ergodic(absorbing), [0, 0, 1], atol=1e-12)
    passage = chain.first_passage(absorbing)
    assert passage[2, 2] == 1
    assert np.isinf(passage[:, 0]).all()
    assert passage[0, 2] == pytest.approx(1 / 0.5 + passage[1, 2])
    blocks = np.array([[0.5, 0.5, 0, 0], [0.5, 0.5, 0, 0], [0, 0, 0.4, 0.6], [0, 0, 0.6, 0.4]])
    assert [sorted(c.tolist()) for c in chain.closed_classes(blocks)] in ([[0, 1], [2, 3]], [[2, 3], [0, 1]])
    assert np.isinf(chain.first_passage(blocks)[0, 2])
    assert chain.first_passage(blocks)[0, 0] == pytest.approx(2)


def test_two_sets_that_never_meet_are_a_note() -> None:
    rng = np.random.default_rng(0)
    rows = [(f"{s}{i}", t, 10 * (s == "b") + rng.random()) for s in "ab" for i in range(8) for t in range(15)]
    result = markov(Panel(pd.DataFrame(rows, columns=["region", "year", "x"]), "region", "year"), "x", classes=4)
    assert result.steady_state.isna().all()
    assert result.mobility.set_index("index")["estimate"].isna().tolist() == [False, False, False, True]
    assert any("{1, 2}" in note["en"] and "{3, 4}" in note["zh"] for note in result.notes)
    assert np.isfinite(result.sojourn).all()


def test_mobility_indices_of_known_matrices() -> None:
    still, even = np.eye(4), np.full((4, 4), 0.25)
    np.testing.assert_allclose(chain.mobility(still, unique=False)[:3], 0)
    np.testing.assert_allclose(chain.mobility(even)[:3], 1)
    # E|i - j| of two independent uniform classes 1, ..., k is (k^2 - 1) / (3 k)
    assert chain.mobility(even)[3] == pytest.approx(15 / 12 / 3)
    found = chain.mobility(P)
    assert found[0] == pytest.approx((3 - 2.2) / 2)
    assert found[1] == pytest.approx(1 - np.linalg.det(P))


def test_standard_errors_of_mobility_by_simulation() -> None:
    rng = np.random.default_rng(3)
    totals = np.array([300, 400, 250])
    counts = np.stack([rng.multinomial(n, row, size=3000) for n, row in zip(totals, P, strict=True)], axis=1)
    spread = chain.mobility(chain.transition_matrix(counts)).std(axis=0, ddof=1)
    np.testing.assert_allclose(chain.mobility_errors(P, totals), spread, rtol=0.05)
    exact = np.sqrt((np.diag(P) * (1 - np.diag(P)) / totals).sum()) / 2  # linear in p
    assert chain.mobility_errors(P, totals)[0] == pytest.approx(exact, rel=1e-6)


# ---- homogeneity


def test_homogeneity_is_the_contingency_test_row_by_row() -> None:
    rng = np.random.default_rng(0)
    counts = rng.poisson(20, size=(3, 4, 4))
    found = chain.homogeneity(counts)
    rows = [stats.chi2_contingency(counts[:, i], correction=False) for i in range(4)]
    ratios = [stats.chi2_contingency(counts[:, i], correction=False, lambda_="log-likelihood") for i in range(4)]
    assert found.chi_squared == pytest.approx(sum(row.statistic for row in rows))
    assert found.likelihood_ratio == pytest.approx(sum(row.statistic for row in ratios))
    assert found.dof == sum(row.dof for row in rows)


@settings(max_examples=50)
@given(st.lists(st.integers(0, 4), min_size=18, max_size=18))
def test_homogeneity_leaves_empty_cells_out(cells: list[int]) -> None:
    counts = np.array(cells).reshape(2, 3, 3)
    ratio = squares = dof = 0.0
    for i in range(3):
        kept = counts[:, i][counts[:, i].sum(axis=1) > 0]
        kept = kept[:, kept.sum(axis=0) > 0]
        if min(kept.shape) > 1:
            test = stats.chi2_contingency(kept, correction=False)
            squares, dof = squares + test.statistic, dof + test.dof
            ratio += stats.chi2_contingency(kept, correction=False, lambda_="log-likelihood").statistic
    found = chain.homogeneity(counts)
    np.testing.assert_allclose([found.likelihood_ratio, found.chi_squared, found.dof], [ratio, squares, dof], atol=1e-9)


def test_homogeneity_over_time_by_subperiod() -> None:
    panel = wandering()
    result = markov(panel, "x", classes=3, subperiods=3)
    parts = []
    for first, last in ((2000, 2004), (2004, 2008), (2008, 2011)):  # 4, 4 and 3 steps
        parts.append(by_hand(panel.frame, 3, {y: y + 1 for y in range(first, last)}))
    np.testing.assert_array_equal(result.spans, parts)
    assert result.test["statistic"][0] == pytest.approx(float(chain.homogeneity(np.array(parts, int)).likelihood_ratio))


def test_size_of_homogeneity_for_true_chains() -> None:
    """Independent chains with one matrix: about 5 % of samples are rejected."""
    rng = np.random.default_rng(0)
    cumulative, rejected = P.cumsum(axis=1), 0
    for _ in range(400):
        codes = np.empty((100, 21), dtype=np.intp)
        codes[:, 0] = rng.choice(3, size=100, p=chain.ergodic(P))
        for t in range(20):
            codes[:, t + 1] = (rng.random(100)[:, None] > cumulative[codes[:, t]]).sum(axis=1)
        spans = chain.count_transitions(codes, 3, np.arange(20) // 10, 2)
        found = chain.homogeneity(spans)
        rejected += stats.chi2.sf(found.likelihood_ratio, found.dof) < 0.05
    assert 0.02 < rejected / 400 < 0.09


# ---- invariances and input


def test_row_order_and_monotone_transformations_do_not_matter() -> None:
    panel = wandering()
    counts = markov(panel, "x").counts
    shuffled = Panel(panel.frame.sample(frac=1, random_state=1), "region", "year")
    pd.testing.assert_frame_equal(markov(shuffled, "x").counts, counts)
    # positions of these quantiles are no observations, so interpolation does not move anybody
    pd.testing.assert_frame_equal(markov(panel.assign(x=lambda d: 3 * d["x"] + 5), "x").counts, counts)


def test_drift_is_a_note_with_fixed_limits_only() -> None:
    panel = wandering().assign(x=lambda d: d["x"] + 5 * (d["year"] - 2000))
    words = "is between periods"
    assert any(words in note["en"] for note in markov(panel, "x", quantiles="pooled").notes)
    assert not any(words in note["en"] for note in markov(panel, "x").notes)
    assert not any(words in note["en"] for note in markov(wandering(), "x", quantiles="pooled").notes)


def test_cells_are_whole_numbers_by_class() -> None:
    result = markov(wandering(), "x")
    assert result.counts.index.tolist() == result.counts.columns.tolist() == [1, 2, 3, 4, 5]
    assert Counter(str(dtype) for dtype in result.counts.dtypes) == {"int64": 5}


def test_bad_input() -> None:
    panel = wandering()
    with pytest.raises(OptionError, match="classes=1: dynamics between classes need at least 2"):
        markov(panel, "x", classes=1)
    for wrong in ([2.0, 1.0], [], [1.0, np.nan], "five", True):
        with pytest.raises(OptionError, match="increasing finite cut-offs"):
            markov(panel, "x", classes=wrong)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="Did you mean 'pooled'"):
        markov(panel, "x", quantiles="poole")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="subperiods=12 is not allowed; give 2 to 11"):
        markov(panel, "x", subperiods=12)
    with pytest.raises(ModelError, match=r"Class 2 of 'x', \(100, 200\], holds no unit\."):
        markov(panel, "x", classes=[100.0, 200.0])
    with pytest.raises(ModelError, match="holds no unit in 2003"):
        markov(panel.assign(x=lambda d: d["x"].where(d["year"] != 2003, 1.0)), "x")
    with pytest.raises(ModelError, match="holds no unit"):
        markov(panel.assign(x=1.0), "x", quantiles="pooled")
    with pytest.raises(ModelError, match="known in 1 period"):
        markov(panel.where(lambda d: d["year"] == 2000), "x")
    late = pd.DataFrame({"region": ["a", "a", "b", "b"], "year": [1, 2, 1, 2], "x": [1.0, 1.0, 1.0, 9.0]})
    with pytest.raises(ModelError, match="in class 2 with a value in the next period"):
        markov(Panel(late, "region", "year"), "x", classes=[5.0])
    with pytest.raises(DataError, match="cross-section"):
        markov(Panel(late.query("year == 1"), "region"), "x")
    with pytest.raises(DataError, match="infinite"):
        panel.assign(x=lambda d: d["x"] / 0)
