"""Survival against a published example, products and sums written out, and statsmodels' own limits."""

from math import log, prod, sqrt

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import econ
from econ import DataError, ModelError, OptionError, Panel
from econ.disparity.survival import Survival, survival

# weeks of remission, negative where censored: Freireich et al. (1963), as in Cox (1972)
TREATED = [6, 6, 6, -6, 7, -9, 10, -10, -11, 13, 16, -17, -19, -20, 22, 23, -25, -32, -32, -34, -35]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]


def spells(times: dict[str, list[int]], last: int = 35) -> Panel:
    """A panel in which each unit falls below its first level after the given time, or is last seen then (negative)."""
    rows = []
    for group, given in times.items():
        for i, time in enumerate(given):
            end = abs(time) if time < 0 else last
            rows += [(f"{group}{i:02d}", group, t, 9.0 if 0 < time <= t else 10.0) for t in range(end + 1)]
    return Panel(pd.DataFrame(rows, columns=["unit", "arm", "week", "x"]), "unit", "week")


def remission() -> Survival:
    return survival(spells({"treated": TREATED, "placebo": PLACEBO}), "x", "decline", before=0, groups="arm")


def test_published_remission_times() -> None:
    result = remission()
    at = result.curves.set_index(["group", "time"])
    expected = {6: (0.857, 0.0764), 7: (0.807, 0.0869), 10: (0.753, 0.0963), 13: (0.690, 0.1068), 23: (0.448, 0.1346)}
    for time, values in expected.items():
        found = at.loc[("treated", time), ["survival", "std_error"]].astype(float)
        assert found.tolist() == pytest.approx(values, abs=5e-4)
    test = result.test.set_index("group")
    assert test.loc["all", ["statistic", "dof"]].tolist() == pytest.approx([16.79, 1], abs=0.005)
    assert test["statistic"].tolist() == pytest.approx(
        [16.79] * 3, abs=0.005
    )  # of two groups, each is the other's rest
    medians = result.medians.set_index("group")
    assert medians.loc[["placebo", "treated"], "median"].tolist() == [8, 23]
    assert medians.loc["treated", ["n", "events"]].tolist() == [21, 9]


def test_product_and_greenwood_written_out() -> None:
    curve = remission().curves.query("group == 'treated'")
    for row in curve.itertuples():
        risk = {s: sum(abs(t) >= s for t in TREATED) for s in range(1, row.time + 1)}
        d = {s: sum(t == s for t in TREATED) for s in risk}
        S = prod(1 - d[s] / risk[s] for s in risk)
        spread = sqrt(sum(d[s] / (risk[s] * (risk[s] - d[s])) for s in risk))
        assert (row.survival, row.std_error) == pytest.approx((S, S * spread))
        assert row.at_risk == sum(abs(t) >= row.time for t in TREATED)
        assert (row.events, row.censored) == (sum(t == row.time for t in TREATED), sum(-t == row.time for t in TREATED))
        width = 1.959963984540054 * spread / abs(log(S)) if S < 1 else 0.0
        assert (row.ci_low, row.ci_high) == pytest.approx((S ** np.exp(width), S ** np.exp(-width)))


def test_log_rank_by_hypergeometric_moments() -> None:
    times = {"a": [1, 2, 2, 3, -4, 5], "b": [2, 3, -3, 5, 5], "c": [1, 1, 2, -2, 4, 4, 5]}
    found = survival(spells(times, 6), "x", "decline", before=0, groups="arm").test.set_index("group")
    everyone = [(t, group) for group, given in times.items() for t in given]
    excess, variance = np.zeros(3), np.zeros((3, 3))
    for t in (1, 2, 3, 4, 5):
        n = np.array([sum(abs(s) >= t for s in given) for given in times.values()], dtype=float)
        d = np.array([sum(s == t for s in given) for given in times.values()], dtype=float)
        N, D = n.sum(), d.sum()
        excess += d - D * n / N
        if N > 1:
            variance += D * (N - D) / (N - 1) * (np.diag(n / N) - np.outer(n, n) / N**2)
    assert len(everyone) == 18
    statistic = excess[:2] @ np.linalg.solve(variance[:2, :2], excess[:2])
    assert found.loc["all"].tolist() == pytest.approx([statistic, 2, stats.chi2.sf(statistic, 2)])
    for k, name in enumerate(times):
        alone = excess[k] ** 2 / variance[k, k]
        assert found.loc[name].tolist() == pytest.approx([alone, 1, stats.chi2.sf(alone, 1)])


def test_median_limits_as_statsmodels() -> None:
    from statsmodels.duration.survfunc import SurvfuncRight

    ours = remission().medians.set_index("group").loc["treated", ["ci_low", "ci_high"]].tolist()
    assert ours == pytest.approx(SurvfuncRight(np.abs(TREATED), np.sign(TREATED).clip(0)).quantile_ci(0.5))


def frame(rows: dict[str, list[float]]) -> Panel:
    long = [(unit, 2014 + t, value) for unit, values in rows.items() for t, value in enumerate(values)]
    return Panel(pd.DataFrame(long, columns=["unit", "year", "x"]), "unit", "year")


