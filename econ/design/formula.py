"""Formulas in the grammar of R's fixest, parsed into a small frozen description; no data, nothing evaluated.

    outcome ~ regressors | fixed effects | endogenous ~ instruments

Regressors: ``x1 + x2``, ``a:b``, ``a*b``, ``(a + b)^2``, ``log(x)``, ``I(x^2)``, ``lag(x, 1)``, ``lag(x, 1:2)``,
``lead``, ``diff``, ``C(plate)``, ``i(year, treated, ref=2013)``, ``- 1`` or ``0`` for no intercept. Fixed effects:
``province``, ``province^year`` (one effect per combination), ``province[year]`` (effect and slope),
``province[[year]]`` (slope only). A name that is no identifier stands in backticks. Terms are expanded by formulaic's
parser, with interactions after main effects as in R; grammar and meaning follow Berge (2018), "Efficient estimation
of maximum likelihood models with multiple fixed-effects: the R package FENmlm".
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from econ.design.expression import ALLOWED, Expression, checked, decode, encode, parse_expression, parse_tree, quote
from econ.errors import FormulaError

_SHAPE = "outcome ~ regressors | fixed effects | endogenous ~ instruments"
_MAX_POWER = 5
_MULTIPLE = re.compile(r"(?<![\w*])[\d.]*\d\.?\*(?!\*)|(?<!\*)\*\.?\d")  # 2*x or x*2, no power
Level = int | float | str


@dataclass(frozen=True)
class Category:
    """Indicators of a column's levels but ``reference``; by default the first goes where the rank demands it."""

    column: str
    reference: tuple[Level, ...] = ()

    @property
    def text(self) -> str:
        """The name that its coefficients start with."""
        return self.column


Factor = Expression | Category


@dataclass(frozen=True)
class Term:
    """A product of factors."""

    factors: tuple[Factor, ...]

    @property
    def text(self) -> str:
        """Its spelling, ``a:b``."""
        return ":".join(factor.text for factor in self.factors)


@dataclass(frozen=True)
class EffectTerm:
    """A fixed effect: a level per combination of ``columns``, a slope per level on each of ``slopes``, or both."""

    columns: tuple[str, ...]
    slopes: tuple[Expression, ...] = ()
    intercept: bool = True

    @property
    def group(self) -> str:
        """Name of the levels, ``importer^year``."""
        return "^".join(self.columns)

    @property
    def text(self) -> str:
        """Its spelling, ``province[year]``."""
        inside = ", ".join(slope.text for slope in self.slopes)
        if not inside:
            return self.group
        return f"{self.group}[{inside}]" if self.intercept else f"{self.group}[[{inside}]]"


@dataclass(frozen=True)
class Formula:
    """A parsed formula. ``intercept`` is what the text asks for; fixed effects take its place."""

    text: str
    outcome: Expression
    terms: tuple[Term, ...]
    intercept: bool = True
    effects: tuple[EffectTerm, ...] = ()
    endogenous: tuple[Term, ...] = ()
    instruments: tuple[Term, ...] = ()


def parse_formula(text: str) -> Formula:
    """Parse and check a formula.

    Raises
    ------
    FormulaError : what does not parse or is not allowed, and what is allowed.

    Examples
    --------
    >>> formula = parse_formula("log(y) ~ x + lag(x, 1:2) | province + year")
    >>> [term.text for term in formula.terms]
    ['x', 'lag(x, 1)', 'lag(x, 2)']
    >>> [effect.text for effect in formula.effects]
    ['province', 'year']
    """
    if not isinstance(text, str):
        raise FormulaError(f"A formula is text such as 'y ~ x | province + year'; got {type(text).__name__}.")
    main, *parts = _split(encode(text), "|")
    outcome, regressors = _two_sides(main, text)
    instrumented = parts.pop() if parts and "~" in parts[-1] else None
    if len(parts) > 1 or "~" in "".join(parts):
        raise FormulaError(f"{quote(text)} has too many parts; a formula is {_SHAPE}.")
    intercept, terms = _terms(regressors, True)
    endogenous, instruments = _instrumented(instrumented, text)
    effects = tuple(_effects(parts[0])) if parts else ()
    formula = Formula(text, parse_expression(outcome), terms, intercept, effects, endogenous, instruments)
    _refuse_repeated(formula)
    return formula


# ---- parts


