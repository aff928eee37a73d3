"""CR2, CR3 and their degrees of freedom against the matrices of the definitions."""

import numpy as np
import pytest
from dense_fits import absorbed, dummies, effect, least_squares, random_panel, with_dummies

from econ.errors import ModelError
from econ.inference import bias_reduced
from econ.inference.covariance import Layout, cluster, contrast_dof, covariance
from econ.linear.fit import FloatArray, LinearFit

Y, X, COLUMNS = random_panel(seed=11)
WEIGHTS = np.random.default_rng(6).uniform(0.5, 2.0, Y.size)


def symmetric_power(A: FloatArray, power: float) -> FloatArray:
    """Moore-Penrose power of a symmetric matrix."""
    values, vectors = np.linalg.eigh(A)
    kept = values > 1e-9
    return (vectors[:, kept] * values[kept] ** power) @ vectors[:, kept].T


def by_definition(fit: LinearFit, groups: np.ndarray, power: float, contrast: FloatArray) -> tuple[FloatArray, float]:
    """Bell and McCaffrey's covariance and degrees of freedom with N x N matrices, in the metric of the weights."""
    root = np.ones(len(fit.X)) if fit.weights is None else np.sqrt(fit.weights)
    X, u = fit.X * root[:, None], fit.residuals * root
    residual_maker = np.eye(len(X)) - X @ fit.bread @ X.T
    meat, p = np.zeros((X.shape[1],) * 2), []
    for g in np.unique(groups):
        rows = groups == g
        A = symmetric_power(residual_maker[np.ix_(rows, rows)], -power)
        score = X[rows].T @ A @ u[rows]
        meat += np.outer(score, score)
        p.append(residual_maker[:, rows] @ A @ X[rows] @ fit.bread @ contrast)
    S = np.array(p) @ np.array(p).T
    return fit.bread @ meat @ fit.bread, np.trace(S) ** 2 / np.trace(S @ S)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("groups", ["unit", "region", "time"])
@pytest.mark.parametrize(("kind", "power"), [("CR2", 0.5), ("CR3", 1.0)])
@pytest.mark.parametrize("absorb", [(), ("unit",), ("unit", "time"), ("region", "time")], ids=str)
def test_equals_the_definition_with_dummies(
    absorb: tuple[str, ...], kind: str, power: float, groups: str, weights: FloatArray | None
) -> None:
    effects = [effect(name, COLUMNS[name]) for name in absorb]
    contrast = np.array([1.0, -2.0])
    spec = cluster(groups, kind=kind)  # type: ignore[arg-type]
    if effects:
        fit, layout = absorbed(Y, X, effects, weights, columns=COLUMNS)
        dense, _ = with_dummies(Y, X, effects, weights, columns=COLUMNS)
    else:
        fit, layout = least_squares(Y, X, weights), Layout(COLUMNS)
        dense = fit
    long_contrast = np.concatenate((contrast, np.zeros(dense.X.shape[1] - 2)))
    V, dof = by_definition(dense, COLUMNS[groups], power, long_contrast)
    np.testing.assert_allclose(covariance(spec, fit, layout).matrix, V[:2, :2], rtol=1e-7)
    if kind == "CR2":
        assert contrast_dof(spec, fit, layout, contrast) == pytest.approx(dof, rel=1e-7)


def test_cv3_is_the_delete_one_cluster_jackknife() -> None:
    design = np.column_stack((np.ones(Y.size), X))
    fit = least_squares(Y, design, WEIGHTS)
    units = np.unique(COLUMNS["unit"])
    changes = []
    for unit in units:
        rows = COLUMNS["unit"] != unit
        changes.append(least_squares(Y[rows], design[rows], WEIGHTS[rows]).coef - fit.coef)
    jackknife = (units.size - 1) / units.size * np.array(changes).T @ np.array(changes)
    np.testing.assert_allclose(covariance(cluster("unit", kind="CV3"), fit, Layout(COLUMNS)).matrix, jackknife)


def test_cr2_is_unbiased_when_the_working_model_holds() -> None:
    """``E(V) = s2 (X'WX)^-1`` exactly, by propagating ``Var(u) = W^-1`` through the quadratic form."""
    fit = least_squares(Y, X, WEIGHTS)
    root = np.sqrt(WEIGHTS)
    Z = X * root[:, None]
    M = np.eye(Y.size) - Z @ fit.bread @ Z.T
    expected = np.zeros((2, 2))
    for g in np.unique(COLUMNS["unit"]):
        rows = COLUMNS["unit"] == g
        L = fit.bread @ Z[rows].T @ symmetric_power(M[np.ix_(rows, rows)], -0.5) @ M[rows]
        expected += L @ L.T
    np.testing.assert_allclose(expected, fit.bread, rtol=1e-10)
    V, _ = by_definition(fit, COLUMNS["unit"], 0.5, np.ones(2))
    np.testing.assert_allclose(covariance(cluster("unit", kind="CR2"), fit, Layout(COLUMNS)).matrix, V)


def test_contrast_dof_of_a_coefficient_is_its_dof_and_other_kinds_have_one_number() -> None:
    fit, layout = absorbed(Y, X, [effect("unit", COLUMNS["unit"])], columns=COLUMNS)
    spec = cluster("unit", kind="CR2")
    assert contrast_dof(spec, fit, layout, np.array([0.0, 3.0])) == pytest.approx(covariance(spec, fit, layout).dof[1])
    assert contrast_dof(cluster("unit"), fit, layout, np.array([0.0, 3.0])) == 8


def test_a_treatment_in_one_cluster_only_is_noted() -> None:
    treated = (COLUMNS["unit"] == 0).astype(float)
    fit = least_squares(Y, np.column_stack((np.ones(Y.size), treated)))
    result = covariance(cluster("unit", kind="CR2"), fit, Layout(COLUMNS))
    assert "1 of 9 clusters alone identify" in result.notes[0]["en"]


def test_coefficients_of_single_clusters_are_refused() -> None:
    fit = least_squares(Y, np.eye(9)[COLUMNS["unit"]])
    with pytest.raises(ModelError, match="identified within single clusters only"):
        covariance(cluster("unit", kind="CR2"), fit, Layout(COLUMNS))


@pytest.mark.parametrize("limit", ["MAX_CELLS", "MAX_WORK"])
def test_too_many_dummies_are_refused(monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setattr(bias_reduced, limit, 100)
    fit, layout = absorbed(Y, X, [effect("time", COLUMNS["time"])], columns=COLUMNS)
    with pytest.raises(ModelError, match=r"'time'.*as 7 dummies"):
        covariance(cluster("unit", kind="CR2"), fit, layout)


def test_redundant_effects_change_nothing() -> None:
    """Regions are sums of units: the second set of dummies is spanned by the first."""
    unit, region, time = (effect(name, COLUMNS[name]) for name in ("unit", "region", "time"))
    spec = cluster("time", kind="CR2")
    plain = covariance(spec, *absorbed(Y, X, [unit, time], columns=COLUMNS))
    redundant = covariance(spec, *absorbed(Y, X, [unit, region, time], columns=COLUMNS))
    np.testing.assert_allclose(redundant.matrix, plain.matrix, rtol=1e-7)
    assert dummies([unit, region]).shape[1] == 9
    everyone = effect("everyone", np.zeros(Y.size))
    spec = cluster("unit", kind="CR2")
    plain = covariance(spec, *absorbed(Y, X, [unit], columns=COLUMNS))
    redundant = covariance(spec, *absorbed(Y, X, [unit, everyone], columns=COLUMNS))
    np.testing.assert_allclose(redundant.matrix, plain.matrix, rtol=1e-7)
