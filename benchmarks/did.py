"""Time and memory of ``econ.did`` beside diff-diff, pyfixest and StatsPAI, on the same data, in one process.

    python benchmarks/did.py                       all sizes (minutes)
    python benchmarks/did.py --size 300x20         one size
    python benchmarks/did.py --method imputation   one method
    python benchmarks/did.py --inference           synthetic with placebos, wild bootstrap and HonestDiD only

Every program runs once to warm up and then three times, taking turns; its best time counts. Clocks start from a long
data frame: building the panel and the pivot are inside. Each program gives the overall effect and its standard errors
(with "band", event-study effects and their simultaneous band, from 9,999 draws here and 999 elsewhere). "overall" shows
that programs agree where they average over the same thing. "econ takes" is econ's time as a share of the program's.
Peak memory is what one call adds in a process of its own after a call on a few rows, as the kernel counts it, in
multiples of the outcome column. Programs that are not installed (``pip install diff-diff statspai``) are left out;
--econ-only leaves all out.
"""

import argparse
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from measure import Runs, added_peak, best_times, importable, peak_in_own_process

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

SIZES = {"300x20": (300, 20), "10000x20": (10_000, 20), "100000x10": (100_000, 10), "1000000x10": (1_000_000, 10)}
ALONE = "1000000x10"
SLOW = 30_000  # rows beyond which StatsPAI, which takes minutes there, is left out


def long_frame(n_units: int, n_periods: int) -> pd.DataFrame:
    """Three cohorts and the never treated, effects that grow, errors that are independent."""
    rng = np.random.default_rng(1)
    starts = np.array([0.4, 0.6, 0.8]) * n_periods
    cohort = rng.choice([*np.floor(starts), np.nan], n_units)
    unit, period = np.repeat(np.arange(n_units), n_periods), np.tile(np.arange(n_periods), n_units)
    first = cohort[unit]
    since = np.where(period >= first, period - first + 1, 0.0)
    y = rng.normal(size=n_units)[unit] + 0.1 * period + 0.2 * since + rng.normal(size=len(unit))
    frame = pd.DataFrame({"unit": unit, "time": period, "y": y, "cohort": first})
    frame["first"] = frame["cohort"].fillna(0).astype(int)
    frame["d"] = (period >= first).astype(float)
    return frame


# ---------------------------------------------------------------------- programs


def econ_run(method: str, frame: pd.DataFrame) -> Callable[[], float]:
    import econ

    def run() -> float:
        panel = econ.Panel(frame[["unit", "time", "y", "cohort"]], unit="unit", time="time")
        estimator = getattr(econ.did, "callaway_santanna" if method == "callaway_santanna, band" else method)
        result = estimator(panel, "y", cohort="cohort")
        if method == "callaway_santanna, band":
            result.aggregate("event").band()
        return float(result.aggregate("overall").coef[0])

    return run


def diff_diff_run(method: str, frame: pd.DataFrame) -> Callable[[], float] | None:
    import diff_diff as dd

    keys = {"unit": "unit", "time": "time", "first_treat": "first"}
    estimators = {
        "callaway_santanna": dd.CallawaySantAnna,
        "callaway_santanna, band": lambda: dd.CallawaySantAnna(n_bootstrap=999, seed=1),
        "sun_abraham": lambda: dd.SunAbraham(cluster="unit"),
        "imputation": lambda: dd.ImputationDiD(cluster="unit"),
        "two_stage": lambda: dd.TwoStageDiD(cluster="unit"),
        "etwfe": lambda: dd.WooldridgeDiD(cluster="unit"),
        "stacked": lambda: dd.StackedDiD(kappa_pre=2, kappa_post=1),
    }
    if method not in estimators:
        return None
    options = {"aggregate": "all"} if "callaway" in method else {}

    def run() -> float:
        found = estimators[method]().fit(frame, "y", **keys, **options)
        return float(getattr(found, "overall_att", getattr(found, "att", np.nan)))

    return run


