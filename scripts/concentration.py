"""Concentration: where invention patents, R&D and high-tech industry sit, 2000-2023."""

from collections.abc import Iterator

import pandas as pd

import econ
from econ.report import DataColumn, Item, dagum_plot, data_table, gravity_plot, item, line_plot, theil_plot, tile_map

TITLE = {"en": "Where innovation sits", "zh": "创新活动的空间集中"}
ABSTRACT = {
    "en": "How concentrated invention grants, R&D expenditure and high-tech revenue are across the provinces from 2000 to 2023, "
    "which provinces lead, where the centre of gravity moved, and how much of the inequality in invention grants per head lies "
    "between the four plates.",
    "zh": "2000—2023 年发明专利授权、R&D 经费与高技术产业收入在各省的集中程度、领先省份、重心的移动，"
    "以及人均发明专利授权的不平等有多少来自四大板块之间。",
}
DATASETS = ("provinces", "regions")

AMOUNTS = ("invention_grants", "rd_expenditure", "hightech_revenue")
TOP = 4
MAP_YEARS = (2000, 2010, 2023)
PER_HEAD = "inventions_per_10k"
CHANGE = (2000, 2019)


def estimate() -> dict[str, pd.DataFrame]:
    """Concentration and centres by year, Theil and Dagum of invention grants per head by plate."""
    columns = ["province", "plate", "lon", "lat"]
    panel = econ.load("provinces").join(econ.regions()[columns])
    panel = panel.assign(**{PER_HEAD: lambda d: d["invention_grants"] / d["population"]})
    results = {"map": panel.frame[["province", "year", "invention_grants"]]}
    for name in AMOUNTS:
        found = econ.disparity.concentration(panel, name, k=TOP)
        results[f"path_{name}"], results[f"top_{name}"] = found.path, found.top
        results[f"centre_{name}"] = econ.disparity.centre_of_gravity(panel, name, "lon", "lat").path
    theil = econ.disparity.theil(panel, PER_HEAD, groups="plate", weights="population")
    dagum = econ.disparity.dagum(panel, PER_HEAD, groups="plate")
    gini = econ.disparity.gini(panel, PER_HEAD)
    return results | {"theil": theil.totals, "dagum": dagum.totals, "gini": gini.path, "change": gini.change(*CHANGE)}


# ---- rendering

TABLE_YEARS = (2000, 2005, 2010, 2015, 2018, 2019, 2023)
LABELS = {
    "invention_grants": {"en": "Invention grants", "zh": "发明专利授权量"},
    "rd_expenditure": {"en": "R&D expenditure", "zh": "R&D 经费"},
    "hightech_revenue": {"en": "High-tech industry revenue", "zh": "高技术产业营业收入"},
    "top_share": {"en": f"Share of the {TOP} largest provinces, %", "zh": f"最大 {TOP} 省占比（%）"},
}
MEASURES = {
    "top_share": DataColumn({"en": f"Top {TOP} share", "zh": f"前 {TOP} 省占比"}, "", "percent", 1),
    "hhi": DataColumn({"en": "Herfindahl", "zh": "赫芬达尔指数"}),
    "effective_n": DataColumn({"en": "Effective number", "zh": "有效省份数"}, digits=1),
    "primacy": DataColumn({"en": "Primacy", "zh": "首位度"}, digits=2),
    "leaders": {"en": "Leading provinces", "zh": "领先省份"},
}
CONVENTIONS = {
    "en": "Herfindahl: sum of squared shares; effective number: its inverse; primacy: largest over second largest. A year in which "
    "a province lacks the figure counts the others. Sources: China Statistical Yearbook on Science and Technology.",
    "zh": "赫芬达尔指数为份额平方和，有效省份数为其倒数，首位度为最大省与次大省之比。个别省份缺数据的年份按其余省份计算。"
    "资料来源：《中国科技统计年鉴》。",
}
PLATES = {
    "en": "Invention grants per 10,000 residents; Theil's T weighted by residents, groups are the four plates; Dagum's "
    "decomposition without weights.",
    "zh": "每万人发明专利授权量；泰尔 T 指数以常住人口加权，按四大板块分组；Dagum 分解不加权。",
}


