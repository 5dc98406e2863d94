"""A panel that goes on with a scenario: its sessions after the last one, then a few in which nothing moves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any, Final

import numpy as np

from plimsoll.engine.errors import DataError
from plimsoll.engine.kernels.derive import HALTED, TRADING
from plimsoll.engine.market.calendar import LAST_DAY, build_clock, next_session, sessions
from plimsoll.engine.market.feed import Feed
from plimsoll.engine.market.panel import CLOSE, DIVIDEND, OPEN, SPLIT, VOLUME, BarClock, Panel
from plimsoll.engine.research.stress.moves import PRICES, DayPath
from plimsoll.engine.research.stress.window import PriceWindow
from plimsoll.engine.types import Floats

# Sessions without a move after a scenario: what its last closes decided is carried out in them.
QUIET: Final = 5
# A price stays above zero, whatever is lost.
LEAST: Final = 1e-4
_VOLUME_SESSIONS: Final = 20


@dataclass(frozen=True, slots=True)
class Way:
    """A way for the market to go on.

    n : sessions. paths : a symbol's way, for every column that still trades. window : where the paths that are prices
    were taken from. levels : (n,) closes of indicators; one that is left out stays where it is.
    """

    n: int
    paths: Mapping[str, DayPath]
    levels: Mapping[str, Floats]
    window: PriceWindow | None = None


def trading(feed: Feed) -> tuple[str, ...]:
    """Return the symbols that trade, or are halted, at a feed's last bar."""
    last = feed.status[-1]
    return tuple(s for i, s in enumerate(feed.panel.symbols) if last[i] in (TRADING, HALTED))


def lengthened(panel: Panel, way: Way) -> Panel:
    """Return a daily panel with the sessions of a way and `QUIET` more behind it.

    Columns without a path get no rows. Prices of a window are scaled so that they continue the last close, dividends
    with them, share volumes by the inverse; splits stay: returns are the window's own, and where the window follows
    the panel's last bar its bars are, bit by bit.
    """
    added = way.n + QUIET
    extra, high, low = _no_rows(added, panel.n_symbols)
    for i, symbol in enumerate(panel.symbols):
        if symbol in way.paths:
            _write(panel, i, symbol, way, extra, high, low)
    indicator = np.empty((added, len(panel.indicators)))
    for k, name in enumerate(panel.indicators):
        indicator[:, k] = _held(panel.indicator[:, k], way.levels.get(name), way.n, added)
    return replace(
        panel,
        clock=_longer(panel.clock, added),
        block=np.concatenate((panel.block, extra), axis=1),
        high=np.concatenate((panel.high, high)),
        low=np.concatenate((panel.low, low)),
        indicator=np.concatenate((panel.indicator, indicator)) if panel.indicators else panel.indicator,
        outside=np.concatenate((panel.outside, np.repeat(panel.outside[-1:], added, axis=0))),
    )


def _no_rows(added: int, n: int) -> tuple[Floats, Floats, Floats]:
    extra = np.full((5, added, n), np.nan)
    extra[DIVIDEND], extra[SPLIT] = 0.0, 1.0
    return extra, np.full((added, n), np.nan), np.full((added, n), np.nan)


def _write(panel: Panel, i: int, symbol: str, way: Way, extra: Floats, high: Floats, low: Floats) -> None:
    """Write one column's bars."""
    known = panel.close[:, i][~np.isnan(panel.close[:, i])]
    last, path, n = float(known[-1]), way.paths[symbol], way.n
    if path.how == PRICES and way.window is not None:
        _transplant(way.window, symbol, last, i, extra[:, :n], high[:n], low[:n])
    else:
        _model(path, last, i, extra[:, :n], high[:n], low[:n])
        extra[VOLUME, :n, i] = _usual_volume(panel.volume[:, i])
    closes = extra[CLOSE, :n, i]
    closes = closes[~np.isnan(closes)]
    final = float(closes[-1]) if len(closes) else last
    for row in (extra[OPEN], extra[CLOSE], high, low):
        row[n:, i] = final
    extra[VOLUME, n:, i] = _usual_volume(extra[VOLUME, :n, i])


