"""Figures: what they show is what was given, in the house style, without a trace in matplotlib's global state."""

import re
from collections.abc import Callable, Iterator
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

from econ.errors import DataError, OptionError
from econ.estimate import Estimate
from econ.options import Lang
from econ.panel import Column, Panel
from econ.report.figures import (
    Plot,
    beta_plot,
    coefficient_plot,
    event_plot,
    line_plot,
    sigma_plot,
    tile_map,
    treatment_plot,
)
from econ.report.figures.style import OKABE_ITO, looks, spread
from econ.report.figures.tiles import LAYOUT, short_name

PROVINCES = {
    "Beijing": (0.1, "East"),
    "Shanghai": (0.3, "East"),
    "Hubei": (0.7, "Central"),
    "Sichuan": (0.9, "West"),
    "Jilin": (0.2, "Northeast"),
}
YEARS = range(2010, 2020)


def make_panel(years: "range | list[str]" = YEARS) -> Panel:
    rng = np.random.default_rng(7)
    rows = [
        {"province": name, "year": year, "plate": plate, "gdp": 100 * (2 - start) * (1 + 0.05 * (1 + start)) ** t}
        for name, (start, plate) in PROVINCES.items()
        for t, year in enumerate(years)
    ]
    frame = pd.DataFrame(rows).assign(patents=lambda d: rng.poisson(d["gdp"]).astype(float))
    frame["cohort"] = frame["province"].map({"Beijing": 2013.0, "Hubei": 2016.0})
    columns = {
        "gdp": Column("GDP per head", "人均GDP", "yuan", source="Yearbook"),
        "patents": Column("Patents granted", "专利授权量", "items"),
    }
    return Panel(frame, "province", "year", columns=columns)


def make_estimate(terms: tuple[str, ...] = ("x", "z"), shift: float = 0.0, **spec: object) -> Estimate:
    return Estimate(
        terms=terms,
        coef=np.linspace(-0.5, 1.0, len(terms)) + shift,
        vcov=np.diag(np.full(len(terms), 0.04)),
        dof=np.full(len(terms), 20.0),
        n_obs=50,
        n_units=5,
        n_periods=10,
        sample=np.ones(50, dtype=bool),
        spec={
            "estimator": "feols",
            "estimator_label": {"en": "Fixed effects", "zh": "固定效应"},
            "outcome": "y",
            "vcov": {"kind": "cluster", "columns": ["province"], "words": {"en": "clustered", "zh": "聚类"}},
        }
        | spec,
        labels={
            "x": {"label": "R&D intensity", "label_zh": "研发强度"},
            "y": {"label": "GDP growth", "label_zh": "增速"},
        },
        notes=({"en": "Simulated data.", "zh": "模拟数据。"},),
    )


def event_study(shift: float = 0.0) -> Estimate:
    return make_estimate(("event_time::-3", "event_time::-2", "event_time::0", "event_time::1"), shift, reference=-1)


def sigma_path() -> pd.DataFrame:
    return pd.DataFrame({"period": YEARS, "cv": np.linspace(0.7, 0.4, 10), "sd_log": np.linspace(0.5, 0.3, 10)})


DRAWINGS: dict[str, Callable[..., Plot]] = {
    "coefficients": lambda **k: coefficient_plot([make_estimate(), make_estimate(shift=0.2)], **k),
    "event": lambda **k: event_plot({"A": event_study(), "B": event_study(0.1)}, **k),
    "sigma": lambda **k: sigma_plot(sigma_path(), measures=["cv"], **k),
    "beta": lambda **k: beta_plot(make_panel(), "gdp", group="plate", **k),
    "lines": lambda **k: line_plot(make_panel(), "gdp", by="plate", **k),
    "tiles": lambda **k: tile_map(make_panel(), "gdp", year=2015, **k),
    "treatment": lambda **k: treatment_plot(make_panel(), **k),
}


@pytest.fixture(autouse=True)
def _nothing_global_changes() -> Iterator[None]:
    before = dict(matplotlib.rcParams)
    yield
    assert dict(matplotlib.rcParams) == before


def words_of(plot: Plot) -> str:
    return "\n".join(text.get_text() for text in plot.figure.findobj(Text))


# ---- every figure


