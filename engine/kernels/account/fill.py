"""Working orders and single fills: what is put to work, what a fill costs, fees of a session."""

import numpy as np

from plimsoll.engine.kernels.account.order import Orders
from plimsoll.engine.kernels.cost import (
    FEES_ON,
    IMPACT_Y,
    N_SESSION_FEES,
    N_TRADE_COSTS,
    raw_fees,
    round_up_cent,
    trade_costs,
)
from plimsoll.engine.kernels.jit import inline_kernel, kernel
from plimsoll.engine.kernels.layout import (
    ADV,
    AT_CLOSE,
    CARRIED,
    CASH,
    COST_TO,
    DAY,
    EQUITY,
    F_BAR,
    F_COLUMN,
    F_COSTS,
    F_ORDER,
    F_PRICE,
    F_QTY,
    FEE_SUMS,
    HALF_SPREAD,
    IMPACT_UNKNOWN,
    LEG0,
    LEG1,
    LIMIT,
    LOT,
    MARK,
    N_FILLS,
    N_WORKING,
    ORDER0,
    ORDER1,
    PLANNED,
    R_TRADED,
    SHARES,
    SIGMA,
    SIZE_AT_FILL,
    TARGET,
)
from plimsoll.engine.types import Floats


@kernel
def trim(qty: float, step: float) -> float:
    """Return signed `qty` cut toward zero to a multiple of `step` shares, a negative power of ten.

    What misses a multiple by rounding error alone (two units in the last place) is that multiple: 500 shares stay 500.
    Steps are counted per share because 1e9 is exact in binary and 1e-9 is not.
    """
    per_share = np.rint(1.0 / step)
    steps = qty * per_share
    nearest = np.rint(steps)
    if abs(steps - nearest) > 4.5e-16 * abs(steps):
        nearest = np.trunc(steps)
    return float(nearest / per_share)


@kernel
def size_at_fill(t: int, at_close: float, block: Floats, acct: Floats, scal: Floats) -> None:
    """Turn target weights into working quantities at the fill's own prices.

    Only for comparison with tools that size at the fill: q = W E / p - held, with E marked at the fill prices. What
    goes through zero is two legs, as in a decision: the second opens, and is bound by the margin.
    """
    equity, auction = scal[CASH], int(at_close)
    for i in range(acct.shape[1]):
        if acct[SHARES, i] != 0.0:
            price = block[auction, t, i]
            equity += acct[SHARES, i] * (acct[MARK, i] if np.isnan(price) else price)
    for i in range(acct.shape[1]):
        if acct[ORDER0, i] >= 0.0 and acct[AT_CLOSE, i] == at_close and not np.isnan(block[auction, t, i]):
            qty = acct[TARGET, i] * equity / block[auction, t, i] - acct[SHARES, i]
            qty, held = trim(qty, acct[LOT, i]), acct[SHARES, i]
            through = qty * held < 0.0 and abs(qty) > abs(held)
            acct[LEG0, i] = -held if through else qty
            acct[LEG1, i] = sum_of_shares(held, qty) if through else 0.0
            if through and acct[ORDER1, i] < 0.0:
                acct[ORDER1, i] = acct[ORDER0, i]


@inline_kernel
def sum_of_shares(held: float, qty: float) -> float:
    """Return held + qty; a sum that misses a billionth of a share by rounding error alone is that billionth.

    Quantities are decimals of at most nine places, and so are their sums: 0.1 + 0.2 shares less 0.3 are none.
    """
    total = held + qty
    nearest = np.rint(total * 1e9) / 1e9
    return nearest if abs(total - nearest) <= 4.5e-16 * (abs(held) + abs(qty)) else total


@kernel
def book_fill(
    t: int, i: int, qty: float, price: float, order: float, acct: Floats, scal: Floats, rules: Floats, daily: Floats,
    at: int, rec: Floats, fills: Floats,
) -> None:  # fmt: skip
    """Book one fill: shares, cash, the costs of the trade except fees (row `at` of rec), its row in the fill table."""
    notional = abs(qty) * price
    if rules[IMPACT_Y] != 0.0 and not (acct[SIGMA, i] > 0.0 and acct[ADV, i] > 0.0):
        scal[IMPACT_UNKNOWN] += 1.0
    row = int(scal[N_FILLS])
    scal[N_FILLS] += 1.0
    fills[row, F_BAR] = t
    fills[row, F_COLUMN] = i
    fills[row, F_QTY] = qty
    fills[row, F_PRICE] = price
    fills[row, F_ORDER] = order
    paid, costs = qty * price, trade_costs(qty, price, acct[HALF_SPREAD, i], acct[SIGMA, i], acct[ADV, i], rules)
    for k in range(N_TRADE_COSTS):
        fills[row, F_COSTS + k] = costs[k]
        rec[at, COST_TO[k]] += costs[k]
        paid += costs[k]
    fees = raw_fees(t, qty, price, daily)
    for k in range(N_SESSION_FEES):
        fills[row, F_COSTS + N_TRADE_COSTS + k] = fees[k] if rules[FEES_ON] != 0.0 else 0.0
    acct[SHARES, i] = sum_of_shares(acct[SHARES, i], qty)
    scal[CASH] -= paid
    rec[at, R_TRADED] += notional


@kernel
def drop_order(i: int, acct: Floats, scal: Floats) -> None:
    """Forget a symbol's working order."""
    acct[LEG0, i] = 0.0
    acct[LEG1, i] = 0.0
    acct[ORDER0, i] = -1.0
    acct[ORDER1, i] = -1.0
    scal[N_WORKING] -= 1.0


