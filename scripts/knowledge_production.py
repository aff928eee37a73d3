"""Knowledge production of the provinces: invention grants from R&D personnel and R&D stock, and the neighbours' stock."""

from collections.abc import Iterator

import pandas as pd

import econ
from econ.data.transform import SteadyState
from econ.report import Item, coefficient_plot, item, table
from econ.spatial import Weights

TITLE = {"en": "Knowledge production of the provinces", "zh": "各省知识生产函数"}
ABSTRACT = {
    "en": "Invention patents granted on last year's R&D personnel, R&D spending or R&D stock, and the R&D stock of neighbouring "
    "provinces: Poisson pseudo-maximum likelihood beside least squares in logs, with slopes by plate.",
    "zh": "以发明专利授权量对上年的研发人员、研发经费或研发存量以及相邻省份研发存量回归：泊松伪极大似然与对数最小二乘并列，"
    "并按板块估计斜率。",
}
DATASETS = ("provinces", "regions", "borders")

YEARS = (2011, 2020)
DEPRECIATION = 0.15
PERSONNEL, SPENDING = "log_lag1_rd_personnel", "log_lag1_real_rd_expenditure"
STOCK, NEIGHBOURS = "log_lag1_capital_real_rd_expenditure", "log_lag1_neighbour_stock"
BY_PLATE = f"{PERSONNEL}:C(plate) + {STOCK}:C(plate) + {NEIGHBOURS}"
EFFECTS = "province + year"


def estimate() -> dict[str, econ.Estimate]:
    """Spending, stock, stock with neighbours, each in logs and by Poisson; then slopes by plate, both ways."""
    panel = prepare()
    results = {}
    for name, terms in (
        ("spending", f"{PERSONNEL} + {SPENDING}"),
        ("stock", f"{PERSONNEL} + {STOCK}"),
        ("neighbours", f"{PERSONNEL} + {STOCK} + {NEIGHBOURS}"),
    ):
        results[f"ols_{name}"] = econ.feols(panel, f"log_invention_grants ~ {terms} | {EFFECTS}")
        results[f"ppml_{name}"] = econ.fepois(panel, f"invention_grants ~ {terms} | {EFFECTS}")
    terms = f"{PERSONNEL} + {STOCK} + {NEIGHBOURS}"
    results["ols_plates"] = econ.growth.heterogeneity(
        panel, f"log_invention_grants ~ {terms} | {EFFECTS}", by="plate", terms=[PERSONNEL, STOCK]
    )
    results["ppml_plates"] = econ.fepois(panel, f"invention_grants ~ {BY_PLATE} | {EFFECTS}")
    return results


def prepare() -> econ.Panel:
    """R&D at 2010 consumer prices, its stock, the neighbours' mean stock; all a year before the grants, in logs."""
    panel = (
        econ.load("provinces")
        .deflate(["rd_expenditure"], "cpi", 2010)
        .where(lambda d: d["year"].between(YEARS[0] - 1, YEARS[1]))
        .capital_stock("real_rd_expenditure", DEPRECIATION, SteadyState(5))
    )
    panel = panel.join(neighbour_stock(panel), on=["province", "year"]).join(econ.regions()[["province", "plate"]])
    inputs = ["rd_personnel", "real_rd_expenditure", "capital_real_rd_expenditure", "neighbour_stock"]
    panel = panel.lag(inputs).where(lambda d: d["year"].between(*YEARS))
    return panel.log(["invention_grants", *(f"lag1_{name}" for name in inputs)])


def neighbour_stock(panel: econ.Panel) -> pd.DataFrame:
    """Mean R&D stock of the provinces that share a border, by province and year."""
    weights = Weights.from_borders(panel)
    stock = panel.frame.pivot(index="province", columns="year", values="capital_real_rd_expenditure")
    stock = stock.loc[list(weights.units)]
    near = pd.DataFrame(weights.lag(stock.to_numpy()), index=stock.index, columns=stock.columns)
    return near.stack().rename("neighbour_stock").reset_index()


# ---- rendering

LABELS = {
    "log_invention_grants": {"en": "Log invention grants", "zh": "发明专利授权量（对数）"},
    "invention_grants": {"en": "Invention grants", "zh": "发明专利授权量"},
    PERSONNEL: {"en": "R&D personnel, log (t−1)", "zh": "R&D 人员，对数（t−1）"},
    SPENDING: {"en": "R&D spending, log (t−1)", "zh": "R&D 经费，对数（t−1）"},
    STOCK: {"en": "R&D stock, log (t−1)", "zh": "R&D 存量，对数（t−1）"},
    NEIGHBOURS: {"en": "Neighbours' R&D stock, log (t−1)", "zh": "相邻省份 R&D 存量，对数（t−1）"},
    "plate": {"en": "Plate", "zh": "板块"},
}
NOTES = [
    {
        "en": "R&D personnel in full-time equivalents. R&D spending at 2010 prices by each province's consumer price index, published "
        "to 2019; stock by perpetual inventory with 15 % depreciation from 2010 on, the first by the growth of its first five years. "
        "Neighbours' stock: mean over provinces with a common border; Guangdong and Hainan count as neighbours.",
        "zh": "R&D 人员为全时当量。R&D 经费按各省居民消费价格指数折为 2010 年价（指数公布至 2019 年）；存量自 2010 年起按永续盘存法计算，"
        "折旧率 15%，初始存量由前五年增速推算。相邻省份存量为接壤省份的均值；广东与海南视为相邻。",
    },
]
MODELS = {
    "ols_spending": {"en": "Log, OLS", "zh": "对数 OLS"},
    "ppml_spending": {"en": "Poisson", "zh": "泊松"},
    "ols_stock": {"en": "Log, OLS", "zh": "对数 OLS"},
    "ppml_stock": {"en": "Poisson", "zh": "泊松"},
    "ols_neighbours": {"en": "Log, OLS", "zh": "对数 OLS"},
    "ppml_neighbours": {"en": "Poisson", "zh": "泊松"},
}
EN = {"East": "the East", "Central": "the centre", "West": "the West", "Northeast": "the Northeast"}
ZH = {"East": "东部", "Central": "中部", "West": "西部", "Northeast": "东北"}
PLATES = {"ols_plates": MODELS["ols_stock"], "ppml_plates": MODELS["ppml_stock"]}
FEW = {
    "en": "The Northeast is three provinces and Central six: their own standard errors rest on few clusters.",
    "zh": "东北仅三省、中部六省，其标准误依据的聚类很少。",
}


