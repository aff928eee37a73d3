"""How much an overall effect hangs on single regions, and what it finds where there was no treatment yet."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from econ.did.permute import Estimator
from econ.did.result import DidResult
from econ.errors import DataError, ModelError, OptionError
from econ.estimate import Estimate
from econ.panel import Panel
from econ.progress import track
from econ.text import Text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from econ.report.figures import Plot

COLUMNS = ["estimate", "std_error", "ci_low", "ci_high", "p_value"]


@dataclass(frozen=True, eq=False, repr=False)
class Robustness:
    """Overall effects under changes of the sample or of the dates.

    Attributes
    ----------
    baseline : the overall effect as observed
    frame : one row per change: its name, ``estimate, std_error, ci_low, ci_high, p_value``, and ``note`` where it could
        not be estimated
    changed : column of ``frame`` that names the change
    outcome : as asked for
    labels : column -> its labels, as on an Estimate
    notes : what a reader must know
    """

    baseline: float
    frame: pd.DataFrame
    changed: str
    outcome: str
    labels: Mapping[str, Mapping[str, str]]
    notes: tuple[Text, ...]

    def __repr__(self) -> str:
        head = f"Overall effect on {self.outcome}: {self.baseline:.6g}"
        table = self.frame.drop(columns="note").to_string(index=False, float_format=lambda x: f"{x:.4g}")
        return "\n".join([head, "", table, "", *(f"Note: {note['en']}" for note in self.notes)])

    def plot(self, ax: "Axes | None" = None) -> "Plot":
        """Estimates with their 95 % intervals, and the baseline as a line."""
        from econ.report import robustness_plot

        return robustness_plot(self, ax=ax)


def leave_one_out(
    estimator: Estimator, panel: Panel, outcome: str, *, cohort: str, by: str | None = None
) -> Robustness:
    """The overall effect without each unit in turn.

    Parameters
    ----------
    estimator, panel, outcome, cohort : as in ``permute``
    by : column, constant within units, whose values are left out one by one, such as ``"plate"``; by default the unit

    Returns
    -------
    Robustness, rows ordered by estimate. A row that cannot be estimated says why.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").with_cohort(econ.roster("innovation_demonstration_zones"))
    >>> panel = panel.join(econ.regions()[["province", "plate"]])
    >>> found = econ.did.leave_one_out(econ.did.twfe, panel, "log(invention_grants)", cohort="cohort", by="plate")
    >>> sorted(found.frame["left_out"])
    ['Central', 'East', 'Northeast', 'West']
    """
    baseline = estimator(panel, outcome, cohort=cohort)
    if by is not None:
        panel.attribute(by)
    groups = panel.frame[by or panel.unit]
    names = groups.dropna().unique()
    rows = [
        {"left_out": str(name)} | _row(estimator, panel.where((groups != name).to_numpy()), outcome, cohort)
        for name in track(names, "Leaving out")
    ]
    frame = pd.DataFrame(rows).sort_values("estimate", ignore_index=True, na_position="last")
    return _labelled(baseline, frame, "left_out")


def placebo_dates(
    estimator: Estimator, panel: Panel, outcome: str, *, cohort: str, shifts: Sequence[int] = (1, 2, 3)
) -> Robustness:
    """The overall effect of treatments dated earlier than they were, from the time before they began.

    Rows from each unit's true first treated period on are left out, and its date is moved ``k`` periods back: an effect
    there is a difference in trends (or an anticipated effect), not the policy's.

    Parameters
    ----------
    estimator, panel, outcome, cohort : as in ``permute``
    shifts : by how many periods, 1 or more each

    Returns
    -------
    Robustness, one row per shift.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").with_cohort(econ.roster("innovation_demonstration_zones"))
    >>> found = econ.did.placebo_dates(econ.did.twfe, panel, "log(invention_grants)", cohort="cohort", shifts=[2, 4])
    >>> found.frame["periods_earlier"].tolist()
    [2, 4]
    """
    _check_shifts(shifts)
    baseline = estimator(panel, outcome, cohort=cohort)
    since = panel.time_codes - panel.cohorts(cohort)[panel.unit_codes]
    before = panel.where(~(since >= 0))
    rows = []
    for shift in shifts:
        moved = _moved(before, cohort, int(shift))
        rows.append({"periods_earlier": int(shift)} | _row(estimator, moved, outcome, cohort))
    return _labelled(baseline, pd.DataFrame(rows), "periods_earlier")


def _moved(panel: Panel, cohort: str, shift: int) -> Panel:
    column = panel.frame[cohort]
    if not pd.api.types.is_numeric_dtype(column.dtype):
        raise DataError(
            f"{cohort!r} holds {column.dtype} values; placebo dates need first treated periods as numbers (years)."
        )
    return panel.assign(**{cohort: column - shift})


def _check_shifts(shifts: Iterable[int]) -> None:
    wrong = [k for k in shifts if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1]
    if wrong:
        raise OptionError(f"shifts holds {wrong[0]!r}; give whole numbers of periods, 1 or more, such as [1, 2, 3].")


def _row(estimator: Estimator, panel: Panel, outcome: str, cohort: str) -> dict[str, Any]:
    try:
        found: Estimate = estimator(panel, outcome, cohort=cohort).aggregate("overall")
    except ModelError as reason:
        return dict.fromkeys(COLUMNS, np.nan) | {"note": str(reason)}
    row = found.tidy().iloc[0]
    return {name: row[name] for name in COLUMNS} | {"note": ""}


def _labelled(baseline: DidResult, frame: pd.DataFrame, changed: str) -> Robustness:
    lost = [f"{row[changed]} ({row['note']})" for _, row in frame.iterrows() if row["note"]]
    notes: tuple[Text, ...] = ()
    if lost:
        notes = ({"en": f"Not estimated: {'; '.join(lost)}", "zh": f"未能估计：{'；'.join(lost)}"},)
    estimate = float(baseline.aggregate("overall").coef[0])
    return Robustness(estimate, frame, changed, baseline.outcome, baseline.labels, (*baseline.notes, *notes))
