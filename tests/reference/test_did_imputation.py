"""Imputation and two-stage estimates on real and simulated data, against R's didimputation and did2s.

Estimates within 1e-6, standard errors within 1e-5, relative.
"""

import gold
import pytest

import econ
from econ import Panel


def test_mpdta_imputation() -> None:
    frame = gold.data("did_mpdta.csv")
    frame["cohort"] = frame["first.treat"].where(frame["first.treat"] > 0)
    found = econ.did.imputation(Panel(frame, "countyreal", "year"), "lemp", cohort="cohort").aggregate()
    estimate, std_error = gold.values("did", "mpdta-imputation")["overall"]
    assert found.coef[0] == pytest.approx(estimate, rel=1e-6)
    assert found.std_error[0] == pytest.approx(std_error, rel=1e-5)


def test_did2s_het() -> None:
    frame = gold.data("did2s_df_het.csv")[["unit", "state", "year", "g", "dep_var"]]
    frame["cohort"] = frame["g"].where(frame["g"] > 0)
    found = econ.did.two_stage(
        Panel(frame, "unit", "year"), "dep_var", cohort="cohort", vcov=econ.cluster("state", kind="CR0")
    ).aggregate()
    estimate, std_error = gold.values("did", "did2s-het")["het"]
    assert found.coef[0] == pytest.approx(estimate, rel=1e-6)
    assert found.std_error[0] == pytest.approx(std_error, rel=1e-5)
