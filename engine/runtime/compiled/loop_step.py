"""One bar of an account and one decision's orders, as the compiled loops take them.

Arrays come one by one: a tuple taken apart inside a loop costs two atomic counts for each array of it.
"""

from plimsoll.engine.kernels.account.fill import add_under_call, add_working, replace_working
from plimsoll.engine.kernels.account.ledger import OVERDRAWN, account_step, costs_at
from plimsoll.engine.kernels.account.order import Orders
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.kernels.layout import (
    EQUITY,
    FILLS_PER_BAR,
    MARK,
    N_FILLS,
    R_FLOW,
    R_LONG,
    R_RET,
    R_SHORT,
    R_TRADED,
    SHARES,
)
from plimsoll.engine.runtime.compiled.loop_state import COSTS, FILLS, N_DECISIONS, N_ORDERS, TRADED, TRADES
from plimsoll.engine.types import Codes, Floats, Ints


@kernel
def has_room(acct: Floats, scal: Floats, fills: Floats, brief: Floats, room: Ints, cursor: Ints) -> bool:
    """Return whether a bar's fills and a decision's orders still fit; in brief they always do.

    room (2,) rows of the order table and of the decision table.
    """
    if brief.shape[1] > 0:
        return True
    n = acct.shape[1]
    fits = scal[N_FILLS] + FILLS_PER_BAR * n <= fills.shape[0] and cursor[N_ORDERS] + 2 * n <= room[0]
    return bool(fits and cursor[N_DECISIONS] < room[1])


@kernel
def settle(
    t: int, block: Floats, status: Codes, daily: Floats, rules: Floats, acct: Floats, scal: Floats, rec: Floats,
    held: Floats, fills: Floats, brief: Floats, sums: Floats, cursor: Ints,
) -> int:  # fmt: skip
    """Run `account_step` for bar t and keep what is to be kept of it; return its code."""
    full, previous = brief.shape[1] == 0, scal[EQUITY]
    if not full:
        cursor[FILLS] += int(scal[N_FILLS])
        scal[N_FILLS] = 0.0
    at = t if full else 0  # a literal 0 in the call would have everything below compiled once more
    code = account_step(t, block, status, daily, rules, acct, scal, at, rec, held, fills)
    if not full and code != OVERDRAWN:
        equity, base = scal[EQUITY], previous + rec[0, R_FLOW]
        brief[0, t] = rec[0, R_RET]
        brief[1, t] = (rec[0, R_LONG] + rec[0, R_SHORT]) / equity if equity > 0.0 else 0.0
        if rec[0, R_TRADED] > 0.0:
            sums[TRADED] += rec[0, R_TRADED] / base
            sums[COSTS] += costs_at(0, rec) / base
            sums[TRADES] += 1.0
    return code


@kernel
def value_held(acct: Floats, value: Floats) -> None:
    """Write the market value (N,) of what is held."""
    for i in range(value.shape[0]):
        shares = acct[SHARES, i]
        value[i] = shares * acct[MARK, i] if shares != 0.0 else 0.0


@kernel
def hand_over(
    n: int, full: bool, alone: bool, called: bool, orders: Orders, acct: Floats, scal: Floats, rules: Floats,
    cursor: Ints,
) -> None:  # fmt: skip
    """Hand n planned orders to the account and count the decision; in brief they stand in the table's first rows.

    alone : what else is working goes on; where the account was called, as far as it reduces.
    """
    at = cursor[N_ORDERS] if full else 0
    if alone and called:
        add_under_call(at, at + n, orders, cursor[N_ORDERS], acct, scal, rules)
    elif alone:
        add_working(at, at + n, orders, cursor[N_ORDERS], acct, scal)
    else:
        replace_working(at, at + n, orders, cursor[N_ORDERS], acct, scal)
    cursor[N_DECISIONS] += 1
    cursor[N_ORDERS] += n
