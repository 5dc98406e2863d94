"""Orders by hand: from target weights to what is sent.

q = W E / p - held at the close; rounded; small ones dropped; sales never scaled, purchases share one factor
"""

import math
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from typing import Protocol

from support.market_lists import Market, Row
from support.plain_fees import raw

OUTRIGHT = 1e-9  # smallest fraction of a share


@dataclass
class Terms:
    """What the account may do and what it is charged."""

    cash: float = 100_000.0
    at_close: bool = False
    margin: bool = True
    flat_rate: float = 0.0
    half_spread: dict[str, float] = field(default_factory=dict)
    impact: float = 0.0
    fees: bool = False
    fractional: bool = True
    min_notional: float = 0.0
    participation: float = 0.0
    carry: bool = False
    band: float = 0.0
    margin_spread: float = 0.0
    borrow: float = 0.0
    maintenance_long: dict[str, float] = field(default_factory=dict)
    maintenance_short: dict[str, float] = field(default_factory=dict)


@dataclass
class Order:
    """A wish: the part that reduces or flattens, then the part that opens the other side."""

    first: float
    second: float
    sigma: float
    adv: float


class Holder(Protocol):
    """An account, as far as its orders go."""

    market: Market
    terms: Terms
    cash: float
    equity: float
    shares: Row
    price: Row


def cut(size: float, step: float) -> float:
    """Cut a positive size down to a multiple of `step`."""
    if math.isinf(size):
        return size
    return float(Decimal(f"{size:.15g}").quantize(Decimal(1).scaleb(-9 if step < 1.0 else 0), ROUND_DOWN))


def sum_of(held: float, size: float) -> float:
    """Shares after a trade: decimals of nine places, except where a split left something else."""
    total = held + size
    nine = float(round(Decimal(repr(total)), 9))
    return nine if math.isclose(total, nine, rel_tol=0.0, abs_tol=4e-16 * (abs(held) + abs(size))) else total


def charges(terms: Terms, symbol: str, size: float, price: float, order: Order) -> tuple[float, float, float]:
    """Commission, spread and impact in dollars."""
    notional = abs(size) * price
    impact = 0.0
    if terms.impact > 0.0 and order.sigma > 0.0 and order.adv > 0.0:
        impact = notional * 2.0 / 3.0 * terms.impact * order.sigma * math.sqrt(abs(size) / order.adv)
    return notional * terms.flat_rate, notional * terms.half_spread.get(symbol, 0.0), impact


def plan(account: Holder, t: int, target: Row, held: Row, called: bool) -> dict[str, Order]:
    """Orders that take the account from what it holds to its target at bar t's closes."""
    terms, market = account.terms, account.market
    orders: dict[str, Order] = {}
    for symbol in market.symbols:
        gap = abs(target[symbol] - held[symbol])
        leaves = target[symbol] == 0.0 and held[symbol] != 0.0
        reduces = called and gap > 0.0 and abs(target[symbol]) < abs(held[symbol])
        if market.trades(symbol, t) and (gap > terms.band or leaves or reduces):
            price = market.close[symbol][t]
            order = Order(*wish(account, symbol, target[symbol], price), math.nan, math.nan)
            if terms.impact > 0.0:
                order.sigma, order.adv = market.sigma(symbol, t), market.adv(symbol, t)
            drop_small(account, symbol, order, price)
            orders[symbol] = order
    phi = affordable(account, t, orders)
    if phi < 1.0:
        for symbol, order in orders.items():
            if adds(account, symbol, order.first):
                order.first = tradable(terms, phi * order.first)
            if order.second > 0.0:
                order.second = tradable(terms, phi * order.second)
            drop_small(account, symbol, order, market.close[symbol][t])
    return {s: order for s, order in orders.items() if order.first != 0.0 or order.second != 0.0}


def wish(account: Holder, symbol: str, weight: float, price: float) -> tuple[float, float]:
    """Shares to trade: to reduce or flatten, and to open the other side."""
    held, terms = account.shares[symbol], account.terms
    aim = 0.0 if weight == 0.0 else weight * account.equity / price
    if aim < 0.0:
        aim = -cut(-aim, 1.0)  # nobody lends a fraction of a share
    if aim * held < 0.0:
        return -held, tradable(terms, aim) if aim > 0.0 else aim
    first = aim - held
    return (tradable(terms, first) if aim > 0.0 else first), 0.0


def tradable(terms: Terms, size: float) -> float:
    """Cut toward zero to what can be traded."""
    return math.copysign(cut(abs(size), OUTRIGHT if terms.fractional else 1.0), size)


def drop_small(account: Holder, symbol: str, order: Order, price: float) -> None:
    """Drop what is worth less than the minimum; exits are exempt."""
    if order.first != -account.shares[symbol] and abs(order.first) * price < account.terms.min_notional:
        order.first = 0.0
    if abs(order.second) * price < account.terms.min_notional:
        order.second = 0.0


def adds(account: Holder, symbol: str, size: float) -> bool:
    """Whether a purchase adds to a long (and does not just cover a short)."""
    return size > 0.0 and account.shares[symbol] >= 0.0


def affordable(account: Holder, t: int, orders: dict[str, Order]) -> float:
    """The one factor of all purchases."""
    money, needed, short_after = account.cash, 0.0, 0.0
    for symbol in account.market.symbols:
        price = account.price.get(symbol, 0.0)
        order = orders.get(symbol, Order(0.0, 0.0, math.nan, math.nan))
        short_after += max(-(account.shares[symbol] + order.first + order.second) * price, 0.0)
        for size, opens in ((order.first, adds(account, symbol, order.first)), (order.second, order.second > 0.0)):
            if size == 0.0:
                continue
            bill = size * price + sum(charges(account.terms, symbol, size, price, order))
            bill += sum(raw(account.market.date[t], size, price)) if account.terms.fees else 0.0
            if opens:
                needed += bill
            else:
                money -= bill
    if account.terms.margin:
        money += account.equity - 2.0 * short_after
    return 1.0 if needed <= max(money, 0.0) else max(money, 0.0) / needed
