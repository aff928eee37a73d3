r"""The wild cluster bootstrap of a t or F statistic, without a regression per draw.

The regression is ``y = X b + D a + u`` with the effects D absorbed; X is what they leave of the regressors,
``A = (X'WX)^-1``, and ``x_j = X A R_j'`` the direction of restriction j of ``R b = r``. A draw multiplies the residuals
of cluster g by ``v_g``. What that changes are sums over clusters (Roodman, MacKinnon, Nielsen and Webb 2019, section
5):

.. math::
    R b^* - r = \sum_g v_g\, a_g, \qquad a_{jg} = x_{jg}' W_g u_g

and the scores of the clusters h from the bootstrap's own residuals, ``M_D (v u) - X (b* - b)``,

.. math::
    e_{jh} = v_h a_{jh} - x_{jh}' W_h X_h A \sum_g v_g X_g' W_g u_g - x_{jh}' W_h [P_D (v u)]_h .

The last term is there because residuals orthogonal to D do not stay so when clusters are multiplied by weights. For
effects *nested* in the clusters they do, v being constant within them, and the term is zero. For the others, let Z be
their dummies less the nested effects and ``S = Z'WZ``: the term is ``x_jh'W_h Z_h S^- sum_g v_g Z_g'W_g u_g``. Raw
dummies can stand for Z in both products, as x and u sum to zero within nested effects, so that sums by cluster and
level are all that is needed. Where the levels outnumber the clusters, ``P_D`` is applied to the direction of one
cluster at a time instead, being self-adjoint. Both are in :mod:`econ.inference.partial`.

So ``e_jh = v_h a_jh - left_jh' m`` with ``m = sum_g v_g right_g`` of a small dimension, and the covariance of the draw
is, up to the factor it shares with the sample's,

.. math::
    \sum_h e_{jh} e_{kh} = \sum_h v_h^2 a_{jh} a_{kh} - \Big(\sum_h v_h a_{jh} left_{kh}\Big)' m
        - \Big(\sum_h v_h a_{kh} left_{jh}\Big)' m + m' \Big(\sum_h left_{jh} left_{kh}'\Big) m :

all draws together are one product of their weights with a (G x few) matrix.

Restricted residuals are linear in the null value, ``u + x d / (R A R')`` with ``d = R b - r``. Kept as two *layers*, u
and ``x / (R A R')``, they make the numerator linear and the variance quadratic in d for every draw, so that the test is
inverted without drawing again.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from econ.errors import OptionError
from econ.inference.covariance import covariance
from econ.inference.layout import Layout
from econ.inference.meat import score_sums
from econ.inference.partial import Clusters, effect_sums
from econ.inference.randomization import as_extreme, is_tied
from econ.inference.specs import Cluster, Vcov
from econ.inference.wald import wald
from econ.inference.wild import Wild, weighted_sums
from econ.linear.fit import FloatArray, LinearFit
from econ.options import check_level

FARTHEST = 1000.0  # standard errors from the estimate at which the search for a confidence limit ends
TOLERANCE = 1e-9  # standard errors to which a confidence limit is found
_NO_VARIANCE = 1e-12  # of a variance's leading term: rounding
_NEGLIGIBLE = 1e-13  # of the largest singular value


@dataclass(frozen=True, eq=False)
class WildTest:
    """A wild cluster bootstrap test of ``R b = r``.

    Attributes
    ----------
    statistic : t for one restriction, F for several, as without the bootstrap
    p_value : share of draws with ``|t*| >= |t|``, ties counted
    n_ties : draws with ``|t*| = |t|`` up to rounding
    p_value_equal_tailed : twice the smaller of the shares with ``t* <= t`` and ``t* >= t``, at most 1; None for F
    ci_low, ci_high : limits of the values r whose ``p_value`` exceeds ``1 - level``, infinite where none is rejected;
        None for F
    distribution : (B,) the statistics t* or F*; infinite where a draw leaves no variance
    enumerated : whether the draws are all sign vectors
    n_clusters : G
    """

    statistic: float
    p_value: float
    n_ties: int
    p_value_equal_tailed: float | None
    ci_low: float | None
    ci_high: float | None
    distribution: FloatArray
    enumerated: bool
    n_clusters: int


def wild_cluster_bootstrap(
    fit: LinearFit, layout: Layout, spec: Vcov, R: FloatArray, r: FloatArray, method: Wild, level: float = 0.95
) -> WildTest:
    """Test ``R b = r`` by the wild cluster bootstrap.

    Parameters
    ----------
    fit : least squares with the effects taken out, N rows
    layout : clusters and absorbed effects of the same rows
    spec : ``cluster("column")`` of kind CR1 or CR0; the statistic and every draw have the same factor
    R : (q, K) of full row rank
    r : (q,)
    level : of the confidence interval, for one restriction

    Notes
    -----
    Ties are counted. An enumeration holds the sample itself (all signs 1) and its mirror image, so its p-value is at
    least ``2 / 2^G``. Among draws only those whose weights are all equal tie: a share ``0.72^G`` of Mammen's, hardly
    any of the others. Software that counts larger statistics only (fwildclusterboot, wildboottest; boottest too, but
    for rounding, which lets in one of the two ties of an enumeration) has ``p_value - n_ties / B``.

    Confidence limits are looked for from the estimate outwards, up to 1,000 standard errors: the first value whose
    p-value is ``1 - level`` or less, to 1e-9 standard errors. Values still farther out that are not rejected, which a
    restricted bootstrap can have, would be missed.
    """
    check_level(level)
    clusters = _clusters(spec, layout)
    found = covariance(spec, fit, layout)
    gap = R @ fit.coef - r
    std_error = float(np.sqrt((R @ found.matrix @ R.T)[0, 0]))
    f_statistic = wald(fit.coef, found.matrix, R, r).statistic  # refuses restrictions that repeat or contradict others
    observed = float(gap[0]) / std_error if len(R) == 1 else f_statistic
    layers = _layers(R @ fit.bread @ R.T, gap, method)
    draws = _draw(_cluster_scores(fit, layout, clusters, R), layers, method, found.factor)
    distribution = draws.statistics(gap[0])
    equal_tailed = low = high = None
    if len(R) == 1:
        tails = [float(as_extreme(distribution, observed, side).mean()) for side in ("greater", "less")]
        equal_tailed = min(1.0, 2 * min(tails))
        low, high = _interval(draws, float(gap[0] + r[0]), std_error, round(1 - level, 12))
    return WildTest(
        observed,
        float(as_extreme(distribution, observed).mean()),
        int(is_tied(distribution, observed).sum()),
        equal_tailed,
        low,
        high,
        distribution,
        method.enumerates(clusters.n_groups),
        clusters.n_groups,
    )


def _clusters(spec: Vcov, layout: Layout) -> Clusters:
    if not isinstance(spec, Cluster) or len(spec.columns) > 1 or spec.correction not in ("CR0", "CR1"):
        raise OptionError(
            f"vcov {spec} is not allowed with a wild cluster bootstrap; cluster by one column with kind='CR1', such as "
            "econ.cluster('province')."
        )
    return Clusters(*layout.codes(spec.columns[0]))


# ---- sums by cluster


@dataclass(frozen=True, eq=False)
class _Scores:
    """Of the q + 1 columns ``x_1, ..., x_q, u``: ``own`` (q + 1, G, q), their a; ``right`` (q + 1, G, p); and ``left``
    (q, G, p) of the directions."""

    own: FloatArray
    left: FloatArray
    right: FloatArray


def _cluster_scores(fit: LinearFit, layout: Layout, clusters: Clusters, R: FloatArray) -> _Scores:
    q, directions = len(R), fit.bread @ R.T
    columns = np.column_stack((fit.X @ directions, fit.residuals))
    weighted = columns if fit.weights is None else columns * fit.weights[:, None]
    scores = np.stack([score_sums(fit.X, c, *clusters) for c in weighted.T])
    effects = effect_sums(layout, fit.weights, clusters, columns, q)
    left = np.concatenate((scores[:q] @ fit.bread, effects.left), axis=2)
    right = np.concatenate((scores, effects.right), axis=2)
    return _Scores(scores @ directions, *_compressed(left, right))


def _compressed(left: FloatArray, right: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The same products ``left' right`` in as few dimensions as ``left`` spans, such as one per cohort."""
    scale = np.sqrt(np.sum(right**2, axis=(0, 1)))
    scale[scale == 0] = 1.0
    triangle = np.linalg.qr((left * scale).reshape(-1, left.shape[2]), mode="r")
    _, singular, Vt = np.linalg.svd(triangle, full_matrices=False)
    V = Vt[singular > _NEGLIGIBLE * singular[0]].T
    return left * scale @ V, right / scale @ V


