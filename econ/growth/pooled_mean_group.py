"""Dynamic regressions with a common long run and units' own short runs (Pesaran, Shin and Smith 1999)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from econ.design.expression import Expression, parse_expression, quote
from econ.design.formula import Formula, Term, parse_formula
from econ.errors import FormulaError, ModelError, OptionError
from econ.growth.panel_tests import difference_test
from econ.growth.unit_fits import Grid, fit_units
from econ.growth.unit_regressions import (
    UnitEstimate,
    UnitRegressions,
    fit_regressions,
    name_units,
    read_regressions,
    unit_estimate,
)
from econ.inference.heterogeneous import mean_group_covariance, pooled_mean_group_covariance
from econ.linear.fit import FloatArray
from econ.options import check_whole
from econ.panel import Panel
from econ.text import Text

LABEL: Text = {"en": "Pooled mean group", "zh": "混合均值组估计（PMG）"}
ADJUSTMENT = "adjustment"
MAX_STEPS, MAX_HALVINGS = 500, 40
_TOLERANCE = 1e-9  # of a step, in standard errors
_FLAT = 1e-12  # gain of the log likelihood, relative, that rounding can hide
_FAR = 1e-3  # steps, in standard errors, that gain something unless the likelihood is flat
_SINGULAR = 1e12  # condition of an information that tells coefficients apart no more
INDEFINITE: Text = {
    "en": "the difference of the covariances is not positive definite, so that this is no chi-squared statistic",
    "zh": "协方差之差非正定，该统计量不服从卡方分布",
}


def pooled_mean_group(panel: Panel, formula: str, lags: tuple[int, int] = (1, 1)) -> UnitEstimate:
    r"""Long-run coefficients that all units share, with short runs and error variances of their own.

    .. math::
        \Delta y_{it} = \phi_i (y_{i,t-1} - x_{it}'\theta) + \sum_{j=1}^{p-1} \lambda_{ij} \Delta y_{i,t-j}
            + \sum_{j=0}^{q-1} \delta_{ij}' \Delta x_{i,t-j} + a_i + u_{it}, \qquad u_{it} \sim N(0, \sigma_i^2)

    which is an autoregressive distributed lag ARDL(p, q, ..., q) with one long run ``theta`` for all units, whether the
    variables are stationary or integrated of order one and cointegrated. Estimated by maximum likelihood: given
    ``theta`` each unit is a regression of its own, so that scoring steps over ``theta`` alone lead to the maximum.

    Parameters
    ----------
    panel : the data, with periods; lags and differences follow the calendar, so that gaps cost rows
    formula : ``"y ~ x1 + x2"``, the long-run relation; with ``"y ~ x1 | province[year]"`` units have trends
    lags : (p, q) of the outcome and of the regressors, p from 1 and q from 0 on

    Returns
    -------
    UnitEstimate: the terms are the long-run coefficients, then ``adjustment``, the mean of the ``phi_i`` (-1 adjusts at
    once, 0 never), and means of the short-run coefficients; ``by_unit`` has those of every unit. The covariance of
    ``theta`` is the inverse information with the units' parameters taken out, referred to the normal distribution; that
    of the means is their variation across units, with t(N - 1). ``test("hausman")`` compares ``theta`` with the mean of
    long runs estimated unit by unit, chi-squared(K): a small p-value speaks against a common long run.

    Raises
    ------
    ModelError : a unit has too few periods for its short run, or the likelihood has no maximum

    Notes
    -----
    The search starts from the mean and from the median of the units' long runs, and from pooled least squares; the
    highest end is reported. The likelihood supposes errors without correlation over time, for which the lags must
    suffice, and independent units: see :func:`econ.growth.pesaran_cd`. In panels with few periods it has the bias of
    all dynamic panels.

    References
    ----------
    Pesaran, Shin and Smith (1999), "Pooled mean group estimation of dynamic heterogeneous panels", Journal of the
    American Statistical Association 94(446); Blackburne and Frank (2007), Stata Journal 7(2), for xtpmg.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").where(lambda d: (d["year"] >= 2000) & (d["province"] != "Tibet"))
    >>> result = econ.growth.pooled_mean_group(panel, "log(gdp_per_capita) ~ log(rd_expenditure)")
    >>> result.terms
    ('log(rd_expenditure)', 'adjustment', 'diff(log(rd_expenditure), 1)')
    """
    _check_lags(lags)
    asked = parse_formula(formula)
    x = _checked_terms(asked)
    long_run = tuple(expression.text for expression in x)
    regressions = read_regressions(panel, _error_correction(asked, x, lags))
    own = fit_regressions(regressions)
    if regressions.terms[: len(long_run) + 1] != (f"lag({asked.outcome.text}, 1)", *long_run):
        raise ModelError(f"A long-run term of {quote(formula)} is given twice or is a constant; leave it out.")
    K = len(long_run)
    data = _LongRun(regressions.grid, K)
    each = -own.coef[:, 1 : K + 1] / own.coef[:, :1]
    best = _highest(data, (each.mean(axis=0), np.median(each, axis=0), data.pooled()))
    short = (ADJUSTMENT, *regressions.terms[K + 1 :])
    found = pooled_mean_group_covariance(best.information, best.coef)
    shown = replace(regressions, terms=(*long_run, *short), notes=(*regressions.notes, *_diverging(regressions, best)))
    coef = np.concatenate([best.theta, best.coef.mean(axis=0)])
    result = unit_estimate(shown, ("pooled_mean_group", LABEL), coef, found, best.coef, best.residuals)
    apart = mean_group_covariance(each).matrix - found.matrix[:K, :K]
    test = difference_test("hausman", each.mean(axis=0) - best.theta, apart, INDEFINITE)
    return replace(
        result,
        unit_terms=short,
        stats=dict(result.stats) | {"loglik": best.loglik},
        tests=(test,),
        spec=dict(result.spec) | {"long_run": list(long_run), "lags": list(lags)},
    )


# ---- the likelihood


@dataclass(frozen=True, eq=False)
class _Point:
    """What a long run gives: (N, 1 + S) adjustment and short-run coefficients, (N, T) residuals, the step's parts."""

    theta: FloatArray
    loglik: float
    coef: FloatArray
    residuals: FloatArray
    gradient: FloatArray
    information: FloatArray


@dataclass(frozen=True, eq=False)
class _LongRun:
    """Rows of ``[y_{t-1}, x_t, short run]`` in ``grid.X``, of which K columns are the ``x_t``."""

    grid: Grid
    K: int

    @property
    def lagged(self) -> FloatArray:
        return self.grid.X[:, :, 0]

    @property
    def x(self) -> FloatArray:
        return self.grid.X[:, :, 1 : self.K + 1]

    @property
    def short(self) -> FloatArray:
        return self.grid.X[:, :, self.K + 1 :]

    def at(self, theta: FloatArray) -> _Point:
        """Each unit's regression given the long run, and gradient and information of its concentrated likelihood."""
        gap = self.lagged - self.x @ theta
        columns = np.concatenate([gap[:, :, None], self.short], axis=2)
        fits = fit_units(replace(self.grid, X=columns))
        T = self.grid.n_obs
        u = fits.residuals
        variance = np.sum(u**2, axis=1) / T
        loglik = -0.5 * float(np.sum(T * (np.log(2 * np.pi * variance) + 1)))
        phi = fits.coef[:, 0]
        left = self._without(columns)
        gradient = -np.einsum("i,it,itk->k", phi / variance, u, self.x)
        information = np.einsum("i,itk,itl->kl", phi**2 / variance, left, left)
        return _Point(theta, loglik, fits.coef, u, gradient, information)

    def _without(self, columns: FloatArray) -> FloatArray:
        """(N, T, K) of what the unit's own columns leave of x."""
        Q = np.linalg.qr(np.concatenate([self.grid.H, columns], axis=2))[0]
        return np.asarray(self.x - Q @ (np.swapaxes(Q, 1, 2) @ self.x))

    def pooled(self) -> FloatArray:
        """The long run of least squares with one slope on y_{t-1} and on x_t for all, units' own short runs."""
        H = np.concatenate([self.grid.H, self.short], axis=2)
        own = fit_units(replace(self.grid, H=H, X=self.grid.X[:, :, : self.K + 1]))
        coef = np.linalg.solve(own.gram.sum(axis=0), np.einsum("itk,it->k", own.X, own.y))
        return np.asarray(-coef[1:] / coef[0])


def _highest(data: _LongRun, starts: Sequence[FloatArray]) -> _Point:
    """The highest maximum that scoring steps from the starts find."""
    ends = [end for start in starts if (end := _climb(data, start)) is not None]
    if not ends:
        raise ModelError(
            "No long run maximises the likelihood: it keeps rising as the long run grows and the units' adjustment "
            "vanishes, as where they return to no common path. Use econ.growth.mean_group, fewer lags or fewer "
            "regressors."
        )
    return max(ends, key=lambda end: end.loglik)


def _climb(data: _LongRun, theta: FloatArray) -> _Point | None:
    """Scoring steps, halved until the likelihood does not fall; None where they lead nowhere."""
    here = data.at(theta)
    for _ in range(MAX_STEPS):
        scale = np.sqrt(np.diag(here.information))
        scaled = here.information / np.outer(scale, scale)
        if not (np.isfinite(scaled).all() and np.linalg.cond(scaled) < _SINGULAR):
            return None
        step = np.linalg.solve(scaled, here.gradient / scale) / scale
        length = float(step @ here.information @ step)  # squared, in standard errors
        if length <= _TOLERANCE**2:
            return here
        there = _better(data, here, step)
        if there is None or (length > _FAR**2 and there.loglik - here.loglik <= _FLAT * abs(here.loglik)):
            return None
        here = there
    return None


def _better(data: _LongRun, here: _Point, step: FloatArray) -> _Point | None:
    for _ in range(MAX_HALVINGS):
        there = data.at(here.theta + step)
        if there.loglik >= here.loglik - _FLAT * abs(here.loglik):
            return there
        step = step / 2
    return None


def _diverging(asked: UnitRegressions, best: _Point) -> tuple[Text, ...]:
    """Units that do not return to the long run."""
    away = best.coef[:, 0] >= 0
    if not away.any():
        return ()
    n, N, names = int(away.sum()), len(away), name_units(asked, away)
    return (
        {
            "en": f"{n} of {N} units do not return to the long run (adjustment not negative): {names}.",
            "zh": f"{N} 个个体中有 {n} 个不向长期关系调整（调整系数非负）：{names}。",
        },
    )


# ---- from a formula


def _check_lags(lags: tuple[int, int]) -> None:
    if not isinstance(lags, tuple) or len(lags) != 2:
        raise OptionError(f"lags={lags!r} is not allowed; give two whole numbers (p, q), such as (1, 1).")
    check_whole(lags[0], "lags=(p, q): p", 1)
    check_whole(lags[1], "lags=(p, q): q", 0)


def _checked_terms(asked: Formula) -> tuple[Expression, ...]:
    """The regressors of the long run, each of which has lags and differences."""
    single = [term.factors[0] for term in asked.terms if len(term.factors) == 1]
    found = tuple(factor for factor in single if isinstance(factor, Expression))
    others = sorted({term.text for term in asked.terms} - {expression.text for expression in found})
    if others:
        raise FormulaError(
            f"{', '.join(others)} cannot be a long-run term: its lags and differences are needed, which categories "
            "and products have none of. Compute the column first (panel.assign)."
        )
    outcome = asked.outcome.text
    lagged = [x.text for x in found if x.text.startswith((f"lag({outcome},", f"diff({outcome},"))]
    if lagged:
        raise FormulaError(f"{', '.join(lagged)}: the formula is the long-run relation; ask for lags with lags=(p, q).")
    if not found:
        raise FormulaError(f"{quote(asked.text)} has no long-run term; give at least one, such as 'y ~ x'.")
    return found


def _error_correction(asked: Formula, x: Sequence[Expression], lags: tuple[int, int]) -> Formula:
    """The regression in differences: ``y_{t-1}``, ``x_t``, then lagged differences of y and differences of x."""
    y, names = asked.outcome.source, [expression.source for expression in x]
    past = [f"lag(diff({y}, 1), {j})" for j in range(1, lags[0])]
    changes = [f"lag(diff({name}, 1), {j})" if j else f"diff({name}, 1)" for name in names for j in range(lags[1])]
    terms = [Term((parse_expression(text),)) for text in (f"lag({y}, 1)", *names, *past, *changes)]
    return replace(asked, outcome=parse_expression(f"diff({y}, 1)"), terms=tuple(terms))
