"""Least squares on changes over long spans."""

from dataclasses import replace

import numpy as np

from econ.data.transform import shift_rows
from econ.design.collinear import moments
from econ.design.matrix import INTERCEPT
from econ.design.sample import require_rows
from econ.errors import FormulaError, OptionError
from econ.estimate import Estimate
from econ.inference.covariance import Vcov
from econ.linear.fit import linear_stats
from econ.linear.ols import fit_ols
from econ.options import check_whole
from econ.panel import Panel
from econ.problem import (
    Design,
    Problem,
    design_columns,
    label_estimate,
    prepare,
    require_terms,
    usable,
    without_perfectly_fitted,
)
from econ.text import Text


def long_difference(panel: Panel, formula: str, span: int, vcov: Vcov | None = None) -> Estimate:
    r"""Least squares on changes over ``span`` periods.

    .. math:: y_{it} - y_{i,t-s} = (x_{it} - x_{i,t-s})'\beta + \delta_{g(it)} + u_{it} - u_{i,t-s}

    Unit effects cancel. Errors of measurement that do not last weigh less the longer the span, as true changes add up
    and errors do not (Griliches and Hausman 1986); so do short movements that growth is not. A lagged outcome is
    refused: it shares errors with the change whatever the span; see :func:`econ.growth.dynamic`.

    Parameters
    ----------
    panel : the data, with periods
    formula : ``"y ~ x1 + x2 | year"``, variables in levels. Fixed effects are those of the changes: ``year`` is the end
        of the span and ``province`` a trend of its own; without effects the changes have a constant.
    span : s, in periods of the panel; every row that has one s periods before gives a change, so that changes overlap
        unless s is the length of the panel less one
    vcov : covariance of the differenced regression, by default clusters by the panel's unit, which allows for the
        correlation that overlapping changes bring

    Returns
    -------
    Estimate; ``n_obs`` is the number of changes, ``sample`` the later row of each.

    References
    ----------
    Griliches and Hausman (1986), "Errors in variables in panel data", Journal of Econometrics 31.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces")
    >>> estimate = econ.growth.long_difference(panel, "log(invention_grants) ~ log(rd_expenditure) | year", span=5)
    >>> estimate.spec["span"]
    5
    """
    problem = _prepared(panel, formula, span, vcov)
    levels = design_columns(problem, 0).matrix
    earlier = shift_rows(problem.unit_codes, problem.time_codes, span)
    changed = replace(problem, sample=problem.sample.without(earlier < 0, f"no row {span} periods before"))
    require_rows(changed.sample)
    changed = without_perfectly_fitted(changed)
    later = np.flatnonzero(changed.sample.rows[problem.sample.rows])
    changes = levels.values[later] - levels.values[earlier[later]]
    if INTERCEPT in levels.names:
        changes[:, levels.names.index(INTERCEPT)] = 1.0
    _, variation, magnitude = moments(changes)
    left = changed.absorber.residualize(changes) if changed.effects else changes
    columns = Design(replace(levels, values=np.asfortranarray(left)), variation, magnitude)
    regressors, notes = usable(changed, columns.group(1))
    require_terms(changed, regressors.names)
    return _labelled(changed, columns, regressors, notes, span)


def _prepared(panel: Panel, formula: str, span: int, vcov: Vcov | None) -> Problem:
    problem = prepare(panel, formula, vcov)
    asked = problem.formula
    if panel.time is None:
        raise OptionError("Long differences need periods, and this panel has no time column.")
    longest = int(panel.time_codes.max() - panel.time_codes.min())
    check_whole(span, "span", 1, longest)
    if asked.endogenous:
        raise FormulaError(f"econ.growth.long_difference takes no instruments; got {asked.text!r}.")
    lagged = [term.text for term in asked.terms if term.text.startswith(f"lag({asked.outcome.text},")]
    if lagged:
        raise FormulaError(
            f"{lagged[0]} is correlated with the error of the change of {asked.outcome.text} whatever the span; leave "
            "it out, or use econ.growth.dynamic."
        )
    require_rows(problem.sample)
    return problem


def _labelled(problem: Problem, columns: Design, regressors: Design, notes: tuple[Text, ...], span: int) -> Estimate:
    fit = fit_ols(columns.y, regressors.X)
    n_obs, n_coef = fit.X.shape
    within = float(columns.y @ columns.y) if problem.effects else None
    stats = linear_stats(
        n_obs,
        n_coef + problem.absorber.n_effects_rank,
        float(fit.residuals @ fit.residuals),
        float(columns.variation[0]),
        within,
    )
    label: Text = {"en": f"Long differences, {span} periods", "zh": f"长差分（{span} 期）"}
    estimate = label_estimate(problem, ("long_difference", label), regressors.names, fit, stats, notes=notes)
    return replace(estimate, spec=dict(estimate.spec) | {"span": span})
