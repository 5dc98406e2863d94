"""Data frames as Python's backtesters take them, saved as CSV: OHLCV of one symbol, or a column of prices a symbol."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from plimsoll.engine.market.imports.layout import ACTIONS, Layout, Role, same
from plimsoll.engine.market.imports.sheet import Sheet

_OHLC: Final = frozenset(("open", "high", "low", "close"))
_DATES: Final = ("", "date", "datetime", "timestamp", "time", "index")
_SYMBOL: Final = re.compile(r"\^?[A-Za-z][A-Za-z0-9]{0,5}([.\-][A-Za-z]{1,2})?")
_NUMBER: Final = re.compile(r"[-+]?\d[\d.,]*([eE][-+]?\d+)?|nan", re.IGNORECASE)
_COLUMNS: Final[dict[str | int, Role]] = {
    **dict.fromkeys(_DATES, "date"),
    **same("open", "high", "low", "close", "volume"),
    **ACTIONS,
}


def _unnamed(sheet: Sheet) -> bool:
    return sheet.names[:1] == ("",) and set(sheet.names) >= _OHLC


def _plain(sheet: Sheet) -> bool:
    return bool(sheet.names) and sheet.names[0] in _DATES and set(sheet.names) >= _OHLC


def _wide(sheet: Sheet) -> bool:
    if not sheet.names or sheet.names[0] not in _DATES or set(sheet.names) & _OHLC or len(sheet.names) < 2:
        return False
    numeric = all(not cell or _NUMBER.fullmatch(cell) for row in sheet.rows for cell in row[1:])
    return numeric and all(_SYMBOL.fullmatch(name) for name in sheet.header[1:])


def _columns(sheet: Sheet) -> Iterator[tuple[str, Sheet]]:
    for at, symbol in enumerate(sheet.header[1:], 1):
        names = ("date", *("close" if k == at else "" for k in range(1, len(sheet.header))))
        yield symbol, replace(sheet, header=names, names=names)


BACKTESTING: Final = Layout(
    key="frame",
    title="an OHLCV frame with its index unnamed, as backtesting.py takes it",
    fits=_unnamed,
    columns=_COLUMNS,
)
WIDE: Final = Layout(
    key="frame",
    title="a frame with a column of prices a symbol, as bt takes it",
    fits=_wide,
    columns={"date": "date", "close": "close"},
    unfold=_columns,
)
PLAIN: Final = Layout(
    key="plain", title="a plain table of OHLCV, of no vendor in particular", fits=_plain, columns=_COLUMNS
)
