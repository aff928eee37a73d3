"""Dynamic panel GMM by definition: one explicit Z_i, H_i and residual vector per unit, loops over everything."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]
Wide = dict[tuple[Any, int], float]  # (unit, period) -> value, absent where missing


@dataclass(frozen=True)
class ByHand:
    """Estimates, covariances and tests of both steps."""

    n_instruments: int
    first: Array
    first_vcov: Array
    second: Array
    second_vcov: Array
    windmeijer: Array
    sargan: float
    hansen: float
    ar: dict[tuple[int, int], float]  # (step, order); of step 2 with Windmeijer's covariance


def lookup(frame: pd.DataFrame, column: str) -> Wide:
    """The observed values of a column of ``unit, t, ...``."""
    return {
        (u, int(t)): float(v)
        for u, t, v in zip(frame["unit"], frame["t"], frame[column], strict=True)
        if np.isfinite(v)
    }


def lagged(x: Wide, k: int) -> Wide:
    return {(u, t + k): v for (u, t), v in x.items()}


def transform_of(periods: Sequence[int], kind: str) -> tuple[Array, list[int]]:
    """The matrix that takes a unit's rows to the transformed ones, and their dates."""
    n, rows, dates = len(periods), [], []
    for j, t in enumerate(periods):
        row = np.zeros(n)
        if kind == "difference" and j and periods[j - 1] == t - 1:
            row[j], row[j - 1] = 1, -1
            rows.append(row)
            dates.append(t)
        if kind == "orthogonal" and j < n - 1:
            m = n - 1 - j
            row[j] = 1
            row[j + 1 :] = -1 / m
            rows.append(row * np.sqrt(m / (m + 1)))
            dates.append(t + 1)
    return np.array(rows).reshape(-1, n), dates


def dynamic_by_hand(
    y: Wide,
    X: Sequence[Wide],
    gmm: Sequence[tuple[Wide, int, int, bool]],
    iv: Sequence[tuple[Wide, str]],
    *,
    system: bool,
    kind: str = "difference",
    weighting: str = "dpd",
    time_effects: bool = True,
) -> ByHand:
    """``gmm``: (variable, first lag, last lag, collapsed); ``iv``: (variable, equation)."""
    keys = sorted(key for key in y if all(key in x for x in X) and all(key in x for x, _ in iv))
    units = sorted({u for u, _ in keys})
    periods = sorted({t for _, t in keys})
    dummies = periods if system else periods[1:]
    names: dict[Any, int] = {}
    stacks = []
    for u in units:
        own = [t for v, t in keys if v == u]
        T, dates = transform_of(own, kind)
        D = transform_of(own, "difference")
        level = np.array([[x[u, t] for x in X] + [float(t == s) for s in dummies if time_effects] for t in own])
        outcome = np.array([y[u, t] for t in own])
        m, entries = len(dates), []
        for g, (x, first, last, collapsed) in enumerate(gmm):
            for row, t in enumerate(dates):
                own_lags = [k for k in range(first, last + 1) if (u, t - k) in x]
                entries += [(("D", g, k, None if collapsed else t), row, x[u, t - k]) for k in own_lags]
            for row, t in enumerate(own):
                s = t - first + 1
                if system and (u, s) in x and (u, s - 1) in x:
                    entries.append((("L", g, None if collapsed else t), m + row, x[u, s] - x[u, s - 1]))
        single = [(np.array([x[u, t] for t in own]), where) for x, where in iv]
        if time_effects:
            own_equation = "level" if system else "difference"
            single += [(np.array([float(t == s) for t in own]), own_equation) for s in dummies]
        for j, (x_own, where) in enumerate(single):
            if where != "level":
                entries += [(("iv", j), row, value) for row, value in enumerate(T @ x_own)]
            if system and where != "difference":
                entries += [(("iv", j), m + row, value) for row, value in enumerate(x_own)]
        E = np.vstack([T, np.eye(len(own))]) if system else T
        H = E @ E.T
        if weighting == "dpd":
            H[:m, m:], H[m:, :m] = 0, 0
        if weighting == "identity":
            H = np.eye(len(E))
        for name, *_ in entries:
            names.setdefault(name, len(names))
        stacks.append((entries, E @ level, E @ outcome, H, D[0] @ level, D[0] @ outcome, D[1], m))
    return _solve(stacks, len(names), names, kind, weighting)


def _solve(stacks: list[Any], L: int, names: dict[Any, int], kind: str, weighting: str) -> ByHand:
    Z = []
    for entries, X, *_ in stacks:
        z = np.zeros((len(X), L))
        for name, row, value in entries:
            z[row, names[name]] = value
        Z.append(z)
    Xs, ys = [stack[1] for stack in stacks], [stack[2] for stack in stacks]
    K = Xs[0].shape[1]
    ZX = sum(z.T @ x for z, x in zip(Z, Xs, strict=True))
    Zy = sum(z.T @ y for z, y in zip(Z, ys, strict=True))

    def step(W: Array) -> tuple[Array, Array, Array, list[Array]]:
        A = np.linalg.inv(W)
        bread = np.linalg.inv(ZX.T @ A @ ZX)
        P = bread @ ZX.T @ A
        coef = P @ Zy
        return coef, bread, P, [y - x @ coef for x, y in zip(Xs, ys, strict=True)]

    W1 = sum(z.T @ stack[3] @ z for z, stack in zip(Z, stacks, strict=True))
    b1, _, P1, u1 = step(W1)
    g1 = [z.T @ u for z, u in zip(Z, u1, strict=True)]
    S = sum(np.outer(g, g) for g in g1)
    V1 = P1 @ S @ P1.T
    b2, V2, P2, u2 = step(S)
    g2 = [z.T @ u for z, u in zip(Z, u2, strict=True)]
    total1, total2 = sum(g1), sum(g2)
    D = np.zeros((K, K))
    for k in range(K):
        cross = sum(np.outer(z.T @ x[:, k], g) for z, x, g in zip(Z, Xs, g1, strict=True))
        D[:, k] = P2 @ (cross + cross.T) @ np.linalg.solve(S, total2)
    V = V2 + D @ V2 + V2 @ D.T + D @ V1 @ D.T
    top = np.concatenate([u[: stack[7]] for u, stack in zip(u1, stacks, strict=True)])
    scale = 2 if kind == "difference" and weighting != "identity" else 1
    sigma2 = top @ top / scale / (len(top) - K)
    ar = {}
    for number, (b, g, P, vcov) in enumerate(((b1, g1, P1, V1), (b2, g2, P2, V)), 1):
        ar |= {(number, order): _correlation(stacks, order, b, g, P, vcov) for order in (1, 2)}
    sargan = total1 @ np.linalg.solve(W1, total1) / sigma2
    hansen = total2 @ np.linalg.solve(S, total2)
    return ByHand(L, b1, V1, b2, V2, V, float(sargan), float(hansen), ar)


def _correlation(stacks: list[Any], order: int, b: Array, g: list[Array], P: Array, V: Array) -> float:
    total, squares, slope, mixed = 0.0, 0.0, np.zeros(len(b)), np.zeros(P.shape[1])
    for stack, own in zip(stacks, g, strict=True):
        X, y, dates = stack[4:7]
        w = y - X @ b
        at = {t: j for j, t in enumerate(dates)}
        before = np.array([w[at[t - order]] if t - order in at else 0.0 for t in dates])
        a = float(before @ w)
        total, squares = total + a, squares + a * a
        slope, mixed = slope + before @ X, mixed + own * a
    return float(total / np.sqrt(squares - 2 * slope @ P @ mixed + slope @ V @ slope))
