"""Square matrices of spatial weights: brought into the order of the units, checked, rows scaled to one."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from econ.data.frames import SHOWN
from econ.errors import DataError
from econ.linear.fit import FloatArray


def row_standardised(matrix: "pd.DataFrame | FloatArray", units: Sequence[Any]) -> FloatArray:
    """(n, n) the weights of ``units`` in their order, each row divided by its sum.

    Parameters
    ----------
    matrix : a frame whose index and columns name the units, in any order; or a plain array, whose rows and columns
        stand in the order of ``units``.
    units : (n,) labels.

    Raises
    ------
    DataError : units that are missing, unknown or listed twice; weights that are negative or not finite; a unit that
        is its own neighbour, or has none.
    """
    w = _ordered(matrix, units) if isinstance(matrix, pd.DataFrame) else np.asarray(matrix, dtype=np.float64)
    if w.shape != (len(units), len(units)):
        raise DataError(
            f"The weights have shape {w.shape}; {len(units)} units need ({len(units)}, {len(units)}), in the order "
            f"{_some(units)}. A frame with the units' names as index and columns needs no order."
        )
    _refuse(~np.isfinite(w), units, "not finite", "fill them with 0 or a positive number")
    _refuse(w < 0, units, "negative", "weights are 0 (no neighbours) or positive")
    _refuse(np.diag(np.diag(w) != 0), units, "on the diagonal", "a unit is not its own neighbour: set them to 0")
    totals = w.sum(axis=1)
    if (totals == 0).any():
        raise DataError(
            f"{_some(np.asarray(units, dtype=object)[totals == 0])} without any neighbour, so the mean of the "
            "neighbours is undefined; add a link, or leave these units out of the panel."
        )
    return np.asarray(w / totals[:, None])


def _ordered(frame: pd.DataFrame, units: Sequence[Any]) -> FloatArray:
    for axis, labels in (("index", frame.index), ("columns", frame.columns)):
        if labels.has_duplicates:
            twice = labels[labels.duplicated()].unique()
            raise DataError(f"The {axis} of the weights name {_some(twice)} more than once; each unit stands once.")
        missing, extra = [u for u in units if u not in labels], labels.difference(pd.Index(units), sort=False)
        if missing:
            raise DataError(
                f"The {axis} of the weights lack {_some(missing)}; they have {_some(labels)}. Bring the names to one "
                "spelling (econ.standard_names), or leave these units out of the panel."
            )
        if len(extra):
            raise DataError(
                f"The {axis} of the weights name units that are not asked for: {_some(extra)}. Restrict them first, "
                "such as frame.loc[units, units]."
            )
    return frame.loc[list(units), list(units)].to_numpy(dtype=np.float64)


def _refuse(wrong: "np.ndarray[Any, Any]", units: Sequence[Any], what: str, remedy: str) -> None:
    if wrong.any():
        pairs = [f"{units[i]} - {units[j]}" for i, j in np.argwhere(wrong)[:SHOWN]]
        raise DataError(f"{int(wrong.sum())} weights are {what} ({'; '.join(pairs)}); {remedy}.")


def _some(names: Any) -> str:
    listed = [str(name) for name in names]
    return ", ".join(listed[:SHOWN]) + (", ..." if len(listed) > SHOWN else "")
