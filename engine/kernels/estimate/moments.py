"""Recursive pairwise moments: all that a shrunk covariance needs, one bar at a time, histories of any length.

About zero, as RiskMetrics does, which makes them exact recursively. A pair ages only on rows where both returns are
known: a row where one is unknown is no observation of the pair.
"""

from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.types import Floats, Ints

# Planes of `State.pair`, sums over the rows common to i and j <= i with weights w = decay^age. Beyond the diagonal they
# hold nothing: each pair is kept once, and who reads them goes along rows.
WEIGHT: Final = 0  # sum w
WEIGHT2: Final = 1  # sum w^2
M11: Final = 2  # sum w x_i x_j
M20: Final = 3  # sum w x_i^2
M02: Final = 4  # sum w x_j^2
M22: Final = 5  # sum w x_i^2 x_j^2
M31: Final = 6  # sum w x_i^3 x_j
M13: Final = 7  # sum w x_i x_j^3
COUNT: Final = 8  # common rows
PLANES: Final = 9

# Rows of a few planes at a time let the processor take several columns at once. Where rows are this long it waits for
# memory instead, and is served best when it asks for all planes together.
LONG: Final = 400


class Params(NamedTuple):
    """How fast the past fades."""

    decay: float  # weight of a row relative to the next one, in (0, 1]


class State(NamedTuple):
    """The sums so far."""

    pair: Floats  # (9, N, N)
    scratch: Floats  # (6, N) of the last call, not memory


def params(half_life: float) -> Params:
    """Return parameters from a half-life in bars (infinite: equal weights); raises InputError unless it is > 0."""
    if not half_life > 0.0:
        raise InputError(f"half_life = {half_life!r}", where="EWMA moments", fix="pass a number of bars > 0")
    return Params(float(0.5 ** (1.0 / half_life)))


def init(n_assets: int) -> State:
    """Return the state before the first row."""
    return State(np.zeros((PLANES, n_assets, n_assets)), np.zeros((6, n_assets)))


@kernel
def step(state: State, params: Params, x: Floats) -> None:
    """Take in one row of returns x (N,), NaN = not known. Mutates state.

        sum_t = decay * sum_{t-1} + term_t   for each pair whose two returns are known; the other pairs stay

    Source: RiskMetrics Technical Document (1996), ch. 5; the fourth moments as in Ledoit & Wolf (2004).
    """
    n = x.shape[0]
    pair = state.pair
    value, known, fade, fade2 = state.scratch[0], state.scratch[1], state.scratch[2], state.scratch[3]
    square, cube = state.scratch[4], state.scratch[5]
    for j in range(n):
        seen = x[j] == x[j]
        value[j] = x[j] if seen else 0.0
        known[j] = 1.0 if seen else 0.0
        fade[j] = params.decay if seen else 1.0
        fade2[j] = params.decay * params.decay if seen else 1.0
        square[j] = value[j] * value[j]
        cube[j] = square[j] * value[j]
    for i in range(n):
        if known[i] == 1.0:
            xi, xi2, xi3 = value[i], square[i], cube[i]
            weight, weight2, count = pair[WEIGHT, i], pair[WEIGHT2, i], pair[COUNT, i]
            m11, m20, m02 = pair[M11, i], pair[M20, i], pair[M02, i]
            m22, m31, m13 = pair[M22, i], pair[M31, i], pair[M13, i]
            if i >= LONG:
                for j in range(i + 1):
                    weight[j] = weight[j] * fade[j] + known[j]
                    weight2[j] = weight2[j] * fade2[j] + known[j]
                    m11[j] = m11[j] * fade[j] + xi * value[j]
                    m20[j] = m20[j] * fade[j] + xi2 * known[j]
                    m02[j] = m02[j] * fade[j] + square[j]
                    m22[j] = m22[j] * fade[j] + xi2 * square[j]
                    m31[j] = m31[j] * fade[j] + xi3 * value[j]
                    m13[j] = m13[j] * fade[j] + xi * cube[j]
                    count[j] += known[j]
                continue
            for j in range(i + 1):
                weight[j] = weight[j] * fade[j] + known[j]
                m20[j] = m20[j] * fade[j] + xi2 * known[j]
            for j in range(i + 1):
                weight2[j] = weight2[j] * fade2[j] + known[j]
                count[j] += known[j]
            for j in range(i + 1):
                m11[j] = m11[j] * fade[j] + xi * value[j]
                m31[j] = m31[j] * fade[j] + xi3 * value[j]
            for j in range(i + 1):
                m02[j] = m02[j] * fade[j] + square[j]
                m22[j] = m22[j] * fade[j] + xi2 * square[j]
            for j in range(i + 1):
                m13[j] = m13[j] * fade[j] + xi * cube[j]


@kernel
def forget(state: State, i: int) -> None:
    """Forget everything that was seen of asset i. Mutates state."""
    pair = state.pair
    for plane in range(pair.shape[0]):
        for j in range(i + 1):
            pair[plane, i, j] = 0.0
        for j in range(i + 1, pair.shape[1]):
            pair[plane, j, i] = 0.0


@kernel
def scan(state: State, params: Params, x: Floats) -> None:
    """Run `step` over the rows of x (T, N). Mutates state."""
    for t in range(x.shape[0]):
        step(state, params, x[t])


@kernel
def sub_moments(pair: Floats, chosen: Ints) -> Floats:
    """Return the (9, K, K) moments of the chosen columns, which ascend."""
    k = chosen.shape[0]
    out = np.zeros((pair.shape[0], k, k))
    for plane in range(pair.shape[0]):
        for a in range(k):
            for b in range(a + 1):
                out[plane, a, b] = pair[plane, chosen[a], chosen[b]]
    return out


@kernel
def effective_size(pair: Floats, min_overlap: int) -> float:
    """Return how many observations the moments (9, K, K) are worth: the harmonic mean over pairs; 0 without any.

    A pair's own is (sum w)^2 / sum w^2; the mean is harmonic because an estimate's variance goes with 1 / n. Pairs with
    fewer than min_overlap common rows are left out: nothing is estimated of them.
    Source: Kish (1965), Survey sampling.
    """
    total, pairs = 0.0, 0
    for i in range(pair.shape[1]):
        for j in range(i):
            mass = pair[WEIGHT, i, j]
            if pair[COUNT, i, j] >= min_overlap and mass > 0.0:
                total += pair[WEIGHT2, i, j] / (mass * mass)
                pairs += 1
    return pairs / total if pairs > 0 else 0.0
