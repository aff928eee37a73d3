"""Static panel estimators on real data, against plm, gretl, linearmodels and Stata; each convention by its name."""

from collections.abc import Mapping, Sequence

import gold
import numpy as np
import pytest

import econ
from econ import Estimate, Panel
from econ.growth import (
    between,
    breusch_pagan,
    first_difference,
    hausman,
    hausman_taylor,
    mundlak,
    pooled,
    random_effects,
)

FORMULA = "inv ~ value + capital"
PRODUC = {"pcap": "log(pcap)", "pc": "log(pc)", "emp": "log(emp)", "unemp": "unemp"}


def assert_terms(found: Estimate, expected: Mapping[str, Sequence[float] | float], rel: float = 1e-6) -> None:
    """``expected``: term -> (estimate, standard error), or the estimate alone; ``rel`` where few digits are printed."""
    for name, value in expected.items():
        term = "Intercept" if name == "const" else PRODUC.get(name, name)
        coef, *std_error = np.atleast_1d(value)
        assert found.params[term] == pytest.approx(coef, rel=rel)
        if std_error:
            assert found.bse[term] == pytest.approx(std_error[0], rel=1e-5)


def grunfeld() -> Panel:
    return Panel(gold.data("plm_Grunfeld.csv"), unit="firm", time="year")


def test_grunfeld_pooled() -> None:
    assert_terms(pooled(grunfeld(), FORMULA, econ.iid()), gold.values("growth", "grunfeld-pooled"))


def test_grunfeld_re_swar() -> None:
    expected = dict(gold.values("growth", "grunfeld-re-swar"))
    found = random_effects(grunfeld(), FORMULA, econ.iid())
    assert found.stats["sigma2_idios"] == pytest.approx(expected.pop("sigma2_idios"), rel=1e-6)
    assert found.stats["sigma2_unit"] == pytest.approx(expected.pop("sigma2_id"), rel=1e-6)
    assert found.stats["theta"] == pytest.approx(expected.pop("theta"), rel=1e-6)
    assert_terms(found, expected)


def test_grunfeld_between() -> None:
    assert_terms(between(grunfeld(), FORMULA, econ.iid()), gold.values("growth", "grunfeld-between"))


@pytest.mark.parametrize(("constant", "key"), [(True, "with_const"), (False, "no_const")])
def test_grunfeld_fd(constant: bool, key: str) -> None:
    """With a constant of the changes plm's numbers, without one linearmodels'."""
    found = first_difference(grunfeld(), FORMULA, econ.iid(), constant=constant)
    assert_terms(found, gold.values("growth", "grunfeld-fd")[key])


def test_grunfeld_hausman_each_with_its_own_variance() -> None:
    expected = gold.values("growth", "grunfeld-hausman")
    fe = econ.feols(grunfeld(), f"{FORMULA} | firm", vcov=econ.iid())
    test = hausman(fe, random_effects(grunfeld(), FORMULA, econ.iid())).test("hausman")
    assert test.dof == (2.0,)
    assert (test.statistic, test.p_value) == pytest.approx((expected["matrix"], expected["p"]), rel=1e-6)


def test_grunfeld_hausman_by_regression_with_ssr_over_n() -> None:
    """gretl's form, printed with six digits."""
    test = mundlak(grunfeld(), FORMULA, econ.iid()).test("mundlak_n")
    assert test.statistic == pytest.approx(gold.values("growth", "grunfeld-hausman")["gretl_regression"], rel=3e-6)


@pytest.mark.parametrize(("name", "key"), [("lm_unit", "LM"), ("lm_two_ways", "LM_twoways"), ("f_unit", "F")])
def test_grunfeld_lm(name: str, key: str) -> None:
    found = breusch_pagan(grunfeld(), FORMULA).test(name)
    assert found.statistic == pytest.approx(gold.values("growth", "grunfeld-lm")[key], rel=1e-6)


