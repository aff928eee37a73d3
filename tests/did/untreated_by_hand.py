"""Estimators with a first stage on untreated observations, by their definitions, with dummies and dense matrices."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from econ import Panel
from econ.linear.fit import BoolArray, FloatArray


def panel(seed: int = 0, missing: float = 0.0) -> Panel:
    """18 units in six states over eight years, three cohorts, effects that grow; rows missing at random."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame([(i, t) for i in range(18) for t in range(2001, 2009)], columns=["unit", "year"])
    frame["cohort"] = np.array([2004.0] * 4 + [2006.0] * 5 + [2007.0] * 3 + [np.nan] * 6)[frame["unit"]]
    frame["state"] = frame["unit"] % 6
    frame["plate"] = np.where(frame["unit"] % 2 == 0, "east", "west")
    frame["n"] = rng.integers(1, 4, size=18)[frame["unit"]]
    frame["x"], frame["z"] = rng.normal(size=(2, len(frame)))
    since = frame["year"] - frame["cohort"]
    frame["y"] = rng.normal(size=len(frame)) + 0.3 * frame["unit"] + 0.5 * frame["x"]
    frame["y"] += np.where(since >= 0, 1 + 0.4 * since, 0.0)
    return Panel(frame[rng.random(len(frame)) >= missing], "unit", "year")


@dataclass
class ByHand:
    """Row by row: first stage X1, treated rows, weights, cells, clusters, what is left of the outcome."""

    X1: FloatArray
    treated: BoolArray
    since: FloatArray
    w: FloatArray
    cell: FloatArray
    cluster: FloatArray
    left: FloatArray

    def average(self, chosen: BoolArray) -> FloatArray:
        """Weights of the average over the chosen rows."""
        a = self.w * chosen
        return a / a.sum()

    def untreated_weights(self, a: FloatArray) -> FloatArray:
        """Weights of untreated rows in the average with weights a: ``-W0 X10 (X10'W0 X10)^-1 X1'a``."""
        w0 = self.w * ~self.treated
        gram = np.linalg.pinv(self.X1.T @ (w0[:, None] * self.X1))
        out: FloatArray = -w0 * (self.X1 @ (gram @ (self.X1.T @ a)))
        return out

    def imputation(self, a: FloatArray) -> tuple[float, FloatArray]:
        """The average, and its influences summed by cluster, with deviations of effects from averages over cells."""
        v = np.where(self.treated, a, self.untreated_weights(a))
        residual = self.left.copy()
        for g in np.unique(self.cell[self.treated]):
            rows = self.treated & (self.cell == g)
            parts = [rows & (self.cluster == k) for k in np.unique(self.cluster[rows])]
            size = np.array([self.w[part].sum() for part in parts])
            total = np.array([self.w[part] @ self.left[part] for part in parts])
            residual[rows] -= (size @ total) / (size @ size)
        return float(a @ self.left), self.sums(v * residual)

    def two_stage(self, X2: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Coefficients of Gardner's second stage on X2 (rows, m), and influences summed by cluster (clusters, m)."""
        bread = np.linalg.inv(X2.T @ (self.w[:, None] * X2))
        coef = bread @ (X2.T @ (self.w * self.left))
        w0 = self.w * ~self.treated
        first = np.linalg.pinv(self.X1.T @ (w0[:, None] * self.X1)) @ (self.X1.T * (w0 * self.left))
        second = X2.T * (self.w * (self.left - X2 @ coef))
        influence = bread @ (second - X2.T @ (self.w[:, None] * self.X1) @ first)
        return coef, np.array([self.sums(row) for row in influence]).T

    def first_stage(self, last: int) -> FloatArray:
        """Influences on the coefficients of the last columns of X1, summed by cluster (clusters, last)."""
        w0 = self.w * ~self.treated
        first = np.linalg.pinv(self.X1.T @ (w0[:, None] * self.X1)) @ (self.X1.T * (w0 * self.left))
        return np.array([self.sums(row) for row in first[-last:]]).T

    def sums(self, values: FloatArray) -> FloatArray:
        return np.array([values[self.cluster == k].sum() for k in np.unique(self.cluster)])


def by_hand(
    base: Panel,
    covariates: Sequence[str] = (),
    weights: str | None = None,
    cluster: str = "unit",
    anticipation: int = 0,
) -> ByHand:
    """Rows in the order of the panel's."""
    frame = base.frame
    since = (frame["year"] - frame["cohort"]).fillna(-np.inf).to_numpy(float)
    treated = since >= -anticipation
    dummies = [pd.get_dummies(frame[name].astype(str)).to_numpy(float) for name in ("unit", "year")]
    X1 = np.column_stack([*dummies, *(frame[name].to_numpy(float) for name in covariates)])
    w = np.ones(len(frame)) if weights is None else frame[weights].to_numpy(float)
    root = np.sqrt(w[~treated])
    y = frame["y"].to_numpy(float)
    b = np.linalg.lstsq(X1[~treated] * root[:, None], y[~treated] * root, rcond=None)[0]
    cell = (frame["cohort"].fillna(0) * 10_000 + frame["year"]).to_numpy(float)
    return ByHand(X1, treated, since, w, cell, frame[cluster].to_numpy(float), y - X1 @ b)
