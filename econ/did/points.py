"""Quasi-random points, the same on every call."""

from functools import cache

import numpy as np
from scipy import special
from scipy.stats import qmc

from econ.linear.fit import FloatArray


@cache
def cube_points(dimension: int, power: int) -> FloatArray:
    """(2^power, dimension) points of a scrambled Sobol sequence, strictly inside the unit cube."""
    points = qmc.Sobol(dimension, rng=1).random_base2(power).clip(1e-15, 1 - 1e-15)
    points.setflags(write=False)
    return np.asarray(points)


@cache
def normal_points(dimension: int, power: int) -> FloatArray:
    """The same points as independent standard normal values."""
    points = special.ndtri(cube_points(dimension, power))
    points.setflags(write=False)
    return np.asarray(points)
