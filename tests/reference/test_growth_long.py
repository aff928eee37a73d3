"""Estimators for long panels on real data, against InteractiveFixedEffectModels.jl; each entry by its id."""

import gold
import pytest

import econ
from econ import Panel
from econ.growth import interactive_effects


def cigar() -> Panel:
    return Panel(gold.data("plm_Cigar.csv"), unit="state", time="year")


@pytest.mark.parametrize(
    ("key", "effects"),
    [("r2_none", ""), ("r2_state", " | state"), ("r2_year", " | year"), ("r2_both", " | state + year")],
)
def test_bai_cigar(key: str, effects: str) -> None:
    found = interactive_effects(cigar(), f"sales ~ price{effects}", 2, vcov=econ.iid())
    expected = gold.values("growth", "bai-cigar")[key]
    assert found.coef.tolist() == pytest.approx(expected if key == "r2_none" else [expected], rel=1e-6)


def test_bai_cigar_one_factor() -> None:
    """Printed with three digits."""
    found = interactive_effects(cigar(), "sales ~ price | state + year", 1, vcov=econ.iid())
    assert round(found.coef[0], 3) == gold.values("growth", "bai-cigar")["r1_both"]
