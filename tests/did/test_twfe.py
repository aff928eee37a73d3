"""Two-way fixed effects and event study on a design where the truth is known."""

import numpy as np
import pandas as pd
import pytest

import econ
from econ import DataError, ModelError, OptionError, Panel


def design(effect: float = 2.0, seed: int = 0) -> Panel:
    """30 units x 12 periods without noise: unit and period effects, one cohort, a constant effect."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame([(i, t) for i in range(30) for t in range(2000, 2012)], columns=["unit", "year"])
    frame["cohort"] = np.where(frame["unit"] < 12, 2006.0, np.nan)
    treated = frame["year"] >= frame["cohort"]
    unit, year = rng.normal(size=30), rng.normal(size=12)
    frame["y"] = unit[frame["unit"]] + year[frame["year"] - 2000] + effect * treated
    return Panel(frame, "unit", "year")


def noisy(seed: int = 1) -> Panel:
    rng = np.random.default_rng(seed)
    p = design()
    return p.assign(y=lambda d: d["y"] + rng.normal(size=len(d)), x=rng.normal(size=p.n_obs))


def test_a_constant_effect_is_recovered_exactly() -> None:
    estimate = econ.did.twfe(design(), "y", cohort="cohort")
    assert estimate.coef[0] == pytest.approx(2.0, abs=1e-10)
    event = econ.did.event_study(design(), "y", cohort="cohort")
    truth = [2.0 * (e >= 0) for e in event.spec["event_time"]]
    np.testing.assert_allclose(event.coef, truth, atol=1e-9)
    assert event.spec["event_time"] == [e for e in range(-6, 6) if e != -1]


def test_equals_the_regression_with_dummies() -> None:
    panel = noisy()
    frame = panel.frame
    treated = (frame["year"] >= frame["cohort"]).to_numpy(float)
    dummies = pd.get_dummies(frame[["unit", "year"]].astype(str), drop_first=True).to_numpy(float)
    X = np.column_stack([treated, frame["x"], np.ones(len(frame)), dummies])
    expected = np.linalg.lstsq(X, frame["y"].to_numpy(), rcond=None)[0][:2]
    estimate = econ.did.twfe(panel, "y", cohort="cohort", covariates=["x"])
    assert estimate.terms == ("treated", "x")
    np.testing.assert_allclose(estimate.coef, expected, rtol=1e-9)
    assert estimate.n_clusters == (30,)


def test_window_bins_the_endpoints() -> None:
    panel = noisy()
    event = econ.did.event_study(panel, "y", cohort="cohort", window=(-3, 2))
    assert event.spec["event_time"] == [-3, -2, 0, 1, 2]
    since = panel.frame["year"] - panel.frame["cohort"]
    binned = panel.assign(**{f"e{e + 9}": (since.clip(-3, 2) == e).astype(float) for e in (-3, -2, 0, 1, 2)})
    by_hand = econ.feols(binned, "y ~ e6 + e7 + e9 + e10 + e11 | unit + year")
    np.testing.assert_allclose(event.coef, by_hand.coef, rtol=1e-9)
    np.testing.assert_allclose(event.std_error, by_hand.std_error, rtol=1e-9)
    assert "binned" in event.notes[-1]["en"]


def test_notes_name_units_that_are_always_treated() -> None:
    panel = noisy().assign(cohort=lambda d: d["cohort"].mask(d["unit"] == 3, 1999.0))
    estimate = econ.did.twfe(panel, "y", cohort="cohort")
    assert any("3." in note["en"] and "every period" in note["en"] for note in estimate.notes)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda p: econ.did.twfe(p, "y", cohort="year"), DataError, "changes within"),
        (lambda p: econ.did.twfe(p.assign(cohort=2050.0), "y", cohort="cohort"), ModelError, "No row .* 2000-2011"),
        (lambda p: econ.did.twfe(p.assign(cohort=1990.0), "y", cohort="cohort"), ModelError, "Every row"),
        (lambda p: econ.did.twfe(p, "y", cohort="cohrt"), DataError, "Nearest: cohort"),
        (lambda p: econ.did.event_study(p, "y", cohort="cohort", reference=-9), OptionError, "choose one of -6"),
        (lambda p: econ.did.event_study(p, "y", cohort="cohort", window=(1, 3)), OptionError, "first < 0 <= last"),
        (lambda p: econ.did.twfe(p, "yy", cohort="cohort"), econ.EconError, "yy"),
    ],
)
def test_bad_input(call: object, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call(design())  # type: ignore[operator]


def test_province_pilots_reproduce_the_number_that_is_not_to_be_believed() -> None:
    panel = econ.load("provinces").with_cohort(econ.roster("innovation_demonstration_zones"))
    estimate = econ.did.twfe(panel, "log(invention_grants)", cohort="cohort")
    assert (round(estimate.coef[0], 3), round(estimate.std_error[0], 3)) == (0.289, 0.102)
    assert estimate.n_obs == 743
