"""The live port on an Alpaca paper account."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final, TypeVar
from urllib.parse import quote

from plimsoll.brokers.alpaca import parse
from plimsoll.brokers.alpaca.body import body_of
from plimsoll.brokers.alpaca.budget import Budget
from plimsoll.brokers.alpaca.classify import refusal_of
from plimsoll.brokers.alpaca.practice import Practice
from plimsoll.brokers.alpaca.reading import Reader
from plimsoll.brokers.alpaca.reply import Line, NoReply, Reply
from plimsoll.engine.errors import VenueError
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
    VenuePosition,
    VenueSession,
)
from plimsoll.engine.market.ticker import Spelling, pointed

PAGE: Final = 500  # orders a page, the most there is
FILLS_PAGE: Final = 100
SYMBOLS_PER_CALL: Final = 100
FEW_SYMBOLS: Final = 20
# Only these words say that there is none; a 404 of anything in between does not.
NO_ORDER: Final = re.compile(r"\border\b.*not found", re.IGNORECASE)
NO_ASSET: Final = re.compile(r"\basset\b.*not found", re.IGNORECASE)
_Told = TypeVar("_Told", VenueOrder, VenueFill, VenuePosition)


class AlpacaVenue:
    """Implements `engine.execution.venue.Venue`.

    trading, data : the ways to its two hosts. sleep : waits so many seconds between two tries of a question; an order
    is sent once. practice : the time of an exchange on this machine. spelling : the book's; what it lists is told as it
    writes it (BRK-B, BRK.B).
    """

    def __init__(
        self,
        trading: Line,
        data: Line,
        budget: Budget,
        sleep: Callable[[float], None],
        *,
        feed: str = "iex",
        spelling: Spelling | None = None,
        practice: Practice | None = None,
    ) -> None:
        self._trading = trading
        self._budget = budget
        self._account = Reader(trading, budget, sleep)
        self._market = Reader(data, budget, sleep)
        self._feed = feed
        self._spelling = spelling or Spelling()
        self._practice = practice

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
        return Acked(self._named(order))

    def cancel(self, order: VenueOrder) -> bool | Unknown:
        """Ask for a cancellation; False if there is nothing to cancel."""
        self._budget.take(cancels=True)
        reply = self._trading.send("DELETE", f"/orders/{quote(order.venue_id, safe='')}")
        if isinstance(reply, NoReply):
            return Unknown(reply.why)
        if reply.status == 204:
            return True
        gone = reply.status == 404 and NO_ORDER.search(reply.message)
        if gone or (reply.status == 422 and reply.message):
            return False
        return Unknown(f"status {reply.status}")

    def lookup(self, client_id: str) -> VenueOrder | Missing | Unknown:
        """Return the order of that client id; missing only where the venue says so itself."""
        self._budget.take()
        reply = self._trading.send("GET", "/orders:by_client_order_id", {"client_order_id": client_id})
        if isinstance(reply, NoReply):
            return Unknown(reply.why)
        if reply.status == 404 and NO_ORDER.search(reply.message):
            return Missing()
        order = parse.order_of(reply.body) if reply.ok else None
        if order is None or order.client_id != client_id:
            return Unknown(f"status {reply.status}")
        return self._named(order)

    # ---- what there is

    def open_orders(self) -> tuple[VenueOrder, ...]:
        """Return every working order of the account."""
        return tuple(self._orders({"status": "open"}))

    def orders(self, since: datetime) -> tuple[VenueOrder, ...]:
        """Return every order submitted since then, oldest first."""
        # `after` is exclusive, and times are cut to microseconds on the way
        found = self._orders({"status": "all", "after": (since - timedelta(milliseconds=1)).isoformat()})
        return tuple(order for order in found if order.submitted_at is None or order.submitted_at >= since)

    def _orders(self, query: Mapping[str, str]) -> Iterator[VenueOrder]:
        fixed = {**query, "limit": str(PAGE), "direction": "asc", "nested": "false"}
        seen: set[str] = set()
        for rows in self._account.pages("/orders", fixed, "after_order_id", PAGE, instead_of="after"):
            for row in rows:
                order = parse.order_of(row)
                if order is None:
                    raise VenueError("an order in the list cannot be read", where="orders")
                if order.venue_id not in seen:
                    seen.add(order.venue_id)
                    yield self._named(order)

    def fills(self, since: datetime) -> tuple[VenueFill, ...]:
        """Return every execution since then, each once however often the venue tells it."""
        query = {
            "after": (since - timedelta(milliseconds=1)).isoformat(),
            "direction": "asc",
            "page_size": str(FILLS_PAGE),
        }
        found: dict[tuple[str, Decimal], VenueFill] = {}
        for rows in self._account.pages("/account/activities/FILL", query, "page_token", FILLS_PAGE):
            for row in rows:
                fill = parse.fill_of(row)
                if fill is None:
                    raise VenueError("an execution in the list cannot be read", where="activities")
                found.setdefault((fill.order_id, fill.cumulative), self._named(fill))
        told = (fill for fill in found.values() if fill.at >= since)
        return tuple(sorted(told, key=lambda fill: (fill.at, fill.order_id, fill.cumulative)))

    def snapshot(self) -> Snapshot:
        """Return the account and all positions."""
        body = self._account.read("/account")
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
        positions = [self._named(parse.position_of(one)) for one in self._account.rows("/positions")]
        told = self._account.read("/account/configurations")
        switches = told if isinstance(told, Mapping) else {}
        return Snapshot(
            account=account,
            equity=money["equity"] or Decimal(0),
            cash=money["cash"] or Decimal(0),
            buying_power=money["buying_power"] or Decimal(0),
            positions=tuple(sorted(positions, key=lambda one: one.symbol)),
            blocked=", ".join(reasons),
            shorting=row.get("shorting_enabled", True) is True and switches.get("no_shorting", False) is False,
            fractional=switches.get("fractional_trading", True) is True,
        )

    def assets(self, symbols: Sequence[str]) -> dict[str, Asset]:
        """Return what is known of the symbols: one request each for a few, the list of all, thousands, for more."""
        wanted = dict.fromkeys(map(pointed, symbols))
        if len(wanted) > FEW_SYMBOLS:
            rows = [parse.asset_of(row) for row in self._account.rows("/assets", {"asset_class": "us_equity"})]
        else:
            rows = [self._asset(name) for name in wanted]
        # a symbol that was another company's before is listed twice: what can be traded is the one that is meant
        listed = sorted((asset for asset in rows if asset is not None), key=lambda asset: asset.tradable)
        known = {asset.symbol: asset for asset in listed}
        return {one: replace(known[pointed(one)], symbol=one) for one in symbols if pointed(one) in known}

    def _asset(self, symbol: str) -> Asset | None:
        reply = self._account.ask(f"/assets/{quote(symbol, safe='')}", {})
        if reply.status == 404 and NO_ASSET.search(reply.message):
            return None
        asset = parse.asset_of(reply.body) if reply.ok else None
        if asset is None or asset.symbol != symbol:
            raise VenueError(f"status {reply.status}, no answer that can be read", where=f"asset {symbol}")
        return asset

    def clock(self) -> VenueClock:
        """Return the venue's time."""
        return parse.clock_of(self._account.read("/clock"))

    def calendar(self, first: date, last: date) -> tuple[VenueSession, ...]:
        """Return the venue's sessions from first to last."""
        rows = self._account.rows("/calendar", {"start": first.isoformat(), "end": last.isoformat()})
        return tuple(parse.session_of(row) for row in rows)

    def quotes(self, symbols: Sequence[str]) -> dict[str, Quote]:
        """Return the latest quotes and trades; a symbol that has neither is not in it."""
        found: dict[str, Quote] = {}
        wanted = list(dict.fromkeys(symbols))
        for first in range(0, len(wanted), SYMBOLS_PER_CALL):
            part = wanted[first : first + SYMBOLS_PER_CALL]
            query = {"symbols": ",".join(dict.fromkeys(map(pointed, part))), "feed": self._feed}
            asked = self._market.table("/stocks/quotes/latest", query, "quotes")
            traded = self._market.table("/stocks/trades/latest", query, "trades")
            for symbol in part:
                name = pointed(symbol)
                if name in asked or name in traded:
                    found[symbol] = parse.quote_of(symbol, asked.get(name), traded.get(name), self._feed)
        return found

    def pass_time(self, seconds: float) -> bool:
        """Let time pass on an exchange of this machine whose clock stands; return whether there is such a one."""
        return self._practice is not None and self._practice.pass_time(seconds)

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

    def _named(self, told: _Told) -> _Told:
        """Return what was told with the symbol as the book writes it."""
        ours = self._spelling.ours(told.symbol)
        return told if ours == told.symbol else replace(told, symbol=ours)
