"""Covariances of averages over units whose slopes differ: from the variation of the units' estimates."""

import numpy as np

from econ.inference.covariance import Covariance
from econ.linear.fit import FloatArray

Words = tuple[str, str]


def mean_group_covariance(slopes: FloatArray) -> Covariance:
    r"""Covariance of the mean of N estimates (Pesaran and Smith 1995; Pesaran 2006, eq. 58).

    .. math:: \frac{1}{N(N-1)} \sum_i (b_i - \bar b)(b_i - \bar b)'

    It holds the sampling error of each ``b_i`` and the variation of the true slopes alike. t statistics have N - 1
    degrees of freedom, exact for normal ``b_i``; xtmg and plm take the normal distribution.

    Parameters
    ----------
    slopes : (N, K)

    Examples
    --------
    >>> mean_group_covariance(np.array([[1.0], [3.0]])).matrix
    array([[1.]])
    """
    N = len(slopes)
    said = (
        f"Standard errors from the variation of slopes across {N} units (nonparametric); t({N - 1})",
        f"标准误取自 {N} 个个体斜率的变异（非参数）；t({N - 1})",
    )
    return _across_units(_variation(slopes) / (N * (N - 1)), N, said)


def pooled_covariance(gram: FloatArray, slopes: FloatArray) -> Covariance:
    r"""Covariance of a pooled estimate when slopes differ by unit (Pesaran 2006, eqs. 67 to 69).

    With ``Q_i`` the cross products of unit i's regressors, common effects taken out, ``b_i`` its own estimate and
    ``b`` their mean,

    .. math:: \Psi^{-1} \Big[ \frac{N}{N-1} \sum_i Q_i (b_i - \bar b)(b_i - \bar b)' Q_i \Big] \Psi^{-1},
        \quad \Psi = \sum_i Q_i

    t statistics have N - 1 degrees of freedom, where Pesaran takes the normal distribution.

    Parameters
    ----------
    gram : (N, K, K), the ``Q_i``
    slopes : (N, K)
    """
    N = len(slopes)
    scores = np.einsum("ikl,il->ik", gram, slopes - slopes.mean(axis=0))
    bread = np.linalg.inv(gram.sum(axis=0))
    said = (
        f"Standard errors from the variation of slopes across {N} units (nonparametric, N/(N-1)); t({N - 1})",
        f"标准误取自 {N} 个个体斜率的变异（非参数，N/(N-1)）；t({N - 1})",
    )
    return _across_units(bread @ (scores.T @ scores) @ bread * N / (N - 1), N, said)


def pooled_mean_group_covariance(information: FloatArray, averages: FloatArray) -> Covariance:
    """Covariance of K common long-run coefficients and of P averages of the units' own coefficients.

    The inverse information of the long run and the variation of the averaged coefficients across units, as in Pesaran,
    Shin and Smith (1999, section 4). The two count as uncorrelated: the long run converges at a faster rate. The long
    run refers to the normal distribution, averages to t(N - 1).

    Parameters
    ----------
    information : (K, K)
    averages : (N, P)
    """
    N, P = averages.shape
    K = len(information)
    matrix = np.zeros((K + P, K + P))
    matrix[:K, :K] = np.linalg.inv(information)
    matrix[K:, K:] = _variation(averages) / (N * (N - 1))
    said = (
        f"Long run: inverse information, normal distribution; averages: variation across {N} units, t({N - 1}); the "
        "two uncorrelated",
        f"长期系数：信息矩阵之逆，正态分布；平均系数：{N} 个个体间变异，t({N - 1})；二者视为不相关",
    )
    dof = np.r_[np.full(K, np.inf), np.full(P, float(N - 1))]
    return Covariance((matrix + matrix.T) / 2, dof, (), *said, 1.0)


def _variation(slopes: FloatArray) -> FloatArray:
    deviations = slopes - slopes.mean(axis=0)
    return np.asarray(deviations.T @ deviations)


def _across_units(matrix: FloatArray, N: int, said: Words) -> Covariance:
    return Covariance((matrix + matrix.T) / 2, np.full(len(matrix), float(N - 1)), (), *said, 1.0)