@pytest.mark.parametrize("name", DRAWINGS)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_figure_is_drawn_in_both_languages(name: str, lang: Lang) -> None:
    notes = [{"en": "Source: us.", "zh": "来源：本文。"}]
    plot = DRAWINGS[name](title={"en": "A title", "zh": "标题"}, notes=notes, lang=lang)
    words = words_of(plot)
    assert ("A title" if lang == "en" else "标题") in words
    assert plot.notes[-1] == notes[0][lang]
    assert plot.notes[-1] in words
    assert bool(re.search("[\u4e00-\u9fff]", words)) == (lang == "zh")
    assert len(plot.data) > 0


@pytest.mark.parametrize("name", DRAWINGS)
def test_given_axes_are_drawn_on_and_nothing_is_left_with_pyplot(name: str) -> None:
    import matplotlib.pyplot as plt

    figure = Figure()
    left, right = figure.subplots(1, 2)
    size = tuple(figure.get_size_inches())
    plot = DRAWINGS[name](ax=right)
    assert plot.ax is right
    assert plot.figure is figure
    assert tuple(figure.get_size_inches()) == size
    assert right.has_data()
    assert not left.has_data()
    assert not plt.get_fignums()


@pytest.mark.parametrize("name", DRAWINGS)
def test_years_and_event_times_are_whole_numbers_on_the_axis(name: str) -> None:
    if name in ("coefficients", "beta", "tiles"):
        pytest.skip("no periods on its axis")
    plot = DRAWINGS[name]()
    shown = [label.get_text() for label in plot.ax.get_xticklabels()]
    assert shown
    assert all(re.fullmatch("\u2212?[0-9]+", label) for label in shown)


def test_a_panel_of_quarters_prints_its_own_labels() -> None:
    frame = make_panel().frame.assign(
        quarter=lambda d: pd.PeriodIndex.from_fields(year=d["year"], quarter=[1] * len(d), freq="Q")
    )
    plot = line_plot(Panel(frame, "province", "quarter"), "gdp")
    assert "2012Q1" in {label.get_text() for label in plot.ax.get_xticklabels()}


@pytest.mark.parametrize("draw", [lambda **k: event_plot([event_study(s) for s in (0, 1, 2)], **k),
                                  lambda **k: line_plot(make_panel(), "gdp", by="plate", **k)])  # fmt: skip
def test_series_differ_in_colour_and_marker(draw: Callable[..., Plot]) -> None:
    lines = [line for line in draw().ax.get_lines() if line.get_marker() not in ("None", "")]
    shown = {(to_hex(line.get_color()).upper(), line.get_marker()) for line in lines}
    assert {color for color, _ in shown} <= set(OKABE_ITO)
    assert len({color for color, _ in shown}) == len({marker for _, marker in shown}) == len(shown) >= 3


def test_looks_never_repeat_for_the_provinces() -> None:
    assert len({(look.color, look.marker, look.dashes) for look in looks(31)}) == 31


def test_spread_keeps_order_and_distance_within_bounds() -> None:
    wanted = [0.5, 0.51, 0.52, 0.99, 0.0]
    placed = spread(wanted, 0.1, 0.0, 1.0)
    in_order = [placed[i] for i in np.argsort(wanted)]
    assert np.all(np.diff(in_order) >= 0.1 - 1e-12)
    assert min(placed) >= 0
    assert max(placed) <= 1 + 1e-12
    assert placed[4] == 0.0


# ---- coefficients and event studies


def test_coefficients_are_the_estimates_own() -> None:
    estimate = make_estimate()
    plot = coefficient_plot(estimate, level=0.9)
    tidy = estimate.tidy(0.9)
    for column in ("term", "estimate", "ci_low", "ci_high"):
        assert plot.data[column].tolist() == tidy[column].tolist()
    assert plot.data["label"].tolist() == ["R&D intensity", "z"]
    assert plot.ax.get_xlabel() == "Effect on GDP growth"
    assert plot.notes == ("Bars: 90% confidence intervals, clustered by province.", "Simulated data.")


