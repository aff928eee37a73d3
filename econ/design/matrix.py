"""From a parsed formula to arrays: variables over all rows, then the columns of the design on the sample."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import numpy as np

from econ.design.absorb import Effect
from econ.design.expression import (
    Coded,
    Columns,
    Expression,
    evaluate,
    numeric_column,
    refuse_mistyped,
    require_column,
)
from econ.design.formula import Category, EffectTerm, Factor, Formula, Term
from econ.design.sample import Sample, combine, levels_present
from econ.errors import DataError, FormulaError
from econ.linear.fit import FloatArray, IntArray

INTERCEPT = "Intercept"


@dataclass(frozen=True, eq=False)
class Variables:
    """What a formula reads, over all rows.

    ``formula`` with every column of categories recognised as such; ``numbers``: spelling -> (N,), NaN where missing;
    ``categories``: column -> its codes; ``effects``: group of a fixed effect -> codes (N,), -1 where missing.
    """

    formula: Formula
    numbers: dict[str, FloatArray] = field(default_factory=dict)
    categories: dict[str, Coded] = field(default_factory=dict)
    effects: dict[str, IntArray] = field(default_factory=dict)

    @property
    def outcome(self) -> FloatArray:
        """(N,)"""
        return self.numbers[self.formula.outcome.text]

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Every variable by name, in the formula's order."""
        yield from self.numbers.items()
        yield from ((name, coded.codes) for name, coded in self.categories.items())
        yield from self.effects.items()


@dataclass(frozen=True, eq=False)
class Matrix:
    """``values`` (n, C) column by column in memory; ``names`` of the columns; ``sizes``: columns per group of terms."""

    values: FloatArray
    names: tuple[str, ...]
    sizes: tuple[int, ...]

    def group(self, index: int) -> slice:
        """The columns of one group."""
        start = sum(self.sizes[:index])
        return slice(start, start + self.sizes[index])


def read_variables(formula: Formula, columns: Columns) -> Variables:
    """Evaluate everything the formula names, over all rows of ``columns``."""
    outcome = formula.outcome
    if outcome.column is not None and columns.kind(_required(outcome.column, columns)) != "number":
        refuse_mistyped(outcome.column, columns)
        raise DataError(f"The outcome {outcome.text!r} is not numeric; a regression needs a numeric outcome.")
    variables = Variables(
        replace(
            formula,
            terms=_recognised(formula.terms, columns),
            endogenous=_recognised(formula.endogenous, columns),
            instruments=_recognised(formula.instruments, columns),
        )
    )
    variables.numbers[outcome.text] = evaluate(outcome, columns)
    for term in (*variables.formula.terms, *variables.formula.endogenous, *variables.formula.instruments):
        for factor in term.factors:
            _read_factor(factor, columns, variables)
    for effect in formula.effects:
        variables.effects.setdefault(effect.group, _effect_codes(effect, columns))
        for slope in effect.slopes:
            _read_factor(slope, columns, variables)
    return variables


def absorbed_effects(variables: Variables, sample: Sample) -> tuple[Effect, ...]:
    """The fixed effects on the sample, levels renumbered."""
    effects: dict[str, Effect] = {}
    for term in variables.formula.effects:
        codes, present = levels_present(sample.take(variables.effects[term.group]))
        if term.intercept:
            effects[term.group] = Effect(term.group, codes, len(present))
        for slope in term.slopes:
            name = f"{term.group}[[{slope.text}]]"
            effects[name] = Effect(name, codes, len(present), sample.take(variables.numbers[slope.text]))
    return tuple(effects.values())


def outcome_and_regressors(variables: Variables, sample: Sample) -> Matrix:
    """The design on the sample as one matrix: outcome, regressors, endogenous regressors, instruments.

    A category leaves out its first level where the rest of the model spans it: when the term without it is in the
    model, the intercept or fixed effects standing for the empty term (R's rule for contrasts).
    """
    formula = variables.formula
    absorbed = any(effect.intercept for effect in formula.effects)
    constant = formula.intercept and not absorbed
    known = {frozenset[str]()} if constant or absorbed else set[frozenset[str]]()
    known |= {_key(term) for term in (*formula.terms, *formula.endogenous)}
    builder = _Builder(variables, sample, known)
    groups = [
        [_Column(formula.outcome.text, (formula.outcome.text,))],
        [_Column(INTERCEPT)] * constant + builder.columns(formula.terms),
        builder.columns(formula.endogenous),
        builder.columns(formula.instruments),
    ]
    flat = [column for group in groups for column in group]
    values = np.empty((sample.n_obs, len(flat)), order="F")
    for out, column in zip(values.T, flat, strict=True):
        builder.fill(out, column)
    return Matrix(values, tuple(column.name for column in flat), tuple(map(len, groups)))