NAN = float("nan")
PATHS = {
    "fell, back after 2": [10, 8, 9, 10, 12],
    "fell, back, fell again": [10, 8, 11, 7, 7],
    "fell, never back": [10, 8, 7, 7, 7],
    "fell, lost sight of": [10, 8, 9, NAN, 12],
    "did not fall": [10, 10, 8, 9, 9],
    "unknown at the start": [10, NAN, 8, 9, 9],
    "unknown just after": [10, 8, NAN, 12, 12],
}


def test_recovery_spells() -> None:
    result = survival(frame(PATHS), "x", "recovery", before=2014, trough=2015)
    units = result.units.set_index("unit")[["time", "event"]]
    assert units.to_dict("index") == {
        "fell, back after 2": {"time": 2, "event": True},
        "fell, back, fell again": {"time": 1, "event": True},
        "fell, lost sight of": {"time": 1, "event": False},
        "fell, never back": {"time": 3, "event": False},
    }
    notes = [note["en"] for note in result.notes]
    assert notes[0].startswith("2 units left out") and "unknown at the start, unknown just after" in notes[0]
    assert notes[1].startswith("1 units that were not below their level of 2014 in 2015")
    assert notes[2] == "1 units are censored where x is first missing."
    assert result.test.empty


def test_decline_spells_and_the_last_period() -> None:
    result = survival(frame(PATHS), "x", "decline", before=2015, end=2017)
    units = result.units.set_index("unit")
    assert units.loc["did not fall", ["time", "event"]].tolist() == [1, True]
    assert units.loc["fell, back, fell again", ["time", "event"]].tolist() == [2, True]
    assert units.loc["fell, back after 2", ["time", "event"]].tolist() == [2, False]
    assert result.spec["end"] == 2017


def test_periods_without_data_are_no_gaps() -> None:
    panel = frame(PATHS).where(lambda d: (d["year"] != 2016) & ~d["unit"].str.startswith("unknown"))
    result = survival(panel, "x", "recovery", before=2014, trough=2015)
    assert result.units.set_index("unit").loc["fell, back after 2", ["time", "event"]].tolist() == [2, True]


def test_nothing_happens() -> None:
    panel = spells({"a": [-4, -4], "b": [-4, -3]}, 4)
    result = survival(panel, "x", "decline", before=0, groups="arm")
    assert (result.curves["survival"] == 1).all()
    assert (result.curves[["ci_low", "ci_high"]] == 1).all(axis=None)
    assert np.isinf(result.medians["median"]).all()
    assert result.test.empty
    assert any("No log-rank test" in note["en"] for note in result.notes)


def test_everybody_at_once() -> None:
    result = survival(spells({"a": [2, 2], "b": [2, 2]}, 4), "x", "decline", before=0, groups="arm")
    last = result.curves.query("group == 'all'").iloc[-1]
    assert (last["time"], last["survival"]) == (2, 0)
    assert np.isnan(last["ci_high"])
    assert result.test.empty


def test_simulated_zones_say_so() -> None:
    zones = econ.load("zones_simulated")
    result = survival(zones, "employment", "recovery", before=2014, trough=2015, groups="plate")
    assert zones.notes[0] in result.notes
    share = result.curves.query("group == 'Northeast'")["survival"].tolist()
    wide = zones.frame.pivot(index="zone", columns="year", values="employment")
    wide = wide[(zones.attribute("plate") == "Northeast").reindex(wide.index) & (wide[2015] < wide[2014])]
    never = [(wide.loc[:, 2016:y].max(axis=1) < wide[2014]).mean() for y in range(2016, 2020)]
    assert share == pytest.approx([1, *never])  # nobody is lost sight of


def test_bad_input() -> None:
    panel = frame(PATHS)
    with pytest.raises(OptionError, match=r"event='recover' is not allowed.*Did you mean 'recovery'"):
        survival(panel, "x", "recover", before=2014, trough=2015)
    with pytest.raises(OptionError, match="give the low point"):
        survival(panel, "x", "recovery", before=2014)
    with pytest.raises(OptionError, match="none for 'decline'"):
        survival(panel, "x", "decline", before=2014, trough=2015)
    with pytest.raises(OptionError, match="No period of the panel: 1999"):
        survival(panel, "x", "decline", before=1999)
    with pytest.raises(OptionError, match="follow each other"):
        survival(panel, "x", "recovery", before=2015, trough=2014)
    with pytest.raises(ModelError, match="not known after 2018"):
        survival(panel, "x", "decline", before=2018)
    with pytest.raises(DataError, match="no values in 2015"):
        survival(panel.assign(x=lambda d: d["x"].where(d["year"] != 2015)), "x", "decline", before=2015)
    with pytest.raises(ModelError, match="No unit is at risk"):
        survival(panel.where(lambda d: d["unit"] == "did not fall"), "x", "recovery", before=2014, trough=2015)
    with pytest.raises(DataError, match="1 units have no 'arm'"):
        gone = spells({"a": [2], "b": [3]}).assign(arm=lambda d: d["arm"].where(d["unit"] != "a00"))
        survival(gone, "x", "decline", before=0, groups="arm")
    with pytest.raises(ModelError, match=r"gives one group only \(a\) among the 2 units.*two or more"):
        survival(spells({"a": [2, 3]}), "x", "decline", before=0, groups="arm")
    with pytest.raises(ModelError, match="Nobody in a is followed until the first event, after 3 periods"):
        survival(spells({"a": [-1, -2], "b": [3, 4, -4], "c": [3, 4]}), "x", "decline", before=0, groups="arm")
