"""The one result of every difference-in-differences estimator: an Estimate over cells that can be averaged."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

import numpy as np
import pandas as pd

from econ.did.aggregate import Averages, averages
from econ.did.cells import Cells, Loadings
from econ.did.design import DidDesign
from econ.errors import ModelError, OptionError
from econ.estimate import Estimate, Test
from econ.inference.covariance import Covariance
from econ.inference.influence import Influence
from econ.linear.fit import BoolArray, FloatArray
from econ.options import Aggregation, AverageOver
from econ.panel import Panel
from econ.problem import check_panel, problem_labels, problem_spec
from econ.text import Text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from econ.did.regression import ClassRegression
    from econ.report.figures import Plot


P = ParamSpec("P")
Result = TypeVar("Result", bound="DidResult")

_ROUNDING = 1e-15  # variance relative to the outcome's
_SHOWING = 1024  # units that show how far outcomes differ
NO_VARIANCE: Text = {
    "en": "Standard errors are zero up to rounding: nothing varies within the groups compared. With groups of one unit "
    "they say nothing; econ.did.inference names what does.",
    "zh": "标准误为零（仅余舍入误差）：被比较的各组内部没有变异。若每组仅一个单元，标准误没有意义；"
    "可参考econ.did.inference。",
}
TERMS = {
    "overall": {"label": "Average effect on the treated", "label_zh": "处理组平均效应"},
    "event_time": {"label": "Event time", "label_zh": "相对处理期"},
    "cohort": {"label": "Cohort", "label_zh": "队列"},
    "period": {"label": "Period", "label_zh": "时期"},
    "group": {"label": "Group", "label_zh": "组"},
}


@dataclass(frozen=True, eq=False, repr=False)
class DidResult(Estimate):
    """Effects by cell with their joint covariance, and what is needed to average them.

    The first K terms are effects of treatment; terms after them are covariates.

    Attributes
    ----------
    effects : what the K effects are
    shares : (C,) shares of the cohorts (in the order of first appearance among the effects) in all units; or (K,)
        shares of the effects in all treated observations
    joint_vcov : covariance of all P coefficients and of the shares, (P + C, P + C) or (P + K, P + K); where shares
        count as given, their part is zero
    loadings : weights on mean outcomes in the K effects, or None where the estimator has none
    design, influence, regression, again : the data, the influences, the regression (where it is one) and the call
        behind the result, for resampling and for differences of results; not part of the JSON, so None on a result
        that was read back
    """

    effects: Cells = field(kw_only=True)
    shares: FloatArray = field(kw_only=True)
    joint_vcov: FloatArray = field(kw_only=True)
    loadings: Loadings | None = field(default=None, kw_only=True)
    design: DidDesign | None = field(default=None, kw_only=True)
    influence: Influence | None = field(default=None, kw_only=True)
    regression: "ClassRegression | None" = field(default=None, kw_only=True)
    again: "Callable[[Panel], DidResult] | None" = field(default=None, kw_only=True)

    @property
    def n_effects(self) -> int:
        """K."""
        return len(self.effects.size)

    @property
    def cells(self) -> pd.DataFrame:
        """One row per effect: ``cohort, period, event_time, group`` (where they apply), ``size, estimate, std_error,
        statistic, p_value, ci_low, ci_high``."""
        return pd.concat([self.effects.frame(), self.tidy().iloc[: self.n_effects].drop(columns="term")], axis=1)

    def aggregate(
        self,
        kind: Aggregation = "overall",
        *,
        average: AverageOver = "cells",
        window: tuple[int, int] | None = None,
        balance: int | None = None,
    ) -> Estimate:
        """Average the effects of cells.

        Parameters
        ----------
        kind : ``"event"``, ``"cohort"``, ``"period"``, ``"group"``: one average each; ``"overall"``: one for all
        average : what the overall average gives equal weight to: treated observations (``"cells"``), event times,
            cohorts (weighted by their units) or calendar periods
        window : first and last event time that enter
        balance : an event time; only cohorts seen at it enter, at event times up to it that all of them have

        Returns
        -------
        Estimate; with ``"group"`` it has the test ``"equal effects"`` of all groups.
        """
        found = self._averages(kind, average, window, balance)
        weights = np.zeros((len(found.terms), len(self.coef)))
        weights[:, : self.n_effects] = found.weights
        R = np.hstack([weights, found.gradient])
        vcov = R @ self.joint_vcov @ R.T
        spec = dict(self.spec) | {"aggregation": kind, "average": dict(found.words), "formula": None}
        for name in ("event_time", "reference"):
            spec.pop(name, None)
        if found.event_time is not None:
            spec |= {"event_time": found.event_time, "reference": self.spec.get("reference")}
        estimate = Estimate(
            terms=found.terms,
            coef=found.weights @ self.coef[: self.n_effects],
            vcov=(vcov + vcov.T) / 2,
            dof=np.full(len(found.terms), float(np.min(self.dof[: self.n_effects]))),
            n_obs=self.n_obs,
            n_units=self.n_units,
            n_periods=self.n_periods,
            sample=self.sample,
            spec=spec,
            n_clusters=self.n_clusters,
            dropped=self.dropped,
            stats=self.stats,
            labels=dict(self.labels) | TERMS,
            notes=(*self.notes, _sentence(found.words)),
        )
        return replace(estimate, tests=(_equal_effects(estimate),)) if kind == "group" else estimate

    def weights(self, term: str | None = None) -> pd.DataFrame:
        """Weights of the mean outcomes of cohorts by period in one effect, by default in the overall average.

        Over treated cells they sum to one and are the weights with which their effects enter; a negative one there
        means that a larger effect in that cell makes the estimate smaller.

        Returns
        -------
        DataFrame ``cohort, (group,) period, treated, weight``; cohort missing = never treated.
        """
        if self.loadings is None:
            raise ModelError(
                f"{self.spec['estimator_label']['en']} has no weights on cells here: covariates or the outcome model "
                "make them differ between units."
            )
        if term is None:
            row = self.overall_weights()
        elif term in self.terms[: self.n_effects]:
            row = np.eye(self.n_effects)[self.terms.index(term)]
        else:
            raise OptionError(
                f"term={term!r} is no effect of this result; it has {', '.join(self.terms[: self.n_effects][:12])}."
            )
        return self.loadings.frame(row)

    def overall_weights(self) -> FloatArray:
        """(K,) weights of the effects in the overall average."""
        weights: FloatArray = self._averages("overall", "cells", None, None).weights[0]
        return weights

    def plot(self, ax: "Axes | None" = None) -> "Plot":
        """Effects by event time with pointwise intervals and the simultaneous band, or the coefficients."""
        from econ.report import coefficient_plot, event_plot

        if np.isnan(self.effects.event_time).all():
            return coefficient_plot([self], ax=ax)
        event = self.aggregate("event")
        return event_plot([event], bands=event.band(), ax=ax)

    def _averages(
        self, kind: Aggregation, average: AverageOver, window: tuple[int, int] | None, balance: int | None
    ) -> Averages:
        return averages(self.effects, self.coef[: self.n_effects], self.shares, kind, average, window, balance)

    def _to_plain(self) -> dict[str, Any]:
        loadings = None if self.loadings is None else self.loadings.to_json()
        own = {"effects": self.effects.to_json(), "shares": self.shares, "joint_vcov": self.joint_vcov}
        return super()._to_plain() | own | {"loadings": loadings}

    @classmethod
    def _from_plain(cls, raw: dict[str, Any]) -> dict[str, Any]:
        size = len(raw["coef"]) + len(raw["shares"])
        raw = super()._from_plain(raw)
        raw["effects"] = Cells.from_json(raw["effects"])
        raw["shares"] = np.array([float(x) for x in raw["shares"]])
        raw["joint_vcov"] = np.array([float(x) for x in raw["joint_vcov"]]).reshape(size, size)
        raw["loadings"] = raw["loadings"] and Loadings.from_json(raw["loadings"])
        return raw


def repeatable(estimator: Callable[Concatenate[Panel, P], Result]) -> Callable[Concatenate[Panel, P], Result]:
    """Let an estimator's results be estimated again on another panel, with the same arguments."""

    @wraps(estimator)
    def call(panel: Panel, *args: P.args, **kwargs: P.kwargs) -> Result:
        check_panel(panel)
        result = estimator(panel, *args, **kwargs)
        return replace(result, again=lambda other: call(other, *args, **kwargs))

    return cast("Callable[Concatenate[Panel, P], Result]", call)


