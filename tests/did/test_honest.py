"""Sensitivity to violations of parallel trends: the public face."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from econ import ModelError, OptionError
from econ.did import honest
from econ.estimate import Estimate
from econ.options import BiasRestriction, HonestBound
from econ.report import store
from tests.did.event_estimates import by_event_time, random_estimate

BOUNDS: list[HonestBound] = ["relative_magnitude", "smoothness"]


def limits(frame: pd.DataFrame) -> np.ndarray:
    return frame[["ci_low", "ci_high"]].to_numpy()


def strong(effect: float = 1.0) -> Estimate:
    """Small leads and a clear effect."""
    times = [-4, -3, -2, 0, 1]
    return by_event_time([0.02, -0.01, 0.01, effect, effect], 0.001 * (np.eye(5) + 1), times)


@pytest.mark.parametrize("bound", BOUNDS)
@pytest.mark.parametrize("restriction", [None, "increasing", "negative"])
def test_units_of_measure_scale_the_intervals(bound: HonestBound, restriction: BiasRestriction | None) -> None:
    first, grid = random_estimate(1, 3, 2), np.array([0.5, 1.0])
    scaled = replace(first, coef=1000 * first.coef, vcov=1e6 * first.vcov)
    a = honest(first, bound, grid=grid, restriction=restriction)
    b = honest(scaled, bound, grid=grid * (1000 if bound == "smoothness" else 1), restriction=restriction)
    np.testing.assert_allclose(1000 * limits(a.intervals), limits(b.intervals), rtol=1e-6)
    np.testing.assert_allclose(1000 * np.array(a.original), b.original)


@pytest.mark.parametrize("bound", BOUNDS)
@pytest.mark.parametrize(
    ("restriction", "opposite"), [(None, None), ("increasing", "decreasing"), ("positive", "negative")]
)
def test_the_opposite_sign_mirrors_the_interval(
    bound: HonestBound, restriction: BiasRestriction | None, opposite: BiasRestriction | None
) -> None:
    first = random_estimate(2, 3, 3)
    a = honest(first, bound, grid=[0, 1], target=1, restriction=restriction)
    b = honest(replace(first, coef=-first.coef), bound, grid=[0, 1], target=1, restriction=opposite)
    np.testing.assert_allclose(limits(a.intervals), -limits(b.intervals)[:, ::-1], rtol=0.02, atol=0.02)


@pytest.mark.parametrize("bound", BOUNDS)
def test_wider_bounds_give_wider_intervals(bound: HonestBound) -> None:
    for seed in range(5):
        frame = honest(random_estimate(seed, 3, 2), bound, grid=[0, 0.5, 1, 2]).intervals
        assert (np.diff(frame["ci_high"] - frame["ci_low"]) > 0).all()


def test_a_target_is_an_event_time_or_weights() -> None:
    first = random_estimate(3, 2, 3)
    by_time, by_weight = honest(first, grid=[1], target=1), honest(first, grid=[1], target=[0, 1, 0])
    np.testing.assert_array_equal(limits(by_time.intervals), limits(by_weight.intervals))
    assert by_time.estimate == first.coef[3]
    assert honest(first, grid=[1]).spec["target"] == {"0": 1.0}
    average = honest(first, grid=[1], target=[1 / 3] * 3)
    assert average.estimate == pytest.approx(first.coef[2:].mean())
    assert average.std_error == pytest.approx(np.sqrt(first.vcov[2:, 2:].sum()) / 3)


@pytest.mark.parametrize("bound", BOUNDS)
def test_one_lead_is_enough(bound: HonestBound) -> None:
    found = honest(random_estimate(4, 1, 2), bound)
    assert len(found.intervals) == 5
    assert np.isfinite(limits(found.intervals)).all()


@pytest.mark.parametrize("bound", BOUNDS)
def test_one_effect_is_enough(bound: HonestBound) -> None:
    for restriction in (None, "positive"):
        assert np.isfinite(limits(honest(random_estimate(5, 2, 1), bound, restriction=restriction).intervals)).all()


def test_one_lead_smoothness_by_hand() -> None:
    """The only estimator that a linear trend does not bias is the effect plus the lead."""
    V = np.array([[0.04, 0.01], [0.01, 0.09]])
    found = honest(by_event_time([0.5, 1.0], V, [-2, 0]), "smoothness", grid=[0])
    half = 1.959964 * np.sqrt(0.04 + 0.09 + 2 * 0.01)
    np.testing.assert_allclose(limits(found.intervals)[0], [1.5 - half, 1.5 + half], rtol=1e-6)


@pytest.mark.parametrize("bound", BOUNDS)
@pytest.mark.parametrize("effect", [1.0, -1.0])
def test_at_the_breakdown_value_the_interval_ends_at_zero(bound: HonestBound, effect: float) -> None:
    found = honest(strong(effect), bound, grid=[0])
    assert found.breakdown is not None
    again = honest(strong(effect), bound, grid=[found.breakdown, 1.01 * found.breakdown])
    end = "ci_low" if effect > 0 else "ci_high"
    assert again.intervals[end].to_numpy() == pytest.approx([0, 0], abs=0.02)
    assert again.intervals.loc[0, end] * effect > -1e-6
    assert again.intervals.loc[1, end] * effect < 0
    assert f"{found.breakdown:.4g}" in found.breakdown_words()


def test_no_breakdown_value_in_words() -> None:
    inside = honest(strong(0.0))
    assert inside.breakdown is None
    assert "inside the interval even at Mbar = 0" in inside.breakdown_words()
    outside = honest(strong(-1.0), restriction="positive")  # a positive bias makes a negative effect more so
    assert outside.breakdown == np.inf
    assert "at every Mbar" in str(outside)
    assert "任何Mbar" in outside.breakdown_words("zh")


def test_a_bound_that_the_data_reject_is_said_so() -> None:
    steep = by_event_time([1.0, 0.5, 0.0, 0.0], 1e-4 * np.eye(4), [-3, -2, 0, 1])  # falls by 0.5 a period before
    found = honest(steep, "smoothness", grid=[0.1, 1.0], restriction="increasing")
    assert found.intervals["ci_low"].isna().tolist() == [True, False]
    assert any("reject" in note["en"] and "M = 0.1" in note["en"] for note in found.notes)


def test_notes() -> None:
    found = honest(random_estimate(6, 2, 2, dof=30), "smoothness", restriction="increasing")
    words = " ".join(note["en"] for note in found.notes)
    assert "Made by hand." in words
    assert "do not fall over time" in words
    assert "C-LF takes its place" in words
    assert "t with 30 degrees of freedom would have 2.042" in words
    assert all(set(note) == {"en", "zh"} and note["zh"] for note in found.notes)
    assert "Normal" not in " ".join(note["en"] for note in honest(random_estimate(6, 2, 2)).notes)


def test_the_method_is_named() -> None:
    first = random_estimate(6, 2, 2)
    assert "C-LF" in honest(first).summary()
    assert "FLCI" in honest(first, "smoothness").summary()
    assert "C-LF" in honest(first, "smoothness", restriction="positive").summary()


def test_written_and_read_again_it_says_and_draws_the_same(tmp_path: Path) -> None:
    given = {"a": honest(random_estimate(7, 3, 2)), "b": honest(strong(-1.0), restriction="positive")}
    store.write(tmp_path / "results.json", given)
    for name, again in store.read(tmp_path / "results.json").items():
        assert str(again) == str(given[name])
        assert again.plot().data.equals(given[name].plot().data)


def test_the_same_on_every_call() -> None:
    first = random_estimate(7, 3, 2)
    assert honest(first).intervals.equals(honest(first).intervals)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"bound": "rm"}, "bound='rm' is not allowed"),
        ({"restriction": "up"}, "restriction='up' is not allowed"),
        ({"level": 95}, "level=95"),
        ({"grid": [-1]}, "finite bounds of zero or more"),
        ({"grid": []}, "one or more finite bounds"),
        ({"grid": [np.nan]}, "finite bounds"),
        ({"target": -2}, "choose one of 0, 1"),
        ({"target": [1.0]}, "2 weights, not all zero, for the event times 0, 1"),
        ({"target": [0.0, 0.0]}, "not all zero"),
    ],
)
def test_bad_options(options: "dict[str, object]", words: str) -> None:
    with pytest.raises(OptionError, match=words):
        honest(random_estimate(0, 2, 2), **options)  # type: ignore[arg-type]


def test_a_restriction_with_too_many_vertices_is_refused() -> None:
    with pytest.raises(ModelError, match="choose an earlier event time as target"):
        honest(random_estimate(0, 2, 14), target=[1 / 14] * 14, restriction="positive")
    assert len(honest(random_estimate(0, 2, 14), grid=[1], restriction="positive").intervals) == 1
