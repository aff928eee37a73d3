"""Panel unit-root tests: do the regions' series return to a mean (or trend), or do shocks stay for ever?"""

from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import special, stats

from econ.convergence.dickey_fuller import (
    DickeyFuller,
    LagRule,
    Series,
    by_unit,
    choose_lags,
    dickey_fuller,
    read_series,
    refuse_degenerate,
)
from econ.convergence.unit_root_tables import (
    LEVELS,
    cips_critical,
    dickey_fuller_p,
    ips_moments,
    llc_adjustment,
    tabulated_p,
)
from econ.errors import ModelError
from econ.linear.fit import FloatArray, IntArray
from econ.options import check_draws, check_level, check_word
from econ.panel import Panel
from econ.text import Text

UnitRootTest = Literal["ips", "llc", "fisher", "hadri", "cips"]
UnitRootConvention = Literal["stata", "plm"]

NULL: dict[str, Text] = {
    "ips": {"en": "all units have a unit root", "zh": "所有个体均含单位根"},
    "llc": {"en": "all units have a unit root", "zh": "所有个体均含单位根"},
    "fisher": {"en": "all units have a unit root", "zh": "所有个体均含单位根"},
    "cips": {"en": "all units have a unit root", "zh": "所有个体均含单位根"},
    "hadri": {"en": "all units are stationary", "zh": "所有个体均平稳"},
}
INDEPENDENT: Text = {
    "en": "This test assumes units independent of each other; with common shocks it rejects too often. Compare with "
    "test='cips'.",
    "zh": "该检验假定个体相互独立；存在共同冲击时会过度拒绝，宜与 test='cips' 对照。",
}
SHORT: Text = {
    "en": "With fewer than 30 periods this test rejects far too often (docs/simulations_unit_root.md); prefer "
    "test='ips' or test='cips'.",
    "zh": "期数少于 30 时该检验严重过度拒绝（见 docs/simulations_unit_root.md），宜采用 test='ips' 或 test='cips'。",
}


@dataclass(frozen=True, eq=False)
class UnitRoot:
    """A panel unit-root test.

    Attributes
    ----------
    statistic, p_value : of the test asked for; what the null is stands in ``spec["null"]``
    tests : ``test, statistic, dof, p_value``; the test itself first, then its relatives
    units : one row per unit: ``unit, n, lags, rho, statistic, p_value`` (Hadri: ``unit, n, lm, sigma2``)
    critical : ``level, value``, where the reference distribution is tabulated; empty when it is normal
    spec : what was asked for, as plain JSON
    notes : what a reader must know
    """

    statistic: float
    p_value: float
    tests: pd.DataFrame
    units: pd.DataFrame
    critical: pd.DataFrame
    spec: dict[str, Any]
    notes: tuple[Text, ...] = ()


@dataclass(frozen=True, eq=False)
class Pairwise:
    """Unit-root tests of all pairs of gaps.

    Attributes
    ----------
    share : share of the pairs that reject a unit root at ``spec["level"]``
    expected : mean of that share over simulated independent random walks of the same N, T and lags
    p_value : share of these simulations (and one) in which as many pairs or more reject
    pairs : ``unit_a, unit_b, n, lags, statistic, p_value, reject``
    spec, notes : as elsewhere
    """

    share: float
    expected: float
    p_value: float
    pairs: pd.DataFrame
    spec: dict[str, Any]
    notes: tuple[Text, ...] = ()


@dataclass(frozen=True, eq=False)
class _Found:
    """What one test gives: rows ``(test, statistic, dof, p_value)``, units, critical values, notes."""

    tests: list[tuple[str, float, float, float]]
    units: pd.DataFrame
    critical: tuple[tuple[float, float], ...] = ()
    notes: tuple[Text, ...] = ()


@dataclass(frozen=True, eq=False)
class _Fits:
    """Dickey-Fuller regressions of all units, each with its own span and lags."""

    groups: list[tuple[IntArray, DickeyFuller]]
    lags: IntArray

    def column(self, name: str) -> FloatArray:
        """(N,) one number per unit."""
        values = np.empty(len(self.lags))
        for rows, fit in self.groups:
            values[rows] = getattr(fit, name)
        return values


