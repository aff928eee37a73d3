"""Assignments and where a statistic stands among them, against lists made by hand and by brute force."""

from itertools import combinations, permutations
from math import comb, factorial

import numpy as np
import pytest

from econ.errors import DataError, ModelError, OptionError
from econ.inference.randomization import Assignments, as_extreme, assignments, is_tied, permutation_test
from econ.linear.fit import FloatArray, IntArray


def everything(ways: Assignments, size: int = 1024) -> IntArray:
    return np.concatenate(list(ways.blocks(size)))


# ---- p-values


def test_two_by_two_difference_in_differences_by_hand() -> None:
    """Six units, two treated, two periods: the change of the treated less that of the others, for all 15 pairs."""
    change = np.array([4.0, 3.0, 1.0, 0.0, 1.0, 0.0])
    treated = np.array([1, 1, 0, 0, 0, 0])
    ways = assignments(treated)
    D = everything(ways)
    effects = (D @ change) / 2 - ((1 - D) @ change) / 4
    observed = 3.5 - 0.5
    by_hand = []
    for pair in combinations(range(6), 2):
        others = [i for i in range(6) if i not in pair]
        by_hand.append(np.mean(change[list(pair)]) - np.mean(change[others]))
    np.testing.assert_allclose(np.sort(effects), np.sort(by_hand))
    found = permutation_test(observed, effects, exact=ways.exact)
    assert found.p_value == 1 / 15  # (4 + 3)/2 is the largest mean of two, and no pair is as far below
    assert found.n_ties == 1


def test_draws_count_the_observed_assignment_once_more() -> None:
    distribution = np.array([-3.0, 0.0, 1.0, 2.0])
    assert permutation_test(2.5, distribution, exact=False).p_value == 2 / 5
    assert permutation_test(2.5, distribution, exact=True).p_value == 1 / 4


@pytest.mark.parametrize(("side", "expected"), [("two_sided", 4 / 5), ("greater", 2 / 5), ("less", 4 / 5)])
def test_sides_count_ties(side: str, expected: float) -> None:
    distribution = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    assert permutation_test(1.0, distribution, exact=True, side=side).p_value == expected  # type: ignore[arg-type]


def test_rounding_makes_no_difference() -> None:
    distribution = np.array([0.1 + 0.2, 0.3, -0.3, 0.0])
    assert as_extreme(distribution, 0.3).tolist() == [True, True, True, False]
    assert is_tied(distribution, 0.3, "greater").tolist() == [True, True, False, False]


def test_a_missing_statistic_is_refused() -> None:
    with pytest.raises(ModelError, match="1 of 3 assignments have no statistic"):
        permutation_test(1.0, np.array([0.0, np.nan, 2.0]), exact=True)


def test_an_unknown_side_is_refused() -> None:
    with pytest.raises(OptionError, match="'two_sided', 'greater', 'less'"):
        permutation_test(1.0, np.zeros(3), exact=True, side="both")  # type: ignore[arg-type]


def test_p_values_are_uniform_under_the_null() -> None:
    """Over all assignments of six units as the observed one, each rank occurs once: the test is exact."""
    change = np.array([0.3, 1.9, -1.2, 0.8, 2.6, -0.45])
    effects = everything(assignments(np.array([0, 0, 0, 0, 1, 1]))) @ change
    p = [permutation_test(e, effects, exact=True, side="greater").p_value for e in effects]
    np.testing.assert_allclose(np.sort(p), np.arange(1, 16) / 15)


# ---- assignments


@pytest.mark.parametrize(
    "labels", [[0, 0, 1], [1, 1, 1, 0], [2005, 2007, 0, 0, 2005], [0, 1, 2, 3], [5, 5, 5, 7, 7, 9]]
)
def test_enumeration_has_every_order_of_the_labels_once(labels: list[int]) -> None:
    codes = np.unique(labels, return_inverse=True)[1]
    ways = assignments(np.array(labels))
    found = everything(ways)
    expected = sorted(set(permutations(codes.tolist())))
    assert ways.exact
    assert ways.size == ways.n_possible == len(expected) == len(found)
    assert sorted(map(tuple, found.tolist())) == expected


def test_strata_keep_their_labels() -> None:
    labels, strata = np.array([1, 0, 0, 1, 0, 0, 2]), np.array([0, 0, 0, 1, 1, 1, 1])
    ways = assignments(labels, strata)
    found = everything(ways)
    assert len(found) == ways.n_possible == 3 * 12
    assert len(np.unique(found, axis=0)) == 36
    np.testing.assert_array_equal(np.sort(found[:, :3], axis=1), np.tile([0, 0, 1], (36, 1)))
    np.testing.assert_array_equal(np.sort(found[:, 3:], axis=1), np.tile([0, 0, 1, 2], (36, 1)))


def test_draws_keep_the_labels_of_each_stratum() -> None:
    labels, strata = np.repeat([0, 1, 0, 1], [9, 6, 12, 3]), np.repeat([0, 1], 15)
    ways = assignments(labels, strata, draws=300)
    found = everything(ways)
    assert not ways.exact
    assert found.shape == (300, 30)
    assert (found[:, :15].sum(axis=1) == 6).all()
    assert (found[:, 15:].sum(axis=1) == 3).all()


def test_draws_treat_every_unit_equally_often() -> None:
    found = everything(assignments(np.repeat([0, 1, 2], [20, 5, 5]), draws=20_000))
    for label, share in ((1, 1 / 6), (2, 1 / 6)):
        np.testing.assert_allclose((found == label).mean(axis=0), share, atol=5 * np.sqrt(share / 20_000))


@pytest.mark.parametrize("draws", [7, 5000])
def test_assignments_do_not_depend_on_the_size_of_blocks(draws: int) -> None:
    ways = assignments(np.array([0, 0, 1, 1, 2, 0, 1, 0, 1]), np.array([0, 0, 0, 0, 0, 1, 1, 1, 1]), draws=draws)
    np.testing.assert_array_equal(everything(ways, 4), everything(ways))


def test_seeds_differ() -> None:
    labels = np.repeat([0, 1], 20)
    first, again, other = (everything(assignments(labels, draws=50, seed=seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_as_many_assignments_as_draws_are_enumerated() -> None:
    labels = np.array([1, 1, 0, 0, 0])
    assert assignments(labels, draws=10).exact
    assert not assignments(labels, draws=9).exact


def test_how_many_there_are() -> None:
    assert assignments(np.repeat([0, 1], [26, 5])).n_possible == comb(31, 5)
    three = assignments(np.repeat([0, 1, 2], [20, 6, 5])).n_possible
    assert three == pytest.approx(factorial(31) / (factorial(20) * factorial(6) * factorial(5)))
    assert assignments(np.repeat([0, 1], 50_000)).n_possible == np.inf


def test_one_way_only_is_refused() -> None:
    with pytest.raises(ModelError, match="one way only"):
        assignments(np.array([1, 1, 1]))
    with pytest.raises(ModelError, match="use fewer strata"):
        assignments(np.array([1, 1, 0]), np.array([0, 0, 1]))


def test_strata_of_another_length_are_refused() -> None:
    with pytest.raises(DataError, match="3 labels, but 2 strata"):
        assignments(np.array([1, 1, 0]), np.array([0, 0]))


def test_statistics_of_the_observed_assignment_are_in_the_enumeration() -> None:
    y: FloatArray = np.array([1.0, 2.0, 0.0, 5.0])
    D = everything(assignments(np.array([0, 1, 0, 1])))
    assert permutation_test(7.0, D @ y, exact=True).n_ties == 1
