"""One bar of the Kalman overlay: estimators, tiers, weights, and whether to trade."""

from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.kernels.account.track import EQUITY, PEAK, Notional, drift, take
from plimsoll.engine.kernels.estimate import kalman, smooth, stats
from plimsoll.engine.kernels.jit import inline_kernel, kernel
from plimsoll.engine.types import Bools, Floats
from plimsoll.strategies import exposure
from plimsoll.strategies.exposure import Tiers

# Observations behind the long-run volatility before it counts: a year.
BASE_OBS: Final = 252

# Places in `State.seen`: what the bar brought.
CLOSE: Final = 0
HIGH: Final = 1
LOW: Final = 2
VOLUME: Final = 3
RETURN: Final = 4
VIX: Final = 5
DRAWDOWN: Final = 6  # >= 0
SCALE: Final = 7  # square root of bars per year
SEEN: Final = 8

# Places in `State.shown`.
STRENGTH: Final = 0
SIGMA: Final = 1
SIGMA_BASE: Final = 2
VIX_RATIO: Final = 3
CARRIED: Final = 4
SHOWN: Final = 5


class Settings(NamedTuple):
    """Everything the step is told once."""

    filter: kalman.Params
    vol: stats.StdParams
    vix: smooth.EmaParams
    tiers: Tiers
    sigma_base: float  # fixed long-run volatility per year, NaN = measured
    threshold: float


class State(NamedTuple):
    """filter .. vix: the estimators. shown (5,): strength, sigma, sigma_base, VIX ratio and the exposure carried.

    row (7,), one (1,), tier (6,), seen (8,), target (3,): of the last call, not memory.
    """

    filter: kalman.State
    vol: stats.StdState
    base: stats.ExpandingState
    vix: smooth.EmaState
    shown: Floats
    row: Floats
    one: Floats
    tier: Floats
    seen: Floats
    target: Floats


def init(settings: Settings) -> State:
    """Return the state before the first bar."""
    return State(
        kalman.init(settings.filter),
        stats.std_init(settings.vol, 1),
        stats.expanding_init(1),
        smooth.ema_init(1),
        np.full(SHOWN, np.nan),
        np.zeros(kalman.COLUMNS),
        np.zeros(1),
        np.zeros(exposure.COLUMNS),
        np.zeros(SEEN),
        np.zeros(3),
    )


def forget(state: State, settings: Settings) -> None:
    """Forget what was seen of the signal: it comes back as a new one, with another level and its own risk."""
    fresh = init(settings)
    state.filter.memory[:], state.filter.number[:] = fresh.filter.memory, fresh.filter.number
    state.vol.ring[:], state.base.sums[:] = np.nan, 0.0
    state.shown[: SIGMA_BASE + 1] = np.nan


@inline_kernel
def step(state: State, settings: Settings, listed: Bools, held: Floats) -> bool:
    """Advance the overlay by one bar and return whether to trade; the weights are then in `state.target` (3,).

    state.seen (8,) is this bar: close, high, low, volume and total return of the signal, VIX, drawdown (>= 0) and the
    square root of bars per year. listed (K,), held (K,) drifted weights; the first three are the legs. No trade without
    a row of the index fund, or of another leg that is held.
    """
    seen, shown, one = state.seen, state.shown, state.one
    kalman.step(state.filter, settings.filter, seen[CLOSE], seen[HIGH], seen[LOW], seen[VOLUME], state.row)
    shown[STRENGTH] = state.row[kalman.STRENGTH]
    one[0] = np.log1p(seen[RETURN])
    stats.expanding_step(state.base, one, shown[SIGMA_BASE : SIGMA_BASE + 1])
    stats.std_step(state.vol, settings.vol, one, shown[SIGMA : SIGMA + 1])
    shown[SIGMA] *= seen[SCALE]
    shown[SIGMA_BASE] *= seen[SCALE]
    if not np.isnan(settings.sigma_base):
        shown[SIGMA_BASE] = settings.sigma_base
    elif state.base.sums[0, 0] < BASE_OBS:
        shown[SIGMA_BASE] = np.nan
    if not np.isnan(seen[VIX]):
        one[0] = seen[VIX]
        smooth.ema_step(state.vix, settings.vix, one, state.row[:1])
        shown[VIX_RATIO] = seen[VIX] / state.row[0]
    wanted = exposure.exposure(
        settings.tiers, shown[STRENGTH], shown[SIGMA], shown[SIGMA_BASE], shown[VIX_RATIO], seen[DRAWDOWN], state.tier
    )
    shown[CARRIED] = exposure.fund_weights(settings.tiers, wanted, listed[1], listed[2], state.target)
    if not listed[0]:
        return False
    far = False
    for i in range(3):
        if held[i] != 0.0 and not listed[i]:
            return False
        far = far or abs(state.target[i] - held[i]) > settings.threshold
    return far


@kernel
def scan(
    first: int, stop: int, price: Floats, high: Floats, low: Floats, volume: Floats, vix: Floats, listed: Bools, j: int,
    scale: float, settings: Settings, state: State, notes: Floats, notional: Notional,
) -> bool:  # fmt: skip
    """Run `step` over bars [first, stop); False if an answer could not stand.

    Series (T, K), vix (T,), column j the signal; notes (T, 11) shown, tiers, drawdown.
    """
    seen, answer = state.seen, np.zeros(listed.shape[1])
    seen[SCALE] = scale
    for t in range(first, stop):
        drift(t, notional)
        seen[CLOSE], seen[HIGH], seen[LOW] = price[t, j], high[t, j], low[t, j]
        seen[VOLUME], seen[RETURN], seen[VIX] = volume[t, j], notional.ret[t, j], vix[t]
        seen[DRAWDOWN] = -(notional.scal[EQUITY] / notional.scal[PEAK] - 1.0)
        moved = step(state, settings, listed[t], notional.weight)
        for k in range(SHOWN):
            notes[t, k] = state.shown[k]
            notes[t, SHOWN + k] = state.tier[k]
        notes[t, 2 * SHOWN] = seen[DRAWDOWN]
        if moved:
            for k in range(3):
                answer[k] = state.target[k]
            if not take(t, answer, notional):
                return False
    return True
