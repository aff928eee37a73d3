"""The frozen result of every linear (or iteratively linear) fit: what a covariance needs, nothing else."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
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
