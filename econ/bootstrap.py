"""``wild_bootstrap``: the wild cluster bootstrap of hypotheses about a regression, for few clusters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from econ.errors import FormulaError, OptionError
from econ.inference.bootstrap import FARTHEST, WildTest, wild_cluster_bootstrap
from econ.inference.covariance import Vcov
from econ.inference.wald import restrictions
from econ.inference.wild import MANY_CLUSTERS, SHARING, Wild, wild
from econ.linear.fit import FloatArray
from econ.linear.ols import fit_ols
from econ.panel import Panel
from econ.problem import Problem, partial_out, prepare, require_terms, sample_layout, usable, without_perfectly_fitted
from econ.text import Text

_NOTED_TIES = 0.01


@dataclass(frozen=True, eq=False, repr=False)
class WildBootstrap:
    """A hypothesis about a regression, tested by the wild cluster bootstrap.

    Attributes
    ----------
    hypothesis : as asked
    estimate, null : the restricted combination of coefficients and the value tested; None for several restrictions
    statistic : t, for several restrictions F, with the covariance of ``econ.feols``
    p_value : two-sided; see :class:`econ.inference.bootstrap.WildTest` for its rule for ties
    p_value_equal_tailed : the same from the two tails of t*, which need not be alike; None for F
    ci_low, ci_high : the values the two-sided test does not reject; infinite where it rejects none; None for F
    level : of that interval
    draws : sign vectors enumerated, or draws made
    enumerated : whether all sign vectors were used
    n_ties : draws whose statistic equals the observed one in absolute value
    n_clusters, n_obs : in the estimation sample
    distribution : (draws,) t* or F*
    words : the method, for a table note
    spec : what was asked for, as plain JSON
    notes : what a reader must know
    """

    hypothesis: str
    estimate: float | None
    null: float | None
    statistic: float
    p_value: float
    p_value_equal_tailed: float | None
    ci_low: float | None
    ci_high: float | None
    level: float
    draws: int
    enumerated: bool
    n_ties: int
    n_clusters: int
    n_obs: int
    distribution: FloatArray
    words: Text
    spec: Mapping[str, Any]
    notes: tuple[Text, ...] = ()

    def __repr__(self) -> str:
        lines = [f"H0: {self.hypothesis}", f"{self.spec['formula']}, {self.n_obs:,} observations", self.words["en"], ""]
        if self.estimate is None:
            lines.append(f"F = {self.statistic:.4f}, p = {self.p_value:.4f}")
        else:
            lines.append(f"estimate {self.estimate:.6g}, t = {self.statistic:.4f}, p = {self.p_value:.4f}")
            lines.append(f"{100 * self.level:g} % interval [{self.ci_low:.6g}, {self.ci_high:.6g}]")
            lines.append(f"equal-tailed p = {self.p_value_equal_tailed:.4f}")
        return "\n".join([*lines, *(f"Note: {note['en']}" for note in self.notes)])


def wild_bootstrap(
    panel: Panel,
    formula: str,
    hypothesis: str | Sequence[str],
    method: Wild | None = None,
    vcov: Vcov | None = None,
    weights: str | None = None,
    level: float = 0.95,
) -> WildBootstrap:
    r"""Test a hypothesis about a least-squares regression by the wild cluster bootstrap.

    The t statistic of ``R b = r`` is compared with those of samples in which the residuals of each cluster are
    multiplied by one random weight,

    .. math:: y^*_{ig} = x_{ig}'\tilde\beta + \tilde\alpha + v_g\, \tilde u_{ig},

    by default under the null hypothesis: fixed effects and coefficients estimated with ``R b = r`` imposed. It is more
    reliable than Student's t when clusters are few or differ in size, though not when few of them are *treated*: a
    restricted bootstrap then hardly ever rejects and an unrestricted one far too often (MacKinnon and Webb 2017). Every
    draw is studentised with the covariance of its own regression, effects absorbed again, with the factor of the
    sample's.

    Parameters
    ----------
    panel, formula, weights : as in ``econ.feols``, without instruments
    hypothesis : in the words of ``Estimate.wald``: ``"x = 0.1"``, ``"x1 = x2"``, ``["x1", "x2"]`` jointly zero
    method : from ``econ.wild``; by default 9,999 draws, restricted, Rademacher weights
    vcov : ``econ.cluster("column")`` with kind CR1 or CR0; by default clusters by the panel's unit
    level : of the confidence interval

    References
    ----------
    Cameron, Gelbach and Miller (2008), Review of Economics and Statistics 90(3); Roodman, MacKinnon, Nielsen and Webb
    (2019), Stata Journal 19(1); MacKinnon, Nielsen and Webb (2023), Journal of Econometrics 232(2).

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces")
    >>> formula = "log(invention_grants) ~ log(rd_expenditure) | province + year"
    >>> test = econ.wild_bootstrap(panel, formula, "log(rd_expenditure) = 0", econ.wild(999))
    """
    method = wild() if method is None else method
    if not isinstance(method, Wild):
        raise OptionError(f"method={method!r} is not allowed; give econ.wild(draws=9999, kind='restricted').")
    problem = without_perfectly_fitted(prepare(panel, formula, vcov, weights))
    if problem.formula.endogenous:
        raise FormulaError(
            "wild_bootstrap takes no instruments; leave out the last part of the formula, or test with econ.feols."
        )
    columns = partial_out(problem)
    regressors, notes = usable(problem, columns.group(1))
    require_terms(problem, regressors.names)
    R, r = restrictions(hypothesis, regressors.names)
    fit = fit_ols(columns.y, regressors.X, problem.weights)
    test = wild_cluster_bootstrap(fit, sample_layout(problem), problem.vcov, R, r, method, level)
    text = hypothesis if isinstance(hypothesis, str) else ", ".join(hypothesis)
    estimate, null = (float(R[0] @ fit.coef), float(r[0])) if len(R) == 1 else (None, None)
    return _labelled(problem, text, estimate, null, test, method, level, (*panel.notes, *notes))


def _labelled(
    problem: Problem,
    hypothesis: str,
    estimate: float | None,
    null: float | None,
    test: WildTest,
    method: Wild,
    level: float,
    notes: tuple[Text, ...],
) -> WildBootstrap:
    return WildBootstrap(
        hypothesis=hypothesis,
        estimate=estimate,
        null=null,
        statistic=test.statistic,
        p_value=test.p_value,
        p_value_equal_tailed=test.p_value_equal_tailed,
        ci_low=test.ci_low,
        ci_high=test.ci_high,
        level=level,
        draws=len(test.distribution),
        enumerated=test.enumerated,
        n_ties=test.n_ties,
        n_clusters=test.n_clusters,
        n_obs=problem.sample.n_obs,
        distribution=test.distribution,
        words=method.words(problem.vcov.columns_needed()[0], test.n_clusters),
        spec={
            "estimator": "wild_bootstrap",
            "outcome": problem.formula.outcome.text,
            "formula": problem.formula.text,
            "fixed_effects": problem.effect_names,
            "weights": problem.weights_name,
            "hypothesis": hypothesis,
            "method": method.to_json(),
            "vcov": problem.vcov.to_json(),
            "dropped": dict(problem.sample.dropped),
            "dataset": problem.panel.dataset,
            "history": list(problem.panel.history),
        },
        notes=notes + _notes(test, method),
    )


def _notes(test: WildTest, method: Wild) -> tuple[Text, ...]:
    ties, draws = test.n_ties / len(test.distribution), len(test.distribution)
    limits = [limit for limit in (test.ci_low, test.ci_high) if limit is not None]
    notes = []
    if test.enumerated:
        notes.append(_few_signs(test.n_clusters, draws))
    elif ties > _NOTED_TIES:
        notes.append(_many_ties(ties, test.p_value))
    if method.shares(test.n_clusters):
        notes.append(_SHARED_SIGNS)
    if n_flat := int(np.isinf(test.distribution).sum()):
        notes.append(_no_variance(n_flat))
    if not np.isfinite(limits).all():
        notes.append(_UNBOUNDED)
    return tuple(notes)


_SHARED_SIGNS: Text = {
    "en": f"From {MANY_CLUSTERS:,} clusters on, {SHARING} draws at a time share signs within segments of clusters; "
    "the Monte Carlo variance of the p-value is about 2 % larger than with independent draws.",
    "zh": f"聚类不少于 {MANY_CLUSTERS:,} 个时，每 {SHARING} 次抽样在聚类分段内共用符号；"
    "p 值的蒙特卡罗方差比独立抽样约大 2%。",
}
_UNBOUNDED: Text = {
    "en": f"The interval is open on one side or both: no value up to {FARTHEST:,.0f} standard errors from the estimate "
    "is rejected there.",
    "zh": f"置信区间至少一端无界：在距估计值 {FARTHEST:,.0f} 个标准误之内没有值被拒绝。",
}


def _few_signs(n_clusters: int, draws: int) -> Text:
    return {
        "en": f"{n_clusters} clusters have {draws:,} sign vectors; no p-value can be below {2 / draws:.2g}. Webb's "
        "weights take more values.",
        "zh": f"{n_clusters} 个聚类只有 {draws:,} 个符号向量，p 值不可能低于 {2 / draws:.2g}；Webb 权重取值更多。",
    }


def _many_ties(share: float, p_value: float) -> Text:
    return {
        "en": f"{share:.1%} of the draws repeat the sample's statistic, as when all clusters get the same weight. The "
        f"p-value counts them, and is {p_value - share:.4f} without. Webb's weights have hardly any.",
        "zh": f"{share:.1%} 的抽样与样本统计量相同（如各聚类权重全同）。p 值将其计入，不计则为 {p_value - share:.4f}；"
        "Webb 权重几乎没有这种情形。",
    }


def _no_variance(n_draws: int) -> Text:
    return {
        "en": f"{n_draws:,} draws leave no variance to studentise with; they count as more extreme.",
        "zh": f"{n_draws:,} 次抽样没有可用于学生化的方差，按更极端计。",
    }
