"""Callaway and Sant'Anna: every cohort and period against units not (yet) treated."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from econ.did.design import DidDesign, read_design
from econ.did.regression import cell_terms, class_cells, class_loadings
from econ.did.result import DidResult, build_result
from econ.errors import ModelError
from econ.inference.covariance import cluster
from econ.inference.influence import ClassInfluence, Influence, UnitInfluence, influence_covariance
from econ.inference.specs import Vcov
from econ.linear.fit import BoolArray, FloatArray, IntArray
from econ.options import AttMethod, BasePeriod, ControlGroup, check_word
from econ.panel import Panel
from econ.text import Text

LABEL: Text = {"en": "Callaway and Sant'Anna", "zh": "Callaway-Sant'Anna 估计"}


@dataclass(frozen=True, eq=False)
class Comparisons:
    """The K cells that can be estimated.

    ``treated`` (K,) classes; ``period``, ``base`` (K,) positions of periods; ``controls`` (K, C) true for the classes
    compared with.
    """

    treated: IntArray
    period: IntArray
    base: IntArray
    controls: BoolArray


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
    covariates : columns or expressions whose value in the base period makes parallel trends conditional.
    method : with covariates: doubly robust ``"dr"`` (Sant'Anna and Zhao 2020, eq. 2.6), its improved form
        ``"dr_improved"`` (section 3.1), inverse probability weighting ``"ipw"`` (normalised weights), or outcome
        regression ``"reg"``.
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
    coef, influence, loadings = _class_means(design, cells, repeated)
    return _label(design, cells, coef, influence, loadings, base, anticipation, notes)


# ---- which cells


def comparisons(
    design: DidDesign, control: ControlGroup, base: BasePeriod, anticipation: int, repeated: bool
) -> tuple[Comparisons, tuple[Text, ...]]:
    """The cells with somebody in both groups and periods; the others are named in a note."""
    rows, lost = list[tuple[int, int, int, BoolArray]](), list[str]()
    for c in np.flatnonzero(np.isfinite(design.first)):
        for t, b in _period_pairs(design, int(c), base, anticipation):
            controls = _controls(design, int(c), max(t, b), control, anticipation)
            if _pairs(design, [int(c)], t, b, repeated) and _pairs(
                design, np.flatnonzero(controls).tolist(), t, b, repeated
            ):
                rows.append((int(c), t, b, controls))
            else:
                lost.append(f"{design.label(design.first[c])} in {design.label(design.calendar[t])}")
    if not rows:
        raise ModelError(
            "No cell can be estimated: in none are treated and control units observed in both the period and its base "
            "period. Check the outcome's missing values, or use repeated=True."
        )
    treated, period, before = (np.array([row[j] for row in rows], dtype=np.intp) for j in range(3))
    return Comparisons(treated, period, before, np.array([row[3] for row in rows])), _lost_note(lost)


def _period_pairs(design: DidDesign, c: int, base: BasePeriod, anticipation: int) -> list[tuple[int, int]]:
    """(period, base period) of every cell of a class, as positions on the calendar of the sample."""
    e = design.event_time[c]
    before = np.flatnonzero(e < -anticipation)
    if not before.size:
        return []
    last = int(before[-1])
    if base == "universal":
        return [(t, last) for t in range(len(e)) if t != last]
    return [(t, last if e[t] >= 0 else t - 1) for t in range(1, len(e))]


def _controls(design: DidDesign, c: int, later: int, control: ControlGroup, anticipation: int) -> BoolArray:
    """(C,) classes compared with in a cell whose later period has position ``later``."""
    if control == "never":
        chosen = np.isinf(design.first)
    else:
        chosen = design.first > design.calendar[later] + anticipation
        chosen &= design.first != design.first[c]
    return np.asarray(chosen, dtype=np.bool_)


def _pairs(design: DidDesign, classes: Sequence[int], t: int, b: int, repeated: bool) -> bool:
    """Whether the classes have units in both periods, the same ones unless ``repeated``."""
    if design.observed is None:
        return len(classes) > 0
    seen = [design.observed[design.classes[c]] for c in classes]
    if repeated:
        return any(o[:, t].any() for o in seen) and any(o[:, b].any() for o in seen)
    return any((o[:, t] & o[:, b]).any() for o in seen)


def _lost_note(lost: list[str]) -> tuple[Text, ...]:
    if not lost:
        return ()
    shown = ", ".join(lost[:8]) + (", ..." if len(lost) > 8 else "")
    return (
        {
            "en": f"{len(lost)} cells (cohort in period) have no treated or no control unit observed in both periods "
            f"and are left out: {shown}.",
            "zh": f"{len(lost)} 个单元格（队列与时期）在两个时期均缺少处理或对照观测，予以剔除：{shown}。",
        },
    )


# ---- without covariates: class means


def _class_means(design: DidDesign, cells: Comparisons, repeated: bool) -> tuple[FloatArray, Influence, FloatArray]:
    """(K,) effects, their influences followed by those of the shares, and (K, C, T) weights on class means."""
    if design.observed is None or repeated:
        weights = _cell_weights(design, cells)
        coef = np.einsum("kct,ct->k", weights, design.means)
        return coef, _mean_influence(design, cells, weights), weights
    return _paired_means(design, cells)


def _cell_weights(design: DidDesign, cells: Comparisons) -> FloatArray:
    """(K, C, T): one for the treated class in the period, minus one in the base period, the reverse for controls."""
    K = len(cells.treated)
    rows = np.arange(K)
    weights = np.zeros((K, design.n_classes, len(design.calendar)))
    for t, sign in ((cells.period, 1.0), (cells.base, -1.0)):
        counts = np.where(cells.controls, design.counts[:, t].T, 0.0)
        weights[rows[:, None], np.arange(design.n_classes), t[:, None]] -= sign * counts / counts.sum(1, keepdims=True)
        weights[rows, cells.treated, t] += sign
    return weights


def _mean_influence(design: DidDesign, cells: Comparisons, weights: FloatArray) -> ClassInfluence:
    """A unit moves the mean of a class by its deviation from it over the class's count.

    Where controls are several classes, their pooled mean also moves with who is observed in it.
    """
    C, T, K = design.n_classes, len(design.calendar), len(cells.treated)
    inverse = np.divide(1.0, design.counts, out=np.zeros((C, T)), where=design.counts > 0)
    loadings = (weights * inverse).transpose(1, 0, 2)
    pooled = _pooled_deviation(design, cells, weights, inverse).transpose(1, 0, 2)
    shares = _share_influence(design, cells)
    constants = np.hstack([np.zeros((C, K)), shares])
    if design.observed is None:
        constants[:, :K] = pooled.sum(axis=2)
    else:
        loadings = np.concatenate([loadings, pooled], axis=2)
    loadings = np.concatenate([loadings, np.zeros((C, shares.shape[1], loadings.shape[2]))], axis=1)
    return ClassInfluence(partial(_deviations, design), design.starts, loadings, constants, design.unit_weights)


def _share_influence(design: DidDesign, cells: Comparisons) -> FloatArray:
    """(C, cohorts) influence of a unit of each class on the shares of the treated cohorts."""
    present = np.unique(cells.treated)
    influence: FloatArray = np.eye(design.n_classes)[:, present] - _shares(design, cells)
    return np.asarray(influence / design.class_weight.sum())


def _shares(design: DidDesign, cells: Comparisons) -> FloatArray:
    """(cohorts,) shares of the treated cohorts in all units."""
    share: FloatArray = design.class_weight[np.unique(cells.treated)] / design.class_weight.sum()
    return share


def _pooled_deviation(design: DidDesign, cells: Comparisons, weights: FloatArray, inverse: FloatArray) -> FloatArray:
    """(K, C, T) weight of being observed: of the gap between a control class's mean and the pooled one."""
    out = np.zeros_like(weights)
    rows = np.arange(len(cells.treated))
    for t in (cells.period, cells.base):
        counts = np.where(cells.controls, design.counts[:, t].T, 0.0)
        means = design.means[:, t].T
        pooled = (counts * means).sum(axis=1, keepdims=True) / counts.sum(axis=1, keepdims=True)
        gap = np.where(cells.controls, means - pooled, 0.0)
        at = (rows[:, None], np.arange(design.n_classes), t[:, None])
        control_weights = np.where(cells.controls, weights[at], 0.0)
        out[at] = control_weights * gap * inverse[:, t].T
    return out


