r"""Exact search for thresholds: one pass of cumulative sums gives the fit at every candidate.

The regressors are common columns ``B`` and ``W(g) = x 1(q <= g)``, one block per threshold. Unit effects are taken out
by ``Q = I - S'S``, where the rows of ``S`` are functionals of one unit each: its mean, scaled; for Hansen's own
transform (1999, eq. 6: the last row of each unit is dropped once the mean is out) also the deviation of its last row.
With ``M = Q - QB (B'QB)^-1 B'Q``,

.. math:: SSR(g) = y'My - (W'My)' (W'MW)^{-1} (W'My).

With rows sorted by q, ``W(g)'My`` is a cumulative sum of ``x_r (My)_r``, ``W'QB`` one of ``x_r (QB)_r'``, and ``W'QW``
one of

.. math:: x_r x_r' - L_r (x_r f_r' + f_r x_r' + L_r x_r x_r')

where ``L_r`` is the row's loading in its unit's functional and ``f_r`` what the functional of W was before row r
came in. So all candidates together cost one product of size N x K, and ``W'MW`` is the same for every outcome: a
bootstrap draw costs one cumulative sum.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.linalg import cho_factor, cho_solve

from econ.errors import ModelError
from econ.linear.fit import BoolArray, FloatArray, IntArray

_SINGULAR = 1e-9  # of a block's own sum of squares: what the other columns leave of it is rounding
_BLOCK = 50  # outcomes at a time


@dataclass(frozen=True, eq=False)
class Rows:
    """What a search works on, in any order of rows.

    Attributes
    ----------
    x : (N, p) the regressors whose slopes change
    B : (N, k) all columns, x among them, independent once unit effects are out
    q : (N,) threshold variable
    unit : (N,) codes 0 to n_units - 1
    last : (N,) true for rows dropped after demeaning; None for the within transform
    """

    x: FloatArray
    B: FloatArray
    q: FloatArray
    unit: IntArray
    last: BoolArray | None = None


@dataclass(frozen=True, eq=False)
class Path:
    """Sums of squares at every candidate, infinite where a candidate is not allowed; ``cut`` is the best."""

    ssr: FloatArray

    @property
    def cut(self) -> int:
        return int(np.argmin(self.ssr))

    @property
    def least(self) -> float:
        return float(self.ssr[self.cut])


class Search:
    """Candidates of one sample, prepared for any number of outcomes.

    Parameters
    ----------
    rows : the sample
    trim : least share of rows in every regime
    step : None for every value of q that ``trim`` allows; 0.0025 for Hansen's grid, the quantiles ``trim, trim + step,
        ..., 1 - trim`` of the distinct values

    Attributes
    ----------
    candidates : (C,) values of q at which the sample may be split; a *cut* is a position among them
    order : (N,) rows by q
    """

    def __init__(self, rows: Rows, trim: float, step: float | None = None) -> None:
        self.order = np.argsort(rows.q, kind="stable")
        self.x, self._unit = rows.x[self.order], rows.unit[self.order]
        self.n_units = int(rows.unit.max()) + 1
        q = rows.q[self.order]
        self._least = max(trim * len(q), 1.0)
        ends = np.flatnonzero(np.append(q[1:] > q[:-1], True))
        if step is None:
            self._ends = ends[(ends + 1 >= self._least) & (len(q) - ends - 1 >= self._least)]
        else:
            shares = trim + step * np.arange(np.floor((1 - 2 * trim) / step + 1e-9) + 1)
            self._ends = np.unique(ends[np.floor(shares * len(ends) + 1e-9).astype(np.intp) - 1])
        self.candidates = q[self._ends]
        self._loadings = _loadings(self._unit, None if rows.last is None else rows.last[self.order])
        self._S = _functionals(self._loadings, self._unit)
        self._B = rows.B[self.order] / np.sqrt((rows.B**2).sum(axis=0))
        self._QB = self._without_effects(self._B)
        self._factor = cho_factor(self._QB.T @ self._B)

    def _without_effects(self, V: FloatArray) -> FloatArray:
        return np.asarray(V - self._S.T @ (self._S @ V))

    def residual(self, V: FloatArray) -> FloatArray:
        """(N, c) ``M V`` of columns V (N, c), rows ordered by q."""
        return np.asarray(self._without_effects(V) - self._QB @ cho_solve(self._factor, self._QB.T @ V))

    @cached_property
    def _gram(self) -> FloatArray:
        """(C, p, p) ``W'MW`` of every candidate."""
        x = self.x
        square = np.einsum("rj,rk->rjk", x, x)
        increments = square.copy()
        for L in self._loadings:
            crossed = L[:, None, None] * np.einsum("rj,rk->rjk", x, _before(L[:, None] * x, self._unit))
            increments -= crossed + crossed.transpose(0, 2, 1) + L[:, None, None] ** 2 * square
        H = self._up_to(np.einsum("rj,rk->rjk", x, self._QB))
        solved = cho_solve(self._factor, H.reshape(-1, H.shape[2]).T).T.reshape(H.shape)
        return np.asarray(self._up_to(increments) - np.einsum("cjk,clk->cjl", H, solved))

    @cached_property
    def _length(self) -> FloatArray:
        """(C, p) lengths of the columns of W, by which singularity is judged."""
        return np.sqrt(np.maximum(self._up_to(self.x**2), np.finfo(float).tiny))

    def _up_to(self, values: FloatArray) -> FloatArray:
        return np.asarray(np.cumsum(values, axis=0)[self._ends])

    # ---- searches

    def path(self, y: FloatArray, given: Sequence[int] = ()) -> Path:
        """Sums of squares at every candidate for an outcome (N,), rows ordered by q, beside the cuts given."""
        r = self.residual(y[:, None])[:, 0]
        gram, moment = self._gram, self._up_to(self.x * r[:, None])
        ssr, allowed = float(y @ r), self._apart(given)
        if given:
            C = np.hstack([self.indicator(cut) for cut in given])
            MC = self.residual(C)
            inverse = np.linalg.inv(C.T @ MC)
            cross = self._up_to(np.einsum("rj,rk->rjk", self.x, MC))
            gram = gram - np.einsum("cjk,kl,cml->cjm", cross, inverse, cross)
            moment = moment - cross @ inverse @ (C.T @ r)
            ssr -= float(C.T @ r @ inverse @ (C.T @ r))
        return Path(np.where(allowed, ssr - _explained(gram, moment[:, :, None], self._length)[:, 0], np.inf))

    def least(self, Y: FloatArray) -> tuple[FloatArray, FloatArray, IntArray]:
        """Sums of squares without and with one threshold (D,), and its cut, for many outcomes Y (N, D) at once."""
        parts = [self._least_of(Y[:, start : start + _BLOCK]) for start in range(0, Y.shape[1], _BLOCK)]
        none, one, cuts = (np.concatenate(part) for part in zip(*parts, strict=True))
        return none, one, cuts

    def _least_of(self, Y: FloatArray) -> tuple[FloatArray, FloatArray, IntArray]:
        R = self.residual(Y)
        moment = np.stack([self._up_to(column[:, None] * R) for column in self.x.T], axis=1)
        explained = _explained(self._gram, moment, self._length)
        best = explained.argmax(axis=0)
        none = np.einsum("rd,rd->d", Y, R)
        return none, none - explained[best, np.arange(Y.shape[1])], best

    def refined(self, y: FloatArray, cuts: Sequence[int]) -> list[int]:
        """Each cut but the last searched again given the others (Bai 1997), in the order found."""
        cuts = list(cuts)
        for k in range(len(cuts) - 1):
            cuts[k] = self.path(y, cuts[:k] + cuts[k + 1 :]).cut
        return cuts

    def fitted(self, y: FloatArray, cuts: Sequence[int]) -> FloatArray:
        """(N,) ``W d``, the part of y that changes with the regimes; zero without cuts."""
        if not cuts:
            return np.zeros_like(y)
        C = np.hstack([self.indicator(cut) for cut in cuts])
        return np.asarray(C @ np.linalg.solve(C.T @ self.residual(C), self.residual(C).T @ y))

    def left(self, y: FloatArray, cuts: Sequence[int]) -> FloatArray:
        """(N,) residuals with unit means out, of every row, of y on all columns and the cuts' blocks."""
        rest = (y - self.fitted(y, cuts))[:, None]
        rest = rest - self._B @ cho_solve(self._factor, self._QB.T @ rest)
        means = np.bincount(self._unit, weights=rest[:, 0]) / np.bincount(self._unit)
        return np.asarray(rest[:, 0] - means[self._unit])

    def indicator(self, cut: int) -> FloatArray:
        """(N, p) ``W(g)``, rows ordered by q."""
        end = self._ends[cut] + 1
        return np.concatenate((self.x[:end], np.zeros_like(self.x[end:])))

    def _apart(self, given: Sequence[int]) -> BoolArray:
        """(C,) candidates that leave every regime its least number of rows."""
        allowed = np.ones(len(self._ends), dtype=np.bool_)
        for cut in given:
            allowed &= np.abs(self._ends - self._ends[cut]) >= self._least
        if not allowed.any():
            raise ModelError(
                f"No value of the threshold variable is left for threshold number {len(given) + 1}: every regime needs "
                f"{self._least:.0f} rows. Ask for fewer thresholds or a smaller trim."
            )
        return allowed


