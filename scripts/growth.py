"""Growth of the provinces: R&D, schooling, investment, openness and the distance to the frontier."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

import econ
from econ.report import Item, coefficient_plot, item, marginal_plot, specification_plot, table, threshold_plot

TITLE = {"en": "Growth, R&D and the distance to the frontier", "zh": "增长、研发与技术前沿距离"}
ABSTRACT = {
    "en": "Two-way fixed-effects regressions of annual real growth on lagged R&D intensity, schooling, investment, openness "
    "and distance to frontier: do returns to R&D differ near the frontier, smoothly or beyond a threshold, and how far does the "
    "answer depend on the specification? Then the dynamic equation by pooled, within, two-way, jackknife, system GMM and CCE estimates.",
    "zh": "以省份与年份双向固定效应模型，将实际年增长率对滞后的研发强度、受教育年限、投资率、开放度和与前沿的距离回归："
    "越接近前沿，研发回报是否不同（平滑变化或存在门槛），结论在多大程度上取决于设定？再以混合、组内、双向、刀切法、系统 GMM 与 CCE "
    "估计动态方程。",
}
DATASETS = ("provinces",)

BASE = 2010
YEARS = (2011, 2018)
CONTROLS = "lag1_schooling_years + lag1_investment_rate + lag1_log_openness"
COLUMNS = {
    "rd": "rd_intensity",
    "distance": "rd_intensity + lag1_distance_real_gdp_per_head",
    "interaction": "rd_intensity + lag1_distance_real_gdp_per_head + rd_distance",
}
MUNICIPALITIES = ("Beijing", "Tianjin", "Shanghai", "Chongqing")
DYNAMIC = "log_income ~ lag(log_income, 1) + lag(rd_share, 1) + lag(schooling_years, 1) + lag(log_openness, 1)"
SHORT = "log_income ~ lag(log_income, 1) + lag(rd_share, 1)"


def estimate() -> dict[str, Any]:
    """Growth on R&D and distance four ways; the return over distance; a threshold; other choices; dynamics six ways."""
    return static(prepare()) | returns(prepare()) | dynamics(levels())


def static(panel: econ.Panel) -> dict[str, Any]:
    """Four columns: three clustered by province, the last again with Driscoll-Kraay errors."""
    formulas = {name: f"growth ~ {terms} + {CONTROLS} | province + year" for name, terms in COLUMNS.items()}
    results = {name: econ.feols(panel, formula) for name, formula in formulas.items()}
    results["driscoll_kraay"] = econ.feols(panel, formulas["interaction"], vcov=econ.driscoll_kraay())
    return results


def returns(panel: econ.Panel) -> dict[str, Any]:
    """The slope in R&D as a quadratic function of the distance, split at a threshold of it, and under other choices."""
    panel = panel.assign(
        rd=lambda d: d["rd_intensity"] - d["rd_intensity"].mean(),
        distance=lambda d: d["lag1_distance_real_gdp_per_head"],
    )
    smooth = econ.feols(
        panel, f"growth ~ rd + rd:distance + rd:I(distance^2) + distance + I(distance^2) + {CONTROLS} | province + year"
    )
    split = f"growth ~ rd + distance + {CONTROLS} | province + year"
    return {
        "marginal": econ.growth.marginal(smooth, over="distance", at=panel, of="rd"),
        "threshold": econ.growth.threshold(panel, split, "distance", ["rd"]),
        "curve": econ.growth.specification_curve(
            panel,
            "growth",
            "rd",
            [*CONTROLS.split(" + "), "distance"],
            effects=["province", "province + year"],
            samples={"all": None, "no municipalities": lambda d: ~d["province"].isin(MUNICIPALITIES)},
            errors={"clustered": econ.cluster("province"), "Driscoll-Kraay": econ.driscoll_kraay()},
        ),
    }


def dynamics(panel: econ.Panel) -> dict[str, Any]:
    """Log real product per head on its lag; CCE, which needs more periods than regressors, with R&D alone."""
    two_way = f"{DYNAMIC} | province + year"
    hausman = econ.growth.mundlak(panel, f"{DYNAMIC} + C(year)").test("mundlak")
    within = econ.growth.pesaran_cd(panel, f"{DYNAMIC} | province")
    left = [econ.growth.pesaran_cd(panel, two_way).test(name) for name in ("cd_weighted", "cd_star")]
    return {
        "pooled": econ.growth.pooled(panel, f"{DYNAMIC} + C(year)"),
        "within": replace(econ.feols(panel, f"{DYNAMIC} | province"), tests=within.tests),
        "two_way": replace(econ.feols(panel, two_way), tests=(hausman, *left)),
        "jackknife": econ.growth.half_panel_jackknife(panel, two_way),
        "system_gmm": econ.growth.dynamic(
            panel,
            DYNAMIC,
            gmm=[econ.gmm("log_income", lags=(2, 3)), econ.gmm("lag(rd_share, 1)", lags=(1, 2))],
            iv=["lag(schooling_years, 1)", "lag(log_openness, 1)"],
            collapse=True,
            system=True,
        ),
        "cce": econ.growth.cce_pooled(panel, SHORT),
    }


def levels() -> econ.Panel:
    """Log real product per head at prices of 2010, R&D and openness as shares, up to 2019."""
    panel = econ.load("provinces").interpolate(["schooling_years"]).carry(["gdp"], "gdp_index", BASE)
    return panel.assign(
        log_income=lambda d: np.log(d["real_gdp"] / d["population"] * 10_000),
        rd_share=lambda d: 100 * d["rd_expenditure"] / d["gdp"],
        log_openness=lambda d: np.log((d["exports"] + d["imports"]) / d["gdp"]),
    )


def prepare() -> econ.Panel:
    """Growth in percent, regressors of the year before; distance centred, so that the R&D term is at mean distance."""
    panel = econ.load("provinces").interpolate(["schooling_years"]).carry(["gdp"], "gdp_index", BASE)
    panel = (
        panel.assign(
            growth=lambda d: 100 * np.log(d["gdp_index"] / 100),
            real_gdp_per_head=lambda d: d["real_gdp"] / d["population"] * 10_000,
            rd_share=lambda d: 100 * d["rd_expenditure"] / d["gdp"],
            investment_rate=lambda d: 100 * d["gfcf"] / d["gdp"],
            log_openness=lambda d: np.log((d["exports"] + d["imports"]) / d["gdp"]),
        )
        .distance_to_frontier(["real_gdp_per_head"])
        .lag(["rd_share", "schooling_years", "investment_rate", "log_openness", "distance_real_gdp_per_head"])
        .where(lambda d: d["year"].between(*YEARS))
    )
    return panel.assign(
        rd_intensity=lambda d: d["lag1_rd_share"],
        rd_distance=lambda d: (
            d["lag1_rd_share"] * (d["lag1_distance_real_gdp_per_head"] - d["lag1_distance_real_gdp_per_head"].mean())
        ),
    )


# ---- rendering

LABELS = {
    "growth": {"en": "Real GDP growth, log points x 100", "zh": "实际GDP增长率（对数差×100）"},
    "rd_intensity": {"en": "R&D spending, % of GDP (t−1)", "zh": "R&D 经费占 GDP 比重，%(t−1)"},
    "lag1_distance_real_gdp_per_head": {"en": "Distance to frontier (t−1)", "zh": "与前沿的距离（t−1）"},
    "rd_distance": {"en": "R&D x distance, centred (t−1)", "zh": "R&D × 距离（中心化，t−1）"},
    "lag1_schooling_years": {"en": "Mean years of schooling (t−1)", "zh": "平均受教育年限（t−1）"},
    "lag1_investment_rate": {"en": "Fixed capital formation, % of GDP (t−1)", "zh": "固定资本形成占 GDP 比重，%(t−1)"},
    "lag1_log_openness": {"en": "Log trade over GDP (t−1)", "zh": "对数外贸依存度（t−1）"},
    "rd": {"en": "R&D spending, % of GDP (t−1)", "zh": "R&D 经费占 GDP 比重，%(t−1)"},
    "distance": {"en": "Distance to frontier (t−1)", "zh": "与前沿的距离（t−1）"},
    "clustered": {"en": "Clustered by province", "zh": "按省份聚类"},
    "no municipalities": {"en": "Without the four municipalities", "zh": "不含直辖市"},
    "log_income": {"en": "Log real GDP per head", "zh": "实际人均 GDP（对数）"},
    "lag(log_income, 1)": {"en": "Log real GDP per head (t−1)", "zh": "实际人均 GDP（对数，t−1）"},
    "lag(rd_share, 1)": {"en": "R&D spending, % of GDP (t−1)", "zh": "R&D 经费占 GDP 比重，%(t−1)"},
    "lag(schooling_years, 1)": {"en": "Mean years of schooling (t−1)", "zh": "平均受教育年限（t−1）"},
    "lag(log_openness, 1)": {"en": "Log trade over GDP (t−1)", "zh": "对数外贸依存度（t−1）"},
}
NOTES = [
    {
        "en": "Distance to frontier: log gap of real GDP per head to the richest province of the year; in the interaction it is "
        "centred at its mean. Trade in US dollars over GDP in yuan: the exchange rate is common to all provinces and taken up "
        "by the year effects. Schooling of 2010 (a census year without the survey) is interpolated. Nominal GDP is the revised "
        "vintage, capital formation is not.",
        "zh": "与前沿的距离：实际人均 GDP 与当年最富省份的对数差，交互项中已中心化。外贸额以美元计、GDP 以人民币计，汇率为各省共同，"
        "由年份效应吸收。2010 年（普查年，无抽样调查）受教育年限为内插。名义 GDP 为修订后口径，资本形成为修订前口径。",
    },
    {
        "en": "The lagged level enters through the distance, so that the within estimator is biased in a short panel (Nickell): "
        "read the distance term with care.",
        "zh": "滞后水平经由距离进入方程，短面板的组内估计量有偏（Nickell 偏误），解读距离项时应谨慎。",
    },
]
MODELS = {
    "rd": {"en": "R&D", "zh": "研发"},
    "distance": {"en": "+ distance", "zh": "+ 距离"},
    "interaction": {"en": "+ interaction", "zh": "+ 交互项"},
    "driscoll_kraay": {"en": "Driscoll-Kraay", "zh": "Driscoll-Kraay"},
}
DYNAMICS = {
    "pooled": {"en": "Pooled", "zh": "混合"},
    "within": {"en": "Within", "zh": "组内"},
    "two_way": {"en": "Two-way", "zh": "双向"},
    "jackknife": {"en": "Jackknife", "zh": "刀切法"},
    "system_gmm": {"en": "System GMM", "zh": "系统 GMM"},
    "cce": {"en": "CCE pooled", "zh": "CCE 混合"},
}
DYNAMIC_NOTES = [
    {
        "en": "Real GDP per head at 2010 prices, 2011-2019. Pooled, system GMM: with year effects. The pooled coefficient of the lag is "
        "biased upwards by what provinces keep, within and two-way downwards (Nickell); the half-panel jackknife corrects the latter. "
        "CCE has averages of the outcome and the regressors for each province, for which nine periods allow R&D alone. CD tests are of "
        "the residuals, with year effects the weighted CD and CD* alone: CD rejects there by construction; the Mundlak test compares within and between slopes (Hausman's question, clustered).",
        "zh": "实际人均 GDP 按 2010 年价，2011—2019 年。混合与系统 GMM 含年份效应。混合估计的滞后项系数因省份固有差异而偏高，组内与双向则"
        "偏低（Nickell），半面板刀切法修正后者。CCE 对各省加入被解释变量与解释变量的截面均值，9 期仅容许研发一个解释变量。CD 检验针对残差，含年份效应时仅用加权 CD 与 CD*（CD 此时必然拒绝）；"
        "Mundlak 检验比较组内与组间斜率（即 Hausman 检验的聚类形式）。",
    },
]
DYNAMIC_STATS = (
    *("n_obs", "n_units", "n_instruments", "ar2", "hansen", "equal_halves", "mundlak"),
    *("cd", "cd_weighted", "cd_star"),
)
FIGURES = {
    "marginal": {
        "en": "Association of growth with R&D, by distance to the frontier",
        "zh": "增长与研发的关联：按与前沿的距离",
    },
    "threshold": {"en": "Threshold in the distance to the frontier", "zh": "与前沿距离的门槛"},
    "curve": {"en": "R&D and growth under 128 specifications", "zh": "研发与增长：128 种设定"},
}
FIGURE_TITLE = {"en": "Associations with annual growth", "zh": "与年增长率的关联"}


def render(results: econ.report.Results, lang: econ.Lang) -> Iterator[Item]:
    """The table of four columns, and the R&D terms as a figure."""
    estimates = {name: results.estimate(name) for name in MODELS}
    yield item("reading", reading(results)[lang])
    yield item(
        "growth",
        table(
            list(estimates.values()),
            title={
                "en": f"Growth of the provinces, {YEARS[0]}-{YEARS[1]}",
                "zh": f"各省经济增长回归，{YEARS[0]}—{YEARS[1]} 年",
            },
            headers=list(MODELS.values()),
            labels=LABELS,
            notes=NOTES,
            lang=lang,
            style="three_line" if lang == "zh" else "journal",
        ),
    )
    shown = {MODELS[name][lang]: estimate for name, estimate in estimates.items()}
    yield item("coefficients", coefficient_plot(shown, labels=LABELS, title=FIGURE_TITLE, lang=lang))
    for name, plot in (("marginal", marginal_plot), ("threshold", threshold_plot), ("curve", specification_plot)):
        yield item(name, plot(results[name], labels=LABELS, title=FIGURES[name], lang=lang))
    yield item(
        "dynamics",
        table(
            [results.estimate(name) for name in DYNAMICS],
            title={"en": "Dynamics of real GDP per head, 2011-2019", "zh": "实际人均 GDP 的动态，2011—2019 年"},
            headers=list(DYNAMICS.values()),
            labels=LABELS,
            keep=["lag(*"],
            stats=DYNAMIC_STATS,
            notes=DYNAMIC_NOTES,
            lang=lang,
            style="three_line" if lang == "zh" else "journal",
        ),
    )


def reading(results: econ.report.Results) -> dict[str, str]:
    """What the numbers say."""
    clustered, dk = (results.estimate(name).tidy().set_index("term") for name in ("interaction", "driscoll_kraay"))
    term = "rd_distance"
    b = clustered.loc[term, "estimate"]
    low, high = clustered.loc[term, ["ci_low", "ci_high"]]
    low_dk, high_dk = dk.loc[term, ["ci_low", "ci_high"]]
    split, curve = results["threshold"], results["curve"].summary
    medians = results["curve"].frame.groupby("effects")["estimate"].median()
    near, far = (split.estimate.tidy().set_index("term").loc[f"rd:regime{k}"] for k in (1, 2))
    at, p = split.thresholds["estimate"].iloc[0], split.tests["p_value"].iloc[0]
    lags = {name: results.estimate(name).params["lag(log_income, 1)"] for name in DYNAMICS}
    rd = {name: results.estimate(name).params["lag(rd_share, 1)"] * 100 for name in DYNAMICS}
    cd = results.estimate("within").test("cd").statistic
    left = results.estimate("two_way").test("cd_weighted").p_value
    return {
        "en": f"One log point further from the frontier changes the association of growth with one percentage point of R&D by "
        f"{b:.2f} points (95 % interval {low:.2f} to {high:.2f} clustered by province, {low_dk:.2f} to {high_dk:.2f} by "
        f"Driscoll and Kraay). A threshold at a distance of {at:.2f} (bootstrap p = {p:.3f}) splits the slope into {near['estimate']:.2f} "
        f"({near['std_error']:.2f}) nearer to the frontier and {far['estimate']:.2f} ({far['std_error']:.2f}) beyond. Over "
        f"{curve['n']:.0f} specifications the R&D coefficient runs from {curve['low']:.1f} to {curve['high']:.1f}; the median is "
        f"{medians['province']:.2f} without year effects, where R&D takes up what all provinces have in common, and "
        f"{medians['province + year']:.2f} with them. In the dynamic equation the lag is "
        f"{lags['pooled']:.2f} pooled, {lags['two_way']:.2f} two-way and {lags['jackknife']:.2f} by the jackknife, and a percentage point of "
        f"R&D goes with {rd['two_way']:.1f}, {rd['jackknife']:.1f} and, by system GMM, {rd['system_gmm']:.1f} percent of real GDP per head. "
        f"Without year effects the provinces' residuals move together (CD {cd:.1f}); with them the weighted CD test has p = {left:.2f}. "
        "These are conditional associations, not effects of a policy.",
        "zh": f"与前沿的距离每增加 1 个对数点，研发强度每 1 个百分点与增长的关联变化 {b:.2f} 个百分点"
        f"（95% 区间：按省份聚类 {low:.2f} 至 {high:.2f}，Driscoll-Kraay {low_dk:.2f} 至 {high_dk:.2f}）。"
        f"距离门槛为 {at:.2f}（自助法 p = {p:.3f}）：近于门槛时斜率 {near['estimate']:.2f}（{near['std_error']:.2f}），"
        f"远于门槛时 {far['estimate']:.2f}（{far['std_error']:.2f}）。{curve['n']:.0f} 种设定下研发系数介于 "
        f"{curve['low']:.1f} 至 {curve['high']:.1f}；不含年份效应（研发系数吸收各省共同变化）时中位数为 {medians['province']:.2f}，"
        f"含年份效应时为 {medians['province + year']:.2f}。"
        f"动态方程中滞后项系数：混合 {lags['pooled']:.2f}、双向 {lags['two_way']:.2f}、刀切法 {lags['jackknife']:.2f}；研发强度每 1 个百分点"
        f"对应实际人均 GDP {rd['two_way']:.1f}%、{rd['jackknife']:.1f}% 与（系统 GMM）{rd['system_gmm']:.1f}%。"
        f"不含年份效应时残差的 CD 统计量为 {cd:.1f}，含年份效应时加权 CD 检验 p = {left:.2f}。以上为条件相关，并非政策效应。",
    }


if __name__ == "__main__":
    econ.report.run(__file__)
