"""Positive definiteness: a Cholesky test, and the least extra shrinkage that restores it."""

from typing import Final

import numpy as np

from plimsoll.engine.kernels import code
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.kernels.linalg import cholesky
from plimsoll.engine.types import Floats

# Smallest eigenvalue asked of a correlation matrix.
EIGENVALUE_FLOOR: Final = 1e-8
# Width at which the bisection stops.
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
def least_intensity(corr: Floats, common: float, intensity: float, trial: Floats) -> float:
    """Return the smallest intensity >= the given one at which the shrunk correlation matrix is positive definite.

    The smallest eigenvalue is concave in the intensity and positive at 1, so bisection finds it. Variances, unit
    diagonal and target stay as they are, unlike when eigenvalues are clipped. NaN if the target itself fails, which a
    `common` above -1 / (N - 1) rules out.
    """
    if is_positive(corr, common, intensity, trial):
        return intensity
    if not is_positive(corr, common, 1.0, trial):
        return np.nan
    low, high = intensity, 1.0
    while high - low > INTENSITY_TOLERANCE:
        middle = 0.5 * (low + high)
        if is_positive(corr, common, middle, trial):
            high = middle
        else:
            low = middle
    return high
