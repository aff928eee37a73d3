r"""Likelihood of a stochastic frontier, on arrays: ``y = x'b + v - s h u`` with truncated normal ``u`` per group.

A group is what draws one ``u``: a row, or a unit whose rows share it. With ``e = y - x'b``, s 1 for a production
and -1 for a cost frontier, ``h`` the share of ``u`` that a row has, ``V`` and ``U`` the variances of noise
and of ``u`` before truncation at zero, ``m`` its mean before truncation, and over the T rows of a group

    A = sum e^2,  B = s sum h e,  C = sum h^2,  D = V + C U,
    u | e ~ N(mu, w^2), truncated at zero,  mu = (m V - B U) / D,  w^2 = V U / D,
    log L = -T/2 log(2 pi V) - 1/2 log(D / V) - log Phi(m / sqrt U) + log Phi(mu / w) - (A / V + m^2 / U - mu^2/w^2) / 2

(Battese and Coelli 1992, appendix; one row per group is Stevenson 1980, and with m = 0 Aigner, Lovell and Schmidt
1977). The search runs over ``log(V + U)`` and the logit of ``U / (V + U)``, on orthonormal regressors and y in units of
its residuals, so that neither starts nor stops hang on units of measure.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special
from scipy.linalg import block_diag
from scipy.optimize import minimize
from scipy.stats import norm
from statsmodels.tools.numdiff import approx_fprime

from econ.linear.fit import FloatArray, IntArray

MAX_STEPS = 100
_TOLERANCE = 1e-10  # of a step, in standard errors
_REACHED = 1e-4  # distance from the maximum, in standard errors, that rounding can leave
_SHARES = np.arange(0.1, 1.0, 0.2)  # of inefficiency in the variance, where searches start
_MEANS = (0.0, -1.0, 1.0)  # of inefficiency before truncation, in standard deviations of the residuals
_FLAT = 1e-10  # an eigenvalue of the information, relative to the largest, that is none


@dataclass(frozen=True, eq=False)
class FrontierData:
    """A frontier's rows, and what the groups draw.

    Attributes
    ----------
    y, X : (n,), (n, K)
    Z : (G, M), what the mean of ``u`` depends on; no column where it is zero
    group : (n,) codes of the groups
    age : (n,) periods until the last of the sample where ``h = exp(decay age)``, None where ``h = 1``
    sign : 1 for a production frontier, -1 for a cost frontier
    """

    y: FloatArray
    X: FloatArray
    Z: FloatArray
    group: IntArray
    age: FloatArray | None
    sign: int

    @cached_property
    def sizes(self) -> tuple[int, int, int]:
        """K, M, and 1 where there is a decay."""
        return self.X.shape[1], self.Z.shape[1], int(self.age is not None)

    @cached_property
    def rows(self) -> FloatArray:
        """(G,) rows of each group."""
        return np.bincount(self.group).astype(np.float64)

    def sums(self, values: FloatArray) -> FloatArray:
        """(G, ...) of values (n, ...) over the rows of each group."""
        flat = values.reshape(len(values), -1)
        columns = [np.bincount(self.group, column, len(self.rows)) for column in flat.T]
        return np.asarray(np.column_stack(columns).reshape(len(self.rows), *values.shape[1:]), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class FrontierFit:
    """A maximum.

    Attributes
    ----------
    coef : (P,) slopes (K), of the mean of ``u`` (M), ``V + U``, ``U / (V + U)``, and the decay where there is one
    inverse_information : (P, P), observed
    scores : (G, P)
    share : (n,) ``h``
    mean, scale : (G,) ``mu`` and ``w`` of ``u`` given the residuals
    loglik, loglik_none : at the maximum, and of least squares
    """

    coef: FloatArray
    inverse_information: FloatArray
    scores: FloatArray
    share: FloatArray
    mean: FloatArray
    scale: FloatArray
    loglik: float
    loglik_none: float


@dataclass(frozen=True, eq=False)
class FrontierFailure:
    """Where the search ended without a maximum.

    Attributes
    ----------
    share : of ``u`` in the variance
    mean : the average mean of ``u`` before truncation, in standard deviations of least-squares residuals
    skewness : of least-squares residuals, negative where inefficiency shows
    """

    share: float
    mean: float
    skewness: float


def fit_frontier(data: FrontierData) -> FrontierFit | FrontierFailure:
    """The highest maximum of the likelihood that searches from several starts find."""
    scaled, back, s, left = _standardised(data)
    with np.errstate(all="ignore"):  # where it ended is judged below
        ends = [_search(scaled, start) for start in _starts(scaled)]
        theta = _polished(scaled, min(ends, key=lambda end: end[1])[0])
        point, information = _evaluate(scaled, theta), _information(scaled, theta)
    n, (K, M, _) = len(data.y), data.sizes
    none = -n / 2 * (np.log(2 * np.pi) + 1)  # of least squares, on the scale of y over its residuals
    gradient = point.scores.sum(axis=0)
    reached = _is_definite(information) and gradient @ np.linalg.solve(information, gradient) < _REACHED**2
    if not reached or point.loglik <= none + 1e-8 * n:
        means = scaled.Z @ theta[K : K + M]
        skewness = data.sign * float(np.mean(left**3) / s**3)
        return FrontierFailure(float(special.expit(theta[K + M + 1])), float(means.mean()) if M else 0.0, skewness)
    total, share = np.exp(theta[K + M]) * s**2, special.expit(theta[K + M + 1])
    coef = np.concatenate([back @ theta[: K + M], [total, share], theta[K + M + 2 :]])
    jacobian = np.eye(len(theta))
    jacobian[: K + M, : K + M] = back
    jacobian[K + M, K + M], jacobian[K + M + 1, K + M + 1] = total, share * (1 - share)
    return FrontierFit(
        coef,
        jacobian @ np.linalg.inv(information) @ jacobian.T,
        point.scores @ np.linalg.inv(jacobian),
        point.share,
        s * point.mean,
        s * point.scale,
        float(point.loglik - n * np.log(s)),
        float(none - n * np.log(s)),
    )


def _is_definite(information: FloatArray) -> bool:
    if not np.isfinite(information).all():
        return False
    eigenvalues = np.linalg.eigvalsh(information)
    return bool(eigenvalues[0] > _FLAT * eigenvalues[-1])


# ---- the likelihood and its scores


@dataclass(frozen=True, eq=False)
class _Point:
    """Log likelihood and (G, P) scores at some parameters, and what is known of ``u`` there."""

    loglik: float
    scores: FloatArray
    share: FloatArray
    mean: FloatArray
    scale: FloatArray


def _evaluate(data: FrontierData, theta: FloatArray) -> _Point:
    K, M, decays = data.sizes
    total, share = np.exp(theta[K + M]), special.expit(theta[K + M + 1])
    V, U = total * special.expit(-theta[K + M + 1]), total * share
    m = data.Z @ theta[K : K + M]
    e = data.y - data.X @ theta[:K]
    h = np.ones(len(e)) if data.age is None else np.exp(theta[-1] * data.age)
    T, s = data.rows, data.sign
    A, B, C = data.sums(e**2), s * data.sums(h * e), data.sums(h**2)
    D = V + C * U
    root = np.sqrt(V * U * D)
    r, q = (m * V - B * U) / root, m / np.sqrt(U)
    parts = (
        -0.5 * T * np.log(2 * np.pi * V) - 0.5 * np.log(D / V) - special.log_ndtr(q) + special.log_ndtr(r)
        - 0.5 * (A / V + q**2 - r**2)
    )  # fmt: skip
    k, l_q = hazard(r) + r, hazard(q)
    l_B = -k * U / root
    l_C = -0.5 * U / D * (1 + k * r)
    l_m = k * V / root - l_q / np.sqrt(U) - m / U
    l_V = -0.5 * (T - 1) / V - 0.5 / D + 0.5 * A / V**2 + k * (m / root - 0.5 * r * (D + V) / (V * D))
    l_U = -0.5 * C / D + 0.5 * (l_q * q + q**2) / U - k * (B / root + 0.5 * r * (D + C * U) / (U * D))
    by_row = (e / V)[:, None] * data.X  # -2 e l_A with l_A = -1 / (2 V)
    scores = np.zeros((len(T), K + M + 2 + decays))
    scores[:, :K] = data.sums(by_row) - (s * l_B)[:, None] * data.sums(h[:, None] * data.X)
    scores[:, K : K + M] = l_m[:, None] * data.Z
    scores[:, K + M] = l_V * V + l_U * U
    scores[:, K + M + 1] = (l_U - l_V) * V * share
    if data.age is not None:
        moved = data.age * h
        scores[:, -1] = l_B * s * data.sums(e * moved) + l_C * 2 * data.sums(h * moved)
    return _Point(float(parts.sum()), scores, h, (m * V - B * U) / D, np.sqrt(V * U / D))


def hazard(x: FloatArray) -> FloatArray:
    """``phi(x) / Phi(x)``."""
    return np.asarray(np.exp(norm.logpdf(x) - special.log_ndtr(x)))


# ---- the search


def _standardised(data: FrontierData) -> tuple[FrontierData, FloatArray, float, FloatArray]:
    """Orthonormal columns, y over the size of its residuals; the way back for coefficients; that size; residuals."""
    Q, R = np.linalg.qr(data.X)
    Qz, Rz = np.linalg.qr(data.Z)
    n, G = np.sqrt(len(data.y)), np.sqrt(len(data.Z))
    left = data.y - Q @ (Q.T @ data.y)
    s = float(np.sqrt(np.mean(left**2)))
    back = block_diag(s * n * np.linalg.inv(R), s * G * np.linalg.inv(Rz))
    return FrontierData(data.y / s, Q * n, Qz * G, data.group, data.age, data.sign), back, s, left


def _starts(data: FrontierData) -> Iterator[FloatArray]:
    """Least squares, its constant moved by the mean of u, for several shares of u in the variance and means of u."""
    _, M, decays = data.sizes
    n = len(data.y)
    ones, constant = data.X.T @ np.ones(n) / n, data.Z.T @ np.ones(len(data.Z)) / len(data.Z)
    slopes = data.X.T @ data.y / n
    for share in _SHARES:
        for mean in _MEANS if M else (0.0,):
            total = 1 / (1 - 2 * share / np.pi)
            U = total * share
            q = mean / np.sqrt(U)
            expected = mean + np.sqrt(U) * float(hazard(np.array(q)))
            yield np.concatenate(
                [
                    slopes + data.sign * expected * ones,
                    mean * constant,
                    [np.log(total), special.logit(share)],
                    np.zeros(decays),
                ]
            )


def _search(data: FrontierData, start: FloatArray) -> tuple[FloatArray, float]:
    def minus(theta: FloatArray) -> tuple[float, FloatArray]:
        point = _evaluate(data, theta)
        gradient = -point.scores.sum(axis=0)
        fine = np.isfinite(point.loglik) and np.isfinite(gradient).all()
        return (-point.loglik, gradient) if fine else (np.inf, np.zeros(len(theta)))

    found = minimize(minus, start, jac=True, method="BFGS", options={"gtol": 1e-6 * len(data.y), "maxiter": 200})
    return np.asarray(found.x), float(found.fun)


def _information(data: FrontierData, theta: FloatArray) -> FloatArray:
    """(P, P) minus the Hessian, by central differences of the scores."""

    def gradient(at: FloatArray) -> FloatArray:
        return np.asarray(_evaluate(data, at).scores.sum(axis=0))

    H = -approx_fprime(theta, gradient, centered=True)
    return np.asarray((H + H.T) / 2)


def _polished(data: FrontierData, theta: FloatArray) -> FloatArray:
    """Newton steps to the maximum, as long as the likelihood rises."""
    here = _evaluate(data, theta)
    for _ in range(MAX_STEPS):
        information = _information(data, theta)
        if not _is_definite(information):
            return theta
        gradient = here.scores.sum(axis=0)
        step = np.linalg.solve(information, gradient)
        there = _evaluate(data, theta + step)
        if not there.loglik >= here.loglik - 1e-12 * abs(here.loglik):
            return theta
        theta, here = theta + step, there
        if gradient @ step < _TOLERANCE**2:
            break
    return theta
