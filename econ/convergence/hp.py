"""The Hodrick-Prescott filter, all series at once."""

import numpy as np
from scipy.linalg import solveh_banded

from econ.linear.fit import FloatArray


def hp_trend(series: FloatArray, smoothing: float) -> FloatArray:
    r"""Trend of each column: ``argmin sum_t (y_t - trend_t)^2 + smoothing sum_t (second difference of trend)_t^2``.

    The first-order condition ``(I + smoothing D'D) trend = y``, with ``D`` the (T - 2, T) matrix of second
    differences, has five diagonals and is the same for every column, so it is factored once (Hodrick and Prescott
    1997).

    Parameters
    ----------
    series : (T, N), equally spaced in time, T at least 4.
    smoothing : lambda of the filter. 400 is Phillips and Sul's choice for annual data; 6.25 and 100 are also met.

    Returns
    -------
    (T, N) trends.

    Examples
    --------
    >>> import numpy as np
    >>> straight = np.arange(10.0)[:, None]
    >>> bool(np.allclose(hp_trend(straight, 400), straight))
    True
    """
    n_periods = len(series)
    bands = np.ones((3, n_periods))  # lower diagonals of D'D, then of the system
    bands[0] = 6.0
    bands[0, [0, -1]], bands[0, [1, -2]] = 1.0, 5.0
    bands[1] = -4.0
    bands[1, [0, n_periods - 2]] = -2.0
    bands *= smoothing
    bands[0] += 1.0
    return np.asarray(solveh_banded(bands, series, lower=True, check_finite=False))