def pyfixest_run(method: str, frame: pd.DataFrame) -> Callable[[], float] | None:
    import pyfixest as pf

    keys = {"yname": "y", "idname": "unit", "tname": "time", "gname": "first", "cluster": "unit"}
    if method == "twfe":
        return lambda: float(pf.feols("y ~ d | unit + time", frame, vcov={"CRV1": "unit"}).coef().iloc[0])
    if method == "two_stage":
        options = {"first_stage": "~ 0 | unit + time", "second_stage": "~ d", "treatment": "d", "cluster": "unit"}
        return lambda: float(pf.did2s(frame, yname="y", **options).coef().iloc[0])
    if method == "sun_abraham":
        return lambda: float(pf.event_study(frame, estimator="saturated", **keys).aggregate()["Estimate"].mean())
    return None


def statspai_run(method: str, frame: pd.DataFrame) -> Callable[[], float] | None:
    import statspai as sp

    treated = frame.assign(first=frame["first"].where(frame["first"] > 0))
    keys = {"group": "unit", "time": "time", "first_treat": "first"}
    calls = {
        "callaway_santanna": lambda: sp.callaway_santanna(frame, "y", "first", "time", "unit", base_period="varying"),
        "callaway_santanna, band": lambda: sp.callaway_santanna(
            frame, "y", "first", "time", "unit", base_period="varying", bstrap=True, cband=True
        ),
        "imputation": lambda: sp.did_imputation(treated, "y", **keys),
        "two_stage": lambda: sp.gardner_did(treated, "y", **keys),
        "etwfe": lambda: sp.etwfe(frame, "y", **keys),
        "sun_abraham": lambda: sp.sun_abraham(frame, "y", "first", "time", "unit"),
    }
    return (lambda: float(calls[method]().estimate)) if method in calls else None


METHODS = (
    "twfe",
    "event_study",
    "callaway_santanna",
    "callaway_santanna, band",
    "sun_abraham",
    "imputation",
    "two_stage",
    "etwfe",
    "local_projections",
)
PEERS = {"diff-diff": ("diff_diff", diff_diff_run), "pyfixest": ("pyfixest", pyfixest_run)}
PEERS["StatsPAI"] = ("statspai", statspai_run)


def programs(method: str, frame: pd.DataFrame, econ_only: bool) -> Runs:
    runs: Runs = {"econ": econ_run(method, frame)}
    for name, (package, build) in {} if econ_only else PEERS.items():
        if not importable(package) or (name == "StatsPAI" and len(frame) > SLOW):
            continue
        if (run := build(method, frame)) is not None:
            runs[name] = run
    return runs


# ---------------------------------------------------------------------- report


def works(run: Callable[[], float]) -> str:
    """Why a program cannot run this, if so."""
    try:
        run()
    except Exception as reason:  # whatever a peer raises
        return f"{type(reason).__name__}: {reason}".splitlines()[0][:90]
    return ""


def report(size: str, methods: list[str], econ_only: bool, memory: bool) -> None:
    frame = long_frame(*SIZES[size])
    column = 8 * len(frame)
    print(f"\n{size}   (outcome column {column / 1e6:,.1f} MB)")
    print(
        f"  {'method':26} {'program':10} {'best':>11} {'worst':>11} {'econ takes':>11} {'overall':>10}"
        + "  peak" * memory
    )
    for method in methods:
        runs = programs(method, frame, econ_only or size == ALONE)
        for name in list(runs):
            if reason := works(runs[name]):
                print(f"  {method:26} {name:10} {reason}")
                del runs[name]
        times = best_times(runs, agree=False)
        for name, seconds in times.items():
            ratio = times["econ"][0] / seconds[0]
            line = f"  {method:26} {name:10} {1e3 * seconds[0]:8,.1f} ms {1e3 * seconds[-1]:8,.1f} ms {ratio:10.2f}x"
            line += f" {runs[name]():10.6f}"
            if memory:
                peak = peak_in_own_process(__file__, "--size", size, "--method", method, "--peak-of", name)
                line += f" {peak / column:5.1f}x"
            print(line, flush=True)


def print_peak(size: str, method: str, program: str) -> None:
    frame = long_frame(*SIZES[size])
    programs(method, frame[frame["unit"] < 200].copy(), program == "econ")[program]()  # imports and compilation
    print(added_peak(programs(method, frame, program == "econ")[program]))


