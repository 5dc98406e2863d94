"""The signals of the workloads for libraries that bring none of their own; numba, no engine.

Only the weights and slopes are computed here: every order, fill and mark is the library's.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@njit(nogil=True, error_model="numpy")
def slopes(close: Floats, grid: Floats) -> Floats:
    """Return the slope (T, S) that a level-and-slope Kalman filter sees in close (T,), in price per bar.

    grid (S, 3) variance per bar of the level, of the slope and of the observation. The first bar starts the filter
    at its close, slope 0, unit variances.
    """
    n_bars, n_settings = close.shape[0], grid.shape[0]
    out = np.zeros((n_bars, n_settings))
    x0, x1, p01 = np.full(n_settings, close[0]), np.zeros(n_settings), np.zeros(n_settings)
    p00, p11 = np.ones(n_settings), np.ones(n_settings)
    for t in range(1, n_bars):
        for s in range(n_settings):
            m00, m01 = p00[s] + 2.0 * p01[s] + p11[s] + grid[s, 0], p01[s] + p11[s]
            m11 = p11[s] + grid[s, 1]
            k0, k1 = m00 / (m00 + grid[s, 2]), m01 / (m00 + grid[s, 2])
            surprise = close[t] - x0[s] - x1[s]
            x0[s], x1[s] = x0[s] + x1[s] + k0 * surprise, x1[s] + k1 * surprise
            p00[s], p01[s], p11[s] = (1.0 - k0) * m00, (1.0 - k0) * m01, m11 - k1 * m01
            out[t, s] = x1[s]
    return out


@njit(nogil=True, error_model="numpy")
def weights(close: Floats, bars: Ints, lookback: int, n_risky: int) -> Floats:
    """Return the target weights (K, N) decided at the closes of `bars` (K,) from close (T, N).

    Inverse volatility over the last `lookback` returns. With n_risky > 0 Level-61's regime, shift to the other assets
    and scaling to 10% volatility follow, the first n_risky assets being the risky ones.
    """
    out = np.empty((bars.shape[0], close.shape[1]))
    for k in range(bars.shape[0]):
        inverse_vol(close, bars[k], lookback, out[k])
        if n_risky > 0:
            level61(close, bars[k], lookback, n_risky, out[k])
    return out


@njit(nogil=True, error_model="numpy")
def inverse_vol(close: Floats, t: int, lookback: int, out: Floats) -> None:
    """Write 1 / volatility over the window that ends at bar t, scaled to sum 1, to out (N,)."""
    n = close.shape[1]
    sums, squares = np.zeros(n), np.zeros(n)
    for k in range(t - lookback + 1, t + 1):
        for i in range(n):
            r = close[k, i] / close[k - 1, i] - 1.0
            sums[i] += r
            squares[i] += r * r
    total = 0.0
    for i in range(n):
        out[i] = 1.0 / np.sqrt((squares[i] - sums[i] * sums[i] / lookback) / (lookback - 1))
        total += out[i]
    for i in range(n):
        out[i] /= total


@njit(nogil=True, error_model="numpy")
def level61(close: Floats, t: int, lookback: int, n_risky: int, out: Floats) -> None:
    """Turn inverse-volatility weights out (N,) into Level-61's, in place."""
    n = close.shape[1]
    s, q, growth = 0.0, 0.0, 1.0
    for k in range(t - lookback + 1, t + 1):
        r = 0.0
        for i in range(n_risky):
            r += (close[k, i] / close[k - 1, i] - 1.0) / n_risky
        s += r
        q += r * r
        growth *= 1.0 + r
    if np.sqrt(252.0 * (q - s * s / lookback) / (lookback - 1)) > 0.25 or growth < 0.90:
        freed, safe = 0.0, 0.0
        for i in range(n):
            if i < n_risky:
                out[i] *= 0.5
                freed += out[i]
            else:
                safe += out[i]
        for i in range(n_risky, n):
            out[i] *= (safe + freed) / safe
    s, q = 0.0, 0.0
    for k in range(t - lookback + 1, t + 1):
        r = 0.0
        for i in range(n):
            r += out[i] * (close[k, i] / close[k - 1, i] - 1.0)
        s += r
        q += r * r
    scale = min(2.0, 0.10 / np.sqrt(252.0 * (q - s * s / lookback) / (lookback - 1)))
    for i in range(n):
        out[i] *= scale
