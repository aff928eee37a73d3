"""Markov chains of US states' incomes, 1929-2009, against giddy.

Incomes and neighbours are read from libpysal's wheel. Counts are exact; probabilities and what follows from them agree
to the entries' digits.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from econ import Panel
from econ.convergence.markov import markov
from econ.convergence.spatial_markov import spatial_markov
from econ.spatial import Weights
from tests.reference import gold


@cache
def examples() -> Path:
    found = find_spec("libpysal")  # located, not imported, which takes seconds
    if found is None or found.origin is None:
        pytest.skip("libpysal, whose wheel has the data, is not installed")
    return Path(found.origin).parent / "examples" / "us_income"


@cache
def states() -> Panel:
    wide = pd.read_csv(examples() / "usjoin.csv").drop(columns="STATE_FIPS")
    panel = Panel.from_wide(wide, unit="Name", name="income")
    return panel.assign(relative=lambda d: d["income"] / d.groupby("year")["income"].transform("mean"))


@cache
def neighbours() -> Weights:
    """``states48.gal``: a line of each state's position and number of neighbours, then a line of theirs."""
    lines = (examples() / "states48.gal").read_text().split("\n")
    names = pd.read_csv(examples() / "usjoin.csv")["Name"]
    w = pd.DataFrame(0.0, index=names, columns=names)
    for head, tail in zip(lines[1::2], lines[2::2], strict=False):
        w.iloc[int(head.split()[0]), [int(other) for other in tail.split()]] = 1.0
    return Weights.from_matrix(w)


def test_c22_classic_markov() -> None:
    expected = gold.values("convergence", "C22")
    result = markov(states(), "income")
    np.testing.assert_array_equal(result.counts, expected["N"])
    np.testing.assert_allclose(result.steady_state, expected["ss"], rtol=1e-7)


def test_c22_passage_times_and_mobility_of_giddy() -> None:
    """giddy 2.3.8: ``mfpt``, ``sojourn_time`` and ``markov_mobility(p, measure, ini=steady_state)``."""
    result = markov(states(), "income")
    first, last = [4.81354357, 11.50292712, 29.60921231, 53.38594954, 103.59816743], 98.41295543
    np.testing.assert_allclose(result.first_passage.loc[1], first, rtol=1e-8)
    assert result.first_passage.loc[5, 1] == pytest.approx(last, rel=1e-8)
    np.testing.assert_allclose(result.sojourn, [11.125, 4.65806452, 4.73372781, 4.95172414, 13.77586207], rtol=1e-8)
    mobility = result.mobility.set_index("index")["estimate"]
    expected = {
        "shorrocks": 0.19758992000997844,  # P
        "determinant": 0.606848546236956,  # D
        "second_eigenvalue": 0.03978200230815965,  # L2
        "bartholomew": 0.03962562443193991,  # B2
    }
    for name, value in expected.items():
        assert mobility[name] == pytest.approx(value, rel=1e-10)


@pytest.mark.parametrize("form", ["weights", "binary matrix"])
def test_c23_spatial_markov(form: str) -> None:
    expected = gold.values("convergence", "C23")
    w = neighbours()
    given = w if form == "weights" else (w.matrix > 0).astype(float)
    result = spatial_markov(states(), "relative", given, lag_classes="lag", draws=99)
    test = result.test.set_index("test")
    assert test.loc["likelihood_ratio", "statistic"] == pytest.approx(expected["LR"], rel=1e-6)
    assert test.loc["chi_squared", "statistic"] == pytest.approx(expected["X2"], rel=1e-6)
    assert (test["dof"] == expected["dof"]).all()
    first = result.counts[result.counts["lag_class"] == 1].drop(columns=["lag_class", "from"])
    np.testing.assert_array_equal(first, expected["N_lag0"])
    assert (test["p_asymptotic"] < 1e-10).all()
    assert (test["p_value"] > 1e-3).all()


def test_c23_neighbours_are_those_of_the_entry() -> None:
    binary = gold.GOLD / "data" / "states48_W_binary.csv"
    if not binary.exists():
        pytest.skip(f"{binary} is not here")
    np.testing.assert_array_equal(neighbours().matrix > 0, np.loadtxt(binary, delimiter=",") > 0)
