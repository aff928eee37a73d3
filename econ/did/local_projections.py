"""Local projections difference-in-differences: one regression of long differences for each horizon."""

from collections.abc import Mapping, Sequence

import numpy as np

from econ.did.cells import Cells
from econ.did.class_means import mean_influence
from econ.did.design import SHOWN, DidDesign, read_design
from econ.did.horizons import Horizon, Projection, by_class, by_unit
from econ.did.regression import class_loadings
from econ.did.result import DidResult, build_result, repeatable
from econ.errors import ModelError, OptionError
from econ.inference.covariance import Covariance
from econ.inference.influence import Influence, UnitInfluence, influence_covariance, influence_words
from econ.inference.layout import small_sample_factor
from econ.inference.specs import Cluster, Vcov
from econ.inference.words import cluster_words
from econ.linear.fit import IntArray
from econ.options import ControlGroup, ProjectionBase, ProjectionWeighting, check_word
from econ.panel import Panel
from econ.text import Text

LABEL: Text = {"en": "Local projections difference-in-differences", "zh": "局部投影双重差分"}


@repeatable
def local_projections(
    panel: Panel,
    outcome: str,
    *,
    cohort: str,
    window: tuple[int, int] | None = None,
    covariates: Sequence[str] = (),
    weighting: ProjectionWeighting = "variance",
    control: ControlGroup = "not_yet",
    base: ProjectionBase = "first_lag",
    weights: str | None = None,
    vcov: Vcov | None = None,
) -> DidResult:
    r"""LP-DiD (Dube, Girardi, Jorda and Taylor 2025).

    For each horizon h, over the dates t of the panel,

    .. math:: y_{i,t+h} - y_{i,t-1} = \beta_h \Delta D_{it} + \delta^h_t + x_{it}'\gamma_h + e^h_{it}

    on units that become treated in t and on clean controls, still untreated in t + h (in t where h < 0). ``beta_h`` is
    a mean of the cohorts' difference-in-differences h periods after treatment, none of them with a negative weight.

    Parameters
    ----------
    panel, outcome, cohort, weights : as in ``twfe``; always-treated units are left out.
    window : first and last horizon; ``None`` takes all there are.
    covariates : columns or expressions, taken in t; ``lag(x, 1)`` is the value before treatment.
    weighting : ``"variance"``: least squares, a cohort of n treated with m controls counts ``n m/(n + m)``, and with
        covariates effects must not depend on them. ``"equal"``: every treated unit counts the same: least squares in
        which rows of a date weigh ``(n + m)/m``; with covariates regression adjustment, the equation without D fitted
        on controls and taken off the outcomes of the treated.
    control : clean controls: ``"not_yet"``, also units treated after t + h; ``"never"``, only units never treated.
    base : what is taken off: the outcome of t - 1, ``"first_lag"``, or the mean of all the outcomes before t,
        ``"pre_mean"``.
    vcov : ``econ.cluster(column)``; by default by unit: G/(G-1) x (N-1)/(N-K) with each horizon's own clusters, rows
        and parameters (dates counted); G/(G-1) for regression adjustment.

    Returns
    -------
    DidResult with a term ``event_time::h`` per horizon but -1, which is zero or left out by construction; the joint
    covariance over horizons comes from the units' influences, each t has its horizon's degrees of freedom.

    Notes
    -----
    As in the authors' lpdid for Stata, rows of dates without a new treatment stay in the regressions of ``"variance"``
    (and of regression adjustment), where they count in N and K and inform ``gamma``.

    References
    ----------
    Dube, Girardi, Jorda and Taylor (2025), "A local projections approach to difference-in-differences", Journal of
    Applied Econometrics 40(7).

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").with_cohort(econ.roster("innovation_demonstration_zones"))
    >>> result = econ.did.local_projections(panel, "log(invention_grants)", cohort="cohort", window=(-2, 2))
    >>> result.terms
    ('event_time::-2', 'event_time::0', 'event_time::1', 'event_time::2')
    """
    check_word(weighting, ProjectionWeighting, "weighting")
    check_word(control, ControlGroup, "control")
    check_word(base, ProjectionBase, "base")
    design = read_design(
        panel, outcome, cohort, covariates=covariates, weights=weights, vcov=vcov, keep_singletons=True
    )
    fit = by_class if design.observed is None and not design.covariates else by_unit
    codes = _clusters(design)
    found, lost = list[Horizon](), list[int]()
    for projection in projections(design, window, control, base):
        horizon = fit(design, projection, weighting)
        if horizon is None or not _has_freedom(horizon, codes):
            lost.append(projection.h)
        else:
            found.append(horizon)
    if not found:
        raise ModelError(
            "No horizon can be estimated: at none are newly treated units and clean controls both observed in t + h "
            "and before t, unless covariates explain treatment. Check missing outcomes and covariates, or use "
            "control='not_yet'."
        )
    asked = {"weighting": weighting, "control": control, "base": base}
    return _label(design, found, codes, asked, _lost_note(lost))


