"""Invention patents of the four plates, 2015 and 2018, and every published claim that the data can check."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

import econ
from econ.report import DataColumn, Item, data_table, item

TITLE = {
    "en": "Four plates: invention patents and the published claims",
    "zh": "四大板块：发明专利与已发表数字的核对",
}
ABSTRACT = {
    "en": "Rebuilds the published table of invention patent applications and grants of the East, the Central region, the "
    "West and the Northeast in 2015 and 2018 from the provincial data, and sets every published claim that can be "
    "computed beside its printed value.",
    "zh": "由分省数据重建东部、中部、西部和东北 2015 年与 2018 年发明专利申请量和授权量的已发表表格，"
    "并将凡可计算的已发表数字与计算结果逐一对照。",
}
DATASETS = (
    "provinces",
    "regions",
    "published_claims",
    "hightech_zones",
    "innovation_demonstration_zones",
)

FIRST, LAST = 2015, 2018
PLATES = ("East", "Central", "West", "Northeast")
SIX = ("Guangdong", "Zhejiang", "Jiangsu", "Beijing", "Shanghai", "Shandong")


def estimate() -> dict[str, pd.DataFrame]:
    """The table by plate, and the claims with what the data say."""
    panel = econ.load("provinces").join(econ.regions()[["province", "plate", "half"]])
    claims = econ.load_frame("published_claims")
    return {"plates": by_plate(panel), "claims": check(claims, panel)}


def by_plate(panel: econ.Panel) -> pd.DataFrame:
    """Totals of 2015 and 2018, growth in percent and share of the national total, by plate and for all."""
    rows = panel.frame[panel.frame["year"].isin([FIRST, LAST])]
    table = pd.DataFrame({"plate": [*PLATES, "All"]}).set_index("plate")
    for kind in ("invention_applications", "invention_grants"):
        totals = rows.pivot_table(index="plate", columns="year", values=kind, aggfunc="sum").reindex(PLATES)
        totals.loc["All"] = totals.sum()
        for year in (FIRST, LAST):
            table[f"{kind}_{year}"] = totals[year].astype(np.int64)
        table[f"{kind}_growth"] = 100 * (totals[LAST] / totals[FIRST] - 1)
        table[f"{kind}_share"] = totals[LAST] / totals.loc["All", LAST]
    return table.reset_index()


def check(claims: pd.DataFrame, panel: econ.Panel) -> pd.DataFrame:
    """Each claim with the computed value, missing where no public series can check it."""
    computed = [compute(claim, panel) for claim in claims.itertuples()]
    table = claims.assign(computed=np.array(computed, dtype=float))
    table["difference"] = table["computed"] - table["value"]
    table["verdict"] = [verdict(row) for row in table.itertuples()]
    return table


def compute(claim: object, panel: econ.Panel) -> float:
    """The claimed quantity from the data."""
    source, unit = str(claim.computable_from), str(claim.unit)
    if source == "rosters":
        return count_zones(claim)
    if source != "provinces":
        return np.nan
    frame = panel.frame
    inside = region_rows(frame, str(claim.region))
    in_year = frame["year"] == claim.year
    total = frame.loc[inside & in_year, claim.quantity].sum()
    if unit == "percent":
        return 100 * (total / frame.loc[inside & (frame["year"] == claim.base_year), claim.quantity].sum() - 1)
    if unit.startswith("percent share"):
        return 100 * total / frame.loc[in_year, claim.quantity].sum()
    return float(total)


def region_rows(frame: pd.DataFrame, region: str) -> "pd.Series[bool]":
    """Rows of a plate, of a half of the country, or of the six leading provinces."""
    if region == "six provinces":
        return frame["province"].isin(SIX)
    return (frame["plate"] == region) | (frame["half"] == region)


def count_zones(claim: object) -> float:
    """Zones on the roster by the claim's year."""
    if str(claim.id).startswith("NIDZ"):
        zones = econ.load_frame("innovation_demonstration_zones").drop_duplicates("nidz_id")
    else:
        zones = econ.load_frame("hightech_zones").merge(econ.regions()[["province", "plate"]], on="province")
        zones = zones[(zones["plate"] == claim.region) | (claim.region == "China")]
    first = claim.base_year if pd.notna(claim.base_year) else -np.inf
    return float(zones["approval_year"].between(first, claim.year).sum())


