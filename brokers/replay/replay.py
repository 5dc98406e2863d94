"""A venue that answers from a transcript."""

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from plimsoll.brokers.replay.codec import plain, record
from plimsoll.engine.errors import DataError, VenueError
from plimsoll.engine.execution.venue import (
    Answer,
    Asset,
    Intent,
    Missing,
    Quote,
    Snapshot,
    Unknown,
    VenueClock,
    VenueFill,
    VenueOrder,
    VenueSession,
)


class Replay:
    """Implements `engine.execution.venue.Venue` by lines that a `Recorder` wrote.

    Calls have to come as they came then. One that differs in kind or in what it is given raises VenueError: what the
    venue would have said to it nobody knows.
    """

    def __init__(self, lines: Iterable[str], where: str = "transcript") -> None:
        """Read the lines; DataError names the first one that is none."""
        self._rows = [_row(line, f"{where}, line {number}") for number, line in enumerate(lines, start=1)]
        self._where = where
        self._at = 0

    @property
    def left(self) -> int:
        """How many calls of the transcript have not been made."""
        return len(self._rows) - self._at

    def submit(self, intent: Intent) -> Answer:
        """Return what became of the order then."""
        answer: Answer = self._answer("submit", intent)
        return answer

    def cancel(self, order: VenueOrder) -> bool | Unknown:
        """Return what the venue said then."""
        answer: bool | Unknown = self._answer("cancel", order)
        return answer

    def lookup(self, client_id: str) -> VenueOrder | Missing | Unknown:
        """Return what was found then."""
        answer: VenueOrder | Missing | Unknown = self._answer("lookup", client_id)
        return answer

    def open_orders(self) -> tuple[VenueOrder, ...]:
        """Return the working orders of then."""
        answer: tuple[VenueOrder, ...] = self._answer("open_orders")
        return answer

    def orders(self, since: datetime) -> tuple[VenueOrder, ...]:
        """Return the orders of then."""
        answer: tuple[VenueOrder, ...] = self._answer("orders", since)
        return answer

    def fills(self, since: datetime) -> tuple[VenueFill, ...]:
        """Return the executions of then."""
        answer: tuple[VenueFill, ...] = self._answer("fills", since)
        return answer

    def snapshot(self) -> Snapshot:
        """Return the account of then."""
        answer: Snapshot = self._answer("snapshot")
        return answer

    def assets(self, symbols: Sequence[str]) -> dict[str, Asset]:
        """Return what was known of the symbols then."""
        answer: dict[str, Asset] = self._answer("assets", tuple(symbols))
        return answer

    def clock(self) -> VenueClock:
        """Return the venue's time then."""
        answer: VenueClock = self._answer("clock")
        return answer

    def calendar(self, first: date, last: date) -> tuple[VenueSession, ...]:
        """Return the sessions of then."""
        answer: tuple[VenueSession, ...] = self._answer("calendar", first, last)
        return answer

    def quotes(self, symbols: Sequence[str]) -> dict[str, Quote]:
        """Return the quotes of then."""
        answer: dict[str, Quote] = self._answer("quotes", tuple(symbols))
        return answer

    def suspend(self, suspended: bool) -> bool:
        """Return what the venue said then."""
        answer: bool = self._answer("suspend", suspended)
        return answer

    def _answer(self, call: str, *given: object) -> Any:
        where = f"{self._where}, line {self._at + 1}"
        if not self.left:
            raise VenueError(f"{call} was asked after the end", where=where)
        row = self._rows[self._at]
        if row["call"] != call or row["given"] != plain(given):
            raise VenueError(f"{call} was asked where {row['call']} was then, or with other words", where=where)
        self._at += 1
        if "raised" in row:
            said = dict(row["raised"])
            raise VenueError(said.pop("what"), **said)
        return record(row["answer"])


def _row(line: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
        if "answer" in row:
            record(row["answer"])
        if not isinstance(row["call"], str) or not isinstance(row["given"], list) or not {"answer", "raised"} & {*row}:
            raise ValueError("no call")
    except (ValueError, KeyError, TypeError, ArithmeticError):
        raise DataError("not a call of a recorded venue", where=where) from None
    found: dict[str, Any] = row
    return found
