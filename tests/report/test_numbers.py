import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econ.report.numbers import HUGE, MINUS, Printed, decimals_needed, print_fixed, print_number

RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def read(text: str) -> float:
    """The number that a reader sees."""
    mantissa, times, power = text.replace(MINUS, "-").replace(",", "").partition("×10")
    return float(f"{mantissa}e{power.translate(RAISED)}") if times else float(mantissa)


@pytest.mark.parametrize(
    ("value", "digits", "kind", "text"),
    [
        (0.1234, 3, "number", "0.123"),
        (-0.1234, 3, "number", "−0.123"),
        (0.0, 3, "number", "0.000"),
        (-0.0, 3, "number", "0.000"),
        (1234567.8, 1, "number", "1,234,567.8"),
        (0.001, 3, "number", "0.001"),
        (0.00042, 3, "number", "0.00042"),
        (-0.0000123, 3, "number", "−0.000012"),
        (0.000000123, 3, "number", "1.23×10⁻⁷"),
        (1.5e13, 3, "number", "1.50×10¹³"),
        (620, 0, "integer", "620"),
        (12345.0, 3, "integer", "12,345"),
        (-0.3, 0, "integer", "0"),
        (0.2543, 1, "percent", "25.4%"),
        (-0.0002, 1, "percent", "0.0%"),
        (0.00004, 3, "p_value", "<0.001"),
        (0.0312, 3, "p_value", "0.031"),
        (math.nan, 3, "number", "–"),
        (math.inf, 3, "number", "∞"),
        (-math.inf, 3, "number", "−∞"),
    ],
)
def test_printed(value: float, digits: int, kind: str, text: str) -> None:
    assert print_number(value, digits, kind).text == text  # type: ignore[arg-type]


@given(st.floats(-1e300, 1e300, allow_subnormal=False), st.integers(0, 6))
def test_reads_back_within_rounding(value: float, digits: int) -> None:
    text = print_number(value, digits).text
    decimals = decimals_needed(value, digits)
    tolerance = 0.5 * 10.0**-decimals if decimals is not None else 0.0051 * abs(value)
    assert abs(read(text) - value) <= tolerance * (1 + 1e-9) + 1e-12 * abs(value)


@given(st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False), st.integers(0, 6))
def test_no_negative_zero_and_no_lost_number(value: float, digits: int) -> None:
    text = print_number(value, digits).text
    assert not (text.startswith(MINUS) and read(text) == 0)
    assert "-" not in text
    if digits and value != 0:
        assert read(text) != 0


@given(st.floats(1e-3, HUGE / 2), st.integers(1, 6))
def test_ordinary_numbers_have_exactly_the_digits_asked_for(value: float, digits: int) -> None:
    printed = print_number(max(value, 10.0**-digits), digits)
    assert len(printed.right) == digits + 1


def test_the_point_moves_with_what_is_put_before() -> None:
    printed = print_fixed(-12.5, 1).wrapped("(", ")")
    assert (printed.left, printed.right) == ("(−12", ".5)")
    assert Printed("Yes").wrapped("(", ")").point is None
