"""Stacked difference-in-differences: every cohort with its own clean controls in its own window, pooled."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from econ.did.cells import Cells
from econ.did.class_means import clustered, mean_influence
from econ.did.design import DidDesign, read_design, without_rows
from econ.did.regression import class_loadings
from econ.did.result import DidResult, build_result, repeatable
from econ.errors import ModelError, OptionError
from econ.inference.specs import Vcov
from econ.linear.fit import BoolArray, FloatArray, IntArray
from econ.options import ControlGroup, check_word
from econ.panel import Panel
from econ.text import Text

LABEL: Text = {"en": "Stacked difference-in-differences", "zh": "堆叠双重差分"}
REFERENCE = -1


@repeatable
def stacked(
    panel: Panel,
    outcome: str,
    *,
    cohort: str,
    window: tuple[int, int],
    control: ControlGroup = "not_yet",
    weights: str | None = None,
    vcov: Vcov | None = None,
) -> DidResult:
    r"""Weighted stacked difference-in-differences (Wing, Freedman and Hollingsworth 2024).

    Each cohort a and its clean controls, in the periods of the window around a, are one stack. In all stacks together

    .. math:: Y_{ise} = \alpha_0 + \alpha_1 D_{is} + \sum_{e \ne -1} \lambda_e 1_e + \sum_{e \ne -1} \delta_e D_{is} 1_e
        + u_{ise}

    by least squares, where rows of treated units have weight one and those of controls in stack a at event time e the
    corrective weight ``(N^D_ae / N^D_e) / (N^C_ae / N^C_e)``, so that the controls of a stack count as much as its
    treated. ``delta_e`` is then the mean of the cohorts' difference-in-differences, weighted by treated observations
    (the trimmed aggregate effect). The same cohorts are there at all event times: only those are stacked whose whole
    window is in the data, with clean controls; a note names the others.

    Parameters
    ----------
    panel, outcome, cohort, weights : as in ``twfe``; with weights, N are their sums.
    window : first and last event time, such as ``(-3, 2)``; the paper's ``(-kappa_pre, kappa_post)``.
    control : clean controls of cohort a: ``"not_yet"``, units never treated or first treated after the window's last
        period; ``"never"``, units never treated.
    vcov : ``econ.cluster(column)``; by default by unit, although a unit is in several stacks: G/(G-1) x (N-1)/(N-K)
        with N the stacked rows and K the coefficients above. The weights of controls count as given.

    Returns
    -------
    DidResult with a term ``event_time::e`` per event time; ``stats`` has the number of stacked rows and of stacks.

    References
    ----------
    Wing, Freedman and Hollingsworth (2024), "Stacked difference-in-differences", NBER Working Paper 32054.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").with_cohort(econ.roster("innovation_demonstration_zones"))
    >>> result = econ.did.stacked(panel, "log(invention_grants)", cohort="cohort", window=(-3, 2))
    >>> result.terms
    ('event_time::-3', 'event_time::-2', 'event_time::0', 'event_time::1', 'event_time::2')
    """
    check_word(control, ControlGroup, "control")
    times = _event_times(window)
    design = read_design(panel, outcome, cohort, weights=weights, vcov=vcov, keep_singletons=True)
    stacks, notes = _stacks(design, times, control)
    used = np.zeros((design.n_classes, len(design.calendar)), dtype=np.bool_)
    for stack in stacks:
        used[np.ix_(stack.members, stack.periods)] = True
    design = without_rows(design, ~used[design.class_of], "in no stack")
    stacks, _ = _stacks(design, times, control)
    return _estimate(design, stacks, times, control, notes)


@dataclass(frozen=True, eq=False)
class _Stack:
    """Cohort ``treated`` and the classes ``controls`` in the positions ``periods`` of the event times."""

    treated: int
    controls: IntArray
    periods: IntArray

    @property
    def members(self) -> IntArray:
        return np.append(self.controls, self.treated)


def _event_times(window: tuple[int, int]) -> IntArray:
    first, last = window
    if not first <= REFERENCE or not last >= 0:
        raise OptionError(
            f"window={window!r} is not allowed; give (first, last) event times with first <= -1 and last >= 0, such as "
            "(-3, 2)."
        )
    return np.arange(first, last + 1)


def _stacks(design: DidDesign, times: IntArray, control: ControlGroup) -> tuple[list[_Stack], tuple[Text, ...]]:
    """The stacks with somebody treated and a clean control in every period of the window; the others in a note."""
    stacks, outside, alone = list[_Stack](), list[int](), list[int]()
    for c in np.flatnonzero(np.isfinite(design.first)):
        wanted = design.first[c] + times
        periods = np.searchsorted(design.calendar, wanted).clip(max=len(design.calendar) - 1)
        controls = np.isinf(design.first) if control == "never" else design.first > wanted[-1]
        if not (design.calendar[periods] == wanted).all() or not (design.counts[c, periods] > 0).all():
            outside.append(int(c))
        elif not (design.counts[np.ix_(controls, periods)].sum(axis=0) > 0).all():
            alone.append(int(c))
        else:
            stacks.append(_Stack(int(c), np.flatnonzero(controls), periods))
    if not stacks:
        alternative = ", or control='not_yet'" if control == "never" else ""
        raise ModelError(
            f"No cohort is observed from event time {times[0]} to {times[-1]} together with clean controls "
            f"(control={control!r}); choose a shorter window{alternative}."
        )
    return stacks, _trimmed_notes(design, outside, alone)


def _trimmed_notes(design: DidDesign, outside: list[int], alone: list[int]) -> tuple[Text, ...]:
    notes = list[Text]()
    for classes, en, zh in (
        (outside, "window is not wholly in the data", "窗口不完全在数据期内"),
        (alone, "window has periods without clean controls", "窗口内有时期缺少干净对照"),
    ):
        if classes:
            names = ", ".join(str(design.label(design.first[c])) for c in classes)
            notes.append(
                {"en": f"Cohorts left out because their {en}: {names}.", "zh": f"因{zh}而剔除的队列：{names}。"}
            )
    return tuple(notes)


def _estimate(
    design: DidDesign, stacks: Sequence[_Stack], times: IntArray, control: ControlGroup, notes: tuple[Text, ...]
) -> DidResult:
    coef, per_outcome, per_row = _differences(design, stacks)
    kept, base = times != REFERENCE, int(np.flatnonzero(times == REFERENCE)[0])
    coef, per_outcome, per_row = (part[kept] - part[base] for part in (coef, per_outcome, per_row))
    influence = mean_influence(design, per_outcome.transpose(1, 0, 2), per_row.transpose(1, 0, 2))
    n_rows = sum(int(design.n_rows[np.ix_(stack.members, stack.periods)].sum()) for stack in stacks)
    window = [int(times[0]), int(times[-1])]
    asked = {"control": control, "window": window, "reference": REFERENCE, "event_time": times[kept].tolist()}
    return build_result(
        design,
        ("stacked", LABEL),
        _effects(design, stacks, times, kept),
        tuple(f"event_time::{e}" for e in times[kept]),
        coef,
        clustered(design, influence, (n_rows, 2 * len(times))),
        loadings=class_loadings(design, per_outcome * design.counts),
        influence=influence,
        stats={"stacked_rows": float(n_rows), "stacks": float(len(stacks))},
        spec=asked,
        labels={"event_time": {"label": "Event time", "label_zh": "相对处理期"}},
        notes=notes,
    )


def _differences(design: DidDesign, stacks: Sequence[_Stack]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Treated less controls at each event time, (H,); per outcome and per row seen, (H, C, T), how a unit moves it.

    A row moves the mean of its side by its weight times its distance from that mean, the one of all stacks together.
    """
    treated = np.array([design.counts[stack.treated, stack.periods] for stack in stacks])
    H = treated.shape[1]
    shape = (H, design.n_classes, len(design.calendar))
    share = treated / treated.sum(axis=0)
    coef, per_outcome, per_row = np.zeros(H), np.zeros(shape), np.zeros(shape)
    for sign in (1.0, -1.0):
        weights = np.zeros(shape)  # of a row
        for stack, part in zip(stacks, share, strict=True):
            side = np.array([stack.treated]) if sign > 0 else stack.controls
            n = design.counts[np.ix_(side, stack.periods)].sum(axis=0)
            weights[np.arange(H), side[:, None], stack.periods] += part / n
        mean = np.einsum("hct,ct->h", weights, design.counts * design.means)
        coef += sign * mean
        per_outcome += sign * weights
        per_row += sign * weights * (design.means - mean[:, None, None])
    return coef, per_outcome, per_row


def _effects(design: DidDesign, stacks: Sequence[_Stack], times: IntArray, kept: BoolArray) -> Cells:
    K = int(kept.sum())
    treated = np.array([design.counts[stack.treated, stack.periods] for stack in stacks]).sum(axis=0)
    units = float(design.class_weight[[stack.treated for stack in stacks]].sum())
    nothing = (None,) * K
    return Cells(nothing, nothing, nothing, times[kept].astype(np.float64), treated[kept], np.full(K, units))
