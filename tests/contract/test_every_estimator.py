"""The same checks over every estimator that returns an Estimate. A new estimator is a new line in ``CALLS``."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import econ
from econ import DataError, EconError, Estimate, Panel

Call = Callable[[Panel], Estimate]

DYNAMIC, PAST = "y ~ lag(y, 1) + x + z", econ.gmm("y", lags=(2, 3))

CALLS: dict[str, Call] = {
    "ols": lambda p: econ.feols(p, "y ~ x + z"),
    "one-way": lambda p: econ.feols(p, "y ~ x + z | region"),
    "two-way": lambda p: econ.feols(p, "y ~ x + z | region + year"),
    "three-way": lambda p: econ.feols(p, "y ~ x + z | region + year + group"),
    "iv": lambda p: econ.feols(p, "y ~ z | region + year | x ~ w + v"),
    "two-way clusters": lambda p: econ.feols(p, "y ~ x + z | region", vcov=econ.cluster("region", "year")),
    "driscoll-kraay": lambda p: econ.feols(p, "y ~ x + z | region", vcov=econ.driscoll_kraay()),
    "newey-west": lambda p: econ.feols(p, "y ~ x + z | region", vcov=econ.newey_west()),
    "CR2": lambda p: econ.feols(p, "y ~ x + z | region + year", vcov=econ.cluster("region", kind="CR2")),
    "HC3": lambda p: econ.feols(p, "y ~ x + z | region + year", vcov=econ.hetero("HC3")),
    "poisson": lambda p: econ.fepois(p, "y ~ x + z | region + year"),
    "pooled": lambda p: econ.growth.pooled(p, "y ~ x + z"),
    "random effects": lambda p: econ.growth.random_effects(p, "y ~ x + z"),
    "between": lambda p: econ.growth.between(p, "y ~ x + z"),
    "first differences": lambda p: econ.growth.first_difference(p, "y ~ x + z", constant=True),
    "mundlak": lambda p: econ.growth.mundlak(p, "y ~ x + z"),
    "slopes by group": lambda p: econ.growth.heterogeneity(p, "y ~ x + z | region", by="group", terms=["x"]),
    "threshold": lambda p: econ.growth.threshold(p, "y ~ x + z + w | region", "v", ["w"], draws=0).estimate,
    "hausman-taylor": lambda p: econ.growth.hausman_taylor(p, "y ~ x + z", ["x"]),
    "difference gmm": lambda p: econ.growth.dynamic(p, DYNAMIC, gmm=[PAST], iv=["x", "z"], collapse=True),
    "system gmm": lambda p: econ.growth.dynamic(
        p, DYNAMIC, gmm=[PAST], iv=["x", "z"], collapse=True, system=True, transform="orthogonal", weighting="xtabond2"
    ),
    "half-panel jackknife": lambda p: econ.growth.half_panel_jackknife(p, "y ~ x + z | region + year"),
    "long differences": lambda p: econ.growth.long_difference(p, "y ~ x + z | year", span=4),
    "triple": lambda p: econ.did.triple(
        p.assign(eligible=lambda d: d["region"].map(eligible)), "y", cohort="cohort", eligible="eligible"
    ).aggregate("event"),
    "quantile": lambda p: econ.growth.quantile(p, "y ~ x + z | region + year", 0.37),
    "mean group": lambda p: econ.growth.mean_group(p, "y ~ x + z"),
    "cce mean group": lambda p: econ.growth.cce_mean_group(p, "y ~ x + z"),
    "cce pooled": lambda p: econ.growth.cce_pooled(p, "y ~ x + z"),
    "pooled mean group": lambda p: econ.growth.pooled_mean_group(p, "y ~ x + z", lags=(1, 0)),
    "frontier": lambda p: econ.growth.frontier(p, "log(y) - abs(v) ~ x + z"),
    "frontier, decay": lambda p: econ.growth.frontier(p, "log(y) ~ z", path="decay"),
    "frontier, covariates": lambda p: econ.growth.frontier(
        p, "log(y) - abs(v) ~ x + z", inefficiency="truncated_normal", covariates=["w"]
    ),
    "interactive effects": lambda p: econ.growth.interactive_effects(p, "y ~ x + z | region + year", 1),
    "twfe": lambda p: econ.did.twfe(p, "y", cohort="cohort", covariates=["x"]),
    "event study": lambda p: econ.did.event_study(p, "y", cohort="cohort", window=(-3, 3)),
    "callaway and sant'anna": lambda p: econ.did.callaway_santanna(
        p, "y", cohort="cohort", control="not_yet"
    ).aggregate("event"),
    "callaway and sant'anna, dr": lambda p: econ.did.callaway_santanna(
        p, "y", cohort="cohort", covariates=["x"]
    ).aggregate("event"),
    "sun and abraham": lambda p: econ.did.sun_abraham(p, "y", cohort="cohort", covariates=["x"]).aggregate("event"),
    "synthetic": lambda p: econ.did.synthetic(p, "y", cohort="cohort", inference="jackknife").aggregate("event"),
    "matched": lambda p: econ.did.matched(p, "y", cohort="cohort", covariates=["x"]).aggregate("event"),
    "imputation": lambda p: econ.did.imputation(p, "y", cohort="cohort", covariates=["x"], leads=2).aggregate("event"),
    "two-stage": lambda p: econ.did.two_stage(p, "y", cohort="cohort", covariates=["x"]).aggregate("event"),
    "etwfe": lambda p: econ.did.etwfe(p, "y", cohort="cohort", covariates=["x"]).aggregate("event"),
    "etwfe, poisson": lambda p: econ.did.etwfe(p, "y", cohort="cohort", family="poisson").aggregate("event"),
    "local projections": lambda p: econ.did.local_projections(
        p, "y", cohort="cohort", covariates=["x"], window=(-3, 3)
    ),
    "stacked": lambda p: econ.did.stacked(p, "y", cohort="cohort", window=(-3, 2)),
    "switchers": lambda p: econ.did.switchers(
        p.assign(d=lambda d: (d["year"] >= d["cohort"]).astype(float)), "y", treatment="d", effects=3, placebos=2
    ),
    "dose": lambda p: econ.did.dose(with_funds(p), "y", cohort="cohort", dose="funds", degree=1).level,
    "beta": lambda p: econ.convergence.beta(p, "y", covariates=["x"]),
    "beta panel": lambda p: econ.convergence.beta(p, "y", covariates=["x"], method="panel"),
    "log t": lambda p: econ.convergence.log_t(p, "y"),
}
FRONTIERS = {name for name in CALLS if name.startswith("frontier")}
SCALE_FREE = FRONTIERS | {"poisson", "beta", "beta panel"}  # models of the log: scaling the outcome moves no slope
SHARES = {"adjustment"}  # terms without a unit of measure
RELATIVE = {"log t"}  # relative to the mean of the logs, which scaling moves
WEIGHTED = {
    "ols": lambda p: econ.feols(p, "y ~ x + z", weights="n"),
    "two-way": lambda p: econ.feols(p, "y ~ x + z | region + year", weights="n"),
    "iv": lambda p: econ.feols(p, "y ~ z | region + year | x ~ w + v", weights="n"),
    "poisson": lambda p: econ.fepois(p, "y ~ x + z | region + year", weights="n"),
}


def eligible(region: str) -> int:
    """One of every two regions, whichever way their numbers count."""
    code = int(region[1:])
    return code * (99 - code) // 2 % 2


def panel(seed: int = 0) -> Panel:
    """24 regions x 10 years with a few rows missing; positive outcome; two cohorts and never-treated regions."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame([(f"r{i:02d}", t) for i in range(24) for t in range(2001, 2011)], columns=["region", "year"])
    code = frame["region"].str[1:].astype(int)
    frame["cohort"] = np.select([code < 6, code < 12], [2005.0, 2007.0], np.nan)
    frame["group"] = "g" + ((code + frame["year"]) % 5).astype(str)
    shape = len(frame)
    frame["w"], frame["v"], u = rng.normal(size=shape), rng.normal(size=shape), rng.normal(size=shape)
    frame["x"] = 0.8 * frame["w"] - 0.5 * frame["v"] + 0.5 * u + 0.1 * code
    frame["z"] = rng.normal(size=shape)
    frame["y"] = np.exp(2 + 0.3 * frame["x"] - 0.2 * frame["z"] + 0.2 * u + 0.02 * code)
    frame["n"] = rng.integers(1, 4, size=shape)
    inner = frame["year"].between(2002, 2009)
    return Panel(frame.drop(frame[inner].sample(12, random_state=1).index), "region", "year")


