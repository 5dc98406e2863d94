"""How trials move together: correlations of their returns where they share sessions, each centred on its own mean."""

import numpy as np

from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.types import Floats, Ints

# Fewer common sessions than a month say nothing of how two trials move together: they count as unrelated.
LEAST_COMMON = 21
ZERO_VOL = 1e-13


@kernel
def standardise(returns: Floats, z: Floats, known: Floats) -> None:
    """Write each column's returns (T, M), less their mean and over their standard deviation (ddof = 0), to z (T, M).

    Where a return is not known (NaN) z and known (T, M) are 0, elsewhere known is 1. A column that does not move is 0
    all over: what never moves moves with nothing.
    """
    n_rows, n = returns.shape
    count, mean, scale = np.zeros(n), np.zeros(n), np.zeros(n)
    for t in range(n_rows):
        for j in range(n):
            seen = not np.isnan(returns[t, j])
            known[t, j] = 1.0 if seen else 0.0
            z[t, j] = returns[t, j] if seen else 0.0
            count[j] += known[t, j]
            mean[j] += z[t, j]
    for j in range(n):
        mean[j] /= max(count[j], 1.0)
    for t in range(n_rows):
        for j in range(n):
            z[t, j] = (z[t, j] - mean[j]) * known[t, j]
            scale[j] += z[t, j] * z[t, j]
    for j in range(n):
        sd = np.sqrt(scale[j] / max(count[j], 1.0))
        scale[j] = 1.0 / sd if sd > ZERO_VOL else 0.0
    for t in range(n_rows):
        for j in range(n):
            z[t, j] *= scale[j]


@kernel
def correlate(z: Floats, common: Ints, axis: Ints, out: Floats) -> None:
    """Write the correlations of the standardised columns of z (T, M) to out (M, M), within -1 and 1, 1 on the diagonal.

    common (A, A) sessions that two sets of sessions share, axis (M,) the set of each column.
    """
    n_rows, n = z.shape
    for i in range(n):
        for j in range(n):
            out[i, j] = 0.0
    for t in range(n_rows):  # elementwise along memory: a sum over sessions would be one long chain of additions
        for i in range(n):
            zi = z[t, i]
            if zi != 0.0:
                for j in range(i + 1, n):
                    out[i, j] += zi * z[t, j]
    for i in range(n):
        out[i, i] = 1.0
        for j in range(i + 1, n):
            shared = common[axis[i], axis[j]]
            rho = out[i, j] / shared if shared >= LEAST_COMMON else 0.0
            out[i, j] = max(-1.0, min(1.0, rho))
            out[j, i] = out[i, j]
