"""Coverage of the bootstrap intervals of inequality indices and size of the test of change, on simulated regions.

``python -m tests.disparity.test_indices_simulations`` runs everything and writes docs/simulations_inequality.md (four
minutes).
"""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from econ import Panel
from econ.disparity import atkinson, cv, dagum, gini, theil

PAGE = Path(__file__).parents[2] / "docs" / "simulations_inequality.md"
SEED, SAMPLES, DRAWS = 2026, 500, 499
SPREAD, AGAIN = 0.5, 0.9  # standard deviation of logs; their correlation between the two periods
SIZES = (31, 100, 300)
TRUE = {
    "gini": 2 * norm.cdf(SPREAD / np.sqrt(2)) - 1,
    "atkinson": 1 - np.exp(-(SPREAD**2) / 4),
    "cv": np.sqrt(np.exp(SPREAD**2) - 1),
}
CASES = {
    "Gini, population": ("gini", gini, {}),
    "Gini, unbiased": ("gini", gini, {"convention": "unbiased"}),
    "Atkinson (0.5)": ("atkinson", atkinson, {}),
    "CV, unbiased": ("cv", cv, {"convention": "unbiased"}),
}


def two_periods(rng: np.random.Generator, n: int, ratio: float) -> Panel:
    """Lognormal levels, correlated between the periods; the second has ``ratio`` times the spread of the first."""
    first, shock = rng.normal(size=(2, n))
    second = AGAIN * first + np.sqrt(1 - AGAIN**2) * shock
    logs = SPREAD * np.concatenate([first, ratio * second])
    frame = pd.DataFrame({"region": np.tile(np.arange(n), 2), "year": np.repeat([2000, 2020], n), "x": np.exp(logs)})
    return Panel(frame, "region", "year")


@cache
def shares(case: str, n: int) -> dict[str, float]:
    """Shares of samples: intervals that cover, bias-corrected and plain percentiles; rejections at 5 %."""
    name, index, options = CASES[case]
    found = {"bias-corrected": 0, "percentile": 0, "below": 0, "size": 0, "power": 0}
    for sample in range(SAMPLES):
        rng = np.random.default_rng([SEED, n, sample])
        result = index(two_periods(rng, n, 1.0), "x", draws=DRAWS, seed=sample, **options)
        row = result.path.iloc[0]
        low, high = np.quantile(result.replicates[:, 0], [0.025, 0.975])
        found["bias-corrected"] += row["ci_low"] <= TRUE[name] <= row["ci_high"]
        found["percentile"] += low <= TRUE[name] <= high
        found["below"] += row["ci_high"] < TRUE[name]
        found["size"] += result.test["p_value"].iloc[0] < 0.05
        smaller = index(two_periods(rng, n, 0.8), "x", draws=DRAWS, seed=sample, **options)
        found["power"] += smaller.test["p_value"].iloc[0] < 0.05
    return {key: count / SAMPLES for key, count in found.items()}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_coverage_of_the_intervals_and_size_of_the_test_of_change(case: str) -> None:
    few, many = shares(case, 31), shares(case, 300)
    assert few["size"] < (0.17 if case.startswith("CV") else 0.14)
    assert many["size"] < 0.11
    assert few["bias-corrected"] > 0.82
    assert many["bias-corrected"] > 0.88
    assert many["power"] > 0.95


# ---- parts

PLATES = pd.DataFrame({"share": [10, 6, 12, 3], "mean": [0.5, 0.0, -0.2, 0.1], "sd": [0.35, 0.2, 0.3, 0.2]})  # of logs
PART_SAMPLES = 300
PARTS = {
    "Theil T, within": ("theil", "within"),
    "Theil T, between": ("theil", "between"),
    "Theil T, share between": ("theil", "between_share"),
    "Dagum, share within": ("dagum", "within_share"),
    "Dagum, share between": ("dagum", "between_share"),
    "Dagum, share of transvariation": ("dagum", "transvariation_share"),
}


def true_parts() -> dict[tuple[str, str], float]:
    """Parts of a mixture of lognormal distributions, in closed form."""
    p, mu, sd = (PLATES[name].to_numpy(dtype=float) for name in ("share", "mean", "sd"))
    p = p / p.sum()
    mean = np.exp(mu + sd**2 / 2)
    s = p * mean / (p @ mean)
    within, between = float(s @ sd**2 / 2), float(s @ np.log(s / p))
    scale = np.hypot(sd[:, None], sd)
    one_way = mean[:, None] * (2 * norm.cdf((mu[:, None] - mu + sd[:, None] ** 2) / scale) - 1)
    apart, net = one_way + one_way.T, np.abs(mean[:, None] - mean)
    both = np.outer(p, p) / (2 * p @ mean)
    total, own = float((both * apart).sum()), float((both * apart).trace())
    far = float((both * net).sum())
    return {
        ("theil", "within"): within,
        ("theil", "between"): between,
        ("theil", "between_share"): between / (within + between),
        ("dagum", "within_share"): own / total,
        ("dagum", "between_share"): far / total,
        ("dagum", "transvariation_share"): (total - own - far) / total,
    }


def plates(rng: np.random.Generator, n: int) -> Panel:
    """Regions drawn with their plate, lognormal within it."""
    g = rng.choice(len(PLATES), n, p=PLATES["share"] / PLATES["share"].sum())
    x = np.exp(PLATES["mean"].to_numpy()[g] + PLATES["sd"].to_numpy()[g] * rng.normal(size=n))
    return Panel(pd.DataFrame({"region": np.arange(n), "plate": g, "x": x}), "region")


