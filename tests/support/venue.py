"""An exchange that listens, and the few things a test does to it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

import requests

from plimsoll.brokers.exchange.clock import VirtualClock
from plimsoll.brokers.exchange.desk.desk import Desk, Keys
from plimsoll.brokers.exchange.desk.fault import Fault
from plimsoll.brokers.exchange.desk.message import Reply, Request, dumped
from plimsoll.brokers.exchange.desk.transcript import Transcript
from plimsoll.brokers.exchange.hours import NEW_YORK
from plimsoll.brokers.exchange.matching import Exchange
from plimsoll.brokers.exchange.server import ExchangeServer
from plimsoll.brokers.exchange.settings import Behaviour, Settings
from plimsoll.brokers.exchange.tape import Tape
from plimsoll.brokers.exchange.ticket import Ticket
from plimsoll.engine.market.panel import Panel

KEYS = Keys("EXCHANGE-TEST-KEY", "canary-secret-3f9a")
HEADERS = {"apca-api-key-id": KEYS.key_id, "apca-api-secret-key": KEYS.secret}
_Answer = TypeVar("_Answer")


def moment(text: str) -> datetime:
    """Read a New York time."""
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).astimezone(UTC)


def make_exchange(panel: Panel, at: str, **settings: Any) -> Exchange:
    """Build an exchange without spread, whose prices are `settings`' to change."""
    chosen = Settings(**{"half_spread_bps": Decimal(0), **settings})
    return Exchange(Tape(panel, chosen.prices, chosen.half_spread_bps), moment(at), chosen)


def make_desk(panel: Panel, at: str, *, seconds: Callable[[], float] = lambda: 0.0, **settings: Any) -> Desk:
    """Build an exchange and its counter."""
    exchange = make_exchange(panel, at, **settings)
    return Desk(exchange, KEYS, VirtualClock(exchange.now), seconds, Transcript())


def ask(desk: Desk, method: str, path: str, body: Any = None, **query: str) -> Reply:
    """Send a request to a desk, without a network."""
    return desk.answer(Request(method, path, query, HEADERS, b"" if body is None else dumped(body).encode()))


def ticket(symbol: str, signed: str | int, limit: str | None = None, tif: str = "day", **more: Any) -> Ticket:
    """Make a market or limit order of `signed` shares."""
    qty = Decimal(signed)
    return Ticket(
        symbol, "buy" if qty > 0 else "sell", "market" if limit is None else "limit", tif, qty=abs(qty),
        limit_price=None if limit is None else Decimal(limit), **more,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Venue:
    """A running exchange with a virtual clock."""

    server: ExchangeServer
    key_id: str = KEYS.key_id
    secret: str = KEYS.secret

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.server.url

    @property
    def desk(self) -> Desk:
        """Its counter."""
        return self.server.desk

    @property
    def transcript(self) -> Transcript:
        """What happened."""
        return self.server.desk.transcript

    def run(self, what: Callable[[Desk], _Answer]) -> _Answer:
        """Do something between two requests."""
        return self.server.run(what)

    def control(self, what: str, body: Any) -> Any:
        """POST to a control endpoint."""
        reply = requests.post(f"{self.url}/_control/{what}", json=body, headers=HEADERS, timeout=10)
        assert reply.ok, reply.text
        return reply.json()

    def to(self, edge: str) -> None:
        """Move the clock to the next "open", "close" or "next_open"."""
        self.control("clock", {"to": edge})

    def forward(self, seconds: float) -> None:
        """Move the clock on."""
        self.control("clock", {"seconds": seconds})

    def fault(self, **fault: Any) -> None:
        """Arm a fault."""
        self.run(lambda desk: desk.faults.add(Fault(**fault)))

    def behave(self, **changes: Any) -> None:
        """Change the behaviour."""

        def change(desk: Desk) -> None:
            desk.exchange.behaviour = Behaviour(**{**desk.exchange.behaviour.model_dump(), **changes})

        self.run(change)
