"""Standard errors published or computed by other software, one test per entry of the reference collection.

Relative tolerance 1e-5 for standard errors, as the collection says; the degrees of freedom are given to two places.
"""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from dense_fits import absorbed, effect, least_squares, poisson

from econ.inference.covariance import Layout, Vcov, cluster, covariance, driscoll_kraay, hetero, iid
from econ.linear.fit import LinearFit

GOLD = Path(os.environ.get("ECON_GOLD", Path(__file__).parents[2] / ".." / "shared" / "gold"))
pytestmark = pytest.mark.skipif(
    not (GOLD / "growth.json").exists(), reason="the reference collection is not here; set ECON_GOLD to its folder"
)


@cache
def gold(name: str) -> dict[str, Any]:
    entries = [entry for file in ("growth.json", "did.json") for entry in json.loads((GOLD / file).read_text())]
    return next(entry["value"] for entry in entries if entry["id"] == name)


def data(name: str) -> pd.DataFrame:
    path = GOLD / "data" / name
    return pd.read_csv(path if path.exists() else path.with_suffix(path.suffix + ".gz"))


@cache
def grunfeld(*absorb: str) -> tuple[LinearFit, Layout]:
    frame = data("plm_Grunfeld.csv")
    y, X = frame["inv"].to_numpy(), frame[["value", "capital"]].to_numpy()
    columns = {name: np.unique(frame[name], return_inverse=True)[1] for name in ("firm", "year")}
    place = {"columns": columns, "unit": columns["firm"], "time": columns["year"]}
    if not absorb:
        return least_squares(y, np.column_stack((np.ones(len(y)), X))), Layout(**place)
    return absorbed(y, X, [effect(name, columns[name]) for name in absorb], **place)


@pytest.mark.parametrize(
    ("name", "absorb"),
    [("grunfeld-pooled", ()), ("grunfeld-within", ("firm",)), ("grunfeld-twoway", ("firm", "year"))],
)
def test_grunfeld_classical(name: str, absorb: tuple[str, ...]) -> None:
    fit, layout = grunfeld(*absorb)
    expected = np.array(list(gold(name).values()))
    np.testing.assert_allclose(fit.coef, expected[:, 0], rtol=1e-6)
    np.testing.assert_allclose(covariance(iid(), fit, layout).std_error, expected[:, 1], rtol=1e-5)


@pytest.mark.parametrize(
    ("row", "spec"),
    [
        ("CR0", cluster("firm", kind="CR0")),
        ("CR1S", cluster("firm", effects_counted="none")),
        ("fixest_cluster", cluster("firm")),
        ("DK1", driscoll_kraay(1, small_sample=False)),
        ("DK2", driscoll_kraay(2, small_sample=False)),
        ("DK4", driscoll_kraay(4, small_sample=False)),
        ("DK2_fixest_ssc", driscoll_kraay(2)),
        ("CR2", cluster("firm", kind="CR2")),
        ("CR3_clubSandwich", cluster("firm", kind="CR3")),
        ("CV3_(G-1)/G", cluster("firm", kind="CV3")),
    ],
)
def test_grunfeld_vcov(row: str, spec: Vcov) -> None:
    result = covariance(spec, *grunfeld("firm"))
    np.testing.assert_allclose(result.std_error, gold("grunfeld-vcov")[row], rtol=1e-5)


def test_grunfeld_vcov_satterthwaite() -> None:
    dof = covariance(cluster("firm", kind="CR2"), *grunfeld("firm")).dof
    np.testing.assert_allclose(dof, gold("grunfeld-vcov")["CR2_satt_df"], atol=0.005)


def test_grunfeld_2way_cluster_unit() -> None:
    result = covariance(cluster("firm"), *grunfeld("firm", "year"))
    np.testing.assert_allclose(result.std_error, list(gold("grunfeld-2way-cluster-unit").values()), rtol=1e-5)


@cache
def petersen() -> tuple[LinearFit, Layout]:
    frame = data("sandwich_PetersenCL.csv")
    X = np.column_stack((np.ones(len(frame)), frame["x"]))
    columns = {name: frame[name].to_numpy() for name in ("firm", "year")}
    return least_squares(frame["y"].to_numpy(), X), Layout(columns, unit=columns["firm"], time=columns["year"])


