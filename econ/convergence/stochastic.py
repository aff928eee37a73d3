"""Stochastic convergence: do shocks to a region's relative income die out, and does its trend lead to the mean?"""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import special

from econ.convergence.dickey_fuller import (
    LagRule,
    Series,
    by_unit,
    choose_lags,
    dickey_fuller,
    read_series,
    refuse_degenerate,
)
from econ.convergence.unit_root_tables import LEVELS, ZA, ZA_LEVELS, dickey_fuller_p, tabulated_p, za_critical
from econ.errors import DataError, ModelError, OptionError
from econ.inference.covariance import Layout, covariance, newey_west
from econ.linear.fit import FloatArray, IntArray
from econ.linear.ols import fit_ols
from econ.options import check_level, check_word
from econ.panel import Panel
from econ.text import Text

Break = Literal["level", "trend", "both"]

REGIMES = ("all", "before", "after")


@dataclass(frozen=True, eq=False)
class Stochastic:
    """Stochastic convergence region by region.

    Attributes
    ----------
    units : ``unit, n, lags``; without a break ``rho, statistic, p_value``; with one break of unknown date
        ``break_period`` (the first of the new regime), ``rho_break, statistic_break, p_value_break``
    trends : ``unit, regime`` (all, before, after), ``start, end``; ``level`` and ``slope`` of the trend function at the
        regime's start, with ``level_std_error, slope_std_error, level_p_value, slope_p_value``; ``converging``
    relative : ``unit, period, relative``: the series tested
    critical : ``level, value`` of ``statistic_break``
    spec : what was asked for, as plain JSON
    notes : what a reader must know
    """

    units: pd.DataFrame
    trends: pd.DataFrame
    relative: pd.DataFrame
    critical: pd.DataFrame
    spec: dict[str, Any]
    notes: tuple[Text, ...] = ()


def stochastic(
    panel: Panel,
    x: str,
    lags: int | LagRule = 1,
    breaks: Break = "both",
    trim: float = 0.15,
    level: float = 0.05,
) -> Stochastic:
    r"""Carlino and Mills' (1993) two conditions of convergence for each region.

    With ``y_it = ln(x_it / mean_t x)`` over the regions seen in every period,

    * stochastic convergence: ``y_i`` has no unit root around a trend,
      ``dy_t = a + b t + rho y_t-1 + sum_j c_j dy_t-j + e_t``, rejected for small t of ``rho``; and the same with one
      break, ``+ theta DU_t + gamma DT_t``, at the date at which t is smallest (Zivot and Andrews 1992),
      with ``DU_t = 1`` and ``DT_t = t - T_B`` after the break;
    * beta convergence: the trend function leads to the mean, ``level`` and ``slope`` of
      ``y_t = level + slope (t - start) + u_t`` having opposite signs, over all years and on both sides of that break
      (Newey-West standard errors). ``converging`` is true if their signs are opposite and both differ from zero at
      ``level``.

    Parameters
    ----------
    x : a positive level, such as real GDP per head.
    lags : lagged differences, one number or ``"aic"`` / ``"bic"`` for each region's choice in the regression without
        a break, which the one with a break takes over.
    breaks : what may break: the ``level``, the slope of the ``trend``, or ``both`` (models A, B, C).
    trim : share of the periods at either end in which no break is looked for.
    level : significance level of ``converging``.

    Notes
    -----
    p-values: MacKinnon (1994) without a break; with one, between the asymptotic percentiles of Zivot and Andrews,
    linear in the normal quantile, from 0.01 to 0.99. Both are asymptotic; see
    ``docs/simulations_unit_root.md`` for their size at T = 20.

    Examples
    --------
    >>> import econ
    >>> result = econ.convergence.stochastic(econ.load("provinces"), "gdp_per_capita")
    >>> list(result.trends["regime"].unique())
    ['all', 'before', 'after']
    """
    check_word(breaks, Break, "breaks")
    check_level(level)
    if not 0 < trim < 0.5:
        raise OptionError(f"trim={trim!r} is not allowed; give a share between 0 and 0.5, such as 0.15.")
    series, lost, labels = _relative(panel, x)
    chosen = choose_lags(series, lags, True, None)
    dates, rho, smallest = _earliest_break(series, chosen, breaks, trim)
    units = _units(series, chosen).assign(
        break_period=[labels[d] for d in dates],
        rho_break=rho,
        statistic_break=smallest,
        p_value_break=tabulated_p(smallest, ZA_LEVELS, ZA[breaks]),
    )
    frames = [_trend_functions(series.values[i], int(d), level, labels) for i, d in enumerate(dates)]
    trends = pd.concat(frames, ignore_index=True)
    trends.insert(0, "unit", np.repeat(series.units, len(REGIMES)))
    critical = pd.DataFrame({"level": LEVELS, "value": za_critical(breaks)})
    spec = {
        "estimator": "stochastic",
        "outcome": x,
        "lags": lags,
        "breaks": breaks,
        "trim": trim,
        "level": level,
        "unit": panel.unit,
        "time": panel.time,
        "dataset": panel.dataset,
        "labels": panel.labels([x]),
    }
    notes = (*panel.notes, *_short(len(labels)), *_lost(x, lost))
    return Stochastic(units, trends, _long(series, labels), critical, spec, notes)


