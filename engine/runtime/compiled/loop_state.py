"""What the compiled loops share: the arrays they read, move and write, as tuples that enter a kernel."""

from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.kernels.account.submit import Tape, Work
from plimsoll.engine.portfolio.stages.s1_allocate import RUNGS
from plimsoll.engine.types import Bools, Codes, Floats, Ints

# Why a loop returned.
DONE: Final = 0
ROOM: Final = 1  # a table is full: enlarge it and go on
LOOP_RUINED: Final = 2  # equity fell to zero at the cursor's bar
LOOP_OVERDRAWN: Final = 3  # a withdrawal at the cursor's bar exceeds the account
SHORT: Final = 4  # a cash account would have to sell short at the cursor's bar

# Places in `cursor` (4,).
BAR: Final = 0  # the next bar
N_DECISIONS: Final = 1
N_ORDERS: Final = 2
FILLS: Final = 3  # fills no longer in the fill table
CURSOR: Final = 4

# Places in `Ledger.sums` (SUMS,): what statistics need of sessions whose rows are not kept.
TRADED: Final = 0  # sum of traded notional over the equity a bar began with
COSTS: Final = 1  # the same of trading costs
TRADES: Final = 2  # bars with fills
ALLOCATED: Final = 3  # and the places after it: a book's decisions, by what their shares came from
SUMS: Final = ALLOCATED + len(RUNGS)


class MarketArrays(NamedTuple):
    """block (5, T, N), its closes (T, N), status (T, N), daily (DAILY, T); event (T,) split, dividend or flow."""

    block: Floats
    close: Floats
    status: Codes
    event: Bools
    daily: Floats


class Ledger(NamedTuple):
    """An account and what is kept of it.

    acct, scal, rules as in `engine.kernels.layout`. In full: rec (T, RECORD), held (T, N), every row of fills; brief
    has no column. In brief: brief (2, T) return and gross exposure, sums (SUMS,); rec, held and fills keep the last
    bar's only. column, value (N,) are scratch.
    """

    acct: Floats
    scal: Floats
    rules: Floats
    rec: Floats
    held: Floats
    fills: Floats
    brief: Floats
    sums: Floats
    column: Ints
    value: Floats


class Planning(NamedTuple):
    """What the planner is told."""

    min_notional: float
    at_close: bool
    tape: Tape
    work: Work


class DecisionTable(NamedTuple):
    """Decisions as rows, in brief only the last one; see `Target` and `Plan`. first (D + 1,) order row of each."""

    bar: Ints
    weights: Floats
    goal: Floats
    trade: Bools
    trace: Floats
    facts: Floats
    parts: Floats
    phi: Floats
    why: Codes
    ticket: Floats
    forced: Bools
    first: Ints


def empty_table(rows: int, n_symbols: int, n_stages: int, n_facts: int, n_parts: int = 0) -> DecisionTable:
    """Return a table with room for `rows` decisions, each with the parts of so many sleeves.

    Memory is touched row by row as they come.
    """
    return DecisionTable(
        np.empty(rows, dtype=np.int64),
        np.empty((rows, n_symbols)),
        np.empty((rows, n_symbols)),
        np.empty((rows, n_symbols), dtype=np.bool_),
        np.empty((rows, n_stages, n_symbols)),
        np.empty((rows, n_facts)),
        np.empty((rows, n_parts, n_symbols)),
        np.empty(rows),
        np.empty((rows, n_symbols), dtype=np.int8),
        np.empty(rows),
        np.empty(rows, dtype=np.bool_),
        np.zeros(rows + 1, dtype=np.int64),
    )
