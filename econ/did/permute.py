"""Randomisation inference over which units are treated, and when."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from econ.did.design import DidDesign
from econ.did.result import DidResult
from econ.errors import OptionError
from econ.inference.randomization import Assignments, assignments, permutation_test
from econ.linear.fit import FloatArray, IntArray
from econ.options import Tail, check_level
from econ.panel import Panel
from econ.progress import track
from econ.text import Text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from econ.report.figures import Plot

FARTHEST = 2.0**20  # steps from the estimate at which the search for a limit ends
PRECISION = 1e-6  # of a standard deviation of the estimates


class Estimator(Protocol):
    """An estimator of ``econ.did``; ``functools.partial`` gives it options."""

    def __call__(self, panel: Panel, outcome: str, *, cohort: str) -> DidResult: ...


@dataclass(frozen=True, eq=False, repr=False)
class Permutation:
    """An overall effect among those of other assignments of the same treatment dates.

    Attributes
    ----------
    estimate : the overall average as observed
    p_value : share of assignments with an estimate at least as extreme, see ``econ.inference.randomization``
    ci_low, ci_high : limits of the constant effects that the two-sided test does not reject, where the statistic is a
        sum over units (complete panel, no covariates or weights), else None
    side : ``"two_sided"``, ``"greater"`` or ``"less"``
    exact : whether all assignments were enumerated, ``n_possible`` of them
    distribution : (assignments,) their estimates
    outcome, label : as asked for; the estimator
    labels : column -> its labels, as on an Estimate
    notes : what a reader must know
    """

    estimate: float
    p_value: float
    ci_low: float | None
    ci_high: float | None
    side: Tail
    exact: bool
    n_possible: float
    distribution: FloatArray
    outcome: str
    label: Text
    labels: Mapping[str, Mapping[str, str]]
    notes: tuple[Text, ...]

    def __repr__(self) -> str:
        how = "all" if self.exact else "random"
        lines = [
            f"Randomisation inference: {self.label['en']}, {self.outcome}",
            f"Estimate {self.estimate:.6g}, p = {self.p_value:.4f} ({self.side.replace('_', '-')}), "
            f"{len(self.distribution):,} {how} assignments",
        ]
        if self.ci_low is not None:
            lines.append(f"Constant effects not rejected: [{self.ci_low:.6g}, {self.ci_high:.6g}]")
        return "\n".join([*lines, *(f"Note: {note['en']}" for note in self.notes)])

    def plot(self, ax: "Axes | None" = None) -> "Plot":
        """Density of the estimates over assignments, with the observed one."""
        from econ.report import permutation_plot

        return permutation_plot(self, ax=ax)


def permute(
    estimator: Estimator,
    panel: Panel,
    outcome: str,
    *,
    cohort: str,
    within: str | None = None,
    side: Tail = "two_sided",
    level: float = 0.95,
    draws: int = 5000,
    seed: int = 1,
) -> Permutation:
    """Hand the treatment dates out again, and see how often the overall effect is as large.

    Under the null that treatment has no effect on any unit, and if every way of handing the same dates out to the units
    (within strata) was equally likely, the p-value is exact whatever the number of units. It is a test of that null,
    not of an average effect of zero, and policies are seldom handed out by lot: read it beside the assumptions that
    ``econ.did.inference`` names.

    Parameters
    ----------
    estimator : such as ``econ.did.callaway_santanna``; with options as
        ``functools.partial(econ.did.callaway_santanna, control="not_yet")``
    panel, outcome, cohort : as in the estimator
    within : column, constant within units: dates change places only between units with the same value of it
    side : what counts as extreme: ``"two_sided"`` (in absolute value), ``"greater"``, ``"less"``
    level : of the confidence interval
    draws : assignments drawn; when there are no more than this, all are enumerated
    seed : of the draws

    Returns
    -------
    Permutation with ``p_value``, ``distribution``, ``plot()``.

    Notes
    -----
    In a complete panel without covariates and weights, an estimator is a set of weights on class means that do not
    depend on which units a class has, so the statistic of an assignment is a sum of n numbers. Otherwise every
    assignment is estimated again.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").with_cohort(econ.roster("innovation_demonstration_zones"))
    >>> panel = panel.where(lambda d: d["province"] != "Tibet")
    >>> found = econ.did.permute(econ.did.twfe, panel, "log(invention_grants)", cohort="cohort", draws=999)
    >>> len(found.distribution)
    999
    """
    check_level(level)
    return permute_result(estimator(panel, outcome, cohort=cohort), within, side, level, draws, seed)


def permute_result(
    result: DidResult, within: str | None, side: Tail, level: float, draws: int, seed: int
) -> Permutation:
    """:func:`permute` of a result that is there already."""
    design = result.design
    if design is None or design.by is not None:
        raise OptionError(
            "permute takes a result straight from an estimator, without by= (effects by group fix which units a group "
            "has)."
        )
    ways = assignments(design.class_of, _strata(design, within), draws=draws, seed=seed)
    estimate = float(result.aggregate("overall").coef[0])
    low: float | None = None
    high: float | None = None
    if (weights := _weights(result, design)) is None:
        values = _estimated(ways, result, design)
    else:
        treated = (design.event_time >= 0).astype(np.float64)[design.class_of]
        values, own = _summed(ways, (design.Y @ weights.T, treated @ weights.T))
        low, high = _interval(estimate, values, own, exact=ways.exact, size=1 - level)
    test = permutation_test(estimate, values, exact=ways.exact, side=side)
    return Permutation(
        estimate,
        test.p_value,
        low,
        high,
        side,
        ways.exact,
        ways.n_possible,
        values,
        result.outcome,
        result.spec["estimator_label"],
        result.labels,
        (*result.notes, _design_note(within)),
    )


def _strata(design: DidDesign, within: str | None) -> IntArray | None:
    return None if within is None else design.clusters(within)[0]


def _weights(result: DidResult, design: DidDesign) -> FloatArray | None:
    """(C, T) weights of a unit's outcomes as a member of each class, where they do not depend on who else is in it."""
    if result.loadings is None or design.observed is not None or design.unit_weights is not None:
        return None
    weights = result.weights()["weight"].to_numpy().reshape(design.n_classes, -1)
    return np.asarray(weights / design.class_weight[:, None])


