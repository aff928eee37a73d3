"""De Chaisemartin and D'Haultfoeuille: treatments that switch on and off, change several times, or have doses."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from econ.did.cells import Cells
from econ.did.class_means import clustered
from econ.did.design import DidDesign, read_design
from econ.did.history import History, lay_out, read_history
from econ.did.result import DidResult, build_result, repeatable
from econ.did.switching import Adjustment, Horizon, Switching, adjust, horizon
from econ.errors import ModelError
from econ.estimate import Test
from econ.inference.covariance import cluster
from econ.inference.influence import UnitInfluence
from econ.inference.specs import Vcov
from econ.linear.fit import BoolArray, FloatArray, IntArray
from econ.options import SwitchDirection, check_whole, check_word
from econ.panel import Panel
from econ.text import Text

LABEL: Text = {
    "en": "Effects of changes in treatment (de Chaisemartin and D'Haultfoeuille)",
    "zh": "处理变动效应（de Chaisemartin-D'Haultfoeuille）",
}
AVERAGE = "average_total_effect"
SHOWN = 8


@repeatable
def switchers(
    panel: Panel,
    outcome: str,
    *,
    treatment: str,
    effects: int = 1,
    placebos: int = 0,
    normalized: bool = False,
    only: SwitchDirection | None = None,
    same_switchers: bool = False,
    covariates: Sequence[str] = (),
    weights: str | None = None,
    vcov: Vcov | None = None,
) -> DidResult:
    r"""Effects of a treatment that may rise, fall, switch off again or come in doses.

    Let unit i have treatment ``D_1`` at the start, first change it in period ``F``, and have ``S = +1`` if upwards, -1
    if downwards. The effect l periods on compares it with the units that started with the same treatment and have not
    changed it by then:

    .. math:: DID_{i,l} = Y_{F-1+l} - Y_{F-1} - \operatorname{mean}_{D_1 = D_{i,1},\, F > F_i-1+l} (Y_{F_i-1+l} -
        Y_{F_i-1}), \qquad DID_l = \sum_i S_i DID_{i,l} / N_l

    If without a change of treatment the outcomes of units with the same start had moved in parallel, ``DID_l`` is the
    mean effect of having had the actual treatments of the last l periods instead of the one at the start. Normalised,
    it is divided by the mean dose received, ``sum_{k<l} S (D_{F+k} - D_1)``, and is then a weighted average of the
    effects per unit of the treatments 0, ..., l-1 periods ago; ``spec["lag_weights"]`` has the weights.

    Parameters
    ----------
    panel, outcome : units over periods; column or expression such as ``log(y)``.
    treatment : column of the treatment in each period: binary, discrete or continuous. Rows where it is missing are
        left out; a unit whose period just before the change is not there is in no effect. Rows from where on a
        treatment has been both above and below its start are left out too: no sign fits them.
    effects, placebos : number of periods after and before the change. Placebo l is ``Y_{F-1-l} - Y_{F-1}``, on the
        units of effect l and their comparison units that are observed then. Periods are those of the panel, in order.
    normalized : divide by the mean dose received.
    only : ``"in"`` for upward changes, ``"out"`` for downward ones; None for both.
    same_switchers : average all effects and placebos over the units for which all the effects can be estimated.
    covariates : columns or expressions; their changes, with a slope for each start estimated on units before their
        change, are taken out of the outcome's.
    weights : column of weights, constant within units.
    vcov : ``econ.cluster(column)`` for clusters coarser than units; by default by unit with ``kind="CR0"``.

    Returns
    -------
    DidResult. Effect l stands at event time l-1 (0 is the first period with the new treatment), placebo l at -1-l, and
    -1, the last period before, is the reference. ``size`` in ``cells`` counts the units that change, so
    ``aggregate("overall")`` is the mean effect per unit and period since the change. The last term,
    ``average_total_effect``, divides the same sum of effects by the sum of ``S (D_{F-1+l} - D_1)``: the average total
    effect per unit of treatment. The two are equal for a binary treatment that stays on, where the effects are those
    of ``callaway_santanna(control="not_yet")`` by event time. Tests: ``"equal effects"``, ``"placebos jointly zero"``.

    Notes
    -----
    Standard errors are those of the authors' did_multiplegt_dyn: each unit's terms about the mean of those that share
    its start, first change and treatment upon it, or of the unchanged units of the period, times ``sqrt(n/(n-1))`` with
    n the clusters in that group; a group of one cluster is taken together with its comparison. They are conservative
    where effects differ within these groups. Sizes of groups count as given. t statistics have G-1 degrees of freedom,
    F tests (q, G-1); did_multiplegt_dyn uses the normal and chi-squared distributions. With covariates the slopes'
    least-squares influences enter; did_multiplegt_dyn adds the slopes themselves to them, which makes its standard
    errors larger.

    References
    ----------
    De Chaisemartin and D'Haultfoeuille (2024), "Difference-in-differences estimators of intertemporal treatment
    effects", Review of Economics and Statistics 106(6).

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").with_cohort(econ.roster("innovation_demonstration_zones"))
    >>> panel = panel.assign(zone=lambda d: (d["year"] >= d["cohort"]).astype(float))
    >>> result = econ.did.switchers(panel, "log(invention_grants)", treatment="zone", effects=3, placebos=2)
    >>> result.terms[:4]
    ('event_time::-3', 'event_time::-2', 'event_time::0', 'event_time::1')
    """
    _check(effects, placebos, only)
    history = read_history(panel, treatment)
    design = read_design(
        panel,
        outcome,
        treatment,
        covariates=covariates,
        weights=weights,
        vcov=vcov or cluster(panel.unit, kind="CR0"),
        keep_singletons=True,
        first=history.first_period,
        excluded={
            f"missing {treatment}": np.isnan(panel.values(treatment)),
            "treatment has been above and below its start": history.crossed_rows(panel),
        },
    )
    data = lay_out(design, history, design.clusters(_cluster_column(design))[0])
    adjustment = adjust(data) if covariates else None
    changing = data.sign != 0 if only is None else data.sign == {"in": 1.0, "out": -1.0}[only]
    allowed = _in_all(data, changing, effects, adjustment) if same_switchers else changing
    lengths = [(-1 - k, k, True) for k in range(placebos, 0, -1)] + [(k - 1, k, False) for k in range(1, effects + 1)]
    found = {time: horizon(data, k, placebo, allowed, adjustment) for time, k, placebo in lengths}
    kept = {time: effect for time, effect in found.items() if effect is not None}
    _require_effects(kept, treatment, only)
    notes = (
        *_meaning_note(normalized),
        *_crossed_note(design, history),
        *_lost_note([time for time in found if time not in kept]),
        *_uncompared_note(design, changing, kept),
        *_singular_note(data, history, design, adjustment),
    )
    asked = {"treatment": treatment, "normalized": normalized, "only": only, "same_switchers": same_switchers}
    return _label(design, kept, normalized, asked, notes)


def _check(effects: int, placebos: int, only: SwitchDirection | None) -> None:
    for name, value, least in (("effects", effects, 1), ("placebos", placebos, 0)):
        check_whole(value, name, least)
    if only is not None:
        check_word(only, SwitchDirection, "only")


# ---- whom to average over


def _in_all(data: Switching, changing: BoolArray, effects: int, adjustment: Adjustment | None) -> BoolArray:
    """(n,) those of the units that change on which each of the first effects can be estimated."""
    for length in range(1, effects + 1):
        found = horizon(data, length, False, changing, adjustment)
        changing = np.zeros_like(changing) if found is None else found.changed
    return changing


def _cluster_column(design: DidDesign) -> str:
    columns = design.problem.vcov.columns_needed()
    return columns[0] if columns else design.panel.unit


# ---- the result


def _label(
    design: DidDesign,
    found: dict[int, Horizon],
    normalized: bool,
    asked: dict[str, object],
    notes: tuple[Text, ...],
) -> DidResult:
    dose = [effect.lags.sum() if normalized else 1.0 for effect in found.values()]
    average = _average({time: effect for time, effect in found.items() if time >= 0})
    coef = np.array([*(e.coef / d for e, d in zip(found.values(), dose, strict=True)), average[0]])
    psi = np.column_stack([*(e.psi / d for e, d in zip(found.values(), dose, strict=True)), average[1]])
    size = np.array([effect.size for effect in found.values()])
    nobody = (None,) * len(size)
    terms = tuple(f"event_time::{time}" for time in found)
    influence = UnitInfluence(psi)
    lags = {f"event_time::{time}": (e.lags / e.lags.sum()).tolist() for time, e in found.items()}
    result = build_result(
        design,
        ("switchers", LABEL),
        Cells(nobody, nobody, nobody, np.array(list(found), dtype=np.float64), size, size),
        (*terms, AVERAGE),
        coef,
        clustered(design, influence),
        influence=influence,
        spec={"cohort": None, "covariates": list(design.covariates), "reference": -1, "lag_weights": lags} | asked,
        labels=_labels(design, str(asked["treatment"])),
        notes=notes,
    )
    return replace(result, tests=_tests(result))


def _average(effects: dict[int, Horizon]) -> tuple[float, FloatArray]:
    """Effect per unit of treatment and the influences on it: effects over doses, each summed over units and periods."""
    dose = sum(effect.size * effect.lags[0] for effect in effects.values())
    if not dose > 0:
        raise ModelError(
            "In all periods estimated the units that change have the treatment of the start again, so there is no dose "
            "to divide by; ask for effects of the periods in which they are treated."
        )
    parts = [(effect.size / dose, effect) for effect in effects.values()]
    return sum(w * e.coef for w, e in parts), np.sum([w * e.psi for w, e in parts], axis=0)


def _tests(result: DidResult) -> tuple[Test, ...]:
    time = result.effects.event_time
    after = [term for term, e in zip(result.terms, time, strict=False) if e >= 0]
    before = [term for term, e in zip(result.terms, time, strict=False) if e < 0]
    asked = [("equal effects", [" = ".join(after)])] if len(after) > 1 else []
    asked += [("placebos jointly zero", before)] if before else []
    return tuple(_test(result, name, hypothesis) for name, hypothesis in asked)


def _test(result: DidResult, name: str, hypothesis: list[str]) -> Test:
    try:
        found = result.wald(hypothesis)
    except ModelError as error:
        return Test(name, np.nan, (), np.nan, {"en": str(error), "zh": "协方差矩阵奇异，无法检验。"})
    return Test(name, found.statistic, (float(found.dof_num), found.dof_denom), found.p_value)


def _labels(design: DidDesign, treatment: str) -> dict[str, dict[str, str]]:
    return design.panel.labels([treatment]) | {
        "event_time": {"label": "Event time", "label_zh": "相对处理期"},
        AVERAGE: {"label": "Average total effect per unit of treatment", "label_zh": "单位处理的平均总效应"},
    }


# ---- what a reader must know


def _require_effects(found: dict[int, Horizon], treatment: str, only: SwitchDirection | None) -> None:
    if any(time >= 0 for time in found):
        return
    which = {None: "", "in": " upwards", "out": " downwards"}[only]
    raise ModelError(
        f"No effect can be estimated: no unit whose treatment {treatment!r} changes{which} has, in that period, a "
        "comparison unit that started with the same treatment and has not changed it. Where the treatment at the start "
        "takes many values, bring them into classes first (panel.assign); otherwise choose periods with more units "
        "unchanged."
    )


def _meaning_note(normalized: bool) -> tuple[Text, ...]:
    what = (
        "Effects of the treatments since the change, instead of the one at the start",
        "变动后的处理相对于初始处理的效应",
    )
    if normalized:
        what = ("Effects per unit of treatment received since the change", "每单位累计处理的效应")
    return (
        {
            "en": f"{what[0]}, averaged over the units that change (downward changes with the sign flipped), against "
            "units with the same treatment at the start that have not changed it; event time 0 is the first changed "
            f"period. {AVERAGE} is per unit of treatment.",
            "zh": f"{what[1]}，对处理发生变动的单元平均（下降者符号取反），以初始处理相同且尚未变动的单元为对照；"
            f"相对处理期0为变动首期。{AVERAGE}为单位处理的效应。",
        },
    )


def _crossed_note(design: DidDesign, history: History) -> tuple[Text, ...]:
    units = np.flatnonzero(history.crossed.any(axis=1))
    if not units.size:
        return ()
    names = _named(design, units)
    return (
        {
            "en": "Left out from the period on in which the treatment has been both above and below its start: "
            f"{names}.",
            "zh": f"以下单元自处理既高于又低于其初始值的时期起剔除：{names}。",
        },
    )


def _lost_note(times: list[int]) -> tuple[Text, ...]:
    if not times:
        return ()
    listed = ", ".join(map(str, times))
    return (
        {
            "en": f"No unit that changes has a comparison at event times {listed}; they are left out.",
            "zh": f"相对处理期{listed}没有可比单元，予以剔除。",
        },
    )


def _uncompared_note(design: DidDesign, changing: BoolArray, found: dict[int, Horizon]) -> tuple[Text, ...]:
    used = np.any([effect.changed for time, effect in found.items() if time >= 0], axis=0)
    lost = np.flatnonzero(changing & ~used)
    if not lost.size:
        return ()
    names = _named(design, np.sort(design.units[lost]))
    return (
        {
            "en": "In no effect though their treatment changes, for want of units with the same treatment at the start "
            f"and still unchanged, or of outcomes just before the change and in the periods asked for: {names}.",
            "zh": f"虽有变动但无初始处理相同且未变动的对照，或所需时期的结果缺失，未进入任何效应：{names}。",
        },
    )


def _singular_note(
    data: Switching, history: History, design: DidDesign, adjustment: Adjustment | None
) -> tuple[Text, ...]:
    if adjustment is None or not adjustment.singular[data.baseline[data.sign != 0]].any():
        return ()
    starts = np.unique(history.start[design.units])
    changing = np.unique(data.baseline[data.sign != 0])
    listed = ", ".join(f"{starts[b]:g}" for b in changing if adjustment.singular[b])
    return (
        {
            "en": "Too few unchanged units, or too little variation in the covariates among them, to adjust fully for "
            f"units with the treatment {listed} at the start.",
            "zh": f"初始处理为{listed}的未变动单元过少或协变量变异不足，未能完全调整协变量。",
        },
    )


def _named(design: DidDesign, units: IntArray) -> str:
    names = [str(unit) for unit in design.panel.units[units]]
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
