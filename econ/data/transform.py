"""Transforms of one variable of a panel, on arrays: lags, growth, indices, winsorising, gaps, stocks, distances.

Shapes everywhere: ``values`` (N,) float64, NaN for missing; ``unit_codes`` (N,) integers 0..U-1; ``periods`` (N,)
integer calendar numbers, so that a year without a row is a gap and is never skipped. Rows may be in any order; a
(unit, period) pair occurs at most once. Every transform returns a ``Transformed``: new values in the rows' order, and
what was done in words and counts.
"""

from dataclasses import dataclass, field

import numpy as np

from econ.errors import DataError, OptionError
from econ.linear.fit import BoolArray, FloatArray, IntArray
from econ.options import GrowthKind, IndexKind, InterpolationKind, check_word


@dataclass(frozen=True)
class Transformed:
    """New values (N,), one clause that says what was done, and the counts behind that clause."""

    values: FloatArray
    report: str
    counts: dict[str, int] = field(default_factory=dict)


# ---- lags, leads, growth


def shift_rows(unit_codes: IntArray, periods: IntArray, k: int) -> IntArray:
    """For each row the row of the same unit ``k`` periods earlier, (N,) integers; -1 where there is none.

    Rows are matched by calendar period, so a gap gives -1. Columns of any type can be taken by them. Cost: one sort.
    """
    if len(periods) == 0:
        return np.empty(0, dtype=np.intp)
    first = int(periods.min())
    span = int(periods.max()) - first + 1 + abs(k)
    keys = unit_codes.astype(np.int64) * span + (periods.astype(np.int64) - first + max(k, 0))
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    place = np.minimum(np.searchsorted(ordered, ordered - k), len(keys) - 1)
    rows = np.empty(len(keys), dtype=np.intp)
    rows[order] = np.where(ordered[place] == ordered - k, order[place], -1)
    return rows


def shift(values: FloatArray, unit_codes: IntArray, periods: IntArray, k: int) -> Transformed:
    """The value ``k`` calendar periods earlier, x_{i,t-k}; a negative ``k`` is a lead.

    Never the row above: where the unit has no row ``k`` periods earlier the result is NaN.

    Examples
    --------
    >>> shift(np.array([1.0, 2.0, 3.0]), np.zeros(3, int), np.array([2000, 2001, 2003]), 1).values
    array([nan,  1., nan])
    """
    rows = shift_rows(unit_codes, periods, k)
    shifted = np.where(rows >= 0, values[rows], np.nan)
    lost = int(np.sum(np.isnan(shifted) & ~np.isnan(values)))
    words = f"lead {-k}" if k < 0 else f"lag {k}"
    return Transformed(shifted, f"{words} by calendar period, missing at {lost} observed rows", {"unmatched": lost})


def growth(
    values: FloatArray, unit_codes: IntArray, periods: IntArray, k: int = 1, kind: GrowthKind = "log"
) -> Transformed:
    """Growth over ``k`` periods, not annualised.

    ``kind="log"``: ln x_t - ln x_{t-k} (0.05 is about five per cent). ``kind="percent"``: 100 (x_t / x_{t-k} - 1).
    Where that is not defined (log: either value not positive; percent: the base not positive) it is NaN, and counted.
    """
    check_word(kind, GrowthKind, "kind")
    if k < 1:
        raise OptionError(f"k={k!r} is not allowed; growth is over one or more periods, such as k=1.")
    before = shift(values, unit_codes, periods, k).values
    known = ~np.isnan(values) & ~np.isnan(before)
    defined = known & (before > 0) & ((values > 0) if kind == "log" else True)
    result = np.full(len(values), np.nan)
    ratio = values[defined] / before[defined]
    result[defined] = np.log(ratio) if kind == "log" else 100 * (ratio - 1)
    undefined = int(np.sum(known & ~defined))
    words = "log difference" if kind == "log" else "percentage growth"
    return Transformed(
        result,
        f"{words} over {k} period{'s' * (k > 1)}, {undefined} undefined at values that are not positive",
        {"undefined": undefined},
    )


# ---- price indices


