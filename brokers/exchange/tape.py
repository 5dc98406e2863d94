"""The tape: what a panel of daily bars lets be seen, and what is traded at, at any moment.

A session without a row of a symbol is a halt: nothing trades, the last close stands. Before a symbol's first row it is
not listed. After the last session of the panel every symbol trades at its last close, so that a running exchange never
runs out of prices.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final

import numpy as np

from plimsoll.brokers.exchange.amount import exact, ratio_of, tick, tick_down, tick_up
from plimsoll.brokers.exchange.hours import Session, current_session, session_on
from plimsoll.brokers.exchange.settings import PriceModel
from plimsoll.engine.errors import DataError
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.market.ticker import Spelling

_MINUTE: Final = timedelta(minutes=1)
# A symbol that has had no row for so many sessions in a row is no longer traded.
_GONE_AFTER: Final = 6


@dataclass(frozen=True, slots=True)
class DayBar:
    """One session of one symbol, prices as traded."""

    day: date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int


@dataclass(frozen=True, slots=True)
class Print:
    """The last price and the moment it dates from."""

    price: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class Quote:
    """Bid and ask and the moment they date from."""

    bid: Decimal
    ask: Decimal
    at: datetime


class Tape:
    """Prices of every symbol over time, looked up in a panel of daily bars."""

    def __init__(self, panel: Panel, prices: PriceModel = "path", half_spread_bps: Decimal = Decimal(0)) -> None:
        if panel.clock.interval != "1d":
            raise DataError(f"the exchange is driven by daily bars, not {panel.clock.interval!r}", where=panel.source)
        self.panel = panel
        self.prices = prices
        self._half_spread = half_spread_bps / 10_000
        self._days: list[date] = panel.clock.session.astype("datetime64[D]").astype(object).tolist()
        self._row = {day: t for t, day in enumerate(self._days)}
        self._column = {name: j for j, name in enumerate(Spelling(panel.symbols).theirs)}
        self._symbols = tuple(sorted(self._column))
        self._rows_of = {s: np.flatnonzero(~np.isnan(panel.close[:, j])) for s, j in self._column.items()}
        kept = max(1024, 4 * len(self._symbols))  # days before yesterday are not asked for again
        self.bar = lru_cache(maxsize=kept)(self._bar)
        self.last_close = lru_cache(maxsize=kept)(self._last_close)
        self._quotes: dict[str, Quote | None] = {}
        self._lasts: dict[str, Print | None] = {}
        self._minute: datetime | None = None

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every symbol, as the API writes it (BRK.B for BRK-B)."""
        return self._symbols

    @property
    def days(self) -> list[date]:
        """The sessions of the panel."""
        return self._days

    def column(self, symbol: str) -> int | None:
        """Return the column of a symbol in the panel; None if there is none."""
        return self._column.get(symbol)

    def is_listed(self, symbol: str, day: date) -> bool:
        """Say whether the symbol has begun to trade by `day`."""
        rows = self._rows_of.get(symbol)
        return rows is not None and len(rows) > 0 and self._days[int(rows[0])] <= day

    def is_active(self, symbol: str, day: date) -> bool:
        """Say whether the symbol is listed and has not been without a row for six sessions."""
        if not self.is_listed(symbol, day):
            return False
        t = self._last_row(day)
        rows = self._rows_of[symbol]
        last = int(rows[np.searchsorted(rows, t, side="right") - 1])
        return t - last < _GONE_AFTER

    def actions(self, symbol: str, day: date) -> tuple[Fraction, Decimal]:
        """Return (new shares per old share, dividend per new share) of a day; (1, 0) where there is nothing."""
        t = self._row.get(day)
        if t is None or symbol not in self._column:
            return Fraction(1), Decimal(0)
        j = self._column[symbol]
        split, dividend = float(self.panel.split[t, j]), float(self.panel.dividend[t, j])
        return (Fraction(1) if split == 1.0 else ratio_of(split)), (exact(dividend) if dividend > 0 else Decimal(0))

    def last(self, symbol: str, moment: datetime) -> Print | None:
        """Return the last price at `moment`, in shares of that day; None if the symbol is not listed yet."""
        self._turn_to(moment)
        if symbol not in self._lasts:
            self._lasts[symbol] = self._last(symbol, moment)
        return self._lasts[symbol]

    def _last(self, symbol: str, moment: datetime) -> Print | None:
        session = current_session(moment)
        if not session.has(moment) or self.prices == "open":
            return self.last_close(symbol, session, moment >= session.overnight)
        bar = self.bar(symbol, session.day)
        if bar is None:
            return self.last_close(symbol, session, True)
        minute = int((moment - session.open) / _MINUTE)
        return Print(path_price(bar, minute, session.minutes), session.open + minute * _MINUTE)

    def quote(self, symbol: str, moment: datetime) -> Quote | None:
        """Return bid and ask at `moment`; None if the symbol is not listed yet."""
        self._turn_to(moment)
        if symbol not in self._quotes:
            self._quotes[symbol] = self._around(self.last(symbol, moment))
        return self._quotes[symbol]

    def _turn_to(self, moment: datetime) -> None:
        """Forget the prices of another minute: within one they stand, and sessions begin and end on one."""
        minute = moment.replace(second=0, microsecond=0)
        if minute != self._minute:
            self._quotes.clear()
            self._lasts.clear()
            self._minute = minute

    def fill_price(self, symbol: str, side: str, moment: datetime) -> Decimal | None:
        """Return what an order of `side` trades at; None while the market is closed or the symbol does not trade."""
        session = current_session(moment)
        bar = self.bar(symbol, session.day) if session.has(moment) else None
        if bar is None:
            return None
        if self.prices == "open":
            return bar.open
        quote = self.quote(symbol, moment)
        return None if quote is None else quote.ask if side == "buy" else quote.bid

    def _around(self, last: Print | None) -> Quote | None:
        if last is None:
            return None
        if self._half_spread == 0:
            return Quote(last.price, last.price, last.at)
        away = last.price * self._half_spread
        step = tick(last.price)
        return Quote(max(tick_down(last.price - away), step), tick_up(last.price + away), last.at)

    def _last_row(self, day: date) -> int:
        """Return the row of the last session up to `day`; -1 before the first."""
        return int(np.searchsorted(self.panel.clock.session, np.datetime64(day), side="right")) - 1

    def _bar(self, symbol: str, day: date) -> DayBar | None:
        """Return the bar of a session; None where there is no row; the last close alone beyond the panel."""
        j = self._column.get(symbol)
        if j is None:
            return None
        if day > self._days[-1]:
            last = self.last_close(symbol, session_on(day), True) if self.is_active(symbol, day) else None
            return None if last is None else DayBar(day, last.price, last.price, last.price, last.price, 0)
        t = self._row.get(day)
        panel = self.panel
        if t is None or np.isnan(panel.close[t, j]):
            return None
        opens, high, low, close = (
            exact(float(field[t, j])) for field in (panel.open, panel.high, panel.low, panel.close)
        )
        volume = float(panel.volume[t, j])
        return DayBar(day, opens, high, low, close, 0 if np.isnan(volume) else int(volume))

    def _last_close(self, symbol: str, session: Session, in_force: bool) -> Print | None:
        """Return the last close before `session` opens; `in_force`: in shares as they are after its own split."""
        rows = self._rows_of.get(symbol)
        if rows is None:
            return None
        t = self._last_row(session.day)
        if t >= 0 and self._days[t] == session.day:
            t -= 1
        at = int(np.searchsorted(rows, t, side="right")) - 1
        if at < 0:
            return None
        row, j = int(rows[at]), self._column[symbol]
        price = exact(float(self.panel.close[row, j]))
        ratio = Fraction(1)
        for day in (*self._days[row + 1 : t + 1], *((session.day,) if in_force else ())):
            ratio *= self.actions(symbol, day)[0]
        if ratio != 1:
            price = price * ratio.denominator / ratio.numerator
        return Print(price, session_on(self._days[row]).close)


def path_price(bar: DayBar, minute: int, minutes: int) -> Decimal:
    """Return the price `minute` minutes after the open: open, nearer extreme, other extreme, close by thirds.

    A day that rises is taken to visit its low first, one that falls its high; straight lines between, rounded to the
    tick. Which extreme came first is not in a daily bar: this is a convention, and the four prices are met exactly.
    """
    first, second = (bar.low, bar.high) if bar.close >= bar.open else (bar.high, bar.low)
    knots = (bar.open, first, second, bar.close)
    leg, into = divmod(3 * minute, minutes)
    if into == 0:
        return knots[leg]
    a, b = knots[leg], knots[leg + 1]
    price = a + (b - a) * into / minutes
    return min(max(price.quantize(tick(price)), min(a, b)), max(a, b))
