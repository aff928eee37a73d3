"""How far unobserved variables could move an estimate: Oster's (2019) delta and bound."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from econ.design.matrix import INTERCEPT
from econ.errors import FormulaError, ModelError, OptionError
from econ.linear.fit import FloatArray
from econ.linear.ols import fit_ols
from econ.panel import Panel
from econ.problem import Problem, partial_out, prepare, usable, without_perfectly_fitted
from econ.text import Text

FEW_ROOTS: Text = {
    "en": "The equation of the bound has {} real solutions; the one nearest to the estimate with controls is reported.",
    "zh": "边界方程有 {} 个实根；报告离加入控制变量后估计值最近的一个。",
}


@dataclass(frozen=True, eq=False, repr=False)
class Oster:
    """Selection on unobservables relative to observables.

    Attributes
    ----------
    delta : how strong selection on unobservables would have to be, relative to that on the controls, for the
        coefficient to be ``beta``
    bound : the coefficient under selection ``spec["delta"]``
    roots : all real solutions for the coefficient
    estimate, estimate_short : coefficients with the controls and without
    r2, r2_short, r2_max : R-squared with the controls, without, and with the unobservables
    spec : what was asked for, as plain JSON
    notes : what a reader must know
    """

    delta: float
    bound: float
    roots: tuple[float, ...]
    estimate: float
    estimate_short: float
    r2: float
    r2_short: float
    r2_max: float
    spec: Mapping[str, Any]
    notes: tuple[Text, ...] = ()

    def __repr__(self) -> str:
        lines = [
            f"Coefficient {self.estimate_short:.4g} without controls (R2 {self.r2_short:.4g}), {self.estimate:.4g} "
            f"with them (R2 {self.r2:.4g}); largest R2 {self.r2_max:.4g}",
            f"delta = {self.delta:.4g}; coefficient {self.bound:.4g} where delta = {self.spec['delta']:g}",
        ]
        return "\n".join([*lines, *(f"Note: {note['en']}" for note in self.notes)])


def oster(
    panel: Panel, formula: str, treatment: str, r2_max: float | None = None, beta: float = 0.0, delta: float = 1.0
) -> Oster:
    r"""Oster's delta and bias-adjusted coefficient.

    The controls are taken as a draw of what matters: unobservables are related to the treatment ``delta`` times as
    strongly, relative to their variance. With coefficients ``b0, b1`` and R-squared ``R0, R1`` without and with
    controls, ``Vy, Vx`` variances, ``tau`` the variance of the treatment given the controls and ``v = b1 - beta``, the
    coefficient beta and delta are linked by (Proposition 3, as in Stata's ``psacalc``)

    .. math::
        \delta = \frac{v (R_1-R_0) V_y \tau + v V_x \tau (b_0-b_1)^2 + 2 v^2 \tau (b_0-b_1) V_x + v^3 (\tau V_x-\tau^2)}
        {(R_m-R_1) V_y (b_0-b_1) V_x + v (R_m-R_1) V_y (V_x-\tau) + v^2 \tau (b_0-b_1) V_x + v^3 (\tau V_x-\tau^2)}

    Parameters
    ----------
    panel : the data
    formula : ``"y ~ x + c1 + c2 | unit + year"`` with all controls; fixed effects are taken out of both regressions, so
        that R-squared and variances are within them
    treatment : the term whose coefficient it is
    r2_max : R-squared of the regression with the unobservables, at most 1; by default ``min(1.3 R1, 1)``, Oster's value
        from randomised studies
    beta : coefficient at which delta is computed
    delta : selection at which the coefficient is computed, 1 for as much as on the controls

    Notes
    -----
    A delta above 1 is usually read as robust. The bound solves a cubic equation (a quadratic for delta 1); of several
    real solutions the nearest to ``b1`` is reported and the others are in ``roots``.

    References
    ----------
    Oster (2019), "Unobservable selection and coefficient stability", Journal of Business and Economic Statistics 37(2).

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").log(["rd_expenditure", "gdp_per_capita", "invention_grants"])
    >>> formula = "log_invention_grants ~ log_rd_expenditure + log_gdp_per_capita | province + year"
    >>> found = econ.growth.oster(panel, formula, "log_rd_expenditure")
    >>> found.r2_max == min(1.3 * found.r2, 1)
    True
    """
    problem, y, x, controls = _arrays(panel, formula, treatment)
    pieces = _pieces(y, x, controls)
    ceiling = min(1.3 * pieces.r2, 1.0) if r2_max is None else r2_max
    if not pieces.r2 < ceiling <= 1:
        raise OptionError(f"r2_max={ceiling!r} is not allowed; give a number above {pieces.r2:.4f}, up to 1.")
    top, bottom = pieces.polynomials(ceiling)
    v = pieces.b1 - beta
    roots = _real_roots(top - delta * bottom)
    if not roots:
        raise ModelError(f"No coefficient goes with delta={delta:g} and r2_max={ceiling:.4f}; lower one of them.")
    solutions = tuple(pieces.b1 - root for root in roots)
    words = {lang: text.format(len(roots)) for lang, text in FEW_ROOTS.items()}
    spec = {
        "estimator": "oster", "outcome": problem.formula.outcome.text, "formula": problem.formula.text,
        "treatment": treatment, "beta": beta, "delta": delta, "dataset": panel.dataset,
    }  # fmt: skip
    return Oster(
        float(np.polyval(top, v) / np.polyval(bottom, v)), solutions[0], solutions, pieces.b1, pieces.b0, pieces.r2,
        pieces.r2_short, ceiling, spec, (*panel.notes, *((words,) if len(roots) > 1 else ())),
    )  # fmt: skip


def _arrays(panel: Panel, formula: str, treatment: str) -> tuple[Problem, FloatArray, FloatArray, FloatArray]:
    """Outcome, treatment and controls about their means, fixed effects out."""
    problem = without_perfectly_fitted(prepare(panel, formula))
    if problem.formula.endogenous:
        raise FormulaError("oster takes no instruments; leave out the last part of the formula.")
    columns = partial_out(problem)
    regressors, _ = usable(problem, columns.group(1))
    names = [name for name in regressors.names if name != INTERCEPT]
    if treatment not in names or len(names) < 2:
        raise OptionError(
            f"treatment={treatment!r} must be a term of the formula, with controls beside it; the formula has "
            f"{', '.join(names)}."
        )
    X = regressors.X - regressors.X.mean(axis=0)
    is_control = np.array([name not in (INTERCEPT, treatment) for name in regressors.names])
    x = X[:, list(regressors.names).index(treatment)]
    return problem, columns.y - columns.y.mean(), x, np.asfortranarray(X[:, is_control])


@dataclass(frozen=True)
class _Pieces:
    b0: float
    b1: float
    r2_short: float
    r2: float
    var_y: float
    var_x: float
    tau: float

    def polynomials(self, r2_max: float) -> tuple[FloatArray, FloatArray]:
        """Numerator and denominator of delta in ``v = b1 - beta``, highest power first."""
        gap, Vx, tau = self.b0 - self.b1, self.var_x, self.tau
        cubic, square = tau * Vx - tau**2, tau * gap * Vx
        top = [cubic, 2 * square, (self.r2 - self.r2_short) * self.var_y * tau + Vx * tau * gap**2, 0.0]
        rest = (r2_max - self.r2) * self.var_y
        return np.array(top), np.array([cubic, square, rest * (Vx - tau), rest * gap * Vx])


def _pieces(y: FloatArray, x: FloatArray, controls: FloatArray) -> _Pieces:
    n = len(y)
    short, long = fit_ols(y, x[:, None]), fit_ols(y, np.asfortranarray(np.column_stack((x, controls))))
    given = fit_ols(x, controls).residuals
    total = float(y @ y)
    r2_short, r2 = (1 - float(fit.residuals @ fit.residuals) / total for fit in (short, long))
    variances = total / n, float(x @ x) / n, float(given @ given) / n
    return _Pieces(float(short.coef[0]), float(long.coef[0]), r2_short, r2, *variances)


def _real_roots(polynomial: FloatArray) -> list[float]:
    """Real roots, the smallest in size first; leading coefficients that are rounding are zero."""
    significant = np.abs(polynomial) > 1e-12 * np.abs(polynomial).max()
    roots = np.roots(polynomial[int(np.argmax(significant)) :])
    real = roots[np.abs(roots.imag) <= 1e-8 * np.maximum(np.abs(roots), 1e-300)].real
    return sorted(map(float, real), key=abs)
