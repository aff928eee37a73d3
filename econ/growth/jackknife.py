"""Fixed effects with the half-panel jackknife against the bias that few periods leave."""

import warnings
from dataclasses import replace

import numpy as np

from econ.design.half_panels import HalfPanels, half_panels
from econ.design.sample import require_rows
from econ.errors import EconWarning, FormulaError, ModelError, OptionError
from econ.estimate import Estimate, Test
from econ.inference.covariance import Cluster, Hetero, Iid, PanelCorrected, Vcov, covariance
from econ.inference.wald import wald
from econ.linear.combination import combine_fits
from econ.linear.fit import BoolArray, LinearFit
from econ.linear.ols import fit_ols
from econ.panel import Panel
from econ.problem import (
    Problem,
    label_estimate,
    partial_out,
    prepare,
    require_terms,
    sample_layout,
    usable,
    without_perfectly_fitted,
)
from econ.text import Text

JACKKNIFE: Text = {"en": "Fixed effects, half-panel jackknife", "zh": "固定效应模型（半面板刀切法）"}
ALIKE: Text = {
    "en": "The half-panel jackknife takes both halves of the panel to be alike; the test equal_halves asks whether "
    "they give the same coefficients.",
    "zh": "半面板刀切法假定面板的前后两半同质；equal_halves 检验两半的系数是否相等。",
}
SHORTEST = 4  # rows of a unit: two in each half
TOO_SHORT = f"unit with fewer than {SHORTEST} rows"


def half_panel_jackknife(panel: Panel, formula: str, vcov: Vcov | None = None) -> Estimate:
    r"""Fixed effects without the bias of order 1/T: the half-panel jackknife of Dhaene and Jochmans.

    .. math:: \tilde\beta = 2 \hat\beta - \tfrac{1}{2} (\hat\beta_1 + \hat\beta_2)

    with ``b`` the within estimate (:func:`econ.feols`) on the whole panel and ``b_1, b_2`` on the first and second half
    of every unit's rows, each with fixed effects of its own. Regressors that past errors move, a lagged outcome above
    all, give b a bias c/T + O(1/T^2) (Nickell 1981) and the halves 2c/T: the combination has none of order 1/T. Units
    with an odd number of rows are split both ways and averaged.

    Parameters
    ----------
    panel : the data, with periods
    formula : that of ``econ.feols``, without instruments, with the panel's unit among the fixed effects:
        ``"y ~ lag(y, 1) + x | province + year"``; lags are taken before the panel is split
    vcov : covariance, by default clusters by the panel's unit, with the factors of ``econ.feols``; CR0, CR1, HC0, HC1,
        Driscoll-Kraay, Newey-West and Conley. A row's influence is the weighted sum of its influences in the whole
        panel and in its halves, which correlate; asymptotically it is that of the within estimator, in short panels it
        is larger.

    Returns
    -------
    Estimate, with the test ``equal_halves`` of ``b_1 = b_2``: where they differ, as when units start far from their own
    paths, the correction is not valid.

    Raises
    ------
    ModelError : a regressor does not vary within the effects in one of the halves; no unit has 4 rows
    FormulaError : no unit effects, or instruments
    OptionError : a covariance that is not defined for a sum of estimates

    References
    ----------
    Dhaene and Jochmans (2015), "Split-panel jackknife estimation of fixed-effect models", Review of Economic Studies
    82, section 3.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces")
    >>> formula = "log(gdp_per_capita) ~ lag(log(gdp_per_capita), 1) + log(rd_expenditure) | province + year"
    >>> econ.growth.half_panel_jackknife(panel, formula).n_units
    31
    """
    problem = _prepared(panel, formula, vcov)
    halves = _halves(problem)
    terms, fits, notes = _fits(problem, halves)
    fit = combine_fits(fits, halves.members, halves.jackknife)
    stats = {"mean_outcome": float(problem.sample.take(problem.variables.outcome).mean())}
    test = _equal_halves(problem, combine_fits(fits, halves.members, halves.difference))
    estimator = ("half_panel_jackknife", JACKKNIFE)
    return label_estimate(problem, estimator, terms, fit, stats, tests=(test,), notes=(*notes, ALIKE))


