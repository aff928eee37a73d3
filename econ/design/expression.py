"""Arithmetic inside a formula: parsed into Python's syntax tree, checked node by node, evaluated on columns.

Only what is listed in ``ALLOWED`` is ever evaluated, so a formula read from a file cannot run code. Missing values
stay missing; values outside a function's domain are refused with the rows they stand in.
"""

import ast
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal, Protocol

import numpy as np

from econ.errors import DataError, FormulaError
from econ.linear.fit import BoolArray, FloatArray, IntArray

ALLOWED = (
    "column names (in backticks where they are no plain words), numbers, + - * / ^, log, log1p, exp, sqrt, abs, I(), "
    "lag(x, k), lead(x, k), diff(x, k), and as terms i(column, x, ref=) and C(column, ref=)"
)
_FUNCTIONS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "log": np.log,
    "log1p": np.log1p,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "abs": np.abs,
}
_OUTSIDE: dict[str, tuple[Callable[[FloatArray], BoolArray], str]] = {
    "log": (lambda x: x <= 0, "not positive"),
    "log1p": (lambda x: x <= -1, "not above -1"),
    "sqrt": (lambda x: x < 0, "negative"),
}
_SHIFTS = ("lag", "lead", "diff")
_OPERATORS: dict[type[ast.operator], Callable[[FloatArray, FloatArray], FloatArray]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.power,
}
_SHOWN = 200  # characters of a formula in a message
_NUMERAL = re.compile(r"[-+]?(\d[\d,]*\.?\d*|\.\d+)([eE][-+]?\d+)?")
_QUOTED = re.compile(r"`([^`]+)`")
_ENCODED = re.compile(r"_quoted_((?:[0-9a-f]{2})+)_")


@dataclass(frozen=True)
class Coded:
    """A column as codes (N,), -1 where missing, pointing into ``levels``; a level may have no rows."""

    codes: IntArray
    levels: Sequence[object]


class Columns(Protocol):
    """What a formula may read: N rows of named columns, and the calendar that lags follow."""

    @property
    def names(self) -> Sequence[str]:
        """Names of all columns."""

    @property
    def n_rows(self) -> int:
        """N."""

    def kind(self, name: str) -> Literal["number", "text", "category", "other"]:
        """Numbers, text, categories (categoricals), or something no regression can use, such as dates."""

    def numbers(self, name: str) -> FloatArray:
        """(N,) a numeric column, missing as NaN."""

    def coded(self, name: str) -> Coded:
        """Any column as codes into its sorted levels."""

    def shifted(self, values: FloatArray, periods: int) -> FloatArray:
        """(N,) the same unit's value ``periods`` calendar periods earlier, NaN where there is none."""

    def row(self, index: int) -> str:
        """A row in words, such as ``Beijing, 2015``."""


@dataclass(frozen=True)
class Expression:
    """A checked numeric expression; ``text`` is its canonical spelling and the name of its coefficient."""

    text: str
    tree: ast.expr = field(compare=False)

    @property
    def column(self) -> str | None:
        """The column's name if the expression is nothing else."""
        return decode(self.tree.id) if isinstance(self.tree, ast.Name) else None

    @property
    def source(self) -> str:
        """What ``parse_expression`` reads as this again, whatever the names of its columns."""
        return ast.unparse(self.tree)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns it reads."""
        called = {id(node.func) for node in ast.walk(self.tree) if isinstance(node, ast.Call)}
        names = (node for node in ast.walk(self.tree) if isinstance(node, ast.Name) and id(node) not in called)
        return tuple(dict.fromkeys(decode(node.id) for node in names))


def encode(text: str) -> str:
    """Replace every `` `quoted name` `` by an identifier that carries it, so that any column name parses."""
    return _QUOTED.sub(lambda match: f"_quoted_{match[1].encode().hex()}_", text)


def decode(text: str) -> str:
    """The names that ``encode`` hid."""
    return _ENCODED.sub(lambda match: bytes.fromhex(match[1]).decode(errors="replace"), text)


def quote(text: str) -> str:
    """A formula as a message shows it: decoded, in quotes, a long one cut."""
    shown = decode(text.strip())
    return repr(shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}...")


def parse_expression(text: str) -> Expression:
    """Check ``text`` (already encoded) and keep its syntax tree."""
    return checked(parse_tree(text))


def parse_tree(text: str) -> ast.expr:
    """Python's syntax tree of one expression, ``^`` read as a power."""
    source = text.strip().replace("^", "**")
    try:
        return ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise FormulaError(f"{quote(text)} does not parse; allowed are {ALLOWED}.") from None


