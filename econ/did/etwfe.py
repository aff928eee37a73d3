"""Extended two-way fixed effects: one effect for each cohort and period, linear or Poisson."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from econ.did.class_means import lone_units
from econ.did.comparisons import left_out
from econ.did.design import DidDesign, read_design, without_rows
from econ.did.etwfe_poisson import poisson_result
from econ.did.regression import ClassRegression, cell_terms, class_cells, regress_classes, regression_result
from econ.did.result import DidResult, repeatable
from econ.did.saturated import interact, own_cells
from econ.did.sun_abraham import cell_indicators
from econ.inference.specs import Vcov
from econ.options import ControlGroup, OutcomeFamily, check_word
from econ.panel import Panel
from econ.text import Text

LABEL: Text = {"en": "Extended two-way fixed effects", "zh": "扩展双向固定效应"}
CONFOUNDED: Text = {
    "en": "nothing untreated tells their effect from unit and period effects: no untreated unit is seen in the period, "
    "or no unit of the cohort before treatment",
    "zh": "其效应无法与个体和时期效应区分：该时期没有未处理单元，或该队列处理前没有观测",
}


@repeatable
def etwfe(
    panel: Panel,
    outcome: str,
    *,
    cohort: str,
    covariates: Sequence[str] = (),
    control: ControlGroup = "not_yet",
    family: OutcomeFamily = "linear",
    by: str | None = None,
    weights: str | None = None,
    vcov: Vcov | None = None,
) -> DidResult:
    r"""Extended two-way fixed effects (Wooldridge 2021, 2023).

    .. math:: y_{it} = a_i + l_t + \sum_{g, t \ge g} \tau_{gt} 1(g_i = g) 1(t)
        + \sum_{g, t \ge g} 1(g_i = g) 1(t) (x_{it} - \bar x_{gt})'\rho_{gt} + x_{it}'(\beta_{g_i} + \gamma_t) + u_{it}

    with an effect for each cohort and treated period, so that no effect of one enters another. Covariates have slopes
    of their own in each cohort, period and treated cell; about their means in the cell, so that ``tau_gt`` is the mean
    effect there. ``aggregate("overall")`` is the average over treated cells (``emfx`` of R's etwfe).

    Parameters
    ----------
    panel, outcome, cohort, weights : as in ``twfe``; always-treated units are left out.
    covariates : columns or expressions that treatment does not change, constant within units or not.
    control : ``"not_yet"``: all untreated observations are compared with; without covariates and with a complete panel
        the estimates are those of imputation. ``"never"``: cells before treatment but the last have coefficients too,
        so that only units never treated are compared with; without covariates this is Sun and Abraham's regression.
        Where nobody is never treated, the last cohort takes their place, in the periods before its treatment.
    family : ``"linear"``, or ``"poisson"`` for counts and other outcomes that are not negative, see the notes.
    by : column, constant within units, for effects of each cohort by group.
    vcov : as in ``twfe``; with ``"poisson"`` clustered by one column, by default by unit with
        G/(G-1) x (N-1)/(N-K), all K coefficients counted.

    Returns
    -------
    DidResult over (cohort, period) cells; after their effects the slopes of covariates, and with ``"poisson"`` the log
    ratios.

    Notes
    -----
    Means of covariates count as given, as in R's etwfe. Slopes that a cell cannot tell (too few units, or no variation)
    are left out of that cell, with a note.

    ``"poisson"`` is the pooled quasi-maximum likelihood of ``E[y] = exp(index)`` with the terms above, but effects of
    cohorts (and groups) in place of units (Wooldridge 2023); without covariates and with a complete panel, effects of
    units would give the same. Parallel trends then hold for the log of the mean, that is, for growth rates. The cells
    are average effects on the outcome itself, in its unit of measure: the mean outcome of the treated less the mean of
    what the model predicts for them without treatment, with delta-method standard errors. The terms ``log_ratio::...``
    are the coefficients ``tau_gt`` of the index: 0.1 means that treatment raises the mean of a unit with average
    covariates by ``exp(0.1) - 1`` = 10.5 %.

    References
    ----------
    Wooldridge (2021), "Two-way fixed effects, the two-way Mundlak regression, and difference-in-differences
    estimators", SSRN 3906345. Wooldridge (2023), "Simple approaches to nonlinear difference-in-differences with panel
    data", Econometrics Journal 26(3).

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").with_cohort(econ.roster("innovation_demonstration_zones"))
    >>> result = econ.did.etwfe(panel, "log(invention_grants)", cohort="cohort")
    >>> counts = econ.did.etwfe(panel, "invention_grants", cohort="cohort", family="poisson")
    >>> len(result.cells) == len(counts.cells)
    True
    """
    check_word(control, ControlGroup, "control")
    check_word(family, OutcomeFamily, "family")
    design = read_design(
        panel,
        outcome,
        cohort,
        covariates=covariates,
        weights=weights,
        vcov=vcov,
        by=by,
        keep_singletons=family == "poisson",
        last_cohort_compares=True,
    )
    return (_linear if family == "linear" else poisson_result)(design, control)


def _linear(design: DidDesign, control: ControlGroup) -> DidResult:
    design, fit, notes = _comparable(design, control)
    classes, periods = np.nonzero(own_cells(design, control))
    effects = class_cells(design, classes.tolist(), periods.tolist())
    terms, names = cell_terms(effects), list(design.covariates)
    regressors = ["i(cohort):i(period)"]
    if names:
        saturated, more = interact(design, classes, periods, terms)
        fit, notes = regress_classes(saturated, fit.D), (*notes, *more)
        regressors.append(f"({' + '.join(names)}):(i(cohort) + i(period) + i(cohort):i(period))")
    problem = design.problem
    formula = f"{problem.formula.outcome.text} ~ {' + '.join(regressors)} | {problem.panel.unit} + {problem.panel.time}"
    return regression_result(
        fit,
        ("etwfe", LABEL),
        effects,
        terms,
        regressors,
        spec={"formula": formula, "control": control, "family": "linear", "covariates": names}
        | {"reference": -1 if control == "never" else None},
        notes=(*notes, *lone_units(design, np.unique(classes))),
    )


def _comparable(design: DidDesign, control: ControlGroup) -> tuple[DidDesign, ClassRegression, tuple[Text, ...]]:
    """Leave out the rows of cells whose effect nothing tells from the unit and period effects; also the regression
    without covariates on the others."""
    notes = list[Text]()
    while True:
        classes, periods = np.nonzero(own_cells(design, control))
        plain = replace(design, covariates={})
        fit = regress_classes(plain, cell_indicators(plain, classes.tolist(), periods.tolist()))
        pairs = zip(classes.tolist(), periods.tolist(), strict=True)
        lost = [cell for cell, gone in zip(pairs, fit.confounded, strict=True) if gone]
        if not lost:
            return design, fit, tuple(notes)
        notes.append(left_out(design, lost, CONFOUNDED))
        flagged = np.zeros(design.counts.shape, dtype=np.bool_)
        flagged[classes[fit.confounded], periods[fit.confounded]] = True
        design = without_rows(design, flagged[design.class_of], "no comparison")
