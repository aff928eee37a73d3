

from econ.growth.hausman_taylor import hausman_taylor
from econ.growth.panel_tests import PanelTests, breusch_pagan, hausman
from econ.growth.static import between, first_difference, mundlak, pooled, random_effects
from econ.growth.threshold import Threshold, threshold

__all__ = [
    "PanelTests",
    "Threshold",
    "between",
    "breusch_pagan",
    "first_difference",
    "hausman",
    "hausman_taylor",
    "mundlak",
    "pooled",
    "random_effects",
    "threshold",
]