def checked(tree: ast.expr) -> Expression:
    """Refuse a tree with anything in it that is not allowed."""
    try:
        _check(tree)
        expression = Expression(spell(tree), tree)
    except RecursionError:
        raise FormulaError("The formula is nested too deeply; compute the column first (panel.assign).") from None
    if not expression.columns:
        raise FormulaError(f"{quote(expression.text)} names no column; a term is made of columns.")
    return expression


def spell(tree: ast.expr) -> str:
    """The canonical spelling of a tree: one blank after commas, ``^`` for powers, lags with their period."""
    filled = _FillPeriods().visit(ast.parse(ast.unparse(tree), mode="eval").body)
    return decode(ast.unparse(filled).replace(" ** ", "^"))


def evaluate(expression: Expression, columns: Columns) -> FloatArray:
    """(N,) values of the expression, NaN where a column it reads is missing; a plain column is not copied."""
    with np.errstate(all="ignore"):
        values = _value(expression.tree, columns)
    if expression.column is None:
        _refuse(np.isinf(values), expression.text, "infinite", columns, values)
    return values


def require_column(name: str, columns: Columns) -> None:
    """Refuse a name that is no column, with the nearest that are."""
    if name in columns.names:
        return
    near = get_close_matches(name, [str(known) for known in columns.names], n=3, cutoff=0.5)
    hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    have = ", ".join(str(known) for known in columns.names[:12])
    more = ", ..." if len(columns.names) > 12 else ""
    raise FormulaError(f"The panel has no column {name!r}; it has {have}{more}.{hint}")


def refuse_mistyped(name: str, columns: Columns) -> None:
    """Refuse a text column at least half of whose values read as numbers: a mistyped cell made it text."""
    if columns.kind(name) != "text":
        return
    coded = columns.coded(name)
    odd = np.array([not _NUMERAL.fullmatch(str(level).strip()) for level in coded.levels], dtype=np.bool_)
    if not odd.size or odd.mean() > 0.5:
        return
    first = {int(code): row for row, code in reversed(list(enumerate(coded.codes))) if code >= 0 and odd[code]}
    named = ", ".join(f"{str(coded.levels[code])!r} ({columns.row(row)})" for code, row in sorted(first.items())[:5])
    more = ", ..." if len(first) > 5 else ""
    but = f", but not {named}{more}: correct them in the data" if first else ": turn it into numbers first"
    raise DataError(
        f"Column {name!r} is text, and {odd.size - int(odd.sum())} of its {odd.size} different values read as "
        f"numbers{but}. To use it as categories, write C({name})."
    )


# ---- checking


class _FillPeriods(ast.NodeTransformer):
    """``lag(x)`` is ``lag(x, 1)``."""

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in _SHIFTS and len(node.args) == 1:
            node.args.append(ast.Constant(1))
        return node


def _check(node: ast.expr) -> None:
    match node:
        case ast.Name():
            return
        case ast.Constant(value=bool() | complex()):
            pass
        case ast.Constant(value=int() | float()):
            return
        case ast.UnaryOp(op=ast.UAdd() | ast.USub(), operand=operand):
            return _check(operand)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            _check(left)
            return _check(right)
        case ast.Call(func=ast.Name(id=name), args=[argument, *periods], keywords=[]) if _is_known(name, len(periods)):
            for period in periods:
                whole_number(period, name)
            return _check(argument)
    raise FormulaError(f"{_refused(node)} is not allowed in a formula; allowed are {ALLOWED}.")


def _is_known(name: str, n_further: int) -> bool:
    return (name in _SHIFTS and n_further <= 1) or ((name in _FUNCTIONS or name == "I") and n_further == 0)


