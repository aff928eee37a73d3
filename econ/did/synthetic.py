"""Synthetic difference-in-differences, with synthetic control and plain difference-in-differences as special cases."""

from collections.abc import Sequence
from dataclasses import fields

import numpy as np
import pandas as pd

from econ.did.regression import cell_terms, class_cells
from econ.did.result import DidResult, build_result, repeatable
from econ.did.synthetic_fit import CohortFits
from econ.did.synthetic_inference import Inferred, infer
from econ.did.synthetic_result import SyntheticResult
from econ.did.synthetic_study import Study, read_study
from econ.linear.fit import FloatArray
from econ.options import SyntheticInference, SyntheticKind, check_draws, check_word
from econ.panel import Panel
from econ.text import Text

LABELS: dict[str, Text] = {
    "sdid": {"en": "Synthetic difference-in-differences", "zh": "合成双重差分"},
    "sc": {"en": "Synthetic control", "zh": "合成控制法"},
    "did": {"en": "Difference-in-differences, cohort by cohort", "zh": "分队列双重差分"},
}
FEWEST_DRAWS = 20


@repeatable
def synthetic(
    panel: Panel,
    outcome: str,
    *,
    cohort: str,
    kind: SyntheticKind = "sdid",
    covariates: Sequence[str] = (),
    inference: SyntheticInference = "placebo",
    draws: int = 200,
    seed: int = 1,
) -> SyntheticResult:
    r"""Synthetic difference-in-differences (Arkhangelsky, Athey, Hirshberg, Imbens and Wager 2021).

    For cohort a, first treated in period a, and control units that are never treated,

    .. math::
        \tau_{at} = \Big(\bar Y_{at} - \sum_i \omega_i Y_{it}\Big)
            - \sum_{s < a} \lambda_s \Big(\bar Y_{as} - \sum_i \omega_i Y_{is}\Big),

    the mean effect in period t on the units of the cohort, if without treatment they had moved as the weighted control
    units did. The unit weights make the controls parallel to the cohort before treatment, the time weights make the
    periods before like those after; ``econ.did.synthetic_weights`` has both problems, and how they are solved. The mean
    of the effects over treated cells, ``aggregate("overall")``, is the estimate of Algorithm 1, and with several
    cohorts that of Algorithm 2 (appendix A) and of Clarke, Pailanir, Athey and Imbens (2024): cohorts weighted by their
    treated cells.

    Parameters
    ----------
    panel, outcome : units over periods; column or expression such as ``log(y)``. Units not observed in every period are
        left out, with a note.
    cohort : column with the first treated period of each unit; missing = never treated. A cohort needs two periods
        before treatment (one for ``"did"``); others are left out, with a note.
    kind : ``"sdid"``; ``"sc"``, synthetic control on the outcomes before treatment (Abadie, Diamond and Hainmueller
        2010 without further predictors): unit weights that reproduce the level, no time weights; ``"did"``, equal
        weights, which for one cohort is ``twfe``.
    covariates : columns or expressions that vary over units and periods. The outcome is taken net of them, with
        coefficients from a two-way fixed-effects regression on the untreated observations (Kranz 2022). Stata's sdid
        with ``projected`` uses those of the never treated only.
    inference : where the covariance comes from

        - ``"placebo"``: the treatment dates are given to control units instead, the treated being left out (Algorithm
          4). Needs more controls than treated units, and that outcomes vary alike in both.
        - ``"permutation"``: the dates are handed out again among all units. Under the null that treatment has no effect
          on any unit, and if every assignment was equally likely, the p-value among ``tests`` is exact. Effects that
          are not zero spread the other assignments too, so the standard errors are then on the large side.
        - ``"jackknife"``: one unit is left out at a time, the weights held fixed (Algorithm 3), sizes of cohorts too.
          Needs two treated units in every cohort; on the large side.
    draws : assignments drawn; when there are no more than this, all are enumerated.
    seed : of the draws.

    Returns
    -------
    SyntheticResult over (cohort, period) cells, with ``unit_weights``, ``time_weights``, ``paths``, ``placebos``. The
    effects before treatment are gaps that the weights were chosen to make small, no test of parallel trends; a period
    that has all the time weight is the base, without an effect. ``tests`` holds where the overall effect stands among
    the other assignments and, for synthetic control, the ratio of the root mean squared gaps after and before treatment
    (Abadie, Diamond and Hainmueller 2010). t statistics have one degree of freedom less than there are units that the
    covariance rests on; the paper uses the normal distribution.

    Notes
    -----
    Under every assignment the whole procedure is repeated: sigma and both weights, from equal weights on. R's synthdid
    and Stata's sdid start from the weights of the sample, and R keeps its sigma. Coefficients of covariates are held
    fixed.

    References
    ----------
    Arkhangelsky, Athey, Hirshberg, Imbens and Wager (2021), "Synthetic difference-in-differences", American Economic
    Review 111(12). Clarke, Pailanir, Athey and Imbens (2024), "On synthetic difference-in-differences and related
    estimation methods in Stata", Stata Journal 24(4). Kranz (2022), "Synthetic difference-in-differences with
    time-varying covariates". Abadie, Diamond and Hainmueller (2010), "Synthetic control methods for comparative case
    studies", Journal of the American Statistical Association 105(490).

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").with_cohort(econ.roster("innovation_demonstration_zones"))
    >>> panel = panel.where(lambda d: d["province"] != "Tibet")
    >>> result = econ.did.synthetic(panel, "log(invention_grants)", cohort="cohort", inference="permutation", draws=20)
    >>> result.aggregate("overall").terms
    ('overall',)
    """
    check_word(kind, SyntheticKind, "kind")
    check_word(inference, SyntheticInference, "inference")
    check_draws(draws, seed, FEWEST_DRAWS)
    study = read_study(panel, outcome, cohort, covariates, kind)
    return _label(study, infer(study, inference, draws, seed))


