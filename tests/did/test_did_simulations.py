"""Coverage of intervals and bands, and size of pre-trend tests, of every estimator.

``python -m tests.did.test_did_simulations`` writes docs/simulations_did.md; the same functions are the slow tests.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import econ
from econ import Panel
from econ.did import DidResult

PAGE = Path(__file__).parents[2] / "docs" / "simulations_did.md"
SEED = 20210601
DRAWS = 1000
T = 20
STARTS = (8, 11, 14)  # first treated periods of the three cohorts, out of 1 to 20
WINDOW = (-5, 5)

Fit = Callable[[Panel], DidResult]


@dataclass(frozen=True)
class Size:
    """Units in all, and in each of the three cohorts."""

    units: int
    cohorts: tuple[int, int, int]

    @property
    def treated(self) -> int:
        return sum(self.cohorts)

    def __str__(self) -> str:
        return f"{self.units} x {T}, {self.treated} treated"


SIZES = (Size(31, (2, 2, 1)), Size(31, (5, 5, 5)), Size(300, (40, 40, 40)))


def _on(estimator: Callable[..., DidResult], **options: object) -> Fit:
    return lambda panel: estimator(panel, "y", cohort="cohort", **options)


ESTIMATORS: dict[str, Fit] = {
    "twfe": _on(econ.did.twfe),
    "event_study": _on(econ.did.event_study, window=(-6, 6)),
    "callaway_santanna": _on(econ.did.callaway_santanna),
    "callaway_santanna, not yet": _on(econ.did.callaway_santanna, control="not_yet"),
    "sun_abraham": _on(econ.did.sun_abraham),
}


def effects(size: Size, heterogeneous: bool) -> np.ndarray:
    """(units, T) effects: 1 throughout, or growing with time since treatment and smaller for later cohorts."""
    first = first_treated(size)
    since = np.arange(1, T + 1) - first[:, None]
    if not heterogeneous:
        return (since >= 0).astype(float)
    scale = np.select([first == start for start in STARTS], [1.5, 1.0, 0.5], 0.0)
    return np.where(since >= 0, scale[:, None] * (0.5 + 0.2 * np.maximum(since, 0)), 0.0)


def first_treated(size: Size) -> np.ndarray:
    """(units,) first treated period, infinite = never."""
    never = size.units - size.treated
    return np.repeat([*map(float, STARTS), np.inf], [*size.cohorts, never])


def draw(rng: np.random.Generator, size: Size, heterogeneous: bool) -> Panel:
    """Unit and period effects, effects of treatment, and errors that follow an autoregression of 0.5 within units."""
    n = size.units
    errors = np.empty((n, T))
    errors[:, 0] = rng.normal(size=n) / np.sqrt(1 - 0.25)
    for t in range(1, T):
        errors[:, t] = 0.5 * errors[:, t - 1] + rng.normal(size=n)
    y = rng.normal(size=(n, 1)) + rng.normal(size=T) + effects(size, heterogeneous) + errors
    first = first_treated(size)
    frame = pd.DataFrame(
        {
            "unit": np.repeat(np.arange(n), T),
            "year": np.tile(np.arange(1, T + 1), n),
            "y": y.ravel(),
            "cohort": np.repeat(np.where(np.isinf(first), np.nan, first), T),
        }
    )
    return Panel(frame, "unit", "year")


def truths(size: Size, heterogeneous: bool) -> tuple[float, dict[int, float]]:
    """Average effect over treated cells, and by event time."""
    effect, first = effects(size, heterogeneous), first_treated(size)
    since = np.arange(1, T + 1) - first[:, None]
    by_time = {int(e): float(effect[since == e].mean()) for e in np.unique(since[np.isfinite(since)])}
    return float(effect[since >= 0].mean()), by_time


def study(
    size: Size, heterogeneous: bool, estimators: dict[str, Fit], draws: int = DRAWS, seed: int = SEED
) -> pd.DataFrame:
    """By estimator: bias and root mean squared error of the overall effect, coverage of its interval and of the band
    over event times -5 to 5, and share of 5 percent rejections of no pre-trend."""
    overall, by_time = truths(size, heterogeneous)
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(draws):
        panel = draw(rng, size, heterogeneous)
        rows += [{"estimator": name} | _row(fit(panel), overall, by_time) for name, fit in estimators.items()]
    groups = pd.DataFrame(rows).groupby("estimator", sort=False)
    found = groups[["covered", "band", "pre"]].mean()
    errors = groups["error"]
    return found.assign(bias=errors.mean(), rmse=errors.apply(lambda e: np.sqrt((e**2).mean())))


def _row(result: DidResult, overall: float, by_time: dict[int, float]) -> dict[str, float]:
    estimate = result.aggregate("overall").tidy().iloc[0]
    row = {
        "error": estimate["estimate"] - overall,
        "covered": float(estimate["ci_low"] <= overall <= estimate["ci_high"]),
        "band": np.nan,
        "pre": np.nan,
    }
    if np.isnan(result.effects.event_time).all():
        return row
    event = result.aggregate("event", window=WINDOW)
    truth = np.array([by_time.get(e, 0.0) for e in event.spec["event_time"]])
    band = event.band(draws=1999)
    row["band"] = float(((band["ci_low"] <= truth) & (truth <= band["ci_high"])).all())
    leads = [term for term, e in zip(event.terms, event.spec["event_time"], strict=True) if e < 0]
    if leads:
        row["pre"] = float(event.wald(leads).p_value < 0.05)
    return row


def mc(share: float, draws: int = DRAWS) -> float:
    """Monte Carlo standard error of a share."""
    return float(np.sqrt(share * (1 - share) / draws))


@pytest.mark.slow
@pytest.mark.parametrize("heterogeneous", [False, True])
def test_intervals_cover_with_many_units(heterogeneous: bool) -> None:
    chosen = {name: fit for name, fit in ESTIMATORS.items() if not (heterogeneous and name in ("twfe", "event_study"))}
    found = study(SIZES[2], heterogeneous, chosen, draws=200)
    assert (found["covered"] > 0.95 - 4 * mc(0.95, 200)).all()
    assert (found["band"].dropna() > 0.95 - 4 * mc(0.95, 200)).all()
    assert (found["pre"].dropna() < 0.05 + 4 * mc(0.05, 200)).all()


@pytest.mark.slow
def test_two_way_fixed_effects_miss_effects_that_grow() -> None:
    found = study(SIZES[2], True, {"twfe": ESTIMATORS["twfe"]}, draws=100)
    assert found.loc["twfe", "covered"] < 0.5
