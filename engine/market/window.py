"""Read-only windows on the past: what a strategy may see of the market."""

import numpy as np

from plimsoll.engine.errors import StrategyError
from plimsoll.engine.kernels.derive import last_listed_anew, listed_anew, own_rows
from plimsoll.engine.market.feed import Feed
from plimsoll.engine.types import Bools, Floats


class Cursor:
    """The bar the core stands at; shared by everything that must not see beyond it."""

    __slots__ = ("t",)

    def __init__(self) -> None:
        self.t = -1


class Window:
    """The last n bars of a sleeve's universe, oldest first.

    Every method returns exactly n rows, NaN on top where history is shorter, as read-only (n, K) float64 in the order
    of the universe. A symbol that came back as a new one has no history before that: a window never mixes two
    listings. None of the series is ever restated by later events:

    ret : total return since the previous bar (dividends and splits included).
    tr : total-return index, 1.0 at a symbol's first bar.
    open, high, low, close : prices in the share units of the first bar (splits undone forward, dividends left in).
    volume : shares in the same units; NaN where unknown.
    """

    __slots__ = ("_anew", "_cols", "_cursor", "_feed", "_made", "_ret", "_seen", "_status")

    def __init__(self, feed: Feed, cols: tuple[int, ...], cursor: Cursor) -> None:
        self._feed = feed
        self._cols = cols
        self._cursor = cursor
        self._made: dict[str, Floats] = {}
        self._ret = feed.columns("ret", cols)
        self._status = feed.status_of(cols)
        self._seen, self._anew = -1, 0  # the bar looked through to, and the last one there that listed a symbol anew

    @property
    def listed_anew(self) -> Bools:
        """(K,) which symbols come back at this bar as new ones: nothing seen of them before counts."""
        mask: Bools = np.zeros(self._status.shape[1], dtype=np.bool_)
        listed_anew(self._cursor.t, self._ret, self._status, mask)
        return mask

    def ret(self, n: int = 1) -> Floats:
        """Total returns."""
        return self._rows(self._ret, n)

    def tr(self, n: int = 1) -> Floats:
        """Forward total-return index."""
        return self._field("tr", n)

    def open(self, n: int = 1) -> Floats:
        """Opening prices."""
        return self._field("open", n)

    def high(self, n: int = 1) -> Floats:
        """Session highs."""
        return self._field("high", n)

    def low(self, n: int = 1) -> Floats:
        """Session lows."""
        return self._field("low", n)

    def close(self, n: int = 1) -> Floats:
        """Closing prices."""
        return self._field("close", n)

    def volume(self, n: int = 1) -> Floats:
        """Shares traded."""
        return self._field("volume", n)

    def indicator(self, name: str, n: int = 1) -> Floats:
        """Return the last n closes of a named indicator, (n,), NaN where it has no value.

        Raises
        ------
        StrategyError
            If the indicator is not part of the data.
        """
        key = f"indicator {name}"
        if key not in self._made:
            self._made[key] = self._feed.indicator(name)
        return _last(self._made[key], self._cursor.t + 1, n)

    def _field(self, name: str, n: int) -> Floats:
        array = self._made.get(name)
        if array is None:
            array = self._made[name] = self._feed.columns(name, self._cols)
        return self._rows(array, n)

    def _rows(self, array: Floats, n: int) -> Floats:
        t = self._cursor.t
        if n < 2 or self._last_anew(t) <= max(t + 1 - n, 0):
            return _last(array, t + 1, n)
        rows = np.empty((n, array.shape[1]))
        own_rows(t, array, self._ret, self._status, rows)
        rows.flags.writeable = False
        return rows

    def _last_anew(self, t: int) -> int:
        if t != self._seen:
            if t < self._seen:  # the cursor was put back
                self._seen, self._anew = -1, 0
            self._anew = last_listed_anew(self._seen, t, self._ret, self._status) or self._anew
            self._seen = t
        return self._anew


def _last(array: Floats, stop: int, n: int) -> Floats:
    if 0 < n <= stop:
        return array[stop - n : stop]
    if n < 1:
        raise StrategyError(f"a window of {n} bars was asked for", fix="ask for at least 1")
    padded = np.full((n, *array.shape[1:]), np.nan)
    padded[n - stop :] = array[:stop]
    padded.flags.writeable = False
    return padded
