"""Orders called off at the venue, and read back: a cancellation that was asked for is not one that happened."""

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

from plimsoll.engine.errors import InputError, OutputError
from plimsoll.engine.execution.venue import Unknown, Venue, VenueOrder
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.journal.rows import OrderRow

POLL_S: Final = 1.0


@dataclass(slots=True)
class CalledOff:
    """cancelled : orders that were called off and work no more; failed : what could not be done, or is not known."""

    cancelled: int = 0
    failed: list[str] = field(default_factory=list)


def call_off(
    venue: Venue, meant: Callable[[VenueOrder], bool], sleep: Callable[[float], None], patience_s: float
) -> CalledOff:
    """Cancel the orders that are meant until the venue lists none of them as working, or patience is over."""
    done, asked, waited = CalledOff(), dict[str, bool | Unknown](), 0.0
    try:
        working = [one for one in venue.open_orders() if meant(one)]
        while working:
            for one in working:
                if isinstance(asked.get(one.venue_id, Unknown("")), Unknown):
                    asked[one.venue_id] = venue.cancel(one)
            working = [one for one in venue.open_orders() if meant(one)]
            if waited >= patience_s:
                break
            if working:
                sleep(POLL_S)
                waited += POLL_S
    except InputError as error:
        done.failed.append(f"cancel: {error}" if not asked else f"{len(asked)} cancels asked for, not seen: {error}")
        return done
    for one in working:
        answer = asked[one.venue_id] if one.venue_id in asked else venue.cancel(one)
        why = f": {answer.why}" if isinstance(answer, Unknown) else ""
        done.failed.append(f"{one.client_id} still works at the venue ({one.word}){why}")
    done.cancelled = len(asked.keys() - {one.venue_id for one in working})
    return done


class Reductions:
    """Which working orders only reduce what is held: by the journal, else by what the venue says is held.

    Of an order that neither tells of it is not said.
    """

    def __init__(self, venue: Venue, folder: Path, now: Callable[[], datetime]) -> None:
        self._venue = venue
        self._rows = _rows_of(folder, now)
        self._held: Mapping[str, Decimal] | None = None

    def __call__(self, order: VenueOrder) -> bool:
        """Return whether an order is known to reduce."""
        row = self._rows.get(order.client_id)
        if row is not None:
            return row.frees
        if self._held is None:
            self._held = {}
            with suppress(InputError):
                self._held = {one.symbol: one.qty for one in self._venue.snapshot().positions}
        held = self._held.get(order.symbol, Decimal(0))
        left = None if order.qty is None else order.qty - order.filled
        return left is not None and left <= abs(held) and (held > 0) == (order.side == "sell")


def _rows_of(folder: Path, now: Callable[[], datetime]) -> dict[str, OrderRow]:
    """Return the orders that may work by their ids, none where the journal cannot be read."""
    with suppress(OutputError, sqlite3.Error):
        journal = Journal.read_only(folder, now)
        if journal is not None:
            try:
                return {one.client_id: one for one in journal.orders(unended=True)}
            finally:
                journal.close()
    return {}
