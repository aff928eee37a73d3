"""Equivalence tests of the leads."""

import numpy as np
import pytest
from scipy import stats

from econ import OptionError
from econ.did import equivalence
from econ.did.equivalence import _distances
from tests.did.event_estimates import by_event_time, random_estimate, random_moments


def test_by_hand() -> None:
    V = np.array([[0.04, 0.01, 0.0], [0.01, 0.09, 0.0], [0.0, 0.0, 1.0]])
    found = equivalence(by_event_time([0.3, -0.1, 5.0], V, [-3, -2, 0], dof=12), threshold=0.8)
    t = stats.t.ppf(0.95, 12)
    smallest = found.tests.set_index("version")["smallest_threshold"]
    assert smallest["max"] == pytest.approx(max(0.3 + t * 0.2, 0.1 + t * 0.3))
    assert smallest["mean"] == pytest.approx(0.1 + t * np.sqrt(0.15) / 2)
    longest = np.linalg.eigvalsh(V[:2, :2])[-1]
    assert smallest["rms"] == pytest.approx((np.hypot(0.3, 0.1) + t * np.sqrt(longest)) / np.sqrt(2))
    assert found.tests["equivalent"].tolist() == (smallest <= 0.8).tolist()
    p = [stats.t.cdf((0.3 - 0.8) / 0.2, 12), stats.t.cdf((0.1 - 0.8) / 0.3, 12)]
    np.testing.assert_allclose(found.leads["p_value"], p)
    assert found.tests["p_value"][0] == pytest.approx(max(p))
    np.testing.assert_allclose(found.leads["ci_high"], [0.3 + t * 0.2, -0.1 + t * 0.3])


@pytest.mark.parametrize("version", ["max", "mean", "rms"])
def test_the_smallest_threshold_is_where_p_is_one_minus_the_level(version: str) -> None:
    estimate = random_estimate(1, 4, 2, dof=20)
    smallest = equivalence(estimate, level=0.9).tests.set_index("version")["smallest_threshold"][version]
    at = equivalence(estimate, threshold=float(smallest), level=0.9).tests.set_index("version")
    assert at.loc[version, "p_value"] == pytest.approx(0.1)


def test_one_lead_makes_all_versions_one() -> None:
    smallest = equivalence(random_estimate(2, 1, 1)).tests["smallest_threshold"]
    np.testing.assert_allclose(smallest, smallest[0])


def test_equivalence_needs_the_whole_interval_within_the_threshold() -> None:
    """A lead of zero that is known to nobody is no evidence."""
    found = equivalence(by_event_time([0.0, 1.0], np.eye(2), [-2, 0]), threshold=0.5)
    assert not found.tests["equivalent"].any()
    leads = equivalence(random_estimate(3, 3, 1), threshold=1.0).leads
    inside = (leads["ci_low"] > -1) & (leads["ci_high"] < 1)
    np.testing.assert_array_equal(inside, leads["p_value"] < 0.05)


def test_without_a_threshold_there_is_no_verdict() -> None:
    found = equivalence(random_estimate(3, 3, 1))
    assert list(found.tests) == ["version", "estimate", "smallest_threshold"]
    assert "no threshold given" in str(found)
    assert "Made by hand." in str(found)


def test_size_on_the_edge_of_the_null() -> None:
    """Each version rejects in at most 5 % of samples where its null holds just so (Monte Carlo error 0.003)."""
    _, V = random_moments(4, 3, 0)
    V = V / np.diag(V).max()
    rng = np.random.default_rng(0)
    for beta in (np.array([2.0, 2.0, 2.0]), np.array([2.0, 0.5, -0.3]), 3 * np.linalg.eigh(V)[1][:, -1]):
        edges = [np.abs(beta).max(), abs(beta.mean()), np.sqrt((beta**2).mean())]
        draws = rng.multivariate_normal(beta, V, size=5000)
        smallest = [[x.smallest.max() for x in _distances(b, V, np.inf, 0.95)] for b in draws]
        assert (np.array(smallest) <= edges).mean(axis=0).max() < 0.06


@pytest.mark.parametrize("threshold", [0, -1.0, np.inf, np.nan])
def test_bad_thresholds(threshold: float) -> None:
    with pytest.raises(OptionError, match="positive number in the outcome's unit"):
        equivalence(random_estimate(0, 2, 2), threshold=threshold)
