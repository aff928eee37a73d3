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
