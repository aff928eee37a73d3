"""The result of synthetic difference-in-differences: effects by cell, and the weights behind them."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from econ.did.result import DidResult
from econ.errors import ModelError
from econ.estimate import Estimate
from econ.options import Aggregation, AverageOver

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from econ.report.figures import Plot

FRAMES = ("unit_weights", "time_weights", "paths", "placebos")


@dataclass(frozen=True, eq=False, repr=False)
class SyntheticResult(DidResult):
    """Effects by cohort and period against synthetic control units.

    Attributes
    ----------
    unit_weights : ``cohort, unit, weight``; the weights of the control units, which sum to one by cohort
    time_weights : ``cohort, period, weight``; the weights of the periods before treatment, which sum to one by cohort
        (all zero for synthetic control)
    paths : ``cohort, period, treated, counterfactual``; mean outcome of the cohort (net of covariates) and what the
        synthetic control gives for it: the weighted control units, shifted by the weighted gap before treatment. The
        effects are the difference.
    placebos : ``estimate`` (and ``rmspe_ratio`` for synthetic control); the overall effect under every other
        assignment, empty for the jackknife
    """

    unit_weights: pd.DataFrame = field(kw_only=True)
    time_weights: pd.DataFrame = field(kw_only=True)
    paths: pd.DataFrame = field(kw_only=True)
    placebos: pd.DataFrame = field(kw_only=True)

    def aggregate(
        self,
        kind: Aggregation = "overall",
        *,
        average: AverageOver = "cells",
        window: tuple[int, int] | None = None,
        balance: int | None = None,
    ) -> Estimate:
        """As ``DidResult.aggregate``; the average over all treated cells carries the tests of the result."""
        estimate = super().aggregate(kind, average=average, window=window, balance=balance)
        tested = (kind, average, window, balance) == ("overall", "cells", None, None)
        return replace(estimate, tests=self.tests) if tested else estimate

    def weights(self, term: str | None = None) -> pd.DataFrame:
        """Not defined: the weights differ between units of a cohort."""
        raise ModelError(
            "Synthetic control units are weighted one by one, not by cohort: see unit_weights and time_weights."
        )

    def plot(self, ax: "Axes | None" = None) -> "Plot":
        """The cohort with the most treated observations beside its synthetic control; see ``synthetic_plot``."""
        from econ.report import synthetic_plot

        return synthetic_plot(self, ax=ax)

    def _to_plain(self) -> dict[str, Any]:
        return super()._to_plain() | {name: getattr(self, name).to_dict("list") for name in FRAMES}

    @classmethod
    def _from_plain(cls, raw: dict[str, Any]) -> dict[str, Any]:
        frames = {name: pd.DataFrame(raw.pop(name)) for name in FRAMES}
        return super()._from_plain(raw) | frames
