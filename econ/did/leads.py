"""Effects by event time out of a result: leads, reference period and lags in order, with their covariance."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from econ.did.result import DidResult
from econ.errors import ModelError, OptionError
from econ.estimate import Estimate
from econ.linear.fit import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class EventPath:
    """Coefficients by event time, in order, without the reference period.

    Attributes
    ----------
    time : (n,) event times, increasing
    coef, vcov : (n,), (n, n)
    dof : of their t statistics, the smallest
    reference : the event time left out; None where every coefficient has a reference of its own
    anticipation : periods before treatment that count as treated
    """

    time: IntArray
    coef: FloatArray
    vcov: FloatArray
    dof: float
    reference: int | None
    anticipation: int

    @property
    def before(self) -> BoolArray:
        """(n,) coefficients that parallel trends say are zero: event times before treatment and anticipation."""
        return self.time < -self.anticipation

    @property
    def std_error(self) -> FloatArray:
        """(n,)"""
        return np.sqrt(np.diag(self.vcov))


def event_path(result: Estimate) -> EventPath:
    """The event-time coefficients of a result; one over cells is averaged by event time first.

    Event times are those of ``spec["event_time"]``: a mapping term -> time, or a list in the order of the terms
    ``event_time::...`` (of all terms where none has such a name). Other terms, such as covariates, are left out.

    Raises
    ------
    OptionError : the result is not by event time
    ModelError : no coefficient before treatment, or coefficients without a variance
    """
    if not isinstance(result, Estimate):
        raise OptionError(f"Give an Estimate by event time or a result over cells; got {type(result).__name__}.")
    estimate = result.aggregate("event") if isinstance(result, DidResult) else result
    times, rows = _event_terms(estimate)
    order = np.argsort(times, kind="stable")
    times, rows = times[order], rows[order]
    if len(np.unique(times)) < len(times):
        raise ModelError(f"Event time {times[:-1][np.diff(times) == 0][0]} has more than one coefficient; keep one.")
    reference = estimate.spec.get("reference")
    kept = times != reference
    path = EventPath(
        times[kept],
        estimate.coef[rows[kept]],
        estimate.vcov[np.ix_(rows[kept], rows[kept])],
        float(np.min(estimate.dof[rows], initial=np.inf)),
        None if reference is None else int(reference),
        int(estimate.spec.get("anticipation") or 0),
    )
    _check(path)
    return path


def symmetric_path(result: Estimate) -> tuple[EventPath, int]:
    """``event_path`` without gaps around the last period before treatment, and its number of leads.

    Raises
    ------
    ModelError : another reference period, a gap, nothing on one side of the reference period, or a singular covariance
    """
    path = event_path(result)
    last = -1 - path.anticipation
    if path.reference is None:
        raise ModelError(
            "The coefficients before treatment have no common reference period, so violations of parallel trends "
            "before and after it cannot be compared; estimate with one, such as base='universal' of callaway_santanna."
        )
    if path.reference != last:
        raise ModelError(
            f"The reference period is {path.reference}, but the last one before treatment is {last}; estimate with "
            f"reference={last}, or state the anticipation."
        )
    whole = np.sort(np.append(path.time, path.reference))
    missing = np.setdiff1d(np.arange(whole[0], whole[-1] + 1), whole)
    if missing.size:
        raise ModelError(
            f"Event times {', '.join(map(str, missing))} are missing between {whole[0]} and {whole[-1]}; leads and "
            "lags must be consecutive. Choose a window in which every event time has a coefficient."
        )
    n_leads = int((path.time < path.reference).sum())
    if n_leads == len(path.time):
        raise ModelError(f"There is no effect after the reference period {path.reference}; widen the window.")
    advice = "Choose a narrower window, such as aggregate('event', window=(-5, 5)) of a result over cells."
    refuse_singular(path, np.ones(len(path.time), dtype=np.bool_), advice)
    return path, n_leads


def _event_terms(estimate: Estimate) -> tuple[IntArray, IntArray]:
    """Event times and the positions of their terms."""
    given = estimate.spec.get("event_time")
    if given is None:
        raise OptionError(
            f"The terms of this {estimate.spec.get('estimator', 'estimate')} are no event times; give a result of "
            "event_study, callaway_santanna, sun_abraham or another estimator with effects by event time."
        )
    if isinstance(given, Mapping):
        terms, times = list(given), list(given.values())
    else:
        named = [term for term in estimate.terms if term.startswith("event_time::")]
        terms, times = named or list(estimate.terms), list(given)
    unknown = [str(term) for term in terms if term not in estimate.terms]
    if unknown or len(terms) != len(times):
        raise OptionError(
            f"spec['event_time'] has {len(times)} event times for {len(terms)} terms"
            + (f", of which {', '.join(unknown)} are not on the result" if unknown else "")
            + "; give one for each, or a mapping term -> event time."
        )
    rows = [estimate.terms.index(term) for term in terms]
    return np.array(times, dtype=np.intp), np.array(rows, dtype=np.intp)


def _check(path: EventPath) -> None:
    if not path.before.any():
        raise ModelError(
            "There is no coefficient before treatment besides the reference period, so nothing can be said about "
            "trends before it; widen the window, or use data from earlier periods."
        )
    known = np.isfinite(path.coef) & (path.std_error > 0)
    if not known.all():
        raise ModelError(
            f"Event times {', '.join(map(str, path.time[~known]))} have no estimate with a standard error; choose a "
            "window without them."
        )


def refuse_singular(path: EventPath, rows: BoolArray, advice: str) -> None:
    """Refuse coefficients whose covariance has no inverse."""
    s = path.std_error[rows]
    if np.linalg.eigvalsh(path.vcov[np.ix_(rows, rows)] / np.outer(s, s))[0] <= 1e-10:
        raise ModelError(
            f"The covariance of the {len(s)} coefficients at event times {path.time[rows][0]} to {path.time[rows][-1]} "
            f"is singular: some repeat others, or there are fewer clusters than coefficients. {advice}"
        )
