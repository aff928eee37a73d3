"""Innovation efficiency of the provinces: R&D spending and personnel in, invention grants and new-product sales out."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

import econ
from econ.report import DataColumn, Item, data_table, item, line_plot, table, tile_map

TITLE = {"en": "Innovation efficiency of the provinces", "zh": "各省创新效率"}
ABSTRACT = {
    "en": "Data envelopment analysis of R&D spending and personnel into invention patents granted and new-product sales, 2011-2019: "
    "efficiency by province, and the Malmquist index by plate, split into catching up and movement of the frontier. Stochastic "
    "frontiers of each output beside it, which tell inefficiency from noise.",
    "zh": "以研发经费与研发人员为投入、发明专利授权量与新产品销售收入为产出的数据包络分析（2011—2019 年）：各省效率，以及分板块的 Malmquist 指数及其"
    "追赶与前沿移动的分解；并以各项产出的随机前沿区分无效率与随机误差。",
}
DATASETS = ("provinces", "regions")

YEARS = (2011, 2019)
INPUTS = ["real_rd_expenditure", "rd_personnel"]
OUTPUTS = ["invention_grants", "real_new_product_sales"]
FRONTIERS = {  # output and how its inefficiency is drawn
    "grants": ("invention_grants", "independent"),
    "grants_decay": ("invention_grants", "decay"),
    "sales": ("real_new_product_sales", "independent"),
    "sales_decay": ("real_new_product_sales", "decay"),
}
PLATES = ("East", "Central", "West", "Northeast")


def estimate() -> dict[str, Any]:
    """Output-oriented efficiency, the adjacent and global Malmquist indices by plate, and a frontier of each output."""
    panel = prepare()
    inputs = " + ".join(f"log({name})" for name in INPUTS)
    frontiers = {
        name: econ.growth.frontier(panel, f"log({output}) ~ {inputs} + I(year - {YEARS[0]})", path=path)
        for name, (output, path) in FRONTIERS.items()
    }
    efficiency = econ.growth.dea(panel, INPUTS, OUTPUTS, returns="vrs")
    return frontiers | {
        "efficiency": efficiency,
        "agreement": pd.DataFrame([agreement(name, found, efficiency) for name, found in frontiers.items()]),
        "adjacent": econ.growth.malmquist(panel, INPUTS, OUTPUTS, returns="vrs", by="plate"),
        "global": econ.growth.malmquist(panel, INPUTS, OUTPUTS, index="global", by="plate"),
        "names_zh": dict(econ.regions().set_index("province")["name_zh"]),
    }


def agreement(name: str, found: econ.growth.FrontierEstimate, efficiency: econ.growth.Dea) -> dict[str, Any]:
    """Spearman's correlation of the efficiencies of the last year with those of data envelopment analysis."""
    both = found.scores.merge(efficiency.scores, on=["province", "period"]).query("period == @YEARS[1]")
    return {"frontier": name, "spearman": both["efficiency"].corr(both["score"], method="spearman")}


def prepare() -> econ.Panel:
    """Spending and sales at 2011 consumer prices; Tibet, without new-product sales in 2014, left out."""
    panel = econ.load("provinces").join(econ.regions()[["province", "plate"]])
    panel = panel.deflate(["rd_expenditure", "new_product_sales"], "cpi", YEARS[0])
    return panel.where(lambda d: d["year"].between(*YEARS) & (d["province"] != "Tibet"))


# ---- rendering

