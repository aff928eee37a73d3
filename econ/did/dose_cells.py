"""Curves in the dose by cohort and period, and their averages over the cells."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from econ.did.aggregate import averages
from econ.did.comparisons import Comparisons, left_out
from econ.did.design import DidDesign
from econ.did.dose_curve import CellCurve, Curve, Steps, fit_cell
from econ.did.regression import class_cells
from econ.errors import ModelError
from econ.linear.fit import BoolArray, FloatArray, IntArray
from econ.options import AverageOver
from econ.text import Text

TOO_FEW: Text = {
    "en": "the cohort has no more treated units with different doses than the curve has terms",
    "zh": "队列中剂量不同的处理单元数不多于曲线项数",
}


def fit_curves(
    design: DidDesign, cells: Comparisons, curve: Curve, doses: FloatArray
) -> tuple[Comparisons, list[CellCurve], tuple[Text, ...]]:
    """The cells whose curve is determined, their curves, and a note on the others; ``doses`` is (n,).

    Raises
    ------
    ModelError : there is none after treatment.
    """
    level, weights = curve.level(doses), unit_weights(design)
    fits, kept = list[CellCurve](), np.zeros(len(cells.treated), dtype=np.bool_)
    determined = dict[int, BoolArray]()
    for k, (c, t, b) in enumerate(zip(cells.treated, cells.period, cells.base, strict=True)):
        rows, controls = _observed(design, cells, k)
        if design.observed is not None or c not in determined:
            determined[c] = curve.determined(level[rows])
        if determined[c].any():
            change, slope = design.Y[:, t] - design.Y[:, b], curve.slope(doses[rows], determined[c])
            fits.append(fit_cell(change, weights, rows, controls, level[rows], slope, determined[c]))
            kept[k] = True
    if not (kept & _post(design, cells)).any():
        raise _none_determined(design, curve)
    lost = [(int(c), int(t)) for c, t in zip(cells.treated[~kept], cells.period[~kept], strict=True)]
    return cells.only(kept), fits, (left_out(design, lost, TOO_FEW),) if lost else ()


def _observed(design: DidDesign, cells: Comparisons, k: int) -> tuple[IntArray, IntArray]:
    """Treated and control units of a cell, observed in both of its periods."""
    rows = np.arange(*design.starts[cells.treated[k] : cells.treated[k] + 2])
    controls = np.flatnonzero(cells.controls[k][design.class_of])
    if design.observed is None:
        return rows, controls
    both = design.observed[:, cells.period[k]] & design.observed[:, cells.base[k]]
    return rows[both[rows]], controls[both[controls]]


def _none_determined(design: DidDesign, curve: Curve) -> ModelError:
    sizes = zip(design.first, np.diff(design.starts), strict=True)
    named = ", ".join(f"{design.label(first)}: {n}" for first, n in sizes if np.isfinite(first))
    return ModelError(
        f"No cohort has more treated units with different doses than the {curve.size} terms of the curve (units by "
        f"cohort: {named}). Use a lower degree or fewer knots; degree=1 has 2 terms. Or bring doses into a few classes "
        "and use curve='discrete'."
    )


def _post(design: DidDesign, cells: Comparisons) -> BoolArray:
    """(K,) cells after treatment."""
    return np.asarray(design.calendar[cells.period] >= design.first[cells.treated], dtype=np.bool_)


def unit_weights(design: DidDesign) -> FloatArray:
    """(n,)"""
    return np.ones(design.n_units) if design.unit_weights is None else design.unit_weights


def influences(
    n: int, fits: list[CellCurve], treated: list[FloatArray], shifts: FloatArray | Sequence[float]
) -> FloatArray:
    """(n, K) influences on a number of each cell, which falls by ``shifts`` (K,) with the controls' mean change."""
    psi = np.zeros((len(fits), n))
    for k, fit in enumerate(fits):
        psi[k, fit.rows] = treated[k]
        psi[k, fit.controls] = -shifts[k] * fit.control
    return psi.T


def mean_of_cells(
    design: DidDesign, cells: Comparisons, coef: FloatArray, psi: FloatArray, members: FloatArray, average: AverageOver
) -> tuple[float, FloatArray]:
    """Average over the cells after treatment, and influences (n,), the shares of cohorts counting as estimated.

    ``members`` (n,) are the weights of the units that count in the size of their cohort.
    """
    weights = unit_weights(design)
    shares = np.bincount(design.class_of, members, minlength=design.n_classes) / weights.sum()
    effects = class_cells(design, cells.treated.tolist(), cells.period.tolist())
    effects = replace(effects, size=shares[cells.treated], cohort_size=shares[cells.treated])
    present = cells.treated[np.unique(effects.cohort_codes, return_index=True)[1]]
    found = averages(effects, coef, shares[present], "overall", average, None, None)
    gradient = np.zeros(design.n_classes)
    gradient[present] = found.gradient[0]
    moved = (members * gradient[design.class_of] - weights * (gradient @ shares)) / weights.sum()
    return float(found.weights[0] @ coef), psi @ found.weights[0] + moved


def mean_coefficients(
    design: DidDesign,
    cells: Comparisons,
    fits: list[CellCurve],
    curve: Curve,
    doses: FloatArray,
    average: AverageOver,
) -> tuple[FloatArray, FloatArray]:
    """(q,) coefficients of the level, each averaged over the cells that determine it, and influences (n, q)."""
    determined = np.array([fit.determined for fit in fits])
    _require_determined(curve, np.atleast_1d(determined[_post(design, cells)].any(axis=0)))
    found = []
    for j in range(curve.size):
        chosen = determined[:, j]
        own = [fit for fit, there in zip(fits, chosen, strict=True) if there]
        beta = np.array([fit.beta[j] for fit in own])
        psi = influences(design.n_units, own, [fit.score[:, j] for fit in own], np.ones(len(own)))
        members = unit_weights(design) * (doses == curve.doses[j] if isinstance(curve, Steps) else 1.0)
        found.append(mean_of_cells(design, cells.only(chosen), beta, psi, members, average))
    return np.array([value for value, _ in found]), np.column_stack([psi for _, psi in found])


def _require_determined(curve: Curve, there: BoolArray) -> None:
    if isinstance(curve, Steps) and not there.all():
        lost = ", ".join(f"{d:g}" for d in curve.doses[~there])
        raise ModelError(
            f"No treated unit with the dose {lost} is observed both before and after treatment beside a control; leave "
            "these units out with where(), or join their dose to another one."
        )
