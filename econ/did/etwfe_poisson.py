"""Extended two-way fixed effects for outcomes that are not negative: pooled Poisson, effects on the outcome itself.

Every cell with an effect has an intercept and slopes of its own, so that its rows say nothing about the other
coefficients: the model of the untreated is fitted alone, and predicts the outcomes of the treated without treatment.
An effect is ``mean_k(y) - mean_k(mu0)``, as the likelihood makes the mean fit of a cell its mean outcome.
"""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from econ.design.absorb import Absorber
from econ.design.collinear import cross_products, independent_columns
from econ.did.class_means import clustered, lone_units
from econ.did.comparisons import left_out, name_cells
from econ.did.design import DidDesign
from econ.did.regression import cell_terms, class_cells
from econ.did.result import DidResult, build_result
from econ.did.saturated import cell_covariates, class_name, own_cells, slope_notes
from econ.errors import DataError, ModelError
from econ.inference.influence import ClassInfluence
from econ.linear.fit import BoolArray, FloatArray, IntArray
from econ.linear.poisson import fit_poisson
from econ.options import ControlGroup
from econ.text import Text

LABEL: Text = {"en": "Extended two-way fixed effects, Poisson", "zh": "扩展双向固定效应（泊松）"}
UNPREDICTED: Text = {
    "en": "untreated observations with an outcome other than zero do not predict theirs without treatment",
    "zh": "没有足够的非零未处理观测来预测其未处理时的结果",
}
_RANK = 1e-10  # eigenvalue of a correlation matrix taken for zero
_PREDICTED = 1e-6  # share of a gradient that may lie outside what the untreated tell


@dataclass(frozen=True, eq=False)
class Untreated:
    """The model of the untreated: an intercept and p slopes for each class and each period, P = (C + T)(1 + p).

    Attributes
    ----------
    theta : (C + T, 1 + p), one solution
    inverse : (P, P) pseudo-inverse of the information
    basis, scale : (P, rank), (P,) orthonormal basis of what is identified, in units of ``scale``
    used : (n, T) untreated observations that enter, not those with a mean of zero
    """

    theta: FloatArray
    inverse: FloatArray
    basis: FloatArray
    scale: FloatArray
    used: BoolArray

    def predicts(self, gradient: FloatArray) -> bool:
        """Whether a function of theta with that gradient (P,) is identified."""
        g = gradient / self.scale
        outside = g - self.basis @ (self.basis.T @ g)
        return float(np.linalg.norm(outside)) <= _PREDICTED * float(np.linalg.norm(g))


@dataclass(frozen=True, eq=False)
class Cell:
    """A cell with an effect.

    Attributes
    ----------
    c, t, size : class, position of the period, units (sum of weights) seen
    mean, counterfactual : mean outcome, and what it would be without treatment
    gradient, at_means : (P,) of the counterfactual, and of the untreated's index at the mean covariates
    index : (1 + p,) intercept and slopes of its own; the intercept is minus infinity where the outcome is zero
    log_ratio : difference of the two indices at the mean covariates
    moves : (1 + p,) how a unit's residual, and its products with the covariates, move its own index at these means
    n_parameters : coefficients of its own
    """

    c: int
    t: int
    size: float
    mean: float
    counterfactual: float
    gradient: FloatArray
    at_means: FloatArray
    index: FloatArray
    log_ratio: float
    moves: FloatArray
    n_parameters: int


def poisson_result(design: DidDesign, control: ControlGroup) -> DidResult:
    """The result over cells; see ``etwfe``."""
    _require_counts(design)
    design = _standardised(design)
    own = own_cells(design, control)
    untreated = fit_untreated(design, own)
    cells, lost, bare = list[Cell](), list[tuple[int, int]](), list[tuple[int, int]]()
    for c, t in zip(*(k.tolist() for k in np.nonzero(own)), strict=True):
        cell = fit_cell(design, untreated, c, t)
        if cell is None:
            lost.append((c, t))
            continue
        cells.append(cell)
        if cell.n_parameters <= len(design.covariates) and cell.mean > 0:
            bare.append((c, t))
    if not cells:
        raise ModelError(
            f"No cell can be estimated: {UNPREDICTED['en']}. Check for cohorts or periods in which the outcome of the "
            "untreated is zero throughout."
        )
    notes = [left_out(design, lost, UNPREDICTED)] if lost else []
    return _label(
        design, control, own, untreated, cells, (*notes, *slope_notes(design, bare), *_zero_note(design, cells))
    )


