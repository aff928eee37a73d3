"""Tests between static panel estimators: Hausman's, and Breusch and Pagan's for unit and period effects."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from econ.design.absorb import Absorber, Effect
from econ.design.matrix import INTERCEPT
from econ.design.sample import levels_present, require_rows
from econ.errors import FormulaError, ModelError, OptionError
from econ.estimate import Estimate, Test
from econ.linear.fit import FloatArray, IntArray
from econ.linear.ols import fit_ols
from econ.panel import Panel
from econ.problem import partial_out, prepare, require_terms, usable
from econ.text import Text

INDEFINITE: Text = {
    "en": "the difference of the covariances is not positive definite, so that this is no chi-squared statistic; read "
    "hausman_sigma_re, or the test of econ.growth.mundlak",
    "zh": "协方差之差非正定，该统计量不服从卡方分布；请看 hausman_sigma_re 或 econ.growth.mundlak 的检验",
}
SINGULAR: Text = {
    "en": "the covariances do not differ in some direction; test fewer terms, or use econ.growth.mundlak",
    "zh": "两个协方差在某一方向上没有差异；请减少检验的变量，或改用 econ.growth.mundlak",
}
DIFFERENT_ROWS: Text = {
    "en": "The two estimates rest on different rows ({} and {}); the test supposes the same ones.",
    "zh": "两个估计所用样本不同（{} 与 {} 行）；检验以样本相同为前提。",
}


@dataclass(frozen=True, eq=False, repr=False)
class PanelTests:
    """Named tests of one question.

    Attributes
    ----------
    tests : each with statistic, degrees of freedom, p-value; where a statistic is missing its note says why
    spec : what was asked for, as plain JSON
    notes : what a reader must know
    """

    tests: tuple[Test, ...]
    spec: Mapping[str, Any]
    notes: tuple[Text, ...] = ()

    @property
    def frame(self) -> pd.DataFrame:
        """One row per test: ``name, statistic, dof, p_value, note``; two degrees of freedom read ``"q, n"``."""
        return pd.DataFrame(
            {
                "name": [test.name for test in self.tests],
                "statistic": [test.statistic for test in self.tests],
                "dof": [", ".join(f"{d:g}" for d in test.dof) for test in self.tests],
                "p_value": [test.p_value for test in self.tests],
                "note": [test.note["en"] if test.note else "" for test in self.tests],
            }
        )

    def test(self, name: str) -> Test:
        """The test of that name."""
        for test in self.tests:
            if test.name == name:
                return test
        raise OptionError(f"No test named {name!r} here; there are {', '.join(repr(t.name) for t in self.tests)}.")

    def __repr__(self) -> str:
        return "\n".join([self.frame.to_string(index=False), *(f"Note: {note['en']}" for note in self.notes)])


def hausman(fe: Estimate, re: Estimate) -> PanelTests:
    r"""Hausman's test that random effects are consistent, from the difference of two estimates.

    .. math:: H = (b_{fe} - b_{re})' (V_{fe} - V_{re})^{-1} (b_{fe} - b_{re}) \sim \chi^2(q)

    over the terms both have, the intercept left out. Three forms differ in the residual variance behind V:

    * ``hausman``: each estimate with its own (Stata's default, plm's ``phtest``)
    * ``hausman_sigma_re``: both with that of random effects (Stata's ``sigmamore``), always positive semi-definite
    * ``hausman_sigma_fe``: both with that of fixed effects (``sigmaless``)

    The difference is a covariance only where random effects are efficient, that is under ``econ.iid()``. Even then the
    first form need not be positive definite in a sample: the statistic is reported as other software does, with a note.
    For clustered errors use the regression form, ``econ.growth.mundlak(...).test("mundlak")``.

    Parameters
    ----------
    fe : ``econ.feols(panel, "y ~ x1 + x2 | unit", vcov=econ.iid())``
    re : ``econ.growth.random_effects(panel, "y ~ x1 + x2", vcov=econ.iid())``

    References
    ----------
    Hausman (1978), Econometrica 46(6); Baltagi (2021), Econometric Analysis of Panel Data, section 4.3.

    Examples
    --------
    >>> import econ
    >>> panel, formula = econ.load("provinces"), "log(invention_grants) ~ log(rd_expenditure)"
    >>> fe = econ.feols(panel, formula + " | province", vcov=econ.iid())
    >>> re = econ.growth.random_effects(panel, formula, vcov=econ.iid())
    >>> econ.growth.hausman(fe, re).frame["name"].tolist()
    ['hausman', 'hausman_sigma_re', 'hausman_sigma_fe']
    """
    _check_pair(fe, re)
    common = [term for term in fe.terms if term in re.terms and term != INTERCEPT]
    if not common:
        raise ModelError(
            f"The two estimates share no slope: {', '.join(fe.terms)} and {', '.join(re.terms)}. Estimate the same "
            "formula both ways."
        )
    gap = np.array([fe.params[term] - re.params[term] for term in common], dtype=np.float64)
    V_fe, V_re = (e.cov_params().loc[common, common].to_numpy() for e in (fe, re))
    s_fe, s_re = _residual_variance(fe), _residual_variance(re)
    forms = {"hausman": (1.0, 1.0), "hausman_sigma_re": (s_re / s_fe, 1.0), "hausman_sigma_fe": (1.0, s_fe / s_re)}
    tests = tuple(difference_test(name, gap, a * V_fe - b * V_re, INDEFINITE) for name, (a, b) in forms.items())
    same = np.array_equal(fe.sample, re.sample)
    rows = {lang: words.format(f"{fe.n_obs:,}", f"{re.n_obs:,}") for lang, words in DIFFERENT_ROWS.items()}
    spec = {
        "test": "hausman",
        "outcome": fe.outcome,
        "terms": common,
        "formulas": [fe.spec["formula"], re.spec["formula"]],
    }
    return PanelTests(tests, spec, () if same else (rows,))


def _check_pair(fe: Estimate, re: Estimate) -> None:
    for name, estimate, allowed in (("fe", fe, ("feols",)), ("re", re, ("random_effects",))):
        if not isinstance(estimate, Estimate) or estimate.spec["estimator"] not in allowed:
            what = estimate.spec["estimator"] if isinstance(estimate, Estimate) else type(estimate).__name__
            raise OptionError(
                f"{name} is a result of {what!r}; give hausman(fe, re) with fe = econ.feols(panel, 'y ~ x | unit', "
                "vcov=econ.iid()) and re = econ.growth.random_effects(panel, 'y ~ x', vcov=econ.iid())."
            )
        if estimate.spec["vcov"]["kind"] != "iid":
            raise OptionError(
                f"{name} has the covariance {estimate.vcov_words()!r}; the difference of covariances is a covariance "
                "only with vcov=econ.iid(). For other errors use econ.growth.mundlak(...).test('mundlak')."
            )
    if not fe.spec["fixed_effects"]:
        raise OptionError("fe has no fixed effects; estimate it as econ.feols(panel, 'y ~ x | unit', vcov=econ.iid()).")
    if fe.outcome != re.outcome:
        raise OptionError(
            f"The outcomes differ: {fe.outcome!r} and {re.outcome!r}; estimate the same formula both ways."
        )


def _residual_variance(estimate: Estimate) -> float:
    """SSR / (N - K) of a homoskedastic estimate."""
    return float(estimate.stats["rmse"] ** 2 * estimate.n_obs / estimate.dof[0])


def difference_test(name: str, gap: FloatArray, V: FloatArray, indefinite: Text) -> Test:
    """``gap' V^{-1} gap`` of two estimates, V the difference of their covariances; a note where it is none."""
    q = len(gap)
    scale = np.sqrt(np.abs(np.diag(V)))
    eigenvalues, U = np.linalg.eigh(V / np.outer(scale, scale))
    if np.abs(eigenvalues).min() <= 1e-10:
        return Test(name, np.nan, (float(q),), np.nan, SINGULAR)
    statistic = float((U.T @ (gap / scale)) ** 2 @ (1 / eigenvalues))
    p_value = float(stats.chi2.sf(statistic, q)) if statistic >= 0 else np.nan
    return Test(name, statistic, (float(q),), p_value, indefinite if eigenvalues[0] < 0 else None)


# ---- are there effects?


def breusch_pagan(panel: Panel, formula: str) -> PanelTests:
    r"""Lagrange multiplier tests of unit and period effects in the residuals u of pooled least squares.

    .. math:: LM_1 = \frac{N^2}{2 (\sum_i T_i^2 - N)} \left(1 - \frac{\sum_i (\sum_t u_{it})^2}{\sum u_{it}^2}\right)^2

    with N rows and T_i rows of unit i: ``lm_unit``, chi-squared(1); ``lm_time`` is the same over periods, and
    ``lm_two_ways`` their sum, chi-squared(2). ``honda_unit`` is the signed root of ``lm_unit``, standard normal and
    one-sided, as variances are positive. ``f_unit``: F test that all unit effects are equal, from the within
    regression.

    Parameters
    ----------
    panel : the data, one row per unit and period
    formula : ``"y ~ x1 + x2"``

    References
    ----------
    Breusch and Pagan (1980), Review of Economic Studies 47(1); Baltagi and Li (1990), Econometric Theory 6(1), for
    units of unequal length; Honda (1985), Review of Economic Studies 52(4).

    Examples
    --------
    >>> import econ
    >>> found = econ.growth.breusch_pagan(econ.load("provinces"), "log(invention_grants) ~ log(rd_expenditure)")
    >>> found.test("lm_unit").p_value < 0.01
    True
    """
    problem = prepare(panel, formula)
    if problem.formula.effects or problem.formula.endogenous:
        raise FormulaError(
            f"breusch_pagan takes a formula without fixed effects and instruments, such as 'y ~ x1 + x2'; got "
            f"{problem.formula.text!r}."
        )
    require_rows(problem.sample)
    columns = partial_out(problem)
    regressors, notes = usable(problem, columns.group(1))
    require_terms(problem, regressors.names)
    fit = fit_ols(columns.y, regressors.X)
    unit = levels_present(problem.unit_codes)[0]
    tests = [_multiplier("lm_unit", fit.residuals, unit)]
    tests.append(_honda(fit.residuals, unit))
    if panel.time is not None:
        tests.append(_multiplier("lm_time", fit.residuals, levels_present(problem.time_codes)[0]))
        both = tests[0].statistic + tests[-1].statistic
        tests.append(Test("lm_two_ways", both, (2.0,), float(stats.chi2.sf(both, 2))))
    tests.append(_equal_effects(columns.y, regressors.X, fit.residuals, unit))
    spec = {"test": "breusch_pagan", "outcome": problem.formula.outcome.text, "formula": problem.formula.text}
    return PanelTests(tuple(tests), spec, (*panel.notes, *notes))


def _root(u: FloatArray, codes: IntArray) -> float:
    """The signed root of LM: positive where residuals within a group go together."""
    counts, sums = np.bincount(codes), np.bincount(codes, weights=u)
    excess = float(counts @ counts) - len(u)
    if not excess:
        raise ModelError("Every group has one row, so that effects and errors cannot be told apart; give several rows.")
    return float(len(u) / np.sqrt(2 * excess) * (sums @ sums / (u @ u) - 1))


def _multiplier(name: str, u: FloatArray, codes: IntArray) -> Test:
    statistic = _root(u, codes) ** 2
    return Test(name, statistic, (1.0,), float(stats.chi2.sf(statistic, 1)))


def _honda(u: FloatArray, codes: IntArray) -> Test:
    root = _root(u, codes)
    return Test("honda_unit", root, (), float(stats.norm.sf(root)))


def _equal_effects(y: FloatArray, X: FloatArray, u: FloatArray, codes: IntArray) -> Test:
    """F of pooled against within residuals."""
    absorber = Absorber([Effect("unit", codes, int(codes.max()) + 1)])
    left = absorber.residualize(np.column_stack((X, y)))
    coef, _, rank, _ = np.linalg.lstsq(left[:, :-1], left[:, -1], rcond=1e-10)
    e = left[:, -1] - left[:, :-1] @ coef
    dof = (absorber.n_effects_rank + int(rank) - X.shape[1], len(y) - absorber.n_effects_rank - int(rank))
    if min(dof) < 1:
        reason = {"en": "no degrees of freedom are left for unit effects", "zh": "没有自由度可用于个体效应"}
        return Test("f_unit", np.nan, tuple(map(float, dof)), np.nan, reason)
    statistic = float((u @ u - e @ e) / dof[0] / (e @ e / dof[1]))
    return Test("f_unit", statistic, tuple(map(float, dof)), float(stats.f.sf(statistic, *dof)))
