"""Stage 8: the capital ladder. Account size sets gross and name caps, tickets, dust and the number of names.

A tier begins at its lower bound, inclusive. On the way down it is left only `hysteresis` below that bound, and at
most once per session, so an account that starts on a bound does not flip to and fro.
Source: portfolio integration layer, stage 8; tickets and dust are ours.
"""

from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.types import Floats

# Columns of the ladder (tiers, columns), ascending by equity, named as in the configuration.
COLUMNS: Final = ("min_equity", "gross", "name", "min_ticket_usd", "dust_usd", "max_names")
MIN_EQUITY: Final = COLUMNS.index("min_equity")
GROSS: Final = COLUMNS.index("gross")
NAME: Final = COLUMNS.index("name")
MIN_TICKET: Final = COLUMNS.index("min_ticket_usd")
DUST: Final = COLUMNS.index("dust_usd")
MAX_NAMES: Final = COLUMNS.index("max_names")  # 0 = no limit


class State(NamedTuple):
    """tier (1,) row of the ladder in force, -1 before the first close."""

    tier: Floats


def init() -> State:
    """Return the state before the first close."""
    return State(np.full(1, -1.0))


@kernel
def observe(equity: float, ladder: Floats, hysteresis: float, s: State) -> None:
    """Move to the tier that `equity` dollars belong to. Mutates s."""
    at = 0
    for k in range(ladder.shape[0]):
        if equity >= ladder[k, MIN_EQUITY]:
            at = k
    now = int(s.tier[0])
    if now < 0 or at > now:
        now = at
    while now > at and equity < ladder[now, MIN_EQUITY] * (1.0 - hysteresis):  # each bound has its own hysteresis
        now -= 1
    s.tier[0] = now
