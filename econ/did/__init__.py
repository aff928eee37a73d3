"""Difference-in-differences for pilot policies."""

from econ.did.event_study import event_study
from econ.did.twfe import twfe

__all__ = ["event_study", "twfe"]