def render(results: econ.report.Results, lang: econ.Lang) -> Iterator[Item]:
    """The pooled table, the table by plate, and the elasticities by plate as a figure."""
    estimates = {name: results.estimate(name) for name in (*MODELS, *PLATES)}
    style = "three_line" if lang == "zh" else "journal"
    span = f"{YEARS[0]}-{YEARS[1]}" if lang == "en" else f"{YEARS[0]}—{YEARS[1]} 年"
    yield item("reading", reading(results)[lang])
    for name, models, words, notes in (
        ("grants", MODELS, {"en": "Invention grants and R&D", "zh": "发明专利授权与研发"}, NOTES),
        (
            "plates",
            PLATES,
            {"en": "Invention grants and R&D by plate", "zh": "分板块的发明专利授权与研发"},
            [*NOTES, FEW],
        ),
    ):
        yield item(
            name,
            table(
                [estimates[key] for key in models],
                title=f"{words[lang]}, {span}" if lang == "en" else f"{words[lang]}，{span}",
                headers=list(models.values()),
                labels=LABELS,
                notes=notes,
                lang=lang,
                style=style,
            ),
        )
    title = {"en": "Elasticities of invention grants by plate", "zh": "分板块的发明专利授权弹性"}
    shown = {words[lang]: estimates[key] for key, words in PLATES.items()}
    yield item("elasticities", coefficient_plot(shown, labels=LABELS, title=title, lang=lang))


def reading(results: econ.report.Results) -> dict[str, str]:
    """What the numbers say."""
    pooled = {name: results.estimate(name).tidy().set_index("term") for name in MODELS}
    people = [pooled[name].loc[PERSONNEL] for name in ("ols_neighbours", "ppml_neighbours")]
    near = [pooled[name].loc[NEIGHBOURS] for name in ("ols_neighbours", "ppml_neighbours")]
    slopes = results.estimate("ppml_plates")
    terms = [term for term in slopes.terms if term.startswith(f"{PERSONNEL}:")]
    by_plate = {term.rpartition("::")[2]: slopes.tidy().set_index("term").loc[term] for term in terms}
    equal = slopes.wald(" = ".join(terms))
    named = {plate: f"{row['estimate']:.2f} ({row['std_error']:.2f})" for plate, row in by_plate.items()}
    own = results.estimate("ols_plates").test(f"equal: {PERSONNEL}").p_value
    least = min(
        frame.loc[term, "p_value"] for frame in pooled.values() for term in (SPENDING, STOCK) if term in frame.index
    )
    return {
        "en": f"With province and year effects, one percent more R&D personnel goes with {people[1]['estimate']:.2f} percent more "
        f"invention grants a year later by Poisson (standard error {people[1]['std_error']:.2f}) and {people[0]['estimate']:.2f} in logs "
        f"({people[0]['std_error']:.2f}); given personnel, the smallest p-value of spending or its stock in the table is "
        f"{least:.2f}. The elasticity with respect to the neighbours' stock is {near[1]['estimate']:.2f} (p = {near[1]['p_value']:.2f}) by "
        f"Poisson and {near[0]['estimate']:.2f} (p = {near[0]['p_value']:.2f}) in logs. Elasticities of personnel by Poisson are "
        f"{', '.join(f'{value} in {EN[plate]}' for plate, value in named.items())}; that they are equal has "
        f"p = {equal.p_value:.3f} by Poisson and {own:.3f} in logs. These are conditional associations within provinces.",
        "zh": f"控制省份与年份效应后，研发人员每增加 1%，次年发明专利授权按泊松估计增加 {people[1]['estimate']:.2f}%"
        f"（标准误 {people[1]['std_error']:.2f}），按对数估计增加 {people[0]['estimate']:.2f}%（{people[0]['std_error']:.2f}）；"
        f"给定人员，经费及其存量的系数在表中最小的 p 值为 {least:.2f}。对相邻省份存量的弹性按泊松为 {near[1]['estimate']:.2f}"
        f"（p = {near[1]['p_value']:.2f}），按对数为 {near[0]['estimate']:.2f}（p = {near[0]['p_value']:.2f}）。泊松估计的人员弹性："
        f"{'、'.join(f'{ZH[plate]} {value}' for plate, value in named.items())}；各板块相等的检验 p 值为泊松 {equal.p_value:.3f}、"
        f"对数 {own:.3f}。以上为省内条件相关。",
    }


if __name__ == "__main__":
    econ.report.run(__file__)
