"""Arellano-Bond, Blundell-Bond and Anderson-Hsiao on the published data, against plm, gretl and the papers.

Within 1e-6 (estimates) and 1e-5 (standard errors), relative; estimates that were printed with six digits within half a
unit of the last one.
"""

from collections.abc import Mapping

import gold
import numpy as np
import pytest

import econ
from econ import Panel
from econ.growth import DynamicEstimate

PRINTED = 5.1e-7  # half a unit of the sixth decimal


def firms() -> Panel:
    frame = gold.data("plm_EmplUK.csv")
    logs = {"n": "emp", "w": "wage", "k": "capital", "ys": "output"}
    return Panel(frame.assign(**{new: np.log(frame[old]) for new, old in logs.items()}), unit="firm", time="year")


def table_4(steps: int, vcov: econ.inference.covariance.Vcov | None = None) -> DynamicEstimate:
    """Column (a) of Arellano and Bond's table 4."""
    return econ.growth.dynamic(
        firms(),
        "n ~ lag(n, 1:2) + lag(w, 0:1) + lag(k, 0:2) + lag(ys, 0:2)",
        gmm=[econ.gmm("n", lags=(2, None))],
        iv=["lag(w, 0:1)", "lag(k, 0:2)", "lag(ys, 0:2)"],
        steps=steps,
        vcov=vcov,
    )


def term(name: str) -> str:
    """``n1`` is ``lag(n, 1)``."""
    return f"lag({name[:-1]}, {name[-1]})" if name[-1].isdigit() else name


def test_ab91_a1() -> None:
    expected = gold.values("growth", "ab91-a1")
    found = table_4(1)
    for name in ("n1", "n2", "w", "w1", "k"):
        assert found.params[term(name)] == pytest.approx(expected[name][0], rel=1e-6)
        assert found.bse[term(name)] == pytest.approx(expected[name][1], rel=1e-5)
    for name in ("k1", "k2", "ys", "ys1", "ys2"):
        assert found.params[term(name)] == pytest.approx(expected[name], rel=1e-6)
    assert found.test("ar1").statistic == pytest.approx(expected["m1"], abs=1e-5)
    assert found.test("ar2").statistic == pytest.approx(expected["m2"], abs=1e-5)
    assert found.test("sargan").statistic == pytest.approx(65.8, abs=0.05)  # the paper's
    assert (found.stats["n_instruments"], found.n_obs) == (expected["instruments"], expected["nobs"])


def test_ab91_a2() -> None:
    expected = gold.values("growth", "ab91-a2")
    corrected = table_4(2)
    plain = table_4(2, econ.cluster("firm", kind="CR0"))
    for name in ("n1", "n2", "w", "w1", "k"):
        coef, se_plain, se_corrected = expected[name]
        assert corrected.params[term(name)] == pytest.approx(coef, rel=1e-6)
        assert plain.bse[term(name)] == pytest.approx(se_plain, rel=1e-5)
        assert corrected.bse[term(name)] == pytest.approx(se_corrected, rel=1e-5)
    hansen = corrected.test("hansen")
    assert (hansen.statistic, hansen.dof) == (pytest.approx(expected["hansen"], rel=1e-6), (expected["df"],))
    for result, ending in ((corrected, "wind"), (plain, "plain")):
        assert result.test("ar1").statistic == pytest.approx(expected[f"m1_{ending}"], abs=1e-5)
        assert result.test("ar2").statistic == pytest.approx(expected[f"m2_{ending}"], abs=1e-5)


@pytest.mark.parametrize(("entry", "system"), [("bb98-dif", False), ("bb98-sys-dpd", True)])
def test_bb98(entry: str, system: bool) -> None:
    """Table 4 of Blundell and Bond as gretl gives it."""
    expected = gold.values("growth", entry)
    found = econ.growth.dynamic(
        firms(), "n ~ lag(n, 1) + lag(w, 0:1) + lag(k, 0:1)", gmm=["n", "w", "k"], system=system, weighting="dpd"
    )
    for name in ("n1", "w", "w1", "k", "k1"):
        assert found.params[term(name)] == pytest.approx(expected[name][0], abs=PRINTED)
        assert found.bse[term(name)] == pytest.approx(expected[name][1], rel=1e-5)
    hansen = found.test("hansen")
    assert (hansen.statistic, hansen.dof) == (pytest.approx(expected["hansen"], rel=5e-6), (expected["df"],))
    assert found.test("ar1").statistic == pytest.approx(expected["m1"], rel=5e-6)
    assert found.test("ar2").statistic == pytest.approx(expected["m2"], rel=5e-6)


@pytest.mark.parametrize("instrument", ["level", "diff"])
def test_penngrow_AH(instrument: str) -> None:
    """Nerlove's growth equation. The entry's pair is the coefficients of lagged output and of X, as the script of its
    reference prints them: 2SLS of differences, in which the constant is an instrument but no regressor; that constant
    is the difference of a trend."""
    expected: Mapping[str, list[float]] = gold.values("growth", "penngrow-AH")
    frame = gold.data("gretl_penngrow.csv")
    panel = Panel(frame.assign(period=(frame["year"] - 1960) // 5), unit="country", time="period")
    trended = panel.assign(trend=lambda d: d["period"] * 1.0)
    found = econ.growth.dynamic(
        trended,
        "Y ~ lag(Y, 1) + X",
        gmm=[econ.gmm("Y", lags=(2, 2), collapse=True)] if instrument == "level" else [],
        iv=["X", "trend"] if instrument == "level" else ["X", "trend", "lag(Y, 2)"],
        steps=1,
        time_effects=False,
        weighting="identity",
    )
    assert found.coef == pytest.approx(expected[instrument], abs=PRINTED)
