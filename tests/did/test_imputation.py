"""Imputation against its definition, with dummies and dense matrices."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from untreated_by_hand import by_hand, panel

import econ
from econ import ModelError, OptionError, Panel

CASES = list(product((0.0, 0.15), ((), ("x", "z")), (None, "n"), ("unit", "state"), (0, 1)))


@pytest.mark.parametrize(("missing", "covariates", "weights", "cluster", "anticipation"), CASES)
def test_effects_and_standard_errors_are_those_of_the_definition(
    missing: float, covariates: tuple[str, ...], weights: str | None, cluster: str, anticipation: int
) -> None:
    base = panel(3, missing)
    found = econ.did.imputation(
        base,
        "y",
        cohort="cohort",
        covariates=covariates,
        anticipation=anticipation,
        weights=weights,
        vcov=econ.cluster(cluster, kind="CR0"),
    )
    hand = by_hand(base, covariates, weights, cluster, anticipation)
    estimate, sums = hand.imputation(hand.average(hand.since >= 0))
    overall = found.aggregate()
    assert overall.coef[0] == pytest.approx(estimate, rel=1e-10)
    assert overall.std_error[0] == pytest.approx(np.sqrt(sums @ sums), rel=1e-10)
    cells = [hand.imputation(hand.average(hand.cell == 10_000 * g + t)) for g, t in zip(*labels(found), strict=True)]
    S = np.array([sums for _, sums in cells]).T
    K = found.n_effects
    np.testing.assert_allclose(found.coef[:K], [estimate for estimate, _ in cells], rtol=1e-9)
    np.testing.assert_allclose(found.vcov[:K, :K], S.T @ S, atol=1e-12)
    if covariates:
        G = hand.first_stage(2)
        np.testing.assert_allclose(found.vcov[K:], G.T @ np.hstack([S, G]), atol=1e-12)


def labels(found: econ.did.DidResult) -> tuple[tuple[float, ...], tuple[float, ...]]:
    return found.effects.cohort, found.effects.period


@pytest.mark.parametrize(("missing", "covariates", "anticipation"), [(0.0, (), 0), (0.1, ("x",), 1)])
def test_leads_are_the_regression_on_untreated_rows(
    missing: float, covariates: tuple[str, ...], anticipation: int
) -> None:
    base = panel(5, missing)
    found = econ.did.imputation(
        base, "y", cohort="cohort", covariates=covariates, anticipation=anticipation, leads=2, weights="n"
    )
    since = base.frame["year"] - base.frame["cohort"]
    base = base.assign(**{f"lead{e}": (since == -anticipation - e).astype(float) for e in (2, 1)}, since=since)
    untreated = base.where(lambda d: ~(d["since"] >= -anticipation))
    formula = " + ".join(("lead2", "lead1", *covariates))
    expected = econ.feols(untreated, f"y ~ {formula} | unit + year", weights="n", vcov=econ.cluster("unit", kind="CR0"))
    np.testing.assert_allclose(found.coef[:2], expected.coef[:2], rtol=1e-9)
    np.testing.assert_allclose(found.vcov[:2, :2], expected.vcov[:2, :2], rtol=1e-9)
    assert found.terms[:2] == (f"event_time::{-anticipation - 2}", f"event_time::{-anticipation - 1}")
    assert found.aggregate("event").spec["event_time"][:2] == [-anticipation - 2, -anticipation - 1]


def test_leads_and_effects_have_a_joint_covariance() -> None:
    base = panel(5, 0.1)
    found = econ.did.imputation(base, "y", cohort="cohort", leads=2)
    hand = by_hand(base)
    _, effect = hand.imputation(hand.average(hand.since >= 0))
    leads = np.column_stack([hand.since == -2, hand.since == -1]).astype(float)
    frame = base.frame.assign(lead2=leads[:, 0], lead1=leads[:, 1])
    test = by_hand(Panel(frame, "unit", "year"), ("lead2", "lead1")).first_stage(2)
    joint = found.overall_weights() @ found.vcov[:, :2]
    np.testing.assert_allclose(joint, effect @ test, atol=1e-12)


def test_effects_do_not_depend_on_leads() -> None:
    plain = econ.did.imputation(panel(), "y", cohort="cohort")
    tested = econ.did.imputation(panel(), "y", cohort="cohort", leads=2)
    assert tested.terms[2:] == plain.terms
    np.testing.assert_array_equal(tested.coef[2:], plain.coef)
    np.testing.assert_allclose(tested.vcov[2:, 2:], plain.vcov, rtol=1e-10)


def test_known_effects_are_found_without_noise() -> None:
    rng = np.random.default_rng(1)
    base = panel(0, 0.1)
    unit, year = rng.normal(size=18), rng.normal(size=8)
    since = base.frame["year"] - base.frame["cohort"]
    truth = (1 + since + 0.1 * (base.frame["cohort"] - 2000)).where(since >= 0, 0.0)
    flat = unit[base.frame["unit"]] + year[base.frame["year"] - 2001] + 2 * base.frame["x"]
    found = econ.did.imputation(base.assign(y=flat + truth), "y", cohort="cohort", covariates=["x"])
    expected = [1 + (t - g) + 0.1 * (g - 2000) for g, t in zip(*labels(found), strict=True)]
    np.testing.assert_allclose(found.coef, [*expected, 2.0], atol=1e-9)


@pytest.mark.parametrize(
    ("outcome", "truth"), [("log(revenue)", 0.08), ("log(patents)", 0.15)], ids=["revenue", "patents"]
)
def test_the_simulated_zones_effect_lies_in_the_interval(outcome: str, truth: float) -> None:
    found = econ.did.imputation(econ.load("zones_simulated"), outcome, cohort="demonstration_year")
    row = found.aggregate().tidy().iloc[0]
    assert row["ci_low"] < truth < row["ci_high"]


def test_weights_are_copies_of_units() -> None:
    base = panel(2, 0.1)
    frame = base.frame
    copies = frame.loc[frame.index.repeat(frame["n"])]
    copies = copies.assign(copy=copies.groupby(["unit", "year"]).cumcount(), origin=copies["unit"])
    repeated = Panel(copies.assign(unit=copies["unit"] * 10 + copies["copy"]), "unit", "year")
    weighted = econ.did.imputation(base, "y", cohort="cohort", weights="n")
    by_origin = econ.did.imputation(repeated, "y", cohort="cohort", vcov=econ.cluster("origin", kind="CR0"))
    np.testing.assert_allclose(weighted.coef, by_origin.coef, rtol=1e-9)
    np.testing.assert_allclose(weighted.vcov, by_origin.vcov, rtol=1e-8, atol=1e-14)


def test_effects_by_group_average_to_those_of_all() -> None:
    whole = econ.did.imputation(panel(), "y", cohort="cohort")
    split = econ.did.imputation(panel(), "y", cohort="cohort", by="plate")
    assert split.aggregate().coef[0] == pytest.approx(whole.aggregate().coef[0], rel=1e-10)
    assert split.aggregate("group").terms == ("group::east", "group::west")


def test_weights_on_cells_reproduce_the_estimates() -> None:
    base = panel()
    found = econ.did.imputation(base, "y", cohort="cohort", leads=1)
    means = base.frame.groupby([base.frame["cohort"].fillna(0), "year"])["y"].mean()
    for term, coef in zip(found.terms, found.coef, strict=True):
        table = found.weights(term)
        cells = pd.MultiIndex.from_arrays([table["cohort"].fillna(0), table["period"]])
        assert table["weight"].to_numpy() @ means[cells].to_numpy() == pytest.approx(coef, abs=1e-10)


def test_without_never_treated_the_periods_without_untreated_units_are_left_out() -> None:
    found = econ.did.imputation(panel().where(lambda d: d["cohort"].notna()), "y", cohort="cohort")
    assert set(zip(*labels(found), strict=True)) == {(2004, 2004), (2004, 2005), (2004, 2006), (2006, 2006)}
    assert found.dropped == {"no untreated outcome can be imputed": 24}
    assert "no untreated unit is observed in the period" in found.notes[0]["en"]
    assert "2004 in 2007, 2004 in 2008, 2006 in 2007" in found.notes[0]["en"]


def test_a_unit_without_an_untreated_period_is_left_out_and_named() -> None:
    base = panel().assign(y=lambda d: d["y"].mask((d["unit"] == 1) & (d["year"] < 2004)))
    found = econ.did.imputation(base, "y", cohort="cohort")
    assert found.n_units == 17
    assert found.notes[0]["en"] == "Left out because they are not observed before treatment: 1."
    without = econ.did.imputation(panel().where(lambda d: d["unit"] != 1), "y", cohort="cohort")
    np.testing.assert_allclose(found.coef, without.coef, rtol=1e-10)


def test_periods_are_imputed_only_where_untreated_units_link_them() -> None:
    """Some never-treated units are seen up to 2005, the others from 2006 on: nothing links the two spells."""
    base = panel().where(
        lambda d: (
            (d["cohort"] == 2004)
            | (d["unit"].between(12, 14) & (d["year"] < 2006))
            | ((d["unit"] > 14) & (d["year"] >= 2006))
        )
    )
    found = econ.did.imputation(base, "y", cohort="cohort")
    assert labels(found) == ((2004, 2004), (2004, 2005))
    assert "links it with periods before treatment: 2004 in 2006, 2004 in 2007, 2004 in 2008." in found.notes[0]["en"]
    alone = econ.did.imputation(base.where(lambda d: d["year"] < 2006), "y", cohort="cohort")
    np.testing.assert_allclose(found.coef, alone.coef, rtol=1e-10)
    np.testing.assert_allclose(found.vcov, alone.vcov, rtol=1e-10)


def test_cells_of_one_unit_are_noted() -> None:
    base = panel().where(lambda d: ~d["unit"].isin([9, 10]))
    found = econ.did.imputation(base, "y", cohort="cohort")
    assert "single treated unit (cohorts 2007)" in found.notes[0]["en"]


@pytest.mark.parametrize(
    ("change", "options", "error", "words"),
    [
        ({"cohort": 2001.0}, {}, ModelError, "Every row .* nothing to compare with"),
        ({"cohort": 2005.0}, {}, ModelError, "could be imputed: .* Give units never treated"),
        ({"cohort": np.nan}, {}, ModelError, "No row of the sample is treated"),
        ({}, {"covariates": ["n"]}, ModelError, "absorb the covariates n, .* in untreated observations"),
        (
            {"d": lambda d: (d["year"] >= d["cohort"]).astype(float)},
            {"covariates": ["d"]},
            ModelError,
            "absorb the covariates d",
        ),
        ({"c": lambda d: 2 * d["x"]}, {"covariates": ["x", "c"]}, ModelError, "collinear"),
        ({"c": "a"}, {"vcov": econ.cluster("c")}, ModelError, "finds 1 cluster"),
        ({}, {"vcov": econ.hetero()}, OptionError, "influence of each unit"),
        ({}, {"leads": 6}, OptionError, "leads=6 is not allowed here.*Give fewer"),
        ({}, {"leads": -1}, OptionError, "whole number of event times"),
    ],
    ids=[
        "all from the start",
        "all at once",
        "nobody",
        "constant within units",
        "treatment as covariate",
        "collinear",
        "one cluster",
        "no influence",
        "too many leads",
        "negative leads",
    ],
)
def test_bad_input(change: dict[str, object], options: dict[str, object], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        econ.did.imputation(panel().assign(**change), "y", cohort="cohort", **options)  # type: ignore[arg-type]
