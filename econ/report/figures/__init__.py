"""Figures: each function takes results, a panel or a frame, and returns a ``Plot`` with the numbers it shows."""

from econ.report.figures.coefficients import coefficient_plot
from econ.report.figures.event import event_plot
from econ.report.figures.lines import line_plot, sigma_plot
from econ.report.figures.plot import Plot
from econ.report.figures.scatter import beta_plot
from econ.report.figures.tiles import tile_map
from econ.report.figures.treatment import treatment_plot

__all__ = [
    "Plot",
    "beta_plot",
    "coefficient_plot",
    "event_plot",
    "line_plot",
    "sigma_plot",
    "tile_map",
    "treatment_plot",
]
