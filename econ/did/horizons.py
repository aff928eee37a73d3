"""One horizon of local projections: long differences of newly treated units and clean controls, date by date."""

from dataclasses import dataclass

import numpy as np

from econ.did.design import DidDesign
from econ.errors import ModelError
from econ.linear.fit import BoolArray, FloatArray, IntArray
from econ.options import ProjectionWeighting

_NOTHING = 1e-10  # share of a sum of squares that rounding can leave when everything is explained


@dataclass(frozen=True, eq=False)
class Projection:
    """Who is compared at horizon h in which date, and over which periods.

    Attributes
    ----------
    h : periods from the date to the outcome
    treated, clean : (C, T) classes that become treated in a date, and classes that are clean controls there
    after, before : (T, T) zeros and ones; row t has the period of the outcome, and the periods of the base
    """

    h: int
    treated: BoolArray
    clean: BoolArray
    after: FloatArray
    before: FloatArray


@dataclass(frozen=True, eq=False)
class Horizon:
    """An estimate at one horizon.

    Attributes
    ----------
    h, coef : the horizon and its effect
    size : newly treated units (sum of weights) compared
    n_rows, n_parameters : of the regression, dates counted; both zero for regression adjustment
    used : (n,) units in it
    moves : how a unit moves the effect, (n,), or by class (C, T + 1): per outcome in deviation from the class mean, and
        a constant
    loadings : (C, T) weights of class means of the outcome, None with covariates
    """

    h: int
    coef: float
    size: float
    n_rows: int
    n_parameters: int
    used: BoolArray
    moves: FloatArray
    loadings: FloatArray | None

    def n_clusters(self, codes: IntArray | None) -> int:
        """Clusters with a unit in it; ``codes`` (n,) or None when every unit is one."""
        return int(self.used.sum()) if codes is None else len(np.unique(codes[self.used]))


def by_class(design: DidDesign, projection: Projection, weighting: ProjectionWeighting) -> Horizon | None:
    """Of a complete panel without covariates, from class means; None where nothing is compared.

    With contrast ``b_t`` of date t, the long difference of unit i is ``b_t'Y_i``: that of its class's mean plus
    ``b_t'(Y_i - m_c)``.
    """
    inside = projection.treated | projection.clean
    size = design.class_weight[:, None]
    rows = _rows(projection.treated, inside * size, inside * design.n_rows, weighting)
    contrast = projection.after - projection.before / projection.before.sum(axis=1, keepdims=True).clip(min=1.0)
    fit = None if rows is None else _regress(rows, design.means @ contrast.T, np.zeros((0, *inside.shape)))
    if rows is None or fit is None:
        return None
    moves = np.column_stack([fit.score @ contrast, (fit.score * fit.residual).sum(axis=1)]) / size
    return _horizon(projection.h, rows, fit, rows.used[design.class_of], moves, fit.score @ contrast)


def by_unit(design: DidDesign, projection: Projection, weighting: ProjectionWeighting) -> Horizon | None:
    """Of any panel, with or without covariates, from units; None where nothing is compared."""
    treated = projection.treated[design.class_of]
    difference, seen = _long_differences(design, projection)
    seen &= treated | projection.clean[design.class_of]
    w = np.ones((design.n_units, 1)) if design.unit_weights is None else design.unit_weights[:, None]
    x = np.array(list(design.covariates.values())).reshape(-1, *seen.shape)
    if len(x) and weighting == "equal":
        return _adjusted(projection.h, difference, treated, seen * w, x)
    rows = _rows(treated, seen * w, seen, weighting)
    fit = None if rows is None else _regress(rows, difference, x)
    if rows is None or fit is None:
        return None
    psi = (fit.score * fit.residual).sum(axis=1)
    loadings = None if len(x) else _loadings(design, projection, fit.score)
    return _horizon(projection.h, rows, fit, rows.used, psi, loadings)


# ---- least squares


@dataclass(frozen=True, eq=False)
class _Rows:
    """R classes or units by T dates: the regression's weights (zero outside it), and its counts."""

    treated: BoolArray
    weights: FloatArray
    size: float
    n_rows: int
    n_dates: int

    @property
    def used(self) -> BoolArray:
        """(R,)"""
        return np.asarray((self.weights > 0).any(axis=1))


@dataclass(frozen=True, eq=False)
class _Fit:
    """``coef = sum(score * difference)``, over (R, T); residuals, and the number of covariates."""

    coef: float
    score: FloatArray
    residual: FloatArray
    n_covariates: int


def _rows(
    treated: BoolArray, weights: FloatArray, counts: FloatArray | BoolArray, weighting: ProjectionWeighting
) -> _Rows | None:
    """The rows of the regression; None where no date has both treated and controls.

    ``"equal"`` weighs the rows of a date by one over its share of controls, and leaves out dates without both. A date
    with a single row is left out: its effect fits it.
    """
    total = weights.sum(axis=0)
    share = np.divide((weights * treated).sum(axis=0), total, out=np.zeros_like(total), where=total > 0)
    both = (share > 0) & (share < 1)
    if not both.any():
        return None
    dates = both if weighting == "equal" else counts.sum(axis=0) > 1
    factor = np.divide(1.0, 1.0 - share, out=np.zeros_like(share), where=both) if weighting == "equal" else dates
    size = float((weights * treated)[:, both].sum())
    return _Rows(treated, weights * factor, size, int(counts[:, dates].sum()), int(dates.sum()))


