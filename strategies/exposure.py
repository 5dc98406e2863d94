"""Net equity exposure in six tiers: trend, volatility, fear, drawdown, bounds, and the funds that carry it."""

from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.types import Floats

LITERAL: Final = 0
DERISK: Final = 1
ALWAYS: Final = 0
BEAR_ONLY: Final = 1
TO_E_MIN: Final = 0
TO_ONE: Final = 1

# A realised volatility per year below this is none at all.
NO_VOLATILITY: Final = 1e-8

# Columns of `out` of `exposure`.
T_NORM: Final = 0
E_TREND: Final = 1
E_VOL: Final = 2
E_VIX: Final = 3
E_DD: Final = 4
E_FINAL: Final = 5
COLUMNS: Final = 6


class Tiers(NamedTuple):
    """Settings of the tiers, in the letters of the source; exposures in multiples of the unlevered index."""

    mode: int = LITERAL
    dd_gate: int = ALWAYS
    dd_anchor: int = TO_E_MIN
    t_max: float = 60.0  # trend strength that counts as full
    k_long: float = 0.45
    k_short: float = 0.30
    e_min: float = 0.70
    e_short: float = -0.30
    e_max: float = 1.80
    lambda_vol: float = 0.90  # volatility target over long-run volatility
    s_vol_min: float = 0.50
    s_vol_max: float = 1.50
    alpha_vix: float = 1.0
    dd_soft: float = 0.08
    dd_hard: float = 0.22
    p_min: float = 0.0
    w_sqqq_max: float = 0.25
    w_tqqq_max: float = 0.40  # derisk only
    t_short: float = 0.50  # derisk only: normalised trend below which the short branch opens


@kernel
def drawdown_factor(p: Tiers, drawdown: float) -> float:
    """Return the compression g: 1 up to dd_soft, p_min from dd_hard on, linear between; drawdown >= 0, a fraction."""
    if drawdown <= p.dd_soft:
        return 1.0
    if drawdown >= p.dd_hard:
        return p.p_min
    return 1.0 - (1.0 - p.p_min) * (drawdown - p.dd_soft) / (p.dd_hard - p.dd_soft)


@kernel
def trend_exposure(p: Tiers, trend: float, g: float) -> float:
    """Return the exposure that a normalised trend in [-1, 1] asks for, before the other tiers.

    literal   1 + (k_long if T >= 0 else k_short) T
    derisk    for T < 0:  g A(T) + (1 - g) B(T),   A = 1 + k_short T,   B = A down to T = -t_short and from there
              on the line that reaches e_short at T = -1: net short takes a strong downtrend and a drawdown
    """
    if trend >= 0.0:
        return 1.0 + p.k_long * trend
    plain = 1.0 + p.k_short * trend
    if p.mode == LITERAL or trend >= -p.t_short:
        return plain
    knee = 1.0 - p.k_short * p.t_short
    deep = p.e_short + (knee - p.e_short) * (1.0 + trend) / (1.0 - p.t_short)
    return g * plain + (1.0 - g) * deep


@kernel
def exposure(
    p: Tiers, strength: float, sigma: float, sigma_base: float, vix_ratio: float, drawdown: float, out: Floats
) -> float:
    """Return the net exposure E and write the tiers to out (6,).

    strength: trend strength in points; sigma, sigma_base: realised and long-run volatility per year; vix_ratio: VIX
    over its average; drawdown: fraction >= 0. NaN = not known yet: no trend, no scaling, no fear (T = 0, S = P = 1).

        T  = clip(strength / t_max, -1, 1)
        E1 = `trend_exposure`
        E2 = 1 + (E1 - 1) S,   S = clip(lambda_vol sigma_base / sigma, s_vol_min, s_vol_max)
        E3 = 1 + (E2 - 1) P,   P = 1 if R <= 1 else 1 / (1 + alpha_vix (R - 1))
        E4 = anchor + (E3 - anchor) g,   anchor e_min or 1,   g = `drawdown_factor`, or 1 where the gate is shut
        E  = clip(E4, e_short, e_max)

    derisk: below 1 the second and third tier may only lower (E2 = min(E1, ...), E3 = min(E2, ...)), and E4 never
    exceeds E3, so that neither fear nor a drawdown ever buys.

    Source: "Hierarchical Adaptive v2.5", sections 4 and 5; derisk is what its sections 2 and 3 ask for.
    """
    trend = 0.0 if np.isnan(strength) else min(max(strength / p.t_max, -1.0), 1.0)
    g = drawdown_factor(p, drawdown)
    if p.dd_gate == BEAR_ONLY and trend >= 0.0:
        g = 1.0
    e1 = trend_exposure(p, trend, g)
    scale = 1.0
    if not (np.isnan(sigma) or np.isnan(sigma_base)):
        scale = p.s_vol_max
        if sigma > NO_VOLATILITY:
            scale = min(max(p.lambda_vol * sigma_base / sigma, p.s_vol_min), p.s_vol_max)
    fear = 1.0 / (1.0 + p.alpha_vix * (vix_ratio - 1.0)) if vix_ratio > 1.0 else 1.0
    e2 = 1.0 + (e1 - 1.0) * scale
    if p.mode == DERISK and e1 < 1.0:
        e2 = min(e1, e2)
    e3 = 1.0 + (e2 - 1.0) * fear
    if p.mode == DERISK and e1 < 1.0:
        e3 = min(e2, e3)
    anchor = p.e_min if p.dd_anchor == TO_E_MIN else 1.0
    e4 = anchor + (e3 - anchor) * g if g != 1.0 else e3  # at g = 1 exactly, without a rounding of the round trip
    if p.mode == DERISK:
        e4 = min(e3, e4)
    final = min(max(e4, p.e_short), p.e_max)
    out[T_NORM], out[E_TREND], out[E_VOL], out[E_VIX], out[E_DD], out[E_FINAL] = trend, e1, e2, e3, e4, final
    return final


@kernel
def fund_weights(p: Tiers, e: float, has_long: bool, has_short: bool, out: Floats) -> float:
    """Write the weights of (index fund, 3x fund, -3x fund) that carry exposure e to out (3,); return the e carried.

        e < 0        short = min(-e / 3, w_sqqq_max), the rest cash
        0 <= e <= 1  index = e, the rest cash
        e > 1        long = (e - 1) / 2 (derisk: at most w_tqqq_max), index = 1 - long

    Without the 3x fund e is cut to 1, without the -3x fund raised to 0.
    Source: "Hierarchical Adaptive v2.5", section 6.
    """
    if e > 1.0 and not has_long:
        e = 1.0
    if e < 0.0 and not has_short:
        e = 0.0
    out[0] = out[1] = out[2] = 0.0
    if e < 0.0:
        out[2] = min(-e / 3.0, p.w_sqqq_max)
    elif e <= 1.0:
        out[0] = e
    else:
        out[1] = (e - 1.0) / 2.0
        if p.mode == DERISK:
            out[1] = min(out[1], p.w_tqqq_max)
        out[0] = 1.0 - out[1]
    return e
