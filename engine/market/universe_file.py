"""Who was a member when, as a CSV of ``symbol,from,to,reason`` says it.

A row is a stint, both days included; an empty `to` means that it goes on. A symbol may have several, one after the
other. The reason says why a stint ended: one of `ENDED`, or ``renamed:NEW`` where the symbol goes on under another
name. A symbol that is not in the file is never a member.
"""

import csv
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final

from plimsoll.engine.errors import DataError, did_you_mean
from plimsoll.engine.market.calendar import LAST_DAY

HEADER: Final = ["symbol", "from", "to", "reason"]
ENDED: Final = ("removed", "delisted", "merged", "acquired", "bankrupt")
RENAMED: Final = "renamed:"
_HOW: Final = "write symbol,YYYY-MM-DD,YYYY-MM-DD,reason; the last two empty while it is a member"


@dataclass(frozen=True, slots=True)
class Stint:
    """A symbol is a member from `first` to `last`, both included, None = it still is. line : of the file."""

    symbol: str
    first: date
    last: date | None
    reason: str
    line: int

    @property
    def heir(self) -> str:
        """The name under which it goes on, or ""."""
        return self.reason.removeprefix(RENAMED) if self.reason.startswith(RENAMED) else ""


@dataclass(frozen=True, slots=True)
class Universe:
    """Every stint of a file, by symbol and first day. path : the file."""

    path: Path
    stints: tuple[Stint, ...]

    @property
    def symbols(self) -> frozenset[str]:
        """Every symbol in the file."""
        return frozenset(stint.symbol for stint in self.stints)

    def names_of(self, symbol: str) -> tuple[Stint, ...]:
        """Return the stints of a symbol's former names that end in it, the latest first."""
        found: list[Stint] = []
        wanted = symbol
        while former := [one for one in self.stints if one.heir == wanted]:
            found.append(former[-1])
            wanted = former[-1].symbol
        return tuple(found)

    def former_names(self, symbols: Collection[str]) -> tuple[str, ...]:
        """Return the former names of symbols, sorted."""
        return tuple(sorted({stint.symbol for symbol in symbols for stint in self.names_of(symbol)}))

    def heir_of(self, symbol: str) -> str:
        """Return the last name under which a symbol goes on, itself if it never changed."""
        following = [stint.heir for stint in self.stints if stint.symbol == symbol and stint.heir]
        return self.heir_of(following[0]) if following else symbol

    def of(self, symbol: str) -> tuple[Stint, ...]:
        """Return the stints of a symbol, under its former names too."""
        own = [stint for stint in self.stints if stint.symbol == symbol]
        return (*own, *(stint for former in self.names_of(symbol) for stint in self._until(former)))

    def _until(self, end: Stint) -> list[Stint]:
        return [one for one in self.stints if one.symbol == end.symbol and one.first <= end.first]


def read_universe(path: Path, offered: Collection[str]) -> Universe:
    """Read a file of members; `offered` is what the data have a series for.

    Raises
    ------
    DataError
        In one line with the file's: a header or a date that is none, a day that ends before it begins, stints that
        overlap, an unknown reason, a symbol without data, a name that goes on under one that does not follow.
    """
    stints = tuple(sorted((_stint(path, *row) for row in _rows(path)), key=lambda one: (one.symbol, one.first)))
    if not stints:
        raise DataError("no member", where=str(path), fix=_HOW)
    for before, after in pairwise(stints):
        if before.symbol == after.symbol and (before.last is None or after.first <= before.last):
            what = f"{after.symbol} is a member from {after.first} on, and already from {before.first}"
            until = f" to {before.last}" if before.last else ""
            raise _wrong(path, max(before.line, after.line), f"{what}{until}", "let stints follow each other")
    for stint in stints:
        if stint.symbol not in offered:
            fix = f"without those that are gone only survivors are left; {did_you_mean(stint.symbol, offered)}"
            raise _wrong(path, stint.line, f"{stint.symbol} has no data", fix)
        if stint.heir:
            _check_heir(path, stint, stints)
    return Universe(path, stints)


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DataError("no such file", where=str(path), fix="mend data.universe_file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read: {error}", where=str(path)) from None
    rows = [[cell.strip() for cell in row] for row in csv.reader(text.splitlines())]
    if not rows or [cell.lower() for cell in rows[0]] != HEADER:
        raise DataError(f"the header is not '{','.join(HEADER)}'", where=str(path), fix=_HOW)
    return [(number, row) for number, row in enumerate(rows[1:], start=2) if any(row)]


def _stint(path: Path, line: int, row: list[str]) -> Stint:
    if len(row) != len(HEADER):
        raise _wrong(path, line, f"{len(row)} cells, the header has {len(HEADER)}", _HOW)
    symbol, begin, end, reason = row
    if not symbol:
        raise _wrong(path, line, "no symbol", _HOW)
    first, last = _day(path, line, begin), _day(path, line, end) if end else None
    if last is not None and last < first:
        raise _wrong(path, line, f"{symbol} ends on {last}, before it begins on {first}", "mend one of the two")
    if last is None and reason:
        raise _wrong(path, line, f"{symbol} has the reason {reason!r} and no last day", "give the day, or no reason")
    if last is not None and reason not in ENDED and not reason.removeprefix(RENAMED) != reason != RENAMED:
        known = f"one of {', '.join(ENDED)}, or {RENAMED}NEW"
        raise _wrong(path, line, f"unknown reason {reason!r} for the end of {symbol}", known)
    return Stint(symbol, first, last, reason, line)


def _day(path: Path, line: int, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _wrong(path, line, f"{text!r} is not a date", _HOW) from None


def _check_heir(path: Path, stint: Stint, stints: Sequence[Stint]) -> None:
    begun = [one.first for one in stints if one.symbol == stint.heir]
    if not begun:
        fix = f"add the row {stint.heir},...; {did_you_mean(stint.heir, {one.symbol for one in stints})}"
        raise _wrong(path, stint.line, f"{stint.symbol} goes on as {stint.heir}, which is no member", fix)
    if stint.last is None or begun[0] <= stint.last:
        what = f"{stint.symbol} goes on as {stint.heir} after {stint.last}, which is a member from {begun[0]} on"
        raise _wrong(path, stint.line, what, "a new name begins after the old one has ended")
    twins = [one.symbol for one in stints if one.heir == stint.heir and one is not stint]
    if twins:
        what = f"{stint.symbol} and {twins[0]} both go on as {stint.heir}"
        raise _wrong(path, stint.line, what, "only one can; say merged of the other")


def _wrong(path: Path, line: int, what: str, fix: str) -> DataError:
    return DataError(what, where=f"{path} line {line}", fix=fix)


def write_cut_universe(universe: Universe, target: Path, names: Collection[str], last: str) -> None:
    """Write the stints of some symbols as they are known on day `last`: what comes later is far off.

    That a symbol will join, or go on under another name, is in the names a run loads anyway; when, is not.
    """
    day, kept, lines = date.fromisoformat(last), set(names), [",".join(HEADER)]
    ahead: set[str] = set()
    for stint in universe.stints:
        if stint.symbol not in kept or stint.symbol in ahead:
            continue
        first, end, reason = str(stint.first), "" if stint.last is None else str(stint.last), stint.reason
        if stint.first > day:
            first, ahead = str(LAST_DAY), ahead | {stint.symbol}
        if stint.last is not None and stint.last > day:
            end, reason = (str(LAST_DAY - timedelta(days=1)), reason) if stint.heir else ("", "")
            ahead.add(stint.symbol)
        if stint.first > day and end:
            first = end
        lines.append(f"{stint.symbol},{first},{end},{reason}")
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")
