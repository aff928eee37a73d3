"""Cards and the catalogue: what is read, what is refused and how the message helps."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import econ
from econ.data.cards import check_dataset, differences, find

Make = Callable[..., Path]
CSV = (
    "region,year,y,code,listed,since\n北京,2019,1.5,0110,true,2015-06-11\n上海,2019,,0310,false,\n北京,2020,2,,true,\n"
)
FIELDS = {"region": "string", "year": "integer", "y": "number", "code": "string", "listed": "boolean", "since": "date"}


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Write a data set into a folder that $ECON_DATASETS points at; accepted unless told otherwise."""
    monkeypatch.setenv("ECON_DATASETS", str(tmp_path))

    def write(csv: str | bytes = CSV, *, fields: dict[str, str] = FIELDS, accept: bool = True, **changes: Any) -> Path:
        folder = tmp_path / "mine"
        folder.mkdir(exist_ok=True)
        panel = changes.get("panel", {"unit": "region", "time": "year"})
        schema = {
            "fields": [{"name": name, "type": kind} for name, kind in fields.items()],
            "primaryKey": list(panel.values()),
        }
        resource = {"path": "mine.csv", "encoding": "utf-8", "hash": "sha256:" + "0" * 64, "schema": schema}
        content = {"name": "mine", "title": "Mine", "quality": "compiled", "sources": [{"title": "me"}]}
        content |= {"panel": panel, "resources": [resource]}
        content |= {key: value for key, value in changes.items() if key != "resource"}
        resource |= changes.get("resource", {})
        (folder / "mine.csv").write_bytes(csv if isinstance(csv, bytes) else csv.encode("utf-8"))
        (folder / "datapackage.json").write_text(json.dumps(content), encoding="utf-8")
        if accept:
            econ.accept("mine")
        return folder

    return write


# ---- reading


def test_types_follow_the_card(make: Make) -> None:
    make()
    frame = econ.load_frame("mine")
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {
        "region": "str",
        "year": "int64",
        "y": "float64",
        "code": "str",
        "listed": "bool",
        "since": "datetime64[s]",
    }
    assert frame["region"].tolist() == ["北京", "上海", "北京"]
    assert frame["code"].tolist()[:2] == ["0110", "0310"]
    assert np.isnan(frame["y"][1])


def test_whole_numbers_with_gaps_are_nullable_and_booleans_too(make: Make) -> None:
    make(
        "region,year,n,b\na,1,,\na,2,3,true\n",
        fields={"region": "string", "year": "integer", "n": "integer", "b": "boolean"},
    )
    assert econ.load_frame("mine").dtypes[["n", "b"]].astype(str).tolist() == ["Int64", "boolean"]


def test_dated_periods_give_the_coverage_in_years(make: Make) -> None:
    make(
        "region,quarter,y\na,2015-01-01,1\na,2015-04-01,\na,2017-01-01,3\n",
        fields={"region": "string", "quarter": "date", "y": "number"},
        panel={"unit": "region", "time": "quarter"},
    )
    assert econ.load("mine").n_periods == 3
    assert econ.card("mine").coverage == {"time": "quarter", "first": 2015, "last": 2017, "rows": 3}
    assert econ.datasets().set_index("name").loc["mine", "time_span"] == "2015-2017"


def test_own_panel_with_notes_and_labels(make: Make) -> None:
    make(notes=[{"en": "Read this.", "zh": "请注意。"}])
    panel = econ.load("mine")
    assert (panel.n_units, panel.n_periods, panel.is_balanced) == (2, 2, False)
    assert panel.notes == ({"en": "Read this.", "zh": "请注意。"},)
    assert panel.dataset == {"name": "mine", "sha256": econ.card("mine").sha256}
    assert panel.column("y").quality == "compiled"
    assert panel.column("y").label is None


def test_own_folder_goes_before_the_shipped_one(make: Make, tmp_path: Path) -> None:
    make()
    (tmp_path / "mine").rename(tmp_path / "regions")
    card = tmp_path / "regions" / "datapackage.json"
    card.write_text(card.read_text(encoding="utf-8").replace('"name": "mine"', '"name": "regions"'), encoding="utf-8")
    assert econ.card("regions").title() == "Mine"
    assert "provinces" in find()


def test_gb18030_and_byte_order_mark_are_read_without_mojibake(make: Make) -> None:
    make(CSV.encode("gb18030"), resource={"encoding": "gb18030"})
    assert econ.load_frame("mine")["region"][0] == "北京"
    make(b"\xef\xbb\xbf" + CSV.encode())
    assert list(econ.load_frame("mine").columns) == list(FIELDS)


