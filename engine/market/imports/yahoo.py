"""Yahoo's former web download, and what yfinance saves: with one header line, or with three for many symbols."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from plimsoll.engine.market.imports.layout import Layout, Role, Told, headed
from plimsoll.engine.market.imports.sheet import Sheet

_COLUMNS: Final[dict[str | int, Role]] = {
    "date": "date",
    "datetime": "date",
    "open": "open",
    "high": "high",
    "low": "low",
    "close": "close",
    "adj close": "adj_close",
    "volume": "volume",
    "dividends": "dividend",
    "stock splits": "split",
    "capital gains": "gain",
}
_FIELDS: Final = frozenset(("open", "high", "low", "close"))


def _told(sheet: Sheet) -> Told:
    # without auto_adjust yfinance keeps the column Adj Close, whatever else is asked for
    return "split" if "adj close" in sheet.names else "all"


def _many(sheet: Sheet) -> bool:
    """Say whether the header is fields over symbols, or symbols over fields, over a line that names the index."""
    if len(sheet.rows) < 2 or not sheet.header:
        return False
    tops = {name for name in sheet.names[1:] if name}
    below = {cell.lower() for cell in sheet.rows[0][1:] if cell}
    return _index_line(sheet) and (tops >= _FIELDS or below >= _FIELDS)


def _index_line(sheet: Sheet) -> bool:
    """Say whether the third line is the name of the dates and nothing else."""
    first, *rest = sheet.rows[1]
    return first.lower() in ("date", "datetime") and not any(rest)


def _unfold(sheet: Sheet) -> Iterator[tuple[str, Sheet]]:
    tops, below = sheet.header, sheet.rows[0]
    fields, symbols = (tops, below) if {name.lower() for name in tops} >= _FIELDS else (below, tops)
    for symbol in dict.fromkeys(name for name in symbols[1:] if name):
        header = ("date", *(field if of == symbol else "" for field, of in zip(fields[1:], symbols[1:], strict=True)))
        names = tuple(name.lower() for name in header)
        yield symbol, replace(sheet, header=header, names=names, skip=sheet.skip + 2)


YFINANCE_MANY: Final = Layout(
    key="yfinance",
    title="yfinance's download() with three header lines",
    fits=_many,
    columns=_COLUMNS,
    stamp="start",
    adjustment_of=_told,
    unfold=_unfold,
)
YFINANCE: Final = Layout(
    key="yfinance",
    title="yfinance's history() with its actions",
    fits=headed("open", "high", "low", "close", "volume", "dividends", "stock splits"),
    columns=_COLUMNS,
    stamp="start",
    adjustment="actions",
)
YAHOO: Final = Layout(
    key="yahoo",
    title="Yahoo's download",
    fits=headed("date", "open", "high", "low", "close", "adj close", "volume"),
    columns=_COLUMNS,
    stamp="start",
    adjustment="split",
)
