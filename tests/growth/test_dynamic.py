"""Dynamic panel GMM against explicit matrices, against theory where two estimators coincide, and against bad input."""

import warnings

import numpy as np
import pandas as pd
import pytest
from dynamic_by_hand import dynamic_by_hand, lagged, lookup
from linearmodels.iv import IVGMM

import econ
from econ import EconWarning, FormulaError, ModelError, OptionError, Panel
from econ.growth import DynamicEstimate
from econ.growth.dynamic_fit import dynamic_fit
from econ.growth.dynamic_model import read_model
from econ.growth.instruments import instrument_matrix


def simulated(n_units: int = 40, n_periods: int = 6, seed: int = 0, alpha: float = 0.5) -> pd.DataFrame:
    """``y = alpha y_-1 + 0.4 x + eta + v``, x correlated with eta; complete."""
    rng = np.random.default_rng(seed)
    eta = rng.normal(size=n_units)
    y, x, rows = eta / (1 - alpha) + rng.normal(size=n_units), rng.normal(size=n_units), []
    for t in range(-20, n_periods):
        x = 0.5 * x + 0.3 * eta + rng.normal(size=n_units)
        y = alpha * y + 0.4 * x + eta + rng.normal(size=n_units)
        if t >= 0:
            rows.append(pd.DataFrame({"unit": np.arange(n_units), "t": t, "y": y, "x": x}))
    return pd.concat(rows, ignore_index=True)


def holed(seed: int = 0) -> pd.DataFrame:
    """The same with rows missing at the ends and in the middle, and some missing values of x."""
    frame = simulated(60, 8, seed)
    rng = np.random.default_rng(seed + 1)
    frame["x"] = frame["x"].mask(rng.random(len(frame)) < 0.02)
    return frame[rng.random(len(frame)) > 0.08]


def panel_of(frame: pd.DataFrame) -> Panel:
    return Panel(frame, unit="unit", time="t")


PLAIN = econ.cluster("unit", kind="CR0")


# ---- by hand


@pytest.mark.parametrize("frame", [simulated(), holed()], ids=["balanced", "gaps"])
@pytest.mark.parametrize("collapse", [False, True])
@pytest.mark.parametrize("time_effects", [False, True])
@pytest.mark.parametrize("transform", ["difference", "orthogonal"])
@pytest.mark.parametrize(
    ("system", "weighting"),
    [(False, "dpd"), (False, "identity"), (True, "dpd"), (True, "xtabond2"), (True, "identity")],
)
def test_equals_explicit_matrices(
    frame: pd.DataFrame, collapse: bool, time_effects: bool, transform: str, system: bool, weighting: str
) -> None:
    y, x = lookup(frame, "y"), lookup(frame, "x")
    by_hand = dynamic_by_hand(
        y,
        [lagged(y, 1), x],
        [(y, 2, 3, collapse)],
        [(x, "both"), (lagged(x, 1), "difference")],
        system=system,
        kind=transform,
        weighting=weighting,
        time_effects=time_effects,
    )
    options = {"system": system, "transform": transform, "weighting": weighting, "time_effects": time_effects}
    for steps in (1, 2):
        found = econ.growth.dynamic(
            panel_of(frame),
            "y ~ 0 + lag(y, 1) + x",
            gmm=[econ.gmm("y", lags=(2, 3), collapse=collapse)],
            iv=["x", econ.iv("lag(x, 1)", equation="difference")],
            steps=steps,
            **options,
        )
        coef = by_hand.first if steps == 1 else by_hand.second
        vcov = by_hand.first_vcov if steps == 1 else by_hand.windmeijer
        np.testing.assert_allclose(found.coef, coef[:2], rtol=1e-8)
        np.testing.assert_allclose(found.vcov, vcov[:2, :2], rtol=1e-7)
        assert found.stats["n_instruments"] == by_hand.n_instruments
        assert found.test("sargan").statistic == pytest.approx(by_hand.sargan, rel=1e-8)
        assert found.test("hansen").statistic == pytest.approx(by_hand.hansen, rel=1e-8)
        for order in (1, 2):
            assert found.test(f"ar{order}").statistic == pytest.approx(by_hand.ar[steps, order], rel=1e-7)


