"""From a panel, an outcome and a cohort to wide arrays: units by periods, units ordered by class.

A *class* collects the units that no estimator without covariates can tell apart but by which periods they are seen in:
the same first treated period (and, where effects are asked for by group, the same group); the units never treated are
the last class.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from econ.design.matrix import outcome_and_regressors
from econ.design.sample import Sample, drop_perfectly_fitted, require_rows
from econ.errors import DataError, ModelError, OptionError
from econ.inference.specs import Vcov
from econ.linear.fit import BoolArray, FloatArray, IntArray
from econ.panel import Panel
from econ.problem import Problem, prepare
from econ.text import Text

SHOWN = 8  # units named in a note or message
_BLOCK = 65_536  # rows handled at once
_GLANCE = 1_024  # units looked at at once
_ROUNDING = 1e-13  # of the largest outcome


@dataclass(frozen=True, eq=False)
class DidDesign:
    """Units by periods, ready to estimate on.

    Attributes
    ----------
    problem : the estimation sample, and what labels the result
    cohort : column of the first treated period
    units : (n,) codes of the panel's units in the order of the rows below: by class, then as in the panel
    starts : (C + 1,) class c has the rows ``starts[c]`` to ``starts[c + 1] - 1``
    first : (C,) first treated period of each class on the panel's calendar, infinite = never, ascending
    by : column of the groups that effects are asked for by, or None
    groups : (C,) group of each class, or None when effects are not asked for by group; None for never treated not split
    calendar : (T,) calendar numbers of the periods in the sample, ascending
    Y : (n, T) the outcome, zero where not observed
    observed : (n, T), or None when every unit is observed in every period
    covariates : name -> (n, T) zero where not observed
    unit_weights : (n,) or None
    notes : what a reader must know
    """

    problem: Problem
    cohort: str
    units: IntArray
    starts: IntArray
    first: FloatArray
    by: str | None
    groups: tuple[str | None, ...] | None
    calendar: IntArray
    Y: FloatArray
    observed: BoolArray | None
    covariates: dict[str, FloatArray]
    unit_weights: FloatArray | None
    notes: tuple[Text, ...]

    @property
    def panel(self) -> Panel:
        return self.problem.panel

    @property
    def n_units(self) -> int:
        return len(self.units)

    @property
    def n_classes(self) -> int:
        return len(self.first)

    @property
    def has_never(self) -> bool:
        """Whether the last class is the never treated."""
        return bool(np.isinf(self.first[-1]))

    @cached_property
    def class_of(self) -> IntArray:
        """(n,) the class of each unit."""
        return np.repeat(np.arange(self.n_classes), np.diff(self.starts))

    @cached_property
    def event_time(self) -> FloatArray:
        """(C, T) calendar periods since the first treated one; minus infinity for the never treated."""
        return self.calendar[None, :] - self.first[:, None]

    @cached_property
    def class_weight(self) -> FloatArray:
        """(C,) units (sum of weights) of each class."""
        if self.unit_weights is None:
            units: FloatArray = np.diff(self.starts).astype(np.float64)
            return units
        sums: FloatArray = np.add.reduceat(self.unit_weights, self.starts[:-1])
        return sums

    @cached_property
    def counts(self) -> FloatArray:
        """(C, T) observed units (sum of weights) by class and period."""
        if self.observed is None:
            return np.repeat(self.class_weight[:, None], len(self.calendar), axis=1)
        w = np.ones(self.n_units) if self.unit_weights is None else self.unit_weights
        return np.array([w[rows] @ self.observed[rows] for rows in self.classes])

    @cached_property
    def n_rows(self) -> FloatArray:
        """(C, T) observed units by class and period, each counted once."""
        if self.unit_weights is None:
            return self.counts
        return replace(self, unit_weights=None).counts

    @cached_property
    def means(self) -> FloatArray:
        """(C, T) mean outcomes by class and period, zero where nobody is observed."""
        w = np.ones(self.n_units) if self.unit_weights is None else self.unit_weights
        sums = np.array([w[rows] @ self.Y[rows] for rows in self.classes])
        means: FloatArray = np.divide(sums, self.counts, out=np.zeros_like(sums), where=self.counts > 0)
        return means

    @cached_property
    def classes(self) -> list[slice]:
        """The rows of each class."""
        return [slice(int(a), int(b)) for a, b in zip(self.starts[:-1], self.starts[1:], strict=True)]

    def label(self, number: float) -> Any:
        """How a calendar number prints; None when it is not finite."""
        return self.panel.period(int(number)) if np.isfinite(number) else None

    def clusters(self, column: str) -> tuple[IntArray, NDArray[Any]]:
        """(n,) codes 0..G-1 of a column that is constant within units, and the G labels."""
        if column == self.panel.unit:
            return np.arange(self.n_units), self.panel.units[self.units]
        by_unit = self.panel.attribute(column).reindex(self.panel.units[self.units])
        if by_unit.isna().any():
            lost = by_unit.index[by_unit.isna()]
            raise DataError(
                f"Cluster column {column!r} is missing for {len(lost)} units "
                f"({name_units(lost)}); fill it in, or leave these units out with where()."
            )
        labels, codes = np.unique(by_unit.to_numpy(), return_inverse=True)
        if len(labels) < 2:
            raise ModelError(
                f"Clustering by {column!r} finds {len(labels)} cluster in the sample; at least 2 are needed, and many "
                "more for reliable inference. Cluster by another column."
            )
        return codes.astype(np.intp).reshape(-1), labels

    def long(self, wide: FloatArray) -> FloatArray:
        """(n_obs,) the values of (n, T) in the order of the sample's rows."""
        row = np.empty(self.panel.n_units, dtype=np.intp)
        row[self.units] = np.arange(self.n_units)
        column = np.searchsorted(self.calendar, self.problem.time_codes)
        return wide[row[self.problem.unit_codes], column]


