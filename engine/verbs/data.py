"""What the catalog holds: pull more of it, check it, show it."""

import math
import random
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal

from plimsoll.engine.errors import ConfigError, DataError
from plimsoll.engine.market.alpaca.client import NAMES, AlpacaClient, Keys
from plimsoll.engine.market.calendar import sessions
from plimsoll.engine.market.catalog.store import Catalog, default_catalog
from plimsoll.engine.market.fetching import FetchError, Route
from plimsoll.engine.market.gates.finding import GateFinding
from plimsoll.engine.market.gates.session import holes
from plimsoll.engine.market.pull.budget import Budget
from plimsoll.engine.market.pull.completed import last_completed
from plimsoll.engine.market.pull.pull import Client, Puller, PullOutcome, Second
from plimsoll.engine.market.ticker import canonical
from plimsoll.engine.market.yahoo.client import YahooClient
from plimsoll.engine.runtime.backtest import Progress
from plimsoll.engine.runtime.load import Runnable, configured
from plimsoll.engine.runtime.needs import needs_of
from plimsoll.engine.runtime.prepare import make_strategies
from plimsoll.engine.verbs.host import PROGRAM, Host

SOURCES = ("yahoo", "alpaca")
SHOWN = ("open", "high", "low", "close", "volume", "dividend", "split")


@dataclass(frozen=True, slots=True)
class Pulled:
    """What became of each symbol of a pull, in the order asked. stopped : why the rest was not tried, else None."""

    outcomes: tuple[PullOutcome, ...]
    stopped: FetchError | None = None

    @property
    def complete(self) -> bool:
        """Whether everything asked for is in the store."""
        return all(one.state in ("stored", "current") for one in self.outcomes)


@dataclass(frozen=True, slots=True)
class HeldSymbol:
    """What a catalog holds of a symbol.

    first, last : ISO dates, "" if nothing is stored. revised : rows that a later pull corrected. holes : sessions
    between the first and the last without a row. behind : completed sessions after the last row. gates : what refused
    something or had something to say, by name. refused : why something is in quarantine. notes : what was stored
    although a gate had something to say.
    """

    symbol: str
    source: str
    first: str
    last: str
    rows: int
    revised: int
    holes: int
    behind: int
    state: Literal["ok", "quarantined"]
    gates: tuple[str, ...]
    refused: tuple[GateFinding, ...]
    notes: tuple[GateFinding, ...]


