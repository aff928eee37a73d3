"""Coupling and coordination degree against formulas written out."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from econ import OptionError, Panel
from econ.disparity.composite import entropy_weights
from econ.disparity.coupling import corrected_degree, coupling, standard_degree

SYSTEMS = {"industry": ["a", "b"], "innovation": ["c", "d"]}
INDICES = arrays(np.float64, (4, 3), elements=st.floats(1e-3, 1))


def made(seed: int = 0, n: int = 9, years: int = 2) -> Panel:
    rng = np.random.default_rng(seed)
    rows = [(f"r{i}", 2010 + t, *rng.lognormal(size=4)) for t in range(years) for i in range(n)]
    return Panel(pd.DataFrame(rows, columns=["region", "year", *"abcd"]), "region", "year")


def test_two_systems_by_hand() -> None:
    u, v = 0.2, 0.8
    U = np.array([[u, v]])
    assert standard_degree(U)[0] == pytest.approx(2 * np.sqrt(u * v) / (u + v))
    assert corrected_degree(U)[0] == pytest.approx(np.sqrt((1 - (v - u)) * u / v))


def test_three_systems_by_hand() -> None:
    U = np.array([[0.2, 0.5, 0.8]])
    assert standard_degree(U)[0] == pytest.approx((0.2 * 0.5 * 0.8) ** (1 / 3) / 0.5)
    spread = 1 - (0.3 + 0.6 + 0.3) / 3
    assert corrected_degree(U)[0] == pytest.approx(np.sqrt(spread * np.sqrt(0.2 * 0.5 / 0.8**2)))


@given(INDICES)
def test_degrees_lie_between_0_and_1_and_equal_systems_give_1(U: np.ndarray) -> None:
    for degree in (standard_degree, corrected_degree):
        C = degree(U)
        assert ((C >= 0) & (C <= 1 + 1e-12)).all()
        np.testing.assert_allclose(degree(np.repeat(U[:, :1], 3, axis=1)), 1)
        np.testing.assert_allclose(degree(U[:, ::-1]), C)


def test_result_is_built_from_the_indices_of_each_system() -> None:
    panel = made()
    result = coupling(panel, SYSTEMS)
    path = result.path
    for name, columns in SYSTEMS.items():
        alone = entropy_weights(panel, columns)
        np.testing.assert_allclose(path[name], alone.scores["score"])
        weights = result.weights[result.weights["system"] == name]
        np.testing.assert_allclose(weights["weight"], alone.weights["weight"])
    U = path[list(SYSTEMS)].to_numpy()
    np.testing.assert_allclose(path["development"], U.mean(axis=1))
    np.testing.assert_allclose(path["coordination"], np.sqrt(standard_degree(U) * U.mean(axis=1)))
    np.testing.assert_allclose(path["coordination_corrected"], np.sqrt(corrected_degree(U) * U.mean(axis=1)))
    assert (path["coupling_corrected"] <= path["coupling"] + 1e-12).all()


def test_obstacles_by_hand() -> None:
    panel = made()
    result = coupling(
        panel, SYSTEMS, weights={"a": 1, "b": 3, "c": 1, "d": 1}, system_weights={"industry": 1, "innovation": 3}
    )
    x = panel.frame[list("abcd")].to_numpy()
    z = (x - x.min(0)) / (x.max(0) - x.min(0))
    share = np.array([0.25 * 0.25, 0.25 * 0.75, 0.75 * 0.5, 0.75 * 0.5]) * (1 - z)
    share /= share.sum(axis=1, keepdims=True)
    wide = result.obstacles.pivot(index=["period", "region"], columns="indicator", values="obstacle").to_numpy()
    np.testing.assert_allclose(wide, share)
    np.testing.assert_allclose(
        result.path["development"], 0.25 * result.path["industry"] + 0.75 * result.path["innovation"]
    )


def test_best_and_worst_rows_carry_notes() -> None:
    panel = made().assign(
        **{
            name: lambda d, n=name: (
                d[n].where(d["region"] != "r1", 0.0).where((d["region"] != "r2") | (d["year"] == 2010), 99)
            )
            for name in "abcd"
        }
    )
    result = coupling(panel, SYSTEMS)
    zero = result.path[result.path["region"] == "r1"]
    assert (zero[["coupling", "coordination", "coupling_corrected", "coordination_corrected"]] == 0).all(axis=None)
    assert not result.path.isna().any(axis=None)
    notes = " ".join(note["en"] for note in result.notes)
    assert "Coupling is 0 where a system is at the minimum of all its indicators: r1 2010, r1 2011" in notes
    assert "No obstacles where every weighted indicator is at its best: r2 2011" in notes
    assert len(result.obstacles) == 4 * 17


def test_by_period() -> None:
    panel = made()
    whole = coupling(panel, SYSTEMS, scaling="period").path.query("period == 2011")
    alone = coupling(panel.where(lambda d: d["year"] == 2011), SYSTEMS).path
    np.testing.assert_allclose(whole["coordination_corrected"], alone["coordination_corrected"])


def test_bad_input() -> None:
    panel = made()
    with pytest.raises(OptionError, match="two or more"):
        coupling(panel, {"industry": ["a"]})
    with pytest.raises(OptionError, match="'a' stands twice"):
        coupling(panel, {"industry": ["a"], "innovation": ["a", "b"]})
    with pytest.raises(OptionError, match="list of at least one"):
        coupling(panel, {"industry": "a", "innovation": ["b"]})
    with pytest.raises(OptionError, match="direction of 'a'"):
        coupling(panel, {"industry": {"a": "down"}, "innovation": ["b"]})
    with pytest.raises(OptionError, match="one for each of industry, innovation"):
        coupling(panel, SYSTEMS, system_weights={"industry": 1.0})
    with pytest.raises(OptionError, match="not all zero"):
        coupling(panel, SYSTEMS, weights={"a": 0, "b": 0, "c": 1, "d": 1})
    with pytest.raises(OptionError, match="one for each of a, b, c, d"):
        coupling(panel, SYSTEMS, weights={"a": 1})
