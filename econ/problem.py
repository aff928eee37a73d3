"""From a panel and a formula to arrays on the estimation sample, and from a fit on arrays to an ``Estimate``."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from econ.columns import PanelColumns
from econ.design.absorb import Absorber, Effect
from econ.design.collinear import Independence, cross_products, independent_columns, moments
from econ.design.expression import Expression, numeric_column, quote, require_column
from econ.design.formula import Category, Formula, parse_formula
from econ.design.matrix import INTERCEPT, Matrix, Variables, absorbed_effects, outcome_and_regressors, read_variables
from econ.design.sample import (
    Sample,
    drop_missing,
    drop_perfectly_fitted,
    drop_weightless,
    levels_present,
    require_rows,
)
from econ.errors import EconWarning, ModelError, OptionError
from econ.estimate import Estimate, Test
from econ.inference.covariance import Conley, Covariance, Layout, Vcov, cluster, covariance
from econ.linear.fit import BoolArray, FloatArray, IntArray, LinearFit
from econ.panel import Panel
from econ.text import Text


@dataclass(frozen=True, eq=False)
class Problem:
    """The estimation sample, and what is needed to estimate on it and to label the result.

    ``all_weights`` and ``all_offsets`` are (N,) over the panel's rows, NaN where missing; everything else that is an
    array is (n,), on the sample.
    """

    panel: Panel
    variables: Variables
    sample: Sample
    vcov: Vcov
    weights_name: str | None = None
    offset: Expression | None = None
    all_weights: FloatArray | None = None
    all_offsets: FloatArray | None = None

    @cached_property
    def weights(self) -> FloatArray | None:
        """(n,)"""
        return None if self.all_weights is None else self.sample.take(self.all_weights)

    @property
    def formula(self) -> Formula:
        return self.variables.formula

    def with_vcov(self, spec: Vcov) -> "Problem":
        """The same problem under another covariance."""
        return replace(self, vcov=spec)

    @cached_property
    def unit_codes(self) -> IntArray:
        """(n,) the panel's codes."""
        return self.sample.take(self.panel.unit_codes)

    @cached_property
    def time_codes(self) -> IntArray:
        """(n,) calendar numbers."""
        return self.sample.take(self.panel.time_codes)

    @cached_property
    def effects(self) -> tuple[Effect, ...]:
        """The fixed effects, levels renumbered on the sample."""
        return absorbed_effects(self.variables, self.sample)

    @cached_property
    def absorber(self) -> Absorber:
        """What takes the effects out, under the weights."""
        return Absorber(self.effects, self.weights)

    @property
    def absorbs_constant(self) -> bool:
        """Whether some effect has intercepts, so that means do not matter."""
        return any(effect.slope is None for effect in self.effects)

    @property
    def effect_names(self) -> list[str]:
        return [effect.text for effect in self.formula.effects]


@dataclass(frozen=True, eq=False)
class Design:
    """Columns (n, C) with the fixed effects taken out.

    ``variation``, ``magnitude`` (C,): sums of squares before that, about the mean and about zero.
    """

    matrix: Matrix
    variation: FloatArray
    magnitude: FloatArray

    @property
    def y(self) -> FloatArray:
        return self.matrix.values[:, 0]

    def group(self, index: int) -> "Design":
        """One group of columns: 1 regressors, 2 endogenous, 3 instruments."""
        where = self.matrix.group(index)
        part = Matrix(self.matrix.values[:, where], self.matrix.names[where], (self.matrix.sizes[index],))
        return Design(part, self.variation[where], self.magnitude[where])

    def select(self, keep: BoolArray) -> "Design":
        """The columns flagged; not copied when all are."""
        if keep.all():
            return self
        names = tuple(name for name, kept in zip(self.names, keep, strict=True) if kept)
        return Design(Matrix(self.X[:, keep], names, (len(names),)), self.variation[keep], self.magnitude[keep])

    @property
    def X(self) -> FloatArray:
        return self.matrix.values

    @property
    def names(self) -> tuple[str, ...]:
        return self.matrix.names


def prepare(panel: Panel, formula: str | Formula, vcov: Vcov | None = None, weights: str | None = None) -> Problem:
    """Parse, read, and leave out rows that cannot be used; ``vcov`` defaults to clusters by the panel's unit."""
    check_panel(panel)
    _check_weights(weights)
    spec = _checked_vcov(panel, vcov)
    columns = PanelColumns(panel)
    parsed = formula if isinstance(formula, Formula) else parse_formula(formula)
    variables = read_variables(parsed, columns)
    sample = drop_missing(Sample.full(panel.n_obs), variables)
    if weights is None:
        return Problem(panel, variables, sample, spec)
    values = numeric_column(weights, columns)
    sample = drop_weightless(drop_missing(sample, [(weights, values)]), values, weights)
    return Problem(panel, variables, sample, spec, weights, all_weights=values)


