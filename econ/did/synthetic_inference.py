"""Covariances and tests of synthetic difference-in-differences."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from econ.did.synthetic_fit import CohortFits, effects_without_one, fit_cohorts, fit_with_others
from econ.did.synthetic_study import FEWEST_CONTROLS, Study
from econ.errors import ModelError
from econ.estimate import Test
from econ.inference.covariance import Covariance
from econ.inference.influence import UnitInfluence
from econ.inference.randomization import Assignments, assignments, permutation_test
from econ.inference.resampling import jackknife_covariance, reassignment_covariance
from econ.linear.fit import BoolArray, FloatArray, IntArray
from econ.options import SyntheticInference
from econ.text import Text

ALL = 1 - 1e-12  # a weight that leaves nothing to others


@dataclass(frozen=True, eq=False)
class Inferred:
    """The fit, the cells with an effect ``kept`` (C, T), their covariance and how it came about.

    ``SyntheticResult`` describes the rest.
    """

    fit: CohortFits
    kept: BoolArray
    covariance: Covariance
    spec: Mapping[str, Any]
    placebos: pd.DataFrame
    tests: tuple[Test, ...] = ()
    influence: UnitInfluence | None = None


def infer(study: Study, inference: SyntheticInference, draws: int, seed: int) -> Inferred:
    """The inference asked for."""
    if inference == "jackknife":
        found = _jackknife(study)
    else:
        pool, labels = _controls(study) if inference == "placebo" else (study.Y, study.labels)
        found = _reassigned(study, inference, pool, assignments(labels, draws=draws, seed=seed))
    if not (np.diag(found.covariance.matrix) > 0).all():
        raise ModelError(
            f"inference={inference!r} gives an effect no variance: the outcome does not vary over time, or not between "
            "the units that are compared. Use another outcome, other periods, or more control units."
        )
    return found


def _controls(study: Study) -> tuple[FloatArray, IntArray]:
    """The control units, and labels that make as many of them treated as are in every cohort."""
    n_controls, n_treated = study.n_controls, int(study.size.sum())
    if n_controls < n_treated + FEWEST_CONTROLS:
        raise ModelError(
            f"inference='placebo' gives the dates of the {n_treated} treated units to control units and needs "
            f"{FEWEST_CONTROLS} controls beside them, but there are {n_controls} controls. Use "
            "inference='permutation', or inference='jackknife' where every cohort has two units."
        )
    C = len(study.size)
    labels = np.repeat(np.arange(C + 1), [*study.size, n_controls - n_treated])
    return study.Y[study.labels == C], labels


def _reassigned(study: Study, inference: SyntheticInference, pool: FloatArray, ways: Assignments) -> Inferred:
    """From other assignments of the treatment dates to the units of ``pool``."""
    found = fit_with_others((study.Y, study.labels[None]), pool, ways, study.before, study.kind)
    kept = _kept(found.fit)
    others = found.effects if inference == "placebo" else found.effects[(found.labels != ways.labels).any(axis=1)]
    statistics = {"estimate": study.overall} | ({"rmspe_ratio": study.rmspe_ratio} if study.kind == "sc" else {})
    how = _how(inference, ways)
    tests = []
    for name, statistic in statistics.items():
        observed = float(statistic(found.fit.effects)[0])
        test = permutation_test(observed, statistic(found.effects), exact=ways.exact and inference == "permutation")
        tests.append(Test(inference if name == "estimate" else name, observed, (), test.p_value, how))
    prefix = {"placebo": ("Placebo", "安慰剂"), "permutation": ("Permutation", "置换")}[inference]
    words = f"{prefix[0]} standard errors: {how['en']}", f"{prefix[1]}标准误：{how['zh']}"
    return Inferred(
        found.fit,
        kept,
        reassignment_covariance(others[:, kept], len(pool), words),
        {"kind": inference, "columns": [], "draws": ways.size, "exact": ways.exact, "seed": ways.seed},
        pd.DataFrame({name: statistic(others) for name, statistic in statistics.items()}),
        tuple(tests),
    )


def _how(inference: SyntheticInference, ways: Assignments) -> Text:
    to = {"placebo": ("control units", "对照单元"), "permutation": ("all units", "全部单元")}[inference]
    number = (f"all {ways.size:,} assignments", f"全部{ways.size:,}种分配")
    if not ways.exact:
        number = f"{ways.size:,} random assignments, seed {ways.seed}", f"{ways.size:,}种随机分配，种子{ways.seed}"
    return {
        "en": f"treatment dates given to {to[0]}, {number[0]}",
        "zh": f"将处理时点分配给{to[1]}，{number[1]}",
    }


def _jackknife(study: Study) -> Inferred:
    alone = [str(study.cohort(int(c))) for c in np.flatnonzero(study.size < 2)]
    if alone:
        raise ModelError(
            "inference='jackknife' leaves out one unit at a time and needs two treated units in every cohort; cohorts "
            f"with one: {', '.join(alone)}. Use inference='placebo' or 'permutation', or leave these cohorts out."
        )
    fit = fit_cohorts([(study.Y, study.labels[None])], study.before, study.kind)[0]
    for c, omega in enumerate(fit.unit[0]):
        if omega.max() >= ALL:
            name = study.unit(fit.controls[0, omega.argmax()])
            raise ModelError(
                f"All the weight of the synthetic control of cohort {study.cohort(c)} is on {name}, and without it "
                "nothing is left; use inference='placebo' or 'permutation' instead of 'jackknife'."
            )
    kept = _kept(fit)
    effects = np.empty((len(study.Y), *kept.shape))
    effects[study.rows] = effects_without_one(study.Y, study.labels, fit)
    words = "Jackknife standard errors, weights held fixed", "刀切法标准误，权重固定"
    covariance, influence = jackknife_covariance(effects[:, kept], words)
    spec = {"kind": "jackknife", "columns": [study.design.panel.unit]}
    nothing = pd.DataFrame({"estimate": []}, dtype=np.float64)
    return Inferred(fit, kept, covariance, spec, nothing, influence=influence)


def _kept(fit: CohortFits) -> BoolArray:
    """(C, T) all but a period with all the time weight, the base, whose gap is zero by construction."""
    return np.asarray(fit.time[0] < ALL)
