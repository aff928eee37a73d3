"""Weighted stacked difference-in-differences on the walkthrough's data."""

import pytest

import econ
from tests.reference.gold import data, values


def test_stacked_acs() -> None:
    panel = econ.Panel(data("stacked_acs1860.csv"), "statefip", "year")
    found = econ.did.stacked(panel, "unins", cohort="adopt_year", window=(-3, 2))
    expected = values("did", "stacked-acs")
    assert found.coef.round(4).tolist() == expected["event"]  # printed with four decimals
    assert found.std_error.round(4).tolist() == expected["se"]
    average = found.aggregate("overall")
    assert average.coef[0] == pytest.approx(-0.0218777523, rel=1e-8)
    assert average.std_error[0] == pytest.approx(expected["average"][1], abs=5e-6)