def index_to_level(index: FloatArray, unit_codes: IntArray, periods: IntArray, base: int) -> Transformed:
    r"""Level of a chain index (previous period = 100), with the level of period ``base`` equal to 1.

    .. math:: P_{i,base} = 1, \qquad P_{it} = P_{i,t-1}\, I_{it} / 100, \qquad P_{i,t-1} = P_{it} / (I_{it} / 100)

    forwards and backwards from the base, so that the period before the first index number has a level too. A missing
    index number or a missing row breaks the chain: everything on its far side is NaN, and counted.

    Examples
    --------
    >>> index_to_level(np.array([102.0, 110.0, 105.0]), np.zeros(3, int), np.arange(2000, 2003), 2001).values.round(4)
    array([0.9091, 1.    , 1.05  ])
    """
    _require_base(periods, base)
    _require_positive(index, "a chain index")
    links = _Grid(unit_codes, periods).spread(index / 100)
    levels = np.full(links.shape, np.nan)
    start = base - int(periods.min())
    levels[:, start] = 1.0
    for t in range(start + 1, links.shape[1]):
        levels[:, t] = levels[:, t - 1] * links[:, t]
    for t in range(start, 0, -1):
        levels[:, t - 1] = levels[:, t] / links[:, t]
    result = _Grid(unit_codes, periods).gather(levels)
    broken = int(np.sum(np.isnan(result) & ~np.isnan(index)))
    report = f"chain index turned into a level with {base} = 1, {broken} index numbers beyond a break in the chain"
    return Transformed(result, report, {"broken": broken})


def deflate(
    nominal: FloatArray,
    index: FloatArray,
    unit_codes: IntArray,
    periods: IntArray,
    *,
    base: int,
    kind: IndexKind = "chain",
) -> Transformed:
    r"""Value at constant prices of period ``base``: :math:`X_{it} / (P_{it} / P_{i,base})`.

    ``kind="chain"``: ``index`` is previous period = 100 and is chained first (``index_to_level``). ``kind="fixed"``:
    ``index`` is a price level on any fixed base. Where the price level is missing, in the period itself or in ``base``,
    the result is NaN, and counted.
    """
    check_word(kind, IndexKind, "kind")
    if kind == "chain":
        level = index_to_level(index, unit_codes, periods, base).values
    else:
        level = _rebased(index, unit_codes, periods, base)
    result = nominal / level
    lost = int(np.sum(np.isnan(result) & ~np.isnan(nominal)))
    report = f"deflated by a {kind} index to prices of {base}, {lost} values lost for want of a price level"
    return Transformed(result, report, {"lost": lost})


def carry(value: FloatArray, index: FloatArray, unit_codes: IntArray, periods: IntArray, base: int) -> Transformed:
    r"""Value at constant prices of period ``base``, carried by a volume index: :math:`X_{i,base} Q_{it}`.

    ``index`` is a chain index of volume (previous period = 100), chained to :math:`Q_{i,base} = 1` by
    ``index_to_level``. Of ``value`` only period ``base`` is used: where the nominal series was revised and the index
    was not (gross regional product after the economic census of 2018), their ratio is no price index, and a value
    deflated by it moves with the revision. Where the base value or the level is missing, the result is NaN, and
    counted.

    Examples
    --------
    >>> value, index = np.array([100.0, 130.0, 150.0]), np.array([100.0, 110.0, 105.0])
    >>> carry(value, index, np.zeros(3, int), np.arange(2000, 2003), 2000).values.round(2)
    array([100. , 110. , 115.5])
    """
    level = index_to_level(index, unit_codes, periods, base).values
    grid = _Grid(unit_codes, periods)
    at_base = grid.spread(value)[:, [base - int(periods.min())]]
    result = grid.gather(np.broadcast_to(at_base, (len(at_base), int(np.ptp(periods)) + 1))) * level
    lost = int(np.sum(np.isnan(result)))
    report = f"value of {base} carried by a chain index of volume, {lost} values without a base value or a level"
    return Transformed(result, report, {"lost": lost})


def _rebased(index: FloatArray, unit_codes: IntArray, periods: IntArray, base: int) -> FloatArray:
    _require_base(periods, base)
    _require_positive(index, "a price index")
    grid = _Grid(unit_codes, periods)
    levels = grid.spread(index)
    return grid.gather(levels / levels[:, [base - int(periods.min())]])


# ---- outliers


