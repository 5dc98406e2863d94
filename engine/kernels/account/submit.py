"""From a target to rows of an order table: liquidity, legal legs, one row an order."""

from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.kernels.account.cost import IMPACT_Y
from plimsoll.engine.kernels.account.plan import UNTOUCHED, plan_legs
from plimsoll.engine.kernels.estimate.liquidity import volatility_at, volume_at
from plimsoll.engine.kernels.jit import inline_kernel, kernel
from plimsoll.engine.kernels.layout import ADV, MARGIN_ACCOUNT, MARK, SHARES, SIGMA, SIZE_AT_FILL
from plimsoll.engine.types import Bools, Codes, Floats, Ints

# What `plan_orders` returns as the affordability factor where a cash account would have to sell short.
SHORT_IN_CASH: Final = -1.0


class Orders(NamedTuple):
    """Orders as columns of length R; see `plimsoll.engine.execution.broker.OrderBatch`. bar is the one decided at."""

    bar: Ints
    col: Ints
    leg: Ints
    qty: Floats
    target: Floats
    price: Floats
    sigma: Floats
    adv: Floats


class Tape(NamedTuple):
    """What liquidity is read from: ret, volume, factor (T, N) and bars per session; factor may be empty if unused."""

    ret: Floats
    volume: Floats
    factor: Floats
    bars: int


class Work(NamedTuple):
    """Room for a decision on N symbols: terms (ACCT_ROWS, N) with an account's rates, legs (2, N), buffer (20,)."""

    terms: Floats
    legs: Floats
    buffer: Floats


def empty_orders(rows: int) -> Orders:
    """Return a table with room for `rows` orders."""
    whole = [np.empty(rows, dtype=np.int64) for _ in range(3)]
    return Orders(whole[0], whole[1], whole[2], *(np.empty(rows) for _ in range(5)))


@inline_kernel
def liquidity(t: int, trade: Bools, rules: Floats, tape: Tape, buffer: Floats, terms: Floats) -> None:
    """Write daily volatility and volume in shares of what trades to their rows; NaN where unknown or not needed."""
    for i in range(trade.shape[0]):
        terms[SIGMA, i] = np.nan
        terms[ADV, i] = np.nan
    if rules[IMPACT_Y] != 0.0:
        ret, volume, factor, bars = tape.ret, tape.volume, tape.factor, tape.bars
        for i in range(trade.shape[0]):
            if trade[i]:
                terms[SIGMA, i] = volatility_at(t, i, ret) * np.sqrt(float(bars))
                terms[ADV, i] = volume_at(t, i, volume, factor, buffer) * bars


@kernel
def plan_orders(
    t: int, cash: float, equity: float, shares: Floats, value: Floats, target: Floats, trade: Bools, price: Floats,
    rules: Floats, daily: Floats, min_notional: float, tape: Tape, work: Work, why: Codes, orders: Orders, row: int,
) -> tuple[float, int]:  # fmt: skip
    """Write the orders that take an account to `target` weights where `trade` says so, from `row` of the table on.

    shares, value (N,) holdings and their worth at the last price; price (N,) decision prices, NaN = halted; why (N,)
    gets the reasons of `engine.kernels.account.plan`. Returns the affordability factor and the number of orders; the
    factor is SHORT_IN_CASH, and nothing is written, where a cash account would have to sell short.
    """
    n = target.shape[0]
    if rules[MARGIN_ACCOUNT] == 0.0:
        for i in range(n):
            if target[i] < 0.0:
                return SHORT_IN_CASH, 0
    terms, legs = work.terms, work.legs
    for i in range(n):
        terms[SHARES, i] = shares[i]
        if shares[i] != 0.0:
            terms[MARK, i] = value[i] / shares[i]
    liquidity(t, trade, rules, tape, work.buffer, terms)
    if rules[SIZE_AT_FILL] != 0.0:
        return 1.0, at_fill(t, target, trade, price, terms, why, orders, row)
    phi = plan_legs(t, cash, equity, target, trade, price, terms, rules, daily, min_notional, legs, why)
    at = row
    for i in range(n):
        for leg in range(2):
            if legs[leg, i] != 0.0:
                write_order(at, t, i, leg, legs[leg, i], target[i], price[i], terms, orders)
                at += 1
    return phi, at - row


@inline_kernel
def at_fill(
    t: int, target: Floats, trade: Bools, price: Floats, terms: Floats, why: Codes, orders: Orders, row: int
) -> int:
    """Write an order of unknown size for everything that trades and has a price; the simulator sizes it at the fill."""
    at = row
    for i in range(target.shape[0]):
        why[i] = UNTOUCHED
        if trade[i] and not np.isnan(price[i]):
            write_order(at, t, i, 0, 0.0, target[i], price[i], terms, orders)
            at += 1
    return at - row


@inline_kernel
def write_order(
    at: int, t: int, i: int, leg: int, qty: float, target: float, price: float, terms: Floats, orders: Orders
) -> None:
    """Write one row."""
    orders.bar[at] = t
    orders.col[at] = i
    orders.leg[at] = leg
    orders.qty[at] = qty
    orders.target[at] = target
    orders.price[at] = price
    orders.sigma[at] = terms[SIGMA, i]
    orders.adv[at] = terms[ADV, i]
