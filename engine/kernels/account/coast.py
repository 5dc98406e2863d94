"""An account between events: many bars in one call, on scalars.

Most bars of most accounts bring no order, no flow and no corporate action. There `account_step` reduces to carry, mark
and return; `coast` does exactly that, with the same formulas in the same order, so its bits are those of the step.
"""

import numpy as np

from plimsoll.engine.kernels.account.ledger import carry_at, is_margin_call, return_of
from plimsoll.engine.kernels.cost import N_SESSION_FEES
from plimsoll.engine.kernels.derive import DELISTED, OUTSIDE
from plimsoll.engine.kernels.jit import inline_kernel, kernel
from plimsoll.engine.kernels.layout import (
    CASH,
    DAY,
    EQUITY,
    FEE_SUMS,
    GROSS_NAV,
    MAINT_LONG,
    MAINT_SHORT,
    MAINTENANCE,
    MARGIN_ACCOUNT,
    MARK,
    N_WORKING,
    NAV,
    NEGATIVE_CASH,
    OWED,
    PEAK,
    PLANNED,
    R_BORROW,
    R_CASH,
    R_DRAWDOWN,
    R_EQUITY,
    R_EQUITY_GROSS,
    R_FINANCING,
    R_INTEREST,
    R_LONG,
    R_MAINTENANCE,
    R_PRICE_PNL,
    R_RET,
    R_SHORT,
    RECORD,
    SHARES,
    STARTED,
)
from plimsoll.engine.types import Bools, Codes, Floats, Ints


@inline_kernel
def write_quiet(
    t: int, equity: float, gross_nav: float, cash: float, long: float, short: float, ret: float, drawdown: float,
    before: float, interest: float, financing: float, borrow: float, maintenance: float, rec: Floats,
) -> None:  # fmt: skip
    """Write row t of rec for a bar without events; before is what was held was worth at the previous close."""
    for k in range(RECORD):
        rec[t, k] = 0.0
    rec[t, R_EQUITY] = equity
    rec[t, R_EQUITY_GROSS] = gross_nav
    rec[t, R_CASH] = cash
    rec[t, R_LONG] = long
    rec[t, R_SHORT] = short
    rec[t, R_RET] = ret
    rec[t, R_DRAWDOWN] = drawdown
    rec[t, R_PRICE_PNL] = long - short - before
    rec[t, R_INTEREST] = interest
    rec[t, R_FINANCING] = financing
    rec[t, R_BORROW] = borrow
    rec[t, R_MAINTENANCE] = maintenance


@kernel
def coast(
    first: int, stop: int, block: Floats, status: Codes, event: Bools, daily: Floats, rules: Floats, acct: Floats,
    scal: Floats, column: Ints, rec: Floats, held: Floats, brief: Floats,
) -> int:  # fmt: skip
    """Carry an account over bars [first, stop) as far as nothing happens; return the first bar that was not carried.

    What stops it: a working order; money owed; an event (T,), that is a flow or any symbol's dividend or split; a
    delisting of what is held, or its leaving the universe; a margin call, ruin, the account's first session. That bar
    is left to `account_step`, nothing of it is booked.

    column (N,) is scratch. brief (2, T) gets return and gross exposure of each bar; with length 0 rec (T, RECORD) and
    held (T, N) get their rows instead.
    """
    if scal[N_WORKING] > 0.0 or scal[STARTED] == 0.0 or scal[OWED] > 0.0:
        return first
    n, short, value = 0, 0.0, 0.0
    for i in range(acct.shape[1]):
        if acct[SHARES, i] != 0.0:
            column[n] = i
            n += 1
            worth = acct[SHARES, i] * acct[MARK, i]
            value += worth
            short -= min(worth, 0.0)
    cash, equity, nav, peak, gross_nav = scal[CASH], scal[EQUITY], scal[NAV], scal[PEAK], scal[GROSS_NAV]
    maintenance, negative = scal[MAINTENANCE], 0.0
    margin_account, told, t = rules[MARGIN_ACCOUNT], brief.shape[1] > 0, first
    while t < stop:
        if event[t]:
            break
        interest, financing, borrow = carry_at(t, cash, short, daily, rules)
        new_cash = cash + (interest - financing - borrow)
        long_now, short_now, value_now, need = 0.0, 0.0, 0.0, 0.0
        gone = False
        for k in range(n):
            i = column[k]
            shares, price = acct[SHARES, i], block[1, t, i]
            if np.isnan(price):
                price = acct[MARK, i]
                gone = gone or status[t, i] == DELISTED
            gone = gone or status[t, i] == OUTSIDE
            worth = shares * price
            value_now += worth
            if shares > 0.0:
                long_now += worth
                need += worth * acct[MAINT_LONG, i]
            else:
                short_now -= worth
                need += -worth * acct[MAINT_SHORT, i]
        new_equity = new_cash + long_now - short_now
        if gone or new_equity <= 0.0 or is_margin_call(new_equity, need, margin_account):
            break
        ret = return_of(new_equity, equity)
        nav *= 1.0 + ret
        peak = max(peak, nav)
        gross_nav *= 1.0 + ret
        for k in range(n):
            price = block[1, t, column[k]]
            if not np.isnan(price):
                acct[MARK, column[k]] = price
        if told:
            brief[0, t] = ret
            brief[1, t] = (long_now + short_now) / new_equity
        else:
            write_quiet(
                t, new_equity, gross_nav, new_cash, long_now, short_now, ret, nav / peak - 1.0, value, interest,
                financing, borrow, need, rec,
            )  # fmt: skip
            for k in range(n):
                i = column[k]
                held[t, i] = acct[SHARES, i] * acct[MARK, i] / new_equity
        cash, equity, short, value, maintenance = new_cash, new_equity, short_now, value_now, need
        if cash < 0.0:
            negative += 1.0
        t += 1
    scal[CASH], scal[EQUITY], scal[NAV], scal[PEAK], scal[GROSS_NAV] = cash, equity, nav, peak, gross_nav
    scal[MAINTENANCE] = maintenance
    scal[NEGATIVE_CASH] += negative
    scal[PLANNED] = scal[PLANNED] if t == first else 0.0
    open_session(first, t, daily, scal)
    return t


@kernel
def open_session(first: int, stop: int, daily: Floats, scal: Floats) -> None:
    """Begin the session's fees anew where one of bars [first, stop) opened a session, as `charge_fees` does."""
    for t in range(first, stop):
        if daily[DAY, t] > 0.0:
            for kind in range(N_SESSION_FEES):
                scal[FEE_SUMS + kind] = 0.0
            return
