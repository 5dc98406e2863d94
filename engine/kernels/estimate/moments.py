"""Recursive pairwise moments: all that a shrunk covariance needs, one bar at a time, histories of any length.

About zero, as RiskMetrics does, which makes them exact recursively. A pair ages only on rows where both returns are
known: a row where one is unknown is no observation of the pair.
"""

from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.errors import EngineError, InputError
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.types import Floats, Ints

# Planes of `State.pair`, sums over the rows common to i and j <= i with weights w = decay^age. Beyond the diagonal they
# hold nothing: each pair is kept once, and who reads them goes along rows. Of two assets that have been known on the
# same rows, `State.kin`, five of the nine are what stands on the diagonal, M20 of i, M20 of j and the others of either:
# they are kept there alone, and what the planes hold for the pair is not to be read.
WEIGHT: Final = 0  # sum w; of kin on the diagonal
WEIGHT2: Final = 1  # sum w^2; of kin on the diagonal
M11: Final = 2  # sum w x_i x_j
M20: Final = 3  # sum w x_i^2; of kin on the diagonal
M02: Final = 4  # sum w x_j^2; of kin on the diagonal
M22: Final = 5  # sum w x_i^2 x_j^2
M31: Final = 6  # sum w x_i^3 x_j
M13: Final = 7  # sum w x_i x_j^3
COUNT: Final = 8  # common rows; of kin on the diagonal
PLANES: Final = 9

# Rows of a few planes at a time let the processor take several columns at once. Where rows are this long it waits for
# memory instead, and is served best when it asks for all planes together.
LONG: Final = 400


# What `own` returns, and where.
OF_KIN: Final = (WEIGHT, WEIGHT2, M20, COUNT)
OWN_WEIGHT: Final = 0
OWN_WEIGHT2: Final = 1
OWN_M20: Final = 2
OWN_COUNT: Final = 3

FIRST: Final = 6  # row of `State.scratch`
SCRATCH: Final = 7


class Params(NamedTuple):
    """How fast the past fades."""

    decay: float  # weight of a row relative to the next one, in (0, 1]


class State(NamedTuple):
    """The sums so far."""

    pair: Floats  # (9, N, N)
    kin: Ints  # (N,) the first of the assets that have been known on the same rows
    scratch: Floats  # (7, N) of the last call, not memory


def params(half_life: float) -> Params:
    """Return parameters from a half-life in bars (infinite: equal weights); raises InputError unless it is > 0."""
    if not half_life > 0.0:
        raise InputError(f"half_life = {half_life!r}", where="EWMA moments", fix="pass a number of bars > 0")
    return Params(float(0.5 ** (1.0 / half_life)))


def init(n_assets: int) -> State:
    """Return the state before the first row."""
    kin = np.zeros(n_assets, dtype=np.int64)
    return State(np.zeros((PLANES, n_assets, n_assets)), kin, np.zeros((SCRATCH, n_assets)))


def check_kin(kin: Ints, where: str) -> None:
    """Refuse saved labels that are none: kernels take `State.kin` (N,) for places in arrays and ask no more.

    Raises
    ------
    EngineError
        Naming the first asset whose label is not that of an asset before it, or its own, that is labelled by itself.
    """
    for i, first in enumerate(kin.tolist()):
        if not (0 <= first <= i and kin[first] == first):
            raise EngineError(f"{where}: the saved 'kin' of asset {i} is {first}, which is not the first of any")


@kernel
def give_own(state: State, i: int, j: int) -> None:
    """Write to the planes of kin i and j < i what stands on the diagonal. Mutates state."""
    pair = state.pair
    for plane in OF_KIN:
        pair[plane, i, j] = pair[plane, i, i]
    pair[M02, i, j] = pair[M20, j, j]


@kernel
def part(state: State, known: Floats) -> None:
    """Part kin of whom some are known, 1, on a row and some are not, 0: known (N,). Mutates state."""
    kin, first = state.kin, state.scratch[FIRST]
    parted = False
    for i in range(known.shape[0]):
        first[i] = -1.0
        parted = parted or known[i] != known[kin[i]]
    if not parted:
        return
    for i in range(known.shape[0]):
        if known[i] != known[kin[i]] and first[kin[i]] < 0.0:
            first[kin[i]] = i
        for j in range(i):
            if kin[i] == kin[j] and known[i] != known[j]:
                give_own(state, i, j)
    for i in range(known.shape[0]):
        if known[i] != known[kin[i]]:
            kin[i] = int(first[kin[i]])


@kernel
def meet(state: State, i: int, start: int, stop: int) -> None:
    """Take in a row for what depends on which rows i and each j in [start, stop) have in common. Mutates state."""
    pair, scratch = state.pair, state.scratch
    known, fade, fade2 = scratch[1, start:stop], scratch[2, start:stop], scratch[3, start:stop]
    square, xi2 = scratch[4, start:stop], scratch[4, i]
    weight, weight2 = pair[WEIGHT, i, start:stop], pair[WEIGHT2, i, start:stop]
    m20, m02, count = pair[M20, i, start:stop], pair[M02, i, start:stop], pair[COUNT, i, start:stop]
    for j in range(known.shape[0]):
        weight[j] = weight[j] * fade[j] + known[j]
        m20[j] = m20[j] * fade[j] + xi2 * known[j]
    for j in range(known.shape[0]):
        weight2[j] = weight2[j] * fade2[j] + known[j]
        count[j] += known[j]
    for j in range(known.shape[0]):
        m02[j] = m02[j] * fade[j] + square[j]


