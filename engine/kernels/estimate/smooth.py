"""Moving averages of the columns of a table: linearly weighted (WMA) and exponential (EMA)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels import check
from plimsoll.engine.kernels.jit import inline_kernel, kernel
from plimsoll.engine.types import Floats, Ints


class WmaParams(NamedTuple):
    """Length of a linearly weighted average."""

    window: int  # bars


class WmaState(NamedTuple):
    """The last rows, each kept twice so that the window is one contiguous block in order of age."""

    ring: Floats  # (2 * window, N), NaN = no row yet
    head: Ints  # (1,) slot the next row goes to, in [0, window)


class EmaParams(NamedTuple):
    """Weight of the newest value."""

    alpha: float  # in (0, 1]


class EmaState(NamedTuple):
    """The average so far."""

    mean: Floats  # (N,), NaN before the first known value


def wma_params(window: int) -> WmaParams:
    """Return checked parameters; raises InputError unless window is a whole number >= 1."""
    return WmaParams(check.whole(window, "window", 1, "linearly weighted average"))


def wma_init(params: WmaParams, n_assets: int) -> WmaState:
    """Return the state before the first row."""
    return WmaState(np.full((2 * params.window, n_assets), np.nan), np.zeros(1, dtype=np.int64))


@kernel
def wma_step(state: WmaState, params: WmaParams, x: Floats, out: Floats) -> None:
    """Take in one row x (N,) and write its linearly weighted average to out (N,), in the unit of x. Mutates state.

        out = sum_{k=1..n} k x_{t-n+k} / (n (n + 1) / 2),   the newest row weighs n

    NaN until n rows exist and while one of them is not known.
    Source: the usual linear weights, as in the trend-strength oscillator.
    """
    n = params.window
    slot = state.head[0]
    for i in range(x.shape[0]):
        state.ring[slot, i] = x[i]
        state.ring[slot + n, i] = x[i]
        out[i] = 0.0
    for k in range(1, n + 1):
        for i in range(x.shape[0]):
            out[i] += k * state.ring[slot + k, i]
    for i in range(x.shape[0]):
        out[i] /= 0.5 * n * (n + 1)
    state.head[0] = slot + 1 if slot + 1 < n else 0


@kernel
def wma_scan(state: WmaState, params: WmaParams, x: Floats, out: Floats) -> None:
    """Run `wma_step` over the rows of x (T, N), writing out (T, N). Mutates state."""
    for t in range(x.shape[0]):
        wma_step(state, params, x[t], out[t])


@inline_kernel
def wma_push(ring: Floats, base: int, slot: int, window: int, value: float) -> float:
    """Put value into a double ring and return the linearly weighted average of its window.

    The ring is ring[base:base + 2 * window], slot in [0, window) its next free place. The scalar form of `wma_step`
    for filters that keep one series; four partial sums shorten the chain of additions.
    """
    at = base + slot
    ring[at] = value
    ring[at + window] = value
    a = b = c = d = 0.0
    whole = window - window % 4
    for k in range(1, whole + 1, 4):
        a += k * ring[at + k]
        b += (k + 1) * ring[at + k + 1]
        c += (k + 2) * ring[at + k + 2]
        d += (k + 3) * ring[at + k + 3]
    for k in range(whole + 1, window + 1):
        a += k * ring[at + k]
    return ((a + b) + (c + d)) / (0.5 * window * (window + 1))


def ema_params(span: float | None = None, *, alpha: float | None = None) -> EmaParams:
    """Return checked parameters from a span in bars (alpha = 2 / (span + 1)) or from alpha itself.

    Raises
    ------
    InputError
        Neither or both are given, or alpha falls outside (0, 1].
    """
    if (span is None) == (alpha is None):
        raise InputError("exactly one of span and alpha is needed", where="exponential average")
    weight = 2.0 / (span + 1.0) if span is not None else alpha
    if weight is None or not 0.0 < weight <= 1.0:
        raise InputError(f"alpha = {weight!r}", where="exponential average", fix="span >= 1, or alpha in (0, 1]")
    return EmaParams(float(weight))


def ema_init(n_assets: int) -> EmaState:
    """Return the state before the first row."""
    return EmaState(np.full(n_assets, np.nan))


@kernel
def ema_step(state: EmaState, params: EmaParams, x: Floats, out: Floats) -> None:
    """Take in one row x (N,) and write the exponential average to out (N,), in the unit of x. Mutates state.

        m_t = m_{t-1} + alpha (x_t - m_{t-1}),   m at the first known value is that value

    A value that is not known leaves the average as it was.
    Source: recursive exponential smoothing, seeded by the first observation (Brown 1959).
    """
    for i in range(x.shape[0]):
        if not np.isnan(x[i]):
            if np.isnan(state.mean[i]):
                state.mean[i] = x[i]
            else:
                state.mean[i] += params.alpha * (x[i] - state.mean[i])
        out[i] = state.mean[i]


@kernel
def ema_scan(state: EmaState, params: EmaParams, x: Floats, out: Floats) -> None:
    """Run `ema_step` over the rows of x (T, N), writing out (T, N). Mutates state."""
    for t in range(x.shape[0]):
        ema_step(state, params, x[t], out[t])


def wma(x: ArrayLike, window: int) -> Floats:
    """Return the linearly weighted average of a series (T,) or of the columns of a table (T, N).

    Raises
    ------
    InputError
        x is not an array of numbers, or the window is not a whole number >= 1.
    """
    table = check.matrix(x, "linearly weighted average")
    params = wma_params(window)
    out = np.empty_like(table)
    wma_scan(wma_init(params, table.shape[1]), params, table, out)
    return out[:, 0] if np.ndim(x) == 1 else out


def ema(x: ArrayLike, span: float | None = None, *, alpha: float | None = None) -> Floats:
    """Return the exponential average of a series (T,) or of the columns of a table (T, N).

    Raises
    ------
    InputError
        x is not an array of numbers, or not exactly one valid of span (bars) and alpha is given.
    """
    table = check.matrix(x, "exponential average")
    out = np.empty_like(table)
    ema_scan(ema_init(table.shape[1]), ema_params(span, alpha=alpha), table, out)
    return out[:, 0] if np.ndim(x) == 1 else out
