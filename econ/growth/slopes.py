"""Slopes that vary with a variable, and the test for a U shape, from a regression with powers and interactions."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import special

from econ.columns import PanelColumns
from econ.design.expression import Expression, encode, evaluate, parse_expression, spell
from econ.design.formula import Category, Term, parse_formula
from econ.errors import DataError, ModelError, OptionError
from econ.estimate import Estimate
from econ.inference.bands import sup_t
from econ.linear.fit import FloatArray
from econ.options import check_level
from econ.panel import Panel
from econ.text import Text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from econ.report.figures import Plot

POINTS = 60
SHOWN = 9  # of them in print
OUTSIDE: Text = {
    "en": "The turning point lies outside the data: within them the curve only rises or only falls.",
    "zh": "拐点在数据范围之外：在数据范围内曲线单调。",
}
UNBOUNDED: Text = {
    "en": "The quadratic term is not significant at this level, so that the turning point's interval is unbounded.",
    "zh": "二次项在该水平上不显著，拐点的置信区间无界。",
}


@dataclass(frozen=True, eq=False, repr=False)
class Marginal:
    """The slope of the outcome in one variable, over values of another (or of itself).

    Attributes
    ----------
    frame : ``value, estimate, std_error, ci_low, ci_high, band_low, band_high``; the interval holds at each value, the
        band at all of them at once
    data : values of ``over`` in the sample, for the rug of a figure; empty when only numbers were given
    spec : what was asked for, as plain JSON
    labels : column -> {"label", "label_zh", "unit"}
    notes : what a reader must know
    """

    frame: pd.DataFrame
    data: FloatArray
    spec: dict[str, Any]
    labels: dict[str, Any]
    notes: tuple[Text, ...] = ()

    def __repr__(self) -> str:
        shown = self.frame.iloc[np.linspace(0, len(self.frame) - 1, min(SHOWN, len(self.frame))).round().astype(int)]
        lines = [
            f"Slope of {self.spec['outcome']} in {self.spec['of']} over {self.spec['over']}",
            shown.to_string(index=False, float_format=lambda x: f"{x:.4g}"),
        ]
        return "\n".join([*lines, *(f"Note: {note['en']}" for note in self.notes)])

    def plot(self, ax: "Axes | None" = None) -> "Plot":
        """The slope with its interval and band."""
        from econ.report import marginal_plot

        return marginal_plot(self, ax=ax)


def marginal(
    result: Estimate, over: str, at: Panel | Sequence[float], of: str | None = None, level: float = 0.95
) -> Marginal:
    r"""The slope in ``of`` as a smooth function of ``over``, by a regression with interactions and powers.

    .. math:: \frac{\partial E[y]}{\partial x} = \sum_k b_k \frac{\partial}{\partial x} x^{p_k} d^{r_k}

    such as ``b1 + b2 d + b3 d^2`` from ``y ~ x + x:d + x:I(d^2) + d | unit + year``, with the covariance of the
    regression; or ``b1 + 2 b2 x`` from ``y ~ x + I(x^2)`` with ``of`` and ``over`` the same. The fit is global: look
    whether a threshold model or groups tell the same.

    Parameters
    ----------
    result : of ``econ.feols`` or another estimator with a formula
    over : the variable along the axis, spelled as in the formula
    at : values of ``over`` to compute the slope at; or the panel of the regression, for 60 values over the range in
        its sample
    of : the variable whose slope it is, spelled as in the formula; by default the one that ``over`` is multiplied
        with, or ``over`` itself where it appears in powers only
    level : of intervals and band

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").log(["rd_expenditure", "gdp_per_capita", "invention_grants"])
    >>> formula = "log_invention_grants ~ log_rd_expenditure * log_gdp_per_capita | province + year"
    >>> found = econ.growth.marginal(econ.feols(panel, formula), "log_gdp_per_capita", panel)
    >>> found.spec["of"], len(found.frame)
    ('log_rd_expenditure', 60)
    """
    check_level(level)
    terms = _terms(result)
    over = _spelled(over, "over")
    of = _partner(terms, over) if of is None else _spelled(of, "of")
    values, data = _values(result, over, at)
    G = _gradient(result.terms, terms, of, over, values)
    if not G.any():
        raise OptionError(f"No term of {result.spec['formula']!r} has the variable {of!r}, so there is no slope in it.")
    estimate, V = G @ result.coef, G @ result.vcov @ G.T
    std_error, dof = np.sqrt(np.diag(V)), float(np.min(result.dof[G.any(axis=0)]))
    half, wide = (c * std_error for c in (-special.stdtrit(dof, (1 - level) / 2), sup_t(V, dof, level)))
    frame = pd.DataFrame(
        {
            "value": values, "estimate": estimate, "std_error": std_error, "ci_low": estimate - half,
            "ci_high": estimate + half, "band_low": estimate - wide, "band_high": estimate + wide,
        }
    )  # fmt: skip
    spec = {"of": of, "over": over, "level": level, "outcome": result.outcome, "formula": result.spec["formula"]}
    return Marginal(frame, data, spec, dict(result.labels), result.notes)


# ---- terms as powers


def _terms(result: Estimate) -> dict[str, Term]:
    if not isinstance(result, Estimate) or not result.spec.get("formula"):
        raise OptionError("result must be an Estimate with a formula, such as that of econ.feols.")
    formula = parse_formula(str(result.spec["formula"]))
    return {term.text: term for term in (*formula.terms, *formula.endogenous)}


def _spelled(name: str, argument: str) -> str:
    if not isinstance(name, str):
        raise OptionError(f"{argument} takes the name of a variable as in the formula, got {type(name).__name__}.")
    return parse_expression(encode(name)).text


def _power(factor: Expression | Category, name: str) -> int:
    """The power of a variable that a factor is; 0 for factors without it."""
    if isinstance(factor, Category) or name == factor.text:
        return int(name == factor.text and not isinstance(factor, Category))
    tree = factor.tree
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id == "I":
        tree = tree.args[0]
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Pow) and spell(tree.left) == name:
        exponent = tree.right.value if isinstance(tree.right, ast.Constant) else None
        if isinstance(exponent, int) and exponent > 0:
            return exponent
    if set(parse_expression(encode(name)).columns) & set(factor.columns):
        raise OptionError(
            f"{factor.text!r} is no power of {name!r}, so the slope cannot be taken term by term; compute columns "
            f"first (panel.assign) and write powers as I({name}^2)."
        )
    return 0


def _partner(terms: dict[str, Term], over: str) -> str:
    """What ``over`` is multiplied with."""
    found = {
        factor.text
        for term in terms.values()
        if len(term.factors) > 1 and any(_is_power(factor, over) for factor in term.factors)
        for factor in term.factors
        if not isinstance(factor, Category) and not _is_power(factor, over)
    }
    if len(found) > 1:
        raise OptionError(f"{over!r} is multiplied with {', '.join(sorted(found))}; name one of them in of.")
    return found.pop() if found else over


def _is_power(factor: Expression | Category, name: str) -> bool:
    try:
        return _power(factor, name) > 0
    except OptionError:
        return False


def _gradient(names: Sequence[str], terms: dict[str, Term], of: str, over: str, values: FloatArray) -> FloatArray:
    """(values, K) derivative of each term in ``of``."""
    G = np.zeros((len(values), len(names)))
    for term in terms.values():
        powers = [_power(factor, of) for factor in term.factors]
        p = sum(powers)
        if not p:
            continue
        if term.text not in names:
            _refuse_category(term, names)
            continue
        rest = [factor for factor, power in zip(term.factors, powers, strict=True) if not power]
        others = [factor.text for factor in rest if of == over or not _power(factor, over)]
        if others or (p > 1 and of != over):
            depends = ", ".join(others) or of
            raise OptionError(f"The slope in {of!r} depends on {depends!r} too, by {term.text!r}; over takes one.")
        r = p - 1 if of == over else sum(_power(factor, over) for factor in rest)
        G[:, list(names).index(term.text)] = p * values**r
    return G


def _refuse_category(term: Term, names: Sequence[str]) -> None:
    """A term is absent because it was left out, or because it is one column per level."""
    if any(isinstance(factor, Category) for factor in term.factors):
        raise OptionError(f"The slope differs by category in the term {term.text!r}; use econ.growth.heterogeneity.")


def _values(result: Estimate, over: str, at: Panel | Sequence[float]) -> tuple[FloatArray, FloatArray]:
    if isinstance(at, Panel):
        data = sample_values(result, over, at)
        return np.linspace(data.min(), data.max(), POINTS), data
    values = np.asarray(at, dtype=np.float64).ravel()
    if not values.size or not np.isfinite(values).all():
        raise OptionError(f"at={at!r}: give finite values of {over!r}, or the panel of the regression.")
    return values, np.empty(0)


def sample_values(result: Estimate, name: str, panel: Panel) -> FloatArray:
    """Values of an expression on the rows that a result rests on."""
    if panel.n_obs != len(result.sample):
        raise DataError(
            f"The panel has {panel.n_obs} rows and the regression was made on one with {len(result.sample)}; give the "
            "same panel."
        )
    values = evaluate(parse_expression(encode(name)), PanelColumns(panel))[result.sample]
    if np.isnan(values).any():
        raise DataError(f"{name!r} is missing in the sample of the regression; give the panel it was made on.")
    return np.asarray(values)


# ---- U shapes


@dataclass(frozen=True, repr=False)
class UTest:
    """A test of a U shape, or of an inverse one, against a curve that only rises or only falls in the data.

    Attributes
    ----------
    shape : ``"u"`` or ``"inverse_u"``, what the signs say
    statistic, p_value : the smaller of the two t statistics of the slopes at the ends, and the larger of their
        one-sided p-values; 1/2 or more where a slope has the wrong sign
    slope_low, slope_high : slopes at the lowest and highest value
    low, high : those values
    turning_point : where the slope is zero
    ci_low, ci_high : Fieller's interval of the turning point at ``level``, infinite where unbounded
    notes : what a reader must know
    """

    shape: str
    statistic: float
    p_value: float
    slope_low: float
    slope_high: float
    low: float
    high: float
    turning_point: float
    ci_low: float
    ci_high: float
    level: float
    notes: tuple[Text, ...] = ()

    def __repr__(self) -> str:
        shape = {"u": "U shape", "inverse_u": "Inverse U shape"}[self.shape]
        lines = [
            f"{shape}: t = {self.statistic:.4g}, p = {self.p_value:.4f}, against a curve that only rises or falls",
            f"Slope {self.slope_low:.4g} at {self.low:.4g}, {self.slope_high:.4g} at {self.high:.4g}",
            f"Turning point {self.turning_point:.4g}, {100 * self.level:g} % interval "
            f"[{self.ci_low:.4g}, {self.ci_high:.4g}]",
        ]
        return "\n".join([*lines, *(f"Note: {note['en']}" for note in self.notes)])


def u_test(result: Estimate, x: str, at: Panel | Sequence[float], level: float = 0.95) -> UTest:
    r"""Lind and Mehlum's test of a U shape in a quadratic regression.

    A significant square is not enough. For a U, the slope ``b1 + 2 b2 x`` must be negative at the low end *and*
    positive at the high end of the data; the null is that one of them is not, and the test of the union is the weaker
    of the two one-sided t tests (Sasabuchi 1980). For an inverse U signs are turned.

    Parameters
    ----------
    result : a regression with ``x + I(x^2)``
    x : spelled as in the formula
    at : the panel of the regression, for the range of x in its sample; or the two ends
    level : of the interval of the turning point

    References
    ----------
    Lind and Mehlum (2010), Oxford Bulletin of Economics and Statistics 72(1); Sasabuchi (1980), Biometrika 67(2).

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").log(["gdp_per_capita", "invention_grants"])
    >>> fit = econ.feols(panel, "log_invention_grants ~ log_gdp_per_capita + I(log_gdp_per_capita^2) | province + year")
    >>> econ.growth.u_test(fit, "log_gdp_per_capita", panel).shape
    'u'
    """
    check_level(level)
    name, terms = _spelled(x, "x"), _terms(result)
    b, V, dof = _quadratic(result, terms, name)
    data = sample_values(result, name, at) if isinstance(at, Panel) else np.asarray(at, dtype=np.float64)
    low, high = float(data.min()), float(data.max())
    if not low < high:
        raise OptionError(f"The ends of {name!r} are {low:g} and {high:g}; give two different ones.")
    ends = np.array([[1.0, 2 * low], [1.0, 2 * high]])
    slopes, errors = ends @ b, np.sqrt(np.einsum("ej,jk,ek->e", ends, V, ends))
    sign = 1.0 if b[1] > 0 else -1.0
    t = sign * slopes / errors * np.array([-1.0, 1.0])
    turning = float(-b[0] / (2 * b[1]))
    ci_low, ci_high = _fieller(b, V, -float(special.stdtrit(dof, (1 - level) / 2)))
    notes = ((OUTSIDE,) if not low < turning < high else ()) + ((UNBOUNDED,) if np.isinf(ci_low) else ())
    return UTest(
        "u" if sign > 0 else "inverse_u", float(t.min()), float(special.stdtr(dof, -t.min())), float(slopes[0]),
        float(slopes[1]), low, high, turning, ci_low, ci_high, level, notes,
    )  # fmt: skip


def _quadratic(result: Estimate, terms: dict[str, Term], name: str) -> tuple[FloatArray, FloatArray, float]:
    """Coefficients of x and its square, their covariance and degrees of freedom."""
    powers = {sum(_power(f, name) for f in terms[t].factors): t for t in result.terms if t in terms}
    mixed = [t.text for t in terms.values() if len(t.factors) > 1 and any(_is_power(f, name) for f in t.factors)]
    if 1 not in powers or 2 not in powers or mixed or max(powers) > 2:
        raise ModelError(
            f"{result.spec['formula']!r} is no quadratic in {name!r}; write y ~ {name} + I({name}^2), without higher "
            "powers or interactions."
        )
    where = [list(result.terms).index(powers[p]) for p in (1, 2)]
    return result.coef[where], result.vcov[np.ix_(where, where)], float(np.min(result.dof[where]))


def _fieller(b: FloatArray, V: FloatArray, critical: float) -> tuple[float, float]:
    """All x with ``(b1 + 2 b2 x)^2 <= c^2 var``."""
    c2 = critical**2
    A, B, C = 4 * (b[1] ** 2 - c2 * V[1, 1]), 4 * (b[0] * b[1] - c2 * V[0, 1]), b[0] ** 2 - c2 * V[0, 0]
    if A <= 0:
        return -np.inf, np.inf
    root = np.sqrt(max(B**2 - 4 * A * C, 0.0))
    return float((-B - root) / (2 * A)), float((-B + root) / (2 * A))
