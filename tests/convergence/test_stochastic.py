"""Stochastic convergence against its definition, statsmodels, and series whose answer is known."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.stattools import adfuller, zivot_andrews

import econ
from econ import DataError, ModelError, OptionError, Panel
from econ.convergence.dickey_fuller import dickey_fuller
from econ.convergence.stochastic import Break, Stochastic, _dummies, stochastic
from econ.convergence.unit_root_tables import ZA, ZA_LEVELS, za_critical

pytestmark = pytest.mark.filterwarnings("ignore:adfuller currently returns:FutureWarning")


def levels(N: int = 8, T: int = 40, seed: int = 0) -> Panel:
    rng = np.random.default_rng(seed)
    logs = 9 + 0.3 * rng.normal(size=(N, 1)) + 0.1 * rng.normal(size=(N, T)).cumsum(axis=1)
    wide = pd.DataFrame(np.exp(logs), columns=[str(1980 + t) for t in range(T)])
    return Panel.from_wide(wide.assign(region=[f"r{i}" for i in range(N)]), unit="region", name="x")


def relative(result: Stochastic) -> pd.DataFrame:
    return result.relative.pivot(index="period", columns="unit", values="relative")


def test_relative_income_is_the_log_ratio_to_the_mean() -> None:
    panel = levels()
    wide = panel.frame.pivot(index="year", columns="region", values="x")
    expected = np.log(wide.div(wide.mean(axis=1), axis=0))
    pd.testing.assert_frame_equal(relative(stochastic(panel, "x")), expected, check_names=False, check_index_type=False)


def test_without_a_break_equals_statsmodels() -> None:
    result = stochastic(levels(), "x", lags=2)
    for unit, series in relative(result).items():
        row = result.units.set_index("unit").loc[unit]
        t, p = adfuller(series, maxlag=2, regression="ct", autolag=None)[:2]
        assert (row["statistic"], row["p_value"]) == pytest.approx((t, p))


@pytest.mark.parametrize(("breaks", "model"), [("level", "c"), ("trend", "t"), ("both", "ct")])
def test_with_a_break_equals_statsmodels(breaks: Break, model: str) -> None:
    """Theirs dates a break of the level by the last old period, one of the slope by the first new one, as ours both."""
    result = stochastic(levels(), "x", breaks=breaks)
    for unit, series in relative(result).items():
        row = result.units.set_index("unit").loc[unit]
        t, p, _, _, last = zivot_andrews(series.to_numpy(), trim=0.15, maxlag=1, regression=model, autolag=None)
        if not 1987 <= row["break_period"] <= 2013:  # dates that they do not search
            continue
        assert row["statistic_break"] == pytest.approx(t)
        assert row["break_period"] == series.index[last + (breaks != "trend")]
        assert row["p_value_break"] == pytest.approx(p, abs=0.03)  # theirs are simulated, ours the published table


@pytest.mark.parametrize(("breaks", "model"), [("level", "c"), ("trend", "t"), ("both", "ct")])
def test_published_critical_values_are_near_those_simulated_by_statsmodels(breaks: Break, model: str) -> None:
    """Theirs come from 100,000 series, Zivot and Andrews' from 5,000."""
    walk = np.random.default_rng(0).normal(size=40).cumsum()
    theirs = zivot_andrews(walk, maxlag=1, regression=model, autolag=None)[2]
    np.testing.assert_allclose(za_critical(breaks), [theirs[size] for size in ("1%", "5%", "10%")], atol=0.11)


@pytest.mark.slow
@pytest.mark.parametrize("breaks", ["level", "trend", "both"])
def test_all_published_percentiles_by_simulation(breaks: Break) -> None:
    T, N = 250, 2000
    y = np.random.default_rng(3).normal(size=(N, T)).cumsum(axis=1)
    smallest = np.full(N, np.inf)
    for start in range(3, T - 2):
        fit = dickey_fuller(y, 0, True, extra=_dummies(T, start, breaks))
        smallest = np.fmin(smallest, fit.statistic)
    found = np.quantile(smallest, ZA_LEVELS)
    np.testing.assert_allclose(found[1:-1], ZA[breaks][1:-1], atol=0.12)
    np.testing.assert_allclose(found[[0, -1]], ZA[breaks][[0, -1]], atol=0.25)  # the tails of 2,000 series


