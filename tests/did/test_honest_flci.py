"""Optimal fixed-length intervals against direct search, and the path against its own first-order conditions."""

import numpy as np
import pytest
from scipy import stats

from econ.did.honest_flci import folded_quantile, smooth_path
from econ.linear.fit import FloatArray
from tests.did.event_estimates import random_moments
from tests.did.slow_honest import shortest_half


def covariances(n: int, seed: int) -> list[FloatArray]:
    """A random one, and two in which coordinates tie."""
    return [random_moments(seed, n, 0)[1], np.eye(n), np.eye(n) + 1]


@pytest.mark.parametrize(("P", "Q"), [(2, 1), (3, 2), (4, 3)])
def test_no_shorter_interval_is_found_by_search(P: int, Q: int) -> None:
    for V in covariances(P + Q, P):
        for target in (np.eye(Q)[0], np.linspace(0.5, -1, Q)):
            path = smooth_path(np.zeros(P + Q), V, P, target)
            for bound in (0.05, 0.3, 1.0):
                low, high = path.interval(bound, 0.95)
                assert (high - low) / 2 == pytest.approx(shortest_half(path, bound, 0.95), rel=1e-7)


@pytest.mark.parametrize("seed", range(5))
def test_the_path_satisfies_its_first_order_conditions(seed: int) -> None:
    P, Q = 6, 2
    for V in covariances(P + Q, seed):
        path = smooth_path(np.zeros(P + Q), V, P, np.array([0.5, 0.5]))
        G, g = path.turn.T @ V @ path.turn, path.turn.T @ V @ path.start
        for rho in np.concatenate([path.rho, (path.rho[1:] + path.rho[:-1]) / 2]):
            w = np.array([np.interp(rho, path.rho, values) for values in path.w.T])
            gradient, moved = G @ w + g, np.abs(w) > 1e-6
            assert np.abs(gradient).max() <= rho + 1e-7
            np.testing.assert_allclose(gradient[moved], -rho * np.sign(w[moved]), atol=1e-7)


def test_weights_do_not_respond_to_a_linear_trend_and_bias_is_what_it_says() -> None:
    P, Q, bound = 4, 3, 0.2
    _, V = random_moments(2, P, Q)
    path = smooth_path(np.zeros(P + Q), V, P, np.array([0.2, 0.3, 0.5]))
    v, _, bias = path.at(path._best(bound, 0.95))
    t = np.array([-4.0, -3, -2, -1, 1, 2, 3])
    assert v @ t == pytest.approx(0, abs=1e-12)
    rng = np.random.default_rng(0)
    worst = 0.0
    for k in rng.choice([-bound, bound], size=(4000, P + Q - 1)):
        delta = np.concatenate([[0.0, 0.0], np.cumsum(np.cumsum(k))])
        worst = max(worst, abs(v @ np.delete(delta - delta[P], P)))
    assert worst == pytest.approx(bound * bias, rel=1e-9)


def test_without_bends_it_is_the_best_linear_extrapolation() -> None:
    """M = 0: generalised least squares of the leads and the target's effect on a line through the reference period."""
    b, V = random_moments(4, 4, 2)
    low, high = smooth_path(b, V, 4, np.array([0.0, 1.0])).interval(0.0, 0.95)
    X = np.zeros((6, 3))
    X[:, 0] = [-4, -3, -2, -1, 1, 2]
    X[4:, 1:] = np.eye(2)
    bread = np.linalg.inv(X.T @ np.linalg.solve(V, X))
    effect = (bread @ X.T @ np.linalg.solve(V, b))[2]
    np.testing.assert_allclose([(low + high) / 2, (high - low) / 2], [effect, 1.959964 * bread[2, 2] ** 0.5], rtol=1e-6)


@pytest.mark.parametrize("t", [0.0, 0.3, 2.0, 50.0])
@pytest.mark.parametrize("level", [0.3, 0.95])
def test_folded_quantile(t: float, level: float) -> None:
    assert folded_quantile(t, level) == pytest.approx(np.sqrt(stats.ncx2.ppf(level, 1, t**2)), rel=1e-6)


@pytest.mark.slow
def test_coverage_at_the_largest_bias() -> None:
    P, Q, bound = 4, 2, 0.3
    _, V = random_moments(7, P, Q)
    delta = bound * np.array([8.0, 4.5, 2.0, 0.5, 0.5, 2.0])
    rng = np.random.default_rng(2)
    draws = rng.multivariate_normal(delta + np.r_[np.zeros(P), 0.4, 0.4], V, size=4000)
    inside = 0
    for b in draws:
        low, high = smooth_path(b, V, P, np.array([1.0, 0.0])).interval(bound, 0.95)
        inside += low <= 0.4 <= high
    assert inside / len(draws) > 0.95 - 3 * np.sqrt(0.95 * 0.05 / len(draws))
