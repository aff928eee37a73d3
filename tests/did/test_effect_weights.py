"""Weights of effects: against the residual of treatment, and the robustness measures against their optimisation."""

import numpy as np
import pytest
from scipy.optimize import minimize

import econ
from econ.did.weights import sigma_opposite
from tests.did.designs import growing_effects as panel


def test_weights_give_the_coefficient_when_they_meet_the_true_effects() -> None:
    base = panel()
    quiet = base.assign(y=lambda d: d["d"] * (1 + 0.3 * (d["year"] - 2001)) + d["unit"])
    weights = econ.did.effect_weights(econ.did.twfe(quiet, "y", cohort="cohort"))
    effects = 1 + 0.3 * (weights.frame["period"] - 2001)
    assert (weights.frame["weight"] * effects).sum() == pytest.approx(weights.estimate)
    assert weights.n_negative > 0
    assert weights.sum_positive + weights.sum_negative == pytest.approx(1)


def test_cells_and_rows_agree() -> None:
    base = panel()
    cells = econ.did.effect_weights(econ.did.twfe(base, "y", cohort="cohort"))
    rows = econ.did.twfe_weights(base, "y", treatment="d")
    assert rows.estimate == pytest.approx(cells.estimate)
    assert (rows.sigma, rows.sigma_opposite) == pytest.approx((cells.sigma, cells.sigma_opposite))
    by_cell = rows.frame.merge(base.frame[["unit", "year", "cohort"]]).groupby(["cohort", "year"])["weight"].sum()
    np.testing.assert_allclose(by_cell.to_numpy(), cells.frame["weight"], atol=1e-12)


def test_estimators_by_cell_weigh_cells_by_their_size() -> None:
    weights = econ.did.effect_weights(econ.did.callaway_santanna(panel(), "y", cohort="cohort"))
    np.testing.assert_allclose(weights.frame["weight"], weights.frame["n"] / weights.frame["n"].sum())
    assert weights.n_negative == 0
    assert weights.sigma == weights.sigma_opposite == np.inf


def test_covariates_change_the_weights_as_the_regression_does() -> None:
    rows = econ.did.twfe_weights(panel(), "y", treatment="d", covariates=["x"])
    fit = econ.feols(panel(), "y ~ d + x | unit + year")
    assert rows.estimate == pytest.approx(fit.coef[0])


@pytest.mark.parametrize("seed", range(5))
def test_the_second_measure_is_the_smallest_spread_of_effects_of_the_other_sign(seed: int) -> None:
    rng = np.random.default_rng(seed)
    share = rng.dirichlet(np.ones(6))
    relative = rng.normal(1, 1.5, size=6)
    relative /= share @ relative
    if not (relative < 0).any():
        relative[0] = -0.5
        relative /= share @ relative

    def spread(effects: np.ndarray) -> float:
        return float(share @ (effects - share @ effects) ** 2)

    found = minimize(
        spread,
        np.where(relative < 0, -1.0, 0.0),
        constraints={"type": "eq", "fun": lambda e: share @ (relative * e) - 1.0},
        bounds=[(None, 0.0)] * 6,
        method="SLSQP",
        options={"maxiter": 1000, "ftol": 1e-14},
    )
    assert sigma_opposite(1.0, relative, share) == pytest.approx(np.sqrt(found.fun), rel=1e-4)


def test_a_treatment_without_variation_is_refused() -> None:
    with pytest.warns(econ.EconWarning), pytest.raises(econ.ModelError, match="does not vary within"):
        econ.did.twfe_weights(panel().assign(d=1.0), "y", treatment="d")


def test_it_prints_and_draws() -> None:
    weights = econ.did.effect_weights(econ.did.twfe(panel(), "y", cohort="cohort"))
    assert "negative" in repr(weights)
    assert any("negative" in note for note in weights.plot().notes)
    result = econ.did.twfe(panel(), "y", cohort="cohort")
    again = type(result).from_json(result.to_json())
    with pytest.raises(econ.ModelError, match="read back from JSON"):
        econ.did.effect_weights(again)
