"""One break of unknown date in a linear trend."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from econ.convergence.dickey_fuller import read_series
from econ.errors import ModelError, OptionError
from econ.linear.fit import FloatArray, IntArray
from econ.options import check_draws
from econ.panel import Panel
from econ.text import Text

SIZE = 0.05
AR1_GRID = np.array([-0.5, -0.25, 0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.97])


@dataclass(frozen=True, eq=False)
class Breaks:
    """The most likely break in each unit's trend.

    Attributes
    ----------
    tests : ``unit, n, period`` (the first of the new trend), ``statistic`` (largest F), ``p_value``; ``critical``: the
        statistic at which it reaches 5 percent; ``slope_before, slope_after`` (per period), ``shift`` (``theta``),
        ``ar1``
    paths : ``unit, period, value``; ``trend``: fitted with that break; ``statistic``: F of a break that starts in the
        period, missing in the trimmed ones; ``critical`` as in ``tests``
    spec : what was asked for, as plain JSON
    notes : what a reader must know
    """

    tests: pd.DataFrame
    paths: pd.DataFrame
    spec: dict[str, Any]
    notes: tuple[Text, ...] = ()


def trend_break(panel: Panel, x: str, trim: float = 0.15, draws: int = 999, seed: int = 1) -> Breaks:
    r"""Date of a break in each unit's linear trend, and whether there is one.

    ``y_t = a + b t + theta 1(t >= d) + gamma (t - d) 1(t >= d) + u_t``; the date ``d`` is the one at which the F
    statistic of ``theta = gamma = 0`` is largest (Andrews 1993), between ``trim`` and ``1 - trim`` of the periods.

    The critical values of Andrews and the p-values of Hansen (1997) hold for regressors without a trend and for errors
    without memory. Here the p-value is simulated: the share of ``draws`` series without a break and with Gaussian AR(1)
    errors (counting the data once) that have as large a statistic or a larger one. The AR coefficient is the one at
    which simulated series, treated in the same way, have on average the residual autocorrelation that is found around
    the broken trend (indirect inference; the plain estimate is far too small in short series).
    At T = 24 it still rejects too often if errors have memory: at the 5 percent level in 7, 11 and 17 percent of 400
    series with AR coefficient 0, 0.5 and 0.8 (Monte Carlo standard errors 1.3, 1.6, 1.9).

    Parameters
    ----------
    panel, x : one or more series without gaps, such as the path of ``sigma`` as ``Panel(path, "group", "period")``, or
        a share by half of the country. At least 12 periods.

    Examples
    --------
    >>> import econ
    >>> path = econ.convergence.sigma(econ.load("provinces"), "gdp_per_capita").path
    >>> found = econ.convergence.trend_break(econ.Panel(path, "group", "period"), "sd_log", draws=99)
    >>> list(found.tests.columns[:4])
    ['unit', 'n', 'period', 'statistic']
    """
    if not 0 < trim < 0.5:
        raise OptionError(f"trim={trim!r} is not allowed; give a share between 0 and 0.5, such as 0.15.")
    check_draws(draws, seed)
    series = read_series(panel, x)
    if series.lengths.min() < 12:
        shortest = series.units[series.lengths.argmin()]
        raise ModelError(f"A break date needs at least 12 periods; {x!r} has {series.lengths.min()} for {shortest}.")
    rng = np.random.default_rng(seed)
    lengths = sorted({int(T) for T in series.lengths})
    memory = {T: _memory(_dates(T, trim), T, draws, rng) for T in lengths}
    origin = int(panel.time_codes[~np.isnan(panel.values(x))].min())
    rows, paths = [], []
    for unit, values, first, last in zip(series.units, series.values, series.first, series.last, strict=True):
        y = values[first : last + 1]
        T = len(y)
        dates = _dates(T, trim)
        found = _one(y, dates, memory[T], draws, rng)
        periods = [panel.period(origin + int(first) + t) for t in range(T)]
        rows.append({"unit": unit, "n": T, "period": periods[found.date], **found.numbers})
        F = np.full(T, np.nan)
        F[dates] = found.F
        path = {"unit": unit, "period": periods, "value": y, "trend": found.trend, "statistic": F}
        paths.append(pd.DataFrame(path | {"critical": found.numbers["critical"]}))
    spec = {"estimator": "trend_break", "outcome": x, "trim": trim, "draws": draws, "seed": seed, "size": SIZE,
            "dataset": panel.dataset, "labels": panel.labels([x])}  # fmt: skip
    return Breaks(pd.DataFrame(rows), pd.concat(paths, ignore_index=True), spec, (*panel.notes, *series.note(x)))


@dataclass(frozen=True, eq=False)
class _Found:
    """Position of the break, F at each date looked at, the fitted trend (T,), and the row of ``tests``."""

    date: int
    F: FloatArray
    trend: FloatArray
    numbers: dict[str, float]


def _dates(T: int, trim: float) -> IntArray:
    """First positions of the new trend that are looked at."""
    return np.arange(max(3, int(np.ceil(trim * T))), min(T - 3, int((1 - trim) * T)) + 1)


def _memory(dates: IntArray, T: int, draws: int, rng: np.random.Generator) -> FloatArray:
    """(2, grid) mean residual autocorrelation around the broken trend, increasing, for each AR coefficient."""
    seed = int(rng.integers(2**63))  # the same innovations at every coefficient make the curve smooth
    means = [
        _autocorrelation(_autoregressive(np.random.default_rng(seed), ar1, draws, T), dates).mean() for ar1 in AR1_GRID
    ]
    return np.array([np.maximum.accumulate(means), AR1_GRID])


def _autocorrelation(Y: FloatArray, dates: IntArray) -> FloatArray:
    """(B,) first autocorrelation of each row's residuals around its trend with the break of largest F."""
    best = _f_statistics(Y, dates).argmax(axis=1)
    r = np.empty(len(Y))
    for k in np.unique(best):
        rows = best == k
        Q = np.linalg.qr(_broken(Y.shape[1], int(dates[k])))[0]
        U = Y[rows] - (Y[rows] @ Q) @ Q.T
        r[rows] = np.einsum("bt,bt->b", U[:, 1:], U[:, :-1]) / np.einsum("bt,bt->b", U, U)
    return r


