"""Augmented Dickey-Fuller regressions for many units at once; arrays in, arrays out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from econ.errors import DataError, ModelError, OptionError
from econ.linear.fit import BoolArray, FloatArray, IntArray
from econ.options import check_whole, check_word
from econ.panel import Panel
from econ.text import Text

LagRule = Literal["aic", "bic"]


@dataclass(frozen=True, eq=False)
class Series:
    """One variable of N units over T calendar periods.

    Attributes
    ----------
    values : (N, T), NaN before a unit's first and after its last period, never in between
    first, last : (N,) positions of these periods
    units : (N,) labels
    left_out : units without any value
    """

    values: FloatArray
    first: IntArray
    last: IntArray
    units: NDArray[Any]
    left_out: tuple[str, ...]

    @property
    def lengths(self) -> IntArray:
        """(N,) periods of each unit."""
        return self.last - self.first + 1

    def note(self, x: str) -> tuple[Text, ...]:
        """A note on units without any value."""
        if not self.left_out:
            return ()
        return (
            {
                "en": f"Left out because {x} has no value: {', '.join(self.left_out)}.",
                "zh": f"因无数据而未计入：{'、'.join(self.left_out)}。",
            },
        )

    def require_balance(self, test: str) -> None:
        """Refuse units that miss the first or last period."""
        short = self.lengths < self.values.shape[1]
        if short.any():
            names = ", ".join(map(str, self.units[short][:5]))
            raise ModelError(
                f"test={test!r} needs every unit in every period; {int(short.sum())} of {len(self.units)} units are "
                f"not ({names}). Leave them or those periods out with panel.where(...), or use test='ips' or 'fisher'."
            )


@dataclass(frozen=True, eq=False)
class DickeyFuller:
    """Regressions ``dy_t = rho y_t-1 + w_t'g + e_t`` with the same n rows for each of N units.

    Attributes
    ----------
    rho, statistic : (N,) coefficient and its t with ``rss / (n - n_coef)``
    rss : (N,) residual sum of squares
    n, n_coef : rows and coefficients of one regression
    change, level : (N, n), what ``w`` leaves of ``dy_t`` and of ``y_t-1``
    degenerate : (N,), true where the regressors are collinear or fit perfectly
    """

    rho: FloatArray
    statistic: FloatArray
    rss: FloatArray
    n: int
    n_coef: int
    change: FloatArray
    level: FloatArray
    degenerate: BoolArray


def read_series(panel: Panel, x: str) -> Series:
    """The units of ``x`` as rows of a matrix; a gap inside a unit's span is refused."""
    if panel.time is None:
        raise ModelError("A unit-root test needs periods; this panel is a cross-section.")
    matrix = np.full((panel.n_units, int(panel.time_codes.max()) + 1), np.nan)
    matrix[panel.unit_codes, panel.time_codes] = panel.values(x)
    known = ~np.isnan(matrix)
    kept = known.any(axis=1)
    if kept.sum() < 1:
        raise ModelError(f"{x!r} has no values; there is nothing to test.")
    known, matrix = known[kept], matrix[kept]
    first = known.argmax(axis=1)
    last = known.shape[1] - 1 - known[:, ::-1].argmax(axis=1)
    units = np.asarray(panel.units)[kept]
    holed = known.sum(axis=1) < last - first + 1
    if holed.any():
        names = ", ".join(map(str, units[holed][:5]))
        raise DataError(
            f"{x!r} has gaps inside the series of {int(holed.sum())} units ({names}); lags need consecutive periods. "
            "Fill them with panel.interpolate(...), or leave these units out with panel.where(...)."
        )
    left_out = tuple(map(str, np.asarray(panel.units)[~kept]))
    start, end = first.min(), last.max() + 1
    return Series(matrix[:, start:end], first - start, last - start, units, left_out)