def unit_root(
    panel: Panel,
    x: str,
    test: UnitRootTest = "ips",
    lags: int | LagRule = 1,
    trend: bool = False,
    convention: UnitRootConvention = "stata",
    max_lags: int | None = None,
) -> UnitRoot:
    r"""Panel unit-root tests on augmented Dickey-Fuller regressions of each unit.

    .. math:: \Delta y_{it} = \rho_i y_{i,t-1} + \sum_{j=1}^{p_i} \theta_{ij} \Delta y_{i,t-j} + a_i (+ b_i t) + e_{it}

    * ``llc`` (Levin, Lin and Chu 2002): one ``rho`` for all; ``t* = (t - N n S s^-2 se mu*) / sigma*`` is
      standard normal, with ``S`` the mean ratio of long-run (Bartlett) to short-run standard deviations, ``mu*`` and
      ``sigma*`` from their table 2. Balanced panels.
    * ``ips`` (Im, Pesaran and Shin 2003): ``W = sqrt(N) (mean t - mean E t) / sqrt(mean V t)``, standard
      normal, with the moments of their table 3 for each unit's T and lags.
    * ``fisher`` (Maddala and Wu 1999; Choi 2001): ``P = -2 sum ln p_i``, chi-squared(2N); in ``tests`` also Choi's
      ``z`` (inverse normal), ``logit`` (t with 5N + 4) and ``modified_p`` (normal). Unit p-values of MacKinnon (1994).
    * ``cips`` (Pesaran 2007): the mean t of regressions augmented with ``ybar_t-1, dybar_t, ..., dybar_t-p``, which
      allows for one common factor; critical values of his tables II(b), II(c). Balanced panels.
    * ``hadri`` (Hadri 2000): the null is stationarity; ``Z = sqrt(N) (mean LM - m) / s`` with the moments of his
      eqs. 17 and 25, normal, right tail; ``lags`` play no part. Balanced panels.

    Small values of the first four (large ones of P and ``modified_p``) speak against unit roots. Rejection says that
    *some* units are stationary, not all.

    Parameters
    ----------
    panel, x : a column, usually a log; units may start and end at different times (``ips``, ``fisher``), not have gaps
    lags : lagged differences, one number for all units, or ``"aic"`` / ``"bic"``: the best for each unit from 0 to
        ``max_lags``, by default ``floor(4 (T/100)^(2/9))``, all on the same rows
    trend : whether each unit has its own linear trend besides its own constant
    convention : where the programs differ,

        ========== =================================== =========================================
        \          ``"stata"`` (xtunitroot, gretl)     ``"plm"`` (R's purtest and cipstest)
        ========== =================================== =========================================
        llc        bandwidth ``int(3.21 T^(1/3))``;    bandwidth ``round(3.21 T^(1/3))``; table 2
                   table 2 read at T - p - 1           read at T
        ips,       t with ``rss / (n - K)``; table 3   t with ``rss / n``; table 3 read at
        fisher     read at T                           T - p - 1
        hadri      one variance, ``rss / N(T - d)``    a variance per unit, ``rss_i / T``
        cips       t truncated to (-6.19, 2.61), with  not truncated
                   a trend (-6.42, 1.70)
        ========== =================================== =========================================

    Returns
    -------
    UnitRoot. The p-value of ``cips`` is interpolated between 1 and 10 percent and is a bound outside, as a note says.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").log(["gdp_per_capita"])
    >>> result = econ.convergence.unit_root(panel, "log_gdp_per_capita", "cips", trend=True)
    """
    check_word(test, UnitRootTest, "test")
    check_word(convention, UnitRootConvention, "convention")
    series = read_series(panel, x)
    if len(series.units) < 2:
        raise ModelError(f"A panel unit-root test needs at least 2 units; {x!r} has {len(series.units)}.")
    if test in ("llc", "cips", "hadri"):
        series.require_balance(test)
    stata = convention == "stata"
    if test == "hadri":
        found = _hadri(series, trend, stata)
    else:
        chosen = choose_lags(series, lags, trend, max_lags)
        found = {"ips": _ips, "llc": _llc, "fisher": _fisher, "cips": _cips}[test](series, chosen, trend, stata)
    return _result(panel, x, series, found, _spec(panel, x, test, lags, trend, convention))


