"""One auction by hand: what working orders get of a bar, and what becomes of the rest.

frees first    sales for money, then what reduces a long or covers a short, as far as the bar gives it
then pays out  a withdrawal, out of what is there
adds last      one factor on everything that opens or adds, by the money and the margin there is at these prices
the rest       works on; what a gap made unaffordable is dropped, but waits where a sale of its decision waits
"""

import math
from typing import Protocol

from support.market_lists import Market, Row
from support.plain_desk import OUTRIGHT, Add, Order, Terms, charges, cut, factor, frees, lot, sum_of, wish
from support.plain_fees import charged

Trade = tuple[str, float, float]  # symbol, signed shares, price


class Bidder(Protocol):
    """An account, as far as its auctions go."""

    market: Market
    terms: Terms
    cash: float
    equity: float
    due: float
    shares: Row
    price: Row
    orders: dict[str, Order]
    raising: Row
    today: list[tuple[float, float]]
    counts: dict[str, int]
    fills: list[tuple[int, str, float, float, float, bool | None]]


def auction(account: Bidder, t: int, row: Row, borrowed: float, carry: float) -> list[Trade]:
    """Trade at bar t's opens, or closes; return the trades.

    borrowed (<= 0) : debit that a withdrawal may leave. carry : dollars that this session will cost what was carried.
    """
    market, terms = account.market, account.terms
    done: list[Trade] = []
    prices = (market.close if terms.at_close else market.open, market.volume)
    quote = {s: prices[0][s][t] for s in market.symbols if market.trades(s, t)}
    room = {s: limit(terms, prices[1][s][t]) for s in quote}
    for symbol, dollars in account.raising.items():
        if symbol in quote:
            price = market.open[symbol][t]
            size = for_money(account, symbol, dollars, price, room[symbol])
            give(account, t, symbol, size, price, None, row, done)
            room[symbol] -= abs(size)
    row["raised"] = spent(row)
    for symbol, order in account.orders.items():
        if symbol in quote and frees(account.shares[symbol], order.first):
            wanted = math.copysign(min(abs(order.first), abs(account.shares[symbol])), order.first)
            size = within(terms, account.shares[symbol], wanted, room[symbol])
            give(account, t, symbol, size, quote[symbol], order, row, done)
            order.first = sum_of(order.first, -size)
            room[symbol] -= abs(size)
    if not terms.at_close:
        row["raised"] = spent(row)
    row["flow"] -= pay_out(account, borrowed)
    buy(account, t, quote, room, row, done, carry)
    return done


def spent(row: Row) -> float:
    """Costs of the session's trades so far."""
    return row["commission"] + row["spread"] + row["impact"]


def limit(terms: Terms, volume: float) -> float:
    """Shares that a bar gives at most."""
    if math.isnan(volume):
        return math.inf
    if volume > 0.0 and terms.participation == 0.0:
        return math.inf
    return terms.participation * volume


def for_money(account: Bidder, symbol: str, dollars: float, price: float, room: float) -> float:
    """Shares that raise an amount of money, rounded up; at most what is held and what the bar gives."""
    held = account.shares[symbol]
    step = OUTRIGHT if account.terms.fractional and held > 0.0 else 1.0
    size = min(math.ceil(round(dollars / price / step, 6)) * step, abs(held))
    return within(account.terms, held, -math.copysign(size, held), room)


def held_to_weight(account: Bidder, symbol: str, order: Order, leg: str) -> float:
    """What a carried order may open or add now: no more than the decided weight allows at the last close."""
    first, second = wish(account, symbol, order.weight, account.price[symbol])
    return shorter(getattr(order, leg), second if leg == "second" and second != 0.0 else first)


def shorter(size: float, bound: float) -> float:
    """`size`, or `bound` where that is less on the same side."""
    return 0.0 if size * bound <= 0.0 else math.copysign(min(abs(size), abs(bound)), size)


def within(terms: Terms, held: float, wanted: float, room: float) -> float:
    """What of a wish the bar gives."""
    return wanted if abs(wanted) <= room else lot(terms, held, math.copysign(room, wanted))


def pay_out(account: Bidder, borrowed: float) -> float:
    """Pay of what is due as much as there is without going deeper into debt; return it."""
    paid = min(account.due, max(account.cash - borrowed, 0.0))
    account.cash -= paid
    account.due -= paid
    return paid


