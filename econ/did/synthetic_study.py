"""From a panel to the arrays of synthetic difference-in-differences: who is compared with whom, checked at the door."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from econ.did.design import DidDesign, balanced, read_design, without_rows
from econ.did.regression import regress_classes
from econ.errors import ModelError
from econ.linear.fit import BoolArray, FloatArray, IntArray
from econ.options import SyntheticKind
from econ.panel import Panel

FEWEST_CONTROLS = 2


@dataclass(frozen=True, eq=False)
class Study:
    """The data of an estimate. C is the number of cohorts; units never treated are class C.

    Attributes
    ----------
    gamma : (p,) coefficients of the covariates
    rows : (n,) rows of the design in the order of Y: by outcome, the largest first, so that neither names nor order of
        units matter where units tie or are drawn
    Y : (n, T) outcomes net of covariates
    labels : (n,) class of each unit
    before : (C,) periods before treatment
    """

    design: DidDesign
    kind: SyntheticKind
    gamma: FloatArray
    rows: IntArray
    Y: FloatArray
    labels: IntArray
    before: IntArray

    @property
    def size(self) -> IntArray:
        """(C,) units of each cohort."""
        return np.diff(self.design.starts)[:-1]

    @property
    def n_controls(self) -> int:
        """N_co."""
        return int((self.labels == len(self.before)).sum())

    def cohort(self, c: int) -> Any:
        """The first treated period of a cohort."""
        return self.design.label(self.design.first[c])

    def unit(self, row: int) -> Any:
        """The unit in a row of Y."""
        return self.design.panel.units[self.design.units[self.rows[row]]]

    def overall(self, effects: FloatArray) -> FloatArray:
        """(B,) mean of effects (B, C, T) over treated observations."""
        return self._mean(effects, self._after)

    def rmspe_ratio(self, effects: FloatArray) -> FloatArray:
        """(B,) root mean squared effect over treated observations, over the same before treatment."""
        ratio = self._mean(effects**2, self._after) / self._mean(effects**2, ~self._after)
        return np.asarray(np.sqrt(ratio))

    @property
    def _after(self) -> BoolArray:
        return np.arange(self.Y.shape[1]) >= self.before[:, None]

    def _mean(self, values: FloatArray, cells: BoolArray) -> FloatArray:
        weights = cells * self.size[:, None]
        return np.asarray(np.einsum("bct,ct->b", values, weights / weights.sum()))


def read_study(panel: Panel, outcome: str, cohort: str, covariates: Sequence[str], kind: SyntheticKind) -> Study:
    """Check the data, and fit every cohort."""
    design = balanced(read_design(panel, outcome, cohort, covariates=covariates, keep_singletons=True))
    _refuse_few_controls(design)
    design = _with_history(design, fewest=1 if kind == "did" else 2)
    gamma = _gamma(design)
    Y = design.Y.copy()
    for value, X in zip(gamma, design.covariates.values(), strict=True):
        Y -= value * X
    rows = np.lexsort(-Y.T[::-1])
    Y, labels = Y[rows], design.class_of[rows]
    before = (design.event_time[:-1] < 0).sum(axis=1)
    return Study(design, kind, gamma, rows, Y, labels, before)


def _refuse_few_controls(design: DidDesign) -> None:
    if not design.has_never:
        raise ModelError(
            f"No unit is never treated according to {design.cohort!r}, and synthetic controls are made of such units. "
            "Leave out the periods from the last cohort's treatment on (panel.where), and its units become controls."
        )
    if design.class_weight[-1] < FEWEST_CONTROLS:
        name = design.panel.units[design.units[-1]]
        raise ModelError(
            f"The only unit that is never treated and observed in every period is {name}; a synthetic control needs "
            f"{FEWEST_CONTROLS} such units or more."
        )


def _with_history(design: DidDesign, fewest: int) -> DidDesign:
    """The design without the cohorts that have too few periods before treatment."""
    short = (design.event_time < 0).sum(axis=1) < fewest
    if not short.any():
        return design
    names = ", ".join(str(design.label(first)) for first in design.first[short])
    if short[:-1].all():
        raise ModelError(
            f"Weights are found from {fewest} periods before treatment or more, and no cohort has them ({names}); give "
            "earlier periods, or use kind='did', which needs one."
        )
    gone = np.repeat(short[design.class_of][:, None], len(design.calendar), axis=1)
    note = {
        "en": f"Left out because they have fewer than {fewest} periods before treatment: cohorts {names}.",
        "zh": f"因处理前不足{fewest}期而剔除的队列：{names}。",
    }
    return without_rows(design, gone, f"fewer than {fewest} periods before treatment", (note,))


def _gamma(design: DidDesign) -> FloatArray:
    """(p,) coefficients of the covariates in a two-way fixed-effects regression on the untreated observations."""
    if not design.covariates:
        return np.zeros(0)
    untreated = (design.event_time < 0)[design.class_of]
    covariates = {name: np.where(untreated, X, 0.0) for name, X in design.covariates.items()}
    part = replace(design, Y=np.where(untreated, design.Y, 0.0), observed=untreated, covariates=covariates)
    return regress_classes(part, np.zeros((design.n_classes, 0, len(design.calendar)))).gamma
