"""Disparity between regions: inequality and its decompositions, concentration, composite indices, resilience."""

from econ.disparity.bootstrap import Inequality
from econ.disparity.collaboration import Collaboration, collaboration
from econ.disparity.composite import Composite, critic_weights, entropy_weights, equal_weights, pca_weights
from econ.disparity.concentration import Concentration, concentration
from econ.disparity.coupling import Coupling, coupling
from econ.disparity.dagum import Dagum, dagum
from econ.disparity.decline import Decline, decline, decline_counts
from econ.disparity.gravity import Gravity, centre_of_gravity
from econ.disparity.indices import atkinson, cv, gini, kakwani, schutz, wolfson
from econ.disparity.rank_sensitivity import Sensitivity, rank_sensitivity
from econ.disparity.resilience import Resilience, resilience
from econ.disparity.structure import Structure, ellison_glaeser, krugman, location_quotient, shift_share
from econ.disparity.survival import Survival, survival
from econ.disparity.theil import Theil, theil
from econ.disparity.topsis import topsis
from econ.disparity.weighting import limit, rescale, shift

__all__ = [
    "Collaboration",
    "Composite",
    "Concentration",
    "Coupling",
    "Dagum",
    "Decline",
    "Gravity",
    "Inequality",
    "Resilience",
    "Sensitivity",
    "Structure",
    "Survival",
    "Theil",
    "atkinson",
    "centre_of_gravity",
    "collaboration",
    "concentration",
    "coupling",
    "critic_weights",
    "cv",
    "dagum",
    "decline",
    "decline_counts",
    "ellison_glaeser",
    "entropy_weights",
    "equal_weights",
    "gini",
    "kakwani",
    "krugman",
    "limit",
    "location_quotient",
    "pca_weights",
    "rank_sensitivity",
    "rescale",
    "resilience",
    "schutz",
    "shift",
    "shift_share",
    "survival",
    "theil",
    "topsis",
    "wolfson",
]
