"""Spatial autocorrelation of one variable: Moran's I and Geary's C, period by period."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from econ.errors import ModelError
from econ.linear.fit import FloatArray
from econ.options import check_draws
from econ.panel import Panel
from econ.spatial.weights import Weights
from econ.text import Text


@dataclass(frozen=True, eq=False)
class Moran:
    """Spatial autocorrelation by period.

    Attributes
    ----------
    path : ``period, n, moran, expected, std_error, z, p_value, p_permutation``, then ``geary, geary_z, geary_p_value``
    spec : what was asked for, as plain JSON
    notes : what a reader must know
    """

    path: pd.DataFrame
    spec: dict[str, Any]
    notes: tuple[Text, ...] = ()


def moran(panel: Panel, x: str, w: Weights, draws: int = 999, seed: int = 1) -> Moran:
    r"""Moran's I and Geary's C of ``x`` in every period, with ``z = x - mean(x)`` and ``S_0 = sum_ij w_ij``.

    .. math::
        I = \frac{n}{S_0} \frac{z'Wz}{z'z}, \qquad
        C = \frac{n - 1}{2 S_0} \frac{\sum_{ij} w_{ij} (x_i - x_j)^2}{z'z}

    Without spatial autocorrelation I is near ``-1/(n-1)`` and C near 1; neighbours alike make I larger and C smaller.
    ``z`` and ``geary_z`` standardise with the moments under randomisation (Cliff and Ord 1981, Spatial Processes),
    with two-sided normal p-values; ``p_permutation`` is the one-sided share of ``draws`` relocations of
    the values, the observed one counted, whose I is as far on the same side or farther.

    Parameters
    ----------
    panel : regions over periods; each period uses the regions in which ``x`` is known.
    x : a variable, in logs where that is its natural scale.
    w : neighbours, such as ``econ.spatial.Weights.from_borders(panel)``; rows sum to one.
    draws, seed : of the permutations.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").log(["gdp_per_capita"])
    >>> w = econ.spatial.Weights.from_borders(panel)
    >>> econ.spatial.moran(panel, "log_gdp_per_capita", w).path[["period", "moran"]].round(3).iloc[0].tolist()
    [2000.0, 0.439]
    """
    check_draws(draws, seed)
    values = panel.values(x)
    rows = []
    for code in np.unique(panel.time_codes[~np.isnan(values)]):
        inside = (panel.time_codes == code) & ~np.isnan(values)
        units = panel.units[panel.unit_codes[inside]]
        matrix = (w if len(units) == len(w.units) else w.subset(list(units))).frame.loc[list(units), list(units)]
        rng = np.random.default_rng([seed, int(code)])
        row = _statistics(
            values[inside], matrix.to_numpy(dtype=np.float64), draws, rng, f"{x!r} in {panel.period(code)}"
        )
        rows.append({"period": panel.period(int(code)), "n": len(units)} | row)
    spec = {"estimator": "moran", "outcome": x, "weights": str(w.kind), "draws": draws, "seed": seed}
    return Moran(pd.DataFrame(rows), spec | {"dataset": panel.dataset, "labels": panel.labels([x])}, panel.notes)


def _statistics(x: FloatArray, w: FloatArray, draws: int, rng: np.random.Generator, what: str) -> dict[str, float]:
    n, z = len(x), x - x.mean()
    total = float(z @ z)
    if n < 4 or total <= 1e-14 * float(x @ x):
        raise ModelError(f"{what} has {n} regions with variation {total:g}; at least 4 regions that differ are needed.")
    s0 = w.sum()
    scale = n / (s0 * total)
    index = scale * float(z @ w @ z)
    expected = -1 / (n - 1)
    moran_variance, geary_variance = _variances(z, w)
    geary = (n - 1) / (2 * s0 * total) * float((w * (x[:, None] - x) ** 2).sum())
    permuted = rng.permuted(np.broadcast_to(z, (draws, n)), axis=1)
    simulated = scale * np.einsum("di,di->d", permuted @ w, permuted)
    side = simulated >= index if index >= expected else simulated <= index
    deviate, geary_deviate = (index - expected) / np.sqrt(moran_variance), (geary - 1) / np.sqrt(geary_variance)
    return {
        "moran": index,
        "expected": expected,
        "std_error": float(np.sqrt(moran_variance)),
        "z": float(deviate),
        "p_value": float(2 * special.ndtr(-abs(deviate))),
        "p_permutation": float((1 + side.sum()) / (1 + draws)),
        "geary": geary,
        "geary_z": float(geary_deviate),
        "geary_p_value": float(2 * special.ndtr(-abs(geary_deviate))),
    }


def _variances(z: FloatArray, w: FloatArray) -> tuple[float, float]:
    """Variances of I and C under randomisation: every assignment of the values to the regions equally likely."""
    n = len(z)
    s0 = w.sum()
    s1 = ((w + w.T) ** 2).sum() / 2
    s2 = ((w.sum(axis=1) + w.sum(axis=0)) ** 2).sum()
    b2 = n * (z**4).sum() / (z**2).sum() ** 2
    spread = n * ((n**2 - 3 * n + 3) * s1 - n * s2 + 3 * s0**2) - b2 * ((n**2 - n) * s1 - 2 * n * s2 + 6 * s0**2)
    moran_variance = spread / ((n - 1) * (n - 2) * (n - 3) * s0**2) - 1 / (n - 1) ** 2
    geary_variance = (
        (n - 1) * s1 * (n**2 - 3 * n + 3 - (n - 1) * b2)
        - (n - 1) * s2 * (n**2 + 3 * n - 6 - (n**2 - n + 2) * b2) / 4
        + s0**2 * (n**2 - 3 - (n - 1) ** 2 * b2)
    ) / (n * (n - 2) * (n - 3) * s0**2)
    return float(moran_variance), float(geary_variance)
