"""Estimate: statistics, exact JSON, statsmodels' words, maketables' attributes."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from econ import DataError, Estimate, OptionError
from econ.estimate import Test


def make(**changes: object) -> Estimate:
    values: dict[str, object] = {
        "terms": ("x1", "x2"),
        "coef": np.array([1.0, -0.1 - 0.2]),
        "vcov": np.array([[0.25, 0.01], [0.01, 0.04]]),
        "dof": np.array([30.0, np.inf]),
        "n_obs": 5,
        "n_units": 2,
        "n_periods": 3,
        "n_clusters": (2,),
        "sample": np.array([True, False, True, True, True, True]),
        "dropped": {"missing values": 1},
        "spec": {
            "estimator": "feols",
            "estimator_label": {"en": "OLS", "zh": "最小二乘"},
            "outcome": "y",
            "formula": "y ~ x1 + x2 | unit",
            "fixed_effects": ["unit"],
            "vcov": {"kind": "cluster", "columns": ["unit"], "words": {"en": "clustered by unit", "zh": "按单元聚类"}},
        },
        "stats": {"r2": 0.5, "r2_within": 0.1 + 0.2},
        "tests": (Test("hansen", np.nan, (), np.nan, {"en": "exactly identified", "zh": "恰好识别"}),),
        "labels": {"x1": {"label": "R&D", "label_zh": "研发", "unit": "percent"}},
        "notes": ({"en": "Simulated data.", "zh": "模拟数据。"},),
    }
    return Estimate(**(values | changes))  # type: ignore[arg-type]


def test_tidy_is_student_t_with_the_given_degrees_of_freedom() -> None:
    frame = make().tidy(0.9)
    assert list(frame) == ["term", "estimate", "std_error", "statistic", "p_value", "ci_low", "ci_high"]
    assert frame["p_value"][0] == pytest.approx(2 * stats.t.sf(2.0, 30))
    assert frame["ci_high"][1] == pytest.approx(-0.3 + stats.norm.isf(0.05) * 0.2)
    with pytest.raises(OptionError, match="level=95"):
        make().tidy(95)


def test_json_round_trip_is_exact() -> None:
    first = make()
    again = Estimate.from_json(first.to_json())
    assert again.to_json() == first.to_json()
    for name in ("coef", "vcov", "dof", "sample"):
        np.testing.assert_array_equal(getattr(again, name), getattr(first, name))
        assert getattr(again, name).dtype == getattr(first, name).dtype
    assert again.terms == first.terms
    assert again.notes == first.notes
    assert again.stats == first.stats
    assert np.isnan(again.test("hansen").p_value)
    json.loads(first.to_json(), parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))


def test_json_through_a_file(tmp_path: object) -> None:
    path = tmp_path / "estimate.json"  # type: ignore[operator]
    make().to_json(path)
    assert Estimate.from_json(path).to_json() == make().to_json()
    with pytest.raises(DataError, match="not an estimate"):
        Estimate.from_json("{}")
    with pytest.raises(DataError, match=r"'estimate.json' is no JSON; give .* its file as a pathlib.Path"):
        Estimate.from_json("estimate.json")


@given(st.lists(st.booleans()))
def test_every_sample_survives_json(flags: list[bool]) -> None:
    sample = np.array(flags, dtype=bool)
    np.testing.assert_array_equal(Estimate.from_json(make(sample=sample).to_json()).sample, sample)


@given(st.lists(st.floats(allow_nan=False), min_size=2, max_size=2))
def test_every_float_survives_json(values: list[float]) -> None:
    coef = np.array(values)
    np.testing.assert_array_equal(Estimate.from_json(make(coef=coef).to_json()).coef, coef)


def test_statsmodels_words() -> None:
    e = make()
    assert e.params["x1"] == 1.0
    assert e.bse["x2"] == pytest.approx(0.2)
    assert e.tvalues["x1"] == pytest.approx(2.0)
    assert e.pvalues["x1"] == pytest.approx(e.p_value[0])
    assert e.nobs == 5
    assert e.conf_int(0.1).loc["x1", 1] == pytest.approx(e.tidy(0.9)["ci_high"][0])
    assert e.cov_params().loc["x1", "x2"] == 0.01


def test_summary_glance_and_wald() -> None:
    e = make()
    assert "clustered by unit" in e.summary()
    assert "Dropped: missing values: 1" in repr(e)
    assert "Simulated data." in e.summary()
    assert e.glance().loc[0, "n_clusters"] == "2"
    assert e.wald("x1 = x2").statistic == pytest.approx(1.3**2 / (0.25 + 0.04 - 0.02))
    with pytest.raises(OptionError, match="it has 'hansen'"):
        e.test("sargan")
    for hypothesis in (np.eye(2), 5, [1, 2]):
        with pytest.raises(OptionError, match=r"A hypothesis is text .* the terms are x1, x2"):
            e.wald(hypothesis)  # type: ignore[arg-type]


def test_summary_names_weights_offset_and_instruments() -> None:
    assert "eights" not in make().summary() and "nstrument" not in make().summary()
    asked = {"weights": "pop", "offset": "log(n)", "endogenous": ["x1", "x2"], "instruments": ["z1", "z2"]}
    lines = make(spec=dict(make().spec) | asked).summary().splitlines()
    assert lines[3] == "Weights pop; offset log(n); x1, x2 instrumented by z1, z2"


def test_maketables_makes_a_table_of_it() -> None:
    maketables = pytest.importorskip("maketables")
    html = maketables.ETable([make()]).make(type="html")
    shown = html if isinstance(html, str) else html.as_raw_html()
    for cell in ("x1", "1.000", "(0.500)", "0.500", "y"):
        assert cell in shown


def test_maketables_reads_the_plug_in_attributes() -> None:
    # maketables asks its statsmodels extractor first, which the aliases satisfy; this is the extractor after it.
    extractors = pytest.importorskip("maketables.extractors")
    plugin, e = extractors.PluginExtractor(), make()
    assert plugin.can_handle(e)
    table = plugin.coef_table(e)
    assert list(table.columns) == ["b", "se", "t", "p"]
    assert table.loc["x1", "se"] == 0.5
    assert plugin.depvar(e) == "y"
    assert plugin.fixef_string(e) == "unit"
    assert plugin.var_labels(e) == {"x1": "R&D"}
    assert plugin.vcov_info(e) == {"vcov_type": "cluster", "clustervar": ["unit"]}
    assert [plugin.stat(e, key) for key in plugin.default_stat_keys(e)] == [5, 0.5, 0.1 + 0.2]
    assert plugin.stat(e, "se_type") == "clustered by unit"
