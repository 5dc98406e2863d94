"""Positive definiteness: a Cholesky test, and the least extra shrinkage that restores it."""

from typing import Final

import numpy as np

from plimsoll.engine.kernels import code
from plimsoll.engine.kernels.eigen import smallest_eigenvalue, tridiagonalise
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.kernels.linalg import cholesky
from plimsoll.engine.types import Floats

# Smallest eigenvalue asked of a correlation matrix.
EIGENVALUE_FLOOR: Final = 1e-8
# Width to which the intensity is found.
INTENSITY_TOLERANCE: Final = 1e-13


@kernel
def is_positive(corr: Floats, common: float, intensity: float, trial: Floats) -> bool:
    """Say whether every eigenvalue of the shrunk correlation matrix is at least EIGENVALUE_FLOOR.

    corr (N, N) with unit diagonal is shrunk towards the constant correlation `common` by `intensity`; trial (N, N) is
    overwritten. Tested by factoring the matrix less the floor on its diagonal.
    """
    n = corr.shape[0]
    for i in range(n):
        for j in range(n):
            trial[i, j] = intensity * common + (1.0 - intensity) * corr[i, j]
        trial[i, i] = 1.0 - EIGENVALUE_FLOOR
    return bool(cholesky(trial) == code.OK)


@kernel
def least_intensity(corr: Floats, common: float, intensity: float, trial: Floats, room: Floats) -> float:
    """Return the smallest intensity >= the given one at which the shrunk correlation matrix is positive definite.

    The smallest eigenvalue is concave in the intensity and positive at 1, so that there is one such. It is guessed from
    an eigenvalue and then held by the definition, from both sides: two factorisations where bisection alone takes 43.
    Variances, unit diagonal and target stay as they are, unlike when eigenvalues are clipped. NaN if the target itself
    fails, which a `common` above -1 / (N - 1) rules out. trial (N, N) and room (4, N) are overwritten.
    """
    if is_positive(corr, common, intensity, trial):
        return intensity
    if not is_positive(corr, common, 1.0, trial):
        return np.nan
    guess = guess_intensity(corr, common, trial, room)
    low, high = intensity, 1.0
    reach = 0.45 * INTENSITY_TOLERANCE
    while high - low > INTENSITY_TOLERANCE:
        above = guess + reach < high
        probe = guess + reach if above else guess - reach
        if not low < probe < high:
            probe = 0.5 * (low + high)
        positive = is_positive(corr, common, probe, trial)
        if positive:
            high = probe
        else:
            low = probe
        if positive != above:  # it does not lie where it was guessed
            reach *= 16.0
    return high


@kernel
def guess_intensity(corr: Floats, common: float, trial: Floats, room: Floats) -> float:
    """Return the intensity at which the smallest eigenvalue of the shrunk matrix is EIGENVALUE_FLOOR, to rounding.

    With C the correlations, F the constant ones and f the floor, (1 - d) (C - f I) + d (F - f I) is singular where
    (1 - d) m + d = 0, m the smallest eigenvalue of (F - f I)^-1/2 (C - f I) (F - f I)^-1/2: so d = m / (m - 1). As
    F - f I = a I + c J with a = 1 - c - f and J all ones, its inverse root is p I + q J, with p = a^-1/2 and
    q = ((a + c N)^-1/2 - p) / N. trial (N, N) and room (4, N) are overwritten; NaN or infinity where F is not above the
    floor.
    """
    n = corr.shape[0]
    rows, diagonal, beside = room[0], room[1], room[2]
    total = 0.0
    for i in range(n):
        rows[i] = 1.0 - EIGENVALUE_FLOOR
        for j in range(n):
            if i != j:
                rows[i] += corr[i, j]
        total += rows[i]
    rest = 1.0 - common - EIGENVALUE_FLOOR
    p = 1.0 / np.sqrt(rest)
    q = (1.0 / np.sqrt(rest + common * n) - p) / n
    for i in range(n):
        for j in range(n):
            own = corr[i, j] if i != j else 1.0 - EIGENVALUE_FLOOR
            trial[i, j] = p * p * own + p * q * (rows[i] + rows[j]) + q * q * total
    tridiagonalise(trial, diagonal, beside, room[3])
    least = smallest_eigenvalue(diagonal, beside)
    return least / (least - 1.0)
