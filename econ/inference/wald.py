"""Joint tests of linear restrictions ``R b = r``."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import stats

from econ.errors import FormulaError, ModelError, OptionError
from econ.linear.fit import FloatArray


@dataclass(frozen=True)
class WaldTest:
    """A Wald test in its F and chi-squared forms.

    Attributes
    ----------
    statistic : F, the chi-squared statistic divided by the number of restrictions
    dof_num, dof_denom : degrees of freedom of F; ``dof_denom`` is infinite for a normal reference distribution
    p_value : upper tail of F(dof_num, dof_denom)
    statistic_chi2, p_value_chi2 : ``(Rb - r)' (R V R')^-1 (Rb - r)`` and the upper tail of chi2(dof_num)
    """

    statistic: float
    dof_num: int
    dof_denom: float
    p_value: float
    statistic_chi2: float
    p_value_chi2: float

    def __str__(self) -> str:
        denominator = "inf" if np.isinf(self.dof_denom) else f"{self.dof_denom:g}"
        return f"F({self.dof_num}, {denominator}) = {self.statistic:.4f}, p = {self.p_value:.4f}"


def wald(
    coef: FloatArray, vcov: FloatArray, R: FloatArray, r: FloatArray | float = 0.0, dof: float = np.inf
) -> WaldTest:
    """Test ``R b = r``.

    ``W = (Rb - r)' (R V R')^-1 (Rb - r)`` is chi-squared(q) in large samples; ``F = W/q`` is referred to
    ``F(q, dof)``, with ``dof`` the degrees of freedom of the t statistics: G - 1 when clustered (Cameron and Miller
    2015, section VII), N - K otherwise. With Satterthwaite degrees of freedom, which differ by coefficient, give the
    smallest one.

    Parameters
    ----------
    coef : (K,)
    vcov : (K, K)
    R : (q, K) or (K,), of full row rank
    r : (q,) or a number
    dof : denominator degrees of freedom, positive; infinite for a normal reference distribution

    Examples
    --------
    >>> test = wald(np.array([1.0, 2.0]), np.diag([0.25, 1.0]), np.eye(2), dof=30)
    >>> print(test)
    F(2, 30) = 4.0000, p = 0.0288
    """
    R = np.atleast_2d(np.asarray(R, dtype=np.float64))
    q, K = R.shape
    if np.size(coef) != K or np.shape(vcov) != (K, K):
        raise OptionError(f"R has {K} columns, but there are {np.size(coef)} coefficients; give one column for each.")
    if not dof > 0:
        raise OptionError(f"dof={dof!r} is not allowed; degrees of freedom are positive.")
    gap = R @ np.asarray(coef, dtype=np.float64) - np.broadcast_to(np.asarray(r, dtype=np.float64), (q,))
    W = _quadratic_form(gap, R @ vcov @ R.T)
    p_value_chi2 = float(stats.chi2.sf(W, q))
    p_value = p_value_chi2 if np.isinf(dof) else float(stats.f.sf(W / q, q, dof))
    return WaldTest(W / q, q, float(dof), p_value, W, p_value_chi2)


def restrictions(hypothesis: str | Sequence[str], terms: Sequence[str]) -> tuple[FloatArray, FloatArray]:
    """``R`` (q, K) and ``r`` (q,) of :func:`wald` from words.

    Parameters
    ----------
    hypothesis : terms (each equal to zero) and equations between sums of terms and numbers, separated by commas or
        as a list
    terms : names of the K coefficients; a name may hold any character, ``"lag(x, 1)"`` too

    Examples
    --------
    >>> restrictions("x1 = x2 = 0", ("x1", "x2"))[0]
    array([[ 1., -1.],
           [ 0.,  1.]])
    >>> restrictions(["x1 + 2*x2 = 1"], ("x1", "x2"))
    (array([[1., 2.]]), array([1.]))
    """
    given = [hypothesis] if isinstance(hypothesis, str) else hypothesis
    if not isinstance(given, Sequence) or not all(isinstance(equation, str) for equation in given):
        raise OptionError(
            f"A hypothesis is text such as 'x1 = x2', or a list of texts; got {type(hypothesis).__name__}. Write the "
            f"restrictions in words; the terms are {', '.join(terms)}."
        )
    text = ", ".join(given)
    equations = _split(_tokens(text, terms), ",")
    rows = [row for equation in equations for row in _equation_rows(equation, text, terms)]
    system = np.array(rows, dtype=np.float64)
    return system[:, :-1], -system[:, -1]


def _quadratic_form(gap: FloatArray, S: FloatArray) -> float:
    """``gap' S^-1 gap``, computed in units in which S has a unit diagonal."""
    d = np.sqrt(np.diag(S).clip(min=0.0))
    if np.all(d > 0):
        correlation = S / np.outer(d, d)
        if np.linalg.eigvalsh(correlation)[0] > 1e-10:
            z = gap / d
            return float(z @ np.linalg.solve(correlation, z))
    raise ModelError(
        f"The {gap.size} restrictions have a singular covariance: some repeat others, or there are more of them than "
        "the covariance can support (at most one fewer than the clusters). Test fewer restrictions."
    )


