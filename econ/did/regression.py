"""Least squares with unit and period effects on regressors that are functions of class and period.

Two-way fixed effects, event studies, Sun and Abraham's and Wooldridge's regressions differ only in those regressors.
With D_c (K, T) the regressors of class c, everything before the residuals follows from sums by class (see
``moments``). One T x T system takes out the period effects. Residuals about the unit's mean, ``E_i``, then give the
scores ``(D_c - Lambda) E_i``, since they add up to zero within each unit.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from econ.design.collinear import independent_columns
from econ.did.cells import Cells, Loadings
from econ.did.design import DidDesign
from econ.did.moments import (
    Moments,
    about_unit_means,
    class_moments,
    covariate_products,
    observed_part,
    period_system,
)
from econ.did.result import DidResult, build_result
from econ.errors import EconWarning, ModelError
from econ.inference.covariance import Covariance, covariance
from econ.inference.influence import ClassInfluence, blocks, influence_covariance
from econ.inference.layout import small_sample_factor
from econ.inference.specs import Cluster
from econ.inference.words import cluster_words
from econ.linear.fit import BoolArray, FloatArray, LinearFit, linear_stats
from econ.problem import sample_layout
from econ.text import Text

_CONFOUNDED = 1e-6  # coefficient in a combination that rounding does not leave


@dataclass(frozen=True, eq=False)
class ClassRegression:
    """A fitted regression.

    Attributes
    ----------
    used : (C, T) cells that enter the regression, or None for all
    D : (C, K, T) regressors of each class that could be told apart
    kept : (asked,) which of the regressors asked for these are
    confounded : (asked,) those not kept, and those of which one not kept is a combination
    coef : (K,); ``gamma`` (p,) of the covariates; ``period_effects`` (T,)
    bread : (K + p, K + p) inverse of the regressors' cross products, effects taken out
    projection : (K + p, T) ``Lambda``, the regressors' period effects
    system : (T, T) pseudo-inverse of the period effects' cross products, unit effects taken out
    moments : sums by class
    explained : sum of squares of the outcome, effects taken out, that regressors and covariates explain
    n_effects_rank : degrees of freedom of unit and period effects
    """

    design: DidDesign
    used: BoolArray | None
    D: FloatArray
    kept: BoolArray
    confounded: BoolArray
    coef: FloatArray
    gamma: FloatArray
    period_effects: FloatArray
    bread: FloatArray
    projection: FloatArray
    system: FloatArray
    moments: Moments
    explained: float
    n_effects_rank: int

    @property
    def n_coef(self) -> int:
        """K + p."""
        return len(self.bread)

    def influence(self) -> ClassInfluence:
        """Influences of the units on all K + p coefficients."""
        K, B = len(self.coef), self.bread
        residual_loadings = np.einsum("pk,ckt->cpt", B[:, :K], self.D) - B @ self.projection
        covariate_loadings = np.repeat(B[None, :, K:], self.design.n_classes, axis=0)
        loadings = np.concatenate([residual_loadings, covariate_loadings], axis=2)
        constants = np.zeros((self.design.n_classes, len(B)))
        return ClassInfluence(
            partial(_features, self), self.design.starts, loadings, constants, self.design.unit_weights
        )

    def fitted(self, c: int) -> FloatArray:
        """(T,) period effects and effects of treatment of class c."""
        fitted: FloatArray = self.period_effects + self.coef @ self.D[c]
        return fitted

    def residuals(self, rows: slice, c: int) -> FloatArray:
        """(B, T) outcomes of units of class c less those fitted, in cells outside the regression those predicted; zero
        where not observed."""
        R = self.design.Y[rows] - self.fitted(c)
        for value, X in zip(self.gamma, self.design.covariates.values(), strict=True):
            R -= value * X[rows]
        return about_unit_means(R, observed_part(self.design, rows), None if self.used is None else self.used[c])

    def linear_fit(self) -> LinearFit:
        """A regression on all cells by rows of the sample, effects taken out, for every other covariance."""
        design = self.design
        columns = []
        for k in range(len(self.coef)):
            wide = np.concatenate(
                [
                    about_unit_means(
                        np.repeat((self.D[c, k] - self.projection[k])[None, :], rows.stop - rows.start, axis=0),
                        observed_part(design, rows),
                    )
                    for c, rows in enumerate(design.classes)
                ]
            )
            columns.append(design.long(wide))
        for X, effect in zip(design.covariates.values(), self.projection[len(self.coef) :], strict=True):
            columns.append(design.long(about_unit_means(X - effect, design.observed)))
        residuals = design.long(np.concatenate([self.residuals(rows, c) for c, rows in enumerate(design.classes)]))
        X = np.column_stack(columns)
        return LinearFit(np.concatenate([self.coef, self.gamma]), self.bread, X, residuals, design.problem.weights)

    def loadings(self) -> FloatArray:
        """(K, C, T) weights of class means of the outcome in the coefficients, when there are no covariates."""
        moments = self.moments.within(self.used)
        net = self.D - self.projection[: len(self.coef)]
        swept = net * moments.N[:, None, :] - np.einsum("ckt,cts->cks", net, moments.O)
        K = len(self.coef)
        return np.asarray(np.einsum("jk,ckt->jct", self.bread[:K, :K], swept))

    def stats(self) -> dict[str, float]:
        """``feols``' summary statistics, of a regression on all cells."""
        design = self.design
        mean = float((design.means * design.counts).sum() / design.counts.sum())
        n_obs, K = design.problem.sample.n_obs, self.n_coef + self.n_effects_rank
        ssr, sst = _sums_of_squares(self, mean)
        return linear_stats(n_obs, K, ssr, sst, ssr + self.explained) | {"mean_outcome": mean}