def difference(first: DidResult, second: DidResult, kind: Aggregation = "overall") -> Estimate:
    """Difference of the same averages in two results, with their joint covariance.

    ``first - second``, term by term; the covariance comes from the influences of the units on both results, summed
    over the clusters of both, which must be the same column. Units in one sample only count where they are. Terms on
    which the results agree in every unit are left out and named in a note.

    Parameters
    ----------
    first, second : results of the same panel, straight from an estimator
    kind : as in ``DidResult.aggregate``

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").with_cohort(econ.roster("innovation_demonstration_zones"))
    >>> panel = panel.where(lambda d: d["province"] != "Tibet")
    >>> first = econ.did.callaway_santanna(panel, "log(invention_grants)", cohort="cohort")
    >>> second = econ.did.callaway_santanna(panel, "log(invention_grants)", cohort="cohort", control="not_yet")
    >>> econ.did.difference(first, second).terms
    ('overall',)
    """
    found = [result.aggregate(kind) for result in (first, second)]
    shared = [term for term in found[0].terms if term in found[1].terms]
    if not shared:
        raise OptionError(f"The two results have no {kind} term in common; compare results that share some.")
    columns = [result.spec["vcov"]["columns"] for result in (first, second)]
    if columns[0] != columns[1]:
        raise OptionError(f"The results are clustered by {columns[0]} and {columns[1]}; estimate both with one vcov.")
    rows = [[estimate.terms.index(term) for term in shared] for estimate in found]
    sums = [_cluster_sums(result, kind, which) for result, which in zip((first, second), rows, strict=True)]
    gap = sums[0].sub(sums[1], fill_value=0.0).to_numpy()
    differ = np.square(gap).sum(axis=0) > 1e-24 * np.square(sums[0].to_numpy()).sum(axis=0)
    kept = [np.asarray(which)[differ] for which in rows]
    spec = dict(found[0].spec) | {"estimator": "difference", "estimator_label": _difference_label(first, second)}
    if "event_time" in spec:
        spec["event_time"] = [spec["event_time"][k] for k in kept[0]]
    return replace(
        found[0],
        terms=tuple(found[0].terms[k] for k in kept[0]),
        coef=found[0].coef[kept[0]] - found[1].coef[kept[1]],
        vcov=(gap.T @ gap)[np.ix_(differ, differ)],
        dof=np.full(len(kept[0]), float(min(np.min(estimate.dof) for estimate in found))),
        tests=(),
        spec=spec,
        notes=(*found[0].notes, *_agreement_note(shared, differ)),
    )


