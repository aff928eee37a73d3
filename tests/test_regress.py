"""``feols`` and ``fepois`` from a panel to an ``Estimate``: against other software, and against themselves."""

import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import linearmodels
import numpy as np
import pandas as pd
import pyfixest
import pytest

import econ
from econ import Estimate, Panel
from econ.errors import DataError, EconError, EconWarning, FormulaError, ModelError, OptionError


def make_frame(seed: int = 0) -> pd.DataFrame:
    """60 units over 8 years with holes, in no order."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"unit": np.repeat(np.arange(60), 8), "year": np.tile(np.arange(2010, 2018), 60)})
    frame = frame[rng.random(480) < 0.9].sample(frac=1, random_state=seed).reset_index(drop=True)
    n = len(frame)
    frame["state"] = frame["unit"] % 12
    frame["half"] = np.array(["north", "south"])[frame["unit"] % 2]
    frame["treated"] = (frame["unit"] % 2).astype(float)
    frame["industry"] = rng.integers(0, 5, n)
    frame["x1"] = rng.normal(size=n) + frame["unit"] / 10
    frame["x2"] = rng.normal(size=n) + (frame["year"] - 2010) / 10
    frame["z1"], frame["z2"] = rng.normal(size=(2, n))
    frame["w"] = rng.random(n) + 0.1
    shock = rng.normal(size=n)
    frame["x3"] = frame["z1"] + 0.5 * frame["z2"] + 0.6 * shock + rng.normal(size=n)
    frame["y"] = frame["x1"] + 0.3 * frame["x2"] + frame["unit"] / 5 + shock
    frame["count"] = rng.poisson(np.exp(0.3 * frame["x2"] + frame["unit"] % 7 / 5))
    frame.loc[3, "x2"] = np.nan
    frame.loc[7, "y"] = np.nan
    return frame


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return make_frame()


@pytest.fixture(scope="module")
def panel(frame: pd.DataFrame) -> Panel:
    return Panel(frame, unit="unit", time="year")


@pytest.fixture
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def assert_same(found: Estimate, theirs: Any, names: dict[str, str]) -> None:
    """Coefficients and standard errors equal pyfixest's, whose names stand in ``names``."""
    table = theirs.tidy().rename(index={other: ours for ours, other in names.items()}).loc[list(found.terms)]
    np.testing.assert_allclose(found.coef, table["Estimate"], rtol=1e-7)
    np.testing.assert_allclose(found.std_error, table["Std. Error"], rtol=1e-6)
    assert found.n_obs == theirs._N


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(
    ("formula", "vcov", "other", "names"),
    [
        ("y ~ x1 + x2 | unit + year", None, {"CRV1": "unit"}, {}),
        ("y ~ x1*x2 | unit + year", econ.cluster("state"), {"CRV1": "state"}, {}),
        ("y ~ x1 + x2 | unit^industry", econ.hetero(), "HC1", {}),
        ("y ~ (x1 + x2 + z1)**2 | year", econ.iid(), "iid", {}),
        ("y ~ x1 - 1", econ.iid(), "iid", {}),
        ("y ~ i(year, treated, ref=2012) | unit + year", None, {"CRV1": "unit"}, {}),
        ("y ~ x1 + half", None, {"CRV1": "unit"}, {"half::south": "half[T.south]"}),
        ("y ~ x1 + C(industry)*x2", econ.iid(), "iid",
         {f"industry::{k}{x}": f"C(industry)[T.{k}]{x}" for k in range(1, 5) for x in ("", ":x2")}),
        ("y ~ x1 | unit + year | x3 ~ z1", None, {"CRV1": "unit"}, {}),
        ("y ~ x1 | x3 ~ z1", econ.hetero(), "HC1", {}),
    ],
)  # fmt: skip
def test_equals_pyfixest(
    frame: pd.DataFrame, panel: Panel, formula: str, vcov: Any, other: Any, names: dict[str, str]
) -> None:
    found, theirs = econ.feols(panel, formula, vcov=vcov), pyfixest.feols(formula, frame, vcov=other)
    assert_same(found, theirs, names)
    if "~ z1" not in formula:
        assert found.stats["r2"] == pytest.approx(theirs._r2, rel=1e-9)
        assert found.stats["rmse"] == pytest.approx(theirs._rmse, rel=1e-9)
        if "- 1" not in formula:
            assert found.stats["r2_adj"] == pytest.approx(theirs._adj_r2, rel=1e-9)
        if "|" in formula:
            assert found.stats["r2_within"] == pytest.approx(theirs._r2_within, rel=1e-9)


