"""Covariances from estimating again."""

import numpy as np
import pytest

from econ.errors import ModelError
from econ.inference.resampling import jackknife_covariance, reassignment_covariance


def test_reassignments_give_their_own_covariance() -> None:
    estimates = np.random.default_rng(0).normal(size=(50, 3)) + 5
    found = reassignment_covariance(estimates, 12, ("words", "文字"))
    np.testing.assert_allclose(found.matrix, np.cov(estimates, rowvar=False, ddof=0))
    assert found.dof.tolist() == [11, 11, 11]
    assert (found.words_en, found.words_zh) == ("words; t(11)", "文字；t(11)")


def test_one_reassignment_is_refused() -> None:
    with pytest.raises(ModelError, match="1 other assignment"):
        reassignment_covariance(np.ones((1, 2)), 3, ("", ""))


def test_the_jackknife_of_means_is_their_covariance() -> None:
    X = np.random.default_rng(1).normal(size=(20, 2))
    found, influence = jackknife_covariance((X.sum(axis=0) - X) / 19, ("words", "文字"))
    np.testing.assert_allclose(found.matrix, np.cov(X, rowvar=False) / 20)
    np.testing.assert_allclose(influence.psi.sum(axis=0), 0.0, atol=1e-12)
    assert found.n_clusters == (20,)
