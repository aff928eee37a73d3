"""Time of ``econ.growth``: system GMM beside other programs, and CPU seconds of what must not take long.

    OPENBLAS_NUM_THREADS=1 python benchmarks/growth.py             all cases
    python benchmarks/growth.py --case "system GMM, collapsed"     one case
    ECON_PYDYNPD=/path/to/python python benchmarks/growth.py       with pydynpd, which needs an older numpy, in its own
                                                                   environment (``pip install "numpy<2" pydynpd``)

System GMM: every program runs once to warm up and then five times, taking turns; pydynpd does so in a process of its
own, which hands over its times. Clocks start from a long data frame, but for linearmodels, which is given the finished
matrices of instruments and regressors, and econ's weight matrix, and so is timed on the solution alone. All must find
econ's coefficients. econ also computes Windmeijer's covariance, serial correlation, Sargan, Hansen and
difference-in-Hansen tests.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from measure import Runs, best_times

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

ROUNDS = 5
FORMULA, VARIABLES, LAGS = "y ~ lag(y, 1) + w + k", ("y", "w", "k"), (2, 4)

PYDYNPD = """
import contextlib, io, json, sys, time, warnings
import pandas as pd
from pydynpd import regression
warnings.simplefilter("ignore")
frame, command, rounds = pd.read_csv(sys.argv[1]), sys.argv[2], int(sys.argv[3])
seconds = []
for _ in range(rounds + 1):
    start = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        table = regression.abond(command, frame, ["unit", "t"]).models[0].regression_table
    seconds.append(time.perf_counter() - start)
print(json.dumps({"seconds": sorted(seconds[1:]), "coef": dict(zip(table["variable"], table["coefficient"]))}))
"""


# ---- system GMM


def dynamic_frame(n_units: int = 300, n_periods: int = 20) -> pd.DataFrame:
    """A lagged outcome and two regressors that go with the unit effects."""
    rng = np.random.default_rng(1)
    eta, y, w, k = rng.normal(size=(4, n_units))
    rows = []
    for t in range(-20, n_periods):
        w = 0.6 * w + 0.3 * eta + rng.normal(size=n_units)
        k = 0.6 * k + 0.3 * eta + rng.normal(size=n_units)
        y = 0.5 * y + 0.4 * w + 0.2 * k + eta + rng.normal(size=n_units)
        if t >= 0:
            rows.append(pd.DataFrame({"unit": np.arange(n_units), "t": t, "y": y, "w": w, "k": k}))
    return pd.concat(rows).sort_values(["unit", "t"], ignore_index=True)


def dynamic_runs(frame: pd.DataFrame, collapse: bool) -> Runs:
    """econ, and linearmodels on the same moments with the same first weights."""
    from linearmodels.iv import IVGMM

    import econ
    from econ.growth.dynamic_fit import dynamic_fit
    from econ.growth.dynamic_model import read_model
    from econ.growth.instruments import instrument_matrix

    gmm = [econ.gmm(name, lags=LAGS) for name in VARIABLES]
    panel = econ.Panel(frame, unit="unit", time="t")
    shape = {"system": True, "transform": "difference", "collapse": collapse, "time_effects": False}
    model = read_model(panel, FORMULA, gmm, [], **shape)
    matrix = instrument_matrix(model.blocks, len(model.stack.level))
    fit = dynamic_fit(model.stack, model.y, model.X, matrix, "xtabond2")[0]
    y, X, Z, unit = fit.stacked_y, fit.stacked_X, fit.matrix.Z.toarray(), fit.unit
    weight = np.linalg.inv(fit.first_weight / len(Z))

    def ours() -> np.ndarray:
        fresh = econ.Panel(frame, unit="unit", time="t")
        return econ.growth.dynamic(fresh, FORMULA, gmm=gmm, weighting="xtabond2", **shape).coef

    def linearmodels() -> np.ndarray:
        peer = IVGMM(y, None, X, Z, weight_type="clustered", clusters=unit)
        return peer.fit(iter_limit=2, initial_weight=weight, cov_type="robust").params.to_numpy()

    return {"econ": ours, "linearmodels": linearmodels}


def pydynpd_times(frame: pd.DataFrame, collapse: bool, expected: np.ndarray) -> list[float]:
    """Seconds in its own environment, its estimates checked against econ's."""
    first, last = LAGS
    command = f"y L(1:1).y w k | {' '.join(f'gmm({name}, {first}:{last})' for name in VARIABLES)}"
    command += " | collapse" if collapse else ""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "panel.csv")
        frame.to_csv(path, index=False)
        call = [os.environ["ECON_PYDYNPD"], "-c", PYDYNPD, path, command, str(ROUNDS)]
        printed = subprocess.run(call, check=True, capture_output=True, text=True).stdout
    found = json.loads(printed.splitlines()[-1])
    coef = [found["coef"][name] for name in ("_con", "L1.y", "w", "k")]
    if not np.allclose(coef, expected, rtol=1e-6):
        raise SystemExit(f"pydynpd finds {coef}, econ {expected}")
    return list(found["seconds"])