@pytest.mark.usefixtures("quiet")
def test_weights_equal_pyfixest(frame: pd.DataFrame, panel: Panel) -> None:
    formula = "y ~ x1 + x2 | unit + year"
    found = econ.feols(panel, formula, weights="w")
    assert_same(found, pyfixest.feols(formula, frame, vcov={"CRV1": "unit"}, weights="w"), {})
    assert found.spec["weights"] == "w"


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("formula", ["count ~ x1 + x2 | unit + year", "count ~ x2 + i(year, treated, ref=2010) | unit"])
def test_poisson_equals_pyfixest(frame: pd.DataFrame, panel: Panel, formula: str) -> None:
    found, theirs = econ.fepois(panel, formula), pyfixest.fepois(formula, frame, vcov={"CRV1": "unit"})
    assert_same(found, theirs, {})
    assert found.stats["deviance"] == pytest.approx(theirs.deviance, rel=1e-8)
    assert found.spec["estimator"] == "fepois"


def test_lags_equal_joined_columns(frame: pd.DataFrame, panel: Panel) -> None:
    """A lag by calendar year is a merge on the year before."""
    joined = frame.copy()
    for k in (1, 2):
        earlier = frame[["unit", "year", "x1"]].assign(year=frame["year"] + k)
        joined = joined.merge(earlier.rename(columns={"x1": f"lag{k}"}), on=["unit", "year"], how="left")
    found = econ.feols(panel, "y ~ lag(x1, 1:2) + x2 | unit + year")
    expected = econ.feols(Panel(joined, unit="unit", time="year"), "y ~ lag1 + lag2 + x2 | unit + year")
    assert found.terms == ("lag(x1, 1)", "lag(x1, 2)", "x2")
    np.testing.assert_allclose(found.vcov, expected.vcov, rtol=1e-12)
    assert found.n_obs == expected.n_obs and found.dropped["missing lag(x1, 1)"] > 0


@pytest.mark.parametrize(
    ("slopes", "dummies"),
    [
        ("y ~ x1 + x2 | unit[z1]", "y ~ x1 + x2 + C(unit)*z1"),
        ("y ~ x1 + x2 | state[[z1]] + year", "y ~ x1 + x2 + C(state):z1 | year"),
        ("y ~ x1 + x2 | state[z1, z2] + year", "y ~ x1 + x2 + C(state)*(z1 + z2) | year"),
        ("y ~ x1 + x2 | state[[z1]]", "y ~ x1 + x2 + C(state):z1"),
        ("y ~ x1 + x2 | state^half[z1]", "y ~ x1 + x2 + C(state)*z1"),
    ],
)
def test_absorbed_equals_dummies(panel: Panel, slopes: str, dummies: str) -> None:
    found, expected = (econ.feols(panel, formula, vcov=econ.iid()) for formula in (slopes, dummies))
    for term in found.terms:
        assert found.params[term] == pytest.approx(expected.params[term], rel=1e-9)
        assert found.bse[term] == pytest.approx(expected.bse[term], rel=1e-9)
    for name in ("r2", "r2_adj", "rmse", "loglik"):
        assert found.stats[name] == pytest.approx(expected.stats[name], rel=1e-10)


def test_instruments_equal_linearmodels(panel: Panel, frame: pd.DataFrame) -> None:
    known = frame.dropna()
    iv = linearmodels.IV2SLS(known["y"], known[["x1"]].assign(Intercept=1.0), known[["x3"]], known[["z1", "z2"]])
    theirs = iv.fit(cov_type="unadjusted", debiased=True)
    found = econ.feols(Panel(known, unit="unit", time="year"), "y ~ x1 | x3 ~ z1 + z2", vcov=econ.iid())
    assert found.terms == ("Intercept", "x3", "x1")
    np.testing.assert_allclose(found.coef, theirs.params[list(found.terms)], rtol=1e-9)
    np.testing.assert_allclose(found.std_error, theirs.std_errors[list(found.terms)], rtol=1e-9)
    assert found.test("sargan").statistic == pytest.approx(theirs.sargan.stat, rel=1e-8)
    assert found.test("wu_hausman").statistic == pytest.approx(theirs.wu_hausman().stat, rel=1e-8)
    first = theirs.first_stage.diagnostics.loc["x3"]
    assert found.stats["f_first_stage"] == pytest.approx(first["f.stat"], rel=1e-8)
    assert found.spec["instruments"] == ["z1", "z2"] and found.spec["endogenous"] == ["x3"]


