"""Local projections against a regression of long differences for each horizon."""

import numpy as np
import pandas as pd
import pytest

import econ
from econ import EconError, ModelError, OptionError, Panel
from econ.did.design import read_design
from econ.did.horizons import by_class, by_unit
from econ.did.local_projections import projections
from tests.did.designs import staggered

WINDOW = (-3, 3)
TIMES = [-3, -2, 0, 1, 2, 3]


def long_differences(panel: Panel, h: int, control: str = "not_yet", base: str = "first_lag") -> pd.DataFrame:
    """Rows of newly treated units and clean controls, with the outcome ``dy`` of horizon h and treatment ``D``."""
    frame = panel.frame.dropna(subset="y")
    y = frame.set_index(["unit", "year"])["y"]
    first = frame.groupby("unit")["cohort"].first().fillna(np.inf)
    rows = []
    for (unit, g), t in ((pair, t) for pair in first.items() for t in range(2001, 2011)):
        limit = np.inf if control == "never" else t + max(h, 0) + 1
        before = [s for s in range(2001, t) if (unit, s) in y.index] if base == "pre_mean" else [t - 1]
        if (g == t or g >= limit) and (unit, t + h) in y.index and before and (unit, before[-1]) in y.index:
            dy = y[unit, t + h] - np.mean([y[unit, s] for s in before])
            rows.append((unit, t, float(g == t), dy))
    found = pd.DataFrame(rows, columns=["unit", "year", "D", "dy"])
    return found.merge(frame[["unit", "year", "z", "n"]], on=["unit", "year"], how="left")


def by_hand(rows: pd.DataFrame, w: np.ndarray, names: list[str]) -> tuple[float, float]:
    """Coefficient of D and its standard error, clustered by unit, dates as dummies."""
    dates = pd.get_dummies(rows["year"]).to_numpy(float)
    X = np.hstack([rows[["D", *names]].to_numpy(float), dates])
    y = rows["dy"].to_numpy()
    bread = np.linalg.inv(X.T @ (w[:, None] * X))
    coef = bread @ X.T @ (w * y)
    scores = pd.DataFrame(X * (w * (y - X @ coef))[:, None]).groupby(rows["unit"].to_numpy()).sum().to_numpy()
    G, (N, K) = len(scores), X.shape
    V = bread @ scores.T @ scores @ bread * G / (G - 1) * (N - 1) / (N - K)
    return coef[0], np.sqrt(V[0, 0])


@pytest.mark.parametrize("base", ["first_lag", "pre_mean"])
@pytest.mark.parametrize("control", ["not_yet", "never"])
@pytest.mark.parametrize("weights", [None, "n"])
@pytest.mark.parametrize("missing", [0, 25])
def test_equals_least_squares_by_horizon(missing: int, weights: str | None, control: str, base: str) -> None:
    panel = staggered(1, missing=missing)
    found = econ.did.local_projections(
        panel, "y", cohort="cohort", window=WINDOW, control=control, base=base, weights=weights
    )
    counts = panel.frame.groupby("unit")["n"].first()
    for h, coef, std_error in zip(found.spec["event_time"], found.coef, found.std_error, strict=True):
        rows = long_differences(panel, h, control, base)
        w = np.ones(len(rows)) if weights is None else rows["unit"].map(counts).to_numpy()
        assert (coef, std_error) == pytest.approx(by_hand(rows, w, []), rel=1e-8)


@pytest.mark.parametrize("missing", [0, 25])
def test_covariates_enter_at_the_date(missing: int) -> None:
    panel = staggered(2, missing=missing)
    found = econ.did.local_projections(panel, "y", cohort="cohort", window=WINDOW, covariates=["z"])
    assert found.loadings is None
    for h, coef, std_error in zip(TIMES, found.coef, found.std_error, strict=True):
        rows = long_differences(panel, h).dropna(subset="z")
        assert (coef, std_error) == pytest.approx(by_hand(rows, np.ones(len(rows)), ["z"]), rel=1e-8)


