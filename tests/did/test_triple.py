"""Triple differences against differences of means, a regression, and two-way comparisons put together by hand."""

import numpy as np
import pandas as pd
import pytest

import econ
from econ import DataError, EconError, ModelError, OptionError, Panel


def design(seed: int = 0, *, effect: float = 2.0, noise: float = 1.0, missing: int = 0) -> Panel:
    """80 units over 6 years: the policy from 2003 (20 units), 2005 (24), never (36); eligible units differ in number.

    Eligible units trend away from the others, and cohorts from each other, which triple differences allow for.
    """
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame([(i, t) for i in range(80) for t in range(2001, 2007)], columns=["unit", "year"])
    unit, year = frame["unit"].to_numpy(), frame["year"].to_numpy()
    frame["cohort"] = np.repeat([2003.0, 2005.0, np.nan], [20, 24, 36])[unit]
    frame["eligible"] = (rng.permutation(80) % 5 < np.repeat([2, 3, 4], [20, 24, 36])).astype(int)[unit]
    frame["x"], frame["n"] = rng.normal(size=80)[unit], rng.integers(1, 4, size=80)[unit].astype(float)
    frame["state"] = unit % 16
    trend = 0.5 * frame["eligible"] * (year - 2001) ** 2 + 0.3 * frame["cohort"].eq(2003) * (year - 2001)
    frame["d"] = ((year >= frame["cohort"]) & (frame["eligible"] == 1)).astype(float)
    frame["y"] = rng.normal(size=80)[unit] + trend + effect * frame["d"] + noise * rng.normal(size=len(frame))
    return Panel(frame.drop(index=rng.permutation(len(frame))[:missing]), "unit", "year")


def changes(panel: Panel, t: int, b: int) -> pd.DataFrame:
    """Units seen in both years, with the change of the outcome."""
    y = panel.frame.pivot(index="unit", columns="year", values="y")
    units = panel.frame.groupby("unit")[["cohort", "eligible", "n", "x"]].first()
    return units.assign(cohort=units["cohort"].fillna(np.inf), change=y[t] - y[b]).dropna(subset="change")


def triple(units: pd.DataFrame, g: float, c: float, weights: str | None) -> tuple[float, dict[int, float]]:
    """DDD and the influence of each unit on it."""
    total, psi = 0.0, dict.fromkeys(units.index, 0.0)
    for s, q, sign in ((g, 1, 1), (g, 0, -1), (c, 1, -1), (c, 0, 1)):
        part = units[(units["cohort"] == s) & (units["eligible"] == q)]
        w = np.ones(len(part)) if weights is None else part["n"].to_numpy()
        mean = np.average(part["change"], weights=w)
        total += sign * mean
        for i, w_i, change in zip(part.index, w, part["change"], strict=True):
            psi[i] += sign * w_i * (change - mean) / w.sum()
    return total, psi


@pytest.mark.parametrize("weights", [None, "n"])
@pytest.mark.parametrize("missing", [0, 40])
@pytest.mark.parametrize("control", ["never", "not_yet"])
def test_cells_are_triple_differences_of_means(control: str, missing: int, weights: str | None) -> None:
    panel = design(1, missing=missing)
    found = econ.did.triple(panel, "y", cohort="cohort", eligible="eligible", control=control, weights=weights)
    for k, row in found.cells.iterrows():
        g, t = float(row["cohort"]), int(row["period"])
        units = changes(panel, t, int(g) - 1 if t >= g else t - 1)
        others = [np.inf] if control == "never" else [c for c in (2003.0, 2005.0, np.inf) if c > t and c != g]
        parts = [triple(units, g, c, weights) for c in others]
        psi = np.array([list(p.values()) for _, p in parts])
        inverse = np.linalg.inv(psi @ psi.T)
        w = inverse.sum(axis=0) / inverse.sum()
        assert row["estimate"] == pytest.approx(w @ [value for value, _ in parts], rel=1e-9)
        assert found.std_error[k] == pytest.approx(np.sqrt(np.sum((w @ psi) ** 2)), rel=1e-9)


def test_two_periods_are_the_regression_with_all_interactions() -> None:
    panel = design(2).where(lambda d: d["year"].isin([2002, 2003]) & (d["cohort"] != 2005))
    found = econ.did.triple(panel, "y", cohort="cohort", eligible="eligible")
    regression = econ.feols(
        panel.assign(
            s=lambda d: d["cohort"].notna().astype(float),
            post=lambda d: (d["year"] == 2003).astype(float),
            sp=lambda d: d["s"] * d["post"],
            qp=lambda d: d["eligible"] * d["post"],
            sqp=lambda d: d["s"] * d["eligible"] * d["post"],
        ),
        "y ~ sqp + sp + qp | unit + year",
        vcov=econ.cluster("unit", kind="CR0"),
    )
    assert found.coef[0] == pytest.approx(regression.coef[0], rel=1e-9)
    assert found.std_error[0] == pytest.approx(regression.std_error[0], rel=1e-9)


