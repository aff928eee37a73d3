"""Every usual spelling of a province gives one code; everything else is refused and named."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import econ
from econ.data.region_names import OUTSIDE, PROVINCES
from econ.data.regions import SPELLINGS, province_of, recognise, region_code, standard_names
from econ.errors import DataError, OptionError

SPELT = {
    "广西": 45, "广西壮族自治区": 45, "Guangxi": 45, "Guangxi Zhuang Autonomous Region": 45, "廣西": 45, "桂": 45,
    "CN-GX": 45, "cn-gx": 45, "GX": 45, 45: 45, "45": 45, "45.0": 45, 450000: 45, "450000": 45, "4500": 45,
    "广西①": 45, "广西*": 45, "广西(注1)": 45, "广西 1)": 45, "广　西": 45, "Guangxi²": 45,
    "内 蒙 古": 15, "内　蒙　古": 15, "内蒙": 15, "内蒙古自治区": 15, "Inner Mongolia": 15, "Nei Mongol": 15,
    "Neimenggu": 15, "Inner-Mongolia": 15, "INNER MONGOLIA": 15, "内蒙古 Inner Mongolia": 15,
    "陕西": 61, "Shaanxi": 61, "陝西省": 61, "Shǎnxī": 61, "SN": 61, "Shaanxi Province": 61,
    "山西": 14, "Shanxi": 14, "shanxi": 14, "Shānxī": 14, "SX": 14, "山 西 Shanxi": 14, "Shanxi Province": 14,
    "吉林": 22, "吉林省": 22, "吉林(省)": 22, "Jilin": 22, "海南": 46, "Hainan": 46, "重庆": 50, "重庆市": 50,
    "Chongqing City": 50, "西藏": 54, "Tibet": 54, "Xizang": 54, "Tibet Autonomous Region": 54, "新疆": 65,
    "Xinjiang Uygur A.R.": 65, "Xinjiang Uyghur Autonomous Region": 65, "Ningxia Hui Autonomous Region": 64,
    "Hei Long Jiang": 23, "Beijing Municipality": 11, "北 京 Beijing 1)": 11, "沪": 31, "\ufeff上海\u200b": 31,
}  # fmt: skip

REFUSED = {
    "吉林市": "city", "Jilin City": "city", "海南州": "city", "海南藏族自治州": "city", "阿里地区": "city",
    450100: "city",
    "大连": "city", "新疆生产建设兵团": "corps", "兵团": "corps", "全国": "total", "全 国": "total", "合计": "total",
    "National Total": "total", "China": "total", "全国 National": "total", "东部": "group", "东部地区": "group",
    "Eastern Region": "group", "东北": "group", "Northeast": "group", "长三角": "group", "不分地区": "group",
    "香港": "outside", "Taiwan": "outside", 82: "outside", "Macau": "outside", "Shan'xi": "ambiguous",
    "Shan xi": "ambiguous", "Shan-xi": "ambiguous", "Shanxi2": "ambiguous", "Shanxi 2": "ambiguous",
    "Shànxī": "ambiguous", "陕西 Shanxi": "ambiguous", "北京 Tianjin": "ambiguous", None: "missing", "": "missing",
    float("nan"): "missing", "Shensi": "unknown", "Guandong": "unknown", "Beijing2015": "unknown",
    "CN.HE": "unknown", 1: "unknown", 2015: "unknown", "北": "unknown", "450": "unknown", "CN-ZZ": "unknown",
    "广西壮": "unknown",
}  # fmt: skip


@pytest.mark.parametrize(("value", "code"), SPELT.items(), ids=repr)
def test_usual_spellings(value, code):
    assert region_code([value]).tolist() == [code]


@pytest.mark.parametrize(("value", "kind"), REFUSED.items(), ids=repr)
def test_everything_else_is_refused_by_kind(value, kind):
    assert recognise([value])[0].kind == kind
    with pytest.raises(DataError, match="row 0"):
        region_code([value])


@given(
    st.sampled_from(PROVINCES),
    st.sampled_from(["zh", "zh_full", "en"]),
    st.sampled_from(["", " ", "\u3000"]),
    st.sampled_from(["", "*", "①", "(1)", "（2）", " 3)", "†", "[4]"]),
)
def test_spaces_and_footnote_marks_do_not_matter(region, spelling, space, mark):
    name = getattr(region, spelling)
    if spelling == "en":
        numbered = any(c.isdigit() for c in mark) or mark == "①"
        if region.code == 14 and numbered:
            return  # Shanxi with a number may stand for Shaanxi
        assert region_code([space + name + mark]).tolist() == [region.code]
    else:
        assert region_code([space.join(name) + mark]).tolist() == [region.code]


@given(st.text(max_size=12))
def test_a_code_is_only_given_to_a_known_spelling(text):
    found = recognise([text])[0]
    assert (found.code is not None) == (found.kind in ("province", "outside"))


def test_no_spelling_stands_for_two_provinces():
    for region in (*PROVINCES, *OUTSIDE):
        for name in (region.zh, region.zh_full, region.en.lower().replace(" ", ""), *region.abbreviations):
            assert SPELLINGS[name].code == region.code
    characters = "".join(region.abbreviations for region in (*PROVINCES, *OUTSIDE))
    assert len(set(characters)) == len(characters)


@given(st.lists(st.sampled_from(PROVINCES), max_size=10), st.sampled_from(["en", "zh", "code"]))
def test_standard_names_are_fixed_points_and_round_trip(provinces, to):
    names = standard_names([p.zh_full for p in provinces], to)
    assert standard_names(names, to).tolist() == names.tolist()
    assert region_code(names).tolist() == [p.code for p in provinces]


def test_a_series_in_any_spelling():
    names = pd.Series(["北京", "Shaanxi", 14], index=[7, 8, 9])
    assert standard_names(names).tolist() == ["Beijing", "Shaanxi", "Shanxi"]
    assert standard_names("陕西省", "zh").tolist() == ["陕西"]
    with pytest.raises(OptionError, match="'en', 'zh', 'code'"):
        standard_names(names, "pinyin")


def test_the_refusal_names_rows_reasons_and_the_nearest():
    with pytest.raises(DataError) as refused:
        region_code(["北京", "Guandong", "吉林市", "全国", "Guandong"])
    message = str(refused.value)
    assert "4 of 5" in message and "'Guandong'" in message and "Guangdong 广东" in message and "(2 times)" in message
    assert "row 2 '吉林市' (a city" in message and "Jilin 吉林" in message and "a national total" in message


def test_hong_kong_macao_and_taiwan_on_request():
    assert standard_names(["香港", "Macau SAR", 710000], mainland=False).tolist() == ["Hong Kong", "Macao", "Taiwan"]
    with pytest.raises(DataError, match="mainland=False"):
        region_code(["香港"])
    assert len(econ.regions(mainland=False)) == 34


def test_cities_to_provinces():
    assert province_of([440300, "4201", "610113"]).tolist() == [44, 42, 61]
    with pytest.raises(DataError, match="area codes"):
        province_of([440300, 990100, "深圳"])


def test_regions_agree_with_the_table_of_names():
    frame = econ.regions()
    assert {"code", "province", "name_zh", "plate", "half", "capital", "lon", "lat", "area"} <= set(frame.columns)
    assert frame["code"].tolist() == [p.code for p in PROVINCES]
    assert frame["province"].tolist() == [p.en for p in PROVINCES]
    assert frame["name_zh"].tolist() == [p.zh for p in PROVINCES]
    assert frame["name_zh_full"].tolist() == [p.zh_full for p in PROVINCES]
    assert frame["iso"].tolist() == [f"CN-{p.iso}" for p in PROVINCES]
