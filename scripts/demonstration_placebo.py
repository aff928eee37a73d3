"""Placebos for the demonstration zones: 5,000 random assignments, provinces left out, dates before the true ones."""

from collections.abc import Iterator
from typing import Any

import econ
from econ.report import DataColumn, Item, data_table, item, permutation_plot, robustness_plot

TITLE = {"en": "Placebo tests of the demonstration zones", "zh": "示范区的安慰剂检验"}
ABSTRACT = {
    "en": "What two-way fixed effects and Callaway and Sant'Anna find on log invention grants when the approval years are handed out to "
    "provinces at random, 5,000 times; when one province is left out; and when approval is dated up to five years earlier, on the years "
    "before it only.",
    "zh": "将获批年份在省份间随机分配 5000 次、逐一剔除省份，以及仅用获批前数据并把获批时间提前至多五年时，双向固定效应与 Callaway-Sant'Anna 估计在发明专利授权量（对数）上得到的结果。",
}
DATASETS = ("provinces", "regions", "innovation_demonstration_zones")

OUTCOME = "log_invention_grants"
DRAWS = 5000
SHIFTS = (1, 2, 3, 4, 5)
ESTIMATORS = {"twfe": econ.did.twfe, "callaway": econ.did.callaway_santanna}


def estimate() -> dict[str, Any]:
    """Randomisation over all provinces and within halves of the country; leave one out; earlier dates."""
    roster = econ.roster("innovation_demonstration_zones")
    panel = econ.load("provinces").with_cohort(roster).log(["invention_grants"])
    panel = panel.join(econ.regions()[["province", "half"]])
    complete = panel.where(lambda d: d.groupby("province")[OUTCOME].transform("count") == d["year"].nunique())
    results: dict[str, Any] = {}
    for name, estimator in ESTIMATORS.items():
        draw = {"cohort": "cohort", "draws": DRAWS}
        results[f"random_{name}"] = econ.did.permute(estimator, complete, OUTCOME, **draw)
        within = econ.did.permute(estimator, complete, OUTCOME, within="half", **draw)
        results[f"within_{name}"] = within.p_value
        results[f"left_out_{name}"] = econ.did.leave_one_out(estimator, complete, OUTCOME, cohort="cohort")
        results[f"earlier_{name}"] = econ.did.placebo_dates(
            estimator, complete, OUTCOME, cohort="cohort", shifts=SHIFTS
        )
    return results


# ---- rendering

LABELS = {OUTCOME: {"en": "Log invention grants", "zh": "发明专利授权量（对数）"}}
NAMES = {
    "twfe": {"en": "two-way fixed effects", "zh": "双向固定效应"},
    "callaway": {"en": "Callaway and Sant'Anna", "zh": "Callaway-Sant'Anna 估计"},
}


def render(results: econ.report.Results, lang: econ.Lang) -> Iterator[Item]:
    """Densities with the estimate, the earlier dates, the provinces left out."""
    yield item("reading", reading(results)[lang])
    for name, words in NAMES.items():
        title = {"en": f"Random assignments: {words['en']}", "zh": f"随机分配：{words['zh']}"}
        yield item(f"random_{name}", permutation_plot(results[f"random_{name}"], labels=LABELS, title=title, lang=lang))
    yield item("earlier", earlier(results, lang))
    for name, words in NAMES.items():
        title = {"en": f"One province left out: {words['en']}", "zh": f"逐一剔除省份：{words['zh']}"}
        yield item(
            f"left_out_{name}", robustness_plot(results[f"left_out_{name}"], labels=LABELS, title=title, lang=lang)
        )


def earlier(results: econ.report.Results, lang: econ.Lang) -> econ.report.Table:
    """Estimates for dates before the true ones, both estimators side by side."""
    frames = [results[f"earlier_{name}"].frame.set_index("periods_earlier") for name in NAMES]
    frame = frames[0][["estimate", "std_error", "p_value"]].join(
        frames[1][["estimate", "std_error", "p_value"]], lsuffix="_twfe", rsuffix="_callaway"
    )
    columns = {}
    for name, words in NAMES.items():
        columns[f"estimate_{name}"] = DataColumn({"en": "Estimate", "zh": "估计值"}, words)
        columns[f"std_error_{name}"] = DataColumn({"en": "Standard error", "zh": "标准误"}, words)
        columns[f"p_value_{name}"] = DataColumn({"en": "p", "zh": "p 值"}, words, "p_value")
    notes = [
        {
            "en": "Log invention grants on the years before approval only, approval dated earlier. An effect here is a difference in trends.",
            "zh": "仅用获批前的年份，并将获批时间提前；此处的“效应”即趋势差异。",
        }
    ]
    title = {"en": "Approval dated earlier", "zh": "提前获批时间"}
    return data_table(
        frame, title=title, lang=lang, columns=columns, stub={"en": "Years earlier", "zh": "提前年数"}, notes=notes
    )


def reading(results: econ.report.Results) -> dict[str, str]:
    """What the placebos say."""
    numbers: dict[str, Any] = {"draws": f"{DRAWS:,}"}
    for name in NAMES:
        found, left = results[f"random_{name}"], results[f"left_out_{name}"].frame
        earlier = results[f"earlier_{name}"].frame
        numbers |= {
            f"b_{name}": f"{found.estimate:.3f}",
            f"p_{name}": f"{found.p_value:.3f}",
            f"within_{name}": f"{results[f'within_{name}']:.3f}",
            f"low_{name}": f"{left['estimate'].min():.3f}",
            f"high_{name}": f"{left['estimate'].max():.3f}",
            f"from_{name}": f"{earlier['estimate'].min():.3f}",
            f"to_{name}": f"{earlier['estimate'].max():.3f}",
            f"found_{name}": int((earlier["p_value"] < 0.05).sum()),
        }
    text = {
        "en": "Among {draws} random assignments of the approval years, the two-way fixed-effects coefficient of {b_twfe} has p = {p_twfe} (within "
        "North and South {within_twfe}), Callaway and Sant'Anna's {b_callaway} has p = {p_callaway} ({within_callaway}). No single province "
        "decides: leaving one out moves the first between {low_twfe} and {high_twfe}, the second between {low_callaway} and {high_callaway}. "
        "Dated one to five years earlier, on the years before approval only, two-way fixed effects still find {from_twfe} to {to_twfe}, "
        "{found_twfe} of 5 significant at 5 percent, where no zone existed yet; Callaway and Sant'Anna find {from_callaway} to {to_callaway}, "
        "{found_callaway} of 5 significant. A small p-value under random assignment says that provinces with zones differ from others, not that zones made them differ.",
        "zh": "在 {draws} 次获批年份的随机分配中，双向固定效应系数 {b_twfe} 的 p 值为 {p_twfe}（南北方内分配为 {within_twfe}），Callaway-Sant'Anna 估计 "
        "{b_callaway} 的 p 值为 {p_callaway}（{within_callaway}）。没有单个省份起决定作用：逐一剔除时，前者介于 {low_twfe} 与 {high_twfe} 之间，后者介于 "
        "{low_callaway} 与 {high_callaway} 之间。仅用获批前数据并把获批时间提前一至五年，双向固定效应在示范区尚不存在时仍得到 {from_twfe} 至 {to_twfe}（5 个中 "
        "{found_twfe} 个在 5% 水平显著），Callaway-Sant'Anna 估计为 {from_callaway} 至 {to_callaway}（{found_callaway} 个显著）。随机分配下的小 p 值只说明有示范区的省份与其他省份不同，并不说明差异由示范区造成。",
    }
    return {lang: words.format(**numbers) for lang, words in text.items()}


if __name__ == "__main__":
    econ.report.run(__file__)
