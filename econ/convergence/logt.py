"""The log t test of Phillips and Sul: does the cross-section variation of relative transition paths vanish?"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy import special

from econ.convergence.hp import hp_trend
from econ.errors import DataError, ModelError, OptionError
from econ.estimate import Estimate, Test
from econ.linear.fit import BoolArray, FloatArray, IntArray
from econ.panel import Panel
from econ.text import Text

TERM = "log t"
LABELS = {TERM: {"label": "log t", "label_zh": "log t"}}
REJECT = -1.65  # the published critical value, one-sided 5 %
MIN_PERIODS, MIN_LEFT = 8, 5
NAMED = 20  # units, beyond which a note only counts them
SHORT = 20  # periods left after the trim, below which a note says so
VCOV = {
    "kind": "phillips_sul",
    "words": {
        "en": "Standard error: scalar long-run variance, quadratic spectral kernel, automatic bandwidth "
        "(Phillips and Sul's code)",
        "zh": "标准误：标量长期方差，二次谱核，自动带宽（Phillips–Sul 原程序）",
    },
}


def log_t(panel: Panel, x: str, trim: float = 1 / 3, hp_lambda: float | None = 400, log: bool = True) -> Estimate:
    r"""Regression test of the null that all units converge.

    With the trend ``X_it`` of ``ln x_it``, relative transition paths ``h_it = X_it / mean_i(X_it)`` and their
    cross-section variation ``H_t = mean_i (h_it - 1)^2``, the regression over ``t = [r T] + 1, ..., T``

    ``ln(H_1 / H_t) - 2 ln(ln t) = a + b ln t + u_t``

    has ``b = 2 alpha``, where ``alpha`` is the speed at which the variation vanishes (Phillips and Sul 2007, 2009).
    ``t = 1`` is the first period in the data, and ``H_1`` is not trimmed. Convergence is rejected at 5 % when the t
    statistic is below -1.65; ``b >= 2`` is convergence in levels, ``0 <= b < 2`` in growth rates. The paths divide by
    the mean of the logs, so the statistic depends on the unit of measure of ``x``.

    The standard error is that of the published code, in three respects not the textbook's HAC estimator. (1) It
    is ``sqrt(omega / sum_t (ln t - mean)^2)`` with a long-run variance ``omega`` of the residuals alone, no sandwich
    with the regressor. (2) ``omega`` divides by n - 1, n being the periods in the regression. (3) The last residual is
    in the variance but in none of the autocovariances: with the quadratic spectral kernel ``k`` and ``S`` from Andrews
    (1991, section 6; AR(1) without a constant, n in the bandwidth),
    ``omega = (sum_{t<=n} u_t^2 + 2 sum_{j<=n-2} k(j / S) sum_{t<=n-1-j} u_t u_{t+j}) / (n - 1)``.

    Parameters
    ----------
    panel : units over periods. Units not known in every period in which any unit is are left out and named; periods
        count as consecutive.
    x : a positive level (or its log, with ``log=False``).
    trim : share r of the periods left out at the start. ``[r T]`` is r T rounded to the nearest whole number, halves to
        the even one, as in the published R package (the papers write the integer part).
    hp_lambda : smoothing parameter of the Hodrick-Prescott filter, applied to the logs; None if ``x`` is filtered. With
        20 periods the filter can make the test reject true convergence far too often (docs/simulations_clubs.md): show
        the result without it as well.
    log : take the natural log first.

    Returns
    -------
    Estimate with the one term ``log t``, normal distribution. Its test ``convergence`` has the one-sided p-value
    ``Phi(t)`` of the null of convergence; the two-sided ``p_value`` of the term is that of ``b = 0``.

    Examples
    --------
    >>> import econ
    >>> estimate = econ.convergence.log_t(econ.load("provinces"), "gdp_per_capita")
    >>> estimate.terms
    ('log t',)
    """
    paths = transition_input(panel, x, trim, hp_lambda, log)
    slope, std_error = (float(value[0]) for value in paths.design.fit(variation(paths.values)[:, None]))
    incomplete = panel.n_units - len(paths.codes)
    return Estimate(
        terms=(TERM,),
        coef=np.array([slope]),
        vcov=np.array([[std_error**2]]),
        dof=np.array([np.inf]),
        n_obs=int(paths.sample.sum()),
        n_units=len(paths.codes),
        n_periods=len(paths.periods),
        sample=paths.sample,
        spec=paths.spec
        | {"estimator": "log_t", "vcov": VCOV, "estimator_label": {"en": "Log t test", "zh": "log t 检验"}},
        dropped={"units without a value in every period": incomplete} if incomplete else {},
        tests=(Test("convergence", slope / std_error, (), float(special.ndtr(slope / std_error))),),
        labels=panel.labels([x]) | LABELS,
        notes=paths.notes,
    )


# ---------------------------------------------------------------------- the regression, for many groups at once


@dataclass(frozen=True, eq=False)
class Design:
    """The regression on ``ln t``, the same for every group of units.

    Attributes
    ----------
    first : position of the first period in the regression; the period of ``H_1`` comes before it
    deviation : (n,) ``ln t`` less its mean
    shift : (n,) ``2 ln(ln t)``
    """

    first: int
    deviation: FloatArray
    shift: FloatArray

    @classmethod
    def over(cls, n_periods: int, first: int) -> "Design":
        """The design for periods ``first + 1, ..., n_periods``."""
        log_time = np.log(np.arange(first + 1, n_periods + 1))
        return cls(first, log_time - log_time.mean(), 2 * np.log(log_time))

    def used(self, values: FloatArray) -> FloatArray:
        """Period 1 and the periods in the regression, all that the test needs of (T, N) values."""
        return np.concatenate([values[:1], values[self.first :]])

    def fit(self, H: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Slopes and standard errors, (M,) each, of M groups from their (1 + n, M) or (T, M) variation.

        A group whose units coincide in a period has ``H = 0``, and its numbers are not a number.
        """
        n = len(self.deviation)
        with np.errstate(divide="ignore", invalid="ignore"):
            log_H = np.log(H)
            y = log_H[0] - log_H[-n:] - self.shift[:, None]
            scale = self.deviation @ self.deviation
            slope = self.deviation @ y / scale
            residual = y - y.mean(axis=0) - np.multiply.outer(self.deviation, slope)
            return slope, np.sqrt(long_run_variance(residual) / scale)

    def statistic(self, H: FloatArray) -> FloatArray:
        """(M,) t statistics."""
        slope, std_error = self.fit(H)
        return slope / std_error


