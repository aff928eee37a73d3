"""Spatial weights and what is built on them."""

from econ.spatial.weights import Weights

__all__ = ["Weights"]
