"""Growth accounting: how much of the growth of output capital, labour and human capital account for."""

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from econ.data.frames import SHOWN
from econ.errors import DataError, ModelError, OptionError
from econ.estimate import Estimate
from econ.linear.fit import BoolArray, FloatArray
from econ.panel import Column, Panel
from econ.problem import check_panel
from econ.regress import feols
from econ.text import Text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from econ.report.figures import Plot

ALL = "all"
OUTPUT, CAPITAL = "output_per_worker", "capital_per_worker"  # columns of the regression for the share


@dataclass(frozen=True, eq=False, repr=False)
class Accounting:
    """Growth of output and its parts, in logs; ``output = capital + labour (+ human) + tfp`` in every row.

    Attributes
    ----------
    changes : the panel's unit column, ``start, period, years, capital_share`` and, from ``start`` to ``period``,
        ``output, capital, labour`` (``human``) ``tfp``
    averages : unit column, ``start, period, years`` and the same per year over all of a unit's changes
    means : ``group, start, period, n`` and means of ``changes`` over the units of a group; ``"all"`` first
    groups : ``group, n`` and means of ``averages`` over the units of a group
    estimate : the regression the capital share is from, or None where it was given
    spec : what was asked for, as plain JSON
    notes : what a reader must know
    """

    changes: pd.DataFrame
    averages: pd.DataFrame
    means: pd.DataFrame
    groups: pd.DataFrame
    estimate: Estimate | None
    spec: dict[str, Any]
    notes: tuple[Text, ...] = ()

    def __repr__(self) -> str:
        first, last = self.changes["start"].iloc[0], self.changes["period"].iloc[-1]
        lines = [
            f"Growth accounting of {self.spec['output']}, {first}-{last}: mean annual changes in logs",
            self.groups.to_string(index=False, float_format=lambda x: f"{x:.4f}"),
        ]
        return "\n".join([*lines, *(f"Note: {note['en']}" for note in self.notes)])

    def plot(self, ax: "Axes | None" = None) -> "Plot":
        """Contributions by group, or by unit, stacked."""
        from econ.report import accounting_plot

        return accounting_plot(self, ax=ax)


def growth_accounting(
    panel: Panel,
    output: str,
    capital: str,
    labour: str,
    human: str | None = None,
    *,
    capital_share: float | str | None = None,
    by: str | None = None,
) -> Accounting:
    r"""Contributions of capital, labour and human capital to growth, and the Solow residual, by unit.

    From ``Y = A K^a (h L)^(1 - a)``, constant returns,

    .. math:: \Delta\ln Y_{it} = \bar a_{it}\,\Delta\ln K_{it} + (1 - \bar a_{it})(\Delta\ln L_{it} + \Delta\ln h_{it})
              + \Delta\ln A_{it},

    with the share of capital at its mean of the two periods (Tornqvist). ``tfp`` is the last term: what the others
    leave, with their errors of measurement.

    Parameters
    ----------
    panel : the data; amounts positive, output and capital at constant prices
    output, capital, labour : columns. A capital stock is made by ``panel.capital_stock``.
    human : column of human capital per worker as a factor h, such as ``exp(0.1 * schooling)``, a tenth more per year of
        schooling (Hall and Jones 1999); without it, it is part of ``tfp``
    capital_share : a number, or a column of shares between 0 and 1. Without it the share is the slope a of

        .. math:: \ln\frac{Y_{it}}{h_{it} L_{it}} = a \ln\frac{K_{it}}{h_{it} L_{it}} + \alpha_i + \lambda_t + u_{it},

        which takes capital for unrelated to what productivity does beyond the two effects: where investment follows
        productivity, the slope is too large and ``tfp`` too small.
    by : column of groups, constant within units, for ``means`` and ``groups``

    Notes
    -----
    Rows that lack an amount are left out and named. Changes are from a period of the sample to the next; a unit that is
    missing in either has no change there. All changes are logarithmic: 0.05 is 5.1 %.

    References
    ----------
    Solow (1957), Review of Economics and Statistics 39(3); Barro and Sala-i-Martin (2004), Economic Growth, 2nd ed.,
    section 10.1; Hall and Jones (1999), Quarterly Journal of Economics 114(1).

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").where(lambda d: d["year"].between(2000, 2016) & (d["province"] != "Tibet"))
    >>> panel = panel.carry(["gdp"], "gdp_index", base=2000).deflate(["gfcf"], "investment_price_index", base=2000)
    >>> panel = panel.capital_stock("real_gfcf", depreciation=0.096)
    >>> found = econ.growth.growth_accounting(
    ...     panel, "real_gdp", "capital_real_gfcf", "employment", capital_share=0.5
    ... )
    >>> found.groups.round(3)[["output", "capital", "labour", "tfp"]].iloc[0].tolist()
    [0.102, 0.082, 0.008, 0.011]
    """
    check_panel(panel)
    names = {"output": output, "capital": capital, "labour": labour} | ({"human": human} if human else {})
    data, notes = _read(panel, names, capital_share)
    share, estimate = _share(data, names, capital_share)
    changes = _changes(data, names, share)
    parts = [*names, "tfp"]
    averages = _averages(changes, panel.unit, parts)
    groups = [pd.Series(ALL, index=panel.units), *([] if by is None else [panel.attribute(by)])]
    spec = {
        "estimator": "growth_accounting", **names, "human": human, "by": by, "unit": panel.unit, "time": panel.time,
        "capital_share": capital_share if estimate is None else float(estimate.coef[0]),
        "dataset": panel.dataset, "history": list(panel.history), "labels": panel.labels(list(names.values())),
    }  # fmt: skip
    return Accounting(
        changes,
        averages,
        _means(changes, panel.unit, groups, ["start", "period"], parts),
        _means(averages, panel.unit, groups, [], parts),
        estimate,
        spec,
        (*panel.notes, *notes, *_share_note(estimate)),
    )


