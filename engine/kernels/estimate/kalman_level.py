"""Kalman filter of a level and its slope (local linear trend), observed through noise."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels import check
from plimsoll.engine.kernels.jit import inline_kernel, kernel
from plimsoll.engine.types import Floats

# Columns of `State.x`.
LEVEL: Final = 0
SLOPE: Final = 1
P_LEVEL: Final = 2  # variance of the level
P_CROSS: Final = 3  # covariance of level and slope
P_SLOPE: Final = 4  # variance of the slope
STATE_SIZE: Final = 5


class Params(NamedTuple):
    """Variances per bar, in squared units of the observation."""

    q_level: float  # process variance of the level
    q_slope: float  # process variance of the slope
    noise: float  # variance of the observation, > 0


class State(NamedTuple):
    """What the filter remembers: x (5,) level, slope, variance of level, covariance, variance of slope."""

    x: Floats  # all NaN before the first observation


def params(q_level: float = 0.01, q_slope: float = 0.01, noise: float = 2000.0) -> Params:
    """Return checked parameters.

    Raises
    ------
    InputError
        A variance is negative or not finite, or `noise` is zero.
    """
    for name, value in (("q_level", q_level), ("q_slope", q_slope), ("noise", noise)):
        if not (np.isfinite(value) and value >= 0.0) or (name == "noise" and value == 0.0):
            bound = "> 0" if name == "noise" else ">= 0"
            raise InputError(f"{name} = {value!r}", where="Kalman filter", fix=f"a variance must be finite and {bound}")
    return Params(float(q_level), float(q_slope), float(noise))


def init() -> State:
    """Return the state before the first observation."""
    return State(np.full(STATE_SIZE, np.nan))


@inline_kernel
def observed(
    level: float, slope: float, p00: float, p01: float, p11: float, q_level: float, q_slope: float, noise: float,
    price: float,
) -> tuple[float, float, float, float, float]:  # fmt: skip
    """Return level, slope and their covariance after a price; the formula stands in `step`."""
    ahead = level + slope
    m00 = p00 + 2.0 * p01 + p11 + q_level
    m01 = p01 + p11
    m11 = p11 + q_slope
    total = m00 + noise
    k0 = m00 / total
    k1 = m01 / total
    surprise = price - ahead
    return ahead + k0 * surprise, slope + k1 * surprise, (1.0 - k0) * m00, (1.0 - k0) * m01, m11 - k1 * m01


@kernel
def step(state: State, params: Params, price: float, out: Floats) -> None:
    """Advance the filter by one bar.

    price float, any unit, NaN or infinite = no observation: no time step, the outputs are carried.
    out (2,) level and slope per bar, in the unit of price; NaN before the first observation. Mutates state.

        first bar  x0 = c, x1 = 0, P = I
        predict    a = F x, M = F P F' + diag(q_level, q_slope),   F = [[1, 1], [0, 1]]
        update     S = M00 + noise, k = M[:, 0] / S, x = a + k (c - a0), P = (I - k H) M,   H = [1, 0]

    Source: Harvey (1989), Forecasting, Structural Time Series Models and the Kalman Filter, 2.3 and 3.2.
    """
    x = state.x
    if np.isfinite(price):
        if np.isnan(x[LEVEL]):
            x[LEVEL] = price
            x[SLOPE] = 0.0
            x[P_LEVEL] = 1.0
            x[P_CROSS] = 0.0
            x[P_SLOPE] = 1.0
        else:
            x[LEVEL], x[SLOPE], x[P_LEVEL], x[P_CROSS], x[P_SLOPE] = observed(
                x[LEVEL], x[SLOPE], x[P_LEVEL], x[P_CROSS], x[P_SLOPE], params.q_level, params.q_slope, params.noise,
                price,
            )  # fmt: skip
    out[LEVEL] = x[LEVEL]
    out[SLOPE] = x[SLOPE]


@inline_kernel
def block_step(x: Floats, params: Floats, price: float) -> None:
    """Advance B filters by the same price, each to the bit as `step` does.

    x (5, B) their states as columns, mutated; params (3, B) the fields of `Params` as rows.
    """
    if np.isfinite(price):
        if np.isnan(x[LEVEL, 0]):  # all have seen the same prices, so all or none
            for b in range(x.shape[1]):
                x[LEVEL, b], x[SLOPE, b], x[P_LEVEL, b], x[P_CROSS, b], x[P_SLOPE, b] = price, 0.0, 1.0, 0.0, 1.0
        else:
            for b in range(x.shape[1]):
                x[LEVEL, b], x[SLOPE, b], x[P_LEVEL, b], x[P_CROSS, b], x[P_SLOPE, b] = observed(
                    x[LEVEL, b], x[SLOPE, b], x[P_LEVEL, b], x[P_CROSS, b], x[P_SLOPE, b], params[0, b], params[1, b],
                    params[2, b], price,
                )  # fmt: skip


@kernel
def scan(state: State, params: Params, price: Floats, out: Floats) -> None:
    """Run `step` over price (T,), writing level and slope to out (T, 2). Mutates state."""
    for t in range(price.shape[0]):
        step(state, params, price[t], out[t])


def level_slope(price: ArrayLike, params: Params | None = None) -> Floats:
    """Return the filtered level and its change per bar (T, 2) of a series (T,), in the unit of price.

    Raises
    ------
    InputError
        price is not a one-dimensional array of numbers.
    """
    series = check.series(price, "Kalman filter")
    out = np.empty((series.shape[0], 2))
    scan(init(), Params(0.01, 0.01, 2000.0) if params is None else params, series, out)
    return out
