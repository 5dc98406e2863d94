"""One slot at a time, by hand: a flat market, decisions as written down, and a line that fails when told to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, Literal

import numpy as np
from support.live_venue import FIRST, SYMBOLS, Faults, FaultyVenue, Posted, Script, Sim, SimClock

from plimsoll.brokers.exchange.clock import VirtualClock
from plimsoll.brokers.exchange.hours import session_on
from plimsoll.brokers.exchange.matching import Exchange
from plimsoll.brokers.exchange.settings import Behaviour, Handling, Settings
from plimsoll.brokers.exchange.tape import Tape
from plimsoll.brokers.exchange.venue import ExchangeVenue
from plimsoll.engine.config.live import LiveSection
from plimsoll.engine.execution.venue import (
    Answer,
    Intent,
    Missing,
    Quote,
    Unknown,
    Venue,
    VenueOrder,
    VenueSession,
)
from plimsoll.engine.live.clock import nowhere
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.journal.rows import OrderRow
from plimsoll.engine.live.outcome import Outcome
from plimsoll.engine.live.rebalance import Book
from plimsoll.engine.live.reconcile import Report, Whose, reconcile
from plimsoll.engine.live.slots import hours_of, timing_of, windows
from plimsoll.engine.market.calendar import next_session, previous_session, sessions
from plimsoll.engine.market.panel import Panel

from .panels import make_panel

PRICES = (100.0, 50.0, 20.0, 10.0)
LIVE = LiveSection(cash_buffer=0.0, wave_seconds=120.0)


def flat(
    first: date = FIRST,
    *,
    split: Mapping[tuple[int, str], float] | None = None,
    prices: Mapping[tuple[int, str], float] | None = None,
    n: int = 6,
) -> Panel:
    """Return a market of n sessions, and two before them, that stands still.

    split : (session, symbol) -> new shares for one. prices : (session, symbol) -> price from then on. Session 0 is the
    first that is traded.
    """
    start = previous_session(previous_session(first))
    days = sessions(start, start + timedelta(days=3 * n + 20))[: n + 2]
    level, ratio = np.tile(np.array(PRICES), (len(days), 1)), np.ones((len(days), len(SYMBOLS)))
    for (at, symbol), price in (prices or {}).items():
        level[at + 2 :, SYMBOLS.index(symbol)] = price
    for (at, symbol), factor in (split or {}).items():
        ratio[at + 2, SYMBOLS.index(symbol)] = factor
    level /= np.cumprod(ratio, axis=0)
    return make_panel(level, level, split=ratio, symbols=SYMBOLS, start=start)


class Line(FaultyVenue):
    """A line whose faults are written down.

    on_submit : "", "before" (never arrives), "after" (the answer is lost) or an answer, given the number of the order.
    """

    def __init__(self, inner: ExchangeVenue, clock: VirtualClock) -> None:
        super().__init__(inner, clock, Faults(Random(0)))
        self.on_submit: Callable[[int, Intent], str | Answer] = lambda _n, _intent: ""
        self.on_quotes: Callable[[dict[str, Quote]], dict[str, Quote]] = lambda told: told
        self.on_calendar: Callable[[tuple[VenueSession, ...]], tuple[VenueSession, ...]] = lambda told: told
        self.on_cancel: Callable[[int], bool] = lambda _: True
        self.on_lookup: Callable[[VenueOrder | Missing | Unknown], VenueOrder | Missing | Unknown] = lambda told: told
        self.on_ask: Callable[[], None] = lambda: None
        self.cancels = 0

    def submit(self, intent: Intent) -> Answer:
        number = len(self.posted)
        self.requests += 1
        self.posted.append(Posted(self.time.now(), intent))
        self.watch(intent)
        fault = self.on_submit(number, intent)
        if not isinstance(fault, str):
            return fault
        if fault == "before":
            self.time.forward(15.0)
            return Unknown("timeout")
        answer = self.inner.submit(intent)
        self._born.setdefault(intent.client_id, self.time.now())
        return Unknown("reset") if fault else answer

    def cancel(self, order: VenueOrder) -> bool | Unknown:
        self.cancels += 1
        return super().cancel(order) if self.on_cancel(self.cancels) else Unknown("status 429")

    def lookup(self, client_id: str) -> VenueOrder | Missing | Unknown:
        return self.on_lookup(super().lookup(client_id))

    def _asked(self) -> None:
        super()._asked()
        self.on_ask()

    def calendar(self, first: date, last: date) -> tuple[VenueSession, ...]:
        return self.on_calendar(super().calendar(first, last))

    def quotes(self, symbols: Sequence[str]) -> dict[str, Quote]:
        return self.on_quotes(super().quotes(symbols))


@dataclass
class Plan(Script):
    """Decides what is written down for a session; nothing written: no decision is due."""

    symbols: tuple[str, ...] = SYMBOLS

    def __post_init__(self) -> None:
        self.due = lambda session: session in self.lots

    def goals(self, session: date) -> dict[str, Decimal]:
        return dict(self.lots.get(session, {}))


@dataclass
class Case(Sim):
    """A book, its exchange and its state folder, and how the book is set up."""

    margin: bool = False
    manage: Literal["account", "symbols"] = "account"
    account: str | None = None
    symbols: tuple[str, ...] = SYMBOLS
    door: Venue | None = None  # what the book talks to, where that is not the line
    journal: Journal | None = None
    first: date = FIRST
    during: Callable[[Journal], None] = field(default=lambda _: None)

    @property
    def line(self) -> Line:
        """The line to the exchange."""
        assert isinstance(self.venue, Line)
        return self.venue

    @property
    def whose(self) -> Whose:
        """Whose orders are the book's."""
        account = self.account or self.line.inner.snapshot().account
        return Whose(self.book, account, frozenset(self.symbols), self.manage)

    def open(self) -> Journal:
        """Open the journal as a process does."""
        return Journal.open(self.folder, self.clock.now)

    def run(self, slot: str, point: Callable[[str], None] = nowhere) -> Outcome:
        journal = self.journal = self.open()
        try:
            self.during(journal)
            book = Book(self.whose, self.symbols, self.live, margin=self.margin)
            door = self.door or self.venue
            return self.make(book, door, journal, self.clock, self.folder, self.decider, point).run(slot)
        finally:
            journal.close()

    def at(self, slot: str, day: date | None = None, *, seconds: float = 5.0) -> None:
        """Let time pass until a slot is due, or until so many seconds after it."""
        self.to(due_of(day or self.first, slot) + timedelta(seconds=seconds))

    def slot(self, slot: str, day: date | None = None, point: Callable[[str], None] = nowhere) -> Outcome:
        """Let time pass until a slot is due, and run it."""
        self.at(slot, day)
        return self.run(slot, point)

    def decide(self, day: date | None = None, **goals: int | str) -> None:
        """Write down where a session is to end: shares of the symbols named."""
        lots = dict(self.decider.lots)
        lots[day or self.first] = {symbol: Decimal(qty) for symbol, qty in goals.items()}
        self.decider.lots = lots

    def behave(self, *, handling: Handling | None = None, **changes: Any) -> None:
        """Change how the exchange works."""
        old = self.exchange.behaviour
        self.exchange.behaviour = Behaviour(**{**old.model_dump(), **changes, "handling": handling or old.handling})

    def orders(self) -> list[OrderRow]:
        """Return the journal's orders."""
        journal = self.open()
        try:
            return journal.orders()
        finally:
            journal.close()

    def reconcile(self, *, knows: bool = False) -> Report:
        """Hold the journal against the venue, as who watches or, with dividends, as who decides."""
        journal = self.open()
        try:
            credits_of = self.decider.credits if knows else None
            return reconcile(journal, self.venue, self.clock, self.whose, credits_of=credits_of)
        finally:
            journal.close()

    def resume(self) -> None:
        """Let it go on."""
        journal = self.open()
        with journal.tx():
            journal.clear_halts("looked at it")
        journal.close()

    def trade(self, symbol: str, signed: int, price: str) -> None:
        """Change a position behind everybody's back: no order and no execution tell of it."""
        self.exchange.ledger.trade(symbol, Decimal(signed), Decimal(price))

    def sent(self) -> list[str]:
        """Return the client ids that arrived at the venue's door, in order."""
        return [one.intent.client_id for one in self.venue.posted]

    def day(self, n: int) -> date:
        """Return the n-th session that is traded."""
        return self.first if n == 0 else next_session(self.day(n - 1))


