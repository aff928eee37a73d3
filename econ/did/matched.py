"""Difference-in-differences against control units that are made to look like the treated."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from econ.did.cell_effects import REASONS
from econ.did.design import DidDesign, balanced, read_design
from econ.did.doubly_robust import Failure, panel_att
from econ.did.matching import Match, balance, entropy_weights, nearest_weights
from econ.did.regression import cell_terms, class_cells
from econ.did.result import DidResult, build_result, repeatable
from econ.errors import ModelError, OptionError
from econ.inference.covariance import cluster
from econ.inference.influence import UnitInfluence, influence_covariance
from econ.inference.specs import Vcov
from econ.linear.fit import FloatArray, IntArray
from econ.options import Matching, check_word
from econ.panel import Panel
from econ.text import Text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from econ.report.figures import Plot

LABELS: dict[Matching, Text] = {
    "entropy": {"en": "Entropy balancing and difference-in-differences", "zh": "熵平衡双重差分"},
    "nearest": {"en": "Propensity matching and difference-in-differences", "zh": "倾向得分匹配双重差分"},
}


@dataclass(frozen=True, eq=False, repr=False)
class MatchedResult(DidResult):
    """Effects by cohort and period against matched controls.

    Attributes
    ----------
    balance : ``cohort, covariate, mean_treated, mean_controls, mean_matched, std_diff_before, std_diff_after,
        variance_ratio_before, variance_ratio_after``; rows with a missing cohort are averages over cohorts, weighted by
        their treated units
    matches : ``cohort, unit, weight`` of the controls used; weights sum to the number of matched treated units
    """

    balance: pd.DataFrame = field(kw_only=True)
    matches: pd.DataFrame = field(kw_only=True)

    def balance_plot(self, ax: "Axes | None" = None) -> "Plot":
        """Standardised differences of the covariates before and after; see ``econ.report.balance_plot``."""
        from econ.report import balance_plot

        return balance_plot(self, ax=ax)

    def _to_plain(self) -> dict[str, Any]:
        frames = {name: getattr(self, name) for name in ("balance", "matches")}
        return super()._to_plain() | {
            name: frame.astype(object).where(frame.notna(), None).to_dict("list") for name, frame in frames.items()
        }

    @classmethod
    def _from_plain(cls, raw: dict[str, Any]) -> dict[str, Any]:
        frames = {name: pd.DataFrame(raw.pop(name)) for name in ("balance", "matches")}
        return super()._from_plain(raw) | frames


@repeatable
def matched(
    panel: Panel,
    outcome: str,
    *,
    cohort: str,
    covariates: Sequence[str],
    method: Matching = "entropy",
    neighbours: int = 1,
    caliper: float | None = None,
    vcov: Vcov | None = None,
) -> MatchedResult:
    r"""Match never treated units to each cohort, then compare changes.

    .. math:: ATT(g, t) = \bar{\Delta}_g - \sum_i w_{gi} \Delta_i, \qquad \Delta_i = Y_{it} - Y_{ib}

    with b the last period before the cohort's treatment, and weights that make the never treated look like the cohort
    in the covariates of period b. Effects before treatment are against b too, so that they show whether matching made
    the paths alike where it did not ask for it. Averages over cohorts take their sizes as given numbers.

    Parameters
    ----------
    panel, outcome, cohort : as in ``callaway_santanna``; units not observed in every period are left out, with a note.
    covariates : columns or expressions, taken in the cohort's last period before treatment; earlier outcomes enter as
        ``"lag(log(y), 2)"``.
    method : ``"entropy"``: weights as even as possible with which means are equal (Hainmueller 2012), exactly the
        improved doubly robust estimator of ``callaway_santanna(method="dr_improved")`` (Zhao and Percival 2017), whose
        standard errors need no correction for the estimated weights; ``"nearest"``: nearest neighbours in the index of
        a logit, with replacement, whose weights count as given numbers in the standard errors.
    neighbours, caliper : with ``"nearest"``: controls per treated unit, and how far they may be, in standard deviations
        of the index; a treated unit without one is left out, with a note.
    vcov : ``econ.cluster(column)``; by default by unit, kind CR0, as in ``callaway_santanna``.

    Returns
    -------
    MatchedResult, with ``balance``, ``matches`` and ``balance_plot()`` beside what every result has.

    References
    ----------
    Heckman, Ichimura and Todd (1997), Review of Economic Studies 64(4); Hainmueller (2012), Political Analysis 20(1);
    Zhao and Percival (2017), Journal of Causal Inference 5(1).

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("zones_simulated")
    >>> result = econ.did.matched(panel, "log(patents)", cohort="demonstration_year", covariates=["log(revenue)"])
    >>> bool(result.balance["std_diff_after"].abs().max() < 1e-6)
    True
    """
    check_word(method, Matching, "method")
    _check(covariates, method, neighbours, caliper)
    spec = vcov or cluster(panel.unit, kind="CR0")
    design = balanced(read_design(panel, outcome, cohort, covariates=covariates, vcov=spec, keep_singletons=True))
    if not design.has_never:
        raise ModelError(
            f"No unit is never treated according to {cohort!r}, so there is nobody to match with; use "
            "callaway_santanna(control='not_yet'), which compares with units treated later."
        )
    return _Matcher(design, method, neighbours, caliper).result()


def _check(covariates: Sequence[str], method: Matching, neighbours: int, caliper: float | None) -> None:
    if isinstance(covariates, str) or not covariates:
        raise OptionError(f"covariates={covariates!r} is not allowed; list what to match on, such as ['log(gdp)'].")
    if isinstance(neighbours, bool) or not isinstance(neighbours, int) or neighbours < 1:
        raise OptionError(f"neighbours={neighbours!r} is not allowed; give a whole number from 1 up.")
    if caliper is not None and not caliper > 0:
        raise OptionError(
            f"caliper={caliper!r} is not allowed; give a positive number of standard deviations, or None."
        )
    if method == "entropy" and (neighbours, caliper) != (1, None):
        raise OptionError("neighbours and caliper belong to method='nearest'; leave them out with 'entropy'.")


class _Matcher:
    """Cohort by cohort: weights, effects, influences, balance."""

    def __init__(self, design: DidDesign, method: Matching, neighbours: int, caliper: float | None) -> None:
        self.design, self.method, self.neighbours, self.caliper = design, method, neighbours, caliper
        self.classes: list[int] = []
        self.periods: list[int] = []
        self.coef: list[FloatArray] = []
        self.psi: list[FloatArray] = []
        self.size: list[float] = []
        self.tables: list[pd.DataFrame] = []
        self.matches: list[pd.DataFrame] = []
        self.failed: dict[int, Failure] = {}
        self.unmatched: list[Any] = []

    def result(self) -> MatchedResult:
        design = self.design
        for c in np.flatnonzero(np.isfinite(design.first)):
            self._cohort(int(c))
        if not self.coef:
            reasons = "; ".join(dict.fromkeys(REASONS[why]["en"] for why in self.failed.values()))
            raise ModelError(f"No cohort can be matched: {reasons}. Use fewer covariates, or others.")
        influence = UnitInfluence(np.hstack(self.psi))
        spec = design.problem.vcov
        column = spec.columns_needed()[0] if spec.columns_needed() else design.panel.unit
        codes, labels = design.clusters(column)
        found = influence_covariance(influence, spec, None if column == design.panel.unit else codes, len(labels))
        effects = class_cells(design, self.classes, self.periods)
        effects = replace(effects, size=np.array(self.size), cohort_size=np.array(self.size))
        result = build_result(
            design,
            ("matched", LABELS[self.method]),
            effects,
            cell_terms(effects),
            np.concatenate(self.coef),
            found,
            influence=influence,
            spec={"reference": -1, "covariates": list(design.covariates)},
            notes=self._notes(),
        )
        parts = {name: getattr(result, name) for name in result.__dataclass_fields__}
        return MatchedResult(**parts, balance=self._balance(), matches=pd.concat(self.matches, ignore_index=True))

    def _cohort(self, c: int) -> None:
        design = self.design
        before = np.flatnonzero(design.event_time[c] < 0)
        b = int(before[-1])
        rows = np.concatenate([np.arange(s.start, s.stop) for s in (design.classes[c], design.classes[-1])])
        treated = design.class_of[rows] == c
        x = np.column_stack([X[rows, b] for X in design.covariates.values()])
        match = self._match(treated, x)
        if isinstance(match, str):
            self.failed[c] = match
            return
        self.unmatched += list(design.panel.units[design.units[rows[match.unmatched]]])
        if not match.weights[treated].any():
            self.failed[c] = "overlap"
            return
        periods = [t for t in range(len(design.calendar)) if t != b]
        change = design.Y[rows][:, periods] - design.Y[rows, b][:, None]
        self._effects(c, rows, periods, change, treated, x, match)
        self._describe(c, rows, treated, x, match)

    def _match(self, treated: Any, x: FloatArray) -> Match | Failure:
        if self.method == "entropy":
            return entropy_weights(treated, x)
        return nearest_weights(treated, x, self.neighbours, self.caliper)

    def _effects(
        self, c: int, rows: IntArray, periods: list[int], change: FloatArray, treated: Any, x: FloatArray, match: Match
    ) -> None:
        psi = np.zeros((self.design.n_units, len(periods)))
        if self.method == "entropy":
            found = panel_att(change, treated, x, np.ones(len(rows)), "dr_improved")
            if isinstance(found, str):
                self.failed[c] = found
                return
            att, psi[rows] = found.att, found.influence
        else:
            shares = [np.where(side, match.weights, 0.0) for side in (treated, ~treated)]
            means = [share @ change / share.sum() for share in shares]
            att = means[0] - means[1]
            psi[rows] = sum(
                sign * (share / share.sum())[:, None] * (change - mean)
                for sign, share, mean in zip((1.0, -1.0), shares, means, strict=True)
            )
        self.coef.append(att)
        self.psi.append(psi)
        self.classes += [c] * len(periods)
        self.periods += periods
        self.size += [float(match.weights[treated].sum())] * len(periods)

    def _describe(self, c: int, rows: IntArray, treated: Any, x: FloatArray, match: Match) -> None:
        design, label = self.design, self.design.label(self.design.first[c])
        kept = ~match.unmatched
        table = pd.DataFrame(balance(treated[kept], x[kept], match.weights[kept]))
        self.tables.append(table.assign(cohort=label, covariate=list(design.covariates), n=int(treated[kept].sum())))
        used = ~treated & (match.weights > 0)
        names = design.panel.units[design.units[rows[used]]]
        self.matches.append(pd.DataFrame({"cohort": label, "unit": names, "weight": match.weights[used]}))

    def _balance(self) -> pd.DataFrame:
        table = pd.concat(self.tables, ignore_index=True)
        numbers = [name for name in table if name not in ("cohort", "covariate", "n")]
        means = [
            {"covariate": name} | {x: np.average(part[x], weights=part["n"]) for x in numbers}
            for name, part in table.groupby("covariate", sort=False)
        ]
        both = pd.concat([pd.DataFrame(means), table], ignore_index=True)
        return both[["cohort", "covariate", *numbers]]

    def _notes(self) -> tuple[Text, ...]:
        notes = list[Text]()
        for why in dict.fromkeys(self.failed.values()):
            cohorts = ", ".join(
                str(self.design.label(self.design.first[c])) for c, w in self.failed.items() if w == why
            )
            notes.append(
                {
                    "en": f"Cohorts left out because {REASONS[why]['en']}: {cohorts}.",
                    "zh": f"以下队列因{REASONS[why]['zh']}而剔除：{cohorts}。",
                }
            )
        if self.unmatched:
            names = ", ".join(map(str, self.unmatched))
            notes.append(
                {
                    "en": f"Treated units left out because no control is near enough: {names}.",
                    "zh": f"因没有足够接近的对照单元而剔除的处理单元：{names}。",
                }
            )
        return tuple(notes)
