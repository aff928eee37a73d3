"""Figures of distribution dynamics: what they show is what was counted, in both languages."""

import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from econ.convergence.kernel import Kernel, kernel
from econ.convergence.markov import Markov, markov
from econ.convergence.spatial_markov import SpatialMarkov, spatial_markov
from econ.errors import DataError, OptionError
from econ.options import Lang
from econ.panel import Column, Panel
from econ.report.figures.markov import kernel_plot, ridge_plot, transition_plot
from econ.report.figures.plot import Plot

TITLE = {"en": "A title", "zh": "标题"}


def make_panel() -> Panel:
    rng = np.random.default_rng(0)
    x = np.exp(rng.normal(size=(12, 1)) / 2 + rng.normal(size=(12, 30)).cumsum(axis=1) / 10)
    rows = [(f"r{i:02d}", 1990 + t, x[i, t]) for i in range(12) for t in range(30)]
    columns = {"gdp": Column("GDP per head", "人均GDP", "yuan", "元")}
    return Panel(pd.DataFrame(rows, columns=["region", "year", "gdp"]), "region", "year", columns=columns)


@pytest.fixture(scope="module")
def chain() -> Markov:
    return markov(make_panel(), "gdp", classes=3)


@pytest.fixture(scope="module")
def spatial() -> SpatialMarkov:
    w = np.roll(np.eye(12), 1, axis=1) + np.roll(np.eye(12), -1, axis=1)
    return spatial_markov(make_panel(), "gdp", w, classes=4, draws=9)


@pytest.fixture(scope="module")
def densities() -> Kernel:
    return kernel(make_panel(), "gdp", horizon=5)


def words_of(plot: Plot) -> str:
    return "\n".join(text.get_text() for text in plot.figure.findobj(Text))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_figure_in_both_languages(chain: Markov, spatial: SpatialMarkov, densities: Kernel, lang: Lang) -> None:
    for plot in (
        transition_plot(chain, title=TITLE, lang=lang),
        transition_plot(spatial, title=TITLE, lang=lang),
        transition_plot(chain.counts, title=TITLE, lang=lang),
        transition_plot(spatial.counts, title=TITLE, lang=lang),
        ridge_plot(densities, title=TITLE, lang=lang),
        ridge_plot(densities.densities, title=TITLE, lang=lang),
        kernel_plot(densities, title=TITLE, lang=lang),
        kernel_plot(densities.conditional, title=TITLE, lang=lang),
    ):
        words = words_of(plot)
        assert TITLE[lang] in words
        assert all(re.sub(r"\s", "", note) in re.sub(r"\s", "", words) for note in plot.notes)
        assert bool(re.search("[\u4e00-\u9fff]", words)) == (lang == "zh")


def test_cells_are_the_matrix(chain: Markov) -> None:
    plot = transition_plot(chain)
    square = plot.data.pivot(index="from", columns="to", values="probability")
    np.testing.assert_allclose(square, chain.transitions)
    np.testing.assert_allclose(plot.data.pivot(index="from", columns="to", values="std_error"), chain.std_errors)
    words = words_of(plot).split("\n")
    assert f"{chain.transitions.loc[2, 3]:.2f}" in words
    assert f"({chain.std_errors.loc[2, 3]:.2f})" in words
    assert f"2 ({chain.counts.loc[2].sum()})" in words


def test_one_map_per_class_of_the_neighbours(spatial: SpatialMarkov) -> None:
    plot = transition_plot(spatial)
    assert plot.data["lag_class"].unique().tolist() == [1, 2, 3, 4, 0]
    part = plot.data[plot.data["lag_class"] == 2]["probability"].to_numpy().reshape(4, 4)
    mine = spatial.transitions.loc[spatial.transitions["lag_class"] == 2].drop(columns=["lag_class", "from"])
    np.testing.assert_allclose(part, mine)
    pooled = plot.data[plot.data["lag_class"] == 0]["n"].to_numpy().reshape(4, 4)
    np.testing.assert_array_equal(pooled, spatial.pooled.counts)
    assert "Neighbours in class 4" in words_of(plot)


def test_many_classes_leave_out_the_standard_errors() -> None:
    plot = transition_plot(markov(make_panel(), "gdp", classes=6), labels={"1": "Poorest"})
    assert "(0." not in words_of(plot)
    assert "standard errors" not in plot.notes[0]
    assert "Poorest" in words_of(plot)


def test_ridges_show_some_periods(densities: Kernel) -> None:
    plot = ridge_plot(densities)
    assert plot.data["period"].unique().tolist() == list(range(1990 + 2, 2020, 3))
    assert "GDP per head, mean of the period = 1" in words_of(plot)
    chosen = ridge_plot(densities, periods=[2019, 1990])
    assert chosen.data["period"].unique().tolist() == [1990, 2019]
    levels = kernel(make_panel(), "gdp", relative=False)
    assert "GDP per head (yuan)" in words_of(ridge_plot(levels))
    assert "dashes" not in ridge_plot(levels).notes[0]
    assert "dashes" in ridge_plot(densities.densities, relative=True).notes[0]
    assert "Wages" in words_of(ridge_plot(densities.densities, labels={"value": "Wages"}))


def test_axes_of_the_kernel(densities: Kernel) -> None:
    assert "GDP per head, mean of the period = 1, 5 years later" in words_of(kernel_plot(densities)).replace("\n", " ")
    assert "人均GDP（当期均值=1），5年后" in words_of(kernel_plot(densities, lang="zh")).replace("\n", "")
    plot = kernel_plot(densities.conditional, labels={"origin": "2000", "destination": "2010"})
    assert (plot.ax.get_xlabel(), plot.ax.get_ylabel()) == ("2000", "2010")


def test_given_axes(chain: Markov, densities: Kernel) -> None:
    for draw in (
        lambda ax: transition_plot(chain, ax=ax),
        lambda ax: ridge_plot(densities, ax=ax),
        lambda ax: kernel_plot(densities, ax=ax),
    ):
        figure = Figure()
        right = figure.subplots(1, 2)[1]
        size = tuple(figure.get_size_inches())
        assert draw(right).ax is right
        assert tuple(figure.get_size_inches()) == size


def test_bad_input(chain: Markov, spatial: SpatialMarkov, densities: Kernel) -> None:
    with pytest.raises(OptionError, match="leave out ax="):
        transition_plot(spatial, ax=Figure().subplots())
    with pytest.raises(DataError, match="Counts of moves are square"):
        transition_plot(chain.counts.iloc[:2])
    with pytest.raises(OptionError, match="no densities for 1066; choose among 1990 to 2019"):
        ridge_plot(densities, periods=[1066])
    with pytest.raises(DataError, match="no column"):
        ridge_plot(densities.conditional)
    with pytest.raises(DataError, match="no column"):
        kernel_plot(densities.densities)
    with pytest.raises(OptionError, match="lang='fr'"):
        kernel_plot(densities, lang="fr")  # type: ignore[arg-type]
