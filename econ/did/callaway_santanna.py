"""Callaway and Sant'Anna: every cohort and period against units not (yet) treated."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from econ.did.cell_effects import cohort_shares, conditional_effects, mean_effects
from econ.did.comparisons import Comparisons, comparisons
from econ.did.design import DidDesign, read_design
from econ.did.regression import cell_terms, class_cells, class_loadings
from econ.did.result import DidResult, build_result, repeatable
from econ.errors import ModelError
from econ.inference.covariance import Covariance, cluster
from econ.inference.influence import Influence, influence_covariance
from econ.inference.specs import Vcov
from econ.linear.fit import FloatArray
from econ.options import AttMethod, BasePeriod, ControlGroup, check_word
from econ.panel import Panel
from econ.text import Text

LABEL: Text = {"en": "Callaway and Sant'Anna", "zh": "Callaway-Sant'Anna 估计"}


@repeatable
def callaway_santanna(
    panel: Panel,
    outcome: str,
    *,
    cohort: str,
    covariates: Sequence[str] = (),
    method: AttMethod = "dr",
    control: ControlGroup = "never",
    base: BasePeriod = "varying",
    anticipation: int = 0,
    repeated: bool = False,
    by: str | None = None,
    weights: str | None = None,
    vcov: Vcov | None = None,
) -> DidResult:
    r"""Group-time average treatment effects (Callaway and Sant'Anna 2021).

    .. math:: ATT(g, t) = E[Y_t - Y_b | G = g] - E[Y_t - Y_b | C]

    with b the last period before treatment (and anticipation), and C the units never treated or not yet treated. Under
    parallel trends it is the mean effect in period t on units first treated in g.

    Parameters
    ----------
    panel, outcome : units over periods; column or expression such as ``log(y)``.
    cohort : column with the first treated period of each unit; missing = never treated. Units treated from the first
        period on are left out.
    covariates : columns or expressions X given which trends without treatment are parallel. In a panel X is taken in
        the earlier of the cell's two periods: the base period, but for ``base="universal"`` before treatment the period
        itself (as R's did). With ``repeated=True`` every row has its own.
    method : with covariates (Sant'Anna and Zhao 2020): doubly robust ``"dr"`` (eq. 3.1, repeated cross-sections eq.
        3.4; logit and least squares; R did's default), ``"dr_improved"`` (section 3.1; the propensity balances the
        covariates' means, the regression is weighted by its odds), inverse probability weighting ``"ipw"`` with weights
        that add up to one, or outcome regression ``"reg"``.
    control : ``"never"``, or ``"not_yet"``: never treated or first treated after the later of t and b (and
        anticipation).
    base : before treatment, ``"varying"`` compares each period with the one before it, ``"universal"`` with b.
    anticipation : periods before treatment in which it may have effects.
    repeated : rows are a new sample of units in every period (repeated cross-sections), or a panel of which every row
        is to be used though units come and go: means are compared whatever units they rest on (eq. 2.11 and R did's
        ``allow_unbalanced_panel``). Otherwise a cell rests on the units observed in both of its periods.
    by : column, constant within units, for effects of each cohort by group, all against the same controls.
    weights : column of weights, constant within units.
    vcov : ``econ.cluster(column)`` for clusters coarser than units; by default by unit with ``kind="CR0"``, the
        analytic standard errors of R's did.

    Returns
    -------
    DidResult over (cohort, period) cells, those before treatment included. Averages take shares of cohorts as
    estimated (section 4.1.1), so that their standard errors include it. t statistics have G-1 degrees of freedom; R's
    did uses the normal distribution.

    Notes
    -----
    ``"dr"`` and ``"ipw"`` give no weight to controls with a propensity of 0.995 or more (R's DRDID from version 1.2.2
    on); a cell with a propensity of 0.999 or more (R's did), without a finite fit, or with collinear covariates in a
    group that a regression rests on is left out. A note on the result names all of these. For the standard errors of
    DRDID before version 1.2.3, which have n - 1 for n, use ``kind="CR1"``. With ``repeated=True``, ``"dr"`` differs in
    its standard errors from DRDID, in which the regression of the earlier period enters the influence with the opposite
    sign; where the logit is right that makes no difference.

    References
    ----------
    Callaway and Sant'Anna (2021), "Difference-in-differences with multiple time periods", Journal of Econometrics
    225(2). Sant'Anna and Zhao (2020), "Doubly robust difference-in-differences estimators", Journal of Econometrics
    219(1).

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").with_cohort(econ.roster("innovation_demonstration_zones"))
    >>> result = econ.did.callaway_santanna(panel, "log(invention_grants)", cohort="cohort")
    >>> result.aggregate("event", window=(-2, 2)).terms
    ('event_time::-2', 'event_time::-1', 'event_time::0', 'event_time::1', 'event_time::2')
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
        by=by,
        anticipation=anticipation,
        keep_singletons=True,
    )
    if control == "never" and not design.has_never:
        raise ModelError(
            f"No unit is never treated according to {cohort!r}, so there is no control group; use control='not_yet', "
            "which compares with units treated later."
        )
    cells, notes = comparisons(design, control, base, anticipation, repeated)
    asked: dict[str, Any] = {
        "control": control,
        "base": base,
        "anticipation": anticipation,
        "repeated": repeated,
        "reference": -1 - anticipation if base == "universal" else None,
    }
    if not design.covariates:
        coef, influence, loadings = mean_effects(design, cells, repeated)
        return _label(design, cells, coef, influence, loadings, asked, notes)
    cells, coef, by_unit, more = conditional_effects(design, cells, method, repeated)
    asked |= {"covariates": list(design.covariates), "method": method}
    return _label(design, cells, coef, by_unit, None, asked, (*notes, *more))


def _label(
    design: DidDesign,
    cells: Comparisons,
    coef: FloatArray,
    influence: Influence,
    loadings: FloatArray | None,
    asked: dict[str, Any],
    notes: tuple[Text, ...],
) -> DidResult:
    effects = class_cells(design, cells.treated.tolist(), cells.period.tolist())
    effects = replace(effects, size=effects.cohort_size)
    return build_result(
        design,
        ("callaway_santanna", LABEL),
        effects,
        cell_terms(effects),
        coef,
        _covariance(design, influence),
        shares=cohort_shares(design, cells),
        loadings=None if loadings is None else class_loadings(design, loadings),
        influence=influence,
        spec=asked,
        notes=(*notes, *_alone_note(design, cells)),
    )


def _alone_note(design: DidDesign, cells: Comparisons) -> tuple[Text, ...]:
    alone = [c for c in np.unique(cells.treated) if design.starts[c + 1] - design.starts[c] == 1]
    if not alone:
        return ()
    names = ", ".join(str(design.label(design.first[c])) for c in alone)
    return (
        {
            "en": f"Cohorts of one unit, whose own variation is in no standard error: {names}.",
            "zh": f"以下队列仅有一个单元，其自身波动未计入标准误：{names}。",
        },
    )


def _covariance(design: DidDesign, influence: Influence) -> Covariance:
    spec = design.problem.vcov
    column = (*spec.columns_needed(), design.panel.unit)[0]
    if column == design.panel.unit:
        return influence_covariance(influence, spec, None, design.n_units)
    codes, labels = design.clusters(column)
    return influence_covariance(influence, spec, codes, len(labels))
