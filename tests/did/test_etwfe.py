"""Extended two-way fixed effects against regressions on dummies and a Poisson model by hand."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from designs import staggered

import econ
from econ import DataError, ModelError, OptionError, Panel


@dataclass(frozen=True)
class Dummies:
    """A regression with everything spelled out: outcome, columns (the cells first), rows of each cell, clusters."""

    y: np.ndarray
    X: np.ndarray
    cells: list[tuple[float, int]]
    member: np.ndarray  # (rows, cells)
    cluster: np.ndarray


def dummies(
    panel: Panel, covariates: list[str], control: str = "not_yet", levels: str = "unit", outcome: str = "y"
) -> Dummies:
    """Wooldridge's regression: cells, levels, periods; covariates about their means by cell, by cohort, by period."""
    d = panel.frame.sort_values(["unit", "year"])
    cohort, year = d["cohort"].fillna(np.inf).to_numpy(), d["year"].to_numpy()
    kept = [
        (g, t)
        for g in np.unique(cohort[np.isfinite(cohort)])
        for t in np.unique(year)
        if (t >= g or (control == "never" and t != g - 1)) and ((cohort == g) & (year == t)).any()
    ]
    member = np.array([(cohort == g) & (year == t) for g, t in kept]).T.astype(float)
    names = d["unit"].to_numpy() if levels == "unit" else cohort
    columns = [member, *(np.unique(z)[None, :] == z[:, None] for z in (names, year))]
    for name in covariates:
        x = d[name].to_numpy()[:, None]
        means = (member * x).sum(axis=0) / member.sum(axis=0)
        by_level = [(np.unique(z)[None, :] == z[:, None]) * x for z in (cohort, year)]
        columns += [member * (x - means), *by_level]
    X = np.column_stack(columns).astype(float)
    return Dummies(d[outcome].to_numpy(), X, kept, member, d["unit"].to_numpy())


def sums(values: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    """Column sums by cluster."""
    return pd.DataFrame(values).groupby(cluster).sum().to_numpy()


@pytest.mark.parametrize("control", ["not_yet", "never"])
@pytest.mark.parametrize("covariates", [[], ["x"], ["z"], ["x", "z"]])
@pytest.mark.parametrize("missing", [0, 40])
def test_linear_is_the_regression_on_dummies(control: str, covariates: list[str], missing: int) -> None:
    panel = staggered(1, missing=missing)
    found = econ.did.etwfe(panel, "y", cohort="cohort", covariates=covariates, control=control)  # type: ignore[arg-type]
    hand = dummies(panel, covariates, control)
    inverse = np.linalg.pinv(hand.X)
    beta = inverse @ hand.y
    K = len(hand.cells)
    assert list(zip(found.effects.cohort, found.effects.period, strict=True)) == hand.cells
    np.testing.assert_allclose(found.coef[:K], beta[:K], rtol=1e-7, atol=1e-9)
    meat = sums((inverse[:K] * (hand.y - hand.X @ beta)).T, hand.cluster)
    V = meat.T @ meat
    ratio = np.diag(found.vcov)[:K] / np.diag(V)
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-6)
    G, N = 40, len(hand.y)
    k = np.linalg.matrix_rank(hand.X) - G + 1  # unit effects, nested in the clusters, count as one
    np.testing.assert_allclose(ratio[0], G / (G - 1) * (N - 1) / (N - k), rtol=1e-6)


def test_without_covariates_the_estimates_are_those_of_imputation_and_of_sun_and_abraham() -> None:
    panel = staggered(2)
    imputed = econ.did.imputation(panel, "y", cohort="cohort")
    np.testing.assert_allclose(econ.did.etwfe(panel, "y", cohort="cohort").coef, imputed.coef, rtol=1e-9)
    never = econ.did.etwfe(panel, "y", cohort="cohort", control="never")
    interacted = econ.did.sun_abraham(panel, "y", cohort="cohort")
    np.testing.assert_allclose(never.coef, interacted.coef, rtol=1e-8)
    np.testing.assert_allclose(never.std_error, interacted.std_error, rtol=1e-8)


