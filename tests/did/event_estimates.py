"""Estimates by event time made by hand, and random ones."""

import numpy as np

from econ.estimate import Estimate
from econ.linear.fit import FloatArray


def by_event_time(
    coef: "FloatArray | list[float]", vcov: FloatArray, times: list[int], dof: float = np.inf, **spec: object
) -> Estimate:
    """Coefficients of event times, reference -1 unless another is given."""
    K = len(times)
    return Estimate(
        terms=tuple(f"event_time::{e}" for e in times),
        coef=np.asarray(coef, dtype=np.float64),
        vcov=np.asarray(vcov, dtype=np.float64),
        dof=np.full(K, float(dof)),
        n_obs=100,
        n_units=10,
        n_periods=10,
        sample=np.ones(100, dtype=np.bool_),
        spec={
            "estimator": "event_study",
            "estimator_label": {"en": "Event study", "zh": "事件研究"},
            "outcome": "y",
            "vcov": {"kind": "iid", "words": {"en": "iid", "zh": "同方差"}},
            "event_time": times,
            "reference": -1,
        }
        | spec,
        notes=({"en": "Made by hand.", "zh": "手工构造。"},),
    )


def random_moments(seed: int, n_leads: int, n_lags: int) -> tuple[FloatArray, FloatArray]:
    """Coefficients and a covariance with correlations, of leads then lags."""
    rng = np.random.default_rng(seed)
    n = n_leads + n_lags
    B = rng.normal(size=(n, n + 3))
    return 0.7 * rng.normal(size=n), B @ B.T / 10


def random_estimate(seed: int, n_leads: int, n_lags: int, dof: float = np.inf) -> Estimate:
    """The same as an Estimate."""
    times = [*range(-1 - n_leads, -1), *range(n_lags)]
    return by_event_time(*random_moments(seed, n_leads, n_lags), times, dof)
