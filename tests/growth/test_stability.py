"""Oster's delta and bound, mediation, the specification curve."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

import econ
from econ import FormulaError, ModelError, OptionError, Panel
from econ.growth import mediation, oster, specification_curve

N, T = 25, 6


def with_moments(C: np.ndarray, names: list[str], n: int = 60) -> Panel:
    """Data whose covariance matrix is exactly C."""
    raw = np.random.default_rng(0).normal(size=(n, len(C)))
    raw -= raw.mean(axis=0)
    white = raw @ np.linalg.inv(np.linalg.cholesky(raw.T @ raw / n)).T
    frame = pd.DataFrame(white @ np.linalg.cholesky(C).T, columns=names)
    return Panel(frame.assign(id=range(n)), "id")


@pytest.mark.parametrize("seed", range(6))
def test_oster_recovers_the_selection_that_made_the_data(seed: int) -> None:
    """y = beta x + w1 + w2 + e with cov(w2, x)/var(w2) = delta cov(w1, x)/var(w1), w1 observed."""
    rng = np.random.default_rng(seed)
    beta, delta = rng.normal(), rng.uniform(0.3, 1.5)
    s1, s2, noise = rng.uniform(0.5, 2, 3)
    x1 = rng.uniform(0.1, 0.5)
    x2 = delta * x1 * s2 / s1
    vx = x1**2 / s1 + x2**2 / s2 + rng.uniform(0.3, 1)
    A = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [beta, 1, 1, 1]], dtype=float)
    made = A @ np.array([[vx, x1, x2, 0], [x1, s1, 0, 0], [x2, 0, s2, 0], [0, 0, 0, noise]]) @ A.T
    panel = with_moments(made, ["x", "w", "hidden", "y"])
    ceiling = 1 - noise / made[3, 3]
    found = oster(panel, "y ~ x + w", "x", r2_max=ceiling, beta=beta, delta=delta)
    assert found.delta == pytest.approx(delta, rel=1e-8)
    assert min(abs(root - beta) for root in found.roots) < 1e-8
    assert found.bound == found.roots[0]


def test_the_bound_at_delta_is_where_that_delta_is_needed() -> None:
    panel = made()
    first = oster(panel, "y ~ x + z | unit", "x", delta=0.7)
    again = oster(panel, "y ~ x + z | unit", "x", beta=first.bound)
    assert again.delta == pytest.approx(0.7, rel=1e-6)


def test_oster_reports_both_regressions_within_effects() -> None:
    panel = made()
    found = oster(panel, "y ~ x + z | unit", "x")
    short, full = econ.feols(panel, "y ~ x | unit"), econ.feols(panel, "y ~ x + z | unit")
    assert (found.estimate_short, found.estimate) == pytest.approx((short.params["x"], full.params["x"]))
    assert (found.r2_short, found.r2) == pytest.approx((short.stats["r2_within"], full.stats["r2_within"]))
    assert found.r2_max == min(1.3 * found.r2, 1)


@pytest.mark.parametrize(
    ("formula", "options", "words"),
    [("y ~ x + z", {"r2_max": 0.0}, "above"), ("y ~ x", {}, "controls beside it"), ("y ~ z + q", {}, "term of the")],
)
def test_oster_refuses_what_it_cannot_compare(formula: str, options: dict[str, float], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        oster(made(), formula, "x", **options)


# ---- mediation


def made(seed: int = 1) -> Panel:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame([(f"u{i:02d}", t) for i in range(N) for t in range(T)], columns=["unit", "year"])
    effect = rng.normal(size=N).repeat(T)
    frame["z"], frame["q"] = rng.normal(size=(2, N * T))
    frame["x"] = effect + 0.5 * frame["z"] + rng.normal(size=N * T)
    frame["m"] = 0.8 * frame["x"] + effect + 0.5 * rng.normal(size=N * T)
    frame["y"] = 0.5 * frame["m"] + 0.3 * frame["x"] + frame["z"] + effect + 0.5 * rng.normal(size=N * T)
    return Panel(frame, "unit", "year", notes=["Made up."])


FORMULA = "y ~ x + z | unit + year"


def test_mediation_adds_up_and_is_the_three_regressions() -> None:
    found = mediation(made(), FORMULA, "x", "m", draws=99)
    effects = found.effects.set_index("effect")["estimate"]
    assert effects["total"] == pytest.approx(effects["direct"] + effects["indirect"], rel=1e-10)
    total = econ.feols(made(), FORMULA)
    np.testing.assert_allclose(found.total.coef, total.coef)
    np.testing.assert_allclose(found.total.vcov, total.vcov)
    a, b = econ.feols(made(), "m ~ x + z | unit + year"), econ.feols(made(), "y ~ m + x + z | unit + year")
    assert effects["indirect"] == pytest.approx(a.params["x"] * b.params["m"])
    z = a.params["x"] * b.params["m"] / np.hypot(a.params["x"] * b.bse["m"], b.params["m"] * a.bse["x"])
    assert found.sobel[0] == pytest.approx(z)


def test_a_draw_is_the_regression_on_the_units_drawn() -> None:
    """Units drawn twice are two units, with effects of their own."""
    found = mediation(made(), FORMULA, "x", "m", draws=99, seed=7)
    drawn = np.random.default_rng(7).integers(N, size=N)
    frame = made().frame
    copies = [frame[frame["unit"] == f"u{code:02d}"].assign(unit=f"c{k:02d}") for k, code in enumerate(drawn)]
    again = Panel(pd.concat(copies), "unit", "year")
    total, direct = econ.feols(again, FORMULA), econ.feols(again, "y ~ m + x + z | unit + year")
    a = econ.feols(again, "m ~ x + z | unit + year").params["x"]
    by_hand = [total.params["x"], direct.params["x"], a * direct.params["m"]]
    np.testing.assert_allclose(found.distribution[0], by_hand, rtol=1e-8)


def test_all_three_rest_on_the_rows_where_the_mediator_is_known() -> None:
    holed = made().assign(m=lambda f: f["m"].mask(f["year"] == 3))
    found = mediation(holed, FORMULA, "x", "m", draws=99)
    assert {step.n_obs for step in found.steps} == {N * (T - 1)}
    assert found.effects["estimate"][0] == pytest.approx(found.effects["estimate"][1:3].sum())


def test_mediation_finds_the_indirect_effect_and_says_what_it_takes() -> None:
    found = mediation(made(), FORMULA, "x", "m", draws=199)
    row = found.effects.set_index("effect").loc["indirect"]
    assert abs(row["estimate"] - 0.8 * 0.5) < 3 * row["std_error"]
    assert row["ci_low"] > 0
    assert row["p_value"] == pytest.approx(2 / 200)
    assert any("sequential ignorability" in note["en"] for note in found.notes)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"treatment": "w"}, OptionError, "no term"),
        ({"vcov": econ.iid()}, OptionError, "clusters"),
        ({"draws": 10}, OptionError, "99 or more"),
        ({"mediator": "nowhere"}, FormulaError, "nowhere"),
    ],
)
def test_bad_mediation_is_refused(options: dict[str, object], error: type[Exception], words: str) -> None:
    given = {"treatment": "x", "mediator": "m", "draws": 99} | options
    with pytest.raises(error, match=words):
        mediation(made(), FORMULA, **given)  # type: ignore[arg-type]


# ---- specification curve


def test_every_combination_is_the_regression_it_names() -> None:
    found = specification_curve(
        made(), ["y", "m"], "x", ["z", "q"], effects=["", "unit + year"],
        samples={"all": None, "late": lambda f: f["year"] > 1},
        errors={"unit": econ.cluster("unit"), "robust": econ.hetero()},
    )  # fmt: skip
    assert len(found.frame) == 2 * 4 * 2 * 2 * 2
    row = found.frame.query("outcome == 'm' and controls == 'z' and effects == 'none' and sample == 'late'").iloc[1]
    by_hand = econ.feols(made().where(lambda f: f["year"] > 1), "m ~ x + z", vcov=econ.hetero())
    assert row["errors"] == "robust"
    assert (row["estimate"], row["std_error"]) == pytest.approx((by_hand.params["x"], by_hand.bse["x"]))
    assert found.summary["median"] == pytest.approx(found.frame["estimate"].median())


def test_what_cannot_be_estimated_says_why() -> None:
    panel = made().assign(constant=lambda f: f["unit"].str[1:].astype(float))
    found = specification_curve(panel, "y", "constant", effects=["", "unit"])
    assert found.summary["n_failed"] == 1
    assert found.frame["estimate"].isna().tolist() == [False, True]
    assert found.frame["note"][1]
    with pytest.raises(ModelError, match="No specification"):
        specification_curve(panel, "y", "constant", effects=["unit"])


def test_too_many_or_no_choices_are_refused() -> None:
    with pytest.raises(OptionError, match="2,048 subsets"):
        specification_curve(made(), "y", "x", [f"c{k}" for k in range(11)])
    with pytest.raises(OptionError, match="effects is empty"):
        specification_curve(made(), "y", "x", effects=[])
    with pytest.raises(OptionError, match="lists"):
        specification_curve(made(), "y", "x", effects="unit")


@pytest.mark.parametrize(("lang", "phrase"), [("en", "Fixed effects"), ("zh", "固定效应")])
def test_the_figure_orders_estimates_and_shows_choices(lang: econ.Lang, phrase: str) -> None:
    found = specification_curve(made(), "y", "x", ["z", "q"], effects=["unit", "unit + year"])
    plot = econ.report.specification_plot(found, lang=lang)
    words = "\n".join(text.get_text() for text in plot.figure.findobj(Text))
    assert phrase in words
    assert "Made up." in words
    assert plot.data["estimate"].is_monotonic_increasing
    assert len(found.plot().data) == 8
