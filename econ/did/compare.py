"""Several results side by side: one table, one figure with simultaneous bands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import pandas as pd

from econ.did.result import DidResult
from econ.errors import OptionError
from econ.estimate import Estimate
from econ.options import Lang
from econ.text import Text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from econ.report import Table
    from econ.report.figures import Plot

T = TypeVar("T")


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Results of several estimators.

    Attributes
    ----------
    overall : name -> overall average
    events : name -> averages by event time, of the results that have them
    bands : name -> simultaneous band of those
    """

    overall: Mapping[str, Estimate]
    events: Mapping[str, Estimate]
    bands: Mapping[str, pd.DataFrame]

    @property
    def frame(self) -> pd.DataFrame:
        """One row per result: ``estimator, average`` (what over), and the columns of ``tidy``."""
        rows = [
            estimate.tidy().assign(estimator=name, average=estimate.spec["average"]["en"])
            for name, estimate in self.overall.items()
        ]
        frame = pd.concat(rows, ignore_index=True).drop(columns="term")
        return frame[["estimator", "average", *(name for name in frame if name not in ("estimator", "average"))]]

    def table(self, title: str | Text = "", lang: Lang = "en") -> "Table":
        """The overall averages as a regression table, a column per result."""
        from econ.report import table

        headers = [{"en": name, "zh": _in_chinese(name, estimate)} for name, estimate in self.overall.items()]
        return table(list(self.overall.values()), title=title, headers=headers, lang=lang)

    def plot(self, ax: "Axes | None" = None, lang: Lang = "en") -> "Plot":
        """The averages by event time with simultaneous bands; the overall averages where no result has them."""
        from econ.report import coefficient_plot, event_plot

        if not self.events:
            return coefficient_plot(_named(self.overall, lang), lang=lang, ax=ax)
        bands = _named(self.bands, lang, self.events)
        return event_plot(_named(self.events, lang), bands=bands, lang=lang, ax=ax)

    def __repr__(self) -> str:
        return self.frame.to_string(index=False, float_format=lambda x: f"{x:.4g}")


def compare(
    results: Sequence[DidResult] | Mapping[str, DidResult], *, window: tuple[int, int] | None = None
) -> Comparison:
    """Put any set of difference-in-differences results side by side.

    Parameters
    ----------
    results : from the estimators of ``econ.did``; a mapping gives them names, otherwise they carry the estimators'
    window : first and last event time shown and averaged over; by default each result's own

    Returns
    -------
    Comparison with ``frame``, ``table()`` and ``plot()``.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").with_cohort(econ.roster("innovation_demonstration_zones"))
    >>> fits = [f(panel, "log(invention_grants)", cohort="cohort") for f in (econ.did.twfe, econ.did.sun_abraham)]
    >>> econ.did.compare(fits).frame["estimator"].tolist()
    ['Two-way fixed effects', 'Sun and Abraham']
    """
    named = results if isinstance(results, Mapping) else _by_label(list(results))
    if not named:
        raise OptionError("No results were given; give a list of results, or a mapping name -> result.")
    for name, result in named.items():
        if not isinstance(result, DidResult):
            raise OptionError(
                f"{name!r} is a {type(result).__name__}; compare takes results of econ.did estimators, before "
                "aggregate()."
            )
    timed = {name: result for name, result in named.items() if (result.effects.event_time >= 0).any()}
    inside = {name: window if name in timed else None for name in named}
    events = {name: result.aggregate("event", window=window) for name, result in timed.items()}
    return Comparison(
        {name: result.aggregate("overall", window=inside[name]) for name, result in named.items()},
        events,
        {name: estimate.band() for name, estimate in events.items()},
    )


def _by_label(results: Sequence[DidResult]) -> dict[str, DidResult]:
    names = [str(result.spec["estimator_label"]["en"]) for result in results]
    return {
        f"{name} ({i})" if names.count(name) > 1 else name: result
        for i, (name, result) in enumerate(zip(names, results, strict=True), start=1)
    }


def _named(values: Mapping[str, T], lang: Lang, estimates: Mapping[str, Estimate] | None = None) -> dict[str, T]:
    if lang == "en":
        return dict(values)
    return {_in_chinese(name, (estimates or values)[name]): value for name, value in values.items()}


def _in_chinese(name: str, estimate: object) -> str:
    """The Chinese label where the name is the estimator's own."""
    label = estimate.spec["estimator_label"] if isinstance(estimate, Estimate) else {"en": name, "zh": name}
    return str(name.replace(label["en"], label["zh"]))
