"""Sensitivity of effects to violations of parallel trends (Rambachan and Roth 2023)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import special

from econ.did.bias_sets import first_differences, relative_magnitudes, smoothness
from econ.did.honest_clf import MOST_VERTICES, Accepted, HybridTest, accepted, hybrid_test, vertices
from econ.did.honest_flci import SmoothPath, smooth_path
from econ.did.leads import EventPath, symmetric_path
from econ.errors import ModelError, OptionError
from econ.estimate import Estimate
from econ.linear.fit import FloatArray
from econ.options import BiasRestriction, HonestBound, check_level, check_word
from econ.text import Text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from econ.report.figures import Plot

DOUBLINGS, HALVINGS = 20, 24  # the breakdown value is looked for up to 2^20 units, then to 2^-24 of its size

SYMBOLS: Mapping[HonestBound, str] = {"relative_magnitude": "Mbar", "smoothness": "M"}
BOUNDS: Mapping[HonestBound, Text] = {
    "relative_magnitude": {
        "en": "From one period to the next, violations of parallel trends change after treatment by at most Mbar times "
        "the largest change before it",
        "zh": "处理后平行趋势偏离的逐期变化不超过处理前最大变化的Mbar倍",
    },
    "smoothness": {
        "en": "The slope of violations of parallel trends changes by at most M from one period to the next",
        "zh": "平行趋势偏离的斜率逐期变化不超过M",
    },
}
RESTRICTIONS: Mapping[BiasRestriction | None, Text] = {
    None: {"en": "", "zh": ""},
    "increasing": {"en": ", and they do not fall over time", "zh": "，且不随时间下降"},
    "decreasing": {"en": ", and they do not rise over time", "zh": "，且不随时间上升"},
    "positive": {"en": ", and after treatment they are not negative", "zh": "，且处理后不为负"},
    "negative": {"en": ", and after treatment they are not positive", "zh": "，且处理后不为正"},
}
CLF: Text = {"en": "conditional least-favourable hybrid (C-LF)", "zh": "条件—最不利混合检验（C-LF）"}
FLCI: Text = {"en": "optimal fixed length (FLCI)", "zh": "最优固定长度区间（FLCI）"}

INSTEAD: Text = {
    "en": "A fixed-length interval could make no use of the restriction, so C-LF takes its place.",
    "zh": "固定长度区间无法利用该约束，故改用C-LF。",
}
REJECTED: Text = {
    "en": "The data reject every effect, and so the bound itself, at {}.",
    "zh": "在{}处数据拒绝一切效应值，即拒绝该约束本身。",
}
GAPS: Text = {
    "en": "The values accepted at {} have gaps; their smallest and largest are shown.",
    "zh": "在{}处接受域有间断，所示为其最小值与最大值。",
}


@dataclass(frozen=True, eq=False, repr=False)
class Honest:
    """Confidence intervals for an effect under bounds on the violations of parallel trends.

    Attributes
    ----------
    intervals : ``bound, ci_low, ci_high``, one row per value of the bound; an interval is missing where the data
        reject the bound itself
    original : the interval under parallel trends, ``estimate -+ z std_error``
    breakdown : the largest bound at which zero is outside the interval; None where it is inside even at bound zero,
        infinite where it is outside at every bound
    estimate, std_error : of the target, in the outcome's unit of measure
    spec : what was asked for, as plain JSON
    labels : column -> its labels, as on an Estimate
    notes : what a reader must know
    """

    intervals: pd.DataFrame
    original: tuple[float, float]
    breakdown: float | None
    estimate: float
    std_error: float
    spec: dict[str, Any]
    labels: Mapping[str, Mapping[str, str]]
    notes: tuple[Text, ...]

    def breakdown_words(self, lang: str = "en") -> str:
        """The breakdown value as a sentence."""
        return _breakdown_words(self.breakdown, SYMBOLS[self.spec["bound"]])[lang]

    def summary(self) -> str:
        """Everything a reader of a console needs, as text."""
        percent = f"{100 * self.spec['level']:g} %"
        low, high = self.original
        table = self.intervals.rename(columns={"bound": SYMBOLS[self.spec["bound"]]})
        return "\n".join(
            [
                f"Sensitivity to violations of parallel trends: {self.spec['outcome']}, {_target_words(self.spec)}",
                f"{percent} intervals, {self.spec['method']['en']}",
                f"Under parallel trends: {self.estimate:.6g} [{low:.6g}, {high:.6g}]",
                "",
                table.to_string(index=False, float_format=lambda x: f"{x:.6g}"),
                "",
                self.breakdown_words(),
                *(f"Note: {note['en']}" for note in self.notes),
            ]
        )

    def __repr__(self) -> str:
        return self.summary()

    def plot(self, ax: "Axes | None" = None) -> "Plot":
        """Intervals by bound, beside the interval under parallel trends."""
        from econ.report import honest_plot

        return honest_plot(self, ax=ax)


def honest(
    result: Estimate,
    bound: HonestBound = "relative_magnitude",
    grid: Sequence[float] | None = None,
    target: int | Sequence[float] | None = None,
    restriction: BiasRestriction | None = None,
    level: float = 0.95,
) -> Honest:
    r"""Confidence intervals for an effect under bounds on violations of parallel trends (Rambachan and Roth 2023).

    ``b = (0, tau) + delta + noise`` with the leads first: effects tau after the reference period, violations delta of
    parallel trends in all periods but the reference, where ``delta = 0``. The interval covers ``l'tau`` for every delta
    with

    * ``"relative_magnitude"``: ``|delta_{t+1} - delta_t| <= Mbar max_{s < 0} |delta_{s+1} - delta_s|`` for
      ``t >= 0``, with the reference period as 0 (Delta^RM, section 2.4);
    * ``"smoothness"``: ``|delta_{t+1} - 2 delta_t + delta_{t-1}| <= M`` for all t (Delta^SD); ``M = 0`` extrapolates a
      linear trend.

    Relative magnitudes are tested by the hybrid of the conditional and the least favourable test (C-LF, a tenth of the
    level for the latter; Andrews, Roth and Pakes 2023), for every place at which the largest change before treatment
    may have been and both its signs; the interval holds what any of these tests accepts. Smoothness alone has the
    fixed-length interval that is shortest (FLCI; Armstrong and Kolesar 2018). With a restriction it has C-LF too,
    because an interval of fixed length cannot make use of one.

    Parameters
    ----------
    result : effects by event time with one lead or more; a result over cells is averaged by event time.
    bound : which violations are bounded.
    grid : values of Mbar (a ratio) or of M (in the outcome's unit); default 0, 0.5, ..., 2, or four steps up to the
        largest second difference of the leads (with one lead: up to its standard error).
    target : event time, or the weights l of all effects after the reference period; default the first of them.
    restriction : violations ``"increasing"`` or ``"decreasing"`` over time, or ``"positive"`` or ``"negative"`` after
        treatment.
    level : of the intervals.

    Notes
    -----
    Normal critical values throughout, as in HonestDiD, whatever the degrees of freedom of the result. Ends of intervals
    and the breakdown value are found by bisection, not on a grid; least favourable critical values with 8,192
    quasi-random points, the same on every call. HonestDiD has 1,000 random draws and reports points of its grid, so
    that it differs by up to a few hundredths of a standard error.

    References
    ----------
    Rambachan and Roth (2023), "A more credible approach to parallel trends", Review of Economic Studies 90(5). Andrews,
    Roth and Pakes (2023), "Inference for linear conditional moment inequalities", Review of Economic Studies 90(6).
    Armstrong and Kolesar (2018), "Optimal inference in a class of regression models", Econometrica 86(2).

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").with_cohort(econ.roster("innovation_demonstration_zones"))
    >>> result = econ.did.event_study(panel, "log(invention_grants)", cohort="cohort", window=(-5, 5))
    >>> found = econ.did.honest(result, grid=[0, 0.5, 1])
    >>> list(found.intervals.columns)
    ['bound', 'ci_low', 'ci_high']
    """
    check_word(bound, HonestBound, "bound")
    check_level(level)
    if restriction is not None:
        check_word(restriction, BiasRestriction, "restriction")
    path, n_leads = symmetric_path(result)
    weights = _weights(target, path, n_leads)
    problem = _Problem(path, n_leads, weights, level)
    values = _grid(grid, bound, problem)
    fixed_length = bound == "smoothness" and restriction is None
    interval, excludes = _fixed_length(problem) if fixed_length else _hybrid(problem, bound, restriction)
    found = [interval(float(value)) for value in values]
    z = float(special.ndtri((1 + level) / 2)) * problem.std_error
    frame = pd.DataFrame({"bound": values, "ci_low": [x.low for x in found], "ci_high": [x.high for x in found]})
    unit = problem.std_error if bound == "smoothness" else 1.0
    method = FLCI if fixed_length else CLF
    return Honest(
        intervals=frame,
        original=(problem.estimate - z, problem.estimate + z),
        breakdown=_breakdown(excludes, unit),
        estimate=problem.estimate,
        std_error=problem.std_error,
        spec={
            "estimator": result.spec["estimator"],
            "estimator_label": result.spec["estimator_label"],
            "outcome": result.outcome,
            "bound": bound,
            "restriction": restriction,
            "target": {str(int(e)): float(x) for e, x in zip(path.time[n_leads:], weights, strict=True) if x},
            "level": level,
            "method": method,
        },
        labels=result.labels,
        notes=(*result.notes, *_notes(bound, restriction, problem, frame, found)),
    )


@dataclass(frozen=True, eq=False)
class _Problem:
    """Leads and lags, the weights (Q,) of the target, and the level."""

    path: EventPath
    n_leads: int
    weights: FloatArray
    level: float

    @property
    def estimate(self) -> float:
        return float(self.path.coef[self.n_leads :] @ self.weights)

    @property
    def std_error(self) -> float:
        V = self.path.vcov[self.n_leads :, self.n_leads :]
        return float(np.sqrt(self.weights @ V @ self.weights))


Interval = Callable[[float], Accepted]
Excludes = Callable[[float], bool]


def _fixed_length(problem: _Problem) -> tuple[Interval, Excludes]:
    path = smooth_path(problem.path.coef, problem.path.vcov, problem.n_leads, problem.weights)

    def excludes(bound: float) -> bool:
        low, high = path.interval(bound, problem.level)
        return low > 0 or high < 0

    return partial(_smooth_interval, path, problem.level), excludes


def _smooth_interval(path: SmoothPath, level: float, bound: float) -> Accepted:
    return Accepted(*path.interval(bound, level), connected=True)


def _hybrid(problem: _Problem, bound: HonestBound, restriction: BiasRestriction | None) -> tuple[Interval, Excludes]:
    P, Q = problem.n_leads, len(problem.weights)
    family = relative_magnitudes if bound == "relative_magnitude" else smoothness
    rays = vertices(family(P, Q, 1.0, restriction), problem.weights)
    if rays is None:
        raise ModelError(
            f"With restriction={restriction!r} and a target that depends on {Q} periods, the test has more than "
            f"{MOST_VERTICES:,} vertices; choose an earlier event time as target, or a shorter window."
        )

    def test(value: float) -> HybridTest:
        bias = family(P, Q, value, restriction)
        return hybrid_test(problem.path.coef, problem.path.vcov, bias, problem.weights, rays, 1 - problem.level)

    def interval(value: float) -> Accepted:
        return accepted(test(value), problem.estimate, problem.std_error)

    return interval, lambda value: not test(value).accepts(np.zeros(1))[0]


def _breakdown(excludes: Excludes, unit: float) -> float | None:
    """The largest bound that excludes zero, to a relative precision of 2^-24."""
    if not excludes(0.0):
        return None
    low, high = 0.0, unit
    while excludes(high):
        low, high = high, 2 * high
        if high > 2.0**DOUBLINGS * unit:
            return float("inf")
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if excludes(middle) else (low, middle)
    return low


# ---- what was asked for


def _weights(target: int | Sequence[float] | None, path: EventPath, n_leads: int) -> FloatArray:
    lags = path.time[n_leads:]
    if target is None or isinstance(target, int | np.integer):
        chosen = int(lags[0]) if target is None else int(target)
        if chosen not in lags:
            raise OptionError(
                f"target={target!r} is no event time after the reference period; choose one of "
                f"{', '.join(map(str, lags))}."
            )
        return np.asarray(lags == chosen, dtype=np.float64)
    weights = np.asarray(target, dtype=np.float64)
    if weights.shape != lags.shape or not np.isfinite(weights).all() or not weights.any():
        raise OptionError(
            f"target={target!r}: give an event time, or {len(lags)} weights, not all zero, for the event times "
            f"{', '.join(map(str, lags))}."
        )
    return weights


def _grid(grid: Sequence[float] | None, bound: HonestBound, problem: _Problem) -> FloatArray:
    if grid is None:
        return np.linspace(0, 2.0 if bound == "relative_magnitude" else _largest_bend(problem), 5)
    values = np.unique(np.asarray(grid, dtype=np.float64))
    if not values.size or not np.isfinite(values).all() or values[0] < 0:
        raise OptionError(f"grid={grid!r} is not allowed; give one or more finite bounds of zero or more.")
    return values


def _largest_bend(problem: _Problem) -> float:
    """Largest second difference among leads and reference period; with one lead, which has none, its standard error."""
    P = problem.n_leads
    if P == 1:
        return float(problem.path.std_error[0])
    changes = first_differences(P, 0) @ problem.path.coef[:P]
    return float(np.abs(np.diff(changes)).max())


# ---- words


def _target_words(spec: Mapping[str, Any]) -> str:
    target = spec["target"]
    if len(target) == 1 and next(iter(target.values())) == 1:
        return f"effect at event time {next(iter(target))}"
    return "effect " + " + ".join(f"{weight:.4g} x [{time}]" for time, weight in target.items()).replace("+ -", "- ")


def _breakdown_words(breakdown: float | None, symbol: str) -> Text:
    if breakdown is None:
        return {"en": f"Breakdown value: none, zero is inside the interval even at {symbol} = 0.",
                "zh": f"失效值（breakdown）：无，{symbol} = 0 时区间已包含零。"}  # fmt: skip
    if np.isinf(breakdown):
        return {"en": f"Breakdown value: none, zero is outside the interval at every {symbol}.",
                "zh": f"失效值（breakdown）：无，任何{symbol}下区间均不包含零。"}  # fmt: skip
    return {"en": f"Breakdown value: zero is outside the interval up to {symbol} = {breakdown:.4g}.",
            "zh": f"失效值（breakdown）：{symbol}不超过{breakdown:.4g}时区间不包含零。"}  # fmt: skip


def _notes(
    bound: HonestBound,
    restriction: BiasRestriction | None,
    problem: _Problem,
    frame: pd.DataFrame,
    found: Sequence[Accepted],
) -> list[Text]:
    what, shape = BOUNDS[bound], RESTRICTIONS[restriction]
    notes: list[Text] = [{lang: what[lang] + shape[lang] + stop for lang, stop in (("en", "."), ("zh", "。"))}]
    if bound == "smoothness" and restriction is not None:
        notes.append(INSTEAD)
    if np.isfinite(problem.path.dof):
        notes.append(_normal_note(problem.path.dof, problem.level))
    for words, rows in ((REJECTED, frame["ci_low"].isna()), (GAPS, pd.Series([not x.connected for x in found]))):
        if rows.any():
            at = f"{SYMBOLS[bound]} = {', '.join(f'{value:.4g}' for value in frame.loc[rows, 'bound'])}"
            notes.append({lang: sentence.format(at) for lang, sentence in words.items()})
    return notes


def _normal_note(dof: float, level: float) -> Text:
    z, t = special.ndtri((1 + level) / 2), special.stdtrit(dof, (1 + level) / 2)
    return {
        "en": f"Normal critical values ({z:.3f}; t with {dof:g} degrees of freedom would have {t:.3f}): with few "
        "clusters the intervals are too narrow.",
        "zh": f"采用正态临界值（{z:.3f}；自由度为{dof:g}的t分布为{t:.3f}），聚类数较少时区间偏窄。",
    }
