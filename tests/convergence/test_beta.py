"""Beta convergence against its definition, against nonlinear least squares, and against published numbers."""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

import econ
from econ import DataError, ModelError, OptionError, Panel
from econ.convergence.beta import half_life_interval


def converging(speed: float = 0.02, span: int = 20, seed: int = 0, noise: float = 0.0) -> Panel:
    rng = np.random.default_rng(seed)
    start = rng.normal(9, 0.5, size=25)
    end = 11 + np.exp(-speed * span) * (start - 9) + noise * rng.normal(size=25)
    wide = pd.DataFrame({"region": [f"r{i}" for i in range(25)], "2000": np.exp(start), str(2000 + span): np.exp(end)})
    return Panel.from_wide(wide, unit="region", name="x")


@pytest.mark.parametrize("span", [1, 20, 65])
def test_speed_is_annual_whatever_the_span(span: int) -> None:
    estimate = econ.convergence.beta(converging(0.02, span), "x")
    found = dict(zip(estimate.terms, estimate.coef, strict=True))
    assert found["speed"] == pytest.approx(0.02, rel=1e-9)
    assert found["half_life"] == pytest.approx(np.log(2) / 0.02, rel=1e-9)
    assert found["beta"] == pytest.approx(-(1 - np.exp(-0.02 * span)) / span, rel=1e-9)


def test_equals_nonlinear_least_squares() -> None:
    panel = converging(noise=0.1)
    points = econ.convergence.growth_and_initial(panel, "x")

    def model(initial: np.ndarray, a: float, speed: float) -> np.ndarray:
        return a - (1 - np.exp(-speed * 20)) / 20 * initial

    theta, cov = optimize.curve_fit(model, points["initial"], points["growth"], p0=[0.2, 0.01])
    for method in ("ols", "nls"):
        estimate = econ.convergence.beta(panel, "x", method=method, vcov=econ.iid())  # type: ignore[arg-type]
        at = estimate.terms.index("speed")
        assert estimate.coef[at] == pytest.approx(theta[1], rel=1e-6)
        assert estimate.std_error[at] == pytest.approx(np.sqrt(cov[1, 1]), rel=1e-4)


def test_divergence_has_no_half_life_and_says_so() -> None:
    estimate = econ.convergence.beta(converging(-0.02), "x")
    assert estimate.terms == ("beta", "speed")
    assert "no half-life" in estimate.notes[-1]["en"]


def test_overshooting_has_no_speed_and_says_so() -> None:
    panel = converging().assign(x=lambda d: np.where(d["year"] == 2000, d["x"], d["x"] ** -1))
    estimate = econ.convergence.beta(panel, "x")
    assert estimate.terms == ("beta",)
    assert "no speed" in estimate.notes[-1]["en"]


def test_sample_is_the_rows_of_both_ends() -> None:
    panel = converging(noise=0.1)
    holed = panel.assign(x=lambda d: d["x"].mask((d["region"] == "r3") & (d["year"] == 2020)))
    estimate = econ.convergence.beta(holed, "x")
    assert estimate.n_obs == 24
    assert estimate.sample.sum() == 48
    assert not estimate.sample[(holed.frame["region"] == "r3").to_numpy()].any()
    assert list(estimate.dropped.values()) == [1]


