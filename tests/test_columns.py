"""How the columns of a panel reach a formula, whatever their type."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

import econ
from econ import Panel
from econ.columns import PanelColumns
from econ.errors import DataError


def columns(**data: Any) -> PanelColumns:
    n = len(next(iter(data.values())))
    return PanelColumns(Panel(pd.DataFrame({"unit": np.arange(n), **data}), unit="unit"))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2, 3], "number"),
        (np.array([1, 2, 3], dtype=np.int8), "number"),
        ([1.5, np.nan, 2.0], "number"),
        ([True, False, True], "number"),
        (pd.array([1, None, 3], dtype="Int64"), "number"),
        (pd.array([1.0, None, 3.0], dtype="Float64"), "number"),
        (["a", "b", None], "text"),
        (pd.Series(["a", "b", None], dtype=object), "text"),
        (pd.Series([1, "3a", None], dtype=object), "text"),
        (pd.Series([True, False, None], dtype=object), "category"),
        (pd.Categorical(["a", "b", "a"]), "category"),
        (pd.Categorical([1, 2, 1]), "category"),
        (pd.date_range("2020", periods=3), "other"),
        (pd.Series([1, None, 3], dtype=object), "number"),
    ],
)
def test_kinds(values: Any, kind: str) -> None:
    assert columns(x=values).kind("x") == kind


@pytest.mark.parametrize(
    "values",
    [
        [7, -3, 7, 5],
        np.array([-100, 100, 7, -100], dtype=np.int8),
        np.array([200, 1, 200, 3], dtype=np.uint8),
        [1, 10**12, 1, -5],
        [2.0, np.nan, 1.0, 2.0],
        pd.array([2, None, 1, 2], dtype="Int64"),
        ["b", "a", None, "b"],
        pd.Categorical(["b", None, "a", "b"], categories=["b", "a", "c"]),
        pd.to_datetime(["2020-02-01", "2020-01-01", None, "2020-02-01"]),
        [True, False, True, True],
    ],
)
def test_codes_point_to_levels(values: Any) -> None:
    coded = columns(x=values).coded("x")
    for code, value in zip(coded.codes, pd.Series(values), strict=True):
        assert pd.isna(value) if code < 0 else coded.levels[code] == value


def test_numbers_kept_as_objects_are_refused() -> None:
    data = columns(y=[1.0, 2.0, 4.0], x=pd.Series([1, None, 3], dtype=object))
    with pytest.raises(DataError, match=r"'x' is not numeric .it holds values such as 1."):
        econ.feols(data.panel, "y ~ x")


def test_unit_and_time() -> None:
    frame = pd.DataFrame({"unit": ["b", "a", "b"], "year": [2014, 2010, 2011], "x": [1.0, 2.0, 3.0]})
    data = PanelColumns(Panel(frame, unit="unit", time="year"))
    for name in ("unit", "year"):
        coded = data.coded(name)
        assert [coded.levels[code] for code in coded.codes] == frame[name].tolist()
    assert data.row(0) == "b, 2014"
    np.testing.assert_array_equal(data.shifted(data.numbers("x"), 3), [3.0, np.nan, np.nan])
