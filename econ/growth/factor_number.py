"""How many common factors a variable or a regression's errors have: Bai and Ng's (2002) criteria."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from econ.growth.factor_sample import FactorSample, check_number, read_sample, refuse_failure, refuse_short
from econ.growth.factors import fit_factors
from econ.linear.fit import FloatArray
from econ.panel import Panel
from econ.text import Text

CRITERIA = ("ic1", "ic2", "ic3", "pc1", "pc2", "pc3")


@dataclass(frozen=True, eq=False, repr=False)
class FactorNumber:
    """Criteria for the number of common factors.

    Attributes
    ----------
    frame : ``factors, ssr`` and a column for each criterion; one row per number of factors, from none
    chosen : criterion -> the number at which it is lowest
    spec : what was asked for, as plain JSON
    notes : what a reader must know
    """

    frame: pd.DataFrame
    chosen: Mapping[str, int]
    spec: Mapping[str, Any]
    notes: tuple[Text, ...] = ()

    def __repr__(self) -> str:
        chosen = ", ".join(f"{name} {number}" for name, number in self.chosen.items())
        notes = [f"Note: {note['en']}" for note in self.notes]
        return "\n".join([self.frame.to_string(index=False), f"Lowest at: {chosen}", *notes])


def number_of_factors(panel: Panel, formula: str, maximum: int = 5) -> FactorNumber:
    r"""Bai and Ng's criteria for the number of common factors of a variable, or of a regression's errors.

    With ``V(k)`` the mean squared residual under k factors, N units, T periods and ``m = min(N, T)``,

    .. math::
        IC_j(k) = \ln V(k) + k\, g_j, \qquad PC_j(k) = V(k) + k\, V(k_{max})\, g_j, \\
        g_1 = \tfrac{N + T}{NT} \ln \tfrac{NT}{N + T}, \quad g_2 = \tfrac{N + T}{NT} \ln m, \quad
        g_3 = \tfrac{\ln m}{m}

    the number with the lowest value is chosen (``ic2`` is the one most used). With regressors, coefficients are
    estimated anew for every k as in :func:`econ.growth.interactive_effects`.

    In short panels, as in 31 units by 20 periods, and with serially correlated errors the criteria tend to choose too
    many, often the most allowed, which a note says.

    Parameters
    ----------
    panel : the data, with periods; N and T count the units and periods of the sample also where it is unbalanced
    formula : ``"y ~ x1 + x2 | province + year"``, as for :func:`econ.growth.interactive_effects`; for a variable, here
        about its unit means, ``"y ~ 1 | province"``
    maximum : the most factors considered

    References
    ----------
    Bai and Ng (2002), "Determining the number of factors in approximate factor models", Econometrica 70(1),
    section 5.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").where(lambda d: d["year"] >= 2011)
    >>> sorted(econ.growth.number_of_factors(panel, "log(gdp_per_capita) ~ 1 | province + year", 3).chosen)
    ['ic1', 'ic2', 'ic3', 'pc1', 'pc2', 'pc3']
    """
    asked = read_sample(panel, formula, None)
    check_number(maximum, asked.data, "maximum", least=1)
    refuse_short(asked, maximum)
    ssr = np.array([_ssr(asked, k) for k in range(maximum + 1)])
    frame = _criteria(ssr / len(asked.data.unit), *asked.data.y.shape)
    frame.insert(1, "ssr", ssr)
    chosen = {name: int(frame[name].to_numpy().argmin()) for name in CRITERIA}
    spec = {
        "outcome": asked.problem.formula.outcome.text,
        "formula": asked.problem.formula.text,
        "maximum": maximum,
    }
    return FactorNumber(frame, chosen, spec, (*panel.notes, *asked.notes, *_limit_note(chosen, maximum)))


def _ssr(asked: FactorSample, n_factors: int) -> float:
    best = fit_factors(asked.data, n_factors)[0]
    refuse_failure(asked, best, n_factors)
    return best.ssr


def _criteria(V: FloatArray, N: int, T: int) -> pd.DataFrame:
    """The criteria for mean squared residuals V of no factor, one, and so on."""
    k, m = np.arange(len(V)), min(N, T)
    weights = [(N + T) / (N * T) * np.log(N * T / (N + T)), (N + T) / (N * T) * np.log(m), np.log(m) / m]
    logs = {f"ic{j + 1}": np.log(V) + k * g for j, g in enumerate(weights)}
    return pd.DataFrame({"factors": k} | logs | {f"pc{j + 1}": V + k * V[-1] * g for j, g in enumerate(weights)})


def _limit_note(chosen: Mapping[str, int], maximum: int) -> tuple[Text, ...]:
    names = ", ".join(name for name, number in chosen.items() if number == maximum)
    if not names:
        return ()
    return (
        {
            "en": f"{names} choose the most factors allowed ({maximum}): these criteria do not settle the number here.",
            "zh": f"{names} 选到允许的最大因子数（{maximum}）：这些准则在此无法确定因子个数。",
        },
    )