# ---------------------------------------------------------------------- inference


def placebo_runs() -> Runs:
    """Synthetic difference-in-differences, 151 units by 20 periods, 15 treated at once, 100 placebos."""
    import econ

    rng = np.random.default_rng(0)
    unit, period = np.repeat(np.arange(151), 20), np.tile(np.arange(20), 151)
    treated, post = unit < 15, period >= 12
    common = (rng.normal(size=(151, 2)) @ rng.normal(size=(2, 20))).ravel()
    frame = pd.DataFrame({"unit": unit, "time": period, "y": common + 0.5 * rng.normal(size=3020) + treated * post})
    frame["cohort"], frame["treat"] = np.where(treated, 12.0, np.nan), treated.astype(int)

    def ours() -> float:
        panel = econ.Panel(frame[["unit", "time", "y", "cohort"]], unit="unit", time="time")
        found = econ.did.synthetic(panel, "y", cohort="cohort", inference="placebo", draws=100)
        return float(found.aggregate("overall").coef[0])

    runs: Runs = {"econ": ours}
    if importable("diff_diff"):
        import diff_diff as dd

        keys = {
            "outcome": "y",
            "treatment": "treat",
            "unit": "unit",
            "time": "time",
            "post_periods": list(range(12, 20)),
        }
        peer = dd.SyntheticDiD(variance_method="placebo", n_bootstrap=100, seed=1)
        runs["diff-diff"] = lambda: float(peer.fit(frame, **keys).att)
    return runs


def wild_runs() -> Runs:
    """Restricted wild cluster bootstrap with its interval, 31 regions by 20 periods, 9,999 draws."""
    import econ

    frame = long_frame(31, 20)
    panel = econ.Panel(frame[["unit", "time", "y", "d"]], unit="unit", time="time")
    fit = econ.feols(panel, "y ~ d | unit + time")

    def run() -> float:
        return float(econ.wild_bootstrap(panel, fit.spec["formula"], "d", method=econ.wild(draws=9_999)).p_value)

    return {"econ": run}


def honest_runs() -> Runs:
    """Relative magnitudes by C-LF, 15 leads and 5 further periods of 300 units."""
    import econ

    frame = long_frame(300, 24).assign(cohort=lambda d: np.where(d["unit"] < 120, 16.0, np.nan))
    panel = econ.Panel(frame[["unit", "time", "y", "cohort"]], unit="unit", time="time")
    events = econ.did.event_study(panel, "y", cohort="cohort", window=(-16, 7))
    return {"econ": lambda: float(econ.did.honest(events, "relative_magnitude").intervals["ci_low"].iloc[-1])}


def report_inference() -> None:
    print("\ninference")
    for name, runs in (("synthetic", placebo_runs()), ("wild bootstrap", wild_runs()), ("honest", honest_runs())):
        times = best_times(runs, agree=False)
        for program, seconds in times.items():
            ratio = times["econ"][0] / seconds[0]
            print(f"  {name:26} {program:10} {1e3 * seconds[0]:8,.1f} ms {1e3 * seconds[-1]:8,.1f} ms {ratio:10.2f}x")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--size", choices=SIZES, help="only this size")
    parser.add_argument("--method", choices=METHODS, help="only this method")
    parser.add_argument("--inference", action="store_true", help="only synthetic, wild bootstrap and HonestDiD")
    parser.add_argument("--econ-only", action="store_true", help="leave the other programs out")
    parser.add_argument("--no-memory", action="store_true", help="do not start a process per program for its peak")
    parser.add_argument("--peak-of", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    if arguments.peak_of:
        print_peak(arguments.size, arguments.method, arguments.peak_of)
        return
    if arguments.inference:
        report_inference()
        return
    methods = [arguments.method] if arguments.method else list(METHODS)
    for size in [arguments.size] if arguments.size else SIZES:
        report(size, methods, arguments.econ_only, memory=not arguments.no_memory)
    if not (arguments.size or arguments.method):
        report_inference()


if __name__ == "__main__":
    main()
