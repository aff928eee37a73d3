"""From a panel and what was asked for to the arrays of a dynamic panel model."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from econ.columns import PanelColumns
from econ.design.collinear import Independence, cross_products, independent_columns, moments
from econ.design.expression import encode, evaluate, parse_expression, quote
from econ.design.formula import parse_formula
from econ.design.matrix import INTERCEPT, Variables, outcome_and_regressors, read_variables
from econ.design.sample import drop_missing, levels_present, require_rows
from econ.errors import FormulaError, ModelError, OptionError
from econ.growth.equations import Stack
from econ.growth.instruments import Block, Gmm, Iv, gmm_blocks, iv_block
from econ.linear.fit import FloatArray, IntArray
from econ.options import PanelTransform
from econ.panel import Panel
from econ.problem import Problem, prepare
from econ.text import Text

EFFECTS = "period effects"
CONSTANT = "constant"


@dataclass(frozen=True, eq=False)
class DynamicModel:
    """A dynamic panel model on its rows.

    Attributes
    ----------
    problem : its sample are the observations: rows of the transformed equation, in the system of levels
    stack : the equations, over the level rows
    y, X : (n,), (n, K) in levels, sorted by unit and period; period effects are the last columns of X
    terms : names of the first columns of X
    blocks : instruments
    left_out : notes on regressors left out
    notes : other notes
    """

    problem: Problem
    stack: Stack
    y: FloatArray
    X: FloatArray
    terms: tuple[str, ...]
    blocks: list[Block]
    left_out: tuple[Text, ...]
    notes: tuple[Text, ...]


def read_model(
    panel: Panel,
    formula: str,
    gmm: Sequence[Gmm],
    iv: Sequence[Iv],
    *,
    system: bool,
    transform: PanelTransform,
    collapse: bool,
    time_effects: bool,
) -> DynamicModel:
    """Read and check everything; leave out rows and regressors that cannot be used."""
    problem = _without_effects(prepare(panel, formula))
    externals = [_read_iv(problem, option) for option in iv]
    sample = problem.sample
    for external in externals:
        sample = drop_missing(sample, external)
    require_rows(sample)
    problem = replace(problem, sample=sample)
    order = np.lexsort((problem.time_codes, problem.unit_codes))
    stack = Stack(problem.unit_codes[order], problem.time_codes[order], transform, system)
    _require_transformed_rows(problem, stack)
    y, X, terms, left_out = _regressors(problem, stack, order, time_effects)
    blocks = _own_instruments(stack, X, terms)
    for option, external in zip(iv, externals, strict=True):
        values = outcome_and_regressors(external, sample)
        blocks.append(iv_block(option.name, option.equation, stack, values.values[order, values.group(1)]))
    for given in gmm:
        blocks += gmm_blocks(given, collapse, stack, _grid(panel, given.variable))
    used, gaps = _rows_used(problem, stack, order)
    return DynamicModel(used, stack, y, X, terms, blocks, left_out, gaps)


def _without_effects(problem: Problem) -> Problem:
    formula = problem.formula
    if formula.effects or formula.endogenous:
        raise FormulaError(
            f"{quote(formula.text)}: a dynamic panel model has unit effects by itself, period effects by "
            "time_effects=True, and takes instruments from gmm=[...] and iv=[...]; give only 'outcome ~ regressors'."
        )
    return problem


def _read_iv(problem: Problem, option: Iv) -> Variables:
    """The terms of an ``iv`` option, read as a formula without an intercept."""
    if option.variable.strip() == problem.formula.outcome.text:
        raise OptionError(
            f"econ.iv({option.variable!r}): the outcome is no instrument for itself; its past is: "
            f"econ.gmm({option.variable!r}), or econ.iv('lag({option.variable}, 2)')."
        )
    outcome = problem.formula.text.partition("~")[0]
    return read_variables(parse_formula(f"{outcome} ~ 0 + {option.variable}"), PanelColumns(problem.panel))


def _grid(panel: Panel, variable: str) -> FloatArray:
    """(units, periods) values of an expression on the whole calendar, NaN where there is none."""
    values = evaluate(parse_expression(encode(variable)), PanelColumns(panel))
    grid = np.full((panel.n_units, int(panel.time_codes.max()) + 1), np.nan)
    grid[panel.unit_codes, panel.time_codes] = values
    return grid


def _require_transformed_rows(problem: Problem, stack: Stack) -> None:
    if stack.split:
        return
    pair = "two consecutive periods" if stack.transform == "difference" else "two periods"
    raise ModelError(
        f"No unit has {pair} in which everything in {quote(problem.formula.text)} is observed, lags included: the "
        f"panel has {problem.panel.n_periods} periods, and {problem.sample.n_obs} rows are left after lags and missing "
        "values. Use fewer lags or more periods."
    )


# ---- regressors


def _regressors(
    problem: Problem, stack: Stack, order: IntArray, time_effects: bool
) -> tuple[FloatArray, FloatArray, tuple[str, ...], tuple[Text, ...]]:
    """Outcome, regressors with period effects last, names of the others, and a note on those left out."""
    matrix = outcome_and_regressors(problem.variables, problem.sample)
    values, group = matrix.values[order], matrix.group(1)
    X, names = values[:, group], np.array(matrix.names[group], dtype=object)
    if time_effects or not stack.system:
        X, names = X[:, names != INTERCEPT], names[names != INTERCEPT]
    effects = _period_effects(stack) if time_effects else np.empty((len(X), 0))
    found, E = _independent(stack, np.hstack([effects, X])), effects.shape[1]
    keep, absorbed = found.keep[E:], found.absorbed[E:]
    if not keep.any():
        raise ModelError(
            f"No regressor is left in {quote(problem.formula.text)}: give at least one that varies within units"
            f"{' and differs from the period effects' if time_effects else ''}."
        )
    notes = _left_out(list(names[absorbed]), list(names[~keep & ~absorbed]), time_effects)
    return values[:, 0], np.hstack([X[:, keep], effects[:, found.keep[:E]]]), tuple(names[keep]), notes


def _period_effects(stack: Stack) -> FloatArray:
    codes, present = levels_present(stack.time)
    return np.eye(len(present))[codes]


def _independent(stack: Stack, X: FloatArray) -> Independence:
    """Which columns (n, K) can be told apart in the stacked equations, the first ones going first."""
    E = stack.apply(X)
    _, variation, magnitude = moments(X)
    return independent_columns(cross_products(E, E), magnitude if stack.system else variation, magnitude)


def _left_out(constant: Sequence[str], spanned: Sequence[str], time_effects: bool) -> tuple[Text, ...]:
    notes: list[Text] = []
    if constant:
        listed = ", ".join(constant)
        notes.append(
            {
                "en": f"Left out because they do not vary within units: {listed}.",
                "zh": f"因在个体内没有变异而剔除：{listed}。",
            }
        )
    if spanned:
        listed, by = ", ".join(spanned), ("period effects or ", "时期效应或") if time_effects else ("", "")
        notes.append(
            {
                "en": f"Left out because {by[0]}earlier terms span them: {listed}.",
                "zh": f"因与{by[1]}前面各项完全共线而剔除：{listed}。",
            }
        )
    return tuple(notes)


# ---- instruments and rows


def _own_instruments(stack: Stack, X: FloatArray, terms: tuple[str, ...]) -> list[Block]:
    """Period effects or the constant, which are their own instruments; in the system in levels only."""
    blocks, effects = [], X[:, len(terms) :]
    if effects.shape[1]:
        blocks.append(iv_block(EFFECTS, "level" if stack.system else "difference", stack, effects, "effects"))
    if INTERCEPT in terms:
        blocks.append(iv_block(CONSTANT, "level", stack, np.ones((len(X), 1)), "effects"))
    return blocks


def _rows_used(problem: Problem, stack: Stack, order: IntArray) -> tuple[Problem, tuple[Text, ...]]:
    """The problem on the rows that count as observations, and a note on gaps that differencing could not bridge."""
    first = np.ones(len(stack.unit), dtype=np.bool_)
    first[1:] = stack.unit[1:] != stack.unit[:-1]
    lost = np.ones(len(first), dtype=np.bool_)
    lost[stack.transformed.level] = False
    after_gap = lost & ~first if stack.transform == "difference" else np.zeros_like(first)
    notes = _gap_note(int(after_gap.sum()))
    if stack.system:
        return problem, notes
    sample, back = problem.sample, np.argsort(order)
    for rows, reason in (
        (lost & ~after_gap, f"{'first' if stack.transform == 'difference' else 'last'} row of a unit"),
        (after_gap, "row after a gap"),
    ):
        flags = np.zeros(len(problem.sample.rows), dtype=np.bool_)
        flags[problem.sample.rows] = rows[back]
        sample = sample.only(~flags, reason)
    return replace(problem, sample=sample), notes


def _gap_note(count: int) -> tuple[Text, ...]:
    if not count:
        return ()
    return (
        {
            "en": f"{count} rows follow a gap and have no first difference; transform='orthogonal' would keep those "
            "with later rows.",
            "zh": f"{count} 行位于间断之后，没有一阶差分；transform='orthogonal' 可保留其后仍有观测的行。",
        },
    )
