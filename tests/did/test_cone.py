"""Extreme rays against the enumeration of all supports."""

from itertools import combinations

import numpy as np
import pytest

from econ.did.bias_sets import relative_magnitudes, smoothness
from econ.did.cone import extreme_rays
from econ.did.honest_clf import vertices
from econ.linear.fit import FloatArray


def slow_rays(H: FloatArray) -> FloatArray:
    """All supports on which ``H'g = 0`` has one solution up to scale, where that is positive."""
    m, q = H.shape
    found = []
    for size in range(1, q + 2):
        for support in combinations(range(m), size):
            _, s, Vt = np.linalg.svd(H[list(support)].T)
            if (s > 1e-9).sum() == size - 1:
                g = Vt[-1] / Vt[-1].sum() if abs(Vt[-1].sum()) > 1e-9 else -np.ones(size)
                if (g > 1e-9).all():
                    ray = np.zeros(m)
                    ray[list(support)] = g
                    found.append(ray)
    return np.array(found).reshape(-1, m)


def in_order(rays: FloatArray) -> FloatArray:
    return rays[np.lexsort(np.round(rays, 8).T)]


@pytest.mark.parametrize("seed", range(20))
def test_random_cones(seed: int) -> None:
    rng = np.random.default_rng(seed)
    H = rng.integers(-2, 3, size=(7, rng.integers(1, 4))).astype(float)
    rays = extreme_rays(H, 1000)
    assert rays is not None
    np.testing.assert_allclose(in_order(rays), in_order(slow_rays(H)), atol=1e-9)


def test_no_equation_leaves_the_axes() -> None:
    np.testing.assert_array_equal(extreme_rays(np.zeros((3, 0)), 10), np.eye(3))


def test_a_cone_may_hold_nothing() -> None:
    rays = extreme_rays(np.ones((3, 1)), 10)
    assert rays is not None
    assert rays.shape == (0, 3)


def test_too_many_rays_are_given_up() -> None:
    assert extreme_rays(np.tile([1.0, -1.0], 10)[:, None], 50) is None
    assert extreme_rays(np.tile([1.0, -1.0], 10)[:, None], 100) is not None


@pytest.mark.parametrize("family", [relative_magnitudes, smoothness])
def test_without_a_restriction_there_are_few(family: object) -> None:
    """Pairs of opposite inequalities of one period, and the two directions of the target."""
    for Q in (1, 5, 20):
        rays = vertices(family(3, Q, 1.0, None), np.ones(Q))  # type: ignore[operator]
        assert rays is not None
        assert len(rays) == (Q + 2 if Q > 1 else 2)
