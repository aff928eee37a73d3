"""Two-stage least squares and the tests of instruments, against linearmodels and against their definitions."""

import numpy as np
import pytest
from linearmodels.iv import IV2SLS, IVGMM
from scipy import stats

from econ.errors import ModelError
from econ.linear.fit import FloatArray
from econ.linear.iv import Moments, control_function, fit_2sls, overidentification, weak_identification
from econ.linear.ols import fit_ols

Arrays = dict[str, FloatArray]


@pytest.fixture
def data() -> Arrays:
    rng = np.random.default_rng(0)
    Z, X = rng.normal(size=(300, 3)), np.column_stack([np.ones(300), rng.normal(size=300)])
    u = rng.normal(size=300) * (1 + np.abs(Z[:, 0]))
    Y = np.column_stack([Z @ [1.0, 0.5, 0.0], Z @ [0.0, 0.3, 0.4]]) + rng.normal(size=(300, 2)) + 0.5 * u[:, None]
    y = Y @ [1.0, -1.0] + X @ [2.0, 0.5] + u
    return {"y": y, "X": X, "Y": Y, "Z": Z, "w": rng.random(300) + 0.2}


def robust(scores: FloatArray) -> FloatArray:
    return np.asarray(scores.T @ scores)


def by_tens(scores: FloatArray) -> FloatArray:
    sums = scores.reshape(-1, 10, scores.shape[1]).sum(axis=1)
    return np.asarray(sums.T @ sums)


@pytest.mark.parametrize("weighted", [False, True])
def test_equals_linearmodels(data: Arrays, weighted: bool) -> None:
    w = data["w"] if weighted else None
    iv = fit_2sls(data["y"], data["X"], data["Y"], data["Z"], w)
    theirs = IV2SLS(data["y"], data["X"], data["Y"], data["Z"], weights=w).fit(cov_type="robust")
    np.testing.assert_allclose(iv.fit.coef, np.roll(theirs.params.to_numpy(), 2), rtol=1e-10)
    scores = iv.fit.X * iv.fit.weighted_residuals[:, None]
    V = iv.fit.bread @ scores.T @ scores @ iv.fit.bread
    np.testing.assert_allclose(np.sqrt(np.diag(V)), np.roll(theirs.std_errors.to_numpy(), 2), rtol=1e-10)


def test_exactly_identified_is_the_ratio_of_covariances(data: Arrays) -> None:
    y, x, z = data["y"], data["Y"][:, 0], data["Z"][:, 0]
    iv = fit_2sls(y, np.ones((300, 1)), x[:, None], z[:, None])
    assert iv.fit.coef[0] == pytest.approx(np.cov(z, y)[0, 1] / np.cov(z, x)[0, 1], rel=1e-12)


def test_instrumenting_by_itself_is_least_squares(data: Arrays) -> None:
    iv = fit_2sls(data["y"], data["X"], data["Y"], data["Y"])
    np.testing.assert_allclose(iv.fit.coef, fit_ols(data["y"], np.hstack([data["Y"], data["X"]])).coef, rtol=1e-10)


@pytest.mark.parametrize("weighted", [False, True])
def test_sargan(data: Arrays, weighted: bool) -> None:
    w = data["w"] if weighted else None
    iv = fit_2sls(data["y"], data["X"], data["Y"], data["Z"], w)
    test = overidentification(iv, data["X"], data["Z"], w, None)
    theirs = IV2SLS(data["y"], data["X"], data["Y"], data["Z"], weights=w).fit().sargan
    assert test is not None and test.name == "sargan" and test.dof == (1,)
    assert test.statistic == pytest.approx(theirs.stat, rel=1e-8)
    assert test.p_value == pytest.approx(theirs.pval, rel=1e-6)


@pytest.mark.parametrize(("moments", "options"), [(robust, {}), (by_tens, {"clusters": np.repeat(np.arange(30), 10)})])
def test_hansen(data: Arrays, moments: Moments, options: dict[str, FloatArray]) -> None:
    iv = fit_2sls(data["y"], data["X"], data["Y"], data["Z"])
    test = overidentification(iv, data["X"], data["Z"], None, moments)
    kind = "clustered" if options else "robust"
    theirs = IVGMM(data["y"], data["X"], data["Y"], data["Z"], weight_type=kind, **options).fit(iter_limit=2)
    assert test is not None and test.name == "hansen"
    assert test.statistic == pytest.approx(theirs.j_stat.stat, rel=1e-8)


def test_just_identified_has_no_overidentification(data: Arrays) -> None:
    iv = fit_2sls(data["y"], data["X"], data["Y"], data["Z"][:, :2])
    assert overidentification(iv, data["X"], data["Z"][:, :2], None, robust) is None