@dataclass(frozen=True, slots=True)
class DataCheck:
    """What a catalog holds, symbol by symbol, and the last completed session it should reach."""

    last_completed: str
    symbols: tuple[HeldSymbol, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is in quarantine."""
        return not any(one.refused for one in self.symbols)


def pull_data(
    symbols: Iterable[str] = (),
    *,
    config: Runnable | None = None,
    source: str = "yahoo",
    start: date | str | None = None,
    confirm: Iterable[date | str] = (),
    timeout_s: float = 30.0,
    catalog: Path | str | None = None,
    progress: Progress | None = None,
    host: Host = PROGRAM,
) -> Pulled:
    """Fetch daily bars and actions into the catalog; each symbol is stored as soon as it has passed the gates.

    Parameters
    ----------
    symbols : iterable of str
        SPY, BRK.B, VIX; however their classes of shares are written.
    config : path, dict or Config, optional
        Everything a configuration needs, too.
    source : {"yahoo", "alpaca"}
        Who tells; the other one is the second opinion where there is a way to it.
    start : date or ISO text, optional
        First session; by default all there is, then what is new.
    confirm : iterable of dates
        Sessions of the one symbol pulled that the caller stands for, whatever a gate says.
    timeout_s : float
        Seconds allowed for a request.
    catalog : path, optional
        Its folder; by default what PLIMSOLL_CATALOG names, or one in the user's data.

    Raises
    ------
    InputError
        If a symbol or a date is none, nothing could be had from the source, or the catalog cannot be used.
    """
    names = _names(symbols, config, host)
    first = None if start is None else _day(start, "--from")
    stood = frozenset(_day(day, "--confirm") for day in confirm)
    if stood and len(names) > 1:
        raise ConfigError(f"it would speak of {len(names)} symbols", where="--confirm", fix="pull one symbol with it")
    outcomes: list[PullOutcome] = []
    with ExitStack() as stack:
        client, second = _clients(source, timeout_s, host, stack)
        puller = Puller(
            catalog=_catalog(catalog, host),
            client=client,
            budget=Budget(time.sleep, random.random),
            now=host.clock,
            second=second,
            second_budget=Budget(time.sleep, random.random, attempts=2),
            start=first,
            confirm=stood,
        )
        for outcome in puller.run(names):
            outcomes.append(outcome)
            if progress is not None:
                progress(len(outcomes), len(names))
    if puller.stopped is not None and all(one.state in ("failed", "not_tried") for one in outcomes):
        raise puller.stopped
    return Pulled(tuple(outcomes), puller.stopped)


def check_data(symbols: Iterable[str] = (), *, catalog: Path | str | None = None, host: Host = PROGRAM) -> DataCheck:
    """Return span, rows, holes, source and gates of each symbol of the catalog, all of them if none is named.

    Every checksum and the log are verified.

    Raises
    ------
    DataError
        If the catalog is empty, a symbol is not in it, or something is damaged.
    """
    store = _catalog(catalog, host)
    asked = [canonical(symbol) for symbol in symbols] or sorted({*store.symbols(), *store.quarantined()})
    if not asked:
        raise DataError("the catalog is empty", where=str(store.root), fix="run `plimsoll data pull SYMBOL` first")
    for _ in store.log.events():  # a damaged log is an error here, not at the next pull
        pass
    completed = last_completed(host.clock())
    held = set(store.quarantined())
    return DataCheck(str(completed), tuple(_checked(store, one, completed, one in held) for one in asked))


def show_data(
    symbol: str, rows: int = 10, *, catalog: Path | str | None = None, host: Host = PROGRAM
) -> list[dict[str, Any]]:
    """Return the last rows of a symbol as traded, revisions included, with their source and when they became known.

    What is not known is None.

    Raises
    ------
    DataError
        If it is not in the catalog, or its file is damaged.
    """
    versions = _catalog(catalog, host).read(canonical(symbol))
    history, first = versions.history, max(0, len(versions.history) - rows)
    return [
        {
            "session": str(history.session[at]),
            **{name: _known(float(history.column(name)[at])) for name in SHOWN},
            "source": str(history.source[at]),
            "known_at": f"{versions.known_at[at].astype('datetime64[s]')}Z",
        }
        for at in range(first, len(history))
    ]


def _catalog(folder: Path | str | None, host: Host) -> Catalog:
    return Catalog(Path(folder) if folder is not None else default_catalog(host.env, Path.home()))


def _names(symbols: Iterable[str], what: Runnable | None, host: Host) -> Sequence[str]:
    names = list(symbols)
    if what is not None:
        config, objects = configured(what, env=host.env)
        needs = needs_of(config, make_strategies(config, objects))
        names += [*needs.symbols, *needs.optional, *needs.required_indicators, *needs.indicators]
    if not names:
        raise ConfigError("nothing to pull", where="data pull", fix="name symbols, or pass --for CONFIG")
    return list(dict.fromkeys(canonical(name) for name in names))


def _clients(source: str, timeout_s: float, host: Host, stack: ExitStack) -> tuple[Client, Second | None]:
    """Return the way to the source asked for, and to the other one if it is open."""
    if source not in SOURCES:
        raise ConfigError(f"no source {source!r}", where="data pull", fix=f"one of {', '.join(SOURCES)}")
    env = host.env
    proxy = env.get("HTTPS_PROXY") or env.get("https_proxy") or ""
    route = Route(proxy=proxy, ca_file=env.get("SSL_CERT_FILE", ""), timeout_s=timeout_s)
    keys = Keys.of(env)
    alpaca = AlpacaClient(keys, route, host.clock) if keys is not None else None
    if source == "yahoo":
        return stack.enter_context(YahooClient(route)), alpaca
    if alpaca is None:
        names = " and ".join(NAMES[0])
        raise ConfigError("Alpaca needs keys", where="data pull", fix=f"set {names} in the environment")
    return alpaca, stack.enter_context(YahooClient(route))


def _checked(store: Catalog, symbol: str, completed: date, held: bool) -> HeldSymbol:
    refused = store.refusal(symbol).notes if held else ()
    found = store.find(symbol)
    if found is None:
        if not held:
            store.read(symbol)  # says that there is none
        source = "+".join(sorted(set(store.refusal(symbol).history.source.tolist())))
        return HeldSymbol(symbol, source, "", "", 0, 0, 0, 0, "quarantined", _gates(refused), refused, ())
    history = found.current()
    last = history.session[-1].astype(object) if len(history) else completed
    behind = len(sessions(last + timedelta(days=1), completed)) if last < completed else 0
    return HeldSymbol(
        symbol=symbol,
        source="+".join(sorted(set(history.source.tolist()))),
        first=str(history.session[0]) if len(history) else "",
        last=str(history.session[-1]) if len(history) else "",
        rows=len(history),
        revised=len(found.history) - len(history),
        holes=len(holes(history)),
        behind=behind,
        state="quarantined" if refused else "ok",
        gates=_gates((*refused, *found.notes)),
        refused=refused,
        notes=found.notes,
    )


def _gates(findings: Iterable[GateFinding]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(finding.gate for finding in findings))


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _day(day: date | str, option: str) -> date:
    if isinstance(day, date):
        return day
    try:
        return date.fromisoformat(day)
    except ValueError:
        raise ConfigError(f"{day!r} is not a date", where=option, fix="write YYYY-MM-DD") from None
