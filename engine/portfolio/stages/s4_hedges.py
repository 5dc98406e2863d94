"""Stage 4, before its caps: what a name's cap takes from one leg of a hedge it takes from the other.

A cap acts on the netted book. Where it cuts one leg of a sleeve that is long and short at once, the other leg stays
behind as an outright bet. So each sleeve of that kind is scaled as a whole, by the smallest share that a cap leaves to
one of its legs. C_si is the part of sleeve s in the book of stage 3, W_i = sum_s C_si, f_s = 1 for every other sleeve:

    name i over its cap c_i:   k_i = (c_i + sum_s f_s |C_si| inward) / sum_s |C_si| outward
    f_s = min over the names over their caps in which s is outward of k_i;      W_i <- sum_s f_s C_si

outward: of the sign of W_i, inward: against it. k_i is what the cap leaves to everybody who pushes the name over it, in
proportion; what offsets them costs nothing. A sleeve that is scaled offsets less in its other names, which may take
those over their caps: the two lines are repeated until rounding is all that changes, and f only ever falls. The caps
that follow have to take nothing more from any leg of a hedge: what is still over, the sleeves of one sign have put
there.

Clusters, gross and net still cut legs apart. Nothing binds: nothing changes, to the bit. Source: ours.
"""

from typing import Final

import numpy as np

from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.kernels.linalg import copy_to, set_to
from plimsoll.engine.types import Bools, Floats

ROUNDS: Final = 10_000  # far more than there are: hedges that offset each other close in by a fixed part a round
CHANGE: Final = 1e-12  # of a factor: less is rounding


@kernel
def find_hedged(part: Floats, hedged: Bools) -> bool:
    """Write which sleeves are long and short at once; return whether any is. part (S, N) as `hedge_factors` has it."""
    found = False
    for s in range(part.shape[0]):
        long, short = False, False
        for i in range(part.shape[1]):
            long = long or part[s, i] > 0.0
            short = short or part[s, i] < 0.0
        hedged[s] = long and short
        found = found or hedged[s]
    return found


@kernel
def hedge_factors(part: Floats, limit: Floats, hedged: Bools, factor: Floats) -> bool:
    """Write what is left of each sleeve, factor (S,) in [0, 1]; return whether a hedged one is scaled.

    part (S, N) parts of the sleeves in the book, their sum the netted weights; limit (N,) the cap of each name.
    """
    n_sleeves, n = part.shape
    set_to(factor, 1.0)
    left, scaled = np.ones(n_sleeves), False
    for _ in range(ROUNDS):
        changed = False
        for i in range(n):
            total, outward, inward = 0.0, 0.0, 0.0
            for s in range(n_sleeves):
                total += factor[s] * part[s, i]
            if abs(total) <= limit[i]:
                continue
            side = 1.0 if total > 0.0 else -1.0
            for s in range(n_sleeves):
                x = side * part[s, i]
                if x > 0.0:
                    outward += x
                else:
                    inward -= factor[s] * x
            share = (limit[i] + inward) / outward
            for s in range(n_sleeves):
                if hedged[s] and side * part[s, i] > 0.0 and share < left[s] - CHANGE:
                    left[s] = share
                    changed = True
        if not changed:
            break
        copy_to(factor, left)  # all names were judged by the same book: their order does not matter
        scaled = True
    return scaled


@kernel
def scale_hedges(part: Floats, factor: Floats, w: Floats) -> None:
    """Take from w (N,) what is not left of each sleeve: part (S, N), factor (S,)."""
    for s in range(part.shape[0]):
        if factor[s] < 1.0:
            for i in range(w.shape[0]):
                w[i] -= (1.0 - factor[s]) * part[s, i]
