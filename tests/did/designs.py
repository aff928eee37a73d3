"""Small panels with treatment that the tests share."""

import numpy as np
import pandas as pd

from econ import Panel


def growing_effects(seed: int = 0) -> Panel:
    """Five early, five late, two never treated units over eight years; effects grow with the calendar."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame([(i, t) for i in range(12) for t in range(2001, 2009)], columns=["unit", "year"])
    frame["cohort"] = np.array([2002.0] * 5 + [2006.0] * 5 + [np.nan] * 2)[frame["unit"]]
    frame["d"] = (frame["year"] >= frame["cohort"]).astype(float)
    frame["x"] = rng.normal(size=len(frame))
    frame["y"] = rng.normal(size=len(frame)) + frame["d"] * (1 + 0.3 * (frame["year"] - 2001))
    return Panel(frame, "unit", "year")


def staggered(seed: int = 0, *, effect: float = 1.0, noise: float = 1.0, missing: int = 0) -> Panel:
    """40 units over 10 years: cohorts of 2004 (8 units), 2006 (10) and 2008 (6), 16 never treated.

    Effects are ``effect`` times 1 + 0.3 x event time. ``x`` is constant within units, ``z`` is not; ``n`` counts how
    often a unit is to be there, ``group`` and ``region`` are constant within units, the ``missing`` first of a random
    order of rows are left out.
    """
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame([(i, t) for i in range(40) for t in range(2001, 2011)], columns=["unit", "year"])
    unit, since = frame["unit"].to_numpy(), np.full(len(frame), np.nan)
    frame["cohort"] = np.repeat([2004.0, 2006.0, 2008.0, np.nan], [8, 10, 6, 16])[unit]
    since = (frame["year"] - frame["cohort"]).to_numpy()
    frame["x"], frame["z"] = rng.normal(size=40)[unit], rng.normal(size=len(frame))
    frame["n"], frame["group"] = rng.integers(1, 4, size=40)[unit].astype(float), np.array(["a", "b"])[unit % 2]
    frame["region"] = unit % 10
    frame["d"] = (since >= 0).astype(float)
    trend = rng.normal(size=10)[frame["year"] - 2001]
    frame["y"] = rng.normal(size=40)[unit] + trend + effect * np.where(since >= 0, 1 + 0.3 * since, 0.0)
    frame["y"] += noise * rng.normal(size=len(frame))
    order = rng.permutation(len(frame))
    return Panel(frame.drop(index=order[:missing]), "unit", "year")
