"""Growth of the provinces: R&D, schooling, investment, openness and the distance to the frontier."""

from collections.abc import Iterator

import numpy as np

import econ
from econ.report import Item, coefficient_plot, item, table

TITLE = {"en": "Growth, R&D and the distance to the frontier", "zh": "增长、研发与技术前沿距离"}
ABSTRACT = {
    "en": "Two-way fixed-effects regressions of annual real growth on lagged R&D intensity, schooling, investment, openness "
    "and distance to the frontier, with the interaction of R&D and distance: do returns to R&D differ near the frontier?",
    "zh": "以省份与年份双向固定效应模型，将实际年增长率对滞后的研发强度、受教育年限、投资率、开放度和与前沿的距离回归，"
    "并引入研发强度与距离的交互项：越接近前沿，研发回报是否不同?",
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


def estimate() -> dict[str, econ.Estimate]:
    """Four columns: three clustered by province, the last again with Driscoll-Kraay errors."""
    panel = prepare()
    formulas = {name: f"growth ~ {terms} + {CONTROLS} | province + year" for name, terms in COLUMNS.items()}
    results = {name: econ.feols(panel, formula) for name, formula in formulas.items()}
    results["driscoll_kraay"] = econ.feols(panel, formulas["interaction"], vcov=econ.driscoll_kraay())
    return results


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


def reading(results: econ.report.Results) -> dict[str, str]:
    """What the numbers say."""
    clustered, dk = (results.estimate(name).tidy().set_index("term") for name in ("interaction", "driscoll_kraay"))
    term = "rd_distance"
    b = clustered.loc[term, "estimate"]
    low, high = clustered.loc[term, ["ci_low", "ci_high"]]
    low_dk, high_dk = dk.loc[term, ["ci_low", "ci_high"]]
    return {
        "en": f"One log point further from the frontier changes the association of growth with one percentage point of R&D by "
        f"{b:.2f} points (95 % interval {low:.2f} to {high:.2f} clustered by province, {low_dk:.2f} to {high_dk:.2f} by "
        "Driscoll and Kraay). These are conditional associations, not effects of a policy.",
        "zh": f"与前沿的距离每增加 1 个对数点，研发强度每 1 个百分点与增长的关联变化 {b:.2f} 个百分点"
        f"(95% 区间：按省份聚类 {low:.2f} 至 {high:.2f},Driscoll-Kraay {low_dk:.2f} 至 {high_dk:.2f})。"
        "以上为条件相关，并非政策效应。",
    }


if __name__ == "__main__":
    econ.report.run(__file__)
