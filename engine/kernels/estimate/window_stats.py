"""Sample moments over a window of returns with holes; NaN rows are skipped, never filled."""

import numpy as np

from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.types import Bools, Floats


@kernel
def window_std(window: Floats, min_obs: int, out: Floats) -> None:
    """Write the sample standard deviation (ddof 1) of each column over its known rows.

    window (n, K), out (K,); NaN where fewer than max(min_obs, 2) rows are known.
    """
    n, k = window.shape
    for i in range(k):
        count, total = 0, 0.0
        for t in range(n):
            if not np.isnan(window[t, i]):
                total += window[t, i]
                count += 1
        if count < max(min_obs, 2):
            out[i] = np.nan
            continue
        mean = total / count
        squares = 0.0
        for t in range(n):
            if not np.isnan(window[t, i]):
                squares += (window[t, i] - mean) ** 2
        out[i] = np.sqrt(squares / (count - 1))


@kernel
def pair_cov(window: Floats, i: int, j: int) -> float:
    """Return the sample covariance (ddof 1) of two columns over their common known rows; NaN below 2 rows."""
    count, total_i, total_j = 0, 0.0, 0.0
    for t in range(window.shape[0]):
        if not np.isnan(window[t, i]) and not np.isnan(window[t, j]):
            total_i += window[t, i]
            total_j += window[t, j]
            count += 1
    if count < 2:
        return np.nan
    mean_i, mean_j = total_i / count, total_j / count
    product = 0.0
    for t in range(window.shape[0]):
        if not np.isnan(window[t, i]) and not np.isnan(window[t, j]):
            product += (window[t, i] - mean_i) * (window[t, j] - mean_j)
    return product / (count - 1)


@kernel
def portfolio_variance(window: Floats, w: Floats) -> float:
    """Return w' S w with S the pairwise-complete sample covariance of the columns that w (K,) touches.

    A pair without two common rows counts as uncorrelated.
    """
    variance = 0.0
    for i in range(w.shape[0]):
        if w[i] == 0.0:
            continue
        variance += w[i] * w[i] * pair_cov(window, i, i)
        for j in range(i):
            if w[j] != 0.0:
                cov = pair_cov(window, i, j)
                if not np.isnan(cov):
                    variance += 2.0 * w[i] * w[j] * cov
    return variance


@kernel
def basket_stats(window: Floats, member: Bools) -> tuple[float, float]:
    """Return (sample standard deviation, compounded return) of the equal-weight basket of `member` columns (K,).

    Each row averages the members known in it; rows without any are skipped. (0, 0) with fewer than 2 rows.
    """
    count, total, growth = 0, 0.0, 1.0
    for t in range(window.shape[0]):
        value = _row_mean(window, t, member)
        if not np.isnan(value):
            count += 1
            total += value
            growth *= 1.0 + value
    if count < 2:
        return 0.0, 0.0
    mean, squares = total / count, 0.0
    for t in range(window.shape[0]):
        value = _row_mean(window, t, member)
        if not np.isnan(value):
            squares += (value - mean) ** 2
    return np.sqrt(squares / (count - 1)), growth - 1.0


@kernel
def _row_mean(window: Floats, t: int, member: Bools) -> float:
    count, total = 0, 0.0
    for i in range(window.shape[1]):
        if member[i] and not np.isnan(window[t, i]):
            total += window[t, i]
            count += 1
    return total / count if count > 0 else np.nan
