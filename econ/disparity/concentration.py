"""Where an activity is concentrated: few regions (HHI, primacy, top shares)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from econ.disparity.cells import Cells, known_cells
from econ.errors import OptionError
from econ.linear.fit import FloatArray
from econ.options import check_level
from econ.panel import Panel
from econ.text import Text


@dataclass(frozen=True, eq=False)
class Concentration:
    """Concentration of one variable over regions, by period.

    Attributes
    ----------
    path : ``period, n, total, hhi, hhi_normalised, effective_n, primacy, top_share, ci_low, ci_high``; the interval is
        that of ``top_share``, missing where ``x`` is no count
    top : ``period, rank, unit, value, share`` of the ``k`` largest regions; ties in the order of their names
    spec : what was asked for, as plain JSON
    notes : what a reader must know
    """

    path: pd.DataFrame
    top: pd.DataFrame
    spec: dict[str, Any]
    notes: tuple[Text, ...] = ()


def concentration(panel: Panel, x: str, k: int = 4, level: float = 0.95) -> Concentration:
    r"""Herfindahl-Hirschman index, primacy and the share of the ``k`` largest regions, by period.

    With ``s_i = x_i / sum x`` in a period of ``n`` regions:

    * ``hhi = sum s_i^2``, from ``1/n`` to 1; ``hhi_normalised = (hhi - 1/n) / (1 - 1/n)``, from 0 to 1;
      ``effective_n = 1 / hhi``, how many equal regions would give that index;
    * ``primacy``: the largest over the second largest (Jefferson 1939), missing where the second is zero;
    * ``top_share``: what the ``k`` largest hold. Where ``x`` counts things (whole numbers throughout), the exact
      binomial interval of Clopper and Pearson (1934) for the chance that a thing is in one of these ``k`` regions;
      it treats the things as independent and the ``k`` regions as named beforehand.

    Parameters
    ----------
    panel : regions over periods, with gaps if need be: each period uses the regions known in it.
    x : an amount that adds up over regions (patents, not patents per head), zero or positive.
    k : how many regions are at the top; fewer than the regions of every period.
    level : of the interval.

    Examples
    --------
    >>> import econ
    >>> result = econ.disparity.concentration(econ.load("provinces"), "invention_grants", k=3)
    >>> result.top[result.top["period"] == 2018].round(3)[["unit", "share"]].values.tolist()
    [['Guangdong', 0.157], ['Beijing', 0.138], ['Jiangsu', 0.124]]
    """
    check_level(level)
    cells = known_cells(panel, x)
    fewest = int(np.bincount(cells.period).min())
    if not 0 < k < fewest:
        raise OptionError(f"k={k!r} is not allowed; the top holds from 1 to {fewest - 1} regions here.")
    counts = bool((cells.x == np.round(cells.x)).all())
    rows, top = [], []
    for period, span in zip(cells.periods, cells.spans(), strict=True):
        value = cells.x[span]
        rows.append({"period": period, **_path_row(value), **_top_row(value, k, counts, level)})
        top.append(_largest(panel, cells, span, k).assign(period=period))
    spec = {
        "estimator": "concentration", "outcome": x, "k": k, "level": level, "dataset": panel.dataset,
        "labels": panel.labels([x]),
    }  # fmt: skip
    columns = ["period", "rank", "unit", "value", "share"]
    notes = (*cells.notes, *_count_note(x, counts), *_primacy_note(rows))
    return Concentration(pd.DataFrame(rows), pd.concat(top, ignore_index=True)[columns], spec, notes)


def exact_interval(inside: FloatArray, total: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
    """Clopper and Pearson's interval of a binomial chance from ``inside`` of ``total`` cases."""
    tail = (1 - level) / 2
    low = np.where(inside > 0, stats.beta.ppf(tail, np.maximum(inside, 1), total - inside + 1), 0.0)
    high = np.where(inside < total, stats.beta.isf(tail, inside + 1, np.maximum(total - inside, 1)), 1.0)
    return low, high


def _path_row(value: FloatArray) -> dict[str, float]:
    """``value`` (n,) sorted upwards."""
    n, total = len(value), float(value.sum())
    hhi = float(((value / total) ** 2).sum())
    return {
        "n": n,
        "total": total,
        "hhi": hhi,
        "hhi_normalised": (hhi - 1 / n) / (1 - 1 / n),
        "effective_n": 1 / hhi,
        "primacy": float(value[-1] / value[-2]) if value[-2] > 0 else np.nan,
    }


def _top_row(value: FloatArray, k: int, counts: bool, level: float) -> dict[str, float]:
    inside, total = value[-k:].sum(), value.sum()
    low, high = exact_interval(inside, total, level) if counts else (np.nan, np.nan)
    return {"top_share": float(inside / total), "ci_low": float(low), "ci_high": float(high)}


def _largest(panel: Panel, cells: Cells, span: slice, k: int) -> pd.DataFrame:
    value, unit = cells.x[span], cells.unit[span]
    order = np.lexsort((unit, -value))[:k]
    return pd.DataFrame(
        {
            "rank": np.arange(1, k + 1),
            "unit": panel.units[unit[order]],
            "value": value[order],
            "share": value[order] / value.sum(),
        }
    )


def _count_note(x: str, counts: bool) -> tuple[Text, ...]:
    if counts:
        return ()
    return (
        {
            "en": f"{x} is not a count, so the share of the largest regions has no exact interval.",
            "zh": f"{x}不是计数，故前几位地区的占比没有精确区间。",
        },
    )


def _primacy_note(rows: list[dict[str, Any]]) -> tuple[Text, ...]:
    periods = [str(row["period"]) for row in rows if np.isnan(row["primacy"])]
    if not periods:
        return ()
    return (
        {
            "en": f"One region holds everything in {', '.join(periods)}; primacy is not defined there.",
            "zh": f"以下时期仅一个地区大于零，首位度无定义：{'、'.join(periods)}。",
        },
    )
