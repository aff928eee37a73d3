"""The grammar, what is refused, and what expressions evaluate to."""

import contextlib
import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econ import Panel
from econ.columns import PanelColumns
from econ.design.expression import encode, evaluate, parse_expression
from econ.design.formula import parse_formula
from econ.design.matrix import outcome_and_regressors, read_variables
from econ.design.sample import Sample, drop_missing
from econ.errors import DataError, EconError, FormulaError
from econ.linear.fit import FloatArray


def terms(text: str) -> list[str]:
    return [term.text for term in parse_formula(text).terms]


@pytest.fixture
def columns() -> PanelColumns:
    frame = pd.DataFrame(
        {
            "unit": ["b", "a", "a", "b", "a", "c"],
            "year": [2010, 2012, 2010, 2011, 2013, 2010],
            "x": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
            "z": [1.0, np.nan, 2.0, 3.0, 4.0, 0.5],
            "n": [3, 1, 2, 3, 1, 2],
            "plate": ["West", "East", "East", "West", "East", "Mid"],
            "half": pd.Categorical(["s", "n", "n", "s", "n", "n"], categories=["s", "n", "unused"]),
            "研发": [1.0, 2.0, 3.0, 4.0, 5.0, 7.0],
            "R&D 经费": [2.0, 2.0, 3.0, 4.0, 5.0, 7.0],
            "day": pd.date_range("2020-01-01", periods=6),
        }
    )
    return PanelColumns(Panel(frame, unit="unit", time="year"))


