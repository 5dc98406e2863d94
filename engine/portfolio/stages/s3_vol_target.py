"""Stage 3: the one volatility target.

    sigma_ex = sqrt(W' Sigma_A W);   L = clip(sigma_P / sigma_ex, l_min, l_max), 0 if W = 0;   W <- L W

Sigma_A covers the symbols with W != 0 after netting, cash equivalents aside. If it cannot be estimated, the sum of
|W_i| sigma_i stands in: the volatility if everything moved together, so the book is too small rather than too big.
Source: portfolio integration layer, stage 3; Moreira & Muir (2017).
"""

from dataclasses import dataclass

import numpy as np

from engine.kernels import code, moments, shrinkage
from engine.kernels.factor_model import pca_factor_model
from engine.types import Floats


@dataclass(frozen=True, slots=True)
class Params:
    """l_min and l_max bound the scale; `factors` > 0 uses a factor model over the last `window` bars."""

    l_min: float = 0.0
    l_max: float = 2.0
    min_overlap: int = 20
    bars_per_year: float = 252.0
    factors: int = 0
    window: int = 120


@dataclass(frozen=True, slots=True)
class Scaled:
    """What came out: the factor, the volatility per year before it, and whether the covariance had to be replaced."""

    factor: float
    vol: float
    fallback: bool
    intensity: float


def book_vol(w: Floats, pair: Floats, window: Floats | None, p: Params) -> tuple[float, bool, float]:
    """Return (ex-ante volatility per year, fallback, shrinkage intensity) of w (N,) from moments pair (7, N, N)."""
    chosen = np.flatnonzero(w)
    if not len(chosen):
        return 0.0, False, 0.0
    held = w[chosen]
    if p.factors and window is not None:
        rows = window[:, chosen]
        rows = rows[~np.isnan(rows).any(axis=1)]
        if len(rows) >= p.min_overlap:
            factor_cov = pca_factor_model(rows, p.factors).cov
            return float(np.sqrt(held @ factor_cov @ held * p.bars_per_year)), False, 0.0
    sub = np.ascontiguousarray(pair[:, chosen[:, None], chosen])
    cov = np.empty((len(chosen), len(chosen)))
    info = np.zeros(shrinkage.INFO_SIZE)
    if shrinkage.shrink_pairs(sub, p.min_overlap, shrinkage.init(len(chosen)), info, cov) == code.OK:
        variance = float((cov * np.outer(held, held)).sum())
        if variance > 0.0:
            return float(np.sqrt(variance * p.bars_per_year)), False, float(info[shrinkage.INTENSITY])
    weight, second = np.diagonal(sub[moments.WEIGHT]), np.diagonal(sub[moments.M20])
    sigma = np.sqrt(np.divide(second, weight, out=np.zeros_like(second), where=weight > 0.0))
    return float((np.abs(held) * sigma).sum() * np.sqrt(p.bars_per_year)), True, 0.0


def scale_to_target(w: Floats, target: float, pair: Floats, window: Floats | None, p: Params) -> Scaled:
    """Return the factor that brings w (N,) to a volatility of `target` per year, within its bounds."""
    vol, fallback, intensity = book_vol(w, pair, window, p)
    if vol <= 0.0:
        return Scaled(0.0 if not w.any() else p.l_max, vol, fallback, intensity)
    return Scaled(float(min(max(target / vol, p.l_min), p.l_max)), vol, fallback, intensity)
