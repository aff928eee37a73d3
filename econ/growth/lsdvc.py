"""The within estimator of a dynamic panel with its bias taken out (LSDVC)."""

import warnings
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from econ.design.expression import quote
from econ.design.matrix import INTERCEPT, outcome_and_regressors
from econ.design.sample import levels_present
from econ.errors import EconError, FormulaError, ModelError
from econ.estimate import Estimate
from econ.growth.dynamic import dynamic
from econ.growth.instruments import gmm
from econ.inference.covariance import Covariance
from econ.linear.fit import BoolArray, FloatArray, IntArray
from econ.linear.nickell import within_bias
from econ.options import InitialEstimator, check_draws, check_whole, check_word
from econ.panel import Panel
from econ.problem import Problem, estimate_fields, partial_out, prepare, usable, without_perfectly_fitted
from econ.progress import track
from econ.text import Text

LABEL: Text = {"en": "Bias-corrected fixed effects (LSDVC)", "zh": "偏差修正固定效应模型（LSDVC）"}
FEWEST_DRAWS = 20
SHOWN = 5  # units named in an error
INITIAL: dict[str, Text] = {
    "anderson_hsiao": {"en": "Anderson-Hsiao (level two periods before)", "zh": "Anderson-Hsiao（滞后两期水平值）"},
    "arellano_bond": {
        "en": "Arellano-Bond (lags 2 to 4, collapsed)",
        "zh": "Arellano-Bond（2–4阶，合并）",
    },
    "blundell_bond": {
        "en": "Blundell-Bond (lags 2 to 4, collapsed)",
        "zh": "Blundell-Bond（2–4阶，合并）",
    },
}


@dataclass(frozen=True, eq=False)
class _Rows:
    """A dynamic panel, rows first in a grid: ``y`` (N, T), ``X`` (N, T, K), ``first`` (N,) outcome before them.

    ``length`` (N,) rows of each unit; ``unit``, ``place`` (n,) where the rows of the sample lie, ``period`` (n,) their
    calendar numbers from zero; columns of X after the ``n_slopes`` are indicators of periods.
    """

    y: FloatArray
    X: FloatArray
    first: FloatArray
    length: IntArray
    unit: IntArray
    place: IntArray
    period: IntArray
    n_slopes: int

    @property
    def seen(self) -> BoolArray:
        return np.asarray(np.arange(self.y.shape[1]) < self.length[:, None])


def lsdvc(
    panel: Panel,
    formula: str,
    *,
    initial: InitialEstimator = "blundell_bond",
    order: int = 3,
    draws: int = 100,
    seed: int = 1,
) -> Estimate:
    r"""Fixed effects with the bias that a lagged outcome brings taken out (Kiviet 1995; Bruno 2005).

    .. math:: y_{it} = \gamma y_{i,t-1} + x_{it}'\beta + \eta_i (+ \lambda_t) + e_{it}, \qquad
        \hat\delta_c = \hat\delta_{within} - B(\hat\delta_0, \hat\sigma_0^2)

    ``B`` approximates the bias given effects, x and first outcomes up to order 1/T (``order=1``), 1/(NT) (2) or
    1/(NT^2) (3), see :func:`econ.linear.nickell.within_bias`; at the true parameters the third order agrees with the
    simulated bias within simulation error from four periods on. It is evaluated at a consistent ``initial`` estimate,
    with the lag at its expected path. x must be strictly exogenous, e homoskedastic and not autocorrelated.

    Parameters
    ----------
    panel : the data, with periods; units may start and end at different times, but without gaps
    formula : ``"y ~ lag(y, 1) + x | unit"``, or ``"| unit + time"``; the first lag of the outcome and no further one
    initial : ``"anderson_hsiao"``, ``"arellano_bond"``, ``"blundell_bond"``, in one step by
        :func:`econ.growth.dynamic` with x as its own instruments
    order : of the approximation, 1 to 3
    draws, seed : of the bootstrap

    Returns
    -------
    Estimate; its covariance is that of ``draws`` estimates on outcomes simulated from the result, with normal errors
    and effects, x and first outcomes held fixed (as in Bruno's xtlsdvc); t with N-1 degrees of freedom. ``correction``
    in ``stats`` is what it adds to the within coefficient of the lag.

    Notes
    -----
    Published programs disagree in their numbers: they differ in the initial estimator and its instruments, and in
    whether the lag itself or its expected path enters B.

    References
    ----------
    Kiviet (1995), Journal of Econometrics 68(1); Bun and Kiviet (2003), Economics Letters 79(2); Bruno (2005),
    Economics Letters 87(3).

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").log(["gdp_per_capita", "rd_expenditure"])
    >>> formula = "log_gdp_per_capita ~ lag(log_gdp_per_capita, 1) + log_rd_expenditure | province + year"
    >>> result = econ.growth.lsdvc(panel, formula, draws=20)
    >>> bool(result.coef[0] > econ.feols(panel, formula).coef[0])
    True
    """
    check_word(initial, InitialEstimator, "initial")
    check_whole(order, "order", 1, 3)
    check_draws(draws, seed, FEWEST_DRAWS)
    problem, terms, rows, notes = _read(panel, formula)
    coef = _corrected(rows, initial, order)
    simulated = _bootstrap(rows, coef, initial, order, draws, seed)
    K, N = len(terms), len(rows.length)
    words = (
        f"Standard errors from {draws} parametric bootstrap samples (normal errors, seed {seed}); t({N - 1})",
        f"标准误来自{draws}次参数自助抽样（正态误差，种子{seed}）；t({N - 1})",
    )
    matrix = np.atleast_2d(np.cov(simulated[:, :K], rowvar=False))
    found = Covariance(matrix, np.full(K, float(N - 1)), (), *words, 1.0)
    said = estimate_fields(problem, ("lsdvc", LABEL), found, (*notes, _initial_note(initial, order)))
    spec = said["spec"] | {"vcov": {"kind": "bootstrap", "columns": [], "words": said["spec"]["vcov"]["words"]}}
    within = _within(rows)
    stats = {"mean_outcome": float(rows.y[rows.seen].mean()), "correction": float(coef[0] - within[0])}
    spec |= {"initial": initial, "order": order, "draws": draws, "seed": seed}
    return Estimate(terms=terms, coef=coef[:K], stats=stats, **(said | {"spec": spec}))