def design(text: str, columns: PanelColumns) -> tuple[tuple[str, ...], FloatArray]:
    variables = read_variables(parse_formula(text), columns)
    matrix = outcome_and_regressors(variables, drop_missing(Sample.full(columns.n_rows), variables))
    return matrix.names[1:], matrix.values[:, 1:]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("y ~ x1 + x2", ["x1", "x2"]),
        ("y ~ a:b + a", ["a", "a:b"]),
        ("y ~ a*b", ["a", "b", "a:b"]),
        ("y ~ (a + b + c)^2", ["a", "b", "c", "a:b", "a:c", "b:c"]),
        ("y ~ (a + b)**2", ["a", "b", "a:b"]),
        ("y ~ a*b - a", ["b", "a:b"]),
        ("y ~ log( x ) + I(x ^ 2 + 1)", ["log(x)", "I(x^2 + 1)"]),
        ("y ~ lag(x) + lag(x,2) + lead(x, 1)", ["lag(x, 1)", "lag(x, 2)", "lead(x, 1)"]),
        ("y ~ lag(x, 1:3)", ["lag(x, 1)", "lag(x, 2)", "lag(x, 3)"]),
        ("y ~ lag(log(x), 0:1)", ["log(x)", "lag(log(x), 1)"]),
        ("y ~ lag(x, -1:1)", ["lag(x, -1)", "x", "lag(x, 1)"]),
        ("y ~ lag(x, 1:2):z", ["lag(x, 1):z", "lag(x, 2):z"]),
        ("y ~ diff(log(x))", ["diff(log(x), 1)"]),
        ("y ~ i(year, treated, ref=2013)", ["year:treated"]),
        ("y ~ C(plate)*x", ["plate", "x", "plate:x"]),
        ("y ~ `R&D 经费` + log(`R&D 经费`)", ["R&D 经费", "log(R&D 经费)"]),
        ("y ~ 研发:创新", ["研发:创新"]),
        ("y ~\n x1 +\n x2", ["x1", "x2"]),
        ("y ~ log(x) + log( x ) + z + z", ["log(x)", "z"]),
        ("y ~ 1", []),
    ],
)
def test_terms(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


@pytest.mark.parametrize(
    ("text", "intercept"),
    [("y ~ x", True), ("y ~ x - 1", False), ("y ~ 0 + x", False), ("y ~ x + 0", False), ("y ~ 1 + x", True)],
)
def test_intercept(text: str, intercept: bool) -> None:
    assert parse_formula(text).intercept is intercept


def test_parts() -> None:
    formula = parse_formula("log(y/n) ~ x | f + g^h + u[t] + s[[t, log(t)]] | e + d ~ z1 + z2:x")
    assert formula.outcome.text == "log(y / n)"
    assert [effect.text for effect in formula.effects] == ["f", "g^h", "u[t]", "s[[t, log(t)]]"]
    assert [effect.intercept for effect in formula.effects] == [True, True, True, False]
    assert [term.text for term in formula.endogenous] == ["e", "d"]
    assert [term.text for term in formula.instruments] == ["z1", "z2:x"]
    without_effects = parse_formula("y ~ 1 | e ~ z")
    assert not without_effects.effects and without_effects.endogenous
    assert not parse_formula("y ~ x | 0 | e ~ z").effects


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("y ~ __import__('os').system('touch hacked')", "the call"),
        ("y ~ x.__class__", "'.' in 'x.__class__'"),
        ("y ~ log(x.__class__)", "the attribute access"),
        ("y ~ I([v for v in x])", "the comprehension"),
        ("y ~ I((lambda: x)())", "the call"),
        ("y ~ I(lambda: x)", "the lambda"),
        ("y ~ eval(x)", "the call 'eval(x)'"),
        ("y ~ log(x, 2)", "the call 'log(x, 2)'"),
        ("y ~ np.log(x)", "'.' in 'np.log(x)'"),
        ("y ~ log(x)(z)", "does not parse"),
        ("y ~ x[0]", "'[' in 'x[0]'"),
        ("y ~ I(x[0])", "the subscript"),
        ("y ~ I(x > 1)", "the comparison"),
        ("y ~ I('text')", "the string 'text'"),
        ("y ~ I(x if x else z)", "the expression"),
        ("y ~ I(x := 2)", "the expression"),
        ("y ~ I(x // 2)", "the operator in"),
        ("y ~ I(not x)", "the operator in"),
        ("y ~ I(True + x)", "the expression 'True'"),
        ("y ~ I(2j * x)", "the expression '2j'"),
        ("y ~ {__import__('os')}", "the call"),
        ("y ~ {x}", "'{' in '{x}'"),
        ("y ~ poly(x, 2)", "the call 'poly(x, 2)'"),
        ("y ~ lag(x, 1.5)", "a whole number of periods"),
        ("y ~ lag(x, z)", "a whole number of periods"),
        ("y ~ log(lag(x, 1:2))", "does not parse"),
        ("y ~ lag(x, 3:1)", "from the smaller to the larger"),
        ("__import__('os').getcwd() ~ x", "the call"),
        ("y ~ x | eval(f)", "is no fixed effect"),
        ("y ~ x | f[eval(t)]", "the call"),
        ("y ~ C(eval(f))", "write C(column, ref=level)"),
        ("y ~ C(f, ref=eval(f))", "ref=eval(f) is not allowed"),
        ("y ~ C(f, Treatment)", "write C(column, ref=level)"),
        ("y ~ i(f, x, z)", "write i(column, x, ref=level)"),
        ("y ~ a / b", "write a ratio as I(a / b)"),
        ("y ~ (a + b)^9", "a whole number k from 1 to 5"),
        ("y ~ x^y", "a power of a column is I(x^2)"),
        ("y ~ x^2", "a power of a single column is written I(x^2)"),
        ("y ~ z + x**2", "a power of a single column"),
        ("y ~ `R&D 经费`^2", "a power of a single column"),
        ("y ~ log(x)^2", "a power of a single column"),
        ("y ~ ((x))^2", "a power of a single column"),
        ("y ~ (a + b)^2 + x^2", "a power of a single column"),
        ("y ~ x | f | e ~ z^2", "a power of a single column"),
        ("y ~ 2*x1", "'2*x1': write a multiple of a column as I(2*x)"),
        ("y ~ z + 0.5 * log(x)", "write a multiple of a column"),
        ("y ~ x*2", "write a multiple of a column"),
        ("y ~ y + x", "'y' is both the outcome and a regressor in 'y ~ y + x'"),
        ("log(y) ~ x + log( y )", "'log(y)' is both the outcome and a regressor"),
        ("y ~ x | f | y ~ z", "'y' is both the outcome and an endogenous regressor"),
        ("y ~ x | f | e ~ z + y", "'y' is both the outcome and an instrument"),
        ("y ~ x | f | e ~ e + z", "'e' is both an endogenous regressor and an instrument"),
        ("y ~ x + e | f | e ~ z", "'e' is both a regressor and an endogenous regressor"),
        ("y ~ .", "'.' in '.'"),
        ("y ~ x + 2", "does not parse"),
        ("y ~ 2:x", "names no column"),
        ("y ~ I(2)", "names no column"),
        ("y ~ x z", "does not parse"),
        ("y ~ log(x", "does not parse"),
        ("y ~ ", "a formula is outcome"),
        ("~ x", "a formula is outcome"),
        ("x1 + x2", "a formula is outcome"),
        ("y ~ x ~ z", "a formula is outcome"),
        ("y ~ x | f | g", "too many parts"),
        ("y ~ x | f | e ~ z | g", "too many parts"),
    ],
)
def test_refusals(text: str, refused: str) -> None:
    with pytest.raises(FormulaError) as error:
        parse_formula(text)
    assert refused in str(error.value)


