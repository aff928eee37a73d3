"""Averages of cells by hand, their gradients with respect to shares, windows and balance."""

import numpy as np
import pytest

from econ import EconError
from econ.did.aggregate import Averages, averages
from econ.did.cells import Cells
from econ.linear.fit import FloatArray

SIZE = {2003: 2.0, 2005: 3.0, 2006: 5.0}  # units by cohort
SHARES = np.array(list(SIZE.values())) / 20


def cells() -> Cells:
    """Cohorts 2003, 2005 and 2006 over 2002-2007, without their base periods."""
    pairs = [(g, t) for g in SIZE for t in range(2002, 2008) if t != g - 1]
    size = np.array([SIZE[g] for g, _ in pairs])
    event_time = np.array([float(t - g) for g, t in pairs])
    group = tuple("east" if g == 2005 else "west" for g, _ in pairs)
    return Cells(tuple(g for g, _ in pairs), tuple(t for _, t in pairs), group, event_time, size, size)


def effects() -> FloatArray:
    return np.random.default_rng(0).normal(size=len(cells().size))


def found(kind: str, average: str = "cells", window: object = None, balance: int | None = None) -> dict[str, float]:
    a = averages(cells(), effects(), SHARES, kind, average, window, balance)  # type: ignore[arg-type]
    return dict(zip(a.terms, a.weights @ effects(), strict=True))


def effect(g: int, t: int) -> float:
    c = cells()
    return float(effects()[list(zip(c.cohort, c.period, strict=True)).index((g, t))])


def test_event_times_weigh_cohorts_by_their_size() -> None:
    event = found("event")
    assert list(event) == [f"event_time::{e}" for e in (-4, -3, -2, 0, 1, 2, 3, 4)]
    assert event["event_time::1"] == pytest.approx(
        (2 * effect(2003, 2004) + 3 * effect(2005, 2006) + 5 * effect(2006, 2007)) / 10
    )
    assert event["event_time::-3"] == pytest.approx((3 * effect(2005, 2002) + 5 * effect(2006, 2003)) / 8)


def test_cohorts_average_over_their_periods() -> None:
    cohorts = found("cohort")
    assert list(cohorts) == ["cohort::2003", "cohort::2005", "cohort::2006"]
    assert cohorts["cohort::2005"] == pytest.approx(np.mean([effect(2005, t) for t in (2005, 2006, 2007)]))


def test_periods_average_over_the_cohorts_treated_by_then() -> None:
    periods = found("period")
    assert list(periods) == [f"period::{t}" for t in range(2003, 2008)]
    assert periods["period::2004"] == pytest.approx(effect(2003, 2004))
    assert periods["period::2005"] == pytest.approx((2 * effect(2003, 2005) + 3 * effect(2005, 2005)) / 5)


def test_groups_average_over_their_treated_cells() -> None:
    groups = found("group")
    west = [(g, t) for g in (2003, 2006) for t in range(g, 2008)]
    assert groups["group::west"] == pytest.approx(
        np.average([effect(*pair) for pair in west], weights=[SIZE[g] for g, _ in west])
    )


def test_overall_averages_over_what_it_is_asked_for() -> None:
    cohorts, periods, event = found("cohort"), found("period"), found("event")
    treated = [(g, t) for g in SIZE for t in range(g, 2008)]
    weights = [SIZE[g] for g, _ in treated]
    assert found("overall")["overall"] == pytest.approx(
        np.average([effect(*pair) for pair in treated], weights=weights)
    )
    assert found("overall", "cohort")["overall"] == pytest.approx(
        np.average(list(cohorts.values()), weights=list(SIZE.values()))
    )
    assert found("overall", "period")["overall"] == pytest.approx(np.mean(list(periods.values())))
    post = [event[f"event_time::{e}"] for e in range(5)]
    assert found("overall", "event")["overall"] == pytest.approx(np.mean(post))


def test_a_window_keeps_event_times_within_it() -> None:
    assert list(found("event", window=(-2, 1))) == ["event_time::-2", "event_time::0", "event_time::1"]
    treated = [(g, t) for g in SIZE for t in (g, g + 1)]
    assert found("overall", window=(-2, 1))["overall"] == pytest.approx(
        np.average([effect(*pair) for pair in treated], weights=[SIZE[g] for g, _ in treated])
    )


def test_balance_keeps_the_cohorts_seen_long_enough_at_times_all_of_them_have() -> None:
    event = found("event", balance=2)
    assert list(event) == ["event_time::0", "event_time::1", "event_time::2"]
    assert event["event_time::0"] == pytest.approx((2 * effect(2003, 2003) + 3 * effect(2005, 2005)) / 5)
    assert list(found("event", balance=1)) == ["event_time::0", "event_time::1"]
    assert list(found("event", balance=4)) == [f"event_time::{e}" for e in range(5)]


@pytest.mark.parametrize(
    ("kind", "average"),
    [("event", "cells"), ("cohort", "cells"), ("period", "cells"), ("group", "cells")]
    + [("overall", how) for how in ("cells", "event", "cohort", "period")],
)
def test_gradients_are_derivatives_with_respect_to_the_shares(kind: str, average: str) -> None:
    def at(shares: FloatArray) -> Averages:
        c = cells()
        size = 20 * shares[c.cohort_codes]
        moved = Cells(c.cohort, c.period, c.group, c.event_time, size, size)
        return averages(moved, effects(), shares, kind, average, None, None)  # type: ignore[arg-type]

    for c, direction in enumerate(np.eye(3)):
        up, down = (at(SHARES + sign * 1e-6 * direction).weights @ effects() for sign in (1, -1))
        np.testing.assert_allclose(at(SHARES).gradient[:, c], (up - down) / 2e-6, atol=1e-8)


def test_every_average_has_weights_that_add_up_to_one() -> None:
    for kind in ("event", "cohort", "period", "group", "overall"):
        a = averages(cells(), effects(), SHARES, kind, "cells", None, None)  # type: ignore[arg-type]
        np.testing.assert_allclose(a.weights.sum(axis=1), 1.0)
        np.testing.assert_allclose(a.gradient @ SHARES, 0.0, atol=1e-12)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"kind": "simple"}, "choose one of 'event'"),
        ({"kind": "overall", "average": "units"}, "choose one of 'cells'"),
        ({"kind": "event", "average": "cohort"}, r"belongs to aggregate\('overall'\)"),
        ({"kind": "cohort", "average": "event"}, r"belongs to aggregate\('overall'\)"),
        ({"kind": "event", "window": (3, 1)}, r"\(first, last\)"),
        ({"kind": "overall", "window": (-3, -2)}, "widen the window"),
        ({"kind": "event", "balance": 9}, "choose one of 0, 1, 2, 3, 4"),
    ],
)
def test_what_cannot_be_averaged_is_refused(asked: dict[str, object], words: str) -> None:
    with pytest.raises(EconError, match=words):
        found(**asked)  # type: ignore[arg-type]


def test_a_pooled_coefficient_has_no_event_times() -> None:
    pooled = Cells((None,), (None,), (None,), np.array([np.nan]), np.ones(1), np.ones(1))
    with pytest.raises(EconError, match="no effects by event time"):
        averages(pooled, np.ones(1), np.ones(1), "event", "cells", None, None)
    with pytest.raises(EconError, match="no effects by cohort"):
        averages(pooled, np.ones(1), np.ones(1), "cohort", "cells", None, None)
