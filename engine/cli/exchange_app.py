"""The command `plimsoll exchange`: its options."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from plimsoll.engine.cli.data_app import AsJson


class ClockKind(StrEnum):
    """The choices of `--clock`."""

    virtual = "virtual"
    real = "real"


class ExchangePrices(StrEnum):
    """The choices of `--prices`."""

    path = "path"
    open = "open"


def exchange(
    data: Annotated[Path | None, typer.Option("--data", metavar="DIR", help="Folder of <SYMBOL>.csv files.")] = None,
    source: Annotated[
        str | None,
        typer.Option("--source", metavar="NAME", help="Where the bars come from [sample, or csv with --data]."),
    ] = None,
    symbols: Annotated[str | None, typer.Option("--symbols", metavar="A,B", help="[all there are]")] = None,
    clock: Annotated[
        ClockKind, typer.Option("--clock", help="One that stands until it is moved, or the machine's.")
    ] = ClockKind.virtual,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="New York time it begins [last session, 09:00].")
    ] = None,
    cash: Annotated[str, typer.Option("--cash", metavar="USD", help="In the account at the start.")] = "100000",
    multiplier: Annotated[int, typer.Option("--multiplier", help="1 cash account, 2 margin, 4 intraday.")] = 2,
    prices: Annotated[
        ExchangePrices, typer.Option("--prices", help="A walk over the day's prices, or all at the open.")
    ] = ExchangePrices.path,
    half_spread_bps: Annotated[
        float, typer.Option("--half-spread", metavar="BPS", min=0, max=1000, help="Half of the quoted spread.")
    ] = 1.0,
    delay: Annotated[float, typer.Option("--delay", metavar="SECONDS", min=0, help="Before each fill.")] = 0.0,
    tick: Annotated[
        float, typer.Option("--tick", metavar="SECONDS", min=0, help="A request moves a virtual clock so far.")
    ] = 0.0,
    speed: Annotated[
        float,
        typer.Option("--speed", metavar="X", min=0, help="A virtual clock runs so fast; 0 = it stands."),
    ] = 0.0,
    rate_limit: Annotated[
        int, typer.Option("--rate-limit", metavar="N", min=0, help="Requests a minute; 0 = no limit.")
    ] = 200,
    old_assets: Annotated[bool, typer.Option("--old-assets", help="Asset fields of before 2026-09-22.")] = False,
    host: Annotated[str, typer.Option("--host", help="Loopback only.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 = any free one.")] = 0,
    transcript: Annotated[
        Path | None, typer.Option("--transcript", metavar="FILE", help="Write every request, a JSON object a line.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run a local exchange that speaks Alpaca's paper-trading API, until Ctrl-C."""
    from plimsoll.engine.cli.exchange import run_exchange

    asked = {
        "clock": clock.value, "at": at, "cash": cash, "multiplier": multiplier, "prices": prices.value,
        "half_spread_bps": half_spread_bps, "delay_s": delay, "tick_s": tick, "speed": speed, "rate_limit": rate_limit,
        "easy_to_borrow": old_assets, "host": host, "port": port, "transcript": transcript, "as_json": as_json,
    }  # fmt: skip
    run_exchange(source, data, symbols, asked)
