"""Difference-in-differences for pilot policies."""

from econ.did.bacon import Bacon, bacon
from econ.did.callaway_santanna import callaway_santanna
from econ.did.compare import Comparison, compare
from econ.did.dose import DoseResult, dose
from econ.did.equivalence import Equivalence, equivalence
from econ.did.etwfe import etwfe
from econ.did.event_study import event_study
from econ.did.honest import Honest, honest
from econ.did.imputation import imputation
from econ.did.inference import Inference, inference
from econ.did.local_projections import local_projections
from econ.did.matched import MatchedResult, matched
from econ.did.permute import Permutation, permute
from econ.did.pretrends import Pretrends, pretrends
from econ.did.result import DidResult, difference
from econ.did.robustness import Robustness, leave_one_out, placebo_dates
from econ.did.stacked import stacked
from econ.did.sun_abraham import sun_abraham
from econ.did.switchers import switchers
from econ.did.synthetic import synthetic
from econ.did.synthetic_result import SyntheticResult
from econ.did.triple import triple
from econ.did.twfe import twfe
from econ.did.two_stage import two_stage
from econ.did.weights import EffectWeights, effect_weights, twfe_weights

__all__ = [
    "Bacon",
    "Comparison",
    "DidResult",
    "DoseResult",
    "EffectWeights",
    "Equivalence",
    "Honest",
    "Inference",
    "MatchedResult",
    "Permutation",
    "Pretrends",
    "Robustness",
    "SyntheticResult",
    "bacon",
    "callaway_santanna",
    "compare",
    "difference",
    "dose",
    "effect_weights",
    "equivalence",
    "etwfe",
    "event_study",
    "honest",
    "imputation",
    "inference",
    "leave_one_out",
    "local_projections",
    "matched",
    "permute",
    "placebo_dates",
    "pretrends",
    "stacked",
    "sun_abraham",
    "switchers",
    "synthetic",
    "triple",
    "twfe",
    "twfe_weights",
    "two_stage",
]
