"""Tests of dependence between units: do residuals (or a variable) of different units move together?"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from econ.design.matrix import outcome_and_regressors
from econ.design.sample import levels_present, require_rows
from econ.errors import ModelError, OptionError
from econ.estimate import Test
from econ.growth.panel_tests import PanelTests
from econ.growth.unit_fits import to_grid
from econ.linear.fit import BoolArray, FloatArray
from econ.linear.ols import fit_ols
from econ.options import check_draws, check_whole
from econ.panel import Panel
from econ.problem import Problem, partial_out, prepare, usable, without_perfectly_fitted
from econ.text import Text

FEWEST = 3  # periods that two units must share
SHOWN = 5  # units named in an error
INCOMPLETE: Text = {
    "en": "needs every unit in every period: principal components are not defined with gaps",
    "zh": "要求各单元各时期齐全：有缺口时主成分无定义",
}
CENTRED: Text = {
    "en": "The regression has period effects, which make residuals of different units correlate negatively by "
    "construction: cd rejects where nothing is left to find (Juodis and Reese 2022). Rely on cd_weighted and cd_star.",
    "zh": "回归含时期效应，使不同单元的残差必然负相关：即使已无截面相关，cd也会拒绝（Juodis与Reese 2022）。应以"
    "cd_weighted与cd_star为准。",
}


def pesaran_cd(panel: Panel, formula: str, *, factors: int = 1, draws: int = 30, seed: int = 1) -> PanelTests:
    r"""Tests of cross-section dependence of a regression's errors, or of a variable.

    With ``r_ij`` the correlation of two units' residuals over the ``T_ij`` periods that both have,

    .. math::
        CD = \sqrt{\tfrac{2}{N(N-1)}} \sum_{i<j} \sqrt{T_{ij}}\, r_{ij}, \qquad
        CD_W = \tfrac{1}{\sqrt G} \sum_g \sqrt{\tfrac{2}{N(N-1)}} \sum_{i<j} w_i^g w_j^g \sqrt{T_{ij}}\, r_{ij}, \qquad
        CD^* = \frac{CD_e + \sqrt{T/2}\, \theta}{1 - \theta}

    all standard normal where errors of different units are weakly dependent at most, as the number of units grows.

    * ``cd`` (Pesaran 2015, 2021): against correlations that do not average out to zero. It is not valid for residuals
      that common factors or period effects were taken out of: docs/simulations_growth.md.
    * ``cd_weighted`` (Juodis and Reese 2022): signs ``w`` drawn at random, G times, which frees it from that bias; it
      has less power.
    * ``cd_star`` (Pesaran and Xie 2021): CD of what ``factors`` principal components of the residuals leave, corrected
      for their having been estimated: ``theta = 1 - mean(a_i^2)``, ``a_i = 1 - s_i m'(L'L/N)^{-1} l_i`` with loadings
      l, residual standard deviations s and m the mean of ``l_i / s_i``. It asks whether more factors are needed.
      Period effects are not taken out before: their shocks are one of the factors.

    Parameters
    ----------
    panel : the data, with periods, at least 3 of them in common to any two units
    formula : of ``econ.feols`` without instruments: ``"y ~ x | province + year"`` for its residuals, ``"y ~ 1"`` for
        the variable y
    factors : principal components taken out for ``cd_star``; Stata's xtcd2 takes 4
    draws, seed : of the signs; xtcd2 draws 30 too

    Notes
    -----
    Residuals of a mean group, CCE or interactive-effects result are a variable like any other:
    ``pesaran_cd(panel.assign(u=result.residuals), "u ~ 0")``. Where factors were taken out of them read
    ``cd_weighted``; ``cd_star`` takes out its factors itself, and wants residuals that still hold them.

    Returns
    -------
    PanelTests ``cd``, ``cd_weighted``, ``cd_star``; the notes give mean and mean absolute correlation.

    References
    ----------
    Pesaran (2015), "Testing weak cross-sectional dependence in large panels", Econometric Reviews 34. Pesaran (2021),
    "General diagnostic tests for cross-sectional dependence in panels", Empirical Economics 60. Juodis and Reese
    (2022), "The incidental parameters problem in testing for remaining cross-section correlation", Journal of Business
    and Economic Statistics 40. Pesaran and Xie (2021), "A bias-corrected CD test for error cross-sectional dependence
    in panel data models with latent factors", arXiv 2109.00408.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").where(lambda d: d["province"] != "Tibet")
    >>> found = econ.growth.pesaran_cd(panel, "log(invention_grants) ~ 1")
    >>> found.test("cd").p_value < 0.001
    True
    """
    check_draws(draws, seed)
    problem = _prepared(panel, formula)
    residuals, whole, seen = _grid(problem)
    _check(problem, seen, factors)
    correlations = correlate(residuals, seen)
    if not np.isfinite(correlations.r).all():
        _refuse_constant(problem, correlations)
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (draws, len(residuals)))
    weighted = float(sum(correlations.sum(w) for w in signs) / np.sqrt(draws))
    note = None if seen.all() else INCOMPLETE
    star = cd_star(whole, factors) if note is None else np.nan
    tests = (
        _normal("cd", correlations.sum(np.ones(len(residuals)))),
        _normal("cd_weighted", weighted),
        _normal("cd_star", star, note),
    )
    spec = {"formula": formula, "factors": factors, "draws": draws, "seed": seed}
    centred = (CENTRED,) if panel.time in problem.effect_names else ()
    return PanelTests(tests, spec, (*panel.notes, _means_note(correlations, seen), *centred))


# ---- on arrays


@dataclass(frozen=True, eq=False)
class Correlations:
    """``r`` (N, N) between units over the periods both have, ``shared`` (N, N) of them."""

    r: FloatArray
    shared: FloatArray

    def sum(self, w: FloatArray) -> float:
        """``sqrt(2 / (N (N - 1))) sum_{i<j} w_i w_j sqrt(T_ij) r_ij``."""
        N = len(w)
        terms = np.triu(np.sqrt(self.shared) * self.r, 1)
        return float(np.sqrt(2 / (N * (N - 1))) * (w @ terms @ w))


def correlate(values: FloatArray, seen: BoolArray) -> Correlations:
    """Of rows (N, T), each pair centred over the periods that both have; NaN where one of them does not vary there."""
    x, o = np.where(seen, values, 0.0), seen.astype(np.float64)
    x = x - o * (x.sum(axis=1) / o.sum(axis=1))[:, None]
    T = o @ o.T
    mean = (x @ o.T) / np.maximum(T, 1)  # of unit i over the periods that j has too
    cross = x @ x.T - T * mean * mean.T
    variance = (x**2) @ o.T - T * mean**2
    scale = (x**2).sum(axis=1)
    fixed = variance <= 1e-12 * scale[:, None]
    product = np.sqrt(np.maximum(variance, 0.0) * np.maximum(variance.T, 0.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        return Correlations(np.where(fixed | fixed.T, np.nan, cross / product), T)


def cd_star(values: FloatArray, factors: int) -> float:
    """Pesaran and Xie's statistic of (N, T) without gaps."""
    N, T = values.shape
    x = values - values.mean(axis=1, keepdims=True)
    left, size, right = np.linalg.svd(x, full_matrices=False)
    L = left[:, :factors] * size[:factors]
    e = x - L @ right[:factors]
    s = np.sqrt((e**2).mean(axis=1))
    m = (L / s[:, None]).mean(axis=0)
    a = 1 - s * (L @ np.linalg.solve(L.T @ L / N, m))
    theta = 1 - float((a**2).mean())
    scaled = e / s[:, None]
    cd = ((scaled.sum(axis=0) ** 2).sum() - N * T) / np.sqrt(2 * T * N * (N - 1))
    return float((cd + np.sqrt(T / 2) * theta) / (1 - theta))


