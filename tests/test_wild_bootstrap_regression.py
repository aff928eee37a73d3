"""``econ.wild_bootstrap``: the public door, its words and its refusals."""

import numpy as np
import pandas as pd
import pytest

import econ
from econ import FormulaError, OptionError, Panel

FORMULA = "y ~ x + z | region + year"


def panel(n_regions: int = 16) -> Panel:
    """Regions over six years, some rows missing."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame([(f"r{i:02d}", t) for i in range(n_regions) for t in range(2001, 2007)])
    frame.columns = ["region", "year"]
    frame["x"], frame["z"] = rng.normal(size=len(frame)), rng.normal(size=len(frame))
    shock = frame["region"].map(dict(zip(frame["region"].unique(), rng.normal(size=n_regions), strict=True)))
    frame["y"] = 0.3 * frame["x"] + shock * (1 + 0.3 * (frame["year"] - 2003)) + rng.normal(size=len(frame))
    frame["n"] = rng.integers(1, 5, size=len(frame))
    return Panel(frame.drop([3, 14]), "region", "year")


@pytest.mark.parametrize("weights", [None, "n"])
def test_statistics_are_those_of_feols(weights: str | None) -> None:
    estimate = econ.feols(panel(), FORMULA, weights=weights)
    single = econ.wild_bootstrap(panel(), FORMULA, "x", econ.wild(99), weights=weights)
    assert single.statistic == pytest.approx(estimate.tvalues["x"], rel=1e-10)
    assert single.estimate == pytest.approx(estimate.params["x"], rel=1e-10)
    joint = econ.wild_bootstrap(panel(), FORMULA, "x = z = 0.1", econ.wild(99), weights=weights)
    assert joint.statistic == pytest.approx(estimate.wald("x = z = 0.1").statistic, rel=1e-10)
    assert (joint.estimate, joint.ci_low, joint.p_value_equal_tailed) == (None, None, None)


def test_p_values_are_near_those_of_student_s_t_with_many_clusters() -> None:
    many = panel(400)
    found = econ.wild_bootstrap(many, FORMULA, "x = 0.27", econ.wild(9999))
    usual = econ.feols(many, FORMULA)
    assert found.p_value == pytest.approx(usual.wald("x = 0.27").p_value, abs=0.03)
    row = usual.tidy().set_index("term").loc["x"]
    assert (found.ci_low, found.ci_high) == pytest.approx((row["ci_low"], row["ci_high"]), abs=0.1 * row["std_error"])


def test_row_order_does_not_matter() -> None:
    base = panel()
    shuffled = Panel(base.frame.sample(frac=1, random_state=1), "region", "year")
    first, second = (econ.wild_bootstrap(p, FORMULA, "x", econ.wild(999)) for p in (base, shuffled))
    np.testing.assert_allclose(first.distribution, second.distribution, rtol=1e-8)


def test_dummies_in_the_formula_give_the_same() -> None:
    absorbed = econ.wild_bootstrap(panel(), FORMULA, "x", econ.wild(999))
    dummies = econ.wild_bootstrap(panel(), "y ~ x + z + i(year) | region", "x", econ.wild(999))
    np.testing.assert_allclose(absorbed.distribution, dummies.distribution, rtol=1e-8)


def test_clusters_of_another_column() -> None:
    found = econ.wild_bootstrap(panel(), FORMULA, "x", vcov=econ.cluster("year"))
    assert (found.n_clusters, found.draws, found.enumerated) == (6, 64, True)
    assert "by year (6 clusters), Rademacher weights, all 64 sign vectors" in found.words["en"]
    assert "no p-value can be below 0.031" in found.notes[0]["en"]


def test_seed_and_draws() -> None:
    first, again, other = (econ.wild_bootstrap(panel(), FORMULA, "x", econ.wild(999, seed=s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.distribution, again.distribution)
    assert not np.array_equal(first.distribution, other.distribution)
    assert first.draws == len(first.distribution) == 999


def test_text() -> None:
    shown = repr(econ.wild_bootstrap(panel(), FORMULA, "x = 0.1", econ.wild(999, "unrestricted", "webb")))
    assert "H0: x = 0.1" in shown
    assert "Unrestricted wild cluster bootstrap-t by region (16 clusters), Webb's six-point weights" in shown
    assert "95 % interval [" in shown
    assert "F = " in repr(econ.wild_bootstrap(panel(), FORMULA, ["x", "z"], econ.wild(99)))


def test_an_unbounded_interval_is_noted() -> None:
    found = econ.wild_bootstrap(panel(4), FORMULA, "x")
    assert (found.ci_low, found.ci_high) == (-np.inf, np.inf)
    assert any("The interval is open" in note["en"] for note in found.notes)


def test_repeated_statistics_are_noted() -> None:
    found = econ.wild_bootstrap(panel(), FORMULA, "x", econ.wild(weights="mammen"), econ.cluster("year"))
    note = next(note["en"] for note in found.notes if "repeat the sample's statistic" in note["en"])
    assert f"is {found.p_value - found.n_ties / found.draws:.4f} without" in note


def test_dropped_terms_are_noted() -> None:
    with pytest.warns(econ.EconWarning, match="Left out"):
        found = econ.wild_bootstrap(panel().assign(w=lambda d: 2 * d.x), "y ~ x + w | region", "x", econ.wild(99))
    assert "Left out" in found.notes[0]["en"]


def test_refuses_instruments() -> None:
    with pytest.raises(FormulaError, match="takes no instruments"):
        econ.wild_bootstrap(panel(), "y ~ 1 | region | x ~ z", "x")


def test_refuses_other_methods() -> None:
    with pytest.raises(OptionError, match=r"give econ\.wild"):
        econ.wild_bootstrap(panel(), FORMULA, "x", "webb")  # type: ignore[arg-type]


def test_refuses_unknown_terms() -> None:
    with pytest.raises(FormulaError, match="The terms are x, z"):
        econ.wild_bootstrap(panel(), FORMULA, "q = 0")


@pytest.mark.slow
def test_size_with_twelve_clusters() -> None:
    """Rejections at 5 per cent over 2,000 samples with errors correlated within clusters: restricted near nominal."""
    rng = np.random.default_rng(1)
    region, year = np.repeat(np.arange(12), 10), np.tile(np.arange(10), 12)
    treated = (region < 6) & (year >= 5)
    rejected = 0
    for _ in range(2_000):
        y = rng.normal(size=12)[region] * year / 5 + rng.normal(size=120)
        frame = pd.DataFrame({"region": region, "year": year, "d": treated.astype(float), "y": y})
        rejected += econ.wild_bootstrap(Panel(frame, "region", "year"), "y ~ d | region + year", "d").p_value <= 0.05
    assert rejected / 2_000 == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / 2_000))
