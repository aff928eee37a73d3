"""From first treated periods to treatment status and event time."""

import numpy as np

from econ.errors import ModelError
from econ.linear.fit import FloatArray
from econ.panel import Panel


def event_time(panel: Panel, cohort: str) -> FloatArray:
    """(N,) periods since the unit's first treated period, 0 in it, negative before; NaN for units never treated.

    Raises
    ------
    ModelError : no row, or every row, is treated.
    """
    since = panel.time_codes - panel.cohorts(cohort)[panel.unit_codes]
    treated = since >= 0
    if not treated.any():
        raise ModelError(
            f"No row of the panel is treated according to {cohort!r}; the first treated periods must lie within "
            f"{panel.periods[0]}-{panel.periods[-1]}."
        )
    if treated.all():
        raise ModelError(
            f"Every row of the panel is treated according to {cohort!r}; there is nothing to compare with."
        )
    return since


def always_treated(panel: Panel, cohort: str) -> list[str]:
    """Units that are treated in every period they are seen: they carry no before-after comparison of their own."""
    since = panel.time_codes - panel.cohorts(cohort)[panel.unit_codes]
    untreated_rows = np.bincount(panel.unit_codes, weights=~(since >= 0), minlength=panel.n_units)
    return [str(unit) for unit in panel.units[untreated_rows == 0]]
