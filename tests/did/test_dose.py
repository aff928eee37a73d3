"""Effects by dose: by least squares, by what every unit's weight moves, and on designs where the truth is known."""

import numpy as np
import pandas as pd
import pytest

import econ
from econ import DataError, ModelError, OptionError, Panel
from econ.did.dose import DoseResult, dose
from econ.report import dose_plot


def doses(cohorts: tuple[int, ...] = (2003, 2005), noise: float = 1.0, seed: int = 0, n: int = 16) -> Panel:
    """``n`` units in each cohort and never treated, over six years; the effect is 2 d - d^2 / 4, and grows."""
    rng = np.random.default_rng(seed)
    first = np.repeat([*cohorts, 2099], n)
    funds = np.where(first < 2099, rng.uniform(0.5, 3, len(first)).round(2), 0.0)
    frame = pd.DataFrame([(i, t) for i in range(len(first)) for t in range(2001, 2007)], columns=["unit", "year"])
    frame["cohort"] = np.where(first < 2099, first, np.nan)[frame["unit"]]
    frame["funds"] = funds[frame["unit"]]
    since = (frame["year"] - frame["cohort"]).fillna(-1)
    effect = (2 * frame["funds"] - frame["funds"] ** 2 / 4) * (since >= 0)
    frame["y"] = frame["unit"] / 10 + 0.3 * frame["year"] + effect + noise * rng.normal(size=len(frame))
    return Panel(frame.assign(region=frame["unit"] // 3, n=1.0 + frame["unit"] % 3), "unit", "year")


def with_gaps(panel: Panel) -> Panel:
    return Panel(panel.frame.drop(panel.frame.sample(20, random_state=1).index), "unit", "year")


def numbers(result: DoseResult) -> np.ndarray:
    parts = (result.level, result.slope, result.overall, result.slope_by_cell, result.level_by_cell)
    return np.concatenate([part.coef for part in parts])


def test_two_periods_are_least_squares_on_powers_of_the_dose() -> None:
    panel = doses((2003,)).where(lambda d: d["year"].isin([2002, 2003]))
    grid = np.array([0.8, 1.5, 2.5])
    found = dose(panel, "y", cohort="cohort", dose="funds", grid=list(grid))
    wide = panel.frame.pivot(index="unit", columns="year", values="y")
    change, d = (wide[2003] - wide[2002]).to_numpy(), panel.frame.groupby("unit")["funds"].first().to_numpy()
    y, y0, d = change[d > 0], change[d == 0], d[d > 0]
    X, G = np.vander(d, 4, increasing=True), np.vander(grid, 4, increasing=True)
    inverse = np.linalg.inv(X.T @ X)
    b = inverse @ X.T @ y
    e = y - X @ b
    V = inverse @ (X.T * e**2) @ X @ inverse
    D, DX = (np.column_stack([0 * x, 0 * x + 1, 2 * x, 3 * x**2]) for x in (grid, d))
    np.testing.assert_allclose(found.level.coef, G @ b - y0.mean(), rtol=1e-8)
    np.testing.assert_allclose(found.slope.coef, D @ b, rtol=1e-8)
    of_controls = np.var(y0) / len(y0)
    np.testing.assert_allclose(found.level.std_error, np.sqrt(np.diag(G @ V @ G.T) + of_controls), rtol=1e-8)
    np.testing.assert_allclose(found.slope.std_error, np.sqrt(np.diag(D @ V @ D.T)), rtol=1e-7)
    np.testing.assert_allclose(found.overall.coef, [y.mean() - y0.mean(), (DX @ b).mean()], rtol=1e-8)
    psi = (DX @ b - (DX @ b).mean() + (X * e[:, None]) @ inverse @ DX.sum(axis=0)) / len(d)
    assert found.overall.std_error[1] == pytest.approx(np.sqrt(np.sum(psi**2)), rel=1e-8)
    assert found.overall.std_error[0] == pytest.approx(np.sqrt(np.var(y) / len(y) + of_controls), rel=1e-8)


@pytest.mark.parametrize(
    "options",
    [
        {"degree": 2, "knots": 1, "grid": [1.0, 2.0]},
        {"degree": 1, "grid": [1.0, 2.0], "control": "not_yet", "average": "cohort"},
        {"curve": "discrete"},
        {"curve": "discrete", "average": "cohort", "control": "not_yet"},
    ],
)
@pytest.mark.parametrize("panel", [doses(), with_gaps(doses())], ids=["balanced", "gaps"])
def test_standard_errors_are_what_the_weight_of_each_unit_moves(panel: Panel, options: dict[str, object]) -> None:
    if options.get("curve"):
        panel = panel.assign(
            funds=lambda d: d["funds"].clip(upper=2.4).round() + (d["cohort"] > 2004) * (d["funds"] > 2)
        )

    def estimates(unit: int | None) -> np.ndarray:
        weighted = panel.assign(v=lambda d: 1 + 1e-5 * (d["unit"] == unit))
        return numbers(dose(weighted, "y", cohort="cohort", dose="funds", weights="v", **options))  # type: ignore[arg-type]

    base = estimates(None)
    moved = np.array([(estimates(unit) - base) / 1e-5 for unit in panel.units])
    found = dose(panel, "y", cohort="cohort", dose="funds", **options)  # type: ignore[arg-type]
    parts = (found.level, found.slope, found.overall, found.slope_by_cell, found.level_by_cell)
    expected = np.sqrt((moved**2).sum(axis=0))
    np.testing.assert_allclose(np.concatenate([part.std_error for part in parts]), expected, rtol=2e-4, atol=1e-8)


def test_cells_are_averaged_by_treated_observations_or_by_cohort() -> None:
    panel = doses(n=12).where(lambda d: ~d["unit"].isin([0, 1]))
    cells = dose(panel, "y", cohort="cohort", dose="funds", degree=1, grid=[1.0, 2.0])
    alone = [
        dose(panel.where(lambda d, g=g: d["cohort"].isna() | (d["cohort"] == g)), "y", cohort="cohort", dose="funds",
             degree=1, grid=[1.0, 2.0])
        for g in (2003, 2005)
    ]  # fmt: skip
    mean = (10 * 4 * alone[0].level.coef + 12 * 2 * alone[1].level.coef) / (10 * 4 + 12 * 2)
    np.testing.assert_allclose(cells.level.coef, mean, rtol=1e-10)
    by_cohort = dose(panel, "y", cohort="cohort", dose="funds", degree=1, grid=[1.0, 2.0], average="cohort")
    mean = (10 * alone[0].level.coef + 12 * alone[1].level.coef) / (10 + 12)
    np.testing.assert_allclose(by_cohort.level.coef, mean, rtol=1e-10)
    assert "by cohort" in by_cohort.level.notes[-1]["en"]


def test_the_curve_is_recovered_without_noise() -> None:
    found = dose(doses(noise=0.0), "y", cohort="cohort", dose="funds", degree=2)
    np.testing.assert_allclose(found.level.coef, 2 * found.doses - found.doses**2 / 4, atol=1e-9)
    np.testing.assert_allclose(found.slope.coef, 2 - found.doses / 2, atol=1e-8)
    before = found.slope_by_cell.cells.query("event_time < 0")
    np.testing.assert_allclose(before["estimate"], 0, atol=1e-8)


@pytest.mark.parametrize("control", ["never", "not_yet"])
@pytest.mark.parametrize("panel", [doses(), with_gaps(doses())], ids=["balanced", "gaps"])
def test_mean_levels_are_callaway_and_santannas(panel: Panel, control: str) -> None:
    found = dose(panel, "y", cohort="cohort", dose="funds", control=control)  # type: ignore[arg-type]
    theirs = econ.did.callaway_santanna(panel, "y", cohort="cohort", control=control)  # type: ignore[arg-type]
    np.testing.assert_allclose(found.level_by_cell.coef, theirs.coef, rtol=1e-10, atol=1e-12)
    for kind in ("event", "overall"):
        ours, others = found.level_by_cell.aggregate(kind), theirs.aggregate(kind)  # type: ignore[arg-type]
        np.testing.assert_allclose(ours.std_error, others.std_error, rtol=1e-9)
    np.testing.assert_allclose(found.overall.coef[0], theirs.aggregate("overall").coef[0], rtol=1e-10)
    np.testing.assert_allclose(found.overall.std_error[0], theirs.aggregate("overall").std_error[0], rtol=1e-9)


def test_discrete_doses_are_groups_of_callaway_and_santanna() -> None:
    panel = doses().assign(funds=lambda d: d["funds"].round().clip(upper=2))
    found = dose(panel, "y", cohort="cohort", dose="funds", curve="discrete")
    labelled = panel.assign(group=lambda d: "g" + d["funds"].astype(int).astype(str))
    groups = econ.did.callaway_santanna(labelled, "y", cohort="cohort", by="group").aggregate("group")
    assert found.doses.tolist() == [1.0, 2.0]
    np.testing.assert_allclose(found.level.coef, groups.coef, rtol=1e-10)
    np.testing.assert_allclose(found.level.std_error, groups.std_error, rtol=1e-9)
    np.testing.assert_allclose(found.slope.coef, [groups.coef[0], groups.coef[1] - groups.coef[0]], rtol=1e-10)


def test_a_step_within_a_cohort_is_from_the_next_lower_dose_there() -> None:
    def given(d: pd.DataFrame) -> "pd.Series[float]":
        return (1.0 + d["unit"] % 2 * np.where(d["cohort"] == 2003, 1, 2)).where(d["cohort"].notna(), 0)

    panel = doses(noise=0.0).assign(y=lambda d: given(d) * (d["year"] >= d["cohort"]), funds=given)
    found = dose(panel, "y", cohort="cohort", dose="funds", curve="discrete")
    np.testing.assert_allclose(found.level.coef, [1, 2, 3], atol=1e-12)
    np.testing.assert_allclose(found.slope_by_cell.cells.query("event_time >= 0")["estimate"], 1, atol=1e-12)


def test_weights_act_as_copies() -> None:
    panel = with_gaps(doses())
    copies = panel.frame.loc[panel.frame.index.repeat(panel.frame["n"].astype(int))]
    copies = copies.assign(copy=copies.groupby(["unit", "year"]).cumcount())
    repeated = Panel(copies, ["unit", "copy"], "year")
    a = dose(panel, "y", cohort="cohort", dose="funds", weights="n", grid=[1.0, 2.0])
    b = dose(repeated, "y", cohort="cohort", dose="funds", grid=[1.0, 2.0])
    np.testing.assert_allclose(numbers(a), numbers(b), rtol=1e-8, atol=1e-10)


def test_clusters_sum_the_units() -> None:
    panel = doses()
    by_unit = dose(panel, "y", cohort="cohort", dose="funds", degree=1, grid=[1.0])
    found = dose(panel, "y", cohort="cohort", dose="funds", degree=1, grid=[1.0], vcov=econ.cluster("region"))
    assert found.level.n_clusters == (16,)
    assert found.level.dof[0] == 15
    assert found.level.coef[0] == by_unit.level.coef[0]
    assert "G/(G-1)" in found.level.vcov_words()


def test_the_dose_before_treatment_does_not_matter() -> None:
    panel = doses()
    off = panel.assign(funds=lambda d: d["funds"].where(d["year"] >= d["cohort"], 0.0))
    a, b = (dose(p, "y", cohort="cohort", dose="funds") for p in (panel, off))
    np.testing.assert_array_equal(numbers(a), numbers(b))


def test_cohorts_with_too_few_units_are_named() -> None:
    panel = doses().where(lambda d: (d["cohort"] != 2005) | d["unit"].isin([16, 17, 18]))
    found = dose(panel, "y", cohort="cohort", dose="funds", degree=2)
    assert set(found.level_by_cell.cells["cohort"]) == {2003}
    assert any("2005 in 2005" in note["en"] and "curve has terms" in note["en"] for note in found.notes)


def test_doses_of_a_single_unit_are_named() -> None:
    panel = doses().assign(funds=lambda d: d["funds"].round().mask(d["unit"] == 3, 9.0))
    found = dose(panel, "y", cohort="cohort", dose="funds", curve="discrete")
    assert any("single unit" in note["en"] and "9 (2003)" in note["en"] for note in found.notes)


def test_the_note_says_what_slopes_need() -> None:
    assert any(
        "strong parallel trends" in note["en"] for note in dose(doses(), "y", cohort="cohort", dose="funds").notes
    )


def test_effects_are_read_back() -> None:
    found = dose(doses(), "y", cohort="cohort", dose="funds", degree=2)
    for part in (found.level, found.overall, found.slope_by_cell):
        again = type(part).from_json(part.to_json())
        np.testing.assert_array_equal(again.vcov, part.vcov)
    assert found.level.spec["estimator_label"]["en"] == "Level effect by dose"
    assert "slope" in repr(found)


def test_the_plot_shows_both_curves_with_their_bands() -> None:
    found = dose(doses(), "y", cohort="cohort", dose="funds", degree=2)
    plot = found.plot()
    assert len(plot.figure.axes) == 2
    shown = plot.data[plot.data["effect"] == "slope"]
    np.testing.assert_array_equal(shown["dose"], found.doses)
    np.testing.assert_array_equal(shown["estimate"], found.slope.coef)
    assert (shown["band_high"] > shown["ci_high"]).all()
    assert dose_plot(found, lang="zh").figure.axes[1].get_ylabel() == "边际效应"


@pytest.mark.parametrize(("outcome", "truth"), [("log(revenue)", 0.08), ("log(patents)", 0.15)])
def test_the_mean_effect_on_simulated_zones_is_recovered(outcome: str, truth: float) -> None:
    panel = econ.load("zones_simulated")
    rng = np.random.default_rng(0)
    given = dict(zip(panel.units, rng.uniform(1, 2, panel.n_units), strict=True))
    treated = panel.assign(d=lambda d: d[panel.unit].map(given) * d["demonstration_year"].notna())
    found = dose(treated, outcome, cohort="demonstration_year", dose="d", degree=1).overall.tidy()
    assert found["ci_low"][0] < truth < found["ci_high"][0]
    assert found["ci_low"][1] < 0 < found["ci_high"][1]


@pytest.mark.parametrize(
    ("change", "options", "error", "words"),
    [
        ({}, {"dose": "fund"}, DataError, "Nearest: funds"),
        ({}, {"degree": 0}, OptionError, "degree=0 .* 1 or more"),
        ({}, {"knots": -1}, OptionError, "knots=-1"),
        ({}, {"curve": "step"}, OptionError, "'spline', 'discrete'"),
        ({}, {"curve": "discrete", "grid": [1.0]}, OptionError, "belong to curve='spline'"),
        ({}, {"grid": [0.0, 1.0]}, OptionError, "within those of the treated units, 0.5"),
        ({}, {"grid": []}, OptionError, "grid="),
        ({}, {"degree": 16}, ModelError, "17 terms .* 2003: 16, 2005: 16"),
        ({"funds": 1.0}, {}, DataError, "Never treated units have a positive 'funds': 32"),
        ({"funds": lambda d: d["cohort"].notna() * 1.0}, {}, ModelError, "have the dose 1, so there is no curve"),
        ({"funds": lambda d: d["funds"].mask(d["unit"] == 5, 0)}, {}, DataError, "is not positive .* 5;"),
        ({"funds": lambda d: d["funds"].mask(d["unit"] == 5)}, {}, DataError, "is missing .* 5;"),
        ({"funds": lambda d: d["funds"] * d["year"]}, {}, DataError, "changes after .* use econ.did.switchers"),
        ({"funds": lambda d: d["funds"].round() * d["cohort"].notna()}, {"knots": 6}, ModelError, "coincide"),
        ({"cohort": lambda d: d["cohort"].fillna(2006)}, {}, ModelError, "control='not_yet'"),
        ({}, {"vcov": econ.hetero()}, OptionError, "influence of each unit"),
    ],
)  # fmt: skip
def test_bad_input(change: dict[str, object], options: dict[str, object], error: type[Exception], words: str) -> None:
    panel = doses().assign(**change) if change else doses()
    with pytest.raises(error, match=words):
        dose(panel, "y", **({"cohort": "cohort", "dose": "funds"} | options))  # type: ignore[arg-type]


def test_a_dose_that_no_cell_can_show_is_named() -> None:
    panel = doses().assign(funds=lambda d: d["funds"].round().mask(d["unit"] == 3, 9.0))
    hidden = panel.where(lambda d: (d["unit"] != 3) | (d["year"] > 2003))
    with pytest.raises(ModelError, match="dose 9 is observed"):
        dose(hidden, "y", cohort="cohort", dose="funds", curve="discrete")


@pytest.mark.slow
def test_intervals_cover_the_curve() -> None:
    hits = []
    for seed in range(300):
        found = dose(doses(seed=seed, n=40), "y", cohort="cohort", dose="funds", degree=2, grid=[1.0, 1.75, 2.5])
        d = found.doses
        mean = doses(seed=seed, n=40).frame.query("cohort == cohort").groupby("unit")["funds"].first().mean()
        truth = np.concatenate([2 * d - d**2 / 4, 2 - d / 2, [2 - mean / 2]])
        low = np.concatenate(
            [found.level.tidy()["ci_low"], found.slope.tidy()["ci_low"], found.overall.tidy()["ci_low"][1:]]
        )
        high = np.concatenate(
            [found.level.tidy()["ci_high"], found.slope.tidy()["ci_high"], found.overall.tidy()["ci_high"][1:]]
        )
        hits.append((low < truth) & (truth < high))
    assert (np.abs(np.mean(hits, axis=0) - 0.95) < 0.045).all()
