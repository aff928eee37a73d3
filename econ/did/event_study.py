"""Event study: two-way fixed effects with one coefficient per period since treatment."""

from collections.abc import Sequence

import numpy as np

from econ.did.cells import Cells
from econ.did.design import read_design
from econ.did.regression import kept_terms, regress_classes, regression_result
from econ.did.result import DidResult, repeatable
from econ.errors import OptionError
from econ.inference.specs import Vcov
from econ.linear.fit import FloatArray
from econ.panel import Panel
from econ.text import Text

LABEL: Text = {"en": "Event study, two-way fixed effects", "zh": "事件研究（双向固定效应）"}


@repeatable
def event_study(
    panel: Panel,
    outcome: str,
    *,
    cohort: str,
    window: tuple[int, int] | None = None,
    reference: int = -1,
    covariates: Sequence[str] = (),
    weights: str | None = None,
    vcov: Vcov | None = None,
) -> DidResult:
    """Dynamic two-way fixed-effects regression on event time.

    ``y_it = a_i + l_t + sum_{e != reference} b_e 1(t - g_i = e) + x_it' c + u_it``; units never treated have no
    event time. ``b_e`` is the effect ``e`` periods after the first treated one, relative to the reference period, if
    effects are the same for every cohort; otherwise it mixes effects of other event times (Sun and Abraham 2021,
    Proposition 3).

    Parameters
    ----------
    panel, outcome, cohort, covariates, weights, vcov : as in ``twfe``.
    window : first and last event time with a coefficient of its own; earlier and later ones are binned into these two
        endpoints. ``None`` keeps every event time.
    reference : the event time that is left out.

    Returns
    -------
    DidResult with a term ``event_time::e`` per event time; ``spec["event_time"]`` lists them, ``spec["reference"]`` the
    one left out, and ``spec["window"]`` the binned endpoints.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").with_cohort(econ.roster("innovation_demonstration_zones"))
    >>> estimate = econ.did.event_study(panel, "log(invention_grants)", cohort="cohort", window=(-5, 5))
    """
    design = read_design(
        panel, outcome, cohort, covariates=covariates, weights=weights, vcov=vcov, keep_always_treated=True
    )
    since = _bin(np.where(np.isfinite(design.event_time), design.event_time, np.nan), window)
    times = _event_times(since, reference)
    fit = regress_classes(design, (since[:, None, :] == times[None, :, None]).astype(np.float64))
    terms, lost = kept_terms(fit, [f"event_time::{e:.0f}" for e in times])
    times = times[fit.kept]
    at = since[None, :, :] == times[:, None, None]
    effects = Cells(
        (None,) * len(times),
        (None,) * len(times),
        (None,) * len(times),
        times,
        (design.counts * at).sum(axis=(1, 2)),
        (design.class_weight * at.any(axis=2)).sum(axis=1),
    )
    spec = {
        "event_time": [int(e) for e in times],
        "reference": reference,
        "window": None if window is None else list(window),
    }
    return regression_result(
        fit,
        ("event_study", LABEL),
        effects,
        terms,
        [f"i(event_time, ref={reference})"],
        labels={"event_time": {"label": "Event time", "label_zh": "相对处理期"}},
        spec=spec,
        notes=(*_window_note(window), *lost),
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


def _event_times(since: FloatArray, reference: int) -> FloatArray:
    """Event times with a coefficient: those present but the reference."""
    present = np.unique(since[~np.isnan(since)])
    if reference not in present:
        raise OptionError(
            f"reference={reference} is no event time of this panel; choose one of "
            f"{', '.join(f'{e:.0f}' for e in present)}."
        )
    others: FloatArray = present[present != reference]
    return others


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
