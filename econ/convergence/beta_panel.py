"""Beta convergence with fixed effects, and the half-panel jackknife that takes out most of its Nickell bias."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from econ.design.half_panels import HalfPanels, half_panels
from econ.errors import DataError, EconWarning, ModelError
from econ.estimate import Estimate
from econ.inference.covariance import Vcov, cluster
from econ.linear.fit import BoolArray, IntArray
from econ.panel import Panel
from econ.regress import feols


@dataclass(frozen=True, eq=False)
class Within:
    """The full panel and its halves in one regression.

    Attributes
    ----------
    fit : coefficients of all blocks, in the order of ``columns``, with their joint covariance
    full : the full panel alone: statistics, counts, degrees of freedom
    columns : (R, B) names of the coefficient of regressor r in block b; regressors are one slope for each group, then
        the covariates; block 0 is the full panel
    halves : the blocks and their weights in the half-panel jackknife
    sample : rows of the panel used
    groups : names of the groups, one slope each
    incomplete : spans that lack a value at either end
    balanced : whether every unit has every span
    """

    fit: Estimate
    full: Estimate
    columns: list[list[str]]
    halves: HalfPanels
    sample: BoolArray
    groups: list[str]
    incomplete: int
    balanced: bool


def within(
    panel: Panel,
    x: str,
    ends: tuple[int, int],
    span: int,
    covariates: Sequence[str],
    groups: "pd.Series[Any]",
    vcov: Vcov | None,
) -> Within:
    """Fit ``growth ~ initial + covariates | unit + period`` (by group) on all spans and on their halves."""
    frame = spans(panel, x, ends, span, covariates)
    frame = frame[frame[panel.unit].isin(groups.index)].reset_index(drop=True)
    incomplete = len(groups) * ((ends[1] - ends[0]) // span) - len(frame)
    halves = _halves(frame["span_"].to_numpy())
    group = groups[frame[panel.unit]].to_numpy()
    names = sorted(set(group))
    stacked, columns = _stack(panel, frame.assign(group_=group), halves.members, covariates, names)
    spec = cluster(panel.unit) if vcov is None else vcov
    full = _fit(stacked.where(lambda d: d["block_"] == 0), [names[0] for names in columns], spec)
    fit = _fit(stacked, [name for names in columns for name in names], spec)
    at = [fit.terms.index(name) for name in full.terms]
    scale = float(full.vcov[0, 0] / fit.vcov[at[0], at[0]])  # the small-sample factor counts the full panel's rows once
    used = frame[full.sample]
    sample = np.isin(np.arange(panel.n_obs), used[["from_", "to_"]].to_numpy())
    counts = used.groupby(panel.unit).size()
    balanced = bool((counts == used["span_"].nunique()).all())
    return Within(replace(fit, vcov=fit.vcov * scale), full, columns, halves, sample, names, incomplete, balanced)


def spans(panel: Panel, x: str, ends: tuple[int, int], span: int, covariates: Sequence[str]) -> pd.DataFrame:
    """One row per unit and span: keys, ``growth`` per period, ``initial``, covariates at the start, panel rows.

    Spans end at ``ends[1] - k span`` and do not overlap; those that lack a value at either end are left out.
    """
    values = panel.values(x)
    inside = (panel.time_codes >= ends[0]) & (panel.time_codes <= ends[1])
    grid = inside & ((ends[1] - panel.time_codes) % span == 0) & ~np.isnan(values)
    if (values[grid] <= 0).any():
        names = ", ".join(map(str, panel.units[np.unique(panel.unit_codes[grid & (values <= 0)])[:5]]))
        raise DataError(
            f"{x!r} is zero or negative for {names}; growth rates need positive levels. "
            "Leave them out with panel.where(...)."
        )
    row = np.full((panel.n_units, int(panel.time_codes.max()) + 1), -1)
    row[panel.unit_codes[grid], panel.time_codes[grid]] = np.flatnonzero(grid)
    to = np.flatnonzero(grid & (panel.time_codes >= ends[0] + span))
    start = row[panel.unit_codes[to], panel.time_codes[to] - span]
    to, start = to[start >= 0], start[start >= 0]
    logs = np.log(np.where(grid, values, 1.0))
    source = panel.frame
    keys: dict[str, Any] = {str(name): source[name].to_numpy()[to] for name in source.columns}
    keys |= {name: source[name].to_numpy()[start] for name in covariates}
    made = {
        "growth": (logs[to] - logs[start]) / span,
        "initial": logs[start],
        "span_": (panel.time_codes[to] - ends[1]) // span,
        "from_": start,
        "to_": to,
    }
    return pd.DataFrame(keys | made)


def _halves(span: IntArray) -> HalfPanels:
    """Halves of the calendar of spans."""
    present = np.unique(span)
    P = len(present)
    if P < 4:
        raise ModelError(f"The half-panel jackknife needs at least 4 spans; found {P}. Take more periods.")
    return half_panels(np.searchsorted(present, span), np.full(len(span), P))


def _stack(
    panel: Panel, frame: pd.DataFrame, members: Sequence[BoolArray], covariates: Sequence[str], names: Sequence[str]
) -> tuple[Panel, list[list[str]]]:
    """Every block's rows under each other, each regressor interacted with the blocks."""
    block = np.concatenate([np.full(int(rows.sum()), b) for b, rows in enumerate(members)])
    stacked = pd.concat([frame[rows] for rows in members], ignore_index=True)
    group = stacked["group_"].to_numpy()
    regressors = [stacked["initial"].to_numpy() * (group == name) for name in names]
    regressors += [stacked[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in covariates]
    columns = [[f"r{r}_b{b}_" for b in range(len(members))] for r in range(len(regressors))]
    for values, row in zip(regressors, columns, strict=True):
        stacked = stacked.assign(**{name: np.where(block == b, values, values * 0) for b, name in enumerate(row)})
    stacked = stacked.assign(
        block_=block,
        unit_block_=[f"{unit} | {b}" for unit, b in zip(stacked[panel.unit], block, strict=True)],
        time_block_=[f"{t} | {b} | {g}" for t, b, g in zip(stacked["span_"], block, group, strict=True)],
    )
    return Panel(stacked, "unit_block_", panel.time, dataset=panel.dataset, notes=panel.notes), columns


def _fit(panel: Panel, columns: Sequence[str], vcov: Vcov) -> Estimate:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EconWarning)  # a term left out is an error here
        fit = feols(panel, f"growth ~ {' + '.join(columns)} | unit_block_ + time_block_", vcov=vcov)
    if len(fit.terms) < len(columns):
        raise ModelError(
            "A covariate, or the initial level of a group, does not vary within regions and periods in the panel or in "
            "one of its halves; leave it out, or use method='ols'."
        )
    return fit
