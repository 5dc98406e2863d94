"""How sure the difference of two Sharpe ratios is: a paired block bootstrap."""

import math
from typing import Final

import numpy as np

from plimsoll.engine.report.metrics.returns import DDOF, NAN, SESSIONS_PER_YEAR, ZERO_VOL
from plimsoll.engine.types import Floats, Ints

BLOCK_SESSIONS: Final = 63
DRAWS: Final = 2000
# Fewer blocks than this are no sample.
LEAST_BLOCKS: Final = 4


def sharpe_difference_error(
    first: Floats, second: Floats, seed: int, block: int = BLOCK_SESSIONS, draws: int = DRAWS
) -> float:
    """Return the standard error of the annualised Sharpe ratio of `first` less that of `second`; NaN without one.

    first, second (n,) : excess returns on the same sessions. Both are made anew of the same blocks of `block` sessions,
    drawn with replacement from anywhere in the span, which is taken as a circle; the last block is cut so that n
    sessions come together. The error is the standard deviation of the difference over `draws` such samples. NaN for
    fewer than four blocks of sessions, or where a sample has no volatility.

    Source: Politis & Romano (1992), A circular block-resampling procedure for stationary data; Ledoit & Wolf (2008),
    Robust performance hypothesis testing with the Sharpe ratio, whose pairs these are.
    """
    n = len(first)
    if n < LEAST_BLOCKS * block:
        return NAN
    count = -(-n // block)
    starts: Ints = np.random.default_rng(seed).integers(0, n, (draws, count))
    lengths = np.full(count, block)
    lengths[-1] = n - block * (count - 1)
    ratios = [_sharpes(values, starts, lengths) for values in (first, second)]
    difference = ratios[0] - ratios[1]
    return float(np.std(difference, ddof=DDOF)) if np.isfinite(difference).all() else NAN


def _sharpes(values: Floats, starts: Ints, lengths: Ints) -> Floats:
    """Return (draws,) the Sharpe ratio of each sample: blocks from `starts` (draws, count) of `lengths` (count,)."""
    n = len(values)
    centred = values - values.mean()  # so that the sums of squares lose nothing to the mean
    twice = np.concatenate(([0.0], np.tile(centred, 2)))
    sums, squares = np.cumsum(twice), np.cumsum(twice * twice)
    total = (sums[starts + lengths] - sums[starts]).sum(axis=1)
    power = (squares[starts + lengths] - squares[starts]).sum(axis=1)
    deviation = np.sqrt(np.maximum(power - total * total / n, 0.0) / (n - DDOF))
    mean = values.mean() + total / n
    out: Floats = np.divide(mean, deviation, out=np.full(len(mean), NAN), where=deviation > ZERO_VOL)
    return out * math.sqrt(SESSIONS_PER_YEAR)
