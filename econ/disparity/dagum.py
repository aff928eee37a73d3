"""Dagum's decomposition of the Gini coefficient into three parts: within, net between, and transvariation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from econ.disparity.bootstrap import Inequality, Measure, bootstrapped_parts
from econ.disparity.cells import Cells, Groups, known_cells, sum_by, unit_groups
from econ.disparity.theil import share_of
from econ.errors import OptionError
from econ.linear.fit import FloatArray, IntArray
from econ.panel import Panel
from econ.text import Text

PARTS = ("within", "between", "transvariation")


@dataclass(frozen=True, eq=False)
class Dagum:
    """The Gini coefficient over time and its three parts.

    Attributes
    ----------
    totals : ``period, gini, within, between, transvariation, within_share, between_share, transvariation_share, n,
        mean``; the three parts add up to ``gini``. Shares are of ``gini``, missing where that is zero.
    pairs : ``period, group, other, gini, d, contribution``, each pair of groups once, a group with itself included:
        the Gini coefficient between two groups (inside one), their relative economic affluence ``d`` (Dagum's ``D_jh``;
        0 for a group with itself), and what the pair adds to the total
    spec : what was asked for, as plain JSON
    notes : what a reader must know
    parts : with ``draws``: ``gini, within, between, transvariation``, and the shares of the last three under
        ``within_share`` and so on -> ``Inequality``, with intervals by period and tests of change
    """

    totals: pd.DataFrame
    pairs: pd.DataFrame
    spec: dict[str, Any]
    notes: tuple[Text, ...] = ()
    parts: Mapping[str, Inequality] = field(default_factory=dict)

    def matrix(self, period: Any, measure: str = "gini") -> pd.DataFrame:
        """``gini``, ``d`` or ``contribution`` of one period as a symmetric frame, groups by groups."""
        if measure not in ("gini", "d", "contribution") or period not in set(self.pairs["period"]):
            raise OptionError(
                f"matrix({period!r}, {measure!r}): give a period from {self.pairs['period'].iloc[0]} to "
                f"{self.pairs['period'].iloc[-1]} and one of 'gini', 'd', 'contribution'."
            )
        rows = self.pairs[self.pairs["period"] == period]
        half = rows.pivot(index="group", columns="other", values=measure)
        matrix: pd.DataFrame = half.combine_first(half.T)
        return matrix


def dagum(
    panel: Panel,
    x: str,
    groups: str,
    weights: str | None = None,
    *,
    draws: int | None = None,
    seed: int = 1,
    level: float = 0.95,
) -> Dagum:
    r"""Gini coefficient by period and its three parts (Dagum 1997, Empirical Economics 22).

    With groups ``j`` of size ``n_j`` and mean ``m_j``, ``p_j = n_j / n``, ``s_j = n_j m_j / (n m)``, and the mean
    difference ``Delta_jh = sum_i sum_r |x_ji - x_hr| / (n_j n_h)``:

    * ``G_jh = Delta_jh / (m_j + m_h)``, between two groups, and inside one for ``j = h``;
    * ``D_jh = |m_j - m_h| / Delta_jh``, relative economic affluence: 1 when the groups do not overlap;
    * ``within = sum_j G_jj p_j s_j``;
    * ``between = sum_{j>h} G_jh (p_j s_h + p_h s_j) D_jh``, the net contribution of differences between groups;
    * ``transvariation = sum_{j>h} G_jh (p_j s_h + p_h s_j) (1 - D_jh)``, from the groups' overlap.

    They add up to ``gini = sum |x_i - x_r| / (2 n^2 m)``, the population coefficient (no factor n / (n - 1)).
    ``between`` equals the Gini coefficient of the data with each value replaced by its group's mean (Bhattacharya and
    Mahalanobis 1967). With ``weights`` a region counts ``w_i`` times. Two groups without any difference have
    ``G_jh = D_jh = 0``.

    No pair of regions is formed: ``Delta_jh`` comes from the areas under the groups' distribution functions, so a
    period costs a sort and a few cumulative sums over a (n, groups) matrix.

    Parameters
    ----------
    panel : regions over periods, with gaps if need be: each period uses the regions known in it.
    x : what is unequal, zero or positive.
    groups : column constant within regions, such as the plate.
    weights : column of positive weights in each period; by default every region counts the same.
    draws, seed, level : bootstrap of the parts, off by default, as in ``theil``.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").join(econ.regions()[["province", "plate"]])
    >>> result = econ.disparity.dagum(panel, "gdp_per_capita", groups="plate")
    >>> result.totals.head(2)[["period", "gini", "within", "between", "transvariation"]].round(4)
       period    gini  within  between  transvariation
    0    2000  0.3157  0.0596   0.2469          0.0092
    1    2001  0.3130  0.0599   0.2437          0.0094
    """
    cells = known_cells(panel, x, weights)
    named = unit_groups(panel, groups, cells)
    codes = named.codes[cells.unit]
    parts = [_pairs(cells.x[rows], cells.weights[rows], codes[rows]) for rows in cells.spans()]
    spec = {
        "estimator": "dagum", "outcome": x, "groups": [groups], "weights": weights, "dataset": panel.dataset,
        "labels": panel.labels([x, groups, *([weights] if weights else [])]),
    }  # fmt: skip
    totals, pairs = _totals(cells, parts), _pair_frame(cells, parts, named)
    if draws is None:
        return Dagum(totals, pairs, spec, cells.notes)
    names = ["gini", *PARTS, *(f"{name}_share" for name in PARTS)]
    specs = [{"estimator": "dagum", "part": name} for name in names]
    found = bootstrapped_parts(
        panel, x, _measure(named), specs, weights=weights, zeros=True, draws=draws, seed=seed, level=level
    )
    notes = tuple(note for note in found[0].notes if note not in cells.notes)
    return Dagum(totals, pairs, spec, (*cells.notes, *notes), dict(zip(names, found, strict=True)))


def _measure(groups: Groups) -> Measure:
    """Gini coefficient, its three parts, and their shares."""

    def measure(x: FloatArray, w: FloatArray, n: FloatArray, unit: IntArray) -> FloatArray:
        present, codes = np.unique(groups.codes[unit], return_inverse=True)
        inside = (codes[:, None] == np.arange(len(present))).astype(np.float64)
        size, value = w @ inside, (w * x) @ inside
        p, mean = size / size.sum(axis=1, keepdims=True), _ratio(value, size)
        apart = mean_differences(x, w, codes, len(present))
        net = np.minimum(np.abs(mean[:, :, None] - mean[:, None, :]), apart)
        both = p[:, :, None] * p[:, None, :] / (2 * (p * mean).sum(axis=1))[:, None, None]
        own = (both * apart).diagonal(axis1=1, axis2=2).sum(axis=1)
        gini, between = ((both * part).sum(axis=(1, 2)) for part in (apart, net))
        parts = [own, between, (both * (apart - net)).sum(axis=(1, 2)) - own]
        return np.stack([gini, *parts, *(share_of(part, gini) for part in parts)])

    return measure


def mean_differences(x: FloatArray, weights: FloatArray, codes: IntArray, n_groups: int) -> FloatArray:
    """(..., K, K) mean absolute difference of two draws, one from each group; zero for a group of no weight.

    ``E max(Y_h - Y_j, 0) = sum_{i in h} w_i A_j(x_i)``, where ``A_j`` (..., n, K) is the area under group j's
    distribution function below a value; ``x`` (n,) is sorted upwards, ``weights`` (..., n), and every group is in
    ``codes`` (n,). Only positive terms are added, so that nothing cancels.
    """
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(n_groups))
    share = _ratio(weights, np.add.reduceat(weights[..., order], starts, axis=-1)[..., codes])
    below = np.zeros((*weights.shape, n_groups))
    below[..., np.arange(len(x)), codes] = share
    np.cumsum(below, axis=-2, out=below)
    area = np.zeros_like(below)
    np.multiply(below[..., :-1, :], np.diff(x)[:, None], out=area[..., 1:, :])
    np.cumsum(area, axis=-2, out=area)
    weighted = area[..., order, :]
    weighted *= share[..., order, None]
    one_way = np.add.reduceat(weighted, starts, axis=-2)
    return np.asarray(one_way + np.swapaxes(one_way, -1, -2))


@dataclass(frozen=True)
class _Pairs:
    """One period: groups ``j <= h`` (codes), their Gini coefficient and affluence, and what the pair adds."""

    j: IntArray
    h: IntArray
    gini: FloatArray
    d: FloatArray
    contribution: FloatArray

    def totals(self) -> tuple[float, float, float, float]:
        """Gini coefficient, within, net between, transvariation."""
        own = self.j == self.h
        between = self.contribution * self.d
        rest = self.contribution * (1 - self.d)
        return (
            float(self.contribution.sum()),
            float(self.contribution[own].sum()),
            float(between[~own].sum()),
            float(rest[~own].sum()),
        )


def _pairs(x: FloatArray, weights: FloatArray, codes: IntArray) -> _Pairs:
    """All pairs of the groups present in a period; ``x`` (n,) sorted upwards."""
    present, codes = np.unique(codes, return_inverse=True)
    size = sum_by(codes, weights)
    p, mean = size / size.sum(), sum_by(codes, weights * x) / size
    difference = mean_differences(x, weights, codes, len(present))
    j, h = np.triu_indices(len(present))
    apart = difference[j, h]
    part = p[j] * p[h] * apart / float(p @ mean)  # = G_jh (p_j s_h + p_h s_j), which counts both orders
    part[j == h] /= 2
    d = np.minimum(_ratio(np.abs(mean[j] - mean[h]), apart), 1.0)
    return _Pairs(present[j], present[h], _ratio(apart, mean[j] + mean[h]), d, part)


def _ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    """``above / below``, and zero where both are."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def _totals(cells: Cells, parts: list[_Pairs]) -> pd.DataFrame:
    frame = pd.DataFrame([part.totals() for part in parts], columns=["gini", *PARTS])
    shares = {f"{name}_share": share_of(frame[name].to_numpy(), frame["gini"].to_numpy()) for name in PARTS}
    frame.insert(0, "period", cells.periods)
    return frame.assign(**shares, n=np.bincount(cells.period), mean=cells.means())


def _pair_frame(cells: Cells, parts: list[_Pairs], groups: Groups) -> pd.DataFrame:
    labels = pd.Series(groups.labels)
    t = np.repeat(np.arange(len(parts)), [len(part.j) for part in parts])
    return pd.DataFrame(
        {
            "period": pd.Series(cells.periods).take(t).to_numpy(),
            "group": labels.take(np.concatenate([part.j for part in parts])).to_numpy(),
            "other": labels.take(np.concatenate([part.h for part in parts])).to_numpy(),
            "gini": np.concatenate([part.gini for part in parts]),
            "d": np.concatenate([part.d for part in parts]),
            "contribution": np.concatenate([part.contribution for part in parts]),
        }
    )
