"""Two-stage least squares on arrays, and the tests that go with instruments.

Notation: y (N,) on exogenous X (N, K) and endogenous Y (N, M), with excluded instruments Z (N, L), L >= M; fixed
effects are taken out of all of them beforehand. ``Moments`` is how a test learns the covariance the user chose: it
gives ``sum_g s_g s_g'`` of scores (N, q), s_g their sums over clusters (or rows, or kernel-weighted periods), or None
when errors are homoskedastic.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from econ.design.collinear import cross_products
from econ.errors import ModelError
from econ.linear.fit import FloatArray, LinearFit
from econ.linear.ols import fit_ols
from econ.text import Text

Moments = Callable[[FloatArray], FloatArray] | None


@dataclass(frozen=True, eq=False)
class IvFit:
    """Two-stage least squares.

    ``fit``: coefficients of (Y, X) with ``fit.X`` their fitted values and structural residuals; ``first_stage``: per
    column of Y its regression on (Z, X); ``design``: (N, M + K), (Y, X) as they are.
    """

    fit: LinearFit
    first_stage: tuple[LinearFit, ...]
    design: FloatArray


@dataclass(frozen=True)
class IvTest:
    """A test of the instruments; ``dof`` of F (two) or chi-squared (one)."""

    name: str
    statistic: float
    dof: tuple[float, ...]
    p_value: float
    note: Text | None = None


def fit_2sls(y: FloatArray, X: FloatArray, Y: FloatArray, Z: FloatArray, weights: FloatArray | None = None) -> IvFit:
    r"""Two-stage least squares of y on (Y, X) with instruments (Z, X).

    .. math:: \hat\beta = (\hat D'W\hat D)^{-1}\hat D'Wy, \quad D = (Y, X),\ \hat D = P_{(Z,X)} D,\ u = y - D\hat\beta

    Parameters
    ----------
    y : (N,);  X : (N, K), K may be 0;  Y : (N, M);  Z : (N, L);  weights : (N,) positive, or None

    References
    ----------
    Wooldridge (2010), Econometric Analysis of Cross Section and Panel Data, section 5.1.2.

    Examples
    --------
    >>> z = np.array([0.0, 0.0, 1.0, 1.0])
    >>> x = np.array([0.0, 2.0, 3.0, 5.0])
    >>> fit_2sls(2 * x, np.ones((4, 1)), x[:, None], z[:, None]).fit.coef.round(12)
    array([2., 0.])
    """
    if Z.shape[1] < Y.shape[1]:
        raise ModelError(
            f"The model is underidentified: {Y.shape[1]} endogenous regressors and {Z.shape[1]} usable instruments; "
            "give at least as many instruments, none of them spanned by the regressors and effects."
        )
    stacked = np.hstack((Z, X))
    first = tuple(fit_ols(column, stacked, weights) for column in Y.T)
    fitted = np.column_stack([column - stage.residuals for column, stage in zip(Y.T, first, strict=True)])
    second = fit_ols(y, _fortran(fitted, X), weights)
    design = _fortran(Y, X)
    fit = LinearFit(second.coef, second.bread, second.X, y - design @ second.coef, weights)
    return IvFit(fit, first, design)


def weak_identification(
    X: FloatArray,
    Y: FloatArray,
    Z: FloatArray,
    weights: FloatArray | None,
    moments: Moments,
    *,
    n_absorbed: int,
    n_clusters: int | None,
) -> tuple[IvTest, ...]:
    r"""Cragg and Donald's F, and Kleibergen and Paap's rk tests of underidentification (LM) and weak instruments
    (Wald F).

    With X taken out, Q_z and Q_y orthonormal bases of Z and Y, and ``U S V'`` the singular value decomposition of
    ``Q_z'Q_y``: the smallest canonical correlation s has direction ``e = Q_y v_M``, and the null rank M - 1 leaves
    the instruments ``Q_z U_M...U_L``. The rk statistic is the robust score test that these L - M + 1 instruments have
    no correlation with e: ``g' Omega^-1 g``, ``g = Z*'e``, with Omega from ``Z* e`` (LM) or from ``Z*`` times e's
    residual on Z (Wald). Homoskedastic, they are Anderson's ``N s^2`` and Cragg-Donald's ``N s^2/(1 - s^2)``.

    Small-sample forms are those of Stata's ivreg2: F = Wald/N x (N - L - K - effects)/L, clustered also (G-1)/G and N
    - 1 for N.

    References
    ----------
    Kleibergen and Paap (2006), Journal of Econometrics 133, eq. (20)-(23); Cragg and Donald (1993), Econometric
    Theory 9; Baum, Schaffer and Stillman (2007), Stata Journal 7(4), section 7.
    """
    root = None if weights is None else np.sqrt(weights)
    Y, Z, n_obs = _partial_out(X, Y, root), _partial_out(X, Z, root), len(Y)
    Qz, Qy = np.linalg.qr(Z)[0], np.linalg.qr(Y)[0]
    U, s, Vt = np.linalg.svd(Qz.T @ Qy)
    n_endogenous, n_instruments = Y.shape[1], Z.shape[1]
    smallest = float(s[n_endogenous - 1])
    _refuse_unidentified(smallest)
    e, instruments = Qy @ Vt[-1], Qz @ U[:, n_endogenous - 1 :]
    residual = e - Qz @ (Qz.T @ e)
    dof = n_instruments - n_endogenous + 1
    free = n_obs - n_instruments - X.shape[1] - n_absorbed
    unexplained = 1 - smallest**2
    cragg_donald = smallest**2 / unexplained * free / n_instruments if unexplained > 1e-14 else np.inf
    lm = _quadratic(instruments, e, e, moments)
    wald = _quadratic(instruments, e, residual, moments)
    scale = free / n_obs if n_clusters is None else free / (n_obs - 1) * (n_clusters - 1) / n_clusters
    return (
        IvTest("cragg_donald", cragg_donald, (float(n_instruments), float(free)), np.nan, _STOCK_YOGO),
        IvTest("kleibergen_paap_lm", lm, (float(dof),), float(chdtrc(dof, lm))),
        IvTest(
            "kleibergen_paap", wald * scale / n_instruments, (float(n_instruments), float(free)), np.nan, _STOCK_YOGO
        ),
    )


def overidentification(
    iv: IvFit, X: FloatArray, Z: FloatArray, weights: FloatArray | None, moments: Moments
) -> IvTest | None:
    r"""Sargan's test (homoskedastic) or Hansen's J (robust, clustered); None when the model is just identified.

    .. math:: N\, u'P_Z u / u'u, \qquad J = \min_\beta\, g(\beta)'\hat\Omega^{-1} g(\beta),\ g(\beta) = Z'W(y - D\beta)

    with Omega the covariance of the moments at the two-stage estimate, so J is that of two-step efficient GMM, as
    ivreg2 reports it. Both are chi-squared with L - M degrees of freedom.

    References
    ----------
    Sargan (1958), Econometrica 26; Hansen (1982), Econometrica 50, Lemma 4.2.
    """
    dof = Z.shape[1] - len(iv.first_stage)
    if dof == 0:
        return None
    stacked, u = np.hstack((Z, X)), iv.fit.residuals
    if moments is None:
        left = fit_ols(u, stacked, weights).residuals
        total = _dot(u, u, weights)
        statistic = len(u) * (1 - _dot(left, left, weights) / total)
        return IvTest("sargan", statistic, (float(dof),), float(chdtrc(dof, statistic)))
    root = _whitener(moments(stacked * iv.fit.weighted_residuals[:, None]), stacked.shape[1])
    if root is None:
        return IvTest("hansen", np.nan, (float(dof),), np.nan, _FEW_CLUSTERS)
    g = root @ cross_products(stacked, u[:, None], weights)[:, 0]
    G = root @ cross_products(stacked, iv.design, weights)
    step = np.linalg.lstsq(G, g, rcond=None)[0]
    statistic = float(np.sum((g - G @ step) ** 2))
    return IvTest("hansen", statistic, (float(dof),), float(chdtrc(dof, statistic)))


def control_function(y: FloatArray, iv: IvFit, weights: FloatArray | None) -> LinearFit:
    """OLS of y on (first-stage residuals, Y, X); the first have no effect if Y is exogenous (Wu 1973; Hausman 1978)."""
    residuals = np.column_stack([stage.residuals for stage in iv.first_stage])
    return fit_ols(y, _fortran(residuals, iv.design), weights)


# ---- helpers

_STOCK_YOGO: Text = {
    "en": "compare with Stock and Yogo's (2005) critical values; it has no p-value",
    "zh": "请与 Stock 和 Yogo（2005）的临界值比较，无 p 值",
}
_FEW_CLUSTERS: Text = {
    "en": "not computed: fewer clusters than instruments, the moments' covariance is singular",
    "zh": "未计算：聚类数少于工具变量数，矩条件的协方差奇异",
}


def _refuse_unidentified(smallest: float) -> None:
    if smallest < 1e-7:
        raise ModelError(
            "The model is underidentified: given the other regressors and effects, the instruments do not move some "
            "combination of the endogenous regressors. Use other instruments."
        )


def _partial_out(X: FloatArray, columns: FloatArray, root: FloatArray | None) -> FloatArray:
    """Residuals of (weighted) columns (N, q) on X, times the root of the weights."""
    scaled = columns if root is None else columns * root[:, None]
    if not X.shape[1]:
        return scaled
    basis = np.linalg.qr(X if root is None else X * root[:, None])[0]
    left = scaled - basis @ (basis.T @ scaled)
    return np.asarray(left - basis @ (basis.T @ left))


def _quadratic(Z: FloatArray, e: FloatArray, residual: FloatArray, moments: Moments) -> float:
    """``g' Omega^-1 g`` with ``g = Z'e`` and Omega from scores ``Z residual``; NaN where Omega is singular."""
    g = Z.T @ e
    if moments is None:
        return float(len(e) * (g @ g) / (residual @ residual))
    root = _whitener(moments(Z * residual[:, None]), Z.shape[1])
    return np.nan if root is None else float(np.sum((root @ g) ** 2))


def _whitener(S: FloatArray, size: int) -> FloatArray | None:
    """A root R of the inverse, ``R S R' = I``; None when S is singular."""
    d = np.sqrt(np.diag(S).clip(min=0))
    if not (d > 0).all():
        return None
    values, vectors = np.linalg.eigh(S / np.outer(d, d))
    if values[0] < 1e-12 * size:
        return None
    return np.asarray((vectors / np.sqrt(values)).T / d)


def _dot(a: FloatArray, b: FloatArray, weights: FloatArray | None) -> float:
    return float(a @ (b if weights is None else weights * b))


def _fortran(left: FloatArray, right: FloatArray) -> FloatArray:
    """The two side by side, column by column in memory."""
    out = np.empty((len(left), left.shape[1] + right.shape[1]), order="F")
    out[:, : left.shape[1]] = left
    out[:, left.shape[1] :] = right
    return out
