"""The weights of the wild cluster bootstrap: their laws, and what they do not depend on."""

import numpy as np
import pytest

from econ.errors import OptionError
from econ.inference import wild as module
from econ.inference.wild import Wild, weighted_sums, wild
from econ.linear.fit import FloatArray


def weights(method: Wild, n_clusters: int) -> FloatArray:
    """(draws, G): sums against the identity are the weights themselves."""
    eye = np.eye(n_clusters)
    return np.concatenate([linear for linear, _ in weighted_sums(method, eye, eye)])


@pytest.fixture
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve clusters already share signs: four draws at a time, in five segments."""
    for name, value in {"MANY_CLUSTERS": 12, "SHARING": 4, "SEGMENTS": 5}.items():
        monkeypatch.setattr(module, name, value)


def test_few_clusters_are_enumerated_and_start_with_the_sample() -> None:
    V = weights(wild(99), 6)
    assert wild(99).enumerates(6)
    assert not wild(99).enumerates(7)
    assert len(np.unique(V, axis=0)) == len(V) == 64
    np.testing.assert_array_equal(V[0], np.ones(6))


@pytest.mark.parametrize("name", ["rademacher", "webb", "mammen"])
def test_moments(name: str) -> None:
    V = weights(wild(20_000, weights=name), 20)  # type: ignore[arg-type]
    skewness = 1.0 if name == "mammen" else 0.0
    for power, expected in ((1, 0.0), (2, 1.0), (3, skewness)):
        assert np.mean(V**power) == pytest.approx(expected, abs=6 * np.std(V**power) / np.sqrt(V.size) + 1e-12)


def test_webb_has_six_points() -> None:
    points, counts = np.unique(weights(wild(999, weights="webb"), 30), return_counts=True)
    np.testing.assert_allclose(points**2, [1.5, 1.0, 0.5, 0.5, 1.0, 1.5])
    assert counts.min() > 0.9 * counts.mean()


def test_mammen_has_two_points() -> None:
    points = np.unique(weights(wild(999, weights="mammen"), 30))
    np.testing.assert_allclose(points, [(1 - np.sqrt(5)) / 2, (1 + np.sqrt(5)) / 2])


@pytest.mark.parametrize("name", ["rademacher", "webb", "mammen"])
def test_draws_do_not_depend_on_the_size_of_blocks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    method = wild(150, weights=name, seed=3)  # type: ignore[arg-type]
    whole = weights(method, 70)
    monkeypatch.setattr(module, "_CELLS", 500)
    np.testing.assert_array_equal(weights(method, 70), whole)


@pytest.mark.usefixtures("few_are_many")
def test_draws_that_share_signs_do_not_depend_on_the_size_of_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = weights(wild(150), 13)
    monkeypatch.setattr(module, "_PATTERNS", 5)
    np.testing.assert_array_equal(weights(wild(150), 13), whole)


@pytest.mark.usefixtures("few_are_many")
def test_draws_share_signs_within_segments_only() -> None:
    V = weights(wild(2_000), 13)
    assert wild(2_000).shares(13)
    np.testing.assert_array_equal(np.abs(V), 1.0)
    product = V[0] * V[3]  # of one pattern: constant within each segment, clusters 5 apart
    np.testing.assert_array_equal(product[:8], product[5:])
    other = V[0] * V[4]
    assert not np.array_equal(other[:8], other[5:])


@pytest.mark.usefixtures("few_are_many")
def test_draws_that_share_signs_are_rademacher_and_uncorrelated() -> None:
    V = weights(wild(40_000), 12)
    np.testing.assert_allclose(V.T @ V / len(V), np.eye(12), atol=5 / np.sqrt(len(V) / 4))
    np.testing.assert_allclose(V.mean(axis=0), 0.0, atol=5 / np.sqrt(len(V)))
    codes = ((V > 0) @ 2 ** np.arange(12)).astype(int)
    assert len(np.unique(codes)) == 2**12
    pairs = np.einsum("bg,bg->b", V[0::4], V[1::4]) / 12
    assert abs(pairs.mean()) < 5 * pairs.std() / np.sqrt(len(pairs))


@pytest.mark.slow
def test_sharing_signs_hardly_adds_to_the_monte_carlo_error() -> None:
    """The variance over 400 seeds of a two-sided tail probability, beside that of 999 independent draws."""
    a = np.random.default_rng(0).normal(size=(10_000, 1))
    cut, p = 1.96 * np.sqrt(a.T @ a).item(), []
    for seed in range(400):
        sums = np.concatenate([linear for linear, _ in weighted_sums(wild(999, seed=seed), a, a)])
        p.append(np.mean(np.abs(sums) > cut))
    independent = np.mean(p) * (1 - np.mean(p)) / 999
    assert np.var(p) / independent == pytest.approx(1.017, abs=3 * np.sqrt(2 / 400))


def test_seeds_differ() -> None:
    assert not np.array_equal(weights(wild(99, seed=1), 40), weights(wild(99, seed=2), 40))


def test_squared_weights_are_summed_too() -> None:
    S = np.random.default_rng(1).normal(size=(9, 2))
    for name in ("rademacher", "webb", "mammen"):
        method = wild(99, weights=name)  # type: ignore[arg-type]
        V = weights(method, 9)
        squares = np.concatenate([squared for _, squared in weighted_sums(method, np.eye(9), S)])
        np.testing.assert_allclose(squares, V**2 @ S, atol=1e-13)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"draws": 50}, "99 or more"),
        ({"draws": 999.5}, "whole number"),
        ({"kind": "wcr"}, "'restricted', 'unrestricted'"),
        ({"weights": "web"}, "Did you mean 'webb'"),
        ({"seed": -1}, "0 or more"),
    ],
)
def test_refuses(options: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        wild(**options)  # type: ignore[arg-type]


def test_words() -> None:
    assert "all 64 sign vectors" in wild().words("province", 6)["en"]
    assert "9,999 draws (seed 1)" in wild().words("province", 31)["en"]
    assert wild(kind="unrestricted").words("province", 31)["zh"].startswith("按 province 聚类（31 个聚类）的非受限")
    assert str(wild(999)) == "restricted wild cluster bootstrap, rademacher weights, 999 draws"