def render(results: econ.report.Results, lang: econ.Lang) -> Iterator[Item]:
    """Concentration, maps, centres of gravity, decompositions."""
    yield item("reading", reading(results)[lang])
    yield item("concentration", concentration_table(results, lang))
    paths = [results.frame(f"path_{name}").assign(variable=name) for name in AMOUNTS]
    shares = pd.concat(paths).assign(top_share=lambda d: 100 * d["top_share"])
    title = {"en": f"The {TOP} largest provinces in the national total", "zh": f"最大 {TOP} 省占全国的比重"}
    yield item(
        "top_share",
        line_plot(shares, "top_share", by="variable", labels=LABELS, title=title, notes=[CONVENTIONS], lang=lang),
    )
    grants = econ.Panel(results.frame("map"), "province", "year")
    title = {"en": "Invention grants by province", "zh": "各省发明专利授权量"}
    plot = tile_map(grants, "invention_grants", year=MAP_YEARS, scale="log", labels=LABELS, title=title, lang=lang)
    yield item("map", plot)
    for name in AMOUNTS:
        title = {"en": f"Centre of gravity: {LABELS[name]['en']}", "zh": f"重心：{LABELS[name]['zh']}"}
        yield item(f"centre_{name}", gravity_plot(results.frame(f"centre_{name}"), title=title, lang=lang))
    theil_title = {
        "en": "Invention grants per head: within and between the plates",
        "zh": "人均发明专利授权：板块内与板块间",
    }
    yield item("theil", theil_plot(results.frame("theil"), title=theil_title, notes=[PLATES], lang=lang))
    dagum_title = {"en": "Dagum's decomposition by plate", "zh": "按板块的 Dagum 分解"}
    yield item("dagum", dagum_plot(results.frame("dagum"), title=dagum_title, notes=[PLATES], lang=lang))


def reading(results: econ.report.Results) -> dict[str, str]:
    """What the numbers say."""
    path = results.frame("path_invention_grants").set_index("period")["top_share"]
    first, last = path.index[0], path.index[-1]
    change = results.frame("change").iloc[0]
    theil = results.frame("theil").set_index("period")["between_share"]
    return {
        "en": f"The {TOP} largest provinces held {100 * path[first]:.1f} % of invention grants in {first} and {100 * path[last]:.1f} % in "
        f"{last}. The Gini coefficient of grants per head changed by {change['change']:.3f} from {CHANGE[0]} to {CHANGE[1]} (95 % interval "
        f"{change['ci_low']:.3f} to {change['ci_high']:.3f}); {100 * theil[CHANGE[1]]:.0f} % of Theil's index lay between the four plates in "
        f"{CHANGE[1]}.",
        "zh": f"最大 {TOP} 省占全国发明专利授权量的比重，{first} 年为 {100 * path[first]:.1f}%，{last} 年为 {100 * path[last]:.1f}%。"
        f"{CHANGE[0]}—{CHANGE[1]} 年，人均发明专利授权的基尼系数变化 {change['change']:.3f}（95% 区间 {change['ci_low']:.3f} 至 "
        f"{change['ci_high']:.3f}）；{CHANGE[1]} 年泰尔指数的 {100 * theil[CHANGE[1]]:.0f}% 来自四大板块之间。",
    }


def concentration_table(results: econ.report.Results, lang: econ.Lang) -> econ.report.Table:
    """Measures in selected years, one panel per amount."""
    parts = []
    for name in AMOUNTS:
        path, top = results.frame(f"path_{name}"), results.frame(f"top_{name}")
        names = top.assign(unit=econ.standard_names(top["unit"], to=lang)).groupby("period")["unit"].agg(", ".join)
        part = path[path["period"].isin(TABLE_YEARS)].assign(amount=LABELS[name][lang])
        parts.append(part.assign(leaders=part["period"].map(names)))
    return data_table(
        pd.concat(parts, ignore_index=True),
        title={"en": "Concentration across the provinces", "zh": "各省间的集中程度"},
        lang=lang,
        rows="period",
        panels="amount",
        stub={"en": "Year", "zh": "年份"},
        columns=MEASURES,
        notes=[CONVENTIONS],
        style="three_line" if lang == "zh" else "journal",
    )


if __name__ == "__main__":
    econ.report.run(__file__)