def verdict(row: object) -> str:
    """How printed and computed value compare: equal, equal once cut or rounded to the printed digits, or different."""
    if np.isnan(row.computed):
        return "no public series"
    if "at least" in str(row.unit):
        return "holds" if row.computed >= row.value else "differs"
    if "at most" in str(row.unit):
        return "holds" if row.computed <= row.value else "differs"
    step = printed_step(row)
    if row.computed == row.value:
        return "equal"
    if abs(row.difference) <= step / 2:
        return "equal as rounded"
    return "equal as cut" if 0 <= row.difference < step else "differs"


def printed_step(row: object) -> float:
    """One unit in the last printed digit; counts of persons are printed in hundreds."""
    if row.unit == "person-years":
        return 100.0
    return 0.01 if row.unit == "percent" or "leading" in row.topic else 1.0


# ---- rendering

COUNTS = {
    "invention_applications": ("Applications, items", "申请量（件）"),
    "invention_grants": ("Grants, items", "授权量（件）"),
}
COUNTS_TITLE = {"en": "Published counts and what the data say", "zh": "已发表的数量与计算结果"}
PERCENTAGES_TITLE = {"en": "Published percentages and what the data say", "zh": "已发表的百分比与计算结果"}
NAMES_ZH = {
    "East": "东部",
    "Central": "中部",
    "West": "西部",
    "Northeast": "东北",
    "All": "全国",
    "North": "北方",
    "South": "南方",
    "China": "全国",
    "six provinces": "六省市",
    "clusters": "四个城市群",
    "Xi'an": "西安",
    "Central Plains": "中原城市群",
    "Shenzhen": "深圳",
}
TOPICS_ZH = {
    "four plates": "四大板块",
    "leading provinces": "领先省份",
    "regional imbalance": "区域不平衡",
    "North-South gap": "南北差距",
    "city clusters": "城市群",
    "high-tech zones": "国家高新区",
    "demonstration zones": "自主创新示范区",
    "innovation cities": "创新城市",
}
QUANTITIES = {
    "invention_applications": "invention applications",
    "invention_grants": "invention grants",
    "rd_personnel": "R&D personnel",
}
CLAIMS_ZH = {
    "Invention patent applications": "发明专利申请量",
    "Invention patents granted": "发明专利授权量",
    "Growth of invention applications": "发明专利申请量增长率",
    "Growth of invention grants": "发明专利授权量增长率",
    "Guangdong, Zhejiang, Jiangsu, Beijing, Shanghai and Shandong in national applications": (
        "粤、浙、苏、京、沪、鲁占全国申请量的比重"
    ),
    "Guangdong, Zhejiang, Jiangsu, Beijing, Shanghai and Shandong in national grants": (
        "粤、浙、苏、京、沪、鲁占全国授权量的比重"
    ),
    "East holds more than 60 % of the national total": "东部占全国总量 60% 以上",
    "R&D personnel": "R&D 人员",
    "invention applications": "发明专利申请量",
    "invention grants": "发明专利授权量",
    "South's share of the national total": "南方占全国总量的比重",
    "South's share of industrial firms above designated size with R&D units": "南方占有研发机构的规上工业企业的比重",
    "Xi'an in the Guanzhong cluster's invention grants, 2016-2018": "西安占关中城市群发明专利授权量的比重，2016—2018 年",
    "Intra-cluster share of co-owned invention grants, Harbin-Changchun, Central Plains, Middle Yangtze, "
    "Chengdu-Chongqing, 2016-2018": "哈长、中原、长江中游、成渝城市群内部合作授权专利占比，2016—2018 年",
    "Intra-cluster share of co-owned invention grants, Central Plains, 2016-2018": (
        "中原城市群内部合作授权专利占比，2016—2018 年"
    ),
    "National high-tech zones": "国家高新区数",
    "Zones whose year-end employment fell": "年末从业人员减少的高新区数",
    "Zones whose revenue fell": "营业收入减少的高新区数",
    "National high-tech zones in the Northeast": "东北的国家高新区数",
    "Northeast zones whose year-end employment fell": "东北年末从业人员减少的高新区数",
    "Northeast zones whose revenue fell": "东北营业收入减少的高新区数",
    "Largest falls among Northeast zones exceed": "东北高新区最大降幅超过",
    "National Innovation Demonstration Zones as printed": "国家自主创新示范区数（原文）",
    "of which approved in the 13th Five-Year Plan period as printed": "其中“十三五”期间批准数（原文）",
    "Chinese cities in the 2thinknow 500": "进入 2thinknow 全球创新城市 500 强的中国城市数",
    "increase since 2015": "较 2015 年增加数",
    "Shenzhen's rank in the 2thinknow index": "深圳在 2thinknow 指数中的排名",
}
UNITS_ZH = {
    "items": "件",
    "percent": "%",
    "percent share": "占比，%",
    "percent share (at least)": "占比，%（下限）",
    "percent share (at most)": "占比，%（上限）",
    "percent (at least)": "%（下限）",
    "person-years": "人年",
    "zones": "个",
    "cities": "个",
    "rank": "位次",
}
VERDICTS_ZH = {
    "equal": "一致",
    "equal as rounded": "四舍五入后一致",
    "equal as cut": "截尾后一致",
    "holds": "成立",
    "differs": "不一致",
    "no public series": "无公开数据",
}


