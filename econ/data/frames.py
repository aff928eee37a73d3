"""Any data frame as a checked pandas frame: plain columns, calendar periods, unique keys, finite numbers."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from econ.design.sample import levels_present
from econ.errors import DataError
from econ.linear.fit import BoolArray, IntArray

SHOWN = 5  # rows or names quoted in an error message


def require_columns(frame: pd.DataFrame, names: Sequence[str], owner: str) -> None:
    """Refuse names that are no columns of ``frame``, with the nearest that are."""
    absent = [name for name in names if name not in frame.columns]
    if absent:
        have = [str(column) for column in frame.columns]
        hints = [near[0] for name in absent if (near := get_close_matches(str(name), have, n=1))]
        nearest = f" Nearest: {', '.join(hints)}." if hints else ""
        raise DataError(
            f"{owner} has no column {', '.join(map(repr, absent))}; it has {', '.join(have[:12])}"
            f"{', ...' if len(have) > 12 else ''}.{nearest}"
        )


def refuse_repeated(names: Iterable[Any], owner: str) -> None:
    """Refuse column names that stand more than once."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(f"{owner} has more than one column {', '.join(map(repr, twice))}; give each its own name.")


def to_pandas(frame: Any, keys: Sequence[str]) -> pd.DataFrame:
    """A new pandas frame with plain columns and rows numbered from 0; the data are shared where possible."""
    if isinstance(frame, pd.DataFrame):
        hidden = [name for name in frame.index.names if name in keys and name not in frame.columns]
        data = frame.reset_index(hidden) if hidden else frame.copy(deep=False)
    else:
        try:
            data = nw.from_native(frame, eager_only=True).to_pandas()
        except TypeError as error:
            raise DataError(
                f"A {type(frame).__name__} is no data frame; give a pandas, polars or Arrow frame."
            ) from error
        except nw.exceptions.DuplicateError as error:
            raise DataError(f"{' '.join(str(error).split())}; give each column its own name.") from error
    refuse_repeated(data.columns, "The frame")
    require_columns(data, keys, "The frame")
    data.index = pd.RangeIndex(len(data))
    return data


def calendar_numbers(values: "pd.Series[Any] | None", n_rows: int) -> tuple[NDArray[np.int64], Callable[[int], Any]]:
    """Calendar numbers, so that a gap of one period is a gap of one, and how a number prints."""
    if values is None:
        return np.zeros(n_rows, np.int64), str
    if isinstance(values.dtype, pd.PeriodDtype):
        periods = pd.PeriodIndex(values)
        first = periods.min()
        return periods.asi8, lambda number: str(first + (number - first.ordinal))
    if pd.api.types.is_datetime64_any_dtype(values):
        return calendar_numbers(_coarsest(values), n_rows)
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        numbers = values.to_numpy(dtype=np.float64) if pd.api.types.is_float_dtype(values) else values.to_numpy()
        if numbers.dtype.kind in "iu" or np.array_equal(numbers, np.round(numbers)):
            return numbers.astype(np.int64, copy=False), int
    example = repr(values.iloc[0])
    raise DataError(
        f"The time column {values.name!r} holds values such as {example}; periods must be whole numbers (2015) or "
        "dates. Convert it first, for example with pandas.to_numeric or pandas.to_datetime."
    )


def as_frequency(dates: "pd.Series[Any]", time: "pd.Series[Any] | None") -> "pd.Series[Any]":
    """Dates of a cohort on the calendar of the time column: its years, quarters, months or days."""
    if time is not None and pd.api.types.is_datetime64_any_dtype(time):
        time = _coarsest(time)
    frequency = time.dt.freq if time is not None and isinstance(time.dtype, pd.PeriodDtype) else None
    own = dates.dt.freq if isinstance(dates.dtype, pd.PeriodDtype) else None
    if pd.api.types.is_datetime64_any_dtype(dates) and frequency is not None:
        return pd.Series(dates.dt.to_period(frequency))
    if own != frequency or pd.api.types.is_datetime64_any_dtype(dates):
        periods = "none" if time is None else repr(str(time.iloc[0]))
        raise DataError(
            f"Column {dates.name!r} holds values such as {str(dates.iloc[0])!r}, and the time column such as "
            f"{periods}; give both as whole numbers, as dates, or as periods of one frequency."
        )
    return dates