def test_produc_munnell_random() -> None:
    expected = gold.values("growth", "produc-munnell")
    panel = Panel(gold.data("plm_Produc.csv"), unit="state", time="year")
    formula = f"log(gsp) ~ {' + '.join(PRODUC.values())}"
    re = random_effects(panel, formula, econ.iid())
    random = dict(expected["random"])
    assert re.stats["theta"] == pytest.approx(random.pop("theta"), rel=1e-6)
    assert_terms(re, random)
    fe = econ.feols(panel, f"{formula} | state", vcov=econ.iid())
    assert hausman(fe, re).test("hausman").statistic == pytest.approx(expected["hausman"], rel=1e-6)


def test_hedonic_unbalanced_re() -> None:
    expected = gold.values("growth", "hedonic-unbalanced-re")
    frame = gold.data("plm_Hedonic.csv")
    regressors = [name for name in frame.columns if name not in ("mv", "townid")]
    frame["row"] = frame.groupby("townid").cumcount()
    found = random_effects(Panel(frame, "townid", "row"), f"mv ~ {' + '.join(regressors)}", econ.iid())
    assert_terms(found, {name: expected[name] for name in ("crim", "nox")})
    components = found.stats["sigma2_idios"], found.stats["sigma2_unit"]
    assert components == pytest.approx(expected["sigma2"], rel=1e-6)


def test_mrw_table1() -> None:
    """Mankiw, Romer and Weil (1992), Table 1, non-oil countries; printed with six digits."""
    expected = gold.values("growth", "mrw-table1")
    frame = gold.data("gretl_mrw.csv").query("nonoil == 1")
    panel = Panel(frame, "obs").assign(
        y=lambda d: np.log(d["gdp85"]), linv=lambda d: np.log(d["inv"] / 100),
        lngd=lambda d: np.log(d["popgrow"] / 100 + 0.05), gap=lambda d: d["linv"] - d["lngd"],
    )  # fmt: skip
    found = pooled(panel, "y ~ linv + lngd", econ.iid())
    assert_terms(found, {name: expected[name] for name in ("const", "linv", "lngd")}, 4e-6)
    assert found.wald("linv + lngd = 0").statistic == pytest.approx(expected["F"], rel=1e-5)
    assert_terms(pooled(panel, "y ~ gap", econ.iid()), {"gap": expected["restricted"]}, 4e-6)


XTHTAYLOR = {  # Stata's manual, [XT] xthtaylor, example 1: estimate, standard error as printed
    "occ": (-0.0207047, 0.0137809), "south": (0.0074398, 0.031955), "exp": (0.1131328, 0.002471),
    "union": (0.0327714, 0.0149084), "fem": (-0.1309236, 0.126659), "blk": (-0.2857479, 0.1557019),
    "ed": (0.137944, 0.0212485), "Intercept": (2.912726, 0.2836522),
}  # fmt: skip


def test_hausman_taylor_on_wages_as_in_statas_manual() -> None:
    frame = gold.data("plm_Wages.csv")
    frame = frame.assign(
        person=np.arange(len(frame)) // 7, year=np.arange(len(frame)) % 7, exp2=frame["exp"] ** 2,
        occ=frame["bluecol"] == "yes", fem=frame["sex"] == "female", blk=frame["black"] == "yes",
    )  # fmt: skip
    for name in ("south", "smsa", "married", "union"):
        frame[name] = frame[name] == "yes"
    dummies = ["occ", "fem", "blk", "south", "smsa", "married", "union"]
    frame[dummies] = frame[dummies].astype(float)
    formula = "lwage ~ occ + south + smsa + ind + exp + exp2 + wks + married + union + fem + blk + ed"
    endogenous = ["exp", "exp2", "wks", "married", "union", "ed"]
    found = hausman_taylor(Panel(frame, "person", "year"), formula, endogenous, econ.iid())
    for term, (coef, std_error) in XTHTAYLOR.items():
        assert found.params[term] == pytest.approx(coef, abs=6e-7 if abs(coef) > 1 else 6e-8)
        assert found.bse[term] == pytest.approx(std_error, rel=1e-5, abs=6e-8)
    sigmas = np.sqrt([found.stats["sigma2_idios"], found.stats["sigma2_unit"]])
    assert sigmas == pytest.approx([0.15180273, 0.94180304], rel=1e-7)
