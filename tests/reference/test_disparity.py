"""Inequality of income per head in the Mexican states, 1940-2000, against other software.

The references are the Python package inequality, the R packages IC2 and dineq, and StatsPAI, as the entries say; the
data ship in libpysal's wheel and beside the reference values. Tolerances: each entry's own, absolute (values have eight
to ten decimals).
"""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from econ import Panel
from econ.disparity import atkinson, cv, dagum, gini, schutz, theil, wolfson
from tests.reference import gold

YEARS = list(range(1940, 2001, 10))


def mexico() -> Panel:
    """32 states by decade, with Hanson's (1998) five regions."""
    found = importlib.util.find_spec("libpysal")
    shipped = Path(str(found.origin)).parent / "examples" / "mexico" / "mexico.csv" if found else None
    frame = pd.read_csv(shipped) if shipped and shipped.exists() else gold.data("mexico.csv")
    wide = frame[["State", *(f"pcgdp{year}" for year in YEARS)]].rename(columns=lambda name: name.replace("pcgdp", ""))
    return Panel.from_wide(wide, unit="State", name="pcgdp").join(frame[["State", "hanson98"]])


def estimate(result: Any, year: int) -> float:
    return float(result.path.set_index("period").loc[year, "estimate"])


def test_c26_theil_between_and_within() -> None:
    expected = gold.values("convergence", "C26")
    totals = theil(mexico(), "pcgdp", groups="hanson98").totals
    assert totals["period"].tolist() == YEARS
    np.testing.assert_allclose(totals["total"], expected["T"], atol=1e-8, rtol=0)
    np.testing.assert_allclose(totals["between"], expected["bg"], atol=1e-8, rtol=0)
    np.testing.assert_allclose(totals["within"], np.subtract(expected["T"], expected["bg"]), atol=2e-8, rtol=0)


def test_c28_dagum_gini() -> None:
    expected = gold.values("convergence", "C28")
    result = dagum(mexico(), "pcgdp", groups="hanson98")
    row = result.totals.set_index("period").loc[2000]
    for name, key in (("gini", "G"), ("within", "Gw"), ("between", "Gnb"), ("transvariation", "Gt")):
        assert row[name] == pytest.approx(expected[key], abs=1e-8), name
    coefficients, distance = result.matrix(2000), result.matrix(2000, "d")
    np.testing.assert_allclose(np.diag(coefficients), expected["Gjj"], atol=1e-8, rtol=0)
    for other in (2, 5):
        assert coefficients.loc[1, other] == pytest.approx(expected[f"G1{other}"], abs=1e-8)
        assert distance.loc[1, other] == pytest.approx(expected[f"D1{other}"], abs=1e-8)


def test_c30_conventions_of_indices() -> None:
    expected, panel = gold.values("convergence", "C30"), mexico()
    tolerance = {"abs": 1e-9}
    assert estimate(gini(panel, "pcgdp"), 2000) == pytest.approx(expected["gini"], **tolerance)
    unbiased = gini(panel, "pcgdp", convention="unbiased")
    assert estimate(unbiased, 2000) == pytest.approx(expected["gini_unbiased"], **tolerance)
    assert estimate(atkinson(panel, "pcgdp", 0.5), 2000) == pytest.approx(expected["atk05"], **tolerance)
    deviation = theil(panel, "pcgdp", groups="hanson98", index="L").totals.set_index("period")["total"]
    assert deviation[2000] == pytest.approx(expected["theil_L"], **tolerance)
    assert estimate(wolfson(panel, "pcgdp"), 1940) == pytest.approx(expected["wolfson_1940"], **tolerance)
    assert estimate(schutz(panel, "pcgdp"), 1940) == pytest.approx(expected["schutz_1940"], **tolerance)
    x = panel.frame.query("year == 2000")["pcgdp"]
    assert estimate(cv(panel, "pcgdp"), 2000) == pytest.approx(x.std(ddof=0) / x.mean())
    assert estimate(cv(panel, "pcgdp", convention="unbiased"), 2000) == pytest.approx(x.std(ddof=1) / x.mean())
