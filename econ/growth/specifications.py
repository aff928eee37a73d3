"""One coefficient under every combination of outcome, controls, fixed effects, sample and standard errors."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from econ.errors import EconWarning, ModelError, OptionError
from econ.estimate import Estimate
from econ.inference.covariance import Vcov, cluster
from econ.options import check_level
from econ.panel import Panel
from econ.problem import check_panel
from econ.regress import feols
from econ.text import Text

if TYPE_CHECKING:
    from econ.report.figures import Plot

MOST = 5000
MOST_SUBSETS = 10  # controls of which every subset is taken
CHOICES = ("outcome", "controls", "effects", "sample", "errors")
NOT_INDEPENDENT: Text = {
    "en": "Specifications share data: the share that is significant is a description, not a test.",
    "zh": "各设定共用数据：显著比例仅为描述，并非检验。",
}
Rows = Callable[[pd.DataFrame], Any] | None


@dataclass(frozen=True, eq=False, repr=False)
class SpecificationCurve:
    """The coefficient of one term under many specifications.

    Attributes
    ----------
    frame : one row per specification: ``outcome, controls, effects, sample, errors, estimate, std_error, statistic,
        p_value, ci_low, ci_high, n_obs, note``; where one could not be estimated numbers are missing and ``note`` says
        why
    summary : ``n, n_failed, median, low, high, share_positive, share_significant`` (at ``1 - level``, either sign)
    spec : what was asked for, as plain JSON
    labels : column -> {"label", "label_zh", "unit"}
    notes : what a reader must know
    """

    frame: pd.DataFrame
    summary: dict[str, float]
    spec: dict[str, Any]
    labels: dict[str, Any]
    notes: tuple[Text, ...] = ()

    def __repr__(self) -> str:
        s = self.summary
        lines = [
            f"{s['n']:.0f} specifications of {self.spec['treatment']} in {', '.join(self.spec['outcomes'])}"
            + (f", {s['n_failed']:.0f} of them failed" if s["n_failed"] else ""),
            f"Median {s['median']:.4g}, from {s['low']:.4g} to {s['high']:.4g}; {100 * s['share_positive']:.0f} % "
            f"positive, {100 * s['share_significant']:.0f} % significant at {100 * (1 - self.spec['level']):.3g} %",
        ]
        return "\n".join([*lines, *(f"Note: {note['en']}" for note in self.notes)])

    def plot(self) -> "Plot":
        """The estimates in order, and below them what each specification chose."""
        from econ.report import specification_plot

        return specification_plot(self)


def specification_curve(
    panel: Panel,
    outcomes: str | Sequence[str],
    treatment: str,
    controls: Sequence[str] | Mapping[str, Sequence[str]] = (),
    effects: Sequence[str] | None = None,
    samples: Mapping[str, Rows] | None = None,
    errors: Mapping[str, Vcov] | None = None,
    level: float = 0.95,
) -> SpecificationCurve:
    r"""Estimate a coefficient under every combination of defensible choices.

    .. math:: y^{(s)}_{it} = \beta_s x_{it} + z^{(s)\prime}_{it}\gamma_s + \alpha^{(s)} + u_{it}

    All combinations are made, none is picked: choices that do not make sense should not be listed.

    Parameters
    ----------
    panel : the data
    outcomes : one or several, columns or expressions such as ``"log(patents)"``
    treatment : the term whose coefficient is followed
    controls : a list of terms, of which every subset is tried (at most 10); or named sets, ``{"none": [], "full":
        [...]}``
    effects : fixed effects, ``["province", "province + year"]``; ``""`` for none; by default units and periods
    samples : name -> condition on the frame, as in ``Panel.where``; None for all rows
    errors : name -> covariance; by default clusters by the panel's unit
    level : of the intervals

    References
    ----------
    Simonsohn, Simmons and Nelson (2020), "Specification curve analysis", Nature Human Behaviour 4.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").log(["rd_expenditure", "gdp_per_capita", "population", "invention_grants"])
    >>> found = econ.growth.specification_curve(
    ...     panel, "log_invention_grants", "log_rd_expenditure", ["log_gdp_per_capita", "log_population"],
    ...     samples={"all": None, "after 2005": lambda d: d["year"] > 2005},
    ... )
    >>> len(found.frame)
    8
    """
    check_panel(panel)
    check_level(level)
    tried = _choices(panel, outcomes, controls, effects, samples, errors)
    _check_number(tried)
    asked = list(tried.outcomes)
    rows, labels = [], dict[str, Any]()
    for sample, condition in tried.samples.items():
        part = panel if condition is None else panel.where(condition)
        for outcome, (name, terms), effect in product(asked, tried.controls.items(), tried.effects):
            formula = f"{outcome} ~ {' + '.join([treatment, *terms])}" + (f" | {effect}" if effect else "")
            chosen = {"outcome": outcome, "controls": name, "effects": effect or "none", "sample": sample}
            for label, vcov in tried.errors.items():
                row, known = _row(part, formula, treatment, vcov, level)
                rows.append(chosen | {"errors": label} | row)
                labels |= known
    frame = pd.DataFrame(rows)
    spec = {
        "estimator": "specification_curve", "treatment": treatment, "outcomes": asked, "level": level,
        "controls": {name: list(terms) for name, terms in tried.controls.items()}, "effects": list(tried.effects),
        "samples": list(tried.samples), "errors": {name: str(vcov) for name, vcov in tried.errors.items()},
        "dataset": panel.dataset,
    }  # fmt: skip
    return SpecificationCurve(frame, _summary(frame, level), spec, labels, (*panel.notes, NOT_INDEPENDENT))


@dataclass(frozen=True)
class _Choices:
    outcomes: Sequence[str]
    controls: Mapping[str, Sequence[str]]
    effects: Sequence[str]
    samples: Mapping[str, Rows]
    errors: Mapping[str, Vcov]


def _choices(
    panel: Panel,
    outcomes: str | Sequence[str],
    controls: Sequence[str] | Mapping[str, Sequence[str]],
    effects: Sequence[str] | None,
    samples: Mapping[str, Rows] | None,
    errors: Mapping[str, Vcov] | None,
) -> _Choices:
    if isinstance(controls, str) or isinstance(effects, str):
        raise OptionError("controls and effects take lists, such as effects=['province', 'province + year'].")
    default = " + ".join(name for name in (panel.unit, panel.time) if name)
    return _Choices(
        [outcomes] if isinstance(outcomes, str) else list(outcomes),
        controls if isinstance(controls, Mapping) else _subsets(controls),
        [default] if effects is None else list(effects),
        {"all": None} if samples is None else samples,
        {"clustered": cluster(panel.unit)} if errors is None else errors,
    )


def _subsets(controls: Sequence[str]) -> dict[str, Sequence[str]]:
    """Every subset, the empty one first."""
    if len(controls) > MOST_SUBSETS:
        raise OptionError(
            f"{len(controls)} controls have {2 ** len(controls):,} subsets; list at most {MOST_SUBSETS}, or name the "
            "sets: controls={'none': [], 'full': [...]}."
        )
    sets = [chosen for size in range(len(controls) + 1) for chosen in combinations(controls, size)]
    return {" + ".join(chosen) or "none": chosen for chosen in sets}


def _check_number(tried: _Choices) -> None:
    sizes = {
        "outcomes": len(tried.outcomes), "controls": len(tried.controls), "effects": len(tried.effects),
        "samples": len(tried.samples), "errors": len(tried.errors),
    }  # fmt: skip
    empty = [name for name, size in sizes.items() if not size]
    if empty:
        raise OptionError(f"{empty[0]} is empty; list at least one choice, or leave the argument out.")
    total = int(np.prod(list(sizes.values())))
    if total > MOST:
        raise OptionError(f"These choices make {total:,} specifications; keep to {MOST:,} by listing fewer of them.")


def _row(part: Panel, formula: str, treatment: str, vcov: Vcov, level: float) -> tuple[dict[str, Any], dict[str, Any]]:
    """Numbers of one specification, or why there are none; and the labels it knows."""
    blank = dict.fromkeys(("estimate", "std_error", "statistic", "p_value", "ci_low", "ci_high"), np.nan)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", EconWarning)  # the same text is in the notes of the estimate
            found = feols(part, formula, vcov)
    except ModelError as reason:
        return blank | {"n_obs": 0, "note": str(reason)}, {}
    if treatment not in found.terms:
        return blank | {"n_obs": found.n_obs, "note": _left_out(found, treatment)}, {}
    where = found.terms.index(treatment)
    numbers = found.tidy(level)[list(blank)].iloc[where]
    return {str(name): value for name, value in numbers.items()} | {"n_obs": found.n_obs, "note": ""}, dict(
        found.labels
    )


def _left_out(found: Estimate, treatment: str) -> str:
    said = [note["en"] for note in found.notes if treatment in note["en"] and note["en"].startswith("Left out")]
    return said[0] if said else f"{treatment} is no term of this regression."


def _summary(frame: pd.DataFrame, level: float) -> dict[str, float]:
    known = frame.dropna(subset=["estimate"])
    if known.empty:
        raise ModelError(f"No specification could be estimated; the first reason: {frame['note'].iloc[0]}")
    estimates = known["estimate"]
    return {
        "n": float(len(known)),
        "n_failed": float(len(frame) - len(known)),
        "median": float(estimates.median()),
        "low": float(estimates.min()),
        "high": float(estimates.max()),
        "share_positive": float((estimates > 0).mean()),
        "share_significant": float((known["p_value"] < 1 - level).mean()),
    }
