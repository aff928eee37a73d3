"""CPU time of ``econ.convergence`` and ``econ.disparity`` beside the time allowed.

    python benchmarks/convergence.py            all cases (seconds)
    python benchmarks/convergence.py --case clubs

A case is a function that yields ``Row``s; ``CASES`` names them. Every run is warmed up once and then timed five times
by the process's CPU time, all threads counted; the best counts. Markov chains stand beside giddy in
``convergence_markov.py``. The last column is another program on data of the same size, as measured once; it is not run
here.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

ROUNDS = 5


@dataclass(frozen=True)
class Row:
    """One line of the table: seconds of CPU, at most ``allowed``; ``other`` is another program's."""

    title: str
    run: Callable[[], object]
    allowed: float
    other: str = ""


def clubs() -> Iterator[Row]:
    """All steps from the panel: logs, filter, clubs, merging, tests, paths. T = 20."""
    import econ
    from econ.convergence.clubs import clubs as find

    limits = {31: (0.01, "R 0.20 s"), 150: (0.02, "R 0.91 s"), 1_000: (0.06, "R 8.0 s"), 3_000: (0.15, "R 33.9 s")}
    for n_units, (allowed, other) in limits.items():
        panel = econ.Panel(transition_frame(n_units, 20), "unit", "year")
        yield Row(f"clubs, {n_units:,} x 20", lambda panel=panel: find(panel, "x"), allowed, other)


def transition_frame(n_units: int, n_periods: int) -> pd.DataFrame:
    """Levels around five limits, the distance to them shrinking, with a little noise."""
    rng = np.random.default_rng(1)
    t = np.arange(1, n_periods + 1)
    limit, start = 9 + 0.4 * rng.integers(0, 5, n_units), rng.normal(0, 0.35, n_units)
    logs = limit[:, None] + 0.05 * t + np.outer(start, t**-0.4 / np.log(t + 1))
    logs += 0.01 * rng.normal(size=logs.shape)
    units = np.repeat([f"u{i:04d}" for i in range(n_units)], n_periods)
    return pd.DataFrame({"unit": units, "year": np.tile(2000 + t, n_units), "x": np.exp(logs).ravel()})


def dagum() -> Iterator[Row]:
    """Three parts of the Gini coefficient of every year, four groups."""
    import econ

    frame = transition_frame(3_000, 20)
    panel = econ.Panel(frame.assign(g=frame["unit"].str[-1].astype(int) % 4), "unit", "year")
    yield Row("dagum, 3,000 x 20", lambda: econ.disparity.dagum(panel, "x", "g"), 0.15)


def unit_roots() -> Iterator[Row]:
    """One lag and a trend."""
    import econ
    from econ.convergence.unit_root import unit_root

    panel = econ.Panel(transition_frame(300, 20), "unit", "year").log(["x"])
    for test in ("ips", "cips"):
        yield Row(f"{test}, 300 x 20", lambda test=test: unit_root(panel, "log_x", test, trend=True), 0.1)


def spatial_permutations() -> Iterator[Row]:
    """Spatial Markov chain with 999 permutations, two neighbours on either side."""
    import econ
    from econ.convergence.spatial_markov import spatial_markov

    frame = transition_frame(48, 81).assign(x=lambda d: d["x"] / d.groupby("year")["x"].transform("mean"))
    panel = econ.Panel(frame, "unit", "year")
    ring = sum(np.roll(np.eye(48), shift, axis=1) for shift in (-2, -1, 1, 2)) / 4
    yield Row(
        "999 spatial permutations, 48 x 81",
        lambda: spatial_markov(panel, "x", ring, lag_classes="lag", draws=999),
        0.3,
    )


CASES: dict[str, Callable[[], Iterator[Row]]] = {
    "clubs": clubs,
    "dagum": dagum,
    "unit_roots": unit_roots,
    "spatial_permutations": spatial_permutations,
}


def best_cpu(run: Callable[[], object]) -> float:
    """Seconds of CPU of the best of ``ROUNDS`` runs after one to warm up."""
    run()
    taken = []
    for _ in range(ROUNDS):
        start = time.process_time()
        run()
        taken.append(time.process_time() - start)
    return min(taken)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--case", choices=CASES, help="only this case")
    chosen = parser.parse_args().case
    print(f"{'':34} {'CPU':>10} {'allowed':>10}  elsewhere")
    slow = 0
    for name, case in CASES.items():
        for row in case() if chosen in (None, name) else ():
            seconds = best_cpu(row.run)
            slow += seconds > row.allowed
            mark = "  too slow" if seconds > row.allowed else ""
            print(f"{row.title:34} {seconds:8.4f} s {row.allowed:8.3f} s  {row.other}{mark}".rstrip(), flush=True)
    return min(slow, 1)


if __name__ == "__main__":
    sys.exit(main())
