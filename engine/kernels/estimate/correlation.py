"""Rolling correlation of two series, a function of the last `window` rows alone, by bytes."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from plimsoll.engine.kernels import check
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.types import Floats, Ints


class Params(NamedTuple):
    """Shape of a rolling correlation."""

    window: int  # bars
    min_obs: int  # rows with both known


class State(NamedTuple):
    """The last rows, each kept twice so that the window is one contiguous block in order of age."""

    ring: Floats  # (2 * window, 2), NaN = no row yet
    head: Ints  # (1,)


def params(window: int, min_obs: int | None = None) -> Params:
    """Return checked parameters; `min_obs` defaults to the full window; raises InputError where they cannot work."""
    window = check.whole(window, "window", 2, "rolling correlation")
    least = check.whole(window if min_obs is None else min_obs, "min_obs", 2, "rolling correlation")
    return Params(check.whole(window, "window", least, "rolling correlation"), least)


def init(params: Params) -> State:
    """Return the state before the first row."""
    return State(np.full((2 * params.window, 2), np.nan), np.zeros(1, dtype=np.int64))


@kernel
def step(state: State, params: Params, x: float, y: float, out: Floats) -> None:
    """Take in x and y, NaN = not known, and write their rolling correlation to out (1,). Mutates state.

    About the means of the rows where both are known; NaN below min_obs of them or where one does not move.
    Source: Pearson's product-moment correlation, two passes.
    """
    ring = state.ring
    slot = state.head[0]
    for first in (slot, slot + params.window):
        ring[first, 0] = x
        ring[first, 1] = y
    count = mean_x = mean_y = anchor_x = anchor_y = 0.0
    for r in range(slot + 1, slot + 1 + params.window):
        if ring[r, 0] == ring[r, 0] and ring[r, 1] == ring[r, 1]:
            if count == 0.0:
                anchor_x, anchor_y = ring[r, 0], ring[r, 1]
            count += 1.0
            mean_x += ring[r, 0] - anchor_x
            mean_y += ring[r, 1] - anchor_y
    value = np.nan
    if count >= params.min_obs:
        mean_x /= count
        mean_y /= count
        xx = xy = yy = 0.0
        for r in range(slot + 1, slot + 1 + params.window):
            if ring[r, 0] == ring[r, 0] and ring[r, 1] == ring[r, 1]:
                gap_x = ring[r, 0] - anchor_x - mean_x
                gap_y = ring[r, 1] - anchor_y - mean_y
                xx += gap_x * gap_x
                xy += gap_x * gap_y
                yy += gap_y * gap_y
        if xx > 0.0 and yy > 0.0:
            value = min(max(xy / (np.sqrt(xx) * np.sqrt(yy)), -1.0), 1.0)
    out[0] = value
    state.head[0] = slot + 1 if slot + 1 < params.window else 0


@kernel
def scan(state: State, params: Params, x: Floats, y: Floats, out: Floats) -> None:
    """Run `step` over x and y (T,), writing out (T, 1). Mutates state."""
    for t in range(x.shape[0]):
        step(state, params, x[t], y[t], out[t])


def rolling_corr(x: ArrayLike, y: ArrayLike, window: int, min_obs: int | None = None) -> Floats:
    """Return the rolling correlation (T,) of two series (T,).

    Raises
    ------
    InputError
        The series differ in length, or the window cannot give a correlation.
    """
    left, right = check.series(x, "rolling correlation"), check.series(y, "rolling correlation")
    check.same_length("rolling correlation", x=left, y=right)
    chosen = params(window, min_obs)
    out = np.empty((left.shape[0], 1))
    scan(init(chosen), chosen, left, right, out)
    return out[:, 0]