def read_design(
    panel: Panel,
    outcome: str,
    cohort: str,
    *,
    covariates: Sequence[str] = (),
    weights: str | None = None,
    vcov: Vcov | None = None,
    by: str | None = None,
    anticipation: int = 0,
    keep_always_treated: bool = False,
    keep_singletons: bool = False,
    last_cohort_compares: bool = False,
    first: FloatArray | None = None,
    excluded: Mapping[str, BoolArray] | None = None,
    split_never: bool = False,
) -> DidDesign:
    """Check the design once, and lay it out by units and periods.

    Units treated from their first period in the sample on are left out, unless ``keep_always_treated``; units treated
    after the last period (and ``anticipation`` further ones) count as never treated. Where nobody is never treated and
    ``last_cohort_compares``, the last cohort takes their place and the periods from its treatment on are left out.
    ``first`` (units of the panel,) gives the first treated periods as calendar numbers, NaN = never, where ``cohort``
    names the column that they were worked out from; ``excluded`` (reason -> (rows of the panel,)) leaves rows out.
    ``split_never`` divides the never treated by the groups of ``by`` too.

    Raises
    ------
    ModelError : no treated row, no untreated row, or no period without time.
    """
    _check(panel, anticipation, covariates)
    regressors = " + ".join(covariates) or "1"
    formula = f"{outcome} ~ {regressors} | {_name(panel.unit)} + {_name(str(panel.time))}"
    problem = prepare(panel, formula, vcov, weights)
    for reason, rows in (excluded or {}).items():
        problem = _with_sample(problem, problem.sample.only(~rows, reason))
    first = panel.cohorts(cohort) if first is None else first
    if not keep_singletons:
        levels = {panel.unit: panel.unit_codes, str(panel.time): problem.variables.effects[str(panel.time)]}
        problem = _with_sample(problem, drop_perfectly_fitted(problem.sample, levels))
    require_rows(problem.sample)
    problem, first, notes = _comparable(problem, first, cohort, anticipation, keep_always_treated)
    if last_cohort_compares and not np.isinf(first[problem.unit_codes]).any():
        problem, first, more = _last_as_never(problem, first, anticipation)
        notes = (*notes, more)
    design = _wide(problem, cohort, first, by, notes, split_never)
    _refuse_common_path(design)
    return design


def balanced(design: DidDesign) -> DidDesign:
    """The same design on the units that are observed in every period, the others named in a note."""
    if design.observed is None:
        return design
    complete: BoolArray = np.asarray(design.observed.all(axis=1))
    if not complete.any():
        raise ModelError(
            "No unit is observed in every period of the sample; choose fewer periods (panel.where) so that some are."
        )
    names = name_units(design.panel.units[np.sort(design.units[~complete])])
    note = {
        "en": f"Left out because they are not observed in every period: {names}.",
        "zh": f"因并非各期均有观测而剔除：{names}。",
    }
    return without_rows(design, design.observed & ~complete[:, None], "unit not observed in every period", (note,))


