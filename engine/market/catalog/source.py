"""The catalog as a source of panels."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.align import assemble
from plimsoll.engine.market.bars import Bars, IndicatorBars
from plimsoll.engine.market.catalog.store import Catalog
from plimsoll.engine.market.history import History
from plimsoll.engine.market.panel import DataWarning, Panel
from plimsoll.engine.market.settle import settle


def offers(folder: Path | str) -> tuple[str, ...]:
    """Return the symbols and indices a catalog has bars of, sorted.

    Raises
    ------
    DataError
        If there is no catalog, or nothing in it.
    """
    held = Catalog(Path(folder)).symbols()
    if not held:
        raise DataError("no bars in the catalog", where=str(folder), fix="fetch some with `plimsoll data pull SYMBOL`")
    return held


def load(
    folder: Path | str,
    symbols: Sequence[str],
    indicators: Sequence[str] = (),
    *,
    interval: str = "1d",
    start: date | None = None,
    end: date | None = None,
) -> Panel:
    """Read the version in force of every row of `symbols` and `indicators` into a panel; every checksum is verified.

    start, end : first and last session read, both included. A row is what it is whatever else is asked for.

    Raises
    ------
    DataError
        If a symbol has no bars or is an index, a file is damaged, the interval is not "1d", or no row is left.
    """
    if interval != "1d":
        raise DataError(f"the catalog has daily bars only, not {interval!r}", where=str(folder))
    if not symbols:
        raise DataError("no symbol was asked for", where=str(folder))
    if start is not None and end is not None and end < start:
        raise DataError(f"end {end} lies before start {start}", where=str(folder))
    catalog = Catalog(Path(folder))
    held = set(catalog.quarantined())
    bars = [_bars(catalog, symbol, start, end, symbol in held) for symbol in sorted(set(symbols))]
    series = [_indicator(catalog, name, start, end) for name in dict.fromkeys(indicators)]
    return assemble(bars, interval, indicators=series, source=f"catalog {folder}")


def _bars(catalog: Catalog, symbol: str, start: date | None, end: date | None, held: bool) -> Bars:
    history = _between(catalog.read(symbol, full=False).current(), start, end)
    where = f"{catalog.root}"
    if history.index:
        raise DataError(f"{symbol} is an index and cannot be traded", where=where, fix="list it under indicators")
    bars = settle(history.raw(where))
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
