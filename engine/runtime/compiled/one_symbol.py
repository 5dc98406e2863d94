"""An account of one symbol in preset `direct`: bars, fills and decisions in one call.

Whatever is out of the ordinary is left to the general loop, before anything of that bar is booked. The formulas are
those of the ledger, the auction and the planner, called in their order, so the bits are theirs.
"""

import numpy as np

from plimsoll.engine.kernels.account.auction import ROUNDING, requirement, step_of
from plimsoll.engine.kernels.account.coast import open_session
from plimsoll.engine.kernels.account.fill import sum_of_shares, trim
from plimsoll.engine.kernels.account.ledger import carry_at, carry_of, is_margin_call, return_of
from plimsoll.engine.kernels.account.plan import legs_to, scaled
from plimsoll.engine.kernels.cost import FEES_ON, IMPACT_Y, N_TRADE_COSTS, trade_cost, trade_costs
from plimsoll.engine.kernels.derive import DELISTED, OUTSIDE, TRADING
from plimsoll.engine.kernels.jit import inline_kernel, kernel
from plimsoll.engine.kernels.layout import (
    ADV,
    AT_CLOSE,
    BILL,
    BORROW_RATE,
    CARRIED,
    CASH,
    CUT_AT_FILL,
    DAY,
    EQUITY,
    GROSS_NAV,
    HALF_SPREAD,
    LEG0,
    LEG1,
    LIMIT,
    LOT,
    MAINT_LONG,
    MAINT_SHORT,
    MAINTENANCE,
    MARGIN_ACCOUNT,
    MARGIN_SPREAD,
    MARK,
    MAX_PARTICIPATION,
    N_WORKING,
    NAV,
    NEGATIVE_CASH,
    NEXT_OUT,
    ORDER0,
    ORDER1,
    OWED,
    PEAK,
    PLANNED,
    SHARES,
    SHORT_REBATE,
    SIGMA,
    SIZE_AT_FILL,
    STARTED,
    TARGET,
)
from plimsoll.engine.portfolio.stages.s7_turnover import trades
from plimsoll.engine.runtime.compiled.loop_state import COSTS, FILLS, N_DECISIONS, N_ORDERS, TRADED, TRADES
from plimsoll.engine.types import Bools, Codes, Floats, Ints


def goes_alone(acct: Floats, rules: Floats, *, at_close: bool) -> bool:
    """Return whether a brief run may go by `one_symbol`: one symbol, orders for the open, costs of each trade alone."""
    plain = rules[SIZE_AT_FILL] == 0.0 and rules[IMPACT_Y] == 0.0 and rules[FEES_ON] == 0.0
    return bool(acct.shape[1] == 1 and plain and not at_close)