def regress_classes(design: DidDesign, D: FloatArray, used: BoolArray | None = None) -> ClassRegression:
    """Least squares of the outcome on D (C, K, T), covariates, unit and period effects, weighted by unit.

    ``used`` (C, T) flags the cells that enter, by default all; every unit must be observed in one of them. D counts as
    zero elsewhere. Regressors that earlier ones and the effects span are left out; see ``kept``.
    """
    every_cell = class_moments(design, used)
    moments = every_cell.within(used)
    D = D if used is None else D * used[:, None, :]
    system, rank = period_system(np.diag(moments.N.sum(axis=0)) - moments.O.sum(axis=0))
    swept = D * moments.N[:, None, :] - np.einsum("ckt,cts->cks", D, moments.O)
    totals = np.vstack([swept.sum(axis=0), moments.x.sum(axis=1)]) if len(moments.x) else swept.sum(axis=0)
    projection = totals @ system
    asked = np.einsum("ckt,cjt->kj", swept, D) - totals[: D.shape[1]] @ projection[: D.shape[1]].T
    kept = _kept(D, moments, asked)
    D, swept = D[:, kept], swept[:, kept]
    every = np.concatenate([kept, np.ones(len(moments.x), dtype=np.bool_)])
    totals, projection = totals[every], projection[every]
    gram, right = _normal_equations(design, moments, D, swept, totals, projection, used)
    if len(kept) and not len(gram):
        raise ModelError("No effect can be told apart from the unit and period effects; there is nothing to estimate.")
    bread = _solve_gram(gram, design, used)
    solution = bread @ right
    K = D.shape[1]
    return ClassRegression(
        design,
        used,
        D,
        kept,
        _confounded(asked, kept),
        solution[:K],
        solution[K:],
        system @ moments.y.sum(axis=0) - solution @ projection,
        bread,
        projection,
        system,
        every_cell,
        float(solution @ right),
        design.n_units + rank,
    )


def regression_covariance(fit: ClassRegression) -> tuple[Covariance, ClassInfluence | None]:
    """The covariance asked for, by default clustered by unit with fixest's factor; and the influences behind it."""
    problem = fit.design.problem
    spec = problem.vcov
    if not (isinstance(spec, Cluster) and _from_influences(fit.design, spec)):
        return covariance(spec, fit.linear_fit(), sample_layout(problem)), None
    codes, labels = fit.design.clusters(spec.columns[0])
    G, n_obs = len(labels), problem.sample.n_obs
    factor = 1.0
    if spec.correction == "CR1":
        K = fit.n_coef + fit.n_effects_rank - fit.design.n_units + 1
        factor = small_sample_factor(n_obs, K) * G / (G - 1)
    influence = fit.influence()
    own = spec.columns[0] == fit.design.panel.unit
    found = influence_covariance(influence, spec, None if own else codes, G, factor)
    words = cluster_words(spec, (G,), has_effects=True)
    return Covariance(found.matrix, found.dof, (G,), words[0], words[1], factor), influence


