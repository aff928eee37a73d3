"""Tests of trends before treatment, and what such a test would have missed (Roth 2022)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize, special

from econ.did.leads import EventPath, event_path, refuse_singular
from econ.did.rectangle import rectangle_probability, rectangle_tilt
from econ.did.result import DidResult
from econ.errors import ModelError, OptionError
from econ.estimate import Estimate
from econ.inference.wald import WaldTest, wald
from econ.linear.fit import FloatArray
from econ.options import check_level
from econ.text import Text

NO_REFERENCE: Text = {
    "en": "The coefficients before treatment have no common reference period, so a linear trend has no one path "
    "through them and the power against it is left out; estimate with one, such as base='universal' of "
    "callaway_santanna.",
    "zh": "处理前各系数没有共同基准期，无法给出线性趋势下的检验功效；可改用共同基准期，"
    "例如callaway_santanna的base='universal'。",
}


@dataclass(frozen=True, eq=False, repr=False)
class Pretrends:
    """Tests of the coefficients before treatment, and the trends that they would miss.

    Attributes
    ----------
    joint : Wald test that all of them are zero: the result's own, which are cohorts by period where it is over cells;
        None where their covariance is singular
    by_event_time : the same for their averages by event time, of a result over cells
    leads : ``event_time, estimate, std_error, statistic, p_value``
    critical_value : of the t statistic of one lead
    passed : no single lead is significant
    size : probability that one is, if trends are parallel
    power : ``power, slope, bayes_factor, likelihood_ratio_up, likelihood_ratio_down``, one row per power asked for
    bias : ``power, event_time, trend, mean_if_passed``; what the coefficients are on average if the effect is zero and
        the trend has the slope of that power: always, and given that no lead is significant
    spec : what was asked for, as plain JSON
    notes : what a reader must know
    """

    joint: WaldTest | None
    by_event_time: WaldTest | None
    leads: pd.DataFrame
    critical_value: float
    passed: bool
    size: float
    power: pd.DataFrame
    bias: pd.DataFrame
    spec: Mapping[str, Any]
    notes: tuple[Text, ...]

    def summary(self) -> str:
        """Everything a reader of a console needs, as text."""
        lines = [f"Trends before treatment: {self.spec['estimator_label']['en']}, {self.spec['outcome']}"]
        if self.joint is not None:
            lines.append(f"All coefficients before treatment are zero: {_words(self.joint)}")
        if self.by_event_time is not None:
            lines.append(f"Averages by event time are zero: {_words(self.by_event_time)}")
        found = "No lead is" if self.passed else "Some lead is"
        lines.append(f"{found} significant at {100 * (1 - self.spec['level']):g} % (|t| > {self.critical_value:.3f})")
        lines.append(f"If trends are parallel, some lead is significant with probability {self.size:.3f}")
        frames = [self.leads, self.power] + ([] if self.bias.empty else [_wide(self.bias)])
        for frame in frames:
            if not frame.empty:
                lines += ["", frame.to_string(index=False, float_format=lambda x: f"{x:.6g}")]
        return "\n".join([*lines, "", *(f"Note: {note['en']}" for note in self.notes)])

    def __repr__(self) -> str:
        return self.summary()


def pretrends(result: Estimate, power: Sequence[float] = (0.5, 0.8), level: float = 0.95) -> Pretrends:
    r"""Test for trends before treatment, and the linear trends that the usual look at them would miss (Roth 2022).

    * Joint test: ``W = b'V^-1 b`` of the P coefficients before treatment, as F with the result's degrees of freedom and
      as chi-squared.
    * Power: the usual pre-test is whether any single lead has ``|t| > c``. With a trend of slope s relative to parallel
      trends the coefficients have mean ``s (e - reference)`` at event time e, and the pre-test rejects with probability
      ``1 - P(|b_e| <= c se_e for all leads)``, ``b ~ N(mean, V)``. ``slope`` is the positive s at which that is
      ``power``; the negative one has the same.
    * ``bayes_factor``: probability of passing with this trend over that of passing under parallel trends.
      ``likelihood_ratio_up`` and ``_down``: density of the leads as estimated with this trend, or with its negative,
      over that under parallel trends.
    * Bias: mean of the coefficients given that the pre-test passes, ``mean + V_{.,pre} q`` with q of the truncated
      normal distribution (Tallis 1961; Manjunath and Wilhelm 2021).

    Parameters
    ----------
    result : effects by event time; or over cells: then the joint test is of the cells, and ``by_event_time`` and the
        rest of their averages. With anticipation, before treatment means before it.
    power : shares of samples in which the pre-test finds the trend, larger than what it finds under parallel trends.
    level : one minus the size of the test of each lead, whose critical value is that of t with the result's degrees of
        freedom. R's ``pretrends`` has 1.96.

    References
    ----------
    Roth (2022), "Pretest with caution: event-study estimates after testing for parallel trends", American Economic
    Review: Insights 4(3).

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").with_cohort(econ.roster("innovation_demonstration_zones"))
    >>> result = econ.did.event_study(panel, "log(invention_grants)", cohort="cohort", window=(-5, 5))
    >>> found = econ.did.pretrends(result)
    >>> found.leads["event_time"].tolist()
    [-5, -4, -3, -2]
    >>> print(found.joint)
    F(4, 30) = 7.0890, p = 0.0004
    """
    check_level(level)
    _check_powers(power)
    path = event_path(result)
    pre = path.before
    refuse_singular(path, pre, "Choose a window with fewer leads.")
    joint, by_event_time, notes = _joint_tests(result, path)
    critical = float(special.stdtrit(path.dof, (1 + level) / 2))
    statistic = path.coef[pre] / path.std_error[pre]
    leads = pd.DataFrame(
        {
            "event_time": path.time[pre],
            "estimate": path.coef[pre],
            "std_error": path.std_error[pre],
            "statistic": statistic,
            "p_value": 2 * special.stdtr(path.dof, -np.abs(statistic)),
        }
    )
    test = _PreTest(path, critical)
    found = [] if path.reference is None else [_against_trend(test, float(share)) for share in power]
    return Pretrends(
        joint=joint,
        by_event_time=by_event_time,
        leads=leads,
        critical_value=critical,
        passed=bool((np.abs(statistic) <= critical).all()),
        size=1 - test.passes(0.0),
        power=pd.DataFrame([row for row, _ in found], columns=POWER),
        bias=pd.concat([part for _, part in found], ignore_index=True) if found else pd.DataFrame(columns=BIAS),
        spec={
            "estimator": result.spec["estimator"],
            "estimator_label": result.spec["estimator_label"],
            "outcome": result.outcome,
            "level": level,
        },
        notes=(*result.notes, *notes, *([NO_REFERENCE] if path.reference is None else [])),
    )


POWER = ["power", "slope", "bayes_factor", "likelihood_ratio_up", "likelihood_ratio_down"]
BIAS = ["power", "event_time", "trend", "mean_if_passed"]


@dataclass(frozen=True, eq=False)
class _PreTest:
    """Whether any lead is significant, as a function of a linear trend."""

    path: EventPath
    critical: float

    def trend(self, slope: float) -> FloatArray:
        """(n,) means of all coefficients; zero at the reference period."""
        origin = 0 if self.path.reference is None else self.path.reference
        return slope * (self.path.time - origin).astype(np.float64)

    def passes(self, slope: float) -> float:
        """Probability that no lead is significant."""
        return rectangle_probability(*self._rectangle(slope))

    def tilt(self, slope: float) -> FloatArray:
        return rectangle_tilt(*self._rectangle(slope))

    def _rectangle(self, slope: float) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        pre = self.path.before
        edge = self.critical * self.path.std_error[pre]
        return self.trend(slope)[pre], self.path.vcov[np.ix_(pre, pre)], -edge, edge

    def slope(self, power: float) -> float:
        """The slope found with this probability."""
        size = 1 - self.passes(0.0)
        if power <= size:
            raise OptionError(
                f"power={power!r}: under parallel trends already some lead is significant with probability {size:.3f}; "
                "ask for more."
            )
        reach = self.path.std_error[self.path.before] / np.abs(self.trend(1.0)[self.path.before])
        top = float((self.critical + special.ndtri(power)) * reach.min())  # one lead alone has this power there
        return float(optimize.brentq(lambda s: 1 - self.passes(s) - power, 0.0, 1.001 * top, xtol=1e-12 * top))


def _against_trend(test: _PreTest, power: float) -> tuple[dict[str, float], pd.DataFrame]:
    slope, pre = test.slope(power), test.path.before
    mean, V = test.trend(slope), test.path.vcov
    weighted = np.linalg.solve(V[np.ix_(pre, pre)], mean[pre])
    linear, square = float(weighted @ test.path.coef[pre]), float(weighted @ mean[pre]) / 2
    row = {
        "power": power,
        "slope": slope,
        "bayes_factor": test.passes(slope) / test.passes(0.0),
        "likelihood_ratio_up": float(np.exp(linear - square)),
        "likelihood_ratio_down": float(np.exp(-linear - square)),
    }
    passed = mean + V[:, pre] @ test.tilt(slope)
    bias = {"power": power, "event_time": test.path.time, "trend": mean, "mean_if_passed": passed}
    return row, pd.DataFrame(bias)


def _joint_tests(result: Estimate, path: EventPath) -> tuple[WaldTest | None, WaldTest | None, list[Text]]:
    pre = path.before
    by_event_time = wald(path.coef, path.vcov, np.eye(len(pre))[pre], dof=path.dof)
    if not isinstance(result, DidResult) or all(cohort is None for cohort in result.effects.cohort):
        return by_event_time, None, []
    cells = np.zeros(len(result.coef), dtype=np.bool_)
    cells[: result.n_effects] = result.effects.event_time < -path.anticipation
    try:
        joint = wald(result.coef, result.vcov, np.eye(len(cells))[cells], dof=float(np.min(result.dof[cells])))
    except ModelError:
        return None, by_event_time, [_singular_note(int(cells.sum()))]
    return joint, by_event_time, []


def _singular_note(n: int) -> Text:
    return {
        "en": f"The covariance of the {n} cells before treatment is singular (more cells than clusters can tell "
        "apart), so they have no joint test; their averages by event time have.",
        "zh": f"处理前{n}个单元格的协方差矩阵奇异（单元格多于聚类所能区分的数目），"
        "无法联合检验，仅检验其按相对处理期的平均。",
    }


def _check_powers(power: Sequence[float]) -> None:
    if not len(power) or not all(0 < share < 1 for share in power):
        raise OptionError(f"power={power!r} is not allowed; give shares between 0 and 1, such as (0.5, 0.8).")


def _words(test: WaldTest) -> str:
    return f"{test}; chi2({test.dof_num}) = {test.statistic_chi2:.4f}, p = {test.p_value_chi2:.4f}"


def _wide(bias: pd.DataFrame) -> pd.DataFrame:
    """One row per event time, the means at each power side by side."""
    wide = bias.pivot(index="event_time", columns="power", values=["trend", "mean_if_passed"])
    wide.columns = wide.columns.map(lambda key: f"{key[0]}, power {key[1]:g}")
    return wide.reset_index()
