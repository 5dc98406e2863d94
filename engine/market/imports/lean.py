"""LEAN's zips: prices in units of 1/10000, times in New York's, and what happened to a symbol in a factor file beside.

A line of a factor file holds for the dates up to its own: ``date,price factor,split factor[,reference price]``. Between
two lines with factors p, s and p', s' the symbol paid or split on the session after the first line's date:

    split = s' / s,    dividend = reference price (1 - p / p') / split

Source: QuantConnect, LEAN Engine documentation, data format of US equities.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Final

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.imports.layout import Layout, same
from plimsoll.engine.market.imports.sheet import Sheet
from plimsoll.engine.market.imports.stamps import EXCHANGE

UNIT: Final = 10_000.0
# Factors are printed with seven decimals: on a price of some hundred dollars a dividend is known to four.
_DECIMALS: Final = 4
_DAY: Final = re.compile(r"\d{8} \d\d:\d\d")
_MINUTE: Final = re.compile(r"(\d{8})_.+_minute_trade\.csv")


def _fits(sheet: Sheet) -> bool:
    if not sheet.member or sheet.header or len(sheet.rows[0]) != 6:
        return False
    return _DAY.fullmatch(sheet.rows[0][0]) is not None or _MINUTE.fullmatch(sheet.member) is not None


def _unfold(sheet: Sheet) -> Iterator[tuple[str, Sheet]]:
    day = _MINUTE.fullmatch(sheet.member)
    symbol = sheet.path.parent.name if day else sheet.path.stem
    market = sheet.path.parents[2 if day else 1]
    lines = [line.split(",") for line in sheet.data.decode().splitlines() if line.strip()]
    try:
        if day:
            rows = [[f"{day[1]} {_clock(int(line[0]))}", *_dollars(line)] for line in lines]
            header: tuple[str, ...] = ("date", "open", "high", "low", "close", "volume")
        else:
            rows = [[line[0][:8], *_dollars(line)] for line in lines]
            header = ("date", "open", "high", "low", "close", "volume", "dividend", "split")
            events = _events(market / "factor_files" / f"{symbol}.csv", rows)
            if events is None:
                header = header[:6]
            else:
                rows = [[*row, *events.get(row[0], ("0", "1"))] for row in rows]
    except (ValueError, IndexError) as error:
        raise DataError(f"not as LEAN writes it: {error}", where=sheet.where) from error
    data = "\n".join(",".join(row) for row in (list(header), *rows)).encode() + b"\n"
    cells = tuple(tuple(row) for row in rows[:2])
    yield symbol.upper(), replace(sheet, data=data, header=header, names=header, rows=cells, skip=1)


def _clock(milliseconds: int) -> str:
    seconds = milliseconds // 1000
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _dollars(line: list[str]) -> list[str]:
    return [*(repr(float(cell) / UNIT) for cell in line[1:5]), line[5]]


def _events(path: Path, rows: list[list[str]]) -> dict[str, tuple[str, str]] | None:
    """Return dividend and split by ex-date, None if there is no factor file."""
    if not path.is_file():
        return None
    factors = sorted(line.split(",") for line in path.read_text().splitlines() if line[:8].isdigit())
    days = [row[0] for row in rows]
    found = {}
    for now, then in pairwise(factors):
        split = float(then[2]) / float(now[2])
        paid = 1.0 - float(now[1]) / float(then[1])
        at = bisect_right(days, now[0])
        if (split == 1.0 and paid == 0.0) or not 0 < at < len(days):
            continue
        before = float(now[3]) if len(now) > 3 and float(now[3]) > 0.0 else float(rows[at - 1][4])
        found[days[at]] = (repr(round(before * paid / split, _DECIMALS)), repr(round(split, _DECIMALS)))
    return found


LEAN: Final = Layout(
    key="lean",
    title="LEAN's zip",
    fits=_fits,
    columns=same("date", "open", "high", "low", "close", "volume", "dividend", "split"),
    zone=EXCHANGE,
    stamp="start",
    adjustment="raw",
    unfold=_unfold,
)
