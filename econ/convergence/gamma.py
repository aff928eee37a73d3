"""Gamma convergence: do regions change places in the ranking?"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import special, stats

from econ.convergence.grid import Grid, grid
from econ.errors import ModelError
from econ.linear.fit import FloatArray
from econ.panel import Panel
from econ.text import Text


@dataclass(frozen=True, eq=False)
class Gamma:
    """Rank concordance over time.

    Attributes
    ----------
    path : ``period, n, gamma, statistic, p_value, gamma_all, statistic_all, p_value_all``; one row per period after
        the first
    spec : what was asked for, as plain JSON
    notes : what a reader must know
    """

    path: pd.DataFrame
    spec: dict[str, Any]
    notes: tuple[Text, ...] = ()


def gamma(panel: Panel, x: str) -> Gamma:
    r"""Boyle and McCarthy's index of rank concordance with the first period, and Kendall's test.

    ``gamma_t = Var(R_it + R_i0) / Var(2 R_i0)`` with ``R_it`` the rank of region i in period t; ``gamma_all_t`` takes
    all periods so far, ``Var(sum_{s=0..t} R_is) / Var((t + 1) R_i0)`` (Boyle and McCarthy 1997). One means
    that the order has not changed; the lower, the more regions have changed places, and with sigma convergence absent
    a falling gamma shows catching-up that dispersion does not.

    Both are Kendall's coefficients of concordance W of m = 2 and m = t + 1 rankings. Ties take the mean of their ranks
    and W is corrected for them (Kendall and Gibbons 1990, ch. 6), so that with ties ``gamma`` differs slightly from the
    plain ratio of variances. ``statistic = m (n - 1) W`` is chi-squared with n - 1 degrees of freedom if the rankings
    are independent: a small p-value means that places persist, not that they change.

    Parameters
    ----------
    panel : regions over periods. Regions that lack ``x`` in any period in which it is known are left out and named.
    x : any numeric variable.

    Examples
    --------
    >>> import econ
    >>> from econ.convergence.gamma import gamma
    >>> path = gamma(econ.load("provinces"), "gdp_per_capita").path
    >>> round(float(path["gamma"].iloc[0]), 3)
    0.998
    """
    found = grid(panel, x)
    complete = ~np.isnan(found.values).any(axis=1)
    if complete.sum() < 3:
        raise ModelError(
            f"Ranks of {x!r} need at least 3 regions with values in all {len(found.periods)} periods; found "
            f"{int(complete.sum())}. Take a shorter span with panel.where(...)."
        )
    ranks = stats.rankdata(found.values[complete], axis=0)
    _refuse_equal(ranks, found, x)
    rows = [_row(ranks, t) for t in range(1, len(found.periods))]
    path = pd.DataFrame(rows)
    path.insert(0, "period", list(found.periods[1:]))
    spec = {"estimator": "gamma", "outcome": x, "base": found.periods[0], "dataset": panel.dataset}
    spec |= {"labels": panel.labels([x])}
    return Gamma(path, spec, (*panel.notes, *_left_out(found.units[~complete], x)))


def concordance(ranks: FloatArray) -> float:
    """Kendall's W of (n, m) mean ranks, corrected for ties.

    ``W = S / S_max``: ``S`` the sum of squared deviations of the rank sums; ``S_max`` as if all rankings agreed,
    ``m^2 (n^3 - n) / 12 - m sum_j T_j / 12``, where ``(n^3 - n - T_j) / 12`` are the squared deviations of ranking j.
    """
    n, m = ranks.shape
    sums = ranks.sum(axis=1)
    squares = ((ranks - (n + 1) / 2) ** 2).sum(axis=0)
    return float(((sums - sums.mean()) ** 2).sum() / (m * squares.sum()))


def _row(ranks: FloatArray, t: int) -> dict[str, Any]:
    n = len(ranks)
    row: dict[str, Any] = {"n": n}
    for suffix, columns in (("", [0, t]), ("_all", list(range(t + 1)))):
        w = concordance(ranks[:, columns])
        statistic = len(columns) * (n - 1) * w
        row |= {f"gamma{suffix}": w, f"statistic{suffix}": statistic}
        row[f"p_value{suffix}"] = float(special.chdtrc(n - 1, statistic))
    return row


def _refuse_equal(ranks: FloatArray, found: Grid, x: str) -> None:
    equal = (ranks == ranks[0]).all(axis=0)
    if equal.any():
        raise ModelError(
            f"{x!r} has the same value everywhere in {found.periods[int(np.argmax(equal))]}, so there is no ranking; "
            "leave this period out with panel.where(...)."
        )


def _left_out(units: Any, x: str) -> tuple[Text, ...]:
    if not len(units):
        return ()
    names = [str(unit) for unit in units]
    return (
        {
            "en": f"Left out of the ranking because {x} is not known in every period: {', '.join(names)}.",
            "zh": f"因部分时期缺少数据而未计入排序的地区：{'、'.join(names)}。",
        },
    )
