"""One overall effect under every kind of inference for few regions, side by side with what each leans on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import special

from econ.did.design import DidDesign
from econ.did.permute import permute_result
from econ.did.result import DidResult
from econ.errors import EconError, ModelError, OptionError
from econ.inference.bootstrap import wild_cluster_bootstrap
from econ.inference.covariance import cluster, contrast_dof, covariance
from econ.inference.few_groups import group_t_test, placebo_test
from econ.inference.wild import wild
from econ.linear.fit import FloatArray
from econ.options import Lang, check_draws, check_level
from econ.problem import sample_layout
from econ.progress import track
from econ.text import Text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from econ.report import Table
    from econ.report.figures import Plot

METHODS: dict[str, tuple[Text, Text]] = {  # label, and what it leans on
    "clustered": (
        {"en": "As estimated", "zh": "估计所用标准误"},
        {
            "en": "many clusters, many of them treated, none of them dominant",
            "zh": "聚类数多、处理聚类多，且无聚类起主导作用",
        },
    ),
    "cr2": (
        {"en": "CR2, Satterthwaite t", "zh": "CR2 与 Satterthwaite 自由度"},
        {
            "en": "errors near homoskedastic within and between clusters (the working model); few clusters are fine",
            "zh": "误差近似同方差（工作模型）；聚类数可以较少",
        },
    ),
    "jackknife": (
        {"en": "Cluster jackknife", "zh": "聚类刀切法"},
        {
            "en": "the effect can be estimated without any one cluster; conservative with few treated clusters",
            "zh": "剔除任一聚类后仍可估计；处理聚类少时偏保守",
        },
    ),
    "wild": (
        {"en": "Wild cluster bootstrap, restricted", "zh": "受限野生聚类自助法"},
        {
            "en": "errors symmetric over clusters; reliable unless very few (or nearly all) clusters are treated",
            "zh": "各聚类误差对称；除非处理聚类极少（或近乎全部），否则可靠",
        },
    ),
    "randomization": (
        {"en": "Randomisation of treatment dates", "zh": "处理时间随机化检验"},
        {
            "en": "every unit as likely as another to get each date; the null is no effect on any unit",
            "zh": "各单元获得各处理时间的可能性相同；原假设为对任何单元均无影响",
        },
    ),
    "conley_taber": (
        {"en": "Conley-Taber", "zh": "Conley-Taber 检验"},
        {
            "en": "errors of treated units distributed as those of the never treated, who are many",
            "zh": "处理单元的误差与从未处理单元同分布，且后者数量多",
        },
    ),
    "ferman_pinto": (
        {"en": "Ferman-Pinto", "zh": "Ferman-Pinto 检验"},
        {
            "en": "as Conley-Taber, but with variances that depend on the size of units",
            "zh": "同 Conley-Taber，但允许误差方差随单元规模变化",
        },
    ),
    "ibragimov_mueller": (
        {"en": "Ibragimov-Mueller, treated against others", "zh": "Ibragimov-Müller 检验（处理组对其他）"},
        {
            "en": "units independent, each unit's own change near normal; variances may differ",
            "zh": "各单元相互独立，各自变化近似正态；方差可以不同",
        },
    ),
}
FEW_CONTROLS: Text = {
    "en": "Fewer than two never-treated units for each treated one: the errors of the former, which Conley-Taber and "
    "Ferman-Pinto leave out, are not negligible, and their intervals are too short.",
    "zh": "每个处理单元对应的从未处理单元不足两个：Conley-Taber 与 Ferman-Pinto 忽略的对照误差不可忽视，其区间偏短。",
}
NUMBERS = ["estimate", "std_error", "statistic", "dof", "p_value", "ci_low", "ci_high"]
Row = dict[str, Any]


@dataclass(frozen=True, eq=False, repr=False)
class Inference:
    """An overall effect under several kinds of inference.

    Attributes
    ----------
    frame : ``method, estimate, std_error, statistic, dof, p_value, ci_low, ci_high, detail``; numbers that a method
        does not give are missing, and where it does not apply ``detail`` says why
    n_treated, n_units, n_clusters : treated units, units, clusters
    outcome, label : as asked for; the estimator
    level : of the intervals
    notes : what a reader must know
    """

    frame: pd.DataFrame
    n_treated: int
    n_units: int
    n_clusters: int
    outcome: str
    label: Text
    level: float
    notes: tuple[Text, ...]

    def __repr__(self) -> str:
        head = (
            f"Overall effect on {self.outcome}: {self.label['en']}; {self.n_treated} of {self.n_units} units treated, "
            f"{self.n_clusters} clusters"
        )
        shown = self.frame.assign(method=[METHODS[name][0]["en"] for name in self.frame["method"]])
        table = shown[["method", "std_error", "dof", "p_value", "ci_low", "ci_high"]]
        lines = [head, "", table.to_string(index=False, float_format=lambda x: f"{x:.4g}", na_rep="-"), ""]
        lines += [f"{METHODS[name][0]['en']} leans on: {METHODS[name][1]['en']}." for name in self.frame["method"]]
        details = zip(self.frame["method"], self.frame["detail"], strict=True)
        lines += [f"{METHODS[name][0]['en']}: {detail}" for name, detail in details if detail]
        return "\n".join([*lines, *(f"Note: {note['en']}" for note in self.notes)])

    def table(self, title: str | Text = "", lang: Lang = "en") -> "Table":
        """Standard errors, p-values and intervals by method, with what each leans on in the last column."""
        from econ.report import DataColumn, data_table

        head: dict[str, Text] = {
            "std_error": {"en": "Standard error", "zh": "标准误"},
            "dof": {"en": "Degrees of freedom", "zh": "自由度"},
            "p_value": {"en": "p", "zh": "p 值"},
            "ci_low": {"en": f"{100 * self.level:g} % interval, low", "zh": f"{100 * self.level:g}%区间下限"},
            "ci_high": {"en": "high", "zh": "上限"},
            "leans_on": {"en": "Leans on", "zh": "依赖的假设"},
        }
        columns: dict[str, DataColumn | Text] = dict(head)
        columns["p_value"] = DataColumn(head["p_value"], format="p_value")
        columns["dof"] = DataColumn(head["dof"], digits=1)
        frame = self.frame.replace([np.inf, -np.inf], np.nan).assign(
            method=[METHODS[name][0][lang] for name in self.frame["method"]],
            leans_on=[METHODS[name][1][lang] for name in self.frame["method"]],
        )
        estimate = float(self.frame["estimate"].iloc[0])
        said: Text = {
            "en": f"Overall effect {estimate:.3f}; {self.n_treated} of {self.n_units} units treated, {self.n_clusters} "
            "clusters.",
            "zh": f"总体效应 {estimate:.3f}；{self.n_units} 个单元中 {self.n_treated} 个受处理，"
            f"{self.n_clusters} 个聚类。",
        }
        few = [FEW_CONTROLS] if (self.frame["detail"] == FEW_CONTROLS["en"]).any() else []
        missing: Text = {"en": "A dash: not given by the method, or unbounded.", "zh": "横线：该方法不提供，或无界。"}
        return data_table(
            frame,
            title=title,
            lang=lang,
            rows="method",
            columns=columns,
            notes=[said, *few, *self.notes],
            missing=missing,
        )

    def plot(self, ax: "Axes | None" = None, lang: Lang = "en") -> "Plot":
        """The intervals by method."""
        from econ.report import coefficient_plot

        bounded = np.isfinite(self.frame[["ci_low", "ci_high"]]).all(axis=1)
        frame = self.frame[bounded].assign(term=lambda d: [METHODS[name][0][lang] for name in d["method"]])
        return coefficient_plot(
            frame[["term", "estimate", "ci_low", "ci_high"]], level=self.level, notes=self.notes, lang=lang, ax=ax
        )


def inference(
    result: DidResult,
    *,
    within: str | None = None,
    size: str | None = None,
    level: float = 0.95,
    draws: int = 4999,
    seed: int = 1,
) -> Inference:
    """Inference on the overall effect for few treated regions, method by method.

    With few treated clusters the usual standard errors are too small, whatever the number of clusters (MacKinnon and
    Webb 2017). No method is free of assumptions; these lean on different ones, so that agreement says more than any
    single p-value:

    - as estimated: the result's own covariance;
    - CR2 with Satterthwaite degrees of freedom (Bell and McCaffrey 2002; Pustejovsky and Tipton 2018): regressions;
    - the cluster jackknife CV3, ``(G-1)/G sum_g (b_(g) - b)^2`` (MacKinnon, Nielsen and Webb 2023): regressions by
      leverage, other estimators by leaving each cluster out;
    - the restricted wild cluster bootstrap (Cameron, Gelbach and Miller 2008), Webb's weights below 13 clusters:
      regressions;
    - randomisation of the treatment dates (``econ.did.permute``);
    - Conley and Taber (2011): residuals of the never treated in the place of each treated unit's; with ``size``,
      Ferman and Pinto (2019);
    - Ibragimov and Mueller (2016): what each unit adds to the estimate, treated against others, by a two-sample t.

    Parameters
    ----------
    result : straight from an estimator
    within : column of strata for the randomisation
    size : column, constant within units, of the observations behind each unit's outcome (such as population), for
        Ferman and Pinto's correction
    level : of the intervals
    draws, seed : of the bootstrap, the randomisation and the placebo combinations

    Returns
    -------
    Inference with ``frame``, ``table()`` and ``plot()``; where a method does not apply its row says why.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").with_cohort(econ.roster("innovation_demonstration_zones"))
    >>> panel = panel.where(lambda d: d["province"] != "Tibet")
    >>> found = econ.did.inference(econ.did.twfe(panel, "log(invention_grants)", cohort="cohort"), draws=999)
    >>> len(found.frame)
    8
    """
    check_level(level)
    check_draws(draws, seed)
    design = result.design
    if design is None:
        raise OptionError("inference takes a result straight from an estimator; this one was read back from JSON.")
    column = next(iter(result.spec["vcov"]["columns"]), design.panel.unit)
    estimate = float(result.aggregate("overall").coef[0])
    methods: dict[str, Callable[[], Row]] = {
        "clustered": lambda: _clustered(result, level),
        "cr2": lambda: _regression(result, column, "CR2", level),
        "jackknife": lambda: _jackknife(result, design, column, level),
        "wild": lambda: _wild(result, column, level, draws, seed),
        "randomization": lambda: _randomization(result, within, level, draws, seed),
        "conley_taber": lambda: _placebo(result, design, None, level, draws, seed),
        "ferman_pinto": lambda: _placebo(result, design, size, level, draws, seed, sized=True),
        "ibragimov_mueller": lambda: _group_test(result, design, level),
    }
    rows = [{"method": name, "estimate": estimate} | _tried(method) for name, method in methods.items()]
    frame = pd.DataFrame(rows, columns=["method", *NUMBERS, "detail"])
    treated = int(np.isfinite(design.first[design.class_of]).sum())
    return Inference(
        frame.astype(dict.fromkeys(NUMBERS, np.float64)),
        treated,
        design.n_units,
        len(design.clusters(column)[1]),
        result.outcome,
        result.spec["estimator_label"],
        level,
        result.notes,
    )


def _tried(method: Callable[[], Row]) -> Row:
    try:
        return {"detail": ""} | method()
    except EconError as reason:
        return {"detail": str(reason)}


def _t_row(estimate: float, std_error: float, dof: float, level: float) -> Row:
    statistic = estimate / std_error
    half = -float(special.stdtrit(dof, (1 - level) / 2)) * std_error
    p_value = 2 * float(special.stdtr(dof, -abs(statistic)))
    limits = {"ci_low": estimate - half, "ci_high": estimate + half}
    return {"std_error": std_error, "statistic": statistic, "dof": dof, "p_value": p_value} | limits


def _clustered(result: DidResult, level: float) -> Row:
    row = result.aggregate("overall").tidy(level).iloc[0]
    dof = float(np.min(result.dof))
    return {name: row[name] for name in ("std_error", "statistic", "p_value", "ci_low", "ci_high")} | {"dof": dof}


def _contrast(result: DidResult) -> FloatArray:
    """(P,) weights of the coefficients in the overall effect."""
    if result.regression is None:
        raise ModelError("Only for estimators that are one least-squares regression.")
    contrast = np.zeros(len(result.coef))
    contrast[: result.n_effects] = result.overall_weights()
    return contrast


def _regression(result: DidResult, column: str, kind: Any, level: float) -> Row:
    contrast = _contrast(result)
    assert result.regression is not None
    spec = cluster(column, kind=kind)
    fit, layout = result.regression.linear_fit(), sample_layout(result.regression.design.problem.with_vcov(spec))
    found = covariance(spec, fit, layout)
    std_error = float(np.sqrt(contrast @ found.matrix @ contrast))
    row = _t_row(float(contrast @ result.coef), std_error, contrast_dof(spec, fit, layout, contrast), level)
    return row | {"detail": " ".join(note["en"] for note in found.notes)}


def _jackknife(result: DidResult, design: DidDesign, column: str, level: float) -> Row:
    if result.regression is not None:
        return _regression(result, column, "CV3", level)
    if result.again is None:
        raise ModelError("This result cannot be estimated again without a cluster.")
    estimate = float(result.aggregate("overall").coef[0])
    groups = design.panel.frame[column].to_numpy()
    labels = design.clusters(column)[1]
    left = [result.again(design.panel.where(groups != name)) for name in track(labels, "Jackknife")]
    values = np.array([other.aggregate("overall").coef[0] for other in left])
    G = len(labels)
    variance = (G - 1) / G * float(np.sum((values - estimate) ** 2))
    return _t_row(estimate, float(np.sqrt(variance)), G - 1, level)


def _wild(result: DidResult, column: str, level: float, draws: int, seed: int) -> Row:
    contrast = _contrast(result)
    assert result.regression is not None
    spec = cluster(column)
    fit, layout = result.regression.linear_fit(), sample_layout(result.regression.design.problem.with_vcov(spec))
    G = len(result.regression.design.clusters(column)[1])
    method = wild(draws=draws, weights="webb" if G < 13 else "rademacher", seed=seed)
    test = wild_cluster_bootstrap(fit, layout, spec, contrast[None, :], np.zeros(1), method, level)
    limits = {"ci_low": test.ci_low, "ci_high": test.ci_high}
    return {"statistic": test.statistic, "p_value": test.p_value} | limits


def _randomization(result: DidResult, within: str | None, level: float, draws: int, seed: int) -> Row:
    test = permute_result(result, within, "two_sided", level, draws, seed)
    limits = {} if test.ci_low is None else {"ci_low": test.ci_low, "ci_high": test.ci_high}
    return {"p_value": test.p_value} | limits


def _unit_weights(result: DidResult, design: DidDesign) -> FloatArray:
    """(C, T) weight of one unit's outcome, as a member of each class."""
    weights = result.weights()["weight"].to_numpy().reshape(design.n_classes, -1)
    unit: FloatArray = np.divide(weights, design.counts, out=np.zeros_like(weights), where=design.counts > 0)
    return unit


