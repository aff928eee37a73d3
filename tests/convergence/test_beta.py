"""Beta convergence against its definition, against nonlinear least squares, and against published numbers."""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

import econ
from econ import DataError, ModelError, OptionError, Panel


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
