"""Student-t paths of a book: fat tails that come together, correlations as in a fall."""

from typing import Final

import numpy as np

from plimsoll.engine.kernels.estimate.ledoit_wolf import constant_correlation
from plimsoll.engine.research.stress.correlation import blended
from plimsoll.engine.research.stress.tail import Tail, hold, tail_of
from plimsoll.engine.types import Floats

DEGREES: Final = 4
PATHS: Final = 20_000
HORIZONS: Final = (1, 10)
# Of Sigma_A: sessions, half-life.
WINDOW: Final = 120
HALF_LIFE: Final = 63.0
_BLOCK: Final = 2_000  # paths at a time: bounds memory


def stressed_covariance(returns: Floats, side: Floats) -> Floats:
    """Return the covariance per session of returns (T, k), newest last, with its equity-like correlations blended.

    The last `WINDOW` rows, half-life `HALF_LIFE`, shrunk to constant correlation; side (k,) as for `blended`. Variances
    stay. A column that does not move has variance 0.

    Raises
    ------
    InputError
        If a column has no return in the window.
    """
    if not np.nan_to_num(returns[-WINDOW:]).any():
        return np.zeros((len(side), len(side)))
    cov = constant_correlation(returns[-WINDOW:], HALF_LIFE).cov
    deviation = np.sqrt(np.diag(cov))
    moving = deviation > 0.0
    scale = np.where(moving, deviation, 1.0)
    corr = cov / np.outer(scale, scale)
    np.fill_diagonal(corr, 1.0)
    found: Floats = blended(corr, np.where(moving, side, 0.0)).corr * np.outer(deviation, deviation)
    return found


def student_returns(cov: Floats, n: int, sessions: int, rng: np.random.Generator) -> Floats:
    """Return (n, sessions, k) draws, independent between sessions, of mean 0 and covariance `cov` (k, k).

        x = L z sqrt((nu - 2) / c),   L L' = cov, z normal, c chi-square of nu = 4, one for all assets

    Source: Kotz & Nadarajah (2004), Multivariate t distributions, ch. 1; scaled so that cov is the covariance.
    """
    deviation = np.sqrt(np.diag(cov))
    moving = np.flatnonzero(deviation > 0.0)
    out = np.zeros((n, sessions, len(deviation)))
    if len(moving):
        scale = deviation[moving]
        root = np.linalg.cholesky(cov[np.ix_(moving, moving)] / np.outer(scale, scale)) * scale[:, None]
        z = rng.standard_normal((n, sessions, len(moving)))
        chi = rng.chisquare(DEGREES, (n, sessions))
        out[:, :, moving] = np.einsum("nsk,ik->nsi", z, root) * np.sqrt((DEGREES - 2.0) / chi)[:, :, None]
    return out


def student_tail(book: str, weights: Floats, cov: Floats, cap: float, seed: int, paths: int = PATHS) -> Tail:
    """Return the tail of a book (k,) held over Student-t sessions of covariance (k, k)."""
    rng = np.random.default_rng(seed)
    parts = [
        hold(weights, student_returns(cov, min(_BLOCK, paths - at), max(HORIZONS), rng))
        for at in range(0, paths, _BLOCK)
    ]
    return tail_of(book, np.concatenate(parts), HORIZONS, cap)