def test_terms_are_chosen_in_the_order_given_and_the_intercept_is_left_out() -> None:
    estimate = make_estimate(("Intercept", "x", "z"))
    assert coefficient_plot(estimate).data["term"].tolist() == ["x", "z"]
    assert coefficient_plot(estimate, terms=["z", "Intercept"]).data["term"].tolist() == ["z", "Intercept"]
    with pytest.raises(OptionError, match=r"'w'.*'Intercept', 'x', 'z'"):
        coefficient_plot(estimate, terms=["w"])


def test_different_covariances_are_named_one_by_one() -> None:
    robust = make_estimate(vcov={"kind": "hetero", "words": {"en": "HC1", "zh": "HC1"}})
    note = coefficient_plot({"A": make_estimate(), "B": robust}).notes[0]
    assert note.endswith("clustered by province (A); heteroskedasticity-robust (B).")


def test_equal_names_are_numbered() -> None:
    models = coefficient_plot([make_estimate(), make_estimate()]).data["model"].unique().tolist()
    assert models == ["(1) Fixed effects", "(2) Fixed effects"]


def test_event_times_come_from_the_terms_and_the_reference_is_hollow_at_zero() -> None:
    plot = event_plot(event_study())
    assert plot.data["event_time"].tolist() == [-3, -2, -1, 0, 1]
    assert plot.data.loc[plot.data["reference"], ["event_time", "estimate"]].to_numpy().tolist() == [[-1, 0.0]]
    hollow = [line for line in plot.ax.get_lines() if line.get_markerfacecolor() == "white"]
    assert [line.get_xydata().tolist() for line in hollow] == [[[-1.0, 0.0]]]


@pytest.mark.parametrize(
    "terms", [("-2", "0", "+1"), ("event=-2", "event=0", "event=1"), ("event_time::\u22122:treated", "t0", "t+1")]
)
def test_other_spellings_of_event_times(terms: tuple[str, ...]) -> None:
    others = ("x1", "log(x2)", "year::2014", "2014", "5:7")
    assert event_plot(make_estimate((*terms, *others))).data["event_time"].tolist() == [-2, 0, 1]


def test_event_times_of_one_factor_of_any_name_and_its_reference_in_the_formula() -> None:
    terms = ("k::-3:ever", "k::-2:ever", "k::0:ever", "k::1:ever")
    formula = "y ~ i(k, ever, ref=-1) + x + i(plate) | u + year"
    plot = event_plot(make_estimate((*terms, "x", "plate::1", "plate::2"), formula=formula))
    assert plot.data["event_time"].tolist() == [-3, -2, -1, 0, 1]
    assert plot.data.loc[plot.data["reference"], "event_time"].tolist() == [-1]
    with pytest.raises(OptionError, match=r"'k::-3:ever'.*those of one i\(k, treated, ref=-1\)"):
        event_plot(make_estimate((*terms, "k::-3:x", "k::0:x")))
    with pytest.raises(OptionError, match="No term is an event time"):
        event_plot(make_estimate(("plate::1", "plate::2")))


def test_event_times_of_a_did_aggregate_and_covariates_left_out() -> None:
    named = make_estimate(("a", "b", "size"), event_time={"a": -2, "b": 3})
    assert event_plot(named).data["event_time"].tolist() == [-2, 3]
    with pytest.raises(OptionError, match="No term is an event time"):
        event_plot(make_estimate())


def test_bands_are_matched_by_event_time() -> None:
    band = pd.DataFrame({"event_time": [0, 1], "ci_low": [-1.0, -2.0], "ci_high": [1.0, 2.0]})
    plot = event_plot({"A": event_study()}, bands={"A": band})
    assert plot.data.set_index("event_time").loc[[0, 1], "band_low"].tolist() == [-1.0, -2.0]
    assert "simultaneous" in plot.notes[0]
    with pytest.raises(OptionError, match="'B'"):
        event_plot({"A": event_study()}, bands={"B": band})


@pytest.mark.parametrize("bad", [[], {}, ["text"], object])
def test_what_is_no_estimate_is_refused(bad: object) -> None:
    with pytest.raises((OptionError, TypeError)):
        coefficient_plot(bad)  # type: ignore[arg-type]


def test_an_empty_frame_and_a_frame_without_its_columns_are_refused() -> None:
    with pytest.raises(DataError, match="no rows"):
        coefficient_plot(pd.DataFrame(columns=["term", "estimate", "ci_low", "ci_high"]))
    with pytest.raises(DataError, match="'ci_low'"):
        coefficient_plot(pd.DataFrame({"term": ["x"], "estimate": [1.0]}))


