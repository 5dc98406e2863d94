"""Could this book trade its account today? The venue is asked; nothing is ordered, canceled or changed."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from plimsoll.engine.config.live import BrokerSection, LiveSection
from plimsoll.engine.config.schema import Config
from plimsoll.engine.errors import ConfigError, PlimsollError
from plimsoll.engine.execution.venue import Snapshot, Venue, VenueClock
from plimsoll.engine.live.ids import account_code, book_code, is_of
from plimsoll.engine.live.positions import of_snapshot, part
from plimsoll.engine.live.prices import PriceRules, decision_prices
from plimsoll.engine.market.calendar import session_hours, sessions
from plimsoll.engine.runtime.load import configured
from plimsoll.engine.runtime.prepare import make_strategies
from plimsoll.engine.runtime.venues import open_venue
from plimsoll.engine.verbs.doctor import Check
from plimsoll.engine.verbs.host import PROGRAM, Host

AHEAD: Final = timedelta(days=14)
SKEW_SECONDS: Final = 30.0
SHOWN: Final = 6
_NEW_YORK: Final = ZoneInfo("America/New_York")


@dataclass(frozen=True, slots=True)
class _Book:
    """What is asked for: a configuration and the symbols that its sleeves trade."""

    config: Config
    broker: BrokerSection
    live: LiveSection
    symbols: tuple[str, ...]


def doctor_live(what: Config | Path | str, *, venue: Venue | None = None, host: Host = PROGRAM) -> list[Check]:
    """Check the account that a configuration names, and all it needs of the venue; no order, whatever is found.

    venue : asked instead of the configured one.

    Raises
    ------
    ConfigError
        If the configuration is not valid, or has no [broker] section.
    """
    config, _ = configured(what, env=host.env)
    if config.broker is None:
        raise ConfigError("there is no [broker] section", where=str(what)[:80], fix="add one, see config/paper.toml")
    universe = {s for strategy in make_strategies(config).values() for s in (*strategy.universe, *strategy.optional)}
    book = _Book(config, config.broker, config.live or LiveSection(), tuple(sorted(universe)))
    return list(_checks(book, venue, host))


def _checks(book: _Book, venue: Venue | None, host: Host) -> Iterator[Check]:
    try:
        asked = open_venue(book.broker, host.env, book.symbols) if venue is None else venue
        account, clock = asked.snapshot(), asked.clock()
    except PlimsollError as error:
        yield Check("venue", False, f"{book.broker.url}: {error}")
        return
    yield Check("venue", True, f"{book.broker.kind} at {book.broker.url}")
    yield _account(book, account)
    checks: tuple[tuple[str, Callable[[], Check]], ...] = (
        ("clock", partial(_clock, book, clock, host)),
        ("calendar", partial(_calendar, asked, clock)),
        ("assets", partial(_assets, book, asked)),
        ("quotes", partial(_quotes, book, asked, clock)),
        ("orders", partial(_orders, book, asked, account)),
        ("positions", partial(_positions, book, account)),
    )
    for name, check in checks:
        try:
            yield check()
        except PlimsollError as error:
            yield Check(name, False, str(error))


def _account(book: _Book, account: Snapshot) -> Check:
    told = f"{account.account}, equity {account.equity:z,.2f}, cash {account.cash:z,.2f}"
    told += f", buying power {account.buying_power:z,.2f}" + ("" if account.shorting else ", no short sales")
    wanted = book.broker.account
    if account.blocked:
        return Check("account", False, f"{told}; it may not trade: {account.blocked}")
    if wanted is None:
        return Check("account", False, f"{told}; set broker.account = {account.account!r}, that no other is traded")
    if wanted != account.account:
        return Check("account", False, f"{told}; broker.account is {wanted!r}: these are the keys of another account")
    return Check("account", True, told)


def _clock(book: _Book, clock: VenueClock, host: Host) -> Check:
    opens, closes = (_local(at) for at in (clock.next_open, clock.next_close))
    state = f"open until {closes:%H:%M}" if clock.is_open else f"closed until {opens:%Y-%m-%d %H:%M}"
    told = f"{_local(clock.now):%Y-%m-%d %H:%M:%S} New York, {state}"
    apart = abs((host.clock() - clock.now).total_seconds())
    if book.broker.is_here:
        return Check("clock", True, told + ("" if apart <= SKEW_SECONDS else ", a time of its own"))
    ok = apart <= SKEW_SECONDS
    return Check("clock", ok, f"{told}, {apart:.0f} s from this machine's" + ("" if ok else "; set this machine's"))


def _local(at: datetime) -> datetime:
    return at.astimezone(_NEW_YORK)


def _calendar(venue: Venue, clock: VenueClock) -> Check:
    today = _local(clock.next_close if clock.is_open else clock.next_open).date()
    theirs = {one.session: (one.opens, one.closes) for one in venue.calendar(today, today + AHEAD)}
    ours: list[date] = sessions(today, today + AHEAD).astype(object).tolist()
    differ = sorted({*theirs} ^ {*ours})
    for day in sorted({*theirs} & {*ours}):
        opens, closes = (_local(at) for at in theirs[day])
        if (60 * opens.hour + opens.minute, 60 * closes.hour + closes.minute) != session_hours(day):
            differ.append(day)
    if differ:
        return Check("calendar", False, f"{_some(map(str, differ))} differ from XNYS; upgrade exchange_calendars")
    return Check("calendar", True, f"{len(ours)} sessions to {ours[-1]} as in XNYS")


def _assets(book: _Book, venue: Venue) -> Check:
    found = venue.assets(book.symbols)
    lacks = {
        "unknown": [s for s in book.symbols if s not in found],
        "not tradable": [s for s, one in found.items() if not one.tradable],
        "whole shares only": [s for s, one in found.items() if not one.fractionable],
        "cannot be sold short": [s for s, one in found.items() if not one.shortable],
    }
    detail = "".join(f"; {what}: {_some(which)}" for what, which in lacks.items() if which)
    ok = not lacks["unknown"] and not lacks["not tradable"]
    return Check("assets", ok, f"{len(found)} of {len(book.symbols)} known{detail}")


def _quotes(book: _Book, venue: Venue, clock: VenueClock) -> Check:
    """Say which quotes would be believed; only while the market is open does one that is not count."""
    live = book.live
    quotes = venue.quotes(book.symbols)
    closes = {s: float(one.last) for s, one in quotes.items() if one.last is not None}
    rules = PriceRules(live.max_quote_age_seconds, live.max_spread_bps, live.max_gap)
    if not clock.is_open:
        silent = [s for s in book.symbols if s not in quotes]
        told = f"{len(quotes)} of {len(book.symbols)} symbols quoted ({book.broker.feed})"
        return Check("quotes", not silent, told + (f"; none for {_some(silent)}" if silent else ", closed now"))
    prices = decision_prices(book.symbols, quotes, closes, clock.now, rules)
    doubted = {symbol: price.why for symbol, price in prices.items()}
    bad = [f"{s} ({why})" for s, why in doubted.items() if why]
    told = f"{len(book.symbols) - len(bad)} of {len(book.symbols)} symbols have a price ({book.broker.feed})"
    return Check("quotes", not bad, told + (f"; none for {_some(bad)}" if bad else ""))


def _orders(book: _Book, venue: Venue, account: Snapshot) -> Check:
    working = venue.open_orders()
    code, name = account_code(account.account), book_code(book.config.run.name)
    own = [one for one in working if is_of(one.client_id, code, name)]
    symbols = {*book.symbols}
    foreign = [one for one in working if one not in own and (book.broker.manage == "account" or one.symbol in symbols)]
    told = f"{len(own)} working of this book, {len(working) - len(own)} others"
    if not foreign:
        return Check("orders", True, told)
    named = _some(f"{one.side} {one.symbol} ({one.client_id[:24]})" for one in foreign)
    return Check("orders", False, f"{told}: {named}; nothing is sent while they work")


def _positions(book: _Book, account: Snapshot) -> Check:
    parted = part(of_snapshot(account), book.symbols)
    told = f"{len(parted.book)} of this book, {len(parted.beside)} beside it"
    if parted.beside:
        told += f": {_some(f'{symbol} {qty:f}' for symbol, qty in sorted(parted.beside.items()))}"
        if book.broker.manage == "account":
            return Check("positions", False, f"{told}; sell them, or set broker.manage = 'symbols' to leave them alone")
    return Check("positions", True, told)


def _some(words: Iterable[str]) -> str:
    """Return the first few words; one screen is all there is."""
    listed = list(words)
    more = len(listed) - SHOWN
    return ", ".join(listed[:SHOWN]) + (f" and {more} more" if more > 0 else "")
