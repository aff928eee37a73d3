"""Two-way fixed effects: one coefficient for all treated rows."""

from collections.abc import Sequence

import numpy as np

from econ.did.cells import Cells
from econ.did.design import read_design
from econ.did.regression import regress_classes, regression_result
from econ.did.result import DidResult, repeatable
from econ.inference.specs import Vcov
from econ.panel import Panel
from econ.text import Text

LABEL: Text = {"en": "Two-way fixed effects", "zh": "双向固定效应"}
TREATED = {"treated": {"label": "Treated", "label_zh": "处理后"}}


@repeatable
def twfe(
    panel: Panel,
    outcome: str,
    *,
    cohort: str,
    covariates: Sequence[str] = (),
    weights: str | None = None,
    vcov: Vcov | None = None,
) -> DidResult:
    """Two-way fixed-effects regression of the outcome on treatment status.

    ``y_it = a_i + l_t + b D_it + x_it' g + u_it``, with ``D_it = 1`` from the unit's first treated period on.

    With treatment dates that differ and effects that vary, ``b`` is a weighted mean of the effects in treated cells in
    which weights can be negative (de Chaisemartin and D'Haultfoeuille 2020, Theorem 1); it is then no average effect.
    ``weights()`` of the result shows them.

    Parameters
    ----------
    panel : units over periods.
    outcome : column, or an expression such as ``log(y)``.
    cohort : column with the first treated period of each unit; missing = never treated. Units treated in all their
        periods stay in as comparisons, with a note.
    covariates : columns or expressions that vary over units and periods.
    weights : column of weights, constant within units.
    vcov : covariance, by default clustered by unit: G/(G-1) x (N-1)/(N-K), t with G-1 degrees of freedom.

    Returns
    -------
    DidResult with the terms ``treated`` and the covariates.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").with_cohort(econ.roster("innovation_demonstration_zones"))
    >>> estimate = econ.did.twfe(panel, "log(invention_grants)", cohort="cohort")
    >>> weights = estimate.weights().query("treated")["weight"]
    >>> round(float(weights.sum()), 6), int((weights < 0).sum())
    (1.0, 5)
    """
    design = read_design(
        panel, outcome, cohort, covariates=covariates, weights=weights, vcov=vcov, keep_always_treated=True
    )
    treated = (design.event_time >= 0).astype(np.float64)
    fit = regress_classes(design, treated[:, None, :])
    size = np.array([float((design.counts * treated).sum())])
    ever = np.array([float(design.class_weight[np.isfinite(design.first)].sum())])
    effects = Cells((None,), (None,), (None,), np.array([np.nan]), size, ever)
    return regression_result(fit, ("twfe", LABEL), effects, ("treated",), ("treated",), labels=TREATED)