@pytest.mark.parametrize("vcov", [None, econ.hetero(), econ.cluster("state")])
def test_kleibergen_paap_of_one_endogenous_regressor_is_the_first_stage_f(panel: Panel, vcov: Any) -> None:
    found = econ.feols(panel, "y ~ x1 | unit + year | x3 ~ z1 + z2", vcov=vcov)
    assert found.stats["kleibergen_paap"] == pytest.approx(found.stats["f_first_stage"], rel=1e-9)
    assert "hansen" in found.stats and "sargan" not in found.stats


def test_weights_are_duplicates(frame: pd.DataFrame) -> None:
    known = frame.dropna().assign(times=lambda d: d["industry"] + 1)
    formula = "y ~ x1 + x2 | state + industry"
    weighted = econ.feols(Panel(known, unit="unit", time="year"), formula, weights="times")
    repeated = known.loc[known.index.repeat(known["times"])].reset_index(drop=True)
    repeated["row"] = np.arange(len(repeated))
    duplicated = econ.feols(Panel(repeated, unit="row"), formula, vcov=econ.cluster("unit"))
    np.testing.assert_allclose(weighted.coef, duplicated.coef, rtol=1e-10)


def test_rows_in_any_order(frame: pd.DataFrame, panel: Panel) -> None:
    formula = "y ~ lag(x1, 1) + half:x2 | unit + year"
    found = econ.feols(panel, formula)
    order = np.random.default_rng(1).permutation(len(frame))
    shuffled = econ.feols(Panel(frame.iloc[order], unit="unit", time="year"), formula)
    np.testing.assert_allclose(shuffled.coef, found.coef, rtol=1e-11)
    np.testing.assert_allclose(shuffled.vcov, found.vcov, rtol=1e-10)
    np.testing.assert_array_equal(shuffled.sample, found.sample[order])


def test_units_of_measure(frame: pd.DataFrame, panel: Panel) -> None:
    """Constants added anywhere do not matter within effects; a regressor's unit scales its coefficient only."""
    formula = "y ~ x1 + x2 | unit + year"
    moved = frame.assign(y=frame["y"] + 1e6, x1=frame["x1"] * 1e-6 + 3, x2=frame["x2"] * 1e4 - 1e7)
    found, other = econ.feols(panel, formula), econ.feols(Panel(moved, unit="unit", time="year"), formula)
    np.testing.assert_allclose(other.coef * [1e-6, 1e4], found.coef, rtol=1e-6)
    np.testing.assert_allclose(other.statistic, found.statistic, rtol=1e-6)


def test_what_an_estimate_says(panel: Panel) -> None:
    found = econ.feols(panel, "log(w) ~ x1 + x2 | unit + year", vcov=econ.cluster("unit", "year"))
    assert found.outcome == "log(w)" and found.terms == ("x1", "x2")
    assert found.spec["fixed_effects"] == ["unit", "year"]
    assert found.spec["vcov"]["kind"] == "cluster" and found.spec["vcov"]["columns"] == ["unit", "year"]
    assert found.n_clusters == (60, 8) and (found.n_units, found.n_periods) == (60, 8)
    assert found.n_obs == found.sample.sum() and len(found.sample) == panel.n_obs
    assert sum(found.dropped.values()) == panel.n_obs - found.n_obs
    again = Estimate.from_json(found.to_json())
    np.testing.assert_array_equal(again.vcov, found.vcov)


def test_default_is_clustered_by_unit(panel: Panel) -> None:
    found, asked = econ.feols(panel, "y ~ x1 | unit"), econ.feols(panel, "y ~ x1 | unit", vcov=econ.cluster("unit"))
    np.testing.assert_array_equal(found.vcov, asked.vcov)
    assert found.dof.tolist() == [59.0]


def test_labels_travel(frame: pd.DataFrame) -> None:
    labelled = Panel(frame, unit="unit", time="year", columns={"x1": econ.Column("R&D", "研发", "100 million yuan")})
    words = {"label": "R&D", "label_zh": "研发", "unit": "100 million yuan"}
    assert econ.feols(labelled, "y ~ log1p(abs(x1)) | unit").labels["x1"] == words
    weighted = econ.fepois(
        labelled.assign(size=lambda d: d["x1"].abs()), "count ~ x2", weights="w", offset="log1p(x1^2)"
    )
    assert weighted.labels == {"x1": words}
    assert (weighted.spec["weights"], weighted.spec["offset"]) == ("w", "log1p(x1^2)")
    sized = labelled.with_labels({"w": econ.Column("Weight", "权数")})
    assert econ.feols(sized, "y ~ x2", weights="w").labels["w"] == {"label": "Weight", "label_zh": "权数"}


