"""Every word that tables and figures print, in English and Chinese, and labels for the terms of a formula."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from econ.options import Lang
from econ.report.numbers import MINUS

Words = str | Mapping[str, str]  # one text for both languages, or {"en": ..., "zh": ...}
Labels = Mapping[str, Words]  # column, term, fixed effect, data set or panel title -> text; a column also "unit"

WORDS: Mapping[str, Mapping[str, str]] = {
    "yes": {"en": "Yes", "zh": "是"},
    "no": {"en": "No", "zh": "否"},
    "notes": {"en": "Notes: ", "zh": "注："},
    "outcome": {"en": "Dependent variable", "zh": "被解释变量"},
    "covariance": {"en": "Standard errors", "zh": "标准误类型"},
    "fixed_effects": {"en": "{} fixed effects", "zh": "{}固定效应"},
    "slopes": {"en": "{}-specific slopes of {}", "zh": "{}特定的{}斜率"},
    "clusters_of": {"en": "Clusters ({})", "zh": "聚类数（{}）"},
    "test_p": {"en": "{}, p-value", "zh": "{}，p值"},
    "std_error": {"en": "Standard errors in parentheses.", "zh": "括号内为标准误。"},
    "t_statistic": {"en": "t statistics in parentheses.", "zh": "括号内为t统计量。"},
    "z_statistic": {"en": "z statistics in parentheses.", "zh": "括号内为z统计量。"},
    "p_value": {"en": "p-values in parentheses.", "zh": "括号内为p值。"},
    "interval": {"en": "{}% confidence intervals in brackets.", "zh": "方括号内为{}%置信区间。"},
    "star": {"en": "{} p < {}", "zh": "{}表示在{}的水平上显著"},
    "several_stars": {"en": "{} p < {}, in this order", "zh": "{}分别表示在{}的水平上显著"},
    "estimator": {"en": "Estimator", "zh": "估计方法"},
    "instrumented": {"en": "Instrumented", "zh": "内生变量"},
    "instruments": {"en": "; instruments: {}", "zh": "；工具变量：{}"},
    "weights": {"en": "Weights", "zh": "权重"},
    "offset": {"en": "Offset", "zh": "偏移项"},
    "data": {"en": "Data", "zh": "数据"},
    "colon": {"en": ": ", "zh": "："},
    "comma": {"en": ", ", "zh": "、"},
    "stop": {"en": ". ", "zh": "。"},
    "semicolon": {"en": "; ", "zh": "；"},
    "dropped": {"en": "Rows left out", "zh": "剔除的观测"},
    "missing_statistic": {
        "en": "A dash (–) marks a statistic not defined for that column.",
        "zh": "–表示该列无此统计量。",
    },
    "missing_data": {"en": "A dash (–) marks missing data.", "zh": "–表示数据缺失。"},
}

STATISTICS: Mapping[str, Mapping[str, str]] = {
    "n_obs": {"en": "Observations", "zh": "样本量"},
    "n_units": {"en": "Units", "zh": "个体数"},
    "n_periods": {"en": "Periods", "zh": "期数"},
    "n_clusters": {"en": "Clusters", "zh": "聚类数"},
    "mean_outcome": {"en": "Mean of outcome", "zh": "被解释变量均值"},
    "r2": {"en": "R²", "zh": "R²"},
    "r2_within": {"en": "Within R²", "zh": "组内R²"},
    "r2_between": {"en": "Between R²", "zh": "组间R²"},
    "r2_overall": {"en": "Overall R²", "zh": "总体R²"},
    "r2_adj": {"en": "Adjusted R²", "zh": "调整后R²"},
    "r2_pseudo": {"en": "Pseudo R²", "zh": "伪R²"},
    "rmse": {"en": "Root mean squared error", "zh": "均方根误差"},
    "loglik": {"en": "Log likelihood", "zh": "对数似然值"},
    "deviance": {"en": "Deviance", "zh": "偏差"},
    "aic": {"en": "AIC", "zh": "AIC"},
    "bic": {"en": "BIC", "zh": "BIC"},
    "f_first_stage": {"en": "First-stage F", "zh": "第一阶段F值"},
    "kleibergen_paap": {"en": "Kleibergen–Paap rk Wald F", "zh": "Kleibergen–Paap rk Wald F值"},
    "kleibergen_paap_lm": {"en": "Kleibergen–Paap rk LM test", "zh": "Kleibergen–Paap rk LM检验"},
    "cragg_donald": {"en": "Cragg–Donald Wald F", "zh": "Cragg–Donald Wald F值"},
    "wu_hausman": {"en": "Wu–Hausman test", "zh": "Wu–Hausman检验"},
    "n_instruments": {"en": "Instruments", "zh": "工具变量数"},
    "overdispersion": {"en": "Overdispersion", "zh": "过度离散检验"},
    "dispersion": {"en": "Dispersion", "zh": "离散参数"},
    "mean_efficiency": {"en": "Mean efficiency", "zh": "平均效率"},
    "sigma_u": {"en": "σ of inefficiency", "zh": "无效率项σ_u"},
    "sigma_v": {"en": "σ of noise", "zh": "随机误差σ_v"},
    "no_inefficiency": {"en": "No inefficiency (LR)", "zh": "无技术无效率（LR检验）"},
    "mundlak": {"en": "Mundlak test", "zh": "Mundlak检验"},
    "cd": {"en": "CD test", "zh": "CD检验"},
    "cd_weighted": {"en": "Weighted CD test", "zh": "加权CD检验"},
    "cd_star": {"en": "CD* test", "zh": "CD*检验"},
    "delta": {"en": "Slope homogeneity", "zh": "斜率同质性检验"},
    "delta_adjusted": {"en": "Slope homogeneity, adjusted", "zh": "斜率同质性检验（修正）"},
    "n_factors": {"en": "Common factors", "zh": "共同因子数"},
    "ar1": {"en": "AR(1)", "zh": "AR(1)"},
    "ar2": {"en": "AR(2)", "zh": "AR(2)"},
    "sargan": {"en": "Sargan test", "zh": "Sargan检验"},
    "hansen": {"en": "Hansen test", "zh": "Hansen检验"},
    "placebo": {"en": "Placebo test", "zh": "安慰剂检验"},
    "permutation": {"en": "Permutation test", "zh": "置换检验"},
    "rmspe_ratio": {"en": "Post/pre RMSPE ratio", "zh": "处理后与处理前RMSPE之比"},
    "equal_halves": {"en": "Equal halves of the panel", "zh": "面板前后两半相等检验"},
    "diff_hansen": {"en": "Difference-in-Hansen test", "zh": "差分Hansen检验"},
}
STRENGTHS = frozenset({"f_first_stage", "kleibergen_paap", "cragg_donald"})  # tests of which the statistic is reported
COUNTS = frozenset({"n_obs", "n_units", "n_periods", "n_clusters", "n_instruments", "n_factors"})

COVARIANCES: Mapping[str, Mapping[str, str]] = {
    "iid": {"en": "Homoskedastic", "zh": "同方差"},
    "hetero": {"en": "Robust", "zh": "异方差稳健"},
    "cluster": {"en": "Clustered: {}", "zh": "聚类：{}"},
    "driscoll_kraay": {"en": "Driscoll–Kraay", "zh": "Driscoll–Kraay"},
    "newey_west": {"en": "Newey–West", "zh": "Newey–West"},
    "conley": {"en": "Conley", "zh": "Conley空间"},
    "pcse": {"en": "Panel-corrected", "zh": "面板校正"},
    "placebo": {"en": "Placebo", "zh": "安慰剂"},
    "permutation": {"en": "Permutation", "zh": "置换"},
    "jackknife": {"en": "Jackknife", "zh": "刀切法"},
    "across_units": {"en": "Variation across units", "zh": "个体间变异"},
    "bootstrap": {"en": "Bootstrap", "zh": "自助法"},
    "windmeijer": {"en": "Windmeijer", "zh": "Windmeijer修正"},
}

DROPPED: Mapping[str, Mapping[str, str]] = {  # how a reason begins; a column's name follows it
    "missing": {"en": "{0:,} missing {1}", "zh": "{1}缺失{0:,}行"},
    "singleton": {"en": "{0:,} singletons of {1}", "zh": "{1}单点组{0:,}行"},
    "outcome zero throughout a level of": {
        "en": "{0:,} with outcome zero throughout their level of {1}",
        "zh": "{1}内被解释变量全为零{0:,}行",
    },
    "zero weight": {"en": "{0:,} with zero weight", "zh": "权重为零{0:,}行"},
    "first row of a unit": {"en": "{0:,} first rows of units (no difference)", "zh": "个体首期（无差分）{0:,}行"},
    "last row of a unit": {"en": "{0:,} last rows of units (no deviation)", "zh": "个体末期（无离差）{0:,}行"},
    "unit with fewer than 4 rows": {"en": "{0:,} in units with fewer than 4 rows", "zh": "不足4期的个体{0:,}行"},
    "no row": {"en": "{0:,} with no row {1}", "zh": "缺少对应前期观测{0:,}行"},
    "row after a gap": {"en": "{0:,} rows after a gap (no difference)", "zh": "间断之后（无差分）{0:,}行"},
}

COLUMNS: Mapping[str, Mapping[str, str]] = {
    "unit": {"en": "Unit", "zh": "个体"},
    "time": {"en": "Time", "zh": "时间"},
    "year": {"en": "Year", "zh": "年份"},
    "quarter": {"en": "Quarter", "zh": "季度"},
    "month": {"en": "Month", "zh": "月份"},
    "province": {"en": "Province", "zh": "省份"},
    "city": {"en": "City", "zh": "城市"},
    "region": {"en": "Region", "zh": "地区"},
    "zone": {"en": "Zone", "zh": "高新区"},
    "plate": {"en": "Plate", "zh": "板块"},
    "industry": {"en": "Industry", "zh": "行业"},
    "firm": {"en": "Firm", "zh": "企业"},
    "cohort": {"en": "First treated", "zh": "首次处理时点"},
    "event_time": {"en": "Event time", "zh": "相对时间"},
    "treated": {"en": "Treated", "zh": "处理"},
    "event": {"en": "Event time", "zh": "相对时间"},
    "period": {"en": "Period", "zh": "时期"},
    "ATT": {"en": "Average effect on the treated", "zh": "处理组平均处理效应"},
    "Intercept": {"en": "Constant", "zh": "常数项"},
    "sigma2": {"en": "Variance of noise and inefficiency, σ²", "zh": "合成方差σ²"},
    "gamma": {"en": "Share of inefficiency, γ", "zh": "无效率方差占比γ"},
    "decay": {"en": "Decay of inefficiency, η", "zh": "无效率衰减参数η"},
    "adjustment": {"en": "Adjustment to the long run", "zh": "向长期关系的调整"},
    "(Intercept)": {"en": "Constant", "zh": "常数项"},
}

FUNCTIONS: Mapping[str, Mapping[str, str]] = {
    "log": {"en": "{} (log)", "zh": "{}（对数）"},
    "log1p": {"en": "ln(1 + {})", "zh": "ln(1 + {})"},
    "asinh": {"en": "{} (inverse hyperbolic sine)", "zh": "{}（反双曲正弦）"},
    "sqrt": {"en": "{} (square root)", "zh": "{}（平方根）"},
    "square": {"en": "{} squared", "zh": "{}的平方"},
    "power": {"en": "{} to the power {}", "zh": "{}的{}次方"},
    "lag": {"en": "{}, lag {}", "zh": "{}（滞后{}期）"},
    "lead": {"en": "{}, lead {}", "zh": "{}（提前{}期）"},
    "diff": {"en": "Δ {}", "zh": "Δ{}"},
    "inefficiency": {"en": "Inefficiency: {}", "zh": "无效率：{}"},
}

UNITS_ZH: Mapping[str, str] = {
    "yuan": "元", "10k yuan": "万元", "100m yuan": "亿元", "million USD": "百万美元", "current prices": "当年价格",
    "persons": "人", "10k persons": "万人", "100m persons": "亿人", "person-years": "人年", "years": "年",
    "year end": "年末", "share": "比重", "items": "件", "papers": "篇", "count": "个", "percent": "%",
    "previous year = 100": "上年=100", "constant prices": "不变价格",
}  # fmt: skip

_CALL = re.compile(r"(?:np\.)?(\w+)\((.*)\)$")
_POWER = re.compile(r"(.+?)\s*(?:\*\*|\^)\s*(\d+)$")
_SLOPES = re.compile(r"([^\[\]]+)(\[\[?)(.+?)\]+$")


def word(name: str, lang: Lang, *values: object) -> str:
    """One of the fixed words, its blanks filled in."""
    return WORDS[name][lang].format(*values)


def text(given: Words, lang: Lang) -> str:
    """The text in one language; where that language is missing, in the other."""
    return given if isinstance(given, str) else given.get(lang) or next(iter(given.values()), "")


def unit_words(unit: str, lang: Lang) -> str:
    """A unit of measure; its parts between commas are translated where they are known."""
    if lang == "en":
        return unit
    return "，".join(UNITS_ZH.get(part.strip(), part.strip()) for part in unit.split(","))


@dataclass(frozen=True)
class Vocabulary:
    """Labels for columns and for everything that a formula builds from them.

    Parameters
    ----------
    lang : language of every answer
    given : labels that the caller gave; they win, for whole terms as well as for columns
    known : labels that travelled with the data, column -> {"label", "label_zh", "unit", "unit_zh"}

    Examples
    --------
    >>> words = Vocabulary("en", {"gdp": "GDP"}, {"open": {"label": "Openness", "label_zh": "开放度"}})
    >>> words.term("log(gdp):lag(open, 1)")
    'GDP (log) × Openness, lag 1'
    """

    lang: Lang = "en"
    given: Labels = field(default_factory=dict)
    known: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def column(self, name: str) -> str:
        """Label of a column: the caller's, the data's, a common word, or its name."""
        if name in self.given:
            return text(self.given[name], self.lang)
        known = self.known.get(name, {})
        label = (known.get("label_zh") if self.lang == "zh" else None) or known.get("label")
        return label or COLUMNS.get(name, {}).get(self.lang) or name

    def unit(self, name: str) -> str:
        """Unit of measure of a column, empty where it is not known."""
        given, known = self.given.get(name), self.known.get(name, {})
        unit = given.get("unit") if isinstance(given, Mapping) else None
        if not unit and self.lang == "zh" and known.get("unit_zh"):
            return known["unit_zh"]
        return unit_words(unit or known.get("unit") or "", self.lang)

    def outcome(self, name: str) -> str:
        """Label of an outcome with its unit of measure: ``GDP per head, yuan``, ``人均GDP（元）``."""
        label, unit = self.term(name), self.unit(name)
        if not unit:
            return label
        return f"{label}, {unit}" if self.lang == "en" else f"{label}（{unit}）"

    def term(self, name: str) -> str:
        """Label of a term in fixest's grammar: ``x1:x2``, ``year::2014:treated``, ``log(x)``, ``lag(x, 1)``."""
        name = name.strip()
        if name in self.given:
            return text(self.given[name], self.lang)
        factors = split_outside(name, ":")
        if len(factors) > 1:
            return " × ".join(self.term(factor) for factor in factors)
        if "::" in name:
            variable, _, level = name.partition("::")
            return f"{self.term(variable)} = {_signed(level)}"
        return self._function(name) or self.column(name)

    def fixed_effect(self, name: str) -> list[str]:
        """Row names of a fixed effect: one for intercepts, one for unit-specific slopes ``province[trend]``."""
        if name in self.given:
            return [text(self.given[name], self.lang)]
        slopes = _SLOPES.match(name)
        units = " × ".join(self.term(part) for part in re.split(r"\^|:", slopes[1] if slopes else name))
        rows = [] if slopes and slopes[2] == "[[" else [word("fixed_effects", self.lang, units)]
        if slopes:
            rows.append(word("slopes", self.lang, units, self.term(slopes[3])))
        return rows

    def statistic(self, name: str) -> str:
        """Row name of a statistic or a test, ``hansen`` or ``f_first_stage: x``; an unknown name prints as it is."""
        stem, colon, about = name.partition(": ")
        label = STATISTICS.get(stem, {}).get(self.lang, stem)
        return label + word("colon", self.lang) + self.term(about) if colon else label

    def covariance(self, kind: str, columns: Iterable[str]) -> str:
        """A covariance in a word or two, for a table's row."""
        template = COVARIANCES.get(kind, {}).get(self.lang, kind)
        return template.format(word("comma", self.lang).join(self.column(column) for column in columns))

    def dropped(self, reasons: Mapping[str, int]) -> str:
        """Rows left out, by reason."""
        parts = [self._reason(reason, count) for reason, count in reasons.items() if count]
        return word("comma", self.lang).join(parts)

    def _reason(self, reason: str, count: int) -> str:
        for beginning, words in DROPPED.items():
            if reason.startswith(beginning):
                column = reason.removeprefix(beginning).strip()
                return words[self.lang].format(count, self.term(column))
        return f"{count:,} {reason}"

    def _function(self, name: str) -> str | None:
        power, call = _POWER.match(name), _CALL.match(name)
        if call and call[1] == "I":
            return self.term(call[2])
        if call:
            inner, *rest = split_outside(call[2], ",")
            kind = call[1] if call[1] in FUNCTIONS else {"l": "lag", "f": "lead", "d": "diff"}.get(call[1])
            if kind is None:
                return f"{call[1]}({', '.join([self.term(inner), *rest])})"
            return FUNCTIONS[kind][self.lang].format(self.term(inner), *(rest or ["1"]))
        if power:
            kind = "square" if power[2] == "2" else "power"
            return FUNCTIONS[kind][self.lang].format(self.term(power[1]), power[2])
        return None


def split_outside(name: str, mark: str) -> list[str]:
    """Split at a mark that stands outside parentheses and, for a colon, is not half of ``::``."""
    parts, depth, start = [], 0, 0
    for i, sign in enumerate(name):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(sign, 0)
        if sign == mark and depth == 0 and mark not in (name[i - 1 : i], name[i + 1 : i + 2]):
            parts.append(name[start:i].strip())
            start = i + 1
    return [*parts, name[start:].strip()]


def _signed(level: str) -> str:
    """A level as printed: a negative number gets a real minus sign."""
    return MINUS + level[1:] if re.fullmatch(r"-\d+(\.\d+)?", level) else level
