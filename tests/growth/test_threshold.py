"""Thresholds: the search against brute force, the bootstrap, refusals, the figure."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

import econ
from econ import FormulaError, ModelError, OptionError, Panel
from econ.growth import Threshold, threshold
from econ.growth.threshold_bootstrap import find_stages
from econ.growth.threshold_search import Rows, Search

N, T = 12, 7


def frame(jump: float = 1.5, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    made = pd.DataFrame([(f"u{i:02d}", t) for i in range(N) for t in range(T)], columns=["unit", "year"])
    made["q"] = rng.normal(size=N * T).round(2)
    made["x"], made["w"], made["z"] = rng.normal(size=(3, N * T)) + 1
    effect = rng.normal(size=N).repeat(T)
    made["y"] = effect + made["x"] * (1 + jump * (made["q"] > 0.3)) + made["z"] + 0.3 * rng.normal(size=N * T)
    return made


def panel(jump: float = 1.5, seed: int = 0) -> Panel:
    return Panel(frame(jump, seed), "unit", "year")


def ssr_by_hand(d: pd.DataFrame, cuts: list[float], effects: list[str], names: list[str]) -> float:
    regime = np.searchsorted(cuts, d["q"], side="left")
    columns = [d[name] * (regime == r) for name in names for r in range(len(cuts) + 1)]
    dummies = [pd.get_dummies(d[e], dtype=float).to_numpy() for e in effects]
    X = np.column_stack([*columns, d["z"], *dummies])
    e = d["y"] - X @ np.linalg.lstsq(X, d["y"], rcond=None)[0]
    return float(e @ e)


@pytest.mark.parametrize(
    ("effects", "names"), [(["unit"], ["x"]), (["unit", "year"], ["x"]), (["unit", "year"], ["x", "w"])]
)
def test_ratios_are_those_of_every_regression(effects: list[str], names: list[str]) -> None:
    d = frame().iloc[:-2]  # unbalanced
    formula = f"y ~ {' + '.join(names)} + z | {' + '.join(effects)}"
    found = threshold(Panel(d, "unit", "year"), formula, "q", names, trim=0.1, draws=0)
    best = ssr_by_hand(d, [found.thresholds["estimate"][0]], effects, names)
    dof = len(d) - N - (T - 1) * (len(effects) - 1)
    by_hand = [(ssr_by_hand(d, [v], effects, names) - best) / (best / dof) for v in found.ratio["value"]]
    np.testing.assert_allclose(found.ratio["ratio"], by_hand, rtol=1e-7, atol=1e-7)
    none = ssr_by_hand(d, [], effects, names)
    assert found.tests["statistic"][0] == pytest.approx((none - best) / (best / dof), rel=1e-9)


def test_two_thresholds_are_the_best_of_all_pairs_when_they_are_clear() -> None:
    d = frame()
    d["y"] += 3 * d["x"] * (d["q"] > -0.6)
    found = threshold(Panel(d, "unit", "year"), "y ~ x + z | unit", "q", ["x"], n=2, trim=0.1, draws=0)
    least = 0.1 * len(d)
    values = np.unique(d["q"])
    pairs = [
        (ssr_by_hand(d, [a, b], ["unit"], ["x"]), a, b)
        for a, b in combinations(values[::2], 2)
        if min((d["q"] <= a).sum(), ((d["q"] > a) & (d["q"] <= b)).sum(), (d["q"] > b).sum()) >= least
    ]
    cuts = found.thresholds["estimate"].tolist()
    assert ssr_by_hand(d, cuts, ["unit"], ["x"]) <= min(pairs)[0] + 1e-9
    assert found.regimes["n_obs"].min() >= least


def test_slopes_are_those_of_a_regression_with_the_regimes() -> None:
    d = frame()
    found = threshold(panel(), "y ~ x + z | unit + year", "q", ["x"], draws=0)
    cut = found.thresholds["estimate"][0]
    d = d.assign(low=d["x"] * (d["q"] <= cut), high=d["x"] * (d["q"] > cut))
    by_hand = econ.feols(Panel(d, "unit", "year"), "y ~ low + high + z | unit + year")
    np.testing.assert_allclose(found.estimate.coef, by_hand.coef, rtol=1e-10)
    np.testing.assert_allclose(found.estimate.vcov, by_hand.vcov, rtol=1e-9)


def test_the_threshold_and_its_set_are_found_where_they_are() -> None:
    found = threshold(panel(), "y ~ x + z | unit", "q", ["x"], draws=99)
    row = found.thresholds.iloc[0]
    assert row["ci_low"] <= row["estimate"] <= row["ci_high"]
    assert row["estimate"] == pytest.approx(0.3, abs=0.1)
    assert found.tests["p_value"][0] < 0.05
    assert found.critical == pytest.approx(7.3523, abs=1e-4)


def test_many_outcomes_at_once_are_each_outcome_alone() -> None:
    d = frame()
    unit = np.arange(N * T) // T
    rows = Rows(d[["x", "w"]].to_numpy(), d[["x", "w", "z"]].to_numpy(), d["q"].to_numpy(), unit)
    search = Search(rows, 0.1)
    Y = np.random.default_rng(1).normal(size=(N * T, 120))
    none, one, cuts = search.least(Y)
    for k in (0, 60, 119):
        alone = find_stages(search, Y[:, k], 1)
        np.testing.assert_allclose([none[k], one[k]], alone.ssr, rtol=1e-10)
        assert cuts[k] == alone.cuts[0]


def test_without_a_threshold_p_values_are_not_small_too_often() -> None:
    p_values = [
        threshold(panel(0.0, seed), "y ~ x + z | unit", "q", ["x"], trim=0.1, draws=99).tests["p_value"][0]
        for seed in range(60)
    ]
    assert np.mean(np.array(p_values) <= 0.1) < 0.25
    assert np.mean(p_values) > 0.35


def test_draws_repeat_with_their_seed_and_not_with_row_order() -> None:
    first = threshold(panel(), "y ~ x + z | unit", "q", ["x"], n=2, draws=49)
    shuffled = Panel(frame().sample(frac=1, random_state=3), "unit", "year")
    second = threshold(shuffled, "y ~ x + z | unit", "q", ["x"], n=2, draws=49)
    pd.testing.assert_frame_equal(first.tests, second.tests)
    pd.testing.assert_frame_equal(first.thresholds, second.thresholds)


def test_a_regressor_that_is_not_there_is_refused() -> None:
    with pytest.raises(OptionError, match=r"'v'.*x, z"):
        threshold(panel(), "y ~ x + z | unit", "q", ["v"])


def test_unit_effects_are_required() -> None:
    for formula in ("y ~ x + z", "y ~ x | year", "y ~ x | unit[z]"):
        with pytest.raises(FormulaError, match="unit effects"):
            threshold(panel(), formula, "q", ["x"])


def test_a_threshold_variable_with_too_few_values_is_refused() -> None:
    flat = panel().assign(q=1.0)
    with pytest.raises(ModelError, match="1 distinct values"):
        threshold(flat, "y ~ x + z | unit", "q", ["x"])
    two = panel().assign(q=lambda d: (d["q"] > 0).astype(float))
    with pytest.raises(ModelError, match="threshold number 2"):
        threshold(two, "y ~ x + z | unit", "q", ["x"], n=2, draws=0)


def test_the_bootstrap_refuses_unbalanced_samples() -> None:
    with pytest.raises(ModelError, match="draws=0"):
        threshold(Panel(frame().iloc[1:], "unit", "year"), "y ~ x + z | unit", "q", ["x"], draws=9)


@pytest.mark.parametrize(
    ("options", "words"),
    [({"n": 4}, "from 1 to 3"), ({"trim": 0.6}, "up to 0.50"), ({"draws": -1}, "whole number"),
     ({"convention": "stata"}, "hansen1999")],
)  # fmt: skip
def test_bad_options_are_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        threshold(panel(), "y ~ x + z | unit", "q", ["x"], **options)  # type: ignore[arg-type]


# ---- the figure


def one() -> Threshold:
    marked = Panel(frame(), "unit", "year", notes=["Made up."])
    return threshold(marked, "y ~ x + z | unit", "q", ["x"], draws=0)


@pytest.mark.parametrize(("lang", "phrase"), [("en", "Likelihood ratio"), ("zh", "似然比")])
def test_the_figure_speaks_both_languages(lang: econ.Lang, phrase: str) -> None:
    plot = econ.report.threshold_plot(one(), lang=lang)
    words = "\n".join(text.get_text() for text in plot.figure.findobj(Text))
    assert phrase in words
    assert "Made up." in words
    assert "7.35" in words


def test_the_figure_shows_the_ratios_and_the_set() -> None:
    result = one()
    plot = result.plot()
    curve = plot.ax.get_lines()[0]
    np.testing.assert_allclose(curve.get_ydata(), result.ratio["ratio"])
    inside = plot.data.loc[plot.data["inside"], "value"]
    assert (inside.min(), inside.max()) == tuple(result.thresholds.loc[0, ["ci_low", "ci_high"]])


def test_two_thresholds_do_not_fit_one_pair_of_axes() -> None:
    result = threshold(panel(), "y ~ x + z | unit", "q", ["x"], n=2, draws=0)
    assert len(result.plot().figure.axes) == 2
    with pytest.raises(OptionError, match="leave ax out"):
        result.plot(ax=one().plot().ax)
