"""One auction of a bar: first what frees money, then what needs it, cut by one factor to the money there is by then.

A cash account never owes; a margin account is bound by its initial margin at the prices of the fill. What did not fill
for want of volume or a row works on; what only a gap made unaffordable is dropped.
"""

from typing import Final

import numpy as np

from plimsoll.engine.kernels.account.fill import book_fill, drop_order, size_at_fill, sum_of_shares, trim
from plimsoll.engine.kernels.cost import (
    FEES_ON,
    N_SESSION_FEES,
    N_TRADE_COSTS,
    raw_fees,
    round_up_cent,
    trade_cost,
)
from plimsoll.engine.kernels.jit import inline_kernel, kernel
from plimsoll.engine.kernels.layout import (
    ADDS,
    ADV,
    AT_CLOSE,
    CARRIED,
    CARRY,
    CASH,
    CUT_AT_FILL,
    DAY,
    EQUITY,
    EXPIRED_ORDERS,
    F_COSTS,
    FEE_SUMS,
    FORCED,
    HALF_SPREAD,
    LEG0,
    LEG1,
    LIMIT,
    LOT,
    MAINT_LONG,
    MAINT_SHORT,
    MARGIN_ACCOUNT,
    MARK,
    MAX_PARTICIPATION,
    N_FILLS,
    ORDER0,
    ORDER1,
    OWED,
    PARTIAL_FILLS,
    PLANNED,
    ROOM,
    SHARES,
    SIGMA,
    SIZE_AT_FILL,
    TARGET,
    VOLUME_UNKNOWN,
)
from plimsoll.engine.types import Floats

INITIAL_MARGIN: Final = 0.5  # of market value, long and short alike (Regulation T, 12 CFR 220.12)
NO_ORDER: Final = -1.0  # in the fill table: cash in lieu, a withdrawal, a delisting, a liquidation
ROUNDING: Final = 1e-7  # dollars by which sums may miss each other


@inline_kernel
def requirement(value: float, i: int, acct: Floats) -> float:
    """Return the initial margin in dollars of a position worth `value`: half of it, or its maintenance if more."""
    if value >= 0.0:
        return value * max(INITIAL_MARGIN, acct[MAINT_LONG, i])
    return -value * max(INITIAL_MARGIN, acct[MAINT_SHORT, i])


@inline_kernel
def step_of(i: int, qty: float, acct: Floats) -> float:
    """Return the smallest quantity of a trade: whole shares where it leaves or makes a short."""
    short = acct[SHARES, i] < 0.0 or (acct[SHARES, i] == 0.0 and qty < 0.0)
    return 1.0 if short else acct[LOT, i]


@inline_kernel
def reduces(i: int, acct: Floats) -> bool:
    """Return whether a symbol's first leg sells what is long or covers what is short."""
    return acct[LEG0, i] * acct[SHARES, i] < 0.0


@inline_kernel
def takes(i: int, price: float, acct: Floats) -> bool:
    """Return whether a symbol's working order fills at `price`: there is one, and it is not beyond the limit.

    Both legs trade one way, so that one limit is for both.
    """
    if np.isnan(price) or np.isnan(acct[LIMIT, i]):
        return not np.isnan(price)
    buys = acct[LEG0, i] > 0.0 or (acct[LEG0, i] == 0.0 and acct[LEG1, i] > 0.0)
    return price <= acct[LIMIT, i] if buys else price >= acct[LIMIT, i]


@kernel
def room_of(t: int, i: int, block: Floats, scal: Floats, rules: Floats) -> float:
    """Return the shares of a symbol that one bar gives: no row or volume 0 none, volume unknown any, counted."""
    traded = block[2, t, i]
    if np.isnan(traded):
        scal[VOLUME_UNKNOWN] += 1.0
        return np.inf
    if traded == 0.0:
        return 0.0
    return rules[MAX_PARTICIPATION] * traded if rules[MAX_PARTICIPATION] > 0.0 else np.inf


@kernel
def fill_leg(
    t: int, i: int, leg: int, qty: float, price: float, acct: Floats, scal: Floats, rules: Floats, daily: Floats,
    at: int, rec: Floats, fills: Floats,
) -> None:  # fmt: skip
    """Fill signed `qty` of one working leg."""
    if qty != 0.0:
        order = acct[ORDER0 if leg == LEG0 else ORDER1, i]
        book_fill(t, i, qty, price, order, acct, scal, rules, daily, at, rec, fills)
        acct[leg, i] = sum_of_shares(acct[leg, i], -qty)
        acct[ROOM, i] -= abs(qty)


@inline_kernel
def within(i: int, wanted: float, acct: Floats, scal: Floats) -> float:
    """Return what of `wanted` shares the room of the bar allows."""
    if abs(wanted) <= acct[ROOM, i]:
        return wanted
    qty = trim(acct[ROOM, i] if wanted > 0.0 else -acct[ROOM, i], step_of(i, wanted, acct))
    if qty != 0.0:
        scal[PARTIAL_FILLS] += 1.0
    return qty


