"""Figures of breaks, unit roots and half-lives show the numbers they were given, in both languages."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

import econ
from econ import DataError, Estimate, OptionError, Panel
from econ.convergence import beta, half_life_interval, stochastic, trend_break, unit_root
from econ.convergence.breaks import Breaks
from econ.options import Lang
from econ.report.figures.breaks import break_plot
from econ.report.figures.half_life import half_life_plot
from econ.report.figures.roots import roots_plot
from econ.report.figures.style import OKABE_ITO

BOTH: list[Lang] = ["en", "zh"]


def words_of(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.findobj(Text))


def lines_in(figure: Figure, color: str) -> list[Line2D]:
    return [line for line in figure.findobj(Line2D) if to_hex(line.get_color()) == color.lower()]


# ---- breaks


def breaks() -> Breaks:
    rng = np.random.default_rng(1)
    rows = [
        (half, 2000 + t, 1 + 0.05 * t - k * 0.1 * max(t - 11, 0) + 0.02 * rng.normal())
        for k, half in enumerate(("North", "South"))
        for t in range(24)
    ]
    panel = Panel(pd.DataFrame(rows, columns=["half", "year", "y"]), "half", "year", notes=["Made up."])
    return trend_break(panel, "y", draws=99)


@pytest.mark.parametrize("lang", BOTH)
def test_breaks_in_both_languages(lang: Lang) -> None:
    words = words_of(break_plot(breaks(), lang=lang, labels={"value": {"en": "Level", "zh": "水平"}}).figure)
    expected = {
        "en": ("South, break in 2012", "F of a break", "Dashed", "Level", "Made up."),
        "zh": ("南方，断点2012", "F统计量", "虚线", "水平", "Made up."),
    }
    for phrase in expected[lang]:
        assert phrase in words
    assert ("Dots" in words) == (lang == "en")


def test_broken_trends_and_f_are_those_of_the_result() -> None:
    result = breaks()
    plot = break_plot(result)
    path = result.paths.query("unit == 'South'").set_index("period")
    start = int(path["statistic"].idxmax())
    series, statistic = plot.figure.axes
    own = [line for line in series.get_lines() if to_hex(line.get_color()) == OKABE_ITO[1].lower()]
    dots, before, after = own
    np.testing.assert_allclose(dots.get_ydata(), path["value"])
    np.testing.assert_allclose(before.get_ydata(), path.loc[: start - 1, "trend"])
    np.testing.assert_allclose(after.get_ydata(), path.loc[start:, "trend"])
    curve, largest, level = [line for line in statistic.get_lines() if to_hex(line.get_color()) == OKABE_ITO[1].lower()]
    np.testing.assert_allclose(curve.get_ydata(), path["statistic"])
    assert (largest.get_xdata()[0], largest.get_ydata()[0]) == (start, path["statistic"].max())
    assert set(level.get_ydata()) == set(result.tests.query("unit == 'South'")["critical"])


def test_given_axes_take_the_series_alone() -> None:
    ax = Figure().subplots()
    plot = break_plot(breaks().paths, ax=ax)
    assert len(plot.figure.axes) == 1
    assert "Dashed" not in " ".join(plot.notes)
    with pytest.raises(DataError, match="no rows"):
        break_plot(breaks().paths.iloc[:0])


# ---- unit roots


@pytest.mark.parametrize("lang", BOTH)
def test_roots_in_both_languages(lang: Lang) -> None:
    result = stochastic(econ.load("provinces"), "gdp_per_capita")
    words = words_of(roots_plot(result, lang=lang).figure)
    expected = {
        "en": ("Guangdong", "No break", "One break of unknown date", "Filled", "t statistic", "With 20 periods"),
        "zh": ("广东", "无断点", "一个断点（日期未知）", "实心", "t统计量", "样本仅 20 期"),
    }
    for phrase in expected[lang]:
        assert phrase in words
    assert ("Filled" in words) == (lang == "en")


def test_dots_are_the_statistics_and_filled_where_rejected() -> None:
    result = stochastic(econ.load("provinces"), "gdp_per_capita")
    plot = roots_plot(result)
    order = [label.get_text() for label in plot.ax.get_yticklabels()]
    units = result.units.set_index("unit").loc[order]
    assert units["statistic"].is_monotonic_decreasing
    for color, t, p in ((OKABE_ITO[0], "statistic", "p_value"), (OKABE_ITO[1], "statistic_break", "p_value_break")):
        drawn = {}
        for line in [line for line in plot.ax.get_lines() if to_hex(line.get_color()) == color.lower()]:
            filled = to_hex(line.get_markerfacecolor()) == color.lower()
            drawn |= {order[int(y)]: (x, filled) for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)}
        assert drawn == {unit: (row[t], row[p] < 0.05) for unit, row in units.iterrows()}


def test_tests_without_p_values_by_unit_say_so() -> None:
    panel = econ.load("provinces").log(["gdp_per_capita"])
    plot = roots_plot(unit_root(panel, "log_gdp_per_capita", "cips"))
    assert plot.notes[0].startswith("Hollow")
    assert not plot.data["rejected"].any()
    with pytest.raises(OptionError, match="Hadri's test has no t statistics"):
        roots_plot(unit_root(panel, "log_gdp_per_capita", "hadri"))
    with pytest.raises(DataError, match="empty or lack"):
        roots_plot(pd.DataFrame({"unit": ["a"], "statistic": [np.nan], "p_value": [0.5]}))


# ---- half-lives


def gdp() -> Estimate:
    return beta(econ.load("provinces"), "gdp_per_capita", 2000, 2019)


@pytest.mark.parametrize("lang", BOTH)
def test_half_lives_in_both_languages(lang: Lang) -> None:
    words = words_of(half_life_plot({"GDP": gdp()}, lang=lang).figure)
    expected = {"en": ("Half-life (years)", "Fieller's", "95%"), "zh": ("半衰期（年）", "Fieller区间", "95%")}
    for phrase in expected[lang]:
        assert phrase in words
    assert ("Delta method" in words) == (lang == "en")


def test_bars_are_the_intervals() -> None:
    estimate = gdp()
    row = half_life_interval(estimate, 0.9).iloc[0]
    plot = half_life_plot(estimate, level=0.9)
    fieller, delta = (c.get_segments()[0][:, 0] for c in plot.ax.collections)
    np.testing.assert_allclose(fieller, row[["fieller_low", "fieller_high"]].astype(float))
    np.testing.assert_allclose(delta, row[["delta_low", "delta_high"]].astype(float))
    assert {line.get_xdata()[0] for line in plot.ax.get_lines()} == {row["estimate"]}
    assert plot.ax.get_xscale() == "log"
    assert "90%" in plot.notes[0] and "Arrows" not in plot.notes[0]


def test_what_has_no_end_is_an_arrow() -> None:
    frame = pd.DataFrame(
        [("half_life", 30.0, -10.0, 70.0, 12.0, np.inf), ("half_life_corrected", np.nan, np.nan, np.nan, 50.0, np.inf)],
        columns=["term", "estimate", "delta_low", "delta_high", "fieller_low", "fieller_high"],
    )
    plot = half_life_plot(frame)
    left, right = plot.ax.get_xlim()
    arrows = [(line.get_marker(), line.get_xdata()[0]) for line in plot.ax.get_lines() if line.get_marker() in "<>"]
    assert sorted(arrows) == [("<", left), (">", right), (">", right)]
    assert "Arrows" in plot.notes[0] and "No dot" in plot.notes[0]
    with pytest.raises(DataError, match="nothing to draw"):
        half_life_plot(frame.assign(estimate=np.nan, delta_low=-1.0, delta_high=-1.0, fieller_low=np.inf))


def test_rows_are_named_after_model_and_term() -> None:
    panel = econ.load("provinces")
    within = beta(panel, "gdp_per_capita", 2000, 2019, method="panel")
    plot = half_life_plot({"Cross-section": gdp(), "Panel": within})
    names = [label.get_text().replace("\n", " ") for label in plot.ax.get_yticklabels()]
    assert names[:2] == ["Cross-section", "Panel"]
    assert names[2].startswith("Panel: Half-life, half-panel")