@pytest.mark.parametrize("missing", [0, 25])
def test_equal_weighting_is_weighted_least_squares(missing: int) -> None:
    panel = staggered(3, missing=missing)
    found = econ.did.local_projections(panel, "y", cohort="cohort", window=WINDOW, weighting="equal")
    for h, coef, std_error in zip(TIMES, found.coef, found.std_error, strict=True):
        rows = long_differences(panel, h)
        share = rows.groupby("year")["D"].transform("mean")
        rows, share = rows[(share > 0) & (share < 1)], share[(share > 0) & (share < 1)]
        assert (coef, std_error) == pytest.approx(by_hand(rows, (1 / (1 - share)).to_numpy(), []), rel=1e-8)


def test_equal_weighting_is_the_mean_over_treated_units() -> None:
    panel = staggered(4)
    equal = econ.did.local_projections(panel, "y", cohort="cohort", window=WINDOW, weighting="equal")
    cells = econ.did.callaway_santanna(panel, "y", cohort="cohort", control="not_yet", base="universal")
    np.testing.assert_allclose(equal.coef, cells.aggregate("event", window=WINDOW).coef, rtol=1e-10)


def test_regression_adjustment_by_hand() -> None:
    """Controls on dates and the covariate; its prediction off the outcomes of the treated; deletion as influence."""
    panel = staggered(5, missing=25)
    found = econ.did.local_projections(
        panel, "y", cohort="cohort", window=WINDOW, covariates=["z"], weighting="equal", vcov=econ.cluster("unit")
    )
    for k, h in enumerate(TIMES):
        rows = long_differences(panel, h).dropna(subset="z")
        assert found.coef[k] == pytest.approx(adjusted(rows, np.ones(len(rows))), rel=1e-9)
        psi = []
        for unit in rows["unit"].unique():  # the derivative with respect to a unit's weight is its influence
            step = 1e-5 * (rows["unit"] == unit).to_numpy()
            psi.append((adjusted(rows, 1 + step) - adjusted(rows, 1 - step)) / 2e-5)
        G = len(psi)
        assert found.std_error[k] == pytest.approx(np.sqrt(np.sum(np.square(psi)) * G / (G - 1)), rel=1e-6)


def adjusted(rows: pd.DataFrame, w: np.ndarray) -> float:
    X = np.hstack([rows[["z"]].to_numpy(), pd.get_dummies(rows["year"]).to_numpy(float)])
    control, y = (rows["D"] == 0).to_numpy(), rows["dy"].to_numpy()
    fit = np.linalg.lstsq(X[control] * np.sqrt(w[control])[:, None], y[control] * np.sqrt(w[control]), rcond=None)[0]
    seen = X[control].any(axis=0)
    kept = ~control & ~X[:, ~seen].any(axis=1)
    return float(np.average(y[kept] - X[kept] @ fit, weights=w[kept]))


@pytest.mark.parametrize("weighting", ["variance", "equal"])
@pytest.mark.parametrize("base", ["first_lag", "pre_mean"])
def test_class_means_and_units_give_the_same(base: str, weighting: str) -> None:
    design = read_design(staggered(6), "y", "cohort", weights="n", keep_singletons=True)
    for projection in projections(design, WINDOW, "not_yet", base):
        means, units = by_class(design, projection, weighting), by_unit(design, projection, weighting)
        assert means is not None
        assert units is not None
        assert means.coef == pytest.approx(units.coef, rel=1e-10)
        np.testing.assert_allclose(means.loadings, units.loadings, atol=1e-12)
        per_outcome, per_unit = means.moves[design.class_of, :-1], means.moves[design.class_of, -1]
        assert design.unit_weights is not None
        deviation = design.Y - design.means[design.class_of]
        psi = design.unit_weights * ((per_outcome * deviation).sum(axis=1) + per_unit)
        np.testing.assert_allclose(psi, units.moves, atol=1e-12)


def test_recovers_effects_without_noise() -> None:
    panel = staggered(effect=2.0, noise=0.0)
    for weighting in ("variance", "equal"):
        found = econ.did.local_projections(panel, "y", cohort="cohort", window=WINDOW, weighting=weighting)
        np.testing.assert_allclose(found.coef, [0, 0, 2.0, 2.6, 3.2, 3.8], atol=1e-12)


