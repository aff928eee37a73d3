"""Spatial Markov chains against counting by hand, their permutation test, and its size.

``python -m tests.convergence.test_spatial_markov`` writes the simulations' table to docs/simulations_markov.md (about
ten minutes).
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import econ
from econ import DataError, ModelError, OptionError, Panel
from econ.convergence.grid import classify, quantile_cutoffs
from econ.convergence.markov import markov
from econ.convergence.spatial_markov import LagClasses, LagRule, permutation_test, spatial_markov
from econ.linear.fit import FloatArray
from econ.spatial import Weights
from tests.reference.test_convergence_markov import neighbours, states

UNITS = [f"r{i:02d}" for i in range(12)]


def ring(n: int = 12) -> pd.DataFrame:
    """Every unit has the one before and the one after as neighbours."""
    w = np.roll(np.eye(n), 1, axis=1) + np.roll(np.eye(n), -1, axis=1)
    return pd.DataFrame(w, index=UNITS[:n], columns=UNITS[:n])


def wandering(seed: int = 0, periods: int = 10) -> Panel:
    rng = np.random.default_rng(seed)
    x = np.exp(rng.normal(size=(12, periods)).cumsum(axis=1) / 4)
    rows = [(unit, 2000 + t, x[i, t]) for i, unit in enumerate(UNITS) for t in range(periods)]
    return Panel(pd.DataFrame(rows, columns=["region", "year", "x"]), "region", "year")


@pytest.mark.parametrize("lag_classes", ["own", "lag"])
@pytest.mark.parametrize("quantiles", ["pooled", "by_period"])
def test_counts_by_hand(lag_classes: LagClasses, quantiles: str) -> None:
    panel = wandering()
    x = panel.frame.pivot(index="region", columns="year", values="x").to_numpy()
    lag = (ring().to_numpy() / 2) @ x
    expected = np.zeros((3, 3, 3), dtype=int)
    for t in range(9):
        part = slice(None) if quantiles == "pooled" else slice(t, t + 1)
        after = slice(None) if quantiles == "pooled" else slice(t + 1, t + 2)
        own, onward = (np.quantile(x[:, p], [1 / 3, 2 / 3]) for p in (part, after))
        limits = own if lag_classes == "own" else np.quantile(lag[:, part], [1 / 3, 2 / 3])
        for i in range(12):
            classed = ((lag[i, t], limits), (x[i, t], own), (x[i, t + 1], onward))
            r, a, b = (sum(value > limit for limit in cuts) for value, cuts in classed)
            expected[r, a, b] += 1
    result = spatial_markov(panel, "x", ring(), classes=3, lag_classes=lag_classes, draws=9, quantiles=quantiles)
    np.testing.assert_array_equal(result.counts.iloc[:, 2:].to_numpy().reshape(3, 3, 3), expected)
    assert result.counts["lag_class"].tolist() == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert result.counts["from"].tolist() == [1, 2, 3] * 3
    pooled = markov(panel, "x", classes=3, quantiles=quantiles)
    np.testing.assert_array_equal(result.pooled.counts, pooled.counts)
    first = result.counts.iloc[0, 2:].to_numpy(dtype=float)
    np.testing.assert_allclose(result.transitions.iloc[0, 2:].to_numpy(dtype=float), first / first.sum())


def test_every_form_of_weights_gives_the_same() -> None:
    panel, w = wandering(), ring()
    shuffled = w.sample(frac=1, random_state=1, axis=0).sample(frac=1, random_state=2, axis=1)
    forms = [w, shuffled, w.to_numpy(), 7 * w, Weights.from_matrix(shuffled), SimpleNamespace(frame=shuffled)]
    results = [spatial_markov(panel, "x", form, classes=3, draws=49) for form in forms]
    for other in results[1:]:
        pd.testing.assert_frame_equal(other.counts, results[0].counts)
        pd.testing.assert_frame_equal(other.test, results[0].test)


@pytest.mark.parametrize("lag_classes", ["own", "lag"])
def test_permutation_test_by_relocating_the_panel(lag_classes: LagClasses) -> None:
    """Each draw is the whole analysis on a panel whose regions have changed places."""
    panel, draws, seed = wandering(3), 40, 5
    result = spatial_markov(panel, "x", ring(), classes=3, lag_classes=lag_classes, draws=draws, seed=seed)
    orders = np.random.default_rng(seed).permuted(np.tile(np.arange(12), (draws, 1)), axis=1)
    statistics = []
    for order in orders:
        moved = ring().set_axis(np.array(UNITS)[order], axis=0).set_axis(np.array(UNITS)[order], axis=1)
        again = spatial_markov(panel, "x", moved, classes=3, lag_classes=lag_classes, draws=1)
        statistics.append(again.test["statistic"])
    at_least = (np.array(statistics) >= result.test["statistic"].to_numpy() * (1 - 1e-9)).sum(axis=0)
    np.testing.assert_allclose(result.test["p_value"], (1 + at_least) / (1 + draws))


def test_draws_in_batches_are_the_same_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = spatial_markov(wandering(), "x", ring(), classes=3, draws=50).test
    monkeypatch.setattr(import_module("econ.convergence.spatial_markov"), "BATCH", 7 * 120)
    pd.testing.assert_frame_equal(spatial_markov(wandering(), "x", ring(), classes=3, draws=50).test, whole)


def test_dependence_on_the_neighbours_is_found() -> None:
    """Regions move towards the mean of their neighbours."""
    rng = np.random.default_rng(0)
    w = ring().to_numpy() / 2
    x = rng.normal(size=(12, 1))
    for _ in range(60):
        x = np.hstack([x, (0.2 * x[:, -1] + 0.79 * w @ x[:, -1] + 0.3 * rng.normal(size=12))[:, None]])
    panel = panel_of(x)
    test = spatial_markov(panel, "x", ring(), classes=3, lag_classes="lag", draws=199).test
    assert (test["p_value"] <= 0.01).all()
    assert (test["p_value"] >= 1 / 200).all()


def panel_of(x: FloatArray) -> Panel:
    n, periods = x.shape
    frame = {"region": np.repeat(UNITS[:n], periods), "year": np.tile(np.arange(periods), n), "x": x.ravel()}
    return Panel(pd.DataFrame(frame), "region", "year")


def test_notes_name_what_is_undefined() -> None:
    panel = wandering()
    result = spatial_markov(panel, "x", ring(), classes=5, draws=9)
    empty = result.counts.loc[result.counts.iloc[:, 2:].sum(axis=1) == 0, ["lag_class", "from"]]
    assert len(empty)
    note = next(note for note in result.notes if "No moves start" in note["en"])
    for row in empty.itertuples(index=False):
        assert f"{row[0]}/{row[1]}" in note["en"]
        assert f"{row[0]}/{row[1]}" in note["zh"]
    lacking = result.steady_state.loc[result.steady_state[1].isna(), "lag_class"]
    note = next(note for note in result.notes if "unique" in note["en"])
    assert all(str(name) in note["en"] for name in lacking)
    known = result.steady_state.dropna().drop(columns="lag_class")
    np.testing.assert_allclose(known.sum(axis=1), 1)
    assert any("9 draws" in note["en"] and "9次" in note["zh"] for note in result.notes)


def test_bad_input() -> None:
    panel, w = wandering(), ring()
    negative = w.copy()
    negative.loc["r01", "r02"] = -1.0
    alone = w.copy()
    alone.loc["r05"] = 0.0
    with pytest.raises(DataError, match="lack r03"):
        spatial_markov(panel, "x", w.drop(index="r03"), classes=3)
    with pytest.raises(DataError, match="not asked for: r11"):
        spatial_markov(panel.where(lambda d: d["region"] != "r11"), "x", w, classes=3)
    with pytest.raises(DataError, match=r"1 weights are negative \(r01 - r02\)"):
        spatial_markov(panel, "x", negative, classes=3)
    with pytest.raises(DataError, match="r05 without any neighbour"):
        spatial_markov(panel, "x", alone, classes=3)
    with pytest.raises(DataError, match=r"shape \(3, 3\)"):
        spatial_markov(panel, "x", np.eye(3), classes=3)
    with pytest.raises(DataError, match="missing 1 times"):
        spatial_markov(panel.where(lambda d: ~((d["region"] == "r01") & (d["year"] == 2003))), "x", w)
    with pytest.raises(OptionError, match="w is a dict"):
        spatial_markov(panel, "x", {}, classes=3)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="lag_classes='both'"):
        spatial_markov(panel, "x", w, lag_classes="both")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="draws=0"):
        spatial_markov(panel, "x", w, draws=0)
    with pytest.raises(OptionError, match="classes=1"):
        spatial_markov(panel, "x", w, classes=1)
    with pytest.raises(ModelError, match="holds no unit"):
        spatial_markov(panel, "x", w, classes=[0.5, 1e9])


# ---- size, without any dependence of moves on neighbours

Design = Callable[[np.random.Generator, FloatArray, int], FloatArray]


def stationary(rng: np.random.Generator, n: int, periods: int, rho: float) -> FloatArray:
    """AR(1) with unit variance, independent over units."""
    x = np.empty((n, periods))
    x[:, 0] = rng.normal(size=n)
    for t in range(1, periods):
        x[:, t] = rho * x[:, t - 1] + np.sqrt(1 - rho**2) * rng.normal(size=n)
    return x


def alike(rng: np.random.Generator, w: FloatArray, periods: int) -> FloatArray:
    return stationary(rng, len(w), periods, 0.95)


def persistent(rng: np.random.Generator, w: FloatArray, periods: int) -> FloatArray:
    return rng.normal(size=(len(w), 1)) + 0.3 * stationary(rng, len(w), periods, 0.8)


def clustered(rng: np.random.Generator, w: FloatArray, periods: int) -> FloatArray:
    levels = np.linalg.solve(np.eye(len(w)) - 0.7 * w, rng.normal(size=(len(w), 1)))
    return levels / levels.std() + 0.3 * stationary(rng, len(w), periods, 0.8)


def relocated(history: FloatArray) -> Design:
    return lambda rng, w, periods: history[rng.permutation(len(w))]


def us_states() -> tuple[FloatArray, FloatArray]:
    """Row-standardised borders and relative incomes of 48 states, 1929-2009, from libpysal's wheel."""
    wide = states().frame.pivot(index="Name", columns="year", values="relative")
    return Weights.from_matrix(neighbours().frame, wide.index).matrix, wide.to_numpy()


