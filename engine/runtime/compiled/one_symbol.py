"""An account of one symbol in preset `direct`: bars, fills and decisions in one call.

Whatever is out of the ordinary is left to the general loop, before anything of that bar is booked. The formulas are
those of the ledger, the auction and the planner, called in their order, so the bits are theirs.
"""

import numpy as np

from plimsoll.engine.kernels.account.coast import open_session
from plimsoll.engine.kernels.account.fill import sum_of_shares
from plimsoll.engine.kernels.account.ledger import carry_at, carry_of, is_margin_call, return_of
from plimsoll.engine.kernels.account.submit import Tape, Work
from plimsoll.engine.kernels.cost import FEES_ON
from plimsoll.engine.kernels.derive import DELISTED, OUTSIDE, TRADING
from plimsoll.engine.kernels.jit import inline_kernel, kernel
from plimsoll.engine.kernels.layout import (
    BILL,
    BORROW_RATE,
    CASH,
    DAY,
    EQUITY,
    GROSS_NAV,
    LEG0,
    MAINT_LONG,
    MAINT_SHORT,
    MAINTENANCE,
    MARGIN_ACCOUNT,
    MARGIN_SPREAD,
    MARK,
    N_WORKING,
    NAV,
    NEGATIVE_CASH,
    OWED,
    PEAK,
    PLANNED,
    SHARES,
    SHORT_REBATE,
    SIZE_AT_FILL,
    STARTED,
)
from plimsoll.engine.runtime.compiled.loop_state import N_DECISIONS
from plimsoll.engine.runtime.compiled.one_fill import fitting, is_whole, note_fill, paid, sum_fees
from plimsoll.engine.runtime.compiled.one_order import decided, put_alone
from plimsoll.engine.types import Bools, Codes, Floats, Ints


def goes_alone(acct: Floats, rules: Floats, *, at_close: bool) -> bool:
    """Return whether a brief run may go by `one_symbol`: one symbol, orders for the open, sized at the decision."""
    return bool(acct.shape[1] == 1 and rules[SIZE_AT_FILL] == 0.0 and not at_close)


@kernel
def one_symbol(
    first: int, stop: int, signal: Floats, answered: Bools, block: Floats, status: Codes, event: Bools, daily: Floats,
    rules: Floats, acct: Floats, scal: Floats, brief: Floats, sums: Floats, cursor: Ints, band: float,
    min_notional: float, tape: Tape, work: Work,
) -> int:  # fmt: skip
    """Take an account of one symbol over bars [first, stop); return the first bar that is left to `account_step`.

    What stops it: all that stops `coast` but an order; a fill that is less than whole for want of volume; no row where
    something is to be filled or decided; a decision that changes the side. signal (T, 1), answered (T,) as in
    `direct_loop`, brief (2, T) as in `coast`.
    """
    if scal[STARTED] == 0.0 or scal[OWED] > 0.0 or np.isnan(acct[MARK, 0]):
        return first
    t = first
    while t < stop and not event[t]:
        if scal[N_WORKING] == 0.0 and not answered[t]:
            reached = quiet_bars(t, stop, answered, block, status, event, daily, rules, acct, scal, brief)
            if reached == t:
                break
            if rules[FEES_ON] != 0.0:
                open_session(t, reached, daily, scal)
            t = reached
        elif busy_bar(
            t, signal, answered[t], block, status, daily, rules, acct, scal, brief, sums, cursor, band, min_notional,
            tape, work,
        ):  # fmt: skip
            t += 1
        else:
            break
    return t


