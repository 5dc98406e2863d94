"""What the account was worth at each close since it went live: folded from the journal's fills and the panel's prices.

Dividends are credited on the ex-date by the panel, whatever the venue books and when: a paper account books none. Money
that came or went is no return. So the governor's drawdown is that of the book, and the same from scratch every time.
"""

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.slots import today
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.portfolio.integrator import Mark
from plimsoll.engine.types import Floats


@dataclass(frozen=True, slots=True)
class Moves:
    """What moved the book in a session. base : holdings and cash that were accepted then, None = as they came."""

    base: tuple[dict[str, float], float] | None
    shares: dict[str, float]
    spent: float
    flow: float


def moves_of(journal: Journal) -> dict[date, Moves]:
    """Return the moves of every session in which anything moved, from the journal's rows."""
    base: dict[date, tuple[dict[str, float], float]] = {}
    flow: dict[date, float] = defaultdict(float)
    shares: dict[date, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    spent: dict[date, float] = defaultdict(float)
    for event in journal.events("adopt"):
        told = json.loads(event.body)
        held = {symbol: float(qty) for symbol, qty in told["holdings"].items()}
        base[_day(event.at)] = held, float(told["cash"])
    for event in journal.events("cash"):
        told = json.loads(event.body)
        flow[date.fromisoformat(told["session"])] += float(told["amount"])
    for order in journal.orders():
        if order.known.filled:
            shares[order.session][order.symbol] += order.sign * float(order.known.filled)
            spent[order.session] += order.sign * float(order.value)
    days = sorted({*base, *flow, *shares})
    return {
        day: Moves(base.get(day), dict(shares.get(day, {})), spent.get(day, 0.0), flow.get(day, 0.0)) for day in days
    }


def _day(at: str) -> date:
    return today(datetime.fromisoformat(at))


class LiveMarks:
    """Marks of a replay: the simulated ones until the book went live, its own from there on, linked to them.

    equity, index : (T,) dollars and growth since the close before the first live session; NaN before.
    """

    def __init__(self, panel: Panel, moves: dict[date, Moves]) -> None:
        self.equity: Floats = np.full(panel.n_bars, np.nan)
        self.index: Floats = np.full(panel.n_bars, np.nan)
        self._nav = 1.0
        self._fold(panel, moves)

    def __call__(self, t: int, simulated: Mark) -> Mark:
        """Return the mark of bar t."""
        if np.isnan(self.index[t]):
            self._nav = simulated.nav
            return simulated
        return Mark(float(self.equity[t]), self._nav * float(self.index[t]))

    def continue_from(self, before: "LiveMarks") -> None:
        """Link to the simulated closes as another replay of the same history did."""
        self._nav = before._nav

    def _fold(self, panel: Panel, moves: dict[date, Moves]) -> None:
        if not moves:
            return
        held, cash, index, worth = np.zeros(len(panel.symbols)), 0.0, 1.0, np.nan
        column = {symbol: i for i, symbol in enumerate(panel.symbols)}
        last = panel.close[0].copy()
        began = min(moves)
        for t in range(panel.n_bars):
            day: date = panel.clock.session[t].astype("datetime64[D]").item()
            split = panel.split[t]
            last = np.where(np.isnan(panel.close[t]), last / split, panel.close[t])
            if day < began:
                continue
            held = held * split
            dividends = float(np.dot(held, panel.dividend[t]))
            now = moves.get(day, _STILL)
            if now.base is not None:  # what was accepted, at this close, is where the return begins
                held, cash, dividends = _accepted(now.base, column), now.base[1], 0.0
                worth = cash + _value(held, last)
            flow = 0.0 if _paid(now.flow, dividends) else now.flow
            cash += dividends + flow - now.spent
            for symbol, qty in now.shares.items():
                held[column[symbol]] += qty
            equity = cash + _value(held, last)
            index *= (equity - flow) / worth if worth > 0.0 else 1.0
            worth = equity
            self.equity[t], self.index[t] = equity, index


_STILL = Moves(None, {}, 0.0, 0.0)


def _value(held: Floats, price: Floats) -> float:
    return float(np.dot(held, np.where(held != 0.0, price, 0.0)))


def _accepted(base: tuple[dict[str, float], float], column: dict[str, int]) -> Floats:
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
