"""Spatial Markov chains: do a region's chances of moving depend on how rich its neighbours are?"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np
import pandas as pd
from scipy import sparse, special

from econ.convergence import chain
from econ.convergence.grid import (
    Grid,
    Quantiles,
    check_classes,
    class_cutoffs,
    classify,
    cutoff_frame,
    grid,
    quantile_cutoffs,
    refuse_empty_classes,
)
from econ.convergence.markov import Markov, class_rule, drift_note, refuse_unseen_origins
from econ.data.neighbours import row_standardised
from econ.errors import DataError, OptionError
from econ.linear.fit import FloatArray, IntArray
from econ.options import check_draws, check_word
from econ.panel import Panel
from econ.text import Text

LagClasses = Literal["own", "lag"]
BATCH = 200_000  # values of the spatial lag held at once: they stay in the cache
CLOSE = 1e-9  # relative: statistics of two maps that are the same up to rounding count as equal

PERMUTED: Text = {
    "en": "The permutation p-value is the share of random relocations of the regions on the map ({} draws) with a "
    "statistic at least as large. The asymptotic p-value beside it takes moves as independent; where regions stay rich "
    "or poor it rejects far too often (at a level of 5%, in up to 98.5% of simulated samples without any spatial "
    "dependence), so do not rely on it.",
    "zh": "置换检验的p值为将各地区在地图上随机换位（{}次）后统计量不小于实际值的比例。"
    "旁列的渐近p值假定各次转移相互独立；若地区贫富持久不变，则严重过度拒绝（在毫无空间依赖的模拟样本中，5%水平下的拒绝率最高达98.5%），不宜采信。",
}


class SpatialWeights(Protocol):
    """Anything whose ``frame`` is a square matrix of weights with the units as index and columns."""

    @property
    def frame(self) -> pd.DataFrame: ...


@dataclass(frozen=True, eq=False)
class SpatialMarkov:
    """Transition matrices by the class of the neighbours' mean, and the test that they are one matrix.

    Attributes
    ----------
    counts : ``lag_class, from, 1, ..., k``: moves, one row per class of the neighbours' mean and of the region itself
    pooled : the chain of all moves, with the same classes
    test : ``test, statistic, dof, p_value, p_asymptotic``; ``p_value`` by permutation
    cutoffs, lag_cutoffs : ``period, 1, ..., k - 1``: upper limits of the classes of ``x`` and of the neighbours' mean
    spec : what was asked for, as plain JSON
    notes : what a reader must know
    """

    counts: pd.DataFrame
    pooled: Markov
    test: pd.DataFrame
    cutoffs: pd.DataFrame
    lag_cutoffs: pd.DataFrame
    spec: dict[str, Any]
    notes: tuple[Text, ...] = ()

    @cached_property
    def transitions(self) -> pd.DataFrame:
        """``lag_class, from, 1, ..., k``: probabilities; missing in rows from which no move starts."""
        return conditional_frame(chain.transition_matrix(self._counts))

    @cached_property
    def std_errors(self) -> pd.DataFrame:
        """``lag_class, from, 1, ..., k``: standard errors ``sqrt(p (1 - p) / n)``."""
        return conditional_frame(chain.probability_errors(self._counts))

    @cached_property
    def steady_state(self) -> pd.DataFrame:
        """``lag_class, 1, ..., k``: ergodic distribution were the neighbours to stay in that class.

        Missing where the matrix has empty rows or no unique ergodic distribution; a note names these classes.
        """
        p = chain.transition_matrix(self._counts)
        rows = [chain.ergodic(one) if has_ergodic(one) else np.full(len(one), np.nan) for one in p]
        frame = pd.DataFrame(np.array(rows), columns=range(1, p.shape[1] + 1))
        frame.insert(0, "lag_class", range(1, len(p) + 1))
        return frame

    @property
    def _counts(self) -> IntArray:
        k = self.counts.shape[1] - 2
        return self.counts.to_numpy()[:, 2:].reshape(-1, k, k)


def spatial_markov(
    panel: Panel,
    x: str,
    w: "SpatialWeights | pd.DataFrame | FloatArray",
    classes: int | Sequence[float] = 5,
    lag_classes: LagClasses = "own",
    draws: int = 999,
    *,
    quantiles: Quantiles = "pooled",
    seed: int = 1,
) -> SpatialMarkov:
    r"""Transition probabilities by the class of the neighbours' mean (Rey 2001).

    ``p_ij|r = P(class of x_i,t+1 = j | class of x_i,t = i, class of (W x)_i,t = r)``.

    The test of ``p_ij|r = p_ij`` for all ``r`` uses the likelihood ratio and Pearson's chi-squared (Bickenbach and Bode
    2003). Their p-values come from permutations: whole regions, each with its own history, are relocated at
    random on the map, and the neighbours' means, their classes and both statistics computed anew;
    ``p = (1 + #{drawn >= actual}) / (1 + draws)``. The hypothesis is that histories are exchangeable over the map, so
    clustering of the levels alone can also lead to rejection. The asymptotic p-values stand beside.

    Parameters
    ----------
    panel : regions over periods; ``x`` must be known for every region in every period in which it is for any.
    x : a variable comparable over time, such as income relative to the mean of its period.
    w : weights: an ``econ.spatial.Weights``, a square frame with the units as index and columns, or an array in the
        order of ``panel.units``. Rows are divided by their sums.
    classes : number of quantile classes, or increasing cut-offs; class j is ``(c_{j-1}, c_j]``.
    lag_classes : ``"own"``: the neighbours' mean is classed by the cut-offs of ``x`` itself, as in Rey (2001);
        ``"lag"``: by its own quantiles, as many classes as ``x`` has, so that every class is well filled.
    draws, seed : number of permutations, and the seed of the random numbers.
    quantiles : ``"pooled"`` over all periods, or ``"by_period"``.

    Examples
    --------
    >>> import econ
    >>> from econ.convergence.spatial_markov import spatial_markov
    >>> from econ.spatial import Weights
    >>> panel = econ.load("provinces").assign(
    ...     relative=lambda d: d["gdp_per_capita"] / d.groupby("year")["gdp_per_capita"].transform("mean")
    ... )
    >>> result = spatial_markov(panel, "relative", Weights.from_borders(panel), classes=3, draws=99)
    >>> result.test["test"].tolist()
    ['likelihood_ratio', 'chi_squared']
    """
    k = check_classes(classes)
    check_word(lag_classes, LagClasses, "lag_classes")
    check_word(quantiles, Quantiles, "quantiles")
    check_draws(draws, seed)
    found = _complete(panel, x)
    matrix = sparse.csr_array(row_standardised(_named(w), found.units.tolist()))
    cutoffs = class_cutoffs(found.values, classes, quantiles)
    codes = classify(found.values, cutoffs)
    refuse_empty_classes(codes, cutoffs, found, x)
    rule = LagRule(cutoffs if lag_classes == "own" else None, k, quantiles)
    counts, lag_cutoffs = conditional_counts(found.values, codes, matrix, rule)
    refuse_unseen_origins(counts, x)
    test = permutation_test(found.values, codes, matrix, rule, draws, seed)
    spec = {"estimator": "spatial_markov", "outcome": x, "classes": k, "rule": class_rule(classes, quantiles)}
    spec |= {"lag_classes": lag_classes, "draws": draws, "seed": seed, "n_units": len(found.units)}
    spec |= {"dataset": panel.dataset, "labels": panel.labels([x])}
    permuted: Text = {language: words.format(draws) for language, words in PERMUTED.items()}
    shared = (*panel.notes, *found.spacing_note(), *drift_note(found, classes, quantiles, x))
    notes = (*shared, *getattr(w, "notes", ()), permuted, *_thin_notes(counts))
    pooled = Markov(counts, cutoffs, found.periods, spec, shared)
    own, lag = cutoff_frame(cutoffs, found.periods), cutoff_frame(lag_cutoffs, found.periods)
    return SpatialMarkov(conditional_frame(counts), pooled, test, own, lag, spec, notes)


@dataclass(frozen=True, eq=False)
class LagRule:
    """How the neighbours' means are classed: by given cut-offs, else by their own quantiles."""

    cutoffs: FloatArray | None
    k: int
    quantiles: Quantiles

    def limits(self, lag: FloatArray) -> FloatArray:
        """(D, T or 1, k - 1) of lags (D, T, n)."""
        if self.cutoffs is not None:
            return self.cutoffs[None]
        draws, n = len(lag), lag.shape[2]
        rows = lag.reshape(-1, n) if self.quantiles == "by_period" else lag.reshape(draws, -1)
        return quantile_cutoffs(rows, self.k).reshape(draws, -1, self.k - 1)


def conditional_counts(
    values: FloatArray, codes: IntArray, w: "sparse.csr_array[Any]", rule: LagRule
) -> tuple[IntArray, FloatArray]:
    """(k, k, k) moves by class of the neighbours' mean, and the cut-offs of the latter (T or 1, k - 1)."""
    counts, limits = _relocated_counts(values, codes, w, rule, np.arange(len(values))[None, :])
    return counts[0], limits[0]


def permutation_test(
    values: FloatArray, codes: IntArray, w: "sparse.csr_array[Any]", rule: LagRule, draws: int, seed: int
) -> pd.DataFrame:
    """``test, statistic, dof, p_value, p_asymptotic`` of both statistics; the map as it is counts as the first draw."""
    n, periods = values.shape
    rng = np.random.default_rng(seed)
    orders = np.concatenate([np.arange(n)[None, :], rng.permuted(np.tile(np.arange(n), (draws, 1)), axis=1)])
    size = max(1, BATCH // (n * periods))
    parts = [
        chain.homogeneity(_relocated_counts(values, codes, w, rule, orders[first : first + size])[0])
        for first in range(0, draws + 1, size)
    ]
    drawn = np.concatenate([np.stack([part.likelihood_ratio, part.chi_squared]) for part in parts], axis=1)
    actual, dof = drawn[:, 0], int(parts[0].dof[0])
    return pd.DataFrame(
        {
            "test": ["likelihood_ratio", "chi_squared"],
            "statistic": actual,
            "dof": dof,
            "p_value": (drawn >= actual[:, None] * (1 - CLOSE)).mean(axis=1),
            "p_asymptotic": special.chdtrc(float(dof), actual),
        }
    )


def _relocated_counts(
    values: FloatArray, codes: IntArray, w: "sparse.csr_array[Any]", rule: LagRule, orders: IntArray
) -> tuple[IntArray, FloatArray]:
    """(D, k, k, k) counts and (D, T or 1, k - 1) cut-offs with region ``orders[d, i]`` in place ``i`` of the map."""
    draws, n = orders.shape
    periods, k = values.shape[1], rule.k
    lag = (w @ values[orders.T].reshape(n, -1)).reshape(n, draws, periods).transpose(1, 2, 0)
    lag = np.ascontiguousarray(lag)
    limits = rule.limits(lag)
    moves = (codes[:, :-1] * k + codes[:, 1:]).T
    cells = np.take(moves, orders, axis=1).transpose(1, 0, 2) + (np.arange(draws) * k**3)[:, None, None]
    for j in range(k - 1):
        cells += k * k * (lag[:, :-1] > limits[:, : periods - 1, j, None])
    return np.bincount(cells.ravel(), minlength=draws * k**3).reshape(draws, k, k, k), limits


def conditional_frame(values: "IntArray | FloatArray") -> pd.DataFrame:
    """(R, k, k) as a frame ``lag_class, from, 1, ..., k``."""
    groups, k, _ = values.shape
    frame = pd.DataFrame(values.reshape(groups * k, k), columns=range(1, k + 1))
    frame.insert(0, "lag_class", np.repeat(np.arange(1, groups + 1), k))
    frame.insert(1, "from", np.tile(np.arange(1, k + 1), groups))
    return frame


def has_ergodic(p: FloatArray) -> bool:
    """Whether a matrix has no empty row and one ergodic distribution."""
    return not np.isnan(p).any() and len(chain.closed_classes(p)) == 1


def _named(w: "SpatialWeights | pd.DataFrame | FloatArray") -> "pd.DataFrame | FloatArray":
    if isinstance(w, pd.DataFrame | np.ndarray):
        return w
    frame = getattr(w, "frame", None)
    if not isinstance(frame, pd.DataFrame):
        raise OptionError(
            f"w is a {type(w).__name__}; give econ.spatial.Weights, a square frame named by units, "
            "or an array in the order of panel.units."
        )
    return frame


def _complete(panel: Panel, x: str) -> Grid:
    found = grid(panel, x)
    lacking = np.isnan(found.values)
    if lacking.any():
        named = [f"{found.units[i]} in {found.periods[t]}" for i, t in np.argwhere(lacking)[:5]]
        raise DataError(
            f"{x!r} is missing {int(lacking.sum())} times ({'; '.join(named)}), so the means of the neighbours are "
            "unknown; restrict the panel with where() to units and periods that are complete."
        )
    return found


def _thin_notes(counts: IntArray) -> tuple[Text, ...]:
    """What is undefined because too few moves start there."""
    rows = np.argwhere(counts.sum(axis=2) == 0) + 1
    p = chain.transition_matrix(counts)
    lacking = [str(r + 1) for r in range(len(p)) if not has_ergodic(p[r])]
    notes: list[Text] = []
    if len(rows):
        pairs = [f"{r}/{i}" for r, i in rows]
        notes.append(
            {
                "en": f"No moves start in these classes of neighbours/region: {', '.join(pairs)}; their probabilities "
                "are missing.",
                "zh": f"下列“邻域组/本地组”没有转移起点，其概率留空：{'、'.join(pairs)}。",
            }
        )
    if lacking:
        notes.append(
            {
                "en": f"No unique ergodic distribution for neighbours in class {', '.join(lacking)}; it is left "
                "missing.",
                "zh": f"邻域处于第{'、'.join(lacking)}组时遍历分布不唯一，留空。",
            }
        )
    return tuple(notes)
