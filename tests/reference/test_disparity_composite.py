"""Entropy weights, TOPSIS and coupling on the Chinese provinces of 2015, against the R package mathmodels.

mathmodels rescales to [0.002, 0.998] before the entropy, takes TOPSIS of the raw indicators with vector normalisation,
and coupling of the min-max scaled ones. Tolerance: the reference prints nine digits.
"""

import numpy as np
import pytest

from econ import Panel
from econ.disparity.composite import entropy_weights
from econ.disparity.coupling import coupling
from econ.disparity.topsis import topsis
from econ.disparity.weighting import rescale
from tests.reference import gold

COLUMNS = ["K", "L", "E", "Y"]


def provinces() -> Panel:
    return Panel(gold.data("china_provinces_ddf_gtfpch.csv").query("year == 2015"), "Province", "year")


def test_c41_entropy_weights() -> None:
    result = entropy_weights(provinces(), COLUMNS, zero=rescale(0.002, 0.998))
    np.testing.assert_allclose(result.weights["weight"], gold.values("convergence", "C41")["w"], rtol=1e-8)


@pytest.mark.parametrize("province", ["Anhui", "Guangdong"])
def test_c41_topsis(province: str) -> None:
    scores = topsis(provinces(), COLUMNS, zero=rescale(0.002, 0.998)).scores.set_index("Province")
    expected = gold.values("convergence", "C41")[f"topsis_{province}"]
    assert scores.loc[province, "score"] == pytest.approx(expected, rel=1e-7)


def test_c41_coupling() -> None:
    row = coupling(provinces(), {"capital": ["K"], "output": ["Y"]}).path.set_index("Province").loc["Anhui"]
    expected = gold.values("convergence", "C41")
    assert row["coupling"] == pytest.approx(expected["C_KY_Anhui"], rel=1e-8)
    assert row["coordination"] == pytest.approx(expected["D_KY_Anhui"], rel=1e-8)
