"""What the account was worth at each close since it went live: folded from the journal's fills and the panel's prices.

Dividends are credited on the ex-date by the panel, whatever the venue books and when: a paper account books none. Money
that came or went is no return. So the governor's drawdown is that of the book, and the same from scratch every time.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Final

import numpy as np

from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.journal.rows import Event, OrderRow
from plimsoll.engine.live.reconcile import session_at
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.portfolio.integrator import Mark
from plimsoll.engine.types import Floats


@dataclass(frozen=True, slots=True)
class Moves:
    """What moved the book in a session.

    base : holdings and cash that were accepted then, None = as they came; the rest is what came after. found : by
    symbol, shares after for one before, of the first split that was found after they were accepted: if the session's,
    they were accepted before it was in force. shares, price : by symbol, signed and at their mean. spent : dollars.
    flow : of cash from outside.
    """

    base: tuple[dict[str, float], float] | None
    found: dict[str, float]
    shares: dict[str, float]
    price: dict[str, float]
    spent: float
    flow: float


def moves_of(journal: Journal) -> dict[date, Moves]:
    """Return the moves of every session in which anything moved, from the journal's rows."""
    orders = journal.orders()
    events = [*journal.events("adopt"), *journal.events("cash"), *journal.events("split")]
    accepted = {_session(event) for event in events if event.kind == "adopt"}
    if any(order.known.filled and order.session in accepted for order in orders):
        events += journal.events("told")  # which of the fills were there already when it was accepted
    return _moves(sorted(events, key=lambda one: one.seq), orders)


