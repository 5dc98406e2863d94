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
from plimsoll.engine.market.catalog.store import Catalog, default_catalog, utc
from plimsoll.engine.market.catalog.versions import Known
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
    """Daily bars from a catalog; path : its folder, None = the user's. as_of : as they were known then, None = now.

    Every method raises ConfigError for an interval other than "1d".
    """

    path: Path | None
    seeded: bool = False
    as_of: datetime | None = None

    @property
    def catalog(self) -> Catalog:
        """The catalog that is read."""
        return Catalog(self.path if self.path is not None else default_catalog(os.environ, Path.home()))

    def as_known(self, moment: datetime) -> "CatalogSource":
        """Return the same catalog as it was known at a moment (aware)."""
        return replace(self, as_of=moment)

    def offers(self, interval: str = "1d") -> Offer:
        """Return what there is.

        Raises
        ------
        DataError
            If there is no catalog, or nothing in it.
        """
        _daily(interval)
        catalog = self.catalog
        held = frozenset(catalog.symbols())
        if not held:
            fix = "fetch some with `plimsoll data pull SYMBOL`"
            raise DataError("no bars in the catalog", where=str(catalog.root), fix=fix)
        if self.as_of is not None:
            stamp = utc(self.as_of)
            held = frozenset(symbol for symbol in held if catalog.first_known(symbol) <= stamp) or held
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

        Every checksum of what is read is verified. A row is what it is whatever else is asked for. Moves that were
        confirmed when they were pulled are confirmed here. As of a moment the panel is what it was then, to the bit;
        what was in quarantine then is not told.

        Raises
        ------
        DataError
            If a symbol has no bars or is an index, nothing of it was known yet, a file is damaged, or no row is left.
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
        held = set(catalog.quarantined()) if self.as_of is None else set()
        names, series = sorted(set(symbols)), list(dict.fromkeys(indicators))
        look = _Reader(catalog, self.as_of, start, end, [*names, *series])
        agreed = {symbol: set(days) for symbol, days in said.confirmed.items()}
        bars = [look.bars(symbol, symbol in held, agreed) for symbol in names]
        under = sorted({instrument(symbol).underlying for symbol in names} & set(catalog.symbols()) - set(names))
        explaining = [look.bars(symbol, False, {}) for symbol in under if look.was_known(symbol)]
        told = with_jumps(bars, interval, agreed, explaining)
        seen = [look.indicator(name) for name in series]
        panel = align(told, interval, indicators=seen, source=f"catalog {where}")
        return replace(panel, known_at=look.last)

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
        copy = Catalog(folder)
        for name in sorted(set(names) & self.offers(interval).symbols):
            whole = self.catalog.known(name, self.as_of).history
            copy.store(_between(whole, None, date.fromisoformat(last)), (), _LONG_AGO)
        return True


def _daily(interval: str) -> None:
    if interval != "1d":
        raise ConfigError(f"the catalog has daily bars only, not {interval!r}", where="data.interval")


@dataclass(slots=True)
class _Reader:
    """Reads symbols as of one moment; `last` : when the newest version of all that was read became known, ISO, UTC."""

    catalog: Catalog
    as_of: datetime | None
    start: date | None
    end: date | None
    asked: Sequence[str]
    last: str = ""

    def was_known(self, symbol: str) -> bool:
        """Say whether anything of a symbol was known by then."""
        return self.as_of is None or bool(self.catalog.first_known(symbol) <= utc(self.as_of))

    def bars(self, symbol: str, held: bool, agreed: dict[str, set[date]]) -> Bars:
        """Return a symbol's bars, and add to `agreed` the moves that somebody stood for when they were pulled."""
        known = self._known(symbol)
        history, where = _between(known.history, self.start, self.end), str(self.catalog.root)
        agreed[symbol] = agreed.get(symbol, set()) | {date.fromisoformat(day) for day in known.stood}
        if history.index:
            raise DataError(f"{symbol} is an index and cannot be traded", where=where, fix="list it under indicators")
        adjusted = history.kind == "adjusted"
        bars = settle(history.raw(where), None if adjusted else "raw", adjusted_only=adjusted)
        if not held:
            return bars
        text = f"{symbol}: something of its last pull is in quarantine and not read; `plimsoll data check` says why"
        return replace(bars, warnings=(*bars.warnings, DataWarning("quarantined", symbol, text)))

    def indicator(self, name: str) -> IndicatorBars:
        """Return an indicator's closes."""
        history = _between(self._known(name).history, self.start, self.end)
        return IndicatorBars(name=name, stamp=history.session.astype("datetime64[s]"), value=history.close)

    def _known(self, symbol: str) -> Known:
        known = self.catalog.known(symbol, self.as_of)
        if self.as_of is not None and not known.first <= utc(self.as_of):
            raise self._too_early()
        if len(known.history):
            self.last = max(self.last, f"{known.last}Z")
        return known

    def _too_early(self) -> DataError:
        """Return the refusal of a moment before everything asked for was known."""
        first = {name: self.catalog.first_known(name) for name in self.asked}
        latest = max(first, key=lambda name: first[name])
        stamp = f"{first[latest]}Z"
        what, cause = f"nothing of {latest} was known as of {self.as_of:%Y-%m-%dT%H:%M:%SZ}", f"first pulled at {stamp}"
        return DataError(what, where=str(self.catalog.root), cause=cause, fix=f"the earliest is --as-of {stamp}")


def _between(history: History, start: date | None, end: date | None) -> History:
    session = history.session
    lo = 0 if start is None else int(np.searchsorted(session, np.datetime64(start), side="left"))
    hi = len(session) if end is None else int(np.searchsorted(session, np.datetime64(end), side="right"))
    return history if (lo, hi) == (0, len(session)) else history.take(slice(lo, hi))
