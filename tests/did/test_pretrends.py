"""Pre-trend tests, what they would miss, and the truncated normal behind it."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

import econ
from econ import ModelError, OptionError
from econ.did import pretrends
from econ.did.rectangle import rectangle_probability, rectangle_tilt
from econ.linear.fit import FloatArray
from tests.did.event_estimates import by_event_time, random_estimate, random_moments


def box(seed: int, d: int) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    mean, V = random_moments(seed, d, 0)
    s = np.sqrt(np.diag(V))
    return 0.5 * mean, V, -2 * s, 1.5 * s


# ---- the truncated normal


@pytest.mark.parametrize("d", [1, 2, 3, 6])
def test_probability_of_a_rectangle(d: int) -> None:
    mean, V, low, high = box(d, d)
    slow = stats.multivariate_normal(mean, V, abseps=1e-6, releps=1e-6, maxpts=10**6).cdf(high, lower_limit=low)
    assert rectangle_probability(mean, V, low, high) == pytest.approx(slow, abs=2e-5)


def test_independent_normals_multiply() -> None:
    low, high = np.array([-1.0, -2, 0, -1, 0.5]), np.array([1.0, 0, 3, 2, 4])
    expected = (stats.norm.cdf(high) - stats.norm.cdf(low)).prod()
    assert rectangle_probability(np.zeros(5), np.eye(5), low, high) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("d", [1, 2, 4])
def test_mean_within_a_rectangle(d: int) -> None:
    """Against draws, for the truncated variables and for another that is correlated with them."""
    mean, V = random_moments(d, d + 1, 0)
    s = np.sqrt(np.diag(V))[:d]
    draws = np.random.default_rng(0).multivariate_normal(mean, V, size=400_000)
    kept = draws[(np.abs(draws[:, :d]) <= 1.5 * s).all(axis=1)]
    q = rectangle_tilt(mean[:d], V[:d, :d], -1.5 * s, 1.5 * s)
    error = kept.std(axis=0) / np.sqrt(len(kept))
    assert (np.abs(mean + V[:, :d] @ q - kept.mean(axis=0)) < 4 * error).all()


def test_mean_within_an_interval() -> None:
    q = rectangle_tilt(np.array([0.3]), np.array([[4.0]]), np.array([-1.0]), np.array([2.0]))
    expected = stats.truncnorm.mean(-1.3 / 2, 1.7 / 2, loc=0.3, scale=2)
    assert 0.3 + 4 * q[0] == pytest.approx(expected, rel=1e-9)


# ---- the result


def test_joint_test_is_the_wald_test_of_the_leads() -> None:
    estimate = random_estimate(1, 3, 2, dof=20)
    found = pretrends(estimate)
    expected = estimate.wald(list(estimate.terms[:3]))
    assert found.joint == expected
    assert found.by_event_time is None
    b = estimate.coef[:3]
    assert found.joint is not None
    assert found.joint.statistic_chi2 == pytest.approx(b @ np.linalg.solve(estimate.vcov[:3, :3], b))
    assert found.leads["event_time"].tolist() == [-4, -3, -2]


def test_slope_has_its_power_and_passing_is_simulated() -> None:
    estimate = random_estimate(2, 3, 2, dof=25)
    found = pretrends(estimate, power=[0.5, 0.9])
    rng = np.random.default_rng(1)
    s = estimate.std_error
    t = np.array([-3.0, -2, -1, 1, 2])
    assert found.critical_value == pytest.approx(stats.t.ppf(0.975, 25))
    none = rng.multivariate_normal(np.zeros(5), estimate.vcov, size=200_000)
    size = (np.abs(none[:, :3]) > found.critical_value * s[:3]).any(axis=1).mean()
    assert found.size == pytest.approx(size, abs=0.004)
    for row in found.power.itertuples():
        draws = none + row.slope * t
        passed = (np.abs(draws[:, :3]) <= found.critical_value * s[:3]).all(axis=1)
        assert 1 - passed.mean() == pytest.approx(row.power, abs=0.005)
        assert row.bayes_factor == pytest.approx(passed.mean() / (1 - size), rel=0.03)
        rows = found.bias[found.bias["power"] == row.power]
        np.testing.assert_allclose(rows["trend"], row.slope * t)
        error = draws[passed].std(axis=0) / np.sqrt(passed.sum())
        assert (np.abs(rows["mean_if_passed"] - draws[passed].mean(axis=0)) < 5 * error).all()


def test_likelihood_ratios_are_ratios_of_densities() -> None:
    estimate = random_estimate(3, 3, 1)
    row = pretrends(estimate, power=[0.6]).power.iloc[0]
    b, V = estimate.coef[:3], estimate.vcov[:3, :3]
    trend = row["slope"] * np.array([-3.0, -2, -1])
    none = stats.multivariate_normal(np.zeros(3), V).pdf(b)
    assert row["likelihood_ratio_up"] == pytest.approx(stats.multivariate_normal(trend, V).pdf(b) / none)
    assert row["likelihood_ratio_down"] == pytest.approx(stats.multivariate_normal(-trend, V).pdf(b) / none)


def test_one_lead_by_hand() -> None:
    found = pretrends(by_event_time([0.1, 0.5], np.eye(2), [-2, 0]), power=[0.8])
    slope = found.power["slope"][0]
    power = stats.norm.cdf(slope - 1.959964) + stats.norm.cdf(-slope - 1.959964)
    assert power == pytest.approx(0.8, abs=1e-6)
    assert found.size == pytest.approx(0.05)
    assert found.passed


def test_units_of_measure_scale_the_slope() -> None:
    first = random_estimate(4, 3, 2)
    scaled = replace(first, coef=1000 * first.coef, vcov=1e6 * first.vcov)
    a, b = pretrends(first), pretrends(scaled)
    np.testing.assert_allclose(1000 * a.power["slope"], b.power["slope"], rtol=1e-9)
    np.testing.assert_allclose(1000 * a.bias["mean_if_passed"], b.bias["mean_if_passed"], rtol=1e-9)
    columns = ["bayes_factor", "likelihood_ratio_up", "likelihood_ratio_down"]
    np.testing.assert_allclose(a.power[columns], b.power[columns], rtol=1e-9)


def test_another_reference_period_is_the_origin_of_the_trend() -> None:
    found = pretrends(by_event_time([0.1, 0.2, 0.3], np.eye(3), [-2, -1, 0], reference=-3))
    slope = found.power["slope"][0]
    np.testing.assert_allclose(found.bias["trend"][:3], slope * np.array([1, 2, 3]))
    assert found.leads["event_time"].tolist() == [-2, -1]


def test_without_a_common_reference_there_is_no_power() -> None:
    found = pretrends(by_event_time([0.1, 0.2, 0.3], np.eye(3), [-2, -1, 0], reference=None))
    assert found.joint is not None
    assert found.power.empty
    assert found.bias.empty
    assert "no common reference" in found.notes[-1]["en"]
    assert "no common reference" in str(found)


def provinces(window: tuple[int, int]) -> econ.Panel:
    panel = econ.load("provinces").with_cohort(econ.roster("innovation_demonstration_zones"))
    return panel.where(lambda d: (d["province"] != "Tibet") & d["year"].between(*window))


def test_a_result_over_cells_is_tested_over_cells_first() -> None:
    panel = provinces((2007, 2013))
    result = econ.did.callaway_santanna(panel, "log(invention_grants)", cohort="cohort", base="universal")
    found = pretrends(result)
    terms = [term for term, e in zip(result.terms, result.effects.event_time, strict=False) if e < 0]
    assert found.joint == result.wald(terms)
    event = result.aggregate("event")
    assert found.by_event_time == event.wald([f"event_time::{e}" for e in found.leads["event_time"]])
    assert len(found.leads) < len(terms)


def test_more_cells_than_clusters_have_no_joint_test_but_a_reason() -> None:
    panel = provinces((2001, 2024))
    found = pretrends(econ.did.callaway_santanna(panel, "log(invention_grants)", cohort="cohort"))
    assert found.joint is None
    assert found.by_event_time is not None
    assert any("singular" in note["en"] and "奇异" in note["zh"] for note in found.notes)


def test_summary_says_it_all() -> None:
    words = pretrends(random_estimate(5, 2, 2, dof=30)).summary()
    for part in ("Event study, y", "F(2, 30)", "chi2(2)", "|t| > 2.042", "slope", "mean_if_passed, power 0.8"):
        assert part in words


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"power": [1.5]}, "shares between 0 and 1"),
        ({"power": []}, "shares between 0 and 1"),
        ({"power": [0.01]}, "under parallel trends already"),
        ({"level": 2}, "level=2"),
    ],
)
def test_bad_options(options: "dict[str, object]", words: str) -> None:
    with pytest.raises(OptionError, match=words):
        pretrends(random_estimate(0, 2, 2), **options)  # type: ignore[arg-type]


def test_leads_that_repeat_one_another_are_refused() -> None:
    V = np.eye(4)
    V[:2, :2] = 1
    with pytest.raises(ModelError, match="event times -3 to -2 is singular"):
        pretrends(by_event_time([1.0, 1.0, 2.0, 2.0], V, [-3, -2, 0, 1]))
