"""How a number is printed: one rule for every format, returning text that knows where its decimal point is.

``digits`` decimals, thousands separators, a real minus sign, never a negative zero. A number too small for its decimals
(``0 < |x| < 10**-digits``) gets two significant digits instead, with up to ``EXTRA`` more decimals: 0.00042. Beyond
that, and from ``HUGE`` upwards, it is written 1.23×10⁻⁷. A p-value too small for its decimals prints as <0.001.
Integers take no decimals.
"""

from dataclasses import dataclass
from math import isnan

from econ.errors import OptionError
from econ.options import NumberFormat

MINUS = "\N{MINUS SIGN}"
MISSING = "\N{EN DASH}"
EXTRA = 3
HUGE = 1e12

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Printed:
    """Printed text; ``point`` counts the characters left of the decimal point and is ``None`` for words."""

    text: str
    point: int | None = None

    @property
    def left(self) -> str:
        """What stands left of the decimal point."""
        return self.text[: self.point or 0]

    @property
    def right(self) -> str:
        """The decimal point and what follows it."""
        return self.text[self.point or 0 :]

    def wrapped(self, before: str, after: str) -> "Printed":
        """The same number between two pieces of text, such as parentheses or stars."""
        point = None if self.point is None else self.point + len(before)
        return Printed(before + self.text + after, point)


def check_digits(digits: int) -> None:
    """Refuse decimals that are no count."""
    if isinstance(digits, bool) or not isinstance(digits, int) or digits < 0:
        raise OptionError(f"digits={digits!r} is not allowed; give a whole number of decimals, 0 or more.")


def decimals_needed(value: float, digits: int) -> int | None:
    """Decimals that ``value`` is printed with; ``None`` asks for powers of ten."""
    size = abs(value)
    if size >= HUGE:
        return None if digits else 0
    if digits == 0 or size == 0 or size >= 10.0**-digits:
        return digits
    wanted = 1 - int(f"{size:e}".partition("e")[2])
    return wanted if wanted <= digits + EXTRA else None


def print_number(value: float, digits: int, kind: NumberFormat = "number") -> Printed:
    """A number by the rule above; ``percent`` takes a share and prints it times 100 with a percent sign."""
    if isnan(value):
        return Printed(MISSING)
    if kind == "integer":
        return print_fixed(value, 0)
    if kind == "percent":
        return print_fixed(100 * value, digits).wrapped("", "%")
    if kind == "p_value" and value < 10.0**-digits:
        return print_fixed(10.0**-digits, digits).wrapped("<", "")
    return print_fixed(value, decimals_needed(value, digits))


def print_fixed(value: float, decimals: int | None) -> Printed:
    """A number with exactly so many decimals, or with three significant digits and a power of ten for ``None``."""
    if abs(value) == float("inf"):
        return Printed(MINUS + "∞" if value < 0 else "∞")
    if decimals is None:
        mantissa, _, exponent = f"{abs(value):.2e}".partition("e")
        text = f"{mantissa}×10{str(int(exponent)).translate(_RAISED)}"
    else:
        text = f"{abs(value):,.{decimals}f}"
    if value < 0 and any(digit in text for digit in "123456789"):
        text = MINUS + text
    return Printed(text, text.find(".") if "." in text else len(text))
