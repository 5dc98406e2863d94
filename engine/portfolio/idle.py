"""What becomes of the share of a sleeve that holds nothing.

    slot_s   the share that stage 1 applies; a sleeve keeps it, whatever it holds
    idle for `release` sessions: the others have it, scaled up by one factor, none above max(cap, slot)
    back: its share moves in a straight line to what it would have beside the others, there after `RETURN_SESSIONS`

The straight line begins at what nobody took: a slot that only lay in cash is there at once. What the cap leaves over
is cash. The ramp of stage 1 is for sleeves that are new to the book, this is not one.
Source: this project's ruling; the share of capital that is idle is a figure of every decision.
"""

from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.kernels.allocate.waterfill import fill_up
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.kernels.linalg import copy_to
from plimsoll.engine.types import Floats

RETURN_SESSIONS: Final = 5.0


class State(NamedTuple):
    """Memory of S sleeves: sessions (S,) in a row without a position; back (S,) of the sessions of a return, 0 while
    the slot is released; share (S,) in force.
    """

    sessions: Floats
    back: Floats
    share: Floats


def init(n_sleeves: int) -> State:
    """Return the state before the first session: nobody's slot is released."""
    return State(np.zeros(n_sleeves), np.full(n_sleeves, RETURN_SESSIONS), np.zeros(n_sleeves))


@kernel
def observe(unit: Floats, release: Floats, slot: Floats, cap: float, s: State) -> None:
    """Take in the close of a session and write the shares in force. Mutates s.

    unit (S, N) normalised weights of the sleeves; release (S,) sessions, 0 = never; slot (S,) of sum 1, or all 0.
    """
    whole = True
    for k in range(slot.shape[0]):
        if is_idle(unit[k]):
            s.sessions[k] += 1.0
            if 0.0 < release[k] <= s.sessions[k]:
                s.back[k] = 0.0
        else:
            s.sessions[k] = 0.0
            s.back[k] = min(s.back[k] + 1.0, RETURN_SESSIONS)
        whole = whole and (slot[k] == 0.0 or s.back[k] == RETURN_SESSIONS)
    if whole:
        copy_to(s.share, slot)
    else:
        lend(slot, s.back, cap, s.share)


@kernel
def is_idle(unit: Floats) -> bool:
    """Return whether normalised weights (N,) hold nothing."""
    count = 0
    for i in range(unit.shape[0]):
        count += unit[i] != 0.0
    return count == 0


@kernel
def lend(slot: Floats, back: Floats, cap: float, share: Floats) -> None:
    """Write the shares (S,) of which released slots are lent, and returning ones are on their way back."""
    n, total = slot.shape[0], 0.0
    beside, without = np.zeros(n), np.zeros(n)
    for k in range(n):
        total += slot[k]
        beside[k] = slot[k] if back[k] > 0.0 else 0.0
        without[k] = slot[k] if back[k] == RETURN_SESSIONS else 0.0
        share[k] = without[k]
    fill_up(cap, total, beside)
    fill_up(cap, total, without)
    left, wanted = total, 0.0
    for k in range(n):
        left -= without[k]
        wanted += beside[k] if without[k] == 0.0 else 0.0
    at_once = min(max(left, 0.0) / wanted, 1.0) if wanted > 0.0 else 0.0
    for k in range(n):
        if without[k] == 0.0 and beside[k] > 0.0:
            start = at_once * beside[k]
            returning = start + (back[k] / RETURN_SESSIONS) * (beside[k] - start)
            total -= returning
            beside[k] = returning
    fill_up(cap, total, share)
    for k in range(n):
        if without[k] == 0.0:
            share[k] = beside[k]


@kernel
def idle_capital(share: Floats, unit: Floats) -> float:
    """Return the part of the book that no sleeve uses: idle sleeves' shares (S,) and what nobody has."""
    used = 0.0
    for k in range(share.shape[0]):
        if not is_idle(unit[k]):
            used += share[k]
    return max(1.0 - used, 0.0)