def test_too_few_clusters_for_hansen(data: Arrays) -> None:
    def two(scores: FloatArray) -> FloatArray:
        sums = scores.reshape(2, -1, scores.shape[1]).sum(axis=1)
        return np.asarray(sums.T @ sums)

    iv = fit_2sls(data["y"], data["X"], data["Y"], data["Z"])
    test = overidentification(iv, data["X"], data["Z"], None, two)
    assert test is not None and np.isnan(test.statistic)
    assert test.note is not None and "fewer clusters than instruments" in test.note["en"]


def weak(data: Arrays, moments: Moments, n_endogenous: int = 2) -> dict[str, float]:
    Y = data["Y"][:, :n_endogenous]
    tests = weak_identification(data["X"], Y, data["Z"], None, moments, n_absorbed=0, n_clusters=None)
    return {test.name: test.statistic for test in tests}


def test_homoskedastic_rk_is_anderson_and_cragg_donald(data: Arrays) -> None:
    """Canonical correlations from a generalised eigenproblem, instead of from orthonormal bases."""
    M = np.eye(300) - data["X"] @ np.linalg.pinv(data["X"])
    Y, Z = M @ data["Y"], M @ data["Z"]
    P = Z @ np.linalg.pinv(Z)
    s2 = np.linalg.eigvals(np.linalg.solve(Y.T @ Y, Y.T @ P @ Y)).real.min()
    found = weak(data, None)
    assert found["kleibergen_paap_lm"] == pytest.approx(300 * s2, rel=1e-9)
    assert found["cragg_donald"] == pytest.approx(s2 / (1 - s2) * (300 - 5) / 3, rel=1e-9)
    assert found["kleibergen_paap"] == pytest.approx(found["cragg_donald"], rel=1e-9)


def test_one_endogenous_regressor_is_a_robust_f_and_score_test(data: Arrays) -> None:
    x, n_instruments = data["Y"][:, 0], 3
    stage = fit_ols(x, np.hstack([data["Z"], data["X"]]))
    scores = stage.X * stage.residuals[:, None]
    V = stage.bread @ scores.T @ scores @ stage.bread
    b = stage.coef[:n_instruments]
    found = weak(data, robust, 1)
    F = b @ np.linalg.solve(V[:3, :3], b) / n_instruments * (300 - 5) / 300
    assert found["kleibergen_paap"] == pytest.approx(F, rel=1e-9)
    M = np.eye(300) - data["X"] @ np.linalg.pinv(data["X"])
    S = (M @ data["Z"]) * (M @ x)[:, None]
    g = S.sum(axis=0)
    assert found["kleibergen_paap_lm"] == pytest.approx(g @ np.linalg.solve(S.T @ S, g), rel=1e-9)


@pytest.mark.parametrize("moments", [None, robust, by_tens])
def test_weak_instrument_tests_do_not_depend_on_the_basis(data: Arrays, moments: Moments) -> None:
    turned = data | {
        "Y": data["Y"] @ np.array([[1.0, 2.0], [-3.0, 0.5]]) + data["X"] @ np.array([[5.0, 0.0], [1.0, 2.0]]),
        "Z": data["Z"] @ np.array([[1.0, 1.0, 0.0], [0.0, 4.0, 1.0], [2.0, 0.0, 1e-3]]),
    }
    expected, found = weak(data, moments), weak(turned, moments)
    assert found == pytest.approx(expected, rel=1e-7)


def test_wu_hausman_equals_linearmodels(data: Arrays) -> None:
    iv = fit_2sls(data["y"], data["X"], data["Y"], data["Z"])
    fit = control_function(data["y"], iv, None)
    V = fit.bread[:2, :2] * (fit.residuals @ fit.residuals) / (300 - 6)
    theirs = IV2SLS(data["y"], data["X"], data["Y"], data["Z"]).fit().wu_hausman()
    F = fit.coef[:2] @ np.linalg.solve(V, fit.coef[:2]) / 2
    assert theirs.stat == pytest.approx(F, rel=1e-8)
    assert theirs.pval == pytest.approx(stats.f.sf(F, 2, 294), rel=1e-6)


def test_underidentified(data: Arrays) -> None:
    with pytest.raises(ModelError, match="2 endogenous regressors and 1 usable instruments"):
        fit_2sls(data["y"], data["X"], data["Y"], data["Z"][:, :1])
    unrelated = fit_ols(data["Y"][:, 1], np.hstack([data["Z"], data["X"]])).residuals
    Y = np.column_stack([data["Y"][:, 0], unrelated])
    with pytest.raises(ModelError, match="do not move some combination"):
        weak_identification(data["X"], Y, data["Z"], None, None, n_absorbed=0, n_clusters=None)
