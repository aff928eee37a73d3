"""Panel-corrected standard errors against Beck and Katz's definition with Kronecker products and dummies."""

import numpy as np
import pandas as pd
import pytest

import econ
from econ import DataError, Panel
from econ.errors import OptionError
from econ.inference.covariance import Layout, covariance
from econ.linear.fit import FloatArray, LinearFit

N, T = 4, 12


def panel(seed: int = 1, drop: int = 0) -> Panel:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame([(f"r{i}", 2000 + t) for i in range(N) for t in range(T)], columns=["region", "year"])
    common = np.tile(rng.normal(size=T), N)
    frame["x"] = rng.normal(size=N * T) + common
    frame["z"] = rng.normal(size=N * T)
    frame["y"] = 1 + 0.5 * frame["x"] + common * np.repeat([0.5, 1.0, 1.5, -1.0], T) + rng.normal(size=N * T)
    frame["w"] = rng.uniform(0.5, 2.0, size=N * T)
    return Panel(frame.sample(len(frame) - drop, random_state=seed), "region", "year")


def by_definition(frame: pd.DataFrame, columns: list[str], weights: FloatArray | None = None) -> FloatArray:
    """``(X'WX)^-1 X'W Omega WX (X'WX)^-1`` with Omega written out row by row."""
    dummies = [(frame["region"] == r).astype(float) for r in sorted(frame["region"].unique())]
    X = np.column_stack([frame[columns], *dummies])
    W = np.eye(len(frame)) if weights is None else np.diag(weights)
    bread = np.linalg.inv(X.T @ W @ X)
    u = frame["y"].to_numpy() - X @ bread @ X.T @ W @ frame["y"].to_numpy()
    wide = frame.assign(u=u).pivot(index="year", columns="region", values="u")
    omega = np.zeros((len(frame), len(frame)))
    for a, (i, s) in enumerate(zip(frame["region"], frame["year"], strict=True)):
        for b, (j, t) in enumerate(zip(frame["region"], frame["year"], strict=True)):
            both = wide[[i, j]].dropna().to_numpy() if i != j else np.column_stack([wide[i].dropna()] * 2)
            omega[a, b] = (s == t) * (both[:, 0] @ both[:, 1]) / len(both)
    return (bread @ X.T @ W @ omega @ W @ X @ bread)[: len(columns), : len(columns)]


@pytest.mark.parametrize("drop", [0, 9], ids=["balanced", "unbalanced"])
def test_definition_with_dummies(drop: int) -> None:
    data = panel(drop=drop)
    found = econ.feols(data, "y ~ x + z | region", vcov=econ.pcse())
    np.testing.assert_allclose(found.vcov, by_definition(data.frame, ["x", "z"]), rtol=1e-9)
    assert found.dof[0] == N * T - drop - 2 - N


def test_balanced_is_the_kronecker_form() -> None:
    frame = panel().frame.sort_values(["region", "year"])
    X = np.column_stack([np.ones(N * T), frame["x"]])
    bread = np.linalg.inv(X.T @ X)
    E = (frame["y"] - X @ bread @ X.T @ frame["y"]).to_numpy().reshape(N, T)
    expected = bread @ X.T @ np.kron(E @ E.T / T, np.eye(T)) @ X @ bread
    found = econ.feols(panel(), "y ~ x", vcov=econ.pcse())
    np.testing.assert_allclose(found.vcov, expected, rtol=1e-9)


def test_weights_enter_the_scores_and_not_the_covariance_of_errors() -> None:
    data = panel()
    found = econ.feols(data, "y ~ x + z | region", vcov=econ.pcse(), weights="w")
    np.testing.assert_allclose(found.vcov, by_definition(data.frame, ["x", "z"], data.values("w")), rtol=1e-9)


def test_one_unit_is_the_homoskedastic_covariance_of_large_samples() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 2))
    y = rng.normal(size=20)
    bread = np.linalg.inv(X.T @ X)
    u = y - X @ bread @ X.T @ y
    layout = Layout(unit=np.zeros(20, np.intp), time=np.arange(20))
    found = covariance(econ.pcse(), LinearFit(bread @ X.T @ y, bread, X, u), layout)
    np.testing.assert_allclose(found.matrix, bread * (u @ u) / 20, rtol=1e-10)


def test_fewer_periods_than_units_are_named() -> None:
    assert not econ.feols(panel(), "y ~ x", vcov=econ.pcse()).notes
    short = panel().where(lambda d: d["year"] < 2003)
    (note,) = econ.feols(short, "y ~ x", vcov=econ.pcse()).notes
    assert "10 variances and covariances of 4 units from 3 periods" in note["en"]


def test_repeated_rows_are_refused() -> None:
    data = panel().frame.assign(copy=0)
    twice = Panel(pd.concat([data, data.assign(copy=1)]), ["region", "copy"], "year")
    layout = Layout(unit=np.zeros(2, np.intp), time=np.zeros(2, np.intp))
    fit = LinearFit(np.zeros(1), np.eye(1), np.ones((2, 1)), np.array([1.0, -1.0]))
    assert econ.feols(twice, "y ~ x", vcov=econ.pcse()).n_obs == 2 * N * T
    with pytest.raises(DataError, match="one row for each unit and period"):
        covariance(econ.pcse(), fit, layout)


def test_instruments_and_counts_are_refused() -> None:
    with pytest.raises(OptionError, match="least squares"):
        econ.feols(panel(), "y ~ 1 | region | x ~ z", vcov=econ.pcse())
    with pytest.raises(OptionError, match="Poisson"):
        econ.fepois(panel().assign(y=lambda d: np.exp(d["y"])), "y ~ x | region", vcov=econ.pcse())