# ---- horizons


def projections(
    design: DidDesign, window: tuple[int, int] | None, control: ControlGroup, base: ProjectionBase
) -> list[Projection]:
    """Newly treated and clean controls of every horizon, date by date."""
    finite = design.event_time[np.isfinite(design.event_time)]
    first, last = (int(finite.min()), int(finite.max())) if window is None else window
    if first > last:
        raise OptionError(f"window={window!r} is not allowed; give (first, last) horizons, such as (-3, 5).")
    calendar = design.calendar
    back = calendar[:, None] - calendar[None, :]  # periods from the column's to the row's
    before = (back > 0 if base == "pre_mean" else back == 1).astype(np.float64)
    found = []
    for h in [h for h in range(first, last + 1) if h != -1]:
        after = (-back == h).astype(np.float64)
        there = after.any(axis=1) & before.any(axis=1)
        limit = np.full(len(calendar), np.inf) if control == "never" else calendar + max(h, 0) + 1.0
        clean = (design.first[:, None] >= limit) & there
        found.append(Projection(h, (design.event_time == 0) & there, clean, after, before))
    return found


def _has_freedom(horizon: Horizon, codes: IntArray | None) -> bool:
    enough = horizon.n_rows > horizon.n_parameters or not horizon.n_parameters
    return enough and horizon.n_clusters(codes) > 1


def _lost_note(lost: list[int]) -> tuple[Text, ...]:
    if not lost:
        return ()
    names = ", ".join(map(str, lost[:SHOWN])) + (", ..." if len(lost) > SHOWN else "")
    return (
        {
            "en": f"Horizons without newly treated units, clean controls or degrees of freedom are left out: {names}.",
            "zh": f"以下期缺少新处理单元、干净对照或自由度，予以剔除：{names}。",
        },
    )


# ---- the result


def _clusters(design: DidDesign) -> IntArray | None:
    """(n,) cluster of each unit, None when it is its own."""
    spec = design.problem.vcov
    if not isinstance(spec, Cluster) or spec.columns[0] == design.panel.unit:
        return None
    return design.clusters(spec.columns[0])[0]


def _label(
    design: DidDesign, found: list[Horizon], codes: IntArray | None, asked: Mapping[str, str], notes: tuple[Text, ...]
) -> DidResult:
    times = np.array([horizon.h for horizon in found])
    size = np.array([horizon.size for horizon in found])
    influence, covariance = _covariance(design, found, codes)
    loadings = [horizon.loadings for horizon in found if horizon.loadings is not None]
    nothing = (None,) * len(found)
    return build_result(
        design,
        ("local_projections", LABEL),
        Cells(nothing, nothing, nothing, times.astype(np.float64), size, size),
        tuple(f"event_time::{h}" for h in times),
        np.array([horizon.coef for horizon in found]),
        covariance,
        loadings=class_loadings(design, np.array(loadings)) if loadings else None,
        influence=influence,
        spec=dict(asked)
        | {"covariates": list(design.covariates), "reference": -1 if asked["base"] == "first_lag" else None}
        | {"event_time": times.tolist()},
        labels={"event_time": {"label": "Event time", "label_zh": "相对处理期"}},
        notes=notes,
    )


def _covariance(design: DidDesign, found: list[Horizon], codes: IntArray | None) -> tuple[Influence, Covariance]:
    """Each horizon's influences times the root of its own small-sample factor, so that these enter covariances too."""
    spec = design.problem.vcov
    clusters = np.array([horizon.n_clusters(codes) for horizon in found])
    factor = np.array([_factor(horizon, int(G), spec) for horizon, G in zip(found, clusters, strict=True)])
    moves = [horizon.moves * root for horizon, root in zip(found, np.sqrt(factor), strict=True)]
    influence: Influence = UnitInfluence(np.column_stack(moves))
    if moves[0].ndim == 2:
        by_class = np.array(moves).transpose(1, 0, 2)
        influence = mean_influence(design, by_class[:, :, :-1], per_unit=by_class[:, :, -1])
    n_clusters = design.n_units if codes is None else int(codes.max()) + 1
    matrix = influence_covariance(influence, spec, codes, n_clusters, 1.0).matrix
    G = int(clusters.max())
    assert isinstance(spec, Cluster)
    regression = found[0].n_parameters > 0
    words = cluster_words(spec, (G,), has_effects=False) if regression else influence_words(spec, G)
    return influence, Covariance(matrix, clusters - 1.0, (G,), words[0], words[1], 1.0)


def _factor(horizon: Horizon, n_clusters: int, spec: Vcov) -> float:
    if not isinstance(spec, Cluster) or spec.correction != "CR1":
        return 1.0
    own = small_sample_factor(horizon.n_rows, horizon.n_parameters) if horizon.n_parameters else 1.0
    return own * n_clusters / (n_clusters - 1)
