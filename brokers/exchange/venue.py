"""The exchange as a venue without a wire: the live port straight on its core, for simulations in one process.

Nothing is lost here and nothing is late; a counter and a network, with their faults, lie before `desk` and `server`.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from itertools import takewhile
from typing import Final, cast

from plimsoll.brokers.alpaca.body import body_of
from plimsoll.brokers.alpaca.classify import refusal_of
from plimsoll.brokers.alpaca.reply import Reply
from plimsoll.brokers.exchange.activity import Fill, activity_id
from plimsoll.brokers.exchange.clock import Clock
from plimsoll.brokers.exchange.hours import session_after, session_on
from plimsoll.brokers.exchange.matching import Exchange
from plimsoll.brokers.exchange.order import TERMINAL, Order
from plimsoll.brokers.exchange.refusal import Refusal
from plimsoll.brokers.exchange.ticket import read_ticket
from plimsoll.engine.execution.venue import (
    Acked,
    Answer,
    Asset,
    Intent,
    Missing,
    Quote,
    Side,
    Snapshot,
    Unknown,
    VenueClock,
    VenueFill,
    VenueOrder,
    VenuePosition,
    VenueSession,
    VenueState,
)
from plimsoll.engine.market.calendar import sessions
from plimsoll.engine.market.ticker import Spelling, pointed

FEED: Final = "exchange"
_TEN: Final = Decimal("1e-10")


class ExchangeVenue:
    """Implements `engine.execution.venue.Venue`.

    clock : what time it is; the exchange is brought up to it before every call. Symbols are told as its panel writes
    them.
    """

    def __init__(self, exchange: Exchange, clock: Clock) -> None:
        self._exchange = exchange
        self._clock = clock
        self._spelling = Spelling(exchange.tape.panel.symbols)

    def submit(self, intent: Intent) -> Answer:
        """Hand in one order."""
        exchange = self._now()
        try:
            return Acked(self._order(exchange.submit(read_ticket(body_of(intent)))))
        except Refusal as refusal:
            return refusal_of(Reply(refusal.status, refusal.body(), empty=False, remaining=None))

    def cancel(self, order: VenueOrder) -> bool | Unknown:
        """Ask for a cancellation; False if there is nothing to cancel."""
        exchange = self._now()
        try:
            exchange.cancel(exchange.find(order.venue_id))
        except Refusal:
            return False
        return True

    def lookup(self, client_id: str) -> VenueOrder | Missing | Unknown:
        """Return the order of that client id."""
        found = self._now().by_client_id.get(client_id)
        return Missing() if found is None else self._order(found)

    def open_orders(self) -> tuple[VenueOrder, ...]:
        """Return every working order."""
        return tuple(self._order(order) for order in self._now().working())

    def orders(self, since: datetime) -> tuple[VenueOrder, ...]:
        """Return every order submitted since then, oldest first."""
        newest = takewhile(lambda order: order.submitted_at >= since, reversed(self._now().orders.values()))
        return tuple(self._order(order) for order in newest)[::-1]

    def fills(self, since: datetime) -> tuple[VenueFill, ...]:
        """Return every execution since then, oldest first."""
        newest = (one for one in reversed(self._now().activities) if isinstance(one, Fill))
        fills = takewhile(lambda one: one.at >= since, newest)
        told = (
            VenueFill(
                activity_id(one), one.order_id, self._spelling.ours(one.symbol), cast("Side", one.side), one.qty,
                one.price, one.cum_qty, one.at,
            )
            for one in fills
        )  # fmt: skip
        return tuple(sorted(told, key=lambda fill: (fill.at, fill.order_id, fill.cumulative)))

    def snapshot(self) -> Snapshot:
        """Return the account and all positions."""
        exchange = self._now()
        funds, switches = exchange.funds(), exchange.switches
        return Snapshot(
            account=f"PA{exchange.settings.seed:010d}",
            equity=funds.equity,
            cash=funds.cash,
            buying_power=funds.buying_power,
            positions=tuple(self._position(exchange, symbol) for symbol in sorted(exchange.ledger.positions)),
            blocked="trade_suspended_by_user" if switches.suspend_trade else "",
            shorting=not switches.no_shorting and funds.multiplier > 1,
            fractional=switches.fractional_trading,
        )

    def assets(self, symbols: Sequence[str]) -> dict[str, Asset]:
        """Return what is known of the symbols; one that is not listed is not in it."""
        exchange = self._now()
        day = exchange.session.day
        found = {}
        for symbol in symbols:
            name = pointed(symbol)
            if exchange.tape.is_listed(name, day):
                traits, open_now = exchange.traits(name), exchange.is_tradable(name)
                found[symbol] = Asset(
                    symbol, open_now, traits.fractionable, traits.shortable, traits.marginable, exchange="ARCA"
                )
        return found

    def clock(self) -> VenueClock:
        """Return the exchange's time."""
        exchange = self._now()
        session = exchange.session
        following = session_after(session) if exchange.is_open else session
        return VenueClock(exchange.now, exchange.is_open, following.open, session.close)

    def calendar(self, first: date, last: date) -> tuple[VenueSession, ...]:
        """Return the sessions from first to last."""
        days = (session_on(day) for day in sessions(first, last).astype(object).tolist()) if first <= last else ()
        return tuple(VenueSession(one.day, one.open, one.close) for one in days)

    def quotes(self, symbols: Sequence[str]) -> dict[str, Quote]:
        """Return the latest quotes and trades; a symbol without any is not in it."""
        exchange = self._now()
        found = {}
        for symbol in symbols:
            name, now = pointed(symbol), exchange.now
            quote, last = exchange.tape.quote(name, now), exchange.tape.last(name, now)
            if quote is not None and last is not None:
                found[symbol] = Quote(symbol, quote.bid, quote.ask, quote.at, last.price, last.at, FEED)
        return found

    def suspend(self, suspended: bool) -> bool:
        """Refuse every new order, or take them again."""
        exchange = self._now()
        exchange.switches = replace(exchange.switches, suspend_trade=suspended)
        return exchange.switches.suspend_trade

    def _now(self) -> Exchange:
        self._exchange.advance(self._clock.now())
        return self._exchange

    def _order(self, order: Order) -> VenueOrder:
        average = (order.filled_value / order.filled_qty).quantize(_TEN) if order.filled_qty > 0 else None
        return VenueOrder(
            venue_id=order.id,
            client_id=order.client_order_id,
            symbol=self._spelling.ours(order.ticket.symbol),
            side=order.ticket.side,
            qty=order.ticket.qty,
            filled=order.filled_qty,
            average=average,
            state=cast("VenueState", order.status if order.status in TERMINAL else "working"),
            word=order.status,
            limit=order.ticket.limit_price,
            submitted_at=order.submitted_at,
        )

    def _position(self, exchange: Exchange, symbol: str) -> VenuePosition:
        qty, held = exchange.ledger.qty(symbol), exchange.held(symbol)
        free = abs(qty) - held
        return VenuePosition(self._spelling.ours(symbol), qty, free if qty > 0 else -free, exchange.mark(symbol))