def winsorize(values: FloatArray, lower: float, upper: float, by: IntArray | None = None) -> Transformed:
    """Values beyond the ``lower`` and ``upper`` quantiles are set to these quantiles; missing values stay missing.

    Quantiles are linear interpolations of the order statistics (Hyndman and Fan 1996, type 7: the default of R and
    numpy), over all values, or within each group of ``by`` ((N,) integers, for instance the periods). Stata's
    ``winsor2`` averages neighbours instead (type 2), so its bounds differ a little in small samples.
    """
    if not 0 <= lower < upper <= 1:
        raise OptionError(
            f"lower={lower!r}, upper={upper!r} is not allowed; quantiles have 0 <= lower < upper <= 1, "
            "such as 0.01 and 0.99."
        )
    result = values.copy()
    for rows in _groups(by, len(values)):
        known = rows[~np.isnan(values[rows])]
        if len(known):
            low, high = np.quantile(values[known], [lower, upper], method="linear")
            result[known] = np.clip(values[known], low, high)
    raised, lowered = int(np.sum(result > values)), int(np.sum(result < values))
    where = "over all rows" if by is None else "within groups"
    report = f"winsorised at quantiles {lower:g} and {upper:g} {where} (type 7), {raised} raised, {lowered} lowered"
    return Transformed(result, report, {"raised": raised, "lowered": lowered})


# ---- gaps


def interpolate(
    values: FloatArray,
    unit_codes: IntArray,
    periods: IntArray,
    kind: InterpolationKind = "linear",
) -> Transformed:
    r"""Fill missing values between two observed ones of the same unit, never before the first or after the last.

    ``linear``: :math:`x_t = x_a + (x_b - x_a)(t - a)/(b - a)` with a and b the nearest observed periods. ``log``: the
    same in logarithms, constant growth from a to b; both ends must be positive, else the gap stays. Rows are
    filled, never added.
    """
    check_word(kind, InterpolationKind, "kind")
    grid = _Grid(unit_codes, periods)
    observed = grid.spread(values)
    left, right = _neighbours(~np.isnan(observed))
    inside = (left >= 0) & (right >= 0) & np.isnan(observed)
    unit, t = np.nonzero(inside)
    a, b = left[unit, t], right[unit, t]
    observed[unit, t] = _between(observed[unit, a], observed[unit, b], (t - a) / (b - a), kind)
    result = grid.gather(observed)
    filled, remain = int(np.sum(np.isnan(values) & ~np.isnan(result))), int(np.sum(np.isnan(result)))
    report = f"{filled} missing values filled by {kind} interpolation inside gaps, {remain} still missing"
    return Transformed(result, report, {"filled": filled, "missing": remain})


def _between(start: FloatArray, end: FloatArray, share: FloatArray, kind: InterpolationKind) -> FloatArray:
    if kind == "linear":
        return start + (end - start) * share
    usable = (start > 0) & (end > 0)
    result = np.full(len(start), np.nan)
    result[usable] = start[usable] * (end[usable] / start[usable]) ** share[usable]
    return result


def _neighbours(known: BoolArray) -> tuple[IntArray, IntArray]:
    """Column of the last known cell up to, and of the first known cell from, each cell of (U, T); -1 without one."""
    columns = np.arange(known.shape[1])
    left = np.maximum.accumulate(np.where(known, columns, -1), axis=1)
    none = known.shape[1]
    right = np.minimum.accumulate(np.where(known, columns, none)[:, ::-1], axis=1)[:, ::-1]
    return left, np.where(right == none, -1, right)


# ---- capital stock


@dataclass(frozen=True)
class SteadyState:
    """Initial stock I_0 / (g + delta), g the mean growth of investment over the unit's first ``periods`` periods."""

    periods: int = 10

    def __post_init__(self) -> None:
        if self.periods < 1:
            raise OptionError(f"periods={self.periods!r} is not allowed; growth needs at least 1, such as periods=10.")

    def __str__(self) -> str:
        return f"I0/(g + delta) with g over the first {self.periods} periods"


@dataclass(frozen=True)
class Multiple:
    """Initial stock equal to ``ratio`` times the first investment, for instance 10 in Zhang, Wu and Zhang (2004)."""

    ratio: float

    def __post_init__(self) -> None:
        if not self.ratio > 0:
            raise OptionError(
                f"ratio={self.ratio!r} is not allowed; the initial stock is a positive multiple, such as 10."
            )

    def __str__(self) -> str:
        return f"{self.ratio:g} times the first investment"


