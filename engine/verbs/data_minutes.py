"""Fetch bars shorter than a day from Alpaca into a folder of `<SYMBOL>_5min.csv` files."""

import random
import time
from collections.abc import Iterable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from plimsoll.engine.config.interval import canonical_interval
from plimsoll.engine.errors import ConfigError, DataError
from plimsoll.engine.market.alpaca.client import NAMES, AlpacaClient, Keys
from plimsoll.engine.market.alpaca.normalise import MinuteBars
from plimsoll.engine.market.catalog.disk import Disk
from plimsoll.engine.market.fetching import Route
from plimsoll.engine.market.gates.judge import GateInputs
from plimsoll.engine.market.imports.brokers import ALPACA
from plimsoll.engine.market.imports.draft import Draft
from plimsoll.engine.market.imports.folder import csv_bytes, file_name, place
from plimsoll.engine.market.imports.interval import regular
from plimsoll.engine.market.imports.sift import Sifted, sift
from plimsoll.engine.market.pull.budget import Budget
from plimsoll.engine.market.pull.completed import last_completed
from plimsoll.engine.market.ticker import canonical
from plimsoll.engine.runtime.backtest import Progress
from plimsoll.engine.types import Dates, Floats
from plimsoll.engine.verbs.data_import import Imported, outcome_of
from plimsoll.engine.verbs.host import PROGRAM, Host

# Alpaca counts bars from the hour, a session here from its open: what divides half an hour is the same either way.
MINUTES: Final = (1, 5, 15, 30)


def pull_minutes(
    symbols: Iterable[str],
    interval: str,
    *,
    start: date | str,
    out: Path | str,
    end: date | str | None = None,
    confirm: Iterable[date | str] = (),
    timeout_s: float = 30.0,
    force: bool = False,
    progress: Progress | None = None,
    host: Host = PROGRAM,
    url: str | None = None,
) -> Imported:
    """Fetch bars of 1, 5, 15 or 30 minutes as traded, regular hours, actions on each session's first bar.

    They go through the gates that an imported file goes through; every file is written, or none.

    Parameters
    ----------
    symbols : iterable of str
    interval : str
        "1m", "5min", "15m", "30m"; longer ones are made of these by `data.resample`.
    start, end : date or ISO text
        First and last session; `end` None = the last completed one.
    out : path
        A folder for `<SYMBOL>_5min.csv` files. force : replace files that are there.
    confirm : iterable of dates
        Sessions of the one symbol pulled that the caller stands for, whatever a gate says.
    timeout_s : float
        Seconds allowed for a request.
    url : str, optional
        Alpaca's data host, or one on loopback.

    Raises
    ------
    InputError
        If a symbol, date or interval is none, there are no keys, the source gives nothing, or files are there already.
    """
    names = list(dict.fromkeys(canonical(symbol) for symbol in symbols))
    if not names:
        raise ConfigError("nothing to pull", where="data pull", fix="name symbols")
    stands = frozenset(_day(one, "--confirm") for one in confirm)
    if stands and len(names) > 1:
        raise ConfigError(f"it would speak of {len(names)} symbols", where="--confirm", fix="pull one symbol with it")
    minutes, first = _minutes(interval), _day(start, "--from")
    completed = last_completed(host.clock())
    last = completed if end is None else min(_day(end, "--to"), completed)
    client, budget = _client(timeout_s, host, url), Budget(time.sleep, random.random)
    done: list[Sifted] = []
    for name in names:
        told = budget.ask(partial(client.minutes, name, minutes, first, last))
        done.append(sift(draft_of(name, minutes, told), "raw", GateInputs(completed, confirmed=stands)))
        if progress is not None:
            progress(len(done), len(names))
    if not all(one.passed for one in done):
        return Imported(tuple(outcome_of(one, "checked") for one in done))
    place(Path(out), {file_name(one): csv_bytes(one) for one in done}, Disk(), force=force)
    return Imported(tuple(outcome_of(one, "stored") for one in done), str(out))


def draft_of(symbol: str, minutes: int, told: MinuteBars) -> Draft:
    """Return the bars of regular hours with each action on its session's first bar.

    Raises
    ------
    DataError
        If no bar lies in regular hours, or an action falls on a day between them that has none.
    """
    inside = regular(told.stamp)
    stamp = told.stamp[inside]
    if not len(stamp):
        raise DataError("no bar lies in regular hours", where=f"alpaca, {symbol}", fix="ask for other sessions")
    columns = {name: column[inside] for name, column in told.columns.items()}
    columns["dividend"], columns["split"] = _actions(symbol, stamp, told)
    draft = Draft(symbol, ALPACA, f"alpaca, {symbol}", f"{minutes}min", stamp, columns, "raw")
    left = int((~inside).sum())
    return draft.saying("alpaca", f"{left:,} bars outside regular hours left out" * bool(left))


def _actions(symbol: str, stamp: Dates, told: MinuteBars) -> tuple[Floats, Floats]:
    dividend, split = np.zeros(len(stamp)), np.ones(len(stamp))
    days = stamp.astype("datetime64[D]")
    for event in told.events:
        if not days[0] <= event.day <= days[-1]:
            continue
        row = int(np.searchsorted(days, event.day))
        if days[row] != event.day:
            what = f"an action on {event.day}, a day without a bar"
            raise DataError(what, where=f"alpaca, {symbol}", fix="ask for sessions before it or after it")
        dividend[row] += event.cash
        split[row] *= event.ratio
    return dividend, split


def _minutes(interval: str) -> int:
    text = canonical_interval(interval)
    minutes = int(text.removesuffix("min")) if text.endswith("min") and text[:-3].isdigit() else 0
    if minutes not in MINUTES:
        fix = f"one of {', '.join(f'{one}m' for one in MINUTES)}; data.resample makes longer bars of them"
        raise ConfigError(f"no bars of {interval!r} from Alpaca", where="--interval", fix=fix)
    return minutes


def _client(timeout_s: float, host: Host, url: str | None) -> AlpacaClient:
    keys = Keys.of(host.env)
    if keys is None:
        names = " and ".join(NAMES[0])
        raise ConfigError("Alpaca needs keys", where="data pull", fix=f"set {names} in the environment")
    proxy = host.env.get("HTTPS_PROXY") or host.env.get("https_proxy") or ""
    route = Route(proxy=proxy, ca_file=host.env.get("SSL_CERT_FILE", ""), timeout_s=timeout_s)
    return AlpacaClient(keys, route, host.clock) if url is None else AlpacaClient(keys, route, host.clock, url)


def _day(day: date | str, option: str) -> date:
    if isinstance(day, date):
        return day
    try:
        return date.fromisoformat(day)
    except ValueError:
        raise ConfigError(f"{day!r} is not a date", where=option, fix="write YYYY-MM-DD") from None
