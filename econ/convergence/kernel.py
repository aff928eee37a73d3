"""Distributions without classes: densities by period, and the stochastic kernel that leads from one to a later one."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from econ.convergence.grid import Grid, grid
from econ.errors import DataError, ModelError, OptionError
from econ.linear.fit import FloatArray
from econ.panel import Panel
from econ.text import Text

POINTS = 121  # of the densities
SIDE = 81  # points of the stochastic kernel in each direction
REACH = 3.0  # bandwidths that the grid goes beyond the data
FEWEST = 5  # units that a density needs


@dataclass(frozen=True, eq=False)
class Kernel:
    """Densities by period and the stochastic kernel.

    Attributes
    ----------
    densities : ``period, value, density``, on one grid of values for all periods
    periods : ``period, n, mean, sd, bandwidth, modes``; ``sd`` divides by n - 1
    conditional : ``origin, destination, density``: density of the value ``horizon`` periods later given the value now
    spec : what was asked for, as plain JSON, with the bandwidths and the number of pairs of the stochastic kernel
    notes : what a reader must know
    """

    densities: pd.DataFrame
    periods: pd.DataFrame
    conditional: pd.DataFrame
    spec: dict[str, Any]
    notes: tuple[Text, ...] = ()


def kernel(panel: Panel, x: str, horizon: int = 1, *, relative: bool = True) -> Kernel:
    r"""Densities of (relative) ``x`` by period, and its stochastic kernel over ``horizon`` periods.

    With ``z_it = x_it / mean_t(x)``, Gaussian ``phi`` and bandwidths ``h``:

    * density of period t: ``f_t(z) = sum_i phi((z - z_it) / h_t) / (n_t h_t)``, ``h_t = 0.9 min(sd, IQR / 1.34)
      n_t^(-1/5)`` (Silverman 1986, eq. 3.31);
    * stochastic kernel (Quah 1997): ``g(z' | z) = sum phi((z - z_it) / h_1) phi((z' - z_i,t+s) / h_2) / (h_2 sum
      phi((z - z_it) / h_1))`` over all pairs of values ``s`` periods apart, ``h_j = sd_j N^(-1/6)`` with N pairs, the
      normal-reference rule in two dimensions (Silverman 1986, ch. 4). It integrates to one over ``z'``, for every
      ``z`` within the data.

    Mass on the diagonal means persistence; mass turned towards the horizontal at one, convergence to the mean; two
    ridges, clubs.

    Parameters
    ----------
    panel : regions over periods.
    x : a positive level if ``relative``, else any numeric variable.
    horizon : number of calendar periods (years) between origin and destination; all overlapping pairs are used.
    relative : divide by the unweighted mean of the period over the regions seen in it.

    Examples
    --------
    >>> import econ
    >>> from econ.convergence.kernel import kernel
    >>> result = kernel(econ.load("provinces"), "gdp_per_capita", horizon=5)
    >>> result.periods.head(2)[["period", "n", "modes"]]
       period   n  modes
    0    2000  31      3
    1    2001  31      3
    """
    found = grid(panel, x)
    span = int(found.codes[-1] - found.codes[0])
    if not 1 <= horizon <= span:
        raise OptionError(f"horizon={horizon} is not allowed; {x!r} covers a span of {span}: give 1 to {span}.")
    z = _relative(found, x) if relative else found.values
    kept, notes = _dense_periods(z, found, x)
    densities, periods = _densities(z, kept, found, x)
    origin, destination = _pairs(z, found, horizon, x)
    conditional, bandwidths = _conditional(origin, destination)
    spec = {"estimator": "kernel", "outcome": x, "horizon": horizon, "relative": relative, "n_pairs": len(origin)}
    spec |= {"bandwidths": bandwidths, "time": panel.time, "dataset": panel.dataset, "labels": panel.labels([x])}
    return Kernel(densities, periods, conditional, spec, (*panel.notes, *notes))


def gaussian(at: FloatArray, data: FloatArray, bandwidth: float) -> FloatArray:
    """(A, N) Gaussian weights ``phi((at - data) / h) / h``."""
    u = (at[:, None] - data[None, :]) / bandwidth
    return np.asarray(np.exp(-0.5 * u * u) / (bandwidth * np.sqrt(2 * np.pi)))


def silverman(data: FloatArray) -> float:
    """``0.9 min(sd, IQR / 1.34) n^(-1/5)``; the standard deviation alone where the interquartile range is zero."""
    sd = float(data.std(ddof=1))
    spread = float(np.subtract(*np.quantile(data, [0.75, 0.25]))) / 1.34
    return float(0.9 * (min(sd, spread) if spread > 0 else sd) * len(data) ** -0.2)


def _relative(found: Grid, x: str) -> FloatArray:
    known = ~np.isnan(found.values)
    wrong = known & (found.values <= 0)
    if wrong.any():
        named = [f"{found.units[i]} in {found.periods[t]}" for i, t in np.argwhere(wrong)[:5]]
        raise DataError(
            f"{x!r} has {int(wrong.sum())} values that are zero or negative ({'; '.join(named)}); values relative to "
            "the mean need positive levels. Leave these rows out, or take relative=False."
        )
    return np.asarray(found.values / (np.nansum(found.values, axis=0) / known.sum(axis=0)))


def _dense_periods(z: FloatArray, found: Grid, x: str) -> tuple[list[int], tuple[Text, ...]]:
    """Periods with enough known values, and a note on the others."""
    known = (~np.isnan(z)).sum(axis=0)
    kept, thin = np.flatnonzero(known >= FEWEST).tolist(), np.flatnonzero(known < FEWEST).tolist()
    if not kept:
        raise ModelError(f"A density of {x!r} needs at least {FEWEST} regions in a period; the most is {known.max()}.")
    listed = [str(found.periods[t]) for t in thin]
    note: Text = {
        "en": f"No density for {', '.join(listed)}: fewer than {FEWEST} regions are known.",
        "zh": f"{'、'.join(listed)}已知地区不足{FEWEST}个，未估计密度。",
    }
    return kept, (note,) if thin else ()


def _densities(z: FloatArray, kept: list[int], found: Grid, x: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both frames of ``Kernel`` by period."""
    samples = [z[~np.isnan(z[:, t]), t] for t in kept]
    _refuse_constant(samples, kept, found, x)
    widths = [silverman(sample) for sample in samples]
    at = _points(np.concatenate(samples), max(widths), POINTS)
    curves = np.array([gaussian(at, s, h).mean(axis=1) for s, h in zip(samples, widths, strict=True)])
    inner = curves[:, 1:-1]
    labels = [found.periods[t] for t in kept]
    densities = pd.DataFrame(
        {"period": np.repeat(labels, POINTS), "value": np.tile(at, len(kept)), "density": curves.ravel()}
    )
    periods = pd.DataFrame(
        {
            "period": labels,
            "n": [len(sample) for sample in samples],
            "mean": [sample.mean() for sample in samples],
            "sd": [sample.std(ddof=1) for sample in samples],
            "bandwidth": widths,
            "modes": ((inner > curves[:, :-2]) & (inner >= curves[:, 2:])).sum(axis=1),
        }
    )
    return densities, periods


