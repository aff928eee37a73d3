"""Change of productivity: Malmquist indices between periods, with undesirable outputs where there are any."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from econ.errors import OptionError
from econ.growth.envelopment import Bundle, Scores, Use, directional, in_parts, radial
from econ.growth.production import Production, named_rows, production_spec, read_production, some
from econ.linear.fit import FloatArray, IntArray
from econ.options import DeaOrientation, DeaReturns, MalmquistIndex, check_word
from econ.panel import Panel
from econ.text import Text

ALL = "all"


@dataclass(frozen=True, eq=False, repr=False)
class Malmquist:
    """Changes from each period to the next; above 1 is better in every column.

    Attributes
    ----------
    changes : the panel's unit column, ``start, period, malmquist, efficiency, technical``, with variable returns also
        ``pure, scale``; ``malmquist = efficiency x technical``, ``efficiency = pure x scale``
    means : ``group, start, period, n`` and geometric means of the same over the units of a group; ``"all"`` first
    path : ``group, period`` and their products since the first period, where all are 1
    spec : what was asked for, as plain JSON
    notes : what a reader must know
    """

    changes: pd.DataFrame
    means: pd.DataFrame
    path: pd.DataFrame
    spec: dict[str, Any]
    notes: tuple[Text, ...] = ()

    def __repr__(self) -> str:
        what = f"{', '.join(self.spec['inputs'])} -> {', '.join((*self.spec['outputs'], *self.spec['bad']))}"
        lines = [
            f"Malmquist index ({self.spec['index']}): {what}; geometric means",
            self.means.to_string(index=False, float_format=lambda x: f"{x:.4f}"),
        ]
        return "\n".join([*lines, *(f"Note: {note['en']}" for note in self.notes)])


def malmquist(
    panel: Panel,
    inputs: Sequence[str],
    outputs: Sequence[str],
    bad: Sequence[str] = (),
    returns: DeaReturns = "crs",
    orientation: DeaOrientation = "output",
    *,
    index: MalmquistIndex = "adjacent",
    by: str | None = None,
) -> Malmquist:
    r"""Malmquist index of productivity change, split into catching up and movement of the frontier.

    With ``E^s(t)`` the radial efficiency (see ``dea``) of a unit's period t against the frontier of period s under
    constant returns,

    * ``"adjacent"``: ``M = sqrt(E^t(t+1) / E^t(t) x E^(t+1)(t+1) / E^(t+1)(t))`` (Fare, Grosskopf, Norris and Zhang
      1994), ``efficiency = E^(t+1)(t+1) / E^t(t)`` and ``technical = M / efficiency``, the shift of the frontier;
    * ``"global"``: ``M = E^G(t+1) / E^G(t)`` with one frontier G of all periods (Pastor and Lovell 2005), which chains
      over several periods; ``technical`` is the change of the gap between the frontier of the period and G.
    * with ``bad`` (and ``"global"``): the global Malmquist-Luenberger index of Oh (2010), with
      ``E = 1 / (1 + beta)`` from the directional distance ``beta`` that expands good and contracts bad outputs in
      proportion at given inputs, bad outputs weakly disposable.

    ``returns="vrs"`` splits ``efficiency`` further: ``pure`` is the change of efficiency under variable returns,
    ``scale = efficiency / pure``; the index and the technical change stay those of constant returns (Fare et al.
    1994). Orientation matters to ``pure`` and ``scale`` only. In all columns above 1 is better, in both orientations.

    Parameters
    ----------
    panel, inputs, outputs, bad, orientation : as in ``dea``; the orientation with ``bad`` is that of outputs. Units
        that are not known in every period are left out and named, so that all changes are of the same units.
    by : column of groups, constant within units, for ``means`` and ``path``.

    Notes
    -----
    Between neighbours no score exists for a unit that the other period's frontier cannot reach (only where amounts
    are zero); its index is missing, and a note names it. The index with ``bad`` between neighbours, which often has no
    solution (Oh 2010), is left out for that reason.

    References
    ----------
    Fare, Grosskopf, Norris and Zhang (1994), American Economic Review 84(1); Pastor and Lovell (2005), Economics
    Letters 88(2); Oh (2010), Journal of Productivity Analysis 34(3).

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").where(lambda d: d["year"].between(2015, 2019) & (d["province"] != "Tibet"))
    >>> result = econ.growth.malmquist(panel, ["rd_expenditure", "rd_personnel"], ["invention_grants"])
    >>> result.path["malmquist"].round(3).tolist()
    [1.0, 1.064, 1.061, 1.026, 0.909]
    """
    _check(bad, returns, orientation, index)
    data = read_production(panel, inputs, outputs, bad, zeros=True, complete=True)
    periods = data.frontiers(pooled=False)
    columns = _global(data, periods, orientation) if index == "global" else _adjacent(data, periods, orientation)
    if returns == "vrs":
        pure = _ratio(np.stack([_radial(data, rows, rows, orientation, "vrs") for rows in periods]))
        columns |= {"pure": pure, "scale": columns["efficiency"] / pure}
    changes = _frame(panel, data, periods, columns)
    means = _means(panel, changes, list(columns), by)
    spec = production_spec(panel, data) | {
        "estimator": "malmquist", "returns": returns, "orientation": orientation, "index": index, "by": by,
    }  # fmt: skip
    unreached = _unreached_note(panel, data, periods, columns["malmquist"])
    notes = (*data.notes, *unreached, *_ungrouped_note(panel, changes, by))
    return Malmquist(changes, means, _path(means, list(columns)), spec, notes)


def _check(bad: Sequence[str], returns: DeaReturns, orientation: DeaOrientation, index: MalmquistIndex) -> None:
    check_word(returns, DeaReturns, "returns")
    check_word(orientation, DeaOrientation, "orientation")
    check_word(index, MalmquistIndex, "index")
    if orientation == "none":
        raise OptionError("The index is made of radial scores; choose orientation='input' or 'output'.")
    if len(bad) and (index, returns, orientation) != ("global", "crs", "output"):
        raise OptionError(
            f"bad={list(bad)!r} needs index='global', returns='crs' and orientation='output': the global "
            "Malmquist-Luenberger index (Oh 2010). Between neighbouring periods it often has no solution."
        )


# ---------------------------------------------------------------------- indices, (T - 1, N) each


def _adjacent(data: Production, periods: list[IntArray], orientation: DeaOrientation) -> dict[str, FloatArray]:
    own = np.stack([_radial(data, rows, rows, orientation) for rows in periods])
    ahead = np.stack([_radial(data, later, rows, orientation) for rows, later in pairwise(periods)])
    back = np.stack([_radial(data, rows, later, orientation) for rows, later in pairwise(periods)])
    efficiency = _ratio(own)
    index = np.sqrt(ahead / own[:-1] * own[1:] / back)
    return {"malmquist": index, "efficiency": efficiency, "technical": index / efficiency}


def _global(data: Production, periods: list[IntArray], orientation: DeaOrientation) -> dict[str, FloatArray]:
    everything = np.concatenate(periods)

    def score(rows: IntArray, reference: IntArray) -> FloatArray:
        if data.names["bad"]:
            return _directional(data, rows, reference)
        return _radial(data, rows, reference, orientation)

    index = _ratio(np.stack([score(rows, everything) for rows in periods]))
    efficiency = _ratio(np.stack([score(rows, rows) for rows in periods]))
    return {"malmquist": index, "efficiency": efficiency, "technical": index / efficiency}


def _ratio(scores: FloatArray) -> FloatArray:
    return scores[1:] / scores[:-1]


def _radial(
    data: Production, rows: IntArray, reference: IntArray, orientation: DeaOrientation, returns: DeaReturns = "crs"
) -> FloatArray:
    """(N,) radial efficiency of ``rows`` against ``reference``."""
    against = data.amounts[reference]

    def measure(points: Bundle, use: Use) -> Scores:
        return radial(points, against, orientation, use)

    return in_parts(measure, data.amounts[rows], against, Use(returns)).score


def _directional(data: Production, rows: IntArray, reference: IntArray) -> FloatArray:
    """(N,) ``1 / (1 + beta)`` of ``rows`` against ``reference``."""
    against = data.amounts[reference]
    found = in_parts(lambda points, _: directional(points, against), data.amounts[rows], against, Use())
    return 1 / (1 + found.score)


# ---------------------------------------------------------------------- frames


def _frame(panel: Panel, data: Production, periods: list[IntArray], columns: dict[str, FloatArray]) -> pd.DataFrame:
    keys = data.keys(panel)
    parts = [
        keys.iloc[later].assign(
            start=keys["period"].iloc[rows].to_numpy(), **{name: values[k] for name, values in columns.items()}
        )
        for k, (rows, later) in enumerate(pairwise(periods))
    ]
    return pd.concat(parts, ignore_index=True)[[panel.unit, "start", "period", *columns]]


def _means(panel: Panel, changes: pd.DataFrame, columns: list[str], by: str | None) -> pd.DataFrame:
    """Geometric means over the units of each group and period."""
    logs = changes.assign(**{name: np.log(changes[name]) for name in columns})
    groups = [pd.Series(ALL, changes.index)]
    if by is not None:
        groups.append(changes[panel.unit].map(panel.attribute(by)))
    logs = pd.concat([logs.assign(group=group) for group in groups], ignore_index=True)
    grouped = logs.groupby(["group", "start", "period"], sort=False)
    means = grouped[columns].mean().apply(np.exp).assign(n=grouped["malmquist"].count()).reset_index()
    return _by_group(means)[["group", "start", "period", "n", *columns]]


def _ungrouped_note(panel: Panel, changes: pd.DataFrame, by: str | None) -> tuple[Text, ...]:
    """Units without a group, which count in the mean of all alone."""
    if by is None:
        return ()
    units = changes[panel.unit].drop_duplicates()
    lost = units[units.map(panel.attribute(by)).isna()].astype(str).tolist()
    if not lost:
        return ()
    return (
        {
            "en": f"Without a value of {by}, and so in the mean of all alone: {some(lost, ', ')}.",
            "zh": f"{by}缺失、仅计入全体均值：{some(lost, '、')}。",
        },
    )


def _by_group(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of a group together, groups in the order in which they come."""
    rank = {group: i for i, group in enumerate(table["group"].unique())}
    return table.sort_values("group", key=lambda groups: groups.map(rank), kind="stable", ignore_index=True)


def _path(means: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Products of the means since the first period."""
    first = means.groupby("group", sort=False).first().reset_index()
    first = first.assign(period=first["start"], **dict.fromkeys(columns, 1.0))
    table = _by_group(pd.concat([first, means], ignore_index=True))
    return table[["group", "period"]].join(table.groupby("group", sort=False)[columns].cumprod())


def _unreached_note(panel: Panel, data: Production, periods: list[IntArray], index: FloatArray) -> tuple[Text, ...]:
    lost = np.isnan(index)
    if not lost.any():
        return ()
    flags = np.zeros(len(data.unit), dtype=np.bool_)
    for rows, missing in zip(periods[1:], lost, strict=True):
        flags[rows[missing]] = True
    named = named_rows(panel, data, flags)
    return (
        {
            "en": f"No index where one period's frontier cannot reach the other's amounts: {named['en']}; means are of "
            "the others.",
            "zh": f"以下变化无指数（一期前沿无法达到另一期的投入产出）：{named['zh']}；均值按其余单元计算。",
        },
    )
