"""Venues under test, each with hands that move its market."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, TypeVar

from support.venue import HEADERS, KEYS, moment, ticket
from support.venue import Venue as Running

from plimsoll.brokers.alpaca.budget import Budget
from plimsoll.brokers.alpaca.connect import connect
from plimsoll.brokers.alpaca.reply import Method, NoReply, Reply, read_reply
from plimsoll.brokers.alpaca.venue import AlpacaVenue
from plimsoll.brokers.exchange.desk.desk import Desk
from plimsoll.brokers.exchange.desk.message import Request, dumped
from plimsoll.brokers.exchange.matching import Exchange
from plimsoll.brokers.exchange.settings import Behaviour
from plimsoll.engine.execution.venue import Intent, Side, Venue
from plimsoll.engine.market.ticker import Spelling

ENV = {"APCA_API_KEY_ID": KEYS.key_id, "APCA_API_SECRET_KEY": KEYS.secret}
_Answer = TypeVar("_Answer")
Do = Callable[[Callable[[Exchange, Any], Any]], Any]


class Watch:
    """A clock of seconds that moves only when somebody waits."""

    def __init__(self) -> None:
        self.at = 0.0
        self.waited: list[float] = []

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.at += seconds


class Hands:
    """What a test does to the market behind a venue. `do` calls a function with the exchange and its clock."""

    def __init__(self, do: Do) -> None:
        self._do = do

    def to(self, at: str) -> None:
        """Let time pass up to a New York time."""

        def move(exchange: Exchange, clock: Any) -> None:
            assert clock.move(moment(at))
            exchange.advance(clock.now())

        self._do(move)

    def behave(self, **changes: Any) -> None:
        """Change how the exchange behaves."""

        def change(exchange: Exchange, _: Any) -> None:
            exchange.behaviour = Behaviour(**{**exchange.behaviour.model_dump(), **changes})

        self._do(change)

    def strangers(self, symbol: str, signed: str | int, limit: str | None = None, times: int = 1) -> None:
        """Let somebody else trade in the account, without ids of ours."""

        def trade(exchange: Exchange, _: Any) -> None:
            for _ in range(times):
                exchange.submit(ticket(symbol, signed, limit))

        self._do(trade)

    def switch(self, **switches: bool) -> None:
        """Set switches of the account, as its owner may."""

        def change(exchange: Exchange, _: Any) -> None:
            exchange.switches = replace(exchange.switches, **switches)

        self._do(change)

    def halt(self, symbol: str) -> None:
        """Stop trading in a symbol."""
        self._do(lambda exchange, _: exchange.halt(symbol, on=True))


@dataclass(frozen=True)
class House:
    """A venue and the hands for it."""

    venue: Venue
    hands: Hands


def intent(client_id: str, symbol: str, signed: str | int, limit: str | None = None, tif: Any = "day") -> Intent:
    """Make an order of `signed` shares, a limit order where there is a limit."""
    qty = Decimal(signed)
    side: Side = "buy" if qty > 0 else "sell"
    price = None if limit is None else Decimal(limit)
    return Intent(client_id, symbol, side, abs(qty), "market" if price is None else "limit", tif, price)


def over_http(
    running: Running, *, watch: Watch | None = None, timeout: float = 10.0, symbols: tuple[str, ...] = ()
) -> AlpacaVenue:
    """Return the adapter on an exchange that listens; it waits on a clock that costs no time."""
    watch = watch or Watch()
    return connect(running.url, ENV, timeout=(timeout, timeout), now=watch.now, sleep=watch.sleep, symbols=symbols)


class DeskLine:
    """The adapter's line straight to a counter: no network, the same bytes."""

    def __init__(self, desk: Desk, prefix: str = "/v2") -> None:
        self._desk = desk
        self._prefix = prefix

    def send(self, method: Method, path: str, data: Any = None, *, must_hold: str = "") -> Reply | NoReply:
        """Send one request, once."""
        given = dict(data or {})
        in_query = method in ("GET", "DELETE")
        body = b"" if in_query else dumped(given).encode()
        assert must_hold.encode() in body
        answer = self._desk.answer(Request(method, self._prefix + path, given if in_query else {}, HEADERS, body))
        if answer.ending != "send":
            return NoReply(answer.ending)
        return read_reply(answer.status, answer.body().encode(), None)


def over_desk(desk: Desk, symbols: tuple[str, ...] = ()) -> AlpacaVenue:
    """Return the adapter on a counter without a network."""
    watch = Watch()
    budget, spelling = Budget(watch.now, watch.sleep), Spelling(symbols)
    return AlpacaVenue(DeskLine(desk), DeskLine(desk), budget, watch.sleep, spelling=spelling)
