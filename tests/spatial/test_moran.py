"""Moran's I and Geary's C against every permutation of tiny data, and the gold row of US incomes."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

import econ
from econ import ModelError, OptionError, Panel
from econ.spatial import Weights, moran
from tests.reference import gold

RING = pd.DataFrame({"a": list("ABCDEF"), "b": list("BCDEFA")})


def panel(values: list[float]) -> Panel:
    return Panel(pd.DataFrame({"r": list("ABCDEF"), "t": 2000, "x": values}), "r", "t")


def ring() -> Weights:
    return Weights.from_pairs(RING, list("ABCDEF"), a="a", b="b")


def by_hand(x: np.ndarray, w: np.ndarray) -> tuple[float, float]:
    n, z = len(x), x - x.mean()
    pairs = [(i, j) for i in range(n) for j in range(n)]
    cross = sum(w[i, j] * z[i] * z[j] for i, j in pairs)
    gaps = sum(w[i, j] * (x[i] - x[j]) ** 2 for i, j in pairs)
    return n / w.sum() * cross / (z @ z), (n - 1) / (2 * w.sum()) * gaps / (z @ z)


def test_moments_are_those_of_all_permutations() -> None:
    x = np.array([1.0, 2.0, 4.0, 3.0, 7.0, 5.5])
    w = ring().frame.to_numpy()
    everything = np.array([by_hand(np.array(order), w) for order in permutations(x)])
    row = moran(panel(list(x)), "x", ring(), draws=4999).path.iloc[0]
    assert row["moran"] == pytest.approx(by_hand(x, w)[0])
    assert row["geary"] == pytest.approx(by_hand(x, w)[1])
    assert row["expected"] == pytest.approx(everything[:, 0].mean())
    assert row["std_error"] == pytest.approx(everything[:, 0].std())
    assert row["geary_z"] == pytest.approx((row["geary"] - 1) / everything[:, 1].std())
    assert row["p_permutation"] == pytest.approx((everything[:, 0] >= row["moran"] - 1e-12).mean(), abs=0.02)


def test_each_period_uses_the_regions_it_knows() -> None:
    first, second = panel([1.0, 2, 4, 3, 7, 5]).frame, panel([1.0, 2, 4, 3, 7, np.nan]).frame.assign(t=2001)
    path = moran(Panel(pd.concat([first, second]), "r", "t"), "x", ring()).path
    assert path["n"].tolist() == [6, 5]


def test_bad_input() -> None:
    with pytest.raises(ModelError, match="at least 4 regions that differ"):
        moran(panel([1.0] * 6), "x", ring())
    with pytest.raises(OptionError, match="draws=0"):
        moran(panel([1.0, 2, 3, 4, 5, 6]), "x", ring(), draws=0)


def test_c21_moran_geary() -> None:
    expected = gold.values("convergence", "C21")
    frame = gold.data("usjoin.csv").drop(columns="STATE_FIPS")
    matrix = pd.read_csv(gold.GOLD / "data" / "states48_W_binary.csv", header=None).dropna(axis=1)
    states = Panel.from_wide(frame, unit="Name", name="income").log(["income"])
    w = Weights.from_matrix(pd.DataFrame(matrix.to_numpy(), index=frame["Name"], columns=frame["Name"]))
    path = econ.spatial.moran(states, "log_income", w, draws=9).path.set_index("period")
    for year in (1929, 2009):
        assert path.loc[year, "moran"] == pytest.approx(expected[f"I{year}"], rel=1e-8)
        assert path.loc[year, "z"] == pytest.approx(expected[f"z{year}"], rel=1e-8)
    assert path.loc[1929, "geary"] == pytest.approx(expected["C1929"], rel=1e-8)
