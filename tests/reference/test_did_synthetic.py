"""Synthetic difference-in-differences on California's tobacco programme and on parliamentary quotas."""

import numpy as np
import pandas as pd
import pytest

import econ
from econ import Panel
from tests.reference.gold import data, values


def tobacco() -> Panel:
    frame = data("california_prop99.csv")
    if frame.shape[1] == 1:  # separated by semicolons
        parts = frame.iloc[:, 0].str.split(";", expand=True)
        frame = parts.set_axis(frame.columns[0].split(";"), axis=1)
        frame = frame.astype({"Year": int, "PacksPerCapita": float, "treated": int})
    frame["cohort"] = np.where(frame["State"] == "California", 1989.0, np.nan)
    return Panel(frame, "State", "Year")


def quotas() -> pd.DataFrame:
    frame = data("quota_example_cluster.csv")
    first = frame[frame["quota"] == 1].groupby("country")["year"].min()
    return frame.assign(cohort=frame["country"].map(first).astype(float))


def test_prop99_sdid() -> None:
    expected = values("did", "prop99-sdid")["sdid"]
    result = econ.did.synthetic(tobacco(), "PacksPerCapita", cohort="cohort", draws=20)
    assert result.aggregate("overall").coef[0] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("kind", "expected"), [("sc", -19.62), ("did", -27.35)])
def test_prop99_special_cases(kind: str, expected: float) -> None:
    """The other two estimates of R synthdid's introduction, to the digits it prints."""
    result = econ.did.synthetic(tobacco(), "PacksPerCapita", cohort="cohort", kind=kind, draws=20)
    assert round(result.aggregate("overall").coef[0], 2) == expected


def test_quota_sdid_staggered() -> None:
    expected = values("did", "quota-sdid-staggered")["att"]
    result = econ.did.synthetic(Panel(quotas(), "country", "year"), "womparl", cohort="cohort", draws=20)
    assert result.aggregate("overall").coef[0] == pytest.approx(expected, rel=1e-6)
    cohorts = [8.388868, 6.967746, 13.952256, -3.450543, 2.749036, 21.762715, -0.820324]  # printed by Stata's sdid
    np.testing.assert_allclose(result.aggregate("cohort").coef, cohorts, atol=2e-6)


def test_quota_sdid_of_two_cohorts() -> None:
    """Stata's sdid on the cohorts of 2002 and 2003: 10.33066, placebo standard error 2.34 from 50 draws of its own."""
    frame = quotas()
    frame = frame[frame["cohort"].isna() | frame["cohort"].isin([2002, 2003])]
    result = econ.did.synthetic(Panel(frame, "country", "year"), "womparl", cohort="cohort")
    overall = result.aggregate("overall")
    assert overall.coef[0] == pytest.approx(10.33066, abs=5e-6)
    assert overall.std_error[0] == pytest.approx(2.34, rel=0.3)
