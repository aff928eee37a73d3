"""Tests for few groups against the formulas, brute force and simulation."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from econ.errors import DataError, ModelError, OptionError
from econ.inference.few_groups import group_t_test, placebo_test

ESTIMATES, OTHERS = np.array([0.4, 0.9, 0.1, 0.7]), np.array([0.2, -0.3, 0.1, 0.0, 0.4, -0.1])


def test_one_sample_is_the_t_test() -> None:
    found = group_t_test(ESTIMATES, null=0.1)
    expected = stats.ttest_1samp(ESTIMATES, 0.1)
    assert (found.statistic, found.p_value) == pytest.approx((expected.statistic, expected.pvalue))
    assert (found.ci_low, found.ci_high) == pytest.approx(tuple(expected.confidence_interval(0.95)))
    assert (found.dof, found.n_groups) == (3, (4,))


def test_two_samples_have_the_smaller_degrees_of_freedom() -> None:
    found = group_t_test(ESTIMATES, OTHERS)
    expected = stats.ttest_ind(ESTIMATES, OTHERS, equal_var=False)
    assert found.statistic == pytest.approx(expected.statistic)
    assert found.dof == 3
    assert found.p_value == pytest.approx(2 * stats.t.sf(abs(expected.statistic), 3))
    half_width = stats.t.ppf(0.95, 3) * found.std_error
    assert group_t_test(ESTIMATES, OTHERS, level=0.9).ci_high == pytest.approx(found.estimate + half_width)


def test_unequal_variances_make_the_group_test_conservative() -> None:
    draws = np.random.default_rng(0).normal(size=(20_000, 5)) * [0.1, 0.5, 1.0, 1.0, 4.0]
    t = draws.mean(axis=1) / draws.std(axis=1, ddof=1) * np.sqrt(5)
    assert np.mean(2 * stats.t.sf(np.abs(t), 4) <= 0.05) < 0.05
    assert group_t_test(draws[0]).statistic == pytest.approx(t[0])


@pytest.mark.parametrize("estimates", [[0.3], [0.3, np.nan]])
def test_group_test_refuses_too_few(estimates: list[float]) -> None:
    with pytest.raises(DataError, match="at least two finite estimates"):
        group_t_test(np.array(estimates))


def test_group_test_refuses_equal_estimates() -> None:
    with pytest.raises(ModelError, match="do not differ"):
        group_t_test(np.array([0.3, 0.3, 0.3]))


# ---- placebos


def test_placebos_of_two_treated_units_by_brute_force() -> None:
    rng = np.random.default_rng(2)
    placebos = rng.normal(size=(2, 8)) * [[0.5], [0.3]]
    found = placebo_test(1.0, placebos, null=0.2)
    sums = np.array([placebos[0, k] + placebos[1, m] for k, m in product(range(8), repeat=2)])
    assert found.exact
    assert (found.n_treated, found.n_controls) == (2, 8)
    np.testing.assert_allclose(np.sort(found.distribution), np.sort(sums))
    assert found.p_value == (1 + np.sum(np.abs(sums) >= 0.8)) / 65


def test_placebos_are_difference_in_differences_of_residuals() -> None:
    """Seven units, one treated in the last two of four periods: the placebo of a control is its own difference."""
    rng = np.random.default_rng(5)
    y = rng.normal(size=(7, 4))
    residuals = y[1:] - y[1:].mean(axis=1, keepdims=True) - y[1:].mean(axis=0) + y[1:].mean()
    d = np.array([0.0, 0.0, 1.0, 1.0])
    weights = (d - d.mean()) / np.sum((d - d.mean()) ** 2)
    change = y[:, 2:].mean(axis=1) - y[:, :2].mean(axis=1)
    estimate = change[0] - change[1:].mean()
    found = placebo_test(estimate, residuals @ weights)
    np.testing.assert_allclose(found.distribution, change[1:] - change[1:].mean(), atol=1e-12)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9])
def test_placebo_interval_inverts_the_test(level: float) -> None:
    placebos = np.random.default_rng(3).normal(size=19)
    found = placebo_test(0.7, placebos, level=level)
    for end, outwards in ((found.ci_low, -1e-6), (found.ci_high, 1e-6)):
        assert placebo_test(0.7, placebos, null=end - outwards).p_value > 1 - level + 1e-12
        assert placebo_test(0.7, placebos, null=end + outwards).p_value <= 1 - level + 1e-12


def test_too_few_controls_give_no_interval() -> None:
    placebos = np.linspace(-1, 1, 18)
    found = placebo_test(9.0, placebos)
    assert (found.ci_low, found.ci_high) == (-np.inf, np.inf)
    assert found.p_value == 1 / 19
    assert np.isfinite(placebo_test(9.0, np.linspace(-1, 1, 19)).ci_low)


def test_many_treated_units_are_drawn() -> None:
    placebos = np.random.default_rng(7).normal(size=(6, 25))
    first, again, other = (placebo_test(1.0, placebos, draws=4_000, seed=seed) for seed in (1, 1, 2))
    assert not first.exact
    np.testing.assert_array_equal(first.distribution, again.distribution)
    assert not np.array_equal(first.distribution, other.distribution)
    assert first.distribution.std() == pytest.approx(np.sqrt(placebos.var(axis=1).sum()), rel=0.05)


def test_variances_by_size_are_recovered() -> None:
    rng = np.random.default_rng(8)
    size = rng.uniform(1, 50, 20_000)
    placebos = rng.normal(size=20_000) * np.sqrt(0.5 + 3 / size)
    found = placebo_test(1.0, placebos, treated_size=np.array([2.0]), control_size=size)
    assert found.variance is not None
    assert found.variance[0] == pytest.approx([0.5, 3.0], rel=0.1)
    assert found.distribution.var() == pytest.approx(0.5 + 3 / 2, rel=0.1)


def test_rescaling_is_the_ratio_of_fitted_variances() -> None:
    placebos, size = np.array([1.0, -2.0, 0.5, 1.5, -0.2, 0.9]), np.array([10.0, 2.0, 20.0, 4.0, 40.0, 8.0])
    found = placebo_test(1.0, placebos, treated_size=np.array([5.0]), control_size=size)
    design = np.column_stack((np.ones(6), 1 / size))
    A, B = np.linalg.lstsq(design, placebos**2, rcond=None)[0]
    expected = placebos * np.sqrt((max(A, 0) + B / 5) / (max(A, 0) + B / size))
    if A < 0:
        B = np.sum(placebos**2 / size) / np.sum(1 / size**2)
        expected = placebos * np.sqrt(size / 5)
    np.testing.assert_allclose(found.distribution, expected, rtol=1e-9)


def test_equal_variances_need_no_rescaling() -> None:
    placebos = np.array([1.0, -1.0, 1.0, -1.0])
    found = placebo_test(1.0, placebos, treated_size=np.array([3.0]), control_size=np.array([1.0, 2.0, 5.0, 9.0]))
    np.testing.assert_allclose(found.distribution, placebos)


def test_size_of_the_correction_by_simulation() -> None:
    """One large treated group among small controls: rejection at 10 per cent, with the correction and without."""
    rng = np.random.default_rng(9)
    size, rejected = rng.uniform(1, 20, 60), np.zeros((400, 2))
    for i in range(400):
        placebos = rng.normal(size=60) * np.sqrt(1 / size)
        estimate = rng.normal() * np.sqrt(1 / 20)
        plain = placebo_test(estimate, placebos)
        corrected = placebo_test(estimate, placebos, treated_size=np.array([20.0]), control_size=size)
        rejected[i] = plain.p_value <= 0.1, corrected.p_value <= 0.1
    assert rejected[:, 0].mean() < 0.04
    assert rejected[:, 1].mean() == pytest.approx(0.1, abs=3 * np.sqrt(0.09 / 400))


@pytest.mark.parametrize(
    ("sizes", "error", "message"),
    [
        ({"control_size": np.ones(4)}, OptionError, "a positive size for each"),
        ({"treated_size": np.ones(1), "control_size": np.ones(3)}, OptionError, "a positive size for each"),
        ({"treated_size": np.ones(1), "control_size": np.array([1.0, 0, 1, 1])}, OptionError, "a positive size"),
        ({"treated_size": np.ones(1), "control_size": np.ones(4)}, ModelError, "all sizes equal"),
    ],
)
def test_refuses_sizes(sizes: dict[str, np.ndarray], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        placebo_test(1.0, np.array([1.0, -2.0, 0.5, 1.0]), **sizes)  # type: ignore[arg-type]


def test_refuses_missing_placebos() -> None:
    with pytest.raises(DataError, match="finite placebos"):
        placebo_test(1.0, np.array([1.0, np.nan, 0.5]))
