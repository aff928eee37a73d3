"""Time and memory of ``econ.feols`` beside pyfixest and linearmodels, on the same data, in one process.

    python benchmarks/regress.py            all cases (minutes)
    python benchmarks/regress.py --quick    the small ones (seconds)
    python benchmarks/regress.py --case large --no-memory

Each program runs once to warm up and then three times, taking turns, and its best time counts. Every program estimates
``y ~ x1 + x2`` with the case's effects and standard errors clustered by unit, and the coefficients are compared.
``econ`` has its panel built beforehand; ``econ + Panel`` builds it inside the clock. "econ takes" is econ's time as a
share of the program's. Peak memory is what one call adds in a process of its own, after a call on a few rows, as the
kernel counts it (``VmHWM`` after a reset, so Linux only): it sees what compiled code takes; tracemalloc does not.
"""

import argparse
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from measure import added_peak, best_times, importable, peak_in_own_process

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

Run = Callable[[], "tuple[float, float]"]  # the two slopes


@dataclass(frozen=True)
class Case:
    """One data set: ``effects`` are columns of the frame, the first is the unit."""

    title: str
    build: Callable[[], pd.DataFrame]
    effects: tuple[str, ...] = ("unit", "time")
    quick: bool = True
    linearmodels: bool = True


def panel_frame(n_units: int, n_periods: int, missing: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    unit, period = np.repeat(np.arange(n_units), n_periods), np.tile(np.arange(n_periods), n_units)
    keep = rng.random(len(unit)) >= missing
    unit, period = unit[keep], period[keep]
    return with_outcome(pd.DataFrame({"unit": unit, "time": period}), rng, ("unit", "time"))


def three_way_frame() -> pd.DataFrame:
    """A million rows in random order: 100,000 units over 10 periods, 1,000 firms and 50 sectors met at random."""
    rng = np.random.default_rng(1)
    n = 1_000_000
    codes = {"unit": np.repeat(np.arange(100_000), 10), "time": np.tile(np.arange(10), 100_000)}
    codes |= {"firm": rng.integers(0, 1_000, n), "sector": rng.integers(0, 50, n)}
    frame = pd.DataFrame(codes).iloc[rng.permutation(n)].reset_index(drop=True)
    return with_outcome(frame, rng, ("unit", "firm", "sector"))


def with_outcome(frame: pd.DataFrame, rng: np.random.Generator, effects: tuple[str, ...]) -> pd.DataFrame:
    total = sum(rng.normal(size=int(frame[name].max()) + 1)[frame[name].to_numpy()] for name in effects)
    frame["x1"] = rng.normal(size=len(frame)) + total
    frame["x2"] = rng.normal(size=len(frame)) - total
    frame["y"] = 0.5 * frame["x1"] - 0.25 * frame["x2"] + total + rng.normal(size=len(frame))
    return frame


CASES = {
    "provinces": Case("31 x 20", lambda: panel_frame(31, 20)),
    "firms": Case("10,000 x 20", lambda: panel_frame(10_000, 20)),
    "unbalanced": Case("10,000 x 20, a tenth missing", lambda: panel_frame(10_000, 20, 0.1)),
    "large": Case("500,000 x 20", lambda: panel_frame(500_000, 20), quick=False, linearmodels=False),
    "three": Case("1,000,000 rows, three effects", three_way_frame, ("unit", "firm", "sector"), quick=False),
}


# ---------------------------------------------------------------------- programs


def programs(case: Case, frame: pd.DataFrame) -> dict[str, Run]:
    """Every program that can run the case here; the ones that cannot be imported are left out."""
    found = econ_runs(case, frame) | pyfixest_runs(case, frame)
    return found | (linearmodels_runs(case, frame) if case.linearmodels else {})


def econ_runs(case: Case, frame: pd.DataFrame) -> dict[str, Run]:
    import econ

    formula = "y ~ x1 + x2 | " + " + ".join(case.effects)
    panel = econ.Panel(frame, unit="unit", time="time")

    def run(with_panel: bool) -> tuple[float, float]:
        used = econ.Panel(frame, unit="unit", time="time") if with_panel else panel
        b1, b2 = econ.feols(used, formula).coef
        return float(b1), float(b2)

    return {"econ": lambda: run(False), "econ + Panel": lambda: run(True)}


def pyfixest_runs(case: Case, frame: pd.DataFrame) -> dict[str, Run]:
    """All demeaning back-ends that run on this machine."""
    import pyfixest
    from pyfixest.demeaners import LsmrDemeaner, MapDemeaner

    formula = "y ~ x1 + x2 | " + " + ".join(case.effects)
    backends = {
        "pyfixest (rust, default)": MapDemeaner(),
        "pyfixest (within)": LsmrDemeaner(),
        "pyfixest (numba)": MapDemeaner(backend="numba"),
        "pyfixest (jax)": MapDemeaner(backend="jax"),
        "pyfixest (torch)": LsmrDemeaner(backend="torch", device="cpu"),
    }
    needs = {"pyfixest (numba)": "numba", "pyfixest (jax)": "jax", "pyfixest (torch)": "torch"}

    def run(demeaner: object) -> tuple[float, float]:
        b1, b2 = pyfixest.feols(formula, frame, vcov={"CRV1": "unit"}, demeaner=demeaner).coef()
        return float(b1), float(b2)

    usable = [name for name in backends if name not in needs or importable(needs[name])]
    return {name: (lambda demeaner=backends[name]: run(demeaner)) for name in usable}


def linearmodels_runs(case: Case, frame: pd.DataFrame) -> dict[str, Run]:
    if case.effects == ("unit", "time"):
        from linearmodels.panel import PanelOLS

        indexed = frame.set_index(["unit", "time"])

        def within() -> tuple[float, float]:
            model = PanelOLS(indexed["y"], indexed[["x1", "x2"]], entity_effects=True, time_effects=True)
            b1, b2 = model.fit(cov_type="clustered", cluster_entity=True).params
            return float(b1), float(b2)

        return {"linearmodels (PanelOLS)": within}
    from linearmodels.iv.absorbing import AbsorbingLS

    levels = frame[list(case.effects)].astype("category")

    def absorbing() -> tuple[float, float]:
        model = AbsorbingLS(frame["y"], frame[["x1", "x2"]], absorb=levels)
        b1, b2 = model.fit(cov_type="clustered", clusters=frame["unit"]).params
        return float(b1), float(b2)

    return {"linearmodels (AbsorbingLS)": absorbing}


# ---------------------------------------------------------------------- the clock and the memory


def peak_memory(case: str, program: str) -> float:
    """Bytes that a first call adds to a fresh process which holds the data already."""
    return peak_in_own_process(__file__, "--case", case, "--peak-of", program)


def print_peak(case: Case, program: str) -> None:
    frame = case.build()
    programs(case, frame[frame["unit"] < 200].copy())[program]()  # imports and compilation
    print(added_peak(programs(case, frame)[program]))


def report(name: str, case: Case, memory: bool) -> None:
    frame = case.build()
    used = 8 * 3 * len(frame)
    times = best_times(programs(case, frame))
    del frame  # the processes below hold their own
    print(f"\n{case.title}   (columns used: {used / 1e6:,.1f} MB)")
    print(f"  {'program':28} {'best':>11} {'worst':>11} {'econ takes':>11}" + (f" {'peak':>9}" if memory else ""))
    for program, seconds in times.items():
        ratio = times["econ"][0] / seconds[0]
        line = f"  {program:28} {1e3 * seconds[0]:8,.1f} ms {1e3 * seconds[-1]:8,.1f} ms {ratio:10.2f}x"
        print(line + (f" {peak_memory(name, program) / 1e6:6,.0f} MB" if memory else ""), flush=True)
    peers = {program: seconds[0] for program, seconds in times.items() if program.startswith("pyfixest")}
    print(f"  fastest of pyfixest: {min(peers, key=peers.__getitem__)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="only the cases that take seconds")
    parser.add_argument("--case", choices=CASES, help="only this case")
    parser.add_argument("--no-memory", action="store_true", help="do not start a process per program for its peak")
    parser.add_argument("--peak-of", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    if arguments.peak_of:
        print_peak(CASES[arguments.case], arguments.peak_of)
        return
    for name, case in CASES.items():
        if arguments.case in (None, name) and (case.quick or arguments.case or not arguments.quick):
            report(name, case, memory=not arguments.no_memory)


if __name__ == "__main__":
    main()
