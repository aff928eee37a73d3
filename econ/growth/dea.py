"""Data envelopment analysis: how far each unit is from the frontier that the units themselves span."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from econ.errors import OptionError
from econ.growth.envelopment import Bundle, Scores, Use, in_parts, radial, second_stage, slacks_based
from econ.growth.production import Production, named_rows, production_spec, read_production
from econ.linear.fit import BoolArray, FloatArray, IntArray
from econ.options import DeaFrontier, DeaMeasure, DeaOrientation, DeaReturns, check_word
from econ.panel import Panel
from econ.text import Text

EFFICIENT = 1e-7  # how far below 1 a score, or how large a relative slack, still counts as none


@dataclass(frozen=True, eq=False, repr=False)
class Dea:
    """Efficiency of every row.

    Attributes
    ----------
    scores : the panel's unit column, ``period, score, efficient``; radial with variable returns also ``score_crs``,
        ``scale`` (``score_crs / score``) and ``returns`` (``"increasing"``, ``"constant"``, ``"decreasing"``: where on
        the frontier the unit is, or is projected to). ``efficient``: on the frontier and without any slack.
    targets : unit, ``period, variable, role, value, radial, slack, target``; ``target = value + radial + slack``, what
        the unit would use or make on the frontier, by the proportional part of the move and the rest
    peers : unit, ``period, peer, peer_period, weight``; the units that span the target, and their intensities
    spec : what was asked for, as plain JSON
    notes : what a reader must know
    """

    scores: pd.DataFrame
    targets: pd.DataFrame
    peers: pd.DataFrame
    spec: dict[str, Any]
    notes: tuple[Text, ...] = ()

    def __repr__(self) -> str:
        what = f"{', '.join(self.spec['inputs'])} -> {', '.join((*self.spec['outputs'], *self.spec['bad']))}"
        lines = [
            f"Data envelopment analysis ({self.spec['measure']}, {self.spec['returns']}): {what}",
            self.scores.to_string(index=False, max_rows=12, float_format=lambda x: f"{x:.4f}"),
        ]
        return "\n".join([*lines, *(f"Note: {note['en']}" for note in self.notes)])


def dea(
    panel: Panel,
    inputs: Sequence[str],
    outputs: Sequence[str],
    bad: Sequence[str] = (),
    returns: DeaReturns = "crs",
    orientation: DeaOrientation = "output",
    *,
    measure: DeaMeasure = "radial",
    super_efficiency: bool = False,
    frontier: DeaFrontier = "period",
) -> Dea:
    r"""Efficiency by data envelopment analysis: radial (CCR, BCC) or slacks-based, with super-efficiency.

    The technology is all that the units of a frontier span: combinations ``sum_j lambda_j (x_j, y_j)`` with
    ``lambda >= 0``, and whatever uses more or makes less. Under ``"vrs"`` the intensities sum to 1.

    * ``measure="radial"``: the input orientation finds the smallest ``theta`` with ``theta x`` enough for ``y``; the
      output orientation the largest ``phi`` with ``phi y`` possible from ``x``. The score is ``theta`` or ``1 / phi``,
      1 on the frontier in both (Charnes, Cooper and Rhodes 1978 under ``"crs"``; Banker, Charnes and Cooper 1984 under
      ``"vrs"``). A second stage maximises what is left as slack, each slack over the mean of its variable on the
      frontier, so that neither score nor slacks hang on units of measure.
    * ``measure="sbm"``: ``rho = min (1 - mean_i s_i^- / x_i) / (1 + mean_r (s_r^+ / y_r, s_r^b / b_r))``, the mean in
      the denominator over good and bad outputs together (Tone 2001, 2004). ``"input"`` leaves out the denominator,
      ``"output"`` the numerator, ``"none"`` keeps both.

    With ``super_efficiency`` a unit is measured against the others, so that efficient units differ: all units when
    radial (Andersen and Petersen 1993), those with ``rho = 1`` when slacks-based: ``min (1 + mean s^- / x) / (1 - mean
    (s^+ / y, s^b / b))``, the slacks now what the unit can waste before the others dominate it (Tone 2002). There bad
    outputs count like good ones foregone; a denominator in which more bad output raises the score instead is a slip
    found in print. Where no combination of the others reaches the unit (variable returns; many bad outputs) there is no
    score, and a note names the unit.

    Parameters
    ----------
    panel : units over periods, or a cross-section. Rows that lack an amount are left out and named.
    inputs, outputs, bad : columns of inputs, good outputs and bad outputs, none negative. A radial score takes zeros in
        single amounts, the slacks-based one does not. ``bad`` needs ``measure="sbm"``; for a radial score list what
        should be small among the inputs.
    returns : ``"crs"`` constant or ``"vrs"`` variable returns to scale.
    orientation : ``"input"``, ``"output"``, or with ``measure="sbm"`` also ``"none"``.
    frontier : ``"period"``, each period has a frontier of its own, and scores of different periods say who is near the
        best of that year; ``"pooled"``, one frontier of all rows, and scores compare over time.

    Notes
    -----
    The frontier is made of the best in the sample: scores have no sampling error attached, are too high when good
    performers are missing, and one outlier lowers all others. Peers and slacks need not be unique; scores are.

    References
    ----------
    Cooper, Seiford and Tone (2007), Data Envelopment Analysis, 2nd ed.; Tone (2001), European Journal of Operational
    Research 130(3); (2002), 143(1); (2004), GRIPS Research Report I-2003-0005.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").where(lambda d: (d["year"] == 2019) & (d["province"] != "Tibet"))
    >>> result = econ.growth.dea(panel, ["rd_expenditure", "rd_personnel"], ["invention_grants", "new_product_sales"])
    >>> result.scores.query("efficient")["province"].tolist()
    ['Beijing', 'Heilongjiang', 'Jilin', 'Shanghai']
    """
    _check(returns, orientation, measure, frontier, bad)
    pooled = frontier == "pooled"
    data = read_production(panel, inputs, outputs, bad, zeros=measure == "radial", complete=False, pooled=pooled)
    found = [
        _measured(data.amounts[rows], returns, orientation, measure, super_efficiency)
        for rows in data.frontiers(pooled)
    ]
    rows = np.concatenate(data.frontiers(pooled))
    order = np.argsort(rows)
    scores = pd.concat([part.scores for part in found], ignore_index=True).iloc[order].reset_index(drop=True)
    keys = data.keys(panel)
    lost = scores["score"].isna().to_numpy()
    spec = production_spec(panel, data) | {
        "estimator": "dea", "returns": returns, "orientation": orientation, "measure": measure,
        "super_efficiency": super_efficiency, "frontier": frontier,
    }  # fmt: skip
    return Dea(
        pd.concat([keys, scores], axis=1),
        _targets(keys, data, found, rows),
        _peers(panel, keys, found, data.frontiers(pooled)),
        spec,
        (*data.notes, *_no_score_note(panel, data, lost)),
    )


def _check(
    returns: DeaReturns, orientation: DeaOrientation, measure: DeaMeasure, frontier: DeaFrontier, bad: Sequence[str]
) -> None:
    check_word(returns, DeaReturns, "returns")
    check_word(orientation, DeaOrientation, "orientation")
    check_word(measure, DeaMeasure, "measure")
    check_word(frontier, DeaFrontier, "frontier")
    if measure == "radial" and orientation == "none":
        raise OptionError("A radial score has orientation='input' or 'output'; orientation='none' needs measure='sbm'.")
    if measure == "radial" and len(bad):
        raise OptionError(
            f"bad={list(bad)!r} needs measure='sbm'; for a radial score list what should be small among the inputs."
        )


# ---------------------------------------------------------------------- one frontier


@dataclass(frozen=True, eq=False)
class _Frontier:
    """What one frontier gives: ``scores`` columns, intensities (n, n), radial and final targets."""

    scores: pd.DataFrame
    weights: FloatArray
    moved: Bundle
    targets: Bundle


def _measured(
    amounts: Bundle, returns: DeaReturns, orientation: DeaOrientation, measure: DeaMeasure, super_efficiency: bool
) -> _Frontier:
    if measure == "sbm":
        return _slacks_based(amounts, returns, orientation, super_efficiency)
    own = np.arange(len(amounts)) if super_efficiency else None
    first = _radial(amounts, orientation, Use(returns, own))
    second = _second(first, amounts, Use(returns, own))
    beyond = np.isnan(first.score) | (first.score > 1 + EFFICIENT)  # of what the others can do
    on_frontier = (first.score >= 1 - EFFICIENT) & (_gap(first.targets, second.targets) <= EFFICIENT)
    columns = {"score": first.score, "efficient": beyond | on_frontier}
    if returns == "vrs" and not super_efficiency:
        columns |= _scale(amounts, orientation, first.score)
    return _Frontier(pd.DataFrame(columns), second.weights, first.targets, second.targets)


def _radial(amounts: Bundle, orientation: DeaOrientation, use: Use) -> Scores:
    return in_parts(lambda some, how: radial(some, amounts, orientation, how), amounts, amounts, use)


def _second(first: Scores, amounts: Bundle, use: Use) -> Scores:
    """The second stage of the points that have a score; the others stay without."""
    at = np.flatnonzero(np.isfinite(first.score))
    own = None if use.excluded is None else use.excluded[at]
    found = in_parts(
        lambda some, how: second_stage(some, amounts, how), first.targets[at], amounts, Use(use.returns, own)
    )
    return _replaced(first, at, found)


def _replaced(scores: Scores, at: IntArray, by: Scores) -> Scores:
    """The rows ``at`` replaced."""

    def merged(old: FloatArray, new: FloatArray) -> FloatArray:
        result = old.copy()
        result[at] = new
        return result

    old, new = scores.targets, by.targets
    targets = Bundle(merged(old.X, new.X), merged(old.Y, new.Y), merged(old.B, new.B))
    return Scores(merged(scores.score, by.score), merged(scores.weights, by.weights), targets)


def _scale(amounts: Bundle, orientation: DeaOrientation, score: FloatArray) -> dict[str, Any]:
    """Scale efficiency, and which way returns go: decreasing where non-increasing returns give the same score."""
    crs, nirs = (_radial(amounts, orientation, Use(word)).score for word in ("crs", "nirs"))
    same = [other >= score * (1 - EFFICIENT) for other in (crs, nirs)]
    words = np.select(same, ["constant", "decreasing"], "increasing")
    return {"score_crs": crs, "scale": crs / score, "returns": words}


def _slacks_based(
    amounts: Bundle, returns: DeaReturns, orientation: DeaOrientation, super_efficiency: bool
) -> _Frontier:
    def measured(points: Bundle, use: Use) -> Scores:
        return in_parts(lambda some, how: slacks_based(some, amounts, orientation, how), points, amounts, use)

    found = measured(amounts, Use(returns))
    efficient = found.score >= 1 - EFFICIENT
    best = np.flatnonzero(efficient)
    if super_efficiency:
        found = _replaced(found, best, measured(amounts[best], Use(returns, best)))
    return _Frontier(
        pd.DataFrame({"score": found.score, "efficient": efficient}), found.weights, amounts, found.targets
    )


def _gap(moved: Bundle, targets: Bundle) -> FloatArray:
    """(N,) the largest slack over the amount it is a slack of; over the largest amount where there is none of it."""
    parts = [(moved.X, targets.X), (moved.Y, targets.Y)]
    sizes = [np.where(a > 0, a, np.nanmax(a, axis=0)) for a, _ in parts]
    gaps = [(np.abs(b - a) / size).max(axis=1) for (a, b), size in zip(parts, sizes, strict=True)]
    return np.asarray(np.maximum(*gaps))


# ---------------------------------------------------------------------- frames


def _targets(keys: pd.DataFrame, data: Production, found: list[_Frontier], rows: IntArray) -> pd.DataFrame:
    value, moved, target = (
        np.hstack([np.concatenate(parts) for parts in zip(*stacks, strict=True)])
        for stacks in (
            [(data.amounts[rows].X, data.amounts[rows].Y, data.amounts[rows].B)],
            [(f.moved.X, f.moved.Y, f.moved.B) for f in found],
            [(f.targets.X, f.targets.Y, f.targets.B) for f in found],
        )
    )
    names = [(name, role) for role, columns in data.names.items() for name in columns]
    ordered = keys.iloc[rows].reset_index(drop=True)
    parts = [
        ordered.assign(
            variable=name, role=role, value=value[:, j], radial=moved[:, j] - value[:, j],
            slack=target[:, j] - moved[:, j], target=target[:, j], row=rows,
        )
        for j, (name, role) in enumerate(names)
    ]  # fmt: skip
    table = pd.concat(parts, ignore_index=True).sort_values("row", kind="stable", ignore_index=True)
    return table.drop(columns="row")


def _peers(panel: Panel, keys: pd.DataFrame, found: list[_Frontier], frontiers: list[IntArray]) -> pd.DataFrame:
    parts = []
    for frontier, rows in zip(found, frontiers, strict=True):
        row, peer = np.nonzero(frontier.weights > 0)
        weight = frontier.weights[row, peer]
        parts.append(pd.DataFrame({"row": rows[row], "peer": rows[peer], "weight": weight}))
    table = pd.concat(parts, ignore_index=True).sort_values(["row", "weight"], ascending=[True, False], kind="stable")
    own, other = keys.iloc[table["row"]].reset_index(drop=True), keys.iloc[table["peer"]].reset_index(drop=True)
    return own.assign(peer=other[panel.unit], peer_period=other["period"], weight=table["weight"].to_numpy())


def _no_score_note(panel: Panel, data: Production, lost: BoolArray) -> tuple[Text, ...]:
    if not lost.any():
        return ()
    named = named_rows(panel, data, lost)
    return (
        {
            "en": "No super-efficiency score, missing rather than 1, where no combination of the other units reaches "
            f"what the unit uses and makes: {named['en']}.",
            "zh": f"其余单元的任何组合均达不到其投入产出、线性规划无可行解者，超效率值记为缺失而非 1：{named['zh']}。",
        },
    )
