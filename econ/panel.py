"""Panel: a checked unit x time frame with labels and units of measure; the one thing every estimator takes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from econ.data import transform
from econ.data.frames import (
    SHOWN,
    as_frequency,
    calendar_numbers,
    counted_from,
    quote_cells,
    quote_rows,
    refuse_duplicates,
    refuse_infinities,
    require_columns,
    sorted_codes,
    to_pandas,
)
from econ.data.transform import Multiple, SteadyState, Transformed
from econ.errors import DataError, OptionError
from econ.linear.fit import FloatArray, IntArray
from econ.options import GrowthKind, IndexKind, InterpolationKind, Quality
from econ.text import Text, as_text

STATUS_ZH = {  # of the rosters
    "confirmed": "已核实",
    "list_and_batch_size_confirmed": "名单与批次已核实",
    "recalled_count_reconciled": "凭记忆、总数相符",
    "listed": "见于公布名单",
    "recalled": "凭记忆",
    "uncertain": "存疑",
}
UNITS_ZH = {"log points": "对数点", "percent": "%"}  # units of measure that transforms give


@dataclass(frozen=True)
class Column:
    """What is known about a column besides its values; it rides along to tables and axes."""

    label: str | None = None
    label_zh: str | None = None
    unit: str | None = None
    unit_zh: str | None = None
    quality: Quality | None = None
    source: str | None = None
    note: str | None = None


class Panel:
    """Units observed over calendar periods, checked once, with labels and units of measure.

    Parameters
    ----------
    frame : pandas, polars or Arrow data frame in long form, one row per unit and period, in any order. Gaps and
        imbalance are allowed.
    unit : column that names the unit; several columns (origin and destination) are joined into one.
    time : column of periods: whole numbers (years) or dates, which become years, quarters, months or days, whichever
        is the coarsest that keeps them apart. ``None`` for a cross-section.
    columns : column -> ``Column``, where labels, units of measure and sources are known.
    dataset : ``{"name", "sha256"}`` of the shipped data set that the frame came from.
    notes : sentences (English, or English and Chinese) that every table and figure made from this panel must carry.

    Raises
    ------
    DataError : missing or duplicate keys, infinities, columns that do not exist or stand twice.
    OptionError : keys that are no names of columns.

    Examples
    --------
    >>> import econ
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"region": ["A", "A", "B"], "year": [2019, 2020, 2020], "y": [1.0, 2.0, 3.0]})
    >>> econ.Panel(frame, unit="region", time="year")
    Panel of 2 units (region) x 2 periods (year, 2019-2020), 3 rows, unbalanced, 1 column
    """

    def __init__(
        self,
        frame: Any,
        unit: str | Sequence[str],
        time: str | None = None,
        *,
        columns: Mapping[str, Column] | None = None,
        dataset: Mapping[str, str] | None = None,
        notes: Sequence[str | Text] = (),
    ) -> None:
        _check_key_names(unit, time)
        data = to_pandas(frame, [*([unit] if isinstance(unit, str) else unit), *([time] if time else [])])
        self.unit = unit if isinstance(unit, str) else "_".join(unit)
        if not isinstance(unit, str):
            data[self.unit] = data[list(unit)].astype(str).agg(" | ".join, axis=1)
        self.time = time
        self.dataset = dict(dataset) if dataset else None
        self.notes = tuple(as_text(note) for note in notes)
        self.history: tuple[str, ...] = ()
        self._frame = data
        self._columns = dict(columns or {})
        self._check_keys()
        refuse_infinities(data, self._name_row)

    # ---- what it holds

    @property
    def frame(self) -> pd.DataFrame:
        """The data, rows in the order they were given."""
        return self._frame.copy(deep=False)

    @property
    def n_obs(self) -> int:
        """Rows."""
        return len(self._frame)

    @property
    def n_units(self) -> int:
        """Units."""
        return len(self.units)

    @property
    def n_periods(self) -> int:
        """Distinct periods present."""
        return len(self.periods)

    @property
    def is_balanced(self) -> bool:
        """Whether every unit is there in every period present."""
        return self.n_obs == self.n_units * self.n_periods

    @property
    def columns(self) -> pd.DataFrame:
        """One row per column: ``name, label, label_zh, unit, unit_zh, quality, source, note``."""
        return pd.DataFrame([{"name": str(name)} | vars(self.column(str(name))) for name in self._frame.columns])

    def column(self, name: str) -> Column:
        """What is known about one column."""
        self._require([name])
        return self._columns.get(name, Column())

    def labels(self, names: Sequence[str]) -> dict[str, dict[str, str]]:
        """Labels and units of measure of some columns as plain JSON, where known."""
        known = {name: self.column(name) for name in names}
        kept = ("label", "label_zh", "unit", "unit_zh")
        return {name: {key: getattr(c, key) for key in kept if getattr(c, key)} for name, c in known.items() if c.label}

    def values(self, name: str) -> FloatArray:
        """(N,) a numeric column as floats, missing as NaN; anything else is refused."""
        self._require([name])
        series = self._frame[name]
        if not pd.api.types.is_numeric_dtype(series):
            raise DataError(
                f"Column {name!r} is not numeric ({self._held(series)}); "
                "give a numeric column, or turn it into numbers first."
            )
        return series.to_numpy(dtype=np.float64, na_value=np.nan)

    def describe(self) -> pd.DataFrame:
        """Summary of every numeric column, its standard deviation split into between and within units.

        ``sd_between`` is the standard deviation of the unit means and ``sd_within`` that of
        ``x_it - mean_i + mean`` (Stata's ``xtsum``).
        """
        rows = []
        for name in self._numeric_columns():
            x = self.values(name)
            known = x[~np.isnan(x)]
            parts = transform.variance_split(self.unit_codes, x)
            rows.append(
                {
                    "name": name,
                    "label": self.column(name).label,
                    "unit": self.column(name).unit,
                    "n": len(known),
                    "missing": len(x) - len(known),
                    "mean": parts.mean,
                    "sd": parts.sd_overall,
                    "sd_between": parts.sd_between,
                    "sd_within": parts.sd_within,
                    "min": known.min() if len(known) else np.nan,
                    "max": known.max() if len(known) else np.nan,
                }
            )
        return pd.DataFrame(rows)

    def __repr__(self) -> str:
        span = f", {self.periods[0]}-{self.periods[-1]}" if self.time else ""
        balance = "balanced" if self.is_balanced else "unbalanced"
        n_columns = len(self._frame.columns) - 1 - (self.time is not None)
        return (
            f"Panel of {self.n_units:,} units ({self.unit}) x {self.n_periods} period{'s' * (self.n_periods != 1)}"
            f" ({self.time or 'cross-section'}{span}), {self.n_obs:,} rows, {balance}, "
            f"{n_columns} column{'s' * (n_columns != 1)}"
        )

    def _repr_html_(self) -> str:
        return f"<p>{self!r}</p>{self._frame.head(10).to_html(index=False)}"

    # ---- making a new one

    @classmethod
    def from_wide(cls, frame: Any, unit: str, name: str, time: str = "year") -> "Panel":
        """A panel of one variable from a frame with one row per unit and one column per period."""
        wide = to_pandas(frame, [unit])
        periods = [column for column in wide.columns if column != unit]
        labels = pd.to_numeric(pd.Series([str(period) for period in periods]), errors="coerce")
        if labels.isna().any():
            wrong = [str(period) for period, label in zip(periods, labels, strict=True) if pd.isna(label)]
            raise DataError(
                f"Columns {', '.join(wrong[:SHOWN])} are no periods; all but {unit!r} must be, such as 2015."
            )
        long = wide.rename(columns=dict(zip(periods, labels.astype(int), strict=True))).melt(
            unit, var_name=time, value_name=name
        )
        return cls(long.astype({time: np.int64}), unit, time)

    def assign(self, **new: Any) -> "Panel":
        """Add or replace columns by values or by functions of the frame, as pandas' ``assign`` does."""
        frame = self._frame.assign(**new)
        return self._with(frame, f"assigned {', '.join(new)}", {name: Column() for name in new})

    def where(self, rows: Callable[[pd.DataFrame], Any] | Any) -> "Panel":
        """The rows for which a condition holds; ``rows`` is a function of the frame or a boolean per row."""
        flags = np.asarray(rows(self._frame) if callable(rows) else rows)
        if flags.dtype != np.bool_ or flags.shape != (self.n_obs,):
            raise OptionError(
                f"where() takes {self.n_obs} true/false values, one per row; got {flags.dtype} of shape {flags.shape}."
            )
        return self._with(self._frame[flags], f"kept {int(flags.sum())} of {self.n_obs} rows")

    def with_labels(self, labels: Mapping[str, Column | str]) -> "Panel":
        """Set what is known about columns; a plain string is the English label."""
        self._require(labels)
        known = {
            name: replace(self.column(name), label=words) if isinstance(words, str) else words
            for name, words in labels.items()
        }
        return self._with(self._frame, None, known)

    def join(self, frame: Any, on: str | Sequence[str] | None = None) -> "Panel":
        """Add the columns of a frame keyed by ``on`` (default: the unit), such as ``econ.regions()``.

        Every key must stand once in ``frame``; a column that the panel has already must agree with it. Rows of the
        panel without a match get missing values, and a panel none of whose rows match is refused.
        """
        keys = [self.unit] if on is None else [on] if isinstance(on, str) else list(on)
        self._require(keys)
        other = to_pandas(frame, keys)
        twice = other.duplicated(keys, keep=False)
        if twice.any():
            raise DataError(
                f"The frame to join has keys that stand more than once ({quote_rows(other.loc[twice, keys])}); "
                "each key must stand once: drop or aggregate the duplicates."
            )
        new = [str(column) for column in other.columns if column not in keys]
        merged = self._frame.merge(
            other, on=keys, how="left", validate="many_to_one", indicator="_merge_", suffixes=("", "_joined_")
        )
        taken = [name for name in new if name in self._frame.columns]
        same = [name for name in taken if _agree(merged[name], merged.pop(f"{name}_joined_"))]
        if same != taken:
            clash = ", ".join(name for name in taken if name not in same)
            raise DataError(
                f"The panel already has {clash}, with other values; rename or drop it in the frame to join."
            )
        new = [name for name in new if name not in taken]
        found = merged.pop("_merge_") == "both"
        if not found.any():
            raise DataError(
                f"No row matches on {', '.join(keys)}: the panel has {quote_rows(self._frame[keys])}; the frame has "
                f"{quote_rows(other[keys])}. Bring the names to one spelling first (econ.standard_names)."
            )
        lost = f"; {int((~found).sum())} rows without a match" if not found.all() else ""
        return self._with(merged, f"joined {', '.join(new)} on {', '.join(keys)}{lost}")

    def with_cohort(self, roster: Any, name: str = "cohort") -> "Panel":
        """Add the first treated period of each unit; missing means never treated.

        Parameters
        ----------
        roster : data frame with columns ``unit`` and ``year`` (and ``status``, whose counts become a note), one row per
            treated unit, as ``econ.roster`` gives it. Units that the panel does not have are named in ``history``.
        """
        roster = to_pandas(roster, [])
        missing = {"unit", "year"} - set(roster.columns)
        if missing:
            raise DataError(f"The roster lacks {', '.join(sorted(missing))}; it needs the columns unit and year.")
        undated = roster.loc[roster[["unit", "year"]].isna().any(axis=1), ["unit", "year"]]
        if len(undated):
            raise DataError(
                f"{len(undated)} rows of the roster have no unit or no year (rows {quote_rows(undated)}); "
                "fill them in, or drop them: their units then count as never treated."
            )
        cohorts = roster.groupby("unit")["year"].nunique()
        if (cohorts > 1).any():
            twice = ", ".join(map(str, cohorts.index[cohorts > 1][:SHOWN]))
            raise DataError(f"Units with more than one first treated period: {twice}; keep one row per unit.")
        self._refuse_unknown_units(roster["unit"])
        first = roster.drop_duplicates("unit").set_index("unit")["year"]
        frame = self._frame.assign(**{name: self._frame[self.unit].map(first).astype(np.float64)})
        label = Column(label="First treated period", label_zh="首次处理期", unit=self.time)
        here = first.index.isin(self.units)
        away = f"; not in the panel: {', '.join(map(str, first.index[~here]))}" if not here.all() else ""
        said = f"added {name}: {int(here.sum())} of {self.n_units} units treated{away}"
        panel = self._with(frame, said, {name: label})
        if "status" in roster:
            counts = roster.drop_duplicates("unit")["status"].value_counts().sort_index()
            words = ", ".join(f"{count} {status}" for status, count in counts.items())
            words_zh = "、".join(f"{STATUS_ZH.get(str(status), status)} {count} 个" for status, count in counts.items())
            status_note = {"en": f"Status of the treatment dates: {words}.", "zh": f"处理时间的核实状态：{words_zh}。"}
            panel.notes = (*panel.notes, status_note)
        return panel

    # ---- transforms; each adds one sentence to ``history``

    def log(self, names: Sequence[str]) -> "Panel":
        """Add ``log_<name>``, natural logs; zero or negative values are refused, not made missing."""
        _refuse_single_name(names)
        new: dict[str, FloatArray] = {}
        for name in names:
            x = self.values(name)
            if (x <= 0).any():
                rows = np.flatnonzero(x <= 0)
                named = "; ".join(self._name_row(int(row)) for row in rows[:SHOWN])
                raise DataError(
                    f"{name!r} has {len(rows)} values that are zero or negative ({named}), which have no log. "
                    "Leave these rows out with where(), or use a model for levels such as econ.fepois."
                )
            new[f"log_{name}"] = np.log(x)
        columns = {f"log_{name}": self._relabel(name, "{} (log)", "{}（对数）", "") for name in names}
        return self._with(self._frame.assign(**new), f"took logs of {', '.join(names)}", columns)

    def lag(self, names: Sequence[str], periods: int = 1) -> "Panel":
        """Add ``lag<k>_<name>``: the value ``k`` calendar periods earlier, missing where that period is missing."""
        _check_periods(periods, "lead")
        return self._shift(names, periods, "lag", "{}, lag {}", "{}（滞后{}期）")

    def lead(self, names: Sequence[str], periods: int = 1) -> "Panel":
        """Add ``lead<k>_<name>``: the value ``k`` calendar periods later, missing where that period is missing."""
        _check_periods(periods, "lag")
        return self._shift(names, -periods, "lead", "{}, lead {}", "{}（提前{}期）")

    def growth(self, names: Sequence[str], periods: int = 1, kind: GrowthKind = "log") -> "Panel":
        """Add ``growth_<name>``: log differences, or ``"percent"``; see ``transform.growth``.

        Over ``k`` > 1 periods, not annualised, it is ``growth<k>_<name>``.
        """
        _check_periods(periods)
        unit = "log points" if kind == "log" else "percent"
        over = ("", "", "") if periods == 1 else (str(periods), f" over {periods} periods", f"（{periods}期）")
        return self._transform(
            names,
            lambda x: transform.growth(x, self.unit_codes, self.time_numbers, periods, kind),
            f"growth{over[0]}_{{}}",
            (f"growth of {{}}{over[1]}", f"{{}}增长率{over[2]}", unit),
        )

    def deflate(self, names: Sequence[str], index: str, base: int, kind: IndexKind = "chain") -> "Panel":
        """Add ``real_<name>`` at prices of period ``base``, by the price index in column ``index``.

        ``kind="chain"``: the index is previous period = 100; ``"fixed"``: a level on any fixed base. See
        ``transform.deflate``.
        """
        price = self.values(index)
        return self._real(
            names,
            base,
            lambda x: transform.deflate(x, price, self.unit_codes, self.time_numbers, base=base, kind=kind),
        )

    def carry(self, names: Sequence[str], index: str, base: int) -> "Panel":
        """Add ``real_<name>`` at prices of period ``base``: the value of ``base`` carried by a chain index of volume.

        ``index`` is previous period = 100, such as the official index of real product: ``carry(["gdp"], "gdp_index",
        2010)``. Nominal values of other periods are not used, so that a revised nominal series never meets an index
        that was not revised: do not divide one by the other, and do not deflate by their ratio. See
        ``transform.carry``.
        """
        volume = self.values(index)
        return self._real(names, base, lambda x: transform.carry(x, volume, self.unit_codes, self.time_numbers, base))

    def chain(self, index: str, base: int) -> "Panel":
        """Add ``level_<index>``: the level of a chain index (previous period = 100), 1 in period ``base``."""
        return self._transform(
            [index],
            lambda x: transform.index_to_level(x, self.unit_codes, self.time_numbers, base),
            "level_{}",
            (f"{{}}, {base} = 1", f"{{}}（{base}年=1）", f"{base} = 1"),
        )

    def winsorize(self, names: Sequence[str], lower: float, upper: float, by: str | None = None) -> "Panel":
        """Set values beyond two quantiles to these quantiles, under the same name.

        Over all rows, or within the groups of column ``by``, which must not be missing.
        """
        groups = None if by is None else self._groups(by)
        return self._transform(names, lambda x: transform.winsorize(x, lower, upper, groups), "{}", None)

    def interpolate(self, names: Sequence[str], kind: InterpolationKind = "linear") -> "Panel":
        """Fill gaps inside a unit's series, never beyond its ends, in place; rows are not added."""
        return self._transform(
            names, lambda x: transform.interpolate(x, self.unit_codes, self.time_numbers, kind), "{}", None
        )

    def capital_stock(
        self, investment: str, depreciation: float | str, initial: SteadyState | Multiple | str | None = None
    ) -> "Panel":
        """Add ``capital_<investment>`` by perpetual inventory from investment at constant prices.

        Parameters
        ----------
        depreciation : rate per period, or the column that holds it.
        initial : rule for the first stock, or the column that holds it; by default ``SteadyState(10)``. See
            ``transform.capital_stock``.
        """
        rate = self.values(depreciation) if isinstance(depreciation, str) else depreciation
        if initial is not None and not isinstance(initial, SteadyState | Multiple | str):
            raise OptionError(
                f"initial={initial!r} is not allowed; give a rule of econ.data.transform, SteadyState(10) or "
                "Multiple(10), or the column that holds the first stock."
            )
        start = self.values(initial) if isinstance(initial, str) else initial or SteadyState()

        def accumulate(x: FloatArray) -> Transformed:
            found = transform.capital_stock(x, self.unit_codes, self.time_numbers, rate, start)
            if found.counts["units_without_initial_stock"] == self.n_units:
                raise DataError(
                    f"No unit has an initial stock (initial={initial or SteadyState()}): SteadyState(k) needs positive "
                    "investment in a unit's first period with a value and k periods later. Use "
                    "econ.data.transform.SteadyState with fewer periods, Multiple(10), or a column."
                )
            return found

        return self._transform(
            [investment],
            accumulate,
            "capital_{}",
            ("capital stock from {}", "资本存量（由{}）", None),
        )

    def distance_to_frontier(self, names: Sequence[str], quantile: float = 1.0) -> "Panel":
        """Add ``distance_<name>``: log gap to the largest value (or a quantile) of the period, 0 on the frontier."""
        return self._transform(
            names,
            lambda x: transform.distance_to_frontier(x, self.time_numbers, quantile),
            "distance_{}",
            ("distance to frontier, {}", "与前沿的距离（{}）", "log points"),
        )

    # ---- keys

    @cached_property
    def units(self) -> NDArray[Any]:
        """Unit labels, sorted; ``unit_codes`` point into them."""
        return self._units

    def _check_keys(self) -> None:
        keys = [self.unit, *([self.time] if self.time else [])]
        absent = self._frame[keys].isna().any(axis=1)
        if absent.any():
            rows = ", ".join(map(str, np.flatnonzero(absent)[:SHOWN]))
            raise DataError(f"{int(absent.sum())} rows have no {' or '.join(keys)} (rows {rows}); fill or drop them.")
        if not len(self._frame):
            raise DataError("The frame has no rows; a panel needs at least one.")
        self.unit_codes, self._units = sorted_codes(self._frame[self.unit])
        numbers, self._period_label = calendar_numbers(self._frame[self.time] if self.time else None, len(self._frame))
        self._first = int(numbers.min())
        self.time_codes = counted_from(numbers, self._first)
        refuse_duplicates(self.unit_codes, self.time_codes, self._frame, keys)

    @property
    def time_numbers(self) -> IntArray:
        """(N,) ``time_codes`` on the calendar's own scale: the years themselves."""
        return self.time_codes.astype(np.int64) + self._first

    @cached_property
    def periods(self) -> list[Any]:
        """Periods present, sorted, as they print: 2015, 2015Q1, 2015-03."""
        present = np.flatnonzero(np.bincount(self.time_codes))
        return [self._period_label(int(code) + self._first) for code in present]

    def period(self, code: int) -> Any:
        """The label of one calendar number of ``time_codes``."""
        return self._period_label(code + self._first)

    def attribute(self, name: str) -> "pd.Series[Any]":
        """A column that does not change within units, by unit; one that does is refused."""
        self._require([name])
        pairs = self._frame[[self.unit, name]].drop_duplicates()
        twice = pairs[self.unit][pairs[self.unit].duplicated()]
        if len(twice):
            raise DataError(
                f"Column {name!r} changes within {self.unit} ({', '.join(map(str, twice.unique()[:SHOWN]))}); "
                "it must be constant within each unit."
            )
        return pairs.set_index(self.unit)[name]

    def cohorts(self, name: str) -> FloatArray:
        """(n_units,) first treated period of each unit on the scale of ``time_codes``; NaN = never treated.

        Raises
        ------
        DataError : a unit has two cohorts, the column is not a calendar column, or zero is used for "never".
        """
        self._require([name])
        values = self._frame[name]
        row = np.empty(self.n_units, dtype=np.intp)
        row[self.unit_codes] = np.arange(self.n_obs)
        self._refuse_changes(name, row)
        values = values.iloc[row].reset_index(drop=True)
        known = values.notna().to_numpy()
        first = np.full(self.n_units, np.nan)
        if known.any():
            dates = as_frequency(values[known], self._frame[self.time] if self.time else None)
            first[known] = calendar_numbers(dates, 0)[0] - self._first
            if (values[known] == 0).any() and self._first > 0:
                raise DataError(
                    f"Column {name!r} has zeros; never-treated units must be missing. "
                    f"Use panel.assign({name}=lambda d: d[{name!r}].where(d[{name!r}] > 0))."
                )
        return first

    def _refuse_changes(self, name: str, row: IntArray) -> None:
        """Refuse a column that differs from what it is in one ``row`` (n_units,) of each unit."""
        series = self._frame[name]
        plain = isinstance(series.dtype, np.dtype) and series.dtype.kind in "if"
        x = series.to_numpy() if plain else pd.factorize(series)[0]
        same = x[row][self.unit_codes] == x
        if not same.all():
            absent = series.isna().to_numpy()
            same |= absent & absent[row][self.unit_codes]
        if not same.all():
            units = pd.unique(self._frame.loc[~same, self.unit])
            raise DataError(
                f"Column {name!r} changes within {len(units)} unit{'s' * (len(units) > 1)} "
                f"({', '.join(map(str, units[:SHOWN]))}); a cohort is one period per unit, in all its rows."
            )

    # ---- helpers

    def _with(self, frame: pd.DataFrame, did: str | None, columns: Mapping[str, Column] | None = None) -> "Panel":
        panel = Panel(
            frame,
            self.unit,
            self.time,
            columns=self._columns | dict(columns or {}),
            dataset=self.dataset,
            notes=self.notes,
        )
        panel.history = self.history if did is None else (*self.history, did)
        return panel

    def _transform(
        self,
        names: Sequence[str],
        apply: Callable[[FloatArray], Transformed],
        pattern: str,
        words: tuple[str, str, str | None] | None,
    ) -> "Panel":
        """Apply a transform column by column; ``words`` are the label patterns (en, zh) and the unit of measure."""
        _refuse_single_name(names)
        done = {name: apply(self.values(name)) for name in names}
        columns = {}
        if words is not None:
            columns = {pattern.format(name): self._relabel(name, *words) for name in names}
        frame = self._frame.assign(**{pattern.format(name): result.values for name, result in done.items()})
        said = "; ".join(f"{pattern.format(name)}: {result.report}" for name, result in done.items())
        return self._with(frame, said, columns)

    def _real(self, names: Sequence[str], base: int, apply: Callable[[FloatArray], Transformed]) -> "Panel":
        """``real_<name>``; its unit of measure no longer speaks of current prices, its label of those of ``base``."""
        panel = self._transform(names, apply, "real_{}", (f"{{}}, {base} prices", f"{{}}（{base}年价格）", None))
        known = {name: panel.column(name) for name in (f"real_{name}" for name in names)}
        units = {name: (_constant(c.unit), _constant(c.unit_zh)) for name, c in known.items()}
        return panel.with_labels(
            {name: replace(c, unit=units[name][0], unit_zh=units[name][1]) for name, c in known.items()}
        )

    def _shift(self, names: Sequence[str], k: int, word: str, label: str, label_zh: str) -> "Panel":
        size = abs(k)
        return self._transform(
            names,
            lambda x: transform.shift(x, self.unit_codes, self.time_numbers, k),
            f"{word}{size}_{{}}",
            (label.format("{}", size), label_zh.format("{}", size), None),
        )

    def _relabel(self, name: str, label: str, label_zh: str, unit: str | None) -> Column:
        """What is known about a column made from ``name``; ``unit=None`` keeps its unit of measure."""
        old = self.column(name)
        return replace(
            old,
            label=label.format(old.label or name),
            label_zh=label_zh.format(old.label_zh or name),
            unit=old.unit if unit is None else unit or None,
            unit_zh=old.unit_zh if unit is None else UNITS_ZH.get(unit),
            quality=old.quality and ("simulated" if old.quality == "simulated" else "derived"),
        )

    def _held(self, series: "pd.Series[Any]") -> str:
        """What a column that is not numeric holds: the rows that are no numbers if most are, else an example."""
        known = series.dropna()
        odd = known[pd.to_numeric(known.astype(str), errors="coerce").isna()]
        if 0 < 2 * len(odd) <= len(known):
            keys = self._frame[[key for key in (self.unit, self.time) if key]]
            return f"{len(odd)} of {len(known)} values are no numbers: {quote_cells(keys, odd)}"
        return f"it holds values such as {known.iloc[0]!r}" if len(known) else "it holds nothing"

    def _groups(self, by: str) -> IntArray:
        self._require([by])
        codes = pd.factorize(self._frame[by], sort=True)[0].astype(np.intp)
        if (codes < 0).any():
            rows = np.flatnonzero(codes < 0)
            named = "; ".join(self._name_row(int(row)) for row in rows[:SHOWN])
            raise DataError(
                f"{by!r} is missing in {len(rows)} rows ({named}), which belong to no group; fill it, or leave these "
                "rows out with where()."
            )
        return codes

    def _numeric_columns(self) -> list[str]:
        keys = {self.unit, self.time}
        numeric = self._frame.select_dtypes("number").columns
        return [str(name) for name in numeric if name not in keys]

    def _require(self, names: Sequence[str] | Mapping[str, Any]) -> None:
        require_columns(self._frame, list(names), "The panel")

    def _name_row(self, row: int) -> str:
        return ", ".join(str(self._frame[key].iloc[row]) for key in (self.unit, self.time) if key)

    def _refuse_unknown_units(self, names: "pd.Series[Any]") -> None:
        """Refuse names that look like misspelt units of the panel, and a roster without any unit of the panel."""
        have, given = [str(unit) for unit in self._units], {str(name) for name in names}
        unknown = sorted(given - set(have))
        unused = sorted(set(have) - given)
        near = {name: get_close_matches(name, unused, n=1, cutoff=0.8) for name in unknown}
        if any(near.values()) or len(unknown) == len(given):
            named = [f"{name} (nearest: {match[0]})" if match else name for name, match in near.items()]
            raise DataError(
                f"Units of the roster that the panel does not have: {', '.join(named[:SHOWN])}; the panel's units are "
                f"{', '.join(have[:SHOWN])}, ... Bring the names to one spelling (econ.standard_names)."
            )


def _check_key_names(unit: Any, time: Any) -> None:
    if not (isinstance(unit, str) or (isinstance(unit, Sequence) and unit and all(isinstance(u, str) for u in unit))):
        raise OptionError(f"unit={unit!r} is not allowed; give the name of a column, or a list of names.")
    if not (time is None or (isinstance(time, str) and time)):
        raise OptionError(f"time={time!r} is not allowed; give the name of a column, or None for a cross-section.")


def _check_periods(periods: Any, opposite: str | None = None) -> None:
    if isinstance(periods, bool) or not isinstance(periods, int | np.integer) or periods < 1:
        other = f"; {opposite}() goes the other way" if opposite else ""
        raise OptionError(f"periods={periods!r} is not allowed; give one whole number from 1 up{other}.")


def _constant(unit: str | None) -> str | None:
    """A unit of measure without the words for current prices."""
    for words in (", current prices", "(当年价)", "（当年价）"):
        unit = unit.replace(words, "") if unit else unit
    return unit


def _refuse_single_name(names: Any) -> None:
    if isinstance(names, str):
        raise OptionError(f"names={names!r} is not allowed; give a list: [{names!r}].")


def _agree(old: "pd.Series[Any]", new: "pd.Series[Any]") -> bool:
    """Whether the values are the same wherever both are known."""
    return bool(((old == new) | old.isna() | new.isna()).all())