def _prepared(panel: Panel, formula: str, vcov: Vcov | None) -> Problem:
    problem = prepare(panel, formula, vcov)
    asked = problem.formula
    if panel.time is None:
        raise OptionError("The half-panel jackknife needs periods, and this panel has no time column.")
    has_units = any(effect.intercept and tuple(effect.columns) == (panel.unit,) for effect in asked.effects)
    if asked.endogenous or not has_units:
        raise FormulaError(
            f"econ.growth.half_panel_jackknife takes a formula with unit effects and without instruments, such as "
            f"'y ~ lag(y, 1) + x | {panel.unit} + {panel.time}'; got {asked.text!r}."
        )
    _check_vcov(problem.vcov)
    problem = without_perfectly_fitted(problem)
    rows = np.bincount(problem.unit_codes)[problem.unit_codes]
    sample = problem.sample.without(rows < SHORTEST, TOO_SHORT)
    require_rows(sample)
    return without_perfectly_fitted(replace(problem, sample=sample))


def _check_vcov(spec: Vcov) -> None:
    plain = not isinstance(spec, (Iid, PanelCorrected))
    if isinstance(spec, Cluster):
        plain = spec.correction in ("CR0", "CR1")
    if isinstance(spec, Hetero):
        plain = spec.correction in ("HC0", "HC1")
    if not plain:
        raise OptionError(
            f"vcov={spec} is not allowed: the half-panel jackknife is a sum of estimates, for which only sums of "
            "scores are defined. Use econ.cluster(...) of kind CR0 or CR1, econ.hetero('HC1'), econ.driscoll_kraay(), "
            "econ.newey_west() or econ.conley(...)."
        )


def _halves(problem: Problem) -> HalfPanels:
    """Halves of each unit's own rows in the order of time."""
    unit = problem.unit_codes
    order = np.lexsort((problem.time_codes, unit))
    length = np.bincount(unit)
    position = np.empty(len(unit), dtype=np.intp)
    position[order] = np.arange(len(unit)) - np.repeat(np.cumsum(length) - length, length)
    return half_panels(position, length[unit])


def _fits(problem: Problem, halves: HalfPanels) -> tuple[tuple[str, ...], list[LinearFit], tuple[Text, ...]]:
    """Within estimates of every block, those of the halves on the terms that the whole panel tells apart."""
    columns = partial_out(problem)
    regressors, notes = usable(problem, columns.group(1))
    require_terms(problem, regressors.names)
    fits = [fit_ols(columns.y, regressors.X)]
    fits += [_fit_half(problem, rows, regressors.names) for rows in halves.members[1:]]
    return regressors.names, fits, notes


def _fit_half(problem: Problem, rows: BoolArray, names: tuple[str, ...]) -> LinearFit:
    part = replace(problem, sample=problem.sample.without(~rows, "other half"))
    columns = partial_out(part)
    asked = columns.group(1)
    asked = asked.select(np.isin(asked.names, names))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EconWarning)  # a term left out is an error here
        regressors = usable(part, asked)[0]
    missing = [name for name in names if name not in regressors.names]
    if missing:
        raise ModelError(
            f"{', '.join(missing)} cannot be told apart from the fixed effects and the terms before in one half of the "
            f"panel ({part.sample.n_obs} rows); leave it out, or use econ.feols without the jackknife."
        )
    return fit_ols(columns.y, regressors.X)


def _equal_halves(problem: Problem, difference: LinearFit) -> Test:
    found = covariance(problem.vcov, difference, sample_layout(problem))
    tested = wald(difference.coef, found.matrix, np.eye(len(difference.coef)), dof=float(found.dof.min()))
    return Test("equal_halves", tested.statistic, (float(len(difference.coef)), float(found.dof.min())), tested.p_value)
