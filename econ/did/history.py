"""When and how each unit's treatment changes, read from a column of treatments."""

from dataclasses import dataclass

import numpy as np

from econ.did.design import DidDesign
from econ.did.switching import Switching
from econ.errors import ModelError
from econ.linear.fit import BoolArray, FloatArray, IntArray
from econ.panel import Panel


@dataclass(frozen=True, eq=False)
class History:
    """Treatments of all units of the panel.

    Attributes
    ----------
    periods : (P,) calendar numbers of the panel's periods
    start : (U,) treatment in the first period in which it is known
    first : (U,) position of the first period with another treatment; P = never
    reached : (U,) ``D_F - D_1``, zero where it never changes
    change : (U, P) ``D_t - D_1``, where unknown after the first change as upon it
    crossed : (U, P) the treatment has been both above and below its start
    """

    periods: IntArray
    start: FloatArray
    first: IntArray
    reached: FloatArray
    change: FloatArray
    crossed: BoolArray

    @property
    def first_period(self) -> FloatArray:
        """(U,) calendar number of the first change, NaN = never."""
        return np.where(self.first < len(self.periods), np.append(self.periods, 0)[self.first], np.nan)

    def crossed_rows(self, panel: Panel) -> BoolArray:
        """(N,) rows of the panel from where on the treatment has been on both sides of its start."""
        rows: BoolArray = self.crossed[panel.unit_codes, np.searchsorted(self.periods, panel.time_codes)]
        return rows


def read_history(panel: Panel, treatment: str) -> History:
    """When and how each unit's treatment changes.

    Raises
    ------
    ModelError : no treatment changes.
    """
    periods = np.flatnonzero(np.bincount(panel.time_codes))
    U, P = panel.n_units, len(periods)
    D = np.full((U, P), np.nan)
    D[panel.unit_codes, np.searchsorted(periods, panel.time_codes)] = panel.values(treatment)
    known = ~np.isnan(D)
    rows = np.arange(U)
    start = D[rows, known.argmax(axis=1)]
    change = np.where(known, D - start[:, None], 0.0)
    moved = change != 0
    first = np.where(moved.any(axis=1), moved.argmax(axis=1), P)
    if (first == P).all():
        raise ModelError(
            f"The treatment {treatment!r} changes in no unit; there is nothing to compare. Give the treatment in each "
            "period, such as a column that is 0 before and 1 from the first treated period on."
        )
    crossed = np.logical_or.accumulate(change > 0, axis=1) & np.logical_or.accumulate(change < 0, axis=1)
    reached = np.where(first < P, change[rows, np.minimum(first, P - 1)], 0.0)
    change = np.where(known | (np.arange(P) < first[:, None]), change, reached[:, None])
    return History(periods, start, first, reached, change, crossed)


def lay_out(design: DidDesign, history: History, clusters: IntArray) -> Switching:
    """The units of the design over all periods of the panel; ``clusters`` (n,) are their codes."""
    units, P = design.units, len(history.periods)
    columns = np.searchsorted(history.periods, design.calendar)

    def all_periods(values: FloatArray | BoolArray) -> FloatArray:
        wide = np.zeros((len(units), P))
        wide[:, columns] = values
        return wide

    seen = np.ones(design.Y.shape, np.bool_) if design.observed is None else design.observed
    first, reached = history.first[units], history.reached[units]
    baseline = np.unique(history.start[units], return_inverse=True)[1].reshape(-1)
    keys = np.column_stack([baseline, first, reached])
    return Switching(
        all_periods(design.Y),
        all_periods(seen) > 0,
        np.ones(len(units)) if design.unit_weights is None else design.unit_weights,
        first,
        baseline,
        np.sign(reached),
        np.sign(reached)[:, None] * history.change[units],
        np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1),
        clusters,
        np.array([all_periods(X) for X in design.covariates.values()]).reshape(-1, len(units), P),
    )
