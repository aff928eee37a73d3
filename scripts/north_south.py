"""The North-South gap: shares, dispersion and absolute convergence, 2000-2023."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

import econ
from econ.report import (
    DataColumn,
    Item,
    beta_plot,
    break_plot,
    data_table,
    half_life_plot,
    item,
    line_plot,
    paths_plot,
    roots_plot,
    sigma_plot,
    table,
    theil_plot,
    transition_plot,
)

TITLE = {"en": "The North-South gap in innovation", "zh": "创新的南北差距"}
ABSTRACT = {
    "en": "How the shares of South and North in invention patents and R&D moved from 2000 to 2023, whether real GDP per "
    "head and invention intensity became more equal across the provinces (sigma convergence), and whether provinces "
    "that started lower grew faster (absolute beta convergence).",
    "zh": "考察 2000—2023 年南方与北方在发明专利和研发投入中的份额变化，各省实际人均 GDP 与发明强度的差距是否缩小（σ 收敛），"
    "以及初始水平较低的省份是否增长更快（绝对 β 收敛）。",
}
DATASETS = ("provinces", "regions")

SHARES = ("invention_applications", "invention_grants", "rd_personnel", "rd_expenditure")
TABLE_YEARS = (2000, 2005, 2010, 2015, 2018, 2020, 2023)
BASE = 2000
LEVELS = {"real_gdp_per_head": "real_gdp", "inventions_per_million": "invention_grants"}  # per head, and totals
SPAN = (2000, 2019)
CLASSES = 4
GROUPS = ("half", "plate")
FILTERS = {"filtered": 400, "unfiltered": None}
SPANS = (SPAN, (2000, 2010), (2010, 2019))


def estimate() -> dict[str, econ.Estimate | pd.DataFrame]:
    """Shares by half of the country, dispersion paths and tests, and beta regressions."""
    panel = prepare()
    results: dict[str, econ.Estimate | pd.DataFrame] = {"shares": shares(panel)}
    for group in GROUPS:
        inside = panel.where(lambda d: d["year"].between(*SPAN))
        theil = econ.disparity.theil(inside, "real_gdp_per_head", groups=group, weights="population")
        results[f"theil_{group}"] = theil.totals
        results[f"dagum_{group}"] = econ.disparity.dagum(inside, "real_gdp_per_head", groups=group).totals
    for x in LEVELS:
        dispersion = econ.convergence.sigma(panel, x, by="half")
        results[f"sigma_path_{x}"] = dispersion.path
        results[f"sigma_test_{x}"] = dispersion.test
        for first, last in SPANS:
            results[f"beta_{x}_{first}_{last}"] = econ.convergence.beta(panel, x, first, last)
        found = econ.convergence.trend_break(econ.Panel(dispersion.path, "group", "period"), "sd_log")
        results |= {f"break_{x}": found.tests, f"break_path_{x}": found.paths}
        results |= long_run(panel.where(lambda d: d["year"].between(*SPAN)), x)
        points = econ.convergence.growth_and_initial(panel, x, *SPAN)
        results[f"points_{x}"] = points.assign(half=points["province"].map(panel.attribute("half")))
    return results | gaps(panel.where(lambda d: d["year"].between(*SPAN)))


def gaps(panel: econ.Panel) -> dict[str, econ.Estimate | pd.DataFrame]:
    """Lead of the South over the North per resident, log points: its path, its trend and the break in it."""
    parts = []
    for x, total in LEVELS.items():
        sums = complete(panel, x).frame.groupby(["year", "half"])[[total, "population"]].sum()
        per_head = np.log(sums[total] / sums["population"]).unstack()
        gap = (100 * (per_head["South"] - per_head["North"])).rename("gap")
        parts.append(gap.reset_index().assign(level=x))
    both = econ.Panel(pd.concat(parts, ignore_index=True), "level", "year")
    results: dict[str, econ.Estimate | pd.DataFrame] = {"gaps": both.frame}
    for x in LEVELS:
        one = both.where(both.frame["level"] == x)
        results[f"gap_trend_{x}"] = econ.feols(one, "gap ~ year", vcov=econ.newey_west())
    found = econ.convergence.trend_break(both, "gap")
    return results | {"gap_break": found.tests, "gap_path": found.paths}


def complete(panel: econ.Panel, x: str) -> econ.Panel:
    """The provinces that have ``x`` in every year."""
    return panel.where(
        lambda d: d.groupby("province")[x].transform("count") == d.groupby("province")[x].transform("size")
    )


def long_run(panel: econ.Panel, x: str) -> dict[str, econ.Estimate | pd.DataFrame]:
    """Clubs with and without the filter, and mobility between quartiles of the relative level."""
    results: dict[str, econ.Estimate | pd.DataFrame] = {}
    for name, hp_lambda in FILTERS.items():
        found = econ.convergence.clubs(panel, x, hp_lambda=hp_lambda)
        results |= {
            f"clubs_{name}_{x}": found.tests,
            f"members_{name}_{x}": found.members,
            f"paths_{name}_{x}": found.paths,
        }
        results[f"log_t_{name}_{x}"] = econ.convergence.log_t(panel, x, hp_lambda=hp_lambda)
    relative = panel.assign(relative=lambda d: d[x] / d.groupby("year")[x].transform("mean"))
    chain = econ.convergence.markov(relative, "relative", classes=CLASSES, quantiles="pooled")
    ergodic = chain.steady_state.rename("share").rename_axis("class").reset_index()
    results[f"roots_{x}"] = econ.convergence.stochastic(complete(panel, x), x).units
    return results | {f"counts_{x}": chain.counts, f"ergodic_{x}": ergodic, f"mobility_{x}": chain.mobility}


def prepare() -> econ.Panel:
    """Provinces with their half of the country, real GDP per head and invention grants per million residents."""
    panel = econ.load("provinces").join(econ.regions()[["province", "half", "plate"]]).carry(["gdp"], "gdp_index", BASE)
    return panel.assign(
        real_gdp_per_head=lambda d: d["real_gdp"] / d["population"] * 10_000,
        inventions_per_million=lambda d: 100 * d["invention_grants"] / d["population"],
    ).with_labels(
        {
            "real_gdp_per_head": econ.Column("Real GDP per head", "实际人均GDP", f"yuan at {BASE} prices", "derived"),
            "inventions_per_million": econ.Column(
                "Invention grants per million residents", "每百万人发明专利授权量", "items", "derived"
            ),
        }
    )


def shares(panel: econ.Panel) -> pd.DataFrame:
    """Share of each half in the national total, percent; a year in which any province lacks the figure is missing."""
    frame = panel.frame
    rows = []
    for name in SHARES:
        totals = frame.pivot_table(index="year", columns="half", values=name, aggfunc="sum")
        complete = frame.groupby("year")[name].count() == panel.n_units
        share = 100 * totals.div(totals.sum(axis=1), axis=0)[complete]
        rows += [(name, year, half, value) for (year, half), value in share.stack().items()]
    return pd.DataFrame(rows, columns=["variable", "year", "half", "share"])


# ---- rendering

LABELS = {
    "real_gdp_per_head": {"en": "Real GDP per head", "zh": "实际人均GDP"},
    "inventions_per_million": {"en": "Invention grants per million residents", "zh": "每百万人发明专利授权量"},
    "invention_applications": {"en": "Invention applications", "zh": "发明专利申请量"},
    "invention_grants": {"en": "Invention grants", "zh": "发明专利授权量"},
    "rd_personnel": {"en": "R&D personnel", "zh": "R&D 人员"},
    "rd_expenditure": {"en": "R&D expenditure", "zh": "R&D 经费"},
    "share": {"en": "South's share, %", "zh": "南方占比（%）"},
    "all": {"en": "All provinces", "zh": "全部省份"},
    "North": {"en": "North", "zh": "北方"},
    "South": {"en": "South", "zh": "南方"},
    "half": {"en": "Half of the country", "zh": "南北"},
    "sd_log": {"en": "Standard deviation of logs", "zh": "对数标准差"},
    "gap": {"en": "South over North, log points", "zh": "南方对北方（对数点）"},
}
CLUB = {"en": "Club {}", "zh": "俱乐部 {}"}
FILTER_WORDS = {
    "filtered": {"en": "Hodrick-Prescott filter, lambda 400", "zh": "HP 滤波（λ=400）"},
    "unfiltered": {"en": "not filtered", "zh": "未滤波"},
}
UNFILTERED = {"en": "Series not filtered.", "zh": "序列未经滤波。"}
QUARTILES = {
    "en": "Classes are quartiles of the level relative to the mean of the year, pooled over all years.",
    "zh": "等级为相对当年均值的水平在全部年份合并后的四分位。",
}
GROUP_ZH = {"half": "南北", "plate": "四大板块"}
INEQUALITY = {
    "en": "Theil's T weighted by residents; Gini and Dagum's parts without weights.",
    "zh": "泰尔 T 以常住人口加权；基尼系数及 Dagum 分解不加权。",
}
BREAK_NOTE = {
    "en": "Break in level and slope of the standard deviation of logs.",
    "zh": "对数标准差的水平与斜率断点。",
}
BREAK_P = {
    "en": "p-value of the break simulated under AR(1) errors without a break.",
    "zh": "断点的 p 值按无断点的 AR(1) 误差模拟得到。",
}
GAP_TITLE = {"en": "Lead of the South over the North per resident", "zh": "南方人均水平对北方的领先"}
GAP_NOTE = {
    "en": "100 times the log of the South's total per resident over the North's, provinces known in every year; below zero = the "
    "North leads.",
    "zh": "南北人均总量之比的对数乘以 100，仅含各年均有数据的省份；小于零表示北方领先。",
}
TREND_NOTE = {
    "en": "HAC: Newey and West, which is too small where deviations from the trend last, as here.",
    "zh": "HAC 标准误按 Newey-West；若偏离趋势的变动持续（如此处），则偏小。",
}
ROOTS_NOTE = {
    "en": "Augmented Dickey-Fuller test with trend on the log of the level relative to the mean; with one break of unknown date as Zivot "
    "and Andrews. Few years make these tests weak: not rejecting is no evidence against convergence.",
    "zh": "对相对均值的对数水平作含趋势的 ADF 检验；允许一个未知断点者按 Zivot-Andrews。年数少，检验功效低，未拒绝并不能否定收敛。",
}
CLUB_NOTE = {
    "en": "Phillips and Sul's log t test and clustering, trim 1/3, merged by their rule; a group with t of -1.65 or less is never called "
    "a club. With 13 years after the trim the test is unreliable, and in simulations at this size the filter makes it reject "
    "convergence far too often (docs/simulations_clubs.md): read the unfiltered rows first.",
    "zh": "Phillips-Sul 的 log t 检验与聚类，截去前 1/3，按其规则合并；t 值不大于 -1.65 的组不称为俱乐部。截去后仅 13 年，检验不可靠，"
    "且模拟表明在此样本量下滤波会使其过度拒绝收敛（见 docs/simulations_clubs.md），宜先看未滤波的结果。",
}
SHARES_TITLE = {"en": "The South in the national total", "zh": "南方占全国的比重"}
TESTS = {
    "trend": {"en": "Trend of sd of logs, per year", "zh": "对数标准差的年趋势"},
    "pitman_morgan": {"en": "First vs last year, Pitman-Morgan", "zh": "首末年比较（Pitman-Morgan）"},
    "lichtenberg": {"en": "First vs last year, Lichtenberg", "zh": "首末年比较（Lichtenberg）"},
    "carree_klomp": {"en": "First vs last year, Carree-Klomp", "zh": "首末年比较（Carree-Klomp）"},
}
LICHTENBERG = {
    "en": "Lichtenberg's F treats the two years as independent samples and so rejects too rarely: shown because it is often reported.",
    "zh": "Lichtenberg 的 F 检验把首末年视为独立样本，因而过少拒绝；列出仅因其常被使用。",
}
SOURCE = {
    "en": "South and North by the Qinling-Huai line as graded in the data set regions; 31 provinces. "
    "Sources: China Statistical Yearbook; China Statistical Yearbook on Science and Technology.",
    "zh": "南北划分见数据集 regions，共 31 个省份。资料来源：《中国统计年鉴》《中国科技统计年鉴》。",
}
REAL = {
    "en": f"Real GDP per head: GDP of {BASE} carried forward by the official real index, over year-end residents "
    "(2011-2019 before the revision after the 2020 census).",
    "zh": f"实际人均 GDP：以 {BASE} 年 GDP 按官方不变价指数推算，除以年末常住人口（2011—2019 年为七普修订前口径）。",
}


def render(results: econ.report.Results, lang: econ.Lang) -> Iterator[Item]:
    """Shares, dispersion, convergence."""
    style = "three_line" if lang == "zh" else "journal"
    share = results.frame("shares")
    yield item("reading", reading(results)[lang])
    yield item("shares", shares_table(share, lang, style))
    south = share[share["half"] == "South"]
    yield item(
        "shares_path",
        line_plot(
            south, "share", x="year", by="variable", labels=LABELS, title=SHARES_TITLE, notes=[SOURCE], lang=lang
        ),
    )
    yield item("gaps", gaps_table(results, lang, style))
    yield item("gap_path", broken(results.frame("gap_path"), "gap", GAP_TITLE, [GAP_NOTE], lang))
    for x in LEVELS:
        notes = [REAL] if x == "real_gdp_per_head" else []
        title = {"en": f"Dispersion: {LABELS[x]['en']}", "zh": f"离散度：{LABELS[x]['zh']}"}
        yield item(
            f"sigma_{x}",
            sigma_plot(results.frame(f"sigma_path_{x}"), labels=LABELS, title=title, notes=notes, lang=lang),
        )
    yield item("sigma_tests", sigma_table(results, lang, style))
    estimates = [results.estimate(f"beta_{x}_{first}_{last}") for x in LEVELS for first, last in SPANS]
    spans = [{"en": f"{first}-{last}", "zh": f"{first}—{last} 年"} for first, last in SPANS]
    yield item(
        "beta",
        table(
            estimates,
            title={
                "en": f"Absolute beta convergence, {SPAN[0]}-{SPAN[1]}",
                "zh": f"绝对 β 收敛，{SPAN[0]}—{SPAN[1]} 年",
            },
            headers=spans * 2,
            labels=LABELS,
            notes=[REAL],
            digits=4,
            lang=lang,
            style=style,
        ),
    )
    named = {
        f"{LABELS[x][lang]}{'，' if lang == 'zh' else ', '}{span[lang]}": estimate
        for (x, span), estimate in zip([(x, span) for x in LEVELS for span in spans], estimates, strict=True)
    }
    title = {"en": "Half-lives and their intervals", "zh": "半衰期及其区间"}
    yield item("half_lives", half_life_plot(named, title=title, lang=lang))
    for x in LEVELS:
        plot = beta_plot(
            results.frame(f"points_{x}"),
            group="half",
            estimate=results.estimate(f"beta_{x}_{SPAN[0]}_{SPAN[1]}"),
            labels=LABELS,
            title={"en": f"Initial level and growth: {LABELS[x]['en']}", "zh": f"初始水平与增长：{LABELS[x]['zh']}"},
            lang=lang,
        )
        yield item(f"beta_{x}", plot)
    yield item("inequality", inequality_table(results, lang, style))
    for group in GROUPS:
        title = {
            "en": f"Theil index of real GDP per head by {group}",
            "zh": f"实际人均GDP泰尔指数（按{GROUP_ZH[group]}）",
        }
        yield item(
            f"theil_{group}", theil_plot(results.frame(f"theil_{group}"), title=title, notes=[INEQUALITY], lang=lang)
        )
    yield item("breaks", breaks_table(results, lang, style))
    for x in LEVELS:
        title = {"en": f"Trend of the dispersion: {LABELS[x]['en']}", "zh": f"离散度的趋势：{LABELS[x]['zh']}"}
        yield item(f"break_{x}", broken(results.frame(f"break_path_{x}"), "sd_log", title, [], lang))
    yield item("stochastic", stochastic_table(results, lang, style))
    for x in LEVELS:
        title = {"en": f"Unit roots: {LABELS[x]['en']}", "zh": f"单位根：{LABELS[x]['zh']}"}
        yield item(f"roots_{x}", roots_plot(results.frame(f"roots_{x}"), title=title, notes=[ROOTS_NOTE], lang=lang))
    yield item("clubs", clubs_table(results, lang, style))
    for x in LEVELS:
        title = {"en": f"Transition paths: {LABELS[x]['en']}", "zh": f"转移路径：{LABELS[x]['zh']}"}
        yield item(
            f"paths_{x}", paths_plot(results.frame(f"paths_unfiltered_{x}"), title=title, notes=[UNFILTERED], lang=lang)
        )
        title = {"en": f"Mobility between quartiles: {LABELS[x]['en']}", "zh": f"四分位间的流动：{LABELS[x]['zh']}"}
        yield item(
            f"mobility_{x}", transition_plot(results.frame(f"counts_{x}"), title=title, notes=[QUARTILES], lang=lang)
        )


def reading(results: econ.report.Results) -> dict[str, str]:
    """What the numbers say."""
    south = results.frame("shares").query("half == 'South'").set_index(["variable", "year"])["share"]
    first, last = (south["invention_applications", year] for year in (2015, 2018))
    income, grants = (results.estimate(f"beta_{x}_{SPAN[0]}_{SPAN[1]}").tidy().set_index("term") for x in LEVELS)
    speeds = [100 * frame.loc["speed", "estimate"] for frame in (income, grants)]
    lows, highs = ([number(100 * f.loc["speed", side], 2) for f in (income, grants)] for side in ("ci_low", "ci_high"))
    gap = results.frame("gaps").set_index(["level", "year"])["gap"]
    leads = [number(gap[x, year]) for x in LEVELS for year in SPAN]
    breaks = results.frame("gap_break").set_index("unit").loc[list(LEVELS)]
    years, p = breaks["period"].tolist(), [f"{value:.3f}" for value in breaks["p_value"]]
    return {
        "en": f"The South's share of invention applications rose from {first:.1f} % in 2015 to {last:.1f} % in 2018. "
        f"Between {SPAN[0]} and {SPAN[1]} real GDP per head converged at {speeds[0]:.2f} % a year "
        f"(95 % interval {lows[0]} to {highs[0]}), invention grants per million residents at {speeds[1]:.2f} % "
        f"({lows[1]} to {highs[1]}). Between the halves, the South's lead over the North per resident went from "
        f"{leads[0]} to {leads[1]} log points in real GDP (most likely break in {years[0]}, p = {p[0]}) and from {leads[2]} to "
        f"{leads[3]} in invention grants (break in {years[1]}, p = {p[1]}).",
        "zh": f"南方占发明专利申请量的比重由 2015 年的 {first:.1f}% 升至 2018 年的 {last:.1f}%。"
        f"{SPAN[0]}—{SPAN[1]} 年，实际人均 GDP 的年收敛速度为 {speeds[0]:.2f}%(95% 区间 {lows[0]}—{highs[0]}),"
        f"每百万人发明专利授权量为 {speeds[1]:.2f}%({lows[1]}—{highs[1]})。南北之间，南方人均水平对北方的领先：实际 GDP 由 {leads[0]} 变为 "
        f"{leads[1]} 个对数点（最可能的断点为 {years[0]} 年，p = {p[0]}），发明专利授权由 {leads[2]} 变为 {leads[3]} 个对数点"
        f"（断点 {years[1]} 年，p = {p[1]}）。",
    }


def number(x: float, digits: int = 0) -> str:
    """A number with a proper minus sign."""
    return f"{x:.{digits}f}".replace("-", "−")


def shares_table(share: pd.DataFrame, lang: econ.Lang, style: str) -> econ.report.Table:
    """South's and North's share in selected years."""
    chosen = share[share["year"].isin(TABLE_YEARS)]
    wide = chosen.pivot_table(index=["variable", "half"], columns="year", values="share", sort=False).reset_index()
    named = wide.assign(
        variable=[LABELS[name][lang] for name in wide["variable"]], half=[LABELS[name][lang] for name in wide["half"]]
    )
    return data_table(
        named,
        title={"en": "Shares of South and North in the national total, %", "zh": "南方与北方占全国的比重（%）"},
        lang=lang,
        rows="half",
        panels="variable",
        columns={year: DataColumn(str(year), digits=1) for year in TABLE_YEARS},
        notes=[SOURCE],
        style=style,
    )


def gaps_table(results: econ.report.Results, lang: econ.Lang, style: str) -> econ.report.Table:
    """Lead of the South at both ends, its trend, and the break in it."""
    gap = results.frame("gaps").set_index(["level", "year"])["gap"]
    breaks = results.frame("gap_break").set_index("unit")
    rows = []
    for x in LEVELS:
        trend = results.estimate(f"gap_trend_{x}").tidy().set_index("term").loc["year"]
        rows.append({
            "level": LABELS[x][lang], "first": gap[x, SPAN[0]], "last": gap[x, SPAN[1]], "trend": trend["estimate"],
            "std_error": trend["std_error"], "period": str(breaks.loc[x, "period"]),
            **breaks.loc[x, ["statistic", "p_value"]],
        })  # fmt: skip
    trend, breaking = {"en": "Trend per year", "zh": "年趋势"}, {"en": "Break in the trend", "zh": "趋势断点"}
    return data_table(
        pd.DataFrame(rows),
        title={
            "en": "Lead of the South over the North per resident, log points",
            "zh": "南方人均水平对北方的领先（对数点）",
        },
        lang=lang,
        rows="level",
        columns={
            "first": DataColumn(str(SPAN[0]), digits=1),
            "last": DataColumn(str(SPAN[1]), digits=1),
            "trend": DataColumn({"en": "Estimate", "zh": "估计值"}, trend, digits=2),
            "std_error": DataColumn({"en": "HAC s.e.", "zh": "HAC 标准误"}, trend, digits=2),
            "period": DataColumn({"en": "Year", "zh": "年份"}, breaking),
            "statistic": DataColumn({"en": "sup F", "zh": "sup F"}, breaking, digits=2),
            "p_value": DataColumn({"en": "p", "zh": "p 值"}, breaking, "p_value"),
        },
        notes=[GAP_NOTE, TREND_NOTE, BREAK_P, REAL],
        style=style,
    )


def broken(
    path: pd.DataFrame, value: str, title: dict[str, str], notes: list[dict[str, str]], lang: econ.Lang
) -> econ.report.Plot:
    """A series with its broken trend, and F by date."""
    return break_plot(path, labels=LABELS | {"value": LABELS[value]}, title=title, notes=[*notes, BREAK_P], lang=lang)


def inequality_table(results: econ.report.Results, lang: econ.Lang, style: str) -> econ.report.Table:
    """Theil and Gini of real GDP per head and the part between halves and between plates."""
    parts = []
    for group in GROUPS:
        theil = results.frame(f"theil_{group}").set_index("period")[["total", "between_share"]]
        dagum = results.frame(f"dagum_{group}").set_index("period")[["gini", "within_share", "transvariation_share"]]
        dagum["net"] = results.frame(f"dagum_{group}").set_index("period")["between_share"]
        parts.append(
            theil.join(dagum).reset_index().assign(group={"en": f"By {group}", "zh": f"按{GROUP_ZH[group]}"}[lang])
        )
    frame = pd.concat(parts, ignore_index=True)
    share = {"en": "Dagum's parts of the Gini", "zh": "基尼系数的 Dagum 分解"}
    return data_table(
        frame[frame["period"].isin((*TABLE_YEARS, SPAN[1]))],
        title={"en": "Inequality of real GDP per head between provinces", "zh": "省际实际人均GDP的不平等"},
        lang=lang,
        rows="period",
        panels="group",
        stub={"en": "Year", "zh": "年份"},
        columns={
            "total": {"en": "Theil's T", "zh": "泰尔 T"},
            "between_share": DataColumn({"en": "of it between", "zh": "其中组间"}, "", "percent", 1),
            "gini": {"en": "Gini", "zh": "基尼系数"},
            "within_share": DataColumn({"en": "within", "zh": "组内"}, share, "percent", 1),
            "net": DataColumn({"en": "net between", "zh": "组间净值"}, share, "percent", 1),
            "transvariation_share": DataColumn({"en": "transvariation", "zh": "超变密度"}, share, "percent", 1),
        },
        notes=[INEQUALITY],
        style=style,
    )


def breaks_table(results: econ.report.Results, lang: econ.Lang, style: str) -> econ.report.Table:
    """The most likely break in the trend of the dispersion."""
    parts = [results.frame(f"break_{x}").assign(level=LABELS[x][lang]) for x in LEVELS]
    frame = pd.concat(parts, ignore_index=True)
    return data_table(
        frame.assign(unit=frame["unit"].map(lambda group: LABELS[group][lang]), period=frame["period"].astype(str)),
        title={"en": "A break in the trend of the dispersion", "zh": "离散度趋势的断点"},
        lang=lang,
        rows="unit",
        panels="level",
        columns={
            "period": {"en": "Year", "zh": "年份"},
            "statistic": DataColumn({"en": "sup F", "zh": "sup F"}, digits=2),
            "p_value": DataColumn({"en": "p", "zh": "p 值"}, "", "p_value"),
            "slope_before": DataColumn({"en": "Slope before", "zh": "断点前斜率"}, digits=4),
            "slope_after": DataColumn({"en": "Slope after", "zh": "断点后斜率"}, digits=4),
        },
        notes=[BREAK_NOTE, BREAK_P],
        style=style,
    )


def stochastic_table(results: econ.report.Results, lang: econ.Lang, style: str) -> econ.report.Table:
    """How many provinces reject a unit root in their relative level."""
    rows = []
    for x in LEVELS:
        units = results.frame(f"roots_{x}")
        rejects = {name: int((units[name] < 0.05).sum()) for name in ("p_value", "p_value_break")}
        rows.append({"level": LABELS[x][lang], "n": len(units), **rejects})
    return data_table(
        pd.DataFrame(rows),
        title={"en": "Stochastic convergence, province by province", "zh": "逐省的随机收敛"},
        lang=lang,
        rows="level",
        columns={
            "n": {"en": "Provinces", "zh": "省份数"},
            "p_value": {"en": "Unit root rejected at 5 %", "zh": "5% 水平拒绝单位根"},
            "p_value_break": {"en": "with one break", "zh": "允许一个断点"},
        },
        notes=[ROOTS_NOTE],
        style=style,
    )


def clubs_table(results: econ.report.Results, lang: econ.Lang, style: str) -> econ.report.Table:
    """Clubs by level and filter: size, log t, members."""
    parts = []
    for x in LEVELS:
        for name in FILTERS:
            tests, members = results.frame(f"clubs_{name}_{x}"), results.frame(f"members_{name}_{x}")
            names = econ.standard_names(members["unit"], to=lang)
            named = members.assign(unit=names).dropna(subset="club").groupby("club")["unit"].agg(", ".join)
            part = tests.assign(
                panel=f"{LABELS[x][lang]} · {FILTER_WORDS[name][lang]}", members=tests["club"].map(named)
            )
            parts.append(part.assign(club=[CLUB[lang].format(club) for club in tests["club"]]))
    return data_table(
        pd.concat(parts, ignore_index=True),
        title={"en": f"Convergence clubs, {SPAN[0]}-{SPAN[1]}", "zh": f"收敛俱乐部，{SPAN[0]}—{SPAN[1]} 年"},
        lang=lang,
        rows="club",
        panels="panel",
        columns={
            "n": {"en": "Provinces", "zh": "省份数"},
            "estimate": DataColumn({"en": "log t", "zh": "log t 系数"}),
            "std_error": DataColumn({"en": "Std. error", "zh": "标准误"}),
            "statistic": DataColumn({"en": "t", "zh": "t 值"}, digits=2),
            "members": {"en": "Members", "zh": "成员"},
        },
        notes=[CLUB_NOTE],
        style=style,
    )


def sigma_table(results: econ.report.Results, lang: econ.Lang, style: str) -> econ.report.Table:
    """Is the dispersion falling?"""
    parts = [results.frame(f"sigma_test_{x}").assign(level=LABELS[x][lang]) for x in LEVELS]
    tests = pd.concat(parts, ignore_index=True)
    tests["panel"] = tests["level"] + " · " + tests["group"].map(lambda group: LABELS[group][lang])
    return data_table(
        tests.assign(test=tests["test"].map(lambda name: TESTS[name][lang])),
        title={"en": "Dispersion across provinces: tests", "zh": "省际离散度的检验"},
        lang=lang,
        rows="test",
        panels="panel",
        columns={
            "estimate": DataColumn({"en": "Estimate", "zh": "估计值"}, digits=4),
            "std_error": DataColumn({"en": "Std. error", "zh": "标准误"}, digits=4),
            "statistic": DataColumn({"en": "Statistic", "zh": "统计量"}, digits=2),
            "dof": DataColumn({"en": "d.f.", "zh": "自由度"}, digits=0),
            "p_value": DataColumn({"en": "p", "zh": "p 值"}, "", "p_value"),
        },
        notes=[
            {
                "en": "Trend: slope of the standard deviation of logs on the year, Newey-West standard error. Pitman-Morgan and "
                "Carree-Klomp: equal variances of logs in the first and last year; the estimate is the standard deviation of "
                "the first year minus that of the last, so positive means that dispersion fell.",
                "zh": "趋势：对数标准差对年份回归的斜率，Newey-West 标准误。Pitman-Morgan 与 Carree-Klomp：检验首末年对数方差相等；"
                "估计值为首年减末年的标准差，为正表示差距缩小。",
            },
            LICHTENBERG,
        ],
        missing={"en": "A dash (–): not defined for that test.", "zh": "–表示该检验无此项。"},
        style=style,
    )


if __name__ == "__main__":
    econ.report.run(__file__)
