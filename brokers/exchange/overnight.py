"""What happens to positions and open orders before a session: splits, then dividends on the new shares."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from plimsoll.brokers.exchange.activity import Payment
from plimsoll.brokers.exchange.amount import ONE, ZERO, down, is_whole, tick_down, tick_up, times, value
from plimsoll.brokers.exchange.order import Order

if TYPE_CHECKING:
    from plimsoll.brokers.exchange.matching import Exchange


def book_actions(exchange: "Exchange") -> None:
    """Book the corporate actions of the session that is about to begin."""
    day = exchange.session.day
    touched = {*exchange.ledger.positions, *(order.ticket.symbol for order in exchange.working())}
    for symbol in sorted(touched):
        ratio, dividend = exchange.tape.actions(symbol, day)
        if ratio != 1:
            _split(exchange, symbol, ratio)
        if dividend > 0 and exchange.settings.dividends and symbol in exchange.ledger.positions:
            qty = exchange.ledger.qty(symbol)
            dollars = value(qty, dividend)
            exchange.ledger.pay(dollars)
            _record(exchange, "DIV", symbol, qty, dollars, dividend, "Cash DIV")


def _split(exchange: "Exchange", symbol: str, ratio: Fraction) -> None:
    """Adjust open orders and the position; a rest that may not be held is paid at the last close."""
    for order in [order for order in exchange.working() if order.ticket.symbol == symbol]:
        _adjust(exchange, order, ratio)
    if symbol not in exchange.ledger.positions:
        return
    before = exchange.ledger.qty(symbol)
    fractions = exchange.traits(symbol).fractionable and not exchange.settings.cash_in_lieu
    rest = exchange.ledger.split(symbol, ratio, fractions=fractions)
    after = exchange.ledger.qty(symbol)
    _record(exchange, "SPLIT", symbol, after - before, ZERO, ZERO, f"{ratio.numerator} for {ratio.denominator} split")
    if rest != 0:
        price = exchange.mark(symbol)
        dollars = value(rest, price)
        exchange.ledger.pay(dollars)
        _record(exchange, "CIL", symbol, rest, dollars, price, "Cash in lieu")
    for order in [order for order in exchange.working() if order.ticket.symbol == symbol]:
        if exchange.held(symbol) > abs(after):
            exchange.end_for(order, "more shares than are left after a split")


def _adjust(exchange: "Exchange", order: Order, ratio: Fraction) -> None:
    """Bring an open order over a split as FINRA Rule 5330 does.

    A reverse split cancels it. A forward split multiplies its shares, rounded down to whole ones where it was whole,
    and divides its prices, rounded to the tick against the customer never being hurt: buys down, sells up.
    """
    if ratio < 1:
        exchange.end_for(order, "reverse split")
        return
    ticket = order.ticket
    if ticket.qty is not None:
        grain = ONE if is_whole(ticket.qty) else Decimal("1e-9")
        filled = down(times(order.filled_qty, ratio), grain)
        size = down(times(ticket.qty, ratio), grain)
        ticket = replace(ticket, qty=size)
        order.filled_qty = filled
        if order.purpose == "close":
            order.held = size - filled
    elif order.purpose == "close":
        order.held = times(order.held, ratio)
    order.ticket = replace(
        ticket,
        limit_price=_divided(ticket.limit_price, ratio, order.sign),
        stop_price=_divided(ticket.stop_price, ratio, order.sign),
    )
    order.reserve_price = order.reserve_price * ratio.denominator / ratio.numerator
    order.updated_at = exchange.now


def _divided(price: Decimal | None, ratio: Fraction, sign: int) -> Decimal | None:
    if price is None:
        return None
    exact = price * ratio.denominator / ratio.numerator
    return tick_down(exact) if sign > 0 else tick_up(exact)


def _record(
    exchange: "Exchange", kind: str, symbol: str, qty: Decimal, dollars: Decimal, per_share: Decimal, text: str
) -> None:
    number = len(exchange.activities) + 1
    exchange.book(
        Payment(number, exchange.now, kind, exchange.session.day, symbol, qty, dollars, per_share, f"{text} {symbol}")
    )
