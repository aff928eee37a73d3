"""The halves of a panel that the half-panel jackknife estimates on, and the weights that combine them."""

from dataclasses import dataclass

import numpy as np

from econ.linear.fit import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class HalfPanels:
    """Blocks of rows, the first of which is the whole panel.

    Attributes
    ----------
    members : (B,) of (n,) flags: all rows, then first and second half, a pair for each way to split
    jackknife : (B,) weights of ``2 b - (b_1 + b_2) / 2``, pairs averaged
    difference : (B,) weights of ``b_1 - b_2`` of the first pair
    """

    members: tuple[BoolArray, ...]
    jackknife: FloatArray
    difference: FloatArray


def half_panels(position: IntArray, length: IntArray) -> HalfPanels:
    """Halves of series of ``length`` (n,) periods, each row at ``position`` (n,), counted from zero.

    An odd length is split after the shorter and after the longer half, with the average of both (Dhaene and Jochmans
    2015, section 3.2). Positions may count calendar periods or the rows of each unit.

    Examples
    --------
    >>> halves = half_panels(np.arange(4), np.full(4, 4))
    >>> [rows.astype(int).tolist() for rows in halves.members]
    [[1, 1, 1, 1], [1, 1, 0, 0], [0, 0, 1, 1]]
    >>> halves.jackknife
    array([ 2. , -0.5, -0.5])
    >>> half_panels(np.arange(5), np.full(5, 5)).jackknife
    array([ 2.  , -0.25, -0.25, -0.25, -0.25])
    """
    shorter = length // 2
    cuts = [shorter] if (length % 2 == 0).all() else [shorter, length - shorter]
    halves = [rows for cut in cuts for rows in (position < cut, position >= cut)]
    jackknife = np.array([2.0, *([-1 / len(halves)] * len(halves))])
    difference = np.array([0.0, 1.0, -1.0, *([0.0] * (len(halves) - 2))])
    return HalfPanels((np.ones(len(position), dtype=np.bool_), *halves), jackknife, difference)