# the card is rewritten by every example
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(allow_nan=False, allow_infinity=False) | st.none(),
            st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1),
        ),
        min_size=1,
    )
)
def test_numbers_and_text_survive_the_file_exactly(make: Make, rows: list[tuple[float | None, str]]) -> None:
    frame = pd.DataFrame(
        {"region": "a", "year": range(len(rows)), "y": [y for y, _ in rows], "s": [s for _, s in rows]}
    )
    frame["y"] = frame["y"].astype("float64")
    make(
        frame.to_csv(index=False, lineterminator="\n"),
        fields={"region": "string", "year": "integer", "y": "number", "s": "string"},
    )
    pd.testing.assert_frame_equal(econ.load_frame("mine"), frame, check_exact=True, check_dtype=True)
    assert check_dataset("mine") == ()


# ---- the checksum


def test_changed_file_is_refused_with_both_checksums_until_accepted(make: Make) -> None:
    folder = make()
    before = econ.card("mine").sha256
    (folder / "mine.csv").write_text(CSV + "上海,2020,4,0310,true,\n", encoding="utf-8", newline="\n")
    with pytest.raises(econ.DataError, match=rf"(?s)[0-9a-f]{{64}}.*{before}.*econ accept mine"):
        econ.load("mine")
    assert "econ accept mine" in check_dataset("mine")[0]
    assert econ.accept("mine").coverage == {"time": "year", "first": 2019, "last": 2020, "rows": 4}
    assert check_dataset("mine") == ()
    assert econ.card("mine").sha256 != before
    assert econ.load("mine").is_balanced


def test_accepting_changes_nothing_else_in_the_card(make: Make) -> None:
    folder = make(description="Kept.", breaks=[{"years": "2019", "note": "Kept too."}])
    text = (folder / "datapackage.json").read_bytes()
    econ.accept("mine")
    assert (folder / "datapackage.json").read_bytes() == text
    assert econ.card("mine").breaks["note"].tolist() == ["Kept too."]


def test_what_accepting_changes_is_said(make: Make) -> None:
    folder = make()
    before = econ.card("mine")
    assert differences(before, before) == []
    (folder / "mine.csv").write_text(CSV.replace("1.5", "2.5"), encoding="utf-8")
    assert differences(before, econ.accept("mine")) == ["values changed; rows and coverage as before"]
    (folder / "mine.csv").write_text("\n".join(CSV.split("\n")[:3]) + "\n", encoding="utf-8")
    said = differences(before, econ.accept("mine"))
    assert said[0] == "coverage: last 2020 -> 2019, rows 3 -> 2"
    assert "y: last 2020 -> 2019" in said


def test_names_of_provinces_are_standard(make: Make) -> None:
    fields = {"province": "string", "year": "integer"}
    panel = {"unit": "province", "time": "year"}
    make("province,year\nBeijing,1\nTibet,1\n", fields=fields, panel=panel)
    make("province,year\nPeking,1\nTibet,1\n", fields=fields, panel=panel, accept=False)
    with pytest.raises(econ.DataError, match=r"no standard names in 'Peking'; see econ\.standard_names"):
        econ.accept("mine")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a,1,1\na,1,2\n", r"1 rows repeat the key region and year of another row \(first: a, 1\)"),
        (",1,1\n", r"column 'region' must not have missing values, and has 1"),
    ],
)
def test_bad_keys_are_not_accepted(make: Make, rows: str, message: str) -> None:
    make("region,year,y\n" + rows, fields={"region": "string", "year": "integer", "y": "number"}, accept=False)
    assert any(re.search(message, problem) for problem in check_dataset("mine"))
    with pytest.raises(econ.DataError, match=message):
        econ.accept("mine")


# ---- refusals


@pytest.mark.parametrize(
    ("kind", "value"),
    [("integer", "2.5"), ("integer", "x"), ("number", "1,5"), ("boolean", "yes"), ("date", "2015/06/11")],
)
def test_value_of_another_type_is_named_with_its_row(make: Make, kind: str, value: str) -> None:
    make(
        f'region,year,v\na,1,\nb,1,"{value}"\n', fields={"region": "string", "year": "integer", "v": kind}, accept=False
    )
    with pytest.raises(econ.DataError, match=rf"Column 'v' of 'mine' holds '{value}' in row 2.*{kind}"):
        econ.accept("mine")


