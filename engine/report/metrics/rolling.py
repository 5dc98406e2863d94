"""Statistics over a moving window: plain numpy, conventions of `plimsoll.engine.report.metrics.returns`."""

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from plimsoll.engine.report.metrics.returns import NAN, SESSIONS_PER_YEAR, ZERO_VOL
from plimsoll.engine.types import Floats


def rolling_vol_ann(returns: Floats, window: int) -> Floats:
    """Return (n - window + 1,) the annualised volatility of each window, empty if the series is shorter."""
    if len(returns) < window:
        return np.empty(0)
    sd: Floats = np.std(sliding_window_view(returns, window), axis=1, ddof=1)
    risk: Floats = np.where(sd > ZERO_VOL, sd, 0.0)
    out: Floats = risk * math.sqrt(SESSIONS_PER_YEAR)
    return out


def rolling_sharpe(returns: Floats, window: int) -> Floats:
    """Return (n - window + 1,) the Sharpe ratio at rf = 0 of each window; NaN where nothing moved."""
    if len(returns) < window:
        return np.empty(0)
    vol = rolling_vol_ann(returns, window)
    mean: Floats = np.mean(sliding_window_view(returns, window), axis=1) * SESSIONS_PER_YEAR
    out: Floats = np.divide(mean, vol, out=np.full(len(vol), NAN), where=vol > 0.0)
    return out


def rolling_sortino(returns: Floats, window: int) -> Floats:
    """Return (n - window + 1,) the Sortino ratio at a target of 0 of each window; NaN where nothing fell.

    Mean a year over the square root of 252 times the mean square of the losses, gains counting as 0.
    """
    if len(returns) < window:
        return np.empty(0)
    losses: Floats = np.minimum(returns, 0.0)
    power: Floats = np.mean(sliding_window_view(losses * losses, window), axis=1)
    mean: Floats = np.mean(sliding_window_view(returns, window), axis=1)
    down: Floats = np.sqrt(power)
    out: Floats = np.divide(mean, down, out=np.full(len(mean), NAN), where=down > ZERO_VOL)
    ratio: Floats = out * math.sqrt(SESSIONS_PER_YEAR)
    return ratio


def rolling_beta(returns: Floats, benchmark: Floats, window: int) -> Floats:
    """Return (n - window + 1,) the beta to `benchmark` of each window; NaN where it did not move."""
    if len(returns) < window:
        return np.empty(0)
    ours, theirs = sliding_window_view(returns, window), sliding_window_view(benchmark, window)
    centred = theirs - np.mean(theirs, axis=1, keepdims=True)
    variance: Floats = np.mean(centred * centred, axis=1)
    covariance: Floats = np.mean((ours - np.mean(ours, axis=1, keepdims=True)) * centred, axis=1)
    out: Floats = np.divide(covariance, variance, out=np.full(len(variance), NAN), where=variance > ZERO_VOL**2)
    return out
