"""What the portals offer for download: Nasdaq and Investing.com."""

import re
from typing import Final

from plimsoll.engine.market.imports.layout import Layout, headed
from plimsoll.engine.market.imports.sheet import Sheet

_TITLE: Final = re.compile(r"(\S+) .*Histor.*")


def _symbol(sheet: Sheet) -> str:
    """Return SPY of "SPY Historical Data" and "SPY ETF Stock Price History"."""
    named = _TITLE.fullmatch(sheet.stem)
    return named[1] if named else ""


NASDAQ: Final = Layout(
    key="nasdaq",
    title="Nasdaq's download",
    fits=headed("date", "close/last", "open", "high", "low"),
    columns={
        "date": "date",
        "close/last": "close",
        "volume": "volume",
        "open": "open",
        "high": "high",
        "low": "low",
    },
    date_order="mdy",
    symbol_of=lambda _: "",
)
# Its editions write dates and decimals as their country does.
INVESTING: Final = Layout(
    key="investing",
    title="Investing.com's download",
    fits=headed("date", "price", "open", "high", "low", "vol.", "change %"),
    columns={"date": "date", "price": "close", "open": "open", "high": "high", "low": "low", "vol.": "volume"},
    symbol_of=_symbol,
)