def test_long_formulas_are_cut_in_messages() -> None:
    for text in ("y ~ " + "x + " * 500 + "z z", "y ~ " + "x + " * 500 + "z ~ z", "y ~ I(" + "x + " * 500 + "(z > 1))"):
        with pytest.raises(FormulaError) as error:
            parse_formula(text)
        assert len(str(error.value)) < 600


def test_refused_expression_lists_what_is_allowed() -> None:
    with pytest.raises(FormulaError, match=r"allowed are column names.*log, log1p, exp, sqrt, abs"):
        parse_formula("y ~ sin(x)")


def test_not_text() -> None:
    with pytest.raises(FormulaError, match="got int"):
        parse_formula(3)  # type: ignore[arg-type]


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="yxz~|+-*:^()[]{}.,`'\"0123 \n_=!@%/IiClag研", max_size=40))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    for candidate in (text, f"y ~ {text}", f"y ~ x | {text}"):
        with contextlib.suppress(EconError):
            parse_formula(candidate)


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(FormulaError):
        parse_formula("y ~ " + "log(" * 5000 + "x" + ")" * 5000)
    with pytest.raises(FormulaError):
        parse_formula("y ~ I(" + "-" * 50_000 + "x)")


NUMBERS = {"a": np.array([0.5, 1.5, 2.0]), "b": np.array([3.0, 0.25, np.nan])}


def expressions() -> st.SearchStrategy[str]:
    leaves = st.sampled_from(["a", "b", "2", "0.5"])
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from(["+", "-", "*", "/"]), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
            inner.map(lambda t: f"abs({t})"),
            inner.map(lambda t: f"-({t})"),
            inner.map(lambda t: f"I({t})"),
        ),
        max_leaves=8,
    )


@settings(max_examples=200, deadline=None)
@given(expressions())
def test_arithmetic_equals_numpy(text: str) -> None:
    frame = pd.DataFrame(NUMBERS | {"unit": [1, 2, 3]})
    names = NUMBERS | {"I": lambda v: v, "abs": np.abs, "number": np.float64}
    with np.errstate(all="ignore"):
        expected = np.broadcast_to(eval(re.sub(r"(0\.5|2)", r"number(\1)", text), {}, names), 3)
    try:
        found = evaluate(parse_expression(text), PanelColumns(Panel(frame, unit="unit")))
    except FormulaError:
        assert "a" not in text.replace("abs", "") and "b" not in text.replace("abs", "")
    except DataError:  # a division by zero somewhere; numpy gives an infinity or hides it
        assert "/" in text
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-15)


