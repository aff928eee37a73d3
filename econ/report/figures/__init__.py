"""Figures: each function takes results, a panel or a frame, and returns a ``Plot`` with the numbers it shows."""

from econ.report.figures.accounting import accounting_plot
from econ.report.figures.balance import balance_plot
from econ.report.figures.breaks import break_plot
from econ.report.figures.coefficients import coefficient_plot
from econ.report.figures.disparity import dagum_plot, gravity_plot, theil_plot
from econ.report.figures.dose import dose_plot
from econ.report.figures.event import event_plot
from econ.report.figures.half_life import half_life_plot
from econ.report.figures.honest import honest_plot
from econ.report.figures.lines import line_plot, sigma_plot
from econ.report.figures.markov import kernel_plot, ridge_plot, transition_plot
from econ.report.figures.paths import paths_plot
from econ.report.figures.permutation import permutation_plot
from econ.report.figures.plot import Plot
from econ.report.figures.robustness import robustness_plot
from econ.report.figures.roots import roots_plot
from econ.report.figures.scatter import beta_plot
from econ.report.figures.slopes import marginal_plot
from econ.report.figures.specification import specification_plot
from econ.report.figures.survival import survival_plot
from econ.report.figures.synthetic import synthetic_plot
from econ.report.figures.threshold import threshold_plot
from econ.report.figures.tiles import tile_map
from econ.report.figures.treatment import treatment_plot
from econ.report.figures.weights import bacon_plot, weights_plot

__all__ = [
    "Plot",
    "accounting_plot",
    "bacon_plot",
    "balance_plot",
    "beta_plot",
    "break_plot",
    "coefficient_plot",
    "dagum_plot",
    "dose_plot",
    "event_plot",
    "gravity_plot",
    "half_life_plot",
    "honest_plot",
    "kernel_plot",
    "line_plot",
    "marginal_plot",
    "paths_plot",
    "permutation_plot",
    "ridge_plot",
    "robustness_plot",
    "roots_plot",
    "sigma_plot",
    "specification_plot",
    "survival_plot",
    "synthetic_plot",
    "theil_plot",
    "threshold_plot",
    "tile_map",
    "transition_plot",
    "treatment_plot",
    "weights_plot",
]
