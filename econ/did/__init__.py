"""Difference-in-differences for pilot policies."""

from econ.did.callaway_santanna import callaway_santanna
from econ.did.event_study import event_study
from econ.did.result import DidResult, difference
from econ.did.sun_abraham import sun_abraham
from econ.did.twfe import twfe

__all__ = ["DidResult", "callaway_santanna", "difference", "event_study", "sun_abraham", "twfe"]
