"""Stage 5: the drawdown governor, smooth, with kill tiers that only ever reduce.

    DD = 1 - NAV / H      DD' = DD * sigma_ref / sigma_P (yesterday's target)
    m(DD') = 1 up to d0, linear down to m_min at dH, m_min beyond;      W <- m W

Raw DD >= flat: all cash at that decision and the `cooloff_sessions` after it; H is then set to the NAV of the last
flat close, and m may not exceed m_min at the next decision, rising to 1 over `reentry_sessions`. A day loss of
`day_loss` or more: flat at that decision, H unchanged, and the same ramp over `day_reentry_sessions`. Tiers on raw DD:
WARN, THROTTLE (x 0.5), NO_NEW (no position may grow), FLATTEN. Source: portfolio integration layer, stage 5; thresholds
without a source there are ours.
"""

from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.types import Floats


class Params(NamedTuple):
    """Fractions and sessions."""

    d0: float
    d_hard: float
    m_min: float
    flat: float
    cooloff_sessions: int
    reentry_sessions: int
    day_loss: float
    day_reentry_sessions: int
    sigma_ref: float
    vol_adjusted: bool
    warn: float
    throttle: float
    throttle_to: float
    no_new: float
    product: bool  # multiply governor and throttle (the seed's letter) instead of taking the smaller


# Memory (GOVERNOR,), and below it what the last close calls for.
PEAK: Final = 0  # H
NAV: Final = 1  # of the last close
COOLING: Final = 2  # flat decisions still to come
REENTRY: Final = 3  # sessions since a cool-off ended, -1 = not ramping
DAY_REENTRY: Final = 4
MULTIPLIER: Final = 5
DRAWDOWN: Final = 6
TIER: Final = 7
FLAT: Final = 8
SETTLED: Final = 9  # m of the last close that brought reductions down to it, or a higher one since: see `has_fallen`
GOVERNOR: Final = 10

FALL: Final = 0.005  # of m: a smaller fall is left to the no-trade band

# Tiers.
NORMAL: Final = 0
WARN: Final = 1
THROTTLE: Final = 2
NO_NEW: Final = 3
FLATTEN: Final = 4
TIERS: Final = ("normal", "warn", "throttle", "no_new", "flatten")


def init() -> Floats:
    """Return the memory before the first close."""
    memory = np.zeros(GOVERNOR)
    memory[[PEAK, NAV]] = np.nan
    memory[[REENTRY, DAY_REENTRY]] = -1.0
    memory[[MULTIPLIER, SETTLED]] = 1.0
    return memory


@kernel
def taper(drawdown: float, p: Params) -> float:
    """Return m: 1 below d0, m_min above d_hard, a straight line between."""
    if drawdown <= p.d0:
        return 1.0
    if drawdown >= p.d_hard:
        return p.m_min
    return 1.0 - (1.0 - p.m_min) * (drawdown - p.d0) / (p.d_hard - p.d0)


@kernel
def ramp(memory: Floats, slot: int, sessions: int, m_min: float) -> float:
    """Return the cap on m of a running re-entry and move it on by a session; 1 where none runs."""
    if memory[slot] < 0.0:
        return 1.0
    cap = m_min + (1.0 - m_min) * memory[slot] / max(sessions, 1)
    memory[slot] += 1.0
    if memory[slot] > sessions:
        memory[slot] = -1.0
    return float(min(cap, 1.0))


@kernel
def is_day_loss(day_return: float, day_loss: float) -> bool:
    """Return whether a return since the close before is a loss of `day_loss` or more."""
    return day_return <= -day_loss


@kernel
def has_fallen(memory: Floats, multiplier: float) -> bool:
    """Return whether m is so far below what reductions were last brought down to that stage 7 lets them all through.

    Falls too small to be sent add up until they are not, so that what is held is never more than that above m for
    longer than the market takes.
    """
    return bool(memory[SETTLED] - multiplier > FALL)


@kernel
def observe(nav: float, sigma_p: float, p: Params, memory: Floats) -> None:
    """Take in the time-weighted NAV of a close; sigma_p is the target of the decision before. Mutates memory."""
    if np.isnan(memory[NAV]):
        memory[PEAK] = nav
        memory[NAV] = nav
    if memory[MULTIPLIER] > memory[SETTLED] or has_fallen(memory, memory[MULTIPLIER]):
        memory[SETTLED] = memory[MULTIPLIER]  # what the close before decided has been sent
    day = nav / memory[NAV] - 1.0
    memory[NAV] = nav
    memory[PEAK] = max(memory[PEAK], nav)
    raw = 1.0 - nav / memory[PEAK]
    tier = NORMAL
    if raw >= p.no_new:
        tier = NO_NEW
    elif raw >= p.throttle:
        tier = THROTTLE
    elif raw >= p.warn:
        tier = WARN
    flat = False
    if memory[COOLING] > 0.0:
        flat = True
        memory[COOLING] -= 1.0
        if memory[COOLING] == 0.0:
            memory[PEAK] = nav
            memory[REENTRY] = 0.0
    elif raw >= p.flat:
        flat = True
        memory[COOLING] = p.cooloff_sessions
        memory[REENTRY] = -1.0
        memory[DAY_REENTRY] = -1.0
        if p.cooloff_sessions == 0:
            memory[PEAK] = nav
            memory[REENTRY] = 0.0
    elif is_day_loss(day, p.day_loss):
        flat = True
        memory[DAY_REENTRY] = 0.0
    adjusted = raw * p.sigma_ref / sigma_p if p.vol_adjusted else raw
    m = taper(adjusted, p)
    brake = p.throttle_to if tier >= THROTTLE else 1.0
    m = m * brake if p.product else min(m, brake)
    if flat:
        m = 0.0
        tier = FLATTEN
    else:
        m = min(
            m,
            ramp(memory, REENTRY, p.reentry_sessions, p.m_min),
            ramp(memory, DAY_REENTRY, p.day_reentry_sessions, p.m_min),
        )
    memory[MULTIPLIER] = m
    memory[DRAWDOWN] = raw
    memory[TIER] = tier
    memory[FLAT] = 1.0 if flat else 0.0


@kernel
def in_force(memory: Floats, day_return: float, day_loss: float) -> tuple[float, float]:
    """Return (multiplier, tier) now: those of the last close, but flat after a loss of the day since that close.

    day_return is that since the last close observed, 0 at the close itself. Changes nothing: the close that sees the
    loss begins the way back.
    """
    if is_day_loss(day_return, day_loss):
        return 0.0, float(FLATTEN)
    return memory[MULTIPLIER], memory[TIER]


@kernel
def apply(multiplier: float, tier: float, held: Floats, w: Floats) -> None:
    """Scale w (N,) by the multiplier; under NO_NEW no position may exceed the held one (N,), a reversal is an exit."""
    for i in range(w.shape[0]):
        w[i] *= multiplier
        if tier == NO_NEW:
            if w[i] * held[i] <= 0.0:
                w[i] = 0.0
            elif abs(w[i]) > abs(held[i]):
                w[i] = held[i]


@kernel
def not_beyond(tier: float, held: Floats, w: Floats) -> None:
    """Under NO_NEW, cut w (N,) to the size of what is held (N,); the last word, after every other factor."""
    if tier == NO_NEW:
        for i in range(w.shape[0]):
            if w[i] * held[i] > 0.0 and abs(w[i]) > abs(held[i]):
                w[i] = held[i]