@pytest.mark.parametrize("control", ["never", "not_yet"])
def test_recovers_the_effect_that_trends_of_eligible_units_and_of_cohorts_hide(control: str) -> None:
    panel = design(effect=2.0, noise=0.0)
    found = econ.did.triple(panel, "y", cohort="cohort", eligible="eligible", control=control)
    truth = 2.0 * np.array(found.effects.post)
    np.testing.assert_allclose(found.coef, truth, atol=1e-10)
    eligible = panel.where(lambda d: d["eligible"] == 1)
    two_way = econ.did.callaway_santanna(eligible, "y", cohort="cohort").aggregate("overall")
    assert abs(two_way.coef[0] - 2.0) > 0.1


@pytest.mark.parametrize("method", ["dr", "reg", "ipw"])
@pytest.mark.parametrize("missing", [0, 40])
def test_covariates_enter_the_three_comparisons(method: str, missing: int) -> None:
    """Each is Callaway and Sant'Anna's with the other class as controls."""
    panel = design(3, missing=missing)
    found = econ.did.triple(panel, "y", cohort="cohort", eligible="eligible", covariates=["x"], method=method)
    assert found.loadings is None
    for row in found.cells.itertuples():
        total = 0.0
        for other, q, sign in ((row.cohort, 0, 1), (np.nan, 1, 1), (np.nan, 0, -1)):
            mine = (panel.frame["cohort"] == row.cohort) & (panel.frame["eligible"] == 1)
            same = panel.frame["cohort"].isna() if np.isnan(other) else panel.frame["cohort"] == other
            pair = panel.frame[mine | (same & (panel.frame["eligible"] == q))]
            pair = pair.assign(
                first=np.where(pair["eligible"].eq(1) & pair["cohort"].eq(row.cohort), row.cohort, np.nan)
            )
            cells = econ.did.callaway_santanna(
                Panel(pair, "unit", "year"), "y", cohort="first", covariates=["x"], method=method
            ).cells
            total += sign * cells.loc[cells["period"] == row.period, "estimate"].iloc[0]
        assert row.estimate == pytest.approx(total, rel=1e-8)


def test_covariates_that_say_nothing_change_nothing() -> None:
    panel = design(4)
    without = econ.did.triple(panel, "y", cohort="cohort", eligible="eligible", control="not_yet")
    noise = panel.assign(x=lambda d: d["x"] * 1e-3)
    adjusted = econ.did.triple(noise, "y", cohort="cohort", eligible="eligible", control="not_yet", covariates=["x"])
    scaled = econ.did.triple(panel, "y", cohort="cohort", eligible="eligible", control="not_yet", covariates=["x"])
    np.testing.assert_allclose(adjusted.coef, scaled.coef, rtol=1e-8)
    assert without.terms == adjusted.terms


def test_averages_weigh_cohorts_by_their_eligible_units() -> None:
    panel = design(5)
    found = econ.did.triple(panel, "y", cohort="cohort", eligible="eligible")
    eligible = panel.frame.drop_duplicates("unit").query("eligible == 1")["cohort"].value_counts()
    cells = found.cells.query("period >= cohort")
    expected = np.average(cells["estimate"], weights=cells["cohort"].map(eligible))
    assert found.aggregate("overall").coef[0] == pytest.approx(expected, rel=1e-10)
    assert found.aggregate("event").std_error[0] > 0


def test_loadings_weigh_class_means_and_treat_only_the_eligible() -> None:
    found = econ.did.triple(design(6), "y", cohort="cohort", eligible="eligible", control="not_yet")
    assert found.design is not None
    assert found.loadings is not None
    np.testing.assert_allclose(np.einsum("kct,ct->k", found.loadings.values, found.design.means), found.coef, rtol=1e-9)
    weights = found.weights()
    assert weights.query("treated")["weight"].sum() == pytest.approx(1.0)
    assert set(weights.query("treated")["group"]) == {"1"}


