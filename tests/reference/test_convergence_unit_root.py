"""Panel unit-root tests against R's plm, gretl and statspai.

Tolerances: the entries' own; 1e-8 for the numbers of statspai 1.40.2, which it printed in full.
"""

import pytest

import econ
from econ import Panel
from econ.convergence.unit_root import UnitRootConvention, UnitRootTest, unit_root
from tests.reference import gold


def grunfeld() -> Panel:
    return Panel(gold.data("grunfeld_plm.csv"), "firm", "year")


@pytest.mark.parametrize(("convention", "key"), [("stata", "stata_or_gretl"), ("plm", "plm")])
def test_c31_llc_grunfeld(convention: UnitRootConvention, key: str) -> None:
    expected = gold.values("convergence", "C31")[key]
    found = [unit_root(grunfeld(), "inv", "llc", 1, trend, convention).statistic for trend in (False, True)]
    assert found == pytest.approx(expected, rel=5e-6 if key == "stata_or_gretl" else 1e-9)


def test_c33_cips_produc() -> None:
    expected = gold.values("convergence", "C33")["cips"]
    panel = econ.Panel(gold.data("produc_plm.csv"), "state", "year").log(["gsp"])
    result = unit_root(panel, "log_gsp", "cips", 2, convention="plm")
    assert result.statistic == pytest.approx(expected, rel=1e-8)
    assert result.p_value == 0.10
    assert "at least 0.10" in result.notes[-1]["en"]


@pytest.mark.parametrize(
    ("test", "convention", "statistics"),
    [
        ("ips", "stata", (2.620343313536549, -1.4929016069843362)),
        ("ips", "plm", (2.3265869307494578, -2.6180071297144822)),
        ("fisher", "stata", (13.872992529799664, 55.27836858739115)),
        ("fisher", "plm", (17.211798193896055, 76.41002842916463)),
        ("hadri", "stata", (22.270326559743143, 9.869780071803614)),
        ("hadri", "plm", (24.256568040103954, 9.317805258263407)),
    ],
)
def test_statspai_grunfeld(test: UnitRootTest, convention: UnitRootConvention, statistics: tuple[float, ...]) -> None:
    found = [unit_root(grunfeld(), "inv", test, 1, trend, convention).statistic for trend in (False, True)]
    assert found == pytest.approx(statistics, rel=1e-8)