@cache
def part_shares(n: int) -> dict[str, dict[str, float]]:
    """Part -> shares of samples whose interval covers, bias-corrected and plain percentiles, or lies below."""
    true = true_parts()
    found = {case: {"bias-corrected": 0.0, "percentile": 0.0, "below": 0.0} for case in PARTS}
    for sample in range(PART_SAMPLES):
        panel = plates(np.random.default_rng([SEED, n, sample]), n)
        parts = {
            "theil": theil(panel, "x", "plate", draws=DRAWS, seed=sample).parts,
            "dagum": dagum(panel, "x", "plate", draws=DRAWS, seed=sample).parts,
        }
        for case, (index, name) in PARTS.items():
            row, value = parts[index][name].path.iloc[0], true[index, name]
            low, high = np.nanquantile(parts[index][name].replicates[:, 0], [0.025, 0.975])
            found[case]["bias-corrected"] += (row["ci_low"] <= value <= row["ci_high"]) / PART_SAMPLES
            found[case]["percentile"] += (low <= value <= high) / PART_SAMPLES
            found[case]["below"] += (row["ci_high"] < value) / PART_SAMPLES
    return found


def test_parts_of_a_large_sample_are_those_in_closed_form() -> None:
    panel = plates(np.random.default_rng(1), 200_000)
    totals = {"theil": theil(panel, "x", "plate").totals, "dagum": dagum(panel, "x", "plate").totals}
    for (index, name), value in true_parts().items():
        assert totals[index][name].item() == pytest.approx(value, rel=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("case", PARTS)
def test_coverage_of_the_intervals_of_parts(case: str) -> None:
    few, many = part_shares(31)[case], part_shares(300)[case]
    assert few["bias-corrected"] > 0.75
    assert many["bias-corrected"] > 0.88
    assert few["bias-corrected"] > few["percentile"] - 0.05


def page() -> str:
    lines = [HEAD, "| index | regions | covers, bias-corrected | covers, percentile | interval below | size | power |"]
    lines.append("|---|---:|---:|---:|---:|---:|---:|")
    for case in CASES:
        for n in SIZES:
            row = " | ".join(f"{100 * share:.1f}" for share in shares(case, n).values())
            lines.append(f"| {case} | {n} | {row} |")
    lines += [PARTS_HEAD, "| part | regions | covers, bias-corrected | covers, percentile | interval below |"]
    lines.append("|---|---:|---:|---:|---:|")
    for case in PARTS:
        for n in SIZES:
            row = " | ".join(f"{100 * share:.1f}" for share in part_shares(n)[case].values())
            lines.append(f"| {case} | {n} | {row} |")
    return "\n".join(lines) + "\n" + reading()


def reading() -> str:
    cases = (("Gini, population", 31), ("CV, unbiased", 31), ("CV, unbiased", 300))
    gini_31, cv_31, cv_300 = ({key: f"{100 * share:.0f} %" for key, share in shares(*case).items()} for case in cases)
    within_31, within_300 = (f"{100 * part_shares(n)['Theil T, within']['bias-corrected']:.0f} %" for n in (31, 300))
    return f"""
With 31 regions the bias-corrected interval of the Gini coefficient covers {gini_31["bias-corrected"]} (plain
percentiles {gini_31["percentile"]}) and the test rejects {gini_31["size"]} of true nulls. The coefficient of variation
hangs on the upper tail, of which a sample of 31 shows little: {cv_31["bias-corrected"]} and {cv_31["size"]}, and
{cv_300["bias-corrected"]} and {cv_300["size"]} with 300. Results on fewer than 100 regions carry a note. What
lies within small groups is estimated too low, and its interval too: {within_31} cover with 31 regions, {within_300}
with 300.
"""


HEAD = f"""# Inequality indices: coverage of the intervals and size of the test of change

Simulated data. Written by `python -m tests.disparity.test_indices_simulations` (seeds `[{SEED}, regions, sample]`);
the same function is the slow test. {SAMPLES:,} samples a row, {DRAWS} bootstrap draws each, in percent; Monte Carlo
standard error {100 * np.sqrt(0.05 * 0.95 / SAMPLES):.1f} at 5 % or 95 %, {100 * np.sqrt(0.25 / SAMPLES):.1f} at 50 %.

Regions are independent draws, lognormal with a standard deviation of logs of {SPREAD} and a correlation of logs of
{AGAIN} between the two periods. *Covers*: the 95 % interval of the first period holds the value of the population, by
the bias-corrected percentile method (the one printed) and by plain percentiles; *interval below*: all of the
bias-corrected one lies under it. *Size*: rejections at 5 % of an unchanged index when nothing changes; *power*: when
the spread of the second period is 0.8 times that of the first.
"""

PARTS_HEAD = f"""
The parts of Theil's T and of Dagum's Gini coefficient: regions are drawn with one of four plates (in the proportions
10 : 6 : 12 : 3 of the Chinese provinces) and lognormal in it, with means of logs of 0.5, 0, -0.2 and 0.1 and standard
deviations of 0.35, 0.2, 0.3 and 0.2. {PART_SAMPLES} samples a row, {DRAWS} draws each; Monte Carlo standard error
{100 * np.sqrt(0.05 * 0.95 / PART_SAMPLES):.1f} at 95 %.
"""

if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