def check_panel(panel: Panel) -> None:
    """Refuse what is no panel, such as a plain frame."""
    if not isinstance(panel, Panel):
        raise OptionError(
            f"An estimator takes an econ.Panel, got {type(panel).__name__}; name its keys first: "
            "econ.Panel(frame, unit='province', time='year')."
        )


def _check_weights(weights: str | None) -> None:
    if weights is not None and not isinstance(weights, str):
        raise OptionError(
            f"weights takes the name of a column, got {type(weights).__name__}; add the values to the panel first "
            "(panel.assign)."
        )


def _checked_vcov(panel: Panel, vcov: Vcov | None) -> Vcov:
    if vcov is None:
        return cluster(panel.unit)
    if not isinstance(vcov, Vcov):
        raise OptionError(
            f"vcov={vcov!r} is not allowed; give one of econ.iid(), econ.hetero(), econ.cluster('column'), "
            "econ.driscoll_kraay(), econ.newey_west(), econ.conley(km) or econ.pcse()."
        )
    for name in vcov.columns_needed():
        require_column(name, PanelColumns(panel))
    return vcov


def without_perfectly_fitted(problem: Problem, outcome: FloatArray | None = None) -> Problem:
    """Leave out singletons and, given a Poisson ``outcome`` (N,), levels in which it is zero throughout."""
    effects = problem.formula.effects
    levels = {effect.group: problem.variables.effects[effect.group] for effect in effects if effect.intercept}
    sample = drop_perfectly_fitted(problem.sample, levels, outcome)
    require_rows(sample)
    return replace(problem, sample=sample)


def partial_out(problem: Problem) -> Design:
    """All columns on the sample with the fixed effects taken out."""
    columns = design_columns(problem, 0)
    if problem.effects:
        matrix = replace(columns.matrix, values=problem.absorber.residualize(columns.matrix.values))
        columns = replace(columns, matrix=matrix)
    _refuse_constant_outcome(problem, columns)
    return columns


def design_columns(problem: Problem, first_centred: int) -> Design:
    """All columns on the sample; those from ``first_centred`` on about their means if effects absorb those."""
    matrix = outcome_and_regressors(problem.variables, problem.sample)
    means, variation, magnitude = moments(matrix.values, problem.weights)
    if problem.absorbs_constant:
        matrix.values[:, first_centred:] -= means[first_centred:]
    return Design(matrix, variation, magnitude)


def _refuse_constant_outcome(problem: Problem, columns: Design) -> None:
    y = columns.y
    weighted = y if problem.weights is None else problem.weights * y
    left = float(y @ weighted) if problem.effects else columns.variation[0]
    if left <= max(1e-18 * columns.variation[0], 1e-26 * columns.magnitude[0]):
        within = f" within {' + '.join(problem.effect_names)}" if problem.effects else ""
        raise ModelError(
            f"The outcome {problem.formula.outcome.text!r} does not vary{within} in the sample of "
            f"{problem.sample.n_obs} rows; there is nothing to explain. Use another outcome or fewer fixed effects."
        )


# ---- terms that cannot be told apart


def _independent(problem: Problem, columns: Design, given: Design | None) -> Independence:
    """Which of ``columns`` to keep, in addition to those of ``given``."""
    parts = [columns] if given is None else [given, columns]
    X = columns.X if given is None else np.hstack([given.X, columns.X])
    names = [name for part in parts for name in part.names]
    variation, magnitude = (np.concatenate([getattr(part, of) for part in parts]) for of in ("variation", "magnitude"))
    is_intercept = np.array([name == INTERCEPT and not problem.effects for name in names], dtype=np.bool_)
    if is_intercept.any():
        X = X - moments(X, problem.weights)[0]
    elif not problem.absorbs_constant:
        variation = magnitude
    found = independent_columns(cross_products(X, X, problem.weights), variation, magnitude)
    new = slice(len(names) - len(columns.names), None)
    return Independence((found.keep | is_intercept)[new], (found.absorbed & ~is_intercept)[new])


def _report_dropped(problem: Problem, columns: Design, found: Independence) -> tuple[Text, ...]:
    """A warning, and the same as a note, for terms that are left out."""
    absorbed = [name for name, flag in zip(columns.names, found.absorbed, strict=True) if flag]
    collinear = [n for n, keep, flag in zip(columns.names, found.keep, found.absorbed, strict=True) if not keep | flag]
    effects = " + ".join(problem.effect_names)
    notes: list[Text] = []
    if absorbed:
        what = (f"the fixed effects ({effects}) absorb them", f"被固定效应({effects})吸收")
        if not effects:
            what = ("they do not vary", "没有变异")
        names = ", ".join(absorbed)
        notes.append({"en": f"Left out because {what[0]}: {names}.", "zh": f"因{what[1]}而剔除：{names}。"})
    if collinear:
        names = ", ".join(collinear)
        notes.append(
            {
                "en": f"Left out because earlier terms span them: {names}.",
                "zh": f"因与前面各项完全共线而剔除：{names}。",
            }
        )
    for note in notes:
        warnings.warn(note["en"], EconWarning, stacklevel=5)
    return tuple(notes)


