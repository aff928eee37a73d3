"""The figure of transition paths shows the paths it was given, club by club."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

from econ.errors import DataError
from econ.options import Lang
from econ.report.figures.paths import paths_plot
from econ.report.figures.style import GREY, OKABE_ITO


def paths(divergent: bool = True) -> pd.DataFrame:
    club = {"a": 1, "b": 1, "c": 2, "d": 2, "e": None if divergent else 2}
    rows = [
        (unit, 2000 + t, 1 + (0.3 - 0.1 * k) * 0.9**t, club[unit]) for k, unit in enumerate(club) for t in range(20)
    ]
    return pd.DataFrame(rows, columns=["unit", "period", "h", "club"]).astype({"club": "Int64"})


def words_of(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.findobj(Text))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_both_languages(lang: Lang) -> None:
    plot = paths_plot(paths(), lang=lang, title={"en": "Paths", "zh": "路径"}, notes=[{"en": "Mine.", "zh": "本文。"}])
    words = words_of(plot.figure)
    expected = {
        "en": ("Paths", "Club 1 (n = 2)", "Divergent (n = 1)", "Broken grey lines", "Mine."),
        "zh": ("路径", "俱乐部1（2个）", "发散（1个）", "灰色虚线", "本文。"),
    }
    for phrase in expected[lang]:
        assert phrase in words
    assert ("Club" in words) == (lang == "en")


def test_lines_are_the_paths_and_their_means() -> None:
    frame = paths()
    lines = paths_plot(frame).ax.get_lines()
    drawn = [line for line in lines if len(line.get_xdata()) == 20]
    assert len(drawn) == 5 + 2
    for club, color in zip((1, 2), OKABE_ITO, strict=False):
        rows = frame[frame["club"] == club]
        mine = [line for line in drawn if to_hex(line.get_color()) == color.lower()]
        thick = [line for line in mine if line.get_marker() not in ("", "None")]
        assert len(mine) == rows["unit"].nunique() + 1
        assert len(thick) == 1
        np.testing.assert_allclose(thick[0].get_ydata(), rows.groupby("period")["h"].mean())
    grey = [line for line in drawn if to_hex(line.get_color()) == GREY]
    np.testing.assert_allclose(grey[0].get_ydata(), frame.loc[frame["unit"] == "e", "h"])


def test_frames_that_went_through_json_are_the_same_figure() -> None:
    frame = paths()
    floats = frame.astype({"club": "float64"})
    assert paths_plot(frame).svg("x") == paths_plot(floats).svg("x")


def test_no_divergent_units_no_word_of_them() -> None:
    words = words_of(paths_plot(paths(divergent=False)).figure)
    assert "Divergent" not in words
    assert "grey" not in words


def test_nobody_in_a_club() -> None:
    frame = paths().assign(club=pd.array([pd.NA] * 100, dtype="Int64"))
    assert "Divergent (n = 5)" in words_of(paths_plot(frame).figure)


def test_a_club_may_have_a_name() -> None:
    plot = paths_plot(paths(), labels={"1": {"en": "Coast", "zh": "沿海"}})
    assert "Coast (n = 2)" in words_of(plot.figure)


def test_given_axes() -> None:
    figure = Figure()
    ax = figure.add_subplot()
    assert paths_plot(paths(), ax=ax).ax is ax


def test_bad_input() -> None:
    with pytest.raises(DataError, match="'h'"):
        paths_plot(paths().drop(columns="h"))
    with pytest.raises(DataError, match="no rows"):
        paths_plot(paths().iloc[:0])
