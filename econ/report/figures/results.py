"""What the coefficient and event plots accept: one result or several, named or not, or a tidy frame."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeVar

import pandas as pd

from econ.data.frames import require_columns
from econ.errors import DataError, OptionError
from econ.estimate import Estimate
from econ.options import Lang
from econ.panel import Panel

Results = Estimate | pd.DataFrame | Sequence[Estimate] | Mapping[str, Estimate]
K = TypeVar("K")
TIDY = ["term", "estimate", "ci_low", "ci_high"]


def named_estimates(results: Results, lang: Lang) -> dict[str, Estimate]:
    """The mapping's keys, else the estimators' names, numbered where they repeat; no names for a frame."""
    if isinstance(results, pd.DataFrame):
        return {}
    if isinstance(results, Mapping):
        return _checked(dict(results))
    listed = [results] if isinstance(results, Estimate) else list(results)
    _checked(dict(enumerate(listed)))
    names = [str(estimate.spec["estimator_label"][lang]) for estimate in listed]
    counts = Counter(names)
    numbered = [f"({i}) {name}" if counts[name] > 1 else name for i, name in enumerate(names, start=1)]
    return dict(zip(numbered, listed, strict=True))


def check_data(data: object, example: str) -> None:
    """Refuse what is neither a Panel nor a frame; ``example`` shows the call."""
    if not isinstance(data, Panel | pd.DataFrame):
        raise OptionError(f"Give a Panel or a frame, as in {example}; got {type(data).__name__}.")


def tidy_frame(results: Results, estimates: Mapping[str, Estimate], level: float) -> pd.DataFrame:
    """Columns ``model, term, estimate, ci_low, ci_high`` (and what else a given frame has)."""
    if isinstance(results, pd.DataFrame):
        if not len(results):
            raise DataError("The frame has no rows; there is nothing to draw.")
        frame = results if "term" in results or "event_time" not in results else results.assign(term="")
        require_columns(frame, TIDY, "The frame")
        return frame.assign(model=frame["model"].astype(str) if "model" in frame else "").reset_index(drop=True)
    parts = [estimate.tidy(level).assign(model=name) for name, estimate in estimates.items()]
    return pd.concat(parts, ignore_index=True)[["model", "term", "estimate", "std_error", "ci_low", "ci_high"]]


def _checked(estimates: dict[K, Estimate]) -> dict[K, Estimate]:
    if not estimates:
        raise OptionError("No estimates were given; give one Estimate, a list, a mapping name -> Estimate, or a frame.")
    for estimate in estimates.values():
        if not isinstance(estimate, Estimate):
            raise OptionError(
                f"A {type(estimate).__name__} cannot be drawn here; give Estimates, or the aggregate(...) of a result."
            )
    return estimates