def pairwise(
    panel: Panel,
    x: str,
    lags: int | LagRule = 1,
    trend: bool = False,
    level: float = 0.05,
    draws: int = 199,
    seed: int = 1,
) -> Pairwise:
    r"""Share of all gaps ``y_i - y_j`` that are stationary (Pesaran 2007, "A pair-wise approach").

    Each of the N(N-1)/2 gaps gets an augmented Dickey-Fuller test. If no two units converge, about ``level`` of the
    pairs reject a unit root; if all do, the share goes to one as T grows. A constant alone
    (``trend=False``) asks for convergence up to a fixed gap; a trend allows for gaps that grow steadily.

    The tests of overlapping pairs depend on each other, and T is short, so the share is compared with ``draws``
    simulated panels of independent Gaussian random walks of the same N, T and lag rule: ``p_value`` is the share of
    them (counting the data once) with as many rejections or more.

    Parameters
    ----------
    x : a column, usually a log level, without gaps and with every unit in every period
    level : size of each pair's test, asymptotic p-values of MacKinnon (1994)

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").log(["gdp_per_capita"])
    >>> result = econ.convergence.pairwise(panel, "log_gdp_per_capita", draws=19)
    """
    check_level(level)
    check_draws(draws, seed)
    series = read_series(panel, x)
    series.require_balance("pairwise")
    N, T = series.values.shape
    if N < 3:
        raise ModelError(f"Pairs need at least 3 units; {x!r} has {N}.")
    pairs = _pairs(series, lags, trend, level)
    rng = np.random.default_rng(seed)
    shares = np.array([_pairs(_walks(rng, series, N, T), lags, trend, level)["reject"].mean() for _ in range(draws)])
    share = float(pairs["reject"].mean())
    spec = _spec(panel, x, "pairwise", lags, trend, "stata") | {"level": level, "draws": draws, "seed": seed}
    p_value = (1 + int((shares >= share - 1e-12).sum())) / (1 + draws)
    return Pairwise(share, float(shares.mean()), p_value, pairs, spec, panel.notes)


def _fits(series: Series, lags: IntArray, trend: bool) -> _Fits:
    return _Fits(by_unit(series, lags, lambda y, p: dickey_fuller(y, p, trend)), lags)


def _t(fits: _Fits, stata: bool) -> FloatArray:
    """(N,) t statistics with ``rss / (n - K)``, or with ``rss / n``."""
    n, K = fits.column("n"), fits.column("n_coef")
    return fits.column("statistic") * (1.0 if stata else np.sqrt(n / (n - K)))


def _frame(series: Series, fits: _Fits, t: FloatArray, trend: bool) -> pd.DataFrame:
    columns = {"unit": series.units, "n": fits.column("n").astype(int), "lags": fits.lags, "rho": fits.column("rho")}
    return pd.DataFrame(columns | {"statistic": t, "p_value": dickey_fuller_p(t, trend)})


def _ips(series: Series, lags: IntArray, trend: bool, stata: bool) -> _Found:
    fits = _fits(series, lags, trend)
    t = _t(fits, stata)
    T = series.lengths.astype(np.float64) if stata else fits.column("n")
    mean, variance = ips_moments(T, lags.astype(np.float64), trend)
    W = float(np.sqrt(len(t)) * (t.mean() - mean.mean()) / np.sqrt(variance.mean()))
    rows = [("ips", W, np.inf, float(stats.norm.cdf(W))), ("t_bar", float(t.mean()), np.inf, np.nan)]
    return _Found(rows, _frame(series, fits, t, trend), notes=(INDEPENDENT, *_outside(T.min(), 10, "IPS")))


def _fisher(series: Series, lags: IntArray, trend: bool, stata: bool) -> _Found:
    fits = _fits(series, lags, trend)
    t = _t(fits, stata)
    N = len(t)
    p = np.clip(dickey_fuller_p(t, trend), 1e-300, 1 - 1e-16)  # logs of 0 and of 1 - 1
    P = float(-2 * np.log(p).sum())
    z = float(stats.norm.ppf(p).sum() / np.sqrt(N))
    logit = float(np.sqrt(3 * (5 * N + 4) / (np.pi**2 * N * (5 * N + 2))) * special.logit(p).sum())
    modified = float((P - 2 * N) / (2 * np.sqrt(N)))
    rows = [
        ("fisher", P, 2.0 * N, float(stats.chi2.sf(P, 2 * N))),
        ("z", z, np.inf, float(stats.norm.cdf(z))),
        ("logit", logit, 5.0 * N + 4, float(stats.t.cdf(logit, 5 * N + 4))),
        ("modified_p", modified, np.inf, float(stats.norm.sf(modified))),
    ]
    return _Found(rows, _frame(series, fits, t, trend), notes=(INDEPENDENT, *_short(series)))


