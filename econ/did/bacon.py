"""Goodman-Bacon: two-way fixed effects as a weighted mean of comparisons of two groups."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from econ.did.design import DidDesign, balanced, read_design
from econ.did.moments import about_unit_means
from econ.did.regression import regress_classes
from econ.linear.fit import FloatArray
from econ.panel import Panel
from econ.text import Text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from econ.report.figures import Plot

KINDS: dict[str, Text] = {
    "earlier_vs_later": {"en": "Earlier treated against later treated", "zh": "较早处理对较晚处理"},
    "later_vs_earlier": {"en": "Later treated against earlier treated", "zh": "较晚处理对较早处理"},
    "treated_vs_untreated": {"en": "Treated against never treated", "zh": "处理组对从未处理组"},
    "treated_vs_always_treated": {"en": "Treated against always treated", "zh": "处理组对始终处理组"},
    "between_cohorts": {"en": "Between two cohorts", "zh": "两队列之间"},
    "within": {"en": "Within cohorts, from covariates", "zh": "队列内（来自协变量）"},
}


@dataclass(frozen=True, eq=False, repr=False)
class Bacon:
    """The decomposition.

    Attributes
    ----------
    twfe : the two-way fixed-effects coefficient, the weighted mean of the estimates below
    comparisons : ``kind, treated, control, weight, estimate``, one row per comparison; cohort missing = never treated
    outcome : as it was asked for
    notes : what a reader must know
    """

    twfe: float
    comparisons: pd.DataFrame
    outcome: str
    notes: tuple[Text, ...]

    @property
    def summary(self) -> pd.DataFrame:
        """By kind of comparison: ``kind, weight`` (sum) and ``estimate`` (weighted mean)."""
        rows = []
        for kind, part in self.comparisons.groupby("kind", sort=False):
            total = part["weight"].sum()
            rows.append({"kind": kind, "weight": total, "estimate": (part["weight"] * part["estimate"]).sum() / total})
        return pd.DataFrame(rows)

    def __repr__(self) -> str:
        table = self.summary.assign(kind=[KINDS[str(kind)]["en"] for kind in self.summary["kind"]])
        lines = [
            f"Goodman-Bacon decomposition of two-way fixed effects: {self.outcome}",
            f"Coefficient {self.twfe:.6g}",
        ]
        lines += ["", table.to_string(index=False, float_format=lambda x: f"{x:.6g}"), ""]
        return "\n".join([*lines, *(f"Note: {note['en']}" for note in self.notes)])

    def plot(self, ax: "Axes | None" = None) -> "Plot":
        """Every comparison: weight across, estimate up, kinds by marker."""
        from econ.report import bacon_plot

        return bacon_plot(self, ax=ax)


def bacon(panel: Panel, outcome: str, *, cohort: str, covariates: Sequence[str] = ()) -> Bacon:
    r"""Goodman-Bacon decomposition of the two-way fixed-effects coefficient.

    With group means over time about their own mean, and residual treatment :math:`\tilde d`,

    .. math:: b = \sum_{k<l} s_{kl} b_{kl}, \quad
       s_{kl} = n_k n_l \sum_t (\tilde d_{kt} - \tilde d_{lt})^2 / V, \quad
       b_{kl} = \frac{\sum_t (\tilde d_{kt} - \tilde d_{lt})(y_{kt} - y_{lt})}{\sum_t (\tilde d_{kt} - \tilde d_{lt})^2}

    over pairs of cohorts. Without covariates the comparison of two treated cohorts is split into the earlier one as
    treated, before the later is, and the later one as treated, with the earlier, already treated, as control: there
    effects that grow over time enter with the wrong sign (Goodman-Bacon 2021, theorem 1 and eq. 10). With covariates
    the variation of treatment net of them also lies within cohorts; it is a comparison of its own, ``within``, and
    pairs of treated cohorts are not split (section 5.2).

    Parameters
    ----------
    panel, outcome, cohort, covariates : as in ``twfe``; units not observed in every period are left out, with a note.

    Returns
    -------
    Bacon with ``comparisons``, ``summary``, ``plot()``.

    References
    ----------
    Goodman-Bacon (2021), "Difference-in-differences with variation in treatment timing", Journal of Econometrics
    225(2).

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").with_cohort(econ.roster("innovation_demonstration_zones"))
    >>> econ.did.bacon(panel, "log(invention_grants)", cohort="cohort").summary["kind"].tolist()
    ['earlier_vs_later', 'later_vs_earlier', 'treated_vs_untreated']
    """
    design = balanced(read_design(panel, outcome, cohort, covariates=covariates, keep_always_treated=True))
    treated = (design.event_time >= 0).astype(np.float64)
    fit = regress_classes(design, treated[:, None, :])
    rows = _with_covariates(design, treated) if covariates else _without_covariates(design, treated)
    frame = pd.DataFrame(rows, columns=["kind", "treated", "control", "weight", "estimate"])
    frame["weight"] /= frame["weight"].sum()
    frame = frame[frame["weight"] > 0].sort_values(
        "kind", key=lambda kinds: kinds.map(list(KINDS).index), kind="stable", ignore_index=True
    )
    return Bacon(float(fit.coef[0]), frame, design.problem.formula.outcome.text, (*panel.notes, *design.notes))


Row = tuple[str, object, object, float, float]


def _without_covariates(design: DidDesign, treated: FloatArray) -> list[Row]:
    n, y = design.class_weight, design.means
    start = float(design.calendar[0])
    rows = list[Row]()
    for k, m in combinations(range(design.n_classes), 2):
        first, later = design.first[k], design.first[m]
        names = design.label(first), design.label(later)
        gap, D, E = y[k] - y[m], treated[k], treated[m]
        weight, slope = _slope(D - E, gap, n[k] * n[m])
        if np.isinf(later):
            rows.append(("treated_vs_untreated", *names, weight, slope))
        elif first <= start:
            rows.append(("treated_vs_always_treated", *names[::-1], weight, slope))
        else:
            before, after = E == 0, D == 1
            early = (1 - D.mean()) / (1 - D.mean() + E.mean())
            rows.append(("earlier_vs_later", *names, weight * early, _slope(D[before], gap[before], 1)[1]))
            rows.append(("later_vs_earlier", *names[::-1], weight * (1 - early), _slope(E[after], -gap[after], 1)[1]))
    return rows


def _with_covariates(design: DidDesign, treated: FloatArray) -> list[Row]:
    """Pairs of class means of treatment net of covariates and effects, and what is left within classes."""
    residual = _net_treatment(design, treated)
    within = residual - np.repeat(
        [residual[rows].mean(axis=0) for rows in design.classes], np.diff(design.starts), axis=0
    )
    d = np.array([residual[rows].mean(axis=0) for rows in design.classes])
    rows = list[Row]()
    for k, m in combinations(range(design.n_classes), 2):
        names = design.label(design.first[k]), design.label(design.first[m])
        kind = "treated_vs_untreated" if np.isinf(design.first[m]) else "between_cohorts"
        size = design.class_weight[k] * design.class_weight[m] / design.n_units
        rows.append((kind, *names, *_slope(d[k] - d[m], design.means[k] - design.means[m], size)))
    spread = float(np.sum(within**2))
    rows.append(("within", None, None, spread, float(np.sum(within * design.Y)) / spread if spread > 0 else 0.0))
    return rows


def _net_treatment(design: DidDesign, treated: FloatArray) -> FloatArray:
    """(n, T) residual of treatment on covariates, unit and period effects."""
    D = treated[design.class_of]
    columns = [D, *design.covariates.values()]
    swept = np.array([about_unit_means(X - X.mean(axis=0), None).ravel() for X in columns])
    slopes = np.linalg.lstsq(swept[1:].T, swept[0], rcond=None)[0]
    residual: FloatArray = (swept[0] - slopes @ swept[1:]).reshape(D.shape)
    return residual


def _slope(d: FloatArray, gap: FloatArray, size: float) -> tuple[float, float]:
    """Weight ``size x sum d^2`` and slope of ``gap`` on ``d``, about the mean of d."""
    d = d - d.mean()
    spread = float(d @ d)
    return size * spread, float(d @ gap) / spread if spread > 0 else 0.0
