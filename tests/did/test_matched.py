"""Matching before difference-in-differences: weights by definition, effects by hand, balance."""

import numpy as np
import pandas as pd
import pytest

import econ
from econ import ModelError, OptionError, Panel
from econ.did.matching import entropy_weights, nearest_weights

X = ["x", "z"]


def panel(seed: int = 0) -> Panel:
    """Twelve units treated in 2004, eight in 2006, thirty never; the treated have larger x, and trends follow x."""
    rng = np.random.default_rng(seed)
    n = 50
    first = np.repeat([2004.0, 2006.0, np.nan], [12, 8, 30])
    x, z = rng.normal(size=n) + 0.7 * np.isfinite(first), rng.normal(size=n)
    frame = pd.DataFrame([(i, t) for i in range(n) for t in range(2001, 2009)], columns=["unit", "year"])
    frame["cohort"], frame["x"], frame["z"] = (values[frame["unit"]] for values in (first, x, z))
    frame["y"] = rng.normal(size=len(frame)) + frame["x"] * (frame["year"] - 2001) + (frame["year"] >= frame["cohort"])
    return Panel(frame, "unit", "year")


def by_definition(result: econ.did.MatchedResult, base: Panel, cohort: int, period: int) -> float:
    wide = base.frame.pivot(index="unit", columns="year", values="y")
    change = wide[period] - wide[cohort - 1]
    first = base.attribute("cohort")
    matches = result.matches[result.matches["cohort"] == cohort].set_index("unit")["weight"]
    return float(change[first == cohort].mean() - (matches * change[matches.index]).sum() / matches.sum())


@pytest.mark.parametrize("method", ["entropy", "nearest"])
def test_effects_are_differences_of_weighted_changes(method: str) -> None:
    result = econ.did.matched(panel(), "y", cohort="cohort", covariates=X, method=method)
    cells = result.cells.set_index(["cohort", "period"])["estimate"]
    for cohort, period in ((2004, 2001), (2004, 2008), (2006, 2006)):
        assert cells[cohort, period] == pytest.approx(by_definition(result, panel(), cohort, period), abs=1e-9)
    assert (2004, 2003) not in cells.index


def test_entropy_balancing_makes_means_equal_and_is_the_improved_doubly_robust_estimator() -> None:
    result = econ.did.matched(panel(), "y", cohort="cohort", covariates=X)
    assert result.balance["std_diff_after"].abs().max() < 1e-8
    assert (result.balance["std_diff_before"].abs() > 0.05).any()
    options = {"covariates": X, "method": "dr_improved", "base": "universal"}
    other = econ.did.callaway_santanna(panel(), "y", cohort="cohort", **options)
    np.testing.assert_allclose(result.coef, other.coef, atol=1e-9)
    np.testing.assert_allclose(result.vcov, other.vcov, rtol=1e-8)


def test_entropy_weights_have_the_largest_entropy() -> None:
    rng = np.random.default_rng(3)
    x, treated = rng.normal(size=(40, 2)), np.arange(40) < 10
    match = entropy_weights(treated, x)
    w = match.weights[~treated] / match.weights[~treated].sum()
    np.testing.assert_allclose(w @ x[~treated], x[treated].mean(axis=0), atol=1e-10)
    design = np.column_stack([np.ones(30), x[~treated]])
    logs = np.log(w)
    np.testing.assert_allclose(design @ np.linalg.lstsq(design, logs, rcond=None)[0], logs, atol=1e-8)


def test_nearest_neighbours_by_hand() -> None:
    treated = np.array([True, True, False, False, False, False])
    x = np.array([[0.0], [1.0], [0.1], [0.9], [-0.5], [2.5]])
    one = nearest_weights(treated, x, 1, None)
    np.testing.assert_allclose(one.weights, [1, 1, 1, 1, 0, 0])
    two = nearest_weights(treated, x, 2, None)
    np.testing.assert_allclose(two.weights, [1, 1, 1, 0.5, 0.5, 0])
    assert not two.unmatched.any()


def test_a_caliper_leaves_units_without_a_near_control_out() -> None:
    base = panel().assign(x=lambda d: d["x"].where(d["unit"] != 0, 4.0))
    result = econ.did.matched(base, "y", cohort="cohort", covariates=X, method="nearest", caliper=0.3)
    assert any("no control is near enough" in note["en"] and "0" in note["en"] for note in result.notes)
    size = result.cells.set_index(["cohort", "period"])["size"]
    assert size[2004, 2005] < 12


def test_matching_takes_out_a_trend_that_follows_a_covariate() -> None:
    plain = econ.did.callaway_santanna(panel(), "y", cohort="cohort").aggregate()
    result = econ.did.matched(panel(), "y", cohort="cohort", covariates=X).aggregate()
    assert plain.coef[0] > 1.5
    assert result.coef[0] == pytest.approx(1.0, abs=0.3)


@pytest.mark.parametrize("method", ["entropy", "nearest"])
def test_simulated_zones(method: str) -> None:
    zones = econ.load("zones_simulated")
    covariates = ["log(revenue)", "log(employment)"]
    result = econ.did.matched(zones, "log(patents)", cohort="demonstration_year", covariates=covariates, method=method)
    row = result.aggregate().tidy().iloc[0]
    assert row["ci_low"] < 0.15 < row["ci_high"]
    assert "Simulated data" in result.notes[0]["en"]


def test_json_keeps_balance_and_matches() -> None:
    result = econ.did.matched(panel(), "y", cohort="cohort", covariates=X)
    again = type(result).from_json(result.to_json())
    assert again.to_json() == result.to_json()
    pd.testing.assert_frame_equal(again.matches, result.matches, check_dtype=False)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_balance_plot(lang: econ.Lang) -> None:
    result = econ.did.matched(panel(), "y", cohort="cohort", covariates=X)
    plot = econ.report.balance_plot(result, lang=lang, labels={"x": "Level"})
    assert plot.data["label"].tolist() == ["Level", "z"]
    assert len(result.balance_plot().data) == 2


def test_a_cohort_beyond_the_controls_is_named() -> None:
    base = panel().assign(x=lambda d: d["x"] + 50 * (d["cohort"] == 2006))
    result = econ.did.matched(base, "y", cohort="cohort", covariates=X)
    assert set(result.cells["cohort"]) == {2004}
    assert any("Cohorts left out" in note["en"] and "2006" in note["en"] for note in result.notes)


@pytest.mark.parametrize(
    ("change", "options", "error", "words"),
    [
        (lambda p: p, {"covariates": []}, OptionError, "list what to match on"),
        (lambda p: p, {"covariates": X, "caliper": 0.1}, OptionError, "belong to method='nearest'"),
        (lambda p: p, {"covariates": X, "method": "nearest", "neighbours": 0}, OptionError, "whole number"),
        (lambda p: p, {"covariates": X, "method": "nearest", "caliper": -1.0}, OptionError, "positive number"),
        (lambda p: p, {"covariates": X, "method": "kernel"}, OptionError, "choose one of 'entropy', 'nearest'"),
        (lambda p: p.where(lambda d: d["cohort"].notna()), {"covariates": X}, ModelError, "nobody to match with"),
        (lambda p: p.assign(x=lambda d: d["cohort"].notna() * 1.0), {"covariates": ["x"]}, ModelError, "predict"),
        (lambda p: p.assign(x=1.0), {"covariates": ["x"]}, ModelError, "constant or collinear"),
    ],
)
def test_bad_input(change: object, options: dict[str, object], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        econ.did.matched(change(panel()), "y", cohort="cohort", **options)  # type: ignore[operator]