def _read(panel: Panel, names: dict[str, str], capital_share: float | str | None) -> tuple[Panel, list[Text]]:
    """The rows with all amounts, and a note that names the others."""
    columns = [*names.values(), *([capital_share] if isinstance(capital_share, str) else [])]
    values = np.column_stack([panel.values(name) for name in columns])
    known: BoolArray = np.asarray(~np.isnan(values).any(axis=1))
    if not known.any():
        raise DataError(f"No row has all of {', '.join(columns)}; take other columns or periods.")
    for name, column in zip(names.values(), values.T, strict=False):
        _refuse(panel, known & (column <= 0), f"{name!r} is zero or negative", "it has no logarithm")
    if isinstance(capital_share, str):
        outside = known & ((values[:, -1] <= 0) | (values[:, -1] >= 1))
        _refuse(panel, outside, f"{capital_share!r} is not between 0 and 1", "it is no share")
    data = panel.where(known)
    if data.n_periods < 2:
        raise ModelError("Growth needs at least two periods with all amounts.")
    return data, _missing_note(panel, ~known, columns)


def _refuse(panel: Panel, wrong: BoolArray, what: str, why: str) -> None:
    if wrong.any():
        raise DataError(
            f"{what} in {int(wrong.sum())} rows ({_named(panel, wrong, '; ')}); {why}. Correct these rows, or leave "
            "them out with panel.where(...)."
        )


def _missing_note(panel: Panel, lost: BoolArray, columns: list[str]) -> list[Text]:
    if not lost.any():
        return []
    n = int(lost.sum())
    return [
        {
            "en": f"{n} row(s) left out, which lack one of {', '.join(columns)}: {_named(panel, lost, ', ')}.",
            "zh": f"因{'、'.join(columns)}缺失剔除 {n} 行：{_named(panel, lost, '、')}。",
        }
    ]


def _named(panel: Panel, rows: BoolArray, comma: str) -> str:
    shown = [
        f"{panel.units[panel.unit_codes[row]]} {panel.period(int(panel.time_codes[row]))}"
        for row in np.flatnonzero(rows)[:SHOWN]
    ]
    return comma.join(shown) + (f"{comma}..." if rows.sum() > SHOWN else "")


# ---------------------------------------------------------------------- share of capital


def _share(data: Panel, names: dict[str, str], capital_share: float | str | None) -> tuple[FloatArray, Estimate | None]:
    """(N,) share of capital in each row, and the regression it is from."""
    if isinstance(capital_share, str):
        return data.values(capital_share), None
    estimate = None if capital_share is not None else _regression(data, names)
    share = capital_share if estimate is None else float(estimate.coef[0])
    if share is None or not 0 < share < 1:
        raise _no_share(share, estimate)
    return np.full(data.n_obs, share), estimate


