import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from econ.did import Bacon
from econ.errors import DataError, StudyError
from econ.estimate import Estimate
from econ.report import store

FRAME = pd.DataFrame(
    {
        "float": [1.5, np.nan, np.inf, -0.0],
        "text": ["x", None, "中", ""],
        "category": pd.Categorical(["u", "v", None, "u"], ordered=True),
        "date": pd.to_datetime(["2020-01-01", None, "2021-02-03", "2020-01-01"]),
        "quarter": pd.period_range("2020Q1", periods=4, freq="Q"),
        "bool": [True, False, True, True],
        "float32": np.array([0.1, 0.2, 0.3, 0.4], dtype="float32"),
        "integer": pd.array([1, None, 2, 3], dtype="Int64"),
        "boolean": pd.array([True, None, False, True], dtype="boolean"),
        "object": pd.Series([1, "a", None, (1, 2.5)], dtype=object),
    }
)
ESTIMATE = Estimate(
    terms=("x",),
    coef=np.array([0.1]),
    vcov=np.array([[0.25]]),
    dof=np.array([np.inf]),
    n_obs=3,
    n_units=3,
    n_periods=1,
    sample=np.array([True, True, False, True]),
    spec={"estimator": "feols", "outcome": "y", "labels": {"x": {"label": "Old"}}},
    labels={"x": {"label": "Old", "unit": "yuan"}, "y": {"label": "Mine"}},
)


def round_trip(tmp_path, value, **labels):
    path = tmp_path / "estimates.json"
    store.write(path, {"value": value}, **labels)
    return store.read(path, **labels)["value"]


@pytest.mark.parametrize(
    "frame",
    [
        FRAME,
        FRAME.iloc[:0],
        FRAME[[]],
        FRAME.set_index(["text", "float"]),
        FRAME[["float", "bool"]].set_index("bool"),
        FRAME[["float"]].set_axis([2010], axis=1),
        FRAME.iloc[[2, 0]],
    ],
)
def test_frames_come_back_as_they_were(tmp_path, frame):
    pd.testing.assert_frame_equal(round_trip(tmp_path, frame), frame, check_exact=True)


@given(st.lists(st.floats(), max_size=8), st.lists(st.text(), max_size=4))
def test_numbers_and_texts_come_back_bit_by_bit(tmp_path_factory, numbers, texts):
    value = {
        "numbers": numbers,
        "array": np.array(numbers),
        "texts": tuple(texts),
        "deep": [[], {}, None, True, 10**20],
    }
    back = round_trip(tmp_path_factory.mktemp("store"), value)
    assert np.array_equal(np.array(back["numbers"]), numbers, equal_nan=True)
    assert back["array"].tobytes() == np.array([np.nan if np.isnan(x) else x for x in numbers], dtype=float).tobytes()
    assert (back["texts"], back["deep"]) == (tuple(texts), value["deep"])


def test_series_arrays_and_numpy_numbers(tmp_path):
    pd.testing.assert_series_equal(round_trip(tmp_path, FRAME["float"]), FRAME["float"])
    array = np.arange(6).reshape(2, 3)
    back = round_trip(tmp_path, {"array": array, "number": np.float64(0.1), "flag": np.True_})
    assert (back["array"] == array).all()
    assert (back["array"].shape, back["number"], back["flag"]) == ((2, 3), 0.1, True)


def test_labels_of_the_card_are_filled_in_when_read(tmp_path):
    path = tmp_path / "estimates.json"
    store.write(path, {"models": [ESTIMATE]}, {"x": {"label": "Old", "unit": "yuan"}})
    back = store.read(path, {"x": {"label": "New", "unit": "yuan"}, "y": {"label": "Other"}})["models"][0]
    assert back.labels == {"x": {"label": "New", "unit": "yuan"}, "y": {"label": "Mine"}}
    assert back.spec["labels"] == {"x": {"label": "Old"}}
    assert (back.coef.tobytes(), back.dof[0], back.sample.tolist()) == (
        ESTIMATE.coef.tobytes(),
        np.inf,
        [True, True, False, True],
    )


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({1, 2}, "returned a set as value; it can return"),
        ([{"a": {2: 1}}], r"key 2 in value\[0\]\['a'\]; keys must be texts"),
        (FRAME.set_axis(pd.MultiIndex.from_product([["a"], range(10)]), axis=1), "2 levels of column names"),
        (pd.DataFrame({"t": pd.to_datetime(["2020-01-01"], utc=True)}), "store times without a zone"),
        (pd.DataFrame({"t": pd.to_timedelta([1], unit="D")}), "has no JSON form here"),
    ],
)
def test_what_cannot_be_stored_is_named(tmp_path, value, message):
    with pytest.raises(StudyError, match=message):
        round_trip(tmp_path, value)


def test_a_file_of_another_format_is_refused(tmp_path):
    path = tmp_path / "estimates.json"
    path.write_text('{"format": 0}', encoding="utf-8")
    with pytest.raises(DataError, match="build the study again"):
        store.read(path)


def test_layout_puts_short_arrays_on_one_line():
    assert store.layout({"a": [1, 2.5, None], "b": [[1], [2]], "c": [], "d": {}}) == (
        '{\n "a": [1, 2.5, null],\n "b": [\n  [1],\n  [2]\n ],\n "c": [],\n "d": {}\n}'
    )
    assert max(map(len, store.layout(list(range(500))).splitlines())) < 120


def test_results_of_any_kind_come_back_as_they_were(tmp_path):
    result = Bacon(0.5, FRAME[["float", "text"]], "log(y)", ({"en": "A note.", "zh": "注。"},))
    again = round_trip(tmp_path, result)
    assert isinstance(again, Bacon)
    assert (again.twfe, again.outcome, again.notes) == (result.twfe, result.outcome, result.notes)
    pd.testing.assert_frame_equal(again.comparisons, result.comparisons, check_exact=True)
