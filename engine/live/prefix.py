"""Digests of the prices that a decision was made on: of every column, and of all, made longer bar by bar.

Rows that a symbol does not have do not count in its column, so that another symbol's longer history changes nothing.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from plimsoll.engine.market.panel import Panel

SHORT: Final = 16  # hex digits of a column's digest
INDICATOR: Final = " (indicator)"


class Prefix:
    """The digests of the first bars of a panel. n_bars : how many of them."""

    def __init__(self, panel: Panel) -> None:
        names = (panel.clock.interval, panel.symbols, panel.indicators, panel.adjusted_only, panel.synthetic)
        self.n_bars = 0
        self._clock = hashlib.sha256(repr(names).encode())
        self._columns = {name: hashlib.sha256() for name in _names(panel)}

    def extend(self, panel: Panel, stop: int) -> None:
        """Take in the bars up to `stop` of a panel that begins with those that were taken in."""
        rows = slice(self.n_bars, stop)
        stamp = panel.clock.stamp[rows].astype("<M8[s]").astype("<i8").astype("<f8")  # whole seconds are exact
        self._clock.update(stamp.tobytes())
        for i, symbol in enumerate(panel.symbols):
            fields = (*panel.block[:, rows, i], panel.high[rows, i], panel.low[rows, i])
            close, dividend, split = panel.close[rows, i], panel.dividend[rows, i], panel.split[rows, i]
            self._add(symbol, (stamp, *fields), ~np.isnan(close) | (dividend != 0.0) | (split != 1.0))
        for k, name in enumerate(panel.indicators):
            value = panel.indicator[rows, k]
            self._add(name + INDICATOR, (stamp, value), ~np.isnan(value))
        self.n_bars = stop

    def _add(self, name: str, fields: Sequence[Any], known: Any) -> None:
        self._columns[name].update(np.column_stack(fields)[known].astype("<f8").tobytes())

    def columns(self) -> dict[str, str]:
        """Return a digest of each symbol and indicator."""
        return {name: digest.hexdigest()[:SHORT] for name, digest in self._columns.items()}

    def whole(self) -> str:
        """Return the SHA-256, in hex, over names, clock and all columns."""
        digest = self._clock.copy()
        for one in self._columns.values():
            digest.update(one.digest())
        return digest.hexdigest()

    def copy(self) -> "Prefix":
        """Return the same again, to go another way."""
        other = object.__new__(Prefix)
        other.n_bars, other._clock = self.n_bars, self._clock.copy()
        other._columns = {name: digest.copy() for name, digest in self._columns.items()}
        return other


def prefix_of(panel: Panel) -> Prefix:
    """Return the digests of a whole panel."""
    found = Prefix(panel)
    found.extend(panel, panel.n_bars)
    return found


def prefixes(panel: Panel, stops: Sequence[int]) -> Iterator[Prefix]:
    """Yield the digests at each of some ascending numbers of bars, always the same object."""
    found = Prefix(panel)
    for stop in stops:
        found.extend(panel, stop)
        yield found


def begins_with(longer: Panel, start: Panel) -> bool:
    """Return whether a panel begins with another, bit by bit."""
    n = start.n_bars
    if longer.n_bars < n or _identity(longer) != _identity(start):
        return False
    pairs = (
        (longer.block[:, :n], start.block),
        (longer.high[:n], start.high),
        (longer.low[:n], start.low),
        (longer.indicator[:n], start.indicator),
    )
    same = all(np.array_equal(_bits(a), _bits(b)) for a, b in pairs)
    return same and bool((longer.clock.stamp[:n] == start.clock.stamp).all())


def _identity(panel: Panel) -> tuple[Any, ...]:
    return panel.clock.interval, panel.symbols, panel.indicators, panel.adjusted_only, panel.synthetic


def _bits(array: Any) -> Any:
    return np.ascontiguousarray(array).view(np.int64)


def _names(panel: Panel) -> list[str]:
    return [*panel.symbols, *(name + INDICATOR for name in panel.indicators)]
