"""Figures of inequality: they show the parts they were given, in both languages."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from econ import DataError, Panel
from econ.disparity import Dagum, Gravity, Theil, centre_of_gravity, dagum, theil
from econ.options import Lang
from econ.report.figures.disparity import WORDS, dagum_plot, gravity_plot, theil_plot
from econ.report.figures.fonts import check_glyphs


def panel() -> Panel:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"region": np.repeat(np.arange(18), 5), "year": np.tile(np.arange(2000, 2005), 18)})
    frame = frame.assign(plate=frame["region"] % 6, half=frame["region"] % 6 // 3, x=rng.lognormal(size=90))
    lon, lat = rng.uniform(100, 120, 18), rng.uniform(22, 42, 18)
    return Panel(frame.assign(lon=lon[frame["region"]], lat=lat[frame["region"]]), "region", "year")


@pytest.fixture(scope="module")
def results() -> tuple[Theil, Theil, Dagum, Gravity]:
    data = panel()
    return (
        theil(data, "x", groups="plate"),
        theil(data, "x", groups=["half", "plate"], index="L"),
        dagum(data, "x", groups="plate"),
        centre_of_gravity(data, "x", "lon", "lat"),
    )


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_figure_is_drawn_in_both_languages_and_leaves_no_trace(results, lang: Lang, tmp_path) -> None:
    before = dict(matplotlib.rcParams)
    plain, nested, parts, gravity = results
    for k, plot in enumerate(
        [
            theil_plot(plain, title={"en": "A title", "zh": "标题"}, lang=lang),
            theil_plot(nested, lang=lang),
            dagum_plot(parts, notes=["n"], lang=lang),
            gravity_plot(gravity, lang=lang),
        ]
    ):
        first, second = (plot.save(tmp_path / f"{k}{copy}.svg").read_bytes() for copy in "ab")
        assert first == second
    assert dict(matplotlib.rcParams) == before


def test_bars_stack_to_the_total(results) -> None:
    plain, nested, parts, _ = results
    for plot, total in (
        (theil_plot(plain), plain.totals["total"]),
        (theil_plot(nested), nested.totals["total"]),
        (dagum_plot(parts), parts.totals["gini"]),
    ):
        tops = [container[-1].get_y() + container[-1].get_height() for container in plot.ax.containers]
        assert tops == sorted(tops)
        assert tops[-1] == pytest.approx(total.iloc[-1])
        np.testing.assert_allclose(plot.data.drop(columns="period").sum(axis=1), total)
    assert theil_plot(nested, labels={"half": {"en": "Half", "zh": "南北"}}, lang="zh").data.columns.tolist() == [
        "period", "within", "half", "plate",
    ]  # fmt: skip


def test_frames_are_drawn_like_results_and_given_axes_are_used(results) -> None:
    plain, _, parts, gravity = results
    pd.testing.assert_frame_equal(theil_plot(plain.totals).data, theil_plot(plain).data)
    pd.testing.assert_frame_equal(dagum_plot(parts.totals).data, dagum_plot(parts).data)
    pd.testing.assert_frame_equal(gravity_plot(gravity.path).data, gravity_plot(gravity).data)
    axes = Figure().subplots(1, 3)
    assert theil_plot(plain, ax=axes[0]).ax is axes[0]
    assert dagum_plot(parts, ax=axes[1]).ax is axes[1]
    assert gravity_plot(gravity, ax=axes[2]).ax is axes[2]


def test_the_ends_of_the_path_are_named_and_names_do_not_touch(results) -> None:
    plot = gravity_plot(results[3])
    plot.figure.draw_without_rendering()
    names = [text for text in plot.figure.axes[1].texts if text.get_text()]
    assert {"2000", "2004"} <= {text.get_text() for text in names}
    boxes = [text.get_window_extent() for text in names]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_notes_and_words_are_under_the_figure(results) -> None:
    gapped = panel().assign(x=lambda d: d["x"].mask((d["region"] == 4) & (d["year"] == 2001)))
    plot = theil_plot(theil(gapped, "x", groups="plate"), lang="zh")
    assert any("2001：1个" in note for note in plot.notes)
    assert "组间差距" in "\n".join(text.get_text() for text in plot.figure.findobj(Text))


def test_the_shipped_font_has_every_sign() -> None:
    check_glyphs("".join(words for pair in WORDS.values() for words in pair.values()))


def test_bad_input(results) -> None:
    with pytest.raises(DataError, match="within"):
        theil_plot(results[0].totals.drop(columns="within"))
    with pytest.raises(DataError, match="empty or has missing values"):
        dagum_plot(results[2].totals.assign(within=np.nan))
    with pytest.raises(DataError, match="empty or has missing values"):
        gravity_plot(results[3].path.head(0))
    assert len(gravity_plot(results[3].path.head(1)).data) == 1
