"""Published moments and critical values of unit-root tests, as printed in the papers named at each table.

Nothing is computed here but linear interpolation between tabulated sizes.
"""

from typing import Literal

import numpy as np
from scipy import stats

from econ.errors import ModelError
from econ.linear.fit import FloatArray

nan = np.nan

# Im, Pesaran and Shin (2003), table 3: moments of the ADF t statistic; rows are lags 0 to 8, columns T
IPS_T = np.array([10, 15, 20, 25, 30, 40, 50, 60, 70, 100])
IPS_MEAN = np.array(
    [
        (-1.504, -1.514, -1.522, -1.520, -1.526, -1.523, -1.527, -1.519, -1.524, -1.532),
        (-1.488, -1.503, -1.516, -1.514, -1.519, -1.520, -1.524, -1.519, -1.522, -1.530),
        (-1.319, -1.387, -1.428, -1.443, -1.460, -1.476, -1.493, -1.490, -1.498, -1.514),
        (-1.306, -1.366, -1.413, -1.433, -1.453, -1.471, -1.489, -1.486, -1.495, -1.512),
        (-1.171, -1.260, -1.329, -1.363, -1.394, -1.428, -1.454, -1.458, -1.470, -1.495),
        (nan, nan, -1.313, -1.351, -1.384, -1.421, -1.451, -1.454, -1.467, -1.494),
        (nan, nan, nan, -1.289, -1.331, -1.380, -1.418, -1.427, -1.444, -1.476),
        (nan, nan, nan, -1.273, -1.319, -1.371, -1.411, -1.423, -1.441, -1.474),
        (nan, nan, nan, -1.212, -1.266, -1.329, -1.377, -1.393, -1.415, -1.456),
    ]
)
IPS_VARIANCE = np.array(
    [
        (1.069, 0.923, 0.851, 0.809, 0.789, 0.770, 0.760, 0.749, 0.736, 0.735),
        (1.255, 1.011, 0.915, 0.861, 0.831, 0.803, 0.781, 0.770, 0.753, 0.745),
        (1.421, 1.078, 0.969, 0.905, 0.865, 0.830, 0.798, 0.789, 0.766, 0.754),
        (1.759, 1.181, 1.037, 0.952, 0.907, 0.858, 0.819, 0.802, 0.782, 0.761),
        (2.080, 1.279, 1.097, 1.005, 0.946, 0.886, 0.842, 0.819, 0.801, 0.771),
        (nan, nan, 1.171, 1.055, 0.980, 0.912, 0.863, 0.839, 0.814, 0.781),
        (nan, nan, nan, 1.114, 1.023, 0.942, 0.886, 0.858, 0.834, 0.795),
        (nan, nan, nan, 1.164, 1.062, 0.968, 0.910, 0.875, 0.851, 0.806),
        (nan, nan, nan, 1.217, 1.105, 0.996, 0.929, 0.896, 0.871, 0.818),
    ]
)
IPS_MEAN_TREND = np.array(
    [
        (-2.166, -2.167, -2.168, -2.167, -2.172, -2.173, -2.176, -2.174, -2.174, -2.177),
        (-2.173, -2.169, -2.172, -2.172, -2.173, -2.177, -2.180, -2.178, -2.176, -2.179),
        (-1.914, -1.999, -2.047, -2.074, -2.095, -2.120, -2.137, -2.143, -2.146, -2.158),
        (-1.922, -1.977, -2.032, -2.065, -2.091, -2.117, -2.137, -2.142, -2.146, -2.158),
        (-1.750, -1.823, -1.911, -1.968, -2.009, -2.057, -2.091, -2.103, -2.114, -2.135),
        (nan, nan, -1.888, -1.955, -1.998, -2.051, -2.087, -2.101, -2.111, -2.135),
        (nan, nan, nan, -1.868, -1.923, -1.995, -2.042, -2.065, -2.081, -2.113),
        (nan, nan, nan, -1.851, -1.912, -1.986, -2.036, -2.063, -2.079, -2.112),
        (nan, nan, nan, -1.761, -1.835, -1.925, -1.987, -2.024, -2.046, -2.088),
    ]
)
IPS_VARIANCE_TREND = np.array(
    [
        (1.132, 0.869, 0.763, 0.713, 0.690, 0.655, 0.633, 0.621, 0.610, 0.597),
        (1.453, 0.975, 0.845, 0.769, 0.734, 0.687, 0.654, 0.641, 0.627, 0.605),
        (1.627, 1.036, 0.882, 0.796, 0.756, 0.702, 0.661, 0.653, 0.634, 0.613),
        (2.482, 1.214, 0.983, 0.861, 0.808, 0.735, 0.688, 0.674, 0.650, 0.625),
        (3.947, 1.332, 1.052, 0.913, 0.845, 0.759, 0.705, 0.685, 0.662, 0.629),
        (nan, nan, 1.165, 0.991, 0.899, 0.792, 0.730, 0.705, 0.673, 0.638),
        (nan, nan, nan, 1.055, 0.945, 0.828, 0.753, 0.725, 0.689, 0.650),
        (nan, nan, nan, 1.145, 1.009, 0.872, 0.786, 0.747, 0.713, 0.661),
        (nan, nan, nan, 1.208, 1.063, 0.902, 0.808, 0.766, 0.728, 0.670),
    ]
)