def _one(y: FloatArray, dates: IntArray, memory: FloatArray, draws: int, rng: np.random.Generator) -> _Found:
    T = len(y)
    line = np.column_stack([np.ones(T), np.arange(T)])
    u = y - line @ np.linalg.lstsq(line, y, rcond=None)[0]
    if u @ u <= 1e-20 * (y @ y):
        raise ModelError("A series lies exactly on a straight line; there is nothing to test. Leave it out.")
    F = _f_statistics(y[None, :], dates)[0]
    date = int(dates[F.argmax()])
    ar1 = float(np.interp(_autocorrelation(y[None, :], dates)[0], *memory))
    simulated = _f_statistics(_autoregressive(rng, ar1, draws, T), dates).max(axis=1)
    X = _broken(T, date)
    b = np.linalg.lstsq(X, y, rcond=None)[0]
    numbers = {
        "statistic": float(F.max()),
        "p_value": (1 + int((simulated >= F.max()).sum())) / (1 + draws),
        "critical": float(np.sort(simulated)[-max(1, int(SIZE * (1 + draws) + 1e-9))]),
        "slope_before": float(b[1]),
        "slope_after": float(b[1] + b[3]),
        "shift": float(b[2]),
        "ar1": ar1,
    }
    return _Found(date, F, X @ b, numbers)


def _f_statistics(Y: FloatArray, dates: IntArray) -> FloatArray:
    """(B, dates) F of no break against a break at each date, for each row of ``Y`` (B, T)."""
    T = Y.shape[1]
    restricted = _rss(Y, _broken(T, 0)[:, :2])
    free = np.column_stack([_rss(Y, _broken(T, int(d))) for d in dates])
    F: FloatArray = (restricted[:, None] - free) / 2 / (free / (T - 4))
    return F


def _broken(T: int, date: int) -> FloatArray:
    """(T, 4) constant, trend, step and kink at ``date``."""
    t = np.arange(T, dtype=np.float64)
    return np.column_stack([np.ones(T), t, t >= date, np.maximum(t - date, 0.0)])


def _rss(Y: FloatArray, X: FloatArray) -> FloatArray:
    """(B,) residual sums of squares of each row on ``X``."""
    Q = np.linalg.qr(X)[0]
    U = Y - (Y @ Q) @ Q.T
    return np.asarray(np.einsum("bt,bt->b", U, U))


def _autoregressive(rng: np.random.Generator, ar1: float, draws: int, T: int) -> FloatArray:
    """(draws, T) stationary AR(1) series with unit innovations."""
    e = rng.normal(size=(draws, T))
    e[:, 0] /= np.sqrt(1 - ar1**2)
    for t in range(1, T):
        e[:, t] += ar1 * e[:, t - 1]
    return e
