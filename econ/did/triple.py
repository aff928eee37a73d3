"""Triple differences: a policy that some of a cohort's units are eligible for, staggered or not."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from econ.did.cell_effects import conditional_effects, mean_effects
from econ.did.cells import Loadings
from econ.did.class_means import clustered, lone_units
from econ.did.comparisons import Comparisons, left_out
from econ.did.design import SHOWN, DidDesign, name_units, read_design
from econ.did.regression import cell_terms, class_cells, class_loadings
from econ.did.result import DidResult, build_result, repeatable
from econ.did.triples import Plan, eligible_classes, plan_triples, triple_weights
from econ.errors import DataError, ModelError
from econ.inference.covariance import cluster
from econ.inference.influence import Influence, linear_map
from econ.inference.specs import Vcov
from econ.linear.fit import FloatArray, IntArray
from econ.options import AttMethod, BasePeriod, ControlGroup, check_word
from econ.panel import Panel
from econ.text import Text

LABEL: Text = {"en": "Triple differences", "zh": "三重差分"}
INCOMPLETE: Text = {
    "en": "eligible and ineligible units of the cohort and of one to compare with are not all observed in both periods",
    "zh": "该队列及其对照队列的适用与不适用单元未能在两个时期均有观测",
}


@repeatable
def triple(
    panel: Panel,
    outcome: str,
    *,
    cohort: str,
    eligible: str,
    covariates: Sequence[str] = (),
    method: AttMethod = "dr",
    control: ControlGroup = "never",
    base: BasePeriod = "varying",
    weights: str | None = None,
    vcov: Vcov | None = None,
) -> DidResult:
    r"""Triple differences (Ortiz-Villavicencio and Sant'Anna 2025).

    A unit is treated when it is eligible, Q = 1, and the policy is in force where it is, from period S on. For cohort
    S = g in period t, compared with cohort c that is not (yet) under the policy,

    .. math:: DDD_c(g, t) = \{\Delta(g, 1) - \Delta(g, 0)\} - \{\Delta(c, 1) - \Delta(c, 0)\}, \quad
        \Delta(s, q) = E[Y_t - Y_b | S = s, Q = q]

    with b the last period before g. It is the mean effect on the eligible units of the cohort if, without the policy,
    the gap between eligible and ineligible units had moved as much in cohort g as in cohort c: parallel trends between
    eligible and ineligible units, or between cohorts, are not needed.

    Parameters
    ----------
    panel, outcome, weights : as in ``callaway_santanna``; a unit is eligible or it is not, such as a province's firms
        of one kind.
    cohort : column with the first period of the policy where the unit is, also of units not eligible; missing = never.
    eligible : column of zeros and ones (or false and true), constant within units.
    covariates, method, base : as in ``callaway_santanna``, for each of the three comparisons of the eligible units of
        the cohort that make a ``DDD_c``: with its ineligible units, plus with the eligible units of c, less with the
        ineligible ones of c. All three weigh covariates as they are among the eligible units of the cohort; the
        difference of two difference-in-differences with covariates would not.
    control : ``"never"``: c is the units never under the policy. ``"not_yet"``: every cohort not yet under it is a c of
        its own, and the ``DDD_c`` are combined with the weights that make the variance (by unit) smallest, which count
        as given. Pooling these cohorts first, as in difference-in-differences, would be wrong: eligible and ineligible
        units have different shares in the cohorts, so that the cohorts' trends would not cancel.
    vcov : as in ``callaway_santanna``: ``econ.cluster(column)``, by default by unit with ``kind="CR0"``.

    Returns
    -------
    DidResult over (cohort, period) cells, those before treatment included. Averages weigh cohorts by their eligible
    units, with shares that count as estimated; R's triplediff weighs them by all their units.

    References
    ----------
    Ortiz-Villavicencio and Sant'Anna (2025), "Better understanding triple differences estimators", arXiv:2505.09942.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("zones_simulated").assign(large=lambda d: d["zone_id"] <= 80)
    >>> result = econ.did.triple(panel, "log(revenue)", cohort="demonstration_year", eligible="large")
    >>> len(result.aggregate("overall").terms)
    1
    """
    check_word(method, AttMethod, "method")
    check_word(control, ControlGroup, "control")
    check_word(base, BasePeriod, "base")
    design = read_design(
        panel,
        outcome,
        cohort,
        covariates=covariates,
        weights=weights,
        vcov=vcov or cluster(panel.unit, kind="CR0"),
        by=_checked(panel, eligible),
        keep_singletons=True,
        split_never=True,
    )
    if control == "never" and not design.has_never:
        raise ModelError(
            f"No unit is never under the policy according to {cohort!r}; use control='not_yet', which compares with "
            "cohorts that come under it later."
        )
    plan = plan_triples(design, control, base)
    asked: dict[str, Any] = {
        "eligible": eligible,
        "control": control,
        "base": base,
        "reference": -1 if base == "universal" else None,
    }
    if not design.covariates:
        coef, influence, loadings = mean_effects(design, plan.parts, repeated=False)
        return _combine(design, plan, plan.parts, coef, influence, loadings, asked, ())
    parts, coef, by_unit, notes = conditional_effects(design, plan.parts, method, repeated=False)
    asked |= {"covariates": list(design.covariates), "method": method}
    return _combine(design, plan, parts, coef, by_unit, None, asked, notes)


def _checked(panel: Panel, eligible: str) -> str:
    values = panel.attribute(eligible)
    if values.isna().any():
        lost = values.index[values.isna()]
        raise DataError(
            f"eligible={eligible!r} is missing for the units {name_units(lost)}; fill it in, or leave these units out "
            "with where()."
        )
    if not values.isin([0, 1]).all():
        others = sorted({str(value) for value in values[~values.isin([0, 1])]})
        raise DataError(
            f"eligible={eligible!r} has the values {', '.join(others[:SHOWN])}; it must be zero or one (or false or "
            "true) for each unit."
        )
    return eligible


def _combine(
    design: DidDesign,
    plan: Plan,
    parts: Comparisons,
    coef: FloatArray,
    influence: Influence,
    loadings: FloatArray | None,
    asked: Mapping[str, Any],
    notes: tuple[Text, ...],
) -> DidResult:
    """Triples from the comparisons that could be estimated, and from these the result."""
    M, kept = triple_weights(plan, parts, influence.gram())
    lost = sorted({*plan.lost, *(cell for cell, has in zip(plan.cells, kept, strict=True) if not has)})
    classes, periods = map(list, zip(*(cell for cell, has in zip(plan.cells, kept, strict=True) if has), strict=True))
    cohorts = np.unique(classes)
    shares = (cohorts[:, None] == np.unique(parts.treated)).astype(np.float64)
    both = np.block([[M, np.zeros((len(M), shares.shape[1]))], [np.zeros((len(shares), M.shape[1])), shares]])
    influence = linear_map(influence, both)
    effects = class_cells(design, classes, periods)
    effects = replace(effects, size=effects.cohort_size, group=(None,) * len(M))
    return build_result(
        design,
        ("triple", LABEL),
        effects,
        cell_terms(effects),
        M @ coef,
        clustered(design, influence),
        shares=design.class_weight[cohorts] / design.class_weight.sum(),
        loadings=None if loadings is None else _loadings(design, np.tensordot(M, loadings, axes=1)),
        influence=influence,
        spec=asked,
        notes=(*notes, *_notes(design, plan, lost, cohorts)),
    )


def _loadings(design: DidDesign, values: FloatArray) -> Loadings:
    """Only eligible units are treated."""
    found = class_loadings(design, values)
    return replace(found, treated=found.treated & eligible_classes(design)[:, None])


def _notes(design: DidDesign, plan: Plan, lost: list[tuple[int, int]], cohorts: IntArray) -> tuple[Text, ...]:
    notes = [left_out(design, lost, INCOMPLETE)] if lost else []
    if plan.single:
        names = ", ".join(str(design.label(first) or "never") for first in plan.single)
        notes.append(
            {
                "en": f"Not compared with where others can be, for a single eligible or ineligible unit: {names}.",
                "zh": f"因仅有一个适用或不适用单元，在有其他队列可比时不作对照：{names}。",
            }
        )
    own = np.isin(design.first, design.first[cohorts])
    return (*notes, *lone_units(design, np.flatnonzero(own)))