def without_rows(design: DidDesign, gone: BoolArray, reason: str, notes: tuple[Text, ...] = ()) -> DidDesign:
    """The same design without the rows flagged in ``gone`` (n, T), counted under ``reason`` and named in notes."""
    problem = design.problem
    problem = _with_sample(problem, problem.sample.without(_sample_rows(design, gone), reason))
    seen = ~gone if design.observed is None else design.observed & ~gone
    if len(np.unique((design.event_time >= 0)[design.class_of][seen])) < 2:
        first = np.full(design.panel.n_units, np.inf)
        first[design.units] = design.first[design.class_of]
        _refuse_no_contrast(design.panel, problem, first, design.cohort)
    units, periods = np.asarray(seen.any(axis=1)), np.asarray(seen.any(axis=0))
    seen = seen[np.ix_(units, periods)]
    size = np.array([int(units[rows].sum()) for rows in design.classes])
    classes = np.flatnonzero(size)

    def cut(wide: FloatArray) -> FloatArray:
        part: FloatArray = wide[np.ix_(units, periods)]
        part *= seen
        return part

    return replace(
        design,
        problem=problem,
        units=design.units[units],
        starts=np.concatenate([[0], np.cumsum(size[classes])]),
        first=design.first[classes],
        groups=design.groups and tuple(design.groups[c] for c in classes),
        calendar=design.calendar[periods],
        Y=cut(design.Y),
        observed=None if seen.all() else seen,
        covariates={name: cut(wide) for name, wide in design.covariates.items()},
        unit_weights=None if design.unit_weights is None else design.unit_weights[units],
        notes=(*design.notes, *notes),
    )


def _sample_rows(design: DidDesign, flags: BoolArray) -> BoolArray:
    """(n_obs,) flags of units by periods (n, T) in the order of the sample's rows, by codes of half the usual size."""
    start = np.zeros(design.panel.n_units, dtype=np.int32)
    start[design.units] = np.arange(design.n_units) * len(design.calendar)
    position = np.zeros(int(design.calendar[-1]) + 1, dtype=np.int32)
    position[design.calendar] = np.arange(len(design.calendar))
    cell = start[design.problem.unit_codes]
    cell += position[design.problem.time_codes]
    return flags.reshape(-1)[cell]


def _check(panel: Panel, anticipation: int, covariates: Sequence[str]) -> None:
    if isinstance(covariates, str):
        raise OptionError(f"covariates={covariates!r} is not allowed; give a list: [{covariates!r}].")
    if isinstance(anticipation, bool) or not isinstance(anticipation, int | np.integer) or anticipation < 0:
        raise OptionError(f"anticipation={anticipation!r} is not allowed; give a whole number of periods, 0 or more.")
    if isinstance(panel, Panel) and panel.time is None:
        raise ModelError("Difference-in-differences needs periods, and this panel has no time column.")


def _comparable(
    problem: Problem, first: FloatArray, cohort: str, anticipation: int, keep_always_treated: bool
) -> tuple[Problem, FloatArray, tuple[Text, ...]]:
    """Settle who is always, ever and never treated within the periods of the sample; ``first`` is by panel unit."""
    panel, notes = problem.panel, list[Text]()
    start, end = int(problem.time_codes.min()), int(problem.time_codes.max())
    units = np.flatnonzero(np.bincount(problem.unit_codes, minlength=panel.n_units))
    _refuse_no_contrast(panel, problem, first, cohort)
    always = units[first[units] <= start]
    if always.size:
        notes.append(_always_note(panel, always, keep_always_treated))
        if not keep_always_treated:
            gone = np.isin(problem.unit_codes, always)
            problem = _with_sample(problem, problem.sample.without(gone, "treated from the first period on"))
            _refuse_no_contrast(panel, problem, first, cohort)
    late = units[first[units] > end + anticipation]
    if late.size:
        notes.append(_late_note(panel, late))
    return problem, np.where(np.isnan(first) | (first > end + anticipation), np.inf, first), tuple(notes)