def with_funds(p: Panel) -> Panel:
    """A dose for treated units that neither names nor outcomes move."""
    return p.assign(funds=lambda d: d.groupby("region")["w"].transform("sum").abs().where(d["cohort"].notna(), 0.0))


def close(a: Estimate, b: Estimate, scale: float = 1.0) -> None:
    assert a.terms == b.terms
    np.testing.assert_allclose(a.coef * scale, b.coef, rtol=1e-6, atol=1e-9 * scale)
    np.testing.assert_allclose(a.std_error * scale, b.std_error, rtol=1e-6)
    np.testing.assert_allclose(a.dof, b.dof, rtol=1e-6)
    assert (a.n_obs, a.n_units, a.n_clusters) == (b.n_obs, b.n_units, b.n_clusters)


@pytest.fixture(params=CALLS, ids=list(CALLS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_row_order_does_not_matter(name: str) -> None:
    base = panel()
    order = np.random.default_rng(3).permutation(base.n_obs)
    shuffled = Panel(base.frame.iloc[order], "region", "year")
    first, second = CALLS[name](base), CALLS[name](shuffled)
    close(first, second)
    np.testing.assert_array_equal(first.sample[order], second.sample)


def test_names_of_units_and_periods_do_not_matter(name: str) -> None:
    base = panel()
    renamed = base.assign(
        region=lambda d: d["region"].map(lambda r: f"省{99 - int(r[1:])}"),
        year=lambda d: d["year"] + 100,
        cohort=lambda d: d["cohort"] + 100,
    )
    close(CALLS[name](base), CALLS[name](renamed))


def test_scaling_the_outcome_scales_the_coefficients(name: str) -> None:
    if name in RELATIVE:
        pytest.skip("paths relative to the mean of the logs, which a scale moves")
    base = panel()
    scaled = base.assign(y=lambda d: 1000 * d["y"])
    a, b = CALLS[name](base), CALLS[name](scaled)
    slopes = [k for k, term in enumerate(a.terms) if term != "Intercept"]
    free = [name in SCALE_FREE or "lag(y" in a.terms[k] or a.terms[k] in SHARES for k in slopes]
    scale = np.where(free, 1.0, 1000.0)
    np.testing.assert_allclose(a.coef[slopes], b.coef[slopes] / scale, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(a.std_error[slopes] * scale, b.std_error[slopes], rtol=1e-6)


def test_shifting_a_regressor_moves_only_the_intercept(name: str) -> None:
    base = panel()
    shifted = base.assign(x=lambda d: d["x"] + 5, z=lambda d: d["z"] - 3)
    a, b = CALLS[name](base), CALLS[name](shifted)
    slopes = [k for k, term in enumerate(a.terms) if term != "Intercept"]
    np.testing.assert_allclose(a.coef[slopes], b.coef[slopes], rtol=1e-5, atol=1e-9)


def test_json_round_trip_is_exact(name: str) -> None:
    first = CALLS[name](panel())
    again = type(first).from_json(first.to_json())
    assert again.to_json() == first.to_json()
    np.testing.assert_array_equal(again.coef, first.coef)
    np.testing.assert_array_equal(again.sample, first.sample)
    assert again.spec == first.spec


def test_the_result_says_what_it_is(name: str) -> None:
    e = CALLS[name](panel())
    K = len(e.terms)
    assert e.coef.shape == e.dof.shape == (K,)
    assert e.vcov.shape == (K, K)
    np.testing.assert_allclose(e.vcov, e.vcov.T, rtol=1e-12)
    assert (np.linalg.eigvalsh(e.vcov) > -1e-8 * np.abs(e.vcov).max()).all()
    assert np.isfinite(e.coef).all()
    assert (e.std_error > 0).all()
    assert e.sample.shape == (panel().n_obs,)
    for text in (e.spec["estimator_label"], e.spec["vcov"]["words"], *e.notes):
        assert set(text) == {"en", "zh"}
        assert all(text.values())
    assert e.outcome
    assert e.vcov_words("zh") in e.spec["vcov"]["words"].values()
    assert str(e.n_obs) in e.summary()


def test_notes_of_the_panel_stay_on_the_result(name: str) -> None:
    marked = Panel(panel().frame, "region", "year", notes=["Simulated data."])
    assert {"en": "Simulated data.", "zh": "Simulated data."} in list(CALLS[name](marked).notes)


def test_missing_outcomes_are_left_out_and_counted(name: str) -> None:
    base = panel()
    holed = base.assign(y=lambda d: d["y"].mask(d["region"] == "r20"))
    dropped_rows = (base.frame["region"] == "r20").to_numpy()
    estimate = CALLS[name](holed)
    assert not estimate.sample[dropped_rows].any()
    assert sum(estimate.dropped.values()) >= 1
    close(CALLS[name](Panel(base.frame[~dropped_rows], "region", "year")), estimate)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda d: d.assign(y="word"), "numeric|number"),
        (lambda d: d.drop(columns="y"), "'y'"),
        (lambda d: d.assign(y=np.nan), "missing|known|no rows|left"),
    ],
    ids=["text outcome", "no outcome", "all missing"],
)
def test_bad_outcomes_are_refused_in_plain_words(
    name: str, damage: Callable[[pd.DataFrame], pd.DataFrame], words: str
) -> None:
    with pytest.raises(EconError, match=words):
        CALLS[name](Panel(damage(panel().frame), "region", "year"))


def test_infinite_outcomes_never_reach_an_estimator() -> None:
    with pytest.raises(DataError, match="infinite"):
        Panel(panel().frame.assign(y=np.inf), "region", "year")


@pytest.mark.parametrize("weighted", WEIGHTED)
def test_weights_count_rows(weighted: str) -> None:
    base = panel()
    frame = base.frame
    copies = frame.loc[frame.index.repeat(frame["n"])]
    copies = copies.assign(copy=copies.groupby(["region", "year"]).cumcount(), n=1)
    repeated = Panel(copies, ["region", "year", "copy"]).assign(n=1)
    np.testing.assert_allclose(WEIGHTED[weighted](base).coef, WEIGHTED[weighted](repeated).coef, rtol=1e-6, atol=1e-9)
