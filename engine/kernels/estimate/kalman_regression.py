"""Kalman filter of a regression y = alpha + beta x whose coefficients wander: hedge ratios of pairs."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels import check
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.types import Floats

# Columns of `out`.
ALPHA: Final = 0
BETA: Final = 1
SURPRISE: Final = 2  # y less its prediction, NaN on a gap
DEVIATION: Final = 3  # predicted standard deviation of the surprise, NaN on a gap
SCORE: Final = 4  # SURPRISE / DEVIATION, NaN on a gap
COLUMNS: Final = 5

# Places in `State.x` after alpha and beta.
P00: Final = 2
P01: Final = 3
P11: Final = 4


class Params(NamedTuple):
    """Variances: of the observation, and added per bar to each coefficient."""

    drift: float  # q = delta / (1 - delta)
    noise: float  # r, in squared units of y
    start: float  # variance of each coefficient before the first bar


class State(NamedTuple):
    """x (5,): alpha, beta, and their covariance p00, p01, p11."""

    x: Floats


def params(delta: float = 1e-4, noise: float = 1e-3, start: float = 1.0) -> Params:
    """Return checked parameters.

    delta in [0, 1) says how fast the coefficients wander, start how little is known before the first bar.

    Raises
    ------
    InputError
        delta outside [0, 1), or a variance that is not positive.
    """
    where = "Kalman regression"
    if not 0.0 <= delta < 1.0:
        raise InputError(f"delta = {delta!r}", where=where, fix="pass a fraction in [0, 1)")
    for name, value in (("noise", noise), ("start", start)):
        if not 0.0 < value < np.inf:
            raise InputError(f"{name} = {value!r}", where=where, fix="pass a variance > 0")
    return Params(float(delta / (1.0 - delta)), float(noise), float(start))


def init(params: Params) -> State:
    """Return the state before the first bar: both coefficients 0, known to within `start`."""
    return State(np.array([0.0, 0.0, params.start, 0.0, params.start]))


@kernel
def step(state: State, params: Params, y: float, x: float, out: Floats) -> None:
    """Advance the regression of y on x by one bar.

    y, x float, usually log prices; if one is not finite it is a gap: no time step, coefficients carried, the rest NaN.
    out (5,): alpha, beta after the bar; the surprise y - (alpha + beta x) predicted *before* it, its standard
    deviation, and their ratio. Mutates state.

        predict  P = P + q I;   e = y - H theta,  S = H P H' + r,   H = [1, x]
        update   k = P H' / S,  theta = theta + k e,  P = P - k H P

    Source: Harvey (1989), 3.2; Chan (2013), Algorithmic Trading, ch. 3, for its use on pairs.
    """
    m = state.x
    surprise = deviation = np.nan
    if np.isfinite(y) and np.isfinite(x):
        p00 = m[P00] + params.drift
        p01 = m[P01]
        p11 = m[P11] + params.drift
        g0 = p00 + p01 * x
        g1 = p01 + p11 * x
        variance = g0 + g1 * x + params.noise
        surprise = y - (m[ALPHA] + m[BETA] * x)
        deviation = np.sqrt(variance)
        k0 = g0 / variance
        k1 = g1 / variance
        m[ALPHA] += k0 * surprise
        m[BETA] += k1 * surprise
        m[P00] = p00 - k0 * g0
        m[P01] = p01 - k0 * g1
        m[P11] = p11 - k1 * g1
    out[ALPHA] = m[ALPHA]
    out[BETA] = m[BETA]
    out[SURPRISE] = surprise
    out[DEVIATION] = deviation
    out[SCORE] = surprise / deviation


@kernel
def scan(state: State, params: Params, y: Floats, x: Floats, out: Floats) -> None:
    """Run `step` over y and x (T,), writing out (T, 5). Mutates state."""
    for t in range(y.shape[0]):
        step(state, params, y[t], x[t], out[t])


def hedge_ratio(y: ArrayLike, x: ArrayLike, delta: float = 1e-4, noise: float = 1e-3, start: float = 1.0) -> Floats:
    """Return alpha, beta, surprise, its standard deviation and score (T, 5) of y (T,) regressed on x (T,).

    Raises
    ------
    InputError
        Series of different lengths, or a parameter out of range.
    """
    where = "Kalman regression"
    left, right = check.series(y, where), check.series(x, where)
    check.same_length(where, y=left, x=right)
    chosen = params(delta, noise, start)
    out = np.empty((left.shape[0], COLUMNS))
    scan(init(chosen), chosen, left, right, out)
    return out
