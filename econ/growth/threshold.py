"""Slopes that change where a variable crosses thresholds: Hansen's (1999) fixed-effects panel threshold model."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from econ.columns import PanelColumns
from econ.design.expression import encode, evaluate, parse_expression
from econ.design.matrix import outcome_and_regressors
from econ.design.sample import drop_missing, levels_present
from econ.errors import FormulaError, ModelError, OptionError
from econ.estimate import Estimate
from econ.growth.threshold_bootstrap import Stages, find_stages, simulated_gains
from econ.growth.threshold_search import Rows, Search
from econ.inference.covariance import Vcov
from econ.linear.fit import BoolArray, FloatArray, IntArray
from econ.linear.ols import fit_ols
from econ.options import ThresholdConvention, check_draws, check_level, check_whole, check_word
from econ.panel import Panel
from econ.problem import (
    Design,
    Problem,
    label_estimate,
    partial_out,
    prepare,
    sample_layout,
    usable,
    without_perfectly_fitted,
)
from econ.text import Text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from econ.report.figures import Plot

MOST = 3
HANSEN_STEP = 0.0025  # of the distinct values, between neighbours of his grid
LABEL: Text = {"en": "Panel threshold model with fixed effects", "zh": "固定效应面板门槛模型"}
AS_KNOWN: Text = {
    "en": "Standard errors of slopes take the thresholds as known, which is valid in large samples (Hansen 1999, "
    "section 4.2).",
    "zh": "斜率的标准误视门槛值为已知，大样本下有效（Hansen 1999，第 4.2 节）。",
}
LAST_DROPPED: Text = {
    "en": "Convention hansen1999: the last period of each unit is dropped once unit means are out, and thresholds are "
    "looked for among quantiles.",
    "zh": "采用 hansen1999 约定：去除个体均值后删去每个个体的最后一期，并仅在分位数网格上搜索门槛值。",
}


@dataclass(frozen=True, eq=False, repr=False)
class Threshold:
    """Thresholds, the tests of their number, and the slopes in the regimes between them.

    Attributes
    ----------
    estimate : slopes, regime by regime (``x:regime1`` is the lowest), then those common to all
    thresholds : ``threshold, estimate, ci_low, ci_high, connected``: ends of the confidence set, and whether the set
        has no gap between them
    tests : ``threshold, statistic, p_value, critical_10, critical_5, critical_1``; F of one more threshold against the
        number before, the rest missing without draws
    regimes : ``regime, low, high, n_obs, n_units``; a row belongs where ``low < q <= high``
    ratio : ``threshold, value, ratio``; the likelihood ratio at every candidate, the other thresholds held fixed;
        missing where too few rows would lie between them
    critical : the value of the ratio that bounds the confidence set at ``spec["level"]``
    spec : what was asked for, as plain JSON
    notes : what a reader must know
    """

    estimate: Estimate
    thresholds: pd.DataFrame
    tests: pd.DataFrame
    regimes: pd.DataFrame
    ratio: pd.DataFrame
    critical: float
    spec: dict[str, Any]
    notes: tuple[Text, ...] = ()

    def plot(self, ax: "Axes | None" = None) -> "Plot":
        """The likelihood ratio over the candidates, and the confidence sets."""
        from econ.report import threshold_plot

        return threshold_plot(self, ax=ax)

    def __repr__(self) -> str:
        parts = [self.estimate.summary(), self.thresholds.to_string(index=False), self.tests.to_string(index=False)]
        return "\n\n".join(parts)


def threshold(
    panel: Panel,
    formula: str,
    variable: str,
    regime: Sequence[str],
    n: int = 1,
    trim: float = 0.05,
    draws: int = 400,
    seed: int = 1,
    vcov: Vcov | None = None,
    convention: ThresholdConvention = "exact",
    level: float = 0.95,
) -> Threshold:
    r"""Fixed-effects regression whose slopes on some regressors change at thresholds of a variable.

    .. math:: y_{it} = \mu_i + z_{it}'\delta + \sum_{r} x_{it}'\beta_r\, 1(\gamma_{r-1} < q_{it} \le \gamma_r) + e_{it}

    Thresholds are found one after the other by least squares over *every* observed value of q that leaves each regime
    its share of rows; the earlier ones are then searched again given the others (Bai 1997; Hansen 1999, section 5).

    * Number: ``F_j = (S_{j-1} - S_j) / (S_j / dof)`` of j thresholds against j - 1, dof the rows less the effects. Its
      distribution is simulated under j - 1 thresholds: regressors and q are held fixed, and units' whole residual
      vectors from the model with j thresholds are drawn with replacement (section 3.3). That needs a balanced panel.
    * Confidence set: all values with ``LR(g) = (S(g) - S(ghat)) / s2 <= -2 ln(1 - sqrt(level))`` (eq. 12), 7.35 at
      95 %. It supposes errors that are homoskedastic and independent over time.

    Regimes have slopes of their own and no constants, so that the zero of x matters: at ``x = 0`` all regimes predict
    the same. Measure x, such as a logarithm, from a value where that is plausible, its mean for instance.

    Parameters
    ----------
    panel : the data, one row per unit and period
    formula : ``"y ~ x + z | unit"``, or with further effects, ``"| unit + year"``
    variable : the threshold variable q, a column or an expression such as ``"lag(debt, 1)"``
    regime : terms of the formula whose slopes change, such as ``["x"]``
    n : thresholds, 1 to 3
    trim : least share of rows in each regime
    draws : bootstrap samples for each F; 0 for none
    seed : of the draws
    vcov : covariance of the slopes, by default clusters by the panel's unit
    convention : ``"exact"``, or ``"hansen1999"`` to repeat the published numbers: the last period of each unit is
        dropped after demeaning, and thresholds are looked for at the quantiles ``trim, trim + 0.25 %, ..., 1 - trim``
        of the distinct values
    level : of the confidence sets

    References
    ----------
    Hansen (1999), "Threshold effects in non-dynamic panels", Journal of Econometrics 93(2).

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").where(lambda d: (d["year"] >= 2000) & (d["province"] != "Tibet"))
    >>> formula = "log(gdp_per_capita) ~ log(rd_expenditure) | province + year"
    >>> result = econ.growth.threshold(panel, formula, "schooling_years", ["log(rd_expenditure)"], draws=0)
    >>> result.estimate.terms
    ('log(rd_expenditure):regime1', 'log(rd_expenditure):regime2')
    """
    _check_options(n, trim, draws, seed, convention)
    check_level(level)
    problem, q, name = _problem(panel, formula, variable, vcov)
    regressors, notes = usable(problem, partial_out(problem).group(1))
    changing = _changing(regressors, regime)
    matrix = outcome_and_regressors(problem.variables, problem.sample)
    X = matrix.values[:, [matrix.names.index(name) for name in regressors.names]]
    sample = _Sample(problem, matrix.values[:, 0], X, regressors.names, changing, q, convention)
    search = _search(sample, trim, name)
    stages = find_stages(search, sample.y[search.order], n)
    cuts = sorted(stages.cuts)
    values = search.candidates[cuts]
    y, s2 = sample.y[search.order], stages.ssr[-1] / sample.dof
    ratio = _ratios(search, y, cuts, s2)
    critical = float(-2 * np.log(1 - np.sqrt(level)))
    estimate = _estimate(sample, values, name, (*notes, *_notes(convention)))
    spec = dict(estimate.spec) | {"n_thresholds": n, "draws": draws, "seed": seed, "level": level}
    return Threshold(
        estimate=replace(estimate, spec=spec),
        thresholds=_sets(ratio, values, critical),
        tests=_tests(search, sample, stages, draws, seed),
        regimes=_regimes(sample, values),
        ratio=ratio,
        critical=critical,
        spec=spec,
        notes=tuple(note for note in estimate.notes if note is not AS_KNOWN),
    )


# ---- what goes in


@dataclass(frozen=True, eq=False)
class _Sample:
    """The rows of the sample with names; ``X`` as it is, ``changing`` flags its columns with regimes."""

    problem: Problem
    y: FloatArray
    X: FloatArray
    names: tuple[str, ...]
    changing: BoolArray
    q: FloatArray
    convention: ThresholdConvention

    @property
    def unit(self) -> IntArray:
        return levels_present(self.problem.unit_codes)[0]

    @property
    def dof(self) -> int:
        return len(self.y) - self.problem.absorber.n_effects_rank

    @property
    def last(self) -> BoolArray | None:
        """(N,) the last row of every unit, where it is to be dropped."""
        if self.convention == "exact":
            return None
        order = np.lexsort((self.problem.time_codes, self.unit))
        found = np.zeros(len(order), dtype=np.bool_)
        found[order[np.append(np.diff(self.unit[order]) > 0, True)]] = True
        return found


def _check_options(n: int, trim: float, draws: int, seed: int, convention: str) -> None:
    check_word(convention, ThresholdConvention, "convention")
    check_whole(n, "n", 1, MOST)
    if not 0 < trim <= 1 / (n + 1):
        raise OptionError(f"trim={trim!r} is not allowed; with {n + 1} regimes give a share up to {1 / (n + 1):.2f}.")
    check_draws(draws, seed, 0)


def _problem(panel: Panel, formula: str, variable: str, vcov: Vcov | None) -> tuple[Problem, FloatArray, str]:
    """The sample on which the threshold variable is known too, that variable on it, and how it is spelled."""
    problem = prepare(panel, formula, vcov)
    effects = problem.formula.effects
    if problem.formula.endogenous or not effects or any(effect.slopes for effect in effects) or len(effects) > 2:
        raise FormulaError(
            f"threshold takes unit effects and at most one more fixed effect, without slopes or instruments, such as "
            f"'y ~ x + z | {panel.unit} + {panel.time or 'year'}'; got {problem.formula.text!r}."
        )
    if panel.unit not in {effect.group for effect in effects}:
        raise FormulaError(f"{problem.formula.text!r} has no unit effects; add {panel.unit!r} after the bar.")
    if not isinstance(variable, str):
        raise OptionError(f"variable takes a column or an expression, got {type(variable).__name__}.")
    expression = parse_expression(encode(variable))
    values = evaluate(expression, PanelColumns(panel))
    problem = replace(problem, sample=drop_missing(problem.sample, [(expression.text, values)]))
    problem = without_perfectly_fitted(problem)
    return problem, problem.sample.take(values), expression.text


def _changing(regressors: Design, regime: Sequence[str]) -> BoolArray:
    if isinstance(regime, str) or not regime:
        raise OptionError(f"regime={regime!r}: give a list of terms of the formula, such as ['x'].")
    unknown = [name for name in regime if name not in regressors.names]
    if unknown:
        raise OptionError(
            f"regime has {', '.join(map(repr, unknown))}, which is no regressor left in the formula; it has "
            f"{', '.join(regressors.names)}."
        )
    return np.isin(regressors.names, regime)


def _search(sample: _Sample, trim: float, name: str) -> Search:
    others = [effect for effect in sample.problem.effects if effect.name != sample.problem.panel.unit]
    dummies = [effect.codes[:, None] == np.arange(1, effect.n_levels) for effect in others]
    if others and sample.convention == "hansen1999":
        raise OptionError("convention='hansen1999' knows unit effects only; leave the others out, or use 'exact'.")
    B = np.hstack((sample.X, *dummies)).astype(np.float64)
    rows = Rows(sample.X[:, sample.changing], B, sample.q, sample.unit, sample.last)
    found = Search(rows, trim, HANSEN_STEP if sample.convention == "hansen1999" else None)
    if not len(found.candidates):
        raise ModelError(
            f"The threshold variable {name!r} has {len(np.unique(sample.q))} distinct values, and none leaves each "
            f"regime {trim:.0%} of the {len(sample.q)} rows; use a variable with more values, or a smaller trim."
        )
    return found


# ---- what comes out


def _ratios(search: Search, y: FloatArray, cuts: list[int], s2: float) -> pd.DataFrame:
    parts = []
    for k in range(len(cuts)):
        path = search.path(y, cuts[:k] + cuts[k + 1 :])
        ratio = np.where(np.isfinite(path.ssr), (path.ssr - path.least) / s2, np.nan)
        parts.append(pd.DataFrame({"threshold": k + 1, "value": search.candidates, "ratio": ratio}))
    return pd.concat(parts, ignore_index=True)


def _sets(ratio: pd.DataFrame, values: FloatArray, critical: float) -> pd.DataFrame:
    rows = []
    for number, part in ratio.groupby("threshold"):
        inside = np.flatnonzero(part["ratio"].to_numpy() <= critical)
        low, high = part["value"].iloc[[inside[0], inside[-1]]]
        rows.append((number, values[int(str(number)) - 1], low, high, bool(inside[-1] - inside[0] + 1 == len(inside))))
    return pd.DataFrame(rows, columns=["threshold", "estimate", "ci_low", "ci_high", "connected"])


def _regimes(sample: _Sample, values: FloatArray) -> pd.DataFrame:
    edges = [-np.inf, *values, np.inf]
    member = np.searchsorted(values, sample.q, side="left")
    return pd.DataFrame(
        {
            "regime": np.arange(1, len(edges)),
            "low": edges[:-1],
            "high": edges[1:],
            "n_obs": np.bincount(member, minlength=len(edges) - 1),
            "n_units": [len(np.unique(sample.unit[member == k])) for k in range(len(edges) - 1)],
        }
    )


# ---- how many


def _tests(search: Search, sample: _Sample, stages: Stages, draws: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    y = sample.y[search.order]
    place = _places(sample, search) if draws else sample.unit
    rows = []
    for j, gain in enumerate(stages.gains, 1):
        statistic = gain * sample.dof
        row: dict[str, float] = {"threshold": j, "statistic": statistic, "p_value": np.nan}
        row |= {f"critical_{size}": np.nan for size in (10, 5, 1)}
        if draws:
            simulated = sample.dof * simulated_gains(search, y, j, place, draws, rng)
            row["p_value"] = float(np.mean(simulated >= statistic))
            row |= {f"critical_{size}": float(np.quantile(simulated, 1 - size / 100)) for size in (10, 5, 1)}
        rows.append(row)
    return pd.DataFrame(rows)


def _places(sample: _Sample, search: Search) -> IntArray:
    """(N,) where each row, ordered by q, stands in the units x periods table, which must be full."""
    time = levels_present(sample.problem.time_codes)[0]
    n_periods = int(time.max()) + 1
    if len(time) != n_periods * (int(sample.unit.max()) + 1):
        raise ModelError(
            f"The bootstrap draws units' whole series of residuals, and the sample is unbalanced: {len(time)} rows, "
            f"{int(sample.unit.max()) + 1} units, {n_periods} periods. Keep the units that are complete "
            "(panel.where), or give draws=0 for estimates without p-values."
        )
    return np.asarray((sample.unit.astype(np.int64) * n_periods + time)[search.order])


# ---- slopes


def _estimate(sample: _Sample, values: FloatArray, variable: str, notes: tuple[Text, ...]) -> Estimate:
    problem = sample.problem
    member = np.searchsorted(values, sample.q, side="left")
    split = [
        (f"{name}:regime{r + 1}", column * (member == r))
        for name, column in zip(np.array(sample.names)[sample.changing], sample.X[:, sample.changing].T, strict=True)
        for r in range(len(values) + 1)
    ]
    common = zip(np.array(sample.names)[~sample.changing], sample.X[:, ~sample.changing].T, strict=True)
    named = [*split, *((str(name), column) for name, column in common)]
    within = problem.absorber.residualize(np.column_stack((sample.y, *(column for _, column in named))))
    layout = None
    if sample.last is not None:
        within = within[~sample.last]
        problem = replace(problem, sample=problem.sample.without(sample.last, "last period, dropped after demeaning"))
        layout = replace(sample_layout(problem), effects=(), n_effects_rank=0, leverage=None)
    fit = fit_ols(within[:, 0], np.asfortranarray(within[:, 1:]))
    ssr, sst = float(fit.residuals @ fit.residuals), float(within[:, 0] @ within[:, 0])
    stats = {"r2_within": 1 - ssr / sst, "rmse": float(np.sqrt(ssr / len(within)))}
    stats["mean_outcome"] = float(problem.sample.take(problem.variables.outcome).mean())
    terms = tuple(name for name, _ in named)
    found = label_estimate(problem, ("threshold", LABEL), terms, fit, stats, notes=notes, layout=layout)
    labels = dict(found.labels) | _labels(sample, values, variable)
    more = {"threshold_variable": variable, "convention": sample.convention, "thresholds": list(map(float, values))}
    return replace(found, labels=labels, spec=dict(found.spec) | more)


def _labels(sample: _Sample, values: FloatArray, variable: str) -> dict[str, dict[str, str]]:
    """Each slope with the bounds of its regime: ``x (0.0157 < q <= 0.536)``."""
    known = sample.problem.panel.labels([variable]).get(variable, {}) if variable in sample.problem.panel.frame else {}
    english = known.get("label", variable)
    chinese = known.get("label_zh", english)
    labels = {}
    for r in range(len(values) + 1):
        low = f"{values[r - 1]:.4g} < " if 0 < r < len(values) else ""
        high = f" ≤ {values[r]:.4g}" if r < len(values) else f" > {values[-1]:.4g}"
        for name in np.array(sample.names)[sample.changing]:
            labels[f"{name}:regime{r + 1}"] = {
                "label": f"{name} ({low}{english}{high})",
                "label_zh": f"{name}（{low}{chinese}{high}）",
            }
    return labels


def _notes(convention: ThresholdConvention) -> tuple[Text, ...]:
    return (AS_KNOWN, LAST_DROPPED) if convention == "hansen1999" else (AS_KNOWN,)
