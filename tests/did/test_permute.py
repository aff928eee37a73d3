"""Randomisation inference: against enumeration by hand, and the short way against estimating again."""

from functools import partial
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

import econ
from econ import OptionError, Panel
from tests.did.designs import growing_effects


def two_periods(seed: int = 0) -> Panel:
    """Seven units, two of them treated in the second of two periods."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame([(i, t) for i in range(7) for t in (2001, 2002)], columns=["unit", "year"])
    frame["cohort"] = np.where(frame["unit"] < 2, 2002.0, np.nan)
    frame["y"] = rng.normal(size=14) + 2.0 * ((frame["unit"] < 2) & (frame["year"] == 2002))
    return Panel(frame, "unit", "year")


@pytest.mark.parametrize("estimator", [econ.did.twfe, econ.did.callaway_santanna, econ.did.sun_abraham])
def test_all_assignments_by_hand(estimator: object) -> None:
    panel = two_periods()
    wide = panel.frame.pivot(index="unit", columns="year", values="y")
    change = (wide[2002] - wide[2001]).to_numpy()
    by_hand = []
    for chosen in combinations(range(7), 2):
        treated = np.isin(np.arange(7), chosen)
        by_hand.append(change[treated].mean() - change[~treated].mean())
    found = econ.did.permute(estimator, panel, "y", cohort="cohort")
    assert found.exact
    assert found.n_possible == 21
    np.testing.assert_allclose(np.sort(found.distribution), np.sort(by_hand), atol=1e-12)
    assert found.p_value == pytest.approx(np.mean(np.abs(by_hand) >= abs(found.estimate) - 1e-12))


@pytest.mark.parametrize(
    "estimator",
    [
        econ.did.twfe,
        econ.did.event_study,
        econ.did.sun_abraham,
        partial(econ.did.callaway_santanna, control="not_yet"),
    ],
)
def test_the_sum_over_units_is_the_estimate_under_each_assignment(
    estimator: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib

    panel = growing_effects()
    short = econ.did.permute(estimator, panel, "y", cohort="cohort", draws=20)
    monkeypatch.setattr(importlib.import_module("econ.did.permute"), "_weights", lambda *_: None)
    long = econ.did.permute(estimator, panel, "y", cohort="cohort", draws=20)
    np.testing.assert_allclose(short.distribution, long.distribution, atol=1e-10)


def test_gaps_and_covariates_are_estimated_again() -> None:
    panel = growing_effects()
    holed = Panel(panel.frame.drop(index=[3]), "unit", "year")
    found = econ.did.permute(econ.did.twfe, holed, "y", cohort="cohort", draws=10)
    assert len(set(found.distribution.round(12))) > 1
    with_x = econ.did.permute(partial(econ.did.twfe, covariates=["x"]), panel, "y", cohort="cohort", draws=10)
    assert with_x.estimate == econ.did.twfe(panel, "y", cohort="cohort", covariates=["x"]).coef[0]


def test_dates_stay_within_strata() -> None:
    panel = two_periods().assign(half=lambda d: np.where(d["unit"] < 4, "a", "b"))
    found = econ.did.permute(econ.did.twfe, panel, "y", cohort="cohort", within="half")
    assert found.n_possible == 6
    assert "within half" in found.notes[-1]["en"]


def test_the_null_gives_uniform_p_values() -> None:
    values = []
    for seed in range(200):
        panel = two_periods(seed).assign(y=np.random.default_rng(seed).normal(size=14))
        values.append(econ.did.permute(econ.did.twfe, panel, "y", cohort="cohort").p_value)
    assert np.mean(np.array(values) <= 1 / 7 + 1e-9) == pytest.approx(1 / 7, abs=0.08)


def test_the_interval_holds_the_constant_effects_that_are_not_rejected() -> None:
    panel = two_periods()
    found = econ.did.permute(econ.did.twfe, panel, "y", cohort="cohort", level=0.8)
    for limit, outwards in ((found.ci_low, -1), (found.ci_high, 1)):
        for step, rejected in ((-0.01, False), (0.01, True)):
            effect = limit + outwards * step
            net = panel.assign(y=lambda d, e=effect: d["y"] - e * (d["year"] >= d["cohort"]))
            p_value = econ.did.permute(econ.did.twfe, net, "y", cohort="cohort").p_value
            assert (p_value <= 0.2 + 1e-9) == rejected
    assert "not rejected" in repr(found)


def test_an_interval_that_no_assignment_can_bound_is_infinite() -> None:
    found = econ.did.permute(econ.did.twfe, two_periods(), "y", cohort="cohort", level=0.99)
    assert (found.ci_low, found.ci_high) == (-np.inf, np.inf)


def test_one_side_and_seed() -> None:
    panel = growing_effects()
    up = econ.did.permute(econ.did.twfe, panel, "y", cohort="cohort", draws=99, side="greater")
    down = econ.did.permute(econ.did.twfe, panel, "y", cohort="cohort", draws=99, side="less")
    assert up.p_value + down.p_value == pytest.approx(1.01)
    other = econ.did.permute(econ.did.twfe, panel, "y", cohort="cohort", draws=99, seed=2)
    assert not np.array_equal(up.distribution, other.distribution)


def test_it_prints_and_draws() -> None:
    found = econ.did.permute(econ.did.twfe, two_periods(), "y", cohort="cohort")
    assert "21 all assignments" in repr(found)
    for lang in ("en", "zh"):
        assert econ.report.permutation_plot(found, lang=lang).data["density"].sum() > 0


def test_effects_by_group_are_refused() -> None:
    panel = growing_effects().assign(half="a")
    with pytest.raises(OptionError, match="effects by group fix"):
        econ.did.permute(partial(econ.did.sun_abraham, by="half"), panel, "y", cohort="cohort")
