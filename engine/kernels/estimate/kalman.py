"""Adaptive Kalman trend strength: a signed oscillator in [-100, 100] from price, range and volume."""

from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.kernels.estimate.extreme import ROWS, SEEN, max_push
from plimsoll.engine.kernels.estimate.smooth import wma_push
from plimsoll.engine.kernels.jit import inline_kernel, kernel
from plimsoll.engine.types import Floats, Ints

# Observation noise: constant, or scaled by the change of volume or of the bar's range.
STANDARD: Final = 0
VOLUME: Final = 1
PARKINSON: Final = 2

# Volume ratio: v_prev / v | v_prev / min(v_prev, v) | v_prev / max(v_prev, v).
SYMMETRIC: Final = 0
PINE: Final = 1
JUTSU_V25: Final = 2

# The quantity that is normalised.
VELOCITY: Final = 0
INNOVATION: Final = 1

# The transition: local linear trend, or the recursion of the original script.
TREND: Final = 0
ZEIIERMAN: Final = 1

# Columns of `out`.
LEVEL: Final = 0  # filtered price
SLOPE: Final = 1  # its change per bar
RAW: Final = 2  # normalised signal, NaN on a gap and before norm_min signals
OSCILLATOR: Final = 3
STRENGTH: Final = 4
NOISE: Final = 5  # observation variance used, NaN on a gap and on the first bar
SURPRISE: Final = 6  # innovation, NaN likewise
COLUMNS: Final = 7

# Places in `State.memory`: the filter (level and slope as above), the averages shown last, then the rings.
P00: Final = 2
P01: Final = 3
P11: Final = 4
BEFORE: Final = 5
SHOWN_OSCILLATOR: Final = 6
SHOWN_STRENGTH: Final = 7
RINGS: Final = 8

# Places in `State.number`: counters, then the numbers of the peaks' queue.
BARS: Final = 0
AVERAGED: Final = 1
FIRST_SLOT: Final = 2
SECOND_SLOT: Final = 3
QUEUE: Final = 4


class Params(NamedTuple):
    """Settings of the filter and of the oscillator; see `kalman_preset` for checked and named ones."""

    q_level: float = 0.01  # process variance of the level
    q_slope: float = 0.01  # process variance of the slope
    noise: float = 2000.0  # observation variance R
    ratio_cap: float = 10.0  # bound of the noise factor
    model: int = VOLUME
    volume_mode: int = SYMMETRIC
    volume_from: int = 1  # first bar index at which the volume factor applies
    form: int = TREND
    signal: int = VELOCITY
    norm_lookback: int = 252  # signals in the normaliser
    norm_min: int = 60  # signals needed before anything is defined
    osc: int = 15  # bars of the oscillator's average
    strength: int = 15  # bars of the strength's average
    strength_first: int = 0  # 1: strength is averaged from raw and the oscillator from strength
    single: int = 0  # 1: one average only
    unsigned: int = 0  # 1: strength without its sign


class State(NamedTuple):
    """Everything the filter remembers, in two flat arrays: each further one costs every call a reference count.

    memory holds level, slope, p00, p01, p11, the last valid volume (or range), the averages shown last, the queue
    of peaks (norm_lookback,), and the double rings of the first and the second average.
    """

    memory: Floats  # (8 + norm_lookback + 2 * osc + 2 * strength,)
    number: Ints  # (7 + norm_lookback,)


def init(params: Params) -> State:
    """Return the state before the first bar."""
    memory = np.zeros(RINGS + params.norm_lookback + 2 * params.osc + 2 * params.strength)
    memory[:RINGS] = np.nan
    return State(memory, np.zeros(QUEUE + ROWS + params.norm_lookback, dtype=np.int64))


@inline_kernel
def noise_factor(params: Params, bar: int, before: float, now: float) -> float:
    """Return the factor of the observation noise from this bar's volume (or range) and the last valid one.

        volume, symmetric   clip(v_prev / v, 1/cap, cap)         pine: v_prev / min(v_prev, v)
        jutsu_v25           v_prev / max(v_prev, v)
        parkinson           clip(1 + (h - l) / (h_prev - l_prev), 1, 1 + cap)

    1 where one of them is unknown or zero (a range of zero now is a range).
    """
    if params.model == STANDARD or bar < params.volume_from or not (before > 0.0 and 0.0 <= now < np.inf):
        return 1.0
    if params.model == PARKINSON:
        return min(1.0 + now / before, 1.0 + params.ratio_cap)
    if now == 0.0:
        return 1.0
    base = now
    if params.volume_mode == PINE:
        base = min(before, now)
    elif params.volume_mode == JUTSU_V25:
        base = max(before, now)
    return min(max(before / base, 1.0 / params.ratio_cap), params.ratio_cap)


