"""Coverage of the speed of convergence at N = 31, T = 20, and size of the variance tests.

``python -m tests.convergence.test_beta_simulations`` writes docs/simulations_beta.md; the same functions are the slow
tests.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from econ import Panel
from econ.convergence.beta import beta, half_life_interval
from econ.convergence.sigma import sigma

PAGE = Path(__file__).parents[2] / "docs" / "simulations_beta.md"
SEED = 19920402
DRAWS = 400
N, T = 31, 20
DESIGNS = ("one path", "own paths", "own paths, far from them")
ESTIMATORS = (("cross-section", ""), ("fixed effects", ""), ("half-panel jackknife", "_corrected"))


def draw(rng: np.random.Generator, design: str, speed: float) -> Panel:
    """T + 1 years of N regions that close the gap to a path at ``speed``, with shocks of 3 percent a year."""
    rho = np.exp(-speed)
    home = 9 + (0.5 * rng.normal(size=N) if design != "one path" else np.zeros(N))
    still = 0.03 / np.sqrt(1 - rho**2)
    y = np.empty((N, T + 1))
    y[:, 0] = home + (still if design == "own paths" else 0.5) * rng.normal(size=N)
    for t in range(1, T + 1):
        y[:, t] = home + rho * (y[:, t - 1] - home) + 0.03 * rng.normal(size=N)
    y += np.cumsum(0.05 + 0.02 * rng.normal(size=T + 1))
    wide = pd.DataFrame(np.exp(y), columns=[str(2000 + t) for t in range(T + 1)])
    return Panel.from_wide(wide.assign(region=range(N)), unit="region", name="x")


def coverage(design: str, speed: float, draws: int = DRAWS, seed: int = SEED) -> pd.DataFrame:
    """By estimator: mean speed and share of 95 percent intervals that hold the truth; for half-lives two kinds."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(draws):
        panel = draw(rng, design, speed)
        fits = {"ols": beta(panel, "x"), "panel": beta(panel, "x", method="panel")}
        for name, ending in ESTIMATORS:
            fit = fits["ols" if name == "cross-section" else "panel"]
            row = fit.tidy().set_index("term").loc[f"speed{ending}"]
            life = half_life_interval(fit).set_index("term").loc[f"half_life{ending}"]
            truth = np.log(2) / speed
            rows.append(
                {
                    "estimator": name,
                    "speed": row["estimate"],
                    "covered": row["ci_low"] <= speed <= row["ci_high"],
                    "length": row["ci_high"] - row["ci_low"],
                    "delta": life["delta_low"] <= truth <= life["delta_high"],
                    "fieller": life["fieller_low"] <= truth <= life["fieller_high"],
                    "equal_halves": fits["panel"].test("equal_halves").p_value < 0.05,
                }
            )
    groups = pd.DataFrame(rows).groupby("estimator", sort=False)
    return groups.mean().assign(error=groups["speed"].sem())


def mc(share: float) -> float:
    """Monte Carlo standard error of a share."""
    return float(np.sqrt(share * (1 - share) / DRAWS))


def variance_sizes(correlation: float, draws: int = 2 * DRAWS, seed: int = SEED) -> dict[str, float]:
    """Share of 5 percent rejections of equal first and last variances that are equal."""
    rng = np.random.default_rng(seed)
    rejected = []
    for _ in range(draws):
        first, noise = rng.normal(size=(2, N))
        last = correlation * first + np.sqrt(1 - correlation**2) * noise
        wide = pd.DataFrame({"2000": np.exp(first), "2001": np.exp((first + last) / 2), "2002": np.exp(last)})
        test = sigma(Panel.from_wide(wide.assign(r=range(N)), unit="r", name="x"), "x").test
        rejected.append(test.set_index("test")["p_value"] < 0.05)
    shares = pd.DataFrame(rejected).mean()
    return {name: float(shares[name]) for name in ("pitman_morgan", "carree_klomp", "lichtenberg")}