@kernel
def replace_working(first: int, stop: int, orders: Orders, first_row: int, acct: Floats, scal: Floats) -> None:
    """Put new orders, rows [first, stop) of the columns, in the place of whatever was working.

    The account knows them by numbers from first_row on.
    """
    for i in range(acct.shape[1]):
        acct[LEG0, i] = 0.0
        acct[LEG1, i] = 0.0
        acct[ORDER0, i] = -1.0
        acct[ORDER1, i] = -1.0
    scal[N_WORKING] = 0.0
    scal[PLANNED] = 1.0
    put_to_work(first, stop, orders, first_row, acct, scal)


@kernel
def add_working(first: int, stop: int, orders: Orders, first_row: int, acct: Floats, scal: Floats) -> None:
    """Put new orders beside what is working, in the place of what is working for the same symbols."""
    for k in range(first, stop):
        if acct[ORDER0, orders.col[k]] >= 0.0:
            drop_order(orders.col[k], acct, scal)
    put_to_work(first, stop, orders, first_row, acct, scal)


@kernel
def add_under_call(
    first: int, stop: int, orders: Orders, first_row: int, acct: Floats, scal: Floats, rules: Floats
) -> None:  # fmt: skip
    """Put the new orders of a margin call beside what is working: what reduces goes on, what opens or adds ends.

    A symbol without a price at the call is still sold when it has one. Where the call asks for a symbol whose order is
    on its way, the call's takes its place, at the call's own limit, and is for the larger of the two quantities:
    nobody who is called sells less than was on its way. The row of the new order says so.
    """
    sized_at_fill = rules[SIZE_AT_FILL] != 0.0
    for i in range(acct.shape[1]):
        if acct[ORDER0, i] < 0.0:
            continue
        if not goes_on(i, sized_at_fill, acct, scal):
            drop_order(i, acct, scal)
            continue
        acct[LEG1, i], acct[ORDER1, i], acct[CARRIED, i] = 0.0, -1.0, 1.0
        if acct[TARGET, i] * acct[SHARES, i] < 0.0:
            acct[TARGET, i] = 0.0
    for k in range(first, stop):
        i = orders.col[k]
        if acct[ORDER0, i] >= 0.0:
            if not sized_at_fill and abs(acct[LEG0, i]) > abs(orders.qty[k]):
                orders.qty[k] = acct[LEG0, i]
            if abs(acct[TARGET, i]) < abs(orders.target[k]):
                orders.target[k] = acct[TARGET, i]
            drop_order(i, acct, scal)
        put_to_work(k, k + 1, orders, first_row + k - first, acct, scal)
    scal[PLANNED] = 1.0


@inline_kernel
def goes_on(i: int, sized_at_fill: bool, acct: Floats, scal: Floats) -> bool:
    """Return whether a symbol's working order reduces what is held; one sized at the fill as the last mark has it."""
    if not sized_at_fill:
        return acct[LEG0, i] * acct[SHARES, i] < 0.0
    target, weight = acct[TARGET, i], acct[SHARES, i] * acct[MARK, i] / scal[EQUITY]
    return target * weight < 0.0 or abs(target) < abs(weight)


@kernel
def put_to_work(first: int, stop: int, orders: Orders, first_row: int, acct: Floats, scal: Floats) -> None:
    """Write new orders, rows [first, stop) of the columns, where none is working."""
    col, leg, qty, at_close = orders.col, orders.leg, orders.qty, orders.at_close
    target, price, sigma, adv, limit = orders.target, orders.price, orders.sigma, orders.adv, orders.limit
    for k in range(first, stop):
        i, row = col[k], float(first_row + k - first)
        if acct[ORDER0, i] < 0.0:
            acct[ORDER0, i] = row  # a lone second leg needs no first
            scal[N_WORKING] += 1.0
        acct[LEG0 + leg[k], i] = qty[k]
        acct[ORDER0 + leg[k], i] = row
        acct[TARGET, i] = target[k]
        acct[SIGMA, i] = sigma[k]
        acct[ADV, i] = adv[k]
        acct[LIMIT, i] = limit[k]
        acct[AT_CLOSE, i] = 1.0 if at_close[k] else 0.0
        acct[CARRIED, i] = 0.0
        if acct[SHARES, i] == 0.0 and price[k] > 0.0:
            acct[MARK, i] = price[k]  # a loop that coasts keeps the marks of what is held only


@kernel
def charge_fees(t: int, first: int, scal: Floats, daily: Floats, at: int, rec: Floats, fills: Floats) -> None:
    """Charge the fees of fills [first, N_FILLS), shared pro rata: each kind is rounded up to the cent per session.

    A bar is charged what its fills add to the session's rounded sum, so that many bars cost no more cents than one.
    Source: Alpaca charges each regulatory fee per account and day, rounded up to the cent (schedule of 2026-09-17).
    """
    for k in range(N_SESSION_FEES):
        kind, total = F_COSTS + N_TRADE_COSTS + k, FEE_SUMS + k
        if daily[DAY, t] > 0.0:
            scal[total] = 0.0
        raw = 0.0
        for row in range(first, int(scal[N_FILLS])):
            raw += fills[row, kind]
        if raw <= 0.0:
            continue
        charged = round_up_cent(scal[total] + raw) - round_up_cent(scal[total])
        scal[total] += raw
        for row in range(first, int(scal[N_FILLS])):
            fills[row, kind] *= charged / raw
        scal[CASH] -= charged
        rec[at, COST_TO[N_TRADE_COSTS + k]] += charged
