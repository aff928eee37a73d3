"""Time of ``markov`` and ``spatial_markov`` beside giddy (where it is installed), on the same data, in one process.

    python benchmarks/convergence_markov.py

The functions take seven turns of five calls in a row (one, where a call takes long), and the best time of each counts.
The first call after other work finds cold caches and takes about twice as long here, no longer in giddy. giddy classes
each period with mapclassify and counts in Python; "counting" compares only ``giddy.markov.Markov`` with ``bincount`` on
classes made beforehand. The spatial test draws 999 permutations here and 99 in giddy, whose time is scaled up.
"""

import contextlib
import io
import sys
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from econ.convergence import chain
from econ.convergence.grid import class_cutoffs, classify
from econ.convergence.markov import markov
from econ.convergence.spatial_markov import spatial_markov
from econ.panel import Panel

TURNS = 7
CALLS = 5
LONG = 0.05  # seconds
SIZES = ((31, 20), (48, 81), (300, 20), (3000, 20))
WITH_GIDDY = all(find_spec(name) for name in ("giddy", "mapclassify", "libpysal"))


def walk(n: int, periods: int) -> np.ndarray:
    """Random walks around the unit's own level, relative to the mean of the period."""
    rng = np.random.default_rng(1)
    x = np.exp(rng.normal(size=(n, 1)) / 2 + rng.normal(scale=0.03, size=(n, periods)).cumsum(axis=1))
    return x / x.mean(axis=0)


def as_panel(x: np.ndarray) -> Panel:
    n, periods = x.shape
    frame = {"unit": np.repeat(np.arange(n), periods), "year": np.tile(np.arange(periods), n), "x": x.ravel()}
    return Panel(pd.DataFrame(frame), "unit", "year")


def ring(n: int) -> np.ndarray:
    """Two neighbours on either side."""
    return sum(np.roll(np.eye(n), shift, axis=1) for shift in (-2, -1, 1, 2)) / 4


def best(runs: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Seconds of each, taking turns."""
    found = dict.fromkeys(runs, np.inf)
    for _ in range(TURNS):
        for name, run in runs.items():
            with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
                warnings.simplefilter("ignore")
                for _ in range(1 if LONG < found[name] < np.inf else CALLS):
                    start = time.perf_counter()
                    run()
                    found[name] = min(found[name], time.perf_counter() - start)
    return found


def classic(x: np.ndarray) -> tuple[Callable[[], object], Callable[[], object] | None]:
    """Classes by period, counts, probabilities, ergodic distribution."""
    panel = as_panel(x)

    def theirs() -> object:
        from giddy.markov import Markov
        from mapclassify import Quantiles

        return Markov(np.array([Quantiles(column, k=5).yb for column in x.T]).T, summary=False).steady_state

    return lambda: markov(panel, "x").steady_state, theirs if WITH_GIDDY else None


def counting(x: np.ndarray) -> tuple[Callable[[], object], Callable[[], object] | None]:
    """Counts and probabilities from classes."""
    codes = classify(x, class_cutoffs(x, 5, "by_period"))

    def theirs() -> object:
        from giddy.markov import Markov

        return Markov(codes, summary=False).p

    return lambda: chain.transition_matrix(chain.count_transitions(codes, 5)), theirs if WITH_GIDDY else None


def spatial(x: np.ndarray, draws: int) -> tuple[Callable[[], object], Callable[[], object] | None]:
    """Both statistics and their permutation p-values, classes of the lag by its own quantiles."""
    panel, w = as_panel(x), ring(len(x))

    def theirs() -> object:
        from giddy.markov import Spatial_Markov
        from libpysal.weights import full2W

        weights = full2W(w)
        weights.transform = "r"
        return Spatial_Markov(x, weights, fixed=True, k=5, m=5, permutations=draws).x2_rpvalue

    ours = 999 if draws == 99 else draws
    return lambda: spatial_markov(panel, "x", w, lag_classes="lag", draws=ours), theirs if WITH_GIDDY else None


def line(title: str, pair: tuple[Callable[[], object], Callable[[], object] | None], scale: float = 1.0) -> None:
    ours, theirs = pair
    times = best({"econ": ours} | ({"giddy": theirs} if theirs else {}))
    text = f"{title:<44}{1e3 * times['econ']:>10.2f} ms"
    if theirs:
        text += f"{1e3 * scale * times['giddy']:>12.1f} ms{scale * times['giddy'] / times['econ']:>9.0f} x"
    print(text)


def main() -> None:
    print(f"{'':<44}{'econ':>13}" + (f"{'giddy':>15}{'ratio':>11}" if WITH_GIDDY else "    (giddy is not installed)"))
    for n, periods in SIZES:
        line(f"markov, {n:,} x {periods}", classic(walk(n, periods)))
    for n, periods in SIZES:
        line(f"counting alone, {n:,} x {periods}", counting(walk(n, periods)))
    for n, periods in SIZES[:3]:
        line(f"spatial_markov, 999 permutations, {n:,} x {periods}", spatial(walk(n, periods), 99), scale=999 / 99)


if __name__ == "__main__":
    main()