# ---- the untreated


def fit_untreated(design: DidDesign, own: BoolArray) -> Untreated:
    """Pooled Poisson on the cells without an effect of their own (C, T); rows that it predicts to be zero drop out."""
    live = _positive_levels(design.means * design.counts, ~own & (design.counts > 0))
    used = live[design.class_of] if design.observed is None else live[design.class_of] & design.observed
    while True:
        if not used.any():
            raise ModelError(
                "The outcome is zero in all untreated observations; there is nothing to predict it without treatment "
                "from. Use another outcome, or units that are untreated."
            )
        y, Z, w, rows = _rows(design, used)
        gram = np.diag(cross_products(Z, Z, w))
        keep = independent_columns(cross_products(Z, Z, w), gram, gram).keep
        fit = fit_poisson(y, Z[:, keep], Absorber([], w), [n for n, k in zip(_names(design), keep, strict=True) if k])
        if not fit.separated.any():
            break
        used[rows[0][fit.separated], rows[1][fit.separated]] = False
    theta = np.zeros(len(keep))
    theta[keep] = fit.fit.coef
    inverse, basis, scale = _pseudo_inverse(cross_products(Z, Z, w * fit.mu))
    return Untreated(theta.reshape(design.n_classes + len(design.calendar), -1), inverse, basis, scale, used)


def _positive_levels(totals: FloatArray, live: BoolArray) -> BoolArray:
    """(C, T) cells that are left without classes and periods in which the outcome is zero throughout."""
    while True:
        sums = totals * live
        left: BoolArray = live & (sums.sum(axis=1) > 0)[:, None] & (sums.sum(axis=0) > 0)
        if np.array_equal(left, live):
            return left
        live = left


def _rows(design: DidDesign, used: BoolArray) -> tuple[FloatArray, FloatArray, FloatArray, tuple[IntArray, IntArray]]:
    """Outcomes (R,), regressors (R, P), weights (R,), and (unit, period) of each row; cells without covariates."""
    if design.covariates:
        unit, period = np.nonzero(used)
        y, classes = design.Y[unit, period], design.class_of[unit]
        w = np.ones(len(unit)) if design.unit_weights is None else design.unit_weights[unit]
        x = np.column_stack([np.ones(len(unit)), *(X[unit, period] for X in design.covariates.values())])
    else:
        live = np.array([used[rows].any(axis=0) for rows in design.classes])
        unit, period = np.nonzero(live)
        classes, y, w = unit, design.means[live], design.counts[live]
        x = np.ones((len(unit), 1))
    C, T, at = design.n_classes, len(design.calendar), np.arange(len(unit))
    Z = np.zeros((len(unit), C + T, x.shape[1]))
    Z[at, classes], Z[at, C + period] = x, x
    return y, Z.reshape(len(unit), -1), w, (unit, period)


def _names(design: DidDesign) -> list[str]:
    """(P,) of the coefficients, for messages."""
    levels = [f"cohort {class_name(design, c)}" for c in range(design.n_classes)]
    levels += [f"period {design.label(t)}" for t in design.calendar]
    return [f"{level}{part}" for level in levels for part in ("", *(f":{name}" for name in design.covariates))]


