"""From a formula to regressions of every unit on its own rows, and to estimates that show the units' coefficients."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from econ.design.collinear import independent_columns, moments
from econ.design.expression import Expression, quote
from econ.design.formula import Formula
from econ.design.matrix import INTERCEPT, outcome_and_regressors
from econ.design.sample import levels_present, require_rows
from econ.errors import FormulaError, ModelError
from econ.estimate import Estimate, floats
from econ.growth.unit_fits import Grid, UnitFits, fit_units, to_grid
from econ.inference.covariance import Covariance
from econ.linear.fit import BoolArray, FloatArray
from econ.panel import Panel
from econ.problem import Problem, estimate_fields, prepare, require_terms
from econ.text import Text

SHOWN = 5  # units named in an error
AVERAGE = "mean of {}"
_EXACT = 1e-12  # what rounding can leave of an outcome that is taken out, relative to its size


@dataclass(frozen=True, eq=False, repr=False)
class UnitEstimate(Estimate):
    """Averages or common coefficients, with the coefficients of every unit.

    Attributes
    ----------
    residuals : (rows of the panel,), NaN where a row was not used; test them for dependence with
        ``econ.growth.pesaran_cd(panel.assign(u=result.residuals), "u ~ 0")``
    unit_names : (N,) labels of the units
    unit_terms : names of the P coefficients that every unit has
    unit_coef : (N, P)
    """

    residuals: FloatArray = field(kw_only=True)
    unit_names: tuple[Any, ...] = field(kw_only=True)
    unit_terms: tuple[str, ...] = field(kw_only=True)
    unit_coef: FloatArray = field(kw_only=True)

    @property
    def by_unit(self) -> pd.DataFrame:
        """One row per unit: its label and its own coefficients."""
        frame = pd.DataFrame(self.unit_coef, columns=list(self.unit_terms))
        frame.insert(0, "unit", list(self.unit_names))
        return frame

    def _to_plain(self) -> dict[str, Any]:
        names = ("residuals", "unit_names", "unit_terms", "unit_coef")
        return super()._to_plain() | {name: getattr(self, name) for name in names}

    @classmethod
    def _from_plain(cls, raw: dict[str, Any]) -> dict[str, Any]:
        raw = super()._from_plain(raw)
        shape = len(raw["unit_names"]), len(raw["unit_terms"])
        raw |= {"residuals": floats(raw["residuals"]), "unit_coef": floats(raw["unit_coef"]).reshape(shape)}
        return raw | {name: tuple(raw[name]) for name in ("unit_names", "unit_terms")}


@dataclass(frozen=True, eq=False)
class UnitRegressions:
    """A formula on its sample, as one regression per unit.

    ``common`` names the columns of ``grid.H`` and ``terms`` those of ``grid.X``; ``notes`` say what was left out.
    """

    problem: Problem
    grid: Grid
    units: tuple[Any, ...]
    terms: tuple[str, ...]
    common: tuple[str, ...]
    notes: tuple[Text, ...] = ()

    def rows_of(self, values: FloatArray) -> FloatArray:
        """(rows of the panel,) of values (N, T), NaN where a row is not used."""
        unit, time = (levels_present(codes)[0] for codes in (self.problem.unit_codes, self.problem.time_codes))
        return self.problem.sample.spread(values[unit, time])


def read_regressions(panel: Panel, formula: str | Formula, *, averages: bool = False) -> UnitRegressions:
    """Parse a formula, check it for regressions by unit, and lay its rows out by unit and period.

    ``averages`` adds the cross-section means of the outcome and of all regressors to what each unit has coefficients of
    its own for.
    """
    problem = prepare(panel, formula)
    _refuse_form(problem)
    require_rows(problem.sample)
    matrix = outcome_and_regressors(problem.variables, problem.sample)
    X = matrix.values[:, matrix.group(1)]
    kept = [k for k, name in enumerate(matrix.names[matrix.group(1)]) if name != INTERCEPT]
    terms = tuple(matrix.names[matrix.group(1)][k] for k in kept)
    require_terms(problem, terms)
    slopes = _unit_slopes(problem)
    unit, present = levels_present(problem.unit_codes)
    time, periods = levels_present(problem.time_codes)
    columns = np.column_stack([matrix.values[:, :1], X[:, kept], np.ones(len(unit)), *slopes.values()])
    cells = to_grid(columns, unit, time, (len(present), len(periods)))
    K = len(terms)
    grid = Grid(cells[:, :, 0], cells[:, :, 1 : K + 1], cells[:, :, K + 1 :], cells[:, :, K + 1] > 0)
    found = UnitRegressions(
        problem, grid, tuple(panel.units[present].tolist()), terms, (INTERCEPT, *slopes), _lag_note(problem, averages)
    )
    return _with_averages(found) if averages else found


def fit_regressions(asked: UnitRegressions) -> UnitFits:
    """Every unit's regression; units that are too short, or cannot tell their coefficients apart, are named."""
    if len(asked.units) < 2:
        raise ModelError("There is 1 unit in the sample; averages over units need at least 2. Use econ.feols.")
    _refuse_short(asked)
    fits = fit_units(asked.grid)
    _refuse_constant_outcome(asked, fits)
    spanned = fits.spanned.any(axis=1)
    if spanned.any():
        names = np.array([*asked.common, *asked.terms])
        shown = [f"{', '.join(names[fits.spanned[i]])} in {asked.units[i]}" for i in np.flatnonzero(spanned)[:SHOWN]]
        raise ModelError(
            f"{int(spanned.sum())} of {len(asked.units)} units cannot tell their coefficients apart: a regressor does "
            f"not vary over time there, or not beyond {', '.join((*asked.common, *asked.terms)[:-1])} before it "
            f"({'; '.join(shown)}). Leave out the regressor, or those units with panel.where(...)."
        )
    return fits


