"""The data sets that come with the package: cards valid and complete, bytes as promised, numbers as published."""

import json
import re
from typing import get_args

import numpy as np
import pandas as pd
import pytest

import econ
from econ.data.cards import DTYPES, Card, check_dataset, find
from econ.options import Quality

NAMES = (
    "borders",
    "city_policies",
    "hightech_zones",
    "innovation_demonstration_zones",
    "province_policies",
    "provinces",
    "published_claims",
    "regions",
    "zones_national",
    "zones_simulated",
)
HAN = re.compile(r"[一-鿿]")


@pytest.fixture(params=NAMES)
def card(request: pytest.FixtureRequest) -> Card:
    return econ.card(request.param)


def test_these_are_the_data_sets() -> None:
    assert tuple(find()) == NAMES
    assert tuple(econ.datasets()["name"]) == NAMES


def test_nothing_is_wrong_with_card_checksum_types_keys_or_coverage(card: Card) -> None:
    assert check_dataset(card.name) == ()


def test_card_is_a_data_package_of_version_1(card: Card) -> None:
    """https://specs.frictionlessdata.io: standard properties have their standard types, required ones are there."""
    content = card.content
    resource = content["resources"][0]
    assert content["profile"] == "tabular-data-package"
    assert resource["profile"] == "tabular-data-resource"
    for owner in (content, resource):
        assert re.fullmatch(r"[-a-z0-9._/]+", owner["name"])
    assert isinstance(content["title"], str)
    assert isinstance(content["description"], str)
    assert all(set(source) <= {"title", "path", "email"} for source in content["sources"])
    assert (card.folder / resource["path"]).stat().st_size == resource["bytes"]
    assert (resource["format"], resource["mediatype"], resource["encoding"]) == ("csv", "text/csv", "utf-8")
    assert resource["schema"]["missingValues"] == [""]
    for field in resource["schema"]["fields"]:
        assert field["type"] in DTYPES
        assert isinstance(field["title"], str)
        assert set(field.get("constraints", {})) <= {"required"}


def test_every_column_is_described_in_both_languages(card: Card) -> None:
    assert HAN.search(card.title("zh"))
    assert not HAN.search(card.title("en") + card.description)
    columns = card.columns
    assert not columns["label"].str.contains(HAN).any()
    assert columns["label_zh"].str.contains("[一-鿿A-Z]").all()
    assert set(columns["quality"]) <= set(get_args(Quality))
    assert columns["source"].str.len().gt(0).all()
    for field in card.content["resources"][0]["schema"]["fields"]:
        assert ("note" in field) <= (bool(HAN.search(field.get("note_zh", ""))) or card.name == "zones_simulated")
        assert ("unit" in field) == ("unit_zh" in field)


def test_breaks_name_columns_and_stand_at_those_columns_too(card: Card) -> None:
    fields = {field["name"]: field for field in card.content["resources"][0]["schema"]["fields"]}
    for known in card.content.get("breaks", ()):
        assert HAN.search(known["note_zh"])
        for name in known.get("fields", ()):
            assert name in fields
            if card.name == "provinces":
                assert known["note"] in [b["note"] for b in fields[name]["breaks"]]


def test_files_are_utf8_with_line_feeds_and_sorted_by_a_unique_key(card: Card) -> None:
    data = card.path.read_bytes()
    assert b"\r" not in data
    assert not data.startswith(b"\xef\xbb\xbf")
    assert data.endswith(b"\n")
    assert not econ.load_frame(card.name).duplicated(list(card.key)).any()
    assert (card.folder / "datapackage.json").read_bytes() == (
        json.dumps(card.content, ensure_ascii=False, indent=2) + "\n"
    ).encode()


def test_codes_are_of_one_type_everywhere() -> None:
    for name, column in [("provinces", "code"), ("regions", "code"), ("borders", "code_a"), ("borders", "code_b")]:
        assert econ.load_frame(name)[column].dtype == np.int64
    cities = pd.concat(
        [econ.load_frame("hightech_zones")["city_code"], econ.load_frame("city_policies")["prefecture_code"]]
    )
    assert cities.dropna().str.fullmatch(r"\d{6}").all()


# ---- numbers


