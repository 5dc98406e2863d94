"""What a source hands over: one symbol's columns as found, and the same once checked."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from plimsoll.engine.market.panel import DataWarning
from plimsoll.engine.types import Bools, Dates, Floats


class BarRows(NamedTuple):
    """Whose rows a message speaks of: the symbol, the file or feed, the bar interval, the stamps (R,)."""

    symbol: str
    where: str
    interval: str
    stamp: Dates

    def show(self, at: int) -> str:
        """Return the stamp of row `at` as a person writes it."""
        return show_stamp(self.stamp[at], self.interval)


@dataclass(frozen=True, slots=True, eq=False)
class RawBars:
    """One symbol's columns as a source gives them; R rows, NaN = empty cell, nothing checked.

    where : the file or feed, for messages. interval : "1d", "1min" ...
    stamp : datetime64[s], exchange-local start of the bar (midnight for daily bars).
    adj_close, dividend, split : None where the source has no such column. In `dividend` and `split` an empty cell
        means no event.
    """

    symbol: str
    where: str
    interval: str
    stamp: Dates
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    adj_close: Floats | None = None
    dividend: Floats | None = None
    split: Floats | None = None

    @property
    def rows(self) -> BarRows:
        """What messages about these rows need."""
        return BarRows(self.symbol, self.where, self.interval, self.stamp)

    def keep(self, mask: Bools) -> "RawBars":
        """Return the rows that `mask` (R,) keeps."""
        return RawBars(
            self.symbol,
            self.where,
            self.interval,
            self.stamp[mask],
            self.open[mask],
            self.high[mask],
            self.low[mask],
            self.close[mask],
            self.volume[mask],
            None if self.adj_close is None else self.adj_close[mask],
            None if self.dividend is None else self.dividend[mask],
            None if self.split is None else self.split[mask],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """One symbol's bars, checked, not yet aligned on the calendar; R >= 0 rows, prices known in every one.

    stamp : (R,) datetime64[s], ascending, each the start of a bar of the exchange's grid (midnight for daily bars).
    open, high, low, close : (R,) prices as given. volume : (R,) shares, NaN unknown, 0 nothing traded.
    dividend : (R,) per share of that session, 0 = none. split : (R,) new shares per old share, 1 = none.
    adjusted_only : the prices contain dividends and splits, no actions: adjusted closes alone (open = high = low =
        close, volume unknown), or prices that the user says are adjusted.
    n_derived_dividends : dividends read off close and adjusted close rather than listed.
    """

    symbol: str
    stamp: Dates
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    dividend: Floats
    split: Floats
    adjusted_only: bool = False
    n_derived_dividends: int = 0
    warnings: tuple[DataWarning, ...] = ()

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.stamp)


@dataclass(frozen=True, slots=True, eq=False)
class IndicatorBars:
    """A series that strategies may see but never trade.

    stamp : (R,) datetime64[s], ascending. value : (R,), NaN unknown.
    daily : the stamps are dates; on an intraday clock a value becomes known with its session's last bar.
    """

    name: str
    stamp: Dates
    value: Floats
    daily: bool = True


def show_stamp(stamp: np.datetime64, interval: str) -> str:
    """Return a stamp as a person writes it: the date, and the time unless bars are daily."""
    text = str(stamp.astype("datetime64[s]"))
    return text[:10] if interval == "1d" else text.replace("T", " ")[:16]
