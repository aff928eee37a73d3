"""The two-stage estimator against a second stage by hand with the method-of-moments standard errors."""

from itertools import product

import numpy as np
import pytest
from untreated_by_hand import by_hand, panel

import econ

CASES = list(product((0.0, 0.15), ((), ("x", "z")), (None, "n"), ("unit", "state"), (0, 1)))


@pytest.mark.parametrize(("missing", "covariates", "weights", "cluster", "anticipation"), CASES)
def test_averages_are_second_stages_on_fewer_indicators(
    missing: float, covariates: tuple[str, ...], weights: str | None, cluster: str, anticipation: int
) -> None:
    base = panel(3, missing)
    found = econ.did.two_stage(
        base,
        "y",
        cohort="cohort",
        covariates=covariates,
        anticipation=anticipation,
        weights=weights,
        vcov=econ.cluster(cluster, kind="CR0"),
    )
    hand = by_hand(base, covariates, weights, cluster, anticipation)
    cohort = base.frame["cohort"].to_numpy()
    times = np.unique(hand.since[hand.treated])
    cohorts = np.unique(cohort[hand.since >= 0])
    before = hand.treated & (hand.since < 0)
    second_stages = {
        "overall": (hand.since >= 0)[:, None],
        "event": hand.since[:, None] == times,
        "cohort": (cohort[:, None] == cohorts) & (hand.since >= 0)[:, None],
    }
    for kind, indicators in second_stages.items():
        X2 = np.column_stack([indicators, before]) if before.any() and kind != "event" else indicators
        coef, sums = hand.two_stage(X2.astype(float))
        q = indicators.shape[1]
        average = found.aggregate(kind)  # type: ignore[arg-type]
        np.testing.assert_allclose(average.coef, coef[:q], rtol=1e-9)
        np.testing.assert_allclose(average.vcov, (sums.T @ sums)[:q, :q], rtol=1e-8, atol=1e-13)


def test_cells_are_the_second_stage_on_cells() -> None:
    base = panel(4, 0.1)
    found = econ.did.two_stage(base, "y", cohort="cohort", weights="n")
    hand = by_hand(base, weights="n")
    cells = [10_000 * g + t for g, t in zip(found.effects.cohort, found.effects.period, strict=True)]
    coef, sums = hand.two_stage((hand.cell[:, None] == cells).astype(float))
    np.testing.assert_allclose(found.coef, coef, rtol=1e-9)
    np.testing.assert_allclose(found.vcov, sums.T @ sums, rtol=1e-8, atol=1e-13)


def test_estimates_are_those_of_imputation() -> None:
    base = panel(1, 0.1)
    first = econ.did.two_stage(base, "y", cohort="cohort", covariates=["x"])
    second = econ.did.imputation(base, "y", cohort="cohort", covariates=["x"])
    assert first.terms == second.terms
    np.testing.assert_array_equal(first.coef, second.coef)
    assert first.aggregate().std_error[0] > second.aggregate().std_error[0]


def test_averages_of_a_result_read_back_are_the_same() -> None:
    found = econ.did.two_stage(panel(2, 0.1), "y", cohort="cohort")
    again = econ.did.DidResult.from_json(found.to_json())
    np.testing.assert_array_equal(again.aggregate("event").vcov, found.aggregate("event").vcov)


def test_equal_weights_of_event_times_keep_the_sizes_of_cells_estimated() -> None:
    found = econ.did.two_stage(panel(2), "y", cohort="cohort")
    event = found.aggregate("event")
    mean = found.aggregate(average="event")
    assert mean.coef[0] == pytest.approx(event.coef.mean(), rel=1e-10)
    assert mean.vcov[0, 0] == pytest.approx(event.vcov.mean(), rel=1e-10)


@pytest.mark.parametrize(
    ("outcome", "truth"), [("log(revenue)", 0.08), ("log(patents)", 0.15)], ids=["revenue", "patents"]
)
def test_the_simulated_zones_effect_lies_in_the_interval(outcome: str, truth: float) -> None:
    found = econ.did.two_stage(econ.load("zones_simulated"), outcome, cohort="demonstration_year")
    row = found.aggregate().tidy().iloc[0]
    assert row["ci_low"] < truth < row["ci_high"]


def test_the_difference_from_imputation_is_zero() -> None:
    first = econ.did.two_stage(panel(), "y", cohort="cohort")
    second = econ.did.imputation(panel(), "y", cohort="cohort")
    assert econ.did.difference(first, second).coef[0] == pytest.approx(0, abs=1e-12)
