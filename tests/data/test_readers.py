"""Files as they come: encodings, printed tables, Stata files of every age. Every fixture is made here."""

import builtins
import codecs

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import econ
from econ.data.encoding import decode, refuse_garbled
from econ.data.region_names import PROVINCES
from econ.data.yearbook import number_of, period_of, read_grid
from econ.errors import DataError, EconWarning, MissingPackageError, OptionError

openpyxl = pytest.importorskip("openpyxl")

CSV = "省份,年份,地区生产总值\n北京,2014,22926.0\n北京,2015,24779.1\n陕西,2014,17402.5\n陕西,2015,17898.8\n"
VALUES = [22926.0, 24779.1, 17402.5, 17898.8]


def write(folder, name, content, encoding="utf-8"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def workbook(folder, rows, merge=(), title="Sheet1", more=()):
    book = openpyxl.Workbook()
    page = book.active
    page.title = title
    for row in rows:
        page.append(row)
    for area in merge:
        page.merge_cells(area)
    for name in more:
        book.create_sheet(name).append(["a", "b"])
        book[name].append([1, 2])
    book.save(folder / "table.xlsx")
    return folder / "table.xlsx"


# ---- encodings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk"])
def test_csv_in_every_encoding(tmp_path, encoding):
    panel = econ.read(write(tmp_path, "gdp.csv", CSV, encoding), unit="省份", time="年份")
    assert panel.values("地区生产总值").tolist() == VALUES
    assert panel.units.tolist() == ["北京", "陕西"]
    name = {"utf-16": "UTF-16", "gb18030": "GB18030", "gbk": "GB18030"}.get(encoding, "UTF-8")
    assert f"({name})" in panel.history[0]


def test_excel_unicode_text_is_separated_by_tabs(tmp_path):
    path = write(tmp_path, "gdp.txt", CSV.replace(",", "\t"), "utf-16")
    assert econ.read(path, unit="省份", time="年份").n_obs == 4


LEVEL_1 = [bytes([row, cell]).decode("gb2312") for row in range(0xB0, 0xD7) for cell in range(0xA1, 0xFF)]


@given(st.lists(st.text(st.sampled_from(LEVEL_1) | st.sampled_from("ab,。：1 "), max_size=10), min_size=1))
def test_chinese_text_survives_every_encoding(texts):
    text = "\n".join(["地区,年份", *texts])  # a header that is no valid UTF-8 by accident
    for encoding in ("utf-8", "utf-8-sig", "gb18030"):
        assert decode(text.encode(encoding), "file")[0] == text
    assert decode(codecs.BOM_UTF16_LE + text.encode("utf-16-le"), "file")[0] == text


@given(st.text(st.sampled_from(LEVEL_1), min_size=4, max_size=10), st.sampled_from(["latin-1", "gb18030"]))
def test_text_read_in_a_wrong_encoding_is_refused(text, wrong):
    garbled = text.encode("utf-8" if wrong == "gb18030" else "gb18030").decode(wrong, errors="replace")
    with pytest.raises(DataError, match=r"garbled|lost"):
        decode(f"a,{garbled}\n".encode(), "file")


@pytest.mark.parametrize(
    "raw",
    [
        "année,été,Île-de-France,Rhône-Alpes".encode("latin-1"),
        "臺灣,廣東,國內生產總值,實際利用外資".encode("big5"),
        "東京,大阪,ひらがな".encode("shift-jis"),
        CSV.encode("utf-16-le"),
        b"\xff\xff\xff",
    ],
)
def test_bytes_that_only_look_like_gb18030_are_refused(raw):
    with pytest.raises(DataError, match=r"file is neither UTF-8, .*nor GB18030"):
        decode(raw, "file")


def test_garbled_cells_are_named_with_what_they_were():
    with pytest.raises(DataError, match="'鍖椾含' was '北京'"):
        refuse_garbled(["province,鍖椾含"], "file")
    with pytest.raises(DataError, match="'±±¾©' was '北京'"):
        refuse_garbled(["province,±±¾©"], "file")
    for lost in ("骞夸笢鐪\ufffd", "锟斤拷"):
        with pytest.raises(DataError, match="lost"):
            refuse_garbled([lost], "file")
    refuse_garbled([f"{p.zh_full}，{p.zh}" for p in PROVINCES], "file")
    refuse_garbled(["Île-de-France", "Ürümqi", "100 m²", "地区生产总值（亿元）", "μ = σ²"], "file")


# ---- plain text


def test_csv_numbers_blank_rows_and_footnotes(tmp_path):
    text = 'province,year,x,y\n北京,2015年,"1,234.5",-\n上海,2015年,…,7\n,,,\n注：按当年价格计算,,,\n'
    panel = econ.read(write(tmp_path, "a.csv", text), unit="province", time="year")
    assert panel.frame["x"].tolist()[0] == 1234.5 and np.isnan(panel.frame["x"].iloc[1])
    assert panel.frame["year"].tolist() == [2015, 2015] and panel.periods == [2015]
    said = " | ".join(panel.history)
    assert "1 blank rows" in said and "footnote: 注：按当年价格计算" in said and "x: thousands separators" in said


def test_missing_column_lists_the_nearest(tmp_path):
    path = write(tmp_path, "a.csv", "code,province,year,x\n1,a,2001,2\n")
    with pytest.raises(DataError, match=r"no column 'provinc' \(nearest: province\)"):
        econ.read(path, unit="provinc", time="year")
    with pytest.raises(DataError, match=r"no column 'yr'"):
        econ.read(path, unit="province", time="yr")
    assert econ.read(path, unit="province").time is None
    with pytest.raises(DataError, match="no row with the column 'b'"):
        econ.read(path, unit="b")


def test_malformed_files_are_refused(tmp_path):
    for text, words in (
        ("p,t,x,x\na,1,2,3\n", "more than one column 'x'"),
        ("p,t,x\na,1,2,3\nb,1,2,3\n", "more cells in its rows"),
        ("p,t,x\na,1,2\nb,1,2,3\n", "rows of unequal length"),
    ):
        with pytest.raises(DataError, match=words):
            econ.read(write(tmp_path, "a.csv", text), unit="p", time="t")
    with pytest.raises(DataError, match=r"no \.xlsx file"):
        econ.read(write(tmp_path, "a.xlsx", b"PK"), unit="p", time="t")
    pytest.importorskip("pyarrow")
    with pytest.raises(DataError, match="no Parquet file"):
        econ.read(write(tmp_path, "a.parquet", b"PAR1"), unit="p", time="t")


def test_duplicate_keys_are_refused(tmp_path):
    with pytest.raises(DataError, match="share"):
        econ.read(write(tmp_path, "a.csv", "p,t,x\na,1,2\na,1,3\n"), unit="p", time="t")


def test_dates_become_periods(tmp_path):
    panel = econ.read(write(tmp_path, "a.csv", "p,t,x\na,2015-03-31,2\na,2015-06-30,3\n"), unit="p", time="t")
    assert panel.periods == ["2015Q1", "2015Q2"]
    frame = pd.DataFrame({"p": ["a", "a"], "t": pd.to_datetime(["2014-01-01", "2015-01-01"])})
    frame.to_stata(tmp_path / "a.dta", convert_dates={"t": "ty"}, write_index=False)
    assert econ.read(tmp_path / "a.dta", unit="p", time="t").periods == ["2014", "2015"]


def test_files_that_are_not_there_or_not_readable(tmp_path):
    write(tmp_path, "provinces.csv", CSV)
    with pytest.raises(DataError, match=r"Nearest: provinces\.csv"):
        econ.read(tmp_path / "province.csv", unit="a")
    with pytest.raises(DataError, match="no folder"):
        econ.read(tmp_path / "nowhere" / "province.csv", unit="a")
    with pytest.raises(OptionError, match=r"Save it as \.xlsx"):
        econ.read(write(tmp_path, "old.xls", b""), unit="a")
    with pytest.raises(OptionError, match=r"only \.xlsx files have sheets"):
        econ.read(tmp_path / "provinces.csv", unit="a", sheet="b")
    with pytest.raises(DataError, match="is empty"):
        econ.read(write(tmp_path, "empty.csv", ""), unit="a")
    with pytest.raises(OptionError, match="regions='fr'"):
        econ.read(tmp_path / "provinces.csv", unit="省份", regions="fr")


@pytest.mark.parametrize(
    ("cells", "wrong"),
    [
        (["1", "2", "3a"], r"1 of 3 .*'x'.*\(c, 2015: '3a'\)"),
        (["1,234.5", "12,34"], r"\(b, 2015: '12,34'\)"),
        (["1", "#DIV/0!", "…"], r"1 of 2 .*\(b, 2015: '#DIV/0!'\)"),
    ],
)
def test_mistyped_cells_do_not_turn_numbers_into_text(tmp_path, cells, wrong):
    rows = [["p", "t", "x"], *([unit, 2015, cell] for unit, cell in zip("abc", cells, strict=False))]
    text = "\n".join(",".join(f'"{cell}"' for cell in row) for row in rows)
    for path in (write(tmp_path, "a.csv", text), workbook(tmp_path, rows)):
        with pytest.raises(DataError, match=f"{wrong}.*Correct them"):
            econ.read(path, unit="p", time="t")


def test_text_and_codes_stay_text(tmp_path):
    text = "p,t,code,word\n1,2015,0101,1\n2,2015,0102,b\n3a,2015,A3,c\n"
    frame = econ.read(write(tmp_path, "a.csv", text), unit="p", time="t").frame
    assert frame["code"].tolist() == ["0101", "0102", "A3"] and frame["word"].tolist() == ["1", "b", "c"]
    assert frame["p"].tolist() == ["1", "2", "3a"]


# ---- provinces


def test_provinces_in_one_spelling_without_totals(tmp_path):
    text = "p,year,x\n全 国,2015,9\n东部地区,2015,5\n北 京,2015,1\n内 蒙 古,2015,2\nShaanxi,2015,3\n"
    path = write(tmp_path, "a.csv", text)
    panel = econ.read(path, unit="p", time="year", regions="en")
    assert panel.frame["p"].tolist() == ["Beijing", "Inner Mongolia", "Shaanxi"]
    assert "left out as no provinces: 全国, 东部地区 (2 rows)" in panel.history
    assert econ.read(path, unit="p", time="year", regions="code").frame["p"].tolist() == [11, 15, 61]
    with pytest.warns(EconWarning, match="全国, 东部地区 beside provinces"):
        kept = econ.read(path, unit="p", time="year")
    assert kept.frame["p"].tolist() == ["全国", "东部地区", "北京", "内蒙古", "Shaanxi"]


def test_unknown_provinces_are_refused_unless_dropped(tmp_path):
    path = write(tmp_path, "a.csv", "p,year,x\n新疆,2015,1\n新疆生产建设兵团,2015,2\n")
    with pytest.raises(DataError, match="Production and Construction Corps"):
        econ.read(path, unit="p", time="year", regions="zh")
    panel = econ.read(path, unit="p", time="year", regions="zh", drop=["新疆生产建设兵团"])
    assert panel.units.tolist() == ["新疆"] and "left out as asked: 新疆生产建设兵团 (1 rows)" in panel.history
    with pytest.raises(OptionError, match="no value '兵团'"):
        econ.read(path, unit="p", time="year", drop=["兵团"])


def test_numeric_units_stay_numbers(tmp_path):
    assert econ.read(write(tmp_path, "a.csv", "p,t,x\n11,1,2\n12,1,3\n"), unit="p", time="t").units.tolist() == [11, 12]


# ---- printed tables


def test_download_of_the_statistical_bureau(tmp_path):
    text = (
        "数据库：分省年度数据\n指标：地区生产总值(亿元)\n时间：最近3年\n地区,2015年,2014年,2013年\n"
        '北京市,24779.1,"22,926.0",21134.6\n内蒙古自治区,12949.0,12158.2,\n数据来源：国家统计局\n'
    )
    panel = econ.read(write(tmp_path, "fsnd.csv", text, "gb18030"), "province", "year", name="gdp", regions="en")
    wide = panel.frame.pivot(index="province", columns="year", values="gdp")
    assert wide.loc["Beijing"].tolist() == [21134.6, 22926.0, 24779.1]
    assert np.isnan(wide.loc["Inner Mongolia", 2013])
    assert any("数据来源：国家统计局" in said for said in panel.history)


YEARBOOK = [
    ["2-6  地区生产总值和人口", None, None, None, None],
    ["Gross Regional Product and Population", None, None, None, None],
    [None, None, None, None, "单位：亿元"],
    ["地  区\nRegion", "地区生产总值 Gross Regional Product", None, "年末人口 Population (万人)", None],
    [None, "2014年", "2015年", 2014, 2015],
    ["全  国", "644,380.2", 686449.6, 136782, 137462],
    ["National Total", None, None, None, None],
    ["北  京", 22926.0, "24 779.1", 2152, 2171],
    ["内 蒙 古", "12158.2", "…", "2505", "２５１１"],
    ["西  藏", "-", None, 318, 324],
    ["注：本表按当年价格计算。", None, None, None, None],
]


def test_yearbook_sheet_with_stacked_headers(tmp_path):
    path = workbook(tmp_path, YEARBOOK, merge=("A1:E1", "A2:E2", "A4:A5", "B4:C4", "D4:E4"))
    panel = econ.read(path, unit="province", time="year", regions="en")
    frame = panel.frame.set_index(["province", "year"])
    assert panel.units.tolist() == ["Beijing", "Inner Mongolia", "Tibet"] and panel.n_obs == 6
    assert frame.loc[("Beijing", 2015)].tolist() == [24779.1, 2171]
    assert frame.loc[("Inner Mongolia", 2015), "年末人口"] == 2511
    assert frame["地区生产总值"].isna().tolist() == [False, False, False, True, True, True]
    column = panel.column("地区生产总值")
    assert (column.label, column.label_zh, column.unit) == ("Gross Regional Product", "地区生产总值", "亿元")
    assert panel.column("年末人口").unit == "万人" and panel.column("年末人口").note == "注：本表按当年价格计算。"
    said = " | ".join(panel.history)
    assert "units down, periods across, 4 rows, 4 columns" in said and "title: 2-6 地区生产总值和人口" in said
    assert "header: 地 区 Region | 地区生产总值 Gross Regional Product" in said
    assert "left out: row National Total" in said and "footnote: 注：本表按当年价格计算。" in said


def test_yearbook_sheet_of_one_year(tmp_path):
    rows = [
        ["3-9 主要经济指标 (2015年)"],
        ["地区", "Region", "生产总值(亿元)", "人口(万人)"],
        ["北 京", "Beijing", 24779.1, 2171],
        ["天 津", "Tianjin", 10879.5, 1547],
    ]
    panel = econ.read(workbook(tmp_path, rows), unit="province", time="year")
    assert panel.frame.to_dict("list") == {
        "province": ["北京", "天津"],
        "year": [2015, 2015],
        "生产总值": [24779.1, 10879.5],
        "人口": [2171.0, 1547.0],
    }
    assert panel.column("人口").unit == "万人" and "left out: column Region" in panel.history
    rows[0] = ["3-9 主要经济指标"]
    with pytest.raises(DataError, match="no title names a single year"):
        econ.read(workbook(tmp_path, rows), unit="province", time="year")


def test_three_rows_of_bilingual_headers(tmp_path):
    rows = [
        ["3-9  分地区研究与试验发展情况(2015年)", None, None, None],
        ["单位：亿元", None, None, "(100 million yuan)"],
        ["地区", "研究与试验发展(R&D)经费支出", None, "企业R&D"],
        ["Region", "Expenditure on R&D", None, "Enterprises (人)"],
        [None, "基础研究", "应用研究 Applied", None],
        ["北 京", 1.5, 2.5, 3],
        ["Beijing", None, None, None],
        ["天 津", 4.5, 5.5, 6],
    ]
    path = workbook(tmp_path, rows, merge=("B3:C3", "B4:C4"))
    panel = econ.read(path, unit="province", time="year", regions="en")
    first, second, third = panel.frame.columns[2:]
    assert (first, second) == ("研究与试验发展(R&D)经费支出基础研究", "研究与试验发展(R&D)经费支出应用研究")
    assert panel.column(second).label == "Expenditure on R&D Applied" and panel.column(second).unit == "亿元"
    assert third == "企业R&D" and panel.column(third).label == "Enterprises" and panel.column(third).unit == "人"
    assert panel.periods == [2015] and panel.units.tolist() == ["Beijing", "Tianjin"]
    with pytest.raises(OptionError, match="has its own columns"):
        econ.read(path, unit="province", time="year", name="x", regions="en")


def test_years_down_the_rows(tmp_path):
    rows = [["年份 Year", "北京", "上海"], ["2014年", 1, 2], ["2015年", 3, "-"]]
    panel = econ.read(workbook(tmp_path, rows), unit="province", time="year", name="x", regions="en")
    assert panel.frame.sort_values(["province", "year"])["x"].tolist()[:3] == [1, 3, 2]
    rows[0] = ["年份", "GDP", "人口"]
    with pytest.raises(DataError, match="no provinces"):
        econ.read(workbook(tmp_path, rows), unit="province", time="year")
    cities = econ.read(workbook(tmp_path, [["年份", "石家庄", "唐山"], *rows[1:]]), "city", "year", name="x")
    assert cities.units.tolist() == ["唐山", "石家庄"]


def test_plain_sheet_below_a_title(tmp_path):
    rows = [["title"], ["code", "province", "year", "x"], ["0101", "a", 2014, "1,000"], ["0102", "b", 2014, None]]
    panel = econ.read(workbook(tmp_path, [*rows, ["Source: office"]]), unit="province", time="year")
    assert panel.frame["code"].tolist() == ["0101", "0102"] and panel.frame["x"].iloc[0] == 1000
    assert "footnote: Source: office" in panel.history
    with pytest.raises(DataError, match="more than one column 'x'"):
        read_grid([["p", "t", "x", "x"], ["a", 1, 2, 3]], "p", "t", None, "sheet")


def test_cells_that_are_no_numbers_are_refused(tmp_path):
    rows = [["地区", "2014", "2015"], ["北京", 1, "1.5a"]]
    with pytest.raises(DataError, match=r"'1\.5a' in row '北京'"):
        econ.read(workbook(tmp_path, rows), unit="p", time="t", name="x")
    rows[1] = ["北京", 1, "12①"]
    with pytest.raises(DataError, match="12①"):
        econ.read(workbook(tmp_path, rows), unit="p", time="t", name="x")


def test_tables_that_are_not_understood_are_refused():
    for rows, words in (
        ([["a", "b"], ["c", "d"]], "no table that is known"),
        ([["地区", 2014, 2014], ["北京", 1.5, 2]], "same variable, unit and period"),
        ([["地区", "2014"], ["", "2015"], ["北京", 1.5]], "over one column"),
        ([["地区", "2014"], ["北京", 1.5], ["", 2.5]], "rows of values without a name, such as '2.5'"),
        ([[None]], "is empty"),
    ):
        with pytest.raises(DataError, match=words):
            read_grid(rows, "p", "t", "x", "sheet")


def test_continued_tables_and_columns_without_a_period():
    rows = [["地区", 2014, 2015, "位次"], ["北京", 1.5, 2, 1], ["地区", 2014, 2015, "位次"], ["天津", 1, 2015, 2]]
    sheet = read_grid(rows, "p", "t", "x", "sheet")
    assert sheet.frame["x"].tolist() == [1.5, 2, 1, 2015] and "left out: column 位次" in sheet.said


def test_sheets_are_chosen_and_formulas_must_be_calculated(tmp_path):
    path = workbook(tmp_path, [["p", "t", "x"], ["a", 1, 2]], more=["other"])
    with pytest.raises(OptionError, match=r"2 filled sheets; say sheet=\.\.\. .*--sheet.*, one of 'Sheet1', 'other'"):
        econ.read(path, unit="p", time="t")
    assert econ.read(path, unit="p", time="t", sheet="Sheet1").n_obs == 1
    with pytest.raises(DataError, match=r"formulas without a stored value \(C2\)"):
        econ.read(workbook(tmp_path, [["p", "t", "x"], ["a", 1, "=1+1"]]), unit="p", time="t")


@given(st.floats(-1e12, 1e12), st.booleans())
def test_numbers_with_thousands_separators(x, wide):
    text = f"{x:,.3f}"
    text = text.translate(str.maketrans("0123456789.,", "０１２３４５６７８９．，")) if wide else text
    assert number_of(text) == pytest.approx(x, abs=1e-3)


@given(st.integers(1900, 2099), st.sampled_from(["", "年", " 年", "年度"]))
def test_periods(year, suffix):
    assert period_of(f"{year}{suffix}") == year and period_of(year) == year and period_of(float(year)) == year


@pytest.mark.parametrize("cell", ["", "15", "2015-16", "2015年3月", 2015.5, 1800, 20150, None, True, "第2015"])
def test_what_is_no_period(cell):
    assert period_of(cell) is None


@pytest.mark.parametrize("cell", ["1,23", "12%", "1,2345", "1.2.3", "a", "12*", "①", "#DIV/0!", True])
def test_what_is_no_number(cell):
    assert number_of(cell) is None


@given(
    st.lists(st.sampled_from(PROVINCES), min_size=1, max_size=31, unique=True),
    st.lists(st.integers(1990, 2023), min_size=1, max_size=6, unique=True),
    st.booleans(),
    st.data(),
)
def test_a_printed_table_gives_back_its_values(provinces, years, down, data):
    number = st.one_of(st.none(), st.floats(0.001, 1e9).map(lambda x: round(x, 3)).filter(lambda x: x % 1 != 0))
    table = {(p.zh, y): data.draw(number) for p in provinces for y in years}
    if down:
        rows = [["年份", *(p.zh for p in provinces)], *([y, *(table[p.zh, y] for p in provinces)] for y in years)]
    else:
        rows = [["地区", *years], *([" ".join(p.zh), *(table[p.zh, y] for y in years)] for p in provinces)]
    sheet = read_grid([["表题"], ["单位:元"], *rows, ["注:无"]], "p", "t", "x", "sheet")
    known = {key: value for key, value in table.items() if value is not None}
    seen = {(p, t): x for p, t, x in sheet.frame.itertuples(index=False) if not np.isnan(x)}
    assert seen == known


CELLS = st.one_of(
    st.none(),
    st.sampled_from(
        ["", "地区", "年份", "北京", "Beijing", "全国", "2015年", "2014", "单位:元", "注:", "-", "x", "1,000", "(万元)"]
    ),
    st.integers(2010, 2016),
    st.floats(-10, 10),
)


@given(st.lists(st.lists(CELLS, max_size=4), max_size=6), st.sampled_from([None, "x"]))
def test_any_grid_is_read_or_refused(rows, name):
    try:
        sheet = read_grid(rows, "p", "t", name, "sheet")
    except DataError:
        return
    assert set(sheet.columns) <= set(sheet.frame.columns) and not sheet.frame.duplicated(["p", "t"]).any()


# ---- Stata


def old(text):
    """Chinese text as Stata before version 14 stored it, read byte by byte."""
    return text.encode("gbk").decode("latin-1")


def dta(folder, frame, version, variable_labels=None, value_labels=None):
    path = folder / "file.dta"
    frame.to_stata(path, version=version, write_index=False, variable_labels=variable_labels, value_labels=value_labels)
    return path


@pytest.mark.parametrize("version", [114, 117])
def test_stata_before_unicode(tmp_path, version):
    frame = pd.DataFrame({"prov": [old("北京"), old("陕西省")], "year": [2015, 2015], "x": [1.5, np.nan], "d": [0, 1]})
    labels = {"x": old("地区生产总值"), "d": "treated", "prov": old("省份")}
    path = dta(tmp_path, frame, version, labels, {"d": {0: old("否"), 1: old("是")}})
    panel = econ.read(path, unit="prov", time="year", regions="en")
    assert panel.frame["prov"].tolist() == ["Beijing", "Shaanxi"] and panel.frame["d"].tolist() == [0, 1]
    assert panel.column("x").label_zh == "地区生产总值" and panel.column("d").label == "treated"
    assert panel.column("d").note == "0 = 否; 1 = 是"
    assert f"format {version}, text decoded from GB18030" in panel.history[0]


def test_stata_with_unicode_and_labelled_units(tmp_path):
    frame = pd.DataFrame({"prov": [1, 2], "year": [2015, 2015], "x": [1.0, 2.0]})
    path = dta(tmp_path, frame, 118, {"x": "地区生产总值"}, {"prov": {1: "北京", 2: "天津"}})
    panel = econ.read(path, unit="prov", time="year")
    assert panel.frame["prov"].tolist() == ["北京", "天津"] and panel.column("x").label_zh == "地区生产总值"
    assert "format 118, text as stored" in panel.history[0]
    partly = dta(tmp_path, frame, 118, None, {"prov": {1: "北京"}})
    with pytest.raises(DataError, match="codes without a label: 2"):
        econ.read(partly, unit="prov", time="year")


def test_stata_converted_without_translation(tmp_path):
    """A file of format 118 that still holds GBK bytes: made by replacing a text of the same length in bytes."""
    path = dta(tmp_path, pd.DataFrame({"prov": ["ABCD", "Hebei"], "year": [1, 1]}), 118)
    path.write_bytes(path.read_bytes().replace(b"ABCD", "北京".encode("gbk")))
    panel = econ.read(path, unit="prov", time="year", regions="zh")
    assert panel.frame["prov"].tolist() == ["北京", "河北"] and "decoded from GB18030" in panel.history[0]


def test_stata_text_cut_in_the_middle_of_a_character(tmp_path):
    cut = "地区生产总值".encode("gbk")[:-1].decode("latin-1")
    path = dta(tmp_path, pd.DataFrame({"p": ["a"], "t": [1], "x": [1.0]}), 114, {"x": cut})
    panel = econ.read(path, unit="p", time="t")
    assert panel.column("x").label_zh == "地区生产总" and "half a character" in panel.history[1]


def test_stata_latin_text_stays_latin(tmp_path):
    path = dta(tmp_path, pd.DataFrame({"p": ["Île-de-France", "Rhône-Alpes"], "t": [1, 1]}), 114)
    panel = econ.read(path, unit="p", time="t")
    assert panel.frame["p"].tolist() == ["Île-de-France", "Rhône-Alpes"] and "Latin-1" in panel.history[0]


def test_stata_refusals(tmp_path):
    with pytest.raises(DataError, match="no Stata file"):
        econ.read(write(tmp_path, "a.dta", b"nothing of the kind"), unit="p")
    path = dta(tmp_path, pd.DataFrame({"province": ["a"], "t": [1]}), 118)
    with pytest.raises(DataError, match="Nearest: province"):
        econ.read(path, unit="provinc", time="t")


# ---- wide frames, parquet, missing packages


def test_wide_frames(tmp_path):
    pytest.importorskip("pyarrow")
    wide = pd.DataFrame({"province": ["北京", "天津"], "2014": [1.0, 2.0], "2015": [3.0, np.nan]})
    wide.to_parquet(tmp_path / "a.parquet")
    panel = econ.read(tmp_path / "a.parquet", unit="province", time="year", name="x")
    assert panel.n_obs == 4 and panel.frame["x"].tolist()[:3] == [1, 2, 3]
    with pytest.raises(DataError, match="has no column 'year'"):
        econ.read(tmp_path / "a.parquet", unit="province", time="year")
    wide.assign(z=1).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="Columns z are no periods"):
        econ.read(tmp_path / "a.parquet", unit="province", time="year", name="x")