LABELS = {
    "score": {"en": "Efficiency, variable returns", "zh": "效率（规模报酬可变）"},
    "malmquist": {"en": "Malmquist index, 2011 = 1", "zh": "Malmquist 指数（2011 年 = 1）"},
    "real_rd_expenditure": {"en": "R&D spending at 2011 prices", "zh": "研发经费（2011 年价）"},
    "real_new_product_sales": {"en": "New-product sales at 2011 prices", "zh": "新产品销售收入（2011 年价）"},
    "I(year - 2011)": {"en": "Years since 2011", "zh": "2011 年以来的年数"},
}
NOTES = [
    {
        "en": "Output-oriented radial efficiency. Inputs of a year with the outputs of the same year: patents are granted some years after "
        "the research. Spending and sales at 2011 prices by each province's consumer price index. Tibet, whose new-product sales of 2014 are missing, is left out.",
        "zh": "产出导向的径向效率。投入与产出取同一年，而专利授权滞后于研究数年。经费与销售收入按各省居民消费价格指数折为 2011 年价。西藏缺 2014 年新产品销售收入，予以剔除。",
    },
]
PARTS = {
    "malmquist": {"en": "Malmquist index", "zh": "Malmquist 指数"},
    "efficiency": {"en": "Catching up", "zh": "追赶（效率变化）"},
    "technical": {"en": "Frontier", "zh": "前沿移动（技术变化）"},
    "pure": {"en": "Pure efficiency", "zh": "纯效率"},
    "scale": {"en": "Scale", "zh": "规模效率"},
}
NAMES = {
    "all": {"en": "All", "zh": "全部"},
    "East": {"en": "East", "zh": "东部"},
    "Central": {"en": "Central", "zh": "中部"},
    "West": {"en": "West", "zh": "西部"},
    "Northeast": {"en": "Northeast", "zh": "东北"},
}
TITLES = {
    "change": {"en": "Productivity of innovation, 2019 over 2011", "zh": "创新生产率：2019 年相对 2011 年"},
    "path": {"en": "Malmquist index by plate", "zh": "分板块的 Malmquist 指数"},
    "map": {"en": "Efficiency of innovation by province", "zh": "各省创新效率"},
    "frontier": {"en": "Stochastic frontiers of innovation, 2011-2019", "zh": "创新的随机前沿，2011—2019 年"},
}
DRAWN = {
    "independent": {"en": "By province and year", "zh": "逐省逐年"},
    "decay": {"en": "Lasting, with decay", "zh": "持久、时变衰减"},
}
FRONTIER_NOTES = [
    {
        "en": "Half-normal inefficiency, drawn anew by each province and year, or once by a province and decaying over the years. What "
        "lasts in a province counts as inefficiency in the latter, industries and geography included. The likelihood ratio refers to "
        "the mixture of chi-squared distributions on the edge of what is possible; t statistics of σ² and γ do not test them.",
        "zh": "无效率服从半正态分布：或逐省逐年独立抽取，或每省一次抽取并随时间衰减；后者将省份一切持久差异（含产业结构与地理）计为无效率。"
        "似然比检验以边界上的混合卡方分布为准；σ² 与 γ 的 t 值并非其检验。",
    },
]


def render(results: econ.report.Results, lang: econ.Lang) -> Iterator[Item]:
    """Changes over the whole span by plate, their paths, and the map of efficiency in the first and last year."""
    yield item("reading", reading(results)[lang])
    yield item("change", change(results, lang))
    path = results["adjacent"].path
    path = path[path["group"].isin(PLATES)].rename(columns={"period": "year"})
    panel = econ.Panel(path, unit="group", time="year")
    yield item(
        "path",
        line_plot(panel, "malmquist", by="group", labels=LABELS, title=TITLES["path"], notes=NOTES, lang=lang),
    )
    scores = results["efficiency"].scores.rename(columns={"period": "year"})
    yield item(
        "map",
        tile_map(
            econ.Panel(scores[["province", "year", "score"]], unit="province", time="year"),
            "score",
            year=YEARS,
            digits=2,
            labels=LABELS,
            title=TITLES["map"],
            notes=NOTES,
            lang=lang,
        ),
    )
    yield item(
        "frontier",
        table(
            [results.estimate(name) for name in FRONTIERS],
            title=TITLES["frontier"],
            headers=[DRAWN[path] for _, path in FRONTIERS.values()],
            labels=LABELS,
            stats=("n_obs", "n_units", "mean_efficiency", "loglik", "no_inefficiency"),
            notes=[*NOTES, *FRONTIER_NOTES],
            lang=lang,
            style="three_line" if lang == "zh" else "journal",
        ),
    )


def change(results: econ.report.Results, lang: econ.Lang) -> econ.report.Table:
    """The index and its parts over all years, by plate; the global index beside it."""
    last = results["adjacent"].path.query("period == @YEARS[1]").set_index("group")
    whole = results["global"].path.query("period == @YEARS[1]").set_index("group")["malmquist"]
    frame = last[list(PARTS)].assign(whole=whole).loc[list(NAMES)]
    frame.index = [NAMES[name][lang] for name in frame.index]
    adjacent = {"en": "Adjacent frontiers", "zh": "相邻前沿"}
    columns = {name: DataColumn(words, adjacent) for name, words in PARTS.items()}
    columns["whole"] = DataColumn(PARTS["malmquist"], {"en": "One frontier of all years", "zh": "全期前沿"})
    return data_table(
        frame,
        columns=columns,
        stub={"en": "Plate", "zh": "板块"},
        title=TITLES["change"][lang],
        notes=[
            *NOTES,
            {
                "en": "Geometric means over the provinces of a plate; above 1 is better. Malmquist = catching up x frontier; catching up = "
                "pure efficiency x scale.",
                "zh": "为板块内各省的几何平均；大于 1 为改善。Malmquist 指数 = 追赶 × 前沿移动；追赶 = 纯效率 × 规模效率。",
            },
        ],
        lang=lang,
        style="three_line" if lang == "zh" else "journal",
    )