@inline_kernel
def within_target(i: int, wanted: float, acct: Floats, scal: Floats) -> float:
    """Return what of a carried order takes the symbol to its decided weight at the last close, and no further."""
    most = acct[TARGET, i] * scal[EQUITY] / acct[MARK, i] - acct[SHARES, i]
    if most * wanted <= 0.0:
        return 0.0
    if not abs(wanted) > abs(most):  # an unknown bound is none
        return wanted
    return trim(most, step_of(i, wanted, acct))


@kernel
def spare(t: int, auction: int, block: Floats, acct: Floats, scal: Floats, rules: Floats) -> float:
    """Return the dollars that may be spent or taken out: cash; under margin what equity exceeds the requirement by."""
    if rules[MARGIN_ACCOUNT] == 0.0:
        return float(scal[CASH])
    equity, kept = scal[CASH], 0.0
    for i in range(acct.shape[1]):
        if acct[SHARES, i] != 0.0:
            price = block[auction, t, i]
            value = acct[SHARES, i] * (acct[MARK, i] if np.isnan(price) else price)
            equity += value
            kept += requirement(value, i, acct)
    return equity - kept


@kernel
def raise_money(
    t: int, equity: float, block: Floats, acct: Floats, scal: Floats, rules: Floats, daily: Floats, at: int,
    rec: Floats, fills: Floats,
) -> bool:  # fmt: skip
    """Sell (and cover) at the open what is owed, as the same part of every position; whole shares are rounded up.

    equity : at the last close. An order for an amount of money, sized here. A symbol whose working order was decided at
    the last close is left alone: that decision knew what is to be paid out. Returns whether all of it was traded.
    """
    part, whole = min(scal[OWED] / equity, 1.0), True
    for i in range(acct.shape[1]):
        shares, price = acct[SHARES, i], block[0, t, i]
        if shares == 0.0 or (scal[PLANNED] != 0.0 and acct[ORDER0, i] >= 0.0 and acct[CARRIED, i] == 0.0):
            continue
        if np.isnan(price):
            whole = False
            continue
        step = 1.0 if shares < 0.0 else acct[LOT, i]
        wanted = abs(shares) * acct[MARK, i] * part / price
        qty = trim(wanted, step)
        if qty < wanted and step == 1.0:
            qty += 1.0
        most = min(abs(shares), room_of(t, i, block, scal, rules))
        if qty > most:
            whole = whole and most == abs(shares)
            qty = abs(shares) if most == abs(shares) else trim(most, step)
        if qty > 0.0:
            side = -1.0 if shares > 0.0 else 1.0
            book_fill(t, i, side * qty, price, NO_ORDER, acct, scal, rules, daily, at, rec, fills)
            acct[FORCED, i] = qty
            if acct[LEG0, i] * shares < 0.0 and abs(acct[LEG0, i]) > abs(acct[SHARES, i]):
                acct[LEG0, i] = -acct[SHARES, i]  # an older sale sells no more than is left
    return whole


@kernel
def worth(t: int, auction: int, block: Floats, acct: Floats, scal: Floats) -> float:
    """Return equity in dollars at the prices of an auction, at the mark where there is none."""
    equity = scal[CASH]
    for i in range(acct.shape[1]):
        if acct[SHARES, i] != 0.0:
            price = block[auction, t, i]
            equity += acct[SHARES, i] * (acct[MARK, i] if np.isnan(price) else price)
    return float(equity)


@kernel
def pay_out(
    t: int, at_close: float, first_fill: int, reserve: float, debit: float, block: Floats, acct: Floats, scal: Floats,
    rules: Floats, daily: Floats, fills: Floats,
) -> float:  # fmt: skip
    """Pay what is owed as far as there is money or margin for it; return the dollars paid.

    debit : what the account may owe afterwards: a withdrawal is raised by sales, not borrowed.
    """
    most = spare(t, int(at_close), block, acct, scal, rules) - reserve
    if rules[FEES_ON] != 0.0:
        most -= fees_of(t, first_fill, int(at_close), block, acct, scal, daily, fills)
    most = min(most, scal[CASH] + debit)
    paid = min(scal[OWED], max(most, 0.0))
    scal[OWED] -= paid
    scal[CASH] -= paid
    return float(paid)


@kernel
def free_money(
    t: int, at_close: float, block: Floats, acct: Floats, scal: Floats, rules: Floats, daily: Floats, at: int,
    rec: Floats, fills: Floats,
) -> bool:  # fmt: skip
    """Fill what reduces a long or covers a short; return whether some of it is left."""
    if rules[SIZE_AT_FILL] != 0.0:
        size_at_fill(t, at_close, block, acct, scal)
    auction, left = int(at_close), False
    for i in range(acct.shape[1]):
        acct[ADDS, i] = 0.0
        if acct[ORDER0, i] < 0.0:
            continue
        if acct[AT_CLOSE, i] != at_close:
            left = left or reduces(i, acct)
            continue
        price = block[auction, t, i]
        room = room_of(t, i, block, scal, rules) if takes(i, price, acct) else 0.0
        acct[ROOM, i] = max(room - acct[FORCED, i], 0.0)
        if reduces(i, acct):
            fill_leg(
                t, i, LEG0, within(i, acct[LEG0, i], acct, scal), price, acct, scal, rules, daily, at, rec, fills
            )  # fmt: skip
            left = left or acct[LEG0, i] != 0.0
    return left