def whole_number(node: ast.expr, function: str) -> int:
    """The whole number that a node spells, such as the periods of a lag."""
    match node:
        case ast.Constant(value=int(number)) if not isinstance(number, bool):
            return number
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(number))) if not isinstance(number, bool):
            return -number
    raise FormulaError(
        f"{function}(x, {decode(ast.unparse(node))}) is not allowed; give a whole number of periods, such as "
        f"{function}(x, 1)."
    )


_WORDS: dict[str, tuple[type[ast.expr], ...]] = {
    "the attribute access": (ast.Attribute,),
    "the call": (ast.Call,),
    "the comprehension": (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
    "the lambda": (ast.Lambda,),
    "the subscript": (ast.Subscript,),
    "the comparison": (ast.Compare, ast.BoolOp),
    "the operator in": (ast.BinOp, ast.UnaryOp),
}


def _refused(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return f"the string {quote(node.value)}"
    words = next((word for word, kinds in _WORDS.items() if isinstance(node, kinds)), "the expression")
    return f"{words} {quote(ast.unparse(node))}"


# ---- evaluating


def _value(node: ast.expr, columns: Columns) -> FloatArray:
    match node:
        case ast.Name(id=name):
            return numeric_column(decode(name), columns)
        case ast.Constant(value=number):
            return np.asarray(_as_float(number))
        case ast.UnaryOp(op=op, operand=operand):
            value = _value(operand, columns)
            return -value if isinstance(op, ast.USub) else value
        case ast.BinOp(left=left, op=op, right=right):
            return _arithmetic(node, type(op), _value(left, columns), _value(right, columns), columns)
        case ast.Call(func=ast.Name(id=name), args=[argument, *periods]):
            if name in _SHIFTS:
                k = whole_number(periods[0], name) if periods else 1
                return _shifted(name, _value(argument, columns), k, columns)
            return _apply(name, argument, _value(argument, columns), columns)
    raise AssertionError(ast.dump(node))


def numeric_column(name: str, columns: Columns) -> FloatArray:
    """(N,) a column as numbers; refused when it is not there or not numeric."""
    require_column(name, columns)
    refuse_mistyped(name, columns)
    if columns.kind(name) != "number":
        raise DataError(
            f"Column {name!r} is not numeric; use it as a category with C({name}), or turn it into numbers first."
        )
    return columns.numbers(name)


def _arithmetic(
    node: ast.BinOp, op: type[ast.operator], left: FloatArray, right: FloatArray, columns: Columns
) -> FloatArray:
    if op is ast.Div:
        _refuse(right == 0, spell(node.right), "zero and divided by", columns, right)
    result = _OPERATORS[op](left, right)
    if op is ast.Pow:
        undefined = np.isnan(result) & ~np.isnan(left) & ~np.isnan(right)
        _refuse(undefined, spell(node), "undefined (a negative number to a fractional power)", columns, result)
    return result


def _apply(name: str, argument: ast.expr, values: FloatArray, columns: Columns) -> FloatArray:
    if name == "I":
        return values
    if name in _OUTSIDE:
        outside, words = _OUTSIDE[name]
        _refuse(outside(values), f"{name}() of {spell(argument)}", words, columns, values)
    return _FUNCTIONS[name](values)


def _shifted(name: str, values: FloatArray, periods: int, columns: Columns) -> FloatArray:
    full = np.broadcast_to(values, (columns.n_rows,))
    if name == "diff":
        return values - columns.shifted(full, periods)
    return columns.shifted(full, periods if name == "lag" else -periods)


def _as_float(number: object) -> float:
    try:
        return float(number)  # type: ignore[arg-type]
    except OverflowError:
        raise FormulaError("A number in the formula is too large.") from None


def _refuse(wrong: BoolArray, what: str, words: str, columns: Columns, values: FloatArray) -> None:
    if not wrong.any():
        return
    flags = np.broadcast_to(wrong, (columns.n_rows,))
    first = int(flags.argmax())
    shown = float(np.broadcast_to(values, flags.shape)[first])
    raise DataError(
        f"{what}: {int(flags.sum())} values are {words}, the first at {columns.row(first)} ({shown:g}). "
        "Keep the rows where it is defined (panel.where), set those values to missing, or use another transform, "
        "such as log1p."
    )