def dickey_fuller(
    y: FloatArray, lags: int, trend: bool, extra: FloatArray | None = None, skip: int | None = None
) -> DickeyFuller:
    r"""Least squares of ``dy_t`` on ``y_t-1``, a constant, a trend, ``dy_t-1 ... dy_t-lags`` and ``extra``.

    Parameters
    ----------
    y : (N, T) without gaps
    extra : (T, q) more regressors, the same for all units, or None
    skip : first differences left out at the start, at least ``lags`` (the default), so that fits with fewer lags can
        be compared on the same rows
    """
    skip = lags if skip is None else skip
    change = np.diff(y, axis=1)
    n = change.shape[1] - skip
    W = _regressors(change, lags, n, trend, None if extra is None else extra[1 + skip :])
    n_coef = W.shape[2] + 1
    if n < n_coef + 1:
        raise ModelError(
            f"{y.shape[1]} periods leave {max(n, 0)} rows for {n_coef} coefficients; take fewer lags or more periods."
        )
    Q = np.linalg.qr(W)[0]
    lagged, now = y[:, skip:-1], change[:, skip:]
    e, v = _off(Q, now), _off(Q, lagged)
    vv = np.einsum("it,it->i", v, v)
    spread = np.einsum("it,it->i", lagged, lagged)
    degenerate = vv <= 1e-18 * spread
    rho = np.einsum("it,it->i", e, v) / np.where(degenerate, 1.0, vv)
    u = e - rho[:, None] * v
    rss = np.einsum("it,it->i", u, u)
    degenerate = degenerate | (rss <= 1e-18 * np.einsum("it,it->i", now, now))
    t = rho / np.sqrt(np.where(degenerate, 1.0, rss / (n - n_coef) / np.where(degenerate, 1.0, vv)))
    return DickeyFuller(rho, t, rss, n, n_coef, e, v, degenerate)


def by_unit(
    series: Series, lags: IntArray, fit: Callable[[FloatArray, int], DickeyFuller]
) -> list[tuple[IntArray, DickeyFuller]]:
    """``fit`` for every group of units with the same span and lags: (rows, regressions) per group."""
    keys = np.column_stack([series.first, series.last, lags])
    groups, codes = np.unique(keys, axis=0, return_inverse=True)
    found = []
    for g, (first, last, p) in enumerate(groups):
        rows = np.flatnonzero(codes.reshape(-1) == g)
        result = fit(series.values[rows, first : last + 1], int(p))
        refuse_degenerate(result, series.units[rows])
        found.append((rows, result))
    return found


def refuse_degenerate(result: DickeyFuller, units: NDArray[Any]) -> None:
    """Name the units whose regression has no solution."""
    if result.degenerate.any():
        names = ", ".join(map(str, units[result.degenerate][:5]))
        raise ModelError(
            f"The Dickey-Fuller regression of {int(result.degenerate.sum())} units has no residual variation or "
            f"collinear regressors ({names}): their series are constant, exactly linear, or too short. Leave them out "
            "with panel.where(...), or take fewer lags."
        )


def choose_lags(series: Series, lags: int | LagRule, trend: bool, max_lags: int | None) -> IntArray:
    """(N,) lags of each unit: as given, or the smallest AIC or BIC over 0 to ``max_lags`` on the same rows.

    ``ic = ln(rss / n) + c K / n`` with c = 2 (aic) or ln n (bic). The default of ``max_lags`` is
    ``floor(4 (T / 100)^(2/9))``, at least 1.
    """
    N = len(series.units)
    if isinstance(lags, str):
        check_word(lags, LagRule, "lags")
        top = max(1, int(4 * (series.lengths.min() / 100) ** (2 / 9))) if max_lags is None else max_lags
        check_whole(top, "max_lags", 0)
        return _least_criterion(series, lags, trend, top)
    if max_lags is not None:
        raise OptionError(f"max_lags={max_lags} is for lags='aic' or 'bic'; with lags={lags} leave it out.")
    check_whole(lags, "lags", 0)
    return np.full(N, lags)


def _least_criterion(series: Series, rule: str, trend: bool, top: int) -> IntArray:
    criteria = np.empty((top + 1, len(series.units)))
    for p in range(top + 1):
        for rows, fit in by_unit(
            series, np.full(len(series.units), p), lambda y, p: dickey_fuller(y, p, trend, skip=top)
        ):
            penalty = 2.0 if rule == "aic" else np.log(fit.n)
            criteria[p, rows] = np.log(fit.rss / fit.n) + penalty * fit.n_coef / fit.n
    return np.asarray(criteria.argmin(axis=0), dtype=np.intp)


def _regressors(change: FloatArray, lags: int, n: int, trend: bool, extra: FloatArray | None) -> FloatArray:
    """(N, n, q) all regressors but ``y_t-1``."""
    N, m = change.shape
    common = [np.ones(n), *([np.linspace(-1.0, 1.0, n)] if trend else []), *([] if extra is None else extra.T)]
    own = [change[:, m - n - j : m - j] for j in range(1, lags + 1)]
    W = np.empty((N, n, len(common) + len(own)))
    for k, column in enumerate((*common, *own)):
        W[:, :, k] = column
    return W


def _off(Q: FloatArray, y: FloatArray) -> FloatArray:
    """(N, n) residuals of each row of ``y`` on its own orthonormal ``Q[i]``."""
    left: FloatArray = y - np.einsum("itk,ik->it", Q, np.einsum("itk,it->ik", Q, y))
    return left