def test_uncorrected_two_step_covariance_equals_explicit_matrices() -> None:
    frame = holed()
    y, x = lookup(frame, "y"), lookup(frame, "x")
    by_hand = dynamic_by_hand(y, [lagged(y, 1), x], [(y, 2, 3, False)], [(x, "both")], system=False)
    found = econ.growth.dynamic(
        panel_of(frame), "y ~ lag(y, 1) + x", gmm=[econ.gmm("y", lags=(2, 3))], iv=["x"], vcov=PLAIN
    )
    np.testing.assert_allclose(found.vcov, by_hand.second_vcov[:2, :2], rtol=1e-8)


def test_period_effects_with_their_own_columns_are_the_same_model() -> None:
    """In differences, dummies as regressors and as instruments."""
    panel = panel_of(simulated())
    implied = econ.growth.dynamic(panel, "y ~ lag(y, 1) + x", gmm=["y"], iv=["x"])
    written = econ.growth.dynamic(
        panel.assign(year=lambda d: "t" + d["t"].astype(str)),
        "y ~ lag(y, 1) + x + C(year)",
        gmm=["y"],
        iv=["x", "C(year, ref='t1')"],
        time_effects=False,
    )
    np.testing.assert_allclose(implied.coef, written.coef[:2], rtol=1e-8)
    np.testing.assert_allclose(implied.std_error, written.std_error[:2], rtol=1e-8)


def test_linearmodels_finds_the_same_with_the_same_moments_and_first_weights() -> None:
    panel = panel_of(holed())
    model = read_model(
        panel,
        "y ~ lag(y, 1) + x",
        [econ.gmm("y", lags=(2, 4))],
        [econ.iv("x")],
        system=True,
        transform="difference",
        collapse=False,
        time_effects=True,
    )
    matrix = instrument_matrix(model.blocks, len(model.stack.level))
    fit, _ = dynamic_fit(model.stack, model.y, model.X, matrix, "xtabond2")
    Z = fit.matrix.Z.toarray()
    peer = IVGMM(fit.stacked_y, None, fit.stacked_X, Z, weight_type="clustered", clusters=fit.unit).fit(
        iter_limit=2, initial_weight=np.linalg.inv(fit.first_weight / len(Z)), cov_type="robust"
    )
    np.testing.assert_allclose(fit.second.fit.coef, peer.params, rtol=1e-7)
    assert fit.second.fit.distance(fit.second.g) == pytest.approx(peer.j_stat.stat, rel=1e-7)


# ---- where theory says that two are one


def test_anderson_hsiao_in_levels_is_two_stage_least_squares_of_differences() -> None:
    panel = panel_of(holed())
    found = econ.growth.dynamic(
        panel,
        "y ~ lag(y, 1) + x",
        gmm=[econ.gmm("y", lags=(2, 2), collapse=True)],
        iv=["x"],
        steps=1,
        time_effects=False,
    )
    differenced = econ.feols(panel, "diff(y, 1) ~ 0 + diff(x, 1) | 0 | lag(diff(y, 1), 1) ~ lag(y, 2)", vcov=PLAIN)
    np.testing.assert_allclose(found.coef, differenced.coef, rtol=1e-9)
    np.testing.assert_allclose(found.std_error, differenced.std_error, rtol=1e-9)


def test_anderson_hsiao_in_differences_is_two_stage_least_squares_of_differences() -> None:
    panel = panel_of(simulated())
    found = econ.growth.dynamic(panel, "y ~ lag(y, 1) + x", iv=["x", "lag(y, 2)"], steps=1, time_effects=False)
    differenced = econ.feols(
        panel, "diff(y, 1) ~ 0 + diff(x, 1) | 0 | lag(diff(y, 1), 1) ~ lag(diff(y, 1), 2)", vcov=PLAIN
    )
    np.testing.assert_allclose(found.coef, differenced.coef, rtol=1e-9)
    np.testing.assert_allclose(found.std_error, differenced.std_error, rtol=1e-9)


def test_one_step_differences_and_deviations_agree_with_all_lags_in_a_balanced_panel() -> None:
    """Arellano and Bover (1995): with H the covariance of the transformed errors, one step is invariant to the
    transform."""
    panel = panel_of(simulated())
    both = [
        econ.growth.dynamic(panel, "y ~ lag(y, 1)", gmm=["y"], steps=1, time_effects=False, transform=transform)
        for transform in ("difference", "orthogonal")
    ]
    np.testing.assert_allclose(both[0].coef, both[1].coef, rtol=1e-9)
    np.testing.assert_allclose(both[0].std_error, both[1].std_error, rtol=1e-9)


