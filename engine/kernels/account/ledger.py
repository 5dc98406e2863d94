"""One bar of an account: corporate actions, fills, the mark, interest.

The account is a few arrays, laid out in `plimsoll.engine.kernels.layout`, so that one call moves it by one bar.
"""

from typing import Final

import numpy as np

from plimsoll.engine.kernels.account.auction import NO_ORDER, free_money, pay_out, raise_money, spend_money, worth
from plimsoll.engine.kernels.account.fill import charge_fees, drop_order, trim
from plimsoll.engine.kernels.account.leave import drop_stale
from plimsoll.engine.kernels.cost import FEES_ON
from plimsoll.engine.kernels.derive import DELISTED
from plimsoll.engine.kernels.jit import inline_kernel, kernel
from plimsoll.engine.kernels.layout import (
    ADV,
    BILL,
    BORROW_RATE,
    CASH,
    DAY,
    DELISTED_COUNT,
    EQUITY,
    F_BAR,
    F_COLUMN,
    F_ORDER,
    F_PRICE,
    F_QTY,
    FLOW,
    FORCED,
    GROSS_NAV,
    LATE_PAYMENTS,
    LEG0,
    LEG1,
    LIMIT,
    LOT,
    MAINT_LONG,
    MAINT_SHORT,
    MAINTENANCE,
    MARGIN_ACCOUNT,
    MARGIN_CALLS,
    MARGIN_SPREAD,
    MARK,
    N_FILLS,
    N_WORKING,
    NAV,
    NEGATIVE_CASH,
    NEXT_OUT,
    ORDER0,
    OWED,
    PEAK,
    PLANNED,
    R_BORROW,
    R_CASH,
    R_COSTS,
    R_COSTS_STOP,
    R_DIVIDENDS,
    R_DRAWDOWN,
    R_EQUITY,
    R_EQUITY_GROSS,
    R_FINANCING,
    R_FLOW,
    R_INTEREST,
    R_LONG,
    R_MAINTENANCE,
    R_PRICE_PNL,
    R_RET,
    R_SHORT,
    RECORD,
    RUINED,
    SHARES,
    SHORT_REBATE,
    STARTED,
)
from plimsoll.engine.types import Codes, Floats

# What `account_step` returns.
LEDGER_OK: Final = 0
MARGIN_CALL: Final = 1  # equity below the maintenance requirement at this close
RUIN: Final = 2  # equity not above zero: everything was sold at the mark
OVERDRAWN: Final = 3  # a withdrawal of more than the account holds; nothing was booked


@inline_kernel
def write_fill(t: int, i: int, qty: float, price: float, scal: Floats, fills: Floats) -> None:
    """Write a fill that no order asked for, free of costs; shares and cash are the caller's."""
    row = int(scal[N_FILLS])
    scal[N_FILLS] += 1.0
    for column in range(fills.shape[1]):
        fills[row, column] = 0.0
    fills[row, F_BAR] = t
    fills[row, F_COLUMN] = i
    fills[row, F_QTY] = qty
    fills[row, F_PRICE] = price
    fills[row, F_ORDER] = NO_ORDER


@kernel
def split_symbol(i: int, split: float, acct: Floats) -> None:
    """Restate a symbol's holding, working order and mark in the share units after a split."""
    leaves = acct[LEG0, i] == -acct[SHARES, i]
    acct[SHARES, i] *= split
    acct[LEG0, i] = -acct[SHARES, i] if leaves else acct[LEG0, i] * split
    acct[LEG1, i] *= split
    acct[MARK, i] /= split
    acct[LIMIT, i] /= split
    acct[ADV, i] *= split  # of the decision, in the share units of the fill


@kernel
def pay_fraction(t: int, i: int, block: Floats, acct: Floats, scal: Floats, fills: Floats) -> None:
    """Turn the fraction that a split left into cash at the open, where none is held; orders stay whole there too.

    Shorts, and longs of whole-share accounts, have no fractions.
    """
    shares, lot = acct[SHARES, i], acct[LOT, i]
    if lot == 1.0 or shares < 0.0 or (shares == 0.0 and acct[LEG0, i] < 0.0):
        leaves, whole = acct[LEG0, i] == -shares, trim(shares, 1.0)
        if whole != shares:
            price = acct[MARK, i] if np.isnan(block[0, t, i]) else block[0, t, i]
            write_fill(t, i, whole - shares, price, scal, fills)
            scal[CASH] -= (whole - shares) * price
            acct[SHARES, i] = whole
        acct[LEG0, i] = -whole if leaves else trim(acct[LEG0, i], 1.0)
    if lot == 1.0 or acct[LEG1, i] < 0.0:
        acct[LEG1, i] = trim(acct[LEG1, i], 1.0)
    if acct[ORDER0, i] >= 0.0 and acct[LEG0, i] == 0.0 and acct[LEG1, i] == 0.0:
        drop_order(i, acct, scal)


