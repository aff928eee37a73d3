"""County loans and branching deregulation (Favara and Imbs 2015), as in the examples of did_multiplegt_dyn.

Points as printed by the R package; standard errors of the same call as printed by the authors' Python port, version
0.1.9, for which the entry has none.
"""

import numpy as np
import pytest

from econ import Panel
from econ.did.switchers import switchers
from tests.reference import gold

STD_ERRORS = [0.099950, 0.103555, 0.141780, 0.144337, 0.139436, 0.097366]
PLACEBOS = {-4: (-0.181200, 0.308139), -3: (0.004910, 0.257271), -2: (0.125000, 0.210097)}


def counties() -> Panel:
    return Panel(gold.data("favara_imbs.csv"), "county", "year")


def test_favara_imbs_dyn() -> None:
    expected = gold.values("did", "favara-imbs-dyn")
    found = switchers(counties(), "Dl_vloans_b", treatment="inter_bra", effects=5)
    np.testing.assert_allclose(found.coef[:5], expected["effects"], atol=5e-6)
    assert found.coef[5] == pytest.approx(expected["average"], abs=5e-5)
    np.testing.assert_allclose(found.std_error, STD_ERRORS, atol=1e-6)


def test_favara_imbs_dyn_placebos() -> None:
    found = switchers(counties(), "Dl_vloans_b", treatment="inter_bra", effects=5, placebos=3)
    for row, (time, (estimate, std_error)) in enumerate(PLACEBOS.items()):
        assert found.effects.event_time[row] == time
        assert (found.coef[row], found.std_error[row]) == pytest.approx((estimate, std_error), abs=1e-6)


def test_favara_imbs_dyn_normalised() -> None:
    found = switchers(counties(), "Dl_vloans_b", treatment="inter_bra", effects=3, normalized=True)
    np.testing.assert_allclose(found.coef, [-0.151598, -0.007656, -0.003959, -0.059596], atol=1e-6)
    np.testing.assert_allclose(found.std_error, [0.083708, 0.043364, 0.039580, 0.087754], atol=1e-6)