@inline_kernel
def adding_leg(i: int, acct: Floats) -> int:
    """Return the leg of a symbol that may open or add now: the second one waits for the first."""
    return LEG1 if acct[LEG0, i] == 0.0 else LEG0


@kernel
def spend_money(
    t: int, at_close: float, first_fill: int, reserve: float, waits: bool, block: Floats, acct: Floats, scal: Floats,
    rules: Floats, daily: Floats, at: int, rec: Floats, fills: Floats,
) -> None:  # fmt: skip
    """Fill what opens or adds, by one common factor of what there is money or margin for; end the auction.

        f = clip((spare - fees due - reserve) / (dollars or margin needed + costs), 0, 1)

    reserve : dollars that the bar will still charge. waits : a sale or a cover has not filled: what was cut waits too.
    """
    auction, needed, wanted = int(at_close), 0.0, False
    for i in range(acct.shape[1]):
        if acct[ORDER0, i] < 0.0 or acct[AT_CLOSE, i] != at_close or reduces(i, acct):
            continue
        leg = adding_leg(i, acct)
        qty = acct[leg, i]
        if qty == 0.0 or not acct[ROOM, i] > 0.0:
            continue
        if acct[CARRIED, i] != 0.0:
            qty = within_target(i, qty, acct, scal)
        qty = within(i, qty, acct, scal)
        if qty == 0.0:
            continue
        price = block[auction, t, i]
        acct[ADDS, i] = qty
        wanted = True
        cost = trade_cost(qty, price, acct[HALF_SPREAD, i], acct[SIGMA, i], acct[ADV, i], rules)  # fees: below
        if rules[MARGIN_ACCOUNT] != 0.0:
            needed += requirement(qty * price, i, acct) + cost
        else:
            needed += qty * price + cost
    if wanted:
        money = spare(t, auction, block, acct, scal, rules) - reserve
        if rules[FEES_ON] != 0.0:
            money -= fees_of(t, first_fill, auction, block, acct, scal, daily, fills)
        factor = 1.0 if needed <= money + ROUNDING else max(money, 0.0) / needed
        for i in range(acct.shape[1]):
            if acct[ADDS, i] != 0.0:
                add(t, i, factor, waits, block[auction, t, i], acct, scal, rules, daily, at, rec, fills)
    for i in range(acct.shape[1]):
        if acct[ORDER0, i] < 0.0 or acct[AT_CLOSE, i] != at_close:
            continue
        unsized = rules[SIZE_AT_FILL] != 0.0 and np.isnan(block[auction, t, i])
        if acct[LEG0, i] == 0.0 and acct[LEG1, i] == 0.0 and not unsized:
            drop_order(i, acct, scal)
        elif rules[CARRY] == 0.0:
            scal[EXPIRED_ORDERS] += 1.0
            drop_order(i, acct, scal)
        else:
            acct[CARRIED, i] = 1.0


@kernel
def fees_of(
    t: int, first_fill: int, auction: int, block: Floats, acct: Floats, scal: Floats, daily: Floats, fills: Floats
) -> float:
    """Return the fees, rounded up as they will be charged, of the bar's fills so far and of what is to add."""
    total = 0.0
    for k in range(N_SESSION_FEES):
        raw = 0.0
        for row in range(first_fill, int(scal[N_FILLS])):
            raw += fills[row, F_COSTS + N_TRADE_COSTS + k]
        for i in range(acct.shape[1]):
            if acct[ADDS, i] != 0.0:
                raw += raw_fees(t, acct[ADDS, i], block[auction, t, i], daily)[k]
        if raw > 0.0:
            before = 0.0 if daily[DAY, t] > 0.0 else scal[FEE_SUMS + k]
            total += round_up_cent(before + raw) - round_up_cent(before)
    return total


@kernel
def add(
    t: int, i: int, factor: float, waits: bool, price: float, acct: Floats, scal: Floats, rules: Floats, daily: Floats,
    at: int, rec: Floats, fills: Floats,
) -> None:  # fmt: skip
    """Fill one symbol's opening or adding leg, cut by the factor; what the factor cut is dropped unless it waits."""
    wanted, leg = acct[ADDS, i], adding_leg(i, acct)
    qty, beyond = wanted, sum_of_shares(acct[leg, i], -wanted)
    if factor < 1.0:
        qty = trim(wanted * factor, step_of(i, wanted, acct))
        scal[CUT_AT_FILL] += 1.0
    fill_leg(t, i, leg, qty, price, acct, scal, rules, daily, at, rec, fills)
    if qty != wanted and not waits:
        acct[leg, i] = beyond
