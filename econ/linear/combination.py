"""Sums of coefficients that were estimated on overlapping parts of one sample."""

from collections.abc import Sequence

import numpy as np

from econ.linear.fit import BoolArray, FloatArray, LinearFit


def combine_fits(fits: Sequence[LinearFit], members: Sequence[BoolArray], weights: FloatArray) -> LinearFit:
    r"""``sum_b w_b coef_b`` as one fit on all rows, whose covariances are those of the sum.

    .. math:: \psi_i = \sum_b w_b 1\{i \in b\} \left(\sum_{j \in b} x_{bj} x_{bj}'\right)^{-1} x_{bi} u_{bi}

    is what row i adds to the sum. The fit's scores are these influences, so that whatever adds scores up over clusters,
    periods or places counts a row once and lets its parts in the blocks correlate.

    Parameters
    ----------
    fits : B fits with K coefficients each, unweighted
    members : B flags (n,) of the rows that each fit used, in order
    weights : (B,)

    Examples
    --------
    >>> from econ.linear.ols import fit_ols
    >>> y, X, every = np.array([1.0, 2.0, 6.0]), np.ones((3, 1)), np.ones(3, dtype=bool)
    >>> combine_fits([fit_ols(y, X), fit_ols(y, X)], [every, every], np.array([2.0, -1.0])).coef
    array([3.])
    """
    influence = np.zeros((len(members[0]), len(fits[0].coef)))
    for fit, rows, weight in zip(fits, members, weights, strict=True):
        influence[rows] += weight * (fit.X * fit.residuals[:, None]) @ fit.bread
    scale = np.sum(influence**2, axis=0)
    scale[scale == 0] = 1.0
    coef = sum(weight * fit.coef for fit, weight in zip(fits, weights, strict=True))
    return LinearFit(np.asarray(coef), np.diag(scale), influence / scale, np.ones(len(influence)))
