"""The frozen result of every linear (or iteratively linear) fit: what a covariance needs, nothing else."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.signedinteger[Any]]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class LinearFit:
    """Coefficients of ``y = X b + u`` by weighted least squares on partialled-out data.

    Attributes
    ----------
    coef : (K,)
    bread : (K, K), inverse of ``X' W X``
    X : (N, K), regressors with the fixed effects taken out; for instrumental variables their fitted values on the
        instruments; for Poisson taken out with the working weights
    residuals : (N,), structural residuals; for Poisson the working residuals ``(y - mu) / mu``
    weights : (N,) or None; for Poisson the working weights ``mu`` times the prior weights
    """

    coef: FloatArray
    bread: FloatArray
    X: FloatArray
    residuals: FloatArray
    weights: FloatArray | None = None

    @cached_property
    def weighted_residuals(self) -> FloatArray:
        """(N,) ``w_i u_i``; the score of row i is ``x_i w_i u_i``."""
        return self.residuals if self.weights is None else self.weights * self.residuals


def linear_stats(
    n_obs: int, n_parameters: int, ssr: float, sst: float, sst_within: float | None, *, has_constant: bool = True
) -> dict[str, float]:
    """fixest's summary statistics of least squares.

    ``r2 = 1 - SSR/SST``; ``r2_adj``, the ratio times ``(N-1)/(N-K)``; ``r2_within``, SST after the fixed effects;
    ``rmse``, the root of SSR/N; ``loglik``, Gaussian with variance SSR/N.

    Parameters
    ----------
    n_parameters : K, absorbed effects counted
    ssr, sst, sst_within : sums of squares of residuals, of the outcome, and of the outcome after the effects (None
        without effects)
    """
    stats = {"r2": 1 - ssr / sst}
    if n_obs > n_parameters:
        stats["r2_adj"] = 1 - ssr / sst * (n_obs - has_constant) / (n_obs - n_parameters)
    if sst_within is not None:
        stats["r2_within"] = 1 - ssr / sst_within
    stats["rmse"] = float(np.sqrt(ssr / n_obs))
    if ssr > 0:
        stats["loglik"] = float(-n_obs / 2 * (np.log(2 * np.pi * ssr / n_obs) + 1))
    return stats