def _last_as_never(problem: Problem, first: FloatArray, anticipation: int) -> tuple[Problem, FloatArray, Text]:
    panel, here = problem.panel, first[problem.unit_codes]
    last = float(here.max())
    gone = problem.time_codes >= last - anticipation
    problem = _with_sample(problem, problem.sample.without(gone, "no untreated unit left"))
    first = np.where(first == last, np.inf, first)
    if not _treated(problem, first).any():
        raise ModelError(
            f"All units are first treated in {panel.period(int(last))}; there is nothing to compare with. Give units "
            "treated later or never."
        )
    label = panel.period(int(last))
    note = {
        "en": f"No unit is never treated: the last cohort ({label}) serves as the comparison, and the periods in which "
        "it is treated are left out.",
        "zh": f"没有从未处理的单元：以最后一个队列（{label}）为对照，并剔除其处理后的时期。",
    }
    return problem, first, note


def _refuse_no_contrast(panel: Panel, problem: Problem, first: FloatArray, cohort: str) -> None:
    treated = _treated(problem, first)
    if not treated.any():
        span = f"{panel.period(int(problem.time_codes.min()))}-{panel.period(int(problem.time_codes.max()))}"
        raise ModelError(
            f"No row of the sample is treated according to {cohort!r} and has an untreated period before it; some "
            f"first treated periods must lie within {span}, after its first period."
        )
    if treated.all():
        raise ModelError(
            f"Every row of the sample is treated according to {cohort!r}; there is nothing to compare with."
        )


def _refuse_common_path(design: DidDesign) -> None:
    """Refuse an outcome that changes in all units alike (with gaps in the panel: one that is constant)."""
    Y, start = design.Y, design.Y[0, 0] if design.observed is None else design.Y[0][design.observed[0]][0]
    for first in range(0, len(Y), _GLANCE):
        rows = slice(first, first + _GLANCE)
        if design.observed is None:
            gap = (Y[rows] - Y[rows, :1]) - (Y[0] - start)
        else:
            gap = np.where(design.observed[rows], Y[rows] - start, 0.0)
        if np.abs(gap).max() > _ROUNDING * np.abs(Y[rows]).max():
            return
    name = design.problem.formula.outcome.text
    raise ModelError(
        f"The outcome {name!r} does not vary between units beyond what unit and period effects say; there is nothing "
        "to explain. Use another outcome."
    )


def _treated(problem: Problem, first: FloatArray) -> BoolArray:
    """(n_obs,) rows from the unit's first treated period on, worked out in blocks that stay in the cache."""
    treated = np.empty(problem.sample.n_obs, dtype=np.bool_)
    for start in range(0, len(treated), _BLOCK):
        rows = slice(start, start + _BLOCK)
        treated[rows] = problem.time_codes[rows] >= first[problem.unit_codes[rows]]
    return treated


def _always_note(panel: Panel, always: IntArray, kept: bool) -> Text:
    names = name_units(panel.units[always])
    if kept:
        return {
            "en": f"Treated in every period seen, so without a before-after comparison of their own: {names}.",
            "zh": f"以下单元在全部观测期内均已处理，自身没有处理前后对比：{names}。",
        }
    return {
        "en": f"Left out because they are treated in every period of the sample: {names}.",
        "zh": f"因样本各期均已处理而剔除：{names}。",
    }


def _late_note(panel: Panel, late: IntArray) -> Text:
    names = name_units(panel.units[late])
    return {
        "en": f"First treated after the last period of the sample, so never treated within it: {names}.",
        "zh": f"样本期结束后才处理，样本期内视为从未处理：{names}。",
    }


