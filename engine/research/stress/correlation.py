"""Correlations as they are when everything falls: those of equity-like assets half way to 1."""

from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.kernels.estimate.psd import least_intensity
from plimsoll.engine.types import Floats

BLEND: Final = 0.5


class Blended(NamedTuple):
    """A correlation matrix (k, k), positive definite; `mended` is the extra shrinkage that it took."""

    corr: Floats
    mended: float


def blended(corr: Floats, side: Floats, share: float = BLEND) -> Blended:
    """Return correlations (k, k) moved a share of the way to 1 among equity-like assets.

    side (k,) : 1 for an asset that is equity-like, -1 for one that is so inversely (a short fund), 0 for the others.

        c_ij <- (1 - share) c_ij + share s_i s_j,   i != j, s_i s_j != 0

    What is moved need not stay positive definite: it is then shrunk towards its own mean correlation (0 if that is
    negative) by the least amount that makes it so.
    """
    both = np.outer(side, side)
    moved = np.where(both != 0.0, (1.0 - share) * corr + share * both, corr)
    np.fill_diagonal(moved, 1.0)
    k = len(side)
    common = max(float((moved.sum() - k) / (k * (k - 1))), 0.0) if k > 1 else 0.0
    room = np.empty((4, k))
    mended = float(least_intensity(np.ascontiguousarray(moved), common, 0.0, np.empty_like(moved), room))
    out = mended * common + (1.0 - mended) * moved
    np.fill_diagonal(out, 1.0)
    return Blended(out, mended)