def _two_sides(part: str, text: str) -> tuple[str, str]:
    sides = _split(part, "~")
    if len(sides) != 2 or not sides[0].strip() or not sides[1].strip():
        raise FormulaError(
            f"{quote(text)} does not parse; a formula is {_SHAPE}, with one outcome and at least one regressor (or 1)."
        )
    return sides[0], sides[1]


def _instrumented(part: str | None, text: str) -> tuple[tuple[Term, ...], tuple[Term, ...]]:
    if part is None:
        return (), ()
    endogenous, instruments = _two_sides(part, text)
    return _terms(endogenous, False)[1], _terms(instruments, False)[1]


def _refuse_repeated(formula: Formula) -> None:
    """Refuse a variable that stands in two places of which each excludes the other."""
    places = {
        "the outcome": {formula.outcome.text},
        "a regressor": {term.text for term in formula.terms},
        "an endogenous regressor": {term.text for term in formula.endogenous},
        "an instrument": {term.text for term in formula.instruments},
    }
    for (first, names), (second, others) in combinations(places.items(), 2):
        if (both := names & others) and (first, second) != ("a regressor", "an instrument"):  # those are only dropped
            raise FormulaError(
                f"{quote(min(both))} is both {first} and {second} in {quote(formula.text)}; leave it out of one."
            )


def _effects(part: str) -> Iterator[EffectTerm]:
    pieces = [piece.strip() for piece in _split(part, "+")]
    if pieces in (["0"], ["1"]):
        return
    for piece in pieces:
        match = re.fullmatch(r"([^\[\]]+)(\[\[.+\]\]|\[.+\])?", piece)
        names = [] if match is None else [name.strip() for name in match[1].split("^")]
        if match is None or not all(name.isidentifier() for name in names):
            raise FormulaError(
                f"{quote(piece)} is no fixed effect; allowed are a column, a^b, a[x] (effect and slope) and a[[x]] "
                "(slope only)."
            )
        inside = (match[2] or "").strip("[]")
        slopes = tuple(parse_expression(slope) for slope in _split(inside, ",") if slope.strip())
        yield EffectTerm(tuple(map(decode, names)), slopes, intercept=not (match[2] or "").startswith("[["))


def _split(text: str, sign: str) -> list[str]:
    """Split at ``sign`` where it stands outside brackets."""
    parts, depth, start = [], 0, 0
    for place, char in enumerate(text):
        depth += (char in "([") - (char in ")]")
        if char == sign and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    return [*parts, text[start:]]


# ---- terms


def _terms(text: str, intercept: bool) -> tuple[bool, tuple[Term, ...]]:
    """Expand a sum of terms; whether it has an intercept, and the rest, main effects first.

    Function calls are parsed here and stand as plain names in what formulaic expands.
    """
    from formulaic.errors import FormulaicError
    from formulaic.parser import DefaultFormulaParser

    structure, calls = _set_calls_aside(_expand_ranges(text).replace("^", "**"))
    _refuse_structure(structure, text)
    parser = DefaultFormulaParser(include_intercept=intercept, feature_flags=set())
    try:
        raw = list(parser.get_terms(structure))
    except (FormulaicError, SyntaxError, RecursionError):
        raise FormulaError(f"{quote(text)} does not parse; allowed are {ALLOWED}.") from None
    expanded = [[factor.expr for factor in term.factors] for term in raw]
    terms = [_term(factors, calls) for factors in expanded if factors != ["1"]]
    return ["1"] in expanded, tuple(sorted(dict.fromkeys(terms), key=lambda term: len(term.factors)))


def _term(factors: list[str], calls: dict[str, tuple[Factor, ...]]) -> Term:
    return Term(tuple(factor for text in factors for factor in calls.get(text) or (parse_expression(text),)))


def _set_calls_aside(text: str) -> tuple[str, dict[str, tuple[Factor, ...]]]:
    """Replace every function call by a name; what each name stands for."""
    structure, calls = "", dict[str, tuple[Factor, ...]]()
    for part, outside in _calls(text):
        name = f"_call_{len(calls)}_"
        if not outside:
            calls[name] = _factors(part)
        structure += part if outside else f" {name} "
    return structure, calls