# Levin, Lin and Chu (2002), table 2: mean and standard deviation adjustments; the last column, 500, is the limit
LLC_T = np.array([25, 30, 35, 40, 45, 50, 60, 70, 80, 90, 100, 250, 500])
LLC_MEAN = np.array(
    [-0.554, -0.546, -0.541, -0.537, -0.533, -0.531, -0.527, -0.524, -0.521, -0.520, -0.518, -0.509, -0.500]
)
LLC_SD = np.array([0.919, 0.889, 0.867, 0.850, 0.837, 0.826, 0.810, 0.798, 0.789, 0.782, 0.776, 0.742, 0.707])
LLC_MEAN_TREND = np.array(
    [-0.703, -0.674, -0.653, -0.637, -0.624, -0.614, -0.598, -0.587, -0.578, -0.571, -0.566, -0.533, -0.500]
)
LLC_SD_TREND = np.array([1.003, 0.949, 0.906, 0.871, 0.842, 0.818, 0.780, 0.751, 0.728, 0.710, 0.695, 0.603, 0.500])

# Pesaran (2007), tables II(b) and II(c): critical values of CIPS at 1, 5 and 10 percent; rows are T, columns N
CIPS_SIZES = np.array([10, 15, 20, 30, 50, 70, 100, 200])
CIPS = np.array(
    [
        [
            [-2.97, -2.76, -2.64, -2.51, -2.41, -2.37, -2.33, -2.28],
            [-2.66, -2.52, -2.45, -2.34, -2.26, -2.23, -2.19, -2.16],
            [-2.60, -2.47, -2.40, -2.32, -2.25, -2.20, -2.18, -2.14],
            [-2.57, -2.45, -2.38, -2.30, -2.23, -2.19, -2.17, -2.14],
            [-2.55, -2.44, -2.36, -2.30, -2.23, -2.20, -2.17, -2.14],
            [-2.54, -2.43, -2.36, -2.30, -2.23, -2.20, -2.17, -2.14],
            [-2.53, -2.42, -2.36, -2.30, -2.23, -2.20, -2.18, -2.15],
            [-2.53, -2.43, -2.36, -2.30, -2.23, -2.21, -2.18, -2.15],
        ],
        [
            [-2.52, -2.40, -2.33, -2.25, -2.19, -2.16, -2.14, -2.10],
            [-2.37, -2.28, -2.22, -2.17, -2.11, -2.09, -2.07, -2.04],
            [-2.34, -2.26, -2.21, -2.15, -2.11, -2.08, -2.07, -2.04],
            [-2.33, -2.25, -2.20, -2.15, -2.11, -2.08, -2.07, -2.05],
            [-2.33, -2.25, -2.20, -2.16, -2.11, -2.10, -2.08, -2.06],
            [-2.33, -2.25, -2.20, -2.15, -2.12, -2.10, -2.08, -2.06],
            [-2.32, -2.25, -2.20, -2.16, -2.12, -2.10, -2.08, -2.07],
            [-2.32, -2.25, -2.20, -2.16, -2.12, -2.10, -2.08, -2.07],
        ],
        [
            [-2.31, -2.22, -2.18, -2.12, -2.07, -2.05, -2.03, -2.01],
            [-2.22, -2.16, -2.11, -2.07, -2.03, -2.01, -2.00, -1.98],
            [-2.21, -2.14, -2.10, -2.07, -2.03, -2.01, -2.00, -1.99],
            [-2.21, -2.14, -2.11, -2.07, -2.04, -2.02, -2.01, -2.00],
            [-2.21, -2.14, -2.11, -2.08, -2.05, -2.03, -2.02, -2.01],
            [-2.21, -2.15, -2.11, -2.08, -2.05, -2.03, -2.02, -2.01],
            [-2.21, -2.15, -2.11, -2.08, -2.05, -2.03, -2.03, -2.02],
            [-2.21, -2.15, -2.11, -2.08, -2.05, -2.04, -2.03, -2.02],
        ],
    ]
)
CIPS_TREND = np.array(
    [
        [
            [-3.88, -3.61, -3.46, -3.30, -3.15, -3.10, -3.05, -2.98],
            [-3.24, -3.09, -3.00, -2.89, -2.81, -2.77, -2.74, -2.71],
            [-3.15, -3.01, -2.92, -2.83, -2.76, -2.72, -2.70, -2.65],
            [-3.10, -2.96, -2.88, -2.81, -2.73, -2.69, -2.66, -2.63],
            [-3.06, -2.93, -2.85, -2.78, -2.72, -2.68, -2.65, -2.62],
            [-3.04, -2.93, -2.85, -2.78, -2.71, -2.68, -2.65, -2.62],
            [-3.03, -2.92, -2.85, -2.77, -2.71, -2.68, -2.65, -2.62],
            [-3.03, -2.91, -2.85, -2.77, -2.71, -2.67, -2.65, -2.62],
        ],
        [
            [-3.27, -3.11, -3.02, -2.94, -2.86, -2.82, -2.79, -2.75],
            [-2.93, -2.83, -2.77, -2.70, -2.64, -2.62, -2.60, -2.57],
            [-2.88, -2.78, -2.73, -2.67, -2.62, -2.59, -2.57, -2.55],
            [-2.86, -2.76, -2.72, -2.66, -2.61, -2.58, -2.56, -2.54],
            [-2.84, -2.76, -2.71, -2.65, -2.60, -2.58, -2.56, -2.54],
            [-2.83, -2.76, -2.70, -2.65, -2.61, -2.58, -2.57, -2.54],
            [-2.83, -2.75, -2.70, -2.65, -2.61, -2.59, -2.56, -2.55],
            [-2.83, -2.75, -2.70, -2.65, -2.61, -2.59, -2.57, -2.55],
        ],
        [
            [-2.98, -2.89, -2.82, -2.76, -2.71, -2.68, -2.66, -2.63],
            [-2.76, -2.69, -2.65, -2.60, -2.56, -2.54, -2.52, -2.50],
            [-2.74, -2.67, -2.63, -2.58, -2.54, -2.53, -2.51, -2.49],
            [-2.73, -2.66, -2.63, -2.58, -2.54, -2.52, -2.51, -2.49],
            [-2.73, -2.66, -2.63, -2.58, -2.55, -2.53, -2.51, -2.50],
            [-2.72, -2.66, -2.62, -2.58, -2.55, -2.53, -2.52, -2.50],
            [-2.72, -2.66, -2.63, -2.59, -2.55, -2.53, -2.52, -2.50],
            [-2.73, -2.66, -2.63, -2.59, -2.55, -2.54, -2.52, -2.51],
        ],
    ]
)
# the truncated statistic differs at T = 10, and with a trend at T = 15; rows are 1, 5, 10 percent, columns N
CIPS_TRUNCATED_10 = -np.array(
    [
        [2.85, 2.66, 2.56, 2.44, 2.36, 2.32, 2.29, 2.25],
        [2.47, 2.35, 2.29, 2.22, 2.16, 2.13, 2.11, 2.08],
        [2.28, 2.20, 2.15, 2.10, 2.05, 2.03, 2.01, 1.99],
    ]
)
CIPS_TREND_TRUNCATED_10 = -np.array(
    [
        [3.51, 3.31, 3.20, 3.10, 3.00, 2.96, 2.93, 2.88],
        [3.10, 2.97, 2.89, 2.82, 2.75, 2.73, 2.70, 2.67],
        [2.87, 2.78, 2.73, 2.67, 2.63, 2.60, 2.58, 2.56],
    ]
)
CIPS_TREND_TRUNCATED_15 = -np.array(
    [
        [3.21, 3.07, 2.98, 2.88, 2.80, 2.76, 2.74, 2.70],
        [2.92, 2.82, 2.76, 2.69, 2.64, 2.62, 2.59, 2.57],
        [2.76, 2.68, 2.64, 2.59, 2.55, 2.53, 2.51, 2.50],
    ]
)

