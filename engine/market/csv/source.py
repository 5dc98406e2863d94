"""Market data from a folder of `<SYMBOL>.csv` files."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.config.interval import canonical_interval
from plimsoll.engine.errors import DataError, did_you_mean
from plimsoll.engine.market.align import align
from plimsoll.engine.market.bars import BarRows, Bars, IndicatorBars, RawBars
from plimsoll.engine.market.calendar import minutes_of
from plimsoll.engine.market.csv.file import CsvFile, CsvTable, open_csv, read_table
from plimsoll.engine.market.hours import regular_hours, starts_of
from plimsoll.engine.market.instruments import instrument
from plimsoll.engine.market.jumps import with_jumps
from plimsoll.engine.market.panel import DataWarning, Panel
from plimsoll.engine.market.quality import check_finite, check_order, check_unpriced
from plimsoll.engine.market.said import NOTHING, Said
from plimsoll.engine.market.settle import begins_adjusted, settle
from plimsoll.engine.types import Bools, Dates, Floats, PriceKind

PRICES: Final = ("open", "high", "low", "close", "volume")
ACTIONS: Final = ("dividend", "split")

_FILE: Final = re.compile(r"(?P<stem>.+?)\.csv(\.gz)?")
_INTERVAL_TAIL: Final = re.compile(r"(?P<symbol>.+?)_(?P<interval>\d+(?:min|Min|m|h))(?![a-zA-Z0-9]).*")


class DateSpan(NamedTuple):
    """The rows asked for: the bar interval, the first and the last date (both included, None = no limit)."""

    interval: str
    start: date | None
    end: date | None

    def covers(self, stamp: Dates) -> Bools:
        """Return which stamps (R,) lie inside."""
        days = stamp.astype("datetime64[D]")
        kept: Bools = np.ones(len(days), dtype=np.bool_)
        if self.start is not None:
            kept &= days >= np.datetime64(self.start)
        if self.end is not None:
            kept &= days <= np.datetime64(self.end)
        return kept


def load_csv(
    folder: str | Path,
    symbols: Sequence[str],
    indicators: Sequence[str] = (),
    *,
    interval: str = "1d",
    start: date | None = None,
    end: date | None = None,
    said: Said = NOTHING,
) -> Panel:
    """Read the files of `symbols` and `indicators` into a panel.

    Daily files hold ``date,open,high,low,close,adj_close,volume[,dividend,split]`` (`adj_close` may be left out where
    there is a `dividend` column); intraday files ``datetime,open,high,low,close,volume[,adj_close,dividend,split]``,
    stamped with the bar's start in exchange local time; a file may hold its stamps and ``adj_close`` alone.
    `engine.market.settle.settle` says how the columns are read.
    An indicator needs its stamp and `close` only; a daily one may accompany intraday bars.

    start, end : first and last date read, both included. BarRows outside are cut before anything is decided or checked,
        so what is loaded up to `end` cannot depend on a later row. One thing is a property of the file, wherever
        the span begins: whether its first row with a price has an adjusted close alone.
    said : the user's word on prices.

    Raises
    ------
    DataError
        At the first thing that is wrong, in one line.
    ConfigError
        If the interval is unknown.
    """
    minutes_of(interval)
    root = Path(folder)
    files = _listing(root, interval)
    if not symbols:
        raise DataError("no symbol was asked for", where=str(root))
    if start is not None and end is not None and end < start:
        raise DataError(f"end {end} lies before start {start}", where=str(root))
    span = DateSpan(interval, start, end)
    bars = [_load_symbol(_find(root, files, name, interval), name, span, said) for name in sorted(set(symbols))]
    series = [
        _load_indicator(_find(root, files, name, interval), name, span, said) for name in dict.fromkeys(indicators)
    ]
    explaining = _underlyings(root, files, span, said, [one.symbol for one in bars])
    return align(
        with_jumps(bars, interval, said.confirmed, explaining), interval, indicators=series, source=f"csv {root}"
    )


def symbols_in(folder: str | Path, interval: str = "1d") -> tuple[str, ...]:
    """Return the symbols a folder has files for, sorted.

    Raises
    ------
    DataError
        If the folder does not exist or holds no CSV file for the interval.
    """
    minutes_of(interval)
    return tuple(sorted(_listing(Path(folder), interval)))


def intervals_in(folder: str | Path, symbol: str = "") -> tuple[str, ...]:
    """Return the intervals that names of files tell, of one symbol or of all, shortest first: "1min", "5min"."""
    found = {
        canonical_interval(tail["interval"])
        for path in (Path(folder).iterdir() if Path(folder).is_dir() else ())
        if (named := _FILE.fullmatch(path.name)) is not None
        and (tail := _INTERVAL_TAIL.fullmatch(named["stem"])) is not None
        and symbol in ("", tail["symbol"])
    }
    return tuple(sorted(found, key=lambda one: minutes_of(one) or 0))


def file_of(folder: str | Path, symbol: str, interval: str = "1d") -> Path:
    """Return the file that holds a symbol's or an indicator's bars.

    Raises
    ------
    DataError
        If there is none, or more than one.
    """
    return _find(Path(folder), _listing(Path(folder), interval), symbol, interval)


def _listing(root: Path, interval: str) -> dict[str, list[Path]]:
    """Return symbol -> its files. SPY_5min_2025.csv is SPY's at that interval only, and there goes before SPY.csv."""
    if not root.is_dir():
        cause = "it is a file" if root.exists() else "no such folder"
        raise DataError("not a folder of CSV files", where=str(root), cause=cause, fix="check the data path")
    tagged: dict[str, list[Path]] = {}
    plain: dict[str, list[Path]] = {}
    for path in sorted(root.iterdir()):
        named = _FILE.fullmatch(path.name)
        if named is None or not path.is_file():
            continue
        tail = _INTERVAL_TAIL.fullmatch(named["stem"])
        if tail is None:
            plain.setdefault(named["stem"], []).append(path)
        elif canonical_interval(tail["interval"]) == interval:
            tagged.setdefault(tail["symbol"], []).append(path)
    if not plain and not tagged:
        others = " and ".join(intervals_in(root))
        cause = f"it has {others} bars" if others else ""
        what = f"no CSV file for {interval} bars in the folder"
        raise DataError(what, where=str(root), cause=cause, fix="check the data path")
    return {**plain, **tagged}


