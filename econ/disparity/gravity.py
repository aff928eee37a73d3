"""Where an activity lies on the map: its centre of gravity and standard deviational ellipse, over time."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from econ.data.frames import SHOWN
from econ.disparity.cells import known_cells, refuse
from econ.errors import DataError
from econ.linear.fit import FloatArray
from econ.panel import Panel
from econ.text import Text

EARTH_KM = 6371.0088  # mean radius, IUGG
CONVENTION: Text = {
    "en": "Centre: weighted mean of longitudes and latitudes. Ellipse: semi-axes are standard deviations along the "
    "principal axes (no factor of the square root of 2), angle clockwise from north; distances on the great circle.",
    "zh": "重心为经纬度的加权平均；椭圆半轴为主轴方向的标准差（不乘2的平方根），角度自正北顺时针；距离按大圆计算。",
}


@dataclass(frozen=True, eq=False)
class Gravity:
    """Centre of gravity and ellipse by period.

    Attributes
    ----------
    path : ``period, n, lon, lat, major_km, minor_km, angle, area_km2, moved_km, bearing``: the centre (degrees), the
        semi-axes of the ellipse, the direction of the long one (degrees clockwise from north, 0 to 180) and the area;
        how far and in which direction (0 to 360) the centre moved from the period before, missing in the first
    points : ``unit, lon, lat`` of the regions that the centre is made from
    spec : what was asked for, as plain JSON
    notes : what a reader must know
    """

    path: pd.DataFrame
    points: pd.DataFrame
    spec: dict[str, Any]
    notes: tuple[Text, ...] = ()


def centre_of_gravity(panel: Panel, x: str, lon: str, lat: str) -> Gravity:
    r"""Centre of gravity of ``x`` and its standard deviational ellipse, by period.

    ``lon_t = sum_i x_it lon_i / sum_i x_it``, and the same for ``lat``. The ellipse comes from the weighted covariance
    of the regions' positions in km around the centre (east: ``R cos(lat_t) (lon_i - lon_t)``, north:
    ``R (lat_i - lat_t)``, angles in radians, ``R`` = 6371.0088 km): semi-axes are the roots of its eigenvalues (Lefever
    1926; Yuill 1971). Software that multiplies them by ``sqrt(2)`` prints axes 1.414 times as long. Movements are
    great-circle distances and initial bearings.

    The mean of longitudes and latitudes is the one in published studies; for patents, GDP and population of the Chinese
    provinces it lies 12 to 25 km from the mean on the sphere. Points more than 180 degrees of longitude apart are
    refused.

    Parameters
    ----------
    panel : regions over periods, with gaps if need be: each period uses the regions known in it.
    x : an amount that adds up over regions (patents, not patents per head), zero or positive.
    lon, lat : columns of degrees, constant within regions.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").join(econ.regions()[["province", "lon", "lat"]])
    >>> result = econ.disparity.centre_of_gravity(panel, "invention_grants", "lon", "lat")
    >>> result.path[result.path["period"].isin([2000, 2018])][["period", "lon", "lat"]].round(2).values.tolist()
    [[2000.0, 115.49, 35.15], [2018.0, 115.88, 32.07]]
    """
    cells = known_cells(panel, x)
    places = _places(panel, lon, lat)
    unit = cells.unit
    missing = np.unique(unit[np.isnan(places[unit]).any(axis=1)])
    if len(missing):
        named = ", ".join(map(str, panel.units[missing][:SHOWN]))
        raise DataError(f"{len(missing)} units have no {lon!r} or {lat!r} ({named}); every region used needs a place.")
    _refuse_wide(places[unit, 0], lon)
    rows = [
        {"period": period, "n": span.stop - span.start, **_ellipse(places[unit[span]], cells.x[span])}
        for period, span in zip(cells.periods, cells.spans(), strict=True)
    ]
    path = pd.DataFrame(rows)
    path[["moved_km", "bearing"]] = _moves(path[["lon", "lat"]].to_numpy())
    used = np.unique(unit)
    points = pd.DataFrame({"unit": panel.units[used], "lon": places[used, 0], "lat": places[used, 1]})
    spec = {
        "estimator": "centre_of_gravity", "outcome": x, "lon": lon, "lat": lat, "dataset": panel.dataset,
        "labels": panel.labels([x, lon, lat]),
    }  # fmt: skip
    return Gravity(path, points, spec, (*cells.notes, CONVENTION))


def great_circle(start: FloatArray, end: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Distance in km (haversine) and initial bearing in degrees between rows of (lon, lat) in degrees."""
    (lon0, lat0), (lon1, lat1) = np.radians(start).T, np.radians(end).T
    half = np.sin((lat1 - lat0) / 2) ** 2 + np.cos(lat0) * np.cos(lat1) * np.sin((lon1 - lon0) / 2) ** 2
    east = np.sin(lon1 - lon0) * np.cos(lat1)
    north = np.cos(lat0) * np.sin(lat1) - np.sin(lat0) * np.cos(lat1) * np.cos(lon1 - lon0)
    return 2 * EARTH_KM * np.arcsin(np.sqrt(half)), np.degrees(np.arctan2(east, north)) % 360


def _places(panel: Panel, lon: str, lat: str) -> FloatArray:
    """(n_units, 2) degrees; NaN where a unit has none."""
    for name, bound in ((lon, 180), (lat, 90)):
        values = panel.values(name)
        refuse(panel, np.abs(values) > bound, f"{name!r} must lie between -{bound} and {bound} degrees", values)
    pairs = [panel.attribute(name).reindex(panel.units).to_numpy(dtype=np.float64) for name in (lon, lat)]
    return np.column_stack(pairs)


def _refuse_wide(degrees: FloatArray, lon: str) -> None:
    if np.ptp(degrees) > 180:
        raise DataError(
            f"{lon!r} runs from {degrees.min():g} to {degrees.max():g}: more than 180 degrees, over which a mean of "
            "longitudes has no meaning. Take regions on one side of the globe."
        )


def _ellipse(places: FloatArray, weights: FloatArray) -> dict[str, float]:
    """Centre, semi-axes, direction of the long one; a direction of 0 where the axes are equal."""
    share = weights / weights.sum()
    lon, lat = share @ places
    scale = EARTH_KM * np.pi / 180
    away = scale * (places - [lon, lat]) * [np.cos(np.radians(lat)), 1.0]
    values, vectors = np.linalg.eigh(away.T @ (share[:, None] * away))
    minor, major = np.sqrt(np.maximum(values, 0.0))
    east, north = vectors[:, 1]
    angle = np.degrees(np.arctan2(east, north)) % 180 if major > minor else 0.0
    return {"lon": float(lon), "lat": float(lat), "major_km": float(major), "minor_km": float(minor),
            "angle": float(angle), "area_km2": float(np.pi * major * minor)}  # fmt: skip


def _moves(centres: FloatArray) -> FloatArray:
    """(T, 2) km and degrees from the period before; the first has none."""
    moves = np.full((len(centres), 2), np.nan)
    if len(centres) > 1:
        moves[1:] = np.column_stack(great_circle(centres[:-1], centres[1:]))
    return moves