def due_of(day: date, slot: str) -> datetime:
    """Return when a slot of a full session is due, in UTC."""
    made = windows(hours_of(day), timing_of(LiveSection(slots=(slot,))))
    assert made, f"{day} has no slot {slot}"
    return made[0].due


def make_case(
    folder: Path, panel: Panel | None = None, *, first: date = FIRST, live: LiveSection = LIVE, **more: Any
) -> Case:
    """Build one: cash 1,000,000, no margin, flat prices, every fill at once, unless told otherwise."""
    names = ("margin", "manage", "account", "symbols", "book", "make")
    book = {name: more.pop(name) for name in names if name in more}
    settings = Settings(**{"cash": Decimal(1_000_000), "half_spread_bps": Decimal(0), "multiplier": 2, **more})
    panel = panel or flat(first)
    start = session_on(previous_session(first)).close + timedelta(hours=1)
    exchange = Exchange(Tape(panel, settings.prices, settings.half_spread_bps), start, settings)
    ours = VirtualClock(start)
    line = Line(ExchangeVenue(exchange, ours), ours)
    return Case(0, folder / "state", panel, Plan(0, panel), exchange, line, SimClock(ours), live, first=first, **book)


def beside(case: Case, folder: Path, **changes: Any) -> Case:
    """Return another book, or another host, in front of the same exchange."""
    return replace(case, folder=folder, decider=Plan(0, case.panel), **changes)