def render(results: econ.report.Results, lang: econ.Lang) -> Iterator[Item]:
    """The table by plate, the claims that can be computed, and those that cannot."""
    plates, claims = results.frame("plates"), results.frame("claims")
    computable = claims[claims["computed"].notna()]
    yield item("reading", reading(plates, computable, lang))
    yield item("plates", plates_table(plates, lang))
    percentages = computable["unit"].str.startswith("percent")
    yield item("claims_counts", claims_table(computable[~percentages], COUNTS_TITLE, "integer", lang))
    yield item("claims_percentages", claims_table(computable[percentages], PERCENTAGES_TITLE, "number", lang))
    yield item("claims_not_computable", open_table(claims[claims["computed"].isna()], lang))


def reading(plates: pd.DataFrame, computable: pd.DataFrame, lang: econ.Lang) -> str:
    """What the numbers say."""
    agree = int((computable["verdict"] != "differs").sum())
    east = plates.set_index("plate").loc["East"]
    odd = describe(computable, lang)[computable["verdict"] == "differs"].itertuples()
    pattern, semicolon = ("{}: {:g} / {:g}", "; ") if lang == "en" else ("{}：{:g}/{:g}", "；")
    differ = semicolon.join(pattern.format(row.claim, row.value, row.computed) for row in odd)
    share, growth = 100 * east["invention_applications_share"], east["invention_applications_growth"]
    words = {
        "en": f"Of {len(computable)} claims that public data can check, {agree} agree with the printed value, "
        f"some as cut rather than rounded. Those that do not (printed / computed): {differ}. "
        f"The East filed {share:.1f} % of the applications of 2018, {growth:.1f} % more than in 2015.",
        "zh": f"可由公开数据核对的 {len(computable)} 项中，{agree} 项与公布值一致（其中部分为截尾而非四舍五入）。"
        f"不一致者（公布值/计算值）：{differ}。"
        f"2018 年东部占全国发明专利申请量的 {share:.1f}%，比 2015 年增长 {growth:.1f}%。",
    }
    return words[lang]


def plates_table(plates: pd.DataFrame, lang: econ.Lang) -> econ.report.Table:
    """Applications and grants by plate."""
    columns = {}
    for kind, words in COUNTS.items():
        spanner = dict(zip(("en", "zh"), words, strict=True))
        for year in (FIRST, LAST):
            columns[f"{kind}_{year}"] = DataColumn(str(year), spanner, "integer")
        columns[f"{kind}_growth"] = DataColumn({"en": "Growth, %", "zh": "增长率（%）"}, spanner, digits=2)
        share = {"en": f"Share {LAST}", "zh": f"{LAST} 年占比"}
        columns[f"{kind}_share"] = DataColumn(share, spanner, "percent", digits=2)
    return data_table(
        translate(plates, lang, plate=NAMES_ZH),
        title={"en": "Invention patents by plate, 2015 and 2018", "zh": "四大板块发明专利，2015 年与 2018 年"},
        lang=lang,
        columns=columns,
        rows="plate",
        stub={"en": "Plate", "zh": "板块"},
        notes=[
            {
                "en": "Sums over the provinces of each plate; growth from 2015 to 2018; share in the total of all 31 "
                "provinces. Source: China Statistical Yearbook on Science and Technology.",
                "zh": "各板块所含省份之和；增长率为 2015—2018 年；占比以 31 个省份合计为分母。"
                "资料来源：《中国科技统计年鉴》。",
            }
        ],
        style="three_line" if lang == "zh" else "journal",
    )


