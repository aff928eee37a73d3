"""Borusyak, Jaravel and Spiess: what treated observations would have been, imputed from the untreated ones."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from econ.did.cells import Cells
from econ.did.class_means import cluster_codes, clustered
from econ.did.design import DidDesign
from econ.did.regression import ClassRegression, cell_terms, class_loadings, regress_classes
from econ.did.result import DidResult, build_result, repeatable
from econ.did.untreated import Imputation, impute, lone_note, read_untreated, untreated_cells
from econ.errors import OptionError
from econ.inference.covariance import cluster
from econ.inference.influence import ClassInfluence, joined, sums_by_group
from econ.inference.specs import Vcov
from econ.linear.fit import BoolArray, FloatArray, IntArray
from econ.panel import Panel
from econ.text import Text

LABEL: Text = {"en": "Imputation (Borusyak, Jaravel and Spiess)", "zh": "插补估计（Borusyak-Jaravel-Spiess）"}


@repeatable
def imputation(
    panel: Panel,
    outcome: str,
    *,
    cohort: str,
    covariates: Sequence[str] = (),
    anticipation: int = 0,
    leads: int = 0,
    by: str | None = None,
    weights: str | None = None,
    vcov: Vcov | None = None,
) -> DidResult:
    r"""Imputation estimator (Borusyak, Jaravel and Spiess 2024).

    Unit and period effects and the covariates' coefficients are fitted to the untreated observations alone; what they
    predict is taken off the treated ones, and the differences are averaged:

    .. math:: \hat\tau_{it} = Y_{it} - \hat\alpha_i - \hat\lambda_t - x_{it}'\hat\gamma, \qquad
       \hat\tau_{gt} = \text{mean of } \hat\tau_{it} \text{ over units first treated in } g

    which, if trends without treatment are parallel, is efficient under homoskedastic errors. Untreated are the units
    never treated and, more than ``anticipation`` periods before treatment, those treated later.

    Parameters
    ----------
    panel, outcome : units over periods; column or expression such as ``log(y)``.
    cohort : column with the first treated period of each unit; missing = never treated. Treated observations of units
        never seen untreated, or in periods without untreated units, are left out with a note.
    covariates : columns or expressions that vary over units and periods and that treatment does not change.
    anticipation : periods before treatment in which it may have effects; they are imputed too.
    leads : number of event times right before treatment (and anticipation) whose coefficients test for parallel trends
        (section 4.4). They come from a regression on untreated observations only, of the outcome on indicators of
        these event times pooled over cohorts, beside the effects and covariates; the reference are all earlier
        periods and the never treated. The effects of treatment do not depend on them.
    by : column, constant within units, for effects of each cohort by group.
    weights : column of weights, constant within units.
    vcov : ``econ.cluster(column)`` for clusters coarser than units; by default by unit with ``kind="CR0"``: no
        small-sample factor, as in the authors' Stata command and R's didimputation.

    Returns
    -------
    DidResult over the leads and the (cohort, period) cells. Averages take sizes of cells as given numbers, as in the
    paper. ``aggregate("event")`` has the leads at their negative event times.

    Notes
    -----
    Standard errors are the conservative ones of section 4.3: residuals of treated observations are deviations of their
    effect from an average over their (cohort, period) cell, :math:`\sum_k s_k \sum_{i \in k} w_i \hat\tau_{it} /
    \sum_k s_k^2` over clusters k with :math:`s_k = \sum_{i \in k} w_i`; that is the cell's mean when clusters are units
    of equal weight. Stata's ``did_imputation`` does the same by default (``avgeffectsby``); R's didimputation weighs by
    :math:`w_i^2` whatever the clusters. The fewer units a cell has the smaller are these residuals, and where it has
    one, which a note names, they vanish. For small cohorts the authors advise averages over more than a cell;
    ``two_stage``, whose averages take deviations from the average itself, is of that kind. t statistics have G-1
    degrees of freedom.

    References
    ----------
    Borusyak, Jaravel and Spiess (2024), "Revisiting event-study designs: robust and efficient estimation", Review of
    Economic Studies 91(6).

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").with_cohort(econ.roster("innovation_demonstration_zones"))
    >>> result = econ.did.imputation(panel, "log(invention_grants)", cohort="cohort", leads=2)
    >>> result.aggregate("event", window=(-2, 1)).terms
    ('event_time::-2', 'event_time::-1', 'event_time::0', 'event_time::1')
    """
    design = read_untreated(
        panel,
        outcome,
        cohort,
        covariates=covariates,
        anticipation=anticipation,
        by=by,
        weights=weights,
        vcov=vcov or cluster(panel.unit, kind="CR0"),
    )
    untreated = untreated_cells(design, anticipation)
    found = impute(design, untreated)
    codes = cluster_codes(design)[0]
    coef, effects, terms, loadings = found.coef, found.cells, cell_terms(found.cells), found.loadings()
    influence = found.influence(_averages(found, codes))
    if _whole_number(leads):
        test, before = _pretest(design, untreated, anticipation, leads)
        coef, effects = np.concatenate([test.coef, coef]), before.followed_by(effects)
        terms = (*(f"event_time::{e:.0f}" for e in before.event_time), *terms)
        loadings = np.concatenate([test.loadings(), loadings])
        influence = joined([_first(test.influence(), leads), influence])
    return build_result(
        design,
        ("imputation", LABEL),
        effects,
        (*terms, *design.covariates),
        np.concatenate([coef, found.fit.gamma]),
        clustered(design, influence),
        loadings=None if design.covariates else class_loadings(design, loadings),
        influence=influence,
        spec={"anticipation": anticipation, "leads": leads, "fixed_effects": [panel.unit, panel.time]},
        notes=lone_note(found, codes),
    )


def _averages(found: Imputation, codes: IntArray | None) -> FloatArray:
    """(C, T) averages of effects by cell that their residuals are taken from, zero in untreated cells."""
    design = found.design
    if codes is None and design.unit_weights is None:
        return found.by_cell(found.coef)
    centre: FloatArray = np.zeros(found.untreated.shape)
    for c in np.unique(found.classes):
        rows = design.classes[c]
        w = np.ones((rows.stop - rows.start, 1)) if design.unit_weights is None else design.unit_weights[rows, None]
        o = np.ones(centre.shape[1]) if design.observed is None else design.observed[rows]
        size, total = w * o, w * found.fit.residuals(rows, c)
        if codes is not None:
            labels, local = np.unique(codes[rows], return_inverse=True)
            size, total = (sums_by_group(part, local, len(labels)) for part in (size, total))
        squares = (size**2).sum(axis=0)
        centre[c] = np.divide((size * total).sum(axis=0), squares, out=np.zeros_like(squares), where=squares > 0)
    return centre * ~found.untreated


def _whole_number(leads: int) -> int:
    if isinstance(leads, bool) or not isinstance(leads, int | np.integer) or leads < 0:
        raise OptionError(f"leads={leads!r} is not allowed; give a whole number of event times, 0 or more.")
    return int(leads)


def _pretest(design: DidDesign, untreated: BoolArray, anticipation: int, leads: int) -> tuple[ClassRegression, Cells]:
    """The regression on untreated cells with one indicator for each of the last event times, and these."""
    times = np.arange(-anticipation - leads, -anticipation, dtype=np.float64)
    at = design.event_time[:, None, :] == times[None, :, None]
    fit = regress_classes(design, at.astype(np.float64), untreated)
    if not fit.kept.all():
        raise OptionError(
            f"leads={leads} is not allowed here: a lead needs untreated observations at its event time, and the leads "
            "together earlier ones of some treated unit to compare with. Give fewer leads."
        )
    size = np.einsum("ct,ckt->k", design.counts, at)
    units = np.einsum("c,ck->k", design.class_weight, at.any(axis=2))
    return fit, Cells((None,) * leads, (None,) * leads, (None,) * leads, times, size, units)


def _first(influence: ClassInfluence, n: int) -> ClassInfluence:
    """On the first n parameters only."""
    return replace(influence, loadings=influence.loadings[:, :n], constants=influence.constants[:, :n])