# Zivot and Andrews (1992): asymptotic percentiles of the smallest t over break dates, models A, B, C
ZA_LEVELS = np.array([0.01, 0.025, 0.05, 0.10, 0.50, 0.90, 0.95, 0.975, 0.99])
ZA = {
    "level": np.array([-5.34, -5.02, -4.80, -4.58, -3.75, -2.99, -2.77, -2.56, -2.32]),
    "trend": np.array([-4.93, -4.67, -4.42, -4.11, -3.23, -2.48, -2.31, -2.17, -1.97]),
    "both": np.array([-5.57, -5.30, -5.08, -4.82, -3.98, -3.25, -3.06, -2.91, -2.72]),
}

# MacKinnon (1994), tables 3 and 4: p = Phi(polynomial in t), one polynomial up to the switch, another above it
MACKINNON = {
    False: ([2.1659, 1.4412, 0.038269], [1.7339, 0.93202, -0.12745, -0.010368], -1.61, (-18.83, 2.74)),
    True: ([3.2512, 1.6047, 0.049588], [2.5261, 0.61654, -0.37956, -0.060285], -2.89, (-16.18, 0.70)),
}

LEVELS = (0.01, 0.05, 0.10)


def dickey_fuller_p(t: FloatArray, trend: bool) -> FloatArray:
    """p-values of (augmented) Dickey-Fuller t statistics, asymptotic (MacKinnon 1994); 0 and 1 outside its range."""
    small, large, switch, (low, high) = MACKINNON[trend]
    score = np.where(
        t <= switch, np.polynomial.polynomial.polyval(t, small), np.polynomial.polynomial.polyval(t, large)
    )
    p: FloatArray = np.where(t > high, 1.0, np.where(t < low, 0.0, stats.norm.cdf(score)))
    return p


