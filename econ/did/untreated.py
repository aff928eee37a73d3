r"""Outcomes without treatment, from unit and period effects of the untreated observations, and what treatment added.

Borusyak, Jaravel and Spiess's and Gardner's estimators share this first stage and the effects by cell that follow:

.. math:: Y_{it} = \alpha_i + \lambda_t + x_{it}'\gamma + e_{it} \text{ (untreated)}, \quad
   \hat\tau_{it} = Y_{it} - \hat\alpha_i - \hat\lambda_t - x_{it}'\hat\gamma, \quad
   \hat\tau_{gt} = \frac{\sum_{i \in g} w_i \hat\tau_{it}}{\sum_{i \in g} w_i}.

With :math:`u_i` the share of unit i's untreated periods (adding up to one), M the system of the period effects and
:math:`q = \sum_i w_i (e_t - u_i) / \sum_i w_i` over the cell's units, everything is linear in outcomes. Since untreated
residuals add up to zero within each unit, its own effect's part drops out, and the influence of unit i is

.. math:: \psi_i = \frac{w_i (\hat\tau_{it} - \bar\tau_{gt})}{\sum_{j \in g} w_j} - w_i q' M^+ \hat e_i
   - w_i h' G^{-1} \sum_s \tilde x_{is} \hat e_{is},

the first term for units of the cell only, the last one with covariates: :math:`\tilde x` are those net of the effects
in untreated observations, G their cross products, h their mean over the cell. The two estimators differ in
:math:`\bar\tau_{gt}` and in whether averages over cells take the cells' sizes as given.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from scipy.sparse.csgraph import connected_components

from econ.did.cells import Cells
from econ.did.comparisons import left_out
from econ.did.design import SHOWN, DidDesign, name_units, read_design, without_rows
from econ.did.moments import observed_part
from econ.did.regression import ClassRegression, class_cells, regress_classes
from econ.errors import ModelError
from econ.inference.influence import ClassInfluence, sums_by_group
from econ.inference.specs import Vcov
from econ.linear.fit import BoolArray, FloatArray, IntArray
from econ.panel import Panel
from econ.text import Text

REASON = "no untreated outcome can be imputed"
UNLINKED: Text = {
    "en": "no untreated unit is observed in the period, or none that links it with periods before treatment",
    "zh": "该期没有未处理单元的观测，或没有能将其与处理前各期相连的未处理单元",
}


@dataclass(frozen=True, eq=False)
class Imputation:
    """Effects in the K treated cells.

    Attributes
    ----------
    fit : the regression on untreated cells; its ``residuals`` elsewhere are the effects :math:`\\hat\\tau_{it}`
    classes, periods : (K,) the cells: classes and positions of periods
    """

    fit: ClassRegression
    classes: IntArray
    periods: IntArray

    @property
    def design(self) -> DidDesign:
        return self.fit.design

    @property
    def untreated(self) -> BoolArray:
        """(C, T)"""
        assert self.fit.used is not None
        return self.fit.used

    @property
    def cells(self) -> Cells:
        """What the K effects are."""
        return class_cells(self.design, self.classes.tolist(), self.periods.tolist())

    @cached_property
    def size(self) -> FloatArray:
        """(K,) treated observations (sum of weights)."""
        return self.fit.moments.N[self.classes, self.periods]

    @cached_property
    def coef(self) -> FloatArray:
        """(K,) mean effects by cell."""
        y = self.fit.moments.y[self.classes, self.periods] / self.size
        return np.asarray(y - self._period_weights @ self.fit.period_effects - self._x @ self.fit.gamma)

    def by_cell(self, values: FloatArray) -> FloatArray:
        """(C, T) the values (K,) of the treated cells, zero elsewhere."""
        wide = np.zeros(self.untreated.shape)
        wide[self.classes, self.periods] = values
        return wide

    def residuals(self, centre: FloatArray, rows: slice, c: int) -> FloatArray:
        """(B, T) residuals of untreated observations, and effects less ``centre`` (C, T); zero where not observed."""
        E = self.fit.residuals(rows, c)
        o = observed_part(self.design, rows)
        E -= centre[c] if o is None else o * centre[c]
        return E

    def influence(self, centre: FloatArray) -> ClassInfluence:
        """Influences of the units on the K effects and the p covariates; ``centre`` (C, T) is taken off effects."""
        fit, K = self.fit, len(self.classes)
        C, p = len(centre), len(fit.gamma)
        own = np.zeros((C, K, centre.shape[1]))
        own[self.classes, np.arange(K), self.periods] = 1 / self.size
        shared = self.untreated[:, None, :].astype(np.float64)
        slopes = np.concatenate([-shared * (fit.bread @ fit.projection), np.repeat(fit.bread[None], C, axis=0)], axis=2)
        effects = np.concatenate([own - shared * (self._period_weights @ fit.system), np.zeros((C, K, p))], axis=2)
        loadings = np.concatenate([effects - self._net_x @ slopes, slopes], axis=1)
        features = partial(_features, self, centre)
        return ClassInfluence(features, self.design.starts, loadings, np.zeros((C, K + p)), self.design.unit_weights)

    def loadings(self) -> FloatArray:
        """(K, C, T) weights of class means of the outcome in the effects, when there are no covariates."""
        moments, K = self.fit.moments.within(self.untreated), len(self.classes)
        reach = self._period_weights @ self.fit.system
        weights: FloatArray = np.einsum("ks,cst->kct", reach, moments.O) - reach[:, None, :] * moments.N
        weights[np.arange(K), self.classes] += self._period_weights
        return weights

    @cached_property
    def _period_weights(self) -> FloatArray:
        """(K, T) ``q``: weights of the period effects."""
        q: FloatArray = -self.fit.moments.O[self.classes, self.periods] / self.size[:, None]
        q[np.arange(len(q)), self.periods] += 1
        return q

    @cached_property
    def _x(self) -> FloatArray:
        """(K, p) mean covariates about unit means."""
        return np.asarray(self.fit.moments.x[:, self.classes, self.periods].T / self.size[:, None])

    @property
    def _net_x(self) -> FloatArray:
        """(K, p) ``h``: mean covariates net of unit and period effects."""
        return np.asarray(self._x - self._period_weights @ self.fit.projection.T)


def read_untreated(
    panel: Panel,
    outcome: str,
    cohort: str,
    *,
    covariates: Sequence[str],
    anticipation: int,
    by: str | None,
    weights: str | None,
    vcov: Vcov,
) -> DidDesign:
    """The design without the treated observations whose untreated outcome cannot be imputed, named in notes."""
    design = read_design(
        panel,
        outcome,
        cohort,
        covariates=covariates,
        anticipation=anticipation,
        by=by,
        weights=weights,
        vcov=vcov,
    )
    untreated = untreated_cells(design, anticipation)
    gone = _unreachable(design, untreated)
    if not gone.any():
        return design
    treated = (design.event_time >= 0)[design.class_of] & ~gone
    if not (treated if design.observed is None else treated & design.observed).any():
        raise ModelError(
            f"No row treated according to {cohort!r} has an untreated outcome that could be imputed: their units are "
            f"not observed before treatment, or {UNLINKED['en']}. Give units never treated or treated later, and "
            "periods before treatment."
        )
    return without_rows(design, gone, REASON, _unreachable_notes(design, gone, untreated))


def untreated_cells(design: DidDesign, anticipation: int) -> BoolArray:
    """(C, T)"""
    return np.asarray(design.event_time < -anticipation, dtype=np.bool_)


def impute(design: DidDesign, untreated: BoolArray) -> Imputation:
    """Fit the untreated cells (C, T), and take what they predict off the outcome in the others."""
    fit = regress_classes(design, np.zeros((design.n_classes, 0, len(design.calendar))), untreated)
    classes, periods = np.nonzero(~untreated & (design.counts > 0))
    return Imputation(fit, classes, periods)


def lone_note(imputation: Imputation, codes: IntArray | None) -> tuple[Text, ...]:
    """A note that names the cohorts with cells of one unit or cluster, whose own deviation is zero."""
    design = imputation.design
    lone = (_clusters_by_cell(design, codes) == 1) & ~imputation.untreated
    cohorts = [str(design.label(first)) for first in np.unique(design.first[lone.any(axis=1)])]
    if not cohorts:
        return ()
    names = ", ".join(cohorts[:SHOWN]) + (", ..." if len(cohorts) > SHOWN else "")
    return (
        {
            "en": f"Some cells rest on a single treated {'unit' if codes is None else 'cluster'} (cohorts {names}): it "
            "does not differ from the cell's mean, so that standard errors of effects there hold only what the "
            "untreated observations add, and are too small.",
            "zh": f"部分单元格只有一个处理{'单元' if codes is None else '聚类'}（队列 {names}）："
            "它与单元格均值没有差异，因此其标准误只反映未处理观测的部分，偏小。",
        },
    )


def _clusters_by_cell(design: DidDesign, codes: IntArray | None) -> FloatArray:
    """(C, T) clusters, by default units, observed by class and period."""
    if codes is None:
        return design.n_rows
    clusters = np.zeros(design.event_time.shape)
    for c, rows in enumerate(design.classes):
        labels, local = np.unique(codes[rows], return_inverse=True)
        if design.observed is None:
            clusters[c] = len(labels)
            continue
        seen = sums_by_group(design.observed[rows].astype(np.float64), local, len(labels))
        clusters[c] = (seen > 0).sum(axis=0)
    return clusters


def _features(imputation: Imputation, centre: FloatArray, rows: slice, c: int) -> FloatArray:
    """(B, T + p) residuals, and those of untreated observations times each covariate, summed over periods."""
    E = imputation.residuals(centre, rows, c)
    if not imputation.design.covariates:
        return E
    untreated = E * imputation.untreated[c]
    scores = [np.einsum("it,it->i", X[rows], untreated) for X in imputation.design.covariates.values()]
    return np.column_stack([E, *scores])


def _unreachable(design: DidDesign, untreated: BoolArray) -> BoolArray:
    """(n, T) treated observations of a unit or a period that no chain of untreated observations links.

    Two periods are linked when a unit is seen untreated in both; a unit reaches the periods linked to its own.
    """
    T = untreated.shape[1]
    linked = np.zeros((T, T))
    for c, rows in enumerate(design.classes):
        both = _seen(design, rows, untreated[c]).astype(np.float64)
        linked += both.T @ both
    part = connected_components(linked > 0, directed=False)[1]
    gone = np.zeros((design.n_units, T), dtype=np.bool_)
    for c, rows in enumerate(design.classes):
        o = _seen(design, rows, untreated[c])
        home = np.where(o.any(axis=1), part[o.argmax(axis=1)], -1)
        gone[rows] = ~untreated[c] & (part != home[:, None])
    return gone if design.observed is None else gone & design.observed


def _seen(design: DidDesign, rows: slice, untreated: BoolArray) -> BoolArray:
    """(B, T) untreated observations of units of a class; a single row stands for all where every period is observed."""
    return untreated[None, :] if design.observed is None else design.observed[rows] & untreated


def _unreachable_notes(design: DidDesign, gone: BoolArray, untreated: BoolArray) -> tuple[Text, ...]:
    """The units never seen untreated, and the cells that lose other observations."""
    notes = list[Text]()
    before = [_seen(design, rows, untreated[c]).any(axis=1) for c, rows in enumerate(design.classes)]
    sizes = np.diff(design.starts)
    never = ~np.concatenate([np.broadcast_to(seen, size) for seen, size in zip(before, sizes, strict=True)])
    if never.any():
        names = name_units(design.panel.units[np.sort(design.units[never])])
        notes.append(
            {
                "en": f"Left out because they are not observed before treatment: {names}.",
                "zh": f"因没有处理前的观测而剔除：{names}。",
            }
        )
    lost = np.array([(gone[rows] & ~never[rows, None]).any(axis=0) for rows in design.classes])
    if lost.any():
        cells = [(int(c), int(t)) for c, t in zip(*np.nonzero(lost), strict=True)]
        notes.append(left_out(design, cells, UNLINKED))
    return tuple(notes)
