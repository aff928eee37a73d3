"""Extended two-way fixed effects on the county teen employment data, against R's etwfe (emfx, by size of cells)."""

import gold
import pytest

import econ
from econ import Panel


def test_mpdta_etwfe_lpop() -> None:
    frame = gold.data("did_mpdta.csv")
    frame["cohort"] = frame["first.treat"].where(frame["first.treat"] > 0)
    found = econ.did.etwfe(Panel(frame, "countyreal", "year"), "lemp", cohort="cohort", covariates=["lpop"])
    assert found.aggregate().coef[0] == pytest.approx(gold.values("did", "mpdta-etwfe-lpop")["overall"], rel=1e-6)
