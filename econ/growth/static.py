"""Static panel regressions: pooled, random effects, between, first differences, and Mundlak's regression."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from econ.data.transform import shift_rows
from econ.design.collinear import moments
from econ.design.matrix import INTERCEPT, Matrix
from econ.design.sample import levels_present, require_rows
from econ.errors import FormulaError, ModelError
from econ.estimate import Estimate, Test
from econ.growth.components import Components, quasi_demeaned, unit_means, variance_components
from econ.inference.covariance import Iid, Layout, Vcov
from econ.inference.wald import wald
from econ.linear.fit import FloatArray, IntArray, LinearFit, linear_stats
from econ.linear.ols import fit_ols
from econ.panel import Panel
from econ.problem import Design, Problem, label_estimate, partial_out, prepare, require_terms, sample_layout, usable
from econ.regress import feols
from econ.text import Text

POOLED: Text = {"en": "Pooled OLS", "zh": "混合回归"}
RANDOM: Text = {"en": "Random effects", "zh": "随机效应模型"}
BETWEEN: Text = {"en": "Between regression", "zh": "组间回归"}
DIFFERENCE: Text = {"en": "First differences", "zh": "一阶差分"}
DIFFERENCE_TREND: Text = {"en": "First differences with a constant", "zh": "一阶差分（含常数项）"}
MUNDLAK: Text = {"en": "Random effects with unit means (Mundlak)", "zh": "含组均值的随机效应模型（Mundlak）"}
SWAMY_ARORA: Text = {
    "en": "Variance components: Swamy-Arora with small-sample degrees of freedom (Baltagi-Chang where units differ in "
    "length).",
    "zh": "方差成分：Swamy-Arora 法，含小样本自由度修正（非平衡时为 Baltagi-Chang 形式）。",
}
NO_EFFECTS: Text = {
    "en": "The variance of the unit effects is estimated as zero: random effects are pooled OLS here.",
    "zh": "个体效应方差的估计值为零：此处随机效应即混合回归。",
}


def pooled(panel: Panel, formula: str, vcov: Vcov | None = None) -> Estimate:
    r"""Least squares on all rows, without effects: ``econ.feols`` under the name that tables of panel estimators use.

    .. math:: y_{it} = a + x_{it}'\beta + u_{it}

    Parameters
    ----------
    panel : the data, one row per unit and period
    formula : ``"y ~ x1 + x2"``; year effects as ``C(year)``
    vcov : covariance, by default clusters by the panel's unit, as in ``econ.feols``

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces")
    >>> econ.growth.pooled(panel, "log(invention_grants) ~ log(rd_expenditure)").terms
    ('Intercept', 'log(rd_expenditure)')
    """
    prepared(panel, formula, vcov, "pooled")
    found = feols(panel, formula, vcov)
    return replace(found, spec=dict(found.spec) | {"estimator": "pooled", "estimator_label": dict(POOLED)})


def random_effects(panel: Panel, formula: str, vcov: Vcov | None = None) -> Estimate:
    r"""Feasible GLS with random unit effects.

    .. math::
        y_{it} = x_{it}'\beta + a_i + e_{it}, \qquad
        y_{it} - \theta_i \bar y_i = (x_{it} - \theta_i \bar x_i)'\beta + v_{it}, \qquad
        \theta_i = 1 - \sqrt{\sigma_e^2 / (\sigma_e^2 + T_i \sigma_a^2)}

    Consistent where the effects are unrelated to the regressors: see :func:`econ.growth.hausman` and :func:`mundlak`.

    Parameters
    ----------
    panel : the data, one row per unit and period
    formula : ``"y ~ x1 + x2"``; regressors constant over time are welcome, year effects go in as ``C(year)``
    vcov : covariance of the quasi-demeaned regression, by default clusters by the panel's unit, which allows for
        effects and errors of any form; ``econ.iid()`` takes the model at its word, with ``SSR / (N - K)``

    Returns
    -------
    Estimate with, in ``stats``, ``r2_within``, ``r2_between``, ``r2_overall`` (1 - SSR/SST on deviations from unit
    means, on unit means, on the data), ``sigma2_idios``, ``sigma2_unit``, ``theta`` (``theta_min`` and ``theta_max``
    where units differ in length) and ``rmse`` of the quasi-demeaned regression.

    Notes
    -----
    Variance components are Swamy and Arora's with degrees of freedom for small samples, by linearmodels
    (``small_sample=True``; its default and Stata's plain ``xtreg, re`` differ on unbalanced panels).

    References
    ----------
    Swamy and Arora (1972), Econometrica 40(2); Baltagi and Chang (1994), Journal of Econometrics 62(2), section 2.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces")
    >>> estimate = econ.growth.random_effects(panel, "log(invention_grants) ~ log(rd_expenditure)")
    >>> sorted(estimate.stats)[-1]
    'theta'
    """
    problem = prepared(panel, formula, vcov, "random_effects")
    columns = partial_out(problem)
    regressors, notes = usable(problem, columns.group(1))
    require_terms(problem, regressors.names)
    codes = levels_present(problem.unit_codes)[0]
    found = variance_components(columns.y, regressors.X, codes)
    fit = fit_ols(*_quasi(columns.y, regressors.X, codes, found))
    return _labelled_random(problem, ("random_effects", RANDOM), regressors.names, fit, found, notes=notes)


def between(panel: Panel, formula: str, vcov: Vcov | None = None) -> Estimate:
    r"""Least squares on unit means over time, one row per unit whatever its length.

    .. math:: \bar y_i = a + \bar x_i'\beta + \bar u_i

    Parameters
    ----------
    panel : the data, one row per unit and period
    formula : ``"y ~ x1 + x2"``
    vcov : covariance over units; clusters and places must be constant within units. By default clusters by the panel's
        unit, which with one row each is HC1: G/(G-K)

    Returns
    -------
    Estimate; ``n_obs`` is the number of units, ``sample`` the rows averaged, and the statistics are of the means.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces")
    >>> econ.growth.between(panel, "log(invention_grants) ~ log(rd_expenditure)").n_obs
    31
    """
    problem = prepared(panel, formula, vcov, "between")
    codes = levels_present(problem.unit_codes)[0]
    columns = _redesigned(partial_out(problem), lambda values: unit_means(values, codes))
    regressors, notes = usable(problem, columns.group(1))
    return _labelled(problem, ("between", BETWEEN), columns, regressors, notes, _unit_layout(problem, codes))


def first_difference(panel: Panel, formula: str, vcov: Vcov | None = None, constant: bool = False) -> Estimate:
    r"""Least squares on changes between neighbouring periods.

    .. math:: \Delta y_{it} = (d +)\ \Delta x_{it}'\beta + \Delta u_{it}

    Changes are taken between calendar neighbours of the sample only: a gap yields none, and a note counts what gaps
    cost. (plm takes the row above, whatever its date.)

    Parameters
    ----------
    panel : the data, with periods
    formula : ``"y ~ x1 + x2"`` in levels; the intercept of the levels cancels out, and so does what does not vary
    vcov : covariance of the differenced regression, by default clusters by the panel's unit, which allows for the
        serial correlation that differencing brings
    constant : whether the changes have a constant of their own, a common linear trend of the levels (``Intercept``);
        plm has one, linearmodels none

    Returns
    -------
    Estimate; ``n_obs`` is the number of changes, ``sample`` the later row of each.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces")
    >>> econ.growth.first_difference(panel, "log(invention_grants) ~ log(rd_expenditure)").terms
    ('log(rd_expenditure)',)
    """
    problem = prepared(panel, formula, vcov, "first_difference")
    if panel.time is None:
        raise ModelError("First differences need periods, and this panel has no time column; name it in econ.Panel.")
    columns = partial_out(problem)
    earlier = shift_rows(problem.unit_codes, problem.time_codes, 1)
    n_lost = int((earlier < 0).sum()) - len(levels_present(problem.unit_codes)[1])
    changed = replace(problem, sample=problem.sample.without(earlier < 0, "no row in the period before"))
    require_rows(changed.sample)
    later = earlier >= 0
    columns = _redesigned(columns, lambda values: values[later] - values[earlier[later]])
    columns = _with_constant(columns, constant)
    regressors, notes = usable(changed, columns.group(1))
    estimator = ("first_difference", DIFFERENCE_TREND if constant else DIFFERENCE)
    return _labelled(changed, estimator, columns, regressors, (*notes, *_gap_note(n_lost)))


def mundlak(panel: Panel, formula: str, vcov: Vcov | None = None) -> Estimate:
    r"""Random effects with the unit means of the regressors beside them, and the test that the means do not matter.

    .. math:: y_{it} = x_{it}'\beta + \bar x_i'\gamma + a_i + e_{it}

    ``b`` are the within estimates; ``gamma = 0`` says that effects and regressors are unrelated. Tested under the
    covariance asked for, this is the regression form of the Hausman test that stays valid under heteroskedasticity and
    serial correlation (Wooldridge 2010, section 10.7.3).

    Parameters
    ----------
    panel, formula, vcov : as in :func:`random_effects`; means are taken of what varies within units and between them

    Returns
    -------
    Estimate with the terms of the formula and ``mean(x)`` for each mean, and in ``tests`` ``mundlak``, the F test of
    ``gamma = 0``. Under ``econ.iid()`` also ``mundlak_n``: N (SSR_0 - SSR_1) / SSR_1, chi-squared, gretl's
    "Hausman test" of random effects (``mundlak`` times its degrees of freedom, with N in place of N - K).

    References
    ----------
    Mundlak (1978), Econometrica 46(1).

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces")
    >>> estimate = econ.growth.mundlak(panel, "log(invention_grants) ~ log(rd_expenditure)")
    >>> estimate.terms
    ('Intercept', 'log(rd_expenditure)', 'mean(log(rd_expenditure))')
    """
    problem = prepared(panel, formula, vcov, "mundlak")
    columns = partial_out(problem)
    regressors, notes = usable(problem, columns.group(1))
    require_terms(problem, regressors.names)
    codes = levels_present(problem.unit_codes)[0]
    means, more = usable(problem, _mean_columns(regressors, codes), regressors)
    names = (*regressors.names, *means.names)
    X = np.asfortranarray(np.hstack((regressors.X, means.X)))
    found = variance_components(columns.y, X, codes)
    fit = fit_ols(*_quasi(columns.y, X, codes, found))
    estimate = _labelled_random(problem, ("mundlak", MUNDLAK), names, fit, found, notes=(*notes, *more))
    tests = _mean_tests(estimate, len(means.names), isinstance(problem.vcov, Iid))
    return replace(estimate, tests=tests, labels=dict(estimate.labels) | _mean_labels(estimate, regressors.names))


# ---- shared steps


def prepared(panel: Panel, formula: str, vcov: Vcov | None, name: str) -> Problem:
    """The problem of a formula without fixed effects and instruments."""
    problem = prepare(panel, formula, vcov)
    asked = problem.formula
    if asked.effects or asked.endogenous:
        raise FormulaError(
            f"econ.growth.{name} takes a formula without fixed effects and instruments, such as 'y ~ x1 + x2'; got "
            f"{asked.text!r}. Write year effects as C({panel.time or 'year'}), or use econ.feols."
        )
    require_rows(problem.sample)
    return problem


def _redesigned(columns: Design, change: Callable[[FloatArray], FloatArray]) -> Design:
    """The columns after a transformation of the rows, with their new variation."""
    values = np.asfortranarray(change(columns.matrix.values))
    _, variation, magnitude = moments(values)
    return Design(replace(columns.matrix, values=values), variation, magnitude)


def _with_constant(columns: Design, constant: bool) -> Design:
    """Differenced columns without the intercept of the levels, now zero, and with one of their own if asked."""
    names, (n_outcome, _, *rest) = columns.names, columns.matrix.sizes
    keep = np.array([name != INTERCEPT for name in names])
    values = columns.matrix.values[:, keep]
    kept = [name for name in names if name != INTERCEPT]
    if constant:
        values = np.insert(values, n_outcome, 1.0, axis=1)
        kept.insert(n_outcome, INTERCEPT)
    _, variation, magnitude = moments(values)
    sizes = (n_outcome, len(kept) - n_outcome, *rest)
    return Design(Matrix(np.asfortranarray(values), tuple(kept), sizes), variation, magnitude)


def _labelled(
    problem: Problem,
    estimator: tuple[str, Text],
    columns: Design,
    regressors: Design,
    notes: tuple[Text, ...],
    layout: Layout | None = None,
) -> Estimate:
    """Least squares of transformed columns as an Estimate."""
    require_terms(problem, regressors.names)
    _refuse_constant(problem, columns)
    fit = fit_ols(columns.y, regressors.X)
    has_constant = INTERCEPT in regressors.names
    total = float(columns.variation[0] if has_constant else columns.magnitude[0])
    ssr = float(fit.residuals @ fit.residuals)
    n_obs, n_coef = fit.X.shape
    stats = linear_stats(n_obs, n_coef, ssr, total, None, has_constant=has_constant)
    stats["mean_outcome"] = float(columns.y.mean())
    return label_estimate(problem, estimator, regressors.names, fit, stats, notes=notes, layout=layout)


def _refuse_constant(problem: Problem, columns: Design) -> None:
    if columns.variation[0] <= 1e-26 * columns.magnitude[0]:
        raise ModelError(
            f"The outcome {problem.formula.outcome.text!r} does not vary once it is averaged or differenced; there is "
            "nothing to explain. Use another estimator or another outcome."
        )


# ---- random effects


def _quasi(y: FloatArray, X: FloatArray, codes: IntArray, found: Components) -> tuple[FloatArray, FloatArray]:
    both = quasi_demeaned(np.column_stack((y, X)), codes, found.theta)
    return both[:, 0], np.asfortranarray(both[:, 1:])


def _labelled_random(
    problem: Problem,
    estimator: tuple[str, Text],
    names: tuple[str, ...],
    fit: LinearFit,
    found: Components,
    *,
    notes: tuple[Text, ...],
) -> Estimate:
    stats = found.stats | {"rmse": float(np.sqrt(np.mean(fit.residuals**2)))}
    stats["mean_outcome"] = float(problem.sample.take(problem.variables.outcome).mean())
    notes = (*notes, SWAMY_ARORA, *((NO_EFFECTS,) if found.sigma2_unit == 0 else ()))
    estimate = label_estimate(problem, estimator, names, fit, stats, notes=notes)
    return replace(estimate, spec=dict(estimate.spec) | {"variance_components": "swamy_arora"})


# ---- between


def _unit_layout(problem: Problem, codes: IntArray) -> Layout:
    """One row per unit; what clusters or places it must not differ within units."""
    rows = sample_layout(problem)
    first = np.unique(codes, return_index=True)[1]
    for name, values in rows.columns.items():
        if not np.array_equal(values[first][codes], values):
            raise ModelError(
                f"Column {name!r} changes within units, and the between regression has one row per unit; cluster by "
                "a column that is constant within units, or by the unit itself."
            )
    return Layout({name: values[first] for name, values in rows.columns.items()}, unit=problem.unit_codes[first])


# ---- first differences


def _gap_note(n_lost: int) -> tuple[Text, ...]:
    if not n_lost:
        return ()
    return (
        {
            "en": f"Differences only between neighbouring periods: {n_lost:,} would span a gap and were not taken.",
            "zh": f"仅在相邻时期之间差分：{n_lost:,} 个跨越缺口的差分未计算。",
        },
    )


# ---- Mundlak


def _mean_columns(regressors: Design, codes: IntArray) -> Design:
    """Unit means of the columns that vary within units, where the means differ between units."""
    means = unit_means(regressors.X, codes)[codes]
    _, about, total = moments(means)
    left = ((regressors.X - means) ** 2).sum(axis=0)
    keep = (left > 1e-18 * regressors.magnitude) & (about > 1e-18 * total)
    if not keep.any():
        raise ModelError(
            "No regressor varies both within and between units, so there is no unit mean to add; use random_effects."
        )
    names = tuple(f"mean({name})" for name, kept in zip(regressors.names, keep, strict=True) if kept)
    matrix = Matrix(np.asfortranarray(means[:, keep]), names, (len(names),))
    return Design(matrix, about[keep], total[keep])


def _mean_tests(estimate: Estimate, n_means: int, homoskedastic: bool) -> tuple[Test, ...]:
    K = len(estimate.terms)
    dof = float(estimate.dof.min())
    found = wald(estimate.coef, estimate.vcov, np.eye(K)[K - n_means :], dof=dof)
    tests = [Test("mundlak", found.statistic, (float(n_means), dof), found.p_value)]
    if homoskedastic:
        scaled = wald(estimate.coef, estimate.vcov * dof / estimate.n_obs, np.eye(K)[K - n_means :])
        tests.append(Test("mundlak_n", scaled.statistic_chi2, (float(n_means),), scaled.p_value_chi2))
    return tuple(tests)


def _mean_labels(estimate: Estimate, names: tuple[str, ...]) -> dict[str, dict[str, str]]:
    labels = {}
    for name in names:
        known = estimate.labels.get(name, {})
        english, chinese = known.get("label", name), known.get("label_zh", known.get("label", name))
        labels[f"mean({name})"] = {"label": f"Unit mean of {english}", "label_zh": f"{chinese}的组均值"}
    return {name: words for name, words in labels.items() if name in estimate.terms}
