"""Long differences against regressions of changes written out, and what they are for."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

import econ
from econ import FormulaError, OptionError, Panel


def frame(n_units: int = 30, n_periods: int = 8, seed: int = 0, error: float = 0.0) -> pd.DataFrame:
    """``y = 0.5 x + unit effect + noise``, x a random walk measured with error."""
    rng = np.random.default_rng(seed)
    x = np.cumsum(rng.normal(size=(n_units, n_periods)), axis=1) + rng.normal(size=(n_units, 1))
    y = 0.5 * x + rng.normal(size=(n_units, 1)) + 0.3 * rng.normal(size=x.shape)
    keys = {"unit": np.repeat(np.arange(n_units), n_periods), "t": np.tile(np.arange(n_periods), n_units)}
    return pd.DataFrame(keys | {"y": y.ravel(), "x": (x + error * rng.normal(size=x.shape)).ravel()})


def panel_of(data: pd.DataFrame) -> Panel:
    return Panel(data, "unit", "t")


def written_out(data: pd.DataFrame, span: int) -> Panel:
    earlier = data.assign(t=data["t"] + span)
    both = data.merge(earlier, on=["unit", "t"], suffixes=("", "_0"))
    return panel_of(both.assign(dy=both["y"] - both["y_0"], dx=both["x"] - both["x_0"]))


@pytest.mark.parametrize("effects", ["", " | t", " | unit + t"])
@pytest.mark.parametrize("span", [1, 3])
def test_equals_the_regression_of_changes(effects: str, span: int) -> None:
    data = frame().sample(frac=0.9, random_state=1)
    found = econ.growth.long_difference(panel_of(data), f"y ~ x{effects}", span=span)
    expected = econ.feols(written_out(data, span), f"dy ~ dx{effects}")
    np.testing.assert_allclose(found.coef, expected.coef, rtol=1e-9)
    np.testing.assert_allclose(found.std_error, expected.std_error, rtol=1e-9)
    assert found.n_obs == expected.n_obs == found.sample.sum()
    for name in ("r2", "rmse"):
        assert found.stats[name] == pytest.approx(expected.stats[name], rel=1e-9)


def test_one_period_is_the_first_difference() -> None:
    panel = panel_of(frame())
    long = econ.growth.long_difference(panel, "y ~ x", span=1)
    first = econ.growth.first_difference(panel, "y ~ x", constant=True)
    np.testing.assert_allclose(long.coef, first.coef, rtol=1e-9)
    np.testing.assert_allclose(long.std_error, first.std_error, rtol=1e-9)


def test_the_longer_the_span_the_less_errors_of_measurement_matter() -> None:
    panel = panel_of(frame(2000, seed=2, error=1.0))
    slopes = [econ.growth.long_difference(panel, "y ~ x", span=s).params["x"] for s in (1, 3, 7)]
    np.testing.assert_allclose(slopes, [0.5 * s / (s + 2) for s in (1, 3, 7)], atol=0.02)


@pytest.mark.parametrize(
    ("formula", "span", "error", "words"),
    [
        ("y ~ x", 0, OptionError, "from 1 to 7"),
        ("y ~ x", 8, OptionError, "from 1 to 7"),
        ("y ~ x", True, OptionError, "whole number"),
        ("y ~ lag(y, 1) + x", 2, FormulaError, "econ.growth.dynamic"),
        ("y ~ 1 | t | x ~ lag(x, 1)", 2, FormulaError, "no instruments"),
    ],
)
def test_bad_input(formula: str, span: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        econ.growth.long_difference(panel_of(frame()), formula, span=span)