@pytest.mark.parametrize(
    ("text", "function"),
    [
        ("log(x)", np.log),
        ("log1p(x)", np.log1p),
        ("exp(x)", np.exp),
        ("sqrt(x)", np.sqrt),
        ("I(x^2 + 1)", lambda v: v**2 + 1),
        ("-x^2", lambda v: -(v**2)),
        ("x^-1", lambda v: 1 / v),
        ("abs(x - 3)", lambda v: np.abs(v - 3)),
    ],
)
def test_functions(text: str, function: object, columns: PanelColumns) -> None:
    x = columns.numbers("x")
    np.testing.assert_allclose(evaluate(parse_expression(text), columns), function(x), rtol=1e-15)  # type: ignore[operator]


@pytest.mark.parametrize("periods", [1, 2, 3, -1])
def test_lags_follow_the_calendar(periods: int, columns: PanelColumns) -> None:
    frame = columns.panel.frame
    known = {(u, t): v for u, t, v in zip(frame["unit"], frame["year"], frame["x"], strict=True)}
    expected = [known.get((u, t - periods), math.nan) for u, t in zip(frame["unit"], frame["year"], strict=True)]
    np.testing.assert_array_equal(evaluate(parse_expression(f"lag(x, {periods})"), columns), expected)
    np.testing.assert_array_equal(evaluate(parse_expression(f"lead(x, {-periods})"), columns), expected)
    np.testing.assert_array_equal(evaluate(parse_expression(f"diff(x, {periods})"), columns), frame["x"] - expected)
    np.testing.assert_array_equal(evaluate(parse_expression(f"log(lag(x, {periods}))"), columns), np.log(expected))


def test_lag_in_a_cross_section() -> None:
    columns = PanelColumns(Panel(pd.DataFrame({"unit": [1, 2], "x": [1.0, 2.0]}), unit="unit"))
    with pytest.raises(FormulaError, match="no time column"):
        evaluate(parse_expression("lag(x)"), columns)


def test_plain_columns_are_not_copied(columns: PanelColumns) -> None:
    assert np.shares_memory(evaluate(parse_expression("x"), columns), columns.panel.frame["x"].to_numpy())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("log(x - 1)", r"log\(\) of x - 1: 1 values are not positive, the first at b, 2010 \(0\)"),
        ("sqrt(x - 4)", r"sqrt\(\) of x - 4: 3 values are negative, the first at b, 2010 \(-3\)"),
        ("log1p(x - 3)", "2 values are not above -1"),
        ("z / (x - 1)", "x - 1: 1 values are zero and divided by"),
        ("exp(1000 * x)", r"exp\(1000 \* x\): 6 values are infinite"),
        ("(x - 2)^0.5", "1 values are undefined"),
        ("log(plate)", "Column 'plate' is not numeric"),
    ],
)
def test_values_outside_the_domain(text: str, message: str, columns: PanelColumns) -> None:
    with pytest.raises(DataError, match=message):
        evaluate(parse_expression(text), columns)


def test_unknown_column(columns: PanelColumns) -> None:
    with pytest.raises(FormulaError, match=r"no column 'plates'.*Did you mean 'plate'"):
        design("x ~ plates", columns)
    for formula in ("x ~ z | plates", "x ~ C(plates)", "x ~ z | unit[yeer]", "plates ~ x", "x ~ i(yeer)"):
        with pytest.raises(FormulaError, match="no column"):
            design(formula, columns)


def test_outcome_must_be_numeric(columns: PanelColumns) -> None:
    with pytest.raises(DataError, match="The outcome 'plate' is not numeric"):
        design("plate ~ x", columns)


@pytest.mark.parametrize("formula", ["x ~ typo", "typo ~ x", "x ~ log(typo)", "x ~ n:typo", "x ~ z | unit[typo]"])
def test_a_mistyped_cell_makes_no_categories(formula: str, columns: PanelColumns) -> None:
    for values in (["1", "2.5", None, "3a", "-4", "3a"], [1, 2.5, np.nan, "3a", -4, "3a"]):
        typo = PanelColumns(columns.panel.assign(typo=pd.Series(values, dtype=object)))
        with pytest.raises(DataError, match=r"'typo' is text, and 3 of its 4 .* but not '3a' \(b, 2011\): correct"):
            design(formula, typo)
        assert design("x ~ C(typo)", typo)[0][-1] == "typo::3a"