def unit_estimate(
    asked: UnitRegressions,
    estimator: tuple[str, Text],
    coef: FloatArray,
    found: Covariance,
    unit_coef: FloatArray,
    residuals: FloatArray,
) -> UnitEstimate:
    """Label coefficients of ``asked.terms`` whose covariance is ``found``; ``residuals`` (N, T)."""
    said = estimate_fields(asked.problem, estimator, found, asked.notes)
    n_obs, y = int(asked.grid.n_obs.sum()), asked.grid.y[asked.grid.seen]
    stats = {"rmse": float(np.sqrt(np.sum(residuals**2) / n_obs)), "mean_outcome": float(y.mean())}
    return UnitEstimate(
        terms=asked.terms,
        coef=coef,
        stats=stats,
        residuals=asked.rows_of(residuals),
        unit_names=asked.units,
        unit_terms=asked.terms,
        unit_coef=unit_coef,
        **(said | {"spec": own_spec(said["spec"])}),
    )


def own_spec(spec: dict[str, Any]) -> dict[str, Any]:
    """The specification with the intercepts of units and the covariance that these estimators bring along."""
    effects = [text.replace("[[", "[").replace("]]", "]") for text in spec["fixed_effects"]] or [spec["unit"]]
    covariance = {"kind": "across_units", "columns": [], "words": spec["vcov"]["words"]}
    return spec | {"fixed_effects": effects, "vcov": covariance}


def name_units(asked: UnitRegressions, which: BoolArray, values: Sequence[object] | None = None) -> str:
    """The first units flagged, each with its value in brackets."""
    rows = np.flatnonzero(which)
    shown = [str(asked.units[i]) + ("" if values is None else f" ({values[i]})") for i in rows[:SHOWN]]
    return ", ".join(shown) + (", ..." if len(rows) > SHOWN else "")


# ---- reading


def _refuse_form(problem: Problem) -> None:
    """Refuse what has no meaning when every unit has a regression of its own."""
    formula, unit = problem.formula, problem.panel.unit
    if problem.panel.time is None:
        raise ModelError("Regressions by unit need periods, and this panel has no time column.")
    if formula.endogenous:
        raise FormulaError("Regressions by unit take no instruments; leave out the last part of the formula.")
    if any(effect.columns != (unit,) for effect in formula.effects):
        raise FormulaError(
            f"{quote(formula.text)}: every unit has a regression of its own, so the only fixed effects are {unit} "
            f"(implied) and slopes such as {unit}[year]. For common shocks use cce_mean_group or interactive_effects."
        )
    if not (formula.intercept or formula.effects):
        raise FormulaError(f"{quote(formula.text)}: every unit has an intercept of its own; leave '0' or '- 1' out.")


