"""Least squares with common factors, on arrays: ``y_it = x_it'b + l_i'f_t + e_it`` and effects of units and periods.

Given b, factors and loadings are principal components, so that what is left to minimise is a function of b alone: the
sum of the smaller eigenvalues of ``(y - Xb)'(y - Xb)``. Its Gauss-Newton step regresses the residuals on X with the
directions in which factors and loadings can move taken out (``unit[f] + period[l]``), which takes a few steps where
Bai's (2009) iteration between b and the factors takes hundreds, and ends where that ends. Cells that are not observed
are parameters like b, the derivative of whose cell is one: at the minimum each equals what effects and factors say.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from econ.design.absorb import Absorber, Effect
from econ.design.collinear import TOLERANCE
from econ.linear.fit import BoolArray, FloatArray, IntArray

MAX_STEPS, MAX_HALVINGS = 200, 30
_TOLERANCE = 1e-9  # of a step, in standard errors of a regression whose errors sum to SSR
_LOCAL = 1e-5  # steps below this are taken whole: rounding hides what they gain
_EXACT = 1e-12  # what rounding can leave of an outcome, relative to its size


@dataclass(frozen=True, eq=False)
class FactorData:
    """A regression's rows by unit and period.

    Attributes
    ----------
    y, X : (N, T), (N, T, K), zero where no row is
    unit, time : (n,) codes of the rows
    by_unit, by_time : whether units and periods have effects
    """

    y: FloatArray
    X: FloatArray
    unit: IntArray
    time: IntArray
    by_unit: bool
    by_time: bool

    @cached_property
    def seen(self) -> BoolArray:
        """(N, T)"""
        found = np.zeros(self.y.shape, dtype=np.bool_)
        found[self.unit, self.time] = True
        return found

    @cached_property
    def complete(self) -> bool:
        return bool(self.seen.all())

    def effects(self, *, unit: bool, time: bool) -> tuple[Effect, ...]:
        """Intercepts of units and of periods, over the rows."""
        N, T = self.y.shape
        return (Effect("unit", self.unit, N),) * unit + (Effect("time", self.time, T),) * time


@dataclass(frozen=True, eq=False)
class FactorFit:
    """Where a descent ended.

    Attributes
    ----------
    coef : (K,)
    factors : (T, R) with ``F'F = T I``, the strongest first
    loadings : (N, R), orthogonal
    residuals : (N, T), zero where no row is
    ssr : their sum of squares
    converged : whether coefficients and cells not observed had come to rest
    """

    coef: FloatArray
    factors: FloatArray
    loadings: FloatArray
    residuals: FloatArray
    ssr: float
    converged: bool


def fit_factors(data: FactorData, n_factors: int) -> list[FactorFit]:
    """Descents from several starts, the best first: converged ones before others, then by their sum of squares.

    The function of b can have several local minima (Bai 2009, section 3.2); starts are least squares under the effects
    asked for, under effects of units and periods, and under the factors of the outcome alone.
    """
    found = [_descend(data, n_factors, start) for start in _starts(data, n_factors)]
    return sorted(found, key=lambda fit: (not fit.converged, fit.ssr))


def factor_effects(data: FactorData, factors: FloatArray, loadings: FloatArray) -> tuple[Effect, ...]:
    """Effects, slopes of units on the factors, slopes of periods on the loadings: what regressors are cleared of."""
    N, T = data.y.shape
    own = [Effect(f"unit[[f{r}]]", data.unit, N, factors[data.time, r]) for r in range(factors.shape[1])]
    common = [Effect(f"time[[l{r}]]", data.time, T, loadings[data.unit, r]) for r in range(factors.shape[1])]
    return (*data.effects(unit=data.by_unit, time=data.by_time), *own, *common)


def factor_rank(data: FactorData, n_factors: int) -> int:
    """Parameters of effects, factors and loadings that data can tell apart: ``R (N + T - R)`` without effects."""
    N, T = (int(size) for size in data.y.shape)
    u, t, R = int(data.by_unit), int(data.by_time), n_factors
    return u * N + t * T - u * t + R * (N - t + T - u - R)


# ---- given the parameters


class _State(NamedTuple):
    parameters: FloatArray  # (K + H,) coefficients, then the cells not observed
    F: FloatArray  # (T, R), orthonormal
    L: FloatArray  # (N, R)
    E: FloatArray  # (N, T)
    ssr: float


def _state(data: FactorData, n_factors: int, parameters: FloatArray) -> _State:
    """Factors and loadings by least squares given the parameters."""
    K = data.X.shape[2]
    W = data.y - data.X @ parameters[:K]
    W[~data.seen] = parameters[K:]
    W = _centred(W, data)
    F, L = _principal(W, n_factors)
    E = W - L @ F.T
    return _State(parameters, F, L, E, float(np.sum(E**2)))


def _centred(M: FloatArray, data: FactorData) -> FloatArray:
    """M (N, T) less the effects of units and periods."""
    M = M - M.mean(axis=1, keepdims=True) * data.by_unit
    return np.asarray(M - M.mean(axis=0) * data.by_time)


def _principal(M: FloatArray, n_factors: int) -> tuple[FloatArray, FloatArray]:
    """(T, R) orthonormal factors, the strongest first, and (N, R) loadings of M (N, T)."""
    N, T = M.shape
    top = slice(-1, -n_factors - 1, -1)
    if T <= N:
        F = np.linalg.eigh(M.T @ M)[1][:, top]
        return F, M @ F
    U = np.linalg.eigh(M @ M.T)[1][:, top]
    scores = M.T @ U
    strength = np.maximum(np.linalg.norm(scores, axis=0), np.finfo(float).tiny)
    return scores / strength, U * strength


def _left(data: FactorData, F: FloatArray, L: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(N, N) and (T, T) that take effects, factors and loadings out of a matrix, from its left and from its right."""
    N, T = data.y.shape
    U = L / np.maximum(np.linalg.norm(L, axis=0), np.finfo(float).tiny)
    A, B = np.eye(N) - U @ U.T, np.eye(T) - F @ F.T
    return A - data.by_time / N, B - data.by_unit / T


