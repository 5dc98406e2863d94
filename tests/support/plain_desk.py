"""Orders by hand: from target weights to what is sent.

q = W E / p - held at the close, E less what is to be paid out at the next session; rounded; small ones dropped.
What frees money is never scaled; whatever opens or adds, long or short, shares one factor.
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
    carry: bool = True
    band: float = 0.0
    margin_spread: float = 0.0
    rebate: float = 0.0  # of the bill rate, on what shorts are worth
    borrow: float = 0.0
    maintenance_long: dict[str, float] = field(default_factory=dict)
    maintenance_short: dict[str, float] = field(default_factory=dict)


@dataclass
class Order:
    """A wish: the part that reduces or flattens, then the part that opens the other side.

    weight : decided. day : bar of the decision.
    """

    first: float
    second: float
    sigma: float
    adv: float
    weight: float
    day: int


@dataclass
class Add:
    """What opens or adds, as far as it could trade now, and its costs in dollars."""

    symbol: str
    leg: str
    size: float
    price: float
    costs: float


class Holder(Protocol):
    """An account, as far as its orders go."""

    market: Market
    terms: Terms
    cash: float
    equity: float
    due: float  # dollars to be paid out at the next session
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
            first, second = wish(account, symbol, target[symbol], price)
            order = Order(first, second, math.nan, math.nan, target[symbol], t)
            if terms.impact > 0.0:
                order.sigma, order.adv = market.sigma(symbol, t), market.adv(symbol, t)
            drop_small(account, symbol, order, price)
            orders[symbol] = order
    phi = affordable(account, t, orders)
    if phi < 1.0:
        for symbol, order in orders.items():
            if not frees(account.shares[symbol], order.first):
                order.first = lot(terms, account.shares[symbol], phi * order.first)
            order.second = lot(terms, 0.0, phi * order.second)
            drop_small(account, symbol, order, market.close[symbol][t])
    return {s: order for s, order in orders.items() if order.first != 0.0 or order.second != 0.0}


def wish(account: Holder, symbol: str, weight: float, price: float) -> tuple[float, float]:
    """Shares to trade: to reduce or flatten, and to open the other side."""
    held, terms = account.shares[symbol], account.terms
    aim = 0.0 if weight == 0.0 else weight * (account.equity - account.due) / price
    if aim < 0.0:
        aim = -cut(-aim, 1.0)  # nobody lends a fraction of a share
    if aim * held < 0.0:
        return -held, tradable(terms, aim) if aim > 0.0 else aim
    first = aim - held
    return (tradable(terms, first) if aim > 0.0 else first), 0.0


def tradable(terms: Terms, size: float) -> float:
    """Cut toward zero to what can be traded."""
    return math.copysign(cut(abs(size), OUTRIGHT if terms.fractional else 1.0), size)


def lot(terms: Terms, held: float, size: float) -> float:
    """Cut toward zero what is traded on top of `held`: short positions are whole shares everywhere."""
    short = held < 0.0 or (held == 0.0 and size < 0.0)
    return math.copysign(cut(abs(size), 1.0), size) if short else tradable(terms, size)


def drop_small(account: Holder, symbol: str, order: Order, price: float) -> None:
    """Drop what is worth less than the minimum; exits are exempt."""
    if order.first != -account.shares[symbol] and abs(order.first) * price < account.terms.min_notional:
        order.first = 0.0
    if abs(order.second) * price < account.terms.min_notional:
        order.second = 0.0


def frees(held: float, size: float) -> bool:
    """Whether a trade reduces a long or covers a short."""
    return held * size < 0.0


def requirement(terms: Terms, symbol: str, size: float) -> float:
    """Initial margin of a position as a fraction of its value: half, or what its maintenance asks if that is more."""
    asked = terms.maintenance_long.get(symbol, 0.25) if size > 0.0 else terms.maintenance_short.get(symbol, 0.30)
    return max(0.5, asked)


def factor(terms: Terms, cash: float, equity: float, kept: list[tuple[str, float]], adds: list[Add]) -> float:
    """The one factor of everything that opens or adds.

    Cash account: what it costs <= cash. Margin account: initial margin of what is kept (symbol, dollars) and of what is
    added <= equity; costs come out of equity.
    """
    if terms.margin:
        room = equity - sum(requirement(terms, s, value) * abs(value) for s, value in kept)
        needed = sum(requirement(terms, a.symbol, a.size) * abs(a.size) * a.price + a.costs for a in adds)
    else:
        room = cash
        needed = sum(a.size * a.price + a.costs for a in adds)
    return 1.0 if needed <= max(room, 0.0) else max(room, 0.0) / needed


def affordable(account: Holder, t: int, orders: dict[str, Order]) -> float:
    """The factor at the decision: everything that frees money is taken to fill at the decision price."""
    terms, money, equity = account.terms, account.cash - account.due, account.equity - account.due
    if terms.fees:  # SEC, TAF and CAT are each rounded up to the cent once the day is known: a cent is kept for each
        money, equity = money - 0.03, equity - 0.03
    after = dict(account.shares)
    adds: list[Add] = []
    for symbol, order in orders.items():
        price = account.price[symbol]
        for leg in ("first", "second"):
            size = getattr(order, leg)
            if size == 0.0:
                continue
            costs = sum(charges(terms, symbol, size, price, order))
            costs += sum(raw(account.market.date[t], size, price)) if terms.fees else 0.0
            if leg == "first" and frees(account.shares[symbol], size):
                after[symbol] += size
                money -= size * price + costs
                equity -= costs
            else:
                adds.append(Add(symbol, leg, size, price, costs))
    return factor(terms, money, equity, [(s, q * account.price[s]) for s, q in after.items() if q != 0.0], adds)