def regression_result(
    fit: ClassRegression,
    estimator: tuple[str, Text],
    effects: Cells,
    terms: Sequence[str],
    regressors: Sequence[str],
    *,
    labels: Mapping[str, Mapping[str, str]] | None = None,
    spec: Mapping[str, Any] | None = None,
    notes: tuple[Text, ...] = (),
) -> DidResult:
    """The result of a regression whose K coefficients are ``effects``; ``regressors`` stand for them in the formula."""
    design = fit.design
    found, influence = regression_covariance(fit)
    panel = design.panel
    formula = f"{design.problem.formula.outcome.text} ~ {' + '.join([*regressors, *design.covariates])}"
    asked = {"formula": f"{formula} | {panel.unit} + {panel.time}", "fixed_effects": [panel.unit, panel.time]}
    return build_result(
        design,
        estimator,
        effects,
        (*terms, *design.covariates),
        np.concatenate([fit.coef, fit.gamma]),
        found,
        loadings=None if design.covariates else class_loadings(design, fit.loadings()),
        influence=influence,
        regression=fit,
        stats=fit.stats(),
        spec=asked | dict(spec or {}),
        labels=labels,
        notes=notes,
    )


def kept_terms(fit: ClassRegression, terms: Sequence[str]) -> tuple[tuple[str, ...], tuple[Text, ...]]:
    """The terms that could be told apart, and a warning and note that names the others."""
    lost = [term for term, kept in zip(terms, fit.kept, strict=True) if not kept]
    if not lost:
        return tuple(terms), ()
    names = ", ".join(lost)
    note = {
        "en": f"Left out because the fixed effects or earlier terms span them: {names}.",
        "zh": f"因被固定效应或前面各项完全解释而剔除：{names}。",
    }
    warnings.warn(note["en"], EconWarning, stacklevel=3)
    return tuple(term for term, kept in zip(terms, fit.kept, strict=True) if kept), (note,)


def class_cells(design: DidDesign, classes: list[int], periods: list[int]) -> Cells:
    """The cells (class, position of the period) as effects."""
    groups = design.groups or (None,) * design.n_classes
    return Cells(
        tuple(design.label(design.first[c]) for c in classes),
        tuple(design.label(design.calendar[t]) for t in periods),
        tuple(groups[c] for c in classes),
        np.array([design.event_time[c, t] for c, t in zip(classes, periods, strict=True)]),
        np.array([design.counts[c, t] for c, t in zip(classes, periods, strict=True)]),
        design.class_weight[classes],
    )


def cell_terms(effects: Cells) -> tuple[str, ...]:
    """Names such as ``cohort::2015:period::2017``."""
    parts = zip(effects.cohort, effects.group, effects.period, strict=True)
    return tuple(f"cohort::{g}{'' if name is None else f':group::{name}'}:period::{t}" for g, name, t in parts)


def class_loadings(design: DidDesign, values: FloatArray) -> Loadings:
    """Weights (K, C, T) with their labels."""
    return Loadings(
        tuple(design.label(first) for first in design.first),
        design.groups or (None,) * design.n_classes,
        tuple(design.label(t) for t in design.calendar),
        design.event_time >= 0,
        values,
    )


def _features(fit: ClassRegression, rows: slice, c: int) -> FloatArray:
    """(B, T + p) residuals, and their products with each covariate summed over periods."""
    E = fit.residuals(rows, c)
    if fit.used is not None:
        E *= fit.used[c]
    if not fit.design.covariates:
        return E
    scores = [np.einsum("it,it->i", X[rows], E) for X in fit.design.covariates.values()]
    return np.column_stack([E, *scores])


