"""Theil's indices of inequality, split into what lies within and between (nested) groups of regions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.special import xlogy

from econ.disparity.bootstrap import Inequality, Measure, bootstrapped_parts
from econ.disparity.cells import Cells, Groups, known_cells, sum_by, unit_groups
from econ.errors import DataError, OptionError
from econ.linear.fit import FloatArray, IntArray
from econ.options import check_word
from econ.panel import Panel
from econ.text import Text

TheilIndex = Literal["T", "L"]


@dataclass(frozen=True, eq=False)
class Theil:
    """A Theil index over time and its parts.

    Attributes
    ----------
    totals : ``period, total, within, between, within_share, between_share, n, mean``; ``within + between = total``,
        where ``between`` is between the finest groups. Shares are of the total, missing where that is zero.
    levels : ``period, level, between, share``; the part between the groups of each level within those of the level
        above, which add up to ``between`` of the totals
    groups : ``period, level, group, n, weight_share, value_share, index, within, between``; the index inside each group
        and what the group adds to either part
    spec : what was asked for, as plain JSON
    notes : what a reader must know
    parts : with ``draws``: ``total, within, between, within_share, between_share``, and of nested groups the name of
        each level and ``<level>_share`` -> ``Inequality``, with intervals by period and tests of change
    """

    totals: pd.DataFrame
    levels: pd.DataFrame
    groups: pd.DataFrame
    spec: dict[str, Any]
    notes: tuple[Text, ...] = ()
    parts: Mapping[str, Inequality] = field(default_factory=dict)


def theil(
    panel: Panel,
    x: str,
    groups: str | Sequence[str],
    weights: str | None = None,
    index: TheilIndex = "T",
    *,
    draws: int | None = None,
    seed: int = 1,
    level: float = 0.95,
) -> Theil:
    r"""Theil's T or L by period, and its exact split into parts within and between groups.

    With ``p_i = w_i / sum w`` and ``s_i = w_i x_i / sum w x`` (the shares of a region in population and in income,
    where ``w`` is population and ``x`` is income per head), and the same for groups, ``p_g`` and ``s_g``:

    * ``T = sum_i s_i ln(s_i / p_i) = sum_g s_g T_g + sum_g s_g ln(s_g / p_g)``
    * ``L = sum_i p_i ln(p_i / s_i) = sum_g p_g L_g + sum_g p_g ln(p_g / s_g)`` (mean log deviation)

    (Theil 1967, ch. 4; Shorrocks 1980, Econometrica 48). Zero when all regions have the same ``x``; at most ``ln n``
    for T with equal weights. A zero adds nothing to T (the limit of ``s ln s``); L has no value there, so it
    refuses zeros.

    Parameters
    ----------
    panel : regions over periods, with gaps if need be: each period uses the regions known in it.
    x : what is unequal, per head if the weights are heads.
    groups : column constant within regions (plate), or several from coarse to fine, each nested in the one before.
    weights : column of positive weights (population) in each period; by default every region counts the same.
    index : ``"T"``, which weighs by shares of ``x``, or ``"L"``, which weighs by shares of ``weights``.
    draws, seed, level : bootstrap of the parts, off by default: units are drawn with their whole histories and their
        group, whatever the group, so that groups vary in size and a small one may be missing from a draw; intervals as
        in ``gini``. The part within small groups is estimated too low, which its interval does not quite make up for
        (docs/simulations_inequality.md).

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").join(econ.regions()[["province", "plate"]])
    >>> result = econ.disparity.theil(panel, "gdp_per_capita", groups="plate", weights="population")
    >>> result.totals.head(2)[["period", "total", "within", "between"]].round(4)
       period   total  within  between
    0    2000  0.1223  0.0443   0.0780
    1    2001  0.1222  0.0450   0.0772
    """
    check_word(index, TheilIndex, "index")
    cells = known_cells(panel, x, weights, zeros=index == "T")
    names = [groups] if isinstance(groups, str) else list(groups)
    nested = _nested(panel, names, cells)
    parts = [_level(cells, group, index) for group in nested]
    p, s = _shares(cells)
    total = sum_by(cells.period, _divergence(p, s, index))
    between = [part.groupby("t")["between"].sum().to_numpy() for part in parts]
    within = parts[-1].groupby("t")["within"].sum().to_numpy()
    spec = {
        "estimator": "theil", "outcome": x, "groups": names, "weights": weights, "index": index,
        "dataset": panel.dataset, "labels": panel.labels([x, *names, *([weights] if weights else [])]),
    }  # fmt: skip
    frame = pd.concat(parts, ignore_index=True)
    frame.insert(0, "period", [cells.periods[t] for t in frame.pop("t")])
    totals, levels = _totals(cells, total, within, between[-1]), _levels(cells, names, total, between)
    if draws is None:
        return Theil(totals, levels, frame, spec, cells.notes)
    drawn = _bootstrap(panel, x, nested, weights, index, draws, seed, level)
    notes = tuple(note for note in drawn["within"].notes if note not in cells.notes)
    return Theil(totals, levels, frame, spec, (*cells.notes, *notes), drawn)


def _bootstrap(
    panel: Panel,
    x: str,
    nested: Sequence[Groups],
    weights: str | None,
    index: TheilIndex,
    draws: int,
    seed: int,
    level: float,
) -> dict[str, Inequality]:
    """Every part, from the same draws."""
    finer = [group.name for group in nested] if len(nested) > 1 else []
    names = ["total", "within", "between", *finer]
    names += [f"{name}_share" for name in names[1:]]
    specs = [{"estimator": "theil", "index": index, "part": name} for name in names]
    found = bootstrapped_parts(
        panel,
        x,
        _measure(nested, index),
        specs,
        weights=weights,
        zeros=index == "T",
        draws=draws,
        seed=seed,
        level=level,
    )
    return dict(zip(names, found, strict=True))


def _measure(nested: Sequence[Groups], index: TheilIndex) -> Measure:
    """Total, within, between, the levels of nested groups, and the shares of all but the total."""
    inside = [group.codes[:, None] == np.arange(len(group.labels)) for group in nested]

    def measure(x: FloatArray, w: FloatArray, n: FloatArray, unit: IntArray) -> FloatArray:
        heads, value = w.sum(axis=1), w @ x
        mean = np.log(value / heads)
        total = (w @ xlogy(x, x)) / value - mean if index == "T" else mean - (w @ np.log(x)) / heads
        between = np.zeros((len(nested), len(w)))
        for k, of in enumerate(inside):
            mine = of[unit].astype(np.float64)
            p, s = (w @ mine) / heads[:, None], ((w * x) @ mine) / value[:, None]
            between[k] = _divergence(p, s, index).sum(axis=1)
        parts = [total - between[-1], between[-1], *(np.diff(between, axis=0, prepend=0.0) if len(nested) > 1 else [])]
        return np.stack([total, *parts, *(share_of(part, total) for part in parts)])

    return measure


def _nested(panel: Panel, names: Sequence[str], cells: Cells) -> list[Groups]:
    """The levels from coarse to fine; a fine group that lies in two coarse ones is refused."""
    if not names or len(set(names)) < len(names):
        raise OptionError(f"groups={list(names)!r}: give one column, or different ones from coarse to fine.")
    levels = [unit_groups(panel, name, cells) for name in names]
    used = np.unique(cells.unit)
    for coarse, fine in pairwise(levels):
        pairs = np.unique(np.column_stack([fine.codes[used], coarse.codes[used]]), axis=0)
        twice = np.flatnonzero(np.bincount(pairs[:, 0]) > 1)
        if len(twice):
            label = fine.labels[int(twice[0])]
            inside = ", ".join(str(coarse.labels[int(c)]) for c in pairs[pairs[:, 0] == twice[0], 1])
            raise DataError(
                f"{fine.name!r} is not nested in {coarse.name!r}: {label} lies in {inside}. Give the groups from "
                "coarse to fine, or join the two columns into a finer one with panel.assign(...)."
            )
    return levels


def _shares(cells: Cells) -> tuple[FloatArray, FloatArray]:
    """(N,) shares of each cell in its period's weights, and in its period's values."""
    value = cells.weights * cells.x
    by_weight, by_value = sum_by(cells.period, cells.weights), sum_by(cells.period, value)
    return cells.weights / by_weight[cells.period], value / by_value[cells.period]


def _divergence(p: FloatArray, s: FloatArray, index: TheilIndex) -> FloatArray:
    """``s ln(s/p)`` or ``p ln(p/s)``, term by term; nothing where both are zero."""
    above, below = (s, p) if index == "T" else (p, s)
    return np.asarray(xlogy(above, np.divide(above, below, out=np.ones_like(above), where=below > 0)))


def _level(cells: Cells, groups: Groups, index: TheilIndex) -> pd.DataFrame:
    """One row per period and group: its shares, its own index, and what it adds to either part."""
    p, s = _shares(cells)
    stacked = cells.period * len(groups.labels) + groups.codes[cells.unit]
    keys, cell, n = np.unique(stacked, return_inverse=True, return_counts=True)
    p_group, s_group = sum_by(cell, p), sum_by(cell, s)
    inside = np.divide(s, s_group[cell], out=np.zeros_like(s), where=s_group[cell] > 0)
    own = sum_by(cell, _divergence(p / p_group[cell], inside, index))
    return pd.DataFrame(
        {
            "t": keys // len(groups.labels),
            "level": groups.name,
            "group": [groups.labels[int(code)] for code in keys % len(groups.labels)],
            "n": n,
            "weight_share": p_group,
            "value_share": s_group,
            "index": own,
            "within": (s_group if index == "T" else p_group) * own,
            "between": _divergence(p_group, s_group, index),
        }
    )


def _totals(cells: Cells, total: FloatArray, within: FloatArray, between: FloatArray) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "period": cells.periods,
            "total": total,
            "within": within,
            "between": between,
            "within_share": share_of(within, total),
            "between_share": share_of(between, total),
            "n": np.bincount(cells.period),
            "mean": cells.means(),
        }
    )


def _levels(cells: Cells, names: Sequence[str], total: FloatArray, between: list[FloatArray]) -> pd.DataFrame:
    above = [np.zeros_like(total), *between[:-1]]
    parts = [
        pd.DataFrame({"period": cells.periods, "level": name, "between": mine - other})
        for name, mine, other in zip(names, between, above, strict=True)
    ]
    frame = pd.concat(parts, ignore_index=True)
    return frame.assign(share=share_of(frame["between"].to_numpy(), np.tile(total, len(names))))


def share_of(part: FloatArray, total: FloatArray) -> FloatArray:
    """``part / total``, missing where the total is zero."""
    return np.divide(part, total, out=np.full_like(total, np.nan), where=total > 0)
