"""Beta convergence on real data, against R, Stata's users and the authors' own files.

The references write growth as a total (C11) or in percent a year (C13); ``beta`` here is per year in log points, so
slopes are divided by the span or by 100. Tolerances: each entry's own.
"""

import numpy as np
import pandas as pd
import pytest

import econ
from econ import Estimate, Panel
from tests.reference import gold


def term(estimate: Estimate, name: str) -> tuple[float, float]:
    at = estimate.terms.index(name)
    return float(estimate.coef[at]), float(estimate.std_error[at])


def test_c11_beta_unconditional_oecd() -> None:
    expected = gold.values("convergence", "C11")
    frame = gold.data("growthdj_aer.csv").query("oecd == 'yes'").reset_index()
    wide = frame.rename(columns={"gdp60": "1960", "gdp85": "1985"})[["index", "1960", "1985"]]
    estimate = econ.convergence.beta(Panel.from_wide(wide, unit="index", name="gdp"), "gdp", vcov=econ.iid())
    assert estimate.n_obs == expected["n"]
    assert term(estimate, "beta") == pytest.approx((expected["b"] / 25, expected["se"] / 25), rel=1e-6)
    assert term(estimate, "speed") == pytest.approx((expected["speed"], expected["se_delta"]), rel=1e-4)
    assert term(estimate, "half_life")[0] == pytest.approx(expected["half_life"], rel=1e-5)


@pytest.mark.parametrize("end", [1960, 2010])
def test_c13_ganong_shoag_20_years(end: int) -> None:
    slope, std_error = gold.values("convergence", "C13")[str(end)]
    rows = gold.data("ganong_shoag_states.csv").query("year == @end")
    wide = pd.DataFrame({"state": rows["stateabbrev"], end - 20: np.exp(rows["lagliInc"])})
    wide[end] = np.exp(rows["lagliInc"] + 20 * rows["dliInc"] / 100)
    estimate = econ.convergence.beta(Panel.from_wide(wide, unit="state", name="income"), "income")
    assert estimate.n_obs == 48
    assert term(estimate, "beta") == pytest.approx((slope / 100, std_error / 100), rel=1e-5)


def test_c15_us_states_1880_1990() -> None:
    expected = gold.values("convergence", "C15")
    frame = gold.data("ganong_shoag_states.csv").assign(income=lambda d: np.exp(d["liInc"]))
    panel = Panel(frame, "stateabbrev", "year")
    estimate = econ.convergence.beta(panel, "income", 1880, 1990, method="nls", vcov=econ.iid())
    assert estimate.n_obs == 47
    assert term(estimate, "speed") == pytest.approx((expected["beta"], expected["se"]), rel=1e-6)
    assert term(estimate, "half_life")[0] == pytest.approx(expected["half_life"], rel=1e-4)


@pytest.mark.parametrize("span", ["1929-1994", "1929-2009", "1980-1990"])
def test_c16_us_states(span: str) -> None:
    speed, std_error = gold.values("convergence", "C16")[span]
    wide = gold.data("usjoin.csv").drop(columns="STATE_FIPS")
    panel = Panel.from_wide(wide, unit="Name", name="income")
    first, last = map(int, span.split("-"))
    estimate = econ.convergence.beta(panel, "income", first, last, method="nls", vcov=econ.iid())
    assert term(estimate, "speed") == pytest.approx((speed, std_error), rel=2e-6)
