"""CR2 standard errors and Satterthwaite degrees of freedom against clubSandwich."""

import gold
import pytest

import econ
from econ import Panel


def test_cr2_mortality() -> None:
    """Motor-vehicle deaths and the drinking age; CR1S is the factor with all effects counted."""
    expected = gold.values("did", "cr2-mortality")
    panel = Panel(gold.data("clubsandwich_mv.csv"), unit="state", time="year")
    formula = "mrate ~ legal + beertaxa | state + year"
    found = econ.feols(panel, formula, vcov=econ.cluster("state", kind="CR2"))
    assert found.params["legal"] == pytest.approx(expected["coef"], rel=1e-6)
    assert found.bse["legal"] == pytest.approx(expected["CR2"], rel=1e-6)
    assert found.dof[found.terms.index("legal")] == pytest.approx(expected["dof"], rel=1e-6)
    stata = econ.feols(panel, formula, vcov=econ.cluster("state", effects_counted="all"))
    assert stata.bse["legal"] == pytest.approx(expected["CR1S"], rel=1e-6)
