"""Convergence tests."""

from econ.convergence.beta import beta, growth_and_initial
from econ.convergence.sigma import Sigma, sigma

__all__ = ["Sigma", "beta", "growth_and_initial", "sigma"]
