"""The live port on an Alpaca paper account."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from plimsoll.brokers.alpaca import parse
from plimsoll.brokers.alpaca.budget import Budget
from plimsoll.brokers.alpaca.classify import refusal_of
from plimsoll.brokers.alpaca.reply import NoReply, Reply
from plimsoll.brokers.alpaca.wire import Method, Wire
from plimsoll.engine.errors import EngineError, VenueError
from plimsoll.engine.execution.venue import (
    Acked,
    Answer,
    Asset,
    Intent,
    Missing,
    Quote,
    Snapshot,
    Unknown,
    VenueClock,
    VenueFill,
    VenueOrder,
    VenueSession,
)

PAGE: Final = 500  # orders a page, the most there is
FILLS_PAGE: Final = 100
MOST_PAGES: Final = 200
QTY_DECIMALS: Final = 9
ID_LENGTH: Final = 128
READ_PAUSES: Final = (0.5, 1.0, 2.0)  # seconds before a read is asked again
AGAIN: Final = frozenset((429, 500, 502, 503, 504))
SYMBOLS_PER_CALL: Final = 100


class AlpacaVenue:
    """Implements `engine.execution.venue.Venue`.

    trading, data : hardened clients. sleep : waits so many seconds between two tries of a read; orders are sent once.
    """

    def __init__(
        self, trading: Wire, data: Wire, budget: Budget, sleep: Callable[[float], None], *, feed: str = "iex"
    ) -> None:
        self._trading = trading
        self._data = data
        self._budget = budget
        self._sleep = sleep
        self._feed = feed

    # ---- one order

    def submit(self, intent: Intent) -> Answer:
        """Send one order, once; anything but a clear yes or no is unknown."""
        body = body_of(intent)
        self._budget.take()
        reply = self._trading.send("POST", "/orders", body, must_hold=intent.client_id)
        if isinstance(reply, NoReply) or not reply.ok:
            return refusal_of(reply)
        order = parse.order_of(reply.body)
        if order is None:
            return Unknown(f"status {reply.status}, and the order in it cannot be read")
        if order.client_id != intent.client_id:
            return Unknown("the venue answered with another order")
        return Acked(order)

    def cancel(self, order: VenueOrder) -> bool | Unknown:
        """Ask for a cancellation; False if there is nothing to cancel."""
        self._budget.take(cancels=True)
        reply = self._trading.send("DELETE", f"/orders/{order.venue_id}")
        if isinstance(reply, NoReply):
            return Unknown(reply.why)
        if reply.ok:
            return True
        if reply.status in (404, 422) and reply.message:
            return False
        return Unknown(f"status {reply.status}")

    def lookup(self, client_id: str) -> VenueOrder | Missing | Unknown:
        """Return the order of that client id; missing only where the venue says so itself."""
        self._budget.take()
        reply = self._trading.send("GET", "/orders:by_client_order_id", {"client_order_id": client_id})
        if isinstance(reply, NoReply):
            return Unknown(reply.why)
        if reply.status == 404 and reply.message:
            return Missing()
        order = parse.order_of(reply.body) if reply.ok else None
        if order is None or order.client_id != client_id:
            return Unknown(f"status {reply.status}")
        return order

    # ---- what there is

    def open_orders(self) -> tuple[VenueOrder, ...]:
        """Return every working order of the account."""
        return tuple(self._orders({"status": "open"}))

    def orders(self, since: datetime) -> tuple[VenueOrder, ...]:
        """Return every order submitted since then, oldest first."""
        # `after` is exclusive, and times are cut to microseconds on the way
        return tuple(self._orders({"status": "all", "after": (since - timedelta(milliseconds=1)).isoformat()}))

    def _orders(self, query: Mapping[str, str]) -> Iterator[VenueOrder]:
        fixed = {**query, "limit": str(PAGE), "direction": "asc", "nested": "false"}
        seen: set[str] = set()
        for rows in self._pages("/orders", fixed, "after_order_id", PAGE):
            for row in rows:
                order = parse.order_of(row)
                if order is None:
                    raise VenueError("an order in the list cannot be read", where="orders")
                if order.venue_id not in seen:
                    seen.add(order.venue_id)
                    yield order

    def fills(self, since: datetime) -> tuple[VenueFill, ...]:
        """Return every execution since then, each once however often the venue tells it."""
        query = {
            "after": (since - timedelta(milliseconds=1)).isoformat(),
            "direction": "asc",
            "page_size": str(FILLS_PAGE),
        }
        found: dict[tuple[str, Decimal], VenueFill] = {}
        for rows in self._pages("/account/activities/FILL", query, "page_token", FILLS_PAGE):
            for row in rows:
                fill = parse.fill_of(row)
                if fill is None:
                    raise VenueError("an execution in the list cannot be read", where="activities")
                found.setdefault((fill.order_id, fill.cumulative), fill)
        return tuple(sorted(found.values(), key=lambda fill: (fill.at, fill.order_id, fill.cumulative)))

    def _pages(self, path: str, query: Mapping[str, str], cursor: str, size: int) -> Iterator[Sequence[Any]]:
        position: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            rows = self._list(path, {**query, **position})
            yield rows
            last = rows[-1].get("id") if rows and isinstance(rows[-1], Mapping) else None
            if len(rows) < size or not isinstance(last, str) or position.get(cursor) == last:
                return
            position = {cursor: last}
        raise VenueError(f"more than {MOST_PAGES} pages", where=path)

    def snapshot(self) -> Snapshot:
        """Return the account and all positions."""
        body = self._read(self._trading, "GET", "/account")
        row = body if isinstance(body, Mapping) else {}
        money = {name: parse.number(row.get(name)) for name in ("equity", "cash", "buying_power")}
        account = row.get("account_number")
        if not isinstance(account, str) or not account or None in money.values():
            raise VenueError("account number, equity, cash or buying power cannot be read", where="account")
        reasons = [
            key for key in ("trading_blocked", "account_blocked", "trade_suspended_by_user") if row.get(key) is True
        ]
        if row.get("status", "ACTIVE") != "ACTIVE":
            reasons.append(f"status {row.get('status')}"[:40])
        positions = [parse.position_of(one) for one in self._list("/positions", {})]
        return Snapshot(
            account=account,
            equity=money["equity"] or Decimal(0),
            cash=money["cash"] or Decimal(0),
            buying_power=money["buying_power"] or Decimal(0),
            positions=tuple(sorted(positions, key=lambda one: one.symbol)),
            blocked=", ".join(reasons),
            shorting=row.get("shorting_enabled", True) is True,
        )

    def assets(self, symbols: Sequence[str]) -> dict[str, Asset]:
        """Return what is known of the symbols, one request each: the whole list has thousands."""
        found = {}
        for symbol in dict.fromkeys(symbols):
            reply = self._ask(self._trading, "GET", f"/assets/{symbol}", {})
            if reply.status == 404 and reply.message:
                continue
            asset = parse.asset_of(reply.body) if reply.ok else None
            if asset is None:
                raise VenueError(f"status {reply.status}", where=f"asset {symbol}")
            found[symbol] = asset
        return found

    def clock(self) -> VenueClock:
        """Return the venue's time."""
        return parse.clock_of(self._read(self._trading, "GET", "/clock"))

    def calendar(self, first: date, last: date) -> tuple[VenueSession, ...]:
        """Return the venue's sessions from first to last."""
        rows = self._list("/calendar", {"start": first.isoformat(), "end": last.isoformat()})
        return tuple(parse.session_of(row) for row in rows)

    def quotes(self, symbols: Sequence[str]) -> dict[str, Quote]:
        """Return the latest quotes and trades; a symbol that has neither is not in it."""
        found: dict[str, Quote] = {}
        wanted = list(dict.fromkeys(symbols))
        for first in range(0, len(wanted), SYMBOLS_PER_CALL):
            query = {"symbols": ",".join(wanted[first : first + SYMBOLS_PER_CALL]), "feed": self._feed}
            asked = self._table("/stocks/quotes/latest", query, "quotes")
            traded = self._table("/stocks/trades/latest", query, "trades")
            for symbol in wanted[first : first + SYMBOLS_PER_CALL]:
                if symbol in asked or symbol in traded:
                    found[symbol] = parse.quote_of(symbol, asked.get(symbol), traded.get(symbol), self._feed)
        return found

    def suspend(self, suspended: bool) -> bool:
        """Set the venue's own kill switch and return what it then says."""
        self._budget.take(cancels=True)
        reply = self._trading.send("PATCH", "/account/configurations", {"suspend_trade": suspended})
        said = (
            reply.body.get("suspend_trade")
            if isinstance(reply, Reply) and reply.ok and isinstance(reply.body, Mapping)
            else None
        )
        if not isinstance(said, bool):
            raise VenueError("the kill switch gave no answer that can be read", where="account configurations")
        return said

    # ---- reading

    def _table(self, path: str, query: Mapping[str, str], name: str) -> Mapping[str, Any]:
        body = self._read(self._data, "GET", path, query)
        table = body.get(name) if isinstance(body, Mapping) else None
        if not isinstance(table, Mapping):
            raise VenueError("the answer cannot be read", where=path)
        return table

    def _list(self, path: str, query: Mapping[str, str]) -> Sequence[Any]:
        body = self._read(self._trading, "GET", path, query)
        if not isinstance(body, list):
            raise VenueError("the answer is not a list", where=path)
        return body

    def _read(self, wire: Wire, method: Method, path: str, query: Mapping[str, str] | None = None) -> Any:
        reply = self._ask(wire, method, path, query or {})
        if not reply.ok or reply.body is None:
            raise VenueError(f"status {reply.status} {reply.message}".strip(), where=path, fix="look again later")
        return reply.body

    def _ask(self, wire: Wire, method: Method, path: str, query: Mapping[str, str]) -> Reply:
        """Return the answer to a read; asked again after failures that pass by themselves."""
        for pause in (*READ_PAUSES, None):
            self._budget.take()
            reply = wire.send(method, path, query)
            if isinstance(reply, Reply) and reply.status not in AGAIN:
                return reply
            if pause is None:
                why = reply.why if isinstance(reply, NoReply) else f"status {reply.status}"
                raise VenueError(f"no answer ({why})", where=path, fix="look again later")
            self._sleep(pause)
        raise EngineError("unreachable")


def body_of(intent: Intent) -> dict[str, str]:
    """Return an order as it goes over the wire: every number is text, digit by digit what was decided.

    Raises
    ------
    EngineError
        If a quantity, a price or the id could not stand there.
    """
    if not intent.client_id or len(intent.client_id) > ID_LENGTH or not intent.client_id.isascii():
        raise EngineError(f"client id {intent.client_id!r}")
    body = {
        "symbol": intent.symbol,
        "qty": _plain(intent.qty, QTY_DECIMALS),
        "side": intent.side,
        "type": intent.kind,
        "time_in_force": intent.time_in_force,
        "client_order_id": intent.client_id,
    }
    if (intent.kind == "limit") != (intent.limit is not None):
        raise EngineError(f"{intent.client_id}: a limit order has a limit, a market order none")
    if intent.limit is not None:
        body["limit_price"] = _plain(intent.limit, 2 if intent.limit >= 1 else 4)
    return body


def _plain(value: Decimal, decimals: int) -> str:
    if not value.is_finite() or value <= 0 or value != round(value, decimals):
        raise EngineError(f"{value} cannot be sent: positive, finite, at most {decimals} decimals")
    return f"{value.normalize():f}"
