"""Estimates written down by hand: what a table prints must not depend on an estimator."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from econ.estimate import Estimate, Test

CLUSTERED = {
    "en": "Standard errors clustered by province (31 clusters), CR1; t(30)",
    "zh": "标准误按 province（31 个聚类）聚类，CR1；t(30)",
}
HOMOSKEDASTIC = {"en": "Standard errors under homoskedasticity", "zh": "同方差标准误"}
LABELS = {
    "gdp": {"label": "GDP per head", "label_zh": "人均GDP", "unit": "yuan"},
    "rd": {"label": "R&D", "label_zh": "研发投入"},
    "grants": {"label": "Grants", "label_zh": "授权量", "unit": "items"},
    "treated": {"label": "Pilot", "label_zh": "试点"},
}
SIMULATED = {"en": "Simulated data.", "zh": "模拟数据。"}


def estimate(
    terms: Mapping[str, tuple[float, float]],
    *,
    outcome: str = "gdp",
    effects: Sequence[str] = ("province", "year"),
    vcov: Mapping[str, Any] | None = None,
    dof: float = 30.0,
    n_clusters: tuple[int, ...] = (31,),
    label: Mapping[str, str] | None = None,
    **changes: Any,
) -> Estimate:
    """Terms as name -> (coefficient, standard error)."""
    coef, errors = np.array(list(terms.values()), dtype=float).T
    made = Estimate(
        terms=tuple(terms),
        coef=coef,
        vcov=np.diag(errors**2),
        dof=np.full(len(coef), dof),
        n_obs=12345,
        n_units=31,
        n_periods=20,
        sample=np.ones(12345, dtype=np.bool_),
        spec={
            "estimator": "feols",
            "estimator_label": label or {"en": "OLS with fixed effects", "zh": "固定效应模型"},
            "outcome": outcome,
            "fixed_effects": list(effects),
            "vcov": vcov or {"kind": "cluster", "columns": ["province"], "words": CLUSTERED},
            "unit": "province",
            "time": "year",
            "dataset": {"name": "provinces", "sha256": "0"},
        },
        n_clusters=n_clusters,
        stats={"r2": 0.9512, "r2_within": 0.1234},
        labels=LABELS,
        notes=(SIMULATED,),
    )
    return replace(made, **changes)


BASE = estimate({"rd": (0.0426, 0.0171), "log(grants)": (-1234.5678, 321.0)}, dropped={"missing rd": 12})
TWO_WAY = estimate(
    {"rd": (0.0512, 0.0411), "year::2014:treated": (0.0000123, 0.000004)},
    vcov={"kind": "cluster", "columns": ["province", "year"], "words": CLUSTERED},
    n_clusters=(31, 20),
)
POISSON = estimate(
    {"rd": (0.0012, 0.0004)},
    outcome="grants",
    effects=["province"],
    vcov={"kind": "iid", "columns": [], "words": HOMOSKEDASTIC},
    n_clusters=(),
    dof=np.inf,
    label={"en": "Poisson", "zh": "泊松"},
    stats={"r2_pseudo": 0.31},
    notes=(SIMULATED, "Levels beyond 5 are binned."),
    tests=(
        Test("hansen", 3.2, (2.0,), 0.2, ""),
        Test("f_first_stage", 25.5, (1.0, 30.0), 0.00001, ""),
        Test("sargan", float("nan"), (0.0,), float("nan"), "not computed: exactly identified"),
    ),
)
AWKWARD = r"""100% of R&D_{x} #1 ~ ^2 <b>$5</b> \alpha | * [y](z) `c` "q" 'a' −1×10⁻³ 投入；（占比）"""
