"""High-tech zones in decline: published counts tested exactly; decline, recovery and its time in simulated zones."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

import econ
from econ.report import DataColumn, Item, data_table, item, line_plot, survival_plot

TITLE = {"en": "High-tech zones in decline", "zh": "高新区的衰退与恢复"}
ABSTRACT = {
    "en": "From 2015 to 2018 employment fell in 40 and revenue in 37 of the 169 national high-tech zones, 12 and 10 of them "
    "among the 16 of the Northeast. Tests these published counts exactly, and shows on simulated zones, made to have the "
    "same counts, what the figures of single zones would tell: the size of the falls, resistance and recovery, and how long recovery takes.",
    "zh": "2015—2018 年，169 家国家高新区中有 40 家从业人员减少、37 家营业收入减少，其中东北 16 家中分别占 12 家和 10 家。"
    "本研究对这些已发表的计数作精确检验，并以计数与之相同的模拟高新区演示分区数据可说明的问题：跌幅、抵抗力与恢复力，以及恢复所需的时间。",
}
DATASETS = ("published_claims", "zones_simulated")

OUTCOMES = {"employment": "EMP", "revenue": "REV"}  # and their names in the published claims
FIRST, LAST = 2015, 2018
SPAN = {"before": 2014, "trough": 2015, "end": 2019}


def estimate() -> dict[str, Any]:
    """The published counts; decline, resilience and time to recovery of the simulated zones, with their notes."""
    claims = econ.load_frame("published_claims").set_index("id")["value"].astype(int)
    zones = econ.load("zones_simulated")
    results: dict[str, Any] = {"simulated": list(zones.notes)}
    for x, name in OUTCOMES.items():
        falls, size = claims[f"ZN-NE-{name}"], claims["ZN-NE"]
        published = econ.disparity.decline_counts(
            {"Northeast": (falls, size), "Others": (claims[f"ZN-{name}"] - falls, claims["ZN-T"] - size)}
        )
        results[f"published_{x}"] = published.counts.merge(
            published.test.drop(columns=["ci_low", "ci_high"]), how="left"
        )
        simulated = econ.disparity.decline(zones, x, FIRST, LAST, groups="plate")
        tests = simulated.test[["group", "p_greater"]]
        sizes = simulated.sizes.drop(columns="declined")
        results[f"simulated_{x}"] = simulated.counts.merge(tests, how="left").merge(sizes)
    stand = econ.disparity.resilience(zones, "employment", **SPAN, groups="plate")
    plate = stand.units["zone"].map(zones.attribute("plate"))
    results["resilience"] = stand.groups.assign(back=stand.units.groupby(plate)["recovered"].mean().to_numpy())
    results["resilience_notes"] = [note for note in stand.notes if note not in zones.notes]
    results |= recovery(zones)
    results["paths"] = paths(zones)
    return results


def recovery(zones: econ.Panel) -> dict[str, Any]:
    """Time until zones that fell are back: curves by plate, and a table of them with their log-rank tests."""
    found = econ.disparity.survival(zones, "employment", "recovery", **SPAN, groups="plate")
    last = found.curves.groupby("group")[["survival", "ci_low", "ci_high"]].last()
    medians = found.medians.rename(columns={"ci_low": "median_low", "ci_high": "median_high"}).replace(np.inf, np.nan)
    table = medians.merge(last.reset_index()).merge(found.test[["group", "p_value"]])
    notes = [note for note in found.notes if note not in zones.notes]
    return {"recovery": table, "recovery_curves": found.curves, "recovery_notes": notes}


def paths(zones: econ.Panel) -> pd.DataFrame:
    """Employment by plate, 100 before the shock."""
    frame = zones.frame.query("year >= @SPAN['before'] - 2")
    table = frame.groupby(["plate", "year"])["employment"].sum().reset_index()
    base = table[table["year"] == SPAN["before"]].set_index("plate")["employment"]
    return table.assign(index=100 * table["employment"] / table["plate"].map(base))


# ---- rendering

NAMES_ZH = {
    "East": "东部",
    "Central": "中部",
    "West": "西部",
    "Northeast": "东北",
    "Others": "其他高新区",
    "all": "全部高新区",
}
NAMES_EN = {"Others": "Other zones", "all": "All zones"}
LABELS = {
    "employment": {"en": "Year-end employment", "zh": "年末从业人员"},
    "revenue": {"en": "Revenue", "zh": "营业收入"},
    "index": {"en": f"Employment, {SPAN['before']} = 100", "zh": f"从业人员（{SPAN['before']} 年 = 100）"},
    "survival": {
        "en": f"Share not yet back at the employment of {SPAN['before']}",
        "zh": f"从业人员尚未恢复至 {SPAN['before']} 年水平的比例",
    },
    "time": {"en": f"Years since {SPAN['trough']}", "zh": f"{SPAN['trough']} 年后的年数"},
    **{name: {"en": name, "zh": zh} for name, zh in NAMES_ZH.items()},
}
STUB = {"en": "Plate", "zh": "板块"}
ZONES = DataColumn({"en": "Zones", "zh": "高新区数"}, "", "integer")
FELL = DataColumn({"en": "Fell", "zh": "减少"}, "", "integer")
SHARE = DataColumn({"en": "Share", "zh": "占比"}, "", "percent", 1)
LOW = DataColumn({"en": "Low", "zh": "下限"}, {"en": "95 % interval", "zh": "95% 区间"}, "percent", 1)
HIGH = DataColumn({"en": "High", "zh": "上限"}, {"en": "95 % interval", "zh": "95% 区间"}, "percent", 1)
WILSON = {"en": "Intervals: Wilson score.", "zh": "区间为 Wilson 得分区间。"}
FISHER = {
    "en": "Fisher's exact test of the group against all other zones; one-sided: more declines in the group.",
    "zh": "Fisher 精确检验：该组与其余全部高新区比较；单侧备择为该组下降更多。",
}
FALLS = {
    "en": f"Falls: of the zones that fell from {FIRST} to {LAST}, percent. p-values not adjusted for the number of groups.",
    "zh": f"跌幅为 {FIRST}—{LAST} 年下降的高新区的降幅（%）。p 值未按组数调整。",
}
ARTEFACT = {
    "en": f"The fall from {SPAN['before']} to {SPAN['trough']} comes from the simulation, which scales the zones to a national "
    "total while 31 zones enter it; it is no event of these years.",
    "zh": f"{SPAN['before']}—{SPAN['trough']} 年的下降源于模拟方法（31 家高新区新入列时仍按全国总数标定），并非当年的真实事件。",
}
MEASURES = {
    "en": "Resistance and recovery: growth of the plate less that of all zones, relative to the size of the latter; above 0 = "
    "better than all zones. Sensitivity: fall of the plate over fall of all zones. Recovered: share of zones with at least "
    f"the employment of {SPAN['before']} in {SPAN['end']}.",
    "zh": "抵抗力与恢复力：板块增速减全部高新区增速，再除以后者的绝对值，大于 0 表示好于总体。敏感度：板块跌幅与总体跌幅之比。"
    f"已恢复：{SPAN['end']} 年从业人员不低于 {SPAN['before']} 年的高新区占比。",
}
CURVES = {
    "en": f"Kaplan-Meier estimates of zones below their employment of {SPAN['before']} in {SPAN['trough']}, with 95 % "
    "log-log intervals (Greenwood's variance). Log-rank test of the plate against all other zones, in the last row of the "
    "equality of all plates; zones are taken as independent, p-values not adjusted for the number of plates.",
    "zh": f"对 {SPAN['trough']} 年从业人员低于 {SPAN['before']} 年的高新区作 Kaplan-Meier 估计，95% 区间采用 Greenwood 方差与双对数变换。"
    "对数秩检验为该板块与其余全部高新区之比较，末行检验各板块相同；假定各高新区相互独立，p 值未按板块数调整。",
}


def render(results: econ.report.Results, lang: econ.Lang) -> Iterator[Item]:
    """The published counts, then the simulated zones."""
    style = "three_line" if lang == "zh" else "journal"
    simulated = results["simulated"]
    yield item("reading", reading(results)[lang])
    yield item("published", published_table(results, lang, style))
    yield item("decline", decline_table(results, lang, style, simulated))
    yield item("resilience", resilience_table(results, lang, style, simulated))
    yield item("recovery", recovery_table(results, lang, style, simulated))
    words: dict[str, Any] = {"labels": LABELS, "notes": [*simulated, ARTEFACT], "lang": lang}
    title = {"en": "Simulated zones: employment by plate", "zh": "模拟高新区：分板块从业人员"}
    yield item("path_index", line_plot(results.frame("paths"), "index", x="year", by="plate", title=title, **words))
    title = {"en": "Simulated zones: time until back at the old level", "zh": "模拟高新区：恢复至原水平所需的时间"}
    yield item("recovery_time", survival_plot(results.frame("recovery_curves"), title=title, **words))


def reading(results: econ.report.Results) -> dict[str, str]:
    """What the numbers say."""
    said = {}
    for x in OUTCOMES:
        row = results.frame(f"published_{x}").set_index("group")
        share, test = 100 * row["share"], row.loc["Northeast"]
        numbers = share["Northeast"], share["Others"], test["odds_ratio"], power(test["p_greater"])
        said[x] = {
            "en": "{:.1f} % against {:.1f} % (odds ratio {:.1f}, one-sided exact p = {})".format(*numbers),
            "zh": "{:.1f}% 对 {:.1f}%（优势比 {:.1f}，单侧精确 p = {}）".format(*numbers),
        }
    return {
        "en": f"Published counts, Northeast against all other zones: employment fell in {said['employment']['en']}, revenue in "
        f"{said['revenue']['en']}. Even times four, for the plates among which the Northeast may have been picked, these are "
        "small; but the test takes zones as independent, and those of a province share its fate. Everything below the first "
        "table is **simulated**: it shows what figures by zone would allow, and says nothing about real zones.",
        "zh": f"已发表计数（东北对其余高新区）：从业人员减少的占 {said['employment']['zh']}，营业收入减少的占 {said['revenue']['zh']}。"
        "即使按四个板块乘以 4，p 值仍然很小；但检验假定各高新区相互独立，而同省高新区往往同起同落。"
        "第一张表以下均为**模拟**数据，只演示有分区数据时可作的分析，不反映真实高新区。",
    }


def published_table(results: econ.report.Results, lang: econ.Lang, style: str) -> econ.report.Table:
    """Counts as printed, with their exact tests."""
    table = stack(results, "published", lang)
    for name in ("p_greater", "p_two_sided"):
        table[name] = [power(p) if pd.notna(p) else None for p in table[name]]
    only = table["key"] != "Northeast"  # the others' test is the same one, turned round
    table.loc[only, ["odds_ratio", "p_greater", "p_two_sided"]] = None
    test = {"en": "Fisher's exact test", "zh": "Fisher 精确检验"}
    return data_table(
        table,
        title={
            "en": f"Published counts of zones that declined, {FIRST}-{LAST}",
            "zh": f"已发表的下降高新区数，{FIRST}—{LAST} 年",
        },
        lang=lang,
        rows="group",
        panels="panel",
        stub=STUB,
        columns={
            "n": ZONES,
            "declined": FELL,
            "share": SHARE,
            "ci_low": LOW,
            "ci_high": HIGH,
            "odds_ratio": DataColumn({"en": "Odds ratio", "zh": "优势比"}, test, digits=1),
            "p_greater": DataColumn({"en": "p, one-sided", "zh": "单侧 p"}, test),
            "p_two_sided": DataColumn({"en": "p, two-sided", "zh": "双侧 p"}, test),
        },
        notes=[
            WILSON,
            {
                "en": "Northeast against all other zones; one-sided: more declines in the Northeast. Odds ratio: conditional "
                "maximum likelihood. Counts: Economic Management 2020(8), 5-16.",
                "zh": "东北与其余高新区比较；单侧备择为东北下降更多。优势比为条件极大似然估计。计数来源：《经济管理》2020 年第 8 期，5—16 页。",
            },
        ],
        missing={"en": "A dash (–): not applicable.", "zh": "–表示不适用。"},
        style=style,
    )


def decline_table(
    results: econ.report.Results, lang: econ.Lang, style: str, simulated: list[dict[str, str]]
) -> econ.report.Table:
    """Declines by plate in the simulated zones."""
    falls = {"en": "Fall, %", "zh": "跌幅（%）"}
    return data_table(
        stack(results, "simulated", lang),
        title={
            "en": f"Simulated zones that declined, by plate, {FIRST}-{LAST}",
            "zh": f"模拟高新区的下降情况，分板块，{FIRST}—{LAST} 年",
        },
        lang=lang,
        rows="group",
        panels="panel",
        stub=STUB,
        columns={
            "n": ZONES,
            "declined": FELL,
            "share": SHARE,
            "ci_low": LOW,
            "ci_high": HIGH,
            "median": DataColumn({"en": "Median", "zh": "中位数"}, falls, digits=1),
            "largest": DataColumn({"en": "Largest", "zh": "最大"}, falls, digits=1),
            "p_greater": DataColumn({"en": "p, one-sided", "zh": "单侧 p"}, "", "p_value"),
        },
        notes=[*simulated, WILSON, FISHER, FALLS],
        missing={"en": "A dash (–): not applicable.", "zh": "–表示不适用。"},
        style=style,
    )


def resilience_table(
    results: econ.report.Results, lang: econ.Lang, style: str, simulated: list[dict[str, str]]
) -> econ.report.Table:
    """Resistance and recovery by plate in the simulated zones."""
    growth = {"en": "Change", "zh": "变动"}
    relative = {"en": "Relative to all zones", "zh": "相对总体"}
    frame = results.frame("resilience").sort_values("group", key=in_order)
    return data_table(
        frame.assign(group=[named(name, lang) for name in frame["group"]]),
        title={
            "en": "Simulated zones: resistance and recovery of employment by plate",
            "zh": "模拟高新区：分板块从业人员的抵抗力与恢复力",
        },
        lang=lang,
        rows="group",
        stub=STUB,
        columns={
            "n": ZONES,
            "change_shock": DataColumn({"en": "Shock", "zh": "冲击期"}, growth, "percent", 1),
            "change_recovery": DataColumn({"en": "Recovery", "zh": "恢复期"}, growth, "percent", 1),
            "resistance": DataColumn({"en": "Resistance", "zh": "抵抗力"}, relative, digits=2),
            "sensitivity": DataColumn({"en": "Sensitivity", "zh": "敏感度"}, relative, digits=2),
            "recovery": DataColumn({"en": "Recovery", "zh": "恢复力"}, relative, digits=2),
            "back": DataColumn({"en": "Recovered", "zh": "已恢复"}, "", "percent", 1),
        },
        notes=[*simulated, ARTEFACT, *results["resilience_notes"], MEASURES],
        style=style,
    )


def recovery_table(
    results: econ.report.Results, lang: econ.Lang, style: str, simulated: list[dict[str, str]]
) -> econ.report.Table:
    """How long the simulated zones took to be back, by plate."""
    at_end = {"en": f"Not back by {SPAN['end']}", "zh": f"至 {SPAN['end']} 年尚未恢复"}
    half = {"en": "Years until half are back", "zh": "半数恢复所需年数"}
    frame = results.frame("recovery").sort_values("group", key=in_order)
    return data_table(
        frame.assign(group=[named(name, lang) for name in frame["group"]]),
        title={
            "en": f"Simulated zones: time until employment is back at the level of {SPAN['before']}, by plate",
            "zh": f"模拟高新区：分板块从业人员恢复至 {SPAN['before']} 年水平所需的时间",
        },
        lang=lang,
        rows="group",
        stub=STUB,
        columns={
            "n": DataColumn({"en": "Fell", "zh": "下降"}, "", "integer"),
            "events": DataColumn({"en": "Back", "zh": "已恢复"}, "", "integer"),
            "survival": DataColumn({"en": "Share", "zh": "占比"}, at_end, "percent", 1),
            "ci_low": DataColumn({"en": "Low", "zh": "下限"}, at_end, "percent", 1),
            "ci_high": DataColumn({"en": "High", "zh": "上限"}, at_end, "percent", 1),
            "median": DataColumn({"en": "Median", "zh": "中位数"}, half, "integer"),
            "median_low": DataColumn({"en": "Low", "zh": "下限"}, half, "integer"),
            "median_high": DataColumn({"en": "High", "zh": "上限"}, half, "integer"),
            "p_value": DataColumn({"en": "p, log-rank", "zh": "对数秩 p"}, "", "p_value"),
        },
        notes=[*simulated, ARTEFACT, *results["recovery_notes"], CURVES],
        missing={"en": f"A dash (–): not reached by {SPAN['end']}.", "zh": f"–表示至 {SPAN['end']} 年未达到。"},
        style=style,
    )


def stack(results: econ.report.Results, kind: str, lang: econ.Lang) -> pd.DataFrame:
    """Both outcomes under each other, in words."""
    parts = [results.frame(f"{kind}_{x}").assign(panel=LABELS[x][lang]) for x in OUTCOMES]
    table = pd.concat([part.sort_values("group", key=in_order) for part in parts], ignore_index=True)
    return table.assign(key=table["group"], group=[named(name, lang) for name in table["group"]])


def in_order(groups: "pd.Series[str]") -> "pd.Series[int]":
    """Place of each group in the package's order of plates."""
    return groups.map(list(NAMES_ZH).index)


def named(group: str, lang: econ.Lang) -> str:
    """A plate in the reader's language."""
    return NAMES_ZH[group] if lang == "zh" else NAMES_EN.get(group, group)


def power(p: float) -> str:
    """A small p-value in powers of ten: 6.5 × 10⁻⁶."""
    digits, exponent = f"{p:.1e}".split("e")
    raised = str(-int(exponent)).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{digits} × 10⁻{raised}"


if __name__ == "__main__":
    econ.report.run(__file__)
