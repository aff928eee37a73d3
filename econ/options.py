"""Every closed word of the public face, and the checks of words and numbers at the door."""

from difflib import get_close_matches
from numbers import Integral
from typing import Any, Literal, get_args

from econ.errors import OptionError

Lang = Literal["en", "zh"]
Quality = Literal["official", "compiled", "derived", "recalled", "simulated"]
GrowthKind = Literal["log", "percent"]
IndexKind = Literal["chain", "fixed"]
InterpolationKind = Literal["linear", "log"]
RegionName = Literal["en", "zh", "code"]
TableStyle = Literal["journal", "three_line"]
Parentheses = Literal["std_error", "statistic", "p_value", "interval"]
NumberFormat = Literal["number", "integer", "percent", "p_value"]
HeteroCorrection = Literal["HC0", "HC1", "HC2", "HC3"]
ClusterCorrection = Literal["CR0", "CR1", "CR2", "CR3", "CV3"]
CountedEffects = Literal["nonnested", "all", "none"]
GroupFactor = Literal["min", "own"]
DistanceKernel = Literal["uniform", "bartlett"]
ConleyPeriods = Literal["all", "same"]
WildKind = Literal["restricted", "unrestricted"]
WildWeights = Literal["rademacher", "webb", "mammen"]
Tail = Literal["two_sided", "greater", "less"]
ClubMerging = Literal["phillips_sul", "von_lyncker"]
IndicatorDirection = Literal["positive", "negative"]
IndicatorScaling = Literal["pooled", "period"]
WeightMethod = Literal["entropy", "critic", "pca", "equal"]
ZeroWord = Literal["limit", "rescale", "shift"]
SurvivalEvent = Literal["decline", "recovery"]
ThresholdConvention = Literal["exact", "hansen1999"]
DeaReturns = Literal["crs", "vrs"]
DeaOrientation = Literal["input", "output", "none"]
DeaMeasure = Literal["radial", "sbm"]
DeaFrontier = Literal["period", "pooled"]
FrontierKind = Literal["production", "cost"]
InefficiencyDistribution = Literal["half_normal", "truncated_normal"]
InefficiencyPath = Literal["independent", "constant", "decay"]
MalmquistIndex = Literal["adjacent", "global"]
PanelTransform = Literal["difference", "orthogonal"]
InstrumentEquation = Literal["difference", "level", "both"]
InstrumentStyle = Literal["GMM", "IV", "effects"]
InitialEstimator = Literal["anderson_hsiao", "arellano_bond", "blundell_bond"]
GmmWeighting = Literal["dpd", "xtabond2", "identity"]

Aggregation = Literal["event", "cohort", "period", "overall", "group"]
AverageOver = Literal["cells", "event", "cohort", "period"]
ControlGroup = Literal["never", "not_yet"]
BasePeriod = Literal["varying", "universal"]
SwitchDirection = Literal["in", "out"]
DoseCurve = Literal["spline", "discrete"]
OutcomeFamily = Literal["linear", "poisson"]
ProjectionWeighting = Literal["variance", "equal"]
ProjectionBase = Literal["first_lag", "pre_mean"]
AttMethod = Literal["dr", "dr_improved", "ipw", "reg"]
Matching = Literal["entropy", "nearest"]
SyntheticKind = Literal["sdid", "sc", "did"]
SyntheticInference = Literal["placebo", "permutation", "jackknife"]
HonestBound = Literal["relative_magnitude", "smoothness"]
BiasRestriction = Literal["increasing", "decreasing", "positive", "negative"]


def check_word(value: str, allowed: Any, name: str) -> None:
    """Refuse ``value`` unless it is one of the words of the ``Literal`` type ``allowed``."""
    words = get_args(allowed)
    if value in words:
        return
    near = get_close_matches(str(value), [str(word) for word in words], n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise OptionError(f"{name}={value!r} is not allowed; choose one of {', '.join(map(repr, words))}.{hint}")


def check_whole(value: object, name: str, least: int, most: int | None = None) -> None:
    """Refuse what is no whole number from ``least`` (to ``most``)."""
    whole = isinstance(value, Integral) and not isinstance(value, bool)  # numpy's integers are registered as such
    if whole and least <= value and (most is None or value <= most):  # type: ignore[operator]
        return
    span = f"{least} or more" if most is None else f"from {least} to {most}"
    raise OptionError(f"{name}={value!r} is not allowed; give a whole number, {span}.")


def check_draws(draws: int, seed: int, least: int = 1) -> None:
    """Refuse fewer draws than ``least``, and seeds that are no seeds."""
    check_whole(draws, "draws", least)
    check_whole(seed, "seed", 0)


def check_level(level: float) -> None:
    """Refuse a confidence level outside (0, 1)."""
    if not 0 < level < 1:
        raise OptionError(f"level={level!r} is not allowed; a confidence level lies between 0 and 1, such as 0.95.")