def test_parquet_round_trip(tmp_path):
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"p": ["a", "a", "b"], "t": [1, 3, 1], "x": [1.0, np.nan, 2.0]})
    frame.to_parquet(tmp_path / "a.parquet")
    panel = econ.read(tmp_path / "a.parquet", unit="p", time="t")
    pd.testing.assert_frame_equal(panel.frame, frame, check_dtype=False)


def test_parquet_keeps_named_index_levels(tmp_path):
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"p": ["a", "a", "b"], "t": [1, 3, 1], "x": [1.0, np.nan, 2.0]})
    frame.set_index(["p", "t"]).to_parquet(tmp_path / "a.parquet")
    panel = econ.read(tmp_path / "a.parquet", unit="p", time="t")
    pd.testing.assert_frame_equal(panel.frame, frame, check_dtype=False)


@pytest.mark.parametrize(
    ("suffix", "package", "extra"), [("xlsx", "openpyxl", "excel"), ("parquet", "pyarrow", "scale")]
)
def test_missing_packages_name_the_extra(tmp_path, monkeypatch, suffix, package, extra):
    path = write(tmp_path, f"a.{suffix}", b"")
    original = builtins.__import__

    def without(name, *args, **kwargs):
        if name.split(".")[0] == package:
            raise ImportError(name)
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingPackageError, match=rf"pip install 'econ\[{extra}\]'"):
        econ.read(path, unit="a")
