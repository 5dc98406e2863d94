"""A whole span at once: what a strategy's compiled loop runs over, for one setting or for many."""

from typing import Any

import numpy as np

from plimsoll.engine.kernels.account.track import Answers, Notional
from plimsoll.engine.kernels.derive import TRADING, listed_anew_scan
from plimsoll.engine.market.feed import Feed
from plimsoll.engine.market.panel import BarClock
from plimsoll.engine.types import Bools, Codes, Floats


class Series:
    """The series of a universe from the first bar to the last.

    Each property is the array whose last rows `ctx.past` shows, (T, K) in the order of the universe, read-only. Row t
    is known at the close of bar t: at bar t a scan may read rows up to t and nothing beyond. The rows of a window that
    `ctx.past` shows are those of `plimsoll.engine.kernels.account.track.last_rows`.

    symbols : the universe. clock : the time axis, its flags by the exchange calendar. ret : total returns.
    """

    def __init__(self, feed: Feed, cols: tuple[int, ...], symbols: tuple[str, ...], ret: Floats, status: Codes) -> None:
        self._feed = feed
        self._cols = cols
        self._status = status
        self.symbols = symbols
        self.ret = ret

    @property
    def n_bars(self) -> int:
        """T."""
        return len(self.clock)

    @property
    def clock(self) -> BarClock:
        """The time axis; its arrays are (T,)."""
        return self._feed.panel.clock

    @property
    def listed(self) -> Bools:
        """(T, K) which symbols have a row at each bar."""
        mask: Bools = self._status == TRADING
        return mask

    @property
    def listed_anew(self) -> Bools:
        """(T, K) which symbols come back at each bar as new ones."""
        mask: Bools = np.zeros(self._status.shape, dtype=np.bool_)
        listed_anew_scan(self.ret, self._status, mask)
        return mask

    @property
    def tr(self) -> Floats:
        """Forward total-return index."""
        return self._feed.columns("tr", self._cols)

    @property
    def open(self) -> Floats:
        """Opening prices in first-bar units."""
        return self._feed.columns("open", self._cols)

    @property
    def high(self) -> Floats:
        """Session highs in first-bar units."""
        return self._feed.columns("high", self._cols)

    @property
    def low(self) -> Floats:
        """Session lows in first-bar units."""
        return self._feed.columns("low", self._cols)

    @property
    def close(self) -> Floats:
        """Closing prices in first-bar units."""
        return self._feed.columns("close", self._cols)

    @property
    def volume(self) -> Floats:
        """Shares traded in first-bar units; NaN where unknown."""
        return self._feed.columns("volume", self._cols)

    def indicator(self, name: str) -> Floats:
        """Return (T,) closes of a named indicator, NaN where it has no value.

        Raises
        ------
        StrategyError
            If the indicator is not part of the data.
        """
        return self._feed.indicator(name)


def empty_answers(n_settings: int, status: Codes) -> Answers:
    """Return room for the answers of so many settings over status (T, K); nothing is answered yet."""
    shape = (n_settings, *status.shape)
    answered, fault = np.zeros(shape[:2], dtype=np.bool_), np.zeros(n_settings, dtype=np.bool_)
    return Answers(status, np.empty(shape), answered, fault)


class Scan(Series):
    """A sleeve's whole span at once, for `Strategy.scan`.

    state : what `Strategy.init` returned. notes : (T, D) diagnostics in the order of `Strategy.diagnostics`, NaN.
    notional : the sleeve's notional portfolio, moved by `plimsoll.engine.kernels.account.track.drift` and `take`.
    """

    def __init__(
        self, feed: Feed, cols: tuple[int, ...], symbols: tuple[str, ...], state: Any, notes: Floats, notional: Notional
    ) -> None:
        super().__init__(feed, cols, symbols, notional.ret, notional.status)
        self.state = state
        self.notes = notes
        self.notional = notional


class BlockScan(Series):
    """The whole span for many settings of one strategy at once, for `Strategy.scan_block`.

    answers : what the settings answer, noted by `plimsoll.engine.kernels.account.track.answer_of`. Memory is the
    scan's own, and there are no diagnostics: nobody reads them in a sweep.
    """

    def __init__(
        self, feed: Feed, cols: tuple[int, ...], symbols: tuple[str, ...], ret: Floats, answers: Answers
    ) -> None:
        super().__init__(feed, cols, symbols, ret, answers.status)
        self.answers = answers