def reading(results: econ.report.Results) -> dict[str, str]:
    """What the numbers say."""
    last = results["adjacent"].path.query("period == @YEARS[1]").set_index("group")
    whole = results["global"].path.query("period == @YEARS[1]").set_index("group")["malmquist"]
    scores = results["efficiency"].scores
    now = scores[scores["period"] == YEARS[1]].set_index("province")
    best = sorted(now.index[now["efficient"]])
    lowest = now["score"].idxmin()
    total = last.loc["all"]
    by_plate = {name: last.loc[name, "malmquist"] for name in PLATES}
    fastest, slowest = max(by_plate, key=by_plate.__getitem__), min(by_plate, key=by_plate.__getitem__)
    region = results["names_zh"]
    none = {name: results.estimate(name).test("no_inefficiency").p_value for name in FRONTIERS}
    mean = {name: results.estimate(name).stats["mean_efficiency"] for name in FRONTIERS}
    rank = results["agreement"].set_index("frontier")["spearman"]
    return {
        "en": f"From {YEARS[0]} to {YEARS[1]} the productivity of R&D changed by a factor of {total['malmquist']:.2f} on average over the "
        f"provinces: {total['efficiency']:.2f} by catching up and {total['technical']:.2f} by the frontier; against one frontier of all "
        f"years the factor is {whole['all']:.2f}. By plate it is largest in {EN[fastest]} ({by_plate[fastest]:.2f}) and smallest in "
        f"{EN[slowest]} ({by_plate[slowest]:.2f}). On the frontier of {YEARS[1]} under variable returns stand {len(best)} of {len(now)} "
        f"provinces ({', '.join(best)}); farthest from it is {lowest} ({now.loc[lowest, 'score']:.2f}). With two inputs, two outputs and 30 "
        "provinces the frontier rests on few of them, and one province's year can move it. A stochastic frontier of patents finds no "
        f"inefficiency that is drawn anew each year (p = {none['grants']:.2f}), and much that lasts in provinces (mean efficiency "
        f"{mean['grants_decay']:.2f}); of new-product sales it finds both ({mean['sales']:.2f} and {mean['sales_decay']:.2f}). Their ranking "
        f"of the provinces in {YEARS[1]} has a rank correlation of {rank['grants_decay']:.2f} and {rank['sales_decay']:.2f} with that above.",
        "zh": f"{YEARS[0]} 至 {YEARS[1]} 年，各省研发生产率平均变为 {total['malmquist']:.2f} 倍，其中追赶 {total['efficiency']:.2f}、前沿移动 "
        f"{total['technical']:.2f}；以全期前沿衡量为 {whole['all']:.2f}。分板块以{NAMES[fastest]['zh']}最高（{by_plate[fastest]:.2f}），"
        f"{NAMES[slowest]['zh']}最低（{by_plate[slowest]:.2f}）。规模报酬可变时，{YEARS[1]} 年位于前沿的有 {len(now)} 省中的 {len(best)} 省"
        f"（{'、'.join(region[name] for name in best)}），距前沿最远的是{region[lowest]}（{now.loc[lowest, 'score']:.2f}）。"
        "两种投入、两种产出与 30 省之下，前沿仅由少数省份构成，个别省份某一年的数据即可使其移动。"
        f"专利的随机前沿未发现逐年独立的无效率（p = {none['grants']:.2f}），而省份持久的无效率明显（平均效率 {mean['grants_decay']:.2f}）；"
        f"新产品销售两者均有（{mean['sales']:.2f} 与 {mean['sales_decay']:.2f}）。其 {YEARS[1]} 年排序与上述效率的秩相关系数为 "
        f"{rank['grants_decay']:.2f} 与 {rank['sales_decay']:.2f}。",
    }


EN = {"East": "the East", "Central": "the centre", "West": "the West", "Northeast": "the Northeast"}


if __name__ == "__main__":
    econ.report.run(__file__)