def _layers(V: FloatArray, gap: FloatArray, method: Wild) -> FloatArray:
    """(layers, q + 1) the residuals of the bootstrap as combinations of ``x_1, ..., x_q, u``; V is ``R A R'``."""
    estimated = np.append(np.zeros(len(gap)), 1.0)
    if method.kind == "unrestricted":
        return estimated[None]
    if len(gap) == 1:
        return np.stack((estimated, [1 / V[0, 0], 0.0]))
    return np.append(np.linalg.solve(V, gap), 1.0)[None]


# ---- draws


@dataclass(frozen=True, eq=False)
class _Draws:
    """Of B draws with L layers: ``numerator`` (L, q, B), ``variance`` (L, L, q, q, B), and ``leading`` (L, L, q), the
    first term of the variance's diagonal under weights of 1."""

    numerator: FloatArray
    variance: FloatArray
    leading: FloatArray

    def statistics(self, d: float) -> FloatArray:
        """(B,) t* at the distance d between estimate and null value, or F*."""
        at = np.array([1.0, d])[: len(self.numerator)]
        n = np.tensordot(at, self.numerator, 1)
        V = np.tensordot(np.outer(at, at), self.variance, 2)
        floor = _NO_VARIANCE * np.tensordot(np.outer(at, at), self.leading, 2)
        flat = np.any(np.einsum("jjb->jb", V) <= floor[:, None], axis=0)
        V[:, :, flat] = np.eye(len(V))[:, :, None]
        if len(n) == 1:
            return np.asarray(np.where(flat, np.copysign(np.inf, n[0]), n[0] / np.sqrt(V[0, 0])))
        return np.asarray(np.where(flat, np.inf, _f_statistics(n.T, V.transpose(2, 0, 1))))