def _find(root: Path, files: dict[str, list[Path]], symbol: str, interval: str) -> Path:
    paths = files.get(symbol, [])
    if not paths:
        what = f"no file for symbol {symbol!r} ({interval} bars)"
        raise DataError(what, where=str(root), fix=did_you_mean(symbol, files))
    if len(paths) > 1:
        names = ", ".join(path.name for path in paths)
        raise DataError(f"{symbol!r} has several files: {names}", where=str(root), fix="keep one of them")
    return paths[0]


def _load_symbol(path: Path, symbol: str, span: DateSpan, said: Said) -> Bars:
    file, prices = open_csv(path), said.prices.get(symbol)
    _check_kind(file, span.interval)
    table = _read_symbol(file, symbol, span, prices)
    unknown = np.full(len(table.stamp), np.nan)
    cells = table.columns
    raw = RawBars(
        symbol=symbol,
        where=str(path),
        interval=span.interval,
        stamp=table.stamp,
        open=cells.get("open", unknown),
        high=cells.get("high", unknown),
        low=cells.get("low", unknown),
        close=cells.get("close", unknown),
        volume=cells.get("volume", unknown),
        adj_close=cells.get("adj_close"),
        dividend=cells.get("dividend"),
        split=cells.get("split"),
    )
    adjusted_only = begins_adjusted(raw)
    raw, dropped = _regular(raw.keep(span.covers(table.stamp)), said)
    bars = settle(raw, prices, adjusted_only=adjusted_only)
    bars = replace(bars, warnings=(*dropped, *bars.warnings))
    if not table.unused:
        return bars
    text = f"{symbol}: columns not used: {', '.join(name or '(unnamed)' for name in table.unused)}"
    return replace(bars, warnings=(*bars.warnings, DataWarning("unused_columns", symbol, text)))


