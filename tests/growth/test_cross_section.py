"""CD tests and slope homogeneity against their definitions, pair by pair and unit by unit."""

import numpy as np
import pandas as pd
import pytest

import econ
from econ import ModelError, OptionError, Panel
from econ.growth import pesaran_cd, slope_homogeneity
from econ.growth.cross_section import cd_star


def frame(N: int = 9, T: int = 12, seed: int = 0, factor: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    unit, year = np.repeat([f"u{i}" for i in range(N)], T), np.tile(np.arange(2000, 2000 + T), N)
    common = factor * np.outer(rng.normal(1, 0.3, N), rng.normal(size=T)).ravel()
    x = rng.normal(size=N * T)
    return pd.DataFrame({"unit": unit, "year": year, "x": x, "y": 0.5 * x + common + rng.normal(size=N * T)})


def with_gaps(d: pd.DataFrame) -> pd.DataFrame:
    return d.drop(index=[0, 5, 13, 14, 40, 77])


def correlations(wide: pd.DataFrame) -> list[tuple[int, int, int, float]]:
    """Pairs with their common periods and correlation."""
    rows = []
    for i in range(len(wide)):
        for j in range(i):
            both = wide.iloc[[i, j]].dropna(axis=1).to_numpy()
            rows.append((i, j, both.shape[1], float(np.corrcoef(both)[0, 1])))
    return rows


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("formula", ["y ~ 1", "y ~ x | unit"])
def test_cd_is_the_scaled_sum_of_pairwise_correlations(gaps: bool, formula: str) -> None:
    d = with_gaps(frame()) if gaps else frame()
    values = d["y"]
    if "x" in formula:
        centred = d[["x", "y"]] - d.groupby("unit")[["x", "y"]].transform("mean")
        values = centred["y"] - centred["x"] * (centred["x"] @ centred["y"]) / (centred["x"] @ centred["x"])
    pairs = correlations(d.assign(e=values).pivot(index="unit", columns="year", values="e"))
    N = 9
    expected = np.sqrt(2 / (N * (N - 1))) * sum(np.sqrt(T) * r for _, _, T, r in pairs)
    found = pesaran_cd(Panel(d, "unit", "year"), formula, draws=4, seed=3)
    assert found.test("cd").statistic == pytest.approx(expected, rel=1e-10)
    signs = np.random.default_rng(3).choice([-1.0, 1.0], (4, N))
    sums = [sum(w[i] * w[j] * np.sqrt(T) * r for i, j, T, r in pairs) for w in signs]
    assert found.test("cd_weighted").statistic == pytest.approx(np.sqrt(2 / (N * (N - 1))) * sum(sums) / 2, rel=1e-9)
    mean = np.mean([r for *_, r in pairs])
    assert f"mean {mean:.3f}" in found.notes[0]["en"]
    assert np.isnan(found.test("cd_star").statistic) == gaps


def test_cd_star_corrects_the_bias_that_estimated_factors_leave() -> None:
    rng = np.random.default_rng(1)
    plain, corrected = [], []
    for _ in range(300):
        L, F = rng.normal(1, 0.5, (40, 1)), rng.normal(size=(1, 30))
        values = L @ F + rng.normal(size=(40, 30))
        left, size, right = np.linalg.svd(values - values.mean(axis=1, keepdims=True), full_matrices=False)
        e = values - values.mean(axis=1, keepdims=True) - (left[:, :1] * size[:1]) @ right[:1]
        r = np.corrcoef(e)
        plain.append(np.sqrt(2 * 30 / (40 * 39)) * r[np.triu_indices(40, 1)].sum())
        corrected.append(cd_star(values, 1))
    assert np.mean(plain) < -2
    assert abs(np.mean(corrected)) < 0.25
    assert 0.8 < np.std(corrected) < 1.25


def test_common_shocks_are_found_and_period_effects_said_to_mislead() -> None:
    panel = Panel(frame(20, 15, seed=2, factor=1.0), "unit", "year")
    assert pesaran_cd(panel, "y ~ x | unit").test("cd").p_value < 1e-6
    two_way = pesaran_cd(panel, "y ~ x | unit + year")
    assert two_way.test("cd").statistic < 0
    assert any("period effects" in note["en"] for note in two_way.notes)


def test_a_variable_about_its_unit_means_is_the_variable() -> None:
    panel = Panel(frame(), "unit", "year")
    plain, about_means = pesaran_cd(panel, "y ~ 1"), pesaran_cd(panel, "y ~ 1 | unit")
    np.testing.assert_allclose(plain.frame["statistic"], about_means.frame["statistic"], rtol=1e-9)


def test_slope_homogeneity_unit_by_unit() -> None:
    d = frame().drop(index=[3, 20])
    parts = [g for _, g in d.groupby("unit")]
    x, y = ([(g[c] - g[c].mean()).to_numpy() for g in parts] for c in ("x", "y"))
    within = sum(a @ b for a, b in zip(x, y, strict=True)) / sum(a @ a for a in x)
    s2 = np.array([np.sum((b - a * within) ** 2) / (len(a) - 1) for a, b in zip(x, y, strict=True)])
    own, size = np.array([a @ b / (a @ a) for a, b in zip(x, y, strict=True)]), np.array([a @ a for a in x])
    pooled = np.sum(own * size / s2) / np.sum(size / s2)
    d_i, T = (own - pooled) ** 2 * size / s2, np.array([len(a) for a in x])
    found = slope_homogeneity(Panel(d, "unit", "year"), "y ~ x")
    assert found.test("delta").statistic == pytest.approx(np.sum((d_i - 1) / np.sqrt(2)) / 3, rel=1e-9)
    adjusted = np.sum((d_i - 1) / np.sqrt(2 * (T - 2) / (T + 1))) / 3
    assert found.test("delta_adjusted").statistic == pytest.approx(adjusted, rel=1e-9)


def test_slopes_that_differ_are_found() -> None:
    d = frame(30, 20, seed=4)
    slope = np.random.default_rng(5).normal(0.5, 0.6, 30)
    d["y"] += (slope - 0.5).repeat(20) * d["x"]
    assert slope_homogeneity(Panel(d, "unit", "year"), "y ~ x").test("delta_adjusted").p_value < 1e-6
    same = slope_homogeneity(Panel(frame(30, 20, seed=4), "unit", "year"), "y ~ x")
    assert same.test("delta_adjusted").p_value > 0.05


@pytest.mark.parametrize(
    ("change", "options", "error", "words"),
    [
        (lambda d: d, {"factors": 0}, OptionError, "factors=0"),
        (lambda d: d, {"factors": 8}, OptionError, "from 1 to 7"),
        (lambda d: d, {"draws": 0}, OptionError, "draws=0"),
        (lambda d: d[d["unit"] == "u0"], {}, ModelError, "1 unit"),
        (lambda d: d.assign(y=d["y"].where(d["unit"] != "u3", 1.0)), {}, ModelError, "u3 do not vary"),
        (
            lambda d: d[((d["unit"] != "u0") | (d["year"] < 2004)) & ((d["unit"] != "u1") | (d["year"] > 2006))],
            {},
            ModelError,
            "1 pairs of units share fewer than 3 periods .u0 and u1",
        ),
    ],
)
def test_bad_input(change, options, error, words) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(error, match=words):
        pesaran_cd(Panel(change(frame()), "unit", "year"), "y ~ 1", **options)


def test_too_few_periods_for_the_slopes() -> None:
    d = frame(9, 12)
    with pytest.raises(ModelError, match="periods"):
        slope_homogeneity(Panel(d[d["year"] < 2002], "unit", "year"), "y ~ x")


def test_instruments_are_refused() -> None:
    panel = econ.load("provinces")
    with pytest.raises(OptionError, match="without instruments"):
        pesaran_cd(panel, "log(gdp) ~ 1 | province | log(gfcf) ~ log(population)")