def _refuse_structure(structure: str, text: str) -> None:
    shown, close = quote(text), re.sub(r"\s+", "", structure)
    if "/" in structure:
        raise FormulaError(f"{shown}: write a ratio as I(a / b); between terms only + - : * ^ are allowed.")
    if _MULTIPLE.search(close):
        raise FormulaError(f"{shown}: write a multiple of a column as I(2*x); between terms * makes an interaction.")
    if wrong := re.search(r"[^\w\s+\-*:()]", structure):
        raise FormulaError(f"{wrong[0]!r} in {shown} is not allowed; allowed are {ALLOWED}.")
    powers = re.findall(r"\*\*\s*(\w+)", structure)
    if any(power not in map(str, range(1, _MAX_POWER + 1)) for power in powers):
        raise FormulaError(
            f"{shown}: (a + b)^k needs a whole number k from 1 to {_MAX_POWER}; a power of a column is I(x^2)."
        )
    if any(not re.search(r"[+*-]", _powered(close, match.start())) for match in re.finditer(r"\*\*", close)):
        raise FormulaError(
            f"{shown}: a power of a single column is written I(x^2); (a + b)^2 is for the interactions of a sum."
        )


def _powered(structure: str, end: int) -> str:
    """What stands before the power at ``end``: the text in brackets, or nothing for a name."""
    depth = 0
    for place in range(end - 1, -1, -1) if structure[end - 1 : end] == ")" else ():
        depth += (structure[place] == ")") - (structure[place] == "(")
        if depth == 0:
            return structure[place:end]
    return ""


def _calls(text: str) -> Iterator[tuple[str, bool]]:
    """Pieces of text, and whether each lies outside function calls."""
    start = 0
    for match in re.finditer(r"\w+\s*\(", text):
        if match.start() < start:
            continue
        end = _closing(text, match.end() - 1)
        yield text[start : match.start()], True
        yield text[match.start() : end], False
        start = end
    yield text[start:], True


def _closing(text: str, opening: int) -> int:
    """The place after the bracket that closes the one at ``opening``; the text's end where none does."""
    depth = 0
    for place in range(opening, len(text)):
        depth += (text[place] in "([") - (text[place] in ")]")
        if depth == 0:
            return place + 1
    return len(text)


def _expand_ranges(text: str) -> str:
    """``lag(x, 1:2)`` becomes ``(lag(x, 1) + lag(x, 2))``; a lag of 0 is the column itself."""
    return "".join(part if outside else _expand_range(part) for part, outside in _calls(text))


def _expand_range(call: str) -> str:
    match = re.fullmatch(r"(lag|lead|diff)\s*\((.*),\s*(-?\d+)\s*:\s*(-?\d+)\s*\)", call, flags=re.DOTALL)
    if match is None:
        return call
    name, inside, first, last = match[1], match[2].strip(), int(match[3]), int(match[4])
    if not first <= last <= first + 100:
        raise FormulaError(
            f"{quote(call)}: give a range of periods from the smaller to the larger, as in {name}(x, 1:2)."
        )
    zero = inside if isinstance(parse_tree(inside), ast.Name | ast.Call) else f"I({inside})"
    terms = [zero if k == 0 and name != "diff" else f"{name}({inside}, {k})" for k in range(first, last + 1)]
    return f"({' + '.join(terms)})"


def _factors(call: str) -> tuple[Factor, ...]:
    tree = parse_tree(call)
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id in ("i", "C"):
        return tuple(_categories(tree, tree.func.id))
    return (checked(tree),)


def _categories(call: ast.Call, name: str) -> Iterator[Factor]:
    reference = next((_levels(keyword.value) for keyword in call.keywords if keyword.arg == "ref"), ())
    allowed = 2 if name == "i" else 1
    first, *rest = call.args or [ast.Constant(None)]
    if not isinstance(first, ast.Name) or len(rest) >= allowed or {k.arg for k in call.keywords} - {"ref"}:
        usage = "i(column, x, ref=level)" if name == "i" else "C(column, ref=level)"
        raise FormulaError(f"{quote(ast.unparse(call))} is not allowed; write {usage}.")
    yield Category(decode(first.id), reference)
    for other in rest:
        yield checked(other)


def _levels(node: ast.expr) -> tuple[Level, ...]:
    try:
        value = ast.literal_eval(node)
    except ValueError:
        value = None
    levels = tuple(value) if isinstance(value, list | tuple) else (value,)
    if not levels or not all(isinstance(level, int | float | str) for level in levels):
        raise FormulaError(
            f"ref={decode(ast.unparse(node))} is not allowed; give a level or a list of levels, as in ref=2013."
        )
    return levels
