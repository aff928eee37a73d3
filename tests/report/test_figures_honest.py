"""The figure of a sensitivity analysis shows its intervals."""

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.text import Text

from econ.did import Honest, honest
from econ.options import HonestBound, Lang
from econ.report import honest_plot
from tests.did.event_estimates import by_event_time


def result(bound: HonestBound = "relative_magnitude") -> Honest:
    estimate = by_event_time([0.02, 0.01, 1.0, 1.1], 0.001 * (np.eye(4) + 1), [-3, -2, 0, 1])
    return honest(estimate, bound, grid=[0, 1, 2])


@pytest.mark.parametrize("bound", ["relative_magnitude", "smoothness"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_both_languages(bound: HonestBound, lang: Lang) -> None:
    found = result(bound)
    figure = honest_plot(found, lang=lang, title={"en": "Sensitivity", "zh": "敏感性"}).figure
    words = "\n".join(text.get_text() for text in figure.findobj(Text)).replace("\n", "")
    expected = {"en": ("Sensitivity", "Parallel trends"), "zh": ("敏感性", "平行趋势成立", "失效值")}
    for phrase in expected[lang]:
        assert phrase in words
    assert ("Bars" in words) == (lang == "en")


def test_bars_are_the_intervals() -> None:
    found = result()
    plot = honest_plot(found)
    bars = [
        segment[:, 1] for lines in plot.ax.findobj(LineCollection) for segment in lines.get_segments() if len(segment)
    ]
    np.testing.assert_allclose(np.sort(bars, axis=0)[:, 0], np.sort(plot.data["ci_low"]))
    np.testing.assert_allclose(plot.data.loc[1:, ["ci_low", "ci_high"]], found.intervals[["ci_low", "ci_high"]])
    assert tuple(plot.data.loc[0, ["ci_low", "ci_high"]]) == found.original


def test_given_axes_and_the_results_own_method() -> None:
    ax = Figure().add_subplot()
    assert result().plot(ax=ax).ax is ax
