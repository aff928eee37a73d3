"""Bootstrap of the parts of Theil's and Dagum's decompositions, sample by sample."""

import numpy as np
import pandas as pd
import pytest

from econ import OptionError, Panel
from econ.disparity import dagum, gini, theil

DRAWS = 99


def regions(n: int = 24, seed: int = 0) -> Panel:
    """Two periods, three plates in two halves, the first region missing in the second period."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"region": np.repeat(np.arange(n), 2), "year": np.tile([2000, 2010], n)})
    frame["plate"] = [f"p{i % 3}" for i in frame["region"]]
    frame["half"] = np.where(frame["plate"] == "p0", "north", "south")
    frame["x"] = rng.lognormal(0, 0.5, 2 * n) * (1 + (frame["plate"] == "p0"))
    frame["people"] = rng.uniform(1, 5, 2 * n)
    return Panel(frame[(frame["region"] > 0) | (frame["year"] == 2000)], "region", "year")


def resampled(panel: Panel, seed: int, draw: int) -> Panel:
    """The panel in which each drawn region stands under a name of its own."""
    drawn = np.random.default_rng(seed).integers(0, panel.n_units, (DRAWS, panel.n_units))[draw]
    copies = [panel.frame[panel.frame["region"] == panel.units[i]].assign(region=k) for k, i in enumerate(drawn)]
    return Panel(pd.concat(copies), "region", "year")


@pytest.mark.parametrize("index", ["T", "L"])
def test_theil_replicates_are_those_of_resampled_panels(index: str) -> None:
    panel = regions()
    result = theil(panel, "x", ["half", "plate"], weights="people", index=index, draws=DRAWS, seed=5)
    for draw in range(20):
        again = theil(resampled(panel, 5, draw), "x", ["half", "plate"], weights="people", index=index)
        for name in ("total", "within", "between", "within_share", "between_share"):
            np.testing.assert_allclose(result.parts[name].replicates[draw], again.totals[name], rtol=1e-9, atol=1e-12)
        levels = again.levels.set_index(["level", "period"])
        for name in ("half", "plate"):
            np.testing.assert_allclose(result.parts[name].replicates[draw], levels.loc[name, "between"], atol=1e-12)
            np.testing.assert_allclose(result.parts[f"{name}_share"].replicates[draw], levels.loc[name, "share"])


@pytest.mark.parametrize("weights", [None, "people"])
def test_dagum_replicates_are_those_of_resampled_panels(weights: str | None) -> None:
    panel = regions()
    result = dagum(panel, "x", "plate", weights=weights, draws=DRAWS, seed=5)
    for draw in range(20):
        again = dagum(resampled(panel, 5, draw), "x", "plate", weights=weights).totals
        for name, part in result.parts.items():
            np.testing.assert_allclose(part.replicates[draw], again[name], rtol=1e-9, atol=1e-12)


def test_estimates_are_those_of_the_decomposition() -> None:
    panel = regions()
    for result in (theil(panel, "x", "plate", draws=DRAWS), dagum(panel, "x", "plate", draws=DRAWS)):
        for name, part in result.parts.items():
            np.testing.assert_allclose(part.path["estimate"], result.totals[name], rtol=1e-12)
            assert part.spec["part"] == name
            assert part.test["change"].item() == pytest.approx(np.diff(result.totals[name]).item())
    assert list(theil(panel, "x", "plate", draws=DRAWS).parts) == [
        "total", "within", "between", "within_share", "between_share",
    ]  # fmt: skip


def test_the_total_has_the_interval_of_gini() -> None:
    panel = regions()
    total = dagum(panel, "x", "plate", draws=DRAWS, seed=2).parts["gini"]
    alone = gini(panel, "x", convention="population", draws=DRAWS, seed=2)
    pd.testing.assert_frame_equal(total.path, alone.path)
    pd.testing.assert_frame_equal(total.test, alone.test)


def test_a_draw_without_a_group_counts() -> None:
    """All regions but one in one group: about a third of the draws miss the other."""
    panel = regions().assign(plate=lambda d: np.where(d["region"] == 5, "b", "a"))
    part = theil(panel, "x", "plate", draws=DRAWS).parts["between"]
    none = (part.replicates[:, 0] == 0).mean()
    assert 0.2 < none < 0.5
    assert not np.isnan(part.replicates).any()


def test_off_by_default_and_noted_when_on() -> None:
    panel = regions()
    assert theil(panel, "x", "plate").parts == dagum(panel, "x", "plate").parts == {}
    assert not any("resampled" in note["en"] for note in theil(panel, "x", "plate").notes)
    assert any("resampled" in note["en"] for note in dagum(panel, "x", "plate", draws=DRAWS).notes)
    with pytest.raises(OptionError, match="draws=10 is not allowed"):
        theil(panel, "x", "plate", draws=10)
    with pytest.raises(OptionError, match="level=2"):
        dagum(panel, "x", "plate", draws=DRAWS, level=2)