def _pseudo_inverse(H: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Pseudo-inverse, orthonormal basis of its range, and the units (P,) of both."""
    scale = np.sqrt(np.diag(H))
    scale = 1 / np.where(scale > 0, scale, 1.0)
    eigenvalues, U = np.linalg.eigh(H * np.outer(scale, scale))
    large = eigenvalues > _RANK * eigenvalues[-1]
    basis = U[:, large]
    inverse = (basis / eigenvalues[large]) @ basis.T * np.outer(scale, scale)
    return inverse, basis, 1 / scale


# ---- the treated


def fit_cell(design: DidDesign, untreated: Untreated, c: int, t: int) -> Cell | None:
    """The cell's mean outcome, its prediction without treatment, and its own index; None where nothing predicts it."""
    rows, o = design.classes[c], design.observed
    seen = np.ones(rows.stop - rows.start, dtype=np.bool_) if o is None else o[rows, t]
    y = design.Y[rows, t][seen]
    w = np.ones(len(y)) if design.unit_weights is None else design.unit_weights[rows][seen]
    centred, mean, usable = np.zeros((len(y), 0)), np.zeros(0), np.zeros(0, dtype=np.bool_)
    if design.covariates:
        centred, mean, usable = cell_covariates(design, c, t)
    one = np.column_stack([np.ones(len(y)), centred + mean])
    theta = untreated.theta[c] + untreated.theta[design.n_classes + t]
    mu0 = np.exp(one @ theta)
    place = np.zeros(len(untreated.theta))
    place[[c, design.n_classes + t]] = 1.0
    at_means = np.append(1.0, mean)
    gradient = np.outer(place, (w * mu0) @ one / w.sum()).ravel()
    if not (untreated.predicts(gradient) and untreated.predicts(np.outer(place, at_means).ravel())):
        return None
    index, moves, n_parameters = _own_index(y, centred, mean, usable, w)
    return Cell(
        c,
        t,
        float(w.sum()),
        float(w @ y / w.sum()),
        float(w @ mu0 / w.sum()),
        gradient,
        np.outer(place, at_means).ravel(),
        index,
        float(at_means @ index - at_means @ theta),
        moves,
        n_parameters,
    )


def _own_index(
    y: FloatArray, centred: FloatArray, mean: FloatArray, usable: BoolArray, w: FloatArray
) -> tuple[FloatArray, FloatArray, int]:
    """Intercept and slopes of a cell, how residuals move the index at the mean covariates, and the coefficients.

    Where the covariates separate zeros from the rest, the cell has an intercept only.
    """
    p = len(mean)
    if not y.any():
        return np.append(-np.inf, np.zeros(p)), np.zeros(1 + p), 1
    X = np.column_stack([np.ones(len(y)), centred[:, usable]])
    fit = fit_poisson(y, X, Absorber([], w), [f"covariate {j + 1}" for j in range(X.shape[1])])
    if fit.separated.any():
        return _own_index(y, centred, mean, np.zeros(p, dtype=np.bool_), w)
    kept = np.append(True, usable)
    index, moves = np.zeros(1 + p), np.zeros(1 + p)
    index[kept], moves[kept] = fit.fit.coef, fit.fit.bread[0]
    index[0] -= index[1:] @ mean
    moves[0] -= moves[1:] @ mean
    return index, moves, X.shape[1]


# ---- the result


def _label(
    design: DidDesign,
    control: ControlGroup,
    own: BoolArray,
    untreated: Untreated,
    cells: list[Cell],
    notes: tuple[Text, ...],
) -> DidResult:
    effects = class_cells(design, [cell.c for cell in cells], [cell.t for cell in cells])
    positive = [k for k, cell in enumerate(cells) if cell.mean > 0]
    terms = cell_terms(effects)
    influence = _influence(design, own, untreated, cells, positive)
    n_parameters = untreated.basis.shape[1] + sum(cell.n_parameters for cell in cells)
    mean0, post = np.array([cell.counterfactual for cell in cells]), effects.post
    panel, names = design.panel, list(design.covariates)
    slopes = f" + ({' + '.join(names)}):(i(cohort) + i(period) + i(cohort):i(period))" if names else ""
    outcome = design.problem.formula.outcome.text
    return build_result(
        design,
        ("etwfe", LABEL),
        effects,
        (*terms, *(f"log_ratio::{terms[k]}" for k in positive)),
        np.array([cell.mean for cell in cells] + [cells[k].log_ratio for k in positive])
        - np.append(mean0, [0.0] * len(positive)),
        clustered(design, influence, (design.problem.sample.n_obs, n_parameters)),
        influence=influence,
        stats={
            "mean_outcome": float((design.means * design.counts).sum() / design.counts.sum()),
            "mean_counterfactual": float(np.average(mean0[post], weights=effects.size[post])),
        },
        spec={
            "formula": f"{outcome} ~ i(cohort):i(period){slopes} | {design.cohort} + {panel.time}",
            "fixed_effects": [design.cohort, panel.time],
            "control": control,
            "family": "poisson",
            "covariates": names,
            "reference": -1 if control == "never" else None,
        },
        notes=(*notes, *lone_units(design, np.unique([cell.c for cell in cells]))),
    )


def _influence(
    design: DidDesign, own: BoolArray, untreated: Untreated, cells: list[Cell], positive: list[int]
) -> ClassInfluence:
    """On the effects and then the log ratios: residuals, and their products with the covariates, by period."""
    C, T, K = design.n_classes, len(design.calendar), len(cells)
    gradients = np.array([cell.gradient for cell in cells] + [cells[k].at_means for k in positive])
    U = (gradients @ untreated.inverse).reshape(len(gradients), C + T, -1)
    loadings = -(U[:, :C, :, None] + U[:, C:, :].transpose(0, 2, 1)[:, None]) * ~own[:, None, :]
    intercept, slopes = np.zeros((C, T)), np.zeros((C, T, len(design.covariates)))
    intercept[:] = untreated.theta[:C, 0, None] + untreated.theta[C:, 0]
    slopes[:] = untreated.theta[:C, None, 1:] + untreated.theta[None, C:, 1:]
    intercept[own] = -np.inf
    for k, cell in enumerate(cells):
        loadings[k, cell.c, 0, cell.t] = 1 / cell.size
        intercept[cell.c, cell.t], slopes[cell.c, cell.t] = cell.index[0], cell.index[1:]
    for k, of in enumerate(positive):
        loadings[K + k, cells[of].c, :, cells[of].t] = cells[of].moves
    features = partial(_features, design, own, untreated.used, intercept, slopes)
    by_class = loadings.transpose(1, 0, 2, 3).reshape(C, len(gradients), -1)
    return ClassInfluence(features, design.starts, by_class, np.zeros(by_class.shape[:2]), design.unit_weights)


def _features(
    design: DidDesign,
    own: BoolArray,
    used: BoolArray,
    intercept: FloatArray,
    slopes: FloatArray,
    rows: slice,
    c: int,
) -> FloatArray:
    """(B, (1 + p) T) residuals where a row enters, and their products with each covariate."""
    index = np.repeat(intercept[c][None, :], rows.stop - rows.start, axis=0)
    covariates = [X[rows] for X in design.covariates.values()]
    for j, X in enumerate(covariates):
        index += X * slopes[c, :, j]
    enters = used[rows] | own[c]
    if design.observed is not None:
        enters &= design.observed[rows]
    residual = np.where(enters, design.Y[rows] - np.exp(np.where(enters, index, -np.inf)), 0.0)
    return np.hstack([residual, *(X * residual for X in covariates)])


# ---- at the door


def _require_counts(design: DidDesign) -> None:
    name, negative = design.problem.formula.outcome.text, int((design.Y < 0).sum())
    if negative:
        raise DataError(
            f"The outcome {name!r} has {negative} negative values; family='poisson' needs zero or positive ones. Use "
            "family='linear'."
        )


def _standardised(design: DidDesign) -> DidDesign:
    """Covariates about their mean in units of their spread, which moves no effect."""
    columns = {}
    for name, X in design.covariates.items():
        seen = X if design.observed is None else X[design.observed]
        spread = float(seen.std())
        if spread <= 1e-9 * float(np.abs(seen).max()):
            raise ModelError(f"The covariate {name!r} does not vary in the sample; leave it out.")
        standard = (X - seen.mean()) / spread
        columns[name] = standard if design.observed is None else np.where(design.observed, standard, 0.0)
    return replace(design, covariates=columns)


def _zero_note(design: DidDesign, cells: list[Cell]) -> tuple[Text, ...]:
    zero = [(cell.c, cell.t) for cell in cells if not cell.mean > 0]
    if not zero:
        return ()
    names = name_cells(design, zero)
    return (
        {
            "en": f"The outcome of the treated is zero throughout {len(zero)} cells (cohort in period), which have an "
            f"effect but no log ratio: {names}.",
            "zh": f"{len(zero)} 个单元格（队列与时期）中处理单元的结果全为零，有效应但无对数比：{names}。",
        },
    )
