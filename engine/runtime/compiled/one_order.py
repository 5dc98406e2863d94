"""An order of an account of one symbol: from an answered weight to shares that work. See `one_symbol`."""

import numpy as np

from plimsoll.engine.kernels.account.auction import requirement
from plimsoll.engine.kernels.account.plan import legs_to, scaled
from plimsoll.engine.kernels.account.submit import Tape, Work
from plimsoll.engine.kernels.cost import FEES_ON, IMPACT_Y, N_SESSION_FEES, estimate_cost
from plimsoll.engine.kernels.estimate.liquidity import volatility_at, volume_at
from plimsoll.engine.kernels.jit import inline_kernel, kernel
from plimsoll.engine.kernels.layout import (
    ADV,
    AT_CLOSE,
    CARRIED,
    HALF_SPREAD,
    LEG0,
    LEG1,
    LIMIT,
    LOT,
    MARGIN_ACCOUNT,
    N_WORKING,
    NEXT_OUT,
    ORDER0,
    ORDER1,
    SIGMA,
    TARGET,
)
from plimsoll.engine.portfolio.stages.s7_turnover import trades
from plimsoll.engine.runtime.compiled.loop_state import N_ORDERS
from plimsoll.engine.types import Floats, Ints


@kernel
def decided(
    t: int, aim: float, price: float, cash: float, equity: float, shares: float, daily: Floats, rules: Floats,
    band: float, min_notional: float, tape: Tape, work: Work,
) -> float:  # fmt: skip
    """Return the shares to order for an answered weight; NaN where it takes two legs, or a cash account to go short."""
    if aim < 0.0 and rules[MARGIN_ACCOUNT] == 0.0:
        return np.nan
    out = daily[NEXT_OUT, t] if daily[NEXT_OUT, t] < equity else 0.0
    if not trades(aim, shares * price / (equity - out), band, False):
        return 0.0
    terms = work.terms
    terms[SIGMA, 0], terms[ADV, 0] = np.nan, np.nan
    if rules[IMPACT_Y] != 0.0:
        terms[SIGMA, 0] = volatility_at(t, 0, tape.ret, tape.status) * np.sqrt(float(tape.bars))
        terms[ADV, 0] = volume_at(t, 0, tape.volume, tape.factor, tape.ret, tape.status, work.buffer) * tape.bars
    return order_to(t, aim, price, cash - out, equity - out, shares, min_notional, terms, rules, daily)


@inline_kernel
def order_to(
    t: int, aim: float, price: float, cash: float, equity: float, shares: float, min_notional: float, acct: Floats,
    rules: Floats, daily: Floats,
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
    cost = estimate_cost(t, qty, price, acct[HALF_SPREAD, 0], acct[SIGMA, 0], acct[ADV, 0], rules, daily)
    spare = equity if rules[MARGIN_ACCOUNT] != 0.0 else cash
    if rules[FEES_ON] != 0.0:
        spare -= 0.01 * N_SESSION_FEES  # each kind of fee is rounded up to the cent
    if rules[MARGIN_ACCOUNT] != 0.0:
        needed = requirement(qty * price, 0, acct) + cost
        if shares != 0.0:
            spare -= requirement(shares * price, 0, acct)
    else:
        needed = qty * price + cost
    spare = max(spare, 0.0)
    if needed <= spare:
        return qty
    qty = scaled(shares, qty, spare / needed, acct[LOT, 0])
    return 0.0 if abs(qty) * price < min_notional else qty


@inline_kernel
def put_alone(qty: float, aim: float, cursor: Ints, acct: Floats, scal: Floats, work: Work) -> None:
    """Put an order of one symbol, or none, in the place of what was working; see `fill.replace_working`."""
    acct[LEG0, 0], acct[LEG1, 0], acct[ORDER0, 0], acct[ORDER1, 0] = qty, 0.0, -1.0, -1.0
    scal[N_WORKING] = 0.0
    if qty != 0.0:
        acct[ORDER0, 0] = float(cursor[N_ORDERS])
        acct[TARGET, 0], acct[AT_CLOSE, 0], acct[CARRIED, 0] = aim, 0.0, 0.0
        acct[SIGMA, 0], acct[ADV, 0], acct[LIMIT, 0] = work.terms[SIGMA, 0], work.terms[ADV, 0], np.nan
        scal[N_WORKING] = 1.0
        cursor[N_ORDERS] += 1