def _moves(events: Iterable[Event], orders: Iterable[OrderRow]) -> dict[date, Moves]:
    """Return the moves by session. events : in their order, what was told of orders among them where one may matter."""
    base: dict[date, tuple[dict[str, float], float]] = {}
    flow: dict[date, float] = defaultdict(float)
    told: dict[str, tuple[float, float]] = {}
    found: dict[date, dict[str, float]] = {}
    within: dict[date, dict[str, tuple[float, float]]] = {}  # what an acceptance has counted of each order
    for event in events:
        body = json.loads(event.body)
        if event.kind == "told":
            told[body["id"]] = float(body["filled"]), float(body["value"])
        elif event.kind == "adopt":
            day = _session(event)
            base.pop(day, None)  # the newest is the last one
            base[day] = {symbol: float(qty) for symbol, qty in body["holdings"].items()}, float(body["cash"])
            within[day] = dict(told)
            flow.pop(day, None)
            found[day] = {}
        elif event.kind == "split":
            if base:
                found[next(reversed(base))].setdefault(body["symbol"], float(body["ratio"]))
        else:
            flow[_session(event)] += float(body["amount"])
    shares: dict[date, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    price: dict[date, dict[str, float]] = defaultdict(dict)
    spent: dict[date, float] = defaultdict(float)
    for order in orders:
        filled, value = within.get(order.session, {}).get(order.client_id, (0.0, 0.0))
        if float(order.known.filled) > filled:
            shares[order.session][order.symbol] += order.sign * (float(order.known.filled) - filled)
            spent[order.session] += order.sign * (float(order.value) - value)
        if order.known.filled:
            price[order.session][order.symbol] = float(order.value / order.known.filled)
    days = sorted({*base, *flow, *shares})
    return {
        day: Moves(
            base.get(day),
            found.get(day, {}),
            dict(shares.get(day, {})),
            dict(price.get(day, {})),
            spent.get(day, 0.0),
            flow.get(day, 0.0),
        )
        for day in days
    }


def _session(event: Event) -> date:
    """Return the session that an acceptance or a flow of cash belongs to: the next one where its day has none."""
    if event.kind == "adopt":
        return session_at(datetime.fromisoformat(event.at))
    return date.fromisoformat(json.loads(event.body)["session"])


class LiveMarks:
    """Marks of a replay: the simulated ones until the book went live, its own from there on, linked to them.

    equity, index : (T,) dollars and growth since the close before the first live session; NaN before.
    """

    def __init__(self, panel: Panel, moves: Mapping[date, Moves], before: "LiveMarks | None" = None) -> None:
        """Fold the moves of the sessions of a panel, or, after those of `before`, of the bars that it has more."""
        self.equity: Floats = np.full(panel.n_bars, np.nan)
        self.index: Floats = np.full(panel.n_bars, np.nan)
        self._nav = 1.0
        self._account: _Account
        if before is None or before._account.began is None:
            self._account = _Account(np.zeros(len(panel.symbols)), np.full(len(panel.symbols), np.nan))
            self._digest = hashlib.sha256()
            seen = 0
        else:
            seen = len(before.index)
            self.equity[:seen], self.index[:seen] = before.equity, before.index
            self._account, self._digest = before._account.copy(), before._digest.copy()
        if moves or self._account.began is not None:
            self._fold(panel, moves, seen)

    def __call__(self, t: int, simulated: Mark) -> Mark:
        """Return the mark of bar t."""
        if np.isnan(self.index[t]):
            self._nav = simulated.nav
            return simulated
        return Mark(float(self.equity[t]), self._nav * float(self.index[t]))

    def continue_from(self, before: "LiveMarks") -> None:
        """Link to the simulated closes as another replay of the same history did."""
        self._nav = before._nav

    def digest(self) -> str:
        """Return the SHA-256, in hex, over what the book was worth at its closes since it went live."""
        return self._digest.hexdigest()

    def _fold(self, panel: Panel, moves: Mapping[date, Moves], start: int) -> None:
        account = self._account
        column = {symbol: i for i, symbol in enumerate(panel.symbols)}
        began = min(moves) if account.began is None else account.began
        for t in range(start, panel.n_bars):
            day: date = panel.clock.session[t].astype("datetime64[D]").item()
            account.last = np.where(np.isnan(panel.close[t]), account.last / panel.split[t], panel.close[t])
            if day < began:
                continue
            account.began = began
            account.pass_session(panel.split[t], panel.dividend[t], moves.get(day, _STILL), column)
            self.equity[t], self.index[t] = account.worth, account.index
            self._digest.update(np.array((account.worth, account.index)).tobytes())


@dataclass(slots=True)
class _Account:
    """The book's account at a close. held, last : (N,) signed shares, last known closes in their units.

    gone : shares and last price of what was traded once and is no longer among the book's symbols: without prices of
    its own it stands at what it was last traded at. index : growth since it began; worth : dollars, NaN before.
    """

    held: Floats
    last: Floats
    gone: dict[str, tuple[float, float]] = field(default_factory=dict)
    cash: float = 0.0
    index: float = 1.0
    worth: float = np.nan
    began: date | None = None

    def copy(self) -> "_Account":
        return replace(self, held=self.held.copy(), last=self.last.copy(), gone=dict(self.gone))

    def pass_session(self, split: Floats, dividend: Floats, now: Moves, column: Mapping[str, int]) -> None:
        """Go to the next close."""
        self.held = self.held * split
        dividends = float(np.dot(self.held, dividend))
        if now.base is not None:  # what was accepted, at this close, is where the return begins
            self.held, self.cash, dividends = _accepted(now.base, column), now.base[1], 0.0
            for symbol, ratio in now.found.items():
                if symbol in column and abs(split[column[symbol]] / ratio - 1.0) < ROUNDING:
                    self.held[column[symbol]] *= ratio
            known = {symbol: price for symbol, (_, price) in self.gone.items()} | now.price
            self.gone = {s: (qty, known[s]) for s, qty in now.base[0].items() if s not in column and s in known}
            self.worth = self._value()
        flow = 0.0 if _paid(now.flow, dividends) else now.flow
        self.cash += dividends + flow - now.spent
        for symbol, qty in now.shares.items():
            if symbol in column:
                self.held[column[symbol]] += qty
            else:
                left = self.gone.get(symbol, (0.0, 0.0))[0] + qty
                self.gone[symbol] = (left if abs(left) > DUST else 0.0), now.price[symbol]
        equity = self._value()
        self.index *= (equity - flow) / self.worth if self.worth > 0.0 else 1.0
        self.worth = equity

    def _value(self) -> float:
        own = float(np.dot(self.held, np.where(self.held != 0.0, self.last, 0.0)))
        return self.cash + own + sum(qty * price for qty, price in self.gone.values())


_STILL = Moves(None, {}, {}, {}, 0.0, 0.0)
DUST: Final = 1e-6  # shares, of sums of fills
ROUNDING: Final = 1e-6  # of a ratio


def _accepted(base: tuple[dict[str, float], float], column: Mapping[str, int]) -> Floats:
    held = np.zeros(len(column))
    for symbol, qty in base[0].items():
        if symbol in column:
            held[column[symbol]] = qty
    return held


def _paid(flow: float, dividends: float) -> bool:
    """Return whether money that came is the dividend that is credited already."""
    return flow != 0.0 and abs(flow - dividends) <= max(0.05, abs(dividends) * 0.01)


def marks_of(journal: Journal, panel: Panel) -> LiveMarks:
    """Return the marks of a book, for a replay over a panel."""
    return LiveMarks(panel, moves_of(journal))


class MarksSoFar:
    """The marks of a book at one close after another; only what happened since is folded."""

    def __init__(self) -> None:
        self._kept: LiveMarks | None = None
        self._through = date.min
        self._seq = 0
        self._moved: dict[date, list[Event]] = {}  # sessions after the last one that was folded, with their events

    def marks(self, journal: Journal, panel: Panel, before: LiveMarks | None) -> LiveMarks:
        """Return the marks through the end of a panel.

        before : those of the bars that the panel begins with, if they are as they were; None = fold all of it.
        """
        older = self._read(journal)
        if before is None or before is not self._kept or older:
            found = LiveMarks(panel, moves_of(journal))
        else:
            events = sorted((event for told in self._moved.values() for event in told), key=lambda one: one.seq)
            orders = [order for day in self._moved for order in journal.orders(day)]
            found = LiveMarks(panel, _moves(events, orders), before)
        self._kept, self._through = found, panel.clock.session[-1].astype("datetime64[D]").item()
        self._moved = {day: told for day, told in self._moved.items() if day > self._through}
        return found

    def _read(self, journal: Journal) -> bool:
        """Take in the events since the last time; return whether one of them is about a session that was folded."""
        older = False
        for event in journal.events(after=self._seq):
            self._seq = event.seq
            if event.kind == "told":
                order = journal.order(json.loads(event.body)["id"])
                day = None if order is None else order.session
            else:
                day = _session(event) if event.kind in ("adopt", "cash") else None
                older = older or event.kind == "split"  # of whatever session: it may tell in which shares one began
            if day is not None:
                older = older or day <= self._through
                self._moved.setdefault(day, []).append(event)
        return older
