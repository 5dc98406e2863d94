"""Stooq: its bulk archive and the tables of its site."""

import re
from typing import Final

from plimsoll.engine.market.imports.layout import Layout, headed, same
from plimsoll.engine.market.imports.sheet import Sheet

_SITE: Final = re.compile(r"([a-z0-9\-]+)[._]us(?:[._][dwm])?", re.IGNORECASE)


def _of_site(sheet: Sheet) -> bool:
    return _SITE.fullmatch(sheet.stem) is not None and headed("date", "open", "high", "low", "close")(sheet)


def _symbol(sheet: Sheet) -> str:
    named = _SITE.fullmatch(sheet.stem)
    return named[1].upper() if named else sheet.stem


# Adjusted or not is a choice on Stooq's pages, and its bulk archive misses dividends: no file says which it is.
STOOQ_BULK: Final = Layout(
    key="stooq",
    title="Stooq's bulk archive",
    fits=headed("<ticker>", "<per>", "<date>", "<time>", "<close>"),
    columns={
        "<ticker>": "symbol",
        "<date>": "date",
        "<time>": "time",
        "<open>": "open",
        "<high>": "high",
        "<low>": "low",
        "<close>": "close",
        "<vol>": "volume",
    },
)
STOOQ: Final = Layout(
    key="stooq",
    title="Stooq's table",
    fits=_of_site,
    columns=same("date", "time", "open", "high", "low", "close", "volume"),
    symbol_of=_symbol,
)
