"""The bias of the within estimator with a lagged outcome, on arrays (Kiviet 1995; Bun and Kiviet 2003; Bruno 2005)."""

import numpy as np

from econ.linear.fit import FloatArray, IntArray


def within_bias(W: FloatArray, length: IntArray, gamma: float, sigma2: float) -> FloatArray:
    r"""Bias of least squares on ``y_it = gamma y_{i,t-1} + x_it'beta + eta_i + e_it`` about unit means, by order.

    With ``A`` taking out unit means, ``L`` the lag, ``Gamma = (I - gamma L)^{-1}``, ``P = A L Gamma`` (each block
    diagonal over units), ``S = W'AW`` of the expected regressors, ``Q = (S + sigma^2 tr(P'P) e_1 e_1')^{-1}``,
    ``q = Q e_1`` and ``q_1`` its first element, Bruno (2005, eqs. 6 to 8):

    .. math::
        c_1 &= \sigma^2 \mathrm{tr}(P)\, q, \\
        c_2 &= -\sigma^2 \left( Q W'PAW + \mathrm{tr}(Q W'PAW) I + 2 \sigma^2 q_1 \mathrm{tr}(P'PP) I \right) q, \\
        c_3 &= \sigma^4 \mathrm{tr}(P) \left( 2 q_1 Q W'PP'W q + \left( q'W'PP'W q + q_1 \mathrm{tr}(Q W'PP'W)
            + 2 \sigma^2 q_1^2 \mathrm{tr}(P'PP'P) \right) q \right)

    of order 1/T, 1/(NT) and 1/(NT^2). The last term of ``c_3`` carries the ``sigma^2`` that makes the bias of ``gamma``
    free of the outcome's unit of measure; simulated bias agrees, also where sigma is not one.

    Parameters
    ----------
    W : (N, T, K) regressors, the lagged outcome first, at what they are expected to be given effects, x and the first
        outcome; a unit's rows come first, zero after them
    length : (N,) rows of each unit
    gamma, sigma2 : coefficient of the lag, variance of e

    Returns
    -------
    (3, K) ``c_1``, ``c_1 + c_2``, ``c_1 + c_2 + c_3``.

    Examples
    --------
    >>> W = np.arange(8.0).reshape(2, 4, 1) ** 0.5
    >>> within_bias(W, np.array([4, 4]), 0.5, 1.0).shape
    (3, 1)
    """
    K = W.shape[2]
    S, WPAW, WPPW = np.zeros((K, K)), np.zeros((K, K)), np.zeros((K, K))
    P1 = P2 = PPP = P4 = 0.0  # traces of P, P'P, P'PP, P'PP'P
    for T in np.unique(length):
        own, n = W[length == T, : int(T)], int((length == T).sum())
        A, lag = np.eye(int(T)) - 1 / T, np.eye(int(T), k=-1)
        P = A @ lag @ np.linalg.inv(np.eye(int(T)) - gamma * lag)
        S += _form(own, A)
        WPAW += _form(own, P @ A)
        WPPW += _form(own, P @ P.T)
        P1 += n * np.trace(P)
        P2 += n * np.sum(P**2)
        PPP += n * np.trace(P.T @ P @ P)
        P4 += n * np.sum((P.T @ P) ** 2)
    first = np.zeros(K)
    first[0] = 1.0
    Q = np.linalg.inv(S + sigma2 * P2 * np.outer(first, first))
    q, M = Q[:, 0], Q @ WPAW
    c1 = sigma2 * P1 * q
    c2 = -sigma2 * (M @ q + (np.trace(M) + 2 * sigma2 * q[0] * PPP) * q)
    inner = q @ WPPW @ q + q[0] * np.trace(Q @ WPPW) + 2 * sigma2 * q[0] ** 2 * P4
    c3 = sigma2**2 * P1 * (2 * q[0] * Q @ WPPW @ q + inner * q)
    return np.cumsum([c1, c2, c3], axis=0)


def _form(W: FloatArray, M: FloatArray) -> FloatArray:
    return np.asarray(np.einsum("itk,ts,isl->kl", W, M, W, optimize=True))