@pytest.mark.slow
def test_cross_section_covers_when_there_is_one_path() -> None:
    found = coverage("one path", 0.02, draws=300)
    assert found.loc["cross-section", "covered"] == pytest.approx(0.95, abs=0.04)
    assert found.loc["cross-section", "fieller"] == pytest.approx(0.95, abs=0.04)


@pytest.mark.slow
def test_half_panel_jackknife_takes_out_most_of_the_bias_about_own_paths() -> None:
    found = coverage("own paths", 0.05, draws=300)
    bias = found["speed"] - 0.05
    assert bias["half-panel jackknife"] < 0.5 * bias["fixed effects"]
    assert found.loc["half-panel jackknife", "covered"] > found.loc["fixed effects", "covered"] + 0.3


@pytest.mark.slow
def test_lichtenberg_hardly_ever_rejects() -> None:
    found = variance_sizes(0.95, draws=400)
    assert found["lichtenberg"] < 0.01
    assert found["pitman_morgan"] == pytest.approx(0.05, abs=0.035)
    assert found["carree_klomp"] == pytest.approx(0.05, abs=0.035)


def page() -> str:
    """The text of docs/simulations_beta.md."""
    lines = [
        "# Speed of convergence: simulations",
        "",
        f"Simulated data. Written by `python -m tests.convergence.test_beta_simulations` (seed {SEED}); the same",
        f"functions are the slow tests. {N} regions, {T} years of growth, {DRAWS} replications each; the Monte Carlo",
        f"standard error of a share is at most {mc(0.5):.3f}, at 0.95 it is {mc(0.95):.3f}.",
        "",
        "## Coverage",
        "",
        "Each year regions close the share `1 - exp(-speed)` of the gap to a path, with shocks of 3 percent, and",
        "common growth. *One path*: the same for all, gaps of 0.5 log points at the start (standard deviations). *Own",
        "paths*: paths differ by 0.5 log points, gaps at the start are those that shocks leave in the long run. *Far",
        "from them*: the same with gaps of 0.5 at the start. Nominal coverage 95 percent.",
        "",
        "- `speed`: of the 95 percent interval of the speed by the delta method, the one that `tidy` prints",
        "- `half-life, delta` and `half-life, Fieller`: of the two intervals of `half_life_interval`; where the",
        "  estimated speed is not positive, there is no delta interval, which counts as not covering",
        "- `equal_halves`: share of 5 percent rejections of the test that the halves of the panel have the same slope",
        "",
        "| design | speed | estimator | mean estimate | coverage, speed | half-life, delta | half-life, Fieller "
        "| mean length | equal_halves |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for design in DESIGNS:
        for speed in (0.02, 0.05, 0.10):
            found = coverage(design, speed)
            for name, row in found.iterrows():
                halves = f"{row['equal_halves']:.3f}" if name == "half-panel jackknife" else ""
                lines.append(
                    f"| {design} | {speed:.2f} | {name} | {row['speed']:.4f} ({row['error']:.4f}) "
                    f"| {row['covered']:.3f} | {row['delta']:.3f} | {row['fieller']:.3f} | {row['length']:.4f} "
                    f"| {halves} |"
                )
    lines += [
        "",
        "Fixed effects alone are far off. The jackknife takes out the bias where regions move about their own",
        "paths, and goes too far where they start far from them: then the first half of the panel tells most, and",
        "the speed comes out too low. `equal_halves` notices this only when convergence is fast. Fieller's",
        "interval covers the half-life as the speed's interval covers the speed; the delta method's does not where",
        "the speed is small against its error.",
        "",
        "## Equality of first and last variance",
        "",
        f"Normal logs with equal variances in first and last year and the correlation shown, {N} regions, {2 * DRAWS}",
        "replications, nominal size 5 percent. Lichtenberg's ratio takes both years for independent samples.",
        "",
        "| correlation | Pitman-Morgan | Carree-Klomp | Lichtenberg |",
        "| --- | --- | --- | --- |",
    ]
    for correlation in (0.0, 0.5, 0.9, 0.98):
        sizes = variance_sizes(correlation)
        lines.append(f"| {correlation:.2f} | " + " | ".join(f"{share:.3f}" for share in sizes.values()) + " |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
