"""Growth regressions on panels: unit effects, dynamics, long panels, thresholds, frontiers."""

from econ.growth.accounting import Accounting, growth_accounting
from econ.growth.counts import negative_binomial
from econ.growth.cross_section import pesaran_cd
from econ.growth.dea import Dea, dea
from econ.growth.dynamic import DynamicEstimate, dynamic
from econ.growth.factor_number import FactorNumber, number_of_factors
from econ.growth.frontier import FrontierEstimate, frontier
from econ.growth.hausman_taylor import hausman_taylor
from econ.growth.heterogeneity import heterogeneity
from econ.growth.homogeneity import slope_homogeneity
from econ.growth.interactive import InteractiveEstimate, interactive_effects
from econ.growth.jackknife import half_panel_jackknife
from econ.growth.long_difference import long_difference
from econ.growth.lsdvc import lsdvc
from econ.growth.malmquist import Malmquist, malmquist
from econ.growth.mean_group import cce_mean_group, cce_pooled, mean_group
from econ.growth.mediation import Mediation, mediation
from econ.growth.panel_tests import PanelTests, breusch_pagan, hausman
from econ.growth.pooled_mean_group import pooled_mean_group
from econ.growth.quantiles import quantile
from econ.growth.slopes import Marginal, UTest, marginal, u_test
from econ.growth.specifications import SpecificationCurve, specification_curve
from econ.growth.stability import Oster, oster
from econ.growth.static import between, first_difference, mundlak, pooled, random_effects
from econ.growth.threshold import Threshold, threshold
from econ.growth.unit_regressions import UnitEstimate

__all__ = [
    "Accounting",
    "Dea",
    "DynamicEstimate",
    "FactorNumber",
    "FrontierEstimate",
    "InteractiveEstimate",
    "Malmquist",
    "Marginal",
    "Mediation",
    "Oster",
    "PanelTests",
    "SpecificationCurve",
    "Threshold",
    "UTest",
    "UnitEstimate",
    "between",
    "breusch_pagan",
    "cce_mean_group",
    "cce_pooled",
    "dea",
    "dynamic",
    "first_difference",
    "frontier",
    "growth_accounting",
    "half_panel_jackknife",
    "hausman",
    "hausman_taylor",
    "heterogeneity",
    "interactive_effects",
    "long_difference",
    "lsdvc",
    "malmquist",
    "marginal",
    "mean_group",
    "mediation",
    "mundlak",
    "negative_binomial",
    "number_of_factors",
    "oster",
    "pesaran_cd",
    "pooled",
    "pooled_mean_group",
    "quantile",
    "random_effects",
    "slope_homogeneity",
    "specification_curve",
    "threshold",
    "u_test",
]
