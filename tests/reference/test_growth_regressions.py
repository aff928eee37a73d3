"""Fixed-effects, instrumental-variable and Poisson regressions on real data, against plm, fixest, gretl and Stata.

Estimates within 1e-6, standard errors within 1e-5, relative, unless an entry was printed with fewer digits.
"""

from collections.abc import Mapping, Sequence

import gold
import pytest

import econ
from econ import Estimate, Panel


def assert_pairs(
    found: Estimate, expected: Mapping[str, Sequence[float]], names: Mapping[str, str] | None = None
) -> None:
    """``expected``: name -> (estimate, standard error); ``names``: the entry's name -> term."""
    for name, (coef, std_error) in expected.items():
        term = (names or {}).get(name, name)
        assert found.params[term] == pytest.approx(coef, rel=1e-6)
        assert found.bse[term] == pytest.approx(std_error, rel=1e-5)


def grunfeld() -> Panel:
    return Panel(gold.data("plm_Grunfeld.csv"), unit="firm", time="year")


@pytest.mark.parametrize(
    ("entry", "formula"),
    [
        ("grunfeld-pooled", "inv ~ value + capital"),
        ("grunfeld-within", "inv ~ value + capital | firm"),
        ("grunfeld-twoway", "inv ~ value + capital | firm + year"),
    ],
)
def test_grunfeld(entry: str, formula: str) -> None:
    found = econ.feols(grunfeld(), formula, vcov=econ.iid())
    assert_pairs(found, gold.values("growth", entry), {"const": "Intercept"})


@pytest.mark.parametrize(
    ("vcov", "key"),
    [
        (econ.cluster("firm", kind="CR0"), "CR0"),
        (econ.cluster("firm"), "fixest_cluster"),
        (econ.cluster("firm", kind="CR2"), "CR2"),
        (econ.driscoll_kraay(lags=2), "DK2_fixest_ssc"),
    ],
)
def test_grunfeld_vcov(vcov: econ.inference.covariance.Vcov, key: str) -> None:
    found = econ.feols(grunfeld(), "inv ~ value + capital | firm", vcov=vcov)
    assert found.std_error == pytest.approx(gold.values("growth", "grunfeld-vcov")[key], rel=1e-5)


def test_grunfeld_2way_cluster_unit() -> None:
    found = econ.feols(grunfeld(), "inv ~ value + capital | firm + year", vcov=econ.cluster("firm"))
    assert dict(found.bse) == pytest.approx(gold.values("growth", "grunfeld-2way-cluster-unit"), rel=1e-5)


@pytest.mark.parametrize(
    ("vcov", "key"),
    [
        (econ.iid(), "iid"),
        (econ.hetero("HC1"), "HC1"),
        (econ.cluster("firm"), "firm"),
        (econ.cluster("year"), "year"),
        (econ.cluster("firm", "year"), "firm_year_minG(fixest)"),
        (econ.cluster("firm", "year", groups="own"), "firm_year_CGM"),
        (econ.cluster("year", kind="CR2"), "CR2_year"),
    ],
)
def test_petersen_cluster(vcov: econ.inference.covariance.Vcov, key: str) -> None:
    expected = gold.values("growth", "petersen-cluster")
    panel = Panel(gold.data("sandwich_PetersenCL.csv"), unit="firm", time="year")
    found = econ.feols(panel, "y ~ x", vcov=vcov)
    assert found.coef == pytest.approx(expected["beta"], rel=1e-6)
    assert found.bse["x"] == pytest.approx(expected[key], rel=1e-5)


PRODUC = {"pcap": "log(pcap)", "pc": "log(pc)", "emp": "log(emp)", "unemp": "unemp"}


@pytest.mark.parametrize("effects", ["state", "state + year"])
def test_produc_munnell(effects: str) -> None:
    expected = gold.values("growth", "produc-munnell")
    panel = Panel(gold.data("plm_Produc.csv"), unit="state", time="year")
    found = econ.feols(panel, f"log(gsp) ~ {' + '.join(PRODUC.values())} | {effects}", vcov=econ.iid())
    if effects == "state":
        assert_pairs(found, expected["within"], PRODUC)
    else:
        assert found.coef == pytest.approx(expected["twoways"], rel=1e-6)


CRIME = (
    "lprbconv + lprbpris + lavgsen + ldensity + lwcon + lwtuc + lwtrd + lwfir + lwser + lwmfg + lwfed + lwsta + lwloc "
    "+ lpctymle"
)


@pytest.mark.parametrize("estimator", ["FE", "FE2SLS"])
def test_crime_fe2sls(estimator: str) -> None:
    """Cornwell and Trumbull (1994) as in Baltagi, Econometric Analysis of Panel Data, table 7.1."""
    expected = gold.values("growth", "crime-fe2sls")[estimator]
    panel = Panel(gold.data("plm_Crime.csv"), unit="county", time="year")
    formula = {
        "FE": f"lcrmrte ~ lprbarr + lpolpc + {CRIME} | county + year",
        "FE2SLS": f"lcrmrte ~ {CRIME} | county + year | lprbarr + lpolpc ~ ltaxpc + lmix",
    }[estimator]
    found = econ.feols(panel, formula, vcov=econ.iid())
    if estimator == "FE":
        assert {term: found.params[term] for term in expected} == pytest.approx(expected, rel=1e-6)
    else:
        assert_pairs(found, expected)


def test_ppml_trade() -> None:
    expected = gold.values("growth", "ppml-trade")
    panel = Panel(gold.data("fixest_trade.csv"), unit=["Origin", "Destination", "Product"], time="Year")
    vcov = econ.cluster("Origin", "Destination")
    found = econ.fepois(panel, "Euros ~ log(dist_km) | Origin + Destination + Product + Year", vcov=vcov)
    assert_pairs(found, {"log(dist_km)": (expected["b"], expected["se_fixest"])})


def test_ppml_fta() -> None:
    expected = gold.values("growth", "ppml-fta")
    panel = Panel(gold.data("fta_total.csv"), unit="pair", time="year")
    found = econ.fepois(panel, "trade ~ fta | isoimp^year + isoexp^year + pair")
    assert_pairs(found, {"fta": (expected["b"], expected["se"])})
    assert found.n_obs == expected["n"]
    assert found.stats["loglik"] == pytest.approx(expected["loglik"], rel=1e-9)


def test_ppml_patents() -> None:
    expected = gold.values("growth", "ppml-patents")
    panel = Panel(gold.data("ecdat_PatentsRD.csv"), unit="fi", time="year")
    found = econ.fepois(panel, "patent ~ rdexp + spil | fi + year")
    assert_pairs(found, {term: expected[term] for term in ("rdexp", "spil")})
    assert found.n_obs == expected["n"]