def test_collinear_terms_are_dropped_and_named(panel: Panel, frame: pd.DataFrame) -> None:
    with pytest.warns(EconWarning, match=r"fixed effects .unit . year. absorb them: treated"):
        found = econ.feols(panel, "y ~ x1 + treated | unit + year")
    assert found.terms == ("x1",) and "treated" in found.notes[-1]["en"] and "treated" in found.notes[-1]["zh"]
    twice = Panel(frame.assign(x4=frame["x1"] - 2 * frame["x2"]), unit="unit", time="year")
    with pytest.warns(EconWarning, match="earlier terms span them: x4"):
        assert econ.feols(twice, "y ~ x1 + x2 + x4").terms == ("Intercept", "x1", "x2")
    with pytest.warns(EconWarning, match="earlier terms span them: x2"):
        assert econ.feols(twice, "y ~ x1 + x4 + x2 | unit").terms == ("x1", "x4")
    with pytest.warns(EconWarning, match="do not vary: one"):
        assert econ.feols(panel.assign(one=1.0), "y ~ one + x1").terms == ("Intercept", "x1")
    with pytest.warns(EconWarning, match="absorb them: treated"):
        assert econ.fepois(panel, "count ~ treated + x2 | unit").terms == ("x2",)


def test_a_year_is_not_collinear_with_a_constant(panel: Panel) -> None:
    found = econ.feols(panel, "y ~ x1 + year")
    assert found.terms == ("Intercept", "x1", "year")


def test_singletons_are_dropped_and_counted(frame: pd.DataFrame) -> None:
    alone = pd.concat([frame.dropna(), frame.dropna().iloc[[0]].assign(unit=99)])
    found = econ.feols(Panel(alone, unit="unit", time="year"), "y ~ x1 | unit + year")
    assert found.dropped == {"singleton unit": 1} and not found.sample[-1]


def test_poisson_counts_what_it_cannot_use(frame: pd.DataFrame) -> None:
    empty = frame.dropna().assign(count=lambda d: d["count"].where(d["unit"] != 5, 0))
    found = econ.fepois(Panel(empty, unit="unit", time="year"), "count ~ x1 + x2 | unit + year")
    assert found.dropped == {"outcome zero throughout a level of unit": int((empty["unit"] == 5).sum())}


def test_poisson_leaves_out_rows_separated_by_a_regressor(frame: pd.DataFrame) -> None:
    data = frame.dropna().assign(flag=lambda d: ((d["count"] == 0) & (d["x1"] > 3)).astype(float))
    assert data["flag"].sum() > 3
    with pytest.warns(EconWarning, match="flag"):
        found = econ.fepois(Panel(data, unit="unit", time="year"), "count ~ x2 + flag | year")
    assert found.dropped == {"separated": int(data["flag"].sum())} and found.terms == ("x2",)
    kept = Panel(data[data["flag"] == 0], unit="unit", time="year")
    np.testing.assert_allclose(found.coef, econ.fepois(kept, "count ~ x2 | year").coef, rtol=1e-7)


def test_offset(panel: Panel) -> None:
    """A regressor whose coefficient is known to be one: adding it to the offset subtracts one from its coefficient."""
    free = econ.fepois(panel, "count ~ x1 + x2 | unit")
    offset = econ.fepois(panel, "count ~ x1 + x2 | unit", offset="x2")
    np.testing.assert_allclose(offset.coef, free.coef - [0, 1], atol=1e-7)
    assert offset.spec["offset"] == "x2"


