"""Tests for few groups: t tests on one estimate per group, and placebo residuals of controls for few treated units."""

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from econ.errors import DataError, ModelError, OptionError
from econ.inference.randomization import as_extreme
from econ.linear.fit import FloatArray
from econ.options import check_draws, check_level

# ---- Ibragimov and Mueller


@dataclass(frozen=True)
class GroupTest:
    """A t test on estimates by group.

    Attributes
    ----------
    estimate : mean over groups, or difference of the two means
    std_error, statistic, dof : of Student's t
    p_value : two-sided
    ci_low, ci_high : limits of the confidence interval
    n_groups : groups, for two samples of each
    """

    estimate: float
    std_error: float
    statistic: float
    dof: int
    p_value: float
    ci_low: float
    ci_high: float
    n_groups: tuple[int, ...]


def group_t_test(
    estimates: FloatArray, others: FloatArray | None = None, *, null: float = 0.0, level: float = 0.95
) -> GroupTest:
    r"""Ibragimov and Mueller's test: estimate in each group alone, then a t test on the estimates.

    With one estimate per group, :math:`t = \sqrt q\, (\bar b - b_0) / s` is compared with Student's t with q - 1
    degrees of freedom. Groups need be independent and their estimates about normal, but not of equal precision: unequal
    variances make two-sided tests conservative at sizes up to 8.3 per cent (Bakirov and Szekely 2006; Ibragimov and
    Mueller 2010).

    With estimates of ``others``, such as treated and control groups' own changes, means are compared:
    :math:`(\bar b_1 - \bar b_2 - b_0) / \sqrt{s_1^2/q_1 + s_2^2/q_2}` with :math:`\min(q_1, q_2) - 1` degrees of
    freedom (Ibragimov and Mueller 2016).

    Parameters
    ----------
    estimates, others : (q,) one estimate per group, at least two
    null : the value tested

    Examples
    --------
    >>> test = group_t_test(np.array([0.2, 0.5, 0.4, 0.1]))
    >>> round(test.statistic, 3), test.dof, round(test.p_value, 3)
    (3.286, 3, 0.046)
    """
    check_level(level)
    samples = [np.asarray(sample, dtype=np.float64) for sample in (estimates, others) if sample is not None]
    sizes = tuple(len(sample) for sample in samples)
    if min(sizes) < 2 or not all(np.isfinite(sample).all() for sample in samples):
        raise DataError(
            f"Groups of {' and '.join(map(str, sizes))} estimates are not allowed; give at least two finite estimates "
            "for each, one per group."
        )
    means = [float(sample.mean()) for sample in samples]
    estimate = means[0] - sum(means[1:])
    std_error = float(np.sqrt(sum(sample.var(ddof=1) / len(sample) for sample in samples)))
    if std_error <= 1e-14 * max(np.abs(sample).max() for sample in samples):
        raise ModelError("The groups' estimates do not differ, so there is nothing to measure their precision by.")
    dof = min(sizes) - 1
    statistic = (estimate - null) / std_error
    half_width = -float(special.stdtrit(dof, (1 - level) / 2)) * std_error
    p_value = 2 * float(special.stdtr(dof, -abs(statistic)))
    return GroupTest(estimate, std_error, statistic, dof, p_value, estimate - half_width, estimate + half_width, sizes)


# ---- Conley and Taber, Ferman and Pinto


@dataclass(frozen=True, eq=False)
class PlaceboTest:
    """An estimate for few treated units, among what controls' residuals would have made of it.

    Attributes
    ----------
    estimate : as given
    p_value : ``(1 + #)/(1 + N)`` with # the placebos at least as far from zero as the estimate is from the null value
    ci_low, ci_high : the null values whose p-value exceeds ``1 - level``; infinite when N is too small to reject any
    distribution : (N,) placebo errors of the estimate
    exact : whether all combinations of controls were enumerated
    n_treated, n_controls : J and n
    variance : (J, 2) coefficients of the variance on 1 and 1/size by treated unit; None without sizes
    """

    estimate: float
    p_value: float
    ci_low: float
    ci_high: float
    distribution: FloatArray
    exact: bool
    n_treated: int
    n_controls: int
    variance: FloatArray | None