def capital_stock(
    investment: FloatArray,
    unit_codes: IntArray,
    periods: IntArray,
    depreciation: float | FloatArray,
    initial: SteadyState | Multiple | FloatArray,
) -> Transformed:
    r"""Stock by the perpetual inventory method from investment at constant prices.

    .. math:: K_{it} = (1 - \delta_{it}) K_{i,t-1} + I_{it}

    from the unit's first observed investment, period 0 of that unit. ``initial`` sets :math:`K_{i0}`:

    - ``SteadyState(periods=k)``: :math:`I_0 / (g + \delta)` with :math:`g = (I_k / I_0)^{1/k} - 1`, the rule of
      Harberger (1978) as in Hall and Jones (1999, Quarterly Journal of Economics 114). Under the recursion above
      the exact steady-state stock is (1 + g) times this; the difference fades as :math:`(1 - \delta)^t`.
    - ``Multiple(ratio)``: ``ratio`` times :math:`I_0`.
    - an array (N,): the stock itself, read at the unit's first observed investment.

    ``depreciation`` is a rate per period, one number or (N,). A missing investment (or a missing row) after the first
    makes the stock NaN from there on; a unit without a usable initial stock is NaN throughout. Both are counted.

    Examples
    --------
    >>> flow, unit, year = np.array([10.0, 11.0, 12.1]), np.zeros(3, int), np.arange(2000, 2003)
    >>> capital_stock(flow, unit, year, 0.1, SteadyState(2)).values.round(2)
    array([50. , 56. , 62.5])
    """
    _check_rate(depreciation)
    grid = _Grid(unit_codes, periods)
    flow = grid.spread(investment)
    rate = grid.spread(np.broadcast_to(np.asarray(depreciation, dtype=np.float64), investment.shape))
    known = ~np.isnan(flow)
    first = np.where(known.any(axis=1), known.argmax(axis=1), flow.shape[1])
    start = _initial_stock(initial, grid, flow, rate, first)
    stock = np.where(np.arange(flow.shape[1]) == first[:, None], start[:, None], np.nan)
    for t in range(1, flow.shape[1]):
        carried = (1 - rate[:, t]) * stock[:, t - 1] + flow[:, t]
        stock[:, t] = np.where(first == t, stock[:, t], carried)
    result = grid.gather(stock)
    no_start = np.isnan(start)
    counts = {
        "units_without_initial_stock": int(no_start.sum()),
        "after_a_gap": int(np.sum(np.isnan(result) & ~np.isnan(investment) & ~no_start[unit_codes])),
    }
    rate_words = "by row" if isinstance(depreciation, np.ndarray) else f"{depreciation:g}"
    start_words = "given" if isinstance(initial, np.ndarray) else str(initial)
    report = (
        f"perpetual inventory with depreciation {rate_words}, initial stock {start_words}; "
        f"{counts['units_without_initial_stock']} units without an initial stock, "
        f"{counts['after_a_gap']} values lost after a gap"
    )
    return Transformed(result, report, counts)


def _initial_stock(
    initial: SteadyState | Multiple | FloatArray, grid: "_Grid", flow: FloatArray, rate: FloatArray, first: IntArray
) -> FloatArray:
    """Stock at each unit's first investment, (U,); NaN where the rule cannot be applied."""
    opening = _pick(flow, first)
    if isinstance(initial, np.ndarray):
        return _pick(grid.spread(initial), first)
    if isinstance(initial, Multiple):
        return np.where(opening > 0, initial.ratio * opening, np.nan)
    later = _pick(flow, first + initial.periods)
    opening = np.where((opening > 0) & (later > 0), opening, np.nan)
    growth_and_wear = (later / opening) ** (1 / initial.periods) - 1 + _pick(rate, first)
    return opening / np.where(growth_and_wear > 0, growth_and_wear, np.nan)


def _pick(table: FloatArray, column: IntArray) -> FloatArray:
    """Entry of each row of (U, T) at ``column`` (U,); NaN beyond the last column."""
    inside = column < table.shape[1]
    return np.where(inside, table[np.arange(len(table)), np.where(inside, column, 0)], np.nan)


def _check_rate(depreciation: float | FloatArray) -> None:
    rates = np.atleast_1d(np.asarray(depreciation, dtype=np.float64))
    known = rates[~np.isnan(rates)]
    if np.isnan(depreciation).all() or ((known < 0) | (known >= 1)).any():
        raise OptionError("depreciation has values outside [0, 1); give a rate per period, such as 0.096.")


