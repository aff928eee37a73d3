"""Regressions with fixed effects: ``feols`` (least squares, instruments) and ``fepois`` (Poisson pseudo-likelihood).

A panel and a formula become arrays, a fit on arrays, and an ``Estimate`` with labels. The sample is decided first, then
the fixed effects are taken out of everything, then terms that cannot be told apart are dropped, then the fit and its
covariance.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from econ.columns import PanelColumns
from econ.design.expression import encode, evaluate, parse_expression
from econ.design.matrix import INTERCEPT
from econ.design.sample import drop_missing
from econ.errors import DataError, FormulaError, ModelError, OptionError
from econ.estimate import Estimate, Test
from econ.inference.covariance import Cluster, Hetero, Iid, Layout, Vcov, cluster, covariance, hetero, sum_scores
from econ.inference.layout import count_parameters
from econ.inference.wald import wald
from econ.linear.fit import FloatArray, LinearFit, linear_stats
from econ.linear.iv import IvFit, control_function, fit_2sls, overidentification, weak_identification
from econ.linear.ols import fit_ols
from econ.linear.poisson import fit_poisson
from econ.panel import Panel
from econ.problem import (
    Design,
    Problem,
    design_columns,
    label_estimate,
    partial_out,
    prepare,
    require_terms,
    sample_layout,
    usable,
    without_perfectly_fitted,
)
from econ.text import Text

_OLS: Text = {"en": "OLS", "zh": "普通最小二乘法"}
_FIXED_EFFECTS: Text = {"en": "OLS with fixed effects", "zh": "固定效应模型"}
_IV: Text = {"en": "Two-stage least squares", "zh": "两阶段最小二乘法"}
_IV_FIXED_EFFECTS: Text = {"en": "Two-stage least squares with fixed effects", "zh": "固定效应两阶段最小二乘法"}
_POISSON: Text = {"en": "Poisson pseudo-maximum likelihood", "zh": "泊松伪最大似然法"}


def feols(panel: Panel, formula: str, vcov: Vcov | None = None, weights: str | None = None) -> Estimate:
    r"""Least squares with fixed effects, and two-stage least squares.

    .. math:: y_{it} = x_{it}'\beta + \alpha_{g(it)} + \dots + u_{it}

    estimated on what is left of y and x after the fixed effects are taken out (Frisch-Waugh-Lovell), weighted if asked.

    Parameters
    ----------
    panel : the data, one row per unit and period
    formula : ``"y ~ x1 + x2 | province + year | x3 ~ z1 + z2"`` in the grammar of R's fixest (see
        ``econ.design.formula``): outcome and regressors; fixed effects; endogenous regressors and their instruments.
        The last two parts may be left out.
    vcov : covariance, by default ``econ.cluster(panel.unit)``: G/(G-1) x (N-1)/(N-K), K without effects nested in the
        clusters, t with G-1 degrees of freedom (fixest's and reghdfe's default)
    weights : column of weights, zero or positive; a weight of 2 counts a row twice in the coefficients

    Returns
    -------
    Estimate with, in ``stats``, fixest's definitions: ``r2`` (1 - SSR/SST, the effects counted as fit), ``r2_adj``
    (times (N-1)/(N-K), K with all effects), ``r2_within`` (SST after the effects), ``rmse`` (root of SSR/N),
    ``loglik`` (Gaussian, variance SSR/N), ``mean_outcome``. With instruments also ``f_first_stage``,
    ``kleibergen_paap``, ``sargan`` or ``hansen``, and the same with p-values in ``tests``; they use the covariance
    asked for (CR2 and CR3 as CR1, HC2 and HC3 as HC1).

    Notes
    -----
    Rows that are left out are counted in ``dropped``: missing values, weight zero, and singletons (the only row of a
    level of a fixed effect), repeatedly, as reghdfe does. Terms that others or the fixed effects span are dropped,
    the later one of a collinear set, with a warning and a note.

    References
    ----------
    Berge (2018), CREA Discussion Paper 13 (fixest); Correia (2017), "Linear models with high-dimensional fixed effects"
    (reghdfe).

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces")
    >>> estimate = econ.feols(panel, "log(invention_grants) ~ log(rd_expenditure) | province + year")
    """
    problem = without_perfectly_fitted(prepare(panel, formula, vcov, weights))
    return _two_stage(problem) if problem.formula.endogenous else _least_squares(problem)


def fepois(
    panel: Panel, formula: str, vcov: Vcov | None = None, weights: str | None = None, offset: str | None = None
) -> Estimate:
    r"""Poisson pseudo-maximum likelihood with fixed effects.

    .. math:: E[y_{it} \mid x_{it}, \alpha] = \exp(o_{it} + x_{it}'\beta + \alpha_{g(it)} + \dots)

    Consistent when this mean is right, whatever the distribution of y and however many zeros it has (Gourieroux,
    Monfort and Trognon 1984; Santos Silva and Tenreyro 2006), with a covariance that allows for it.

    Parameters
    ----------
    panel, vcov, weights : as in ``feols``
    formula : ``"patents ~ x1 + x2 | province + year"``, without instruments; the outcome is zero or positive
    offset : column or expression added with coefficient one, such as ``"log(population)"``

    Returns
    -------
    Estimate with, in ``stats``, fixest's ``r2_pseudo`` (McFadden: 1 - loglik / loglik of a constant), ``loglik``,
    ``deviance`` and ``mean_outcome``. p-values and intervals are Student's t with the degrees of freedom of the
    covariance, G-1 when clustered, as in ``feols``; fixest and pyfixest use the normal distribution here, so that
    theirs are a little smaller.

    Notes
    -----
    Besides missing values, weight zero and singletons, rows are left out, and counted in ``dropped``, that some
    combination of effects and regressors predicts to be zero (*separated*): there the maximum does not exist
    (Correia, Guimaraes and Zylkin 2019). Covariances are fixest's: the inverse information as bread, factors as in
    ``feols``.

    References
    ----------
    Correia, Guimaraes and Zylkin (2020), "Fast Poisson estimation with high-dimensional fixed effects", Stata Journal
    20(1).

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces")
    >>> estimate = econ.fepois(panel, "invention_grants ~ log(rd_expenditure) | province + year")
    """
    problem = prepare(panel, formula, vcov, weights)
    if problem.formula.endogenous:
        raise FormulaError("fepois takes no instruments; leave out the last part of the formula, or use feols.")
    if offset is not None:
        problem = _with_offset(problem, offset)
    return _poisson(without_perfectly_fitted(problem, _counts(problem)))


# ---- least squares


def _least_squares(problem: Problem) -> Estimate:
    columns = partial_out(problem)
    regressors, notes = usable(problem, columns.group(1))
    require_terms(problem, regressors.names)
    fit = fit_ols(columns.y, regressors.X, problem.weights)
    estimator = ("feols", _FIXED_EFFECTS if problem.effects else _OLS)
    return label_estimate(problem, estimator, regressors.names, fit, _linear_stats(problem, columns, fit), notes=notes)


def _linear_stats(problem: Problem, columns: Design, fit: LinearFit) -> dict[str, float]:
    n_obs, n_coef = fit.X.shape
    y = columns.y
    within = float(y @ (y if fit.weights is None else fit.weights * y)) if problem.effects else None
    stats = linear_stats(
        n_obs,
        n_coef + problem.absorber.n_effects_rank,
        float(fit.residuals @ fit.weighted_residuals),
        float(columns.variation[0]),
        within,
        has_constant=INTERCEPT in columns.names or problem.absorbs_constant,
    )
    return stats | {"mean_outcome": _mean(problem)}


def _mean(problem: Problem) -> float:
    return float(np.average(problem.sample.take(problem.variables.outcome), weights=problem.weights))


# ---- Poisson


def _with_offset(problem: Problem, offset: str) -> Problem:
    if not isinstance(offset, str):
        raise OptionError(
            f"offset takes the name of a column or an expression, such as 'log(population)'; got "
            f"{type(offset).__name__}. "
            "Add the values to the panel first (panel.assign)."
        )
    expression = parse_expression(encode(offset))
    values = evaluate(expression, PanelColumns(problem.panel))
    sample = drop_missing(problem.sample, [(expression.text, values)])
    return replace(problem, sample=sample, offset=expression, all_offsets=values)


def _counts(problem: Problem) -> FloatArray:
    """(N,) the outcome, refused when a row used is negative or all are zero."""
    y = problem.sample.take(problem.variables.outcome)
    name, negative = problem.formula.outcome.text, int(np.sum(y < 0))
    if negative:
        raise DataError(
            f"The outcome {name!r} has {negative} negative values; a Poisson regression needs zero or positive ones."
        )
    if len(y) and not y.any():
        raise ModelError(f"The outcome {name!r} is zero in every row; there is nothing to explain.")
    return problem.variables.outcome


def _poisson(problem: Problem) -> Estimate:
    """Fit, and again without the rows found to be separated, until there are none."""
    columns = design_columns(problem, 1)
    regressors = columns.group(1)
    left = replace(regressors.matrix, values=problem.absorber.residualize(regressors.X))
    found, notes = usable(problem, replace(regressors, matrix=left))
    require_terms(problem, found.names)
    X = regressors.select(np.isin(regressors.names, found.names)).X
    offset = None if problem.all_offsets is None else problem.sample.take(problem.all_offsets)
    result = fit_poisson(columns.y, X, problem.absorber, found.names, offset)
    if result.separated.any():
        sample = problem.sample.without(result.separated, "separated")
        return _poisson(without_perfectly_fitted(replace(problem, sample=sample), problem.variables.outcome))
    stats = {"r2_pseudo": result.r2_pseudo, "loglik": result.loglik, "deviance": result.deviance}
    stats["mean_outcome"] = _mean(problem)
    return label_estimate(problem, ("fepois", _POISSON), found.names, result.fit, stats, notes=notes, dispersion=1.0)


# ---- instruments


def _two_stage(problem: Problem) -> Estimate:
    columns = partial_out(problem)
    exogenous, notes = usable(problem, columns.group(1))
    endogenous, more = usable(problem, columns.group(2), exogenous)
    instruments, still_more = usable(problem, columns.group(3), exogenous)
    require_terms(problem, endogenous.names)
    iv = fit_2sls(columns.y, exogenous.X, endogenous.X, instruments.X, problem.weights)
    tests = _instrument_tests(problem, iv, columns.y, exogenous, endogenous, instruments)
    fit, terms = _constant_first(iv.fit, (*endogenous.names, *exogenous.names))
    estimate = label_estimate(
        problem,
        ("feols", _IV_FIXED_EFFECTS if problem.effects else _IV),
        terms,
        fit,
        _linear_stats(problem, columns, iv.fit) | _test_stats(tests),
        tests=tests,
        notes=(*notes, *more, *still_more),
    )
    used = {"instruments": list(instruments.names), "endogenous": list(endogenous.names)}
    return replace(estimate, spec=dict(estimate.spec) | used)


def _constant_first(fit: LinearFit, names: tuple[str, ...]) -> tuple[LinearFit, tuple[str, ...]]:
    if INTERCEPT not in names:
        return fit, names
    order = sorted(range(len(names)), key=lambda k: names[k] != INTERCEPT)
    moved = replace(fit, coef=fit.coef[order], bread=fit.bread[np.ix_(order, order)], X=fit.X[:, order])
    return moved, tuple(names[k] for k in order)


def _instrument_tests(
    problem: Problem, iv: IvFit, y: FloatArray, exogenous: Design, endogenous: Design, instruments: Design
) -> tuple[Test, ...]:
    """First stage, weak instruments, overidentification, exogeneity, under the covariance asked for."""
    X, Y, Z, weights = exogenous.X, endogenous.X, instruments.X, problem.weights
    layout, spec = sample_layout(problem), _without_leverage(problem.vcov)
    scores, absorbed = _moments(spec, layout), _absorbed(spec, layout)
    clusters = [layout.codes(name)[1] for name in spec.columns_needed()] if isinstance(spec, Cluster) else []
    weak = weak_identification(X, Y, Z, weights, scores, n_absorbed=absorbed, n_clusters=min(clusters, default=None))
    over = overidentification(iv, X, Z, weights, scores)
    names = ["f_first_stage"] if len(endogenous.names) == 1 else [f"f_first_stage: {n}" for n in endogenous.names]
    return (
        *(_zero(name, stage, Z.shape[1], spec, layout) for name, stage in zip(names, iv.first_stage, strict=True)),
        *(Test(t.name, t.statistic, t.dof, t.p_value, t.note) for t in (*weak, over) if t is not None),
        _exogeneity(y, iv, weights, spec, layout),
    )


def _exogeneity(y: FloatArray, iv: IvFit, weights: FloatArray | None, spec: Vcov, layout: Layout) -> Test:
    n_endogenous = len(iv.first_stage)
    try:
        fit = control_function(y, iv, weights)
    except ModelError as reason:
        return Test("wu_hausman", np.nan, (float(n_endogenous),), np.nan, _not_computed(reason))
    return _zero("wu_hausman", fit, n_endogenous, spec, layout)


def _zero(name: str, fit: LinearFit, n_first: int, spec: Vcov, layout: Layout) -> Test:
    """F test that the first coefficients are zero, or why there is none."""
    dof = np.nan
    try:
        found = covariance(spec, fit, layout)
        dof = float(found.dof.min())
        test = wald(fit.coef, found.matrix, np.eye(n_first, len(fit.coef)), dof=dof)
    except ModelError as reason:
        return Test(name, np.nan, (float(n_first), dof), np.nan, _not_computed(reason))
    return Test(name, test.statistic, (float(n_first), dof), test.p_value)


def _not_computed(reason: ModelError) -> Text:
    return {"en": f"not computed: {reason}", "zh": f"未计算：{reason}"}


def _without_leverage(spec: Vcov) -> Vcov:
    """The covariance for tests on moments, which have no leverage corrections."""
    if isinstance(spec, Hetero):
        return hetero("HC1")
    return cluster(*spec.columns) if isinstance(spec, Cluster) and spec.correction != "CR1" else spec


def _moments(spec: Vcov, layout: Layout) -> Callable[[FloatArray], FloatArray] | None:
    """How the covariance asked for sums scores: its sandwich with the identity as bread, without its factor."""
    if isinstance(spec, Iid):
        return None
    return lambda scores: sum_scores(spec, scores, layout)


def _absorbed(spec: Vcov, layout: Layout) -> int:
    """Degrees of freedom of the fixed effects as small-sample forms count them: those nested in clusters as one."""
    if isinstance(spec, Cluster) and spec.effects_counted == "nonnested":
        return count_parameters(layout, 0, [layout.codes(name)[0] for name in spec.columns])
    return layout.n_effects_rank


def _test_stats(tests: Sequence[Test]) -> dict[str, float]:
    shown = ("f_first_stage", "kleibergen_paap", "cragg_donald", "sargan", "hansen")
    return {test.name: test.statistic for test in tests if test.name in shown and np.isfinite(test.statistic)}
