"""How far apart HRP and ERC are where nothing has changed but the sample: the threshold of the alarm between the two.

The two methods read the same matrix differently, so they are always some way apart; how far moves with the sampling
error of the estimate. Covariances are drawn as the estimator would find them again if the one in force were the true
one and stayed it, and a gap beyond nearly all of theirs is told from noise.
"""

from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.kernels import code
from plimsoll.engine.kernels.allocate import erc, hrp, linkage
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.kernels.linalg import cholesky, copy_to, set_to
from plimsoll.engine.types import Floats

DRAWS: Final = 200
POINT: Final = 0.95
# Draws that may lie above the point: the threshold is the largest of the others.
ABOVE: Final = 10


# How closely ERC is solved for a draw, in weights and in shares of risk: a gap is not read to more than four digits.
STEP: Final = 1e-6
SHARE: Final = 1e-5


class Work(NamedTuple):
    """Room for the draws of a covariance of N assets; nothing in it is memory between calls."""

    hrp: hrp.Work
    erc: erc.Work
    square: Floats  # (3, N, N) factor of the covariance, factor of a draw, the draw
    vector: Floats  # (2, N) weights of both
    degrees: Floats  # (3, N) what the diagonal of a draw's factor is made with
    largest: Floats  # (ABOVE + 1,) the largest gaps so far, ascending


def init(n_assets: int) -> Work:
    """Return room for n_assets >= 1."""
    n = n_assets
    return Work(
        hrp.init(n), erc.init(n), np.zeros((3, n, n)), np.zeros((2, n)), np.zeros((3, n)), np.zeros(ABOVE + 1)
    )  # fmt: skip


@kernel
def room(n_assets: int) -> Work:
    """Return what `init` returns, to a kernel."""
    n = n_assets
    return Work(
        hrp.room(n), erc.room(n), np.zeros((3, n, n)), np.zeros((2, n)), np.zeros((3, n)), np.zeros(ABOVE + 1)
    )  # fmt: skip