@kernel
def age(state: State, params: Params, i: int) -> None:
    """Take in a row for the sums of i alone. Mutates state."""
    pair, square = state.pair, state.scratch[4]
    pair[WEIGHT, i, i] = pair[WEIGHT, i, i] * params.decay + 1.0
    pair[WEIGHT2, i, i] = pair[WEIGHT2, i, i] * (params.decay * params.decay) + 1.0
    pair[COUNT, i, i] += 1.0
    for plane in (M20, M02):
        pair[plane, i, i] = pair[plane, i, i] * params.decay + square[i]


@kernel
def step(state: State, params: Params, x: Floats) -> None:
    """Take in one row of returns x (N,), NaN = not known. Mutates state.

        sum_t = decay * sum_{t-1} + term_t   for each pair whose two returns are known; the other pairs stay

    Source: RiskMetrics Technical Document (1996), ch. 5; the fourth moments as in Ledoit & Wolf (2004).
    """
    n = x.shape[0]
    pair, kin = state.pair, state.kin
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
    part(state, known)
    other, stop = 0, 0  # where kin of the first asset end; where what is no kin of i does
    while other < n and kin[other] == kin[0]:
        other += 1
    for i in range(n):
        stop = i if i > 0 and kin[i] != kin[i - 1] else stop
        if known[i] == 1.0:
            xi, xi2, xi3 = value[i], square[i], cube[i]
            m11, m22, m31, m13 = pair[M11, i], pair[M22, i], pair[M31, i], pair[M13, i]
            if i >= LONG:
                for j in range(i + 1):
                    m11[j] = m11[j] * fade[j] + xi * value[j]
                    m22[j] = m22[j] * fade[j] + xi2 * square[j]
                    m31[j] = m31[j] * fade[j] + xi3 * value[j]
                    m13[j] = m13[j] * fade[j] + xi * cube[j]
            else:
                for j in range(i + 1):
                    m11[j] = m11[j] * fade[j] + xi * value[j]
                    m31[j] = m31[j] * fade[j] + xi3 * value[j]
                for j in range(i + 1):
                    m22[j] = m22[j] * fade[j] + xi2 * square[j]
                    m13[j] = m13[j] * fade[j] + xi * cube[j]
            age(state, params, i)
            start = other if kin[i] == kin[0] else 0
            if start < stop:
                meet(state, i, start, stop)


@kernel
def forget(state: State, i: int) -> None:
    """Forget everything that was seen of asset i. Mutates state."""
    pair, kin = state.pair, state.kin
    for plane in range(pair.shape[0]):
        for j in range(i + 1):
            pair[plane, i, j] = 0.0
        for j in range(i + 1, pair.shape[1]):
            pair[plane, j, i] = 0.0
    heir = -1
    for j in range(i + 1, kin.shape[0]):
        if kin[j] == i:
            heir = j if heir < 0 else heir
            kin[j] = heir
    kin[i] = i


@kernel
def scan(state: State, params: Params, x: Floats) -> None:
    """Run `step` over the rows of x (T, N). Mutates state."""
    for t in range(x.shape[0]):
        step(state, params, x[t])


@kernel
def sub_moments(state: State, chosen: Ints) -> State:
    """Return the moments of the K chosen columns, which ascend, to be read and not to be added to."""
    k = chosen.shape[0]
    pair, kin = np.zeros((PLANES, k, k)), np.empty(k, dtype=np.int64)
    for plane in range(PLANES):
        for a in range(k):
            for b in range(a + 1):
                pair[plane, a, b] = state.pair[plane, chosen[a], chosen[b]]
    for a in range(k):
        kin[a] = state.kin[chosen[a]]
    return State(pair, kin, np.empty((SCRATCH, 0)))


@kernel
def own(state: State, chosen: Ints) -> Floats:
    """Return the planes OF_KIN of the diagonal of the K chosen assets, (4, K): those of any two kin, too."""
    out = np.empty((len(OF_KIN), chosen.shape[0]))
    for at in range(len(OF_KIN)):
        for a in range(chosen.shape[0]):
            out[at, a] = state.pair[OF_KIN[at], chosen[a], chosen[a]]
    return out


@kernel
def effective_size(state: State, min_overlap: int) -> float:
    """Return how many observations the moments of K assets are worth: the harmonic mean over pairs; 0 without any.

    A pair's own is (sum w)^2 / sum w^2; the mean is harmonic because an estimate's variance goes with 1 / n. Pairs with
    fewer than min_overlap common rows are left out: nothing is estimated of them.
    Source: Kish (1965), Survey sampling.
    """
    pair, kin = state.pair, state.kin
    total, pairs = 0.0, 0
    for i in range(kin.shape[0]):
        for j in range(i):
            at = i if kin[i] == kin[j] else j
            mass = pair[WEIGHT, i, at]
            if pair[COUNT, i, at] >= min_overlap and mass > 0.0:
                total += pair[WEIGHT2, i, at] / (mass * mass)
                pairs += 1
    return pairs / total if pairs > 0 else 0.0