def test_columns_must_be_those_of_the_card(make: Make) -> None:
    make("region,year\na,1\n", accept=False)
    with pytest.raises(econ.DataError, match=r"has the columns region, year; its card describes region, year, y"):
        econ.accept("mine")


def test_wrong_encoding_and_missing_file(make: Make) -> None:
    folder = make(CSV.encode("gb18030"), accept=False)
    assert "is not utf-8 at byte" in check_dataset("mine")[0]
    (folder / "mine.csv").unlink()
    assert "is missing" in check_dataset("mine")[0]


def test_unknown_name_gives_the_nearest() -> None:
    with pytest.raises(econ.OptionError, match=r"no data set 'province'.*Nearest: provinces"):
        econ.load("province")


def test_what_is_no_panel_names_its_readers() -> None:
    with pytest.raises(
        econ.DataError, match=r"no panel: its rows are pair of provinces.*econ\.load_frame\('borders'\)"
    ):
        econ.load("borders")
    with pytest.raises(econ.DataError, match=r"econ\.roster\('free_trade_zone'\)"):
        econ.load("province_policies")


def test_missing_folder_of_own_data_sets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ECON_DATASETS", str(tmp_path / "none"))
    with pytest.raises(econ.DataError, match=r"ECON_DATASETS=.* is no folder"):
        econ.datasets()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "yours"}, "name must be that of its folder, 'mine'"),
        ({"title": {"en": "Mine"}}, "title must be a string"),
        ({"quality": "good"}, "quality must be one of official, compiled"),
        ({"sources": ["me"]}, "sources must list objects with a title"),
        ({"resources": []}, "exactly one resource"),
        ({"panel": {"unit": "region"}}, "panel must have unit and time"),
        ({"panel": {"unit": "city", "time": "year"}}, "key 'city' is not among schema.fields"),
        ({"panel": {"unit": "region", "time": "y"}}, "time column 'y' must be of type integer or date"),
        ({"notes": ["Read this."]}, "each of notes must have en and zh"),
        ({"breaks": [{"note": "x"}]}, "each of breaks must have years and a note"),
        ({"resource": {"path": "../mine.csv"}}, "path must be a file beside the card"),
        ({"resource": {"path": "/mine.csv"}}, "path must be a file beside the card"),
        ({"resource": {"hash": "md5:0"}}, "hash must be 'sha256:' and 64 hexadecimal digits"),
        ({"resource": {"schema": {}}}, "schema.fields must list the columns"),
        (
            {"resource": {"schema": {"fields": [{"name": "a", "type": "text"}]}}},
            "column 'a' has type 'text'; types are",
        ),
        ({"resource": {"schema": {"fields": [{"name": "a"}, {"name": "a"}]}}}, "names a column twice"),
    ],
)
def test_card_that_cannot_be_used_says_why(make: Make, changes: dict[str, Any], message: str) -> None:
    make(accept=False, **changes)
    with pytest.raises(econ.DataError) as error:
        econ.card("mine")
    assert message in str(error.value)
    assert check_dataset("mine") == (str(error.value),)


def test_card_that_is_not_json(make: Make) -> None:
    (make() / "datapackage.json").write_text("{", encoding="utf-8")
    with pytest.raises(econ.DataError, match="is not JSON in UTF-8"):
        econ.datasets()


# ---- the catalogue


def test_catalogue_has_the_promised_columns() -> None:
    frame = econ.datasets().set_index("name")
    assert {"title", "title_zh", "unit", "time_span", "rows", "quality", "source"} <= set(frame.columns)
    assert frame.loc["provinces", ["unit", "time_span", "rows", "quality"]].tolist() == [
        "province",
        "2000-2023",
        744,
        "official",
    ]
    assert frame.loc["zones_simulated", "quality"] == "simulated"


def test_card_prints_what_a_reader_needs() -> None:
    text = str(econ.card("provinces"))
    for part in (
        "provinces: Provinces of mainland China, 2000-2023",
        "744 rows (province x year), 2000-2023",
        "gdp: Gross regional product (100m yuan",
        "known breaks",
        "sha256",
    ):
        assert part in text
    assert "(nan)" not in text
    assert repr(econ.card("provinces")) == "Card('provinces')"
    with pytest.raises(econ.OptionError, match="lang='de'"):
        econ.card("provinces").title("de")  # type: ignore[arg-type]
