"""Daily volatility and volume of one symbol as known at a close."""

from typing import Final

import numpy as np

from plimsoll.engine.kernels.derive import comes_back
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.types import Bools, Codes, Floats

VOLUME_SESSIONS: Final = 20
VOLATILITY_SESSIONS: Final = 60
VOLATILITY_MIN_SESSIONS: Final = 20
LOOKBACK_BARS: Final = 120  # how far back known rows are searched for


@kernel
def oldest_at(t: int, i: int, ret: Floats, status: Codes) -> int:
    """Return the first bar that says anything of column i at bar t: within the lookback and the listing in force."""
    first = max(t - LOOKBACK_BARS + 1, 0)
    for k in range(t, first, -1):
        if comes_back(status[k - 1, i], status[k, i], ret[k, i]):
            return k
    return first


@kernel
def volatility_at(t: int, i: int, ret: Floats, status: Codes) -> float:
    """Return the sample standard deviation of the last 60 known returns of column i through bar t.

    NaN with fewer than 20. ret, status (T, N).
    """
    n, total = 0, 0.0
    first = oldest_at(t, i, ret, status)
    k = t
    while k >= first and n < VOLATILITY_SESSIONS:
        if not np.isnan(ret[k, i]):
            total += ret[k, i]
            n += 1
        k -= 1
    if n < VOLATILITY_MIN_SESSIONS:
        return np.nan
    mean = total / n
    squares = 0.0
    for j in range(k + 1, t + 1):
        if not np.isnan(ret[j, i]):
            squares += (ret[j, i] - mean) ** 2
    return float(np.sqrt(squares / (n - 1)))


@kernel
def volume_at(t: int, i: int, volume: Floats, factor: Floats, ret: Floats, status: Codes, buffer: Floats) -> float:
    """Return the median of the last 20 known volumes of column i through bar t, in bar t's share units.

    volume (T, N) as given; factor (T, N) cumulative splits; buffer (20,) scratch. NaN where none is known.
    """
    n = 0
    first = oldest_at(t, i, ret, status)
    k = t
    while k >= first and n < VOLUME_SESSIONS:
        if not np.isnan(volume[k, i]):
            value = volume[k, i] * factor[t, i] / factor[k, i]
            j = n
            while j > 0 and buffer[j - 1] > value:  # insertion keeps the buffer sorted
                buffer[j] = buffer[j - 1]
                j -= 1
            buffer[j] = value
            n += 1
        k -= 1
    if n == 0:
        return np.nan
    return float(buffer[n // 2] if n % 2 == 1 else 0.5 * (buffer[n // 2 - 1] + buffer[n // 2]))


@kernel
def volumes_at(
    t: int, volume: Floats, factor: Floats, ret: Floats, status: Codes, wanted: Bools, buffer: Floats, out: Floats
) -> None:
    """Write `volume_at` of the wanted columns to out (N,), NaN for the others."""
    for i in range(out.shape[0]):
        out[i] = volume_at(t, i, volume, factor, ret, status, buffer) if wanted[i] else np.nan