def long_run_variance(u: FloatArray) -> FloatArray:
    """(M,) ``omega`` of the columns of (n, M) residuals as in Phillips and Sul's code; see ``log_t``."""
    n = len(u)
    squares = np.einsum("tm,tm->m", u, u)
    rho = np.einsum("tm,tm->m", u[:-1], u[1:]) / (squares - u[-1] ** 2)
    bandwidth = 1.3221 * (n * 4 * rho**2 / (1 - rho) ** 4) ** 0.2  # Andrews (1991), section 6
    lags = np.arange(1, n - 1)
    kernel = quadratic_spectral(lags[:, None] / np.maximum(bandwidth, 1e-8))
    padded = np.zeros((2 * n - 3, u.shape[1]))
    padded[: n - 1] = u[:-1]
    led = sliding_window_view(padded[1:], n - 2, axis=0)  # (n - 1, M, lags): u_{t+1}, ..., zero beyond the end
    products = np.einsum("tm,tmj,jm->m", u[:-1], led, kernel, optimize=False)
    return np.asarray((squares + 2 * products) / (n - 1))


def quadratic_spectral(at: FloatArray) -> FloatArray:
    """The quadratic spectral kernel (Andrews 1991), away from zero."""
    z = np.maximum(1.2 * np.pi * at, 1e-3)  # below which the kernel is 1 to seven digits
    return np.asarray(3 / z**2 * (np.sin(z) / z - np.cos(z)))


def variation(values: FloatArray) -> FloatArray:
    """(T,) ``H_t``, the mean over units of ``(h_it - 1)^2``, from (T, N) values."""
    return np.asarray(values.var(axis=1) / values.mean(axis=1) ** 2)


# ---------------------------------------------------------------------- from the panel to the paths


@dataclass(frozen=True, eq=False)
class TransitionInput:
    """What the test and the clustering work on.

    Attributes
    ----------
    values : (T, N) trends of the logs
    codes : (N,) positions of the units in ``panel.units``
    periods : T labels
    sample : (rows of the panel,), true where a row is used
    """

    values: FloatArray
    codes: IntArray
    periods: list[Any]
    sample: BoolArray
    design: Design
    spec: dict[str, Any]
    notes: tuple[Text, ...]


def transition_input(panel: Panel, x: str, trim: float, hp_lambda: float | None, log: bool) -> TransitionInput:
    """Check the input, take logs, keep the complete units, filter."""
    if hp_lambda is not None and not 0 < hp_lambda < np.inf:
        raise OptionError(f"hp_lambda={hp_lambda!r}: give a positive number such as 400, or None if {x!r} is filtered.")
    raw = panel.log([x]).values(f"log_{x}") if log else panel.values(x)
    wide, times = _by_period(panel, raw, x)
    complete = np.asarray(~np.isnan(wide).any(axis=0))
    if complete.sum() < 2:
        raise ModelError(
            f"Only {int(complete.sum())} of {panel.n_units} units have {x!r} in all of the {len(times)} periods in "
            "which any unit has; convergence is between at least two. Take a shorter span with panel.where(...)."
        )
    values = wide[:, complete]
    values = values if hp_lambda is None else hp_trend(values, hp_lambda)
    design = Design.over(len(times), _n_trimmed(len(times), trim))
    periods = [panel.period(int(time)) for time in times]
    codes = np.flatnonzero(complete)
    _refuse_no_variation(values, panel.units[codes], periods, x)
    spec: dict[str, Any] = {
        "outcome": x, "trim": trim, "n_trimmed": design.first, "hp_lambda": hp_lambda, "log": log,
        "unit": panel.unit, "time": panel.time, "dataset": panel.dataset,
    }  # fmt: skip
    notes = (*panel.notes, *_notes(panel, x, complete, values, times, len(design.deviation), hp_lambda is not None))
    return TransitionInput(values, codes, periods, ~np.isnan(raw) & complete[panel.unit_codes], design, spec, notes)