def _llc(series: Series, lags: IntArray, trend: bool, stata: bool) -> _Found:
    T = series.values.shape[1]
    fits = _fits(series, lags, trend)
    short = np.sqrt(fits.column("rss") / fits.column("n"))
    bandwidth = 3.21 * T ** (1 / 3)
    long = np.sqrt(_long_run_variance(series.values, trend, int(bandwidth) if stata else round(bandwidth)))
    e = np.concatenate([(fit.change / short[rows, None]).ravel() for rows, fit in fits.groups])
    v = np.concatenate([(fit.level / short[rows, None]).ravel() for rows, fit in fits.groups])
    rho = e @ v / (v @ v)
    s2 = float(np.mean((e - rho * v) ** 2))
    se = np.sqrt(s2 / (v @ v))
    mean, sd = llc_adjustment(float(fits.column("n").mean()) if stata else float(T), trend)
    unadjusted = float(rho / se)
    statistic = float((unadjusted - e.size * np.mean(long / short) / s2 * se * mean) / sd)
    rows = [("llc", statistic, np.inf, float(stats.norm.cdf(statistic))), ("t_unadjusted", unadjusted, np.inf, np.nan)]
    units = _frame(series, fits, _t(fits, stata), trend).assign(sigma2=short**2, long_run_variance=long**2)
    at = float(fits.column("n").mean()) if stata else float(T)
    return _Found(rows, units, notes=(INDEPENDENT, *_short(series), *_outside(at, 25, "LLC")))


def _long_run_variance(y: FloatArray, trend: bool, bandwidth: int) -> FloatArray:
    """(N,) Bartlett long-run variance of the demeaned (detrended) differences (Levin, Lin and Chu 2002)."""
    d = _detrended(np.diff(y, axis=1), trend)
    n = d.shape[1]
    total = np.einsum("it,it->i", d, d) / n
    for k in range(1, min(bandwidth, n - 1) + 1):
        total = total + 2 * (1 - k / (bandwidth + 1)) * np.einsum("it,it->i", d[:, :-k], d[:, k:]) / n
    return np.asarray(total)


def _detrended(y: FloatArray, trend: bool) -> FloatArray:
    """(N, T) residuals of each row on a constant, or a constant and a trend."""
    n = y.shape[1]
    Q = np.linalg.qr(np.column_stack([np.ones(n), *([np.arange(n)] if trend else [])]))[0]
    left: FloatArray = y - (y @ Q) @ Q.T
    return left


def _hadri(series: Series, trend: bool, stata: bool) -> _Found:
    N, T = series.values.shape
    least = 4 + trend
    if least > T:
        raise ModelError(f"Hadri's test needs at least {least} periods; found {T}.")
    u = _detrended(series.values, trend)
    own = np.einsum("it,it->i", u, u) / (T - 1 - trend if stata else T)
    flat = own <= 1e-18 * np.mean(series.values**2, axis=1)
    if flat.any():
        names = ", ".join(map(str, series.units[flat][:5]))
        raise ModelError(f"The series of {names} are constant or exactly linear; leave them out with panel.where(...).")
    lm = (np.cumsum(u, axis=1) ** 2).sum(axis=1) / T**2 / (own.mean() if stata else own)
    mean, variance = (1 / 15, 11 / 6300) if trend else (1 / 6, 1 / 45)
    Z = float(np.sqrt(N) * (lm.mean() - mean) / np.sqrt(variance))
    units = pd.DataFrame({"unit": series.units, "n": T, "lm": lm, "sigma2": own})
    serial: Text = {
        "en": "Hadri's variance here assumes errors without serial correlation; with it the test rejects stationarity "
        "too often.",
        "zh": "此处 Hadri 检验的方差假定误差无序列相关；若有序列相关，会过度拒绝平稳性。",
    }
    return _Found([("hadri", Z, np.inf, float(stats.norm.sf(Z)))], units, notes=(INDEPENDENT, serial))