@pytest.mark.parametrize(
    ("formula", "error", "message"),
    [
        ("y ~ 1 | unit", ModelError, "No regressor is left"),
        ("y ~ 0", ModelError, "No regressor is left"),
        ("treated ~ x1 | unit", ModelError, "'treated' does not vary within unit"),
        ("half ~ x1", DataError, "'half' is not numeric"),
        ("y ~ x1 + x9", FormulaError, "no column 'x9'.*Did you mean"),
        ("y ~ lag(x1, 50)", ModelError, "No row is left.*missing lag.x1, 50."),
        ("log(x1) ~ x2", DataError, "values are not positive, the first at"),
        ("y ~ x1 | unit | x3 ~ treated", ModelError, "underidentified: 1 endogenous regressors and 0 usable"),
        ("y ~ x1 | unit | x3 + x2 ~ z1", ModelError, "underidentified: 2 endogenous regressors and 1 usable"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::econ.errors.EconWarning")
def test_models_that_cannot_be_estimated(panel: Panel, formula: str, error: type[EconError], message: str) -> None:
    with pytest.raises(error, match=message):
        econ.feols(panel, formula)


def test_options_that_are_refused(panel: Panel) -> None:
    with pytest.raises(OptionError, match=r"vcov='HC1' is not allowed; give one of econ.iid"):
        econ.feols(panel, "y ~ x1", vcov="HC1")  # type: ignore[arg-type]
    with pytest.raises(FormulaError, match="no column 'province'"):
        econ.feols(panel, "y ~ x1", vcov=econ.cluster("province"))
    with pytest.raises(FormulaError, match="no column 'ww'"):
        econ.feols(panel, "y ~ x1", weights="ww")
    with pytest.raises(OptionError, match=r"takes an econ.Panel, got DataFrame; name its keys first"):
        econ.feols(panel.frame, "y ~ x1")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="weights takes the name of a column, got Series"):
        econ.feols(panel, "y ~ x1", weights=panel.frame["w"])  # type: ignore[arg-type]
    with pytest.raises(OptionError, match=r"offset takes the name of a column or an expression.*got Series"):
        econ.fepois(panel, "count ~ x1", offset=panel.frame["w"])  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"weights='x1' has .* negative values"):
        econ.feols(panel, "y ~ x2", weights="x1")
    with pytest.raises(FormulaError, match="fepois takes no instruments"):
        econ.fepois(panel, "count ~ x1 | x3 ~ z1")
    with pytest.raises(DataError, match=r"'y' has .* negative values"):
        econ.fepois(panel.assign(y=-1.0), "y ~ x1")
    with pytest.raises(ModelError, match="zero in every row"):
        econ.fepois(panel.assign(y=0.0), "y ~ x1")


def test_driscoll_kraay_on_two_periods_with_year_effects(panel: Panel) -> None:
    two = panel.where(lambda d: d["year"] < 2012)
    with pytest.raises(ModelError, match="zero up to rounding"):
        econ.feols(two, "y ~ x1 + x2 | unit + year", vcov=econ.driscoll_kraay())
    with pytest.raises(ModelError, match="zero up to rounding"):
        econ.feols(two, "y ~ x1 | unit + year | x3 ~ z1", vcov=econ.driscoll_kraay())


def test_dummies_of_the_clusters_do_not_disturb_tests_of_instruments(panel: Panel) -> None:
    """Their scores add up to zero within every cluster, which is no failure of the covariance of the coefficients."""
    found = econ.feols(panel, "y ~ C(state) | x3 ~ z1 + z2", vcov=econ.cluster("state"))
    assert np.isfinite(found.std_error).all() and np.isfinite(found.stats["f_first_stage"])


def test_one_cluster(panel: Panel) -> None:
    with pytest.raises(ModelError, match="1 cluster"):
        econ.feols(panel.assign(all=1), "y ~ x1", vcov=econ.cluster("all"))


def test_missing_cluster_does_not_move_the_sample(panel: Panel, frame: pd.DataFrame) -> None:
    holes = panel.assign(state=frame["state"].astype(float).where(frame["unit"] != 3))
    with pytest.raises(DataError, match="'state' is missing"):
        econ.feols(holes, "y ~ x1", vcov=econ.cluster("state"))


HASH_SCRIPT = """
import numpy as np, pandas as pd, econ
rng = np.random.default_rng(0)
d = pd.DataFrame({"firm": np.repeat([f"f{i}" for i in range(12)], 9), "year": np.tile(np.arange(2000, 2009), 12)})
d["x"] = rng.normal(size=len(d)); d["y"] = d.x + rng.normal(size=len(d)); d["plate"] = d.firm.str[-1]
panel = econ.Panel(d, unit="firm", time="year")
for vcov in (None, econ.iid(), econ.cluster("firm", "year"), econ.cluster("plate")):
    print(econ.feols(panel, "y ~ x | year + firm", vcov=vcov).std_error.tobytes().hex())
"""


def test_no_hash_seed_moves_a_standard_error() -> None:
    """Degrees of freedom must not depend on the order in which a set of effects is visited."""
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", HASH_SCRIPT],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in ("0", "1", "42")
    ]
    outputs = {run.communicate()[0] for run in runs}
    assert len(outputs) == 1 and outputs.pop().count("\n") == 4