def normals_needed(n_assets: int) -> int:
    """Return how many standard normal numbers the draws of n_assets take."""
    return DRAWS * (n_assets * (n_assets + 1) // 2)


@kernel
def set_degrees(freedom: float, degrees: Floats) -> None:
    """Write the mean, the spread and the scale of the cube root of each chi-square on the diagonal to degrees (3, N).

    Degrees of freedom fall by one from asset to asset, but not below one.
    Source: Wilson & Hilferty (1931), The distribution of chi-square: its cube root is nearly normal.
    """
    for j in range(degrees.shape[1]):
        left = max(freedom - j, 1.0)
        part = 2.0 / (9.0 * left)
        degrees[0, j] = 1.0 - part
        degrees[1, j] = np.sqrt(part)
        degrees[2, j] = left / freedom


@kernel
def draw(upper: Floats, freedom: float, degrees: Floats, z: Floats, factor: Floats, out: Floats) -> None:
    """Write a covariance drawn around U'U to out (N, N): a Wishart matrix over its degrees of freedom.

        U'A (U'A)',   A lower triangular, A_jj chi of freedom - j degrees, A_ij normal, over the root of freedom

    upper (N, N) from `cholesky`, what is below its diagonal is not read; degrees (3, N) from `set_degrees`; z
    (N (N + 1) / 2,) standard normal numbers; factor (N, N) is overwritten.
    Source: Bartlett (1933), On the theory of statistical regression.
    """
    n = out.shape[0]
    at = 0
    each = 1.0 / np.sqrt(freedom)
    for j in range(n):  # out holds A for now
        cube = max(degrees[0, j] + z[at] * degrees[1, j], 0.0)
        out[j, j] = np.sqrt(degrees[2, j] * cube * cube * cube)
        at += 1
        for i in range(j + 1, n):
            out[i, j] = z[at] * each
            at += 1
    for i in range(n):
        for j in range(i + 1):
            total = 0.0
            for k in range(j, i + 1):
                total += upper[k, i] * out[k, j]
            factor[i, j] = total
    for i in range(n):
        for j in range(i + 1):
            total = 0.0
            for k in range(j + 1):
                total += factor[i, k] * factor[j, k]
            out[i, j] = total
            out[j, i] = total


@kernel
def shrink(intensity: float, towards: float, cov: Floats, deviation: Floats, corr: Floats) -> None:
    """Shrink the correlations of cov (N, N) by `intensity` to the share `towards` of their mean.

    They are written to corr (N, N), the deviations to deviation (N,).
    """
    n = cov.shape[0]
    for i in range(n):
        deviation[i] = np.sqrt(cov[i, i])
        corr[i, i] = 1.0
    total = 0.0
    for i in range(n):
        for j in range(i):
            corr[i, j] = cov[i, j] / (deviation[i] * deviation[j])
            total += corr[i, j]
    mean = towards * (total / (n * (n - 1) / 2))
    for i in range(n):
        for j in range(i):
            shrunk = intensity * mean + (1.0 - intensity) * corr[i, j]
            corr[i, j] = shrunk
            corr[j, i] = shrunk
            cov[i, j] = shrunk * (deviation[i] * deviation[j])
            cov[j, i] = cov[i, j]


@kernel
def distance(left: Floats, right: Floats) -> float:
    """Return half the sum of |left_i - right_i|: the share of the book on which two allocations differ."""
    total = 0.0
    for i in range(left.shape[0]):
        total += 0.5 * abs(left[i] - right[i])
    return total


@kernel
def drawn_gap(cov: Floats, intensity: float, towards: float, work: Work) -> float:
    """Return the gap between HRP and ERC of a drawn cov (N, N), which is shrunk on the way; NaN without ERC.

    The arithmetic is that of `hrp.hrp` and `erc.risk_budget`, what both need made once. The tree needs the order of the
    distances alone, for which 1 - rho will do.
    """
    n = cov.shape[0]
    corr, vector = work.erc.corr, work.erc.vector
    shrink(intensity, towards, cov, vector[0], corr)
    for i in range(n):
        vector[1, i] = 1.0 / n
        vector[2, i] = 1.0
        for j in range(n):
            work.hrp.distance[i, j] = 1.0 - corr[i, j]
    linkage.single_linkage(work.hrp.distance, work.hrp.tree)
    hrp.split(cov, work.hrp, work.vector[0])
    if erc.solve(corr, vector, STEP, SHARE, work.vector[1]) != code.OK:
        return np.nan
    return distance(work.vector[0], work.vector[1])


@kernel
def threshold(cov: Floats, freedom: float, intensity: float, towards: float, z: Floats, work: Work) -> float:
    """Return the 95% point of the gap between HRP and ERC under `DRAWS` stationary draws of cov (N, N), N >= 2.

    freedom is the number of observations that the estimate is worth, at least 1; intensity and towards those of the
    shrinkage in force, which a draw is given too; z as many standard normal numbers as `normals_needed` says; work from
    `init`.
    A draw without ERC is left out; NaN where those are more than may lie above the point, cov is not positive definite,
    or there are too few numbers.
    """
    n = cov.shape[0]
    upper, factor, drawn, largest = work.square[0], work.square[1], work.square[2], work.largest
    numbers = n * (n + 1) // 2
    for i in range(n):
        copy_to(upper[i], cov[i])
    if z.shape[0] < DRAWS * numbers or not freedom >= 1.0 or cholesky(upper) != code.OK:
        return np.nan
    set_degrees(freedom, work.degrees)
    set_to(largest, -1.0)
    failed = 0
    for d in range(DRAWS):
        draw(upper, freedom, work.degrees, z[d * numbers : (d + 1) * numbers], factor, drawn)
        found = drawn_gap(drawn, intensity, towards, work)
        failed += np.isnan(found)
        at = 0
        while at <= ABOVE and found > largest[at]:  # the smallest goes out, the new one into its place
            if at > 0:
                largest[at - 1] = largest[at]
            largest[at] = found
            at += 1
    return float(largest[0]) if failed <= ABOVE else np.nan
