"""Every estimator on data that cannot be estimated on, or only in part: an error of ours, or finite numbers."""

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import econ
from econ import Panel
from econ.did import DidResult

did = econ.did

ESTIMATORS: dict[str, Callable[[Panel], DidResult]] = {
    "twfe": lambda p: did.twfe(p, "y", cohort="cohort"),
    "event_study": lambda p: did.event_study(p, "y", cohort="cohort", window=(-3, 3)),
    "callaway_santanna": lambda p: did.callaway_santanna(p, "y", cohort="cohort", control="not_yet"),
    "callaway_santanna, dr": lambda p: did.callaway_santanna(p, "y", cohort="cohort", covariates=["z"]),
    "sun_abraham": lambda p: did.sun_abraham(p, "y", cohort="cohort"),
    "imputation": lambda p: did.imputation(p, "y", cohort="cohort"),
    "two_stage": lambda p: did.two_stage(p, "y", cohort="cohort"),
    "etwfe": lambda p: did.etwfe(p, "y", cohort="cohort"),
    "etwfe, poisson": lambda p: did.etwfe(p.assign(y=lambda d: d["y"] ** 2), "y", cohort="cohort", family="poisson"),
    "stacked": lambda p: did.stacked(p, "y", cohort="cohort", window=(-2, 2)),
    "local_projections": lambda p: did.local_projections(p, "y", cohort="cohort"),
    "synthetic": lambda p: did.synthetic(p, "y", cohort="cohort", inference="permutation", draws=20),
    "matched": lambda p: did.matched(p, "y", cohort="cohort", covariates=["z"]),
    "triple": lambda p: did.triple(p, "y", cohort="cohort", eligible="eligible"),
}


def frame(n_units: int = 24, n_periods: int = 10) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    code, period = np.repeat(np.arange(n_units), n_periods), np.tile(np.arange(2000, 2000 + n_periods), n_units)
    first = np.select([code < n_units // 4, code < n_units // 2], [2004.0, 2006.0], np.nan)
    return pd.DataFrame(
        {
            "unit": [f"u{i:02d}" for i in code],
            "year": period,
            "cohort": first,
            "z": rng.normal(size=n_units)[code],
            "eligible": code % 2,
            "y": rng.normal(size=len(code)) + 0.1 * code + (period >= first),
        }
    )


def first_unit(d: pd.DataFrame) -> pd.Series:
    return d["unit"] == "u00"


CASES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "nobody never treated": lambda d: d.assign(cohort=d["cohort"].fillna(2008.0)),
    "one cohort, nobody never treated": lambda d: d.assign(cohort=2005.0),
    "a cohort of one": lambda d: d.assign(cohort=d["cohort"].mask(first_unit(d), 2003.0)),
    "all but one treated": lambda d: d.assign(cohort=np.where(first_unit(d), np.nan, 2005.0)),
    "some treated from the start": lambda d: d.assign(cohort=d["cohort"].mask(first_unit(d), 2000.0)),
    "everyone treated from the start": lambda d: d.assign(cohort=2000.0),
    "nobody treated": lambda d: d.assign(cohort=np.nan),
    "base period missing for a cohort": lambda d: d.assign(y=d["y"].mask((d["cohort"] == 2004) & (d["year"] == 2003))),
    "base period missing for all": lambda d: d.assign(y=d["y"].mask(d["year"] == 2003)),
    "a unit seen once": lambda d: d[~first_unit(d) | (d["year"] == 2002)],
    "outcome missing": lambda d: d.assign(y=np.nan),
    "outcome constant": lambda d: d.assign(y=1.0),
    "outcome constant, with gaps": lambda d: d.assign(y=1.0).iloc[1:],
    "outcome of unit and period effects": lambda d: d.assign(y=d["z"] + d["year"]),
    "covariate constant": lambda d: d.assign(z=1.0),
    "covariate that tells who is treated": lambda d: d.assign(z=d["cohort"].notna().astype(float)),
    "two periods": lambda d: d[d["year"].between(2003, 2004)],
    "one period": lambda d: d[d["year"] == 2004],
    "two units": lambda d: d[d["unit"].isin(["u00", "u20"])],
    "huge outcome": lambda d: d.assign(y=1e12 * d["y"]),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_error_of_ours_or_finite_numbers(name: str, case: str) -> None:
    panel = Panel(CASES[case](frame()), "unit", "year")
    kinds = ("overall",) if name == "twfe" else ("overall", "event")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            result = ESTIMATORS[name](panel)
        except econ.EconError as error:
            assert str(error).endswith((".", ")"))
            return
        for estimate in (result, *(result.aggregate(kind) for kind in kinds)):
            assert np.isfinite(estimate.coef).all()
            assert np.isfinite(estimate.std_error).all()


@pytest.mark.parametrize("name", [name for name in ESTIMATORS if name != "etwfe, poisson"])
def test_an_outcome_without_variation_between_units_is_refused(name: str) -> None:
    with pytest.raises(econ.ModelError, match="does not vary between units"):
        ESTIMATORS[name](Panel(CASES["outcome of unit and period effects"](frame()), "unit", "year"))


@pytest.mark.parametrize("name", ["twfe", "callaway_santanna", "imputation"])
def test_standard_errors_of_nothing_are_said_to_be_so(name: str) -> None:
    result = ESTIMATORS[name](Panel(CASES["two units"](frame()), "unit", "year"))
    assert any("zero up to rounding" in note["en"] for note in result.notes)
