"""The exchange itself: it takes orders, lets time pass, and everything follows from these two.

Synchronous and deterministic: time comes in as an argument, chance from a seed, prices from the tape. Whatever happens
between two moments (a session's corporate actions, its open, minute by minute the orders, its close) happens in order
of time, however far apart the moments are, so what comes out does not depend on how often somebody looks.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Final

from plimsoll.brokers.exchange import overnight
from plimsoll.brokers.exchange.activity import Fill, Payment, stable_id
from plimsoll.brokers.exchange.admission import AccountSwitches, Standing, admit, check_auction_window
from plimsoll.brokers.exchange.amount import ZERO
from plimsoll.brokers.exchange.funds import Funds, Valuation, funds_of
from plimsoll.brokers.exchange.handling import choose_handling
from plimsoll.brokers.exchange.hours import Session, current_session, session_after
from plimsoll.brokers.exchange.ledger import Ledger
from plimsoll.brokers.exchange.order import Order
from plimsoll.brokers.exchange.refusal import Refusal, forbidden, not_found, unprocessable
from plimsoll.brokers.exchange.settings import Behaviour, Handling, HandlingRule, Settings, Traits
from plimsoll.brokers.exchange.tape import Quote, Tape
from plimsoll.brokers.exchange.ticket import Ticket

_MINUTE: Final = timedelta(minutes=1)
_AUCTIONS: Final = ("opg", "cls")


@dataclass(frozen=True, slots=True)
class Event:
    """Something the exchange did by itself or on request, for the transcript."""

    at: datetime
    kind: str
    detail: dict[str, Any]


class Exchange:
    """One account on one market.

    tape : prices. start : the moment it begins at (aware); corporate actions from then on are booked.
    """

    def __init__(self, tape: Tape, start: datetime, settings: Settings | None = None) -> None:
        self.tape = tape
        self.settings = settings or Settings()
        self.behaviour = Behaviour()
        self.handling_rules: list[HandlingRule] = []
        self.switches = AccountSwitches()
        self.halted: set[str] = set()
        self.now = start.astimezone(UTC)
        self.started_at = self.now
        self.ledger = Ledger(self.settings.cash)
        self._valuation = Valuation()
        self.last_equity = self.settings.cash
        self.orders: dict[str, Order] = {}
        self.by_client_id: dict[str, Order] = {}
        self.activities: list[Fill | Payment] = []
        self.events: list[Event] = []
        self._working: dict[str, Order] = {}
        self._random = Random(self.settings.seed)
        self._session = current_session(self.now)
        self._boundaries = [mark for mark in _boundaries(self._session) if mark[0] > self.now]

    # ---- what there is ----------------------------------------------------------------------------------------

    @property
    def session(self) -> Session:
        """The session that is open now, or the next one."""
        return self._session

    @property
    def is_open(self) -> bool:
        """Whether the market trades now."""
        return self._session.has(self.now)

    def working(self) -> list[Order]:
        """Return the orders that are not in a terminal state, oldest first."""
        return list(self._working.values())

    def held(self, symbol: str) -> Decimal:
        """Return the shares of a position that working orders have set aside."""
        return sum((o.held for o in self._working.values() if o.ticket.symbol == symbol), ZERO)

    def mark(self, symbol: str) -> Decimal:
        """Return the last price of a symbol that is listed."""
        last = self.tape.last(symbol, self.now)
        return ZERO if last is None else last.price

    def funds(self, ignoring: str = "") -> Funds:
        """Return what the account is worth now; `ignoring` leaves the reserve of one order out."""
        worth = self._valuation.totals(self.ledger, self.mark, self.now)
        return funds_of(self.ledger.cash, worth, self._working.values(), self.settings.multiplier, ignoring)

    def traits(self, symbol: str) -> Traits:
        """Return what may be done with an asset."""
        return self.settings.traits.get(symbol, Traits())

    def is_tradable(self, symbol: str) -> bool:
        """Say whether orders in a symbol are accepted now."""
        return symbol not in self.halted and self.tape.is_active(symbol, self._session.day)

    def find(self, order_id: str) -> Order:
        """Return an order by its id; Refusal 404 if there is none."""
        if order_id not in self.orders:
            raise not_found(f"order not found for {order_id}")
        return self.orders[order_id]

    # ---- requests ---------------------------------------------------------------------------------------------

    def submit(self, ticket: Ticket, replaces: Order | None = None) -> Order:
        """Accept an order and return it as it stood at that instant, before any fill.

        Raises
        ------
        Refusal
            If it may not be accepted; nothing has changed then.
        """
        if ticket.client_order_id in self.by_client_id:
            status = self.settings.duplicate_status
            raise Refusal(status, 40010001 if status == 422 else None, "client_order_id must be unique")
        if self.switches.suspend_trade:
            raise forbidden("new orders are rejected by user request")
        quote = self._quote_for(ticket.symbol)
        check_auction_window(ticket, self.now, self.settings)
        ignoring = replaces.id if replaces else ""
        rivals = tuple(o for o in self._working.values() if o.ticket.symbol == ticket.symbol and o.id != ignoring)
        position = self.ledger.qty(ticket.symbol)
        standing = Standing(
            position, rivals, quote, self.funds(ignoring), self.traits(ticket.symbol), self.switches, self.settings
        )
        admitted = admit(ticket, standing)
        if replaces:
            self._end(replaces, "replaced", self.now)
        number = len(self.orders) + 1
        order_id = stable_id("order", self.settings.seed, number)
        order = Order(
            number, order_id, ticket.client_order_id or stable_id("client", self.settings.seed, number), ticket,
            admitted.purpose, self._handle(ticket), self.now, self.now, "new" if self.is_open else "accepted",
            admitted.held, admitted.reserve_price,
        )  # fmt: skip
        if replaces:
            order.replaces, replaces.replaced_by = replaces.id, order.id
        self.orders[order.id] = self.by_client_id[order.client_order_id] = self._working[order.id] = order
        self._tell(self.now, "accepted", order)
        seen = replace(order, status="pending_new" if self.is_open else "accepted")
        if self.is_open and ticket.time_in_force not in _AUCTIONS:
            order.due = self.now + timedelta(seconds=order.handling.delay_s)
        self.advance(self.now)
        return seen

    def cancel(self, order: Order) -> None:
        """Ask for an order to be canceled, at once or after its `cancel_delay_s`; Refusal 422 if it has ended."""
        if not order.working:
            raise unprocessable(f'order is already in "{order.status}" state')
        if order.status == "pending_cancel":
            return
        order.status = "pending_cancel"
        order.updated_at = self.now
        order.cancel_at = self.now + timedelta(seconds=order.handling.cancel_delay_s)
        self.advance(self.now)

    def cancel_all(self) -> list[Order]:
        """Ask for every working order to be canceled, and return them."""
        asked = self.working()
        for order in asked:
            self.cancel(order)
        return asked

    def amend(self, order: Order, changes: Ticket) -> Order:
        """Replace a working order that has no fill by a new one; Refusal if either is not possible."""
        if order.status not in ("new", "accepted"):
            raise unprocessable(f"cannot replace order in {order.status} status")
        return self.submit(changes, replaces=order)

    def halt(self, symbol: str, *, on: bool) -> None:
        """Stop or resume trading in a symbol; its working orders stay."""
        if not on:
            self.halted.discard(symbol)
            for order in self._on(symbol):
                order.due = self._next_try(order, self.now)
        else:
            self.halted.add(symbol)

    # ---- time -------------------------------------------------------------------------------------------------

    def advance(self, to: datetime) -> None:
        """Let everything happen that is due up to `to`; a moment in the past is taken as now."""
        to = max(to.astimezone(UTC), self.now)
        while True:
            boundary = self._boundaries[0][0]
            due = min((at for order in self._working.values() for at in _dues(order)), default=None)
            if due is not None and due < boundary:
                if due > to:
                    break
                self.now = max(due, self.now)
                self._work(self.now)
            elif boundary <= to:
                self.now = boundary
                self._pass(self._boundaries.pop(0)[1])
            else:
                break
        self.now = to

    def _pass(self, boundary: str) -> None:
        """Go through the start of a session's day, its open or its close."""
        if boundary == "overnight":
            overnight.book_actions(self)
            return
        if boundary == "open":
            self._auction("opg")
            for order in self.working():
                if order.status == "accepted":
                    order.status = "new"
                order.due = self._next_try(order, self.now)
            return
        self._auction("cls")
        for order in self.working():
            order.due = None
            if order.status == "pending_cancel":
                self._end(order, "canceled", self.now)
            elif order.ticket.time_in_force == "day":
                self._end(order, "expired", self.now)
        self._session = session_after(self._session)
        self._boundaries = list(_boundaries(self._session))
        self.last_equity = self.funds().equity

    def _auction(self, which: str) -> None:
        """Fill what the opening or closing price satisfies; what is left of these orders is canceled."""
        for order in self.working():
            if order.ticket.time_in_force != which:
                continue
            bar = None if order.ticket.symbol in self.halted else self.tape.bar(order.ticket.symbol, self._session.day)
            price = None if bar is None else bar.open if which == "opg" else bar.close
            if order.handling.reject:
                self._end(order, "rejected", self.now)
            elif price is not None and order.takes(price):
                self._fill(order, order.open_qty(price), price)
            if order.working:
                self._end(order, "canceled", self.now)

    def _work(self, at: datetime) -> None:
        """Try every order whose time has come: fills first, then cancels."""
        for order in self.working():
            if order.due is not None and order.due <= at:
                self._try(order)
            if order.working and order.cancel_at is not None and order.cancel_at <= at:
                self._end(order, "canceled", at)

    def _try(self, order: Order) -> None:
        symbol = order.ticket.symbol
        if order.handling.reject:
            self._end(order, "rejected", self.now)
            return
        price = None if symbol in self.halted else self.tape.fill_price(symbol, order.ticket.side, self.now)
        if price is None:
            order.due = None
        elif self._is_triggered(order) and order.takes(price):
            self._fill(order, order.next_part(price), price)
            if order.working:
                order.due = self.now + timedelta(seconds=order.handling.delay_s)
        else:
            order.due = self._next_minute() if self.tape.prices == "path" else None

    def _is_triggered(self, order: Order) -> bool:
        stop = order.ticket.stop_price
        if stop is not None and not order.triggered:
            seen = self.tape.fill_price(order.ticket.symbol, order.ticket.side, self.now) or ZERO
            if self.tape.prices == "path":
                seen = self.mark(order.ticket.symbol)
            order.triggered = seen >= stop if order.sign > 0 else seen <= stop
        return stop is None or order.triggered

    def _next_try(self, order: Order, at: datetime) -> datetime | None:
        if not self.is_open or order.ticket.time_in_force in _AUCTIONS:
            return None
        return at + timedelta(seconds=order.handling.delay_s)

    def _next_minute(self) -> datetime:
        return self.now.replace(second=0, microsecond=0) + _MINUTE

    # ---- what changes the account -----------------------------------------------------------------------------

    def _fill(self, order: Order, qty: Decimal, price: Decimal) -> None:
        """Book one execution; a size of zero books none, and may still be all there was to fill."""
        symbol, side = order.ticket.symbol, order.ticket.side
        if qty > 0:
            paid = -self.ledger.trade(symbol, order.sign * qty, price)
            order.filled_qty += qty
            order.filled_value += abs(paid)
            if order.purpose == "close":
                order.held -= qty
            order.updated_at = self.now
        left = max(ZERO, order.open_qty(price))
        status = "partially_filled" if left > 0 else "filled"
        if qty > 0:
            number, filled = len(self.activities) + 1, order.filled_qty
            self.activities.append(Fill(number, self.now, order.id, status, symbol, side, qty, price, filled, left))
            self._tell(self.now, "fill", order, qty=qty, price=price, left=left)
        if left == 0:
            self._end(order, "filled", self.now)
        elif qty > 0 and order.status != "pending_cancel":
            order.status = status

    def _end(self, order: Order, status: str, at: datetime) -> None:
        order.status, order.ended_at, order.updated_at = status, at, at
        order.held, order.due, order.cancel_at = ZERO, None, None
        del self._working[order.id]
        self._tell(at, status, order)

    def book(self, payment: Payment) -> None:
        """Record a payment or a split that was booked."""
        self.activities.append(payment)
        detail = {"symbol": payment.symbol, "qty": payment.qty, "net_amount": payment.net_amount}
        self.events.append(Event(self.now, payment.kind.lower(), detail))

    def end_for(self, order: Order, reason: str) -> None:
        """Cancel a working order without being asked, for a reason the transcript tells."""
        self._end(order, "canceled", self.now)
        self.events[-1].detail["reason"] = reason

    def _handle(self, ticket: Ticket) -> Handling:
        return choose_handling(ticket, self.handling_rules, self.behaviour, self._random)

    def _tell(self, at: datetime, kind: str, order: Order, **more: Any) -> None:
        detail = {"order_id": order.id, "client_order_id": order.client_order_id, "symbol": order.ticket.symbol, **more}
        self.events.append(Event(at, kind, detail))

    def _on(self, symbol: str) -> Iterator[Order]:
        return (order for order in self.working() if order.ticket.symbol == symbol)

    def _quote_for(self, symbol: str) -> Quote:
        """Return the quote of an asset that can be traded; Refusal 422 if it cannot."""
        quote = self.tape.quote(symbol, self.now) if self.tape.is_listed(symbol, self._session.day) else None
        if quote is None:
            raise unprocessable(f'asset "{symbol}" not found')
        if not self.is_tradable(symbol):
            raise unprocessable(f'asset "{symbol}" is not tradable')
        return quote


def _boundaries(session: Session) -> tuple[tuple[datetime, str], ...]:
    return (session.overnight, "overnight"), (session.open, "open"), (session.close, "close")


def _dues(order: Order) -> Iterator[datetime]:
    if order.due is not None:
        yield order.due
    if order.cancel_at is not None:
        yield order.cancel_at
