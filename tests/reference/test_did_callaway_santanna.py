"""Callaway and Sant'Anna on real data, against R's did and DRDID.

Estimates within 1e-6, standard errors within 1e-5, relative, unless an entry was printed with fewer digits.
"""

import numpy as np
import pandas as pd
import pytest

import econ
from econ import Panel
from econ.did.result import DidResult
from tests.reference.gold import data, values


def mpdta() -> Panel:
    frame = data("did_mpdta.csv")
    return Panel(frame.assign(cohort=frame["first.treat"].where(frame["first.treat"] > 0)), "countyreal", "year")


def santanna(**asked: object) -> DidResult:
    return econ.did.callaway_santanna(mpdta(), "lemp", cohort="cohort", **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("average", "key"),
    [("cells", "overall_simple"), ("event", "event_mean"), ("cohort", "cohort_mean"), ("period", "period_mean")],
)
def test_mpdta_cs_never(average: str, key: str) -> None:
    found = santanna().aggregate("overall", average=average)  # type: ignore[arg-type]
    coef, std_error = values("did", "mpdta-cs-never")[key]
    assert found.coef[0] == pytest.approx(coef, rel=1e-6)
    assert found.std_error[0] == pytest.approx(std_error, rel=1e-5)


def test_mpdta_cs_cells() -> None:
    found = santanna()
    for key, (coef, std_error) in values("did", "mpdta-cs-cells").items():  # four decimals
        g, t = key.split(",")
        term = f"cohort::{g}:period::{t}"
        assert found.params[term] == pytest.approx(coef, abs=5.1e-5)
        assert found.bse[term] == pytest.approx(std_error, abs=5.1e-5)


def test_mpdta_cs_dr_lpop() -> None:
    found = santanna(covariates=["lpop"]).aggregate()
    coef, std_error = values("did", "mpdta-cs-dr-lpop")["overall_simple"]
    assert found.coef[0] == pytest.approx(coef, rel=1e-6)
    assert found.std_error[0] == pytest.approx(std_error, rel=1e-5)


def test_mpdta_pretest() -> None:
    found, expected = santanna(), values("did", "mpdta-pretest")
    before = [term for term, e in zip(found.terms, found.effects.event_time, strict=True) if e < 0]
    test = found.wald(before)
    assert test.statistic_chi2 == pytest.approx(expected["W"], rel=1e-6)
    assert test.p_value_chi2 == pytest.approx(expected["p"], abs=5e-6)
    joint = econ.did.pretrends(found).joint
    assert joint is not None
    assert joint.statistic_chi2 == pytest.approx(expected["W"], rel=1e-6)


def test_drdid_lalonde() -> None:
    """DRDID's standard error from version 1.2.3 on: no n - 1."""
    frame = data("drdid_nsw_long.csv")
    frame = frame[(frame["treated"] == 0) | (frame["sample"] == 2)]
    panel = Panel(frame.assign(cohort=np.where(frame["experimental"] == 1, 1978.0, np.nan)), "id", "year")
    covariates = ["age", "educ", "black", "married", "nodegree", "hisp", "re74"]
    found = econ.did.callaway_santanna(panel, "re", cohort="cohort", covariates=covariates, method="dr_improved")
    coef, std_error = values("did", "drdid-lalonde")["imp"]
    assert found.coef[0] == pytest.approx(coef, rel=1e-6)
    assert found.std_error[0] == pytest.approx(std_error, rel=1e-5)


def counties() -> Panel:
    frame = data("jel_county_mortality.csv")
    frame = frame[~frame["st"].isin(["DC", "DE", "MA", "NY", "VT"])]
    frame = frame[(frame["yaca"] == 2014) | frame["yaca"].isna() | (frame["yaca"] > 2019)]
    needed = [name for name in frame.columns if name.startswith(("population", "crude", "unemp"))]
    years = frame.dropna(subset=needed).groupby("county_code")["year"].nunique()
    frame = frame[frame["county_code"].map(years) == 11]
    base = frame[frame["year"] == 2013].set_index("county_code")["population_20_64"]
    frame = frame.assign(cohort=frame["yaca"].where(frame["yaca"] == 2014), people=frame["county_code"].map(base))
    return Panel(frame[frame["year"].isin([2013, 2014])], "county_code", "year")


@pytest.mark.parametrize(("key", "weights"), [("unweighted", None), ("weighted", "people")])
def test_jel_2x2(key: str, weights: str | None) -> None:
    """The standard error is that of the regression with county and year effects; without its factor, ours."""
    coef, std_error = values("did", "jel-2x2")[key]
    regression = econ.did.twfe(counties(), "crude_rate_20_64", cohort="cohort", weights=weights)
    found = econ.did.callaway_santanna(counties(), "crude_rate_20_64", cohort="cohort", weights=weights)
    G = 2200
    assert regression.coef[0] == pytest.approx(coef, rel=1e-5 if weights is None else 1e-6)  # five digits printed
    assert regression.std_error[0] == pytest.approx(std_error, rel=1e-5)
    assert found.coef[0] == pytest.approx(regression.coef[0], rel=1e-9)
    factor = G / (G - 1) * (2 * G - 1) / (2 * G - 3)
    assert found.std_error[0] * np.sqrt(factor) == pytest.approx(std_error, rel=1e-5)


def stores() -> Panel:
    frame = data("card_krueger_mhe.csv")
    return Panel(frame.assign(cohort=np.where(frame["nj"] == 1, 1.0, np.nan)), "id", "d")


def test_card_krueger() -> None:
    expected = values("did", "card-krueger")
    everybody = econ.did.callaway_santanna(stores(), "fte", cohort="cohort", repeated=True)
    assert everybody.coef[0] == pytest.approx(expected["all"], rel=1e-6)
    paired = econ.did.callaway_santanna(stores(), "fte", cohort="cohort", vcov=econ.cluster("id", kind="CR0"))
    assert paired.coef[0] == pytest.approx(expected["balanced"][0], rel=1e-6)
    assert paired.std_error[0] * np.sqrt(384 / 382) == pytest.approx(expected["balanced"][1], rel=1e-5)


def test_mpdta_cs_never_read_in_any_order() -> None:
    panel = mpdta()
    shuffled = Panel(panel.frame.sample(frac=1.0, random_state=3), "countyreal", "year")
    found = econ.did.callaway_santanna(shuffled, "lemp", cohort="cohort")
    pd.testing.assert_frame_equal(found.cells, santanna().cells)