def test_mathematics_and_dollars_in_labels_are_plain_text() -> None:
    plot = coefficient_plot(make_estimate(), labels={"x": "price $ to $ price_1"})
    assert "price $ to $ price_1" in words_of(plot)


# ---- lines


@pytest.mark.parametrize("statistic", ["sum", "mean", "median"])
def test_lines_aggregate_as_pandas_does(statistic: str) -> None:
    panel = make_panel()
    plot = line_plot(panel, "gdp", by="plate", statistic=statistic)  # type: ignore[arg-type]
    expected = panel.frame.groupby(["plate", "year"])["gdp"].agg(statistic)
    got = plot.data.set_index(["group", "period"])["value"]
    pd.testing.assert_series_equal(got.sort_index(), expected, check_names=False)
    assert plot.ax.get_ylabel().startswith("GDP per head")
    assert plot.ax.get_ylabel().endswith("(yuan)")
    assert plot.notes == ("Source: Yearbook.",)


def test_a_sum_says_of_how_many_units_it_is() -> None:
    panel = make_panel()
    assert line_plot(panel, "gdp").ax.get_ylabel().replace("\n", " ") == "GDP per head, sum of 5 units (yuan)"
    assert line_plot(panel, "gdp", lang="zh").ax.get_ylabel() == "人均GDP，5个个体之和（元）"
    assert "sum of 1–2 units" in line_plot(panel, "gdp", by="plate").ax.get_ylabel().replace("\n", " ")
    assert line_plot(panel, "gdp", by="province").ax.get_ylabel() == "GDP per head (yuan)"


@pytest.mark.parametrize("period", [2019, "2019Q1"])
def test_a_single_period_is_the_only_one_on_the_axis(period: int | str) -> None:
    ax = line_plot(pd.DataFrame({"period": [period], "y": [1.0]}), "y").ax
    assert [label.get_text() for label in ax.get_xticklabels()] == [str(period)]
    assert np.ptp(ax.get_xlim()) == 1


def test_shares_add_up_to_a_hundred_and_a_gap_is_no_share() -> None:
    panel = make_panel()
    gap = panel.frame.assign(gdp=lambda d: d["gdp"].where((d["province"] != "Hubei") | (d["year"] != 2012)))
    plot = line_plot(Panel(gap, "province", "year"), "gdp", by="plate", statistic="share")
    totals = plot.data.groupby("period")["value"].agg(lambda v: v.sum(skipna=False))
    assert totals.index[totals.isna()].tolist() == [2012]
    np.testing.assert_allclose(totals.dropna(), 100)
    assert plot.notes[0] == "Gaps in the lines: not every unit has data (2012)."


def test_years_before_and_after_the_data_are_not_on_the_axis() -> None:
    short = make_panel().assign(gdp=lambda d: d["gdp"].where(d["year"].between(2012, 2015)))
    assert line_plot(short, "gdp").data["period"].tolist() == [2012, 2013, 2014, 2015]


def test_groups_stand_in_their_usual_order() -> None:
    assert line_plot(make_panel(), "gdp", by="plate").data["group"].unique().tolist() == [
        "East", "Central", "West", "Northeast",
    ]  # fmt: skip


def test_a_frame_is_drawn_as_it_is() -> None:
    frame = pd.DataFrame({"year": [2000, 2001], "y": [1.0, 3.0]})
    assert line_plot(frame, "y").data["value"].tolist() == [1.0, 3.0]
    with pytest.raises(DataError, match="more than once"):
        line_plot(pd.concat([frame, frame]), "y")
    with pytest.raises(DataError, match="nothing to draw"):
        line_plot(frame.assign(y=np.nan), "y")
    with pytest.raises(DataError, match="Nearest: year"):
        line_plot(frame, "y", x="yaer")


def test_unknown_columns_and_words_are_refused_with_the_nearest() -> None:
    with pytest.raises(DataError, match="Nearest: gdp"):
        line_plot(make_panel(), "gpd")
    with pytest.raises(DataError, match="Nearest: plate"):
        line_plot(make_panel(), "gdp", by="plates")
    with pytest.raises(OptionError, match="Did you mean 'sum'"):
        line_plot(make_panel(), "gdp", statistic="summ")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="lang='de'"):
        line_plot(make_panel(), "gdp", lang="de")  # type: ignore[arg-type]