def test_with_three_periods_differences_and_deviations_are_one_equation() -> None:
    """Just identified, one transformed row for each unit."""
    panel = panel_of(simulated(n_periods=3))
    both = [
        econ.growth.dynamic(panel, "y ~ lag(y, 1)", gmm=["y"], time_effects=False, transform=transform)
        for transform in ("difference", "orthogonal")
    ]
    np.testing.assert_allclose(both[0].coef, both[1].coef, rtol=1e-12)
    assert both[0].test("hansen").note is not None


def test_lagging_the_variable_or_the_lags_is_the_same() -> None:
    panel = panel_of(simulated())
    a, b = (
        econ.growth.dynamic(panel, "y ~ lag(y, 1) + x", gmm=[gmm], iv=["x"], system=True)
        for gmm in (econ.gmm("y", lags=(2, 4)), econ.gmm("lag(y, 1)", lags=(1, 3)))
    )
    np.testing.assert_allclose(a.coef, b.coef, rtol=1e-10)


def test_recovers_the_coefficients_of_a_large_panel() -> None:
    panel = panel_of(simulated(4000, 7, seed=3))
    for system in (False, True):
        found = econ.growth.dynamic(
            panel, "y ~ lag(y, 1) + x", gmm=["y"], iv=[econ.iv("x", equation="difference")], system=system
        )
        assert found.params["lag(y, 1)"] == pytest.approx(0.5, abs=4 * found.bse["lag(y, 1)"])
        assert found.params["x"] == pytest.approx(0.4, abs=4 * found.bse["x"])
        assert found.test("ar1").p_value < 1e-6
        assert found.test("ar2").p_value > 0.001
        assert found.test("hansen").p_value > 0.001


# ---- tests and tables


def test_difference_in_hansen_is_the_drop_in_j_with_the_same_weights() -> None:
    panel = panel_of(holed())
    model = read_model(
        panel,
        "y ~ lag(y, 1) + x",
        [econ.gmm("y", lags=(2, 4))],
        [econ.iv("x")],
        system=True,
        transform="difference",
        collapse=False,
        time_effects=True,
    )
    matrix = instrument_matrix(model.blocks, len(model.stack.level))
    fit, _ = dynamic_fit(model.stack, model.y, model.X, matrix, "dpd")
    keep = np.array([block.equation != "level" or block.style != "GMM" for block in fit.matrix.blocks])[
        fit.matrix.owner
    ]
    S = fit.optimal_weight
    A = np.linalg.inv(S[np.ix_(keep, keep)])
    ZX, Zy = fit.ZX[keep], fit.Zy[keep]
    g = Zy - ZX @ np.linalg.solve(ZX.T @ A @ ZX, ZX.T @ A @ Zy)
    found = econ.growth.dynamic(panel, "y ~ lag(y, 1) + x", gmm=[econ.gmm("y", lags=(2, 4))], iv=["x"], system=True)
    test = found.test("diff_hansen: level equation")
    assert test.statistic == pytest.approx(found.test("hansen").statistic - g @ A @ g, rel=1e-8)
    assert test.dof == (float((~keep).sum()),)


def test_diagnostics_and_instruments_are_frames() -> None:
    found = econ.growth.dynamic(
        panel_of(simulated()), "y ~ lag(y, 1) + x", gmm=[econ.gmm("y", lags=(2, 3))], iv=["x"], system=True
    )
    assert list(found.diagnostics["name"]) == [
        *("ar1", "ar2", "sargan", "hansen"),
        *("diff_hansen: level equation", "diff_hansen: iv(x)", "diff_hansen: gmm(y, 2:3)"),
    ]
    assert list(found.instruments["instruments"]) == ["period effects", "iv(x)", "gmm(y, 2:3)", "gmm(y, 2:3)"]
    # by hand: periods 2 to 5 have 1, 2, 2, 2 lags, and as many differences in levels
    assert list(found.instruments["count"]) == [5, 1, 7, 4]
    assert found.instruments["count"].sum() == found.stats["n_instruments"]
    assert "gmm(y, 2:3)     GMM difference      False      7" in found.summary()
    again = DynamicEstimate.from_json(found.to_json())
    pd.testing.assert_frame_equal(again.instruments, found.instruments)
    pd.testing.assert_frame_equal(again.diagnostics, found.diagnostics)