def test_a_level_shift_is_found_and_dated() -> None:
    rng = np.random.default_rng(1)
    frame = levels(N=20).frame
    noise = pd.Series(0.02 * rng.normal(size=len(frame)), index=frame.index)
    shift = np.where((frame["region"] == "r0") & (frame["year"] >= 2000), 0.5, 0.0)
    panel = Panel(frame.assign(x=np.exp(9 + noise + shift)), "region", "year")
    row = stochastic(panel, "x", breaks="level").units.set_index("unit").loc["r0"]
    assert row["break_period"] == 2000
    assert row["p_value_break"] == pytest.approx(0.01)
    assert row["statistic_break"] < row["statistic"]


def test_trend_functions_are_regressions_with_newey_west() -> None:
    panel = levels(T=24)
    result = stochastic(panel, "x")
    series = relative(result)["r1"]
    table = result.trends[result.trends["unit"] == "r1"].set_index("regime")
    frame = pd.DataFrame({"one": "a", "t": range(24), "trend": np.arange(24.0), "y": series.to_numpy()})
    fit = econ.feols(Panel(frame, "one", "t"), "y ~ trend", vcov=econ.newey_west()).tidy()
    assert table.loc["all", ["level", "slope"]].tolist() == pytest.approx(fit["estimate"].tolist())
    assert table.loc["all", ["level_std_error", "slope_std_error"]].tolist() == pytest.approx(fit["std_error"].tolist())
    assert table.loc["all", ["level_p_value", "slope_p_value"]].tolist() == pytest.approx(fit["p_value"].tolist())
    split = int(table.loc["after", "start"])
    for regime, part in (("before", series[series.index < split]), ("after", series[series.index >= split])):
        slope, level = np.polyfit(np.arange(len(part)), part, 1)
        assert table.loc[regime, ["level", "slope"]].tolist() == pytest.approx([level, slope])


def test_catching_up_is_called_converging_and_falling_behind_is_not() -> None:
    t = np.arange(30)
    gaps = {"poor": -0.6 + 0.01 * t, "behind": -0.2 - 0.02 * t, "rich": 0.5 - 0.01 * t, "same": 0 * t}
    rng = np.random.default_rng(0)
    wide = pd.DataFrame({u: np.exp(9 + gap + 0.01 * rng.normal(size=30)) for u, gap in gaps.items()}).T
    wide.columns = [str(1990 + k) for k in t]
    panel = Panel.from_wide(wide.rename_axis("region").reset_index(), unit="region", name="x")
    trends = stochastic(panel, "x").trends.query("regime == 'all'").set_index("unit")
    assert trends["converging"].to_dict() == {
        "poor": True,
        "rich": True,
        "behind": False,
        "same": trends.loc["same", "converging"],
    }
    assert (trends["converging"] <= (trends["level"] * trends["slope"] < 0)).all()


def test_incomplete_regions_are_left_out_and_named() -> None:
    panel = levels().assign(x=lambda d: d["x"].mask((d["region"] == "r3") & (d["year"] == 1980)))
    result = stochastic(panel, "x")
    assert "r3" not in set(result.units["unit"])
    assert "r3" in result.notes[-1]["en"]
    assert "r3" in result.notes[-1]["zh"]


def test_scale_and_order_do_not_matter() -> None:
    panel = levels()
    first = stochastic(panel, "x", lags="bic").units
    shuffled = Panel(panel.frame.sample(frac=1, random_state=1).assign(x=lambda d: 7 * d["x"]), "region", "year")
    pd.testing.assert_frame_equal(first, stochastic(shuffled, "x", lags="bic").units)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda p: stochastic(p, "x", breaks="two"), OptionError, "breaks='two'"),
        (lambda p: stochastic(p, "x", trim=0.6), OptionError, "trim=0.6"),
        (lambda p: stochastic(p, "x", level=5), OptionError, "level=5"),
        (lambda p: stochastic(p.assign(x=lambda d: d["x"] - 1e5), "x"), DataError, "zero or negative for r0"),
        (lambda p: stochastic(p.where(lambda d: d["region"] < "r2"), "x"), ModelError, "at least 3 regions"),
        (lambda p: stochastic(p.where(lambda d: d["year"] < 1988), "x"), ModelError, "fewer lags|no date"),
        (lambda p: stochastic(p.where(lambda d: d["year"] != 1990), "x"), DataError, "gaps inside"),
        (lambda p: stochastic(p.assign(x=2.0), "x"), ModelError, "constant, exactly linear"),
    ],
)
def test_bad_input(call: object, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call(levels())  # type: ignore[operator]