def system_gmm(case: str, collapse: bool) -> bool:
    """Print the times of every program; whether econ takes at most half of pydynpd's."""
    frame = dynamic_frame()
    runs = dynamic_runs(frame, collapse)
    times = best_times(runs, rounds=ROUNDS)
    if "ECON_PYDYNPD" in os.environ:
        times["pydynpd"] = pydynpd_times(frame, collapse, runs["econ"]())
    for program, seconds in times.items():
        share = times["econ"][0] / seconds[0]
        print(f"{case:36} {program:14} {seconds[0]:8.4f} s  econ takes {share:.3f}x", flush=True)
    if "pydynpd" not in times:
        print(f"{case:36} pydynpd left out: name its interpreter in ECON_PYDYNPD", flush=True)
    return times["econ"][0] <= 0.5 * times.get("pydynpd", [np.inf])[0]


# ---- CPU seconds


def threshold_run() -> Callable[[], object]:
    """Hansen's (1999) size: 565 firms x 14 years, one threshold, 400 bootstrap draws."""
    import econ

    rng = np.random.default_rng(2)
    n, T = 565, 14
    x, z, q = rng.normal(size=(3, n * T))
    effect = np.repeat(rng.normal(size=n), T)
    y = effect + 0.5 * z + np.where(q > 0.3, 1.0, 0.5) * x + rng.normal(size=n * T)
    keys = {"unit": np.repeat(np.arange(n), T), "t": np.tile(np.arange(T), n)}
    panel = econ.Panel(pd.DataFrame(keys | {"y": y, "x": x, "z": z, "q": q}), unit="unit", time="t")
    return lambda: econ.growth.threshold(panel, "y ~ x + z | unit", "q", ["x"], draws=400)


def malmquist_run() -> Callable[[], object]:
    """31 units x 20 periods, two inputs, two outputs."""
    import econ

    rng = np.random.default_rng(3)
    keys = {"unit": np.repeat(np.arange(31), 20), "t": np.tile(np.arange(20), 31)}
    inputs = rng.uniform(1, 10, (31 * 20, 2))
    outputs = inputs * np.exp(0.02 * keys["t"] - rng.exponential(0.3, 31 * 20))[:, None] * rng.uniform(0.8, 1, (620, 2))
    values = dict(zip(("k", "l", "patents", "sales"), np.hstack([inputs, outputs]).T, strict=True))
    panel = econ.Panel(pd.DataFrame(keys | values), unit="unit", time="t")
    return lambda: econ.growth.malmquist(panel, ["k", "l"], ["patents", "sales"])


def interactive_run() -> Callable[[], object]:
    """300 units x 20 periods, three factors that move outcome and regressors."""
    import econ

    rng = np.random.default_rng(4)
    n, T = 300, 20
    loadings, factors = rng.normal(size=(n, 3)), rng.normal(size=(3, T))
    common = (loadings @ factors).ravel()
    x, z = rng.normal(size=(2, n * T)) + 0.5 * common
    keys = {"unit": np.repeat(np.arange(n), T), "t": np.tile(np.arange(T), n)}
    values = {"y": x - 0.5 * z + common + rng.normal(size=n * T), "x": x, "z": z}
    panel = econ.Panel(pd.DataFrame(keys | values), unit="unit", time="t")
    return lambda: econ.growth.interactive_effects(panel, "y ~ x + z", 3)


def cpu_seconds(case: str, run: Callable[[], object], allowed: float) -> bool:
    """Print the CPU seconds of one run; whether they are within what is allowed."""
    start = time.process_time()
    run()
    seconds = time.process_time() - start
    print(f"{case:36} {'econ':14} {seconds:8.4f} s  of CPU, allowed {allowed:g}", flush=True)
    return seconds <= allowed


CASES: dict[str, Callable[[str], bool]] = {
    "system GMM, lags 2-4": lambda case: system_gmm(case, False),
    "system GMM, collapsed": lambda case: system_gmm(case, True),
    "threshold, 565 x 14, 400 draws": lambda case: cpu_seconds(case, threshold_run(), 10.0),
    "Malmquist, 31 x 20": lambda case: cpu_seconds(case, malmquist_run(), 2.0),
    "interactive effects, 300 x 20, 3": lambda case: cpu_seconds(case, interactive_run(), 1.0),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--case", choices=CASES, help="only this case")
    chosen = parser.parse_args().case
    slow = [case for case, run in CASES.items() if chosen in (None, case) and not run(case)]
    for case in slow:
        print(f"too slow: {case}")
    return min(len(slow), 1)


if __name__ == "__main__":
    sys.exit(main())