def _placebo(
    result: DidResult, design: DidDesign, size: str | None, level: float, draws: int, seed: int, *, sized: bool = False
) -> Row:
    if sized and size is None:
        raise ModelError("Needs the size of units; give size='population' or the like.")
    if not design.has_never:
        raise ModelError("Needs units that are never treated.")
    weights = _unit_weights(result, design)
    never = design.classes[-1]
    residuals = design.Y[never] - design.means[-1]
    if design.observed is not None:
        residuals = np.where(design.observed[never], residuals, 0.0)
    treated = design.class_of < design.n_classes - 1
    sizes = None
    if size is not None:
        sizes = design.panel.attribute(size).reindex(design.panel.units[design.units]).to_numpy(dtype=np.float64)
    test = placebo_test(
        float(result.aggregate("overall").coef[0]),
        weights[design.class_of[treated]] @ residuals.T,
        treated_size=None if sizes is None else sizes[treated],
        control_size=None if sizes is None else sizes[never],
        level=level,
        draws=draws,
        seed=seed,
    )
    few = FEW_CONTROLS["en"] if test.n_controls < 2 * test.n_treated else ""
    return {"p_value": test.p_value, "ci_low": test.ci_low, "ci_high": test.ci_high, "detail": few}


def _group_test(result: DidResult, design: DidDesign, level: float) -> Row:
    """What each unit adds to the estimate, times the number of its kind: the estimate is a difference of means.

    Outcomes are taken about the period's mean over the last class, which moves no estimate but keeps what all units
    share out of the spread between cohorts.
    """
    net = design.Y - design.means[-1]
    net = net if design.observed is None else np.where(design.observed, net, 0.0)
    added = np.sum(_unit_weights(result, design)[design.class_of] * net, axis=1)
    treated = np.isfinite(design.first[design.class_of])
    test = group_t_test(added[treated] * treated.sum(), -added[~treated] * (~treated).sum(), level=level)
    limits = {"ci_low": test.ci_low, "ci_high": test.ci_high}
    return {"std_error": test.std_error, "statistic": test.statistic, "dof": test.dof, "p_value": test.p_value} | limits