def _relative(panel: Panel, x: str) -> tuple[Series, list[str], list[Any]]:
    """Log ratio to the mean of the regions seen throughout, those left out, and the periods."""
    series = read_series(panel, x)
    bad = (series.values <= 0).any(axis=1)
    if bad.any():
        names = ", ".join(map(str, series.units[bad][:5]))
        raise DataError(
            f"{x!r} is zero or negative for {names}; relative logs need positive levels. "
            "Leave these regions out with panel.where(...)."
        )
    full = series.lengths == series.values.shape[1]
    if full.sum() < 3:
        raise ModelError(
            f"Relative {x!r} needs at least 3 regions seen in every period; found {int(full.sum())}. Take a shorter "
            "span with panel.where(...)."
        )
    values = series.values[full]
    relative = np.log(values) - np.log(values.mean(axis=0))
    lost = [*series.left_out, *map(str, series.units[~full])]
    start = int(panel.time_codes[~np.isnan(panel.values(x))].min())
    labels = [panel.period(start + t) for t in range(values.shape[1])]
    kept = replace(series, values=relative, first=series.first[full], last=series.last[full], units=series.units[full])
    return kept, lost, labels


def _units(series: Series, lags: IntArray) -> pd.DataFrame:
    """The regressions without a break."""
    rho, t, n = np.empty(len(lags)), np.empty(len(lags)), np.empty(len(lags), dtype=int)
    for rows, fit in by_unit(series, lags, lambda y, p: dickey_fuller(y, p, True)):
        rho[rows], t[rows], n[rows] = fit.rho, fit.statistic, fit.n
    columns = {"unit": series.units, "n": n, "lags": lags, "rho": rho, "statistic": t}
    return pd.DataFrame(columns | {"p_value": dickey_fuller_p(t, True)})


def _earliest_break(
    series: Series, lags: IntArray, breaks: Break, trim: float
) -> tuple[IntArray, FloatArray, FloatArray]:
    """(N,) first position of the new regime at which t is smallest, with its rho and t."""
    N, T = series.values.shape
    best, rho, date = np.full(N, np.inf), np.empty(N), np.zeros(N, dtype=np.intp)
    for p in np.unique(lags):
        rows = np.flatnonzero(lags == p)
        dates = range(max(int(np.ceil(trim * T)), int(p) + 3), min(int((1 - trim) * T), T - 3) + 1)
        if not dates:
            raise ModelError(f"{T} periods leave no date for a break with trim={trim} and {p} lags; lower either.")
        for start in dates:
            fit = dickey_fuller(series.values[rows], int(p), True, extra=_dummies(T, start, breaks))
            refuse_degenerate(fit, series.units[rows])
            lower = rows[fit.statistic < best[rows]]
            at = np.searchsorted(rows, lower)
            best[lower], rho[lower], date[lower] = fit.statistic[at], fit.rho[at], start
    return date, rho, best


def _dummies(T: int, start: int, breaks: Break) -> FloatArray:
    """(T, 1 or 2) ``DU_t`` and ``DT_t`` with the new regime from position ``start``."""
    t = np.arange(T)
    columns = {"level": (t >= start) * 1.0, "trend": np.maximum(t - start + 1, 0.0)}
    return np.column_stack([columns[name] for name in (("level", "trend") if breaks == "both" else (breaks,))])


def _trend_functions(y: FloatArray, start: int, level: float, labels: list[Any]) -> pd.DataFrame:
    """Level and slope over all periods, and in one regression before and after the break."""
    t = np.arange(len(y), dtype=np.float64)
    late = t >= start
    split = np.column_stack([~late, ~late * t, late, late * (t - start)]).astype(np.float64)
    rows = [
        ("all", labels[0], labels[-1], *_level_and_slope(y, np.column_stack([np.ones(len(y)), t]), 0)),
        ("before", labels[0], labels[start - 1], *_level_and_slope(y, split, 0)),
        ("after", labels[start], labels[-1], *_level_and_slope(y, split, 2)),
    ]
    names = ("level", "level_std_error", "level_p_value", "slope", "slope_std_error", "slope_p_value")
    frame = pd.DataFrame(rows, columns=["regime", "start", "end", *names])
    significant = (frame["level_p_value"] < level) & (frame["slope_p_value"] < level)
    return frame.assign(converging=significant & (frame["level"] * frame["slope"] < 0))


def _level_and_slope(y: FloatArray, X: FloatArray, first: int) -> tuple[float, ...]:
    """Estimate, standard error and p-value of two neighbouring coefficients."""
    fit = fit_ols(y, X)
    found = covariance(newey_west(), fit, Layout(unit=np.zeros(len(y), dtype=np.intp), time=np.arange(len(y))))
    t = fit.coef / found.std_error
    p = 2 * special.stdtr(found.dof, -np.abs(t))
    return tuple(float(v[k]) for k in (first, first + 1) for v in (fit.coef, found.std_error, p))


def _long(series: Series, labels: list[Any]) -> pd.DataFrame:
    N, T = series.values.shape
    return pd.DataFrame({"unit": np.repeat(series.units, T), "period": labels * N, "relative": series.values.ravel()})


def _short(T: int) -> tuple[Text, ...]:
    if T >= 50:
        return ()
    return (
        {
            "en": f"With {T} periods the asymptotic critical values of unit-root tests, most of all with a break of "
            "unknown date, reject too often; read single regions with care.",
            "zh": f"样本仅 {T} 期，单位根检验（尤其是断点未知的检验）的渐近临界值会过度拒绝，对单个地区的结论应谨慎。",
        },
    )


def _lost(x: str, lost: list[str]) -> tuple[Text, ...]:
    if not lost:
        return ()
    return (
        {
            "en": f"Left out because {x} is not known in every period: {', '.join(lost)}.",
            "zh": f"因部分时期缺少数据而未计入的地区：{'、'.join(lost)}。",
        },
    )
