"""A fill of an account of one symbol: how much of it there is money for, what it costs. See `one_symbol`."""

import numpy as np

from plimsoll.engine.kernels.account.auction import ROUNDING, requirement, step_of
from plimsoll.engine.kernels.account.fill import trim
from plimsoll.engine.kernels.cost import (
    FEES_ON,
    IMPACT_Y,
    N_SESSION_FEES,
    N_TRADE_COSTS,
    raw_fees,
    round_up_cent,
    trade_cost,
    trade_costs,
)
from plimsoll.engine.kernels.derive import OUTSIDE
from plimsoll.engine.kernels.jit import inline_kernel, kernel
from plimsoll.engine.kernels.layout import (
    ADV,
    AT_CLOSE,
    CARRIED,
    CUT_AT_FILL,
    DAY,
    FEE_SUMS,
    HALF_SPREAD,
    IMPACT_UNKNOWN,
    LEG0,
    LEG1,
    LIMIT,
    MARGIN_ACCOUNT,
    MAX_PARTICIPATION,
    SIGMA,
)
from plimsoll.engine.runtime.compiled.loop_state import COSTS, FILLS, TRADED, TRADES
from plimsoll.engine.types import Codes, Floats, Ints


@inline_kernel
def is_whole(t: int, block: Floats, status: Codes, rules: Floats, acct: Floats) -> bool:
    """Return whether the working order is one leg, for this open, of which the bar's volume gives all that is asked."""
    volume, most = block[2, t, 0], rules[MAX_PARTICIPATION]
    fits = volume > 0.0 and (not most > 0.0 or abs(acct[LEG0, 0]) <= most * volume)
    plain = acct[AT_CLOSE, 0] == 0.0 and acct[CARRIED, 0] == 0.0 and np.isnan(acct[LIMIT, 0])
    one = acct[LEG0, 0] != 0.0 and acct[LEG1, 0] == 0.0 and status[t - 1, 0] != OUTSIDE
    return bool(fits and plain and one)


@kernel
def fitting(
    t: int, qty: float, price: float, cash: float, shares: float, reserve: float, acct: Floats, scal: Floats,
    rules: Floats, daily: Floats,
) -> tuple[float, float]:  # fmt: skip
    """Return what of an order there is money or margin for at the open, and the factor; see `auction.spend_money`."""
    if qty * shares < 0.0:
        return qty, 1.0
    cost = trade_cost(qty, price, acct[HALF_SPREAD, 0], acct[SIGMA, 0], acct[ADV, 0], rules)
    if rules[MARGIN_ACCOUNT] != 0.0:
        needed = requirement(qty * price, 0, acct) + cost
        value = shares * price
        money = cash + value - requirement(value, 0, acct) - reserve
    else:
        needed = qty * price + cost
        money = cash - reserve
    if rules[FEES_ON] != 0.0:
        raw, fees = raw_fees(t, qty, price, daily), 0.0
        for k in range(N_SESSION_FEES):
            fees += charge_of(t, k, raw[k], scal, daily)
        money -= fees
    if needed <= money + ROUNDING:
        return qty, 1.0
    factor = max(money, 0.0) / needed
    return trim(qty * factor, step_of(0, qty, acct)), factor


@kernel
def paid(
    t: int, qty: float, price: float, cash: float, acct: Floats, scal: Floats, rules: Floats, daily: Floats
) -> tuple[float, float]:  # fmt: skip
    """Return the cash after a fill, fees included, and what it cost; see `fill.book_fill` and `fill.charge_fees`."""
    total, cost = qty * price, 0.0
    costs = trade_costs(qty, price, acct[HALF_SPREAD, 0], acct[SIGMA, 0], acct[ADV, 0], rules)
    for k in range(N_TRADE_COSTS):
        cost += costs[k]
        total += costs[k]
    cash -= total
    if rules[FEES_ON] != 0.0:
        raw, fees = raw_fees(t, qty, price, daily), 0.0
        for k in range(N_SESSION_FEES):
            due = charge_of(t, k, raw[k], scal, daily)
            fees += due
            cash -= due
        cost += fees
    return cash, cost


@inline_kernel
def charge_of(t: int, kind: int, raw: float, scal: Floats, daily: Floats) -> float:
    """Return what a session's fees of one kind go up by with this fill's, in whole cents; see `fill.charge_fees`."""
    before = 0.0 if daily[DAY, t] > 0.0 else scal[FEE_SUMS + kind]
    return round_up_cent(before + raw) - round_up_cent(before) if raw > 0.0 else 0.0


@inline_kernel
def sum_fees(t: int, qty: float, price: float, scal: Floats, daily: Floats) -> None:
    """Add the fees of a bar's fill, if there is one, to its session's."""
    raw = raw_fees(t, qty, price, daily)
    for k in range(N_SESSION_FEES):
        before = 0.0 if daily[DAY, t] > 0.0 else scal[FEE_SUMS + k]
        scal[FEE_SUMS + k] = before + raw[k] if qty != 0.0 and raw[k] > 0.0 else before


@inline_kernel
def note_fill(
    qty: float, price: float, cost: float, factor: float, base: float, rules: Floats, acct: Floats,
    scal: Floats, sums: Floats, cursor: Ints,
) -> None:  # fmt: skip
    """Count a bar's fill, of which money or margin may have left nothing, and add it to the sums."""
    if qty != 0.0:
        sums[TRADED] += abs(qty) * price / base
        sums[COSTS] += cost / base
        sums[TRADES] += 1.0
        cursor[FILLS] += 1
        if rules[IMPACT_Y] != 0.0 and not (acct[SIGMA, 0] > 0.0 and acct[ADV, 0] > 0.0):
            scal[IMPACT_UNKNOWN] += 1.0
    if factor < 1.0:
        scal[CUT_AT_FILL] += 1.0
