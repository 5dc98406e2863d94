"""Stage 3: the one volatility target.

    sigma_ex = sqrt(W' Sigma_A W);   L = clip(sigma_P / sigma_ex, l_min, l_max), 0 if W = 0;   W <- L W

Sigma_A covers the symbols with W != 0 after netting, cash equivalents aside. If it cannot be estimated, the sum of
|W_i| sigma_i stands in: the volatility if everything moved together, so the book is too small rather than too big.
Source: portfolio integration layer, stage 3; Moreira & Muir (2017).
"""

from typing import NamedTuple

import numpy as np

from plimsoll.engine.kernels.estimate import moments, shrinkage
from plimsoll.engine.kernels.estimate.factor_model import pca_factor_model
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.types import Floats


class Params(NamedTuple):
    """l_min and l_max bound the scale; `factors` > 0 uses a factor model over the last `window` bars."""

    l_min: float = 0.0
    l_max: float = 2.0
    min_overlap: int = 20
    bars_per_year: float = 252.0
    factors: int = 0
    window: int = 120


@kernel
def pairwise_vol(
    w: Floats, seen: moments.State, min_overlap: int, bars_per_year: float, room: Floats
) -> tuple[float, bool, float]:
    """Return (volatility per year, fallback, shrinkage intensity) of w (N,) from the moments of N symbols.

    room (N * N,) is overwritten: a new square of a thousand assets costs as much as half of what is done in it.
    """
    count = 0
    for i in range(w.shape[0]):
        count += w[i] != 0.0
    if count == 0:
        return 0.0, False, 0.0
    chosen = np.empty(count, dtype=np.int64)
    at = 0
    for i in range(w.shape[0]):
        if w[i] != 0.0:
            chosen[at] = i
            at += 1
    held = w[chosen]
    corr = room[: count * count].reshape((count, count))
    info = np.zeros(shrinkage.INFO_SIZE)
    work = shrinkage.Work(corr, np.empty((count, count)), np.empty(count), np.empty((4, count)))
    variance = shrinkage.shrunk_variance(seen, chosen, held, min_overlap, work, info)
    if variance > 0.0:
        return np.sqrt(variance * bars_per_year), False, info[shrinkage.INTENSITY]
    together = 0.0
    for a in range(count):
        i = chosen[a]
        weight, second = seen.pair[moments.WEIGHT, i, i], seen.pair[moments.M20, i, i]
        if weight > 0.0:
            together += abs(w[i]) * np.sqrt(second / weight)
    return together * np.sqrt(bars_per_year), True, 0.0


def book_vol(w: Floats, seen: moments.State, window: Floats | None, p: Params) -> tuple[float, bool, float]:
    """Return (ex-ante volatility per year, fallback, shrinkage intensity) of w (N,) from the moments of N symbols."""
    if p.factors and window is not None:
        chosen = np.flatnonzero(w)
        rows = window[:, chosen]
        rows = rows[~np.isnan(rows).any(axis=1)]
        if len(chosen) and len(rows) >= p.min_overlap:
            held, factor_cov = w[chosen], pca_factor_model(rows, p.factors).cov
            return float(np.sqrt(held @ factor_cov @ held * p.bars_per_year)), False, 0.0
    return pairwise_vol(w, seen, p.min_overlap, p.bars_per_year, np.empty(w.size * w.size))


@kernel
def factor_to(w: Floats, target: float, vol: float, p: Params) -> float:
    """Return the factor that brings w (N,) of volatility `vol` to `target`, both per year, within its bounds.

    0 for an empty book, l_max for one without volatility.
    """
    if vol <= 0.0:
        for i in range(w.shape[0]):
            if w[i] != 0.0:
                return p.l_max
        return 0.0
    return min(max(target / vol, p.l_min), p.l_max)
