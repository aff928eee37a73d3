"""Covariances from estimating again: with treatment handed out anew, and with one unit left out at a time."""

import numpy as np

from econ.errors import ModelError
from econ.inference.covariance import Covariance
from econ.inference.influence import UnitInfluence
from econ.linear.fit import FloatArray


def reassignment_covariance(estimates: FloatArray, n_units: int, words: tuple[str, str]) -> Covariance:
    """Covariance of estimates under other assignments of a treatment that had no effect on those treated.

    ``sum_b (theta_b - mean)(theta_b - mean)' / B`` (Arkhangelsky, Athey, Hirshberg, Imbens and Wager 2021, Algorithm
    4). It is that of the estimator if outcomes vary alike among the treated and among the units that treatment is
    handed out to. t statistics have ``n_units - 1`` degrees of freedom, as the variance rests on that many units.

    Parameters
    ----------
    estimates : (B, K)
    n_units : units among which treatment was handed out
    words : how, in English and Chinese

    Examples
    --------
    >>> reassignment_covariance(np.array([[-1.0], [1.0]]), 2, ("", "")).matrix
    array([[1.]])
    """
    if len(estimates) < 2:
        raise ModelError(
            f"{len(estimates)} other assignment of the treatment is no ground for a variance; give more control units."
        )
    deviations = estimates - estimates.mean(axis=0)
    dof = n_units - 1
    said = f"{words[0]}; t({dof})", f"{words[1]}；t({dof})"
    return Covariance(
        deviations.T @ deviations / len(estimates), np.full(estimates.shape[1], float(dof)), (), *said, 1.0
    )


def jackknife_covariance(estimates: FloatArray, words: tuple[str, str]) -> tuple[Covariance, UnitInfluence]:
    """Covariance from the estimates without one unit each, and the influences of the units that add up to it.

    ``(n-1)/n sum_i (theta_(i) - mean)(theta_(i) - mean)'``, with n - 1 degrees of freedom.

    Parameters
    ----------
    estimates : (n, K), the i-th without unit i
    words : what was left out and what was held fixed, in English and Chinese

    Examples
    --------
    >>> x = np.array([1.0, 2.0, 6.0])  # of a mean: the usual s^2 / n
    >>> without = (x.sum() - x) / 2
    >>> round(float(jackknife_covariance(without[:, None], ("", ""))[0].matrix[0, 0]), 6)
    2.333333
    >>> round(float(x.var(ddof=1) / 3), 6)
    2.333333
    """
    n = len(estimates)
    influence = UnitInfluence(np.sqrt((n - 1) / n) * (estimates.mean(axis=0) - estimates))
    said = f"{words[0]}, {n} units, (n-1)/n; t({n - 1})", f"{words[1]}，{n} 个单元，(n-1)/n；t({n - 1})"
    return Covariance(influence.gram(), np.full(estimates.shape[1], float(n - 1)), (n,), *said, 1.0), influence
