"""Spatial weights: the shipped borders, pairs and matrices, in the order of a panel."""

from dataclasses import FrozenInstanceError

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import econ
from econ import DataError, Panel
from econ.spatial import Weights

PAIRS = pd.DataFrame({"a": ["A", "B", "C"], "b": ["B", "C", "D"], "strength": [1.0, 2.0, 3.0]})


def test_borders_of_the_provinces() -> None:
    panel = econ.load("provinces")
    w = Weights.from_borders(panel)
    assert w.units == tuple(panel.units)
    borders = econ.load_frame("borders")
    linked = pd.concat([borders["province_a"], borders["province_b"]]).value_counts()
    for unit in w.units:
        assert len(w.neighbours(unit)) == linked[unit]
    np.testing.assert_allclose(w.matrix.sum(axis=1), 1)
    np.testing.assert_array_equal(w.matrix > 0, (w.matrix > 0).T)
    assert w.neighbours("Hainan") == ["Guangdong"]
    assert "Hainan" in w.notes[0]["en"]
    assert "海南" in w.notes[0]["zh"]
    assert repr(w) == "Weights (borders) of 31 units, 4.5 neighbours on average"


def test_borders_know_every_spelling_and_keep_the_order() -> None:
    english = Weights.from_borders(["Shanghai", "Jiangsu", "Zhejiang"])
    for names in (["上海", "江苏", "浙江"], [31, 32, 33], ["上海市", "江苏省", "Zhejiang"]):
        other = Weights.from_borders(names)
        assert other.units == tuple(names)
        np.testing.assert_array_equal(other.matrix, english.matrix)
    assert english.notes == ()


def test_borders_refuse_what_they_do_not_know() -> None:
    with pytest.raises(DataError, match="Hainan without any neighbour"):
        Weights.from_borders(["Hainan", "Beijing", "Tianjin"])
    with pytest.raises(DataError, match="same province"):
        Weights.from_borders(["Beijing", "北京", "Tianjin"])
    with pytest.raises(DataError, match="Atlantis"):
        Weights.from_borders(["Atlantis", "Beijing"])


def test_pairs_count_in_both_directions() -> None:
    expected = np.array([[0, 1, 0, 0], [1 / 3, 0, 2 / 3, 0], [0, 2 / 5, 0, 3 / 5], [0, 0, 1, 0]])
    w = Weights.from_pairs(PAIRS, ["A", "B", "C", "D"], a="a", b="b", weight="strength")
    np.testing.assert_allclose(w.matrix, expected)
    both = pd.concat([PAIRS, PAIRS.rename(columns={"a": "b", "b": "a"})])
    again = Weights.from_pairs(both, ["D", "C", "B", "A"], a="a", b="b", weight="strength")
    np.testing.assert_allclose(again.matrix, expected[::-1, ::-1])
    np.testing.assert_allclose(
        Weights.from_pairs(PAIRS, ["A", "B", "C", "D"], a="a", b="b").matrix[1], [0.5, 0, 0.5, 0]
    )


def test_bad_pairs() -> None:
    with pytest.raises(DataError, match="unknown: D"):
        Weights.from_pairs(PAIRS, ["A", "B", "C"], a="a", b="b")
    with pytest.raises(DataError, match="E without any neighbour"):
        Weights.from_pairs(PAIRS, list("ABCDE"), a="a", b="b")
    twice = pd.concat([PAIRS, PAIRS.assign(strength=9.0)])
    with pytest.raises(DataError, match="different weights in 'strength'"):
        Weights.from_pairs(twice, list("ABCD"), a="a", b="b", weight="strength")
    with pytest.raises(DataError, match="on the diagonal"):
        Weights.from_pairs(PAIRS.assign(b=["B", "C", "C"]), list("ABC"), a="a", b="b")
    with pytest.raises(DataError, match="negative"):
        Weights.from_pairs(PAIRS.assign(strength=[1.0, -2.0, 3.0]), list("ABCD"), a="a", b="b", weight="strength")
    with pytest.raises(DataError, match="no column 'from'"):
        Weights.from_pairs(PAIRS, list("ABCD"), a="from", b="b")


@given(st.permutations(list("ABCD")), st.permutations(list("ABCD")))
def test_a_frame_is_aligned_by_name(rows: list[str], columns: list[str]) -> None:
    frame = Weights.from_pairs(PAIRS, list("ABCD"), a="a", b="b", weight="strength").frame
    panel = Panel(pd.DataFrame({"u": list("BADC"), "y": 1.0}), "u")
    w = Weights.from_matrix(frame.loc[rows, columns], panel)
    assert w.units == ("A", "B", "C", "D")
    pd.testing.assert_frame_equal(w.frame, frame)


def test_matrices() -> None:
    frame = Weights.from_pairs(PAIRS, list("ABCD"), a="a", b="b").frame
    np.testing.assert_array_equal(Weights.from_matrix(3 * frame).matrix, frame)
    np.testing.assert_array_equal(Weights.from_matrix(frame.to_numpy(), list("ABCD")).frame, frame)
    with pytest.raises(DataError, match="An array has no names"):
        Weights.from_matrix(frame.to_numpy())
    with pytest.raises(DataError, match="lack E"):
        Weights.from_matrix(frame, list("ABCDE"))
    with pytest.raises(DataError, match="not asked for: D"):
        Weights.from_matrix(frame, list("ABC"))
    with pytest.raises(DataError, match="not finite"):
        Weights.from_matrix(frame.replace(0.5, np.inf))
    with pytest.raises(DataError, match=r"shape \(2, 4\)"):
        Weights.from_matrix(frame.to_numpy()[:2], list("ABCD"))
    with pytest.raises(DataError, match="more than once"):
        Weights.from_matrix(frame.rename(index={"A": "B"}), list("ABCD"))
    with pytest.raises(DataError, match="more than once among the units"):
        Weights.from_matrix(frame, list("AABCD"))


def test_lag_subset_and_frozen() -> None:
    w = Weights.from_pairs(PAIRS, list("ABCD"), a="a", b="b")
    np.testing.assert_allclose(w.lag(np.array([1.0, 2.0, 3.0, 4.0])), [2, 2, 3, 3])
    assert w.lag(np.ones((4, 3))).shape == (4, 3)
    part = w.subset(["C", "B"])
    np.testing.assert_array_equal(part.matrix, [[0, 1], [1, 0]])
    with pytest.raises(DataError, match="lack E"):
        w.subset(["A", "E"])
    with pytest.raises(DataError, match="'E' is not among"):
        w.neighbours("E")
    with pytest.raises(DataError, match="at least two"):
        w.subset(["A"])
    with pytest.raises(ValueError, match="read-only"):
        w.matrix[0, 1] = 1.0
    with pytest.raises(FrozenInstanceError):
        w.kind = "other"  # type: ignore[misc]