def _cips(series: Series, lags: IntArray, trend: bool, stata: bool) -> _Found:
    y = series.values
    center = y.mean(axis=0)
    t, rho, n = np.empty(len(y)), np.empty(len(y)), np.empty(len(y), dtype=int)
    for p in np.unique(lags):
        rows = np.flatnonzero(lags == p)
        fit = dickey_fuller(y[rows], int(p), trend, extra=_averages(center, int(p)))
        refuse_degenerate(fit, series.units[rows])
        t[rows], rho[rows], n[rows] = fit.statistic, fit.rho, fit.n
    low, high = (-6.42, 1.70) if trend else (-6.19, 2.61)
    means = {True: float(t.clip(low, high).mean()), False: float(t.mean())}
    T = int(n.min())
    critical = cips_critical(len(y), T, trend, stata)
    p_values = {k: float(tabulated_p(np.array(m), np.array(LEVELS), critical)) for k, m in means.items()}
    names = {stata: "cips", not stata: "cips_truncated" if not stata else "cips_untruncated"}
    rows_ = [(names[k], means[k], np.nan, p_values[k]) for k in (stata, not stata)]
    units = pd.DataFrame({"unit": series.units, "n": n, "lags": lags, "rho": rho, "statistic": t, "p_value": np.nan})
    notes = (*_bound(p_values[stata]), *_outside(T, 10, "CIPS"), *_outside(len(y), 10, "CIPS", "N"))
    return _Found(rows_, units, tuple(zip(LEVELS, critical.tolist(), strict=True)), notes)


def _averages(center: FloatArray, lags: int) -> FloatArray:
    """(T, lags + 2) cross-section averages ``ybar_t-1, dybar_t, ..., dybar_t-lags``; rows before they exist unused."""
    T = len(center)
    columns = np.zeros((T, lags + 2))
    columns[1:, 0] = center[:-1]
    for j in range(lags + 1):
        columns[1 + j :, 1 + j] = np.diff(center)[: T - 1 - j]
    return columns


def _short(series: Series) -> tuple[Text, ...]:
    return (SHORT,) if series.lengths.min() < 30 else ()


def _bound(p: float) -> tuple[Text, ...]:
    if LEVELS[0] < p < LEVELS[-1]:
        return ()
    side, side_zh = ("at most", "至多") if p <= LEVELS[0] else ("at least", "至少")
    return (
        {
            "en": f"The p-value is a bound: {side} {p:.2f}; critical values are tabulated for 1, 5 and 10 percent.",
            "zh": f"p 值为界限值：{side_zh} {p:.2f}；临界值表仅含 1%、5% 和 10%。",
        },
    )


def _outside(size: float, smallest: int, name: str, letter: str = "T") -> tuple[Text, ...]:
    if size >= smallest:
        return ()
    return (
        {
            "en": f"The published table of {name} starts at {letter} = {smallest}; its first entry is used for "
            f"{letter} = {size:g}.",
            "zh": f"{name} 检验的公布数表自 {letter} = {smallest} 起；{letter} = {size:g} 时采用表中首项。",
        },
    )


def _pairs(series: Series, lags: int | LagRule, trend: bool, level: float) -> pd.DataFrame:
    """Dickey-Fuller tests of all gaps."""
    a, b = np.array(list(combinations(range(len(series.units)), 2))).T
    names = np.array([f"{series.units[i]} - {series.units[j]}" for i, j in zip(a, b, strict=True)], dtype=object)
    gaps = Series(series.values[a] - series.values[b], series.first[a], series.last[a], names, ())
    chosen = choose_lags(gaps, lags, trend, None)
    fits = _fits(gaps, chosen, trend)
    frame = _frame(gaps, fits, fits.column("statistic"), trend).drop(columns=["unit", "rho"])
    frame.insert(0, "unit_a", series.units[a])
    frame.insert(1, "unit_b", series.units[b])
    return frame.assign(reject=frame["p_value"] < level)


def _walks(rng: np.random.Generator, series: Series, N: int, T: int) -> Series:
    return Series(rng.normal(size=(N, T)).cumsum(axis=1), series.first, series.last, series.units, ())


def _spec(
    panel: Panel, x: str, test: str, lags: int | LagRule, trend: bool, convention: UnitRootConvention
) -> dict[str, Any]:
    return {
        "estimator": "unit_root",
        "test": test,
        "outcome": x,
        "lags": lags,
        "trend": trend,
        "convention": convention,
        "unit": panel.unit,
        "time": panel.time,
        "dataset": panel.dataset,
        "labels": panel.labels([x]),
    }


def _result(panel: Panel, x: str, series: Series, found: _Found, spec: dict[str, Any]) -> UnitRoot:
    tests = pd.DataFrame(found.tests, columns=["test", "statistic", "dof", "p_value"])
    critical = pd.DataFrame(list(found.critical), columns=["level", "value"])
    spec = spec | {"null": dict(NULL[spec["test"]]), "n_units": len(series.units)}
    notes = (*panel.notes, *found.notes, *series.note(x))
    return UnitRoot(found.tests[0][1], found.tests[0][3], tests, found.units, critical, spec, notes)
