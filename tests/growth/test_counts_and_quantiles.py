"""Negative binomial and quantile regression against the same models written out."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.optimize import linprog

import econ
from econ import DataError, FormulaError, ModelError, OptionError, Panel
from econ.growth import negative_binomial, quantile


def frame(N: int = 20, T: int = 8, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    unit, year = np.repeat(np.arange(N), T), np.tile(np.arange(T), N)
    x, z = rng.normal(size=N * T), rng.normal(size=N * T)
    index = 1.5 + 0.4 * x - 0.2 * z + rng.normal(size=N)[unit] * 0.3 + 0.05 * year
    mean = np.exp(index) * rng.gamma(4, 0.25, N * T)  # dispersion 1/4
    y = 1 + x - 0.5 * z + rng.normal(size=N)[unit] + rng.standard_t(5, N * T)
    return pd.DataFrame({"unit": unit, "year": year, "x": x, "z": z, "n": rng.poisson(mean), "y": y})


def panel(change=lambda d: d) -> Panel:  # type: ignore[no-untyped-def]
    return Panel(change(frame()), "unit", "year")


def written_out(d: pd.DataFrame) -> np.ndarray:
    """x, z, indicators of units and of periods but the first."""
    unit, year = (pd.get_dummies(d[name]).to_numpy(float) for name in ("unit", "year"))
    return np.column_stack([d[["x", "z"]], unit, year[:, 1:]])


def clustered(scores: np.ndarray, bread: np.ndarray, d: pd.DataFrame, k: int) -> np.ndarray:
    """CR1 with effects of units, nested in the clusters, counted as one."""
    sums = pd.DataFrame(scores).groupby(d["unit"].to_numpy()).sum().to_numpy()
    N, G = len(d), d["unit"].nunique()
    return (bread @ sums.T @ sums @ bread)[:2, :2] * G / (G - 1) * (N - 1) / (N - k)


def test_negative_binomial_is_the_model_on_indicators() -> None:
    d = frame()
    Z = written_out(d)
    model = sm.NegativeBinomial(d["n"].to_numpy(float), Z)
    start = np.append(sm.GLM(d["n"], Z, family=sm.families.Poisson()).fit().params, 0.3)
    full = model.fit(start, method="newton", maxiter=200, disp=0)
    found = negative_binomial(panel(), "n ~ x + z | unit + year")
    np.testing.assert_allclose(found.coef, full.params[:2], rtol=1e-6)
    assert found.stats["dispersion"] == pytest.approx(full.params[-1], rel=1e-5)
    assert found.stats["loglik"] == pytest.approx(full.llf, rel=1e-9)
    mu, a = np.exp(Z @ full.params[:-1]), full.params[-1]
    bread = np.linalg.inv(Z.T @ ((mu / (1 + a * mu))[:, None] * Z))
    scores = Z * ((d["n"] - mu) / (1 + a * mu)).to_numpy()[:, None]
    np.testing.assert_allclose(found.vcov, clustered(scores, bread, d, 2 + 1 + 7), rtol=1e-4)
    iid = negative_binomial(panel(), "n ~ x + z | unit + year", vcov=econ.iid())
    ratio = np.diag(iid.vcov) / np.diag(bread)[:2]
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-4)
    poisson = sm.GLM(d["n"], Z, family=sm.families.Poisson()).fit()
    test = found.test("overdispersion")
    assert test.statistic == pytest.approx(2 * (full.llf - poisson.llf), rel=1e-6)
    assert test.p_value < 0.001


def test_quantile_reaches_the_minimum_of_the_linear_programme() -> None:
    d = frame()
    Z = written_out(d)
    n, k = Z.shape
    for q in (0.25, 0.5, 0.8):
        cost = np.concatenate([np.zeros(k), np.full(n, q), np.full(n, 1 - q)])
        bounds = [(None, None)] * k + [(0, None)] * (2 * n)
        exact = linprog(cost, A_eq=np.hstack([Z, np.eye(n), -np.eye(n)]), b_eq=d["y"], bounds=bounds)
        found = quantile(panel(), "y ~ x + z | unit + year", q)
        np.testing.assert_allclose(found.coef, exact.x[:2], rtol=1e-7)
        constant = np.quantile(d["y"], q)
        loss = np.sum((d["y"] - constant) * (q - (d["y"] < constant)))
        assert found.stats["r2_pseudo"] == pytest.approx(1 - exact.fun / loss, rel=1e-9)


def test_the_median_of_symmetric_errors_is_near_their_mean() -> None:
    fe, median = econ.feols(panel(), "y ~ x + z | unit + year"), quantile(panel(), "y ~ x + z | unit + year")
    assert np.abs(fe.coef - median.coef).max() < 0.25
    assert ((median.std_error / fe.std_error > 0.5) & (median.std_error / fe.std_error < 2)).all()


def test_notes_say_what_indicators_do() -> None:
    for found in (negative_binomial(panel(), "n ~ x | unit"), quantile(panel(), "y ~ x | unit")):
        assert any("indicators" in note["en"] for note in found.notes)
    assert not any("indicators" in note["en"] for note in quantile(panel(), "y ~ x").notes)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: negative_binomial(panel(lambda d: d.assign(n=-d["n"])), "n ~ x | unit"), DataError, "negative values"),
        (lambda: negative_binomial(panel(lambda d: d.assign(n=0)), "n ~ x | unit"), ModelError, "zero in every row"),
        (lambda: negative_binomial(panel(), "n ~ 1 | unit | x ~ z"), FormulaError, "no instruments"),
        (lambda: negative_binomial(panel(), "n ~ x | unit[year]"), OptionError, "Slopes by unit"),
        (lambda: negative_binomial(panel(lambda d: d.assign(n=5.0)), "n ~ x | unit"), ModelError, "no maximum"),
        (lambda: quantile(panel(), "y ~ x | unit", 1.0), OptionError, "q=1.0"),
        (lambda: quantile(panel(), "y ~ 1 | unit | x ~ z"), FormulaError, "no instruments"),
        (lambda: quantile(panel(), "y ~ 1 | unit"), ModelError, "No regressor is left"),
    ],
)
def test_bad_input(call, error, words) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(error, match=words):
        call()