# ---- the estimator


def _corrected(rows: _Rows, initial: InitialEstimator, order: int) -> FloatArray:
    within = _within(rows)
    start = _initial(rows, initial)
    effects, sigma2 = _effects(rows, start)
    W = np.concatenate([_path(rows, start, effects)[:, :, None], rows.X], axis=2)
    bias = within_bias(W, rows.length, float(start[0]), sigma2)[order - 1]
    return np.asarray(within - bias)


def _within(rows: _Rows) -> FloatArray:
    """Coefficients of least squares about unit means, the lag's first."""
    W = _about_means(np.concatenate([_lag(rows)[:, :, None], rows.X], axis=2), rows)
    y = _about_means(rows.y[:, :, None], rows)[:, :, 0]
    flat = W.reshape(-1, W.shape[2])
    return np.asarray(np.linalg.solve(flat.T @ flat, flat.T @ y.ravel()))


def _about_means(values: FloatArray, rows: _Rows) -> FloatArray:
    seen = rows.seen[:, :, None]
    mean = np.where(seen, values, 0.0).sum(axis=1, keepdims=True) / rows.length[:, None, None]
    return np.where(seen, values - mean, 0.0)


def _lag(rows: _Rows) -> FloatArray:
    return np.where(rows.seen, np.column_stack([rows.first, rows.y[:, :-1]]), 0.0)


def _effects(rows: _Rows, coef: FloatArray) -> tuple[FloatArray, float]:
    """(N,) unit effects at some coefficients, and the variance of the errors."""
    left = rows.y - coef[0] * _lag(rows) - rows.X @ coef[1:]
    effects = np.where(rows.seen, left, 0.0).sum(axis=1) / rows.length
    errors = np.where(rows.seen, left - effects[:, None], 0.0)
    return effects, float(np.sum(errors**2) / (rows.length.sum() - len(rows.length) - len(coef)))


def _path(rows: _Rows, coef: FloatArray, effects: FloatArray, errors: FloatArray | None = None) -> FloatArray:
    """(N, T) lagged outcomes that the coefficients make of first outcomes, effects, x and errors (none: expected)."""
    return _outcomes(rows, coef, effects, errors)[:, :-1] * rows.seen


def _outcomes(rows: _Rows, coef: FloatArray, effects: FloatArray, errors: FloatArray | None) -> FloatArray:
    y = np.empty((len(rows.y), rows.y.shape[1] + 1))
    y[:, 0] = rows.first
    moved = rows.X @ coef[1:] + effects[:, None] + (0.0 if errors is None else errors)
    for t in range(rows.y.shape[1]):
        y[:, t + 1] = coef[0] * y[:, t] + moved[:, t]
    return y


def _bootstrap(
    rows: _Rows, coef: FloatArray, initial: InitialEstimator, order: int, draws: int, seed: int
) -> FloatArray:
    """(draws, K) estimates on simulated outcomes; samples on which the initial estimator fails are drawn again."""
    rng = np.random.default_rng(seed)
    effects, sigma2 = _effects(rows, coef)
    found, failed = list[FloatArray](), 0
    for _ in track(range(draws), "Bootstrap"):
        while True:
            errors = np.sqrt(sigma2) * rng.normal(size=rows.y.shape)
            y = _outcomes(rows, coef, effects, errors)[:, 1:] * rows.seen
            try:
                found.append(_corrected(replace(rows, y=y), initial, order))
                break
            except EconError as error:
                failed += 1
                if failed > draws:
                    raise ModelError(
                        f"The initial estimator fails on simulated samples ({error}); choose another initial=."
                    ) from error
    return np.array(found)