@pytest.mark.parametrize("missing", [0, 25])
@pytest.mark.parametrize("base", ["first_lag", "pre_mean"])
def test_loadings_weigh_the_outcomes(base: str, missing: int) -> None:
    panel = staggered(7, missing=missing)
    found = econ.did.local_projections(panel, "y", cohort="cohort", window=WINDOW, base=base)
    shifted = panel.assign(y=lambda d: d["y"] + 3.0 * ((d["cohort"] == 2006) & (d["year"] == 2007)))
    moved = econ.did.local_projections(shifted, "y", cohort="cohort", window=WINDOW, base=base)
    for term, change in zip(found.terms, moved.coef - found.coef, strict=True):
        weights = found.weights(term)
        weight = weights[(weights["cohort"] == 2006) & (weights["period"] == 2007)]["weight"].sum()
        assert change == pytest.approx(3.0 * weight, abs=1e-12)


def test_joint_covariance_is_that_of_the_difference_of_two_horizons() -> None:
    """With one cohort, beta_1 - beta_0 is the effect on the change from t to t + 1."""
    panel = staggered(8).where(lambda d: d["cohort"].isna() | (d["cohort"] == 2006))
    found = econ.did.local_projections(
        panel, "y", cohort="cohort", window=(0, 1), control="never", vcov=econ.cluster("unit", kind="CR0")
    )
    change = panel.assign(y=lambda d: d["y"].where(d["year"].isin([2006, 2007])), cohort=lambda d: d["cohort"] + 1)
    alone = econ.did.local_projections(
        change, "y", cohort="cohort", window=(0, 0), vcov=econ.cluster("unit", kind="CR0")
    )
    assert found.coef[1] - found.coef[0] == pytest.approx(alone.coef[0])
    # other dates have no newly treated unit, so that only the treated date moves the coefficient
    variance = found.vcov[0, 0] + found.vcov[1, 1] - 2 * found.vcov[0, 1]
    assert variance == pytest.approx(alone.vcov[0, 0])


def test_horizons_that_cannot_be_had_are_named() -> None:
    found = econ.did.local_projections(staggered(), "y", cohort="cohort", window=(-9, 8))
    assert any("are left out: -9, -8, 7, 8." in note["en"] for note in found.notes)
    assert found.spec["event_time"][0] == -7


def test_missing_base_outcomes_leave_the_cohort_out() -> None:
    panel = staggered().assign(y=lambda d: d["y"].mask((d["cohort"] == 2006) & (d["year"] == 2005)))
    found = econ.did.local_projections(panel, "y", cohort="cohort", window=(0, 2))
    assert found.effects.size.tolist() == [14.0, 14.0, 14.0]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        ({"window": (3, 1)}, OptionError, r"\(first, last\) horizons"),
        ({"weighting": "equl"}, OptionError, "Did you mean 'equal'"),
        ({"base": "pre_man"}, OptionError, "Did you mean 'pre_mean'"),
        ({"window": (30, 40)}, ModelError, "No horizon can be estimated"),
        ({"vcov": econ.hetero()}, OptionError, "influence of each unit"),
        ({"vcov": econ.cluster("unit", "region")}, OptionError, "influence of each unit"),
        ({"covariates": ["one"]}, EconError, "one|do not vary"),
        ({"covariates": ["year_"]}, ModelError, "do not vary between units within the dates"),
        ({"covariates": ["new"]}, ModelError, "covariates explain treatment"),
        ({"control": "never", "cohort": "all"}, ModelError, "control='not_yet'"),
        ({"cohort": "d"}, EconError, "changes within"),
    ],
)
def test_bad_input(call: dict[str, object], error: type[Exception], words: str) -> None:
    panel = staggered().assign(
        one=1.0,
        year_=lambda d: d["year"].astype(float),
        new=lambda d: (d["year"] == d["cohort"]).astype(float),
        all=lambda d: d["cohort"].fillna(2009.0),
    )
    with pytest.raises(error, match=words):
        econ.did.local_projections(panel, "y", **({"cohort": "cohort"} | call))  # type: ignore[arg-type]


@pytest.mark.parametrize("weighting", ["variance", "equal"])
@pytest.mark.parametrize(("outcome", "truth"), [("log(revenue)", 0.08), ("log(patents)", 0.15)])
def test_covers_the_truth_in_simulated_zones(outcome: str, truth: float, weighting: str) -> None:
    panel = econ.load("zones_simulated")
    found = econ.did.local_projections(panel, outcome, cohort="demonstration_year", weighting=weighting)
    row = found.aggregate("overall").tidy()
    assert row["ci_low"].iloc[0] < truth < row["ci_high"].iloc[0]