def _summed(ways: Assignments, units: Sequence[FloatArray]) -> list[FloatArray]:
    """For each (n, C) of what units add as members of classes, the (assignments,) sums."""
    rows = np.arange(len(units[0]))
    blocks = [[part[rows, block].sum(axis=1) for part in units] for block in ways.blocks()]
    return [np.concatenate(parts) for parts in zip(*blocks, strict=True)]


def _interval(estimate: float, values: FloatArray, own: FloatArray, *, exact: bool, size: float) -> tuple[float, float]:
    """Constant effects e that are not rejected: outcomes less e have the estimate less e, and ``values - e own``."""

    def rejected(effect: float) -> bool:
        test = permutation_test(estimate - effect, values - effect * own, exact=exact)
        return test.p_value <= size

    step = max(float(np.std(values)), abs(estimate) * 1e-6)
    return _limit(rejected, estimate, -step), _limit(rejected, estimate, step)


def _limit(rejected: Callable[[float], bool], estimate: float, step: float) -> float:
    """The first rejected effect from the estimate on in the direction of ``step``, by doubling and halving."""
    inner, outer = 0.0, step
    while not rejected(estimate + outer):
        inner, outer = outer, 2 * outer
        if abs(outer) > FARTHEST * abs(step):
            return float(np.copysign(np.inf, step))
    while abs(outer - inner) > PRECISION * abs(step):
        middle = (inner + outer) / 2
        inner, outer = (inner, middle) if rejected(estimate + middle) else (middle, outer)
    return estimate + outer


def _estimated(ways: Assignments, result: DidResult, design: DidDesign) -> FloatArray:
    """Estimate under every assignment; units that the estimator leaves out keep their dates."""
    if result.again is None:
        raise OptionError("This result cannot be estimated again; give permute an estimator of econ.did.")
    panel, cohort = design.panel, design.cohort
    dates = panel.attribute(cohort)
    units = panel.units[design.units]
    by_class = dates.reindex(units[design.starts[:-1]]).to_numpy()
    values = np.empty(ways.size)
    for k, labels in enumerate(track(_rows(ways), "Assignments", ways.size)):
        moved = dates.copy()
        moved.loc[units] = by_class[labels]
        other = panel.assign(**{cohort: panel.frame[panel.unit].map(moved)})
        values[k] = result.again(other).aggregate("overall").coef[0]
    return values


def _rows(ways: Assignments) -> Iterator[IntArray]:
    for block in ways.blocks():
        yield from block


def _design_note(within: str | None) -> Text:
    where_en, where_zh = ("", "") if within is None else (f" within {within}", f"在同一{within}内")
    return {
        "en": f"Every assignment of the same treatment dates to the units{where_en} counts as equally likely; the null "
        "is no effect on any unit.",
        "zh": f"假定相同的处理时间{where_zh}在各单元间的每种分配等可能；原假设为对任何单元均无影响。",
    }
