"""Regressions whose slopes differ by unit: their mean, with and without common factors, and a pooled slope."""

import numpy as np

from econ.growth.unit_regressions import UnitEstimate, fit_regressions, read_regressions, unit_estimate
from econ.inference.heterogeneous import mean_group_covariance, pooled_covariance
from econ.panel import Panel
from econ.text import Text

MEAN_GROUP: Text = {"en": "Mean group", "zh": "均值组估计（MG）"}
CCE_MEAN_GROUP: Text = {"en": "Common correlated effects, mean group", "zh": "共同相关效应均值组估计（CCE-MG）"}
CCE_POOLED: Text = {"en": "Common correlated effects, pooled", "zh": "共同相关效应混合估计（CCE-P）"}


def mean_group(panel: Panel, formula: str) -> UnitEstimate:
    r"""The mean of slopes that differ by unit, from one regression per unit.

    .. math:: y_{it} = a_i + x_{it}'\beta_i + u_{it}, \qquad \hat\beta = \frac{1}{N} \sum_i \hat\beta_i

    It estimates the mean of the ``beta_i``, also where they go with the regressors' variances or the model is dynamic,
    where pooled and within estimates do not. Every unit counts the same, however long it is seen, so that short or
    quiet units make it noisy. It supposes independent units: see :func:`econ.growth.pesaran_cd`, and
    :func:`cce_mean_group` where they have shocks in common.

    Parameters
    ----------
    panel : the data, with periods; units may differ in length and have gaps, for which lags see the calendar
    formula : ``"y ~ x1 + x2"``; every unit has an intercept of its own, and with ``"y ~ x1 | province[year]"`` a trend

    Returns
    -------
    UnitEstimate; ``by_unit`` has every unit's coefficients. Its covariance is that of the estimates over N, which holds
    their sampling error and their true variation alike (:mod:`econ.inference.heterogeneous`), with t(N - 1); xtmg and
    plm take the normal distribution. ``rmse`` is of the units' own residuals.

    Raises
    ------
    ModelError : a unit has fewer periods than it has coefficients and one more, or cannot tell them apart, such as
        those of a regressor that does not vary in it; the units are named

    References
    ----------
    Pesaran and Smith (1995), "Estimating long-run relationships from dynamic heterogeneous panels", Journal of
    Econometrics 68(1).

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").where(lambda d: (d["year"] >= 2000) & (d["province"] != "Tibet"))
    >>> result = econ.growth.mean_group(panel, "log(gdp_per_capita) ~ log(rd_expenditure)")
    >>> result.n_units, len(result.by_unit)
    (30, 30)
    """
    return _mean_group(panel, formula, ("mean_group", MEAN_GROUP), averages=False)


def cce_mean_group(panel: Panel, formula: str) -> UnitEstimate:
    r"""The mean of slopes that differ by unit, where unobserved common factors move outcome and regressors.

    .. math::
        y_{it} = a_i + x_{it}'\beta_i + \gamma_i' f_t + e_{it}, \qquad
        y_{it} = a_i + x_{it}'b_i + c_{0i} \bar y_t + c_i'\bar x_t + u_{it}

    The averages over units in each period stand for the factors, as many as there are of either kind: each unit has its
    own coefficients on them, and the mean of the ``b_i`` is reported. Factors may go with the regressors, and units may
    react to them each in its own way, where year effects suppose that all react alike.

    Parameters
    ----------
    panel : the data, with periods; in an unbalanced panel the average of a period is over the units seen in it
    formula : as in :func:`mean_group`; averages are taken of the outcome and of every regressor. With a lagged outcome
        among these the estimate is biased (Chudik and Pesaran 2015), which a note says

    Returns
    -------
    UnitEstimate, as :func:`mean_group`; the covariance is Pesaran's (2006) eq. 58, with t(N - 1).

    Raises
    ------
    ModelError : as :func:`mean_group`; a regressor that is the same for all units is its own average, and has no slope

    References
    ----------
    Pesaran (2006), "Estimation and inference in large heterogeneous panels with a multifactor error structure",
    Econometrica 74(4).

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").where(lambda d: (d["year"] >= 2000) & (d["province"] != "Tibet"))
    >>> result = econ.growth.cce_mean_group(panel, "log(gdp_per_capita) ~ log(rd_expenditure)")
    >>> result.terms
    ('log(rd_expenditure)',)
    """
    return _mean_group(panel, formula, ("cce_mean_group", CCE_MEAN_GROUP), averages=True)


def cce_pooled(panel: Panel, formula: str) -> UnitEstimate:
    r"""One slope for all units, where unobserved common factors move outcome and regressors.

    .. math:: \hat\beta = \Big( \sum_i X_i'M_iX_i \Big)^{-1} \sum_i X_i'M_iy_i

    with ``M_i`` taking out an intercept and the averages over units of outcome and regressors, to each of which every
    unit reacts in its own way (Pesaran 2006, eq. 65, with equal weights). More precise than :func:`cce_mean_group`
    where slopes are alike, since units whose regressors move more count more.

    Parameters
    ----------
    panel, formula : as in :func:`cce_mean_group`

    Returns
    -------
    UnitEstimate; the covariance is Pesaran's (2006) eqs. 67 to 69, valid also where slopes differ, with t(N - 1).
    ``rmse`` is of the residuals under the common slope, ``by_unit`` has the units' own.

    References
    ----------
    Pesaran (2006), as in :func:`cce_mean_group`.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").where(lambda d: (d["year"] >= 2000) & (d["province"] != "Tibet"))
    >>> result = econ.growth.cce_pooled(panel, "log(gdp_per_capita) ~ log(rd_expenditure)")
    >>> result.dof
    array([29.])
    """
    asked = read_regressions(panel, formula, averages=True)
    fits = fit_regressions(asked)
    right = np.einsum("ikl,il->k", fits.gram, fits.coef)
    coef = np.linalg.solve(fits.gram.sum(axis=0), right)
    found = pooled_covariance(fits.gram, fits.coef)
    residuals = fits.residuals_of(coef)
    return unit_estimate(asked, ("cce_pooled", CCE_POOLED), coef, found, fits.coef, residuals)


def _mean_group(panel: Panel, formula: str, estimator: tuple[str, Text], *, averages: bool) -> UnitEstimate:
    asked = read_regressions(panel, formula, averages=averages)
    fits = fit_regressions(asked)
    coef = fits.coef.mean(axis=0)
    return unit_estimate(asked, estimator, coef, mean_group_covariance(fits.coef), fits.coef, fits.residuals)