@kernel
def one_symbol(
    first: int, stop: int, signal: Floats, answered: Bools, block: Floats, status: Codes, event: Bools, daily: Floats,
    rules: Floats, acct: Floats, scal: Floats, brief: Floats, sums: Floats, cursor: Ints, band: float,
    min_notional: float,
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
            t = reached
        elif busy_bar(
            t, signal, answered[t], block, status, daily, rules, acct, scal, brief, sums, cursor, band, min_notional
        ):
            t += 1
        else:
            break
    open_session(first, t, daily, scal)
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
    scal: Floats, brief: Floats, sums: Floats, cursor: Ints, band: float, min_notional: float,
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
        got, factor = fitting(acct[LEG0, 0], at, cash, shares, max(-carry, 0.0), acct, rules)
        if got != 0.0:
            paid, costs = got * at, trade_costs(got, at, acct[HALF_SPREAD, 0], np.nan, np.nan, rules)
            for k in range(N_TRADE_COSTS):
                cost += costs[k]
                paid += costs[k]
            shares = sum_of_shares(shares, got)
            cash -= paid
    cash += carry
    worth = shares * price
    rate = acct[MAINT_LONG, 0] if shares > 0.0 else acct[MAINT_SHORT, 0]
    equity, required = cash + worth, abs(worth) * rate
    if equity <= 0.0 or is_margin_call(equity, required, rules[MARGIN_ACCOUNT]):
        return False
    order = 0.0
    if asked:
        order = decided(t, signal[t, 0], price, cash, equity, shares, daily, rules, acct, band, min_notional)
        if np.isnan(order):
            return False
    ret = return_of(equity, previous)
    scal[NAV] *= 1.0 + ret
    scal[PEAK] = max(scal[PEAK], scal[NAV])
    scal[GROSS_NAV] *= 1.0 + ret + cost / previous
    brief[0, t] = ret
    brief[1, t] = abs(worth) / equity
    if got != 0.0:
        sums[TRADED] += abs(got) * at / previous
        sums[COSTS] += cost / previous
        sums[TRADES] += 1.0
        cursor[FILLS] += 1
    if factor < 1.0:
        scal[CUT_AT_FILL] += 1.0
    if cash < 0.0:
        scal[NEGATIVE_CASH] += 1.0
    acct[SHARES, 0], acct[MARK, 0] = shares, price
    scal[CASH], scal[EQUITY], scal[MAINTENANCE], scal[PLANNED] = cash, equity, required, 1.0 if asked else 0.0
    if asked or works:
        put_alone(order, signal[t, 0], cursor, acct, scal)
    if asked:
        cursor[N_DECISIONS] += 1
    return True


@inline_kernel
def put_alone(qty: float, aim: float, cursor: Ints, acct: Floats, scal: Floats) -> None:
    """Put an order of one symbol, or none, in the place of what was working; see `fill.replace_working`."""
    acct[LEG0, 0], acct[LEG1, 0], acct[ORDER0, 0], acct[ORDER1, 0] = qty, 0.0, -1.0, -1.0
    scal[N_WORKING] = 0.0
    if qty != 0.0:
        acct[ORDER0, 0] = float(cursor[N_ORDERS])
        acct[TARGET, 0], acct[AT_CLOSE, 0], acct[CARRIED, 0] = aim, 0.0, 0.0
        acct[SIGMA, 0], acct[ADV, 0], acct[LIMIT, 0] = np.nan, np.nan, np.nan
        scal[N_WORKING] = 1.0
        cursor[N_ORDERS] += 1


@inline_kernel
def is_whole(t: int, block: Floats, status: Codes, rules: Floats, acct: Floats) -> bool:
    """Return whether the working order is one leg, for this open, of which the bar's volume gives all that is asked."""
    volume, most = block[2, t, 0], rules[MAX_PARTICIPATION]
    fits = volume > 0.0 and (not most > 0.0 or abs(acct[LEG0, 0]) <= most * volume)
    plain = acct[AT_CLOSE, 0] == 0.0 and acct[CARRIED, 0] == 0.0 and np.isnan(acct[LIMIT, 0])
    one = acct[LEG0, 0] != 0.0 and acct[LEG1, 0] == 0.0 and status[t - 1, 0] != OUTSIDE
    return bool(fits and plain and one)


@inline_kernel
def fitting(
    qty: float, price: float, cash: float, shares: float, reserve: float, acct: Floats, rules: Floats
) -> tuple[float, float]:  # fmt: skip
    """Return what of an order there is money or margin for at the open, and the factor; see `auction.spend_money`."""
    if qty * shares < 0.0:
        return qty, 1.0
    cost = trade_cost(qty, price, acct[HALF_SPREAD, 0], np.nan, np.nan, rules)
    if rules[MARGIN_ACCOUNT] != 0.0:
        needed = requirement(qty * price, 0, acct) + cost
        value = shares * price
        money = cash + value - requirement(value, 0, acct) - reserve
    else:
        needed = qty * price + cost
        money = cash - reserve
    if needed <= money + ROUNDING:
        return qty, 1.0
    factor = max(money, 0.0) / needed
    return trim(qty * factor, step_of(0, qty, acct)), factor


@inline_kernel
def decided(
    t: int, aim: float, price: float, cash: float, equity: float, shares: float, daily: Floats, rules: Floats,
    acct: Floats, band: float, min_notional: float,
) -> float:  # fmt: skip
    """Return the shares to order for an answered weight; NaN where it takes two legs, or a cash account to go short."""
    if aim < 0.0 and rules[MARGIN_ACCOUNT] == 0.0:
        return np.nan
    out = daily[NEXT_OUT, t] if daily[NEXT_OUT, t] < equity else 0.0
    if not trades(aim, shares * price / (equity - out), band, False):
        return 0.0
    return order_to(aim, price, cash - out, equity - out, shares, min_notional, acct, rules)


@inline_kernel
def order_to(
    aim: float, price: float, cash: float, equity: float, shares: float, min_notional: float, acct: Floats,
    rules: Floats,
) -> float:  # fmt: skip
    """Return the shares to order, as `plan.plan_legs` does; NaN where that takes two legs."""
    qty, second = legs_to(aim, price, equity, shares)
    if second != 0.0:
        return np.nan
    if qty != -shares:
        qty = scaled(shares, qty, 1.0, acct[LOT, 0])
    if qty != -shares and abs(qty) * price < min_notional:
        qty = 0.0
    if qty == 0.0 or qty * shares < 0.0:
        return qty
    cost = trade_cost(qty, price, acct[HALF_SPREAD, 0], np.nan, np.nan, rules)
    if rules[MARGIN_ACCOUNT] != 0.0:
        needed, spare = requirement(qty * price, 0, acct) + cost, equity
        if shares != 0.0:
            spare -= requirement(shares * price, 0, acct)
    else:
        needed, spare = qty * price + cost, cash
    spare = max(spare, 0.0)
    if needed <= spare:
        return qty
    qty = scaled(shares, qty, spare / needed, acct[LOT, 0])
    return 0.0 if abs(qty) * price < min_notional else qty
