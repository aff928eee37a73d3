"""A multivariate normal vector within a rectangle: how likely it is, and its mean given that it is there."""

import numpy as np
from scipy import special

from econ.did.points import cube_points
from econ.linear.fit import FloatArray

POINTS = 13  # 2^13 quasi-random points


def rectangle_probability(mean: FloatArray, vcov: FloatArray, low: FloatArray, high: FloatArray) -> float:
    """``P(low <= X <= high)``, ``X ~ N(mean, vcov)``.

    Genz's (1992) transformation to an integral over the unit cube of one dimension less, over a scrambled Sobol
    sequence that is the same on every call; exact in one dimension, with an error near 1e-6 in up to five and near 1e-4
    in ten to twenty.

    Parameters
    ----------
    mean, low, high : (d,)
    vcov : (d, d), positive definite

    Examples
    --------
    >>> one = np.ones(2)
    >>> round(rectangle_probability(np.zeros(2), np.eye(2), -1.96 * one, 1.96 * one), 4)
    0.9025
    """
    d = len(mean)
    L = np.linalg.cholesky(vcov)
    w = cube_points(d - 1, POINTS) if d > 1 else np.zeros((1, 0))
    z = np.zeros((len(w), d))
    product = np.ones(len(w))
    for i in range(d):
        centre = mean[i] + z[:, :i] @ L[i, :i]
        below, above = (special.ndtr((end - centre) / L[i, i]) for end in (low[i], high[i]))
        product *= above - below
        if i < d - 1:
            z[:, i] = special.ndtri(np.clip(below + w[:, i] * (above - below), 1e-300, 1 - 1e-16))
    return float(product.mean())


def rectangle_tilt(mean: FloatArray, vcov: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """(d,) ``q`` such that ``E[Y | low <= X <= high] = E[Y] + Cov(Y, X) q`` for X and any Y jointly normal with it.

    ``q_k = (f_k(low_k) - f_k(high_k)) / P(rectangle)``, ``f_k(x)`` the density of ``X_k`` at x times the probability of
    the rest of the rectangle given ``X_k = x`` (Tallis 1961; Manjunath and Wilhelm 2021).
    """
    faces = [[_face(mean, vcov, low, high, k, end[k]) for end in (low, high)] for k in range(len(mean))]
    q: FloatArray = -np.diff(faces, axis=1)[:, 0] / rectangle_probability(mean, vcov, low, high)
    return q


def _face(mean: FloatArray, vcov: FloatArray, low: FloatArray, high: FloatArray, k: int, x: float) -> float:
    """Density of ``X_k`` at x times the probability of the rest of the rectangle given it."""
    s = float(np.sqrt(vcov[k, k]))
    density = float(np.exp(-(((x - mean[k]) / s) ** 2) / 2) / (s * np.sqrt(2 * np.pi)))
    if len(mean) == 1:
        return density
    rest = np.delete(np.arange(len(mean)), k)
    loading = vcov[rest, k] / vcov[k, k]
    given = vcov[np.ix_(rest, rest)] - np.outer(loading, vcov[k, rest])
    return density * rectangle_probability(mean[rest] + loading * (x - mean[k]), given, low[rest], high[rest])
