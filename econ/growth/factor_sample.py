"""From a formula to a grid of units by periods for regressions with common factors, and what is refused."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from econ.design.matrix import outcome_and_regressors
from econ.design.sample import levels_present
from econ.errors import FormulaError, ModelError, OptionError
from econ.growth.factors import FactorData, FactorFit, factor_rank
from econ.growth.unit_fits import to_grid
from econ.inference.covariance import Vcov
from econ.panel import Panel
from econ.problem import Design, Problem, partial_out, prepare, usable, without_perfectly_fitted
from econ.text import Text

SHOWN = 5  # units or periods named in an error
_EXACT = 1e-12  # what rounding can leave of an outcome, relative to its size


@dataclass(frozen=True, eq=False)
class FactorSample:
    """The sample as a grid; ``regressors`` have the additive effects taken out."""

    problem: Problem
    data: FactorData
    regressors: Design
    notes: tuple[Text, ...]

    @property
    def units(self) -> tuple[Any, ...]:
        """(N,) labels of the units."""
        return tuple(self.problem.panel.units[levels_present(self.problem.unit_codes)[1]].tolist())

    @property
    def periods(self) -> tuple[Any, ...]:
        """(T,) labels of the periods."""
        return tuple(self.problem.panel.period(int(code)) for code in levels_present(self.problem.time_codes)[1])


def read_sample(panel: Panel, formula: str, vcov: Vcov | None) -> FactorSample:
    problem = prepare(panel, formula, vcov)
    _refuse_form(problem)
    problem = without_perfectly_fitted(problem)
    regressors, notes = usable(problem, partial_out(problem).group(1))
    matrix = outcome_and_regressors(problem.variables, problem.sample)
    columns = matrix.values[:, [0, *(matrix.names.index(name, 1) for name in regressors.names)]]
    unit, units = levels_present(problem.unit_codes)
    time, periods = levels_present(problem.time_codes)
    cells = to_grid(columns, unit, time, (len(units), len(periods)))
    groups = {effect.group for effect in problem.formula.effects}
    data = FactorData(cells[:, :, 0], cells[:, :, 1:], unit, time, panel.unit in groups, panel.time in groups)
    return FactorSample(problem, data, regressors, notes)


def _refuse_form(problem: Problem) -> None:
    formula, panel = problem.formula, problem.panel
    if panel.time is None:
        raise ModelError("Common factors need periods, and this panel has no time column; name it in econ.Panel.")
    allowed = {panel.unit, panel.time}
    if formula.endogenous or any(effect.group not in allowed or effect.slopes for effect in formula.effects):
        raise FormulaError(
            f"{formula.text!r}: beside common factors only the effects {panel.unit} and {panel.time} are allowed, "
            f"without slopes or instruments, such as 'y ~ x1 + x2 | {panel.unit} + {panel.time}'."
        )


def check_number(number: int, data: FactorData, name: str, least: int) -> None:
    """Refuse numbers of factors that leave no degrees of freedom."""
    n_obs, K = len(data.unit), data.X.shape[2]
    most = max((r for r in range(min(data.y.shape)) if factor_rank(data, r) + K < n_obs), default=0)
    if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
        N, T = data.y.shape
        raise OptionError(
            f"{name}={number!r} is not allowed; with {N} units, {T} periods and {n_obs} rows give a whole number from "
            f"{least} to {most}."
        )


def refuse_short(asked: FactorSample, n_factors: int) -> None:
    """Refuse units (and periods) with no more rows than loadings (and factors)."""
    seen = asked.data.seen
    sides = ((asked.units, 1, asked.data.by_unit, "units"), (asked.periods, 0, asked.data.by_time, "periods"))
    for names, axis, effects, what in sides:
        counts = seen.sum(axis=axis)
        short = np.flatnonzero(counts <= n_factors + effects)
        if len(short):
            shown = ", ".join(f"{names[i]} ({counts[i]})" for i in short[:SHOWN]) + ", ..." * (len(short) > SHOWN)
            raise ModelError(
                f"{len(short)} of {len(names)} {what} have too few rows for {n_factors} factors, which need more than "
                f"{n_factors + effects}: {shown}. Leave them out with panel.where(...), or use fewer factors."
            )


def refuse_failure(asked: FactorSample, best: FactorFit, n_factors: int) -> None:
    outcome = asked.problem.formula.outcome.text
    if not best.converged:
        raise ModelError(
            f"The regression of {outcome!r} with {n_factors} factors has not converged from any start: coefficients or "
            "filled cells still move. Use fewer factors, fewer regressors that hardly vary beyond the factors, or a "
            "panel with fewer holes."
        )
    if best.ssr <= _EXACT**2 * float(np.sum(asked.data.y**2)):
        raise ModelError(f"{n_factors} factors fit {outcome!r} exactly, so that nothing is left; use fewer factors.")