def ips_moments(T: FloatArray, lags: FloatArray, trend: bool) -> tuple[FloatArray, FloatArray]:
    """(N,) mean and variance of each unit's ADF t statistic, linear in T between tabulated sizes.

    Raises
    ------
    ModelError : more lags than the table has for that T
    """
    mean, variance = (IPS_MEAN_TREND, IPS_VARIANCE_TREND) if trend else (IPS_MEAN, IPS_VARIANCE)
    wrong = (lags > 8) | np.isnan([np.interp(t, IPS_T, mean[min(int(p), 8)]) for t, p in zip(T, lags, strict=True)])
    if wrong.any():
        raise ModelError(
            f"The moments of the IPS test are not tabulated for {int(lags[wrong][0])} lags with {T[wrong][0]:g} "
            "periods; take fewer lags (up to 4 below 20 periods, up to 8 from 25), or test='fisher'."
        )
    pairs = list(zip(T, lags.astype(int), strict=True))
    return (
        np.array([np.interp(t, IPS_T, mean[p]) for t, p in pairs]),
        np.array([np.interp(t, IPS_T, variance[p]) for t, p in pairs]),
    )


def llc_adjustment(T: float, trend: bool) -> tuple[float, float]:
    """Mean and standard deviation adjustments, linear in T between tabulated sizes, the nearest outside them."""
    mean, sd = (LLC_MEAN_TREND, LLC_SD_TREND) if trend else (LLC_MEAN, LLC_SD)
    return float(np.interp(T, LLC_T, mean)), float(np.interp(T, LLC_T, sd))


def cips_critical(N: int, T: int, trend: bool, truncated: bool) -> FloatArray:
    """(3,) critical values at 1, 5 and 10 percent, bilinear between tabulated sizes, the nearest outside them."""
    table = (CIPS_TREND if trend else CIPS).copy()
    if truncated:
        table[:, 0, :] = CIPS_TREND_TRUNCATED_10 if trend else CIPS_TRUNCATED_10
        if trend:
            table[:, 1, :] = CIPS_TREND_TRUNCATED_15
    by_size = [[np.interp(N, CIPS_SIZES, row) for row in level] for level in table]
    return np.array([np.interp(T, CIPS_SIZES, column) for column in by_size])


def tabulated_p(statistic: FloatArray, levels: FloatArray, critical: FloatArray) -> FloatArray:
    """Left-tail p-values between tabulated ones, linear in the normal quantile; the outermost beyond them."""
    p = stats.norm.cdf(np.interp(statistic, critical, stats.norm.ppf(levels)))
    return np.asarray(np.clip(p, levels[0], levels[-1]))


def za_critical(breaks: Literal["level", "trend", "both"]) -> FloatArray:
    """(3,) critical values at 1, 5 and 10 percent."""
    return np.asarray(np.interp(LEVELS, ZA_LEVELS, ZA[breaks]))
