"""Results print what a reader of a console needs, in a few lines."""

import pytest

import econ


@pytest.fixture(scope="module")
def panel() -> econ.Panel:
    return econ.load("provinces").log(["rd_expenditure", "gdp_per_capita", "population", "invention_grants"])


def test_slopes_and_turning_points(panel: econ.Panel) -> None:
    formula = "log_invention_grants ~ log_rd_expenditure + I(log_rd_expenditure^2) | province + year"
    fit = econ.feols(panel, formula)
    slope = repr(econ.growth.marginal(fit, over="log_rd_expenditure", at=panel))
    assert slope.startswith("Slope of log_invention_grants in log_rd_expenditure over log_rd_expenditure\n")
    assert len(slope.splitlines()) < 15
    turning = repr(econ.growth.u_test(fit, "log_rd_expenditure", at=panel))
    assert "Turning point" in turning
    assert "[-inf, inf]" in turning


def test_coefficients_under_other_choices(panel: econ.Panel) -> None:
    bound = econ.growth.oster(panel, "log_invention_grants ~ log_rd_expenditure + log_population", "log_rd_expenditure")
    assert f"delta = {bound.delta:.4g}" in repr(bound)
    curve = econ.growth.specification_curve(panel, "log_invention_grants", "log_rd_expenditure", ["log_population"])
    assert repr(curve).startswith("2 specifications of log_rd_expenditure in log_invention_grants\nMedian ")
