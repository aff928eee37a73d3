"""Covariances of one-step and two-step GMM whose moments add up over units.

``g_i`` (L,) are the moments of unit i at the estimate, ``P = (X'Z W^-1 Z'X)^-1 X'Z W^-1`` (K, L), ``S = sum g_i g_i'``.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from econ.errors import OptionError
from econ.inference.covariance import Covariance
from econ.inference.specs import Cluster, Vcov, cluster
from econ.inference.words import Words, cluster_words
from econ.linear.fit import FloatArray, IntArray
from econ.linear.gmm import GmmFit, Instruments, cross


@dataclass(frozen=True)
class Windmeijer:
    """Two-step GMM, corrected for the estimated weight matrix; see :func:`windmeijer`."""

    kind: ClassVar[str] = "windmeijer"

    def __str__(self) -> str:
        return "two-step, Windmeijer-corrected"

    def columns_needed(self) -> tuple[str, ...]:
        return ()

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind}


def windmeijer() -> Windmeijer:
    """Covariance of two-step GMM with Windmeijer's correction, clustered by unit.

    The second step treats its weight matrix as known, although it comes from one-step residuals; in small samples its
    usual standard errors are far too small. See :func:`windmeijer_matrix` for the correction.

    Examples
    --------
    >>> str(windmeijer())
    'two-step, Windmeijer-corrected'
    """
    return Windmeijer()


def checked_gmm_vcov(spec: Vcov | Windmeijer | None, steps: int, unit: str) -> Cluster | Windmeijer:
    """The covariance asked for, or the default of the step: robust for one, Windmeijer's for two."""
    plain = cluster(unit, kind="CR0")
    if spec is None:
        return plain if steps == 1 else Windmeijer()
    if spec == plain or (steps == 2 and spec == Windmeijer()):
        return plain if isinstance(spec, Cluster) else Windmeijer()
    allowed = f"econ.cluster({unit!r}, kind='CR0')"
    if steps == 2:
        allowed = f"econ.windmeijer(), the default, or {allowed}, which leaves the correction out"
    raise OptionError(
        f"vcov={spec} is not allowed with steps={steps}: the moments add up by {unit}, without small-sample factors. "
        f"Use {allowed}."
    )


def robust_matrix(fit: GmmFit, moments: FloatArray) -> FloatArray:
    """``P S P'``, (K, K); ``moments`` (N, L) are the ``g_i`` at the estimate itself."""
    influence = moments @ fit.projection.T
    return influence.T @ influence


def windmeijer_matrix(
    second: GmmFit,
    first_vcov: FloatArray,
    Z: Instruments,
    X: FloatArray,
    unit: IntArray,
    moments: FloatArray,
    g: FloatArray,
) -> FloatArray:
    r"""Covariance of the two-step estimate with the correction of Windmeijer (2005).

    .. math:: V_2 + D V_2 + V_2 D' + D V_1 D', \qquad
        D_k = -V_2 X'Z S^{-1} \frac{\partial S}{\partial b_k} S^{-1} Z'u_2

    with ``V_2 = (X'Z S^-1 Z'X)^-1`` and ``dS/db_k = -sum_i (Z_i'x_ik g_i' + g_i x_ik'Z_i)`` at the first step.

    Parameters
    ----------
    second : the two-step fit, whose weight matrix is S at one-step residuals
    first_vcov : ``V_1``, the robust covariance of the one-step estimate
    Z, X : (m, L), (m, K);  unit : (m,)
    moments : (N, L) ``g_i`` at the one-step estimate
    g : (L,) ``Z'u_2``

    References
    ----------
    Windmeijer (2005), "A finite sample correction for the variance of linear efficient two-step GMM estimators",
    Journal of Econometrics 126, eq. (2.9) and section 3.
    """
    q = second.root.adjoint(second.root.apply(g))
    own = moments @ q
    weighted = X * (Z @ q)[:, None]
    by_unit = np.column_stack([np.bincount(unit, column, minlength=len(moments)) for column in weighted.T])
    D = second.projection @ (cross(Z, X * own[unit, None]) + moments.T @ by_unit)
    V2 = second.bread
    V = V2 + D @ V2 + V2 @ D.T + D @ first_vcov @ D.T
    return np.asarray((V + V.T) / 2)


def gmm_covariance(spec: Cluster | Windmeijer, matrix: FloatArray, steps: int, unit: str, n_units: int) -> Covariance:
    """The matrix with its words; t statistics have ``n_units - 1`` degrees of freedom."""
    words = (
        cluster_words(cluster(unit, kind="CR0"), (n_units,), False) if steps == 1 else _two_step(spec, unit, n_units)
    )
    dof = np.full(len(matrix), float(n_units - 1))
    return Covariance(matrix, dof, (n_units,), words[0], words[1], 1.0)


def _two_step(spec: Cluster | Windmeijer, unit: str, n_units: int) -> Words:
    how = ("with Windmeijer's (2005) correction", "经 Windmeijer（2005）修正")
    if isinstance(spec, Cluster):
        how = ("without Windmeijer's correction, too small in small samples", "未经 Windmeijer 修正，小样本下偏小")
    return (
        f"Two-step standard errors clustered by {unit} ({n_units} clusters), {how[0]}; t({n_units - 1})",
        f"两步标准误按 {unit}（{n_units} 个聚类）聚类，{how[1]}；t({n_units - 1})",
    )
