"""Effects of every cohort against its synthetic control: as treated, as if others were treated, and without one unit.

Units are rows of Y (P, T). ``labels`` say which cohort a unit is in: 0, ..., C - 1, or C for a control unit.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from econ.did.synthetic_weights import Sample, synthetic_weights
from econ.inference.randomization import Assignments
from econ.linear.fit import FloatArray, IntArray
from econ.options import SyntheticKind

_AT_ONCE = 4_000_000  # numbers in the arrays of the problems solved together


@dataclass(frozen=True, eq=False)
class CohortFits:
    """B fits.

    Attributes
    ----------
    controls : (B, N_co) rows of the control units
    treated : (B, C, T) mean outcomes of the cohorts
    effects : (B, C, T) gap to the synthetic control, less the gap before treatment under the time weights
    unit : (B, C, N_co) weights of the control units
    time : (B, C, T) weights of the periods, zero from treatment on
    """

    controls: IntArray
    treated: FloatArray
    effects: FloatArray
    unit: FloatArray
    time: FloatArray


def fit_cohorts(
    samples: Sequence[tuple[FloatArray, IntArray]], before: IntArray, kind: SyntheticKind
) -> list[CohortFits]:
    """Fit samples of outcomes Y and assignments ``labels`` (B, P), all with the same sizes of the cohorts.

    Cohort c is treated from period ``before[c]`` on.
    """
    C = len(before)
    sizes = np.bincount(samples[0][1][0])[:C]
    rows = [_controls(labels, C) for _, labels in samples]
    problems = []
    for (Y, labels), controls in zip(samples, rows, strict=True):
        treated = np.stack([(labels == c) @ Y / size for c, size in enumerate(sizes)], axis=1)
        problems.append(Sample(Y[controls], treated))
    fits = []
    weights = synthetic_weights(problems, sizes, before, kind)
    for controls, problem, (unit, time) in zip(rows, problems, weights, strict=True):
        gap = problem.treated - unit @ problem.controls
        effects = gap - np.einsum("bct,bct->bc", time, gap)[:, :, None]
        fits.append(CohortFits(controls, problem.treated, effects, unit, time))
    return fits


def _controls(labels: IntArray, C: int) -> IntArray:
    """(B, N_co) rows of the control units, in order."""
    n_controls = int((labels[0] == C).sum())
    return np.argsort(labels != C, axis=1, kind="stable")[:, :n_controls]


@dataclass(frozen=True, eq=False)
class Reassigned:
    """A fit beside those of other assignments: ``labels`` (A, P) and ``effects`` (A, C, T)."""

    fit: CohortFits
    labels: IntArray
    effects: FloatArray


def fit_with_others(
    sample: tuple[FloatArray, IntArray], pool: FloatArray, ways: Assignments, before: IntArray, kind: SyntheticKind
) -> Reassigned:
    """Fit a sample, and the outcomes ``pool`` under all the assignments, as many together as is good for memory."""
    C = len(before)
    n_controls = int((ways.labels == C).sum())
    at_once = max(1, _AT_ONCE // (C * n_controls * (n_controls + pool.shape[1])))
    fits, labels, effects = list[CohortFits](), list[IntArray](), list[FloatArray]()
    for block in ways.blocks(at_once):
        *fit, others = fit_cohorts([(pool, block)] if fits else [sample, (pool, block)], before, kind)
        fits += fit
        labels.append(block)
        effects.append(others.effects)
    return Reassigned(fits[0], np.concatenate(labels), np.concatenate(effects))


def effects_without_one(Y: FloatArray, labels: IntArray, fit: CohortFits) -> FloatArray:
    """(P, C, T) effects without each unit, weights held fixed and those of the control units scaled to sum to one.

    ``fit`` is the one fit of ``labels`` (P,).
    """
    effects = np.repeat(fit.effects, len(Y), axis=0)
    controls = fit.controls[0]
    for c, (omega, time) in enumerate(zip(fit.unit[0], fit.time[0], strict=True)):
        treated = np.flatnonzero(labels == c)
        fewer = (fit.treated[0, c] - Y[treated]) / (len(treated) - 1)
        effects[treated, c] += fewer - (fewer @ time)[:, None]
        moved = (omega / (1 - omega))[:, None] * (omega @ Y[controls] - Y[controls])
        effects[controls, c] -= moved - (moved @ time)[:, None]
    return effects