# ---- distances


def distance_to_frontier(values: FloatArray, periods: IntArray, quantile: float = 1.0) -> Transformed:
    r"""Log gap to the frontier of each period; 0 on the frontier, larger = further behind.

    .. math:: d_{it} = \ln F_t - \ln x_{it}

    :math:`F_t` is the largest value of the period, or its ``quantile`` (type 7) when smaller than 1, which a single
    outlier does not move; units above it then have a negative distance. Values that are not positive give NaN and do
    not count for the frontier. Minus the log of the proximity of Acemoglu, Aghion and Zilibotti (2006).

    Examples
    --------
    >>> distance_to_frontier(np.array([1.0, 2.0]), np.array([2000, 2000])).values.round(4)
    array([0.6931, 0.    ])
    """
    if not 0 < quantile <= 1:
        raise OptionError(
            f"quantile={quantile!r} is not allowed; the frontier is a quantile in (0, 1], 1 being the maximum."
        )
    result = np.full(len(values), np.nan)
    usable = values > 0
    for rows in _groups(periods, len(values)):
        kept = rows[usable[rows]]
        if len(kept):
            result[kept] = np.log(np.quantile(values[kept], quantile)) - np.log(values[kept])
    undefined = int(np.sum(~np.isnan(values) & ~usable))
    frontier = "maximum" if quantile == 1 else f"{quantile:g} quantile"
    report = f"log gap to the {frontier} of each period, {undefined} undefined at values that are not positive"
    return Transformed(result, report, {"undefined": undefined})


# ---- description


@dataclass(frozen=True)
class VarianceSplit:
    """Overall, between and within standard deviations of one variable."""

    n: int
    n_units: int
    mean: float
    sd_overall: float
    sd_between: float
    sd_within: float


def variance_split(unit_codes: IntArray, values: FloatArray) -> VarianceSplit:
    r"""Standard deviations as Stata's ``xtsum`` defines them (Longitudinal-Data/Panel-Data Reference Manual).

    overall: :math:`x_{it}` around the mean :math:`\bar x` of all observations, with N - 1; between: the unit means
    :math:`\bar x_i`, one per unit, around their own mean, with n - 1; within: :math:`x_{it} - \bar x_i + \bar x`, with
    N - 1. Missing values are left out. The three squares do not add up.
    """
    known = ~np.isnan(values)
    x = values[known]
    present, codes = np.unique(unit_codes[known], return_inverse=True)
    n, n_units = len(x), len(present)
    means = np.bincount(codes, weights=x, minlength=n_units) / np.bincount(codes, minlength=n_units)
    mean = float(x.mean()) if n else float("nan")
    return VarianceSplit(
        n=n,
        n_units=n_units,
        mean=mean,
        sd_overall=_sd(x),
        sd_between=_sd(means),
        sd_within=_sd(x - means[codes] + mean),
    )


def _sd(x: FloatArray) -> float:
    return float(np.std(x, ddof=1)) if len(x) > 1 else float("nan")


# ---- helpers


class _Grid:
    """Rows of a panel as cells of a (U, T) table over the calendar: NaN where there is no row."""

    def __init__(self, unit_codes: IntArray, periods: IntArray) -> None:
        empty = len(periods) == 0
        self.units = unit_codes
        self.columns: IntArray = periods if empty else periods - periods.min()
        self.shape = (0, 0) if empty else (int(unit_codes.max()) + 1, int(self.columns.max()) + 1)

    def spread(self, values: FloatArray) -> FloatArray:
        table = np.full(self.shape, np.nan)
        table[self.units, self.columns] = values
        return table

    def gather(self, table: FloatArray) -> FloatArray:
        cells: FloatArray = table[self.units, self.columns]
        return cells


def _groups(codes: IntArray | None, n: int) -> list[IntArray]:
    """Rows of each group, from one stable sort."""
    if codes is None:
        return [np.arange(n)]
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)


def _require_base(periods: IntArray, base: int) -> None:
    present = np.unique(periods)
    if base not in present:
        raise OptionError(f"base={base!r} is not a period of the panel; choose one of {present[0]} to {present[-1]}.")


def _require_positive(index: FloatArray, what: str) -> None:
    wrong = int(np.sum(index <= 0))
    if wrong:
        raise DataError(f"{wrong} values of {what} are not positive; check the column, or set them to missing.")
