"""Hansen (1999), "Threshold effects in non-dynamic panels": investment of 565 firms, 1973 to 1987."""

import gold
import numpy as np
import pytest

import econ
from econ import Panel
from econ.growth import Threshold, threshold
from econ.options import ThresholdConvention

FORMULA = "inva ~ q + q2 + q3 + debt + q_debt + cf | firm"


def investment() -> Panel:
    frame = gold.data("hansen1999_invest.csv").set_axis(["inva", "q", "cf", "debt"], axis=1)
    frame = frame.assign(firm=np.arange(len(frame)) // 15, year=1973 + np.arange(len(frame)) % 15)
    lagged = frame.groupby("firm")[["q", "cf", "debt"]].shift()
    frame = frame.assign(**{name: lagged[name] for name in lagged})
    frame = frame.assign(q2=frame["q"] ** 2, q3=frame["q"] ** 3, q_debt=frame["q"] * frame["debt"])
    return Panel(frame, "firm", "year")


def fitted(convention: ThresholdConvention) -> Threshold:
    return threshold(
        investment(), FORMULA, "debt", ["cf"], n=2, trim=0.01, draws=0, vcov=econ.iid(), convention=convention
    )


def test_hansen1999_by_his_own_transform_and_grid() -> None:
    expected = gold.values("growth", "hansen1999")
    found = fitted("hansen1999")
    assert found.thresholds["estimate"].tolist() == pytest.approx([expected["gamma1"], expected["gamma2"]], rel=1e-6)
    assert found.thresholds.loc[0, ["ci_low", "ci_high"]].tolist() == pytest.approx(expected["CI1"], abs=5e-5)
    assert found.estimate.coef[:3] == pytest.approx(expected["cf"], rel=1e-6)
    n_obs, K = found.estimate.n_obs, len(found.estimate.terms)
    by_n = found.estimate.std_error * np.sqrt((n_obs - K) / n_obs)  # his variance is SSR / N, ours SSR / (N - K)
    assert by_n[:3] == pytest.approx(expected["ols_se_cf"], rel=1e-5)
    assert found.tests["statistic"].tolist() == pytest.approx([expected["F1"], expected["F2"]], rel=4e-6)


def test_hansen1999_with_every_row_and_every_value() -> None:
    """The whole within transform and the exact search: another second threshold, and a smaller sum of squares."""
    found = fitted("exact")
    assert found.thresholds["estimate"].tolist() == pytest.approx([0.0157, 0.54003])
    assert found.estimate.n_obs == 565 * 14
