"""Influences kept by unit and by class give the same covariances."""

import numpy as np
import pytest

import econ
from econ import OptionError
from econ.inference import influence as module
from econ.inference.influence import ClassInfluence, UnitInfluence, influence_covariance
from econ.linear.fit import FloatArray


def by_class(weights: FloatArray | None = None) -> ClassInfluence:
    """Three classes of 4, 7 and 2 units, five features, three parameters."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(13, 5))
    return ClassInfluence(
        lambda rows, c: features[rows],
        np.array([0, 4, 11, 13]),
        rng.normal(size=(3, 3, 5)),
        rng.normal(size=(3, 3)),
        weights,
    )


def by_unit(source: ClassInfluence) -> UnitInfluence:
    rows = []
    for i in range(13):
        c = int(np.searchsorted(source.starts, i, side="right")) - 1
        w = 1.0 if source.weights is None else source.weights[i]
        rows.append(w * (source.loadings[c] @ source.features(slice(i, i + 1), c)[0] + source.constants[c]))
    return UnitInfluence(np.array(rows))


@pytest.mark.parametrize("weights", [None, np.random.default_rng(1).uniform(0.5, 2, 13)], ids=["plain", "weighted"])
@pytest.mark.parametrize("block", [3, 16_384])
def test_classes_are_units_summed(weights: FloatArray | None, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BLOCK", block)
    source = by_class(weights)
    expected = by_unit(source)
    codes = np.arange(13) % 4
    np.testing.assert_allclose(source.gram(), expected.gram(), rtol=1e-12)
    np.testing.assert_allclose(source.by_cluster(codes, 4), expected.by_cluster(codes, 4), rtol=1e-12, atol=1e-14)


def test_units_sum_by_cluster() -> None:
    psi = np.random.default_rng(2).normal(size=(13, 3))
    codes = np.arange(13) % 4
    sums = np.array([psi[codes == g].sum(axis=0) for g in range(4)])
    np.testing.assert_allclose(UnitInfluence(psi).by_cluster(codes, 4), sums)
    np.testing.assert_allclose(UnitInfluence(psi).gram(), psi.T @ psi)


@pytest.mark.parametrize(("kind", "factor"), [("CR0", 1.0), ("CR1", 4 / 3)])
def test_the_factor_is_that_of_the_kind_unless_given(kind: str, factor: float) -> None:
    source = UnitInfluence(np.random.default_rng(3).normal(size=(13, 3)))
    codes = np.arange(13) % 4
    sums = source.by_cluster(codes, 4)
    spec = econ.cluster("g", kind=kind)  # type: ignore[arg-type]
    found = influence_covariance(source, spec, codes, 4)
    np.testing.assert_allclose(found.matrix, factor * sums.T @ sums)
    assert (found.factor, set(found.dof), found.n_clusters) == (factor, {3.0}, (4,))
    np.testing.assert_allclose(influence_covariance(source, spec, codes, 4, factor=2.0).matrix, 2 * sums.T @ sums)
    assert "clustered by g (4 clusters)" in found.words_en
    assert "t(3)" in found.words_zh


def test_every_unit_is_a_cluster_without_codes() -> None:
    source = by_class()
    found = influence_covariance(source, econ.cluster("unit", kind="CR0"), None, 13)
    np.testing.assert_allclose(found.matrix, by_unit(source).gram(), rtol=1e-12)


@pytest.mark.parametrize("spec", [econ.iid(), econ.cluster("a", "b"), econ.cluster("a", kind="CR2")], ids=str)
def test_covariances_that_need_a_regression_are_refused(spec: econ.inference.specs.Vcov) -> None:
    with pytest.raises(OptionError, match="no single regression"):
        influence_covariance(by_class(), spec, None, 13)
