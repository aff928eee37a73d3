"""Which coefficients are leads and lags."""

from dataclasses import replace

import numpy as np
import pytest

import econ
from econ import ModelError, OptionError
from econ.did.leads import event_path, symmetric_path
from econ.estimate import Estimate
from tests.did.event_estimates import by_event_time, random_estimate


def test_in_order_whatever_the_order_of_the_terms() -> None:
    first = random_estimate(0, 3, 2)
    order = np.array([4, 0, 3, 2, 1])
    times = [first.spec["event_time"][i] for i in order]
    shuffled = by_event_time(first.coef[order], first.vcov[np.ix_(order, order)], times)
    path = event_path(shuffled)
    assert path.time.tolist() == [-4, -3, -2, 0, 1]
    np.testing.assert_array_equal(path.coef, first.coef)
    np.testing.assert_array_equal(path.vcov, first.vcov)
    assert path.before.tolist() == [True] * 3 + [False] * 2


def with_covariate(estimate: Estimate) -> Estimate:
    """A covariate among the terms, correlated with the others."""
    K = len(estimate.terms)
    vcov = np.eye(K + 1)
    vcov[np.ix_([0, *range(2, K + 1)], [0, *range(2, K + 1)])] = estimate.vcov
    return replace(
        estimate,
        terms=(estimate.terms[0], "x", *estimate.terms[1:]),
        coef=np.insert(estimate.coef, 1, 9.0),
        vcov=vcov,
        dof=np.full(K + 1, np.inf),
    )


def test_covariates_are_left_out() -> None:
    first = random_estimate(0, 3, 2)
    path, n_leads = symmetric_path(with_covariate(first))
    np.testing.assert_array_equal(path.coef, first.coef)
    np.testing.assert_array_equal(path.vcov, first.vcov)
    assert n_leads == 3


def test_event_times_by_term() -> None:
    first = random_estimate(0, 2, 2)
    named = replace(
        first, terms=("a", "b", "c", "d"), spec=dict(first.spec) | {"event_time": {"d": 1, "a": -3, "b": -2, "c": 0}}
    )
    path = event_path(named)
    assert path.time.tolist() == [-3, -2, 0, 1]
    np.testing.assert_array_equal(path.coef, first.coef)


def test_a_reference_among_the_terms_is_left_out() -> None:
    V = np.diag([1.0, 0.0, 1.0])
    path, n_leads = symmetric_path(by_event_time([0.3, 0.0, 0.5], V, [-2, -1, 0]))
    assert path.time.tolist() == [-2, 0]
    assert n_leads == 1


def test_anticipated_periods_are_lags() -> None:
    estimate = by_event_time([0.1, 0.2, 0.3, 0.4], np.eye(4), [-4, -2, -1, 0], reference=-3, anticipation=2)
    path, n_leads = symmetric_path(estimate)
    assert n_leads == 1
    assert path.before.tolist() == [True, False, False, False]


def test_results_over_cells_are_averaged() -> None:
    panel = econ.load("provinces").with_cohort(econ.roster("innovation_demonstration_zones"))
    panel = panel.where(lambda d: d["province"] != "Tibet")
    result = econ.did.callaway_santanna(panel, "log(invention_grants)", cohort="cohort", base="universal")
    np.testing.assert_array_equal(event_path(result).coef, event_path(result.aggregate("event")).coef)


@pytest.mark.parametrize(
    ("estimate", "words"),
    [
        (by_event_time([1.0, 2.0], np.eye(2), [0, 1]), "no coefficient before treatment"),
        (by_event_time([1.0, 2.0], np.eye(2), [-3, -2]), "no effect after the reference period -1"),
        (by_event_time([1.0, 2.0, 3.0], np.eye(3), [-4, -2, 0]), "Event times -3 are missing between -4 and 0"),
        (by_event_time([1.0, 2.0, 3.0], np.eye(3), [-3, 0, 1]), "Event times -2 are missing"),
        (by_event_time([1.0, 2.0, 3.0], np.eye(3), [-2, 0, 2]), "Event times 1 are missing"),
        (by_event_time([1.0, 2.0, 3.0], np.eye(3), [-2, -1, 0], reference=-3), "reference period is -3, but .* is -1"),
        (by_event_time([1.0, 2.0, 3.0], np.eye(3), [-2, -1, 0], reference=None), "no common reference"),
        (by_event_time([1.0, 2.0, 3.0], np.ones((3, 3)), [-2, 0, 1]), "covariance of the 3 .* singular"),
        (by_event_time([1.0, np.nan, 3.0], np.eye(3), [-2, 0, 1]), "Event times 0 have no estimate"),
        (by_event_time([1.0, 2.0, 3.0], np.diag([1.0, 0, 1]), [-2, 0, 1]), "Event times 0 have no estimate"),
        (by_event_time([1.0, 2.0, 3.0], np.eye(3), [-2, 0, 0]), "Event time 0 has more than one"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_what_cannot_be_compared_is_refused(estimate: Estimate, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        symmetric_path(estimate)


def test_what_has_no_event_times_is_refused() -> None:
    plain = replace(random_estimate(0, 1, 1), spec={"estimator": "feols"})
    with pytest.raises(OptionError, match="terms of this feols are no event times"):
        event_path(plain)
    with pytest.raises(OptionError, match="3 event times for 2 terms"):
        event_path(replace(plain, spec={"event_time": [-2, 0, 1]}))
    with pytest.raises(OptionError, match="of which q are not on the result"):
        event_path(replace(plain, spec={"event_time": {"q": -2}}))
    with pytest.raises(OptionError, match="got float"):
        event_path(0.5)  # type: ignore[arg-type]
    panel = econ.load("provinces").with_cohort(econ.roster("innovation_demonstration_zones"))
    with pytest.raises(ModelError, match="no effects by event time"):
        event_path(econ.did.twfe(panel, "log(invention_grants)", cohort="cohort"))
