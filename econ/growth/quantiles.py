"""Quantile regression with fixed effects as indicators."""

from typing import Any

import numpy as np
from scipy import sparse
from scipy import stats as distributions
from scipy.optimize import linprog

from econ.design.absorb import Absorber
from econ.errors import FormulaError, ModelError, OptionError
from econ.estimate import Estimate
from econ.growth.indicators import with_indicators
from econ.inference.covariance import Vcov
from econ.linear.fit import FloatArray, LinearFit
from econ.panel import Panel
from econ.problem import label_estimate, prepare, without_perfectly_fitted
from econ.text import Text

LABEL: Text = {"en": "Quantile regression, quantile {}", "zh": "分位数回归（分位点{}）"}
INCIDENTAL: Text = {
    "en": "Fixed effects are indicators, which shift all quantiles alike: with few periods the slopes are biased, and "
    "their standard errors too small (Kato, Galvao and Montes-Rojas 2012).",
    "zh": "固定效应以虚拟变量形式加入，对各分位点的影响相同：期数较少时斜率有偏、标准误偏小（Kato、Galvao与"
    "Montes-Rojas 2012）。",
}


def quantile(panel: Panel, formula: str, q: float = 0.5, vcov: Vcov | None = None) -> Estimate:
    r"""Quantile regression with fixed effects as indicators, by its linear programme (HiGHS).

    .. math::
        \min \sum_{it} \rho_q(y_{it} - x_{it}'\beta - \alpha_i - \lambda_t), \qquad \rho_q(u) = u\,(q - 1\{u < 0\})

    The slopes are those of the conditional quantile given the effects (Koenker 2004, without a penalty). In panels with
    few periods these effects are incidental parameters; with 20 periods and 31 units read the result with care.

    Parameters
    ----------
    panel : the data
    formula : ``"y ~ x1 + x2 | province + year"``, without instruments
    q : the quantile, between 0 and 1
    vcov : covariance, by default clusters by the panel's unit (Parente and Santos Silva 2016): scores
        ``x (q - 1{u < 0})`` (the programme's rank scores, which sum to zero exactly), with ``sum f(0) x x'`` as the
        information. The density f is Powell's kernel estimate with a Gaussian kernel and the bandwidth of Hall and
        Sheather (1988) scaled by the residuals' spread.

    Returns
    -------
    Estimate with ``r2_pseudo`` (Koenker and Machado 1999: 1 - loss / loss of a constant) and ``mean_outcome``.

    Notes
    -----
    statsmodels' ``QuantReg`` has no effects, and its reweighting stops short of the minimum: with 50 indicators its
    slopes, and the signs of residuals that are zero, depend on the order of the rows. Where q times the rows of a unit
    is a whole number its effect is an interval, as the median of an even number is, and standard errors depend a little
    on which end is taken.

    References
    ----------
    Koenker (2004), "Quantile regression for longitudinal data", Journal of Multivariate Analysis 91; Parente and
    Santos Silva (2016), "Quantile regression with clustered data", Journal of Econometric Methods 5(1).

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").log(["rd_expenditure", "invention_grants"])
    >>> formula = "log_invention_grants ~ log_rd_expenditure | province + year"
    >>> econ.growth.quantile(panel, formula, 0.75).terms
    ('log_rd_expenditure',)
    """
    if not 0 < q < 1:
        raise OptionError(f"q={q!r} is not allowed; give a quantile between 0 and 1, such as 0.5.")
    problem = prepare(panel, formula, vcov)
    if problem.formula.endogenous:
        raise FormulaError("quantile takes no instruments; leave out the last part of the formula.")
    problem = without_perfectly_fitted(problem)
    y, Z, terms, notes = with_indicators(problem)
    if len(y) <= Z.shape[1] + 1:
        raise ModelError(f"{len(y)} rows cannot tell {Z.shape[1]} coefficients, effects counted; use fewer effects.")
    coef, rank = _minimised(y, Z, q)
    u = y - Z @ coef
    density = _density(u, q)
    X = Absorber(problem.effects, density).residualize(np.asfortranarray(Z[:, : len(terms)]))
    bread = np.linalg.inv(X.T @ (density[:, None] * X))
    fit = LinearFit(coef[: len(terms)], (bread + bread.T) / 2, X, (rank - (1 - q)) / density, density)
    loss = _loss(u, q) / _loss(y - np.quantile(y, q), q)
    label = {lang: words.format(f"{q:g}") for lang, words in LABEL.items()}
    stats = {"r2_pseudo": 1 - loss, "mean_outcome": float(y.mean())}
    more = (INCIDENTAL,) if problem.effects else ()
    return label_estimate(problem, ("quantile", label), terms, fit, stats, notes=(*notes, *more), dispersion=1.0)


def _minimised(y: FloatArray, Z: FloatArray, q: float) -> tuple[FloatArray, FloatArray]:
    """Coefficients, and regression rank scores (N,): 1 above the fit, 0 below, between where it goes through a row.

    The dual programme ``max y'a`` over ``0 <= a <= 1`` with ``Z'a = (1 - q) Z'1`` (Koenker 2005, section 6.2).
    """
    A: Any = sparse.csc_array(Z.T)  # the stubs know no sparse matrix
    found = linprog(-y, A_eq=A, b_eq=(1 - q) * (A @ np.ones(len(y))), bounds=(0, 1), method="highs")
    if found.x is None:
        raise ModelError(
            f"The linear programme of the quantile has no solution ({found.message}); rescale the columns."
        )
    return np.asarray(-found.eqlin.marginals, dtype=np.float64), np.asarray(found.x, dtype=np.float64)


def _density(u: FloatArray, q: float) -> FloatArray:
    """(N,) Gaussian kernel at the residuals, its bandwidth Hall and Sheather's on the scale of the residuals."""
    from statsmodels.regression.quantile_regression import hall_sheather

    step = min(float(hall_sheather(len(u), q)), 0.95 * q, 0.95 * (1 - q))
    low, high = np.quantile(u, [0.25, 0.75])
    spread = min(float(u.std(ddof=1)), float(high - low) / 1.34)
    if not spread > 0:
        raise ModelError("The quantile regression fits half of the rows exactly, so that errors have no density there.")
    h = spread * float(distributions.norm.ppf(q + step) - distributions.norm.ppf(q - step))
    return np.asarray(np.maximum(distributions.norm.pdf(u / h) / h, 1e-12 / h))


def _loss(u: FloatArray, q: float) -> float:
    return float(np.sum(u * (q - (u < 0))))