@kernel
def corporate_actions(t: int, block: Floats, status: Codes, acct: Floats, scal: Floats, fills: Floats) -> float:
    """Apply bar t's splits and dividends to holdings and working orders; return the dividends in dollars.

    A dividend is per share after the split, on all that was held at the last close. Shorts pay it.
    """
    dividends = 0.0
    for i in range(acct.shape[1]):
        split = block[4, t, i]
        if split != 1.0:
            split_symbol(i, split, acct)
        if acct[SHARES, i] != 0.0 and block[3, t, i] != 0.0:
            dividends += acct[SHARES, i] * block[3, t, i]
        if split != 1.0:
            pay_fraction(t, i, block, acct, scal, fills)
        if status[t, i] == DELISTED and acct[ORDER0, i] >= 0.0:
            drop_order(i, acct, scal)
    scal[CASH] += dividends
    return dividends


@kernel
def close_delisted(t: int, status: Codes, acct: Floats, scal: Floats, fills: Floats) -> None:
    """Sell what is delisted at its last close, free of costs: nobody knows what it would have fetched."""
    for i in range(acct.shape[1]):
        if status[t, i] == DELISTED and acct[SHARES, i] != 0.0:
            write_fill(t, i, -acct[SHARES, i], acct[MARK, i], scal, fills)
            scal[CASH] += acct[SHARES, i] * acct[MARK, i]
            acct[SHARES, i] = 0.0
            scal[DELISTED_COUNT] += 1.0


@inline_kernel
def carry_of(
    cash: float, short: float, bill: float, day: float, margin_spread: float, borrow_rate: float, rebate: float
) -> tuple[float, float, float]:
    """Return (interest, financing, borrow) in dollars on what was carried from the previous close.

    Short proceeds are not the account's to lend: it earns on cash less the market value of shorts, and owes that if it
    is negative.

        free = cash - short;  interest = max(free, 0) * bill + rebate * short * bill
        financing = max(-free, 0) * (bill + spread * day);  borrow = short * rate * day
    """
    borrow, free, rebated = short * borrow_rate * day, cash - short, rebate * short * bill
    if free >= 0.0:
        return free * bill + rebated, 0.0, borrow
    return rebated, -free * (bill + margin_spread * day), borrow


@inline_kernel
def carry_at(t: int, cash: float, short: float, daily: Floats, rules: Floats) -> tuple[float, float, float]:
    """Return `carry_of` under the rates of bar t."""
    return carry_of(
        cash, short, daily[BILL, t], daily[DAY, t], rules[MARGIN_SPREAD], rules[BORROW_RATE], rules[SHORT_REBATE]
    )


@inline_kernel
def return_of(equity: float, base: float) -> float:
    """Return the bar's time-weighted return; `base` is the previous equity plus what came in. Never below -1."""
    return max(equity / base - 1.0, -1.0)


@kernel
def mark(t: int, block: Floats, acct: Floats, scal: Floats, at: int, rec: Floats) -> None:
    """Mark holdings at the close of bar t (the last known one where there is no row)."""
    long, short, maintenance = 0.0, 0.0, 0.0
    for i in range(acct.shape[1]):
        if not np.isnan(block[1, t, i]):
            acct[MARK, i] = block[1, t, i]
        shares = acct[SHARES, i]
        if shares > 0.0:
            value = shares * acct[MARK, i]
            long += value
            maintenance += value * acct[MAINT_LONG, i]
        elif shares < 0.0:
            value = -shares * acct[MARK, i]
            short += value
            maintenance += value * acct[MAINT_SHORT, i]
    scal[EQUITY] = scal[CASH] + long - short
    scal[MAINTENANCE] = maintenance
    rec[at, R_LONG] = long
    rec[at, R_SHORT] = short
    rec[at, R_MAINTENANCE] = maintenance