# ---- descents


def _starts(data: FactorData, n_factors: int) -> Iterator[FloatArray]:
    K = data.X.shape[2]
    for unit, time in dict.fromkeys([(data.by_unit, data.by_time), (True, True)] if K else []):
        y, X = _taken_out(data, data.effects(unit=unit, time=time))
        yield _with_cells(data, _least_squares(X, y))
    alone = _descend(replace(data, X=data.X[:, :, :0]), n_factors, _with_cells(data, np.zeros(0)))
    A, B = _left(data, alone.factors / np.sqrt(len(alone.factors)), alone.loadings)
    Z = np.stack([A @ X @ B for X in np.moveaxis(data.X, 2, 0)], axis=2) if K else data.X
    yield _with_cells(data, _least_squares(Z, data.y))


def _least_squares(X: FloatArray, y: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.lstsq(X.reshape(y.size, -1), y.ravel(), rcond=_EXACT)[0], dtype=np.float64)


def _with_cells(data: FactorData, b: FloatArray) -> FloatArray:
    """Coefficients, and the cells not observed as means of unit and period say."""
    W, seen = np.where(data.seen, data.y - data.X[:, :, : len(b)] @ b, 0.0), data.seen
    mean = W.sum() / seen.sum()
    sums = (W.sum(axis=axis, keepdims=True) / seen.sum(axis=axis, keepdims=True) for axis in (0, 1))
    return np.append(b, (sum(sums) - mean)[~seen])


def _descend(data: FactorData, n_factors: int, start: FloatArray) -> FactorFit:
    state, converged = _state(data, n_factors, start), False
    floor = _EXACT**2 * float(np.sum(data.y**2))
    for _ in range(MAX_STEPS):
        direction, gain = _direction(data, state)
        converged = gain <= max(_TOLERANCE**2 * state.ssr, floor)
        following = None if converged else _follow(data, n_factors, state, direction, gain)
        if following is None:
            break
        state = following
    scale, K = np.sqrt(len(state.F)), data.X.shape[2]
    E = np.where(data.seen, state.E, 0.0)
    return FactorFit(state.parameters[:K], state.F * scale, state.L / scale, E, float(np.sum(E**2)), converged)


def _direction(data: FactorData, state: _State) -> tuple[FloatArray, float]:
    """The Gauss-Newton step, and by how much it promises to lower the sum of squares.

    Derivatives of the residuals are those of the regressors, and of a cell (i, t) ``-A[:, i] B[t, :]``, with which the
    normal equations of the cells are ``A[i, j] B[t, s]``.
    """
    A, B = _left(data, state.F, state.L)
    i, t = np.nonzero(~data.seen)
    K, parameters = data.X.shape[2], data.X.shape[2] + len(i)
    Z = np.empty((K, *data.y.shape))
    for k in range(K):
        Z[k] = A @ data.X[:, :, k] @ B
    gram, right = np.empty((parameters, parameters)), np.empty(parameters)
    gram[:K, :K] = np.einsum("kit,lit->kl", Z, Z)
    gram[:K, K:] = -Z[:, i, t]
    gram[K:, :K] = gram[:K, K:].T
    gram[K:, K:] = A[np.ix_(i, i)] * B[np.ix_(t, t)]
    right[:K], right[K:] = np.einsum("kit,it->k", Z, state.E), -state.E[i, t]
    scale, size = np.sqrt(np.diag(gram)), np.append(np.sqrt(np.einsum("itk,itk->k", data.X, data.X)), np.ones(len(i)))
    scale[scale**2 <= TOLERANCE * size**2] = np.inf
    step = np.linalg.lstsq(gram / np.outer(scale, scale), right / scale, rcond=_EXACT)[0] / scale
    return step, float(step @ right)


def _follow(data: FactorData, n_factors: int, state: _State, direction: FloatArray, gain: float) -> _State | None:
    """The state a Gauss-Newton step ahead, halved until the sum of squares falls; ``gain`` is what it promises."""
    for halving in range(MAX_HALVINGS):
        share = 0.5**halving
        ahead = _state(data, n_factors, state.parameters + share * direction)
        if gain <= _LOCAL**2 * state.ssr or ahead.ssr <= state.ssr - 1e-4 * share * gain:
            return ahead
    return None


def _taken_out(data: FactorData, effects: tuple[Effect, ...]) -> tuple[FloatArray, FloatArray]:
    """Outcome and regressors less the effects, in the grid."""
    if not effects:
        return data.y, data.X
    rows = np.column_stack([data.y[data.unit, data.time], data.X[data.unit, data.time]])
    left = np.zeros((*data.y.shape, rows.shape[1]))
    left[data.unit, data.time] = Absorber(effects).residualize(rows)
    return left[:, :, 0], left[:, :, 1:]
