"""Sensitivity and pre-trend diagnostics against HonestDiD and pretrends, on the coefficients they print.

Tolerances are each entry's own: HonestDiD reports points of a grid with simulated critical values (1e-3 for C-LF) or a
numerical optimum (2e-4 for FLCI); pretrends finds its slope to a root finder's default (2e-5). HonestDiD prints three
significant digits, so numbers are rounded likewise.
"""

import json
from typing import Any

import numpy as np
import pytest

from econ.did import honest, pretrends
from econ.estimate import Estimate
from tests.did.event_estimates import by_event_time
from tests.reference import gold


def read(name: str) -> dict[str, Any]:
    path = gold.GOLD / "data" / name
    if not path.exists():
        pytest.skip(f"the reference data {path} are not here; set ECON_GOLD to their folder")
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def medicaid() -> Estimate:
    """2008-2012, reference 2013, effects in 2014 and 2015."""
    given = read("ehec_event_study.json")
    return by_event_time(given["beta"], np.array(given["V"]), [-6, -5, -4, -3, -2, 0, 1])


def he_wang() -> Estimate:
    given = read("he_and_wang.json")
    return by_event_time(given["beta"], np.array(given["sigma"]), given["t"])


@pytest.mark.parametrize(
    ("name", "bound", "tolerance"),
    [("medicaid-honest-rm", "relative_magnitude", 1e-3), ("medicaid-honest-sd", "smoothness", 2e-4)],
)
def test_medicaid_honest(name: str, bound: Any, tolerance: float) -> None:
    expected = gold.values("did", name)
    frame = honest(medicaid(), bound, grid=[float(value) for value in expected]).intervals
    printed = frame[["ci_low", "ci_high"]].map(lambda x: float(f"{x:.3g}"))
    np.testing.assert_allclose(printed, list(expected.values()), rtol=0, atol=tolerance)


def test_medicaid_breakdown() -> None:
    """HonestDiD's interval just takes in zero at Mbar = 2."""
    assert honest(medicaid(), grid=[1]).breakdown == pytest.approx(2, abs=0.1)


def test_pretrend_power() -> None:
    expected = gold.values("did", "pretrend-power")["slope50"]
    slope = pretrends(he_wang(), power=[0.5]).power["slope"][0]
    assert slope == pytest.approx(expected, rel=2e-5)
    assert slope == pytest.approx(0.05205871, abs=2e-5)


def test_pretrend_power_other_columns_of_the_readme() -> None:
    """pretrends' README at its own slope, to the accuracy of that slope."""
    found = pretrends(he_wang(), power=[0.5])
    assert found.power["bayes_factor"][0] == pytest.approx(0.56901, rel=1e-3)
    assert found.power["likelihood_ratio_up"][0] == pytest.approx(0.1057627, rel=1e-3)
    means = [-0.09230764, -0.05555285, -0.02790950, 0.06490184, 0.12084694, 0.16946498, 0.22453827]
    np.testing.assert_allclose(found.bias["mean_if_passed"], means, rtol=5e-4)
