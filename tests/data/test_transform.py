"""Transforms against slow, obvious versions of themselves, in any order of the rows and with gaps."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econ.data import transform
from econ.data.transform import Multiple, SteadyState
from econ.errors import DataError, OptionError

NAN = float("nan")


@st.composite
def panels(draw, low=0.1, high=1e3, missing=True):
    """Values, unit codes and periods of an unbalanced panel with gaps, rows in random order."""
    cells = draw(
        st.lists(
            st.tuples(st.integers(0, 3), st.integers(2000, 2012)),
            min_size=1,
            max_size=40,
            unique=True,
        )
    )
    number = st.floats(low, high)
    values = draw(
        st.lists(st.one_of(number, st.just(NAN)) if missing else number, min_size=len(cells), max_size=len(cells))
    )
    units, periods = (np.array(column, dtype=np.intp) for column in zip(*cells, strict=True))
    units = np.unique(units, return_inverse=True)[1].astype(np.intp)
    return np.array(values), units, periods


def lookup(x, units, periods):
    return {(int(u), int(t)): float(v) for u, t, v in zip(units, periods, x, strict=True)}


def rows(cells, units, periods):
    return np.array([cells.get((int(u), int(t)), NAN) for u, t in zip(units, periods, strict=True)])


# ---- shift


@given(panels(), st.integers(-4, 4))
def test_shift_looks_up_the_calendar_period(panel, k):
    x, units, periods = panel
    cells = lookup(*panel)
    expected = rows({(u, t + k): v for (u, t), v in cells.items()}, units, periods)
    np.testing.assert_array_equal(transform.shift(x, units, periods, k).values, expected)


@given(panels(), st.integers(0, 4))
def test_lead_of_lag_is_the_value_itself_where_it_is_defined(panel, k):
    x, units, periods = panel
    back = transform.shift(transform.shift(x, units, periods, k).values, units, periods, -k).values
    there = transform.shift_rows(units, periods, -k) >= 0
    np.testing.assert_array_equal(back[there], x[there])


@given(panels(), st.integers(-3, 3), st.randoms(use_true_random=False))
def test_shift_does_not_depend_on_the_order_of_rows(panel, k, random):
    x, units, periods = panel
    order = list(range(len(x)))
    random.shuffle(order)
    shuffled = transform.shift(x[order], units[order], periods[order], k).values
    np.testing.assert_array_equal(shuffled, transform.shift(x, units, periods, k).values[order])


def test_shift_never_crosses_a_gap_or_a_unit():
    x = np.array([1.0, 2.0, 3.0, 10.0])
    lag = transform.shift(x, np.array([0, 0, 0, 1]), np.array([2000, 2001, 2003, 2004]), 1)
    np.testing.assert_array_equal(lag.values, [NAN, 1.0, NAN, NAN])
    assert lag.counts == {"unmatched": 3}
    assert transform.shift(x[:0], np.zeros(0, np.intp), np.zeros(0, np.intp), 1).values.size == 0


# ---- growth


@given(panels(), st.integers(1, 3))
def test_percentage_and_log_growth_say_the_same(panel, k):
    x, units, periods = panel
    logs = transform.growth(x, units, periods, k).values
    percent = transform.growth(x, units, periods, k, kind="percent").values
    np.testing.assert_allclose(np.log1p(percent / 100), logs, atol=1e-9)


def test_growth_counts_what_is_undefined():
    x, units, periods = np.array([1.0, 0.0, 2.0, -1.0]), np.zeros(4, np.intp), np.arange(2000, 2004)
    logs = transform.growth(x, units, periods)
    assert np.isnan(logs.values).all() and logs.counts == {"undefined": 3}
    percent = transform.growth(x, units, periods, kind="percent")
    np.testing.assert_allclose(percent.values, [NAN, -100.0, NAN, -150.0])
    with pytest.raises(OptionError, match="one or more periods"):
        transform.growth(x, units, periods, 0)
    with pytest.raises(OptionError, match="percent"):
        transform.growth(x, units, periods, 1, "per cent")


# ---- price indices


@given(panels(low=80, high=130, missing=False), st.data())
def test_deflating_by_chain_and_by_its_level_agree(panel, data):
    index, units, periods = panel
    base = data.draw(st.sampled_from(sorted({int(t) for t in periods})))
    nominal = np.linspace(1, 9, len(index))
    level = transform.index_to_level(index, units, periods, base).values
    chain = transform.deflate(nominal, index, units, periods, base=base, kind="chain").values
    fixed = transform.deflate(nominal, 100 * level, units, periods, base=base, kind="fixed").values
    has_base = np.isin(units, units[periods == base])
    np.testing.assert_allclose(chain[has_base], fixed[has_base])


@given(panels(low=80, high=130), st.data())
def test_level_chains_by_brute_force(panel, data):
    index, units, periods = panel
    base = data.draw(st.sampled_from(sorted({int(t) for t in periods})))
    cells = lookup(*panel)

    def level(u, t):
        steps = range(base + 1, t + 1) if t > base else range(t + 1, base + 1)
        product = math.prod(cells.get((u, s), NAN) / 100 for s in steps)
        return product if t >= base else 1 / product

    expected = [level(int(u), int(t)) for u, t in zip(units, periods, strict=True)]
    np.testing.assert_allclose(transform.index_to_level(index, units, periods, base).values, expected)


def test_a_missing_index_number_breaks_the_chain():
    index = np.array([110.0, 110.0, NAN, 110.0, 110.0])
    units, periods = np.zeros(5, np.intp), np.arange(2000, 2005)
    level = transform.index_to_level(index, units, periods, 2000)
    np.testing.assert_allclose(level.values, [1, 1.1, NAN, NAN, NAN])
    assert level.counts == {"broken": 2}
    with pytest.raises(OptionError, match="2000 to 2004"):
        transform.index_to_level(index, units, periods, 1999)
    with pytest.raises(DataError, match="not positive"):
        transform.index_to_level(-index, units, periods, 2000)


def test_fixed_index_is_rebased():
    nominal, index = np.array([200.0, 300.0]), np.array([100.0, 150.0])
    real = transform.deflate(nominal, index, np.zeros(2, np.intp), np.array([2000, 2001]), base=2001, kind="fixed")
    np.testing.assert_allclose(real.values, [300.0, 300.0])


@given(panels(low=80, high=130), st.data())
def test_carried_values_by_brute_force(panel, data):
    index, units, periods = panel
    base = data.draw(st.sampled_from(sorted({int(t) for t in periods})))
    value = np.linspace(1, 9, len(index))
    level = transform.index_to_level(index, units, periods, base).values
    at_base = {int(u): v for u, t, v in zip(units, periods, value, strict=True) if t == base}
    expected = [at_base.get(int(u), NAN) * q for u, q in zip(units, level, strict=True)]
    result = transform.carry(value, index, units, periods, base)
    np.testing.assert_allclose(result.values, expected)
    assert result.counts == {"lost": int(np.isnan(expected).sum())}


def test_only_the_base_value_is_carried():
    value, index = np.array([100.0, 999.0, NAN]), np.array([NAN, 110.0, 105.0])
    units, periods = np.zeros(3, np.intp), np.arange(2000, 2003)
    np.testing.assert_allclose(transform.carry(value, index, units, periods, 2000).values, [100, 110, 115.5])
    assert np.isnan(transform.carry(value, index, units, periods, 2002).values).all()
    with pytest.raises(OptionError, match="base=2005 is not a period of the panel"):
        transform.carry(value, index, units, periods, 2005)


# ---- winsorize


@given(panels(), st.floats(0, 0.4), st.floats(0.6, 1))
def test_winsorized_values_lie_within_the_quantiles_and_keep_their_order(panel, low, high):
    x, _, periods = panel
    for groups in (None, periods):
        result = transform.winsorize(x, low, high, groups)
        np.testing.assert_array_equal(np.isnan(result.values), np.isnan(x))
        for group in [slice(None)] if groups is None else [groups == g for g in np.unique(groups)]:
            known = ~np.isnan(x[group])
            if known.any():
                before, after = x[group][known], result.values[group][known]
                bounds = np.quantile(before, [low, high])
                assert (after >= bounds[0]).all() and (after <= bounds[1]).all()
                inside = (before >= bounds[0]) & (before <= bounds[1])
                np.testing.assert_array_equal(after[inside], before[inside])
        assert sum(result.counts.values()) == np.sum((result.values != x) & ~np.isnan(x))


def test_winsorize_uses_type_7_quantiles():
    x = np.arange(1.0, 12.0)
    result = transform.winsorize(x, 0.05, 0.95)
    assert result.values.min() == 1.5 and result.values.max() == 10.5  # R: quantile(1:11, c(.05, .95))
    assert result.counts == {"raised": 1, "lowered": 1} and "type 7" in result.report
    with pytest.raises(OptionError, match=r"lower=0\.9"):
        transform.winsorize(x, 0.9, 0.1)


# ---- interpolate


@given(panels(), st.sampled_from(["linear", "log"]))
def test_interpolation_keeps_what_is_observed_and_never_extrapolates(panel, kind):
    x, units, periods = panel
    result = transform.interpolate(x, units, periods, kind)
    known = ~np.isnan(x)
    np.testing.assert_array_equal(result.values[known], x[known])
    for u in np.unique(units):
        own = units == u
        seen = periods[own & known]
        for t, value in zip(periods[own], result.values[own], strict=True):
            assert math.isnan(value) == (not len(seen) or not seen.min() <= t <= seen.max())
    expected = np.full(len(x), NAN)
    f, g = (np.log, np.exp) if kind == "log" else (lambda v: v, lambda v: v)
    for u in np.unique(units):
        own, seen = units == u, (units == u) & known
        if seen.any():
            order = np.argsort(periods[seen])
            at = periods[seen][order]
            line = g(np.interp(periods[own], at, f(x[seen][order]), left=NAN, right=NAN))
            expected[own] = line
    np.testing.assert_allclose(result.values, expected, rtol=1e-9)
    assert result.counts["filled"] == np.isnan(x).sum() - np.isnan(result.values).sum()


def test_interpolation_by_calendar_distance():
    x = np.array([1.0, NAN, 4.0, NAN, 0.0, NAN])
    units, periods = np.zeros(6, np.intp), np.array([2000, 2002, 2003, 2004, 2005, 2006])
    np.testing.assert_allclose(transform.interpolate(x, units, periods).values, [1, 3, 4, 2, 0, NAN])
    logs = transform.interpolate(x, units, periods, "log").values
    np.testing.assert_allclose(logs, [1, 4 ** (2 / 3), 4, NAN, 0, NAN])


# ---- capital stock


@given(panels(), st.floats(0, 0.3), st.sampled_from([SteadyState(2), Multiple(10)]))
def test_capital_stock_follows_the_recursion(panel, delta, initial):
    flow, units, periods = panel
    cells = lookup(*panel)
    expected = {}
    for u in set(units.tolist()):
        seen = sorted(t for (v, t), x in cells.items() if v == u and not math.isnan(x))
        if not seen:
            continue
        first = seen[0]
        start = cells[u, first]
        if isinstance(initial, Multiple):
            stock = initial.ratio * start
        else:
            later = cells.get((u, first + 2), NAN)
            rate = (later / start) ** 0.5 - 1 + delta
            stock = start / rate if rate > 0 else NAN
        expected[u, first] = stock
        for t in range(first + 1, 2013):
            stock = (1 - delta) * stock + cells.get((u, t), NAN)
            expected[u, t] = stock
    result = transform.capital_stock(flow, units, periods, delta, initial)
    np.testing.assert_allclose(result.values, rows(expected, units, periods), rtol=1e-12)


def test_steady_state_growth_keeps_the_ratio_of_stock_to_investment():
    flow = 100 * 1.08 ** np.arange(40)
    units, periods = np.zeros(40, np.intp), np.arange(1980, 2020)
    stock = transform.capital_stock(flow, units, periods, 0.06, SteadyState(10))
    assert stock.values[0] == pytest.approx(100 / 0.14)
    assert stock.values[-1] / flow[-1] == pytest.approx(1.08 / 0.14, rel=0.01)  # end of period; fades from 1 / 0.14
    exact = transform.capital_stock(flow, units, periods, 0.06, np.full(40, 100 * 1.08 / 0.14))
    np.testing.assert_allclose(exact.values / flow, 1.08 / 0.14)


def test_capital_stock_reports_gaps_and_units_that_cannot_start():
    flow = np.array([10.0, NAN, 10.0, 5.0, 6.0])
    units, periods = np.array([0, 0, 0, 1, 1]), np.array([2000, 2001, 2002, 2001, 2002])
    stock = transform.capital_stock(flow, units, periods, np.full(5, 0.1), SteadyState(1))
    np.testing.assert_allclose(stock.values, [NAN, NAN, NAN, 5 / 0.3, 0.9 * 5 / 0.3 + 6])
    assert stock.counts == {"units_without_initial_stock": 1, "after_a_gap": 0}
    multiple = transform.capital_stock(flow, units, periods, 0.1, Multiple(2))
    assert multiple.counts == {"units_without_initial_stock": 0, "after_a_gap": 1}
    for wrong in (-0.1, 1.0, NAN):
        with pytest.raises(OptionError, match="depreciation"):
            transform.capital_stock(flow, units, periods, wrong, Multiple(2))
    with pytest.raises(OptionError, match="ratio"):
        Multiple(0)
    with pytest.raises(OptionError, match="periods"):
        SteadyState(0)


# ---- distance to the frontier


@given(panels())
def test_distance_is_zero_on_the_frontier_and_does_not_depend_on_the_unit_of_measure(panel):
    x, _, periods = panel
    gap = transform.distance_to_frontier(x, periods).values
    assert np.nanmin(gap) == 0 if (~np.isnan(x)).any() else np.isnan(gap).all()
    assert not (gap < 0).any()
    np.testing.assert_allclose(transform.distance_to_frontier(1000 * x, periods).values, gap, atol=1e-9)


def test_distance_to_a_quantile():
    x, periods = np.array([1.0, 2.0, 4.0, 0.0, 5.0]), np.array([1, 1, 1, 1, 2])
    half = transform.distance_to_frontier(x, periods, 0.5)
    np.testing.assert_allclose(half.values, [np.log(2), 0, -np.log(2), NAN, 0])
    assert half.counts == {"undefined": 1}
    with pytest.raises(OptionError, match="quantile"):
        transform.distance_to_frontier(x, periods, 0)


# ---- description


@settings(max_examples=50)
@given(panels())
def test_variance_split_as_xtsum_defines_it(panel):
    x, units, _ = panel
    known = ~np.isnan(x)
    split = transform.variance_split(units, x)
    x, units = x[known], units[known]
    if not len(x):
        assert math.isnan(split.mean)
        return
    means = {u: x[units == u].mean() for u in np.unique(units)}
    within = np.array([v - means[u] + x.mean() for u, v in zip(units, x, strict=True)])
    assert split.mean == pytest.approx(x.mean())
    assert (split.n, split.n_units) == (len(x), len(means))
    if len(x) > 1:
        assert split.sd_overall == pytest.approx(x.std(ddof=1))
        assert split.sd_within == pytest.approx(within.std(ddof=1), abs=1e-9)
    if len(means) > 1:
        assert split.sd_between == pytest.approx(np.std(list(means.values()), ddof=1))


def test_xtsum_by_hand():
    split = transform.variance_split(np.array([0, 0, 1, 1]), np.array([1.0, 3.0, 5.0, 7.0]))
    assert split.sd_between == pytest.approx(math.sqrt(8))  # unit means 2 and 6
    assert split.sd_within == pytest.approx(math.sqrt(4 / 3))  # 3, 5, 3, 5 around 4