def buy(account: Bidder, t: int, quote: Row, room: Row, row: Row, done: list[Trade], carry: float) -> None:
    """Open and add, all by one factor; then see to what is left of every order."""
    terms, adds = account.terms, []
    for symbol, order in account.orders.items():
        leg = "first" if order.first != 0.0 else "second"
        size = getattr(order, leg)
        if symbol in quote and size != 0.0 and not frees(account.shares[symbol], size):
            if order.day < t - 1:
                size = held_to_weight(account, symbol, order, leg)
            size = within(terms, account.shares[symbol], size, room[symbol])
            costs = sum(charges(terms, symbol, size, quote[symbol], order))
            adds.append(Add(symbol, leg, size, quote[symbol], costs))
    spare = carry + reserve(account, t, done + [(a.symbol, a.size, a.price) for a in adds])
    worth = [(s, q * quote.get(s, account.price[s])) for s, q in account.shares.items() if q != 0.0]
    equity = account.cash + sum(value for _, value in worth)
    share = factor(terms, account.cash - spare, equity - spare, worth, adds)
    waiting = {o.day for s, o in account.orders.items() if frees(account.shares[s], o.first)}
    for add in adds:
        order = account.orders[add.symbol]
        there = lot(terms, account.shares[add.symbol], share * add.size)
        size = (
            add.size if share == 1.0 and there != 0.0 else there
        )  # what a split left below the smallest lot is nothing
        give(account, t, add.symbol, size, add.price, order, row, done)
        gone = size if order.day in waiting else add.size
        setattr(order, add.leg, sum_of(getattr(order, add.leg), -gone))
    for symbol, order in list(account.orders.items()):
        if order.first == 0.0 and order.second == 0.0:
            del account.orders[symbol]
        elif not terms.carry:
            account.counts["expired_orders"] += 1
            del account.orders[symbol]


def reserve(account: Bidder, t: int, trades: list[Trade]) -> float:
    """Fees that the session's trades so far and these would be charged on top of what was charged before."""
    if not account.terms.fees:
        return 0.0
    day, earlier = account.market.date[t], [] if account.market.opening[t] else account.today
    return charged(day, earlier + [(size, price) for _, size, price in trades]) - charged(day, earlier)


def give(
    account: Bidder, t: int, symbol: str, size: float, price: float, order: Order | None, row: Row, done: list[Trade]
) -> None:
    """Exchange shares for cash, and pay for it."""
    if size == 0.0:
        return
    kept = order or Order(0.0, 0.0, math.nan, math.nan, 0.0, t)
    commission, spread, impact = charges(account.terms, symbol, size, price, kept)
    account.shares[symbol] = sum_of(account.shares[symbol], size)
    account.cash -= size * price + commission + spread + impact
    account.fills.append((t, symbol, size, price, commission + spread + impact, None if order is None else True))
    row["commission"] += commission
    row["spread"] += spread
    row["impact"] += impact
    row["traded"] += abs(size) * price
    done.append((symbol, size, price))


def in_lieu(account: Bidder, t: int, symbol: str, ratio: float) -> list[Trade]:
    """Apply a split to shares and to what works; whole-share positions are paid their fraction at this open."""
    before, shares = account.shares[symbol], account.shares[symbol] * ratio
    whole = not account.terms.fractional
    kept = math.copysign(cut(abs(shares), 1.0), shares) if whole or shares < 0.0 else shares
    order = account.orders.get(symbol)
    if order is not None:
        order.adv *= ratio
        exits = order.first == -before
        order.first, order.second = order.first * ratio, order.second * ratio
        if exits:
            order.first = -kept
        elif whole or shares < 0.0 or (shares == 0.0 and order.first < 0.0):  # what covers a short never opens a long
            order.first = math.copysign(cut(abs(order.first), 1.0), order.first)
        if whole or order.second < 0.0:
            order.second = math.copysign(cut(abs(order.second), 1.0), order.second)
    account.shares[symbol] = kept
    if symbol in account.price:
        account.price[symbol] /= ratio
    if kept == shares:
        return []
    price = account.market.open[symbol][t]
    account.cash += (shares - kept) * price
    account.fills.append((t, symbol, kept - shares, price, 0.0, False))
    return [(symbol, kept - shares, price)]
