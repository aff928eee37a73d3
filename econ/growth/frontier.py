"""Stochastic frontiers: inefficiency told from noise by its sign."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import special
from scipy.stats import chi2

from econ.columns import PanelColumns
from econ.design.collinear import cross_products, independent_columns, moments
from econ.design.expression import encode, evaluate, parse_expression, quote
from econ.design.matrix import INTERCEPT
from econ.design.sample import drop_missing, levels_present, require_rows
from econ.errors import FormulaError, ModelError, OptionError
from econ.estimate import Estimate, Test, floats
from econ.growth.frontier_likelihood import FrontierData, FrontierFailure, FrontierFit, fit_frontier, hazard
from econ.inference.covariance import Cluster, Hetero, Iid, Vcov, covariance
from econ.linear.fit import FloatArray, IntArray, LinearFit
from econ.options import FrontierKind, InefficiencyDistribution, InefficiencyPath, check_word
from econ.panel import Panel
from econ.problem import Problem, design_columns, estimate_fields, prepare, require_terms, sample_layout, usable
from econ.text import Text

LABELS: dict[InefficiencyPath, Text] = {
    "independent": {"en": "Stochastic frontier", "zh": "随机前沿"},
    "constant": {"en": "Stochastic frontier, constant inefficiency", "zh": "随机前沿（无效率不随时间变化）"},
    "decay": {"en": "Stochastic frontier, decaying inefficiency", "zh": "随机前沿（时变衰减）"},
}
LEVEL = 0.95  # of the intervals of efficiencies
_LOGARITHM = re.compile(r"\b(log|log1p)\(|\b(log|ln)_")
SCORES = ("efficiency", "ci_low", "ci_high", "inefficiency")


@dataclass(frozen=True, eq=False, repr=False)
class FrontierEstimate(Estimate):
    """A frontier, the parameters of inefficiency, and the efficiency of every row.

    Attributes
    ----------
    row_units, row_periods : (n_obs,) labels of the rows used, in the order of the panel
    row_scores : (n_obs, 4): efficiency, its interval, inefficiency
    """

    row_units: tuple[Any, ...] = field(kw_only=True)
    row_periods: tuple[Any, ...] = field(kw_only=True)
    row_scores: FloatArray = field(kw_only=True)

    @property
    def scores(self) -> pd.DataFrame:
        """The panel's unit column, ``period, efficiency, ci_low, ci_high, inefficiency``, one row per row used.

        ``efficiency`` is ``E[exp(-u) | e]`` (Battese and Coelli 1988), 1 on the frontier; its 95 % interval is that of
        ``exp(-u)`` given the residual at the estimated parameters (Horrace and Schmidt 1996), which are taken as known;
        ``inefficiency`` is ``E[u | e]`` (Jondrow, Lovell, Materov and Schmidt 1982).
        """
        frame = pd.DataFrame(self.row_scores, columns=list(SCORES))
        frame.insert(0, "period", list(self.row_periods))
        frame.insert(0, str(self.spec["unit"]), list(self.row_units))
        return frame

    def _to_plain(self) -> dict[str, Any]:
        names = ("row_units", "row_periods", "row_scores")
        return super()._to_plain() | {name: getattr(self, name) for name in names}

    @classmethod
    def _from_plain(cls, raw: dict[str, Any]) -> dict[str, Any]:
        raw = super()._from_plain(raw)
        raw["row_scores"] = floats(raw["row_scores"]).reshape(-1, len(SCORES))
        return raw | {name: tuple(raw[name]) for name in ("row_units", "row_periods")}


def frontier(
    panel: Panel,
    formula: str,
    *,
    inefficiency: InefficiencyDistribution = "half_normal",
    path: InefficiencyPath = "independent",
    covariates: Sequence[str] = (),
    kind: FrontierKind = "production",
    vcov: Vcov | None = None,
) -> FrontierEstimate:
    r"""Stochastic production or cost frontier by maximum likelihood.

    .. math::
        y_{it} = x_{it}'\beta + v_{it} - s\,u_{it}, \qquad v_{it} \sim N(0, \sigma_v^2), \quad
        u_{it} \sim N^+(z_{it}'\delta, \sigma_u^2)

    with s = 1 for production and -1 for cost, y usually a logarithm, so that ``exp(-u)`` is what a region makes of its
    inputs relative to the frontier (or the least cost over its cost).

    * ``inefficiency="half_normal"``: mean zero before truncation (Aigner, Lovell and Schmidt 1977).
      ``"truncated_normal"``: a mean of its own (Stevenson 1980).
    * ``path="independent"``: every row draws anew. ``"constant"``: a unit draws once, ``u_it = u_i`` (Pitt and Lee
      1981; Battese and Coelli 1988). ``"decay"``: ``u_it = exp(-eta (t - T)) u_i``, T the last period of the sample
      (Battese and Coelli 1992): inefficiency falls over time where ``eta`` is positive.
    * ``covariates`` with ``"truncated_normal"`` and ``"independent"``: the mean before truncation is
      ``delta_0 + z'delta`` (Battese and Coelli 1995), estimated in one step with the frontier.

    Parameters
    ----------
    panel : the data; rows are units by periods, or a cross-section
    formula : ``"log(y) ~ log(capital) + log(labour)"``, without fixed effects. A frontier that moves has a trend or
        indicators among its terms: ``year``, ``C(year)``
    covariates : columns or expressions z, such as ``["schooling_years", "log(openness)"]``
    vcov : ``econ.iid()``, the inverse of the observed information, ``econ.hetero()`` or clusters, by default by the
        panel's unit; with factors as in ``econ.fepois``, all parameters counted

    Returns
    -------
    FrontierEstimate: terms are the frontier's, then ``inefficiency(...)`` of the mean before truncation, ``sigma2``
    (``sigma_v^2 + sigma_u^2``), ``gamma`` (``sigma_u^2 / sigma2``, before truncation) and ``decay`` (eta). ``scores``
    has the efficiencies; ``stats`` their mean and the log likelihood. ``test("no_inefficiency")`` is the likelihood
    ratio against least squares. As gamma is zero on the edge of what is possible, its distribution under the null is
    the mixture of chi-squared(q - 1) and chi-squared(q), half each, q the restrictions (Coelli 1995; Kodde and Palm
    1986).

    Raises
    ------
    ModelError : there is no maximum inside the parameter space: least-squares residuals are skewed to the wrong side,
        so that there is no inefficiency to find (Waldman 1982); there is no noise; or the mean before truncation runs
        off, where a truncated normal cannot be told from an exponential

    Notes
    -----
    Efficiencies rest on the distribution assumed: nothing else tells inefficiency from noise in a single row. With
    ``"constant"`` all that lasts in a unit counts as inefficiency, its geography included; with ``"independent"`` the
    default clusters allow for errors that last. Stata's xtfrontier counts decay from each unit's own last period.

    References
    ----------
    Battese and Coelli (1992), Journal of Productivity Analysis 3; (1995), Empirical Economics 20. Coelli (1995),
    Journal of Productivity Analysis 6. Kumbhakar and Lovell (2000), Stochastic Frontier Analysis, chapters 3 and 7.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").where(lambda d: (d["year"] == 2019) & (d["province"] != "Tibet"))
    >>> result = econ.growth.frontier(panel, "log(invention_grants) ~ log(rd_expenditure)")
    >>> bool(result.scores["efficiency"].between(0, 1).all())
    True
    """
    check_word(inefficiency, InefficiencyDistribution, "inefficiency")
    check_word(path, InefficiencyPath, "path")
    check_word(kind, FrontierKind, "kind")
    problem, Z, means = _read(panel, formula, inefficiency, path, covariates, vcov)
    columns = design_columns(problem, 0)
    regressors, notes = usable(problem, columns.group(1))
    require_terms(problem, [name for name in regressors.names if name != INTERCEPT])
    group, first = _groups(problem, path)
    data = FrontierData(
        columns.y, regressors.X, Z[first], group, _age(problem, path), 1 if kind == "production" else -1
    )
    _refuse_few(problem, data, regressors.names)
    fit = fit_frontier(data)
    if isinstance(fit, FrontierFailure):
        raise ModelError(_why(fit, inefficiency, kind))
    terms = (*regressors.names, *means, "sigma2", "gamma", *(["decay"] if path == "decay" else []))
    asked = {"inefficiency": inefficiency, "path": path, "kind": kind, "covariates": list(covariates)}
    return _labelled(problem, data, fit, terms, first, asked, (*notes, *_notes(problem)))


# ---- what goes in


def _read(
    panel: Panel,
    formula: str,
    inefficiency: InefficiencyDistribution,
    path: InefficiencyPath,
    covariates: Sequence[str],
    vcov: Vcov | None,
) -> tuple[Problem, FloatArray, tuple[str, ...]]:
    """The sample, (n, M) what the mean of inefficiency depends on, and the names of these terms."""
    problem = prepare(panel, formula, vcov)
    if problem.formula.effects or problem.formula.endogenous:
        raise FormulaError(
            f"frontier takes no fixed effects and no instruments, got {quote(formula)}: effects of units would take "
            "out what lasts of inefficiency. Period effects are terms, such as C(year)."
        )
    if isinstance(covariates, str):
        raise OptionError(f"covariates={covariates!r} is not allowed; give a list: [{covariates!r}].")
    if covariates and (inefficiency, path) != ("truncated_normal", "independent"):
        raise OptionError(
            f"covariates move the mean of an inefficiency that each row draws anew; they need "
            f"inefficiency='truncated_normal' and path='independent', got {inefficiency!r} and {path!r}."
        )
    if path != "independent" and panel.time is None:
        raise OptionError(f"path={path!r} is about periods, and this panel has no time column.")
    found = [parse_expression(encode(text)) for text in covariates]
    known = [(expression.text, evaluate(expression, PanelColumns(panel))) for expression in found]
    problem = replace(problem, sample=drop_missing(problem.sample, known))
    require_rows(problem.sample)
    names = ([INTERCEPT] if inefficiency == "truncated_normal" else []) + [name for name, _ in known]
    Z = np.ones((problem.sample.n_obs, len(names)))
    for k, (_, values) in enumerate(known):
        Z[:, k + 1] = problem.sample.take(values)
    _refuse_spanned(Z, names)
    _check_vcov(problem, path)
    return problem, Z, tuple(f"inefficiency({name})" for name in names)


def _check_vcov(problem: Problem, path: InefficiencyPath) -> None:
    """A likelihood has scores and no leverage; where units draw once, its scores are theirs and not their rows'."""
    spec, by_row = problem.vcov, path == "independent"
    clustered = isinstance(spec, Cluster) and spec.correction in ("CR0", "CR1")
    robust = by_row and isinstance(spec, Hetero) and spec.correction in ("HC0", "HC1")
    if not (clustered or robust or isinstance(spec, Iid)):
        more = "econ.hetero('HC1') or econ.cluster('column')" if by_row else "or econ.cluster('column')"
        raise OptionError(
            f"vcov={spec} is not allowed for a frontier with path={path!r}; give econ.iid(), {more} with CR0 or CR1."
        )
    for name in () if by_row else problem.vcov.columns_needed():
        codes = sample_layout(problem).codes(name)[0]
        pairs = len(np.unique(np.column_stack([problem.unit_codes, codes]), axis=0))
        if pairs > len(np.unique(problem.unit_codes)):
            raise OptionError(
                f"Clusters by {name!r} split the rows of a unit, which share one inefficiency with path={path!r}; "
                f"cluster by {problem.panel.unit!r} or by groups of units."
            )


def _refuse_spanned(Z: FloatArray, names: Sequence[str]) -> None:
    means, variation, magnitude = moments(Z)
    centred = Z - means
    keep = independent_columns(cross_products(centred, centred), variation, magnitude).keep
    lost = [name for name, kept in zip(names, keep, strict=True) if not kept and name != INTERCEPT]
    if lost:
        raise ModelError(
            f"The covariates {', '.join(lost)} do not vary in the sample, or others span them; leave them out."
        )


def _groups(problem: Problem, path: InefficiencyPath) -> tuple[IntArray, IntArray]:
    """(n,) codes of what draws one inefficiency, and (G,) the first row of each."""
    if path == "independent":
        rows = np.arange(problem.sample.n_obs)
        return rows, rows
    codes = levels_present(problem.unit_codes)[0]
    return codes, np.unique(codes, return_index=True)[1]


def _age(problem: Problem, path: InefficiencyPath) -> FloatArray | None:
    if path != "decay":
        return None
    time = problem.time_codes.astype(np.float64)
    return np.asarray(time.max() - time)


def _refuse_few(problem: Problem, data: FrontierData, names: Sequence[str]) -> None:
    n_parameters = sum(data.sizes) + 2
    if len(data.y) <= n_parameters:
        raise ModelError(
            f"{len(data.y)} rows cannot tell {n_parameters} parameters ({len(names)} of the frontier); use fewer terms."
        )
    if data.age is not None and data.rows.max() < 2:
        raise ModelError("Decay over time needs units seen more than once; use path='independent'.")
    X, y = data.X, data.y
    left = y - X @ np.linalg.lstsq(X, y, rcond=None)[0]
    if left @ left <= 1e-24 * (y @ y):
        raise ModelError(
            f"The terms fit the outcome {problem.formula.outcome.text!r} exactly; there is no frontier to find."
        )


def _why(failure: FrontierFailure, inefficiency: InefficiencyDistribution, kind: FrontierKind) -> str:
    """Where the likelihood has no maximum, in words."""
    if inefficiency == "truncated_normal" and abs(failure.mean) > 20:
        return (
            "The likelihood keeps rising as the mean of inefficiency before truncation falls, where a truncated normal "
            "cannot be told from an exponential distribution: there is no estimate. Use inefficiency='half_normal'."
        )
    if failure.share > 1 - 1e-6:
        return (
            "The likelihood is highest without noise (gamma = 1): the frontier runs through the best rows, and "
            "standard errors do not exist. Look for outliers, use more rows or fewer terms, or econ.growth.dea."
        )
    side = "negative" if kind == "production" else "positive"
    if failure.share < 1e-3 or failure.skewness >= 0:
        sign = 1 if kind == "production" else -1
        return (
            f"There is no inefficiency to find: the likelihood is highest at gamma = 0, where the frontier is least "
            f"squares. With inefficiency the skewness of least-squares residuals is {side}; here it is "
            f"{sign * failure.skewness:.3f}. Use econ.growth.pooled, or another specification."
        )
    return (
        "The search for the maximum of the likelihood has not converged; use fewer terms or covariates, or "
        "inefficiency='half_normal'."
    )


# ---- what comes out


def _labelled(
    problem: Problem,
    data: FrontierData,
    fit: FrontierFit,
    terms: tuple[str, ...],
    first: IntArray,
    asked: dict[str, Any],
    notes: tuple[Text, ...],
) -> FrontierEstimate:
    scores = np.zeros((len(data.y), len(terms)))
    scores[first] = fit.scores  # a unit's score stands in its first row
    bread = (fit.inverse_information + fit.inverse_information.T) / 2
    linear = LinearFit(fit.coef, bread, scores, np.ones(len(data.y)))
    found = _efficiencies(fit, data.group)
    share, total = fit.coef[terms.index("gamma")], fit.coef[terms.index("sigma2")]
    figures = {
        "mean_efficiency": float(found[:, 0].mean()),
        "sigma_u": float(np.sqrt(share * total)),
        "sigma_v": float(np.sqrt((1 - share) * total)),
        "loglik": fit.loglik,
        "mean_outcome": float(data.y.mean()),
    }
    covered = covariance(problem.vcov, linear, sample_layout(problem, dispersion=1.0))
    said = estimate_fields(problem, ("frontier", LABELS[asked["path"]]), covered, notes)
    panel = problem.panel
    return FrontierEstimate(
        terms=terms,
        coef=fit.coef,
        stats=figures,
        tests=(_no_inefficiency(fit, sum(data.sizes[1:]) + 1),),
        row_units=tuple(panel.units[problem.unit_codes].tolist()),
        row_periods=tuple(panel.period(int(code)) for code in problem.time_codes),
        row_scores=found,
        **(said | {"spec": said["spec"] | asked}),
    )


def _no_inefficiency(fit: FrontierFit, q: int) -> Test:
    ratio = 2 * (fit.loglik - fit.loglik_none)
    p_value = (chi2.sf(ratio, q) + (chi2.sf(ratio, q - 1) if q > 1 else 0.0)) / 2
    return Test("no_inefficiency", float(ratio), (float(q),), float(p_value))


def _efficiencies(fit: FrontierFit, group: IntArray) -> FloatArray:
    """(n, 4) efficiency, its limits, inefficiency: of ``h u`` where u given the residuals is a truncated normal."""
    h, mean, scale = fit.share, fit.mean[group], fit.scale[group]
    r = mean / scale
    efficiency = np.exp(special.log_ndtr(r - h * scale) - special.log_ndtr(r) - h * mean + 0.5 * (h * scale) ** 2)
    tail = (1 - LEVEL) / 2
    low, high = (
        np.exp(-h * (mean - scale * special.ndtri_exp(np.log(above) + special.log_ndtr(r))))
        for above in (tail, 1 - tail)
    )
    expected = h * (mean + scale * hazard(r))
    return np.column_stack([efficiency, low, high, expected])


def _notes(problem: Problem) -> tuple[Text, ...]:
    """Efficiency is a ratio only where the outcome is a logarithm."""
    outcome = problem.formula.outcome.text
    if _LOGARITHM.search(outcome):
        return ()
    return (
        {
            "en": f"Efficiency is exp(-u), a ratio to the frontier if {outcome} is a logarithm.",
            "zh": f"效率为 exp(-u)，仅当 {outcome} 为对数时才是与前沿之比。",
        },
    )
