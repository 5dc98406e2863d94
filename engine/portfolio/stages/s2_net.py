"""Stage 2: one book of symbols.

    W = sum_s a_s z_s;   within a group of wrappers of the same thing, W_primary += W_other, W_other = 0

The primary is the first member of its group that can trade now; net exposure is preserved exactly and gross never
rises. A symbol with fewer than `min_obs` returns is not traded in a book, so it is no primary either.
Source: portfolio integration layer, stage 2.
"""

import numpy as np

from plimsoll.engine.kernels.derive import TRADING
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.types import Bools, Codes, Floats, Ints


@kernel
def without_cash(weight: Floats, is_cash: Bools) -> Floats:
    """Return weights (S, N) with 0 for what is cash, (N,)."""
    risky = np.empty(weight.shape)
    for s in range(weight.shape[0]):
        for i in range(weight.shape[1]):
            risky[s, i] = 0.0 if is_cash[i] else weight[s, i]
    return risky


@kernel
def combine(share: Floats, scale: Floats, unit: Floats, out: Floats) -> None:
    """Write sum_s share_s scale_s unit_s to out (N,); share, scale (S,), unit (S, N)."""
    for i in range(out.shape[0]):
        out[i] = 0.0
    for s in range(unit.shape[0]):
        factor = share[s] * scale[s]
        if factor != 0.0:
            for i in range(out.shape[0]):
                out[i] += factor * unit[s, i]


@kernel
def parts_of(share: Floats, scale: Floats, unit: Floats, out: Floats) -> None:
    """Write share_s scale_s unit_s to out (S, N): the terms of `combine`."""
    for s in range(unit.shape[0]):
        for i in range(unit.shape[1]):
            out[s, i] = share[s] * scale[s] * unit[s, i]


@kernel
def drop_young(n_obs: Floats, min_obs: float, w: Floats) -> None:
    """Set weights (N,) on symbols with fewer than min_obs returns to zero."""
    for i in range(w.shape[0]):
        if n_obs[i] < min_obs:
            w[i] = 0.0


@kernel
def net_wrappers(member: Ints, group: Ints, status: Codes, n_obs: Floats, min_obs: float, w: Floats) -> None:
    """Move every group's weight onto its first tradable member.

    member (M,) columns in order of preference, group (M,) the group of each, ascending; status, n_obs (N,). A group
    in which nothing trades, or nothing has min_obs returns, stays as it is.
    """
    start = 0
    while start < member.shape[0]:
        stop = start
        while stop < member.shape[0] and group[stop] == group[start]:
            stop += 1
        primary, total = -1, 0.0
        for k in range(start, stop):
            total += w[member[k]]
            if primary < 0 and status[member[k]] == TRADING and n_obs[member[k]] >= min_obs:
                primary = member[k]
        if primary >= 0:
            for k in range(start, stop):
                w[member[k]] = 0.0
            w[primary] = total
        start = stop


def wrapper_arrays(groups: tuple[tuple[str, ...], ...], symbols: tuple[str, ...]) -> tuple[Ints, Ints]:
    """Return (member columns, their group numbers) of the groups with at least two members in the panel."""
    members, numbers = [], []
    for number, group in enumerate(groups):
        here = [symbols.index(symbol) for symbol in group if symbol in symbols]
        if len(here) > 1:
            members += here
            numbers += [number] * len(here)
    return np.array(members, dtype=np.int64), np.array(numbers, dtype=np.int64)
