"""Survival figures: the steps and bands are those of the curves, in both languages."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

import econ
from econ import DataError, OptionError, Panel
from econ.disparity.survival import Survival, survival
from econ.options import Lang
from econ.report.figures.style import GREY
from econ.report.figures.survival import survival_plot


def zones(groups: str | None = "plate") -> Survival:
    panel = econ.load("zones_simulated")
    return survival(panel, "employment", "recovery", before=2014, trough=2015, groups=groups)


def words_of(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.findobj(Text))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_both_languages(lang: Lang) -> None:
    words = words_of(survival_plot(zones(), lang=lang, title={"en": "Back", "zh": "恢复"}).figure)
    expected = {
        "en": ("Back", "Northeast (n = 16)", "Share not yet back", "Periods since 2015", "95%", "Simulated data"),
        "zh": ("恢复", "东北（16个）", "尚未恢复", "自2015起的期数", "95%", "模拟数据"),
    }
    for phrase in expected[lang]:
        assert phrase in words
    assert ("Shading" in words) == (lang == "en")


def test_steps_and_bands_are_the_curves() -> None:
    result = zones()
    plot = survival_plot(result)
    assert [ax.get_title("left") for ax in plot.figure.axes][:2] == ["East (n = 68)", "Central (n = 44)"]
    curve = result.curves.query("group == 'Central'")
    grey, own = plot.figure.axes[1].get_lines()
    assert grey.get_color() == GREY
    np.testing.assert_allclose(own.get_xdata(), [*curve["time"], 4.5])
    np.testing.assert_allclose(own.get_ydata(), [*curve["survival"], curve["survival"].iloc[-1]])
    assert own.get_drawstyle() == "steps-post"
    band = plot.figure.axes[1].collections[0].get_paths()[0].get_extents()
    assert (band.y0, band.y1) == pytest.approx((curve["ci_low"].min(), 1))


def test_the_frame_alone_is_enough() -> None:
    curves = zones().curves
    labels = {"time": {"en": "Years since 2015"}, "survival": {"en": "Not yet back"}}
    words = words_of(survival_plot(curves, labels=labels).figure)
    assert "Years since 2015" in words and "Not yet back" in words
    assert survival_plot(curves).svg("x") == survival_plot(curves.astype({"at_risk": "float64"})).svg("x")


def test_a_curve_at_zero_has_no_band_there() -> None:
    frame = pd.DataFrame([(u, t, 10.0 - t * (t >= k)) for u, k in (("a", 1), ("b", 2)) for t in range(4)])
    panel = Panel(frame.set_axis(["unit", "year", "x"], axis=1), "unit", "year")
    plot = survival_plot(survival(panel, "x", "decline", before=0))
    assert plot.data["survival"].tolist() == [1, 0.5, 0]
    assert plot.ax.collections[0].get_paths()[0].get_extents().x1 == 1.5
    assert plot.ax.get_lines()[0].get_ydata()[-1] == 0


def test_given_axes_take_one_group() -> None:
    ax = Figure().subplots()
    assert survival_plot(zones(None), ax=ax).ax is ax
    with pytest.raises(OptionError, match="There are 4 groups"):
        survival_plot(zones(), ax=ax)


def test_bad_input() -> None:
    with pytest.raises(DataError, match="no rows"):
        survival_plot(zones().curves.iloc[:0])
    with pytest.raises(DataError, match="no column"):
        survival_plot(zones().medians)