def test_conditional_takes_covariates_at_the_start() -> None:
    panel = converging(noise=0.1).assign(z=lambda d: d["x"].rank() * (d["year"] == 2000))
    estimate = econ.convergence.beta(panel, "x", covariates=["z"])
    assert estimate.terms == ("beta", "speed", "half_life", "z")


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda p: econ.convergence.beta(p, "x", start=1999), OptionError, "start=1999.*from 2000 to 2020"),
        (lambda p: econ.convergence.beta(p, "x", 2020, 2000), OptionError, "not before"),
        (lambda p: econ.convergence.beta(p.assign(x=0.0), "x"), DataError, "zero or negative for r0"),
        (lambda p: econ.convergence.beta(p.where(lambda d: d.year == 2000), "x"), ModelError, r"1 period\(s\)"),
        (lambda p: econ.convergence.beta(p, "x", method="gls"), OptionError, "method='gls'"),
    ],
)
def test_bad_input(call: object, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call(converging())  # type: ignore[operator]


def drifting(seed: int = 0, N: int = 24, T: int = 13, rho: float = 0.9, spread: float = 1.0) -> Panel:
    """Regions that converge to their own paths, in three groups."""
    rng = np.random.default_rng(seed)
    home = rng.normal(9, 0.5, size=N)
    y = home + spread * rng.normal(size=N)
    rows = []
    for t in range(T):
        rows += [(f"r{i:02}", 2000 + t, float(np.exp(y[i])), "ABC"[i % 3], float(rng.normal())) for i in range(N)]
        y = home + rho * (y - home) + 0.05 * rng.normal() + 0.1 * rng.normal(size=N)
    return Panel(pd.DataFrame(rows, columns=["region", "year", "x", "plate", "z"]), "region", "year")


def terms(estimate: econ.Estimate) -> dict[str, float]:
    return dict(zip(estimate.terms, estimate.coef.tolist(), strict=True))


def within_by_hand(panel: Panel, first: int, last: int) -> float:
    """Two-way within slope of growth on the lagged log over ends of spans first..last."""
    y = np.log(panel.frame.pivot(index="region", columns="year", values="x"))
    g, lagged = (v.to_numpy() for v in (y.diff(axis=1), y.shift(axis=1)))
    at = [k for k, year in enumerate(y.columns) if first <= year <= last]
    g, lagged = (v[:, at] - v[:, at].mean(1, keepdims=True) - v[:, at].mean(0) + v[:, at].mean() for v in (g, lagged))
    return float((g * lagged).sum() / (lagged**2).sum())


@pytest.mark.parametrize(("T", "cuts"), [(13, [2006]), (12, [2005, 2006])])
def test_panel_is_the_within_slope_and_its_half_panel_jackknife(T: int, cuts: list[int]) -> None:
    panel = drifting(T=T)
    last = 1999 + T
    found = terms(econ.convergence.beta(panel, "x", method="panel"))
    full = within_by_hand(panel, 2001, last)
    halves = [within_by_hand(panel, *ends) for cut in cuts for ends in ((2001, cut), (cut + 1, last))]
    assert found["beta"] == pytest.approx(full)
    assert found["beta_corrected"] == pytest.approx(2 * full - np.mean(halves))
    assert found["speed_corrected"] == pytest.approx(-np.log1p(found["beta_corrected"]))
    assert found["half_life"] == pytest.approx(np.log(2) / found["speed"])


def test_panel_standard_error_is_the_regressions_own() -> None:
    panel = drifting()
    logs = panel.log(["x"]).lag(["log_x"]).assign(g=lambda d: d["log_x"] - d["lag1_log_x"])
    for vcov in (econ.cluster("region"), econ.driscoll_kraay(), econ.cluster("region", kind="CR2")):
        own = econ.feols(logs, "g ~ lag1_log_x | region + year", vcov=vcov)
        estimate = econ.convergence.beta(panel, "x", method="panel", vcov=vcov)
        assert estimate.std_error[0] == pytest.approx(own.std_error[0])
        assert (estimate.n_obs, estimate.n_units, estimate.n_periods) == (own.n_obs, 24, 13)
        assert estimate.stats["r2_within"] == pytest.approx(own.stats["r2_within"])


def test_longer_spans_have_the_same_annual_speed() -> None:
    panel = drifting(T=41, N=200, spread=0.1 / np.sqrt(1 - 0.9**2))
    annual, fourth = (
        terms(econ.convergence.beta(panel, "x", method="panel", span=span))["speed_corrected"] for span in (1, 4)
    )
    assert annual == pytest.approx(-np.log(0.9), rel=0.15)
    assert fourth == pytest.approx(-np.log(0.9), rel=0.25)


def test_panel_with_covariates_and_a_gap() -> None:
    panel = drifting().where(lambda d: ~((d["region"] == "r03") & (d["year"] == 2004)))
    estimate = econ.convergence.beta(panel, "x", covariates=["z"], method="panel")
    assert estimate.terms[-2:] == ("z", "z_corrected")
    assert estimate.n_obs == 24 * 12 - 2
    assert estimate.dropped == {"spans without a value at either end": 2}
    assert any("unbalanced" in note["en"] for note in estimate.notes)
    assert estimate.sample.sum() == len(panel.frame)


def test_groups_equal_separate_regressions_and_are_compared() -> None:
    panel = drifting()
    estimate = econ.convergence.beta(panel, "x", by="plate", vcov=econ.hetero("HC0"))
    within = econ.convergence.beta(panel, "x", by="plate", method="panel")
    for plate in "ABC":
        alone = panel.where(lambda d, plate=plate: d["plate"] == plate)
        own = econ.convergence.beta(alone, "x", vcov=econ.hetero("HC0"))
        at = estimate.terms.index(f"speed: {plate}")
        assert estimate.coef[at] == pytest.approx(terms(own)["speed"])
        assert estimate.std_error[at] == pytest.approx(own.std_error[1])
        alone_within = terms(econ.convergence.beta(alone, "x", method="panel"))
        assert terms(within)[f"beta_corrected: {plate}"] == pytest.approx(alone_within["beta_corrected"])
    b, V = estimate.coef[[0, 3, 6]], estimate.vcov[np.ix_([0, 3, 6], [0, 3, 6])]
    R = np.array([[1, -1, 0], [1, 0, -1]])
    F = float((R @ b) @ np.linalg.solve(R @ V @ R.T, R @ b)) / 2
    assert estimate.test("equal_beta").statistic == pytest.approx(F)
    assert estimate.test("equal_beta").dof == (2.0, 18.0)
    assert {test.name for test in within.tests} == {"equal_halves", "equal_beta", "equal_beta_corrected"}
    assert within.test("equal_halves").dof == (3.0, 23.0)


def test_regions_without_a_group_are_left_out_and_counted() -> None:
    panel = drifting().assign(club=lambda d: d["plate"].map({"A": 1.0, "B": 2.0}))
    estimate = econ.convergence.beta(panel, "x", by="club")
    assert estimate.n_obs == 16
    assert estimate.terms[0] == "beta: 1"
    assert estimate.dropped == {"units without a group": 8}


def test_fieller_interval_inverts_the_t_test() -> None:
    estimate = econ.convergence.beta(converging(noise=0.3), "x")
    row = half_life_interval(estimate, 0.9).iloc[0]
    limits = estimate.tidy(0.9).set_index("term")
    for end, limit in (("fieller_low", "ci_low"), ("fieller_high", "ci_high")):
        slope = limits.loc["beta", limit]
        assert 1 + slope * 20 == pytest.approx(2 ** (-20 / row[end]))
    assert tuple(row[["delta_low", "delta_high"]]) == tuple(limits.loc["half_life", ["ci_low", "ci_high"]])
    assert row["fieller_low"] < row["estimate"] < row["fieller_high"]


def test_fieller_interval_is_open_where_no_convergence_is_not_rejected() -> None:
    noisy = half_life_interval(econ.convergence.beta(converging(0.002, noise=1.0, seed=2), "x"))
    assert noisy["fieller_high"].iloc[0] == np.inf
    diverging = half_life_interval(econ.convergence.beta(converging(-0.02, noise=0.01), "x"))
    assert diverging[["fieller_low", "fieller_high"]].to_numpy().tolist() == [[np.inf, np.inf]]
    assert diverging["estimate"].isna().all()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda p: econ.convergence.beta(p, "x", span=2), OptionError, "span=2 is for method='panel'"),
        (lambda p: econ.convergence.beta(p, "x", method="panel", span=5), OptionError, "span=5.*12 periods apart"),
        (lambda p: econ.convergence.beta(p, "x", 2000, 2003, method="panel"), OptionError, "at least 4 spans"),
        (lambda p: econ.convergence.beta(p, "x", by="region"), OptionError, "by='region' is the unit itself"),
        (lambda p: econ.convergence.beta(p.assign(g=lambda d: d["region"] + "g"), "x", by="g"), ModelError, "24 group"),
        (lambda p: econ.convergence.beta(p, "x", by="year"), DataError, "changes within region"),
        (lambda p: econ.convergence.beta(p.assign(x=0.0), "x", method="panel"), DataError, "zero or negative for r00"),
        (
            lambda p: econ.convergence.beta(p.assign(z=1.0), "x", covariates=["z"], method="panel"),
            ModelError,
            "does not vary within regions",
        ),
        (
            lambda p: half_life_interval(econ.feols(p, "log(x) ~ z")),
            OptionError,
            "give one of convergence.beta",
        ),
    ],
)
def test_bad_panel_input(call: object, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call(drifting())  # type: ignore[operator]