@kernel
def liquidate(t: int, acct: Floats, scal: Floats, fills: Floats) -> None:
    """Turn everything into cash at the mark and stop."""
    for i in range(acct.shape[1]):
        if acct[SHARES, i] != 0.0:
            write_fill(t, i, -acct[SHARES, i], acct[MARK, i], scal, fills)
        acct[SHARES, i] = 0.0
        if acct[ORDER0, i] >= 0.0:
            drop_order(i, acct, scal)
    scal[CASH] = scal[EQUITY]
    scal[RUINED] = 1.0


@kernel
def trade(
    t: int, first_fill: int, previous: float, reserve: float, block: Floats, acct: Floats, scal: Floats, rules: Floats,
    daily: Floats, at: int, rec: Floats, fills: Floats,
) -> tuple[float, float]:  # fmt: skip
    """Run the auctions of bar t, the open and then the close; return the dollars paid out, and a factor.

    The factor undoes the payments in a time-weighted return: each equity before a payment over that after it.
    """
    paid, factor = 0.0, 1.0
    debit = max(-scal[CASH], 0.0) * (1.0 - min(scal[OWED] / previous, 1.0))  # what a debit may be after paying
    raised = True
    for i in range(acct.shape[1]):
        acct[FORCED, i] = 0.0
    if scal[OWED] > 0.0:
        raised = raise_money(t, previous, block, acct, scal, rules, daily, at, rec, fills)
    if scal[N_WORKING] > 0.0 or scal[OWED] > 0.0:
        for auction in range(2):
            if auction == 1 and scal[N_WORKING] == 0.0:
                break
            closing = float(auction)
            waits = free_money(t, closing, block, acct, scal, rules, daily, at, rec, fills)
            if scal[OWED] > 0.0:
                before = worth(t, auction, block, acct, scal)
                now = pay_out(
                    t, closing, first_fill, reserve, np.inf if raised else debit, block, acct, scal, rules, daily, fills
                )
                if now > 0.0:
                    paid += now
                    factor *= before / (before - now)
            spend_money(t, closing, first_fill, reserve, waits, block, acct, scal, rules, daily, at, rec, fills)
    scal[PLANNED] = 0.0
    return paid, factor


@kernel
def account_step(
    t: int, block: Floats, status: Codes, daily: Floats, rules: Floats, acct: Floats, scal: Floats, at: int,
    rec: Floats, held: Floats, fills: Floats,
) -> int:  # fmt: skip
    """Move an account from the close of bar t-1 to the close of bar t; return one of the codes above.

    block (5, T, N) prices and actions, status (T, N), daily (DAILY, T) rates, fees and flows, rules (RULES,) read;
    acct (ACCT_ROWS, N), scal (SCALARS,) mutated; row `at` of rec (R, RECORD) and of held (R, N), the weights at the
    close (length 0: not wanted), and new rows of fills (capacity, FILL) written. The caller leaves room for
    FILLS_PER_BAR N fills.

    Identity: equity_t - equity_{t-1} = price P&L + dividends + interest - financing - borrow - costs + flow.
    """
    previous = scal[EQUITY]
    deposit = max(daily[FLOW, t], 0.0)
    owed = scal[OWED] - min(daily[FLOW, t], 0.0)
    if previous + deposit - owed <= 0.0:
        return OVERDRAWN
    for k in range(RECORD):
        rec[at, k] = 0.0
    first_fill = int(scal[N_FILLS])
    value_before, short_before = 0.0, 0.0
    for i in range(acct.shape[1]):
        if acct[SHARES, i] != 0.0:
            value = acct[SHARES, i] * acct[MARK, i]
            value_before += value
            short_before -= min(value, 0.0)
    interest, financing, borrow = 0.0, 0.0, 0.0
    if scal[STARTED] != 0.0:
        interest, financing, borrow = carry_at(t, scal[CASH], short_before, daily, rules)
    scal[STARTED] = 1.0
    scal[CASH] += deposit
    scal[OWED] = owed
    drop_stale(t, status, acct, scal)
    dividends = corporate_actions(t, block, status, acct, scal, fills)
    close_delisted(t, status, acct, scal, fills)
    reserve = max(-(interest - financing - borrow), 0.0)
    paid, factor = trade(t, first_fill, previous, reserve, block, acct, scal, rules, daily, at, rec, fills)
    if rules[FEES_ON] != 0.0:
        charge_fees(t, first_fill, scal, daily, at, rec, fills)
    rec[at, R_INTEREST] = interest
    rec[at, R_FINANCING] = financing
    rec[at, R_BORROW] = borrow
    scal[CASH] += interest - financing - borrow
    mark(t, block, acct, scal, at, rec)
    bought = 0.0
    for row in range(first_fill, int(scal[N_FILLS])):
        bought += fills[row, F_QTY] * fills[row, F_PRICE]
    record(previous + deposit, factor, value_before + bought, dividends, deposit - paid, acct, scal, at, rec, held)
    if scal[CASH] < 0.0:
        scal[NEGATIVE_CASH] += 1.0
    if scal[OWED] > 0.0:
        scal[LATE_PAYMENTS] += 1.0
    if scal[EQUITY] <= 0.0:
        liquidate(t, acct, scal, fills)
        return RUIN
    if is_margin_call(scal[EQUITY], scal[MAINTENANCE], rules[MARGIN_ACCOUNT]):
        scal[MARGIN_CALLS] += 1.0
        return MARGIN_CALL
    return LEDGER_OK


