"""Differences of results: joint covariance by stacking influences, samples that differ, and what has no difference."""

import numpy as np
import pandas as pd
import pytest
from cells_by_definition import average, cells, data, frame, influences, panel, shares

import econ
from econ import EconError
from econ.did.result import DidResult


def santanna(f: pd.DataFrame, outcome: str = "y", **asked: object) -> DidResult:
    return econ.did.callaway_santanna(panel(f), outcome, cohort="cohort", **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["overall", "event", "cohort", "period"])
def test_covariance_is_that_of_the_differences_of_influences(kind: str) -> None:
    f = frame()
    d = data(f)

    def gap(weight: np.ndarray) -> np.ndarray:
        d.weight = weight
        parts = [list(average(cells(d, control=c), shares(d), kind).values()) for c in ("never", "not_yet")]
        return np.subtract(*parts)

    estimate, psi = gap(np.ones(30)), influences(gap, np.ones(30))
    differs = np.abs(psi).max(axis=0) > 1e-9
    found = econ.did.difference(santanna(f), santanna(f, control="not_yet"), kind)  # type: ignore[arg-type]
    np.testing.assert_allclose(found.coef, estimate[differs], rtol=1e-9)
    np.testing.assert_allclose(found.vcov, (psi.T @ psi)[np.ix_(differs, differs)], rtol=1e-6, atol=1e-10)
    assert found.spec.get("event_time", []) == [int(t.split("::")[1]) for t in found.terms if "event" in t]


def test_of_outcomes_is_the_effect_on_their_difference() -> None:
    f = frame().assign(other=lambda d: np.sin(d["y"]) + d["x"])
    f["gap"] = f["y"] - f["other"]
    found = econ.did.difference(santanna(f), santanna(f, "other"), "event")
    direct = santanna(f, "gap").aggregate("event")
    assert found.terms == direct.terms
    np.testing.assert_allclose(found.coef, direct.coef, rtol=1e-10)
    np.testing.assert_allclose(found.vcov, direct.vcov, rtol=1e-8, atol=1e-12)


def test_of_separate_samples_adds_their_variances() -> None:
    f = frame(n=60)
    parts = [santanna(f[f["group"] == group]) for group in ("east", "west")]
    found = econ.did.difference(*parts)
    assert found.std_error[0] == pytest.approx(np.hypot(*(part.aggregate().std_error[0] for part in parts)))
    assert found.dof[0] == 19


def test_of_two_estimators_stacks_their_scores() -> None:
    f = frame()
    regression = econ.did.sun_abraham(panel(f), "y", cohort="cohort", vcov=econ.cluster("region"))
    means = santanna(f, vcov=econ.cluster("region"))
    found = econ.did.difference(regression, means)
    assert found.coef[0] == pytest.approx(regression.aggregate().coef[0] - means.aggregate().coef[0])
    back = econ.did.difference(means, regression)
    np.testing.assert_allclose([back.coef[0], back.std_error[0]], [-found.coef[0], found.std_error[0]], rtol=1e-12)
    a, b = regression.aggregate(), means.aggregate()
    assert abs(a.std_error[0] - b.std_error[0]) < found.std_error[0] < a.std_error[0] + b.std_error[0]
    assert "Sun and Abraham - Callaway" in found.spec["estimator_label"]["en"]


def test_with_covariates_keeps_what_the_units_share() -> None:
    f = frame(n=60)
    found = econ.did.difference(santanna(f, covariates=["x"]), santanna(f))
    apart = [result.aggregate().std_error[0] for result in (santanna(f, covariates=["x"]), santanna(f))]
    assert 0 < found.std_error[0] < np.hypot(*apart)


def test_a_result_does_not_differ_from_itself() -> None:
    for result in (santanna(frame()), econ.did.sun_abraham(panel(frame()), "y", cohort="cohort")):
        with pytest.raises(EconError, match="difference is zero, and nothing tests it"):
            econ.did.difference(result, result)


def test_terms_on_which_results_agree_are_named() -> None:
    f = frame()
    found = econ.did.difference(santanna(f), santanna(f, control="not_yet"), "cohort")
    assert found.terms == ("cohort::2003", "cohort::2004")
    assert "results agree: cohort::2006" in found.notes[-1]["en"]
    assert np.isfinite(found.statistic).all()


def test_what_cannot_be_compared_is_refused() -> None:
    f = frame()
    first = santanna(f)
    with pytest.raises(EconError, match="clustered by"):
        econ.did.difference(first, santanna(f, vcov=econ.cluster("region")))
    early, late = (santanna(f[f["cohort"].isna() | (f["cohort"] == g)]) for g in (2003, 2006))
    with pytest.raises(EconError, match="no cohort term in common"):
        econ.did.difference(early, late, "cohort")
    with pytest.raises(EconError, match="read back from JSON"):
        econ.did.difference(first, DidResult.from_json(first.to_json()))
