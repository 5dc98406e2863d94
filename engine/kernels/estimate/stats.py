"""Rolling statistics of the columns of a table, one bar at a time or over all of it.

A rolling value is a function of the last `window` rows alone, by bytes: sums run over the window in order of age and
nothing is carried from bar to bar, so two runs that start at different bars agree as soon as their windows do.
NaN = not known: it is left out, and a value that rests on fewer than `min_obs` known ones is NaN.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from plimsoll.engine.kernels import check
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.kernels.linalg import set_to
from plimsoll.engine.types import Floats, Ints


class StdParams(NamedTuple):
    """Shape of a rolling standard deviation."""

    window: int  # bars
    ddof: int  # 1: sample, 0: population
    min_obs: int  # known values needed, more than ddof


class StdState(NamedTuple):
    """The last rows, each kept twice so that the window is always one contiguous block in order of age."""

    ring: Floats  # (2 * window, N), NaN = no row yet
    head: Ints  # (1,) slot the next row goes to, in [0, window)
    scratch: Floats  # (3, N) of the last call, not memory


def std_params(window: int, ddof: int = 1, min_obs: int | None = None) -> StdParams:
    """Return checked parameters; `min_obs` defaults to the full window.

    Raises
    ------
    InputError
        A window or count that cannot give a standard deviation.
    """
    where = "rolling standard deviation"
    window = check.whole(window, "window", 1, where)
    ddof = check.whole(ddof, "ddof", 0, where)
    least = check.whole(window if min_obs is None else min_obs, "min_obs", ddof + 1, where)
    check.whole(window, "window", least, where)
    return StdParams(window, ddof, least)


def std_init(params: StdParams, n_assets: int) -> StdState:
    """Return the state before the first row."""
    return StdState(
        np.full((2 * params.window, n_assets), np.nan), np.zeros(1, dtype=np.int64), np.zeros((3, n_assets))
    )


@kernel
def window_std(first: int, stop: int, x: Floats, ddof: int, min_obs: int, scratch: Floats, out: Floats) -> None:
    """Write the standard deviation of rows [first, stop) of x (T, N) to out (N,), in the unit of x.

    NaN rows are left out column by column; NaN where fewer than min_obs are known. scratch (3, N) is overwritten
    with the first known value, the mean distance from it, and the count. Two passes about that first value, so the
    deviation of a constant column is exactly zero.

    Source: Chan, Golub & LeVeque (1983), Algorithms for computing the sample variance (shifted two-pass).
    """
    if stop <= first:
        set_to(out, np.nan)
        return
    n = x.shape[1]
    for i in range(n):
        row = first
        while row < stop - 1 and np.isnan(x[row, i]):
            row += 1
        scratch[0, i] = x[row, i]
        scratch[1, i] = 0.0
        scratch[2, i] = 0.0
        out[i] = 0.0
    for r in range(first, stop):
        for i in range(n):
            known = x[r, i] == x[r, i]
            scratch[1, i] += x[r, i] - scratch[0, i] if known else 0.0
            scratch[2, i] += 1.0 if known else 0.0
    for i in range(n):
        scratch[1, i] /= scratch[2, i]
    for r in range(first, stop):
        for i in range(n):
            known = x[r, i] == x[r, i]
            gap = x[r, i] - scratch[0, i] - scratch[1, i] if known else 0.0
            out[i] += gap * gap
    for i in range(n):
        out[i] = np.sqrt(out[i] / (scratch[2, i] - ddof)) if scratch[2, i] >= min_obs else np.nan


@kernel
def std_step(state: StdState, params: StdParams, x: Floats, out: Floats) -> None:
    """Take in one row x (N,), NaN = not known, and write the rolling standard deviation to out (N,). Mutates state.

    Equal by bytes to `window_std` over the last `window` rows.
    """
    slot = state.head[0]
    for i in range(x.shape[0]):
        state.ring[slot, i] = x[i]
        state.ring[slot + params.window, i] = x[i]
    window_std(slot + 1, slot + 1 + params.window, state.ring, params.ddof, params.min_obs, state.scratch, out)
    state.head[0] = slot + 1 if slot + 1 < params.window else 0


@kernel
def std_scan(state: StdState, params: StdParams, x: Floats, out: Floats) -> None:
    """Run `std_step` over the rows of x (T, N), writing out (T, N). Mutates state."""
    for t in range(x.shape[0]):
        std_step(state, params, x[t], out[t])


def rolling_std(x: ArrayLike, window: int, ddof: int = 1, min_obs: int | None = None) -> Floats:
    """Return the rolling standard deviation of a series (T,) or of the columns of a table (T, N).

    Raises
    ------
    InputError
        x is not an array of numbers, or the window cannot give a standard deviation.
    """
    table = check.matrix(x, "rolling standard deviation")
    params = std_params(window, ddof, min_obs)
    out = np.empty_like(table)
    std_scan(std_init(params, table.shape[1]), params, table, out)
    return out[:, 0] if np.ndim(x) == 1 else out


class ExpandingState(NamedTuple):
    """Count, mean and sum of squares about it: sums (3, N)."""

    sums: Floats


def expanding_init(n_assets: int) -> ExpandingState:
    """Return the state before the first row."""
    return ExpandingState(np.zeros((3, n_assets)))


@kernel
def expanding_step(state: ExpandingState, x: Floats, out: Floats) -> None:
    """Take in one row x (N,), NaN = not known, and write the sample deviation of all known ones to out (N,).

    In the unit of x; NaN before the second known value. Mutates state.
    Source: Welford (1962), Note on a method for calculating corrected sums of squares and products.
    """
    for i in range(x.shape[0]):
        if x[i] == x[i]:
            state.sums[0, i] += 1.0
            gap = x[i] - state.sums[1, i]
            state.sums[1, i] += gap / state.sums[0, i]
            state.sums[2, i] += gap * (x[i] - state.sums[1, i])
        out[i] = np.sqrt(state.sums[2, i] / (state.sums[0, i] - 1.0)) if state.sums[0, i] > 1.0 else np.nan


@kernel
def expanding_scan(state: ExpandingState, x: Floats, out: Floats) -> None:
    """Run `expanding_step` over the rows of x (T, N), writing out (T, N). Mutates state."""
    for t in range(x.shape[0]):
        expanding_step(state, x[t], out[t])


def expanding_std(x: ArrayLike) -> Floats:
    """Return the sample deviation of all known values so far, of a series (T,) or the columns of a table (T, N).

    Raises
    ------
    InputError
        x is not an array of numbers.
    """
    table = check.matrix(x, "expanding standard deviation")
    out = np.empty_like(table)
    expanding_scan(expanding_init(table.shape[1]), table, out)
    return out[:, 0] if np.ndim(x) == 1 else out
