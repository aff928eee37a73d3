"""Effects of cohorts and periods by their definition, slowly: means in loops, influences by differentiation."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from econ import Panel

Cells = dict[tuple[float, int], float]


@dataclass
class Data:
    """``Y`` (n, T) NaN where missing, ``first`` (n,) infinite = never, ``periods`` (T,), ``weight`` (n,)."""

    Y: np.ndarray
    first: np.ndarray
    periods: np.ndarray
    weight: np.ndarray


def frame(
    seed: int = 0, n: int = 30, missing: float = 0.0, periods: tuple[int, ...] = tuple(range(2001, 2008))
) -> pd.DataFrame:
    """Cohorts 2003, 2004, 2006 and never; weights, two groups, seven regions; covariates that differ by cohort."""
    rng = np.random.default_rng(seed)
    f = pd.DataFrame([(f"u{i:03d}", t) for i in range(n) for t in periods], columns=["unit", "year"])
    i = f["unit"].str[1:].astype(int).to_numpy()
    cohort = np.array([2003.0, 2004.0, 2006.0, np.nan, np.nan])[np.arange(n) % 5]
    f["cohort"] = cohort[i]
    f["weight"] = rng.uniform(0.5, 2.0, n)[i]
    f["group"] = np.where(i % 3 == 0, "east", "west")
    f["region"] = [f"r{k}" for k in i % 7]
    f["x"] = rng.normal(size=n)[i] + 0.4 * rng.normal(size=len(f)) + 0.3 * f["cohort"].notna()
    f["z"] = rng.integers(0, 2, n)[i].astype(float)
    effect = (f["year"] >= f["cohort"]) * (1 + 0.2 * (f["year"] - f["cohort"]).fillna(0))
    f["y"] = rng.normal(size=n)[i] + 0.3 * f["x"] * (f["year"] - 2000) + effect + rng.normal(size=len(f))
    return f[rng.random(len(f)) >= missing] if missing else f


def panel(f: pd.DataFrame) -> Panel:
    return Panel(f, "unit", "year")


def data(f: pd.DataFrame, outcome: str = "y", weights: bool = False) -> Data:
    """Units in sorted order."""
    wide = f.pivot_table(index="unit", columns="year", values=outcome)
    by_unit = f.groupby("unit")[["cohort", "weight"]].first()
    weight = by_unit["weight"].to_numpy() if weights else np.ones(len(wide))
    return Data(wide.to_numpy(), by_unit["cohort"].fillna(np.inf).to_numpy(), wide.columns.to_numpy(), weight)


def cells(
    d: Data, control: str = "never", base: str = "varying", anticipation: int = 0, repeated: bool = False
) -> Cells:
    found = {}
    for g in sorted(set(d.first[np.isfinite(d.first)])):
        before = [p for p in d.periods if p + anticipation < g]
        for k, t in enumerate(d.periods):
            if not before or (base == "universal" and t == before[-1]) or (base == "varying" and k == 0):
                continue
            b = d.periods[k - 1] if base == "varying" and t < g else before[-1]
            controls = np.isinf(d.first)
            if control == "not_yet":
                controls = (d.first > max(t, b) + anticipation) & (d.first != g)
            att = change(d, d.first == g, t, b, repeated) - change(d, controls, t, b, repeated)
            if np.isfinite(att):
                found[g, int(t)] = att
    return found


def change(d: Data, who: np.ndarray, t: int, b: int, repeated: bool) -> float:
    later, earlier = (d.Y[:, np.flatnonzero(d.periods == p)[0]] for p in (t, b))
    if repeated:
        return mean(later, d.weight, who) - mean(earlier, d.weight, who)
    return mean(later - earlier, d.weight, who)


def mean(values: np.ndarray, weight: np.ndarray, who: np.ndarray) -> float:
    used = who & ~np.isnan(values)
    return float(np.average(values[used], weights=weight[used])) if used.any() else np.nan


def shares(d: Data) -> dict[float, float]:
    return {g: d.weight[d.first == g].sum() / d.weight.sum() for g in sorted(set(d.first)) if np.isfinite(g)}


def average(att: Cells, share: dict[float, float], kind: str, how: str = "cells") -> dict[str, float]:
    """The averages of Callaway and Sant'Anna (2021), section 3, by their definition."""
    post = {key: value for key, value in att.items() if key[1] >= key[0]}

    def weighted(part: Cells) -> float:
        return sum(share[g] * value for (g, _), value in part.items()) / sum(share[g] for g, _ in part)

    def by(label: Callable[[float, int], int], part: Cells) -> dict[int, float]:
        labels = sorted({label(*key) for key in part})
        return {n: weighted({key: value for key, value in part.items() if label(*key) == n}) for n in labels}

    def event(g: float, t: int) -> int:
        return int(t - g)

    if kind == "event":
        return {f"event_time::{e}": value for e, value in by(event, att).items()}
    cohorts, periods = by(lambda g, t: int(g), post), by(lambda g, t: t, post)
    if kind == "cohort":
        return {f"cohort::{g}": value for g, value in cohorts.items()}
    if kind == "period":
        return {f"period::{t}": value for t, value in periods.items()}
    total = sum(share[g] for g in cohorts)
    return {
        "overall": {
            "cells": weighted(post),
            "event": float(np.mean(list(by(event, post).values()))),
            "period": float(np.mean(list(periods.values()))),
            "cohort": sum(share[g] * value for g, value in cohorts.items()) / total,
        }[how]
    }


def influences(
    estimate: Callable[[np.ndarray], np.ndarray], weight: np.ndarray, units: int | None = None, step: float = 1e-5
) -> np.ndarray:
    """(n, K) derivatives of an estimate with respect to the log weight of each (of the first) unit: its influence."""
    rows = []
    for i in range(units or len(weight)):
        up, down = weight.copy(), weight.copy()
        up[i] *= 1 + step
        down[i] *= 1 - step
        rows.append((estimate(up) - estimate(down)) / (2 * step))
    return np.array(rows)
