"""Bars as brokers' libraries save them: Alpaca, and Interactive Brokers by ib_insync or ib_async."""

from typing import Final

from plimsoll.engine.market.imports.layout import Layout, headed, same

_OHLCV: Final = same("open", "high", "low", "close", "volume")

# What prices contain was chosen with the request and is not in the file.
ALPACA: Final = Layout(
    key="alpaca",
    title="alpaca-py's bars",
    fits=headed("timestamp", "open", "high", "low", "close", "volume", "trade_count", "vwap"),
    columns={"symbol": "symbol", "timestamp": "date", **_OHLCV},
    stamp="start",
)
REST: Final = Layout(
    key="alpaca",
    title="Alpaca's or Polygon's bars by their short names",
    fits=headed("t", "o", "h", "l", "c", "v"),
    columns={"s": "symbol", "t": "date", "o": "open", "h": "high", "l": "low", "c": "close", "v": "volume"},
    stamp="start",
)
# Trades contain splits, ADJUSTED_LAST dividends too; the stamps are of the zone the workstation was logged in with.
IB: Final = Layout(
    key="ib",
    title="Interactive Brokers' bars",
    fits=headed("date", "open", "high", "low", "close", "volume", "average", "barcount"),
    columns={"date": "date", **_OHLCV},
    note="volumes of older workstations are in lots of 100",
)
