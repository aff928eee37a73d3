"""With which weights effects enter an estimate, and how robust that leaves it to effects that differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from econ.did.result import DidResult
from econ.did.twfe import LABEL
from econ.errors import ModelError
from econ.linear.fit import FloatArray
from econ.panel import Panel
from econ.problem import partial_out, prepare, usable, without_perfectly_fitted
from econ.text import Text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from econ.report.figures import Plot

_ROUNDING = 1e-12  # relative to the largest weight


@dataclass(frozen=True, eq=False, repr=False)
class EffectWeights:
    """Weights of the effects of treated cells in an estimate, adding up to one.

    Attributes
    ----------
    frame : ``cohort`` or unit, period, ``n`` (treated observations), ``weight``
    rows, columns : names of the two keys in ``frame``
    estimate : the coefficient
    n_positive, n_negative, sum_positive, sum_negative : of the weights
    sigma : smallest standard deviation of the effects over treated observations with which they can average to zero and
        still give this estimate (de Chaisemartin and D'Haultfoeuille 2020, corollary 1 i); the spread of the weights in
        it divides by their number m, where twowayfeweights divides by m - 1
    sigma_opposite : the same for effects that all have the opposite sign (corollary 1 ii); infinite when no weight is
        negative, since then they cannot
    label : the estimator
    notes : what a reader must know
    """

    frame: pd.DataFrame
    rows: str
    columns: str
    estimate: float
    n_positive: int
    n_negative: int
    sum_positive: float
    sum_negative: float
    sigma: float
    sigma_opposite: float
    label: Text
    notes: tuple[Text, ...]

    def __repr__(self) -> str:
        lines = [
            f"Weights of the effects in treated cells: {self.label['en']}, estimate {self.estimate:.6g}",
            f"{self.n_positive} positive, adding up to {self.sum_positive:.6g}; "
            f"{self.n_negative} negative, adding up to {self.sum_negative:.6g}",
            f"Effects can average to zero if their standard deviation is {self.sigma:.6g} or more",
            f"Effects can all have the opposite sign if it is {self.sigma_opposite:.6g} or more",
        ]
        if np.isinf(self.sigma_opposite):
            lines[-1] = "Effects cannot all have the opposite sign: no weight is negative"
        return "\n".join([*lines, *(f"Note: {note['en']}" for note in self.notes)])

    def plot(self, ax: "Axes | None" = None) -> "Plot":
        """Heat map, negative weights hatched."""
        from econ.report import weights_plot

        return weights_plot(self, ax=ax)


def effect_weights(result: DidResult) -> EffectWeights:
    """Weights of the effects of (cohort, period) cells in the overall average of a result.

    The weights of ``result.weights()`` on treated cells. For Callaway and Sant'Anna, imputation and others that
    estimate every cell they are the shares of the cells; for two-way fixed effects some can be negative.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").with_cohort(econ.roster("innovation_demonstration_zones"))
    >>> result = econ.did.twfe(panel, "log(invention_grants)", cohort="cohort")
    >>> econ.did.effect_weights(result).n_negative
    5
    """
    frame = result.weights()
    if result.design is None:
        raise ModelError(
            "The result was read back from JSON and holds no counts of observations; estimate it again to weigh its "
            "cells."
        )
    frame["n"] = result.design.counts.ravel()
    frame = frame[frame["treated"] & (frame["n"] > 0)].drop(columns="treated").reset_index(drop=True)
    estimate = float(result.aggregate("overall").coef[0])
    return _measured(frame, "cohort", "period", estimate, result.spec["estimator_label"], result.notes)


def twfe_weights(panel: Panel, outcome: str, *, treatment: str, covariates: Sequence[str] = ()) -> EffectWeights:
    r"""Weights of two-way fixed effects for any treatment, also one that switches on and off.

    The coefficient of ``treatment`` is :math:`\sum_{it: D=1} w_{it} \Delta_{it}` in expectation, with

    .. math:: w_{it} = \varepsilon_{it} D_{it} / \sum \varepsilon_{it} D_{it}

    and :math:`\varepsilon` the residual of treatment on unit and period effects and covariates (de Chaisemartin and
    D'Haultfoeuille 2020, theorem 1 and its extension with covariates).

    Parameters
    ----------
    panel, outcome, covariates : as in ``twfe``
    treatment : column, zero where untreated; for a treatment in doses, effects are per unit of it

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").with_cohort(econ.roster("innovation_demonstration_zones"))
    >>> panel = panel.assign(zone=lambda d: (d["year"] >= d["cohort"]).astype(float))
    >>> weights = econ.did.twfe_weights(panel, "log(invention_grants)", treatment="zone")
    >>> round(weights.sum_positive + weights.sum_negative, 6)
    1.0
    """
    formula = f"{outcome} ~ {' + '.join([treatment, *covariates])} | {panel.unit} + {panel.time}"
    problem = without_perfectly_fitted(prepare(panel, formula))
    columns = partial_out(problem)
    regressors, notes = usable(problem, columns.group(1))
    if treatment not in regressors.names:
        raise ModelError(f"{treatment!r} does not vary within units and periods; there is no coefficient to decompose.")
    residual = _net_of_others(regressors.X)
    dose = problem.sample.take(panel.values(treatment))
    frame = panel.frame.loc[problem.sample.rows, [panel.unit, str(panel.time)]]
    frame = frame.assign(n=dose, weight=residual * dose / float(residual @ dose))[dose != 0].reset_index(drop=True)
    estimate = float(residual @ columns.y / (residual @ residual))
    return _measured(frame, panel.unit, str(panel.time), estimate, LABEL, (*panel.notes, *notes))


def _net_of_others(X: FloatArray) -> FloatArray:
    """(N,) the first column net of the others."""
    if X.shape[1] == 1:
        return X[:, 0]
    slopes = np.linalg.lstsq(X[:, 1:], X[:, 0], rcond=None)[0]
    net: FloatArray = X[:, 0] - X[:, 1:] @ slopes
    return net


def _measured(
    frame: pd.DataFrame, rows: str, columns: str, estimate: float, label: Text, notes: tuple[Text, ...]
) -> EffectWeights:
    weight = frame["weight"].to_numpy()
    weight = np.where(np.abs(weight) > _ROUNDING * np.abs(weight).max(), weight, 0.0)
    frame = frame.assign(weight=weight)
    share = frame["n"].to_numpy(dtype=np.float64) / frame["n"].sum()
    relative = weight / share
    spread = float(np.sqrt(share @ (relative - 1) ** 2))
    return EffectWeights(
        frame,
        rows,
        columns,
        estimate,
        int((weight > 0).sum()),
        int((weight < 0).sum()),
        float(weight[weight > 0].sum()),
        float(weight[weight < 0].sum()),
        abs(estimate) / spread if spread > 0 else np.inf,
        sigma_opposite(estimate, relative, share),
        label,
        notes,
    )


def sigma_opposite(estimate: float, relative: FloatArray, share: FloatArray) -> float:
    """Smallest standard deviation of effects that all have the opposite sign of the estimate.

    Corollary 1 ii of de Chaisemartin and D'Haultfoeuille (2020): with cells by falling weight and P, S, T the sums of
    ``p``, ``p w`` and ``p w^2`` over a cell and all after it, ``|b| / sqrt(T_s + S_s^2 / (1 - P_s))`` at the first cell
    s with ``w_s < -S_s / (1 - P_s)``; the effects of the cells before it are zero. twowayfeweights takes the first cell
    of negative weight as s, which gives a number as large or larger.

    Parameters
    ----------
    relative : (m,) weights over shares, of mean one
    share : (m,) shares of the cells in the treated observations
    """
    if not (relative < 0).any():
        return np.inf
    order = np.argsort(-relative, kind="stable")
    w, p = relative[order], share[order]
    P, S, T = (np.cumsum(x[::-1])[::-1] for x in (p, p * w, p * w**2))
    below = w < -S / np.where(P < 1, 1 - P, np.nan)
    s = int(np.flatnonzero(below)[0])
    return float(abs(estimate) / np.sqrt(T[s] + S[s] ** 2 / (1 - P[s])))
