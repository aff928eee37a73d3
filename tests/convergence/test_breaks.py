"""The break date in a trend against its definition and series whose break is known."""

import numpy as np
import pandas as pd
import pytest

from econ import ModelError, OptionError, Panel
from econ.convergence.breaks import trend_break


def series(breaks: float = 0.0, T: int = 24, seed: int = 0, ar1: float = 0.0, n: int = 1) -> Panel:
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        u = 0.0
        for t in range(T):
            u = ar1 * u + 0.1 * rng.normal()
            rows.append((f"s{i}", 2000 + t, 1 + 0.05 * t - breaks * max(t - 12, 0) + u))
    return Panel(pd.DataFrame(rows, columns=["series", "year", "y"]), "series", "year")


def test_statistic_is_the_largest_f_over_dates() -> None:
    panel = series(0.1)
    y, t = panel.values("y"), np.arange(24.0)
    line = np.column_stack([np.ones(24), t])
    restricted = np.linalg.lstsq(line, y, rcond=None)[1][0]
    F = {}
    for d in range(4, 21):  # 15 percent of 24 periods at either end
        X = np.column_stack([line, t >= d, np.maximum(t - d, 0)])
        free = np.linalg.lstsq(X, y, rcond=None)[1][0]
        F[2000 + d] = (restricted - free) / 2 / (free / 20)
    row = trend_break(panel, "y", draws=19).tests.iloc[0]
    assert row["statistic"] == pytest.approx(max(F.values()))
    assert row["period"] == max(F, key=lambda d: F[d])
    for part, slope in (
        (panel.where(lambda d: d["year"] < row["period"]), row["slope_before"]),
        (panel.where(lambda d: d["year"] >= row["period"]), row["slope_after"]),
    ):
        assert np.polyfit(part.frame["year"], part.values("y"), 1)[0] == pytest.approx(slope)


def test_a_clear_break_is_found_and_none_where_there_is_none() -> None:
    found = trend_break(series(0.2), "y", draws=199).tests.iloc[0]
    assert abs(found["period"] - 2012) <= 1
    assert found["p_value"] == 1 / 200
    assert (trend_break(series(0.0, n=20), "y", draws=199).tests["p_value"] > 0.05).mean() > 0.8


def test_paths_hold_f_and_the_fitted_trend() -> None:
    panel = series(0.1, n=2)
    result = trend_break(panel, "y", draws=19)
    for unit, row in result.tests.set_index("unit").iterrows():
        path = result.paths[result.paths["unit"] == unit].set_index("period")
        assert path["statistic"].idxmax() == row["period"]
        assert path["statistic"].max() == row["statistic"]
        assert path["statistic"].isna().sum() == 4 + 3  # 4 to 20 of 0 to 23 are looked at
        values = panel.frame.query("series == @unit").set_index("year")["y"]
        np.testing.assert_array_equal(path["value"], values)
        for part in (path[path.index < row["period"]], path[path.index >= row["period"]]):
            line = np.polyval(np.polyfit(part.index, part["value"], 1), part.index)
            np.testing.assert_allclose(part["trend"], line)


def test_the_critical_value_parts_p_values_at_five_percent() -> None:
    found = trend_break(series(0.02, n=30), "y", draws=199).tests
    assert 0 < (found["p_value"] < 0.05).sum() < 30
    np.testing.assert_array_equal(found["statistic"] > found["critical"], found["p_value"] <= 0.05)


def test_units_without_values_and_the_panel_notes_are_carried() -> None:
    panel = Panel(
        series(n=2).frame.assign(y=lambda d: d["y"].where(d["series"] != "s1")), "series", "year", notes=["Mine."]
    )
    notes = [note["en"] for note in trend_break(panel, "y", draws=19).notes]
    assert notes == ["Mine.", "Left out because y has no value: s1."]


@pytest.mark.slow
@pytest.mark.parametrize(("ar1", "said"), [(0.0, 0.0675), (0.5, 0.1075), (0.8, 0.165)])
def test_size_is_what_the_docstring_says(ar1: float, said: float) -> None:
    p_values = trend_break(series(n=400, ar1=ar1, seed=5), "y", draws=199).tests["p_value"]
    assert (p_values < 0.05).mean() == pytest.approx(said, abs=0.005)


def test_scale_and_order_do_not_matter() -> None:
    panel = series(0.05, n=3)
    first = trend_break(panel, "y", draws=19).tests
    shuffled = Panel(panel.frame.sample(frac=1, random_state=1).assign(y=lambda d: 5 + 3 * d["y"]), "series", "year")
    again = trend_break(shuffled, "y", draws=19).tests
    np.testing.assert_allclose(again[["statistic", "p_value"]], first[["statistic", "p_value"]])
    np.testing.assert_allclose(again["slope_after"], 3 * first["slope_after"])


def test_bad_input() -> None:
    with pytest.raises(OptionError, match=r"trim=0\.5"):
        trend_break(series(), "y", trim=0.5)
    with pytest.raises(ModelError, match="at least 12 periods; 'y' has 11 for s0"):
        trend_break(series(T=11), "y")
    with pytest.raises(ModelError, match="exactly on a straight line"):
        trend_break(series().assign(y=lambda d: 2.0 * d["year"]), "y")
