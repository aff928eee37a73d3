"""Spatial weights: who is whose neighbour, in the order of a panel's units, rows adding up to one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from econ.data.cards import load_frame
from econ.data.frames import SHOWN, to_pandas
from econ.data.neighbours import row_standardised
from econ.data.regions import region_code
from econ.errors import DataError
from econ.linear.fit import FloatArray
from econ.panel import Panel
from econ.text import Text

SEA_LINK: Text = {
    "en": "Neighbours share a land border; Guangdong and Hainan count as neighbours by convention.",
    "zh": "相邻指陆地接壤；广东与海南按惯例视为相邻。",
}


@dataclass(frozen=True, eq=False)
class Weights:
    """Row-standardised spatial weights ``W``, so that ``W x`` is the mean of the neighbours.

    Attributes
    ----------
    units : (n,) labels, in the order of rows and columns
    matrix : (n, n), not negative, zero on the diagonal, every row with sum 1; read-only
    kind : what the weights were made from
    notes : what a reader must know
    """

    units: tuple[Any, ...]
    matrix: FloatArray
    kind: str
    notes: tuple[Text, ...] = ()

    # ---- making one

    @classmethod
    def from_borders(cls, units: Panel | Sequence[Any]) -> "Weights":
        """Common borders of provinces, from the shipped data set ``borders``.

        ``w_ij`` is one over the number of neighbours of ``i`` where ``i`` and ``j`` share a land border. Hainan, an
        island, is joined to Guangdong, as is usual in the spatial literature on China; a note says so.

        Parameters
        ----------
        units : a panel of provinces, or their names or codes in any usual spelling (``econ.region_code``). Borders with
            provinces that are not among them do not count.

        Examples
        --------
        >>> import econ
        >>> from econ.spatial import Weights
        >>> w = Weights.from_borders(econ.load("provinces"))
        >>> w.neighbours("Hainan")
        ['Guangdong']
        """
        names = _labels(units)
        codes = pd.Series(region_code(names))
        if codes.duplicated().any():
            twice = [str(name) for name, again in zip(names, codes.duplicated(keep=False), strict=True) if again]
            raise DataError(f"{', '.join(twice[:SHOWN])} are the same province; each must stand once.")
        pairs = load_frame("borders")
        pairs = pairs[pairs["code_a"].isin(codes) & pairs["code_b"].isin(codes)]
        name = dict(zip(codes, names, strict=True))
        links = pd.DataFrame({"a": pairs["code_a"].map(name), "b": pairs["code_b"].map(name)})
        made = cls.from_pairs(links, names, a="a", b="b")
        return replace(made, kind="borders", notes=(SEA_LINK,) if 46 in name and 44 in name else ())

    @classmethod
    def from_pairs(
        cls, frame: Any, units: Panel | Sequence[Any], *, a: str, b: str, weight: str | None = None
    ) -> "Weights":
        """Neighbours from a frame with one row per pair; a pair counts in both directions.

        Parameters
        ----------
        frame : any data frame; a pair may stand once, or once in each direction with the same weight.
        units : a panel, or the labels in the order wanted; every name in ``frame`` must be among them.
        a, b : columns that name the two units of a pair.
        weight : column of weights before rows are scaled to one; 1 by default.
        """
        names = _labels(units)
        pairs = to_pandas(frame, [a, b, *([weight] if weight else [])])
        code = {name: position for position, name in enumerate(names)}
        unknown = [str(name) for name in pd.unique(pd.concat([pairs[a], pairs[b]])) if name not in code]
        if unknown:
            raise DataError(
                f"The pairs name units that are unknown: {', '.join(unknown[:SHOWN])}; known are "
                f"{', '.join(map(str, names[:SHOWN]))}, ... Bring the names to one spelling, or drop these pairs."
            )
        i, j = (pairs[column].map(code).to_numpy(dtype=np.intp) for column in (a, b))
        values = pairs[weight].to_numpy(dtype=np.float64) if weight else np.ones(len(pairs))
        w = np.zeros((len(names), len(names)))
        w[i, j] = values
        w[j, i] = values
        if (w[i, j] != values).any():
            raise DataError(f"Some pairs stand twice with different weights in {weight!r}; give each pair one weight.")
        return cls._checked(w, names, "pairs")

    @classmethod
    def from_matrix(cls, matrix: "pd.DataFrame | FloatArray", units: Panel | Sequence[Any] | None = None) -> "Weights":
        """Weights from a square frame with the units as index and columns, or an array in the order of ``units``.

        ``units`` is not needed with a frame, whose own order is then kept; with a panel, the order is that of its
        units, and the frame must have these and no others. Binary matrices are welcome: rows are scaled to one.
        """
        if units is None:
            if not isinstance(matrix, pd.DataFrame):
                raise DataError("An array has no names; give units= in the order of its rows, or a frame.")
            units = list(matrix.index)
        return cls._checked(matrix, _labels(units), "matrix")

    @classmethod
    def _checked(cls, matrix: "pd.DataFrame | FloatArray", units: tuple[Any, ...], kind: str) -> "Weights":
        w = row_standardised(matrix, units)
        w.setflags(write=False)
        return cls(units, w, kind)

    # ---- what it holds

    @property
    def frame(self) -> pd.DataFrame:
        """The matrix with its units as index and columns."""
        return pd.DataFrame(self.matrix, index=list(self.units), columns=list(self.units))

    def neighbours(self, unit: Any) -> list[Any]:
        """The units with a positive weight in the row of ``unit``."""
        if unit not in self.units:
            raise DataError(f"{unit!r} is not among the units {', '.join(map(str, self.units[:SHOWN]))}, ...")
        row = self.matrix[self.units.index(unit)]
        return [other for other, value in zip(self.units, row, strict=True) if value > 0]

    def lag(self, values: FloatArray) -> FloatArray:
        """``W x``: the mean of the neighbours, for values (n,) or (n, T) in the order of ``units``."""
        return np.asarray(self.matrix @ values)

    def subset(self, units: Panel | Sequence[Any]) -> "Weights":
        """The weights among some of the units, in the order given, rows scaled to one again."""
        names = _labels(units)
        unknown = [str(name) for name in names if name not in self.units]
        if unknown:
            raise DataError(f"The weights lack {', '.join(unknown[:SHOWN])}; they cannot be restricted to them.")
        kept = self.frame.loc[list(names), list(names)]
        return replace(self._checked(kept, names, self.kind), notes=self.notes)

    def __repr__(self) -> str:
        links = int((self.matrix > 0).sum())
        return (
            f"Weights ({self.kind}) of {len(self.units):,} units, {links / len(self.units):.1f} neighbours on average"
        )


def _labels(units: Panel | Sequence[Any]) -> tuple[Any, ...]:
    listed = tuple(units.units.tolist()) if isinstance(units, Panel) else tuple(units)
    if len(listed) < 2:
        raise DataError(f"{len(listed)} unit(s) given; neighbours need at least two.")
    if len(set(listed)) != len(listed):
        twice = sorted({str(name) for name in listed if listed.count(name) > 1})
        raise DataError(f"{', '.join(twice[:SHOWN])} stand more than once among the units; each must stand once.")
    return listed
