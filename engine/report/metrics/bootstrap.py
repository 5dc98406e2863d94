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
    if len(first) < LEAST_BLOCKS * block:
        return NAN
    starts, lengths = _blocks(len(first), seed, block, draws)
    ratios = [_sharpes(values, starts, lengths) for values in (first, second)]
    difference = ratios[0] - ratios[1]
    return float(np.std(difference, ddof=DDOF)) if np.isfinite(difference).all() else NAN


def difference_tests(
    first: Floats, second: Floats, seed: int, block: int = BLOCK_SESSIONS, draws: int = DRAWS
) -> dict[str, tuple[float, float, float]]:
    """Return "mean" and "sharpe" -> (first less second a year, its standard error, the p-value of no difference).

    first, second (n,) : excess returns on the same sessions, sampled in pairs as in `sharpe_difference_error`. The
    p-value is two-sided: the share of samples whose difference lies further from the one that was seen than that lies
    from 0, (1 + k) / (1 + draws). Error and p-value are NaN where that function's are.

    Source: as there; the p-value by Davison & Hinkley (1997), Bootstrap Methods and their Application, ch. 4.
    """
    year = SESSIONS_PER_YEAR
    seen = {"mean": (_mean(first) - _mean(second)) * year, "sharpe": _sharpe(first) - _sharpe(second)}
    if len(first) < LEAST_BLOCKS * block:
        return {name: (value, NAN, NAN) for name, value in seen.items()}
    starts, lengths = _blocks(len(first), seed, block, draws)
    ratios = [_sharpes(values, starts, lengths) for values in (first, second)]
    sampled = {"mean": _means(first - second, starts, lengths) * year, "sharpe": ratios[0] - ratios[1]}
    return {name: (seen[name], *_judged(values, seen[name])) for name, values in sampled.items()}


def _judged(sampled: Floats, seen: float) -> tuple[float, float]:
    if not (np.isfinite(sampled).all() and math.isfinite(seen)):
        return NAN, NAN
    beyond = int(np.sum(np.abs(sampled - seen) >= abs(seen)))
    return float(np.std(sampled, ddof=DDOF)), (1 + beyond) / (1 + len(sampled))


def _mean(values: Floats) -> float:
    return float(np.mean(values)) if len(values) else NAN


def _sharpe(values: Floats) -> float:
    sd = float(np.std(values, ddof=DDOF)) if len(values) > DDOF else 0.0
    return _mean(values) / sd * math.sqrt(SESSIONS_PER_YEAR) if sd > ZERO_VOL else NAN


def _blocks(n: int, seed: int, block: int, draws: int) -> tuple[Ints, Ints]:
    """Return where the blocks of each sample begin (draws, count), and how long each is (count,)."""
    count = -(-n // block)
    starts: Ints = np.random.default_rng(seed).integers(0, n, (draws, count))
    lengths: Ints = np.full(count, block, dtype=np.int64)
    lengths[-1] = n - block * (count - 1)
    return starts, lengths


def _means(values: Floats, starts: Ints, lengths: Ints) -> Floats:
    sums = np.cumsum(np.concatenate(([0.0], np.tile(values, 2))))
    means: Floats = (sums[starts + lengths] - sums[starts]).sum(axis=1) / len(values)
    return means


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