def _by_period(panel: Panel, raw: FloatArray, x: str) -> tuple[FloatArray, IntArray]:
    """(T, units) values of the periods in which any unit is known, and their calendar codes."""
    known = ~np.isnan(raw)
    times = np.unique(panel.time_codes[known])
    if len(times) < MIN_PERIODS:
        raise ModelError(
            f"{x!r} is known in {len(times)} period(s); the log t test needs at least {MIN_PERIODS}, better 30 or more."
        )
    wide = np.full((int(panel.time_codes.max()) + 1, panel.n_units), np.nan)
    wide[panel.time_codes, panel.unit_codes] = raw
    return wide[times], times


def _n_trimmed(n_periods: int, trim: float) -> int:
    n_trimmed = round(n_periods * trim) if 0 < trim < 1 else 0
    if n_trimmed < 1 or n_periods - n_trimmed < MIN_LEFT:
        raise OptionError(
            f"trim={trim!r} leaves out {n_trimmed} of {n_periods} periods; at least 1 must be left out and {MIN_LEFT} "
            "left. Phillips and Sul recommend about 0.3 for up to 50 periods and 0.2 from 100 on."
        )
    return n_trimmed


def _refuse_no_variation(values: FloatArray, units: Any, periods: list[Any], x: str) -> None:
    """Paths need a positive mean, and variation in every period; two units with one series are a mistake."""
    low = values.mean(axis=1) <= 0
    if low.any():
        raise DataError(
            f"The mean of {x!r} (of its logs, with log=True) is zero or negative in {periods[int(np.argmax(low))]}; "
            "paths relative to the mean need a positive one. Use a smaller unit of measure (yuan, not 10,000 yuan)."
        )
    flat = np.ptp(values, axis=1) <= 1e-12 * values.mean(axis=1)
    if flat.any():
        raise DataError(
            f"{x!r} is the same for all units in {periods[int(np.argmax(flat))]}, so its variation has no log; give "
            "levels, not an index with a common base period."
        )
    order = np.argsort(values[-1], kind="stable")
    twin = (np.diff(values[:, order], axis=1) == 0).all(axis=0)
    if twin.any():
        at = int(np.argmax(twin))
        raise DataError(
            f"{units[order[at]]} and {units[order[at + 1]]} have the same {x!r} in every period; drop one of the two."
        )


def _notes(
    panel: Panel, x: str, complete: BoolArray, values: FloatArray, times: IntArray, n: int, filtered: bool
) -> list[Text]:
    notes: list[Text] = []
    if not complete.all():
        lost = [str(unit) for unit in panel.units[~complete]]
        notes.append(
            {
                "en": f"Left out of the log t test because {x} is not known in every period: {some(lost, ', ')}.",
                "zh": f"因部分时期缺少数据而未纳入 log t 检验：{some(lost, '、')}。",
            }
        )
    if n < SHORT:
        more = {"en": ", the more so on filtered data", "zh": "，滤波后尤甚"} if filtered else {"en": "", "zh": ""}
        notes.append(
            {
                "en": f"Short panel: {n} periods remain after the trim; the log t test and the clubs are unreliable "
                f"below about {SHORT}{more['en']}.",
                "zh": f"时期较短：剔除前段后仅剩 {n} 期；少于约 {SHORT} 期时，"
                f"log t 检验与俱乐部划分不够可靠{more['zh']}。",
            }
        )
    if (values <= 0).any():
        notes.append(
            {
                "en": "Some of the values (logs) are zero or negative, so paths relative to a group's mean may be "
                "unstable; a smaller unit of measure avoids this.",
                "zh": "部分取值（对数）为零或负，相对于组均值的路径可能不稳定；改用更小的计量单位可避免。",
            }
        )
    if np.ptp(np.diff(times)):
        notes.append(
            {
                "en": "The periods are not equally spaced; they are counted as consecutive.",
                "zh": "各期间隔不等，此处按连续时期计。",
            }
        )
    return notes


def some(names: list[str], comma: str) -> str:
    return comma.join(names[:NAMED]) + (f"{comma}... ({len(names)})" if len(names) > NAMED else "")
