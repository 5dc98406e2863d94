"""Before any venue: every call and its answer becomes a line."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import TypeVar

from plimsoll.brokers.replay.codec import line_of, plain
from plimsoll.engine.errors import VenueError
from plimsoll.engine.execution.venue import (
    Answer,
    Asset,
    Intent,
    Missing,
    Quote,
    Snapshot,
    Unknown,
    Venue,
    VenueClock,
    VenueFill,
    VenueOrder,
    VenueSession,
)

_Answer = TypeVar("_Answer")


class Recorder:
    """Implements `engine.execution.venue.Venue` by another one.

    write : takes the lines, each with its end. Keys are in no record of the port, so none is in a line.
    """

    def __init__(self, venue: Venue, write: Callable[[str], object]) -> None:
        self._venue = venue
        self._write = write

    def submit(self, intent: Intent) -> Answer:
        """Send one order, once."""
        return self._noted("submit", lambda: self._venue.submit(intent), intent)

    def cancel(self, order: VenueOrder) -> bool | Unknown:
        """Ask for a cancellation."""
        return self._noted("cancel", lambda: self._venue.cancel(order), order)

    def lookup(self, client_id: str) -> VenueOrder | Missing | Unknown:
        """Return the order of that client id."""
        return self._noted("lookup", lambda: self._venue.lookup(client_id), client_id)

    def open_orders(self) -> tuple[VenueOrder, ...]:
        """Return every working order."""
        return self._noted("open_orders", self._venue.open_orders)

    def orders(self, since: datetime) -> tuple[VenueOrder, ...]:
        """Return every order submitted since then."""
        return self._noted("orders", lambda: self._venue.orders(since), since)

    def fills(self, since: datetime) -> tuple[VenueFill, ...]:
        """Return every execution since then."""
        return self._noted("fills", lambda: self._venue.fills(since), since)

    def snapshot(self) -> Snapshot:
        """Return the account and all positions."""
        return self._noted("snapshot", self._venue.snapshot)

    def assets(self, symbols: Sequence[str]) -> dict[str, Asset]:
        """Return what is known of the symbols."""
        return self._noted("assets", lambda: self._venue.assets(symbols), tuple(symbols))

    def clock(self) -> VenueClock:
        """Return the venue's time."""
        return self._noted("clock", self._venue.clock)

    def calendar(self, first: date, last: date) -> tuple[VenueSession, ...]:
        """Return the venue's sessions from first to last."""
        return self._noted("calendar", lambda: self._venue.calendar(first, last), first, last)

    def quotes(self, symbols: Sequence[str]) -> dict[str, Quote]:
        """Return the latest quotes and trades."""
        return self._noted("quotes", lambda: self._venue.quotes(symbols), tuple(symbols))

    def suspend(self, suspended: bool) -> bool:
        """Make the venue refuse every new order, or take them again."""
        return self._noted("suspend", lambda: self._venue.suspend(suspended), suspended)

    def _noted(self, call: str, ask: Callable[[], _Answer], *given: object) -> _Answer:
        row = {"call": call, "given": plain(given)}
        try:
            answer = ask()
        except VenueError as error:
            said = {"what": error.what, "where": error.where, "cause": error.cause, "fix": error.fix}
            self._write(line_of({**row, "raised": said}))
            raise
        self._write(line_of({**row, "answer": plain(answer)}))
        return answer
