"""Convergence tests: dispersion, growth and levels, clubs, distribution dynamics."""

from econ.convergence.beta import beta, growth_and_initial, half_life_interval
from econ.convergence.breaks import Breaks, trend_break
from econ.convergence.clubs import Clubs, clubs
from econ.convergence.gamma import Gamma, gamma
from econ.convergence.kernel import Kernel, kernel
from econ.convergence.logt import log_t
from econ.convergence.markov import Markov, markov
from econ.convergence.sigma import Sigma, sigma
from econ.convergence.spatial_markov import SpatialMarkov, spatial_markov
from econ.convergence.stochastic import Stochastic, stochastic
from econ.convergence.unit_root import Pairwise, UnitRoot, pairwise, unit_root

__all__ = [
    "Breaks",
    "Clubs",
    "Gamma",
    "Kernel",
    "Markov",
    "Pairwise",
    "Sigma",
    "SpatialMarkov",
    "Stochastic",
    "UnitRoot",
    "beta",
    "clubs",
    "gamma",
    "growth_and_initial",
    "half_life_interval",
    "kernel",
    "log_t",
    "markov",
    "pairwise",
    "sigma",
    "spatial_markov",
    "stochastic",
    "trend_break",
    "unit_root",
]
