"""A venue with a bad line, a market and somebody who decides: what simulated sessions of a book are made of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from support.panels import make_panel

from plimsoll.brokers.exchange.clock import VirtualClock
from plimsoll.brokers.exchange.hours import session_on
from plimsoll.brokers.exchange.matching import Exchange
from plimsoll.brokers.exchange.settings import Settings
from plimsoll.brokers.exchange.tape import Tape
from plimsoll.brokers.exchange.venue import ExchangeVenue
from plimsoll.engine.config.live import LiveSection
from plimsoll.engine.errors import VenueError
from plimsoll.engine.execution.legalise import FREES, NEEDS, Wish
from plimsoll.engine.execution.venue import (
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
    VenueSession,
)
from plimsoll.engine.live.clock import nowhere
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.outcome import Outcome
from plimsoll.engine.live.proposal import Asked, Proposal
from plimsoll.engine.live.rebalance import Book, Rebalancer
from plimsoll.engine.live.reconcile import Whose
from plimsoll.engine.live.slots import hours_of, timing_of, windows
from plimsoll.engine.market.calendar import next_session, previous_session, sessions
from plimsoll.engine.market.panel import Panel

SYMBOLS = ("AAA", "BBB", "CCC", "DDD")
FIRST = date(2024, 1, 2)
SESSIONS = 5
CASH = Decimal(1_000_000)


class Killed(BaseException):
    """The process is gone: nothing of it is cleaned up on purpose."""


class SimClock:
    """The machine's clock: the exchange's, and how far it is off."""

    def __init__(self, venue: VirtualClock) -> None:
        self.venue = venue
        self.off = timedelta(0)

    def now(self) -> datetime:
        return self.venue.now() + self.off

    def sleep(self, seconds: float) -> None:
        self.venue.forward(max(seconds, 0.0))


@dataclass
class Faults:
    """How often what goes wrong, and the dice."""

    dice: Random
    rate: float = 0.0
    submits: int = 0
    kinds: Sequence[str] = ("before", "after", "late")

    def __call__(self) -> str:
        """Return a fault, mostly none."""
        return self.dice.choice(self.kinds) if self.rate and self.dice.random() < self.rate else ""


@dataclass
class Posted:
    """An order that reached the venue's door."""

    at: datetime
    intent: Intent


class FaultyVenue:
    """A venue with a bad line: answers get lost before or after they did something, questions fail."""

    def __init__(self, inner: ExchangeVenue, clock: VirtualClock, faults: Faults) -> None:
        self.inner = inner
        self.time = clock
        self.faults = faults
        self.posted: list[Posted] = []
        self.requests = 0
        self.read_lag = timedelta(0)
        self.account_lag = timedelta(0)
        self.watch: Callable[[Intent], None] = lambda _: None
        self._born: dict[str, datetime] = {}
        self._shown: list[tuple[datetime, Snapshot]] = []

    def submit(self, intent: Intent) -> Answer:
        self.requests += 1
        self.posted.append(Posted(self.time.now(), intent))
        self.watch(intent)
        fault = self.faults()
        if fault == "before":
            self.time.forward(15.0)
            return Unknown("timeout")
        answer = self.inner.submit(intent)
        self._born.setdefault(intent.client_id, self.time.now())
        if fault:
            self.time.forward(15.0)
            return Unknown("reset")
        return answer

    def cancel(self, order: VenueOrder) -> bool | Unknown:
        self.requests += 1
        fault = self.faults()
        if fault == "before":
            return Unknown("reset")
        done = self.inner.cancel(order)
        return Unknown("reset") if fault else done

    def lookup(self, client_id: str) -> VenueOrder | Missing | Unknown:
        self.requests += 1
        fault = self.faults()
        if fault == "late":
            return Missing()  # it does not know yet
        if fault:
            return Unknown("503")
        return Missing() if self._hidden(client_id) else self.inner.lookup(client_id)

    def _hidden(self, client_id: str) -> bool:
        """Return whether an order is too new to be found."""
        born = self._born.get(client_id)
        return born is not None and self.time.now() < born + self.read_lag

    def _asked(self) -> None:
        self.requests += 1
        if self.faults() == "before":
            raise VenueError("no answer that can be read", where="sim")

    def open_orders(self) -> tuple[VenueOrder, ...]:
        self._asked()
        return tuple(one for one in self.inner.open_orders() if not self._hidden(one.client_id))

    def orders(self, since: datetime) -> tuple[VenueOrder, ...]:
        self._asked()
        return tuple(one for one in self.inner.orders(since) if not self._hidden(one.client_id))

    def fills(self, since: datetime) -> tuple[VenueFill, ...]:
        self._asked()
        return self.inner.fills(since)

    def snapshot(self) -> Snapshot:
        self._asked()
        now = self.time.now()
        self._shown = [*self._shown[-20:], (now, self.inner.snapshot())]
        stale = [one for at, one in self._shown if at >= now - self.account_lag]
        return stale[0]

    def assets(self, symbols: Sequence[str]) -> dict[str, Asset]:
        self._asked()
        return self.inner.assets(symbols)

    def clock(self) -> VenueClock:
        return self.inner.clock()

    def calendar(self, first: date, last: date) -> tuple[VenueSession, ...]:
        self._asked()
        return self.inner.calendar(first, last)

    def quotes(self, symbols: Sequence[str]) -> dict[str, Quote]:
        self._asked()
        return self.inner.quotes(symbols)

    def suspend(self, suspended: bool) -> bool:
        self._asked()
        return self.inner.suspend(suspended)