def test_a_weight_counts_a_unit_that_often() -> None:
    frame = design(7).frame
    copies = frame.loc[frame.index.repeat(frame["n"].astype(int))]
    copies = copies.assign(copy=copies.groupby(["unit", "year"]).cumcount())
    call = {"cohort": "cohort", "eligible": "eligible"}
    weighted = econ.did.triple(Panel(frame, "unit", "year"), "y", weights="n", **call)
    repeated = econ.did.triple(Panel(copies, ["unit", "copy"], "year"), "y", **call)
    np.testing.assert_allclose(weighted.coef, repeated.coef, rtol=1e-10)


def test_clusters_coarser_than_units() -> None:
    panel = design(8)
    vcov = econ.cluster("state", kind="CR0")
    found = econ.did.triple(panel, "y", cohort="cohort", eligible="eligible", vcov=vcov)
    assert found.n_clusters == (16,)
    row = found.cells.iloc[0]
    _, psi = triple(changes(panel, int(row["period"]), int(row["period"]) - 1), row["cohort"], np.inf, None)
    by_state = pd.Series(psi).groupby(panel.frame.groupby("unit")["state"].first()).sum()
    assert row["std_error"] == pytest.approx(np.sqrt((by_state**2).sum()), rel=1e-9)


def test_cohorts_without_both_kinds_are_named() -> None:
    panel = design().where(lambda d: (d["cohort"] != 2005) | (d["eligible"] == 1))
    found = econ.did.triple(panel, "y", cohort="cohort", eligible="eligible")
    assert set(found.cells["cohort"]) == {2003}
    assert any("5 cells" in note["en"] and "2005 (1) in 2002" in note["en"] for note in found.notes)


def test_missing_base_outcomes_leave_cells_out() -> None:
    panel = design().assign(y=lambda d: d["y"].mask((d["cohort"] == 2003) & (d["year"] == 2002)))
    found = econ.did.triple(panel, "y", cohort="cohort", eligible="eligible")
    assert set(found.cells["cohort"]) == {2005}
    assert any("2003 (1) in 2003" in note["en"] for note in found.notes)


def test_a_cohort_of_one_pair_is_not_compared_with_but_estimated() -> None:
    frame = design().frame
    first = [frame.query(f"cohort == 2005 and eligible == {q}")["unit"].iloc[0] for q in (0, 1)]
    panel = Panel(frame[(frame["cohort"] != 2005) | frame["unit"].isin(first)], "unit", "year")
    found = econ.did.triple(panel, "y", cohort="cohort", eligible="eligible", control="not_yet")
    alone = econ.did.triple(panel, "y", cohort="cohort", eligible="eligible", control="never")
    own = np.array(found.cells["cohort"] == 2003)
    np.testing.assert_allclose(found.coef[own], alone.coef[own], rtol=1e-10)
    notes = " ".join(note["en"] for note in found.notes)
    assert "a single eligible or ineligible unit: 2005" in notes
    assert "Cohorts of a single unit: 2005 (0), 2005 (1)" in notes


@pytest.mark.parametrize(
    ("change", "call", "error", "words"),
    [
        ({"eligible": 2}, {}, DataError, "has the values 2; it must be zero or one"),
        ({"eligible": np.nan}, {}, DataError, "missing for the units 0, 1"),
        ({"eligible": 1}, {}, ModelError, "Check the column of eligibility"),
        ({}, {"eligible": "year"}, EconError, "changes within"),
        ({}, {"eligible": "elgible"}, EconError, "eligible"),
        ({}, {"control": "notyet"}, OptionError, "not_yet"),
        ({}, {"vcov": econ.hetero()}, OptionError, "influence of each unit"),
        ({"cohort": 2003.0}, {}, ModelError, "control='not_yet'"),
        ({"cohort": 2001.0}, {}, ModelError, "Every row"),
        ({"x": 1.0}, {"covariates": ["x"]}, EconError, "x|constant"),
    ],
)
def test_bad_input(change: dict[str, object], call: dict[str, object], error: type[Exception], words: str) -> None:
    panel = design().assign(**change)
    with pytest.raises(error, match=words):
        econ.did.triple(panel, "y", **({"cohort": "cohort", "eligible": "eligible"} | call))  # type: ignore[arg-type]


def test_finds_nothing_between_zones_treated_alike() -> None:
    """In the simulated zones large and small ones have the same effect, so that their difference has none."""
    panel = econ.load("zones_simulated")
    large = panel.frame.groupby("zone_id")["employment"].first()
    panel = panel.assign(large=lambda d: (d["zone_id"].map(large) > large.median()).astype(int))
    row = econ.did.triple(panel, "log(revenue)", cohort="demonstration_year", eligible="large").aggregate().tidy()
    assert row["ci_low"].iloc[0] < 0 < row["ci_high"].iloc[0]