@pytest.fixture(scope="module")
def provinces() -> pd.DataFrame:
    return econ.load("provinces").join(econ.load_frame("regions")[["province", "plate", "half"]]).frame


def _claims(prefix: str) -> list[tuple[str, str, int, float]]:
    claims = econ.load_frame("published_claims")
    chosen = claims[claims["id"].str.startswith(prefix)]
    return list(chosen[["region", "quantity", "year", "value"]].itertuples(index=False, name=None))


def test_sixteen_totals_by_plate_are_those_published(provinces: pd.DataFrame) -> None:
    claims = _claims("T1-")
    assert len(claims) == 16
    totals = provinces.groupby(["plate", "year"])[["invention_applications", "invention_grants"]].sum()
    for region, quantity, year, value in claims:
        assert totals.loc[(region, year), quantity] == value


def test_shares_of_the_south_are_those_published(provinces: pd.DataFrame) -> None:
    claims = [*_claims("NS-A"), *_claims("NS-P")]
    totals = provinces.groupby(["half", "year"])[["invention_applications", "rd_personnel"]].sum()
    for region, quantity, year, value in claims:
        share = 100 * totals.loc[(region, year), quantity] / totals.xs(year, level="year")[quantity].sum()
        assert round(share) == value
    share = totals.loc["South"] / totals.groupby("year").sum()
    np.testing.assert_allclose(share.loc[[2015, 2018], "invention_applications"], [0.6645, 0.7183], atol=5e-5)
    np.testing.assert_allclose(share.loc[[2015, 2018], "rd_personnel"], [0.6396, 0.6958], atol=5e-5)


def test_provinces_panel() -> None:
    panel = econ.load("provinces")
    assert (panel.n_units, panel.n_periods, panel.is_balanced, panel.unit, panel.time) == (
        31,
        24,
        True,
        "province",
        "year",
    )
    assert panel.notes == ()
    assert panel.dataset == {"name": "provinces", "sha256": econ.card("provinces").sha256}
    gdp = panel.column("gdp")
    assert (gdp.label, gdp.label_zh, gdp.unit) == (
        "Gross regional product",
        "地区生产总值",
        "100m yuan, current prices",
    )
    assert panel.column("employment").quality == "compiled"
    assert panel.column("schooling_years").quality == "derived"
    assert "2018 economic census" in str(gdp.note)
    assert panel.column("code").unit is None


def test_missing_values_are_where_the_card_says() -> None:
    frame = econ.load("provinces").frame
    missing = frame.set_index(["province", "year"]).isna()
    assert missing.loc[("Hunan", 2009), "new_product_sales"]
    assert missing.loc[("Tibet", 2005), "invention_grants"]
    assert missing.loc[("Beijing", 2012), "rd_business"]
    assert missing.loc["Tibet", "investment_price_index"].all()
    columns = econ.card("provinces").columns.set_index("name")
    assert columns.loc["hightech_firms", "missing_years"] == [2017]
    assert columns.loc["rd_industry", "missing_years"] == [2005, 2006, 2007, 2010]
    assert frame.notna().sum()[columns.index].tolist() == columns["n"].tolist()


def test_borders_join_all_provinces_and_none_to_itself() -> None:
    borders, regions = econ.load_frame("borders"), econ.load_frame("regions")
    assert (borders["code_a"] != borders["code_b"]).all()
    assert set(borders["code_a"]) | set(borders["code_b"]) == set(regions["code"])
    names = regions.set_index("code")["province"]
    assert (borders["province_a"] == borders["code_a"].map(names)).all()
    assert (borders["province_b"] == borders["code_b"].map(names)).all()
    assert borders["kind"].value_counts().to_dict() == {"land": 68, "sea_convention": 1}


def test_cumulative_counts_of_hightech_zones_are_those_published() -> None:
    zones = econ.load_frame("hightech_zones")
    zones = zones[zones["year_status"] != "uncertain"]
    by_year = zones.groupby("approval_year").size().cumsum()
    assert by_year[[1997, 2010, 2011, 2012, 2013, 2017, 2018]].tolist() == [53, 83, 88, 105, 114, 156, 168]
    northeast = econ.load_frame("hightech_zones").merge(econ.load_frame("regions")[["province", "plate"]])
    assert (northeast["plate"] == "Northeast").sum() == 16