def counts(seed: int = 0, *, missing: int = 0) -> Panel:
    """Counts with a mean that treatment raises by a factor."""
    panel = staggered(seed, missing=missing)
    rng = np.random.default_rng(seed)

    def draw(d: pd.DataFrame) -> np.ndarray:
        index = 1.5 + 0.3 * d["x"] + 0.2 * d["z"] + 0.02 * (d["year"] - 2001) + 0.4 * d["d"]
        return rng.poisson(np.exp(index)).astype(float)

    return panel.assign(y=draw)


@pytest.mark.parametrize("covariates", [[], ["x"], ["x", "z"]])
@pytest.mark.parametrize("missing", [0, 40])
def test_poisson_is_the_model_on_dummies_with_delta_method_errors(covariates: list[str], missing: int) -> None:
    panel = counts(3, missing=missing)
    found = econ.did.etwfe(panel, "y", cohort="cohort", covariates=covariates, family="poisson")
    hand = dummies(panel, covariates, levels="cohort")
    K, C = len(hand.cells), len(covariates)
    basis = np.linalg.svd(hand.X, full_matrices=False)
    rank = int((basis[1] > 1e-9 * basis[1][0]).sum())
    to_full = basis[2][:rank].T  # parameters of the dummies from those of a basis
    fit = sm.GLM(hand.y, hand.X @ to_full, family=sm.families.Poisson()).fit(tol=1e-12, maxiter=200)
    bread = np.linalg.inv((hand.X @ to_full).T @ (fit.mu[:, None] * (hand.X @ to_full)))
    scores = sums((hand.y - fit.mu)[:, None] * (hand.X @ to_full), hand.cluster)
    V = to_full @ bread @ scores.T @ scores @ bread @ to_full.T

    def effects(theta: np.ndarray) -> np.ndarray:
        without = hand.X.copy()
        without[:, :K] = 0.0
        block = K + 4 + 10  # cells, cohorts, years
        for j in range(C):  # the slopes of cells go with their intercepts
            without[:, (j + 1) * block : (j + 1) * block + K] = 0.0
        change = np.exp(hand.X @ theta) - np.exp(without @ theta)
        return hand.member.T @ change / hand.member.sum(axis=0)

    theta = to_full @ fit.params
    expected = effects(theta)
    np.testing.assert_allclose(found.coef[:K], expected, rtol=1e-6)
    step = 1e-6
    J = np.array([(effects(theta + step * e) - effects(theta - step * e)) / (2 * step) for e in to_full.T]).T
    hand_vcov = J @ (to_full.T @ V @ to_full) @ J.T
    N, G = len(hand.y), 40
    factor = G / (G - 1) * (N - 1) / (N - rank)
    np.testing.assert_allclose(np.diag(found.vcov)[:K], factor * np.diag(hand_vcov), rtol=1e-4)
    np.testing.assert_allclose(found.stats["mean_counterfactual"], _counterfactual(hand, expected), rtol=1e-6)


def _counterfactual(hand: Dummies, effects: np.ndarray) -> float:
    size = hand.member.sum(axis=0)
    means = hand.member.T @ hand.y / size
    return float(np.average(means - effects, weights=size))


@pytest.mark.parametrize("control", ["not_yet", "never"])
def test_poisson_recovers_a_factor_without_noise(control: str) -> None:
    panel = staggered(4).assign(
        y=lambda d: np.exp(0.1 * d["cohort"].fillna(2000) / 100 + 0.05 * d["year"] % 3 + 0.4 * d["d"])
    )
    found = econ.did.etwfe(panel, "y", cohort="cohort", family="poisson", control=control)  # type: ignore[arg-type]
    ratios = found.tidy().set_index("term").filter(like="log_ratio::", axis=0)["estimate"]
    post = [int(name.rpartition("::")[2]) >= int(name.split("::")[2].split(":")[0]) for name in ratios.index]
    np.testing.assert_allclose(ratios[post], 0.4, rtol=1e-7)
    np.testing.assert_allclose(ratios[[not p for p in post]], 0.0, atol=1e-9)


