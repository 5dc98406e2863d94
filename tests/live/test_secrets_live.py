"""A slot over real HTTP under every fault, with all of it logged at DEBUG: no byte of the keys is anywhere (row 15)."""

import logging
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.houses import over_http
from support.live_case import LIVE, Plan, flat
from support.live_venue import FIRST, SYMBOLS
from support.venue import KEYS, Venue, make_desk

from plimsoll.brokers.exchange.server import ExchangeServer
from plimsoll.engine.errors import InputError
from plimsoll.engine.live.halt_file import write_halt
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.rebalance import Book, Rebalancer
from plimsoll.engine.live.reconcile import Whose

FAULTS: dict[str, dict[str, Any]] = {
    "none": {},
    "401": {"do": "status", "status": 401, "payload": {"message": "unauthorized."}, "method": "POST"},
    "504 page": {"do": "html", "status": 504, "method": "POST"},
    "reset": {"do": "reset", "method": "POST"},
    "redirect": {"do": "redirect", "method": "POST"},
    "empty": {"do": "empty", "method": "POST"},
    "account gone": {"do": "status", "status": 503, "path": "/v2/account", "times": None},
    "echo": {"do": "status", "status": 403, "payload": {"message": f"no {KEYS.key_id[:3]}"}, "method": "POST"},
}


class ServerClock:
    """The running exchange's own time; waiting moves it."""

    def __init__(self, running: Venue) -> None:
        self._running = running

    def now(self) -> datetime:
        return self._running.run(lambda desk: desk.clock.now())

    def sleep(self, seconds: float) -> None:
        def on(desk: Any) -> None:
            desk.clock.forward(seconds)

        self._running.run(on)


@pytest.fixture
def start() -> Iterator[Callable[[], Venue]]:
    with ExitStack() as stack:
        yield lambda: Venue(
            stack.enter_context(ExchangeServer(make_desk(flat(), "2024-01-02T09:36", cash=Decimal(1_000_000))))
        )


def told_of(error: BaseException | None) -> Iterator[str]:
    while error is not None:
        yield from (str(error), repr(error), repr(vars(error)), "".join(traceback.format_exception(error)))
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_no_byte_of_the_keys_is_in_journal_halt_logs_outcome_or_errors(
    place: Path, start: Callable[[], Venue], caplog: pytest.LogCaptureFixture, fault: dict[str, Any]
) -> None:
    running = start()
    for name in ("", "urllib3", "alpaca", "requests", "asyncio"):
        caplog.set_level(logging.DEBUG, logger=name or None)
    venue, clock, told = over_http(running, symbols=SYMBOLS), ServerClock(running), []
    whose = Whose("book", venue.snapshot().account, frozenset(SYMBOLS), "account")
    decider = Plan(0, flat())
    decider.lots = {FIRST: {"AAA": Decimal(10), "BBB": Decimal(20)}}
    if fault:
        running.fault(**fault)
    journal = Journal.open(place / "state", clock.now)
    try:
        book = Book(whose, SYMBOLS, LIVE)
        told.append(repr(Rebalancer(book, venue, journal, clock, place / "state", decider).run("09:35").plain()))
    except InputError as error:
        logging.getLogger("here").exception("failed")
        told.extend(told_of(error))
    journal.backup(place / "state" / "image")
    write_halt(place / "state", "all", f"stopped: {told[-1][:200]}", clock.now() + timedelta(0))
    journal.close()
    files = b"".join(one.read_bytes() for one in (place / "state").rglob("*") if one.is_file())
    seen = files + "\n".join((*told, caplog.text)).encode()
    assert b"GET /v2/account" in seen  # the log was on
    assert b"pl1-" in files or fault.get("path")
    assert KEYS.secret.encode() not in seen
    assert KEYS.key_id.encode() not in seen
