"""Do slopes differ between units?"""

import numpy as np
from scipy import special

from econ.estimate import Test
from econ.growth.panel_tests import PanelTests
from econ.growth.unit_fits import UnitFits
from econ.growth.unit_regressions import fit_regressions, read_regressions
from econ.linear.fit import FloatArray, IntArray
from econ.panel import Panel


def slope_homogeneity(panel: Panel, formula: str) -> PanelTests:
    r"""Pesaran and Yamagata's tests that all units have the same slopes.

    With ``M_i`` taking out unit i's intercept (and trend), ``b_i`` its own slopes, ``s_i^2`` the mean square (over
    ``T_i - 1``) of its residuals under the common within slopes, and ``b_w`` slopes pooled with weights ``1/s_i^2``,

    .. math::
        d_i = (b_i - b_w)' \frac{X_i' M_i X_i}{s_i^2} (b_i - b_w), \qquad
        \Delta = \frac{1}{\sqrt N} \sum_i \frac{d_i - k}{\sqrt{2k}}, \qquad
        \Delta_{adj} = \frac{1}{\sqrt N} \sum_i \frac{d_i - k}{\sqrt{2k (T_i - k - 1)/(T_i + 1)}}

    standard normal under equal slopes, large where they differ (two-sided p-values, as in Stata's xthst). The errors
    are taken as independent over periods and units: see :func:`econ.growth.pesaran_cd`.

    Parameters
    ----------
    panel : the data, with periods; units may differ in length
    formula : as in :func:`econ.growth.mean_group`

    Returns
    -------
    PanelTests ``delta`` and ``delta_adjusted``, the latter for few periods.

    References
    ----------
    Pesaran and Yamagata (2008), "Testing slope homogeneity in large panels", Journal of Econometrics 142.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").where(lambda d: d["province"] != "Tibet")
    >>> found = econ.growth.slope_homogeneity(panel, "log(invention_grants) ~ log(gdp_per_capita)")
    >>> found.test("delta_adjusted").p_value < 0.01
    True
    """
    asked = read_regressions(panel, formula)
    fits = fit_regressions(asked)
    d = dispersion(fits, asked.grid.n_obs)
    k, T = fits.coef.shape[1], asked.grid.n_obs.astype(np.float64)
    root = np.sqrt(len(d))
    plain = float(np.sum((d - k) / np.sqrt(2 * k)) / root)
    adjusted = float(np.sum((d - k) / np.sqrt(2 * k * (T - k - 1) / (T + 1))) / root)
    tests = tuple(
        Test(name, value, (), float(2 * special.ndtr(-abs(value))))
        for name, value in (("delta", plain), ("delta_adjusted", adjusted))
    )
    return PanelTests(tests, {"formula": formula}, (*panel.notes, *asked.notes))


def dispersion(fits: UnitFits, n_obs: IntArray) -> FloatArray:
    """(N,) distances ``d_i`` of units' slopes from the pooled ones."""
    moment = np.einsum("itk,it->ik", fits.X, fits.y)
    within = np.linalg.solve(fits.gram.sum(axis=0), moment.sum(axis=0))
    s2 = np.sum(fits.residuals_of(within) ** 2, axis=1) / (n_obs - 1)
    pooled = np.linalg.solve((fits.gram / s2[:, None, None]).sum(axis=0), (moment / s2[:, None]).sum(axis=0))
    gap = fits.coef - pooled
    return np.asarray(np.einsum("ik,ikl,il->i", gap, fits.gram, gap) / s2)
