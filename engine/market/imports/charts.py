"""Charting programs and portfolio platforms: TradingView and Norgate."""

import re
from typing import Final

from plimsoll.engine.market.imports.layout import ACTIONS, Layout, same
from plimsoll.engine.market.imports.sheet import Sheet

_CHART: Final = re.compile(r"(?:[A-Z]+_)?([A-Z][A-Z.]*), .*")
_OHLC: Final = ("open", "high", "low", "close")
_COLUMNS: Final = same("open", "high", "low", "close", "volume")


def _view(sheet: Sheet) -> bool:
    return sheet.names[:1] == ("time",) and set(_OHLC) <= set(sheet.names)


def _symbol(sheet: Sheet) -> str:
    """Return SPY of "BATS_SPY, 1D" and of "SPY, 5"."""
    named = _CHART.fullmatch(sheet.stem)
    return named[1] if named else ""


def _norgate(sheet: Sheet) -> bool:
    return {"date", *_OHLC, "volume"} <= set(sheet.names) and bool({"turnover", "unadjusted close"} & set(sheet.names))


# Whether dividends are in the prices is a switch of the chart (ADJ).
TRADINGVIEW: Final = Layout(
    key="tradingview",
    title="TradingView's chart data",
    fits=_view,
    columns={"time": "date", **_COLUMNS, **ACTIONS},
    stamp="start",
    symbol_of=_symbol,
)
# What prices contain is a setting of its exporter.
NORGATE: Final = Layout(
    key="norgate",
    title="Norgate's export",
    fits=_norgate,
    columns={"date": "date", "symbol": "symbol", **_COLUMNS, "dividend": "dividend"},
)