@inline_kernel
def quiet_bars(
    first: int, stop: int, answered: Bools, block: Floats, status: Codes, event: Bools, daily: Floats, rules: Floats,
    acct: Floats, scal: Floats, brief: Floats,
) -> int:  # fmt: skip
    """Carry the account over bars [first, stop) up to one with an answer; what `coast` does, for one symbol."""
    shares, mark, margin_account = acct[SHARES, 0], acct[MARK, 0], rules[MARGIN_ACCOUNT]
    rate = acct[MAINT_LONG, 0] if shares > 0.0 else acct[MAINT_SHORT, 0]
    spread, borrow_rate, rebate = rules[MARGIN_SPREAD], rules[BORROW_RATE], rules[SHORT_REBATE]
    cash, equity, nav, peak, gross_nav = scal[CASH], scal[EQUITY], scal[NAV], scal[PEAK], scal[GROSS_NAV]
    need, negative, short, t = scal[MAINTENANCE], 0.0, -min(shares * mark, 0.0), first
    while t < stop and not (event[t] or answered[t]):
        price = block[1, t, 0]
        if shares != 0.0 and is_gone(price, status[t, 0]):
            break
        if np.isnan(price):
            price = mark
        bill = daily[BILL, t]
        if cash > 0.0 and short == 0.0:  # what `carry_of` comes to then; the bar after waits for nothing but this
            new_cash = cash + cash * bill
        else:
            interest, financing, borrow = carry_of(cash, short, bill, daily[DAY, t], spread, borrow_rate, rebate)
            new_cash = cash + (interest - financing - borrow)
        worth = shares * price
        size = abs(worth)
        new_equity, required = new_cash + worth, size * rate
        if new_equity <= 0.0 or is_margin_call(new_equity, required, margin_account):
            break
        ret = return_of(new_equity, equity)
        nav *= 1.0 + ret
        peak = max(peak, nav)
        gross_nav *= 1.0 + ret
        brief[0, t] = ret
        brief[1, t] = size / new_equity
        cash, equity, need, mark = new_cash, new_equity, required, price
        short = size if shares < 0.0 else 0.0
        if cash < 0.0:
            negative += 1.0
        t += 1
    acct[MARK, 0] = mark
    scal[CASH], scal[EQUITY], scal[NAV], scal[PEAK], scal[GROSS_NAV] = cash, equity, nav, peak, gross_nav
    scal[MAINTENANCE] = need
    scal[NEGATIVE_CASH] += negative
    scal[PLANNED] = scal[PLANNED] if t == first else 0.0
    return t


@inline_kernel
def is_gone(price: float, status: int) -> bool:
    """Return whether what is held is delisted or outside the universe; price is NaN where there is no row."""
    return bool(status == OUTSIDE or (np.isnan(price) and status == DELISTED))


@inline_kernel
def busy_bar(
    t: int, signal: Floats, asked: bool, block: Floats, status: Codes, daily: Floats, rules: Floats, acct: Floats,
    scal: Floats, brief: Floats, sums: Floats, cursor: Ints, band: float, min_notional: float, tape: Tape, work: Work,
) -> bool:  # fmt: skip
    """Carry the account over a bar with a fill, a decision, or both; False, and nothing booked, if it cannot be here.

    The steps and their order are those of `account_step`, `direct_target`, `plan_legs` and `replace_working`.
    """
    price, at, shares, cash, previous = block[1, t, 0], block[0, t, 0], acct[SHARES, 0], scal[CASH], scal[EQUITY]
    works = scal[N_WORKING] != 0.0
    if status[t, 0] != TRADING or np.isnan(price + at) or (works and not is_whole(t, block, status, rules, acct)):
        return False
    interest, financing, borrow = carry_at(t, cash, -min(shares * acct[MARK, 0], 0.0), daily, rules)
    carry = interest - financing - borrow
    got, cost, factor = 0.0, 0.0, 1.0
    if works:
        got, factor = fitting(t, acct[LEG0, 0], at, cash, shares, max(-carry, 0.0), acct, scal, rules, daily)
        if got != 0.0:
            cash, cost = paid(t, got, at, cash, acct, scal, rules, daily)
            shares = sum_of_shares(shares, got)
    cash += carry
    worth = shares * price
    rate = acct[MAINT_LONG, 0] if shares > 0.0 else acct[MAINT_SHORT, 0]
    equity, required = cash + worth, abs(worth) * rate
    if equity <= 0.0 or is_margin_call(equity, required, rules[MARGIN_ACCOUNT]):
        return False
    order = 0.0
    if asked:
        order = decided(t, signal[t, 0], price, cash, equity, shares, daily, rules, band, min_notional, tape, work)
        if np.isnan(order):
            return False
    ret = return_of(equity, previous)
    scal[NAV] *= 1.0 + ret
    scal[PEAK] = max(scal[PEAK], scal[NAV])
    scal[GROSS_NAV] *= 1.0 + ret + cost / previous
    brief[0, t] = ret
    brief[1, t] = abs(worth) / equity
    if works:
        note_fill(got, at, cost, factor, previous, rules, acct, scal, sums, cursor)
    if rules[FEES_ON] != 0.0:
        sum_fees(t, got, at, scal, daily)
    if cash < 0.0:
        scal[NEGATIVE_CASH] += 1.0
    acct[SHARES, 0], acct[MARK, 0] = shares, price
    scal[CASH], scal[EQUITY], scal[MAINTENANCE], scal[PLANNED] = cash, equity, required, 1.0 if asked else 0.0
    if asked or works:
        put_alone(order, signal[t, 0], cursor, acct, scal, work)
    if asked:
        cursor[N_DECISIONS] += 1
    return True
