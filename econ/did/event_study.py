"""Event study: two-way fixed effects with one coefficient per period since treatment."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from econ.did.treatment import event_time
from econ.did.twfe import always_treated_note
from econ.errors import OptionError
from econ.estimate import Estimate
from econ.inference.covariance import Vcov
from econ.linear.fit import FloatArray
from econ.panel import Column, Panel
from econ.regress import feols
from econ.text import Text


def event_study(
    panel: Panel,
    outcome: str,
    *,
    cohort: str,
    window: tuple[int, int] | None = None,
    reference: int = -1,
    covariates: Sequence[str] = (),
    vcov: Vcov | None = None,
) -> Estimate:
    """Dynamic two-way fixed-effects regression on event time.

    ``y_it = a_i + l_t + sum_{e != reference} b_e 1(t - g_i = e) + x_it' c + u_it``; units never treated have no
    event time. ``b_e`` is the effect ``e`` periods after the first treated one, relative to the reference period, if
    effects are the same for every cohort; otherwise it mixes effects of other event times (Sun and Abraham 2021,
    Proposition 3).

    Parameters
    ----------
    panel, outcome, cohort, covariates, vcov : as in ``twfe``.
    window : first and last event time with a coefficient of its own; earlier and later ones are binned into these two
        endpoints. ``None`` keeps every event time.
    reference : the event time that is left out.

    Returns
    -------
    Estimate with a term ``event_time::e`` per event time; ``spec["event_time"]`` lists them, ``spec["reference"]`` the
    one left out, and ``spec["window"]`` the binned endpoints.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").with_cohort(econ.roster("innovation_demonstration_zones"))
    >>> estimate = econ.did.event_study(panel, "log(invention_grants)", cohort="cohort", window=(-5, 5))
    """
    since = _bin(event_time(panel, cohort), window)
    _check_reference(since, reference)
    design = panel.assign(event_time=np.where(np.isnan(since), reference, since).astype(np.int64))
    design = design.with_labels({"event_time": Column(label="Event time", label_zh="相对处理期")})
    effects = " + ".join(name for name in (panel.unit, panel.time) if name)
    terms = " + ".join([f"i(event_time, ref={reference})", *covariates])
    estimate = feols(design, f"{outcome} ~ {terms} | {effects}", vcov=vcov)
    return replace(
        estimate,
        spec=dict(estimate.spec)
        | {
            "estimator": "event_study",
            "estimator_label": {"en": "Event study, two-way fixed effects", "zh": "事件研究（双向固定效应）"},
            "cohort": cohort,
            "event_time": [int(term.split("::")[1]) for term in estimate.terms if term.startswith("event_time::")],
            "reference": reference,
            "window": None if window is None else list(window),
        },
        notes=(*estimate.notes, *_window_note(window), *always_treated_note(panel, cohort)),
    )


def _bin(since: FloatArray, window: tuple[int, int] | None) -> FloatArray:
    if window is None:
        return since
    first, last = window
    if not first < 0 <= last:
        raise OptionError(
            f"window={window!r} is not allowed; give (first, last) with first < 0 <= last, such as (-5, 5)."
        )
    return np.clip(since, first, last)


def _check_reference(since: FloatArray, reference: int) -> None:
    present = np.unique(since[~np.isnan(since)]).astype(int)
    if reference not in present:
        raise OptionError(
            f"reference={reference} is no event time of this panel; choose one of {', '.join(map(str, present))}."
        )


def _window_note(window: tuple[int, int] | None) -> tuple[Text, ...]:
    if window is None:
        return ()
    first, last = window
    return (
        {
            "en": f"Event times up to {first} and from {last} on are binned into one coefficient each.",
            "zh": f"相对处理期 {first} 及以前、{last} 及以后各合并为一个系数。",
        },
    )