def test_sigma_has_a_panel_per_measure() -> None:
    plot = sigma_plot(sigma_path())
    assert len(plot.figure.axes) == 2
    assert plot.data["cv"].tolist() == sigma_path()["cv"].tolist()
    with pytest.raises(OptionError, match="exactly one"):
        sigma_plot(sigma_path(), ax=Figure().subplots())
    with pytest.raises(DataError, match="'sd_log'"):
        sigma_plot(sigma_path().drop(columns="sd_log"))


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: sigma_plot(make_panel()), r"as in sigma_plot\(econ.convergence.sigma\(panel, 'x'\)\); got Panel"),  # type: ignore[arg-type]
        (lambda: sigma_plot(sigma_path(), measures="cv"), r"give a list: measures=\['cv'\]"),  # type: ignore[arg-type]
        (lambda: beta_plot(make_estimate()), r"beta_plot\(panel, 'x', estimate=estimate\); got Estimate"),  # type: ignore[arg-type]
        (lambda: line_plot([1, 2], "gdp"), "got list"),  # type: ignore[arg-type]
        (lambda: tile_map(make_estimate(), "gdp"), "got Estimate"),  # type: ignore[arg-type]
        (lambda: tile_map(make_panel(), "gdp", digits=-1), "digits=-1"),
        (lambda: coefficient_plot(make_estimate(), terms="x"), r"give a list: terms=\['x'\]"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_the_call_to_write(draw: Callable[[], Plot], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        draw()


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_note_that_is_no_list_is_refused(name: str) -> None:
    with pytest.raises(OptionError, match="give a list: notes="):
        DRAWINGS[name](notes="Source: us.")


# ---- scatter


def test_the_beta_line_is_least_squares_or_the_estimates() -> None:
    plot = beta_plot(make_panel(), "gdp", start=2010, end=2019)
    slope = np.polyfit(plot.data["initial"], plot.data["growth"], 1)
    np.testing.assert_allclose(plot.data["fitted"], np.polyval(slope, plot.data["initial"]))
    given = beta_plot(make_panel(), "gdp", estimate=make_estimate(("beta", "speed")))
    steps = given.data[["initial", "fitted"]].sort_values("initial").diff().dropna()
    np.testing.assert_allclose(steps["fitted"] / steps["initial"], -0.5)
    assert "standard error 20.00" in given.notes[0]
    assert beta_plot(make_panel(), "gdp", lang="zh").ax.get_xlabel() == "2010年人均GDP（对数）"
    assert given.ax.get_xlabel() == "GDP per head in 2010 (log)"


def test_labels_of_the_dots_do_not_overlap() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {"province": list(PROVINCES) * 6, "initial": rng.normal(size=30), "growth": rng.normal(size=30)}
    )
    frame["province"] += [f" {i}" for i in range(30)]
    plot = beta_plot(frame)
    renderer = plot.figure.canvas.get_renderer()  # type: ignore[attr-defined]
    boxes = [text.get_window_extent(renderer) for text in plot.ax.texts]
    overlaps = sum(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert len(boxes) == 30
    assert overlaps <= 1


def test_beta_refusals() -> None:
    with pytest.raises(OptionError, match="name of its variable"):
        beta_plot(make_panel())
    with pytest.raises(OptionError, match="no term 'beta'"):
        beta_plot(make_panel(), "gdp", estimate=make_estimate())
    with pytest.raises(DataError, match="a line needs two"):
        beta_plot(pd.DataFrame({"province": ["A"], "initial": [1.0], "growth": [0.1]}))


# ---- tiles


def test_the_map_has_all_34_units_once() -> None:
    assert len(LAYOUT) == len(set(LAYOUT.values())) == 34
    assert {"HK", "MO", "TW"} <= set(LAYOUT)


def test_tiles_show_the_year_asked_for_and_hatch_the_rest() -> None:
    panel = make_panel()
    plot = tile_map(panel, "gdp", year=2015)
    values = plot.data.set_index("name")["value"]
    at = panel.frame.query("year == 2015").set_index("province")["gdp"]
    assert len(values) == 34
    np.testing.assert_array_equal(values[list(PROVINCES)], at[list(PROVINCES)])
    assert values.drop(list(PROVINCES)).isna().all()
    hatched = [patch for patch in plot.ax.patches if patch.get_hatch()]
    assert len(hatched) == 34 - 5 + 1  # and one in the key
    assert "GDP per head (yuan), 2015" in words_of(plot).replace("\n", " ")


def test_the_last_year_with_values_is_the_default() -> None:
    panel = make_panel()
    late = panel.assign(gdp=lambda d: d["gdp"].where(d["year"] < 2018))
    pd.testing.assert_frame_equal(tile_map(late, "gdp").data, tile_map(panel, "gdp", year=2017).data)


@pytest.mark.parametrize("name", ["Hubei", "湖北", "湖北省", 42, 42.0, "420000", "HB", "CN-HB"])
def test_a_province_is_found_by_any_of_its_names(name: object) -> None:
    frame = pd.DataFrame({"province": [name], "y": [1.0]})
    assert tile_map(frame, "y").data.dropna()["name"].tolist() == ["Hubei"]


def test_short_names() -> None:
    assert [short_name(11, "en"), short_name("11", "zh")] == ["11", "11"]  # a zone's number is no province
    assert [short_name("Tibet", "en"), short_name("Tibet", "zh"), short_name("Ruhr", "zh")] == ["XZ", "西藏", "Ruhr"]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_on_small_axes_everything_stays_within_its_tile(lang: Lang) -> None:
    figure = Figure(figsize=(6, 3))
    ax = figure.subplots(1, 2)[0]
    tile_map(make_panel(), "gdp", lang=lang, ax=ax)
    figure.draw_without_rendering()
    side = ax.transData.transform([1, 0])[0] - ax.transData.transform([0, 0])[0]
    inside = [text for text in ax.texts if text.get_horizontalalignment() == "center"]
    assert len(inside) == 34 + len(PROVINCES)
    assert all(text.get_window_extent().width <= side for text in inside)


def test_a_map_names_its_year() -> None:
    frame = make_panel().frame
    assert "(yuan), 2019" in words_of(tile_map(make_panel(), "gdp")).replace("\n", " ")
    assert "gdp, 2012" in words_of(tile_map(frame[frame["year"] == 2012], "gdp"))


def test_several_years_share_their_colours_and_one_bar() -> None:
    panel = make_panel()
    plot = tile_map(panel, "gdp", year=[2010, 2015, 2019])
    maps = plot.figure.axes[:3]
    assert [ax.get_title("left") for ax in maps] == ["2010", "2015", "2019"]
    assert list(plot.data.columns) == ["year", "region", "name", "value"]
    seen = {}
    for year, ax in zip((2010, 2015, 2019), maps, strict=True):
        alone = tile_map(panel, "gdp", year=year).data
        mine = plot.data[plot.data["year"] == year].drop(columns="year").reset_index(drop=True)
        pd.testing.assert_frame_equal(mine, alone)
        tiles = [patch for patch in ax.patches if not patch.get_hatch()]
        known = alone.dropna()["value"]
        seen |= {value: patch.get_facecolor() for value, patch in zip(known, tiles, strict=True)}
    low, high = (matplotlib.colormaps["cividis"](end) for end in (0.0, 1.0))
    assert (seen[min(seen)], seen[max(seen)]) == (low, high)
    assert len({color for value, color in seen.items() if value == min(seen) or value == max(seen)}) == 2
    bars = [child for ax in maps for child in ax.child_axes]
    assert len(bars) == 1
    assert bars[0].get_xlim() == (min(seen), max(seen))
    words = words_of(plot).replace("\n", " ")
    assert "GDP per head (yuan)" in words and "(yuan), 20" not in words


def test_more_than_three_maps_take_a_second_row() -> None:
    frame = make_panel().frame
    plot = tile_map(frame, "gdp", year=(2010, 2012, 2014, 2016, 2018))
    tops = [ax.get_position().y0 for ax in plot.figure.axes[:5]]
    np.testing.assert_allclose(tops, [tops[0]] * 3 + [tops[3]] * 2)
    assert tops[0] > tops[3] + 0.3
    assert not plot.figure.axes[5].patches


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_in_small_maps_everything_stays_within_its_tile(lang: Lang) -> None:
    plot = tile_map(make_panel(), "gdp", year=[2010, 2015, 2019], lang=lang)
    plot.figure.draw_without_rendering()
    for ax in plot.figure.axes[:3]:
        side = ax.transData.transform([1, 0])[0] - ax.transData.transform([0, 0])[0]
        inside = [text for text in ax.texts if text.get_horizontalalignment() == "center"]
        assert len(inside) == 34 + len(PROVINCES)
        assert all(text.get_window_extent().width <= side for text in inside)


def test_tile_refusals() -> None:
    with pytest.raises(OptionError, match=r"year=\[\] is not allowed; give one year, or a list of 1 to 6"):
        tile_map(make_panel(), "gdp", year=[])
    with pytest.raises(OptionError, match="different ones"):
        tile_map(make_panel(), "gdp", year=[2010, 2010])
    with pytest.raises(OptionError, match="are 2 maps; with ax= give one year"):
        tile_map(make_panel(), "gdp", year=[2010, 2011], ax=Figure().subplots())
    with pytest.raises(OptionError, match=r"year=2030"):
        tile_map(make_panel(), "gdp", year=[2010, 2030])
    with pytest.raises(OptionError, match=r"year=2030.*2010"):
        tile_map(make_panel(), "gdp", year=2030)
    with pytest.raises(DataError, match="Atlantis"):
        tile_map(pd.DataFrame({"province": ["Atlantis"], "y": [1.0]}), "y")
    with pytest.raises(DataError, match="Beijing stands more than once"):
        tile_map(pd.DataFrame({"province": ["Beijing", "北京"], "y": [1.0, 2.0]}), "y")
    with pytest.raises(OptionError, match="positive values"):
        tile_map(pd.DataFrame({"province": ["Beijing"], "y": [-1.0]}), "y", scale="log")
    with pytest.raises(DataError, match="nothing to draw"):
        tile_map(pd.DataFrame({"province": ["Beijing"], "y": [np.nan]}), "y")


# ---- treatment


def test_treatment_status_is_cohort_against_period() -> None:
    panel = make_panel().where(lambda d: (d["province"] != "Jilin") | (d["year"] != 2014))
    plot = treatment_plot(panel)
    assert plot.data["unit"].unique().tolist() == ["Beijing", "Hubei", "Jilin", "Shanghai", "Sichuan"]
    status = plot.data.set_index(["unit", "period"])["status"]
    assert status["Beijing", 2012] == "untreated"
    assert status["Beijing", 2013] == "treated"
    assert status["Jilin", 2014] == "no_data"
    assert (status == "treated").sum() == 7 + 4


def test_missing_outcomes_are_no_data() -> None:
    panel = make_panel().assign(gdp=lambda d: d["gdp"].where(d["year"] > 2010))
    status = treatment_plot(panel, outcome="gdp").data.query("period == 2010")["status"]
    assert (status == "no_data").all()


def test_a_large_panel_has_no_names_and_is_quick() -> None:
    units = pd.DataFrame({"unit": np.arange(2000)})
    frame = units.merge(pd.DataFrame({"year": YEARS}), how="cross").assign(cohort=np.nan)
    plot = treatment_plot(Panel(frame, "unit", "year"))
    assert not plot.ax.get_yticklabels()
    assert len(plot.svg()) < 300_000


# ---- text in SVG


def test_inline_svgs_share_no_ids_and_style_only_themselves() -> None:
    drawings = [DRAWINGS[name](title="A & B").svg() for name in ("coefficients", "lines")]
    roots = [ElementTree.fromstring(text) for text in drawings]
    ids = [{element.get("id") for element in root.iter() if element.get("id")} for root in roots]
    assert not ids[0] & ids[1]
    for root, names in zip(roots, ids, strict=True):
        used = set(re.findall(r'(?:href="|url\()#([^")]+)', ElementTree.tostring(root, encoding="unicode")))
        assert used <= names
        assert root.get("aria-label") == "A & B"
        styles = [element.text or "" for element in root.iter() if element.tag.endswith("style")]
        assert all(style.startswith(f"#{root.get('id')} ") for style in styles)
    assert 'id="mine"' in DRAWINGS["coefficients"]().svg(prefix="mine")
