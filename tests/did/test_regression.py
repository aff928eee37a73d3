"""Regressions by class against the same regressions by rows: coefficients, every covariance, weights on cells."""

import warnings

import numpy as np
import pandas as pd
import pytest
from cells_by_definition import frame

import econ
from econ import EconError, EconWarning, Estimate, Panel
from econ.did.result import DidResult
from econ.inference.specs import Vcov

VCOVS = [
    econ.iid(),
    econ.hetero("HC1"),
    econ.hetero("HC3"),
    econ.cluster("unit"),
    econ.cluster("unit", kind="CR0"),
    econ.cluster("unit", effects_counted="all"),
    econ.cluster("unit", effects_counted="none"),
    econ.cluster("region"),
    econ.cluster("region", kind="CR0"),
    econ.cluster("year"),
    econ.cluster("unit", "year"),
    econ.cluster("region", kind="CR2"),
    econ.cluster("region", kind="CR3"),
    econ.cluster("unit", kind="CV3"),
    econ.driscoll_kraay(lags=2),
    econ.newey_west(lags=1),
    econ.conley(300),
]
SAMPLES = {"balanced": 0.0, "unbalanced": 0.2}


def panel(f: pd.DataFrame) -> Panel:
    place = f["unit"].str[1:].astype(int)
    return Panel(f.assign(lat=30 + place % 6, lon=100 + place // 6), "unit", "year")


def since_treatment(f: pd.DataFrame) -> pd.Series:
    return (f["year"] - f["cohort"]).astype(float)


def regressors(f: pd.DataFrame, name: str) -> dict[str, pd.Series]:
    """Columns of the regression, by the names of the coefficients."""
    since = since_treatment(f)
    if name == "twfe":
        return {"treated": (since >= 0) * 1.0}
    if name == "event_study":
        clipped = since.clip(-3, 3)
        return {f"event_time::{e}": (clipped == e) * 1.0 for e in (-3, -2, 0, 1, 2, 3)}
    cells = f[since.notna() & (since != -1)].groupby(["cohort", "year"]).size().index
    return {f"cohort::{g:.0f}:period::{t}": ((f["cohort"] == g) & (f["year"] == t)) * 1.0 for g, t in cells}


def by_rows(f: pd.DataFrame, name: str, covariates: list[str], weights: str | None, vcov: Vcov | None) -> Estimate:
    """The regression by rows; its terms are d0, d1, ... and the covariates."""
    columns = list(regressors(f, name).values())
    p = panel(f.assign(**{f"d{k}": column for k, column in enumerate(columns)}))
    terms = [f"d{k}" for k in range(len(columns))] + covariates
    return econ.feols(p, f"y ~ {' + '.join(terms)} | unit + year", weights=weights, vcov=vcov)


def by_class(f: pd.DataFrame, name: str, covariates: list[str], weights: str | None, vcov: Vcov | None) -> DidResult:
    asked = {"cohort": "cohort", "covariates": covariates, "weights": weights, "vcov": vcov}
    if name == "event_study":
        return econ.did.event_study(panel(f), "y", window=(-3, 3), **asked)  # type: ignore[arg-type]
    estimator = {"twfe": econ.did.twfe, "sun_abraham": econ.did.sun_abraham}[name]
    return estimator(panel(f), "y", **asked)  # type: ignore[operator, no-any-return]


def same(found: DidResult, expected: Estimate, rtol: float = 1e-10) -> None:
    np.testing.assert_allclose(found.coef, expected.coef, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.vcov, expected.vcov, rtol=1e-8, atol=1e-10 * np.abs(expected.vcov).max())
    np.testing.assert_allclose(found.std_error, expected.std_error, rtol=rtol)
    np.testing.assert_allclose(found.dof, expected.dof, rtol=1e-8)
    assert found.n_clusters == expected.n_clusters
    assert found.spec["vcov"]["words"] == expected.spec["vcov"]["words"]


@pytest.mark.parametrize("missing", SAMPLES.values(), ids=list(SAMPLES))
@pytest.mark.parametrize("weights", [None, "weight"])
@pytest.mark.parametrize("covariates", [[], ["x"], ["x", "x2"]], ids=len)
@pytest.mark.parametrize("name", ["twfe", "event_study", "sun_abraham"])
def test_classes_give_the_regression_by_rows(
    name: str, covariates: list[str], weights: str | None, missing: float
) -> None:
    f = frame(missing=missing).assign(x2=lambda d: d["x"] ** 2)
    found, expected = (call(f, name, covariates, weights, None) for call in (by_class, by_rows))
    assert found.terms == (*regressors(f, name), *covariates)
    same(found, expected)
    for key in ("r2", "r2_adj", "r2_within", "rmse", "loglik"):
        assert found.stats[key] == pytest.approx(expected.stats[key], rel=1e-9)
    assert found.n_obs == expected.n_obs


@pytest.mark.parametrize("missing", SAMPLES.values(), ids=list(SAMPLES))
@pytest.mark.parametrize("weights", [None, "weight"])
@pytest.mark.parametrize("vcov", VCOVS, ids=str)
def test_every_covariance_is_that_of_the_regression_by_rows(vcov: Vcov, weights: str | None, missing: float) -> None:
    f = frame(missing=missing)
    found, expected = (call(f, "event_study", ["x"], weights, vcov) for call in (by_class, by_rows))
    same(found, expected, rtol=1e-8)


@pytest.mark.parametrize("missing", SAMPLES.values(), ids=list(SAMPLES))
@pytest.mark.parametrize("weights", [None, "weight"])
@pytest.mark.parametrize("name", ["twfe", "event_study", "sun_abraham"])
def test_weights_of_cells_give_back_every_coefficient(name: str, weights: str | None, missing: float) -> None:
    """Units not always seen weigh on their cells unequally; then it holds for outcomes that are equal within cells."""
    f = frame(missing=missing)
    if missing:
        f["y"] = np.sin(3 * f["year"] + f["cohort"].fillna(0))
    found = by_class(f, name, [], weights, None)
    w = f["weight"] if weights else pd.Series(1.0, index=f.index)
    keys = [f["cohort"].fillna(0), f["year"]]
    means = (f["y"] * w).groupby(keys).sum() / w.groupby(keys).sum()
    for term in found.terms:
        weight = found.weights(term)
        cells = zip(weight["cohort"].fillna(0).astype(float), weight["period"], strict=True)
        total = sum(means[g, t] * v for (g, t), v in zip(cells, weight["weight"], strict=True))
        assert total == pytest.approx(found.params[term], rel=1e-9)


def test_an_interaction_without_rows_to_compare_is_named_and_left_out() -> None:
    f = frame()
    alone = f[(f["cohort"] == 2003) | (f["year"] < 2006)]
    with pytest.warns(EconWarning, match="cohort::2003:period::2007"):
        found = econ.did.sun_abraham(panel(alone), "y", cohort="cohort")
    assert "cohort::2003:period::2007" in found.notes[-1]["en"]
    assert "cohort::2003:period::2007" not in found.terms


@pytest.mark.parametrize("name", ["twfe", "event_study", "sun_abraham"])
def test_covariates_that_effects_absorb_are_refused(name: str) -> None:
    f = frame().assign(fixed=lambda d: d.groupby("unit")["x"].transform("first"), twice=lambda d: 2 * d["x"])
    with pytest.raises(EconError, match="absorb the covariates fixed"):
        by_class(f, name, ["x", "fixed"], None, None)
    with pytest.raises(EconError, match="collinear"):
        by_class(f, name, ["x", "twice"], None, None)


def test_nothing_warns() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        by_class(frame(missing=0.2), "sun_abraham", ["x"], "weight", None)
