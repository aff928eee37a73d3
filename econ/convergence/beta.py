"""Beta convergence: do regions that start lower grow faster, and how fast does the gap close?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from econ.convergence.beta_panel import within
from econ.errors import DataError, ModelError, OptionError
from econ.estimate import Estimate, Test
from econ.inference.covariance import Vcov, hetero
from econ.inference.wald import wald
from econ.linear.fit import BoolArray, FloatArray
from econ.options import check_level, check_word
from econ.panel import Column, Panel
from econ.regress import feols
from econ.text import Text

BetaMethod = Literal["ols", "nls", "panel"]

TERMS = {
    "beta": {"label": "Initial level, log (beta)", "label_zh": "初始水平对数（β）"},
    "speed": {"label": "Speed of convergence", "label_zh": "收敛速度", "unit": "per year", "unit_zh": "每年"},
    "half_life": {"label": "Half-life", "label_zh": "半衰期", "unit": "years", "unit_zh": "年"},
}
CORRECTED: Text = {"en": "half-panel jackknife", "zh": "半面板刀切法"}
ESTIMATORS: dict[str, Text] = {
    "ols": {"en": "Beta convergence, cross-section", "zh": "β 收敛（截面）"},
    "nls": {"en": "Beta convergence, cross-section", "zh": "β 收敛（截面）"},
    "panel": {"en": "Beta convergence, fixed effects", "zh": "β 收敛（固定效应面板）"},
}
DIVERGENCE: Text = {
    "en": "No convergence{where}: the speed is not positive, so there is no half-life.",
    "zh": "{where}未见收敛：收敛速度不为正，半衰期无定义。",
}
NO_SPEED: Text = {
    "en": "The slope{where} times the number of periods is below -1, so no speed of convergence is defined.",
    "zh": "{where}斜率与期数之积小于 -1，收敛速度无定义。",
}
NICKELL: Text = {
    "en": "With fixed effects and few periods beta is biased towards fast convergence (Nickell 1981); read the terms "
    "corrected by the half-panel jackknife (Dhaene and Jochmans 2015) beside it. The jackknife goes too far where "
    "regions start far from their own paths: see the test equal_halves and docs/simulations_beta.md.",
    "zh": "固定效应下若期数较少，β 的估计偏向更快的收敛（Nickell 1981），"
    "应与半面板刀切法（Dhaene 和 Jochmans 2015）校正值并读。若地区初始时远离自身路径，刀切法会校正过度："
    "参见 equal_halves 检验与 docs/simulations_beta.md。",
}
UNBALANCED: Text = {
    "en": "The panel is unbalanced: the half-panel jackknife then assumes that what is missing is alike in "
    "both halves.",
    "zh": "面板非平衡：半面板刀切法此时要求缺失结构不随时间变化。",
}


@dataclass(frozen=True, eq=False)
class _Slope:
    """A reported slope: its name's endings and its weights on the regression's coefficients."""

    group: str
    corrected: bool
    weights: FloatArray

    def name(self, base: str) -> str:
        """``beta``, ``beta_corrected``, ``beta: East``, ``beta_corrected: East``."""
        return base + "_corrected" * self.corrected + (f": {self.group}" if self.group else "")

    def label(self, base: str) -> dict[str, str]:
        """The label of that term."""
        label = dict(TERMS[base])
        for key, words, brackets in (("label", CORRECTED["en"], ", {}"), ("label_zh", CORRECTED["zh"], "，{}")):
            label[key] += brackets.format(words) * self.corrected + (f": {self.group}" if self.group else "")
        return label

    def note(self, text: Text) -> Text:
        """A note on this slope."""
        name = self.name("beta")
        plain = name == "beta"
        return {
            "en": text["en"].format(where="" if plain else f" ({name})"),
            "zh": text["zh"].format(where="" if plain else f"{name}："),
        }


@dataclass(frozen=True, eq=False)
class _Regression:
    """A fit, the slopes read off it, other terms (name -> weights), and the rows of the panel it rests on.

    ``halves`` are weights of the slopes' differences between the halves; ``described`` is the estimate whose counts,
    statistics and degrees of freedom are reported.
    """

    fit: Estimate
    described: Estimate
    slopes: list[_Slope]
    others: dict[str, FloatArray]
    sample: BoolArray
    dropped: dict[str, int]
    halves: FloatArray | None = None
    notes: tuple[Text, ...] = ()


def growth_and_initial(panel: Panel, x: str, start: int | None = None, end: int | None = None) -> pd.DataFrame:
    """Average annual log growth and log initial level of each unit: ``unit, initial, growth``.

    ``growth_i = (ln x_i,end - ln x_i,start) / (end - start)``, ``initial_i = ln x_i,start``; units that lack either
    value are left out. The defaults of ``start`` and ``end`` are the first and last period in which ``x`` is known.
    """
    values = panel.values(x)
    first, last = _span(panel, values, x, start, end)
    known = ~np.isnan(values)
    levels = {}
    for period in (first, last):
        rows = known & (panel.time_codes == period)
        levels[period] = pd.Series(values[rows], index=panel.unit_codes[rows])
    both = pd.concat([levels[first], levels[last]], axis=1, join="inner").sort_index()
    if (both <= 0).to_numpy().any():
        units = ", ".join(str(panel.units[code]) for code in both.index[(both <= 0).any(axis=1)][:5])
        raise DataError(
            f"{x!r} is zero or negative for {units}; growth rates need positive levels. "
            "Leave them out with panel.where(...)."
        )
    logs = np.log(both.to_numpy())
    return pd.DataFrame(
        {
            panel.unit: panel.units[both.index.to_numpy()],
            "initial": logs[:, 0],
            "growth": (logs[:, 1] - logs[:, 0]) / (last - first),
        }
    )


def beta(
    panel: Panel,
    x: str,
    start: int | None = None,
    end: int | None = None,
    covariates: Sequence[str] = (),
    method: BetaMethod = "ols",
    vcov: Vcov | None = None,
    by: str | None = None,
    span: int | None = None,
) -> Estimate:
    r"""Test of beta convergence and its annual speed, on a cross-section or on a panel with fixed effects.

    ``ols``: ``(ln x_i,T - ln x_i,0) / T = a + b ln x_i,0 + z_i,0' c + u_i``, where theory has
    ``b = -(1 - exp(-speed T)) / T`` (Barro and Sala-i-Martin 1992).

    ``panel``: ``(ln x_it - ln x_i,t-T) / T = a_i + d_t + b ln x_i,t-T + z_i,t-T' c + u_it`` over spans of T periods
    that do not overlap (Islam 1995), where regions converge to their own paths. Least squares has a bias of
    order 1/P in P spans towards convergence (Nickell 1981), so each term comes with its half-panel jackknife
    ``2 b - (b_1 + b_2) / 2`` over the two halves of the spans (Dhaene and Jochmans 2015; an odd P is split
    both ways and averaged), named ``beta_corrected, speed_corrected, half_life_corrected``. It takes both halves to be
    alike, regions moving about their own paths: where they start far from them, the first half tells more, and the
    correction goes too far. The test ``equal_halves`` (b_1 = b_2; ibid.) asks whether that is so; see
    ``docs/simulations_beta.md``.

    ``beta`` is ``b``: the change of average annual growth per log point of the initial level; ``speed`` solves
    ``speed = -ln(1 + b T) / T``, and ``half_life = ln 2 / speed``. All are per period of the panel (annual for years)
    whatever T is. Standard errors of derived terms by the delta method; :func:`half_life_interval` has Fieller's.

    Nonlinear least squares for ``speed`` (``nls``) is the same problem in another parameter: as long as ``1 + b T`` is
    positive it gives the same point and the same Gauss-Newton standard error, so both words lead to one computation.

    Parameters
    ----------
    panel : regions over periods; a cross-section uses one value of ``x`` per region at ``start`` and ``end``.
    x : a positive level, such as real GDP per head.
    start, end : periods; by default the first and last in which ``x`` is known.
    covariates : columns taken at the start of the span (conditional convergence).
    vcov : covariance, by default HC1 over regions with t(n - K); for ``panel`` clusters by region with t(G - 1). The
        full panel and its halves are one regression, so the corrected terms' covariance counts their dependence.
    by : column that groups the regions (plate, club), constant within a region; a region without a group is left out.
        Each group has its own constant (or period effects) and slope; covariates have the same coefficients. Terms are
        named ``beta: East``, and the tests ``equal_beta`` (and ``equal_beta_corrected``) ask whether slopes are equal.
    span : for ``panel``, T; 1 by default. Longer spans average out business cycles; they are laid back from ``end``.

    Returns
    -------
    Estimate with the terms ``beta, speed, half_life`` and the covariates. A speed that is not positive has no
    half-life: the term is then left out, and a note says so.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces")
    >>> estimate = econ.convergence.beta(panel, "gdp_per_capita", 2000, 2019)
    >>> within = econ.convergence.beta(panel, "gdp_per_capita", 2000, 2019, method="panel")
    >>> within.terms[:4]
    ('beta', 'speed', 'half_life', 'beta_corrected')
    """
    check_word(method, BetaMethod, "method")
    ends = _span(panel, panel.values(x), x, start, end)
    groups = _groups(panel, by)
    if method == "panel":
        T = _whole_span(span, ends)
        found = _within(panel, x, ends, T, covariates, groups, vcov)
    else:
        if span is not None:
            raise OptionError(f"span={span!r} is for method='panel'; a cross-section spans start to end.")
        T = ends[1] - ends[0]
        found = _across(panel, x, ends, covariates, groups, vcov)
    estimate = _derive(found, float(T))
    return _describe(estimate, found, panel, x, ends, {"method": method, "by": by, "span": T})


def half_life_interval(estimate: Estimate, level: float = 0.95) -> pd.DataFrame:
    r"""Confidence intervals of the half-lives of :func:`beta`: by the delta method, and Fieller's.

    Fieller's interval holds every half-life h that the t test of ``1 + b T - 2^(-T/h) = 0`` does not reject, which is
    linear in ``b``: the limits of ``b`` carried over to ``h(b) = -T ln 2 / ln(1 + b T)``. It is not symmetric, never
    negative, the same for ``speed`` and ``half_life``, and has no upper end (``inf``) where a slope of zero is not
    rejected - the case in which the delta method's symmetric interval misleads.

    Returns
    -------
    Frame ``term, estimate, delta_low, delta_high, fieller_low, fieller_high``, one row per slope, in periods of the
    panel; the first three numbers are NaN where the speed is not positive, and both Fieller ends are infinite where
    only divergence is left.

    Examples
    --------
    >>> import econ
    >>> estimate = econ.convergence.beta(econ.load("provinces"), "gdp_per_capita", 2000, 2019)
    >>> list(econ.convergence.half_life_interval(estimate)["term"])
    ['half_life']
    """
    check_level(level)
    if estimate.spec.get("estimator") != "beta":
        raise OptionError(f"This is a result of {estimate.spec.get('estimator')!r}; give one of convergence.beta.")
    T = float(estimate.spec["span"])
    table = estimate.tidy(level).set_index("term")
    rows = []
    for term in [name for name in estimate.terms if name.split("_corrected")[0].split(":")[0] == "beta"]:
        name = "half_life" + term.removeprefix("beta")
        delta = table.loc[name, ["estimate", "ci_low", "ci_high"]] if name in table.index else [np.nan] * 3
        rows.append(
            (
                name,
                *delta,
                *(_half_life(float(limit), T) for limit in table.loc[term, ["ci_low", "ci_high"]].to_numpy()),
            )
        )
    return pd.DataFrame(rows, columns=["term", "estimate", "delta_low", "delta_high", "fieller_low", "fieller_high"])


def _half_life(slope: float, T: float) -> float:
    """Half-life of a slope: 0 from ``-1/T`` down, infinite from zero up."""
    if slope >= 0:
        return np.inf
    return 0.0 if slope * T <= -1 else float(-T * np.log(2) / np.log1p(slope * T))


# ---- what goes in


def _groups(panel: Panel, by: str | None) -> "pd.Series[Any]":
    """Group of each unit; one empty name without ``by``; units without a group are not in it."""
    if by is None:
        return pd.Series("", index=pd.Index(panel.units))
    if by == panel.unit:
        raise OptionError(f"by={by!r} is the unit itself; give a column that groups the units, such as a plate.")
    group = panel.attribute(by).dropna()
    group = group.map(lambda g: str(int(g)) if isinstance(g, float) and g.is_integer() else str(g))
    counts = group.value_counts()
    small = counts[counts < 3]
    if len(small) or len(counts) < 2:
        sizes = ", ".join(f"{name}: {n}" for name, n in counts.sort_index().items())
        raise ModelError(
            f"by={by!r} gives {len(counts)} group(s) ({sizes}); comparing slopes needs at least 2 groups of at least "
            "3 regions. Merge the groups, or leave by out."
        )
    return group


def _whole_span(span: int | None, ends: tuple[int, int]) -> int:
    span = 1 if span is None else span
    if isinstance(span, bool) or not isinstance(span, int) or not 1 <= span <= (ends[1] - ends[0]) // 4:
        raise OptionError(
            f"span={span!r} is not allowed: start and end lie {ends[1] - ends[0]} periods apart, and the half-panel "
            "jackknife needs at least 4 spans; give a whole number of periods."
        )
    return span


def _span(panel: Panel, values: FloatArray, x: str, start: int | None, end: int | None) -> tuple[int, int]:
    """Calendar codes of the first and last period."""
    present = np.unique(panel.time_codes[~np.isnan(values)])
    if len(present) < 2:
        raise ModelError(f"{x!r} is known in {len(present)} period(s); growth needs two.")
    labels = {panel.period(int(code)): int(code) for code in present}
    for name, label in (("start", start), ("end", end)):
        if label is not None and label not in labels:
            raise OptionError(
                f"{name}={label!r}: {x!r} has no values then; choose a period from {min(labels)} to {max(labels)}."
            )
    first = int(present[0]) if start is None else labels[start]
    last = int(present[-1]) if end is None else labels[end]
    if first >= last:
        raise OptionError(f"start={panel.period(first)} is not before end={panel.period(last)}.")
    return first, last


# ---- regressions


def _across(
    panel: Panel,
    x: str,
    ends: tuple[int, int],
    covariates: Sequence[str],
    groups: "pd.Series[Any]",
    vcov: Vcov | None,
) -> _Regression:
    frame = growth_and_initial(panel, x, panel.period(ends[0]), panel.period(ends[1]))
    frame = frame[frame[panel.unit].isin(groups.index)]
    cross = _cross_section(panel, frame, ends[0], covariates)
    group = groups[cross.frame[panel.unit]].to_numpy()
    names = sorted(set(group))
    right, effects = ["initial"], ""
    if names != [""]:
        right, effects = [f"initial_{k}_" for k in range(len(names))], " | group_"
        own = {slot: cross.values("initial") * (group == name) for slot, name in zip(right, names, strict=True)}
        cross = cross.assign(group_=group, **own)
    formula = f"growth ~ {' + '.join([*right, *covariates])}{effects}"
    fit = feols(cross, formula, vcov=hetero("HC1") if vcov is None else vcov)
    _require(fit, right, names)
    slopes = [_Slope(name, False, _weights(fit, {slot: 1.0})) for name, slot in zip(names, right, strict=True)]
    others = {term: _weights(fit, {term: 1.0}) for term in fit.terms if term not in (*right, "Intercept")}
    units = cross.frame.loc[fit.sample, panel.unit]
    sample = np.isin(panel.time_codes, ends) & panel.frame[panel.unit].isin(units).to_numpy()
    lost = len(groups) - len(units)
    dropped = {"units without a value in the first or last period": lost} if lost else {}
    return _Regression(fit, fit, slopes, others, sample, dropped)


def _cross_section(panel: Panel, frame: pd.DataFrame, first: int, covariates: Sequence[str]) -> Panel:
    at_start = panel.frame.loc[panel.time_codes == first, [panel.unit, *covariates]]
    cross = Panel(
        frame.merge(at_start, on=panel.unit, how="left"), panel.unit, dataset=panel.dataset, notes=panel.notes
    )
    labels = {name: panel.column(name) for name in (panel.unit, *covariates)}
    return cross.with_labels(
        labels
        | {
            "growth": Column(label="Average annual growth", label_zh="年均增长率", unit="log points"),
            "initial": Column(label="Initial level (log)", label_zh="初始水平（对数）"),
        }
    )


def _within(
    panel: Panel,
    x: str,
    ends: tuple[int, int],
    T: int,
    covariates: Sequence[str],
    groups: "pd.Series[Any]",
    vcov: Vcov | None,
) -> _Regression:
    found = within(panel, x, ends, T, covariates, groups, vcov)
    full = found.full
    used = panel.unit_codes[found.sample]
    described = replace(full, n_units=len(np.unique(used)), n_periods=len(np.unique(panel.time_codes[found.sample])))
    names = found.groups
    slopes, others = [], {}
    for corrected in (False, True):
        blocks = found.halves.jackknife if corrected else np.eye(len(found.halves.jackknife))[0]
        rows = [_weights(found.fit, dict(zip(row, blocks, strict=True))) for row in found.columns]
        slopes += [_Slope(name, corrected, row) for name, row in zip(names, rows[: len(names)], strict=True)]
        for name, row in zip(covariates, rows[len(names) :], strict=True):
            others[f"{name}_corrected" if corrected else name] = row
    slopes.sort(key=lambda slope: names.index(slope.group))
    difference = found.halves.difference
    halves = np.array(
        [_weights(found.fit, dict(zip(row, difference, strict=True))) for row in found.columns[: len(names)]]
    )
    notes = (NICKELL,) if found.balanced else (NICKELL, UNBALANCED)
    lost = {"spans without a value at either end": found.incomplete} if found.incomplete else {}
    return _Regression(found.fit, described, slopes, others, found.sample, lost | dict(full.dropped), halves, notes)


def _weights(fit: Estimate, weights: Mapping[str, float]) -> FloatArray:
    """(K,) weights on the coefficients of ``fit`` by name."""
    return np.array([float(weights.get(term, 0.0)) for term in fit.terms])


def _require(fit: Estimate, columns: Sequence[str], names: Sequence[str]) -> None:
    absent = [name for column, name in zip(columns, names, strict=True) if column not in fit.terms]
    if absent:
        where = f" in {', '.join(absent)}" if absent != [""] else ""
        raise ModelError(f"The initial level does not vary{where}; its slope is not identified.")


# ---- what comes out


def _derive(found: _Regression, T: float) -> Estimate:
    """``beta`` as estimated, ``speed`` and ``half_life`` solved from it, group by group; delta method."""
    names: list[str] = []
    values: list[float] = []
    jacobian: list[FloatArray] = []
    notes: list[Text] = []
    for slope in found.slopes:
        rows, note = _solved(float(slope.weights @ found.fit.coef), T)
        notes += [slope.note(note)] if note else []
        for base, (value, derivative) in rows.items():
            names.append(slope.name(base))
            values.append(value)
            jacobian.append(derivative * slope.weights)
    for name, weights in found.others.items():
        names.append(name)
        values.append(float(weights @ found.fit.coef))
        jacobian.append(weights)
    J = np.array(jacobian)
    dof = np.array([found.fit.dof[row != 0].min() for row in J])
    return replace(
        found.described,
        terms=tuple(names),
        coef=np.array(values),
        vcov=J @ found.fit.vcov @ J.T,
        dof=dof,
        tests=_equal(found),
        notes=(*found.described.notes, *found.notes, *notes),
    )


def _solved(slope: float, T: float) -> tuple[dict[str, tuple[float, float]], Text | None]:
    """Name -> (value, derivative by the slope), and why something is missing."""
    rows = {"beta": (slope, 1.0)}
    if 1 + slope * T <= 0:
        return rows, NO_SPEED
    speed, d_speed = -float(np.log1p(slope * T)) / T, -1 / (1 + slope * T)
    rows["speed"] = (speed, d_speed)
    if speed <= 0:
        return rows, DIVERGENCE
    rows["half_life"] = (float(np.log(2)) / speed, -float(np.log(2)) / speed**2 * d_speed)
    return rows, None


def _equal(found: _Regression) -> tuple[Test, ...]:
    """F tests that slopes are equal: of the halves of the panel; of all groups, as estimated and corrected."""
    restrictions = {} if found.halves is None else {"equal_halves": found.halves}
    for corrected in (False, True):
        rows = np.array([slope.weights for slope in found.slopes if slope.corrected == corrected])
        if len(rows) > 1:
            restrictions["equal_beta_corrected" if corrected else "equal_beta"] = rows[1:] - rows[0]
    dof = float(found.fit.dof.min())
    tests = {name: wald(found.fit.coef, found.fit.vcov, R, dof=dof) for name, R in restrictions.items()}
    return tuple(Test(name, t.statistic, (float(t.dof_num), dof), t.p_value) for name, t in tests.items())


def _describe(
    estimate: Estimate, found: _Regression, panel: Panel, x: str, ends: tuple[int, int], asked: dict[str, Any]
) -> Estimate:
    """The sample in terms of the panel's rows, and what was asked for."""
    within_units = asked["method"] == "panel"
    spec: dict[str, Any] = dict(estimate.spec) | {
        "estimator": "beta",
        "estimator_label": ESTIMATORS[asked["method"]],
        "outcome": x,
        "formula": None if within_units or asked["by"] else estimate.spec["formula"],
        "fixed_effects": [panel.unit, str(panel.time)] if within_units else [asked["by"]] if asked["by"] else [],
        "start": panel.period(ends[0]),
        "end": panel.period(ends[1]),
        "unit": panel.unit,
        "time": panel.time,
        **asked,
    }
    labels = {slope.name(base): slope.label(base) for slope in found.slopes for base in TERMS}
    ungrouped = 0 if asked["by"] is None else int(panel.attribute(asked["by"]).isna().sum())
    return replace(
        estimate,
        spec=spec,
        sample=found.sample,
        n_periods=estimate.n_periods if within_units else 2,
        dropped=found.dropped | ({"units without a group": ungrouped} if ungrouped else {}),
        labels=dict(estimate.labels) | panel.labels([x]) | labels,
    )
