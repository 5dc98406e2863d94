"""All nine planes of pairwise moments as sums of their own, those of kin too."""

import numpy as np

from plimsoll.engine.kernels.estimate.moments import COUNT, M02, M20, PLANES, SCRATCH, WEIGHT, WEIGHT2, State
from plimsoll.engine.types import Floats


def planes(state: State) -> Floats:
    """Return (9, N, N), zero beyond the diagonal: of kin what stands on the diagonal."""
    made = state.pair.copy()
    for i in range(len(state.kin)):
        for j in range(i):
            if state.kin[i] == state.kin[j]:
                for plane in (WEIGHT, WEIGHT2, COUNT, M20):
                    made[plane, i, j] = state.pair[plane, i, i]
                made[M02, i, j] = state.pair[M20, j, j]
    assert made.shape[0] == PLANES
    return made


def whole(pair: Floats) -> State:
    """Return the state whose planes are `pair` (9, N, N): nobody is kin."""
    return State(pair, np.arange(pair.shape[1]), np.zeros((SCRATCH, pair.shape[1])))
