"""Specification tests of dynamic panel models: serial correlation, overidentification, subsets of instruments."""

from collections.abc import Iterator

import numpy as np
from scipy.special import chdtrc, ndtr

from econ.data.transform import shift_rows
from econ.errors import ModelError
from econ.estimate import Test
from econ.growth.dynamic_fit import DynamicFit, Step
from econ.linear.fit import BoolArray, FloatArray
from econ.linear.gmm import fit_gmm, inverse_root
from econ.text import Text

ORDERS = (1, 2)
LEVEL_SET = "level equation"


def specification_tests(fit: DynamicFit, step: Step, vcov: FloatArray) -> tuple[Test, ...]:
    """AR(1), AR(2), Sargan, Hansen and difference-in-Hansen; ``step`` and ``vcov`` are those reported."""
    return (*(serial_correlation(fit, step, vcov, order) for order in ORDERS), sargan(fit), *hansen_tests(fit))


def serial_correlation(fit: DynamicFit, step: Step, vcov: FloatArray, order: int) -> Test:
    r"""Arellano and Bond's m test of autocorrelation in the differenced residuals; normal under the null.

    .. math:: m_j = \frac{\sum_i w_{i,-j}'w_i}{\sqrt{\sum_i a_i^2 - 2\, w_{-j}'X P \sum_i g_i a_i + w_{-j}'X V
        X'w_{-j}}}, \qquad a_i = w_{i,-j}'w_i

    with w the residuals in first differences whatever the transform, X differenced, ``P g_i`` the influence of unit i
    on the coefficients and V their reported covariance. Differenced errors have autocorrelation of order 1 by
    construction; of order 2 only if errors in levels are correlated. Pairs are j periods of the calendar apart.

    References
    ----------
    Arellano and Bond (1991), Review of Economic Studies 58, eq. (8)-(10) and appendix.
    """
    equation = fit.stack.differences
    unit = fit.stack.unit[equation.level]
    X = equation.operator @ fit.X
    w = equation.operator @ fit.y - X @ step.fit.coef
    before = shift_rows(unit, equation.date, order)
    lagged = np.where(before >= 0, w[before], 0.0) if len(w) else w
    codes = np.searchsorted(np.unique(fit.stack.unit[fit.stack.level]), unit)
    a = np.bincount(codes, lagged * w, minlength=fit.n_units)
    slope = X.T @ lagged
    variance = a @ a - 2 * slope @ step.fit.projection @ (step.moments.T @ a) + slope @ vcov @ slope
    if not (before >= 0).any():
        return _none(f"ar{order}", np.nan, _no_pairs(order))
    if not variance > 0:
        return _none(f"ar{order}", np.nan, _NEGATIVE)
    statistic = float(a.sum() / np.sqrt(variance))
    return Test(f"ar{order}", statistic, (), float(2 * ndtr(-abs(statistic))))


def sargan(fit: DynamicFit) -> Test:
    """``g'W^-1 g / s2`` of the first step, W its weight matrix, s2 of the residuals of the transformed equation.

    Chi-squared only where the weight matrix is right: independent errors with equal variances, and no levels equation.
    """
    dof = fit.ZX.shape[0] - fit.ZX.shape[1]
    if dof == 0:
        return _none("sargan", 0.0, _JUST_IDENTIFIED)
    statistic = fit.first.fit.distance(fit.first.g) / fit.error_variance
    return Test("sargan", statistic, (float(dof),), float(chdtrc(dof, statistic)))


def hansen_tests(fit: DynamicFit) -> Iterator[Test]:
    """Hansen's J of the second step, robust to heteroskedasticity, then that of every set of instruments alone.

    The difference for a set is J less the J without the set, both with the same estimate of the moments' covariance so
    that it is never negative (Hayashi 2000, section 3.6). In the system, "level equation" is the set of all GMM-style
    instruments in levels.
    """
    L, K = fit.ZX.shape
    names = list(dict.fromkeys(block.name for block in fit.matrix.blocks if block.style != "effects"))
    if LEVEL_SET not in names and fit.stack.system:
        names.insert(0, LEVEL_SET)
    reason = _JUST_IDENTIFIED if L == K else None
    if fit.optimal_root.rank < L:
        reason = _singular(L, fit.n_units)
    if reason is not None:
        yield _none("hansen", float(L - K), reason)
        return
    J = fit.second.fit.distance(fit.second.g)
    yield Test("hansen", J, (float(L - K),), float(chdtrc(L - K, J)))
    for name in names:
        chosen = _chosen(fit, name)
        if chosen.any() and not chosen.all():
            yield _difference(fit, name, ~chosen, J)


def _chosen(fit: DynamicFit, name: str) -> BoolArray:
    if name != LEVEL_SET:
        return fit.matrix.columns_of(name)
    blocks = [block.style == "GMM" and block.equation == "level" for block in fit.matrix.blocks]
    return np.array(blocks, dtype=np.bool_)[fit.matrix.owner]


def _difference(fit: DynamicFit, name: str, keep: BoolArray, J: float) -> Test:
    dof = float((~keep).sum())
    label = f"diff_hansen: {name}"
    try:
        rest = fit_gmm(fit.ZX[keep], fit.Zy[keep], inverse_root(fit.optimal_weight[np.ix_(keep, keep)]))
    except ModelError:
        return _none(label, dof, _NEEDED)
    statistic = max(J - rest.distance(fit.Zy[keep] - fit.ZX[keep] @ rest.coef), 0.0)
    return Test(label, statistic, (dof,), float(chdtrc(dof, statistic)))


# ---- why there is none


def _none(name: str, dof: float, reason: Text) -> Test:
    return Test(name, np.nan, (dof,) if np.isfinite(dof) else (), np.nan, reason)


_JUST_IDENTIFIED: Text = {
    "en": "not computed: as many instruments as coefficients",
    "zh": "未计算：工具变量数等于系数个数",
}
_NEEDED: Text = {
    "en": "not computed: without this set the coefficients are not identified",
    "zh": "未计算：去掉该组工具变量后系数不可识别",
}
_NEGATIVE: Text = {
    "en": "not computed: the estimated variance of the autocovariance is not positive",
    "zh": "未计算：自协方差的方差估计非正",
}


def _no_pairs(order: int) -> Text:
    return {
        "en": f"not computed: no unit has differences {order} period{'s' * (order > 1)} apart",
        "zh": f"未计算：没有相隔 {order} 期的差分",
    }


def _singular(L: int, n_units: int) -> Text:
    return {
        "en": f"not computed: the covariance of {L} moments of {n_units} units is singular",
        "zh": f"未计算：{n_units} 个个体的 {L} 个矩条件的协方差矩阵奇异",
    }