def market(seed: int, *, splits: bool = False) -> Panel:
    """Random walks on cents; a 2-for-1 split of the first symbol on the third session traded, if asked for."""
    dice = np.random.default_rng(seed)
    days = sessions(previous_session(previous_session(FIRST)), _last())
    shape = (len(days), len(SYMBOLS))
    level = dice.uniform(40.0, 300.0, len(SYMBOLS)) * np.exp(np.cumsum(dice.normal(0.0, 0.01, shape), axis=0))
    opened = level * np.exp(dice.normal(0.0, 0.003, shape))
    split = np.ones(shape)
    if splits:
        split[4, 0] = 2.0
    factor = np.cumprod(split, axis=0)
    return make_panel(
        np.round(level / factor, 2),
        np.round(opened / factor, 2),
        split=split,
        symbols=SYMBOLS,
        start=days[0].astype(object),
    )


def _last() -> date:
    day = FIRST
    for _ in range(SESSIONS + 1):
        day = next_session(day)
    return day


@dataclass
class Script:
    """Decides by the dice of (seed, session) alone: so many shares of each symbol, whatever the account is."""

    seed: int
    panel: Panel
    config_hash: str = "c"
    code_hash: str = "s"
    lots: Mapping[date, Mapping[str, Decimal]] = field(default_factory=dict)
    due: Callable[[date], bool] = lambda _: True
    pairs: Mapping[str, int] = field(default_factory=dict)
    pays: Mapping[date, Decimal] = field(default_factory=dict)  # dividends, by session

    def goals(self, session: date) -> dict[str, Decimal]:
        """Return where the session is meant to end."""
        if session in self.lots:
            return dict(self.lots[session])
        dice = Random(f"{self.seed}/{session}")
        at = int(np.searchsorted(self.panel.clock.session.astype("datetime64[D]"), np.datetime64(session))) - 1
        closes = self.panel.close[at]
        return {
            s: Decimal(int(dice.uniform(0, 240_000) / closes[i])) for i, s in enumerate(SYMBOLS) if dice.random() < 0.8
        }

    def closes(self, session: date) -> dict[str, Decimal]:
        """Return the closes before a session, in its shares."""
        at = int(np.searchsorted(self.panel.clock.session.astype("datetime64[D]"), np.datetime64(session)))
        split = self.panel.split[at]
        return {
            s: Decimal(repr(float(self.panel.close[at - 1, i]))) / Decimal(repr(float(split[i])))
            for i, s in enumerate(SYMBOLS)
        }

    def propose(self, asked: Asked) -> Proposal:
        """Decide."""
        held = {one.symbol: one.qty for one in asked.snapshot.positions}
        goals, closes = self.goals(asked.session), self.closes(asked.session)
        wishes: list[Wish] = []
        for symbol in SYMBOLS:
            have, want = held.get(symbol, Decimal(0)), goals.get(symbol, Decimal(0))
            way = want - have
            if way:
                wishes.append(Wish(len(wishes), symbol, way, closes[symbol], have, FREES if way * have < 0 else NEEDS))
        due = self.due(asked.session)
        return Proposal(previous_session(asked.session), due, tuple(wishes) if due else (), closes, pairs=self.pairs)

    def reductions(self, _asked: Asked, _day_return: float) -> dict[str, Decimal]:
        """Reduce nothing."""
        return {}

    def credits(self, since: date | None, until: date, _held: Mapping[str, Decimal]) -> Decimal:
        """Return the dividends that are written down."""
        return sum((paid for day, paid in self.pays.items() if since is not None and since < day <= until), Decimal(0))