def _initial(rows: _Rows, initial: InitialEstimator) -> FloatArray:
    """Coefficients of the lag, x and periods by GMM on the same rows; periods from what the others leave."""
    K = rows.n_slopes
    slopes = [f"x{k}" for k in range(K)]
    frame = pd.DataFrame({"unit": rows.unit, "time": rows.period + 1, "y": rows.y[rows.unit, rows.place]})
    for k, name in enumerate(slopes):
        frame[name] = rows.X[rows.unit, rows.place, k]
    start = frame.loc[rows.place == 0, ["unit", "time"]].assign(time=lambda d: d["time"] - 1)
    start["y"] = rows.first[start["unit"]]
    lags = (2, 2) if initial == "anderson_hsiao" else (2, 4)
    panel = Panel(pd.concat([start, frame], ignore_index=True), "unit", "time")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = dynamic(
            panel,
            " + ".join(["y ~ lag(y, 1)", *slopes]),
            gmm=[gmm("y", lags=lags)],
            iv=slopes,
            system=initial == "blundell_bond",
            steps=1,
            collapse=True,
            time_effects=rows.X.shape[2] > K,
        )
    coef = np.asarray(found.coef[-(K + 1) :]) if "Intercept" in found.terms else found.coef
    if rows.X.shape[2] == K:
        return coef
    left = replace(rows, y=rows.y - coef[0] * _lag(rows) - rows.X[:, :, :K] @ coef[1:])
    D = _about_means(rows.X[:, :, K:], rows).reshape(-1, rows.X.shape[2] - K)
    u = _about_means(left.y[:, :, None], rows).ravel()
    return np.append(coef, np.linalg.lstsq(D, u, rcond=None)[0])


# ---- from a formula


def _read(panel: Panel, formula: str) -> tuple[Problem, tuple[str, ...], _Rows, tuple[Text, ...]]:
    problem = prepare(panel, formula)
    lagged = _check_form(problem)
    problem = without_perfectly_fitted(problem)
    names, notes = usable(problem, partial_out(problem).group(1))
    if lagged not in names.names:
        raise ModelError(f"{lagged!r} does not vary within the fixed effects; there is nothing to correct.")
    terms = (lagged, *(name for name in names.names if name not in (lagged, INTERCEPT)))
    raw = outcome_and_regressors(problem.variables, problem.sample)
    values = raw.values[:, [0, *(raw.names.index(name, 1) for name in terms)]]
    return problem, terms, _rows(problem, values), notes


def _check_form(problem: Problem) -> str:
    """The lagged outcome among the terms; anything that the method does not cover is refused."""
    asked, panel = problem.formula, problem.panel
    outcome = asked.outcome.text
    groups = [effect.group for effect in asked.effects]
    plain = all(not effect.slopes for effect in asked.effects) and not asked.endogenous
    allowed = ([panel.unit], [panel.unit, panel.time], [panel.time, panel.unit])
    if panel.time is None or not plain or groups not in allowed:
        raise FormulaError(
            f"lsdvc takes unit effects, and period effects if wanted, without instruments: "
            f"'y ~ lag(y, 1) + x | {panel.unit}' or '| {panel.unit} + {panel.time}'; got {quote(asked.text)}."
        )
    lags = [term.text for term in asked.terms if term.text.startswith(f"lag({outcome},")]
    if lags != [f"lag({outcome}, 1)"]:
        raise FormulaError(
            f"lsdvc corrects for the first lag of the outcome, 'lag({outcome}, 1)', and no other; the formula has "
            f"{', '.join(lags) or 'none'}."
        )
    return lags[0]


def _rows(problem: Problem, values: FloatArray) -> _Rows:
    unit, present = levels_present(problem.unit_codes)
    time = problem.time_codes.astype(np.int64)
    start = np.full(len(present), np.iinfo(np.int64).max)
    np.minimum.at(start, unit, time)
    place, length = time - start[unit], np.bincount(unit)
    broken = np.flatnonzero(np.bincount(unit, place, len(present)) != length * (length - 1) / 2)
    if len(broken):
        names = ", ".join(map(str, problem.panel.units[present[broken[:SHOWN]]]))
        raise ModelError(
            f"{len(broken)} units have gaps ({names}), and a lag over a gap is not known; keep the years before or "
            "after the gap with panel.where(...)."
        )
    columns = [values[:, 2:]]
    if len(problem.effect_names) > 1:
        codes, periods = levels_present(problem.time_codes)
        columns.append((codes[:, None] == np.arange(1, len(periods))).astype(np.float64))
    X = np.hstack(columns)
    shape = len(present), int(length.max())
    y, grid = np.zeros(shape), np.zeros((*shape, X.shape[1]))
    y[unit, place], grid[unit, place] = values[:, 0], X
    first = np.empty(len(present))
    first[unit[place == 0]] = values[place == 0, 1]
    return _Rows(y, grid, first, length, unit, place, time - time.min(), values.shape[1] - 2)


def _initial_note(initial: InitialEstimator, order: int) -> Text:
    words, size = INITIAL[initial], ("1/T", "1/(NT)", "1/(NT^2)")[order - 1]
    return {
        "en": f"Bias approximated up to order {size} at initial estimates by {words['en']}; x taken as strictly "
        "exogenous, errors as homoskedastic and not autocorrelated.",
        "zh": f"偏差近似至{size}阶，初始估计为{words['zh']}；假定x严格外生，误差同方差且无自相关。",
    }