def _unit_slopes(problem: Problem) -> dict[str, FloatArray]:
    """Columns (n,) that every unit has a slope of its own on, by the formula's ``unit[x]``."""
    slopes = [slope.text for effect in problem.formula.effects for slope in effect.slopes]
    return {text: problem.sample.take(problem.variables.numbers[text]) for text in slopes}


def _lag_note(problem: Problem, averages: bool) -> tuple[Text, ...]:
    """CCE with a lagged outcome needs lags of the averages too."""
    formula = problem.formula
    factors = [factor for term in formula.terms for factor in term.factors if isinstance(factor, Expression)]
    lagged = [f.text for f in factors if f.text.startswith("lag(") and set(f.columns) & set(formula.outcome.columns)]
    if not (averages and lagged):
        return ()
    return (
        {
            "en": f"With a lagged outcome ({', '.join(lagged)}) averages of the current period do not suffice and the "
            "estimates are biased in short panels (Chudik and Pesaran 2015).",
            "zh": f"含滞后被解释变量（{', '.join(lagged)}）时，仅用当期截面均值不够，短面板估计有偏"
            "（Chudik 与 Pesaran，2015）。",
        },
    )


def _refuse_short(asked: UnitRegressions) -> None:
    K, Q = len(asked.terms), len(asked.common)
    short = asked.grid.n_obs < K + Q + 1
    if short.any():
        raise ModelError(
            f"{int(short.sum())} of {len(asked.units)} units have too few periods for a regression of their own, which "
            f"needs {K + Q + 1} ({K} regressors, {', '.join(asked.common)}, and one to spare): "
            f"{name_units(asked, short, asked.grid.n_obs.tolist())}. Leave them out with panel.where(...), or use "
            "fewer regressors."
        )


def _refuse_constant_outcome(asked: UnitRegressions, fits: UnitFits) -> None:
    left, size = (float(np.sum(y**2)) for y in (fits.y, asked.grid.y))
    if left <= _EXACT**2 * size:
        raise ModelError(
            f"The outcome {asked.problem.formula.outcome.text!r} does not vary within units beyond "
            f"{', '.join(asked.common)}; there is nothing to explain. Use another outcome."
        )


# ---- cross-section averages


def _with_averages(asked: UnitRegressions) -> UnitRegressions:
    """Add the means over the units seen in each period, less those that others span."""
    grid = asked.grid
    columns = np.concatenate([grid.y[:, :, None], grid.X], axis=2)
    means = columns.sum(axis=0) / grid.seen.sum(axis=0)[:, None]
    centred = means - means.mean(axis=0)
    _, variation, magnitude = moments(means)
    keep = independent_columns(centred.T @ centred, variation, magnitude).keep
    names = tuple(AVERAGE.format(name) for name in (asked.problem.formula.outcome.text, *asked.terms))
    own = np.where(grid.seen[:, :, None], means[None, :, keep], 0.0)
    kept = tuple(name for name, flag in zip(names, keep, strict=True) if flag)
    lost = [name for name, flag in zip(names, keep, strict=True) if not flag]
    grid = replace(grid, H=np.concatenate([grid.H, own], axis=2))
    notes = (*asked.notes, *_lost_note(lost), *_unbalanced_note(asked.grid.seen))
    return replace(asked, grid=grid, common=(*asked.common, *kept), notes=notes)


def _unbalanced_note(seen: BoolArray) -> tuple[Text, ...]:
    if seen.all():
        return ()
    n_units = seen.sum(axis=0)
    few, many = int(n_units.min()), int(n_units.max())
    return (
        {
            "en": f"The panel is unbalanced: the average of a period is over the units seen in it ({few} to {many}).",
            "zh": f"非平衡面板：各期截面均值取自当期有观测的个体（{few} 至 {many} 个）。",
        },
    )


def _lost_note(lost: Sequence[str]) -> tuple[Text, ...]:
    if not lost:
        return ()
    names = ", ".join(lost)
    return (
        {
            "en": f"Averages left out because they do not vary or others span them: {names}.",
            "zh": f"因无变异或与其他均值共线而剔除的截面均值：{names}。",
        },
    )
