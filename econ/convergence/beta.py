"""Beta convergence: do regions that start lower grow faster, and how fast does the gap close?"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from econ.errors import DataError, ModelError, OptionError
from econ.estimate import Estimate
from econ.inference.covariance import Vcov, hetero
from econ.linear.fit import FloatArray
from econ.options import check_word
from econ.panel import Column, Panel
from econ.regress import feols
from econ.text import Text

BetaMethod = Literal["ols", "nls"]

TERMS = {
    "beta": {"label": "Initial level, log (beta)", "label_zh": "初始水平对数（β）"},
    "speed": {"label": "Speed of convergence", "label_zh": "收敛速度", "unit": "per year", "unit_zh": "每年"},
    "half_life": {"label": "Half-life", "label_zh": "半衰期", "unit": "years", "unit_zh": "年"},
}
DIVERGENCE: Text = {
    "en": "No convergence: the speed is not positive, so there is no half-life.",
    "zh": "未见收敛：收敛速度不为正，半衰期无定义。",
}
NO_SPEED: Text = {
    "en": "The slope times the number of periods is below -1, so no speed of convergence is defined.",
    "zh": "斜率与期数之积小于 -1，收敛速度无定义。",
}


def growth_and_initial(panel: Panel, x: str, start: int | None = None, end: int | None = None) -> pd.DataFrame:
    """Average annual log growth and log initial level of each unit: ``unit, initial, growth``.

    ``growth_i = (ln x_i,end - ln x_i,start) / (end - start)``, ``initial_i = ln x_i,start``; units that lack either
    value are left out. The defaults of ``start`` and ``end`` are the first and last period in which ``x`` is known.
    """
    values = panel.values(x)
    first, last = _span(panel, values, x, start, end)
    known = ~np.isnan(values)
    levels = {}
    for period in (first, last):
        rows = known & (panel.time_codes == period)
        levels[period] = pd.Series(values[rows], index=panel.unit_codes[rows])
    both = pd.concat([levels[first], levels[last]], axis=1, join="inner").sort_index()
    if (both <= 0).to_numpy().any():
        units = ", ".join(str(panel.units[code]) for code in both.index[(both <= 0).any(axis=1)][:5])
        raise DataError(f"{x!r} is zero or negative for {units}; growth rates need positive levels.")
    logs = np.log(both.to_numpy())
    return pd.DataFrame(
        {
            panel.unit: panel.units[both.index.to_numpy()],
            "initial": logs[:, 0],
            "growth": (logs[:, 1] - logs[:, 0]) / (last - first),
        }
    )


def beta(
    panel: Panel,
    x: str,
    start: int | None = None,
    end: int | None = None,
    covariates: Sequence[str] = (),
    method: BetaMethod = "ols",
    vcov: Vcov | None = None,
) -> Estimate:
    r"""Cross-section test of beta convergence and its annual speed.

    ``(ln x_i,T - ln x_i,0) / T = a + b ln x_i,0 + z_i,0' c + u_i``, where theory has
    ``b = -(1 - exp(-speed T)) / T`` (Barro and Sala-i-Martin 1992, eq. 12).

    ``beta`` is ``b``: the change of average annual growth per log point of the initial level; ``speed`` solves
    ``speed = -ln(1 + b T) / T``, and ``half_life = ln 2 / speed``. All are per period of the panel (annual for years)
    whatever T is. Standard errors of derived terms by the delta method.

    Nonlinear least squares for ``speed`` (``nls``) is the same problem in another parameter: as long as ``1 + b T`` is
    positive it gives the same point and the same Gauss-Newton standard error, so both words lead to one computation.

    Parameters
    ----------
    panel : regions over periods; one value of ``x`` per region at ``start`` and ``end`` is used.
    x : a positive level, such as real GDP per head.
    start, end : periods; by default the first and last in which ``x`` is known.
    covariates : columns taken at ``start`` (conditional convergence).
    vcov : covariance over regions, by default HC1; t with n - K degrees of freedom.

    Returns
    -------
    Estimate with the terms ``beta, speed, half_life`` and the covariates. A speed that is not positive has no
    half-life: the term is then left out, and a note says so.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces")
    >>> estimate = econ.convergence.beta(panel, "gdp_per_capita", 2000, 2019)
    """
    check_word(method, BetaMethod, "method")
    frame = growth_and_initial(panel, x, start, end)
    first, last = _span(panel, panel.values(x), x, start, end)
    cross = _cross_section(panel, frame, first, covariates)
    right = " + ".join(["initial", *covariates])
    linear = feols(cross, f"growth ~ {right}", vcov=hetero("HC1") if vcov is None else vcov)
    estimate = _from_slope(linear, float(last - first))
    used = cross.frame.loc[linear.sample, panel.unit]
    return _describe(estimate, panel, x, used, (first, last), method)


def _span(panel: Panel, values: FloatArray, x: str, start: int | None, end: int | None) -> tuple[int, int]:
    """Calendar codes of the first and last period."""
    present = np.unique(panel.time_codes[~np.isnan(values)])
    if len(present) < 2:
        raise ModelError(f"{x!r} is known in {len(present)} period(s); growth needs two.")
    labels = {panel.period(int(code)): int(code) for code in present}
    for name, label in (("start", start), ("end", end)):
        if label is not None and label not in labels:
            raise OptionError(
                f"{name}={label!r}: {x!r} has no values then; choose a period from {min(labels)} to {max(labels)}."
            )
    first = int(present[0]) if start is None else labels[start]
    last = int(present[-1]) if end is None else labels[end]
    if first >= last:
        raise OptionError(f"start={panel.period(first)} is not before end={panel.period(last)}.")
    return first, last


def _cross_section(panel: Panel, frame: pd.DataFrame, first: int, covariates: Sequence[str]) -> Panel:
    at_start = panel.frame.loc[panel.time_codes == first, [panel.unit, *covariates]]
    cross = Panel(
        frame.merge(at_start, on=panel.unit, how="left"), panel.unit, dataset=panel.dataset, notes=panel.notes
    )
    labels = {name: panel.column(name) for name in (panel.unit, *covariates)}
    return cross.with_labels(
        labels
        | {
            "growth": Column(label="Average annual growth", label_zh="年均增长率", unit="log points"),
            "initial": Column(label="Initial level (log)", label_zh="初始水平（对数）"),
        }
    )


def _from_slope(linear: Estimate, span: float) -> Estimate:
    """``beta`` as estimated, ``speed`` and ``half_life`` solved from it."""
    at = linear.terms.index("initial")
    slope = float(linear.coef[at])
    rows: dict[str, tuple[float, float]] = {"beta": (slope, 1.0)}
    notes: tuple[Text, ...] = ()
    if 1 + slope * span <= 0:
        notes = (NO_SPEED,)
    else:
        speed, d_speed = -np.log1p(slope * span) / span, -1 / (1 + slope * span)
        rows["speed"] = (speed, d_speed)
        if speed > 0:
            rows["half_life"] = (np.log(2) / speed, -np.log(2) / speed**2 * d_speed)
        else:
            notes = (DIVERGENCE,)
    return _reparameterise(linear, at, rows, notes)


def _reparameterise(
    estimate: Estimate, at: int, rows: Mapping[str, tuple[float, float]], notes: tuple[Text, ...]
) -> Estimate:
    """Replace the coefficient ``at`` by functions of it, given as name -> (value, derivative); delta method."""
    others = [k for k, term in enumerate(estimate.terms) if k != at and term != "Intercept"]
    jacobian = np.zeros((len(rows) + len(others), len(estimate.terms)))
    jacobian[: len(rows), at] = [derivative for _, derivative in rows.values()]
    jacobian[np.arange(len(rows), len(jacobian)), others] = 1.0
    values = [value for value, _ in rows.values()]
    return replace(
        estimate,
        terms=(*rows, *(estimate.terms[k] for k in others)),
        coef=np.array([*values, *estimate.coef[others]]),
        vcov=jacobian @ estimate.vcov @ jacobian.T,
        dof=np.concatenate([np.full(len(rows), estimate.dof[at]), estimate.dof[others]]),
        notes=(*estimate.notes, *notes),
    )


def _describe(
    estimate: Estimate, panel: Panel, x: str, units: "pd.Series[Any]", span: tuple[int, int], method: BetaMethod
) -> Estimate:
    """The sample in terms of the panel's rows, and what was asked for."""
    ends = np.isin(panel.time_codes, span)
    sample = ends & panel.frame[panel.unit].isin(units).to_numpy()
    incomplete = panel.n_units - len(units)
    spec: dict[str, Any] = dict(estimate.spec) | {
        "estimator": "beta",
        "estimator_label": {"en": "Beta convergence, cross-section", "zh": "β 收敛（截面）"},
        "outcome": x,
        "method": method,
        "start": panel.period(span[0]),
        "end": panel.period(span[1]),
        "unit": panel.unit,
        "time": panel.time,
    }
    return replace(
        estimate,
        spec=spec,
        sample=sample,
        n_periods=2,
        dropped={"units without a value in the first or last period": incomplete} if incomplete else {},
        labels=dict(estimate.labels) | panel.labels([x]) | TERMS,
    )
