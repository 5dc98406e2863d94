"""Shrunk covariances of a whole window of returns, in plain numpy: off the path of a bar."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels import check, code
from plimsoll.engine.kernels.estimate import shrinkage
from plimsoll.engine.kernels.estimate.moments import (
    COUNT,
    M02,
    M11,
    M13,
    M20,
    M22,
    M31,
    PLANES,
    SCRATCH,
    WEIGHT,
    WEIGHT2,
    State,
)
from plimsoll.engine.kernels.estimate.pair_rows import SAME, TARGET_MARGIN
from plimsoll.engine.kernels.estimate.shrinkage import INTENSITY, INTENSITY_LW, MEAN_CORRELATION
from plimsoll.engine.types import Floats

WHERE = "Ledoit-Wolf"


class Shrunk(NamedTuple):
    """A covariance per bar, and how it came about."""

    cov: Floats  # (N, N)
    intensity: float  # weight of the target
    intensity_lw: float  # Ledoit and Wolf's; smaller where the pairwise matrix had to be mended
    mean_correlation: float  # of the target; NaN for the identity
    n_eff: float  # effective number of rows; of the shortest pair where histories differ


def weights(n_rows: int, half_life: float | None) -> Floats:
    """Return weights (T,) of sum 1, newest last: equal, or halving every half_life rows.

    Raises
    ------
    InputError
        half_life is not positive.
    """
    if half_life is None:
        return np.full(n_rows, 1.0 / n_rows)
    if not half_life > 0.0:
        raise InputError(f"half_life = {half_life!r}", where=WHERE, fix="pass a number of bars > 0, or None")
    raw: Floats = 0.5 ** (np.arange(n_rows - 1, -1, -1) / half_life)
    raw /= raw.sum()
    return raw


def _table(returns: ArrayLike, least: int) -> Floats:
    table = check.matrix(returns, WHERE)
    if table.shape[0] < least:
        raise InputError(f"{table.shape[0]} rows", where=WHERE, fix=f"pass at least {least}")
    if np.isinf(table).any():
        raise InputError("a return is infinite", where=WHERE, cause="a price of zero before it")
    return table


def _complete(returns: ArrayLike) -> Floats:
    table = _table(returns, 2)
    holes = np.argwhere(np.isnan(table))
    if holes.size:
        t, i = holes[0]
        raise InputError(f"row {t}, column {i} is NaN", where=WHERE, fix="use constant_correlation: it takes gaps")
    return table


def constant_correlation_intensity(y: Floats, w: Floats, cov: Floats) -> tuple[float, float]:
    """Return (intensity, mean correlation) from demeaned rows y (T, N), weights w (T,) and their covariance (N, N).

        d = clip((pi - rho) / gamma * sum(w^2), 0, 1)

    pi and rho need only sums along the rows: sum_ij E[y_i^2 y_j^2] = E[(sum_i y_i^2)^2], and likewise for the third
    moments, so nothing of size N x N is formed beside cov.
    Source: Ledoit & Wolf (2004), Honey, I shrunk the sample covariance matrix, appendix B.
    """
    n = cov.shape[0]
    deviation = np.sqrt(np.diag(cov))
    if n == 1:
        return 0.0, 0.0
    scale = np.outer(deviation, deviation)
    mean = (float((cov / scale).sum()) - n) / (n * (n - 1))
    mean = max(mean, -(1.0 - TARGET_MARGIN) / (n - 1))
    squares = y * y
    energy = squares.sum(axis=1)
    own = w @ (squares * squares).sum(axis=1) - float((np.diag(cov) ** 2).sum())
    pi = float(w @ (energy * energy)) - float((cov * cov).sum())
    cubes = (squares * y) @ (1.0 / deviation)
    third = float(w @ (cubes * (y @ deviation))) - float(w @ (squares * squares).sum(axis=1))
    cross = float((scale * cov).sum()) - float((np.diag(cov) ** 2).sum())
    rho = own + mean * (third - cross)
    gap = mean * scale - cov
    np.fill_diagonal(gap, 0.0)
    gamma = float((gap * gap).sum())
    if not gamma > SAME * float((scale * scale).sum()):
        return 0.0, mean
    return float(np.clip((pi - rho) / gamma * float(w @ w), 0.0, 1.0)), mean


def constant_correlation(returns: ArrayLike, half_life: float | None = None, min_overlap: int = 20) -> Shrunk:
    """Return the covariance of returns (T, N) shrunk towards a constant correlation.

    Rows are bars, newest last; NaN = not known. Population moments about the weighted mean; half_life in bars weighs
    by calendar age, None equally. With gaps each variance uses its own rows, each correlation the common ones (at
    least min_overlap, else the mean correlation), and the intensity is raised by the least amount that makes the
    matrix positive definite. A column that does not move has variance and covariances 0 and no say in the others'.

    Raises
    ------
    InputError
        Fewer than two rows, an infinite return, a column that is never known, none that moves, or half_life <= 0.
    """
    table = _table(returns, 2)
    w = weights(table.shape[0], half_life)
    overlap = check.whole(min_overlap, "min_overlap", 1, WHERE)
    empty = np.flatnonzero(np.isnan(table).all(axis=0))
    if empty.size:
        raise InputError(f"column {empty[0]} is never known", where=WHERE, fix="drop it")
    moving = np.flatnonzero(np.nanmax(table, axis=0) > np.nanmin(table, axis=0))
    if not moving.size:
        raise InputError("no column moves", where=WHERE, fix="pass returns of prices that do")
    found = _constant_correlation(np.ascontiguousarray(table[:, moving]), w, overlap)
    if moving.size == table.shape[1]:
        return found
    cov = np.zeros((table.shape[1], table.shape[1]))
    cov[np.ix_(moving, moving)] = found.cov
    return found._replace(cov=cov)


def _constant_correlation(table: Floats, w: Floats, min_overlap: int) -> Shrunk:
    if np.isnan(table).any():
        return _ragged(table, w, min_overlap)
    y = table - w @ table
    rooted = y * np.sqrt(w)[:, None]
    cov = rooted.T @ rooted
    intensity, mean = constant_correlation_intensity(y, w, cov)
    deviation = np.sqrt(np.diag(cov))
    shrunk = np.outer(intensity * mean * deviation, deviation)
    shrunk += (1.0 - intensity) * cov
    np.fill_diagonal(shrunk, np.diag(cov))
    return Shrunk(shrunk, intensity, intensity, mean, 1.0 / float(w @ w))


def _require_moving(variance: Floats, table: Floats) -> None:
    # a constant column leaves rounding of its mean behind, not an exact zero
    flat = np.flatnonzero(variance <= (1e-15 * np.nanmax(np.abs(table), axis=0)) ** 2)
    if flat.size:
        raise InputError(f"column {flat[0]} does not move", where=WHERE, fix="drop it")


def _ragged(table: Floats, w: Floats, min_overlap: int) -> Shrunk:
    known = np.isfinite(table).astype(np.float64)
    filled = np.where(known > 0.0, table, 0.0)
    mean = (w @ filled) / (w @ known)
    y = np.where(known > 0.0, filled - mean, 0.0)  # a zero adds nothing to any sum over common rows
    n = table.shape[1]
    pair = np.empty((PLANES, n, n))
    weighted = known * w[:, None]
    pair[WEIGHT] = weighted.T @ known
    pair[WEIGHT2] = (weighted * w[:, None]).T @ known
    pair[COUNT] = known.T @ known
    wy = y * w[:, None]
    pair[M11] = wy.T @ y
    pair[M20] = (wy * y).T @ known
    pair[M02] = pair[M20].T
    pair[M22] = (wy * y).T @ (y * y)
    pair[M31] = (wy * y * y).T @ y
    pair[M13] = pair[M31].T
    moments = State(pair, np.arange(n), np.empty((SCRATCH, 0)))  # no two are kin: every plane is whole
    info, out = np.zeros(shrinkage.INFO_SIZE), np.empty((n, n))
    code.require(shrinkage.shrink_pairs(moments, min_overlap, 1.0, shrinkage.init(n), info, out), WHERE)
    seen = pair[WEIGHT2] > 0.0
    n_eff = float((pair[WEIGHT][seen] ** 2 / pair[WEIGHT2][seen]).min())
    return Shrunk(out, float(info[INTENSITY]), float(info[INTENSITY_LW]), float(info[MEAN_CORRELATION]), n_eff)


def identity(returns: ArrayLike, half_life: float | None = None) -> Shrunk:
    """Return the covariance of returns (T, N) shrunk towards the mean variance times the identity.

    Population moments about the weighted mean; half_life in bars, None weighs equally.

        d = min(sum(w^2) (E[(sum_i y_i^2)^2] - |S|^2), |S - mu I|^2) / |S - mu I|^2,   mu = trace(S) / N

    Raises
    ------
    InputError
        Fewer than two rows, a return that is NaN or infinite, or half_life <= 0.

    Source: Ledoit & Wolf (2004), A well-conditioned estimator for large-dimensional covariance matrices, JMVA 88.
    """
    table = _complete(returns)
    w = weights(table.shape[0], half_life)
    y = table - w @ table
    rooted = y * np.sqrt(w)[:, None]
    cov = rooted.T @ rooted
    n = cov.shape[0]
    mean = float(np.trace(cov)) / n
    size = float((cov * cov).sum())
    distance = size - n * mean * mean
    energy = (y * y).sum(axis=1)
    error = float(w @ w) * (float(w @ (energy * energy)) - size)
    intensity = min(max(error / distance, 0.0), 1.0) if n > 1 and distance > 0.0 else 0.0
    cov *= 1.0 - intensity
    cov[np.diag_indices(n)] += intensity * mean
    return Shrunk(cov, intensity, intensity, float("nan"), 1.0 / float(w @ w))


def single_factor(returns: ArrayLike, half_life: float | None = None) -> Shrunk:
    """Return the covariance of returns (T, N) shrunk towards a one-factor model of their equal-weight mean.

    Population moments about the weighted mean; half_life in bars, None weighs equally. With b the covariances with the
    mean m and v its variance:

        F = b b' / v off the diagonal;   d = clip((pi - rho) / gamma * sum(w^2), 0, 1)

    Raises
    ------
    InputError
        Fewer than two rows, a return that is NaN or infinite, a column that does not move, or half_life <= 0.

    Source: Ledoit & Wolf (2003), Improved estimation of the covariance matrix of stock returns, J. Empir. Finance.
    """
    table = _complete(returns)
    w = weights(table.shape[0], half_life)
    y = table - w @ table
    rooted = y * np.sqrt(w)[:, None]
    cov = rooted.T @ rooted
    variance = np.diag(cov).copy()
    _require_moving(variance, table)
    market = y.mean(axis=1)
    b = y.T @ (w * market)
    v = float(w @ (market * market))
    gap = np.outer(b, b) / v - cov if v > 0.0 else np.zeros_like(cov)
    np.fill_diagonal(gap, 0.0)
    gamma = float((gap * gap).sum())
    if not gamma > SAME * float(variance.sum()) ** 2:
        return Shrunk(cov, 0.0, 0.0, float("nan"), 1.0 / float(w @ w))
    squares, exposed = y * y, market * (y @ b)
    energy = squares.sum(axis=1)
    pi = float(w @ (energy * energy)) - float((cov * cov).sum())
    own = float(w @ (squares * squares).sum(axis=1)) - float((variance**2).sum())
    across, alone = float(b @ cov @ b), float((b * b) @ variance)
    once = float(w @ (energy * exposed)) - across - (float(w @ (market * ((squares * y) @ b))) - alone)
    twice = float(w @ (exposed * exposed)) - v * across - (float(w @ ((squares @ (b * b)) * market**2)) - v * alone)
    rho = own + 2.0 * once / v - twice / v**2
    intensity = float(np.clip((pi - rho) / gamma * float(w @ w), 0.0, 1.0))
    return Shrunk(cov + intensity * gap, intensity, intensity, float("nan"), 1.0 / float(w @ w))