def _regular(raw: RawBars, said: Said) -> tuple[RawBars, tuple[DataWarning, ...]]:
    """Return intraday rows stamped with their start, those beyond regular hours dropped where the user says so."""
    if raw.interval != "1d" and said.label == "right":
        raw = replace(raw, stamp=starts_of(raw.rows))
    if raw.interval == "1d" or said.extended_hours != "drop":
        return raw, ()
    kept, dropped = regular_hours(raw.rows)
    check_unpriced(raw, kept, "beyond regular hours")
    return raw.keep(kept), dropped


def _read_symbol(file: CsvFile, symbol: str, span: DateSpan, prices: PriceKind | None) -> CsvTable:
    stamp = "date" if span.interval == "1d" else "datetime"
    if "adj_close" in file.names and not set(PRICES) & set(file.names):
        return read_table(file, stamp, ("adj_close",), ACTIONS)
    if span.interval != "1d" or "dividend" in file.names or prices == "adjusted":
        return read_table(file, stamp, PRICES, ("adj_close", *ACTIONS))
    try:
        return read_table(file, stamp, (*PRICES, "adj_close"), ACTIONS)
    except DataError as error:
        if error.what != "no column 'adj_close'" or error.fix.startswith("did you mean"):
            raise
        if near := get_close_matches("dividend", file.names, n=1):
            fix = "did you mean 'dividend'? rename it"
            raise DataError(f"unknown column {near[0]!r}", where=error.where, fix=fix) from None
        fix = f'add one, or say [data.prices] {symbol} = "adjusted" if the prices contain dividends'
        raise DataError("no column 'adj_close' and none 'dividend'", where=error.where, fix=fix) from None


def _underlyings(
    root: Path, files: dict[str, list[Path]], span: DateSpan, said: Said, symbols: Sequence[str]
) -> list[Bars]:
    """Return the bars of what leveraged funds among `symbols` follow, where the folder has them; they only explain."""
    wanted = {instrument(symbol).underlying for symbol in symbols} - {"", *symbols}
    found = []
    for name in sorted(wanted & files.keys()):
        try:
            found.append(_load_symbol(_find(root, files, name, span.interval), name, span, replace(said, prices={})))
        except DataError:  # the file of a symbol that nobody asked for need not be readable
            continue
    return found


def _load_indicator(path: Path, name: str, span: DateSpan, said: Said) -> IndicatorBars:
    file = open_csv(path)
    daily = span.interval == "1d" or "datetime" not in file.names
    table = read_table(file, "date" if daily else "datetime", ("close",))
    kept = span.covers(table.stamp)
    stamp: Dates = table.stamp[kept]
    value: Floats = table.columns["close"][kept]
    rows = BarRows(name, str(path), "1d" if daily else span.interval, stamp)
    if not daily and said.label == "right":
        stamp = starts_of(rows)
        rows = rows._replace(stamp=stamp)
    check_order(rows)
    check_finite(rows, value)
    return IndicatorBars(name=name, stamp=stamp, value=value, daily=daily)


def _check_kind(file: CsvFile, interval: str) -> None:
    if "date" in file.names and "time" in file.names and _days_repeat(file):
        fix = "join them into one column datetime, written YYYY-MM-DD HH:MM:SS"
        raise DataError("date and time of a bar stand in two columns", where=str(file.path), fix=fix)
    found = {"1d"} if "date" in file.names else {"intraday"} if "datetime" in file.names else set()
    asked = "1d" if interval == "1d" else "intraday"
    if found and asked not in found:
        what = f"holds {'daily' if asked == 'intraday' else 'intraday'} bars, {interval} ones were asked for"
        raise DataError(what, where=str(file.path), fix="check the interval")


def _days_repeat(file: CsvFile) -> bool:
    """Say whether the first two rows are of one day: bars within it, their time in a column of its own."""
    rows = file.data.decode("utf-8").split("\n", 3)[1:3]
    at = file.names.index("date")
    days = [row.split(",")[at].strip() for row in rows if row.count(",") >= at]
    return len(days) == 2 and days[0] == days[1]
