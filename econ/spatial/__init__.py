"""Spatial weights and what is built on them."""

from econ.spatial.moran import Moran, moran
from econ.spatial.weights import Weights

__all__ = ["Moran", "Weights", "moran"]
