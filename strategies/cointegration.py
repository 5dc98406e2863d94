"""Engle-Granger test of two series, and how fast their gap closes."""

from typing import Final

import numpy as np

from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.types import Floats

# Places in `out`.
ALPHA: Final = 0
BETA: Final = 1
STATISTIC: Final = 2
HALF_LIFE: Final = 3
VARIANCE: Final = 4  # of the residual
MEAN_X: Final = 5
SPREAD_X: Final = 6  # sum of squares of x about its mean
COUNT: Final = 7  # rows in which both series are known
COLUMNS: Final = 8

# Fewer rows than this make no test.
LEAST_ROWS: Final = 20


@kernel
def critical_value(n: float) -> float:
    """Return the 5% critical value of the Engle-Granger statistic of two series, with a constant, over n rows.

        -3.34 - 6.11 / n - 6.82 / n^2

    Source: MacKinnon (2010), Critical values for cointegration tests, table 2 (N = 2, constant), first term rounded.
    """
    return -3.34 - 6.11 / n - 6.82 / (n * n)


@kernel
def engle_granger(pair: Floats, gap: Floats, out: Floats) -> None:
    """Regress column 0 of pair (n, 2) on column 1 and test the residual for a unit root with one lag.

    gap (n,) receives the residuals of the rows in which both are known; those rows count as consecutive. out (8,) as
    named above, the half-life in rows (infinite if the gap does not close). All but the count are NaN with fewer than
    LEAST_ROWS rows or a constant column.

        y = alpha + beta x + e;   de_t = gamma e_{t-1} + phi de_{t-1} + u_t,   t = gamma / se(gamma)
        e_t = rho e_{t-1} + v_t,   half-life = -ln 2 / ln rho

    Source: Engle & Granger (1987); the residual has mean zero, so the second regression has no constant.
    """
    for k in range(COUNT):
        out[k] = np.nan
    n = 0
    mean_y, mean_x = 0.0, 0.0
    for t in range(pair.shape[0]):
        if np.isfinite(pair[t, 0]) and np.isfinite(pair[t, 1]):
            mean_y += pair[t, 0]
            mean_x += pair[t, 1]
            n += 1
    out[COUNT] = n
    if n < LEAST_ROWS:
        return
    mean_y /= n
    mean_x /= n
    sxy, sxx = 0.0, 0.0
    for t in range(pair.shape[0]):
        if np.isfinite(pair[t, 0]) and np.isfinite(pair[t, 1]):
            sxy += (pair[t, 0] - mean_y) * (pair[t, 1] - mean_x)
            sxx += (pair[t, 1] - mean_x) ** 2
    if not sxx > 0.0:
        return
    beta = sxy / sxx
    k, square = 0, 0.0
    for t in range(pair.shape[0]):
        if np.isfinite(pair[t, 0]) and np.isfinite(pair[t, 1]):
            gap[k] = pair[t, 0] - mean_y - beta * (pair[t, 1] - mean_x)
            square += gap[k] * gap[k]
            k += 1
    if not square > 0.0:
        return
    out[ALPHA] = mean_y - beta * mean_x
    out[BETA] = beta
    out[STATISTIC] = adf_statistic(gap, n)
    out[HALF_LIFE] = half_life(gap, n)
    out[VARIANCE] = square / (n - 2)
    out[MEAN_X] = mean_x
    out[SPREAD_X] = sxx


@kernel
def adf_statistic(gap: Floats, n: int) -> float:
    """Return the augmented Dickey-Fuller t statistic of the first n values of gap, one lag, no constant; NaN if none.

    Source: Dickey & Fuller (1979); Said & Dickey (1984) for the lag.
    """
    aa, ab, bb, ay, by, yy = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for t in range(2, n):
        a, b, y = gap[t - 1], gap[t - 1] - gap[t - 2], gap[t] - gap[t - 1]
        aa += a * a
        ab += a * b
        bb += b * b
        ay += a * y
        by += b * y
        yy += y * y
    det = aa * bb - ab * ab
    gamma = (bb * ay - ab * by) / det
    phi = (aa * by - ab * ay) / det
    noise = (yy - gamma * ay - phi * by) / (n - 4)
    statistic: float = gamma / np.sqrt(noise * bb / det)
    return statistic


@kernel
def half_life(gap: Floats, n: int) -> float:
    """Return the rows in which an AR(1) of the first n values of gap closes half of it.

    0 if it does not carry over at all (rho <= 0), infinite if it does not close (rho >= 1).
    """
    product, square = 0.0, 0.0
    for t in range(1, n):
        product += gap[t] * gap[t - 1]
        square += gap[t - 1] * gap[t - 1]
    rho = product / square
    if rho >= 1.0:
        return np.inf
    return -np.log(2.0) / np.log(rho) if rho > 0.0 else 0.0
