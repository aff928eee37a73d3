"""Every standard error of this package: covariance = bread x meat(scores, groups) x bread, times a named factor.

Specifications (:func:`cluster`, :func:`hetero`, ...) come from :mod:`econ.inference.specs`; the meats from
:mod:`econ.inference.meat` and :mod:`econ.inference.bias_reduced`; what factors count from :mod:`econ.inference.layout`.
The defaults are those of fixest (``ssc(K.adj=TRUE, K.fixef="nonnested", G.adj=TRUE, G.df="min")``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from econ.errors import DataError, ModelError, OptionError
from econ.inference.bias_reduced import BiasReduced, bias_reduced
from econ.inference.layout import Layout, count_parameters, crossed_codes, group_codes, small_sample_factor
from econ.inference.meat import (
    cluster_meat,
    conley_meat,
    diagonal_meat,
    driscoll_kraay_meat,
    newey_west_meat,
    panel_corrected_meat,
)
from econ.inference.specs import (
    Cluster,
    Conley,
    DriscollKraay,
    Hetero,
    Iid,
    NeweyWest,
    PanelCorrected,
    Vcov,
    cluster,
    conley,
    driscoll_kraay,
    hetero,
    iid,
    newey_west,
    pcse,
    spec_from_json,
)
from econ.inference.words import (
    Words,
    cluster_words,
    conley_words,
    driscoll_kraay_words,
    hetero_words,
    iid_words,
    newey_west_words,
    pcse_words,
)
from econ.linear.fit import FloatArray, IntArray, LinearFit
from econ.text import Text

__all__ = [
    "Cluster",
    "Conley",
    "Covariance",
    "DriscollKraay",
    "Hetero",
    "Iid",
    "Layout",
    "NeweyWest",
    "PanelCorrected",
    "Vcov",
    "cluster",
    "conley",
    "contrast_dof",
    "covariance",
    "driscoll_kraay",
    "hetero",
    "iid",
    "newey_west",
    "pcse",
    "spec_from_json",
    "sum_scores",
]

_NO_VARIANCE = 1e-14  # of bread x residual variance, rounding: far below what any pattern of errors leaves


Notes = tuple[Text, ...]


@dataclass(frozen=True, eq=False)
class Covariance:
    """A covariance matrix and what a table note says about it.

    Attributes
    ----------
    matrix : (K, K)
    dof : (K,) degrees of freedom of the t distribution of each coefficient
    n_clusters : clusters by column, in the order asked for; empty when not clustered
    words_en, words_zh : the convention in words, for a table note
    factor : the small-sample factor on ``bread x meat x bread`` (1 when there is none)
    notes : what a reader should know
    """

    matrix: FloatArray
    dof: FloatArray
    n_clusters: tuple[int, ...]
    words_en: str
    words_zh: str
    factor: float
    notes: tuple[Text, ...] = ()

    @property
    def std_error(self) -> FloatArray:
        """(K,) square roots of the diagonal."""
        return np.sqrt(np.diag(self.matrix))


def covariance(spec: Vcov, fit: LinearFit, layout: Layout) -> Covariance:
    """Covariance of ``fit.coef`` under ``spec``.

    Parameters
    ----------
    spec : what to compute, from :func:`iid`, :func:`hetero`, :func:`cluster`, :func:`driscoll_kraay`,
        :func:`newey_west` or :func:`conley`; their docstrings have the equations
    fit : the fit, with N rows
    layout : clusters, periods, places and absorbed effects of the same N rows

    Raises
    ------
    ModelError : a variance is zero up to rounding, such as Driscoll-Kraay's with two periods and year effects

    Examples
    --------
    >>> X = np.column_stack((np.ones(6), [0.0, 1.0, 2.0, 3.0, 4.0, 6.0]))
    >>> y = np.array([1.0, 1.0, 2.0, 4.0, 3.0, 5.0])
    >>> bread = np.linalg.inv(X.T @ X)
    >>> coef = bread @ X.T @ y
    >>> fit = LinearFit(coef, bread, X, y - X @ coef)
    >>> by_firm = covariance(cluster("firm"), fit, Layout({"firm": np.array([0, 0, 1, 1, 2, 2])}))
    >>> by_firm.n_clusters, by_firm.words_en
    ((3,), 'Standard errors clustered by firm (3 clusters), CR1: G/(G-1) x (N-1)/(N-K); t(2)')
    """
    found = _computed(spec, fit, layout)
    _refuse_no_variance(spec, fit, found.matrix)
    return found


def sum_scores(spec: Vcov, scores: FloatArray, layout: Layout) -> FloatArray:
    """(q, q) the meat of (N, q) scores: their products summed over the pairs of rows that ``spec`` lets correlate."""
    if isinstance(spec, PanelCorrected):
        raise OptionError(
            "vcov=pcse() is not allowed with instruments: it is defined for least squares. Use driscoll_kraay(), or "
            "cluster() by the periods."
        )
    n_obs, q = scores.shape
    found = _computed(spec, LinearFit(np.zeros(q), np.eye(q), scores, np.ones(n_obs)), layout)
    return found.matrix / found.factor


def _computed(spec: Vcov, fit: LinearFit, layout: Layout) -> Covariance:
    match spec:
        case Iid():
            return _iid(fit, layout)
        case Hetero():
            return _hetero(spec, fit, layout)
        case Cluster() if spec.correction in ("CR0", "CR1"):
            return _clustered(spec, fit, layout)
        case Cluster():
            return _clustered_bias_reduced(spec, fit, layout)
        case DriscollKraay():
            return _driscoll_kraay(spec, fit, layout)
        case NeweyWest():
            return _newey_west(spec, fit, layout)
        case Conley():
            return _conley(spec, fit, layout)
        case PanelCorrected():
            return _panel_corrected(fit, layout)


def _refuse_no_variance(spec: Vcov, fit: LinearFit, matrix: FloatArray) -> None:
    """Refuse standard errors that are nothing but rounding, and the t statistics they would make."""
    scale = np.diag(fit.bread) * float(fit.residuals @ fit.weighted_residuals) / len(fit.residuals)
    none = np.flatnonzero(np.diag(matrix) < _NO_VARIANCE * scale)
    if none.size:
        raise ModelError(
            f"Standard errors, {spec}, are zero up to rounding for {none.size} of {len(scale)} coefficients (the first "
            f"is number {none[0] + 1}): the regressors and fixed effects make the errors cancel within every group of "
            "rows that this covariance adds up. Use another covariance, more clusters or periods, or fewer effects."
        )


def contrast_dof(spec: Vcov, fit: LinearFit, layout: Layout, contrast: FloatArray) -> float:
    """Degrees of freedom of the t test of ``contrast' b``: Satterthwaite's for CR2, else those of the coefficients.

    ``contrast`` is (K,), such as ``[1, -1, 0]`` for the difference of the first two coefficients.
    """
    if isinstance(spec, Cluster) and spec.correction == "CR2":
        return float(_bias_reduced(spec, fit, layout, np.asarray(contrast, dtype=np.float64)[:, None]).dof[0])
    return float(_computed(spec, fit, layout).dof[0])


def _iid(fit: LinearFit, layout: Layout) -> Covariance:
    n_obs, n_coef = fit.X.shape
    K = n_coef + layout.n_effects_rank
    factor = small_sample_factor(n_obs, K)
    dispersion = layout.dispersion
    if dispersion is None:
        dispersion = float(fit.residuals @ fit.weighted_residuals) / (n_obs - 1)
    words = iid_words(bool(layout.effects), layout.dispersion is not None)
    return _finish(fit.bread * dispersion, factor, n_obs - K, words)


def _hetero(spec: Hetero, fit: LinearFit, layout: Layout) -> Covariance:
    n_obs, n_coef = fit.X.shape
    K = n_coef + layout.n_effects_rank
    factor = small_sample_factor(n_obs, K) * n_obs / (n_obs - 1) if spec.correction == "HC1" else 1.0
    d = fit.weighted_residuals**2
    notes: Notes = ()
    if spec.correction in ("HC2", "HC3"):
        d, notes = _deflated(d, _leverage(fit, layout), 1 if spec.correction == "HC2" else 2)
    words = hetero_words(spec, bool(layout.effects))
    return _finish(_sandwich(fit, diagonal_meat(fit.X, d)), factor, n_obs - K, words, notes=notes)


def _leverage(fit: LinearFit, layout: Layout) -> FloatArray:
    """(N,) diagonal of the hat matrix of regressors and effects together."""
    h: FloatArray = np.einsum("ij,ij->i", fit.X @ fit.bread, fit.X)
    h = h if fit.weights is None else h * fit.weights
    if not layout.effects:
        return h
    if layout.leverage is None:
        raise ModelError(
            "HC2 and HC3 need the leverage of the absorbed effects, and it is not given; use hetero('HC1')."
        )
    return h + layout.leverage()


def _deflated(d: FloatArray, h: FloatArray, power: int) -> tuple[FloatArray, Notes]:
    """``d / (1 - h)^power``; rows fitted exactly (h = 1) have no residual and add nothing."""
    free = h < 1 - 1e-9
    n_exact = int(h.size - free.sum())
    exact: Text = {
        "en": f"{n_exact} rows with leverage 1 are fitted exactly and add nothing to the covariance.",
        "zh": f"{n_exact} 个观测的杠杆值为 1，被完全拟合，对协方差无贡献。",
    }
    deflated: FloatArray = np.where(free, d, 0.0) / np.where(free, 1 - h, 1.0) ** power
    return deflated, (exact,) if n_exact else ()


def _clustered(spec: Cluster, fit: LinearFit, layout: Layout) -> Covariance:
    """CR0 and CR1, any number of ways: ``sum over non-empty subsets (-1)^(|subset|+1) meat(intersection)``."""
    n_obs, n_coef = fit.X.shape
    groupings = [layout.codes(name) for name in spec.columns]
    n_clusters = tuple(n_groups for _, n_groups in groupings)
    G, factor, own = min(n_clusters), 1.0, spec.groups == "own"
    if spec.correction == "CR1":
        K = _count(spec, layout, n_coef, [codes for codes, _ in groupings])
        factor = small_sample_factor(n_obs, K) * (1.0 if own else G / (G - 1))
    meat = np.zeros((n_coef, n_coef))
    for size in range(1, len(groupings) + 1):
        for subset in combinations(groupings, size):
            codes, n_groups = crossed_codes(subset)
            term = cluster_meat(fit.X, fit.weighted_residuals, codes, n_groups)
            meat += (-1) ** (size + 1) * (n_groups / (n_groups - 1) if own else 1.0) * term
    matrix, notes = _positive_semidefinite(_sandwich(fit, meat), fit.bread)
    words = cluster_words(spec, n_clusters, bool(layout.effects))
    return _finish(matrix, factor, G - 1, words, n_clusters=n_clusters, notes=notes)


def _count(spec: Cluster, layout: Layout, n_coef: int, groupings: Sequence[IntArray]) -> int:
    match spec.effects_counted:
        case "nonnested":
            return count_parameters(layout, n_coef, groupings)
        case "all":
            return n_coef + layout.n_effects_rank
        case "none":
            return n_coef


def _clustered_bias_reduced(spec: Cluster, fit: LinearFit, layout: Layout) -> Covariance:
    result = _bias_reduced(spec, fit, layout, np.eye(fit.X.shape[1]))
    G = layout.codes(spec.columns[0])[1]
    notes: Notes = ()
    if result.n_saturated:
        saturated: Text = {
            "en": f"{result.n_saturated} of {G} clusters alone identify a coefficient or a combination of "
            f"coefficients; {spec.correction} cannot see their sampling error there.",
            "zh": f"{G} 个聚类中有 {result.n_saturated} 个单独识别某个系数或系数组合，"
            f"{spec.correction} 无法反映其抽样误差。",
        }
        notes = (saturated,)
    factor = (G - 1) / G if spec.correction == "CV3" else 1.0
    dof = result.dof if spec.correction == "CR2" else G - 1
    words = cluster_words(spec, (G,), bool(layout.effects))
    return _finish(_sandwich(fit, result.meat), factor, dof, words, n_clusters=(G,), notes=notes)


def _bias_reduced(spec: Cluster, fit: LinearFit, layout: Layout, contrasts: FloatArray) -> BiasReduced:
    groups, n_groups = layout.codes(spec.columns[0])
    return bias_reduced(fit, layout, groups, n_groups, 0.5 if spec.correction == "CR2" else 1.0, contrasts)


def _driscoll_kraay(spec: DriscollKraay, fit: LinearFit, layout: Layout) -> Covariance:
    n_obs, n_coef = fit.X.shape
    time = layout.periods("driscoll_kraay()")
    codes, T = group_codes(time - time.min(), "time")
    lags = _bandwidth(spec.lags, T)
    factor = 1.0
    if spec.small_sample:
        factor = T / (T - 1) * small_sample_factor(n_obs, count_parameters(layout, n_coef, [codes]))
    meat = driscoll_kraay_meat(fit.X, fit.weighted_residuals, time, codes, T, lags)
    words = driscoll_kraay_words(lags, T, spec.small_sample, bool(layout.effects))
    return _finish(_sandwich(fit, meat), factor, T - 1, words)


def _newey_west(spec: NeweyWest, fit: LinearFit, layout: Layout) -> Covariance:
    n_obs, n_coef = fit.X.shape
    time, unit = layout.periods("newey_west()"), layout.units("newey_west()")
    codes, T = group_codes(time - time.min(), "time")
    lags = _bandwidth(spec.lags, T)
    K = count_parameters(layout, n_coef, [codes, group_codes(unit, "unit")[0]])
    factor = T / (T - 1) * small_sample_factor(n_obs, K)
    meat = newey_west_meat(fit.X, fit.weighted_residuals, unit, time, lags)
    return _finish(_sandwich(fit, meat), factor, T - 1, newey_west_words(lags, T, bool(layout.effects)))


def _bandwidth(lags: int | None, T: int) -> int:
    """The lags asked for, or ``floor(T^(1/4))``."""
    if T < 2:
        raise ModelError(
            f"The sample has {T} period; a covariance over time needs at least 2. Use cluster() or hetero()."
        )
    if lags is None:
        return int(np.floor(T**0.25 + 1e-12))
    if lags >= T:
        raise OptionError(f"lags={lags} is not allowed with {T} periods; choose a number from 0 to {T - 1}.")
    return lags


def _conley(spec: Conley, fit: LinearFit, layout: Layout) -> Covariance:
    n_obs, n_coef = fit.X.shape
    lon = _degrees(layout.column(spec.lon), spec.lon, -180.0, 360.0)
    lat = _degrees(layout.column(spec.lat), spec.lat, -90.0, 90.0)
    places = np.unique(lat + 1j * lon, return_inverse=True)[1].reshape(-1)
    K = count_parameters(layout, n_coef, [places] if spec.periods == "all" else [])
    factor = small_sample_factor(n_obs, K)
    meat = np.zeros((n_coef, n_coef))
    for rows in _same_period(layout) if spec.periods == "same" else [np.arange(n_obs)]:
        v = fit.weighted_residuals[rows]
        bartlett = spec.kernel == "bartlett"
        meat += conley_meat(fit.X[rows], v, lon[rows], lat[rows], spec.cutoff_km, bartlett=bartlett)
    matrix, notes = _positive_semidefinite(_sandwich(fit, meat), fit.bread)
    words = conley_words(spec, n_obs - K, bool(layout.effects))
    return _finish(matrix, factor, n_obs - K, words, notes=notes)


def _same_period(layout: Layout) -> list[IntArray]:
    time = layout.periods("conley(periods='same')")
    order = np.argsort(time, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(time[order])) + 1)


def _degrees(values: FloatArray, name: str, low: float, high: float) -> FloatArray:
    values = np.asarray(values, dtype=np.float64)
    bad = int(np.sum(~((values >= low) & (values <= high))))
    if bad:
        raise DataError(
            f"Column {name!r} is missing or outside [{low:g}, {high:g}] degrees in {bad} of {values.size} rows; give "
            "longitude and latitude in decimal degrees."
        )
    return values


def _panel_corrected(fit: LinearFit, layout: Layout) -> Covariance:
    n_obs, n_coef = fit.X.shape
    K = n_coef + layout.n_effects_rank
    small_sample_factor(n_obs, K)
    if layout.dispersion is not None:
        raise OptionError("vcov=pcse() is not allowed with a Poisson regression; use cluster() or driscoll_kraay().")
    time, unit = layout.periods("pcse()"), layout.units("pcse()")
    periods, T = group_codes(time - time.min(), "time")
    units, N = group_codes(unit, "unit")
    meat, n_apart = panel_corrected_meat(fit.X, fit.residuals, fit.weights, units, N, periods, T)
    matrix, notes = _positive_semidefinite(_sandwich(fit, meat), fit.bread)
    return _finish(matrix, 1.0, n_obs - K, pcse_words(N, T, n_obs - K), notes=(*_few_periods(N, T, n_apart), *notes))


def _few_periods(N: int, T: int, n_apart: int) -> Notes:
    """What a reader should know when variances and covariances of units rest on few periods."""
    notes: Notes = ()
    if T < N:
        short: Text = {
            "en": f"Panel-corrected standard errors estimate {N * (N + 1) // 2} variances and covariances of {N} units "
            f"from {T} periods; with fewer periods than units compare with Driscoll-Kraay.",
            "zh": f"面板校正标准误以 {T} 个时期估计 {N} 个个体的 {N * (N + 1) // 2} 个方差与协方差；"
            "时期少于个体时，宜与 Driscoll-Kraay 标准误对照。",
        }
        notes = (short,)
    if n_apart:
        apart: Text = {
            "en": f"{n_apart} pairs of units have no period in common and count as uncorrelated.",
            "zh": f"{n_apart} 对个体没有共同时期，视为不相关。",
        }
        notes = (*notes, apart)
    return notes


def _sandwich(fit: LinearFit, meat: FloatArray) -> FloatArray:
    V = fit.bread @ meat @ fit.bread
    return (V + V.T) / 2


def _positive_semidefinite(V: FloatArray, bread: FloatArray) -> tuple[FloatArray, Notes]:
    """Negative eigenvalues set to zero (Cameron, Gelbach and Miller 2011, section 2.3), with a note.

    fixest and reghdfe do this to V itself, so that their answer moves with the units of measure; here it is done to V
    in units in which the bread has a unit diagonal.
    """
    scale = np.sqrt(np.outer(np.diag(bread), np.diag(bread)))
    eigenvalues, U = np.linalg.eigh(V / scale)
    if eigenvalues[0] >= -1e-10 * abs(eigenvalues[-1]):
        return V, ()
    note: Text = {
        "en": "The covariance was not positive semi-definite; its negative eigenvalues were set to zero "
        "(Cameron, Gelbach and Miller 2011).",
        "zh": "协方差矩阵非半正定，负特征值已置零（Cameron、Gelbach 与 Miller，2011）。",
    }
    return (U * eigenvalues.clip(min=0.0)) @ U.T * scale, (note,)


def _finish(
    matrix: FloatArray,
    factor: float,
    dof: float | FloatArray,
    words: Words,
    *,
    n_clusters: tuple[int, ...] = (),
    notes: Notes = (),
) -> Covariance:
    dof = np.broadcast_to(np.asarray(dof, dtype=np.float64), (len(matrix),)).copy()
    return Covariance(matrix * factor, dof, n_clusters, words[0], words[1], factor, notes)
