"""Lay the bars of every symbol on one clock: the panel."""

from collections.abc import Sequence
from datetime import date

import numpy as np

from plimsoll.engine.errors import DataError, EngineError
from plimsoll.engine.market.bars import Bars, IndicatorBars, show_stamp
from plimsoll.engine.market.calendar import build_clock
from plimsoll.engine.market.panel import CLOSE, DIVIDEND, OPEN, SPLIT, VOLUME, BarClock, DataWarning, Panel
from plimsoll.engine.types import Bools, Dates, Floats, Ints

_DATES_SHOWN = 3


def align(
    bars: Sequence[Bars],
    interval: str = "1d",
    *,
    indicators: Sequence[IndicatorBars] = (),
    source: str = "",
    synthetic: bool = False,
) -> Panel:
    """Align `bars` and `indicators` on the exchange clock from the earliest first row to the latest last row.

    Symbols come out in alphabetical order. What has no row stays NaN (no dividend, no split) and is named in a
    warning; nothing is filled. A symbol without any row is a column that never lists.

    Raises
    ------
    DataError
        If no symbol has a row.
    EngineError
        If a stamp is not on the clock or a name comes twice: the source did not check its rows.
    """
    bars = sorted(bars, key=lambda one: one.symbol)
    symbols = tuple(one.symbol for one in bars)
    names = tuple(one.name for one in indicators)
    if len(set(symbols)) < len(symbols) or len(set(names)) < len(names):
        raise EngineError(f"a series comes twice among {symbols + names}")
    listed = [one for one in bars if len(one)]
    if not listed:
        raise DataError("none of the symbols has a row to read", where=source, fix="widen start and end")
    clock = build_clock(_day(min(one.stamp[0] for one in listed)), _day(max(one.stamp[-1] for one in listed)), interval)
    shape = (len(clock), len(bars))
    block = np.full((5, *shape), np.nan)
    block[DIVIDEND] = 0.0
    block[SPLIT] = 1.0
    high, low = np.full(shape, np.nan), np.full(shape, np.nan)
    warnings: list[DataWarning] = []
    for column, one in enumerate(bars):
        at = _positions(clock, one)
        for row, values in ((OPEN, one.open), (CLOSE, one.close), (VOLUME, one.volume)):
            block[row, at, column] = values
        block[DIVIDEND, at, column] = one.dividend
        block[SPLIT, at, column] = one.split
        high[at, column] = one.high
        low[at, column] = one.low
        warnings += [*one.warnings, *_holes(clock, one.symbol, at)]
    indicator = np.full((len(clock), len(names)), np.nan)
    for column, series in enumerate(indicators):
        indicator[:, column], found = _on_clock(clock, series)
        warnings += found
    for array in (block, high, low, indicator):
        array[np.isnan(array)] = np.nan  # one bit pattern for every NaN: panels are compared and hashed by bytes
    return Panel(
        clock=clock,
        symbols=symbols,
        block=block,
        high=high,
        low=low,
        indicators=names,
        indicator=indicator,
        adjusted_only=tuple(one.symbol for one in bars if one.adjusted_only),
        synthetic=synthetic,
        source=source,
        warnings=tuple(warnings),
    )


def _day(stamp: np.datetime64) -> date:
    day: date = stamp.astype("datetime64[D]").astype(object)
    return day


def _positions(clock: BarClock, one: Bars) -> Ints:
    at: Ints = np.searchsorted(clock.stamp, one.stamp)
    off = clock.stamp[np.minimum(at, len(clock) - 1)] != one.stamp
    if off.any():
        raise EngineError(f"{one.symbol}: {one.stamp[off][0]} is no bar of the {clock.interval} clock")
    return at


def _holes(clock: BarClock, symbol: str, at: Ints) -> list[DataWarning]:
    """Name what the calendar has and the symbol has not: within its life, and after it."""
    unit = "session" if clock.interval == "1d" else "bar"
    if len(at) == 0:
        span = f"{clock.session[0]} to {clock.session[-1]}"
        return [DataWarning("no_rows", symbol, f"{symbol} has no row from {span}; it never lists")]
    found = []
    absent: Bools = np.ones(at[-1] - at[0] + 1, dtype=np.bool_)
    absent[at - at[0]] = False
    missing = clock.stamp[at[0] : at[-1] + 1][absent]
    if len(missing):
        text = (
            f"{symbol} has no row on {len(missing)} of {len(absent)} {unit}s of its life, "
            f"first {show_stamp(missing[0], clock.interval)}, last {show_stamp(missing[-1], clock.interval)}"
        )
        text += _listing(missing, clock.interval) + "; no trade there, the next return spans the gap"
        found.append(DataWarning("missing_sessions", symbol, text, show_stamp(missing[0], clock.interval)))
    behind = int(clock.session_index[-1] - clock.session_index[at[-1]])
    if at[-1] < len(clock) - 1:
        last = show_stamp(clock.stamp[at[-1]], clock.interval)
        gap = f"{behind} session{'s' * (behind > 1)} before the data ends" if behind else "within the last session"
        text = f"{symbol} has its last row on {last}, {gap}"
        found.append(DataWarning("ends_early", symbol, text, last))
    return found


def _listing(stamps: Dates, interval: str) -> str:
    if len(stamps) <= 2:
        return ""
    shown = ", ".join(show_stamp(stamp, interval) for stamp in stamps[:_DATES_SHOWN])
    return f" ({shown}{', ...' if len(stamps) > _DATES_SHOWN else ''})"


def _on_clock(clock: BarClock, series: IndicatorBars) -> tuple[Floats, list[DataWarning]]:
    """Return the series on the clock, NaN where it has none, and a warning for the rows no bar takes."""
    out: Floats = np.full(len(clock), np.nan)
    bars = np.arange(len(clock))
    if series.daily:
        bars = np.flatnonzero(clock.last_bar)  # a session's value is not known before its last bar
    stamps = clock.session[bars].astype("datetime64[s]") if series.daily else clock.stamp
    at = np.minimum(np.searchsorted(stamps, series.stamp), len(stamps) - 1)
    hit = stamps[at] == series.stamp
    out[bars[at[hit]]] = series.value[hit]
    warnings = []
    inside = (series.stamp >= stamps[0]) & (series.stamp <= stamps[-1])
    strays = series.stamp[inside & ~hit]
    if len(strays):
        first, last = show_stamp(strays[0], clock.interval), show_stamp(strays[-1], clock.interval)
        text = f"{series.name}: {len(strays)} rows dropped that fall on no session, first {first}, last {last}"
        warnings.append(DataWarning("indicator_rows_dropped", series.name, text, first))
    unknown = int(np.isnan(out[bars]).sum())
    if unknown:
        text = f"{series.name} has no value on {unknown} of {len(bars)} {'sessions' if series.daily else 'bars'}"
        warnings.append(DataWarning("indicator_unknown", series.name, text))
    return out, warnings
