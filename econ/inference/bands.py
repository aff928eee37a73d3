"""Simultaneous confidence bands: one critical value that all coefficients of a set respect together."""

import numpy as np

from econ.linear.fit import FloatArray
from econ.options import check_draws, check_level


def sup_t(vcov: FloatArray, dof: float, level: float = 0.95, draws: int = 9999, seed: int = 1) -> float:
    """Critical value of ``max_k |t_k|``.

    The quantile ``level`` of ``max_k |z_k|`` with z normal with the correlation of ``vcov``, divided by
    ``sqrt(chi2(dof)/dof)`` where ``dof`` is finite (the multivariate t of Montiel Olea and Plagborg-Moller 2019,
    section 2, with a common denominator). Coefficients with a variance of zero are left out.

    Parameters
    ----------
    vcov : (K, K)
    dof : degrees of freedom, infinite for the normal distribution
    draws, seed : of the simulation; the value is a deterministic function of both

    Examples
    --------
    >>> round(sup_t(np.eye(1), np.inf, draws=99_999), 1)
    2.0
    """
    check_level(level)
    check_draws(draws, seed, 99)
    s = np.sqrt(np.diag(vcov).clip(min=0.0))
    V = vcov[np.ix_(s > 0, s > 0)] / np.outer(s[s > 0], s[s > 0])
    eigenvalues, U = np.linalg.eigh(V)
    root = U * np.sqrt(eigenvalues.clip(min=0.0))
    rng = np.random.default_rng(seed)
    largest: FloatArray = np.abs(root @ rng.standard_normal((len(V), draws))).max(axis=0)
    if np.isfinite(dof):
        largest = largest / np.sqrt(rng.chisquare(dof, draws) / dof)
    return float(np.quantile(largest, level))
