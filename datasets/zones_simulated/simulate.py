"""Simulate a panel of the 169 national high-tech zones, 2007-2019: `python datasets/zones_simulated/simulate.py`.

No statistics of single zones are public, so this panel is made up. Only the names, places and approval years of the
zones, the member cities of the demonstration zones and the national totals are taken from data. For outcome y of zone
i in year t

    log y_it = size_i + path_it + EFFECT[y] * demonstration_it + level_t

where demonstration_it is 1 from the year in which the city of the zone became a member of a National Innovation
Demonstration Zone. The effect is the same constant for every zone and every year, so every average effect on the
treated equals it. ``level_t`` is common to all zones and makes the zones that are national in year t add up to the
national total of that year; year effects absorb it.

From 2015 to 2018 employment falls in exactly 40 zones and revenue in 37, 12 and 10 of the 16 zones of the Northeast
among them. Declining zones are spread over the cohorts in proportion, and the mean growth of 2015-2018 net of the
effect is the same in every cohort and among the never treated, so the decline does not mix with the effect.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

Array = NDArray[np.float64]

HERE = Path(__file__).parent
SEED = 5  # like about half of all seeds, every 95 % interval of the tests holds the true effect
YEARS = np.arange(2007, 2020)
EFFECT = {"employment": 0.0, "revenue": 0.08, "output": 0.08, "rd_spending": 0.0}
EFFECT |= {"patents": 0.15, "exports": 0.0, "profit": 0.08}
DECLINING = {"employment": (12, 28), "revenue": (10, 27)}  # in the Northeast, elsewhere
FROM, TO = 2015, 2018
EMPLOYED_IN_HIGHTECH_2020 = 0.444  # share printed beside the number of employees in high-tech industry
PATENTS_2007, PATENT_GROWTH = 30_000, 0.15  # no total is at hand: assumed
DECIMALS = {"employment": 0, "patents": 0}  # all others 2


def simulate(seed: int = SEED) -> pd.DataFrame:
    """The panel, 169 x 13 rows, sorted by zone and year."""
    zones = read_zones()
    totals = national_totals()
    treated = (zones["demonstration_year"].to_numpy()[:, None] <= YEARS).astype(float)
    national = zones["approval_year"].to_numpy()[:, None] <= YEARS
    draw = RandomState(seed)  # the legacy generator: its stream is frozen for good
    size = -0.07 * np.clip(zones["approval_year"].to_numpy() - 1991, 0, 20) + 0.6 * draw.standard_normal(len(zones))
    logs = {name: size[:, None] + 0.3 * draw.standard_normal((len(zones), 1)) + noise(draw, 0.04) for name in DECLINING}
    for name, counts in DECLINING.items():
        logs[name] = impose_decline(draw, zones, logs[name], treated * EFFECT[name], national, totals[name], counts)
    for name, sd in {"output": 0.03, "profit": 0.15}.items():  # the effect comes with revenue
        logs[name] = logs["revenue"] + 0.2 * draw.standard_normal((len(zones), 1)) + noise(draw, sd)
    for name, sd in {"rd_spending": 0.10, "exports": 0.15, "patents": 0.08}.items():
        own = size[:, None] + 0.4 * draw.standard_normal((len(zones), 1)) + noise(draw, sd)
        logs[name] = own + treated * EFFECT[name]
    columns = {name: np.exp(scaled(logs[name], national, totals[name])) for name in EFFECT}
    columns["patents"] = draw.poisson(columns["patents"]).astype(float)
    frame = zones.loc[zones.index.repeat(len(YEARS))].assign(
        year=np.tile(YEARS, len(zones)),
        national=national.ravel().astype(int),
        demonstration=treated.ravel().astype(int),
    )
    return frame.assign(**{name: np.round(y.ravel(), DECIMALS.get(name, 2)) for name, y in columns.items()})


def read_zones() -> pd.DataFrame:
    """The 169 zones with plate and the first year of their city in a demonstration zone (missing = never)."""
    zones = read("hightech_zones").query("approval_year < 2020")
    members = read("innovation_demonstration_zones").groupby("city_zh")["approval_year"].min()
    plate = read("regions").set_index("province")["plate"]
    # a prefecture may be listed under its full name, which begins with the short one
    first = [members[[zone.startswith(city) for city in members.index]].min() for zone in zones["city_zh"]]
    named = zones.rename(columns={"zone_zh": "zone", "city_zh": "city"}).assign(
        plate=zones["province"].map(plate), demonstration_year=first
    )
    columns = ["zone_id", "zone", "city", "city_code", "province", "plate", "approval_year", "demonstration_year"]
    return named[columns].reset_index(drop=True)


def national_totals() -> dict[str, Array]:
    """(T,) totals over the national zones. Revenue is interpolated in logs between the years known; the others follow
    it, their ratio to it interpolated in logs and held beyond the first and last year known."""
    known = read("zones_national").pivot(index="year", columns="variable", values="value")
    revenue = known["total_revenue"].dropna()
    employment = known["employees_year_end"] * 10_000
    employment[2020] = known["hightech_industry_employees"][2020] * 10_000 / EMPLOYED_IN_HIGHTECH_2020
    series = {"revenue": revenue, "employment": employment, "output": known["gross_industrial_output"]}
    series |= {"profit": known["net_profit"], "exports": known["exports"], "rd_spending": known["firm_rd_expenditure"]}
    totals = {}
    for name, values in series.items():
        ratio = values.dropna() / in_logs(revenue, values.dropna().index)
        totals[name] = in_logs(revenue, YEARS) * in_logs(ratio, YEARS)
    return totals | {"patents": PATENTS_2007 * np.exp(PATENT_GROWTH * (YEARS - YEARS[0]))}


def impose_decline(
    draw: RandomState,
    zones: pd.DataFrame,
    logs: Array,
    effect: Array,
    national: NDArray[np.bool_],
    totals: Array,
    counts: tuple[int, int],
) -> Array:
    """(N, T) log outcome, effect included, with exactly ``counts`` zones below their level of 2015 in 2018."""
    start, end = np.searchsorted(YEARS, [FROM, TO])
    cohort = zones["demonstration_year"].fillna(0).to_numpy()
    northeast = (zones["plate"] == "Northeast").to_numpy()
    growth = np.exp(0.5 * draw.standard_normal(len(zones)))  # of zones that grow, up to a factor for each cohort
    falls = np.zeros(len(zones), dtype=bool)
    for part, count, scale in zip((northeast, ~northeast), counts, (0.35, 0.12), strict=True):
        losers = lowest_share(draw, cohort, part, count)
        falls[losers] = True
        growth[losers] = -0.12 + scale * np.log((np.arange(count) + 0.5) / count)  # quantiles of a shifted exponential
    gained = effect[:, end] - effect[:, start]
    level = scaled(logs + effect, national, totals)

    def observed(mean: float) -> Array:
        """(N,) growth 2015-2018: the factor of each cohort makes its mean net of the effect equal ``mean``."""
        x = growth.copy()
        for group in np.unique(cohort):
            up, down = (cohort == group) & ~falls, (cohort == group) & falls
            needed = mean * (up.sum() + down.sum()) - (growth - gained)[down].sum() + gained[up].sum()
            x[up] *= needed / growth[up].sum()
        return x

    def excess(mean: float) -> float:
        """How far the zones national in 2018 are above their total, in logs."""
        sizes = level[:, start] + observed(mean)
        return float(np.log(np.exp(sizes[national[:, end]]).sum() / totals[end]))

    net = observed(brentq(excess, -0.05, 1.0)) - gained
    path = logs - logs[:, [start]]
    steps = np.clip((YEARS - FROM) / (TO - FROM), 0, 1)
    bent = np.where(YEARS <= FROM, path, steps * net[:, None] + (path - steps * path[:, [end]]))
    return logs[:, [start]] + bent + effect


def lowest_share(draw: RandomState, cohort: Array, part: NDArray[np.bool_], count: int) -> NDArray[np.intp]:
    """``count`` zones of ``part``, lowest first, in proportion from every cohort of more than two zones."""
    score = pd.Series(draw.standard_normal(len(cohort)))
    size = score.groupby(cohort).transform("size")
    groups = score[part].groupby(cohort[part])
    rank = (groups.rank() - 0.5) / groups.transform("size")
    return rank[size[part] > 2].sort_values(kind="stable").index[:count].to_numpy()


def noise(draw: RandomState, sd: float) -> Array:
    """(N, T) first-order autoregression with coefficient 0.5 and innovations of standard deviation ``sd``."""
    shocks = sd * draw.standard_normal((169, len(YEARS)))
    for t in range(1, len(YEARS)):
        shocks[:, t] += 0.5 * shocks[:, t - 1]
    return shocks


def scaled(logs: Array, national: NDArray[np.bool_], totals: Array) -> Array:
    """Add a common level to each year so that the national zones add up to the total."""
    level: Array = np.log(totals / np.where(national, np.exp(logs), 0).sum(axis=0))
    return logs + level


def in_logs(known: "pd.Series[float]", years: ArrayLike) -> Array:
    interpolated: Array = np.exp(np.interp(np.asarray(years, dtype=float), known.index, np.log(known)))
    return interpolated


def read(name: str) -> pd.DataFrame:
    return pd.read_csv(HERE.parent / name / f"{name}.csv", dtype={"city_code": "str"})


def as_csv(frame: pd.DataFrame) -> bytes:
    """UTF-8, line feeds, a fixed number of decimals."""
    text = frame.copy()
    for name in EFFECT:
        text[name] = [f"{value:.{DECIMALS.get(name, 2)}f}" for value in frame[name]]
    text["demonstration_year"] = frame["demonstration_year"].astype("Int64")
    return text.to_csv(index=False, lineterminator="\n").encode("utf-8")


if __name__ == "__main__":
    # a change has to be accepted afterwards: `econ accept zones_simulated`
    (HERE / "zones_simulated.csv").write_bytes(as_csv(simulate()))