def _regress(rows: _Rows, difference: FloatArray, x: FloatArray) -> _Fit | None:
    """Least squares of the differences on treatment, x (p, R, T) and dates; None where these explain treatment."""
    W = rows.weights
    D, y = _about_dates(rows.treated.astype(np.float64), W), _about_dates(difference, W)
    alone = float((W * D * D).sum())
    if len(x):
        x = np.array([_about_dates(column, W) for column in x])
        bread = _inverse(np.einsum("prt,qrt,rt->pq", x, x, W), np.einsum("prt,prt,rt->p", x, x, W))
        D = D - np.tensordot(bread @ np.einsum("prt,rt,rt->p", x, W, D), x, axes=1)
        y = y - np.tensordot(bread @ np.einsum("prt,rt,rt->p", x, W, y), x, axes=1)
    left = float((W * D * D).sum())
    if left <= _NOTHING * alone:
        return None
    score = W * D / left
    coef = float((score * y).sum())
    return _Fit(coef, score, y - coef * D, len(x))


def _horizon(
    h: int, rows: _Rows, fit: _Fit, used: BoolArray, moves: FloatArray, loadings: FloatArray | None
) -> Horizon:
    return Horizon(h, fit.coef, rows.size, rows.n_rows, 1 + fit.n_covariates + rows.n_dates, used, moves, loadings)


# ---- regression adjustment


def _adjusted(h: int, difference: FloatArray, treated: BoolArray, weights: FloatArray, x: FloatArray) -> Horizon | None:
    """The differences of the treated less what date and x predict for them among controls, averaged.

    ``sum_t s_t {mean_t(y; treated) - mean_t(y; controls)} - g'z`` with s the dates' shares of the treated, z the same
    contrast of x, and g the slopes among controls.
    """
    W0, W1 = weights * ~treated, weights * treated
    n0 = W0.sum(axis=0)
    W1 = W1 * (n0 > 0)
    if not W1.sum() > 0:
        return None
    x0 = np.array([_about_dates(column, W0) for column in x])
    y0 = _about_dates(difference, W0)
    gram = np.einsum("prt,qrt,rt->pq", x0, x0, W0)
    bread = _inverse(gram, np.einsum("prt,prt,rt->p", x, x, W0))
    slopes = bread @ np.einsum("prt,rt,rt->p", x0, W0, y0)
    adjusted = y0 - np.tensordot(slopes, x0, axes=1)
    share = W1 / W1.sum()
    coef = float((share * adjusted).sum())
    shift = np.einsum("prt,rt->p", x0, share)
    per_date = np.divide(share.sum(axis=0), n0, out=np.zeros_like(n0), where=n0 > 0)
    control = W0 * (per_date + np.tensordot(bread @ shift, x0, axes=1))
    psi = (share * (adjusted - coef) - control * adjusted).sum(axis=1)
    used = np.asarray((W0 + W1 > 0).any(axis=1))
    return Horizon(h, coef, float(W1.sum()), 0, 0, used, psi, None)


# ---- arrays


def _long_differences(design: DidDesign, projection: Projection) -> tuple[FloatArray, BoolArray]:
    """(n, T) outcome h periods after each date less the base; and where these are seen (with covariates, the date)."""
    o = _observed(design)
    count = o @ projection.before.T
    seen = (o @ projection.after.T > 0) & (count > 0)
    if design.covariates:
        seen &= o > 0
    base = np.divide(design.Y @ projection.before.T, count, out=np.zeros_like(design.Y), where=count > 0)
    return np.where(seen, design.Y @ projection.after.T - base, 0.0), seen


def _loadings(design: DidDesign, projection: Projection, score: FloatArray) -> FloatArray:
    """(C, T) weights of outcomes summed by class."""
    o = _observed(design)
    count = (o @ projection.before.T).clip(min=1.0)
    weights = score @ projection.after - o * ((score / count) @ projection.before)
    sums: FloatArray = np.add.reduceat(weights, design.starts[:-1], axis=0)
    return sums


def _observed(design: DidDesign) -> FloatArray:
    """(n, T) one where the outcome is observed."""
    return np.ones(design.Y.shape) if design.observed is None else design.observed.astype(np.float64)


def _about_dates(values: FloatArray, weights: FloatArray) -> FloatArray:
    """(R, T) values less their weighted mean in each date, where rows have weight."""
    total = weights.sum(axis=0)
    mean: FloatArray = np.divide((weights * values).sum(axis=0), total, out=np.zeros_like(total), where=total > 0)
    return values - mean


def _inverse(gram: FloatArray, magnitude: FloatArray) -> FloatArray:
    scale = np.sqrt(np.diag(gram).clip(min=0.0))
    if (scale**2 > _NOTHING * magnitude).all():
        correlation = gram / np.outer(scale, scale)
        if np.linalg.eigvalsh(correlation)[0] > _NOTHING:
            inverse: FloatArray = np.linalg.inv(correlation) / np.outer(scale, scale)
            return inverse
    raise ModelError(
        "The covariates do not vary between units within the dates, or are collinear there; leave one of them out."
    )
