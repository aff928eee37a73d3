"""What regions specialise in and where industries sit: panels of regions by industries."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from econ.data.frames import SHOWN, require_columns
from econ.disparity.cells import refuse
from econ.errors import DataError, ModelError, OptionError
from econ.linear.fit import FloatArray
from econ.panel import Panel
from econ.text import Text


@dataclass(frozen=True, eq=False)
class Structure:
    """A measure of regional or industrial structure.

    Attributes
    ----------
    table : the measure, in long form; each function names its columns
    spec : what was asked for, as plain JSON
    notes : what a reader must know
    """

    table: pd.DataFrame
    spec: dict[str, Any]
    notes: tuple[Text, ...] = ()


def location_quotient(panel: Panel, x: str, region: str, industry: str) -> Structure:
    r"""Location quotient: an industry's share in a region over its share in all regions together.

    ``LQ_ri = (x_ri / x_r.) / (x_.i / x_..)``; above 1 the region specialises in the industry (Florence 1939).

    Parameters
    ----------
    panel : one row per region, industry and period: ``econ.Panel(frame, unit=[region, industry], time=...)``.
    x : employment, output or patents, zero or positive; missing cells are left out of all sums and counted in a note.
    region, industry : the two columns of the unit.

    Returns
    -------
    Structure with ``table``: ``period``, the region, the industry, ``value, share`` (of the industry in the region)
    and ``lq``. An industry or a region that sums to zero in a period is refused.

    Examples
    --------
    >>> import econ
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"region": ["A", "A", "B", "B"], "industry": ["x", "y"] * 2, "year": 2020})
    >>> panel = econ.Panel(frame.assign(jobs=[30, 10, 20, 40]), unit=["region", "industry"], time="year")
    >>> econ.disparity.location_quotient(panel, "jobs", "region", "industry").table["lq"].tolist()
    [1.5, 0.5, 0.6666666666666666, 1.3333333333333333]
    """
    cells, notes = _cells(panel, x, region, industry)
    _refuse_empty(cells, x, "region", region)
    _refuse_empty(cells, x, "industry", industry)
    share = cells["x"] / _sum(cells, "t", "region")
    overall = _sum(cells, "t", "industry") / _sum(cells, "t")
    table = cells.rename(columns={"x": "value", "region": region, "industry": industry})
    table = table.assign(share=share, lq=share / overall).drop(columns="t")
    return Structure(table, _spec("location_quotient", panel, x, region, industry), notes)


def krugman(panel: Panel, x: str, region: str, industry: str) -> Structure:
    r"""Krugman's index of specialisation: how far a region's industries differ from those of all other regions.

    ``K_r = sum_i |x_ri / x_r. - (x_.i - x_ri) / (x_.. - x_r.)|``, from 0 (the same structure) to 2 (no industry in
    common) (Krugman 1991; against the other regions as in Midelfart-Knarvik et al. 2000). Parameters as in
    ``location_quotient``; a missing cell counts as no activity there, which is noted.

    Returns
    -------
    Structure with ``table``: ``period``, the region, ``krugman``.

    Examples
    --------
    >>> import econ
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"region": ["A", "A", "B", "B"], "industry": ["x", "y"] * 2, "year": 2020})
    >>> panel = econ.Panel(frame.assign(jobs=[30, 10, 20, 60]), unit=["region", "industry"], time="year")
    >>> econ.disparity.krugman(panel, "jobs", "region", "industry").table["krugman"].tolist()
    [1.0, 1.0]
    """
    cells, notes = _cells(panel, x, region, industry)
    _refuse_empty(cells, x, "region", region)
    rows = []
    for period, part in cells.groupby("period", sort=False):
        wide = part.pivot(index="region", columns="industry", values="x").fillna(0.0)
        if len(wide) < 2:
            raise ModelError(f"Only one {region} has values of {x!r} in {period}; the index compares two or more.")
        own = wide.to_numpy()
        others = own.sum(axis=0) - own
        distance = np.abs(own / own.sum(axis=1, keepdims=True) - others / others.sum(axis=1, keepdims=True))
        rows.append(pd.DataFrame({"period": period, region: wide.index, "krugman": distance.sum(axis=1)}))
    table = pd.concat(rows, ignore_index=True)
    return Structure(table, _spec("krugman", panel, x, region, industry), notes)


def ellison_glaeser(panel: Panel, x: str, region: str, industry: str, plant_herfindahl: str) -> Structure:
    r"""Ellison and Glaeser's index of agglomeration beyond that of all activity and of large plants.

    With ``s_ri = x_ri / x_.i``, ``a_r = x_r. / x_..``, ``G_i = sum_r (s_ri - a_r)^2`` and ``H_i`` the Herfindahl index
    of the industry's plants:

        ``gamma_i = (G_i / (1 - sum_r a_r^2) - H_i) / (1 - H_i)``

    (Ellison and Glaeser 1997). Zero on average if plants choose their regions in proportion to all activity;
    they call an industry concentrated above 0.05 and dispersed below 0.02.

    Parameters
    ----------
    panel, x, region, industry : as in ``location_quotient``; a missing cell counts as no activity, which is noted.
    plant_herfindahl : column with ``H``, at least 0 and below 1, the same in all rows of an industry and period. With
        plants of one size it is 1 / (number of plants).

    Returns
    -------
    Structure with ``table``: ``period``, the industry, ``n_regions, raw`` (``G``), ``plant_herfindahl, gamma``.
    """
    cells, notes = _cells(panel, x, region, industry)
    _refuse_empty(cells, x, "industry", industry)
    plants = _plants(panel, region, industry, plant_herfindahl)
    rows = []
    for period, part in cells.groupby("period", sort=False):
        t = int(part["t"].iloc[0])
        wide = part.pivot(index="region", columns="industry", values="x").fillna(0.0)
        amounts = wide.to_numpy()
        share, overall = amounts / amounts.sum(axis=0), amounts.sum(axis=1) / amounts.sum()
        raw = ((share - overall[:, None]) ** 2).sum(axis=0)
        rest = 1 - float((overall**2).sum())
        if rest <= 0:
            raise ModelError(f"All of {x!r} is in one {region} in {period}; the index needs two or more.")
        herfindahl = np.array([plants[t, label] for label in wide.columns])
        gamma = (raw / rest - herfindahl) / (1 - herfindahl)
        columns = {"n_regions": (amounts > 0).sum(axis=0), "raw": raw, "plant_herfindahl": herfindahl, "gamma": gamma}
        rows.append(pd.DataFrame({"period": period, industry: wide.columns, **columns}))
    table = pd.concat(rows, ignore_index=True)
    spec = _spec("ellison_glaeser", panel, x, region, industry) | {"plant_herfindahl": plant_herfindahl}
    return Structure(table, spec, notes)


def shift_share(panel: Panel, x: str, region: str, industry: str, start: Any = None, end: Any = None) -> Structure:
    r"""Classical shift-share: a region's change split into national growth, its industries' mix, and its own part.

    For region ``r`` and industry ``i`` between ``start`` and ``end``, with ``g = x_..,end / x_..,start - 1`` and
    ``g_i = x_.i,end / x_.i,start - 1`` (Dunn 1960):

    * ``national = x_ri,start g``
    * ``mix = x_ri,start (g_i - g)``
    * ``regional = x_ri,end - x_ri,start (1 + g_i)``

    They add up to ``change = x_ri,end - x_ri,start``; ``mix`` adds up to zero over the country when all industries are
    summed, ``regional`` in every industry. Sum the table by region for a region's account.

    Parameters
    ----------
    panel, x, region, industry : as in ``location_quotient``. Cells that lack either period are left out of both, and
        counted in a note.
    start, end : periods; by default the first and last in which ``x`` is known. An industry that is zero everywhere at
        the start has no growth rate and is refused.

    Returns
    -------
    Structure with ``table``: the region, the industry, ``start, end, change, national, mix, regional``.

    Examples
    --------
    >>> import econ
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"region": ["A", "A", "B", "B"], "industry": ["x", "y"] * 2})
    >>> first, last = frame.assign(year=2010, jobs=[30, 10, 20, 40]), frame.assign(year=2020, jobs=[45, 10, 20, 50])
    >>> both = pd.concat([first, last])
    >>> panel = econ.Panel(both, unit=["region", "industry"], time="year")
    >>> table = econ.disparity.shift_share(panel, "jobs", "region", "industry").table
    >>> table.groupby("region", as_index=False)[["change", "national", "mix", "regional"]].sum()
      region  change  national  mix  regional
    0      A    15.0      10.0  1.0       4.0
    1      B    10.0      15.0 -1.0      -4.0
    """
    cells, notes = _cells(panel, x, region, industry)
    periods = list(dict.fromkeys(cells["period"]))
    first, last = periods[0] if start is None else start, periods[-1] if end is None else end
    if first not in periods or last not in periods or periods.index(first) >= periods.index(last):
        raise OptionError(
            f"start={first!r}, end={last!r}: give two periods, the earlier first, from {periods[0]} to {periods[-1]}."
        )
    ends = cells[cells["period"].isin([first, last])].assign(
        moment=lambda d: np.where(d["period"] == first, "start", "end")
    )
    both = ends.pivot(index=["region", "industry"], columns="moment", values="x")[["start", "end"]]
    table = both.dropna().reset_index().rename_axis(columns=None)
    if table.empty:
        raise ModelError(f"No cell has {x!r} both in {first} and in {last}; there is no change to split.")
    notes = (*notes, *_unpaired_note(len(both) - len(table), len(both), first, last))
    table = _components(table, x, industry, first).rename(columns={"region": region, "industry": industry})
    spec = _spec("shift_share", panel, x, region, industry) | {"start": first, "end": last}
    return Structure(table, spec, notes)


def _components(table: pd.DataFrame, x: str, industry: str, first: Any) -> pd.DataFrame:
    sums = table.groupby("industry")[["start", "end"]].transform("sum")
    if (sums["start"] == 0).any():
        named = ", ".join(map(str, table.loc[sums["start"] == 0, "industry"].unique()[:SHOWN]))
        raise DataError(
            f"{x!r} is zero in every region in {first} for {industry} {named}, which has no growth rate then; leave it "
            "out, or merge it with another."
        )
    total = table["end"].sum() / table["start"].sum() - 1
    own = sums["end"] / sums["start"] - 1
    return table.assign(
        change=table["end"] - table["start"],
        national=table["start"] * total,
        mix=table["start"] * (own - total),
        regional=table["end"] - table["start"] * (1 + own),
    )


# ---- cells


def _cells(panel: Panel, x: str, region: str, industry: str) -> tuple[pd.DataFrame, tuple[Text, ...]]:
    """``t, period, region, industry, x`` of the known cells, sorted, and what is missing."""
    frame = _keys(panel, region, industry).assign(x=panel.values(x))
    refuse(panel, (frame["x"] < 0).to_numpy(), f"{x!r} must be zero or positive", frame["x"].to_numpy())
    known = frame.dropna(subset=["x"]).sort_values(["t", "region", "industry"], ignore_index=True, kind="stable")
    if known.empty:
        raise DataError(f"{x!r} has no values; there is nothing to do.")
    periods = {int(t): panel.period(int(t)) for t in known["t"].unique()}
    known.insert(1, "period", known["t"].map(periods))
    full = known["region"].nunique() * known["industry"].nunique() * len(periods)
    return known, (*panel.notes, *_missing_note(x, full - len(known), full))


def _keys(panel: Panel, region: str, industry: str) -> pd.DataFrame:
    """``t, region, industry`` of every row; each must stand once."""
    columns = panel.frame
    require_columns(columns, [region, industry], "The panel")
    frame = pd.DataFrame({"t": panel.time_codes, "region": columns[region], "industry": columns[industry]})
    if region == industry or frame.duplicated().any():
        row = frame[frame.duplicated()].head(1).astype(str).agg(", ".join, axis=1).tolist()
        raise DataError(
            f"{region!r} and {industry!r} do not tell the rows of a period apart ({'; '.join(row)}); give the two "
            f"columns that the panel's unit is made of: econ.Panel(frame, unit=[region, industry], time=...)."
        )
    return frame


def _sum(cells: pd.DataFrame, *by: str) -> "pd.Series[float]":
    """Sum of the group of each cell."""
    return cells.groupby(list(by))["x"].transform("sum")


def _refuse_empty(cells: pd.DataFrame, x: str, by: str, name: str) -> None:
    empty = cells[_sum(cells, "t", by) == 0].drop_duplicates(["t", by])
    if len(empty):
        pairs = zip(empty[by], empty["period"], strict=True)
        named = "; ".join(f"{label}, {period}" for label, period in list(pairs)[:SHOWN])
        raise DataError(
            f"{x!r} sums to zero for {name} {named}, so there are no shares in it; leave such rows out with where()."
        )


def _plants(panel: Panel, region: str, industry: str, column: str) -> dict[tuple[int, Any], float]:
    """(t, industry) -> Herfindahl index of its plants."""
    values: FloatArray = panel.values(column)
    refuse(panel, (values < 0) | (values >= 1), f"{column!r} must be at least 0 and below 1", values)
    known = _keys(panel, region, industry).assign(h=values)
    spread = known.groupby(["t", "industry"])["h"].agg(["min", "max"])
    wrong = spread[spread["min"].isna() | (spread["min"] != spread["max"])]
    if len(wrong):
        named = "; ".join(f"{label}, {panel.period(t)}" for t, label in wrong.index.tolist()[:SHOWN])
        raise DataError(
            f"{column!r} is missing or changes between regions for {named}; it must be one number per {industry} and "
            "period."
        )
    keys: list[tuple[int, Any]] = spread.index.tolist()
    return dict(zip(keys, spread["min"].tolist(), strict=True))


def _missing_note(x: str, lost: int, full: int) -> tuple[Text, ...]:
    if not lost:
        return ()
    return (
        {
            "en": f"{lost} of {full} cells (region, industry, period) have no {x}; they are in no sum.",
            "zh": f"{full}个单元（地区×行业×时期）中有{lost}个缺少{x}，未计入任何合计。",
        },
    )


def _unpaired_note(lost: int, full: int, first: Any, last: Any) -> tuple[Text, ...]:
    if not lost:
        return ()
    return (
        {
            "en": f"{lost} of {full} cells (region, industry) are known in only one of {first} and {last}: left out.",
            "zh": f"{full}个单元（地区×行业）中有{lost}个仅在{first}或仅在{last}有数据，未计入。",
        },
    )


def _spec(estimator: str, panel: Panel, x: str, region: str, industry: str) -> dict[str, Any]:
    labels = panel.labels([x, region, industry])
    return {"estimator": estimator, "outcome": x, "region": region, "industry": industry, "dataset": panel.dataset,
            "labels": labels}  # fmt: skip
