"""National Innovation Demonstration Zones: treatment status, two-way fixed effects, event study."""

from collections.abc import Iterator

import pandas as pd

import econ
from econ.report import Item, event_plot, item, table, treatment_plot

TITLE = {"en": "National Innovation Demonstration Zones and invention patents", "zh": "国家自主创新示范区与发明专利"}
ABSTRACT = {
    "en": "19 provinces host a National Innovation Demonstration Zone, the first from 2009, the last from 2019; 12 host none. "
    "Which province was treated when, what a two-way fixed-effects regression of log invention patents gives, and what the "
    "event study shows before treatment.",
    "zh": "19 个省份设有国家自主创新示范区（最早 2009 年，最晚 2019 年），12 个省份没有。本研究展示各省处理状态、"
    "发明专利对数的双向固定效应估计，以及事件研究在处理前的走势。",
}
DATASETS = ("provinces", "innovation_demonstration_zones")

OUTCOMES = ("log_invention_grants", "log_invention_applications")
WINDOW = (-6, 6)
LATE = 2007


def estimate() -> dict[str, econ.Estimate | pd.DataFrame]:
    """Two-way fixed effects over all years and from 2007 on; the event study over all years."""
    roster = econ.roster("innovation_demonstration_zones")
    panel = econ.load("provinces").with_cohort(roster).log(["invention_grants", "invention_applications"])
    late = panel.where(lambda d: d["year"] >= LATE)
    results: dict[str, econ.Estimate | pd.DataFrame] = {"status": panel.frame[["province", "year", "cohort"]]}
    for outcome in OUTCOMES:
        results[f"twfe_{outcome}"] = econ.did.twfe(panel, outcome, cohort="cohort")
        results[f"twfe_late_{outcome}"] = econ.did.twfe(late, outcome, cohort="cohort")
        results[f"event_{outcome}"] = econ.did.event_study(panel, outcome, cohort="cohort", window=WINDOW)
    return results


# ---- rendering

LABELS = {
    "treated": {"en": "Demonstration zone", "zh": "示范区"},
    "log_invention_grants": {"en": "Log invention grants", "zh": "发明专利授权量（对数）"},
    "log_invention_applications": {"en": "Log invention applications", "zh": "发明专利申请量（对数）"},
}

STATUS_TITLE = {"en": "Provinces with a demonstration zone", "zh": "设有示范区的省份"}
EVENT_TITLE = {"en": "Before and after the first approval", "zh": "首次批准前后"}


def render(results: econ.report.Results, lang: econ.Lang) -> Iterator[Item]:
    """Treatment status, the table, the event study."""
    yield item("reading", reading(results)[lang])
    status = econ.Panel(results.frame("status"), "province", "year")
    yield item("status", treatment_plot(status, labels=LABELS, title=STATUS_TITLE, lang=lang))
    yield item(
        "twfe",
        table(
            [results.estimate(f"{kind}_{outcome}") for outcome in OUTCOMES for kind in ("twfe", "twfe_late")],
            title={"en": "Two-way fixed effects", "zh": "双向固定效应估计"},
            headers=[{"en": "2000-2023", "zh": "2000—2023 年"}, {"en": f"{LATE}-2023", "zh": f"{LATE}—2023 年"}] * 2,
            labels=LABELS,
            lang=lang,
            style="three_line" if lang == "zh" else "journal",
        ),
    )
    events = {LABELS[outcome][lang]: results.estimate(f"event_{outcome}") for outcome in OUTCOMES}
    yield item("event_study", event_plot(events, labels=LABELS, title=EVENT_TITLE, lang=lang))


def reading(results: econ.report.Results) -> dict[str, str]:
    """What the numbers say, and why the first is not to be believed."""
    whole, late = (results.estimate(f"{kind}_log_invention_grants") for kind in ("twfe", "twfe_late"))
    event = results.estimate("event_log_invention_grants")
    leads = [term for term, e in zip(event.terms, event.spec["event_time"], strict=True) if e < 0]
    p_value = event.wald(leads).p_value
    numbers = {
        "b": f"{whole.coef[0]:.3f} ({whole.std_error[0]:.3f})",
        "late": f"{late.coef[0]:.3f} ({late.std_error[0]:.3f})",
        "first": f"{event.coef[0]:.3f} ({event.std_error[0]:.3f})",
        "p": "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}",
        "year": LATE,
        "lead": -WINDOW[0],
    }
    text = {
        "en": "With all years the two-way fixed-effects coefficient on log invention grants is {b}, with the years from {year} on it "
        "is {late} (standard errors in parentheses): a number that moves like this with the length of the pre-period is not to "
        "be read as the effect of the zones. In the event study the coefficient of {lead} and more years before approval is "
        "{first}, and the leads are jointly zero with {p}. With treatment dates that differ, the coefficient also mixes "
        "comparisons with provinces already treated.",
        "zh": "使用全部年份时，发明专利授权量（对数）的双向固定效应系数为 {b}；仅用 {year} 年及以后时为 {late}（括号内为标准误）。"
        "系数随处理前时期长短大幅变动，不能解读为示范区的效应。事件研究中，批准前 {lead} 年及更早的系数为 {first}，"
        "处理前各系数联合为零的检验 {p}。处理时间不一时，该系数还混入了与已处理省份的比较。",
    }
    return {lang: words.format(**numbers) for lang, words in text.items()}


if __name__ == "__main__":
    econ.report.run(__file__)