LIVE = LiveSection(cash_buffer=0.0, collar=0.1, max_spread_bps=500.0, max_quote_age_seconds=1e9, max_gap=0.5)


@dataclass
class Sim:
    """A book, its exchange and its state folder."""

    seed: int
    folder: Path
    panel: Panel
    decider: Script
    exchange: Exchange
    venue: FaultyVenue
    clock: SimClock
    live: LiveSection = LIVE
    make: Callable[..., Rebalancer] = Rebalancer
    book: str = "sim"

    def run(self, slot: str, point: Callable[[str], None] = nowhere) -> Outcome:
        """Start a process for a slot; it may be killed on the way."""
        journal = Journal.open(self.folder, self.clock.now)
        try:
            whose = Whose(self.book, self.venue.inner.snapshot().account, frozenset(SYMBOLS), "account")
            book = Book(whose, SYMBOLS, self.live, margin=True)
            return self.make(book, self.venue, journal, self.clock, self.folder, self.decider, point).run(slot)
        finally:
            journal.close()

    def to(self, at: datetime) -> None:
        """Let time pass up to a moment."""
        if at > self.clock.venue.now():
            self.clock.venue.move(at)
        self.exchange.advance(self.clock.venue.now())

    def positions(self) -> dict[str, Decimal]:
        """Return what the exchange says is held."""
        return {symbol: self.exchange.ledger.qty(symbol) for symbol in SYMBOLS if self.exchange.ledger.qty(symbol)}


def make_sim(seed: int, folder: Path, *, rate: float = 0.0, splits: bool = False, **more: Any) -> Sim:
    """Build one."""
    panel = market(seed, splits=splits)
    start = session_on(previous_session(FIRST)).close + timedelta(hours=1)
    settings = Settings(cash=CASH, half_spread_bps=Decimal(0), prices="open", multiplier=2, seed=seed)
    exchange = Exchange(Tape(panel, settings.prices, settings.half_spread_bps), start, settings)
    ours = VirtualClock(start)
    faults = Faults(Random(f"faults {seed}"), rate)
    venue = FaultyVenue(ExchangeVenue(exchange, ours), ours, faults)
    return Sim(seed, folder, panel, Script(seed, panel), exchange, venue, SimClock(ours), **more)


def days() -> list[date]:
    """Return the sessions that are traded."""
    found = [FIRST]
    while len(found) < SESSIONS:
        found.append(next_session(found[-1]))
    return found


def slots_of(sim: Sim, day: date) -> list[tuple[str, datetime]]:
    """Return the slots of a session and when they are due."""
    made = windows(hours_of(day), timing_of(sim.live))
    return [(one.slot, one.due) for one in made]