@inline_kernel
def filter_bar(x: Floats, params: Params, price: float, noise: float) -> float:
    """Advance level, slope and covariance in x by one bar and return the innovation."""
    if params.form == ZEIIERMAN:  # diagonal reset before each bar, predicted slope zero
        q_cross = params.q_level * params.q_slope
        m00 = 2.0 + 2.0 * x[P01] + params.q_level
        m01 = 1.0 + x[P01] + q_cross
        m11 = 1.0 + params.q_slope
        slope = 0.0
    else:
        m00 = x[P00] + 2.0 * x[P01] + x[P11] + params.q_level
        m01 = x[P01] + x[P11]
        m11 = x[P11] + params.q_slope
        slope = x[SLOPE]
    ahead = x[LEVEL] + x[SLOPE]
    total = m00 + noise
    k0 = m00 / total
    k1 = m01 / total
    surprise: float = price - ahead
    x[LEVEL] = ahead + k0 * surprise
    x[SLOPE] = slope + k1 * surprise
    x[P00] = (1.0 - k0) * m00
    x[P01] = (1.0 - k0) * m01
    x[P11] = m11 - k1 * m01
    return surprise


@inline_kernel
def slot_after(slot: int, window: int) -> int:
    """Return the next slot of a ring."""
    return slot + 1 if slot + 1 < window else 0


@inline_kernel
def known_from(value: float, seen: int, least: int) -> float:
    """Return value once `least` values have been seen, NaN before."""
    return value if seen >= least else np.nan


@inline_kernel
def place(params: Params, once: float, twice: float) -> tuple[float, float]:
    """Return (oscillator, strength) from the first and the second average."""
    if params.strength_first == 1:
        return twice, once
    strength = once if params.single == 1 else twice
    return once, abs(strength) if params.unsigned == 1 else strength


@inline_kernel
def lengths(params: Params) -> tuple[int, int]:
    """Return the lengths of the first and the second average."""
    if params.strength_first == 1:
        return params.strength, params.osc
    return params.osc, params.strength


@inline_kernel
def smooth_signal(x: Floats, number: Ints, params: Params, seen: int, raw: float) -> None:
    """Average the normalised signal twice and show oscillator and strength once their windows are full.

    Without branches around the arrays, which would cost reference counts: what the second average takes in too early
    has left it when it is shown.
    """
    n1, n2 = lengths(params)
    base = RINGS + params.norm_lookback
    once = wma_push(x, base, number[FIRST_SLOT], n1, raw)
    twice = wma_push(x, base + 2 * n1, number[SECOND_SLOT], n2, once)
    shown = place(params, known_from(once, seen, n1), known_from(twice, seen, n1 + n2 - 1))
    x[SHOWN_OSCILLATOR] = shown[0]
    x[SHOWN_STRENGTH] = shown[1]
    number[FIRST_SLOT] = slot_after(number[FIRST_SLOT], n1)
    number[SECOND_SLOT] = slot_after(number[SECOND_SLOT], n2)


@kernel
def step(state: State, params: Params, close: float, high: float, low: float, volume: float, out: Floats) -> None:
    """Advance the oscillator by one bar. Mutates state.

    close, high, low in one currency unit, volume in shares, both split-adjusted; NaN = not known. A close that is not
    known or not positive is a gap: no time step, outputs carried. out (7,): filtered level and slope (currency, per
    bar), raw, oscillator and strength (points, [-100, 100]), observation variance and innovation.

        s = slope (or innovation),   raw = 100 s / max |s| over the last norm_lookback signals
        oscillator = WMA(raw, osc),  strength = WMA(oscillator, strength)

    Source: Harvey (1989) for the filter; volume and Parkinson (1980) noise as in the published adaptive oscillator.
    """
    x = state.memory
    number = state.number
    raw = noise = surprise = np.nan
    bar = number[BARS]
    seen = number[AVERAGED]
    if close > 0.0 and close < np.inf:
        now = high - low if params.model == PARKINSON else volume
        factor = noise_factor(params, bar, x[BEFORE], now)
        if 0.0 <= now < np.inf and (now > 0.0 or params.model == PARKINSON):
            x[BEFORE] = now
        if bar == 0:
            x[LEVEL] = close
            x[SLOPE] = close if params.form == ZEIIERMAN else 0.0
            x[P00] = 1.0
            x[P01] = 0.0
            x[P11] = 1.0
        if bar > 0 or params.form == ZEIIERMAN:
            noise = params.noise * factor
            surprise = filter_bar(x, params, close, noise)
            signal = x[SLOPE] if params.signal == VELOCITY else surprise
            peak = max_push(x, RINGS, number, QUEUE, params.norm_lookback, abs(signal))
            if number[QUEUE + SEEN] >= params.norm_min:
                raw = 100.0 * signal / peak if peak > 0.0 else 0.0
                seen += 1
                smooth_signal(x, number, params, seen, raw)
        bar += 1
    out[LEVEL] = x[LEVEL]
    out[SLOPE] = x[SLOPE]
    out[RAW] = raw
    out[OSCILLATOR] = x[SHOWN_OSCILLATOR]
    out[STRENGTH] = x[SHOWN_STRENGTH]
    out[NOISE] = noise
    out[SURPRISE] = surprise
    number[BARS] = bar
    number[AVERAGED] = seen


@kernel
def scan(state: State, params: Params, close: Floats, high: Floats, low: Floats, volume: Floats, out: Floats) -> None:
    """Run `step` over close, high, low, volume (T,), writing out (T, 7). Mutates state."""
    for t in range(close.shape[0]):
        step(state, params, close[t], high[t], low[t], volume[t], out[t])
