"""How much of a coefficient runs through a mediator: three regressions, their product, and a bootstrap by cluster."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from econ.design.absorb import Absorber, Effect
from econ.design.collinear import cross_products
from econ.design.sample import levels_present
from econ.errors import FormulaError, ModelError, OptionError
from econ.estimate import Estimate
from econ.inference.covariance import Cluster, Vcov, cluster
from econ.linear.fit import BoolArray, FloatArray, linear_stats
from econ.linear.ols import fit_ols
from econ.options import check_draws, check_level
from econ.panel import Panel
from econ.problem import (
    Problem,
    design_columns,
    label_estimate,
    partial_out,
    prepare,
    sample_layout,
    usable,
    without_perfectly_fitted,
)
from econ.text import Text

FEWEST_DRAWS = 99
_SINGULAR = 1e-10  # smallest eigenvalue of a correlation matrix that is not rounding
LABEL: Text = {"en": "OLS with fixed effects", "zh": "固定效应模型"}
IDENTIFIES: Text = {
    "en": "The indirect effect is causal only if nothing unobserved moves mediator and outcome together, given "
    "treatment, controls and fixed effects (sequential ignorability; Imai, Keele and Yamamoto 2010), and if effects "
    "are linear without interaction. A treatment as good as random does not make the mediator so.",
    "zh": "间接效应的因果解释要求：给定处理变量、控制变量与固定效应，不存在同时影响中介变量与结果的不可观测因素"
    "（序贯可忽略性；Imai、Keele 与 Yamamoto 2010），且效应为线性、无交互。处理变量近似随机并不意味着中介变量随机。",
}


@dataclass(frozen=True, eq=False, repr=False)
class Mediation:
    """Total, direct and indirect effect.

    Attributes
    ----------
    effects : ``effect, estimate, std_error, p_value, ci_low, ci_high`` for ``total``, ``direct``, ``indirect`` (a x b)
        and ``share`` (indirect over total): bootstrap standard errors, percentile intervals, and p-values: twice the
        smaller share of draws beyond zero, the sample counted among them
    total, mediator, direct : the stepwise regressions: outcome on treatment; mediator on treatment (a); outcome on
        treatment and mediator (b)
    sobel : statistic, p-value of the product by the delta method with a and b independent, beside the bootstrap
    distribution : (draws, 3) total, direct and indirect effect of each draw
    spec : what was asked for, as plain JSON
    notes : what a reader must know
    """

    effects: pd.DataFrame
    total: Estimate
    mediator: Estimate
    direct: Estimate
    sobel: tuple[float, float]
    distribution: FloatArray
    spec: Mapping[str, Any]
    notes: tuple[Text, ...] = ()

    @property
    def steps(self) -> tuple[Estimate, Estimate, Estimate]:
        """The three regressions in their usual order, for a table."""
        return self.total, self.mediator, self.direct

    def __repr__(self) -> str:
        return "\n".join([self.effects.to_string(index=False), *(f"Note: {note['en']}" for note in self.notes)])


def mediation(
    panel: Panel,
    formula: str,
    treatment: str,
    mediator: str,
    vcov: Vcov | None = None,
    draws: int = 999,
    seed: int = 1,
    level: float = 0.95,
) -> Mediation:
    r"""Split a coefficient into what runs through a mediator and what does not.

    .. math::
        y_{it} = c\,x_{it} + z_{it}'\gamma_1 + \alpha_i + u_{it}, \quad
        m_{it} = a\,x_{it} + z_{it}'\gamma_2 + \alpha_i + v_{it}, \quad
        y_{it} = c'x_{it} + b\,m_{it} + z_{it}'\gamma_3 + \alpha_i + e_{it}

    all on the rows where y, m, x, z are known, so that ``c = c' + a b`` exactly. The product is not normal; its
    interval comes from a bootstrap that draws whole clusters with replacement and estimates all three again.

    Parameters
    ----------
    panel : the data
    formula : ``"y ~ x + z | unit + year"``, without the mediator
    treatment : the term x
    mediator : column or expression m
    vcov : ``econ.cluster("column")``, whose clusters are drawn; by default the panel's units
    draws, seed : of the bootstrap
    level : of the intervals

    References
    ----------
    Baron and Kenny (1986), Journal of Personality and Social Psychology 51(6); MacKinnon, Lockwood and Williams (2004),
    Multivariate Behavioral Research 39(1); Imai, Keele and Yamamoto (2010), Statistical Science 25(1).

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").log(["rd_expenditure", "rd_personnel", "invention_grants"])
    >>> formula = "log_invention_grants ~ log_rd_expenditure | province + year"
    >>> found = econ.growth.mediation(panel, formula, "log_rd_expenditure", "log_rd_personnel", draws=99)
    >>> found.effects["effect"].tolist()
    ['total', 'direct', 'indirect', 'share']
    """
    check_level(level)
    check_draws(draws, seed, FEWEST_DRAWS)
    spec_vcov = cluster(panel.unit) if vcov is None else vcov
    if not isinstance(spec_vcov, Cluster) or len(spec_vcov.columns) > 1:
        raise OptionError(f"vcov={vcov!r} is not allowed; the bootstrap draws clusters: econ.cluster('province').")
    joint = _joint(panel, formula, treatment, mediator, spec_vcov)
    outcome, right = (part.strip() for part in formula.split("~", 1))
    total, first, direct = (
        _step(panel, text, joint, spec_vcov)
        for text in (formula, f"{mediator} ~ {right}", f"{outcome} ~ {mediator} + {right}")
    )
    name = first.outcome
    a, b = first.params[treatment], direct.params[name]
    effects = np.array([total.params[treatment], direct.params[treatment], a * b])
    distribution, n_failed = _bootstrap(joint, treatment, name, draws, seed)
    sobel = float(a * b / np.sqrt(a**2 * direct.bse[name] ** 2 + b**2 * first.bse[treatment] ** 2))
    spec = {
        "estimator": "mediation", "outcome": total.outcome, "formula": formula, "treatment": treatment,
        "mediator": name, "vcov": total.spec["vcov"], "draws": draws, "seed": seed, "level": level,
        "dataset": panel.dataset,
    }  # fmt: skip
    notes = (*panel.notes, IDENTIFIES, *(_failed(n_failed) if n_failed else ()))
    return Mediation(
        _effects(effects, distribution, level), total, first, direct, (sobel, float(2 * special.ndtr(-abs(sobel)))),
        distribution, spec, notes,
    )  # fmt: skip


def _joint(panel: Panel, formula: str, treatment: str, mediator: str, vcov: Vcov) -> Problem:
    """The regression with everything in it, whose sample all three share."""
    if not isinstance(formula, str) or "~" not in formula or not isinstance(mediator, str):
        raise FormulaError("mediation takes a formula such as 'y ~ x + z | unit + year' and the name of the mediator.")
    outcome, right = formula.split("~", 1)
    problem = without_perfectly_fitted(prepare(panel, f"{outcome} ~ {mediator} + {right}", vcov))
    if problem.formula.endogenous:
        raise FormulaError("mediation takes no instruments; leave out the last part of the formula.")
    terms = [term.text for term in problem.formula.terms]
    if treatment not in terms[1:]:
        raise OptionError(f"treatment={treatment!r} is no term of {formula!r}; it has {', '.join(terms[1:])}.")
    return problem


def _step(panel: Panel, formula: str, joint: Problem, vcov: Vcov) -> Estimate:
    """One regression on the joint sample."""
    problem = replace(prepare(panel, formula, vcov), sample=joint.sample)
    columns = partial_out(problem)
    regressors, notes = usable(problem, columns.group(1))
    fit = fit_ols(columns.y, regressors.X)
    within = float(columns.y @ columns.y) if problem.effects else None
    n_parameters = len(regressors.names) + problem.absorber.n_effects_rank
    ssr = float(fit.residuals @ fit.residuals)
    stats = linear_stats(len(columns.y), n_parameters, ssr, float(columns.variation[0]), within)
    return label_estimate(problem, ("mediation", LABEL), regressors.names, fit, stats, notes=notes)


# ---- bootstrap


def _bootstrap(joint: Problem, treatment: str, mediator: str, draws: int, seed: int) -> tuple[FloatArray, int]:
    """(draws, 3) total, direct and indirect effects, and how many draws could not be estimated and were drawn anew."""
    columns = design_columns(joint, 0)
    kept, _ = usable(joint, partial_out(joint).group(1))
    names = [mediator, treatment, *(name for name in kept.names if name not in (mediator, treatment))]
    missing = [name for name in names[:2] if name not in kept.names]
    if missing:
        raise ModelError(f"{missing[0]!r} does not vary once the other terms and fixed effects are out; drop those.")
    where = [columns.names.index(name) for name in names]
    values = np.asfortranarray(columns.X[:, [0, *where]])
    codes, n_clusters = sample_layout(joint).codes(joint.vcov.columns_needed()[0])
    rng = np.random.default_rng(seed)
    found, failed = np.empty((draws, 3)), 0
    for d in range(draws):
        while True:
            counts = np.bincount(rng.integers(n_clusters, size=n_clusters), minlength=n_clusters)
            effects = _drawn(values, joint.effects, counts[codes].astype(np.float64))
            if effects is not None:
                break
            failed += 1
            if failed > draws:
                raise ModelError("Half of the bootstrap samples identify no effect; use fewer terms or effects.")
        found[d] = effects
    return found, failed


def _drawn(values: FloatArray, effects: tuple[Effect, ...], weights: FloatArray) -> FloatArray | None:
    """Effects in one sample, columns y, m, x, z, by how often a row is drawn; None where they are not identified."""
    rows = weights > 0
    w = weights[rows]
    there = [_renumbered(effect, rows) for effect in effects]
    left = Absorber(there, w).residualize(values[rows])
    gram = cross_products(left, left, w)
    scale = np.sqrt(np.maximum(np.diag(gram), np.finfo(float).tiny))
    gram = gram / np.outer(scale, scale)
    X = gram[1:, 1:]
    if np.linalg.eigvalsh(X)[0] < _SINGULAR:
        return None
    direct = np.linalg.solve(X, gram[1:, 0])
    onto = np.linalg.solve(X[1:, 1:], np.column_stack((gram[2:, 0], X[1:, 0])))
    b, c_direct = direct[0] * scale[0] / scale[1], direct[1] * scale[0] / scale[2]
    a, c_total = onto[0, 1] * scale[1] / scale[2], onto[0, 0] * scale[0] / scale[2]
    return np.array([c_total, c_direct, a * b])


def _renumbered(effect: Effect, rows: BoolArray) -> Effect:
    codes, present = levels_present(effect.codes[rows])
    return Effect(effect.name, codes, len(present), None if effect.slope is None else effect.slope[rows])


def _effects(estimates: FloatArray, distribution: FloatArray, level: float) -> pd.DataFrame:
    values = np.append(estimates, estimates[2] / estimates[0])
    draws = np.column_stack((distribution, distribution[:, 2] / distribution[:, 0]))
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    beyond = (1 + np.minimum((draws <= 0).sum(axis=0), (draws >= 0).sum(axis=0))) / (1 + len(draws))
    return pd.DataFrame(
        {
            "effect": ["total", "direct", "indirect", "share"],
            "estimate": values,
            "std_error": draws.std(axis=0, ddof=1),
            "p_value": np.minimum(2 * beyond, 1.0),
            "ci_low": low,
            "ci_high": high,
        }
    )


def _failed(n: int) -> tuple[Text, ...]:
    return (
        {
            "en": f"{n:,} bootstrap samples did not identify the effects and were drawn anew.",
            "zh": f"{n:,} 个自助样本无法识别效应，已重新抽取。",
        },
    )
