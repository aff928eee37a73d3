"""Small regressions for the covariance tests: with effects absorbed, and the same with every effect as dummies."""

import numpy as np

from econ.design.absorb import Absorber, Effect
from econ.inference.covariance import Layout
from econ.linear.fit import FloatArray, LinearFit


def least_squares(y: FloatArray, X: FloatArray, weights: FloatArray | None = None) -> LinearFit:
    W = np.ones(len(y)) if weights is None else weights
    bread = np.linalg.inv(X.T @ (X * W[:, None]))
    coef = bread @ (X.T @ (W * y))
    return LinearFit(coef, bread, X, y - X @ coef, weights)


def effect(name: str, values: np.ndarray, slope: FloatArray | None = None) -> Effect:
    levels, codes = np.unique(values, return_inverse=True)
    return Effect(name, codes.reshape(-1), levels.size, slope)


def absorbed(
    y: FloatArray, X: FloatArray, effects: list[Effect], weights: FloatArray | None = None, **layout: object
) -> tuple[LinearFit, Layout]:
    """The fit with the effects taken out, and its layout."""
    absorber = Absorber(effects, weights, tol=1e-12)
    columns = absorber.residualize(np.column_stack((y, X)))
    fit = least_squares(columns[:, 0], columns[:, 1:], weights)
    place = Layout(
        effects=tuple(effects),
        n_effects_rank=absorber.n_effects_rank,
        leverage=absorber.leverage,
        **layout,  # type: ignore[arg-type]
    )
    return fit, place


def dummies(effects: list[Effect]) -> FloatArray:
    """(N, rank) the effects as linearly independent columns."""
    D = np.hstack([np.eye(e.n_levels)[e.codes] * (1.0 if e.slope is None else e.slope[:, None]) for e in effects])
    kept: list[int] = []
    for k in range(D.shape[1]):
        if np.linalg.matrix_rank(D[:, [*kept, k]]) > len(kept):
            kept.append(k)
    return D[:, kept]


def with_dummies(
    y: FloatArray, X: FloatArray, effects: list[Effect], weights: FloatArray | None = None, **layout: object
) -> tuple[LinearFit, Layout]:
    """The same regression with every effect as a dummy variable; the first columns are those of ``X``."""
    return least_squares(y, np.hstack((X, dummies(effects))), weights), Layout(**layout)  # type: ignore[arg-type]


def poisson(
    y: FloatArray, X: FloatArray, effects: list[Effect], columns: dict[str, np.ndarray]
) -> tuple[LinearFit, Layout]:
    """Poisson pseudo maximum likelihood by iteratively reweighted least squares, to machine precision."""
    mu = (y + y.mean()) / 2
    eta = np.log(mu)
    absorber = Absorber(effects, mu, tol=1e-11)
    coef = np.full(X.shape[1], np.inf)
    for _ in range(50):
        z = eta + (y - mu) / mu
        absorber = absorber.new_weights(mu)
        taken_out = absorber.residualize(np.column_stack((z, X)))
        step = least_squares(taken_out[:, 0], taken_out[:, 1:], mu)
        eta = z - step.residuals
        mu = np.exp(eta)
        if np.max(np.abs(step.coef - coef)) < 1e-12:
            break
        coef = step.coef
    X = absorber.new_weights(mu).residualize(X)
    fit = LinearFit(step.coef, np.linalg.inv(X.T @ (X * mu[:, None])), X, (y - mu) / mu, mu)
    return fit, Layout(columns, effects=tuple(effects), n_effects_rank=absorber.n_effects_rank, dispersion=1.0)


def random_panel(
    seed: int = 0, n_units: int = 9, n_periods: int = 7, keep: float = 0.85, n_coef: int = 2
) -> tuple[FloatArray, FloatArray, dict[str, np.ndarray]]:
    """An unbalanced panel: outcome, regressors, columns unit, region (groups of units), time (with gaps), lon, lat."""
    rng = np.random.default_rng(seed)
    unit, time = (
        part.ravel() for part in np.meshgrid(np.arange(n_units), [0, 1, 2, 4, 5, 8, 9][:n_periods], indexing="ij")
    )
    present = rng.random(unit.size) < keep
    unit, time = unit[present], time[present]
    order = rng.permutation(unit.size)
    unit, time = unit[order], time[order]
    X = rng.normal(size=(unit.size, n_coef)) + 0.3 * unit[:, None] + 0.2 * time[:, None]
    y = X.sum(axis=1) + rng.normal(size=n_units)[unit] + rng.normal(size=unit.size) * (1 + 0.3 * np.abs(X[:, 0]))
    lon, lat = 100 + 20 * rng.random(n_units), 20 + 20 * rng.random(n_units)
    return y, X, {"unit": unit, "region": unit // 3, "time": time, "lon": lon[unit], "lat": lat[unit]}
