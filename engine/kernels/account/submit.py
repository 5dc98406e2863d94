"""From a target to rows of an order table: liquidity, legal legs, one row an order."""

from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.kernels.account.order import Orders, wave_of, write_order
from plimsoll.engine.kernels.account.plan import UNTOUCHED, plan_legs
from plimsoll.engine.kernels.cost import IMPACT_Y
from plimsoll.engine.kernels.estimate.liquidity import volatility_at, volume_at
from plimsoll.engine.kernels.jit import inline_kernel, kernel
from plimsoll.engine.kernels.layout import ADV, MARGIN_ACCOUNT, MARK, SHARES, SIGMA, SIZE_AT_FILL
from plimsoll.engine.types import Bools, Codes, Floats

# What `plan_orders` returns as the affordability factor where a cash account would have to sell short.
SHORT_IN_CASH: Final = -1.0


class Tape(NamedTuple):
    """What liquidity is read from, (T, N), and bars per session; factor may be empty if unused."""

    ret: Floats
    status: Codes
    volume: Floats
    factor: Floats
    bars: int


class Work(NamedTuple):
    """Room for a decision on N symbols: terms (ACCT_ROWS, N) with an account's rates, legs (2, N), buffer (20,)."""

    terms: Floats
    legs: Floats
    buffer: Floats


@inline_kernel
def liquidity(t: int, trade: Bools, rules: Floats, tape: Tape, buffer: Floats, terms: Floats) -> None:
    """Write daily volatility and volume in shares of what trades to their rows; NaN where unknown or not needed."""
    for i in range(trade.shape[0]):
        terms[SIGMA, i] = np.nan
        terms[ADV, i] = np.nan
    if rules[IMPACT_Y] != 0.0:
        ret, status, volume, factor, bars = tape.ret, tape.status, tape.volume, tape.factor, tape.bars
        for i in range(trade.shape[0]):
            if trade[i]:
                terms[SIGMA, i] = volatility_at(t, i, ret, status) * np.sqrt(float(bars))
                terms[ADV, i] = volume_at(t, i, volume, factor, ret, status, buffer) * bars


@kernel
def plan_orders(
    t: int, cash: float, equity: float, shares: Floats, value: Floats, target: Floats, trade: Bools, price: Floats,
    rules: Floats, daily: Floats, min_notional: float, at_close: bool, tape: Tape, work: Work, why: Codes,
    orders: Orders, row: int,
) -> tuple[float, int]:  # fmt: skip
    """Write the orders that take an account to `target` weights where `trade` says so, from `row` of the table on.

    shares, value (N,) holdings and their worth at the last price; price (N,) decision prices, NaN = halted; at_close
    says which auction the orders are for; why (N,) gets the reasons of `engine.kernels.account.plan`. Returns the
    affordability factor and the number of orders; the factor is SHORT_IN_CASH, and nothing is written, where a cash
    account would have to sell short.
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
        return 1.0, at_fill(t, equity, target, trade, price, at_close, terms, why, orders, row)
    phi = plan_legs(t, cash, equity, target, trade, price, terms, rules, daily, min_notional, legs, why)
    at = row
    for i in range(n):
        before = shares[i]
        for leg in range(2):
            qty = legs[leg, i]
            if qty != 0.0:
                write_order(
                    at, t, i, leg, wave_of(before, qty), qty, target[i], price[i], terms[SIGMA, i], terms[ADV, i],
                    at_close, orders,
                )  # fmt: skip
                at += 1
                before += qty
    return phi, at - row


@inline_kernel
def at_fill(
    t: int, equity: float, target: Floats, trade: Bools, price: Floats, at_close: bool, terms: Floats, why: Codes,
    orders: Orders, row: int,
) -> int:  # fmt: skip
    """Write an order of unknown size for everything that trades and has a price; the simulator sizes it at the fill.

    Its wave is that of the size it would have at the decision price.
    """
    at = row
    for i in range(target.shape[0]):
        why[i] = UNTOUCHED
        if trade[i] and not np.isnan(price[i]):
            held = terms[SHARES, i]
            wave = wave_of(held, target[i] * equity / price[i] - held)
            write_order(
                at, t, i, 0, wave, 0.0, target[i], price[i], terms[SIGMA, i], terms[ADV, i], at_close, orders
            )  # fmt: skip
            at += 1
    return at - row
