"""Words, levels and whole numbers at the door."""

import numpy as np
import pytest

from econ import OptionError
from econ.options import Lang, check_draws, check_level, check_whole, check_word


@pytest.mark.parametrize("value", [1, 3, np.int64(2), np.uint8(1)])
def test_whole_numbers_of_any_make_are_taken(value: object) -> None:
    check_whole(value, "order", 1, 3)


@pytest.mark.parametrize("value", [0, 4, 1.0, True, np.True_, "2", None, np.nan])
def test_what_is_no_whole_number_in_range_is_refused(value: object) -> None:
    with pytest.raises(OptionError, match=r"^order=.* is not allowed; give a whole number, from 1 to 3\.$"):
        check_whole(value, "order", 1, 3)


def test_draws_and_seeds() -> None:
    check_draws(99, 0, 99)
    with pytest.raises(OptionError, match=r"^draws=98 is not allowed; give a whole number, 99 or more\.$"):
        check_draws(98, 0, 99)
    for seed in (-1, None, 1.5):
        with pytest.raises(OptionError, match=r"^seed=.* is not allowed; give a whole number, 0 or more"):
            check_draws(99, seed)  # type: ignore[arg-type]


def test_words_and_levels() -> None:
    with pytest.raises(OptionError, match=r"lang='zhh' is not allowed; choose one of 'en', 'zh'. Did you mean 'zh'\?"):
        check_word("zhh", Lang, "lang")
    for level in (0, 1, 95):
        with pytest.raises(OptionError, match="between 0 and 1"):
            check_level(level)
