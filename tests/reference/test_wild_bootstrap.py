"""The wild cluster bootstrap against boottest (Stata) and fwildclusterboot's data."""

import gold
import numpy as np
import pytest

import econ
from econ import Panel
from econ.bootstrap import WildBootstrap

DRAWS = 99_999


def voters(method: object = None) -> WildBootstrap:
    frame = gold.data("fwcb_voters.csv").rename_axis("voter").reset_index().assign(wave=1)
    formula = "proposition_vote ~ treatment + ideology1 + log_income"
    panel = Panel(frame, unit="voter", time="wave")
    return econ.wild_bootstrap(panel, formula, "treatment", method, econ.cluster("group_id1"))  # type: ignore[arg-type]


def insurance(hypothesis: str, method: object = None) -> WildBootstrap:
    """Cameron, Gelbach and Miller's collapsed data: 16 cells, clusters are the 8 years."""
    frame = gold.data("stata_collapsed.csv").dropna().rename_axis("cell").reset_index()
    panel = Panel(frame, unit=["cell", "selfemployed"], time="year")
    formula = "hasinsurance ~ selfemployed + post + post_self"
    return econ.wild_bootstrap(panel, formula, hypothesis, method, econ.cluster("year"))  # type: ignore[arg-type]


def test_wild_voters() -> None:
    expected = gold.values("did", "wild-voters")
    found = voters(econ.wild(DRAWS))
    assert found.n_clusters == 40
    assert found.statistic == pytest.approx(expected["t"], rel=1e-8)
    assert found.p_value == pytest.approx(expected["p"], abs=expected["p_tolerance"])


def test_wildboot_enum() -> None:
    """All 256 sign vectors. boottest counts larger statistics only, but rounding lets one of the two ties in."""
    expected = gold.values("growth", "wildboot-enum")
    found = insurance("post_self = .04")
    assert (found.draws, found.enumerated, found.n_ties) == (256, True, 2)
    assert found.statistic == pytest.approx(expected["t"], rel=1e-10)
    assert found.p_value == expected["p_ties_counted"]
    assert found.p_value - 1 / 256 == pytest.approx(expected["p_boottest"], abs=5e-5)


def test_wildboot_enum_interval() -> None:
    """The p-value is a step function of the null value, with steps of 2/256: sign vectors come with their mirror image.

    Ours are the values at which it passes 5 per cent. boottest stops its search as soon as it is within a tolerance of
    5 per cent, and its limits have moved between versions; at them our p-value is within two steps.
    """
    limits = gold.values("growth", "wildboot-enum")["CI_boottest"]
    found = insurance("post_self = .04")
    assert found.ci_low is not None
    assert found.ci_high is not None
    assert found.ci_low < limits[0] < limits[1] < found.ci_high
    for limit in limits:
        assert insurance(f"post_self = {limit}").p_value - 0.05 == pytest.approx(0.0, abs=4 / 256)
    for end, outwards in ((found.ci_low, -1e-8), (found.ci_high, 1e-8)):
        assert insurance(f"post_self = {end - outwards:.12f}").p_value == 14 / 256
        assert insurance(f"post_self = {end + outwards:.12f}").p_value == 12 / 256


def test_wildboot_enum_webb() -> None:
    expected = gold.values("growth", "wildboot-enum")["webb_1e6"]
    found = insurance("post_self = .04", econ.wild(DRAWS, weights="webb"))
    assert found.p_value == pytest.approx(expected, abs=4 * np.sqrt(expected / DRAWS))
