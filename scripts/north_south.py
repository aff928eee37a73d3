"""The North-South gap: shares, dispersion and absolute convergence, 2000-2023."""

from collections.abc import Iterator

import pandas as pd

import econ
from econ.report import DataColumn, Item, beta_plot, data_table, item, line_plot, sigma_plot, table

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
LEVELS = ("real_gdp_per_head", "inventions_per_10k")
SPAN = (2000, 2019)
SPANS = (SPAN, (2000, 2010), (2010, 2019))


def estimate() -> dict[str, econ.Estimate | pd.DataFrame]:
    """Shares by half of the country, dispersion paths and tests, and beta regressions."""
    panel = prepare()
    results: dict[str, econ.Estimate | pd.DataFrame] = {"shares": shares(panel)}
    for x in LEVELS:
        dispersion = econ.convergence.sigma(panel, x, by="half")
        results[f"sigma_path_{x}"] = dispersion.path
        results[f"sigma_test_{x}"] = dispersion.test
        for first, last in SPANS:
            results[f"beta_{x}_{first}_{last}"] = econ.convergence.beta(panel, x, first, last)
        points = econ.convergence.growth_and_initial(panel, x, *SPAN)
        results[f"points_{x}"] = points.assign(half=points["province"].map(panel.attribute("half")))
    return results


def prepare() -> econ.Panel:
    """Provinces with their half of the country, real GDP per head and invention grants per 10,000 residents."""
    panel = econ.load("provinces").join(econ.regions()[["province", "half"]]).chain("gdp_index", BASE)
    base_gdp = panel.frame.query("year == @BASE").set_index("province")["gdp"]
    return panel.assign(
        real_gdp_per_head=lambda d: d["province"].map(base_gdp) * d["level_gdp_index"] / d["population"] * 10_000,
        inventions_per_10k=lambda d: d["invention_grants"] / d["population"],
    ).with_labels(
        {
            "real_gdp_per_head": econ.Column("Real GDP per head", "实际人均GDP", f"yuan at {BASE} prices", "derived"),
            "inventions_per_10k": econ.Column(
                "Invention grants per 10,000 residents", "每万人发明专利授权量", "items", "derived"
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
    "inventions_per_10k": {"en": "Invention grants per 10,000 residents", "zh": "每万人发明专利授权量"},
    "invention_applications": {"en": "Invention applications", "zh": "发明专利申请量"},
    "invention_grants": {"en": "Invention grants", "zh": "发明专利授权量"},
    "rd_personnel": {"en": "R&D personnel", "zh": "R&D 人员"},
    "rd_expenditure": {"en": "R&D expenditure", "zh": "R&D 经费"},
    "share": {"en": "South's share, %", "zh": "南方占比（%）"},
    "all": {"en": "All provinces", "zh": "全部省份"},
    "North": {"en": "North", "zh": "北方"},
    "South": {"en": "South", "zh": "南方"},
    "half": {"en": "Half of the country", "zh": "南北"},
}
SHARES_TITLE = {"en": "The South in the national total", "zh": "南方占全国的比重"}
TESTS = {
    "trend": {"en": "Trend of sd of logs, per year", "zh": "对数标准差的年趋势"},
    "pitman_morgan": {"en": "First vs last year, Pitman-Morgan", "zh": "首末年比较（Pitman-Morgan）"},
    "carree_klomp": {"en": "First vs last year, Carree-Klomp", "zh": "首末年比较（Carree-Klomp）"},
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


def reading(results: econ.report.Results) -> dict[str, str]:
    """What the numbers say."""
    south = results.frame("shares").query("half == 'South'").set_index(["variable", "year"])["share"]
    first, last = (south["invention_applications", year] for year in (2015, 2018))
    income, grants = (results.estimate(f"beta_{x}_{SPAN[0]}_{SPAN[1]}").tidy().set_index("term") for x in LEVELS)
    speeds = [100 * frame.loc["speed", "estimate"] for frame in (income, grants)]
    lows, highs = ([100 * f.loc["speed", side] for f in (income, grants)] for side in ("ci_low", "ci_high"))
    return {
        "en": f"The South's share of invention applications rose from {first:.1f} % in 2015 to {last:.1f} % in 2018. "
        f"Between {SPAN[0]} and {SPAN[1]} real GDP per head converged at {speeds[0]:.2f} % a year "
        f"(95 % interval {lows[0]:.2f} to {highs[0]:.2f}), invention grants per 10,000 residents at {speeds[1]:.2f} % "
        f"({lows[1]:.2f} to {highs[1]:.2f}).",
        "zh": f"南方占发明专利申请量的比重由 2015 年的 {first:.1f}% 升至 2018 年的 {last:.1f}%。"
        f"{SPAN[0]}—{SPAN[1]} 年，实际人均 GDP 的年收敛速度为 {speeds[0]:.2f}%(95% 区间 {lows[0]:.2f}—{highs[0]:.2f}),"
        f"每万人发明专利授权量为 {speeds[1]:.2f}%({lows[1]:.2f}—{highs[1]:.2f})。",
    }


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
            }
        ],
        missing={"en": "– not defined for that test.", "zh": "–表示该检验无此项。"},
        style=style,
    )


if __name__ == "__main__":
    econ.report.run(__file__)