@inline_kernel
def is_margin_call(equity: float, maintenance: float, margin_account: float) -> bool:
    """Return whether equity is below the requirement; an account scaled to the limit sits on it up to rounding."""
    return margin_account != 0.0 and equity < maintenance * (1.0 - 1e-9)


@inline_kernel
def costs_at(at: int, rec: Floats) -> float:
    """Return the trading costs of row `at` of rec (R, RECORD), in dollars."""
    costs = 0.0
    for k in range(R_COSTS, R_COSTS_STOP):
        costs += rec[at, k]
    return costs


def bar_costs(rec: Floats) -> Floats:
    """Return (R,) the trading costs of each row of rec (R, RECORD), in dollars."""
    costs: Floats = rec[:, R_COSTS:R_COSTS_STOP].sum(axis=1)
    return costs


@kernel
def record(
    base: float, factor: float, paid: float, dividends: float, flow: float, acct: Floats, scal: Floats, at: int,
    rec: Floats, held: Floats,
) -> None:  # fmt: skip
    """Write the bar's row: returns are time-weighted.

    A deposit counts as there at the start of its bar; factor undoes what was paid out during it.
    """
    equity = scal[EQUITY]
    costs = costs_at(at, rec)
    ret = return_of(equity * factor, base)
    scal[NAV] *= 1.0 + ret
    scal[PEAK] = max(scal[PEAK], scal[NAV])
    scal[GROSS_NAV] *= 1.0 + ret + costs / base
    rec[at, R_EQUITY] = equity
    rec[at, R_EQUITY_GROSS] = scal[GROSS_NAV]
    rec[at, R_CASH] = scal[CASH]
    rec[at, R_RET] = ret
    rec[at, R_DRAWDOWN] = scal[NAV] / scal[PEAK] - 1.0
    rec[at, R_PRICE_PNL] = rec[at, R_LONG] - rec[at, R_SHORT] - paid
    rec[at, R_DIVIDENDS] = dividends
    rec[at, R_FLOW] = flow
    if held.shape[0] > 0:
        for i in range(held.shape[1]):
            held[at, i] = acct[SHARES, i] * acct[MARK, i] / equity if acct[SHARES, i] != 0.0 and equity > 0.0 else 0.0


@kernel
def going_out(t: int, daily: Floats, scal: Floats) -> float:
    """Return the dollars that are to leave the account at the bar after t, as a decision at the close of t takes it.

    0 if that is more than there is: the bar itself then refuses.
    """
    out = daily[NEXT_OUT, t] + scal[OWED]
    return out if out < scal[EQUITY] else 0.0


@kernel
def mark_start(t: int, block: Floats, acct: Floats) -> None:
    """Take the last known closes through bar t as marks: the account opens after that close."""
    for i in range(acct.shape[1]):
        k = t
        while k >= 0 and np.isnan(block[1, k, i]):
            k -= 1
        if k >= 0:
            acct[MARK, i] = block[1, k, i]