def _agreement_note(terms: list[str], differ: BoolArray) -> tuple[Text, ...]:
    if differ.all():
        return ()
    if not differ.any():
        raise ModelError("The two results rest on the same numbers; their difference is zero, and nothing tests it.")
    names = ", ".join(term for term, differs in zip(terms, differ, strict=True) if not differs)
    return ({"en": f"Left out because the results agree: {names}.", "zh": f"因两结果相同而剔除：{names}。"},)


def _cluster_sums(result: DidResult, kind: Aggregation, rows: list[int]) -> pd.DataFrame:
    """Influences on the averages by cluster, scaled so that their cross products are the result's covariance."""
    if result.influence is None or result.design is None:
        raise OptionError(
            "This result holds no influences of its units, which the joint covariance needs: it was read back from "
            "JSON, or its covariance does not come from them. Estimate it again with vcov clustered by one column."
        )
    found = result._averages(kind, "cells", None, None)
    R = np.zeros((len(rows), len(result.coef) + len(result.shares)))
    R[:, : result.n_effects] = found.weights[rows]
    R[:, len(result.coef) :] = found.gradient[rows]
    column = result.spec["vcov"]["columns"][0]
    codes, labels = result.design.clusters(column)
    sums = result.influence.by_cluster(codes, len(labels))
    sums = sums @ R[:, : sums.shape[1]].T
    return pd.DataFrame(sums * np.sqrt(result.spec["vcov"]["factor"]), index=labels)


