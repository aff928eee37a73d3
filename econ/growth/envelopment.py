"""Programs of data envelopment analysis, on arrays: radial, its slacks, directional, slacks-based.

Shapes everywhere: N points are measured against n reference points. Everything is divided by the point's own amounts,
so that no result hangs on units of measure; a zero amount is divided by the mean of the reference points instead.
Amounts are ``X`` (inputs), ``Y`` (good outputs) and ``B`` (bad outputs). The technology is all that the reference
points span with intensities ``lambda >= 0`` (constant returns), that sum to 1 (variable) or to at most 1
(non-increasing), and what wastes more inputs or makes less good output.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from econ.growth.programs import Programs, solve
from econ.linear.fit import BoolArray, FloatArray, IntArray
from econ.options import DeaOrientation

Returns = Literal["crs", "vrs", "nirs"]
PART = 2_000_000  # numbers in the amounts of reference points relative to those of the points measured at once


@dataclass(frozen=True, eq=False)
class Bundle:
    """Amounts of several points: ``X`` (N, m) inputs, ``Y`` (N, s) good outputs, ``B`` (N, q) bad outputs."""

    X: FloatArray
    Y: FloatArray
    B: FloatArray

    def __len__(self) -> int:
        return len(self.X)

    def __getitem__(self, rows: BoolArray | IntArray) -> "Bundle":
        return Bundle(self.X[rows], self.Y[rows], self.B[rows])


@dataclass(frozen=True, eq=False)
class Use:
    """How reference points may be combined: returns to scale, and (N,) the one each point may not use, its own."""

    returns: Returns = "crs"
    excluded: IntArray | None = None


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores and the combination of reference points each point is compared with; NaN where there is none.

    Attributes
    ----------
    score : (N,)
    weights : (N, n) intensities
    targets : what the point would use and make, as far as the program says
    """

    score: FloatArray
    weights: FloatArray
    targets: Bundle


