"""How far apart HRP and ERC are where nothing has changed but the sample: the threshold of the alarm between the two.

The two methods read the same matrix differently, so they are always some way apart; how far moves with the sampling
error of the estimate. Covariances are drawn as the estimator would find them again if the one in force were the true
one and stayed it, and a gap beyond nearly all of theirs is told from noise.
"""

from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.kernels import code
from plimsoll.engine.kernels.allocate import erc, hrp
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.kernels.linalg import cholesky
from plimsoll.engine.types import Floats

DRAWS: Final = 200
POINT: Final = 0.95
# Draws that may lie above the point: the threshold is the largest of the others.
ABOVE: Final = 10


class Work(NamedTuple):
    """Room for the draws of a covariance of N assets; nothing in it is memory between calls."""

    hrp: hrp.Work
    erc: erc.Work
    square: Floats  # (3, N, N) factor of the covariance, factor of a draw, the draw
    vector: Floats  # (4, N) weights of both, equal budgets, deviations
    largest: Floats  # (ABOVE + 1,) the largest gaps so far, ascending


def init(n_assets: int) -> Work:
    """Return room for n_assets >= 1."""
    n = n_assets
    return Work(hrp.init(n), erc.init(n), np.zeros((3, n, n)), np.zeros((4, n)), np.zeros(ABOVE + 1))


@kernel
def room(n_assets: int) -> Work:
    """Return what `init` returns, to a kernel."""
    n = n_assets
    return Work(hrp.room(n), erc.room(n), np.zeros((3, n, n)), np.zeros((4, n)), np.zeros(ABOVE + 1))


def normals_needed(n_assets: int) -> int:
    """Return how many standard normal numbers the draws of n_assets take."""
    return DRAWS * (n_assets * (n_assets + 1) // 2)


@kernel
def chi(z: float, freedom: float) -> float:
    """Return a chi variable of `freedom` > 0 degrees over the root of them, made of a standard normal one.

    Source: Wilson & Hilferty (1931), The distribution of chi-square: its cube root is nearly normal.
    """
    part = 2.0 / (9.0 * freedom)
    root = max(1.0 - part + z * np.sqrt(part), 0.0)
    return float(np.sqrt(root * root * root))


@kernel
def draw(upper: Floats, freedom: float, z: Floats, factor: Floats, out: Floats) -> None:
    """Write a covariance drawn around U'U to out (N, N): a Wishart matrix over its degrees of freedom.

        U'A (U'A)',   A lower triangular, A_ii chi of freedom - i degrees, A_ij normal, over the root of freedom

    upper (N, N) from `cholesky`, what is below its diagonal is not read; z (N (N + 1) / 2,) standard normal numbers;
    factor (N, N) is overwritten.
    Source: Bartlett (1933), On the theory of statistical regression.
    """
    n = out.shape[0]
    at = 0
    root = np.sqrt(freedom)
    for j in range(n):  # out holds A for now
        left = max(freedom - j, 1.0)
        out[j, j] = chi(z[at], left) * np.sqrt(left) / root
        at += 1
        for i in range(j + 1, n):
            out[i, j] = z[at] / root
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
def shrink(intensity: float, deviation: Floats, cov: Floats) -> None:
    """Shrink the correlations of cov (N, N) towards their mean by `intensity`; deviation (N,) is overwritten."""
    n = cov.shape[0]
    for i in range(n):
        deviation[i] = np.sqrt(cov[i, i])
    total = 0.0
    for i in range(n):
        for j in range(i):
            total += cov[i, j] / (deviation[i] * deviation[j])
    mean = total / (n * (n - 1) / 2)
    for i in range(n):
        for j in range(i):
            cov[i, j] = intensity * mean * (deviation[i] * deviation[j]) + (1.0 - intensity) * cov[i, j]
            cov[j, i] = cov[i, j]


@kernel
def distance(left: Floats, right: Floats) -> float:
    """Return half the sum of |left_i - right_i|: the share of the book on which two allocations differ."""
    total = 0.0
    for i in range(left.shape[0]):
        total += 0.5 * abs(left[i] - right[i])
    return total


@kernel
def threshold(cov: Floats, freedom: float, intensity: float, z: Floats, work: Work) -> float:
    """Return the 95% point of the gap between HRP and ERC under `DRAWS` stationary draws of cov (N, N), N >= 2.

    freedom is the number of observations that the estimate is worth, at least 1; intensity that of the shrinkage in
    force, which a draw is given too; z as many standard normal numbers as `normals_needed` says; work from `init`.
    A draw without HRP or ERC is left out; NaN where those are more than may lie above the point, cov is not positive
    definite, or there are too few numbers.
    """
    n = cov.shape[0]
    upper, factor, drawn = work.square[0], work.square[1], work.square[2]
    by_hrp, by_erc, budget, deviation = work.vector[0], work.vector[1], work.vector[2], work.vector[3]
    numbers = n * (n + 1) // 2
    largest = work.largest
    upper[:] = cov
    if z.shape[0] < DRAWS * numbers or not freedom >= 1.0 or cholesky(upper) != code.OK:
        return np.nan
    budget[:] = 1.0
    largest[:] = -1.0
    failed = 0
    for d in range(DRAWS):
        draw(upper, freedom, z[d * numbers : (d + 1) * numbers], factor, drawn)
        if intensity > 0.0:
            shrink(intensity, deviation, drawn)
        fault = hrp.hrp(drawn, hrp.CORR, work.hrp, by_hrp)
        if fault != code.OK or erc.risk_budget(drawn, budget, work.erc, by_erc) != code.OK:
            failed += 1
            continue
        found = distance(by_hrp, by_erc)
        at = 0
        while at <= ABOVE and found > largest[at]:  # the smallest goes out, the new one into its place
            if at > 0:
                largest[at - 1] = largest[at]
            largest[at] = found
            at += 1
    return float(largest[0]) if failed <= ABOVE else np.nan