def _difference_label(first: DidResult, second: DidResult) -> dict[str, str]:
    names = [result.spec["estimator_label"] for result in (first, second)]
    return {
        "en": f"Difference: {names[0]['en']} - {names[1]['en']}",
        "zh": f"差异：{names[0]['zh']} - {names[1]['zh']}",
    }


def _sentence(words: Text) -> Text:
    return {"en": f"{words['en']}.", "zh": f"{words['zh']}。"}


def _equal_effects(estimate: Estimate) -> Test:
    if len(estimate.terms) < 2:
        note = {"en": "one group only", "zh": "仅有一组"}
        return Test("equal effects", np.nan, (), np.nan, note)
    test = estimate.wald(" = ".join(estimate.terms))
    return Test("equal effects", test.statistic, (float(test.dof_num), test.dof_denom), test.p_value)


def _is_rounding(design: DidDesign, variances: FloatArray) -> bool:
    """Whether standard errors are nothing but rounding, by what outcomes differ over time within units."""
    Y, o = design.Y[:_SHOWING], True if design.observed is None else design.observed[:_SHOWING]
    spread = Y.max(axis=1, where=o, initial=-np.inf) - Y.min(axis=1, where=o, initial=np.inf)
    return not (variances > _ROUNDING * spread.max() ** 2).any()


def build_result(
    design: DidDesign,
    estimator: tuple[str, Text],
    effects: Cells,
    terms: tuple[str, ...],
    coef: FloatArray,
    covariance: Covariance,
    *,
    shares: FloatArray | None = None,
    loadings: Loadings | None = None,
    influence: Influence | None = None,
    regression: "ClassRegression | None" = None,
    stats: Mapping[str, float] | None = None,
    spec: Mapping[str, Any] | None = None,
    labels: Mapping[str, Mapping[str, str]] | None = None,
    notes: tuple[Text, ...] = (),
    dropped: Mapping[str, int] | None = None,
) -> DidResult:
    """Put a label on what an estimator found.

    ``covariance`` is that of all P coefficients, followed by those of the
    shares where they count as estimated. ``spec`` adds to what the design says.
    """
    problem, P = design.problem, len(coef)
    if shares is None:
        C = int(effects.cohort_codes.max()) + 1
        shares = np.ones(C) / C
    joint = np.zeros((P + len(shares), P + len(shares)))
    size = len(covariance.matrix)
    joint[:size, :size] = covariance.matrix
    if _is_rounding(design, np.diag(joint)[:P]):
        joint[:P, :P] = 0.0
        notes = (*notes, NO_VARIANCE)
    asked = problem_spec(problem, covariance)
    asked["vcov"]["factor"] = covariance.factor
    return DidResult(
        terms=terms,
        coef=coef,
        vcov=joint[:P, :P].copy(),
        dof=covariance.dof[:P],
        n_obs=problem.sample.n_obs,
        n_units=design.n_units,
        n_periods=len(design.calendar),
        sample=problem.sample.rows,
        spec={"estimator": estimator[0], "estimator_label": dict(estimator[1])}
        | asked
        | {"formula": None, "fixed_effects": [], "cohort": design.cohort}
        | dict(spec or {}),
        n_clusters=covariance.n_clusters,
        dropped=dict(problem.sample.dropped) | dict(dropped or {}),
        stats=dict(stats or {}),
        labels=problem_labels(problem) | dict(labels or {}),
        notes=(*problem.panel.notes, *design.notes, *notes, *covariance.notes),
        effects=effects,
        shares=shares,
        joint_vcov=joint,
        loadings=loadings,
        design=design,
        influence=influence,
        regression=regression,
    )
