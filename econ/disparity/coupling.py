"""Coupling and coordination of systems, such as industry and innovation, and what stands in the way."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from econ.disparity.indicators import Indicators, Matrix, read_indicators
from econ.disparity.weighting import Zero, given_weights, system_block_weights, weights_note, zero_rule
from econ.errors import OptionError
from econ.linear.fit import BoolArray, FloatArray
from econ.options import IndicatorDirection, IndicatorScaling, WeightMethod, ZeroWord
from econ.panel import Panel
from econ.text import Text

NAMED = 5


@dataclass(frozen=True, eq=False)
class Coupling:
    """Coupling and coordination degrees of every row.

    Attributes
    ----------
    path : the panel's unit column, ``period``; the index of each system under its own name, in [0, 1];
        ``development`` (T), ``coupling`` and ``coordination`` (C and D, standard form), ``coupling_corrected`` and
        ``coordination_corrected`` (Wang et al. 2021)
    weights : ``period, system, indicator, direction, weight``; weights sum to 1 within a system and period
    obstacles : the panel's unit column, ``period, system, indicator, obstacle``; shares that sum to 1 in a row
    spec : what was asked for, as plain JSON
    notes : what a reader must know
    """

    path: pd.DataFrame
    weights: pd.DataFrame
    obstacles: pd.DataFrame
    spec: dict[str, Any]
    notes: tuple[Text, ...] = ()


def coupling(
    panel: Panel,
    systems: Mapping[str, Indicators],
    *,
    weights: WeightMethod | Mapping[str, float] = "entropy",
    system_weights: Mapping[str, float] | None = None,
    zero: Zero | ZeroWord = "limit",
    scaling: IndicatorScaling = "pooled",
) -> Coupling:
    r"""Coupling degree C, development T and coordination degree D of two or more systems, in two forms.

    ``U_s = sum_j w_j z_ij`` is the index of system s (see ``entropy_weights``), ``T = sum_s a_s U_s``,
    ``D = sqrt(C T)``, and with n systems

    * standard: ``C = (prod_s U_s)^(1/n) / (sum_s U_s / n)``, in [0, 1] and, for most U, close to 1, so that D hardly
      says more than T;
    * corrected: ``C = sqrt((1 - sum_(s>r) |U_s - U_r| / (n (n-1) / 2)) prod_s (U_s / max U)^(1 / (n-1)))``, which
      spreads over [0, 1] (Wang, Kong, Ren et al. 2021, Journal of Natural Resources 36(3), 793-810).

    C is 0 wherever a system's index is 0, the minimum of all its indicators; a note names these rows. Obstacle degree
    of indicator j of system s: ``a_s w_j (1 - z_ij) / sum_k a_k w_k (1 - z_ik)``.

    Parameters
    ----------
    panel : regions over periods, or a cross-section.
    systems : name -> indicators, a list or a mapping column -> ``"positive"`` or ``"negative"``. Rows that lack any
        indicator of any system are left out, with a note.
    weights : how the weights within each system are found, or indicator -> weight over all systems, scaled to sum to 1
        within each.
    system_weights : system -> ``a_s``, scaled to sum to 1; by default equal.
    zero, scaling : as in ``entropy_weights``. With ``"pooled"`` degrees compare over time, with ``"period"`` only
        within a period.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").where(lambda d: d["year"] == 2019)
    >>> systems = {"industry": ["va_industry"], "innovation": ["rd_expenditure", "invention_grants"]}
    >>> path = econ.disparity.coupling(panel, systems).path.set_index("province")
    >>> path["coordination_corrected"].idxmax()
    'Guangdong'
    """
    columns = _all_indicators(systems)
    data, rule = read_indicators(panel, columns, scaling), zero_rule(zero)
    members = {name: np.array([column in set(of) for column in data.names]) for name, of in systems.items()}
    w = {name: system_block_weights(data, inside, weights, rule) for name, inside in members.items()}
    alpha = given_weights(dict.fromkeys(systems, 1.0) if system_weights is None else system_weights, list(systems))
    U = np.column_stack([_index(data, members[name], w[name]) for name in systems])
    path = data.keys.assign(**dict(zip(systems, U.T, strict=True)), development=U @ alpha)
    for suffix, C in (("", standard_degree(U)), ("_corrected", corrected_degree(U))):
        path[f"coupling{suffix}"] = C
        path[f"coordination{suffix}"] = np.sqrt(C * (U @ alpha))
    obstacles, at_best = _obstacles(data, members, w, alpha)
    notes = (*panel.notes, *data.notes, weights_note(weights, rule, scaling), *_zero_note(U, data), *at_best)
    spec = _spec(panel, systems, data, weights, alpha, rule, scaling)
    return Coupling(path, _frame(data, members, w), obstacles, spec, notes)


def standard_degree(U: FloatArray) -> FloatArray:
    """(N,) geometric over arithmetic mean of the (N, n) system indices; 0 where an index is 0."""
    mean = U.mean(axis=1)
    geometric = np.prod(U, axis=1) ** (1 / U.shape[1])
    return np.asarray(np.divide(geometric, mean, out=np.zeros_like(mean), where=geometric > 0))


def corrected_degree(U: FloatArray) -> FloatArray:
    """(N,) corrected coupling degree of the (N, n) system indices; 0 where an index is 0."""
    n = U.shape[1]
    gaps = [np.abs(U[:, s] - U[:, r]) for s, r in combinations(range(n), 2)]
    top = U.max(axis=1)
    ratio = np.divide(U, top[:, None], out=np.zeros_like(U), where=top[:, None] > 0)
    spread = np.maximum(1 - np.mean(gaps, axis=0), 0)
    return np.asarray(np.sqrt(spread * np.prod(ratio, axis=1) ** (1 / (n - 1))))


def _all_indicators(systems: Mapping[str, Indicators]) -> dict[str, IndicatorDirection]:
    if not isinstance(systems, Mapping) or len(systems) < 2:
        raise OptionError(f"systems={systems!r} is not allowed; give two or more, name -> list of indicators.")
    found: dict[str, IndicatorDirection] = {}
    for name, columns in systems.items():
        if isinstance(columns, str) or not len(columns):
            raise OptionError(f"System {name!r} has the indicators {columns!r}; give a list of at least one.")
        for column in columns:
            if column in found:
                raise OptionError(f"Indicator {column!r} stands twice in the systems; name each once.")
            found[column] = columns[column] if isinstance(columns, Mapping) else "positive"
    return found


def _index(data: Matrix, inside: BoolArray, weights: Mapping[Any, FloatArray]) -> FloatArray:
    index = np.empty(len(data.z))
    for label, rows in data.blocks():
        index[rows] = data.z[np.ix_(rows, inside)] @ weights[label]
    return np.clip(index, 0, 1)


def _obstacles(
    data: Matrix, members: Mapping[str, BoolArray], weights: Mapping[str, Mapping[Any, FloatArray]], alpha: FloatArray
) -> tuple[pd.DataFrame, tuple[Text, ...]]:
    """Share of each indicator in the weighted distance to the best; rows at the best have none."""
    weighted = np.zeros_like(data.z)
    for (name, inside), a in zip(members.items(), alpha, strict=True):
        for label, rows in data.blocks():
            weighted[np.ix_(rows, inside)] = a * weights[name][label]
    gap = weighted * (1 - data.z)
    total = gap.sum(axis=1)
    away = total > 0
    wide = data.keys[away].reset_index(drop=True)
    share = gap[away] / total[away, None]
    parts = [
        wide.assign(system=name, indicator=data.names[j], obstacle=share[:, j])
        for name, inside in members.items()
        for j in np.flatnonzero(inside)
    ]
    return pd.concat(parts, ignore_index=True), _best_note(data, ~away)


def _frame(
    data: Matrix, members: Mapping[str, BoolArray], weights: Mapping[str, Mapping[Any, FloatArray]]
) -> pd.DataFrame:
    rows = [
        (label, name, data.names[j], data.directions[j], float(value))
        for name, inside in members.items()
        for label, w in weights[name].items()
        for j, value in zip(np.flatnonzero(inside), w, strict=True)
    ]
    return pd.DataFrame(rows, columns=["period", "system", "indicator", "direction", "weight"])


def _zero_note(U: FloatArray, data: Matrix) -> tuple[Text, ...]:
    zero = (U == 0).any(axis=1)
    if not zero.any():
        return ()
    named = _name_rows(data, zero)
    return (
        {
            "en": f"Coupling is 0 where a system is at the minimum of all its indicators: {named['en']}.",
            "zh": f"某系统各项指标均为最小值时，耦合度按定义为 0：{named['zh']}。",
        },
    )


def _best_note(data: Matrix, best: BoolArray) -> tuple[Text, ...]:
    if not best.any():
        return ()
    named = _name_rows(data, best)
    return (
        {
            "en": f"No obstacles where every weighted indicator is at its best: {named['en']}.",
            "zh": f"各项指标均达最优，无障碍因子：{named['zh']}。",
        },
    )


def _name_rows(data: Matrix, flags: BoolArray) -> Text:
    rows = [" ".join(map(str, row)) for row in data.keys[flags].itertuples(index=False)]
    more = len(rows) - NAMED
    return {
        "en": ", ".join(rows[:NAMED]) + (f" and {more} more" if more > 0 else ""),
        "zh": "、".join(rows[:NAMED]) + (f"等 {len(rows)} 项" if more > 0 else ""),
    }


def _spec(
    panel: Panel,
    systems: Mapping[str, Indicators],
    data: Matrix,
    weights: WeightMethod | Mapping[str, float],
    alpha: FloatArray,
    zero: Zero,
    scaling: IndicatorScaling,
) -> dict[str, Any]:
    return {
        "estimator": "coupling",
        "systems": {name: list(columns) for name, columns in systems.items()},
        "directions": dict(zip(data.names, data.directions, strict=True)),
        "weights": dict(weights) if isinstance(weights, Mapping) else weights,
        "system_weights": dict(zip(systems, alpha.tolist(), strict=True)),
        "zero": {"low": zero.low, "high": zero.high, "words": dict(zero.words)},
        "scaling": scaling,
        "dataset": panel.dataset,
        "labels": panel.labels(data.names),
    }