def placebo_test(
    estimate: float,
    placebos: FloatArray,
    *,
    treated_size: FloatArray | None = None,
    control_size: FloatArray | None = None,
    null: float = 0.0,
    level: float = 0.95,
    draws: int = 9999,
    seed: int = 1,
) -> PlaceboTest:
    r"""Conley and Taber's test for J treated and many control units, with Ferman and Pinto's correction by size.

    The estimate's error is a sum over treated units, :math:`\hat a - a = \sum_j W_j` with
    :math:`W_j = \sum_t c_{jt} e_{jt}`, where in difference-in-differences
    :math:`c_{jt} = (d_{jt} - \bar d_j) / \sum_{it} (d_{it} - \bar d_i)^2`. With few treated units it is not normal. Its
    distribution is taken from the same sums over controls' residuals, one control in the place of each treated unit
    (Conley and Taber 2011): all ``n^J`` combinations, or draws of them.

    Residuals must come from one distribution. Averages over groups of unequal size do not: given sizes M, the variance
    of what a control's residuals make in the place of j is taken to be :math:`A_j + B_j / M`, fitted to their squares
    by non-negative least squares, and placebos are rescaled from the control's size to that of j (Ferman and Pinto
    2019). That extrapolates where j is larger or smaller than all controls.

    Parameters
    ----------
    estimate : of the treatment effect
    placebos : (J, n), ``sum_t c_jt e_kt`` for treated unit j and the residuals of control k; (n,) when J is 1
    treated_size, control_size : (J,) and (n,) observations behind each unit's averages, or None for Conley and Taber's
    null : the value tested
    draws, seed : combinations drawn when there are more than ``draws``

    Notes
    -----
    The estimate is counted among its placebos, so that with one treated unit the test is exact under exchangeability;
    the papers take ``#/N``, which with few controls can be 0. The controls' share in the estimate's error is left out,
    as in the papers: it vanishes when they are many.

    Examples
    --------
    >>> placebo_test(2.0, np.array([-1.0, 0.5, 3.0, -0.5, 1.0, 0.2, 0.1, -0.3, 0.4])).p_value
    0.2
    """
    check_level(level)
    check_draws(draws, seed)
    table = np.atleast_2d(np.asarray(placebos, dtype=np.float64))
    if table.shape[1] < 2 or not np.isfinite(table).all():
        raise DataError(
            f"{table.shape[1]} controls with missing or infinite values are not allowed; give finite placebos of two "
            "controls or more."
        )
    variance = None
    if treated_size is not None or control_size is not None:
        table, variance = _rescaled(table, treated_size, control_size)
    distribution, exact = _combined(table, draws, seed)
    p_value = (1 + int(as_extreme(distribution, estimate - null).sum())) / (1 + len(distribution))
    reach = _reach(np.abs(distribution), round(1 - level, 12))
    J, n = table.shape
    return PlaceboTest(estimate, p_value, estimate - reach, estimate + reach, distribution, exact, J, n, variance)


def _reach(distances: FloatArray, size: float) -> float:
    """The k-th largest distance, k the smallest number with ``(1 + k)/(1 + N) > size``; infinite when k is 0."""
    k = int(np.floor(size * (1 + len(distances)) + 1e-9))
    return np.inf if k == 0 else float(np.sort(distances)[-k])


def _rescaled(
    table: FloatArray, treated_size: FloatArray | None, control_size: FloatArray | None
) -> tuple[FloatArray, FloatArray]:
    """Placebos times ``sqrt(Var(M_j) / Var(M_k))``, and the coefficients of the variances."""
    sizes = [np.asarray([] if size is None else size, dtype=np.float64) for size in (treated_size, control_size)]
    if tuple(map(len, sizes)) != table.shape or not all((size > 0).all() for size in sizes):
        raise OptionError(
            f"Sizes of {len(sizes[0])} treated and {len(sizes[1])} control units are not allowed for "
            f"{table.shape[0]} and {table.shape[1]}; give a positive size for each, or no sizes at all."
        )
    treated, controls = (np.column_stack((np.ones_like(size), 1 / size)) for size in sizes)
    variance = np.stack([_fit_variance(row, controls) for row in table])
    return table * np.sqrt(np.sum(variance * treated, axis=1)[:, None] / (variance @ controls.T)), variance


def _fit_variance(placebos: FloatArray, regressors: FloatArray) -> FloatArray:
    """(2,) non-negative A and B of ``placebo^2 = A + B/M``."""
    inverse = regressors[:, 1]
    unit = float(np.mean(placebos**2))
    if unit == 0 or np.ptp(inverse) <= 1e-9 * inverse.max():
        raise ModelError(
            "The variance of the placebos cannot be fitted to the controls' sizes: all placebos are zero, or all sizes "
            "equal. Leave the sizes out."
        )
    scale = np.array([1.0, 1 / inverse.mean()])
    coef: FloatArray = optimize.nnls(regressors * scale, placebos**2 / unit)[0] * scale * unit
    return coef


def _combined(table: FloatArray, draws: int, seed: int) -> tuple[FloatArray, bool]:
    """Sums over treated units of one control's placebo each: all combinations, or draws with replacement."""
    J, n = table.shape
    if J * np.log(n) <= np.log(draws) + 1e-12:
        sums = table[0]
        for row in table[1:]:
            sums = (sums[:, None] + row).ravel()
        return sums, True
    chosen = np.random.default_rng(seed).integers(0, n, (draws, J))
    return table[np.arange(J), chosen].sum(axis=1), False
