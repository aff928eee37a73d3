"""What the violations of parallel trends may be: unions of polyhedra ``{delta : A delta <= d}``.

``delta`` (P + Q,) are the violations in the P periods before the reference period and the Q after it, in order; in the
reference period it is zero. Only inequalities that involve a period after it are kept: the others restrict nothing
that the target depends on, and as moments of a test they cost power (HonestDiD's ``postPeriodMomentsOnly``).
"""

from dataclasses import dataclass

import numpy as np

from econ.linear.fit import FloatArray
from econ.options import BiasRestriction


@dataclass(frozen=True, eq=False)
class BiasSet:
    """A union of C polyhedra that differ only in what the periods before treatment contribute.

    Attributes
    ----------
    A : (C, m, P + Q)
    d : (m,)
    n_leads : P
    """

    A: FloatArray
    d: FloatArray
    n_leads: int

    @property
    def post(self) -> FloatArray:
        """(m, Q) columns of the periods after treatment, the same in all polyhedra."""
        return self.A[0, :, self.n_leads :]


def relative_magnitudes(P: int, Q: int, bound: float, restriction: BiasRestriction | None) -> BiasSet:
    """``|delta_t - delta_{t-1}|`` after the reference period at most ``bound`` times its maximum up to it.

    Rambachan and Roth (2023), section 2.4.1: the union over which of the P differences is the largest, and its sign.
    """
    step = first_differences(P, Q)
    largest = bound * np.concatenate([step[:P], -step[:P]])
    after, shape = step[P:], _shape(P, Q, restriction)
    bounded = np.concatenate([after, -after])
    A = np.concatenate([bounded - largest[:, None], np.broadcast_to(shape, (2 * P, *shape.shape))], axis=1)
    return BiasSet(A, np.zeros(A.shape[1]), P)


def smoothness(P: int, Q: int, bound: float, restriction: BiasRestriction | None) -> BiasSet:
    """``|delta_{t+1} - 2 delta_t + delta_{t-1}| <= bound`` for all t (Rambachan and Roth 2023, section 2.4.2)."""
    bend = np.diff(first_differences(P, Q), axis=0)[P - 1 :]
    shape = _shape(P, Q, restriction)
    A = np.concatenate([bend, -bend, shape])
    return BiasSet(A[None], np.concatenate([np.full(2 * Q, bound), np.zeros(len(shape))]), P)


def first_differences(P: int, Q: int) -> FloatArray:
    """(P + Q, P + Q) changes of ``delta`` from each period to the next, those up to the reference period first."""
    return np.delete(np.diff(np.eye(P + Q + 1), axis=0), P, axis=1)


def _shape(P: int, Q: int, restriction: BiasRestriction | None) -> FloatArray:
    """(0 or Q, P + Q) rows of the inequalities ``row @ delta <= 0`` of a sign or a direction."""
    match restriction:
        case "increasing":
            return -first_differences(P, Q)[P:]
        case "decreasing":
            return first_differences(P, Q)[P:]
        case "positive":
            return -np.eye(P + Q)[P:]
        case "negative":
            return np.eye(P + Q)[P:]
    return np.zeros((0, P + Q))
