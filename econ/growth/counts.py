"""Negative binomial regression with fixed effects as indicators."""

import warnings
from dataclasses import replace

import numpy as np
from scipy import special

from econ.design.absorb import Absorber
from econ.errors import DataError, FormulaError, ModelError
from econ.estimate import Estimate, Test
from econ.growth.indicators import with_indicators
from econ.inference.covariance import Vcov
from econ.linear.fit import FloatArray, LinearFit
from econ.linear.poisson import PoissonFit, fit_poisson
from econ.panel import Panel
from econ.problem import Problem, label_estimate, prepare, without_perfectly_fitted
from econ.text import Text

LABEL: Text = {"en": "Negative binomial (NB2)", "zh": "负二项回归（NB2）"}
LEAST = 1e-8  # dispersion that cannot be told from Poisson
INCIDENTAL: Text = {
    "en": "Fixed effects are indicators: the dispersion, and with it standard errors under econ.iid(), is too small "
    "where units have few periods (incidental parameters; Allison and Waterman 2002). econ.fepois needs the mean "
    "alone.",
    "zh": "固定效应以虚拟变量形式加入：若每个个体期数较少，离散参数以及econ.iid()下的标准误偏小（伴随参数问题；"
    "Allison与Waterman 2002）。econ.fepois仅要求条件均值设定正确。",
}


def negative_binomial(panel: Panel, formula: str, vcov: Vcov | None = None) -> Estimate:
    r"""Negative binomial maximum likelihood (NB2), by statsmodels.

    .. math::
        E[y_{it}] = \mu_{it} = \exp(x_{it}'\beta + \alpha_i + \lambda_t), \qquad Var[y_{it}] = \mu_{it} + a\,\mu_{it}^2

    with one dispersion a. Fixed effects are indicators of their levels, estimated along with the slopes: this is not
    the conditional estimator of Hausman, Hall and Griliches (1984), whose effects sit in the dispersion and do not take
    out constants (Allison and Waterman 2002), and which statsmodels does not have. Robust and clustered covariances
    allow for a wrong variance as long as the mean is right; PPML (``econ.fepois``) is consistent then too, and has no
    incidental parameters in one-way panels.

    Parameters
    ----------
    panel : the data
    formula : ``"patents ~ x1 + x2 | province + year"``, without instruments; the outcome is zero or positive
    vcov : covariance, by default clusters by the panel's unit, with the expected information given a as bread and the
        factors of ``econ.fepois``

    Returns
    -------
    Estimate with ``dispersion`` (a), ``loglik``, ``mean_outcome`` and in ``tests`` ``overdispersion``: the likelihood
    ratio against Poisson, half chi-squared(1) as a is not negative.

    Notes
    -----
    Rows of levels whose outcome is zero throughout, singletons and separated rows are left out as in ``econ.fepois``.
    The information is block diagonal between slopes and a (Cameron and Trivedi 2013, section 3.3.1), so that standard
    errors of slopes take a as known.

    References
    ----------
    Cameron and Trivedi (2013), Regression Analysis of Count Data, section 3.3; Allison and Waterman (2002),
    Sociological Methodology 32(1).

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").log(["rd_expenditure"])
    >>> estimate = econ.growth.negative_binomial(panel, "invention_grants ~ log_rd_expenditure | province + year")
    >>> estimate.stats["dispersion"] > 0
    True
    """
    problem = prepare(panel, formula, vcov)
    if problem.formula.endogenous:
        raise FormulaError("negative_binomial takes no instruments; leave out the last part of the formula.")
    y = problem.sample.take(problem.variables.outcome)
    if (y < 0).any():
        raise DataError(
            f"The outcome {problem.formula.outcome.text!r} has {int((y < 0).sum())} negative values; counts are zero "
            "or positive."
        )
    if len(y) and not y.any():
        raise ModelError(f"The outcome {problem.formula.outcome.text!r} is zero in every row; nothing to explain.")
    return _estimated(without_perfectly_fitted(problem, problem.variables.outcome))


def _estimated(problem: Problem) -> Estimate:
    """Poisson first, for where to start and for separated rows; then the negative binomial."""
    y, Z, terms, notes = with_indicators(problem)
    poisson = fit_poisson(y, Z, Absorber([], None), [*terms, *(f"effect {k}" for k in range(Z.shape[1] - len(terms)))])
    if poisson.separated.any():
        sample = problem.sample.without(poisson.separated, "separated")
        return _estimated(without_perfectly_fitted(replace(problem, sample=sample), problem.variables.outcome))
    coef, dispersion, loglik = _maximised(problem, y, Z, poisson)
    mu = np.exp(Z @ coef)
    weights = mu / (1 + dispersion * mu)
    X = Absorber(problem.effects, weights).residualize(np.asfortranarray(Z[:, : len(terms)]))
    bread = np.linalg.inv(X.T @ (weights[:, None] * X))
    fit = LinearFit(coef[: len(terms)], (bread + bread.T) / 2, X, (y - mu) / mu, weights)
    ratio = max(2 * (loglik - poisson.loglik), 0.0)
    test = Test("overdispersion", ratio, (1.0,), float(special.chdtrc(1, ratio) / 2))
    stats = {"dispersion": dispersion, "loglik": loglik, "mean_outcome": float(y.mean())}
    more = (INCIDENTAL,) if problem.effects else ()
    estimator = ("negative_binomial", LABEL)
    return label_estimate(problem, estimator, terms, fit, stats, tests=(test,), notes=(*notes, *more), dispersion=1.0)


def _maximised(problem: Problem, y: FloatArray, Z: FloatArray, poisson: PoissonFit) -> tuple[FloatArray, float, float]:
    """Coefficients, dispersion and log likelihood."""
    from statsmodels.discrete.discrete_model import NegativeBinomial

    start = max(float(np.mean(((y - poisson.mu) ** 2 - poisson.mu) / poisson.mu**2)), 1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it warns of is checked below
        model = NegativeBinomial(y, Z, loglike_method="nb2")
        found = model.fit(np.append(poisson.fit.coef, start), method="newton", maxiter=200, disp=0, tol=1e-12)
    gradient = np.abs(model.score(found.params)).max()
    dispersion = float(found.params[-1])
    if not (np.isfinite(found.params).all() and dispersion > LEAST and gradient < 1e-4 * len(y)):
        raise ModelError(
            f"The negative binomial likelihood of {problem.formula.outcome.text!r} has no maximum with a positive "
            "dispersion (the counts vary no more than Poisson's) or was not found; use econ.fepois."
        )
    return np.asarray(found.params[:-1], dtype=np.float64), dispersion, float(found.llf)
