"""Frontiers of units against deaR's data sets and the papers they come from."""

import gold
import numpy as np
import pandas as pd
import pytest

from econ import Panel
from econ.growth import dea, malmquist
from econ.options import DeaReturns


@pytest.mark.parametrize("returns", ["crs", "vrs"])
def test_c37_coelli_input_oriented(returns: DeaReturns) -> None:
    panel = Panel(gold.data("deaR_Coelli_1998.csv").assign(year=1998), "dmus", "year")
    found = dea(panel, ["input1", "input2"], ["output"], returns=returns, orientation="input")
    np.testing.assert_allclose(found.scores["score"], gold.values("convergence", "C37")[returns], atol=1e-8)


def test_c38_malmquist_of_chinese_provinces() -> None:
    wide = gold.data("deaR_Economy.csv")
    years = range(2005, 2010)
    parts = [
        wide[["DMUs", f"Capital{year}", f"Labor{year}", f"GIOV{year}"]]
        .set_axis(["province", "capital", "labour", "output"], axis=1)
        .assign(year=year)
        for year in years
    ]
    panel = Panel(pd.concat(parts), "province", "year")
    found = malmquist(panel, ["capital", "labour"], ["output"], orientation="input")
    expected = gold.values("convergence", "C38")
    np.testing.assert_allclose(found.means["malmquist"], expected["geomean"], rtol=1e-6)
    beijing = found.changes.loc[found.changes["province"] == "Beijing", "malmquist"]
    np.testing.assert_allclose(beijing, expected["Beijing"], rtol=1e-6)


def test_c39_super_efficiency_of_power_plants() -> None:
    panel = Panel(gold.data("deaR_Power_plants.csv").assign(year=2002), "DMU", "year")
    inputs, outputs = ["X1", "X2", "X3", "X4"], ["Y1", "Y2"]
    found = dea(panel, inputs, outputs, measure="sbm", orientation="input", super_efficiency=True)
    np.testing.assert_allclose(found.scores["score"], gold.values("convergence", "C39")["eff"], atol=1e-6)
