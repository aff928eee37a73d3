"""Which cells of cohort and period can be estimated, from which base period and against whom."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from econ.did.design import SHOWN, DidDesign
from econ.errors import ModelError
from econ.linear.fit import BoolArray, IntArray
from econ.options import BasePeriod, ControlGroup
from econ.text import Text

UNSEEN: Text = {
    "en": "no treated unit, or no unit to compare with, is observed in both periods",
    "zh": "两个时期均有观测的处理单元或可比单元不存在",
}


@dataclass(frozen=True, eq=False)
class Comparisons:
    """The K cells that can be estimated.

    ``treated`` (K,) classes; ``period``, ``base`` (K,) positions of periods; ``controls`` (K, C) true for the classes
    compared with.
    """

    treated: IntArray
    period: IntArray
    base: IntArray
    controls: BoolArray

    def only(self, kept: BoolArray) -> "Comparisons":
        """The cells flagged in ``kept`` (K,)."""
        return Comparisons(self.treated[kept], self.period[kept], self.base[kept], self.controls[kept])


def comparisons(
    design: DidDesign, control: ControlGroup, base: BasePeriod, anticipation: int, repeated: bool
) -> tuple[Comparisons, tuple[Text, ...]]:
    """The cells with somebody in both groups and periods; the others are named in a note."""
    rows, lost, baseless = list[tuple[int, int, int, BoolArray]](), list[tuple[int, int]](), list[float]()
    together = _together(design)
    for c in np.flatnonzero(np.isfinite(design.first)):
        pairs = _period_pairs(design, int(c), base, anticipation)
        if not pairs:
            baseless.append(float(design.first[c]))
        for t, b in pairs:
            controls = _controls(design, int(c), max(t, b), control, anticipation)
            if all(_seen(together[group], t, b, repeated) for group in ([c], controls)):
                rows.append((int(c), t, b, controls))
            else:
                lost.append((int(c), t))
    if not rows:
        raise ModelError(
            "No cell can be estimated: in none are treated and control units observed in both the period and its base "
            f"period, which lies more than anticipation={anticipation} periods before treatment. Check the outcome's "
            "missing values, use repeated=True, or compare with control='not_yet'."
        )
    treated, period, before = (np.array([row[j] for row in rows], dtype=np.intp) for j in range(3))
    notes = (*_baseless_note(design, baseless), *((left_out(design, lost, UNSEEN),) if lost else ()))
    return Comparisons(treated, period, before, np.array([row[3] for row in rows])), notes


def left_out(design: DidDesign, cells: Sequence[tuple[int, int]], why: Text) -> Text:
    """A note that names the cells (class, position of the period) left out for a reason."""
    names = name_cells(design, cells)
    return {
        "en": f"{len(cells)} cells (cohort in period) are left out because {why['en']}: {names}.",
        "zh": f"{len(cells)} 个单元格（队列与时期）因{why['zh']}而剔除：{names}。",
    }


def name_cells(design: DidDesign, cells: Iterable[tuple[int, int]]) -> str:
    """Such as ``2004 in 2006, 2004 (east) in 2007``."""
    names = []
    for c, t in cells:
        group = f" ({design.groups[c]})" if design.groups is not None else ""
        names.append(f"{design.label(design.first[c])}{group} in {design.label(design.calendar[t])}")
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")


def _period_pairs(design: DidDesign, c: int, base: BasePeriod, anticipation: int) -> list[tuple[int, int]]:
    """(period, base period) of every cell of a class, as positions on the calendar of the sample."""
    e = design.event_time[c]
    before = np.flatnonzero(e < -anticipation)
    if not before.size:
        return []
    last = int(before[-1])
    if base == "universal":
        return [(t, last) for t in range(len(e)) if t != last]
    return [(t, last if e[t] >= 0 else t - 1) for t in range(1, len(e))]


def _baseless_note(design: DidDesign, first: list[float]) -> tuple[Text, ...]:
    if not first:
        return ()
    names = ", ".join(str(design.label(g)) for g in sorted(set(first)))
    return (
        {
            "en": f"Cohorts without a period before treatment and its anticipation, left out: {names}.",
            "zh": f"以下队列在处理（及其预期）之前没有时期，予以剔除：{names}。",
        },
    )


def _controls(design: DidDesign, c: int, later: int, control: ControlGroup, anticipation: int) -> BoolArray:
    """(C,) classes compared with in a cell whose later period has position ``later``."""
    if control == "never":
        return np.asarray(np.isinf(design.first), dtype=np.bool_)
    untreated = design.first > design.calendar[later] + anticipation
    return np.asarray(untreated & (design.first != design.first[c]), dtype=np.bool_)


def _together(design: DidDesign) -> BoolArray:
    """(C, T, T) whether a class has a unit that is observed in both periods."""
    T = len(design.calendar)
    if design.observed is None:
        return np.ones((design.n_classes, T, T), dtype=np.bool_)
    seen = [design.observed[rows].astype(np.float32) for rows in design.classes]
    return np.array([o.T @ o > 0 for o in seen])


def _seen(together: BoolArray, t: int, b: int, repeated: bool) -> bool:
    """Whether the classes of ``together`` have units in both periods, the same ones unless ``repeated``."""
    if repeated:
        return bool(together[:, t, t].any() and together[:, b, b].any())
    return bool(together[:, t, b].any())
