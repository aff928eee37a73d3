"""Phillips and Sul's (2009) 152 countries, as printed by Du (2017) and computed by ConvergenceClubs 2.2.5.

Tolerances: each entry's own. For C01 Du prints t = -159.5544, the R package and this one find -159.5551.
"""

import numpy as np
import pandas as pd
import pytest

from econ import Panel
from econ.convergence.clubs import Clubs, clubs
from econ.convergence.logt import log_t, transition_input
from econ.options import ClubMerging
from tests.reference import gold


def countries(name: str) -> Panel:
    wide = gold.data(name)
    return Panel.from_wide(wide.rename(columns=lambda c: c.removeprefix("Y")), unit="Countries", name="x")


def filtered(merge: ClubMerging | None) -> Clubs:
    return clubs(countries("ps2009_gdp_filtered_log.csv"), "x", hp_lambda=None, log=False, merge=merge)


def test_c01_whole_panel() -> None:
    expected = gold.values("convergence", "C01")
    estimate = log_t(countries("ps2009_gdp_filtered_log.csv"), "x", hp_lambda=None, log=False)
    assert estimate.coef[0] == pytest.approx(expected["b"], rel=1e-8)
    assert estimate.std_error[0] == pytest.approx(expected["se"], rel=1e-8)
    assert estimate.statistic[0] == pytest.approx(expected["t"], rel=1e-8)


def test_c02_clubs() -> None:
    expected = gold.values("convergence", "C02")
    result = filtered(None)
    assert result.tests["n"].tolist() == expected["sizes"]
    np.testing.assert_allclose(result.tests["estimate"], expected["b"], rtol=1e-8)
    np.testing.assert_allclose(result.tests["statistic"], expected["t"], rtol=1e-8)
    assert result.members["club"].isna().sum() == expected["divergent"]


@pytest.mark.parametrize("merge", ["phillips_sul", "von_lyncker"])
def test_c04_merging(merge: ClubMerging) -> None:
    expected = gold.values("convergence", "C04")
    tests = filtered(merge).tests
    assert tests["n"].tolist() == expected["sizes"]
    assert tests["merged_from"].tolist() == ["1", "2", "3", "4 + 5", "6", "7"]
    assert tests.loc[3, "statistic"] == pytest.approx(expected["t_merged"], rel=1e-8)


def test_c07_filter() -> None:
    ours = transition_input(countries("ps2009_gdp_level.csv"), "x", 1 / 3, 400, True).values
    theirs = transition_input(countries("ps2009_gdp_filtered_log.csv"), "x", 1 / 3, None, False).values
    assert np.abs(ours - theirs).max() < 1e-9
    pd.testing.assert_frame_equal(
        clubs(countries("ps2009_gdp_level.csv"), "x").members, filtered("phillips_sul").members
    )