def _transplant(
    window: PriceWindow, symbol: str, last: float, i: int, extra: Floats, high: Floats, low: Floats
) -> None:
    """Write a window's bars, scaled to begin at the close `last`."""
    source, rows = window.panel, window.rows
    j, scale = source.column(symbol), last / window.base_close(symbol)
    for field in (OPEN, CLOSE, DIVIDEND):
        extra[field, :, i] = source.block[field, rows, j] * scale
    extra[VOLUME, :, i] = source.volume[rows, j] / scale
    extra[SPLIT, :, i] = source.split[rows, j]
    high[:, i], low[:, i] = source.high[rows, j] * scale, source.low[rows, j] * scale


def _model(path: DayPath, last: float, i: int, extra: Floats, high: Floats, low: Floats) -> None:
    """Write bars of stated or derived returns, no action in them."""
    growth = np.maximum(1.0 + path.ret, LEAST)
    close = np.maximum(last * np.cumprod(growth), np.finfo(np.float64).tiny)
    opened = np.concatenate(([last], close[:-1])) * np.maximum(1.0 + path.gap, LEAST)
    extra[OPEN, :, i], extra[CLOSE, :, i] = opened, close
    high[:, i], low[:, i] = np.maximum(opened, close), np.minimum(opened, close)


def _usual_volume(volume: Floats) -> float:
    """Return the median of the last known volumes, NaN where none is."""
    known = volume[~np.isnan(volume)][-_VOLUME_SESSIONS:]
    return float(np.median(known)) if len(known) else np.nan


def _held(past: Floats, levels: Floats | None, n: int, added: int) -> Floats:
    """Return (added,) an indicator's closes; the last one is held."""
    known = past[~np.isnan(past)]
    out = np.full(added, known[-1] if len(known) else np.nan)
    if levels is not None:
        out[:n], out[n:] = levels, levels[-1]
    return out


def _longer(clock: BarClock, added: int) -> BarClock:
    """Return a daily clock with the next `added` sessions."""
    first = next_session(clock.session[-1].astype(object))
    ahead = sessions(first, min(date(first.year + 2 + added // 200, 12, 31), LAST_DAY))
    if len(ahead) < added:
        raise DataError(f"the calendar ends {len(ahead)} sessions after the data", where="stress")
    more = build_clock(first, ahead[added - 1].astype(object))
    joined: dict[str, Any] = {}
    for field in fields(clock):
        own, new = getattr(clock, field.name), getattr(more, field.name)
        if isinstance(own, np.ndarray):
            shift = own[-1] + 1 if field.name == "session_index" else None
            joined[field.name] = np.concatenate((own, new if shift is None else new + shift))
    return replace(clock, **joined)


def levels_of(names: Sequence[str], stated: Mapping[str, Any], window: PriceWindow | None, n: int, *, measured: bool,
) -> dict[str, Floats]:  # fmt: skip
    """Return (n,) closes of indicators in a scenario: as they were, as stated, or on a line through three levels.

    The line is straight in logarithms: from `start` to `peak` by the middle of the sessions, from there to `end`.
    """
    found: dict[str, Floats] = {}
    for name in names:
        told, was = stated.get(name), None if window is None else window.levels(name)
        if was is not None and (measured or told is None):
            found[name] = was
        elif isinstance(told, tuple):
            found[name] = np.array(told)
        elif told is not None:
            found[name] = _through(told.start, told.peak, told.end, n)
    return found


def _through(start: float, peak: float, end: float, n: int) -> Floats:
    top = (n + 1) // 2
    at = np.arange(1, n + 1, dtype=np.float64)
    levels: Floats = np.exp(np.interp(at, [0.0, top, max(n, top + 1e-9)], np.log([start, peak, end])))
    return levels
