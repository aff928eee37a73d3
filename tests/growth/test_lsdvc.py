"""The bias formula against simulated bias and block-diagonal matrices; LSDVC against its parts."""

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import block_diag

import econ
from econ import FormulaError, ModelError, OptionError, Panel
from econ.growth import lsdvc
from econ.linear.nickell import within_bias


def outcomes(
    rng: np.random.Generator, x: np.ndarray, eta: np.ndarray, first: np.ndarray, gamma: float, noise: float = 1.0
) -> np.ndarray:
    """(N, T + 1), the first given; coefficient of x one."""
    y = np.empty((x.shape[0], x.shape[1] + 1))
    y[:, 0] = first
    for t in range(x.shape[1]):
        y[:, t + 1] = gamma * y[:, t] + x[:, t] + eta + noise * rng.normal(size=len(x))
    return y


def design(N: int, T: int, gamma: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x, eta = rng.normal(size=(N, T)).cumsum(axis=1) * 0.5, rng.normal(size=N)
    return x, eta, eta / (1 - gamma) + rng.normal(size=N)


def within(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    W = np.stack([y[:, :-1], x], axis=2)
    W, Y = W - W.mean(axis=1, keepdims=True), y[:, 1:] - y[:, 1:].mean(axis=1, keepdims=True)
    flat = W.reshape(-1, 2)
    return np.linalg.solve(flat.T @ flat, flat.T @ Y.ravel())


@pytest.mark.parametrize("sigma", [1.0, 3.0])
@pytest.mark.parametrize(("N", "T", "gamma"), [(10, 6, 0.8), (20, 10, 0.4)])
def test_the_third_order_is_the_simulated_bias(N: int, T: int, gamma: float, sigma: float) -> None:
    x, eta, first = design(N, T, gamma)
    rng = np.random.default_rng(2)
    found = np.array([within(outcomes(rng, x, eta, first, gamma, sigma), x) for _ in range(6000)])
    expected = outcomes(rng, x, eta, first, gamma, noise=0.0)[:, :-1]
    bias = within_bias(np.stack([expected, x], axis=2), np.full(N, T), gamma, sigma**2)
    error = np.abs(bias - (found.mean(axis=0) - [gamma, 1.0]))
    noise = found.std(axis=0) / np.sqrt(6000)
    assert (error[2] < 4 * noise).all()
    assert error[2, 0] < error[0, 0]


def test_units_of_unequal_length_by_block_diagonal_matrices() -> None:
    rng = np.random.default_rng(3)
    length, gamma, s2 = np.array([4, 6, 6, 5]), 0.6, 1.7
    W = rng.normal(size=(4, 6, 3)) * (np.arange(6) < length[:, None])[:, :, None]
    rows = np.vstack([W[i, :T] for i, T in enumerate(length)])
    A = block_diag(*(np.eye(T) - 1 / T for T in length))
    P = A @ block_diag(*(np.eye(T, k=-1) @ np.linalg.inv(np.eye(T) - gamma * np.eye(T, k=-1)) for T in length))
    e1, I3, tr = np.eye(3)[0], np.eye(3), np.trace
    Q = np.linalg.inv(rows.T @ A @ rows + s2 * tr(P.T @ P) * np.outer(e1, e1))
    q = Q @ e1
    c1 = s2 * tr(P) * q
    M = Q @ rows.T @ P @ A @ rows
    c2 = -s2 * (M + tr(M) * I3 + 2 * s2 * q[0] * tr(P.T @ P @ P) * I3) @ q
    V = rows.T @ P @ P.T @ rows
    inner = q @ V @ q + q[0] * tr(Q @ V) + 2 * s2 * tr(P.T @ P @ P.T @ P) * q[0] ** 2
    c3 = s2**2 * tr(P) * (2 * q[0] * Q @ V @ q + inner * q)
    found = within_bias(W, length, gamma, s2)
    np.testing.assert_allclose(found, [c1, c1 + c2, c1 + c2 + c3], rtol=1e-10)


@pytest.mark.parametrize("sigma", [0.05, 3.0])
def test_the_bias_of_the_lag_does_not_depend_on_units_of_measurement(sigma: float) -> None:
    x, eta, first = design(10, 6, 0.8)
    expected = outcomes(np.random.default_rng(2), x, eta, first, 0.8, noise=0.0)[:, :-1]
    length = np.full(10, 6)
    one = within_bias(np.stack([expected, x], axis=2), length, 0.8, 1.0)
    other = within_bias(np.stack([sigma * expected, x], axis=2), length, 0.8, sigma**2)
    np.testing.assert_allclose(other, one * [1.0, sigma], rtol=1e-9)


def panel(N: int = 31, T: int = 10, gamma: float = 0.6, seed: int = 0, gaps: bool = False) -> Panel:
    x, eta, first = design(N, T, gamma, seed)
    y = outcomes(np.random.default_rng(seed + 100), x, eta, first, gamma)
    keys = {"unit": np.repeat(np.arange(N), T + 1), "year": np.tile(np.arange(2000, 2001 + T), N)}
    frame = pd.DataFrame(keys | {"y": y.ravel(), "x": np.column_stack([np.full(N, np.nan), x]).ravel()})
    if gaps:
        frame = frame[~((frame["unit"] == 3) & (frame["year"] == 2005))]
    return Panel(frame, "unit", "year")


@pytest.mark.parametrize("initial", ["anderson_hsiao", "arellano_bond", "blundell_bond"])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_it_is_within_less_the_bias_at_the_initial_estimates(initial, order) -> None:  # type: ignore[no-untyped-def]
    p = panel()
    found = lsdvc(p, "y ~ lag(y, 1) + x | unit", initial=initial, order=order, draws=20)
    lags = (2, 2) if initial == "anderson_hsiao" else (2, 4)
    start = (
        econ.growth.dynamic(
            p,
            "y ~ lag(y, 1) + x",
            gmm=[econ.gmm("y", lags=lags)],
            iv=["x"],
            system=initial == "blundell_bond",
            steps=1,
            collapse=True,
            time_effects=False,
        )
        .params[["lag(y, 1)", "x"]]
        .to_numpy()
    )
    y = p.frame["y"].to_numpy().reshape(31, 11)
    x = p.frame["x"].to_numpy().reshape(31, 11)[:, 1:]
    left = y[:, 1:] - start[0] * y[:, :-1] - start[1] * x
    eta = left.mean(axis=1)
    s2 = np.sum((left - eta[:, None]) ** 2) / (310 - 31 - 2)
    path = y.copy()
    for t in range(10):
        path[:, t + 1] = start[0] * path[:, t] + start[1] * x[:, t] + eta
    bias = within_bias(np.stack([path[:, :-1], x], axis=2), np.full(31, 10), start[0], s2)[order - 1]
    fe = econ.feols(p, "y ~ lag(y, 1) + x | unit").coef
    np.testing.assert_allclose(found.coef, fe - bias, rtol=1e-8)
    assert found.stats["correction"] == pytest.approx(-bias[0])


@pytest.mark.slow
def test_it_takes_out_the_bias_and_its_errors_are_those_of_the_sampling() -> None:
    formula = "y ~ lag(y, 1) + x | unit + year"
    found = [lsdvc(panel(seed=seed), formula, draws=20) for seed in range(30)]
    naive = [econ.feols(panel(seed=seed), formula).coef[0] for seed in range(30)]
    errors = np.array([estimate.coef[0] for estimate in found]) - 0.6
    assert np.mean(naive) - 0.6 < -0.03
    assert abs(errors.mean()) < 0.4 * abs(np.mean(naive) - 0.6)
    assert 0.6 < np.mean([estimate.std_error[0] for estimate in found]) / errors.std() < 1.6


def test_units_that_start_late_are_allowed_and_draws_are_reproducible() -> None:
    late = panel().where(lambda d: (d["unit"] > 5) | (d["year"] > 2003))
    first = lsdvc(late, "y ~ lag(y, 1) + x | unit + year", draws=20)
    again = lsdvc(late, "y ~ lag(y, 1) + x | unit + year", draws=20)
    np.testing.assert_array_equal(first.vcov, again.vcov)
    assert first.n_obs == 25 * 10 + 6 * 6
    assert any("order 1/(NT^2)" in note["en"] for note in first.notes)


@pytest.mark.parametrize(
    ("formula", "options", "error", "words"),
    [
        ("y ~ x | unit", {}, FormulaError, "the formula has none"),
        ("y ~ lag(y, 1) + lag(y, 2) | unit", {}, FormulaError, r"lag\(y, 2\)"),
        ("y ~ lag(y, 1) + x | year", {}, FormulaError, "unit effects"),
        ("y ~ lag(y, 1) + x", {}, FormulaError, "unit effects"),
        ("y ~ lag(y, 1) + x | unit", {"order": 4}, OptionError, "from 1 to 3"),
        ("y ~ lag(y, 1) + x | unit", {"order": 1.0}, OptionError, "order=1.0"),
        ("y ~ lag(y, 1) + x | unit", {"order": True}, OptionError, "order=True"),
        ("y ~ lag(y, 1) + x | unit", {"draws": "100"}, OptionError, "draws='100'"),
        ("y ~ lag(y, 1) + x | unit", {"seed": -1}, OptionError, "seed=-1"),
        ("y ~ lag(y, 1) + x | unit", {"draws": 5}, OptionError, "20 or more"),
        ("y ~ lag(y, 1) + x | unit", {"initial": "ols"}, OptionError, "'ols'"),
    ],
)
def test_bad_input(formula, options, error, words) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(error, match=words):
        lsdvc(panel(), formula, **options)


def test_gaps_are_refused() -> None:
    with pytest.raises(ModelError, match=r"1 units have gaps \(3\)"):
        lsdvc(panel(gaps=True), "y ~ lag(y, 1) + x | unit")