# ---- reading


def _required(name: str, columns: Columns) -> str:
    require_column(name, columns)
    return name


def _recognised(terms: Sequence[Term], columns: Columns) -> tuple[Term, ...]:
    return tuple(Term(tuple(_recognise(factor, columns) for factor in term.factors)) for term in terms)


def _recognise(factor: Factor, columns: Columns) -> Factor:
    name = factor.column
    if isinstance(factor, Category) or name is None:
        return factor
    kind = columns.kind(_required(name, columns))
    if kind == "other":
        raise DataError(
            f"Column {name!r} holds neither numbers nor categories; turn it into numbers first, or use C({name})."
        )
    refuse_mistyped(name, columns)
    return factor if kind == "number" else Category(name)


def _read_factor(factor: Factor, columns: Columns, variables: Variables) -> None:
    if isinstance(factor, Expression):
        if factor.text not in variables.numbers:
            plain = factor.column
            values = evaluate(factor, columns) if plain is None else numeric_column(plain, columns)
            variables.numbers[factor.text] = values
    elif factor.column not in variables.categories:
        variables.categories[factor.column] = columns.coded(_required(factor.column, columns))


def _effect_codes(effect: EffectTerm, columns: Columns) -> IntArray:
    codes = columns.coded(_required(effect.columns[0], columns)).codes
    for name in effect.columns[1:]:
        codes = combine(codes, columns.coded(_required(name, columns)).codes)
    return codes


# ---- building


@dataclass(frozen=True)
class _Column:
    """One column of the design: a product of numbers and of indicators (category, code)."""

    name: str
    numbers: tuple[str, ...] = ()
    indicators: tuple[tuple[str, int], ...] = ()


def _key(term: Term) -> frozenset[str]:
    return frozenset(factor.text for factor in term.factors)


class _Builder:
    """Turns terms into columns on the sample."""

    def __init__(self, variables: Variables, sample: Sample, known: set[frozenset[str]]) -> None:
        self.variables = variables
        self.sample = sample
        self.known = known
        self.codes = {name: sample.take(coded.codes) for name, coded in variables.categories.items()}

    def columns(self, terms: Sequence[Term]) -> list[_Column]:
        return [
            self._column(parts) for term in terms for parts in product(*(self._parts(f, term) for f in term.factors))
        ]

    def fill(self, out: FloatArray, column: _Column) -> None:
        first, *others = column.numbers or ("",)
        out[:] = self.sample.take(self.variables.numbers[first]) if first else 1.0
        for name in others:
            out *= self.sample.take(self.variables.numbers[name])
        for name, code in column.indicators:
            out *= self.codes[name] == code

    def _column(self, parts: tuple[_Column, ...]) -> _Column:
        return _Column(
            ":".join(part.name for part in parts),
            tuple(name for part in parts for name in part.numbers),
            tuple(indicator for part in parts for indicator in part.indicators),
        )

    def _parts(self, factor: Factor, term: Term) -> list[_Column]:
        """The columns of one factor: itself, or an indicator per level that is kept."""
        if isinstance(factor, Expression):
            return [_Column(factor.text, (factor.text,))]
        levels = self.variables.categories[factor.column].levels
        present = np.flatnonzero(np.bincount(self.codes[factor.column], minlength=len(levels)))
        if factor.reference:
            left_out = {self._reference(factor, level) for level in factor.reference}
        else:
            left_out = set(present[:1]) if _key(term) - {factor.text} in self.known else set()
        kept = [int(code) for code in present if code not in left_out]
        return [_Column(f"{factor.text}::{_label(levels[code])}", (), ((factor.column, code),)) for code in kept]

    def _reference(self, factor: Category, level: object) -> int:
        labels = [_label(known) for known in self.variables.categories[factor.column].levels]
        if _label(level) not in labels:
            shown = ", ".join(labels[:12]) + (", ..." if len(labels) > 12 else "")
            raise FormulaError(f"ref={level!r} is no level of {factor.column!r}; its levels are {shown}.")
        return labels.index(_label(level))


def _label(level: object) -> str:
    """A level as its coefficient is named: whole numbers without a decimal point."""
    if isinstance(level, float | np.floating) and float(level).is_integer():
        return str(int(level))
    return str(level)