def claims_table(claims: pd.DataFrame, title: dict[str, str], form: str, lang: econ.Lang) -> econ.report.Table:
    """Printed and computed values side by side."""
    return data_table(
        describe(claims, lang),
        title=title,
        lang=lang,
        rows="claim",
        panels="topic",
        stub={"en": "Claim", "zh": "论断"},
        columns={
            "region": {"en": "Region", "zh": "地区"},
            "period": {"en": "Year", "zh": "年份"},
            "unit": {"en": "Unit", "zh": "单位"},
            "value": DataColumn({"en": "Printed", "zh": "公布值"}, "", form, 2),
            "computed": DataColumn({"en": "Computed", "zh": "计算值"}, "", form, 3),
            "difference": DataColumn({"en": "Difference", "zh": "差额"}, "", form, 3),
            "verdict": {"en": "Verdict", "zh": "结论"},
        },
        notes=[
            {
                "en": "Difference = computed - printed. 'Equal as cut': the printed value drops the further digits. "
                "'Holds': a claimed bound is met. Zones are counted in the rosters of this package, whose years are "
                "partly recalled.",
                "zh": "差额 = 计算值 - 公布值。“截尾后一致”指公布值舍去了后续数位；“成立”指满足所述界限。"
                "园区数按本软件包名录计，部分年份为回忆所得。",
            }
        ],
        style="three_line" if lang == "zh" else "journal",
    )


def open_table(claims: pd.DataFrame, lang: econ.Lang) -> econ.report.Table:
    """Claims without a public series."""
    return data_table(
        describe(claims, lang),
        title={"en": "Published claims that no public series can check", "zh": "无公开数据可核对的已发表数字"},
        lang=lang,
        rows="claim",
        panels="topic",
        stub={"en": "Claim", "zh": "论断"},
        columns={
            "region": {"en": "Region", "zh": "地区"},
            "period": {"en": "Year", "zh": "年份"},
            "unit": {"en": "Unit", "zh": "单位"},
            "value": DataColumn({"en": "Printed", "zh": "公布值"}, digits=2),
        },
        style="three_line" if lang == "zh" else "journal",
    )


def describe(claims: pd.DataFrame, lang: econ.Lang) -> pd.DataFrame:
    """Years as one text, words in the reader's language; a claim made of several quantities names each."""
    dash = "–" if lang == "en" else "—"
    base = claims["base_year"].map(lambda year: "" if pd.isna(year) else f"{int(year)}{dash}")
    table = claims.assign(period=base + claims["year"].astype(int).astype(str))
    table = translate(
        table.assign(of=[QUANTITIES.get(name, "") for name in table["quantity"]]),
        lang,
        claim=CLAIMS_ZH,
        topic=TOPICS_ZH,
        region=NAMES_ZH,
        unit=UNITS_ZH,
        verdict=VERDICTS_ZH,
        of=CLAIMS_ZH,
    )
    several = table.groupby("claim")["quantity"].transform("nunique") > 1
    colon = ": " if lang == "en" else "："
    return table.assign(claim=table["claim"].where(~several, table["claim"] + colon + table["of"]))


def translate(table: pd.DataFrame, lang: econ.Lang, **words: dict[str, str]) -> pd.DataFrame:
    """Columns of words in Chinese, where asked for."""
    if lang == "en":
        return table
    return table.assign(**{name: table[name].map(lambda word, zh=zh: zh.get(word, word)) for name, zh in words.items()})


if __name__ == "__main__":
    econ.report.run(__file__)