@pytest.mark.parametrize(
    ("row", "spec"),
    [
        ("iid", iid()),
        ("HC1", hetero("HC1")),
        ("firm", cluster("firm")),
        ("year", cluster("year")),
        ("firm_year_CGM", cluster("firm", "year", groups="own")),
        ("firm_year_minG(fixest)", cluster("firm", "year")),
        ("DK_L1", driscoll_kraay(1, small_sample=False)),
        ("CR2_year", cluster("year", kind="CR2")),
        ("CR3_year", cluster("year", kind="CR3")),
    ],
)
def test_petersen_cluster(row: str, spec: Vcov) -> None:
    fit, layout = petersen()
    np.testing.assert_allclose(fit.coef, gold("petersen-cluster")["beta"], rtol=1e-6)
    assert covariance(spec, fit, layout).std_error[1] == pytest.approx(gold("petersen-cluster")[row], rel=1e-5)


def test_cr2_mortality() -> None:
    frame = data("clubsandwich_mv.csv")
    state, year = effect("state", frame["state"].to_numpy()), effect("year", frame["year"].to_numpy())
    fit, layout = absorbed(
        frame["mrate"].to_numpy(),
        frame[["legal", "beertaxa"]].to_numpy(dtype=float),
        [state, year],
        columns={"state": state.codes},
    )
    expected = gold("cr2-mortality")
    assert fit.coef[0] == pytest.approx(expected["coef"], rel=1e-6)
    all_counted = covariance(cluster("state", effects_counted="all"), fit, layout)
    assert all_counted.std_error[0] == pytest.approx(expected["CR1S"], rel=1e-5)
    reduced = covariance(cluster("state", kind="CR2"), fit, layout)
    assert reduced.std_error[0] == pytest.approx(expected["CR2"], rel=1e-5)
    assert reduced.dof[0] == pytest.approx(expected["dof"], rel=1e-5)


def with_positive_outcomes(frame: pd.DataFrame, outcome: str, effects: list[str]) -> pd.DataFrame:
    """Without the levels whose outcomes are all zero, which Poisson fits with a mean of zero."""
    rows = -1
    while rows != len(frame):
        rows = len(frame)
        for name in effects:
            frame = frame[frame.groupby(name)[outcome].transform("sum") > 0]
    return frame


def test_ppml_trade() -> None:
    """fixest's number; pyfixest's counts the wrong effects as nested (K is 2, 11 or 21 by hash seed, not 30)."""
    names = ["Origin", "Destination", "Product", "Year"]
    frame = with_positive_outcomes(data("fixest_trade.csv"), "Euros", names)
    effects = [effect(name, frame[name].to_numpy()) for name in names]
    X = np.log(frame[["dist_km"]].to_numpy())
    fit, layout = poisson(frame["Euros"].to_numpy(dtype=float), X, effects, {e.name: e.codes for e in effects[:2]})
    result = covariance(cluster("Origin", "Destination"), fit, layout)
    assert fit.coef[0] == pytest.approx(gold("ppml-trade")["b"], rel=1e-6)
    assert result.std_error[0] == pytest.approx(gold("ppml-trade")["se_fixest"], rel=1e-5)


def test_ppml_fta() -> None:
    names = ["imp_y", "exp_y", "pair"]
    frame = with_positive_outcomes(data("fta_total.csv"), "trade", names)
    effects = [effect(name, frame[name].to_numpy()) for name in names]
    fit, layout = poisson(frame["trade"].to_numpy(), frame[["fta"]].to_numpy(), effects, {"pair": effects[2].codes})
    assert (fit.coef[0], len(frame)) == (pytest.approx(gold("ppml-fta")["b"], rel=1e-6), gold("ppml-fta")["n"])
    assert covariance(cluster("pair"), fit, layout).std_error[0] == pytest.approx(gold("ppml-fta")["se"], rel=1e-5)


def test_ppml_patents() -> None:
    frame = with_positive_outcomes(data("ecdat_PatentsRD.csv"), "patent", ["fi", "year"])
    effects = [effect(name, frame[name].to_numpy()) for name in ("fi", "year")]
    X = frame[["rdexp", "spil"]].to_numpy()
    fit, layout = poisson(frame["patent"].to_numpy(dtype=float), X, effects, {"fi": effects[0].codes})
    expected = np.array([gold("ppml-patents")["rdexp"], gold("ppml-patents")["spil"]])
    np.testing.assert_allclose(fit.coef, expected[:, 0], rtol=1e-6)
    np.testing.assert_allclose(covariance(cluster("fi"), fit, layout).std_error, expected[:, 1], rtol=1e-5)
