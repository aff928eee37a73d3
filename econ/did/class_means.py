"""Estimators that are linear in the mean outcomes of classes by period: how much each unit moves them."""

from functools import partial

import numpy as np

from econ.did.design import SHOWN, DidDesign
from econ.inference.covariance import Covariance
from econ.inference.influence import ClassInfluence, Influence, influence_covariance
from econ.inference.layout import small_sample_factor
from econ.inference.specs import Cluster
from econ.inference.words import cluster_words
from econ.linear.fit import FloatArray, IntArray
from econ.text import Text


def mean_influence(
    design: DidDesign, per_outcome: FloatArray, per_row: FloatArray | None = None, per_unit: FloatArray | None = None
) -> ClassInfluence:
    """Influences ``w_i {sum_t o_it [A_ct (Y_it - m_ct) + B_ct] + b_c}`` of unit i of class c, ``m`` the class means.

    Parameters
    ----------
    per_outcome, per_row : A and B, (C, K, T); without B it is zero
    per_unit : b, (C, K); without it zero
    """
    constants = np.zeros(per_outcome.shape[:2]) if per_unit is None else per_unit
    loadings = per_outcome
    if per_row is not None and design.observed is None:
        constants = constants + per_row.sum(axis=2)
    elif per_row is not None:
        loadings = np.concatenate([per_outcome, per_row], axis=2)
    features = partial(_deviations, design, per_row is not None)
    return ClassInfluence(features, design.starts, loadings, constants, design.unit_weights)


def clustered(design: DidDesign, influence: Influence, regression: tuple[int, int] | None = None) -> Covariance:
    """The covariance of influences under the design's ``vcov``, one column of clusters.

    ``regression`` is the rows N and parameters K of a regression without unit effects, whose factor under CR1 is
    ``G/(G-1) x (N-1)/(N-K)``; without it the factor is that of ``influence_covariance``.
    """
    spec = design.problem.vcov
    codes, G = cluster_codes(design)
    if regression is None or not isinstance(spec, Cluster):
        return influence_covariance(influence, spec, codes, G)
    factor = small_sample_factor(*regression) * G / (G - 1) if spec.correction == "CR1" else 1.0
    found = influence_covariance(influence, spec, codes, G, factor)
    words = cluster_words(spec, (G,), has_effects=False)
    return Covariance(found.matrix, found.dof, (G,), words[0], words[1], factor)


def cluster_codes(design: DidDesign) -> tuple[IntArray | None, int]:
    """(n,) cluster of each unit under the design's ``vcov``, None when units are the clusters, and their number."""
    spec = design.problem.vcov
    column = spec.columns[0] if isinstance(spec, Cluster) else design.panel.unit
    if column == design.panel.unit:
        return None, design.n_units
    codes, labels = design.clusters(column)
    return codes, len(labels)


def lone_units(design: DidDesign, classes: IntArray) -> tuple[Text, ...]:
    """A note that names those of the classes that have a single unit, which does not differ from its own mean."""
    lone = classes[np.diff(design.starts)[classes] == 1]
    if not lone.size:
        return ()
    groups = design.groups or (None,) * design.n_classes
    names = [f"{design.label(design.first[c])}{'' if groups[c] is None else f' ({groups[c]})'}" for c in lone]
    named = ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
    return (
        {
            "en": f"Cohorts of a single unit: {named}. It does not differ from its cohort's mean, so that the standard "
            "errors of effects on it hold only what the units compared with add, and are too small.",
            "zh": f"以下队列仅有一个单元：{named}。它与队列均值没有差异，"
            "因此其效应的标准误只反映对照单元的部分，偏小。",
        },
    )


def _deviations(design: DidDesign, with_rows: bool, rows: slice, c: int) -> FloatArray:
    """(B, T) deviations from the class means, zero where not observed; ``with_rows``, then (B, T) whether observed."""
    deviation: FloatArray = design.Y[rows] - design.means[c]
    if design.observed is None:
        return deviation
    o = design.observed[rows]
    deviation = np.where(o, deviation, 0.0)
    return np.hstack([deviation, o]) if with_rows else deviation