def provinces() -> tuple[FloatArray, FloatArray]:
    """Row-standardised borders and relative GDP per head of 31 provinces, 2000-2019."""
    panel = econ.load("provinces").where(lambda d: d["year"] <= 2019)
    wide = panel.frame.pivot(index="province", columns="year", values="gdp_per_capita").to_numpy()
    return Weights.from_borders(panel).matrix, wide / wide.mean(axis=0)


def rejections(
    design: Design, w: FloatArray, periods: int, lag_classes: LagClasses, samples: int, draws: int
) -> FloatArray:
    """(4,) shares of samples rejected at 5 %: permuted LR and X2, asymptotic LR and X2."""
    k, matrix, found = 5, sparse.csr_array(w), np.empty((samples, 4))
    for s in range(samples):
        x = design(np.random.default_rng([2026, s]), w, periods)
        cutoffs = quantile_cutoffs(x.reshape(1, -1), k)
        rule = LagRule(cutoffs if lag_classes == "own" else None, k, "pooled")
        test = permutation_test(x, classify(x, cutoffs), matrix, rule, draws, s)
        found[s] = [*test["p_value"], *test["p_asymptotic"]]
    return (found <= 0.05).mean(axis=0)


def size_table(samples: int, draws: int) -> pd.DataFrame:
    rows = []
    for place, (w, history) in (("48 states", us_states()), ("31 provinces", provinces())):
        periods = history.shape[1]
        designs = {
            "regions alike: AR(1) 0.95, no lasting differences": alike,
            "lasting differences between regions": persistent,
            "the real histories at random places": relocated(history),
            "lasting differences, clustered on the map": clustered,
        }
        for title, design in designs.items():
            for rule in ("own", "lag"):
                shares = rejections(design, w, periods, rule, samples, draws)
                rows.append([f"{place}, T = {periods}", title, rule, *(100 * shares)])
    columns = ["map", "regions", "lag_classes", "permuted LR", "permuted X2", "asymptotic LR", "asymptotic X2"]
    return pd.DataFrame(rows, columns=columns)


