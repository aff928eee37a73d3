"""Many small linear programs of one shape, solved together as one block-diagonal program."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from econ.errors import ModelError
from econ.linear.fit import FloatArray

CELLS = 250_000  # coefficients solved at once: enough to hide the overhead of a call, few enough for the caches
ROUNDING = 1e-12  # of a solution, columns scaled: a basic variable that is zero
TOLERANCE = 1e-10  # on constraints and reduced costs, the smallest that HiGHS takes
OPTIMAL, INFEASIBLE = 0, 2  # of scipy's statuses
OPTIONS = {"presolve": False, "primal_feasibility_tolerance": TOLERANCE, "dual_feasibility_tolerance": TOLERANCE}


@dataclass(frozen=True, eq=False)
class Programs:
    """P programs: minimise ``cost' v`` subject to ``A v <= b``, ``E v = e``, ``0 <= v <= upper``.

    Attributes
    ----------
    cost, upper : (P, V)
    A, b : (P, R, V), (P, R); R may be zero
    E, e : (P, Q, V), (P, Q); Q may be zero
    """

    cost: FloatArray
    A: FloatArray
    b: FloatArray
    E: FloatArray
    e: FloatArray
    upper: FloatArray

    def __len__(self) -> int:
        return len(self.cost)

    def __getitem__(self, part: slice) -> "Programs":
        return Programs(*(getattr(self, name)[part] for name in ("cost", "A", "b", "E", "e", "upper")))


def solve(programs: Programs) -> FloatArray:
    """(P, V) solutions, NaN throughout a program that has none.

    Each column is first divided by its largest coefficient, so that a unit ten thousand times the size of another does
    not push its weight below the solver's tolerance. The programs then are the blocks of one sparse program that HiGHS'
    dual simplex solves in about a tenth of a millisecond a block; where the whole has no solution it is halved until
    the blocks to blame stand alone.
    """
    size = np.maximum(np.abs(programs.A).max(axis=1, initial=0), np.abs(programs.E).max(axis=1, initial=0))
    size = np.where(size > 0, size, 1.0)
    scaled = Programs(
        programs.cost / size, programs.A / size[:, None], programs.b, programs.E / size[:, None], programs.e,
        programs.upper * size,
    )  # fmt: skip
    step = max(1, CELLS // max(1, (programs.A[0].size + programs.E[0].size)))
    found = [_solve(scaled[start : start + step]) for start in range(0, len(programs), step)]
    v = np.concatenate(found)
    return np.where(np.abs(v) < ROUNDING, 0.0, v) / size


def _solve(programs: Programs) -> FloatArray:
    n = len(programs)
    minimise: Any = linprog  # its stubs know no sparse matrices
    result = minimise(
        programs.cost.ravel(),
        A_ub=_diagonal(programs.A) if programs.A.size else None,
        b_ub=programs.b.ravel() if programs.A.size else None,
        A_eq=_diagonal(programs.E) if programs.E.size else None,
        b_eq=programs.e.ravel() if programs.E.size else None,
        bounds=np.stack([np.zeros(programs.upper.size), programs.upper.ravel()], axis=1),
        method="highs-ds",
        options=OPTIONS,
    )
    if result.status == OPTIMAL:
        return np.asarray(result.x.reshape(programs.cost.shape))
    if n > 1:
        return np.concatenate([_solve(programs[: n // 2]), _solve(programs[n // 2 :])])
    if result.status == INFEASIBLE:
        return np.full(programs.cost.shape, np.nan)
    raise ModelError(f"A linear program could not be solved ({result.message}); look for extreme values in the data.")


def _diagonal(blocks: FloatArray) -> sparse.csc_array:
    """(P R, P V) block-diagonal matrix of dense blocks (P, R, V)."""
    P, R, V = blocks.shape
    rows = np.arange(P)[:, None, None] * R + np.broadcast_to(np.arange(R), (P, V, R))
    starts = np.arange(P * V + 1) * R
    return sparse.csc_array((blocks.transpose(0, 2, 1).ravel(), rows.ravel(), starts), shape=(P * R, P * V))
