"""The C-LF test against one linear program at a time."""

import numpy as np
import pytest
from scipy import stats

from econ.did.bias_sets import relative_magnitudes, smoothness
from econ.did.honest_clf import POINTS, accepted, hybrid_test, upper_tail, vertices
from econ.did.points import normal_points
from tests.did.event_estimates import random_moments
from tests.did.slow_honest import accepts, largest_moment

RESTRICTIONS = [None, "increasing", "decreasing", "positive", "negative"]


@pytest.mark.parametrize("restriction", RESTRICTIONS)
@pytest.mark.parametrize("family", [relative_magnitudes, smoothness])
def test_accepts_what_linear_programs_accept(family: object, restriction: str) -> None:
    for seed, (P, Q, bound) in enumerate([(1, 1, 0.0), (2, 2, 0.5), (3, 3, 1.0), (3, 2, 2.0)]):
        b, V = random_moments(seed, P, Q)
        for target in (np.eye(Q)[0], np.linspace(-1, 2, Q)):
            bias = family(P, Q, bound, restriction)  # type: ignore[operator]
            rays = vertices(bias, target)
            assert rays is not None
            test = hybrid_test(b, V, bias, target, rays, 0.05)
            theta = b[P:] @ target + np.linspace(-5, 5, 11)
            critical = [test.least_favourable(c) for c in range(len(bias.A))]
            slow = [
                any(accepts(b, V, A, bias.d, target, t, c, 0.05) for A, c in zip(bias.A, critical, strict=True))
                for t in theta
            ]
            np.testing.assert_array_equal(test.accepts(theta), slow)


def test_least_favourable_values_are_quantiles_of_linear_programs() -> None:
    b, V = random_moments(3, 2, 3)
    target = np.array([1.0, 1.0, 1.0]) / 3
    bias = relative_magnitudes(2, 3, 1.0, "positive")
    rays = vertices(bias, target)
    assert rays is not None
    test = hybrid_test(b, V, bias, target, rays, 0.05)
    z = normal_points(5, POINTS) @ np.linalg.cholesky(V).T
    assert test.least_favourable(0) == pytest.approx(np.quantile((z @ test.W[0].T).max(axis=1), 0.995))
    for draw in z[:30]:
        eta, _ = largest_moment(bias.A[0] @ draw, V, bias.A[0], target)
        assert (test.W[0] @ draw).max() == pytest.approx(eta, abs=1e-8)


def test_upper_tail_of_the_truncated_normal() -> None:
    for low, high, x in ((-np.inf, np.inf, 1.7), (-1.0, 2.5, 0.3), (1.0, 4.0, 3.9), (30.0, 31.0, 30.01)):
        expected = stats.truncnorm.sf(x, low, high)
        assert upper_tail(np.array(x), np.array(low), np.array(high)) == pytest.approx(expected, rel=1e-6)
    assert upper_tail(np.array(3.0), np.array(-1.0), np.array(2.0)) == 0


def test_the_ends_are_where_acceptance_changes() -> None:
    b, V = random_moments(5, 3, 2)
    target = np.array([1.0, 0.0])
    bias = relative_magnitudes(3, 2, 1.0, None)
    rays = vertices(bias, target)
    assert rays is not None
    test = hybrid_test(b, V, bias, target, rays, 0.05)
    std_error = float(np.sqrt(V[3, 3]))
    found = accepted(test, float(b[3]), std_error)
    step = 1e-6 * std_error
    np.testing.assert_array_equal(
        test.accepts(np.array([found.low - step, found.low, found.high, found.high + step])), [False, True, True, False]
    )
    assert found.connected


def test_a_wide_set_is_found_beyond_the_first_scan() -> None:
    b, V = random_moments(6, 2, 2)
    b[:2] = [40.0, -30.0]
    target = np.array([0.0, 1.0])
    bias = relative_magnitudes(2, 2, 5.0, None)
    rays = vertices(bias, target)
    assert rays is not None
    found = accepted(hybrid_test(b, V, bias, target, rays, 0.05), float(b[3]), float(np.sqrt(V[3, 3])))
    assert found.high - found.low > 2 * 2 * 5 * 70 * 0.95  # twice two steps of five times the largest change


@pytest.mark.slow
@pytest.mark.parametrize(("family", "bound"), [(relative_magnitudes, 1.0), (smoothness, 0.3)])
def test_coverage_where_the_bound_holds(family: object, bound: float) -> None:
    """At least 95 %, within three Monte Carlo standard errors."""
    P, Q, draws = 4, 3, 2000
    _, V = random_moments(1, P, Q)
    delta = 0.3 * np.array([-3.0, -1.5, -1.0, -1.0, 1.0, 2.0, 3.0])  # rises by 0.3 a period after, by 0.45 before
    if family is smoothness:
        delta = bound * np.array([8.0, 4.5, 2.0, 0.5, 0.5, 2.0, 4.5])
    target, theta = np.eye(Q)[1], 0.7
    bias = family(P, Q, bound, None)  # type: ignore[operator]
    rays = vertices(bias, target)
    assert rays is not None
    rng = np.random.default_rng(1)
    mean = delta + np.r_[np.zeros(P), theta * np.ones(Q)]
    hits = 0
    for _ in range(draws):
        test = hybrid_test(rng.multivariate_normal(mean, V), V, bias, target, rays, 0.05)
        hits += int(test.accepts(np.array([theta]))[0])
    assert hits / draws > 0.95 - 3 * np.sqrt(0.95 * 0.05 / draws)
