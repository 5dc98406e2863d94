"""`plimsoll exchange`: run one exchange in the foreground until it is interrupted."""

import asyncio
import json
import secrets
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from datetime import time as clock_time
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal

from plimsoll.brokers.exchange.amount import exact
from plimsoll.brokers.exchange.clock import Clock, FastClock, VirtualClock, WallClock
from plimsoll.brokers.exchange.desk.desk import Desk, Keys
from plimsoll.brokers.exchange.desk.transcript import Transcript
from plimsoll.brokers.exchange.hours import NEW_YORK, local
from plimsoll.brokers.exchange.matching import Exchange
from plimsoll.brokers.exchange.server import Face, check_address
from plimsoll.brokers.exchange.settings import Behaviour, Handling, PriceModel, Settings
from plimsoll.brokers.exchange.tape import Tape
from plimsoll.engine.errors import ConfigError, OutputError
from plimsoll.engine.market.panel import Panel


@dataclass(frozen=True, slots=True)
class ExchangeOptions:
    """What the command line says; see `Settings` and `Behaviour` for what each of it means."""

    clock: Literal["virtual", "real"] = "virtual"
    speed: float = 0.0
    at: str | None = None
    cash: str = "100000"
    multiplier: int = 2
    prices: PriceModel = "path"
    half_spread_bps: float = 1.0
    delay_s: float = 0.0
    tick_s: float = 0.0
    rate_limit: int = 200
    easy_to_borrow: bool = False
    host: str = "127.0.0.1"
    port: int = 0
    transcript: Path | None = None
    as_json: bool = False


def serve(panel: Panel, options: Mapping[str, Any]) -> None:
    """Serve until SIGINT or SIGTERM; print where, and the keys of the account.

    options : the fields of `ExchangeOptions` that are not left at their defaults.

    Raises
    ------
    InputError
        If a setting cannot be used, the port is taken, or the transcript cannot be written.
    """
    asked = ExchangeOptions(**options)
    check_address(asked.host)
    tape = Tape(panel, asked.prices, exact(asked.half_spread_bps))
    clock = _clock(tape, asked)
    if asked.multiplier not in (1, 2, 4):
        raise ConfigError(f"the multiplier is 1, 2 or 4, not {asked.multiplier}", where="--multiplier")
    settings = Settings(
        cash=_dollars(asked.cash),
        multiplier=1 if asked.multiplier == 1 else 2 if asked.multiplier == 2 else 4,
        prices=asked.prices,
        half_spread_bps=exact(asked.half_spread_bps),
        easy_to_borrow=asked.easy_to_borrow,
    )
    exchange = Exchange(tape, clock.now(), settings)
    exchange.behaviour = Behaviour(
        handling=Handling(delay_s=asked.delay_s), tick_s=asked.tick_s, rate_limit=asked.rate_limit or None
    )
    keys = Keys(f"EX{secrets.token_hex(9).upper()}", secrets.token_hex(20))
    if asked.transcript is None:
        transcript = Transcript()
        asyncio.run(_serve(Desk(exchange, keys, clock, time.time, transcript), keys, asked))
        return
    try:
        with asked.transcript.open("x", buffering=1) as file:
            transcript = Transcript(file.write)
            asyncio.run(_serve(Desk(exchange, keys, clock, time.time, transcript), keys, asked))
    except FileExistsError:
        raise OutputError("is there already", where=str(asked.transcript), fix="name a new file") from None
    except OSError as error:
        raise OutputError(f"cannot be written: {error.strerror or error}", where=str(asked.transcript)) from error


async def _serve(desk: Desk, keys: Keys, asked: ExchangeOptions) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    face = Face(desk, asked.host, asked.port)
    await face.start()
    _announce(face.url, desk, keys, asked)
    await stop.wait()
    await face.stop()
    sys.stderr.write(f"exchange closed after {len(desk.transcript.requests()):,} requests\n")


def _announce(url: str, desk: Desk, keys: Keys, asked: ExchangeOptions) -> None:
    now = desk.exchange.now.astimezone(NEW_YORK)
    kind = f"{asked.clock}, {asked.speed:g} times as fast" if asked.speed else asked.clock
    if asked.as_json:
        row = {"url": url, "key_id": keys.key_id, "secret_key": keys.secret, "now": now.isoformat()}
        sys.stdout.write(json.dumps(row) + "\n")
    else:
        sys.stdout.write(
            f"url     {url}\n"
            f"clock   {now:%Y-%m-%d %H:%M} New York, {kind}\n"
            f"APCA_API_KEY_ID={keys.key_id}\n"
            f"APCA_API_SECRET_KEY={keys.secret}\n"
            "Ctrl-C ends it\n"
        )
    sys.stdout.flush()


def _clock(tape: Tape, asked: ExchangeOptions) -> Clock:
    """Return the clock; a virtual one begins at 09:00 of the panel's last session where nothing else is said."""
    if asked.clock == "real":
        if asked.speed:
            raise ConfigError("a real clock has its own speed", where="--speed", fix="leave it out")
        if asked.at is not None:
            raise ConfigError("a real clock cannot be set", where="--at", fix="leave it out, or use --clock virtual")
        return WallClock(time.time)
    begin = local(tape.days[-1], clock_time(9, 0)) if asked.at is None else _moment(asked.at, tape)
    return FastClock(begin, time.monotonic, asked.speed) if asked.speed else VirtualClock(begin)


def _moment(text: str, tape: Tape) -> datetime:
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{text!r} is not a time", where="--at", fix="write 2025-12-31T09:00") from None
    begin = (read if read.tzinfo else read.replace(tzinfo=NEW_YORK)).astimezone(UTC)
    if begin < local(tape.days[0], clock_time(0, 0)):
        raise ConfigError(f"{text} lies before the data, which begin on {tape.days[0]}", where="--at")
    return begin


def _dollars(text: str) -> Decimal:
    try:
        cash = Decimal(text.replace("_", ""))
    except InvalidOperation:
        cash = Decimal(0)
    if not cash.is_finite() or not 0 < cash < Decimal("1e12"):
        raise ConfigError(f"{text!r} is not an amount of dollars above 0", where="--cash")
    return cash