def in_parts(measure: Callable[[Bundle, Use], Scores], points: Bundle, reference: Bundle, use: Use) -> Scores:
    """``measure`` for a part of the points at a time, so that no array outgrows the memory."""
    amounts = sum(part.shape[1] for part in (points.X, points.Y, points.B))
    step = max(1, PART // (len(reference) * amounts))
    found = []
    for start in range(0, len(points), step):
        rows = np.arange(start, min(start + step, len(points)))
        own = None if use.excluded is None else use.excluded[rows]
        found.append(measure(points[rows], Use(use.returns, own)))
    targets = Bundle(*(np.concatenate([getattr(part.targets, name) for part in found]) for name in ("X", "Y", "B")))
    return Scores(
        np.concatenate([part.score for part in found]), np.concatenate([part.weights for part in found]), targets
    )


@dataclass(frozen=True, eq=False)
class _Relative:
    """Reference amounts (N, n, k) over each point's own, and its own (N, k): 1, or 0 where it has none of them."""

    x: FloatArray
    y: FloatArray
    b: FloatArray
    own_x: FloatArray
    own_y: FloatArray
    own_b: FloatArray
    base: Bundle

    @classmethod
    def of(cls, points: Bundle, reference: Bundle) -> "_Relative":
        (x, base_x), (y, base_y), (b, base_b) = (
            _over_own(getattr(points, name), getattr(reference, name)) for name in ("X", "Y", "B")
        )
        owns = (points.X / base_x, points.Y / base_y, points.B / base_b)
        return cls(x, y, b, *owns, Bundle(base_x, base_y, base_b))


def _over_own(own: FloatArray, reference: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(N, n, k) reference amounts over the (N, k) bases, and these: own amounts, else the mean, else 1."""
    base = np.where(own > 0, own, reference.mean(axis=0))
    base = np.where(base > 0, base, 1.0)
    return reference[None] / base[:, None], base


def radial(points: Bundle, reference: Bundle, orientation: DeaOrientation, use: Use) -> Scores:
    r"""Radial efficiency: ``theta`` or ``1 / phi``, 1 on the frontier, below 1 inside, above 1 beyond it.

    ``min theta: sum lambda x_j <= theta x, sum lambda y_j >= y`` (input), or
    ``max phi: sum lambda x_j <= x, sum lambda y_j >= phi y`` (output).
    """
    r = _Relative.of(points, reference)
    N, n, m = r.x.shape
    inward = orientation == "input"
    A = np.zeros((N, m + r.y.shape[2], 1 + n))
    A[:, :m, 1:], A[:, m:, 1:] = r.x.transpose(0, 2, 1), -r.y.transpose(0, 2, 1)
    if inward:
        A[:, :m, 0] = -r.own_x
    else:
        A[:, m:, 0] = r.own_y
    b = np.concatenate([np.zeros_like(r.own_x), -r.own_y] if inward else [r.own_x, np.zeros_like(r.own_y)], axis=1)
    cost = np.zeros((N, 1 + n))
    cost[:, 0] = 1.0 if inward else -1.0
    found = _solve(cost, A, b, np.zeros((N, 0, 1 + n)), np.zeros((N, 0)), use, 1)
    factor, weights = found[:, 0], found[:, 1:]
    factor = np.where(factor > 0, factor, np.nan)
    X = points.X * factor[:, None] if inward else points.X
    Y = points.Y if inward else points.Y * factor[:, None]
    return Scores(factor if inward else 1 / factor, weights, Bundle(X, Y, points.B))


def second_stage(points: Bundle, reference: Bundle, use: Use) -> Scores:
    """The second stage: which intensities save and make the most, from ``points`` on.

    The sum of what is saved of inputs and made more of outputs is maximised, each over the mean of that amount in the
    reference points. ``points`` are those moved radially already. The score is that sum.
    """
    r = _Relative.of(points, reference)
    N, n, m = r.x.shape
    s = r.y.shape[2]
    E = np.zeros((N, m + s, m + s + n))
    E[:, :, : m + s] = np.diag(np.concatenate([np.ones(m), -np.ones(s)]))
    E[:, :m, m + s :], E[:, m:, m + s :] = r.x.transpose(0, 2, 1), r.y.transpose(0, 2, 1)
    cost = np.zeros((N, m + s + n))
    means = [np.where(part.any(axis=0), part.mean(axis=0), 1.0) for part in (reference.X, reference.Y)]
    cost[:, :m], cost[:, m : m + s] = -r.base.X / means[0], -r.base.Y / means[1]
    e = np.concatenate([r.own_x, r.own_y], axis=1)
    found = _solve(cost, np.zeros((N, 0, m + s + n)), np.zeros((N, 0)), E, e, use, m + s)
    slack = found[:, : m + s]
    X, Y = points.X - slack[:, :m] * r.base.X, points.Y + slack[:, m:] * r.base.Y
    return Scores(-(cost * found).sum(axis=1), found[:, m + s :], Bundle(X, Y, points.B))


def directional(points: Bundle, reference: Bundle) -> Scores:
    r"""Directional inefficiency ``beta >= 0``: more good and less bad output at given inputs, constant returns.

    ``max beta: sum lambda x_j <= x, sum lambda y_j >= (1 + beta) y, sum lambda b_j = (1 - beta) b`` (Chung, Fare and
    Grosskopf 1997): bad output is weakly disposable, it can only be cut together with good output. The points
    must be within the technology.
    """
    r = _Relative.of(points, reference)
    N, n, m = r.x.shape
    s, q = r.y.shape[2], r.b.shape[2]
    A = np.zeros((N, m + s, 1 + n))
    A[:, :m, 1:], A[:, m:, 1:], A[:, m:, 0] = r.x.transpose(0, 2, 1), -r.y.transpose(0, 2, 1), r.own_y
    E = np.zeros((N, q, 1 + n))
    E[:, :, 1:], E[:, :, 0] = r.b.transpose(0, 2, 1), r.own_b
    cost = np.zeros((N, 1 + n))
    cost[:, 0] = -1.0
    b = np.concatenate([r.own_x, -r.own_y], axis=1)
    found = _solve(cost, A, b, E, r.own_b, Use(), 1)
    beta = found[:, :1]
    return Scores(beta[:, 0], found[:, 1:], Bundle(points.X, points.Y * (1 + beta), points.B * (1 - beta)))


def slacks_based(points: Bundle, reference: Bundle, orientation: DeaOrientation, use: Use) -> Scores:
    r"""Slacks-based measure, and with ``use.excluded`` its super-efficiency.

    With targets ``x*, y*, b*`` spanned by the reference points (inputs and bad outputs at least, good outputs at most
    what they span), over the point's own amounts,

    .. math:: \rho = \min \frac{\operatorname{mean}(x^*)}{\operatorname{mean}(y^*,\, 2 - b^*)}

    where ``x* <= 1, y* >= 1, b* <= 1`` (Tone 2001; with bad outputs Tone 2004), and the other way round,
    ``x* >= 1, y* <= 1, b* >= 1``, for super-efficiency (Tone 2002). With orientation ``"input"`` the
    denominator is 1 and outputs stay at least what they are, with ``"output"`` the numerator is 1. All amounts are
    positive. Solved by Charnes and Cooper's change of variables, ``t`` the inverse of the denominator.
    """
    r = _Relative.of(points, reference)
    N, n, m = r.x.shape
    s, q = r.y.shape[2], r.b.shape[2]
    k, sign = m + s + q, 1.0 if use.excluded is None else -1.0
    span = np.concatenate([r.x, r.y, r.b], axis=2).transpose(0, 2, 1)
    direction = np.concatenate([np.ones(m), -np.ones(s), np.ones(q)])
    A = np.zeros((N, 2 * k, 1 + k + n))  # variables: t, targets times t, intensities times t
    A[:, :k, 1 : 1 + k], A[:, :k, 1 + k :] = -np.diag(direction), direction[:, None] * span
    A[:, k:, 1 : 1 + k], A[:, k:, 0] = sign * np.diag(direction), -sign * direction
    fixed = {"input": range(m, k), "output": range(m), "none": range(0)}[orientation]
    E = np.zeros((N, 1 + len(fixed), 1 + k + n))
    E[:, 0, 0], E[:, 0, 1 + m : 1 + m + s], E[:, 0, 1 + m + s : 1 + k] = 2 * q / (s + q), 1 / (s + q), -1 / (s + q)
    for row, at in enumerate(fixed, 1):
        E[:, row, 1 + at], E[:, row, 0] = 1.0, -1.0
    e = np.zeros((N, 1 + len(fixed)))
    e[:, 0] = 1.0
    cost = np.zeros((N, 1 + k + n))
    cost[:, 1 : 1 + m] = 1 / m
    found = _solve(cost, A, np.zeros((N, 2 * k)), E, e, use, 1 + k, scaled_by=0)
    t = found[:, :1]
    target = found[:, 1 : 1 + k] / t
    X, Y, B = target[:, :m] * points.X, target[:, m : m + s] * points.Y, target[:, m + s :] * points.B
    return Scores(found[:, 1 : 1 + m].mean(axis=1), found[:, 1 + k :] / t, Bundle(X, Y, B))


def _solve(
    cost: FloatArray,
    A: FloatArray,
    b: FloatArray,
    E: FloatArray,
    e: FloatArray,
    use: Use,
    first: int,
    scaled_by: int | None = None,
) -> FloatArray:
    """Solve with what ``use`` says of the intensities, the variables from ``first`` on.

    They sum to 1, or to the variable ``scaled_by``.
    """
    if use.returns != "crs":
        row, right = np.zeros((len(cost), 1, cost.shape[1])), np.ones((len(cost), 1))
        row[:, 0, first:] = 1.0
        if scaled_by is not None:
            row[:, 0, scaled_by], right = -1.0, np.zeros_like(right)
        if use.returns == "vrs":
            E, e = np.concatenate([E, row], axis=1), np.concatenate([e, right], axis=1)
        else:
            A, b = np.concatenate([A, row], axis=1), np.concatenate([b, right], axis=1)
    upper = np.full(cost.shape, np.inf)
    if use.excluded is not None:
        upper[np.arange(len(cost)), first + use.excluded] = 0.0
    return solve(Programs(cost, A, b, E, e, upper))
