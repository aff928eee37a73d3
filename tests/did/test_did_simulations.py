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
from econ.did.inference import METHODS

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
    "imputation": _on(econ.did.imputation, leads=5),
    "two_stage": _on(econ.did.two_stage),
    "etwfe": _on(econ.did.etwfe),
    "stacked": _on(econ.did.stacked, window=(-5, 5)),
    "local_projections": _on(econ.did.local_projections, window=WINDOW),
    "switchers": lambda panel: econ.did.switchers(
        panel.assign(d=lambda d: (d["year"] >= d["cohort"]).astype(float)), "y", treatment="d", effects=6, placebos=4
    ),
    "synthetic": _on(econ.did.synthetic, inference="jackknife"),
    "matched": lambda panel: econ.did.matched(panel.assign(x=_fixed), "y", cohort="cohort", covariates=["x"]),
}
WINDOWED = ("stacked", "local_projections", "switchers")  # average over event times up to 5
MIXED = ("twfe", "event_study")  # average effects with other weights where they differ


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


def _fixed(frame: pd.DataFrame) -> np.ndarray:
    """A covariate that has nothing to do with anything, constant within units."""
    return np.random.default_rng(7).normal(size=int(frame["unit"].max()) + 1)[frame["unit"]]


def truths(size: Size, heterogeneous: bool, window: bool) -> tuple[float, dict[int, float]]:
    """Average effect over treated cells (up to event time 5, if ``window``), and by event time."""
    effect, first = effects(size, heterogeneous), first_treated(size)
    since = np.arange(1, T + 1) - first[:, None]
    by_time = {int(e): float(effect[since == e].mean()) for e in np.unique(since[np.isfinite(since)])}
    inside = (since >= 0) & (since <= WINDOW[1]) if window else since >= 0
    return float(effect[inside].mean()), by_time


def study(
    size: Size, heterogeneous: bool, estimators: dict[str, Fit], draws: int = DRAWS, seed: int = SEED
) -> pd.DataFrame:
    """By estimator: bias and root mean squared error of the overall effect, coverage of its interval and of the band
    over event times -5 to 5, and share of 5 percent rejections of no pre-trend."""
    truth = {name: truths(size, heterogeneous, name in WINDOWED) for name in estimators}
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(draws):
        panel = draw(rng, size, heterogeneous)
        rows += [{"estimator": name} | _row(fit(panel), *truth[name]) for name, fit in estimators.items()]
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
    chosen = {name: fit for name, fit in ESTIMATORS.items() if not (heterogeneous and name in MIXED)}
    found = study(SIZES[2], heterogeneous, chosen, draws=200)
    assert (found["covered"] > 0.95 - 4 * mc(0.95, 200)).all()
    assert (found["band"].dropna() > 0.95 - 4 * mc(0.95, 200)).all()
    assert (found["pre"].dropna() < 0.05 + 4 * mc(0.05, 200)).all()


@pytest.mark.slow
def test_two_way_fixed_effects_miss_effects_that_grow() -> None:
    found = study(SIZES[2], True, {"twfe": ESTIMATORS["twfe"]}, draws=100)
    assert found.loc["twfe", "covered"] < 0.5


