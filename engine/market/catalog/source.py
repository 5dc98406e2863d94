"""The catalog as a source of panels."""

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import numpy as np

from plimsoll.engine.errors import ConfigError, DataError
from plimsoll.engine.market.align import align
from plimsoll.engine.market.bars import Bars, IndicatorBars
from plimsoll.engine.market.catalog.store import Catalog, default_catalog
from plimsoll.engine.market.history import History
from plimsoll.engine.market.instruments import instrument
from plimsoll.engine.market.jumps import with_jumps
from plimsoll.engine.market.panel import DataWarning, Panel
from plimsoll.engine.market.said import NOTHING, Said
from plimsoll.engine.market.settle import settle
from plimsoll.engine.market.source import Offer

# When rows of a cut-off copy became known: a copy is no record of when anything was.
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CatalogSource:
    """Daily bars from a catalog; path : its folder, None = the user's.

    Every method raises ConfigError for an interval other than "1d".
    """

    path: Path | None
    seeded: bool = False

    @property
    def catalog(self) -> Catalog:
        """The catalog that is read."""
        return Catalog(self.path if self.path is not None else default_catalog(os.environ, Path.home()))

    def offers(self, interval: str = "1d") -> Offer:
        """Return what there is.

        Raises
        ------
        DataError
            If there is no catalog, or nothing in it.
        """
        _daily(interval)
        held = frozenset(self.catalog.symbols())
        if not held:
            fix = "fetch some with `plimsoll data pull SYMBOL`"
            raise DataError("no bars in the catalog", where=str(self.catalog.root), fix=fix)
        return Offer(held, held)

    def load(
        self,
        symbols: Sequence[str],
        indicators: Sequence[str] = (),
        *,
        interval: str = "1d",
        start: date | None = None,
        end: date | None = None,
        seed: int = 0,
        said: Said = NOTHING,
    ) -> Panel:
        """Read the version in force of every row into a panel, from `start` to `end`, both included.

        Every checksum is verified. A row is what it is whatever else is asked for. Moves that were confirmed when they
        were pulled are confirmed here.

        Raises
        ------
        DataError
            If a symbol has no bars or is an index, a file is damaged, or no row is left.
        ConfigError
            If prices are said to be other than they are stored.
        """
        _daily(interval)
        catalog = self.catalog
        where = str(catalog.root)
        if not symbols:
            raise DataError("no symbol was asked for", where=where)
        if start is not None and end is not None and end < start:
            raise DataError(f"end {end} lies before start {start}", where=where)
        for symbol, word in said.prices.items():
            if word != "raw":
                what = f"{symbol} is said to be {word!r}, a catalog holds prices as traded"
                raise ConfigError(what, where="data.prices", fix="leave it out")
        held, known = set(catalog.quarantined()), set(catalog.symbols())
        names = sorted(set(symbols))
        agreed = {symbol: set(days) for symbol, days in said.confirmed.items()}
        bars = [_bars(catalog, symbol, start, end, symbol in held, agreed) for symbol in names]
        under = {instrument(symbol).underlying for symbol in names} & known - set(names)
        explaining = [_bars(catalog, symbol, start, end, False, {}) for symbol in sorted(under)]
        series = [_indicator(catalog, name, start, end) for name in dict.fromkeys(indicators)]
        told = with_jumps(bars, interval, agreed, explaining)
        return align(told, interval, indicators=series, source=f"catalog {where}")

    def cut(
        self,
        names: Sequence[str],
        folder: Path,
        *,
        interval: str = "1d",
        last: str,
        adjusted: Collection[str] = (),
    ) -> bool:
        """Write a catalog of what is in force of `names` through session `last` into `folder`; return True.

        Raises
        ------
        DataError
            If a file is damaged.
        OutputError
            If the copy cannot be written.
        """
        _daily(interval)
        catalog, copy = self.catalog, Catalog(folder)
        for name in sorted(set(names) & set(catalog.symbols())):
            whole = catalog.read(name).current()
            copy.store(_between(whole, None, date.fromisoformat(last)), (), _LONG_AGO)
        return True


def _daily(interval: str) -> None:
    if interval != "1d":
        raise ConfigError(f"the catalog has daily bars only, not {interval!r}", where="data.interval")


def _bars(
    catalog: Catalog, symbol: str, start: date | None, end: date | None, held: bool, agreed: dict[str, set[date]]
) -> Bars:
    """Return a symbol's bars, and add to `agreed` the moves that somebody stood for when they were pulled."""
    versions = catalog.read(symbol, full=False)
    history = _between(versions.current(), start, end)
    stood = {date.fromisoformat(note.session) for note in versions.notes if note.gate == "jump"}
    agreed[symbol] = agreed.get(symbol, set()) | stood
    where = str(catalog.root)
    if history.index:
        raise DataError(f"{symbol} is an index and cannot be traded", where=where, fix="list it under indicators")
    adjusted = history.kind == "adjusted"
    bars = settle(history.raw(where), None if adjusted else "raw", adjusted_only=adjusted)
    if not held:
        return bars
    text = f"{symbol}: something of its last pull is in quarantine and not read; `plimsoll data check` says why"
    return replace(bars, warnings=(*bars.warnings, DataWarning("quarantined", symbol, text)))


def _indicator(catalog: Catalog, name: str, start: date | None, end: date | None) -> IndicatorBars:
    history = _between(catalog.read(name, full=False).current(), start, end)
    return IndicatorBars(name=name, stamp=history.session.astype("datetime64[s]"), value=history.close)


def _between(history: History, start: date | None, end: date | None) -> History:
    session = history.session
    lo = 0 if start is None else int(np.searchsorted(session, np.datetime64(start), side="left"))
    hi = len(session) if end is None else int(np.searchsorted(session, np.datetime64(end), side="right"))
    return history if (lo, hi) == (0, len(session)) else history.take(slice(lo, hi))
