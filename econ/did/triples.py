"""Which cohorts each cell of a triple difference is compared with, and how the comparisons are combined."""

from dataclasses import dataclass, replace

import numpy as np

from econ.did.comparisons import Comparisons, comparisons
from econ.did.design import DidDesign
from econ.errors import ModelError
from econ.linear.fit import BoolArray, FloatArray, IntArray
from econ.options import BasePeriod, ControlGroup

Triple = tuple[int, int, int]  # comparisons with the own ineligible, and with the eligible and ineligible of a cohort


@dataclass(frozen=True, eq=False)
class Plan:
    """What is to be compared.

    Attributes
    ----------
    cells : (class of the eligible, position of the period) of every effect
    triples : for every cell one for each cohort it is compared with, as numbers of ``parts``
    parts : comparisons of an eligible class with one other class
    lost : cells without a triple
    single : first periods of cohorts not compared with because they have a single eligible or ineligible unit
    """

    cells: list[tuple[int, int]]
    triples: list[list[Triple]]
    parts: Comparisons
    lost: list[tuple[int, int]]
    single: list[float]


def plan_triples(design: DidDesign, control: ControlGroup, base: BasePeriod) -> Plan:
    """The cells with eligible and ineligible units, of the cohort and of another, in both periods."""
    is_eligible = eligible_classes(design)
    pooled, _ = comparisons(replace(design, observed=None), control, base, 0, False)
    pooled = pooled.only(is_eligible[pooled.treated])
    parts, cells, triples = _Parts(design, is_eligible), list[tuple[int, int]](), list[list[Triple]]()
    for c, t, b, controls in zip(pooled.treated, pooled.period, pooled.base, pooled.controls, strict=True):
        found = parts.triples(int(c), int(t), int(b), np.unique(design.first[controls]))
        if found:
            cells.append((int(c), int(t)))
            triples.append(found)
    if not cells:
        raise ModelError(
            "No cell can be estimated: in none are eligible and ineligible units, of a cohort and of one to compare "
            "with, all observed in both the period and its base period. Check the column of eligibility and missing "
            "outcomes, or use control='not_yet'."
        )
    lost = [cell for cell in _every_cell(design, is_eligible, base) if cell not in set(cells)]
    return Plan(cells, triples, parts.comparisons(), lost, sorted(parts.single))


def eligible_classes(design: DidDesign) -> BoolArray:
    """(C,)"""
    assert design.groups is not None
    return np.array([str(name) in ("True", "1", "1.0") for name in design.groups])


def triple_weights(plan: Plan, parts: Comparisons, vcov: FloatArray) -> tuple[FloatArray, BoolArray]:
    """(K, P) weights of the comparisons ``parts``, some of those planned, in the K cells that have a triple left.

    ``vcov`` is the covariance of ``parts`` (and of what else may follow). Also returns which cells these are.
    """
    where = _positions(plan.parts, parts)
    rows, kept = list[FloatArray](), list[bool]()
    for triples in plan.triples:
        left = [where[list(triple)] for triple in triples if (where[list(triple)] >= 0).all()]
        kept.append(bool(left))
        if left:
            R = np.zeros((len(left), len(parts.treated)))
            np.put_along_axis(R, np.array(left), np.array([[1.0, 1.0, -1.0]]), axis=1)
            rows.append(_smallest_variance(R @ vcov[: R.shape[1], : R.shape[1]] @ R.T) @ R)
    if not rows:
        raise ModelError(
            "No cell can be estimated: for none could all three comparisons of a triple be estimated with the "
            "covariates. Use fewer of them or others, or method='reg'."
        )
    return np.array(rows), np.array(kept)


def _smallest_variance(vcov: FloatArray) -> FloatArray:
    """(J,) weights that sum to one: ``V^-1 1 / 1'V^-1 1``; of the best ones where V is singular, the most equal."""
    J = len(vcov)
    scale = float(np.diag(vcov).max())
    system = np.ones((J + 1, J + 1))
    system[:J, :J] = vcov / scale if scale > 0 else 0.0
    system[J, J] = 0.0
    weights: FloatArray = np.linalg.lstsq(system, np.eye(J + 1)[J], rcond=1e-10)[0][:J]
    return weights


def _positions(planned: Comparisons, parts: Comparisons) -> IntArray:
    """(planned,) where each comparison is among ``parts``, -1 where it is not."""
    keys = [list(zip(c.treated, c.period, c.base, c.controls.argmax(axis=1), strict=True)) for c in (planned, parts)]
    index = {key: p for p, key in enumerate(keys[1])}
    return np.array([index.get(key, -1) for key in keys[0]], dtype=np.intp)


def _every_cell(design: DidDesign, is_eligible: BoolArray, base: BasePeriod) -> list[tuple[int, int]]:
    """Cells of all eligible classes: all periods but the reference, or but the first."""
    cells = list[tuple[int, int]]()
    for c in np.flatnonzero(is_eligible & np.isfinite(design.first)):
        reference = int((design.event_time[c] < 0).sum()) - 1 if base == "universal" else 0
        cells += [(int(c), t) for t in range(len(design.calendar)) if t != reference]
    return cells


class _Parts:
    """Collects comparisons of an eligible class with one other class, each once."""

    def __init__(self, design: DidDesign, is_eligible: BoolArray) -> None:
        self.design = design
        keys = zip(design.first.tolist(), is_eligible.tolist(), strict=True)
        self.classes = {key: c for c, key in enumerate(keys)}
        self.index = dict[tuple[int, int, int, int], int]()
        self.single = set[float]()

    def triples(self, c: int, t: int, b: int, cohorts: FloatArray) -> list[Triple]:
        """Of one cell, one for each cohort it is compared with."""
        own = self._class(self.design.first[c], False)
        if not min(self._units(c, t, b), self._units(own, t, b)):
            return []
        pairs = [(self._class(first, True), self._class(first, False)) for first in cohorts]
        units = [min(self._units(k, t, b) for k in pair) for pair in pairs]
        # a single unit shows no variance, and its cohort would get all the weight
        enough = max(1, min(2, max(units, default=0)))
        self.single.update(float(first) for first, n in zip(cohorts, units, strict=True) if 0 < n < enough)
        kept = [pair for pair, n in zip(pairs, units, strict=True) if n >= enough]
        return [(self._number(c, t, b, own), self._number(c, t, b, q1), self._number(c, t, b, q0)) for q1, q0 in kept]

    def comparisons(self) -> Comparisons:
        keys = np.array(list(self.index), dtype=np.intp)
        controls = keys[:, 3:] == np.arange(self.design.n_classes)
        return Comparisons(keys[:, 0], keys[:, 1], keys[:, 2], controls)

    def _class(self, first: float, eligible: bool) -> int:
        """The class, -1 where it has no unit."""
        return self.classes.get((float(first), eligible), -1)

    def _units(self, c: int, t: int, b: int) -> int:
        """Units of a class observed in both periods."""
        if c < 0:
            return 0
        rows, o = self.design.classes[c], self.design.observed
        return rows.stop - rows.start if o is None else int((o[rows, t] & o[rows, b]).sum())

    def _number(self, c: int, t: int, b: int, other: int) -> int:
        return self.index.setdefault((c, t, b, other), len(self.index))
