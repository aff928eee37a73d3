"""Who is in the sample, and why the others are not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econ.design.sample import (
    Sample,
    combine,
    drop_missing,
    drop_perfectly_fitted,
    drop_weightless,
    levels_present,
    require_rows,
)
from econ.errors import DataError, ModelError
from econ.linear.fit import BoolArray, IntArray

codes = st.integers(1, 40).flatmap(
    lambda n: st.lists(
        st.tuples(st.integers(0, 6), st.integers(0, 6), st.sampled_from([0.0, 0.0, 1.0, 2.0])), min_size=n, max_size=n
    )
)


def slow_singletons(effects: list[IntArray]) -> BoolArray:
    """One row at a time, until no level has a single row."""
    kept = np.ones(len(effects[0]), np.bool_)
    while True:
        alone = [i for i in np.flatnonzero(kept) if any(np.sum(kept & (e == e[i])) == 1 for e in effects)]
        if not alone:
            return kept
        kept[alone[0]] = False


def test_missing_rows_count_once() -> None:
    a, b = np.array([1.0, np.nan, np.nan, 4.0, 5.0]), np.array([0, -1, 0, -1, 0])
    sample = drop_missing(Sample.full(5), [("a", a), ("b", b)])
    assert sample.rows.tolist() == [True, False, False, False, True]
    assert sample.dropped == {"missing a": 2, "missing b": 1}
    assert sample.n_obs == 2 and not sample.is_full
    assert sample.take(a).tolist() == [1.0, 5.0]


def test_full_sample_copies_nothing() -> None:
    values = np.arange(4.0)
    sample = drop_missing(Sample.full(4), [("x", values)])
    assert sample.is_full and sample.take(values) is values


def test_weights() -> None:
    sample = drop_weightless(Sample.full(3), np.array([0.0, 1.0, 2.0]), "w")
    assert sample.rows.tolist() == [False, True, True] and sample.dropped == {"zero weight": 1}
    with pytest.raises(DataError, match="weights='w' has 1 negative values"):
        drop_weightless(Sample.full(2), np.array([1.0, -1.0]), "w")


def test_singletons_are_dropped_until_none_is_left() -> None:
    # row 0 is alone in f; without it row 1 is alone in g; without that one row 2 is alone in f
    f, g = np.array([0, 1, 1, 2, 2, 2, 2]), np.array([0, 0, 1, 1, 1, 2, 2])
    sample = drop_perfectly_fitted(Sample.full(7), {"f": f, "g": g})
    assert sample.rows.tolist() == [False, False, False, True, True, True, True]
    assert sample.dropped == {"singleton f": 2, "singleton g": 1}


@settings(max_examples=150, deadline=None)
@given(codes)
def test_singletons_equal_the_slow_way(rows: list[tuple[int, int, float]]) -> None:
    f, g = (np.array(column, dtype=np.intp) for column in list(zip(*rows, strict=True))[:2])
    sample = drop_perfectly_fitted(Sample.full(len(f)), {"f": f, "g": g})
    np.testing.assert_array_equal(sample.rows, slow_singletons([f, g]))
    assert sample.n_obs == sample.rows.sum()


@settings(max_examples=150, deadline=None)
@given(codes)
def test_no_level_is_zero_throughout(rows: list[tuple[int, int, float]]) -> None:
    f, g, y = (np.array(column) for column in zip(*rows, strict=True))
    sample = drop_perfectly_fitted(Sample.full(len(f)), {"f": f, "g": g}, y)
    for effect in (f, g):
        left, _ = levels_present(sample.take(effect))
        if len(left):
            assert (np.bincount(left) > 1).all() and (np.bincount(left, weights=sample.take(y)) > 0).all()


def test_empty_sample() -> None:
    sample = drop_missing(Sample.full(2), [("y", np.array([np.nan, np.nan]))])
    with pytest.raises(ModelError, match=r"No row is left to estimate on .missing y: 2."):
        require_rows(sample)


def test_levels_present() -> None:
    new, old = levels_present(np.array([5, 2, 2, 7]))
    assert new.tolist() == [1, 0, 0, 2] and old.tolist() == [2, 5, 7]


@given(st.lists(st.tuples(st.integers(-1, 3), st.integers(-1, 2_000_000)), min_size=1, max_size=20))
def test_combined_codes_tell_pairs_apart(pairs: list[tuple[int, int]]) -> None:
    found = combine(*(np.array(column, dtype=np.intp) for column in zip(*pairs, strict=True)))
    missing = [min(pair) < 0 for pair in pairs]
    assert ((found < 0) == missing).all()
    known = [pair for pair in pairs if min(pair) >= 0]
    assert len(set(found[found >= 0].tolist())) == len(set(known))
    assert len(set(zip(found[found >= 0].tolist(), known, strict=True))) == len(set(known))
