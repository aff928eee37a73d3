"""The words that figures print besides labels: legends, axis names, sentences under the figure."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from econ.data.region_names import OUTSIDE, PROVINCES
from econ.estimate import Estimate
from econ.options import Lang
from econ.panel import Panel
from econ.report.carried import with_carried
from econ.report.labels import Labels, Vocabulary, Words, text

PHRASES: Mapping[str, Mapping[Lang, str]] = {
    "estimate": {"en": "Estimate", "zh": "估计值"},
    "effect_on": {"en": "Effect on {}", "zh": "对{}的影响"},
    "overall_effect_on": {"en": "Overall effect on {}", "zh": "对{}的总体效应"},
    "event_time": {"en": "Periods since treatment", "zh": "相对处理期"},
    "bars": {"en": "Bars: {}% confidence intervals.", "zh": "线段：{}%置信区间。"},
    "bars_vcov": {"en": "Bars: {}% confidence intervals, {}.", "zh": "线段：{}%置信区间，{}。"},
    "shading": {"en": "Shading: simultaneous confidence band.", "zh": "阴影：同时置信带。"},
    "reference": {"en": "Hollow marker: reference period.", "zh": "空心点：基准期。"},
    "cv": {"en": "Coefficient of variation", "zh": "变异系数"},
    "sd_log": {"en": "Standard deviation of logs", "zh": "对数标准差"},
    "initial": {"en": "{} in {} (log)", "zh": "{1}年{0}（对数）"},
    "initial_bare": {"en": "Initial level (log)", "zh": "初始水平（对数）"},
    "growth": {"en": "Average annual log growth, {}–{} (%)", "zh": "{}—{}年年均对数增长率（%）"},
    "growth_bare": {"en": "Average annual log growth (%)", "zh": "年均对数增长率（%）"},
    "line_fitted": {"en": "Line: least squares, slope {} (percentage points of annual growth per unit of the log), "
                          "n = {}.",
                    "zh": "直线：最小二乘拟合，斜率{}（对数水平每高1，年均增长率相差的百分点），n = {}。"},
    "line_estimate": {"en": "Line through the means, slope {} (percentage points of annual growth per unit of the "
                            "log), standard error {}.",
                      "zh": "直线过样本均值点，斜率{}（对数水平每高1，年均增长率相差的百分点），标准误{}。"},
    "gaps": {"en": "Gaps in the lines: not every unit has data ({}).", "zh": "折线中断处：有个体缺少数据（{}）。"},
    "sum": {"en": "{}, sum of {} units", "zh": "{}，{}个个体之和"},
    "mean": {"en": "{}, mean", "zh": "{}，均值"},
    "median": {"en": "{}, median", "zh": "{}，中位数"},
    "share": {"en": "{}, share of total", "zh": "{}，占比"},
    "no_data": {"en": "No data", "zh": "无数据"},
    "tile": {"en": "Tiles are of equal size and stand roughly where the regions are.",
             "zh": "各地区以等面积方块表示，位置为示意。"},
    "untreated": {"en": "Not treated", "zh": "未处理"},
    "treated": {"en": "Treated", "zh": "已处理"},
    "treatment_order": {"en": "Units ordered by first treated period; never treated at the bottom.",
                        "zh": "按首次处理时点排序，从未处理者在下方。"},
    "source": {"en": "Source: {}.", "zh": "资料来源：{}。"},
    "all": {"en": "All", "zh": "全部"},
}  # fmt: skip

COVARIANCES: Mapping[str, Mapping[Lang, str]] = {
    "iid": {"en": "homoskedastic standard errors", "zh": "同方差标准误"},
    "hetero": {"en": "heteroskedasticity-robust", "zh": "异方差稳健标准误"},
    "cluster": {"en": "clustered by {}", "zh": "标准误按{}聚类"},
    "driscoll_kraay": {"en": "Driscoll–Kraay standard errors", "zh": "Driscoll–Kraay标准误"},
    "newey_west": {"en": "Newey–West standard errors", "zh": "Newey–West标准误"},
    "placebo": {"en": "placebo standard errors", "zh": "安慰剂标准误"},
    "permutation": {"en": "permutation standard errors", "zh": "置换标准误"},
    "jackknife": {"en": "jackknife standard errors", "zh": "刀切法标准误"},
    "conley": {"en": "Conley standard errors", "zh": "Conley空间标准误"},
    "pcse": {"en": "panel-corrected standard errors", "zh": "面板校正标准误"},
    "windmeijer": {"en": "Windmeijer-corrected standard errors", "zh": "Windmeijer修正标准误"},
    "across_units": {"en": "standard errors from the variation across units", "zh": "基于个体间变异的标准误"},
}

VALUES_ZH: Mapping[str, str] = {
    "East": "东部", "Central": "中部", "West": "西部", "Northeast": "东北", "North": "北方", "South": "南方",
} | {region.en: region.zh for region in (*PROVINCES, *OUTSIDE)}  # fmt: skip
VALUES_EN = {zh: en for en, zh in VALUES_ZH.items()}


def phrase(name: str, lang: Lang, *values: object) -> str:
    """One of the fixed phrases, its blanks filled in."""
    return PHRASES[name][lang].format(*values)


def panel_words(panel: Panel, labels: Labels | None, lang: Lang) -> Vocabulary:
    """Labels of a panel's columns, the caller's first."""
    return Vocabulary(lang, labels or {}, panel.labels([str(name) for name in panel.frame.columns]))


def axis_label(words: Vocabulary, name: str, label: str | None = None, unit: str | None = None) -> str:
    """Label and unit of measure: ``GDP per head (yuan)``, ``人均GDP（元）``."""
    label = words.term(name) if label is None else label
    unit = words.unit(name) if unit is None else unit
    if not unit:
        return label
    return f"{label} ({unit})" if words.lang == "en" else f"{label}（{unit}）"


def value_label(words: Vocabulary, value: object) -> str:
    """A group or a region as it prints: the caller's label, the plates and provinces in the figure's language."""
    name = str(value)
    if name in words.given:
        return text(words.given[name], words.lang)
    if name == "all":
        return phrase("all", words.lang)
    return (VALUES_ZH if words.lang == "zh" else VALUES_EN).get(name, name)


def source_notes(panel: Panel, names: Sequence[str], lang: Lang) -> list[Words]:
    """Where columns come from, then what every figure of this panel must say."""
    sources = dict.fromkeys(source.rstrip(".") for name in names if (source := panel.column(name).source))
    return [*(phrase("source", lang, source) for source in sources), *panel.notes]


def interval_note(estimates: Mapping[str, Estimate], level: float, words: Vocabulary) -> str:
    """What the bars are: their level, and the covariance behind them."""
    percent = f"{100 * level:g}"
    if not estimates:
        return phrase("bars", words.lang, percent)
    named: dict[str, list[str]] = {}
    for name, estimate in estimates.items():
        named.setdefault(_vcov(estimate, words), []).append(name)
    comma, semicolon = (", ", "; ") if words.lang == "en" else ("、", "；")
    parts = [f"{vcov} ({comma.join(names)})" for vcov, names in named.items()] if len(named) > 1 else list(named)
    return phrase("bars_vcov", words.lang, percent, semicolon.join(parts))


def _vcov(estimate: Estimate, words: Vocabulary) -> str:
    vcov = estimate.spec["vcov"]
    if vcov["kind"] not in COVARIANCES:
        return estimate.vcov_words(words.lang).rstrip(".。")
    columns = (" and " if words.lang == "en" else "、").join(
        lower(words.column(name)) for name in vcov.get("columns", ())
    )
    return COVARIANCES[vcov["kind"]][words.lang].format(columns)


def lower(label: str) -> str:
    """A label within a sentence: its first letter small unless it is an abbreviation."""
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


def printed(notes: Sequence[Words], lang: Lang) -> tuple[str, ...]:
    """Notes in one language, each once, in order, and what the study as a whole must say."""
    return with_carried(tuple(dict.fromkeys(text(note, lang) for note in notes)), lang)


def joined(sentences: Sequence[str], lang: Lang) -> str:
    """Sentences on one line."""
    return (" " if lang == "en" else "").join(sentences)


def in_order(groups: "pd.Series[Any]") -> list[Any]:
    """Distinct groups: the whole first, the plates in their usual order, others as they come."""
    distinct = list(dict.fromkeys(groups))
    rank = {name: i for i, name in enumerate(["all", *VALUES_ZH])}
    return sorted(distinct, key=lambda group: rank.get(str(group), len(rank)))
