"""Panel unit-root tests against their definitions, written out unit by unit, and against statsmodels."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.tsa.stattools import adfuller

import econ
from econ import DataError, ModelError, OptionError, Panel
from econ.convergence.unit_root import UnitRoot, UnitRootTest, pairwise, unit_root
from econ.convergence.unit_root_tables import cips_critical, dickey_fuller_p, ips_moments, llc_adjustment

pytestmark = pytest.mark.filterwarnings("ignore:adfuller currently returns:FutureWarning")

TESTS: tuple[UnitRootTest, ...] = ("ips", "llc", "fisher", "hadri", "cips")


def matrix(N: int = 12, T: int = 20, rho: float = 1.0, seed: int = 0, common: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    shocks = rng.normal(size=(N, T)) + common * rng.normal(size=T)
    y = np.zeros((N, T))
    y[:, 0] = shocks[:, 0]
    for t in range(1, T):
        y[:, t] = rho * y[:, t - 1] + shocks[:, t]
    return y


def panel_of(y: np.ndarray) -> Panel:
    wide = pd.DataFrame(y, columns=[str(2000 + t) for t in range(y.shape[1])])
    return Panel.from_wide(wide.assign(region=[f"r{i:03}" for i in range(len(y))]), unit="region", name="y")


@pytest.mark.parametrize("trend", [False, True])
@pytest.mark.parametrize("lags", [0, 1, 3])
def test_unit_regressions_equal_statsmodels(lags: int, trend: bool) -> None:
    y = matrix()
    units = unit_root(panel_of(y), "y", "fisher", lags, trend).units
    for row, series in zip(units.itertuples(), y, strict=True):
        t, p, used, n, *_ = adfuller(series, maxlag=lags, regression="ct" if trend else "c", autolag=None)
        assert (row.n, row.lags) == (n, used)
        assert (row.statistic, row.p_value) == pytest.approx((t, p), rel=1e-8)


def test_p_values_equal_statsmodels_over_the_whole_range() -> None:
    from statsmodels.tsa.adfvalues import mackinnonp

    t = np.linspace(-25, 4, 200)
    for trend in (False, True):
        expected = [mackinnonp(value, regression="ct" if trend else "c") for value in t]
        np.testing.assert_allclose(dickey_fuller_p(t, trend), expected, rtol=1e-12)


@pytest.mark.parametrize("rule", ["aic", "bic"])
def test_lags_chosen_are_the_best_on_the_same_rows(rule: str) -> None:
    y = matrix(T=40)
    units = unit_root(panel_of(y), "y", "fisher", rule, max_lags=4).units  # type: ignore[arg-type]
    for chosen, series in zip(units["lags"], y, strict=True):
        d, criteria = np.diff(series), []
        for p in range(5):
            X = np.column_stack([series[4:-1], np.ones(35), *(d[4 - j : -j] for j in range(1, p + 1))])
            rss = float(np.linalg.lstsq(X, d[4:], rcond=None)[1][0])
            criteria.append(np.log(rss / 35) + (2 if rule == "aic" else np.log(35)) * X.shape[1] / 35)
        assert chosen == int(np.argmin(criteria))


@pytest.mark.parametrize("trend", [False, True])
@pytest.mark.parametrize("lags", [0, 2])
def test_cips_written_out(lags: int, trend: bool) -> None:
    y = matrix(T=24, common=1.0)
    mean, T = y.mean(axis=0), y.shape[1]
    expected = []
    for series in y:
        d, dm = np.diff(series), np.diff(mean)
        m = T - 1 - lags
        columns = [series[lags:-1], np.ones(m), mean[lags:-1], dm[lags:]]
        columns += [v[lags - j : -j] for j in range(1, lags + 1) for v in (d, dm)]
        columns += [np.arange(m)] if trend else []
        X = np.column_stack(columns)
        b = np.linalg.solve(X.T @ X, X.T @ d[lags:])
        u = d[lags:] - X @ b
        expected.append(b[0] / np.sqrt(u @ u / (m - X.shape[1]) * np.linalg.inv(X.T @ X)[0, 0]))
    result = unit_root(panel_of(y), "y", "cips", lags, trend, "plm")
    np.testing.assert_allclose(result.units["statistic"], expected, rtol=1e-7)
    assert result.statistic == pytest.approx(np.mean(expected), rel=1e-7)


def test_cips_is_truncated_in_the_stata_convention() -> None:
    y = matrix(T=20)
    y[0] = np.where(np.arange(20) % 2, 5.0, -5.0) + 0.01 * y[0]
    stata, plm = (unit_root(panel_of(y), "y", "cips", 0, convention=c) for c in ("stata", "plm"))
    assert stata.statistic == pytest.approx(plm.units["statistic"].clip(-6.19, 2.61).mean())
    assert plm.statistic < stata.statistic
    assert stata.tests["test"].tolist() == ["cips", "cips_untruncated"]
    assert plm.tests["test"].tolist() == ["cips", "cips_truncated"]


def test_ips_is_its_formula() -> None:
    y = matrix(N=10, T=25)
    result = unit_root(panel_of(y), "y", "ips", 2)
    mean, variance = -1.443, 0.905  # table 3, T = 25, 2 lags
    t = result.units["statistic"].mean()
    assert result.statistic == pytest.approx(np.sqrt(10) * (t - mean) / np.sqrt(variance))
    assert result.p_value == pytest.approx(stats.norm.cdf(result.statistic))


def test_hadri_is_its_formula() -> None:
    y = matrix(rho=0.0)
    u = y - y.mean(axis=1, keepdims=True)
    lm = (u.cumsum(axis=1) ** 2).sum(axis=1) / 20**2
    pooled, own = (u**2).sum() / (12 * 19), (u**2).mean(axis=1)
    for convention, value in (("stata", (lm / pooled).mean()), ("plm", (lm / own).mean())):
        found = unit_root(panel_of(y), "y", "hadri", convention=convention)  # type: ignore[arg-type]
        assert found.statistic == pytest.approx(np.sqrt(12) * (value - 1 / 6) / np.sqrt(1 / 45))


def test_tables_at_and_between_their_entries() -> None:
    mean, variance = ips_moments(np.array([10.0, 12.5, 100.0]), np.array([0, 0, 8]), True)
    assert mean == pytest.approx([-2.166, -2.1665, -2.088])
    assert variance == pytest.approx([1.132, 1.0005, 0.670])
    assert llc_adjustment(25, False) == (-0.554, 0.919)
    assert llc_adjustment(10, True) == (-0.703, 1.003)
    assert cips_critical(30, 20, False, truncated=True) == pytest.approx([-2.32, -2.15, -2.07])
    assert cips_critical(10, 10, True, truncated=True) == pytest.approx([-3.51, -3.10, -2.87])
    assert cips_critical(15, 15, True, truncated=False) == pytest.approx([-3.09, -2.83, -2.69])


def test_units_of_different_spans() -> None:
    y = matrix(N=6, T=24)
    y[0, :3] = np.nan
    y[1, -2:] = np.nan
    long = panel_of(y).where(lambda d: d["y"].notna())
    result = unit_root(long, "y", "ips", 1)
    assert result.units["n"].tolist() == [19, 20, 22, 22, 22, 22]
    alone = adfuller(y[0, 3:], maxlag=1, regression="c", autolag=None)[0]
    assert result.units["statistic"][0] == pytest.approx(alone)
    for test in ("llc", "hadri", "cips"):
        with pytest.raises(ModelError, match="2 of 6 units are not"):
            unit_root(long, "y", test)  # type: ignore[arg-type]


@pytest.mark.parametrize("test", TESTS)
@settings(max_examples=10, deadline=None)
@given(scale=st.floats(0.01, 100), shift=st.floats(-50, 50), seed=st.integers(0, 1000))
def test_scale_shift_and_order_do_not_matter(test: UnitRootTest, scale: float, shift: float, seed: int) -> None:
    y = matrix(N=11, T=18, seed=seed)
    expected = unit_root(panel_of(y), "y", test, trend=True)
    moved = panel_of(scale * y + shift)
    shuffled = Panel(moved.frame.sample(frac=1, random_state=seed), "region", "year")
    assert unit_root(shuffled, "y", test, trend=True).statistic == pytest.approx(expected.statistic, rel=1e-6, abs=1e-9)


def test_stationary_and_unit_root_panels_are_told_apart() -> None:
    still, walk = panel_of(matrix(30, 40, 0.3)), panel_of(matrix(30, 40))
    for test in ("ips", "llc", "fisher", "cips"):
        assert unit_root(still, "y", test).p_value <= 0.01, test  # type: ignore[arg-type]
        assert unit_root(walk, "y", test).p_value > 0.05, test  # type: ignore[arg-type]
    assert unit_root(walk, "y", "hadri").p_value < 0.01


def test_notes_say_what_to_know_in_two_languages() -> None:
    result = unit_root(panel_of(matrix(N=9, T=12)), "y", "cips", 0)
    assert isinstance(result, UnitRoot)
    assert "N = 9" in " ".join(note["en"] for note in result.notes)
    for test, T, said in (("llc", 20, True), ("fisher", 20, True), ("fisher", 30, False), ("ips", 20, False)):
        notes = unit_root(panel_of(matrix(T=T)), "y", test).notes  # type: ignore[arg-type]
        assert any("far too often" in note["en"] for note in notes) == said
    for test in TESTS:
        for note in unit_root(panel_of(matrix(N=9, T=12)), "y", test, 0).notes:
            assert note["zh"].endswith("。")
    panel = panel_of(matrix()).assign(z=lambda d: d["y"].where(d["region"] != "r003"))
    assert "r003" in unit_root(panel, "z").notes[-1]["en"]


def test_pairwise_share() -> None:
    y = matrix(N=8, T=40, seed=3)
    result = pairwise(panel_of(y), "y", draws=19)
    assert len(result.pairs) == 28
    first = adfuller(y[0] - y[1], maxlag=1, regression="c", autolag=None)
    assert result.pairs.loc[0, ["statistic", "p_value"]].tolist() == pytest.approx(first[:2])
    assert result.share == (result.pairs["p_value"] < 0.05).mean()
    together = matrix(N=8, T=60, rho=0.2) + matrix(N=1, T=60, seed=9)
    converging = pairwise(panel_of(together), "y", draws=19)
    assert converging.share > 0.9
    assert converging.p_value == 0.05
    assert 0 < converging.expected < 0.4


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda p: unit_root(p, "y", "adf"), OptionError, "test='adf'"),
        (lambda p: unit_root(p, "y", convention="eviews"), OptionError, "convention='eviews'"),
        (lambda p: unit_root(p, "y", lags=-1), OptionError, "lags=-1"),
        (lambda p: unit_root(p, "y", lags="hq"), OptionError, "lags='hq'"),
        (lambda p: unit_root(p, "y", lags=1, max_lags=3), OptionError, "max_lags=3 is for lags='aic'"),
        (lambda p: unit_root(p, "y", lags=8), ModelError, "not tabulated for 8 lags"),
        (lambda p: unit_root(p.where(lambda d: d["year"] < 2019), "y", lags=5), ModelError, "not tabulated for 5 lags"),
        (lambda p: unit_root(p, "y", "fisher", lags=12), ModelError, "take fewer lags"),
        (lambda p: unit_root(p.assign(y=1.0), "y"), ModelError, "constant, exactly linear"),
        (lambda p: unit_root(p.assign(y=1.0), "y", "hadri"), ModelError, "constant or exactly linear"),
        (lambda p: unit_root(p.where(lambda d: d["year"] != 2005), "y"), DataError, "gaps inside the series of 12"),
        (lambda p: unit_root(p.where(lambda d: d["region"] == "r001"), "y"), ModelError, "at least 2 units"),
        (lambda p: unit_root(p.where(lambda d: d["year"] < 2004), "y"), ModelError, "leave 2 rows"),
        (lambda p: unit_root(p.assign(y=np.nan), "y"), ModelError, "no values"),
        (lambda p: unit_root(Panel(p.frame.query("year == 2000"), "region"), "y"), ModelError, "cross-section"),
        (lambda p: pairwise(p.where(lambda d: d["region"] < "r002"), "y"), ModelError, "at least 3 units"),
    ],
)
def test_bad_input(call: object, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call(panel_of(matrix()))  # type: ignore[operator]


def test_runs_on_the_provinces() -> None:
    panel = econ.load("provinces").log(["gdp_per_capita"])
    for test in ("ips", "cips", "llc"):
        assert 0 <= unit_root(panel, "log_gdp_per_capita", test, trend=True).p_value <= 1  # type: ignore[arg-type]
