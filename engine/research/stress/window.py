"""The sessions of a scenario in prices that a run has, or could have had."""

from datetime import date
from functools import cached_property
from typing import Final

import numpy as np

from plimsoll.engine.kernels.derive import DELIST_SESSIONS
from plimsoll.engine.market.feed import Feed
from plimsoll.engine.market.instruments import instrument
from plimsoll.engine.market.panel import DIVIDEND, OPEN, Panel
from plimsoll.engine.types import Floats

CLOSE_TO: Final = DELIST_SESSIONS - 1  # sessions a row may be away from the ends: beyond them it is delisted


class PriceWindow:
    """Bars first to last of a daily panel, whose returns are those of the sessions (start, end].

    base : the bar of `start`, whose close everything is measured from.
    """

    def __init__(self, panel: Panel, feed: Feed, start: date, base: int, last: int) -> None:
        self.panel = panel
        self.rows = slice(base + 1, last + 1)
        self.base = base
        self._feed = feed
        self._start = start
        self._last = last

    @cached_property
    def _known(self) -> dict[str, bool]:
        return {symbol: self._covered(symbol) for symbol in self.panel.symbols}

    def covers(self, symbol: str) -> bool:
        """Return whether a symbol was alive at both ends; a modelled history does not count."""
        return self._known.get(symbol, False)

    def _covered(self, symbol: str) -> bool:
        inception, close = instrument(symbol).inception, self.panel.close[:, self.panel.column(symbol)]
        if inception is not None and inception > self._start:
            return False
        known = ~np.isnan(close)
        before = known[max(self.base - CLOSE_TO, 0) : self.base + 1].any()
        after = known[max(self._last - CLOSE_TO, self.base + 1) : self._last + 1].any()
        return bool(before and after)

    def base_close(self, symbol: str) -> float:
        """Return the close that the symbol's moves are measured from."""
        close = self.panel.close[: self.base + 1, self.panel.column(symbol)]
        return float(close[np.flatnonzero(~np.isnan(close))[-1]])

    def moves(self, symbol: str) -> tuple[Floats, Floats]:
        """Return (S,) total returns and (S,) the parts of them before the open; 0 where there is no row."""
        i = self.panel.column(symbol)
        ret = np.nan_to_num(self._feed.ret[self.rows, i], nan=0.0)
        close, cash = self.panel.close[self.rows, i], self.panel.block[DIVIDEND, self.rows, i]
        opened = self.panel.block[OPEN, self.rows, i]
        gap = (1.0 + ret) * (opened + cash) / (close + cash) - 1.0
        return ret, np.where(np.isnan(gap), ret, gap)

    def levels(self, indicator: str) -> Floats | None:
        """Return (S,) an indicator's closes, a missing one held; None where it has none at the beginning."""
        if indicator not in self.panel.indicators:
            return None
        column = self.panel.indicator[: self._last + 1, self.panel.indicators.index(indicator)].copy()
        for t in range(self.base + 1, self._last + 1):
            if np.isnan(column[t]):
                column[t] = column[t - 1]
        found: Floats = column[self.rows]
        return None if np.isnan(found).any() else found


def window_of(panel: Panel, feed: Feed, start: date | None, end: date | None) -> PriceWindow | None:
    """Return the window of a scenario in a panel; None where it is not wholly in it, or the panel was generated.

    A generated market knows nothing of what happened on a date.
    """
    if start is None or end is None or panel.synthetic or panel.clock.interval != "1d":
        return None
    session = panel.clock.session
    base, last = (int(np.searchsorted(session, np.datetime64(day))) for day in (start, end))
    if last >= len(session) or session[base] != np.datetime64(start) or session[last] != np.datetime64(end):
        return None
    return PriceWindow(panel, feed, start, base, last)
