"""Callaway, Goodman-Bacon and Sant'Anna: effects of a treatment by its dose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from econ.did.cell_effects import cohort_shares
from econ.did.class_means import clustered
from econ.did.comparisons import Comparisons, comparisons
from econ.did.design import DidDesign, read_design
from econ.did.dose_cells import fit_curves, influences, mean_coefficients, mean_of_cells, unit_weights
from econ.did.dose_curve import CellCurve, Curve, Spline, Steps, grid_of, spline
from econ.did.regression import cell_terms, class_cells
from econ.did.result import DidResult, build_result
from econ.errors import DataError, ModelError, OptionError
from econ.estimate import Estimate
from econ.inference.covariance import Covariance, cluster
from econ.inference.influence import UnitInfluence
from econ.inference.specs import Vcov
from econ.linear.fit import FloatArray, IntArray
from econ.options import AverageOver, ControlGroup, DoseCurve, check_whole, check_word
from econ.panel import Panel
from econ.text import Text

if TYPE_CHECKING:
    from econ.report.figures import Plot

LEVEL: Text = {"en": "Level effect by dose", "zh": "剂量的水平效应"}
SLOPE: Text = {"en": "Slope effect by dose", "zh": "剂量的边际效应"}
OVERALL: Text = {"en": "Mean level and slope effect over the doses received", "zh": "按实际剂量平均的水平与边际效应"}
TRENDS: Text = {
    "en": "Level effects at a dose are effects on the units with that dose if outcomes without treatment had moved in "
    "parallel. Differences between doses, and so slope effects, are effects of more treatment only under strong "
    "parallel trends: units with different doses would on average have gained the same from the same dose.",
    "zh": "若无处理时各单元结果平行变动，则某剂量的水平效应是接受该剂量的单元的效应。不同剂量间的差异（即边际效应）"
    "只有在强平行趋势下才是增加剂量的效应：不同剂量的单元若接受相同剂量，平均效应相同。",
}


@dataclass(frozen=True, eq=False)
class DoseResult:
    """Effects by dose.

    Attributes
    ----------
    level : ATT(d) at the doses of the grid
    slope : ACRT(d), its slope, per unit of the dose
    overall : terms ``level`` and ``slope``, their means over the doses that treated units have
    level_by_cell, slope_by_cell : the same means by cohort and period, before treatment too; ``aggregate("event")``
        is their event study
    doses : (m,) the grid
    spec : what was asked for, as plain JSON
    notes : what a reader must know
    """

    level: Estimate
    slope: Estimate
    overall: Estimate
    level_by_cell: DidResult
    slope_by_cell: DidResult
    doses: FloatArray
    spec: Mapping[str, Any]
    notes: tuple[Text, ...]

    def __repr__(self) -> str:
        return self.overall.summary()

    def plot(self) -> "Plot":
        """Level and slope effects with 95 % intervals and simultaneous bands."""
        from econ.report import dose_plot

        return dose_plot(self)


def dose(
    panel: Panel,
    outcome: str,
    *,
    cohort: str,
    dose: str,
    curve: DoseCurve = "spline",
    degree: int = 3,
    knots: int = 0,
    grid: Sequence[float] | None = None,
    control: ControlGroup = "never",
    average: AverageOver = "cells",
    anticipation: int = 0,
    weights: str | None = None,
    vcov: Vcov | None = None,
) -> DoseResult:
    r"""Level and slope effects of a treatment whose dose differs between units and stays the same once it is on.

    In every cell of a cohort g and period t, with b the last period before treatment and C the controls,

    .. math:: ATT(g, t, d) = E[Y_t - Y_b | G = g, D = d] - E[Y_t - Y_b | C], \qquad
        ACRT(g, t, d) = \partial ATT(g, t, d) / \partial d

    by least squares of the treated units' change, less the controls' mean change, on B-splines of the dose, or on one
    term for each dose. ``level`` and ``slope`` average the cells after treatment; ``overall`` holds their means over
    the doses received. Under parallel trends ATT(d) is the effect on those with dose d; that ACRT(d) is the effect of a
    little more treatment needs strong parallel trends (Callaway, Goodman-Bacon and Sant'Anna 2024).

    Parameters
    ----------
    panel, outcome : units over periods; column or expression such as ``log(y)``.
    cohort : column with the first treated period of each unit; missing = never treated.
    dose : column of the dose, positive and the same in all periods from the first treated one on; rows before it do not
        matter, and units never treated have zero or none.
    curve : ``"spline"``, or ``"discrete"``: every dose has its own level, averaged over the cells with units of that
        dose, and the slope is the step from the next lower dose, for the lowest one from none; within a cell, from the
        next lower dose there.
    degree, knots : of the B-splines: cubic without inner knots, or with some at equally spaced quantiles of the
        treated units' doses. Cohorts need more treated units than the ``degree + knots + 1`` terms; others are left
        out.
    grid : doses at which the curves are estimated; by default the 5 %, ..., 95 % quantiles of the doses, or each dose.
    control : ``"never"``, or ``"not_yet"``: also the units treated after the period.
    average : what the averages over cells give equal weight to, as in ``DidResult.aggregate``: ``"cells"``, treated
        observations; ``"cohort"``, treated units, as R's contdid.
    anticipation : periods before treatment in which it may have effects.
    weights : column of weights, constant within units.
    vcov : ``econ.cluster(column)`` for clusters coarser than units; by default by unit with ``kind="CR0"``.

    Notes
    -----
    Standard errors come from influence functions: of the regression coefficients (without small-sample factor), of the
    controls' mean, of the doses in the mean slope, and of the shares of cohorts in averages. Placebo cells before
    treatment compare each period with the one before it.

    References
    ----------
    Callaway, Goodman-Bacon and Sant'Anna (2024), "Difference-in-differences with a continuous treatment", NBER
    working paper 32117.

    Examples
    --------
    >>> import numpy as np, pandas as pd, econ
    >>> frame = pd.DataFrame([(i, t) for i in range(60) for t in (2019, 2020)], columns=["region", "year"])
    >>> frame["cohort"] = np.where(frame["region"] < 40, 2020.0, np.nan)
    >>> frame["funds"] = np.where(frame["region"] < 40, (frame["region"] + 1) / 10, 0.0)
    >>> frame["y"] = frame["region"] + 2 * frame["funds"] * (frame["year"] == 2020)
    >>> panel = econ.Panel(frame, "region", "year")
    >>> econ.did.dose(panel, "y", cohort="cohort", dose="funds", degree=1, grid=[1.0, 3.0]).level.coef.round(8).tolist()
    [2.0, 6.0]
    """
    _check(curve, degree, knots, grid, control, average)
    design = read_design(
        panel,
        outcome,
        cohort,
        weights=weights,
        vcov=vcov or cluster(panel.unit, kind="CR0"),
        anticipation=anticipation,
        keep_singletons=True,
    )
    if control == "never" and not design.has_never:
        raise ModelError(
            f"No unit is never treated according to {cohort!r}, so there is no control group; use control='not_yet', "
            "which compares with units treated later."
        )
    doses = _read_doses(design, dose)
    received = doses[np.isfinite(design.first)[design.class_of]]
    shape: Curve = Steps(np.unique(received)) if curve == "discrete" else spline(received, degree, knots)
    at = np.unique(received) if curve == "discrete" else grid_of(received, grid)
    cells, notes = comparisons(design, control, "varying", anticipation, repeated=False)
    cells, fits, more = fit_curves(design, cells, shape, doses)
    asked = {
        "dose": dose,
        "curve": curve,
        "degree": degree if curve == "spline" else None,
        "knots": shape.knots[degree + 1 : -degree - 1].tolist() if isinstance(shape, Spline) else [],
        "control": control,
        "anticipation": anticipation,
    }
    notes = (TRENDS, *notes, *more, *(_single_note(design, doses) if curve == "discrete" else ()))
    return _label(design, cells, fits, shape, at, doses, average, asked, notes)


def _check(
    curve: DoseCurve,
    degree: int,
    knots: int,
    grid: Sequence[float] | None,
    control: ControlGroup,
    average: AverageOver,
) -> None:
    check_word(curve, DoseCurve, "curve")
    check_word(control, ControlGroup, "control")
    check_word(average, AverageOver, "average")
    for name, value, least in (("degree", degree, 1), ("knots", knots, 0)):
        check_whole(value, name, least)
    if curve == "discrete" and (grid is not None or knots):
        raise OptionError("grid and knots belong to curve='spline'; leave them out with curve='discrete'.")


def _read_doses(design: DidDesign, dose: str) -> FloatArray:
    """(n,) dose of each unit from its first treated period on; zero for the never treated.

    Raises
    ------
    DataError : a dose that is missing, not positive or changes after treatment, or that a never treated unit has.
    """
    panel, values = design.panel, design.panel.values(dose)
    first = np.full(panel.n_units, np.nan)
    first[design.units] = design.first[design.class_of]
    start = first[panel.unit_codes]
    ever = np.isinf(start) & (values > 0)
    if ever.any():
        raise DataError(
            f"Never treated units have a positive {dose!r}: {_names(panel, panel.unit_codes[ever])}; give their first "
            "treated period in the cohort column, or the dose zero."
        )
    used = (panel.time_codes >= start) & ~np.isnan(values)
    low, high = np.full(panel.n_units, np.inf), np.full(panel.n_units, -np.inf)
    np.minimum.at(low, panel.unit_codes[used], values[used])
    np.maximum.at(high, panel.unit_codes[used], values[used])
    treated = np.isfinite(first)
    for wrong, words, do in (
        (treated & (low > high), "is missing", "fill it in, or leave these units out with where()"),
        (treated & (low < high), "changes after the first treated period", "use econ.did.switchers"),
        (treated & (low <= 0), "is not positive", "give a positive dose, or no cohort to units without treatment"),
    ):
        if wrong.any():
            raise DataError(f"{dose!r} {words} for treated units: {_names(panel, np.flatnonzero(wrong))}; {do}.")
    return np.where(treated, high, 0.0)[design.units]


def _single_note(design: DidDesign, doses: FloatArray) -> tuple[Text, ...]:
    """Which doses (cohort) a single unit has."""
    treated = np.isfinite(design.first)[design.class_of]
    pairs, counts = np.unique(np.column_stack([design.class_of, doses])[treated], axis=0, return_counts=True)
    alone = [f"{d:g} ({design.label(design.first[int(c)])})" for c, d in pairs[counts == 1]]
    if not alone:
        return ()
    names = ", ".join(alone[:8]) + (f" and {len(alone) - 8} more" if len(alone) > 8 else "")
    return (
        {
            "en": "Doses (cohort) of a single unit, whose own variation the standard errors cannot show and so leave "
            f"out: {names}.",
            "zh": f"以下剂量（队列）仅有一个单元，其自身变异无法反映在标准误中：{names}。",
        },
    )


def _names(panel: Panel, codes: IntArray) -> str:
    names = [str(unit) for unit in panel.units[np.unique(codes)]]
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


# ---- the result


def _label(
    design: DidDesign,
    cells: Comparisons,
    fits: list[CellCurve],
    curve: Curve,
    at: FloatArray,
    doses: FloatArray,
    average: AverageOver,
    asked: dict[str, Any],
    notes: tuple[Text, ...],
) -> DoseResult:
    n, weights = design.n_units, unit_weights(design)
    level = np.array([fit.level for fit in fits])
    slope = np.array([fit.slope for fit in fits])
    level_psi = influences(n, fits, [fit.level_score for fit in fits], np.ones(len(fits)))
    slope_psi = influences(n, fits, [fit.slope_score for fit in fits], [fit.slope_shift for fit in fits])
    by_cell = [
        _by_cell(design, cells, *found, asked, notes)
        for found in ((("dose_level", LEVEL), level, level_psi), (("dose_slope", SLOPE), slope, slope_psi))
    ]
    beta, beta_psi = mean_coefficients(design, cells, fits, curve, doses, average)
    means = [mean_of_cells(design, cells, *of, weights, average) for of in ((level, level_psi), (slope, slope_psi))]
    maps = [curve.level(at), curve.slope(at, np.ones(curve.size, dtype=np.bool_))]
    coef = np.concatenate([*(A @ beta for A in maps), [value for value, _ in means]])
    psi = np.column_stack([*(beta_psi @ A.T for A in maps), *(psi for _, psi in means)])
    covariance = clustered(design, UnitInfluence(psi))
    template = by_cell[0].aggregate("overall", average=average)
    template = replace(template, labels=dict(template.labels) | _labels(design, str(asked["dose"])))
    m, terms = len(at), tuple(f"dose::{d:g}" for d in at)
    parts = (
        (slice(0, m), terms, "dose_level", LEVEL),
        (slice(m, 2 * m), terms, "dose_slope", SLOPE),
        (slice(2 * m, None), ("level", "slope"), "dose", OVERALL),
    )
    level_curve, slope_curve, overall = (_estimate(template, covariance, coef, *part) for part in parts)
    return DoseResult(
        level=level_curve,
        slope=slope_curve,
        overall=overall,
        level_by_cell=by_cell[0],
        slope_by_cell=by_cell[1],
        doses=at,
        spec=dict(template.spec) | {"estimator": "dose"},
        notes=template.notes,
    )


def _by_cell(
    design: DidDesign,
    cells: Comparisons,
    estimator: tuple[str, Text],
    coef: FloatArray,
    psi: FloatArray,
    asked: dict[str, Any],
    notes: tuple[Text, ...],
) -> DidResult:
    effects = class_cells(design, cells.treated.tolist(), cells.period.tolist())
    effects = replace(effects, size=effects.cohort_size)
    shares = cohort_shares(design, cells)
    own = np.eye(design.n_classes)[:, np.unique(cells.treated)] - shares
    moved = unit_weights(design)[:, None] * own[design.class_of] / design.class_weight.sum()
    influence = UnitInfluence(np.hstack([psi, moved]))
    return build_result(
        design,
        estimator,
        effects,
        cell_terms(effects),
        coef,
        clustered(design, influence),
        shares=shares,
        influence=influence,
        spec=asked,
        labels=_labels(design, str(asked["dose"])),
        notes=notes,
    )


def _estimate(
    template: Estimate,
    covariance: Covariance,
    coef: FloatArray,
    part: slice,
    terms: tuple[str, ...],
    name: str,
    label: Text,
) -> Estimate:
    return replace(
        template,
        terms=terms,
        coef=coef[part],
        vcov=covariance.matrix[part, part],
        dof=covariance.dof[part],
        spec=dict(template.spec) | {"estimator": name, "estimator_label": dict(label)},
    )


def _labels(design: DidDesign, dose: str) -> dict[str, dict[str, str]]:
    known = design.panel.labels([dose])
    return known | {
        "dose": known.get(dose, {"label": "Dose", "label_zh": "剂量"}),
        "level": {"label": "Level effect", "label_zh": "水平效应"},
        "slope": {"label": "Slope effect", "label_zh": "边际效应"},
    }
