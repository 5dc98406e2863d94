"""The panel: every bar of every symbol of a run, aligned on the exchange calendar."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np

from plimsoll.engine.types import Bools, Dates, Floats, Ints

# Rows of `Panel.block`, the fields the ledger trades and marks by.
OPEN: Final = 0
CLOSE: Final = 1
VOLUME: Final = 2
DIVIDEND: Final = 3
SPLIT: Final = 4
BLOCK_FIELDS: Final = ("open", "close", "volume", "dividend", "split")


@dataclass(frozen=True, slots=True)
class DataWarning:
    """One thing about the data that a reader of the result should know.

    `kind` is a short snake_case word that groups warnings (``missing_sessions``, ``adjusted_only``,
    ``derived_dividends``, ``price_jump``, ``delisted`` ...); `session` is empty where it concerns the whole history.
    """

    kind: str
    symbol: str
    text: str
    session: str = ""


@dataclass(frozen=True, slots=True)
class BarClock:
    """The time axis of a panel; T bars, all arrays of length T.

    stamp : exchange-local start of the bar (datetime64[s]; midnight for daily bars).
    session : exchange date of the bar (datetime64[D]).
    session_index : 0, 1, 2 ... counting sessions from the first bar.
    first_bar, last_bar : first / last bar of its session (always true for daily bars).
    month_first, month_last, week_last : the session is the first / last one of its month, the last of its week,
        by the exchange calendar (not by the data, so cutting the data changes none of them).
    bars_per_session : bars of a full session (1 for daily bars); `interval` is its name ("1d", "1min", "5min").
    bars_per_year : 252 times the mean number of bars of a session, early closes counted as the shorter sessions that
        they are: what a variance per bar is multiplied by.
    """

    stamp: Dates
    session: Dates
    session_index: Ints
    first_bar: Bools
    last_bar: Bools
    month_first: Bools
    month_last: Bools
    week_last: Bools
    bars_per_session: int = 1
    interval: str = "1d"
    bars_per_year: float = 252.0

    def __len__(self) -> int:
        """Return the number of bars."""
        return len(self.session)


@dataclass(frozen=True)  # no slots: the hash is made when it is asked for, and kept
class Panel:
    """Prices as given, per bar and symbol; NaN = not known, never filled.

    block : (5, T, N) float64, C-contiguous: open, close, volume, dividend, split. A session without a row has NaN
        open, close and volume. `volume` is NaN where unknown and 0 where nothing traded. `dividend` is per share of
        that session (after its split), 0 = none. `split` is new shares per old share in force at that open, 1 = none.
    high, low : (T, N).
    symbols : the N tradable columns, alphabetical.
    indicators : names of the I series strategies may see but never trade (VIX); `indicator` is (T, I), their closes.
    adjusted_only : symbols whose prices contain their dividends and splits, so that no action is listed: read from
        adjusted closes alone (open = high = low = close, volume unknown), or said by the user to be adjusted.
    synthetic : the numbers were generated, and every output says so.
    source : where the numbers come from.
    known_at : when the newest of them became known to a source that keeps versions (ISO, UTC): asked for as of then it
        tells the same; "" if it keeps none.
    outside : (T, N) whether a decision at a bar's close must take a symbol for no member of the universe, see
        `plimsoll.engine.market.universe`; (0, 0) where everything is a member throughout.
    """

    clock: BarClock
    symbols: tuple[str, ...]
    block: Floats
    high: Floats
    low: Floats
    indicators: tuple[str, ...] = ()
    indicator: Floats = field(default_factory=lambda: np.empty((0, 0)))
    adjusted_only: tuple[str, ...] = ()
    synthetic: bool = False
    source: str = ""
    warnings: tuple[DataWarning, ...] = ()
    known_at: str = ""
    outside: Bools = field(default_factory=lambda: np.empty((0, 0), dtype=np.bool_))

    @cached_property
    def data_hash(self) -> str:
        """The SHA-256, in hex, over names, clock and arrays; where the numbers were read from does not enter."""
        clock = self.clock
        names = (clock.interval, self.symbols, self.indicators, self.adjusted_only, self.synthetic, self.block.shape)
        digest = hashlib.sha256(repr(names).encode())
        digest.update(clock.stamp.astype("<M8[s]").tobytes())
        for flags in (clock.month_first, clock.month_last, clock.week_last):
            digest.update(flags.tobytes())
        if self.outside.size:
            digest.update(np.ascontiguousarray(self.outside).tobytes())
        for array in (self.block, self.high, self.low, self.indicator):
            digest.update(np.ascontiguousarray(array, dtype="<f8").data)
        return digest.hexdigest()

    @property
    def n_bars(self) -> int:
        """T."""
        return int(self.block.shape[1])

    @property
    def n_symbols(self) -> int:
        """N."""
        return int(self.block.shape[2])

    @property
    def open(self) -> Floats:
        """(T, N) opening prices."""
        view: Floats = self.block[OPEN]
        return view

    @property
    def close(self) -> Floats:
        """(T, N) closing prices."""
        view: Floats = self.block[CLOSE]
        return view

    @property
    def volume(self) -> Floats:
        """(T, N) shares traded."""
        view: Floats = self.block[VOLUME]
        return view

    @property
    def dividend(self) -> Floats:
        """(T, N) cash per share on its ex-date."""
        view: Floats = self.block[DIVIDEND]
        return view

    @property
    def split(self) -> Floats:
        """(T, N) new shares per old share."""
        view: Floats = self.block[SPLIT]
        return view

    def column(self, symbol: str) -> int:
        """Return the column of `symbol`; ValueError if it is not in the panel."""
        return self.symbols.index(symbol)
