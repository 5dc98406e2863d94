"""Vendors whose documentation says what their columns are: Tiingo, Alpha Vantage, Polygon (Massive), Databento."""

from typing import Final

from plimsoll.engine.market.imports.layout import Layout, Role, headed, same
from plimsoll.engine.market.imports.sheet import Sheet

_OHLCV: Final = same("open", "high", "low", "close", "volume")
_BENTO: Final = headed("ts_event", "rtype", "publisher_id", "instrument_id", "open", "high", "low", "close", "volume")
_BENTO_COLUMNS: Final[dict[str | int, Role]] = {"ts_event": "date", "symbol": "symbol", **_OHLCV}
_UTC_DAYS: Final = "its daily bars are of UTC days: extended hours are in them, and the last trade for the close"


def _fixed(sheet: Sheet) -> bool:
    """Say whether prices are whole numbers of 1e-9."""
    return _BENTO(sheet) and bool(sheet.rows) and "." not in sheet.rows[0][sheet.names.index("open")]


TIINGO: Final = Layout(
    key="tiingo",
    title="Tiingo's daily prices",
    fits=headed("date", "open", "high", "low", "close", "volume", "adjclose", "divcash", "splitfactor"),
    columns={
        "date": "date",
        "ticker": "symbol",
        "symbol": "symbol",
        **_OHLCV,
        "adjclose": "adj_close",
        "divcash": "dividend",
        "splitfactor": "split",
    },
    adjustment="raw",
)
ALPHA_VANTAGE: Final = Layout(
    key="alphavantage",
    title="Alpha Vantage's TIME_SERIES_DAILY_ADJUSTED",
    fits=headed("timestamp", "open", "high", "low", "close", "adjusted_close", "dividend_amount", "split_coefficient"),
    columns={
        "timestamp": "date",
        **_OHLCV,
        "adjusted_close": "adj_close",
        "dividend_amount": "dividend",
        "split_coefficient": "split",
    },
    adjustment="raw",
)
POLYGON: Final = Layout(
    key="polygon",
    title="a flat file of Polygon (Massive)",
    fits=headed("ticker", "volume", "open", "close", "high", "low", "window_start", "transactions"),
    columns={"ticker": "symbol", "window_start": "date", **_OHLCV},
    stamp="start",
    adjustment="raw",
)
DATABENTO_FIXED: Final = Layout(
    key="databento",
    title="Databento's OHLCV with prices in units of 1e-9",
    fits=_fixed,
    columns=_BENTO_COLUMNS,
    stamp="start",
    adjustment="raw",
    unit=1e9,
    note=_UTC_DAYS,
)
DATABENTO: Final = Layout(
    key="databento",
    title="Databento's OHLCV with decimal prices",
    fits=_BENTO,
    columns=_BENTO_COLUMNS,
    stamp="start",
    adjustment="raw",
    note=_UTC_DAYS,
)