def test_observations_are_rows_of_the_transformed_equation_and_of_levels_in_the_system() -> None:
    panel = panel_of(simulated(40, 6))
    found = {
        (system, transform): econ.growth.dynamic(
            panel, "y ~ lag(y, 1)", gmm=[econ.gmm("y", lags=(2, 3))], system=system, transform=transform
        )
        for system in (False, True)
        for transform in ("difference", "orthogonal")
    }
    periods = panel.frame["t"].to_numpy()
    assert set(periods[found[False, "difference"].sample]) == {2, 3, 4, 5}
    assert set(periods[found[False, "orthogonal"].sample]) == {1, 2, 3, 4}
    assert set(periods[found[True, "difference"].sample]) == {1, 2, 3, 4, 5}
    for estimate in found.values():
        assert estimate.sample.sum() == estimate.n_obs == panel.n_obs - sum(estimate.dropped.values())


def test_collapsing_one_variable_alone() -> None:
    found = econ.growth.dynamic(
        panel_of(simulated()),
        "y ~ lag(y, 1) + x",
        gmm=[econ.gmm("y", lags=(2, 3)), econ.gmm("x", lags=(1, 2), collapse=False)],
        collapse=True,
    )
    table = found.instruments.set_index("instruments")
    assert table.loc["gmm(y, 2:3)", "count"] == 2
    assert table.loc["gmm(x, 1:2)", "count"] == 8
    assert list(table["collapsed"]) == [False, True, False]


def test_scaling_any_variable_scales_the_answer_even_with_a_generalised_inverse() -> None:
    def estimate(frame: pd.DataFrame) -> DynamicEstimate:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", EconWarning)
            return econ.growth.dynamic(panel_of(frame), "y ~ lag(y, 1) + x", gmm=["y", "x"])

    frame = simulated(16, 7)
    a, b = estimate(frame), estimate(frame.assign(x=lambda d: 1000 * d["x"]))
    np.testing.assert_allclose(a.coef, b.coef * [1, 1000], rtol=1e-6)


# ---- what must be read


def test_more_instruments_than_units_is_said_and_the_hansen_test_is_not_computed() -> None:
    with pytest.warns(EconWarning, match="instruments for 16 units"), pytest.warns(EconWarning, match="singular"):
        found = econ.growth.dynamic(panel_of(simulated(16, 7)), "y ~ lag(y, 1) + x", gmm=["y", "x"])
    said = " ".join(note["en"] for note in found.notes)
    assert "singular (rank 16)" in said
    assert "Moore-Penrose" in said
    hansen = found.test("hansen")
    assert np.isnan(hansen.statistic)
    assert hansen.note is not None
    assert "singular" in hansen.note["en"]
    assert np.isfinite(found.std_error).all()


def test_gaps_under_differencing_are_counted_in_a_note() -> None:
    frame = simulated()
    gap = frame[~((frame["unit"] < 10) & (frame["t"] == 3))]
    found = econ.growth.dynamic(panel_of(gap), "y ~ x", gmm=[econ.gmm("x", lags=(1, 2))])
    assert found.dropped == {"first row of a unit": 40, "row after a gap": 10}
    assert any("10 rows follow a gap" in note["en"] for note in found.notes)
    kept = econ.growth.dynamic(panel_of(gap), "y ~ x", gmm=[econ.gmm("x", lags=(1, 2))], transform="orthogonal")
    assert kept.dropped == {"last row of a unit": 40}
    assert kept.n_obs == found.n_obs + 10


def test_regressors_without_variation_within_units_are_left_out_of_differences_and_kept_in_the_system() -> None:
    frame = simulated().assign(size=lambda d: (d["unit"] % 7).astype(float))
    with pytest.warns(EconWarning, match="do not vary within units: size"):
        found = econ.growth.dynamic(panel_of(frame), "y ~ lag(y, 1) + size", gmm=["y"])
    assert found.terms == ("lag(y, 1)",)
    kept = econ.growth.dynamic(
        panel_of(frame), "y ~ lag(y, 1) + size", gmm=["y"], iv=[econ.iv("size", equation="level")], system=True
    )
    assert kept.terms == ("lag(y, 1)", "size")


def test_regressors_that_period_effects_span_are_left_out() -> None:
    frame = simulated().assign(national=lambda d: d["t"] ** 2.0)
    with pytest.warns(EconWarning, match="period effects or earlier terms span them: national"):
        found = econ.growth.dynamic(panel_of(frame), "y ~ lag(y, 1) + national", gmm=["y"])
    assert found.terms == ("lag(y, 1)",)


