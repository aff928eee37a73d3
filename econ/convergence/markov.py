"""Markov chains of classes of a distribution: how mobile are regions, and where does the distribution go?"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from econ.convergence import chain
from econ.convergence.grid import (
    Grid,
    Quantiles,
    by_quantile,
    check_classes,
    class_cutoffs,
    classify,
    cutoff_frame,
    grid,
    refuse_empty_classes,
)
from econ.errors import ModelError, OptionError
from econ.linear.fit import FloatArray, IntArray
from econ.options import check_word
from econ.panel import Panel
from econ.text import Text

DRIFT = 0.5  # share of the variance between periods from which pooled classes are mostly a matter of the period


@dataclass(frozen=True, eq=False)
class Markov:
    """A first-order Markov chain over classes 1 (lowest) to k.

    Attributes
    ----------
    spans : (R, k, k) moves by subperiod, from the class of the row to that of the column in one step
    limits : (T or 1, k - 1), upper limits of all classes but the last, by period or for all
    periods : (T,) labels of the periods
    spec : what was asked for, as plain JSON
    said : what a reader must know of the panel and the classes

    Everything else is worked out when it is first asked for.
    """

    spans: IntArray
    limits: FloatArray
    periods: tuple[Any, ...]
    spec: dict[str, Any]
    said: tuple[Text, ...] = ()

    @cached_property
    def notes(self) -> tuple[Text, ...]:
        """What a reader must know."""
        return (*self.said, *_reducible(self._closed))

    @cached_property
    def counts(self) -> pd.DataFrame:
        """k x k moves from the class of the index to that of the column in one step."""
        return _square(self._n)

    @cached_property
    def transitions(self) -> pd.DataFrame:
        """k x k probabilities ``p_ij = n_ij / n_i``; rows add up to 1."""
        return _square(self._p)

    @cached_property
    def std_errors(self) -> pd.DataFrame:
        """k x k standard errors ``sqrt(p_ij (1 - p_ij) / n_i)`` (Anderson and Goodman 1957)."""
        return _square(chain.probability_errors(self._n))

    @cached_property
    def steady_state(self) -> "pd.Series[float]":
        """Ergodic distribution ``pi = pi P`` by class; missing, with a note, if there is more than one."""
        return _by_class(chain.ergodic(self._p) if self._unique else np.full(len(self._p), np.nan), "steady_state")

    @cached_property
    def mobility(self) -> pd.DataFrame:
        """``index, estimate, std_error``; 0 = nobody moves.

        ``shorrocks`` (also Prais) ``(k - tr P) / (k - 1)``; ``determinant`` ``1 - |det P|``; ``second_eigenvalue``
        ``1 - |lambda_2|``; ``bartholomew`` ``sum_i pi_i sum_j p_ij |i - j| / (k - 1)`` with the ergodic ``pi``.
        Standard errors by the delta method.
        """
        return pd.DataFrame(
            {
                "index": chain.MOBILITY,
                "estimate": chain.mobility(self._p, self._unique),
                "std_error": chain.mobility_errors(self._p, self._n.sum(axis=1), self._unique),
            }
        )

    @cached_property
    def sojourn(self) -> "pd.Series[float]":
        """Expected steps in a class once entered, ``1 / (1 - p_ii)``; infinite for a class that is never left."""
        with np.errstate(divide="ignore"):
            return _by_class(1 / (1 - np.diag(self._p)), "sojourn")

    @cached_property
    def first_passage(self) -> pd.DataFrame:
        """k x k expected steps from the class of the index until that of the column is reached first.

        On the diagonal until the return (``1 / pi_i``); infinite where reaching it is not certain.
        """
        return _square(chain.first_passage(self._p))

    @cached_property
    def test(self) -> pd.DataFrame:
        """``test, statistic, dof, p_value``: homogeneity over the subperiods."""
        return homogeneity_frame(self.spans)

    @cached_property
    def cutoffs(self) -> pd.DataFrame:
        """``period, 1, ..., k - 1``: upper limits of the classes; one row, period ``all``, if they do not change."""
        return cutoff_frame(self.limits, self.periods)

    @cached_property
    def _n(self) -> IntArray:
        return np.asarray(self.spans.sum(axis=0))

    @cached_property
    def _p(self) -> FloatArray:
        return chain.transition_matrix(self._n)

    @cached_property
    def _closed(self) -> list[IntArray]:
        return chain.closed_classes(self._p)

    @property
    def _unique(self) -> bool:
        return len(self._closed) == 1


def markov(
    panel: Panel,
    x: str,
    classes: int | Sequence[float] = 5,
    *,
    quantiles: Quantiles = "by_period",
    subperiods: int = 2,
) -> Markov:
    r"""Transition probabilities between classes of ``x``, and what follows from them.

    ``p_ij = P(class of x_i,t+1 = j | class of x_i,t = i)``, estimated by ``n_ij / n_i`` over all units and steps (Quah
    1993; Rey 2001). A step leads from a period in which ``x`` is known to the next one; a unit that lacks either value
    contributes no move. Standard errors and tests take cut-offs as given and moves as independent.

    Homogeneity over time compares the matrices of ``subperiods`` spans of about equal length: likelihood ratio and
    Pearson's chi-squared (Anderson and Goodman 1957; Bickenbach and Bode 2003), cells that are empty
    in all spans left out of the degrees of freedom.

    Parameters
    ----------
    panel : regions over periods.
    x : any numeric variable.
    classes : number of quantile classes; or increasing cut-offs ``c_1 < ... < c_{k-1}``, in the units of ``x``. Class j
        is ``(c_{j-1}, c_j]``.
    quantiles : ``"by_period"``: classes are the quantiles of each period, so only changes of rank move a region, and
        the ergodic distribution merely repeats the sizes of the classes; ``"pooled"``: of all periods together, for an
        ``x`` relative to the mean of its period. Quantiles are linear between order statistics (Hyndman and Fan's type
        7).
    subperiods : spans compared by the test, at most the number of steps.

    Examples
    --------
    >>> import econ
    >>> from econ.convergence.markov import markov
    >>> result = markov(econ.load("provinces"), "gdp_per_capita", classes=4)
    >>> result.counts.loc[1].tolist()
    [142, 10, 0, 0]
    """
    k = check_classes(classes)
    check_word(quantiles, Quantiles, "quantiles")
    found = grid(panel, x)
    cutoffs = class_cutoffs(found.values, classes, quantiles)
    codes = classify(found.values, cutoffs)
    refuse_empty_classes(codes, cutoffs, found, x)
    spans = _spans(codes, k, subperiods)
    refuse_unseen_origins(spans, x)
    said = (*panel.notes, *found.spacing_note(), *drift_note(found, classes, quantiles, x))
    spec = {"estimator": "markov", "outcome": x, "classes": k, "dataset": panel.dataset, "labels": panel.labels([x])}
    spec |= {"rule": class_rule(classes, quantiles), "subperiods": subperiods}
    spec |= {"n_units": len(found.units), "periods": [found.periods[0], found.periods[-1]]}
    return Markov(spans, cutoffs, found.periods, spec, said)


def _square(values: "IntArray | FloatArray") -> pd.DataFrame:
    """A k x k frame over classes 1, ..., k."""
    return pd.DataFrame(values, index=_classes(values, "from"), columns=_classes(values, "to"))


def _by_class(values: FloatArray, name: str) -> "pd.Series[float]":
    return pd.Series(values, index=_classes(values, "from"), name=name)


def _classes(values: "IntArray | FloatArray", name: str) -> pd.RangeIndex:
    return pd.RangeIndex(1, len(values) + 1, name=name)


def class_rule(classes: int | Sequence[float], quantiles: Quantiles) -> str:
    """How classes were made: ``by_period``, ``pooled`` or ``cutoffs``."""
    return quantiles if by_quantile(classes) else "cutoffs"


def homogeneity_frame(counts: IntArray) -> pd.DataFrame:
    """``test, statistic, dof, p_value`` of the homogeneity of (R, k, k) counts."""
    found = chain.homogeneity(counts)
    statistics = np.array([found.likelihood_ratio, found.chi_squared])
    return pd.DataFrame(
        {
            "test": ["likelihood_ratio", "chi_squared"],
            "statistic": statistics,
            "dof": int(found.dof),
            "p_value": special.chdtrc(float(found.dof), statistics),
        }
    )


def refuse_unseen_origins(counts: IntArray, x: str) -> None:
    """Refuse a class from which no move starts in any of (R, k, k): its row of probabilities is undefined."""
    empty = np.flatnonzero(counts.sum(axis=(0, 2)) == 0)
    if len(empty):
        raise ModelError(
            f"No unit of {x!r} is in class {empty[0] + 1} with a value in the next period, so its transition "
            "probabilities are undefined. Use fewer classes or other cut-offs."
        )


def drift_note(found: Grid, classes: int | Sequence[float], quantiles: Quantiles, x: str) -> tuple[Text, ...]:
    """A note where one set of cut-offs holds for all periods though most of the variance is between periods."""
    if by_quantile(classes) and quantiles == "by_period":
        return ()
    known = ~np.isnan(found.values)
    means = np.nansum(found.values, axis=0) / known.sum(axis=0)
    total = np.nanvar(found.values)
    share = float(known.sum(axis=0) @ (means - np.nanmean(found.values)) ** 2 / known.sum() / total) if total else 0.0
    if share < DRIFT:
        return ()
    percent = f"{100 * share:.0f}"
    return (
        {
            "en": f"{percent}% of the variance of {x} is between periods, so moves between classes with fixed limits "
            "mostly follow the common trend; divide by the mean of the period first.",
            "zh": f"{x}的方差有{percent}%来自各期之间，按固定界限分组时，组间转移主要反映共同趋势；宜先除以当期均值。",
        },
    )


def _spans(codes: IntArray, k: int, subperiods: int) -> IntArray:
    """(subperiods, k, k) counts of spans of about equal numbers of steps."""
    steps = codes.shape[1] - 1
    if not 2 <= subperiods <= max(steps, 2):
        raise OptionError(f"subperiods={subperiods} is not allowed; give 2 to {max(steps, 2)} (the number of steps).")
    return chain.count_transitions(codes, k, np.arange(steps) * subperiods // steps, subperiods)


def _reducible(closed: list[IntArray]) -> tuple[Text, ...]:
    if len(closed) == 1:
        return ()
    sets = ["{" + ", ".join(str(state + 1) for state in states) + "}" for states in closed]
    return (
        {
            "en": f"The classes {' and '.join(sets)} are never left once entered, so the ergodic distribution (and "
            "Bartholomew's index, which uses it) is not unique and is left missing.",
            "zh": f"进入{'、'.join(sets)}后不再离开，遍历分布不唯一，故遍历分布及以其为权的Bartholomew指数留空。",
        },
    )
