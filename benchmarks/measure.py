"""The clock and the memory that the benchmarks share."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROUNDS = 3
Runs = dict[str, Callable[[], Any]]


def best_times(runs: Runs, rounds: int = ROUNDS, rtol: float = 1e-5, agree: bool = True) -> dict[str, list[float]]:
    """Sorted seconds of ``rounds`` runs each, taking turns after one warm-up.

    Where ``agree``, what the programs return must be what the first one does, up to ``rtol``.
    """
    expected = next(iter(runs.values()))()
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(rounds + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            found = run()
            if turn:
                taken[name].append(time.perf_counter() - start)
            if agree and not np.allclose(found, expected, rtol=rtol):
                raise SystemExit(f"{name} finds {found}, the first program {expected}")
    return {name: sorted(seconds) for name, seconds in taken.items()}


def peak_in_own_process(script: str, *arguments: str) -> float:
    """Bytes that ``script ... --peak-of PROGRAM`` prints, run in a fresh process."""
    command = [sys.executable, script, *arguments]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def added_peak(run: Callable[[], Any]) -> float:
    """Bytes that a call adds to what this process holds already, as the kernel counts them (Linux only)."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak counter starts again from what is held now
    held = _kernel_bytes("VmRSS")
    run()
    return _kernel_bytes("VmHWM") - held


def importable(package: str) -> bool:
    """Whether a package is installed here."""
    from importlib.util import find_spec

    return find_spec(package) is not None


def _kernel_bytes(field: str) -> float:
    line = next(row for row in Path("/proc/self/status").read_text().splitlines() if row.startswith(field))
    return 1024 * float(line.split()[1])
