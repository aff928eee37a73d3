"""Panel regressions with interactive effects (Bai 2009)."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from econ.design.absorb import Absorber
from econ.design.collinear import cross_products, independent_columns
from econ.design.matrix import INTERCEPT
from econ.errors import ModelError
from econ.estimate import Estimate, floats
from econ.growth.factor_sample import FactorSample, check_number, read_sample, refuse_failure, refuse_short
from econ.growth.factors import FactorFit, factor_effects, factor_rank, fit_factors
from econ.inference.covariance import Vcov, covariance
from econ.linear.fit import BoolArray, FloatArray, LinearFit, linear_stats
from econ.panel import Panel
from econ.problem import estimate_fields, require_terms, sample_layout
from econ.text import Text

_SAME = 1e-6  # relative difference of sums of squares that are two minima
LABEL: Text = {"en": "Interactive effects", "zh": "交互固定效应模型"}
BIAS: Text = {
    "en": "Interactive effects: where errors are correlated or heteroskedastic, the estimates have a bias of order 1/N "
    "and 1/T that is not corrected (Bai 2009, section 7).",
    "zh": "交互固定效应：误差相关或异方差时，估计存在 1/N 与 1/T 阶偏误，此处未修正（Bai 2009，第 7 节）。",
}


@dataclass(frozen=True, eq=False, repr=False)
class InteractiveEstimate(Estimate):
    """Coefficients of a regression with common factors, and the factors.

    Attributes
    ----------
    residuals : (rows of the panel,), NaN where a row was not used; test them for dependence with
        ``econ.growth.pesaran_cd(panel.assign(u=result.residuals), "u ~ 0")``
    unit_names, period_names : (N,), (T,) labels of units and periods
    unit_loadings : (N, R), mutually orthogonal
    period_factors : (T, R) with ``F'F = T I``, the strongest first; each factor's largest loading is positive
    """

    residuals: FloatArray = field(kw_only=True)
    unit_names: tuple[Any, ...] = field(kw_only=True)
    period_names: tuple[Any, ...] = field(kw_only=True)
    unit_loadings: FloatArray = field(kw_only=True)
    period_factors: FloatArray = field(kw_only=True)

    @property
    def loadings(self) -> pd.DataFrame:
        """One row per unit: its label and its loading on each factor."""
        return _numbered(self.unit_loadings, "unit", self.unit_names)

    @property
    def factors(self) -> pd.DataFrame:
        """One row per period: its label and each factor."""
        return _numbered(self.period_factors, "period", self.period_names)

    def _to_plain(self) -> dict[str, Any]:
        names = ("residuals", "unit_names", "period_names", "unit_loadings", "period_factors")
        return super()._to_plain() | {name: getattr(self, name) for name in names}

    @classmethod
    def _from_plain(cls, raw: dict[str, Any]) -> dict[str, Any]:
        raw = super()._from_plain(raw)
        raw["residuals"] = floats(raw["residuals"])
        for names, values in (("unit_names", "unit_loadings"), ("period_names", "period_factors")):
            raw[values] = floats(raw[values]).reshape(len(raw[names]), -1)
            raw[names] = tuple(raw[names])
        return raw


def _numbered(values: FloatArray, key: str, names: Sequence[Any]) -> pd.DataFrame:
    frame = pd.DataFrame(values, columns=[f"factor{r + 1}" for r in range(values.shape[1])])
    frame.insert(0, key, list(names))
    return frame


def interactive_effects(panel: Panel, formula: str, factors: int, vcov: Vcov | None = None) -> InteractiveEstimate:
    r"""Least squares with unobserved factors to which every unit reacts in its own way.

    .. math:: y_{it} = x_{it}'\beta + (\alpha_i + \xi_t +)\ \lambda_i'f_t + e_{it}

    minimised over coefficients, R factors and loadings together. Factors and loadings may go with the regressors in any
    way, where year effects suppose that all units react alike. R must not be too small:
    :func:`econ.growth.number_of_factors` helps to choose it, and estimates that do not move from R to R + 1 are the
    better sign.

    Parameters
    ----------
    panel : the data, with periods; an unbalanced panel takes out factors over the rows that are seen
    formula : ``"y ~ x1 + x2"``, with a constant; or with additive effects of units, of periods, or of both, as in
        ``"y ~ x1 + x2 | province + year"``
    factors : R, their number
    vcov : covariance, by default clusters by the panel's unit. It is that of least squares on the regressors with
        effects, factors and loadings taken out (Bai's Z), so all are open; K counts effects and ``R (N + T - R)``
        parameters of factors and loadings. Clusters by unit allow for serial correlation, not for dependence between
        units

    Returns
    -------
    InteractiveEstimate with ``factors`` and ``loadings``. ``r2`` counts what the factors explain.

    Raises
    ------
    ModelError : the descents have not converged, the factors fit the outcome exactly or leave nothing of a regressor,
        a unit or period is seen too little for its loadings

    Notes
    -----
    The sum of squares may have several minima. Descents start from least squares under the effects asked for, under
    effects of units and periods, and under the outcome's own factors; the lowest end is reported, and a note says where
    others ended elsewhere. Estimates are consistent for many units and periods; the bias of order 1/N and 1/T under
    correlated or heteroskedastic errors is not corrected, nor is that of lagged outcomes in short panels.

    References
    ----------
    Bai (2009), "Panel data models with interactive fixed effects", Econometrica 77(4).

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").where(lambda d: (d["year"] >= 2000) & (d["province"] != "Tibet"))
    >>> formula = "log(gdp_per_capita) ~ log(rd_expenditure) | province + year"
    >>> result = econ.growth.interactive_effects(panel, formula, factors=1)
    >>> result.factors.shape, result.loadings.shape
    ((10, 2), (30, 2))
    """
    asked = read_sample(panel, formula, vcov)
    require_terms(asked.problem, asked.regressors.names)
    check_number(factors, asked.data, "factors", least=1)
    refuse_short(asked, factors)
    ends = fit_factors(asked.data, factors)
    best = ends[0]
    refuse_failure(asked, best, factors)
    fit, effects = _linear(asked, best)
    layout = replace(
        sample_layout(asked.problem),
        effects=effects.effects,
        n_effects_rank=factor_rank(asked.data, factors),
        leverage=effects.leverage,
    )
    found = covariance(asked.problem.vcov, fit, layout)
    notes = (*asked.notes, BIAS, *_minima_note(ends))
    said = estimate_fields(asked.problem, ("interactive_effects", LABEL), found, notes)
    sign = np.sign(best.loadings[np.abs(best.loadings).argmax(axis=0), np.arange(factors)])
    return InteractiveEstimate(
        terms=asked.regressors.names,
        coef=best.coef,
        stats=_stats(asked, best, factors),
        residuals=asked.problem.sample.spread(fit.residuals),
        unit_names=asked.units,
        period_names=asked.periods,
        unit_loadings=best.loadings * sign,
        period_factors=best.factors * sign,
        **(said | {"spec": said["spec"] | {"factors": factors}}),
    )


# ---- what comes out


def _linear(asked: FactorSample, best: FactorFit) -> tuple[LinearFit, Absorber]:
    """The regression on what factors and loadings leave of the regressors, which has the same coefficients."""
    data, names = asked.data, asked.regressors.names
    absorber = Absorber(factor_effects(data, best.factors, best.loadings))
    Z = absorber.residualize(np.asfortranarray(data.X[data.unit, data.time]))
    gram = cross_products(Z, Z)
    _refuse_absorbed(names, independent_columns(gram, asked.regressors.variation, asked.regressors.magnitude).keep)
    bread = np.linalg.inv(gram)
    return LinearFit(best.coef, (bread + bread.T) / 2, Z, best.residuals[data.unit, data.time]), absorber


def _refuse_absorbed(names: Sequence[str], keep: BoolArray) -> None:
    lost = [name for name, kept in zip(names, keep, strict=True) if not kept]
    if lost:
        raise ModelError(
            f"The factors and loadings leave nothing of {', '.join(lost)}, whose coefficients are not identified; use "
            "fewer factors, or leave those regressors out."
        )


def _stats(asked: FactorSample, best: FactorFit, n_factors: int) -> dict[str, float]:
    y = asked.problem.sample.take(asked.problem.variables.outcome)
    has_constant = asked.data.by_unit or asked.data.by_time or INTERCEPT in asked.regressors.names
    total = float(np.sum((y - y.mean() * has_constant) ** 2))
    K = len(best.coef) + factor_rank(asked.data, n_factors)
    stats = linear_stats(len(y), K, best.ssr, total, None, has_constant=has_constant)
    return stats | {"n_factors": float(n_factors), "mean_outcome": float(y.mean())}


def _minima_note(ends: Sequence[FactorFit]) -> tuple[Text, ...]:
    best, others = ends[0], [end for end in ends[1:] if end.converged]
    worse = [end for end in others if end.ssr > best.ssr * (1 + _SAME)]
    if not worse:
        return ()
    n, most = len(worse), 100 * (max(end.ssr for end in worse) / best.ssr - 1)
    return (
        {
            "en": f"The sum of squares has several minima: {n} of {len(ends)} descents ended higher, by up to "
            f"{most:.2g} %.",
            "zh": f"残差平方和有多个极小值：{len(ends)} 次下降中有 {n} 次止于较高处，最多高 {most:.2g}%。",
        },
    )
