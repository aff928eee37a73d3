"""Goodman-Bacon decompositions and weights of two-way fixed effects, published and by R."""

import numpy as np
import pandas as pd
import pytest

import econ
from econ import Panel
from econ.did.weights import sigma_opposite
from tests.reference.gold import data, values


def staggered(frame: pd.DataFrame, treatment: str, unit: str, time: str) -> Panel:
    first = frame[frame[treatment] > 0].groupby(unit)[time].min()
    return Panel(frame.assign(cohort=frame[unit].map(first).astype(float)), unit, time)


def check_groups(found: econ.did.Bacon, expected: dict[str, dict[str, float]]) -> None:
    summary = found.summary.set_index("kind")
    for column, name in (("weight", "weights"), ("estimate", "estimates")):
        for kind, value in expected[name].items():  # printed with five decimals
            assert summary.loc[kind, column] == pytest.approx(value, abs=6e-6), (kind, column)


def test_bacon_math_reform() -> None:
    panel = staggered(data("bacon_math_reform.csv"), "reform_math", "state", "class")
    found = econ.did.bacon(panel, "incearn_ln", cohort="cohort")
    expected = values("did", "bacon-math-reform")
    assert found.twfe == pytest.approx(expected["twfe"], rel=1e-6)
    check_groups(found, expected)


def test_castle_twfe_groups() -> None:
    panel = staggered(data("bacon_castle.csv"), "post", "sid", "year")
    found = econ.did.bacon(panel, "l_homicide", cohort="cohort")
    expected = values("did", "castle-twfe")
    assert found.twfe == pytest.approx(expected["twfe"][0], rel=1e-6)
    check_groups(found, expected)


def test_twfe_weights_wagepan() -> None:
    panel = Panel(data("wagepan_twfeweights.csv"), "nr", "year")
    found = econ.did.twfe_weights(panel, "lwage", treatment="union")
    expected = values("did", "twfe-weights-wagepan")
    assert found.estimate == pytest.approx(expected["beta"], rel=1e-6)
    assert (found.n_positive, found.n_negative) == (expected["n_positive"], expected["n_negative"])
    assert found.sum_positive == pytest.approx(expected["sum_positive"], rel=1e-6)
    assert found.sum_negative == pytest.approx(expected["sum_negative"], rel=1e-6)
    m = len(found.frame)
    assert found.sigma * np.sqrt((m - 1) / m) == pytest.approx(expected["sigma"], rel=1e-6)


def test_twfe_weights_wagepan_second_measure_from_the_first_negative_weight() -> None:
    """twowayfeweights holds effects of zero or positive weight at zero; the smallest spread moves them."""
    panel = Panel(data("wagepan_twfeweights.csv"), "nr", "year")
    found = econ.did.twfe_weights(panel, "lwage", treatment="union")
    expected = values("did", "twfe-weights-wagepan")["sigma2"]
    w = np.sort(found.frame["weight"].to_numpy() * len(found.frame))
    tail, m = w[w < 0], len(w)
    S, T, P = tail.sum() / m, (tail**2).sum() / m, len(tail) / m
    assert abs(found.estimate) / np.sqrt(T + S**2 / (1 - P)) == pytest.approx(expected, rel=1e-6)
    assert sigma_opposite(found.estimate, w, np.full(m, 1 / m)) == pytest.approx(found.sigma_opposite)
    assert found.sigma_opposite < expected
