"""Centre of gravity and ellipse on places where the answer is known."""

import numpy as np
import pandas as pd
import pytest

from econ import DataError, Panel
from econ.disparity import centre_of_gravity
from econ.disparity.gravity import EARTH_KM, great_circle

PLACES = {"west": (110.0, 30.0), "east": (112.0, 30.0), "south": (111.0, 29.0), "north": (111.0, 31.0)}


def places(weights: dict[int, list[float]]) -> Panel:
    frame = pd.DataFrame(weights, index=pd.Index(PLACES, name="region")).reset_index()
    spots = pd.DataFrame([(name, *spot) for name, spot in PLACES.items()], columns=["region", "lon", "lat"])
    return Panel.from_wide(frame, unit="region", name="x").join(spots)


def test_the_centre_is_the_weighted_mean_and_moves_are_great_circles() -> None:
    path = centre_of_gravity(
        places({2000: [1, 1, 1, 1], 2001: [1, 3, 0, 0], 2002: [0, 0, 0, 4]}), "x", "lon", "lat"
    ).path
    assert path[["lon", "lat"]].values.tolist() == [[111, 30], [111.5, 30], [111, 31]]
    assert np.isnan(path["moved_km"].iloc[0])
    east = EARTH_KM * np.radians(0.5) * np.cos(np.radians(30))
    assert path["moved_km"].iloc[1] == pytest.approx(east, rel=1e-5)
    assert path["bearing"].iloc[1] == pytest.approx(90, abs=0.2)
    assert 270 < path["bearing"].iloc[2] < 360
    assert path[["major_km", "minor_km", "area_km2", "angle"]].iloc[2].tolist() == [0, 0, 0, 0]


def test_great_circles() -> None:
    km, bearing = great_circle(np.array([[0.0, 0.0], [116.4, 39.9]]), np.array([[0.0, 90.0], [121.47, 31.23]]))
    assert km[0] == pytest.approx(EARTH_KM * np.pi / 2)
    assert bearing[0] == pytest.approx(0)
    assert km[1] == pytest.approx(1067, abs=2)  # Beijing to Shanghai


def test_the_ellipse_has_the_standard_deviations_of_its_axes() -> None:
    degree = EARTH_KM * np.pi / 180
    row = centre_of_gravity(places({2000: [0, 0, 1, 1]}), "x", "lon", "lat").path.iloc[0]
    assert (row["major_km"], row["angle"]) == (pytest.approx(degree), pytest.approx(0))
    assert row["minor_km"] == pytest.approx(0, abs=1e-6)
    row = centre_of_gravity(places({2000: [1, 1, 0, 0]}), "x", "lon", "lat").path.iloc[0]
    assert (row["major_km"], row["angle"]) == (pytest.approx(degree * np.cos(np.pi / 6)), pytest.approx(90))
    row = centre_of_gravity(places({2000: [1, 1, 1, 1]}), "x", "lon", "lat").path.iloc[0]
    assert row["area_km2"] == pytest.approx(np.pi * row["major_km"] * row["minor_km"])


def test_the_ellipse_against_brute_force_over_directions() -> None:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"region": range(40), "lon": rng.normal(110, 4, 40), "x": rng.uniform(1, 9, 40)})
    frame["lat"] = 32 + 0.4 * (frame["lon"] - 110) + rng.normal(0, 1, 40)
    row = centre_of_gravity(Panel(frame, "region"), "x", "lon", "lat").path.iloc[0]
    scale = EARTH_KM * np.pi / 180
    east = scale * (frame["lon"] - row["lon"]) * np.cos(np.radians(row["lat"]))
    north = scale * (frame["lat"] - row["lat"])
    turns = np.radians(np.arange(0, 180, 0.05))
    along = np.sin(turns)[:, None] * east.to_numpy() + np.cos(turns)[:, None] * north.to_numpy()
    spread = np.sqrt((along**2 * frame["x"].to_numpy()).sum(axis=1) / frame["x"].sum())
    assert row["major_km"] == pytest.approx(spread.max(), rel=1e-5)
    assert row["minor_km"] == pytest.approx(spread.min(), rel=1e-5)
    assert row["angle"] == pytest.approx(np.degrees(turns[spread.argmax()]), abs=0.06)


def test_points_and_gaps() -> None:
    panel = places({2000: [1, 1, 1, 1], 2001: [1, 3, 1, np.nan]})
    result = centre_of_gravity(panel, "x", "lon", "lat")
    assert result.points["unit"].tolist() == ["east", "north", "south", "west"]
    assert result.path["n"].tolist() == [4, 3]
    assert "2001: 1" in result.notes[0]["en"]
    assert all(note["zh"] for note in result.notes)


def test_bad_input() -> None:
    panel = places({2000: [1, 1, 1, 1], 2001: [1, 3, 1, 2]})
    with pytest.raises(DataError, match="'lat' must lie between -90 and 90 degrees"):
        centre_of_gravity(panel.assign(lat=lambda d: d["lat"] + 60), "x", "lon", "lat")
    with pytest.raises(DataError, match=r"1 units have no 'lon' or 'lat' \(west\)"):
        centre_of_gravity(panel.assign(lon=lambda d: d["lon"].where(d["lon"] > 110)), "x", "lon", "lat")
    with pytest.raises(DataError, match="more than 180 degrees"):
        centre_of_gravity(panel.assign(lon=lambda d: d["lon"].where(d["lon"] > 110, -100)), "x", "lon", "lat")
    with pytest.raises(DataError, match="changes within region"):
        centre_of_gravity(panel.assign(lon=lambda d: d["lon"] + d["year"] % 2), "x", "lon", "lat")
    with pytest.raises(DataError, match="zero or positive"):
        centre_of_gravity(panel.assign(x=-1.0), "x", "lon", "lat")
    with pytest.raises(DataError, match="sums to zero in 2000"):
        centre_of_gravity(panel.assign(x=lambda d: d["x"].where(d["year"] > 2000, 0)), "x", "lon", "lat")
