"""Files that are already as this package writes them: checked, and passed on word for word."""

import re
from pathlib import Path
from typing import Final

import numpy as np

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.csv.file import CsvFile, read_table
from plimsoll.engine.market.csv.source import file_of, intervals_in
from plimsoll.engine.market.imports.draft import Draft, Passed
from plimsoll.engine.market.imports.flags import Flags
from plimsoll.engine.market.imports.interval import bars_of
from plimsoll.engine.market.imports.layout import Layout, same
from plimsoll.engine.market.imports.read import ascending, symbol_of
from plimsoll.engine.market.imports.sheet import Sheet
from plimsoll.engine.market.imports.stamps import EXCHANGE, moved, zone_of

_OHLCV: Final[tuple[str, ...]] = ("open", "high", "low", "close", "volume")
_OURS: Final[tuple[str, ...]] = ("adj_close", "dividend", "split")
_TAIL: Final = re.compile(r"(.+?)_\d+min(?![a-zA-Z0-9]).*")


def _fits(sheet: Sheet) -> bool:
    header = sheet.header
    if header[:1] == ("datetime",):
        return set(_OHLCV) <= set(header) and set(header[1:]) <= {*_OHLCV, *_OURS}
    known = {*_OHLCV, *_OURS}
    return header[:1] == ("date",) and set(header[1:]) <= known and bool({"adj_close", "dividend"} & set(header))


def _symbol(sheet: Sheet) -> str:
    tail = _TAIL.fullmatch(sheet.stem)
    return tail[1] if tail else sheet.stem


OWN: Final = Layout(
    key="own",
    title="this package's own layout",
    fits=_fits,
    columns=same("date", "open", "high", "low", "close", "volume", "adj_close", "dividend", "split"),
    zone=EXCHANGE,
    stamp="start",
    adjustment="own",
    symbol_of=_symbol,
)


def own_file(folder: Path, symbol: str, interval: str = "1d") -> Path:
    """Return the file of a folder of ours that holds a symbol's bars.

    Raises
    ------
    DataError
        If there is none, or more than one.
    """
    return file_of(folder, symbol, interval)


def own_interval(folder: Path, symbol: str) -> str:
    """Return the interval of a symbol's bars in a folder of ours: "1d" of SPY.csv, read as what it is, else the name's.

    Raises
    ------
    DataError
        If names tell of more than one.
    """
    if any((folder / f"{symbol}{suffix}").is_file() for suffix in (".csv", ".csv.gz")):
        return "1d"
    told = intervals_in(folder, symbol)
    if len(told) > 1:
        what = f"it has {symbol}'s bars of {' and '.join(told)}"
        raise DataError(what, where=str(folder), fix=f"say --interval {' or '.join(told)}")
    return told[0] if told else "1d"


def read_own(sheet: Sheet, flags: Flags) -> Draft:
    """Return the draft of a file in this package's own layout, by the reader that runs use.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    daily = sheet.header[0] == "date"
    present = [name for name in (*_OHLCV, *_OURS) if name in sheet.header]
    if sheet.delimiter != ",":
        raise DataError("the columns are not separated by commas", where=sheet.where, fix="separate them by commas")
    file = CsvFile(sheet.path, sheet.data, sheet.header, sheet.names)
    table = read_table(file, sheet.header[0], present)
    passed: Passed | None = Passed(sheet, np.arange(len(table.stamp)))
    stamp, said = table.stamp, [OWN.title]
    if not daily:
        zone = flags.zone or EXCHANGE
        said.append(f"times are {zone}'s" + (", as --zone says" if flags.zone else ""))
        if zone != EXCHANGE:
            stamp, passed = moved(stamp, zone_of(zone, sheet.where)), None
    columns = {name: table.columns[name] for name in present}
    name = symbol_of(sheet, OWN, flags, "")
    draft = Draft(name, OWN, sheet.where, "1d", stamp, columns, "own", tuple(said), passed)
    return bars_of(ascending(draft), daily, flags)
