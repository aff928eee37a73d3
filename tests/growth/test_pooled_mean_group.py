"""Pooled mean group: the likelihood over all parameters, the published iteration, units alike, refusals."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.stats import chi2

import econ
from econ import FormulaError, ModelError, OptionError, Panel
from econ.growth import UnitEstimate, pooled_mean_group

THETA = np.array([0.8, -0.4])


def frame(N: int = 5, T: int = 30, seed: int = 0) -> pd.DataFrame:
    """Random walks x and z, y returning to 0.8 x - 0.4 z at a speed of each unit's own."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(N):
        x, z = rng.normal(size=(2, T + 1)).cumsum(axis=1)
        y, phi, delta, size = [0.0], -rng.uniform(0.2, 0.7), rng.normal(size=2), rng.uniform(0.2, 0.6)
        for t in range(1, T + 1):
            gap = y[-1] - THETA @ (x[t], z[t])
            change = delta @ (x[t] - x[t - 1], z[t] - z[t - 1])
            y.append(y[-1] + phi * gap + change + 0.3 * i + size * rng.normal())
        rows += [(f"u{i}", 2000 + t, y[t], x[t], z[t]) for t in range(T + 1)]
    return pd.DataFrame(rows, columns=["unit", "year", "y", "x", "z"])


def parts(d: pd.DataFrame) -> list[tuple[np.ndarray, ...]]:
    """Of each unit: change of y, lag of y, x and z, and intercept with changes of x and z."""
    found = []
    for _, own in d.sort_values("year").groupby("unit"):
        v = own[["y", "x", "z"]].to_numpy()
        changes = np.diff(v, axis=0)
        found.append((changes[:, 0], v[:-1, 0], v[1:, 1:], np.column_stack([np.ones(len(changes)), changes[:, 1:]])))
    return found


def test_the_likelihood_over_all_parameters() -> None:
    d = frame()
    units, found = parts(d), pooled_mean_group(Panel(d, "unit", "year"), "y ~ x + z")

    def minus(parameters: np.ndarray) -> float:
        theta, own = parameters[:2], parameters[2:].reshape(len(units), 5)
        total = 0.0
        for (dy, lag, x, W), (phi, a, b, c, log_s) in zip(units, own, strict=True):
            u = dy - phi * (lag - x @ theta) - W @ (a, b, c)
            total += 0.5 * len(u) * (np.log(2 * np.pi) + 2 * log_s) + 0.5 * u @ u * np.exp(-2 * log_s)
        return total

    start = np.concatenate([THETA, np.tile([-0.4, 0.0, 0.0, 0.0, -1.0], len(units))])
    best = minimize(minus, start, method="BFGS", options={"gtol": 1e-8, "maxiter": 5000})
    np.testing.assert_allclose(found.coef[:2], best.x[:2], atol=1e-6)
    assert found.stats["loglik"] == pytest.approx(-best.fun, abs=1e-8)
    own = best.x[2:].reshape(len(units), 5)
    np.testing.assert_allclose(found.unit_coef, own[:, [0, 2, 3]], atol=1e-5)
    np.testing.assert_allclose(found.coef[2:], own[:, [0, 2, 3]].mean(axis=0), atol=1e-5)


def test_covariance_is_that_of_the_information_of_all_coefficients() -> None:
    d = frame()
    units, found = parts(d), pooled_mean_group(Panel(d, "unit", "year"), "y ~ x + z")
    theta, N = found.coef[:2], len(units)
    information = np.zeros((2 + 4 * N, 2 + 4 * N))
    for i, (dy, lag, x, W) in enumerate(units):
        phi = found.unit_coef[i, 0]
        J = np.zeros((len(dy), 2 + 4 * N))
        J[:, :2] = -phi * x
        J[:, 2 + 4 * i : 6 + 4 * i] = np.column_stack([lag - x @ theta, W])
        own = np.column_stack([lag - x @ theta, W])
        u = dy - own @ np.linalg.lstsq(own, dy, rcond=None)[0]
        information += J.T @ J / np.mean(u**2)
    np.testing.assert_allclose(found.vcov[:2, :2], np.linalg.inv(information)[:2, :2], rtol=1e-8)
    np.testing.assert_allclose(found.vcov[2:, 2:], np.cov(found.unit_coef.T) / N, rtol=1e-10)
    assert not found.vcov[:2, 2:].any()
    assert found.dof.tolist() == [np.inf, np.inf, N - 1, N - 1, N - 1]


def test_the_published_iteration_ends_in_the_same_place() -> None:
    """Pesaran, Shin and Smith's back-substitution between the long run and the units' regressions."""
    d = frame()
    units, found = parts(d), pooled_mean_group(Panel(d, "unit", "year"), "y ~ x + z")
    theta = np.zeros(2)
    for _ in range(5000):
        left, right = np.zeros((2, 2)), np.zeros(2)
        for dy, lag, x, W in units:
            M = np.eye(len(dy)) - W @ np.linalg.pinv(W)
            gap = lag - x @ theta
            phi = gap @ M @ dy / (gap @ M @ gap)
            s2 = np.mean((M @ (dy - phi * gap)) ** 2)
            left += phi**2 / s2 * x.T @ M @ x
            right += phi / s2 * x.T @ M @ (dy - phi * lag)
        theta = -np.linalg.solve(left, right)
    np.testing.assert_allclose(found.coef[:2], theta, rtol=1e-7)