def _deviations(design: DidDesign, rows: slice, c: int) -> FloatArray:
    """(B, T) deviations from the class mean; zero where not observed; then (B, T) whether observed."""
    deviation: FloatArray = design.Y[rows] - design.means[c]
    if design.observed is None:
        return deviation
    o = design.observed[rows]
    return np.hstack([np.where(o, deviation, 0.0), o])


def _paired_means(design: DidDesign, cells: Comparisons) -> tuple[FloatArray, UnitInfluence, FloatArray]:
    """Cell by cell over the units observed in both periods."""
    assert design.observed is not None
    K, n = len(cells.treated), design.n_units
    coef, psi = np.zeros(K), np.zeros((n, K))
    weights = np.zeros((K, design.n_classes, len(design.calendar)))
    w = np.ones(n) if design.unit_weights is None else design.unit_weights
    for k, (c, t, b) in enumerate(zip(cells.treated, cells.period, cells.base, strict=True)):
        both = design.observed[:, t] & design.observed[:, b]
        change = np.where(both, design.Y[:, t] - design.Y[:, b], 0.0)
        for sign, chosen in ((1.0, np.arange(design.n_classes) == c), (-1.0, cells.controls[k])):
            share = np.where(both & chosen[design.class_of], w, 0.0)
            share /= share.sum()
            mean = float(share @ change)
            coef[k] += sign * mean
            psi[:, k] += sign * share * (change - mean)
            by_class = sign * np.bincount(design.class_of, share, minlength=design.n_classes)
            weights[k, :, t] += by_class
            weights[k, :, b] -= by_class
    shares = w[:, None] * _share_influence(design, cells)[design.class_of]
    return coef, UnitInfluence(np.hstack([psi, shares])), weights


# ---- the result


def _label(
    design: DidDesign,
    cells: Comparisons,
    coef: FloatArray,
    influence: Influence,
    loadings: FloatArray | None,
    base: BasePeriod,
    anticipation: int,
    notes: tuple[Text, ...],
) -> DidResult:
    effects = class_cells(design, cells.treated.tolist(), cells.period.tolist())
    effects = replace(effects, size=effects.cohort_size)
    spec = design.problem.vcov
    column = spec.columns_needed()[0] if spec.columns_needed() else design.panel.unit
    codes, labels = design.clusters(column)
    found = influence_covariance(influence, spec, None if column == design.panel.unit else codes, len(labels))
    return build_result(
        design,
        ("callaway_santanna", LABEL),
        effects,
        cell_terms(effects),
        coef,
        found,
        shares=_shares(design, cells),
        loadings=None if loadings is None else class_loadings(design, loadings),
        influence=influence,
        spec={"reference": -1 - anticipation if base == "universal" else None, "anticipation": anticipation},
        notes=notes,
    )
