"""Two-way fixed effects: one coefficient for all treated rows."""

from collections.abc import Sequence
from dataclasses import replace

from econ.did.treatment import always_treated, event_time
from econ.estimate import Estimate
from econ.inference.covariance import Vcov
from econ.panel import Column, Panel
from econ.regress import feols
from econ.text import Text


def twfe(
    panel: Panel, outcome: str, *, cohort: str, covariates: Sequence[str] = (), vcov: Vcov | None = None
) -> Estimate:
    """Two-way fixed-effects regression of the outcome on treatment status.

    ``y_it = a_i + l_t + b D_it + x_it' g + u_it``, with ``D_it = 1`` from the unit's first treated period on.

    With treatment dates that differ and effects that vary, ``b`` is a weighted mean of the effects in treated cells in
    which weights can be negative (de Chaisemartin and D'Haultfoeuille 2020, Theorem 1); it is then no average effect.

    Parameters
    ----------
    panel : units over periods.
    outcome : column, or an expression such as ``log(y)``.
    cohort : column with the first treated period of each unit; missing = never treated.
    covariates : columns that vary over units and periods.
    vcov : covariance, by default clustered by unit: G/(G-1) x (N-1)/(N-K), t with G-1 degrees of freedom.

    Returns
    -------
    Estimate with the terms ``treated`` and the covariates.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").with_cohort(econ.roster("innovation_demonstration_zones"))
    >>> estimate = econ.did.twfe(panel, "log(invention_grants)", cohort="cohort")
    """
    treated = (event_time(panel, cohort) >= 0).astype(float)
    design = panel.assign(treated=treated).with_labels({"treated": Column(label="Treated", label_zh="处理后")})
    effects = " + ".join(name for name in (panel.unit, panel.time) if name)
    estimate = feols(design, f"{outcome} ~ {' + '.join(['treated', *covariates])} | {effects}", vcov=vcov)
    return replace(
        estimate,
        spec=dict(estimate.spec)
        | {
            "estimator": "twfe",
            "estimator_label": {"en": "Two-way fixed effects", "zh": "双向固定效应"},
            "cohort": cohort,
        },
        notes=(*estimate.notes, *always_treated_note(panel, cohort)),
    )


def always_treated_note(panel: Panel, cohort: str) -> tuple[Text, ...]:
    """A note that names the units treated in all their periods, if there are any."""
    units = always_treated(panel, cohort)
    if not units:
        return ()
    names = ", ".join(units)
    return (
        {
            "en": f"Treated in every period seen, so without a before-after comparison of their own: {names}.",
            "zh": f"以下单元在全部观测期内均已处理，自身没有处理前后对比：{names}。",
        },
    )
