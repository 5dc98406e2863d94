"""Rolling maximum and drawdown of the columns of a table."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from plimsoll.engine.kernels import check
from plimsoll.engine.kernels.jit import inline_kernel, kernel
from plimsoll.engine.types import Floats, Ints

# Places in a queue's numbers: the slot of its front, how many values it holds, the rows seen, then each value's row.
FRONT = 0
HELD = 1
SEEN = 2
ROWS = 3


class MaxParams(NamedTuple):
    """Length of a rolling maximum."""

    window: int  # bars


class MaxState(NamedTuple):
    """Per column a queue of the values that may yet become the maximum, largest first."""

    value: Floats  # (N * window,)
    number: Ints  # (N * (3 + window),) front, held, seen, and the row each value came from


class DrawdownState(NamedTuple):
    """The running peak."""

    peak: Floats  # (N,), NaN before the first known value


def max_params(window: int) -> MaxParams:
    """Return checked parameters; raises InputError unless window is a whole number >= 1."""
    return MaxParams(check.whole(window, "window", 1, "rolling maximum"))


def max_init(params: MaxParams, n_assets: int) -> MaxState:
    """Return the state before the first row."""
    return MaxState(np.zeros(n_assets * params.window), np.zeros(n_assets * (ROWS + params.window), dtype=np.int64))


@inline_kernel
def max_push(value: Floats, v0: int, number: Ints, n0: int, window: int, x: float) -> float:
    """Take in one value and return the maximum of the last `window` ones, NaN if none of them is known.

    One queue lies in value[v0:v0 + window] and number[n0:n0 + 3 + window], both mutated (flat arrays and offsets,
    because every view taken inside a loop costs a reference count). A NaN takes a row but never enters the queue.
    Constant time on average: each value enters and leaves once.
    Source: the monotonic queue (Lemire 2006, Streaming maximum-minimum filter).
    """
    front, held, now = number[n0 + FRONT], number[n0 + HELD], number[n0 + SEEN]
    r0 = n0 + ROWS
    if held > 0 and number[r0 + front] <= now - window:
        front = front + 1 if front + 1 < window else 0
        held -= 1
    if not np.isnan(x):
        back = front + held  # a slot past the last one wraps around; a division would cost more than the rest
        back = back - window if back >= window else back
        last = back - 1 if back > 0 else window - 1
        while held > 0 and value[v0 + last] <= x:
            back = last
            last = back - 1 if back > 0 else window - 1
            held -= 1
        value[v0 + back] = x
        number[r0 + back] = now
        held += 1
    number[n0 + FRONT] = front
    number[n0 + HELD] = held
    number[n0 + SEEN] = now + 1
    return float(value[v0 + front]) if held > 0 else np.nan


@kernel
def max_step(state: MaxState, params: MaxParams, x: Floats, out: Floats) -> None:
    """Take in one row x (N,), write the maximum of the last `window` rows to out (N,), in the unit of x. Mutates state.

    Source: see `max_push`.
    """
    window = params.window
    for i in range(x.shape[0]):
        out[i] = max_push(state.value, i * window, state.number, i * (ROWS + window), window, x[i])


@kernel
def max_scan(state: MaxState, params: MaxParams, x: Floats, out: Floats) -> None:
    """Run `max_step` over the rows of x (T, N), writing out (T, N). Mutates state."""
    for t in range(x.shape[0]):
        max_step(state, params, x[t], out[t])


def drawdown_init(n_assets: int) -> DrawdownState:
    """Return the state before the first row."""
    return DrawdownState(np.full(n_assets, np.nan))


@kernel
def drawdown_step(state: DrawdownState, x: Floats, out: Floats) -> None:
    """Take in one row of levels x (N,) > 0 and write the fraction lost since the peak (<= 0) to out (N,).

        peak = max(peak, x),   out = x / peak - 1

    NaN where x is not known; the peak stays. Mutates state. Source: the usual definition.
    """
    for i in range(x.shape[0]):
        if np.isnan(state.peak[i]) or x[i] > state.peak[i]:
            state.peak[i] = x[i]
        out[i] = x[i] / state.peak[i] - 1.0


@kernel
def drawdown_scan(state: DrawdownState, x: Floats, out: Floats) -> None:
    """Run `drawdown_step` over the rows of x (T, N), writing out (T, N). Mutates state."""
    for t in range(x.shape[0]):
        drawdown_step(state, x[t], out[t])


def rolling_max(x: ArrayLike, window: int) -> Floats:
    """Return the maximum of the known values among the last `window` rows of a series (T,) or table (T, N).

    Raises
    ------
    InputError
        x is not an array of numbers, or the window is not a whole number >= 1.
    """
    table = check.matrix(x, "rolling maximum")
    params = max_params(window)
    out = np.empty_like(table)
    max_scan(max_init(params, table.shape[1]), params, table, out)
    return out[:, 0] if np.ndim(x) == 1 else out


def drawdown(level: ArrayLike) -> Floats:
    """Return the drawdown (fraction, <= 0) of a series of levels (T,) or of the columns of a table (T, N).

    Raises
    ------
    InputError
        level is not an array of numbers.
    """
    table = check.matrix(level, "drawdown")
    out = np.empty_like(table)
    drawdown_scan(drawdown_init(table.shape[1]), table, out)
    return out[:, 0] if np.ndim(level) == 1 else out
