"""The simulated zones: reproducible, scaled to national totals, declining as published, with a recoverable truth."""

import importlib.util
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import econ
from econ.data.cards import find

Array = NDArray[np.float64]
TRUTH = econ.card("zones_simulated").content["truth"]["att"]
YEARS = np.arange(2007, 2020)


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("simulate", find()["zones_simulated"] / "simulate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return econ.load("zones_simulated").frame


def test_script_writes_the_same_bytes_again(script: ModuleType) -> None:
    assert script.as_csv(script.simulate()) == econ.card("zones_simulated").path.read_bytes()


def test_it_says_that_it_is_simulated() -> None:
    card, panel = econ.card("zones_simulated"), econ.load("zones_simulated")
    assert "simulated" in card.name
    assert "Simulated" in card.title("en")
    assert "模拟" in card.title("zh")
    assert card.quality == "simulated"
    assert panel.notes == (
        {"en": "Simulated data: not statistics of real zones.", "zh": "模拟数据:并非高新区的真实统计。"},
    )
    for name in TRUTH:
        assert panel.column(name).quality == "simulated"
        assert "simulated" in str(panel.column(name).label)


def test_balanced_panel_of_the_zones_of_2020(frame: pd.DataFrame) -> None:
    panel = econ.load("zones_simulated")
    assert (panel.n_units, panel.n_periods, panel.is_balanced) == (169, 13, True)
    assert (frame["national"] == (frame["approval_year"] <= frame["year"])).all()
    assert (frame["demonstration"] == (frame["demonstration_year"] <= frame["year"])).all()
    assert (frame[list(TRUTH)] > 0).all(axis=None)


def test_cohorts_follow_from_the_rosters(frame: pd.DataFrame) -> None:
    cohorts = frame.drop_duplicates("zone")["demonstration_year"]
    counts = {2009: 2, 2011: 2, 2014: 15, 2015: 12, 2016: 21, 2018: 7, 2019: 7}
    assert cohorts.value_counts().sort_index().to_dict() == counts
    assert cohorts.isna().sum() == 103


@pytest.mark.parametrize(
    ("outcome", "variable", "scale"),
    [
        ("revenue", "total_revenue", 1),
        ("employment", "employees_year_end", 1e4),
        ("output", "gross_industrial_output", 1),
        ("profit", "net_profit", 1),
        ("exports", "exports", 1),
        ("rd_spending", "firm_rd_expenditure", 1),
    ],
)
def test_national_zones_add_up_to_the_known_totals(
    frame: pd.DataFrame, outcome: str, variable: str, scale: float
) -> None:
    known = (
        econ.load_frame("zones_national")
        .query("variable == @variable and 2007 <= year <= 2019")
        .set_index("year")["value"]
    )
    totals = frame[frame["national"] == 1].groupby("year")[outcome].sum()
    # each zone is rounded to two decimals, or to persons
    np.testing.assert_allclose(totals[known.index] / scale, known, rtol=1e-4)


@pytest.mark.parametrize(("outcome", "all_zones", "northeast"), [("employment", 40, 12), ("revenue", 37, 10)])
def test_declines_are_those_published(frame: pd.DataFrame, outcome: str, all_zones: int, northeast: int) -> None:
    wide = frame.pivot(index="zone", columns="year", values=outcome)
    growth = wide[2018] / wide[2015] - 1
    plate = frame.drop_duplicates("zone").set_index("zone")["plate"]
    assert (growth < 0).sum() == all_zones
    assert (growth[plate == "Northeast"] < 0).sum() == northeast
    assert (plate == "Northeast").sum() == 16
    assert (growth[plate == "Northeast"] < -0.5).sum() == 2
    assert (growth[plate != "Northeast"] > -0.5).all()


def test_growth_net_of_the_effect_is_equal_across_cohorts(frame: pd.DataFrame) -> None:
    for outcome in ("employment", "revenue"):
        net = np.log(frame[outcome]) - TRUTH[outcome] * frame["demonstration"]
        wide = frame.assign(net=net).pivot(index="zone", columns="year", values="net")
        cohort = frame.drop_duplicates("zone").set_index("zone")["demonstration_year"].fillna(0)
        means = (wide[2018] - wide[2015]).groupby(cohort).mean()
        assert np.ptp(means) < 1e-4


# ---- the truth can be recovered


@pytest.mark.parametrize("outcome", TRUTH)
def test_estimators_recover_the_truth(frame: pd.DataFrame, outcome: str) -> None:
    y, cohort = _wide(frame, outcome)
    for estimate, std_error in (_cohorts_against_never(y, cohort), _two_way_fixed_effects(y, cohort)):
        assert abs(estimate - TRUTH[outcome]) < 1.96 * std_error


@pytest.mark.parametrize("outcome", ["revenue", "patents", "employment"])
def test_no_pretrend(frame: pd.DataFrame, outcome: str) -> None:
    """Placebo effects one to five years before the last year before treatment."""
    y, cohort = _wide(frame, outcome)
    for horizon in range(-6, -1):
        estimate, std_error = _cohorts_against_never(y, cohort, horizon)
        assert abs(estimate) < 1.96 * std_error


def test_design_is_unbiased_over_seeds(script: ModuleType) -> None:
    """The decline does not mix with the effect: the mean over 20 seeds is the truth up to its Monte Carlo error."""
    errors: dict[str, list[list[float]]] = {name: [] for name in ("revenue", "patents", "employment")}
    for seed in range(100, 120):
        drawn = script.simulate(seed)
        for name, found in errors.items():
            y, cohort = _wide(drawn, name)
            found.append([f(y, cohort)[0] - TRUTH[name] for f in (_cohorts_against_never, _two_way_fixed_effects)])
    for found in errors.values():
        sample = np.array(found)
        assert (np.abs(sample.mean(axis=0)) < 3 * sample.std(axis=0, ddof=1) / np.sqrt(len(sample))).all()


def _wide(frame: pd.DataFrame, outcome: str) -> tuple[Array, Array]:
    """(169, 13) logs and (169,) cohorts."""
    rows = frame.sort_values(["zone_id", "year"])
    y = np.log(rows[outcome].to_numpy()).reshape(169, len(YEARS))
    return y, rows["demonstration_year"].to_numpy(dtype=float)[:: len(YEARS)]


def _cohorts_against_never(y: Array, cohort: Array, horizon: int | None = None) -> tuple[float, float]:
    """Mean over treated zone-years (or over one horizon) of the cells of Callaway and Sant'Anna (2021, eq. 2.2 with
    never-treated controls, base year g - 1), and its standard error from the influence function."""
    never = np.isnan(cohort)
    total, weight, influence = 0.0, 0.0, np.zeros(len(y))
    for g in np.unique(cohort[~never]):
        treated = cohort == g
        for t, year in enumerate(YEARS):
            if (year < g) if horizon is None else (year - g != horizon):
                continue
            change = y[:, t] - y[:, np.searchsorted(YEARS, g - 1)]
            psi = np.where(treated, (change - change[treated].mean()) / treated.sum(), 0)
            psi -= np.where(never, (change - change[never].mean()) / never.sum(), 0)
            total += treated.sum() * (change[treated].mean() - change[never].mean())
            influence += treated.sum() * psi
            weight += treated.sum()
    return total / weight, float(np.sqrt((influence**2).sum())) / weight


def _two_way_fixed_effects(y: Array, cohort: Array) -> tuple[float, float]:
    """Coefficient of the treatment with zone and year effects, clustered by zone."""
    d, u = (x - x.mean(0) - x.mean(1, keepdims=True) + x.mean() for x in ((cohort[:, None] <= YEARS).astype(float), y))
    coef = (d * u).sum() / (d * d).sum()
    scores = (d * (u - coef * d)).sum(axis=1)
    return float(coef), float(np.sqrt((scores**2).sum()) / (d * d).sum())