def _loadings(unit: IntArray, last: BoolArray | None) -> list[FloatArray]:
    """Loadings (N,) of the rows in the functionals of their units."""
    counts = np.bincount(unit)
    mean = 1 / np.sqrt(counts)[unit]
    return [mean] if last is None else [mean, last - 1 / counts[unit]]


def _functionals(loadings: Sequence[FloatArray], unit: IntArray) -> sparse.csr_array:
    """``S`` (functionals x units, N)."""
    n, n_units = len(unit), int(unit.max()) + 1
    parts = [sparse.csr_array((L, (unit, np.arange(n))), shape=(n_units, n)) for L in loadings]
    return sparse.csr_array(sparse.vstack(parts))


def _before(values: FloatArray, unit: IntArray) -> FloatArray:
    """(N, p) sums over the unit's earlier rows."""
    order = np.argsort(unit, kind="stable")
    ordered = values[order]
    running = np.cumsum(ordered, axis=0) - ordered
    first = np.flatnonzero(np.diff(unit[order], prepend=-1))
    running -= running[first][unit[order]]
    out = np.empty_like(values)
    out[order] = running
    return out


def _explained(gram: FloatArray, moment: FloatArray, length: FloatArray) -> FloatArray:
    """(C, D) ``m' G^-1 m`` of G (C, p, p) and m (C, p, D); minus infinity where G is singular."""
    scaled = gram / (length[:, :, None] * length[:, None, :])
    eigenvalues, U = np.linalg.eigh(scaled) if gram.shape[1] > 1 else (scaled[:, :, 0], np.ones_like(scaled))
    usable = eigenvalues[:, 0] > _SINGULAR
    z = np.einsum("cjk,cjd->ckd", U, moment / length[:, :, None])
    found = np.einsum("ckd,ck->cd", z**2, 1 / np.maximum(eigenvalues, _SINGULAR))
    found[~usable] = -np.inf
    return np.asarray(found)