def _wide(
    problem: Problem, cohort: str, first: FloatArray, by: str | None, notes: tuple[Text, ...], split_never: bool
) -> DidDesign:
    panel = problem.panel
    units = np.flatnonzero(np.bincount(problem.unit_codes, minlength=panel.n_units))
    codes, keys = _classes(panel, first[units], by, units, split_never)
    order = np.argsort(codes, kind="stable")
    units, codes = units[order], codes[order]
    row = np.empty(panel.n_units, dtype=np.intp)
    row[units] = np.arange(len(units))
    calendar = np.flatnonzero(np.bincount(problem.time_codes))
    lay_out = _layout(problem, units, row, calendar)
    observed = None
    if problem.sample.n_obs < len(units) * len(calendar):
        observed = lay_out(np.ones(problem.sample.n_obs)).astype(np.bool_)
    return DidDesign(
        problem,
        cohort,
        units,
        np.concatenate([[0], np.cumsum(np.bincount(codes, minlength=len(keys)))]),
        np.array([key[0] for key in keys]),
        by,
        None if by is None else tuple(key[1] for key in keys),
        calendar,
        lay_out(problem.sample.take(problem.variables.outcome)),
        observed,
        _covariates(problem, lay_out),
        _unit_weights(problem, row, len(units)),
        notes,
    )


def _layout(problem: Problem, units: IntArray, row: IntArray, calendar: IntArray) -> Callable[[FloatArray], FloatArray]:
    """What lays values by row of the sample out as (n, T), with zeros where there is no row."""
    shape = len(units), len(calendar)
    if problem.sample.n_obs == shape[0] * shape[1]:
        unit, time = problem.unit_codes.reshape(shape), problem.time_codes.reshape(shape)
        if (time == calendar).all() and (unit == unit[:, :1]).all():  # complete, and sorted within units
            order = np.empty(len(units), dtype=np.intp)
            order[row[unit[:, 0]]] = np.arange(len(units))
            return lambda values: values.reshape(shape)[order]
    position = np.zeros(int(calendar[-1]) + 1, dtype=np.intp)
    position[calendar] = np.arange(len(calendar))
    cell = row[problem.unit_codes] * len(calendar) + position[problem.time_codes]

    def scatter(values: FloatArray) -> FloatArray:
        wide = np.zeros(shape)
        wide.reshape(-1)[cell] = values
        return wide

    return scatter


def _classes(
    panel: Panel, first: FloatArray, by: str | None, units: IntArray, split_never: bool
) -> tuple[IntArray, list[tuple[float, str | None]]]:
    """Class of each unit, and (first treated period, group) of each class; where not split, never treated have none."""
    starts, codes = np.unique(first, return_inverse=True)
    if by is None:
        return codes.reshape(-1), [(float(start), None) for start in starts]
    group = panel.attribute(by).reindex(panel.units[units])
    grouped = np.isfinite(first) | split_never
    lost = group.index[group.isna().to_numpy() & grouped]
    if len(lost):
        raise DataError(
            f"by={by!r} is missing for the treated units {name_units(lost)}; fill it in, or leave these units out with "
            "where()."
        )
    numbers, labels = pd.factorize(group)
    names = sorted({str(label) for label in labels})
    rank = np.array([*(1 + names.index(str(label)) for label in labels), 0])
    pairs = codes.reshape(-1) * (len(names) + 1) + np.where(grouped, rank[numbers], 0)
    keys, codes = np.unique(pairs, return_inverse=True)
    found = [divmod(int(key), len(names) + 1) for key in keys]
    return codes.reshape(-1), [(float(starts[g]), names[k - 1] if k else None) for g, k in found]


def _covariates(problem: Problem, lay_out: Any) -> dict[str, FloatArray]:
    if not problem.formula.terms:
        return {}
    matrix = outcome_and_regressors(problem.variables, problem.sample)
    return {name: lay_out(matrix.values[:, j]) for j, name in enumerate(matrix.names) if j}


def _unit_weights(problem: Problem, row: IntArray, n_units: int) -> FloatArray | None:
    if problem.weights is None:
        return None
    values = np.zeros(n_units)
    values[row[problem.unit_codes]] = problem.weights
    moved = values[row[problem.unit_codes]] != problem.weights
    if moved.any():
        names = name_units(problem.panel.units[np.unique(problem.unit_codes[moved])])
        raise DataError(
            f"weights={problem.weights_name!r} changes within units ({names}); a weight here belongs to the unit: "
            "give the same in all its rows, such as the value of a base year."
        )
    return values


def _with_sample(problem: Problem, sample: Sample) -> Problem:
    require_rows(sample)
    return replace(problem, sample=sample)


def _name(column: str) -> str:
    return column if column.isidentifier() else f"`{column}`"


def name_units(units: Iterable[Any]) -> str:
    """The first few, and how many more."""
    names = [str(unit) for unit in units]
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
