"""The probability of backtest overfitting: how often the best of one half of the past is below the middle in the other.

The past is cut into S blocks, and every way to deal them into two halves is tried: the best setting of one half is
looked up in the other (combinatorially symmetric cross-validation, CSCV).

Source: Bailey, Borwein, Lopez de Prado & Zhu (2017), The probability of backtest overfitting.
"""

from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels import check
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.kernels.overfit.split_sums import block_sums, first_best, half_ratios, mid_rank
from plimsoll.engine.types import Floats, Ints

WHERE: Final = "probability of backtest overfitting"
BLOCKS: Final = 16
# 184,756 ways to deal them; the next even number has four times as many.
MOST_BLOCKS: Final = 20
# A standard deviation takes two returns.
LEAST_ROWS: Final = 2


@dataclass(frozen=True, slots=True, eq=False)
class Cscv:
    """Every split of a matrix of returns, in the lexicographic order of its in-sample blocks; C = C(S, S / 2).

    chosen (C,) the column that is best in sample; in_sample, out_of_sample (C,) its ratio per period in either half;
    rank (C,) its rank out of sample, 1 = worst of n_columns; logit (C,) ln(w / (1 - w)), w = rank / (n_columns + 1).
    dropped : oldest rows left out, so that all blocks have the same length.
    """

    blocks: int
    rows_per_block: int
    dropped: int
    n_columns: int
    chosen: Ints
    in_sample: Floats
    out_of_sample: Floats
    rank: Floats
    logit: Floats

    @property
    def pbo(self) -> float:
        """The share of splits whose best is at or below the middle out of sample."""
        return float(np.mean(self.logit <= 0.0))

    @property
    def loss(self) -> float:
        """The share of splits whose best loses money out of sample."""
        return float(np.mean(self.out_of_sample < 0.0))

    @property
    def slope(self) -> float:
        """The slope of the ratio out of sample on that in sample by least squares; NaN where the latter is one."""
        x = self.in_sample - np.mean(self.in_sample)
        spread = float(np.sum(x * x))
        return float(np.sum(x * self.out_of_sample)) / spread if spread > 0.0 else float("nan")

    @property
    def intercept(self) -> float:
        """The ratio out of sample that the line gives to one of 0 in sample."""
        return float(np.mean(self.out_of_sample) - self.slope * np.mean(self.in_sample))


@kernel
def split_all(
    halves: Ints, mean: Floats, first: Floats, second: Floats, rows: int, chosen: Ints, ratio: Floats, rank: Floats
) -> None:
    """Look the best of each half up in the other; each step O(N S).

    halves (C / 2, S) 1 = in sample, 0 = out, those with block 0 in sample in lexicographic order; the other C / 2 are
    their complements, from the last one backward. mean, first, second from `block_sums`; rows of half the blocks.
    Filled for all C splits: chosen (C,), ratio (2, C) in sample and out, rank (C,).
    """
    n = mean.shape[0]
    last = chosen.shape[0] - 1
    work = np.empty((2, n))
    side = np.empty((2, n))
    for k in range(halves.shape[0]):
        for half in range(2):
            half_ratios(halves[k], half, rows, mean, first, second, work, side[half])
        for half in range(2):
            at = k if half == 1 else last - k
            best = first_best(side[half])
            chosen[at] = best
            ratio[0, at] = side[half, best]
            ratio[1, at] = side[1 - half, best]
            rank[at] = mid_rank(side[1 - half], best)


def halves_of(blocks: int) -> Ints:
    """Return (C(S, S / 2) / 2, S) every deal of S blocks that has block 0 in sample, 1 = in sample."""
    deals = list(combinations(range(1, blocks), blocks // 2 - 1))
    out = np.zeros((len(deals), blocks), dtype=np.int64)
    out[:, 0] = 1
    for row, deal in zip(out, deals, strict=True):
        row[list(deal)] = 1
    return out


def checked_blocks(n_rows: int, blocks: int) -> int:
    """Return how many rows a block has.

    Raises
    ------
    InputError
        The number of blocks is odd or out of range, or there are fewer than two rows to a half.
    """
    whole = check.whole(blocks, "blocks", 2, WHERE)
    if whole % 2 or whole > MOST_BLOCKS:
        raise InputError(f"{blocks} blocks", where=WHERE, fix=f"an even number up to {MOST_BLOCKS} is needed")
    if n_rows // whole * (whole // 2) < LEAST_ROWS:
        fix = "pass a longer history, or fewer blocks"
        raise InputError(f"{n_rows} returns for {blocks} blocks", where=WHERE, fix=fix)
    return n_rows // whole


def matrix_of(returns: ArrayLike, where: str = WHERE) -> Floats:
    """Return returns as a C-contiguous (T, N) matrix of at least two columns without gaps.

    Raises
    ------
    InputError
        It is none; the first gap is named.
    """
    table = check.matrix(returns, where)
    if table.shape[1] < 2:
        raise InputError("one column of returns", where=where, cause="nothing to choose from", fix="pass at least two")
    bad = np.argwhere(~np.isfinite(table))
    if bad.size:
        t, j = bad[0]
        raise InputError(
            f"return [{t}, {j}] is {table[t, j]}",
            where=where,
            cause="the columns do not cover the same sessions",
            fix="keep the sessions that all of them have",
        )
    return table


def cscv(returns: ArrayLike, blocks: int = BLOCKS) -> Cscv:
    """Return every split of returns (T, N), net of what they are measured against, into two halves of its blocks.

    The ratio is mean / sd of a period's returns; best in sample is the first of equals, ranks out of sample are shared
    by equals, and a column that does not move within a half has a ratio of 0 there. The T mod `blocks` oldest rows are
    left out.

    Raises
    ------
    InputError
        Fewer than two columns or rows to a half, a value that is not finite, an odd number of blocks or too many.
    """
    table = matrix_of(returns)
    length = checked_blocks(len(table), blocks)
    n = table.shape[1]
    mean, first, second = np.empty(n), np.empty((blocks, n)), np.empty((blocks, n))
    block_sums(table, mean, first, second)
    return of_sums(mean, first, second, length, len(table) - blocks * length)


def of_sums(mean: Floats, first: Floats, second: Floats, rows_per_block: int, dropped: int = 0) -> Cscv:
    """Return the splits from the columns' means and the blocks' sums, as `block_sums` writes them."""
    blocks, n = first.shape
    n_splits = comb(blocks, blocks // 2)
    chosen, ratio, rank = np.empty(n_splits, dtype=np.int64), np.empty((2, n_splits)), np.empty(n_splits)
    split_all(halves_of(blocks), mean, first, second, rows_per_block * (blocks // 2), chosen, ratio, rank)
    logit = np.log(rank / (n + 1.0 - rank))
    return Cscv(blocks, rows_per_block, dropped, n, chosen, ratio[0], ratio[1], rank, logit)