def usable(problem: Problem, columns: Design, given: Design | None = None) -> tuple[Design, tuple[Text, ...]]:
    """The columns that can be told apart from each other and from ``given``."""
    if not columns.names:
        return columns, ()
    found = _independent(problem, columns, given)
    return columns.select(found.keep), _report_dropped(problem, columns, found)


def require_terms(problem: Problem, names: Sequence[str]) -> None:
    """Refuse a model without a regressor."""
    if names:
        return
    effects = " + ".join(problem.effect_names) or "no fixed effects"
    raise ModelError(
        f"No regressor is left in {quote(problem.formula.text)} ({effects}); give at least one that varies within the "
        "fixed effects."
    )


# ---- the result


def sample_layout(problem: Problem, dispersion: float | None = None) -> Layout:
    """Where the rows of the sample lie, for the covariance; ``dispersion`` is 1 where the likelihood fixes it."""
    return Layout(
        {name: _cluster_or_place(problem, name) for name in problem.vcov.columns_needed()},
        problem.unit_codes,
        problem.time_codes if problem.panel.time else None,
        problem.effects,
        problem.absorber.n_effects_rank,
        problem.absorber.leverage,
        dispersion,
    )


def _cluster_or_place(problem: Problem, name: str) -> IntArray | FloatArray:
    if name == problem.panel.unit:
        return problem.unit_codes
    if isinstance(problem.vcov, Conley):
        return problem.sample.take(problem.panel.values(name))
    return problem.sample.take(PanelColumns(problem.panel).coded(name).codes)


def label_estimate(
    problem: Problem,
    estimator: tuple[str, Text],
    terms: tuple[str, ...],
    fit: LinearFit,
    stats: dict[str, float],
    *,
    tests: tuple[Test, ...] = (),
    notes: tuple[Text, ...] = (),
    dispersion: float | None = None,
    layout: Layout | None = None,
) -> Estimate:
    """The fit as an ``Estimate`` with the covariance asked for; ``estimator`` is its name and its label.

    ``layout`` says where the rows of the fit lie when they are not those of the sample, such as means by unit.
    """
    found = covariance(problem.vcov, fit, layout or sample_layout(problem, dispersion))
    said = estimate_fields(problem, estimator, found, notes) | {"n_obs": len(fit.residuals)}
    return Estimate(terms=terms, coef=fit.coef, stats=stats, tests=tests, **said)


def estimate_fields(
    problem: Problem, estimator: tuple[str, Text], found: Covariance, notes: tuple[Text, ...] = ()
) -> dict[str, Any]:
    """Fields of an ``Estimate``: covariance, sample, what was asked for, labels and notes."""
    panel, sample = problem.panel, problem.sample
    return {
        "vcov": found.matrix,
        "dof": found.dof,
        "n_obs": sample.n_obs,
        "n_units": len(levels_present(problem.unit_codes)[1]),
        "n_periods": len(levels_present(problem.time_codes)[1]),
        "sample": sample.rows,
        "spec": {"estimator": estimator[0], "estimator_label": dict(estimator[1])} | problem_spec(problem, found),
        "n_clusters": found.n_clusters,
        "dropped": dict(sample.dropped),
        "labels": problem_labels(problem),
        "notes": (*panel.notes, *notes, *found.notes),
    }


def problem_spec(problem: Problem, found: Covariance) -> dict[str, Any]:
    """What was asked for, as plain JSON."""
    words = {"en": found.words_en, "zh": found.words_zh}
    return {
        "outcome": problem.formula.outcome.text,
        "formula": problem.formula.text,
        "fixed_effects": problem.effect_names,
        "weights": problem.weights_name,
        "offset": problem.offset and problem.offset.text,
        "instruments": [],
        "vcov": problem.vcov.to_json() | {"columns": list(problem.vcov.columns_needed()), "words": words},
        "unit": problem.panel.unit,
        "time": problem.panel.time,
        "dataset": problem.panel.dataset,
        "history": list(problem.panel.history),
    }


def problem_labels(problem: Problem) -> dict[str, dict[str, str]]:
    """What the panel knows about the columns of the formula, the weights and the offset."""
    formula = problem.formula
    terms = (*formula.terms, *formula.endogenous, *formula.instruments)
    factors = [formula.outcome, *(factor for term in terms for factor in term.factors)]
    names = [name for f in factors for name in ([f.column] if isinstance(f, Category) else f.columns)]
    names += [name for effect in formula.effects for name in effect.columns]
    names += [problem.weights_name] if problem.weights_name else []
    names += problem.offset.columns if problem.offset else []
    labels = {}
    for name in dict.fromkeys(names):
        column = problem.panel.column(name)
        known = {"label": column.label, "label_zh": column.label_zh, "unit": column.unit}
        if words := {key: text for key, text in known.items() if text is not None}:
            labels[name] = words
    return labels
