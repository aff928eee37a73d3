"""Sigma convergence: is the dispersion across regions shrinking?"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from econ.errors import DataError, ModelError
from econ.inference.covariance import newey_west
from econ.linear.fit import FloatArray
from econ.panel import Panel
from econ.regress import feols
from econ.text import Text

ALL = "all"

LICHTENBERG: Text = {
    "en": "Lichtenberg's variance ratio treats first and last period as independent although they are the same "
    "regions, so it almost never rejects; read Pitman-Morgan or Carree-Klomp.",
    "zh": "Lichtenberg 方差比检验把首末期视为相互独立，而两期为同一批地区，故几乎从不拒绝；应以 Pitman-Morgan 或 "
    "Carree-Klomp 检验为准。",
}


@dataclass(frozen=True, eq=False)
class Sigma:
    """Dispersion over time and its tests.

    Attributes
    ----------
    path : ``period, group, n, mean, cv, sd_log``; one row per period and group
    test : ``group, test, estimate, std_error, statistic, dof, p_value``
    spec : what was asked for, as plain JSON
    notes : what a reader must know
    """

    path: pd.DataFrame
    test: pd.DataFrame
    spec: dict[str, Any]
    notes: tuple[Text, ...] = ()


def sigma(panel: Panel, x: str, by: str | None = None) -> Sigma:
    r"""Coefficient of variation and standard deviation of logs by period, and whether they fall.

    ``cv_t = sd_t(x) / mean_t(x)`` and ``sd_log_t = sd_t(ln x)`` over the regions seen in every period in which any is
    (others are left out and named in a note, so that the path does not move because regions come and go); both
    standard deviations divide by n - 1.

    Tests, each on ``sd_log``:

    * ``trend``: slope per period of ``sd_log_t`` on ``t``, Newey-West standard error.
    * ``pitman_morgan``: equality of the variances of ``ln x`` in the first and last period, which are correlated; with
      ``r`` the correlation of sum and difference, ``r sqrt((n - 2) / (1 - r^2))`` is t with n - 2 degrees of freedom
      (Pitman 1939; Morgan 1939). Positive = dispersion fell.
    * ``lichtenberg``: the ratio of the variances of first and last period against F(n - 2, n - 2) (Lichtenberg 1994).
      It takes the two for independent, but they come from the same regions: with correlation ``c`` between first and
      last logs the ratio varies far less than F, so that it almost never rejects (Carree and Klomp 1997); it is here
      for comparison with published work, and ``pitman_morgan`` and ``carree_klomp`` are the ones to read.
    * ``carree_klomp``: ``(n - 2.5) ln(1 + (v_0 - v_T)^2 / (4 (v_0 v_T - c^2)))`` with variances ``v`` and covariance
      ``c`` of first and last period is chi-squared with 1 degree of freedom (Carree and Klomp 1997, T2).

    Parameters
    ----------
    panel : regions over periods.
    x : a positive level.
    by : column that groups the regions (plate, half), constant within a region; a path and tests for each group,
        besides the one for all.

    Examples
    --------
    >>> import econ
    >>> result = econ.convergence.sigma(econ.load("provinces"), "gdp_per_capita")
    >>> result.path.head(2)[["period", "group", "n"]]
       period group   n
    0    2000   all  31
    1    2001   all  31
    """
    wide = _complete(panel, x)
    groups = {ALL: wide} | (_split(panel, wide, by) if by else {})
    path = pd.concat([_path(frame, group) for group, frame in groups.items()], ignore_index=True)
    test = pd.concat([_tests(frame, group) for group, frame in groups.items()], ignore_index=True)
    spec = {"estimator": "sigma", "outcome": x, "by": by, "dataset": panel.dataset, "labels": panel.labels([x])}
    return Sigma(path, test, spec, (*panel.notes, LICHTENBERG, *_left_out(panel, x, wide)))


def _complete(panel: Panel, x: str) -> pd.DataFrame:
    """Period x unit, the units seen in every period in which any unit is."""
    values = panel.values(x)
    known = ~np.isnan(values)
    if (values[known] <= 0).any():
        wrong = np.flatnonzero(known & (values <= 0))
        named = ", ".join(str(panel.units[unit]) for unit in np.unique(panel.unit_codes[wrong])[:5])
        raise DataError(
            f"{x!r} has {len(wrong)} values that are zero or negative ({named}); the dispersion of its logs needs "
            "positive ones. Leave these regions out with panel.where(...)."
        )
    frame = pd.DataFrame(
        {"t": panel.time_codes[known], "unit": panel.units[panel.unit_codes[known]], "x": values[known]}
    )
    wide = frame.pivot(index="t", columns="unit", values="x").dropna(axis=1)
    if wide.shape[0] < 3 or wide.shape[1] < 3:
        raise ModelError(
            f"Dispersion of {x!r} needs at least 3 regions seen in all of at least 3 periods; found {wide.shape[1]} "
            f"regions in all of {wide.shape[0]} periods. Take a shorter span with panel.where(...)."
        )
    wide.index = pd.Index([panel.period(int(t)) for t in wide.index], name="period")
    return wide


def _split(panel: Panel, wide: pd.DataFrame, by: str) -> dict[str, pd.DataFrame]:
    """The columns of each group."""
    group = panel.attribute(by).reindex(wide.columns)
    if group.isna().any():
        named = ", ".join(map(str, group.index[group.isna()][:5]))
        raise DataError(
            f"{int(group.isna().sum())} regions have no {by!r} ({named}); give them one, or leave them out."
        )
    counts = group.value_counts().sort_index()
    if len(counts) < 2 or counts.min() < 3:
        sizes = ", ".join(f"{name}: {n}" for name, n in counts.items())
        raise ModelError(
            f"by={by!r} gives {len(counts)} group(s) ({sizes}); comparing dispersion needs at least 2 groups of at "
            "least 3 regions. Merge the groups, or leave by out."
        )
    return {str(g): wide.loc[:, (group == g).to_numpy()] for g in counts.index}


def _path(wide: pd.DataFrame, group: str) -> pd.DataFrame:
    x = wide.to_numpy()
    mean = x.mean(axis=1)
    return pd.DataFrame(
        {
            "period": wide.index,
            "group": group,
            "n": x.shape[1],
            "mean": mean,
            "cv": x.std(axis=1, ddof=1) / mean,
            "sd_log": np.log(x).std(axis=1, ddof=1),
        }
    )


def _tests(wide: pd.DataFrame, group: str) -> pd.DataFrame:
    logs = np.log(wide.to_numpy())
    first, last = logs[0], logs[-1]
    rows = [
        _trend(logs.std(axis=1, ddof=1)),
        _pitman_morgan(first, last),
        _carree_klomp(first, last),
        _lichtenberg(first, last),
    ]
    return pd.DataFrame(rows).assign(group=group)[
        ["group", "test", "estimate", "std_error", "statistic", "dof", "p_value"]
    ]


def _trend(sd_log: FloatArray) -> dict[str, Any]:
    series = pd.DataFrame({"series": "sd_log", "t": np.arange(len(sd_log)), "y": sd_log})
    fit = feols(Panel(series.assign(trend=series["t"]), "series", "t"), "y ~ trend", vcov=newey_west())
    row = fit.tidy().set_index("term").loc["trend"]
    return {"test": "trend", "dof": float(fit.dof[-1]), **row[["estimate", "std_error", "statistic", "p_value"]]}


def _pitman_morgan(first: FloatArray, last: FloatArray) -> dict[str, Any]:
    n = len(first)
    r = float(np.corrcoef(first + last, first - last)[0, 1])
    statistic = r * np.sqrt((n - 2) / (1 - r**2))
    difference = float(first.std(ddof=1) - last.std(ddof=1))
    p_value = float(2 * stats.t.sf(abs(statistic), n - 2))
    return {"test": "pitman_morgan", "estimate": difference, "statistic": statistic, "dof": n - 2.0, "p_value": p_value}


def _carree_klomp(first: FloatArray, last: FloatArray) -> dict[str, Any]:
    n = len(first)
    (v0, c), (_, v1) = np.cov(first, last)
    statistic = (n - 2.5) * np.log1p((v0 - v1) ** 2 / (4 * (v0 * v1 - c**2)))
    difference = float(np.sqrt(v0) - np.sqrt(v1))
    p_value = float(stats.chi2.sf(statistic, 1))
    return {
        "test": "carree_klomp",
        "estimate": difference,
        "statistic": float(statistic),
        "dof": 1.0,
        "p_value": p_value,
    }


def _lichtenberg(first: FloatArray, last: FloatArray) -> dict[str, Any]:
    n = len(first)
    ratio = float(first.var(ddof=1) / last.var(ddof=1))
    difference = float(first.std(ddof=1) - last.std(ddof=1))
    p_value = float(stats.f.sf(ratio, n - 2, n - 2))
    return {"test": "lichtenberg", "estimate": difference, "statistic": ratio, "dof": n - 2.0, "p_value": p_value}


def _left_out(panel: Panel, x: str, wide: pd.DataFrame) -> tuple[Text, ...]:
    lost = [str(unit) for unit in panel.units if unit not in set(wide.columns)]
    if not lost:
        return ()
    names = ", ".join(lost)
    return (
        {
            "en": f"Left out of the dispersion because {x} is not known in every period: {names}.",
            "zh": f"因部分时期缺少数据而未计入离散度的地区：{names}。",
        },
    )