def test_numbers_kept_as_text_are_no_regressors_and_text_is(columns: PanelColumns) -> None:
    panel = columns.panel.assign(text=["1", "2", "3", "1,000.5", "5", "6"], mixed=["1", "a", "b", "c", "1", "d"])
    with pytest.raises(DataError, match=r"6 of its 6 different values read as numbers: turn it into numbers first"):
        design("x ~ text", PanelColumns(panel))
    assert design("x ~ mixed", PanelColumns(panel))[0] == ("Intercept", *(f"mixed::{level}" for level in "abcd"))
    codes = panel.assign(text=lambda d: d["text"].astype("category"))
    assert design("x ~ text", PanelColumns(codes))[0][:2] == ("Intercept", "text::1,000.5")


def test_dates_are_no_regressors(columns: PanelColumns) -> None:
    with pytest.raises(DataError, match="'day' holds neither numbers nor categories"):
        design("x ~ day", columns)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("x ~ plate", ["Intercept", "plate::Mid", "plate::West"]),
        ("x ~ plate - 1", ["plate::East", "plate::Mid", "plate::West"]),
        ("x ~ plate | year", ["plate::Mid", "plate::West"]),
        ("x ~ C(n)", ["Intercept", "n::2", "n::3"]),
        ("x ~ C(n, ref=3)", ["Intercept", "n::1", "n::2"]),
        ("x ~ i(plate, ref='West')", ["Intercept", "plate::East", "plate::Mid"]),
        ("x ~ half", ["Intercept", "half::n"]),
        ("x ~ i(year, n, ref=2011)", ["Intercept", "year::2010:n", "year::2012:n", "year::2013:n"]),
        ("x ~ i(year, ref=[2011, 2012])", ["Intercept", "year::2010", "year::2013"]),
        ("x ~ half*n", ["Intercept", "half::n", "n", "half::n:n"]),
        ("x ~ half:n", ["Intercept", "half::s:n", "half::n:n"]),
        ("x ~ half + half:n", ["Intercept", "half::n", "half::s:n", "half::n:n"]),
        ("x ~ half:plate - 1", [f"half::{h}:plate::{p}" for h in "sn" for p in ("East", "Mid", "West")]),
    ],
)
def test_categories(text: str, names: list[str], columns: PanelColumns) -> None:
    assert list(design(text, columns)[0]) == names


def test_columns_of_categories(columns: PanelColumns) -> None:
    frame = columns.panel.frame
    names, X = design("x ~ i(year, n, ref=2010) + plate:x", columns)
    assert names == (
        "Intercept",
        *(f"year::{y}:n" for y in (2011, 2012, 2013)),
        *(f"plate::{p}:x" for p in ("East", "Mid", "West")),
    )
    np.testing.assert_array_equal(X[:, 1], (frame["year"] == 2011) * frame["n"])
    np.testing.assert_array_equal(X[:, 6], (frame["plate"] == "West") * frame["x"])


def test_levels_without_rows_have_no_column(columns: PanelColumns) -> None:
    names, _ = design("z ~ i(year)", columns)  # 2012 is missing in z
    assert names == ("Intercept", "year::2011", "year::2013")


def test_unknown_reference(columns: PanelColumns) -> None:
    with pytest.raises(FormulaError, match="ref=1999 is no level of 'year'; its levels are 2010, 2011, 2012, 2013"):
        design("x ~ i(year, ref=1999)", columns)


def test_quoted_names(columns: PanelColumns) -> None:
    names, X = design("log(`R&D 经费`) ~ 研发 + I(`R&D 经费`^2)", columns)
    assert names == ("Intercept", "研发", "I(R&D 经费^2)")
    np.testing.assert_array_equal(X[:, 2], columns.panel.frame["R&D 经费"] ** 2)
    assert parse_expression(encode("`R&D 经费`")).column == "R&D 经费"
