"""Blocks of a matrix of returns, and the Sharpe ratio of any half of them from the blocks' sums alone."""

import numpy as np

from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.types import Floats, Ints

# A standard deviation of a session's returns below this is rounding, not risk.
ZERO_VOL = 1e-13
# Nor is what is left of a sum of squares below this part of it: a column may stand still within a half, away from where
# it stands in the other.
CANCELLED = 1e-11
# Ratios closer than this differ by rounding: the same returns at another leverage, added up in another order.
SAME = 1e-12


@kernel
def block_sums(returns: Floats, mean: Floats, first: Floats, second: Floats) -> None:
    """Write the sums of each block's deviations and of their squares to first and second, both (S, N).

    returns (T, N), the T mod S oldest rows are left out. mean (N,) gets each column's mean over the others: deviations
    from it, so that no digits are lost where the squares are summed.
    """
    n_blocks, n = first.shape
    length = returns.shape[0] // n_blocks
    begin = returns.shape[0] - n_blocks * length
    for j in range(n):
        mean[j] = 0.0
    for t in range(begin, returns.shape[0]):
        for j in range(n):
            mean[j] += returns[t, j]
    for j in range(n):
        mean[j] /= n_blocks * length
    for b in range(n_blocks):
        for j in range(n):
            first[b, j] = 0.0
            second[b, j] = 0.0
        for t in range(begin + b * length, begin + (b + 1) * length):
            for j in range(n):
                gap = returns[t, j] - mean[j]
                first[b, j] += gap
                second[b, j] += gap * gap


@kernel
def half_ratios(
    inside: Ints, wanted: int, rows: int, mean: Floats, first: Floats, second: Floats, work: Floats, out: Floats
) -> None:
    """Write mean / sd (ddof = 1) of each column over the blocks b with inside[b] == wanted to out (N,).

    rows : in all these blocks together. mean (N,), first and second (S, N) from `block_sums`. work (2, N) is
    overwritten. A column that does not move in there has no ratio: 0.
    """
    n = out.shape[0]
    total, squares = work[0], work[1]
    for j in range(n):
        total[j] = 0.0
        squares[j] = 0.0
    for b in range(inside.shape[0]):
        if inside[b] == wanted:
            for j in range(n):
                total[j] += first[b, j]
                squares[j] += second[b, j]
    for j in range(n):
        off = total[j] / rows
        left = squares[j] - total[j] * off
        moves = left > CANCELLED * squares[j] and left > ZERO_VOL * ZERO_VOL * (rows - 1)
        out[j] = (mean[j] + off) / np.sqrt(left / (rows - 1)) if moves else 0.0


@kernel
def first_best(ratio: Floats) -> int:
    """Return the first position of the largest value, ratios within `SAME` of it being equal to it."""
    top = -np.inf
    for j in range(ratio.shape[0]):
        top = max(top, ratio[j])
    for j in range(ratio.shape[0]):
        if ratio[j] >= top - SAME:
            return j
    return 0


@kernel
def mid_rank(ratio: Floats, j: int) -> float:
    """Return the ascending rank of ratio[j] in 1..N; equals share the mean of their ranks."""
    below, same = 0, 0
    for k in range(ratio.shape[0]):
        gap = ratio[k] - ratio[j]
        if gap < -SAME:
            below += 1
        elif gap <= SAME:
            same += 1
    return below + (same + 1) / 2.0
