"""Sun and Abraham: a fully interacted event study."""

from collections.abc import Sequence

import numpy as np

from econ.did.design import DidDesign, read_design
from econ.did.regression import cell_terms, class_cells, kept_terms, regress_classes, regression_result
from econ.did.result import DidResult, repeatable
from econ.errors import ModelError
from econ.inference.specs import Vcov
from econ.linear.fit import FloatArray
from econ.panel import Panel
from econ.text import Text

LABEL: Text = {"en": "Sun and Abraham", "zh": "Sun-Abraham 交互加权估计"}


@repeatable
def sun_abraham(
    panel: Panel,
    outcome: str,
    *,
    cohort: str,
    covariates: Sequence[str] = (),
    reference: int = -1,
    by: str | None = None,
    weights: str | None = None,
    vcov: Vcov | None = None,
) -> DidResult:
    """Interaction-weighted event study (Sun and Abraham 2021, section 4).

    ``y_it = a_i + l_t + sum_g sum_{e != reference} b_ge 1(g_i = g, t - g = e) + x_it' c + u_it``

    with one coefficient for each cohort and event time, so that no effect of one enters another. Compared are the never
    treated; where there are none, the last cohort in the periods before its treatment. ``aggregate("event")`` weighs
    cohorts by their treated observations, as given numbers (fixest's ``sunab``); ``"overall"`` is the average over
    treated cells (fixest's ``agg = "att"``).

    Parameters
    ----------
    panel, outcome, cohort, covariates, weights, vcov : as in ``twfe``; always-treated units are left out.
    reference : event time left out; a cohort not seen at it leaves out its last period before it.
    by : column, constant within units, for effects of each cohort by group, such as ``"plate"``.

    Returns
    -------
    DidResult over (cohort, period) cells, event times before treatment included.

    References
    ----------
    Sun and Abraham (2021), "Estimating dynamic treatment effects in event studies with heterogeneous treatment
    effects", Journal of Econometrics 225(2).

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").with_cohort(econ.roster("innovation_demonstration_zones"))
    >>> result = econ.did.sun_abraham(panel, "log(invention_grants)", cohort="cohort")
    >>> result.aggregate("overall").terms
    ('overall',)
    """
    design = read_design(
        panel, outcome, cohort, covariates=covariates, weights=weights, vcov=vcov, by=by, last_cohort_compares=True
    )
    classes, periods = _interactions(design, reference)
    fit = regress_classes(design, cell_indicators(design, classes, periods))
    kept = np.flatnonzero(fit.kept)
    every = class_cells(design, classes, periods)
    _, lost = kept_terms(fit, cell_terms(every))
    effects = class_cells(design, [classes[k] for k in kept], [periods[k] for k in kept])
    return regression_result(
        fit,
        ("sun_abraham", LABEL),
        effects,
        cell_terms(effects),
        [f"i(cohort):i(event_time, ref={reference})"],
        spec={"reference": reference},
        notes=lost,
    )


def cell_indicators(design: DidDesign, classes: list[int], periods: list[int]) -> FloatArray:
    """(C, K, T) one indicator for each cell."""
    D = np.zeros((design.n_classes, len(classes), len(design.calendar)))
    D[classes, np.arange(len(classes)), periods] = 1.0
    return D


def _interactions(design: DidDesign, reference: int) -> tuple[list[int], list[int]]:
    """Classes and positions of periods with a coefficient."""
    classes, periods = list[int](), list[int]()
    for c in np.flatnonzero(np.isfinite(design.first)):
        seen = np.flatnonzero(design.counts[c] > 0)
        before = seen[design.event_time[c, seen] <= reference]
        if not before.size:
            raise ModelError(
                f"Cohort {design.label(design.first[c])} is not observed at event time {reference} or before; choose a "
                "later reference, or leave this cohort out with where()."
            )
        kept = seen[seen != before[-1]]
        classes += [int(c)] * len(kept)
        periods += [int(t) for t in kept]
    return classes, periods
