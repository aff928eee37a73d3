"""The Goodman-Bacon decomposition against two-by-two regressions by hand."""

import numpy as np
import pandas as pd
import pytest

import econ
from econ import Panel


def panel(seed: int = 0, drop: int | None = None) -> Panel:
    """Four early, five late, one always treated, six never treated units over eight years."""
    rng = np.random.default_rng(seed)
    first = [2003.0] * 4 + [2006.0] * 5 + [1990.0] + [np.nan] * 6
    frame = pd.DataFrame([(i, t) for i in range(16) for t in range(2001, 2009)], columns=["unit", "year"])
    frame["cohort"] = np.array(first)[frame["unit"]]
    frame["x"] = rng.normal(size=len(frame)) + 0.3 * (frame["year"] >= frame["cohort"])
    frame["y"] = rng.normal(size=len(frame)) + frame["unit"] + (frame["year"] >= frame["cohort"]) + 0.5 * frame["x"]
    return Panel(frame.drop(index=[] if drop is None else [drop]), "unit", "year")


def two_by_two(frame: pd.DataFrame) -> float:
    treated = (frame["year"] >= frame["cohort"]).to_numpy(float)
    dummies = pd.get_dummies(frame[["unit", "year"]].astype(str), drop_first=True).to_numpy(float)
    X = np.column_stack([treated, np.ones(len(frame)), dummies])
    return float(np.linalg.lstsq(X, frame["y"].to_numpy(), rcond=None)[0][0])


def test_each_comparison_is_the_regression_on_its_two_groups() -> None:
    base = panel()
    frame, rows = base.frame, econ.did.bacon(base, "y", cohort="cohort").comparisons
    early, late, always, never = (
        frame[mask]
        for mask in (
            frame["cohort"] == 2003,
            frame["cohort"] == 2006,
            frame["cohort"] == 1990,
            frame["cohort"].isna(),
        )
    )
    expected = {
        ("earlier_vs_later", 2003): pd.concat([early, late]).query("year < 2006"),
        ("later_vs_earlier", 2006): pd.concat([early, late]).query("year >= 2003"),
        ("treated_vs_untreated", 2003): pd.concat([early, never]),
        ("treated_vs_untreated", 2006): pd.concat([late, never]),
        ("treated_vs_always_treated", 2003): pd.concat([early, always]),
        ("treated_vs_always_treated", 2006): pd.concat([late, always]),
    }
    found = {(row.kind, row.treated): row.estimate for row in rows.itertuples()}
    assert found.keys() == expected.keys()
    for key, part in expected.items():
        assert found[key] == pytest.approx(two_by_two(part), abs=1e-10), key


@pytest.mark.parametrize("covariates", [[], ["x"]], ids=["plain", "covariate"])
def test_the_weighted_mean_is_the_coefficient(covariates: list[str]) -> None:
    result = econ.did.bacon(panel(), "y", cohort="cohort", covariates=covariates)
    assert (result.comparisons["weight"] > 0).all()
    assert result.comparisons["weight"].sum() == pytest.approx(1)
    mean = (result.comparisons["weight"] * result.comparisons["estimate"]).sum()
    assert mean == pytest.approx(result.twfe, abs=1e-12)
    assert result.twfe == pytest.approx(econ.did.twfe(panel(), "y", cohort="cohort", covariates=covariates).coef[0])
    assert (result.summary["weight"] * result.summary["estimate"]).sum() == pytest.approx(result.twfe)


def test_a_covariate_adds_what_lies_within_cohorts() -> None:
    result = econ.did.bacon(panel(), "y", cohort="cohort", covariates=["x"])
    assert set(result.comparisons["kind"]) == {"treated_vs_untreated", "between_cohorts", "within"}


def test_units_with_gaps_are_left_out_and_named() -> None:
    result = econ.did.bacon(panel(drop=3), "y", cohort="cohort")
    assert any("not observed in every period: 0." in note["en"] for note in result.notes)
    whole = panel()
    without = whole.where(lambda d: d["unit"] != 0)
    assert result.twfe == pytest.approx(econ.did.bacon(without, "y", cohort="cohort").twfe)


def test_it_prints_and_draws() -> None:
    result = econ.did.bacon(panel(), "y", cohort="cohort")
    assert "Earlier treated against later treated" in repr(result)
    assert len(result.plot().data) == len(result.comparisons)


def test_a_panel_without_complete_units_is_refused() -> None:
    frame = panel().frame
    holed = frame[(frame["unit"] + frame["year"]) % 3 != 0]
    with pytest.raises(econ.ModelError, match="No unit is observed in every period"):
        econ.did.bacon(Panel(holed, "unit", "year"), "y", cohort="cohort")
