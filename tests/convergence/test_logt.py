"""The log t test against its definition, and what it refuses."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import econ
from econ import DataError, ModelError, OptionError, Panel
from econ.convergence.hp import hp_trend
from econ.convergence.logt import Design, log_t, long_run_variance, quadratic_spectral, variation
from tests.convergence import slow_clubs


def transition(n_units: int = 12, n_periods: int = 30, seed: int = 0, gap: float = 0.0) -> pd.DataFrame:
    """Levels whose logs approach a common trend, or two that stay ``gap`` apart."""
    rng = np.random.default_rng(seed)
    t = np.arange(1, n_periods + 1)
    start = rng.normal(0, 0.5, n_units)
    logs = 8 + 0.05 * t + np.outer(start, 1 / (t**0.5 * np.log(t + 1))) + 0.01 * rng.normal(size=(n_units, n_periods))
    logs[n_units // 2 :] += gap
    units = [f"r{i:02d}" for i in range(n_units)]
    columns = {"region": np.repeat(units, n_periods), "year": np.tile(1990 + t, n_units), "x": np.exp(logs).ravel()}
    return pd.DataFrame(columns)


def make(frame: pd.DataFrame) -> Panel:
    return Panel(frame, "region", "year")


def wide(panel: Panel) -> np.ndarray:
    return np.log(panel.frame.pivot(index="year", columns="region", values="x").to_numpy())


# ---- the filter


def dense_trend(y: np.ndarray, smoothing: float) -> np.ndarray:
    D = np.diff(np.eye(len(y)), n=2, axis=0)
    return np.linalg.solve(np.eye(len(y)) + smoothing * D.T @ D, y)


@given(st.integers(4, 40), st.floats(0.01, 1e5), st.integers(0, 99))
@settings(deadline=None, max_examples=40)
def test_the_filter_is_its_definition(n_periods: int, smoothing: float, seed: int) -> None:
    y = np.random.default_rng(seed).normal(size=(n_periods, 3)).cumsum(axis=0) + 9
    np.testing.assert_allclose(hp_trend(y, smoothing), dense_trend(y, smoothing), rtol=1e-7, atol=1e-9)


def test_the_filter_is_that_of_statsmodels() -> None:
    filters = pytest.importorskip("statsmodels.tsa.filters.hp_filter")
    y = np.random.default_rng(3).normal(size=(33, 2)).cumsum(axis=0)
    for column in range(2):
        np.testing.assert_allclose(hp_trend(y, 400)[:, column], filters.hpfilter(y[:, column], 400)[1], atol=1e-10)


# ---- the regression


@given(st.integers(8, 45), st.integers(2, 9), st.integers(0, 999))
@settings(deadline=None, max_examples=60)
def test_many_groups_at_once_are_the_definition_one_by_one(n_periods: int, n_units: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    groups = [5 + rng.normal(size=(n_periods, n_units)).cumsum(axis=0) * 0.05 for _ in range(3)]
    first = round(n_periods / 3)
    slope, std_error = Design.over(n_periods, first).fit(np.stack([variation(x) for x in groups], axis=1))
    expected = [slow_clubs.log_t(x, first) for x in groups]
    np.testing.assert_allclose(slope, [b for b, _ in expected], rtol=1e-7)
    np.testing.assert_allclose(slope / std_error, [t for _, t in expected], rtol=1e-6)


def test_the_kernel() -> None:
    assert quadratic_spectral(np.array([1e-6])) == pytest.approx(1, abs=1e-6)
    at = np.array([0.5, 1.0, 2.5])
    z = 6 * np.pi * at / 5
    np.testing.assert_allclose(quadratic_spectral(at), 3 / z**2 * (np.sin(z) / z - np.cos(z)))


def test_the_long_run_variance_is_positive_and_scales_with_the_square() -> None:
    u = np.random.default_rng(0).normal(size=(15, 400)).cumsum(axis=0)
    u -= u.mean(axis=0)
    omega = long_run_variance(u)
    assert (omega > 0).all()
    np.testing.assert_allclose(long_run_variance(3 * u), 9 * omega)


def test_estimate() -> None:
    panel = make(transition())
    estimate = log_t(panel, "x")
    slope, t = slow_clubs.log_t(np.apply_along_axis(dense_trend, 0, wide(panel), 400.0), 10)
    assert estimate.terms == ("log t",)
    assert estimate.coef[0] == pytest.approx(slope, rel=1e-8)
    assert estimate.statistic[0] == pytest.approx(t, rel=1e-7)
    assert (estimate.n_units, estimate.n_periods, estimate.n_obs) == (12, 30, 360)
    assert estimate.spec["n_trimmed"] == 10
    test = estimate.test("convergence")
    assert test.p_value == pytest.approx(stats.norm.cdf(t))
    assert econ.Estimate.from_json(estimate.to_json()).to_json() == estimate.to_json()


def test_logs_and_filter_may_be_done_before() -> None:
    panel = make(transition())
    logged = panel.assign(x=lambda d: np.log(d["x"]))
    filtered = pd.DataFrame(hp_trend(wide(panel), 400).T, columns=range(1991, 2021)).assign(region=panel.units)
    whole = log_t(panel, "x").statistic
    np.testing.assert_allclose(log_t(logged, "x", log=False).statistic, whole)
    done = Panel.from_wide(filtered, unit="region", name="x")
    np.testing.assert_allclose(log_t(done, "x", hp_lambda=None, log=False).statistic, whole)


def test_convergence_is_kept_and_divergence_rejected() -> None:
    assert log_t(make(transition()), "x").statistic[0] > -1.65
    assert log_t(make(transition(gap=1.0)), "x").statistic[0] < -1.65


def test_row_order_does_not_matter() -> None:
    panel = make(transition())
    shuffled = make(panel.frame.sample(frac=1, random_state=1))
    assert log_t(panel, "x").statistic == pytest.approx(log_t(shuffled, "x").statistic, rel=1e-12)


def test_halves_are_rounded_to_the_even_number() -> None:
    panel = make(transition(n_periods=15))
    assert log_t(panel, "x", trim=0.3).spec["n_trimmed"] == 4  # 4.5
    assert log_t(panel, "x", trim=0.5).spec["n_trimmed"] == 8  # 7.5


# ---- notes and refusals


def note(estimate: econ.Estimate, start: str) -> dict[str, str]:
    return next(dict(n) for n in estimate.notes if n["en"].startswith(start))


def test_incomplete_units_are_left_out_and_named() -> None:
    panel = make(transition()).where(lambda d: ~((d["region"] == "r03") & (d["year"] == 2000)))
    estimate = log_t(panel, "x")
    rest = log_t(make(transition().query("region != 'r03'")), "x")
    np.testing.assert_allclose(estimate.statistic, rest.statistic)
    assert estimate.n_units == 11
    assert estimate.sample.sum() == estimate.n_obs == 330
    assert estimate.dropped == {"units without a value in every period": 1}
    left_out = note(estimate, "Left out")
    assert "r03" in left_out["en"]
    assert "r03" in left_out["zh"]


def test_a_short_panel_is_noted_and_a_very_short_one_refused() -> None:
    assert "13 periods remain" in note(log_t(make(transition(n_periods=20)), "x"), "Short")["en"]
    assert not log_t(make(transition()), "x").notes
    assert log_t(make(transition(n_periods=8)), "x").n_periods == 8
    with pytest.raises(ModelError, match=r"7 period.*at least 8"):
        log_t(make(transition(n_periods=7)), "x")


def test_uneven_periods_are_noted() -> None:
    panel = make(transition(n_periods=40)).where(lambda d: d["year"] != 1992)
    assert note(log_t(panel, "x"), "The periods")


def test_no_log_of_what_is_not_positive_and_the_rows_are_named() -> None:
    frame = transition()
    frame.loc[4, "x"] = 0.0
    with pytest.raises(DataError, match=r"zero or negative.*r00"):
        log_t(make(frame), "x")


def test_paths_need_a_positive_mean() -> None:
    panel = make(transition()).assign(x=lambda d: d["x"] / 1e6)
    with pytest.raises(DataError, match="smaller unit of measure"):
        log_t(panel, "x")
    near = make(transition()).assign(x=lambda d: np.log(d["x"]) - 8, year=lambda d: d["year"])
    assert note(log_t(near, "x", log=False), "Some of the values")


def test_an_index_and_a_copy_are_refused() -> None:
    index = transition()
    index["x"] /= index.groupby("region")["x"].transform("first")
    with pytest.raises(DataError, match=r"mean .* 1991"):
        log_t(make(index), "x", hp_lambda=None)
    with pytest.raises(DataError, match="the same for all units in 1991"):
        log_t(make(index.assign(x=100 * index["x"])), "x", hp_lambda=None)
    frame = transition()
    twin = frame.query("region == 'r05'").assign(region="r99")
    with pytest.raises(DataError, match=r"r05 and r99|r99 and r05"):
        log_t(make(pd.concat([frame, twin])), "x")


@pytest.mark.parametrize("trim", [0, 1, -0.2, 0.9, float("nan")])
def test_bad_trim(trim: float) -> None:
    with pytest.raises(OptionError, match="trim="):
        log_t(make(transition()), "x", trim=trim)


@pytest.mark.parametrize("smoothing", [0, -1, float("inf"), float("nan")])
def test_bad_lambda(smoothing: float) -> None:
    with pytest.raises(OptionError, match="hp_lambda="):
        log_t(make(transition()), "x", hp_lambda=smoothing)


def test_one_unit_is_refused() -> None:
    with pytest.raises(ModelError, match="Only 1 of 1"):
        log_t(make(transition().query("region == 'r01'")), "x")
    with pytest.raises(ModelError, match="known in 0"):
        log_t(make(transition().assign(x=np.nan)), "x")
