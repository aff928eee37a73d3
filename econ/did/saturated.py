"""Cells with an effect of their own, and the slopes of covariates that go with them (Wooldridge 2021, section 5)."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from econ.design.collinear import independent_columns
from econ.did.comparisons import name_cells
from econ.did.design import DidDesign
from econ.did.moments import about_unit_means
from econ.linear.fit import BoolArray, FloatArray, IntArray
from econ.options import ControlGroup
from econ.text import Text

_CONSTANT = 1e-9  # deviation from the unit's mean, relative to the covariate's size, that rounding can leave


def own_cells(design: DidDesign, control: ControlGroup) -> BoolArray:
    """(C, T) cells with a coefficient: treated ones, or all of a cohort but the last period before its treatment."""
    seen = design.counts > 0
    if control == "not_yet":
        return np.asarray(seen & (design.event_time >= 0))
    own = seen & np.isfinite(design.first)[:, None]
    for c, before in enumerate(own & (design.event_time < 0)):
        own[c, np.flatnonzero(before)[-1:]] = False
    return own


def cell_covariates(design: DidDesign, c: int, t: int) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Covariates of the units seen in a cell about their means there (n, p), these means (p,), and which are usable.

    Usable (p,) are those that the intercept and the ones before do not span among these units.
    """
    rows = design.classes[c]
    x = np.stack([X[rows, t] for X in design.covariates.values()], axis=1)
    w = np.ones(len(x)) if design.unit_weights is None else design.unit_weights[rows]
    seen = np.ones(len(x), dtype=np.bool_) if design.observed is None else design.observed[rows, t]
    x, w = x[seen], w[seen]
    mean: FloatArray = w @ x / w.sum()
    centred = x - mean
    gram = (centred.T * w) @ centred
    usable = independent_columns(gram, np.diag(gram), w @ x**2).keep & (np.diag(gram) > 0)
    return centred, mean, usable


def interact(
    design: DidDesign, classes: IntArray, periods: IntArray, terms: tuple[str, ...]
) -> tuple[DidDesign, tuple[Text, ...]]:
    """The design whose covariates are the slopes by cohort, period and cell, the last about the cell's means.

    ``terms`` (K,) are the names of the cells. Slopes by cohort are those of covariates that vary within its units: unit
    effects hold the others.
    """
    columns = dict(_by_period(design)) | dict(_by_cohort(design))
    lost = list[tuple[int, int]]()
    for c, t, term in zip(classes.tolist(), periods.tolist(), terms, strict=True):
        centred, _, usable = cell_covariates(design, c, t)
        if not usable.all():
            lost.append((c, t))
        seen = slice(None) if design.observed is None else design.observed[design.classes[c], t]
        for j in np.flatnonzero(usable):
            column = np.zeros(design.Y.shape)
            column[design.classes[c], t][seen] = centred[:, j]
            columns[f"{term}:{list(design.covariates)[j]}"] = column
    return replace(design, covariates=columns), slope_notes(design, lost)


def slope_notes(design: DidDesign, lost: list[tuple[int, int]]) -> tuple[Text, ...]:
    """A note that names cells without some slope."""
    if not lost:
        return ()
    names = name_cells(design, lost)
    return (
        {
            "en": f"Slopes of covariates are left out of {len(lost)} cells (cohort in period) where too few units or "
            f"equal values cannot tell them: {names}.",
            "zh": f"{len(lost)} 个单元格（队列与时期）因单元太少或取值相同而略去部分协变量斜率：{names}。",
        },
    )


def class_name(design: DidDesign, c: int) -> str:
    """Such as ``2015``, ``2015:group::east``, ``never``."""
    label = design.label(design.first[c])
    group = None if design.groups is None else design.groups[c]
    return f"{'never' if label is None else label}{'' if group is None else f':group::{group}'}"


def _by_period(design: DidDesign) -> Iterator[tuple[str, FloatArray]]:
    """One column for each covariate and period but the first."""
    for name, X in _about_means(design):
        for t in range(1, len(design.calendar)):
            column = np.zeros(X.shape)
            column[:, t] = X[:, t]
            yield f"period::{design.label(design.calendar[t])}:{name}", column


def _by_cohort(design: DidDesign) -> Iterator[tuple[str, FloatArray]]:
    """One column for each class and covariate that varies within its units."""
    for name, X in _about_means(design):
        size = float(np.abs(design.covariates[name]).max())
        for c, rows in enumerate(design.classes):
            observed = None if design.observed is None else design.observed[rows]
            if np.abs(about_unit_means(X[rows], observed)).max() > _CONSTANT * size:
                column = np.zeros(X.shape)
                column[rows] = X[rows]
                yield f"cohort::{class_name(design, c)}:{name}", column


def _about_means(design: DidDesign) -> Iterator[tuple[str, FloatArray]]:
    """Covariates less a constant, which the effects hold, for the sake of rounding; zero where not observed."""
    for name, X in design.covariates.items():
        if design.observed is None:
            yield name, X - X.mean()
        else:
            yield name, np.where(design.observed, X - X[design.observed].mean(), 0.0)
