"""Exponentially weighted mean, variance and covariance, bias-corrected, one bar at a time.

Weights are normalised: after n known values they are decay^age / sum, not (1 - decay) decay^age, so young estimates
are unbiased. A value that is not known is no observation: nothing ages.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels import check
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.types import Bools, Floats

# Rows of `State.sums` and, the first three, of `out`.
MEAN: Final = 0
SECOND: Final = 1  # mean square about zero: the variance of RiskMetrics
CENTRAL: Final = 2  # mean square about the weighted mean
OUTPUTS: Final = 3
WEIGHT: Final = 3  # sum of the weights
WEIGHT2: Final = 4  # sum of their squares; WEIGHT^2 / WEIGHT2 is the effective sample size
COUNT: Final = 5  # known values
ROWS: Final = 6


class Params(NamedTuple):
    """How fast the past fades."""

    decay: float  # weight of a value relative to the next one, in (0, 1]


class State(NamedTuple):
    """The estimates so far: sums (6, N)."""

    sums: Floats


class CovState(NamedTuple):
    """The pairwise sums so far."""

    pair: Floats  # (2, N, N) weights, and weighted products, of the rows common to i and j
    scratch: Floats  # (3, N) of the last call, not memory


def params(half_life: float | None = None, *, centre_of_mass: float | None = None) -> Params:
    """Return parameters from a half-life or a centre of mass, in bars.

    decay = 2^(-1 / half_life), or centre_of_mass / (1 + centre_of_mass).

    Raises
    ------
    InputError
        Neither or both are given, or not positive.
    """
    if (half_life is None) == (centre_of_mass is None):
        raise InputError("exactly one of half_life and centre_of_mass is needed", where="EWMA")
    given = half_life if half_life is not None else centre_of_mass
    if given is None or not given > 0.0:
        raise InputError(f"{given!r} bars", where="EWMA", fix="pass a number of bars > 0")
    if half_life is not None:
        return Params(float(0.5 ** (1.0 / half_life)))
    return Params(float(given / (1.0 + given)) if given < np.inf else 1.0)


def init(n_assets: int) -> State:
    """Return the state before the first row."""
    return State(np.zeros((ROWS, n_assets)))


@kernel
def step(state: State, params: Params, x: Floats, out: Floats) -> None:
    """Take in one row x (N,), NaN = not known, and write mean, mean square and variance to out (3, N). Mutates state.

        W <- decay W + 1,   m <- m + (x - m) / W,   v <- v + (x^2 - v) / W,   c <- (1 - 1/W) (c + (x - m_old)^2 / W)

    The variances are population ones; NaN before the first known value.
    Source: RiskMetrics (1996), ch. 5; West (1979), Updating mean and variance estimates, for the weighted form.
    """
    sums = state.sums
    for i in range(x.shape[0]):
        known = x[i] == x[i]
        weight = params.decay * sums[WEIGHT, i] + 1.0
        share = 1.0 / weight
        gap = x[i] - sums[MEAN, i]
        sums[CENTRAL, i] = (1.0 - share) * (sums[CENTRAL, i] + gap * gap * share) if known else sums[CENTRAL, i]
        sums[MEAN, i] = sums[MEAN, i] + gap * share if known else sums[MEAN, i]
        sums[SECOND, i] = sums[SECOND, i] + (x[i] * x[i] - sums[SECOND, i]) * share if known else sums[SECOND, i]
        sums[WEIGHT2, i] = params.decay * params.decay * sums[WEIGHT2, i] + 1.0 if known else sums[WEIGHT2, i]
        sums[WEIGHT, i] = weight if known else sums[WEIGHT, i]
        sums[COUNT, i] = sums[COUNT, i] + 1.0 if known else sums[COUNT, i]
    for k in range(OUTPUTS):
        for i in range(x.shape[0]):
            out[k, i] = sums[k, i] if sums[COUNT, i] > 0.0 else np.nan


@kernel
def forget(state: State, gone: Bools) -> None:
    """Forget everything that was seen of the columns gone (N,). Mutates state."""
    sums = state.sums
    for i in range(gone.shape[0]):
        if gone[i]:
            for k in range(ROWS):
                sums[k, i] = 0.0


@kernel
def scan(state: State, params: Params, x: Floats, out: Floats) -> None:
    """Run `step` over the rows of x (T, N), writing out (T, 3, N). Mutates state."""
    for t in range(x.shape[0]):
        step(state, params, x[t], out[t])


def cov_init(n_assets: int) -> CovState:
    """Return the state before the first row."""
    return CovState(np.zeros((2, n_assets, n_assets)), np.zeros((3, n_assets)))


@kernel
def cov_step(state: CovState, params: Params, x: Floats, out: Floats) -> None:
    """Take in one row of returns x (N,), NaN = not known, and write their covariance about zero to out (N, N).

        S_ij = sum w x_i x_j / sum w over the rows common to i and j,   w = decay^age in such rows

    NaN where two assets have never been known together; symmetric by bytes; positive semidefinite only where no row
    had a gap. Mutates state.
    Source: RiskMetrics Technical Document, 4th ed. (1996), ch. 5 (zero mean assumed, as there).
    """
    n = x.shape[0]
    pair = state.pair
    value, known, fade = state.scratch[0], state.scratch[1], state.scratch[2]
    for j in range(n):
        seen = x[j] == x[j]
        value[j] = x[j] if seen else 0.0
        known[j] = 1.0 if seen else 0.0
        fade[j] = params.decay if seen else 1.0
    for i in range(n):
        if known[i] == 1.0:
            for j in range(n):
                pair[0, i, j] = pair[0, i, j] * fade[j] + known[j]
                pair[1, i, j] = pair[1, i, j] * fade[j] + value[i] * value[j]
        for j in range(n):
            out[i, j] = pair[1, i, j] / pair[0, i, j]


@kernel
def cov_scan(state: CovState, params: Params, x: Floats, out: Floats) -> None:
    """Run `cov_step` over the rows of x (T, N), writing out (T, N, N). Mutates state."""
    for t in range(x.shape[0]):
        cov_step(state, params, x[t], out[t])


def ewma(x: ArrayLike, half_life: float | None = None, *, centre_of_mass: float | None = None) -> Floats:
    """Return mean, mean square and variance (T, 3, N) of the columns of x (T, N) or of a series (T,), N = 1.

    Raises
    ------
    InputError
        x is not an array of numbers, or not exactly one positive of half_life and centre_of_mass (bars) is given.
    """
    table = check.matrix(x, "EWMA")
    out = np.empty((table.shape[0], OUTPUTS, table.shape[1]))
    scan(init(table.shape[1]), params(half_life, centre_of_mass=centre_of_mass), table, out)
    return out


def ewma_covariance(returns: ArrayLike, half_life: float) -> Floats:
    """Return the covariance about zero (N, N) of returns (T, N) as of the last row.

    Raises
    ------
    InputError
        returns is not an array of numbers, or half_life (bars) is not positive.
    """
    table = check.matrix(returns, "EWMA covariance")
    chosen = params(half_life)
    state, out = cov_init(table.shape[1]), np.full((table.shape[1], table.shape[1]), np.nan)
    for row in table:
        cov_step(state, chosen, row, out)
    return out