def _refuse_constant(samples: list[FloatArray], kept: list[int], found: Grid, x: str) -> None:
    for sample, t in zip(samples, kept, strict=True):
        if np.ptp(sample) == 0:
            raise ModelError(
                f"{x!r} has the same value everywhere in {found.periods[t]}, so it has no density; leave this period "
                "out with panel.where(...)."
            )


def _pairs(z: FloatArray, found: Grid, horizon: int, x: str) -> tuple[FloatArray, FloatArray]:
    """(N,) values and (N,) values ``horizon`` calendar periods later."""
    position = {int(code): t for t, code in enumerate(found.codes)}
    steps = [(t, position[code + horizon]) for code, t in position.items() if code + horizon in position]
    first = [t for t, _ in steps]
    later = [t for _, t in steps]
    origin, destination = z[:, first].ravel(), z[:, later].ravel()
    both = ~np.isnan(origin) & ~np.isnan(destination)
    if both.sum() < FEWEST:
        gaps = ", ".join(map(str, sorted(set(np.diff(found.codes).tolist()))))
        raise ModelError(
            f"{int(both.sum())} pairs of values of {x!r} are {horizon} periods apart; the stochastic kernel needs at "
            f"least {FEWEST}. Neighbouring periods are {gaps} apart: choose horizon accordingly."
        )
    return origin[both], destination[both]


def _conditional(origin: FloatArray, destination: FloatArray) -> tuple[pd.DataFrame, list[float]]:
    """Density of the destination given the origin, from the lowest to the highest origin seen."""
    h1, h2 = (float(values.std(ddof=1)) * len(values) ** (-1 / 6) for values in (origin, destination))
    start, end = np.linspace(origin.min(), origin.max(), SIDE), _points(destination, h2, SIDE)
    weights = gaussian(start, origin, h1)
    density = (weights / weights.sum(axis=1, keepdims=True)) @ gaussian(end, destination, h2).T
    frame = pd.DataFrame(
        {"origin": np.repeat(start, SIDE), "destination": np.tile(end, SIDE), "density": density.ravel()}
    )
    return frame, [h1, h2]


def _points(data: FloatArray, bandwidth: float, points: int) -> FloatArray:
    return np.linspace(data.min() - REACH * bandwidth, data.max() + REACH * bandwidth, points)