def _f_statistics(n: FloatArray, V: FloatArray) -> FloatArray:
    """(B,) ``n' V^-1 n / q``, infinite where V is singular."""
    d = np.sqrt(np.einsum("bjj->bj", V))
    eigenvalues, U = np.linalg.eigh(V / (d[:, :, None] * d[:, None, :]))
    z = np.einsum("bjk,bj->bk", U, n / d)
    singular = eigenvalues[:, 0] <= 1e-10
    return np.asarray(np.where(singular, np.inf, np.sum(z**2 / eigenvalues.clip(min=1e-10), axis=1) / n.shape[1]))


def _draw(scores: _Scores, layers: FloatArray, method: Wild, factor: float) -> _Draws:
    own, right = (np.tensordot(layers, part, 1) for part in (scores.own, scores.right))
    a = own.swapaxes(0, 1)
    shape = (*own.shape[::2], right.shape[2])
    crossed = np.einsum("glj,gkp->gljkp", a, scores.left.swapaxes(0, 1))
    linear = np.hstack([part.reshape(len(a), -1) for part in (a, right.swapaxes(0, 1), crossed)])
    squared = np.einsum("glj,gmk->glmjk", a, a)
    gram = np.tensordot(scores.left, scores.left, axes=(1, 1))
    parts = [
        _moments(sums, squares, shape, gram)
        for sums, squares in weighted_sums(method, linear, squared.reshape(len(a), -1))
    ]
    numerator, variance = (
        np.ascontiguousarray(np.moveaxis(np.concatenate(p), 0, -1)) for p in zip(*parts, strict=True)
    )
    leading = np.einsum("glmjj->lmj", squared)
    return _Draws(numerator, variance * factor, leading * factor)


def _moments(
    sums: FloatArray, squares: FloatArray, shape: tuple[int, int, int], gram: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Numerators (b, L, q) and variances (b, L, L, q, q) of a block of draws; ``shape`` is (L, q, p)."""
    L, q, p = shape
    numerator, m, crossed = np.split(sums, [L * q, L * q + L * p], axis=1)
    m = m.reshape(-1, L, p)
    cross = np.einsum("bljkp,bmp->blmjk", crossed.reshape(-1, L, q, q, p), m)
    square = np.einsum("bljks,bms->blmjk", np.tensordot(m, gram, axes=(2, 1)), m)
    variance = squares.reshape(cross.shape) - cross - cross.transpose(0, 2, 1, 4, 3) + square
    return numerator.reshape(-1, L, q), variance


# ---- confidence interval


def _interval(draws: _Draws, estimate: float, std_error: float, size: float) -> tuple[float, float]:
    """The values next to the estimate that the two-sided test at ``size`` does not reject."""

    def p_value(d: float) -> float:
        return float(as_extreme(draws.statistics(d), d / std_error).mean())

    return estimate - _reach(p_value, std_error, size), estimate - _reach(p_value, -std_error, size)


def _reach(p_value: Callable[[float], float], step: float, size: float) -> float:
    """Distance d, in the direction of ``step`` (one standard error), at which the p-value falls to ``size``."""
    inside, outside = 0.0, step
    while p_value(outside) > size:
        inside, outside = outside, 2 * outside
        if abs(outside) > FARTHEST * abs(step):
            return float(np.copysign(np.inf, step))
    while abs(outside - inside) > TOLERANCE * abs(step):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if p_value(middle) > size else (inside, middle)
    return (inside + outside) / 2