# ---- from a formula


def _prepared(panel: Panel, formula: str) -> Problem:
    problem = prepare(panel, formula)
    if problem.formula.endogenous:
        raise OptionError("pesaran_cd takes a formula without instruments; leave out its last part.")
    if panel.time is None:
        raise ModelError("Dependence between units is seen over periods, and this panel has no time column.")
    problem = without_perfectly_fitted(problem)
    counts = np.bincount(problem.unit_codes)[problem.unit_codes]
    sample = problem.sample.without(counts < FEWEST, f"unit with fewer than {FEWEST} periods")
    require_rows(sample)
    return replace(problem, sample=sample)


def _grid(problem: Problem) -> tuple[FloatArray, FloatArray, BoolArray]:
    """(N, T) residuals; ``y - x'b`` with the effects still in it; and where there is a row, zero elsewhere."""
    columns = partial_out(problem)
    regressors = usable(problem, columns.group(1))[0]
    raw = outcome_and_regressors(problem.variables, problem.sample)
    residuals, whole = columns.y, raw.values[:, 0]
    if regressors.names:
        fit = fit_ols(columns.y, regressors.X)
        X = raw.values[:, [raw.names.index(name, 1) for name in regressors.names]]
        residuals, whole = fit.residuals, whole - X @ fit.coef
    unit, units = levels_present(problem.unit_codes)
    time, periods = levels_present(problem.time_codes)
    rows = np.column_stack([residuals, whole, np.ones(len(unit))])
    cells = to_grid(rows, unit, time, (len(units), len(periods)))
    return cells[:, :, 0], cells[:, :, 1], cells[:, :, 2] > 0


def _check(problem: Problem, seen: BoolArray, factors: int) -> None:
    N, T = seen.shape
    if N < 3:
        raise ModelError(f"The sample has {N} unit(s); tests of dependence between units need at least 3.")
    check_whole(factors, "factors", 1, min(N, T) - 2)
    shared = seen.astype(np.int64) @ seen.T
    i, j = np.nonzero(np.triu(shared < FEWEST))
    if len(i):
        names = problem.panel.units[levels_present(problem.unit_codes)[1]]
        pairs = ", ".join(f"{names[a]} and {names[b]}" for a, b in list(zip(i, j, strict=True))[:SHOWN])
        raise ModelError(
            f"{len(i)} pairs of units share fewer than {FEWEST} periods ({pairs}); leave out the shortest units with "
            "panel.where(...)."
        )


def _refuse_constant(problem: Problem, correlations: Correlations) -> None:
    names = problem.panel.units[levels_present(problem.unit_codes)[1]]
    worst = names[int(np.isnan(correlations.r).sum(axis=1).argmax())]
    raise ModelError(
        f"The residuals of {worst} do not vary over the periods shared with another unit, so that they have no "
        "correlation; leave it out with panel.where(...)."
    )


def _normal(name: str, statistic: float, note: Text | None = None) -> Test:
    return Test(name, statistic, (), float(2 * special.ndtr(-abs(statistic))), note)


def _means_note(found: Correlations, seen: BoolArray) -> Text:
    r = found.r[np.triu_indices(len(found.r), 1)]
    N, T = seen.shape
    mean, size = float(r.mean()), float(np.abs(r).mean())
    return {
        "en": f"Correlations between {N} units over {T} periods: mean {mean:.3f}, mean absolute {size:.3f}.",
        "zh": f"{N}个单元、{T}个时期间的相关系数：均值{mean:.3f}，绝对值均值{size:.3f}。",
    }