def _kept(D: FloatArray, moments: Moments, gram: FloatArray) -> BoolArray:
    total = moments.N.sum()
    about_zero = np.einsum("ckt,ct->k", D**2, moments.N)
    mean = np.einsum("ckt,ct->k", D, moments.N) / total
    return independent_columns(gram, about_zero - total * mean**2, about_zero).keep


def _confounded(gram: FloatArray, kept: BoolArray) -> BoolArray:
    confounded = ~kept
    if kept.any() and not kept.all():
        combinations = np.linalg.solve(gram[np.ix_(kept, kept)], gram[np.ix_(kept, ~kept)])
        confounded[kept] = (np.abs(combinations) > _CONFOUNDED).any(axis=1)
    return confounded


def _normal_equations(
    design: DidDesign,
    moments: Moments,
    D: FloatArray,
    swept: FloatArray,
    totals: FloatArray,
    projection: FloatArray,
    used: BoolArray | None,
) -> tuple[FloatArray, FloatArray]:
    K, names = D.shape[1], list(design.covariates)
    P = K + len(names)
    gram, right = np.zeros((P, P)), np.zeros(P)
    gram[:K, :K] = np.einsum("ckt,cjt->kj", swept, D)
    right[:K] = np.einsum("ckt,ct->k", D, moments.y)
    if names:
        cross = np.einsum("ckt,pct->kp", D, moments.x)
        gram[:K, K:], gram[K:, :K] = cross, cross.T
        inner = covariate_products(design, used)
        gram[K:, K:], right[K:] = inner[:-1, :-1], inner[:-1, -1]
    return gram - totals @ projection.T, right - projection @ moments.y.sum(axis=0)


def _solve_gram(gram: FloatArray, design: DidDesign, used: BoolArray | None) -> FloatArray:
    scale = np.sqrt(np.diag(gram).clip(min=0.0))
    names = list(design.covariates)
    K = len(gram) - len(names)
    flat = [n for n, s, m in zip(names, scale[K:], _magnitudes(design, used), strict=True) if s**2 <= 1e-9 * m * 1e-3]
    if flat:
        raise ModelError(
            f"The unit and period effects absorb the covariates {', '.join(flat)}, which do not vary within them"
            f"{' in untreated observations' if used is not None else ''}; leave them out, or use an estimator that "
            "takes covariates of the base period (callaway_santanna)."
        )
    correlation = gram / np.outer(scale, scale)
    if len(gram) and np.linalg.eigvalsh(correlation)[0] < 1e-12:
        raise ModelError(
            f"The covariates ({', '.join(names)}) and the effects are collinear; leave one of the covariates out."
        )
    inverse: FloatArray = np.linalg.inv(correlation) / np.outer(scale, scale)
    return (inverse + inverse.T) / 2


def _magnitudes(design: DidDesign, used: BoolArray | None) -> list[float]:
    """Sums of squares of the covariates over the cells in the regression."""
    if used is None:
        return [float(np.sum(X**2)) for X in design.covariates.values()]
    return [float(np.sum((X * used[design.class_of]) ** 2)) for X in design.covariates.values()]


def _sums_of_squares(fit: ClassRegression, mean: float) -> tuple[float, float]:
    """Of the residuals, and of the outcome about its mean."""
    design = fit.design
    ssr, sst = 0.0, 0.0
    for c in range(design.n_classes):
        for rows in blocks(design.starts, c):
            o = observed_part(design, rows)
            w = None if design.unit_weights is None else design.unit_weights[rows, None]
            E, deviation = fit.residuals(rows, c), design.Y[rows] - mean
            deviation = deviation if o is None else deviation * o
            ssr += float(np.sum(E**2 if w is None else w * E**2))
            sst += float(np.sum(deviation**2 if w is None else w * deviation**2))
    return ssr, sst


def _from_influences(design: DidDesign, spec: Cluster) -> bool:
    """Whether units add up to clusters and the factor is the default one."""
    if len(spec.columns) > 1 or spec.correction not in ("CR0", "CR1") or spec.effects_counted != "nonnested":
        return False
    panel, column = design.panel, spec.columns[0]
    return column == panel.unit or bool((panel.frame.groupby(panel.unit)[column].nunique(dropna=False) == 1).all())