def test_units_alike_have_the_long_run_of_each() -> None:
    one = frame(N=1)
    d = pd.concat([one.assign(unit=f"u{k}") for k in range(3)])
    found = pooled_mean_group(Panel(d, "unit", "year"), "y ~ x + z", lags=(2, 1))
    v = one[["y", "x", "z"]].to_numpy()
    dv = np.diff(v, axis=0)
    W = np.column_stack([v[1:-1, 0], v[2:, 1:], dv[:-1, 0], dv[1:, 1:], np.ones(len(v) - 2)])
    b = np.linalg.lstsq(W, dv[1:, 0], rcond=None)[0]
    np.testing.assert_allclose(found.coef, [-b[1] / b[0], -b[2] / b[0], b[0], b[3], b[4], b[5]], rtol=1e-7)
    assert found.terms == ("x", "z", "adjustment", "lag(diff(y, 1), 1)", "diff(x, 1)", "diff(z, 1)")


def test_the_long_run_is_found_and_hausman_compares_it_with_the_mean_of_the_units() -> None:
    d = frame(N=12, T=60, seed=3)
    p = Panel(d, "unit", "year")
    found = pooled_mean_group(p, "y ~ x + z")
    assert (np.abs(found.coef[:2] - THETA) < 4 * found.std_error[:2]).all()
    each = []
    for dy, lag, x, W in parts(d):
        b = np.linalg.lstsq(np.column_stack([lag, x, W]), dy, rcond=None)[0]
        each.append(-b[1:3] / b[0])
    mean, V = np.mean(each, axis=0), np.cov(np.transpose(each)) / len(each)
    gap = mean - found.coef[:2]
    statistic = gap @ np.linalg.solve(V - found.vcov[:2, :2], gap)
    test = found.test("hausman")
    assert test.statistic == pytest.approx(statistic, rel=1e-6)
    assert test.p_value == pytest.approx(chi2.sf(statistic, 2), rel=1e-6)
    assert test.dof == (2.0,)


def test_trends_gaps_and_names_with_blanks() -> None:
    d = frame().rename(columns={"x": "研发 经费"})
    gone = d.drop(index=[40, 41, 100])
    found = pooled_mean_group(Panel(gone, "unit", "year"), "y ~ `研发 经费` + z | unit[year]", lags=(1, 1))
    assert found.terms[0] == "研发 经费"
    assert found.spec["fixed_effects"] == ["unit[year]"]
    assert found.n_obs == 150 - 5  # of two gaps, the missing rows and the one after each
    assert found.spec["lags"] == [1, 1]
    assert found.spec["formula"] == "y ~ `研发 经费` + z | unit[year]"


def test_units_that_do_not_return_are_named() -> None:
    d = frame()
    rng = np.random.default_rng(8)
    away = d["unit"] == "u2"
    d.loc[away, "y"] = np.exp(0.1 * np.arange(away.sum())) + 0.05 * rng.normal(size=away.sum())
    notes = [note["en"] for note in pooled_mean_group(Panel(d, "unit", "year"), "y ~ x + z", (1, 0)).notes]
    assert any("1 of 5 units do not return" in note and "u2" in note for note in notes)


def test_results_are_printed_and_read_back() -> None:
    found = pooled_mean_group(Panel(frame(), "unit", "year"), "y ~ x + z")
    again = UnitEstimate.from_json(found.to_json())
    pd.testing.assert_frame_equal(again.by_unit, found.by_unit)
    assert list(found.by_unit.columns) == ["unit", "adjustment", "diff(x, 1)", "diff(z, 1)"]
    assert "Adjustment to the long run" in econ.report.table([found]).markdown()
    assert "向长期关系的调整" in econ.report.table([found], lang="zh").markdown()


@pytest.mark.parametrize(
    ("formula", "lags", "error", "words"),
    [
        ("y ~ x", (0, 1), OptionError, r"lags=\(p, q\): p=0 is not allowed"),
        ("y ~ x", 1, OptionError, "two whole numbers"),
        ("y ~ x", (1.0, 1), OptionError, "whole number, 1 or more"),
        ("y ~ x", (1, True), OptionError, "whole number, 0 or more"),
        ("y ~ x:z", (1, 1), FormulaError, "products"),
        ("y ~ C(year)", (1, 1), FormulaError, "categories"),
        ("y ~ x + lag(y, 1)", (1, 1), FormulaError, "long-run relation"),
        ("y ~ 1", (1, 1), FormulaError, "no long-run term"),
        ("y ~ x | year", (1, 1), FormulaError, "regression of its own"),
        ("y ~ x | unit | z ~ w", (1, 1), FormulaError, "no instruments"),
        ("y ~ x", (20, 1), ModelError, "too few periods|no rows|left"),
        ("y ~ constant", (1, 0), ModelError, "cannot tell|constant"),
    ],
)
def test_bad_input(formula: str, lags: object, error: type[Exception], words: str) -> None:
    p = Panel(frame().assign(constant=1.0, w=0.0), "unit", "year")
    with pytest.raises(error, match=words):
        pooled_mean_group(p, formula, lags)  # type: ignore[arg-type]


def test_a_likelihood_without_maximum_is_an_error() -> None:
    """y is a random walk that x has no part in, and no start leads to a long run."""
    rng = np.random.default_rng(99)
    failed = 0
    for _ in range(40):
        d = frame(N=2, T=8).assign(y=rng.normal(size=18).cumsum())
        try:
            pooled_mean_group(Panel(d, "unit", "year"), "y ~ x", (1, 1))
        except ModelError as error:
            assert "No long run maximises" in str(error)
            failed += 1
    assert failed
