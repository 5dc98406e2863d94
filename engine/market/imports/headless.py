"""Vendors whose files have no header: Kibot and FirstRate."""

import re
from typing import Final

from plimsoll.engine.market.imports.layout import Layout, Role, Told, same
from plimsoll.engine.market.imports.sheet import Sheet
from plimsoll.engine.market.imports.stamps import EXCHANGE

_SLASHED: Final = re.compile(r"\d\d/\d\d/\d{4}")
_ISO: Final = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d)?)?")
_CLOCK: Final = re.compile(r"\d\d?:\d\d")
_PERIODS: Final = ("full", "sample", "1min", "5min", "30min", "1hour", "1day")
_DAY: Final[dict[str | int, Role]] = {0: "date", 1: "open", 2: "high", 3: "low", 4: "close", 5: "volume"}
_MINUTE: Final[dict[str | int, Role]] = {
    0: "date",
    1: "time",
    2: "open",
    3: "high",
    4: "low",
    5: "close",
    6: "volume",
}


def _kibot_day(sheet: Sheet) -> bool:
    return not sheet.header and len(sheet.rows[0]) == 6 and _SLASHED.fullmatch(sheet.rows[0][0]) is not None


def _kibot_minute(sheet: Sheet) -> bool:
    first = sheet.rows[0]
    plain = not sheet.header and len(first) == 7 and _SLASHED.fullmatch(first[0]) is not None
    return plain and _CLOCK.fullmatch(first[1]) is not None


def _first_rate(sheet: Sheet) -> bool:
    parts = sheet.stem.lower().split("_")
    named = len(parts) > 1 and any(part in _PERIODS for part in parts[1:])
    first = sheet.rows[0] if sheet.rows else ()
    if not named or not first or not _ISO.fullmatch(first[0]):
        return False
    return len(first) in (5, 6) and (not sheet.header or sheet.names[0] in ("timestamp", "datetime", "date"))


def _named_adjustment(sheet: Sheet) -> Told:
    words = sheet.stem.lower()
    if "adjsplitdiv" in words:
        return "all"
    if "adjsplit" in words:
        return "split"
    return "raw" if "unadjusted" in words else ""


# Kibot sells adjusted and unadjusted files of one form.
KIBOT: Final = Layout(
    key="kibot", title="Kibot's daily file", fits=_kibot_day, columns=_DAY, date_order="mdy", zone=EXCHANGE
)
KIBOT_MINUTE: Final = Layout(
    key="kibot",
    title="Kibot's intraday file",
    fits=_kibot_minute,
    columns=_MINUTE,
    date_order="mdy",
    zone=EXCHANGE,
    stamp="start",
)
FIRST_RATE: Final = Layout(
    key="firstrate",
    title="FirstRate's file",
    fits=_first_rate,
    columns={
        **_DAY,
        **same("date", "open", "high", "low", "close", "volume"),
        "timestamp": "date",
        "datetime": "date",
    },
    zone=EXCHANGE,
    stamp="start",
    adjustment_of=_named_adjustment,
    symbol_of=lambda sheet: sheet.stem.split("_")[0],
)