def sorted_codes(values: "pd.Series[Any]") -> tuple[IntArray, NDArray[Any]]:
    """(N,) codes of the distinct values, which are sorted."""
    if isinstance(values.dtype, np.dtype) and values.dtype.kind == "i" and len(values):
        first, last = int(values.min()), int(values.max())
        if last - first <= max(len(values), 1_000_000):
            codes, present = levels_present(counted_from(values.to_numpy(), first))
            return counted_from(codes, 0), (present + first).astype(values.dtype)
    codes, labels = pd.factorize(values, sort=True)
    return counted_from(codes, 0), np.asarray(labels)


def counted_from(numbers: IntArray, first: int) -> IntArray:
    """``numbers - first`` in four bytes each where they fit; products of them must be taken in eight."""
    fits = not len(numbers) or int(numbers.max()) - first <= np.iinfo(np.int32).max
    codes: IntArray = np.empty(len(numbers), dtype=np.int32 if fits else np.int64)
    np.subtract(numbers, first, out=codes, dtype=np.int64, casting="same_kind")
    return codes


def _coarsest(dates: "pd.Series[Any]") -> "pd.Series[Any]":
    """Dates as years, quarters, months or days, whichever is the coarsest that keeps them apart."""
    distinct = pd.Series(dates.unique())
    for frequency in ("Y", "Q", "M"):
        if distinct.dt.to_period(frequency).nunique() == len(distinct):
            return pd.Series(dates.dt.to_period(frequency))
    return pd.Series(dates.dt.to_period("D"))


def refuse_duplicates(units: IntArray, times: IntArray, frame: pd.DataFrame, keys: Sequence[str]) -> None:
    later = (units[1:] > units[:-1]) | ((units[1:] == units[:-1]) & (times[1:] > times[:-1]))
    if later.all():
        return
    cells = units.astype(np.int64) * (int(times.max()) + 1) + times
    if len(np.unique(cells)) == len(cells):
        return
    twice = frame.loc[frame.duplicated(list(keys), keep=False), list(keys)]
    raise DataError(
        f"{len(twice)} rows share their {' and '.join(keys)} with another row (rows {quote_rows(twice)}); "
        "one row per unit and period is allowed: drop or aggregate the duplicates."
    )


def quote_rows(rows: pd.DataFrame) -> str:
    shown = [f"{index}: {', '.join(map(str, row))}" for index, row in zip(rows.index, rows.to_numpy(), strict=True)]
    return "; ".join(shown[:SHOWN]) + ("; ..." if len(shown) > SHOWN else "")


def quote_cells(keys: pd.DataFrame, cells: "pd.Series[Any]") -> str:
    """Some cells with the keys of their rows."""
    first = cells.iloc[:SHOWN]
    rows = keys.loc[first.index].to_numpy()
    shown = [f"{', '.join(map(str, row))}: {value!r}" for row, value in zip(rows, first, strict=True)]
    return "; ".join(shown) + ("; ..." if len(cells) > SHOWN else "")


def refuse_infinities(frame: pd.DataFrame, name_row: Callable[[int], str]) -> None:
    for name in frame.select_dtypes("float").columns:
        infinite: BoolArray = np.isinf(frame[name].to_numpy(dtype=np.float64, na_value=np.nan))
        if infinite.any():
            rows = np.flatnonzero(infinite)
            named = "; ".join(name_row(int(row)) for row in rows[:SHOWN])
            raise DataError(
                f"Column {name!r} has {len(rows)} infinite values ({named}); a log or ratio of zero is the usual "
                "cause. Make them missing or correct them."
            )
