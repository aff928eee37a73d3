"""Growth accounting against the arithmetic of two periods, and its identity."""

import numpy as np
import pandas as pd
import pytest

import econ
from econ import DataError, ModelError, OptionError, Panel
from econ.growth import growth_accounting
from econ.report import accounting_plot


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = [(f"u{i}", t) for i in range(6) for t in (2000, 2001, 2003)]
    d = pd.DataFrame(rows, columns=["unit", "year"])
    for name in ("y", "k", "l", "h"):
        d[name] = np.exp(rng.normal(size=len(d)) * 0.2 + 1)
    d["share"] = rng.uniform(0.3, 0.6, len(d))
    d["half"] = np.where(d["unit"] < "u3", "north", "south")
    return d


def panel(change=lambda d: d) -> Panel:  # type: ignore[no-untyped-def]
    return Panel(change(frame()), "unit", "year")


def test_parts_by_hand() -> None:
    d = frame().query("unit == 'u2'").reset_index(drop=True)
    found = growth_accounting(panel(), "y", "k", "l", "h", capital_share="share").changes.query("unit == 'u2'")
    share = (d.loc[1, "share"] + d.loc[2, "share"]) / 2
    change = {name: np.log(d.loc[2, name] / d.loc[1, name]) for name in ("y", "k", "l", "h")}
    row = found.query("period == 2003").iloc[0]
    assert row["years"] == 2
    assert row["capital"] == pytest.approx(share * change["k"])
    assert row["labour"] == pytest.approx((1 - share) * change["l"])
    assert row["human"] == pytest.approx((1 - share) * change["h"])
    parts = share * change["k"] + (1 - share) * (change["l"] + change["h"])
    assert row["tfp"] == pytest.approx(change["y"] - parts)


def test_parts_add_up_everywhere_and_averages_are_per_year() -> None:
    found = growth_accounting(panel(), "y", "k", "l", capital_share=0.4, by="half")
    for table in (found.changes, found.averages, found.means, found.groups):
        np.testing.assert_allclose(table[["capital", "labour", "tfp"]].sum(axis=1), table["output"], atol=1e-12)
    d = frame().set_index(["unit", "year"])["y"]
    first = found.averages.set_index("unit")["output"]["u0"]
    assert first == pytest.approx(np.log(d["u0", 2003] / d["u0", 2000]) / 3)
    assert found.groups["group"].tolist() == ["all", "north", "south"]
    assert found.groups["n"].tolist() == [6, 3, 3]


def test_the_share_is_the_slope_with_unit_and_period_effects() -> None:
    rng = np.random.default_rng(1)
    d = frame().assign(l=1.0)
    d["y"] = d["k"] ** 0.4 * np.exp(0.01 * rng.normal(size=len(d)))
    found = growth_accounting(Panel(d, "unit", "year"), "y", "k", "l")
    fit = econ.feols(Panel(d, "unit", "year"), "log(y) ~ log(k) | unit + year")
    assert found.spec["capital_share"] == pytest.approx(fit.coef[0])
    assert found.estimate is not None
    assert f"Capital share {fit.coef[0]:.3f}" in found.notes[-1]["en"]


def test_rows_that_lack_an_amount_are_named_and_changes_over_them_left_out() -> None:
    found = growth_accounting(
        panel(lambda d: d.assign(k=d["k"].mask((d["unit"] == "u1") & (d["year"] == 2001)))),
        "y",
        "k",
        "l",
        capital_share=0.4,
    )
    assert "u1 2001" in found.notes[0]["en"]
    assert "u1" not in found.changes["unit"].tolist()


@pytest.mark.parametrize(
    ("change", "options", "error", "words"),
    [
        (lambda d: d.assign(y=-d["y"]), {}, DataError, "'y' is zero or negative in 18 rows"),
        (lambda d: d, {"capital_share": 1.2}, OptionError, "between 0 and 1"),
        (lambda d: d.assign(share=2.0), {"capital_share": "share"}, DataError, "not between 0 and 1"),
        (lambda d: d[d["year"] == 2000], {"capital_share": 0.4}, ModelError, "two periods"),
        (lambda d: d.assign(k=np.nan), {"capital_share": 0.4}, DataError, "No row has all"),
    ],
)
def test_bad_input(change, options, error, words) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(error, match=words):
        growth_accounting(panel(change), "y", "k", "l", **options)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_figure_stacks_the_parts(lang) -> None:  # type: ignore[no-untyped-def]
    found = growth_accounting(panel(), "y", "k", "l", capital_share=0.4, by="half")
    plot = accounting_plot(found, lang=lang)
    np.testing.assert_allclose(plot.data[["capital", "labour", "tfp"]].sum(axis=1), plot.data["output"])
    assert plot.data["output"].is_monotonic_decreasing
    assert repr(found).startswith("Growth accounting of y, 2000-2003")
