"""The venue row of scripts/bench: a rebalance through adapter and exchange beside as many bare requests, in pairs."""

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from statistics import median
from typing import Any, Self

import numpy as np
import requests
from aiohttp import web

from plimsoll.brokers.alpaca.connect import connect
from plimsoll.brokers.exchange.clock import VirtualClock
from plimsoll.brokers.exchange.desk.desk import Desk, Keys
from plimsoll.brokers.exchange.matching import Exchange
from plimsoll.brokers.exchange.server import ExchangeServer
from plimsoll.brokers.exchange.settings import Settings
from plimsoll.brokers.exchange.tape import Tape
from plimsoll.engine.execution.venue import Acked, Intent, Side, Venue
from plimsoll.engine.market.calendar import build_clock
from plimsoll.engine.market.panel import Panel

N_ORDERS = 500
MOST = 2.5  # times the CPU of the bare requests
AT = datetime(2024, 1, 3, 15, 0, tzinfo=UTC)
KEYS = Keys("BENCH", "bench-secret")
ENV = {"APCA_API_KEY_ID": KEYS.key_id, "APCA_API_SECRET_KEY": KEYS.secret}


def rows(repeat: int) -> Iterator[dict[str, Any]]:
    """Yield the row: CPU seconds of both, client and server together, and the median of their ratios."""
    pairs = [(rebalance(), bare()) for _ in range(repeat + 1)][1:]
    ratio = median(ours / theirs for ours, theirs in pairs)
    yield {
        "work": "venue", "mode": "500 orders", "cpu_s": round(min(ours for ours, _ in pairs), 3),
        "bare_s": round(min(theirs for _, theirs in pairs), 3), "ratio": round(ratio, 2), "budget_ratio": MOST,
    }  # fmt: skip


def rebalance() -> float:
    """Return the CPU seconds of 500 orders and what a rebalance asks before and after them."""
    desk = Desk(*opened(), time.time)
    desk.exchange.behaviour = desk.exchange.behaviour.model_copy(update={"rate_limit": None})
    with ExchangeServer(desk) as server:
        seconds = [0.0]
        venue = connect(server.url, ENV, now=lambda: seconds[0], sleep=lambda s: seconds.__setitem__(0, seconds[0] + s))
        half = [f"S{k:03d}" for k in range(N_ORDERS // 2)]
        trade(venue, half, "buy", "before")
        began = time.process_time()
        venue.snapshot()
        trade(venue, half, "sell", "now")
        trade(venue, [f"S{k:03d}" for k in range(N_ORDERS // 2, N_ORDERS)], "buy", "now")
        working, fills, account = venue.open_orders(), venue.fills(AT), venue.snapshot()
        used = time.process_time() - began
    if working or len(fills) != 3 * len(half) or len(account.positions) != len(half):
        raise AssertionError("the rebalance is not what it should be")
    return used


def opened() -> tuple[Exchange, Keys, VirtualClock]:
    """Return an exchange on 500 symbols at ten in the morning."""
    n_bars = 4
    block = np.full((5, n_bars, N_ORDERS), 50.0)
    block[2], block[3], block[4] = 1e9, 0.0, 1.0
    clock = build_clock(date(2024, 1, 2), date(2024, 1, 5), "1d")
    panel = Panel(clock, tuple(f"S{k:03d}" for k in range(N_ORDERS)), block, block[0], block[0], data_hash="made")
    exchange = Exchange(Tape(panel), AT, Settings(cash=Decimal(10_000_000)))
    return exchange, KEYS, VirtualClock(AT)


def trade(venue: Venue, symbols: list[str], side: Side, name: str) -> None:
    """Send an order for each symbol."""
    for symbol in symbols:
        answer = venue.submit(Intent(f"pl1-0000-abcdef-20240103-0935-{symbol}-{name}", symbol, side, Decimal("10.5")))
        if not isinstance(answer, Acked):
            raise AssertionError(answer)


def bare() -> float:
    """Return the CPU seconds of 500 POSTs of one body to a handler with one answer, over one session."""
    body = {"symbol": "S000", "qty": "10.5", "side": "buy", "type": "market", "time_in_force": "day"}
    with fixed() as url, requests.Session() as session:
        session.trust_env = False
        began = time.process_time()
        for _ in range(N_ORDERS):
            session.post(url, json=body, headers=ENV, timeout=10).json()
        return time.process_time() - began


@contextmanager
def fixed() -> Iterator[str]:
    """Serve one answer to every request, as long as an order's."""
    with _Fixed() as server:
        yield server.url


class _Fixed:
    """An aiohttp server in a thread of its own."""

    def __init__(self) -> None:
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._started: Future[str] = Future()
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._serve()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.url = self._started.result()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

    async def _serve(self) -> None:
        async def answer(request: web.BaseRequest) -> web.Response:
            await request.read()
            return web.Response(text=ANSWER, content_type="application/json")

        runner = web.ServerRunner(web.Server(answer, access_log=None))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self._started.set_result(f"http://127.0.0.1:{runner.addresses[0][1]}/v2/orders")
        await self._stop.wait()
        await runner.cleanup()


ANSWER = '{"id":"' + 36 * "0" + '","status":"pending_new","padding":"' + 900 * "x" + '"}'
