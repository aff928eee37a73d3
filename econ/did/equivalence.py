"""Evidence that trends before treatment were parallel, up to a threshold."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from econ.did.leads import event_path
from econ.errors import OptionError
from econ.estimate import Estimate
from econ.linear.fit import FloatArray
from econ.options import check_level
from econ.text import Text


@dataclass(frozen=True, eq=False, repr=False)
class Equivalence:
    """Tests whose null hypothesis is a violation of parallel trends before treatment.

    Attributes
    ----------
    tests : ``version`` (``max``, ``mean``, ``rms`` of the leads), ``estimate``, ``smallest_threshold`` at which
        equivalence is concluded, and ``p_value, equivalent`` where a threshold was given
    leads : ``event_time, estimate, std_error, ci_low, ci_high``, the interval that must lie within the threshold (its
        level is ``2 level - 1``), ``smallest_threshold``, and ``p_value`` where a threshold was given
    threshold : in the outcome's unit of measure, or None
    spec : what was asked for, as plain JSON
    notes : what a reader must know
    """

    tests: pd.DataFrame
    leads: pd.DataFrame
    threshold: float | None
    spec: Mapping[str, Any]
    notes: tuple[Text, ...]

    def summary(self) -> str:
        """Everything a reader of a console needs, as text."""
        given = "no threshold given" if self.threshold is None else f"threshold {self.threshold:g}"
        frames = [frame.to_string(index=False, float_format=lambda x: f"{x:.6g}") for frame in (self.tests, self.leads)]
        return "\n".join(
            [
                f"Equivalence of trends before treatment: {self.spec['estimator_label']['en']}, {self.spec['outcome']}",
                f"Tests at {100 * (1 - self.spec['level']):.4g} %, {given}",
                "",
                frames[0],
                "",
                frames[1],
                "",
                *(f"Note: {note['en']}" for note in self.notes),
            ]
        )

    def __repr__(self) -> str:
        return self.summary()


def equivalence(result: Estimate, threshold: float | None = None, level: float = 0.95) -> Equivalence:
    r"""Test whether the leads are so small that trends before treatment are parallel for all that matters.

    A pre-trend test that does not reject may lack power; here the burden of proof is turned around (Hartman and Hidalgo
    2018; Dette and Schumann 2024). With P leads ``b ~ N(beta, V)``, a threshold d and ``alpha = 1 - level``, the null
    hypotheses are rejected as follows.

    * ``max``: ``max_e |beta_e| >= d``. Two one-sided tests for each lead, all of which must reject (intersection-union,
      so that no correction is needed): ``|b_e| + t_{1-alpha} se_e <= d`` for all e.
    * ``mean``: ``|mean_e beta_e| >= d``. Two one-sided tests of the mean. Leads of opposite signs cancel.
    * ``rms``: ``(mean_e beta_e^2)^{1/2} >= d``. Rejected if ``|b| + t_{1-alpha} lambda^{1/2} <= P^{1/2} d``, lambda the
      largest eigenvalue of V. That is conservative: ``|b| >= u'b`` with u the direction of beta, and ``u'b`` is normal
      with mean ``|beta|`` and a variance of at most lambda.

    ``smallest_threshold`` is the d at which each of them just rejects.

    Dette and Schumann test the first two by quantiles of the folded normal distribution, which reject more often: also
    where a lead is near zero by luck, however imprecise it is. Two one-sided tests conclude equivalence only if the
    whole interval of level ``1 - 2 alpha`` lies within the threshold. Their third test is scaled by estimates on parts
    of the sample, which coefficients and covariance do not hold.

    Parameters
    ----------
    result : effects by event time; a result over cells is averaged by event time.
    threshold : the largest violation that would not matter, in the outcome's unit; None finds the smallest thresholds
        only.
    level : one minus the size of the tests. Critical values are of t with the result's degrees of freedom.

    References
    ----------
    Dette and Schumann (2024), "Testing for equivalence of pre-trends in difference-in-differences estimation", Journal
    of Business & Economic Statistics 42(4). Hartman and Hidalgo (2018), "An equivalence approach to balance and placebo
    tests", American Journal of Political Science 62(4).

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").with_cohort(econ.roster("innovation_demonstration_zones"))
    >>> result = econ.did.event_study(panel, "log(invention_grants)", cohort="cohort", window=(-5, 5))
    >>> found = econ.did.equivalence(result, threshold=0.1)
    >>> found.tests["version"].tolist()
    ['max', 'mean', 'rms']
    """
    check_level(level)
    if threshold is not None and not (np.isfinite(threshold) and threshold > 0):
        raise OptionError(f"threshold={threshold!r} is not allowed; give a positive number in the outcome's unit.")
    path = event_path(result)
    pre = path.before
    b, V, se = path.coef[pre], path.vcov[np.ix_(pre, pre)], path.std_error[pre]
    single, mean, rms = _distances(b, V, path.dof, level)
    width = single.critical * se
    leads = pd.DataFrame(
        {
            "event_time": path.time[pre],
            "estimate": b,
            "std_error": se,
            "ci_low": b - width,
            "ci_high": b + width,
            "smallest_threshold": single.smallest,
        }
    )
    tests = pd.DataFrame(
        {
            "version": ["max", "mean", "rms"],
            "estimate": [x.size.max() for x in (single, mean, rms)],
            "smallest_threshold": [x.smallest.max() for x in (single, mean, rms)],
        }
    )
    if threshold is not None:
        leads["p_value"] = single.p_value(threshold)
        tests["p_value"] = [x.p_value(threshold).max() for x in (single, mean, rms)]
        tests["equivalent"] = tests["smallest_threshold"] <= threshold
    spec = {"estimator": result.spec["estimator"], "estimator_label": result.spec["estimator_label"]}
    return Equivalence(tests, leads, threshold, spec | {"outcome": result.outcome, "level": level}, result.notes)


@dataclass(frozen=True, eq=False)
class _Distance:
    """Sizes that are to be shown to be small, with bounds on their standard errors."""

    size: FloatArray
    std_error: FloatArray
    dof: float
    level: float

    @property
    def critical(self) -> float:
        return float(special.stdtrit(self.dof, self.level))

    @property
    def smallest(self) -> FloatArray:
        return self.size + self.critical * self.std_error

    def p_value(self, threshold: float) -> FloatArray:
        return np.asarray(special.stdtr(self.dof, (self.size - threshold) / self.std_error))


def _distances(b: FloatArray, V: FloatArray, dof: float, level: float) -> tuple[_Distance, _Distance, _Distance]:
    """The single leads, their mean, and their root mean square."""
    P, longest = len(b), float(np.linalg.eigvalsh(V)[-1])
    return (
        _Distance(np.abs(b), np.sqrt(np.diag(V)), dof, level),
        _Distance(np.abs([b.mean()]), np.sqrt([V.sum()]) / P, dof, level),
        _Distance(np.sqrt([np.mean(b**2)]), np.sqrt([longest / P]), dof, level),
    )
