"""Windmeijer's correction against the derivative that it approximates, and which covariances a step takes."""

import numpy as np
import pytest

import econ
from econ import OptionError
from econ.inference.gmm import Windmeijer, checked_gmm_vcov, gmm_covariance, robust_matrix, windmeijer_matrix
from econ.linear.gmm import GmmFit, cross, fit_gmm, inverse_root, unit_moments


def data() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    unit = np.repeat(np.arange(30), 4)
    Z = rng.normal(size=(120, 5))
    X = Z[:, :2] + rng.normal(size=(120, 2))
    return Z, X, X @ [1.0, -0.5] + rng.normal(size=120) * (1 + unit / 30), unit


def two_step(first: np.ndarray) -> tuple[GmmFit, np.ndarray, np.ndarray]:
    """The second step with weights from the residuals at ``first``, moments there, and moments at its own estimate."""
    Z, X, y, unit = data()
    moments = unit_moments(Z, y - X @ first, unit, 30)
    fit = fit_gmm(cross(Z, X), Z.T @ y, inverse_root(moments.T @ moments))
    return fit, moments, Z.T @ (y - X @ fit.coef)


def test_the_correction_is_the_derivative_of_the_second_step_in_the_first() -> None:
    """D of eq. (2.9) by numerical differentiation of the two-step estimate with respect to the one-step one."""
    Z, X, y, unit = data()
    one = fit_gmm(cross(Z, X), Z.T @ y, inverse_root(Z.T @ Z))
    V1 = robust_matrix(one, unit_moments(Z, y - X @ one.coef, unit, 30))
    fit, moments, g = two_step(one.coef)
    step = 1e-5
    D = np.column_stack(
        [
            (two_step(one.coef + step * e)[0].coef - two_step(one.coef - step * e)[0].coef) / (2 * step)
            for e in np.eye(2)
        ]
    )
    V2 = fit.bread
    expected = V2 + D @ V2 + V2 @ D.T + D @ V1 @ D.T
    np.testing.assert_allclose(windmeijer_matrix(fit, V1, Z, X, unit, moments, g), expected, rtol=1e-6)


def test_robust_matrix_is_the_sandwich() -> None:
    Z, X, y, unit = data()
    fit = fit_gmm(cross(Z, X), Z.T @ y, inverse_root(Z.T @ Z))
    u = y - X @ fit.coef
    S = sum(np.outer(Z[unit == i].T @ u[unit == i], Z[unit == i].T @ u[unit == i]) for i in range(30))
    expected = fit.projection @ S @ fit.projection.T
    np.testing.assert_allclose(robust_matrix(fit, unit_moments(Z, u, unit, 30)), expected, rtol=1e-10)


def test_each_step_has_its_default() -> None:
    assert checked_gmm_vcov(None, 1, "firm") == econ.cluster("firm", kind="CR0")
    assert checked_gmm_vcov(None, 2, "firm") == Windmeijer()


@pytest.mark.parametrize(("spec", "steps"), [(econ.cluster("firm"), 2), (econ.hetero(), 1), (econ.windmeijer(), 1)])
def test_other_covariances_are_refused_with_those_that_are_allowed(spec: econ.Estimate, steps: int) -> None:
    with pytest.raises(OptionError, match=r"econ.cluster\('firm', kind='CR0'\)"):
        checked_gmm_vcov(spec, steps, "firm")  # type: ignore[arg-type]


def test_words_say_whether_the_correction_is_there() -> None:
    corrected = gmm_covariance(Windmeijer(), np.eye(1), 2, "firm", 30)
    plain = gmm_covariance(econ.cluster("firm", kind="CR0"), np.eye(1), 2, "firm", 30)
    assert "with Windmeijer's" in corrected.words_en
    assert "without Windmeijer's" in plain.words_en
    assert "未经" in plain.words_zh
    assert corrected.dof[0] == 29
