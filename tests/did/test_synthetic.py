"""Synthetic difference-in-differences against slow, obvious versions of itself, and on designs with known effects."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

import econ
from econ import DataError, EconError, ModelError, OptionError, Panel
from econ.did.synthetic_fit import fit_cohorts
from econ.did.synthetic_weights import Sample, synthetic_weights
from econ.inference.randomization import assignments
from econ.linear.fit import FloatArray
from tests.did.designs import staggered


def factors(n_units: int = 12, n_treated: int = 1, seed: int = 0, first: int = 2007) -> Panel:
    """Units that move with two factors over twelve years from 2001; the first ones are treated from ``first`` on."""
    rng = np.random.default_rng(seed)
    paths = rng.normal(size=(n_units, 2)) @ rng.normal(size=(2, 12)).cumsum(axis=1)
    Y = 20 + 2 * rng.normal(size=(n_units, 1)) + paths + 0.3 * rng.normal(size=(n_units, 12))
    frame = pd.DataFrame(
        [(f"u{i:02d}", t) for i in range(n_units) for t in range(2001, 2013)], columns=["unit", "year"]
    )
    number = frame["unit"].str[1:].astype(int)
    frame["cohort"] = np.where(number < n_treated, float(first), np.nan)
    frame["y"] = Y.ravel() + 1.5 * (frame["year"] >= frame["cohort"])
    frame["x"] = rng.normal(size=len(frame))
    return Panel(frame, "unit", "year")


def wide(panel: Panel, column: str = "y") -> FloatArray:
    """(units, periods), units in the order of their names."""
    return panel.frame.pivot(index="unit", columns="year", values=column).to_numpy()


# ---- weights


def search(A: FloatArray, b: FloatArray, zeta: float, sigma: float, intercept: bool) -> FloatArray:
    """The published search, one problem and one step at a time."""
    A, b = (A - A.mean(axis=0), b - b.mean()) if intercept else (A, b)
    x = np.full(A.shape[1], 1 / A.shape[1])
    for n_steps in (100, 10_000):
        if n_steps > 100:
            x = np.where(x <= x.max() / 4, 0, x)
            x = x / x.sum()
        values = list[float]()
        while len(values) < n_steps and (len(values) < 2 or values[-2] - values[-1] > (1e-5 * sigma) ** 2):
            gradient = (A @ x - b) @ A + len(b) * zeta**2 * x
            d = np.eye(len(x))[gradient.argmin()] - x
            step = -(gradient @ d) / (np.sum((A @ d) ** 2) + len(b) * zeta**2 * (d @ d)) if d.any() else 0.0
            x = x + min(1.0, max(0.0, step)) * d
            values.append(zeta**2 * (x @ x) + np.sum((A @ x - b) ** 2) / len(b))
    return x


def problem(seed: int, n_controls: int = 9, n_before: int = 7) -> tuple[FloatArray, FloatArray, float]:
    """Controls (N_co, T), treated (T,), and sigma."""
    Y = wide(factors(n_controls + 1, seed=seed))
    return Y[1:], Y[0], float(np.diff(Y[1:, :n_before], axis=1).std(ddof=1))


@pytest.mark.parametrize("seed", range(3))
def test_the_weights_are_those_of_the_search_step_by_step(seed: int) -> None:
    controls, treated, sigma = problem(seed)
    [(unit, time)] = synthetic_weights(
        [Sample(controls[None], treated[None, None])], np.array([3]), np.array([7]), "sdid"
    )
    zeta = (3 * 5) ** 0.25 * sigma
    np.testing.assert_allclose(unit[0, 0], search(controls[:, :7].T, treated[:7], zeta, sigma, True), atol=1e-9)
    after = controls[:, 7:].mean(axis=1)
    np.testing.assert_allclose(time[0, 0, :7], search(controls[:, :7], after, 1e-6 * sigma, sigma, True), atol=1e-9)
    assert not time[0, 0, 7:].any()


def test_synthetic_control_matches_the_level() -> None:
    controls, treated, sigma = problem(4)
    [(unit, time)] = synthetic_weights(
        [Sample(controls[None], treated[None, None])], np.array([1]), np.array([7]), "sc"
    )
    expected = search(controls[:, :7].T, treated[:7], 1e-6 * sigma, sigma, False)
    np.testing.assert_allclose(unit[0, 0], expected, atol=1e-9)
    assert not time.any()


@pytest.mark.parametrize("seed", range(3))
def test_the_search_ends_near_the_exact_minimum(seed: int) -> None:
    controls, treated, sigma = problem(seed, n_controls=5)
    [(unit, _)] = synthetic_weights([Sample(controls[None], treated[None, None])], np.array([1]), np.array([7]), "sdid")
    A, b = controls[:, :7].T - controls[:, :7].mean(axis=1), treated[:7] - treated[:7].mean()
    ridge = 7 * (5**0.25 * sigma) ** 2

    def value(x: FloatArray) -> float:
        return float(np.sum((A @ x - b) ** 2) + ridge * (x @ x))

    one = {"type": "eq", "fun": lambda x: x.sum() - 1}
    exact = minimize(value, np.full(5, 0.2), bounds=[(0, 1)] * 5, constraints=[one], options={"ftol": 1e-14})
    assert value(unit[0, 0]) == pytest.approx(exact.fun, rel=1e-3)
    assert value(unit[0, 0]) >= exact.fun * (1 - 1e-9)


def test_many_problems_at_once_are_each_solved_as_alone() -> None:
    Y = wide(factors(14))
    labels = np.array([2] * 10 + [0, 1, 1, 1])
    blocks = next(assignments(labels, draws=30).blocks(30))
    before = np.array([5, 8])
    together = fit_cohorts([(Y, labels[None]), (Y, blocks)], before, "sdid")[1]
    for k, one in enumerate(blocks):
        alone = fit_cohorts([(Y, one[None])], before, "sdid")[0]
        np.testing.assert_allclose(together.effects[k], alone.effects[0], atol=1e-10)
        np.testing.assert_array_equal(together.controls[k], alone.controls[0])


def test_weights_sum_to_one_over_controls_and_over_periods_before_treatment() -> None:
    result = econ.did.synthetic(staggered(), "y", cohort="cohort", inference="jackknife")
    np.testing.assert_allclose(result.unit_weights.groupby("cohort")["weight"].sum(), 1.0)
    np.testing.assert_allclose(result.time_weights.groupby("cohort")["weight"].sum(), 1.0)
    assert (result.unit_weights["weight"] >= 0).all()
    assert (result.time_weights["period"] < result.time_weights["cohort"]).all()
    assert result.unit_weights["unit"].tolist() == list(range(24, 40)) * 3


# ---- effects


def test_effects_follow_from_the_weights() -> None:
    panel = staggered()
    result = econ.did.synthetic(panel, "y", cohort="cohort", inference="jackknife")
    Y, cohort = wide(panel), wide(panel, "cohort")[:, 0]
    years = np.arange(2001, 2011)
    overall = []
    for first, cells in result.cells.groupby("cohort"):
        omega = result.unit_weights.query("cohort == @first")["weight"].to_numpy()
        lambda_ = result.time_weights.query("cohort == @first")["weight"].to_numpy()
        gap = Y[cohort == first].mean(axis=0) - omega @ Y[np.isnan(cohort)]
        effects = gap - lambda_ @ gap[years < first]
        np.testing.assert_allclose(cells["estimate"], effects, atol=1e-10)
        overall += [*effects[years >= first]] * int((cohort == first).sum())
    assert result.aggregate("overall").coef[0] == pytest.approx(np.mean(overall), abs=1e-10)
    gaps = result.paths["treated"] - result.paths["counterfactual"]
    np.testing.assert_allclose(gaps, result.cells["estimate"], atol=1e-12)


@pytest.mark.parametrize("kind", ["sdid", "did"])
def test_a_constant_effect_without_noise_is_recovered_in_every_cell(kind: str) -> None:
    panel = staggered(noise=0.0).assign(y=lambda d: d["y"] - 0.3 * d["d"] * (d["year"] - d["cohort"]).fillna(0))
    result = econ.did.synthetic(panel, "y", cohort="cohort", kind=kind, inference="permutation", draws=30)
    np.testing.assert_allclose(result.coef, result.effects.post, atol=1e-9)


def test_equal_weights_are_two_way_fixed_effects() -> None:
    panel = factors(n_treated=3)
    result = econ.did.synthetic(panel, "y", cohort="cohort", kind="did", draws=30)
    assert result.aggregate("overall").coef[0] == pytest.approx(econ.did.twfe(panel, "y", cohort="cohort").coef[0])


def test_unit_effects_and_a_common_trend_do_not_matter() -> None:
    """Other common movements would move sigma, and with it the weights."""
    panel = factors(n_treated=2)
    level = 10 * np.random.default_rng(5).normal(size=12)
    moved = panel.assign(
        y=lambda d: d["y"] + 3.0 * d["year"] + level[d["unit"].str[1:].astype(int).to_numpy()],
    )
    first, second = (econ.did.synthetic(p, "y", cohort="cohort", inference="jackknife") for p in (panel, moved))
    np.testing.assert_allclose(first.coef, second.coef, atol=1e-8)
    np.testing.assert_allclose(first.unit_weights["weight"], second.unit_weights["weight"], atol=1e-9)


def test_names_and_order_of_units_matter_neither_to_ties_nor_to_draws() -> None:
    frame = factors(16, n_treated=2).frame
    twin = frame["unit"] == "u09"  # the same as u05 before treatment
    before = twin & (frame["year"] < 2007)
    frame.loc[before, "y"] = frame.loc[(frame["unit"] == "u05") & (frame["year"] < 2007), "y"].to_numpy()
    renamed = frame.assign(unit="v" + (99 - frame["unit"].str[1:].astype(int)).astype(str))
    results = [
        econ.did.synthetic(Panel(f, "unit", "year"), "y", cohort="cohort", draws=40)
        for f in (frame, renamed, frame.sample(frac=1, random_state=3))
    ]
    for other in results[1:]:
        np.testing.assert_allclose(other.coef, results[0].coef, atol=1e-10)
        np.testing.assert_allclose(other.vcov, results[0].vcov, atol=1e-10)


def test_zones_with_a_known_effect() -> None:
    panel = econ.load("zones_simulated")
    for outcome, truth in (("log(revenue)", 0.08), ("log(patents)", 0.15)):
        result = econ.did.synthetic(panel, outcome, cohort="demonstration_year", draws=60)
        overall = result.aggregate("overall").tidy().iloc[0]
        assert overall["ci_low"] < truth < overall["ci_high"]
        assert overall["p_value"] < 0.1


# ---- inference


def pretend(panel: Panel, units: tuple[str, ...], left_out: tuple[str, ...] = ()) -> Panel:
    """The same panel with other units treated, and without some."""
    frame = panel.frame[~panel.frame["unit"].isin(left_out)]
    first = panel.frame["cohort"].max()
    return Panel(frame.assign(cohort=np.where(frame["unit"].isin(units), first, np.nan)), "unit", "year")


def overall(panel: Panel, kind: str) -> float:
    return float(econ.did.synthetic(panel, "y", cohort="cohort", kind=kind, draws=20).aggregate("overall").coef[0])


@pytest.mark.parametrize("kind", ["sdid", "sc"])
def test_placebos_by_hand(kind: str) -> None:
    panel = factors(9, n_treated=1)
    result = econ.did.synthetic(panel, "y", cohort="cohort", kind=kind)
    by_hand = [overall(pretend(panel, (f"u{i:02d}",), ("u00",)), kind) for i in range(1, 9)]
    np.testing.assert_allclose(np.sort(result.placebos["estimate"]), np.sort(by_hand), atol=1e-9)
    found = result.aggregate("overall")
    assert found.std_error[0] == pytest.approx(np.std(by_hand))
    assert found.dof[0] == 7
    observed = abs(found.coef[0])
    assert found.test("placebo").p_value == pytest.approx((1 + np.sum(np.abs(by_hand) >= observed)) / 9)
    assert "all 8 assignments" in found.vcov_words()


def test_permutation_by_hand() -> None:
    panel = factors(7, n_treated=2, seed=3)
    result = econ.did.synthetic(panel, "y", cohort="cohort", inference="permutation")
    pairs = list(combinations([f"u{i:02d}" for i in range(7)], 2))
    everything = []
    for pair in pairs:
        again = econ.did.synthetic(pretend(panel, pair), "y", cohort="cohort", inference="jackknife")
        everything.append(again.aggregate("overall").coef[0])
    test = result.aggregate("overall").test("permutation")
    assert test.p_value == pytest.approx(np.mean(np.abs(everything) >= abs(everything[0]) - 1e-9))
    others = everything[1:]
    assert result.aggregate("overall").std_error[0] == pytest.approx(np.std(others))
    assert len(result.placebos) == len(others) == 20


def test_the_ratio_of_gaps_for_synthetic_control() -> None:
    panel = factors(9, n_treated=1)
    result = econ.did.synthetic(panel, "y", cohort="cohort", kind="sc")

    def ratio(cells: pd.DataFrame) -> float:
        squares = cells["estimate"] ** 2
        after = cells["event_time"] >= 0
        return float(np.sqrt(squares[after].mean() / squares[~after].mean()))

    others = []
    for i in range(1, 9):
        again = pretend(panel, (f"u{i:02d}",), ("u00",))
        others.append(ratio(econ.did.synthetic(again, "y", cohort="cohort", kind="sc", draws=20).cells))
    test = result.test("rmspe_ratio")
    assert test.statistic == pytest.approx(ratio(result.cells))
    assert test.p_value == pytest.approx((1 + np.sum(np.array(others) >= test.statistic)) / 9)


@pytest.mark.parametrize("kind", ["sdid", "sc", "did"])
def test_jackknife_by_hand(kind: str) -> None:
    panel = staggered()
    result = econ.did.synthetic(panel, "y", cohort="cohort", kind=kind, inference="jackknife")
    Y, cohort, years = wide(panel), wide(panel, "cohort")[:, 0], np.arange(2001, 2011)
    estimates = []
    for left_out in range(len(Y)):
        stays = np.arange(len(Y)) != left_out
        effects = []
        for first in (2004, 2006, 2008):
            omega = np.zeros(len(Y))
            omega[np.isnan(cohort)] = result.unit_weights.query("cohort == @first")["weight"]
            omega *= stays
            gap = Y[(cohort == first) & stays].mean(axis=0) - omega / omega.sum() @ Y
            lambda_ = result.time_weights.query("cohort == @first")["weight"].to_numpy()
            effects += [*(gap - lambda_ @ gap[years < first])]
        estimates.append(effects)
    n = len(Y)
    expected = (n - 1) ** 2 / n * np.cov(np.array(estimates), rowvar=False)
    np.testing.assert_allclose(result.vcov, expected, atol=1e-10)
    assert result.n_clusters == (40,)


def test_the_jackknife_gives_influences_that_other_results_can_be_compared_with() -> None:
    panel = staggered()
    first = econ.did.synthetic(panel, "y", cohort="cohort", inference="jackknife")
    second = econ.did.synthetic(panel, "y", cohort="cohort", kind="did", inference="jackknife")
    gap = econ.did.difference(first, second)
    parts = [result.aggregate("overall") for result in (first, second)]
    assert gap.coef[0] == pytest.approx(parts[0].coef[0] - parts[1].coef[0])
    assert 0 < gap.std_error[0] < parts[0].std_error[0] + parts[1].std_error[0]


def test_draws_are_those_of_the_seed() -> None:
    panel = factors(20, n_treated=4)
    results = [econ.did.synthetic(panel, "y", cohort="cohort", draws=30, seed=seed) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(results[0].vcov, results[1].vcov)
    assert not np.allclose(results[0].vcov, results[2].vcov)
    assert results[0].spec["vcov"]["draws"] == 30
    assert not results[0].spec["vcov"]["exact"]


# ---- the data


def test_covariates_are_taken_out_with_coefficients_from_untreated_observations() -> None:
    panel = staggered().assign(y=lambda d: d["y"] + 2.0 * d["z"])
    untreated = panel.where(lambda d: d["d"] == 0)
    gamma = econ.feols(untreated, "y ~ z | unit + year").coef[0]
    net = panel.assign(y=lambda d: d["y"] - gamma * d["z"])
    found = econ.did.synthetic(panel, "y", cohort="cohort", covariates=["z"], inference="jackknife")
    expected = econ.did.synthetic(net, "y", cohort="cohort", inference="jackknife")
    np.testing.assert_allclose(found.coef, expected.coef, atol=1e-8)
    assert f"z {gamma:.4g}" in found.notes[0]["en"]


def test_units_with_gaps_are_left_out_and_named() -> None:
    whole = staggered()
    holed = whole.assign(y=lambda d: d["y"].mask((d["unit"] == 30) & (d["year"] == 2003)))
    result = econ.did.synthetic(holed, "y", cohort="cohort", inference="jackknife")
    expected = econ.did.synthetic(whole.where(lambda d: d["unit"] != 30), "y", cohort="cohort", inference="jackknife")
    np.testing.assert_allclose(result.coef, expected.coef, atol=1e-12)
    assert any("every period: 30." in note["en"] for note in result.notes)
    assert result.n_units == 39


def test_a_cohort_with_one_period_before_treatment_is_left_out_and_named() -> None:
    panel = staggered().assign(cohort=lambda d: d["cohort"].replace(2004.0, 2002.0))
    result = econ.did.synthetic(panel, "y", cohort="cohort", inference="jackknife")
    assert sorted(set(result.effects.cohort)) == [2006, 2008]
    assert any("cohorts 2002." in note["en"] for note in result.notes)
    assert result.n_units == 32
    did = econ.did.synthetic(panel, "y", cohort="cohort", kind="did", inference="jackknife")
    assert sorted(set(did.effects.cohort)) == [2002, 2006, 2008]


def test_a_base_period_is_named_and_has_no_effect() -> None:
    panel = factors(n_treated=2, first=2002)
    result = econ.did.synthetic(panel, "y", cohort="cohort", kind="did", inference="jackknife")
    assert result.spec["reference"] == -1
    assert -1 not in result.effects.event_time
    assert any("2002 in 2001" in note["en"] for note in result.notes)


def test_json_keeps_the_frames() -> None:
    result = econ.did.synthetic(factors(), "y", cohort="cohort", kind="sc")
    again = econ.did.SyntheticResult.from_json(result.to_json())
    assert again.to_json() == result.to_json()
    for name in ("unit_weights", "time_weights", "paths", "placebos"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(result, name))


@pytest.mark.parametrize(
    ("damage", "options", "error", "words"),
    [
        (lambda d: d, {"kind": "synth"}, OptionError, "kind='synth'"),
        (lambda d: d, {"inference": "exact"}, OptionError, "choose one of 'placebo', 'permutation', 'jackknife'"),
        (lambda d: d, {"draws": 5}, OptionError, "draws=5 .* 20 or more"),
        (
            lambda d: d,
            {"inference": "jackknife"},
            ModelError,
            "two treated units in every cohort; cohorts with one: 2007",
        ),
        (lambda d: d.assign(cohort=d["cohort"].fillna(2010.0)), {}, ModelError, "No unit is never treated"),
        (
            lambda d: d.assign(cohort=d["cohort"].where(d["unit"] == "u01", 2009.0)),
            {},
            ModelError,
            "The only unit that is never treated .* is u01",
        ),
        (
            lambda d: d.assign(cohort=np.where(d["unit"] < "u06", 2007.0, np.nan)),
            {},
            ModelError,
            "the 6 treated units .* there are 6 controls",
        ),
        (lambda d: d.assign(cohort=d["cohort"] - 5), {}, ModelError, r"no cohort has them \(2002\)"),
        (lambda d: d.assign(cohort=d["cohort"] - 7), {}, ModelError, "No row of the sample is treated"),
        (lambda d: d.assign(y=1.0), {}, ModelError, "does not vary between units"),
        (lambda d: d.assign(x=1.0), {"covariates": ["x"]}, ModelError, "absorb the covariates x"),
        (lambda d: d.assign(x=d["year"] >= d["cohort"]), {"covariates": ["x"]}, ModelError, "absorb the covariates x"),
        (lambda d: d, {"covariates": "x"}, OptionError, "give a list"),
        (
            lambda d: d.assign(y=np.where(d["year"] % 2 == (d["unit"] < "u05"), d["y"], np.nan)),
            {},
            ModelError,
            "No unit",
        ),
        (lambda d: d.assign(cohort=d["year"].astype(float)), {}, DataError, "changes within"),
    ],
)
def test_bad_input(damage: object, options: dict[str, object], error: type[Exception], words: str) -> None:
    panel = Panel(damage(factors().frame), "unit", "year")  # type: ignore[operator]
    with pytest.raises(error, match=words):
        econ.did.synthetic(panel, "y", cohort="cohort", **options)  # type: ignore[arg-type]


def test_all_the_weight_on_one_control_leaves_no_jackknife() -> None:
    frame = factors(n_treated=2).frame
    twin = frame.loc[frame["unit"] == "u07", "y"].to_numpy()
    for unit in ("u00", "u01"):
        frame.loc[frame["unit"] == unit, "y"] = twin
    with pytest.raises(ModelError, match="cohort 2007 is on u07"):
        econ.did.synthetic(Panel(frame, "unit", "year"), "y", cohort="cohort", kind="sc", inference="jackknife")


def test_there_are_no_weights_on_cohorts() -> None:
    result = econ.did.synthetic(factors(), "y", cohort="cohort")
    with pytest.raises(EconError, match="see unit_weights"):
        result.weights()
