"""Two-way fixed effects, event studies and Sun and Abraham on real data, against fixest, R and published tables.

Estimates within 1e-6, standard errors within 1e-5, relative.
"""

import numpy as np
import pandas as pd
import pytest

import econ
from econ import Panel
from tests.reference.gold import data, values


def staggered(frame: pd.DataFrame, treatment: str, unit: str, time: str) -> Panel:
    first = frame[frame[treatment] > 0].groupby(unit)[time].min()
    return Panel(pd.concat([frame, frame[unit].map(first).rename("cohort")], axis=1), unit, time)


def test_did_base() -> None:
    frame, expected = data("fixest_base_did.csv"), values("did", "did-base")
    panel = Panel(frame.assign(cohort=np.where(frame["treat"] == 1, 6.0, np.nan)), "id", "period")
    found = econ.did.event_study(panel, "y", cohort="cohort", covariates=["x1"])  # fixest's i(period, treat, ref = 5)
    assert found.params["x1"] == pytest.approx(expected["x1"], rel=1e-6)
    assert found.params["event_time::-5"] == pytest.approx(expected["p1"], rel=1e-6)
    assert found.params["event_time::4"] == pytest.approx(expected["p10"][0], rel=1e-6)
    assert found.bse["event_time::4"] == pytest.approx(expected["p10"][1], rel=1e-5)


def test_sunab_base_stagg() -> None:
    frame = data("fixest_base_stagg.csv")
    panel = Panel(frame.assign(cohort=frame["year_treated"].where(frame["year_treated"] < 10_000)), "id", "year")
    found = econ.did.sun_abraham(panel, "y", cohort="cohort", covariates=["x1"]).aggregate()
    coef, std_error = values("did", "sunab-base-stagg")["att"]
    assert found.coef[0] == pytest.approx(coef, rel=1e-6)
    assert found.std_error[0] == pytest.approx(std_error, rel=1e-5)


def test_medicaid_event_study() -> None:
    frame = data("ehec_data.csv")
    frame = frame[(frame["year"] < 2016) & (frame["yexp2"] != 2015)]
    panel = Panel(frame.assign(cohort=frame["yexp2"].where(frame["yexp2"] == 2014)), "stfips", "year")
    found = econ.did.event_study(panel, "dins", cohort="cohort")
    for year, (coef, std_error) in values("did", "medicaid-event-study").items():
        term = f"event_time::{int(year) - 2014}"
        assert found.params[term] == pytest.approx(coef, rel=1e-6)
        assert found.bse[term] == pytest.approx(std_error, rel=1e-5)


def test_castle_twfe() -> None:
    panel = staggered(data("bacon_castle.csv"), "post", "sid", "year")
    found = econ.did.twfe(panel, "l_homicide", cohort="cohort")
    coef, std_error = values("did", "castle-twfe")["twfe"]
    assert found.coef[0] == pytest.approx(coef, rel=1e-6)
    assert found.std_error[0] == pytest.approx(std_error, rel=1e-5)


def test_divorce_twfe() -> None:
    panel = staggered(data("bacon_example.csv"), "post", "stfips", "year")
    found = econ.did.twfe(panel, "asmrs", cohort="cohort")
    assert found.coef[0] == pytest.approx(values("did", "divorce-twfe")["twfe"], rel=1e-6)
    assert "Treated in every period seen" in found.notes[0]["en"]


def test_card_krueger_balanced() -> None:
    frame = data("card_krueger_mhe.csv")
    frame = frame[frame.groupby("id")["fte"].transform("count") == 2]
    panel = Panel(frame.assign(cohort=np.where(frame["nj"] == 1, 1.0, np.nan)), "id", "d")
    found = econ.did.twfe(panel, "fte", cohort="cohort", vcov=econ.hetero("HC1"))
    coef, std_error = values("did", "card-krueger")["balanced"]
    assert (found.n_units, found.coef[0]) == (384, pytest.approx(coef, rel=1e-6))
    assert found.std_error[0] == pytest.approx(std_error, rel=1e-5)
