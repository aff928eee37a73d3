"""Specifications: JSON, words, and what they refuse."""

import json

import numpy as np
import pytest
from dense_fits import absorbed, effect, random_panel

from econ.errors import OptionError
from econ.inference.covariance import (
    Layout,
    Vcov,
    cluster,
    conley,
    covariance,
    driscoll_kraay,
    hetero,
    iid,
    newey_west,
    pcse,
    spec_from_json,
)

SPECS: list[Vcov] = [
    iid(),
    hetero(),
    hetero("HC3"),
    cluster("province"),
    cluster("province", "year", groups="own"),
    cluster("province", kind="CR2"),
    cluster("province", effects_counted="none"),
    driscoll_kraay(),
    driscoll_kraay(3, small_sample=False),
    newey_west(2),
    pcse(),
    conley(500, lon="x", lat="y", kernel="bartlett", periods="same"),
]


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_json_round_trip(spec: Vcov) -> None:
    stored = json.loads(json.dumps(spec.to_json()))
    assert spec_from_json(stored) == spec
    assert spec_from_json({**stored, "words": {"en": "...", "zh": "..."}}) == spec
    assert stored["kind"] in ("iid", "hetero", "cluster", "driscoll_kraay", "newey_west", "conley", "pcse")


def test_columns_needed() -> None:
    assert cluster("a", "b").columns_needed() == ("a", "b")
    assert conley(10, lon="x", lat="y").columns_needed() == ("x", "y")
    assert driscoll_kraay().columns_needed() == ()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: hetero("HC4"), "choose one of 'HC0'"),
        (cluster, "one or more different columns"),
        (lambda: cluster("a", "a"), "one or more different columns"),
        (lambda: cluster(["a", "b"]), r"cluster\(\['a', 'b'\]\) is not allowed; give the names of columns one by one"),
        (lambda: cluster(5), r"cluster\(5\) is not allowed"),
        (lambda: cluster("a", kind="cr2"), "choose one of 'CR0'"),
        (lambda: cluster("a", "b", kind="CR2"), "one-way clustering only"),
        (lambda: cluster("a", kind="CR2", effects_counted="all"), "belong to the factor of kind='CR1'"),
        (lambda: driscoll_kraay(-1), "lags=-1"),
        (lambda: newey_west(1.5), "lags=1.5"),
        (lambda: newey_west(True), "lags=True"),
        (lambda: newey_west("one"), "lags='one'"),
        (lambda: conley("500"), "cutoff_km='500' is not allowed; give a positive number"),
        (lambda: conley(-5), "positive number of kilometres"),
        (lambda: conley(float("inf")), "positive number of kilometres"),
        (lambda: conley(5, kernel="gauss"), "kernel='gauss'"),
        (lambda: spec_from_json({"kind": "jackknife"}), "names no covariance"),
    ],
)
def test_bad_options_are_refused(make, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(OptionError, match=words):
        make()


def test_table_notes_in_both_languages() -> None:
    y, X, columns = random_panel()
    fit, layout = absorbed(y, X, [effect("unit", columns["unit"])], columns=columns)
    result = covariance(cluster("unit"), fit, layout)
    assert result.words_en == (
        "Standard errors clustered by unit (9 clusters), CR1: G/(G-1) x (N-1)/(N-K), K without effects nested in the "
        "clusters; t(8)"
    )
    assert (
        result.words_zh == "标准误按 unit（9 个聚类）聚类，CR1：G/(G-1) × (N-1)/(N-K)，K 不含嵌套于聚类的固定效应；t(8)"
    )


@pytest.mark.parametrize("effects", [False, True], ids=["plain", "effects"])
def test_every_specification_has_words(effects: bool) -> None:
    y, X, columns = random_panel()
    columns |= {"province": columns["unit"], "year": columns["time"], "x": columns["lon"], "y": columns["lat"]}
    place = {"columns": columns, "unit": columns["unit"], "time": columns["time"]}
    fit, layout = absorbed(y, X, [effect("unit", columns["unit"])], **place)
    layout = layout if effects else Layout(**place)
    notes = [covariance(spec, fit, layout) for spec in SPECS]
    for words in ([n.words_en for n in notes], [n.words_zh for n in notes]):
        assert len(set(words)) == len(SPECS) - (not effects), "without effects there is nothing K could count"
        assert not any("None" in text or "{" in text for text in words)
    assert all(np.isfinite(n.std_error).all() and n.dof.shape == (2,) for n in notes)
