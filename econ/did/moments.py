"""Sums by class and period: what a regression with unit and period effects needs of the data.

With ``o_i`` (T,) the indicator of unit i's observed periods and ``u_i`` that of those whose cell enters the regression
(``used``), outcome and covariates are taken about each unit's mean over ``u_i``, and the sums are kept for all observed
periods, so that cells outside the regression can be predicted from them.
"""

from dataclasses import dataclass, replace

import numpy as np

from econ.did.design import DidDesign
from econ.inference.influence import blocks
from econ.linear.fit import BoolArray, FloatArray

_RANK = 1e-10


@dataclass(frozen=True, eq=False)
class Moments:
    """Weighted sums over the units of each class.

    Attributes
    ----------
    N : (C, T) of ``o_i``
    O : (C, T, T) of ``o_i u_i' / |u_i|``
    y : (C, T) of the outcome about the unit's mean over ``u_i``
    x : (p, C, T) the same of each covariate
    """

    N: FloatArray
    O: FloatArray  # noqa: E741
    y: FloatArray
    x: FloatArray

    def within(self, used: BoolArray | None) -> "Moments":
        """The sums over the cells that enter the regression, the others zero."""
        if used is None:
            return self
        return replace(self, N=self.N * used, O=self.O * used[:, :, None], y=self.y * used, x=self.x * used)


def class_moments(design: DidDesign, used: BoolArray | None = None) -> Moments:
    """One pass over the units; ``used`` (C, T) flags the cells that enter the regression, by default all."""
    C, T, p = design.n_classes, len(design.calendar), len(design.covariates)
    N, O, y, x = np.zeros((C, T)), np.zeros((C, T, T)), np.zeros((C, T)), np.zeros((p, C, T))  # noqa: E741
    for c in range(C):
        own = None if used is None else used[c]
        for rows in blocks(design.starts, c):
            w = np.ones(rows.stop - rows.start) if design.unit_weights is None else design.unit_weights[rows]
            o = observed_part(design, rows)
            y[c] += w @ about_unit_means(design.Y[rows], o, own)
            for j, X in enumerate(design.covariates.values()):
                x[j, c] += w @ about_unit_means(X[rows], o, own)
            if o is not None:
                u = o if own is None else o & own
                N[c] += w @ o
                O[c] += o.T @ (u * (w / u.sum(axis=1))[:, None])
    if design.observed is None:
        N[:] = design.class_weight[:, None]
        shares = np.full((C, T), 1 / T) if used is None else used / used.sum(axis=1, keepdims=True)
        O[:] = design.class_weight[:, None, None] * shares[:, None, :]
    return Moments(N, O, y, x)


def covariate_products(design: DidDesign, used: BoolArray | None = None) -> FloatArray:
    """(p + 1, p + 1) cross products of covariates and outcome about unit means, over the cells in the regression."""
    columns = [*design.covariates.values(), design.Y]
    total = np.zeros((len(columns), len(columns)))
    for c in range(design.n_classes):
        own = None if used is None else used[c]
        for rows in blocks(design.starts, c):
            o = observed_part(design, rows)
            wide = np.array([about_unit_means(X[rows], o, own) for X in columns])
            parts = (wide if own is None else wide * own).reshape(len(columns), -1)
            w = None if design.unit_weights is None else np.repeat(design.unit_weights[rows], len(design.calendar))
            total += parts @ (parts if w is None else parts * w).T
    return total


def about_unit_means(values: FloatArray, observed: BoolArray | None, used: BoolArray | None = None) -> FloatArray:
    """(B, T) values less their mean over the unit's observed periods, those in ``used`` (T,) if it is given; zero where
    not observed."""
    if observed is None:
        share = np.full(values.shape[1], 1 / values.shape[1]) if used is None else used / used.sum()
        centred: FloatArray = values - (values @ share)[:, None]
        return centred
    inside = observed if used is None else observed & used
    mean = np.where(inside, values, 0.0).sum(axis=1) / inside.sum(axis=1)
    return np.where(observed, values - mean[:, None], 0.0)


def period_system(M: FloatArray) -> tuple[FloatArray, int]:
    """Pseudo-inverse of the period effects' system, singular for the constant that the unit effects hold, and its
    rank."""
    eigenvalues, U = np.linalg.eigh(M)
    kept = eigenvalues > _RANK * eigenvalues[-1]
    inverse: FloatArray = (U[:, kept] / eigenvalues[kept]) @ U[:, kept].T
    return inverse, int(kept.sum())


def observed_part(design: DidDesign, rows: slice) -> BoolArray | None:
    """(B, T), or None when every unit is observed in every period."""
    return None if design.observed is None else design.observed[rows]
