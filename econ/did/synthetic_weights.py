r"""Unit and time weights of synthetic difference-in-differences, for many problems at once.

With the N_co controls' outcomes Y, the mean outcome y of the treated, T_pre periods before treatment and the mean
outcome :math:`\bar Y_i` of a control after it (Arkhangelsky, Athey, Hirshberg, Imbens and Wager 2021, eqs. 4 to 6),

.. math::
    \hat\omega &= \arg\min_{\omega_0, \omega \in \Delta} \sum_{t \le T_{pre}}
        \Big(\omega_0 + \sum_i \omega_i Y_{it} - y_t\Big)^2 + \zeta^2 T_{pre} \|\omega\|^2, \\
    \hat\lambda &= \arg\min_{\lambda_0, \lambda \in \Delta} \sum_i
        \Big(\lambda_0 + \sum_{t \le T_{pre}} \lambda_t Y_{it} - \bar Y_i\Big)^2 + \zeta_\lambda^2 N_{co} \|\lambda\|^2

over weights that are not negative and sum to one, with :math:`\zeta = (N_{tr} T_{post})^{1/4} \sigma`,
:math:`\zeta_\lambda = 10^{-6} \sigma` and sigma the standard deviation of the controls' first differences before
treatment. Synthetic control has no intercept, :math:`\zeta = 10^{-6} \sigma` and no time weights.

The published numbers (R synthdid, Stata sdid) are not these minima but where a Frank-Wolfe search stops: 100 steps from
equal weights, weights of at most a quarter of the largest set to zero, and up to 10,000 steps more, until the objective
falls by at most :math:`(10^{-5} \sigma)^2`. The search converges slowly and often ends at 10,000 steps, so it is part
of the estimator here too. On California's tobacco programme the exact minima give -15.605 instead of -15.604, as
synthetic control -19.51 instead of -19.62; on the parliamentary quotas of Clarke, Pailanir, Athey and Imbens (2024)
8.038 instead of 8.034. Where two controls have the same path before treatment, the first of them is tried first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from econ.linear.fit import FloatArray, IntArray
from econ.options import SyntheticKind

TIME_RIDGE = 1e-6  # zeta of the time weights, and of the unit weights of synthetic control, over sigma
SMALLEST_FALL = 1e-5  # root of the fall of the objective at which the search ends, over sigma
FIRST_STEPS, LAST_STEPS = 100, 10_000
SPARSE = 4.0  # weights below the largest over this are set to zero between the two searches
TINY = 1e-300
_BLOCK = 128  # steps between two looks at which problems are solved


@dataclass(frozen=True, eq=False)
class Sample:
    """B problems of one shape: ``controls`` (B, N_co, T) outcomes, ``treated`` (B, C, T) mean outcomes of C cohorts."""

    controls: FloatArray
    treated: FloatArray


def synthetic_weights(
    samples: Sequence[Sample], sizes: IntArray, before: IntArray, kind: SyntheticKind
) -> list[tuple[FloatArray, FloatArray]]:
    """Unit weights (B, C, N_co) and time weights (B, C, T) of each sample, the latter zero from treatment on.

    Parameters
    ----------
    samples : the same periods and cohorts, any number of control units
    sizes : (C,) units of the cohorts, N_tr
    before : (C,) periods before treatment, T_pre
    kind : ``"sdid"``; ``"sc"``, synthetic control; ``"did"``, equal weights
    """
    weights = [_equal(sample, before) for sample in samples]
    if kind == "did":
        return weights
    cohorts = list(zip(sizes.tolist(), before.tolist(), strict=True))
    problems = [_unit_problems(sample, c, *of, kind) for sample in samples for c, of in enumerate(cohorts)]
    if kind == "sdid":
        problems += [_time_problems(sample, n_before) for sample in samples for _, n_before in cohorts]
    found = _solved(problems)
    for unit, time in weights:
        time[:] = 0.0
        for c in range(len(cohorts)):
            unit[:, c] = next(found)
    for _, time in weights if kind == "sdid" else ():
        for c, n_before in enumerate(before):
            time[:, c, :n_before] = next(found)
    return weights


def _equal(sample: Sample, before: IntArray) -> tuple[FloatArray, FloatArray]:
    B, N, T = sample.controls.shape
    time = np.where(np.arange(T) < before[:, None], 1 / before[:, None], 0.0)
    return np.full((B, len(before), N), 1 / N), np.tile(time, (B, 1, 1))


def _unit_problems(sample: Sample, c: int, size: int, n_before: int, kind: SyntheticKind) -> "_Problems":
    past = sample.controls[:, :, :n_before]
    gaps, zeta = past - sample.treated[:, c, None, :n_before], TIME_RIDGE
    if kind == "sdid":
        gaps -= gaps.mean(axis=2, keepdims=True)
        zeta = (size * (sample.controls.shape[2] - n_before)) ** 0.25
    return _problems(gaps.transpose(0, 2, 1), zeta, _sigma(past))


def _time_problems(sample: Sample, n_before: int) -> "_Problems":
    past, after = sample.controls[:, :, :n_before], sample.controls[:, :, n_before:]
    gaps = past - after.mean(axis=2, keepdims=True)
    return _problems(gaps - gaps.mean(axis=1, keepdims=True), TIME_RIDGE, _sigma(past))


def _sigma(past: FloatArray) -> FloatArray:
    """(B,) standard deviation of first differences."""
    changes: FloatArray = np.diff(past, axis=2).reshape(len(past), -1)
    return np.asarray(changes.std(axis=1, ddof=1))


# ---- the search


@dataclass(frozen=True, eq=False)
class _Problems:
    """P problems of one shape: make ``|D x|^2 + ridge |x|^2`` small over weights x.

    As weights sum to one, the target is taken off each column of D, and an intercept is a matter of centring.

    Attributes
    ----------
    D : (P, M, N)
    ridge : (P,)
    least : (P,) fall of the value at which the search ends
    """

    D: FloatArray
    ridge: FloatArray
    least: FloatArray

    def gradient(self, x: FloatArray) -> FloatArray:
        """(P, N) half of it."""
        fitted = np.einsum("pmi,pi->pm", self.D, x)
        gradient: FloatArray = np.einsum("pmi,pm->pi", self.D, fitted) + self.ridge[:, None] * x
        return gradient


def _problems(D: FloatArray, zeta: float, sigma: FloatArray) -> _Problems:
    M = D.shape[1]
    return _Problems(D, M * (zeta * sigma) ** 2, M * (SMALLEST_FALL * sigma) ** 2)


@dataclass(frozen=True, eq=False)
class _Batch:
    """Problems of several shapes, padded to the largest with columns so far off that they are never chosen.

    Attributes
    ----------
    parts : the problems, and ``spans`` their rows among all P
    H : (P, N, N) half the second derivatives
    far : (P,) what padded columns have for a gradient
    least : (P,)
    """

    parts: Sequence[_Problems]
    spans: Sequence[slice]
    H: FloatArray
    far: FloatArray
    least: FloatArray

    def gradient(self, x: FloatArray) -> FloatArray:
        """(P, N)."""
        out = np.repeat(self.far[:, None], x.shape[1], axis=1)
        for part, rows in zip(self.parts, self.spans, strict=True):
            n = part.D.shape[2]
            out[rows, :n] = part.gradient(x[rows, :n])
        return out


def _batch(parts: Sequence[_Problems]) -> _Batch:
    ends = np.cumsum([len(part.D) for part in parts]).tolist()
    spans = [slice(end - len(part.D), end) for end, part in zip(ends, parts, strict=True)]
    N = max(part.D.shape[2] for part in parts)
    H, far = np.empty((ends[-1], N, N)), np.empty(ends[-1])
    for part, rows in zip(parts, spans, strict=True):
        n = np.arange(part.D.shape[2])
        own = H[rows, : len(n), : len(n)]
        np.einsum("pmi,pmj->pij", part.D, part.D, out=own)  # no BLAS: equal columns give equal numbers, to the last bit
        own[:, n, n] += part.ridge[:, None]
        far[rows] = 2 * own[:, n, n].max(axis=1)
        H[rows, :, len(n) :] = H[rows, len(n) :] = far[rows, None, None]
    return _Batch(parts, spans, H, far, np.concatenate([part.least for part in parts]))


def _solved(parts: Sequence[_Problems]) -> Iterator[FloatArray]:
    """The weights of each part; those of like width are searched together."""
    widths = np.array([part.D.shape[2] for part in parts])
    found: dict[int, FloatArray] = {}
    for members in _alike(widths):
        batch = _batch([parts[k] for k in members])
        x = _searched(batch)
        found |= {k: x[rows, : widths[k]] for k, rows in zip(members, batch.spans, strict=True)}
    yield from (found[k] for k in range(len(parts)))


def _alike(widths: IntArray) -> Iterator[list[int]]:
    """Groups of parts, none more than twice as wide as another."""
    left = np.argsort(widths, kind="stable")
    while len(left):
        alike = widths[left] <= 2 * widths[left[0]]
        yield left[alike].tolist()
        left = left[~alike]


def _searched(batch: _Batch) -> FloatArray:
    """(P, N) weights where the search ends."""
    x = np.zeros(batch.H.shape[:2])
    for part, rows in zip(batch.parts, batch.spans, strict=True):
        x[rows, : part.D.shape[2]] = 1 / part.D.shape[2]
    x = _frank_wolfe(batch, x, FIRST_STEPS)
    x = np.where(x <= x.max(axis=1, keepdims=True) / SPARSE, 0.0, x)
    return _frank_wolfe(batch, x / x.sum(axis=1, keepdims=True), LAST_STEPS)


def _frank_wolfe(batch: _Batch, x: FloatArray, n_steps: int) -> FloatArray:
    """Steps with exact line search to the corner of least gradient.

    A problem is solved at its first step but the very first that lowers its value by at most ``least``. All unsolved
    ones move on together, a block of steps at a time; what went beyond the last step is taken back.
    """
    x, rows = x.copy(), np.arange(len(x))
    gradient = batch.gradient(x)
    value = np.einsum("pi,pi->p", gradient, x)
    done = 0
    while done < n_steps and len(rows):
        corners, steps, falls = _steps(batch.H, rows, gradient, value, min(_BLOCK, n_steps - done))
        enough = falls <= batch.least[rows]
        enough[0] &= done > 0
        solved = enough.any(axis=0)
        beyond = np.arange(len(steps))[:, None] > np.where(solved, enough.argmax(axis=0), len(steps))
        x[rows] = _moved(x[rows], corners, np.where(beyond, 0.0, steps))
        done += len(steps)
        if solved.any():
            rows, gradient, value = rows[~solved], gradient[~solved], value[~solved]
    return x


def _steps(
    H: FloatArray, rows: IntArray, gradient: FloatArray, value: FloatArray, n: int
) -> tuple[IntArray, FloatArray, FloatArray]:
    """(n, B) corners, step lengths and falls of the value; ``gradient`` and ``value`` move with them, in place."""
    B, N = gradient.shape
    columns, diagonal = H.reshape(-1, N), np.einsum("pii->pi", H)[rows].reshape(-1)
    own, shared, target = np.arange(B) * N, rows * N, np.empty_like(gradient)
    corners, steps, falls = np.empty((n, B), dtype=np.intp), np.empty((n, B)), np.empty((n, B))
    flat = gradient.reshape(-1)
    for corner, step, fall in zip(corners, steps, falls, strict=True):
        gradient.argmin(axis=1, out=corner)
        here = corner + own
        slope = value - flat[here]
        np.maximum(slope, 0.0, out=slope)
        curvature = diagonal[here] - value
        curvature += slope
        curvature += slope
        reach = np.maximum(curvature, slope)  # no step is longer than one
        np.maximum(reach, TINY, out=reach)
        np.divide(slope, reach, out=step)
        reach -= curvature
        reach += slope
        np.multiply(step, reach, out=fall)
        value -= fall
        columns.take(corner + shared, axis=0, out=target, mode="clip")
        target -= gradient
        target *= step[:, None]
        gradient += target
    return corners, steps, falls


def _moved(x: FloatArray, corners: IntArray, steps: FloatArray) -> FloatArray:
    """(B, N) weights after the steps: every step leaves ``1 - step`` of what was there before."""
    n, (B, N) = len(steps), x.shape
    left = np.ones((n + 1, B))
    left[:-1] = np.cumprod((1 - steps)[::-1], axis=0)[::-1]
    gained = np.bincount((corners + np.arange(B) * N).ravel(), (steps * left[1:]).ravel(), minlength=B * N)
    moved: FloatArray = x * left[0][:, None] + gained.reshape(B, N)
    return moved
