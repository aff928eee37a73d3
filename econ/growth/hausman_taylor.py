"""Hausman and Taylor's estimator: regressors constant over time beside effects that some regressors go with."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from econ.design.collinear import moments
from econ.design.matrix import INTERCEPT, Matrix
from econ.design.sample import levels_present
from econ.errors import ModelError, OptionError
from econ.estimate import Estimate
from econ.growth.components import quasi_demeaned, unit_means
from econ.growth.static import prepared
from econ.inference.covariance import Vcov
from econ.linear.fit import BoolArray, FloatArray, IntArray
from econ.linear.iv import fit_2sls
from econ.linear.ols import fit_ols
from econ.panel import Panel
from econ.problem import Design, label_estimate, partial_out, require_terms, usable
from econ.text import Text

LABEL: Text = {"en": "Hausman-Taylor", "zh": "Hausman-Taylor 估计"}


def hausman_taylor(panel: Panel, formula: str, endogenous: Sequence[str], vcov: Vcov | None = None) -> Estimate:
    r"""Random effects that may go with some regressors, instrumented from within the model.

    .. math:: y_{it} = x_{1it}'\beta_1 + x_{2it}'\beta_2 + z_{1i}'\gamma_1 + z_{2i}'\gamma_2 + a_i + e_{it}

    where x vary over time and z do not, and ``a_i`` is unrelated to ``x_1, z_1`` but may go with ``x_2, z_2``
    (``endogenous``). Steps: within estimates of beta and ``sigma2_idios``; unit means of their residuals on z by
    two-stage least squares with ``x_1, z_1`` as instruments; variance components; then two-stage least squares of the
    quasi-demeaned equation with the instruments ``x_1 - xbar_1, x_2 - xbar_2, xbar_1, z_1``. Needs at least as many
    ``x_1`` as ``z_2``.

    Parameters
    ----------
    panel : the data, one row per unit and period
    formula : ``"y ~ x1 + x2 + z1 + z2"``; which terms are constant within units is read off the data
    endogenous : names of the terms that may go with the unit effects, such as ``["x2", "z2"]``; of a category, each
        of its columns
    vcov : covariance, by default clusters by the panel's unit

    Returns
    -------
    Estimate with ``sigma2_idios`` (SSR_within / (N - n), n units) and ``sigma2_unit`` in ``stats``; ``spec`` lists
    which term is what, and the instruments.

    Notes
    -----
    ``sigma2_unit = mean_i ubar_i^2 - sigma2_idios mean_i 1/T_i`` with the residuals ``ubar_i`` of the second step, zero
    if negative; ``theta_i`` as in random effects. On the wages of Cornwell and Rupert (1988) estimates, standard errors
    and components are those that Stata's ``xthtaylor`` prints.

    References
    ----------
    Hausman and Taylor (1981), Econometrica 49(6); Baltagi (2021), section 7.4.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").join(econ.regions()[["province", "plate"]], on="province")
    >>> panel = panel.assign(east=lambda d: (d["plate"] == "East").astype(float))
    >>> formula = "log(invention_grants) ~ log(rd_expenditure) + log(gdp_per_capita) + east"
    >>> estimate = econ.growth.hausman_taylor(panel, formula, ["log(rd_expenditure)"])
    >>> estimate.spec["constant_within_units"]
    ['east']
    """
    problem = prepared(panel, formula, vcov, "hausman_taylor")
    columns = partial_out(problem)
    regressors, notes = usable(problem, columns.group(1))
    require_terms(problem, regressors.names)
    codes = levels_present(problem.unit_codes)[0]
    roles = _roles(regressors, endogenous, codes)
    components = _components(columns.y, regressors, roles, codes)
    theta = 1 - np.sqrt(components[0] / (components[0] + np.bincount(codes) * components[1]))
    quasi = quasi_demeaned(np.column_stack((columns.y, regressors.X)), codes, theta)
    instruments, more = usable(problem, _instruments(regressors, roles, codes))
    iv = fit_2sls(quasi[:, 0], np.empty((len(codes), 0)), np.asfortranarray(quasi[:, 1:]), instruments.X)
    stats = {"sigma2_idios": components[0], "sigma2_unit": components[1]}
    stats["rmse"] = float(np.sqrt(np.mean(iv.fit.residuals**2)))
    stats["mean_outcome"] = float(columns.y.mean())
    found = label_estimate(problem, ("hausman_taylor", LABEL), regressors.names, iv.fit, stats, notes=(*notes, *more))
    return replace(found, spec=dict(found.spec) | _described(regressors, roles, instruments))


# ---- steps


Roles = tuple[BoolArray, BoolArray]  # per regressor: varies within units, may go with the effects


def _roles(regressors: Design, endogenous: Sequence[str], codes: IntArray) -> Roles:
    if isinstance(endogenous, str) or not endogenous:
        raise OptionError(f"endogenous={endogenous!r}: give a list of terms, such as ['x2', 'z2'].")
    unknown = [name for name in endogenous if name not in regressors.names or name == INTERCEPT]
    if unknown:
        raise OptionError(
            f"endogenous has {', '.join(map(repr, unknown))}, which is no regressor left in the formula; it has "
            f"{', '.join(name for name in regressors.names if name != INTERCEPT)}."
        )
    within = regressors.X - unit_means(regressors.X, codes)[codes]
    varies = (within**2).sum(axis=0) > 1e-18 * regressors.magnitude
    endogenous_flags = np.isin(regressors.names, endogenous)
    n_outside, n_needed = int((varies & ~endogenous_flags).sum()), int((~varies & endogenous_flags).sum())
    if n_outside < n_needed:
        raise ModelError(
            f"{n_needed} endogenous regressors are constant within units, and only {n_outside} exogenous regressors "
            "vary over time to instrument them; the model needs at least as many. Name fewer terms in endogenous."
        )
    return varies, endogenous_flags


def _components(y: FloatArray, regressors: Design, roles: Roles, codes: IntArray) -> tuple[float, float]:
    """``sigma2_idios`` and ``sigma2_unit`` from the within regression and its mean residuals."""
    varies, endogenous = roles
    X, n_units = regressors.X, int(codes.max()) + 1
    if not varies.any() or len(y) - n_units <= varies.sum():
        raise ModelError(
            f"The within regression has {len(y)} rows, {n_units} units and {int(varies.sum())} regressors that vary "
            "within units; give some that vary, and more periods."
        )
    means = unit_means(np.column_stack((y, X)), codes)
    within = np.column_stack((y, X)) - means[codes]
    first = fit_ols(within[:, 0], np.asfortranarray(within[:, 1:][:, varies]))
    sigma2 = float(first.residuals @ first.residuals) / (len(y) - n_units)
    left = (means[:, 0] - means[:, 1:][:, varies] @ first.coef)[codes]
    exogenous = np.asfortranarray(X[:, ~varies & ~endogenous])
    instruments = np.asfortranarray(X[:, varies & ~endogenous])
    if (~varies & endogenous).any():
        Z = np.asfortranarray(X[:, ~varies & endogenous])
        residuals = fit_2sls(left, exogenous, Z, instruments).fit.residuals
    else:
        residuals = fit_ols(left, exogenous).residuals
    per_unit = residuals[np.unique(codes, return_index=True)[1]]
    sigma2_unit = float(np.mean(per_unit**2) - sigma2 * np.mean(1 / np.bincount(codes)))
    return sigma2, max(sigma2_unit, 0.0)


def _instruments(regressors: Design, roles: Roles, codes: IntArray) -> Design:
    """``x - xbar`` of all x, ``xbar`` of the exogenous ones, and exogenous z."""
    varies, endogenous = roles
    means = unit_means(regressors.X, codes)[codes]
    deviations = (regressors.X - means)[:, varies]
    outside, constant = varies & ~endogenous, ~varies & ~endogenous
    values = np.hstack((regressors.X[:, constant], deviations, means[:, outside]))
    named = np.array(regressors.names, dtype=object)
    names = [*named[constant], *(f"within({n})" for n in named[varies]), *(f"mean({n})" for n in named[outside])]
    _, variation, magnitude = moments(values)
    return Design(Matrix(np.asfortranarray(values), tuple(map(str, names)), (len(names),)), variation, magnitude)


def _described(regressors: Design, roles: Roles, instruments: Design) -> dict[str, list[str]]:
    varies, endogenous = roles
    named = np.array(regressors.names, dtype=object)
    slopes = named != INTERCEPT
    return {
        "endogenous": list(map(str, named[endogenous])),
        "constant_within_units": list(map(str, named[~varies & slopes])),
        "instruments": list(instruments.names),
    }