@pytest.mark.parametrize("family", ["linear", "poisson"])
def test_weights_are_duplicates(family: str) -> None:
    panel = counts(5)
    frame = panel.frame
    copies = [frame[frame["n"] > k].assign(unit=lambda d, k=k: d["unit"] + 1000 * k) for k in range(3)]
    copied = Panel(pd.concat(copies), "unit", "year")
    key = {"cohort": "cohort", "covariates": ["x"], "family": family}
    weighted = econ.did.etwfe(panel, "y", weights="n", **key)  # type: ignore[arg-type]
    again = econ.did.etwfe(copied, "y", **key)  # type: ignore[arg-type]
    np.testing.assert_allclose(weighted.aggregate().coef, again.aggregate().coef, rtol=1e-8)


@pytest.mark.parametrize("family", ["linear", "poisson"])
def test_effects_by_group_average_to_the_groups(family: str) -> None:
    panel = counts(6)
    by = econ.did.etwfe(panel, "y", cohort="cohort", by="group", family=family)  # type: ignore[arg-type]
    groups = by.aggregate("group")
    assert groups.terms == ("group::a", "group::b")
    assert 0 <= groups.test("equal effects").p_value <= 1
    if family == "linear":
        imputed = econ.did.imputation(panel, "y", cohort="cohort", by="group").aggregate("group")
        np.testing.assert_allclose(groups.coef, imputed.coef, rtol=1e-8)


@pytest.mark.parametrize(("outcome", "truth"), [("log(revenue)", 0.08), ("log(patents)", 0.15)])
def test_the_effect_on_simulated_zones_is_in_the_interval(outcome: str, truth: float) -> None:
    found = econ.did.etwfe(econ.load("zones_simulated"), outcome, cohort="demonstration_year")
    row = found.aggregate("overall").tidy().iloc[0]
    assert row["ci_low"] < truth < row["ci_high"]


def test_every_assignment_and_every_unit_left_out_can_be_estimated() -> None:
    panel = staggered(7)
    found = econ.did.permute(econ.did.etwfe, panel, "y", cohort="cohort", draws=99)
    assert found.p_value < 0.2
    left = econ.did.leave_one_out(econ.did.etwfe, panel, "y", cohort="cohort", by="region")
    assert np.isfinite(left.frame["estimate"]).all()


def test_cells_that_nothing_untreated_tells_are_named() -> None:
    panel = staggered(8).where(lambda d: d["cohort"].notna())
    found = econ.did.etwfe(panel, "y", cohort="cohort")
    assert max(found.effects.period) == 2007
    assert any("last cohort (2008)" in note["en"] for note in found.notes)


@pytest.mark.parametrize(
    ("change", "options", "error", "words"),
    [
        (lambda d: d.assign(y=d["y"] - 100), {"family": "poisson"}, DataError, "negative values; family='poisson'"),
        (lambda d: d.assign(y=d["y"] * d["d"]), {"family": "poisson"}, ModelError, "zero in all untreated"),
        (lambda d: d, {"family": "logit"}, OptionError, "'logit'"),
        (lambda d: d, {"control": "sometimes"}, OptionError, "'sometimes'"),
        (lambda d: d.assign(x=1.0), {"covariates": ["x"]}, ModelError, "x"),
        (lambda d: d.assign(x=1.0), {"covariates": ["x"], "family": "poisson"}, ModelError, "does not vary"),
        (lambda d: d, {"family": "poisson", "vcov": econ.hetero()}, OptionError, "influence of each unit"),
    ],
)
def test_bad_input(change, options, error, words) -> None:  # type: ignore[no-untyped-def]
    panel = counts(9)
    with pytest.raises(error, match=words):
        econ.did.etwfe(Panel(change(panel.frame), "unit", "year"), "y", cohort="cohort", **options)