def test_instruments_that_others_imply_are_left_out_and_change_nothing() -> None:
    frame = simulated().assign(twice=lambda d: 2 * d["x"])
    plain = econ.growth.dynamic(panel_of(frame), "y ~ lag(y, 1) + x", gmm=["y"], iv=["x"])
    with pytest.warns(EconWarning, match="1 of 16 instruments"):
        found = econ.growth.dynamic(panel_of(frame), "y ~ lag(y, 1) + x", gmm=["y"], iv=["x", "twice"])
    np.testing.assert_allclose(found.coef, plain.coef, rtol=1e-9)
    assert found.test("hansen").dof == plain.test("hansen").dof


def test_moments_of_differences_that_levels_imply_are_redundant() -> None:
    """Period dummies in both equations apart: E[v_t] = 0 in levels implies it in differences."""
    frame = simulated().assign(year=lambda d: "t" + d["t"].astype(str))
    with pytest.warns(EconWarning, match="imply their moment conditions"):
        econ.growth.dynamic(
            panel_of(frame), "y ~ lag(y, 1)", gmm=["y"], iv=[econ.iv("C(year)", equation="difference")], system=True
        )


# ---- bad input


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"gmm": []}, OptionError, "needs instruments"),
        ({"gmm": "y"}, OptionError, "give a list"),
        ({"gmm": [econ.iv("y")]}, OptionError, "gmm takes econ.gmm"),
        ({"gmm": ["y", "y"]}, OptionError, "stands twice"),
        ({"gmm": ["y", econ.gmm("x", equation="level")]}, OptionError, "only with system=True"),
        ({"gmm": ["y"], "steps": 3}, OptionError, "choose 1 or 2"),
        ({"gmm": ["y"], "transform": "fod"}, OptionError, "orthogonal"),
        ({"gmm": ["y"], "weighting": "h3"}, OptionError, "xtabond2"),
        ({"gmm": ["y"], "vcov": econ.iid()}, OptionError, "windmeijer"),
        ({"gmm": ["y"], "vcov": econ.cluster("unit")}, OptionError, "kind='CR0'"),
        ({"gmm": ["y"], "steps": 1, "vcov": econ.windmeijer()}, OptionError, "steps=1"),
        ({"gmm": ["y"], "iv": ["y"]}, OptionError, "its past is"),
        ({"gmm": ["nothing"]}, FormulaError, "no column 'nothing'"),
        ({"gmm": [econ.gmm("y", lags=(9, None))]}, ModelError, "spans 6 periods; use shorter lags"),
        ({"gmm": [econ.gmm("y", lags=(5, 5))]}, ModelError, "cannot identify"),
    ],
)
def test_wrong_options_are_refused_in_plain_words(
    options: dict[str, object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        econ.growth.dynamic(panel_of(simulated()), "y ~ lag(y, 1) + x", **options)  # type: ignore[arg-type]


def test_too_few_periods_for_the_lags() -> None:
    with pytest.raises(ModelError, match=r"No unit has two consecutive periods .* the panel has 3 periods"):
        econ.growth.dynamic(panel_of(simulated(n_periods=3)), "y ~ lag(y, 1:2)", gmm=["y"])


def test_fixed_effects_in_the_formula_are_refused() -> None:
    with pytest.raises(FormulaError, match="unit effects by itself"):
        econ.growth.dynamic(panel_of(simulated()), "y ~ lag(y, 1) | unit + t", gmm=["y"])


def test_a_cross_section_is_refused() -> None:
    frame = simulated(n_periods=1)
    with pytest.raises(OptionError, match="no time column"):
        econ.growth.dynamic(Panel(frame.drop(columns="t"), unit="unit"), "y ~ x", gmm=["x"])


@pytest.mark.parametrize("lags", [(3, 2), (-1, 2), (2,), 2, (2.0, 3), (None, 3), (True, None)])
def test_wrong_lags_are_refused(lags: object) -> None:
    with pytest.raises(OptionError, match="lags="):
        econ.gmm("y", lags=lags)  # type: ignore[arg-type]


def test_options_print_as_words() -> None:
    assert str(econ.gmm("n")) == "GMM-style instruments n, lags 2 and more"
    assert str(econ.gmm("n", lags=(1, 3), equation="level", collapse=True)) == (
        "GMM-style instruments n, lags 1 to 3, level equation, collapsed"
    )
    assert str(econ.iv("w")) == "Instrument w"
