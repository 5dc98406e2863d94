"""Every layout that is known, the particular before the general, and how a file is recognised."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.imports.brokers import ALPACA, IB, REST
from plimsoll.engine.market.imports.charts import NORGATE, TRADINGVIEW
from plimsoll.engine.market.imports.crsp import CRSP, CRSP_RETURNS
from plimsoll.engine.market.imports.draft import Draft
from plimsoll.engine.market.imports.flags import Flags
from plimsoll.engine.market.imports.frames import BACKTESTING, PLAIN, WIDE
from plimsoll.engine.market.imports.headless import FIRST_RATE, KIBOT, KIBOT_MINUTE
from plimsoll.engine.market.imports.layout import Layout
from plimsoll.engine.market.imports.lean import LEAN
from plimsoll.engine.market.imports.own import OWN, read_own
from plimsoll.engine.market.imports.portals import INVESTING, NASDAQ
from plimsoll.engine.market.imports.read import read_sheet
from plimsoll.engine.market.imports.sheet import Sheet, open_sheets
from plimsoll.engine.market.imports.stooq import STOOQ, STOOQ_BULK
from plimsoll.engine.market.imports.vendors import ALPHA_VANTAGE, DATABENTO, DATABENTO_FIXED, POLYGON, TIINGO
from plimsoll.engine.market.imports.yahoo import YAHOO, YFINANCE, YFINANCE_MANY

LAYOUTS: Final[tuple[Layout, ...]] = (
    *(OWN, YFINANCE_MANY, YFINANCE, YAHOO, TIINGO, ALPHA_VANTAGE, POLYGON, DATABENTO_FIXED, DATABENTO),
    *(CRSP, CRSP_RETURNS),
    *(ALPACA, REST, IB, STOOQ_BULK, STOOQ, NASDAQ, INVESTING, NORGATE, LEAN, KIBOT, KIBOT_MINUTE, FIRST_RATE),
    *(TRADINGVIEW, BACKTESTING, PLAIN, WIDE),
)


def recognise(sheet: Sheet) -> Layout:
    """Return the layout of a table.

    Raises
    ------
    DataError
        If it is none that is known.
    """
    for layout in LAYOUTS:
        if layout.fits(sheet):
            return layout
    first = sheet.delimiter.join(sheet.header or sheet.rows[0])[:80]
    known = ", ".join(dict.fromkeys(layout.key for layout in LAYOUTS))
    what = f"no layout that is known begins with {first!r}"
    fix = "name its columns date,open,high,low,close,volume, with adj_close or dividend and split if it has them"
    raise DataError(what, where=sheet.where, cause=f"known: {known}", fix=fix)


def drafts_of(path: Path, flags: Flags) -> Iterator[Draft]:
    """Yield the draft of every symbol in a file.

    Raises
    ------
    DataError
        If it is of no known layout, cannot be read, or something has to be asked.
    """
    for sheet in open_sheets(path):
        layout = recognise(sheet)
        if layout is OWN:
            draft = read_own(sheet, flags)
            if not flags.only or draft.symbol in flags.only:
                yield draft
        else:
            yield from read_sheet(sheet, layout, flags)