def _tokens(text: str, terms: Sequence[str]) -> list[str | float]:
    """Names, numbers and the signs ``+ - * = ,``; the longest name wins, and ends where a word ends."""
    names = "|".join(
        re.escape(term) + (r"(?!\w)" if term[-1:].isalnum() else "") for term in sorted(terms, key=len)[::-1]
    )
    number = r"\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?"
    pattern = re.compile(rf"\s*(?:(?P<name>{names})|(?P<number>{number})|(?P<sign>[-+*=,]))\s*")
    tokens: list[str | float] = []
    position = 0
    while position < len(text):
        match = pattern.match(text, position)
        if match is None:
            raise FormulaError(
                f"{text[position:].strip()!r} in hypothesis {text!r} is not understood; write equations of terms such "
                f"as 'x1 = x2' or 'x1 + 2*x2 = 1'. The terms are {', '.join(terms)}."
            )
        tokens.append(float(match["number"]) if match["number"] else (match["name"] or match["sign"]))
        position = match.end()
    return tokens


def _equation_rows(tokens: list[str | float], text: str, terms: Sequence[str]) -> list[FloatArray]:
    """(K + 1,) rows ``left - right`` of ``a = b = ...``; the last entry is the constant."""
    sides = [_side(side, text, terms) for side in _split(tokens, "=")]
    if len(sides) == 1:
        return sides
    return [left - right for left, right in pairwise(sides)]


def _side(tokens: list[str | float], text: str, terms: Sequence[str]) -> FloatArray:
    """(K + 1,) coefficients of a sum ``[sign] number | [number [*]] term``; the last entry is the constant."""
    row = np.zeros(len(terms) + 1)
    rest = tokens[::-1]
    while True:
        sign = {"+": 1.0, "-": -1.0}[str(rest.pop())] if rest and rest[-1] in ("+", "-") else 1.0
        number = rest.pop() if rest and isinstance(rest[-1], float) else None
        if rest and rest[-1] == "*" and number is not None and len(rest) > 1 and rest[-2] in terms:
            rest.pop()
        name = rest.pop() if rest and rest[-1] in terms else None
        if (number is None and name is None) or (rest and rest[-1] not in ("+", "-")):
            raise FormulaError(f"Hypothesis {text!r} does not read as equations; write something like 'x1 + 2*x2 = 1'.")
        row[-1 if name is None else list(terms).index(str(name))] += sign * (1.0 if number is None else float(number))
        if not rest:
            return row


def _split(tokens: list[str | float], sign: str) -> list[list[str | float]]:
    parts: list[list[str | float]] = [[]]
    for token in tokens:
        if token == sign:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts
