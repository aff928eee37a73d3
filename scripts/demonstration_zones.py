"""National Innovation Demonstration Zones: every estimator side by side, and why they differ."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

import econ
from econ.report import (
    DataColumn,
    Item,
    bacon_plot,
    data_table,
    event_plot,
    honest_plot,
    item,
    table,
    treatment_plot,
    weights_plot,
)

TITLE = {"en": "National Innovation Demonstration Zones and invention patents", "zh": "国家自主创新示范区与发明专利"}
ABSTRACT = {
    "en": "19 provinces host a National Innovation Demonstration Zone, the first from 2009, the last from 2019; 12 host none. "
    "Two-way fixed effects find a large effect on invention patents, Callaway and Sant'Anna find none. The weights of both on "
    "the years before approval say why: what differs is which years treated provinces are compared with. Then inference for "
    "few regions, sensitivity to violations of parallel trends, and what equivalence tests can and cannot rule out.",
    "zh": "19 个省份设有国家自主创新示范区（最早 2009 年，最晚 2019 年），12 个省份没有。双向固定效应得到较大的发明专利效应，"
    "Callaway-Sant'Anna 估计则几乎为零。两者在获批前各年上的权重说明了原因：差别在于处理省份与哪些年份相比。"
    "随后给出少数地区的推断、对平行趋势偏离的敏感性，以及等价性检验的结论。",
}
DATASETS = ("provinces", "innovation_demonstration_zones")

OUTCOME = "log_invention_grants"
OUTCOMES = (OUTCOME, "log_invention_applications")
WINDOW = (-5, 5)
LATE = 2007
LAST_YEARS = 5  # before approval, in the weights by year


def estimate() -> dict[str, Any]:
    """Fixed effects over all years and from 2007 on, every estimator on the complete provinces, and diagnostics."""
    roster = econ.roster("innovation_demonstration_zones")
    panel = econ.load("provinces").with_cohort(roster).log(["invention_grants", "invention_applications"])
    late = panel.where(lambda d: d["year"] >= LATE)
    results: dict[str, Any] = {"status": panel.frame[["province", "year", "cohort"]]}
    for outcome in OUTCOMES:
        results[f"twfe_{outcome}"] = econ.did.twfe(panel, outcome, cohort="cohort").aggregate()
        results[f"twfe_late_{outcome}"] = econ.did.twfe(late, outcome, cohort="cohort").aggregate()
    complete = panel.where(lambda d: d.groupby("province")[OUTCOME].transform("count") == d["year"].nunique())
    fits = estimators(complete)
    twfe, callaway = fits["Two-way fixed effects"], fits["Callaway and Sant'Anna"]
    gaps = econ.did.callaway_santanna(complete, OUTCOME, cohort="cohort", base="universal")
    event = gaps.aggregate("event", window=WINDOW)
    return results | {
        "comparison": econ.did.compare(fits, window=None),
        "events": econ.did.compare({name: fits[name] for name in SHOWN}, window=WINDOW),
        "bacon": econ.did.bacon(complete, OUTCOME, cohort="cohort"),
        "weights": econ.did.effect_weights(twfe),
        "parts": parts(twfe, gaps),
        "bases": bases(fits),
        "inference_twfe": econ.did.inference(twfe),
        "inference_callaway": econ.did.inference(callaway),
        "pretrends": event.wald(
            [term for term, e in zip(event.terms, event.spec["event_time"], strict=True) if e < 0]
        ).p_value,
        "honest_relative": econ.did.honest(event, bound="relative_magnitude"),
        "honest_smooth": econ.did.honest(event, bound="smoothness"),
        "equivalence": econ.did.equivalence(event).tests.set_index("version").loc["max", "smallest_threshold"],
    }


def estimators(panel: econ.Panel) -> dict[str, econ.did.DidResult]:
    """Every estimator that the design allows, on log invention grants of the provinces without gaps."""
    did, key = econ.did, {"cohort": "cohort"}
    return {
        "Two-way fixed effects": did.twfe(panel, OUTCOME, **key),
        "Event study, two-way fixed effects": did.event_study(panel, OUTCOME, window=(-6, 6), **key),
        "Imputation": did.imputation(panel, OUTCOME, **key),
        "Two-stage": did.two_stage(panel, OUTCOME, **key),
        "Extended two-way fixed effects": did.etwfe(panel, OUTCOME, **key),
        "Sun and Abraham": did.sun_abraham(panel, OUTCOME, **key),
        "Callaway and Sant'Anna": did.callaway_santanna(panel, OUTCOME, **key),
        "Callaway and Sant'Anna, not yet treated": did.callaway_santanna(panel, OUTCOME, control="not_yet", **key),
        "Stacked": did.stacked(panel, OUTCOME, window=WINDOW, **key),
        "Local projections": did.local_projections(panel, OUTCOME, window=WINDOW, **key),
        "Synthetic difference-in-differences": did.synthetic(panel, OUTCOME, inference="permutation", **key),
    }


def parts(twfe: econ.did.DidResult, gaps: econ.did.DidResult) -> pd.DataFrame:
    """The coefficient as a sum over cells of its weights times the gap to the never treated since the last year before.

    The weights of two-way fixed effects add up to zero over periods and over provinces, so that the coefficient is the
    sum over treated provinces of weight times gap, the gap being zero in the year before approval.
    """
    weights = twfe.weights().dropna(subset="cohort").astype({"cohort": int})
    cells = gaps.cells[["cohort", "period", "event_time", "estimate"]].astype({"cohort": int})
    both = weights.merge(cells, on=["cohort", "period"], how="left")
    both["event_time"] = both["period"] - both["cohort"]
    both["part"] = both["weight"] * both["estimate"].fillna(0.0)
    both["when"] = np.select(
        [both["event_time"] >= 0, both["event_time"] == -1, both["event_time"] >= -LAST_YEARS],
        ["after", "last", "years"],
        "earlier",
    )
    return both.groupby("when")[["weight", "part"]].sum().reindex(["after", "last", "years", "earlier"]).reset_index()


def bases(fits: dict[str, econ.did.DidResult]) -> pd.DataFrame:
    """Share of the weight before approval that lies six and more years before it, by estimator, and the estimate."""
    rows = []
    for name, fit in fits.items():
        if fit.loadings is None:
            continue
        weights = fit.weights().query("not treated").dropna(subset="cohort")
        early = weights["period"] - weights["cohort"] < -LAST_YEARS
        share = weights.loc[early, "weight"].sum() / weights["weight"].sum()
        rows.append({"estimator": name, "early": share, "estimate": fit.aggregate().coef[0]})
    return pd.DataFrame(rows)


# ---- rendering

SHOWN = ("Event study, two-way fixed effects", "Sun and Abraham", "Callaway and Sant'Anna", "Local projections")
NAMES_ZH = {
    "Two-way fixed effects": "双向固定效应",
    "Event study, two-way fixed effects": "事件研究（双向固定效应）",
    "Imputation": "插补估计",
    "Two-stage": "两阶段估计",
    "Extended two-way fixed effects": "扩展双向固定效应",
    "Sun and Abraham": "Sun-Abraham 估计",
    "Callaway and Sant'Anna": "Callaway-Sant'Anna 估计",
    "Callaway and Sant'Anna, not yet treated": "Callaway-Sant'Anna 估计（尚未处理为对照）",
    "Stacked": "堆叠估计",
    "Local projections": "局部投影",
    "Synthetic difference-in-differences": "合成双重差分",
}
LABELS = {
    "overall": {"en": "Demonstration zone", "zh": "示范区"},
    "log_invention_grants": {"en": "Log invention grants", "zh": "发明专利授权量（对数）"},
    "log_invention_applications": {"en": "Log invention applications", "zh": "发明专利申请量（对数）"},
}
STATUS_TITLE = {"en": "Provinces with a demonstration zone", "zh": "设有示范区的省份"}
EVENT_TITLE = {"en": "Before and after the first approval", "zh": "首次批准前后"}
COMPARED = {"en": "Overall effect by estimator, 30 complete provinces", "zh": "各估计量的总体效应（30 个数据完整省份）"}
WHY = {"en": "Two-way fixed effects as weights times gaps", "zh": "双向固定效应系数：权重乘以差距"}
WHEN = {
    "after": {"en": "After approval", "zh": "获批后"},
    "last": {"en": "The year before (gap zero)", "zh": "获批前一年（差距为零）"},
    "years": {"en": f"Two to {LAST_YEARS} years before", "zh": f"获批前 2—{LAST_YEARS} 年"},
    "earlier": {"en": f"{LAST_YEARS + 1} and more years before", "zh": f"获批前 {LAST_YEARS + 1} 年及以上"},
    "sum": {"en": "Coefficient", "zh": "系数"},
}

HONEST = {
    "relative": {
        "en": "If trends differed as much as before approval, and more",
        "zh": "趋势差异不超过获批前的若干倍时",
    },
    "smooth": {"en": "If the difference in trends bent by so much a year", "zh": "趋势差异逐年弯折不超过某一幅度时"},
}


def render(results: econ.report.Results, lang: econ.Lang) -> Iterator[Item]:
    """Treatment status, the tables, why they differ, inference, sensitivity."""
    style = "three_line" if lang == "zh" else "journal"
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
            style=style,
        ),
    )
    yield item("estimators", compared(results, lang))
    yield item("weights_before", why(results, lang))
    yield item(
        "weights",
        weights_plot(
            results["weights"],
            title={"en": "Weights of effects in two-way fixed effects", "zh": "双向固定效应中各效应的权重"},
            lang=lang,
        ),
    )
    yield item(
        "bacon",
        bacon_plot(
            results["bacon"], title={"en": "Goodman-Bacon decomposition", "zh": "Goodman-Bacon 分解"}, lang=lang
        ),
    )
    named = {name if lang == "en" else NAMES_ZH[name]: name for name in SHOWN}
    events = results["events"]
    yield item(
        "event_study",
        event_plot(
            {shown: events.events[name] for shown, name in named.items()},
            bands={shown: events.bands[name] for shown, name in named.items()},
            labels=LABELS,
            title=EVENT_TITLE,
            lang=lang,
        ),
    )
    for name, words in {"twfe": "Two-way fixed effects", "callaway": "Callaway and Sant'Anna"}.items():
        title = {"en": f"Inference for few regions: {words}", "zh": f"少数地区的推断：{NAMES_ZH[words]}"}
        yield item(f"inference_{name}", results[f"inference_{name}"].table(title, lang))
    for kind, words in HONEST.items():
        yield item(f"honest_{kind}", honest_plot(results[f"honest_{kind}"], labels=LABELS, title=words, lang=lang))


def compared(results: econ.report.Results, lang: econ.Lang) -> econ.report.Table:
    """Overall effects with what each averages over."""
    frame = results["comparison"].frame
    overall = results["comparison"].overall
    frame = frame.assign(
        name=[name if lang == "en" else NAMES_ZH[name] for name in frame["estimator"]],
        average=[overall[name].spec["average"][lang] for name in frame["estimator"]],
    )
    head = {
        "estimate": {"en": "Effect", "zh": "效应"},
        "std_error": {"en": "Standard error", "zh": "标准误"},
        "p_value": DataColumn({"en": "p", "zh": "p 值"}, format="p_value"),
        "ci_low": {"en": "95 % interval, low", "zh": "95% 区间下限"},
        "ci_high": {"en": "high", "zh": "上限"},
        "average": {"en": "Average over", "zh": "平均对象"},
    }
    notes = [
        {
            "en": "Log invention grants; standard errors clustered by province, each by its estimator's own convention; t statistics. "
            "Tibet, with a gap, is left out.",
            "zh": "发明专利授权量（对数）；标准误按省份聚类，各按其估计量自身的惯例；t 统计量。西藏数据有缺失，未纳入。",
        },
        *results["comparison"].overall["Two-way fixed effects"].notes[:1],
    ]
    return data_table(frame, title=COMPARED, lang=lang, rows="name", columns=head, notes=notes)


def why(results: econ.report.Results, lang: econ.Lang) -> econ.report.Table:
    """Where the coefficient of two-way fixed effects comes from."""
    frame = results.frame("parts")
    sums = frame[["weight", "part"]].sum().round(12)
    total = pd.DataFrame([{"when": "sum"} | sums.to_dict()])
    frame = pd.concat([frame, total], ignore_index=True)
    notes = [
        {
            "en": "Weights of the mean outcomes of treated cohorts in the coefficient, which add up to zero over the years; gap: "
            "cohort less never treated, since the year before approval. The coefficient is the sum of weight times gap over cells.",
            "zh": "权重为各处理队列平均结果在系数中的权重，跨年合计为零；差距为队列与从未处理省份之差（以获批前一年为零）。系数等于各单元格权重与差距乘积之和。",
        }
    ]
    columns = {"weight": {"en": "Weight", "zh": "权重"}, "part": {"en": "Weight times gap", "zh": "权重乘以差距"}}
    frame = frame.assign(when=[WHEN[name][lang] for name in frame["when"]])
    return data_table(frame, title=WHY, lang=lang, rows="when", columns=columns, notes=notes)


def reading(results: econ.report.Results) -> dict[str, str]:
    """What the numbers say."""
    whole, late = (results.estimate(f"{kind}_{OUTCOME}") for kind in ("twfe", "twfe_late"))
    overall = results["comparison"].overall
    parts = results.frame("parts").set_index("when")
    bases = results.frame("bases").set_index("estimator")["early"]
    weights, relative = results["weights"], results["honest_relative"]
    tests = results["inference_twfe"].frame.set_index("method")["p_value"]

    def shown(estimate: econ.Estimate) -> str:
        return f"{estimate.coef[0]:.3f} ({estimate.std_error[0]:.3f})"

    numbers = {
        "b": shown(whole),
        "late": shown(late),
        "year": LATE,
        "twfe": shown(overall["Two-way fixed effects"]),
        "cs": shown(overall["Callaway and Sant'Anna"]),
        "imputation": shown(overall["Imputation"]),
        "stacked": shown(overall["Stacked"]),
        "negative": weights.n_negative,
        "sum_negative": f"{weights.sum_negative:.3f}",
        "early": f"{100 * bases['Two-way fixed effects']:.0f}",
        "early_imputation": f"{100 * bases['Imputation']:.0f}",
        "after": f"{parts.loc['after', 'part']:.3f}",
        "before": f"{parts.loc[['years', 'earlier'], 'part'].sum():.3f}",
        "earlier": f"{parts.loc['earlier', 'part']:.3f}",
        "random": f"{tests['randomization']:.3f}",
        "wild": f"{tests['wild']:.3f}",
        "group": f"{tests['ibragimov_mueller']:.3f}",
        "pre": f"{results['pretrends']:.3f}",
        "threshold": f"{results['equivalence']:.2f}",
    }
    text = {
        "en": "With all years the two-way fixed-effects coefficient on log invention grants is {b}, with the years from {year} on it is "
        "{late} (standard errors in parentheses). On the 30 provinces without gaps it is {twfe}, and the average over treated cells by "
        "Callaway and Sant'Anna with never-treated controls {cs}. Negative weights are not the reason: {negative} cells have one, adding up "
        "to {sum_negative}. The reason is what the treated years are compared with. Callaway and Sant'Anna, Sun and Abraham, stacked "
        "({stacked}) and local projections compare with the last year before approval; two-way fixed effects put {early} % of their weight "
        "before approval on years six and more before it, imputation ({imputation}) {early_imputation} %. In those years provinces that were to "
        "get a zone had fewer patents relative to the others than just before approval. Of the coefficient, {after} are gaps after approval and "
        "{before} are gaps before it, {earlier} of that six and more years before: a catching-up that began long before any zone. The "
        "inference for few regions finds {twfe} unlikely by chance (randomisation p = {random}, wild bootstrap {wild}; Ibragimov-Mueller {group}); it "
        "is not noise, but neither is it the effect of the zones. From the year before approval on there is nothing to see, "
        "which is no proof of no effect: leads of the five years before are jointly zero with p = {pre}, equal to zero within {threshold} at best. {breakdown}",
        "zh": "使用全部年份时，发明专利授权量（对数）的双向固定效应系数为 {b}；仅用 {year} 年及以后时为 {late}（括号内为标准误）。在 30 个数据完整的省份中"
        "系数为 {twfe}，而以从未处理省份为对照的 Callaway-Sant'Anna 估计（对处理单元格平均）为 {cs}。原因不在负权重：仅 {negative} 个单元格权重为负，合计 "
        "{sum_negative}。原因在于与哪些年份比较：Callaway-Sant'Anna、Sun-Abraham、堆叠估计（{stacked}）与局部投影均与获批前一年比较；双向固定效应在获批前的权重"
        "有 {early}% 落在获批前六年及以上，插补估计（{imputation}）为 {early_imputation}%。在那些年份，后来设立示范区的省份相对其他省份的专利少于临近获批之时。"
        "系数中 {after} 来自获批后的差距，{before} 来自获批前的差距（其中六年及以上 {earlier}）：这是早于示范区的追赶。少数地区推断表明 {twfe} 不太可能出于偶然"
        "（随机化 p = {random}，野生自助法 {wild}，Ibragimov-Müller {group}），但它也不是示范区的效应。以获批前一年为基准则看不到效应，但这不等于证明没有效应："
        "前五年的系数联合为零的 p 值为 {pre}，最多只能断定其绝对值不超过 {threshold}。{breakdown}",
    }
    return {lang: words.format(**numbers, breakdown=relative.breakdown_words(lang)) for lang, words in text.items()}


if __name__ == "__main__":
    econ.report.run(__file__)
