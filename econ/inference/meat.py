"""The middle of the sandwich: sums of products of scores over rows, clusters, periods and near places.

Every function takes ``X`` (N, K) and ``v = w u`` (N,), so that the score of row i is ``x_i v_i``, and returns a (K, K)
sum. The N x K matrix of scores is formed for Newey-West only.
"""

import numpy as np

from econ.errors import DataError
from econ.linear.fit import FloatArray, IntArray

EARTH_RADIUS_KM = 6371.0088
_BLOCK = 65_536  # rows whose scores are formed at once
_PLACES = 512  # places whose distances are formed at once


def diagonal_meat(X: FloatArray, d: FloatArray) -> FloatArray:
    """``sum_i d_i x_i x_i'``, by blocks of rows; ``d`` is (N,)."""
    meat = np.zeros((X.shape[1], X.shape[1]))
    for start in range(0, X.shape[0], _BLOCK):
        rows = slice(start, start + _BLOCK)
        meat += (X[rows] * d[rows, None]).T @ X[rows]
    return meat


def score_sums(X: FloatArray, v: FloatArray, groups: IntArray, n_groups: int) -> FloatArray:
    """(G, K) sums of the scores by group, one column at a time."""
    sums = np.empty((n_groups, X.shape[1]))
    for k in range(X.shape[1]):
        sums[:, k] = np.bincount(groups, weights=X[:, k] * v, minlength=n_groups)
    return sums


def cluster_meat(X: FloatArray, v: FloatArray, groups: IntArray, n_groups: int) -> FloatArray:
    """``sum_g s_g s_g'`` with ``s_g`` the sum of the scores of cluster g."""
    sums = score_sums(X, v, groups, n_groups)
    return sums.T @ sums


def driscoll_kraay_meat(
    X: FloatArray, v: FloatArray, time: IntArray, codes: IntArray, n_periods: int, lags: int
) -> FloatArray:
    """``sum_|l|<=L (1 - |l|/(L+1)) sum_t s_t s_(t-l)'`` with ``s_t`` the sum of the scores of calendar period t.

    ``time`` are calendar numbers and ``codes`` the same periods numbered 0 to ``n_periods - 1``.
    """
    calendar = np.empty(n_periods, dtype=np.intp)
    calendar[codes] = time
    sums = score_sums(X, v, codes, n_periods)
    return sums.T @ _bartlett(np.abs(calendar[:, None] - calendar[None, :]), lags) @ sums


def newey_west_meat(X: FloatArray, v: FloatArray, unit: IntArray, time: IntArray, lags: int) -> FloatArray:
    """``sum_i sum_|s-t|<=L (1 - |s-t|/(L+1)) s_is s_it'`` over the rows of each unit i."""
    order = np.lexsort((time, unit))
    i, t = unit[order], time[order]
    if np.any((i[1:] == i[:-1]) & (t[1:] == t[:-1])):
        raise DataError(
            "newey_west() needs one row for each unit and period, and some pairs occur more than once. Aggregate them, "
            "or use driscoll_kraay() or cluster()."
        )
    S = X[order] * v[order, None]
    meat = S.T @ S
    for step in range(1, min(lags, i.size - 1) + 1):
        weights = np.where(i[step:] == i[:-step], _bartlett(t[step:] - t[:-step], lags), 0.0)
        lagged = (S[step:] * weights[:, None]).T @ S[:-step]
        meat += lagged + lagged.T
    return meat


def panel_corrected_meat(
    X: FloatArray,
    u: FloatArray,
    weights: FloatArray | None,
    unit: IntArray,
    n_units: int,
    time: IntArray,
    n_periods: int,
) -> tuple[FloatArray, int]:
    """``sum_t sum_ij s_ij w_it x_it w_jt x_jt'`` with ``s_ij`` the mean of ``u_it u_jt`` over common periods.

    ``unit`` and ``time`` are codes from 0. Also the number of pairs of units that are never seen together.
    """
    cell = time.astype(np.int64) * n_units + unit
    if np.unique(cell).size < cell.size:
        raise DataError(
            "pcse() needs one row for each unit and period, and some pairs occur more than once. Aggregate them, or "
            "use driscoll_kraay() or cluster()."
        )
    errors, seen = np.zeros(n_periods * n_units), np.zeros(n_periods * n_units)
    rows = np.zeros((n_periods * n_units, X.shape[1]))
    errors[cell], seen[cell] = u, 1.0
    rows[cell] = X if weights is None else X * weights[:, None]
    E, S = errors.reshape(n_periods, n_units), seen.reshape(n_periods, n_units)
    together = S.T @ S
    sigma = E.T @ E / np.maximum(together, 1.0)
    spread = sigma @ rows.reshape(n_periods, n_units, -1)
    return rows.T @ spread.reshape(rows.shape), int((together == 0).sum()) // 2


def conley_meat(
    X: FloatArray, v: FloatArray, lon: FloatArray, lat: FloatArray, cutoff_km: float, *, bartlett: bool
) -> FloatArray:
    """``sum_ij k(d_ij) s_i s_j'`` with ``d_ij`` the great-circle distance of rows i and j.

    Rows at one place are summed first; places are sorted by latitude, so that a block of them meets only the band of
    latitudes within the cutoff. Distances come from the chord ``c`` of the unit sphere, ``d = 2 R asin(c/2)``, which is
    the haversine formula.
    """
    places, codes = np.unique(lat + 1j * lon, return_inverse=True)
    sums = score_sums(X, v, codes.reshape(-1), places.size)
    points = _on_unit_sphere(places.imag, places.real)
    band = np.degrees(cutoff_km / EARTH_RADIUS_KM) * (1 + 1e-9) + 1e-9
    meat = np.zeros((X.shape[1], X.shape[1]))
    for start in range(0, places.size, _PLACES):
        stop = min(start + _PLACES, places.size)
        first = np.searchsorted(places.real, places.real[start] - band, side="left")
        last = np.searchsorted(places.real, places.real[stop - 1] + band, side="right")
        chord = _squared_chords(points[start:stop], points[first:last])
        kernel = _declining(chord, cutoff_km) if bartlett else _uniform(chord, cutoff_km)
        meat += sums[start:stop].T @ (kernel @ sums[first:last])
    return (meat + meat.T) / 2


def _squared_chords(a: FloatArray, b: FloatArray) -> FloatArray:
    """(n, m) squared straight-line distances between points (n, 3) and (m, 3) of the unit sphere."""
    squares = np.zeros((len(a), len(b)))
    for axis in range(3):
        squares += (a[:, axis, None] - b[None, :, axis]) ** 2
    return squares


def _uniform(squared_chord: FloatArray, cutoff_km: float) -> FloatArray:
    half_angle = min(cutoff_km / (2 * EARTH_RADIUS_KM), np.pi / 2)
    near: FloatArray = (squared_chord <= (2 * np.sin(half_angle)) ** 2).astype(np.float64)
    return near


def _declining(squared_chord: FloatArray, cutoff_km: float) -> FloatArray:
    distance: FloatArray = 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(np.sqrt(squared_chord) / 2, 1.0))
    return (1.0 - distance / cutoff_km).clip(min=0.0)


def _on_unit_sphere(lon: FloatArray, lat: FloatArray) -> FloatArray:
    """(n, 3) Cartesian coordinates of degrees of longitude and latitude."""
    lam, phi = np.radians(lon), np.radians(lat)
    return np.column_stack((np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)))


def _bartlett(distance: IntArray, lags: int) -> FloatArray:
    return (1.0 - distance.astype(np.float64) / (lags + 1)).clip(min=0.0)
