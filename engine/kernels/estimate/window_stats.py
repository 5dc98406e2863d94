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
    count, mean = np.zeros(k), np.zeros(k)
    for t in range(n):  # row by row, all columns at once: the order within a column is the same
        for i in range(k):
            known = not np.isnan(window[t, i])
            mean[i] += window[t, i] if known else 0.0
            count[i] += known
    for i in range(k):
        mean[i] /= max(count[i], 1.0)
        out[i] = 0.0
    for t in range(n):
        for i in range(k):
            off = window[t, i] - mean[i]
            out[i] += 0.0 if np.isnan(window[t, i]) else off * off
    for i in range(k):
        out[i] = np.sqrt(out[i] / (count[i] - 1.0)) if count[i] >= max(min_obs, 2) else np.nan


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
    off, whole = deviations(window, w)
    variance = 0.0
    for i in range(w.shape[0]):
        if w[i] == 0.0:
            continue
        variance += w[i] * w[i] * (inner(off, i, i) if whole else pair_cov(window, i, i))
        for j in range(i):
            if w[j] != 0.0:
                cov = inner(off, i, j) if whole else pair_cov(window, i, j)
                if not np.isnan(cov):
                    variance += 2.0 * w[i] * w[j] * cov
    return variance


@kernel
def deviations(window: Floats, w: Floats) -> tuple[Floats, bool]:
    """Return (K, n) deviations from the mean of the columns that w (K,) touches; whether these have no hole.

    Without one, the rows that a pair has in common are all of them, and each mean is needed once.
    """
    n, k = window.shape
    off, whole = np.zeros((k, n)), n > 1
    for i in range(k):
        if w[i] == 0.0:
            continue
        total = 0.0
        for t in range(n):
            off[i, t] = window[t, i]
            total += window[t, i]
        mean = total / n
        whole = whole and not np.isnan(total)
        for t in range(n):
            off[i, t] -= mean
    return off, whole


@kernel
def inner(off: Floats, i: int, j: int) -> float:
    """Return the sample covariance (ddof 1) of two columns from their deviations (K, n)."""
    product = 0.0
    for t in range(off.shape[1]):
        product += off[i, t] * off[j, t]
    return product / (off.shape[1] - 1)


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
