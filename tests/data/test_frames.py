import numpy as np
import pandas as pd
import pytest

from econ import Panel
from econ.data.frames import counted_from
from econ.design.sample import combine


@pytest.mark.parametrize("span", [10, 2**31 - 1, 2**31, 2**40])
def test_codes_are_exact_however_far_apart_the_numbers_are(span):
    first = -(2**33)
    codes = counted_from(np.array([first, first + span]), first)
    assert codes.tolist() == [0, span]
    assert codes.dtype == (np.int32 if span < 2**31 else np.int64)


def test_identifiers_of_twelve_digits_are_units():
    frame = pd.DataFrame({"firm": [330106000001, 330106000002, 110101000001], "year": 2020, "y": 1.0})
    panel = Panel(frame, "firm", "year")
    assert panel.unit_codes.tolist() == [1, 2, 0]
    assert panel.units.tolist() == [110101000001, 330106000001, 330106000002]


def test_pairs_of_short_codes_do_not_overflow():
    first, second = np.array([0, 70_000], dtype=np.int32), np.array([69_999, 69_998], dtype=np.int32)
    assert len(np.unique(combine(first, second))) == 2
    assert (combine(first, second) >= 0).all()
