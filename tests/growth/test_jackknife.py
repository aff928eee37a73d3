"""The half-panel jackknife against its halves fitted one by one, and its covariance against stacked regressions."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

import econ
from econ import EconError, FormulaError, ModelError, OptionError, Panel

FORMULA = "y ~ lag(y, 1) + x | unit + t"


def dynamic_frame(n_units: int = 25, n_periods: int = 9, seed: int = 0, alpha: float = 0.6) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    eta = rng.normal(size=n_units)
    y, rows = eta / (1 - alpha), []
    for t in range(-30, n_periods):
        x = 0.5 * eta + rng.normal(size=n_units)
        y = alpha * y + 0.5 * x + eta + rng.normal(size=n_units)
        if t >= 0:
            rows.append(pd.DataFrame({"unit": np.arange(n_units), "t": t, "y": y, "x": x}))
    return pd.concat(rows, ignore_index=True)


def panel_of(frame: pd.DataFrame) -> Panel:
    return Panel(frame, "unit", "t")


def within(panel: Panel, keep: Any) -> np.ndarray:
    """Of the rows flagged, with lags from the whole panel."""
    lagged = panel.lag(["y"]).where(keep)
    return econ.feols(lagged, "y ~ lag1_y + x | unit + t").coef


def test_even_periods_are_twice_the_whole_less_the_mean_of_the_halves() -> None:
    panel = panel_of(dynamic_frame(n_periods=9))  # 8 with a lag
    expected = 2 * within(panel, lambda d: d["t"] > 0)
    expected -= (within(panel, lambda d: (d["t"] > 0) & (d["t"] <= 4)) + within(panel, lambda d: d["t"] > 4)) / 2
    np.testing.assert_allclose(econ.growth.half_panel_jackknife(panel, FORMULA).coef, expected, rtol=1e-10)


def test_odd_periods_are_split_both_ways() -> None:
    panel = panel_of(dynamic_frame(n_periods=10))  # 9 with a lag
    halves = [within(panel, lambda d, c=c: (d["t"] > 0) & (d["t"] <= c)) for c in (4, 5)]
    halves += [within(panel, lambda d, c=c: d["t"] > c) for c in (4, 5)]
    expected = 2 * within(panel, lambda d: d["t"] > 0) - np.mean(halves, axis=0)
    np.testing.assert_allclose(econ.growth.half_panel_jackknife(panel, FORMULA).coef, expected, rtol=1e-10)


def test_units_of_unequal_length_are_split_in_the_middle_of_their_own_rows() -> None:
    frame = dynamic_frame(n_periods=9)
    frame = frame[(frame["unit"] >= 8) | (frame["t"] >= 4)]  # 4 rows with a lag, where others have 8
    own = frame["t"].where(frame["unit"] >= 8, 2 * frame["t"] - 8)  # both series' middle between 4 and 5
    panel = panel_of(frame.assign(own=own))
    expected = 2 * within(panel, lambda d: d["t"] > 0)
    expected -= (within(panel, lambda d: d["own"] <= 4) + within(panel, lambda d: d["own"] > 4)) / 2
    np.testing.assert_allclose(econ.growth.half_panel_jackknife(panel, FORMULA).coef, expected, rtol=1e-10)


@pytest.mark.parametrize("vcov", [econ.cluster("unit"), econ.hetero("HC0"), econ.cluster("unit", kind="CR0")])
def test_covariance_is_that_of_the_sum_of_stacked_regressions(vcov: Any) -> None:
    """All blocks in one regression, rows under each other, clusters across blocks; the factor counts rows once."""
    panel = panel_of(dynamic_frame(n_periods=9))
    frame = panel.lag(["y"]).frame.dropna()
    blocks = [frame, frame[frame["t"] <= 4], frame[frame["t"] > 4]]
    weights, psi = np.array([2, -0.5, -0.5]), np.zeros((len(frame), 2))
    for weight, block in zip(weights, blocks, strict=True):
        X = block[["lag1_y", "x"]].to_numpy()
        dummies = np.hstack([pd.get_dummies(block[key]).to_numpy(dtype=float) for key in ("unit", "t")])
        project = np.eye(len(block)) - dummies @ np.linalg.pinv(dummies)
        X, y = project @ X, project @ block["y"].to_numpy()
        bread = np.linalg.inv(X.T @ X)
        u = y - X @ bread @ X.T @ y
        psi[frame.index.get_indexer(block.index)] += weight * (X * u[:, None]) @ bread
    groups = frame["unit"].to_numpy() if isinstance(vcov, econ.inference.covariance.Cluster) else np.arange(len(frame))
    sums = np.array([psi[groups == g].sum(axis=0) for g in np.unique(groups)])
    N, G, K = len(frame), 25, 2 + 8
    factor = G / (G - 1) * (N - 1) / (N - K) if vcov == econ.cluster("unit") else 1.0
    found = econ.growth.half_panel_jackknife(panel, FORMULA, vcov=vcov)
    np.testing.assert_allclose(found.vcov, factor * sums.T @ sums, rtol=1e-8)


def test_the_panel_method_of_beta_convergence_is_the_same_estimator() -> None:
    rng = np.random.default_rng(3)
    logs = np.cumsum(rng.normal(0.05, 0.1, (20, 13)), axis=1) + rng.normal(size=(20, 1))
    frame = pd.DataFrame(
        {"unit": np.repeat(np.arange(20), 13), "t": np.tile(np.arange(13), 20), "x": np.exp(logs).ravel()}
    )
    beta = econ.convergence.beta(panel_of(frame), "x", method="panel")
    growth = panel_of(frame.assign(g=np.log(frame["x"]))).assign(g1=lambda d: d.groupby("unit")["g"].diff())
    found = econ.growth.half_panel_jackknife(growth, "g1 ~ lag(g, 1) | unit + t")
    assert found.coef[0] == pytest.approx(beta.params["beta_corrected"], rel=1e-8)
    assert found.bse.iloc[0] == pytest.approx(beta.bse["beta_corrected"], rel=1e-8)
    assert found.test("equal_halves").p_value == pytest.approx(beta.test("equal_halves").p_value, rel=1e-6)


def test_it_takes_out_most_of_the_bias_of_a_lag() -> None:
    errors = np.zeros((40, 2))
    for seed in range(40):
        panel = panel_of(dynamic_frame(60, 13, seed))
        errors[seed, 0] = econ.feols(panel, FORMULA).coef[0] - 0.6
        errors[seed, 1] = econ.growth.half_panel_jackknife(panel, FORMULA).coef[0] - 0.6
    naive, corrected = errors.mean(axis=0)
    assert naive < -0.07
    assert abs(corrected) < 0.25 * abs(naive)


def test_short_units_are_left_out_and_counted() -> None:
    frame = dynamic_frame(n_periods=9)
    frame = frame[(frame["unit"] > 0) | (frame["t"] > 4)]  # 3 rows with a lag
    found = econ.growth.half_panel_jackknife(panel_of(frame), FORMULA)
    assert found.dropped == {"missing lag(y, 1)": 25, "unit with fewer than 4 rows": 3}
    assert found.n_units == 24


@pytest.mark.parametrize(
    ("formula", "options", "error", "words"),
    [
        ("y ~ x", {}, FormulaError, "unit effects and without instruments"),
        ("y ~ x | t", {}, FormulaError, r"\| unit \+ t"),
        ("y ~ 1 | unit | x ~ lag(x, 1)", {}, FormulaError, "without instruments"),
        ("y ~ x | unit", {"vcov": econ.iid()}, OptionError, "sum of estimates"),
        ("y ~ x | unit", {"vcov": econ.cluster("unit", kind="CR2")}, OptionError, "CR0 or CR1"),
        ("y ~ x | unit", {"vcov": econ.hetero("HC3")}, OptionError, "HC1"),
        ("y ~ late | unit", {}, ModelError, "late cannot be told apart .* in one half of the panel"),
        ("y ~ lag(y, 6) | unit", {}, EconError, "fewer than 4 rows"),
    ],
)
def test_bad_input(formula: str, options: dict[str, Any], error: type[Exception], words: str) -> None:
    frame = dynamic_frame().assign(late=lambda d: (d["t"] >= 5) * (d["t"] - 4.0))
    with pytest.raises(error, match=words):
        econ.growth.half_panel_jackknife(panel_of(frame), formula, **options)


def test_a_cross_section_is_refused() -> None:
    with pytest.raises(OptionError, match="no time column"):
        econ.growth.half_panel_jackknife(Panel(dynamic_frame(n_periods=1).drop(columns="t"), "unit"), "y ~ x | unit")
