"""Whether stocks and bonds move together: a two-state regime with hysteresis, dwell and ramp, and what it forbids.

While they do, linear duration is no hedge: `shift_budget` moves risk budget from levered duration to what diversifies.
Source: AQR, "A Changing Stock-Bond Correlation" (2023), for the idea; thresholds are ours.
"""

from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.types import Bools, Floats

# Places in `State.memory`; weighted sums of products, their common scale cancels.
XX: Final = 0
YY: Final = 1
XY: Final = 2
COUNT: Final = 3  # rows with both known
RHO: Final = 4  # NaN before min_obs of them
REGIME: Final = 5  # +1 together, -1 apart, 0 not known yet
SINCE: Final = 6  # bars since the last switch
LEVEL: Final = 7  # how far the guard is up, 0 to 1
SIZE: Final = 8


class Params(NamedTuple):
    """Settings of the regime."""

    decay: float = 0.5 ** (1.0 / 63.0)  # half-life of 63 bars
    threshold: float = 0.10  # above: together; below minus it: apart; between: as before
    dwell: int = 21  # bars a regime lasts at least
    ramp: int = 21  # bars the guard takes to go up or down
    min_obs: int = 21


class State(NamedTuple):
    """Everything the regime remembers."""

    memory: Floats


def init() -> State:
    """Return the state before the first bar."""
    memory = np.zeros(SIZE)
    memory[RHO] = np.nan
    return State(memory)


@kernel
def forget(state: State) -> None:
    """Stand before the first bar again. Mutates state."""
    for i in range(SIZE):
        state.memory[i] = 0.0
    state.memory[RHO] = np.nan


@kernel
def step(state: State, params: Params, x: float, y: float) -> None:
    """Take in this bar's stock and bond return, NaN = not known. Mutates state.

        rho = EWMA(x y) / sqrt(EWMA(x^2) EWMA(y^2)) over rows where both are known
        regime + if rho > threshold, - if rho < -threshold, at the earliest `dwell` bars after the last switch
        level  moves by 1 / ramp a bar towards 1 in +, towards 0 in -

    The first regime, once min_obs rows are known, is + above the threshold and - otherwise, without a ramp.
    """
    m = state.memory
    if not (np.isnan(x) or np.isnan(y)):
        m[XX] = params.decay * m[XX] + x * x
        m[YY] = params.decay * m[YY] + y * y
        m[XY] = params.decay * m[XY] + x * y
        m[COUNT] += 1.0
    m[SINCE] += 1.0
    if m[COUNT] >= params.min_obs and m[XX] > 0.0 and m[YY] > 0.0:
        m[RHO] = m[XY] / (np.sqrt(m[XX]) * np.sqrt(m[YY]))
        if m[REGIME] == 0.0:
            m[REGIME] = 1.0 if m[RHO] > params.threshold else -1.0
            m[LEVEL] = max(m[REGIME], 0.0)
            m[SINCE] = 0.0
        elif m[SINCE] >= params.dwell and m[REGIME] * m[RHO] < -params.threshold:
            m[REGIME] = -m[REGIME]
            m[SINCE] = 0.0
    m[LEVEL] = min(max(m[LEVEL] + m[REGIME] / params.ramp, 0.0), 1.0)


@kernel
def shift_budget(budget: Floats, amount: float, giver: Bools, taker: Bools) -> float:
    """Move up to `amount` of budget (N,) >= 0, in place, from the givers to the takers (N,); return what moved.

    In proportion to what each has; takers that have nothing share equally. Nothing moves without a taker.
    """
    have, base, takers = 0.0, 0.0, 0
    for i in range(budget.shape[0]):
        if giver[i]:
            have += budget[i]
        elif taker[i]:
            base += budget[i]
            takers += 1
    moved = min(amount, have)
    if takers == 0 or not moved > 0.0:
        return 0.0
    for i in range(budget.shape[0]):
        if giver[i]:
            budget[i] -= moved * (budget[i] / have)
        elif taker[i]:
            budget[i] += moved * (budget[i] / base) if base > 0.0 else moved / takers
    return moved
