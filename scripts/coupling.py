"""Industry and innovation chains of the provinces, 2011-2019: coupling, coordination and what stands in the way."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

import econ
from econ.report import DataColumn, Item, data_table, item, line_plot, tile_map

TITLE = {"en": "Industry and innovation chains: coupling and coordination", "zh": "产业链与创新链的耦合协调"}
ABSTRACT = {
    "en": "How far the industry chain (value added of industry, revenue of high-tech manufacturing, sales of new products) and "
    "the innovation chain (R&D expenditure and personnel, invention patents, technology contracts) of a province have "
    "developed together from 2011 to 2019: coordination degree in its standard and its corrected form, its map, and the "
    "indicators that hold it back.",
    "zh": "考察 2011—2019 年各省产业链（工业增加值、高技术产业营业收入、新产品销售收入）与创新链（研发经费与人员、发明专利、技术合同）"
    "协同发展的程度：标准与修正两种形式的耦合协调度、其空间分布以及主要障碍因子。",
}
DATASETS = ("provinces", "regions")

SYSTEMS = {
    "industry": ["va_industry", "hightech_revenue", "new_product_sales"],
    "innovation": ["rd_expenditure", "rd_personnel", "invention_grants", "tech_contracts_sold"],
}
INDICATORS = [name for names in SYSTEMS.values() for name in names]
SPAN = (2011, 2019)
YEARS = (2011, 2015, 2019)
SHOWN = "coordination_corrected"


def estimate() -> dict[str, Any]:
    """Degrees, weights and obstacles by entropy weights, and the ranks of the last year under other choices."""
    panel = econ.load("provinces").join(econ.regions()[["province", "name_zh", "plate"]])
    panel = panel.where(lambda d: d["year"].between(*SPAN) & (d["year"] != 2017) & (d["province"] != "Tibet"))
    plate = panel.attribute("plate")
    base = econ.disparity.coupling(panel, SYSTEMS)
    path = base.path.rename(columns={"period": "year"})
    obstacles = base.obstacles.assign(plate=base.obstacles["province"].map(plate)).query("period == @SPAN[1]")
    by_plate = obstacles.pivot_table(index=["system", "indicator"], columns="plate", values="obstacle", sort=False)
    by_plate["All"] = obstacles.groupby(["system", "indicator"])["obstacle"].mean()
    return {
        "path": path.assign(
            plate=path["province"].map(plate), name_zh=path["province"].map(panel.attribute("name_zh"))
        ),
        "weights": base.weights,
        "obstacles": by_plate.reset_index(),
        "agreement": agreement(panel, base),
        "notes": list(base.notes),
    }


def agreement(panel: econ.Panel, base: econ.disparity.Coupling) -> pd.DataFrame:
    """Spearman's correlation of the last year's ranks with those under other weights, scaling, form and measure."""
    per_head = panel.assign(**{name: lambda d, x=name: d[x] / d["population"] for name in INDICATORS})
    degrees = {
        "standard": last_year(base, "coordination"),
        "equal": last_year(econ.disparity.coupling(panel, SYSTEMS, weights="equal")),
        "critic": last_year(econ.disparity.coupling(panel, SYSTEMS, weights="critic")),
        "pca": last_year(econ.disparity.coupling(panel, SYSTEMS, weights="pca")),
        "period": last_year(econ.disparity.coupling(panel, SYSTEMS, scaling="period")),
        "per_head": last_year(econ.disparity.coupling(per_head, SYSTEMS)),
    }
    rows = [(name, last_year(base).corr(degree, method="spearman")) for name, degree in degrees.items()]
    return pd.DataFrame(rows, columns=["choice", "spearman"])


def last_year(result: econ.disparity.Coupling, column: str = SHOWN) -> "pd.Series[float]":
    """A degree by province in the last year."""
    path = result.path
    return path[path["period"] == SPAN[1]].set_index("province")[column]


# ---- rendering

PLATES = {
    "East": {"en": "East", "zh": "东部"},
    "Central": {"en": "Central", "zh": "中部"},
    "West": {"en": "West", "zh": "西部"},
    "Northeast": {"en": "Northeast", "zh": "东北"},
    "All": {"en": "All", "zh": "全国"},
}
LABELS = {
    **PLATES,
    SHOWN: {"en": "Coordination degree, corrected", "zh": "耦合协调度（修正）"},
    "industry": {"en": "Industry chain", "zh": "产业链"},
    "innovation": {"en": "Innovation chain", "zh": "创新链"},
    "va_industry": {"en": "Value added of industry", "zh": "工业增加值"},
    "hightech_revenue": {"en": "High-tech manufacturing revenue", "zh": "高技术产业营业收入"},
    "new_product_sales": {"en": "Sales of new products", "zh": "新产品销售收入"},
    "rd_expenditure": {"en": "R&D expenditure", "zh": "R&D 经费"},
    "rd_personnel": {"en": "R&D personnel", "zh": "R&D 人员"},
    "invention_grants": {"en": "Invention grants", "zh": "发明专利授权量"},
    "tech_contracts_sold": {"en": "Technology contracts sold", "zh": "技术合同输出成交额"},
}
CHOICES = {
    "standard": {"en": "Standard form of the coupling degree", "zh": "标准形式的耦合度"},
    "equal": {"en": "Equal weights", "zh": "等权"},
    "critic": {"en": "CRITIC weights", "zh": "CRITIC 权重"},
    "pca": {"en": "Weights by principal components", "zh": "主成分权重"},
    "period": {"en": "Scaling and weights within each year", "zh": "逐年标准化与赋权"},
    "per_head": {"en": "Indicators per resident", "zh": "人均指标"},
}
DATA = {
    "en": "Totals of each province, values at current prices, so that degrees follow a province's size and rise with prices. "
    "Without Tibet, whose technology contracts are mostly missing, and without 2017, for which high-tech industry was not "
    "published. Sources: China Statistical Yearbook; China Statistical Yearbook on Science and Technology; China Statistics "
    "Yearbook on High Technology Industry.",
    "zh": "指标为各省总量，价值量按当年价格，故协调度随省份规模和价格上升。不含西藏（技术合同数据大多缺失）和 2017 年（高技术产业数据未公布）。"
    "资料来源：《中国统计年鉴》《中国科技统计年鉴》《中国高技术产业统计年鉴》。",
}
FORMS = {
    "en": "Standard: geometric over arithmetic mean of the two indices; corrected: Wang, Kong, Ren et al. (2021). "
    "Coordination is the root of coupling times the mean of the two indices.",
    "zh": "标准形式：两系统指数的几何平均与算术平均之比；修正形式：王淑佳、孔伟、任亮等（2021）。协调度为耦合度与两指数均值之积的平方根。",
}


def render(results: econ.report.Results, lang: econ.Lang) -> Iterator[Item]:
    """Degrees by province, maps, path by plate, weights, obstacles, and other choices."""
    style = "three_line" if lang == "zh" else "journal"
    notes = [*results["notes"], DATA]
    path = results.frame("path")
    yield item("reading", reading(results)[lang])
    title = {"en": "Coordination of industry and innovation", "zh": "产业链与创新链耦合协调度"}
    plot = tile_map(path, SHOWN, year=YEARS, digits=2, labels=LABELS, title=title, notes=notes, lang=lang)
    yield item("map", plot)
    means = path.groupby(["plate", "year"], as_index=False)[SHOWN].mean()
    title = {"en": "Coordination degree: mean of the provinces of each plate", "zh": "耦合协调度：各板块省份均值"}
    yield item(
        "plates", line_plot(means, SHOWN, x="year", by="plate", labels=LABELS, title=title, notes=notes, lang=lang)
    )
    yield item("provinces", provinces_table(path, notes, lang, style))
    yield item("weights", weights_table(results.frame("weights"), notes, lang, style))
    yield item("obstacles", obstacles_table(results.frame("obstacles"), notes, lang, style))
    yield item("agreement", agreement_table(results.frame("agreement"), lang, style))


def reading(results: econ.report.Results) -> dict[str, str]:
    """What the numbers say."""
    path = results.frame("path")
    wide = path.pivot(index=["province", "name_zh"], columns="year", values=SHOWN)
    top = [(*names, value) for names, value in wide[SPAN[1]].nlargest(3).items()]
    obstacles = results.frame("obstacles").nlargest(2, "All")
    first, last = wide[SPAN[0]].mean(), wide[SPAN[1]].mean()
    standard = path.groupby("year")["coupling"].median()[SPAN[1]]
    per_head = results.frame("agreement").set_index("choice").loc["per_head", "spearman"]
    names = {lang: [LABELS[name][lang] for name in obstacles["indicator"]] for lang in ("en", "zh")}
    return {
        "en": f"The mean coordination degree rose from {first:.2f} in {SPAN[0]} to {last:.2f} in {SPAN[1]}; the highest were "
        f"{', '.join(f'{name} ({value:.2f})' for name, _, value in top)}. The standard coupling degree has a median of "
        f"{standard:.2f} and tells provinces hardly apart; the corrected form does. The largest obstacles: "
        f"{', '.join(names['en'])}. Indicators are totals: per resident, the ranks of {SPAN[1]} correlate "
        f"{per_head:.2f} with these.",
        "zh": f"平均协调度由 {SPAN[0]} 年的 {first:.2f} 升至 {SPAN[1]} 年的 {last:.2f}，最高的是"
        f"{'、'.join(f'{name}（{value:.2f}）' for _, name, value in top)}。标准耦合度的中位数为 {standard:.2f}，"
        f"几乎不能区分各省，修正形式则可以。最大的障碍因子是{'和'.join(names['zh'])}。指标为总量；改用人均指标后，"
        f"{SPAN[1]} 年位次与此处的秩相关系数为 {per_head:.2f}。",
    }


def provinces_table(path: pd.DataFrame, notes: list[Any], lang: econ.Lang, style: str) -> econ.report.Table:
    """Both forms in the chosen years, the highest of the last year first."""
    chosen = path[path["year"].isin(YEARS)]
    wide = chosen.pivot(index="province" if lang == "en" else "name_zh", columns="year", values=["coordination", SHOWN])
    wide = wide.sort_values((SHOWN, SPAN[1]), ascending=False)
    flat = wide.set_axis([f"{form}_{year}" for form, year in wide.columns], axis=1)
    forms = {"coordination": {"en": "Standard", "zh": "标准形式"}, SHOWN: {"en": "Corrected", "zh": "修正形式"}}
    return data_table(
        flat,
        title={"en": "Coordination degree of industry and innovation", "zh": "产业链与创新链耦合协调度"},
        lang=lang,
        stub={"en": "Province", "zh": "省份"},
        columns={
            f"{form}_{year}": DataColumn(str(year), words, digits=3) for form, words in forms.items() for year in YEARS
        },
        notes=[FORMS, *notes],
        style=style,
    )


def weights_table(weights: pd.DataFrame, notes: list[Any], lang: econ.Lang, style: str) -> econ.report.Table:
    """Weights within each chain."""
    return data_table(
        in_words(weights, lang),
        title={"en": "Weights of the indicators within each chain", "zh": "各链指标权重"},
        lang=lang,
        rows="indicator",
        panels="system",
        stub={"en": "Indicator", "zh": "指标"},
        columns={"weight": DataColumn({"en": "Weight", "zh": "权重"}, digits=3)},
        notes=notes,
        style=style,
    )


def obstacles_table(obstacles: pd.DataFrame, notes: list[Any], lang: econ.Lang, style: str) -> econ.report.Table:
    """Mean obstacle degree by plate."""
    return data_table(
        in_words(obstacles, lang),
        title={"en": f"Obstacle degree of the indicators, {SPAN[1]}", "zh": f"各指标障碍度，{SPAN[1]} 年"},
        lang=lang,
        rows="indicator",
        panels="system",
        stub={"en": "Indicator", "zh": "指标"},
        columns={name: DataColumn(words, "", "percent", 1) for name, words in PLATES.items()},
        notes=[
            {
                "en": "Share of the indicator in a province's weighted distance to the best values, mean over the provinces; "
                "the column sums to 100 %. "
                "An indicator of large weight is an obstacle nearly everywhere.",
                "zh": "指标在本省与最优值加权距离中的份额，取各省均值；每列合计为 100%。权重大的指标几乎处处是障碍。",
            },
            *notes,
        ],
        style=style,
    )


def agreement_table(agreement: pd.DataFrame, lang: econ.Lang, style: str) -> econ.report.Table:
    """How the ranks depend on choices."""
    return data_table(
        agreement.assign(choice=[CHOICES[name][lang] for name in agreement["choice"]]),
        title={"en": f"Ranks of {SPAN[1]} under other choices", "zh": f"其他选择下 {SPAN[1]} 年的位次"},
        lang=lang,
        rows="choice",
        stub={"en": "Choice", "zh": "选择"},
        columns={"spearman": DataColumn({"en": "Rank correlation", "zh": "秩相关系数"}, digits=3)},
        notes=[
            {
                "en": "Spearman's correlation with the ranks by corrected coordination degree, entropy weights, pooled scaling.",
                "zh": "与修正协调度（熵权、各期合并标准化）位次的 Spearman 相关系数。",
            },
            DATA,
        ],
        style=style,
    )


def in_words(table: pd.DataFrame, lang: econ.Lang) -> pd.DataFrame:
    """Chains and indicators in the reader's language."""
    return table.assign(
        **{column: [LABELS[name][lang] for name in table[column]] for column in ("system", "indicator")}
    )


if __name__ == "__main__":
    econ.report.run(__file__)