@pytest.mark.slow
def test_size_of_the_permutation_test_and_of_the_asymptotic_one() -> None:
    table = size_table(samples=200, draws=99).set_index(["regions", "lag_classes"])
    null = table.drop("lasting differences, clustered on the map", level="regions")
    assert (null[["permuted LR", "permuted X2"]] < 5 + 4 * 1.6).all(axis=None)
    assert (null.loc["lasting differences between regions", "asymptotic LR"] > 40).all()


HEAD = """\
# Size of the spatial Markov test

Simulated data, and real histories relocated at random.

Share of samples (percent) in which `econ.convergence.spatial_markov` rejects at 5 % although no region's moves depend
on its neighbours. {samples:,} samples a row, {draws} permutations each, 5 classes by pooled quantiles; Monte Carlo
standard error {error:.1f} at 5 %, at most {most:.1f}; seeds `[2026, sample]`. Printed by
`python -m tests.convergence.test_spatial_markov`.

"""
TAIL = """
Designs: *alike*, every region an independent stationary AR(1) with coefficient 0.95; *lasting differences*, a normal
region effect with standard deviation 1 plus an AR(1) with coefficient 0.8 and standard deviation 0.3; *real
histories*, income per head of US states 1929-2009 (libpysal) and GDP per head of Chinese provinces 2000-2019, each
relative to the mean of its year, whole histories put at random places of the map; *clustered*, region effects
`(I - 0.7 W)^-1 e`.

The permutation test keeps its size whenever histories are exchangeable over the map. The asymptotic tests treat moves
as independent draws of one chain: a region's lasting level shows in its moves beyond its class, and the mean of the
same neighbours changes little from year to year, so a few dozen regions count as thousands of independent moves.

In the last design, too, moves depend on no neighbour, but rich regions lie beside rich ones: the mean of the neighbours
then tells something about the region's own lasting level, and the permutation test rejects. Its rejection therefore
says "not exchangeable over the map", not yet "neighbours matter for moves".
"""


def document(table: pd.DataFrame, samples: int, draws: int) -> str:
    """The text of docs/simulations_markov.md."""
    error, most = 100 * np.sqrt(0.05 * 0.95 / samples), 50 / np.sqrt(samples)
    lines = ["| " + " | ".join(table.columns) + " |", "|---|---|---|---:|---:|---:|---:|"]
    rows = [[*row[:3], *(f"{share:.1f}" for share in row[3:])] for row in table.itertuples(index=False)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return HEAD.format(samples=samples, draws=draws, error=error, most=most) + "\n".join(lines) + "\n" + TAIL


if __name__ == "__main__":
    target = Path(__file__).parents[2] / "docs" / "simulations_markov.md"
    target.write_text(document(size_table(1000, 199), 1000, 199), encoding="utf-8")