def _no_share(share: float | None, estimate: Estimate | None) -> OptionError | ModelError:
    if estimate is None:
        return OptionError(f"capital_share={share!r} is not allowed; give a share between 0 and 1, such as 0.4.")
    return ModelError(
        f"The regression gives a capital share of {share:.3f}, which is not between 0 and 1; give capital_share= a "
        "number or a column."
    )


def _regression(data: Panel, names: dict[str, str]) -> Estimate:
    workers = data.values(names["labour"]) * (data.values(names["human"]) if "human" in names else 1.0)
    logs = {
        OUTPUT: np.log(data.values(names["output"]) / workers),
        CAPITAL: np.log(data.values(names["capital"]) / workers),
    }
    effective = ("effective ", "有效") if "human" in names else ("", "")
    labels = {
        OUTPUT: Column(f"Log output per {effective[0]}worker", f"{effective[1]}劳均产出（对数）"),
        CAPITAL: Column(f"Log capital per {effective[0]}worker", f"{effective[1]}劳均资本（对数）"),
    }
    return feols(data.assign(**logs).with_labels(labels), f"{OUTPUT} ~ {CAPITAL} | {data.unit} + {data.time}")


def _share_note(estimate: Estimate | None) -> tuple[Text, ...]:
    if estimate is None:
        return ()
    share, error = f"{estimate.coef[0]:.3f}", f"{estimate.std_error[0]:.3f}"
    return (
        {
            "en": f"Capital share {share} (standard error {error}, clustered by unit), the slope of log output on log "
            "capital per worker with unit and period effects; too large where investment follows productivity.",
            "zh": f"资本份额 {share}（个体聚类标准误 {error}），取自劳均产出对数对劳均资本对数的双向固定效应回归；"
            "若投资随生产率变动，该份额偏高。",
        },
    )


# ---------------------------------------------------------------------- changes and means


def _changes(data: Panel, names: dict[str, str], share: FloatArray) -> pd.DataFrame:
    codes, times = data.unit_codes, data.time_codes
    order = np.lexsort((codes, times))
    amounts = pd.DataFrame({role: np.log(data.values(name)) for role, name in names.items()})
    rows = amounts.assign(capital_share=share, number=data.time_numbers, at=times, unit=data.units[codes]).iloc[order]
    by_period = {int(at): rows[rows["at"] == at].set_index("unit") for at in np.unique(times)}
    parts = [
        _between(by_period[a], by_period[b], names).assign(start=data.period(a), period=data.period(b))
        for a, b in pairwise(by_period)
    ]
    table = pd.concat(parts).rename_axis(data.unit).reset_index()
    if table.empty:
        raise ModelError("No unit has all amounts in two neighbouring periods of the sample, so there is no growth.")
    return table[[data.unit, "start", "period", "years", "capital_share", *names, "tfp"]]


def _between(first: pd.DataFrame, last: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """Changes of the units that both periods have."""
    units = first.index.intersection(last.index, sort=False)
    first, last = first.loc[units], last.loc[units]
    found = (last - first)[list(names)]
    share = (first["capital_share"] + last["capital_share"]) / 2
    found["capital"] *= share
    for role in [name for name in ("labour", "human") if name in names]:
        found[role] *= 1 - share
    rest = found["output"] - found.drop(columns="output").sum(axis=1)
    return found.assign(tfp=rest, capital_share=share, years=last["number"] - first["number"])


def _averages(changes: pd.DataFrame, unit: str, parts: list[str]) -> pd.DataFrame:
    """Per year over all changes of each unit."""
    grouped = changes.groupby(unit, sort=False)
    table = grouped.agg(start=("start", "first"), period=("period", "last"), years=("years", "sum"))
    return table.join(grouped[parts].sum().div(table["years"], axis=0)).reset_index()


def _means(
    table: pd.DataFrame, unit: str, groups: list["pd.Series[Any]"], keys: list[str], parts: list[str]
) -> pd.DataFrame:
    """Means over the units of each group, all units first."""
    found = []
    for group in groups:
        grouped = table.assign(group=table[unit].map(group)).groupby(["group", *keys])
        found.append(grouped[parts].mean().assign(n=grouped.size()).reset_index())
    return pd.concat(found, ignore_index=True)[["group", *keys, "n", *parts]]
