"""Variance components of unit effects, and the quasi-demeaning that weighs with them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from econ.errors import ModelError
from econ.linear.fit import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Components:
    """Variances of ``y_it = x_it'b + a_i + e_it``.

    Attributes
    ----------
    sigma2_idios : variance of ``e_it``
    sigma2_unit : variance of ``a_i``, zero where its estimate is negative
    theta : (n_units,) ``1 - sqrt(sigma2_idios / (sigma2_idios + T_i sigma2_unit))``, by unit code
    r2_within, r2_between, r2_overall : ``1 - SSR/SST`` of the coefficients on deviations from unit means, on unit
        means, and on the data
    """

    sigma2_idios: float
    sigma2_unit: float
    theta: FloatArray
    r2_within: float
    r2_between: float
    r2_overall: float

    @property
    def stats(self) -> dict[str, float]:
        """Everything a table may show; the range of theta where units differ in length."""
        low, high = float(self.theta.min()), float(self.theta.max())
        thetas = {"theta": low} if high - low < 1e-12 else {"theta_min": low, "theta_max": high}
        return {
            "r2_within": self.r2_within,
            "r2_between": self.r2_between,
            "r2_overall": self.r2_overall,
            "sigma2_idios": self.sigma2_idios,
            "sigma2_unit": self.sigma2_unit,
        } | thetas


def variance_components(y: FloatArray, X: FloatArray, codes: IntArray) -> Components:
    """Swamy and Arora's components with degrees of freedom for small samples, by linearmodels.

    ``sigma2_idios`` is the residual variance of the within regression, ``sigma2_unit`` solves the expectation of the
    between regression's residual sum of squares; with units of unequal length this is Baltagi and Chang's (1994,
    section 2) extension of Swamy and Arora (1972), as in plm and in Stata's ``xtreg, re sa``.

    Parameters
    ----------
    y : (N,);  X : (N, K) of full column rank;  codes : (N,) unit codes 0 to n_units - 1

    Examples
    --------
    >>> y = np.array([1.0, 2.0, 4.0, 6.0, 3.0, 3.5, 9.0, 8.0])
    >>> found = variance_components(y, np.ones((8, 1)), np.repeat(np.arange(4), 2))
    >>> round(found.sigma2_idios, 6), round(found.sigma2_unit, 6)
    (0.78125, 8.541667)
    """
    from linearmodels.panel.model import RandomEffects  # takes most of a second to load

    order = np.argsort(codes, kind="stable")
    within = np.empty(len(codes), dtype=np.intp)
    within[order] = pd.Series(codes[order]).groupby(codes[order]).cumcount()
    index = pd.MultiIndex.from_arrays([codes, within], names=["unit", "row"])
    names = [f"x{k}" for k in range(X.shape[1])]
    model = RandomEffects(pd.DataFrame({"y": y}, index), pd.DataFrame(X, index, names))
    try:
        found = model.fit(small_sample=True)
    except ValueError as reason:
        raise ModelError(
            f"The variances of unit effects and errors cannot be told apart: {reason}. There must be more units than "
            "regressors, and units with several rows; use fewer regressors or econ.growth.pooled."
        ) from None
    variances = found.variance_decomposition
    theta = found.theta["theta"].sort_index().to_numpy()
    r2 = float(found.rsquared_within), float(found.rsquared_between), float(found.rsquared_overall)
    return Components(float(variances["Residual"]), float(variances["Effects"]), theta, *r2)


def unit_means(values: FloatArray, codes: IntArray) -> FloatArray:
    """(n_units, K) means of values (N, K) by unit."""
    counts = np.bincount(codes)
    sums = np.column_stack([np.bincount(codes, weights=column) for column in values.T])
    return np.asarray(sums / counts[:, None])


def quasi_demeaned(values: FloatArray, codes: IntArray, theta: FloatArray) -> FloatArray:
    """(N, K) ``x_it - theta_i xbar_i``."""
    return np.asarray(values - (theta[:, None] * unit_means(values, codes))[codes])