def _label(study: Study, found: Inferred) -> SyntheticResult:
    design, fit, covariance = study.design, found.fit, found.covariance
    cohorts, periods = np.nonzero(found.kept)
    effects = class_cells(design, cohorts.tolist(), periods.tolist())
    words = {"en": covariance.words_en, "zh": covariance.words_zh}
    result = build_result(
        design,
        ("synthetic", LABELS[study.kind]),
        effects,
        cell_terms(effects),
        fit.effects[0][found.kept],
        covariance,
        influence=found.influence,
        spec={
            "kind": study.kind,
            "reference": _reference(study, found),
            "vcov": dict(found.spec) | {"words": words, "factor": covariance.factor},
        },
        notes=(*_covariate_note(study), *_base_note(study, found), *_gap_note(study)),
    )
    parts = {part.name: getattr(result, part.name) for part in fields(DidResult)} | {"tests": found.tests}
    treated, counterfactual = fit.treated[0], fit.treated[0] - fit.effects[0]
    return SyntheticResult(
        **parts,
        unit_weights=_unit_weights(study, fit),
        time_weights=_by_period(study, -1, weight=fit.time[0]),
        paths=_by_period(study, np.inf, treated=treated, counterfactual=counterfactual),
        placebos=found.placebos,
    )


def _reference(study: Study, found: Inferred) -> int | None:
    """The event time of the base period, where every cohort has one and the same."""
    base = study.design.event_time[:-1][~found.kept]
    same = len(base) == len(study.before) and len(set(base)) == 1
    return int(base[0]) if same else None


def _unit_weights(study: Study, fit: CohortFits) -> pd.DataFrame:
    controls = fit.controls[0]
    order = np.argsort(study.rows[controls])
    units = [study.unit(row) for row in controls[order]]
    C = len(study.before)
    return pd.DataFrame(
        {
            "cohort": [study.cohort(c) for c in range(C) for _ in units],
            "unit": units * C,
            "weight": fit.unit[0][:, order].ravel(),
        }
    )


def _by_period(study: Study, last: float, **columns: FloatArray) -> pd.DataFrame:
    """(C, T) arrays as columns beside ``cohort`` and ``period``, up to the event time ``last``."""
    shown = study.design.event_time[:-1] <= last
    cohorts, periods = np.nonzero(shown)
    frame = {
        "cohort": [study.cohort(c) for c in cohorts.tolist()],
        "period": [study.design.label(study.design.calendar[t]) for t in periods],
    }
    return pd.DataFrame(frame | {name: values[shown] for name, values in columns.items()})


# ---- notes


def _covariate_note(study: Study) -> tuple[Text, ...]:
    if not len(study.gamma):
        return ()
    parts = ", ".join(f"{name} {value:.4g}" for name, value in zip(study.design.covariates, study.gamma, strict=True))
    return (
        {
            "en": f"The outcome is net of covariates; their coefficients on untreated observations: {parts}.",
            "zh": f"被解释变量已扣除协变量的影响；协变量在未处理观测上的系数：{parts}。",
        },
    )


def _base_note(study: Study, found: Inferred) -> tuple[Text, ...]:
    calendar = study.design.calendar
    cells = np.argwhere(~found.kept).tolist()
    base = [f"{study.cohort(c)} in {study.design.label(calendar[t])}" for c, t in cells]
    if not base:
        return ()
    shown = ", ".join(base)
    return (
        {
            "en": f"Base periods, with all the time weight and so without an effect (cohort in period): {shown}.",
            "zh": f"基期（时间权重全部集中于该期，故无效应；队列与时期）：{shown}。",
        },
    )


def _gap_note(study: Study) -> tuple[Text, ...]:
    if study.kind == "did":
        return ()
    return (
        {
            "en": "Effects before treatment are gaps that the weights were chosen to make small; they test no parallel "
            "trends.",
            "zh": "处理前的效应是权重力求缩小的差距，不构成平行趋势检验。",
        },
    )
