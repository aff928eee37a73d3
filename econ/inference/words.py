"""What a table note says about a covariance, in English and Chinese."""

from econ.inference.specs import Cluster, Conley, Hetero

Words = tuple[str, str]

_NOTHING: Words = ("", "")


def iid_words(has_effects: bool, model_based: bool) -> Words:
    counted = _all_counted(has_effects)
    if model_based:
        return (
            f"Standard errors from the inverse information matrix, times (N-1)/(N-K){counted[0]}",
            f"标准误取自信息矩阵之逆，乘以 (N-1)/(N-K){counted[1]}",
        )
    return (
        f"Standard errors under homoskedasticity, s² = RSS/(N-K){counted[0]}",
        f"同方差标准误，s² = RSS/(N-K){counted[1]}",
    )


def hetero_words(spec: Hetero, has_effects: bool) -> Words:
    formula = {"HC0": "", "HC1": "N/(N-K)", "HC2": "u²/(1-h)", "HC3": "u²/(1-h)²"}[spec.correction]
    counted = _all_counted(has_effects) if spec.correction == "HC1" else _NOTHING
    return (
        f"Heteroskedasticity-robust standard errors, {spec.correction}{formula and ': '}{formula}{counted[0]}",
        f"异方差稳健标准误，{spec.correction}{formula and '：'}{formula}{counted[1]}",
    )


def cluster_words(spec: Cluster, n_clusters: tuple[int, ...], has_effects: bool) -> Words:
    by_en = " and ".join(f"{name} ({G} clusters)" for name, G in zip(spec.columns, n_clusters, strict=True))
    by_zh = "和".join(f" {name}（{G} 个聚类）" for name, G in zip(spec.columns, n_clusters, strict=True))
    formula = {
        "CR0": _NOTHING,
        "CR1": _cr1_words(spec, has_effects),
        "CR2": (": (I-H)^(-1/2) u (Bell-McCaffrey)", "：(I-H)^(-1/2) u（Bell-McCaffrey）"),
        "CR3": (": (I-H)^(-1) u", "：(I-H)^(-1) u"),
        "CV3": (": jackknife, (G-1)/G x CR3", "：刀切法，(G-1)/G × CR3"),
    }[spec.correction]
    t = "Satterthwaite t" if spec.correction == "CR2" else f"t({min(n_clusters) - 1})"
    return (
        f"Standard errors clustered by {by_en}, {spec.correction}{formula[0]}; {t}",
        f"标准误按{by_zh}聚类，{spec.correction}{formula[1]}；{t}",
    )


def driscoll_kraay_words(lags: int, T: int, small_sample: bool, has_effects: bool) -> Words:
    factor = _hac_factor(has_effects, ("periods", "时期"))
    factor = factor if small_sample else ("no small-sample factor", "无小样本调整")
    return (
        f"Driscoll-Kraay standard errors ({_bartlett(lags, T)[0]}), {factor[0]}; t({T - 1})",
        f"Driscoll-Kraay 标准误（{_bartlett(lags, T)[1]}），{factor[1]}；t({T - 1})",
    )


def newey_west_words(lags: int, T: int, has_effects: bool) -> Words:
    factor = _hac_factor(has_effects, ("units or periods", "个体或时期"))
    return (
        f"Newey-West standard errors within units ({_bartlett(lags, T)[0]}), {factor[0]}; t({T - 1})",
        f"个体内 Newey-West 标准误（{_bartlett(lags, T)[1]}），{factor[1]}；t({T - 1})",
    )


def conley_words(spec: Conley, dof: int, has_effects: bool) -> Words:
    pairs = {"all": ("all periods", "含所有时期"), "same": ("the same period", "仅同一时期")}[spec.periods]
    kernel_zh = {"uniform": "均匀核", "bartlett": "Bartlett 核"}[spec.kernel]
    counted = _nested(has_effects, ("locations", "地点")) if spec.periods == "all" else _all_counted(has_effects)
    return (
        f"Conley standard errors ({spec.kernel} kernel, {spec.cutoff_km:g} km, pairs of rows of {pairs[0]}), "
        f"(N-1)/(N-K){counted[0]}; t({dof})",
        f"Conley 空间标准误（{kernel_zh}，{spec.cutoff_km:g} 公里，{pairs[1]}的观测对），"
        f"(N-1)/(N-K){counted[1]}；t({dof})",
    )


def pcse_words(N: int, T: int, dof: int) -> Words:
    return (
        f"Panel-corrected standard errors (Beck-Katz; {N} units, {T} periods, divided by periods), no small-sample "
        f"factor; t({dof})",
        f"面板校正标准误（Beck-Katz；{N} 个个体，{T} 个时期，除以期数），无小样本调整；t({dof})",
    )


def _cr1_words(spec: Cluster, has_effects: bool) -> Words:
    terms = _NOTHING
    if len(spec.columns) > 1:
        terms = {
            "min": (", G the smallest", "，G 取最小聚类数"),
            "own": (", G of each term", "，G 为各项自身聚类数"),
        }[spec.groups]
    counted = {
        "nonnested": _nested(has_effects, ("clusters", "聚类")),
        "all": _all_counted(has_effects),
        "none": (", K without fixed effects", "，K 不含固定效应") if has_effects else _NOTHING,
    }[spec.effects_counted]
    return (
        f": G/(G-1) x (N-1)/(N-K){terms[0]}{counted[0]}",
        f"：G/(G-1) × (N-1)/(N-K){terms[1]}{counted[1]}",
    )


def _bartlett(lags: int, T: int) -> Words:
    return (
        f"Bartlett kernel, {lags} lag{'' if lags == 1 else 's'}, {T} periods",
        f"Bartlett 核，滞后 {lags} 期，{T} 个时期",
    )


def _hac_factor(has_effects: bool, nest: Words) -> Words:
    nested = _nested(has_effects, nest)
    return f"T/(T-1) x (N-1)/(N-K){nested[0]}", f"T/(T-1) × (N-1)/(N-K){nested[1]}"


def _nested(has_effects: bool, nest: Words) -> Words:
    if not has_effects:
        return _NOTHING
    return f", K without effects nested in the {nest[0]}", f"，K 不含嵌套于{nest[1]}的固定效应"


def _all_counted(has_effects: bool) -> Words:
    return (", K with fixed effects", "，K 含固定效应") if has_effects else _NOTHING
