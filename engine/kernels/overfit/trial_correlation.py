"""How trials move together: correlations of their returns where they share sessions, each centred on its own mean."""

import numpy as np

from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.types import Floats, Ints

# Fewer common sessions than a month say nothing of how two trials move together: they count as unrelated.
LEAST_COMMON = 21
ZERO_VOL = 1e-13
ROWS = 4  # sessions at a time


@kernel
def centre_and_scale(returns: Floats, mean: Floats, scale: Floats) -> None:
    """Write each column's mean to mean (M,) and one over its standard deviation (ddof = 0) to scale (M,).

    returns (T, M), NaN = not known. A column that does not move has a scale of 0: it moves with nothing. Deviations
    from a column's first return are summed, so that no digits are lost where squares are.
    """
    n_rows, n = returns.shape
    first, count, total, squares = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    for t in range(n_rows):
        for j in range(n):
            x = returns[t, j]
            if not np.isnan(x):
                if count[j] == 0.0:
                    first[j] = x
                gap = x - first[j]
                count[j] += 1.0
                total[j] += gap
                squares[j] += gap * gap
    for j in range(n):
        n_known = max(count[j], 1.0)
        off = total[j] / n_known
        variance = squares[j] / n_known - off * off
        mean[j] = first[j] + off
        scale[j] = 1.0 / np.sqrt(variance) if variance > ZERO_VOL * ZERO_VOL else 0.0


@kernel
def row_sums(returns: Floats, mean: Floats, scale: Floats, axis: Ints, out: Floats) -> None:
    """Write the sum of the standardised returns of each session, by set of sessions, to out (T, A); axis (M,)."""
    for t in range(returns.shape[0]):
        for a in range(out.shape[1]):
            out[t, a] = 0.0
        for j in range(returns.shape[1]):
            x = returns[t, j]
            if not np.isnan(x):
                out[t, axis[j]] += (x - mean[j]) * scale[j]


@kernel
def correlate(returns: Floats, mean: Floats, scale: Floats, common: Ints, axis: Ints, out: Floats) -> None:
    """Write the correlations of the columns of returns (T, M) to out (M, M), within -1 and 1, 1 on the diagonal.

    mean, scale (M,) from `centre_and_scale`; common (A, A) sessions that two sets of sessions share, axis (M,) the set
    of each column.
    """
    n_rows, n = returns.shape
    z = np.empty((ROWS, n))
    for i in range(n):
        for j in range(n):
            out[i, j] = 0.0
    for first in range(0, n_rows, ROWS):  # several sessions while a row of sums is at hand, added one after the other
        for k in range(ROWS):
            for j in range(n):
                x = returns[first + k, j] if first + k < n_rows else np.nan
                z[k, j] = 0.0 if np.isnan(x) else (x - mean[j]) * scale[j]
        for i in range(n):
            a, b, c, d = z[0, i], z[1, i], z[2, i], z[3, i]
            if a != 0.0 or b != 0.0 or c != 0.0 or d != 0.0:
                for j in range(i + 1, n):
                    out[i, j] = (((out[i, j] + a * z[0, j]) + b * z[1, j]) + c * z[2, j]) + d * z[3, j]
    for i in range(n):
        out[i, i] = 1.0
        for j in range(i + 1, n):
            shared = common[axis[i], axis[j]]
            rho = out[i, j] / shared if shared >= LEAST_COMMON else 0.0
            out[i, j] = max(-1.0, min(1.0, rho))
            out[j, i] = out[i, j]
