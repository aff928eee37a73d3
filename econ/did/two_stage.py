"""Gardner: effects regressed on treatment, once unit and period effects of the untreated are taken off."""

from collections.abc import Sequence

import numpy as np

from econ.did.class_means import cluster_codes, clustered
from econ.did.regression import cell_terms, class_loadings
from econ.did.result import DidResult, build_result, repeatable
from econ.did.untreated import Imputation, impute, lone_note, read_untreated, untreated_cells
from econ.inference.covariance import cluster
from econ.inference.influence import ClassInfluence, joined
from econ.inference.specs import Vcov
from econ.linear.fit import FloatArray
from econ.panel import Panel
from econ.text import Text

LABEL: Text = {"en": "Two-stage (Gardner)", "zh": "两阶段估计（Gardner）"}


@repeatable
def two_stage(
    panel: Panel,
    outcome: str,
    *,
    cohort: str,
    covariates: Sequence[str] = (),
    anticipation: int = 0,
    by: str | None = None,
    weights: str | None = None,
    vcov: Vcov | None = None,
) -> DidResult:
    r"""Two-stage difference-in-differences (Gardner 2022).

    The first stage fits unit and period effects and the covariates' coefficients to the untreated observations; the
    second regresses what is left of every outcome on treatment, without a constant:

    .. math:: \hat\tau_{it} = Y_{it} - \hat\alpha_i - \hat\lambda_t - x_{it}'\hat\gamma, \qquad
       \hat\tau_{it} = \sum_{g,t} \tau_{gt} 1(i \text{ first treated in } g, \text{ period } t) + v_{it}

    ``aggregate("overall")`` is the second stage on a single treatment indicator, ``"event"``, ``"cohort"``,
    ``"period"`` and ``"group"`` those on indicators of event times and so on, each with its own standard errors. The
    estimates are those of ``imputation``; the standard errors are not.

    Parameters
    ----------
    panel, outcome, cohort, covariates, anticipation, by, weights : as in ``imputation``.
    vcov : ``econ.cluster(column)`` for clusters coarser than units; by default by unit with ``kind="CR0"``: no
        small-sample factor, as in R's did2s.

    Returns
    -------
    DidResult over (cohort, period) cells.

    Notes
    -----
    Standard errors are those of both stages as one method-of-moments problem (Newey and McFadden 1994, section 6;
    Gardner 2022): with regressors :math:`X_1` of the first stage, :math:`X_{10}` the same but zero in treated rows,
    :math:`X_2` of the second and residuals :math:`e, v`, the influence of unit i is
    :math:`(X_2'X_2)^{-1} [X_{2i}'v_i - X_2'X_1 (X_{10}'X_{10})^{-1} X_{10i}'e_i]`. In a second stage on fewer
    indicators than cells v holds the differences of effects between cells as well, which is the same as taking the
    cells' sizes as estimated; that is how averages get their standard errors here. t statistics have G-1 degrees of
    freedom.

    References
    ----------
    Gardner (2022), "Two-stage differences in differences", arXiv:2207.05943.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").with_cohort(econ.roster("innovation_demonstration_zones"))
    >>> result = econ.did.two_stage(panel, "log(invention_grants)", cohort="cohort")
    >>> result.aggregate("event", window=(0, 1)).terms
    ('event_time::0', 'event_time::1')
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
    found = impute(design, untreated_cells(design, anticipation))
    effects = found.cells
    influence = joined([found.influence(found.by_cell(found.coef)), _share_influence(found)])
    return build_result(
        design,
        ("two_stage", LABEL),
        effects,
        (*cell_terms(effects), *design.covariates),
        np.concatenate([found.coef, found.fit.gamma]),
        clustered(design, influence),
        shares=effects.size / effects.size.sum(),
        loadings=None if design.covariates else class_loadings(design, found.loadings()),
        influence=influence,
        spec={"anticipation": anticipation, "fixed_effects": [panel.unit, panel.time]},
        notes=lone_note(found, cluster_codes(design)[0]),
    )


def _share_influence(found: Imputation) -> ClassInfluence:
    """Influences of the units on the cells' shares in all treated observations: their own treated observations.

    What they would be measured about drops out of every average, as the gradient adds up to zero over the shares.
    """
    design, K = found.design, len(found.classes)
    C, T = found.untreated.shape
    total = found.size.sum()
    constants = np.zeros((C, K))
    if design.observed is None:
        constants[found.classes, np.arange(K)] = 1 / total
        return ClassInfluence(_nothing, design.starts, np.zeros((C, K, 0)), constants, design.unit_weights)
    loadings = np.zeros((C, K, T))
    loadings[found.classes, np.arange(K), found.periods] = 1 / total
    observed = design.observed

    def features(rows: slice, _: int) -> FloatArray:
        return observed[rows].astype(np.float64)

    return ClassInfluence(features, design.starts, loadings, constants, design.unit_weights)


def _nothing(rows: slice, _: int) -> FloatArray:
    return np.zeros((rows.stop - rows.start, 0))
