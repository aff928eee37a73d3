"""Critical values of simultaneous bands against cases in closed form."""

import numpy as np
import pytest
from scipy import stats

from econ import OptionError
from econ.inference.bands import sup_t

DRAWS = 400_000  # quantiles are then within a per cent


def test_one_coefficient_has_the_normal_or_t_quantile() -> None:
    assert sup_t(np.eye(1), np.inf, draws=DRAWS) == pytest.approx(stats.norm.ppf(0.975), rel=0.01)
    assert sup_t(4 * np.eye(1), 5.0, draws=DRAWS) == pytest.approx(stats.t.ppf(0.975, 5), rel=0.01)
    assert sup_t(np.eye(1), np.inf, 0.8, draws=DRAWS) == pytest.approx(stats.norm.ppf(0.9), rel=0.01)


@pytest.mark.parametrize("K", [2, 5, 12])
def test_independent_coefficients_give_sidaks_value(K: int) -> None:
    sidak = stats.norm.ppf((1 + 0.95 ** (1 / K)) / 2)
    assert sup_t(np.diag(np.arange(1.0, K + 1)), np.inf, draws=DRAWS) == pytest.approx(sidak, rel=0.01)


def test_the_multivariate_t_has_one_denominator() -> None:
    """P(max |t_k| <= c) integrated over the common chi-squared denominator."""
    K, dof = 3, 6.0
    c = sup_t(np.eye(K), dof, draws=DRAWS)
    s = np.sqrt(stats.chi2.ppf((np.arange(20_000) + 0.5) / 20_000, dof) / dof)
    assert np.mean((2 * stats.norm.cdf(c * s) - 1) ** K) == pytest.approx(0.95, abs=0.002)


def test_perfectly_correlated_coefficients_count_once() -> None:
    V = np.outer([1.0, -2.0, 3.0], [1.0, -2.0, 3.0])
    assert sup_t(V, np.inf, draws=DRAWS) == pytest.approx(stats.norm.ppf(0.975), rel=0.01)


def test_coefficients_without_variance_are_left_out() -> None:
    V = np.zeros((3, 3))
    V[1, 1] = 2.0
    assert sup_t(V, np.inf) == pytest.approx(sup_t(np.eye(1), np.inf), rel=1e-12)


def test_lies_between_pointwise_and_bonferroni() -> None:
    A = np.random.default_rng(0).normal(size=(6, 4))
    c = sup_t(A @ A.T + 0.1 * np.eye(6), np.inf, draws=DRAWS)
    assert stats.norm.ppf(0.975) < c < stats.norm.ppf(1 - 0.025 / 6)


def test_is_a_function_of_its_seed() -> None:
    V = np.eye(3) + 0.3
    assert sup_t(V, 20.0, seed=5) == sup_t(V, 20.0, seed=5)
    assert sup_t(V, 20.0, seed=5) != sup_t(V, 20.0, seed=6)


@pytest.mark.parametrize("draws", [10, 1.5, True])
def test_draws_must_be_many_and_whole(draws: object) -> None:
    with pytest.raises(OptionError, match="99 or more"):
        sup_t(np.eye(2), np.inf, draws=draws)  # type: ignore[arg-type]


def test_levels_lie_between_zero_and_one() -> None:
    with pytest.raises(OptionError, match="between 0 and 1"):
        sup_t(np.eye(2), np.inf, level=95)
