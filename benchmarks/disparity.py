"""Time of the inequality decompositions and of their bootstrap beside plain sums over all pairs.

    python benchmarks/disparity.py            all cases (a minute)
    python benchmarks/disparity.py --quick    the small ones (seconds)

Each program runs once to warm up and then five times, and its best processor time counts. "all pairs" is Dagum's
definition written with numpy: every difference between two units, by period and pair of groups; its totals are compared
with those of ``econ.disparity.dagum``. Panels are built beforehand.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from econ import Panel
from econ.disparity import dagum, gini, theil

ROUNDS = 5
CASES = {
    "31 x 24, 4 groups": (31, 24, 4),
    "3,000 x 20, 4 groups": (3_000, 20, 4),
    "3,000 x 20, 31 groups": (3_000, 20, 31),
}
QUICK = 1


def simulated(n_units: int, n_periods: int, n_groups: int) -> Panel:
    rng = np.random.default_rng(1)
    unit = np.repeat(np.arange(n_units), n_periods)
    frame = pd.DataFrame({"unit": unit, "year": np.tile(2000 + np.arange(n_periods), n_units)})
    frame = frame.assign(group=unit % n_groups, x=rng.lognormal(unit % n_groups / n_groups, 0.7))
    return Panel(frame.assign(zone=[f"zone {k}" for k in unit]), "zone", "year")


def all_pairs(panel: Panel) -> pd.DataFrame:
    """Gini, within, net between and transvariation by their double sums."""
    rows = []
    for _, frame in panel.frame.groupby("year"):
        x, group = frame["x"].to_numpy(), frame["group"].to_numpy()
        n, mean, parts = len(x), x.mean(), np.zeros(3)
        values = [x[group == label] for label in np.unique(group)]
        for j, own in enumerate(values):
            for h, other in enumerate(values[: j + 1]):
                apart = np.abs(own[:, None] - other[None, :]).mean()
                part = len(own) * len(other) / n**2 * apart / mean
                d = abs(own.mean() - other.mean()) / apart if j != h else 0.0
                parts += [part / 2, 0, 0] if j == h else [0, part * d, part * (1 - d)]
        rows.append([parts.sum(), *parts])
    return pd.DataFrame(rows, columns=["gini", "within", "between", "transvariation"])


def best(run: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Seconds of processor time, the least of several runs after a warm-up."""
    run()
    times = []
    for _ in range(rounds):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times)


def report(title: str, shape: tuple[int, int, int]) -> None:
    panel = simulated(*shape)
    expected = all_pairs(panel)
    found = dagum(panel, "x", groups="group").totals[expected.columns]
    worst = float(np.abs(found.to_numpy() - expected.to_numpy()).max())
    print(f"{title}; largest difference between dagum and all pairs {worst:.0e}")
    runs: dict[str, Callable[[], object]] = {
        "dagum": lambda: dagum(panel, "x", groups="group"),
        "all pairs": lambda: all_pairs(panel),
        "theil": lambda: theil(panel, "x", groups="group"),
        "gini, 999 draws": lambda: gini(panel, "x"),
    }
    for name, run in runs.items():
        print(f"  {name:16} {1e3 * best(run, 2 if name == 'all pairs' else ROUNDS):9,.1f} ms", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="only the case that takes seconds")
    quick = parser.parse_args().quick
    for title, shape in list(CASES.items())[: QUICK if quick else None]:
        report(title, shape)


if __name__ == "__main__":
    main()