def run_size(size: Size, heterogeneous: bool) -> pd.DataFrame:
    """Every estimator; a tenth of the draws for synthetic difference-in-differences, which takes longest."""
    fast = {name: fit for name, fit in ESTIMATORS.items() if name != "synthetic"}
    slow = {"synthetic": ESTIMATORS["synthetic"]}
    if min(size.cohorts) < 2:  # the jackknife needs two units in every cohort
        slow = {"synthetic": _on(econ.did.synthetic, inference="placebo", draws=50)}
    return pd.concat([study(size, heterogeneous, fast), study(size, heterogeneous, slow, draws=DRAWS // 10)])


def few_regions(size: Size, estimator: Fit, draws: int = DRAWS // 2) -> pd.Series:
    """(methods,) share of the 95 percent intervals of ``econ.did.inference`` that hold the effect of 1."""
    rng = np.random.default_rng(SEED)
    frames = [econ.did.inference(estimator(draw(rng, size, False)), draws=399).frame for _ in range(draws)]
    found = pd.concat(frames).dropna(subset=["ci_low", "ci_high"])
    covered = (found["ci_low"] <= 1) & (found["ci_high"] >= 1)
    return covered.groupby(found["method"], sort=False).mean()


@pytest.mark.slow
def test_inference_for_few_regions_holds_where_clustering_does_not() -> None:
    found = few_regions(SIZES[0], ESTIMATORS["twfe"], draws=200)
    assert found["clustered"] < 0.95 - 2 * mc(0.95, 200)
    assert (found[["cr2", "jackknife", "randomization"]] > 0.95 - 3 * mc(0.95, 200)).all()


def page() -> str:
    """The text of docs/simulations_did.md."""
    lines = [
        "# Difference-in-differences: simulations",
        "",
        f"Simulated data. Written by `python -m tests.did.test_did_simulations` (seed {SEED}); the same functions are",
        f"the slow tests. {DRAWS:,} replications each ({DRAWS // 10} for `synthetic`); the Monte Carlo standard error",
        f"of a share is {mc(0.95):.3f} at 0.95 and at 0.05 ({mc(0.95, DRAWS // 10):.3f} for `synthetic`).",
        "",
        f"Units over {T} periods, three cohorts first treated in periods {', '.join(map(str, STARTS))}, unit and",
        "period effects, errors that follow an autoregression of 0.5 within units with innovations of variance one.",
        "*Equal* effects are 1; effects that *differ* grow by 0.2 a period from 0.5, times 1.5, 1 and 0.5 by cohort.",
        "",
        "- `bias`, `rmse`: of the overall effect (for stacked, local projections and switchers the average over event",
        "  times up to 5) about the true average over treated cells",
        "- `interval`: share of its 95 percent intervals that hold the truth; t with G-1 degrees of freedom",
        "- `band`: share of simultaneous bands over event times -5 to 5 that hold all true values",
        "- `pre-trend`: share of 5 percent rejections of no effect before treatment, a joint Wald test of the leads",
        "",
    ]
    for size in SIZES:
        for heterogeneous in (False, True):
            found = run_size(size, heterogeneous)
            lines += [
                f"## {size}, effects {'that differ' if heterogeneous else 'equal'}",
                "",
                "| estimator | bias | rmse | interval | band | pre-trend |",
                "| --- | --- | --- | --- | --- | --- |",
            ]
            for name, row in found.iterrows():
                shares = ["" if np.isnan(row[x]) else f"{row[x]:.3f}" for x in ("covered", "band", "pre")]
                lines.append(f"| {name} | {row['bias']:.3f} | {row['rmse']:.3f} | {' | '.join(shares)} |")
            lines.append("")
    return "\n".join([*lines, *few_regions_section(), "## Reading", READING])


def few_regions_section() -> list[str]:
    """Coverage of each method of ``econ.did.inference``, a column per estimator and number of treated units."""
    shown = {
        f"{name}, {size.treated} treated": few_regions(size, ESTIMATORS[name])
        for name in ("twfe", "callaway_santanna")
        for size in SIZES[:2]
    }
    table = pd.DataFrame(shown).reindex([name for name in METHODS if name != "ferman_pinto"])
    return [
        "## Inference for few regions, 31 x 20, effects equal",
        "",
        f"Share of the 95 percent intervals of `econ.did.inference` that hold the truth; {DRAWS // 2} replications,",
        f"Monte Carlo standard error {mc(0.95, DRAWS // 2):.3f}. Methods that an estimator does not have are blank.",
        "",
        f"| method | {' | '.join(table.columns)} |",
        f"| --- |{' --- |' * len(table.columns)}",
        *(
            f"| {name} | {' | '.join('' if np.isnan(x) else f'{x:.3f}' for x in row)} |"
            for name, row in zip(table.index, table.to_numpy(), strict=True)
        ),
        "",
    ]


READING = """
With 300 units and 120 treated, intervals and bands hold the truth as often as they should, or more often, with one
exception: where effects differ, `twfe` averages them with weights of its own, and its intervals do not hold the average
over treated cells. Standard errors that let cohort shares vary (`callaway_santanna`, `two_stage`) are on the large side
where effects differ, those of `stacked` always. The gaps of `synthetic` before treatment were chosen to be small; their
test never rejects and means nothing.

With 31 units and 15 treated, intervals are near nominal but for `matched` and `synthetic`; simultaneous bands (except
those of `stacked` and `synthetic`) hold all true values in 85 to 93 percent of samples, and pre-trend tests reject two
to three times too often: a joint test of five leads asks more of 15 treated units than one coefficient does.

With 5 of 31 treated, one cohort being a single unit, clustered standard errors, bands and pre-trend tests should not be
used: intervals hold the truth in 75 to 94 percent of samples, bands of all but `synthetic` in 26 to 81, and tests of
five leads reject about as often as not, or more. Sun and Abraham, imputation and matching suffer most, since a unit
alone in its cohort has no residual there. What `econ.did.inference` sets beside them mends it: CR2 with Satterthwaite
degrees of freedom, Ibragimov-Mueller, randomisation and, nearly, the restricted wild bootstrap; Conley-Taber only where
controls are many more than treated units, which 16 to 15 is not.
"""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
